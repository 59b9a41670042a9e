/* job.h - what is to be done from time to time: cron's jobs, and the runner that sees to them.
 *
 * A job is a const struct at the foot of its file, named in src/job/table.c. The runner finds what is due, takes the job's lease,
 * runs it within the time that is left, and stores the result. Any number of runs may happen at once, on any
 * number of hosts: none does what another does. So it is called by grapnel-cron, by a web worker for hosts that only
 * have HTTP cron, and by a person who presses "Run now".
 *
 * A job takes the time from its run, asks job_goes_on before each step, and does its work in steps that may be the last: a
 * job that was killed is taken up again when its lease ends. In a dry run it counts and changes nothing. */
#ifndef GRAPNEL_JOB_H
#define GRAPNEL_JOB_H

#include <signal.h>

#include "grapnel/base.h"
#include "grapnel/conf.h"
#include "grapnel/crypto.h"
#include "grapnel/db.h"
#include "grapnel/fetch.h"
#include "grapnel/store.h"
#include "grapnel/view.h"

struct job_run;

struct job {
	struct job_facts facts;			/* name, schedule, what it is for */
	bool (*run)(struct job_run *r, struct err *e);
};
extern const struct job *const jobs[];		/* in the order of their first run: short ones first. Ends with NULL */
#define JOBS_MAX 16

const struct job *job_find(struct str name);	/* "name", or the row "name@node" of a host. NULL: there is none */
/* The same where it is to run: NULL with ERR_NOT_FOUND where there is none, with ERR_CONFLICT where it is that of another host than `node`. */
const struct job *job_here(struct str name, uint64_t node, struct err *e) MUST_USE;
/* The facts of all jobs, for views. */
const struct job_facts *job_facts_all(struct arena *a, size_t *n);

/* ---- monitor.c ---- */

struct monitor_limits job_monitor_limits(const struct conf *c);	/* [monitor] */

/* ---- running ---- */

/* Cleanup otherwise than [retention] says, and who watches it. */
struct cleanup_progress {
	const char *what;	/* "events" */
	double done;		/* 0 to 1 of this walk; -1: who knows */
	uint64_t rows;		/* removed by it */
};
struct cleanup_wish {
	uint64_t tenant_id;	/* only events of this tenant, with their requests and alerts; 0: all */
	uint64_t events_days;	/* only those older than that, where their source does not keep them longer; 0: as configured */
	bool trust_clock;	/* somebody has looked at it */
	void (*progress)(void *ctx, const struct cleanup_progress *p);	/* after each step; or NULL */
	void *ctx;
};

struct job_config {
	struct db *db;
	struct shm *shm;			/* NULL: no workers on this host to tell */
	const struct conf *conf;
	const struct seal_key *seal;		/* NULL: no key file that this user may read; what needs it fails */
	struct id_maker *ids;
	struct spans *spans;			/* NULL: what is sent is told by none */
	ms_t now;				/* when this begins; it goes on by the monotonic clock */
	int64_t limit_ms;			/* for all jobs together */
	bool dry_run;
	const volatile sig_atomic_t *stop;	/* set by a signal: end soon; or NULL */
	const struct cleanup_wish *cleanup;	/* or NULL */
};

enum job_outcome {
	JOB_DONE,
	JOB_UNFINISHED,		/* its time was up; the next run goes on */
	JOB_FAILED,
	JOB_ELSEWHERE,		/* somebody else runs it now, or has just done so */
};
const char *job_outcome_word(enum job_outcome o);

struct job_result {
	const struct job *job;
	struct str name;
	enum job_outcome outcome;
	struct str outcome_word, counts, error;	/* counts: "events 12, requests 7" */
	uint64_t touched, bytes, duration_ms;	/* bytes: what removed rows held, more or less */
	uint64_t longest_ms;	/* the longest that rows were locked */
};
extern const struct field job_result_fields[];

/* Runs the jobs that are due, or those of `only` (ends with NULL) whether due or not. `results` has room for JOBS_MAX; its texts are
 * in the arena. False: the state of the jobs could not be read, and nothing was run. */
bool jobs_run(const struct job_config *c, struct arena *a, const struct job *const *only, struct job_result *results, size_t *n,
	struct err *e) MUST_USE;

/* Cleanup as somebody wishes it, apart from the job: no lease, no stored result, and the job is due as before. Any number may run at once. */
bool cleanup_apart(const struct job_config *c, struct arena *a, struct job_result *out, struct err *e) MUST_USE;

/* ---- again.c: events that are sent to their handlers once more, because somebody says so. Also by a web worker: `limit_ms` of the configuration
 * is how long that may take; the rest is due then, for the dispatcher or cron ---- */

