/* forward.c - the queue of events for their handlers. store.h says how it is shared without locks.
 *
 * Why a table of its own and not columns of `events`: ten million rows are done with, and an index that finds the few that wait would cost
 * each of them. Why not the outbox: it keeps what it has sent, an attempt at a forward is kept with its event. Locks are taken in one
 * order: forwards, then events, then attempts. */
#include "store_int.h"

enum {
	Q_ADD, Q_REOPEN, Q_SOURCES, Q_DUE_COUNT, Q_LATEST, Q_MEND, Q_TARGET,
	Q_TAKE, Q_TAKE_THESE, Q_DROP_STALE, Q_BEGIN, Q_NOTE, Q_CLAIMED,
	Q_END_EVENT, Q_GIVE_BACK_EVENT, Q_NOT_NEEDED, Q_END_ATTEMPT, Q_FORGET_ATTEMPT, Q_KEEP, Q_DROP,
	Q_RETRY_ADD, Q_RETRY, Q_REPLAY_ADD, Q_REPLAY, Q_MARK, Q_RESTORE, Q_UNQUEUE, Q_UNMARK, Q_STUCK,
	Q_DEAD_ALERTS, Q_ANY_DEAD, Q_RELEASE_ADD, Q_RELEASE, Q_FIRST, Q_DONE_DROP, Q_DONE,
};

#define IDS "JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) j"
#define OF_CLAIM "f.source_id = ? AND f.next_at = ? AND f.owner = ?"

