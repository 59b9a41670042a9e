/* event.c - the list of events.
 *
 * Which index: rare statuses (waiting, failed) by status; else the sources that provider, source
 * and service name, when they are few; else all statuses of the tenant. So the list of one tenant
 * among many, or of one quiet provider beside a loud one, never walks through the others' rows.
 *
 * A text that is the id of an event finds just that event, by the index of ids, however old it is; any
 * other text is looked for in the rows passed on the way. Payloads are not: they would have to be read. */
#include <assert.h>

#include "view_int.h"

#define ANY_STATUS ((1u << (EVENT_IGNORED + 1)) - 1)
#define RARE_STATUS \
	(1u << EVENT_PENDING | 1u << EVENT_PROCESSING | 1u << EVENT_FAILED | 1u << EVENT_DEAD)

const struct field event_view_fields[] = {
	FIELD_ID(struct event_view, id, "id", "Our number of the event"),
	FIELD_STR(struct event_view, event_id, "eventId",
		"What the provider calls it, or the id derived from its content"),
	FIELD_STR(struct event_view, source_id, "sourceId",
		"The integration or registration it came in by"),
	FIELD_STR(struct event_view, provider, "provider", "Provider slug"),
	FIELD_STR(struct event_view, event_type, "eventType", "Type as the provider names it"),
	FIELD_STR(struct event_view, entity_type, "entityType", "Kind of thing it is about"),
	FIELD_STR(struct event_view, entity_id, "entityId", "The thing it is about"),
	FIELD_STR(struct event_view, action, "action", "trigger, acknowledge, resolve or ignore"),
	FIELD_STR(struct event_view, severity, "severity", "critical, error, warning or info"),
	FIELD_STR(struct event_view, native_severity, "nativeSeverity", "Severity as received"),
	FIELD_STR(struct event_view, dedup_key, "dedupKey",
		"Alerts with this key join one incident"),
	FIELD_STR(struct event_view, summary, "summary", "What happened, in a line"),
	FIELD_TIME(struct event_view, occurred_at, "occurredAt", "By the clock of the sender"),
	FIELD_STR(struct event_view, status, "status", "pending, processing, processed, failed, "
		"dead or ignored"),
	FIELD_BOOL(struct event_view, processed, "processed",
		"Nothing is left to do: processed or ignored"),
	FIELD_U64(struct event_view, attempts, "attempts",
		"Starts of its actions; a first success is 1"),
	FIELD_STR(struct event_view, error, "error", "Of the last attempt"),
	FIELD_U64(struct event_view, duplicates, "duplicates",
		"Redeliveries since the first receipt"),
	FIELD_BOOL(struct event_view, is_test, "isTest", "Test traffic"),
	FIELD_ID(struct event_view, incident_id, "incidentId", "The incident it opened or joined"),
	FIELD_TIME(struct event_view, received_at, "receivedAt", "First receipt"),
	FIELD_TIME(struct event_view, processed_at, "processedAt", "End of its actions"),
	FIELD_TIME(struct event_view, last_attempt_at, "lastAttemptAt",
		"Last start of its actions"),
	FIELD_TIME(struct event_view, updated_at, "updatedAt", "Last change of this record"),
	FIELD_END
};

/* Columns of the statements below, by alias. */
const struct field event_columns[] = {
	FIELD_U64(struct event_view, id, "id", ""),
	FIELD_U64(struct event_view, tenant_id, "tenant_id", ""),
	FIELD_U64(struct event_view, source_row, "source_row", ""),
	FIELD_U64(struct event_view, request_id, "request_id", ""),
	FIELD_U64(struct event_view, element, "element", ""),
	FIELD_STR(struct event_view, event_id, "event_id", ""),
	FIELD_STR(struct event_view, source_id, "source_id", ""),
	FIELD_STR(struct event_view, provider, "provider", ""),
	FIELD_STR(struct event_view, event_type, "event_type", ""),
	FIELD_STR(struct event_view, entity_type, "entity_type", ""),
	FIELD_STR(struct event_view, entity_id, "entity_id", ""),
	FIELD_STR(struct event_view, native_severity, "native_severity", ""),
	FIELD_STR(struct event_view, dedup_key, "dedup_key", ""),
	FIELD_STR(struct event_view, summary, "summary", ""),
	FIELD_STR(struct event_view, service, "service", ""),
	FIELD_STR(struct event_view, origin, "origin", ""),
	FIELD_STR(struct event_view, error, "error", ""),
	FIELD_U64(struct event_view, attempts, "attempts", ""),
	FIELD_U64(struct event_view, duplicates, "duplicates", ""),
	FIELD_U64(struct event_view, incident_id, "incident_id", ""),
	FIELD_BOOL(struct event_view, is_test, "is_test", ""),
	FIELD_TIME(struct event_view, occurred_at, "occurred_at", ""),
	FIELD_TIME(struct event_view, received_at, "received_at", ""),
	FIELD_TIME(struct event_view, processed_at, "processed_at", ""),
	FIELD_TIME(struct event_view, updated_at, "updated_at", ""),
	FIELD_U64(struct event_view, action_n, "action_n", ""),
	FIELD_U64(struct event_view, severity_n, "severity_n", ""),
	FIELD_U64(struct event_view, level_n, "level_n", ""),
	FIELD_U64(struct event_view, status_n, "status_n", ""),
	FIELD_END
};

