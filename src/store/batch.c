/* batch.c - the writes of ingest: each table once per batch, all rows in one bulk statement.
 *
 * Why bulk and not one transaction per request: MariaDB's work per statement and per commit is what a webhook costs, so
 * 32 requests share eleven statements and one commit (6-quality.md, rule 6). Why upserts with RETURNING: one statement
 * locks and reads at once, and INSERT IGNORE would truncate ids, swallow bad data and make a lost row look like a
 * repeat. */
#include "grapnel/store.h"

enum {
	Q_CLAIM, Q_REPEATED, Q_LOCK_KEY, Q_MERGE_TARGETS, Q_WRITE_KEY, Q_REQUEST, Q_MARK, Q_EVENT, Q_KNOWN_INCIDENT, Q_NEW_INCIDENT, Q_ALERT, Q_TIMELINE,
	Q_STATS, Q_EXISTS, Q_STORED, Q_ANSWERED,
};

static const struct stmt batch_q[] = {
	/* The cutoff is 0 for a native id, so it never moves. MariaDB evaluates assignments from left to right, so
	 * first_at, which the others compare, comes last. */
	[Q_CLAIM] = { "batch.claim_ids",
		"INSERT INTO event_ids (source_id, id_hash, event_id, first_at, repeats) VALUES (?, ?, ?, ?, 0) "
		"ON DUPLICATE KEY UPDATE repeats = IF(first_at < ?, 0, repeats + 1), "
		"event_id = IF(first_at < ?, VALUES(event_id), event_id), "
		"first_at = IF(first_at < ?, VALUES(first_at), first_at) "
		"RETURNING event_id AS kept, repeats AS repeats" },
	[Q_REPEATED] = { "batch.repeated",
		"SELECT e.id AS id, e.status AS status, e.incident_id AS incident_id, i.status AS incident_status "
		"FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) AS t "
		"JOIN events e ON e.id = t.id LEFT JOIN incidents i ON i.id = e.incident_id", SCAN_OK },
	[Q_LOCK_KEY] = { "batch.lock_keys",
		"INSERT INTO incident_keys (service_id, key_hash, triggered_at) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE "
		"triggered_at = IF(VALUES(triggered_at) < sender_resolved_at, triggered_at, "
		"GREATEST(triggered_at, VALUES(triggered_at))) "
		"RETURNING incident_id AS incident_id, status AS status, level AS level, resolved_by AS resolved_by, "
		"triggered_at AS triggered_at, sender_resolved_at AS sender_resolved_at, merged_into AS merged_into" },
	[Q_MERGE_TARGETS] = { "batch.merge_targets",
		"SELECT i.id AS incident, i.service_id AS service_id, i.dedup_key AS dedup_key "
		"FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) AS t JOIN incidents i ON i.id = t.id", SCAN_OK },
	/* Rows that are there already are written by upserts: the server takes a bulk UPDATE apart into single statements, at
	 * 21 us a row; a bulk upsert costs 8. The key's lock is held, so none can be missing. */
	[Q_WRITE_KEY] = { "batch.write_keys",
		"INSERT INTO incident_keys (service_id, key_hash, incident_id, status, level, resolved_by, triggered_at, "
		"sender_resolved_at, merged_into) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE "
		"incident_id = VALUES(incident_id), status = VALUES(status), level = VALUES(level), "
		"resolved_by = VALUES(resolved_by), triggered_at = VALUES(triggered_at), "
		"sender_resolved_at = VALUES(sender_resolved_at), merged_into = VALUES(merged_into)" },
	[Q_REQUEST] = { "batch.insert_requests",
		"INSERT INTO requests (id, source_id, status, reason, method, uri, remote_addr, trace, traceparent, headers, "
		"body, body_bytes, duration_us, event_count, event_id, is_duplicate, is_test, stages, proof) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_MARK] = { "batch.insert_marks", "INSERT INTO request_marks (tenant_id, kind, id, event_id) VALUES (?, ?, ?, ?)" },
	[Q_EVENT] = { "batch.insert_events",
		"INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, entity_type, "
		"entity_id, action, severity, level, native_severity, dedup_key, summary, service, origin, status, done, "
		"attempts, is_test, incident_id, occurred_at, received_at, processed_at, updated_at) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	/* What its status (1 OPEN, 3 RESOLVED) says of its times: an open one was not acknowledged, an unresolved one has no end. Its
	 * end, or a higher severity, ends being snoozed. One that is unresolved is merged into nothing. */
	[Q_KNOWN_INCIDENT] = { "batch.write_known_incidents",
		"INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, open_hash, title, status, level, "
		"alert_count, is_test, is_quiet, opened_at, acknowledged_at, resolved_at, resolved_by, last_alert_at, updated_at) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
		"ON DUPLICATE KEY UPDATE snoozed_until = IF(VALUES(status) = 3 OR VALUES(level) > level, NULL, snoozed_until), "
		"alert_count = alert_count + VALUES(alert_count), level = VALUES(level), "
		"last_alert_at = GREATEST(last_alert_at, VALUES(last_alert_at)), updated_at = VALUES(updated_at), "
		"status = VALUES(status), open_hash = VALUES(open_hash), resolved_by = VALUES(resolved_by), "
		"acknowledged_at = IF(VALUES(status) = 1, NULL, COALESCE(VALUES(acknowledged_at), acknowledged_at)), "
		"resolved_at = IF(VALUES(status) = 3, VALUES(resolved_at), NULL), merged_into = IF(VALUES(status) = 3, merged_into, NULL)" },
	[Q_NEW_INCIDENT] = { "batch.insert_incidents",
		"INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, open_hash, title, status, level, "
		"alert_count, is_test, is_quiet, opened_at, acknowledged_at, resolved_at, resolved_by, last_alert_at, updated_at) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_ALERT] = { "batch.insert_alerts",
		"INSERT INTO alerts (id, tenant_id, event_id, incident_id, level, created_at) VALUES (?, ?, ?, ?, ?, ?)" },
	[Q_TIMELINE] = { "batch.insert_timeline",
		"INSERT INTO timeline (incident_id, id, at, kind, actor, user_id, event_id, level, text) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_STATS] = { "batch.add_stats",
		"INSERT INTO source_stats (source_id, hour, slot, received, errors, repeated, events, repeats, alerts, latency_us, tests, last_at, heard_at) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE received = received + VALUES(received), "
		"errors = errors + VALUES(errors), repeated = repeated + VALUES(repeated), events = events + VALUES(events), repeats = repeats + VALUES(repeats), "
		"alerts = alerts + VALUES(alerts), latency_us = latency_us + VALUES(latency_us), "
		"tests = tests + VALUES(tests), last_at = VALUES(last_at), heard_at = GREATEST(heard_at, VALUES(heard_at))" },
	[Q_ANSWERED] = { "batch.request_answered", "UPDATE requests SET status = ? WHERE id = ?" },
	[Q_EXISTS] = { "batch.request_exists", "SELECT id AS id FROM requests WHERE id = ? FOR UPDATE" },
	[Q_STORED] = { "batch.requests_stored",
		"SELECT r.id AS id FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) AS t "
		"JOIN requests r ON r.id = t.id FOR UPDATE", SCAN_OK },
};

const struct stmt_table batch_stmts = { batch_q, ARRAY_SIZE(batch_q) };

static struct str hash_str(const unsigned char *h)
{
	return (struct str){ (const char *)h, KEY_HASH_BYTES };
}

void key_hash(struct str text, unsigned char out[KEY_HASH_BYTES])
{
	unsigned char full[SHA256_BYTES];

	sha256(text, full);
	memcpy(out, full, KEY_HASH_BYTES);
}

/* Rows of a bulk statement are filled value by value; `put` keeps the lines short. */
struct rows {
	struct val *v;
	size_t n;
};

static struct rows rows_new(struct arena *a, size_t rows, size_t cols)
{
	return (struct rows){ ARENA_ARRAY(a, struct val, rows * cols), 0 };
}

static void put(struct rows *r, struct val v)
{
	r->v[r->n++] = v;
}

/* ---- event ids ---- */

struct claimed {
	uint64_t kept, repeats;
};

static const struct field claimed_fields[] = {
	FIELD_ID(struct claimed, kept, "kept", "event that holds the id"),
	FIELD_U64(struct claimed, repeats, "repeats", "redeliveries so far"),
	FIELD_END
};

bool batch_claim_ids(struct db *db, struct arena *a, struct id_claim *claims, size_t n, ms_t derived_ms, struct err *e)
{
	struct rows r = rows_new(a, n, 7);
	struct claimed *got = ARENA_ARRAY(a, struct claimed, n);

	for (size_t i = 0; i < n; i++) {
		ms_t cutoff = claims[i].native ? 0 : claims[i].received_at - derived_ms;

		put(&r, V_U(claims[i].source_id));
		put(&r, V_B(hash_str(claims[i].id_hash)));
		put(&r, V_U(claims[i].event_id));
		put(&r, V_I(claims[i].received_at));
		put(&r, V_I(cutoff));
		put(&r, V_I(cutoff));
		put(&r, V_I(cutoff));
	}
	if (!db_bulk_returning(db, &batch_q[Q_CLAIM], r.v, n, 7, a, claimed_fields, sizeof(*got), got, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		claims[i].kept = got[i].kept;
		claims[i].repeats = got[i].repeats;
	}
	return true;
}

static const struct field repeated_fields[] = {
	FIELD_ID(struct repeated, id, "id", "event"),
	FIELD_U64(struct repeated, status, "status", "of the event"),
	FIELD_ID(struct repeated, incident_id, "incident_id", "it joined"),
	FIELD_U64(struct repeated, incident_status, "incident_status", "of that incident"),
	FIELD_END
};

bool batch_repeated(struct db *db, struct arena *a, struct str ids, struct repeated **out, size_t *n, struct err *e)
{
	return db_query(db, &batch_q[Q_REPEATED], VALS(V_S(ids)), a, repeated_fields, sizeof(**out), out, n, e);
}

/* ---- keys ---- */

struct key_row {
	uint64_t incident_id, status, level, resolved_by, merged_into;
	ms_t triggered_at, sender_resolved_at;
};

static const struct field key_fields[] = {
	FIELD_ID(struct key_row, incident_id, "incident_id", "newest incident"),
	FIELD_U64(struct key_row, status, "status", "its status"),
	FIELD_U64(struct key_row, level, "level", "its severity"),
	FIELD_U64(struct key_row, resolved_by, "resolved_by", "who ended it"),
	FIELD_TIME(struct key_row, triggered_at, "triggered_at", "newest trigger"),
	FIELD_TIME(struct key_row, sender_resolved_at, "sender_resolved_at", "barrier"),
	FIELD_ID(struct key_row, merged_into, "merged_into", "incident that it joins"),
	FIELD_END
};

bool batch_lock_keys(struct db *db, struct arena *a, struct key_lock *keys, size_t n, struct err *e)
{
	struct rows r = rows_new(a, n, 3);
	struct key_row *got = ARENA_ARRAY(a, struct key_row, n);

	for (size_t i = 0; i < n; i++) {
		put(&r, V_U(keys[i].service_id));
		put(&r, V_B(hash_str(keys[i].key_hash)));
		put(&r, V_I(keys[i].triggered_at));
	}
	if (!db_bulk_returning(db, &batch_q[Q_LOCK_KEY], r.v, n, 3, a, key_fields, sizeof(*got), got, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		keys[i].changed = false;
		keys[i].merged_into = got[i].merged_into;
		keys[i].state = (struct key_state){
			.incident = got[i].incident_id,
			.status = (enum incident_status)got[i].status,
			.level = (enum level)got[i].level,
			.resolved_by = (enum actor)got[i].resolved_by,
			.triggered_at = got[i].triggered_at,
			.sender_resolved_at = got[i].sender_resolved_at,
		};
	}
	return true;
}

struct target_row {
	uint64_t incident, service_id;
	struct str dedup_key;
};

static const struct field target_fields[] = {
	FIELD_ID(struct target_row, incident, "incident", "merged into"),
	FIELD_ID(struct target_row, service_id, "service_id", "its service"),
	FIELD_STR(struct target_row, dedup_key, "dedup_key", "its key"),
	FIELD_END
};

bool batch_merge_targets(struct db *db, struct arena *a, struct str ids, struct merge_target **out, size_t *n, struct err *e)
{
	struct target_row *rows;

	if (!db_query(db, &batch_q[Q_MERGE_TARGETS], VALS(V_S(ids)), a, target_fields, sizeof(*rows), &rows, n, e))
		return false;
	*out = ARENA_ARRAY(a, struct merge_target, *n);
	for (size_t i = 0; i < *n; i++) {
		(*out)[i] = (struct merge_target){ .incident = rows[i].incident, .service_id = rows[i].service_id };
		key_hash(rows[i].dedup_key, (*out)[i].key_hash);
	}
	return true;
}

bool batch_write_keys(struct db *db, struct arena *a, const struct key_lock *keys, size_t n, struct err *e)
{
	struct rows r = rows_new(a, n, 9);
	size_t changed = 0;

	for (size_t i = 0; i < n; i++) {
		const struct key_state *s = &keys[i].state;

		if (!keys[i].changed)
			continue;
		put(&r, V_U(keys[i].service_id));
		put(&r, V_B(hash_str(keys[i].key_hash)));
		put(&r, V_U(s->incident));
		put(&r, V_U(s->status));
		put(&r, V_U(s->level));
		put(&r, V_U(s->resolved_by));
		put(&r, V_I(s->triggered_at));
		put(&r, V_I(s->sender_resolved_at));
		put(&r, V_U(keys[i].merged_into));
		changed++;
	}
	return db_bulk(db, &batch_q[Q_WRITE_KEY], r.v, changed, 9, e);
}

/* ---- requests and events ---- */

bool batch_insert_requests(struct db *db, struct arena *a, const struct request_row *rows, size_t n, struct err *e)
{
	struct rows r = rows_new(a, n, 19);

	for (size_t i = 0; i < n; i++) {
		const struct request_row *q = &rows[i];

		put(&r, V_U(q->id));
		put(&r, V_U(q->source_id));
		put(&r, V_U(q->status));
		put(&r, V_SN(str_of(q->reason)));
		put(&r, V_S(q->method));
		put(&r, V_S(q->uri));
		put(&r, V_S(q->remote_addr));
		put(&r, V_S(q->trace));
		put(&r, V_SN(q->traceparent));
		put(&r, V_S(q->headers));
		put(&r, V_B(q->body));
		put(&r, V_U(q->body_bytes));
		put(&r, V_U(q->duration_us));
		put(&r, V_U(q->event_count));
		put(&r, V_ID(q->event_id));
		put(&r, V_U(q->is_duplicate));
		put(&r, V_U(q->is_test));
		put(&r, V_S(q->stages));
		put(&r, V_SN(q->proof));
	}
	return db_bulk(db, &batch_q[Q_REQUEST], r.v, n, 19, e);
}

static bool is_marked(const struct request_row *q)
{
	return q->reason || q->is_duplicate;
}

bool batch_insert_marks(struct db *db, struct arena *a, const struct request_row *rows, size_t n, struct err *e)
{
	struct rows r;
	size_t marked = 0;

	for (size_t i = 0; i < n; i++)
		marked += is_marked(&rows[i]);
	if (!marked)
		return true;
	r = rows_new(a, marked, 4);
	for (size_t i = 0; i < n; i++) {
		const struct request_row *q = &rows[i];

		if (!is_marked(q))
			continue;
		put(&r, V_U(q->tenant_id));
		put(&r, V_U(q->reason ? MARK_REFUSED : MARK_REPEATED));
		put(&r, V_U(q->id));
		put(&r, V_ID(q->reason ? 0 : q->event_id));
	}
	return db_bulk(db, &batch_q[Q_MARK], r.v, marked, 4, e);
}

bool batch_insert_events(struct db *db, struct arena *a, const struct event_row *rows, size_t n, struct err *e)
{
	struct rows r = rows_new(a, n, 26);

	for (size_t i = 0; i < n; i++) {
		const struct event_row *q = &rows[i];

		put(&r, V_U(q->id));
		put(&r, V_U(q->tenant_id));
		put(&r, V_U(q->source_id));
		put(&r, V_U(q->request_id));
		put(&r, V_U(q->element));
		put(&r, V_S(q->ev->event_id));
		put(&r, V_S(q->ev->event_type));
		put(&r, V_S(q->ev->entity_type));
		put(&r, V_S(q->ev->entity_id));
		put(&r, V_U(q->ev->action));
		put(&r, V_U(q->ev->severity));
		put(&r, V_U(q->ev->level));
		put(&r, V_S(q->ev->native_severity));
		put(&r, V_S(q->ev->dedup_key));
		put(&r, V_S(q->ev->summary));
		put(&r, V_S(q->ev->service));
		put(&r, V_S(q->ev->source));
		put(&r, V_U(q->status));
		put(&r, V_U(q->done));
		put(&r, V_U(q->attempts));
		put(&r, V_U(q->is_test));
		put(&r, V_ID(q->incident_id));
		put(&r, V_T(q->ev->occurred_at));
		put(&r, V_I(q->received_at));
		put(&r, V_T(q->processed_at));
		put(&r, V_I(q->received_at));
	}
	return db_bulk(db, &batch_q[Q_EVENT], r.v, n, 26, e);
}

/* ---- incidents ---- */

static bool is_open(enum incident_status s)
{
	return s == INCIDENT_OPEN || s == INCIDENT_ACKNOWLEDGED;
}

static struct val open_hash(const struct incident_row *q)
{
	return is_open(q->status) ? V_B(hash_str(q->key_hash)) : V_NULL();
}

static bool write_incidents(struct db *db, struct arena *a, const struct incident_row *rows, size_t n, bool is_new, ms_t now,
	struct err *e)
{
	const struct stmt *stmt = &batch_q[is_new ? Q_NEW_INCIDENT : Q_KNOWN_INCIDENT];
	struct rows r = rows_new(a, n, 18);
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		const struct incident_row *q = &rows[i];

		if (q->is_new != is_new)
			continue;
		put(&r, V_U(q->id));
		put(&r, V_U(q->tenant_id));
		put(&r, V_U(q->service_id));
		put(&r, V_U(q->source_id));
		put(&r, V_S(q->dedup_key));
		put(&r, open_hash(q));
		put(&r, V_S(q->title));
		put(&r, V_U(q->status));
		put(&r, V_U(q->level));
		put(&r, V_U(q->alerts));
		put(&r, V_U(q->is_test));
		put(&r, V_U(q->is_quiet));
		put(&r, V_I(q->opened_at));
		put(&r, V_T(q->acknowledged_at));
		put(&r, V_T(q->resolved_at));
		put(&r, V_U(q->resolved_by));
		put(&r, V_I(q->last_alert_at));
		put(&r, V_I(now));
		m++;
	}
	return db_bulk(db, stmt, r.v, m, 18, e);
}

bool batch_write_incidents(struct db *db, struct arena *a, const struct incident_row *rows, size_t n, ms_t now, struct err *e)
{
	return write_incidents(db, a, rows, n, false, now, e) && write_incidents(db, a, rows, n, true, now, e);
}

bool batch_insert_alerts(struct db *db, struct arena *a, const struct alert_row *rows, size_t n, struct err *e)
{
	struct rows r = rows_new(a, n, 6);

	for (size_t i = 0; i < n; i++) {
		put(&r, V_U(rows[i].id));
		put(&r, V_U(rows[i].tenant_id));
		put(&r, V_U(rows[i].event_id));
		put(&r, V_U(rows[i].incident_id));
		put(&r, V_U(rows[i].level));
		put(&r, V_I(rows[i].created_at));
	}
	return db_bulk(db, &batch_q[Q_ALERT], r.v, n, 6, e);
}

bool batch_insert_timeline(struct db *db, struct arena *a, const struct timeline_row *rows, size_t n, struct err *e)
{
	struct rows r = rows_new(a, n, 9);

	for (size_t i = 0; i < n; i++) {
		put(&r, V_U(rows[i].incident_id));
		put(&r, V_U(rows[i].id));
		put(&r, V_I(rows[i].at));
		put(&r, V_U(rows[i].kind));
		put(&r, V_U(rows[i].actor));
		put(&r, V_ID(rows[i].user_id));
		put(&r, V_ID(rows[i].event_id));
		put(&r, V_U(rows[i].level));
		put(&r, V_SN(rows[i].text));
	}
	return db_bulk(db, &batch_q[Q_TIMELINE], r.v, n, 9, e);
}

/* ---- counters ---- */

bool batch_add_stats(struct db *db, struct arena *a, const struct stats_row *rows, size_t n, unsigned slot, ms_t now, struct err *e)
{
	struct rows r = rows_new(a, n * 2, 13);

	for (size_t i = 0; i < n * 2; i++) {
		const struct stats_row *q = &rows[i / 2];

		put(&r, V_U(q->source_id));
		put(&r, V_U(i % 2 ? (uint64_t)(now / MS_PER_HOUR) : 0));
		put(&r, V_U(slot));
		put(&r, V_U(q->received));
		put(&r, V_U(q->errors));
		put(&r, V_U(q->repeated));
		put(&r, V_U(q->events));
		put(&r, V_U(q->repeats));
		put(&r, V_U(q->alerts));
		put(&r, V_U(q->latency_us));
		put(&r, V_U(q->tests));
		put(&r, V_I(now));
		put(&r, V_I(q->heard_at));
	}
	return db_bulk(db, &batch_q[Q_STATS], r.v, n * 2, 13, e);
}

static const struct field stored_fields[] = { FIELD_ID(struct stored_request, id, "id", "request"), FIELD_END };

int batch_request_exists(struct db *db, struct arena *a, uint64_t id, struct err *e)
{
	struct stored_request row;

	return db_query_one(db, &batch_q[Q_EXISTS], VALS(V_U(id)), a, stored_fields, sizeof(row), &row, e);
}

bool batch_requests_stored(struct db *db, struct arena *a, struct str ids, struct stored_request **out, size_t *n, struct err *e)
{
	return db_query(db, &batch_q[Q_STORED], VALS(V_S(ids)), a, stored_fields, sizeof(**out), out, n, e);
}

struct answered {
	struct arena *a;
	uint64_t id, source_id;
	unsigned status, slot;
	ms_t now;
};

/* Counted as an error of a request that was counted before. */
static bool answered_tx(struct db *db, void *ctx, struct err *e)
{
	const struct answered *x = ctx;
	const struct stats_row error = { .source_id = x->source_id, .errors = 1 };

	return db_exec(db, &batch_q[Q_ANSWERED], VALS(V_U(x->status), V_U(x->id)), NULL, e) &&
		batch_add_stats(db, x->a, &error, 1, x->slot, x->now, e);
}

bool request_answered(struct db *db, struct arena *a, uint64_t id, uint64_t source_id, unsigned status, unsigned slot, ms_t now, struct err *e)
{
	struct answered x = { a, id, source_id, status, slot, now };

	return db_tx(db, answered_tx, &x, e);
}
