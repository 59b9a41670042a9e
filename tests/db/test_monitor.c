/* The monitor with its database: what is raised, ended and found again. */
#include "store_test.h"
#include "grapnel/store.h"
#include "grapnel/view.h"

#define MONITOR_DB "grapnel_monitor"
#define NOW 1760000400000LL	/* 2025-10-09 09:00:00 UTC */

static uint64_t last_id = 1000;
static struct id_maker ids;

static const char *const emptied[] = { "monitor_alerts", "event_minutes", "event_hours", "event_days", "event_failures", "events", "event_attempts",
	"monitor_cache" };

enum { T_MINUTES, T_HOURS, T_DAYS, T_EVENT, T_EVENTS, T_ATTEMPT };

static const struct stmt stmts[] = {
	[T_EVENT] = { "test.event",
		"INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary, status,"
		" attempts, error, is_test, received_at, updated_at) VALUES (?, ?, ?, 1, 0, ?, 'x.y', 1, 1, 1, 'x', ?, ?, ?, ?, ?, 1)" },
	[T_EVENTS] = { "test.events",
		"INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary, status,"
		" attempts, received_at, updated_at) SELECT ? + seq, 1, 1, 1, 0, seq, 'x.y', 1, 1, 1, 'x', ?, 1, ?, 1 FROM seq_1_to_60000" },
	[T_ATTEMPT] = { "test.attempt",
		"INSERT INTO event_attempts (event_id, number, started_at, duration_us, error) VALUES (?, ?, 1, 5, ?)" },
	[T_MINUTES] = { "test.minutes", "SELECT COUNT(*) AS n, COALESCE(SUM(events), 0) AS events FROM event_minutes WHERE tenant_id = ? AND at >= ? AND at <= ?" },
	[T_HOURS] = { "test.hours", "SELECT COUNT(*) AS n, COALESCE(SUM(events), 0) AS events FROM event_hours WHERE tenant_id = ? AND at >= ? AND at <= ?" },
	[T_DAYS] = { "test.days", "SELECT COUNT(*) AS n, COALESCE(SUM(events), 0) AS events FROM event_days WHERE tenant_id = ? AND at >= ? AND at <= ?" },
};

static const struct stmt once[] = {
	{ "data.tenant", "INSERT INTO tenants (id, name, created_at) VALUES (2, 'other', 1)" },
	{ "data.sources", "INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, created_at, updated_at)"
		" VALUES (1, 'in_1', 1, 1, 'github', 'code', 1, 4, 1, 1), (2, 'in_2', 1, 1, 'google_cloud_monitoring', 'cloud', 1, 4, 1, 1),"
		" (3, 'in_3', 2, 1, 'stripe', 'theirs', 1, 4, 1, 1)" },
};

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
	store_test_setup(emptied, ARRAY_SIZE(emptied));
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
	succeeds(monitor_alerts_over(db, a, NOW - MS_PER_DAY, 10, &over, &n, &e));
	ck_assert_uint_eq(n, 0);
	succeeds(monitor_alerts_over(db, a, NOW - 40 * MS_PER_DAY, 10, &over, &n, &e));
	ck_assert_msg(n == 1, "raised by a clock that was ahead");
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

START_TEST(days_and_failures_are_forgotten_in_time)
{
	const ms_t kept = TALLY_DAYS_KEPT * MS_PER_DAY;

	add(1, 1, 7, "push", NOW - kept - MS_PER_DAY, 1);
	add(1, 1, 7, "push", NOW - kept + MS_PER_DAY, 1);
	succeeds(tally_failure(db, 1, 7, 99, NOW - kept - 1, &e));
	succeeds(tally_failure(db, 1, 7, 99, NOW, &e));
	succeeds(tally_failure(db, 1, 7, 99, NOW, &e));	/* twice in a millisecond */
	fold(NOW, 1);
	ck_assert_uint_eq(sum_of(T_DAYS, 1, 0, MINUTE).n, 2);
	ck_assert_uint_eq(sum_of(T_MINUTES, 1, 0, MINUTE).n + sum_of(T_HOURS, 1, 0, MINUTE).n, 0);
}
END_TEST

