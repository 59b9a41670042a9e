/* db.h - one connection to MariaDB: statements, rows, bulk, transactions.
 *
 * Every value is bound; SQL text is a constant of a table, or built by `struct sql`, which takes literals only. Statements are
 * prepared on first use and again after a reconnect. Lost connections, conflicts and bad data are told apart, because each asks
 * for another reaction. Single-threaded, one query at a time. */
#ifndef GRAPNEL_DB_H
#define GRAPNEL_DB_H

#include "grapnel/base.h"

struct db;

struct db_config {
	const char *socket;		/* NULL or "": TCP to host:port */
	const char *host;
	unsigned port;
	const char *user, *password, *name;
	unsigned connect_timeout_ms, read_timeout_ms;
	const char *tls;		/* "off", "preferred", "required" */
	const char *tls_ca;
};

/* Copies the configuration; connects on first use. Session: READ COMMITTED, strict SQL mode, UTC, utf8mb4,
 * innodb_lock_wait_timeout 5 s, autocommit on, UPDATE counts matched rows. */
struct db *db_new(const struct db_config *c);
void db_free(struct db *db);
bool db_connect(struct db *db, struct err *e) MUST_USE;	/* a no-op when connected */
bool db_is_connected(const struct db *db);
/* Its last connection was given up or refused: it is connected to again once it greets, and nobody waits for that. */
bool db_is_silent(const struct db *db);
void db_doubt(struct db *db);	/* another process found it silent: outside of a transaction, it must greet before it is used */
uint64_t db_connects(const struct db *db);	/* successful ones so far: > 1 means it was lost in between */

/* ---- what went wrong last (valid after a false) ---- */
enum db_trouble {
	DB_FINE,
	DB_CONFLICT,	/* 1213, 1205, 1020, 1047: run the whole transaction again */
	DB_LOST,	/* the connection is gone; before COMMIT: nothing was written */
	DB_DUPLICATE,	/* 1062 */
	DB_DATA,	/* the server refuses a value: too long, bad text, out of range, too large a packet */
	DB_OTHER,
};
enum db_trouble db_trouble(const struct db *db);
unsigned db_errno(const struct db *db);

/* ---- values ---- */

/* VAL_STR is UTF-8, compared by the column's collation. VAL_BYTES is for BINARY, VARBINARY and BLOB columns: it works with VAL_STR
 * as well, but the server then looks at each character of it (2 % of its time for batches with bodies of 1 KiB). */
enum val_type { VAL_NULL, VAL_U64, VAL_I64, VAL_STR, VAL_BYTES };
struct val {
	enum val_type type;
	union {
		uint64_t u;
		int64_t i;
		struct str s;
	};
};
static inline struct val V_U(uint64_t u) { return (struct val){ VAL_U64, { .u = u } }; }
static inline struct val V_I(int64_t i) { return (struct val){ VAL_I64, { .i = i } }; }
static inline struct val V_S(struct str s) { return (struct val){ VAL_STR, { .s = s } }; }	/* never NULL */
static inline struct val V_B(struct str s) { return (struct val){ VAL_BYTES, { .s = s } }; }	/* never NULL */
static inline struct val V_NULL(void) { return (struct val){ VAL_NULL, { 0 } }; }
static inline struct val V_T(ms_t t) { return t ? V_I(t) : V_NULL(); }	/* 0 = NULL */
static inline struct val V_ID(uint64_t id) { return id ? V_U(id) : V_NULL(); }	/* 0 = NULL */
static inline struct val V_SN(struct str s) { return s.p ? V_S(s) : V_NULL(); }	/* p NULL = NULL */
static inline struct val V_SE(struct str s) { return s.n ? V_S(s) : V_NULL(); }	/* empty = NULL */
static inline struct val V_BE(struct str s) { return s.n ? V_B(s) : V_NULL(); }	/* empty = NULL */
#define VALS(...) ((const struct val[]){ __VA_ARGS__ }), ARRAY_SIZE(((const struct val[]){ __VA_ARGS__ }))
struct val V_DECIMAL(struct arena *a, double x);	/* for a column DECIMAL: four decimals, as text in the arena */

/* The members of a struct, in the order of the first n rows of its field table; no FIELD_RATE and no FIELD_NUMBER. */
void fields_to_vals(const struct field *fields, size_t n, const void *obj, struct val *out);

/* ---- statements ---- */

enum stmt_flag { SCAN_OK = 1 };	/* a full scan is fine here; the EXPLAIN test accepts it */

struct stmt {
	const char *name;	/* "incident.by_id": in logs and metrics */
	const char *sql;
	unsigned flags;
};

/* Registers a table of statements for the test that prepares and EXPLAINs each (store/all.c collects them). */
struct stmt_table {
	const struct stmt *stmts;
	size_t n;
};

