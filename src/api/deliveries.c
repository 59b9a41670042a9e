/* deliveries.c - /api/integrations/:id/deliveries. */
#include "api_int.h"

struct page_query {
	uint64_t limit, cursor;
};

const struct form_field delivery_query_fields[] = {
	{ "limit", NUMBER_AT(struct page_query, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX,
		.help = "Most deliveries in the answer" },
	CURSOR_ROW(struct page_query, cursor, "deliveries"),
	FORM_END
};

void api_delivery_list(void *call)
{
	struct call *c = call;
	struct page_query q = { .limit = LIST_LIMIT_DEFAULT };
	struct delivery_view *rows;
	struct source source;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_one_tenant(c) || !input_query(c, delivery_query_fields, &q) ||
		!input_source(c, 0, &source))
		return;
	if (delivery_view_list(c->by.db, c->a, source.id, q.cursor, q.limit, &rows, &n, &next,
		&e))
		reply_list(c, "deliveries", delivery_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}