/* ---- what is counted ---- */

static struct monitor_view seen;

static const struct monitor_facts *look(uint64_t tenant, uint64_t window, ms_t now)
{
	memset(&seen, 0, sizeof(seen));
	succeeds(monitor_view_get(db, a, tenant, window, true, now, &seen, &e));
	return &seen.facts;
}

static uint64_t event(uint64_t tenant, uint64_t source, enum event_status status, uint64_t attempts, bool is_test, ms_t at)
{
	uint64_t id = id_floor(at) + ++last_id % 1000000;

	run(T_EVENT, VALS(V_U(id), V_U(tenant), V_U(source), V_S(arena_printf(a, "%llu", (unsigned long long)id)), V_U(status), V_U(attempts),
		status == EVENT_FAILED ? V_S(STR("handler answered 500")) : V_NULL(), V_U(is_test), V_I(at)));
	return id;
}

/* As ingest does it: so many came, each with one start. */
static void came(uint64_t tenant, uint64_t source, const char *type, ms_t at, int64_t events, uint64_t took_us)
{
	struct tallies *t = tallies_new(a);
	const struct tally of = { tenant, source, str_of(type), at };

	tally_events(t, &of, events);
	tally_starts(t, &of, events);
	for (int64_t i = 0; took_us && i < events; i++)
		tally_done(t, tenant, at, took_us);
	succeeds(tallies_write(db, a, t, 1, &e));
}

START_TEST(an_empty_window_has_nothing)
{
	const struct monitor_facts *f = look(1, 60, NOW);

	ck_assert_uint_eq(f->total + f->processed + f->failed + f->pending + f->starts + f->failures + f->duplicates + f->backlog + f->done, 0);
	ck_assert_int_eq(f->oldest_at, 0);
	ck_assert_uint_eq(seen.by_provider_n + seen.by_type_n + seen.oldest_n, 0);
}
END_TEST

START_TEST(sums_and_the_index_make_the_whole)
{
	const ms_t at = NOW - 10 * MS_PER_MINUTE;
	const struct monitor_facts *f;

	came(1, 1, "push", at, 90, 2000);
	came(1, 2, "alert", at, 10, 100000);
	came(1, 1, "push", at, 8, 0);			/* these eight are the events below */
	event(1, 1, EVENT_PENDING, 0, false, at);
	event(1, 1, EVENT_PROCESSING, 1, false, at);
	event(1, 1, EVENT_FAILED, 2, false, at);	/* to be retried: pending */
	event(1, 1, EVENT_FAILED, 3, false, at);	/* failed */
	event(1, 1, EVENT_PENDING, 3, false, at);	/* replayed by hand: the same */
	event(1, 1, EVENT_DEAD, 5, false, at);
	event(1, 1, EVENT_PROCESSED, 1, false, at);
	event(1, 1, EVENT_IGNORED, 1, false, at);
	event(1, 1, EVENT_FAILED, 3, true, at);		/* a test */
	event(2, 3, EVENT_FAILED, 3, false, at);	/* somebody else's */
	f = look(1, 60, NOW);
	ck_assert_uint_eq(f->total, 108);
	ck_assert_uint_eq(f->failed, 3);
	ck_assert_uint_eq(f->pending, 3);
	ck_assert_uint_eq(f->processed, 102);
	ck_assert_uint_eq(f->starts, 108);
	ck_assert_uint_eq(f->backlog, 5);
	ck_assert_uint_eq(f->done, 100);
	ck_assert_uint_eq(f->took_us, 90 * 2000 + 10 * 100000);
	ck_assert(f->p50_us > 1930 && f->p50_us < 2070);
	ck_assert(f->p95_us > 96800 && f->p95_us < 103300);
	ck_assert_uint_eq(seen.by_provider_n, 2);
	ck_assert(str_eqs(seen.by_provider[0].name, "GITHUB") && seen.by_provider[0].count == 98);
	ck_assert(str_eqs(seen.by_provider[1].name, "GOOGLE_CLOUD_MONITORING") && seen.by_provider[1].count == 10);
	ck_assert(seen.by_type_n == 2 && str_eqs(seen.by_type[0].name, "push") && seen.by_type[0].count == 98);
}
END_TEST