/* Numbers of statuses: 0 pending, 1 processing, 2 processed, 3 failed, 4 dead, 5 ignored. Bit 4 of done is DO_FORWARD. */
static const struct stmt stmts[] = {
	[Q_ADD] = { "forward.add",
		"INSERT INTO forwards (event_id, source_id, next_at, tries) VALUES (?, ?, ?, ?)"
		" ON DUPLICATE KEY UPDATE next_at = IF(owner = 0, VALUES(next_at), next_at)" },
	[Q_REOPEN] = { "forward.reopen", "UPDATE events SET status = 0, updated_at = ? WHERE id = ? AND status IN (3, 4)" },

	/* One step in the index for each source that has any. */
	[Q_SOURCES] = { "forward.sources_due",
		"SELECT w.source_id, w.next_at, COALESCE(b.failures, 0) AS failures, b.opened_at, COALESCE(b.probe_at, 0) AS probe_at"
		" FROM (SELECT source_id, MIN(next_at) AS next_at FROM forwards GROUP BY source_id) w"
		" LEFT JOIN breakers b ON b.kind = 1 AND b.target_id = w.source_id"
		" WHERE w.next_at <= ? AND (b.opened_at IS NULL OR b.probe_at <= ?) ORDER BY w.next_at, w.source_id LIMIT ?", SCAN_OK },
	[Q_DUE_COUNT] = { "forward.due_count",
		"SELECT COUNT(*) AS number FROM (SELECT source_id FROM forwards GROUP BY source_id) s"
		" STRAIGHT_JOIN forwards f ON f.source_id = s.source_id AND f.next_at <= ?", SCAN_OK },
	[Q_LATEST] = { "forward.latest",
		"SELECT source_id, MAX(next_at) AS next_at FROM forwards GROUP BY source_id", SCAN_OK },
	[Q_MEND] = { "forward.mend",
		"UPDATE forwards SET next_at = ?, owner = 0 WHERE source_id = ? AND next_at > ? AND (owner <> 0 OR next_at > ?)" },
	[Q_TARGET] = { "forward.target",
		"SELECT s.id AS source_id, s.tenant_id, s.actions, s.max_retries, s.backoff_s, s.public_id, s.name, s.handler_url AS url,"
		" s.handler_secret_sealed AS sealed, s.deleted_at IS NOT NULL AS deleted,"
		" EXISTS (SELECT 1 FROM channels c WHERE c.tenant_id = s.tenant_id AND c.enabled = 1 AND c.events & 8 <> 0)"
		" OR EXISTS (SELECT 1 FROM endpoints p WHERE p.tenant_id = s.tenant_id AND p.live = 1 AND p.enabled = 1"
		" AND (INSTR(p.events, 'event.') OR FIND_IN_SET('*', p.events))) AS has_sinks,"
		" (SELECT x.sealed FROM source_secrets x WHERE x.source_id = s.id AND (x.expires_at IS NULL OR x.expires_at > ?)"
		" ORDER BY x.created_at DESC, x.id DESC LIMIT 1) AS source_sealed FROM sources s WHERE s.id = ?" },

	/* A row that has an owner and is due was held by somebody who died. No ORDER BY: the index is read in that order anyhow, and with it the server sorts all that is due. */
	[Q_TAKE] = { "forward.take",
		"UPDATE forwards SET lost = LEAST(lost + (owner <> 0), 255), owner = ?, next_at = ? WHERE source_id = ? AND next_at <= ? LIMIT ?" },
	[Q_TAKE_THESE] = { "forward.take_these",
		"UPDATE " IDS " STRAIGHT_JOIN forwards f FORCE INDEX (PRIMARY) ON f.event_id = j.id SET f.lost = LEAST(f.lost + (f.owner <> 0), 255), f.owner = ?, f.next_at = ?"
		" WHERE f.source_id = ? AND (f.owner = 0 OR f.next_at <= ?)", SCAN_OK },
	/* Events that were deleted or settled by hand meanwhile. */
	[Q_DROP_STALE] = { "forward.drop_stale",
		"DELETE f FROM forwards f LEFT JOIN events e ON e.id = f.event_id WHERE " OF_CLAIM
		" AND (e.id IS NULL OR e.status IN (2, 4, 5))" },
	[Q_BEGIN] = { "forward.begin",
		"UPDATE forwards f JOIN events e ON e.id = f.event_id SET e.status = 1, e.attempts = LEAST(e.attempts + 1, 255), e.updated_at = ?"
		" WHERE " OF_CLAIM },
	[Q_NOTE] = { "forward.note",
		"INSERT INTO event_attempts (event_id, number, started_at) SELECT e.id, e.attempts, ? FROM forwards f"
		" JOIN events e ON e.id = f.event_id WHERE " OF_CLAIM
		" ON DUPLICATE KEY UPDATE started_at = VALUES(started_at), duration_us = NULL, status = NULL, error = NULL, answer = NULL" },
	[Q_CLAIMED] = { "forward.claimed",
		"SELECT f.event_id, f.source_id, e.tenant_id, f.tries, f.lost, COALESCE(f.was, 0) = 2 AS again,"
		" e.attempts AS number, e.event_type AS type, e.is_test, e.received_at FROM forwards f JOIN events e ON e.id = f.event_id"
		" WHERE " OF_CLAIM " ORDER BY f.event_id" },

	[Q_END_EVENT] = { "forward.end_event",
		"UPDATE forwards f JOIN events e ON e.id = f.event_id SET e.status = ?, e.error = ?, e.processed_at = NULL, e.updated_at = ?"
		" WHERE f.event_id = ? AND f.owner = ?" },
	[Q_GIVE_BACK_EVENT] = { "forward.give_back_event",
		"UPDATE forwards f JOIN events e ON e.id = f.event_id SET e.status = ?, e.attempts = e.attempts - 1,"
		" e.error = COALESCE(?, e.error), e.updated_at = ? WHERE f.event_id = ? AND f.owner = ?" },
	[Q_NOT_NEEDED] = { "forward.not_needed",
		"UPDATE events SET status = 2, attempts = attempts - 1, error = NULL, processed_at = ?, updated_at = ? WHERE id = ? AND status = 1" },
	[Q_END_ATTEMPT] = { "forward.end_attempt",
		"UPDATE event_attempts SET started_at = ?, duration_us = ?, status = ?, error = ?, answer = ? WHERE event_id = ? AND number = ?" },
	[Q_FORGET_ATTEMPT] = { "forward.forget_attempt", "DELETE FROM event_attempts WHERE event_id = ? AND number = ?" },
	[Q_KEEP] = { "forward.keep", "UPDATE forwards SET owner = 0, next_at = ?, tries = LEAST(tries + ?, 255) WHERE event_id = ? AND owner = ?" },
	[Q_DROP] = { "forward.drop", "DELETE FROM forwards WHERE event_id = ? AND owner = ?" },

	[Q_RETRY_ADD] = { "forward.retry_add",
		"INSERT INTO forwards (event_id, source_id, next_at) SELECT e.id, e.source_id, ? FROM " IDS
		" STRAIGHT_JOIN events e FORCE INDEX (PRIMARY) ON e.id = j.id WHERE e.status IN (0, 3, 4) AND (? = 0 OR e.tenant_id = ?)"
		" ON DUPLICATE KEY UPDATE next_at = IF(owner = 0, VALUES(next_at), next_at), tries = IF(owner = 0, 0, tries),"
		" lost = IF(owner = 0, 0, lost)", SCAN_OK },
	[Q_RETRY] = { "forward.retry",
		"UPDATE " IDS " STRAIGHT_JOIN events e FORCE INDEX (PRIMARY) ON e.id = j.id SET e.status = 0, e.updated_at = ?"
		" WHERE e.status IN (0, 3, 4) AND (? = 0 OR e.tenant_id = ?)", SCAN_OK },

	/* Assignments go from left to right: `was` stays what it was before the first replay that waits. */
	[Q_REPLAY_ADD] = { "forward.replay_add",
		"INSERT INTO forwards (event_id, source_id, next_at, task_id, was) SELECT e.id, e.source_id, ?, ?, e.status FROM " IDS
		" STRAIGHT_JOIN events e FORCE INDEX (PRIMARY) ON e.id = j.id STRAIGHT_JOIN sources s ON s.id = e.source_id"
		" WHERE 1 << e.status & ? AND (e.status IN (0, 3, 4) OR (e.status = 2 AND s.actions & 4 AND s.deleted_at IS NULL))"
		" ON DUPLICATE KEY UPDATE was = IF(owner = 0 AND task_id IS NULL, VALUES(was), was),"
		" task_id = IF(owner = 0, VALUES(task_id), task_id), next_at = IF(owner = 0, VALUES(next_at), next_at),"
		" tries = IF(owner = 0, 0, tries), lost = IF(owner = 0, 0, lost)", SCAN_OK },
	[Q_REPLAY] = { "forward.replay",
		"UPDATE " IDS " STRAIGHT_JOIN forwards f FORCE INDEX (PRIMARY) ON f.event_id = j.id AND f.task_id = ? AND f.owner = 0"
		" STRAIGHT_JOIN events e ON e.id = f.event_id SET e.status = 0, e.done = e.done & ~4, e.updated_at = ?"
		" WHERE e.status IN (0, 2, 3, 4)", SCAN_OK },
	[Q_MARK] = { "forward.withdraw_mark", "UPDATE forwards SET owner = ?, next_at = ? WHERE task_id = ? AND owner = 0 LIMIT ?" },
	[Q_RESTORE] = { "forward.withdraw_restore",
		"UPDATE forwards f FORCE INDEX (by_task) STRAIGHT_JOIN events e ON e.id = f.event_id SET e.status = f.was,"
		" e.done = IF(f.was = 2, e.done | 4, e.done), e.updated_at = ? WHERE f.task_id = ? AND f.owner = ?" },
	[Q_UNQUEUE] = { "forward.withdraw_drop", "DELETE FROM forwards WHERE task_id = ? AND owner = ? AND was IN (2, 4)" },
	[Q_UNMARK] = { "forward.withdraw_keep",
		"UPDATE forwards SET owner = 0, task_id = NULL, was = NULL, next_at = ? WHERE task_id = ? AND owner = ?" },
	/* The oldest that wait: what waits without reason is among them. */
	[Q_STUCK] = { "forward.stuck",
		"SELECT e.id AS event_id, e.source_id FROM (SELECT id FROM events FORCE INDEX (by_status)"
		" WHERE tenant_id = ? AND status = ? AND id < ? ORDER BY id LIMIT ?) k LEFT JOIN forwards f ON f.event_id = k.id"
		" JOIN events e ON e.id = k.id WHERE f.event_id IS NULL" },

	/* Of many at once: a success is one, whoever holds the event by now. What is dead or settled stays so. */
	[Q_DONE_DROP] = { "forward.done_drop", "DELETE FROM forwards WHERE event_id = ?" },
	[Q_DONE] = { "forward.done",
		"UPDATE events SET status = 2, done = done | 4, error = NULL, processed_at = ?, updated_at = ? WHERE id = ? AND status IN (0, 1, 3)" },

	[Q_DEAD_ALERTS] = { "forward.dead_alerts",
		"SELECT m.tenant_id, s.id AS source_id, m.subject FROM monitor_alerts m FORCE INDEX (by_end) JOIN sources s ON s.public_id = m.subject"
		" WHERE m.running = 1 AND m.type = 'DEAD_EVENTS'" },
	/* Among the newest dead ones of the tenant; the last of them speaks for all before it. */
	[Q_ANY_DEAD] = { "forward.any_dead",
		"SELECT COUNT(*) AS number FROM (SELECT source_id, ROW_NUMBER() OVER (ORDER BY id DESC) AS place FROM (SELECT id, source_id FROM events"
		" FORCE INDEX (by_status) WHERE tenant_id = ? AND status = 4 ORDER BY id DESC LIMIT 2000) d) k WHERE source_id = ? OR place = 2000" },
	/* Assignments go from left to right, so next_at last. */
	[Q_RELEASE_ADD] = { "forward.release_add",
		"INSERT INTO forwards (event_id, source_id, next_at, lost) SELECT e.id, e.source_id, ?, 1 FROM " IDS
		" STRAIGHT_JOIN events e FORCE INDEX (PRIMARY) ON e.id = j.id WHERE e.status = 1 AND (? = 0 OR e.tenant_id = ?)"
		" ON DUPLICATE KEY UPDATE lost = IF(owner <> 0 AND next_at <= VALUES(next_at), LEAST(lost + 1, 255), lost),"
		" owner = IF(next_at <= VALUES(next_at), 0, owner), next_at = IF(owner = 0, VALUES(next_at), next_at)", SCAN_OK },
	[Q_RELEASE] = { "forward.release",
		"UPDATE " IDS " STRAIGHT_JOIN forwards f FORCE INDEX (PRIMARY) ON f.event_id = j.id STRAIGHT_JOIN events e FORCE INDEX (PRIMARY) ON e.id = f.event_id"
		" SET e.status = IF(e.error IS NULL, 0, 3), e.updated_at = ? WHERE f.owner = 0 AND e.status = 1 AND (? = 0 OR e.tenant_id = ?)", SCAN_OK },
	[Q_FIRST] = { "forward.first",
		"SELECT event_id FROM forwards WHERE source_id = ? AND (owner = 0 OR next_at <= ?) ORDER BY next_at LIMIT 1" },
};
const struct stmt_table forward_stmts = { stmts, ARRAY_SIZE(stmts) };

