/* archive_read.c - an archive back into the tables: whole, or not at all.
 *
 * Its sum must be beside it and right. Then every line is looked at before the first row is written, and all rows are written in one
 * transaction: a file has some 20,000 of them. Rows that are there stay as they are, so a file may be read again, and those of a killed
 * cleanup, which overlap, may be read in any order.
 *
 * Numbers of tenants, sources, services and users mean something in one installation alone; the first line says which, and of which schema
 * it was: columns that came later have their default in rows that were archived before. */
#include <zlib.h>

#include "grapnel/crypto.h"
#include "grapnel/json.h"

#include "job_int.h"

#define FILE_MAX ((size_t)256 << 20)
#define LINE_MAX_BYTES ((size_t)128 << 20)
#define ROWS 500		/* of a statement; fewer if they are long */
#define ROWS_BYTES (4u << 20)

struct reading {
	struct db *db;
	const char *name;		/* of the file, without its folder */
	struct arena *file, *rows;	/* the file's bytes; one load of rows */
	struct str bytes;
	uint64_t installation, line_n;
	uint64_t schema;		/* of who wrote it */
	bool write;
	struct archive_read *out;
	/* the load */
	const struct archived_table *table;
	void *load;
	size_t n, load_bytes;
};

/* ---- the sum ---- */

static bool check_sum(struct reading *r, const char *path, struct err *e)
{
	struct arena *a = r->file;
	struct str sum, word;
	struct err why = { 0 };

	if (!file_read(a, path, FILE_MAX, &r->bytes, &why))
		return err_set(e, why.code == ERR_NOT_FOUND ? ERR_NOT_FOUND : ERR_DOWN, "%.150s: %s", path, why.text);
	if (!file_read(a, arena_printf(a, "%s" ARCHIVE_SUM, path).p, 4096, &sum, &why))
		return err_set(e, ERR_NOT_FOUND, "%.150s" ARCHIVE_SUM ": %s; without its sum no archive is read", path, why.text);
	word = str_word(&sum);
	return str_ieq(word, sha256_hex(a, r->bytes)) ||
		err_set(e, ERR_CONFLICT, "%.150s: its checksum is wrong, so nothing of it is read", path);
}

/* ---- lines ---- */

struct lines {
	z_stream z;
	struct arena *a;	/* a line, and the beginning of the next one */
	char *p;
	size_t n, cap, used;
	bool end;
};

static void lines_init(struct lines *l, struct str bytes)
{
	*l = (struct lines){ .a = arena_new(4 * LINE_MAX_BYTES) };
	if (inflateInit2(&l->z, 15 + 16) != Z_OK)	/* zlib.h: gzip alone */
		die("zlib: no memory");
	l->z.next_in = (unsigned char *)(uintptr_t)bytes.p;
	l->z.avail_in = (unsigned)bytes.n;
}

static void lines_release(struct lines *l)
{
	inflateEnd(&l->z);
	arena_free(l->a);
}

static bool more(struct lines *l, struct err *e)
{
	int rc;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 1 << 16;

		if (cap > LINE_MAX_BYTES)
			return err_set(e, ERR_INVALID, "a line is too long");
		l->p = arena_grow(l->a, l->p, l->cap, cap);
		l->cap = cap;
	}
	l->z.next_out = (unsigned char *)l->p + l->n;
	l->z.avail_out = (unsigned)(l->cap - l->n);
	rc = inflate(&l->z, Z_NO_FLUSH);
	l->n = l->cap - l->z.avail_out;
	if (rc == Z_STREAM_END && l->z.avail_in)
		rc = inflateReset(&l->z);
	l->end = rc == Z_STREAM_END;
	return rc == Z_OK || l->end || err_set(e, ERR_INVALID, "this is no whole gzip file");
}

/* 1 a line, without its end; 0 there is none left; -1 failed. */
static int next_line(struct lines *l, struct str *line, struct err *e)
{
	size_t looked = l->used;

	for (;;) {
		char *end = looked < l->n ? memchr(l->p + looked, '\n', l->n - looked) : NULL;

		if (end) {
			*line = (struct str){ l->p + l->used, (size_t)(end - l->p) - l->used };
			l->used = (size_t)(end - l->p) + 1;
			return 1;
		}
		looked = l->n;
		if (l->end && l->used == l->n)
			return 0;
		if (l->end) {
			err_set(e, ERR_INVALID, "its last line has no end");
			return -1;
		}
		if (l->used && l->n == l->cap) {
			memmove(l->p, l->p + l->used, l->n - l->used);
			l->n -= l->used;
			looked -= l->used;
			l->used = 0;
		}
		if (!more(l, e))
			return -1;
	}
}

/* ---- rows ---- */