START_TEST(hours_move_to_their_days_and_a_long_window_begins_with_one)
{
	const ms_t day = NOW - NOW % MS_PER_DAY, then = day - 20 * MS_PER_DAY;

	for (int i = 0; i < 48; i++)
		add(1, 1, 7, "push", then + i * MS_PER_HOUR + 5 * MS_PER_MINUTE, 2);
	add(1, 1, 7, "push", day - 2 * MS_PER_DAY, 1);
	fold(NOW, 7);
	ck_assert_uint_eq(sum_of(T_DAYS, 1, 0, MINUTE).events, 96 + 48);	/* with their durations */
	ck_assert_uint_eq(sum_of(T_DAYS, 1, 0, MINUTE).n, 4);
	ck_assert_uint_eq(sum_of(T_HOURS, 1, 0, MINUTE).events, 2);
	add(1, 1, 7, "push", then, 1);
	fold(NOW, 100);
	ck_assert_uint_eq(sum_of(T_DAYS, 1, 0, MINUTE).events, 96 + 48 + 2);
	/* 19 days ago there were the second day's 48, and one is of the day before yesterday */
	ck_assert_uint_eq(look(1, 19 * 24 * 60, day + MS_PER_HOUR)->total, 49);
	ck_assert_uint_eq(look(1, 19 * 24 * 60, day + 23 * MS_PER_HOUR)->total, 49);
	ck_assert_uint_eq(look(1, 20 * 24 * 60, day)->total, 49 + 49);
}
END_TEST

START_TEST(a_window_begins_with_a_whole_minute_and_a_long_one_with_a_whole_hour)
{
	const ms_t now = NOW + 30500;

	came(1, 1, "push", NOW - 60 * MS_PER_MINUTE, 1, 0);
	came(1, 1, "push", NOW - 60 * MS_PER_MINUTE - 1, 2, 0);	/* a minute before the window */
	ck_assert_uint_eq(look(1, 60, now)->total, 1);
	ck_assert_uint_eq(look(1, 61, now)->total, 3);
	ck_assert_uint_eq(look(1, 1, now)->total, 0);
	came(1, 1, "push", NOW - 1, 4, 0);
	ck_assert_uint_eq(look(1, 1, now)->total, 4);
	came(1, 1, "push", NOW - 24 * MS_PER_HOUR, 8, 0);
	came(1, 1, "push", NOW - 24 * MS_PER_HOUR - 1, 16, 0);
	ck_assert_uint_eq(look(1, 24 * 60, now)->total, 15);
	ck_assert_uint_eq(look(1, 24 * 60 + 1, now + MS_PER_HOUR)->total, 15);
	fold(now, 1000);
	ck_assert_uint_eq(look(1, 24 * 60, now)->total, 15);
	ck_assert_uint_eq(look(1, 25 * 60, now)->total, 31);
	ck_assert_uint_eq(look(1, 60, now)->total, 5);
}
END_TEST

