/* incident.c - incidents: the list, and one with its timeline and newest alerts.
 *
 * The list walks the status index of its tenant, or of a service; incidents are few beside events, so source and severity
 * are conditions on the way. */
#include "view_int.h"

#define ANY_STATUS (1u << INCIDENT_OPEN | 1u << INCIDENT_ACKNOWLEDGED | 1u << INCIDENT_RESOLVED)

const struct field incident_view_fields[] = {
	FIELD_ID(struct incident_view, id, "id", "Our number of the incident"),
	FIELD_STR(struct incident_view, title, "title", "Summary of the event that opened it"),
	FIELD_STR(struct incident_view, status, "status", "OPEN, ACKNOWLEDGED or RESOLVED"),
	FIELD_STR(struct incident_view, level, "severity",
		"CRITICAL, HIGH, MEDIUM, LOW or INFO; raised, never lowered"),
	FIELD_STR(struct incident_view, dedup_key, "dedupKey", "Alerts with this key join it"),
	FIELD_STR(struct incident_view, service_id, "serviceId", "The service that is in trouble"),
	FIELD_U64(struct incident_view, alert_count, "alertCount", "Alerts that joined it"),
	FIELD_BOOL(struct incident_view, is_test, "isTest", "Opened by test traffic"),
	FIELD_TIME(struct incident_view, opened_at, "openedAt", "First alert"),
	FIELD_TIME(struct incident_view, acknowledged_at, "acknowledgedAt",
		"When it was acknowledged"),
	FIELD_TIME(struct incident_view, resolved_at, "resolvedAt", "When it was resolved"),
	FIELD_STR(struct incident_view, assignee, "assignee", "User name of who takes care of it"),
	FIELD_TIME(struct incident_view, snoozed_until, "snoozedUntil", "Quiet until then; a time in the past is over"),
	FIELD_STR(struct incident_view, held_by, "heldBy", "Maintenance window or silence that holds it back: nobody is told; null = none"),
	FIELD_TIME(struct incident_view, held_until, "heldUntil", "Until then"),
	FIELD_STR(struct incident_view, service_name, "serviceName", "Name of the service"),
	FIELD_STR(struct incident_view, provider, "provider", "Slug of the provider whose event opened it"),
	FIELD_STR(struct incident_view, resolved_by, "resolvedBy", "sender, system or person"),
	FIELD_TIME(struct incident_view, last_alert_at, "lastAlertAt", "Newest alert"),
	FIELD_ID(struct incident_view, merged_into, "mergedInto", "The incident that it goes on in; null: it was not merged"),
	FIELD_END
};

const struct field timeline_view_fields[] = {
	FIELD_ID(struct timeline_view, id, "id", "Our number of the entry"),
	FIELD_TIME(struct timeline_view, at, "at", "When it happened"),
	FIELD_STR(struct timeline_view, kind, "kind", "opened, raised, acknowledged, resolved, "
		"reopened, note, assigned, snoozed, held, released, escalated or merged"),
	FIELD_STR(struct timeline_view, actor, "actor", "sender, system or person"),
	FIELD_STR(struct timeline_view, user, "user", "Name of the person"),
	FIELD_ID(struct timeline_view, event_id, "eventId", "The event that caused it"),
	FIELD_STR(struct timeline_view, level, "severity", "Severity after it"),
	FIELD_STR(struct timeline_view, text, "text",
		"The note; of assigned the name, of snoozed the end, null where that was taken back; of held and released the window or silence"),
	FIELD_STR(struct timeline_view, by_link, "byLink", "It was done by the signed link of a message: by which way it went, and to whom, like \"sms to ann, +49…56\" or \"email to the channel Ops\"; else null"),
	FIELD_END
};

