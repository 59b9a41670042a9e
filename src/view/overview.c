/* overview.c - is everything all right? One look at all that comes in and all that is open.
 *
 * Everything is read from the counters by the hour and from short ranges of indexes, so the page costs the same at ten
 * thousand events and at ten million. Test traffic is left out. The hour of `now` is the last of the 24 and not over yet. */
#include "view_int.h"

#include <assert.h>
#include <inttypes.h>

#define FAILING_ERRORS 5	/* fewer refused requests in a day are noise */
#define FAILING_RATE 95.0	/* percent accepted, below it a source is failing: as integration_health.c judges */
#define SILENT_MS MS_PER_DAY	/* since the last webhook of a source that ever had one */
#define STUCK_COUNT_MAX 1000	/* events of a status are counted so far */

static const struct field source_columns[] = {
	FIELD_ID(struct overview_source, row, "source_row", ""),
	FIELD_STR(struct overview_source, id, "public_id", ""),
	FIELD_STR(struct overview_source, name, "name", ""),
	FIELD_STR(struct overview_source, provider, "provider", ""),
	FIELD_BOOL(struct overview_source, enabled, "enabled", ""),
	FIELD_TIME(struct overview_source, last_at, "last_at", ""),
	FIELD_TIME(struct overview_source, heard_at, "heard_at", ""),
	FIELD_U64(struct overview_source, heartbeat_minutes, "heartbeat_minutes", ""),
	FIELD_U64(struct overview_source, tests, "tests", ""),
	FIELD_U64(struct overview_source, webhooks, "webhooks", ""),
	FIELD_END
};

struct hour_row {
	uint64_t source, hour, received, errors, events, repeats, tests, latency_us;
};

static const struct field hour_columns[] = {
	FIELD_ID(struct hour_row, source, "source_id", ""),
	FIELD_U64(struct hour_row, hour, "hour", ""),
	FIELD_U64(struct hour_row, received, "received", ""),
	FIELD_U64(struct hour_row, errors, "errors", ""),
	FIELD_U64(struct hour_row, events, "events", ""),
	FIELD_U64(struct hour_row, repeats, "repeats", ""),
	FIELD_U64(struct hour_row, tests, "tests", ""),
	FIELD_U64(struct hour_row, latency_us, "latency_us", ""),
	FIELD_END
};

struct count_row {
	uint64_t what, n;
};

static const struct field count_columns[] = {
	FIELD_U64(struct count_row, what, "what", ""),
	FIELD_U64(struct count_row, n, "n", ""),
	FIELD_END
};

/* ---- reading ---- */

static int by_row(const void *a, const void *b)
{
	const struct overview_source *x = a, *y = b;

	return x->row < y->row ? -1 : x->row > y->row;
}

static struct overview_source *source_of(struct overview *o, uint64_t row)
{
	struct overview_source key = { .row = row };

	return bsearch(&key, o->sources, o->sources_n, sizeof(key), by_row);
}

static double rate(uint64_t received, uint64_t errors)
{
	return received ? 100.0 * (double)(received - errors) / (double)received : 100.0;
}

static void add_hour(struct overview *o, const struct hour_row *r, uint64_t first)
{
	struct overview_source *s = source_of(o, r->source);
	uint64_t i = r->hour - first, received = r->received > r->tests ? r->received - r->tests : 0;
	uint64_t errors = r->errors < received ? r->errors : received;
	struct overview_hour *sums[] = { &o->hours[i], s ? &s->hours[i] : NULL, &o->day, s ? &s->day : NULL };

	assert(i < OVERVIEW_HOURS);
	for (size_t k = 0; k < ARRAY_SIZE(sums); k++) {
		if (!sums[k])
			continue;
		sums[k]->received += received;
		sums[k]->errors += errors;
		sums[k]->events += r->events;
		sums[k]->repeats += r->repeats;
	}
	o->latency_us += r->latency_us;
}