/* ---- into the queue ---- */

bool forward_add(struct db *db, struct arena *a, const struct forward_row *rows, size_t n, struct err *e)
{
	struct val *v = ARENA_ARRAY(a, struct val, 4 * n);

	for (size_t i = 0; i < n; i++) {
		v[4 * i] = V_U(rows[i].event_id);
		v[4 * i + 1] = V_U(rows[i].source_id);
		v[4 * i + 2] = V_I(rows[i].next_at);
		v[4 * i + 3] = V_U(rows[i].tries);
	}
	return db_bulk(db, &stmts[Q_ADD], v, n, 4, e);
}

bool forward_reopen(struct db *db, struct arena *a, const struct forward_row *rows, size_t n, ms_t now, struct err *e)
{
	struct val *v = ARENA_ARRAY(a, struct val, 2 * n);

	for (size_t i = 0; i < n; i++) {
		v[2 * i] = V_I(now);
		v[2 * i + 1] = V_U(rows[i].event_id);
	}
	return forward_add(db, a, rows, n, e) && db_bulk(db, &stmts[Q_REOPEN], v, n, 2, e);
}

/* ---- what is due ---- */

static const struct field claim_fields[] = {
	FIELD_ID(struct forward_claim, event_id, "event_id", ""),
	FIELD_ID(struct forward_claim, source_id, "source_id", ""),
	FIELD_ID(struct forward_claim, tenant_id, "tenant_id", ""),
	FIELD_U64(struct forward_claim, tries, "tries", ""),
	FIELD_U64(struct forward_claim, lost, "lost", ""),
	FIELD_BOOL(struct forward_claim, again, "again", ""),
	FIELD_U64(struct forward_claim, number, "number", ""),
	FIELD_STR(struct forward_claim, type, "type", ""),
	FIELD_BOOL(struct forward_claim, is_test, "is_test", ""),
	FIELD_TIME(struct forward_claim, received_at, "received_at", ""),
	FIELD_END
};

