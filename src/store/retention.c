/* retention.c - what is old enough to go, table by table.
 *
 * Cleanup must not be felt. Each table is walked in the order of its key, a chunk at a time: a read without locks says what stands
 * there and what of it must be kept; what may go is removed by primary key in one short transaction, so nothing is locked but rows that
 * nobody needs any more. The caller measures and makes chunks larger or smaller. DELETE ... WHERE at < ? LIMIT n was
 * rejected: it reads all that must be kept again and again, and locks it meanwhile.
 *
 * Locks in the order of ingest: event ids before events, keys before incidents. A removal repeats the condition that a person or
 * a sender could have changed since the read.
 *
 * How to add a table: its statements, and a row of old_tables at the foot. */
#include "store_int.h"

#define CHUNK_BYTES_MAX (8u << 20)	/* bodies of one transaction: freeing their pages costs time */

enum { Q_EVENTS, Q_EVENT_ID_DROP, Q_EVENT_DROP, Q_ALERTS, Q_ALERT_DROP, Q_REQUESTS, Q_REQUESTS_KEPT, Q_MARK_DROP, Q_REQUEST_DROP, Q_BODIES, Q_BODY_DROP,
	Q_NEXT_TENANT, Q_INCIDENTS, Q_KEY_DROP, Q_INCIDENT_DROP, Q_TIMELINE_DROP, Q_STATS, Q_STATS_DROP, Q_NEXT_SOURCE, Q_RUNS,
	Q_RUN_DROP, Q_TOKENS, Q_TOKEN_DROP, Q_AUDIT, Q_AUDIT_DROP, Q_SESSIONS, Q_SESSION_DROP, Q_SECRETS,
	Q_SECRET_DROP, Q_KEY_FORGET, Q_OUTBOX, Q_OUTBOX_DROP, Q_ATTEMPTS_DROP, Q_EVENT_ATTEMPTS_DROP };

/* What waits to be done again, and what an open incident rests on, stays. A request stays with its events by the same condition, so that
 * a dry run counts what a real one removes. */
#define EVENT_KEPT "e.status NOT IN (2, 4, 5) OR COALESCE(i.status <> 3, 0)"
#define HASH_OF(column) "UNHEX(LEFT(SHA2(" column ", 256), 32))"

