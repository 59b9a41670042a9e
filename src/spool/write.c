/* write.c - a process appends to a file of its own: many records, one fsync.
 *
 * Nothing is told to a sender before the bytes are on disk. What could not be written whole is cut off again, and that file is
 * not written to any more: after a failed fsync nobody knows what the kernel still holds of it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool_int.h"

#define KEEP_OPEN_MS MS_PER_MINUTE
#define SUM_US 1000000		/* how old the sum of all files may be: others write, too */
#define NAME_TRIES 100
#define BATCH_MAX (256u << 20)	/* several bodies of 25 MiB, and what sealing adds */

struct spool *spool_new(const struct spool_config *c)
{
	struct spool *s = xcalloc(1, sizeof(*s));
	size_t n = strlen(c->directory) + 1;

	s->c = *c;
	s->c.directory = memcpy(xmalloc(n), c->directory, n);
	s->dir_fd = s->fd = -1;
	return s;
}

void spool_free(struct spool *s)
{
	if (!s)
		return;
	spool_close(s);
	if (s->dir_fd >= 0)
		close(s->dir_fd);
	free((char *)s->c.directory);
	free(s);
}

bool spool_ready(struct spool *s, struct err *e)
{
	if (s->dir_fd < 0)
		s->dir_fd = folder_open(s->c.directory, true, e);
	if (s->dir_fd < 0)
		return false;
	return !faccessat(s->dir_fd, ".", W_OK | X_OK, AT_EACCESS) || err_sys(e, ERR_DOWN, "spool %s", s->c.directory);
}

/* ---- the file ---- */

/* Without a record it is of no use to anybody. */
void spool_close(struct spool *s)
{
	struct err e = { 0 };

	if (s->fd < 0)
		return;
	if (!s->records)
		unlinkat(s->dir_fd, s->name, 0);
	else
		(void)!name_change(s->dir_fd, s->name, SPOOL_CLOSED, &e);	/* else whoever replays finds its lock free */
	close(s->fd);
	s->fd = -1;
}

void spool_close_old(struct spool *s, ms_t now)
{
	if (s->fd >= 0 && (now < s->opened_at || now - s->opened_at >= KEEP_OPEN_MS))
		spool_close(s);
}

/* Whoever replays may have taken it for a dead process's between its making and its lock. */
static bool is_ours(const struct spool *s)
{
	struct stat named, held;

	return !flock(s->fd, LOCK_EX | LOCK_NB) && !fstat(s->fd, &held) && !fstatat(s->dir_fd, s->name, &named, AT_SYMLINK_NOFOLLOW)
		&& held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

static bool open_new(struct spool *s, ms_t now, struct err *e)
{
	for (unsigned i = 0; i < NAME_TRIES; i++) {
		snprintf(s->name, sizeof(s->name), "%013llu-%d-%u" SPOOL_OPEN, (unsigned long long)now, (int)getpid(), i);
		s->fd = openat(s->dir_fd, s->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (s->fd < 0 && errno != EEXIST)
			return err_sys(e, ERR_DOWN, "spool %s: a file cannot be made", s->c.directory);
		if (s->fd >= 0 && is_ours(s))
			break;
		if (s->fd >= 0)
			close(s->fd);
		s->fd = -1;
	}
	if (s->fd < 0)
		return err_set(e, ERR_DOWN, "spool %s: no name is free", s->c.directory);
	frame_file_begin(s->head);
	s->records = 0;
	s->bytes = 0;
	s->opened_at = now;
	return true;
}

static bool have_file(struct spool *s, ms_t now, struct err *e)
{
	if (s->fd >= 0 && s->bytes >= SPOOL_FILE_BYTES)
		spool_close(s);
	return s->fd >= 0 || (spool_ready(s, e) && open_new(s, now, e));
}

/* ---- writing ---- */

static bool has_room(struct spool *s, uint64_t bytes, struct err *e)
{
	int64_t now_us = clock_mono_us();

	if (!s->summed_us || now_us - s->summed_us > SUM_US) {
		struct folder_sum sum = { 0 };

		folder_add(s->dir_fd, SPOOL_OPEN, &sum);
		folder_add(s->dir_fd, SPOOL_CLOSED, &sum);
		s->sum = sum.bytes;
		s->summed_us = now_us;
	}
	return s->sum + bytes <= s->c.max_bytes || err_set(e, ERR_LIMIT, "spool %s: full, it has %llu of %llu bytes", s->c.directory,
		(unsigned long long)s->sum, (unsigned long long)s->c.max_bytes);
}

static bool write_all(int fd, struct str s, uint64_t at)
{
	while (s.n) {
		ssize_t n = pwrite(fd, s.p, s.n, (off_t)at);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			s = str_sub(s, (size_t)n);
			at += (uint64_t)n;
		}
	}
	return true;
}

/* The name of a new file must be on disk as well. */
static bool write_synced(struct spool *s, struct str bytes, struct err *e)
{
	if (write_all(s->fd, bytes, s->bytes) && !fdatasync(s->fd) && (s->bytes || !fsync(s->dir_fd)))
		return true;
	err_sys(e, ERR_DOWN, "spool %s", s->c.directory);
	(void)!ftruncate(s->fd, (off_t)s->bytes);
	spool_close(s);
	return false;
}

bool spool_add(struct spool *s, struct arena *a, const struct spool_record *records, size_t n, ms_t now, struct err *e)
{
	struct strbuf b;

	if (!n)
		return true;
	if (!have_file(s, now, e))
		return false;
	strbuf_init(&b, a, BATCH_MAX);
	if (!s->bytes)
		strbuf_add(&b, s->head, sizeof(s->head));
	for (size_t i = 0; i < n; i++)
		frame_add(&b, s->c.seal, (const char *)s->head + SPOOL_HEAD - SPOOL_ID, s->records + (uint32_t)i, &records[i]);
	if (b.failed)
		return err_set(e, ERR_LIMIT, "spool: a request is too large for a record");
	if (!has_room(s, b.n, e) || !write_synced(s, strbuf_str(&b), e))
		return false;
	s->bytes += b.n;
	s->sum += b.n;
	s->records += (uint32_t)n;
	return true;
}
