/* outbox.c - what is to be sent. A row is written in the transaction of its cause, so nothing is forgotten and nothing is sent for what was
 * not done. Whoever sends it takes a lease by compare-and-set: the row must be as it was seen, and its next_at moves to the end of the lease.
 * So a row is sent by one at a time, also where row locks are not seen (Galera), and again when its sender died. */
#include "store_int.h"

#include "grapnel/json.h"

enum { Q_ADD, Q_DUE_COUNT, Q_QUEUE, Q_MEND, Q_TARGETS, Q_DUE, Q_CLAIM, Q_CLAIMED, Q_RELEASE, Q_CALL_OFF, Q_FINISH, Q_ATTEMPT, Q_DROP_WAITING, Q_HURRY, Q_END_DUE, Q_AGAIN, Q_UNTAKEN, Q_NEWEST, Q_OF_CAUSE, Q_BUNDLED, Q_BUNDLED_COUNT };

/* Messages of one cause go to a target in their order: what has ended was not before it began. */
#define ITS_TURN \
	" AND NOT EXISTS (SELECT 1 FROM outbox earlier WHERE earlier.cause_id = o.cause_id AND earlier.id < o.id AND earlier.kind = o.kind" \
	" AND earlier.target_id = o.target_id AND earlier.recipient <=> o.recipient AND earlier.status IN (0, 2))"

#define COLUMNS \
	"id, tenant_id, kind, target_id, recipient, user_id, cause_id, payload, traceparent, status, bundled_in, attempts, attempts_max, answer, error, next_at, created_at, finished_at"