const struct field incident_view_columns[] = {
	FIELD_U64(struct incident_view, id, "id", ""),
	FIELD_U64(struct incident_view, tenant_id, "tenant_id", ""),
	FIELD_STR(struct incident_view, title, "title", ""),
	FIELD_STR(struct incident_view, dedup_key, "dedup_key", ""),
	FIELD_STR(struct incident_view, service_id, "service_id", ""),
	FIELD_STR(struct incident_view, service_name, "service_name", ""),
	FIELD_STR(struct incident_view, source_id, "source_id", ""),
	FIELD_STR(struct incident_view, provider, "provider", ""),
	FIELD_STR(struct incident_view, assignee, "assignee", ""),
	FIELD_STR(struct incident_view, assignee_id, "assignee_id", ""),
	FIELD_TIME(struct incident_view, snoozed_until, "snoozed_until", ""),
	FIELD_U64(struct incident_view, alert_count, "alert_count", ""),
	FIELD_BOOL(struct incident_view, is_test, "is_test", ""),
	FIELD_TIME(struct incident_view, opened_at, "opened_at", ""),
	FIELD_TIME(struct incident_view, acknowledged_at, "acknowledged_at", ""),
	FIELD_TIME(struct incident_view, resolved_at, "resolved_at", ""),
	FIELD_TIME(struct incident_view, last_alert_at, "last_alert_at", ""),
	FIELD_TIME(struct incident_view, updated_at, "updated_at", ""),
	FIELD_U64(struct incident_view, status_n, "status_n", ""),
	FIELD_U64(struct incident_view, level_n, "level_n", ""),
	FIELD_U64(struct incident_view, resolved_by_n, "resolved_by_n", ""),
	FIELD_U64(struct incident_view, service_row, "service_row", ""),
	FIELD_U64(struct incident_view, merged_into, "merged_into", ""),
	FIELD_U64(struct incident_view, source_row, "source_row", ""),
	FIELD_STR(struct incident_view, held_by, "held_by", ""),
	FIELD_TIME(struct incident_view, held_until, "held_until", ""),
	FIELD_END
};

static void write_open(struct sql *q)
{
	sql_lit(q, "SELECT " INCIDENT_COLUMNS " FROM (");
}

static void write_close(struct sql *q)
{
	sql_lit(q, ") k JOIN incidents i ON i.id = k.id" INCIDENT_JOINS " ORDER BY i.id DESC");
}

static void write_branch(struct sql *q, const struct branch *b)
{
	switch (b->kind) {
	case BRANCH_STATUS:
		sql_lit(q, "SELECT t.id AS id FROM incidents t FORCE INDEX (by_status)");
		sql_lit(q, " WHERE t.tenant_id = ");
		sql_val(q, V_U(b->tenant_id));
		sql_lit(q, " AND t.status = ");
		sql_val(q, V_U(b->value));
		return;
	case BRANCH_SERVICE:
		sql_lit(q, "SELECT t.id AS id FROM incidents t FORCE INDEX (by_service_status)");
		sql_lit(q, " WHERE t.service_id = ");
		sql_val(q, V_U(b->value));
		sql_lit(q, " AND t.status = ");
		sql_val(q, V_U(b->status));
		return;
	default:
		sql_lit(q, "SELECT t.id AS id FROM incidents t FORCE INDEX (PRIMARY) WHERE TRUE");
	}
}

static void write_residual(struct sql *q, const struct plan *p, const struct branch *b)
{
	const struct incident_filter *f = p->filter;

	if (f->statuses && b->kind == BRANCH_ALL) {
		sql_lit(q, " AND 1 << t.status & ");
		sql_val(q, V_U(f->statuses));
	}
	if (f->levels) {
		sql_lit(q, " AND 1 << t.level & ");
		sql_val(q, V_U(f->levels));
	}
	write_source_of(q, &p->sources);
	if (p->assignee) {
		sql_lit(q, " AND t.assignee_id = ");
		sql_val(q, V_U(p->assignee));
	} else if (f->assignee.n) {
		sql_lit(q, " AND t.assignee_id IS NULL");
	}
	if (f->tests) {
		sql_lit(q, " AND 1 << t.is_test & ");
		sql_val(q, V_U(f->tests));
	}
	if (f->text.n) {
		sql_lit(q, " AND (t.dedup_key = ");
		sql_val(q, V_S(f->text));
		sql_lit(q, " OR t.title COLLATE utf8mb4_general_ci LIKE ");
		sql_val(q, V_S(like_part(q->text.arena, f->text)));
		sql_lit(q, ")");
	}
}

