/* monitor_cache.c - what was found out for the monitor, kept for half a minute where all hosts see it.
 *
 * Whoever changes something that the monitor counts drops what is kept of the tenant: by a number that goes up. What somebody is
 * just finding out is stored with the number as it was when he began, so it counts for nothing when it is stored. */
#include "store_int.h"

enum { Q_GET, Q_PUT, Q_DROP, Q_FORGET };

static const struct stmt stmts[] = {
	[Q_GET] = { "monitor_cache.get",
		"SELECT window_min, drops, made_at, facts FROM monitor_cache WHERE tenant_id = ? AND window_min IN (0, ?)" },
	[Q_PUT] = { "monitor_cache.put",
		"INSERT INTO monitor_cache (tenant_id, window_min, drops, made_at, facts) VALUES (?, ?, ?, ?, ?)"
		" ON DUPLICATE KEY UPDATE drops = VALUES(drops), made_at = VALUES(made_at), facts = VALUES(facts)" },
	[Q_DROP] = { "monitor_cache.drop",
		"INSERT INTO monitor_cache (tenant_id, window_min, drops, made_at) VALUES (?, 0, 1, 0), (0, 0, 1, 0)"
		" ON DUPLICATE KEY UPDATE drops = drops + 1" },
	/* The rows of window 0 have no time, so they are never too old. */
	[Q_FORGET] = { "monitor_cache.forget",
		"DELETE FROM monitor_cache WHERE made_at > 0 AND made_at < ? LIMIT ?" },
};
const struct stmt_table monitor_cache_stmts = { stmts, ARRAY_SIZE(stmts) };

#define FORGET_MS MS_PER_HOUR
#define FORGET_MAX 1000

struct row {
	uint64_t window_min, drops;
	ms_t made_at;
	struct str facts;
};

static const struct field fields[] = {
	FIELD_U64(struct row, window_min, "window_min", ""),
	FIELD_U64(struct row, drops, "drops", ""),
	FIELD_TIME(struct row, made_at, "made_at", ""),
	FIELD_STR(struct row, facts, "facts", ""),
	FIELD_END
};

int monitor_cache_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t window_min, ms_t now, struct monitor_cached *out,
	struct err *e)
{
	const struct row *kept = NULL;
	struct row *rows;
	size_t n;

	*out = (struct monitor_cached){ 0 };
	if (!db_query(db, &stmts[Q_GET], VALS(V_U(tenant_id), V_U(window_min)), a, fields, sizeof(*rows), &rows, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (rows[i].window_min)
			kept = &rows[i];
		else
			out->drops = rows[i].drops;
	/* One of the future was made by a clock that was wrong. */
	if (!kept || kept->drops != out->drops || kept->made_at > now || now - kept->made_at >= MONITOR_CACHE_MS)
		return 0;
	out->made_at = kept->made_at;
	out->facts = kept->facts;
	return 1;
}

bool monitor_cache_put(struct db *db, uint64_t tenant_id, uint64_t window_min, const struct monitor_cached *c, struct err *e)
{
	return db_exec(db, &stmts[Q_PUT], VALS(V_U(tenant_id), V_U(window_min), V_U(c->drops), V_I(c->made_at), V_S(c->facts)), NULL, e);
}

bool monitor_cache_drop(struct db *db, uint64_t tenant_id, struct err *e)
{
	return db_exec(db, &stmts[Q_DROP], VALS(V_U(tenant_id)), NULL, e);
}

bool monitor_cache_forget(struct db *db, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_FORGET], VALS(V_I(now - FORGET_MS), V_U(FORGET_MAX)), NULL, e);
}
