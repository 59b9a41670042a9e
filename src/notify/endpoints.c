/* endpoints.c - programs of users hear all of an incident that their filters name, but while it is held back. */
#include "notify_int.h"

static struct endpoint_news news_of(const struct hearing *h)
{
	const struct incident_view *v = h->incident;

	return (struct endpoint_news){ .tenant_id = v->tenant_id, .cause_id = v->id, .event = h->type, .traceparent = h->news->traceparent,
		.summary = arena_printf(h->a, "[%s] %.*s", level_word((enum level)v->level_n), STR_ARG(v->title)),
		.body = endpoint_body(h->a, h->type, h->news->entry.id, h->data, h->now) };
}

bool endpoints_hear(struct hearing *list, size_t n, size_t *told, struct err *e)
{
	struct endpoint_news *news;
	size_t news_n = 0, rows = 0;

	if (!n)
		return true;
	news = ARENA_ARRAY(list->a, struct endpoint_news, n);
	for (const struct hearing *h = list; h < list + n; h++)
		if (!h->quiet)
			news[news_n++] = news_of(h);
	if (!endpoints_tell(list->db, list->a, list->ids, news, news_n, list->now, &rows, e))
		return false;
	*told += rows;
	return true;
}
