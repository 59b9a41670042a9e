/* job.c - cron's jobs as people see and start them. The installation has one set of them, which works for all tenants: whoever is no
 * platform admin sees which jobs there are, when they ran and whether that went well, and nothing of what they did. */
#include <inttypes.h>

#include "resource_int.h"

#include "grapnel/job.h"

/* A web server waits longer than that for an answer. */
#define LIMIT_MS (20 * MS_PER_SECOND)
#define PERSON_MS (2 * MS_PER_SECOND)	/* a web worker is held as long; the rest is cron's */

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

	if (!job_view_list(by->db, by->a, facts, facts_n, zone_offset, by->now, out, n, e))
		return false;
	for (size_t i = 0; i < *n && !by->principal.platform_admin; i++) {
		struct job_view *v = &(*out)[i];

		v->last_touched = 0;
		v->error = v->holder = STR_NONE;
	}
	return true;
}

bool job_runs_by(const struct caller *by, const struct job_run_filter *f, struct job_run_view **out, size_t *n, uint64_t *next, struct err *e)
{
	if (!job_run_view_list(by->db, by->a, f, out, n, next, e))
		return false;
	for (size_t i = 0; i < *n && !by->principal.platform_admin; i++) {
		struct job_run_view *v = &(*out)[i];

		v->touched = v->bytes = v->longest_lock_ms = 0;
		v->counts = v->error = STR_NONE;
	}
	return true;
}

/* What a person starts is to come back soon; but a job that sends must have time for an attempt. */
static int64_t limit_of_person(const struct conf *c)
{
	int64_t ms = PERSON_MS + c->outbound.timeout_ms;

	return ms < LIMIT_MS ? ms : LIMIT_MS;
}

static struct job_config config(const struct caller *by, int64_t limit_ms)
{
	return (struct job_config){ .db = by->db, .shm = by->shm, .conf = by->conf, .seal = by->seal, .ids = by->ids, .now = by->now, .limit_ms = limit_ms };
}

bool job_run_by(const struct caller *by, struct str name, struct job_result *out, struct err *e)
{
	const struct job *only[] = { job_here(name, by->conf->server.node, e), NULL };
	const struct job_config c = config(by, limit_of_person(by->conf));
	struct who who = caller_who(by, by->principal.tenant_id);
	size_t n;

	return only[0] && audit_add(by->db, &who, "job.run", name, STR_NONE, by->now, e) && jobs_run(&c, by->a, only, out, &n, e);
}

bool job_run_due_by(const struct caller *by, struct job_result **out, size_t *n, struct err *e)
{
	const struct job_config c = config(by, LIMIT_MS);

	*out = ARENA_ARRAY(by->a, struct job_result, JOBS_MAX);
	return jobs_run(&c, by->a, NULL, *out, n, e);
}

bool storage_by(const struct caller *by, struct storage_view *out, struct err *e)
{
	return storage_view_get(by->db, by->a, conf_database_is_here(by->conf), by->conf->retention.events_days, by->now, out, e);
}
