/* audit.c - /api/audit: who changed what. */
#include "api_int.h"

void api_audit_list(void *call)
{
	struct call *c = call;
	struct audit_filter f = { .tenant_id = c->by.tenant_id, .limit = LIST_LIMIT_DEFAULT };
	struct audit_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_query(c, audit_query_fields, &f))
		return;
	if (audit_view_list(c->by.db, c->a, &f, &rows, &n, &next, &e))
		reply_list(c, "audit", audit_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}
