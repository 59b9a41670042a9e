#include "shm_test.h"

#include <signal.h>
#include <sys/wait.h>

#include "grapnel/trace.h"

#define T "0af7651916cd43dd8448eb211c80319c"
#define S "b7ad6b7169203331"

/* Section 3.2 of the recommendation, and the cases of its test suite (w3c/trace-context, test/test.py). */
static const struct {
	const char *text, *as;	/* NULL: refused */
} headers[] = {
	{ "00-" T "-" S "-01", "00-" T "-" S "-01" },
	{ "00-" T "-" S "-00", "00-" T "-" S "-00" },
	{ "00-" T "-" S "-03", "00-" T "-" S "-03" },
	{ "00-" T "-" S "-ff", "00-" T "-" S "-03" },
	{ "cc-" T "-" S "-01", "00-" T "-" S "-01" },
	{ "cc-" T "-" S "-03", "00-" T "-" S "-01" },
	{ "cc-" T "-" S "-01-what-the-future-will-be-like", "00-" T "-" S "-01" },
	{ "cc-" T "-" S "-01-", "00-" T "-" S "-01" },
	{ "cc-" T "-" S "-01.what-the-future-will-be-like", NULL },
	{ "ff-" T "-" S "-01", NULL },
	{ "00-" T "-" S "-01-", NULL },
	{ "00-" T "-" S "-01,00-" T "-" S "-01", NULL },
	{ "00-" T "-" S "-0", NULL },
	{ "00-" T "-" S "-0G", NULL },
	{ "00-" T "-" S "-0A", NULL },
	{ "00-" T "-" S, NULL },
	{ ".0-" T "-" S "-01", NULL },
	{ "0--" T "-" S "-01", NULL },
	{ "00-00000000000000000000000000000000-" S "-01", NULL },
	{ "00-" T "-0000000000000000-01", NULL },
	{ "00-0AF7651916CD43DD8448EB211C80319C-" S "-01", NULL },
	{ "00-" T "-B7AD6B7169203331-01", NULL },
	{ "00-" T "_" S "-01", NULL },
	{ "00-.af7651916cd43dd8448eb211c80319c-" S "-01", NULL },
	{ "00-" T "-.7ad6b7169203331-01", NULL },
	{ "00_" T "-" S "-01", NULL },
	{ "", NULL },
};

START_TEST(test_headers)
{
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		struct trace t;
		char text[TRACEPARENT + 1];
		bool taken = trace_parse(str_of(headers[i].text), &t);

		ck_assert_msg(taken == (headers[i].as != NULL), "%s", headers[i].text);
		if (!taken)
			continue;
		trace_write(&t, text);
		ck_assert_str_eq(text, headers[i].as);
	}
	ck_assert(!trace_parse((struct str){ "00-" T "-" S "-0\0", TRACEPARENT }, &(struct trace){ 0 }));
}
END_TEST

START_TEST(test_new_ones)
{
	static const uint32_t ratios[] = { 0, 1, 2500, 9999, TRACE_ALL };

	for (size_t r = 0; r < ARRAY_SIZE(ratios); r++) {
		unsigned n = 0, sampled = 0, expected;

		for (; n < 20000; n++) {
			char text[TRACEPARENT + 1];
			struct trace t, back;

			trace_begin(&t, ratios[r]);
			trace_write(&t, text);
			ck_assert(trace_parse(str_of(text), &back));
			ck_assert(!memcmp(t.id, back.id, 16) && t.span == back.span && t.flags == back.flags);
			sampled += t.flags & TRACE_SAMPLED;
		}
		expected = n / 100 * ratios[r] / 100;
		ck_assert_msg(sampled + 400 > expected && sampled < expected + 400, "%u of %u at %u", sampled, n, ratios[r]);
		ck_assert(ratios[r] || !sampled);
		ck_assert(ratios[r] != TRACE_ALL || sampled == n);
	}
}
END_TEST

START_TEST(test_ids)
{
	for (uint64_t request = 1; request < 1000; request++)
		for (enum span_name n = 0; n < SPAN_NAMES; n++) {
			ck_assert(span_id(request, n) == span_id(request, n));
			ck_assert(span_id(request, n) && span_id(request, n) != span_id(request + 1, n));
			ck_assert(n == SPAN_RECEIVE || span_id(request, n) != span_id(request, SPAN_RECEIVE));
		}
}
END_TEST

START_TEST(test_words)
{
	struct span s;

	SPAN_TEXT(s.method, STR("POST"));
	ck_assert_str_eq(s.method, "POST");
	SPAN_TEXT(s.method, STR("0123456789ab"));
	ck_assert_str_eq(s.method, "012345678");
	SPAN_TEXT(s.method, STR("12345678\xc3\xa4"));
	ck_assert_str_eq(s.method, "12345678");
	SPAN_TEXT(s.method, STR_NONE);
	ck_assert_str_eq(s.method, "");
}
END_TEST

/* ---- the pipe ---- */

static struct shm *shm;

