/* test_task.c - long work in steps, against a real MariaDB: replays of events by filter, runners that are killed in the middle, two at once,
 * cancelling. Time is handed in but for the runner's turns; each test begins with empty tables. */
#include <signal.h>
#include <sys/wait.h>

#include "grapnel/task.h"
#include "tests/db/store_test.h"

#define TASK_DB "grapnel_task"
#define NOW 1800000000000LL	/* 2027-01-15T08:00:00Z */
#define FIRST ((uint64_t)(NOW - 1577836800000LL - MS_PER_DAY) << 22)	/* the number of an event of the day before */
#define TASK 4242

static const char *const emptied[] = { "events", "forwards", "event_attempts", "tasks", "sources", "event_minutes", "event_failures" };

enum { T_SOURCE, T_EVENTS, T_QUEUE, T_SET_STATUS };

/* Source 1 forwards, 2 has incidents alone, 3 forwards and is another tenant's. */
static const struct stmt stmts[] = {
	[T_SOURCE] = { "t.source", "INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, handler_url,"
		" created_at, updated_at) SELECT seq, CONCAT('in_', seq), IF(seq = 3, 2, 1), 1, IF(seq = 2, 'grafana', 'webhook'), CONCAT('hook ', seq), 1,"
		" IF(seq = 2, 1, 5), 'http://127.0.0.1:1/hook', 1, 1 FROM seq_1_to_3" },
	[T_EVENTS] = { "t.events",
		"INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary,"
		" status, done, attempts, received_at, processed_at, updated_at) SELECT ? + seq, IF(? = 3, 2, 1), ?, 1, 0, CONCAT('ev-', seq), 'x', 1, 1, 1,"
		" 's', ?, IF(? = 2, 5, 1), 1, 1, 77, 1 FROM seq_1_to_100000 WHERE seq <= ?" },
	[T_QUEUE] = { "t.queue", "INSERT INTO forwards (event_id, source_id, next_at, owner, tries) VALUES (?, 1, ?, ?, 3)" },
	[T_SET_STATUS] = { "t.status", "UPDATE events SET status = ? WHERE id = ?" },
};

static void run(int q, const struct val *vals, size_t n)
{
	succeeds(db_exec(db, &stmts[q], vals, n, NULL, &e));
}

static void setup(void)
{
	store_test_setup(emptied, ARRAY_SIZE(emptied));
	run(T_SOURCE, NULL, 0);
}

static void teardown(void)
{
	arena_free(a);
}

static void events(uint64_t source, uint64_t from, uint64_t n, enum event_status status)
{
	run(T_EVENTS, VALS(V_U(FIRST + from), V_U(source), V_U(source), V_U(status), V_U(status), V_U(n)));
}

static void ask(uint64_t id, const struct event_filter *f)
{
	const struct task_wish w = { .id = id, .tenant_id = f->tenant_id, .kind = STR("replay"), .about = STR(""),
		.params = task_replay_params(a, f) };

	succeeds(task_add(db, &w, NOW, &e));
}

static struct task_view seen(uint64_t id)
{
	struct task_view v;

	ck_assert_int_eq(task_view_get(db, a, 1, id, &v, &e), 1);
	return v;
}

/* Until it has nothing more to do. That it holds none may be the end of its slice: where the machine is slow it gives back what is not done. */
static void work_out(struct task_runner *t, ms_t now)
{
	int64_t began_us = clock_mono_us();
	struct task due;
	ms_t at;

	do {
		at = now + (clock_mono_us() - began_us) / 1000;
		succeeds(task_runner_turn(t, at, &e));
	} while (task_runner_is_busy(t) || task_due(db, a, at + MS_PER_SECOND, &due, &e) == 1);
}

static void work(ms_t now)
{
	struct task_runner *t = task_runner_new(&(struct task_config){ .db = db });

	work_out(t, now);
	task_runner_free(t);
}

/* ---- what a replay does ---- */

