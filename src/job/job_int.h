/* job_int.h - what a job is given, and what it calls. */
#ifndef JOB_INT_H
#define JOB_INT_H

#include "grapnel/job.h"

#define JOB_COUNTS_MAX 12

struct job_run {
	const struct job_config *c;
	struct arena *a;		/* a step may reset it */
	uint64_t position;		/* where the last run left off; what stands here at the end is kept, but for a dry run */
	/* the runner's own */
	struct str name;
	ms_t started_at;
	int64_t began_us, until_us, renewed_us;
	uint64_t owner;			/* of the lease */
	bool unfinished;
	uint64_t longest_us;
	struct job_count {
		const char *what;
		uint64_t n;
	} counts[JOB_COUNTS_MAX];
	size_t count_n;
};

ms_t job_now(const struct job_run *r);
int64_t job_left_ms(const struct job_run *r);	/* of its time; below 0 when that is over */
/* Before each step: 1 go on; 0 the time is up, so end well and the next run goes on; -1 failed. Keeps the lease. */
int job_goes_on(struct job_run *r, struct err *e) MUST_USE;
void job_count(struct job_run *r, const char *what, uint64_t n);	/* `what` is a literal */
void job_pause(struct job_run *r, int64_t ms);				/* no longer than there is time */

/* Walks through what is older than that moment, with keys after `from`, and removes it in chunks, short enough that nobody who waits
 * for their locks notices. 1 all of it, 0 the time was up, -1 failed. */
int job_remove_old(struct job_run *r, const struct old_table *t, uint64_t from, ms_t before, struct err *e) MUST_USE;

/* Moves audit entries from before that moment into an archive file of `dir`. As above. */
int job_archive_audit(struct job_run *r, const char *dir, ms_t before, struct err *e) MUST_USE;

extern const struct job job_auto_resolve, job_cleanup, job_confirm, job_monitor, job_retries, job_sessions, job_storage;

#endif
