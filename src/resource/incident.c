/* incident.c - what can be asked of incidents, and what people do to them. */
#include "grapnel/resource.h"

static const struct form_word status_words[] = {
	{ "OPEN", 1 << INCIDENT_OPEN },
	{ "ACKNOWLEDGED", 1 << INCIDENT_ACKNOWLEDGED },
	{ "RESOLVED", 1 << INCIDENT_RESOLVED },
	{ 0 }
};

static const struct form_word level_words[] = {
	{ "CRITICAL", 1 << LEVEL_CRITICAL },
	{ "HIGH", 1 << LEVEL_HIGH },
	{ "MEDIUM", 1 << LEVEL_MEDIUM },
	{ "LOW", 1 << LEVEL_LOW },
	{ "INFO", 1 << LEVEL_INFO },
	{ 0 }
};

const struct form_field incident_query_fields[] = {
	{ "status", WORDS_AT(struct incident_filter, statuses), .words = status_words,
		.help = "One or more, with commas between" },
	{ "severity", WORDS_AT(struct incident_filter, levels), .words = level_words,
		.help = "One or more, with commas between" },
	{ "provider", TEXT_AT(struct incident_filter, provider), .max = 32,
		.help = "Slug of the provider whose event opened it" },
	{ "source", TEXT_AT(struct incident_filter, source), .max = 23,
		.help = "Id of the integration whose event opened it" },
	{ "serviceId", TEXT_AT(struct incident_filter, service), .max = 23,
		.help = "Id of a service" },
	{ "service", TEXT_AT(struct incident_filter, service), .max = 23,
		.help = "The same as serviceId" },
	{ "assignee", TEXT_AT(struct incident_filter, assignee), .max = 400,
		.help = "User name or id" },
	{ "q", TEXT_AT(struct incident_filter, text), .max = EVENT_TEXT_MAX,
		.help = "Part of the title, or a whole dedup key" },
	{ "text", TEXT_AT(struct incident_filter, text), .max = EVENT_TEXT_MAX,
		.help = "The same as q" },
	{ "from", TIME_AT(struct incident_filter, from), .help = "Opened at or after" },
	{ "to", TIME_AT(struct incident_filter, to), .help = "Opened before" },
	{ "limit", NUMBER_AT(struct incident_filter, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX,
		.help = "Most incidents in the answer" },
	CURSOR_ROW(struct incident_filter, cursor, "incidents"),
	FORM_END
};

const struct form_field incident_note_fields[] = {
	{ "note", TEXT_AT(struct note_form, note), .max = SUMMARY_MAX,
		.help = "Shown in the timeline" },
	FORM_END
};

static const char *const conflicts[] = {
	[COMMAND_ACKNOWLEDGE] = "Only an open incident can be acknowledged; this one is acknowledged or resolved already.",
	[COMMAND_RESOLVE] = "This incident is resolved already.",
	[COMMAND_REOPEN] = "Only a resolved incident can be reopened, and only while no newer one of its key is open.",
};

/* With tenant=all the incident's own tenant is the one that acts. 1, 0, -1. */
static int tenant_of(const struct caller *by, uint64_t id, uint64_t *tenant, struct err *e)
{
	struct incident_detail d;
	int found;

	*tenant = by->tenant_id;
	if (*tenant)
		return 1;
	found = incident_view_get(by->db, by->a, 0, id, &d, e);
	if (found == 1)
		*tenant = d.incident.tenant_id;
	return found;
}

bool incident_command_by(const struct caller *by, uint64_t id, enum incident_command command, struct str note,
	struct err *e)
{
	struct who who;
	uint64_t tenant;
	int done = tenant_of(by, id, &tenant, e);

	if (done == 1) {
		who = caller_who(by, tenant);
		done = incident_act(by->db, by->a, (uint32_t)tenant, id, command, ACTOR_PERSON, &who,
			id_make(by->ids, by->now), note.n ? note : STR_NONE, by->now, e);
	}
	if (!done)
		return err_set(e, ERR_NOT_FOUND, "there is no such incident");
	if (done < 0 && e->code == ERR_CONFLICT)
		return err_tell(e, ERR_CONFLICT, "%s", conflicts[command]);
	return done == 1;
}
