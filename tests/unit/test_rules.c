/* Alert rules: what each metric is of what was counted, how it is compared, and how that is said. */
#include "unit.h"

#include "grapnel/monitor.h"

#define NOW 1760000400000LL
#define MINUTES(n) ((n) * MS_PER_MINUTE)

static const struct {
	enum rule_metric metric;
	struct rule_counts c;
	double value;
} values[] = {
	{ RULE_EVENT_COUNT, { 0 }, 0 },
	{ RULE_EVENT_COUNT, { .events = 12, .undone = 3, .failures = 7 }, 12 },
	{ RULE_FAILURE_COUNT, { 0 }, 0 },
	{ RULE_FAILURE_COUNT, { .events = 12, .failures = 7 }, 7 },
	{ RULE_SUCCESS_RATE, { 0 }, 1 },	/* an empty window */
	{ RULE_SUCCESS_RATE, { .events = 4, .undone = 1 }, 0.75 },
	{ RULE_SUCCESS_RATE, { .events = 3, .undone = 1 }, 0.6667 },
	{ RULE_SUCCESS_RATE, { .events = 3, .undone = 3 }, 0 },
	{ RULE_SUCCESS_RATE, { .events = 3, .undone = 4 }, 0 },	/* one came between the two looks */
	{ RULE_SUCCESS_RATE, { .undone = 4 }, 1 },
	{ RULE_PENDING_COUNT, { .waiting = 5, .events = 2 }, 5 },
	{ RULE_OLDEST_PENDING, { 0 }, 0 },
	{ RULE_OLDEST_PENDING, { .oldest_at = NOW - MINUTES(10) + 1 }, 9 },	/* whole minutes */
	{ RULE_OLDEST_PENDING, { .oldest_at = NOW - MINUTES(10) }, 10 },
	{ RULE_OLDEST_PENDING, { .oldest_at = NOW + 5000 }, 0 },	/* another host's clock */
	{ RULE_LAST_EVENT, { .heard_at = NOW - MINUTES(31) }, 31 },
	{ RULE_LAST_EVENT, { .heard_at = NOW }, 0 },
	{ RULE_OPEN_INCIDENTS, { .incidents = 2 }, 2 },
};

START_TEST(test_value)
{
	double got = rule_value(values[_i].metric, &values[_i].c, NOW);

	ck_assert_msg(got == values[_i].value, "%s: %f", rule_metric_word(values[_i].metric), got);
}
END_TEST

static const struct {
	double value;
	enum rule_comparison c;
	double threshold;
	bool holds;
} comparisons[] = {
	{ 11, RULE_ABOVE, 10, true }, { 10, RULE_ABOVE, 10, false }, { 9, RULE_ABOVE, 10, false },
	{ 11, RULE_AT_LEAST, 10, true }, { 10, RULE_AT_LEAST, 10, true }, { 9, RULE_AT_LEAST, 10, false },
	{ 11, RULE_BELOW, 10, false }, { 10, RULE_BELOW, 10, false }, { 9, RULE_BELOW, 10, true },
	{ 11, RULE_AT_MOST, 10, false }, { 10, RULE_AT_MOST, 10, true }, { 9, RULE_AT_MOST, 10, true },
	{ 11, RULE_EQUAL, 10, false }, { 10, RULE_EQUAL, 10, true }, { 9, RULE_EQUAL, 10, false },
	{ -1, RULE_ABOVE, -1.5, true }, { 0, RULE_EQUAL, -0.0, true },
	{ 2.0 / 3, RULE_EQUAL, 0.6667, true }, { 0.1 + 0.2, RULE_EQUAL, 0.3, true },	/* four decimals count */
	{ 0.00001, RULE_ABOVE, 0, false }, { 0.0001, RULE_ABOVE, 0, true },
	{ 5, 0, 5, false }, { 5, RULE_COMPARISONS_END, 4, false },	/* no comparison */
};

START_TEST(test_comparison)
{
	ck_assert_msg(rule_holds(comparisons[_i].value, comparisons[_i].c, comparisons[_i].threshold) == comparisons[_i].holds, "%f %s %f",
		comparisons[_i].value, rule_comparison_word(comparisons[_i].c), comparisons[_i].threshold);
}
END_TEST

static const struct {
	struct rule_condition c;
	double value;
	bool holds;
	const char *text, *sentence;
} sentences[] = {
	{ { RULE_EVENT_COUNT, RULE_ABOVE, 10, 60 }, 12, true, "Events received in the last hour: above 10",
		"Events received in the last hour: 12, above 10." },
	{ { RULE_SUCCESS_RATE, RULE_BELOW, 0.95, 120 }, 1, false, "Success rate in the last 2 hours: below 0.95",
		"Success rate in the last 2 hours: 1, no longer below 0.95." },
	{ { RULE_LAST_EVENT, RULE_AT_LEAST, 30, 5 }, 31, true, "Minutes since the last event: at least 30",
		"Minutes since the last event: 31, at least 30." },
	{ { RULE_FAILURE_COUNT, RULE_AT_MOST, 0.5, 1 }, 0, true, "Events with a failed attempt in the last minute: at most 0.5",
		"Events with a failed attempt in the last minute: 0, at most 0.5." },
	{ { RULE_OPEN_INCIDENTS, RULE_EQUAL, 3, 90 }, 3, true, "Open incidents: exactly 3", "Open incidents: 3, exactly 3." },
};

START_TEST(test_sentence)
{
	struct arena *a = arena_new(1 << 20);

	unit_str(rule_text(a, &sentences[_i].c), sentences[_i].text);
	unit_str(rule_sentence(a, &sentences[_i].c, sentences[_i].value, sentences[_i].holds), sentences[_i].sentence);
	arena_free(a);
}
END_TEST

START_TEST(test_every_metric_and_comparison_has_its_words)
{
	for (unsigned m = 1; m < RULE_METRICS_END; m++) {
		ck_assert(strlen(rule_metric_word(m)) > 0 && strlen(rule_metric_title(m)) > 0);
		for (unsigned other = 1; other < m; other++)
			ck_assert_str_ne(rule_metric_word(m), rule_metric_word(other));
	}
	for (unsigned c = 1; c < RULE_COMPARISONS_END; c++)
		ck_assert(strlen(rule_comparison_word(c)) > 0 && strlen(rule_comparison_title(c)) > 0);
	ck_assert_str_eq(rule_metric_word(RULE_METRICS_END), "");
	ck_assert_str_eq(rule_comparison_word(RULE_COMPARISONS_END), "");
}
END_TEST

UNIT_MAIN("rules", UNIT_ROWS(test_value, values), UNIT_ROWS(test_comparison, comparisons), UNIT_ROWS(test_sentence, sentences),
	UNIT(test_every_metric_and_comparison_has_its_words))
