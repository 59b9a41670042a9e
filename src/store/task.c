/* task.c - long work that somebody asked for, as it is kept. Claims are compare-and-set, as with forwards; whoever holds a task moves its
 * position in the transaction of the work itself, so none of it is done twice and none is left out. */
#include "store_int.h"

enum { Q_ADD, Q_GET, Q_DUE, Q_CLAIM, Q_ADVANCE, Q_UNDO, Q_END, Q_RELEASE, Q_CANCEL };

#define COLUMNS "id, tenant_id, kind, params, state, position, total, seen, lost, owner, next_at, created_at"

/* 0 waiting, 1 running, 2 cancelling. */
static const struct stmt stmts[] = {
	[Q_ADD] = { "task.add",
		"INSERT INTO tasks (id, tenant_id, kind, user_id, about, params, total, next_at, created_at, updated_at)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE id = VALUES(id)" },
	[Q_GET] = { "task.get", "SELECT " COLUMNS " FROM tasks WHERE id = ?" },
	/* Those that wait are few. What is due later than any lease was put there by a clock that was wrong. */
	[Q_DUE] = { "task.due",
		"SELECT " COLUMNS " FROM tasks FORCE INDEX (due) WHERE open = 1 AND (next_at <= ? OR next_at > ?) ORDER BY next_at, id LIMIT 1" },
	[Q_CLAIM] = { "task.claim",
		"UPDATE tasks SET lost = LEAST(lost + (owner <> 0), 255), owner = ?, next_at = ?, state = IF(state = 0, 1, state),"
		" started_at = COALESCE(started_at, ?), updated_at = ? WHERE id = ? AND owner = ? AND next_at = ? AND open = 1" },
	[Q_ADVANCE] = { "task.advance",
		"UPDATE tasks SET position = ?, seen = seen + ?, changed = changed + ?, lost = 0, next_at = ?, updated_at = ?"
		" WHERE id = ? AND owner = ? AND state = 1" },
	[Q_UNDO] = { "task.undo",
		"UPDATE tasks SET undone = undone + ?, lost = 0, next_at = ?, updated_at = ? WHERE id = ? AND owner = ? AND state = 2" },
	[Q_END] = { "task.end",
		"UPDATE tasks SET state = ?, error = ?, owner = 0, finished_at = ?, updated_at = ? WHERE id = ? AND owner = ? AND state = ?" },
	[Q_RELEASE] = { "task.release", "UPDATE tasks SET owner = 0, next_at = ? WHERE id = ? AND owner = ? AND open = 1" },
	/* One that is over is opened once more while something that it queued waits. */
	[Q_CANCEL] = { "task.cancel",
		"UPDATE tasks SET next_at = IF(state IN (0, 1), next_at, ?), state = 2, finished_at = NULL, error = NULL, updated_at = ?"
		" WHERE id = ? AND (? = 0 OR tenant_id = ?) AND (state IN (0, 1) OR (state IN (3, 4, 5)"
		" AND EXISTS (SELECT 1 FROM forwards f WHERE f.task_id = tasks.id AND f.owner = 0)))" },
};
const struct stmt_table task_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct task, id, "id", ""),
	FIELD_ID(struct task, tenant_id, "tenant_id", ""),
	FIELD_STR(struct task, kind, "kind", ""),
	FIELD_STR(struct task, params, "params", ""),
	FIELD_U64(struct task, state, "state", ""),
	FIELD_U64(struct task, position, "position", ""),
	FIELD_U64(struct task, total, "total", ""),
	FIELD_U64(struct task, seen, "seen", ""),
	FIELD_U64(struct task, lost, "lost", ""),
	FIELD_U64(struct task, owner, "owner", ""),
	FIELD_TIME(struct task, next_at, "next_at", ""),
	FIELD_TIME(struct task, created_at, "created_at", ""),
	FIELD_END
};

