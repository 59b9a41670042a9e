/* incidents.c - /api/incidents. */
#include "api_int.h"

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
	{ "cursor", NUMBER_AT(struct incident_filter, cursor), 0, 1, INT64_MAX,
		.help = "`next` of the page before" },
	FORM_END
};

void api_incident_list(void *call)
{
	struct call *c = call;
	struct incident_filter f = { .tenant_id = c->tenant_id, .limit = LIST_LIMIT_DEFAULT };
	struct incident_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_query(c, incident_query_fields, &f))
		return;
	if (incident_view_list(c->api->c.db, c->a, &f, &rows, &n, &next, &e))
		reply_list(c, "incidents", incident_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

static void reply_incident(struct call *c, uint64_t id)
{
	struct incident_detail d;
	struct err e = { 0 };
	struct reply r;
	int found = incident_view_get(c->api->c.db, c->a, c->tenant_id, id, &d, &e);

	if (found != 1) {
		found < 0 ? reply_err(c, &e) : reply_not_found(c);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, incident_view_fields, &d.incident);
	reply_rows(&r, "timeline", timeline_view_fields, d.timeline, sizeof(*d.timeline),
		d.timeline_n);
	reply_rows(&r, "alerts", alert_view_fields, d.alerts, sizeof(*d.alerts), d.alert_n);
	reply_end(c, &r, 200);
}

void api_incident_get(void *call)
{
	struct call *c = call;
	uint64_t id;

	if (input_id(c, 0, &id))
		reply_incident(c, id);
}

struct note_form {
	struct str note;
};

const struct form_field incident_note_fields[] = {
	{ "note", TEXT_AT(struct note_form, note), .max = SUMMARY_MAX,
		.help = "Shown in the timeline" },
	FORM_END
};

/* With tenant=all the incident's own tenant is the one that acts. */
static int act(struct call *c, uint64_t id, enum incident_command command, struct str note,
	struct err *e)
{
	struct incident_detail d;
	struct who who;
	uint64_t tenant = c->tenant_id;

	if (!tenant) {
		int found = incident_view_get(c->api->c.db, c->a, 0, id, &d, e);

		if (found != 1)
			return found;
		tenant = d.incident.tenant_id;
	}
	who = account_who(&c->principal, tenant, c->rq->remote_addr);
	return incident_act(c->api->c.db, c->a, (uint32_t)tenant, id, command, ACTOR_PERSON, &who,
		id_make(c->api->c.ids, c->now), note, c->now, e);
}

static void command(struct call *c, enum incident_command what, const char *conflict)
{
	struct note_form f = { .note = STR_NONE };
	struct err e = { 0 };
	uint64_t id;
	int done;

	if (!input_id(c, 0, &id) || !input_form(c, incident_note_fields, true, &f))
		return;
	done = act(c, id, what, f.note.n ? f.note : STR_NONE, &e);
	if (done == 1)
		reply_incident(c, id);
	else if (!done)
		reply_not_found(c);
	else if (e.code == ERR_CONFLICT)
		reply_refuse(c, 409, "conflict", conflict, NULL);
	else
		reply_err(c, &e);
}

void api_incident_acknowledge(void *call)
{
	command(call, COMMAND_ACKNOWLEDGE, "Only an open incident can be acknowledged; this one is "
		"acknowledged or resolved already.");
}

void api_incident_resolve(void *call)
{
	command(call, COMMAND_RESOLVE, "This incident is resolved already.");
}
