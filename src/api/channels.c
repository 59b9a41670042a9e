/* channels.c - /api/channels: where people and programs are told of things. */
#include "api_int.h"

struct once {
	struct str secret;
};
const struct field channel_once_fields[] = {
	FIELD_STR(struct once, secret, "secret", "The signing secret that was made; shown this once"),
	FIELD_END
};

const struct doc_part channel_delivery_parts[] = {
	{ "attemptLog", PART_ROWS, FIELDS(channel_attempt_view_fields), .help = "Each attempt, oldest first" },
	{ 0 }
};

const struct doc_part channel_tested_parts[] = {
	{ "delivery", PART_ONE, FIELDS(channel_delivery_view_fields), .help = "The message" },
	{ "attempt", PART_MAYBE, FIELDS(channel_attempt_view_fields), .help = "What the receiver said; null = nobody has sent it yet" },
	{ 0 }
};

/* False: answered. */
static bool find(struct call *c, struct channel *out)
{
	struct err e = { 0 };
	int found;

	if (!input_one_tenant(c))
		return false;
	found = channel_find(&c->by, c->match.params[0], out, &e);
	return found == 1 || (found ? reply_err(c, &e) : reply_not_found(c));
}

void api_channel_list(void *call)
{
	struct call *c = call;
	struct channel_query q = CHANNEL_QUERY_NEW;
	struct channel_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_one_tenant(c) || !input_query(c, channel_query_fields, &q))
		return;
	if (channel_view_list(c->by.db, c->a, c->by.tenant_id, q.cursor, q.limit, &rows, &n, &next, &e))
		reply_list(c, "channels", channel_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

static void reply_channel(struct call *c, unsigned status, struct str id, const struct channel_form *f)
{
	struct channel_view v;
	struct channel found;
	struct err e = { 0 };
	struct reply r;
	int there = channel_find(&c->by, id, &found, &e);

	if (there != 1) {
		there < 0 ? reply_err(c, &e) : reply_not_found(c);
		return;
	}
	channel_view_fill(c->a, &found, &v);
	reply_begin(c, &r);
	json_fields(&r.o, channel_view_fields, &v);
	if (f && f->made_secret)
		json_fields(&r.o, channel_once_fields, &(struct once){ f->secret });
	reply_end(c, &r, status);
}

void api_channel_get(void *call)
{
	struct call *c = call;
	struct channel found;

	if (find(c, &found))
		reply_channel(c, 200, found.public_id, NULL);
}

void api_channel_create(void *call)
{
	struct call *c = call;
	struct channel_form f = CHANNEL_FORM_NEW;
	struct channel made;
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_form(c, channel_fields, false, &f))
		return;
	if (!channel_create(&c->by, &f, &made, &e)) {
		reply_err(c, &e);
		return;
	}
	response_header(c->rq, "Location", arena_printf(c->a, "/api/channels/%.*s", STR_ARG(made.public_id)));
	reply_channel(c, 201, made.public_id, &f);
}

struct wish {
	struct arena *a;
	const struct json *body;
};

static bool wish_read(void *ctx, struct channel_form *f, struct err *e)
{
	const struct wish *w = ctx;

	return form_read_json(w->a, w->body, channel_fields, FORM_CHANGE, f, e);
}

void api_channel_update(void *call)
{
	struct call *c = call;
	struct wish wish = { .a = c->a };
	struct channel_form f;
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_body(c, false, &wish.body))
		return;
	if (channel_change(&c->by, c->match.params[0], wish_read, &wish, &f, &e))
		reply_channel(c, 200, c->match.params[0], &f);
	else
		reply_err(c, &e);
}

void api_channel_delete(void *call)
{
	reply_removed(call, channel_remove);
}

void api_channel_test(void *call)
{
	struct call *c = call;
	struct channel_tested t;
	struct err e = { 0 };
	struct reply r;

	if (!input_one_tenant(c))
		return;
	if (!channel_test(&c->by, c->match.params[0], &t, &e)) {
		reply_err(c, &e);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, channel_tested_fields, &t);
	reply_object(&r, "delivery", channel_delivery_view_fields, &t.delivery);
	reply_object(&r, "attempt", channel_attempt_view_fields, t.attempt.attempt ? &t.attempt : NULL);
	reply_end(c, &r, 200);
}

void api_channel_delivery_list(void *call)
{
	struct call *c = call;
	struct sent_filter q = SENT_QUERY_NEW;
	struct channel_delivery_view *rows;
	struct channel channel;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!find(c, &channel) || !input_query(c, channel_delivery_query_fields, &q))
		return;
	q.target_row = channel.id;
	if (channel_delivery_view_list(c->by.db, c->a, &q, &rows, &n, &next, &e))
		reply_list(c, "deliveries", channel_delivery_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

void api_channel_delivery_get(void *call)
{
	struct call *c = call;
	struct channel_attempt_view *attempts;
	struct channel_delivery_view v;
	struct channel channel;
	struct err e = { 0 };
	struct reply r;
	uint64_t id;
	size_t n;
	int found;

	if (!find(c, &channel) || !input_id(c, 1, &id))
		return;
	found = channel_delivery_view_get(c->by.db, c->a, channel.id, id, &v, &e);
	if (found == 1 && !channel_attempt_view_list(c->by.db, c->a, id, &attempts, &n, &e))
		found = -1;
	if (found != 1) {
		found ? reply_err(c, &e) : reply_not_found(c);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, channel_delivery_view_fields, &v);
	reply_rows(&r, "attemptLog", channel_attempt_view_fields, attempts, sizeof(*attempts), n);
	reply_end(c, &r, 200);
}
