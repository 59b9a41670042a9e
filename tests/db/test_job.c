/* test_job.c - cron's jobs against a real MariaDB: who may run them, what they touch and spare, how they end. Time is handed in; each
 * test begins with empty tables. */
#include <signal.h>

#include "grapnel/crypto.h"
#include "grapnel/job.h"
#include "src/job/job_int.h"
#include "tests/db/store_test.h"

#define JOB_DB "grapnel_job"
#define NOW 1800000000000LL	/* 2027-01-15T08:00:00Z */
#define DAYS(n) ((n) * MS_PER_DAY)
#define MIN MS_PER_MINUTE

static struct conf conf;
static struct seal_key *seal_key;
static struct id_maker ids;
static struct job_result results[JOBS_MAX];
static size_t result_n;

static const char *const emptied[] = { "table_sizes", "outbox", "outbox_attempts", "events", "event_ids", "requests", "request_marks", "alerts", "incidents", "incident_keys", "timeline", "incident_news",
	"monitor_alerts", "source_stats", "jobs", "job_runs", "audit_log", "sessions", "tokens", "source_secrets" };

enum { T_SOURCE, T_TENANT, T_SERVICE, T_SERVICES, T_INCIDENT, T_KEY, T_ALERTED, T_EVENTS, T_EVENT_IDS, T_REQUESTS, T_MARKS, T_ALERTS, T_STATS,
	T_AUDIT, T_RUNS, T_SESSIONS, T_TOKENS, T_SECRETS, T_READ, T_JOB, T_NO_KEY, T_INSTALLED, T_OLD_KEY, T_ANALYZE, T_SIZE, T_CLOCK, T_WATCH, T_HEARD, T_SERVICE_OF, T_HOLD_LAST };

/* `seq` counts; the first value is the moment of seq 0, rows are a millisecond apart. */
#define SQL_ID "(((? + seq) - 1577836800000) * 4194304 + 4096 * 7)"

static const struct stmt stmts[] = {
	[T_SOURCE] = { "t.source", "INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, created_at, updated_at)"
		" VALUES (1, 'in_1', 1, 1, 'webhook', 'hook', 1, 1, 1, 1), (2, 'in_2', 2, 1, 'webhook', 'theirs', 1, 1, 1, 1)" },
	[T_TENANT] = { "t.tenant", "INSERT INTO tenants (id, name, created_at) VALUES (2, 'other', 1)" },
	[T_SERVICE] = { "t.service", "UPDATE services SET auto_resolve_minutes = ? WHERE id = 2" },
	[T_SERVICES] = { "t.services", "INSERT INTO services (id, public_id, tenant_id, name, created_at, updated_at) VALUES (2, 'sv_2', 1, 'two', 1, 1)" },
	[T_INCIDENT] = { "t.incident",
		"INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, open_hash, title, status, level, is_test,"
		" opened_at, resolved_at, last_alert_at, updated_at) VALUES (?, 1, ?, 1, ?, ?, 'disk', ?, 3, ?, ?, ?, ?, 1)" },
	[T_KEY] = { "t.key", "REPLACE INTO incident_keys (service_id, key_hash, incident_id, status, level) VALUES (?, ?, ?, ?, 3)" },
	[T_ALERTED] = { "t.alerted", "UPDATE incidents SET last_alert_at = ? WHERE id = ?" },
	[T_EVENTS] = { "t.events",
		"INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary,"
		" status, incident_id, received_at, updated_at) SELECT " SQL_ID " + 1, 1, 1, " SQL_ID ", 0, CONCAT('ev-', ?, '-', seq), 'x', 1, 1, 1, 's',"
		" ?, ?, 1, 1 FROM seq_0_to_99999 WHERE seq < ?" },
	[T_EVENT_IDS] = { "t.event_ids", "INSERT INTO event_ids (source_id, id_hash, event_id, first_at)"
		" SELECT source_id, UNHEX(LEFT(SHA2(event_id, 256), 32)), id, 1 FROM events" },
	[T_REQUESTS] = { "t.requests",
		"INSERT INTO requests (id, source_id, status, reason, method, uri, remote_addr, trace, headers, body, body_bytes, duration_us,"
		" event_count) SELECT " SQL_ID ", 1, IF(? = 0, 201, 401), IF(? = 0, NULL, 'Invalid signature'), 'POST', '/', 'x', 't', '', 'body', 4, 1, 1"
		" FROM seq_0_to_99999 WHERE seq < ?" },
	[T_MARKS] = { "t.marks", "INSERT INTO request_marks (tenant_id, kind, id) SELECT 1, 1, id FROM requests WHERE reason IS NOT NULL" },
	[T_ALERTS] = { "t.alerts", "INSERT INTO alerts (id, tenant_id, event_id, incident_id, level, created_at)"
		" SELECT id + 1, 1, id, COALESCE(incident_id, 0), 3, 1 FROM events" },
	[T_STATS] = { "t.stats", "INSERT INTO source_stats (source_id, hour, slot, received)"
		" SELECT s.id, h.seq, w.seq, 1 FROM sources s JOIN seq_0_to_999999 h ON h.seq = 0 OR h.seq BETWEEN ? AND ? JOIN seq_0_to_2 w" },
	[T_HOLD_LAST] = { "t.hold_last", "UPDATE events SET updated_at = updated_at + 1 ORDER BY id DESC LIMIT 1" },
	[T_AUDIT] = { "t.audit", "INSERT INTO audit_log (tenant_id, at, actor, action, object, detail)"
		" SELECT 1, ? + seq, 3, 'integration.create', CONCAT('in_', seq), '{\"name\":\"é\\\\n\"}' FROM seq_0_to_99999 WHERE seq < ?" },
	[T_RUNS] = { "t.runs", "INSERT INTO job_runs (name, started_at, duration_ms, ok, touched) SELECT 'x', ? + seq, 1, 1, 0"
		" FROM seq_0_to_99999 WHERE seq < ?" },
	[T_SESSIONS] = { "t.sessions", "INSERT INTO sessions (id_hash, public_id, user_id, created_at, last_seen_at, expires_at, remote_addr)"
		" SELECT UNHEX(SHA2(CONCAT(?, '-', seq), 256)), CONCAT('se_', ?, '-', seq), 1, 1, 1, ?, 'x' FROM seq_0_to_99999 WHERE seq < ?" },
	[T_TOKENS] = { "t.tokens", "INSERT INTO tokens (public_id, user_id, name, token_hash, scopes, created_at, expires_at, revoked_at)"
		" VALUES (?, 1, 't', UNHEX(SHA2(?, 256)), 1, 1, ?, ?)" },
	[T_READ] = { "t.read",
		"SELECT i.status, i.resolved_by, i.resolved_at, i.auto_resolved_at, k.status AS key_status,"
		" (SELECT COUNT(*) FROM timeline t WHERE t.incident_id = i.id AND t.kind = 4 AND t.actor = 2) AS entries,"
		" (SELECT MAX(text) FROM timeline t WHERE t.incident_id = i.id) AS text,"
		" (SELECT COUNT(*) FROM audit_log l WHERE l.object = i.id AND l.actor = 2) AS audited"
		" FROM incidents i LEFT JOIN incident_keys k ON k.incident_id = i.id WHERE i.id = ?" },
	[T_JOB] = { "t.job", "UPDATE jobs SET last_started_at = ?, last_finished_at = ?, last_ok = ?, unfinished = ? WHERE name = ?" },
	[T_NO_KEY] = { "t.no_key", "DELETE FROM incident_keys WHERE incident_id = ?" },
	[T_OLD_KEY] = { "t.old_key", "UPDATE sources SET key_old_hash = UNHEX(SHA2(id, 256)), key_old_until = ? WHERE id = ?" },
	[T_INSTALLED] = { "t.installed", "UPDATE schema_migrations SET applied_at = ?" },
	/* NOW() of the server tells the time that a test hands in. */
	[T_CLOCK] = { "t.clock", "SET timestamp = ?" },
	[T_SIZE] = { "t.size", "UPDATE table_sizes SET bytes = 16384 WHERE name = 'events'" },	/* other tests have left pages */
	[T_ANALYZE] = { "t.analyze", "ANALYZE TABLE events" },
	[T_WATCH] = { "t.watch", "UPDATE sources SET heartbeat_minutes = ?, heartbeat_incident = ?, heartbeat_since = ?, enabled = ? WHERE id = 1" },
	[T_SERVICE_OF] = { "t.service_of", "UPDATE services SET auto_resolve_minutes = ? WHERE id = ?" },
	[T_HEARD] = { "t.heard", "INSERT INTO source_stats (source_id, hour, slot, heard_at) VALUES (1, 0, 3, ?)"
		" ON DUPLICATE KEY UPDATE heard_at = VALUES(heard_at)" },
	[T_SECRETS] = { "t.secrets", "INSERT INTO source_secrets (source_id, sealed, created_at, expires_at) VALUES (?, 'x', 1, ?)" },
};

