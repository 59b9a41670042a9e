#include "unit.h"

START_TEST(test_pieces)
{
	struct arena *a = arena_new(100 << 20);
	size_t size = 1;

	for (int i = 0; i < 2000; i++, size = (size * 7 + 3) % 5000) {
		unsigned char *p = arena_alloc(a, size);

		ck_assert_uint_eq((uintptr_t)p % 16, 0);
		for (size_t k = 0; k < size; k++)
			ck_assert_uint_eq(p[k], 0);
		memset(p, 0xff, size);
		if (i == 1000)
			arena_reset(a);
	}
	arena_free(a);
	arena_free(NULL);
}
END_TEST

START_TEST(test_reset_forgets)
{
	struct arena *a = arena_new(100 << 20);

	arena_reset(a);
	memset(arena_alloc(a, 10 << 20), 1, 10 << 20);
	memset(arena_alloc(a, 100), 1, 100);
	ck_assert_uint_ge(arena_used(a), 10 << 20);
	arena_reset(a);
	ck_assert_uint_eq(arena_used(a), 0);
	ck_assert_uint_eq(*(unsigned char *)arena_alloc(a, 100), 0);
	arena_free(a);
}
END_TEST

START_TEST(test_grow)
{
	struct arena *a = arena_new(1 << 20);
	char *p = arena_grow(a, NULL, 0, 10), *q, *r;

	memcpy(p, "0123456789", 10);
	q = arena_grow(a, p, 10, 1000);
	ck_assert_ptr_eq(p, q);			/* the newest piece stays where it is */
	ck_assert(!memcmp(q, "0123456789\0\0", 12));
	ck_assert_uint_eq((unsigned char)q[999], 0);
	arena_alloc(a, 1);
	r = arena_grow(a, q, 1000, 2000);
	ck_assert_ptr_ne(q, r);
	ck_assert(!memcmp(r, "0123456789", 10));
	ck_assert_uint_eq((unsigned char)r[1999], 0);
	r = arena_grow(a, r, 2000, 100000);	/* beyond the chunk */
	ck_assert(!memcmp(r, "0123456789", 10));
	arena_free(a);
}
END_TEST

START_TEST(test_text)
{
	struct arena *a = arena_new(1 << 20);
	struct str s;

	unit_str(arena_str(a, STR("abc")), "abc");
	ck_assert_str_eq(arena_cstr(a, STR_NONE), "");
	s = arena_printf(a, "%s-%d", "x", 7);
	ck_assert_str_eq(s.p, "x-7");
	ck_assert_uint_eq(s.n, 3);
	unit_str(arena_lower(a, STR("X-GitHub-\xc3\x84")), "x-github-\xc3\x84");
	arena_free(a);
}
END_TEST

static void over_limit(void)
{
	struct arena *a = arena_new(1000);

	arena_alloc(a, 500);
	arena_alloc(a, 600);
}

static void grown_over_limit(void)
{
	struct arena *a = arena_new(1000);
	void *p = arena_alloc(a, 500);

	arena_grow(a, p, 500, 1100);
}

static void absurd(void)
{
	arena_alloc(arena_new(1000), SIZE_MAX);
}

START_TEST(test_limit)
{
	struct arena *a = arena_new(1024);

	arena_alloc(a, 1024);
	arena_free(a);
	ck_assert(unit_dies(over_limit));
	ck_assert(unit_dies(grown_over_limit));
	ck_assert(unit_dies(absurd));
}
END_TEST

UNIT_MAIN("arena", UNIT(test_pieces), UNIT(test_reset_forgets), UNIT(test_grow), UNIT(test_text), UNIT(test_limit))
