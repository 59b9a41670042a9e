/* Alert rules with their database: what each metric counts, who is told of a change, and how often. */
#include "store_test.h"
#include "grapnel/job.h"
#include "grapnel/view.h"

#define RULES_DB "grapnel_rules"
#define NOW 1800000000000LL	/* 2027-01-15T08:00:00Z */
#define MIN MS_PER_MINUTE
#define DAYS(n) ((n) * MS_PER_DAY)

static struct conf conf;
static struct id_maker ids;
static const struct who who = { .tenant_id = 1, .actor = ACTOR_PERSON, .user_id = 7 };

static const char *const emptied[] = { "alert_rules", "events", "event_minutes", "event_hours", "event_days", "event_failures", "incidents", "source_stats",
	"channels", "outbox", "audit_log", "jobs", "job_runs" };

static const struct stmt once[] = {
	{ "data.tenant", "INSERT INTO tenants (id, name, created_at) VALUES (2, 'other', 1), (3, 'third', 1)" },
	{ "data.users", "INSERT INTO users (id, public_id, tenant_id, name, role, created_at) VALUES (7, 'us_7', 1, 'ann', 1, 1),"
		" (8, 'us_8', 1, 'bob', 1, 1), (9, 'us_9', 2, 'cyd', 1, 1), (10, 'us_10', 3, 'dan', 1, 1)" },
	{ "data.services", "INSERT INTO services (id, public_id, tenant_id, name, created_at, updated_at) VALUES (2, 'sv_2', 1, 'shop', 1, 1),"
		" (3, 'sv_3', 2, 'theirs', 1, 1)" },
	{ "data.sources", "INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, created_at, updated_at) VALUES"
		" (1, 'in_1', 1, 1, 'stripe', 'till', 1, 1, 1, 1), (2, 'in_2', 1, 1, 'stripe', 'shop', 2, 1, 1, 1),"
		" (3, 'in_3', 1, 1, 'github', 'code', 2, 1, 1, 1), (4, 'in_4', 2, 1, 'stripe', 'theirs', 3, 1, 1, 1)" },
};

enum { T_EVENT, T_SUM, T_HOUR, T_DAY, T_FAILURE, T_HEARD, T_INCIDENT, T_CHANNEL, T_RULE, T_USER, T_PAYLOAD };

static const struct stmt stmts[] = {
	[T_EVENT] = { "t.event",
		"INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary, status,"
		" is_test, received_at, updated_at) VALUES (?, ?, ?, 1, 0, UUID(), 'x', 1, 1, 1, 'x', ?, ?, 1, 1)" },
	[T_SUM] = { "t.sum",
		"INSERT INTO event_minutes (tenant_id, at, took, source_id, event_type, slot, events) VALUES (?, ?, ?, ?, 'x', ?, ?)" },
	[T_HOUR] = { "t.hour", "INSERT INTO event_hours (tenant_id, at, took, source_id, event_type, events) VALUES (?, ?, 0, ?, 'x', ?)" },
	[T_DAY] = { "t.day", "INSERT INTO event_days (tenant_id, at, took, source_id, event_type, events) VALUES (?, ?, 0, ?, 'x', ?)" },
	[T_FAILURE] = { "t.failure", "INSERT INTO event_failures (tenant_id, at, event_id, source_id) VALUES (?, ?, ?, ?)" },
	[T_HEARD] = { "t.heard", "INSERT INTO source_stats (source_id, hour, slot, heard_at) VALUES (?, ?, ?, ?)" },
	[T_INCIDENT] = { "t.incident",
		"INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, title, status, level, is_test, opened_at, last_alert_at,"
		" updated_at) VALUES (?, ?, ?, ?, UUID(), 'x', ?, 3, ?, 1, 1, 1)" },
	[T_CHANNEL] = { "t.channel", "INSERT INTO channels (public_id, tenant_id, kind, name, events, settings, created_at, updated_at)"
		" VALUES (?, ?, 'email', 'ops', ?, '{}', 1, 1)" },
	[T_RULE] = { "t.rule",
		"INSERT INTO alert_rules (public_id, tenant_id, user_id, name, metric, comparison, threshold, window_minutes, created_at, updated_at)"
		" SELECT CONCAT('ar_', ?, '-', seq), ?, ?, 'r', 7, 2, 0, 60, 1, 1 FROM seq_1_to_9999 WHERE seq <= ?" },
	[T_USER] = { "t.user", "UPDATE users SET enabled = ? WHERE id = ?" },
	[T_PAYLOAD] = { "t.payload", "SELECT payload FROM outbox ORDER BY id DESC LIMIT 1" },
};