/* ---- words of the tests ---- */

static void run(int q, const struct val *vals, size_t n)
{
	succeeds(db_exec(db, &stmts[q], vals, n, NULL, &e));
}

static void setup(void)
{
	store_test_setup(emptied, ARRAY_SIZE(emptied));
	ck_assert(conf_load(&conf, NULL, &e));
	id_maker_init(&ids, 63);
}

static void teardown(void)
{
	conf_free(&conf);
	arena_free(a);
}

static bool run_jobs(const struct job *const *only, ms_t now, int64_t limit_ms, bool dry_run)
{
	struct job_config c = { .db = db, .conf = &conf, .seal = seal_key, .ids = &ids, .now = now, .limit_ms = limit_ms, .dry_run = dry_run };

	if (!db_exec(db, &stmts[T_CLOCK], VALS(V_I(now / 1000)), NULL, &e))
		return false;
	return jobs_run(&c, a, only, results, &result_n, &e);
}

static size_t job_n(void)
{
	size_t n;

	job_facts_all(a, &n);
	return n;
}

/* The result of one job, run now whether due or not. */
static struct job_result job(const char *name, ms_t now)
{
	const struct job *only[] = { job_find(str_of(name)), NULL };

	succeeds(run_jobs(only, now, 50000, false));
	ck_assert_uint_eq(result_n, 1);
	ck_assert_msg(results[0].outcome == JOB_DONE, "%s: %s %.*s", name, job_outcome_word(results[0].outcome), STR_ARG(results[0].error));
	return results[0];
}

static const struct job_result *result_of(const char *name)
{
	for (size_t i = 0; i < result_n; i++)
		if (str_eqs(results[i].name, name))
			return &results[i];
	return NULL;
}

static struct str hash_of(struct str key)
{
	unsigned char bytes[KEY_HASH_BYTES];

	key_hash(key, bytes);
	return arena_str(a, (struct str){ (const char *)bytes, sizeof(bytes) });
}

/* An incident with its key; returns its id. */
static uint64_t incident(const char *key, uint64_t service, enum incident_status status, bool is_test, ms_t opened_at, ms_t resolved_at)
{
	static uint64_t made;
	uint64_t id = id_floor(opened_at) + ++made;
	struct str hash = hash_of(str_of(key));

	run(T_INCIDENT, VALS(V_U(id), V_U(service), V_S(str_of(key)), status == INCIDENT_RESOLVED ? V_NULL() : V_B(hash), V_U(status), V_U(is_test),
		V_I(opened_at), V_T(resolved_at), V_I(opened_at)));
	run(T_KEY, VALS(V_U(service), V_B(hash), V_U(id), V_U(status)));
	return id;
}

struct incident_read {
	uint64_t status, resolved_by, key_status, entries, audited;
	struct str text;
	ms_t resolved_at, auto_resolved_at;
};
static const struct field read_fields[] = {
	FIELD_U64(struct incident_read, status, "status", ""),
	FIELD_U64(struct incident_read, resolved_by, "resolved_by", ""),
	FIELD_U64(struct incident_read, key_status, "key_status", ""),
	FIELD_U64(struct incident_read, entries, "entries", ""),
	FIELD_U64(struct incident_read, audited, "audited", ""),
	FIELD_STR(struct incident_read, text, "text", ""),
	FIELD_TIME(struct incident_read, resolved_at, "resolved_at", ""),
	FIELD_TIME(struct incident_read, auto_resolved_at, "auto_resolved_at", ""),
	FIELD_END
};

static struct incident_read read_incident(uint64_t id)
{
	struct incident_read r = { 0 };

	succeeds(db_query_one(db, &stmts[T_READ], VALS(V_U(id)), a, read_fields, sizeof(r), &r, &e) == 1);
	return r;
}

static void person(uint64_t id, enum incident_command c, ms_t now)
{
	const struct who who = { .tenant_id = 1, .actor = ACTOR_PERSON };

	succeeds(incident_act(db, a, 1, id, c, ACTOR_PERSON, &who, id_make(&ids, now), STR_NONE, now, &e) == 1);
}

/* ---- auto-resolve ---- */

/* Runs each minute, each at another moment of its first second, find each incident between five and six minutes after it was opened. */
START_TEST(test_tests_are_resolved_between_five_and_six_minutes)
{
	static const ms_t late[] = { 0, 900, 40, 1400, 300, 700, 10, 1200, 0, 500 };	/* of the run in its minute */
	uint64_t made[40];
	size_t n = 0;

	for (ms_t at = 0; at < 2 * MIN; at += 3217, n++)
		made[n] = incident(arena_printf(a, "test:%zu", n).p, 1, n % 3 ? INCIDENT_OPEN : INCIDENT_ACKNOWLEDGED, true, NOW + at, 0);
	ck_assert_uint_le(n, ARRAY_SIZE(made));
	for (size_t i = 0; i < ARRAY_SIZE(late); i++)
		job("auto-resolve", NOW + (ms_t)i * MIN + late[i]);
	for (size_t i = 0; i < n; i++) {
		struct incident_read r = read_incident(made[i]);
		ms_t age = r.resolved_at - id_time(made[i]);

		ck_assert_msg(age >= 5 * MIN && age <= 6 * MIN, "incident %zu after %lld ms", i, (long long)age);
		ck_assert_uint_eq(r.status, INCIDENT_RESOLVED);
		ck_assert_uint_eq(r.key_status, INCIDENT_RESOLVED);
		ck_assert_uint_eq(r.resolved_by, ACTOR_SYSTEM);
		ck_assert_uint_eq(r.entries, 1);
		ck_assert_uint_eq(r.audited, 1);
		ck_assert(str_eqs(r.text, "Test incident: resolved after 5 minutes."));
		ck_assert_int_eq(r.auto_resolved_at, r.resolved_at);
	}
}
END_TEST

START_TEST(test_what_a_person_did_wins)
{
	uint64_t resolved = incident("test:1", 1, INCIDENT_OPEN, true, NOW, 0), again = incident("test:2", 1, INCIDENT_OPEN, true, NOW, 0);
	uint64_t real = incident("disk", 1, INCIDENT_OPEN, false, NOW, 0);

	person(resolved, COMMAND_RESOLVE, NOW + 4 * MIN);
	ck_assert_uint_eq(job("auto-resolve", NOW + 5 * MIN).touched, 1);
	ck_assert_uint_eq(read_incident(resolved).resolved_by, ACTOR_PERSON);
	ck_assert_int_eq(read_incident(resolved).resolved_at, NOW + 4 * MIN);
	ck_assert_uint_eq(read_incident(resolved).entries, 0);
	person(again, COMMAND_REOPEN, NOW + 6 * MIN);
	for (int i = 7; i < 20; i++)
		ck_assert_uint_eq(job("auto-resolve", NOW + i * MIN).touched, 0);
	ck_assert_uint_eq(read_incident(again).status, INCIDENT_OPEN);
	ck_assert_uint_eq(read_incident(real).status, INCIDENT_OPEN);
}
END_TEST

START_TEST(test_one_that_cannot_be_resolved)
{
	uint64_t broken = incident("test:1", 1, INCIDENT_OPEN, true, NOW, 0), good = incident("test:2", 1, INCIDENT_OPEN, true, NOW, 0);
	const struct job *only[] = { job_find(STR("auto-resolve")), NULL };

	run(T_NO_KEY, VALS(V_U(broken)));
	succeeds(run_jobs(only, NOW + 5 * MIN, 50000, false));
	ck_assert(results[0].outcome == JOB_FAILED && results[0].touched == 1 && results[0].error.n);
	ck_assert_uint_eq(read_incident(good).status, INCIDENT_RESOLVED);
	ck_assert_uint_eq(read_incident(broken).status, INCIDENT_OPEN);
}
END_TEST

