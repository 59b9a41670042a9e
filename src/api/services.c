/* services.c - /api/services: what can break. */
#include "api_int.h"

void api_service_list(void *call)
{
	struct call *c = call;
	struct service_filter f = { .tenant_id = c->by.tenant_id, .limit = LIST_LIMIT_DEFAULT, .now = c->by.now };
	struct service_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_one_tenant(c) || !input_query(c, service_query_fields, &f))
		return;
	if (service_view_list(c->by.db, c->a, &f, &rows, &n, &next, &e))
		reply_list(c, "services", service_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

const struct doc_part service_parts[] = {
	{ "onCall", PART_ROWS, FIELDS(oncall_view_fields), .help = "Who is on call now, of each schedule that its escalation policy names" },
	{ 0 }
};

static void reply_service(struct call *c, unsigned status, struct str id)
{
	struct oncall_view *on_call = NULL;
	struct service_view v;
	struct err e = { 0 };
	struct reply r;
	size_t n = 0;
	int found = service_view_get(c->by.db, c->a, c->by.tenant_id, id, c->by.now, &v, &e);

	if (found == 1 && !oncall_view_of_policy(c->by.db, c->a, c->by.tenant_id, v.policy_id, c->by.now, &on_call, &n, &e))
		found = -1;
	if (found != 1) {
		found ? reply_err(c, &e) : reply_not_found(c);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, service_view_fields, &v);
	reply_rows(&r, "onCall", oncall_view_fields, on_call, sizeof(*on_call), n);
	reply_end(c, &r, status);
}

void api_service_get(void *call)
{
	struct call *c = call;

	if (input_one_tenant(c))
		reply_service(c, 200, c->match.params[0]);
}

void api_service_create(void *call)
{
	struct call *c = call;
	struct service_form f = { 0 };
	struct service made;
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_form(c, service_fields, false, &f))
		return;
	if (!service_create(&c->by, &f, &made, &e)) {
		reply_err(c, &e);
		return;
	}
	response_header(c->rq, "Location", arena_printf(c->a, "/api/services/%.*s", STR_ARG(made.public_id)));
	reply_service(c, 201, made.public_id);
}

struct wish {
	struct arena *a;
	const struct json *body;
};

static bool wish_read(void *ctx, struct service_form *f, struct err *e)
{
	const struct wish *w = ctx;

	return form_read_json(w->a, w->body, service_fields, FORM_CHANGE, f, e);
}

void api_service_update(void *call)
{
	struct call *c = call;
	struct wish wish = { .a = c->a };
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_body(c, false, &wish.body))
		return;
	if (service_change(&c->by, c->match.params[0], wish_read, &wish, &e))
		reply_service(c, 200, c->match.params[0]);
	else
		reply_err(c, &e);
}

void api_service_delete(void *call)
{
	reply_removed(call, service_remove);
}
