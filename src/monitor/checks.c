/* checks.c - the six checks of the monitor, a row each: what is measured, its limit, what it is called when it fails, and what to do then.
 *
 * How to add one: a number of enum monitor_check_id, a row of `rows`, its limit in struct monitor_limits and [monitor]. */
#include <inttypes.h>

#include "grapnel/monitor.h"

#define PER_CENT 100.0
#define NEARLY 1e-6	/* 0.29 * 100 is a little less than 29 */

struct asked {
	struct arena *a;
	const struct monitor_facts *f;
	const struct monitor_limits *l;
	ms_t now;
};

struct row {
	const char *name, *title, *alert;
	enum monitor_severity severity;
	bool at_least;
	double (*value)(const struct asked *x);
	double (*limit)(const struct asked *x);
	struct str (*text)(const struct asked *x, double value);	/* a value for people */
	struct str (*message)(const struct asked *x, const struct monitor_check *c);
	struct str (*advice)(const struct asked *x);
	struct str (*step)(const struct asked *x);
};

/* ---- words ---- */

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static struct str plain_text(const struct asked *x, double value)
{
	struct strbuf b;

	strbuf_init(&b, x->a, 400);
	strbuf_number(&b, value);
	return strbuf_str(&b);
}

/* Two decimals are enough to read, rounded to the side that fails: 2.001 is more than the 2 that are allowed... */
static struct str number_text(const struct asked *x, double value)
{
	int64_t hundredths = (int64_t)(value * PER_CENT + NEARLY);

	return plain_text(x, (double)(hundredths + (value * PER_CENT > (double)hundredths + NEARLY)) / PER_CENT);
}

/* ...and 94.999 % less than the 95 % that are wanted. */
static struct str percent_text(const struct asked *x, double value)
{
	return arena_printf(x->a, "%.*s %%", STR_ARG(plain_text(x, (double)(int64_t)(value * PER_CENT * PER_CENT + NEARLY) / PER_CENT)));
}

static struct str minutes_text(const struct asked *x, double value)
{
	uint64_t minutes = (uint64_t)value;

	if (minutes < 120)
		return arena_printf(x->a, "%" PRIu64 " min", minutes);
	if (minutes < 48 * 60)
		return arena_printf(x->a, "%" PRIu64 " h %" PRIu64 " min", minutes / 60, minutes % 60);
	return arena_printf(x->a, "%" PRIu64 " d %" PRIu64 " h", minutes / 60 / 24, minutes / 60 % 24);
}

struct str monitor_window_text(struct arena *a, uint64_t minutes)
{
	if (minutes == 1)
		return STR("the last minute");
	if (minutes == 60)
		return STR("the last hour");
	if (minutes % 60)
		return arena_printf(a, "the last %" PRIu64 " minutes", minutes);
	return arena_printf(a, "the last %" PRIu64 " hours", minutes / 60);
}

static struct str window_text(const struct asked *x)
{
	return monitor_window_text(x->a, x->f->window_min);
}

/* " Most of them are of NAME: ERROR", or nothing. */
static struct str named(const struct asked *x, const char *lead, const struct monitor_source *s)
{
	if (!s->id.n)
		return STR("");
	if (!s->error.n)
		return arena_printf(x->a, " %s %.*s.", lead, STR_ARG(s->name));
	return arena_printf(x->a, " %s %.*s, whose last error is: %.*s", lead, STR_ARG(s->name), STR_ARG(s->error));
}

/* A page, of one source where one stands out. */
static struct str page_of(const struct asked *x, const char *path, const struct monitor_source *s)
{
	if (!s->id.n)
		return arena_str(x->a, str_of(path));
	return arena_printf(x->a, "%s&source=%.*s", path, STR_ARG(s->id));
}

/* ---- recentFailures ---- */

static double failures_value(const struct asked *x)
{
	return (double)x->f->failures;
}

static double failures_limit(const struct asked *x)
{
	return (double)x->l->failures;
}

static struct str failures_message(const struct asked *x, const struct monitor_check *c)
{
	uint64_t n = x->f->failures;

	return arena_printf(x->a, "%" PRIu64 "%s event%s had a failed attempt in %.*s; at most %" PRIu64 " may.%.*s", n,
		x->f->more_failures ? " or more" : "", plural(n), STR_ARG(window_text(x)), x->l->failures,
		STR_ARG(c->passed ? STR("") : named(x, "Most are of", &x->f->failing)));
}

static struct str failures_advice(const struct asked *x)
{
	return arena_printf(x->a, "Investigate the handler, or the provider that sends to it.%.*s", STR_ARG(named(x, "Begin with", &x->f->failing)));
}

static struct str failures_step(const struct asked *x)
{
	return page_of(x, "/events?status=failed,dead", &x->f->failing);
}

/* ---- processingBacklog ---- */