/* Cron was off, then the clock was set back: none is left behind. */
START_TEST(test_late_and_early_clocks)
{
	uint64_t first = incident("test:1", 1, INCIDENT_OPEN, true, NOW, 0), second;

	ck_assert_uint_eq(job("auto-resolve", NOW + 3 * 60 * MIN).touched, 1);
	second = incident("test:2", 1, INCIDENT_OPEN, true, NOW + 60 * MIN, 0);
	ck_assert_uint_eq(job("auto-resolve", NOW + 65 * MIN).touched, 1);
	ck_assert_uint_eq(read_incident(first).status, INCIDENT_RESOLVED);
	ck_assert_uint_eq(read_incident(second).status, INCIDENT_RESOLVED);
}
END_TEST

START_TEST(test_silent_incidents_of_services)
{
	uint64_t quiet = incident("a", 2, INCIDENT_OPEN, false, NOW, 0), loud = incident("b", 2, INCIDENT_ACKNOWLEDGED, false, NOW, 0);
	uint64_t elsewhere = incident("a", 1, INCIDENT_OPEN, false, NOW, 0);

	run(T_SERVICE, VALS(V_U(30)));
	run(T_ALERTED, VALS(V_I(NOW + 10 * MIN), V_U(loud)));
	ck_assert_uint_eq(job("auto-resolve", NOW + 30 * MIN - 1000).touched, 0);
	ck_assert_uint_eq(job("auto-resolve", NOW + 30 * MIN).touched, 1);
	ck_assert(str_eqs(read_incident(quiet).text, "No alert for 30 minutes."));
	ck_assert_uint_eq(read_incident(loud).status, INCIDENT_ACKNOWLEDGED);
	/* a person wants it open, so it stays open, until it was alerted and silent again */
	person(quiet, COMMAND_REOPEN, NOW + 31 * MIN);
	run(T_ALERTED, VALS(V_I(NOW + 40 * MIN), V_U(loud)));
	ck_assert_uint_eq(job("auto-resolve", NOW + 62 * MIN).touched, 0);
	run(T_ALERTED, VALS(V_I(NOW + 65 * MIN), V_U(quiet)));
	ck_assert_uint_eq(job("auto-resolve", NOW + 96 * MIN).touched, 2);
	ck_assert_uint_eq(read_incident(quiet).entries, 2);
	ck_assert_uint_eq(read_incident(elsewhere).status, INCIDENT_OPEN);
	run(T_SERVICE, VALS(V_NULL()));
}
END_TEST

/* ---- escalate ---- */

static void snooze(uint64_t id, ms_t until, ms_t now)
{
	const struct who who = { .tenant_id = 1, .actor = ACTOR_PERSON };
	const struct incident_edit edit = { .kind = TIMELINE_SNOOZED, .snoozed_until = until };

	succeeds(incident_edit(db, a, 1, id, &edit, &who, id_make(&ids, now), now, &e) == 1);
}

START_TEST(test_snoozes_end_once_by_the_system)
{
	uint64_t woken = incident("a", 1, INCIDENT_OPEN, false, NOW, 0), resolved = incident("b", 1, INCIDENT_OPEN, false, NOW, 0);
	uint64_t longer = incident("c", 1, INCIDENT_OPEN, false, NOW, 0);

	snooze(woken, NOW + 30 * MIN, NOW);
	snooze(resolved, NOW + 30 * MIN, NOW);
	snooze(longer, NOW + 90 * MIN, NOW);
	person(resolved, COMMAND_RESOLVE, NOW + MIN);
	ck_assert_uint_eq(job("escalate", NOW + 29 * MIN).touched, 0);
	ck_assert_uint_eq(job("escalate", NOW + 30 * MIN).touched, 1);
	is("SELECT COUNT(*) AS n FROM incidents WHERE snoozed_until IS NOT NULL", 1);
	is("SELECT COUNT(*) AS n FROM timeline WHERE kind = 8 AND actor = 2 AND text IS NULL", 1);
	is("SELECT COUNT(*) AS n FROM audit_log WHERE actor = 2 AND action = 'incident.snooze'", 1);
	ck_assert_uint_eq(job("escalate", NOW + 31 * MIN).touched, 0);
}
END_TEST

/* ---- storage ---- */

static const struct table_view *table_of(const struct storage_view *v, const char *name)
{
	for (size_t i = 0; i < v->tables_n; i++)
		if (str_eqs(v->tables[i].name, name))
			return &v->tables[i];
	return NULL;
}

/* ---- heartbeats ---- */

static void watch(uint64_t minutes, bool incident, ms_t since)
{
	run(T_WATCH, VALS(V_ID(minutes), V_U(incident), V_I(since), V_U(1)));
}

/* As cron does, so that nobody takes it for a pause. */
static uint64_t looked(ms_t from, ms_t to)
{
	uint64_t touched = 0;

	for (ms_t t = from; t <= to; t += 5 * MIN)
		touched += job("stale-alerts", t).touched;
	return touched;
}

START_TEST(test_silence_is_told_once_and_ends)
{
	struct incident_read r;

	watch(30, true, NOW);
	run(T_HEARD, VALS(V_I(NOW + 4 * MIN)));
	ck_assert_uint_eq(looked(NOW, NOW + 30 * MIN), 0);
	is("SELECT COUNT(*) AS n FROM monitor_alerts", 0);
	ck_assert_uint_eq(looked(NOW + 35 * MIN, NOW + 60 * MIN), 1);
	is("SELECT COUNT(*) AS n FROM monitor_alerts WHERE running = 1 AND type = 'STALE' AND subject = 'in_1' AND severity = 2 AND threshold = 30"
		" AND value = 31 AND message = 'Nothing from hook since 2027-01-15 08:04 UTC; a request is expected every 30 minutes.'", 1);
	is("SELECT COUNT(*) AS n FROM incidents WHERE status = 1 AND level = 3 AND service_id = 1 AND title LIKE 'Nothing from hook%'"
		" AND opened_at BETWEEN 1800002100000 AND 1800002160000", 1);
	is("SELECT COUNT(*) AS n FROM timeline WHERE kind = 1 AND actor = 2 AND text LIKE 'Nothing from hook%'", 1);

	run(T_HEARD, VALS(V_I(NOW + 62 * MIN)));
	ck_assert_uint_eq(looked(NOW + 65 * MIN, NOW + 90 * MIN), 1);
	is("SELECT COUNT(*) AS n FROM monitor_alerts WHERE running = 1", 0);
	r = read_incident(number("SELECT MAX(id) AS n FROM incidents"));
	ck_assert_uint_eq(r.status, INCIDENT_RESOLVED);
	ck_assert_uint_eq(r.resolved_by, ACTOR_SYSTEM);
	ck_assert_uint_eq(r.key_status, INCIDENT_RESOLVED);
	ck_assert_uint_eq(r.entries, 1);
	ck_assert_msg(str_starts(r.text, "Nothing from") || str_starts(r.text, "Heard again at 2027-01-15 09:02"), "%.*s", STR_ARG(r.text));

	/* The next silence is other trouble. */
	ck_assert_uint_eq(looked(NOW + 95 * MIN, NOW + 100 * MIN), 1);
	is("SELECT COUNT(*) AS n FROM incidents", 2);
	is("SELECT COUNT(*) AS n FROM incidents WHERE status = 1", 1);
}
END_TEST

