/* retention.c - what is old enough to go, table by table.
 *
 * Cleanup must not be felt. Each table is walked in the order of its key, a chunk at a time: a read without locks says what stands
 * there and what of it must be kept; what may go is removed by primary key in one short transaction, so nothing is locked but rows that
 * nobody needs any more. The caller measures and makes chunks larger or smaller. DELETE ... WHERE at < ? LIMIT n was
 * rejected: it reads all that must be kept again and again, and locks it meanwhile.
 *
 * Sources may keep their events longer or shorter than the rest. The walk spares what is kept longer; what is kept shorter is found by a
 * walk of that source alone, along its own index: no walk reads ninety days of everybody to find the week of one.
 *
 * Locks in the order of ingest: event ids before events, keys before incidents. A removal repeats the condition that a person or
 * a sender could have changed since the read.
 *
 * How to add a table: its statements, and a row of old_tables at the foot. */
#include <stdlib.h>

#include "store_int.h"

#define CHUNK_BYTES_MAX (8u << 20)	/* bodies of one transaction: freeing their pages costs time */

enum { Q_DAYS, Q_EVENTS, Q_EVENTS_OF, Q_EVENT_ID_DROP, Q_EVENT_DROP, Q_ALERT_OF_DROP, Q_ALERTS, Q_ALERT_DROP, Q_REQUESTS, Q_REQUESTS_OF, Q_REQUESTS_KEPT, Q_REQUESTS_KEPT_OF, Q_MARK_DROP, Q_REQUEST_DROP, Q_BODIES, Q_BODY_DROP,
	Q_NEXT_TENANT, Q_INCIDENTS, Q_KEY_DROP, Q_INCIDENT_DROP, Q_TIMELINE_DROP, Q_HELD_DROP, Q_ESCALATION_DROP, Q_STATS, Q_STATS_DROP, Q_NEXT_SOURCE, Q_RUNS,
	Q_RUN_DROP, Q_TOKENS, Q_TOKEN_DROP, Q_AUDIT, Q_AUDIT_DROP, Q_SESSIONS, Q_SESSION_DROP, Q_SECRETS,
	Q_SECRET_DROP, Q_KEY_FORGET, Q_OUTBOX, Q_OUTBOX_DROP, Q_DELIVERY_DROP, Q_ENDPOINTS, Q_ENDPOINT_DROP, Q_ATTEMPTS_DROP, Q_EVENT_ATTEMPTS_DROP,
	Q_MONITOR, Q_MONITOR_DROP, Q_TASKS, Q_TASK_DROP, Q_HUSHES, Q_HUSH_DROP };

/* What waits to be done again, and what an open incident rests on, stays. A request stays with its events by the same condition, so that
 * a dry run counts what a real one removes. */
#define EVENT_KEPT "e.status NOT IN (2, 4, 5) OR COALESCE(i.status <> 3, 0)"
#define HASH_OF(column) "UNHEX(LEFT(SHA2(" column ", 256), 32))"

#define EVENT_COLUMNS \
	"e.id, e.source_id AS source, e.source_id AS owner, e.incident_id AS incident, " HASH_OF("e.event_id") " AS hash, " EVENT_KEPT " AS kept," \
	" 200 + LENGTH(e.event_id) + LENGTH(e.event_type) + LENGTH(e.entity_type) + LENGTH(e.entity_id) + LENGTH(e.native_severity)" \
	" + LENGTH(e.dedup_key) + LENGTH(e.summary) + LENGTH(e.service) + LENGTH(e.origin) AS bytes"
/* Of a refused request the first 64 KiB are kept; OCTET_LENGTH(body) would read them. */
#define REQUEST_COLUMNS \
	"r.id, r.source_id AS source, s.tenant_id AS owner, 200 + LENGTH(r.uri) + LENGTH(r.headers)" \
	" + IF(r.reason IS NULL, r.body_bytes, LEAST(r.body_bytes, 65536)) AS bytes"
