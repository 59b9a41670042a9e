#include "unit.h"

#define REFUSED INT64_MIN

static const struct {
	const char *text;
	ms_t want;
} times[] = {
	/* RFC 3339 section 5.8 */
	{ "1985-04-12T23:20:50.52Z", 482196050520 },
	{ "1996-12-19T16:39:57-08:00", 851042397000 },
	{ "1990-12-31T23:59:60Z", 662688000000 },
	{ "1990-12-31T15:59:60-08:00", 662688000000 },
	{ "1937-01-01T12:00:27.87+00:20", -1041337172130 },
	/* ends and leap days */
	{ "1970-01-01T00:00:00Z", 0 },
	{ "1969-12-31T23:59:59.999Z", -1 },
	{ "2000-02-29T00:00:00Z", 951782400000 },
	{ "1900-02-29T00:00:00Z", REFUSED },
	{ "2023-02-29T00:00:00Z", REFUSED },
	{ "2024-02-29T00:00:00Z", 1709164800000 },
	{ "2024-02-30T00:00:00Z", REFUSED },
	{ "2024-04-31T00:00:00Z", REFUSED },
	{ "9999-12-31T23:59:59.999Z", 253402300799999 },
	{ "9999-12-31T23:59:59-00:01", REFUSED },
	{ "0002-01-01T00:00:00Z", -62104060800000 },
	{ "0002-01-01T00:00:00+00:01", REFUSED },
	{ "0001-01-01T00:00:00Z", REFUSED },	/* Go's zero time: Alertmanager's "no end" */
	{ "0000-01-01T00:00:00Z", REFUSED },
	/* relatives that providers send */
	{ "2026-01-02 03:04:05 UTC", 1767323045000 },	/* GitLab */
	{ "2026-01-02 03:04:05 +0100", 1767319445000 },
	{ "2026-01-02T03:04:05+0100", 1767319445000 },
	{ "2026-01-02T03:04:05", 1767323045000 },
	{ "2026-01-02t03:04:05z", 1767323045000 },
	{ "2026-01-02T03:04:05UTC", 1767323045000 },
	{ "2026-01-02T03:04:05.123456789Z", 1767323045123 },
	{ "2026-01-02T03:04:05.9999Z", 1767323045999 },
	{ "2026-01-02T03:04:05.1", 1767323045100 },
	{ "2026-01-02T03:04:05-00:00", 1767323045000 },
	{ "2026-01-02T03:04:05+23:59", 1767236705000 },
	/* anything else */
	{ "", REFUSED },
	{ "2026-01-02", REFUSED },
	{ "2026-01-02T03:04Z", REFUSED },
	{ "2026-01-02T03:04:05.Z", REFUSED },
	{ "2026-01-02T03:04:05,5Z", REFUSED },
	{ "2026-01-02T24:00:00Z", REFUSED },
	{ "2026-01-02T03:60:05Z", REFUSED },
	{ "2026-01-02T03:04:61Z", REFUSED },
	{ "2026-13-02T03:04:05Z", REFUSED },
	{ "2026-00-02T03:04:05Z", REFUSED },
	{ "2026-01-00T03:04:05Z", REFUSED },
	{ "2026-1-2T03:04:05Z", REFUSED },
	{ "26-01-02T03:04:05Z", REFUSED },
	{ "+2026-01-02T03:04:05Z", REFUSED },
	{ "2026-01-02T03:04:05+24:00", REFUSED },
	{ "2026-01-02T03:04:05+1", REFUSED },
	{ "2026-01-02T03:04:05+01", REFUSED },
	{ "2026-01-02T03:04:05 PST", REFUSED },
	{ "2026-01-02T03:04:05Zx", REFUSED },
	{ "2026-01-02T03:04:05  UTC", REFUSED },
	{ " 2026-01-02T03:04:05Z", REFUSED },
	{ "2026-01-02T03:04:05 ", REFUSED },
	{ "2026/01/02T03:04:05Z", REFUSED },
};

START_TEST(test_parse)
{
	ms_t t = 42;
	bool ok = time_parse(str_of(times[_i].text), &t);

	ck_assert(ok == (times[_i].want != REFUSED));
	ck_assert_int_eq(t, ok ? times[_i].want : 42);
}
END_TEST

START_TEST(test_nul_is_no_separator)
{
	ms_t t;

	ck_assert(!time_parse(STR("2026-01-02\0" "03:04:05Z"), &t));
}
END_TEST

static const struct {
	ms_t t;
	const char *want;
} formats[] = {
	{ 0, "1970-01-01T00:00:00.000Z" },
	{ -1, "1969-12-31T23:59:59.999Z" },
	{ 1767323045678, "2026-01-02T03:04:05.678Z" },
	{ 951782400000, "2000-02-29T00:00:00.000Z" },
	{ 253402300799999, "9999-12-31T23:59:59.999Z" },
	{ 253402300800000, "9999-12-31T23:59:59.999Z" },
	{ INT64_MAX, "9999-12-31T23:59:59.999Z" },
	{ -62167219200000, "0000-01-01T00:00:00.000Z" },
	{ INT64_MIN, "0000-01-01T00:00:00.000Z" },
};

START_TEST(test_format)
{
	char text[TIME_TEXT];

	ck_assert_str_eq(time_format(formats[_i].t, text), formats[_i].want);
}
END_TEST

/* Every 13th hour of 1600 to 2400 against libc, and back. */
START_TEST(test_against_libc)
{
	for (int64_t s = -11676096000; s < 13569465600; s += 13 * 3600) {
		char ours[TIME_TEXT], theirs[32];
		time_t clock = (time_t)s;
		struct tm tm;
		ms_t back;

		gmtime_r(&clock, &tm);
		strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
		time_format(s * 1000, ours);
		ck_assert_str_eq(ours, theirs);
		ck_assert(time_parse(str_of(ours), &back));
		ck_assert_int_eq(back, s * 1000);
	}
}
END_TEST

START_TEST(test_clocks)
{
	int64_t before = clock_mono_us();

	ck_assert_int_gt(clock_now(), 1700000000000);
	ck_assert_int_ge(clock_mono_us(), before);
}
END_TEST

UNIT_MAIN("clock", UNIT_ROWS(test_parse, times), UNIT(test_nul_is_no_separator), UNIT_ROWS(test_format, formats),
	UNIT(test_against_libc), UNIT(test_clocks))
