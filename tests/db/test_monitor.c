/* The monitor with its database: what is raised, ended and found again. */
#include "db_test.h"
#include "grapnel/store.h"

#define MONITOR_DB "grapnel_monitor"
#define NOW 1760000400000LL	/* 2025-10-09 09:00:00 UTC */

static struct db *db;
static struct arena *a;
static struct err e;
static uint64_t last_id = 1000;
static struct id_maker ids;

enum { T_EMPTY_ALERTS, T_EMPTY_MINUTES, T_EMPTY_HOURS, T_EMPTY_FAILURES, T_MINUTES, T_HOURS };

static const struct stmt stmts[] = {
	[T_EMPTY_ALERTS] = { "test.empty_alerts", "DELETE FROM monitor_alerts" },
	[T_EMPTY_MINUTES] = { "test.empty_minutes", "DELETE FROM event_minutes" },
	[T_EMPTY_HOURS] = { "test.empty_hours", "DELETE FROM event_hours" },
	[T_EMPTY_FAILURES] = { "test.empty_failures", "DELETE FROM event_failures" },
	[T_MINUTES] = { "test.minutes", "SELECT COUNT(*) AS n, COALESCE(SUM(events), 0) AS events FROM event_minutes WHERE tenant_id = ? AND at >= ? AND at <= ?" },
	[T_HOURS] = { "test.hours", "SELECT COUNT(*) AS n, COALESCE(SUM(events), 0) AS events FROM event_hours WHERE tenant_id = ? AND at >= ? AND at <= ?" },
};

static const struct stmt other_tenant = { "data.tenant", "INSERT INTO tenants (id, name, created_at) VALUES (2, 'other', 1)" };

static void run(int q, const struct val *vals, size_t n)
{
	succeeds(db_exec(db, &stmts[q], vals, n, NULL, &e));
}

struct sum {
	uint64_t n, events;
};
static const struct field sum_fields[] = {
	FIELD_U64(struct sum, n, "n", ""),
	FIELD_U64(struct sum, events, "events", ""),
	FIELD_END
};

static struct sum sum_of(int q, uint64_t tenant, uint64_t from, uint64_t to)
{
	struct sum s = { 0 };

	ck_assert_msg(db_query_one(db, &stmts[q], VALS(V_U(tenant), V_U(from), V_U(to)), a, sum_fields, sizeof(s), &s, &e) == 1, "%s", e.text);
	return s;
}

static void setup(void)
{
	e = (struct err){ 0 };
	a = arena_new(64 << 20);
	for (int q = T_EMPTY_ALERTS; q <= T_EMPTY_FAILURES; q++)
		run(q, NULL, 0);
}

static void teardown(void)
{
	arena_free(a);
}

/* ---- monitor alerts ---- */

static struct monitor_alert dead_events(const char *source)
{
	return (struct monitor_alert){ .id = ++last_id, .tenant_id = 1, .type = STR("DEAD_EVENTS"), .subject = str_of(source),
		.severity = MONITOR_ERROR, .message = STR("2 events used up their attempts."), .advice = STR("Look at the handler."),
		.value = 2, .threshold = 0 };
}

static int raise_at(const struct monitor_alert *m, ms_t now)
{
	int began = monitor_alert_raise(db, a, &ids, m, now, &e);

	ck_assert_msg(began >= 0, "%s", e.text);
	return began;
}

static int end_at(uint64_t tenant, const char *type, const char *subject, ms_t now)
{
	int ended = monitor_alert_end(db, a, &ids, tenant, str_of(type), str_of(subject), now, &e);

	ck_assert_msg(ended >= 0, "%s", e.text);
	return ended;
}

static struct monitor_alert *running(uint64_t tenant, size_t n)
{
	struct monitor_alert *rows;
	size_t found;

	succeeds(monitor_alerts_running(db, a, tenant, &rows, &found, &e));
	ck_assert_uint_eq(found, n);
	return rows;
}

START_TEST(it_runs_from_the_first_time_it_is_raised_until_it_is_ended)
{
	struct monitor_alert first = dead_events("in_1"), again = dead_events("in_1");

	ck_assert_int_eq(raise_at(&first, NOW), 1);
	again.value = 7.25;
	again.message = STR("7 events used up their attempts.");
	again.severity = MONITOR_CRITICAL;
	ck_assert_int_eq(raise_at(&again, NOW + 1000), 0);
	ck_assert_uint_eq(running(1, 1)->id, first.id);
	ck_assert_int_eq(running(1, 1)->started_at, NOW);
	ck_assert(running(1, 1)->value == 7.25);
	ck_assert_uint_eq(running(1, 1)->severity, MONITOR_CRITICAL);
	ck_assert(str_starts(running(1, 1)->message, "7 events"));
	ck_assert_int_eq(end_at(1, "DEAD_EVENTS", "in_1", NOW + 2000), 1);
	ck_assert_int_eq(end_at(1, "DEAD_EVENTS", "in_1", NOW + 3000), 0);
	running(1, 0);
	again.id = ++last_id;
	ck_assert_int_eq(raise_at(&again, NOW + 4000), 1);
}
END_TEST