static double backlog_value(const struct asked *x)
{
	return (double)x->f->backlog;
}

static double backlog_limit(const struct asked *x)
{
	return (double)x->l->backlog;
}

static struct str backlog_message(const struct asked *x, const struct monitor_check *c)
{
	uint64_t n = x->f->backlog;

	return arena_printf(x->a, "%" PRIu64 "%s event%s wait%s to be processed; at most %" PRIu64 " may.%.*s", n,
		x->f->more_backlog ? " or more" : "", plural(n), n == 1 ? "s" : "", x->l->backlog,
		STR_ARG(c->passed ? STR("") : named(x, "Most are of", &x->f->waiting)));
}

static struct str backlog_advice(const struct asked *x)
{
	return arena_printf(x->a, "Look at the slowest handler, and add workers to it.%.*s", STR_ARG(named(x, "Begin with", &x->f->waiting)));
}

static struct str backlog_step(const struct asked *x)
{
	return page_of(x, "/events?status=pending,processing,failed", &x->f->waiting);
}

/* ---- oldestPending ---- */

static double oldest_value(const struct asked *x)
{
	ms_t age = x->f->oldest_at ? x->now - x->f->oldest_at : 0;

	return age > 0 ? (double)age / (double)MS_PER_MINUTE : 0;
}

static double oldest_limit(const struct asked *x)
{
	return (double)x->l->oldest_minutes;
}

static struct str oldest_message(const struct asked *x, const struct monitor_check *c)
{
	if (!x->f->oldest_at)
		return STR("No event waits.");
	return arena_printf(x->a, "The oldest event that waits has done so for %.*s; at most %.*s may.", STR_ARG(minutes_text(x, c->value)),
		STR_ARG(minutes_text(x, c->threshold)));
}

static struct str oldest_advice(const struct asked *x)
{
	return arena_printf(x->a, "Somebody must look at event %" PRIu64 " and those behind it: by themselves they will not be done in time.",
		x->f->oldest_id);
}

static struct str oldest_step(const struct asked *x)
{
	return arena_printf(x->a, "/events/%" PRIu64, x->f->oldest_id);
}

/* ---- averageProcessingTime ---- */

double monitor_average_attempts(const struct monitor_facts *f)
{
	return f->total ? (double)f->starts / (double)f->total : 0;
}

static double attempts_value(const struct asked *x)
{
	return monitor_average_attempts(x->f);
}

static double attempts_limit(const struct asked *x)
{
	return x->l->attempts;
}

static struct str attempts_message(const struct asked *x, const struct monitor_check *c)
{
	if (!x->f->total)
		return STR("No event came.");
	return arena_printf(x->a, "Attempts for an event of %.*s: %.*s on average; at most %.*s should be needed.",
		STR_ARG(window_text(x)), STR_ARG(c->shown), STR_ARG(number_text(x, c->threshold)));
}

static struct str attempts_advice(const struct asked *x)
{
	return arena_printf(x->a, "Check how the handler performs: it answers late or not at all at first.%.*s",
		STR_ARG(named(x, "Begin with", &x->f->failing)));
}

static struct str attempts_step(const struct asked *x)
{
	return x->f->failing.id.n ? arena_printf(x->a, "/integrations/%.*s", STR_ARG(x->f->failing.id)) : STR("/integrations");
}

/* ---- duplicateEvents ---- */

static double duplicates_value(const struct asked *x)
{
	return (double)x->f->duplicates;
}

static double duplicates_limit(const struct asked *x)
{
	return (double)x->l->duplicates;
}

static struct str duplicates_message(const struct asked *x, const struct monitor_check *c)
{
	uint64_t n = x->f->duplicates;

	return arena_printf(x->a, "%" PRIu64 " event%s came again in %.*s; at most %" PRIu64 " may.%.*s", n, plural(n), STR_ARG(window_text(x)),
		x->l->duplicates, STR_ARG(c->passed ? STR("") : named(x, "Most are sent again by", &x->f->repeating)));
}

static struct str duplicates_advice(const struct asked *x)
{
	return arena_printf(x->a, "Review what makes the sender send again: an answer that came too late, or ids that it uses twice.%.*s",
		STR_ARG(named(x, "Begin with", &x->f->repeating)));
}

static struct str duplicates_step(const struct asked *x)
{
	return page_of(x, "/requests?outcome=repeated", &x->f->repeating);
}

/* ---- successRate ---- */

double monitor_success_rate(const struct monitor_facts *f)
{
	return f->total ? (double)f->processed / (double)f->total : 1;
}

static double success_value(const struct asked *x)
{
	return monitor_success_rate(x->f);
}

static double success_limit(const struct asked *x)
{
	return x->l->success_rate;
}

