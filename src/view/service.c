/* service.c - services as people see them, with what uses them. */
#include "view_int.h"

#define MAINTENANCE_MAX 1024	/* a name, escaped */

const struct field service_view_fields[] = {
	FIELD_STR(struct service_view, id, "id", "Public id"),
	FIELD_STR(struct service_view, name, "name", "As people know it"),
	FIELD_STR(struct service_view, description, "description", "What it is"),
	FIELD_JSON(struct service_view, aliases, "aliases", "Further names that events may call it by"),
	FIELD_BOOL(struct service_view, is_default, "isDefault", "Takes the integrations that name no service"),
	FIELD_JSON(struct service_view, auto_resolve, "autoResolveMinutes",
		"Incidents without an alert for so long are resolved; null = never"),
	FIELD_STR(struct service_view, policy_id, "policyId", "Escalation policy: who is paged for its incidents; null = nobody"),
	FIELD_JSON(struct service_view, channels, "channelIds", "Channels that are told of its incidents"),
	FIELD_U64(struct service_view, integrations, "integrations", "Integrations whose incidents it takes"),
	FIELD_U64(struct service_view, open_incidents, "openIncidents", "Unresolved incidents"),
	FIELD_JSON(struct service_view, maintenance, "maintenance",
		"The maintenance window that runs, of several the one that ends last: {\"id\",\"name\",\"until\"}; null = none"),
	FIELD_TIME(struct service_view, created_at, "createdAt", "Creation"),
	FIELD_TIME(struct service_view, updated_at, "updatedAt", "Last change"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_U64(struct service_view, row, "row", ""),
	FIELD_STR(struct service_view, id, "id", ""),
	FIELD_STR(struct service_view, name, "name", ""),
	FIELD_STR(struct service_view, description, "description", ""),
	FIELD_STR(struct service_view, aliases, "aliases", ""),
	FIELD_BOOL(struct service_view, is_default, "is_default", ""),
	FIELD_U64(struct service_view, auto_resolve_minutes, "auto_resolve_minutes", ""),
	FIELD_STR(struct service_view, policy_id, "policy_id", ""),
	FIELD_STR(struct service_view, policy_name, "policy_name", ""),
	FIELD_STR(struct service_view, channels, "channels", ""),
	FIELD_U64(struct service_view, integrations, "integrations", ""),
	FIELD_U64(struct service_view, open_incidents, "open_incidents", ""),
	FIELD_TIME(struct service_view, created_at, "created_at", ""),
	FIELD_TIME(struct service_view, updated_at, "updated_at", ""),
	FIELD_END
};

static void fill(struct arena *a, struct service_view *v)
{
	if (!v->aliases.n)
		v->aliases = STR("[]");
	if (!v->channels.n)
		v->channels = STR("[]");
	if (v->auto_resolve_minutes)
		v->auto_resolve = arena_printf(a, "%llu", (unsigned long long)v->auto_resolve_minutes);
}

/* A window is of a service that it names, and of all where it has no scope. */
static bool is_of(const struct hush *h, const struct service_view *v)
{
	return h->scope.service_id == v->row || hush_scope_is_empty(&h->scope);
}

static void set_maintenance(struct arena *a, struct service_view *v, const struct hush *h, ms_t until)
{
	struct json_out o;
	struct strbuf b;

	v->maintenance_id = h->public_id;
	v->maintenance_name = h->name;
	v->maintenance_until = until;
	strbuf_init(&b, a, MAINTENANCE_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "id");
	json_str(&o, h->public_id);
	json_key(&o, "name");
	json_str(&o, h->name);
	json_key(&o, "until");
	json_time(&o, until);
	json_close(&o, '}');
	v->maintenance = strbuf_str(&b);
}

static bool fill_maintenance(struct db *db, struct arena *a, uint64_t tenant_id, ms_t now, struct service_view *rows, size_t n, struct err *e)
{
	struct hush *windows;
	size_t window_n;
	ms_t until;

	if (!hush_running(db, a, tenant_id, now, &windows, &window_n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < window_n; k++)
			if (is_of(&windows[k], &rows[i]) && hush_runs(&windows[k].times, now, &until) && until > rows[i].maintenance_until)
				set_maintenance(a, &rows[i], &windows[k], until);
	return true;
}

bool service_view_list(struct db *db, struct arena *a, const struct service_filter *f, struct service_view **out, size_t *n,
	uint64_t *next, struct err *e)
{
	uint64_t below = f->cursor ? f->cursor : UINT32_MAX;

	*next = 0;
	if (!db_query(db, &view_stmt[V_SERVICES],
		VALS(V_U(f->tenant_id), V_U(below), V_S(like_part(a, f->text)), V_U(f->limit + 1)), a, columns, sizeof(**out),
		out, n, e))
		return false;
	if (*n > f->limit) {
		*n = f->limit;
		*next = (*out)[*n - 1].row;
	}
	for (size_t i = 0; i < *n; i++)
		fill(a, &(*out)[i]);
	return fill_maintenance(db, a, f->tenant_id, f->now, *out, *n, e);
}

int service_view_get(struct db *db, struct arena *a, uint64_t tenant_id, struct str id, ms_t now, struct service_view *out,
	struct err *e)
{
	int found = db_query_one(db, &view_stmt[V_SERVICE], VALS(V_U(tenant_id), V_S(id)), a, columns, sizeof(*out), out, e);

	if (found != 1)
		return found;
	fill(a, out);
	return fill_maintenance(db, a, tenant_id, now, out, 1, e) ? 1 : -1;
}

static const struct field source_columns[] = {
	FIELD_STR(struct service_source, id, "id", ""),
	FIELD_STR(struct service_source, name, "name", ""),
	FIELD_STR(struct service_source, provider, "provider", ""),
	FIELD_BOOL(struct service_source, enabled, "enabled", ""),
	FIELD_BOOL(struct service_source, route_by_service, "route_by_service", ""),
	FIELD_END
};

bool service_view_sources(struct db *db, struct arena *a, uint64_t service_row, struct service_source **out, size_t *n,
	struct err *e)
{
	return db_query(db, &view_stmt[V_SERVICE_SOURCES], VALS(V_U(service_row), V_U(SERVICE_SOURCES_MAX)), a, source_columns,
		sizeof(**out), out, n, e);
}