START_TEST(what_waits_counts_whatever_the_window)
{
	const ms_t long_ago = NOW - 40 * MS_PER_DAY;
	uint64_t first = event(1, 2, EVENT_PENDING, 0, false, long_ago);
	const struct monitor_facts *f;

	for (int i = 0; i < 12; i++)
		event(1, 1 + (uint64_t)(i < 4), i % 2 ? EVENT_FAILED : EVENT_PROCESSING, 1, false, long_ago + 1000 + i);
	event(1, 1, EVENT_DEAD, 5, false, long_ago);
	event(1, 1, EVENT_PENDING, 0, true, long_ago - 5000);
	f = look(1, 60, NOW);
	ck_assert_uint_eq(f->backlog, 13);
	ck_assert_uint_eq(f->total + f->failed + f->pending, 0);
	ck_assert_int_eq(f->oldest_at, long_ago);
	ck_assert_uint_eq(f->oldest_id, first);
	ck_assert(str_eqs(f->waiting.name, "code") && f->waiting.count == 8);
	ck_assert_uint_eq(seen.oldest_n, MONITOR_OLDEST);
	ck_assert_uint_eq(seen.oldest[0].id, first);
	ck_assert(str_eqs(seen.oldest[0].status, "pending") && str_eqs(seen.oldest[0].source, "cloud"));
	ck_assert(str_eqs(seen.oldest[2].error, "handler answered 500"));
	for (size_t i = 1; i < seen.oldest_n; i++)
		ck_assert(seen.oldest[i - 1].id < seen.oldest[i].id);
}
END_TEST

START_TEST(many_that_wait_are_counted_so_far)
{
	const struct monitor_facts *f;

	run(T_EVENTS, VALS(V_U(id_floor(NOW - MS_PER_HOUR)), V_U(EVENT_PENDING), V_I(NOW - MS_PER_HOUR)));
	f = look(1, 120, NOW);
	ck_assert_uint_eq(f->backlog, 50000);
	ck_assert(f->more_backlog);
	ck_assert(str_eqs(f->waiting.name, "code"));
}
END_TEST

START_TEST(failures_are_events_and_the_worst_source_is_named)
{
	const ms_t at = NOW - 5 * MS_PER_MINUTE;
	const struct monitor_facts *f;

	for (uint64_t i = 0; i < 5; i++) {
		uint64_t id = event(1, 1, EVENT_FAILED, 2, false, at);

		succeeds(tally_failure(db, 1, 1, id, at + (ms_t)i, &e));
		succeeds(tally_failure(db, 1, 1, id, at + 60000 + (ms_t)i, &e));
		run(T_ATTEMPT, VALS(V_U(id), V_U(1), V_S(STR("first"))));
		run(T_ATTEMPT, VALS(V_U(id), V_U(2), V_S(arena_printf(a, "answered 50%llu", (unsigned long long)i))));
	}
	for (uint64_t i = 0; i < 6; i++)
		succeeds(tally_failure(db, 1, 2, 700, at + (ms_t)i, &e));
	succeeds(tally_failure(db, 1, 2, 700, NOW - 2 * MS_PER_HOUR, &e));
	succeeds(tally_failure(db, 2, 3, 800, at, &e));
	f = look(1, 60, NOW);
	ck_assert_uint_eq(f->failures, 6);
	ck_assert(!f->more_failures);
	ck_assert(str_eqs(f->failing.id, "in_1") && f->failing.count == 5);
	ck_assert(str_eqs(f->failing.error, "answered 504"));
	ck_assert_uint_eq(look(2, 60, NOW)->failures, 1);
	ck_assert_uint_eq(look(0, 60, NOW)->failures, 7);
}
END_TEST

START_TEST(the_sender_that_repeats_is_named)
{
	struct tallies *t = tallies_new(a);
	const struct tally one = { 1, 1, STR("push"), NOW }, two = { 1, 2, STR("x"), NOW }, three = { 1, 2, STR("y"), NOW - MS_PER_MINUTE };

	for (int i = 0; i < 3; i++)
		tally_duplicate(t, &one);
	for (int i = 0; i < 2; i++) {
		tally_duplicate(t, &two);
		tally_duplicate(t, &three);
	}
	succeeds(tallies_write(db, a, t, 1, &e));
	ck_assert_uint_eq(look(1, 60, NOW)->duplicates, 7);
	ck_assert(str_eqs(seen.facts.repeating.name, "cloud") && seen.facts.repeating.count == 4);
	ck_assert_uint_eq(seen.facts.total, 0);
	ck_assert_uint_eq(seen.by_type_n, 0);
}
END_TEST