static const char *const words[] = {
	[TASK_WAITING] = "waiting",
	[TASK_RUNNING] = "running",
	[TASK_CANCELLING] = "cancelling",
	[TASK_DONE] = "done",
	[TASK_FAILED] = "failed",
	[TASK_CANCELLED] = "cancelled",
};

const char *task_state_word(enum task_state s)
{
	return s < ARRAY_SIZE(words) ? words[s] : "unknown";
}

bool task_is_over(enum task_state s)
{
	return s >= TASK_DONE;
}

bool task_add(struct db *db, const struct task_wish *w, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_ADD],
		VALS(V_U(w->id), V_U(w->tenant_id), V_S(w->kind), V_ID(w->user_id), V_S(w->about), V_S(w->params),
			w->counted ? V_U(w->total) : V_NULL(), V_I(now), V_I(now), V_I(now)), NULL, e);
}

int task_get(struct db *db, struct arena *a, uint64_t id, struct task *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_GET], VALS(V_U(id)), a, fields, sizeof(*out), out, e);
}

int task_due(struct db *db, struct arena *a, ms_t now, struct task *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_DUE], VALS(V_I(now), V_I(now + 2 * TASK_LEASE_MS)), a, fields, sizeof(*out), out, e);
}

int task_claim(struct db *db, const struct task *seen, uint64_t owner, ms_t now, struct err *e)
{
	uint64_t matched;

	if (!db_exec(db, &stmts[Q_CLAIM],
		VALS(V_U(owner), V_I(now + TASK_LEASE_MS), V_I(now), V_I(now), V_U(seen->id), V_U(seen->owner), V_I(seen->next_at)), &matched, e))
		return db_trouble(db) == DB_CONFLICT ? 0 : -1;
	return matched == 1;
}

/* ---- a step ---- */

struct stepping {
	const struct task_step *s;
	bool ours;
};

static bool note(struct db *db, const struct task_step *s, uint64_t changed, uint64_t *matched, struct err *e)
{
	if (s->undoes)
		return db_exec(db, &stmts[Q_UNDO], VALS(V_U(changed), V_I(s->now + TASK_LEASE_MS), V_I(s->now), V_U(s->id), V_U(s->owner)), matched, e);
	return db_exec(db, &stmts[Q_ADVANCE],
		VALS(V_U(s->position), V_U(s->seen), V_U(changed), V_I(s->now + TASK_LEASE_MS), V_I(s->now), V_U(s->id), V_U(s->owner)), matched, e);
}

/* The work first, since its note says how much it was; of a task that is no longer ours both are rolled back. */
static bool step_tx(struct db *db, void *ctx, struct err *e)
{
	struct stepping *x = ctx;
	uint64_t changed = 0, matched = 0;

	if (!x->s->work(db, x->s->ctx, &changed, e) || !note(db, x->s, changed, &matched, e))
		return false;
	x->ours = matched == 1;
	return x->ours || err_set(e, ERR_CONFLICT, "the task is no longer ours");
}

int task_step(struct db *db, const struct task_step *s, struct err *e)
{
	struct stepping x = { .s = s, .ours = true };

	if (db_tx(db, step_tx, &x, e))
		return 1;
	return x.ours ? -1 : 0;
}

bool task_end(struct db *db, uint64_t id, uint64_t owner, enum task_state from, enum task_state to, struct str error, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_END],
		VALS(V_U(to), V_SN(str_cut(error, 255)), V_I(now), V_I(now), V_U(id), V_U(owner), V_U(from)), NULL, e);
}

bool task_release(struct db *db, uint64_t id, uint64_t owner, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_RELEASE], VALS(V_I(now), V_U(id), V_U(owner)), NULL, e);
}

int task_cancel(struct db *db, uint64_t tenant_id, uint64_t id, ms_t now, struct err *e)
{
	uint64_t matched;

	if (!db_exec(db, &stmts[Q_CANCEL], VALS(V_I(now), V_I(now), V_U(id), V_U(tenant_id), V_U(tenant_id)), &matched, e))
		return -1;
	return matched == 1;
}
