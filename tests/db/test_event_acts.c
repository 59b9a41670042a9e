/* What people and cron do to events, in the tables: looked up by any id, settled, removed, released, tried again. Time is handed in; each test
 * begins with empty tables. */
#include "store_test.h"
#include "grapnel/job.h"

#define ACTS_DB "grapnel_event_acts"
#define NOW 1760000400000LL	/* 2025-10-09 09:00:00 UTC */
#define MIN MS_PER_MINUTE

static struct conf conf;
static struct id_maker ids;
static uint64_t made;

static const char *const emptied[] = { "events", "event_ids", "forwards", "event_attempts", "alerts", "requests", "breakers", "audit_log", "event_minutes",
	"event_hours", "event_days", "monitor_alerts", "monitor_cache", "jobs", "job_runs" };

enum { T_EVENT, T_ID, T_FORWARD, T_ATTEMPT, T_ALERT, T_REQUEST, T_BREAKER, T_SUMS };
static const struct stmt stmts[] = {
	[T_EVENT] = { "t.event",
		"INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary, status,"
		" attempts, error, incident_id, received_at, updated_at) VALUES (?, ?, ?, ?, 0, ?, 'x.y', 1, 1, 1, 'x', ?, 2, ?, 77, ?, ?)" },
	[T_ID] = { "t.id", "INSERT INTO event_ids (source_id, id_hash, event_id, first_at) VALUES (?, UNHEX(LEFT(SHA2(?, 256), 32)), ?, 1)" },
	[T_FORWARD] = { "t.forward", "INSERT INTO forwards (event_id, source_id, next_at, owner) VALUES (?, ?, ?, ?)" },
	[T_ATTEMPT] = { "t.attempt", "INSERT INTO event_attempts (event_id, number, started_at) VALUES (?, 2, 1)" },
	[T_ALERT] = { "t.alert", "INSERT INTO alerts (id, tenant_id, event_id, incident_id, level, created_at) VALUES (? + 1, 1, ?, 77, 1, 1)" },
	[T_REQUEST] = { "t.request",
		"INSERT INTO requests (id, source_id, status, method, uri, remote_addr, trace, headers, body, body_bytes, duration_us, event_id)"
		" VALUES (?, 1, 201, 'POST', '/', 'x', 't', '', '{}', 2, 1, ?)" },
	[T_BREAKER] = { "t.breaker",
		"INSERT INTO breakers (kind, target_id, failures, opened_at, probe_at, updated_at) VALUES (1, ?, 5, 1, ?, 1)" },
	[T_SUMS] = { "t.sums",
		"INSERT INTO event_minutes (tenant_id, at, took, source_id, event_type, slot, events, starts) VALUES (1, ?, 0, 1, 'x.y', 5, 3, 3),"
		" (1, ?, 0, 1, '', 5, 0, 4)" },
};

static const struct stmt once[] = {
	{ "data.tenant", "INSERT INTO tenants (id, name, created_at) VALUES (2, 'other', 1)" },
	{ "data.sources", "INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, handler_url, created_at, updated_at)"
		" VALUES (1, 'in_1', 1, 1, 'github', 'code', 1, 4, 'http://127.0.0.1:1/', 1, 1), (2, 'in_2', 1, 1, 'stripe', 'pay', 1, 4, 'http://127.0.0.1:1/', 1, 1),"
		" (3, 'in_3', 2, 1, 'github', 'theirs', 1, 4, 'http://127.0.0.1:1/', 1, 1)" },
};

static void run(int q, const struct val *vals, size_t n)
{
	succeeds(db_exec(db, &stmts[q], vals, n, NULL, &e));
}

static void setup(void)
{
	store_test_setup(emptied, ARRAY_SIZE(emptied));
	ck_assert(conf_load(&conf, NULL, &e));
}

static void teardown(void)
{
	conf_free(&conf);
	arena_free(a);
}

/* An event that its provider calls `name`, an hour old. */
static uint64_t event_at(uint64_t source, const char *name, enum event_status status, ms_t updated_at)
{
	ms_t at = NOW - 60 * MIN;
	uint64_t id = id_floor(at) + ++made, tenant = source == 3 ? 2 : 1;

	run(T_EVENT, VALS(V_U(id), V_U(tenant), V_U(source), V_U(id + 1000), V_S(str_of(name)), V_U(status),
		status == EVENT_FAILED ? V_S(STR("The handler answered 500.")) : V_NULL(), V_I(at), V_I(updated_at)));
	run(T_ID, VALS(V_U(source), V_S(str_of(name)), V_U(id)));
	return id;
}