static bool read_sources(struct db *db, struct arena *a, struct overview *o, uint64_t tenant_id, ms_t now, struct err *e)
{
	uint64_t first = (uint64_t)(now / MS_PER_HOUR) - OVERVIEW_HOURS + 1;
	struct hour_row *rows;
	size_t n;

	if (!db_query(db, &view_stmt[V_OVERVIEW_SOURCES], VALS(V_U(tenant_id), V_U(OVERVIEW_SOURCES_MAX)), a, source_columns,
		sizeof(*o->sources), &o->sources, &o->sources_n, e) ||
		!db_query(db, &view_stmt[V_OVERVIEW_HOURS],
			VALS(V_S(stats_hours(a, now, OVERVIEW_HOURS)), V_U(tenant_id)), a, hour_columns, sizeof(*rows),
			&rows, &n, e))
		return false;
	if (o->sources_n)
		qsort(o->sources, o->sources_n, sizeof(*o->sources), by_row);
	for (size_t i = 0; i < n; i++)
		add_hour(o, &rows[i], first);
	for (size_t i = 0; i < OVERVIEW_HOURS; i++)
		o->hours[i].at = (ms_t)(first + i) * MS_PER_HOUR;
	o->success_rate = rate(o->day.received, o->day.errors);
	o->average_latency_us = o->day.received ? o->latency_us / o->day.received : 0;
	o->events_per_minute = o->hours[OVERVIEW_HOURS - 1].events / (uint64_t)(now % MS_PER_HOUR / MS_PER_MINUTE + 1);
	return true;
}

