/* db_fixture.h - the table, the statements and the two connections of the tests of src/db. */
#ifndef GRAPNEL_DB_FIXTURE_H
#define GRAPNEL_DB_FIXTURE_H

#include "db_test.h"

static struct db *db, *other;	/* `other` kills, locks and looks */
static struct arena *a;
static struct err e;

struct row {
	uint64_t id, u;
	int64_t i;
	struct str s, b, l;
	bool flag;
	ms_t at;
	double rate;
	uint64_t seen;
};

static const struct field row_fields[] = {
	FIELD_ID(struct row, id, "id", ""),
	FIELD_U64(struct row, u, "u", ""),
	FIELD_I64(struct row, i, "i", ""),
	FIELD_STR(struct row, s, "s", ""),
	FIELD_STR(struct row, b, "b", ""),
	FIELD_JSON(struct row, l, "l", ""),
	FIELD_BOOL(struct row, flag, "flag", ""),
	FIELD_TIME(struct row, at, "at", ""),
	FIELD_RATE(struct row, rate, "rate", ""),
	FIELD_U64(struct row, seen, "seen", ""),
	FIELD_END
};

enum {
	Q_DROP, Q_CREATE, Q_INSERT, Q_ALL, Q_BY_BYTES, Q_UPSERT, Q_ADD, Q_SET_U, Q_COUNT,
	Q_CONNECTION, Q_KILL, Q_ALIVE, Q_WAITING, Q_FREEZE, Q_THAW, Q_SHORT_WAIT, Q_SLEEP,
	Q_SLOW_WRITE, Q_SLOW_UPSERT, Q_USER, Q_GRANT, Q_SETTINGS, Q_SUMS, Q_AUTO, Q_AUTO_INSERT,
	Q_NEGATIVE, Q_NO_FIELD, Q_WRONG_TYPE, Q_SYNTAX, Q_PID_FILE,
};

static const struct stmt q[] = {
	[Q_DROP] = { "t.drop", "DROP TABLE IF EXISTS t" },
	[Q_CREATE] = { "t.create",
		"CREATE TABLE t (id BIGINT UNSIGNED NOT NULL, u BIGINT UNSIGNED NULL,"
		" i BIGINT NULL, s VARCHAR(20) NULL, b VARBINARY(300) NULL, l LONGTEXT NULL,"
		" flag TINYINT(1) NULL, at BIGINT NULL, seen INT UNSIGNED NOT NULL DEFAULT 0,"
		" PRIMARY KEY (id), UNIQUE KEY (u), KEY (b))"
		" ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin" },
	[Q_INSERT] = { "t.insert",
		"INSERT INTO t (id, u, i, s, b, l, flag, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_ALL] = { "t.all",
		"SELECT id, u, i, s, b, l, flag, at, seen, i / 4 AS rate FROM t ORDER BY id" },
	[Q_BY_BYTES] = { "t.by_bytes", "SELECT id, b FROM t WHERE b = ?" },
	[Q_UPSERT] = { "t.upsert",
		"INSERT INTO t (id, s, l) VALUES (?, ?, ?)"
		" ON DUPLICATE KEY UPDATE seen = seen + 1 RETURNING id, s, seen" },
	[Q_ADD] = { "t.add", "INSERT INTO t (id, s, l) VALUES (?, ?, ?)" },
	[Q_SET_U] = { "t.set_u", "UPDATE t SET u = ? WHERE id = ?" },
	[Q_COUNT] = { "t.count", "SELECT COUNT(*) AS u FROM t" },

	[Q_CONNECTION] = { "connection", "SELECT CONNECTION_ID() AS u" },
	[Q_KILL] = { "kill", "KILL ?" },
	[Q_ALIVE] = { "alive",
		"SELECT COUNT(*) AS u FROM information_schema.processlist WHERE id = ?" },
	[Q_WAITING] = { "waiting",
		"SELECT COUNT(*) AS u FROM information_schema.processlist"
		" WHERE id = ? AND info LIKE ?" },
	[Q_FREEZE] = { "freeze", "FLUSH TABLES WITH READ LOCK" },
	[Q_THAW] = { "thaw", "UNLOCK TABLES" },
	[Q_SHORT_WAIT] = { "short_wait", "SET SESSION innodb_lock_wait_timeout = 1" },
	[Q_SLEEP] = { "sleep", "SELECT SLEEP(60) AS u" },
	[Q_SLOW_WRITE] = { "slow_write", "UPDATE t SET seen = seen + SLEEP(60) + 1 WHERE id = ?" },
	[Q_SLOW_UPSERT] = { "slow_upsert",
		"INSERT INTO t (id, seen) VALUES (1, SLEEP(60)) RETURNING id" },
	[Q_USER] = { "user",
		"CREATE OR REPLACE USER somebody@localhost IDENTIFIED BY 'it''s secret'" },
	[Q_GRANT] = { "grant", "GRANT ALL ON " TEST_DB ".* TO somebody@localhost" },

	[Q_SETTINGS] = { "settings",
		"SELECT CONCAT_WS(' ', @@tx_isolation, @@time_zone, @@innodb_lock_wait_timeout,"
		" @@autocommit, @@character_set_client, @@character_set_connection,"
		" LOCATE('STRICT_ALL_TABLES', @@sql_mode) > 0) AS s" },
	[Q_SUMS] = { "sums",
		"SELECT SUM(u) AS u, SUM(i) AS i, AVG(i) AS rate, COUNT(*) AS seen,"
		" MAX(id) > 1 AS flag FROM t" },
	[Q_AUTO] = { "auto.create",
		"CREATE OR REPLACE TABLE auto"
		" (id INT UNSIGNED NOT NULL AUTO_INCREMENT, n INT, PRIMARY KEY (id))" },
	[Q_AUTO_INSERT] = { "auto.insert", "INSERT INTO auto (n) VALUES (?)" },

	[Q_NEGATIVE] = { "negative", "SELECT -1 AS u" },
	[Q_NO_FIELD] = { "no_field", "SELECT 1 AS nobody" },
	[Q_WRONG_TYPE] = { "wrong_type", "SELECT 'x' AS u" },
	[Q_PID_FILE] = { "pid_file",
		"SELECT IF(LEFT(@@pid_file, 1) = '/', @@pid_file, CONCAT(@@datadir, @@pid_file)) AS s" },
	[Q_SYNTAX] = { "syntax", "SELECT FROM WHERE" },
};

