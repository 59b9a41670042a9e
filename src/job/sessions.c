/* sessions.c - what ends at a moment of its own: sessions, tokens, links of messages, and the time of grace of rotated secrets. */
#include "job_int.h"

#define TOKEN_KEPT_MS (30 * MS_PER_DAY)	/* so that its owner sees what became of it */
#define LIMIT 500

static int sessions(struct job_run *r, struct err *e)
{
	uint64_t n;
	int go;

	if (r->c->dry_run) {
		if (!expired_sessions(r->c->db, r->a, job_now(r), &n, e))
			return -1;
		job_count(r, "sessions", n);
		return 1;
	}
	do {
		go = job_goes_on(r, e);
		if (go != 1)
			return go;
		if (!expired_sessions_remove(r->c->db, job_now(r), LIMIT, &n, e))
			return -1;
		job_count(r, "sessions", n);
	} while (n == LIMIT);
	return 1;
}

static int secrets(struct job_run *r, struct err *e)
{
	uint64_t n;
	int go;

	do {
		go = job_goes_on(r, e);
		if (go != 1)
			return go;
		if (!expired_secrets(r->c->db, r->a, r->c->shm, job_now(r), !r->c->dry_run, LIMIT, &n, e))
			return -1;
		job_count(r, "secrets", n);
	} while (n == LIMIT && !r->c->dry_run);
	if (!endpoint_old_secrets(r->c->db, r->a, job_now(r), !r->c->dry_run, &n, e))
		return -1;
	job_count(r, "secrets", n);
	return 1;
}

static int links(struct job_run *r, struct err *e)
{
	uint64_t n = r->c->dry_run ? 0 : LIMIT;
	int go = 1;

	while (n == LIMIT) {
		go = job_goes_on(r, e);
		if (go != 1)
			return go;
		if (!incident_links_forget(r->c->db, job_now(r), LIMIT, &n, e))
			return -1;
		job_count(r, "links", n);
	}
	return go;
}

static bool run(struct job_run *r, struct err *e)
{
	int go = secrets(r, e);

	if (go == 1)
		go = links(r, e);
	if (go == 1)
		go = sessions(r, e);
	if (go == 1)
		go = job_remove_old(r, &(struct cleaning){ .table = &old_tokens, .limits = { .before = job_now(r) - TOKEN_KEPT_MS }, .dir = -1 }, e);
	return go >= 0;
}

const struct job job_sessions = {
	.facts = { .name = "sessions", .schedule = { .every_min = 10 },
		.help = "Removes expired sessions, rotated secrets and keys whose time of grace is over, uses of expired links, and tokens that ended 30 days ago." },
	.run = run,
};
