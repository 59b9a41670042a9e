/* monitor.c - what the monitor judges, counted; kept for half a minute.
 *
 * Nothing here reads as many rows as there are events. What came in, how often it was tried and how long it took are sums by the minute,
 * hour and day (store/tally.c), some thousands of rows for a window of any length. What waits or failed is counted in the index by status, each status
 * up to COUNTED_MAX: beyond that the exact number says nothing more. What was processed is the rest. So the answer takes the same time at
 * ten thousand events and at ten million: measured by contrib/bench, scenario `monitor`.
 *
 * A window begins with a whole minute; one of more than three hours with a whole hour, one of more than eight days with a whole day, UTC.
 * Percentiles come from classes of durations, at most 3.2 % off (src/base/hist.c); the average is exact. */
#include <stdlib.h>

#include "view_int.h"

#define COUNTED_MAX 50000	/* of a status: some 10 ms */
#define HOURS_EXACT_MIN ((TALLY_HOURS_KEPT - 24) * 60)	/* what begins later than that has no hour in a day's sum */
#define LATE_ATTEMPTS 3		/* not processed after so many is failed */
#define WAITING_SAMPLE 1000	/* the oldest that wait say whose they are */

/* ---- what is asked of the database ---- */

struct sum_row {
	uint64_t took, source;
	struct str type;
	int64_t events, starts, duplicates, took_us;
};

static const struct field sum_columns[] = {
	FIELD_U64(struct sum_row, took, "took", ""),
	FIELD_ID(struct sum_row, source, "source_id", ""),
	FIELD_STR(struct sum_row, type, "event_type", ""),
	FIELD_I64(struct sum_row, events, "events", ""),
	FIELD_I64(struct sum_row, starts, "starts", ""),
	FIELD_I64(struct sum_row, duplicates, "duplicates", ""),
	FIELD_I64(struct sum_row, took_us, "took_us", ""),
	FIELD_END
};

struct waiting_row {
	uint64_t all, recent, late;	/* counted; of these received in the window; of these not processed in time */
};

static const struct field waiting_columns[] = {
	FIELD_U64(struct waiting_row, all, "n", ""),
	FIELD_U64(struct waiting_row, recent, "recent", ""),
	FIELD_U64(struct waiting_row, late, "late", ""),
	FIELD_END
};

struct source_count {
	uint64_t source, n, rows;	/* n: events; rows: failures, of which an event may have several */
	ms_t at;
};

static const struct field source_count_columns[] = {
	FIELD_ID(struct source_count, source, "source_id", ""),
	FIELD_U64(struct source_count, n, "n", ""),
	FIELD_U64(struct source_count, rows, "all_rows", ""),
	FIELD_TIME(struct source_count, at, "at", ""),
	FIELD_END
};

struct source_row {
	uint64_t row, duplicates;
	struct str id, name, provider;
};

static const struct field source_columns[] = {
	FIELD_ID(struct source_row, row, "row", ""),
	FIELD_STR(struct source_row, id, "id", ""),
	FIELD_STR(struct source_row, name, "name", ""),
	FIELD_STR(struct source_row, provider, "provider", ""),
	FIELD_END
};

static const struct field oldest_columns[] = {
	FIELD_ID(struct monitor_event, id, "id", ""),
	FIELD_STR(struct monitor_event, type, "event_type", ""),
	FIELD_STR(struct monitor_event, source_id, "source_id", ""),
	FIELD_STR(struct monitor_event, source, "source", ""),
	FIELD_U64(struct monitor_event, status_n, "status", ""),
	FIELD_U64(struct monitor_event, attempts, "attempts", ""),
	FIELD_STR(struct monitor_event, error, "error", ""),
	FIELD_TIME(struct monitor_event, received_at, "received_at", ""),
	FIELD_END
};

struct text_row {
	struct str text;
};

static const struct field text_columns[] = {
	FIELD_STR(struct text_row, text, "text", ""),
	FIELD_END
};

/* ---- gathering ---- */