static const struct field source_fields[] = {
	FIELD_ID(struct forward_source, source_id, "source_id", ""),
	FIELD_TIME(struct forward_source, next_at, "next_at", ""),
	FIELD_U64(struct forward_source, failures, "failures", ""),
	FIELD_TIME(struct forward_source, opened_at, "opened_at", ""),
	FIELD_TIME(struct forward_source, probe_at, "probe_at", ""),
	FIELD_END
};

bool forward_sources_due(struct db *db, struct arena *a, ms_t now, size_t limit, struct forward_source **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_SOURCES], VALS(V_I(now), V_I(now), V_U(limit)), a, source_fields, sizeof(**out), out, n, e);
}

bool forward_due_count(struct db *db, struct arena *a, ms_t now, uint64_t *n, struct err *e)
{
	struct forward_claim row = { 0 };
	int found = db_query_one(db, &stmts[Q_DUE_COUNT], VALS(V_I(now)), a, claim_fields, sizeof(row), &row, e);

	*n = row.number;
	return found == 1;
}

struct mending {
	uint64_t source_id, mended;
	ms_t now;
};

static bool mend_tx(struct db *db, void *ctx, struct err *e)
{
	struct mending *x = ctx;

	return db_exec(db, &stmts[Q_MEND],
		VALS(V_I(x->now), V_U(x->source_id), V_I(x->now + FORWARD_LEASE_MAX_MS), V_I(x->now + FORWARD_WAIT_MAX_MS + MS_PER_HOUR)), &x->mended, e);
}