static const struct stmt stmts[] = {
	[Q_ADD] = { "outbox.add",
		"INSERT INTO outbox (id, tenant_id, kind, target_id, recipient, user_id, cause_id, payload, traceparent, status, bundled_in, attempts_max, next_at, created_at,"
		" finished_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_DUE_COUNT] = { "outbox.due_count", "SELECT COUNT(*) AS id FROM outbox WHERE status IN (0, 2) AND next_at <= ?" },
	[Q_QUEUE] = { "outbox.queue",
		"SELECT COUNT(*) AS n, COALESCE(MIN(next_at), 0) AS next_at FROM (SELECT next_at FROM outbox o FORCE INDEX (due) WHERE status = ?"
		ITS_TURN " AND NOT EXISTS (SELECT 1 FROM breakers b WHERE b.kind = 2 AND b.target_id = o.target_id AND o.kind = 2 AND b.opened_at IS NOT NULL)"
		" ORDER BY next_at LIMIT ?) w" },
	[Q_MEND] = { "outbox.mend",
		"UPDATE outbox SET next_at = ?, lease_owner = 0 WHERE status IN (0, 2, 5) AND next_at > ?" },
	/* The index gives the first of each target, what stands behind it does not count: but only to a GROUP BY of all its columns. */
	[Q_TARGETS] = { "outbox.targets",
		"SELECT w.target_id, w.next_at, COALESCE(b.failures, 0) AS failures, b.opened_at, COALESCE(b.probe_at, 0) AS probe_at"
		" FROM (SELECT status, kind, target_id, MIN(next_at) AS next_at FROM outbox FORCE INDEX (by_wait)"
		" WHERE status = ? AND kind = ? GROUP BY status, kind, target_id) w LEFT JOIN breakers b ON b.kind = ? AND b.target_id = w.target_id"
		" WHERE w.next_at <= ? AND (b.opened_at IS NULL OR b.probe_at <= ?) ORDER BY w.next_at LIMIT ?" },
	[Q_DUE] = { "outbox.due",
		"SELECT id, status, attempts, next_at FROM outbox o FORCE INDEX (by_wait) WHERE status = ? AND kind = ? AND target_id = ? AND next_at <= ?"
		ITS_TURN " ORDER BY next_at LIMIT ?" },
	[Q_CLAIM] = { "outbox.claim",
		"UPDATE outbox FORCE INDEX (PRIMARY) SET attempts = attempts + 1, lease_owner = ?, next_at = ? WHERE id = ? AND status = ? AND attempts = ?"
		" AND next_at = ?" },
	[Q_CLAIMED] = { "outbox.claimed",
		"SELECT " COLUMNS " FROM JSON_TABLE(?, '$[*]' COLUMNS (claimed BIGINT UNSIGNED PATH '$')) c JOIN outbox o ON o.id = c.claimed"
		" WHERE o.lease_owner = ?" },
	[Q_RELEASE] = { "outbox.release",
		"UPDATE outbox SET attempts = attempts - 1, lease_owner = 0, next_at = ? WHERE id = ? AND lease_owner = ?" },
	[Q_CALL_OFF] = { "outbox.call_off",
		"UPDATE outbox SET status = 6, attempts = attempts - 1, lease_owner = 0, finished_at = ? WHERE id = ? AND lease_owner = ?" },
	[Q_FINISH] = { "outbox.finish",
		"UPDATE outbox SET status = ?, answer = ?, error = ?, next_at = ?, finished_at = ?, lease_owner = 0"
		" WHERE id = ? AND lease_owner = ?" },
	/* Nothing changes where it is there: the answer to a commit was lost, and this is the second time. */
	[Q_ATTEMPT] = { "outbox.attempt",
		"INSERT INTO outbox_attempts (outbox_id, attempt, at, duration_ms, status, error, answer) VALUES (?, ?, ?, ?, ?, ?, ?)"
		" ON DUPLICATE KEY UPDATE at = VALUES(at)" },
	[Q_DROP_WAITING] = { "outbox.drop_waiting",
		"UPDATE outbox SET status = 3, error = ?, finished_at = ?, lease_owner = 0"
		" WHERE status IN (0, 2, 5) AND kind = ? AND target_id = ?" },
	[Q_END_DUE] = { "outbox.end_due", "UPDATE outbox FORCE INDEX (due) SET status = 3, finished_at = ? WHERE status = 5 AND next_at <= ?" },
	[Q_AGAIN] = { "outbox.again",
		"UPDATE outbox SET attempts_max = IF(status IN (0, 2), attempts_max, attempts + 1), status = 0, next_at = ?, finished_at = NULL"
		" WHERE id = ? AND lease_owner = 0 AND attempts < 255" },
	[Q_HURRY] = { "outbox.hurry",
		"UPDATE outbox FORCE INDEX (by_cause) SET next_at = ? WHERE cause_id = ? AND kind = ? AND status = 0 AND lease_owner = 0 AND next_at > ?" },
	[Q_UNTAKEN] = { "outbox.untaken",
		"SELECT id FROM outbox FORCE INDEX (by_cause) WHERE cause_id = ? AND kind = ? AND target_id = ? AND created_at = ? AND id <> ? AND status NOT IN (1, 4, 6) LIMIT 1" },
	[Q_NEWEST] = { "outbox.newest",
		"SELECT " COLUMNS " FROM outbox WHERE kind = ? AND target_id = ? ORDER BY id DESC LIMIT 1" },
	[Q_OF_CAUSE] = { "outbox.of_cause",
		"SELECT " COLUMNS " FROM outbox WHERE cause_id = ? AND kind = ? ORDER BY id LIMIT 1" },
	[Q_BUNDLED] = { "outbox.bundled", "SELECT id, payload FROM outbox FORCE INDEX (by_bundle) WHERE bundled_in = ? ORDER BY id LIMIT ?" },
	[Q_BUNDLED_COUNT] = { "outbox.bundled_count",
		"SELECT COUNT(*) AS id FROM (SELECT 1 FROM outbox FORCE INDEX (by_bundle) WHERE bundled_in = ? LIMIT ?) w" },
};
const struct stmt_table outbox_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct outbox_row, id, "id", ""),
	FIELD_ID(struct outbox_row, tenant_id, "tenant_id", ""),
	FIELD_U64(struct outbox_row, kind, "kind", ""),
	FIELD_ID(struct outbox_row, target_id, "target_id", ""),
	FIELD_STR(struct outbox_row, recipient, "recipient", ""),
	FIELD_ID(struct outbox_row, user_id, "user_id", ""),
	FIELD_ID(struct outbox_row, cause_id, "cause_id", ""),
	FIELD_STR(struct outbox_row, payload, "payload", ""),
	FIELD_STR(struct outbox_row, traceparent, "traceparent", ""),
	FIELD_U64(struct outbox_row, status, "status", ""),
	FIELD_ID(struct outbox_row, bundled_in, "bundled_in", ""),
	FIELD_U64(struct outbox_row, attempts, "attempts", ""),
	FIELD_U64(struct outbox_row, attempts_max, "attempts_max", ""),
	FIELD_STR(struct outbox_row, answer, "answer", ""),
	FIELD_STR(struct outbox_row, error, "error", ""),
	FIELD_TIME(struct outbox_row, next_at, "next_at", ""),
	FIELD_TIME(struct outbox_row, created_at, "created_at", ""),
	FIELD_TIME(struct outbox_row, finished_at, "finished_at", ""),
	FIELD_END
};

static const struct field target_fields[] = {
	FIELD_ID(struct outbox_target, id, "target_id", ""),
	FIELD_TIME(struct outbox_target, next_at, "next_at", ""),
	FIELD_U64(struct outbox_target, failures, "failures", ""),
	FIELD_TIME(struct outbox_target, opened_at, "opened_at", ""),
	FIELD_TIME(struct outbox_target, probe_at, "probe_at", ""),
	FIELD_END
};

