/* run.c - takes tasks and does their steps.
 *
 * A runner holds one task at a time, and each for SLICE_US at most when it has much to do, so that a short one does not wait for the end of
 * a long one. Steps grow and shrink with the time that the last one took: rows are locked for some 50 ms. */
#include "task_int.h"

#include "grapnel/crypto.h"
#include "grapnel/log.h"

#define ARENA_MAX ((size_t)32 << 20)
#define TURN_US 100000		/* whoever sends in between waits no longer */
#define SLICE_US 5000000
#define STEP_FIRST 200
#define STEP_MIN 20
#define STEP_MAX 2000
#define STEP_SHORT_US 25000
#define STEP_LONG_US 50000

struct task_runner {
	struct task_config c;
	struct arena *kept, *a;		/* of the task that is held; of a step */
	struct task task;		/* id 0: none */
	const struct task_kind *kind;
	uint64_t owner;
	bool doubtful;			/* nobody knows whether its last step was done */
	int64_t since_us;
	size_t limit;
	struct task_tally tally;
};

struct task_runner *task_runner_new(const struct task_config *c)
{
	struct task_runner *t = xcalloc(1, sizeof(*t));

	t->c = *c;
	t->kept = arena_new(ARENA_MAX);
	t->a = arena_new(ARENA_MAX);
	return t;
}

void task_runner_free(struct task_runner *t)
{
	if (!t)
		return;
	arena_free(t->kept);
	arena_free(t->a);
	free(t);
}

bool task_runner_is_busy(const struct task_runner *t)
{
	return t->task.id != 0;
}

struct task_tally task_runner_tally(const struct task_runner *t)
{
	return t->tally;
}

int task_run_step(struct task_run *r, uint64_t position, uint64_t seen, bool (*work)(struct db *db, void *ctx, uint64_t *changed, struct err *e),
	void *ctx, struct err *e)
{
	const struct task_step s = { .id = r->task->id, .owner = r->owner, .position = position, .seen = seen,
		.undoes = r->task->state == TASK_CANCELLING, .work = work, .ctx = ctx, .now = r->now };
	int done = task_step(r->db, &s, e);

	r->lost = done == 0;
	if (done == 1) {
		r->seen = seen;
		r->position = position;
	}
	return done;
}

static void forget(struct task_runner *t)
{
	t->task = (struct task){ 0 };
	t->doubtful = false;
	arena_reset(t->kept);
}

/* ---- its end ---- */

static bool end(struct task_runner *t, enum task_state to, struct str error, ms_t now, struct err *e)
{
	const struct task *x = &t->task;

	if (!task_end(t->c.db, x->id, t->owner, (enum task_state)x->state, to, error, now, e))
		return false;
	if (!t->c.only)	/* else somebody looks on */
		log_info("task ended", LOG_U("task", x->id), LOG_STR("kind", x->kind), LOG_S("state", task_state_word(to)), LOG_STR("error", error),
			LOG_U("seen", t->tally.seen));
	t->tally.ended++;
	forget(t);
	return true;
}

/* Of those states of the world in which no further step makes sense. */
static const char *hopeless(const struct task_runner *t, ms_t now)
{
	if (!t->kind)
		return "This version knows no such kind of task.";
	if (t->task.lost > TASK_LOST_MAX)
		return "Whoever worked at it died each time.";
	if (t->task.state == TASK_CANCELLING)	/* whenever that was asked for */
		return NULL;
	return t->task.created_at + TASK_LIFE_MS < now ? "It took longer than a week." : NULL;
}

/* ---- taking one ---- */

static int find(struct task_runner *t, ms_t now, struct err *e)
{
	int found = t->c.only ? task_get(t->c.db, t->kept, t->c.only, &t->task, e) : task_due(t->c.db, t->kept, now, &t->task, e);

	if (found == 1 && t->c.only && (task_is_over((enum task_state)t->task.state) || t->task.next_at > now))
		return 0;
	return found;
}

/* 1 it holds one; 0 there is none; -1 failed. */
static int take(struct task_runner *t, ms_t now, struct err *e)
{
	int got;

	if (t->task.id)
		return 1;
	got = find(t, now, e);
	random_bytes(&t->owner, sizeof(t->owner));
	t->owner = t->owner >> 1 | 1;
	if (got == 1)
		got = task_claim(t->c.db, &t->task, t->owner, now, e);
	if (got != 1) {
		forget(t);
		return got;
	}
	t->task.lost += t->task.owner != 0;
	if (t->task.state == TASK_WAITING)
		t->task.state = TASK_RUNNING;
	t->kind = task_kind_find(t->task.kind);
	t->limit = STEP_FIRST;
	t->since_us = clock_mono_us();
	return 1;
}