START_TEST(test_silence_without_an_incident_and_with_one_that_is_resolved)
{
	watch(10, false, NOW);
	ck_assert_uint_eq(looked(NOW, NOW + 20 * MIN), 1);
	is("SELECT COUNT(*) AS n FROM incidents", 0);
	watch(10, true, NOW + 25 * MIN);		/* now it is wished for: that is another watch */
	ck_assert_uint_eq(looked(NOW + 25 * MIN, NOW + 30 * MIN), 1);
	is("SELECT COUNT(*) AS n FROM monitor_alerts WHERE running = 1", 0);
	ck_assert_uint_eq(looked(NOW + 35 * MIN, NOW + 40 * MIN), 1);
	person(number("SELECT MAX(id) AS n FROM incidents"), COMMAND_RESOLVE, NOW + 41 * MIN);
	ck_assert_uint_eq(looked(NOW + 45 * MIN, NOW + 50 * MIN), 0);	/* still silent; a person has said that this is known */
	run(T_HEARD, VALS(V_I(NOW + 51 * MIN)));
	ck_assert_uint_eq(looked(NOW + 55 * MIN, NOW + 60 * MIN), 1);
	is("SELECT COUNT(*) AS n FROM monitor_alerts WHERE running = 1", 0);
	is("SELECT COUNT(*) AS n FROM incidents WHERE resolved_by = 3", 1);
}
END_TEST

/* No alert is what the incident of a silence is about: the time of its service does not end it, until the source was heard. */
START_TEST(test_silence_outlasts_the_time_of_its_service)
{
	uint64_t id;

	run(T_SERVICE_OF, VALS(V_U(1), V_U(1)));
	watch(1, true, NOW);
	ck_assert_uint_eq(looked(NOW, NOW + 10 * MIN), 1);
	id = number("SELECT MAX(id) AS n FROM incidents");
	is("SELECT COUNT(*) AS n FROM incidents WHERE title LIKE '% a request is expected every 1 minute.'", 1);
	ck_assert_uint_eq(job("auto-resolve", NOW + 60 * MIN).touched, 0);
	ck_assert_uint_eq(read_incident(id).status, INCIDENT_OPEN);
	run(T_HEARD, VALS(V_I(NOW + 61 * MIN)));
	ck_assert_uint_eq(job("stale-alerts", NOW + 61 * MIN).touched, 1);
	ck_assert_uint_eq(read_incident(id).status, INCIDENT_RESOLVED);
	run(T_SERVICE_OF, VALS(V_NULL(), V_U(1)));
}
END_TEST

START_TEST(test_silence_of_who_is_not_watched_any_more)
{
	watch(10, true, NOW);
	ck_assert_uint_eq(looked(NOW, NOW + 10 * MIN), 1);
	run(T_WATCH, VALS(V_U(10), V_U(1), V_I(NOW), V_U(0)));	/* switched off */
	ck_assert_uint_eq(looked(NOW + 15 * MIN, NOW + 40 * MIN), 1);
	is("SELECT COUNT(*) AS n FROM monitor_alerts WHERE running = 1", 0);
	is("SELECT COUNT(*) AS n FROM incidents WHERE status = 3 AND resolved_by = 2", 1);
	watch(0, true, NOW);
	ck_assert_uint_eq(looked(NOW + 45 * MIN, NOW + 60 * MIN), 0);
}
END_TEST

START_TEST(test_nobody_was_silent_while_nobody_looked)
{
	const struct job *only[] = { job_find(STR("stale-alerts")), NULL };

	watch(10, true, NOW);
	ck_assert_uint_eq(looked(NOW, NOW + 5 * MIN), 0);
	ck_assert_uint_eq(looked(NOW + 600 * MIN, NOW + 605 * MIN), 0);
	succeeds(run_jobs(only, NOW + 610 * MIN, 50000, true));
	ck_assert_uint_eq(results[0].touched, 1);
	is("SELECT COUNT(*) AS n FROM monitor_alerts", 0);
	ck_assert_uint_eq(looked(NOW + 610 * MIN, NOW + 610 * MIN), 1);
	ck_assert_uint_eq(looked(NOW + 1200 * MIN, NOW + 1200 * MIN), 0);	/* the machine was off: that says nothing of an end either */
	is("SELECT COUNT(*) AS n FROM monitor_alerts WHERE running = 1", 1);
	watch(0, false, NOW);
}
END_TEST

START_TEST(test_tables_are_measured_and_their_growth_is_told)
{
	struct storage_view v;

	is("SELECT COUNT(*) AS n FROM table_sizes", 0);
	ck_assert_uint_eq(job("storage", NOW).touched, 0);
	succeeds(storage_view_get(db, a, true, 90, NOW + MS_PER_HOUR, &v, &e));
	ck_assert(!v.since && v.bytes && v.disk_bytes > v.disk_free && v.disk_free && table_of(&v, "events"));
	run(T_EVENTS, VALS(V_I(NOW), V_I(NOW), V_U(0), V_U(2), V_NULL(), V_U(20000)));
	is("SELECT COUNT(*) AS n FROM events", 20000);
	run(T_ANALYZE, NULL, 0);
	run(T_SIZE, NULL, 0);
	job("storage", NOW + DAYS(2));
	succeeds(storage_view_get(db, a, false, 90, NOW + DAYS(2), &v, &e));
	ck_assert(v.since >= NOW && v.since < NOW + 1000);
	ck_assert_int_gt(table_of(&v, "events")->bytes_per_day, 1000000);
	ck_assert_int_ge(v.bytes_per_day, table_of(&v, "events")->bytes_per_day);
	ck_assert_int_eq(v.steady_at, NOW + DAYS(90));
	ck_assert_uint_eq(v.disk_bytes, 0);
	ck_assert(str_eqs(v.tables[0].name, "events") && v.tables[0].rows > 10000);
	job("storage", NOW + DAYS(41));		/* forgets the first look, and it is too old to compare with */
	is("SELECT COUNT(DISTINCT at) AS n FROM table_sizes", 2);
	succeeds(storage_view_get(db, a, true, 90, NOW + DAYS(42), &v, &e));
	ck_assert(v.since >= NOW + DAYS(41) && v.since < NOW + DAYS(41) + 1000);
}
END_TEST

/* ---- leases ---- */

static struct job_state state_of(const char *name)
{
	struct job_state *states, found = { .name = str_of(name) };
	size_t n;

	succeeds(job_states(db, a, &states, &n, &e));
	for (size_t i = 0; i < n; i++)
		if (str_eqs(states[i].name, name))
			found = states[i];
	return found;
}

START_TEST(test_one_of_two_gets_the_lease)
{
	struct db *other = test_connect(JOB_DB, 30000);
	struct job_state seen = state_of("cleanup");

	ck_assert_int_eq(job_claim(db, &seen, 1, STR("here"), NOW, &e), 1);
	ck_assert_int_eq(job_claim(other, &seen, 2, STR("here"), NOW, &e), 0);		/* saw what is no longer so */
	seen = state_of("cleanup");
	ck_assert(job_is_held(&seen, NOW + 1));
	ck_assert(job_is_held(&seen, NOW - MIN));	/* by a host whose clock is behind */
	ck_assert_int_eq(job_claim(other, &seen, 2, STR("here"), NOW + JOB_LEASE_MS - 1, &e), 0);
	ck_assert_int_eq(job_renew(db, STR("cleanup"), 1, NOW + 1000, &e), 1);
	ck_assert_int_eq(job_claim(other, &seen, 2, STR("here"), NOW + JOB_LEASE_MS, &e), 0);
	ck_assert_int_eq(job_claim(other, &seen, 2, STR("here"), NOW + JOB_LEASE_MS + 1000, &e), 1);	/* killed, it seems */
	ck_assert_int_eq(job_renew(db, STR("cleanup"), 1, NOW + JOB_LEASE_MS + 2000, &e), 0);
	/* what the first one brings at last is history, not the job's result */
	succeeds(job_finish(db, &(struct job_end){ .name = STR("cleanup"), .started_at = NOW, .ok = true, .touched = 7, .counts = STR("") }, 1, &e));
	ck_assert_uint_eq(state_of("cleanup").lease_owner, 2);
	is("SELECT COUNT(*) AS n FROM job_runs WHERE touched = 7", 1);
	succeeds(job_finish(other, &(struct job_end){ .name = STR("cleanup"), .started_at = NOW, .ok = true, .counts = STR("") }, 2, &e));
	seen = state_of("cleanup");
	ck_assert(!job_is_held(&seen, NOW));
	db_free(other);
}
END_TEST

