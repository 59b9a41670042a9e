/* Cron's job `monitor`: monitor alerts begin and end with the checks, once; floods of bad proofs; what is over; sums that move; cron
 * that is late. */
#include "store_test.h"
#include "grapnel/job.h"

#define JOB_DB "grapnel_monitor_job"
#define NOW 1760000400000LL	/* 2025-10-09 09:00:00 UTC */
#define MIN MS_PER_MINUTE

static struct conf conf;
static struct id_maker ids;
static uint64_t made;

static const char *const emptied[] = { "events", "event_minutes", "event_hours", "event_days", "event_failures", "monitor_alerts", "monitor_cache", "request_marks",
	"requests", "jobs", "job_runs", "outbox" };

enum { T_EVENT, T_STATUS, T_REFUSED, T_MARK, T_RAN, T_INSTALLED, T_POSITION };
static const struct stmt stmts[] = {
	[T_EVENT] = { "test.event",
		"INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary, status,"
		" attempts, received_at, updated_at) VALUES (?, ?, ?, 1, 0, ?, 'x.y', 1, 1, 1, 'x', ?, 1, ?, 1)" },
	[T_RAN] = { "test.ran", "INSERT INTO jobs (name, last_started_at) VALUES (?, ?) ON DUPLICATE KEY UPDATE last_started_at = VALUES(last_started_at)" },
	[T_INSTALLED] = { "test.installed", "UPDATE schema_migrations SET applied_at = ?" },
	[T_POSITION] = { "test.position", "UPDATE jobs SET position = 1 WHERE name = 'monitor'" },
	[T_STATUS] = { "test.status", "UPDATE events SET status = ?" },
	[T_REFUSED] = { "test.refused",
		"INSERT INTO requests (id, source_id, status, reason, method, uri, remote_addr, trace, headers, body, body_bytes, duration_us)"
		" SELECT ? + seq, 1, ?, 'Invalid signature', 'POST', '/', 'x', 't', '', '', 0, 1 FROM seq_1_to_1000 WHERE seq <= ?" },
	[T_MARK] = { "test.mark", "INSERT INTO request_marks (tenant_id, kind, id) SELECT 1, 1, id FROM requests" },
};

static const struct stmt once[] = {
	{ "data.tenant", "INSERT INTO tenants (id, name, created_at) VALUES (2, 'other', 1)" },
	{ "data.sources", "INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, created_at, updated_at)"
		" VALUES (1, 'in_1', 1, 1, 'github', 'code', 1, 4, 1, 1), (3, 'in_3', 2, 1, 'stripe', 'theirs', 1, 4, 1, 1)" },
};

static void run(int q, const struct val *vals, size_t n)
{
	succeeds(db_exec(db, &stmts[q], vals, n, NULL, &e));
}

static void setup(void)
{
	store_test_setup(emptied, ARRAY_SIZE(emptied));
	ck_assert(conf_load(&conf, NULL, &e));
	run(T_INSTALLED, VALS(V_I(NOW + 365 * MS_PER_DAY)));	/* nothing is late by then */
}

static void teardown(void)
{
	conf_free(&conf);
	arena_free(a);
}

static struct job_result run_job(ms_t now, bool dry_run)
{
	const struct job_config c = { .db = db, .conf = &conf, .ids = &ids, .now = now, .limit_ms = 50000, .dry_run = dry_run };
	const struct job *only[] = { job_find(STR("monitor")), NULL };
	static struct job_result results[JOBS_MAX];
	size_t n;

	succeeds(jobs_run(&c, a, only, results, &n, &e));
	ck_assert_uint_eq(n, 1);
	ck_assert_msg(results[0].outcome == JOB_DONE, "%.*s", STR_ARG(results[0].error));
	return results[0];
}

static uint64_t event(uint64_t tenant, enum event_status status, ms_t at)
{
	uint64_t id = id_floor(at) + ++made;

	run(T_EVENT, VALS(V_U(id), V_U(tenant), V_U(tenant == 1 ? 1 : 3), V_S(arena_printf(a, "%llu", (unsigned long long)id)), V_U(status), V_I(at)));
	return id;
}

static struct monitor_alert *running(uint64_t tenant, size_t want)
{
	struct monitor_alert *rows;
	size_t n;

	succeeds(monitor_alerts_running(db, a, tenant, &rows, &n, &e));
	ck_assert_uint_eq(n, want);
	return rows;
}