START_TEST(a_severity_is_raised_and_never_lowered)
{
	struct monitor_alert m = dead_events("in_1");

	ck_assert_int_eq(raise_at(&m, NOW), 1);
	m.id = ++last_id;
	m.severity = MONITOR_WARNING;
	ck_assert_int_eq(raise_at(&m, NOW), 0);
	ck_assert_uint_eq(running(1, 1)->severity, MONITOR_ERROR);
}
END_TEST

START_TEST(tenants_types_and_subjects_are_apart)
{
	struct monitor_alert m = dead_events("in_1");

	ck_assert_int_eq(raise_at(&m, NOW), 1);
	m.id = ++last_id;
	m.subject = STR("in_2");
	ck_assert_int_eq(raise_at(&m, NOW), 1);
	m.id = ++last_id;
	m.tenant_id = 0;
	ck_assert_int_eq(raise_at(&m, NOW), 1);
	m.id = ++last_id;
	m.type = STR("CRON_LATE");
	ck_assert_int_eq(raise_at(&m, NOW), 1);
	running(1, 2);
	running(0, 2);
	ck_assert_int_eq(end_at(0, "CRON_LATE", "in_1", NOW), 0);
	ck_assert_int_eq(end_at(0, "CRON_LATE", "in_2", NOW), 1);
	running(1, 2);
}
END_TEST

START_TEST(what_lasts_a_while_is_over_unless_it_is_raised_again)
{
	struct monitor_alert m = dead_events("in_1"), *over;
	size_t n;

	m.lasts_until = NOW + 1000;
	ck_assert_int_eq(raise_at(&m, NOW), 1);
	succeeds(monitor_alerts_over(db, a, NOW + 999, 10, &over, &n, &e));
	ck_assert_uint_eq(n, 0);
	m.id = ++last_id;
	m.lasts_until = NOW + 5000;
	ck_assert_int_eq(raise_at(&m, NOW + 900), 0);
	succeeds(monitor_alerts_over(db, a, NOW + 4999, 10, &over, &n, &e));
	ck_assert_uint_eq(n, 0);
	succeeds(monitor_alerts_over(db, a, NOW + 5000, 10, &over, &n, &e));
	ck_assert_uint_eq(n, 1);
	ck_assert(str_eqs(over->subject, "in_1"));
}
END_TEST

/* A cause and its monitor alert are one transaction, or none. */
START_TEST(inside_a_transaction_it_is_a_step)
{
	struct monitor_alert m = dead_events("in_1");

	succeeds(db_begin(db, &e));
	ck_assert_int_eq(raise_at(&m, NOW), 1);
	db_rollback(db);
	running(1, 0);
	succeeds(db_begin(db, &e));
	ck_assert_int_eq(raise_at(&m, NOW), 1);
	succeeds(db_commit(db, &e));
	running(1, 1);
}
END_TEST

START_TEST(long_texts_are_cut)
{
	struct monitor_alert m = dead_events("in_1");
	char text[2000];

	memset(text, 'x', sizeof(text));
	m.message = m.advice = (struct str){ text, sizeof(text) };
	ck_assert_int_eq(raise_at(&m, NOW), 1);
	ck_assert_uint_eq(running(1, 1)->message.n, 512);
}
END_TEST

/* ---- tallies ---- */

#define MINUTE ((uint64_t)(NOW / MS_PER_MINUTE))	/* the first of an hour */

static void add(unsigned slot, uint64_t tenant, uint64_t source, const char *type, ms_t at, int64_t events)
{
	struct tallies *t = tallies_new(a);
	const struct tally of = { tenant, source, str_of(type), at };

	tally_events(t, &of, events);
	tally_done(t, tenant, at, 2000);
	succeeds(tallies_write(db, a, t, slot, &e));
}

static void fold(ms_t now, size_t limit)
{
	size_t moved;

	do
		succeeds(tallies_fold(db, a, now, limit, &moved, &e));
	while (moved == limit);
}

