/* task_int.h - what a kind of task is given, and what it calls. */
#ifndef TASK_INT_H
#define TASK_INT_H

#include "grapnel/task.h"

struct task_run {
	struct db *db;
	struct arena *a;		/* of this step */
	const struct task *task;	/* as it is: position and state */
	ms_t now;
	/* the runner's own */
	uint64_t owner, seen, position;
	bool lost;			/* it is no longer ours */
};

/* The transaction of a step: `work` and the new position, after `seen` more rows. 1 done, 0 the task is no longer ours (nothing was written),
 * -1 failed. Of an undo position and seen do not matter. */
int task_run_step(struct task_run *r, uint64_t position, uint64_t seen, bool (*work)(struct db *db, void *ctx, uint64_t *changed, struct err *e),
	void *ctx, struct err *e) MUST_USE;

#endif