struct again_filter {
	uint64_t tenant_id;		/* 0: of all */
	struct str provider;		/* slug; empty: any */
	uint64_t max_attempts;		/* those that had fewer */
	size_t limit;
	ms_t before;			/* nothing happened to them since then; 0: whatever did */
	bool dead;			/* those that were given up, too */
};
struct again_found {
	struct event_brief *events;	/* failed and held by nobody, the oldest first */
	size_t n;			/* at most `limit` of them */
	uint64_t fit;			/* that many do */
	bool more;			/* and there are more, which were not counted */
};
bool again_find(struct db *db, struct arena *a, const struct again_filter *f, ms_t now, struct again_found *out, struct err *e) MUST_USE;

enum again_outcome { AGAIN_QUEUED, AGAIN_PROCESSED, AGAIN_FAILED };	/* queued: it is due, or being sent by somebody else */
const char *again_outcome_word(enum again_outcome o);
struct again_result {
	struct event_brief event;
	enum again_outcome outcome;
	struct str error;		/* why it failed: a sentence */
};
struct again_result *again_results(struct arena *a, const struct event_brief *events, size_t n);	/* nothing done yet */
bool again_apart(const struct job_config *c, struct arena *a, struct again_result *results, size_t n, struct err *e) MUST_USE;

/* ---- remediate.c: what can be mended without a person ---- */

#define REMEDIATION_STEPS 5
struct remediation_step {
	struct str name, help, note;	/* note: what was removed, or why nothing could be; or empty */
	uint64_t found, affected;
	bool more;			/* there is more than this looked at or had time for */
};
extern const struct field remediation_step_fields[];
struct remediation {
	struct remediation_step steps[REMEDIATION_STEPS];
	size_t n;
	uint64_t affected;
	struct again_result *retried;
	size_t retried_n;
};
struct str remediation_json(struct arena *a, const struct remediation *x);	/* counts by step, for the audit log */
/* Of a tenant; 0: of all. In a dry run it counts and changes nothing. */
bool remediate_apart(const struct job_config *c, struct arena *a, uint64_t tenant_id, struct remediation *out, struct err *e) MUST_USE;

/* ---- archive_read.c: what cleanup has archived, back into the tables ---- */

struct archive_read {
	uint64_t rows;		/* in the file */
	uint64_t added;		/* the others were there; none in a dry run */
};
/* Whole, or not at all. ERR_CONFLICT: its checksum is wrong, or it is of another installation. ERR_INVALID names the line. ERR_NOT_FOUND:
 * there is no such file, or no sum beside it. */
bool archive_read(struct db *db, const char *path, bool dry_run, struct archive_read *out, struct err *e) MUST_USE;

/* ---- rekey.c: what is sealed in the database, under another key; while all programs run ---- */

/* Values by the number of their key; [0]: what is no sealed value. */
bool sealed_counts(struct db *db, uint64_t counts[SEAL_KEYS_MAX + 1], struct err *e) MUST_USE;

struct rekey_config {
	struct db *db;
	const struct seal_key *seal;		/* of key_file */
	const char *key_file;
	const volatile sig_atomic_t *stop;	/* set by a signal; or NULL */
	void (*progress)(void *ctx, const char *what, double done, uint64_t n);	/* or NULL */
	void *ctx;
};
struct rekey_result {
	uint64_t key;		/* that seals now */
	uint64_t sealed, lost;	/* lost: do not open, and stayed as they are */
	uint64_t passes;
	bool stopped;		/* not all is done; called again it goes on */
	char first_lost[200];
};
/* Makes a new key that seals, or `to`, a key of the file; or goes on where it was stopped or killed. Then seals all values with it. */
bool rekey(const struct rekey_config *c, unsigned to, const struct who *who, ms_t now, struct rekey_result *out, struct err *e) MUST_USE;

/* ---- watch.c: who looks whether cron runs ---- */

/* A carrier without a load, for the dispatcher: each half minute it looks, and cron that is late begins the monitor alert CRON_LATE. It ends
 * when cron runs again. */
struct watchman;
struct watchman *watchman_new(struct db *db, struct id_maker *ids);
void watchman_free(struct watchman *w);		/* NULL is fine */
struct carrier watchman_carrier(struct watchman *w);

/* Is it due? `offset` is the zone of daily times. A job whose last run failed is tried again ten minutes later at most. */
bool job_is_due(const struct schedule *schedule, ms_t (*offset)(ms_t t), const struct job_state *s, ms_t now);

#endif