bool task_runner_give_back(struct task_runner *t, ms_t now, struct err *e)
{
	if (!t->task.id)
		return true;
	if (!task_release(t->c.db, t->task.id, t->owner, now, e))
		return false;
	forget(t);
	return true;
}

/* ---- working at it ---- */

static void size_next(struct task_runner *t, int64_t took_us)
{
	if (took_us < STEP_SHORT_US && t->limit < STEP_MAX)
		t->limit *= 2;
	else if (took_us > STEP_LONG_US && t->limit > STEP_MIN)
		t->limit /= 2;
}

/* Mistakes end the task; a part that does not answer is waited for. */
static bool is_its_fault(const struct err *e)
{
	return e->code == ERR_INVALID || e->code == ERR_NOT_FOUND || e->code == ERR_LIMIT || e->code == ERR_BUG;
}

/* False: the database failed. Whether the step was done is then for the row to say. */
static bool step(struct task_runner *t, ms_t now, struct err *e)
{
	struct task_run r = { .db = t->c.db, .a = t->a, .task = &t->task, .now = now, .owner = t->owner, .position = t->task.position };
	bool undoes = t->task.state == TASK_CANCELLING;
	int64_t began_us = clock_mono_us();
	int more = 0;

	arena_reset(t->a);
	if (!undoes || t->kind->undo)
		more = (undoes ? t->kind->undo : t->kind->step)(&r, t->limit, e);
	size_next(t, clock_mono_us() - began_us);
	t->tally.seen += r.seen;
	t->task.position = r.position;
	if (r.lost)	/* cancelled, or taken over: whoever takes it next sees what it is */
		return task_runner_give_back(t, now, e);
	if (more == 1)
		return true;
	if (more == 0)
		return end(t, undoes ? TASK_CANCELLED : TASK_DONE, STR_NONE, now, e);
	t->doubtful = !is_its_fault(e);
	return !t->doubtful && end(t, TASK_FAILED, str_of(e->text), now, e);
}

/* After a failure: is it still ours, and how far is it? */
static bool look_again(struct task_runner *t, struct err *e)
{
	struct task found = { 0 };
	int there;

	if (!t->doubtful)
		return true;
	arena_reset(t->a);
	there = task_get(t->c.db, t->a, t->task.id, &found, e);
	if (there < 0)
		return false;
	t->doubtful = false;
	t->task.position = found.position;
	if (!there || found.owner != t->owner)
		forget(t);
	return true;
}

static bool work(struct task_runner *t, ms_t now, struct err *e)
{
	const char *why = hopeless(t, now);

	if (why)
		return end(t, TASK_FAILED, str_of(why), now, e);
	if (!step(t, now, e))
		return false;
	return clock_mono_us() - t->since_us < SLICE_US || task_runner_give_back(t, now, e);
}

bool task_runner_turn(struct task_runner *t, ms_t now, struct err *e)
{
	int64_t began_us = clock_mono_us(), spent_us = 0;
	bool worked = false, ok = look_again(t, e);
	int got = 0;

	while (ok && spent_us < TURN_US) {
		ms_t at = now + spent_us / 1000;

		got = take(t, at, e);
		if (got != 1)
			break;
		ok = work(t, at, e);
		worked = true;
		spent_us = clock_mono_us() - began_us;
	}
	if (worked)	/* for what is to be sent now, and for the next turn */
		bell_ring(t->c.shm);
	return ok && got >= 0;
}

/* ---- as a carrier ---- */

static bool carrier_take(void *ctx, ms_t now, struct err *e)
{
	return task_runner_turn(ctx, now, e);
}

static bool carrier_settle(void *ctx, ms_t now, struct err *e)
{
	return true;	/* steps are whole */
}

static bool carrier_release(void *ctx, ms_t now, struct err *e)
{
	return task_runner_give_back(ctx, now, e);
}

static size_t carrier_busy(const void *ctx)
{
	return task_runner_is_busy(ctx);
}

struct carrier task_runner_carrier(struct task_runner *t)
{
	return (struct carrier){ t, carrier_take, carrier_settle, carrier_release, carrier_busy };
}
