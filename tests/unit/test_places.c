#include "shm_test.h"

#define NOW INT64_C(1767323045000)

START_TEST(test_no_more_than_allowed)
{
	struct shm *s = shm_test_open();

	ck_assert_int_eq(place_take(s, 0, NOW, NOW + 10), -1);
	ck_assert_int_eq(place_take(s, 2, NOW, NOW + 10), 0);
	ck_assert_int_eq(place_take(s, 2, NOW, NOW + 20), 1);
	ck_assert_int_eq(place_take(s, 2, NOW, NOW + 30), -1);
	place_leave(s, 0, NOW + 10);
	ck_assert_int_eq(place_take(s, 2, NOW, NOW + 30), 0);
	ck_assert_int_eq(place_take(s, 1000, NOW, NOW + 30), 2);
	shm_test_end(s);
}
END_TEST

START_TEST(test_nobody_holds_one_for_ever)
{
	struct shm *s = shm_test_open();

	ck_assert_int_eq(place_take(s, 1, NOW, NOW + 10), 0);
	ck_assert_int_eq(place_take(s, 1, NOW + 9, NOW + 50), -1);
	ck_assert_int_eq(place_take(s, 1, NOW + 10, NOW + 50), 0);
	place_leave(s, 0, NOW + 10);	/* late: it is another's by now */
	ck_assert_int_eq(place_take(s, 1, NOW + 11, NOW + 50), -1);
	place_leave(s, -1, NOW + 50);
	place_leave(s, SHM_PLACES, NOW + 50);
	place_leave(s, 0, NOW + 50);
	/* a clock that was a day ahead */
	ck_assert_int_eq(place_take(s, 1, NOW + MS_PER_DAY, NOW + MS_PER_DAY + 10), 0);
	ck_assert_int_eq(place_take(s, 1, NOW, NOW + 10), 0);
	shm_test_end(s);
}
END_TEST

UNIT_MAIN("places", UNIT(test_no_more_than_allowed), UNIT(test_nobody_holds_one_for_ever))
