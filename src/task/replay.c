/* replay.c - events of a filter once more, in the order in which they came.
 *
 * What that means is said by the actions of an event's source. `forward`: its handler gets it again, as a new attempt with all retries; the
 * event is pending until then. `incident` and `record` are done in the transaction that stores an event, so of them nothing is ever left
 * to do, and an incident is not opened twice. An event that wants nothing is passed over, and so is one that is being sent just now.
 *
 * This only puts events into the queue of forwards, some thousand in a step; the dispatcher and cron call the handlers from there, with the
 * breaker and the number of requests at once that hold for all. Events that came after the task was asked for are none of its. */
#include "task_int.h"

struct str task_replay_params(struct arena *a, const struct event_filter *f)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, 16 * 1024);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_fields(&o, event_filter_fields, f);
	json_close(&o, '}');
	return strbuf_str(&b);
}

static bool read_filter(const struct task_run *r, struct event_filter *f, struct err *e)
{
	const struct json *j;

	*f = (struct event_filter){ 0 };
	if (!json_parse(r->a, r->task->params, &j, e))
		return false;
	if (!json_fields_read(j, event_filter_fields, f))
		return err_set(e, ERR_INVALID, "Its filter cannot be read.");
	if (!f->to || f->to > r->task->created_at)
		f->to = r->task->created_at;
	return true;
}

struct replaying {
	const struct task_run *r;
	struct str ids;
	uint64_t statuses;
};

static bool queue(struct db *db, void *ctx, uint64_t *changed, struct err *e)
{
	const struct replaying *x = ctx;

	return forward_replay(db, x->r->task->id, x->ids, x->statuses, x->r->now, changed, e);
}

#define ANY_STATUS UINT8_MAX

static int step(struct task_run *r, size_t limit, struct err *e)
{
	struct event_walk w = { .after = r->task->position, .limit = limit };
	struct event_filter f;
	struct replaying x;
	int done;

	if (!read_filter(r, &f, e) || !event_view_walk(r->db, r->a, &f, &w, e))
		return -1;
	x = (struct replaying){ r, json_ids(r->a, w.ids, sizeof(*w.ids), 0, w.n), f.statuses ? f.statuses : ANY_STATUS };
	done = task_run_step(r, w.after, w.n, queue, &x, e);
	return done == 1 ? !w.end : done;
}

struct withdrawing {
	const struct task_run *r;
	size_t limit;
	uint64_t n;
};

static bool withdraw(struct db *db, void *ctx, uint64_t *changed, struct err *e)
{
	struct withdrawing *x = ctx;
	bool ok = forward_withdraw(db, x->r->task->id, x->limit, x->r->now, changed, e);

	x->n = ok ? *changed : 0;
	return ok;
}

/* What is being sent just now is sent. */
static int undo(struct task_run *r, size_t limit, struct err *e)
{
	struct withdrawing x = { .r = r, .limit = limit };
	int done = task_run_step(r, r->task->position, 0, withdraw, &x, e);

	return done == 1 ? x.n == limit : done;
}

const struct task_kind task_replay = {
	.slug = "replay", .title = "Replay of events", .changed = "replayed",
	.step = step, .undo = undo,
};
