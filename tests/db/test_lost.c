/* src/db when it matters: transactions, connections killed at the worst moment, deadlocks. */
#include "db_fixture.h"

#include <dirent.h>
#include <signal.h>

/* ---- transactions and lost connections ---- */

static bool add(struct db *on, uint64_t id)
{
	return db_exec(on, &q[Q_ADD], VALS(V_U(id), V_NULL(), V_NULL()), NULL, &e);
}

START_TEST(test_commit_and_rollback)
{
	succeeds(db_begin(db, &e));
	fails(db_begin(db, &e), ERR_BUG, DB_FINE);
	succeeds(add(db, 1));
	ck_assert_uint_eq(count(), 0);
	succeeds(db_commit(db, &e));
	ck_assert_uint_eq(count(), 1);
	succeeds(db_begin(db, &e));
	succeeds(add(db, 2));
	db_rollback(db);
	db_rollback(db);
	ck_assert_uint_eq(count(), 1);
	fails(db_commit(db, &e), ERR_BUG, DB_FINE);
}
END_TEST

/* COMMIT AND CHAIN begins the next one: what follows outside of it is written at once, and the next begin costs nothing. */
START_TEST(test_commit_and_begin)
{
	succeeds(db_begin(db, &e));
	succeeds(add(db, 1));
	succeeds(db_commit_and_begin(db, &e));
	ck_assert_uint_eq(count(), 1);
	succeeds(add(db, 2));		/* outside: seen by others although nobody commits */
	ck_assert_uint_eq(count(), 2);
	succeeds(db_begin(db, &e));
	succeeds(add(db, 3));
	succeeds(db_commit_and_begin(db, &e));
	succeeds(db_begin(db, &e));
	fails(db_begin(db, &e), ERR_BUG, DB_FINE);
	succeeds(add(db, 4));
	ck_assert_uint_eq(count(), 3);
	db_rollback(db);
	ck_assert_uint_eq(count(), 3);
	succeeds(db_begin(db, &e));
	succeeds(db_commit_and_begin(db, &e));
	kill_connection(number(db, &q[Q_CONNECTION], NULL, 0));
	succeeds(db_begin(db, &e));	/* the begun one went with its connection */
	succeeds(add(db, 5));
	succeeds(db_commit(db, &e));
	ck_assert_uint_eq(count(), 4);
}
END_TEST

START_TEST(test_idle_connection_closed)
{
	struct row r;

	succeeds(add(db, 1));
	kill_connection(number(db, &q[Q_CONNECTION], NULL, 0));
	succeeds(add(db, 2));		/* noticed before it was sent */
	ck_assert_uint_eq(db_connects(db), 2);
	kill_connection(number(db, &q[Q_CONNECTION], NULL, 0));
	succeeds(db_query_one(db, &q[Q_COUNT], NULL, 0, a, row_fields, sizeof(r), &r, &e) == 1);
	ck_assert_uint_eq(r.u, 2);
	kill_connection(number(db, &q[Q_CONNECTION], NULL, 0));
	succeeds(db_begin(db, &e));
	succeeds(add(db, 3));
	succeeds(db_commit(db, &e));
	ck_assert_uint_eq(db_connects(db), 4);
}
END_TEST

START_TEST(test_killed_before_commit)
{
	succeeds(db_begin(db, &e));
	succeeds(add(db, 1));
	kill_connection(number(db, &q[Q_CONNECTION], NULL, 0));
	fails(add(db, 2), ERR_DOWN, DB_LOST);
	ck_assert(!db_is_connected(db));
	fails(add(db, 3), ERR_DOWN, DB_LOST);		/* else it would commit alone */
	fails(db_commit(db, &e), ERR_DOWN, DB_LOST);
	ck_assert_uint_eq(count(), 0);
	succeeds(add(db, 4));
	ck_assert_uint_eq(count(), 1);
}
END_TEST

START_TEST(test_commit_not_sent)
{
	succeeds(db_begin(db, &e));
	succeeds(add(db, 1));
	kill_connection(number(db, &q[Q_CONNECTION], NULL, 0));
	fails(db_commit(db, &e), ERR_DOWN, DB_LOST); /* not ERR_UNKNOWN: it could not be written */
	ck_assert_uint_eq(count(), 0);
}
END_TEST

