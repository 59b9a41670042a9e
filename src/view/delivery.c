/* delivery.c - the request log of one source, accepted and refused ones alike. */
#include "view_int.h"

const struct field delivery_view_fields[] = {
	FIELD_ID(struct delivery_view, id, "id", "Our number of the request"),
	FIELD_U64(struct delivery_view, status_code, "statusCode", "What was answered"),
	FIELD_STR(struct delivery_view, error_message, "errorMessage", "Why it was refused"),
	FIELD_TIME(struct delivery_view, created_at, "createdAt", "Receipt"),
	FIELD_ID(struct delivery_view, alert_id, "alertId",
		"The alert that its first event became"),
	FIELD_ID(struct delivery_view, event_id, "eventId",
		"Its first event, or the one it repeats"),
	FIELD_U64(struct delivery_view, duration_ms, "durationMs", "Receipt to storing"),
	FIELD_STR(struct delivery_view, remote_addr, "remoteAddr", "The sender's address"),
	FIELD_BOOL(struct delivery_view, is_duplicate, "isDuplicate", "All its events were known"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_U64(struct delivery_view, id, "id", ""),
	FIELD_U64(struct delivery_view, status_code, "status_code", ""),
	FIELD_STR(struct delivery_view, error_message, "error_message", ""),
	FIELD_U64(struct delivery_view, alert_id, "alert_id", ""),
	FIELD_U64(struct delivery_view, event_id, "event_id", ""),
	FIELD_U64(struct delivery_view, duration_us, "duration_us", ""),
	FIELD_STR(struct delivery_view, remote_addr, "remote_addr", ""),
	FIELD_BOOL(struct delivery_view, is_duplicate, "is_duplicate", ""),
	FIELD_END
};

/* Bodies are not read here: they stand in the same row but, beyond a few KiB, on pages of their
 * own. The alert: see ALERT_NEAR_MS. */
static void write_open(struct sql *q)
{
	sql_lit(q, "SELECT r.id, r.status AS status_code, r.reason AS error_message, r.event_id,"
		" r.duration_us, r.remote_addr, r.is_duplicate, (SELECT a.id FROM events e"
		" JOIN alerts a ON a.incident_id = e.incident_id AND a.id >= e.id");
	sql_lit(q, " AND a.id < e.id + ");
	sql_val(q, V_U((uint64_t)ALERT_NEAR_MS << 22));
	sql_lit(q, " AND a.event_id = e.id WHERE e.id = r.event_id LIMIT 1) AS alert_id FROM (");
}

static void write_close(struct sql *q)
{
	sql_lit(q, ") k JOIN requests r ON r.id = k.id ORDER BY r.id DESC");
}

static void write_branch(struct sql *q, const struct branch *b)
{
	sql_lit(q,
		"SELECT t.id AS id FROM requests t FORCE INDEX (by_source) WHERE t.source_id = ");
	sql_val(q, V_U(b->value));
}

static void write_residual(struct sql *q, const struct plan *p, const struct branch *b)
{
}

const struct list_table delivery_table = {
	.name = "view.delivery_list",
	.branch = write_branch,
	.residual = write_residual,
	.open = write_open,
	.close = write_close,
	.columns = columns,
	.size = sizeof(struct delivery_view),
};

bool delivery_view_list(struct db *db, struct arena *a, uint64_t source_row, uint64_t cursor,
	uint64_t limit, struct delivery_view **out, size_t *n, uint64_t *next, struct err *e)
{
	struct plan p;

	plan_init(&p, NULL, 0, 0, cursor, limit);
	plan_add(&p, BRANCH_SOURCE, 0, source_row);
	if (!list_run(db, a, &delivery_table, &p, out, n, next, e))
		return false;
	for (size_t i = 0; i < *n; i++) {
		struct delivery_view *v = &(*out)[i];

		v->duration_ms = v->duration_us / 1000;
		v->created_at = id_time(v->id);
	}
	return true;
}