static void run(int q, const struct val *vals, size_t n)
{
	succeeds(db_exec(db, &stmts[q], vals, n, NULL, &e));
}

static void setup(void)
{
	store_test_setup(emptied, ARRAY_SIZE(emptied));
	run(T_USER, VALS(V_U(1), V_U(7)));
	ck_assert(conf_load(&conf, NULL, &e));
	id_maker_init(&ids, 63);
}

static void teardown(void)
{
	conf_free(&conf);
	arena_free(a);
}

static uint64_t minute(ms_t t)
{
	return (uint64_t)(t / MIN);
}

/* Received then, with its place in the sums unless it is a test. */
static uint64_t event(uint64_t tenant, uint64_t source, enum event_status status, ms_t at)
{
	static uint64_t made;
	uint64_t id = id_floor(at) + ++made;

	run(T_EVENT, VALS(V_U(id), V_U(tenant), V_U(source), V_U(status), V_U(0)));
	run(T_SUM, VALS(V_U(tenant), V_U(minute(at)), V_U(0), V_U(source), V_U(made), V_I(1)));
	return id;
}

static struct alert_rule rule(enum rule_metric metric, enum rule_comparison comparison, double threshold)
{
	return (struct alert_rule){ .tenant_id = 1, .user_id = 7, .name = STR("rule"), .metric = metric, .comparison = comparison,
		.threshold = threshold, .window_min = 60, .enabled = true };
}

static struct alert_rule added(const struct alert_rule *in, ms_t now)
{
	struct alert_rule out;

	succeeds(alert_rule_add(db, a, in, &who, now, &out, &e));
	ck_assert(public_id_is(out.public_id, "ar"));
	return out;
}

static struct alert_rule stored(const struct alert_rule *r)
{
	struct alert_rule out;

	ck_assert_int_eq(alert_rule_get(db, a, r->tenant_id, r->user_id, r->public_id, &out, &e), 1);
	return out;
}

static struct job_result job_of(ms_t now, bool dry_run)
{
	struct job_config c = { .db = db, .conf = &conf, .ids = &ids, .now = now, .limit_ms = 50000, .dry_run = dry_run };
	const struct job *only[] = { job_find(STR("alert-rules")), NULL };
	struct job_result results[JOBS_MAX];
	size_t n;

	succeeds(jobs_run(&c, a, only, results, &n, &e));
	ck_assert_uint_eq(n, 1);
	ck_assert_msg(results[0].outcome == JOB_DONE, "%.*s", STR_ARG(results[0].error));
	return results[0];
}

static uint64_t job(ms_t now)
{
	return job_of(now, false).touched;
}

static void channel(const char *id, uint64_t tenant, uint64_t events)
{
	run(T_CHANNEL, VALS(V_S(str_of(id)), V_U(tenant), V_U(events)));
}

struct payload {
	struct str text;
};

static struct str newest_payload(void)
{
	static const struct field fields[] = { FIELD_STR(struct payload, text, "payload", ""), FIELD_END };
	struct payload p = { 0 };

	ck_assert_int_eq(db_query_one(db, &stmts[T_PAYLOAD], NULL, 0, a, fields, sizeof(p), &p, &e), 1);
	return p.text;
}

/* ---- what is measured ---- */

struct filter {
	const char *provider;
	uint64_t source, service;
};

static double measured_in(uint64_t tenant, enum rule_metric metric, struct filter f, uint64_t window_min)
{
	struct alert_rule r = { .tenant_id = tenant, .metric = metric, .provider = str_of(f.provider), .source_row = f.source, .service_row = f.service,
		.window_min = window_min, .created_at = NOW - 7 * MIN };
	double value = -1;

	succeeds(rule_measure(rule_meter_new(db, a, tenant, NOW), &r, &value, &e));
	return value;
}

