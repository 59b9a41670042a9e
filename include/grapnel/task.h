/* task.h - long work that somebody asked for and does not wait for: a kind of it is a row of a table, a piece of it a row of `tasks`.
 *
 * A task is done in steps of a fraction of a second, each of them one transaction that also notes how far it is, so whoever does it may be
 * killed at any moment and somebody else goes on exactly there. The dispatcher does them between its sendings; where none runs, cron's
 * job `tasks`, a minute later; `grapnelctl event replay` does its own. Any number may try: a task is held by one of them at a time.
 *
 * How to add a kind: a file in src/task whose foot is a const struct task_kind, and a line in src/task/table.c. */
#ifndef GRAPNEL_TASK_H
#define GRAPNEL_TASK_H

#include "grapnel/base.h"
#include "grapnel/db.h"
#include "grapnel/fetch.h"
#include "grapnel/shm.h"
#include "grapnel/store.h"
#include "grapnel/view.h"

#define TASK_LIFE_MS (7 * MS_PER_DAY)	/* then it has failed, however far it is */

struct task_run;
struct task_kind {
	const char *slug;
	const char *title;		/* "Replay of events" */
	const char *changed;		/* what the rows it did something to are called, with a small letter: "replayed" */
	/* The next step: at most `limit` rows. 1 there is more, 0 that was all of it, -1 failed; see task_run_step. */
	int (*step)(struct task_run *r, size_t limit, struct err *e);
	/* After it was cancelled, the same backwards; NULL: what is done is done. */
	int (*undo)(struct task_run *r, size_t limit, struct err *e);
};
extern const struct task_kind *const task_kinds[];	/* ends with NULL */
const struct task_kind *task_kind_find(struct str slug);

/* ---- run.c ---- */

struct task_config {
	struct db *db;
	struct shm *shm;		/* its bell is rung for what a step left to be sent; NULL: nobody listens */
	uint64_t only;			/* that task alone; 0: whatever is due */
};
struct task_runner;
struct task_runner *task_runner_new(const struct task_config *c);
void task_runner_free(struct task_runner *t);	/* what it holds is due when its lease ends: give it back before */

/* Takes a task if there is one and works at it for a moment; false: the database failed, and it goes on from here. */
bool task_runner_turn(struct task_runner *t, ms_t now, struct err *e) MUST_USE;
bool task_runner_is_busy(const struct task_runner *t);	/* it holds one */
bool task_runner_give_back(struct task_runner *t, ms_t now, struct err *e) MUST_USE;
struct task_tally {
	uint64_t seen, ended;		/* rows looked at, tasks that ended since it was made */
};
struct task_tally task_runner_tally(const struct task_runner *t);
struct carrier task_runner_carrier(struct task_runner *t);

/* ---- replay.c ---- */

extern const struct task_kind task_replay;
/* What is kept of a wish, as it goes into the task. */
struct str task_replay_params(struct arena *a, const struct event_filter *f);

#endif