/* Columns: id is the key; owner and hash lead to rows of other tables; kept says that it stays; bytes is what it holds. */
static const struct stmt stmts[] = {
	[Q_EVENTS] = { "old.events",
		"SELECT e.id, e.source_id AS owner, " HASH_OF("e.event_id") " AS hash,"
		" " EVENT_KEPT " AS kept FROM events e LEFT JOIN incidents i ON i.id = e.incident_id WHERE e.id > ? AND e.id < ? ORDER BY e.id LIMIT ?" },
	[Q_EVENT_ID_DROP] = { "old.event_id_drop", "DELETE FROM event_ids WHERE source_id = ? AND id_hash = ? AND event_id = ?" },
	[Q_EVENT_ATTEMPTS_DROP] = { "old.event_attempts_drop",
		"DELETE FROM event_attempts WHERE event_id = ? AND NOT EXISTS (SELECT 1 FROM events e WHERE e.id = ?)" },
	[Q_EVENT_DROP] = { "old.event_drop", "DELETE FROM events WHERE id = ? AND status IN (2, 4, 5)" },

	[Q_ALERTS] = { "old.alerts",
		"SELECT a.id, COALESCE(i.status <> 3, 0) AS kept FROM alerts a LEFT JOIN incidents i ON i.id = a.incident_id"
		" WHERE a.id > ? AND a.id < ? ORDER BY a.id LIMIT ?" },
	[Q_ALERT_DROP] = { "old.alert_drop", "DELETE FROM alerts WHERE id = ?" },

	[Q_REQUESTS] = { "old.requests",
		"SELECT r.id, s.tenant_id AS owner, r.body_bytes AS bytes FROM requests r JOIN sources s ON s.id = r.source_id"
		" WHERE r.id > ? AND r.id < ? ORDER BY r.id LIMIT ?" },
	/* Requests with an event that is kept. No subquery of the one above: MariaDB would read all events for each request. */
	[Q_REQUESTS_KEPT] = { "old.requests_kept",
		"SELECT DISTINCT e.request_id AS id FROM events e LEFT JOIN incidents i ON i.id = e.incident_id"
		" WHERE e.id > ? AND e.id < ? AND (" EVENT_KEPT ") ORDER BY e.request_id" },
	[Q_MARK_DROP] = { "old.mark_drop", "DELETE FROM request_marks WHERE tenant_id = ? AND kind IN (1, 2) AND id = ?" },
	[Q_REQUEST_DROP] = { "old.request_drop", "DELETE FROM requests WHERE id = ?" },

	/* Of one tenant. */
	[Q_BODIES] = { "old.bodies",
		"SELECT m.id, OCTET_LENGTH(r.body) AS bytes FROM request_marks m JOIN requests r ON r.id = m.id"
		" WHERE m.tenant_id = ? AND m.kind = 1 AND m.id > ? AND m.id < ? AND OCTET_LENGTH(r.body) > 0 ORDER BY m.id LIMIT ?" },
	[Q_BODY_DROP] = { "old.body_drop", "UPDATE requests SET body = '' WHERE id = ?" },
	[Q_NEXT_TENANT] = { "old.next_tenant", "SELECT id FROM tenants WHERE id > ? ORDER BY id LIMIT 1" },

	[Q_INCIDENTS] = { "old.incidents",
		"SELECT id, service_id AS owner, " HASH_OF("dedup_key") " AS hash, status <> 3 OR COALESCE(resolved_at, updated_at) >= ? AS kept"
		" FROM incidents WHERE id > ? AND id < ? ORDER BY id LIMIT ?" },
	[Q_KEY_DROP] = { "old.key_drop",
		"DELETE FROM incident_keys WHERE service_id = ? AND key_hash = ? AND incident_id = ? AND status = 3" },
	[Q_INCIDENT_DROP] = { "old.incident_drop", "DELETE FROM incidents WHERE id = ? AND status = 3" },
	[Q_TIMELINE_DROP] = { "old.timeline_drop",
		"DELETE FROM timeline WHERE incident_id = ? AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = ?)" },

	/* Of one source. Hour 0 holds the totals. */
	[Q_STATS] = { "old.stats",
		"SELECT hour * 1024 + slot AS id, source_id AS owner FROM source_stats"
		" WHERE source_id = ? AND hour > 0 AND hour * 1024 + slot > ? AND hour < ? ORDER BY hour, slot LIMIT ?" },
	[Q_STATS_DROP] = { "old.stats_drop", "DELETE FROM source_stats WHERE source_id = ? AND hour = ? DIV 1024 AND slot = ? MOD 1024" },
	[Q_NEXT_SOURCE] = { "old.next_source", "SELECT id FROM sources WHERE id > ? ORDER BY id LIMIT 1" },

	[Q_RUNS] = { "old.runs", "SELECT id, started_at >= ? AS kept FROM job_runs WHERE id > ? ORDER BY id LIMIT ?" },
	[Q_RUN_DROP] = { "old.run_drop", "DELETE FROM job_runs WHERE id = ?" },

	[Q_TOKENS] = { "old.tokens",
		"SELECT id, COALESCE(LEAST(COALESCE(expires_at, revoked_at), COALESCE(revoked_at, expires_at)) >= ?, 1) AS kept"
		" FROM tokens WHERE id > ? ORDER BY id LIMIT ?" },
	[Q_TOKEN_DROP] = { "old.token_drop", "DELETE FROM tokens WHERE id = ?" },

	[Q_AUDIT] = { "old.audit",
		"SELECT id, tenant_id, at, actor, user_id, token_id, remote_addr, action, object, detail FROM audit_log"
		" WHERE id > ? ORDER BY id LIMIT ?" },
	[Q_AUDIT_DROP] = { "old.audit_drop", "DELETE FROM audit_log WHERE id > ? AND id <= ?" },

	[Q_OUTBOX] = { "old.outbox", "SELECT id, status IN (0, 2) AS kept FROM outbox WHERE id > ? AND id < ? ORDER BY id LIMIT ?" },
	[Q_OUTBOX_DROP] = { "old.outbox_drop", "DELETE FROM outbox WHERE id = ? AND status IN (1, 3)" },
	[Q_ATTEMPTS_DROP] = { "old.attempts_drop", "DELETE FROM outbox_attempts WHERE outbox_id = ? AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.id = ?)" },

	[Q_SESSIONS] = { "old.sessions", "SELECT COUNT(*) AS id FROM sessions WHERE expires_at <= ?" },
	[Q_SESSION_DROP] = { "old.session_drop", "DELETE FROM sessions WHERE expires_at <= ? LIMIT ?" },
	/* id 0: the key of a source before its rotation. */
	[Q_SECRETS] = { "old.secrets",
		"SELECT id, source_id AS owner FROM source_secrets WHERE expires_at <= ? UNION ALL"
		" SELECT 0, id FROM sources WHERE key_old_until <= ? LIMIT ?", SCAN_OK },
	[Q_SECRET_DROP] = { "old.secret_drop", "DELETE FROM source_secrets WHERE id = ? AND expires_at <= ?" },
	/* With a new updated_at, by which other hosts see it: live_sources_stamp. */
	[Q_KEY_FORGET] = { "old.key_forget",
		"UPDATE sources SET key_old_hash = IF(key_old_until <= ?, NULL, key_old_hash),"
		" key_old_until = IF(key_old_until <= ?, NULL, key_old_until), updated_at = GREATEST(updated_at + 1, ?) WHERE id = ?" },
};
const struct stmt_table retention_stmts = { stmts, ARRAY_SIZE(stmts) };

