/* incidents.c - /api/incidents. */
#include "api_int.h"

void api_incident_list(void *call)
{
	struct call *c = call;
	struct incident_filter f = { .tenant_id = c->by.tenant_id, .limit = LIST_LIMIT_DEFAULT };
	struct incident_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_query(c, incident_query_fields, &f))
		return;
	if (incident_view_list(c->by.db, c->a, &f, &rows, &n, &next, &e))
		reply_list(c, "incidents", incident_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

static const struct doc_part escalation_parts[] = {
	{ "nextTargets", PART_ROWS, FIELDS(escalation_target_view_fields), .help = "Whom the next step is for" },
	{ "paged", PART_ROWS, FIELDS(escalation_paged_view_fields), .help = "Up to 100 people who were paged, the first one first" },
	{ 0 }
};

const struct doc_part incident_parts[] = {
	{ "timeline", PART_ROWS, FIELDS(timeline_view_fields), .help = "What happened and who did it, oldest first" },
	{ "notifications", PART_ROWS, FIELDS(incident_notification_view_fields), .help = "Who was told what of it: the newest 200 messages, oldest first" },
	{ "escalation", PART_MAYBE, FIELDS(escalation_view_fields), escalation_parts, .help = "Where it is in the escalation policy of its service; null = none began" },
	{ "alerts", PART_ROWS, FIELDS(alert_view_fields), .help = "Its newest alerts, newest first; those of incidents that were merged into it among them" },
	{ "merged", PART_ROWS, FIELDS(related_view_fields), .help = "Incidents that were merged into it, newest first" },
	{ "related", PART_ROWS, FIELDS(related_view_fields), .help = "Up to 10 others that opened within a day of it and share key, host or service with it" },
	{ 0 }
};

static void put_escalation(struct reply *r, const struct escalation_view *x)
{
	json_key(&r->o, "escalation");
	if (!x) {
		json_null(&r->o);
		return;
	}
	json_open(&r->o, '{');
	json_fields(&r->o, escalation_view_fields, x);
	reply_rows(r, "nextTargets", escalation_target_view_fields, x->targets, sizeof(*x->targets), x->targets_n);
	reply_rows(r, "paged", escalation_paged_view_fields, x->paged, sizeof(*x->paged), x->paged_n);
	json_close(&r->o, '}');
}

static void reply_incident(struct call *c, uint64_t id)
{
	struct incident_detail d;
	struct err e = { 0 };
	struct reply r;
	struct incident_notification_view *told;
	struct escalation_view escalation;
	size_t told_n;
	int found = incident_view_get(c->by.db, c->a, c->by.tenant_id, id, &d, &e), escalates = 0;

	if (found == 1 && (!incident_notification_view_list(c->by.db, c->a, d.incident.tenant_id, id, c->by.principal.user_id, &told, &told_n, &e) ||
		(escalates = escalation_view_get(c->by.db, c->a, &d.incident, c->by.now, &escalation, &e)) < 0))
		found = -1;
	if (found != 1) {
		found < 0 ? reply_err(c, &e) : reply_not_found(c);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, incident_view_fields, &d.incident);
	reply_rows(&r, "timeline", timeline_view_fields, d.timeline, sizeof(*d.timeline),
		d.timeline_n);
	reply_rows(&r, "alerts", alert_view_fields, d.alerts, sizeof(*d.alerts), d.alert_n);
	reply_rows(&r, "notifications", incident_notification_view_fields, told, sizeof(*told), told_n);
	put_escalation(&r, escalates ? &escalation : NULL);
	reply_rows(&r, "merged", related_view_fields, d.parts, sizeof(*d.parts), d.parts_n);
	reply_rows(&r, "related", related_view_fields, d.related, sizeof(*d.related), d.related_n);
	reply_end(c, &r, 200);
}

void api_incident_get(void *call)
{
	struct call *c = call;
	uint64_t id;

	if (input_id(c, 0, &id))
		reply_incident(c, id);
}

static void command(struct call *c, enum incident_command what)
{
	struct command_form f = { .note = STR_NONE };
	struct err e = { 0 };
	uint64_t id;

	if (!input_id(c, 0, &id) || !input_form(c, incident_command_fields, true, &f))
		return;
	if (incident_command_by(&c->by, id, what, f.note, &e))
		reply_incident(c, id);
	else
		reply_err(c, &e);
}

void api_incident_acknowledge(void *call)
{
	command(call, COMMAND_ACKNOWLEDGE);
}

void api_incident_resolve(void *call)
{
	command(call, COMMAND_RESOLVE);
}

void api_incident_reopen(void *call)
{
	command(call, COMMAND_REOPEN);
}

static void reply_done(struct call *c, bool done, uint64_t id, const struct err *e)
{
	if (done)
		reply_incident(c, id);
	else
		reply_err(c, e);
}

void api_incident_note(void *call)
{
	struct call *c = call;
	struct note_form f = { 0 };
	struct err e = { 0 };
	uint64_t id;

	if (input_id(c, 0, &id) && input_form(c, incident_note_fields, false, &f))
		reply_done(c, incident_note_by(&c->by, id, &f, &e), id, &e);
}

void api_incident_assign(void *call)
{
	struct call *c = call;
	struct assign_form f = { 0 };
	struct err e = { 0 };
	uint64_t id;

	if (input_id(c, 0, &id) && input_form(c, incident_assign_fields, false, &f))
		reply_done(c, incident_assign_by(&c->by, id, &f, &e), id, &e);
}

void api_incident_snooze(void *call)
{
	struct call *c = call;
	struct snooze_form f = SNOOZE_FORM_NEW;
	struct err e = { 0 };
	uint64_t id;

	if (input_id(c, 0, &id) && input_form(c, incident_snooze_fields, false, &f))
		reply_done(c, incident_snooze_by(&c->by, id, &f, &e), id, &e);
}

void api_incident_merge(void *call)
{
	struct call *c = call;
	struct merge_form f = { 0 };
	struct err e = { 0 };
	uint64_t id;

	if (input_id(c, 0, &id) && input_form(c, incident_merge_fields, false, &f))
		reply_done(c, incident_merge_by(&c->by, id, &f, &e), id, &e);
}

const struct doc_part incident_bulk_parts[] = {
	{ "results", PART_ROWS, FIELDS(bulk_result_fields), .help = "One for each id, in the order of ids" },
	{ 0 }
};

void api_incident_bulk(void *call)
{
	struct call *c = call;
	struct bulk_form f = { 0 };
	struct bulk_result *results;
	struct err e = { 0 };
	struct reply r;
	size_t n;

	if (!input_form(c, incident_bulk_fields, false, &f))
		return;
	if (!incident_bulk_by(&c->by, &f, &results, &n, &e)) {
		reply_err(c, &e);
		return;
	}
	reply_begin(c, &r);
	reply_rows(&r, "results", bulk_result_fields, results, sizeof(*results), n);
	reply_end(c, &r, 200);
}
