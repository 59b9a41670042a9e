/* spans.c - the named pipe between those who make spans and the one who sends them.
 *
 * Why a pipe and no ring in shared memory: what a ring needs against a writer that is killed in the middle of a slot, the kernel does. One write takes as
 * many spans as it keeps whole; it either has room for all of them or for none. Spans of a request are written side by side, so that mostly whole
 * requests are dropped. The reader asks for whole spans and gets them, also when an old dispatcher still drains beside a new one. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <errno.h>

#include "base_int.h"
#include "grapnel/crypto.h"
#include "grapnel/trace.h"

#define AT_ONCE (PIPE_BUF / sizeof(struct span))
#define BYTES (1 << 20)		/* what any user may ask for (pipe-max-size): 4,000 spans */

struct spans {
	int fd;
	struct shm *shm;
	uint32_t ratio;
};

static void path_of(const char *state_file, char *out, size_t n)
{
	snprintf(out, n, "%s.spans", state_file);
}

static struct spans *spans_new(int fd, struct shm *shm, uint32_t ratio)
{
	struct spans *s = xcalloc(1, sizeof(*s));

	*s = (struct spans){ .fd = fd, .shm = shm, .ratio = ratio };
	return s;
}

/* Opened for both: open(2) says of Linux that this never waits, and then nobody finds the other end closed. */
static int open_pipe(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || (!fstat(fd, &st) && S_ISFIFO(st.st_mode)))
		return fd;
	close(fd);
	errno = EEXIST;
	return -1;
}

struct spans *spans_make(const char *state_file, struct shm *shm, uint32_t ratio, struct err *e)
{
	char path[PATH_MAX];
	int fd;

	path_of(state_file, path, sizeof(path));
	if ((mkfifo(path, 0600) && errno != EEXIST) || (fd = open_pipe(path)) < 0) {
		err_sys(e, ERR_DOWN, "pipe %.150s", path);
		return NULL;
	}
	(void)fcntl(fd, F_SETPIPE_SZ, BYTES);	/* else it stays smaller */
	return spans_new(fd, shm, ratio);
}

/* Who opens it for writing alone learns whether somebody reads. */
struct spans *spans_open(const char *state_file, struct shm *shm, uint32_t ratio)
{
	char path[PATH_MAX];
	int probe, fd;

	path_of(state_file, path, sizeof(path));
	probe = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (probe < 0)
		return NULL;
	fd = open_pipe(path);
	close(probe);
	return fd < 0 ? NULL : spans_new(fd, shm, ratio);
}

void spans_free(struct spans *s)
{
	if (!s)
		return;
	close(s->fd);
	free(s);
}

uint32_t spans_ratio(const struct spans *s)
{
	return s->ratio;
}

static void tell(const struct spans *s, enum counter c, size_t n)
{
	if (s->shm && n)
		count(s->shm, c, n);
}

void spans_write(struct spans *s, struct span *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		list[i].form = SPAN_FORM;
	tell(s, C_SPANS, n);
	while (n) {
		size_t part = n < AT_ONCE ? n : AT_ONCE;

		if (write(s->fd, list, part * sizeof(*list)) < 0)
			tell(s, C_SPANS_DROPPED, part);
		list += part;
		n -= part;
	}
}

/* Something else than spans of this version, or a part of one: all that waits goes, so that the next one is met at its begin. */
static size_t empty(struct spans *s, size_t n)
{
	char bytes[4096];
	ssize_t got;

	while ((got = read(s->fd, bytes, sizeof(bytes))) > 0)
		n += (size_t)got / sizeof(struct span);
	tell(s, C_SPANS_DROPPED, n);
	return 0;
}

size_t spans_read(struct spans *s, struct span *out, size_t max)
{
	ssize_t got = max ? read(s->fd, out, max * sizeof(*out)) : 0;
	size_t n = got > 0 ? (size_t)got / sizeof(*out) : 0;

	for (size_t i = 0; i < n; i++)
		if (out[i].form != SPAN_FORM)
			return empty(s, n);
	return got > 0 && (size_t)got % sizeof(*out) ? empty(s, n) : n;
}

/* ---- what stands in them ---- */

uint64_t span_id(uint64_t request, enum span_name name)
{
	uint64_t id = mix64(mix64(request) + name);

	return id ? id : 1;
}

uint64_t span_id_random(void)
{
	uint64_t id;

	random_bytes(&id, sizeof(id));
	return id | 1;
}

void span_answered(struct span *s, unsigned status)
{
	char word[12];

	s->status = (uint16_t)status;
	s->failed = status >= 500;
	snprintf(word, sizeof(word), "%u", status);
	if (s->failed)
		SPAN_TEXT(s->reason, str_of(word));
}

void span_word(char *out, size_t n, struct str word)
{
	word = str_cut(word, n - 1);
	memset(out, 0, n);
	if (word.n)
		memcpy(out, word.p, word.n);
}
