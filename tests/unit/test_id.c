#include "unit.h"

#include "grapnel/crypto.h"

#define NOW INT64_C(1767323045678)

START_TEST(test_ids_grow)
{
	struct id_maker m;
	uint64_t last = 0;

	id_maker_init(&m, 1023);
	/* 20,000 in one ms are more than the counter holds, then the clock steps back, then on. */
	for (int i = 0; i < 20000; i++) {
		uint64_t id = id_make(&m, i < 10000 ? NOW : i < 15000 ? NOW - 60000 : NOW + 1000);

		ck_assert_uint_gt(id, last);
		ck_assert_uint_eq(id >> 12 & 1023, 1023);
		ck_assert_uint_lt(id, UINT64_C(1) << 63);
		last = id;
	}
	ck_assert_int_eq(id_time(last), NOW + 1000 + 1);
}
END_TEST

START_TEST(test_workers_never_meet)
{
	struct id_maker a, b;

	id_maker_init(&a, 0);
	id_maker_init(&b, 1);
	for (int i = 0; i < 10000; i++)
		ck_assert_uint_ne(id_make(&a, NOW), id_make(&b, NOW));
}
END_TEST

START_TEST(test_time_inside)
{
	struct id_maker m;
	uint64_t id;

	id_maker_init(&m, 5);
	id = id_make(&m, NOW);
	ck_assert_int_eq(id_time(id), NOW);
	ck_assert_uint_le(id_floor(NOW), id);
	ck_assert_uint_gt(id_floor(NOW + 1), id);
	/* A clock before 2020 still makes ids, none of them 0. */
	id_maker_init(&m, 0);
	ck_assert_uint_gt(id_make(&m, 0), 0);
	ck_assert_uint_gt(id_floor(-5), 0);
}
END_TEST

START_TEST(test_public_id)
{
	char one[PUBLIC_ID_MAX], two[PUBLIC_ID_MAX];

	public_id_make("in", one);
	public_id_make("in", two);
	ck_assert_str_ne(one, two);
	ck_assert_uint_eq(strlen(one), 23);
	ck_assert(public_id_is(str_of(one), "in"));
	ck_assert(!public_id_is(str_of(one), "sv"));
	ck_assert(!public_id_is(str_of(one + 1), "in"));
	ck_assert(public_id_is(STR("in_0123456789abcdefghjk"), "in"));
	ck_assert(!public_id_is(STR("in_0123456789abcdefghji"), "in"));	/* no i, l, o, u */
	ck_assert(!public_id_is(STR("in_0123456789ABCDEFGHJK"), "in"));
	ck_assert(!public_id_is(STR("in-0123456789abcdefghjk"), "in"));
	ck_assert(!public_id_is(STR("in_0123456789abcdefghj\0"), "in"));
	ck_assert(!public_id_is(STR_NONE, "in"));
}
END_TEST

/* RFC 9562 appendix A.6: 0x017F22E279B0 is 2022-02-22T19:22:22Z. */
START_TEST(test_uuid)
{
	char one[UUID_TEXT], two[UUID_TEXT];

	uuid_make(INT64_C(1645557742000), one);
	uuid_make(INT64_C(1645557742001), two);
	ck_assert_uint_eq(strlen(one), 36);
	ck_assert(str_starts(str_of(one), "017f22e2-79b0-7"));
	ck_assert(one[18] == '-' && one[23] == '-');
	ck_assert_ptr_nonnull(strchr("89ab", one[19]));
	ck_assert_int_lt(strcmp(one, two), 0);
}
END_TEST

UNIT_MAIN("id", UNIT(test_ids_grow), UNIT(test_workers_never_meet), UNIT(test_time_inside), UNIT(test_public_id),
	UNIT(test_uuid))