static struct spans *open_pipe(void)
{
	struct err e = { 0 };
	struct spans *s;

	shm = shm_test_open();
	s = spans_make(shm_test_path(), shm, TRACE_ALL, &e);
	ck_assert_msg(s != NULL, "%s", e.text);
	return s;
}

static void close_pipe(struct spans *s)
{
	char path[80];

	spans_free(s);
	snprintf(path, sizeof(path), "%s.spans", shm_test_path());
	ck_assert_int_eq(unlink(path), 0);
	shm_test_end(shm);
}

static void write_some(struct spans *s, size_t n, uint64_t from)
{
	struct span *list = xcalloc(n, sizeof(*list));

	for (size_t i = 0; i < n; i++)
		list[i].request = from + i;
	spans_write(s, list, n);
	free(list);
}

START_TEST(test_what_is_written_is_read)
{
	struct spans *s = open_pipe(), *other = spans_open(shm_test_path(), NULL, 1);
	struct span got[100];
	size_t n = 0;

	ck_assert_ptr_nonnull(other);
	ck_assert_int_eq(spans_ratio(other), 1);
	write_some(s, 40, 1);
	write_some(other, 7, 41);
	ck_assert_uint_eq(spans_read(s, got, 3), 3);
	n = 3 + spans_read(s, got + 3, 97);
	ck_assert_uint_eq(n, 47);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(got[i].request, i + 1);
	ck_assert_uint_eq(spans_read(s, got, 100), 0);
	ck_assert_uint_eq(counter_read(shm, C_SPANS), 40);
	ck_assert_uint_eq(counter_read(shm, C_SPANS_DROPPED), 0);
	spans_free(other);
	close_pipe(s);
}
END_TEST

START_TEST(test_nobody_waits_for_room)
{
	struct spans *s = open_pipe();
	struct span got[512];
	uint64_t read = 0, dropped;
	size_t n;

	for (unsigned i = 0; i < 100; i++)
		write_some(s, 128, 1);
	dropped = counter_read(shm, C_SPANS_DROPPED);
	ck_assert_uint_gt(dropped, 0);
	while ((n = spans_read(s, got, 512)))
		read += n;
	ck_assert_uint_eq(read + dropped, 100 * 128);
	write_some(s, 1, 77);
	ck_assert_uint_eq(spans_read(s, got, 512), 1);
	ck_assert_uint_eq(got[0].request, 77);
	close_pipe(s);
}
END_TEST

/* Writers are killed wherever they happen to be; what is read are whole spans, and others go on. */
START_TEST(test_killed_writers_do_no_harm)
{
	struct spans *s = open_pipe();
	struct span got[512];
	uint64_t read = 0;

	for (unsigned round = 0; round < 100; round++) {
		pid_t child = fork();
		size_t n;

		ck_assert_int_ge(child, 0);
		while (!child)
			write_some(s, 16, 1);
		while (!(n = spans_read(s, got, 512)))
			usleep(100);
		read += n;
		kill(child, SIGKILL);
		ck_assert_int_eq(waitpid(child, NULL, 0), child);
		while ((n = spans_read(s, got, 512)))
			for (size_t i = 0; i < n; i++, read++)
				ck_assert(got[i].request >= 1 && got[i].request <= 16);
	}
	ck_assert_uint_gt(read, 0);
	write_some(s, 1, 77);
	ck_assert_uint_eq(spans_read(s, got, 512), 1);
	close_pipe(s);
}
END_TEST

START_TEST(test_what_is_no_span_goes)
{
	struct spans *s = open_pipe();
	struct span got[8];
	char path[80];
	FILE *f;

	snprintf(path, sizeof(path), "%s.spans", shm_test_path());
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs("nonsense", f), 0);
	fclose(f);
	write_some(s, 2, 1);
	ck_assert_uint_eq(spans_read(s, got, 8), 0);
	write_some(s, 2, 1);
	ck_assert_uint_eq(spans_read(s, got, 8), 2);
	close_pipe(s);
}
END_TEST

START_TEST(test_where_nobody_reads)
{
	struct err e = { 0 };
	char path[80];
	FILE *f;

	ck_assert_ptr_null(spans_open(shm_test_path(), NULL, 1));
	snprintf(path, sizeof(path), "%s.spans", shm_test_path());
	f = fopen(path, "w");	/* a file of that name */
	ck_assert_ptr_nonnull(f);
	fclose(f);
	ck_assert_ptr_null(spans_make(shm_test_path(), NULL, 1, &e));
	ck_assert_int_eq(e.code, ERR_DOWN);
	unlink(path);
}
END_TEST

UNIT_MAIN("trace", UNIT(test_headers), UNIT(test_new_ones), UNIT(test_ids), UNIT(test_words), UNIT(test_what_is_written_is_read),
	UNIT(test_nobody_waits_for_room), UNIT(test_killed_writers_do_no_harm), UNIT(test_what_is_no_span_goes), UNIT(test_where_nobody_reads))
