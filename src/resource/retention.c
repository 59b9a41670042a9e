/* retention.c - how long things are kept: of processed events each tenant may say it, of the rest the configuration does. What a single
 * integration says for itself is in its own form. */
#include "grapnel/resource.h"

const struct form_field retention_fields[] = {
	{ "eventsDays", NUMBER_AT(struct retention_form, events_days), FORM_NULL, 1, RETENTION_MAX,
		.help = "Days that processed events of this tenant are kept, with their requests and alerts; null = as the configuration says" },
	FORM_END
};

const struct field retention_view_fields[] = {
	FIELD_JSON(struct retention_view, events_days, "eventsDays", "What the tenant says; null = nothing"),
	FIELD_U64(struct retention_view, in_force, "eventsDaysInForce",
		"Days that processed events are kept, where their integration says nothing else"),
	FIELD_U64(struct retention_view, refused_bodies_days, "refusedBodiesDays", "Days that the bodies of refused requests are kept"),
	FIELD_U64(struct retention_view, incidents_days, "incidentsDays", "Days that an incident is kept after it was resolved"),
	FIELD_U64(struct retention_view, audit_days, "auditDays", "Days after which audit entries move to the archive"),
	FIELD_BOOL(struct retention_view, archives, "archives", "There is a folder for archives: audit entries move there"),
	FIELD_BOOL(struct retention_view, archives_events, "archivesEvents", "Events, requests, alerts and incidents go there, too"),
	FIELD_END
};

bool retention_by(const struct caller *by, struct retention_view *out, struct err *e)
{
	const struct conf *c = by->conf;
	uint64_t days;

	if (!tenant_retention(by->db, by->a, by->tenant_id, &days, e))
		return false;
	*out = (struct retention_view){
		.days = days,
		.events_days = days ? arena_printf(by->a, "%llu", (unsigned long long)days) : STR_NONE,
		.configured = c->retention.events_days,
		.in_force = days ? days : c->retention.events_days,
		.refused_bodies_days = c->retention.refused_bodies_days,
		.incidents_days = c->retention.incidents_days,
		.audit_days = c->retention.audit_days,
		.archives = c->retention.archive_dir[0],
		.archives_events = c->retention.archive_dir[0] && c->retention.archive_events,
	};
	return true;
}

bool retention_change(const struct caller *by, const struct retention_form *f, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);

	return tenant_retention_set(by->db, by->a, by->tenant_id, f->events_days, &who, by->now, e);
}
