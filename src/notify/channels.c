/* channels.c - an incident's service has channels, and its tenant has some that are told of all incidents: each hears what it can do something about.
 * A channel that a step of an escalation policy told, and nothing else would, hears as well that somebody takes care or that it is over: else an alert of
 * PagerDuty would stay open.
 *
 * That somebody was given the incident, wrote a note or snoozed it is for those who look at its page. */
#include "notify_int.h"

static bool is_told(unsigned kind, enum incident_status status)
{
	switch (kind) {
	case TIMELINE_OPENED:
	case TIMELINE_RELEASED:
	case TIMELINE_RAISED:
	case TIMELINE_ACKNOWLEDGED:
	case TIMELINE_RESOLVED:
	case TIMELINE_REOPENED:
		return true;
	case TIMELINE_MERGED:
		return status == INCIDENT_RESOLVED;	/* of the other, which goes on, nothing is to be told */
	default:
		return false;
	}
}

static bool follows(unsigned kind)
{
	return kind == TIMELINE_ACKNOWLEDGED || kind == TIMELINE_RESOLVED || kind == TIMELINE_MERGED;
}

static struct notice notice_of(const struct hearing *h)
{
	const struct incident_view *v = h->incident;

	return (struct notice){ .tenant_id = v->tenant_id, .event = CHANNEL_INCIDENT, .level = (enum level)v->level_n, .cause_id = v->id,
		.service_id = v->service_row, .follows = follows((unsigned)h->news->entry.kind_n), .type = h->type, .data = h->data, .traceparent = h->news->traceparent };
}

bool channels_hear(struct hearing *list, size_t n, size_t *told, struct err *e)
{
	struct notice *notices;
	size_t notice_n = 0, rows = 0;

	if (!n)
		return true;
	notices = ARENA_ARRAY(list->a, struct notice, n);
	for (const struct hearing *h = list; h < list + n; h++)
		if (!h->quiet && is_told((unsigned)h->news->entry.kind_n, (enum incident_status)h->incident->status_n))
			notices[notice_n++] = notice_of(h);
	if (!channels_tell(list->db, list->a, list->ids, notices, notice_n, list->now, &rows, e))
		return false;
	*told += rows;
	return true;
}
