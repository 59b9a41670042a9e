/* webhooks.c - /api/webhooks: one's own outbound webhook, with the names and errors that its clients know. */
#include "api_int.h"

struct done {
	struct str message;
};
const struct field webhook_done_fields[] = {
	FIELD_STR(struct done, message, "message", "What was done, a sentence"),
	FIELD_END
};

struct history {
	struct str user_id;
	uint64_t count, max_records;
};
const struct field webhook_history_fields[] = {
	FIELD_STR(struct history, user_id, "user_id", "Whose they are"),
	FIELD_U64(struct history, count, "count", "How many these are"),
	FIELD_U64(struct history, max_records, "max_records", "How many are shown at most"),
	FIELD_END
};
const struct doc_part webhook_history_parts[] = {
	{ "deliveries", PART_ROWS, FIELDS(webhook_delivery_view_fields), .help = "The newest ones, the oldest of them first" },
	{ 0 }
};

/* The URL that is to blame, as it was given. */
static void reply_bad_url(struct call *c, struct str url, const struct err *e)
{
	struct reply r;

	reply_begin(c, &r);
	json_key(&r.o, "error");
	json_strz(&r.o, "invalid_webhook_url");
	json_key(&r.o, "message");
	json_strz(&r.o, err_told(c->a, e));
	json_key(&r.o, "url");
	json_str(&r.o, url);
	reply_end(c, &r, 400);
}

void api_webhook_get(void *call)
{
	struct call *c = call;
	struct webhook w;
	struct err e = { 0 };

	if (!input_one_tenant(c))
		return;
	if (webhook_get(&c->by, &w, &e))
		reply_fields(c, 200, webhook_view_fields, &w);
	else
		reply_err(c, &e);
}

void api_webhook_put(void *call)
{
	struct call *c = call;
	struct webhook_form f = { 0 };
	const struct json *body;
	struct err e = { 0 };
	struct webhook w;
	bool replaced;

	if (!input_one_tenant(c) || !input_body(c, false, &body))
		return;
	if (form_read_json(c->a, body, webhook_fields, FORM_NEW, &f, &e) && webhook_put(&c->by, &f, &w, &replaced, &e))
		reply_fields(c, replaced ? 200 : 201, webhook_view_fields, &w);
	else if (e.code == ERR_INVALID && !strcmp(e.field, "url") && json_is(json_get(body, "url"), JSON_STRING))
		reply_bad_url(c, json_text(json_get(body, "url")), &e);
	else
		reply_err(c, &e);
}

void api_webhook_delete(void *call)
{
	struct call *c = call;
	struct err e = { 0 };

	if (!input_one_tenant(c))
		return;
	if (webhook_remove(&c->by, &e))
		reply_fields(c, 200, webhook_done_fields, &(struct done){ STR("The webhook is deleted.") });
	else if (e.code == ERR_NOT_FOUND)
		reply_refuse(c, 404, "webhook_not_found", "There is no webhook.", NULL);
	else
		reply_err(c, &e);
}

void api_webhook_history(void *call)
{
	struct call *c = call;
	struct history h = { .user_id = c->by.principal.user_public_id, .max_records = c->by.conf->outbound.max_deliveries };
	struct endpoint_delivery_view *rows;
	struct err e = { 0 };
	struct reply r;
	size_t n;

	if (!input_one_tenant(c))
		return;
	if (!endpoint_delivery_view_history(c->by.db, c->a, c->by.tenant_id, c->by.principal.user_id, h.max_records, &rows, &n, &e)) {
		reply_err(c, &e);
		return;
	}
	h.count = n;
	reply_begin(c, &r);
	json_fields(&r.o, webhook_history_fields, &h);
	reply_rows(&r, "deliveries", webhook_delivery_view_fields, rows, sizeof(*rows), n);
	reply_end(c, &r, 200);
}