static bool read_counts(struct db *db, struct arena *a, struct overview *o, uint64_t tenant_id, ms_t now, struct err *e)
{
	uint64_t floor = id_floor(now - MS_PER_DAY);
	struct count_row *rows;
	size_t n;

	if (!db_query(db, &view_stmt[V_OVERVIEW_OPEN], VALS(V_U(tenant_id)), a, count_columns, sizeof(*rows), &rows, &n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		if (rows[i].what < OVERVIEW_LEVELS) {
			o->open[rows[i].what] = rows[i].n;
			o->open_total += rows[i].n;
		}
	if (!db_query(db, &view_stmt[V_OVERVIEW_STUCK],
		VALS(V_U(tenant_id), V_U(floor), V_U(STUCK_COUNT_MAX), V_U(tenant_id), V_U(floor), V_U(STUCK_COUNT_MAX),
			V_U(tenant_id), V_U(STUCK_COUNT_MAX), V_U(tenant_id), V_U(STUCK_COUNT_MAX)),
		a, count_columns, sizeof(*rows), &rows, &n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		*(rows[i].what == EVENT_FAILED || rows[i].what == EVENT_DEAD ? &o->failed_events : &o->waiting_events) += rows[i].n;
	return true;
}

static bool read_incidents(struct db *db, struct arena *a, struct overview *o, uint64_t tenant_id, struct err *e)
{
	struct incident_filter f = { .tenant_id = tenant_id, .statuses = 1 << INCIDENT_OPEN | 1 << INCIDENT_ACKNOWLEDGED,
		.limit = OVERVIEW_INCIDENTS };
	uint64_t next;

	return incident_view_list(db, a, &f, &o->incidents, &o->incidents_n, &next, e);
}

static bool read_monitor(struct db *db, struct arena *a, struct overview *o, uint64_t tenant_id, const struct monitor_limits *limits,
	uint64_t window_min, ms_t now, struct err *e)
{
	struct monitor_view *v = ARENA_NEW(a, struct monitor_view);

	if (!monitor_view_get(db, a, tenant_id, window_min, false, now, v, e))
		return false;
	o->facts = v->facts;
	monitor_judge(a, &v->facts, limits, now, &o->monitor);
	return true;
}

/* ---- judging ---- */

static void reason(struct overview *o, struct arena *a, enum overview_state state, struct str href, struct str text)
{
	if (state > o->state)
		o->state = state;
	if (o->reasons_n < OVERVIEW_REASONS)
		o->reasons[o->reasons_n++] = (struct overview_reason){ text, arena_str(a, href) };
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void judge_incidents(struct overview *o, struct arena *a)
{
	uint64_t critical = o->open[LEVEL_CRITICAL], high = o->open[LEVEL_HIGH];

	if (critical)
		reason(o, a, OVERVIEW_CRITICAL, STR("/incidents?severity=CRITICAL"),
			arena_printf(a, "%" PRIu64 " critical incident%s open", critical, plural(critical)));
	if (high)
		reason(o, a, OVERVIEW_DEGRADED, STR("/incidents?severity=HIGH"),
			arena_printf(a, "%" PRIu64 " high incident%s open", high, plural(high)));
}

/* A check that fails is a reason, with what it says and where to go; how bad that is the monitor has said. */
static void judge_monitor(struct overview *o, struct arena *a)
{
	static const enum overview_state states[] = { [MONITOR_HEALTHY] = OVERVIEW_HEALTHY, [MONITOR_DEGRADED] = OVERVIEW_DEGRADED,
		[MONITOR_FAILING] = OVERVIEW_CRITICAL };

	for (size_t i = 0; i < o->monitor.advice_n; i++)
		reason(o, a, states[o->monitor.status], o->monitor.advice[i].step, o->monitor.advice[i].check->message);
}

static bool is_silent(const struct overview_source *s, ms_t now)
{
	if (s->heartbeat_minutes)
		return s->enabled && s->heard_at + (ms_t)s->heartbeat_minutes * MS_PER_MINUTE <= now;
	return s->enabled && s->webhooks && now - s->last_at > SILENT_MS;
}

/* A quiet source may be a healthy one (no payments at night), so silence is shown, and judged only where the source says how long it may last. */
static void judge_sources(struct overview *o, struct arena *a, ms_t now)
{
	for (size_t i = 0; i < o->sources_n; i++) {
		struct overview_source *s = &o->sources[i];

		s->success_rate = rate(s->day.received, s->day.errors);
		s->failing = s->enabled && s->day.errors >= FAILING_ERRORS && s->success_rate < FAILING_RATE;
		s->silent = is_silent(s, now);
		o->failing_n += s->failing;
		o->silent_n += s->silent;
		o->had_test |= s->tests > 0;
		o->had_webhook |= s->webhooks > s->tests;
		if (s->silent && s->heartbeat_minutes)
			reason(o, a, OVERVIEW_DEGRADED, arena_printf(a, "/integrations/%.*s", STR_ARG(s->id)),
				arena_printf(a, "nothing comes from %.*s", STR_ARG(s->name)));
		if (s->failing)
			reason(o, a, OVERVIEW_DEGRADED,
				arena_printf(a, "/requests?outcome=refused&source=%.*s", STR_ARG(s->id)),
				arena_printf(a, "%.*s refuses %.0f %% of its requests", STR_ARG(s->name), 100 - s->success_rate));
	}
}

static void judge_cron(struct overview *o, struct arena *a)
{
	if (o->cron.late)
		reason(o, a, OVERVIEW_DEGRADED, STR("/jobs"), o->cron.last_at ? STR("cron is late") : STR("cron has never run"));
}

static const char *const state_words[] = { "HEALTHY", "DEGRADED", "CRITICAL" };

/* Failing ones first, then by traffic; what shows nothing comes last. */
static int by_interest(const void *a, const void *b)
{
	const struct overview_source *x = a, *y = b;

	if (x->failing != y->failing)
		return x->failing ? -1 : 1;
	if (x->day.received != y->day.received)
		return x->day.received > y->day.received ? -1 : 1;
	return x->row < y->row ? 1 : -1;
}

bool overview_get(struct db *db, struct arena *a, uint64_t tenant_id, const struct monitor_limits *limits, uint64_t window_min, ms_t now,
	struct overview *o, struct err *e)
{
	*o = (struct overview){ 0 };
	if (!read_sources(db, a, o, tenant_id, now, e) || !read_counts(db, a, o, tenant_id, now, e) ||
		!read_incidents(db, a, o, tenant_id, e) || !cron_watch(db, a, now, &o->cron, e) ||
		!read_monitor(db, a, o, tenant_id, limits, window_min, now, e) || !outbox_depth_get(db, a, &o->outbox, e))
		return false;
	judge_incidents(o, a);
	judge_sources(o, a, now);
	judge_monitor(o, a);
	judge_cron(o, a);
	o->status = str_of(state_words[o->state]);
	if (o->sources_n)
		qsort(o->sources, o->sources_n, sizeof(*o->sources), by_interest);
	return true;
}