START_TEST(test_lease_of_a_wrong_clock_does_not_last)
{
	struct job_state seen = state_of("cleanup");

	ck_assert_int_eq(job_claim(db, &seen, 1, STR("here"), NOW + DAYS(300), &e), 1);
	seen = state_of("cleanup");
	ck_assert(!job_is_held(&seen, NOW));
	ck_assert_int_eq(job_claim(db, &seen, 2, STR("here"), NOW, &e), 1);
}
END_TEST

/* Eight processes at once: every job is run once, every incident resolved once. */
START_TEST(test_many_runs_at_once)
{
	pid_t children[8];

	for (int i = 0; i < 200; i++)
		incident(arena_printf(a, "test:%d", i).p, 1, INCIDENT_OPEN, true, NOW + i, 0);
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = test_fork();
		if (children[i])
			continue;
		db = test_connect(JOB_DB, 30000);
		id_maker_init(&ids, (unsigned)i);
		if (!run_jobs(NULL, NOW + 6 * MIN, 50000, false))
			die("%s", e.text);
		for (size_t k = 0; k < result_n; k++)
			if (results[k].outcome != JOB_DONE && results[k].outcome != JOB_ELSEWHERE)
				die("%.*s", STR_ARG(results[k].error));
		_exit(0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++)
		test_child_ended_well(children[i]);
	is("SELECT COUNT(*) AS n FROM incidents WHERE status = 3", 200);
	is("SELECT COUNT(*) AS n FROM timeline", 200);
	is("SELECT COUNT(*) AS n FROM job_runs", job_n());
	is("SELECT COUNT(*) AS n FROM jobs WHERE lease_until = 0 AND unfinished = 0", job_n() + 1);	/* and cron */
}
END_TEST

START_TEST(test_run_does_what_is_due_and_no_more)
{
	succeeds(run_jobs(NULL, NOW, 50000, false));
	ck_assert_uint_eq(result_n, job_n());
	succeeds(run_jobs(NULL, NOW + 10000, 50000, false));
	ck_assert_uint_eq(result_n, 0);
	succeeds(run_jobs(NULL, NOW + MIN, 50000, false));
	ck_assert(result_of("auto-resolve") && result_of("outbox") && !result_of("sessions"));
	succeeds(run_jobs(NULL, NOW + 10 * MIN, 50000, false));
	ck_assert(result_of("sessions") && !result_of("cleanup"));
	succeeds(run_jobs(NULL, NOW + DAYS(1), 50000, false));
	ck_assert_uint_eq(result_n, job_n());
}
END_TEST

/* ---- cleanup ---- */