static uint64_t event(uint64_t source, const char *name, enum event_status status)
{
	return event_at(source, name, status, NOW - 30 * MIN);
}

static void waits(uint64_t id, uint64_t source, ms_t next_at, uint64_t owner)
{
	run(T_FORWARD, VALS(V_U(id), V_U(source), V_I(next_at), V_U(owner)));
}

static struct str id_text(uint64_t id)
{
	return arena_printf(a, "%llu", (unsigned long long)id);
}

static struct str list_of(const uint64_t *list, size_t n)
{
	return json_ids(a, list, sizeof(*list), 0, n);
}

static size_t look_up(uint64_t tenant, struct str id, struct event_brief **out)
{
	size_t n;

	succeeds(event_by_any_id(db, a, tenant, id, 10, out, &n, &e));
	return n;
}

/* ---- looking up ---- */

START_TEST(an_event_is_found_by_any_of_its_ids)
{
	uint64_t ours = event(1, "delivery-1", EVENT_FAILED), twin = event(2, "delivery-1", EVENT_PROCESSED);
	struct event_brief *ev;

	event(3, "theirs", EVENT_FAILED);
	ck_assert_uint_eq(look_up(1, id_text(ours), &ev), 1);
	ck_assert(ev->id == ours && ev->status == EVENT_FAILED && str_eqs(ev->source_id, "in_1") && !ev->next_at);
	ck_assert_uint_eq(look_up(1, STR("delivery-1"), &ev), 2);
	ck_assert(ev[0].id == twin && ev[1].id == ours);
	ck_assert_uint_eq(look_up(1, STR("theirs"), &ev), 0);
	ck_assert_uint_eq(look_up(0, STR("theirs"), &ev), 1);
	ck_assert_uint_eq(look_up(2, id_text(ours), &ev), 0);
	event(1, arena_cstr(a, id_text(ours)), EVENT_PENDING);	/* a sender that uses a number of ours */
	ck_assert_uint_eq(look_up(1, id_text(ours), &ev), 1);
	ck_assert_uint_eq(ev->id, ours);
	ck_assert_uint_eq(look_up(1, STR("99999999999999999999999"), &ev), 0);
}
END_TEST

/* ---- settling ---- */

START_TEST(settled_events_are_done_and_wait_no_more)
{
	uint64_t list[] = { event(1, "a", EVENT_PENDING), event(1, "b", EVENT_FAILED), event(1, "c", EVENT_DEAD), event(1, "d", EVENT_PROCESSING),
		event(1, "e", EVENT_PROCESSING), event(1, "f", EVENT_IGNORED), event(3, "g", EVENT_FAILED) };
	uint64_t n;

	waits(list[0], 1, NOW, 0);
	waits(list[1], 1, NOW + MIN, 0);
	waits(list[3], 1, NOW - 1, 9);		/* its sender died */
	waits(list[4], 1, NOW + MIN, 9);	/* it is being sent */
	waits(list[6], 3, NOW + MIN, 0);	/* another tenant's */
	succeeds(event_settle(db, 1, list_of(list, ARRAY_SIZE(list)), NOW, &n, &e));
	ck_assert_uint_eq(n, 4);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 2 AND error IS NULL AND processed_at = 1760000400000", 4);
	is("SELECT COUNT(*) AS n FROM events WHERE event_id = 'e' AND status = 1", 1);
	is("SELECT COUNT(*) AS n FROM events WHERE event_id = 'f' AND status = 5", 1);
	is("SELECT COUNT(*) AS n FROM events WHERE event_id = 'g' AND status = 3", 1);
	is("SELECT COUNT(*) AS n FROM forwards", 2);
	succeeds(event_settle(db, 1, list_of(list, ARRAY_SIZE(list)), NOW, &n, &e));
	ck_assert_uint_eq(n, 0);
	succeeds(event_settle(db, 1, STR("[]"), NOW, &n, &e));
}
END_TEST

/* ---- removing ---- */

static struct event_brief *removable(uint64_t id)
{
	struct event_brief *ev;

	run(T_ATTEMPT, VALS(V_U(id)));
	run(T_ALERT, VALS(V_U(id), V_U(id)));
	run(T_REQUEST, VALS(V_U(id + 1000), V_U(id)));
	ck_assert_uint_eq(look_up(1, id_text(id), &ev), 1);
	return ev;
}

