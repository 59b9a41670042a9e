/* table.c - all jobs. How to add: a file whose foot is a const struct job, and a line here. */
#include <assert.h>

#include "job_int.h"

const struct job *const jobs[] = {
	&job_spool_drain,
	&job_auto_resolve,
	&job_escalate,
	&job_outbox,
	&job_tasks,
	&job_retries,
	&job_monitor,
	&job_alert_rules,
	&job_stale_alerts,
	&job_sessions,
	&job_storage,
	&job_cleanup,
	NULL
};
static_assert(ARRAY_SIZE(jobs) <= JOBS_MAX + 1, "JOBS_MAX");

const struct job *job_find(struct str name)
{
	struct str base = str_until(&name, '@');	/* the host is no part of the job */

	for (size_t i = 0; jobs[i]; i++)
		if (str_eqs(base, jobs[i]->facts.name))
			return jobs[i];
	return NULL;
}

const struct job *job_here(struct str name, uint64_t node, struct err *e)
{
	const struct job *job = job_find(name);
	struct str host = name;
	bool has_host = str_until(&host, '@').n < name.n;
	uint64_t n = node;

	if (!job || (has_host && (!job->facts.each_host || !str_u64(host, &n)))) {
		err_tell(e, ERR_NOT_FOUND, "There is no job \"%.*s\".", STR_ARG(str_cut(name, 60)));
		return NULL;
	}
	if (n == node)
		return job;
	err_tell(e, ERR_CONFLICT, "%.*s is of another host: this one is %llu, [server] node.", STR_ARG(str_cut(name, 60)), (unsigned long long)node);
	return NULL;
}

const struct job_facts *job_facts_all(struct arena *a, size_t *n)
{
	struct job_facts *all = ARENA_ARRAY(a, struct job_facts, ARRAY_SIZE(jobs));

	for (*n = 0; jobs[*n]; ++*n)
		all[*n] = jobs[*n]->facts;
	return all;
}