static struct str success_message(const struct asked *x, const struct monitor_check *c)
{
	if (!x->f->total)
		return STR("No event came.");
	return arena_printf(x->a, "%.*s of %" PRIu64 " event%s of %.*s %s processed; at least %.*s should be.", STR_ARG(c->shown), x->f->total,
		plural(x->f->total), STR_ARG(window_text(x)), x->f->total == 1 ? "is" : "are", STR_ARG(percent_text(x, c->threshold)));
}

static struct str success_advice(const struct asked *x)
{
	return arena_printf(x->a, "Review all that is not processed: %" PRIu64 " failed, %" PRIu64 " still wait.%.*s", x->f->failed, x->f->pending,
		STR_ARG(named(x, "Begin with", x->f->failing.id.n ? &x->f->failing : &x->f->waiting)));
}

static struct str success_step(const struct asked *x)
{
	return arena_str(x->a, x->f->failed ? STR("/events?status=failed,dead") : STR("/events?status=pending,processing,failed"));
}

/* ---- all ---- */

static const struct row rows[MONITOR_CHECKS] = {
	[CHECK_FAILURES] = { "recentFailures", "Recent failures", "HIGH_FAILURE_RATE", MONITOR_ERROR, false, failures_value, failures_limit,
		number_text, failures_message, failures_advice, failures_step },
	[CHECK_BACKLOG] = { "processingBacklog", "Backlog", "LARGE_BACKLOG", MONITOR_WARNING, false, backlog_value, backlog_limit,
		number_text, backlog_message, backlog_advice, backlog_step },
	[CHECK_OLDEST] = { "oldestPending", "Oldest event that waits", "STALE_EVENTS", MONITOR_CRITICAL, false, oldest_value, oldest_limit,
		minutes_text, oldest_message, oldest_advice, oldest_step },
	[CHECK_ATTEMPTS] = { "averageProcessingTime", "Attempts on average", "SLOW_PROCESSING", MONITOR_WARNING, false, attempts_value,
		attempts_limit, number_text, attempts_message, attempts_advice, attempts_step },
	[CHECK_DUPLICATES] = { "duplicateEvents", "Repeats", "DUPLICATE_EVENTS", MONITOR_WARNING, false, duplicates_value, duplicates_limit,
		number_text, duplicates_message, duplicates_advice, duplicates_step },
	[CHECK_SUCCESS] = { "successRate", "Success rate", "LOW_SUCCESS_RATE", MONITOR_ERROR, true, success_value, success_limit,
		percent_text, success_message, success_advice, success_step },
};

static void check(const struct asked *x, const struct row *row, struct monitor_check *c)
{
	*c = (struct monitor_check){ .name = row->name, .title = row->title, .alert = row->alert, .severity = row->severity,
		.at_least = row->at_least, .value = row->value(x), .threshold = row->limit(x) };
	c->passed = row->at_least ? c->value >= c->threshold : c->value <= c->threshold;
	c->shown = row->text(x, c->value);
	c->limit = arena_printf(x->a, "at %s %.*s", row->at_least ? "least" : "most", STR_ARG(row->text(x, c->threshold)));
	c->message = row->message(x, c);
}

/* The most severe first; equal ones in the order of the checks. */
static void advise(const struct asked *x, struct monitor_result *out)
{
	for (int severity = MONITOR_CRITICAL; severity >= MONITOR_WARNING; severity--)
		for (size_t i = 0; i < MONITOR_CHECKS; i++) {
			const struct monitor_check *c = &out->checks[i];

			if (!c->passed && (int)c->severity == severity)
				out->advice[out->advice_n++] = (struct monitor_recommendation){ c, rows[i].advice(x), rows[i].step(x) };
		}
}

void monitor_judge(struct arena *a, const struct monitor_facts *f, const struct monitor_limits *l, ms_t now, struct monitor_result *out)
{
	const struct asked x = { a, f, l, now };

	*out = (struct monitor_result){ 0 };
	for (size_t i = 0; i < MONITOR_CHECKS; i++)
		check(&x, &rows[i], &out->checks[i]);
	advise(&x, out);
	out->status = !out->advice_n ? MONITOR_HEALTHY : out->advice_n <= 2 ? MONITOR_DEGRADED : MONITOR_FAILING;
}

const char *monitor_severity_word(enum monitor_severity s)
{
	static const char *const words[] = { [MONITOR_WARNING] = "WARNING", [MONITOR_ERROR] = "ERROR", [MONITOR_CRITICAL] = "CRITICAL" };

	return s < ARRAY_SIZE(words) && words[s] ? words[s] : "WARNING";
}

const char *monitor_status_word(enum monitor_status s)
{
	static const char *const words[] = { [MONITOR_HEALTHY] = "HEALTHY", [MONITOR_DEGRADED] = "DEGRADED", [MONITOR_FAILING] = "CRITICAL" };

	return words[s];
}
