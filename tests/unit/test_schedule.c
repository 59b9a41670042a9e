/* Schedules: multiples of minutes, times on the wall, and what changes of clocks do to them. */
#include "unit.h"

#define AT(text) at(text)
#define MINUTELY { .every_min = 1 }
#define DAILY(hour, minute) { .at_min = (hour) * 60 + (minute) }

static ms_t at(const char *text)
{
	ms_t t;

	if (!time_parse(str_of(text), &t))
		die("%s is no time", text);
	return t;
}

static void is_time(ms_t got, const char *want)
{
	char text[TIME_TEXT];

	ck_assert_str_eq(time_format(got, text), time_format(at(want), (char[TIME_TEXT]){ 0 }));
}

static ms_t utc(ms_t t)
{
	return 0;
}

/* Berlin in 2026: +1 h, from 29 March 01:00 UTC to 25 October 01:00 UTC +2 h. */
static ms_t berlin(ms_t t)
{
	return (1 + (t >= AT("2026-03-29T01:00:00Z") && t < AT("2026-10-25T01:00:00Z"))) * MS_PER_HOUR;
}

/* Lord Howe Island: the change is of half an hour, at 02:00 on the wall. */
static ms_t lord_howe(ms_t t)
{
	return t >= AT("2026-04-04T15:00:00Z") && t < AT("2026-10-03T15:30:00Z") ? 630 * MS_PER_MINUTE : 11 * MS_PER_HOUR;
}

/* Samoa left out 30 December 2011. */
static ms_t samoa(ms_t t)
{
	return (t < AT("2011-12-30T10:00:00Z") ? -10 : 14) * MS_PER_HOUR;
}

static ms_t kiritimati(ms_t t)
{
	return 14 * MS_PER_HOUR;
}

static ms_t baker(ms_t t)
{
	return -12 * MS_PER_HOUR;
}

static const struct {
	struct schedule s;
	ms_t (*offset)(ms_t t);
	const char *now, *last, *next;
} rows[] = {
	{ MINUTELY, utc, "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:00Z", "2026-01-02T03:05:00Z" },
	{ MINUTELY, utc, "2026-01-02T03:04:00.000Z", "2026-01-02T03:04:00Z", "2026-01-02T03:05:00Z" },
	{ MINUTELY, utc, "2026-01-02T03:03:59.999Z", "2026-01-02T03:03:00Z", "2026-01-02T03:04:00Z" },
	{ MINUTELY, utc, "1969-12-31T23:59:30Z", "1969-12-31T23:59:00Z", "1970-01-01T00:00:00Z" },
	{ { .every_min = 10 }, berlin, "2026-01-02T03:04:05Z", "2026-01-02T03:00:00Z", "2026-01-02T03:10:00Z" },
	/* daily, far from any change */
	{ DAILY(2, 0), utc, "2026-01-02T02:00:00Z", "2026-01-02T02:00:00Z", "2026-01-03T02:00:00Z" },
	{ DAILY(2, 0), utc, "2026-01-02T01:59:59.999Z", "2026-01-01T02:00:00Z", "2026-01-02T02:00:00Z" },
	{ DAILY(2, 0), berlin, "2026-01-02T01:00:00Z", "2026-01-02T01:00:00Z", "2026-01-03T01:00:00Z" },
	{ DAILY(2, 0), berlin, "2026-07-02T12:00:00Z", "2026-07-02T00:00:00Z", "2026-07-03T00:00:00Z" },
	{ DAILY(0, 0), berlin, "2026-07-02T21:59:59Z", "2026-07-01T22:00:00Z", "2026-07-02T22:00:00Z" },
	{ DAILY(23, 59), kiritimati, "2026-01-02T09:58:59Z", "2026-01-01T09:59:00Z", "2026-01-02T09:59:00Z" },
	{ DAILY(0, 0), kiritimati, "2026-01-02T10:00:00Z", "2026-01-02T10:00:00Z", "2026-01-03T10:00:00Z" },
	{ DAILY(23, 59), baker, "2026-01-02T11:58:59Z", "2026-01-01T11:59:00Z", "2026-01-02T11:59:00Z" },
	/* spring: 02:00 to 03:00 on the wall is left out, so 02:30 is 03:30 that day */
	{ DAILY(2, 30), berlin, "2026-03-29T01:29:59Z", "2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z" },
	{ DAILY(2, 30), berlin, "2026-03-29T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z" },
	{ DAILY(2, 0), berlin, "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z" },
	{ DAILY(3, 0), berlin, "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z" },
	/* autumn: 02:00 to 03:00 comes twice, the first one counts */
	{ DAILY(2, 30), berlin, "2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z" },
	{ DAILY(2, 30), berlin, "2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z" },
	{ DAILY(2, 30), berlin, "2026-10-25T00:29:59Z", "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z" },
	{ DAILY(2, 0), berlin, "2026-10-25T00:59:00Z", "2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z" },
	{ DAILY(1, 45), lord_howe, "2026-04-04T14:50:00Z", "2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z" },
	{ DAILY(2, 15), lord_howe, "2026-10-03T15:50:00Z", "2026-10-03T15:45:00Z", "2026-10-04T15:15:00Z" },
	{ DAILY(12, 0), samoa, "2011-12-30T09:00:00Z", "2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z" },
	{ DAILY(12, 0), samoa, "2011-12-30T22:00:00Z", "2011-12-30T22:00:00Z", "2011-12-31T22:00:00Z" },
};