/* INSERT, UPDATE, DELETE. `affected` may be NULL. */
bool db_exec(struct db *db, const struct stmt *s, const struct val *vals, size_t n, uint64_t *affected, struct err *e) MUST_USE;
uint64_t db_insert_id(const struct db *db);
/* Does the server take it, with the rights of this account? Runs nothing. */
bool db_prepare(struct db *db, const struct stmt *s, struct err *e) MUST_USE;

/* Rows as an array of structs of `size` bytes in the arena, filled by `fields`: each column goes to the field whose name is its alias (SELECT ... AS name).
 * A column without field, or of a type that does not fit, is ERR_BUG. NULL leaves the member zero. */
bool db_query(struct db *db, const struct stmt *s, const struct val *vals, size_t n, struct arena *a,
	const struct field *fields, size_t size, void *rows_r, size_t *n_r, struct err *e) MUST_USE;
/* One row at most: 1 found, 0 absent, -1 failed. */
int db_query_one(struct db *db, const struct stmt *s, const struct val *vals, size_t n, struct arena *a,
	const struct field *fields, size_t size, void *row_r, struct err *e) MUST_USE;

/* Bulk: `rows` x `cols` values, row by row. All rows go in one round trip (STMT_ATTR_ARRAY_SIZE), split by the statement's bytes
 * below max_allowed_packet. Each column must keep one type in all rows (NULL apart). rows = 0 is a no-op.
 * All or nothing: outside a transaction it opens one of its own. Inside one a failure may leave the rows of an UPDATE or DELETE
 * before the failing one changed, so roll back. INSERT ... SELECT cannot be bulk. */
bool db_bulk(struct db *db, const struct stmt *s, const struct val *vals, size_t rows, size_t cols, struct err *e) MUST_USE;
/* The same for INSERT ... RETURNING: exactly one result row per input row, in input order. It has succeeded only when its result is
 * stored: execute alone returns 0 for failed ones. `rows_r`: the caller's array of `rows` structs. */
bool db_bulk_returning(struct db *db, const struct stmt *s, const struct val *vals, size_t rows, size_t cols, struct arena *a,
	const struct field *fields, size_t size, void *rows_r, struct err *e) MUST_USE;

/* ---- transactions ---- */
bool db_begin(struct db *db, struct err *e) MUST_USE;
/* ERR_UNKNOWN when the connection was lost after COMMIT was sent: it may be done or not. */
bool db_commit(struct db *db, struct err *e) MUST_USE;
/* For those who will begin again soon: the next db_begin costs no round trip. Until then the transaction is empty, holds
 * nothing and is ended before any other statement. */
bool db_commit_and_begin(struct db *db, struct err *e) MUST_USE;
bool db_in_tx(const struct db *db);
void db_rollback(struct db *db);	/* no-op when none is open or the connection is gone */
/* Inside a transaction fn is a step of it: when it fails, the whole must be rolled back. Else runs fn inside a transaction; again (at most 3 times, with jitter) on DB_CONFLICT, and once on a connection lost before COMMIT. fn has no effect but SQL. */
bool db_tx(struct db *db, bool (*fn)(struct db *db, void *ctx, struct err *e), void *ctx, struct err *e) MUST_USE;

/* ---- SQL whose shape varies: filtered lists ---- */
/* No strbuf on purpose: text comes only from literals, values only by binding. */
#define SQL_VALS_MAX 128	/* a page merged from ten index ranges with all filters set binds 101 */
struct sql {
	struct strbuf text;
	struct val vals[SQL_VALS_MAX];
	size_t n;
};
void sql_init(struct sql *q, struct arena *a);
#define sql_lit(q, s) sql_lit_((q), "" s, sizeof(s) - 1)
void sql_lit_(struct sql *q, const char *p, size_t n);
void sql_val(struct sql *q, struct val v);	/* writes "?" and binds */
bool db_query_sql(struct db *db, const char *name, const struct sql *q, struct arena *a,
	const struct field *fields, size_t size, void *rows_r, size_t *n_r, struct err *e) MUST_USE;

/* ---- migrations: sql/NNNN_name.sql in order ----
 * Table schema_migrations(number, name, checksum, applied_at). Statements end with ';' at a line's end; each can run again, so a crash in between is mended by
 * running the file again. Two at once: the second waits (GET_LOCK). */
struct migration_status {
	unsigned current, newest;	/* number applied, number in the folder */
	bool clean;			/* no file is applied with another checksum */
};
bool migrate_up(struct db *db, const char *dir, unsigned *applied, struct err *e) MUST_USE;
bool migrate_status(struct db *db, const char *dir, struct migration_status *st, struct err *e) MUST_USE;
/* Number of the newest migration this program was built for; a lower one in the database = refuse to serve. */
#define SCHEMA_NUMBER 5
int schema_current(struct db *db, unsigned *number, struct err *e);	/* 1 known, 0 no schema yet, -1 failed */
extern const struct stmt_table migrate_statements;

#endif
