/* alert.c - the list of alerts, those of an incident, and the alert of an event.
 *
 * The list walks all alerts, whose rows are short, and passes those of other tenants over; of one incident, its index. */
#include <assert.h>

#include "view_int.h"

const struct field alert_view_fields[] = {
	FIELD_ID(struct alert_view, id, "id", "Our number of the alert"),
	FIELD_ID(struct alert_view, event_id, "eventId", "The event that reported it"),
	FIELD_ID(struct alert_view, incident_id, "incidentId", "The incident it joined"),
	FIELD_STR(struct alert_view, summary, "title", "What happened, in a line"),
	FIELD_STR(struct alert_view, level, "severity", "CRITICAL, HIGH, MEDIUM, LOW or INFO"),
	FIELD_STR(struct alert_view, source_id, "sourceId", "The integration it came in by"),
	FIELD_TIME(struct alert_view, created_at, "createdAt", "When it was stored"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_U64(struct alert_view, id, "id", ""),
	FIELD_U64(struct alert_view, event_id, "event_id", ""),
	FIELD_U64(struct alert_view, incident_id, "incident_id", ""),
	FIELD_U64(struct alert_view, level_n, "level_n", ""),
	FIELD_STR(struct alert_view, summary, "summary", ""),
	FIELD_STR(struct alert_view, source_id, "source_id", ""),
	FIELD_TIME(struct alert_view, created_at, "created_at", ""),
	FIELD_END
};

static void fill_words(struct alert_view *v)
{
	v->level = str_of(level_word((enum level)v->level_n));
}

int alert_view_of(struct db *db, struct arena *a, uint64_t incident_id, uint64_t event_id,
	struct alert_view *out, struct err *e)
{
	uint64_t end = id_floor(id_time(event_id) + ALERT_NEAR_MS);
	int found;

	if (!incident_id)
		return 0;
	found = db_query_one(db, &view_stmt[V_ALERT_OF],
		VALS(V_U(incident_id), V_U(event_id), V_U(end), V_U(event_id)), a, columns,
		sizeof(*out), out, e);
	if (found == 1)
		fill_words(out);
	return found;
}

/* ---- the list ---- */

static void write_open(struct sql *q)
{
	sql_lit(q, "SELECT " ALERT_COLUMNS " FROM (");
}

static void write_close(struct sql *q)
{
	sql_lit(q, ") k JOIN alerts a ON a.id = k.id" ALERT_JOINS " ORDER BY a.id DESC");
}

static void write_branch(struct sql *q, const struct branch *b)
{
	if (b->kind == BRANCH_ALL) {
		sql_lit(q, "SELECT t.id AS id FROM alerts t FORCE INDEX (PRIMARY) WHERE TRUE");
		return;
	}
	assert(b->kind == BRANCH_INCIDENT);
	sql_lit(q, "SELECT t.id AS id FROM alerts t FORCE INDEX (by_incident) WHERE t.incident_id = ");
	sql_val(q, V_U(b->value));
}

static void write_text(struct sql *q, struct str text)
{
	sql_lit(q, " AND (e.dedup_key = ");
	sql_val(q, V_S(text));
	sql_lit(q, " OR e.summary COLLATE utf8mb4_general_ci LIKE ");
	sql_val(q, V_S(like_part(q->text.arena, text)));
	sql_lit(q, ")");
}

static void write_residual(struct sql *q, const struct plan *p, const struct branch *b)
{
	const struct alert_filter *f = p->filter;

	if (f->tenant_id) {
		sql_lit(q, " AND t.tenant_id = ");
		sql_val(q, V_U(f->tenant_id));
	}
	if (f->levels) {
		sql_lit(q, " AND 1 << t.level & ");
		sql_val(q, V_U(f->levels));
	}
	if (p->service) {
		sql_lit(q, " AND (SELECT i.service_id FROM incidents i WHERE i.id = t.incident_id) = ");
		sql_val(q, V_U(p->service));
	}
	if (names_sources(&p->sources) || f->text.n) {
		sql_lit(q, " AND (SELECT TRUE FROM events e JOIN sources s ON s.id = e.source_id WHERE e.id = t.event_id");
		write_sources(q, &p->sources);
		if (f->text.n)
			write_text(q, f->text);
		sql_lit(q, ")");
	}
}

const struct list_table alert_table = {
	.name = "view.alert_list",
	.branch = write_branch,
	.residual = write_residual,
	.open = write_open,
	.close = write_close,
	.columns = columns,
	.size = sizeof(struct alert_view),
};

bool alert_plan(struct db *db, struct arena *a, const struct alert_filter *f, struct plan *p, struct err *e)
{
	plan_init(p, f, f->from, f->to, f->cursor, f->limit);
	if (!find_source(db, a, f->tenant_id, f->provider, f->source, &p->sources, e) ||
		!find_service(db, a, f->tenant_id, f->service_id, f->service, &p->service, e))
		return false;
	if (f->incident_id)
		plan_add(p, BRANCH_INCIDENT, 0, f->incident_id);
	else
		plan_add(p, BRANCH_ALL, 0, 0);
	p->residual = f->tenant_id || f->levels || f->text.n || p->service || names_sources(&p->sources);
	return true;
}

bool alert_view_list(struct db *db, struct arena *a, const struct alert_filter *f, struct alert_view **out, size_t *n, uint64_t *next,
	struct err *e)
{
	struct plan p;

	if (!alert_plan(db, a, f, &p, e) || !list_run(db, a, &alert_table, &p, out, n, next, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		fill_words(&(*out)[i]);
	return true;
}

bool alert_view_newest(struct db *db, struct arena *a, uint64_t incident_id, const struct related_view *parts, size_t parts_n,
	struct alert_view **out, size_t *n, struct err *e)
{
	const struct alert_filter f = { .incident_id = incident_id };
	uint64_t next;
	struct plan p;

	plan_init(&p, &f, 0, 0, 0, INCIDENT_ALERTS_MAX);
	plan_add(&p, BRANCH_INCIDENT, 0, incident_id);
	for (size_t i = 0; i < parts_n && p.n < LIST_BRANCHES_MAX; i++)
		plan_add(&p, BRANCH_INCIDENT, 0, parts[i].id);
	if (!list_run(db, a, &alert_table, &p, out, n, &next, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		fill_words(&(*out)[i]);
	return true;
}
