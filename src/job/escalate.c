/* escalate.c - where no dispatcher does: ends what kept incidents quiet, snoozes, maintenance windows and silences, so that their timelines say so and who
 * is to know is told; then takes the steps of escalation policies that are due. */
#include "grapnel/notify.h"

#include "job_int.h"

#define LIMIT 500

/* How many there are, as far as one look goes. */
static bool look(struct job_run *r, struct err *e)
{
	struct overdue *snoozed;
	struct held *held;
	size_t snoozed_n, held_n;

	if (!overdue_awake(r->c->db, r->a, job_now(r), LIMIT, &snoozed, &snoozed_n, e) || !held_due(r->c->db, r->a, job_now(r), LIMIT, &held, &held_n, e))
		return false;
	job_count(r, "woken", snoozed_n);
	job_count(r, "released", held_n);
	return true;
}

static bool wake_all(struct job_run *r, struct err *e)
{
	const struct notify_config c = { .db = r->c->db, .ids = r->c->ids };
	struct notify_woken w = { .more = true };
	int go = 1;

	if (r->c->dry_run)
		return look(r, e);
	while (w.more && (go = job_goes_on(r, e)) == 1) {
		if (!notify_wake(&c, job_now(r), &w, e))
			return false;
		job_count(r, "woken", w.woken);
		job_count(r, "released", w.released);
	}
	return go >= 0;
}

static bool page(struct job_run *r, struct err *e)
{
	struct notifier *n = notifier_new(&(struct notify_config){ .db = r->c->db, .ids = r->c->ids });
	uint64_t before;
	bool more, ok;

	do {
		before = notifier_steps(n);
		ok = notifier_take(n, job_now(r), &more, e);
	} while (ok && (more || notifier_steps(n) > before) && job_goes_on(r, e) == 1);
	ok = ok && !e->code;
	job_count(r, "told of incidents", notifier_told(n));
	notifier_free(n);
	return ok;
}

static bool run(struct job_run *r, struct err *e)
{
	return wake_all(r, e) && (r->c->dry_run || page(r, e));
}

const struct job job_escalate = {
	.facts = { .name = "escalate", .schedule = { .every_min = 1 },
		.help = "Ends snoozes, tells of what maintenance windows and silences held back, and takes the steps of escalation policies that are due." },
	.run = run,
};