/* Events of 100 days ago: 400 processed, ignored, dead; some that wait; some of an open incident, some of a resolved one. */
static void old_events_add(uint64_t open, uint64_t over)
{
	static const struct {
		ms_t at;
		unsigned status, n;
		int of;		/* 1 the open incident, 2 the resolved one */
	} groups[] = { { NOW - DAYS(100), 2, 300, 0 }, { NOW - DAYS(99), 5, 60, 0 }, { NOW - DAYS(98), 4, 40, 0 }, { NOW - DAYS(97), 0, 5, 0 },
		{ NOW - DAYS(96), 3, 7, 0 }, { NOW - DAYS(95), 2, 11, 1 }, { NOW - DAYS(94), 2, 13, 2 }, { NOW - DAYS(90) + 1000, 2, 17, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		uint64_t of = groups[i].of == 1 ? open : groups[i].of == 2 ? over : 0;

		run(T_EVENTS, VALS(V_I(groups[i].at), V_I(groups[i].at), V_U(i), V_U(groups[i].status), V_ID(of), V_U(groups[i].n)));
		run(T_REQUESTS, VALS(V_I(groups[i].at), V_U(0), V_U(0), V_U(groups[i].n)));
	}
	run(T_EVENT_IDS, NULL, 0);
	run(T_ALERTS, NULL, 0);	/* also of events that became none: those are of no incident */
}

/* Two that take all the time they get, each time. */
static int64_t had_ms[2];

static bool greedy(struct job_run *r, struct err *x)
{
	size_t i = str_eqs(r->name, "greedy");
	int go;

	had_ms[i] = job_left_ms(r);
	while ((go = job_goes_on(r, x)) == 1)
		job_pause(r, 5);
	return go == 0;
}

START_TEST(test_a_greedy_job_keeps_none_from_its_turn)
{
	static const struct job one = { { "greedy", "", { .every_min = 1 } }, greedy }, two = { { "hungry", "", { .every_min = 1 } }, greedy };
	const struct job *const both[] = { &one, &two, NULL };

	succeeds(run_jobs(both, NOW, 4000, false));
	ck_assert_uint_eq(result_n, 1);		/* nobody knew it, this once */
	succeeds(run_jobs((const struct job *[]){ &two, NULL }, NOW + MIN, 1000, false));
	succeeds(run_jobs(both, NOW + 2 * MIN, 4000, false));
	ck_assert_uint_eq(result_n, 2);
	ck_assert_int_le(had_ms[1], 2000);
	ck_assert_int_gt(had_ms[1], 500);	/* the rest of its half, and of the other one's, is for who else works on this machine */
	ck_assert_int_gt(had_ms[0], 500);
	ck_assert_int_eq(results[1].outcome, JOB_UNFINISHED);
}
END_TEST

START_TEST(test_who_did_not_end_has_his_turn_after_the_others)
{
	succeeds(run_jobs(NULL, NOW, 50000, false));
	run(T_JOB, VALS(V_I(NOW), V_I(NOW - MIN), V_U(1), V_U(1), V_S(STR("auto-resolve"))));	/* as when it was killed */
	run(T_JOB, VALS(V_I(NOW - MIN), V_I(NOW), V_U(1), V_U(1), V_S(STR("monitor"))));	/* its time was up, a minute before */
	succeeds(run_jobs(NULL, NOW + MIN, 50000, false));
	ck_assert_uint_ge(result_n, 4);
	ck_assert(str_eqs(results[result_n - 1].name, "auto-resolve"));
	ck_assert(str_eqs(results[result_n - 2].name, "monitor"));
	ck_assert_int_eq(results[result_n - 1].outcome, JOB_DONE);
}
END_TEST

START_TEST(test_cleanup_of_events)
{
	struct job_result x;

	old_events_add(incident("open", 1, INCIDENT_ACKNOWLEDGED, false, NOW - DAYS(95), 0), incident("over", 1, INCIDENT_RESOLVED, false, NOW - DAYS(94),
		NOW - DAYS(93)));
	run(T_REQUESTS, VALS(V_I(NOW - DAYS(91)), V_U(1), V_U(1), V_U(9)));
	run(T_MARKS, NULL, 0);
	x = job("cleanup", NOW);
	ck_assert_msg(str_eqs(x.counts, "bodies 9, alerts 413, events 413, requests 422; 193 KiB"), "%.*s", STR_ARG(x.counts));
	ck_assert_uint_eq(x.touched, 9 + 413 + 413 + 422);
	is("SELECT COUNT(*) AS n FROM events", 5 + 7 + 11 + 17);
	is("SELECT COUNT(*) AS n FROM events WHERE status IN (4, 5)", 0);
	is("SELECT COUNT(*) AS n FROM event_ids", 5 + 7 + 11 + 17);
	is("SELECT COUNT(*) AS n FROM events e LEFT JOIN requests r ON r.id = e.request_id WHERE r.id IS NULL", 0);
	is("SELECT COUNT(*) AS n FROM requests", 5 + 7 + 11 + 17);
	is("SELECT COUNT(*) AS n FROM request_marks", 0);
	is("SELECT COUNT(*) AS n FROM alerts WHERE incident_id > 0", 11);
	is("SELECT COUNT(*) AS n FROM incidents", 2);
	ck_assert_uint_eq(job("cleanup", NOW + 1).touched, 0);
}
END_TEST

/* Of a request with several events the payload stays as long as one of them does. */
START_TEST(test_request_stays_with_its_last_event)
{
	run(T_REQUESTS, VALS(V_I(NOW - DAYS(100)), V_U(0), V_U(0), V_U(1)));
	run(T_EVENTS, VALS(V_I(NOW - DAYS(100)), V_I(NOW - DAYS(100)), V_U(1), V_U(2), V_NULL(), V_U(1)));
	/* its other event, 3 ms of numbers later, waits */
	run(T_EVENTS, VALS(V_I(NOW - DAYS(100) + 3), V_I(NOW - DAYS(100)), V_U(2), V_U(0), V_NULL(), V_U(1)));
	job("cleanup", NOW);
	is("SELECT COUNT(*) AS n FROM events", 1);
	is("SELECT COUNT(*) AS n FROM requests", 1);
}
END_TEST

START_TEST(test_cleanup_of_refused_bodies)
{
	run(T_REQUESTS, VALS(V_I(NOW - DAYS(8)), V_U(1), V_U(1), V_U(700)));
	run(T_REQUESTS, VALS(V_I(NOW - DAYS(6)), V_U(1), V_U(1), V_U(10)));
	run(T_MARKS, NULL, 0);
	ck_assert_uint_eq(job("cleanup", NOW).touched, 700);
	is("SELECT COUNT(*) AS n FROM requests WHERE body = ''", 700);
	is("SELECT COUNT(*) AS n FROM requests WHERE body = 'body'", 10);
	ck_assert_uint_eq(job("cleanup", NOW + 1000).touched, 0);
	ck_assert_uint_eq(job("cleanup", NOW + DAYS(1) + 10000).touched, 10);
}
END_TEST

START_TEST(test_cleanup_of_incidents)
{
	uint64_t old = incident("old", 1, INCIDENT_RESOLVED, false, NOW - DAYS(500), NOW - DAYS(366));
	uint64_t reopened = incident("twice", 1, INCIDENT_RESOLVED, false, NOW - DAYS(490), NOW - DAYS(480));
	uint64_t newer = incident("twice", 1, INCIDENT_OPEN, false, NOW - DAYS(470), 0);
	uint64_t late = incident("late", 1, INCIDENT_RESOLVED, false, NOW - DAYS(480), NOW - DAYS(364));

	(void)old, (void)reopened;
	person(newer, COMMAND_ACKNOWLEDGE, NOW - DAYS(460));
	person(newer, COMMAND_RESOLVE, NOW - DAYS(450));
	person(newer, COMMAND_REOPEN, NOW - DAYS(440));
	ck_assert_uint_eq(job("cleanup", NOW).touched, 2);
	is("SELECT COUNT(*) AS n FROM incidents", 2);
	is("SELECT COUNT(*) AS n FROM incident_keys", 2);
	is("SELECT COUNT(*) AS n FROM timeline", 3);
	ck_assert_uint_eq(read_incident(late).status, INCIDENT_RESOLVED);
	person(newer, COMMAND_RESOLVE, NOW);
	ck_assert_uint_eq(job("cleanup", NOW + DAYS(364)).touched, 2);	/* and the entry of the first run */
	ck_assert_uint_eq(job("cleanup", NOW + DAYS(366)).touched, 1);
	is("SELECT COUNT(*) AS n FROM incidents", 0);
	is("SELECT COUNT(*) AS n FROM incident_keys", 0);
	is("SELECT COUNT(*) AS n FROM timeline", 0);
}
END_TEST

START_TEST(test_cleanup_of_small_things)
{
	ms_t before = NOW - DAYS(90);

	run(T_STATS, VALS(V_I(before / MS_PER_HOUR - 400), V_I(before / MS_PER_HOUR + 10)));
	run(T_RUNS, VALS(V_I(NOW - DAYS(31)), V_U(1200)));
	run(T_RUNS, VALS(V_I(NOW - DAYS(29)), V_U(3)));
	run(T_AUDIT, VALS(V_I(NOW - DAYS(400)), V_U(50)));
	job("cleanup", NOW);
	is("SELECT COUNT(*) AS n FROM source_stats WHERE hour = 0", 2 * 3);
	is("SELECT COUNT(*) AS n FROM source_stats WHERE hour > 0", 2 * 3 * 11);
	is("SELECT COUNT(*) AS n FROM job_runs WHERE name = 'x'", 3);
	is("SELECT COUNT(*) AS n FROM audit_log", 50);		/* nowhere to put it */
}
END_TEST

/* Everything counted, nothing changed; the real run then touches just as much. */
START_TEST(test_dry_run)
{
	const struct job *cleanup[] = { job_find(STR("cleanup")), NULL };
	struct str would;

	old_events_add(incident("open", 1, INCIDENT_OPEN, true, NOW - DAYS(95), 0), incident("over", 1, INCIDENT_RESOLVED, false, NOW - DAYS(500), NOW - DAYS(400)));
	run(T_STATS, VALS(V_I(400000), V_I(400100)));
	run(T_TOKENS, VALS(V_S(STR("tk_1")), V_S(STR("1")), V_I(NOW - DAYS(40)), V_NULL()));
	succeeds(run_jobs(jobs, NOW, 50000, true));
	ck_assert_uint_eq(result_n, job_n());
	ck_assert_msg(str_eqs(result_of("auto-resolve")->counts, "tests 1"), "%.*s", STR_ARG(result_of("auto-resolve")->counts));
	ck_assert_uint_eq(result_of("sessions")->touched, 1);
	would = result_of("cleanup")->counts;
	is("SELECT COUNT(*) AS n FROM jobs", 0);
	is("SELECT COUNT(*) AS n FROM job_runs", 0);
	is("SELECT COUNT(*) AS n FROM events", 453);
	is("SELECT COUNT(*) AS n FROM incidents WHERE status = 1", 1);
	is("SELECT COUNT(*) AS n FROM tokens", 1);
	succeeds(run_jobs(cleanup, NOW, 50000, false));
	ck_assert_msg(str_eq(result_of("cleanup")->counts, would), "%.*s / %.*s", STR_ARG(result_of("cleanup")->counts), STR_ARG(would));
}
END_TEST

/* Its time is over again and again; it is due each time until all is done, and no row is locked for long. */
START_TEST(test_short_of_time)
{
	uint64_t before = 3000, left;
	int runs = 0;

	run(T_EVENTS, VALS(V_I(NOW - DAYS(100)), V_I(NOW - DAYS(100)), V_U(1), V_U(2), V_NULL(), V_U(before)));
	run(T_REQUESTS, VALS(V_I(NOW - DAYS(100)), V_U(0), V_U(0), V_U(before)));
	for (ms_t now = NOW;; now += MIN, runs++) {
		ck_assert_int_lt(runs, 1000);
		succeeds(run_jobs(NULL, now, 60, false));
		if (!result_of("cleanup") && number("SELECT COUNT(*) AS n FROM requests"))
			continue;	/* the jobs before it took all the time */
		if (!result_of("cleanup"))
			break;
		ck_assert(result_of("cleanup")->outcome == JOB_UNFINISHED || result_of("cleanup")->outcome == JOB_DONE);
		left = number("SELECT COUNT(*) AS n FROM requests");
		ck_assert_uint_le(left, before);
		before = left;
	}
	ck_assert_int_gt(runs, 1);
	is("SELECT COUNT(*) AS n FROM requests", 0);
	is("SELECT COUNT(*) AS n FROM events", 0);
}
END_TEST

/* kill -9 in the middle: nothing is half removed, the lease ends, and the next run does the rest. */
START_TEST(test_killed_in_the_middle)
{
	struct db *other = test_connect(JOB_DB, 30000);
	struct job_state seen;
	pid_t child;
	int status;

	run(T_EVENTS, VALS(V_I(NOW - DAYS(100)), V_I(NOW - DAYS(100)), V_U(1), V_U(2), V_NULL(), V_U(20000)));
	run(T_REQUESTS, VALS(V_I(NOW - DAYS(100)), V_U(0), V_U(0), V_U(20000)));
	run(T_EVENT_IDS, NULL, 0);
	succeeds(db_begin(other, &e));	/* so that it is not done before it is killed */
	succeeds(db_exec(other, &stmts[T_HOLD_LAST], NULL, 0, NULL, &e));
	child = test_fork();
	if (!child) {
		db = test_connect(JOB_DB, 30000);
		_exit(!run_jobs(NULL, NOW, 50000, false));
	}
	while (number("SELECT COUNT(*) AS n FROM events") > 18000)
		test_pause();
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	db_free(other);
	is("SELECT COUNT(*) AS n FROM jobs WHERE name = 'cleanup' AND unfinished = 1 AND lease_owner > 0", 1);
	ck_assert_uint_gt(number("SELECT COUNT(*) AS n FROM events"), 0);
	/* what is being rolled back may still hold locks: wait for the connection to be gone */
	while (number("SELECT COUNT(*) AS n FROM information_schema.innodb_trx"))
		test_pause_trx();
	is("SELECT (SELECT COUNT(*) FROM events) <> (SELECT COUNT(*) FROM event_ids) AS n", 0);
	seen = state_of("cleanup");
	ck_assert(job_is_held(&seen, NOW + MIN));
	succeeds(run_jobs(NULL, NOW + MIN, 50000, false));
	ck_assert_ptr_null(result_of("cleanup"));
	succeeds(run_jobs(NULL, NOW + 2 * MIN, 50000, false));
	ck_assert(result_of("cleanup") && result_of("cleanup")->outcome == JOB_DONE);
	is("SELECT COUNT(*) AS n FROM requests", 0);
	is("SELECT COUNT(*) AS n FROM event_ids", 0);
}
END_TEST

/* ---- the archive ---- */

static struct str output_of(const char *command)
{
	FILE *from = popen(command, "r");
	char *text = arena_alloc(a, 1 << 20);
	size_t n = fread(text, 1, (1 << 20) - 1, from);

	ck_assert_msg(pclose(from) == 0, "%s", command);
	return (struct str){ text, n };
}

START_TEST(test_audit_log_is_archived)
{
	char dir[] = "/tmp/grapnel-archive.XXXXXX";
	struct str text;
	size_t lines = 0;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	free(conf.retention.archive_dir);
	conf.retention.archive_dir = strdup(dir);
	run(T_AUDIT, VALS(V_I(NOW - DAYS(400)), V_U(1234)));
	run(T_AUDIT, VALS(V_I(NOW - DAYS(364)), V_U(7)));
	ck_assert_uint_eq(job("cleanup", NOW).touched, 1234);
	is("SELECT COUNT(*) AS n FROM audit_log", 7);
	output_of(arena_printf(a, "cd %s && sha256sum -c --quiet *.sha256 && test $(ls | wc -l) = 2", dir).p);
	text = output_of(arena_printf(a, "gzip -dc %s/audit_log-2027-01-15-*.ndjson.gz", dir).p);
	ck_assert(str_starts(str_until(&text, '\n'), "{\"grapnel\":{\"archive\":\"audit_log\",\"installation\":\""));
	while (text.n) {
		struct str line = str_until(&text, '\n');
		const struct json *j;

		succeeds(json_parse(a, line, &j, &e));
		j = json_get(j, "audit_log");
		ck_assert(str_eqs(json_text(json_get(j, "action")), "integration.create"));
		ck_assert(json_is(json_get(json_get(j, "detail"), "name"), JSON_STRING));
		lines++;
	}
	ck_assert_uint_eq(lines, 1234);
	ck_assert_uint_eq(job("cleanup", NOW + 1).touched, 0);
	output_of(arena_printf(a, "test $(ls %s | wc -l) = 2 && rm -r %s", dir, dir).p);
	/* a folder that is not there: the job says so, and nothing is lost */
	run(T_AUDIT, VALS(V_I(NOW - DAYS(400)), V_U(3)));
	succeeds(run_jobs((const struct job *[]){ job_find(STR("cleanup")), NULL }, NOW + 2, 50000, false));
	ck_assert(results[0].outcome == JOB_FAILED && strstr(results[0].error.p, "archive_dir"));
	is("SELECT COUNT(*) AS n FROM audit_log", 10);
}
END_TEST

/* ---- sessions ---- */

START_TEST(test_sessions_tokens_and_secrets)
{
	run(T_SESSIONS, VALS(V_S(STR("over")), V_S(STR("over")), V_I(NOW), V_U(1203)));
	run(T_SESSIONS, VALS(V_S(STR("lives")), V_S(STR("lives")), V_I(NOW + 1000), V_U(5)));
	run(T_TOKENS, VALS(V_S(STR("tk_1")), V_S(STR("1")), V_I(NOW - DAYS(31)), V_NULL()));
	run(T_TOKENS, VALS(V_S(STR("tk_2")), V_S(STR("2")), V_NULL(), V_I(NOW - DAYS(31))));
	run(T_TOKENS, VALS(V_S(STR("tk_3")), V_S(STR("3")), V_I(NOW + DAYS(9)), V_I(NOW - DAYS(31))));
	run(T_TOKENS, VALS(V_S(STR("tk_4")), V_S(STR("4")), V_I(NOW - DAYS(29)), V_NULL()));
	run(T_TOKENS, VALS(V_S(STR("tk_5")), V_S(STR("5")), V_NULL(), V_NULL()));
	run(T_SECRETS, VALS(V_U(1), V_I(NOW)));
	run(T_SECRETS, VALS(V_U(1), V_I(NOW + 1000)));
	run(T_SECRETS, VALS(V_U(1), V_NULL()));
	run(T_OLD_KEY, VALS(V_I(NOW), V_U(1)));
	run(T_OLD_KEY, VALS(V_I(NOW + 1000), V_U(2)));
	ck_assert_msg(str_eqs(job("sessions", NOW).counts, "secrets 2, sessions 1,203, tokens 3"), "%.*s", STR_ARG(results[0].counts));
	is("SELECT COUNT(*) AS n FROM sessions", 5);
	is("SELECT COUNT(*) AS n FROM tokens WHERE public_id IN ('tk_4', 'tk_5')", 2);
	is("SELECT COUNT(*) AS n FROM tokens", 2);
	is("SELECT COUNT(*) AS n FROM source_secrets", 2);
	is("SELECT COUNT(*) AS n FROM sources WHERE key_old_hash IS NOT NULL", 1);
	run(T_OLD_KEY, VALS(V_NULL(), V_U(2)));
	is("SELECT COUNT(*) AS n FROM sources WHERE id = 1 AND updated_at BETWEEN 1800000000000 AND 1800000060000", 1);	/* other hosts see it */
}
END_TEST

/* ---- what people see ---- */

static ms_t utc(ms_t t)
{
	return 0;
}

static struct job_view view_of(const char *name, ms_t now)
{
	struct job_view *v;
	size_t facts_n, n;
	const struct job_facts *facts = job_facts_all(a, &facts_n);

	succeeds(job_view_list(db, a, facts, facts_n, utc, now, &v, &n, &e));
	for (size_t i = 0; i < n; i++)
		if (str_eqs(v[i].name, name))
			return v[i];
	die("no job %s", name);
}

#define sees(name, now, word, late_) do { \
	struct job_view v_ = view_of(name, now); \
	ck_assert_msg(str_eqs(v_.result, word) && v_.late == (late_), "%s: %.*s, %d", name, STR_ARG(v_.result), v_.late); } while (0)

