/* Inflating: what was deflated comes back; the limit to the byte; what is cut, changed or followed
 * by more is no gzip. */
#include "unit.h"

#include <zlib.h>

static struct arena *a;

static struct str gzip(struct str plain)
{
	size_t room = plain.n + 1000;
	char *p = arena_alloc(a, room);
	z_stream z = { 0 };

	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)plain.p;
	z.avail_in = (unsigned)plain.n;
	z.next_out = (unsigned char *)p;
	z.avail_out = (unsigned)room;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return (struct str){ p, room - z.avail_out };
}

START_TEST(test_there_and_back)
{
	static const char *const texts[] = { "", "x", "{\"a\": 1}" };
	struct str out;

	a = arena_new(1 << 20);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		ck_assert_int_eq(gunzip(a, gzip(str_of(texts[i])), 100, &out), 1);
		ck_assert(str_eqs(out, texts[i]));
	}
	arena_free(a);
}
END_TEST

START_TEST(test_the_limit_to_the_byte)
{
	struct str plain, packed, out;

	a = arena_new(8 << 20);
	plain = (struct str){ arena_alloc(a, 1 << 20),
		1 << 20 }; /* a mebibyte of NULs: about a kilobyte of gzip */
	packed = gzip(plain);
	ck_assert_uint_lt(packed.n, 2000);
	ck_assert_int_eq(gunzip(a, packed, plain.n, &out), 1);
	ck_assert(str_eq(out, plain));
	ck_assert_int_eq(gunzip(a, packed, plain.n - 1, &out), 0);
	ck_assert_int_eq(gunzip(a, packed, 10, &out), 0);
	arena_free(a);
}
END_TEST

/* RFC 1952, section 2.2: a file is a series of members. */
START_TEST(test_members_follow_each_other)
{
	struct str one, two, out;
	char *both;

	a = arena_new(1 << 20);
	one = gzip(STR("one and "));
	two = gzip(STR("two"));
	both = arena_alloc(a, one.n + two.n);
	memcpy(both, one.p, one.n);
	memcpy(both + one.n, two.p, two.n);
	ck_assert_int_eq(gunzip(a, (struct str){ both, one.n + two.n }, 11, &out), 1);
	ck_assert(str_eqs(out, "one and two"));
	ck_assert_int_eq(gunzip(a, (struct str){ both, one.n + two.n }, 10, &out), 0);
	ck_assert_int_eq(gunzip(a, (struct str){ both, one.n + two.n - 1 }, 11, &out), -1);
	arena_free(a);
}
END_TEST

START_TEST(test_what_is_no_gzip)
{
	struct str packed, out;
	char *copy;

	a = arena_new(1 << 20);
	packed = gzip(STR("some text that is long enough to be changed"));
	for (size_t n = 0; n < packed.n; n++)
		ck_assert_int_eq(gunzip(a, (struct str){ packed.p, n }, 100, &out), -1);
	copy = arena_alloc(a, packed.n + 1);
	memcpy(copy, packed.p, packed.n);
	ck_assert_int_eq(gunzip(a, (struct str){ copy, packed.n + 1 }, 100, &out),
		-1); /* a byte after it */
	copy[packed.n - 8] ^= 1; /* the checksum */
	ck_assert_int_eq(gunzip(a, (struct str){ copy, packed.n }, 100, &out), -1);
	ck_assert_int_eq(gunzip(a, STR("plain"), 100, &out), -1);
	arena_free(a);
}
END_TEST

UNIT_MAIN("gunzip", UNIT(test_there_and_back), UNIT(test_the_limit_to_the_byte),
	UNIT(test_members_follow_each_other), UNIT(test_what_is_no_gzip))