/* ---- writing ---- */

#define ADD_COLUMNS 15

bool outbox_add_all(struct db *db, struct arena *a, const struct outbox_row *rows, size_t n, struct err *e)
{
	struct val *vals = ARENA_ARRAY(a, struct val, n * ADD_COLUMNS + 1);

	for (size_t i = 0; i < n; i++) {
		const struct outbox_row *r = &rows[i];
		const struct val row[ADD_COLUMNS] = { V_U(r->id), V_U(r->tenant_id), V_U(r->kind), V_U(r->target_id),
			V_SN(r->recipient.n ? r->recipient : STR_NONE), r->user_id ? V_U(r->user_id) : V_NULL(), V_U(r->cause_id), V_SN(r->payload), V_SN(r->traceparent.n ? r->traceparent : STR_NONE), V_U(r->status),
			V_ID(r->bundled_in), V_U(r->attempts_max), V_I(r->next_at), V_I(r->created_at), V_T(r->finished_at) };

		memcpy(vals + i * ADD_COLUMNS, row, sizeof(row));
	}
	return db_bulk(db, &stmts[Q_ADD], vals, n, ADD_COLUMNS, e);
}

bool outbox_drop_waiting(struct db *db, enum outbox_kind kind, uint64_t target_id, const char *why, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_DROP_WAITING], VALS(V_S(str_of(why)), V_I(now), V_U(kind), V_U(target_id)), NULL, e);
}

bool outbox_hurry(struct db *db, enum outbox_kind kind, uint64_t cause_id, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_HURRY], VALS(V_I(now), V_U(cause_id), V_U(kind), V_I(now)), NULL, e);
}

bool outbox_end_due(struct db *db, ms_t now, uint64_t *n, struct err *e)
{
	return db_exec(db, &stmts[Q_END_DUE], VALS(V_I(now), V_I(now)), n, e);
}

int outbox_again(struct db *db, uint64_t id, ms_t now, struct err *e)
{
	uint64_t matched;

	if (!db_exec(db, &stmts[Q_AGAIN], VALS(V_I(now), V_U(id)), &matched, e))
		return -1;
	return matched == 1;
}

/* ---- taking ---- */

/* No wait and no lease is that long. */
#define LATEST_MS (2 * MS_PER_HOUR)

bool outbox_mend(struct db *db, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_MEND], VALS(V_I(now), V_I(now + LATEST_MS)), NULL, e);
}

bool outbox_due_count(struct db *db, struct arena *a, ms_t now, uint64_t *n, struct err *e)
{
	struct outbox_row row = { 0 };
	int found = db_query_one(db, &stmts[Q_DUE_COUNT], VALS(V_I(now)), a, fields, sizeof(row), &row, e);

	*n = row.id;
	return found >= 0;
}

static const struct field queue_fields[] = {
	FIELD_U64(struct outbox_queue, n, "n", ""),
	FIELD_TIME(struct outbox_queue, next_at, "next_at", ""),
	FIELD_END
};

bool outbox_queue_get(struct db *db, struct arena *a, enum outbox_status status, struct outbox_queue *out, struct err *e)
{
	*out = (struct outbox_queue){ 0 };
	return db_query_one(db, &stmts[Q_QUEUE], VALS(V_U(status), V_U(OUTBOX_COUNT_MAX)), a, queue_fields, sizeof(*out), out, e) >= 0;
}

bool outbox_targets(struct db *db, struct arena *a, enum outbox_kind kind, enum outbox_status status, uint64_t breaker, ms_t since, ms_t now,
	size_t limit, struct outbox_target **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_TARGETS], VALS(V_U(status), V_U(kind), V_U(breaker), V_I(since), V_I(now), V_U(limit)), a, target_fields,
		sizeof(**out), out, n, e);
}

bool outbox_due(struct db *db, struct arena *a, enum outbox_kind kind, enum outbox_status status, uint64_t target_id, ms_t now, size_t limit,
	struct outbox_row **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_DUE], VALS(V_U(status), V_U(kind), V_U(target_id), V_I(now), V_U(limit)), a, fields, sizeof(**out),
		out, n, e);
}

static int by_id(const void *x, const void *y)
{
	uint64_t a = ((const struct outbox_row *)x)->id, b = ((const struct outbox_row *)y)->id;

	return (a > b) - (a < b);
}

#define CLAIM_COLUMNS 6

struct claiming {
	const struct val *vals;
	size_t n;
};

static bool claim_tx(struct db *db, void *ctx, struct err *e)
{
	const struct claiming *c = ctx;

	return db_bulk(db, &stmts[Q_CLAIM], c->vals, c->n, CLAIM_COLUMNS, e);
}

