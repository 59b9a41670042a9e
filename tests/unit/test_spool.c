/* Records as bytes, files that were cut or garbled anywhere, and the directory from both sides. */
#include "unit.h"
#include "folder_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "src/spool/spool_int.h"

#define T0 INT64_C(1800000000000)
#define MAX_BYTES (64u << 20)

static struct arena *a;
static struct seal_key *key;
static char dir[64];
static struct err e;

static struct seal_key *key_new(void)
{
	struct seal_key *k;
	char path[100];

	snprintf(path, sizeof(path), "%s.key", dir);
	unlink(path);
	ck_assert(seal_key_create(path, &e));
	k = seal_key_load(path, &e);
	ck_assert_ptr_nonnull(k);
	unlink(path);
	return k;
}

static void begin(void)
{
	e = (struct err){ 0 };
	a = arena_new(256u << 20);
	snprintf(dir, sizeof(dir), "test_spool.%d.tmp", (int)getpid());
	key = key_new();
}

static void end(void)
{
	ck_assert(folder_remove(dir));
	seal_key_free(key);
	arena_free(a);
}

/* ---- a record ---- */

static const struct header headers[] = { { STR("content-type"), STR("application/json") }, { STR("x-empty"), STR("") } };
static const uint64_t events[] = { 7, UINT64_MAX };

static struct spool_record record(uint64_t number, ms_t received_at)
{
	return (struct spool_record){
		.request = number, .received_at = received_at, .received_us = (uint64_t)received_at * 1000, .status = 202, .took_us = 1234, .source = STR("in_abc"), .method = STR("POST"),
		.uri = STR("/api/integrations/prometheus/in_abc?x=1"), .content_type = STR("application/json"),
		.body = arena_printf(a, "{\"n\":%d, \"zero\":\"%c\"}", (int)number, 0), .remote_addr = STR("192.0.2.1"), .trace = STR("t-1"),
		.proof = STR("bearer - - 0"), .headers = headers, .header_n = ARRAY_SIZE(headers), .events = events,
		.event_n = ARRAY_SIZE(events),
	};
}

static void same(const struct spool_record *x, const struct spool_record *y)
{
	ck_assert(str_eq(spool_encode(a, x), spool_encode(a, y)));
}

START_TEST(test_record)
{
	struct spool_record r, back;

	begin();
	r = record(5, T0);
	r.body = STR("b\0y");
	ck_assert(spool_decode(a, spool_encode(a, &r), &back, &e));
	ck_assert_uint_eq(back.request, 5);
	ck_assert_int_eq(back.received_at, T0);
	ck_assert_uint_eq(back.status, 202);
	ck_assert_uint_eq(back.took_us, 1234);
	unit_str(back.source, "in_abc");
	unit_str(back.method, "POST");
	unit_str(back.uri, "/api/integrations/prometheus/in_abc?x=1");
	unit_str(back.content_type, "application/json");
	ck_assert(str_eq(back.body, STR("b\0y")));
	unit_str(back.remote_addr, "192.0.2.1");
	unit_str(back.trace, "t-1");
	ck_assert_ptr_null(back.traceparent.p);		/* what was not there is not there */
	unit_str(back.proof, "bearer - - 0");
	ck_assert_uint_eq(back.header_n, 2);
	unit_str(back.headers[0].name, "content-type");
	unit_str(back.headers[1].value, NULL);
	ck_assert_uint_eq(back.event_n, 2);
	ck_assert_uint_eq(back.events[1], UINT64_MAX);
	end();
}
END_TEST

START_TEST(test_no_record)
{
	struct spool_record r, back;
	struct str bytes;

	begin();
	r = record(5, T0);
	bytes = spool_encode(a, &r);
	for (size_t n = 0; n < bytes.n; n++) {
		e = (struct err){ 0 };
		ck_assert(!spool_decode(a, (struct str){ bytes.p, n }, &back, &e));
		ck_assert_int_eq(e.code, ERR_INVALID);
	}
	ck_assert(!spool_decode(a, arena_printf(a, "%.*sx", STR_ARG(bytes)), &back, &e));
	r.request = 0;
	ck_assert(!spool_decode(a, spool_encode(a, &r), &back, &e));
	end();
}
END_TEST

/* ---- frames ---- */

#define RECORDS 6

struct file {
	struct str bytes;
	size_t ends[RECORDS];	/* of each record's frame */
};

static struct file file_of(void)
{
	unsigned char head[SPOOL_HEAD];
	struct file f;
	struct strbuf b;