/* Its rows are claimed by others at the same time: whoever loses tries again. */
bool forward_mend(struct db *db, struct arena *a, ms_t now, uint64_t *mended, struct err *e)
{
	struct forward_source *s;
	size_t n;

	*mended = 0;
	if (!db_query(db, &stmts[Q_LATEST], NULL, 0, a, source_fields, sizeof(*s), &s, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct mending x = { .source_id = s[i].source_id, .now = now };

		if (s[i].next_at <= now + FORWARD_LEASE_MAX_MS)
			continue;
		if (!db_tx(db, mend_tx, &x, e))
			return false;
		*mended += x.mended;
	}
	return true;
}

struct target_row {
	struct forward_target target;
	struct str sealed, source_sealed;
};

static const struct field target_fields[] = {
	FIELD_ID(struct target_row, target.source_id, "source_id", ""),
	FIELD_ID(struct target_row, target.tenant_id, "tenant_id", ""),
	FIELD_U64(struct target_row, target.actions, "actions", ""),
	FIELD_U64(struct target_row, target.max_retries, "max_retries", ""),
	FIELD_U64(struct target_row, target.backoff_s, "backoff_s", ""),
	FIELD_STR(struct target_row, target.public_id, "public_id", ""),
	FIELD_STR(struct target_row, target.name, "name", ""),
	FIELD_STR(struct target_row, target.url, "url", ""),
	FIELD_BOOL(struct target_row, target.deleted, "deleted", ""),
	FIELD_BOOL(struct target_row, target.has_sinks, "has_sinks", ""),
	FIELD_STR(struct target_row, sealed, "sealed", ""),
	FIELD_STR(struct target_row, source_sealed, "source_sealed", ""),
	FIELD_END
};

static void open_secret(struct arena *a, const struct seal_key *sk, const struct target_row *row, struct forward_target *t)
{
	struct str sealed = row->sealed.n ? row->sealed : row->source_sealed, context;
	struct err ignored = { 0 };

	if (!sealed.n)
		return;
	context = arena_printf(a, "%s:%.*s", row->sealed.n ? "handler_secret" : "source_secret", STR_ARG(t->public_id));
	t->secret_lost = !unseal(a, sk, sealed, context.p, &t->secret, &ignored);
}

int forward_target(struct db *db, struct arena *a, const struct seal_key *sk, uint64_t source_id, ms_t now, struct forward_target *out,
	struct err *e)
{
	struct target_row row;
	int found = db_query_one(db, &stmts[Q_TARGET], VALS(V_I(now), V_U(source_id)), a, target_fields, sizeof(row), &row, e);

	if (found != 1)
		return found;
	*out = row.target;
	open_secret(a, sk, &row, out);
	return 1;
}

/* ---- claims ---- */

struct claiming {
	struct arena *a;
	uint64_t source_id;
	const struct forward_claimer *by;
	size_t limit;
	struct str ids;		/* n 0: whatever is due */
	struct forward_claim *claims;
	size_t n;
};

/* What the monitor counts of it. A replay of what was processed is work that somebody wished for, and no sign of trouble. */
static bool is_tallied(const struct forward_claim *c)
{
	return !c->is_test && !c->again;
}

/* Starts are summed over all types: their names, which a sender may make up, need not stand here again. */
static struct tally tally_of(const struct forward_claim *c)
{
	return (struct tally){ .tenant_id = c->tenant_id, .source_id = c->source_id, .at = c->received_at };
}

static bool tally_claims(struct db *db, const struct claiming *c, struct err *e)
{
	struct tallies *t = tallies_new(c->a);

	for (size_t i = 0; i < c->n; i++) {
		const struct tally of = tally_of(&c->claims[i]);

		if (is_tallied(&c->claims[i]))
			tally_starts(t, &of, 1);
	}
	return tallies_write(db, c->a, t, c->by->slot, e);
}

static bool take(struct db *db, const struct claiming *c, uint64_t *taken, struct err *e)
{
	const struct forward_claimer *by = c->by;

	if (c->ids.n)
		return db_exec(db, &stmts[Q_TAKE_THESE], VALS(V_S(c->ids), V_U(by->owner), V_I(by->until), V_U(c->source_id), V_I(by->now)),
			taken, e);
	return db_exec(db, &stmts[Q_TAKE], VALS(V_U(by->owner), V_I(by->until), V_U(c->source_id), V_I(by->now), V_U(c->limit)), taken, e);
}

static bool claim_tx(struct db *db, void *ctx, struct err *e)
{
	struct claiming *c = ctx;
	const struct val source = V_U(c->source_id), until = V_I(c->by->until), owner = V_U(c->by->owner), now = V_I(c->by->now);
	uint64_t taken;

	c->n = 0;
	if (!take(db, c, &taken, e))
		return false;
	return !taken || (db_exec(db, &stmts[Q_DROP_STALE], VALS(source, until, owner), NULL, e) &&
		db_exec(db, &stmts[Q_BEGIN], VALS(now, source, until, owner), NULL, e) &&
		db_exec(db, &stmts[Q_NOTE], VALS(now, source, until, owner), NULL, e) &&
		db_query(db, &stmts[Q_CLAIMED], VALS(source, until, owner), c->a, claim_fields, sizeof(*c->claims), &c->claims, &c->n, e) &&
		tally_claims(db, c, e));
}

static bool claim(struct db *db, struct claiming *c, struct forward_claim **out, size_t *n, struct err *e)
{
	bool ok = db_tx(db, claim_tx, c, e);

	*out = c->claims;
	*n = ok ? c->n : 0;
	return ok;
}

bool forward_claim(struct db *db, struct arena *a, uint64_t source_id, const struct forward_claimer *by, size_t limit,
	struct forward_claim **out, size_t *n, struct err *e)
{
	struct claiming c = { .a = a, .source_id = source_id, .by = by, .limit = limit };

	return claim(db, &c, out, n, e);
}

bool forward_claim_these(struct db *db, struct arena *a, uint64_t source_id, struct str event_ids, const struct forward_claimer *by,
	struct forward_claim **out, size_t *n, struct err *e)
{
	struct claiming c = { .a = a, .source_id = source_id, .by = by, .ids = event_ids };

	return claim(db, &c, out, n, e);
}

/* ---- results ---- */

struct finishing {
	struct arena *a;
	const struct forward_end *ends;
	size_t n;
	uint64_t owner;
	unsigned slot;
	ms_t now;
};

static bool give_back(struct db *db, const struct finishing *f, const struct forward_end *x, struct err *e)
{
	bool failed = x->error.p || x->claim.tries;

	return db_exec(db, &stmts[Q_GIVE_BACK_EVENT],
			VALS(V_U(failed ? EVENT_FAILED : EVENT_PENDING), V_SN(str_cut(x->error, 255)), V_I(f->now), V_U(x->claim.event_id),
				V_U(f->owner)), NULL, e) &&
		db_exec(db, &stmts[Q_FORGET_ATTEMPT], VALS(V_U(x->claim.event_id), V_U(x->claim.number)), NULL, e) &&
		db_exec(db, &stmts[Q_KEEP], VALS(V_I(x->next_at), V_U(0), V_U(x->claim.event_id), V_U(f->owner)), NULL, e);
}

static bool end_event(struct db *db, const struct finishing *f, const struct forward_end *x, enum event_status status, struct err *e)
{
	return db_exec(db, &stmts[Q_END_EVENT],
		VALS(V_U(status), V_SN(str_cut(x->error, 255)), V_I(f->now), V_U(x->claim.event_id), V_U(f->owner)), NULL, e);
}

#define ATTEMPT_VALS 7

static void attempt_vals(const struct forward_end *x, struct val v[ATTEMPT_VALS])
{
	const size_t n = x->answer.n < FORWARD_ANSWER_MAX ? x->answer.n : FORWARD_ANSWER_MAX;

	v[0] = V_I(x->started_at);
	v[1] = V_U(x->duration_us);
	v[2] = V_ID(x->status);
	v[3] = V_SN(str_cut(x->error, 255));
	v[4] = n ? V_B((struct str){ x->answer.p, n }) : V_NULL();
	v[5] = V_U(x->claim.event_id);
	v[6] = V_U(x->claim.number);
}

static bool end_attempt(struct db *db, const struct forward_end *x, struct err *e)
{
	struct val v[ATTEMPT_VALS];

	attempt_vals(x, v);
	return db_exec(db, &stmts[Q_END_ATTEMPT], v, ATTEMPT_VALS, NULL, e);
}

/* Those that their handler took, in three statements. */
static bool finish_done(struct db *db, const struct finishing *f, struct err *e)
{
	struct val *ids = ARENA_ARRAY(f->a, struct val, f->n), *events = ARENA_ARRAY(f->a, struct val, 3 * f->n),
		*attempts = ARENA_ARRAY(f->a, struct val, ATTEMPT_VALS * f->n);
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct val id = V_U(f->ends[i].claim.event_id);

		if (f->ends[i].outcome != FORWARD_DONE)
			continue;
		ids[n] = id;
		events[3 * n] = events[3 * n + 1] = V_I(f->now);
		events[3 * n + 2] = id;
		attempt_vals(&f->ends[i], attempts + ATTEMPT_VALS * n);
		n++;
	}
	return db_bulk(db, &stmts[Q_DONE_DROP], ids, n, 1, e) && db_bulk(db, &stmts[Q_DONE], events, n, 3, e) &&
		db_bulk(db, &stmts[Q_END_ATTEMPT], attempts, n, ATTEMPT_VALS, e);
}

