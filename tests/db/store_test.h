/* store_test.h - what tests share that have a migrated database to themselves: its connection, questions to it in plain SQL, and how they run.
 *
 * A test file has its own table of statements, a setup and a teardown, and a main of three calls. */
#ifndef GRAPNEL_STORE_TEST_H
#define GRAPNEL_STORE_TEST_H

#include "db_test.h"
#include "grapnel/crypto.h"

static struct db *db;
static struct arena *a;		/* of the test that runs */
static struct err e;

#define STORE_TEST_TEXTS 200
#define STORE_TEST_SKIPPED 77	/* tests/db/run starts the server */

/* The connection remembers statements by their address, so each text stands once and for ever. */
static inline const struct stmt *stmt_of(const char *name, const char *sql)
{
	static struct stmt known[STORE_TEST_TEXTS];
	size_t i = 0;

	while (known[i].sql && strcmp(known[i].sql, sql))
		i++;
	ck_assert_uint_lt(i, ARRAY_SIZE(known) - 1);
	if (!known[i].sql)
		known[i] = (struct stmt){ name, strdup(sql) };
	return &known[i];
}

/* SELECT ... AS n: a number. */
static inline uint64_t number(const char *sql)
{
	struct number {
		uint64_t n;
	} x = { 0 };
	const struct field fields[] = { FIELD_U64(struct number, n, "n", ""), FIELD_END };

	succeeds(db_query_one(db, stmt_of("t.number", sql), NULL, 0, a, fields, sizeof(x), &x, &e) == 1);
	return x.n;
}

#define is(sql, want) ck_assert_msg(number(sql) == (uint64_t)(want), "%s: %llu, not %llu", sql, (unsigned long long)number(sql), \
	(unsigned long long)(want))

/* Before each test. */
static inline void store_test_setup(const char *const *emptied, size_t n)
{
	char sql[100];

	e = (struct err){ 0 };
	a = arena_new(64 << 20);
	for (size_t i = 0; i < n; i++) {
		snprintf(sql, sizeof(sql), "DELETE FROM %s", emptied[i]);
		succeeds(db_exec(db, stmt_of("t.empty", sql), NULL, 0, NULL, &e));
	}
}

/* False: there is no server, and the program ends with STORE_TEST_SKIPPED. */
static inline bool store_test_begin(const char *database, const struct stmt *once, size_t n)
{
	if (!getenv("GRAPNEL_TEST_SOCKET") || !getenv("GRAPNEL_TEST_SQL"))
		return false;
	test_database(database);
	db = test_connect(database, 60000);
	if (!migrate_up(db, getenv("GRAPNEL_TEST_SQL"), NULL, &e))
		die("%s", e.text);
	for (size_t i = 0; i < n; i++)
		if (!db_exec(db, &once[i], NULL, 0, NULL, &e))
			die("%s", e.text);
	return true;
}

/* A new key for secrets; its file is gone when this returns. */
static inline struct seal_key *store_test_key(void)
{
	char dir[] = "/tmp/grapnel-test.XXXXXX", path[64];
	struct seal_key *key;

	if (!mkdtemp(dir))
		die("no folder for a key");
	snprintf(path, sizeof(path), "%s/key", dir);
	if (!seal_key_create(path, &e) || !(key = seal_key_load(path, &e)))
		die("%s", e.text);
	unlink(path);
	rmdir(dir);
	return key;
}

/* The exit status. Without forks, since all tests share the connection. */
static inline int store_test_run(const char *name, const TTest *const *tests, size_t n, void (*setup)(void), void (*teardown)(void))
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create(name);
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	db_free(db);
	return failed != 0;
}

#endif