START_TEST(a_check_that_begins_to_fail_and_passes_again)
{
	struct monitor_alert *m;
	uint64_t id;

	ck_assert_uint_eq(run_job(NOW, false).touched, 0);
	running(1, 0);
	id = event(1, EVENT_PENDING, NOW - 61 * MIN);
	ck_assert_uint_eq(run_job(NOW, false).touched, 1);
	m = running(1, 1);
	ck_assert(str_eqs(m->type, "STALE_EVENTS") && m->severity == MONITOR_CRITICAL && m->value >= 61 && m->value < 61.1 && m->threshold == 30);
	ck_assert(str_ends(m->advice, arena_printf(a, "/events/%llu", (unsigned long long)id).p));
	ck_assert_msg(strstr(arena_cstr(a, m->message), arena_printf(a, "may. The oldest: %llu from ", (unsigned long long)id).p), "%.*s", STR_ARG(m->message));
	ck_assert_uint_eq(run_job(NOW + MIN, false).touched, 0);	/* not each minute */
	m = running(1, 1);
	ck_assert(m->value > 61.9 && m->started_at >= NOW && m->started_at < NOW + MIN);
	run(T_STATUS, VALS(V_U(EVENT_PROCESSED)));
	ck_assert_uint_eq(run_job(NOW + 2 * MIN, false).touched, 1);
	running(1, 0);
	ck_assert_uint_eq(run_job(NOW + 3 * MIN, false).touched, 0);
}
END_TEST

START_TEST(each_tenant_has_its_own)
{
	struct monitor_alert *m;

	for (int i = 0; i < 101; i++)
		event(2, EVENT_PENDING, NOW - MIN);
	event(1, EVENT_PENDING, NOW - MIN);
	ck_assert_uint_eq(run_job(NOW, false).touched, 3);
	ck_assert(str_eqs(running(1, 1)->type, "LOW_SUCCESS_RATE"));	/* none of one */
	m = running(2, 2);
	ck_assert(str_eqs(m[0].type, "LARGE_BACKLOG") && str_eqs(m[1].type, "LOW_SUCCESS_RATE"));
}
END_TEST

/* As a run leaves it whose time was up behind the first tenant. */
START_TEST(a_run_goes_on_behind_the_tenant_where_the_last_one_ended)
{
	run_job(NOW, false);
	event(1, EVENT_PENDING, NOW - MIN);
	event(2, EVENT_PENDING, NOW - MIN);
	run(T_POSITION, NULL, 0);
	ck_assert_uint_eq(run_job(NOW, false).touched, 1);
	running(1, 0);
	running(2, 1);
	ck_assert_uint_eq(run_job(NOW, false).touched, 1);
	running(1, 1);
}
END_TEST

START_TEST(a_dry_run_tells_and_changes_nothing)
{
	event(1, EVENT_PENDING, NOW - 61 * MIN);
	ck_assert_uint_eq(run_job(NOW, true).touched, 1);
	running(1, 0);
}
END_TEST

START_TEST(thresholds_are_those_of_the_configuration)
{
	event(1, EVENT_PENDING, NOW - 61 * MIN);
	conf.monitor.max_oldest_pending_minutes = 90;
	ck_assert_uint_eq(run_job(NOW, false).touched, 0);
	conf.monitor.max_backlog_size = 0;
	ck_assert_uint_eq(run_job(NOW, false).touched, 1);
	ck_assert(str_eqs(running(1, 1)->type, "LARGE_BACKLOG"));
}
END_TEST

START_TEST(proofs_that_fail_in_numbers)
{
	struct monitor_alert *m;

	run(T_REFUSED, VALS(V_U(id_floor(NOW - 5 * MIN)), V_U(401), V_U(99)));
	run(T_REFUSED, VALS(V_U(id_floor(NOW - 15 * MIN)), V_U(401), V_U(900)));	/* long ago */
	run(T_REFUSED, VALS(V_U(id_floor(NOW - 4 * MIN)), V_U(400), V_U(900)));	/* another reason */
	run(T_MARK, NULL, 0);
	ck_assert_uint_eq(run_job(NOW, false).touched, 0);
	run(T_REFUSED, VALS(V_U(id_floor(NOW - MIN)), V_U(401), V_U(1)));
	succeeds(db_exec(db, &(const struct stmt){ "test.marks", "DELETE FROM request_marks" }, NULL, 0, NULL, &e));
	run(T_MARK, NULL, 0);
	ck_assert_uint_eq(run_job(NOW, false).touched, 1);
	m = running(1, 1);
	ck_assert(str_eqs(m->type, "BAD_SIGNATURES") && str_eqs(m->subject, "in_1") && m->value == 100);
	ck_assert_uint_eq(run_job(NOW + 20 * MIN, false).touched, 0);
	ck_assert_uint_eq(run_job(NOW + 40 * MIN, false).touched, 1);	/* it ends by itself */
	running(1, 0);
}
END_TEST