START_TEST(sums_add_up_by_source_type_and_minute)
{
	struct tallies *t = tallies_new(a);
	const struct tally of = { 1, 7, STR("push"), NOW }, later = { 1, 7, STR("push"), NOW + MS_PER_MINUTE };

	for (int i = 0; i < 40; i++) {
		const struct tally other = { 1, 7 + (uint64_t)i % 2, arena_printf(a, "t%d", i), NOW };

		tally_events(t, &of, 1);
		tally_events(t, &other, 1);
	}
	tally_events(t, &later, 5);
	tally_events(t, &later, -2);
	succeeds(tallies_write(db, a, t, 1, &e));
	succeeds(tallies_write(db, a, t, 1, &e));
	succeeds(tallies_write(db, a, t, 2, &e));
	ck_assert_uint_eq(sum_of(T_MINUTES, 1, MINUTE, MINUTE).n, 82);
	ck_assert_uint_eq(sum_of(T_MINUTES, 1, MINUTE, MINUTE).events, 240);
	ck_assert_uint_eq(sum_of(T_MINUTES, 1, MINUTE + 1, MINUTE + 1).events, 9);
}
END_TEST

START_TEST(minutes_move_to_their_hours_and_none_is_lost_or_counted_twice)
{
	const ms_t now = NOW + TALLY_MINUTES_KEPT * MS_PER_MINUTE;	/* all before NOW is old enough */

	for (int i = -150; i < 30; i++)
		add(1 + (unsigned)i % 2, 1 + (uint64_t)(i % 3 == 0), 7, i % 5 ? "push" : "ping", NOW + i * MS_PER_MINUTE, 2);
	fold(now, 7);
	ck_assert_uint_eq(sum_of(T_MINUTES, 1, 0, MINUTE - 1).n + sum_of(T_MINUTES, 2, 0, MINUTE - 1).n, 0);
	ck_assert_uint_eq(sum_of(T_MINUTES, 1, 0, MINUTE + 100).events + sum_of(T_MINUTES, 2, 0, MINUTE + 100).events, 90);
	ck_assert_uint_eq(sum_of(T_HOURS, 1, 0, MINUTE).events, 300);
	ck_assert_uint_eq(sum_of(T_HOURS, 2, 0, MINUTE).events, 150);
	ck_assert_uint_eq(sum_of(T_HOURS, 1, MINUTE - 60, MINUTE).n, 3);	/* two types, one class of durations */
	ck_assert_uint_eq(sum_of(T_HOURS, 1, MINUTE - 60, MINUTE - 1).events, 120);
	/* what is found out late goes the same way */
	add(3, 1, 7, "push", NOW - 10 * MS_PER_MINUTE, 1);
	fold(now, 1000);
	ck_assert_uint_eq(sum_of(T_HOURS, 1, MINUTE - 60, MINUTE - 1).events, 122);
	fold(now, 1000);
	ck_assert_uint_eq(sum_of(T_HOURS, 1, 0, MINUTE).events, 302);
}
END_TEST

START_TEST(hours_and_failures_are_forgotten_in_time)
{
	const ms_t kept = TALLY_HOURS_KEPT * MS_PER_HOUR;

	add(1, 1, 7, "push", NOW - kept - MS_PER_HOUR, 1);
	add(1, 1, 7, "push", NOW - kept + MS_PER_HOUR, 1);
	succeeds(tally_failure(db, 1, 7, 99, NOW - kept - 1, &e));
	succeeds(tally_failure(db, 1, 7, 99, NOW, &e));
	succeeds(tally_failure(db, 1, 7, 99, NOW, &e));	/* twice in a millisecond */
	fold(NOW, 1);
	ck_assert_uint_eq(sum_of(T_HOURS, 1, 0, MINUTE).n, 2);
	ck_assert_uint_eq(sum_of(T_MINUTES, 1, 0, MINUTE).n, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("monitor");
	TCase *t = tcase_create("monitor");
	SRunner *r;
	int failed;

	if (!getenv("GRAPNEL_TEST_SOCKET") || !getenv("GRAPNEL_TEST_SQL"))
		return 77;	/* skipped: tests/db/run starts a server */
	test_database(MONITOR_DB);
	db = test_connect(MONITOR_DB, 60000);
	if (!migrate_up(db, getenv("GRAPNEL_TEST_SQL"), NULL, &e))
		die("%s", e.text);
	if (!db_exec(db, &other_tenant, NULL, 0, NULL, &e))
		die("%s", e.text);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, it_runs_from_the_first_time_it_is_raised_until_it_is_ended);
	tcase_add_test(t, a_severity_is_raised_and_never_lowered);
	tcase_add_test(t, tenants_types_and_subjects_are_apart);
	tcase_add_test(t, what_lasts_a_while_is_over_unless_it_is_raised_again);
	tcase_add_test(t, inside_a_transaction_it_is_a_step);
	tcase_add_test(t, long_texts_are_cut);
	tcase_add_test(t, sums_add_up_by_source_type_and_minute);
	tcase_add_test(t, minutes_move_to_their_hours_and_none_is_lost_or_counted_twice);
	tcase_add_test(t, hours_and_failures_are_forgotten_in_time);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	db_free(db);
	return failed != 0;
}
