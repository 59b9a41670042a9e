/* archive.c - audit entries leave the database for a file: gzip over NDJSON, one object with all columns on each line, and beside it
 * its SHA-256 as sha256sum(1) writes and checks it.
 *
 * Nothing is removed that is not on disk: the file and its sum are written under other names, synced, read back, renamed, and the folder is
 * synced; only then the entries go. Killed in between, the next run writes the rest of the same entries once more: a
 * reader tells them by their id. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "grapnel/crypto.h"
#include "grapnel/json.h"
#include "grapnel/log.h"

#include "job_int.h"

#define FILE_ROWS_MAX 20000		/* about 6 MB of text, 600 KB of file */
#define FILE_BYTES_MAX (48u << 20)	/* to be read back; less than the arena of a job */
#define ROWS 500
#define LINE_MAX_BYTES (512u << 10)	/* a detail of 64 KiB, every byte escaped, and the rest */

#define TMP_NAME "audit.tmp"	/* the job's lease makes sure of one writer; what a killed one left is overwritten */

struct archive {
	int dir;
	char name[96];
	uint64_t first, last;		/* ids */
	size_t rows;
	bool time_up;
};

static bool write_row(gzFile to, struct arena *a, const struct audit_row *row, struct err *e)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, LINE_MAX_BYTES);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_fields(&o, audit_row_fields, row);
	json_close(&o, '}');
	strbuf_addc(&b, '\n');
	if (b.failed)
		return err_set(e, ERR_BUG, "archive: entry %llu is too long", (unsigned long long)row->id);
	if (gzwrite(to, b.p, (unsigned)b.n) != (int)b.n)
		return err_sys(e, ERR_DOWN, "archive: write");
	return true;
}

/* All old entries after x->last, up to the size of a file. In a dry run `to` is NULL. */
static bool write_rows(struct job_run *r, struct archive *x, gzFile to, ms_t before, struct err *e)
{
	struct audit_row *rows;
	size_t n = ROWS;
	int go;

	while (n == ROWS && (x->rows < FILE_ROWS_MAX || !to)) {
		go = job_goes_on(r, e);
		if (go < 0)
			return false;
		x->time_up = go == 0;
		if (x->time_up)
			return true;
		arena_reset(r->a);
		if (!old_audit(r->c->db, r->a, x->last, before, ROWS, &rows, &n, e))
			return false;
		for (size_t i = 0; i < n && to; i++)
			if (!write_row(to, r->a, &rows[i], e))
				return false;
		if (n && !x->first)
			x->first = rows[0].id;
		if (n)
			x->last = rows[n - 1].id;
		x->rows += n;
	}
	return true;
}

/* ---- files ---- */

static bool write_gzip(struct job_run *r, struct archive *x, ms_t before, struct err *e)
{
	int fd = openat(x->dir, TMP_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	gzFile to = fd < 0 ? NULL : gzdopen(dup(fd), "wb9");
	bool ok = false;

	if (!to) {
		err_sys(e, ERR_DOWN, "archive: " TMP_NAME);
		goto out;
	}
	ok = write_rows(r, x, to, before, e);
	if (gzclose(to) != Z_OK && ok)
		ok = err_sys(e, ERR_DOWN, "archive: close");
	if (ok && fsync(fd))
		ok = err_sys(e, ERR_DOWN, "archive: sync");
out:
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool read_back(struct job_run *r, const struct archive *x, struct str *bytes, struct err *e)
{
	int fd = openat(x->dir, TMP_NAME, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *p;
	bool ok = false;

	if (fd < 0 || fstat(fd, &st))
		goto out;
	errno = EFBIG;
	if (st.st_size > FILE_BYTES_MAX)
		goto out;
	p = arena_alloc(r->a, (size_t)st.st_size + 1);
	ok = read(fd, p, (size_t)st.st_size) == st.st_size;
	*bytes = (struct str){ p, (size_t)st.st_size };
out:
	if (!ok)
		err_sys(e, ERR_DOWN, "archive: read back");
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool write_sum(struct job_run *r, const struct archive *x, struct err *e)
{
	struct str bytes, line;
	char name[128];
	int fd = -1;
	bool ok;

	arena_reset(r->a);
	if (!read_back(r, x, &bytes, e))
		return false;
	line = arena_printf(r->a, "%.*s  %s\n", STR_ARG(sha256_hex(r->a, bytes)), x->name);
	snprintf(name, sizeof(name), "%s.sha256", x->name);
	fd = openat(x->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ok = fd >= 0 && write(fd, line.p, line.n) == (ssize_t)line.n && !fsync(fd);
	if (!ok)
		err_sys(e, ERR_DOWN, "archive: %s", name);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* The sum is there before its file: who sees the file can check it. */
static bool publish(struct job_run *r, struct archive *x, struct err *e)
{
	char time[TIME_TEXT];

	time_format(job_now(r), time);
	snprintf(x->name, sizeof(x->name), "audit-%.10s-%llu-%llu.ndjson.gz", time, (unsigned long long)x->first,
		(unsigned long long)x->last);
	if (!write_sum(r, x, e))
		return false;
	if (renameat(x->dir, TMP_NAME, x->dir, x->name) || fsync(x->dir))
		return err_sys(e, ERR_DOWN, "archive: %s", x->name);
	log_info("audit log archived", LOG_S("file", x->name), LOG_U("entries", x->rows));
	return true;
}

/* ---- the entries ---- */

/* Ids are given in the order of time, so between the first and the last one all are in the file. */
static bool remove_rows(struct job_run *r, const struct archive *x, ms_t before, struct err *e)
{
	uint64_t after = x->first - 1;
	struct audit_row *rows;
	size_t n;

	while (after < x->last) {
		arena_reset(r->a);
		if (!old_audit(r->c->db, r->a, after, before, ROWS, &rows, &n, e))
			return false;
		if (!n)
			break;
		n = rows[n - 1].id < x->last ? rows[n - 1].id : x->last;
		if (!old_audit_remove(r->c->db, after, n, e))
			return false;
		after = n;
		job_pause(r, 10);
	}
	return true;
}

/* One file. */
static bool archive_some(struct job_run *r, struct archive *x, ms_t before, struct err *e)
{
	bool ok;

	ok = write_gzip(r, x, before, e) && (!x->rows || (publish(r, x, e) && remove_rows(r, x, before, e)));
	if (!ok || !x->rows)
		unlinkat(x->dir, TMP_NAME, 0);
	if (ok)
		job_count(r, "audit entries", x->rows);
	return ok;
}

int job_archive_audit(struct job_run *r, const char *dir, ms_t before, struct err *e)
{
	struct archive x = { .dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	uint64_t last = 0;
	bool ok = true;

	if (x.dir < 0) {
		err_sys(e, ERR_DOWN, "[retention] archive_dir %.100s", dir);
		return -1;
	}
	if (r->c->dry_run) {
		ok = write_rows(r, &x, NULL, before, e);
		job_count(r, "audit entries", x.rows);
	} else {
		do {
			last = x.last;
			x = (struct archive){ .dir = x.dir, .last = last };
			ok = archive_some(r, &x, before, e);
		} while (ok && x.rows >= FILE_ROWS_MAX && !x.time_up);
	}
	close(x.dir);
	return !ok ? -1 : !x.time_up;
}