const struct list_table incident_table = {
	.name = "view.incident_list",
	.branch = write_branch,
	.residual = write_residual,
	.open = write_open,
	.close = write_close,
	.columns = incident_view_columns,
	.size = sizeof(struct incident_view),
};

static void plan_statuses(const struct incident_filter *f, struct plan *p)
{
	uint64_t want = f->statuses ? f->statuses : ANY_STATUS;

	for (unsigned s = INCIDENT_OPEN; s <= INCIDENT_RESOLVED; s++) {
		if (!(want & 1u << s))
			continue;
		plan_add(p, p->service ? BRANCH_SERVICE : BRANCH_STATUS, f->tenant_id, p->service ? p->service : s);
		p->branches[p->n - 1].status = s;
	}
}

bool incident_plan(struct db *db, struct arena *a, const struct incident_filter *f, struct plan *p, struct err *e)
{
	plan_init(p, f, f->from, f->to, f->cursor, f->limit);
	if (!find_source(db, a, f->tenant_id, f->provider, f->source, &p->sources, e) ||
		!find_service(db, a, f->tenant_id, f->service_id, f->service, &p->service, e) ||
		!find_assignee(db, a, f->tenant_id, f->assignee, &p->assignee, e))
		return false;
	p->residual = f->levels || names_sources(&p->sources) || f->assignee.n || f->text.n || f->tests;
	if (f->tenant_id || p->service) {
		plan_statuses(f, p);
	} else {
		plan_add(p, BRANCH_ALL, 0, 0);
		p->residual |= f->statuses != 0;
	}
	return true;
}

static const char *const actor_words[] = {
	[ACTOR_NONE] = NULL,
	[ACTOR_SENDER] = "sender",
	[ACTOR_SYSTEM] = "system",
	[ACTOR_PERSON] = "person",
};

static struct str actor_word(uint64_t actor)
{
	return str_of(actor < ARRAY_SIZE(actor_words) ? actor_words[actor] : NULL);
}

void incident_view_fill(struct incident_view *v)
{
	v->status = str_of(incident_status_word((enum incident_status)v->status_n));
	v->level = str_of(level_word((enum level)v->level_n));
	v->resolved_by = actor_word(v->resolved_by_n);
}

bool incident_view_list(struct db *db, struct arena *a, const struct incident_filter *f,
	struct incident_view **out, size_t *n, uint64_t *next, struct err *e)
{
	struct plan p;