START_TEST(test_views)
{
	struct job_state seen;
	struct job_run_view *runs;
	struct cron_watch w;
	uint64_t next;
	size_t n;

	run(T_INSTALLED, VALS(V_I(NOW - 10 * MIN)));
	sees("auto-resolve", NOW, "never", true);
	sees("sessions", NOW, "never", false);
	succeeds(cron_watch(db, a, NOW, &w, &e));
	ck_assert(w.late && !w.last_at && w.since == NOW - 10 * MIN);
	run(T_INSTALLED, VALS(V_I(NOW - 2 * MIN)));
	succeeds(cron_watch(db, a, NOW, &w, &e));
	ck_assert(!w.late);
	succeeds(run_jobs(NULL, NOW, 50000, false));
	sees("auto-resolve", NOW + 3 * MIN, "done", false);
	sees("auto-resolve", NOW + 4 * MIN, "done", true);
	sees("cleanup", NOW + DAYS(2), "done", false);
	sees("cleanup", NOW + DAYS(3), "done", true);
	succeeds(cron_watch(db, a, NOW + 3 * MIN, &w, &e));
	ck_assert(!w.late && w.last_at == NOW);
	succeeds(cron_watch(db, a, NOW + 4 * MIN, &w, &e));
	ck_assert(w.late && w.since == NOW);
	/* a job that a person runs says nothing about cron */
	job("sessions", NOW + 4 * MIN);
	succeeds(cron_watch(db, a, NOW + 4 * MIN, &w, &e));
	ck_assert(w.late);
	ck_assert_int_eq(view_of("cleanup", NOW).next_at, NOW + 18 * 60 * MIN);
	seen = state_of("sessions");
	ck_assert_int_eq(job_claim(db, &seen, 5, STR("here"), NOW + 5 * MIN, &e), 1);
	sees("sessions", NOW + 5 * MIN, "running", false);
	ck_assert(str_eqs(view_of("sessions", NOW + 5 * MIN).holder, "here"));
	ck_assert_int_eq(view_of("sessions", NOW + 5 * MIN).lease_until, NOW + 5 * MIN + JOB_LEASE_MS);
	ck_assert_int_eq(view_of("sessions", NOW + 7 * MIN).lease_until, 0);
	ck_assert_int_gt(str_find(view_of("cleanup", NOW).holder, ','), 0);
	sees("sessions", NOW + 7 * MIN, "killed", false);
	run(T_JOB, VALS(V_I(NOW), V_I(NOW), V_U(1), V_U(1), V_S(STR("cleanup"))));
	sees("cleanup", NOW, "unfinished", false);
	run(T_JOB, VALS(V_I(NOW), V_I(NOW), V_U(0), V_U(1), V_S(STR("cleanup"))));
	sees("cleanup", NOW, "failed", false);

	succeeds(job_run_view_list(db, a, &(struct job_run_filter){ .limit = 2 }, &runs, &n, &next, &e));
	ck_assert(n == 2 && next == runs[1].id && str_eqs(runs[0].job, "sessions") && str_eqs(runs[0].result, "done"));
	succeeds(job_run_view_list(db, a, &(struct job_run_filter){ .limit = 100, .cursor = next }, &runs, &n, &next, &e));
	ck_assert(n == job_n() - 1 && next == 0);
	succeeds(job_run_view_list(db, a, &(struct job_run_filter){ .job = STR("sessions"), .limit = 1 }, &runs, &n, &next, &e));
	ck_assert(n == 1 && next && str_eqs(runs[0].job, "sessions"));
	run(T_RUNS, VALS(V_I(NOW), V_U(3)));
	succeeds(job_run_view_list(db, a, &(struct job_run_filter){ .notable = true, .limit = 9 }, &runs, &n, &next, &e));
	ck_assert(n == 0 && next == 0);		/* all of them found nothing to do */
}
END_TEST

