/* endpoints.c - programs of users hear all of an incident that their filters name, but while it is held back. */
#include "notify_int.h"

bool endpoints_hear(struct hearing *h, struct err *e)
{
	const struct incident_view *v = h->incident;
	const struct endpoint_news news = { .tenant_id = v->tenant_id, .cause_id = v->id, .event = h->type, .traceparent = h->news->traceparent,
		.summary = arena_printf(h->a, "[%s] %.*s", level_word((enum level)v->level_n), STR_ARG(v->title)),
		.body = endpoint_body(h->a, h->type, h->news->entry.id, h->data, h->now) };
	size_t told = 0;

	if (h->quiet)
		return true;
	if (!endpoints_tell(h->db, h->a, h->ids, &news, h->now, &told, e))
		return false;
	h->told += told;
	return true;
}
