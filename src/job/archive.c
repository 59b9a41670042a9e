/* archive.c - rows leave the database for a file: gzip over NDJSON, and beside it its SHA-256 as sha256sum(1) writes and checks it.
 *
 * The first line says whose archive it is; each other one holds one row with all its columns, under the name of its table:
 *
 *     {"grapnel":{"archive":"events","installation":"1763804400123","schema":4,"version":"0.5"}}
 *     {"events":{"id":"728...","tenant_id":1,...}}
 *
 * Nothing is removed that is not on disk: the file and its sum are written under other names, synced, read back, renamed, and the folder is
 * synced; only then the rows go. Killed in between, the next run writes the rest of the same rows once more: who reads both back
 * finds them there the second time (archive_read.c). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "grapnel/crypto.h"
#include "grapnel/json.h"
#include "grapnel/log.h"

#include "job_int.h"

#define LINE_MAX_BYTES (128u << 20)	/* a body of 25 MiB with every byte escaped once, or as base64 */

/* ---- the folder ---- */

/* Without their end they are of no use to anybody. */
static void remove_rests(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);	/* closedir closes it */
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (str_starts(str_of(entry->d_name), ARCHIVE_TMP))
			unlinkat(dir, entry->d_name, 0);
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

bool archive_lock(int dir)
{
	if (flock(dir, LOCK_EX | LOCK_NB))
		return errno != EWOULDBLOCK;	/* some file systems have no locks */
	remove_rests(dir);
	return true;
}

/* ---- writing ---- */

static bool write_line(struct archive *x, const struct strbuf *b, struct err *e)
{
	if (b->failed)
		return err_set(e, ERR_BUG, "archive: a line is too long");
	if (gzwrite(x->to, b->p, (unsigned)b->n) != (int)b->n)
		return err_sys(e, ERR_DOWN, "archive: write");
	x->bytes += b->n;
	return true;
}

static bool write_head(struct job_run *r, struct archive *x, struct err *e)
{
	struct json_out o;
	struct strbuf b;
	uint64_t number;

	if (!installation_number(r->c->db, r->a, &number, e))
		return false;
	strbuf_init(&b, r->a, 1024);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, ARCHIVE_HEAD);
	json_open(&o, '{');
	json_key(&o, "archive");
	json_strz(&o, x->kind);
	json_key(&o, "installation");
	json_id(&o, number);
	json_key(&o, "schema");
	json_u64(&o, SCHEMA_NUMBER);
	json_key(&o, "version");
	json_strz(&o, PACKAGE_VERSION);
	json_close(&o, '}');
	json_close(&o, '}');
	strbuf_addc(&b, '\n');
	return write_line(x, &b, e);
}

bool archive_open(struct job_run *r, struct archive *x, int dir, const char *kind, struct err *e)
{
	int copy = -1;

	*x = (struct archive){ .dir = dir, .kind = kind };
	snprintf(x->tmp, sizeof(x->tmp), ARCHIVE_TMP "%s-%ld", kind, (long)getpid());
	x->fd = openat(dir, x->tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (x->fd >= 0)
		copy = dup(x->fd);
	x->to = copy < 0 ? NULL : gzdopen(copy, "wb6");
	if (x->to)
		return write_head(r, x, e);
	if (copy >= 0)
		close(copy);
	return err_sys(e, ERR_DOWN, "archive: %s", x->tmp);
}

bool archive_add(struct job_run *r, struct archive *x, const struct archived_table *const *tables, const struct old_chunk *c, struct err *e)
{
	for (; *tables; tables++) {
		size_t n, columns;
		const struct field *fields = archived_fields(*tables, &columns);
		const void *rows;

		if (!archived_read(r->c->db, r->a, *tables, c->rows, c->n, &rows, &n, e))
			return false;
		for (size_t i = 0; i < n; i++) {
			struct json_out o;
			struct strbuf b;

			strbuf_init(&b, r->a, LINE_MAX_BYTES);
			json_out_init(&o, &b);
			json_open(&o, '{');
			json_key(&o, archived_name(*tables));
			json_open(&o, '{');
			json_fields(&o, fields, archived_at(*tables, rows, i));
			json_close(&o, '}');
			json_close(&o, '}');
			strbuf_addc(&b, '\n');
			if (!write_line(x, &b, e))
				return false;
		}
		x->rows += n;
	}
	if (!x->first)
		x->first = c->rows[0].id;
	x->last = c->rows[c->n - 1].id;
	return true;
}

/* ---- the end of a file ---- */

static bool end_gzip(struct archive *x, struct err *e)
{
	int rc = gzclose(x->to);

	x->to = NULL;
	if (rc != Z_OK)
		return err_sys(e, ERR_DOWN, "archive: close");
	return !fsync(x->fd) || err_sys(e, ERR_DOWN, "archive: sync");
}

static bool read_back(struct job_run *r, const struct archive *x, struct str *bytes, struct err *e)
{
	struct stat st;
	size_t got = 0;
	ssize_t n = 1;
	char *p;

	if (fstat(x->fd, &st))
		return err_sys(e, ERR_DOWN, "archive: read back");
	p = arena_alloc(r->a, (size_t)st.st_size + 1);
	while (got < (size_t)st.st_size && (n = pread(x->fd, p + got, (size_t)st.st_size - got, (off_t)got)) > 0)
		got += (size_t)n;
	*bytes = (struct str){ p, got };
	return got == (size_t)st.st_size || err_sys(e, ERR_DOWN, "archive: read back");
}

static bool write_sum(struct job_run *r, const struct archive *x, struct err *e)
{
	struct str bytes, line;
	char name[sizeof(x->name) + 8];
	int fd = -1;
	bool ok;

	arena_reset(r->a);
	if (!read_back(r, x, &bytes, e))
		return false;
	line = arena_printf(r->a, "%.*s  %s\n", STR_ARG(sha256_hex(r->a, bytes)), x->name);
	snprintf(name, sizeof(name), "%s" ARCHIVE_SUM, x->name);
	fd = openat(x->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ok = fd >= 0 && write(fd, line.p, line.n) == (ssize_t)line.n && !fsync(fd);
	if (!ok)
		err_sys(e, ERR_DOWN, "archive: %s", name);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* The sum is there before its file: who sees the file can check it. */
bool archive_publish(struct job_run *r, struct archive *x, struct err *e)
{
	char time[TIME_TEXT];

	time_format(job_now(r), time);
	snprintf(x->name, sizeof(x->name), "%s-%.10s-%llu-%llu.ndjson.gz", x->kind, time, (unsigned long long)x->first,
		(unsigned long long)x->last);
	if (!end_gzip(x, e) || !write_sum(r, x, e))
		return false;
	if (renameat(x->dir, x->tmp, x->dir, x->name) || fsync(x->dir))
		return err_sys(e, ERR_DOWN, "archive: %s", x->name);
	close(x->fd);
	x->fd = -1;
	log_info("archived", LOG_S("file", x->name), LOG_U("rows", x->rows));
	return true;
}

void archive_drop(struct archive *x)
{
	if (x->to)
		gzclose(x->to);
	if (x->fd < 0)
		return;
	close(x->fd);
	unlinkat(x->dir, x->tmp, 0);
	x->fd = -1;
	x->to = NULL;
}
