/* related.c - incidents that may have to do with one: opened within a day of it and of the same key, host or service; and those that were merged into it.
 *
 * No index knows of keys or hosts of incidents, and none is worth its cost to each incident that opens. So the nearest of the tenant and of the service
 * are looked at, by the indexes of their lists, some hundred at most, and asked what they share. */
#include "view_int.h"

#define NEAR_MS MS_PER_DAY
#define LOOK 30			/* of each status, before and after it, of the tenant and of the service */

const struct field related_view_fields[] = {
	FIELD_ID(struct related_view, id, "id", "Our number of the incident"),
	FIELD_STR(struct related_view, title, "title", "Its title"),
	FIELD_STR(struct related_view, status, "status", "OPEN, ACKNOWLEDGED or RESOLVED"),
	FIELD_STR(struct related_view, level, "severity", "CRITICAL, HIGH, MEDIUM, LOW or INFO"),
	FIELD_STR(struct related_view, service_id, "serviceId", "Its service"),
	FIELD_STR(struct related_view, service_name, "serviceName", "Name of that"),
	FIELD_U64(struct related_view, alert_count, "alertCount", "Alerts that joined it"),
	FIELD_TIME(struct related_view, opened_at, "openedAt", "First alert"),
	FIELD_STR(struct related_view, why, "why", "What they share: same key, same host, same service; of merged ones null"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_U64(struct related_view, id, "id", ""),
	FIELD_U64(struct related_view, status_n, "status_n", ""),
	FIELD_U64(struct related_view, level_n, "level_n", ""),
	FIELD_U64(struct related_view, alert_count, "alert_count", ""),
	FIELD_STR(struct related_view, title, "title", ""),
	FIELD_STR(struct related_view, service_id, "service_id", ""),
	FIELD_STR(struct related_view, service_name, "service_name", ""),
	FIELD_TIME(struct related_view, opened_at, "opened_at", ""),
	FIELD_BOOL(struct related_view, same_key, "same_key", ""),
	FIELD_BOOL(struct related_view, same_host, "same_host", ""),
	FIELD_BOOL(struct related_view, same_service, "same_service", ""),
	FIELD_END
};

/* The nearest of a status that are older, or newer, than it. */
static void write_near(struct sql *q, const struct incident_view *v, bool of_service, unsigned status, bool older)
{
	if (q->n)
		sql_lit(q, " UNION ");
	if (of_service) {
		sql_lit(q, "(SELECT id FROM incidents FORCE INDEX (by_service_status) WHERE service_id = ");
		sql_val(q, V_U(v->service_row));
	} else {
		sql_lit(q, "(SELECT id FROM incidents FORCE INDEX (by_status) WHERE tenant_id = ");
		sql_val(q, V_U(v->tenant_id));
	}
	sql_lit(q, " AND status = ");
	sql_val(q, V_U(status));
	sql_lit(q, " AND id > ");
	sql_val(q, V_U(older ? id_floor(v->opened_at - NEAR_MS) : v->id));
	sql_lit(q, " AND id < ");
	sql_val(q, V_U(older ? v->id : id_floor(v->opened_at + NEAR_MS)));
	if (older)
		sql_lit(q, " ORDER BY id DESC LIMIT ");
	else
		sql_lit(q, " ORDER BY id LIMIT ");
	sql_val(q, V_U(LOOK));
	sql_lit(q, ")");
}

void related_sql(struct sql *q, const struct incident_view *v)
{
	sql_lit(q, "SELECT * FROM (SELECT i.id, i.status AS status_n, i.level AS level_n, i.alert_count, i.title, v.public_id AS service_id, v.name AS service_name,"
		" i.opened_at, i.dedup_key = me.dedup_key AS same_key, i.service_id = me.service_id AS same_service,"
		" COALESCE(" ORIGIN_OF("i.id") " = me.origin AND me.origin <> '', 0) AS same_host FROM (");
	for (unsigned status = INCIDENT_OPEN; status <= INCIDENT_RESOLVED; status++)
		for (unsigned way = 0; way < 4; way++)
			write_near(q, v, way & 1, status, way & 2);
	sql_lit(q, ") k JOIN incidents i ON i.id = k.id JOIN services v ON v.id = i.service_id"
		" JOIN (SELECT dedup_key, service_id, is_test, " ORIGIN_OF("incidents.id") " AS origin FROM incidents WHERE id = ");
	sql_val(q, V_U(v->id));
	sql_lit(q, ") me ON me.is_test = i.is_test WHERE i.merged_into IS NULL OR i.merged_into <> ");
	sql_val(q, V_U(v->id));
	sql_lit(q, ") r WHERE same_key OR same_host OR same_service ORDER BY same_key DESC, same_host DESC, status_n = 3, id DESC LIMIT ");
	sql_val(q, V_U(INCIDENT_RELATED_MAX));
}

static void fill(struct arena *a, struct related_view *r)
{
	struct str words[] = { r->same_key ? STR("same key") : STR_NONE, r->same_host ? STR("same host") : STR_NONE, r->same_service ? STR("same service") : STR_NONE };
	struct strbuf b;

	r->status = str_of(incident_status_word((enum incident_status)r->status_n));
	r->level = str_of(level_word((enum level)r->level_n));
	strbuf_init(&b, a, 64);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].n)
			strbuf_addf(&b, "%s%.*s", b.n ? ", " : "", STR_ARG(words[i]));
	r->why = b.n ? strbuf_str(&b) : STR_NONE;
}

bool related_view_list(struct db *db, struct arena *a, const struct incident_view *v, struct related_view **out, size_t *n, struct err *e)
{
	struct sql q;

	sql_init(&q, a);
	related_sql(&q, v);
	if (!db_query_sql(db, "view.related", &q, a, columns, sizeof(**out), out, n, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		fill(a, &(*out)[i]);
	return true;
}

bool related_view_parts(struct db *db, struct arena *a, uint64_t incident, struct related_view **out, size_t *n, struct err *e)
{
	if (!db_query(db, &view_stmt[V_PARTS], VALS(V_U(incident), V_U(INCIDENT_PARTS_MAX)), a, columns, sizeof(**out), out, n, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		fill(a, &(*out)[i]);
	return true;
}