START_TEST(a_removed_event_takes_all_that_is_its_own_along)
{
	const struct who who = { .tenant_id = 1, .user_id = 7, .actor = ACTOR_PERSON };
	uint64_t gone = event(1, "gone", EVENT_FAILED), stays = event(1, "stays", EVENT_FAILED);
	uint64_t minute = (NOW - 60 * MIN) / MIN;

	waits(gone, 1, NOW + MIN, 0);
	waits(stays, 1, NOW + MIN, 0);
	run(T_SUMS, VALS(V_U(minute), V_U(minute)));
	succeeds(event_remove(db, a, removable(gone), &who, 5, NOW, &e));
	is("SELECT COUNT(*) AS n FROM events WHERE event_id = 'stays'", 1);
	is("SELECT COUNT(*) AS n FROM events", 1);
	is("SELECT COUNT(*) AS n FROM event_ids", 1);
	is("SELECT COUNT(*) AS n FROM forwards", 1);
	is("SELECT COUNT(*) AS n FROM event_attempts", 0);
	is("SELECT COUNT(*) AS n FROM alerts", 0);
	is("SELECT COUNT(*) AS n FROM requests WHERE event_id IS NULL", 1);
	is("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'event.delete' AND user_id = 7", 1);
	is("SELECT events * 10 + starts AS n FROM event_minutes WHERE event_type = 'x.y'", 22);	/* one start in its request */
	is("SELECT starts AS n FROM event_minutes WHERE event_type = ''", 3);			/* and one at its handler */
}
END_TEST

START_TEST(what_is_being_sent_is_not_removed)
{
	const struct who who = { .tenant_id = 1, .actor = ACTOR_PERSON };
	uint64_t id = event(1, "under way", EVENT_PROCESSING);
	struct event_brief *ev = removable(id);

	waits(id, 1, NOW + MIN, 9);	/* taken after somebody looked */
	fails(event_remove(db, a, ev, &who, 5, NOW, &e), ERR_CONFLICT, DB_FINE);
	is("SELECT COUNT(*) AS n FROM events", 1);
	is("SELECT COUNT(*) AS n FROM event_ids", 1);
	is("SELECT COUNT(*) AS n FROM event_attempts", 1);
	is("SELECT COUNT(*) AS n FROM audit_log", 0);
	succeeds(event_remove(db, a, ev, &who, 5, NOW + 2 * MIN, &e));	/* its sender died */
	fails(event_remove(db, a, ev, &who, 5, NOW + 2 * MIN, &e), ERR_CONFLICT, DB_FINE);
}
END_TEST

/* ---- what a killed sender held ---- */

START_TEST(what_a_dead_sender_held_waits_again)
{
	uint64_t list[] = { event(1, "held", EVENT_PROCESSING), event(1, "lost", EVENT_PROCESSING), event(1, "nowhere", EVENT_PROCESSING),
		event(1, "done", EVENT_PROCESSED), event(3, "theirs", EVENT_PROCESSING) };
	uint64_t n;

	waits(list[0], 1, NOW + MIN, 9);
	waits(list[1], 1, NOW - MIN, 9);
	waits(list[4], 3, NOW - MIN, 9);
	succeeds(forward_release(db, 1, list_of(list, ARRAY_SIZE(list)), NOW, &n, &e));
	ck_assert_uint_eq(n, 2);
	is("SELECT COUNT(*) AS n FROM forwards WHERE owner = 0 AND next_at = 1760000400000 AND lost = 1", 2);
	is("SELECT COUNT(*) AS n FROM forwards WHERE owner = 9", 2);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 0 AND event_id IN ('lost', 'nowhere')", 2);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 1", 2);
}
END_TEST

/* ---- which are tried again ---- */

static struct again_found find(const struct again_filter *f)
{
	struct again_found x;

	succeeds(again_find(db, a, f, NOW, &x, &e));
	return x;
}

