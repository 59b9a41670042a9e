/* policies.c - /api/escalation-policies: who is paged while nobody takes care. */
#include "api_int.h"

void api_policy_list(void *call)
{
	struct call *c = call;
	struct policy_query q = POLICY_QUERY_NEW;
	struct policy_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_one_tenant(c) || !input_query(c, policy_query_fields, &q))
		return;
	if (policy_view_list(c->by.db, c->a, c->by.tenant_id, q.cursor, q.limit, &rows, &n, &next, &e))
		reply_list(c, "policies", policy_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

static void reply_policy(struct call *c, unsigned status, struct str id)
{
	struct policy_view *v;
	struct policy p;
	struct err e = { 0 };
	int found = policy_find(&c->by, id, &p, &e);

	if (found == 1 && policy_view_fill(c->by.db, c->a, c->by.tenant_id, &p, 1, &v, &e))
		reply_fields(c, status, policy_view_fields, v);
	else
		found ? reply_err(c, &e) : reply_not_found(c);
}

void api_policy_get(void *call)
{
	struct call *c = call;

	if (input_one_tenant(c))
		reply_policy(c, 200, c->match.params[0]);
}

void api_policy_create(void *call)
{
	struct call *c = call;
	struct policy_form f = { 0 };
	struct policy made;
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_form(c, policy_fields, false, &f))
		return;
	if (!policy_create(&c->by, &f, &made, &e)) {
		reply_err(c, &e);
		return;
	}
	response_header(c->rq, "Location", arena_printf(c->a, "/api/escalation-policies/%.*s", STR_ARG(made.public_id)));
	reply_policy(c, 201, made.public_id);
}

struct wish {
	struct arena *a;
	const struct json *body;
};

static bool wish_read(void *ctx, struct policy_form *f, struct err *e)
{
	const struct wish *w = ctx;

	return form_read_json(w->a, w->body, policy_fields, FORM_CHANGE, f, e);
}

void api_policy_update(void *call)
{
	struct call *c = call;
	struct wish wish = { .a = c->a };
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_body(c, false, &wish.body))
		return;
	if (policy_change(&c->by, c->match.params[0], wish_read, &wish, &e))
		reply_policy(c, 200, c->match.params[0]);
	else
		reply_err(c, &e);
}

void api_policy_delete(void *call)
{
	reply_removed(call, policy_remove);
}