/* What is added up, tenant after tenant. */
struct gather {
	struct db *db;
	struct arena *a;
	struct monitor_view *v;
	uint64_t tenant_id;		/* the one that is being read */
	uint64_t from_minute, floor;	/* the window: in minutes, in ids */
	ms_t from;
	uint64_t classes[HIST_CLASSES];
	struct stats_count *types;	/* of each source: equal names may stand there several times */
	size_t type_n, type_cap;
	struct source_row *sources;	/* of this tenant, by row */
	size_t source_n;
};

static int by_row(const void *x, const void *y)
{
	const struct source_row *a = x, *b = y;

	return a->row < b->row ? -1 : a->row > b->row;
}

/* NULL: its row is gone, or the counts are older than it. */
static struct source_row *source_of(const struct gather *g, uint64_t row)
{
	const struct source_row key = { .row = row };

	return g->source_n ? bsearch(&key, g->sources, g->source_n, sizeof(key), by_row) : NULL;
}

static bool read_sources(struct gather *g, struct err *e)
{
	if (!db_query(g->db, &view_stmt[V_MONITOR_SOURCES], VALS(V_U(g->tenant_id)), g->a, source_columns, sizeof(*g->sources), &g->sources,
		&g->source_n, e))
		return false;
	if (g->source_n)
		qsort(g->sources, g->source_n, sizeof(*g->sources), by_row);
	return true;
}

static void add_type(struct gather *g, struct str name, uint64_t count)
{
	if (g->type_n == g->type_cap) {
		size_t cap = g->type_cap ? 2 * g->type_cap : 64;

		g->types = arena_grow(g->a, g->types, g->type_cap * sizeof(*g->types), cap * sizeof(*g->types));
		g->type_cap = cap;
	}
	g->types[g->type_n++] = (struct stats_count){ name, count };
}

static void add_provider(struct gather *g, struct str slug, uint64_t count)
{
	struct monitor_view *v = g->v;
	struct str name = in_capitals(g->a, slug);

	for (size_t i = 0; i < v->by_provider_n; i++)
		if (str_eq(v->by_provider[i].name, name)) {
			v->by_provider[i].count += count;
			return;
		}
	if (v->by_provider_n < ARRAY_SIZE(v->by_provider))
		v->by_provider[v->by_provider_n++] = (struct stats_count){ name, count };
}

static uint64_t at_least_zero(int64_t n)
{
	return n > 0 ? (uint64_t)n : 0;
}

static void stand_out(struct monitor_source *best, const struct source_row *s, uint64_t count)
{
	if (s && count > best->count)
		*best = (struct monitor_source){ .id = s->id, .name = s->name, .count = count };
}

static void add_time(struct gather *g, const struct sum_row *r)
{
	if (r->took <= HIST_CLASSES)
		g->classes[r->took - 1] += at_least_zero(r->events);
	g->v->facts.done += at_least_zero(r->events);
	g->v->facts.took_us += at_least_zero(r->took_us);
}

static void add_counts(struct gather *g, const struct sum_row *r)
{
	struct monitor_facts *f = &g->v->facts;
	struct source_row *s = source_of(g, r->source);
	uint64_t events = at_least_zero(r->events), duplicates = at_least_zero(r->duplicates);

	f->total += events;
	f->starts += at_least_zero(r->starts);
	f->duplicates += duplicates;
	if (s)
		s->duplicates += duplicates;
	if (!events)
		return;
	add_type(g, r->type.n ? r->type : STR("(other)"), events);
	add_provider(g, s ? s->provider : STR("unknown"), events);
}