static bool flush(struct reading *r, struct err *e)
{
	uint64_t added = 0;

	if (r->n && r->write && !archived_write(r->db, r->rows, r->table, r->load, r->n, &added, e))
		return false;
	r->out->rows += r->n;
	r->out->added += added;
	r->table = NULL;
	r->n = r->load_bytes = 0;
	arena_reset(r->rows);
	return true;
}

static bool take_row(struct reading *r, const struct archived_table *t, const struct json *row, struct err *e)
{
	struct err why = { 0 };
	size_t columns;
	void *at;

	if (!r->n) {
		r->table = t;
		r->load = archived_new(r->rows, t, ROWS);
	}
	at = (void *)(uintptr_t)archived_at(t, r->load, r->n++);
	if (!json_fields_read_all(r->rows, row, archived_fields(t, &columns), r->schema < SCHEMA_NUMBER, at, &why) || !archived_unpack(r->rows, t, at, &why))
		return err_set(e, ERR_INVALID, "%s: %s", archived_name(t), why.text);
	return true;
}

static bool take_head(struct reading *r, const struct json *head, struct err *e)
{
	uint64_t number = 0;

	if (!str_eqs(head->name, ARCHIVE_HEAD) || !str_u64(json_text(json_get(head, "installation")), &number) ||
		!str_u64(json_text(json_get(head, "schema")), &r->schema))
		return err_set(e, ERR_INVALID, "its first line does not say whose archive it is");
	if (number != r->installation)
		return err_set(e, ERR_CONFLICT, "it is the archive of another installation; its numbers mean other things here");
	return r->schema <= SCHEMA_NUMBER || err_set(e, ERR_CONFLICT, "it was written with schema %llu; this program knows schema %d",
		(unsigned long long)r->schema, SCHEMA_NUMBER);
}

/* Its one member. Texts of the tree may be views of the line, which does not last. */
static const struct json *parse(struct reading *r, struct str line, struct err *e)
{
	const struct json *j;

	if (!json_parse(r->rows, arena_str(r->rows, line), &j, e))
		return NULL;
	if (json_is(j, JSON_OBJECT) && j->count == 1)
		return j->first;
	err_set(e, ERR_INVALID, "a line is an object with one member");
	return NULL;
}

/* A full load goes before the line, one of another table too: that takes the line's tree with it. */
static bool take_line(struct reading *r, struct str line, struct err *e)
{
	const struct archived_table *t;
	const struct json *j;

	if ((r->n == ROWS || r->load_bytes > ROWS_BYTES) && !flush(r, e))
		return false;
	j = parse(r, line, e);
	if (!j)
		return false;
	if (r->line_n == 1)
		return take_head(r, j, e);
	t = archived_find(j->name);
	if (!t)
		return err_set(e, ERR_INVALID, "there is no archived table %.*s", STR_ARG(str_cut(j->name, 50)));
	if (r->n && t != r->table) {
		if (!flush(r, e))
			return false;
		j = parse(r, line, e);
	}
	r->load_bytes += line.n;
	return take_row(r, t, j, e);
}

static bool take_lines(struct reading *r, struct err *e)
{
	struct err why = { 0 };
	struct lines l;
	struct str line;
	int found;

	*r->out = (struct archive_read){ 0 };
	r->line_n = 0;
	r->n = r->load_bytes = 0;
	arena_reset(r->rows);
	lines_init(&l, r->bytes);
	while ((found = next_line(&l, &line, &why)) == 1) {
		r->line_n++;
		if (!take_line(r, line, &why))
			break;
	}
	lines_release(&l);
	if (found == 0 && !r->line_n)
		return err_set(e, ERR_INVALID, "%.80s is empty", r->name);
	if (found == 0)
		return flush(r, e);
	return err_set(e, why.code, "%.80s: line %llu: %.120s", r->name, (unsigned long long)r->line_n + (found < 0), why.text);
}

static bool write_tx(struct db *db, void *ctx, struct err *e)
{
	(void)db;
	return take_lines(ctx, e);
}

bool archive_read(struct db *db, const char *path, bool dry_run, struct archive_read *out, struct err *e)
{
	struct reading r = { .db = db, .file = arena_new(2 * FILE_MAX), .rows = arena_new((size_t)1 << 30), .out = out };
	const char *slash = strrchr(path, '/');
	bool ok;

	r.name = slash ? slash + 1 : path;
	ok = check_sum(&r, path, e) && installation_number(db, r.rows, &r.installation, e) && take_lines(&r, e);

	r.write = true;
	if (ok && !dry_run)
		ok = db_tx(db, write_tx, &r, e);
	arena_free(r.file);
	arena_free(r.rows);
	return ok;
}
