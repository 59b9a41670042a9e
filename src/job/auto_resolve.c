/* auto_resolve.c - resolves what nobody will: test incidents five minutes after they were opened, and incidents of services that
 * say how long without an alert means over.
 *
 * An incident is a test's or it is not, from its first moment on, and tests are resolved once. So each incident is looked at once,
 * when it is five minutes old: the walk goes on where the last run left off, and costs what was opened in that
 * minute. Whoever was faster - a person, the sender - has resolved it; that is no failure. */
#include "grapnel/log.h"

#include "job_int.h"

#define TEST_MS (5 * MS_PER_MINUTE)	/* "autoResolveIn": "5 minutes" of the test's answer */
/* A minute's run may begin a second later than that of the minute before. What becomes due within that time is waited for, so that
 * nothing is resolved later than six minutes after it was opened. */
#define AHEAD_MS (2 * MS_PER_SECOND)
#define BACK_MS MS_PER_MINUTE		/* a transaction that makes an incident takes less */
#define LOST_MS MS_PER_DAY		/* how far back to look where the position makes no sense */
#define LIMIT 500

static bool resolve(struct job_run *r, const struct overdue *o, struct str text, const char *what, struct err *e)
{
	const struct who who = { .tenant_id = (uint32_t)o->tenant_id, .actor = ACTOR_SYSTEM };
	struct err why = { 0 };
	ms_t now = job_now(r);

	if (!r->c->dry_run) {
		int done = incident_act(r->c->db, r->a, who.tenant_id, o->id, COMMAND_RESOLVE, ACTOR_SYSTEM, &who,
			id_make(r->c->ids, now), text, now, &why);

		if (done < 0 && why.code != ERR_CONFLICT) {
			*e = why;
			return false;
		}
		if (done != 1)
			return true;
	}
	job_count(r, what, 1);
	return true;
}

/* Where the walk begins. The clock may have been set back since. */
static uint64_t first_id(const struct job_run *r, uint64_t below)
{
	ms_t from = r->position && r->position <= below ? id_time(r->position) - BACK_MS : job_now(r) - LOST_MS;

	return r->position ? id_floor(from > 0 ? from : 0) : 0;
}

static bool tests(struct job_run *r, struct err *e)
{
	uint64_t below = id_floor(job_now(r) - TEST_MS + AHEAD_MS), after = first_id(r, below);
	struct overdue *rows;
	size_t n;
	int go;

	do {
		arena_reset(r->a);
		if (!overdue_tests(r->c->db, r->a, after, below, LIMIT, &rows, &n, e))
			return false;
		for (size_t i = 0; i < n; i++) {
			go = job_goes_on(r, e);
			if (go != 1)
				return go == 0;
			if (!r->c->dry_run)
				job_pause(r, rows[i].opened_at + TEST_MS - job_now(r));
			if (!resolve(r, &rows[i], STR("Test incident: resolved after 5 minutes."), "tests", e))
				return false;
			after = rows[i].id;
		}
	} while (n == LIMIT);
	r->position = below;
	return true;
}

static bool silent(struct job_run *r, struct err *e)
{
	struct overdue *rows;
	size_t n;
	int go;

	do {
		arena_reset(r->a);
		if (!overdue_silent(r->c->db, r->a, job_now(r), LIMIT, &rows, &n, e))
			return false;
		for (size_t i = 0; i < n; i++) {
			struct str text = arena_printf(r->a, "No alert for %llu minutes.", (unsigned long long)rows[i].minutes);

			go = job_goes_on(r, e);
			if (go != 1)
				return go == 0;
			if (!resolve(r, &rows[i], text, "silent incidents", e))
				return false;
		}
	} while (n == LIMIT && !r->c->dry_run);
	return true;
}

static bool run(struct job_run *r, struct err *e)
{
	return tests(r, e) && silent(r, e);
}

const struct job job_auto_resolve = {
	.facts = { .name = "auto-resolve", .schedule = { .every_min = 1 },
		.help = "Resolves test incidents after 5 minutes, and incidents without an alert for as long as their service says." },
	.run = run,
};