	if (!incident_plan(db, a, f, &p, e) || !list_run(db, a, &incident_table, &p, out, n, next, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		incident_view_fill(&(*out)[i]);
	return true;
}

bool incident_view_counts(struct db *db, struct arena *a, const struct incident_filter *f,
	struct list_count out[INCIDENT_RESOLVED + 1], struct err *e)
{
	struct incident_filter one = *f;
	struct plan p;

	one.cursor = 0;
	out[INCIDENT_NONE] = (struct list_count){ 0 };
	for (unsigned s = INCIDENT_OPEN; s <= INCIDENT_RESOLVED; s++) {
		one.statuses = 1u << s;
		if (!incident_plan(db, a, &one, &p, e) || !list_counted(db, a, &incident_table, &p, &out[s], e))
			return false;
	}
	return true;
}

static const struct field selection_columns[] = {
	FIELD_U64(struct incident_selection, open, "open", ""),
	FIELD_U64(struct incident_selection, acknowledged, "acknowledged", ""),
	FIELD_U64(struct incident_selection, resolved, "resolved", ""),
	FIELD_U64(struct incident_selection, alerts, "alerts", ""),
	FIELD_END
};

bool incident_view_selection(struct db *db, struct arena *a, uint64_t tenant_id, struct str ids,
	struct incident_selection *out, struct err *e)
{
	*out = (struct incident_selection){ 0 };
	return db_query_one(db, &view_stmt[V_SELECTION], VALS(V_S(ids), V_U(tenant_id)), a, selection_columns, sizeof(*out), out,
		e) >= 0;
}

bool incident_view_held_by(struct db *db, struct arena *a, uint64_t hush, uint64_t limit, struct incident_view **out, size_t *n, struct err *e)
{
	if (!db_query(db, &view_stmt[V_HELD_BY], VALS(V_U(hush), V_U(limit)), a, incident_view_columns, sizeof(**out), out, n, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		incident_view_fill(&(*out)[i]);
	return true;
}

int incident_view_one(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t id,
	struct incident_view *out, struct err *e)
{
	int found = db_query_one(db, &view_stmt[V_INCIDENT], VALS(V_U(id)), a, incident_view_columns,
		sizeof(*out), out, e);

	if (found == 1 && tenant_id && out->tenant_id != tenant_id)
		return 0;
	if (found == 1)
		incident_view_fill(out);
	return found;
}

/* ---- one incident with what happened to it ---- */

static const struct field timeline_columns[] = {
	FIELD_U64(struct timeline_view, id, "id", ""),
	FIELD_U64(struct timeline_view, event_id, "event_id", ""),
	FIELD_STR(struct timeline_view, user, "user", ""),
	FIELD_STR(struct timeline_view, text, "text", ""),
	FIELD_STR(struct timeline_view, by_link, "by_link", ""),
	FIELD_U64(struct timeline_view, kind_n, "kind_n", ""),
	FIELD_U64(struct timeline_view, actor_n, "actor_n", ""),
	FIELD_U64(struct timeline_view, level_n, "level_n", ""),
	FIELD_TIME(struct timeline_view, at, "at", ""),
	FIELD_END
};

void timeline_view_fill(struct timeline_view *v)
{
	v->kind = str_of(timeline_word((unsigned)v->kind_n));
	v->actor = actor_word(v->actor_n);
	v->level = v->level_n ? str_of(level_word((enum level)(v->level_n - 1))) : STR_NONE;
}

/* The newest were read, newest first; people read a story from its beginning. */
static void oldest_first(struct timeline_view *rows, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct timeline_view swap = rows[i];

		rows[i] = rows[n - 1 - i];
		rows[n - 1 - i] = swap;
	}
}

struct count_row {
	uint64_t n;
};

static const struct field count_columns[] = { FIELD_U64(struct count_row, n, "n", ""), FIELD_END };

bool incident_open_count(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t *n, struct err *e)
{
	struct count_row row;
	int found = db_query_one(db, &view_stmt[V_OPEN_INCIDENTS], VALS(V_U(tenant_id), V_U(INCIDENT_COUNT_MAX)), a,
		count_columns, sizeof(row), &row, e);

	*n = found == 1 ? row.n : 0;
	return found >= 0;
}

int incident_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t id,
	struct incident_detail *out, struct err *e)
{
	int found;

	*out = (struct incident_detail){ 0 };
	found = incident_view_one(db, a, tenant_id, id, &out->incident, e);
	if (found != 1)
		return found;
	if (!db_query(db, &view_stmt[V_TIMELINE], VALS(V_U(id), V_U(INCIDENT_TIMELINE_MAX)), a,
			timeline_columns, sizeof(*out->timeline), &out->timeline, &out->timeline_n, e))
		return -1;
	for (size_t i = 0; i < out->timeline_n; i++)
		timeline_view_fill(&out->timeline[i]);
	oldest_first(out->timeline, out->timeline_n);
	return related_view_parts(db, a, id, &out->parts, &out->parts_n, e) &&
		alert_view_newest(db, a, id, out->parts, out->parts_n, &out->alerts, &out->alert_n, e) &&
		related_view_list(db, a, &out->incident, &out->related, &out->related_n, e) ? 1 : -1;
}