START_TEST(test_moments)
{
	is_time(schedule_last(&rows[_i].s, rows[_i].offset, AT(rows[_i].now)), rows[_i].last);
	is_time(schedule_next(&rows[_i].s, rows[_i].offset, AT(rows[_i].now)), rows[_i].next);
}
END_TEST

/* Whatever the clocks do, a daily time comes once on each day of the calendar, and last and next agree. */
START_TEST(test_once_a_day)
{
	for (unsigned at_min = 0; at_min < 24 * 60; at_min += 15) {
		struct schedule s = { .at_min = at_min };
		ms_t t = AT("2026-01-01T00:00:00Z"), first = schedule_next(&s, berlin, t);
		int n = 0;

		for (t = first; t < AT("2027-01-01T00:00:00Z"); n++) {
			ms_t next = schedule_next(&s, berlin, t);

			ck_assert(next - t >= 23 * MS_PER_HOUR && next - t <= 25 * MS_PER_HOUR);
			ck_assert_int_eq(schedule_last(&s, berlin, t), t);
			ck_assert_int_eq(schedule_last(&s, berlin, next - 1), t);
			ck_assert_int_eq(schedule_next(&s, berlin, next - 1), next);
			t = next;
		}
		ck_assert_int_ge(n, 364);
		ck_assert_int_le(n, 366);
	}
}
END_TEST

START_TEST(test_text)
{
	struct arena *a = arena_new(4096);

	unit_str(schedule_text(a, &(struct schedule)MINUTELY), "every minute");
	unit_str(schedule_text(a, &(struct schedule){ .every_min = 10 }), "every 10 minutes");
	unit_str(schedule_text(a, &(struct schedule)DAILY(2, 5)), "daily at 02:05");
	arena_free(a);
}
END_TEST

/* The system's own zone files, where they are installed. */
START_TEST(test_zone_of_the_system)
{
	const struct schedule s = DAILY(2, 30);

	ck_assert(zone_exists("UTC"));
	for (const char *const *bad = (const char *const[]){ "", "Nowhere/Town", "../../etc/passwd", "Europe", "/etc/localtime", NULL };
			*bad; bad++)
		ck_assert_msg(!zone_exists(*bad), "%s", *bad);
	if (!zone_exists("Europe/Berlin"))
		return;
	zone_set("Europe/Berlin");
	ck_assert_int_eq(zone_offset(AT("2026-01-02T03:04:05Z")), MS_PER_HOUR);
	is_time(schedule_next(&s, zone_offset, AT("2026-03-29T01:29:59Z")), "2026-03-29T01:30:00Z");
	is_time(schedule_next(&s, zone_offset, AT("2026-10-25T00:29:59Z")), "2026-10-25T00:30:00Z");
	zone_set("America/New_York");
	ck_assert_int_eq(zone_offset(AT("2026-07-02T03:04:05Z")), -4 * MS_PER_HOUR);
	zone_set("UTC");
	ck_assert_int_eq(zone_offset(AT("2026-07-02T03:04:05Z")), 0);
}
END_TEST

UNIT_MAIN("schedule", UNIT_ROWS(test_moments, rows), UNIT(test_once_a_day), UNIT(test_text), UNIT(test_zone_of_the_system))
