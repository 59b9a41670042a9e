/* What the overview says of counters and incidents: the state and its reasons, hours, failing and silent sources. */
#include "db_test.h"
#include "grapnel/view.h"

#define OVERVIEW_DB "grapnel_overview"
#define NOW (1760000400000LL)	/* 2025-10-09 09:00:00 UTC: a full hour and no more */
#define HOUR ((uint64_t)(NOW / MS_PER_HOUR))

static struct db *db;
static struct arena *a;
static struct err e;
static struct overview o;

enum { T_EMPTY_STATS, T_EMPTY_INCIDENTS, T_EMPTY_EVENTS, T_EMPTY_OUTBOX, T_CRON, T_STATS, T_INCIDENT, T_EVENTS, T_OUTBOX };

static const struct stmt stmts[] = {
	[T_EMPTY_STATS] = { "test.empty_stats", "DELETE FROM source_stats" },
	[T_EMPTY_INCIDENTS] = { "test.empty_incidents", "DELETE FROM incidents" },
	[T_EMPTY_EVENTS] = { "test.empty_events", "DELETE FROM events" },
	[T_EMPTY_OUTBOX] = { "test.empty_outbox", "DELETE FROM outbox" },
	[T_CRON] = { "test.cron", "INSERT INTO jobs (name, last_started_at) VALUES ('" JOB_CRON "', ?)"
		" ON DUPLICATE KEY UPDATE last_started_at = VALUES(last_started_at)" },
	[T_STATS] = { "test.stats", "INSERT INTO source_stats (source_id, hour, slot, received, errors, events, repeats, tests, latency_us, last_at)"
		" VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)" },
	[T_INCIDENT] = { "test.incident",
		"INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, title, status, level, is_test, opened_at, last_alert_at,"
		" updated_at) VALUES (?, ?, 1, 1, 'k', 'disk', ?, ?, ?, 1, 1, 1)" },
	[T_EVENTS] = { "test.events",
		"INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary,"
		" status, received_at, updated_at) SELECT ? + seq, 1, 1, 1, 0, 'x', 'x', 1, 1, 1, 'x', ?, ?, 1 FROM seq_1_to_2000 WHERE seq <= ?" },
	[T_OUTBOX] = { "test.outbox",
		"INSERT INTO outbox (id, tenant_id, kind, target_id, cause_id, status, next_at, created_at)"
		" SELECT ? + seq, 1, 1, 1, 1, ?, 1, 1 FROM seq_1_to_2000 WHERE seq <= ?" },
};

static const struct stmt once[] = {
	{ "data.tenant", "INSERT INTO tenants (id, name, created_at) VALUES (2, 'other', 1)" },
	{ "data.sources", "INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, created_at, updated_at)"
		" VALUES (1, 'in_1', 1, 1, 'github', 'code', 1, 1, 1, 1), (2, 'in_2', 1, 1, 'stripe', 'money', 1, 1, 1, 1),"
		" (3, 'in_3', 2, 1, 'github', 'theirs', 1, 1, 1, 1)" },
	/* Cron is late only since it could have run. */
	{ "data.installed", "UPDATE schema_migrations SET applied_at = 1" },
	{ "data.gone", "INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, created_at, updated_at,"
		" deleted_at) VALUES (4, 'in_4', 1, 1, 'github', 'gone', 1, 1, 1, 1, 1)" },
};

static void run(int q, const struct val *vals, size_t n)
{
	succeeds(db_exec(db, &stmts[q], vals, n, NULL, &e));
}

static void stats(uint64_t source, uint64_t hour, uint64_t slot, uint64_t received, uint64_t errors, uint64_t tests)
{
	run(T_STATS, VALS(V_U(source), V_U(hour), V_U(slot), V_U(received), V_U(errors), V_U(received - errors), V_U(tests),
		V_U(1000 * received), V_I(NOW)));
}

static void incident(uint64_t id, uint64_t tenant, enum incident_status status, enum level level, bool test)
{
	run(T_INCIDENT, VALS(V_U(id), V_U(tenant), V_U(status), V_U(level), V_U(test)));
}

static const struct monitor_limits limits = { .failures = 10, .backlog = 100, .oldest_minutes = 30, .duplicates = 5, .attempts = 2, .success_rate = .95 };

static void look(void)
{
	e = (struct err){ 0 };
	succeeds(monitor_cache_drop(db, 1, &e));
	succeeds(overview_get(db, a, 1, &limits, 60, NOW, &o, &e));
}

static void is_state(const char *status, size_t reasons)
{
	look();
	ck_assert_msg(str_eqs(o.status, status), "%.*s: %.*s", STR_ARG(o.status), STR_ARG(o.reasons[0].text));
	ck_assert_uint_eq(o.reasons_n, reasons);
}

