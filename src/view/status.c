/* status.c - what everybody may see of a tenant: how its services are, what is wrong with them and what was.
 *
 * Told are incidents from MEDIUM on; tests and what is less grave are nobody's business. Unless the tenant wants it, their titles stay inside: they
 * name hosts and customers. What was merged into another incident goes on there, so it is not told as resolved.
 *
 * A maintenance window is told where it is of a whole service or of the whole tenant, while it runs and for two weeks before. What breaks in it breaks on
 * purpose: such incidents are not told as long as it runs, and never if it resolves before the end; the service is under maintenance. What was broken
 * before stays so, and what is graver than the window holds back is told. */
#include "view_int.h"

static const struct {
	const char *text, *class, *summary;
} states[] = {
	[SERVICE_OPERATIONAL] = { "Operational", "healthy", "All systems operational" },
	[SERVICE_MAINTENANCE] = { "Under maintenance", "maintenance", "Under maintenance" },
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
	FIELD_U64(struct status_incident, service_row, "service_row", ""),
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

/* ---- maintenance ---- */

/* What is worked on in a part of a service alone is nobody's business. */
static bool is_whole(const struct hush *h)
{
	return !h->scope.source_id && !h->scope.dedup_key.n && !h->scope.provider.n;
}

static bool concerns(const struct hush *h, const struct status_service *s)
{
	return !h->scope.service_id || h->scope.service_id == s->row;
}

/* Empty: none of those that are shown. */
static struct str names_of(const struct status_view *v, const struct hush *h)
{
	for (size_t i = 0; i < v->service_n; i++)
		if (concerns(h, &v->services[i]))
			return h->scope.service_id ? v->services[i].name : STR("All services");
	return STR_NONE;
}

static int by_begin(const void *x, const void *y)
{
	const struct status_maintenance *a = x, *b = y;

	return a->from != b->from ? (a->from > b->from) - (a->from < b->from) : str_cmp(a->id, b->id);
}

static void begin(struct status_view *v, const struct hush *h)
{
	for (size_t i = 0; i < v->service_n; i++)
		v->services[i].is_maintained |= concerns(h, &v->services[i]);
}

static void add_window(struct arena *a, const struct status_page *page, const struct hush *h, ms_t now, struct status_view *v)
{
	struct status_maintenance *m = &v->maintenance[v->maintenance_n];
	struct str services = names_of(v, h);
	struct hush_span span;

	if (!is_whole(h) || !services.n || !hush_span(&h->times, now, &span) || span.from > now + STATUS_COMING_DAYS * MS_PER_DAY)
		return;
	*m = (struct status_maintenance){ .id = h->public_id, .title = page->show_titles ? h->name : arena_printf(a, "Maintenance: %.*s", STR_ARG(services)),
		.services = services, .from = span.from, .to = span.to, .updated_at = h->updated_at, .runs = span.from <= now };
	v->maintenance_n++;
	if (m->runs) {
		begin(v, h);
		m->updated_at = m->updated_at > span.from ? m->updated_at : span.from;
	}
	if (m->updated_at > v->updated_at)
		v->updated_at = m->updated_at;
}

/* Did it break on purpose: while a window ran that holds back what is so grave, and until now or until it was whole again? */
static bool was_expected(const struct hush *windows, size_t n, const struct status_incident *x, ms_t now)
{
	ms_t end = x->resolved_at ? x->resolved_at : now;
	struct hush_span span;

	for (const struct hush *h = windows; h < windows + n; h++)
		if (is_whole(h) && (!h->scope.service_id || h->scope.service_id == x->service_row) &&
			(!h->scope.level_max || x->level_n < h->scope.level_max) && hush_span(&h->times, x->opened_at, &span) &&
			span.from <= x->opened_at && end <= span.to)
			return true;
	return false;
}

/* By windows that are over, too. Returns how many are left. */
static size_t drop_expected(struct status_incident *list, size_t list_n, const struct hush *windows, size_t n, ms_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < list_n; i++)
		if (!was_expected(windows, n, &list[i], now))
			list[kept++] = list[i];
	return kept;
}

static bool fill_maintenance(struct db *db, struct arena *a, const struct status_page *page, ms_t now, struct status_view *v, struct err *e)
{
	const struct hush_range r = { .tenant_id = page->tenant_id, .kind = HUSH_WINDOW, .over_after = now - STATUS_PAST_DAYS * MS_PER_DAY,
		.over_until = INT64_MAX };
	struct hush *windows;
	size_t n;

	if (!hush_list(db, a, &r, 2 * HUSHES_MAX, &windows, &n, e))
		return false;
	v->open_n = drop_expected(v->open, v->open_n, windows, n, now);
	v->past_n = drop_expected(v->past, v->past_n, windows, n, now);
	v->maintenance = ARENA_ARRAY(a, struct status_maintenance, n + 1);
	for (size_t i = 0; i < n; i++)
		add_window(a, page, &windows[i], now, v);
	qsort(v->maintenance, v->maintenance_n, sizeof(*v->maintenance), by_begin);
	return true;
}

/* What is told of it makes its state. */
static enum service_state in_maintenance(const struct status_view *v, const struct status_service *s)
{
	enum service_state worst = SERVICE_MAINTENANCE;

	for (size_t i = 0; i < v->open_n; i++)
		if (v->open[i].service_row == s->row && state_of(v->open[i].level_n) > worst)
			worst = state_of(v->open[i].level_n);
	return worst;
}

/* ---- all ---- */

static void fill_services(struct status_view *v)
{
	for (size_t i = 0; i < v->service_n; i++) {
		struct status_service *s = &v->services[i];

		s->state = s->is_maintained ? in_maintenance(v, s) : state_of(s->level_n);
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
			&out->past_n, e) || !fill_maintenance(db, a, page, now, out, e))
		return false;
	fill_services(out);
	fill_incidents(a, page, out, out->open, out->open_n);
	fill_incidents(a, page, out, out->past, out->past_n);
	return true;
}