START_TEST(a_job_that_does_not_run)
{
	struct monitor_alert *m;
	size_t n;
	const struct job_facts *facts = job_facts_all(a, &n);

	run(T_INSTALLED, VALS(V_I(NOW - MS_PER_DAY)));
	for (size_t i = 0; i < n; i++)
		if (strcmp(facts[i].name, "monitor"))
			run(T_RAN, VALS(V_S(str_of(facts[i].name)), V_I(NOW + MS_PER_HOUR)));
	run(T_RAN, VALS(V_S(STR("outbox")), V_I(NOW - 10 * MIN)));
	run(T_RAN, VALS(V_S(STR("spool-drain@7")), V_I(NOW - 8 * MS_PER_DAY)));	/* of a host that is no more */
	ck_assert_uint_eq(run_job(NOW, false).touched, 0);		/* cron was off: its turn may come in this very run */
	ck_assert_uint_eq(run_job(NOW + MIN, false).touched, 1);
	m = running(0, 1);
	ck_assert(str_eqs(m->type, "JOB_LATE") && str_eqs(m->subject, "outbox") && m->severity == MONITOR_ERROR);
	ck_assert_msg(str_starts(m->message, "The job outbox, which runs every minute, did not run in the time of three runs; it did last at 2025-10-09"), "%.*s",
		STR_ARG(m->message));
	ck_assert_uint_eq(run_job(NOW + 2 * MIN, false).touched, 0);
	run(T_RAN, VALS(V_S(STR("outbox")), V_I(NOW + 3 * MIN)));
	ck_assert_uint_eq(run_job(NOW + 3 * MIN, false).touched, 0);
	running(0, 1);
	ck_assert_uint_eq(run_job(NOW + 5 * MIN, false).touched, 1);	/* three runs after the last that raised it, however long that took */
	running(0, 0);
	run(T_INSTALLED, VALS(V_I(NOW + MS_PER_DAY)));
}
END_TEST

START_TEST(sums_move_to_their_hours)
{
	struct monitor_view v;
	struct tallies *t;

	for (int i = 0; i < 700; i++) {
		const struct tally of = { 1, 1, STR("x"), NOW - 5 * MS_PER_HOUR + i * 1000 };

		t = tallies_new(a);
		tally_events(t, &of, 1);
		tally_done(t, 1, of.at, (uint64_t)i * 1000);
		succeeds(tallies_write(db, a, t, (unsigned)i % 7, &e));
	}
	ck_assert_uint_eq(run_job(NOW, false).touched, 0);
	succeeds(monitor_view_get(db, a, 1, 400, true, NOW, &v, &e));
	ck_assert_uint_eq(v.facts.total, 700);
	ck_assert_uint_eq(v.facts.done, 700);
	succeeds(tallies_fold(db, a, NOW, 10, &(size_t){ 0 }, &e));
}
END_TEST

/* ---- cron that is late ---- */

static void watch(const struct carrier *c, ms_t now)
{
	ck_assert_msg(c->take(c->ctx, now, &e) && c->settle(c->ctx, now, &e) && c->release(c->ctx, now, &e) && !c->busy(c->ctx), "%s", e.text);
}

START_TEST(cron_that_is_late_is_told_once)
{
	struct watchman *w = watchman_new(db, &ids);
	const struct carrier c = watchman_carrier(w);
	struct monitor_alert *m;

	run(T_INSTALLED, VALS(V_I(1)));
	succeeds(job_beat(db, NOW - 10 * MIN, &e));
	watch(&c, NOW);
	watch(&c, NOW + MIN);
	running(0, 0);				/* the host may just have started */
	watch(&c, NOW + 2 * MIN);
	m = running(0, 1);
	ck_assert(str_eqs(m->type, "CRON_LATE") && m->severity == MONITOR_ERROR && m->value == 12 && m->threshold == 3);
	ck_assert(str_find(m->message, '9') >= 0 && str_starts(m->message, "Cron has not run since 2025-10-09 08:50 UTC"));
	watch(&c, NOW + 20 * MIN);
	ck_assert_uint_eq(running(0, 1)->id, m->id);
	succeeds(job_beat(db, NOW + 20 * MIN, &e));
	watch(&c, NOW + 20 * MIN + 10);		/* not that often */
	running(0, 1);
	watch(&c, NOW + 21 * MIN);
	running(0, 0);
	watch(&c, NOW);				/* the clock was set back */
	watch(&c, NOW + 30 * MIN);
	ck_assert(str_eqs(running(0, 1)->type, "CRON_LATE"));
	watchman_free(w);
	watchman_free(NULL);
}
END_TEST

START_TEST(cron_that_is_back_says_so_itself)
{
	struct watchman *w = watchman_new(db, &ids);
	const struct carrier c = watchman_carrier(w);

	run(T_INSTALLED, VALS(V_I(1)));
	watch(&c, NOW);
	watch(&c, NOW + 2 * MIN);
	ck_assert(str_starts(running(0, 1)->message, "Cron has never run"));
	watchman_free(w);			/* the dispatcher is gone */
	ck_assert_uint_eq(run_job(NOW + 4 * MIN, false).touched, 1);
	running(0, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { a_check_that_begins_to_fail_and_passes_again, each_tenant_has_its_own,
		a_run_goes_on_behind_the_tenant_where_the_last_one_ended, a_dry_run_tells_and_changes_nothing,
		thresholds_are_those_of_the_configuration, proofs_that_fail_in_numbers, a_job_that_does_not_run, sums_move_to_their_hours,
		cron_that_is_late_is_told_once, cron_that_is_back_says_so_itself };

	if (!store_test_begin(JOB_DB, once, ARRAY_SIZE(once)))
		return STORE_TEST_SKIPPED;
	id_maker_init(&ids, 63);
	return store_test_run("monitor job", tests, ARRAY_SIZE(tests), setup, teardown);
}
