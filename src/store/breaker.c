/* breaker.c - receivers that fail are left alone for a while, so that one that is down costs one probe now and then and not its whole backlog.
 *
 * The state is in the database, since its senders are: cron, dispatchers and web workers of all hosts. A receiver that works has no row, so
 * its success costs nothing; half open is no state of its own but an open breaker whose probe is due. */
#include "store_int.h"

enum { Q_GET, Q_PROBE, Q_CLOSE, Q_FAILED, Q_SOON, Q_MEND, Q_OPEN };

static const struct stmt stmts[] = {
	[Q_GET] = { "breaker.get",
		"SELECT kind, target_id, failures, opened_at, probe_at, error FROM breakers WHERE kind = ? AND target_id = ?" },
	[Q_PROBE] = { "breaker.probe",
		"UPDATE breakers SET probe_at = ? WHERE kind = ? AND target_id = ? AND probe_at = ? AND opened_at IS NOT NULL" },
	[Q_CLOSE] = { "breaker.close", "DELETE FROM breakers WHERE kind = ? AND target_id = ?" },
	/* Assignments go from left to right: the first one counts, the later ones look at the sum. An attempt that was under way when it
	 * opened moves nothing. */
	[Q_FAILED] = { "breaker.failed",
		"INSERT INTO breakers (kind, target_id, failures, error, updated_at) VALUES (?, ?, 1, ?, ?) ON DUPLICATE KEY UPDATE"
		" failures = LEAST(failures + 1, 1000000), error = VALUES(error), updated_at = VALUES(updated_at),"
		" wait_ms = IF(failures < ?, 0, IF(opened_at IS NULL, ?, IF(?, LEAST(2 * wait_ms, ?), wait_ms))),"
		" probe_at = IF(failures < ?, 0, IF(opened_at IS NULL OR ?, ? + wait_ms, probe_at)),"
		" opened_at = IF(failures < ?, NULL, COALESCE(opened_at, ?))" },
	[Q_SOON] = { "breaker.probe_soon",
		"UPDATE breakers SET probe_at = LEAST(probe_at, ?) WHERE kind = ? AND target_id = ? AND opened_at IS NOT NULL" },
	/* Receivers that fail are few. */
	[Q_MEND] = { "breaker.mend", "UPDATE breakers SET probe_at = ? WHERE probe_at > ? AND opened_at IS NOT NULL", SCAN_OK },
	[Q_OPEN] = { "breaker.open",
		"SELECT STRAIGHT_JOIN b.target_id, s.tenant_id, s.public_id, s.name, b.error, b.opened_at FROM breakers b JOIN sources s ON s.id = b.target_id"
		" WHERE b.kind = 1 AND b.opened_at IS NOT NULL AND (? = 0 OR s.tenant_id = ?) ORDER BY b.opened_at LIMIT ?" },
};
const struct stmt_table breaker_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_U64(struct breaker, kind, "kind", ""),
	FIELD_ID(struct breaker, target_id, "target_id", ""),
	FIELD_U64(struct breaker, failures, "failures", ""),
	FIELD_TIME(struct breaker, opened_at, "opened_at", ""),
	FIELD_TIME(struct breaker, probe_at, "probe_at", ""),
	FIELD_STR(struct breaker, error, "error", ""),
	FIELD_END
};

int breaker_get(struct db *db, struct arena *a, enum breaker_kind kind, uint64_t target_id, struct breaker *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_GET], VALS(V_U(kind), V_U(target_id)), a, fields, sizeof(*out), out, e);
}

int breaker_probe(struct db *db, const struct breaker *seen, ms_t until, struct err *e)
{
	uint64_t matched;

	if (!db_exec(db, &stmts[Q_PROBE], VALS(V_I(until), V_U(seen->kind), V_U(seen->target_id), V_I(seen->probe_at)), &matched, e))
		return db_trouble(db) == DB_CONFLICT ? 0 : -1;
	return matched == 1;
}

bool breaker_succeeded(struct db *db, enum breaker_kind kind, uint64_t target_id, struct err *e)
{
	return db_exec(db, &stmts[Q_CLOSE], VALS(V_U(kind), V_U(target_id)), NULL, e);
}

bool breaker_failed(struct db *db, enum breaker_kind kind, uint64_t target_id, bool probe, struct str error, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_FAILED],
		VALS(V_U(kind), V_U(target_id), V_S(str_cut(error, 255)), V_I(now), V_U(BREAKER_OPENS_AT), V_I(BREAKER_WAIT_MS), V_U(probe),
			V_I(BREAKER_WAIT_MAX_MS), V_U(BREAKER_OPENS_AT), V_U(probe), V_I(now), V_U(BREAKER_OPENS_AT), V_I(now)),
		NULL, e);
}

int breaker_probe_soon(struct db *db, enum breaker_kind kind, uint64_t target_id, ms_t now, struct err *e)
{
	uint64_t matched;

	if (!db_exec(db, &stmts[Q_SOON], VALS(V_I(now), V_U(kind), V_U(target_id)), &matched, e))
		return -1;
	return matched == 1;
}

/* No wait and no lease is that long. */
#define LATEST_MS (2 * BREAKER_WAIT_MAX_MS)

bool breaker_mend(struct db *db, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_MEND], VALS(V_I(now), V_I(now + LATEST_MS)), NULL, e);
}

static const struct field open_fields[] = {
	FIELD_ID(struct breaker_open, target_id, "target_id", ""),
	FIELD_ID(struct breaker_open, tenant_id, "tenant_id", ""),
	FIELD_STR(struct breaker_open, public_id, "public_id", ""),
	FIELD_STR(struct breaker_open, name, "name", ""),
	FIELD_STR(struct breaker_open, error, "error", ""),
	FIELD_TIME(struct breaker_open, opened_at, "opened_at", ""),
	FIELD_END
};

bool breakers_open(struct db *db, struct arena *a, uint64_t tenant_id, size_t limit, struct breaker_open **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_OPEN], VALS(V_U(tenant_id), V_U(tenant_id), V_U(limit)), a, open_fields, sizeof(**out), out, n, e);
}