static bool not_needed(struct db *db, const struct finishing *f, const struct forward_end *x, struct err *e)
{
	const struct val id = V_U(x->claim.event_id), now = V_I(f->now);

	return db_exec(db, &stmts[Q_NOT_NEEDED], VALS(now, now, id), NULL, e) &&
		db_exec(db, &stmts[Q_FORGET_ATTEMPT], VALS(id, V_U(x->claim.number)), NULL, e) &&
		db_exec(db, &stmts[Q_DROP], VALS(id, V_U(f->owner)), NULL, e);
}

static bool finish_one(struct db *db, const struct finishing *f, const struct forward_end *x, struct err *e)
{
	const struct val id = V_U(x->claim.event_id), owner = V_U(f->owner);

	switch (x->outcome) {
	case FORWARD_DONE:
		return true;	/* finish_done */
	case FORWARD_AGAIN:
		return end_event(db, f, x, EVENT_FAILED, e) && end_attempt(db, x, e) &&
			db_exec(db, &stmts[Q_KEEP], VALS(V_I(x->next_at), V_U(1), id, owner), NULL, e);
	case FORWARD_DEAD:
		return end_event(db, f, x, EVENT_DEAD, e) && end_attempt(db, x, e) &&
			db_exec(db, &stmts[Q_DROP], VALS(id, owner), NULL, e);
	case FORWARD_NOT_NEEDED:
		return not_needed(db, f, x, e);
	case FORWARD_NOT_SENT:
		break;
	}
	return give_back(db, f, x, e);
}

