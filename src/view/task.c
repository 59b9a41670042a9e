/* task.c - long work that somebody asked for, and how far it is. */
#include "view_int.h"

const struct field task_view_fields[] = {
	FIELD_ID(struct task_view, id, "id", "Our number of the task"),
	FIELD_STR(struct task_view, kind, "kind", "replay"),
	FIELD_STR(struct task_view, state, "state", "waiting, running, cancelling, done, failed or cancelled"),
	FIELD_BOOL(struct task_view, over, "over", "It is done, failed or cancelled: nothing changes any more"),
	FIELD_STR(struct task_view, about, "filter", "What it is done to, as the query of the list"),
	FIELD_STR(struct task_view, asked_by, "askedBy", "Name of the user who asked; null: the command line"),
	FIELD_STR(struct task_view, error, "error", "Why it failed"),
	FIELD_TIME(struct task_view, created_at, "createdAt", "When it was asked for"),
	FIELD_TIME(struct task_view, started_at, "startedAt", "When it began"),
	FIELD_TIME(struct task_view, finished_at, "finishedAt", "When it ended"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_U64(struct task_view, id, "id", ""),
	FIELD_U64(struct task_view, tenant_id, "tenant_id", ""),
	FIELD_STR(struct task_view, kind, "kind", ""),
	FIELD_STR(struct task_view, about, "about", ""),
	FIELD_U64(struct task_view, state_n, "state_n", ""),
	FIELD_BOOL(struct task_view, counted, "counted", ""),
	FIELD_U64(struct task_view, total, "total", ""),
	FIELD_U64(struct task_view, seen, "seen", ""),
	FIELD_U64(struct task_view, changed, "changed", ""),
	FIELD_U64(struct task_view, undone, "undone", ""),
	FIELD_STR(struct task_view, error, "error", ""),
	FIELD_STR(struct task_view, asked_by, "asked_by", ""),
	FIELD_TIME(struct task_view, created_at, "created_at", ""),
	FIELD_TIME(struct task_view, started_at, "started_at", ""),
	FIELD_TIME(struct task_view, finished_at, "finished_at", ""),
	FIELD_END
};

/* Events of a status that changes meanwhile may be fewer or more than were counted. */
static double progress(const struct task_view *v)
{
	if (v->state_n == TASK_DONE)
		return 1;
	if (!v->counted)
		return -1;
	return v->seen < v->total ? (double)v->seen / (double)v->total : v->total ? 0.99 : 0;
}

static void words(struct task_view *v)
{
	v->state = str_of(task_state_word((enum task_state)v->state_n));
	v->over = task_is_over((enum task_state)v->state_n);
	v->passed_over = v->seen - v->changed;
	v->progress = progress(v);
}

bool task_view_list(struct db *db, struct arena *a, const struct task_filter *f, struct task_view **out, size_t *n, uint64_t *next,
	struct err *e)
{
	const struct val below = V_U(f->cursor ? f->cursor : INT64_MAX), limit = V_U(f->limit + 1);

	*next = 0;
	if (f->tenant_id ? !db_query(db, &view_stmt[V_TASKS], VALS(V_U(f->tenant_id), below, limit), a, columns, sizeof(**out), out, n, e) :
		!db_query(db, &view_stmt[V_TASKS_ALL], VALS(below, limit), a, columns, sizeof(**out), out, n, e))
		return false;
	if (*n > f->limit) {
		*n = f->limit;
		*next = (*out)[*n - 1].id;
	}
	for (size_t i = 0; i < *n; i++)
		words(&(*out)[i]);
	return true;
}

struct queue_row {
	uint64_t n;
};

static const struct field queue_columns[] = {
	FIELD_U64(struct queue_row, n, "n", ""),
	FIELD_END
};

int task_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t id, struct task_view *out, struct err *e)
{
	struct queue_row queue = { 0 };
	int found = db_query_one(db, &view_stmt[V_TASK], VALS(V_U(id)), a, columns, sizeof(*out), out, e);

	if (found != 1)
		return found;
	if (tenant_id && out->tenant_id != tenant_id)
		return 0;
	words(out);
	if (out->changed && db_query_one(db, &view_stmt[V_TASK_QUEUE], VALS(V_U(id), V_U(TASK_WAITING_MAX + 1)), a, queue_columns,
		sizeof(queue), &queue, e) < 0)
		return -1;
	out->waiting_more = queue.n > TASK_WAITING_MAX;
	out->waiting = out->waiting_more ? TASK_WAITING_MAX : queue.n;
	return 1;
}