static const struct overview_source *source(const char *id)
{
	for (size_t i = 0; i < o.sources_n; i++)
		if (str_eqs(o.sources[i].id, id))
			return &o.sources[i];
	ck_abort_msg("no source %s", id);
}

static void setup(void)
{
	a = arena_new(64 << 20);
	run(T_EMPTY_STATS, NULL, 0);
	run(T_EMPTY_INCIDENTS, NULL, 0);
	run(T_EMPTY_EVENTS, NULL, 0);
	run(T_EMPTY_OUTBOX, NULL, 0);
	run(T_CRON, VALS(V_I(NOW - 1000)));
}

static void teardown(void)
{
	arena_free(a);
}

START_TEST(nothing_is_healthy)
{
	is_state("HEALTHY", 0);
	ck_assert_uint_eq(o.sources_n, 2);	/* its own living ones */
	ck_assert(!o.had_test && !o.had_webhook);
	ck_assert(o.success_rate >= 100.0);
	ck_assert_int_eq(o.hours[OVERVIEW_HOURS - 1].at, NOW);
}
END_TEST

START_TEST(hours_are_summed_over_workers_without_tests)
{
	stats(1, HOUR, 1, 10, 0, 1);
	stats(1, HOUR, 2, 5, 0, 0);
	stats(1, HOUR - 23, 1, 7, 1, 0);
	stats(1, HOUR - 24, 1, 1000, 0, 0);	/* yesterday */
	stats(3, HOUR, 1, 1000, 0, 0);		/* theirs */
	stats(1, 0, 1, 1022, 1, 1);
	look();
	ck_assert_uint_eq(o.hours[OVERVIEW_HOURS - 1].received, 14);
	ck_assert_uint_eq(o.hours[0].received, 7);
	ck_assert_uint_eq(o.hours[0].errors, 1);
	ck_assert_uint_eq(o.day.received, 21);
	ck_assert_uint_eq(source("in_1")->day.received, 21);
	ck_assert_uint_eq(source("in_1")->hours[OVERVIEW_HOURS - 1].received, 14);
	ck_assert_uint_eq(source("in_2")->day.received, 0);
	ck_assert(o.had_test && o.had_webhook);
}
END_TEST

START_TEST(a_source_that_refuses_much_is_failing_and_first)
{
	stats(1, HOUR, 1, 1000, 4, 0);		/* four are noise */
	stats(2, HOUR, 1, 50, 5, 0);
	is_state("DEGRADED", 1);
	ck_assert(source("in_2")->failing && !source("in_1")->failing);
	ck_assert_str_eq(arena_cstr(a, o.reasons[0].href), "/requests?outcome=refused&source=in_2");
	ck_assert(str_eqs(o.sources[0].id, "in_2"));
}
END_TEST

START_TEST(silence_is_shown_and_not_judged)
{
	run(T_STATS, VALS(V_U(1), V_U(0), V_U(1), V_U(3), V_U(0), V_U(3), V_U(0), V_U(1), V_I(NOW - MS_PER_DAY - 1)));
	is_state("HEALTHY", 0);
	ck_assert(source("in_1")->silent);
	ck_assert(!source("in_2")->silent);	/* never had one */
	ck_assert_uint_eq(o.silent_n, 1);
}
END_TEST

START_TEST(silence_is_judged_where_the_source_says_how_long_it_may_last)
{
	static const struct stmt watch = { "test.watch", "UPDATE sources SET heartbeat_minutes = ?, heartbeat_since = 1 WHERE id = 1" };
	static const struct stmt heard = { "test.heard", "INSERT INTO source_stats (source_id, hour, slot, received, last_at, heard_at) VALUES (1, 0, 1, 1, ?, ?)" };

	succeeds(db_exec(db, &watch, VALS(V_U(30)), NULL, &e));
	succeeds(db_exec(db, &heard, VALS(V_I(NOW), V_I(NOW - 30 * MS_PER_MINUTE)), NULL, &e));	/* what came since was refused */
	is_state("DEGRADED", 1);
	ck_assert(source("in_1")->silent);
	ck_assert_str_eq(arena_cstr(a, o.reasons[0].href), "/integrations/in_1");
	succeeds(db_exec(db, &watch, VALS(V_U(31)), NULL, &e));
	is_state("HEALTHY", 0);
	succeeds(db_exec(db, &watch, VALS(V_NULL()), NULL, &e));
}
END_TEST

