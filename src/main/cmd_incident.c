/* cmd_incident.c - incidents: open or past trouble. */
#include "ctl_int.h"
#include "id_worker.h"

#include "grapnel/view.h"

/* Without --tenant all tenants are shown: who may read the configuration may read the database. */
static uint64_t shown_tenant(const struct ctl *c)
{
	return ctl_has(c, "tenant") ? c->tenant_id : 0;
}

static bool list(struct ctl *c, struct err *e)
{
	struct incident_filter f = { .tenant_id = shown_tenant(c), .limit = LIST_LIMIT_DEFAULT };
	struct str status = ctl_value(c, "status");
	struct incident_view *incidents;
	enum incident_status s;
	uint64_t next;
	size_t n;

	if (status.p && !incident_status_parse(status, &s))
		return err_set(e, ERR_INVALID, "--status is open, acknowledged or resolved");
	if (status.p)
		f.statuses = 1u << s;
	if (!ctl_number(c, "limit", 1, LIST_LIMIT_MAX, &f.limit, e) ||
		!ctl_number(c, "cursor", 1, INT64_MAX, &f.cursor, e) ||
		!incident_view_list(c->db, c->arena, &f, &incidents, &n, &next, e))
		return false;
	ctl_list(c, "incidents", incident_view_fields, "id openedAt status severity alertCount title", incidents, n,
		sizeof(*incidents), next);
	return true;
}

/* ---- incident show ---- */

static bool read(struct ctl *c, struct incident_detail *d, struct err *e)
{
	uint64_t id;
	int found;

	if (!str_u64(ctl_word(c, 0), &id))
		return err_set(e, ERR_INVALID, "the id of an incident is a number, not \"%s\"", c->words[0]);
	found = incident_view_get(c->db, c->arena, shown_tenant(c), id, d, e);
	return found == 1 || (!found && err_set(e, ERR_NOT_FOUND, "there is no incident %s", c->words[0]));
}

static void rows_json(struct json_out *o, const char *key, const struct field *fields, const void *rows, size_t size, size_t n)
{
	json_key(o, key);
	json_rows(o, fields, rows, size, n);
}

/* All that `show` tells. */
struct shown {
	struct incident_detail d;
	struct incident_notification_view *told;
	size_t told_n;
	struct escalation_view escalation;
	bool escalates;			/* else none began */
};

static void escalation_json(struct json_out *o, const struct shown *x)
{
	const struct escalation_view *v = &x->escalation;

	json_key(o, "escalation");
	if (!x->escalates) {
		json_null(o);
		return;
	}
	json_open(o, '{');
	json_fields(o, escalation_view_fields, v);
	rows_json(o, "nextTargets", escalation_target_view_fields, v->targets, sizeof(*v->targets), v->targets_n);
	rows_json(o, "paged", escalation_paged_view_fields, v->paged, sizeof(*v->paged), v->paged_n);
	json_close(o, '}');
}

static void show_json(struct ctl *c, const struct shown *x)
{
	const struct incident_detail *d = &x->d;
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, c->arena, CTL_JSON_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_fields(&o, incident_view_fields, &d->incident);
	rows_json(&o, "timeline", timeline_view_fields, d->timeline, sizeof(*d->timeline), d->timeline_n);
	rows_json(&o, "alerts", alert_view_fields, d->alerts, sizeof(*d->alerts), d->alert_n);
	rows_json(&o, "notifications", incident_notification_view_fields, x->told, sizeof(*x->told), x->told_n);
	escalation_json(&o, x);
	rows_json(&o, "merged", related_view_fields, d->parts, sizeof(*d->parts), d->parts_n);
	rows_json(&o, "related", related_view_fields, d->related, sizeof(*d->related), d->related_n);
	json_close(&o, '}');
	ctl_json_print(&b);
}

