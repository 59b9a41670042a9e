/* jobs.c - /api/jobs, and cron over HTTP. */
#include "api_int.h"

#include "grapnel/job.h"

const struct field cron_watch_fields[] = {
	FIELD_TIME(struct cron_watch, last_at, "lastAt", "When all that was due was run last"),
	FIELD_BOOL(struct cron_watch, late, "late", "It has not run for three minutes"),
	FIELD_END
};

const struct doc_part job_list_parts[] = {
	{ "cron", PART_ONE, FIELDS(cron_watch_fields), NULL, "Does cron run?" },
	{ 0 }
};

void api_job_list(void *call)
{
	struct call *c = call;
	struct cron_watch w;
	struct job_view *v;
	struct err e = { 0 };
	struct reply r;
	size_t n;

	if (!job_list_by(&c->by, &v, &n, &e) || !cron_watch(c->by.db, c->a, c->by.now, &w, &e)) {
		reply_err(c, &e);
		return;
	}
	reply_begin(c, &r);
	reply_rows(&r, "jobs", job_view_fields, v, sizeof(*v), n);
	json_key(&r.o, "next");
	json_null(&r.o);
	json_key(&r.o, "cron");
	json_open(&r.o, '{');
	json_fields(&r.o, cron_watch_fields, &w);
	json_close(&r.o, '}');
	reply_end(c, &r, 200);
}

void api_job_run_list(void *call)
{
	struct call *c = call;
	struct job_run_filter f = { .limit = LIST_LIMIT_DEFAULT };
	struct job_run_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_query(c, job_run_query_fields, &f))
		return;
	if (job_runs_by(&c->by, &f, &rows, &n, &next, &e))
		reply_list(c, "runs", job_run_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

void api_job_run(void *call)
{
	struct call *c = call;
	struct job_result x;
	struct err e = { 0 };

	if (job_run_by(&c->by, c->match.params[0], &x, &e))
		reply_fields(c, 200, job_result_fields, &x);
	else
		reply_err(c, &e);
}

const struct doc_part cron_parts[] = {
	{ "jobs", PART_ROWS, FIELDS(job_result_fields), NULL, "Those that were due" },
	{ 0 }
};

void api_cron(void *call)
{
	struct call *c = call;
	struct job_result *x;
	struct err e = { 0 };
	unsigned status = 200;
	struct reply r;
	size_t n;

	if (!job_run_due_by(&c->by, &x, &n, &e)) {
		reply_err(c, &e);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (x[i].outcome == JOB_FAILED)
			status = 500;
	reply_begin(c, &r);
	reply_rows(&r, "jobs", job_result_fields, x, sizeof(*x), n);
	reply_end(c, &r, status);
}