START_TEST(test_replay_of_all_kinds)
{
	struct task_view v;

	events(1, 0, 3, EVENT_PROCESSED);
	events(1, 10, 2, EVENT_FAILED);
	events(1, 20, 1, EVENT_DEAD);
	events(1, 30, 1, EVENT_IGNORED);
	events(1, 40, 1, EVENT_PROCESSING);
	events(2, 50, 4, EVENT_PROCESSED);	/* nothing is left of an incident */
	events(3, 60, 5, EVENT_PROCESSED);	/* another tenant's */
	run(T_QUEUE, VALS(V_U(FIRST + 11), V_I(NOW + MS_PER_HOUR), V_U(0)));	/* waits for its next attempt */
	run(T_QUEUE, VALS(V_U(FIRST + 41), V_I(NOW + MS_PER_MINUTE), V_U(9)));	/* is being sent */
	ask(TASK, &(struct event_filter){ .tenant_id = 1 });
	work(NOW);
	v = seen(TASK);
	ck_assert_uint_eq(v.state_n, TASK_DONE);
	ck_assert(v.seen == 12 && v.changed == 6 && v.passed_over == 6 && v.waiting == 6 && v.finished_at && v.progress >= 1);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 0 AND done = 1 AND source_id = 1", 6);
	is("SELECT COUNT(*) AS n FROM forwards WHERE task_id = 4242 AND owner = 0 AND tries = 0 AND next_at = 1800000000000", 6);
	is("SELECT COUNT(*) AS n FROM forwards WHERE was = 2", 3);
	is("SELECT COUNT(*) AS n FROM forwards WHERE was = 3", 2);
	is("SELECT COUNT(*) AS n FROM forwards WHERE task_id IS NULL AND owner = 9", 1);
	is("SELECT COUNT(*) AS n FROM events WHERE source_id > 1 AND status = 2", 9);
}
END_TEST

START_TEST(test_replay_by_filter)
{
	events(1, 0, 100, EVENT_PROCESSED);
	events(1, 1000, 10, EVENT_DEAD);
	events(2, 2000, 10, EVENT_DEAD);
	ask(TASK, &(struct event_filter){ .tenant_id = 1, .statuses = 1 << EVENT_DEAD, .provider = STR("webhook") });
	work(NOW);
	ck_assert(seen(TASK).seen == 10 && seen(TASK).changed == 10);
	ask(TASK + 1, &(struct event_filter){ .tenant_id = 1, .text = STR("ev-7"), .to = NOW });
	work(NOW);
	ck_assert_uint_eq(seen(TASK + 1).state_n, TASK_DONE);
	ask(TASK + 2, &(struct event_filter){ .tenant_id = 1, .from = NOW });	/* events that came after it was asked for are none of its */
	work(NOW);
	ck_assert(seen(TASK + 2).seen == 0 && seen(TASK + 2).state_n == TASK_DONE);
}
END_TEST

START_TEST(test_filter_that_names_nothing_known)
{
	events(1, 0, 10, EVENT_PROCESSED);
	ask(TASK, &(struct event_filter){ .tenant_id = 1, .source = STR("in_never") });
	work(NOW);
	ck_assert_uint_eq(seen(TASK).state_n, TASK_FAILED);
	ck_assert(seen(TASK).error.n && seen(TASK).over);
	is("SELECT COUNT(*) AS n FROM forwards", 0);
}
END_TEST