/* A commit that hangs, on a server whose commits are frozen, and then loses its connection. */
START_TEST(test_commit_without_answer)
{
	uint64_t id = number(db, &q[Q_CONNECTION], NULL, 0);
	pid_t child;

	succeeds(db_begin(db, &e));
	succeeds(add(db, 1));
	succeeds(db_exec(other, &q[Q_FREEZE], NULL, 0, NULL, &e));
	child = kill_when_busy(id, "COMMIT%");
	fails(db_commit(db, &e), ERR_UNKNOWN, DB_LOST);
	test_child_ended_well(child);
	succeeds(db_exec(other, &q[Q_THAW], NULL, 0, NULL, &e));
	succeeds(add(db, 2));
}
END_TEST

START_TEST(test_write_without_answer)
{
	pid_t child;

	succeeds(add(db, 1));
	child = kill_when_busy(number(db, &q[Q_CONNECTION], NULL, 0), "UPDATE%");
	fails(db_exec(db, &q[Q_SLOW_WRITE], VALS(V_U(1)), NULL, &e), ERR_UNKNOWN, DB_LOST);
	test_child_ended_well(child);
	ck_assert_uint_eq(db_connects(db), 1);
}
END_TEST

/* An upsert that gives rows is no reading, though it is asked like that. */
START_TEST(test_returning_without_answer)
{
	struct row *rows;
	size_t n;
	pid_t child;

	child = kill_when_busy(number(db, &q[Q_CONNECTION], NULL, 0), "INSERT%");
	fails(db_query(db, &q[Q_SLOW_UPSERT], NULL, 0, a, row_fields, sizeof(*rows), &rows, &n, &e),
		ERR_UNKNOWN, DB_LOST);
	test_child_ended_well(child);
	ck_assert_uint_eq(db_connects(db), 1);
}
END_TEST

START_TEST(test_password)
{
	struct db *kept = db;
	struct db_config c = { .socket = getenv("GRAPNEL_TEST_SOCKET"), .user = "somebody",
		.password = "it's secret", .name = TEST_DB };

	succeeds(db_exec(other, &q[Q_USER], NULL, 0, NULL, &e));
	succeeds(db_exec(other, &q[Q_GRANT], NULL, 0, NULL, &e));
	db = db_new(&c);
	for (int i = 0; i < 2; i++) {
		succeeds(add(db, (uint64_t)i));
		kill_connection(number(db, &q[Q_CONNECTION], NULL, 0));
	}
	ck_assert_uint_eq(db_connects(db), 2);
	db_free(db);
	c.password = "wrong";
	db = db_new(&c);
	fails(db_connect(db, &e), ERR_DOWN, DB_LOST);
	db_free(db);
	db = kept;
}
END_TEST

START_TEST(test_answer_too_late)
{
	struct db *kept = db;
	struct row *rows;
	size_t n;

	db = test_connect(TEST_DB, 3000);
	fails(db_query(db, &q[Q_SLEEP], NULL, 0, a, row_fields, sizeof(*rows), &rows, &n, &e),
		ERR_DOWN, DB_LOST);
	ck_assert_uint_eq(db_connects(db), 2);		/* reading was tried twice */
	succeeds(add(db, 1));
	db_free(db);
	db = kept;
}
END_TEST

static pid_t server_pid(void)
{
	struct row r;
	struct str text;
	uint64_t pid;

	succeeds(db_query_one(other, &q[Q_PID_FILE], NULL, 0, a, row_fields, sizeof(r), &r, &e) == 1);
	succeeds(file_read(a, arena_cstr(a, r.s), 32, &text, &e));
	succeeds(str_u64(str_trim(text), &pid));
	return (pid_t)pid;
}

static int64_t ms_since(int64_t began_us)
{
	return (clock_mono_us() - began_us) / 1000;
}

static pid_t stopped;

static void let_go(void)
{
	if (stopped)
		kill(stopped, SIGCONT);
	stopped = 0;
}

/* Field 3 of stat (proc(5)); one that ended meanwhile stands, too. */
static bool task_stands(const char *tasks, const char *name)
{
	FILE *f = fopen(arena_printf(a, "%s/%s/stat", tasks, name).p, "re");
	char state = 'T';

	if (!f)
		return true;
	(void)!fscanf(f, "%*d %*s %c", &state);
	fclose(f);
	return state == 'T';
}

/* Of a process with many threads each stops when it is its turn. */
static bool stands(pid_t pid)
{
	const char *tasks = arena_printf(a, "/proc/%d/task", (int)pid).p;
	DIR *d = opendir(tasks);
	struct dirent *entry;
	bool all = d != NULL;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.' && !task_stands(tasks, entry->d_name))
			all = false;
	closedir(d);
	return all;
}

