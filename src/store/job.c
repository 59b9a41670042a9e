/* job.c - what is kept of the jobs of cron: leases, results, history.
 *
 * A lease is taken by one UPDATE that says what it expects to find: the row as it was read when the job was found to be due, and
 * no living lease. So of two runs that found it due only one gets it, and none runs what the other has just done. Members
 * of a Galera cluster do not see each other's row locks; there the loser fails certification, which means the same. */
#include "store_int.h"

#define HOLDER_MAX 80	/* jobs.holder */

enum { Q_LIST, Q_ADD, Q_CLAIM, Q_RENEW, Q_FINISH, Q_RUN_ADD, Q_BEAT, Q_FORGET };

static const struct stmt stmts[] = {
	[Q_LIST] = { "job.list",
		"SELECT name, last_started_at, last_finished_at, last_ok, last_rows, last_error, lease_owner, lease_until, holder,"
		" unfinished, position FROM jobs ORDER BY name", SCAN_OK },
	[Q_ADD] = { "job.add",
		"INSERT INTO jobs (name) VALUES (?) ON DUPLICATE KEY UPDATE name = VALUES(name)" },
	[Q_CLAIM] = { "job.claim",
		"UPDATE jobs SET lease_owner = ?, holder = ?, lease_until = ?, last_started_at = ?, unfinished = 1"
		" WHERE name = ? AND last_started_at <=> ? AND (lease_until <= ? OR lease_until > ?)" },
	[Q_RENEW] = { "job.renew",
		"UPDATE jobs SET lease_until = ? WHERE name = ? AND lease_owner = ?" },
	[Q_FINISH] = { "job.finish",
		"UPDATE jobs SET last_finished_at = ?, last_ok = ?, last_rows = ?, last_error = ?, unfinished = ?, position = ?,"
		" lease_owner = 0, lease_until = 0 WHERE name = ? AND lease_owner = ?" },
	[Q_RUN_ADD] = { "job.run_add",
		"INSERT INTO job_runs (name, started_at, duration_ms, ok, unfinished, touched, bytes, longest_lock_ms, counts, error)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_FORGET] = { "job.forget_hosts", "DELETE FROM jobs WHERE name > ? AND name < ? AND last_started_at < ?" },
	/* Its position is when the clock leapt last: by more than a week from all that was known before (evaluated from left to right). */
	[Q_BEAT] = { "job.beat",
		"INSERT INTO jobs (name, last_started_at) VALUES ('" JOB_CRON "', ?) ON DUPLICATE KEY UPDATE"
		" position = IF(VALUES(last_started_at) > 604800000 + GREATEST(COALESCE(last_started_at, 0),"
		" (SELECT COALESCE(MAX(id) >> 22, 0) + 1577836800000 FROM requests)), VALUES(last_started_at), position),"
		" last_started_at = VALUES(last_started_at)" },
};
const struct stmt_table job_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_STR(struct job_state, name, "name", ""),
	FIELD_TIME(struct job_state, last_started_at, "last_started_at", ""),
	FIELD_TIME(struct job_state, last_finished_at, "last_finished_at", ""),
	FIELD_BOOL(struct job_state, last_ok, "last_ok", ""),
	FIELD_U64(struct job_state, last_touched, "last_rows", ""),
	FIELD_STR(struct job_state, last_error, "last_error", ""),
	FIELD_U64(struct job_state, lease_owner, "lease_owner", ""),
	FIELD_TIME(struct job_state, lease_until, "lease_until", ""),
	FIELD_STR(struct job_state, holder, "holder", ""),
	FIELD_BOOL(struct job_state, unfinished, "unfinished", ""),
	FIELD_U64(struct job_state, position, "position", ""),
	FIELD_END
};

bool job_states(struct db *db, struct arena *a, struct job_state **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_LIST], NULL, 0, a, fields, sizeof(**out), out, n, e);
}

/* A lease that ends later than any could, also where clocks of hosts differ by a minute, was made by a clock that was wrong. */
static ms_t latest_end(ms_t now)
{
	return now + 2 * JOB_LEASE_MS;
}

bool job_is_held(const struct job_state *s, ms_t now)
{
	return s->lease_until > now && s->lease_until <= latest_end(now);
}

int job_claim(struct db *db, const struct job_state *seen, uint64_t owner, struct str holder, ms_t now, struct err *e)
{
	uint64_t matched;

	if (!seen->last_started_at && !db_exec(db, &stmts[Q_ADD], VALS(V_S(seen->name)), NULL, e))
		return -1;
	if (db_exec(db, &stmts[Q_CLAIM],
		VALS(V_U(owner), V_S(str_cut(holder, HOLDER_MAX)), V_I(now + JOB_LEASE_MS), V_I(now), V_S(seen->name), V_T(seen->last_started_at), V_I(now),
			V_I(latest_end(now))),
		&matched, e))
		return matched == 1;
	return db_trouble(db) == DB_CONFLICT ? 0 : -1;
}

int job_renew(struct db *db, struct str name, uint64_t owner, ms_t now, struct err *e)
{
	uint64_t matched;

	if (!db_exec(db, &stmts[Q_RENEW], VALS(V_I(now + JOB_LEASE_MS), V_S(name), V_U(owner)), &matched, e))
		return -1;
	return matched == 1;
}

struct finish {
	const struct job_end *end;
	uint64_t owner;
};

static bool finish_tx(struct db *db, void *ctx, struct err *e)
{
	const struct finish *f = ctx;
	const struct job_end *x = f->end;

	return db_exec(db, &stmts[Q_FINISH],
		VALS(V_I(x->started_at + (ms_t)x->duration_ms), V_U(x->ok), V_U(x->touched), V_SN(x->error),
			V_U(x->unfinished || !x->ok), V_U(x->position), V_S(x->name), V_U(f->owner)),
		NULL, e) &&
		db_exec(db, &stmts[Q_RUN_ADD],
			VALS(V_S(x->name), V_I(x->started_at), V_U(x->duration_ms), V_U(x->ok), V_U(x->unfinished),
				V_U(x->touched), V_U(x->bytes), V_U(x->longest_ms), V_S(x->counts), V_SN(x->error)),
			NULL, e);
}

bool job_finish(struct db *db, const struct job_end *end, uint64_t owner, struct err *e)
{
	struct finish f = { end, owner };

	return db_tx(db, finish_tx, &f, e);
}

bool job_forget_hosts(struct db *db, struct arena *a, const char *job, ms_t before, struct err *e)
{
	struct str from = arena_printf(a, "%s@", job), below = arena_printf(a, "%s@:", job);	/* digits, and what comes after them */

	return db_exec(db, &stmts[Q_FORGET], VALS(V_S(from), V_S(below), V_I(before)), NULL, e);
}

bool job_beat(struct db *db, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_BEAT], VALS(V_I(now)), NULL, e);
}