#define measured(metric, window, ...) measured_in(1, metric, (struct filter){ __VA_ARGS__ }, window)
#define is_near(got, want) do { \
	double got_ = (got); \
	ck_assert_msg(got_ == (want), "%f, not %f", got_, (double)(want)); \
} while (0)

START_TEST(nothing_at_all)
{
	for (unsigned m = 1; m < RULE_METRICS_END; m++)
		is_near(measured(m, 60, .provider = ""), m == RULE_SUCCESS_RATE ? 1 : m == RULE_LAST_EVENT ? 7 : 0);
}
END_TEST

START_TEST(events_of_a_window_by_filter)
{
	event(1, 1, EVENT_PROCESSED, NOW - 5 * MIN);
	event(1, 2, EVENT_PROCESSED, NOW - 5 * MIN);
	event(1, 2, EVENT_FAILED, NOW - 5 * MIN);
	event(1, 3, EVENT_IGNORED, NOW - 30 * MIN);
	event(1, 3, EVENT_PROCESSED, NOW - 70 * MIN);	/* before the hour */
	event(2, 4, EVENT_PROCESSED, NOW - 5 * MIN);	/* a stranger's */
	run(T_SUM, VALS(V_U(1), V_U(minute(NOW)), V_U(55), V_U(0), V_U(1), V_I(100)));	/* a duration, not a receipt */
	run(T_HOUR, VALS(V_U(1), V_U(minute(NOW - DAYS(2))), V_U(1), V_I(1000)));
	run(T_DAY, VALS(V_U(1), V_U(minute(NOW - DAYS(20))), V_U(3), V_I(10000)));
	is_near(measured(RULE_EVENT_COUNT, 60, .provider = ""), 4);
	is_near(measured(RULE_EVENT_COUNT, 1, .provider = ""), 0);
	is_near(measured(RULE_EVENT_COUNT, 180, .provider = ""), 5);
	is_near(measured(RULE_EVENT_COUNT, 3 * 24 * 60, .provider = ""), 1005);
	is_near(measured(RULE_EVENT_COUNT, RULE_WINDOW_MAX, .provider = ""), 11005);
	is_near(measured(RULE_EVENT_COUNT, 60, .provider = "stripe"), 3);
	is_near(measured(RULE_EVENT_COUNT, 60, .source = 2), 2);
	is_near(measured(RULE_EVENT_COUNT, 60, .service = 2), 3);
	is_near(measured(RULE_EVENT_COUNT, 60, .provider = "stripe", .service = 2), 2);
	is_near(measured(RULE_EVENT_COUNT, 60, .provider = "github", .source = 2), 0);
	is_near(measured(RULE_EVENT_COUNT, 60, .source = 4), 0);
}
END_TEST

START_TEST(what_was_not_processed_lowers_the_rate)
{
	static const enum event_status undone[] = { EVENT_PENDING, EVENT_PROCESSING, EVENT_FAILED, EVENT_DEAD };

	for (size_t i = 0; i < ARRAY_SIZE(undone); i++) {
		event(1, 1, undone[i], NOW - 5 * MIN);
		event(1, 1, undone[i], NOW - 70 * MIN);	/* before the hour: neither came nor failed in it */
		event(1, 3, EVENT_PROCESSED, NOW - 5 * MIN);
		event(1, 3, EVENT_IGNORED, NOW - 5 * MIN);
	}
	run(T_EVENT, VALS(V_U(id_floor(NOW - MIN)), V_U(1), V_U(1), V_U(EVENT_FAILED), V_U(1)));	/* a test */
	is_near(measured(RULE_SUCCESS_RATE, 60, .provider = ""), 0.6667);
	is_near(measured(RULE_SUCCESS_RATE, 60, .source = 1), 0);
	is_near(measured(RULE_SUCCESS_RATE, 60, .source = 3), 1);
	is_near(measured(RULE_SUCCESS_RATE, 60, .source = 2), 1);
	is_near(measured(RULE_SUCCESS_RATE, 120, .provider = "stripe"), 0);
	is_near(measured_in(2, RULE_SUCCESS_RATE, (struct filter){ 0 }, 60), 1);
}
END_TEST

