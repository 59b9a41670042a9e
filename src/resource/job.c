/* job.c - cron's jobs as people see and start them. The installation has one set of them, whatever tenant asks. */
#include <inttypes.h>

#include "resource_int.h"

#include "grapnel/job.h"

/* A web server waits longer than that for an answer, and a person not much longer. */
#define LIMIT_MS (20 * MS_PER_SECOND)

const struct form_field job_run_query_fields[] = {
	{ "job", TEXT_AT(struct job_run_filter, job), .max = 64, .help = "Name of the job" },
	{ "notable", BOOL_AT(struct job_run_filter, notable), .help = "true: only runs that did something, or failed" },
	{ "limit", NUMBER_AT(struct job_run_filter, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX, .help = "Most runs in the answer" },
	CURSOR_ROW(struct job_run_filter, cursor, "runs"),
	FORM_END
};

bool job_list_by(const struct caller *by, struct job_view **out, size_t *n, struct err *e)
{
	size_t facts_n;
	const struct job_facts *facts = job_facts_all(by->a, &facts_n);

	return job_view_list(by->db, by->a, facts, facts_n, zone_offset, by->now, out, n, e);
}

static struct job_config config(const struct caller *by)
{
	return (struct job_config){ .db = by->db, .shm = by->shm, .conf = by->conf, .seal = by->seal, .ids = by->ids, .now = by->now, .limit_ms = LIMIT_MS };
}

bool job_run_by(const struct caller *by, struct str name, struct job_result *out, struct err *e)
{
	const struct job *only[] = { job_find(name), NULL };
	const struct job_config c = config(by);
	struct who who = caller_who(by, by->principal.tenant_id);
	size_t n;

	if (!only[0])
		return err_set(e, ERR_NOT_FOUND, "there is no such job");
	return audit_add(by->db, &who, "job.run", name, STR_NONE, by->now, e) && jobs_run(&c, by->a, only, out, &n, e);
}

bool job_run_due_by(const struct caller *by, struct job_result **out, size_t *n, struct err *e)
{
	const struct job_config c = config(by);

	*out = ARENA_ARRAY(by->a, struct job_result, JOBS_MAX);
	return jobs_run(&c, by->a, NULL, *out, n, e);
}

bool storage_by(const struct caller *by, struct storage_view *out, struct err *e)
{
	return storage_view_get(by->db, by->a, conf_database_is_here(by->conf), by->conf->retention.events_days, by->now, out, e);
}
