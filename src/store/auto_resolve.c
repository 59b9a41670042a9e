/* auto_resolve.c - incidents that the system may resolve or wake by itself. Finding reads without locks; incident_act and incident_edit decide. */
#include "store_int.h"

enum { Q_TESTS, Q_SILENT, Q_AWAKE };

static const struct stmt stmts[] = {
	[Q_TESTS] = { "auto_resolve.tests",
		"SELECT id, tenant_id, opened_at FROM incidents WHERE id > ? AND id < ? AND is_test = 1 AND status <> 3"
		" AND auto_resolved_at IS NULL ORDER BY id LIMIT ?" },
	/* The unresolved incidents of a service are its entries of one_open with a hash. That of a silence ends when its source is heard: no
	 * alert is what it is about. */
	[Q_SILENT] = { "auto_resolve.silent",
		"SELECT STRAIGHT_JOIN i.id, i.tenant_id, i.opened_at, v.auto_resolve_minutes AS minutes FROM services v"
		" JOIN incidents i FORCE INDEX (one_open) ON i.service_id = v.id AND i.open_hash IS NOT NULL"
		" WHERE v.auto_resolve_minutes > 0 AND i.last_alert_at <= ? - v.auto_resolve_minutes * 60000"
		" AND (i.auto_resolved_at IS NULL OR i.auto_resolved_at < i.last_alert_at)"
		" AND NOT EXISTS (SELECT 1 FROM sources s JOIN monitor_alerts m ON m.tenant_id = s.tenant_id AND m.running = 1"
		" AND m.type = '" STALE_ALERT "' AND m.subject = s.public_id WHERE s.id = i.source_id AND s.silence_incident = i.id) LIMIT ?", SCAN_OK },
	[Q_AWAKE] = { "auto_resolve.awake",
		"SELECT id, tenant_id, opened_at FROM incidents WHERE snoozed_until <= ? ORDER BY snoozed_until LIMIT ?" },
};
const struct stmt_table auto_resolve_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct overdue, id, "id", ""),
	FIELD_ID(struct overdue, tenant_id, "tenant_id", ""),
	FIELD_TIME(struct overdue, opened_at, "opened_at", ""),
	FIELD_U64(struct overdue, minutes, "minutes", ""),
	FIELD_END
};

bool overdue_tests(struct db *db, struct arena *a, uint64_t after, uint64_t below, size_t limit, struct overdue **out, size_t *n,
	struct err *e)
{
	return db_query(db, &stmts[Q_TESTS], VALS(V_U(after), V_U(below), V_U(limit)), a, fields, sizeof(**out), out, n, e);
}

bool overdue_silent(struct db *db, struct arena *a, ms_t now, size_t limit, struct overdue **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_SILENT], VALS(V_I(now), V_U(limit)), a, fields, sizeof(**out), out, n, e);
}

bool overdue_awake(struct db *db, struct arena *a, ms_t now, size_t limit, struct overdue **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_AWAKE], VALS(V_I(now), V_U(limit)), a, fields, sizeof(**out), out, n, e);
}
