#include "shm_test.h"

START_TEST(test_counting)
{
	struct shm *s = shm_test_open();

	count(s, C_REQUESTS, 1);
	count(s, C_REQUESTS, 31);
	ck_assert_uint_eq(counter_read(s, C_REQUESTS), 32);
	ck_assert_uint_eq(counter_read(s, C_EVENTS), 0);
	shm_test_end(s);
}
END_TEST

START_TEST(test_names)
{
	for (int i = 0; i < COUNTER_COUNT; i++) {
		const char *name = counter_name((enum counter)i);

		ck_assert(str_ends(str_of(name), "_total"));
		for (const char *p = name; *p; p++)
			ck_assert((*p >= 'a' && *p <= 'z') || *p == '_' || (*p >= '0' && *p <= '9'));
		ck_assert(str_ends(str_of(counter_help((enum counter)i)), "."));
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(name, counter_name((enum counter)k));
	}
}
END_TEST

UNIT_MAIN("counters", UNIT(test_counting), UNIT(test_names))
