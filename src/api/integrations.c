/* integrations.c - /api/integrations: what people set up for a provider to post to. */
#include "api_int.h"

/* ---- answers ---- */

static void fill_view(struct call *c, const struct source *s, struct integration_view *v)
{
	integration_view_fill(c->a, s, str_of(c->by.conf->server.public_url), v);
}

/* What is shown this once; p NULL is null. */
struct shown_once {
	struct str key, secret, handler_secret;
};

#define SECRET_FIELD FIELD_STR(struct shown_once, secret, "signatureSecret", "What senders sign with; shown this once")

#define HANDLER_SECRET_FIELD FIELD_STR(struct shown_once, handler_secret, "handlerSecret", \
	"What events are signed with for the handler, where one had to be made; shown this once")

const struct field integration_once_fields[] = {
	FIELD_STR(struct shown_once, key, "key", "For senders that cannot sign; shown this once"),
	SECRET_FIELD,
	HANDLER_SECRET_FIELD,
	FIELD_END
};

const struct field integration_secret_fields[] = {
	SECRET_FIELD,
	HANDLER_SECRET_FIELD,
	FIELD_END
};

const struct field integration_received_fields[] = {
	SECRET_FIELD,
	FIELD_END
};

static void reply_integration(struct call *c, unsigned status, const struct source *s, const struct field *once_fields,
	const struct shown_once *once)
{
	struct integration_view v;
	struct reply r;

	fill_view(c, s, &v);
	reply_begin(c, &r);
	json_fields(&r.o, integration_view_fields, &v);
	if (once_fields)
		json_fields(&r.o, once_fields, once);
	reply_end(c, &r, status);
}

/* ---- handlers ---- */

void api_integration_list(void *call)
{
	struct call *c = call;
	struct integration_query q = INTEGRATION_QUERY_NEW;
	struct integration_view *views;
	struct source *rows;
	struct err e = { 0 };
	uint64_t next = 0;
	size_t n;

	if (!input_one_tenant(c) || !input_query(c, integration_query_fields, &q))
		return;
	if (!integration_query_list(&c->by, &q, &rows, &n, &next, &e)) {
		reply_err(c, &e);
		return;
	}
	views = ARENA_ARRAY(c->a, struct integration_view, n + 1);
	for (size_t i = 0; i < n; i++)
		fill_view(c, &rows[i], &views[i]);
	reply_list(c, "integrations", integration_view_fields, views, sizeof(*views), n, next);
}

void api_integration_get(void *call)
{
	struct call *c = call;
	struct source s;

	if (input_one_tenant(c) && input_source(c, 0, &s))
		reply_integration(c, 200, &s, NULL, NULL);
}

void api_integration_create(void *call)
{
	struct call *c = call;
	struct integration_form f = INTEGRATION_FORM_NEW;
	struct source made = { 0 };
	struct str key = STR("");
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_form(c, integration_fields, false, &f))
		return;
	if (!integration_create(&c->by, &f, &made, &key, &e)) {
		reply_err(c, &e);
		return;
	}
	response_header(c->rq, "Location",
		arena_printf(c->a, "/api/integrations/%.*s", STR_ARG(made.public_id)));
	reply_integration(c, 201, &made, integration_once_fields,
		&(struct shown_once){ key, f.secret.n ? f.secret : STR_NONE, f.made_handler_secret ? f.handler_secret : STR_NONE });
}

struct wish {
	struct arena *a;
	const struct json *body;
};

static bool wish_read(void *ctx, struct integration_form *f, struct err *e)
{
	const struct wish *w = ctx;

	return form_read_json(w->a, w->body, integration_fields, FORM_CHANGE, f, e);
}

void api_integration_update(void *call)
{
	struct call *c = call;
	struct wish wish = { .a = c->a };
	struct integration_form f;
	struct err e = { 0 };
	struct source s;

	if (!input_one_tenant(c) || !input_source(c, 0, &s) || !input_body(c, false, &wish.body))
		return;
	if (integration_change(&c->by, s.public_id, wish_read, &wish, &f, &s, &e))
		reply_integration(c, 200, &s, f.make_secret || f.made_handler_secret ? integration_secret_fields : NULL,
			&(struct shown_once){ .secret = f.make_secret ? f.secret : STR_NONE,
				.handler_secret = f.made_handler_secret ? f.handler_secret : STR_NONE });
	else
		reply_err(c, &e);
}

void api_integration_delete(void *call)
{
	reply_removed(call, integration_remove);
}

void api_integration_received_secret(void *call)
{
	struct call *c = call;
	struct shown_once once = { .key = STR_NONE };
	struct err e = { 0 };
	struct reply r;

	if (!input_one_tenant(c))
		return;
	if (!integration_received_secret(&c->by, c->match.params[0], &once.secret, &e)) {
		reply_err(c, &e);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, integration_received_fields, &once);
	reply_end(c, &r, 200);
}