static void show_escalation(struct ctl *c, const struct shown *x)
{
	const struct escalation_view *v = &x->escalation;

	if (!x->escalates)
		return;
	puts("\nescalation");
	ctl_one(c, escalation_view_fields, v);
	puts("\nnext targets");
	ctl_list(c, "targets", escalation_target_view_fields, "type id name", v->targets, v->targets_n, sizeof(*v->targets), 0);
	puts("\npaged");
	ctl_list(c, "people", escalation_paged_view_fields, "lastAt name pages sent", v->paged, v->paged_n, sizeof(*v->paged), 0);
}

static bool show_read(struct ctl *c, struct shown *x, struct err *e)
{
	int escalates;

	if (!read(c, &x->d, e) ||
		!incident_notification_view_list(c->db, c->arena, x->d.incident.tenant_id, x->d.incident.id, 0, &x->told, &x->told_n, e))
		return false;
	escalates = escalation_view_get(c->db, c->arena, &x->d.incident, c->now, &x->escalation, e);
	x->escalates = escalates == 1;
	return escalates >= 0;
}

static bool show(struct ctl *c, struct err *e)
{
	struct shown x = { 0 };
	const struct incident_detail *d = &x.d;

	if (!show_read(c, &x, e))
		return false;
	if (c->json) {
		show_json(c, &x);
		return true;
	}
	ctl_one(c, incident_view_fields, &d->incident);
	puts("\ntimeline");
	ctl_list(c, "entries", timeline_view_fields, "at kind actor user severity text", d->timeline, d->timeline_n,
		sizeof(*d->timeline), 0);
	puts("\nalerts");
	ctl_list(c, "alerts", alert_view_fields, "createdAt severity eventId title", d->alerts, d->alert_n, sizeof(*d->alerts), 0);
	show_escalation(c, &x);
	puts("\nnotifications");
	ctl_list(c, "notifications", incident_notification_view_fields,
		"createdAt kind channel endpoint user recipient type status bundleStatus attempts error", x.told, x.told_n, sizeof(*x.told), 0);
	return true;
}

/* ---- incident ack, resolve ---- */

static bool command(struct ctl *c, enum incident_command what, const char *done, struct err *e)
{
	struct str note = ctl_value(c, "note");
	struct incident_detail d;
	struct id_maker ids;
	struct who who;

	if (!read(c, &d, e))
		return false;
	id_maker_init(&ids, id_worker_of_program(&c->conf));
	who = c->who;
	who.tenant_id = (uint32_t)d.incident.tenant_id;
	if (incident_act(c->db, c->arena, who.tenant_id, d.incident.id, what, ACTOR_PERSON, &who, id_make(&ids, c->now),
		note.n ? note : STR_NONE, c->now, e) != 1)
		return false;
	ctl_done(c, "incident %s is %s", c->words[0], done);
	return true;
}

static bool acknowledge(struct ctl *c, struct err *e)
{
	return command(c, COMMAND_ACKNOWLEDGE, "acknowledged", e);
}

static bool resolve(struct ctl *c, struct err *e)
{
	return command(c, COMMAND_RESOLVE, "resolved", e);
}

static const struct ctl_option note_options[] = {
	{ "note", "TEXT", "shown in the timeline" },
	{ 0 }
};

static const struct ctl_option list_options[] = {
	{ "status", "STATUS", "open, acknowledged or resolved" },
	{ "limit", "N", "at most so many, up to 100; default 50" },
	{ "cursor", "N", "goes on after an earlier list" },
	{ 0 }
};

const struct command incident_commands[] = {
	{ "incident list", "", list_options, NEED_SCHEMA, list, "lists incidents, newest first" },
	{ "incident show", "ID", NULL, NEED_SCHEMA, show, "shows an incident with its timeline, newest alerts and who was told" },
	{ "incident ack", "ID", note_options, NEED_SCHEMA, acknowledge, "says that somebody takes care of it" },
	{ "incident resolve", "ID", note_options, NEED_SCHEMA, resolve, "says that the trouble is over" },
	{ 0 }
};
