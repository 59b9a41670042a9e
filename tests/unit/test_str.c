#include "unit.h"

START_TEST(test_compare)
{
	ck_assert(str_eq(STR_NONE, STR("")));
	ck_assert(str_eq(STR("a\0b"), STR("a\0b")));
	ck_assert(!str_eq(STR("a\0b"), STR("a\0c")));
	ck_assert(str_eqs(STR("abc"), "abc"));
	ck_assert(!str_eqs(STR("abc"), "ab"));
	ck_assert(str_eqs(STR_NONE, NULL));
	ck_assert(str_ieqs(STR("X-Hub"), "x-hUB"));
	ck_assert(!str_ieqs(STR("["), "{"));	/* differ in the case bit only */
	ck_assert(!str_ieq(STR("\xc4"), STR("\xe4")));	/* no letters but ASCII */
	ck_assert_int_lt(str_cmp(STR("a"), STR("ab")), 0);
	ck_assert_int_gt(str_cmp(STR("\xff"), STR("a")), 0);
	ck_assert_int_eq(str_cmp(STR_NONE, STR("")), 0);
}
END_TEST

START_TEST(test_ends)
{
	ck_assert(str_starts(STR("sha256=ab"), "sha256="));
	ck_assert(!str_starts(STR("sha"), "sha256="));
	ck_assert(str_starts(STR_NONE, ""));
	ck_assert(str_ends(STR("a.json"), ".json"));
	ck_assert(!str_ends(STR("json"), ".json"));
	ck_assert(str_ends(STR_NONE, ""));
}
END_TEST

static const struct {
	const char *text;
	size_t max;
	const char *want;
} cuts[] = {
	{ "abc", 3, "abc" },
	{ "abc", 9, "abc" },
	{ "abc", 2, "ab" },
	{ "abc", 0, "" },
	{ "", 0, "" },
	{ "a\xc3\xa4", 2, "a" },
	{ "a\xc3\xa4", 3, "a\xc3\xa4" },
	{ "\xe2\x82\xac\xe2\x82\xac", 4, "\xe2\x82\xac" },
	{ "\xe2\x82\xac\xe2\x82\xac", 5, "\xe2\x82\xac" },
	{ "\xf0\x9f\x98\x80z", 3, "" },
	{ "\xf0\x9f\x98\x80z", 4, "\xf0\x9f\x98\x80" },
	{ "\x80\x80\x80\x80\x80\x80", 5, "\x80\x80\x80\x80\x80" },	/* no UTF-8: cut where it is */
	{ "\x80\x80", 1, "\x80" },
};

START_TEST(test_cut)
{
	unit_str(str_cut(str_of(cuts[_i].text), cuts[_i].max), cuts[_i].want);
}
END_TEST

START_TEST(test_trim_sub_find)
{
	unit_str(str_trim(STR(" \t\r\n a b \v\f")), "a b");
	unit_str(str_trim(STR("  ")), "");
	unit_str(str_trim(STR_NONE), NULL);
	unit_str(str_sub(STR("abc"), 1), "bc");
	unit_str(str_sub(STR("abc"), 3), "");
	unit_str(str_sub(STR("abc"), SIZE_MAX), "");
	ck_assert_int_eq(str_find(STR("a=b=c"), '='), 1);
	ck_assert_int_eq(str_find(STR("abc"), '='), -1);
	ck_assert_int_eq(str_find(STR("ab\0"), '\0'), 2);
	ck_assert_int_eq(str_find(STR_NONE, 'x'), -1);
	ck_assert(str_has(STR("/a/pipelines/b"), "/pipelines/") && str_has(STR("x"), "x") && str_has(STR("x"), ""));
	ck_assert(!str_has(STR("/a/pipelines"), "/pipelines/") && !str_has(STR_NONE, "x") && !str_has(STR("ab"), "abc"));
}
END_TEST

START_TEST(test_until)
{
	struct str s = STR("a,,b");

	unit_str(str_until(&s, ','), "a");
	unit_str(str_until(&s, ','), "");
	unit_str(str_until(&s, ','), "b");
	ck_assert_uint_eq(s.n, 0);
	unit_str(str_until(&s, ','), "");
	s = STR("a,");
	unit_str(str_until(&s, ','), "a");
	ck_assert_uint_eq(s.n, 0);
}
END_TEST

START_TEST(test_word)
{
	struct str s = STR("  one\ttwo \n");

	unit_str(str_word(&s), "one");
	unit_str(str_word(&s), "two");
	unit_str(str_word(&s), "");
	unit_str(str_word(&s), "");
}
END_TEST

static const struct {
	const char *text;
	bool u64_ok, i64_ok;
	uint64_t u64;
	int64_t i64;
} numbers[] = {
	{ "0", true, true, 0, 0 },
	{ "007", true, true, 7, 7 },
	{ "18446744073709551615", true, false, UINT64_MAX },
	{ "18446744073709551616", false, false },
	{ "99999999999999999999", false, false },
	{ "9223372036854775807", true, true, INT64_MAX, INT64_MAX },
	{ "9223372036854775808", true, false, (uint64_t)INT64_MAX + 1 },
	{ "-9223372036854775808", false, true, 0, INT64_MIN },
	{ "-9223372036854775809", false, false },
	{ "-0", false, true, 0, 0 },
	{ "-1", false, true, 0, -1 },
	{ "--1", false, false },
	{ "-", false, false },
	{ "", false, false },
	{ "+1", false, false },
	{ " 1", false, false },
	{ "1 ", false, false },
	{ "1.0", false, false },
	{ "0x10", false, false },
	{ "\xb2", false, false },
};

START_TEST(test_number)
{
	uint64_t u = 42;
	int64_t i = 42;

	ck_assert(str_u64(str_of(numbers[_i].text), &u) == numbers[_i].u64_ok);
	ck_assert_uint_eq(u, numbers[_i].u64_ok ? numbers[_i].u64 : 42);
	ck_assert(str_i64(str_of(numbers[_i].text), &i) == numbers[_i].i64_ok);
	ck_assert_int_eq(i, numbers[_i].i64_ok ? numbers[_i].i64 : 42);
}
END_TEST

UNIT_MAIN("str", UNIT(test_compare), UNIT(test_ends), UNIT_ROWS(test_cut, cuts), UNIT(test_trim_sub_find),
	UNIT(test_until), UNIT(test_word), UNIT_ROWS(test_number, numbers))
