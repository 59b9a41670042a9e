#include "unit.h"

#include <errno.h>

START_TEST(test_setters)
{
	struct err e = { 0 };

	ck_assert(!err_field(&e, ERR_LIMIT, "name", "over %d", 5));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert_str_eq(e.text, "over 5");
	ck_assert_str_eq(e.field, "name");

	/* A later one takes its place, the field too. */
	ck_assert(!err_set(&e, ERR_INVALID, "no"));
	ck_assert_int_eq(e.code, ERR_INVALID);
	ck_assert_str_eq(e.text, "no");
	ck_assert_str_eq(e.field, "");

	errno = ENOENT;
	ck_assert(!err_sys(&e, ERR_DOWN, "open %s", "/x"));
	ck_assert_str_eq(e.text, "open /x: No such file or directory");
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(test_long_text_is_cut)
{
	struct err e = { 0 };
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	errno = EIO;
	err_sys(&e, ERR_DOWN, "%s", text);
	ck_assert_uint_eq(strlen(e.text), sizeof(e.text) - 1);
	err_field(&e, ERR_INVALID, text, "x");
	ck_assert_uint_eq(strlen(e.field), sizeof(e.field) - 1);
}
END_TEST

static void too_much(void)
{
	free(xmalloc(SIZE_MAX / 2));
}

static void too_many(void)
{
	free(xcalloc(SIZE_MAX / 2, 4));
}

START_TEST(test_memory)
{
	char *p = xcalloc(0, 0);

	p = xrealloc(p, 10);
	ck_assert_ptr_nonnull(p);
	free(p);
	ck_assert(unit_dies(too_much));
	ck_assert(unit_dies(too_many));
}
END_TEST

UNIT_MAIN("err", UNIT(test_setters), UNIT(test_long_text_is_cut), UNIT(test_memory))