/* A start that was none is taken back. */
static bool tally_end(struct db *db, const struct finishing *f, struct tallies *t, const struct forward_end *x, struct err *e)
{
	const struct forward_claim *c = &x->claim;
	const struct tally of = tally_of(c);
	bool is_failure = x->outcome == FORWARD_AGAIN || x->outcome == FORWARD_DEAD;

	if (is_tallied(c) && (x->outcome == FORWARD_NOT_SENT || x->outcome == FORWARD_NOT_NEEDED))
		tally_starts(t, &of, -1);
	if (is_tallied(c) && (x->outcome == FORWARD_DONE || x->outcome == FORWARD_NOT_NEEDED))
		tally_done(t, c->tenant_id, f->now, f->now > c->received_at ? (uint64_t)(f->now - c->received_at) * 1000 : 0);
	return !is_failure || c->is_test || tally_failure(db, c->tenant_id, c->source_id, c->event_id, f->now, e);
}

static bool finish_tx(struct db *db, void *ctx, struct err *e)
{
	const struct finishing *f = ctx;
	struct tallies *t = tallies_new(f->a);

	if (!finish_done(db, f, e))
		return false;
	for (size_t i = 0; i < f->n; i++)
		if (!finish_one(db, f, &f->ends[i], e) || !tally_end(db, f, t, &f->ends[i], e))
			return false;
	return tallies_write(db, f->a, t, f->slot, e);
}

bool forward_finish(struct db *db, struct arena *a, const struct forward_end *ends, size_t n, const struct forward_claimer *by, ms_t now,
	struct err *e)
{
	struct finishing f = { a, ends, n, by->owner, by->slot, now };

	return !n || (db_in_tx(db) ? finish_tx(db, &f, e) : db_tx(db, finish_tx, &f, e));
}

/* ---- replays: steps of a task's transaction ---- */

bool forward_replay(struct db *db, uint64_t task_id, struct str ids, uint64_t statuses, ms_t now, uint64_t *n, struct err *e)
{
	const struct val task = V_U(task_id);

	return db_exec(db, &stmts[Q_REPLAY_ADD], VALS(V_I(now), task, V_S(ids), V_U(statuses)), NULL, e) &&
		db_exec(db, &stmts[Q_REPLAY], VALS(V_S(ids), task, V_I(now)), n, e);
}