/* What was processed before is no work of its first time; the monitor hears of it only if it fails. */
START_TEST(test_replays_are_not_tallied)
{
	struct forward_claim *c;
	struct forward_end end;
	size_t n;

	events(1, 0, 1, EVENT_PROCESSED);
	events(1, 10, 1, EVENT_FAILED);
	ask(TASK, &(struct event_filter){ .tenant_id = 1 });
	work(NOW);
	succeeds(forward_claim(db, a, 1, &(struct forward_claimer){ 7, 63, NOW, NOW + MS_PER_MINUTE }, 10, &c, &n, &e));
	ck_assert(n == 2 && c[0].again && !c[1].again && c[0].number == 2);
	is("SELECT SUM(starts) AS n FROM event_minutes", 1);
	for (size_t i = 0; i < n; i++) {
		end = (struct forward_end){ .claim = c[i], .outcome = FORWARD_DONE, .status = 200, .started_at = NOW };
		succeeds(forward_finish(db, a, &end, 1, &(struct forward_claimer){ .owner = 7, .slot = 63 }, NOW, &e));
	}
	is("SELECT SUM(events) AS n FROM event_minutes WHERE took > 0", 1);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 2 AND done = 5", 2);
	is("SELECT COUNT(*) AS n FROM forwards", 0);
}
END_TEST

/* ---- runners ---- */

#define MANY 20000

/* Works until something of it is done, and does not end: it is killed. */
static void work_on(ms_t now, uint64_t before)
{
	struct task_runner *t;

	db = test_connect(TASK_DB, 30000);
	t = task_runner_new(&(struct task_config){ .db = db });
	while (seen(TASK).seen == before && !seen(TASK).over)
		if (!task_runner_turn(t, now, &e))
			die("%s", e.text);
	for (;;)
		pause();
}

START_TEST(test_killed_in_the_middle_it_goes_on_where_it_was)
{
	unsigned kills = 0;
	ms_t now = NOW;

	events(1, 0, MANY, EVENT_PROCESSED);
	ask(TASK, &(struct event_filter){ .tenant_id = 1 });
	for (; kills < 5 && !seen(TASK).over; kills++) {
		uint64_t before = seen(TASK).seen;
		pid_t pid = test_fork();

		if (!pid)
			work_on(now, before);
		while (seen(TASK).seen == before && !seen(TASK).over)
			usleep(500);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM forwards"), seen(TASK).changed);
		work(now);	/* nobody takes it before its lease ends */
		ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM forwards"), seen(TASK).changed);
		now += TASK_LEASE_MS + MS_PER_MINUTE;
	}
	ck_assert_uint_gt(kills, 1);
	work(now);
	ck_assert(seen(TASK).state_n == TASK_DONE && seen(TASK).seen == MANY && seen(TASK).changed == MANY);
	is("SELECT COUNT(*) AS n FROM forwards WHERE task_id = 4242 AND was = 2", MANY);
}
END_TEST

