/* cmd_cleanup.c - cleanup now, with all the time it needs and somebody who watches; and what it archived, back into the tables. */
#include "ctl_int.h"
#include "id_worker.h"
#include "stop.h"

#include "grapnel/job.h"

#define LIMIT_MS (30 * MS_PER_DAY)	/* as long as it takes */

static void show(void *ctx, const struct cleanup_progress *p)
{
	ctl_progress(ctx, p->what, p->done, p->rows);
}

/* ---- cleanup ---- */

static bool end(struct ctl *c, const struct job_result *x, bool dry_run, struct err *e)
{
	if (x->outcome == JOB_FAILED)
		return err_set(e, ERR_CONFLICT, "%.*s", STR_ARG(x->error));
	if (x->outcome == JOB_ELSEWHERE)
		return err_set(e, ERR_CONFLICT, "cleanup is running already; see grapnel-cron --list");
	if (c->json) {
		ctl_one(c, job_result_fields, x);
		return true;
	}
	printf("%s %.*s", dry_run ? "would remove" : x->outcome == JOB_UNFINISHED ? "stopped; removed" : "removed",
		STR_ARG(x->counts.n ? x->counts : STR("nothing")));
	if (dry_run)
		putchar('\n');
	else
		printf(", in %.1f s; no lock longer than %llu ms\n", (double)x->duration_ms / 1000, (unsigned long long)x->longest_ms);
	return true;
}

static bool run_whole(const struct job_config *jc, struct arena *a, struct job_result *out, struct err *e)
{
	const struct job *only[] = { job_find(STR("cleanup")), NULL };
	size_t n;

	return jobs_run(jc, a, only, out, &n, e);
}

static bool cleanup(struct ctl *c, struct err *e)
{
	struct ctl_progress progress = { .ctl = c };
	struct cleanup_wish wish = { .trust_clock = ctl_has(c, "trust-clock"), .progress = show, .ctx = &progress };
	struct id_maker ids;
	const struct job_config jc = { .db = c->db, .shm = c->shm, .conf = &c->conf, .ids = &ids, .now = c->now, .limit_ms = LIMIT_MS,
		.dry_run = ctl_has(c, "dry-run"), .stop = &told_to_stop, .cleanup = &wish };
	struct job_result x = { 0 };
	bool apart, ok;

	if (!ctl_number(c, "older-than", 1, 36500, &wish.events_days, e))
		return false;
	if (ctl_value(c, "tenant").p)
		wish.tenant_id = c->tenant_id;
	apart = wish.events_days || wish.tenant_id;
	if (!jc.dry_run && !ctl_sure(c, apart ? "Remove those events for good?" : "Remove all that [retention] says is old?", e))
		return false;
	id_maker_init(&ids, id_worker_of_program(&c->conf));
	stop_catch();
	ok = apart ? cleanup_apart(&jc, c->arena, &x, e) : run_whole(&jc, c->arena, &x, e);
	ctl_progress_end(&progress);
	return ok && end(c, &x, jc.dry_run, e);
}

/* ---- archives ---- */

struct read_answer {
	struct str file;
	uint64_t rows, added;
};
static const struct field read_fields[] = {
	FIELD_STR(struct read_answer, file, "file", ""),
	FIELD_U64(struct read_answer, rows, "rows", ""),
	FIELD_U64(struct read_answer, added, "added", ""),
	FIELD_END
};

bool ctl_archive_read(struct ctl *c, struct err *e)
{
	struct read_answer *answers = ARENA_ARRAY(c->arena, struct read_answer, c->word_n);

	for (size_t i = 0; i < c->word_n; i++) {
		struct archive_read x;

		if (!archive_read(c->db, c->words[i], ctl_has(c, "dry-run"), &x, e))
			return false;
		answers[i] = (struct read_answer){ str_of(c->words[i]), x.rows, x.added };
	}
	ctl_list(c, "files", read_fields, "rows added file", answers, c->word_n, sizeof(*answers), 0);
	return true;
}

static const struct ctl_option cleanup_options[] = {
	{ "older-than", "DAYS", "only events that are older, with requests and alerts, whatever [retention] says" },
	{ "dry-run", NULL, "says how many rows and bytes would go, and changes nothing" },
	{ "trust-clock", NULL, "the clock is right, though it looks wrong" },
	{ "yes", NULL, "do not ask" },
	{ 0 }
};

static const struct ctl_option read_options[] = {
	{ "dry-run", NULL, "checks the files, and changes nothing" },
	{ 0 }
};

const struct command cleanup_commands[] = {
	{ "cleanup", "", cleanup_options, NEED_SCHEMA | NEED_STATE, cleanup, "removes what is old now, as [retention] says; of one tenant with --tenant" },
	{ "archive read", "FILE...", read_options, NEED_SCHEMA, ctl_archive_read,
		"brings back what cleanup has archived; each file whole, or not at all" },
	{ 0 }
};
