/* The six checks: each at its limit and just beyond it, the status, the sentences. */
#include "unit.h"

#include "grapnel/monitor.h"

#define NOW 1760000400000LL

/* As the sample file has them. */
static const struct monitor_limits limits = { .failures = 10, .backlog = 100, .oldest_minutes = 30, .duplicates = 5, .attempts = 2,
	.success_rate = 0.95 };

/* A result points into itself, so it stays where it was made. */
static struct monitor_result *judge(struct arena *a, const struct monitor_facts *f)
{
	struct monitor_result *r = ARENA_NEW(a, struct monitor_result);

	monitor_judge(a, f, &limits, NOW, r);
	return r;
}

static struct monitor_facts busy(void)
{
	return (struct monitor_facts){ .window_min = 60, .total = 1000, .processed = 1000, .starts = 1000 };
}

START_TEST(test_nothing_is_healthy)
{
	struct arena *a = arena_new(1 << 20);
	const struct monitor_facts none = { .window_min = 60 };
	struct monitor_result *r = judge(a, &none);

	ck_assert_int_eq(r->status, MONITOR_HEALTHY);
	ck_assert_uint_eq(r->advice_n, 0);
	for (size_t i = 0; i < MONITOR_CHECKS; i++) {
		ck_assert(r->checks[i].passed);
		ck_assert_msg(str_ends(r->checks[i].message, "."), "%.*s", STR_ARG(r->checks[i].message));
	}
	ck_assert(monitor_success_rate(&none) == 1);
	ck_assert(monitor_average_attempts(&none) == 0);
	arena_free(a);
}
END_TEST

/* ---- edges ---- */

static const struct edge {
	enum monitor_check_id check;
	struct monitor_facts f;
	bool passed;
	double value;
	const char *shown;
} edges[] = {
	{ CHECK_FAILURES, { .failures = 10 }, true, 10, "10" },
	{ CHECK_FAILURES, { .failures = 11 }, false, 11, "11" },
	{ CHECK_BACKLOG, { .backlog = 100 }, true, 100, "100" },
	{ CHECK_BACKLOG, { .backlog = 101 }, false, 101, "101" },
	{ CHECK_BACKLOG, { .backlog = 100000, .more_backlog = true }, false, 100000, "100000" },
	{ CHECK_OLDEST, { .oldest_at = 0 }, true, 0, "0 min" },
	{ CHECK_OLDEST, { .oldest_at = NOW + 5000 }, true, 0, "0 min" },	/* another host's clock */
	{ CHECK_OLDEST, { .oldest_at = NOW - 30 * MS_PER_MINUTE }, true, 30, "30 min" },
	{ CHECK_OLDEST, { .oldest_at = NOW - 30 * MS_PER_MINUTE - 6000 }, false, 30.1, "30 min" },
	{ CHECK_OLDEST, { .oldest_at = NOW - 150 * MS_PER_MINUTE }, false, 150, "2 h 30 min" },
	{ CHECK_OLDEST, { .oldest_at = NOW - 3 * MS_PER_DAY }, false, 4320, "3 d 0 h" },
	{ CHECK_ATTEMPTS, { .total = 0, .starts = 0 }, true, 0, "0" },
	{ CHECK_ATTEMPTS, { .total = 3, .processed = 3, .starts = 6 }, true, 2, "2" },
	{ CHECK_ATTEMPTS, { .total = 1000, .processed = 1000, .starts = 2001 }, false, 2.001, "2.01" },
	{ CHECK_ATTEMPTS, { .total = 3, .processed = 3, .starts = 4 }, true, 4.0 / 3, "1.34" },
	{ CHECK_DUPLICATES, { .duplicates = 5 }, true, 5, "5" },
	{ CHECK_DUPLICATES, { .duplicates = 6 }, false, 6, "6" },
	{ CHECK_SUCCESS, { .total = 0 }, true, 1, "100 %" },
	{ CHECK_SUCCESS, { .total = 100, .processed = 95, .failed = 5 }, true, 0.95, "95 %" },
	{ CHECK_SUCCESS, { .total = 20, .processed = 19, .pending = 1 }, true, 0.95, "95 %" },
	{ CHECK_SUCCESS, { .total = 100000, .processed = 94999, .failed = 5001 }, false, 0.94999, "94.99 %" },
	{ CHECK_SUCCESS, { .total = 1, .failed = 1 }, false, 0, "0 %" },
	{ CHECK_SUCCESS, { .total = 100, .processed = 29, .failed = 71 }, false, 0.29, "29 %" },
};