bool forward_withdraw(struct db *db, uint64_t task_id, size_t limit, ms_t now, uint64_t *n, struct err *e)
{
	const struct val task = V_U(task_id), mark = task, at = V_I(now);	/* nobody else knows this transaction's mark */

	return db_exec(db, &stmts[Q_MARK], VALS(mark, at, task, V_U(limit)), n, e) &&
		(!*n || (db_exec(db, &stmts[Q_RESTORE], VALS(at, task, mark), NULL, e) &&
		db_exec(db, &stmts[Q_UNQUEUE], VALS(task, mark), NULL, e) &&
		db_exec(db, &stmts[Q_UNMARK], VALS(at, task, mark), NULL, e)));
}

/* ---- what nobody has ---- */

static const struct field stuck_fields[] = {
	FIELD_ID(struct forward_row, event_id, "event_id", ""),
	FIELD_ID(struct forward_row, source_id, "source_id", ""),
	FIELD_END
};

bool forward_take_up(struct db *db, struct arena *a, uint64_t tenant_id, ms_t before, size_t limit, ms_t now, uint64_t *n, struct err *e)
{
	static const enum event_status waiting[] = { EVENT_PENDING, EVENT_PROCESSING };

	*n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		struct forward_row *rows;
		size_t found;

		if (!db_query(db, &stmts[Q_STUCK], VALS(V_U(tenant_id), V_U(waiting[i]), V_U(id_floor(before)), V_U(limit)), a, stuck_fields,
			sizeof(*rows), &rows, &found, e))
			return false;
		for (size_t k = 0; k < found; k++)
			rows[k].next_at = now;
		if (!forward_add(db, a, rows, found, e))
			return false;
		*n += found;
	}
	return true;
}

/* ---- what was given up ---- */

static const struct field dead_fields[] = {
	FIELD_ID(struct dead_alert, tenant_id, "tenant_id", ""),
	FIELD_ID(struct dead_alert, source_id, "source_id", ""),
	FIELD_STR(struct dead_alert, subject, "subject", ""),
	FIELD_END
};

bool forward_dead_alerts(struct db *db, struct arena *a, struct dead_alert **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_DEAD_ALERTS], NULL, 0, a, dead_fields, sizeof(**out), out, n, e);
}

int forward_any_dead(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t source_id, struct err *e)
{
	struct forward_claim row = { 0 };
	int found = db_query_one(db, &stmts[Q_ANY_DEAD], VALS(V_U(tenant_id), V_U(source_id)), a, claim_fields, sizeof(row), &row, e);

	return found == 1 ? row.number > 0 : -1;
}

/* ---- by hand ---- */

struct retrying {
	uint64_t tenant_id;
	struct str ids;
	ms_t now;
	uint64_t n;
};

static bool retry_tx(struct db *db, void *ctx, struct err *e)
{
	struct retrying *r = ctx;
	const struct val tenant = V_U(r->tenant_id);

	return db_exec(db, &stmts[Q_RETRY_ADD], VALS(V_I(r->now), V_S(r->ids), tenant, tenant), NULL, e) &&
		db_exec(db, &stmts[Q_RETRY], VALS(V_S(r->ids), V_I(r->now), tenant, tenant), &r->n, e);
}

bool forward_retry(struct db *db, uint64_t tenant_id, struct str ids, ms_t now, uint64_t *n, struct err *e)
{
	struct retrying r = { tenant_id, ids, now, 0 };
	bool ok = db_tx(db, retry_tx, &r, e);

	*n = ok ? r.n : 0;
	return ok;
}

static bool release_tx(struct db *db, void *ctx, struct err *e)
{
	struct retrying *r = ctx;
	const struct val ids = V_S(r->ids), now = V_I(r->now), tenant = V_U(r->tenant_id);

	return db_exec(db, &stmts[Q_RELEASE_ADD], VALS(now, ids, tenant, tenant), NULL, e) &&
		db_exec(db, &stmts[Q_RELEASE], VALS(ids, now, tenant, tenant), &r->n, e);
}

bool forward_release(struct db *db, uint64_t tenant_id, struct str ids, ms_t now, uint64_t *n, struct err *e)
{
	struct retrying r = { tenant_id, ids, now, 0 };
	bool ok = db_tx(db, release_tx, &r, e);

	*n = ok ? r.n : 0;
	return ok;
}

int forward_first(struct db *db, struct arena *a, uint64_t source_id, ms_t now, uint64_t *event_id, struct err *e)
{
	struct forward_claim row = { 0 };
	int found = db_query_one(db, &stmts[Q_FIRST], VALS(V_U(source_id), V_I(now)), a, claim_fields, sizeof(row), &row, e);

	*event_id = row.event_id;
	return found;
}
