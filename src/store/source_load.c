/* source_load.c - sources as ingest knows them: with opened secrets, many in one round trip.
 *
 * A batch names its sources in three ways (id in the URL, routing key in the body, provider alone), so one statement takes
 * three JSON arrays and joins each to its own key; routing keys also to that of the keys before a rotation. One row comes back for each secret; rows of one source follow
 * each other, newest secret first.
 *
 * A secret that does not open (its key was taken out of the key file, or the row was tampered with) must not make the
 * source weaker, nor the others of the batch fail: random bytes stand in its place, so that no signature matches it. */
#include "store_int.h"

enum { Q_SOME, Q_ALL, Q_STAMP };

/* Who is told of what in the tenant of `s`: bits of channels.events, 2 also where a service has its own channels or a policy, 2 and 8 for endpoints
 * that hear of incidents and of events, and 2 where a window or silence is not over: that it holds something back stands in timelines, though nobody
 * listens. One condition: now. */
#define TOLD \
	"COALESCE((SELECT BIT_OR(c.events) FROM channels c WHERE c.tenant_id = s.tenant_id AND c.enabled = 1), 0)" \
	" | IF(EXISTS (SELECT 1 FROM services y WHERE y.tenant_id = s.tenant_id AND y.deleted_at IS NULL AND (y.policy_id IS NOT NULL" \
	" OR EXISTS (SELECT 1 FROM service_channels z WHERE z.service_id = y.id))), 2, 0)" \
	" | IF(EXISTS (SELECT 1 FROM endpoints p WHERE p.tenant_id = s.tenant_id AND p.live = 1 AND p.enabled = 1" \
	" AND (INSTR(p.events, 'incident.') OR FIND_IN_SET('*', p.events))), 2, 0)" \
	" | IF(EXISTS (SELECT 1 FROM endpoints p WHERE p.tenant_id = s.tenant_id AND p.live = 1 AND p.enabled = 1" \
	" AND (INSTR(p.events, 'event.') OR FIND_IN_SET('*', p.events))), 8, 0)" \
	" | IF(EXISTS (SELECT 1 FROM hushes h WHERE h.tenant_id = s.tenant_id AND h.over_at > ?), 2, 0)"

/* Conditions: now, those of `ids`, now. STRAIGHT_JOIN: the ids are few, and everything else is found through them. */
#define SELECT_LIVE(ids) \
	"SELECT STRAIGHT_JOIN s.id, s.tenant_id, s.kind, s.service_id, s.actions, s.forward_mode, " TOLD " AS told," \
	" COALESCE(s.rate_per_minute, 4294967295) AS rate_per_minute, s.public_id, s.provider, s.name," \
	" v.name AS service_name, s.allowed_ips, s.settings, s.enabled, s.is_default, s.require_key, s.route_by_service," \
	" s.key_hash, s.key_old_hash, s.key_old_until, s.verified_at, s.disconnected_at, x.sealed, x.expires_at AS secret_until, IF(s.route_by_service," \
	" (SELECT JSON_ARRAYAGG(JSON_OBJECT('id', o.id, 'name', o.name, 'aliases', JSON_COMPACT(o.aliases)))" \
	" FROM services o WHERE o.tenant_id = s.tenant_id AND o.deleted_at IS NULL), NULL) AS services FROM (" ids ") w JOIN sources s ON s.id = w.id JOIN services v ON v.id = s.service_id" \
	" LEFT JOIN source_secrets x ON x.source_id = s.id AND (x.expires_at IS NULL OR x.expires_at > ?)" \
	" WHERE s.deleted_at IS NULL ORDER BY s.id, x.created_at DESC, x.id DESC"

/* 255 and not the length of the column: a longer text is cut to it and must not become equal to an id by that. */
#define IDS_BY(condition) \
	"SELECT s.id FROM JSON_TABLE(?, '$[*]' COLUMNS (v VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$')) j" \
	" JOIN sources s ON " condition

static const struct stmt stmts[] = {
	[Q_SOME] = { "source_load.some",
		SELECT_LIVE(IDS_BY("s.public_id = j.v")
			" UNION " IDS_BY("s.key_hash = UNHEX(j.v)")
			" UNION " IDS_BY("s.key_old_hash = UNHEX(j.v)")
			" UNION " IDS_BY("s.tenant_id = 1 AND s.default_for = j.v")) },
	[Q_ALL] = { "source_load.all",
		SELECT_LIVE("SELECT id FROM sources WHERE deleted_at IS NULL ORDER BY id LIMIT ?"), SCAN_OK },
	/* A sum and not the largest: the clocks of hosts differ. Services are routed to by name, channels and endpoints are told, hushes hold back. */
	[Q_STAMP] = { "source_load.stamp",
		"SELECT CAST(SUM(stamp) AS UNSIGNED) AS stamp FROM (SELECT COUNT(*) + COALESCE(SUM(updated_at), 0) AS stamp FROM sources"
		" UNION ALL SELECT COUNT(*) + COALESCE(SUM(updated_at), 0) FROM services"
		" UNION ALL SELECT COUNT(*) + COALESCE(SUM(updated_at), 0) FROM channels"
		" UNION ALL SELECT COUNT(*) + COALESCE(SUM(updated_at), 0) FROM endpoints"
		" UNION ALL SELECT COUNT(*) + COALESCE(SUM(updated_at), 0) FROM hushes WHERE over_at > ?) x", SCAN_OK },
};
const struct stmt_table source_load_stmts = { stmts, ARRAY_SIZE(stmts) };

