/* auto_resolve.c - resolves what nobody will: test incidents five minutes after they were opened, and incidents of services that
 * say how long without an alert means over.
 *
 * An incident is a test's or it is not, from its first moment on, and tests are resolved once. So each incident is looked at once,
 * when it is five minutes old: the walk goes on where the last run left off, and costs what was opened in that
 * minute. Whoever was faster - a person, the sender - has resolved it; that is no failure. */
#include "grapnel/log.h"

#include "job_int.h"

#define TEST_MS (TEST_RESOLVE_MINUTES * MS_PER_MINUTE)
/* A minute's run may begin a second later than that of the minute before. What becomes due within that time is waited for, so that
 * nothing is resolved later than six minutes after it was opened. */
#define AHEAD_MS (2 * MS_PER_SECOND)
#define BACK_MS MS_PER_MINUTE		/* a transaction that makes an incident takes less */
#define LOST_MS MS_PER_DAY		/* how far back to look where the position makes no sense */
#define LIMIT 500

/* One incident that cannot be resolved keeps the others from nothing: the first error is told at the end. */
struct resolving {
	struct job_run *r;
	struct err first;
	bool lost;		/* the database is away: the rest is pointless */
};

static void resolve(struct resolving *x, const struct overdue *o, struct str text, const char *what)
{
	const struct who who = { .tenant_id = (uint32_t)o->tenant_id, .actor = ACTOR_SYSTEM };
	struct job_run *r = x->r;
	struct err e = { 0 };
	ms_t now = job_now(r);
	int done = 1;

	if (!r->c->dry_run)
		done = incident_act(r->c->db, r->a, who.tenant_id, o->id, COMMAND_RESOLVE, ACTOR_SYSTEM, &who, id_make(r->c->ids, now),
			text, now, &e);
	if (done == 1)
		job_count(r, what, 1);
	if (done >= 0 || e.code == ERR_CONFLICT)
		return;
	x->lost = db_trouble(r->c->db) == DB_LOST;
	if (!x->first.code)
		x->first = e;
}

/* Where the walk begins. The clock may have been set back since. */
static uint64_t first_id(const struct job_run *r, uint64_t below)
{
	ms_t from = r->position && r->position <= below ? id_time(r->position) - BACK_MS : job_now(r) - LOST_MS;

	return r->position ? id_floor(from > 0 ? from : 0) : 0;
}

/* 1 all were tried, 0 the time was up, -1 failed. */
static int tests(struct resolving *x, struct err *e)
{
	struct job_run *r = x->r;
	uint64_t below = id_floor(job_now(r) - TEST_MS + AHEAD_MS), after = first_id(r, below);
	struct overdue *rows;
	size_t n;

	do {
		arena_reset(r->a);
		if (!overdue_tests(r->c->db, r->a, after, below, LIMIT, &rows, &n, e))
			return -1;
		for (size_t i = 0; i < n && !x->lost; i++) {
			int go = job_goes_on(r, e);

			if (go != 1)
				return go;
			if (!r->c->dry_run)
				job_pause(r, rows[i].opened_at + TEST_MS - job_now(r));
			resolve(x, &rows[i], STR("Test incident: resolved after 5 minutes."), "tests");
			after = rows[i].id;
		}
	} while (n == LIMIT && !x->lost);
	if (!x->first.code)
		r->position = below;
	return 1;
}

/* What was resolved is not found again; what could not be is, so it ends with the first page that changed nothing. */
static int silent(struct resolving *x, struct err *e)
{
	struct job_run *r = x->r;
	struct overdue *rows;
	size_t n;

	do {
		arena_reset(r->a);
		if (!overdue_silent(r->c->db, r->a, job_now(r), LIMIT, &rows, &n, e))
			return -1;
		for (size_t i = 0; i < n && !x->lost; i++) {
			struct str text = arena_printf(r->a, "No alert for %llu minute%s.", (unsigned long long)rows[i].minutes,
				rows[i].minutes == 1 ? "" : "s");
			int go = job_goes_on(r, e);

			if (go != 1)
				return go;
			resolve(x, &rows[i], text, "silent incidents");
		}
	} while (n == LIMIT && !x->first.code && !r->c->dry_run);
	return 1;
}

static bool run(struct job_run *r, struct err *e)
{
	struct resolving x = { .r = r };
	int go = tests(&x, e);

	if (go == 1)
		go = silent(&x, e);
	if (go >= 0 && x.first.code)
		*e = x.first;
	return go >= 0 && !x.first.code;
}

const struct job job_auto_resolve = {
	.facts = { .name = "auto-resolve", .schedule = { .every_min = 1 },
		.help = "Resolves test incidents after 5 minutes, and incidents without an alert for as long as their service says." },
	.run = run,
};
