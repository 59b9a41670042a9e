/* escalate.c - wakes incidents whose snooze is over: their timeline says so, and they are as loud as before. Then the steps of escalation
 * policies that no dispatcher took. */
#include "grapnel/notify.h"

#include "job_int.h"

#define LIMIT 500

/* 1 it is awake; 0 somebody resolved it or snoozed it anew meanwhile; -1 failed. */
static int wake(struct job_run *r, const struct overdue *o, struct err *e)
{
	const struct who who = { .tenant_id = (uint32_t)o->tenant_id, .actor = ACTOR_SYSTEM };
	const struct incident_edit edit = { .kind = TIMELINE_SNOOZED };
	ms_t now = job_now(r);
	int done = r->c->dry_run ? 1 : incident_edit(r->c->db, r->a, who.tenant_id, o->id, &edit, &who, id_make(r->c->ids, now), now, e);

	if (done < 0 && e->code == ERR_CONFLICT)
		done = 0;
	job_count(r, "woken", done == 1);
	return done;
}

static bool wake_all(struct job_run *r, struct err *e)
{
	struct overdue *rows;
	size_t n, woken;

	do {
		arena_reset(r->a);
		woken = 0;
		if (!overdue_awake(r->c->db, r->a, job_now(r), LIMIT, &rows, &n, e))
			return false;
		for (size_t i = 0; i < n; i++) {
			int go = job_goes_on(r, e), done;

			if (go != 1)
				return go == 0;
			done = wake(r, &rows[i], e);
			if (done < 0)
				return false;
			woken += (size_t)done;
		}
	} while (n == LIMIT && woken && !r->c->dry_run);
	return true;
}

static bool page(struct job_run *r, struct err *e)
{
	struct notifier *n = notifier_new(&(struct notify_config){ .db = r->c->db, .ids = r->c->ids });
	uint64_t before;
	bool ok;

	do {
		before = notifier_steps(n);
		ok = notifier_take(n, job_now(r), e);
	} while (ok && notifier_steps(n) > before && job_goes_on(r, e) == 1);
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
	.facts = { .name = "escalate", .schedule = { .every_min = 1 }, .help = "Wakes incidents whose snooze is over, and takes the steps of escalation policies that are due." },
	.run = run,
};
