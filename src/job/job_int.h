/* job_int.h - what a job is given, and what it calls. */
#ifndef JOB_INT_H
#define JOB_INT_H

#include <zlib.h>

#include "grapnel/fetch.h"
#include "grapnel/job.h"

#define JOB_COUNTS_MAX 24	/* of one: cleanup has a word for each table */

struct job_run {
	const struct job_config *c;
	struct arena *a;		/* a step may reset it */
	uint64_t position;		/* where the last run left off; what stands here at the end is kept, but for a dry run */
	/* the runner's own */
	struct str name;
	ms_t started_at, previous_at;	/* previous_at: start of the run before; 0: there was none */
	int64_t began_us, until_us, renewed_us;
	uint64_t owner;			/* of the lease; 0: there is none */
	bool unfinished;
	uint64_t longest_us, bytes;	/* bytes: what removed rows held, more or less */
	struct job_count {
		const char *what;
		uint64_t n;
	} counts[JOB_COUNTS_MAX];
	size_t count_n;
};

/* ---- run.c ---- */

struct job_turn {
	const struct job *job;
	struct job_state state;
	int number;		/* its place in the table */
};
/* Those who ended their last run before those who did not, the longest waiting first. */
void jobs_order(struct job_turn *turns, size_t n);
/* What of the time that is left the next one may take: those that come later and did not end their last run get as much. */
int64_t jobs_share(int64_t left, const struct job_turn *later, size_t n);

ms_t job_now(const struct job_run *r);
int64_t job_left_ms(const struct job_run *r);	/* of its time; below 0 when that is over */
/* Before each step: 1 go on; 0 the time is up, so end well and the next run goes on; -1 failed. Keeps the lease. */
int job_goes_on(struct job_run *r, struct err *e) MUST_USE;
void job_count(struct job_run *r, const char *what, uint64_t n);	/* `what` is a literal */
void job_pause(struct job_run *r, int64_t ms);				/* no longer than there is time */

/* ---- chunks.c ---- */

struct cleaning {
	const struct old_table *table;
	struct old_limits limits;
	uint64_t source;	/* only rows of that source; 0: of all */
	uint64_t from;		/* keys after that one */
	int dir;		/* rows go to an archive there first; -1: they do not */
	const struct archived_table *archived[3];	/* ends with NULL */
};
/* Walks through what is old and removes it in chunks, short enough that nobody who waits for their locks notices. 1 all of it, 0 the
 * time was up, -1 failed. */
int job_remove_old(struct job_run *r, const struct cleaning *what, struct err *e) MUST_USE;

/* ---- archive.c: a file of rows. archive_drop ends it, whatever became of it ---- */

/* False: another one writes there. As long as `dir` is open nobody else does: two would name files of the same rows alike, and write the
 * sum of the one beside the other. Removes what killed ones left. */
bool archive_lock(int dir) MUST_USE;

#define ARCHIVE_HEAD "grapnel"		/* name of the first line's member */
#define ARCHIVE_SUM ".sha256"
#define ARCHIVE_TMP ".tmp-"		/* what a killed run left */

struct archive {
	int dir, fd;
	gzFile to;
	const char *kind;
	char tmp[64], name[96];
	uint64_t first, last;	/* ids */
	uint64_t rows, bytes;	/* bytes of text */
};
bool archive_open(struct job_run *r, struct archive *x, int dir, const char *kind, struct err *e) MUST_USE;
/* The rows of a chunk, of each of these tables. */
bool archive_add(struct job_run *r, struct archive *x, const struct archived_table *const *tables, const struct old_chunk *c,
	struct err *e) MUST_USE;
bool archive_publish(struct job_run *r, struct archive *x, struct err *e) MUST_USE;
void archive_drop(struct archive *x);

/* ---- cleanup.c, clock.c ---- */

bool cleanup_run(struct job_run *r, struct err *e) MUST_USE;
/* ERR_CONFLICT with a sentence: this clock may not say what is old. */
bool clock_check(const struct clock_facts *f, ms_t now, struct err *e) MUST_USE;

/* ---- again.c, remediate.c, and what both begin with ---- */

struct job_run job_apart(const struct job_config *c, struct arena *a);	/* of no job: no lease, no stored result */
bool again_send(struct job_run *r, struct again_result *results, size_t n, struct err *e) MUST_USE;
bool remediate_by_cron(struct job_run *r, uint64_t tenant_id, struct remediation *out, struct err *e) MUST_USE;
/* ---- monitor.c: sources that refuse many requests since key or signature is wrong; *begun: monitor alerts that were not running ---- */
bool job_floods(struct job_run *r, uint64_t tenant_id, uint64_t *found, uint64_t *begun, struct err *e) MUST_USE;

/* A sender as the configuration has it. */
struct job_sender {
	struct guard *guard;
	struct sender *sender;
};
struct job_sender job_sender_open(const struct job_run *r);
void job_sender_close(struct job_sender *s);
/* Drives a carrier as long as there is work and time; what has not begun by then is left to the next run. */
bool job_carry(struct job_run *r, struct sender *s, const struct carrier *c, struct err *e) MUST_USE;

extern const struct job job_alert_rules;
extern const struct job job_auto_resolve, job_cleanup, job_escalate, job_monitor, job_outbox, job_retries, job_sessions, job_spool_drain,
	job_stale_alerts, job_storage;
extern const struct job job_tasks;

#endif