	strbuf_init(&b, a, 1 << 20);
	frame_file_begin(head);
	strbuf_add(&b, head, sizeof(head));
	for (unsigned i = 0; i < RECORDS; i++) {
		struct spool_record r = record(i + 1, T0 + i);

		frame_add(&b, key, (const char *)head + SPOOL_HEAD - SPOOL_ID, i, &r);
		f.ends[i] = b.n;
	}
	f.bytes = strbuf_str(&b);
	return f;
}

/* Bits of the records that can be read. */
static unsigned readable(struct str bytes, const struct seal_key *k, bool *damaged)
{
	struct frames frames;
	struct frame frame;
	unsigned found = 0;

	for (frames_begin(&frames, bytes); frames_next(&frames, &frame);) {
		struct spool_record r, want;
		struct err none = { 0 };

		if (!frame_open(a, k, &frames, &frame, &r, &none))
			continue;
		want = record(r.request, T0 + (ms_t)r.request - 1);
		same(&r, &want);
		ck_assert_uint_eq(frame.received_us, r.received_us);
		found |= 1u << (r.request - 1);
	}
	*damaged = frames.damaged;
	return found;
}

#define ALL ((1u << RECORDS) - 1)

START_TEST(test_cut_anywhere)
{
	struct file f;
	bool damaged;

	begin();
	f = file_of();
	for (size_t n = 0; n <= f.bytes.n; n++) {
		unsigned whole = 0;
		bool at_end = n == SPOOL_HEAD;

		for (unsigned i = 0; i < RECORDS; i++) {
			whole |= f.ends[i] <= n ? 1u << i : 0;
			at_end |= f.ends[i] == n;
		}
		ck_assert_uint_eq(readable((struct str){ f.bytes.p, n }, key, &damaged), whole);
		ck_assert_msg(damaged == !at_end, "cut at %zu", n);
	}
	end();
}
END_TEST

/* One wrong byte costs one record at the most, but for the head of the file, which all are sealed with. */
START_TEST(test_garbled_anywhere)
{
	struct file f;
	bool damaged;

	begin();
	f = file_of();
	for (size_t i = 0; i < f.bytes.n; i++) {
		struct str copy = arena_str(a, f.bytes);
		unsigned lost, record = 0;

		((char *)copy.p)[i] ^= 0x20;
		lost = ALL & ~readable(copy, key, &damaged);
		while (record < RECORDS && f.ends[record] <= i)
			record++;
		ck_assert_msg(lost == (i < SPOOL_HEAD ? ALL : 1u << record), "byte %zu: lost %x", i, lost);
		ck_assert(damaged || i >= 16);
		if (i % 64 == 63) {
			arena_reset(a);
			f = file_of();
		}
	}
	end();
}
END_TEST

START_TEST(test_wrong_key_and_wrong_place)
{
	struct seal_key *other;
	struct file f, g;
	struct strbuf b;
	bool damaged;

	begin();
	f = file_of();
	g = file_of();
	other = key_new();
	ck_assert_uint_eq(readable(f.bytes, other, &damaged), 0);
	ck_assert(!damaged);		/* its bytes are as they were written */
	strbuf_init(&b, a, 1 << 20);	/* the second record in the place of the first of another file */
	strbuf_add(&b, f.bytes.p, SPOOL_HEAD);
	strbuf_add(&b, g.bytes.p + g.ends[0], g.ends[1] - g.ends[0]);
	strbuf_add(&b, f.bytes.p + f.ends[0], f.bytes.n - f.ends[0]);
	ck_assert_uint_eq(readable(strbuf_str(&b), key, &damaged), ALL & ~1u);
	seal_key_free(other);
	end();
}
END_TEST

/* ---- the directory ---- */

static struct spool *writer(uint64_t max_bytes)
{
	return spool_new(&(struct spool_config){ dir, max_bytes, key });
}

static void add(struct spool *s, uint64_t number, ms_t received_at)
{
	struct spool_record r = record(number, received_at);

	ck_assert_msg(spool_add(s, a, &r, 1, received_at, &e), "%s", e.text);
}

static struct spool_reader *reader(void)
{
	struct spool_reader *r = NULL;
	struct spool *s = writer(MAX_BYTES);
	int found = spool_reader_new(s, &r, &e);

	spool_free(s);
	ck_assert_msg(found >= 0, "%s", e.text);
	return r;
}

/* All that can be read, as "1 2 3"; what cannot is '!'. */
static struct str take_all(struct spool_reader *r)
{
	struct spool_record x;
	struct strbuf b;
	int found;

	strbuf_init(&b, a, 1 << 20);
	while ((found = spool_next(r, a, &x, &e)) != 0)
		strbuf_addf(&b, "%s%s", b.n ? " " : "", found < 0 ? "!" : arena_printf(a, "%d", (int)x.request).p);
	return strbuf_str(&b);
}

