#include "provider_test.h"

static const struct {
	enum severity severity;
	const char *native;
	enum level want;
} levels[] = {
	{ SEVERITY_CRITICAL, "", LEVEL_CRITICAL },
	{ SEVERITY_ERROR, "p2", LEVEL_HIGH },
	{ SEVERITY_WARNING, "low", LEVEL_MEDIUM },	/* mapped to warning by its provider: not LOW */
	{ SEVERITY_INFO, "", LEVEL_INFO },
	{ SEVERITY_INFO, "p5", LEVEL_INFO },
	{ SEVERITY_INFO, "LOW", LEVEL_LOW },
	{ SEVERITY_INFO, "P4", LEVEL_LOW },
	{ SEVERITY_INFO, "lower", LEVEL_INFO },
};

START_TEST(test_level)
{
	ck_assert_int_eq(level_of(levels[_i].severity, str_of(levels[_i].native)), levels[_i].want);
}
END_TEST

START_TEST(test_words)
{
	enum level l = LEVEL_INFO;
	enum event_status s = EVENT_PENDING;

	ck_assert_str_eq(action_word(ACTION_ACKNOWLEDGE), "acknowledge");
	ck_assert_str_eq(action_word(ACTION_IGNORE), "ignore");
	ck_assert_str_eq(severity_word(SEVERITY_WARNING), "warning");
	ck_assert_str_eq(level_word(LEVEL_HIGH), "HIGH");
	ck_assert_str_eq(event_status_word(EVENT_DEAD), "dead");
	ck_assert(level_parse(STR("medium"), &l) && l == LEVEL_MEDIUM);
	ck_assert(!level_parse(STR("med"), &l) && l == LEVEL_MEDIUM);
	ck_assert(event_status_parse(STR("Ignored"), &s) && s == EVENT_IGNORED);
	ck_assert(!event_status_parse(STR(""), &s) && s == EVENT_IGNORED);
}
END_TEST

/* Of the common words none may mean two things. */
START_TEST(test_severity_words_are_unique)
{
	for (const struct word *w = severity_words; w->word; w++)
		for (const struct word *v = w + 1; v->word; v++)
			ck_assert_str_ne(w->word, v->word);
}
END_TEST

UNIT_MAIN("event words", UNIT_ROWS(test_level, levels), UNIT(test_words), UNIT(test_severity_words_are_unique))