START_TEST(test_two_runners_share_without_doubles)
{
	int64_t began_us;
	pid_t pids[3];

	events(1, 0, MANY, EVENT_PROCESSED);
	began_us = clock_mono_us();	/* the runners have one clock */
	for (uint64_t i = 0; i < 4; i++)
		ask(TASK + i, &(struct event_filter){ .tenant_id = 1, .text = i ? arena_printf(a, "ev-%llu", (unsigned long long)i) : STR_NONE });
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = test_fork();
		if (!pids[i]) {
			db = test_connect(TASK_DB, 30000);
			while (number("SELECT COUNT(*) AS n FROM tasks WHERE open = 1"))
				work(NOW + (clock_mono_us() - began_us) / 1000);
			_exit(0);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		test_child_ended_well(pids[i]);
	ck_assert(seen(TASK).seen == MANY && seen(TASK).state_n == TASK_DONE);
	is("SELECT COUNT(*) AS n FROM forwards", MANY);
	is("SELECT COUNT(*) AS n FROM tasks WHERE state = 3", 4);
}
END_TEST

START_TEST(test_what_kills_its_runner_is_given_up)
{
	struct task t;

	events(1, 0, 10, EVENT_PROCESSED);
	ask(TASK, &(struct event_filter){ .tenant_id = 1 });
	for (ms_t i = 0; i <= TASK_LOST_MAX + 1; i++) {
		ck_assert_int_eq(task_due(db, a, NOW + i * TASK_LEASE_MS, &t, &e), 1);
		ck_assert_int_eq(task_claim(db, &t, 7 + (uint64_t)i, NOW + i * TASK_LEASE_MS, &e), 1);
		ck_assert_int_eq(task_claim(db, &t, 1000, NOW + i * TASK_LEASE_MS, &e), 0);	/* as it was seen */
	}
	work(NOW + MS_PER_HOUR);
	ck_assert_uint_eq(seen(TASK).state_n, TASK_FAILED);
	is("SELECT COUNT(*) AS n FROM forwards", 0);
}
END_TEST

START_TEST(test_it_does_not_live_for_ever)
{
	events(1, 0, 10, EVENT_PROCESSED);
	ask(TASK, &(struct event_filter){ .tenant_id = 1 });
	work(NOW + TASK_LIFE_MS + 1);
	ck_assert_uint_eq(seen(TASK).state_n, TASK_FAILED);
}
END_TEST

/* ---- cancelling ---- */

START_TEST(test_cancelled_before_it_began)
{
	events(1, 0, 10, EVENT_PROCESSED);
	ask(TASK, &(struct event_filter){ .tenant_id = 1 });
	ck_assert_int_eq(task_cancel(db, 2, TASK, NOW, &e), 0);	/* not for another tenant */
	ck_assert_int_eq(task_cancel(db, 1, TASK, NOW, &e), 1);
	ck_assert_int_eq(task_cancel(db, 1, TASK, NOW, &e), 0);
	work(NOW);
	ck_assert(seen(TASK).state_n == TASK_CANCELLED && seen(TASK).seen == 0);
	is("SELECT COUNT(*) AS n FROM forwards", 0);
}
END_TEST

START_TEST(test_cancelled_while_somebody_holds_it)
{
	struct task_runner *t = task_runner_new(&(struct task_config){ .db = db });

	events(1, 0, MANY, EVENT_PROCESSED);
	events(1, MANY + 10, 1, EVENT_FAILED);
	ask(TASK, &(struct event_filter){ .tenant_id = 1 });
	succeeds(task_runner_turn(t, NOW, &e));
	ck_assert(task_runner_is_busy(t) && seen(TASK).seen > 0 && seen(TASK).seen < MANY);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 0", seen(TASK).changed);
	/* One is being sent: it stays so. */
	succeeds(db_exec(db, &(const struct stmt){ "t.hold", "UPDATE forwards SET owner = 5 ORDER BY event_id LIMIT 1" }, NULL, 0, NULL, &e));
	ck_assert_int_eq(task_cancel(db, 1, TASK, NOW, &e), 1);
	ck_assert_uint_eq(seen(TASK).state_n, TASK_CANCELLING);
	work_out(t, NOW + MS_PER_MINUTE);
	ck_assert_uint_eq(seen(TASK).state_n, TASK_CANCELLED);
	ck_assert_uint_eq(seen(TASK).undone, seen(TASK).changed - 1);
	is("SELECT COUNT(*) AS n FROM forwards", 1);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 2 AND done = 5 AND processed_at = 77", MANY - 1);
	task_runner_free(t);
}
END_TEST

START_TEST(test_cancelled_after_its_end)
{
	static const struct stmt sent = { "t.sent", "DELETE FROM forwards ORDER BY event_id LIMIT 1" };

	events(1, 0, 10, EVENT_PROCESSED);
	ask(TASK, &(struct event_filter){ .tenant_id = 1 });
	work(NOW);
	ck_assert(seen(TASK).state_n == TASK_DONE && seen(TASK).waiting == 10);
	succeeds(db_exec(db, &sent, NULL, 0, NULL, &e));
	ck_assert_int_eq(task_cancel(db, 2, TASK, NOW, &e), 0);
	ck_assert_int_eq(task_cancel(db, 1, TASK, NOW + TASK_LIFE_MS, &e), 1);
	work(NOW + TASK_LIFE_MS + 1);
	ck_assert(seen(TASK).state_n == TASK_CANCELLED && seen(TASK).undone == 9 && seen(TASK).finished_at == NOW + TASK_LIFE_MS + 1);
	is("SELECT COUNT(*) AS n FROM forwards", 0);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 2", 9);
	ck_assert_int_eq(task_cancel(db, 1, TASK, NOW + TASK_LIFE_MS + 2, &e), 0);
}
END_TEST

START_TEST(test_cancelled_what_waits_goes_on_waiting)
{
	events(1, 0, 2, EVENT_FAILED);
	events(1, 10, 2, EVENT_DEAD);
	ask(TASK, &(struct event_filter){ .tenant_id = 1 });
	ck_assert_int_eq(task_cancel(db, 1, TASK, NOW, &e), 1);
	/* As if it had been cancelled after its last step: what it has queued is withdrawn in one transaction, too. */
	succeeds(db_exec(db, &(const struct stmt){ "t.again", "UPDATE tasks SET state = 0" }, NULL, 0, NULL, &e));
	struct task_runner *t = task_runner_new(&(struct task_config){ .db = db });
	struct task held;
	uint64_t n;

	ck_assert_int_eq(task_due(db, a, NOW, &held, &e), 1);
	succeeds(db_begin(db, &e));
	succeeds(forward_replay(db, TASK, arena_printf(a, "[%llu,%llu,%llu,%llu]", (unsigned long long)FIRST + 1, (unsigned long long)FIRST + 2,
		(unsigned long long)FIRST + 11, (unsigned long long)FIRST + 12), 255, NOW, &n, &e));
	succeeds(db_commit(db, &e));
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(task_cancel(db, 1, TASK, NOW, &e), 1);
	succeeds(task_runner_turn(t, NOW, &e));
	ck_assert_uint_eq(seen(TASK).state_n, TASK_CANCELLED);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 3", 2);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 4", 2);
	is("SELECT COUNT(*) AS n FROM forwards WHERE owner = 0 AND task_id IS NULL AND was IS NULL", 2);
	task_runner_free(t);
}
END_TEST

