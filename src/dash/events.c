/* events.c - what the providers told, and one event with all that is known of it. */
#include "events.h"

#include "tmpl.h"

/* ---- the list ---- */

static const struct choice_word statuses[] = {
	{ "pending", "Pending" }, { "processing", "Processing" }, { "processed", "Processed" }, { "failed", "Failed" }, { "dead", "Dead" },
	{ "ignored", "Ignored" }, { NULL, NULL },
};

static const struct choice_word severities[] = {
	{ "critical", "Critical" }, { "error", "Error" }, { "warning", "Warning" }, { "info", "Info" }, { NULL, NULL },
};

static bool read_events(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next,
	struct err *e)
{
	struct event_query q = *(struct event_query *)query;

	q.f.cursor = cursor;
	q.f.limit = limit;
	return event_query_list(&v->by, &q, rows_r, n, next, e);
}

/* This page with its filters, without its path. */
static void fill_replay(struct visit *v, struct events_page *p)
{
	struct str query = str_sub(query_with(v, "limit", NULL), v->rq->path.n);

	p->replay_url = arena_printf(v->a, "/events/replay%.*s", STR_ARG(query));
	p->filtered = query.n > 0;
}

static bool fill_rows(struct visit *v, struct events_page *p, struct event_query *q, struct err *e)
{
	uint64_t next;

	if (!event_query_list(&v->by, q, &p->events, &p->events_n, &next, e) ||
		(p->events_n && !event_view_count(v->by.db, v->a, &q->f, &p->count, e)))
		return false;
	list_nav_fill(v, &p->nav, "events", q->f.cursor, next);
	fill_replay(v, p);
	return p->events_n || traffic_empty_fill(v, &p->empty, "events", LIST_SCAN_MAX, &p->nav, e);
}

void page_events(void *visit)
{
	struct visit *v = visit;
	struct event_query q = { .f = { .tenant_id = v->by.tenant_id, .limit = PAGE_ROWS } };
	const struct list_source l = { "events", event_view_fields, sizeof(struct event_view), read_events, &q };
	struct events_page p = { 0 };
	struct err e = { 0 };
	bool good = form_read_query(v->a, v->rq->query, event_query_fields, NULL, &q, &e);

	if (good && list_exported(v, &l, q.f.cursor))
		return;
	good = good && fill_rows(v, &p, &q, &e);
	if (!good && !(v->suffix ? visit_err(v, &e) : traffic_blame(v, &p.page, &e)))
		return;
	traffic_choices(v, "status", statuses, &p.statuses, &p.statuses_n);
	traffic_choices(v, "severity", severities, &p.severities, &p.severities_n);
	p.filter = (struct traffic_filter){ .of_events = true, .clear_url = v->rq->path, .error_field = p.page.error_field };
	if (!traffic_filter_fill(v, &p.filter, q.f.from, q.f.to))
		return;
	page_begin(v, &p.page, "Events", "events");
	PAGE_SEND(v, good ? 200 : 400, tmpl_events, &p);
}

/* ---- one ---- */

/* False: answered. */
static bool find(struct visit *v, struct event_detail *d)
{
	struct err e = { 0 };
	uint64_t id;
	int found;

	if (!visit_id(v, 0, &id))
		return false;
	found = event_view_get(v->by.db, v->a, v->by.tenant_id, id, d, &e);
	return found < 0 ? visit_err(v, &e) : found || visit_not_found(v);
}

void page_event(void *visit)
{
	struct visit *v = visit;
	struct event_detail d;
	struct event_page p = { 0 };

	if (!find(v, &d) || !payload_fill(v, &p.payload, d.request.body))
		return;
	p.event = d.event;
	p.request = d.request;
	p.alert = d.alert;
	p.incident = d.incident;
	p.life = (struct lifecycle){ d.steps, d.steps_n };
	p.attempts = d.attempts;
	p.attempts_n = d.attempts_n;
	p.forward = d.forward;
	p.repeats = d.repeats;
	p.repeats_n = d.repeats_n;
	p.place = d.request.event_count > 1 ? d.event.element + 1 : 0;
	if (d.request.id)
		p.curl = request_view_curl(v->a, str_of(v->by.conf->server.public_url), &d.request);
	traffic_headers(v, d.request.headers, &p.headers);
	page_begin(v, &p.page, arena_cstr(v->a, d.event.summary), "events");
	PAGE_SEND(v, 200, tmpl_event, &p);
}

void page_event_payload(void *visit)
{
	struct visit *v = visit;
	struct event_detail d;

	if (!find(v, &d))
		return;
	if (d.request.id)
		payload_send(v, &d.request);
	else
		visit_not_found(v);
}
