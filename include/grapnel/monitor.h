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

/* ---- rules.c: alert rules, thresholds that users set for themselves. Numbers of both enums stand in alert_rules: never renumber ---- */

enum rule_metric { RULE_EVENT_COUNT = 1, RULE_FAILURE_COUNT, RULE_SUCCESS_RATE, RULE_PENDING_COUNT, RULE_OLDEST_PENDING, RULE_LAST_EVENT,
	RULE_OPEN_INCIDENTS, RULE_METRICS_END };
enum rule_comparison { RULE_ABOVE = 1, RULE_AT_LEAST, RULE_BELOW, RULE_AT_MOST, RULE_EQUAL, RULE_COMPARISONS_END };

#define RULE_WINDOW_MAX (31 * 24 * 60)	/* minutes, as the monitor's */
#define RULE_THRESHOLD_MAX 1000000000000	/* either way: nothing that is counted comes near */

/* What was counted of the integrations and services that a rule names, test traffic left out. */
struct rule_counts {
	uint64_t events;		/* received in the window */
	uint64_t undone;		/* of these not processed: waiting, failed, dead */
	uint64_t failures;		/* events with a failed attempt in the window */
	/* whatever the window */
	uint64_t waiting;		/* events */
	ms_t oldest_at;			/* receipt of the oldest of them; 0 = none */
	ms_t heard_at;			/* newest accepted request; where there was none, since when that is expected */
	uint64_t incidents;		/* not resolved */
};

const char *rule_metric_word(enum rule_metric m);		/* "event_count" */
const char *rule_metric_title(enum rule_metric m);		/* "Events received" */
const char *rule_comparison_word(enum rule_comparison c);	/* ">" */
const char *rule_comparison_title(enum rule_comparison c);	/* "above" */

/* Of value and threshold four decimals count: number_rounded. */
double rule_value(enum rule_metric m, const struct rule_counts *c, ms_t now);
bool rule_holds(double value, enum rule_comparison c, double threshold);

struct rule_condition {
	enum rule_metric metric;
	enum rule_comparison comparison;
	double threshold;
	uint64_t window_min;
};
/* "Events received in the last hour: above 10" */
struct str rule_text(struct arena *a, const struct rule_condition *c);
/* "Events received in the last hour: 12, above 10.", "...: 9, no longer above 10." */
struct str rule_sentence(struct arena *a, const struct rule_condition *c, double value, bool holds);

#endif
