/* monitor.h - is our own work all right? Numbers in, verdict and sentences out.
 *
 * Pure: who asks brings what was counted (struct monitor_facts; view/monitor.c reads it) and the limits of the configuration. Six checks,
 * a row each in src/monitor/checks.c; the status follows from how many fail: none HEALTHY, one or two DEGRADED, more CRITICAL. Equal to its
 * limit passes. Nothing having happened passes. */
#ifndef GRAPNEL_MONITOR_H
#define GRAPNEL_MONITOR_H

#include "grapnel/base.h"

enum monitor_severity { MONITOR_WARNING = 1, MONITOR_ERROR = 2, MONITOR_CRITICAL = 3 };
const char *monitor_severity_word(enum monitor_severity s);	/* "WARNING" */

enum monitor_status { MONITOR_HEALTHY, MONITOR_DEGRADED, MONITOR_FAILING };
const char *monitor_status_word(enum monitor_status s);		/* "HEALTHY", "DEGRADED", "CRITICAL" */

/* [monitor] of the configuration. */
struct monitor_limits {
	uint64_t failures, backlog, oldest_minutes, duplicates;	/* at most */
	double attempts;					/* on average, at most */
	double success_rate;					/* at least, 0 to 1 */
};

/* A source that stands out: id empty, none does. */
struct monitor_source {
	struct str id, name;		/* public id */
	uint64_t count;
	struct str error;		/* its last one, where there is one */
};

/* What was counted, test traffic left out. */
struct monitor_facts {
	uint64_t window_min;
	/* of the events received in the window */
	uint64_t total;			/* processed + failed + pending */
	uint64_t processed, failed, pending;
	uint64_t starts;		/* of their actions; a first success is 1 */
	/* in the window */
	uint64_t failures;		/* events with a failed attempt */
	uint64_t duplicates;
	/* whatever the window */
	uint64_t backlog;		/* events that wait: pending, processing, failed */
	ms_t oldest_at;			/* receipt of the oldest of them; 0 = none */
	bool more_backlog, more_failures;	/* there are more than were counted */
	/* processing time, receipt to done */
	uint64_t done, took_us, p50_us, p95_us, p99_us;	/* took_us: the sum of all that were done */
	/* for the sentences */
	struct monitor_source failing, waiting, repeating;
	uint64_t oldest_id;		/* the event of oldest_at */
};

enum monitor_check_id { CHECK_FAILURES, CHECK_BACKLOG, CHECK_OLDEST, CHECK_ATTEMPTS, CHECK_DUPLICATES, CHECK_SUCCESS, MONITOR_CHECKS };

struct monitor_check {
	const char *name;		/* "recentFailures" */
	const char *title;		/* "Recent failures" */
	const char *alert;		/* type of the monitor alert: "HIGH_FAILURE_RATE" */
	enum monitor_severity severity;
	bool at_least;			/* the threshold is a least one, else a most one */
	bool passed;
	double value, threshold;	/* minutes, a rate of 0 to 1, else a number */
	struct str shown, limit;	/* the same for people: "12 of at most 10" is shown and limit */
	struct str message;		/* a sentence */
};

struct monitor_recommendation {
	const struct monitor_check *check;
	struct str text;		/* a sentence */
	struct str step;		/* where to go: a path of the dashboard */
};

struct monitor_result {
	enum monitor_status status;
	struct monitor_check checks[MONITOR_CHECKS];	/* by enum monitor_check_id */
	struct monitor_recommendation advice[MONITOR_CHECKS];	/* of those that fail, the most severe first */
	size_t advice_n;
};
/* Texts are in the arena. */
void monitor_judge(struct arena *a, const struct monitor_facts *f, const struct monitor_limits *l, ms_t now, struct monitor_result *out);

struct str monitor_window_text(struct arena *a, uint64_t minutes);	/* "the last hour" */
double monitor_success_rate(const struct monitor_facts *f);	/* 0 to 1; 1 where there is nothing */
double monitor_average_attempts(const struct monitor_facts *f);	/* 0 where there is nothing */

#endif
