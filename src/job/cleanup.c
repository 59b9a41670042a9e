/* cleanup.c - removes what [retention] says is old enough, each night; what it has no time for, the next minutes do.
 *
 * Order: what points goes before what is pointed to, so that nobody finds a pointer to nothing for longer than a run. The audit log
 * is only moved: without an archive folder it stays. */
#include "job_int.h"

#define RUNS_DAYS 30	/* 1440 rows a day for each job of a minute */

/* A request is a little older than its events: those of the last ones are gone with the next run. */
#define REQUESTS_LATER_MS MS_PER_SECOND

struct cleaning {
	const struct old_table *table;
	uint64_t from;
	uint32_t days;
	ms_t later_ms;
};

static ms_t days_ago(const struct job_run *r, uint32_t days)
{
	return job_now(r) - days * MS_PER_DAY;
}

static int audit(struct job_run *r, struct err *e)
{
	const char *dir = r->c->conf->retention.archive_dir;

	return *dir ? job_archive_audit(r, dir, days_ago(r, r->c->conf->retention.audit_days), e) : 1;
}

/* Bodies that are gone are not looked at again: the position is the id below which none is left. */
static void note_bodies(struct job_run *r)
{
	r->position = id_floor(days_ago(r, r->c->conf->retention.refused_bodies_days));
}

static bool run(struct job_run *r, struct err *e)
{
	uint32_t events = r->c->conf->retention.events_days;
	const struct cleaning steps[] = {
		{ &old_bodies, r->position, r->c->conf->retention.refused_bodies_days },
		{ &old_alerts, 0, events },
		{ &old_events, 0, events },
		{ &old_requests, 0, events, REQUESTS_LATER_MS },
		{ &old_incidents, 0, r->c->conf->retention.incidents_days },
		{ &old_stats, 0, events },
		{ &old_outbox, 0, events },
		{ &old_runs, 0, RUNS_DAYS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int go = job_remove_old(r, steps[i].table, steps[i].from, days_ago(r, steps[i].days) - steps[i].later_ms, e);

		if (go != 1)
			return go == 0;
		if (steps[i].table == &old_bodies)
			note_bodies(r);
	}
	return audit(r, e) >= 0;
}

const struct job job_cleanup = {
	.facts = { .name = "cleanup", .schedule = { .at_min = 2 * 60 },
		.help = "Removes old events, requests, alerts and incidents, and archives the audit log, as [retention] says." },
	.run = run,
};