START_TEST(incidents_decide_by_severity)
{
	incident(10, 1, INCIDENT_OPEN, LEVEL_MEDIUM, false);
	incident(11, 1, INCIDENT_OPEN, LEVEL_CRITICAL, true);		/* a test */
	incident(12, 1, INCIDENT_RESOLVED, LEVEL_CRITICAL, false);
	incident(13, 2, INCIDENT_OPEN, LEVEL_CRITICAL, false);		/* theirs */
	is_state("HEALTHY", 0);
	ck_assert_uint_eq(o.open_total, 1);
	ck_assert_uint_eq(o.incidents_n, 2);
	incident(14, 1, INCIDENT_ACKNOWLEDGED, LEVEL_HIGH, false);
	is_state("DEGRADED", 1);
	incident(15, 1, INCIDENT_OPEN, LEVEL_CRITICAL, false);
	is_state("CRITICAL", 2);
	ck_assert_uint_eq(o.open[LEVEL_CRITICAL], 1);
}
END_TEST

START_TEST(events_that_fail_or_wait)
{
	const ms_t at = NOW - 45 * MS_PER_MINUTE;
	uint64_t id = id_floor(at);

	run(T_EVENTS, VALS(V_U(id), V_U(EVENT_FAILED), V_I(at), V_U(1)));
	run(T_EVENTS, VALS(V_U(id_floor(NOW - 2 * MS_PER_DAY)), V_U(EVENT_DEAD), V_I(1), V_U(50)));	/* long ago */
	is_state("DEGRADED", 2);
	ck_assert_str_eq(arena_cstr(a, o.reasons[0].href), arena_printf(a, "/events/%llu", (unsigned long long)id + 1).p);	/* the most severe first */
	ck_assert(str_starts(o.reasons[1].text, "0 % of 1 event of the last hour is processed"));
	ck_assert_uint_eq(o.failed_events, 1);
	run(T_EVENTS, VALS(V_U(id + 1000), V_U(EVENT_PROCESSING), V_I(at), V_U(150)));
	is_state("CRITICAL", 3);
	ck_assert(o.monitor.status == MONITOR_FAILING && !o.monitor.checks[CHECK_BACKLOG].passed && o.facts.backlog == 151);
	run(T_EVENTS, VALS(V_U(id_floor(NOW - 4 * MS_PER_DAY)), V_U(EVENT_PENDING), V_I(1), V_U(1500)));
	is_state("CRITICAL", 3);
	ck_assert_uint_eq(o.waiting_events, 1150);	/* counted so far */
}
END_TEST

START_TEST(what_waits_to_go_out)
{
	run(T_OUTBOX, VALS(V_U(0), V_U(OUTBOX_WAITING), V_U(3)));
	run(T_OUTBOX, VALS(V_U(10), V_U(OUTBOX_SENT), V_U(50)));
	run(T_OUTBOX, VALS(V_U(100), V_U(OUTBOX_FAILED), V_U(COUNT_MAX)));
	is_state("HEALTHY", 0);
	ck_assert(o.outbox.waiting.n == 3 && !o.outbox.waiting.more && o.outbox.failed.n == COUNT_MAX && !o.outbox.failed.more);
	run(T_OUTBOX, VALS(V_U(1900), V_U(OUTBOX_FAILED), V_U(1)));
	look();
	ck_assert(o.outbox.failed.n == COUNT_MAX && o.outbox.failed.more);
}
END_TEST

START_TEST(cron_that_is_late)
{
	run(T_CRON, VALS(V_I(NOW - 10 * MS_PER_MINUTE)));
	is_state("DEGRADED", 1);
	ck_assert_str_eq(arena_cstr(a, o.reasons[0].href), "/jobs");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("overview");
	TCase *t = tcase_create("overview");
	SRunner *r;
	int failed;

	if (!getenv("GRAPNEL_TEST_SOCKET") || !getenv("GRAPNEL_TEST_SQL"))
		return 77;	/* skipped: tests/db/run starts a server */
	test_database(OVERVIEW_DB);
	db = test_connect(OVERVIEW_DB, 60000);
	if (!migrate_up(db, getenv("GRAPNEL_TEST_SQL"), NULL, &e))
		die("%s", e.text);
	for (size_t i = 0; i < ARRAY_SIZE(once); i++)
		if (!db_exec(db, &once[i], NULL, 0, NULL, &e))
			die("%s", e.text);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, nothing_is_healthy);
	tcase_add_test(t, hours_are_summed_over_workers_without_tests);
	tcase_add_test(t, a_source_that_refuses_much_is_failing_and_first);
	tcase_add_test(t, silence_is_shown_and_not_judged);
	tcase_add_test(t, silence_is_judged_where_the_source_says_how_long_it_may_last);
	tcase_add_test(t, incidents_decide_by_severity);
	tcase_add_test(t, events_that_fail_or_wait);
	tcase_add_test(t, what_waits_to_go_out);
	tcase_add_test(t, cron_that_is_late);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	db_free(db);
	return failed != 0;
}