struct row {
	struct live_source source;
	struct str sealed;	/* p NULL: it has no secret */
	ms_t secret_until;
};

static const struct field fields[] = {
	FIELD_ID(struct row, source.id, "id", ""),
	FIELD_ID(struct row, source.tenant_id, "tenant_id", ""),
	FIELD_U64(struct row, source.kind, "kind", ""),
	FIELD_ID(struct row, source.service_id, "service_id", ""),
	FIELD_U64(struct row, source.actions, "actions", ""),
	FIELD_U64(struct row, source.forward_mode, "forward_mode", ""),
	FIELD_U64(struct row, source.told, "told", ""),
	FIELD_U64(struct row, source.rate_per_minute, "rate_per_minute", ""),
	FIELD_STR(struct row, source.public_id, "public_id", ""),
	FIELD_STR(struct row, source.provider, "provider", ""),
	FIELD_STR(struct row, source.name, "name", ""),
	FIELD_STR(struct row, source.service_name, "service_name", ""),
	FIELD_STR(struct row, source.allowed_ips, "allowed_ips", ""),
	FIELD_STR(struct row, source.settings, "settings", ""),
	FIELD_STR(struct row, source.services, "services", ""),
	FIELD_BOOL(struct row, source.enabled, "enabled", ""),
	FIELD_BOOL(struct row, source.is_default, "is_default", ""),
	FIELD_BOOL(struct row, source.require_key, "require_key", ""),
	FIELD_BOOL(struct row, source.route_by_service, "route_by_service", ""),
	FIELD_STR(struct row, source.key_hash, "key_hash", ""),
	FIELD_STR(struct row, source.key_old_hash, "key_old_hash", ""),
	FIELD_TIME(struct row, source.key_old_until, "key_old_until", ""),
	FIELD_TIME(struct row, source.verified_at, "verified_at", ""),
	FIELD_TIME(struct row, source.disconnected_at, "disconnected_at", ""),
	FIELD_STR(struct row, sealed, "sealed", ""),
	FIELD_TIME(struct row, secret_until, "secret_until", ""),
	FIELD_END
};

static struct str never_matching(struct arena *a)
{
	unsigned char *p = arena_alloc(a, SHA256_BYTES);

	random_bytes(p, SHA256_BYTES);
	return (struct str){ (const char *)p, SHA256_BYTES };
}

static void secret_open(struct arena *a, const struct seal_key *sk, const struct row *r, struct live_source *s)
{
	struct err e = { 0 };
	struct str context, *to = &s->secrets[s->secret_n];

	if (!r->sealed.p || s->secret_n == ARRAY_SIZE(s->secrets))
		return;
	context = arena_printf(a, "source_secret:%.*s", STR_ARG(s->public_id));
	if (!unseal(a, sk, r->sealed, context.p, to, &e)) {
		*to = never_matching(a);
		s->secrets_lost = true;
	}
	s->secret_until[s->secret_n++] = r->secret_until;
}

/* Rows of one source become one element. */
static void fold(struct arena *a, const struct seal_key *sk, const struct row *rows, size_t row_n, struct live_source **out,
	size_t *n)
{
	struct live_source *list = ARENA_ARRAY(a, struct live_source, row_n);
	size_t count = 0;

	for (size_t i = 0; i < row_n; i++) {
		if (!count || list[count - 1].id != rows[i].source.id)
			list[count++] = rows[i].source;
		secret_open(a, sk, &rows[i], &list[count - 1]);
	}
	*out = list;
	*n = count;
}

static struct val array_val(struct str json)
{
	return V_S(json.n ? json : STR("[]"));
}

bool live_sources(struct db *db, struct arena *a, const struct seal_key *sk, struct str ids, struct str key_hashes, struct str providers,
	ms_t now, struct live_source **out, size_t *n, struct err *e)
{
	struct row *rows;
	size_t row_n;

	if (!db_query(db, &stmts[Q_SOME], VALS(V_I(now), array_val(ids), array_val(key_hashes), array_val(key_hashes), array_val(providers), V_I(now)),
		a, fields, sizeof(*rows), &rows, &row_n, e))
		return false;
	fold(a, sk, rows, row_n, out, n);
	return true;
}

bool live_sources_all(struct db *db, struct arena *a, const struct seal_key *sk, size_t max, ms_t now, struct live_source **out, size_t *n,
	struct err *e)
{
	struct row *rows;
	size_t row_n;

	if (!db_query(db, &stmts[Q_ALL], VALS(V_I(now), V_U(max), V_I(now)), a, fields, sizeof(*rows), &rows, &row_n, e))
		return false;
	fold(a, sk, rows, row_n, out, n);
	return true;
}

struct stamp_row {
	uint64_t stamp;
};

static const struct field stamp_fields[] = { FIELD_U64(struct stamp_row, stamp, "stamp", ""), FIELD_END };

bool live_sources_stamp(struct db *db, struct arena *a, ms_t now, uint64_t *stamp, struct err *e)
{
	struct stamp_row row;

	if (db_query_one(db, &stmts[Q_STAMP], VALS(V_I(now)), a, stamp_fields, sizeof(row), &row, e) != 1)
		return false;
	*stamp = row.stamp;
	return true;
}
