#include "unit.h"

/* Every class follows the one before without a gap. */
START_TEST(test_classes_grow)
{
	unsigned last = 0;

	for (uint64_t us = 1; us < 200000; us++) {
		unsigned c = hist_class(us);

		ck_assert_msg(c == last || c == last + 1, "%llu us: class %u after %u", (unsigned long long)us, c, last);
		last = c;
	}
}
END_TEST

static const struct { uint64_t us; unsigned class; } ends[] = {
	{ 0, 0 }, { 1, 1 }, { 31, 31 }, { 32, 32 }, { 33, 32 }, { 34, 33 }, { 63, 47 }, { 64, 48 }, { 127, 63 }, { 128, 64 },
	{ (UINT64_C(1) << 47) - 1, HIST_CLASSES - 1 }, { UINT64_C(1) << 47, HIST_CLASSES - 1 }, { UINT64_MAX, HIST_CLASSES - 1 },
};

START_TEST(test_ends)
{
	ck_assert_uint_eq(hist_class(ends[_i].us), ends[_i].class);
}
END_TEST

/* The promise: 3.2 %, over all that can be measured. */
START_TEST(test_error)
{
	double worst = 0;

	for (unsigned log = 0; log <= HIST_MAX_LOG; log++)
		for (unsigned step = 0; step < 1000; step++) {
			uint64_t us = (UINT64_C(1) << log) + (uint64_t)((double)(UINT64_C(1) << log) / 1000 * step);
			double off = ((double)hist_class_us(hist_class(us)) - (double)us) / (double)us;

			if (off < 0)
				off = -off;
			if (off > worst)
				worst = off;
		}
	ck_assert_msg(worst <= 1.0 / 31, "%.4f", worst);	/* 32 counts as 33 */
}
END_TEST

START_TEST(test_percentiles)
{
	uint64_t counts[HIST_CLASSES] = { 0 };

	ck_assert_uint_eq(hist_percentile(counts, 50), 0);
	counts[7] = 1;
	ck_assert_uint_eq(hist_percentile(counts, 1), 7);
	ck_assert_uint_eq(hist_percentile(counts, 50), 7);
	ck_assert_uint_eq(hist_percentile(counts, 100), 7);
	counts[7] = 95;
	counts[20] = 5;
	ck_assert_uint_eq(hist_percentile(counts, 50), 7);
	ck_assert_uint_eq(hist_percentile(counts, 95), 7);
	ck_assert_uint_eq(hist_percentile(counts, 96), 20);
	ck_assert_uint_eq(hist_percentile(counts, 99), 20);
	counts[7] = UINT64_MAX / 4;	/* no product that overflows */
	ck_assert_uint_eq(hist_percentile(counts, 99), 7);
}
END_TEST

/* Against the list of all: durations from half a millisecond to a minute. */
START_TEST(test_against_all_of_them)
{
	static uint64_t all[10000];
	uint64_t counts[HIST_CLASSES] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		all[i] = 500 + (uint64_t)i * i * 6 / 10;
		counts[hist_class(all[i])]++;
	}
	for (unsigned p = 1; p <= 100; p++) {
		double exact = (double)all[ARRAY_SIZE(all) * p / 100 - 1], told = (double)hist_percentile(counts, p);

		ck_assert_msg(told >= exact * 0.968 && told <= exact * 1.033, "p%u: %.0f instead of %.0f", p, told, exact);
	}
}
END_TEST

UNIT_MAIN("hist", UNIT(test_classes_grow), UNIT_ROWS(test_ends, ends), UNIT(test_error), UNIT(test_percentiles), UNIT(test_against_all_of_them))