START_TEST(all_tenants_are_added_up)
{
	came(1, 1, "push", NOW, 5, 1000);
	came(2, 3, "push", NOW, 7, 1000000);
	event(2, 3, EVENT_PENDING, 0, false, NOW - MS_PER_DAY);
	event(1, 1, EVENT_PENDING, 0, false, NOW - MS_PER_HOUR / 2);
	look(0, 60, NOW);
	ck_assert_uint_eq(seen.facts.total, 12);
	ck_assert_uint_eq(seen.facts.pending, 1);
	ck_assert_uint_eq(seen.facts.backlog, 2);
	ck_assert(seen.facts.p95_us > 900000);
	ck_assert(seen.by_type_n == 1 && seen.by_type[0].count == 12);
	ck_assert(seen.by_provider_n == 2 && str_eqs(seen.by_provider[0].name, "STRIPE"));
	ck_assert(seen.oldest_n == 2 && str_eqs(seen.oldest[0].source, "theirs"));
}
END_TEST

START_TEST(an_event_that_is_removed_counts_no_longer)
{
	struct tallies *t = tallies_new(a);
	const struct tally of = { 1, 1, STR("push"), NOW };

	came(1, 1, "push", NOW, 3, 0);
	tally_events(t, &of, -1);
	tally_starts(t, &of, -1);
	succeeds(tallies_write(db, a, t, 9, &e));
	ck_assert_uint_eq(look(1, 60, NOW)->total, 2);
	ck_assert_uint_eq(seen.facts.starts, 2);
}
END_TEST

/* ---- what is kept ---- */

static uint64_t asked(uint64_t tenant, uint64_t window, ms_t now)
{
	memset(&seen, 0, sizeof(seen));
	succeeds(monitor_view_get(db, a, tenant, window, false, now, &seen, &e));
	return seen.facts.total;
}

START_TEST(it_is_kept_for_half_a_minute_and_comes_back_whole)
{
	struct monitor_view first;
	uint64_t id = event(1, 1, EVENT_FAILED, 2, false, NOW - MS_PER_HOUR / 2);

	came(1, 1, "push \"quoted\"", NOW, 3, 1500);
	succeeds(tally_failure(db, 1, 1, id, NOW - 1, &e));
	run(T_ATTEMPT, VALS(V_U(id), V_U(1), V_S(STR("timed out\n"))));
	ck_assert_uint_eq(asked(1, 60, NOW), 3);
	ck_assert(!seen.cached && seen.made_at == NOW);
	first = seen;
	came(1, 1, "push", NOW, 3, 0);
	ck_assert_uint_eq(asked(1, 60, NOW + MONITOR_CACHE_MS - 1), 3);
	ck_assert(seen.cached && seen.made_at == NOW);
	ck_assert_uint_eq(seen.facts.took_us, first.facts.took_us);
	ck_assert_uint_eq(seen.facts.p99_us, first.facts.p99_us);
	ck_assert(str_eqs(seen.facts.failing.error, "timed out\n") && seen.facts.failing.count == 1);
	ck_assert(str_eqs(seen.by_type[0].name, "push \"quoted\"") && seen.by_type_n == 1 && seen.by_provider_n == 1);
	ck_assert(seen.oldest_n == 1 && seen.oldest[0].id == id && seen.oldest[0].received_at == NOW - MS_PER_HOUR / 2);
	ck_assert_uint_eq(asked(1, 59, NOW + 1), 6);	/* another window, another tenant */
	ck_assert_uint_eq(asked(2, 60, NOW + 1), 0);
	ck_assert_uint_eq(asked(1, 60, NOW + MONITOR_CACHE_MS), 6);
	ck_assert_uint_eq(asked(1, 60, NOW - MS_PER_HOUR), 6);	/* the clock was set back: what is kept is of the future */
}
END_TEST

