/* cleanup.c - removes what [retention] says is old enough, each night; what it has no time for, the next minutes do.
 *
 * Order: what points goes before what is pointed to, so that nobody finds a pointer to nothing for longer than a run. Sources and tenants
 * may keep their events longer or shorter. The audit log is only moved: without an archive folder it stays. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "job_int.h"

#define HUSHES_DAYS 90	/* as timelines say their names, and the audit log has them */
#define RUNS_DAYS 30	/* 1440 rows a day for each job of a minute */

/* A request is a little older than its events: those of the last ones are gone with the next run. */
#define REQUESTS_LATER_MS MS_PER_SECOND

struct cleaner {
	struct job_run *r;
	struct arena *a;		/* r->a is reset by each step */
	const struct cleanup_wish *wish;	/* or NULL */
	ms_t now;
	uint64_t days;			/* that events are kept where nothing else is said */
	struct source_days *said;
	size_t said_n;
	struct source_limit *limits;	/* of each of them */
	struct source_limit *spared;	/* of each, for walks of all: those who have a walk of their own are spared by them */
	int dir;			/* of the archive, or -1 */
};

static ms_t days_ago(const struct cleaner *k, uint64_t days)
{
	return k->now - (ms_t)days * MS_PER_DAY;
}

/* Whoever asks for fewer days than a source wants for itself does not get them: that is how one keeps what must be kept. */
static uint64_t days_of(const struct cleaner *k, const struct source_days *s)
{
	if (k->wish && k->wish->events_days)
		return s->own > k->days ? s->own : k->days;
	return s->own ? s->own : s->of_tenant ? s->of_tenant : k->days;
}

static bool prepare(struct cleaner *k, uint64_t tenant_id, struct err *e)
{
	if (!source_days(k->r->c->db, k->a, tenant_id, &k->said, &k->said_n, e))
		return false;
	k->limits = ARENA_ARRAY(k->a, struct source_limit, k->said_n + 1);
	k->spared = ARENA_ARRAY(k->a, struct source_limit, k->said_n + 1);
	for (size_t i = 0; i < k->said_n; i++) {
		k->limits[i] = (struct source_limit){ k->said[i].source_id, days_ago(k, days_of(k, &k->said[i])) };
		k->spared[i] = k->limits[i];
		if (k->limits[i].before > days_ago(k, k->days))
			k->spared[i].before = 0;
	}
	return true;
}

/* ---- events, their requests and alerts ---- */

static int whole_table(const struct cleaner *k, const struct old_table *t, ms_t before, const struct archived_table *archived, struct err *e)
{
	const struct cleaning x = { .table = t, .limits = { before, k->spared, k->said_n }, .dir = k->dir,
		.archived = { archived } };

	return job_remove_old(k->r, &x, e);
}

static int of_source(const struct cleaner *k, const struct old_table *t, const struct source_limit *s, ms_t later_ms,
	const struct archived_table *archived, struct err *e)
{
	const struct cleaning x = { .table = t, .source = s->source_id, .limits = { .before = s->before - later_ms }, .dir = k->dir,
		.archived = { archived } };

	return job_remove_old(k->r, &x, e);
}

static int one_source(const struct cleaner *k, const struct source_limit *s, struct err *e)
{
	int go = of_source(k, &old_events, s, 0, &archived_events, e);

	return go == 1 ? of_source(k, &old_requests, s, REQUESTS_LATER_MS, &archived_requests, e) : go;
}

/* Those that keep their events shorter than the rest; of a tenant, all of them. */
static int sources(const struct cleaner *k, bool all, struct err *e)
{
	int go = 1;

	for (size_t i = 0; i < k->said_n && go == 1; i++)
		if (all || k->limits[i].before > days_ago(k, k->days))
			go = one_source(k, &k->limits[i], e);
	return go;
}

static int events(const struct cleaner *k, struct err *e)
{
	ms_t before = days_ago(k, k->days);
	int go = sources(k, false, e);

	if (go == 1)
		go = whole_table(k, &old_alerts, before, &archived_alerts, e);
	if (go == 1)
		go = whole_table(k, &old_events, before, &archived_events, e);
	if (go == 1)
		go = whole_table(k, &old_requests, before - REQUESTS_LATER_MS, &archived_requests, e);
	return go;
}

/* ---- the rest ---- */

