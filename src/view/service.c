/* service.c - services as people see them, with what uses them. */
#include "view_int.h"

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
	return true;
}

int service_view_get(struct db *db, struct arena *a, uint64_t tenant_id, struct str id, struct service_view *out,
	struct err *e)
{
	int found = db_query_one(db, &view_stmt[V_SERVICE], VALS(V_U(tenant_id), V_S(id)), a, columns, sizeof(*out), out, e);

	if (found == 1)
		fill(a, out);
	return found;
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
