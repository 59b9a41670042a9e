/* rule_counts.c - what alert rules of a tenant are judged by, counted.
 *
 * A hundred rules ask for much the same, so each thing is read once, by integration, when the first rule wants it; a rule adds up what fits its filter. Nothing
 * here reads as many rows as there are events: what came in are the sums that the monitor reads too, of a window of any length some thousands of rows;
 * what waits or failed is counted in the index by status alone, each status up to COUNTED_MAX. */
#include <stdlib.h>

#include "view_int.h"

#define COUNTED_MAX 50000	/* of a status: some 15 ms */

struct source_row {
	uint64_t row, service;
	struct str provider;
	ms_t heard_at;
};

static const struct field source_columns[] = {
	FIELD_ID(struct source_row, row, "row", ""),
	FIELD_ID(struct source_row, service, "service_id", ""),
	FIELD_STR(struct source_row, provider, "provider", ""),
	FIELD_TIME(struct source_row, heard_at, "heard_at", ""),
	FIELD_END
};

/* Of an integration; of incidents, of one and a service. */
struct count {
	uint64_t source, service, n, oldest;	/* oldest: the smallest number of these events */
};

static const struct field count_columns[] = {
	FIELD_ID(struct count, source, "source_id", ""),
	FIELD_ID(struct count, service, "service_id", ""),
	FIELD_U64(struct count, n, "n", ""),
	FIELD_U64(struct count, oldest, "oldest", ""),
	FIELD_END
};

struct counts {
	struct count *rows;
	size_t n;
	bool read;
};

/* What is of one window. */
struct window {
	struct window *next;
	uint64_t minutes;
	ms_t from;
	struct counts events, undone, failures;
};

struct rule_meter {
	struct db *db;
	struct arena *a;
	uint64_t tenant_id;
	ms_t now;
	struct source_row *sources;	/* by row */
	size_t source_n;
	bool sources_read;
	struct window *windows;
	struct counts waiting, incidents;
};

struct rule_meter *rule_meter_new(struct db *db, struct arena *a, uint64_t tenant_id, ms_t now)
{
	struct rule_meter *m = ARENA_NEW(a, struct rule_meter);

	*m = (struct rule_meter){ .db = db, .a = a, .tenant_id = tenant_id, .now = now };
	return m;
}

/* ---- which integrations ---- */

static int by_row(const void *x, const void *y)
{
	const struct source_row *a = x, *b = y;

	return a->row < b->row ? -1 : a->row > b->row;
}

static bool read_sources(struct rule_meter *m, struct err *e)
{
	if (m->sources_read)
		return true;
	if (!db_query(m->db, &view_stmt[V_RULE_SOURCES], VALS(V_U(m->tenant_id)), m->a, source_columns, sizeof(*m->sources), &m->sources,
		&m->source_n, e))
		return false;
	if (m->source_n)
		qsort(m->sources, m->source_n, sizeof(*m->sources), by_row);
	m->sources_read = true;
	return true;
}

static const struct source_row *source_of(const struct rule_meter *m, uint64_t row)
{
	const struct source_row key = { .row = row };

	return m->source_n ? bsearch(&key, m->sources, m->source_n, sizeof(key), by_row) : NULL;
}

/* `service`: of the thing that is counted; 0: that of its integration. */
static bool fits(const struct rule_meter *m, const struct alert_rule *r, uint64_t source, uint64_t service)
{
	const struct source_row *s = source_of(m, source);

	if (r->source_row && r->source_row != source)
		return false;
	if (r->provider.n && !(s && str_eq(s->provider, r->provider)))
		return false;
	return !r->service_row || r->service_row == (service ? service : s ? s->service : 0);
}

static uint64_t sum(const struct rule_meter *m, const struct alert_rule *r, const struct counts *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (fits(m, r, c->rows[i].source, c->rows[i].service))
			n += c->rows[i].n;
	return n;
}

/* ---- reading ---- */

static bool read_counts(struct rule_meter *m, enum view_stmt stmt, const struct val *vals, size_t n, struct counts *out, struct err *e)
{
	if (!out->read)
		out->read = db_query(m->db, &view_stmt[stmt], vals, n, m->a, count_columns, sizeof(*out->rows), &out->rows, &out->n, e);
	return out->read;
}

static struct window *window_of(struct rule_meter *m, uint64_t minutes)
{
	struct window *w = m->windows;