static unsigned settle_all(struct spool_reader *r, unsigned *bad)
{
	struct spool_settled x;
	unsigned n = 0;

	for (*bad = 0; spool_settle(r, &x, &e) == 1; n++)
		*bad += x.bad;
	return n;
}

static mode_t mode_of(const char *name)
{
	char path[200];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static const char *only_name(const char *state)
{
	struct spool_file *files;
	size_t n;

	ck_assert(spool_list(dir, a, &files, &n, &e));
	ck_assert_uint_eq(n, 1);
	unit_str(files[0].state, state);
	return arena_cstr(a, files[0].name);
}

/* Two processes in one millisecond, turn and turn about; the second one's file has the older name. */
START_TEST(test_order_within_a_millisecond)
{
	struct spool_reader *r;
	struct spool *s[2];

	begin();
	s[1] = writer(MAX_BYTES);
	s[0] = writer(MAX_BYTES);
	for (uint64_t i = 1; i <= 6; i++) {
		struct spool_record x = record(i, T0);

		x.received_us += 100 * i;
		ck_assert_msg(spool_add(s[i % 2], a, &x, 1, T0, &e), "%s", e.text);
	}
	spool_free(s[0]);
	spool_free(s[1]);
	r = reader();
	unit_str(take_all(r), "1 2 3 4 5 6");
	spool_reader_free(r);
	end();
}
END_TEST

START_TEST(test_written_and_replayed)
{
	struct spool *s;
	struct spool_reader *r;
	struct spool_state state;
	unsigned bad;

	begin();
	umask(0);
	s = writer(MAX_BYTES);
	ck_assert_uint_eq(spool_state(dir).files, 0);
	ck_assert_ptr_null(reader());
	add(s, 1, T0);
	add(s, 2, T0 + 1);
	ck_assert_uint_eq(mode_of("."), 0700);
	ck_assert_uint_eq(mode_of(only_name("open")), 0600);
	ck_assert_ptr_null(reader());			/* its owner lives */
	state = spool_state(dir);
	ck_assert_uint_eq(state.files, 1);
	ck_assert_int_eq(state.oldest_at, T0);
	ck_assert(state.bytes > 200 && state.writable && !state.bad_files);
	spool_close(s);
	only_name("closed");
	r = reader();
	ck_assert_ptr_nonnull(r);
	ck_assert_ptr_null(reader());			/* one at a time */
	unit_str(take_all(r), "1 2");
	ck_assert_uint_eq(settle_all(r, &bad), 1);
	ck_assert_uint_eq(bad, 0);
	spool_reader_free(r);
	ck_assert_uint_eq(spool_state(dir).files, 0);
	add(s, 3, T0 + 2);		/* in a new file */
	spool_free(s);
	r = reader();
	unit_str(take_all(r), "3");
	spool_reader_free(r);		/* not settled: the next one reads it again */
	r = reader();
	unit_str(take_all(r), "3");
	spool_reader_free(r);
	end();
}
END_TEST

/* Records of several writers come in the order of their receipt, and no file is settled while a record of it is left. */
START_TEST(test_files_are_merged)
{
	struct spool *s[3];
	struct spool_record x;
	struct spool_reader *r;
	unsigned bad;

	begin();
	for (int i = 0; i < 3; i++)
		s[i] = writer(MAX_BYTES);
	for (unsigned i = 0; i < 30; i++)
		add(s[i * i % 3], i + 1, T0 + i);
	spool_close(s[0]);
	add(s[0], 31, T0 + 30);
	for (int i = 0; i < 3; i++)
		spool_free(s[i]);
	r = reader();
	for (unsigned i = 0; i < 30; i++) {
		ck_assert_int_eq(spool_next(r, a, &x, &e), 1);
		ck_assert_uint_eq(x.request, i + 1);
	}
	ck_assert_uint_eq(settle_all(r, &bad), 2);
	unit_str(take_all(r), "31");
	ck_assert_uint_eq(settle_all(r, &bad), 1);
	spool_reader_free(r);
	end();
}
END_TEST

START_TEST(test_a_file_is_closed_by_size_and_age)
{
	struct spool_record r;
	struct spool *s;
	char *body;

	begin();
	s = writer(MAX_BYTES);
	r = record(1, T0);
	body = arena_alloc(a, SPOOL_FILE_BYTES / 2);
	r.body = (struct str){ body, SPOOL_FILE_BYTES / 2 };
	for (int i = 0; i < 5; i++)
		ck_assert(spool_add(s, a, &r, 1, T0 + i, &e));
	ck_assert_uint_eq(spool_state(dir).files, 3);
	spool_close_old(s, T0 + 4 + MS_PER_MINUTE - 1);
	ck_assert_uint_eq(spool_state(dir).files, 3);
	add(s, 2, T0 + 5);
	spool_close_old(s, T0 + 4 + MS_PER_MINUTE);
	add(s, 3, T0 + 4 + MS_PER_MINUTE);
	ck_assert_uint_eq(spool_state(dir).files, 4);
	spool_free(s);
	end();
}
END_TEST

/* What a killed process left is taken over, whole or cut in the middle of a record. */
START_TEST(test_owner_was_killed)
{
	struct spool_reader *r;
	int ready[2], status;
	unsigned bad;
	pid_t child;
	char c, path[200];

	begin();
	ck_assert_int_eq(pipe(ready), 0);
	child = fork();
	if (!child) {
		struct spool *s = writer(MAX_BYTES);

		for (unsigned i = 0; i < 3; i++)
			add(s, i + 1, T0 + i);
		(void)!write(ready[1], "r", 1);
		pause();
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_ptr_null(reader());
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	snprintf(path, sizeof(path), "%s/%s", dir, only_name("open"));
	ck_assert_int_eq(truncate(path, (off_t)spool_state(dir).bytes - 10), 0);
	r = reader();
	unit_str(take_all(r), "1 2");
	ck_assert_uint_eq(settle_all(r, &bad), 1);
	ck_assert_uint_eq(bad, 1);
	spool_reader_free(r);
	only_name("bad");
	ck_assert_uint_eq(spool_state(dir).bad_files, 1);
	ck_assert_uint_eq(spool_state(dir).files, 0);
	ck_assert_uint_eq(mode_of(SPOOL_BAD), 0700);
	end();
}
END_TEST

START_TEST(test_what_cannot_be_stored_moves_its_file)
{
	struct spool_reader *r;
	struct spool_record x;
	struct spool *s;
	unsigned bad;

	begin();
	s = writer(MAX_BYTES);
	add(s, 1, T0);
	spool_close(s);
	add(s, 2, T0 + 1);
	add(s, 3, T0 + 2);
	spool_free(s);
	r = reader();
	ck_assert_int_eq(spool_next(r, a, &x, &e), 1);
	ck_assert_int_eq(spool_next(r, a, &x, &e), 1);
	ck_assert_uint_eq(x.request, 2);
	spool_mark_bad(r, &x);
	unit_str(take_all(r), "3");
	ck_assert_uint_eq(settle_all(r, &bad), 2);
	ck_assert_uint_eq(bad, 1);
	spool_reader_free(r);
	only_name("bad");
	end();
}
END_TEST

START_TEST(test_a_lost_key_moves_the_files)
{
	struct spool_reader *r;
	struct seal_key *other;
	struct spool *s;
	unsigned bad;

	begin();
	s = writer(MAX_BYTES);
	add(s, 1, T0);
	add(s, 2, T0);
	spool_free(s);
	other = key_new();
	s = spool_new(&(struct spool_config){ dir, MAX_BYTES, other });
	ck_assert_int_eq(spool_reader_new(s, &r, &e), 1);
	spool_free(s);
	unit_str(take_all(r), "! !");
	ck_assert_uint_eq(settle_all(r, &bad), 1);
	ck_assert_uint_eq(bad, 1);
	spool_reader_free(r);
	seal_key_free(other);
	end();
}
END_TEST

/* Strangers' files are left alone, but for those that have our names. */
START_TEST(test_what_is_none_of_ours)
{
	static const char *const names[] = { "notes.txt", "1800000000000-1-0.tmp", "180-1-0.spool", "1800000000000-1-0.spool",
		"1800000000001-1-0.open" };
	struct spool_reader *r;
	unsigned bad;
	char path[200];

	begin();
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		ck_assert(i == 4 || write(fd, "hello, this is no spool file", 28) == 28);
		close(fd);
	}
	r = reader();
	unit_str(take_all(r), NULL);
	ck_assert_uint_eq(settle_all(r, &bad), 1);
	ck_assert_uint_eq(bad, 1);
	spool_reader_free(r);
	unit_str(str_of(only_name("bad")), names[3]);
	ck_assert_uint_eq(mode_of("."), 0700);
	ck_assert_uint_eq(mode_of(names[2]) & 0600, 0600);
	end();
}
END_TEST

/* What cannot be opened or moved away holds nothing up. */
START_TEST(test_files_that_are_in_the_way)
{
	struct spool_settled x;
	struct spool_reader *r;
	struct spool *s;
	unsigned bad;
	char path[200];
	int fd;

	begin();
	s = writer(MAX_BYTES);
	add(s, 1, T0);
	spool_close(s);
	snprintf(path, sizeof(path), "%s/1700000000000-1-0.open", dir);
	ck_assert_int_eq(symlink("/nowhere", path), 0);
	snprintf(path, sizeof(path), "%s/bad", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	close(fd);
	r = reader();
	unit_str(take_all(r), "1");
	ck_assert_int_eq(spool_settle(r, &x, &e), -1);
	ck_assert_str_eq(x.name, "1700000000000-1-0.spool");
	ck_assert_uint_eq(settle_all(r, &bad), 1);
	ck_assert_uint_eq(bad, 0);
	spool_reader_free(r);
	unlink(path);
	r = reader();
	unit_str(take_all(r), NULL);
	ck_assert_uint_eq(settle_all(r, &bad), 1);
	ck_assert_uint_eq(bad, 1);
	spool_reader_free(r);
	spool_free(s);
	ck_assert_uint_eq(spool_state(dir).files, 0);
	end();
}
END_TEST

START_TEST(test_full)
{
	struct spool_record r;
	struct spool *s, *t;
	int n = 0;

	begin();
	r = record(1, T0);
	s = writer(2000);
	t = writer(2000);
	while (n < 10 && spool_add(s, a, &r, 1, T0, &e))
		n++;
	ck_assert(n >= 2 && n < 10);
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert_uint_le(spool_state(dir).bytes, 2000);
	ck_assert(!spool_add(t, a, &r, 1, T0, &e));	/* what others wrote counts */
	ck_assert_int_eq(e.code, ERR_LIMIT);
	spool_free(s);
	spool_free(t);
	ck_assert_uint_eq(spool_state(dir).files, 1);
	end();
}
END_TEST

START_TEST(test_not_writable)
{
	struct spool_record r;
	struct spool *s;
	int fd;

	begin();
	r = record(1, T0);
	fd = open(dir, O_WRONLY | O_CREAT, 0600);	/* a file where a directory should be */
	close(fd);
	s = writer(MAX_BYTES);
	ck_assert(!spool_add(s, a, &r, 1, T0, &e));
	ck_assert_int_eq(e.code, ERR_DOWN);
	ck_assert(!spool_ready(s, &e));
	ck_assert(!spool_state(dir).writable);
	unlink(dir);
	add(s, 1, T0);			/* and as soon as it can be made */
	spool_free(s);
	end();
}
END_TEST

/* The disk is full in the middle of a record: what stood before it is as it was, and nothing is left of it. */
START_TEST(test_disk_full)
{
	struct rlimit was, now;
	enum err_code code;
	bool taken;
	struct spool_reader *r;
	struct spool_record x;
	struct spool *s;
	unsigned bad;

	begin();
	s = writer(MAX_BYTES);
	add(s, 1, T0);
	x = record(2, T0 + 1);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	now = was;
	now.rlim_cur = spool_state(dir).bytes + 100;
	/* No assertion meanwhile: Check notes each in a file of its own. */
	setrlimit(RLIMIT_FSIZE, &now);
	taken = spool_add(s, a, &x, 1, T0 + 1, &e);
	code = e.code;
	now.rlim_cur = 10;
	setrlimit(RLIMIT_FSIZE, &now);
	taken |= spool_add(s, a, &x, 1, T0 + 1, &e);
	setrlimit(RLIMIT_FSIZE, &was);
	ck_assert(!taken && code == ERR_DOWN);
	add(s, 3, T0 + 2);
	spool_free(s);
	r = reader();
	unit_str(take_all(r), "1 3");
	ck_assert_uint_eq(settle_all(r, &bad), 2);
	ck_assert_uint_eq(bad, 0);
	spool_reader_free(r);
	end();
}
END_TEST

UNIT_MAIN("spool", UNIT(test_record), UNIT(test_no_record), UNIT(test_cut_anywhere), UNIT(test_garbled_anywhere),
	UNIT(test_wrong_key_and_wrong_place), UNIT(test_written_and_replayed), UNIT(test_order_within_a_millisecond), UNIT(test_files_are_merged),
	UNIT(test_a_file_is_closed_by_size_and_age), UNIT(test_owner_was_killed), UNIT(test_what_cannot_be_stored_moves_its_file),
	UNIT(test_a_lost_key_moves_the_files), UNIT(test_what_is_none_of_ours), UNIT(test_files_that_are_in_the_way), UNIT(test_full), UNIT(test_not_writable),
	UNIT(test_disk_full))