START_TEST(an_event_that_failed_twice_is_one)
{
	run(T_FAILURE, VALS(V_U(1), V_I(NOW - 5 * MIN), V_U(77), V_U(1)));
	run(T_FAILURE, VALS(V_U(1), V_I(NOW - 4 * MIN), V_U(77), V_U(1)));
	run(T_FAILURE, VALS(V_U(1), V_I(NOW - 4 * MIN), V_U(78), V_U(3)));
	run(T_FAILURE, VALS(V_U(1), V_I(NOW - 90 * MIN), V_U(79), V_U(3)));
	run(T_FAILURE, VALS(V_U(2), V_I(NOW - 4 * MIN), V_U(80), V_U(4)));
	is_near(measured(RULE_FAILURE_COUNT, 60, .provider = ""), 2);
	is_near(measured(RULE_FAILURE_COUNT, 60, .provider = "github"), 1);
	is_near(measured(RULE_FAILURE_COUNT, 120, .service = 2), 2);
}
END_TEST

START_TEST(what_waits_whatever_the_window)
{
	event(1, 1, EVENT_PENDING, NOW - 3 * MIN - 1);
	event(1, 1, EVENT_DEAD, NOW - DAYS(3));
	event(1, 3, EVENT_FAILED, NOW - DAYS(1));
	event(1, 3, EVENT_PROCESSING, NOW - 2 * MIN);
	event(1, 3, EVENT_PROCESSED, NOW - DAYS(2));
	run(T_EVENT, VALS(V_U(id_floor(NOW - DAYS(9))), V_U(1), V_U(1), V_U(EVENT_PENDING), V_U(1)));	/* a test */
	is_near(measured(RULE_PENDING_COUNT, 1, .provider = ""), 3);
	is_near(measured(RULE_PENDING_COUNT, 1, .source = 1), 1);
	is_near(measured(RULE_OLDEST_PENDING, 1, .provider = ""), 24 * 60);
	is_near(measured(RULE_OLDEST_PENDING, 1, .source = 1), 3);
	is_near(measured(RULE_OLDEST_PENDING, 1, .source = 2), 0);
}
END_TEST

START_TEST(silence_is_since_the_newest_request)
{
	run(T_HEARD, VALS(V_U(1), V_U(0), V_U(1), V_I(NOW - 50 * MIN)));
	run(T_HEARD, VALS(V_U(1), V_U(0), V_U(2), V_I(NOW - 40 * MIN)));
	run(T_HEARD, VALS(V_U(2), V_U(0), V_U(1), V_I(NOW - 20 * MIN)));
	run(T_HEARD, VALS(V_U(3), V_U(500000), V_U(1), V_I(NOW)));	/* an hour of its own says nothing of it */
	run(T_HEARD, VALS(V_U(4), V_U(0), V_U(1), V_I(NOW)));
	is_near(measured(RULE_LAST_EVENT, 1, .provider = ""), 20);
	is_near(measured(RULE_LAST_EVENT, 1, .source = 1), 40);
	is_near(measured(RULE_LAST_EVENT, 1, .source = 3), 7);	/* none ever came: since the rule was made */
}
END_TEST

START_TEST(incidents_by_their_own_service)
{
	uint64_t id = 1;

	run(T_INCIDENT, VALS(V_U(id++), V_U(1), V_U(1), V_U(3), V_U(INCIDENT_OPEN), V_U(0)));	/* routed to another service */
	run(T_INCIDENT, VALS(V_U(id++), V_U(1), V_U(2), V_U(1), V_U(INCIDENT_ACKNOWLEDGED), V_U(0)));
	run(T_INCIDENT, VALS(V_U(id++), V_U(1), V_U(2), V_U(1), V_U(INCIDENT_RESOLVED), V_U(0)));
	run(T_INCIDENT, VALS(V_U(id++), V_U(1), V_U(2), V_U(1), V_U(INCIDENT_OPEN), V_U(1)));	/* a test */
	run(T_INCIDENT, VALS(V_U(id++), V_U(2), V_U(3), V_U(4), V_U(INCIDENT_OPEN), V_U(0)));
	is_near(measured(RULE_OPEN_INCIDENTS, 1, .provider = ""), 2);
	is_near(measured(RULE_OPEN_INCIDENTS, 1, .service = 1), 1);
	is_near(measured(RULE_OPEN_INCIDENTS, 1, .service = 2), 1);
	is_near(measured(RULE_OPEN_INCIDENTS, 1, .provider = "github"), 1);
	is_near(measured(RULE_OPEN_INCIDENTS, 1, .source = 1), 1);
}
END_TEST