static bool read_sums(struct gather *g, struct err *e)
{
	const struct val tenant = V_U(g->tenant_id), from = V_U(g->from_minute);
	struct sum_row *rows;
	size_t n;

	if (!db_query(g->db, &view_stmt[V_MONITOR_SUMS], VALS(tenant, from, tenant, from, tenant, from), g->a, sum_columns, sizeof(*rows), &rows, &n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		rows[i].took ? add_time(g, &rows[i]) : add_counts(g, &rows[i]);
	for (size_t i = 0; i < g->source_n; i++)
		stand_out(&g->v->facts.repeating, &g->sources[i], g->sources[i].duplicates);
	return true;
}

static bool read_waiting(struct gather *g, struct err *e)
{
	static const enum view_stmt waits[] = { V_MONITOR_PENDING, V_MONITOR_PROCESSING, V_MONITOR_FAILED };
	struct monitor_facts *f = &g->v->facts;
	struct waiting_row r;

	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		r = (struct waiting_row){ 0 };
		if (db_query_one(g->db, &view_stmt[waits[i]],
			VALS(V_U(g->floor), V_U(g->floor), V_U(LATE_ATTEMPTS), V_U(g->tenant_id), V_U(COUNTED_MAX)), g->a, waiting_columns,
			sizeof(r), &r, e) < 0)
			return false;
		f->backlog += r.all;
		f->more_backlog |= r.all == COUNTED_MAX;
		f->failed += r.late;
		f->pending += r.recent - r.late;
	}
	r = (struct waiting_row){ 0 };
	if (db_query_one(g->db, &view_stmt[V_MONITOR_DEAD], VALS(V_U(g->tenant_id), V_U(g->floor), V_U(COUNTED_MAX)), g->a, waiting_columns,
		sizeof(r), &r, e) < 0)
		return false;
	f->failed += r.all;
	return true;
}

static void add_oldest(struct monitor_view *v, const struct monitor_event *event)
{
	size_t i = v->oldest_n < MONITOR_OLDEST ? v->oldest_n++ : MONITOR_OLDEST - 1;

	if (v->oldest_n == MONITOR_OLDEST && i == MONITOR_OLDEST - 1 && v->oldest[i].id && v->oldest[i].id < event->id)
		return;
	for (; i && v->oldest[i - 1].id > event->id; i--)
		v->oldest[i] = v->oldest[i - 1];
	v->oldest[i] = *event;
	v->oldest[i].status = str_of(event_status_word((enum event_status)event->status_n));
}

static bool read_oldest(struct gather *g, struct err *e)
{
	const struct val tenant = V_U(g->tenant_id), limit = V_U(MONITOR_OLDEST), sample = V_U(WAITING_SAMPLE);
	struct monitor_event *events;
	struct source_count *whose;
	size_t n, whose_n;

	if (!db_query(g->db, &view_stmt[V_MONITOR_OLDEST], VALS(tenant, limit, tenant, limit, tenant, limit, limit), g->a, oldest_columns,
			sizeof(*events), &events, &n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		add_oldest(g->v, &events[i]);
	if (!n)
		return true;
	if (!db_query(g->db, &view_stmt[V_MONITOR_WHOSE], VALS(tenant, sample, tenant, sample, tenant, sample), g->a, source_count_columns,
			sizeof(*whose), &whose, &whose_n, e))
		return false;
	for (size_t i = 0; i < whose_n; i++)
		stand_out(&g->v->facts.waiting, source_of(g, whose[i].source), whose[i].n);
	return true;
}

static bool read_error(struct gather *g, const struct source_count *worst, struct err *e)
{
	struct text_row text = { 0 };

	if (db_query_one(g->db, &view_stmt[V_MONITOR_ERROR], VALS(V_U(g->tenant_id), V_I(worst->at), V_U(worst->source)), g->a, text_columns,
		sizeof(text), &text, e) < 0)
		return false;
	g->v->facts.failing.error = text.text;
	return true;
}

/* An event belongs to one source, so events that failed are the sum over sources. */
static bool read_failures(struct gather *g, struct err *e)
{
	struct monitor_facts *f = &g->v->facts;
	const struct source_count *worst = NULL;
	struct source_count *rows;
	uint64_t looked_at = 0;
	size_t n;

	if (!db_query(g->db, &view_stmt[V_MONITOR_FAILURES], VALS(V_U(g->tenant_id), V_I(g->from), V_U(COUNTED_MAX)), g->a, source_count_columns,
		sizeof(*rows), &rows, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		uint64_t most = f->failing.count;

		f->failures += rows[i].n;
		looked_at += rows[i].rows;
		stand_out(&f->failing, source_of(g, rows[i].source), rows[i].n);
		if (f->failing.count != most)
			worst = &rows[i];
	}
	f->more_failures |= looked_at == COUNTED_MAX;
	return !worst || read_error(g, worst, e);
}

static bool read_tenant(struct gather *g, uint64_t tenant_id, struct err *e)
{
	g->tenant_id = tenant_id;
	return read_sources(g, e) && read_sums(g, e) && read_waiting(g, e) && read_oldest(g, e) && read_failures(g, e);
}

static bool read_all(struct gather *g, struct err *e)
{
	struct source_row *tenants;
	size_t n;

	if (!db_query(g->db, &view_stmt[V_MONITOR_TENANTS], NULL, 0, g->a, source_columns, sizeof(*tenants), &tenants, &n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!read_tenant(g, tenants[i].row, e))
			return false;
	return true;
}

/* ---- summing up ---- */

static int by_name(const void *x, const void *y)
{
	const struct stats_count *a = x, *b = y;

	return str_cmp(a->name, b->name);
}

/* One for each name, the most frequent ones first. */
static void finish_types(struct gather *g)
{
	struct monitor_view *v = g->v;
	size_t n = 0;

	if (!g->type_n)
		return;
	qsort(g->types, g->type_n, sizeof(*g->types), by_name);
	for (size_t i = 1; i < g->type_n; i++)
		if (str_eq(g->types[i].name, g->types[n].name))
			g->types[n].count += g->types[i].count;
		else
			g->types[++n] = g->types[i];
	qsort(g->types, n + 1, sizeof(*g->types), compare_counts);
	v->by_type_n = n + 1 < ARRAY_SIZE(v->by_type) ? n + 1 : ARRAY_SIZE(v->by_type);
	memcpy(v->by_type, g->types, v->by_type_n * sizeof(*v->by_type));
}

/* Sums and counts are read one after the other while events go on, so a count may be ahead by what just came. */
static void finish(struct gather *g)
{
	struct monitor_facts *f = &g->v->facts;

	if (f->total < f->failed + f->pending)
		f->total = f->failed + f->pending;
	f->processed = f->total - f->failed - f->pending;
	f->p50_us = hist_percentile(g->classes, 50);
	f->p95_us = hist_percentile(g->classes, 95);
	f->p99_us = hist_percentile(g->classes, 99);
	if (g->v->oldest_n) {
		f->oldest_at = g->v->oldest[0].received_at;
		f->oldest_id = g->v->oldest[0].id;
	}
	finish_types(g);
	if (g->v->by_provider_n)
		qsort(g->v->by_provider, g->v->by_provider_n, sizeof(*g->v->by_provider), compare_counts);
}

ms_t monitor_window_begin(uint64_t window_min, ms_t now)
{
	ms_t unit = window_min <= TALLY_MINUTES_KEPT ? MS_PER_MINUTE : window_min <= HOURS_EXACT_MIN ? MS_PER_HOUR : MS_PER_DAY;
	ms_t from = now - (ms_t)window_min * MS_PER_MINUTE;

	return from - from % unit;
}

bool monitor_find_out(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t window_min, ms_t now, struct monitor_view *v, struct err *e)
{
	ms_t from = monitor_window_begin(window_min, now);
	struct gather g = { .db = db, .a = a, .v = v, .from = from, .from_minute = (uint64_t)(from / MS_PER_MINUTE), .floor = id_floor(from) };

	*v = (struct monitor_view){ .facts = { .window_min = window_min }, .made_at = now };
	if (!(tenant_id ? read_tenant(&g, tenant_id, e) : read_all(&g, e)))
		return false;
	finish(&g);
	return true;
}
