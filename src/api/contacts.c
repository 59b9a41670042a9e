/* contacts.c - /api/contacts and /api/quiet-hours: where one is paged, and when not. */
#include "api_int.h"

const struct field quiet_view_fields[] = {
	FIELD_STR(struct quiet_form, from, "from", "Their begin; null = there are none"),
	FIELD_STR(struct quiet_form, to, "to", "Their end"),
	FIELD_STR(struct quiet_form, time_zone, "timeZone", "On the clocks of which zone"),
	FIELD_END
};

/* What was sent too often is the caller's rate. */
static void reply_trouble(struct call *c, const struct err *e)
{
	if (e->code == ERR_LIMIT && e->told)
		reply_refuse(c, 429, "rate_limited", e->text, NULL);
	else
		reply_err(c, e);
}

void api_contact_list(void *call)
{
	struct call *c = call;
	struct contact_query q = CONTACT_QUERY_NEW;
	struct contact_view *rows;
	struct err e = { 0 };
	uint64_t user_row;
	size_t n;

	if (!input_query(c, contact_query_fields, &q))
		return;
	if (contact_owner(&c->by, q.user, &user_row, &e) && contact_view_list(c->by.db, c->a, user_row, c->by.now, &rows, &n, &e))
		reply_list(c, "contacts", contact_view_fields, rows, sizeof(*rows), n < q.limit ? n : q.limit, 0);
	else
		reply_err(c, &e);
}

static void reply_contact(struct call *c, unsigned status, struct str id)
{
	struct contact_view v;
	struct contact found;
	struct err e = { 0 };
	int there = contact_get(c->by.db, c->a, c->by.principal.tenant_id, id, &found, &e);

	if (there != 1) {
		there < 0 ? reply_err(c, &e) : reply_not_found(c);
		return;
	}
	contact_view_fill(&found, c->by.now, &v);
	reply_fields(c, status, contact_view_fields, &v);
}

void api_contact_create(void *call)
{
	struct call *c = call;
	struct contact_form f = { .kind = STR_NONE };
	struct contact made;
	struct err e = { 0 };

	if (!input_form(c, contact_fields, false, &f))
		return;
	if (contact_create(&c->by, &f, &made, &e))
		reply_contact(c, 201, made.public_id);
	else
		reply_trouble(c, &e);
}

void api_contact_code(void *call)
{
	struct call *c = call;
	struct err e = { 0 };

	if (contact_send_code(&c->by, c->match.params[0], &e))
		reply_contact(c, 200, c->match.params[0]);
	else
		reply_trouble(c, &e);
}

void api_contact_verify(void *call)
{
	struct call *c = call;
	struct contact_code_form f = { .code = STR_NONE };
	struct err e = { 0 };

	if (!input_form(c, contact_code_fields, false, &f))
		return;
	if (contact_verify_by(&c->by, c->match.params[0], &f, &e))
		reply_contact(c, 200, c->match.params[0]);
	else
		reply_err(c, &e);
}

void api_contact_delete(void *call)
{
	struct call *c = call;
	struct err e = { 0 };

	if (contact_remove(&c->by, c->match.params[0], &e))
		c->rq->response.status = 204;
	else
		reply_err(c, &e);
}

static void reply_quiet(struct call *c, uint64_t user_row)
{
	struct quiet_form f;
	struct err e = { 0 };

	if (quiet_get(&c->by, user_row, &f, &e))
		reply_fields(c, 200, quiet_view_fields, &f);
	else
		reply_err(c, &e);
}

struct quiet_query {
	struct str user;
};
const struct form_field quiet_query_fields[] = {
	{ "user", TEXT_AT(struct quiet_query, user), .max = 23, .help = "Id of another user, for admins" },
	FORM_END
};

void api_quiet_get(void *call)
{
	struct call *c = call;
	struct quiet_query q = { .user = STR_NONE };
	struct err e = { 0 };
	uint64_t user_row;

	if (!input_query(c, quiet_query_fields, &q))
		return;
	if (contact_owner(&c->by, q.user, &user_row, &e))
		reply_quiet(c, user_row);
	else
		reply_err(c, &e);
}

void api_quiet_set(void *call)
{
	struct call *c = call;
	struct quiet_form f;
	struct err e = { 0 };

	if (!quiet_get(&c->by, c->by.principal.user_id, &f, &e)) {
		reply_err(c, &e);
		return;
	}
	if (!input_form(c, quiet_fields, false, &f))
		return;
	if (quiet_set(&c->by, &f, &e))
		reply_quiet(c, c->by.principal.user_id);
	else
		reply_err(c, &e);
}