/* A server that stands still is given up after a second and something, and not waited for again before it goes on. */
START_TEST(test_server_that_was_stopped)
{
	pid_t pid = server_pid();
	int64_t began_us;

	succeeds(add(db, 1));
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	stopped = pid;
	while (!stands(pid))
		test_pause();
	began_us = clock_mono_us();
	fails(add(db, 2), ERR_UNKNOWN, DB_LOST);
	ck_assert_int_lt(ms_since(began_us), 20000);
	began_us = clock_mono_us();
	for (uint64_t i = 0; i < 100; i++)
		fails(add(db, 3 + i), ERR_DOWN, DB_LOST);
	ck_assert_int_lt(ms_since(began_us), 20000);	/* a fifth of a second each */
	let_go();
	while (!db_connect(db, &e))
		test_pause();
	succeeds(add(db, 200));
}
END_TEST

/* Who waits for a lock waits as long as the lock does: the server lives. */
START_TEST(test_slow_answer_of_a_living_server)
{
	int64_t began_us;

	succeeds(add(db, 1));
	succeeds(db_begin(other, &e));
	succeeds(db_exec(other, &q[Q_SET_U], VALS(V_U(5), V_U(1)), NULL, &e));
	began_us = clock_mono_us();
	fails(db_exec(db, &q[Q_SET_U], VALS(V_U(6), V_U(1)), NULL, &e), ERR_DOWN, DB_CONFLICT);
	ck_assert_int_ge(ms_since(began_us), 4000);	/* innodb_lock_wait_timeout */
	db_rollback(other);
}
END_TEST

START_TEST(test_no_server)
{
	const struct db_config c = {
		.socket = "/nonexistent/mariadb.sock", .user = "root", .connect_timeout_ms = 1000
	};
	struct db *kept = db;

	db = db_new(&c);
	fails(db_connect(db, &e), ERR_DOWN, DB_LOST);
	fails(add(db, 1), ERR_DOWN, DB_LOST);		/* never sent, so not ERR_UNKNOWN */
	fails(db_begin(db, &e), ERR_DOWN, DB_LOST);
	ck_assert_uint_eq(db_connects(db), 0);
	db_free(db);
	db = kept;
}
END_TEST

START_TEST(test_tls)
{
	struct db_config c = { .socket = getenv("GRAPNEL_TEST_SOCKET"),
		.user = "root",
		.name = TEST_DB,
		.tls = "preferred" };
	struct db *kept = db;

	db = db_new(&c);
	succeeds(db_connect(db, &e));
	db_free(db);
	c.tls = "required";		/* the scratch server has no certificate */
	db = db_new(&c);
	fails(db_connect(db, &e), ERR_DOWN, DB_LOST);
	db_free(db);
	db = kept;
}
END_TEST

/* ---- db_tx ---- */

struct attempt {
	unsigned n;
	int ready;		/* a pipe: the other side holds its lock */
	enum err_code own;	/* fail for a reason of our own */
};

static bool lose_once(struct db *on, void *ctx, struct err *err)
{
	struct attempt *t = ctx;

	if (!db_exec(on, &q[Q_ADD], VALS(V_U(1), V_NULL(), V_NULL()), NULL, err))
		return false;
	if (!t->n++)
		kill_connection(number(on, &q[Q_CONNECTION], NULL, 0));
	return db_exec(on, &q[Q_ADD], VALS(V_U(2), V_NULL(), V_NULL()), NULL, err);
}

START_TEST(test_tx_after_lost_connection)
{
	struct attempt t = { 0 };

	succeeds(db_tx(db, lose_once, &t, &e));
	ck_assert_uint_eq(t.n, 2);
	ck_assert_uint_eq(count(), 2);
}
END_TEST

static bool lose_always(struct db *on, void *ctx, struct err *err)
{
	struct attempt *t = ctx;

	t->n++;
	kill_connection(number(on, &q[Q_CONNECTION], NULL, 0));
	return db_exec(on, &q[Q_ADD], VALS(V_U(2), V_NULL(), V_NULL()), NULL, err);
}

START_TEST(test_tx_gives_up)
{
	struct attempt t = { 0 };

	fails(db_tx(db, lose_always, &t, &e), ERR_DOWN, DB_LOST);
	ck_assert_uint_eq(t.n, 2);
}
END_TEST

static bool refuse(struct db *on, void *ctx, struct err *err)
{
	struct attempt *t = ctx;

	t->n++;
	if (!db_exec(on, &q[Q_ADD], VALS(V_U(1), V_NULL(), V_NULL()), NULL, err))
		return false;
	return err_set(err, ERR_DENIED, "no");
}

