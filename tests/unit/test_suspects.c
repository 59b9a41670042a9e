#include "shm_test.h"

#define NOW INT64_C(1767323045000)

START_TEST(test_a_death)
{
	struct shm *s = shm_test_open();
	uint64_t prints[] = { 11, 12, 13 };

	ck_assert(!suspect_is(s, 11, NOW));
	in_hand_set(s, 5, prints, 3);
	ck_assert(!suspect_is(s, 11, NOW));	/* in hand is no crime */
	ck_assert_uint_eq(in_hand_to_suspects(s, 5, NOW), 3);
	ck_assert_uint_eq(in_hand_to_suspects(s, 5, NOW), 0);
	ck_assert_uint_eq(in_hand_to_suspects(s, 6, NOW), 0);
	for (uint64_t p = 11; p <= 13; p++)
		ck_assert(suspect_is(s, p, NOW));
	ck_assert(!suspect_is(s, 14, NOW));
	ck_assert(suspect_is(s, 11, NOW + 10 * MS_PER_MINUTE - 1));
	ck_assert(!suspect_is(s, 11, NOW + 10 * MS_PER_MINUTE));
	ck_assert(!suspect_is(s, 11, NOW - MS_PER_DAY));
	shm_test_end(s);
}
END_TEST

START_TEST(test_nothing_in_hand)
{
	struct shm *s = shm_test_open();
	uint64_t prints[SHM_IN_HAND];

	for (size_t i = 0; i < SHM_IN_HAND; i++)
		prints[i] = i + 1;
	in_hand_set(s, SHM_WORKERS - 1, prints, SHM_IN_HAND);
	in_hand_set(s, SHM_WORKERS - 1, NULL, 0);
	ck_assert_uint_eq(in_hand_to_suspects(s, SHM_WORKERS - 1, NOW), 0);
	in_hand_set(s, 0, prints, SHM_IN_HAND);
	ck_assert_uint_eq(in_hand_to_suspects(s, 0, NOW), SHM_IN_HAND);
	shm_test_end(s);
}
END_TEST

/* More deaths than places: the newest stay. A second death makes a suspect last longer, not stand twice. */
START_TEST(test_many_deaths)
{
	struct shm *s = shm_test_open();

	for (uint64_t print = 1; print <= 1000; print++) {
		in_hand_set(s, 1, &print, 1);
		in_hand_to_suspects(s, 1, NOW + (ms_t)print);
	}
	ck_assert(!suspect_is(s, 1000 - SHM_SUSPECTS, NOW + 1000));
	for (uint64_t print = 1001 - SHM_SUSPECTS; print <= 1000; print++)
		ck_assert(suspect_is(s, print, NOW + 1000));
	in_hand_set(s, 1, (uint64_t[]){ 900 }, 1);
	in_hand_to_suspects(s, 1, NOW + 10 * MS_PER_MINUTE);
	ck_assert(suspect_is(s, 900, NOW + 19 * MS_PER_MINUTE));
	ck_assert(suspect_is(s, 1001 - SHM_SUSPECTS, NOW + 1000));
	shm_test_end(s);
}
END_TEST

UNIT_MAIN("suspects", UNIT(test_a_death), UNIT(test_nothing_in_hand), UNIT(test_many_deaths))
