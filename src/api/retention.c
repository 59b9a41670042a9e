/* retention.c - /api/retention: how long things are kept. */
#include "api_int.h"

static void reply_retention(struct call *c)
{
	struct retention_view v;
	struct err e = { 0 };

	if (retention_by(&c->by, &v, &e))
		reply_fields(c, 200, retention_view_fields, &v);
	else
		reply_err(c, &e);
}

void api_retention_get(void *call)
{
	struct call *c = call;

	if (input_one_tenant(c))
		reply_retention(c);
}

void api_retention_update(void *call)
{
	struct call *c = call;
	struct retention_view now;
	struct retention_form f;
	struct err e = { 0 };

	if (!input_one_tenant(c))
		return;
	if (!retention_by(&c->by, &now, &e)) {
		reply_err(c, &e);
		return;
	}
	f.events_days = now.days;
	if (!input_form(c, retention_fields, false, &f))
		return;
	if (retention_change(&c->by, &f, &e))
		reply_retention(c);
	else
		reply_err(c, &e);
}