static inline void setup(void)
{
	e = (struct err){ 0 };
	a = arena_new(64 << 20);
	db = test_connect(TEST_DB, 30000);
	other = test_connect(TEST_DB, 30000);
	succeeds(db_exec(other, &q[Q_DROP], NULL, 0, NULL, &e));
	succeeds(db_exec(other, &q[Q_CREATE], NULL, 0, NULL, &e));
	succeeds(db_connect(db, &e));
}

static inline void teardown(void)
{
	db_free(db);
	db_free(other);
	arena_free(a);
}

static inline uint64_t number(struct db *on, const struct stmt *s, const struct val *vals, size_t n)
{
	struct row r;

	succeeds(db_query_one(on, s, vals, n, a, row_fields, sizeof(r), &r, &e) == 1);
	return r.u;
}

static inline uint64_t count(void)
{
	return number(other, &q[Q_COUNT], NULL, 0);
}

static inline struct row *all(size_t *n)
{
	struct row *rows;

	succeeds(db_query(other, &q[Q_ALL], NULL, 0, a, row_fields, sizeof(*rows), &rows, n, &e));
	return rows;
}

static inline void kill_connection(uint64_t id)
{
	succeeds(db_exec(other, &q[Q_KILL], VALS(V_U(id)), NULL, &e));
	while (number(other, &q[Q_ALIVE], VALS(V_U(id))))
		test_pause();
}

/* A child process that kills connection `id` once it is busy with a statement of that beginning. */
static inline pid_t kill_when_busy(uint64_t id, const char *with)
{
	pid_t child = test_fork();

	if (child)
		return child;
	other = test_connect(TEST_DB, 30000);
	while (!number(other, &q[Q_WAITING], VALS(V_U(id), V_S(str_of(with)))))
		test_pause();
	kill_connection(id);
	_exit(0);
}

/* `rows` rows of (id, s, l): ids from `first` on, each with its text. */
static inline struct val *bulk_rows(uint64_t first, size_t rows, struct str l)
{
	struct val *v = ARENA_ARRAY(a, struct val, rows * 3 + 1);

	for (size_t i = 0; i < rows; i++) {
		v[i * 3] = V_U(first + i);
		v[i * 3 + 1] = V_S(arena_printf(a, "row %zu", i));
		v[i * 3 + 2] = V_SN(l);
	}
	return v;
}

static inline int fixture_run(Suite *s)
{
	SRunner *r;
	int failed;

	if (!getenv("GRAPNEL_TEST_SOCKET"))
		return 77;	/* skipped: tests/db/run starts a server */
	test_database(TEST_DB);
	r = srunner_create(s);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

#endif
