/* users.c - /api/users: people. */
#include "api_int.h"

void api_user_list(void *call)
{
	struct call *c = call;
	struct user_filter f = { .tenant_id = c->by.tenant_id, .limit = LIST_LIMIT_DEFAULT };
	struct user_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_query(c, user_query_fields, &f))
		return;
	if (user_view_list(c->by.db, c->a, &f, &rows, &n, &next, &e))
		reply_list(c, "users", user_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

static void reply_user(struct call *c, unsigned status, const struct user *u)
{
	struct user_view v;

	user_view_fill(u, &v);
	reply_fields(c, status, user_view_fields, &v);
}

void api_user_get(void *call)
{
	struct call *c = call;
	struct user u = { 0 };
	struct err e = { 0 };
	int found = user_find(&c->by, c->match.params[0], &u, &e);

	if (found == 1)
		reply_user(c, 200, &u);
	else
		found < 0 ? reply_err(c, &e) : reply_not_found(c);
}

void api_user_create(void *call)
{
	struct call *c = call;
	struct user_form f = USER_FORM_NEW;
	struct user made = { 0 };
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_form(c, user_fields, false, &f))
		return;
	if (!user_create(&c->by, &f, &made, &e)) {
		reply_err(c, &e);
		return;
	}
	response_header(c->rq, "Location", arena_printf(c->a, "/api/users/%.*s", STR_ARG(made.public_id)));
	reply_user(c, 201, &made);
}

struct wish {
	struct arena *a;
	const struct json *body;
};

static bool wish_read(void *ctx, struct user_form *f, struct err *e)
{
	const struct wish *w = ctx;

	return form_read_json(w->a, w->body, user_fields, FORM_CHANGE, f, e);
}

void api_user_update(void *call)
{
	struct call *c = call;
	struct wish wish = { .a = c->a };
	struct user_form f;
	struct err e = { 0 };
	struct user u = { 0 };

	if (!input_body(c, false, &wish.body))
		return;
	if (user_change(&c->by, c->match.params[0], wish_read, &wish, &f, &u, &e))
		reply_user(c, 200, &u);
	else
		reply_err(c, &e);
}

void api_user_delete(void *call)
{
	struct call *c = call;
	struct err e = { 0 };

	if (user_remove(&c->by, c->match.params[0], &e))
		c->rq->response.status = 204;
	else
		reply_err(c, &e);
}
