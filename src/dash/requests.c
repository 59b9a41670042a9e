/* requests.c - everything that came in, with what became of it: the page an administrator opens when "nothing arrives". */
#include "requests.h"

#include "grapnel/ingest.h"
#include "tmpl.h"

/* ---- the list ---- */

static bool read_requests(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next,
	struct err *e)
{
	struct request_filter f = *(struct request_filter *)query;

	f.cursor = cursor;
	f.limit = limit;
	return request_view_list(v->by.db, v->a, &f, rows_r, n, next, e);
}

static bool fill_chips(struct visit *v, struct requests_page *p, const struct request_filter *f, struct err *e)
{
	struct request_counts c;

	if (!request_view_counts(v->by.db, v->a, f, v->by.now, &c, e))
		return false;
	p->chips[0] = (struct traffic_chip){ query_with(v, "outcome", NULL), STR("All"), c.received, !f->outcomes };
	p->chips[1] = (struct traffic_chip){ query_with(v, "outcome", "accepted"), STR("Accepted"), c.accepted,
		f->outcomes == 1 << REQUEST_ACCEPTED };
	p->chips[2] = (struct traffic_chip){ query_with(v, "outcome", "repeated"), STR("Repeated"), c.repeated,
		f->outcomes == 1 << REQUEST_REPEATED };
	p->chips[3] = (struct traffic_chip){ query_with(v, "outcome", "refused"), STR("Refused"), c.refused,
		f->outcomes == 1 << REQUEST_REFUSED };
	p->chips_n = ARRAY_SIZE(p->chips);
	return true;
}

static bool fill_rows(struct visit *v, struct requests_page *p, const struct request_filter *f, struct err *e)
{
	uint64_t next;

	if (!request_view_list(v->by.db, v->a, f, &p->requests, &p->requests_n, &next, e) ||
		(p->requests_n && !request_view_count(v->by.db, v->a, f, &p->count, e)))
		return false;
	list_nav_fill(v, &p->nav, "requests", f->cursor, next);
	return p->requests_n || traffic_empty_fill(v, &p->empty, "requests", REQUEST_SCAN_MAX, &p->nav, e);
}

void page_requests(void *visit)
{
	struct visit *v = visit;
	struct request_filter f = { .tenant_id = v->by.tenant_id, .limit = PAGE_ROWS };
	const struct list_source l = { "requests", request_view_fields, sizeof(struct request_view), read_requests, &f };
	struct requests_page p = { 0 };
	struct err e = { 0 };
	bool good = form_read_query(v->a, v->rq->query, request_query_fields, NULL, &f, &e);

	if (good && list_exported(v, &l, f.cursor))
		return;
	good = good && fill_chips(v, &p, &f, &e) && fill_rows(v, &p, &f, &e);
	if (!good && !(v->suffix ? visit_err(v, &e) : traffic_blame(v, &p.page, &e)))
		return;
	p.outcome = traffic_typed(v, "outcome");
	p.filter = (struct traffic_filter){ .clear_url = v->rq->path, .error_field = p.page.error_field };
	if (p.outcome.n)
		p.filter.clear_url = arena_printf(v->a, "%.*s?outcome=%.*s", STR_ARG(v->rq->path), STR_ARG(url_encode(v->a, p.outcome)));
	if (!traffic_filter_fill(v, &p.filter, f.from, f.to))
		return;
	page_begin(v, &p.page, "Requests", "requests");
	PAGE_SEND(v, good ? 200 : 400, tmpl_requests, &p);
}

/* ---- one ---- */

static const struct {
	uint64_t status;
	const char *advice;
} advice[] = {
	{ 400, "The body is not what this type of integration takes. Compare it with what the provider documents." },
	{ 401, "Key or signature secret differ here and at the sender. Compare them, or rotate and set the new one there." },
	{ 403, "The integration is switched off, or its list of allowed addresses lacks this one." },
	{ 405, "Let the sender use POST." },
	{ 413, "The body is larger than this type of integration takes." },
	{ 415, "Let the sender name its content type, application/json for JSON." },
	{ 429, "More came than the limit of the integration allows. Raise the limit if the sender is right." },
	{ 500, "It could not be stored. The log of the server says why." },
	{ 503, "It could not be taken at that moment. Senders try again; look at the rate limit and the database." },
};

/* The step of the proof that failed says more than the status. */
static struct str advice_for(const struct request_detail *d)
{
	if (d->proof.why.n)
		return d->proof.why;
	for (size_t i = 0; d->request.outcome_n == REQUEST_REFUSED && i < ARRAY_SIZE(advice); i++)
		if (advice[i].status == d->request.status)
			return str_of(advice[i].advice);
	return STR_NONE;
}

static const char *on_error(const struct request_view *r)
{
	const struct provider *type = provider_find(r->provider);

	return type && r->outcome_n == REQUEST_REFUSED && !r->is_test ? type->on_error : NULL;
}

/* False: answered. */
static bool find(struct visit *v, struct request_detail *d)
{
	struct err e = { 0 };
	uint64_t id;
	int found;

	if (!visit_id(v, 0, &id))
		return false;
	found = request_view_get(v->by.db, v->a, v->by.tenant_id, id, d, &e);
	return found < 0 ? visit_err(v, &e) : found || visit_not_found(v);
}

void page_request(void *visit)
{
	struct visit *v = visit;
	struct request_detail d;
	struct request_page p = { 0 };
	struct err e = { 0 };

	if (!find(v, &d) || !payload_fill(v, &p.payload, d.request.body))
		return;
	if (subscription_view_of_request(v->by.db, v->a, d.request.id, &p.subscription, &e) < 0) {
		visit_err(v, &e);
		return;
	}
	p.request = d.request;
	p.advice = advice_for(&d);
	p.on_error = on_error(&d.request);
	p.life = (struct lifecycle){ d.steps, ARRAY_SIZE(d.steps) };
	p.proof = d.proof;
	p.events = d.events;
	p.events_n = d.events_n;
	p.cut = d.request.outcome_n == REQUEST_REFUSED && d.request.body.n == INGEST_REFUSED_BODY;
	p.curl = request_view_curl(v->a, str_of(v->by.conf->server.public_url), &d.request);
	traffic_headers(v, d.request.headers, &p.headers);
	page_begin(v, &p.page, "Request", "requests");
	PAGE_SEND(v, 200, tmpl_request, &p);
}

void page_request_payload(void *visit)
{
	struct visit *v = visit;
	struct request_detail d;

	if (find(v, &d))
		payload_send(v, &d.request);
}
