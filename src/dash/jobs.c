/* jobs.c - what cron does, when it did, and doing it now.
 *
 * Most runs of a job of a minute find nothing to do; they are left out unless somebody asks for them. */
#include "jobs.h"

#include <inttypes.h>

#include "grapnel/job.h"
#include "tmpl.h"

static bool read_runs(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next,
	struct err *e)
{
	struct job_run_filter f = *(const struct job_run_filter *)query;

	f.cursor = cursor;
	f.limit = limit;
	return job_runs_by(&v->by, &f, rows_r, n, next, e);
}

static void fill_chips(struct visit *v, struct jobs_page *p, const struct job_run_filter *f)
{
	p->chips = ARENA_ARRAY(v->a, struct chip, p->jobs_n + 1);
	p->chips[p->chips_n++] = (struct chip){ STR("All jobs"), query_with(v, "job", NULL), !f->job.n };
	for (size_t i = 0; i < p->jobs_n; i++)
		p->chips[p->chips_n++] = (struct chip){ p->jobs[i].name,
			query_with(v, "job", arena_cstr(v->a, p->jobs[i].name)), str_eq(f->job, p->jobs[i].name) };
	p->notable = f->notable;
	p->filtered = f->job.n > 0;
	p->other_url = query_with(v, "notable", f->notable ? "false" : NULL);
}

void page_jobs(void *visit)
{
	struct visit *v = visit;
	struct job_run_filter f = { .limit = LIST_LIMIT_DEFAULT, .notable = true };
	struct list_source exported = { "runs", job_run_view_fields, sizeof(struct job_run_view), read_runs, &f };
	struct jobs_page p = { .zone = str_of(v->by.conf->cron.timezone) };
	struct err e = { 0 };
	uint64_t next;

	if (!visit_query(v, job_run_query_fields, &f) || list_exported(v, &exported, f.cursor))
		return;
	if (!job_list_by(&v->by, &p.jobs, &p.jobs_n, &e) || !cron_watch(v->by.db, v->a, v->by.now, &p.cron, &e) ||
		!job_runs_by(&v->by, &f, &p.runs, &p.runs_n, &next, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	fill_chips(v, &p, &f);
	list_nav_fill(v, &p.nav, "runs", f.cursor, next);
	list_nav_count(v, &p.nav, f.cursor, next, p.runs_n);
	page_begin(v, &p.page, "Jobs", "jobs");
	PAGE_SEND(v, 200, tmpl_jobs, &p);
}

static const char *result_text(struct visit *v, const struct job_result *x)
{
	struct str what = x->counts.n ? x->counts : STR("nothing to do");

	switch (x->outcome) {
	case JOB_DONE:
		return arena_printf(v->a, "%.*s ran: %.*s.", STR_ARG(x->name), STR_ARG(what)).p;
	case JOB_UNFINISHED:
		return arena_printf(v->a, "%.*s is not done yet: %.*s. Cron goes on with the rest within the minute.", STR_ARG(x->name), STR_ARG(what)).p;
	case JOB_ELSEWHERE:
		return arena_printf(v->a, "%.*s is running already.", STR_ARG(x->name)).p;
	case JOB_FAILED:
		break;
	}
	return arena_printf(v->a, "%.*s failed: %.*s", STR_ARG(x->name), STR_ARG(x->error)).p;
}

void page_job_run(void *visit)
{
	struct visit *v = visit;
	struct job_result x;
	struct err e = { 0 };

	if (!job_run_by(&v->by, v->match.params[0], &x, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	if (x.outcome == JOB_FAILED)
		visit_flash_bad(v, result_text(v, &x));
	else
		visit_flash(v, result_text(v, &x), STR_NONE);
	visit_redirect(v, "/jobs");
}