/* ---- what nobody has ---- */

START_TEST(test_events_that_wait_in_no_queue)
{
	uint64_t n;

	events(1, 0, 3, EVENT_PENDING);
	events(1, 10, 2, EVENT_PROCESSING);
	events(2, 20, 1, EVENT_PENDING);	/* its source forwards nothing: whoever takes it sees that it is done */
	events(1, 30, 1, EVENT_FAILED);
	run(T_QUEUE, VALS(V_U(FIRST + 1), V_I(NOW + MS_PER_HOUR), V_U(0)));
	succeeds(forward_take_up(db, a, 1, NOW - 2 * MS_PER_DAY, 100, NOW, &n, &e));	/* too young */
	ck_assert_uint_eq(n, 0);
	succeeds(forward_take_up(db, a, 1, NOW, 100, NOW, &n, &e));
	ck_assert_uint_eq(n, 5);
	is("SELECT COUNT(*) AS n FROM forwards WHERE next_at = 1800000000000", 5);
	succeeds(forward_take_up(db, a, 1, NOW, 100, NOW, &n, &e));
	ck_assert_uint_eq(n, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_replay_of_all_kinds, test_replay_by_filter, test_filter_that_names_nothing_known,
		test_replays_are_not_tallied, test_killed_in_the_middle_it_goes_on_where_it_was, test_two_runners_share_without_doubles,
		test_what_kills_its_runner_is_given_up, test_it_does_not_live_for_ever, test_cancelled_before_it_began,
		test_cancelled_while_somebody_holds_it, test_cancelled_what_waits_goes_on_waiting,
		test_cancelled_after_its_end, test_events_that_wait_in_no_queue };

	if (!store_test_begin(TASK_DB, NULL, 0))
		return STORE_TEST_SKIPPED;
	return store_test_run("task", tests, ARRAY_SIZE(tests), setup, teardown);
}