/* ---- outbox: what answers make of a row is shown by the scenarios of channels and handshakes; who has it, by test_channel ---- */

static struct outbox_row newest(uint64_t target)
{
	struct outbox_row row;

	ck_assert_int_eq(outbox_newest(db, a, OUTBOX_CONFIRMATION, target, &row, &e), 1);
	return row;
}

/* Ten seconds are the dispatcher's; after three attempts it is cron's. */
START_TEST(test_a_host_that_is_away_is_asked_again_and_given_up)
{
	const struct job *outbox[] = { job_find(STR("outbox")), NULL };
	const struct outbox_row row = { .id = id_make(&ids, NOW), .tenant_id = 1, .kind = OUTBOX_CONFIRMATION, .target_id = 1, .cause_id = 1,
		.payload = STR("{\"url\":\"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription\",\"shows\":\"<A>\"}"),
		.next_at = NOW, .created_at = NOW };
	ms_t at = NOW;

	free(conf.keys.test_hosts);
	conf.keys.test_hosts = strdup("sns.us-east-1.amazonaws.com=127.0.0.1:1");
	succeeds(outbox_add_all(db, a, &row, 1, &e));
	succeeds(run_jobs(outbox, NOW, 50000, true));
	ck_assert_msg(str_eqs(result_of("outbox")->counts, "messages to send 1"), "%.*s", STR_ARG(result_of("outbox")->counts));
	ck_assert_uint_eq(job("outbox", NOW).touched, 0);
	for (uint64_t attempt = 1; attempt <= 12; attempt++) {
		struct outbox_row r = newest(1);
		ms_t mine = r.next_at + (r.status == OUTBOX_WAITING ? 10 * MS_PER_SECOND : 0);

		ck_assert_uint_eq(r.attempts, attempt - 1);
		ck_assert_uint_eq(r.status, attempt <= 3 ? OUTBOX_WAITING : OUTBOX_FAILED);
		ck_assert_int_ge(r.next_at - at, attempt == 1 ? 0 : attempt < 5 ? 1000 << (attempt - 2) : 48000);
		ck_assert_uint_eq(job("outbox", mine - 5 * MS_PER_SECOND).touched, 0);
		ck_assert_uint_eq(job("outbox", mine).touched, 1);
		at = mine;
	}
	ck_assert(newest(1).status == OUTBOX_DEAD && newest(1).attempts == 12 && newest(1).finished_at >= at);
	ck_assert(str_eqs(newest(1).error, "It does not take the connection."));
	ck_assert_int_gt(at - NOW, 150 * MIN);
	ck_assert_int_lt(at - NOW, 240 * MIN);
	is("SELECT COUNT(*) AS n FROM outbox_attempts", 12);
	job("cleanup", at + DAYS(89));
	is("SELECT COUNT(*) AS n FROM outbox", 1);
	job("cleanup", at + DAYS(91));
	is("SELECT COUNT(*) AS n FROM outbox", 0);
	is("SELECT COUNT(*) AS n FROM outbox_attempts", 0);
}
END_TEST

/* Held by a clock that was two hours ahead and died. */
START_TEST(test_a_row_of_a_wrong_clock_is_mended)
{
	const struct outbox_row row = { .id = id_make(&ids, NOW), .tenant_id = 1, .kind = OUTBOX_CONFIRMATION, .target_id = 1, .cause_id = 1,
		.payload = STR("what?"), .next_at = NOW + 121 * MIN, .created_at = NOW };

	succeeds(outbox_add_all(db, a, &row, 1, &e));
	job("outbox", NOW);
	ck_assert(newest(1).next_at >= NOW && newest(1).next_at < NOW + MIN);	/* the job's own time goes on */
	ck_assert_uint_eq(job("outbox", NOW + 2 * MIN).touched, 1);
	ck_assert(newest(1).status == OUTBOX_DEAD && str_eqs(newest(1).error, "The row cannot be read."));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_tests_are_resolved_between_five_and_six_minutes, test_what_a_person_did_wins,
		test_one_that_cannot_be_resolved,
		test_late_and_early_clocks, test_silent_incidents_of_services, test_snoozes_end_once_by_the_system, test_one_of_two_gets_the_lease,
		test_lease_of_a_wrong_clock_does_not_last, test_many_runs_at_once, test_run_does_what_is_due_and_no_more,
		test_cleanup_of_events, test_request_stays_with_its_last_event, test_cleanup_of_refused_bodies, test_cleanup_of_incidents,
		test_cleanup_of_small_things, test_dry_run, test_short_of_time, test_killed_in_the_middle, test_audit_log_is_archived,
		test_tables_are_measured_and_their_growth_is_told, test_silence_is_told_once_and_ends,
		test_silence_without_an_incident_and_with_one_that_is_resolved, test_silence_of_who_is_not_watched_any_more,
		test_silence_outlasts_the_time_of_its_service, test_nobody_was_silent_while_nobody_looked, test_a_greedy_job_keeps_none_from_its_turn,
		test_who_did_not_end_has_his_turn_after_the_others,
		test_sessions_tokens_and_secrets, test_a_host_that_is_away_is_asked_again_and_given_up,
		test_a_row_of_a_wrong_clock_is_mended, test_views };
	int failed;

	if (!store_test_begin(JOB_DB, NULL, 0))
		return STORE_TEST_SKIPPED;
	zone_set("UTC");
	seal_key = store_test_key();
	for (size_t i = T_SOURCE; i <= T_SERVICES; i++)
		if (i != T_SERVICE && !db_exec(db, &stmts[i], NULL, 0, NULL, &e))
			die("%s", e.text);
	failed = store_test_run("job", tests, ARRAY_SIZE(tests), setup, teardown);
	seal_key_free(seal_key);
	return failed;
}