/* The rows of the page are read by their ids once the ids are known, so that passing rows costs no
 * more than the index. */
static void write_open(struct sql *q)
{
	sql_lit(q, "SELECT " EVENT_COLUMNS " FROM (");
}

static void write_close(struct sql *q)
{
	sql_lit(q, ") k JOIN events e ON e.id = k.id" EVENT_JOINS " ORDER BY e.id DESC");
}

static void write_branch(struct sql *q, const struct branch *b)
{
	switch (b->kind) {
	case BRANCH_ALL:
		sql_lit(q, "SELECT t.id AS id FROM events t FORCE INDEX (PRIMARY) WHERE TRUE");
		return;
	case BRANCH_STATUS:
		sql_lit(q, "SELECT t.id AS id FROM events t FORCE INDEX (by_status)");
		sql_lit(q, " WHERE t.tenant_id = ");
		sql_val(q, V_U(b->tenant_id));
		sql_lit(q, " AND t.status = ");
		sql_val(q, V_U(b->value));
		return;
	case BRANCH_SOURCE:
		sql_lit(q, "SELECT t.id AS id FROM events t FORCE INDEX (by_source)");
		sql_lit(q, " WHERE t.source_id = ");
		sql_val(q, V_U(b->value));
		return;
	case BRANCH_ID:
		sql_lit(q, "SELECT t.id AS id FROM events t FORCE INDEX (PRIMARY) WHERE t.id = ");
		sql_val(q, V_U(b->value));
		return;
	default:
		assert(!"no such branch of events");
	}
}

static void write_text(struct sql *q, struct str text)
{
	struct val part = V_S(like_part(q->text.arena, text));

	sql_lit(q, " AND (t.dedup_key = ");
	sql_val(q, V_S(text));
	sql_lit(q, " OR t.summary COLLATE utf8mb4_general_ci LIKE ");
	sql_val(q, part);
	sql_lit(q, " OR t.event_type COLLATE utf8mb4_general_ci LIKE ");
	sql_val(q, part);
	sql_lit(q, ")");
}

static void write_residual(struct sql *q, const struct plan *p, const struct branch *b)
{
	const struct event_filter *f = p->filter;

	if (f->statuses && b->kind != BRANCH_STATUS) {
		sql_lit(q, " AND 1 << t.status & ");
		sql_val(q, V_U(f->statuses));
	}
	if (b->kind != BRANCH_SOURCE)
		write_source_of(q, &p->sources);
	if (f->severities) {
		sql_lit(q, " AND 1 << t.severity & ");
		sql_val(q, V_U(f->severities));
	}
	if (f->type.n) {
		sql_lit(q, " AND t.event_type = ");
		sql_val(q, V_S(f->type));
	}
	if (f->text.n && b->kind != BRANCH_ID)
		write_text(q, f->text);
}

const struct list_table event_table = {
	.name = "view.event_list",
	.branch = write_branch,
	.residual = write_residual,
	.open = write_open,
	.close = write_close,
	.columns = event_columns,
	.size = sizeof(struct event_view),
};

/* ---- the plan ---- */

static const struct field id_columns[] = {
	FIELD_U64(struct id_row, id, "id", ""),
	FIELD_END
};

/* Events of that id, the provider's or ours. Of a derived id that came again later, the newest event. */
static void write_ids(struct sql *q, const struct event_filter *f)
{
	unsigned char hash[KEY_HASH_BYTES];
	uint64_t ours = 0;

	key_hash(f->text, hash);
	sql_lit(q, "SELECT i.event_id AS id FROM sources s JOIN event_ids i ON i.source_id = s.id AND i.id_hash = ");
	sql_val(q, V_B(arena_str(q->text.arena, (struct str){ (const char *)hash, sizeof(hash) })));
	if (f->tenant_id) {
		sql_lit(q, " WHERE s.tenant_id = ");
		sql_val(q, V_U(f->tenant_id));
	}
	if (str_u64(f->text, &ours) && ours <= INT64_MAX) {
		sql_lit(q, " UNION SELECT e.id AS id FROM events e WHERE e.id = ");
		sql_val(q, V_U(ours));
		if (f->tenant_id) {
			sql_lit(q, " AND e.tenant_id = ");
			sql_val(q, V_U(f->tenant_id));
		}
	}
	sql_lit(q, " LIMIT ");
	sql_val(q, V_U(LIST_BRANCHES_MAX + 1));
}

static bool plan_ids(struct db *db, struct arena *a, const struct event_filter *f, struct plan *p, bool *done, struct err *e)
{
	struct id_row *rows = NULL;
	size_t n = 0;
	struct sql q;

	sql_init(&q, a);
	write_ids(&q, f);
	if (!db_query_sql(db, "view.event_ids", &q, a, id_columns, sizeof(*rows), &rows, &n, e))
		return false;
	*done = n > 0 && n <= LIST_BRANCHES_MAX;
	for (size_t i = 0; *done && i < n; i++)
		plan_add(p, BRANCH_ID, 0, rows[i].id);
	return true;
}

