/* cmd_event.c - events: what providers told us. */
#include <inttypes.h>

#include "ctl_int.h"

#include "grapnel/resource.h"
#include "grapnel/view.h"

/* Without --tenant all tenants are shown: who may read the configuration may read the database. */
static uint64_t shown_tenant(const struct ctl *c)
{
	return ctl_has(c, "tenant") ? c->tenant_id : 0;
}

static bool list(struct ctl *c, struct err *e)
{
	struct event_filter f = { .tenant_id = shown_tenant(c), .provider = ctl_value(c, "provider"),
		.source = ctl_value(c, "source"), .limit = LIST_LIMIT_DEFAULT };
	struct str status = ctl_value(c, "status");
	enum event_status s;
	struct event_view *events;
	uint64_t next;
	size_t n;

	if (status.p && !event_status_parse(status, &s))
		return err_set(e, ERR_INVALID, "--status is pending, processing, processed, failed, dead or ignored");
	if (status.p)
		f.statuses = 1u << s;
	if (!ctl_number(c, "limit", 1, LIST_LIMIT_MAX, &f.limit, e) ||
		!ctl_number(c, "cursor", 1, INT64_MAX, &f.cursor, e) ||
		!event_view_list(c->db, c->arena, &f, &events, &n, &next, e))
		return false;
	ctl_list(c, "events", event_view_fields, "id receivedAt provider status action severity summary", events, n,
		sizeof(*events), next);
	return true;
}

/* ---- event show ---- */

static void object_json(struct json_out *o, const char *key, uint64_t id, const struct field *fields, const void *obj)
{
	json_key(o, key);
	if (!id) {
		json_null(o);
		return;
	}
	json_open(o, '{');
	json_fields(o, fields, obj);
	json_close(o, '}');
}

static void show_json(struct ctl *c, const struct event_detail *d)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, c->arena, CTL_JSON_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_fields(&o, event_view_fields, &d->event);
	object_json(&o, "request", d->request.id, request_view_fields, &d->request);
	if (d->request.id) {
		json_key(&o, "headers");
		request_headers_json(&o, c->arena, d->request.headers);
		request_payload_json(&o, c->arena, d->request.body);
	}
	object_json(&o, "alert", d->alert.id, alert_view_fields, &d->alert);
	object_json(&o, "incident", d->incident.id, incident_view_fields, &d->incident);
	json_close(&o, '}');
	ctl_json_print(&b);
}

static void heading(const char *text)
{
	printf("\n%s\n", text);
}

static void show_text(struct ctl *c, const struct event_detail *d)
{
	ctl_one(c, event_view_fields, &d->event);
	if (d->incident.id) {
		heading("incident");
		ctl_one(c, incident_view_fields, &d->incident);
	}
	if (!d->request.id)
		return;
	heading("request");
	ctl_one(c, request_view_fields, &d->request);
	heading("headers");
	ctl_text(stdout, d->request.headers, true);
	heading("payload");
	ctl_text(stdout, d->request.body, true);
	putchar('\n');
}

static bool show(struct ctl *c, struct err *e)
{
	struct event_detail d;
	uint64_t id;
	int found;

	if (!str_u64(ctl_word(c, 0), &id))
		return err_set(e, ERR_INVALID, "the id of an event is a number, not \"%s\"", c->words[0]);
	found = event_view_get(c->db, c->arena, shown_tenant(c), id, &d, e);
	if (found == 0)
		err_set(e, ERR_NOT_FOUND, "there is no event %s", c->words[0]);
	if (found != 1)
		return false;
	if (c->json)
		show_json(c, &d);
	else
		show_text(c, &d);
	return true;
}

/* ---- event retry ---- */

static bool retry(struct ctl *c, struct err *e)
{
	struct caller by = ctl_caller(c);
	struct event_view v;
	uint64_t id;

	if (!str_u64(ctl_word(c, 0), &id))
		return err_set(e, ERR_INVALID, "the id of an event is a number, not \"%s\"", c->words[0]);
	if (!ctl_has(c, "tenant"))
		by.tenant_id = 0;	/* a number names one event of all tenants */
	if (!event_retry_by(&by, id, &v, e))
		return e->code == ERR_NOT_FOUND ? err_set(e, ERR_NOT_FOUND, "there is no event %s", c->words[0]) : false;
	if (c->json)
		ctl_one(c, event_view_fields, &v);
	else
		ctl_done(c, "What is left to do of event %" PRIu64 " is done now, by the dispatcher or by cron.", id);
	return true;
}

static const struct ctl_option list_options[] = {
	{ "limit", "N", "at most so many, up to 100; default 50" },
	{ "provider", "TYPE", "only of this provider" },
	{ "status", "STATUS", "pending, processing, processed, failed, dead or ignored" },
	{ "source", "ID", "only of this integration or registration" },
	{ "cursor", "N", "goes on after an earlier list" },
	{ 0 }
};

const struct command event_commands[] = {
	{ "event list", "", list_options, NEED_SCHEMA, list, "lists events, newest first" },
	{ "event show", "ID", NULL, NEED_SCHEMA, show, "shows an event with its payload and what it caused" },
	{ "event retry", "ID", NULL, NEED_SCHEMA | NEED_STATE, retry, "does now what is left to do of an event" },
	{ 0 }
};
