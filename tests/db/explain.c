/* explain.c - prepares every statement of the product against the migrated schema and asks MariaDB
 * for its plan.
 *
 * A statement that does not prepare is wrong; one that reads a whole table (type ALL, or index)
 * fails unless its row says SCAN_OK. Plans depend on the rows there are, so each table is first
 * filled with a few thousand, all columns different from row to row; and on the values asked for,
 * so each statement is explained with small and with large ones: one good plan will do, since
 * "newer than" reads everything from one end and nothing from the other. Numbers are given as text,
 * which an index takes as well.
 *
 *     GRAPNEL_TEST_SOCKET=... GRAPNEL_TEST_SQL=sql ./db_explain [-v] */
#include "db_test.h"
#include "grapnel/store.h"
#include "grapnel/view.h"
#include "src/db/db_int.h"

#define EXPLAIN_DB "grapnel_explain"
#define ROWS 4000
#define PARAMS_MAX 64

static struct db *db;
static struct arena *a;
static struct err e;
static bool verbose;

/* Any statement, built here from names of the schema alone. */
static void exec_text(const char *name, struct str text)
{
	struct arena *keep = a;
	struct stmt *s = ARENA_NEW(keep, struct stmt);	/* the connection remembers its address */

	s->name = name;
	s->sql = arena_cstr(keep, text);
	if (!db_exec(db, s, NULL, 0, NULL, &e))
		die("%s\n%s", e.text, s->sql);
}

/* ---- rows to look at ---- */

struct column_row {
	struct str table, column, type;
	uint64_t length;
};
static const struct field column_fields[] = {
	FIELD_STR(struct column_row, table, "tab", ""),
	FIELD_STR(struct column_row, column, "col", ""),
	FIELD_STR(struct column_row, type, "type", ""),
	FIELD_U64(struct column_row, length, "length", ""),
	FIELD_END
};
static const struct stmt list_columns = { "columns",
	"SELECT table_name AS tab, column_name AS col, data_type AS type,"
	" character_maximum_length AS length FROM information_schema.columns"
	" WHERE table_schema = DATABASE() AND table_name <> 'schema_migrations'"
	" ORDER BY table_name, ordinal_position" };

/* An expression of `seq` that differs from row to row as far as the type allows. */
static const char *expression(const struct column_row *c)
{
	if (str_eqs(c->type, "tinyint"))
		return "seq % 100";
	if (str_eqs(c->type, "smallint"))
		return "seq % 30000";
	if (str_ends(c->type, "int"))
		return "seq";
	if (str_eqs(c->type, "binary"))
		return c->length == 16 ? "UNHEX(MD5(seq))" : "UNHEX(SHA2(seq, 256))";
	return c->length < 20 ? "LEFT(MD5(seq), 8)" : "CONCAT('x', seq)";
}

static void fill_table(const struct column_row *c, size_t n)
{
	struct strbuf names, values, text;

	strbuf_init(&names, a, 16384);
	strbuf_init(&values, a, 16384);
	strbuf_init(&text, a, 65536);
	for (size_t i = 0; i < n; i++) {
		strbuf_addf(&names, "%s`%.*s`", i ? ", " : "", STR_ARG(c[i].column));
		strbuf_addf(&values, "%s%s", i ? ", " : "", expression(&c[i]));
	}
	strbuf_addf(&text, "INSERT IGNORE INTO `%.*s` (%.*s) SELECT %.*s FROM seq_1_to_%d",
		STR_ARG(c->table), STR_ARG(strbuf_str(&names)), STR_ARG(strbuf_str(&values)), ROWS);
	exec_text("fill", strbuf_str(&text));
	exec_text("analyze", arena_printf(a, "ANALYZE TABLE `%.*s`", STR_ARG(c->table)));
}

static void fill(void)
{
	struct column_row *c;
	size_t n, from = 0;

	if (!db_query(db, &list_columns, NULL, 0, a, column_fields, sizeof(*c), &c, &n, &e))
		die("%s", e.text);
	for (size_t i = 1; i <= n; i++)
		if (i == n || !str_eq(c[i].table, c[from].table)) {
			fill_table(&c[from], i - from);
			from = i;
		}
}

/* ---- plans ---- */

