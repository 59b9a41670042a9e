/* rules.c - alert rules: what each metric is, what is compared, and how that is said.
 *
 * How to add a metric: a number of enum rule_metric, a row of `metrics`, what it needs in struct rule_counts (src/view/rule_counts.c counts it), and its
 * word in the form (src/resource/alert_rule.c). */
#include "grapnel/monitor.h"

/* ---- metrics ---- */

static double events_value(const struct rule_counts *c, ms_t now)
{
	return (double)c->events;
}

static double failures_value(const struct rule_counts *c, ms_t now)
{
	return (double)c->failures;
}

/* Counts are read one after the other while events go on, so there may be more undone than came. */
static double success_value(const struct rule_counts *c, ms_t now)
{
	if (!c->events)
		return 1;
	return c->undone < c->events ? (double)(c->events - c->undone) / (double)c->events : 0;
}

static double waiting_value(const struct rule_counts *c, ms_t now)
{
	return (double)c->waiting;
}

/* Whole ones; another host's clock may be ahead. */
static double minutes_since(ms_t then, ms_t now)
{
	return then && then < now ? (double)((now - then) / MS_PER_MINUTE) : 0;
}

static double oldest_value(const struct rule_counts *c, ms_t now)
{
	return minutes_since(c->oldest_at, now);
}

static double last_value(const struct rule_counts *c, ms_t now)
{
	return minutes_since(c->heard_at, now);
}

static double incidents_value(const struct rule_counts *c, ms_t now)
{
	return (double)c->incidents;
}

static const struct metric {
	const char *word, *title;
	bool windowed;
	double (*value)(const struct rule_counts *c, ms_t now);
} metrics[RULE_METRICS_END] = {
	[RULE_EVENT_COUNT] = { "event_count", "Events received", true, events_value },
	[RULE_FAILURE_COUNT] = { "failure_count", "Events with a failed attempt", true, failures_value },
	[RULE_SUCCESS_RATE] = { "success_rate", "Success rate", true, success_value },
	[RULE_PENDING_COUNT] = { "pending_count", "Events that wait", false, waiting_value },
	[RULE_OLDEST_PENDING] = { "oldest_pending_minutes", "Minutes that the oldest event waits", false, oldest_value },
	[RULE_LAST_EVENT] = { "minutes_since_last_event", "Minutes since the last event", false, last_value },
	[RULE_OPEN_INCIDENTS] = { "open_incidents", "Open incidents", false, incidents_value },
};

static const struct metric *metric(enum rule_metric m)
{
	static const struct metric none = { "", "", false, events_value };

	return m > 0 && m < RULE_METRICS_END ? &metrics[m] : &none;
}

const char *rule_metric_word(enum rule_metric m)
{
	return metric(m)->word;
}

const char *rule_metric_title(enum rule_metric m)
{
	return metric(m)->title;
}

/* ---- comparisons ---- */

static const struct comparison {
	const char *word, *title;
	bool less, equal, more;		/* it holds for such values */
} comparisons[RULE_COMPARISONS_END] = {
	{ "", "" },
	[RULE_ABOVE] = { ">", "above", .more = true },
	[RULE_AT_LEAST] = { ">=", "at least", .equal = true, .more = true },
	[RULE_BELOW] = { "<", "below", .less = true },
	[RULE_AT_MOST] = { "<=", "at most", .less = true, .equal = true },
	[RULE_EQUAL] = { "==", "exactly", .equal = true },
};

static const struct comparison *comparison(enum rule_comparison c)
{
	return &comparisons[c < RULE_COMPARISONS_END ? c : 0];
}

const char *rule_comparison_word(enum rule_comparison c)
{
	return comparison(c)->word;
}

const char *rule_comparison_title(enum rule_comparison c)
{
	return comparison(c)->title;
}

/* ---- judging ---- */

double rule_value(enum rule_metric m, const struct rule_counts *c, ms_t now)
{
	return number_rounded(metric(m)->value(c, now));
}

bool rule_holds(double value, enum rule_comparison c, double threshold)
{
	const struct comparison *x = comparison(c);

	value = number_rounded(value);
	threshold = number_rounded(threshold);
	return value < threshold ? x->less : value > threshold ? x->more : x->equal;
}

/* ---- words ---- */

static struct str number_text(struct arena *a, double x)
{
	struct strbuf b;

	strbuf_init(&b, a, 400);
	strbuf_number(&b, x);
	return strbuf_str(&b);
}

static struct str subject(struct arena *a, const struct rule_condition *c)
{
	const struct metric *m = metric(c->metric);

	if (!m->windowed)
		return str_of(m->title);
	return arena_printf(a, "%s in %.*s", m->title, STR_ARG(monitor_window_text(a, c->window_min)));
}

struct str rule_text(struct arena *a, const struct rule_condition *c)
{
	return arena_printf(a, "%.*s: %s %.*s", STR_ARG(subject(a, c)), comparison(c->comparison)->title, STR_ARG(number_text(a, c->threshold)));
}

struct str rule_sentence(struct arena *a, const struct rule_condition *c, double value, bool holds)
{
	return arena_printf(a, "%.*s: %.*s, %s%s %.*s.", STR_ARG(subject(a, c)), STR_ARG(number_text(a, value)), holds ? "" : "no longer ",
		comparison(c->comparison)->title, STR_ARG(number_text(a, c->threshold)));
}
