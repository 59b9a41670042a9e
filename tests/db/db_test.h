/* db_test.h - what the tests with a database share: connections to the scratch server and two words
 * for what has to happen. A test file has one `static struct err e`. */
#ifndef GRAPNEL_DB_TEST_H
#define GRAPNEL_DB_TEST_H

#include <check.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "grapnel/db.h"

#define TEST_DB "grapnel_test"

/* A child process may not jump back into the runner. */
static bool test_in_child;

#define succeeds(call) \
	do { \
		bool done_ = (call); \
		if (!done_ && test_in_child) \
			die("%s", e.text); \
		ck_assert_msg(done_, "%s", e.text); \
	} while (0)
#define fails(call, want_code, want_trouble)                                                       \
	do {                                                                                       \
		bool done_;                                                                        \
		e = (struct err){ 0 };                                                             \
		done_ = (call);                                                                    \
		ck_assert_msg(!done_, "should have failed");                                       \
		ck_assert_msg(e.code == (want_code), "code %d: %s", e.code, e.text);               \
		ck_assert_msg(db_trouble(db) == (want_trouble), "trouble %d: %s", db_trouble(db),  \
			e.text);                                                                   \
		e = (struct err){ 0 };                                                             \
	} while (0)

static inline struct db *test_connect(const char *name, unsigned read_timeout_ms)
{
	const struct db_config c = { .socket = getenv("GRAPNEL_TEST_SOCKET"),
		.user = "root",
		.password = "",
		.name = name,
		.connect_timeout_ms = 5000,
		.read_timeout_ms = read_timeout_ms };

	return db_new(&c);
}

/* An empty database of that name. */
static inline void test_database(const char *name)
{
	struct err e = { 0 };
	struct db *db = test_connect(NULL, 30000);
	char drop[100], create[100];
	const struct stmt again[] = { { "test.drop", drop }, { "test.create", create } };

	snprintf(drop, sizeof(drop), "DROP DATABASE IF EXISTS %s", name);
	snprintf(create, sizeof(create),
		"CREATE DATABASE %s CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", name);
	for (size_t i = 0; i < ARRAY_SIZE(again); i++)
		if (!db_exec(db, &again[i], NULL, 0, NULL, &e))
			die("%s", e.text);
	db_free(db);
}

static inline pid_t test_fork(void)
{
	pid_t child = fork();

	test_in_child = child == 0;
	return child;
}

static inline void test_pause(void)	/* between two looks at a condition */
{
	const struct timespec t = { 0, 5000000 };

	nanosleep(&t, NULL);
}

/* Between two looks at information_schema.innodb_trx: who asks again within 100 ms is answered from a cache, without end. */
static inline void test_pause_trx(void)
{
	const struct timespec t = { 0, 150000000 };

	nanosleep(&t, NULL);
}

static inline void test_child_ended_well(pid_t child)
{
	int status = 0;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}

#endif