/* In one order, so that two who claim the same rows wait for each other once and never in a ring. */
bool outbox_claim(struct db *db, struct arena *a, struct outbox_row *seen, size_t seen_n, uint64_t owner, ms_t until, struct outbox_row **out,
	size_t *n, struct err *e)
{
	struct val *vals = ARENA_ARRAY(a, struct val, seen_n * CLAIM_COLUMNS + 1);

	*n = 0;
	if (!seen_n)
		return true;
	qsort(seen, seen_n, sizeof(*seen), by_id);
	for (size_t i = 0; i < seen_n; i++) {
		const struct val row[CLAIM_COLUMNS] = { V_U(owner), V_I(until), V_U(seen[i].id), V_U(seen[i].status),
			V_U(seen[i].attempts), V_I(seen[i].next_at) };

		memcpy(vals + i * CLAIM_COLUMNS, row, sizeof(row));
	}
	if (!db_tx(db, claim_tx, &(struct claiming){ vals, seen_n }, e))	/* one commit for all of them */
		return db_trouble(db) == DB_CONFLICT;	/* somebody was faster */
	return db_query(db, &stmts[Q_CLAIMED], VALS(V_S(JSON_IDS(a, seen, seen_n, id)), V_U(owner)), a, fields, sizeof(**out), out, n, e);
}

bool outbox_release(struct db *db, uint64_t id, uint64_t owner, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_RELEASE], VALS(V_I(now), V_U(id), V_U(owner)), NULL, e);
}

bool outbox_call_off(struct db *db, uint64_t id, uint64_t owner, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_CALL_OFF], VALS(V_I(now), V_U(id), V_U(owner)), NULL, e);
}

/* ---- results ---- */

#define FINISH_COLUMNS 7
#define ATTEMPT_COLUMNS 7

bool outbox_finish(struct db *db, struct arena *a, const struct outbox_result *results, size_t n, struct err *e)
{
	struct val *finish = ARENA_ARRAY(a, struct val, n * FINISH_COLUMNS + 1);
	struct val *attempts = ARENA_ARRAY(a, struct val, n * ATTEMPT_COLUMNS + 1);

	for (size_t i = 0; i < n; i++) {
		const struct outbox_result *r = &results[i];
		const struct outbox_row *row = &r->row;
		struct str error = str_cut(row->error, 255);
		const struct val finished[FINISH_COLUMNS] = { V_U(row->status), V_SN(str_cut(row->answer, 255)), V_SN(error), V_I(row->next_at),
			V_T(row->finished_at), V_U(row->id), V_U(r->owner) };
		const struct val attempt[ATTEMPT_COLUMNS] = { V_U(row->id), V_U(row->attempts), V_I(r->at), V_U(r->duration_ms),
			V_U(r->http_status), V_SN(error), V_S(str_cut(r->body.p ? r->body : STR(""), OUTBOX_ANSWER_MAX)) };

		memcpy(finish + i * FINISH_COLUMNS, finished, sizeof(finished));
		memcpy(attempts + i * ATTEMPT_COLUMNS, attempt, sizeof(attempt));
	}
	return db_bulk(db, &stmts[Q_FINISH], finish, n, FINISH_COLUMNS, e) &&
		db_bulk(db, &stmts[Q_ATTEMPT], attempts, n, ATTEMPT_COLUMNS, e);
}

/* ---- reading ---- */

int outbox_untaken(struct db *db, struct arena *a, const struct outbox_row *r, struct err *e)
{
	struct outbox_row other;

	return db_query_one(db, &stmts[Q_UNTAKEN], VALS(V_U(r->cause_id), V_U(r->kind), V_U(r->target_id), V_I(r->created_at), V_U(r->id)), a, fields, sizeof(other),
		&other, e);
}

int outbox_newest(struct db *db, struct arena *a, enum outbox_kind kind, uint64_t target_id, struct outbox_row *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_NEWEST], VALS(V_U(kind), V_U(target_id)), a, fields, sizeof(*out), out, e);
}

int outbox_of_cause(struct db *db, struct arena *a, enum outbox_kind kind, uint64_t cause_id, struct outbox_row *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_OF_CAUSE], VALS(V_U(cause_id), V_U(kind)), a, fields, sizeof(*out), out, e);
}

bool outbox_bundled(struct db *db, struct arena *a, uint64_t digest, size_t limit, struct outbox_row **out, size_t *n, uint64_t *all, struct err *e)
{
	struct outbox_row count = { 0 };

	if (!db_query(db, &stmts[Q_BUNDLED], VALS(V_U(digest), V_U(limit)), a, fields, sizeof(**out), out, n, e) ||
		db_query_one(db, &stmts[Q_BUNDLED_COUNT], VALS(V_U(digest), V_U(OUTBOX_BUNDLE_MAX)), a, fields, sizeof(count), &count, e) < 0)
		return false;
	*all = count.id;
	return true;
}
