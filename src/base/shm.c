/* shm.c - the shared file: making, opening, the table of cells, the generation.
 *
 * A file and not shm_open or an inherited mapping, so that cron, grapnelctl and processes of mod_fcgid find it by its
 * path. flock is held while it is made or judged, never afterwards: at run time there are atomics alone. */
#include "shm_int.h"
#include "base_int.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The size is part of the version, so that a forgotten SHM_LAYOUT is noticed in most cases. */
#define SHM_VERSION ((uint64_t)0x67726170 << 32 | SHM_LAYOUT << 24 | (sizeof(struct shm_file) & 0xffffff))

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics must not hide a lock: processes share them");

/* Locked and still the file of that name: somebody may have replaced it while we waited. */
static bool open_locked(const char *path, int flags, int *fd, struct stat *st, bool *current, struct err *e)
{
	struct stat named;

	*current = false;
	*fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0660);
	if (*fd < 0)
		return err_sys(e, ERR_DOWN, "state file %s", path);
	if (flock(*fd, LOCK_EX) || fstat(*fd, st)) {
		err_sys(e, ERR_DOWN, "state file %s", path);
		close(*fd);
		return false;
	}
	*current = !stat(path, &named) && named.st_ino == st->st_ino && named.st_dev == st->st_dev;
	return true;
}

static struct shm_file *map(int fd, const char *path, struct err *e)
{
	void *p = mmap(NULL, sizeof(struct shm_file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED) {
		err_sys(e, ERR_DOWN, "state file %s: mmap", path);
		return NULL;
	}
	return p;
}

/* Space is taken now: a full file system must be an error here and not a SIGBUS in a worker. */
static struct shm_file *make(int fd, const char *path, struct err *e)
{
	struct shm_file *f;
	int failed;

	failed = posix_fallocate(fd, 0, sizeof(*f));
	if (failed) {
		errno = failed;
		err_sys(e, ERR_DOWN, "state file %s: %zu bytes", path, sizeof(*f));
		return NULL;
	}
	if (fchmod(fd, 0660)) {
		err_sys(e, ERR_DOWN, "state file %s", path);
		return NULL;
	}
	f = map(fd, path, e);
	if (f)
		atomic_store(&f->version, SHM_VERSION);
	return f;
}

/* Of our version, mapped; or NULL with *other set: half made, or made by another version. */
static struct shm_file *adopt(int fd, const struct stat *st, const char *path, bool *other, struct err *e)
{
	struct shm_file *f;

	*other = !S_ISREG(st->st_mode) || st->st_size != sizeof(*f);
	if (*other)
		return NULL;
	f = map(fd, path, e);
	if (f && atomic_load(&f->version) != SHM_VERSION) {
		*other = true;
		munmap(f, sizeof(*f));
		f = NULL;
	}
	return f;
}

static void unlock_close(int fd)
{
	flock(fd, LOCK_UN);	/* closing does not do it: the mapping keeps the open file alive */
	close(fd);
}

static struct shm *shm_of(struct shm_file *f)
{
	struct shm *s;

	if (!f)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->f = f;
	s->bell = -1;
	return s;
}

struct shm *shm_open_existing(const char *path, struct err *e)
{
	bool current, other = false;
	struct shm_file *f;
	struct stat st;
	int fd;

	if (!open_locked(path, 0, &fd, &st, &current, e))
		return NULL;
	f = adopt(fd, &st, path, &other, e);
	if (other)
		err_set(e, ERR_CONFLICT, "state file %s is of another version", path);
	unlock_close(fd);
	return shm_of(f);
}

struct shm *shm_open_file(const char *path, struct err *e)
{
	struct shm_file *f = NULL;
	bool again = true;
	struct stat st;
	int fd;