struct plan_row {
	uint64_t id;
	struct str select_type, table, type, possible_keys, key, key_len, ref, rows, extra;
};
static const struct field plan_fields[] = {
	FIELD_U64(struct plan_row, id, "id", ""),
	FIELD_STR(struct plan_row, select_type, "select_type", ""),
	FIELD_STR(struct plan_row, table, "table", ""),
	FIELD_STR(struct plan_row, type, "type", ""),
	FIELD_STR(struct plan_row, possible_keys, "possible_keys", ""),
	FIELD_STR(struct plan_row, key, "key", ""),
	FIELD_STR(struct plan_row, key_len, "key_len", ""),
	FIELD_STR(struct plan_row, ref, "ref", ""),
	FIELD_STR(struct plan_row, rows, "rows", ""),
	FIELD_STR(struct plan_row, extra, "Extra", ""),
	FIELD_END
};

static const char *const values[] = { "1", "3999", "99999999" };	/* first, last, beyond */

static bool is_explainable(const char *sql)
{
	static const char *const verbs[] = { "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE",
		"WITH" };

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_starts(str_of(sql), verbs[i]))
			return true;
	return false;
}

/* The number of places, or -1. */
static int prepare(const struct stmt *s)
{
	MYSQL_STMT *st = mysql_stmt_init(db->my);
	int n = -1;

	if (!mysql_stmt_prepare(st, s->sql, strlen(s->sql)))
		n = (int)mysql_stmt_param_count(st);
	else
		printf("FAIL %s: %s\n", s->name, mysql_stmt_error(st));
	mysql_stmt_close(st);
	return n;
}

/* Scans that are none: the rows that an INSERT is about to write, a derived table ("<derived2>")
 * and a JSON_TABLE, which are as long as what was put into them. Reading a whole index is as bad,
 * unless it is the order in which a LIMIT is filled. */
static bool is_scan(const struct stmt *s, const struct plan_row *p)
{
	if (str_eqs(p->type, "index"))
		return !strstr(s->sql, "LIMIT");
	return str_eqs(p->type, "ALL") && !str_eqs(p->select_type, "INSERT") &&
	       !str_starts(p->table, "<") && !str_starts(p->extra, "Table function");
}

static bool scans(const struct stmt *s, const struct plan_row *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_scan(s, &p[i]))
			return true;
	return false;
}

static void print_plan(const struct stmt *s, const struct plan_row *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("     %-28s %.*s %.*s: %.*s by %.*s, %.*s rows; %.*s\n", s->name,
			STR_ARG(p[i].select_type), STR_ARG(p[i].table), STR_ARG(p[i].type),
			STR_ARG(p[i].key), STR_ARG(p[i].rows), STR_ARG(p[i].extra));
}

static bool has_good_plan(const struct stmt *s, size_t params)
{
	struct stmt *explain = ARENA_NEW(a, struct stmt);
	struct val v[PARAMS_MAX];
	struct plan_row *p = NULL;
	size_t n = 0;

	explain->name = s->name;
	explain->sql = arena_printf(a, "EXPLAIN %s", s->sql).p;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		for (size_t k = 0; k < params; k++)
			v[k] = V_S(str_of(values[i]));
		if (!db_query(db, explain, v, params, a, plan_fields, sizeof(*p), &p, &n, &e)) {
			printf("FAIL %s\n", e.text);
			return false;
		}
		if (verbose)
			print_plan(s, p, n);
		if (!scans(s, p, n))
			return true;
	}
	if (s->flags & SCAN_OK)
		return true;
	printf("FAIL %s: reads a whole table\n", s->name);
	print_plan(s, p, n);
	return false;
}

static bool check(const struct stmt *s)
{
	int params = prepare(s);

	if (params < 0 || params > PARAMS_MAX)
		return false;
	return !is_explainable(s->sql) || has_good_plan(s, (size_t)params);
}

int main(int argc, char **argv)
{
	const char *sql = getenv("GRAPNEL_TEST_SQL");
	size_t n = 0, bad = 0;

	if (!getenv("GRAPNEL_TEST_SOCKET") || !sql)
		return 77;	/* skipped: tests/db/run starts a server */
	verbose = argc > 1 && !strcmp(argv[1], "-v");
	test_database(EXPLAIN_DB);
	a = arena_new(256 << 20);
	db = test_connect(EXPLAIN_DB, 60000);
	if (!migrate_up(db, sql, NULL, &e) || !db_connect(db, &e))
		die("%s", e.text);
	fill();
	for (const struct stmt_table *const *t = stmt_tables; *t; t++)
		for (size_t i = 0; i < (*t)->n; i++, n++)
			bad += !check(&(*t)->stmts[i]);
	for (size_t i = 0; i < view_stmts.n; i++, n++)
		bad += !check(&view_stmts.stmts[i]);
	printf("%zu statements, %zu bad\n", n, bad);
	db_free(db);
	arena_free(a);
	return bad != 0;
}