struct old_row {
	uint64_t id, owner, bytes;
	struct str hash;
	bool kept;
};

static const struct field fields[] = {
	FIELD_ID(struct old_row, id, "id", ""),
	FIELD_ID(struct old_row, owner, "owner", ""),
	FIELD_U64(struct old_row, bytes, "bytes", ""),
	FIELD_STR(struct old_row, hash, "hash", ""),
	FIELD_BOOL(struct old_row, kept, "kept", ""),
	FIELD_END
};

enum walk {
	BY_ID,		/* the key holds the time */
	BY_REQUEST,	/* the same, and a row stays with its events */
	BY_ID_ENDED,	/* the same, but what counts is another, later time */
	BY_TENANT,	/* as BY_ID, tenant by tenant */
	BY_SOURCE,	/* by hour, source by source */
	IN_ORDER,	/* the key grows with the time: the first row that is kept is the end */
	ALL,
};

/* A statement that removes, and what it binds of a row: i id, o owner, h hash. */
struct removal {
	unsigned q;
	const char *binds;
};

struct old_table {
	const char *what;
	enum walk walk;
	unsigned find;
	struct removal removals[3];
};

/* ---- finding ---- */

static bool next_group(struct db *db, struct arena *a, unsigned q, struct old_chunk *c, struct err *e)
{
	struct old_row row = { 0 };
	int found = db_query_one(db, &stmts[q], VALS(V_U(c->group)), a, fields, sizeof(row), &row, e);

	c->group = row.id;
	c->after = c->from;
	c->end = found == 0;
	return found >= 0;
}

static bool query(struct db *db, struct arena *a, const struct old_table *t, ms_t before, const struct old_chunk *c,
	struct old_row **rows, size_t *n, struct err *e)
{
	const struct stmt *find = &stmts[t->find];
	struct val after = V_U(c->after), limit = V_U(c->limit), below = V_U(id_floor(before > 0 ? before : 0));

	switch (t->walk) {
	case BY_ID:
	case BY_REQUEST:
		return db_query(db, find, VALS(after, below, limit), a, fields, sizeof(**rows), rows, n, e);
	case BY_ID_ENDED:
		return db_query(db, find, VALS(V_I(before), after, below, limit), a, fields, sizeof(**rows), rows, n, e);
	case BY_TENANT:
		return db_query(db, find, VALS(V_U(c->group), after, below, limit), a, fields, sizeof(**rows), rows, n, e);
	case BY_SOURCE:
		return db_query(db, find, VALS(V_U(c->group), after, V_I(before / MS_PER_HOUR), limit), a, fields, sizeof(**rows),
			rows, n, e);
	case IN_ORDER:
	case ALL:
		break;
	}
	return db_query(db, find, VALS(V_I(before), after, limit), a, fields, sizeof(**rows), rows, n, e);
}

/* An event's number is made just after its request's, by the same worker: 4 ms of numbers hold 16384 of them. */
#define EVENTS_AFTER (UINT64_C(4) << 22)

