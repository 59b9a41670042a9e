/* statement.c - prepared once for each connection, then bound, executed and its result stored.
 *
 * A statement is known by the address of its `struct stmt`, which is a row of a constant table: no
 * text is compared on the way. Executing and storing are one step, because the server answers a
 * RETURNING statement that fails on its third row with columns first and the error afterwards:
 * mysql_stmt_execute says 0, mysql_stmt_store_result tells the truth.
 *
 * What may run a second time: number 2006 means that the request could not be written, and what the
 * server says itself (killed, shutting down) comes instead of an execution. After 2013 nobody
 * knows, and only reading is repeated. */
#include <errmsg.h>

#include "src/db/db_int.h"

#define CACHE_FIRST 64 /* slots; a worker knows about 100 statements, a ctl command a few */
#define VALUE_ROOM 11		/* type, indicator and length of one value */

/* ---- the cache ---- */

static size_t slot_of(const struct db *db, const struct stmt *s)
{
	/* Fibonacci hashing, Knuth 6.4 */
	size_t h = (size_t)(((uint64_t)(uintptr_t)s >> 3) * 0x9e3779b97f4a7c15u >> 32);

	while (db->cache[h & (db->cache_cap - 1)].stmt &&
		db->cache[h & (db->cache_cap - 1)].stmt != s)
		h++;
	return h & (db->cache_cap - 1);
}

static void cache_grow(struct db *db)
{
	struct prepared *old = db->cache;
	size_t old_cap = db->cache_cap;

	db->cache_cap = old_cap ? old_cap * 2 : CACHE_FIRST;
	db->cache = xcalloc(db->cache_cap, sizeof(*db->cache));
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].stmt)
			db->cache[slot_of(db, old[i].stmt)] = old[i];
	free(old);
}

void statements_forget(struct db *db)
{
	for (size_t i = 0; i < db->cache_cap; i++)
		if (db->cache[i].stmt)
			prepared_release(&db->cache[i]);
	db->cache_n = 0;
}

void prepared_release(struct prepared *p)
{
	if (p->st)
		mysql_stmt_close(p->st);
	free(p->columns);
	free(p->binds);
	*p = (struct prepared){ 0 };
}

static bool prepare(
	struct db *db, struct prepared *p, const char *name, struct str sql, struct err *e)
{
	p->st = mysql_stmt_init(db->my);
	if (!p->st)
		die("out of memory");
	if (mysql_stmt_prepare(p->st, sql.p, sql.n)) {
		unsigned err_no = mysql_stmt_errno(p->st);
		char text[MYSQL_ERRMSG_SIZE];

		snprintf(text, sizeof(text), "%s", mysql_stmt_error(p->st));
		prepared_release(p);
		return conn_failed(db, name, err_no, text, e);
	}
	p->params = mysql_stmt_param_count(p->st);
	return true;
}

static struct prepared *prepared_get(struct db *db, const struct stmt *s, struct err *e)
{
	struct prepared *p, fresh = { 0 };

	if (db->cache_n * 2 >= db->cache_cap)
		cache_grow(db);
	p = &db->cache[slot_of(db, s)];
	if (p->stmt)
		return p;
	if (!prepare(db, &fresh, s->name, str_of(s->sql), e))
		return NULL;
	*p = fresh;
	p->stmt = s;
	db->cache_n++;
	return p;
}

/* ---- binding ---- */

size_t val_bytes(const struct val *v)
{
	bool text = v->type == VAL_STR || v->type == VAL_BYTES;

	return VALUE_ROOM + (text ? v->s.n : sizeof(uint64_t));
}

static void bind_one(MYSQL_BIND *b, const struct val *v)
{
	switch (v->type) {
	case VAL_NULL:
		b->buffer_type = MYSQL_TYPE_NULL;
		break;
	case VAL_U64:
	case VAL_I64:
		b->buffer_type = MYSQL_TYPE_LONGLONG;
		b->buffer = (void *)&v->u;	/* the library only reads it */
		b->is_unsigned = v->type == VAL_U64;
		break;
	case VAL_STR:
	case VAL_BYTES:
		b->buffer_type = v->type == VAL_STR ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
		b->buffer = (void *)(v->s.p ? v->s.p : "");	/* no buffer would be NULL */
		b->buffer_length = v->s.n;
		break;
	}
}

static MYSQL_BIND *bind_row(struct db *db, const struct params *in)
{
	MYSQL_BIND *binds = scratch_get(&db->binds, (in->n + 1) * sizeof(*binds));

	memset(binds, 0, in->n * sizeof(*binds));
	for (size_t i = 0; i < in->n; i++)
		bind_one(&binds[i], &in->vals[i]);
	return binds;
}

/* A packet above its limit makes the server hang up in the middle, which would look like a lost
 * connection. */
static bool fits(struct db *db, const char *name, const struct params *in, struct err *e)
{
	size_t bytes = PACKET_ROOM;

	if (in->rows)
		return true;	/* bulk.c has counted */
	for (size_t i = 0; i < in->n; i++)
		bytes += val_bytes(&in->vals[i]);
	return bytes <= db->packet_max || conn_failed(db, name, CR_NET_PACKET_TOO_LARGE,
						  "the values are too large for one packet", e);
}

/* ---- running ---- */

static bool failed(struct db *db, const char *name, MYSQL_STMT *st, struct err *e)
{
	return conn_failed(db, name, mysql_stmt_errno(st), mysql_stmt_error(st), e);
}

static bool run(
	struct db *db, const char *name, struct prepared *p, const struct params *in, struct err *e)
{
	MYSQL_STMT *st = p->st;
	unsigned rows = in->rows;