START_TEST(test_edges)
{
	const struct edge *x = &edges[_i];
	struct arena *a = arena_new(1 << 20);
	struct monitor_facts f = x->f;
	struct monitor_result *r;

	f.window_min = 60;
	r = judge(a, &f);
	ck_assert(r->checks[x->check].passed == x->passed);
	ck_assert_msg(r->checks[x->check].value > x->value - 1e-9 && r->checks[x->check].value < x->value + 1e-9, "%f", r->checks[x->check].value);
	unit_str(r->checks[x->check].shown, x->shown);
	for (size_t i = 0; i < MONITOR_CHECKS; i++)
		ck_assert_msg(i == x->check || r->checks[i].passed, "%s fails too", r->checks[i].name);
	ck_assert_uint_eq(r->advice_n, !x->passed);
	ck_assert_int_eq(r->status, x->passed ? MONITOR_HEALTHY : MONITOR_DEGRADED);
	arena_free(a);
}
END_TEST

/* ---- status ---- */

static const struct {
	struct monitor_facts f;
	enum monitor_status status;
	const char *word;
	size_t advice;
} statuses[] = {
	{ { .failures = 11 }, MONITOR_DEGRADED, "DEGRADED", 1 },
	{ { .failures = 11, .duplicates = 6 }, MONITOR_DEGRADED, "DEGRADED", 2 },
	{ { .failures = 11, .duplicates = 6, .backlog = 101 }, MONITOR_FAILING, "CRITICAL", 3 },
	{ { .failures = 11, .duplicates = 6, .backlog = 101, .oldest_at = 1, .total = 1, .failed = 1, .starts = 3 }, MONITOR_FAILING, "CRITICAL", 6 },
};

START_TEST(test_status)
{
	struct arena *a = arena_new(1 << 20);
	struct monitor_facts f = statuses[_i].f;
	struct monitor_result *r;

	f.window_min = 60;
	r = judge(a, &f);
	ck_assert_int_eq(r->status, statuses[_i].status);
	ck_assert_str_eq(monitor_status_word(r->status), statuses[_i].word);
	ck_assert_uint_eq(r->advice_n, statuses[_i].advice);
	for (size_t i = 1; i < r->advice_n; i++)
		ck_assert(r->advice[i - 1].check->severity >= r->advice[i].check->severity);
	arena_free(a);
}
END_TEST

START_TEST(test_the_most_severe_is_first)
{
	struct arena *a = arena_new(1 << 20);
	const struct monitor_facts f = { .window_min = 60, .failures = 11, .duplicates = 6, .oldest_at = 1, .oldest_id = 77, .total = 1, .failed = 1 };
	struct monitor_result *r = judge(a, &f);

	ck_assert_uint_eq(r->advice_n, 4);
	ck_assert_str_eq(r->advice[0].check->alert, "STALE_EVENTS");
	ck_assert_str_eq(r->advice[1].check->alert, "HIGH_FAILURE_RATE");
	ck_assert_str_eq(r->advice[2].check->alert, "LOW_SUCCESS_RATE");
	ck_assert_str_eq(r->advice[3].check->alert, "DUPLICATE_EVENTS");
	unit_str(r->advice[0].step, "/events/77");
	arena_free(a);
}
END_TEST

/* ---- what they are called, and what they say ---- */

static const struct {
	enum monitor_check_id check;
	const char *name, *alert;
	enum monitor_severity severity;
	double threshold;
	const char *limit;
} names[] = {
	{ CHECK_FAILURES, "recentFailures", "HIGH_FAILURE_RATE", MONITOR_ERROR, 10, "at most 10" },
	{ CHECK_BACKLOG, "processingBacklog", "LARGE_BACKLOG", MONITOR_WARNING, 100, "at most 100" },
	{ CHECK_OLDEST, "oldestPending", "STALE_EVENTS", MONITOR_CRITICAL, 30, "at most 30 min" },
	{ CHECK_ATTEMPTS, "averageProcessingTime", "SLOW_PROCESSING", MONITOR_WARNING, 2, "at most 2" },
	{ CHECK_DUPLICATES, "duplicateEvents", "DUPLICATE_EVENTS", MONITOR_WARNING, 5, "at most 5" },
	{ CHECK_SUCCESS, "successRate", "LOW_SUCCESS_RATE", MONITOR_ERROR, 0.95, "at least 95 %" },
};

START_TEST(test_names)
{
	struct arena *a = arena_new(1 << 20);
	struct monitor_facts f = busy();
	struct monitor_result *r = judge(a, &f);
	const struct monitor_check *c = &r->checks[names[_i].check];

	ck_assert_str_eq(c->name, names[_i].name);
	ck_assert_str_eq(c->alert, names[_i].alert);
	ck_assert_int_eq(c->severity, names[_i].severity);
	ck_assert(c->threshold == names[_i].threshold);
	unit_str(c->limit, names[_i].limit);
	arena_free(a);
}
END_TEST

