/* status_page.c - /api/status-page: what a tenant shows to everybody. */
#include "api_int.h"

static void reply_page(struct call *c)
{
	struct status_page_view v;
	struct err e = { 0 };

	if (status_page_by(&c->by, &v, &e))
		reply_fields(c, 200, status_page_view_fields, &v);
	else
		reply_err(c, &e);
}

void api_status_page_get(void *call)
{
	struct call *c = call;

	if (input_one_tenant(c))
		reply_page(c);
}

void api_status_page_update(void *call)
{
	struct call *c = call;
	struct status_page_view now;
	const struct json *body;
	struct status_form f;
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_body(c, false, &body))
		return;
	if (!status_page_by(&c->by, &now, &e)) {
		reply_err(c, &e);
		return;
	}
	status_page_to_form(&c->by, &now.page, &f);
	if (form_read_json(c->a, body, status_fields, FORM_CHANGE, &f, &e) && status_page_change(&c->by, &f, &e))
		reply_page(c);
	else
		reply_err(c, &e);
}
