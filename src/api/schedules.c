/* schedules.c - /api/schedules and /api/on-call: who is on call, and when. */
#include "api_int.h"

const struct doc_part schedule_calendar_parts[] = {
	{ "spans", PART_ROWS, FIELDS(schedule_span_view_fields), .help = "Who is on call, without gap: the first to the last" },
	{ 0 }
};

void api_schedule_list(void *call)
{
	struct call *c = call;
	struct schedule_query q = SCHEDULE_QUERY_NEW;
	struct schedule_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_one_tenant(c) || !input_query(c, schedule_query_fields, &q))
		return;
	if (schedule_view_list(c->by.db, c->a, c->by.tenant_id, q.cursor, q.limit, c->by.now, &rows, &n, &next, &e))
		reply_list(c, "schedules", schedule_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

static void reply_schedule(struct call *c, unsigned status, struct str id)
{
	struct oncall_schedule s;
	struct schedule_view v;
	struct err e = { 0 };
	int found = schedule_find(&c->by, id, c->by.now, &s, &e);

	if (found != 1) {
		found ? reply_err(c, &e) : reply_not_found(c);
		return;
	}
	schedule_view_fill(c->a, &s, c->by.now, &v);
	reply_fields(c, status, schedule_view_fields, &v);
}

void api_schedule_get(void *call)
{
	struct call *c = call;

	if (input_one_tenant(c))
		reply_schedule(c, 200, c->match.params[0]);
}

void api_schedule_create(void *call)
{
	struct call *c = call;
	struct schedule_form f = SCHEDULE_FORM_NEW;
	struct oncall_schedule made;
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_form(c, schedule_fields, false, &f))
		return;
	if (!schedule_create(&c->by, &f, &made, &e)) {
		reply_err(c, &e);
		return;
	}
	response_header(c->rq, "Location", arena_printf(c->a, "/api/schedules/%.*s", STR_ARG(made.public_id)));
	reply_schedule(c, 201, made.public_id);
}

struct wish {
	struct arena *a;
	const struct json *body;
};

static bool wish_read(void *ctx, struct schedule_form *f, struct err *e)
{
	const struct wish *w = ctx;

	return form_read_json(w->a, w->body, schedule_fields, FORM_CHANGE, f, e);
}

void api_schedule_update(void *call)
{
	struct call *c = call;
	struct wish wish = { .a = c->a };
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_body(c, false, &wish.body))
		return;
	if (schedule_change(&c->by, c->match.params[0], wish_read, &wish, &e))
		reply_schedule(c, 200, c->match.params[0]);
	else
		reply_err(c, &e);
}

void api_schedule_delete(void *call)
{
	reply_removed(call, schedule_remove);
}

void api_schedule_calendar(void *call)
{
	struct call *c = call;
	struct schedule_calendar_query q = { 0 };
	struct schedule_calendar calendar;
	struct err e = { 0 };
	struct reply r;

	if (!input_one_tenant(c) || !input_query(c, schedule_calendar_query_fields, &q))
		return;
	if (!schedule_calendar_by(&c->by, c->match.params[0], &q, &calendar, &e)) {
		reply_err(c, &e);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, schedule_calendar_fields, &calendar);
	reply_rows(&r, "spans", schedule_span_view_fields, calendar.spans, sizeof(*calendar.spans), calendar.n);
	reply_end(c, &r, 200);
}

void api_schedule_override_create(void *call)
{
	struct call *c = call;
	struct schedule_override_form f = { 0 };
	struct schedule_override_view made;
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_form(c, schedule_override_fields, false, &f))
		return;
	if (schedule_override_create(&c->by, c->match.params[0], &f, &made, &e))
		reply_fields(c, 201, schedule_override_view_fields, &made);
	else
		reply_err(c, &e);
}

void api_schedule_override_delete(void *call)
{
	struct call *c = call;
	struct err e = { 0 };
	uint64_t id;

	if (!input_one_tenant(c) || !input_id(c, 1, &id))
		return;
	if (schedule_override_remove(&c->by, c->match.params[0], id, &e))
		c->rq->response.status = 204;
	else
		reply_err(c, &e);
}

void api_on_call(void *call)
{
	struct call *c = call;
	struct on_call_query q = { 0 };
	struct oncall_view *rows = NULL;
	struct err e = { 0 };
	size_t n;

	if (!input_one_tenant(c) || !input_query(c, on_call_query_fields, &q))
		return;
	if (on_call_by(&c->by, &q, &rows, &n, &e))
		reply_list(c, "onCall", oncall_view_fields, rows, sizeof(*rows), n, 0);
	else
		reply_err(c, &e);
}