/* The rows of one source: by its index, however long its walk is. */
#define OF_SOURCE(alias) " WHERE " alias ".source_id = ? AND " alias ".id > ? AND " alias ".id < ? ORDER BY " alias ".id LIMIT ?"

/* Columns: id is the key; owner and hash lead to rows of other tables; kept says that it stays; bytes is what it holds, more or less. */
static const struct stmt stmts[] = {
	[Q_DAYS] = { "old.days",
		"SELECT s.id AS source_id, COALESCE(s.retention_days, 0) AS own, COALESCE(t.retention_days, 0) AS of_tenant"
		" FROM sources s JOIN tenants t ON t.id = s.tenant_id WHERE s.tenant_id = ?"
		" OR (? = 0 AND (s.retention_days IS NOT NULL OR t.retention_days IS NOT NULL)) ORDER BY s.id", SCAN_OK },

	[Q_EVENTS] = { "old.events",
		"SELECT " EVENT_COLUMNS " FROM events e LEFT JOIN incidents i ON i.id = e.incident_id WHERE e.id > ? AND e.id < ? ORDER BY e.id LIMIT ?" },
	[Q_EVENTS_OF] = { "old.events_of",
		"SELECT " EVENT_COLUMNS " FROM events e FORCE INDEX (by_source) LEFT JOIN incidents i ON i.id = e.incident_id" OF_SOURCE("e") },
	[Q_EVENT_ID_DROP] = { "old.event_id_drop", "DELETE FROM event_ids WHERE source_id = ? AND id_hash = ? AND event_id = ?" },
	[Q_EVENT_ATTEMPTS_DROP] = { "old.event_attempts_drop",
		"DELETE FROM event_attempts WHERE event_id = ? AND NOT EXISTS (SELECT 1 FROM events e WHERE e.id = ?)" },
	[Q_EVENT_DROP] = { "old.event_drop", "DELETE FROM events WHERE id = ? AND status IN (2, 4, 5)" },

	/* An alert's number is made in the batch of its event: 16 ms of numbers are far from it. One that was made later goes with the walk of
	 * alerts. */
	[Q_ALERT_OF_DROP] = { "old.alert_of_drop",
		"DELETE FROM alerts WHERE incident_id = ? AND id > ? AND id < ? + 67108864 AND event_id = ?" },

	/* An alert is kept as long as its event; one without event belonged to a source that keeps its events shorter. */
	[Q_ALERTS] = { "old.alerts",
		"SELECT a.id, e.source_id AS source, 60 AS bytes,"
		" COALESCE(i.status <> 3, 0) OR COALESCE(e.status NOT IN (2, 4, 5), 0) AS kept FROM alerts a"
		" LEFT JOIN events e ON e.id = a.event_id LEFT JOIN incidents i ON i.id = a.incident_id"
		" WHERE a.id > ? AND a.id < ? ORDER BY a.id LIMIT ?" },
	[Q_ALERT_DROP] = { "old.alert_drop", "DELETE FROM alerts WHERE id = ?" },

	[Q_REQUESTS] = { "old.requests",
		"SELECT " REQUEST_COLUMNS " FROM requests r JOIN sources s ON s.id = r.source_id"
		" WHERE r.id > ? AND r.id < ? ORDER BY r.id LIMIT ?" },
	[Q_REQUESTS_OF] = { "old.requests_of",
		"SELECT STRAIGHT_JOIN " REQUEST_COLUMNS " FROM requests r FORCE INDEX (by_source) JOIN sources s ON s.id = r.source_id" OF_SOURCE("r") },
	/* Requests with an event that is kept. No subquery of the one above: MariaDB would read all events for each request. */
	[Q_REQUESTS_KEPT] = { "old.requests_kept",
		"SELECT DISTINCT e.request_id AS id FROM events e LEFT JOIN incidents i ON i.id = e.incident_id"
		" WHERE e.id > ? AND e.id < ? AND (" EVENT_KEPT ") ORDER BY e.request_id" },
	[Q_REQUESTS_KEPT_OF] = { "old.requests_kept_of",
		"SELECT DISTINCT e.request_id AS id FROM events e FORCE INDEX (by_source) LEFT JOIN incidents i ON i.id = e.incident_id"
		" WHERE e.source_id = ? AND e.id > ? AND e.id < ? AND (" EVENT_KEPT ") ORDER BY e.request_id" },
	[Q_MARK_DROP] = { "old.mark_drop", "DELETE FROM request_marks WHERE tenant_id = ? AND kind IN (1, 2) AND id = ?" },
	[Q_REQUEST_DROP] = { "old.request_drop", "DELETE FROM requests WHERE id = ?" },

	/* Of one tenant. */
	[Q_BODIES] = { "old.bodies",
		"SELECT m.id, OCTET_LENGTH(r.body) AS bytes FROM request_marks m JOIN requests r ON r.id = m.id"
		" WHERE m.tenant_id = ? AND m.kind = 1 AND m.id > ? AND m.id < ? AND OCTET_LENGTH(r.body) > 0 ORDER BY m.id LIMIT ?" },
	[Q_BODY_DROP] = { "old.body_drop", "UPDATE requests SET body = '' WHERE id = ?" },
	[Q_NEXT_TENANT] = { "old.next_tenant", "SELECT id FROM tenants WHERE id > ? ORDER BY id LIMIT 1" },

	[Q_INCIDENTS] = { "old.incidents",
		"SELECT id, service_id AS owner, " HASH_OF("dedup_key") " AS hash, status <> 3 OR COALESCE(resolved_at, updated_at) >= ? AS kept,"
		" 200 + LENGTH(dedup_key) + LENGTH(title) AS bytes"
		" FROM incidents WHERE id > ? AND id < ? ORDER BY id LIMIT ?" },
	[Q_KEY_DROP] = { "old.key_drop",
		"DELETE FROM incident_keys WHERE service_id = ? AND key_hash = ? AND incident_id = ? AND status = 3" },
	[Q_INCIDENT_DROP] = { "old.incident_drop", "DELETE FROM incidents WHERE id = ? AND status = 3" },
	[Q_TIMELINE_DROP] = { "old.timeline_drop",
		"DELETE FROM timeline WHERE incident_id = ? AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = ?)" },
	/* Of one that was resolved when nobody was to be told any more. */
	[Q_HELD_DROP] = { "old.held_drop",
		"DELETE FROM held_incidents WHERE incident_id = ? AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = ?)" },
	[Q_ESCALATION_DROP] = { "old.escalation_drop",
		"DELETE FROM escalations WHERE incident_id = ? AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = ?)" },

	/* Of one source. Hour 0 holds the totals. */
	[Q_STATS] = { "old.stats",
		"SELECT hour * 1024 + slot AS id, source_id AS owner, 100 AS bytes FROM source_stats"
		" WHERE source_id = ? AND hour > 0 AND hour * 1024 + slot > ? AND hour < ? ORDER BY hour, slot LIMIT ?" },
	[Q_STATS_DROP] = { "old.stats_drop", "DELETE FROM source_stats WHERE source_id = ? AND hour = ? DIV 1024 AND slot = ? MOD 1024" },
	[Q_NEXT_SOURCE] = { "old.next_source", "SELECT id FROM sources WHERE id > ? ORDER BY id LIMIT 1" },

	[Q_RUNS] = { "old.runs", "SELECT id, started_at >= ? AS kept, 150 AS bytes FROM job_runs WHERE id > ? ORDER BY id LIMIT ?" },
	[Q_TASKS] = { "old.tasks",
		"SELECT id, finished_at IS NULL AS kept, 200 + LENGTH(about) + LENGTH(params) AS bytes FROM tasks WHERE id > ? AND id < ? ORDER BY id LIMIT ?" },
	[Q_TASK_DROP] = { "old.task_drop", "DELETE FROM tasks WHERE id = ? AND finished_at IS NOT NULL" },
	[Q_RUN_DROP] = { "old.run_drop", "DELETE FROM job_runs WHERE id = ?" },

	[Q_TOKENS] = { "old.tokens",
		"SELECT id, COALESCE(LEAST(COALESCE(expires_at, revoked_at), COALESCE(revoked_at, expires_at)) >= ?, 1) AS kept"
		" FROM tokens WHERE id > ? ORDER BY id LIMIT ?" },
	[Q_TOKEN_DROP] = { "old.token_drop", "DELETE FROM tokens WHERE id = ?" },

	[Q_HUSHES] = { "old.hushes", "SELECT id, over_at >= ? AS kept, 500 AS bytes FROM hushes WHERE id > ? ORDER BY id LIMIT ?" },
	[Q_HUSH_DROP] = { "old.hush_drop", "DELETE FROM hushes WHERE id = ?" },

	[Q_AUDIT] = { "old.audit",
		"SELECT id, at >= ? AS kept, 150 + COALESCE(LENGTH(detail), 0) AS bytes FROM audit_log WHERE id > ? ORDER BY id LIMIT ?" },
	[Q_AUDIT_DROP] = { "old.audit_drop", "DELETE FROM audit_log WHERE id = ?" },

	[Q_OUTBOX] = { "old.outbox", "SELECT id, status IN (0, 2, 5) AS kept, 150 + COALESCE(LENGTH(payload), 0) AS bytes FROM outbox WHERE id > ? AND id < ? ORDER BY id LIMIT ?" },
	[Q_OUTBOX_DROP] = { "old.outbox_drop", "DELETE FROM outbox WHERE id = ? AND status NOT IN (0, 2, 5)" },
	[Q_DELIVERY_DROP] = { "old.delivery_drop", "DELETE FROM deliveries WHERE id = ? AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.id = ?)" },
	[Q_ENDPOINTS] = { "old.endpoints",
		"SELECT id, COALESCE(deleted_at >= ?, 1) OR EXISTS (SELECT 1 FROM deliveries d WHERE d.endpoint_id = p.id) AS kept, 200 + LENGTH(url) AS bytes"
		" FROM endpoints p WHERE id > ? ORDER BY id LIMIT ?" },
	[Q_ENDPOINT_DROP] = { "old.endpoint_drop", "DELETE FROM endpoints WHERE id = ? AND deleted_at IS NOT NULL" },
	[Q_ATTEMPTS_DROP] = { "old.attempts_drop", "DELETE FROM outbox_attempts WHERE outbox_id = ? AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.id = ?)" },

	[Q_MONITOR] = { "old.monitor_alerts",
		"SELECT id, ended_at IS NULL AS kept, 200 + LENGTH(message) + LENGTH(advice) AS bytes FROM monitor_alerts"
		" WHERE id > ? AND id < ? ORDER BY id LIMIT ?" },
	[Q_MONITOR_DROP] = { "old.monitor_alert_drop", "DELETE FROM monitor_alerts WHERE id = ? AND ended_at IS NOT NULL" },

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

static const struct field fields[] = {
	FIELD_ID(struct old_row, id, "id", ""),
	FIELD_ID(struct old_row, source, "source", ""),
	FIELD_ID(struct old_row, owner, "owner", ""),
	FIELD_ID(struct old_row, incident, "incident", ""),
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

/* A statement that removes, and what it binds of a row: i id, o owner, h hash, n incident. */
struct removal {
	unsigned q;
	const char *binds;
	bool of_source;		/* only in the walk of a source, which has no other walks before it */
};

struct old_table {
	const char *what;
	enum walk walk;
	unsigned find, find_of;	/* find_of: the rows of one source; 0: nobody asks for them */
	struct removal removals[5];
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

static uint64_t floor_of(ms_t t)
{
	return id_floor(t > 0 ? t : 0);
}

static bool query(struct db *db, struct arena *a, const struct old_table *t, ms_t before, const struct old_chunk *c,
	struct old_row **rows, size_t *n, struct err *e)
{
	const struct stmt *find = &stmts[t->find];
	struct val after = V_U(c->after), limit = V_U(c->look), below = V_U(floor_of(before));

	if (c->source)
		return db_query(db, &stmts[t->find_of], VALS(V_U(c->source), after, below, limit), a, fields, sizeof(**rows), rows, n, e);
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
static bool mark_requests(struct db *db, struct arena *a, uint64_t source, struct old_row *rows, size_t n, struct err *e)
{
	struct old_row *kept;
	size_t kept_n, k = 0;
	struct val first, end;

	if (!n)
		return true;
	first = V_U(rows[0].id);
	end = V_U(rows[n - 1].id + EVENTS_AFTER);
	if (!(source ? db_query(db, &stmts[Q_REQUESTS_KEPT_OF], VALS(V_U(source), first, end), a, fields, sizeof(*kept), &kept, &kept_n, e) :
		db_query(db, &stmts[Q_REQUESTS_KEPT], VALS(first, end), a, fields, sizeof(*kept), &kept, &kept_n, e)))
		return false;
	for (size_t i = 0; i < n; i++) {
		while (k < kept_n && kept[k].id < rows[i].id)
			k++;
		rows[i].kept = k < kept_n && kept[k].id == rows[i].id;
	}
	return true;
}

static int compare_source(const void *key, const void *limit)
{
	uint64_t id = *(const uint64_t *)key, of = ((const struct source_limit *)limit)->source_id;

	return id < of ? -1 : id > of;
}

/* Rows of sources that keep theirs longer. */
static void spare(const struct old_limits *l, struct old_row *rows, size_t n)
{
	for (size_t i = 0; i < n && l->sources_n; i++) {
		const struct source_limit *s = bsearch(&rows[i].source, l->sources, l->sources_n, sizeof(*s), compare_source);

		rows[i].kept |= s && rows[i].id >= floor_of(s->before);
	}
}

/* Takes what may go to the front, and as much of it as its bytes allow. */
static void sort_out(const struct old_table *t, struct old_chunk *c, struct old_row *rows, size_t n)
{
	c->rows = rows;
	for (size_t i = 0; i < n && ((c->n < c->limit && c->bytes < CHUNK_BYTES_MAX) || rows[i].kept); i++) {
		if (rows[i].kept && t->walk == IN_ORDER) {
			c->end = true;
			return;
		}
		c->after = rows[i].id;
		c->seen++;
		if (rows[i].kept)
			continue;
		c->bytes += rows[i].bytes;
		c->rows[c->n++] = rows[i];
	}
}

bool old_find(struct db *db, struct arena *a, const struct old_table *t, const struct old_limits *l, struct old_chunk *c, struct err *e)
{
	bool grouped = t->walk == BY_TENANT || t->walk == BY_SOURCE;
	struct old_row *rows;
	size_t n;

	c->n = c->seen = 0;
	c->bytes = 0;
	if (c->after < c->from)
		c->after = c->from;
	if (grouped && !c->group)
		return next_group(db, a, t->walk == BY_TENANT ? Q_NEXT_TENANT : Q_NEXT_SOURCE, c, e);
	if (!query(db, a, t, l->before, c, &rows, &n, e) || (t->walk == BY_REQUEST && !mark_requests(db, a, c->source, rows, n, e)))
		return false;
	spare(l, rows, n);
	sort_out(t, c, rows, n);
	if (n == c->look || c->seen < n)
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
			v[k++] = *b == 'i' ? V_U(r->id) : *b == 'o' ? V_U(r->owner) : *b == 'n' ? V_U(r->incident) : V_B(r->hash);
	}
	return db_bulk(db, &stmts[how->q], v, x->chunk->n, cols, e);
}

static bool remove_tx(struct db *db, void *ctx, struct err *e)
{
	const struct removing *x = ctx;

	for (size_t i = 0; i < ARRAY_SIZE(x->table->removals) && x->table->removals[i].binds; i++) {
		const struct removal *how = &x->table->removals[i];

		if ((!how->of_source || x->chunk->source) && !remove_by(db, x, how, e))
			return false;
	}
	return true;
}

bool old_remove(struct db *db, struct arena *a, const struct old_table *t, const struct old_chunk *c, struct err *e)
{
	struct removing x = { a, t, c };

	return !c->n || db_tx(db, remove_tx, &x, e);
}

/* ---- the tables ---- */

const struct old_table old_events = { "events", BY_ID, Q_EVENTS, Q_EVENTS_OF,
	{ { Q_EVENT_ID_DROP, "ohi" }, { Q_EVENT_DROP, "i" }, { Q_EVENT_ATTEMPTS_DROP, "ii" }, { Q_ALERT_OF_DROP, "niii", true } } };
const struct old_table old_alerts = { "alerts", BY_ID, Q_ALERTS, 0, { { Q_ALERT_DROP, "i" } } };
const struct old_table old_requests = { "requests", BY_REQUEST, Q_REQUESTS, Q_REQUESTS_OF, { { Q_MARK_DROP, "oi" }, { Q_REQUEST_DROP, "i" } } };
const struct old_table old_bodies = { "bodies", BY_TENANT, Q_BODIES, 0, { { Q_BODY_DROP, "i" } } };
const struct old_table old_incidents = { "incidents", BY_ID_ENDED, Q_INCIDENTS, 0,
	{ { Q_KEY_DROP, "ohi" }, { Q_INCIDENT_DROP, "i" }, { Q_TIMELINE_DROP, "ii" }, { Q_HELD_DROP, "ii" }, { Q_ESCALATION_DROP, "ii" } } };
const struct old_table old_stats = { "hours of statistics", BY_SOURCE, Q_STATS, 0, { { Q_STATS_DROP, "oii" } } };
const struct old_table old_runs = { "job runs", IN_ORDER, Q_RUNS, 0, { { Q_RUN_DROP, "i" } } };
const struct old_table old_tasks = { "tasks", BY_ID, Q_TASKS, 0, { { Q_TASK_DROP, "i" } } };
const struct old_table old_outbox = { "sent messages", BY_ID, Q_OUTBOX, 0, { { Q_OUTBOX_DROP, "i" }, { Q_ATTEMPTS_DROP, "ii" }, { Q_DELIVERY_DROP, "ii" } } };
const struct old_table old_endpoints = { "deleted endpoints", ALL, Q_ENDPOINTS, 0, { { Q_ENDPOINT_DROP, "i" } } };
const struct old_table old_monitor_alerts = { "monitor alerts", BY_ID, Q_MONITOR, 0, { { Q_MONITOR_DROP, "i" } } };
const struct old_table old_tokens = { "tokens", ALL, Q_TOKENS, 0, { { Q_TOKEN_DROP, "i" } } };
const struct old_table old_hushes = { "maintenance windows and silences", ALL, Q_HUSHES, 0, { { Q_HUSH_DROP, "i" } } };
const struct old_table old_audit = { "audit entries", IN_ORDER, Q_AUDIT, 0, { { Q_AUDIT_DROP, "i" } } };

/* ---- how long sources keep their events ---- */

static const struct field days_fields[] = {
	FIELD_ID(struct source_days, source_id, "source_id", ""),
	FIELD_U64(struct source_days, own, "own", ""),
	FIELD_U64(struct source_days, of_tenant, "of_tenant", ""),
	FIELD_END
};

bool source_days(struct db *db, struct arena *a, uint64_t tenant_id, struct source_days **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_DAYS], VALS(V_U(tenant_id), V_U(tenant_id)), a, days_fields, sizeof(**out), out, n, e);
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
