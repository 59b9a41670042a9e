/* tasks.c - works at what somebody asked for, where no dispatcher does, and at what a dispatcher that was killed has left. */
#include "grapnel/task.h"

#include "job_int.h"

static bool work(struct job_run *r, struct err *e)
{
	struct task_runner *t = task_runner_new(&(struct task_config){ .db = r->c->db, .shm = r->c->shm });
	struct err after = { 0 };
	int go = 1;
	bool ok;

	do
		ok = task_runner_turn(t, job_now(r), e);
	while (ok && task_runner_is_busy(t) && (go = job_goes_on(r, e)) > 0);
	if (!task_runner_give_back(t, job_now(r), ok && go >= 0 ? e : &after))
		ok = false;
	job_count(r, "rows", task_runner_tally(t).seen);
	job_count(r, "tasks ended", task_runner_tally(t).ended);
	task_runner_free(t);
	return ok && go >= 0;
}

static bool run(struct job_run *r, struct err *e)
{
	struct task waiting = { 0 };
	int found;

	if (!r->c->dry_run)
		return work(r, e);
	found = task_due(r->c->db, r->a, job_now(r), &waiting, e);
	job_count(r, "tasks with work", found == 1);
	return found >= 0;
}

const struct job job_tasks = {
	.facts = { .name = "tasks", .schedule = { .every_min = 1 },
		.help = "Works at tasks, as replays of events, where no dispatcher does." },
	.run = run,
};
