/* state.c - what waits, and what could not be replayed. */
#include <fcntl.h>
#include <unistd.h>

#include "spool_int.h"

#define NAMES_MAX (64u << 20)	/* of files */

struct spool_state spool_state(const char *directory)
{
	struct folder_sum waits = { 0 }, bad = { 0 };
	struct spool_state s = { 0 };
	struct err e = { 0 };
	int fd = folder_open(directory, false, &e), bad_fd;

	if (fd < 0)
		return s;
	folder_add(fd, SPOOL_OPEN, &waits);
	folder_add(fd, SPOOL_CLOSED, &waits);
	bad_fd = openat(fd, SPOOL_BAD, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (bad_fd >= 0) {
		folder_add(bad_fd, SPOOL_CLOSED, &bad);
		close(bad_fd);
	}
	s = (struct spool_state){ .files = waits.files, .bytes = waits.bytes, .oldest_at = waits.first_at, .bad_files = bad.files,
		.bad_bytes = bad.bytes, .bad_at = bad.last_at, .writable = !faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) };
	close(fd);
	return s;
}

/* ---- each file ---- */

const struct field spool_file_fields[] = {
	FIELD_STR(struct spool_file, name, "name", "of the file"),
	FIELD_STR(struct spool_file, state, "state", "open: a process writes to it; closed: it waits; bad: it could not be replayed"),
	FIELD_TIME(struct spool_file, oldest_at, "oldestAt", "Receipt of its first request"),
	FIELD_U64(struct spool_file, records, "records", "Whole records in it"),
	FIELD_U64(struct spool_file, bytes, "bytes", "Its size"),
	FIELD_BOOL(struct spool_file, damaged, "damaged", "There is something in it that is no record"),
	FIELD_END
};

static void count_records(int dir_fd, const char *name, struct spool_file *out)
{
	struct frames frames;
	struct frame frame;
	struct err e = { 0 };
	struct str file;

	if (!folder_read(dir_fd, name, &file, &e)) {
		out->damaged = true;
		return;
	}
	out->bytes = file.n;
	for (frames_begin(&frames, file); frames_next(&frames, &frame); out->records++)
		if (!out->records)
			out->oldest_at = (ms_t)(frame.received_us / 1000);
	out->damaged = frames.damaged;
	free((char *)file.p);
}

struct files {
	struct spool_file *p;
	size_t n;
};

static bool add_kind(int dir_fd, const char *ending, const char *state, struct arena *a, struct files *out, struct err *e)
{
	const char **names;
	size_t n;

	if (!folder_names(dir_fd, ending, a, &names, &n, e))
		return false;
	out->p = arena_grow(a, out->p, out->n * sizeof(*out->p), (out->n + n) * sizeof(*out->p));
	for (size_t i = 0; i < n; i++) {
		struct spool_file *f = &out->p[out->n++];

		*f = (struct spool_file){ .name = str_of(names[i]), .state = str_of(state) };
		count_records(dir_fd, names[i], f);
	}
	return true;
}

/* The end of an open file may be in the making. */
static bool add_all(int dir_fd, struct arena *a, struct files *out, struct err *e)
{
	int bad_fd = openat(dir_fd, SPOOL_BAD, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = bad_fd < 0 || add_kind(bad_fd, SPOOL_CLOSED, "bad", a, out, e);
	size_t from;

	if (bad_fd >= 0)
		close(bad_fd);
	if (!ok || !add_kind(dir_fd, SPOOL_CLOSED, "closed", a, out, e))
		return false;
	from = out->n;
	if (!add_kind(dir_fd, SPOOL_OPEN, "open", a, out, e))
		return false;
	for (; from < out->n; from++)
		out->p[from].damaged = false;
	return true;
}

bool spool_list(const char *directory, struct arena *a, struct spool_file **out, size_t *n, struct err *e)
{
	struct files files = { 0 };
	int fd = folder_open(directory, false, e);
	bool ok = fd >= 0 && add_all(fd, a, &files, e);

	if (fd >= 0)
		close(fd);
	*out = files.p;
	*n = files.n;
	return ok;
}

/* ---- the keys that are still needed ---- */

static bool count_keys(int dir_fd, const char *ending, struct arena *a, uint64_t *counts, struct err *e)
{
	const char **names;
	struct frames frames;
	struct frame frame;
	struct str file;
	size_t n;

	if (!folder_names(dir_fd, ending, a, &names, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct err gone = { 0 };	/* replayed meanwhile, or none of ours */

		if (!folder_read(dir_fd, names[i], &file, &gone))
			continue;
		for (frames_begin(&frames, file); frames_next(&frames, &frame);)
			counts[sealed_by(frame.sealed)]++;
		free((char *)file.p);
	}
	return true;
}

bool spool_count_keys(const char *directory, uint64_t counts[SEAL_KEYS_MAX + 1], struct err *e)
{
	struct arena *a = arena_new(NAMES_MAX);
	int fd = folder_open(directory, false, e), bad_fd = fd < 0 ? -1 : openat(fd, SPOOL_BAD, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && count_keys(fd, SPOOL_OPEN, a, counts, e) && count_keys(fd, SPOOL_CLOSED, a, counts, e) &&
		(bad_fd < 0 || count_keys(bad_fd, SPOOL_CLOSED, a, counts, e));

	if (bad_fd >= 0)
		close(bad_fd);
	if (fd >= 0)
		close(fd);
	arena_free(a);
	return ok || (fd < 0 && e->code == ERR_NOT_FOUND);
}
