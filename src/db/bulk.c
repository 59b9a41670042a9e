/* bulk.c - many rows of values through one prepared statement in one round trip (MariaDB's
 * COM_STMT_BULK_EXECUTE).
 *
 * The library wants an array for each column, the caller has rows; turning them costs a few
 * nanoseconds a value, in memory that the connection keeps. What one packet cannot hold goes in
 * several. INSERT is one statement for the server, all or nothing; an UPDATE or DELETE is repeated
 * for each row there, so a failure in the middle leaves the rows before it changed until the
 * transaction is rolled back. That is why a bulk outside a transaction opens one of its own. */
#include "src/db/db_int.h"

#define BULK_COLS_MAX 64	/* the widest table has 29 columns */

struct bulk {
	struct db *db;
	const struct stmt *stmt;
	const struct val *vals;
	size_t rows, cols;
	/* where RETURNING's rows go; fields NULL: nothing comes back */
	struct arena *arena;
	const struct field *fields;
	size_t size;
	char *out;
};

/* The type of a column is that of its first value that is not NULL. Other values must agree. */
static bool column_type(const struct bulk *b, size_t col, enum val_type *type, struct err *e)
{
	*type = VAL_NULL;
	for (size_t r = 0; r < b->rows; r++) {
		enum val_type t = b->vals[r * b->cols + col].type;

		if (*type == VAL_NULL)
			*type = t;
		if (t != VAL_NULL && t != *type) {
			b->db->trouble = DB_OTHER;
			return err_set(
				e, ERR_BUG, "%s: column %zu mixes types", b->stmt->name, col + 1);
		}
	}
	return true;
}

/* One column as the library wants it: values or pointers, lengths, indicators. */
struct column_arrays {
	union {
		uint64_t *numbers;
		const char **texts;
	};
	unsigned long *lengths;
	char *indicators;
};

#define COLUMN_BYTES(rows) ((rows) * (sizeof(uint64_t) + sizeof(unsigned long) + 1))

static void fill_column(struct column_arrays *c, const struct val *v, size_t rows, size_t cols)
{
	for (size_t r = 0; r < rows; r++, v += cols) {
		c->indicators[r] = v->type == VAL_NULL ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE;
		c->lengths[r] = 0;
		if (v->type == VAL_STR || v->type == VAL_BYTES) {
			c->lengths[r] = v->s.n;
			c->texts[r] = v->s.p ? v->s.p : "";
		} else {
			c->numbers[r] = v->type == VAL_NULL ? 0 : v->u;
		}
	}
}

/* A column of nothing but NULL goes as text. */
static const enum enum_field_types column_types[] = {
	[VAL_NULL] = MYSQL_TYPE_STRING,
	[VAL_U64] = MYSQL_TYPE_LONGLONG,
	[VAL_I64] = MYSQL_TYPE_LONGLONG,
	[VAL_STR] = MYSQL_TYPE_STRING,
	[VAL_BYTES] = MYSQL_TYPE_BLOB,
};

/* Numbers first, then lengths, then indicators, each for all columns, so that everything is
 * aligned. */
static MYSQL_BIND *bind_columns(
	const struct bulk *b, size_t first, size_t rows, const enum val_type *types)
{
	MYSQL_BIND *binds = scratch_get(&b->db->binds, b->cols * sizeof(*binds));
	char *p = scratch_get(&b->db->columns, b->cols * COLUMN_BYTES(rows));
	uint64_t *numbers = (uint64_t *)p;
	unsigned long *lengths = (unsigned long *)(numbers + b->cols * rows);
	char *indicators = (char *)(lengths + b->cols * rows);

	memset(binds, 0, b->cols * sizeof(*binds));
	for (size_t i = 0; i < b->cols; i++) {
		struct column_arrays c = { { numbers + i * rows }, lengths + i * rows,
			indicators + i * rows };

		fill_column(&c, &b->vals[first * b->cols + i], rows, b->cols);
		binds[i].buffer_type = column_types[types[i]];
		binds[i].is_unsigned = types[i] == VAL_U64;
		binds[i].buffer = c.numbers;
		binds[i].length = c.lengths;
		binds[i].u.indicator = c.indicators;
	}
	return binds;
}

/* How many rows from `first` on fit one packet; at least one, which is refused later if it does
 * not fit alone. */
static size_t rows_that_fit(const struct bulk *b, size_t first)
{
	size_t bytes = PACKET_ROOM, r;

	for (r = first; r < b->rows; r++) {
		for (size_t i = 0; i < b->cols; i++)
			bytes += val_bytes(&b->vals[r * b->cols + i]);
		if (bytes > b->db->packet_max && r > first)
			break;
	}
	return r - first;
}

static bool bulk_part(
	const struct bulk *b, size_t first, size_t rows, const enum val_type *types, struct err *e)
{
	struct params in = { .vals = b->vals + first * b->cols, .n = b->cols };
	struct prepared *p;

	if (rows > 1) {
		in.binds = bind_columns(b, first, rows, types);
		in.rows = (unsigned)rows;
	}
	if (!statement_run(b->db, b->stmt, &in, &p, e))
		return false;
	if (!b->fields) {
		mysql_stmt_free_result(p->st);
		return true;
	}
	if (mysql_stmt_num_rows(p->st) != rows) {
		b->db->trouble = DB_OTHER;
		err_set(e, ERR_BUG, "%s: %llu rows came back for %zu", b->stmt->name,
			mysql_stmt_num_rows(p->st), rows);
		mysql_stmt_free_result(p->st);
		return false;
	}
	return rows_read(b->db, b->stmt->name, p, b->arena, b->fields, b->size,
		b->out + first * b->size, rows, e);
}

static bool bulk_parts(const struct bulk *b, struct err *e)
{
	enum val_type types[BULK_COLS_MAX];

	if (b->cols > BULK_COLS_MAX || b->rows > UINT32_MAX) {
		b->db->trouble = DB_OTHER;
		return err_set(e, ERR_BUG, "%s: %zu x %zu values are too many", b->stmt->name,
			b->rows, b->cols);
	}
	for (size_t i = 0; i < b->cols; i++)
		if (!column_type(b, i, &types[i], e))
			return false;
	for (size_t first = 0, n; first < b->rows; first += n) {
		n = rows_that_fit(b, first);
		if (!bulk_part(b, first, n, types, e))
			return false;
	}
	return true;
}

static bool bulk_run(const struct bulk *b, struct err *e)
{
	if (b->db->tx != TX_NONE || b->rows == 1)
		return bulk_parts(b, e);
	if (!db_begin(b->db, e))
		return false;
	if (!bulk_parts(b, e)) {
		db_rollback(b->db);
		return false;
	}
	return db_commit(b->db, e);
}

bool db_bulk(struct db *db, const struct stmt *s, const struct val *vals, size_t rows, size_t cols,
	struct err *e)
{
	const struct bulk b = { .db = db, .stmt = s, .vals = vals, .rows = rows, .cols = cols };

	return !rows || bulk_run(&b, e);
}

bool db_bulk_returning(struct db *db, const struct stmt *s, const struct val *vals, size_t rows,
	size_t cols, struct arena *a, const struct field *fields, size_t size, void *rows_r,
	struct err *e)
{
	const struct bulk b = { .db = db, .stmt = s, .vals = vals, .rows = rows, .cols = cols,
		.arena = a, .fields = fields, .size = size, .out = rows_r };

	if (!rows)
		return true;
	memset(rows_r, 0, rows * size);
	return bulk_run(&b, e);
}
