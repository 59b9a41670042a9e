/* endpoints.c - /api/endpoints and /api/deliveries: one's own outbound webhooks, and what was sent to them. */
#include "api_int.h"

struct once {
	struct str secret;
};
const struct field endpoint_once_fields[] = {
	FIELD_STR(struct once, secret, "secret", "The signing secret that was made; shown this once"),
	FIELD_END
};
const struct field endpoint_rotated_fields[] = {
	FIELD_STR(struct once, secret, "secret", "The new signing secret; shown this once"),
	FIELD_END
};

const struct field endpoint_payload_fields[] = {
	FIELD_STR(struct endpoint_delivery_view, payload, "payload", "The body as it is sent, a text; of event.processed it names the event, which is read when it is sent"),
	FIELD_END
};

const struct doc_part endpoint_delivery_parts[] = {
	{ "attemptLog", PART_ROWS, FIELDS(channel_attempt_view_fields), .help = "Each attempt, oldest first" },
	{ 0 }
};

const struct doc_part endpoint_tested_parts[] = {
	{ "delivery", PART_ONE, FIELDS(endpoint_delivery_view_fields), .help = "The delivery" },
	{ "attempt", PART_MAYBE, FIELDS(channel_attempt_view_fields), .help = "What the receiver said; null = nobody has sent it yet" },
	{ 0 }
};

/* False: answered. */
static bool find(struct call *c, struct endpoint_view *out)
{
	struct err e = { 0 };
	int found;

	if (!input_one_tenant(c))
		return false;
	found = endpoint_view_get(c->by.db, c->a, c->by.tenant_id, c->by.principal.user_id, c->match.params[0], c->by.now, out, &e);
	return found == 1 || (found ? reply_err(c, &e) : reply_not_found(c));
}

void api_endpoint_list(void *call)
{
	struct call *c = call;
	struct endpoint_query q = ENDPOINT_QUERY_NEW;
	struct endpoint_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_one_tenant(c) || !input_query(c, endpoint_query_fields, &q))
		return;
	if (endpoint_view_list(c->by.db, c->a, c->by.tenant_id, c->by.principal.user_id, q.cursor, q.limit, c->by.now, &rows, &n, &next, &e))
		reply_list(c, "endpoints", endpoint_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

/* `once`: fields over a struct once, or NULL. */
static void reply_endpoint(struct call *c, unsigned status, struct str id, const struct field *once, struct str secret)
{
	struct endpoint_view v;
	struct err e = { 0 };
	struct reply r;
	int there = endpoint_view_get(c->by.db, c->a, c->by.tenant_id, c->by.principal.user_id, id, c->by.now, &v, &e);

	if (there != 1) {
		there < 0 ? reply_err(c, &e) : reply_not_found(c);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, endpoint_view_fields, &v);
	if (once)
		json_fields(&r.o, once, &(struct once){ secret });
	reply_end(c, &r, status);
}

void api_endpoint_get(void *call)
{
	struct call *c = call;

	if (input_one_tenant(c))
		reply_endpoint(c, 200, c->match.params[0], NULL, STR_NONE);
}

void api_endpoint_create(void *call)
{
	struct call *c = call;
	struct endpoint_form f = ENDPOINT_FORM_NEW;
	struct endpoint made;
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_form(c, endpoint_fields, false, &f))
		return;
	if (!endpoint_create(&c->by, &f, &made, &e)) {
		reply_err(c, &e);
		return;
	}
	response_header(c->rq, "Location", arena_printf(c->a, "/api/endpoints/%.*s", STR_ARG(made.public_id)));
	reply_endpoint(c, 201, made.public_id, f.made_secret ? endpoint_once_fields : NULL, f.secret);
}

struct wish {
	struct arena *a;
	const struct json *body;
};

static bool wish_read(void *ctx, struct endpoint_form *f, struct err *e)
{
	const struct wish *w = ctx;

	return form_read_json(w->a, w->body, endpoint_fields, FORM_CHANGE, f, e);
}

void api_endpoint_update(void *call)
{
	struct call *c = call;
	struct wish wish = { .a = c->a };
	struct endpoint_form f;
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_body(c, false, &wish.body))
		return;
	if (endpoint_change(&c->by, c->match.params[0], wish_read, &wish, &f, &e))
		reply_endpoint(c, 200, c->match.params[0], NULL, STR_NONE);
	else
		reply_err(c, &e);
}

void api_endpoint_delete(void *call)
{
	reply_removed(call, endpoint_remove);
}

void api_endpoint_rotate_secret(void *call)
{
	struct call *c = call;
	struct endpoint_rotate_form f = ENDPOINT_ROTATE_NEW;
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_form(c, endpoint_rotate_fields, true, &f))
		return;
	if (endpoint_rotate_secret(&c->by, c->match.params[0], &f, &e))
		reply_endpoint(c, 200, c->match.params[0], endpoint_rotated_fields, f.secret);
	else
		reply_err(c, &e);
}

void api_endpoint_test(void *call)
{
	struct call *c = call;
	struct endpoint_tested t;
	struct err e = { 0 };
	struct reply r;

	if (!input_one_tenant(c))
		return;
	if (!endpoint_test(&c->by, c->match.params[0], &t, &e)) {
		reply_err(c, &e);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, endpoint_tested_fields, &t);
	reply_object(&r, "delivery", endpoint_delivery_view_fields, &t.delivery);
	reply_object(&r, "attempt", channel_attempt_view_fields, t.attempt.attempt ? &t.attempt : NULL);
	reply_end(c, &r, 200);
}

void api_endpoint_delivery_list(void *call)
{
	struct call *c = call;
	struct sent_filter q = SENT_QUERY_NEW;
	struct endpoint_delivery_view *rows;
	struct endpoint_view ep;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!find(c, &ep) || !input_query(c, endpoint_delivery_query_fields, &q))
		return;
	q.target_row = ep.row;
	if (endpoint_delivery_view_list(c->by.db, c->a, &q, &rows, &n, &next, &e))
		reply_list(c, "deliveries", endpoint_delivery_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

static void reply_delivery(struct call *c, unsigned status, const struct endpoint_delivery_view *v)
{
	struct channel_attempt_view *attempts;
	struct err e = { 0 };
	struct reply r;
	size_t n;

	if (!channel_attempt_view_list(c->by.db, c->a, v->id, &attempts, &n, &e)) {
		reply_err(c, &e);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, endpoint_delivery_view_fields, v);
	json_fields(&r.o, endpoint_payload_fields, v);
	reply_rows(&r, "attemptLog", channel_attempt_view_fields, attempts, sizeof(*attempts), n);
	reply_end(c, &r, status);
}

void api_endpoint_delivery_get(void *call)
{
	struct call *c = call;
	struct endpoint_delivery_view v;
	struct err e = { 0 };
	uint64_t id;
	int found;

	if (!input_one_tenant(c) || !input_id(c, 0, &id))
		return;
	found = endpoint_delivery_view_get(c->by.db, c->a, c->by.tenant_id, c->by.principal.user_id, id, &v, &e);
	if (found == 1)
		reply_delivery(c, 200, &v);
	else
		found ? reply_err(c, &e) : reply_not_found(c);
}

void api_endpoint_redeliver(void *call)
{
	struct call *c = call;
	struct endpoint_delivery_view v;
	struct err e = { 0 };
	uint64_t id;

	if (!input_one_tenant(c) || !input_id(c, 0, &id))
		return;
	if (delivery_redeliver(&c->by, id, &v, &e))
		reply_delivery(c, 202, &v);
	else
		reply_err(c, &e);
}