/* ---- who is told ---- */

START_TEST(a_change_is_told_once_and_its_end_too)
{
	struct alert_rule r = rule(RULE_PENDING_COUNT, RULE_ABOVE, 1);

	channel("ch_1", 1, CHANNEL_ALERTS);
	channel("ch_2", 1, CHANNEL_MONITOR | CHANNEL_INCIDENT);
	channel("ch_3", 2, CHANNEL_ALERTS);
	r = added(&r, NOW);
	event(1, 1, EVENT_PENDING, NOW);
	ck_assert_uint_eq(job(NOW), 0);
	r = stored(&r);
	ck_assert(!r.triggered && !r.since && r.has_value && r.value == 1 && r.evaluated_at >= NOW);
	event(1, 1, EVENT_PENDING, NOW);
	ck_assert_uint_eq(job_of(NOW + MIN, true).touched, 1);
	ck_assert(!stored(&r).triggered);
	ck_assert_uint_eq(job(NOW + MIN), 1);
	r = stored(&r);
	ck_assert(r.triggered && r.value == 2 && r.since >= NOW + MIN && r.episode && r.triggered_at == r.since);
	is("SELECT COUNT(*) AS n FROM outbox", 1);
	is("SELECT COUNT(*) AS n FROM outbox o JOIN channels c ON c.id = o.target_id AND c.public_id = 'ch_1' WHERE o.kind = 1", 1);
	ck_assert(str_starts(newest_payload(), "{\"type\":\"alerts.triggered\""));
	ck_assert_msg(str_has(newest_payload(), "\"name\":\"rule\",\"metric\":\"pending_count\",\"filter\":{},\"comparison\":\">\",\"threshold\":1,"
		"\"windowMinutes\":60,\"user\":\"ann\",\"value\":2,\"message\":\"Events that wait: 2, above 1.\""), "%.*s", STR_ARG(newest_payload()));
	ck_assert_uint_eq(job(NOW + 2 * MIN), 0);
	is("SELECT COUNT(*) AS n FROM outbox", 1);
	succeeds(db_exec(db, stmt_of("t.done", "UPDATE events SET status = 2"), NULL, 0, NULL, &e));
	ck_assert_uint_eq(job(NOW + 3 * MIN), 1);
	r = stored(&r);
	ck_assert(!r.triggered && r.value == 0 && r.since >= NOW + 3 * MIN);
	ck_assert(str_starts(newest_payload(), "{\"type\":\"alerts.over\""));
	ck_assert(str_has(newest_payload(), "\"message\":\"Events that wait: 0, no longer above 1.\""));
	is("SELECT COUNT(*) AS n FROM outbox", 2);
	is("SELECT COUNT(DISTINCT cause_id) AS n FROM outbox", 1);	/* so they go in their order */
	event(1, 1, EVENT_PENDING, NOW);
	event(1, 1, EVENT_PENDING, NOW);
	ck_assert_uint_eq(job(NOW + 4 * MIN), 1);
	is("SELECT COUNT(DISTINCT cause_id) AS n FROM outbox", 2);
}
END_TEST