/* Both are in the order of their ids. */
static bool mark_requests(struct db *db, struct arena *a, struct old_row *rows, size_t n, struct err *e)
{
	struct old_row *kept;
	size_t kept_n, k = 0;

	if (!n)
		return true;
	if (!db_query(db, &stmts[Q_REQUESTS_KEPT], VALS(V_U(rows[0].id), V_U(rows[n - 1].id + EVENTS_AFTER)), a, fields, sizeof(*kept),
		&kept, &kept_n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		while (k < kept_n && kept[k].id < rows[i].id)
			k++;
		rows[i].kept = k < kept_n && kept[k].id == rows[i].id;
	}
	return true;
}

/* Takes what may go to the front, and as much of it as its bytes allow. */
static void sort_out(const struct old_table *t, struct old_chunk *c, struct old_row *rows, size_t n)
{
	uint64_t bytes = 0;

	c->rows = rows;
	c->n = 0;
	for (size_t i = 0; i < n && (bytes < CHUNK_BYTES_MAX || rows[i].kept); i++) {
		if (rows[i].kept && t->walk == IN_ORDER) {
			c->end = true;
			return;
		}
		c->after = rows[i].id;
		c->seen++;
		if (rows[i].kept)
			continue;
		bytes += rows[i].bytes;
		c->rows[c->n++] = rows[i];
	}
}

bool old_find(struct db *db, struct arena *a, const struct old_table *t, ms_t before, struct old_chunk *c, struct err *e)
{
	bool grouped = t->walk == BY_TENANT || t->walk == BY_SOURCE;
	struct old_row *rows;
	size_t n;

	c->n = c->seen = 0;
	if (c->after < c->from)
		c->after = c->from;
	if (grouped && !c->group)
		return next_group(db, a, t->walk == BY_TENANT ? Q_NEXT_TENANT : Q_NEXT_SOURCE, c, e);
	if (!query(db, a, t, before, c, &rows, &n, e) || (t->walk == BY_REQUEST && !mark_requests(db, a, rows, n, e)))
		return false;
	sort_out(t, c, rows, n);
	if (n == c->limit || c->seen < n)
		return true;
	if (grouped)
		return next_group(db, a, t->walk == BY_TENANT ? Q_NEXT_TENANT : Q_NEXT_SOURCE, c, e);
	c->end = true;
	return true;
}

const char *old_what(const struct old_table *t)
{
	return t->what;
}

/* ---- removing ---- */

struct removing {
	struct arena *arena;
	const struct old_table *table;
	const struct old_chunk *chunk;
};

static bool remove_by(struct db *db, const struct removing *x, const struct removal *how, struct err *e)
{
	size_t cols = strlen(how->binds), k = 0;
	struct val *v = ARENA_ARRAY(x->arena, struct val, x->chunk->n * cols);

	for (size_t i = 0; i < x->chunk->n; i++) {
		const struct old_row *r = &x->chunk->rows[i];

		for (const char *b = how->binds; *b; b++)
			v[k++] = *b == 'i' ? V_U(r->id) : *b == 'o' ? V_U(r->owner) : V_B(r->hash);
	}
	return db_bulk(db, &stmts[how->q], v, x->chunk->n, cols, e);
}

static bool remove_tx(struct db *db, void *ctx, struct err *e)
{
	const struct removing *x = ctx;

	for (size_t i = 0; i < ARRAY_SIZE(x->table->removals) && x->table->removals[i].binds; i++)
		if (!remove_by(db, x, &x->table->removals[i], e))
			return false;
	return true;
}

bool old_remove(struct db *db, struct arena *a, const struct old_table *t, const struct old_chunk *c, struct err *e)
{
	struct removing x = { a, t, c };

	return !c->n || db_tx(db, remove_tx, &x, e);
}

/* ---- the tables ---- */

const struct old_table old_events = { "events", BY_ID, Q_EVENTS,
	{ { Q_EVENT_ID_DROP, "ohi" }, { Q_EVENT_DROP, "i" }, { Q_EVENT_ATTEMPTS_DROP, "ii" } } };
const struct old_table old_alerts = { "alerts", BY_ID, Q_ALERTS, { { Q_ALERT_DROP, "i" } } };
const struct old_table old_requests = { "requests", BY_REQUEST, Q_REQUESTS, { { Q_MARK_DROP, "oi" }, { Q_REQUEST_DROP, "i" } } };
const struct old_table old_bodies = { "bodies", BY_TENANT, Q_BODIES, { { Q_BODY_DROP, "i" } } };
const struct old_table old_incidents = { "incidents", BY_ID_ENDED, Q_INCIDENTS,
	{ { Q_KEY_DROP, "ohi" }, { Q_INCIDENT_DROP, "i" }, { Q_TIMELINE_DROP, "ii" } } };
const struct old_table old_stats = { "hours of statistics", BY_SOURCE, Q_STATS, { { Q_STATS_DROP, "oii" } } };
const struct old_table old_runs = { "job runs", IN_ORDER, Q_RUNS, { { Q_RUN_DROP, "i" } } };
const struct old_table old_outbox = { "sent messages", BY_ID, Q_OUTBOX, { { Q_OUTBOX_DROP, "i" }, { Q_ATTEMPTS_DROP, "ii" } } };
const struct old_table old_tokens = { "tokens", ALL, Q_TOKENS, { { Q_TOKEN_DROP, "i" } } };

/* ---- the audit log: read to be archived, then removed ---- */

const struct field audit_row_fields[] = {
	FIELD_ID(struct audit_row, id, "id", ""),
	FIELD_U64(struct audit_row, tenant_id, "tenant_id", ""),
	FIELD_TIME(struct audit_row, at, "at", ""),
	FIELD_U64(struct audit_row, actor, "actor", ""),
	FIELD_ID(struct audit_row, user_id, "user_id", ""),
	FIELD_ID(struct audit_row, token_id, "token_id", ""),
	FIELD_STR(struct audit_row, remote_addr, "remote_addr", ""),
	FIELD_STR(struct audit_row, action, "action", ""),
	FIELD_STR(struct audit_row, object, "object", ""),
	FIELD_JSON(struct audit_row, detail, "detail", ""),
	FIELD_END
};

bool old_audit(struct db *db, struct arena *a, uint64_t after, ms_t before, size_t limit, struct audit_row **rows, size_t *n, struct err *e)
{
	size_t found, old = 0;

	if (!db_query(db, &stmts[Q_AUDIT], VALS(V_U(after), V_U(limit)), a, audit_row_fields, sizeof(**rows), rows, &found, e))
		return false;
	while (old < found && (*rows)[old].at < before)
		old++;
	*n = old;
	return true;
}

bool old_audit_remove(struct db *db, uint64_t after, uint64_t last, struct err *e)
{
	return db_exec(db, &stmts[Q_AUDIT_DROP], VALS(V_U(after), V_U(last)), NULL, e);
}

/* ---- what ends at a moment of its own ---- */

bool expired_sessions(struct db *db, struct arena *a, ms_t now, uint64_t *n, struct err *e)
{
	struct old_row row = { 0 };
	int found = db_query_one(db, &stmts[Q_SESSIONS], VALS(V_I(now)), a, fields, sizeof(row), &row, e);

	*n = row.id;
	return found >= 0;
}

bool expired_sessions_remove(struct db *db, ms_t now, size_t limit, uint64_t *n, struct err *e)
{
	return db_exec(db, &stmts[Q_SESSION_DROP], VALS(V_I(now), V_U(limit)), n, e);
}

struct secrets {
	const struct old_row *rows;
	size_t n;
	ms_t now;
};

static bool secrets_tx(struct db *db, void *ctx, struct err *e)
{
	const struct secrets *x = ctx;

	for (size_t i = 0; i < x->n; i++)
		if (!db_exec(db, &stmts[Q_SECRET_DROP], VALS(V_U(x->rows[i].id), V_I(x->now)), NULL, e) ||
			!db_exec(db, &stmts[Q_KEY_FORGET], VALS(V_I(x->now), V_I(x->now), V_I(x->now), V_U(x->rows[i].owner)), NULL, e))
			return false;
	return true;
}

bool expired_secrets(struct db *db, struct arena *a, struct shm *shm, ms_t now, bool remove, size_t limit, uint64_t *n, struct err *e)
{
	struct secrets x = { .now = now };
	struct old_row *rows;

	*n = 0;
	if (!db_query(db, &stmts[Q_SECRETS], VALS(V_I(now), V_I(now), V_U(limit)), a, fields, sizeof(*rows), &rows, &x.n, e))
		return false;
	x.rows = rows;
	*n = x.n;
	if (!remove || !x.n)
		return true;
	if (!db_tx(db, secrets_tx, &x, e))
		return false;
	if (shm)
		shm_generation_bump(shm);
	return true;
}
