/* channels.c - an incident's service has channels, and its tenant has some that are told of all incidents: each hears what it can do something about.
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

bool channels_hear(struct hearing *h, struct err *e)
{
	const struct incident_view *v = h->incident;
	const struct notice notice = { .tenant_id = v->tenant_id, .event = CHANNEL_INCIDENT, .level = (enum level)v->level_n, .cause_id = v->id,
		.service_id = v->service_row, .type = h->type, .data = h->data, .traceparent = h->news->traceparent };
	size_t told = 0;

	if (h->quiet || !is_told((unsigned)h->news->entry.kind_n, (enum incident_status)v->status_n))
		return true;
	if (!channels_tell(h->db, h->a, h->ids, &notice, h->now, &told, e))
		return false;
	h->told += told;
	return true;
}
