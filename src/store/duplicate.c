/* duplicate.c - what tells that the same thing came twice: repeats that were noticed, ids, and bodies.
 *
 * There is no index of event ids across sources, nor of bodies: nothing else asks for them. So this looks at the newest events of a tenant, a
 * number that the caller bounds, and finds what is equal among these. */
#include "store_int.h"

enum { Q_RECENT, Q_REPEATED, Q_BODY_HASHES };

/* The newest of a tenant, whatever their status: each index range ends by itself. */
#define NEWEST(status) \
	"(SELECT id FROM events FORCE INDEX (by_status) WHERE tenant_id = ? AND status = " #status " AND id >= ? AND is_test = 0 ORDER BY id DESC LIMIT ?)"

static const struct stmt stmts[] = {
	[Q_RECENT] = { "duplicate.recent",
		"SELECT STRAIGHT_JOIN e.id, e.event_id, e.request_id, s.public_id AS source_id, s.provider, COALESCE(r.body_bytes, 0) AS body_bytes FROM ("
		NEWEST(0) " UNION ALL " NEWEST(1) " UNION ALL " NEWEST(2) " UNION ALL " NEWEST(3) " UNION ALL " NEWEST(4) " UNION ALL " NEWEST(5)
		" ORDER BY id DESC LIMIT ?) k JOIN events e FORCE INDEX (PRIMARY) ON e.id = k.id JOIN sources s ON s.id = e.source_id"
		" LEFT JOIN requests r ON r.id = e.request_id ORDER BY e.id", SCAN_OK },
	[Q_REPEATED] = { "duplicate.repeated",
		"SELECT STRAIGHT_JOIN e.id, e.event_id, e.request_id, s.public_id AS source_id, s.provider, m.n AS repeats FROM (SELECT event_id, COUNT(*) AS n"
		" FROM (SELECT event_id FROM request_marks WHERE tenant_id = ? AND kind = 2 AND id >= ? ORDER BY id DESC LIMIT ?) x"
		" WHERE event_id IS NOT NULL GROUP BY event_id ORDER BY n DESC, event_id DESC LIMIT ?) m"
		" JOIN events e FORCE INDEX (PRIMARY) ON e.id = m.event_id AND e.is_test = 0 JOIN sources s ON s.id = e.source_id ORDER BY m.n DESC, e.id DESC", SCAN_OK },
	[Q_BODY_HASHES] = { "duplicate.body_hashes",
		"SELECT STRAIGHT_JOIN r.id AS request_id, UNHEX(SHA2(r.body, 256)) AS hash FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) j JOIN requests r FORCE INDEX (PRIMARY) ON r.id = j.id",
		SCAN_OK },
};
const struct stmt_table duplicate_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field trace_fields[] = {
	FIELD_ID(struct duplicate_trace, id, "id", ""),
	FIELD_ID(struct duplicate_trace, request_id, "request_id", ""),
	FIELD_STR(struct duplicate_trace, event_id, "event_id", ""),
	FIELD_STR(struct duplicate_trace, source_id, "source_id", ""),
	FIELD_STR(struct duplicate_trace, provider, "provider", ""),
	FIELD_U64(struct duplicate_trace, body_bytes, "body_bytes", ""),
	FIELD_U64(struct duplicate_trace, repeats, "repeats", ""),
	FIELD_STR(struct duplicate_trace, hash, "hash", ""),
	FIELD_END
};

bool duplicate_recent(struct db *db, struct arena *a, uint64_t tenant_id, ms_t since, size_t limit, struct duplicate_trace **out, size_t *n, struct err *e)
{
	const struct val t = V_U(tenant_id), from = V_U(id_floor(since)), most = V_U(limit);

	return db_query(db, &stmts[Q_RECENT], VALS(t, from, most, t, from, most, t, from, most, t, from, most, t, from, most, t, from, most, most),
		a, trace_fields, sizeof(**out), out, n, e);
}

bool duplicate_repeated(struct db *db, struct arena *a, uint64_t tenant_id, ms_t since, size_t look, size_t limit, struct duplicate_trace **out, size_t *n,
	struct err *e)
{
	return db_query(db, &stmts[Q_REPEATED], VALS(V_U(tenant_id), V_U(id_floor(since)), V_U(look), V_U(limit)), a, trace_fields, sizeof(**out),
		out, n, e);
}

bool duplicate_bodies(struct db *db, struct arena *a, struct str ids, struct duplicate_trace **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_BODY_HASHES], VALS(V_S(ids)), a, trace_fields, sizeof(**out), out, n, e);
}
