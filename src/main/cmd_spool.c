/* cmd_spool.c - what this host has spooled while the database was away: listed, and replayed now. */
#include "ctl_int.h"
#include "id_worker.h"
#include "stop.h"

#include "grapnel/job.h"
#include "grapnel/spool.h"

#define LIMIT_MS MS_PER_DAY	/* as long as it takes */

static bool list(struct ctl *c, struct err *e)
{
	struct spool_file *files = NULL;
	struct err why = { 0 };
	size_t n = 0;

	if (!spool_list(c->conf.spool.directory, c->arena, &files, &n, &why) && why.code != ERR_NOT_FOUND) {	/* without a folder nothing was spooled yet */
		*e = why;
		return false;
	}
	ctl_list(c, "files", spool_file_fields, "name state oldestAt records bytes damaged", files, n, sizeof(*files), 0);
	return true;
}

static bool stopped(const struct ctl *c, struct err *e)
{
	struct spool_state s = spool_state(c->conf.spool.directory);

	return err_set(e, ERR_CONFLICT, "stopped; %llu files with %llu bytes are left: cron, a worker or another drain goes on with them",
		(unsigned long long)s.files, (unsigned long long)s.bytes);
}

static bool drain(struct ctl *c, struct err *e)
{
	const struct job *only[] = { job_find(STR("spool-drain")), NULL };
	struct id_maker ids;
	const struct job_config jc = { .db = c->db, .shm = c->shm, .conf = &c->conf, .seal = c->seal, .ids = &ids, .now = c->now,
		.limit_ms = LIMIT_MS, .dry_run = ctl_has(c, "dry-run"), .stop = &told_to_stop };
	struct job_result x = { 0 };
	size_t n;

	id_maker_init(&ids, id_worker_of_program(&c->conf));
	stop_catch();
	if (!jobs_run(&jc, c->arena, only, &x, &n, e))
		return false;
	if (x.outcome == JOB_FAILED)
		return err_set(e, ERR_CONFLICT, "%.*s", STR_ARG(x.error));
	if (x.outcome == JOB_ELSEWHERE)
		return err_set(e, ERR_CONFLICT, "another run of cron replays it now; see grapnel-cron --list");
	if (c->json)
		ctl_one(c, job_result_fields, &x);
	else
		printf("%.*s\n", STR_ARG(x.counts.n ? x.counts : STR("nothing is left to replay")));
	return x.outcome != JOB_UNFINISHED || stopped(c, e);
}

static const struct ctl_option drain_options[] = {
	{ "dry-run", NULL, "only counts" },
	{ 0 }
};

const struct command spool_commands[] = {
	{ "spool list", "", NULL, NEED_CONF, list, "shows the files of this host's spool" },
	{ "spool drain", "", drain_options, NEED_SCHEMA | NEED_KEY | NEED_STATE, drain, "replays them now, as cron and workers do" },
	{ 0 }
};