START_TEST(a_change_drops_what_is_kept)
{
	struct monitor_cached began;

	ck_assert_uint_eq(asked(1, 60, NOW), 0);
	ck_assert_uint_eq(asked(0, 60, NOW), 0);
	ck_assert_uint_eq(asked(2, 60, NOW), 0);
	came(1, 1, "push", NOW, 3, 0);
	came(2, 3, "push", NOW, 1, 0);
	ck_assert_uint_eq(asked(1, 60, NOW + 1), 0);
	succeeds(monitor_cache_drop(db, 1, &e));
	ck_assert_uint_eq(asked(2, 60, NOW + 1), 0);	/* not theirs */
	ck_assert_uint_eq(asked(1, 60, NOW + 1), 3);
	ck_assert(!seen.cached);
	ck_assert_uint_eq(asked(0, 60, NOW + 1), 4);
	ck_assert_uint_eq(asked(1, 60, NOW + 2), 3);
	ck_assert(seen.cached);
	/* who began before the change stores what counts for nothing */
	ck_assert_int_eq(monitor_cache_get(db, a, 1, 60, NOW + 2, &began, &e), 1);
	succeeds(monitor_cache_drop(db, 1, &e));
	began.facts = STR("{}");
	succeeds(monitor_cache_put(db, 1, 60, &began, &e));
	ck_assert_uint_eq(asked(1, 60, NOW + 3), 3);
	ck_assert(!seen.cached);
}
END_TEST

START_TEST(what_another_version_kept_is_found_out_anew)
{
	struct monitor_cached c;

	came(1, 1, "push", NOW, 3, 0);
	ck_assert_int_eq(monitor_cache_get(db, a, 1, 60, NOW, &c, &e), 0);
	c.made_at = NOW;
	c.facts = STR("{\"total\":-5}");
	succeeds(monitor_cache_put(db, 1, 60, &c, &e));
	ck_assert_uint_eq(asked(1, 60, NOW), 3);
	c.facts = STR("no JSON");
	succeeds(monitor_cache_put(db, 1, 60, &c, &e));
	ck_assert_uint_eq(asked(1, 60, NOW), 3);
	succeeds(monitor_cache_forget(db, NOW + 2 * MS_PER_HOUR, &e));
	ck_assert_int_eq(monitor_cache_get(db, a, 1, 60, NOW, &c, &e), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { it_runs_from_the_first_time_it_is_raised_until_it_is_ended, a_severity_is_raised_and_never_lowered,
		tenants_types_and_subjects_are_apart, what_lasts_a_while_is_over_unless_it_is_raised_again, inside_a_transaction_it_is_a_step,
		long_texts_are_cut, sums_add_up_by_source_type_and_minute, minutes_move_to_their_hours_and_none_is_lost_or_counted_twice,
		hours_move_to_their_days_and_a_long_window_begins_with_one, days_and_failures_are_forgotten_in_time, an_empty_window_has_nothing, sums_and_the_index_make_the_whole,
		a_window_begins_with_a_whole_minute_and_a_long_one_with_a_whole_hour, what_waits_counts_whatever_the_window,
		many_that_wait_are_counted_so_far, failures_are_events_and_the_worst_source_is_named, the_sender_that_repeats_is_named,
		all_tenants_are_added_up, an_event_that_is_removed_counts_no_longer, it_is_kept_for_half_a_minute_and_comes_back_whole,
		a_change_drops_what_is_kept, what_another_version_kept_is_found_out_anew };

	if (!store_test_begin(MONITOR_DB, once, ARRAY_SIZE(once)))
		return STORE_TEST_SKIPPED;
	return store_test_run("monitor", tests, ARRAY_SIZE(tests), setup, teardown);
}
