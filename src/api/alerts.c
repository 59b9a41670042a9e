/* alerts.c - /api/alerts. */
#include "api_int.h"

void api_alert_list(void *call)
{
	struct call *c = call;
	struct alert_filter f = { .tenant_id = c->by.tenant_id, .limit = LIST_LIMIT_DEFAULT };
	struct alert_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_query(c, alert_query_fields, &f))
		return;
	if (alert_view_list(c->by.db, c->a, &f, &rows, &n, &next, &e))
		reply_list(c, "alerts", alert_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}
