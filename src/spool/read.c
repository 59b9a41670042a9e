/* read.c - replay: all files as one row of records, by the time of their receipt.
 *
 * Each writer had a file of its own at the same time, so the files are merged: those that were begun before the next record was
 * received are in memory, one for each writer, as long as they hold a record that was not given. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool_int.h"

#define NAMES_MAX (64u << 20)	/* memory for names: a hundred thousand files and more */

struct stream {
	const char *name;
	struct str file;
	struct frames frames;
	struct frame next;
	bool has_next, bad, settled;
};

struct spool_reader {
	struct arena *arena;	/* names, streams */
	const struct seal_key *seal;
	int dir_fd, lock_fd;
	struct stream *streams;	/* one for each file, oldest first */
	size_t n, opened;	/* streams [0, opened) were read */
	size_t first;		/* streams before it are settled */
};

/* ---- begin and end ---- */

static bool adopt_one(int dir_fd, const char *name, struct err *e)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	bool ok = true;

	if (fd < 0 && errno == ENOENT)
		return true;
	if (fd < 0)
		return name_change(dir_fd, name, SPOOL_CLOSED, e);	/* none of ours: it goes to bad, and the others wait for nothing */
	if (!flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &st)) {
		if (st.st_size)
			ok = name_change(dir_fd, name, SPOOL_CLOSED, e);
		else
			ok = !unlinkat(dir_fd, name, 0) || err_sys(e, ERR_DOWN, "spool: %s", name);
	}
	close(fd);
	return ok;
}

/* What a process left open when it died is closed for it. */
static bool adopt(int dir_fd, struct arena *a, struct err *e)
{
	const char **names;
	size_t n;

	if (!folder_names(dir_fd, SPOOL_OPEN, a, &names, &n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!adopt_one(dir_fd, names[i], e))
			return false;
	return true;
}

static int lock(int dir_fd, int *fd, struct err *e)
{
	*fd = openat(dir_fd, SPOOL_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0) {
		err_sys(e, ERR_DOWN, "spool: lock");
		return -1;
	}
	if (!folder_give(dir_fd, *fd, e))
		return -1;
	if (!flock(*fd, LOCK_EX | LOCK_NB))
		return 1;
	if (errno == EWOULDBLOCK)
		return 0;
	err_sys(e, ERR_DOWN, "spool: lock");
	return -1;
}

static int begin(struct spool_reader *r, struct err *e)
{
	const char **names;
	int ours = lock(r->dir_fd, &r->lock_fd, e);

	if (ours != 1)
		return ours;
	if (!adopt(r->dir_fd, r->arena, e) || !folder_names(r->dir_fd, SPOOL_CLOSED, r->arena, &names, &r->n, e))
		return -1;
	r->streams = ARENA_ARRAY(r->arena, struct stream, r->n);
	for (size_t i = 0; i < r->n; i++)
		r->streams[i].name = names[i];
	return r->n > 0;
}

int spool_reader_new(const struct spool *s, struct spool_reader **out, struct err *e)
{
	struct spool_reader *r;
	int dir_fd = folder_open(s->c.directory, false, e), done;

	if (dir_fd < 0)
		return e->code == ERR_NOT_FOUND ? 0 : -1;
	r = xcalloc(1, sizeof(*r));
	r->arena = arena_new(NAMES_MAX);
	r->seal = s->c.seal;
	r->dir_fd = dir_fd;
	r->lock_fd = -1;
	done = begin(r, e);
	if (done == 1)
		*out = r;
	else
		spool_reader_free(r);
	return done;
}

void spool_reader_free(struct spool_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->opened; i++)
		free((char *)r->streams[i].file.p);
	if (r->lock_fd >= 0)
		close(r->lock_fd);
	close(r->dir_fd);
	arena_free(r->arena);
	free(r);
}

/* ---- records ---- */

static void step(struct stream *s)
{
	s->has_next = frames_next(&s->frames, &s->next);
	s->bad |= s->frames.damaged;
}

static void stream_open(struct spool_reader *r, struct stream *s)
{
	struct err e = { 0 };

	if (folder_read(r->dir_fd, s->name, &s->file, &e)) {
		frames_begin(&s->frames, s->file);
		step(s);
	} else {
		s->bad = true;
	}
}

static struct stream *oldest(struct spool_reader *r)
{
	struct stream *found = NULL;

	for (size_t i = r->first; i < r->opened; i++) {
		struct stream *s = &r->streams[i];

		if (s->has_next && (!found || s->next.received_us < found->next.received_us))
			found = s;
	}
	return found;
}

/* None of the files that were not read yet can have an older one. */
static struct stream *next_stream(struct spool_reader *r)
{
	struct stream *s = oldest(r);

	while (r->opened < r->n && (!s || (uint64_t)name_time(r->streams[r->opened].name) * 1000 <= s->next.received_us)) {
		stream_open(r, &r->streams[r->opened++]);
		s = oldest(r);
	}
	return s;
}

int spool_next(struct spool_reader *r, struct arena *a, struct spool_record *out, struct err *e)
{
	struct stream *s = next_stream(r);
	bool ok;

	if (!s)
		return 0;
	ok = frame_open(a, r->seal, &s->frames, &s->next, out, e);
	out->file = (size_t)(s - r->streams);
	s->bad |= !ok;
	step(s);
	return ok ? 1 : -1;
}

void spool_mark_bad(struct spool_reader *r, const struct spool_record *record)
{
	r->streams[record->file].bad = true;
}

/* ---- what becomes of a file ---- */

static bool to_bad(struct spool_reader *r, const char *name, struct err *e)
{
	int bad_fd;
	bool ok;

	if (mkdirat(r->dir_fd, SPOOL_BAD, 0700) && errno != EEXIST)
		return err_sys(e, ERR_DOWN, "spool: " SPOOL_BAD);
	bad_fd = openat(r->dir_fd, SPOOL_BAD, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (bad_fd < 0)
		return err_sys(e, ERR_DOWN, "spool: " SPOOL_BAD);
	ok = folder_give(r->dir_fd, bad_fd, e) &&
		(!renameat(r->dir_fd, name, bad_fd, name) || err_sys(e, ERR_DOWN, "spool: %s cannot be moved to " SPOOL_BAD, name));
	close(bad_fd);
	return ok;
}

static bool settle(struct spool_reader *r, struct stream *s, struct err *e)
{
	bool gone = s->bad ? to_bad(r, s->name, e) : !unlinkat(r->dir_fd, s->name, 0) || err_sys(e, ERR_DOWN, "spool: %s", s->name);

	free((char *)s->file.p);
	s->file = STR_NONE;
	s->settled = true;
	while (r->first < r->opened && r->streams[r->first].settled)
		r->first++;
	return gone;
}

int spool_settle(struct spool_reader *r, struct spool_settled *out, struct err *e)
{
	for (size_t i = r->first; i < r->opened; i++) {
		struct stream *s = &r->streams[i];

		if (s->has_next || s->settled)
			continue;
		*out = (struct spool_settled){ s->name, s->bad };
		return settle(r, s, e) ? 1 : -1;
	}
	return 0;
}