	if (in->n != p->params) {
		db->trouble = DB_OTHER;
		return err_set(e, ERR_BUG, "%s: %zu values for %u places", name, in->n, p->params);
	}
	if (!fits(db, name, in, e))
		return false;
	mysql_stmt_attr_set(st, STMT_ATTR_ARRAY_SIZE, &rows);
	if (in->n && mysql_stmt_bind_param(st, in->rows ? in->binds : bind_row(db, in)))
		return failed(db, name, st, e);
	if (mysql_stmt_execute(st))
		return failed(db, name, st, e);
	if (mysql_stmt_field_count(st) && mysql_stmt_store_result(st))
		return failed(db, name, st, e);
	db->trouble = DB_FINE;
	return true;
}

static bool only_reads(const char *sql)
{
	struct str s = str_of(sql);

	return str_starts(s, "SELECT") || str_starts(s, "WITH") || str_starts(s, "EXPLAIN");
}

/* The request may have arrived, and no answer says what became of it. */
static bool fate_unknown(const struct db *db)
{
	return db->err_no == CR_SERVER_LOST || db->err_no == CR_SERVER_LOST_EXTENDED ||
	       db->err_no == CR_MALFORMED_PACKET;
}

bool statement_run(struct db *db, const struct stmt *s, const struct params *in,
	struct prepared **p_r, struct err *e)
{
	struct prepared *p;
	bool safe;

	for (unsigned tries = 0;; tries++) {
		if (!conn_ready(db, s->name, e))
			return false;
		p = prepared_get(db, s, e);
		if (p && run(db, s->name, p, in, e)) {
			*p_r = p;
			return true;
		}
		if (db->trouble != DB_LOST || db->tx != TX_NONE)
			return false;
		safe = !p || !fate_unknown(db) || only_reads(s->sql);
		if (!safe)
			e->code = ERR_UNKNOWN;
		if (!safe || tries || db->pinned)
			return false;
		*e = (struct err){ 0 };
	}
}

bool db_prepare(struct db *db, const struct stmt *s, struct err *e)
{
	return conn_ready(db, s->name, e) && prepared_get(db, s, e);
}

bool db_exec(struct db *db, const struct stmt *s, const struct val *vals, size_t n,
	uint64_t *affected, struct err *e)
{
	const struct params in = { .vals = vals, .n = n };
	struct prepared *p;

	if (!statement_run(db, s, &in, &p, e))
		return false;
	db->insert_id = mysql_stmt_insert_id(p->st);
	if (affected)
		*affected = mysql_stmt_affected_rows(p->st);
	mysql_stmt_free_result(p->st);
	return true;
}

/* ---- rows ---- */

static bool query_rows(struct db *db, const char *name, struct prepared *p, struct arena *a,
	const struct field *fields, size_t size, void *rows_r, size_t *n_r, struct err *e)
{
	size_t n = mysql_stmt_num_rows(p->st);
	void *rows = n ? arena_alloc(a, n * size) : NULL;

	if (!rows_read(db, name, p, a, fields, size, rows, n, e))
		return false;
	*(void **)rows_r = rows;
	*n_r = n;
	return true;
}

bool db_query(struct db *db, const struct stmt *s, const struct val *vals, size_t n,
	struct arena *a, const struct field *fields, size_t size, void *rows_r, size_t *n_r,
	struct err *e)
{
	const struct params in = { .vals = vals, .n = n };
	struct prepared *p;

	return statement_run(db, s, &in, &p, e) &&
	       query_rows(db, s->name, p, a, fields, size, rows_r, n_r, e);
}

int db_query_one(struct db *db, const struct stmt *s, const struct val *vals, size_t n,
	struct arena *a, const struct field *fields, size_t size, void *row_r, struct err *e)
{
	const struct params in = { .vals = vals, .n = n };
	struct prepared *p;
	size_t found;

	if (!statement_run(db, s, &in, &p, e))
		return -1;
	found = mysql_stmt_num_rows(p->st);
	if (found > 1) {
		mysql_stmt_free_result(p->st);
		db->trouble = DB_OTHER;
		err_set(e, ERR_BUG, "%s: %zu rows where one is the most", s->name, found);
		return -1;
	}
	memset(row_r, 0, size);
	if (!rows_read(db, s->name, p, a, fields, size, row_r, found, e))
		return -1;
	return found == 1;
}

static bool run_once(struct db *db, const char *name, const struct sql *q, struct prepared *p,
	struct err *e)
{
	const struct params in = { .vals = q->vals, .n = q->n };

	if (!conn_ready(db, name, e) || !prepare(db, p, name, strbuf_str(&q->text), e))
		return false;
	if (run(db, name, p, &in, e))
		return true;
	prepared_release(p);
	return false;
}

/* The text is of this moment, so it is prepared, run and closed; pages list, they do not hurry. */
bool db_query_sql(struct db *db, const char *name, const struct sql *q, struct arena *a,
	const struct field *fields, size_t size, void *rows_r, size_t *n_r, struct err *e)
{
	struct prepared p = { 0 };
	bool ok;

	if (q->text.failed)
		return err_set(e, ERR_LIMIT, "%s: the filter is too long", name);
	ok = run_once(db, name, q, &p, e);
	if (!ok && db->trouble == DB_LOST && db->tx == TX_NONE) {
		*e = (struct err){ 0 };
		ok = run_once(db, name, q, &p, e);
	}
	ok = ok && query_rows(db, name, &p, a, fields, size, rows_r, n_r, e);
	prepared_release(&p);
	return ok;
}