START_TEST(of_two_who_look_at_once_one_changes_it)
{
	struct alert_rule r = rule(RULE_EVENT_COUNT, RULE_EQUAL, 0), changed;
	const struct rule_verdict v = { .triggered = true, .measured = true, .value = 0 };

	channel("ch_1", 1, CHANNEL_ALERTS);
	r = added(&r, NOW);
	r = stored(&r);
	ck_assert_int_eq(alert_rule_change(db, a, &ids, &r, &v, NOW, &e), 1);
	ck_assert_int_eq(alert_rule_change(db, a, &ids, &r, &v, NOW, &e), 0);
	is("SELECT COUNT(*) AS n FROM outbox", 1);
	changed = stored(&r);
	changed.threshold = 5;
	ck_assert_int_eq(alert_rule_update(db, a, &ids, &changed, &who, NOW, &e), 1);
	r = stored(&r);
	ck_assert(r.triggered && !r.has_value && !r.evaluated_at);	/* the next look says what is so */
	changed.triggered = true;
	ck_assert_int_eq(alert_rule_change(db, a, &ids, &changed, &(struct rule_verdict){ .measured = true }, NOW, &e), 0);	/* of what it was before */
	changed.value = 9;
	succeeds(alert_rules_note(db, a, &changed, 1, NOW, &e));
	ck_assert(!stored(&r).has_value);
	ck_assert_uint_eq(job(NOW + MIN), 1);
	ck_assert(!stored(&r).triggered);
}
END_TEST

START_TEST(switched_off_and_deleted_is_over)
{
	struct alert_rule r = rule(RULE_EVENT_COUNT, RULE_EQUAL, 0), second = r;

	channel("ch_1", 1, CHANNEL_ALERTS);
	r = added(&r, NOW);
	second = added(&second, NOW);
	ck_assert_uint_eq(job(NOW), 2);
	r = stored(&r);
	r.enabled = false;
	ck_assert_int_eq(alert_rule_update(db, a, &ids, &r, &who, NOW + MIN, &e), 1);
	ck_assert(str_has(newest_payload(), "\"type\":\"alerts.over\"") && str_has(newest_payload(), "\"message\":\"The rule was switched off.\""));
	ck_assert(!stored(&r).triggered && stored(&r).since == NOW + MIN);
	ck_assert_uint_eq(job(NOW + 2 * MIN), 0);
	ck_assert_int_eq(alert_rule_delete(db, a, &ids, 1, 7, second.public_id, &who, NOW + 3 * MIN, &e), 1);
	ck_assert(str_has(newest_payload(), "\"message\":\"The rule was deleted.\""));
	is("SELECT COUNT(*) AS n FROM outbox", 4);
	ck_assert_int_eq(alert_rule_delete(db, a, &ids, 1, 7, r.public_id, &who, NOW + 3 * MIN, &e), 1);
	is("SELECT COUNT(*) AS n FROM outbox", 4);
	is("SELECT COUNT(*) AS n FROM audit_log WHERE action LIKE 'alert_rule.%'", 5);
}
END_TEST

START_TEST(a_user_who_is_disabled_has_no_rules)
{
	struct alert_rule r = rule(RULE_EVENT_COUNT, RULE_EQUAL, 0);

	channel("ch_1", 1, CHANNEL_ALERTS);
	r = added(&r, NOW);
	ck_assert_uint_eq(job(NOW), 1);
	run(T_USER, VALS(V_U(0), V_U(7)));
	ck_assert_uint_eq(job(NOW + MIN), 1);
	ck_assert(str_has(newest_payload(), "\"message\":\"The user of the rule was disabled.\""));
	ck_assert_uint_eq(job(NOW + 2 * MIN), 0);
	run(T_USER, VALS(V_U(1), V_U(7)));
	ck_assert_uint_eq(job(NOW + 3 * MIN), 1);
}
END_TEST

/* ---- changes ---- */

