/* status.c - what everybody may see of a tenant: how its services are, what is wrong with them and what was.
 *
 * Told are incidents from MEDIUM on; tests and what is less grave are nobody's business. Unless the tenant wants it, their titles stay inside: they
 * name hosts and customers. */
#include "view_int.h"

static const struct {
	const char *text, *class, *summary;
} states[] = {
	[SERVICE_OPERATIONAL] = { "Operational", "healthy", "All systems operational" },
	[SERVICE_DEGRADED] = { "Degraded performance", "degraded", "Degraded performance" },
	[SERVICE_PARTIAL_OUTAGE] = { "Partial outage", "failing", "Partial outage" },
	[SERVICE_MAJOR_OUTAGE] = { "Major outage", "critical", "Major outage" },
};

static enum service_state state_of(uint64_t level)
{
	switch (level) {
	case LEVEL_CRITICAL:
		return SERVICE_MAJOR_OUTAGE;
	case LEVEL_HIGH:
		return SERVICE_PARTIAL_OUTAGE;
	case LEVEL_MEDIUM:
		return SERVICE_DEGRADED;
	default:
		return SERVICE_OPERATIONAL;
	}
}

static const struct field service_columns[] = {
	FIELD_U64(struct status_service, row, "row", ""),
	FIELD_STR(struct status_service, name, "name", ""),
	FIELD_U64(struct status_service, level_n, "level_n", ""),
	FIELD_END
};

static const struct field incident_columns[] = {
	FIELD_ID(struct status_incident, id, "id", ""),
	FIELD_STR(struct status_incident, title, "title", ""),
	FIELD_STR(struct status_incident, service, "service", ""),
	FIELD_U64(struct status_incident, status_n, "status_n", ""),
	FIELD_U64(struct status_incident, level_n, "level_n", ""),
	FIELD_TIME(struct status_incident, opened_at, "opened_at", ""),
	FIELD_TIME(struct status_incident, acknowledged_at, "acknowledged_at", ""),
	FIELD_TIME(struct status_incident, resolved_at, "resolved_at", ""),
	FIELD_TIME(struct status_incident, updated_at, "updated_at", ""),
	FIELD_END
};

static void fill_services(struct status_view *v)
{
	for (size_t i = 0; i < v->service_n; i++) {
		struct status_service *s = &v->services[i];

		s->state = state_of(s->level_n);
		s->state_text = str_of(states[s->state].text);
		s->state_class = states[s->state].class;
		if (s->state > v->worst)
			v->worst = s->state;
	}
	v->summary = str_of(states[v->worst].summary);
	v->state_class = states[v->worst].class;
}

static struct str phase(const struct status_incident *x)
{
	return x->status_n == INCIDENT_RESOLVED ? STR("Resolved") : x->status_n == INCIDENT_ACKNOWLEDGED ? STR("Identified") : STR("Investigating");
}

static void fill_incidents(struct arena *a, const struct status_page *page, struct status_view *v, struct status_incident *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct status_incident *x = &list[i];

		x->state = state_of(x->level_n);
		x->state_text = str_of(states[x->state].text);
		x->state_class = states[x->state].class;
		x->status = phase(x);
		if (!page->show_titles)
			x->title = arena_printf(a, "%s: %.*s", states[x->state].text, STR_ARG(x->service));
		if (x->updated_at > v->updated_at)
			v->updated_at = x->updated_at;
	}
}

bool status_view_get(struct db *db, struct arena *a, const struct status_page *page, ms_t now, struct status_view *out, struct err *e)
{
	const struct val tenant = V_U(page->tenant_id), level = V_U(LEVEL_MEDIUM), limit = V_U(STATUS_INCIDENTS_MAX);
	uint64_t since = id_floor(now - STATUS_PAST_DAYS * MS_PER_DAY);

	*out = (struct status_view){ .updated_at = page->updated_at };
	if (!db_query(db, &view_stmt[V_STATUS_SERVICES], VALS(tenant), a, service_columns, sizeof(*out->services), &out->services, &out->service_n, e) ||
		!db_query(db, &view_stmt[V_STATUS_OPEN], VALS(tenant, level, limit), a, incident_columns, sizeof(*out->open), &out->open, &out->open_n, e) ||
		!db_query(db, &view_stmt[V_STATUS_PAST], VALS(V_U(since), tenant, level, limit), a, incident_columns, sizeof(*out->past), &out->past,
			&out->past_n, e))
		return false;
	fill_services(out);
	fill_incidents(a, page, out, out->open, out->open_n);
	fill_incidents(a, page, out, out->past, out->past_n);
	return true;
}