	while (again) {
		bool current, other = false;

		if (!open_locked(path, O_CREAT, &fd, &st, &current, e))
			return NULL;
		if (current && !S_ISREG(st.st_mode)) {
			err_set(e, ERR_INVALID, "state file %s: not a file", path);
			again = false;
		} else if (current) {
			f = st.st_size ? adopt(fd, &st, path, &other, e) : make(fd, path, e);
			/* Processes of the other version go on with theirs, which now has no name. */
			if (other && unlink(path) && errno != ENOENT) {
				err_sys(e, ERR_DOWN, "state file %s of another version", path);
				other = false;
			}
			again = other;
		}
		unlock_close(fd);
	}
	return shm_of(f);
}

struct shm *shm_private(void)
{
	void *p = mmap(NULL, sizeof(struct shm_file), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("no memory for counters");
	return shm_of(p);
}

void shm_close(struct shm *s)
{
	if (!s)
		return;
	munmap(s->f, sizeof(*s->f));
	if (s->bell >= 0)
		close(s->bell);
	free(s);
}

uint64_t shm_generation(const struct shm *s)
{
	return atomic_load_explicit(&s->f->generation, memory_order_acquire);
}

void shm_generation_bump(struct shm *s)
{
	atomic_fetch_add_explicit(&s->f->generation, 1, memory_order_acq_rel);
}

ms_t shm_dispatcher_at(const struct shm *s)
{
	return atomic_load_explicit(&s->f->dispatcher_at, memory_order_relaxed);
}

void shm_dispatcher_set(struct shm *s, ms_t now)
{
	atomic_store_explicit(&s->f->dispatcher_at, now, memory_order_relaxed);
}

/* ---- the bell ---- */

bool bell_make(struct shm *s, struct err *e)
{
	s->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return s->bell >= 0 || err_sys(e, ERR_DOWN, "eventfd");
}

void bell_ring(struct shm *s)
{
	uint64_t one = 1;

	/* What fails is a counter that is full: it rings already. */
	if (s && s->bell >= 0 && write(s->bell, &one, sizeof(one)) < 0)
		return;
}

int bell_fd(const struct shm *s)
{
	return s->bell;
}

bool bell_heard(struct shm *s)
{
	uint64_t times;

	return s->bell >= 0 && read(s->bell, &times, sizeof(times)) == sizeof(times);
}

/* ---- cells ---- */

/* Takes over a cell that holds `old`. The value is cleared after the key has changed: whoever looks in between sees the
 * former owner's value, which was the smallest around, or counts once for the former owner. One count, no more. */
static bool cell_take(struct cell *c, uint64_t old, uint64_t key)
{
	if (!atomic_compare_exchange_strong(&c->key, &old, key))
		return false;
	atomic_store(&c->value, 0);
	return true;
}

/* One look at the neighbourhood. NULL = somebody else took the cell that was chosen: look again. */
static struct cell *cell_try(struct cell *neighbourhood, uint64_t key)
{
	struct cell *chosen = NULL;
	uint64_t chosen_key = 0, least = 0;

	for (struct cell *c = neighbourhood; c < neighbourhood + TABLE_PROBE; c++) {
		uint64_t k = atomic_load_explicit(&c->key, memory_order_relaxed);
		uint64_t v = atomic_load_explicit(&c->value, memory_order_relaxed);

		if (k == key)
			return c;
		if (!chosen || !k || v < least) {
			chosen = c;
			chosen_key = k;
			least = v;
		}
		if (!k)
			break;	/* cells fill from the front and never become free: the key is not behind a free one */
	}
	return cell_take(chosen, chosen_key, key) ? chosen : NULL;
}

struct cell *cell_find(struct cell *table, uint64_t key)
{
	struct cell *neighbourhood, *c;

	key = key ? key : 1;
	neighbourhood = table + mix64(key) % (TABLE_CELLS / TABLE_PROBE) * TABLE_PROBE;
	while (!(c = cell_try(neighbourhood, key)))
		;	/* lost against another process, which thereby got on */
	return c;
}

int64_t shm_silent_us(const struct shm *s)
{
	return atomic_load_explicit(&s->f->silent_us, memory_order_relaxed);
}

void shm_silent_set(struct shm *s, int64_t now_us)
{
	atomic_store_explicit(&s->f->silent_us, now_us, memory_order_relaxed);
}
