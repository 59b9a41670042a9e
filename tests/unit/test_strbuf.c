#include "unit.h"

START_TEST(test_adding)
{
	struct arena *a = arena_new(1 << 20);
	struct strbuf b;

	strbuf_init(&b, a, 10000);
	unit_str(strbuf_str(&b), NULL);
	strbuf_add(&b, "ab", 2);
	strbuf_addstr(&b, STR_NONE);
	strbuf_addstr(&b, STR("cd"));
	strbuf_adds(&b, "ef");
	strbuf_addc(&b, '\0');
	strbuf_addf(&b, "%05d", 42);
	ck_assert(str_eq(strbuf_str(&b), STR("abcdef\0" "00042")));
	for (int i = 0; i < 900; i++)
		strbuf_addf(&b, "%d", i % 10);
	ck_assert_uint_eq(b.n, 912);
	ck_assert(str_ends(strbuf_str(&b), "6789"));
	ck_assert(!b.failed);
	arena_free(a);
}
END_TEST

/* Exactly the maximum fits, one more does not, and nothing is added afterwards. */
START_TEST(test_maximum)
{
	struct arena *a = arena_new(1 << 20);
	struct strbuf b;

	strbuf_init(&b, a, 10);
	strbuf_addf(&b, "%s", "0123456789");
	ck_assert(!b.failed);
	strbuf_addf(&b, "%s", "");
	ck_assert(!b.failed);
	strbuf_addc(&b, 'x');
	ck_assert(b.failed);
	unit_str(strbuf_str(&b), "0123456789");

	strbuf_init(&b, a, 10);
	strbuf_adds(&b, "0123456789a");
	ck_assert(b.failed);
	strbuf_addc(&b, 'x');
	strbuf_addf(&b, "x");
	ck_assert_uint_eq(b.n, 0);

	strbuf_init(&b, a, 3);
	strbuf_adds(&b, "ab");
	strbuf_addf(&b, "%d", 10);
	ck_assert(b.failed);
	unit_str(strbuf_str(&b), "ab");
	arena_free(a);
}
END_TEST

static const struct { double x; const char *text; } numbers[] = {
	{ 0, "0" }, { 12, "12" }, { 100, "100" }, { 0.95, "0.95" }, { 0.9496, "0.9496" }, { 1.5, "1.5" }, { 0.00004, "0" },
	{ 2.00006, "2.0001" }, { -3.25, "-3.25" }, { 1e15, "1000000000000000" },
};

START_TEST(test_number)
{
	struct arena *a = arena_new(1 << 20);
	struct strbuf b;

	strbuf_init(&b, a, 100);
	strbuf_number(&b, numbers[_i].x);
	unit_str(strbuf_str(&b), numbers[_i].text);
	arena_free(a);
}
END_TEST

UNIT_MAIN("strbuf", UNIT(test_adding), UNIT(test_maximum), UNIT_ROWS(test_number, numbers))