static const struct monitor_source shop = { .id = STR("in_1"), .name = STR("shop"), .count = 9, .error = STR("handler answered 500") };

static const struct {
	enum monitor_check_id check;
	struct monitor_facts f;
	const char *message, *step;	/* of the recommendation; NULL: it passes */
} sentences[] = {
	{ CHECK_FAILURES, { .failures = 1 }, "1 event had a failed attempt in the last hour; at most 10 may.", NULL },
	{ CHECK_FAILURES, { .failures = 12, .failing = shop },
		"12 events had a failed attempt in the last hour; at most 10 may. Most are of shop, whose last error is: handler answered 500",
		"/events?status=failed,dead&source=in_1" },
	{ CHECK_FAILURES, { .window_min = 5, .failures = 20000, .more_failures = true },
		"20000 or more events had a failed attempt in the last 5 minutes; at most 10 may.", "/events?status=failed,dead" },
	{ CHECK_BACKLOG, { .backlog = 1 }, "1 event waits to be processed; at most 100 may.", NULL },
	{ CHECK_BACKLOG, { .window_min = 1, .backlog = 250, .waiting = { .id = STR("in_2"), .name = STR("code") } },
		"250 events wait to be processed; at most 100 may. Most are of code.", "/events?status=pending,processing,failed&source=in_2" },
	{ CHECK_OLDEST, { .oldest_at = 0 }, "No event waits.", NULL },
	{ CHECK_OLDEST, { .oldest_at = NOW - 45 * MS_PER_MINUTE, .oldest_id = 5 },
		"The oldest event that waits has done so for 45 min; at most 30 min may.", "/events/5" },
	{ CHECK_ATTEMPTS, { .total = 2, .processed = 2, .starts = 2 },
		"Attempts for an event of the last hour: 1 on average; at most 2 should be needed.", NULL },
	{ CHECK_ATTEMPTS, { .window_min = 120, .total = 2, .processed = 2, .starts = 5, .failing = shop },
		"Attempts for an event of the last 2 hours: 2.5 on average; at most 2 should be needed.", "/integrations/in_1" },
	{ CHECK_DUPLICATES, { .window_min = 1, .duplicates = 7, .repeating = { .id = STR("in_3"), .name = STR("money") } },
		"7 events came again in the last minute; at most 5 may. Most are sent again by money.", "/requests?outcome=repeated&source=in_3" },
	{ CHECK_SUCCESS, { .total = 0 }, "No event came.", NULL },
	{ CHECK_SUCCESS, { .total = 200, .processed = 150, .failed = 50, .starts = 200 },
		"75 % of 200 events of the last hour are processed; at least 95 % should be.", "/events?status=failed,dead" },
	{ CHECK_SUCCESS, { .total = 1, .pending = 1 }, "0 % of 1 event of the last hour is processed; at least 95 % should be.",
		"/events?status=pending,processing,failed" },
};

START_TEST(test_sentences)
{
	struct arena *a = arena_new(1 << 20);
	struct monitor_facts f = sentences[_i].f;
	const struct monitor_check *c;
	struct monitor_result *r;

	if (!f.window_min)
		f.window_min = 60;
	r = judge(a, &f);
	c = &r->checks[sentences[_i].check];
	unit_str(c->message, sentences[_i].message);
	ck_assert(c->passed == !sentences[_i].step);
	for (size_t i = 0; i < r->advice_n; i++)
		if (r->advice[i].check == c) {
			unit_str(r->advice[i].step, sentences[_i].step);
			ck_assert(r->advice[i].text.n > 20);
		}
	arena_free(a);
}
END_TEST

START_TEST(test_words)
{
	ck_assert_str_eq(monitor_severity_word(MONITOR_CRITICAL), "CRITICAL");
	ck_assert_str_eq(monitor_severity_word(MONITOR_ERROR), "ERROR");
	ck_assert_str_eq(monitor_severity_word(MONITOR_WARNING), "WARNING");
	ck_assert_str_eq(monitor_status_word(MONITOR_HEALTHY), "HEALTHY");
}
END_TEST

UNIT_MAIN("monitor", UNIT(test_nothing_is_healthy), UNIT_ROWS(test_edges, edges), UNIT_ROWS(test_status, statuses),
	UNIT(test_the_most_severe_is_first), UNIT_ROWS(test_names, names), UNIT_ROWS(test_sentences, sentences), UNIT(test_words))