	while (w && w->minutes != minutes)
		w = w->next;
	if (!w) {
		w = ARENA_NEW(m->a, struct window);
		*w = (struct window){ .next = m->windows, .minutes = minutes, .from = monitor_window_begin(minutes, m->now) };
		m->windows = w;
	}
	return w;
}

static bool count_events(struct rule_meter *m, const struct alert_rule *r, struct rule_counts *out, struct err *e)
{
	struct window *w = window_of(m, r->window_min);
	const struct val tenant = V_U(m->tenant_id), minute = V_U((uint64_t)(w->from / MS_PER_MINUTE));

	if (!read_counts(m, V_RULE_EVENTS, VALS(tenant, minute, tenant, minute, tenant, minute), &w->events, e))
		return false;
	out->events = sum(m, r, &w->events);
	return true;
}

static bool count_undone(struct rule_meter *m, const struct alert_rule *r, struct rule_counts *out, struct err *e)
{
	struct window *w = window_of(m, r->window_min);
	const struct val tenant = V_U(m->tenant_id), floor = V_U(id_floor(w->from)), limit = V_U(COUNTED_MAX);

	if (!count_events(m, r, out, e) || !read_counts(m, V_RULE_UNDONE,
		VALS(tenant, floor, limit, tenant, floor, limit, tenant, floor, limit, tenant, floor, limit), &w->undone, e))
		return false;
	out->undone = sum(m, r, &w->undone);
	return true;
}

static bool count_failures(struct rule_meter *m, const struct alert_rule *r, struct rule_counts *out, struct err *e)
{
	struct window *w = window_of(m, r->window_min);

	if (!read_counts(m, V_RULE_FAILURES, VALS(V_U(m->tenant_id), V_I(w->from), V_U(COUNTED_MAX)), &w->failures, e))
		return false;
	out->failures = sum(m, r, &w->failures);
	return true;
}

static bool count_waiting(struct rule_meter *m, const struct alert_rule *r, struct rule_counts *out, struct err *e)
{
	const struct val tenant = V_U(m->tenant_id), limit = V_U(COUNTED_MAX);
	uint64_t oldest = 0;

	if (!read_counts(m, V_RULE_WAITING, VALS(tenant, limit, tenant, limit, tenant, limit), &m->waiting, e))
		return false;
	for (size_t i = 0; i < m->waiting.n; i++) {
		const struct count *c = &m->waiting.rows[i];

		if (fits(m, r, c->source, 0) && (!oldest || c->oldest < oldest))
			oldest = c->oldest;
	}
	out->waiting = sum(m, r, &m->waiting);
	out->oldest_at = oldest ? id_time(oldest) : 0;
	return true;
}

static bool find_last(struct rule_meter *m, const struct alert_rule *r, struct rule_counts *out, struct err *e)
{
	for (size_t i = 0; i < m->source_n; i++)
		if (fits(m, r, m->sources[i].row, 0) && m->sources[i].heard_at > out->heard_at)
			out->heard_at = m->sources[i].heard_at;
	if (!out->heard_at)
		out->heard_at = r->created_at;
	return true;
}

static bool count_incidents(struct rule_meter *m, const struct alert_rule *r, struct rule_counts *out, struct err *e)
{
	if (!read_counts(m, V_RULE_INCIDENTS, VALS(V_U(m->tenant_id), V_U(COUNTED_MAX)), &m->incidents, e))
		return false;
	out->incidents = sum(m, r, &m->incidents);
	return true;
}

bool rule_measure(struct rule_meter *m, const struct alert_rule *r, double *value, struct err *e)
{
	static bool (*const read[RULE_METRICS_END])(struct rule_meter *m, const struct alert_rule *r, struct rule_counts *out, struct err *e) = {
		[RULE_EVENT_COUNT] = count_events, [RULE_FAILURE_COUNT] = count_failures, [RULE_SUCCESS_RATE] = count_undone,
		[RULE_PENDING_COUNT] = count_waiting, [RULE_OLDEST_PENDING] = count_waiting, [RULE_LAST_EVENT] = find_last,
		[RULE_OPEN_INCIDENTS] = count_incidents,
	};
	struct rule_counts c = { 0 };

	if (!r->metric || r->metric >= RULE_METRICS_END)
		return err_set(e, ERR_BUG, "alert rule %.*s has the unknown metric %llu", STR_ARG(r->public_id), (unsigned long long)r->metric);
	if (!read_sources(m, e) || !read[r->metric](m, r, &c, e))
		return false;
	*value = rule_value((enum rule_metric)r->metric, &c, m->now);
	return true;
}
