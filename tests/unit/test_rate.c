/* The clock is handed in throughout. */
#include "shm_test.h"

#define NOW INT64_C(1767323045000)

START_TEST(test_burst_then_steady)
{
	struct shm *s = shm_test_open();
	struct rate_result r;

	for (uint32_t i = 0; i < 60; i++) {
		r = rate_take(s, 7, 60, NOW);
		ck_assert(r.allowed);
		ck_assert_uint_eq(r.limit, 60);
		ck_assert_uint_eq(r.remaining, 59 - i);
		ck_assert_int_eq(r.reset_at, NOW + (i + 1) * 1000);
		ck_assert_int_eq(r.retry_after_ms, 0);
	}
	r = rate_take(s, 7, 60, NOW);
	ck_assert(!r.allowed);
	ck_assert_uint_eq(r.remaining, 0);
	ck_assert_int_eq(r.retry_after_ms, 1000);
	ck_assert_int_eq(r.reset_at, NOW + MS_PER_MINUTE);
	/* refused ones cost nothing, and waiting as told is enough */
	ck_assert(!rate_take(s, 7, 60, NOW + 999).allowed);
	ck_assert(rate_take(s, 7, 60, NOW + 1000).allowed);
	ck_assert(!rate_take(s, 7, 60, NOW + 1001).allowed);
	/* another key has its own bucket; after a minute this one is full again */
	ck_assert_uint_eq(rate_take(s, 8, 60, NOW).remaining, 59);
	ck_assert_uint_eq(rate_take(s, 7, 60, NOW + 1000 + MS_PER_MINUTE).remaining, 59);
	shm_test_end(s);
}
END_TEST

static const uint32_t limits[] = { 1, 2, 7, 100, 999, 60001, 1000000 };

/* Over three minutes of constant asking: the burst once, and then the limit per minute, whatever the limit divides. */
START_TEST(test_sum)
{
	struct shm *s = shm_test_open();
	uint64_t allowed = 0, limit = limits[_i];

	for (ms_t t = 0; t < 3 * MS_PER_MINUTE; t += 250)
		for (uint64_t k = 0; k < limit / 100 + 2 && rate_take(s, 9, (uint32_t)limit, NOW + t).allowed; k++)
			allowed++;
	ck_assert_uint_ge(allowed, limit * 399 / 100 - 1);
	ck_assert_uint_le(allowed, limit * 4 + 1);
	shm_test_end(s);
}
END_TEST

START_TEST(test_peek_takes_nothing)
{
	struct shm *s = shm_test_open();

	for (int i = 0; i < 10; i++)
		ck_assert_uint_eq(rate_peek(s, 7, 2, NOW).remaining, 2);
	ck_assert(rate_take(s, 7, 2, NOW).allowed);
	ck_assert(rate_take(s, 7, 2, NOW).allowed);
	ck_assert(!rate_peek(s, 7, 2, NOW).allowed);
	ck_assert_int_eq(rate_peek(s, 7, 2, NOW).retry_after_ms, 30000);
	ck_assert(rate_peek(s, 7, 0, NOW).allowed);
	shm_test_end(s);
}
END_TEST

START_TEST(test_no_limit)
{
	struct shm *s = shm_test_open();

	for (int i = 0; i < 10000; i++) {
		struct rate_result r = rate_take(s, 7, 0, NOW);

		ck_assert(r.allowed);
		ck_assert_uint_eq(r.limit, 0);
	}
	ck_assert_uint_eq(rate_take(s, 7, UINT32_MAX, NOW).remaining, UINT32_MAX - 1);
	ck_assert(rate_take(s, 0, 1, NOW).allowed);
	shm_test_end(s);
}
END_TEST