static void plan_statuses(const struct event_filter *f, struct plan *p)
{
	uint64_t want = f->statuses ? f->statuses : ANY_STATUS;

	for (unsigned s = 0; s <= EVENT_IGNORED; s++)
		if (want & 1u << s)
			plan_add(p, BRANCH_STATUS, f->tenant_id, s);
}

bool event_plan(struct db *db, struct arena *a, const struct event_filter *f, struct plan *p,
	struct err *e)
{
	bool rare = f->tenant_id && f->statuses && !(f->statuses & ~(uint64_t)RARE_STATUS);
	bool more = f->severities || f->type.n || f->text.n;
	bool done = false;

	plan_init(p, f, f->from, f->to, f->cursor, f->limit);
	p->sources = (struct source_filter){ .tenant_id = f->tenant_id };
	if (!find_source(db, a, f->tenant_id, f->provider, f->source, &p->sources, e) ||
		!find_service(db, a, f->tenant_id, f->service_id, f->service, &p->sources.service, e))
		return false;
	if (f->text.n && !plan_ids(db, a, f, p, &done, e))
		return false;
	if (done)
		return true;
	if (names_sources(&p->sources) && !rare && !plan_sources(db, a, p, &done, e))
		return false;
	if (done) {
		p->residual = more || f->statuses;
		return true;
	}
	if (f->tenant_id)
		plan_statuses(f, p);
	else
		plan_add(p, BRANCH_ALL, 0, 0);
	p->residual = more || names_sources(&p->sources) || (f->statuses && !f->tenant_id);
	return true;
}

/* ---- words ---- */

void event_view_words(struct event_view *v)
{
	struct str *maybe[] = { &v->entity_type, &v->entity_id, &v->native_severity, &v->dedup_key,
		&v->service, &v->origin, &v->error };

	for (size_t i = 0; i < ARRAY_SIZE(maybe); i++)
		null_if_empty(maybe[i]);
	v->action = str_of(action_word((enum action)v->action_n));
	v->severity = str_of(severity_word((enum severity)v->severity_n));
	v->level = str_of(level_word((enum level)v->level_n));
	v->status = str_of(event_status_word((enum event_status)v->status_n));
	v->processed = v->status_n == EVENT_PROCESSED || v->status_n == EVENT_IGNORED;
	if (!v->processed)
		v->processed_at = 0;	/* it is replayed */
	/* A start and its end are one transaction; only its end is stored. */
	if (v->attempts)
		v->last_attempt_at = v->processed_at ? v->processed_at : v->updated_at;
}

bool event_view_list(struct db *db, struct arena *a, const struct event_filter *f,
	struct event_view **out, size_t *n, uint64_t *next, struct err *e)
{
	struct plan p;

	if (!event_plan(db, a, f, &p, e) || !list_run(db, a, &event_table, &p, out, n, next, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		event_view_words(&(*out)[i]);
	return true;
}

bool event_view_count(struct db *db, struct arena *a, const struct event_filter *f, struct list_count *out, struct err *e)
{
	struct event_filter whole = *f;
	struct plan p;

	whole.cursor = 0;
	return event_plan(db, a, &whole, &p, e) && list_counted(db, a, &event_table, &p, out, e);
}

/* ---- walking through all of them ---- */

const struct field event_filter_fields[] = {
	FIELD_U64(struct event_filter, tenant_id, "tenant", ""),
	FIELD_U64(struct event_filter, statuses, "statuses", ""),
	FIELD_U64(struct event_filter, severities, "severities", ""),
	FIELD_STR(struct event_filter, provider, "provider", ""),
	FIELD_STR(struct event_filter, source, "source", ""),
	FIELD_STR(struct event_filter, service_id, "serviceId", ""),
	FIELD_STR(struct event_filter, service, "service", ""),
	FIELD_STR(struct event_filter, type, "type", ""),
	FIELD_STR(struct event_filter, text, "text", ""),
	FIELD_TIME(struct event_filter, from, "from", ""),
	FIELD_TIME(struct event_filter, to, "to", ""),
	FIELD_END
};

bool event_view_walk(struct db *db, struct arena *a, const struct event_filter *f, struct event_walk *w, struct err *e)
{
	struct event_filter whole = *f;
	struct id_row *rows;
	struct plan p;

	whole.cursor = 0;
	whole.limit = w->limit;
	w->n = 0;
	if (!event_plan(db, a, &whole, &p, e))
		return false;
	if (p.from <= w->after)
		p.from = w->after + 1;
	if (!list_walk(db, a, &event_table, &p, &rows, &w->n, &w->after, &w->end, e))
		return false;
	w->ids = ARENA_ARRAY(a, uint64_t, w->n);
	for (size_t i = 0; i < w->n; i++)
		w->ids[i] = rows[i].id;
	return true;
}