START_TEST(test_tx_refused_by_its_function)
{
	struct attempt t = { 0 };

	fails(db_tx(db, refuse, &t, &e), ERR_DENIED, DB_FINE);
	ck_assert_uint_eq(t.n, 1);
	ck_assert_uint_eq(count(), 0);
}
END_TEST

/* Row 2 and then row 1, with enough changes besides that the server picks the other one as the
 * victim. */
static void cross_over(int ready)
{
	char c = 1;

	other = test_connect(TEST_DB, 30000);
	succeeds(db_begin(other, &e));
	succeeds(db_bulk(other, &q[Q_ADD], bulk_rows(1000, 300, STR_NONE), 300, 3, &e));
	succeeds(db_exec(other, &q[Q_SET_U], VALS(V_U(22), V_U(2)), NULL, &e));
	succeeds(write(ready, &c, 1) == 1);
	succeeds(db_exec(other, &q[Q_SET_U], VALS(V_U(21), V_U(1)), NULL, &e));
	succeeds(db_commit(other, &e));
	_exit(0);
}

static bool cross(struct db *on, void *ctx, struct err *err)
{
	struct attempt *t = ctx;
	char c;

	if (!db_exec(on, &q[Q_SET_U], VALS(V_U(11), V_U(1)), NULL, err))
		return false;
	if (!t->n++)
		ck_assert_int_eq(read(t->ready, &c, 1), 1);
	return db_exec(on, &q[Q_SET_U], VALS(V_U(12), V_U(2)), NULL, err);
}

START_TEST(test_tx_after_deadlock)
{
	struct attempt t = { 0 };
	struct row *rows;
	int ends[2];
	pid_t child;
	size_t n;

	succeeds(db_bulk(db, &q[Q_ADD], bulk_rows(1, 2, STR_NONE), 2, 3, &e));
	ck_assert_int_eq(pipe(ends), 0);
	child = test_fork();
	if (!child)
		cross_over(ends[1]);
	t.ready = ends[0];
	succeeds(db_tx(db, cross, &t, &e));
	test_child_ended_well(child);
	ck_assert_uint_gt(t.n, 1);
	rows = all(&n);
	ck_assert_uint_eq(n, 302);
	ck_assert(rows[0].u == 11 && rows[1].u == 12);	/* ours came second */
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(test_lock_wait_is_a_conflict)
{
	succeeds(add(db, 1));
	succeeds(db_begin(other, &e));
	succeeds(db_exec(other, &q[Q_SET_U], VALS(V_U(5), V_U(1)), NULL, &e));
	succeeds(db_exec(db, &q[Q_SHORT_WAIT], NULL, 0, NULL, &e));
	succeeds(db_begin(db, &e));
	fails(db_exec(db, &q[Q_SET_U], VALS(V_U(6), V_U(1)), NULL, &e), ERR_DOWN, DB_CONFLICT);
	ck_assert_uint_eq(db_errno(db), 1205);
	fails(add(db, 2), ERR_DOWN, DB_CONFLICT);	/* until it is rolled back */
	db_rollback(db);
	db_rollback(other);
	succeeds(add(db, 2));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("db_lost");
	TCase *t = tcase_create("db_lost");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_checked_fixture(t, NULL, let_go);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_commit_and_rollback);
	tcase_add_test(t, test_commit_and_begin);
	tcase_add_test(t, test_idle_connection_closed);
	tcase_add_test(t, test_killed_before_commit);
	tcase_add_test(t, test_commit_not_sent);
	tcase_add_test(t, test_commit_without_answer);
	tcase_add_test(t, test_write_without_answer);
	tcase_add_test(t, test_returning_without_answer);
	tcase_add_test(t, test_password);
	tcase_add_test(t, test_answer_too_late);
	tcase_add_test(t, test_server_that_was_stopped);
	tcase_add_test(t, test_slow_answer_of_a_living_server);
	tcase_add_test(t, test_no_server);
	tcase_add_test(t, test_tls);
	tcase_add_test(t, test_tx_after_lost_connection);
	tcase_add_test(t, test_tx_gives_up);
	tcase_add_test(t, test_tx_refused_by_its_function);
	tcase_add_test(t, test_tx_after_deadlock);
	tcase_add_test(t, test_lock_wait_is_a_conflict);
	suite_add_tcase(s, t);
	return fixture_run(s);
}
