/* rows.c - a stored result into an array of structs, by the field table that describes the struct.
 *
 * Columns find their fields by name once for each prepared statement. Numbers land in a cell of
 * ours and are copied to the struct; a text is bound to no buffer at all: after the fetch its
 * length is known, so it goes straight from the library's row into the arena, once. */
#include "src/db/db_int.h"

static bool bug(struct db *db, struct err *e)
{
	db->trouble = DB_OTHER;
	e->code = ERR_BUG;
	return false;
}

static bool is_text(enum enum_field_types t)
{
	switch (t) {
	case MYSQL_TYPE_VARCHAR:
	case MYSQL_TYPE_VAR_STRING:
	case MYSQL_TYPE_STRING:
	case MYSQL_TYPE_TINY_BLOB:
	case MYSQL_TYPE_BLOB:
	case MYSQL_TYPE_MEDIUM_BLOB:
	case MYSQL_TYPE_LONG_BLOB:
	case MYSQL_TYPE_JSON:
	case MYSQL_TYPE_NULL:
		return true;
	default:
		return false;
	}
}

/* SUM() of whole numbers is a DECIMAL without decimals. */
static bool is_whole(const MYSQL_FIELD *f)
{
	switch (f->type) {
	case MYSQL_TYPE_TINY:
	case MYSQL_TYPE_SHORT:
	case MYSQL_TYPE_INT24:
	case MYSQL_TYPE_LONG:
	case MYSQL_TYPE_LONGLONG:
	case MYSQL_TYPE_NULL:
		return true;
	case MYSQL_TYPE_NEWDECIMAL:
		return f->decimals == 0;
	default:
		return false;
	}
}

static bool is_number(const MYSQL_FIELD *f)
{
	return is_whole(f) || f->type == MYSQL_TYPE_NEWDECIMAL || f->type == MYSQL_TYPE_DOUBLE ||
	       f->type == MYSQL_TYPE_FLOAT;
}

static bool suits(const MYSQL_FIELD *f, enum field_type type)
{
	switch (type) {
	case FIELD_TYPE_STR:
	case FIELD_TYPE_JSON:
		return is_text(f->type);
	case FIELD_TYPE_RATE:
	case FIELD_TYPE_NUMBER:
		return is_number(f);
	default:
		return is_whole(f);
	}
}

static void bind_column(MYSQL_BIND *b, struct column *c)
{
	*b = (MYSQL_BIND){ .length = &c->length, .is_null = &c->is_null, .error = &c->error };
	switch (c->type) {
	case FIELD_TYPE_STR:
	case FIELD_TYPE_JSON:
		b->buffer_type = MYSQL_TYPE_STRING;
		return;
	case FIELD_TYPE_RATE:
	case FIELD_TYPE_NUMBER:
		b->buffer_type = MYSQL_TYPE_DOUBLE;
		break;
	default:
		b->buffer_type = MYSQL_TYPE_LONGLONG;
		b->is_unsigned = c->type == FIELD_TYPE_U64 || c->type == FIELD_TYPE_ID;
	}
	b->buffer = &c->cell;
	b->buffer_length = sizeof(c->cell);
}

static const struct field *field_named(const struct field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (!strcmp(fields->name, name))
			return fields;
	return NULL;
}

static void columns_new(struct prepared *p, unsigned n)
{
	free(p->columns);
	free(p->binds);
	p->columns = xcalloc(n, sizeof(*p->columns));
	p->binds = xcalloc(n, sizeof(*p->binds));
	p->column_n = n;
	p->fields = NULL;
}

static bool map_columns(struct db *db, const char *name, struct prepared *p,
	const struct field *fields, size_t size, struct err *e)
{
	const MYSQL_FIELD *meta = mariadb_stmt_fetch_fields(p->st);
	unsigned n = mysql_stmt_field_count(p->st);

	if (p->fields == fields && p->column_n == n)
		return true;
	columns_new(p, n);
	for (unsigned i = 0; i < n; i++) {
		const struct field *f = field_named(fields, meta[i].name);

		if (!f || f->offset >= size) {
			err_set(e, ERR_BUG, "%s: no field for column %s", name, meta[i].name);
			return bug(db, e);
		}
		if (!suits(&meta[i], f->type)) {
			err_set(e, ERR_BUG, "%s: column %s has another type than its field", name,
				meta[i].name);
			return bug(db, e);
		}
		p->columns[i].type = f->type;
		p->columns[i].offset = f->offset;
		bind_column(&p->binds[i], &p->columns[i]);
	}
	p->fields = fields;
	return true;
}

static void read_text(struct prepared *p, unsigned i, struct arena *a, struct str *out)
{
	struct column *c = &p->columns[i];
	char *text = arena_alloc(a, c->length + 1);
	MYSQL_BIND b = {
		.buffer_type = MYSQL_TYPE_STRING, .buffer = text, .buffer_length = c->length
	};

	*out = (struct str){ text, c->length };
	if (c->length)
		mysql_stmt_fetch_column(p->st, &b, i, 0);
}

/* False: the number does not fit the member (a negative one, say). */
static bool read_cell(struct prepared *p, unsigned i, struct arena *a, char *row)
{
	const struct column *c = &p->columns[i];
	void *member = row + c->offset;

	if (c->is_null)
		return true;
	switch (c->type) {
	case FIELD_TYPE_STR:
	case FIELD_TYPE_JSON:
		read_text(p, i, a, member);
		return true;
	case FIELD_TYPE_U64:
	case FIELD_TYPE_ID:
		*(uint64_t *)member = c->cell.u;
		break;
	case FIELD_TYPE_I64:
	case FIELD_TYPE_TIME:
		*(int64_t *)member = c->cell.i;
		break;
	case FIELD_TYPE_BOOL:
		*(bool *)member = c->cell.i != 0;
		break;
	case FIELD_TYPE_RATE:
	case FIELD_TYPE_NUMBER:
		*(double *)member = c->cell.d;
		return true;	/* rounding is no error */
	}
	return !c->error;
}

static bool read_row(struct db *db, const char *name, struct prepared *p, struct arena *a,
	char *row, struct err *e)
{
	int rc = mysql_stmt_fetch(p->st);

	if (rc && rc != MYSQL_DATA_TRUNCATED)
		return conn_failed(db, name, mysql_stmt_errno(p->st), mysql_stmt_error(p->st), e);
	for (unsigned i = 0; i < p->column_n; i++)
		if (!read_cell(p, i, a, row)) {
			err_set(e, ERR_BUG, "%s: column %u does not fit its field", name, i + 1);
			return bug(db, e);
		}
	return true;
}

bool rows_read(struct db *db, const char *name, struct prepared *p, struct arena *a,
	const struct field *fields, size_t size, void *out, size_t max, struct err *e)
{
	bool ok = false;

	if (!mysql_stmt_field_count(p->st)) {
		err_set(e, ERR_BUG, "%s: gives no rows", name);
		return bug(db, e);
	}
	if (!map_columns(db, name, p, fields, size, e))
		goto out;
	if (max && mysql_stmt_bind_result(p->st, p->binds)) {
		conn_failed(db, name, mysql_stmt_errno(p->st), mysql_stmt_error(p->st), e);
		goto out;
	}
	for (size_t i = 0; i < max; i++)
		if (!read_row(db, name, p, a, (char *)out + i * size, e))
			goto out;
	ok = true;
out:
	if (db->my)		/* else the handle went with the connection */
		mysql_stmt_free_result(p->st);
	return ok;
}