START_TEST(events_to_try_again_are_chosen_within_bounds)
{
	struct again_filter f = { .tenant_id = 1, .max_attempts = 5, .limit = 3 };
	struct again_found x;
	uint64_t first = event(1, "e0", EVENT_FAILED), held;

	for (int i = 1; i < 6; i++)
		event(i % 2 ? 2 : 1, arena_printf(a, "e%d", i).p, EVENT_FAILED);
	held = event(1, "held", EVENT_FAILED);
	waits(held, 1, NOW + MIN, 9);
	event(1, "dead", EVENT_DEAD);
	event(3, "theirs", EVENT_FAILED);
	x = find(&f);
	ck_assert(x.n == 3 && x.fit == 6 && !x.more && x.events[0].id == first);
	f.dead = true;
	ck_assert_uint_eq(find(&f).fit, 7);
	f.provider = STR("stripe");
	ck_assert_uint_eq(find(&f).fit, 3);
	f = (struct again_filter){ .max_attempts = 5, .limit = 100 };
	ck_assert_uint_eq(find(&f).fit, 7);	/* of all tenants */
	f.max_attempts = 2;
	ck_assert_uint_eq(find(&f).fit, 0);	/* each was started twice */
	f = (struct again_filter){ .tenant_id = 1, .max_attempts = 5, .limit = 100, .before = NOW - 40 * MIN };
	ck_assert_uint_eq(find(&f).fit, 0);	/* half an hour ago something happened to them */
}
END_TEST

/* ---- by cron ---- */

static void monitor(bool dry_run)
{
	const struct job_config c = { .db = db, .conf = &conf, .ids = &ids, .now = NOW, .limit_ms = 50000, .dry_run = dry_run };
	const struct job *only[] = { job_find(STR("monitor")), NULL };
	static struct job_result results[JOBS_MAX];
	size_t n;

	succeeds(jobs_run(&c, a, only, results, &n, &e));
	ck_assert_msg(results[0].outcome == JOB_DONE, "%.*s", STR_ARG(results[0].error));
}

START_TEST(cron_hurries_what_waits_while_a_check_fails)
{
	uint64_t failed = event(1, "failed", EVENT_FAILED), fresh = event_at(1, "fresh", EVENT_FAILED, NOW - MIN), lost = event(2, "lost", EVENT_PROCESSING);

	waits(failed, 1, NOW + 600 * MIN, 0);
	waits(fresh, 1, NOW + 4 * MIN, 0);
	waits(lost, 2, NOW - MIN, 9);
	monitor(false);
	is("SELECT COUNT(*) AS n FROM forwards WHERE next_at <= 1760000400100", 1);
	is("SELECT COUNT(*) AS n FROM audit_log", 0);
	conf.monitor.auto_remediate = true;
	monitor(true);
	is("SELECT COUNT(*) AS n FROM forwards WHERE owner = 9", 1);
	monitor(false);
	is("SELECT COUNT(*) AS n FROM forwards WHERE owner = 0 AND next_at <= 1760000401000", 2);
	is("SELECT next_at AS n FROM forwards WHERE event_id IN (SELECT id FROM events WHERE event_id = 'fresh')", NOW + 4 * MIN);
	is("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'monitor.auto-remediate' AND actor = 2 AND tenant_id = 1"
		" AND detail LIKE '%\"release-stuck\":1%\"retry-failed\":1%'", 1);
}
END_TEST

START_TEST(cron_asks_handlers_that_are_left_alone_and_spares_their_events)
{
	uint64_t one = event(1, "one", EVENT_FAILED), other = event(1, "other", EVENT_FAILED);

	conf.monitor.auto_remediate = true;
	run(T_BREAKER, VALS(V_U(1), V_I(NOW + 50 * MIN)));
	waits(one, 1, NOW + 30 * MIN, 0);
	waits(other, 1, NOW + 40 * MIN, 0);
	monitor(false);
	is("SELECT COUNT(*) AS n FROM breakers WHERE probe_at <= 1760000401000", 1);
	is("SELECT COUNT(*) AS n FROM forwards WHERE next_at <= 1760000401000", 1);	/* the probe */
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { an_event_is_found_by_any_of_its_ids, settled_events_are_done_and_wait_no_more,
		a_removed_event_takes_all_that_is_its_own_along, what_is_being_sent_is_not_removed, what_a_dead_sender_held_waits_again,
		events_to_try_again_are_chosen_within_bounds, cron_hurries_what_waits_while_a_check_fails,
		cron_asks_handlers_that_are_left_alone_and_spares_their_events };

	if (!store_test_begin(ACTS_DB, once, ARRAY_SIZE(once)))
		return STORE_TEST_SKIPPED;
	id_maker_init(&ids, 63);
	return store_test_run("event acts", tests, ARRAY_SIZE(tests), setup, teardown);
}