/* Bodies that are gone are not looked at again: the position is the id below which none is left. */
static int bodies(const struct cleaner *k, struct err *e)
{
	ms_t before = days_ago(k, k->r->c->conf->retention.refused_bodies_days);
	const struct cleaning x = { .table = &old_bodies, .from = k->r->position, .limits = { .before = before }, .dir = -1 };
	int go = job_remove_old(k->r, &x, e);

	if (go == 1)
		k->r->position = id_floor(before);
	return go;
}

static int incidents(const struct cleaner *k, struct err *e)
{
	const struct cleaning x = { .table = &old_incidents, .limits = { .before = days_ago(k, k->r->c->conf->retention.incidents_days) },
		.dir = k->dir, .archived = { &archived_incidents, &archived_timeline } };

	return job_remove_old(k->r, &x, e);
}

static int small_things(const struct cleaner *k, struct err *e)
{
	const struct {
		const struct old_table *table;
		uint64_t days;
	} steps[] = {
		{ &old_stats, k->days },
		{ &old_outbox, k->days },
		{ &old_endpoints, k->days },
		{ &old_tasks, k->days },
		{ &old_monitor_alerts, k->r->c->conf->retention.incidents_days },
		{ &old_runs, RUNS_DAYS },
		{ &old_hushes, HUSHES_DAYS },
	};
	int go = 1;

	for (size_t i = 0; i < ARRAY_SIZE(steps) && go == 1; i++) {
		const struct cleaning x = { .table = steps[i].table, .limits = { .before = days_ago(k, steps[i].days) }, .dir = -1 };

		go = job_remove_old(k->r, &x, e);
	}
	return go;
}

static int audit(const struct cleaner *k, int dir, struct err *e)
{
	const struct cleaning x = { .table = &old_audit, .limits = { .before = days_ago(k, k->r->c->conf->retention.audit_days) },
		.dir = dir, .archived = { &archived_audit } };

	return dir < 0 ? 1 : job_remove_old(k->r, &x, e);
}

/* ---- the whole ---- */

static int clean(struct cleaner *k, int dir, struct err *e)
{
	uint64_t tenant_id = k->wish ? k->wish->tenant_id : 0;
	int go;

	if (!prepare(k, tenant_id, e))
		return -1;
	if (tenant_id)
		return sources(k, true, e);
	if (k->wish && k->wish->events_days)
		return events(k, e);
	go = bodies(k, e);
	if (go == 1)
		go = events(k, e);
	if (go == 1)
		go = incidents(k, e);
	if (go == 1)
		go = small_things(k, e);
	return go == 1 ? audit(k, dir, e) : go;
}

static bool clock_is_good(struct job_run *r, struct err *e)
{
	const struct cleanup_wish *wish = r->c->cleanup;
	struct clock_facts f;

	if (!clock_facts(r->c->db, r->a, &f, e))
		return false;
	if (!wish || !wish->trust_clock)
		return clock_check(&f, job_now(r), e);
	return r->c->dry_run || clock_trust(r->c->db, r->a, f.newest, job_now(r), e);
}

/* The job itself goes on in a minute; whoever asked for it beside it is told. */
static bool come_again(struct job_run *r, struct err *e)
{
	r->unfinished = true;
	return r->owner || err_set(e, ERR_CONFLICT, "another cleanup is archiving just now");
}

bool cleanup_run(struct job_run *r, struct err *e)
{
	const struct conf *conf = r->c->conf;
	const struct cleanup_wish *wish = r->c->cleanup;
	const char *path = conf->retention.archive_dir;
	struct cleaner k = { .r = r, .wish = wish, .now = job_now(r), .dir = -1 };
	int dir = *path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	bool ok;

	if (*path && dir < 0)
		return err_sys(e, ERR_DOWN, "[retention] archive_dir %.100s", path);
	if (dir >= 0 && !r->c->dry_run && !archive_lock(dir)) {
		close(dir);
		return come_again(r, e);
	}
	k.a = arena_new(8 << 20);
	k.days = wish && wish->events_days ? wish->events_days : conf->retention.events_days;
	k.dir = conf->retention.archive_events ? dir : -1;
	ok = clock_is_good(r, e) && clean(&k, dir, e) >= 0;
	arena_free(k.a);
	if (dir >= 0)
		close(dir);
	return ok;
}

const struct job job_cleanup = {
	.facts = { .name = "cleanup", .schedule = { .at_min = 2 * 60 },
		.help = "Removes old events, requests, alerts and incidents, and archives the audit log, as [retention] says." },
	.run = cleanup_run,
};
