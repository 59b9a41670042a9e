/* cmd_incident.c - incidents: open or past trouble. */
#include "ctl_int.h"

#include "grapnel/view.h"

static bool list(struct ctl *c, struct err *e)
{
	struct incident_filter f = { .tenant_id = ctl_has(c, "tenant") ? c->tenant_id : 0, .limit = LIST_LIMIT_DEFAULT };
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

static const struct ctl_option list_options[] = {
	{ "status", "STATUS", "open, acknowledged or resolved" },
	{ "limit", "N", "at most so many, up to 100; default 50" },
	{ "cursor", "N", "goes on after an earlier list" },
	{ 0 }
};

const struct command incident_commands[] = {
	{ "incident list", "", list_options, NEED_SCHEMA, list, "lists incidents, newest first" },
	{ 0 }
};