/* An hour back does not lock anybody out for an hour; nor does another limit. */
START_TEST(test_clock_steps_back)
{
	struct shm *s = shm_test_open();
	struct rate_result r;

	rate_take(s, 7, 60, NOW);
	r = rate_take(s, 7, 60, NOW - MS_PER_HOUR);
	ck_assert(!r.allowed);
	ck_assert_int_le(r.retry_after_ms, 1000);
	ck_assert(rate_take(s, 7, 60, NOW - MS_PER_HOUR + 1000).allowed);
	while (rate_take(s, 8, 1000, NOW).allowed)
		;
	ck_assert_int_le(rate_take(s, 8, 1, NOW).retry_after_ms, MS_PER_MINUTE);
	shm_test_end(s);
}
END_TEST

/* Ten times more keys than cells: each still gets an answer, and the busy ones keep their buckets. */
START_TEST(test_full_table)
{
	struct shm *s = shm_test_open();

	for (int i = 0; i < 100; i++)
		ck_assert(rate_take(s, 1, 100, NOW).allowed);
	for (uint64_t key = 2; key < 655360; key++)
		ck_assert(rate_take(s, key, 100, NOW).allowed);
	ck_assert(!rate_take(s, 1, 100, NOW).allowed);
	shm_test_end(s);
}
END_TEST

/* Four processes on one bucket: together exactly the limit. */
START_TEST(test_processes_share)
{
	struct shm *s = shm_test_open();
	pid_t child[4];

	for (int i = 0; i < 4; i++) {
		child[i] = fork();
		if (child[i])
			continue;
		for (int k = 0; k < 20000; k++)
			if (rate_take(s, 7, 50000, NOW).allowed)
				count(s, C_EVENTS, 1);
		_exit(0);
	}
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(waitpid(child[i], NULL, 0), child[i]);
	ck_assert_uint_eq(counter_read(s, C_EVENTS), 50000);
	shm_test_end(s);
}
END_TEST

START_TEST(test_hourly)
{
	struct shm *s = shm_test_open();
	ms_t hour = NOW / MS_PER_HOUR * MS_PER_HOUR;

	for (int i = 0; i < 1000; i++)
		ck_assert(hourly_take(s, 7, 1000, hour + i));
	ck_assert(!hourly_take(s, 7, 1000, hour));
	ck_assert(!hourly_take(s, 7, 1000, hour + MS_PER_HOUR - 1));
	ck_assert(hourly_take(s, 8, 1000, hour));
	ck_assert(hourly_take(s, 7, 1000, hour + MS_PER_HOUR));
	ck_assert(hourly_take(s, 7, 1000, hour));	/* the clock back: a new window, not a locked one */
	ck_assert(!hourly_take(s, 9, 0, hour));
	shm_test_end(s);
}
END_TEST

/* Ten in five minutes: then one each half minute. */
START_TEST(test_other_windows)
{
	struct shm *s = shm_test_open();
	struct rate_result r;

	for (int i = 0; i < 10; i++)
		ck_assert(rate_take_in(s, 7, 10, 5 * MS_PER_MINUTE, NOW).allowed);
	r = rate_peek_in(s, 7, 10, 5 * MS_PER_MINUTE, NOW);
	ck_assert(!r.allowed);
	ck_assert_int_eq(r.retry_after_ms, 30 * MS_PER_SECOND);
	ck_assert(!rate_take_in(s, 7, 10, 5 * MS_PER_MINUTE, NOW + r.retry_after_ms - 1).allowed);
	ck_assert(rate_take_in(s, 7, 10, 5 * MS_PER_MINUTE, NOW + r.retry_after_ms).allowed);
	ck_assert_uint_eq(rate_peek_in(s, 7, 10, 5 * MS_PER_MINUTE, NOW + MS_PER_HOUR).remaining, 10);
	shm_test_end(s);
}
END_TEST

UNIT_MAIN("rate", UNIT(test_other_windows), UNIT(test_burst_then_steady), UNIT_ROWS(test_sum, limits), UNIT(test_peek_takes_nothing), UNIT(test_no_limit), UNIT(test_clock_steps_back),
	UNIT(test_full_table), UNIT(test_processes_share), UNIT(test_hourly))
