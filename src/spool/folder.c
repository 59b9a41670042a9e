/* folder.c - the directory: made, listed, read. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool_int.h"

#define TIME_DIGITS 13	/* ms until the year 2286 */

/* Private, also where somebody made it otherwise: the names alone tell when the database was away. */
int folder_open(const char *directory, bool make, struct err *e)
{
	struct stat st;
	int fd;

	if (make && mkdir(directory, 0700) && errno != EEXIST) {
		err_sys(e, ERR_DOWN, "spool %s: cannot be made", directory);
		return -1;
	}
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		err_sys(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_DOWN, "spool %s", directory);
		return -1;
	}
	if (!fstat(fd, &st) && st.st_mode & (S_IRWXG | S_IRWXO))
		(void)!fchmod(fd, 0700);	/* its owner alone can, and should */
	return fd;
}

/* What the administrator's own call makes is for the processes whose directory it is. */
bool folder_give(int dir_fd, int fd, struct err *e)
{
	struct stat dir, st;

	if (fstat(dir_fd, &dir) || fstat(fd, &st))
		return err_sys(e, ERR_DOWN, "spool");
	return st.st_uid == dir.st_uid || !fchown(fd, dir.st_uid, dir.st_gid) || err_sys(e, ERR_DOWN, "spool: owner");
}

/* ---- names ---- */

bool name_ends(const char *name, const char *ending)
{
	struct str s = str_of(name);
	size_t i = 0;

	while (i < TIME_DIGITS && i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return i == TIME_DIGITS && s.n < SPOOL_NAME_MAX && str_ends(s, ending);
}

ms_t name_time(const char *name)
{
	uint64_t ms = 0;

	return str_u64((struct str){ name, TIME_DIGITS }, &ms) ? (ms_t)ms : 0;
}

bool name_change(int dir_fd, const char *name, const char *ending, struct err *e)
{
	char changed[SPOOL_NAME_MAX + sizeof(SPOOL_CLOSED)];
	const char *dot = strrchr(name, '.');

	snprintf(changed, sizeof(changed), "%.*s%s", (int)(dot - name), name, ending);
	return !renameat(dir_fd, name, dir_fd, changed) || err_sys(e, ERR_DOWN, "spool: %s cannot become %s", name, changed);
}

/* ---- listing ---- */

static DIR *list(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);	/* closedir closes it, and its position is its own */
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

static int compare(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

bool folder_names(int dir_fd, const char *ending, struct arena *a, const char ***out, size_t *n, struct err *e)
{
	size_t max = 64;
	const char **names = ARENA_ARRAY(a, const char *, max);
	DIR *d = list(dir_fd);
	struct dirent *entry;

	*n = 0;
	if (!d)
		return err_sys(e, ERR_DOWN, "spool: cannot be listed");
	while ((entry = readdir(d))) {
		if (!name_ends(entry->d_name, ending))
			continue;
		if (*n == max) {
			names = arena_grow(a, names, max * sizeof(*names), 2 * max * sizeof(*names));
			max *= 2;
		}
		names[(*n)++] = arena_cstr(a, str_of(entry->d_name));
	}
	closedir(d);
	qsort(names, *n, sizeof(*names), compare);
	*out = names;
	return true;
}

void folder_add(int dir_fd, const char *ending, struct folder_sum *sum)
{
	DIR *d = list(dir_fd);
	struct dirent *entry;
	struct stat st;

	while (d && (entry = readdir(d))) {
		ms_t written_at;

		if (!name_ends(entry->d_name, ending) || fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		written_at = st.st_mtim.tv_sec * MS_PER_SECOND;
		sum->files++;
		sum->bytes += (uint64_t)st.st_size;
		if (!sum->first_at || name_time(entry->d_name) < sum->first_at)
			sum->first_at = name_time(entry->d_name);
		if (written_at > sum->last_at)
			sum->last_at = written_at;
	}
	if (d)
		closedir(d);
}

/* ---- reading ---- */

static bool read_whole(int fd, char *p, size_t n, const char *name, struct err *e)
{
	for (size_t at = 0; at < n;) {
		ssize_t got = pread(fd, p + at, n - at, (off_t)at);

		if (got <= 0 && (got == 0 || errno != EINTR))
			return got ? err_sys(e, ERR_DOWN, "spool: %s", name) : err_set(e, ERR_DOWN, "spool: %s became shorter", name);
		at += got > 0 ? (size_t)got : 0;
	}
	return true;
}

bool folder_read(int dir_fd, const char *name, struct str *out, struct err *e)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	bool ok = false;
	char *p = NULL;

	if (fd < 0)
		return err_sys(e, ERR_DOWN, "spool: %s", name);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		err_set(e, ERR_INVALID, "spool: %s is no file", name);
	} else if (st.st_size > SPOOL_FILE_MAX) {
		err_set(e, ERR_LIMIT, "spool: %s is larger than any of our files", name);
	} else {
		p = xmalloc((size_t)st.st_size + 1);
		ok = read_whole(fd, p, (size_t)st.st_size, name, e);
	}
	close(fd);
	if (ok)
		*out = (struct str){ p, (size_t)st.st_size };
	else
		free(p);
	return ok;
}