START_TEST(a_rule_is_its_users_own)
{
	struct alert_rule r = rule(RULE_EVENT_COUNT, RULE_ABOVE, 0.25), out, *list;
	size_t n;

	r = added(&r, NOW);
	ck_assert_int_eq(alert_rule_get(db, a, 1, 8, r.public_id, &out, &e), 0);
	ck_assert_int_eq(alert_rule_get(db, a, 2, 7, r.public_id, &out, &e), 0);
	ck_assert_int_eq(alert_rule_delete(db, a, &ids, 1, 8, r.public_id, &who, NOW, &e), 0);
	out = stored(&r);
	ck_assert(out.threshold == 0.25 && str_eqs(out.user_name, "ann") && !out.source.n && !out.provider.n);
	out.user_id = 8;
	ck_assert_int_eq(alert_rule_update(db, a, &ids, &out, &who, NOW, &e), 0);
	out = stored(&r);
	out.name = STR("other");
	out.source_row = 2;
	out.service_row = 2;
	out.provider = STR("stripe");
	out.threshold = -1.5;
	ck_assert_int_eq(alert_rule_update(db, a, &ids, &out, &who, NOW, &e), 1);
	ck_assert_int_eq(alert_rule_update(db, a, &ids, &out, &who, NOW, &e), -1);
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	e = (struct err){ 0 };
	out = stored(&r);
	ck_assert(str_eqs(out.source, "in_2") && str_eqs(out.source_name, "shop") && str_eqs(out.service, "sv_2") && out.threshold == -1.5 &&
		out.updated_at == NOW + 1);
	succeeds(alert_rule_list(db, a, 1, 7, 0, 10, &list, &n, &e));
	ck_assert_uint_eq(n, 1);
	succeeds(alert_rule_list(db, a, 1, 8, 0, 10, &list, &n, &e));
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(a_user_has_a_hundred_at_most)
{
	struct alert_rule r = rule(RULE_EVENT_COUNT, RULE_ABOVE, 0), out;

	run(T_RULE, VALS(V_S(STR("x")), V_U(2), V_U(7), V_U(ALERT_RULES_MAX - 1)));	/* in whatever tenant */
	added(&r, NOW);
	ck_assert(!alert_rule_add(db, a, &r, &who, NOW, &out, &e));
	ck_assert(e.code == ERR_CONFLICT && e.told);
	r.user_id = 8;
	added(&r, NOW);
}
END_TEST

/* ---- turns ---- */

START_TEST(a_tenant_with_many_rules_keeps_none_from_its_turn)
{
	struct job_config c = { .db = db, .conf = &conf, .ids = &ids, .now = NOW, .limit_ms = 1 };
	const struct job *only[] = { job_find(STR("alert-rules")), NULL };
	struct job_result results[JOBS_MAX];
	uint64_t left = 0, runs = 0;
	size_t n;

	run(T_RULE, VALS(V_S(STR("a")), V_U(1), V_U(7), V_U(2500)));
	run(T_RULE, VALS(V_S(STR("b")), V_U(2), V_U(9), V_U(50)));
	run(T_RULE, VALS(V_S(STR("c")), V_U(3), V_U(10), V_U(50)));
	do {
		c.now += MIN;
		succeeds(jobs_run(&c, a, only, results, &n, &e));
		ck_assert(!n || results[0].outcome == JOB_DONE || results[0].outcome == JOB_UNFINISHED);	/* none: the millisecond was over before */
		left = number("SELECT COUNT(*) AS n FROM alert_rules WHERE triggered = 0 AND tenant_id > 1");
		runs++;
	} while (left && runs < 2000);	/* a busy machine does little in a millisecond */
	ck_assert_uint_eq(left, 0);
	ck_assert_uint_gt(number("SELECT COUNT(*) AS n FROM alert_rules WHERE triggered = 0"), 0);
	job(NOW + 500 * MIN);
	job(NOW + 501 * MIN);
	is("SELECT COUNT(*) AS n FROM alert_rules WHERE triggered = 0", 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { nothing_at_all, events_of_a_window_by_filter, what_was_not_processed_lowers_the_rate,
		an_event_that_failed_twice_is_one, what_waits_whatever_the_window, silence_is_since_the_newest_request,
		incidents_by_their_own_service, a_change_is_told_once_and_its_end_too, of_two_who_look_at_once_one_changes_it,
		switched_off_and_deleted_is_over, a_user_who_is_disabled_has_no_rules, a_rule_is_its_users_own, a_user_has_a_hundred_at_most,
		a_tenant_with_many_rules_keeps_none_from_its_turn };

	if (!store_test_begin(RULES_DB, once, ARRAY_SIZE(once)))
		return STORE_TEST_SKIPPED;
	return store_test_run("alert rules", tests, ARRAY_SIZE(tests), setup, teardown);
}
