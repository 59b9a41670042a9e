/* When maintenance windows and silences run, and what they cover. */
#include "unit.h"

#include "grapnel/incident.h"

#define MON 1
#define TUE 2
#define FRI 16
#define SAT 32
#define SUN 64

static struct arena *a;

static ms_t at(const char *text)
{
	ms_t t = 0;

	if (text && !time_parse(str_of(text), &t))
		die("%s is no time", text);
	return t;
}

#define DAILY(h, m, n) HUSH_DAILY, .at_min = (h) * 60 + (m), .minutes = n
#define WEEKLY(days, h, m, n) HUSH_WEEKLY, .at_min = (h) * 60 + (m), .minutes = n, .weekdays = days
#define MONTH_DAY(day, h, m, n) HUSH_MONTHLY, .at_min = (h) * 60 + (m), .minutes = n, .month_day = day
#define MONTH_WEEK(week, weekday, h, m, n) HUSH_MONTHLY, .at_min = (h) * 60 + (m), .minutes = n, .month_week = week, .weekdays = weekday

/* At `now` it runs ("+" and its span), or comes ("-" and its span), or is over (""). */
static const struct {
	const char *name, *zone;
	enum hush_repeat repeat;
	uint64_t at_min, minutes, weekdays, month_week, month_day;
	const char *from, *to, *ended;
	const char *now, *want;
} spans[] = {
	/* once */
	{ "before it", NULL, HUSH_ONCE, .from = "2026-05-01T10:00:00Z", .to = "2026-05-01T12:00:00Z", .now = "2026-05-01T09:59:59.999Z",
		.want = "-2026-05-01T10:00:00.000Z 2026-05-01T12:00:00.000Z" },
	{ "its first moment", NULL, HUSH_ONCE, .from = "2026-05-01T10:00:00Z", .to = "2026-05-01T12:00:00Z", .now = "2026-05-01T10:00:00Z",
		.want = "+2026-05-01T10:00:00.000Z 2026-05-01T12:00:00.000Z" },
	{ "its end is not part of it", NULL, HUSH_ONCE, .from = "2026-05-01T10:00:00Z", .to = "2026-05-01T12:00:00Z", .now = "2026-05-01T12:00:00Z",
		.want = "" },
	{ "ended early", NULL, HUSH_ONCE, .from = "2026-05-01T10:00:00Z", .to = "2026-05-01T12:00:00Z", .ended = "2026-05-01T11:00:00Z",
		.now = "2026-05-01T11:00:00Z", .want = "" },
	{ "before it was ended early", NULL, HUSH_ONCE, .from = "2026-05-01T10:00:00Z", .to = "2026-05-01T12:00:00Z", .ended = "2026-05-01T11:00:00Z",
		.now = "2026-05-01T10:59:59Z", .want = "+2026-05-01T10:00:00.000Z 2026-05-01T11:00:00.000Z" },

	/* daily */
	{ "daily, before", "UTC", DAILY(2, 0, 60), .now = "2026-05-01T01:00:00Z", .want = "-2026-05-01T02:00:00.000Z 2026-05-01T03:00:00.000Z" },
	{ "daily, in it", "UTC", DAILY(2, 0, 60), .now = "2026-05-01T02:00:00Z", .want = "+2026-05-01T02:00:00.000Z 2026-05-01T03:00:00.000Z" },
	{ "daily, after", "UTC", DAILY(2, 0, 60), .now = "2026-05-01T03:00:00Z", .want = "-2026-05-02T02:00:00.000Z 2026-05-02T03:00:00.000Z" },
	{ "across midnight, the evening", "UTC", DAILY(23, 30, 60), .now = "2026-05-01T23:45:00Z",
		.want = "+2026-05-01T23:30:00.000Z 2026-05-02T00:30:00.000Z" },
	{ "across midnight, the night", "UTC", DAILY(23, 30, 60), .now = "2026-05-02T00:15:00Z",
		.want = "+2026-05-01T23:30:00.000Z 2026-05-02T00:30:00.000Z" },
	{ "across the year", "UTC", DAILY(23, 30, 60), .now = "2027-01-01T00:15:00Z", .want = "+2026-12-31T23:30:00.000Z 2027-01-01T00:30:00.000Z" },
	{ "the whole day: of two the one that ends last", "UTC", DAILY(2, 0, 1440), .now = "2026-05-02T02:00:00Z",
		.want = "+2026-05-02T02:00:00.000Z 2026-05-03T02:00:00.000Z" },
	{ "far east", "Pacific/Kiritimati", DAILY(1, 0, 30), .now = "2026-05-01T11:10:00Z", .want = "+2026-05-01T11:00:00.000Z 2026-05-01T11:30:00.000Z" },
	{ "far west", "Etc/GMT+12", DAILY(23, 0, 30), .now = "2026-05-02T11:10:00Z", .want = "+2026-05-02T11:00:00.000Z 2026-05-02T11:30:00.000Z" },
	{ "not before its first day", "UTC", DAILY(2, 0, 60), .from = "2026-06-10T00:00:00Z", .now = "2026-05-01T02:30:00Z",
		.want = "-2026-06-10T02:00:00.000Z 2026-06-10T03:00:00.000Z" },
	{ "one that begins before its first moment is none", "UTC", DAILY(2, 0, 60), .from = "2026-06-10T02:30:00Z", .now = "2026-06-10T02:45:00Z",
		.want = "-2026-06-11T02:00:00.000Z 2026-06-11T03:00:00.000Z" },
	{ "the last one", "UTC", DAILY(2, 0, 60), .to = "2026-05-01T02:00:01Z", .now = "2026-05-01T02:30:00Z",
		.want = "+2026-05-01T02:00:00.000Z 2026-05-01T03:00:00.000Z" },
	{ "none after its end", "UTC", DAILY(2, 0, 60), .to = "2026-05-01T02:00:01Z", .now = "2026-05-01T03:00:00Z", .want = "" },
	{ "none at its end", "UTC", DAILY(2, 0, 60), .to = "2026-05-01T02:00:00Z", .now = "2026-05-01T01:00:00Z", .want = "" },
	{ "ended early, the next one comes all the same", "UTC", DAILY(2, 0, 60), .ended = "2026-05-01T02:10:00Z", .now = "2026-05-01T02:10:00Z",
		.want = "-2026-05-02T02:00:00.000Z 2026-05-02T03:00:00.000Z" },
	{ "ended early once, the next one is whole", "UTC", DAILY(2, 0, 60), .ended = "2026-05-01T02:10:00Z", .now = "2026-05-02T02:30:00Z",
		.want = "+2026-05-02T02:00:00.000Z 2026-05-02T03:00:00.000Z" },

	/* clocks change: Berlin leaves out 02:00 to 03:00 on 29 March, and has it twice on 25 October */
	{ "winter", "Europe/Berlin", DAILY(2, 0, 60), .now = "2026-03-28T01:00:00Z", .want = "+2026-03-28T01:00:00.000Z 2026-03-28T02:00:00.000Z" },
	{ "summer", "Europe/Berlin", DAILY(2, 0, 60), .now = "2026-03-30T00:00:00Z", .want = "+2026-03-30T00:00:00.000Z 2026-03-30T01:00:00.000Z" },
	{ "a skipped time", "Europe/Berlin", DAILY(2, 30, 60), .now = "2026-03-29T00:00:00Z",
		.want = "-2026-03-29T01:30:00.000Z 2026-03-29T02:30:00.000Z" },
	{ "across the hour that is left out", "Europe/Berlin", DAILY(1, 30, 60), .now = "2026-03-29T01:15:00Z",
		.want = "+2026-03-29T00:30:00.000Z 2026-03-29T01:30:00.000Z" },
	{ "of two the first", "Europe/Berlin", DAILY(2, 30, 60), .now = "2026-10-25T00:00:00Z",
		.want = "-2026-10-25T00:30:00.000Z 2026-10-25T01:30:00.000Z" },
	{ "and not the second", "Europe/Berlin", DAILY(2, 30, 60), .now = "2026-10-25T01:30:00Z",
		.want = "-2026-10-26T01:30:00.000Z 2026-10-26T02:30:00.000Z" },
	{ "real minutes, not those of the wall", "Europe/Berlin", DAILY(1, 0, 180), .now = "2026-10-25T01:59:59Z",
		.want = "+2026-10-24T23:00:00.000Z 2026-10-25T02:00:00.000Z" },
	{ "weekly through the change", "Europe/Berlin", WEEKLY(SUN, 1, 0, 240), .now = "2026-03-29T03:30:00Z",
		.want = "+2026-03-29T00:00:00.000Z 2026-03-29T04:00:00.000Z" },
	{ "south of the equator", "Australia/Sydney", DAILY(2, 0, 60), .now = "2026-04-05T16:30:00Z",
		.want = "+2026-04-05T16:00:00.000Z 2026-04-05T17:00:00.000Z" },
	{ "years ahead, by the rule", "Europe/Berlin", DAILY(2, 0, 60), .now = "2060-07-01T00:00:00Z",
		.want = "+2060-07-01T00:00:00.000Z 2060-07-01T01:00:00.000Z" },

	/* weekly; 1 May 2026 is a Friday */
	{ "weekly, before", "UTC", WEEKLY(SUN, 2, 0, 60), .now = "2026-05-01T00:00:00Z", .want = "-2026-05-03T02:00:00.000Z 2026-05-03T03:00:00.000Z" },
	{ "weekly, just over", "UTC", WEEKLY(FRI, 2, 0, 60), .now = "2026-05-01T03:00:00Z",
		.want = "-2026-05-08T02:00:00.000Z 2026-05-08T03:00:00.000Z" },
	{ "two days a week", "UTC", WEEKLY(TUE | FRI, 2, 0, 60), .now = "2026-05-01T03:00:00Z",
		.want = "-2026-05-05T02:00:00.000Z 2026-05-05T03:00:00.000Z" },
	{ "over the weekend", "UTC", WEEKLY(FRI, 18, 0, 3720), .now = "2026-05-04T07:59:59Z",
		.want = "+2026-05-01T18:00:00.000Z 2026-05-04T08:00:00.000Z" },
	{ "a whole week", "UTC", WEEKLY(MON, 0, 0, 10080), .now = "2026-05-10T23:59:59Z", .want = "+2026-05-04T00:00:00.000Z 2026-05-11T00:00:00.000Z" },
	{ "overlapping ones", "UTC", WEEKLY(SAT | SUN, 0, 0, 2880), .now = "2026-05-03T12:00:00Z",
		.want = "+2026-05-03T00:00:00.000Z 2026-05-05T00:00:00.000Z" },
	{ "the weekday of the zone, not of UTC", "Pacific/Auckland", WEEKLY(MON, 8, 0, 60), .now = "2026-05-03T20:30:00Z",
		.want = "+2026-05-03T20:00:00.000Z 2026-05-03T21:00:00.000Z" },

	/* monthly */
	{ "by day", "UTC", MONTH_DAY(15, 2, 0, 60), .now = "2026-05-15T03:00:00Z", .want = "-2026-06-15T02:00:00.000Z 2026-06-15T03:00:00.000Z" },
	{ "31st of a long month", "UTC", MONTH_DAY(31, 2, 0, 60), .now = "2026-05-31T02:30:00Z",
		.want = "+2026-05-31T02:00:00.000Z 2026-05-31T03:00:00.000Z" },
	{ "31st of a short one is its last day", "UTC", MONTH_DAY(31, 2, 0, 60), .now = "2026-06-01T00:00:00Z",
		.want = "-2026-06-30T02:00:00.000Z 2026-06-30T03:00:00.000Z" },
	{ "30th of February", "UTC", MONTH_DAY(30, 2, 0, 60), .now = "2026-02-01T00:00:00Z", .want = "-2026-02-28T02:00:00.000Z 2026-02-28T03:00:00.000Z" },
	{ "of a leap year", "UTC", MONTH_DAY(30, 2, 0, 60), .now = "2028-02-01T00:00:00Z", .want = "-2028-02-29T02:00:00.000Z 2028-02-29T03:00:00.000Z" },
	{ "over the end of the month", "UTC", MONTH_DAY(31, 23, 0, 120), .now = "2026-07-01T00:30:00Z",
		.want = "+2026-06-30T23:00:00.000Z 2026-07-01T01:00:00.000Z" },
	{ "second Tuesday", "UTC", MONTH_WEEK(2, TUE, 2, 0, 60), .now = "2026-05-01T00:00:00Z", .want = "-2026-05-12T02:00:00.000Z 2026-05-12T03:00:00.000Z" },
	{ "first Friday is the first of the month", "UTC", MONTH_WEEK(1, FRI, 2, 0, 60), .now = "2026-05-01T02:30:00Z",
		.want = "+2026-05-01T02:00:00.000Z 2026-05-01T03:00:00.000Z" },
	{ "the next first Friday", "UTC", MONTH_WEEK(1, FRI, 2, 0, 60), .now = "2026-05-01T03:00:00Z",
		.want = "-2026-06-05T02:00:00.000Z 2026-06-05T03:00:00.000Z" },
	{ "last Sunday of five", "UTC", MONTH_WEEK(HUSH_LAST_WEEK, SUN, 2, 0, 60), .now = "2026-05-01T00:00:00Z",
		.want = "-2026-05-31T02:00:00.000Z 2026-05-31T03:00:00.000Z" },
	{ "last Sunday of four", "UTC", MONTH_WEEK(HUSH_LAST_WEEK, SUN, 2, 0, 60), .now = "2026-06-01T00:00:00Z",
		.want = "-2026-06-28T02:00:00.000Z 2026-06-28T03:00:00.000Z" },
	{ "last Sunday of March, when clocks change", "Europe/Berlin", MONTH_WEEK(HUSH_LAST_WEEK, SUN, 2, 15, 60), .now = "2026-03-29T01:20:00Z",
		.want = "+2026-03-29T01:15:00.000Z 2026-03-29T02:15:00.000Z" },
};

START_TEST(test_span)
{
	struct hush_times t = { spans[_i].repeat, at(spans[_i].from), at(spans[_i].to), spans[_i].at_min, spans[_i].minutes, spans[_i].weekdays,
		spans[_i].month_week, spans[_i].month_day, at(spans[_i].ended) };
	char from[TIME_TEXT], to[TIME_TEXT];
	struct hush_span s;
	ms_t now = at(spans[_i].now), until = 0;
	struct str got = STR("");

	a = arena_new(1 << 20);
	t.zone = spans[_i].zone ? zone_read(a, str_of(spans[_i].zone)) : NULL;
	ck_assert_msg(!spans[_i].zone || t.zone, "%s: no zone %s", spans[_i].name, spans[_i].zone);
	if (hush_span(&t, now, &s))
		got = arena_printf(a, "%c%s %s", s.from <= now ? '+' : '-', time_format(s.from, from), time_format(s.to, to));
	ck_assert_msg(str_eqs(got, spans[_i].want), "%s: got %.*s", spans[_i].name, STR_ARG(got));
	ck_assert_int_eq(hush_runs(&t, now, &until), got.n && got.p[0] == '+');
	if (got.n)
		ck_assert(got.p[0] == '+' ? until == s.to : !until);
	ck_assert_int_eq(hush_over_at(&t) > now, got.n > 0);
	arena_free(a);
}
END_TEST

static const struct {
	struct hush_scope scope;
	bool covers;
} scopes[] = {
	{ { 0 }, true },
	{ { .service_id = 3 }, true },
	{ { .service_id = 4 }, false },
	{ { .source_id = 5 }, true },
	{ { .source_id = 6 }, false },
	{ { .provider = STR("prometheus") }, true },
	{ { .provider = STR("grafana") }, false },
	{ { .level_max = LEVEL_HIGH + 1 }, true },
	{ { .level_max = LEVEL_CRITICAL + 1 }, true },
	{ { .level_max = LEVEL_MEDIUM + 1 }, false },
	{ { .dedup_key = STR("prometheus:disk/web01") }, true },
	{ { .dedup_key = STR("prometheus:disk/web0") }, false },
	{ { .dedup_key = STR("prometheus:disk/web011") }, false },
	{ { .dedup_key = STR("prometheus:DISK/web01") }, false },
	{ { .dedup_key = STR("*") }, true },
	{ { .dedup_key = STR("**") }, true },
	{ { .dedup_key = STR("prometheus:disk/*") }, true },
	{ { .dedup_key = STR("*/web01") }, true },
	{ { .dedup_key = STR("*disk*") }, true },
	{ { .dedup_key = STR("prometheus:*/web*1") }, true },
	{ { .dedup_key = STR("prometheus:*/web*2") }, false },
	{ { .dedup_key = STR("prometheus:disk/web01*") }, true },
	{ { .dedup_key = STR("*s*s*") }, true },
	{ { .dedup_key = STR("*s*s*s*") }, false },
	{ { .dedup_key = STR("disk*") }, false },
	{ { .service_id = 3, .source_id = 5, .provider = STR("prometheus"), .level_max = LEVEL_HIGH + 1, .dedup_key = STR("*disk*") }, true },
	{ { .service_id = 3, .source_id = 5, .provider = STR("prometheus"), .level_max = LEVEL_LOW + 1, .dedup_key = STR("*disk*") }, false },
};

START_TEST(test_scope)
{
	const struct hush_subject x = { 3, 5, STR("prometheus:disk/web01"), STR("prometheus"), LEVEL_HIGH };

	ck_assert_int_eq(hush_covers(&scopes[_i].scope, &x), scopes[_i].covers);
	ck_assert_int_eq(hush_scope_is_empty(&scopes[_i].scope), !_i);
}
END_TEST

START_TEST(of_several_the_one_that_ends_last_holds)
{
	const struct hush list[] = {
		{ .id = 1, .times = { .from = 1000, .to = 3000 } },
		{ .id = 2, .times = { .from = 1500, .to = 9000 }, .scope.service_id = 7 },
		{ .id = 3, .times = { .from = 2000, .to = 5000 }, .scope.level_max = LEVEL_LOW + 1 },
		{ .id = 4, .times = { .from = 2000, .to = 4000 } },
	};
	struct hush_subject x = { .service_id = 3, .level = LEVEL_LOW };
	ms_t until = 1;

	ck_assert(!hush_match(list, ARRAY_SIZE(list), &x, 999, &until) && until == 1);
	ck_assert(hush_match(list, ARRAY_SIZE(list), &x, 1999, &until) == &list[0] && until == 3000);
	ck_assert(hush_match(list, ARRAY_SIZE(list), &x, 2000, &until) == &list[2] && until == 5000);
	x.level = LEVEL_MEDIUM;
	ck_assert(hush_match(list, ARRAY_SIZE(list), &x, 2000, &until) == &list[3] && until == 4000);
	x.service_id = 7;
	ck_assert(hush_match(list, ARRAY_SIZE(list), &x, 2000, &until) == &list[1] && until == 9000);
	ck_assert(!hush_match(list, ARRAY_SIZE(list), &x, 9000, &until));
}
END_TEST

static const struct {
	struct hush_times t;
	const char *want;
} texts[] = {
	{ { HUSH_ONCE }, NULL },
	{ { DAILY(2, 5, 90) }, "daily at 02:05 for 90 minutes, Europe/Berlin" },
	{ { WEEKLY(MON | SUN, 23, 0, 60) }, "weekly on Monday, Sunday at 23:00 for 1 hour, Europe/Berlin" },
	{ { MONTH_DAY(31, 0, 0, 240) }, "monthly on day 31 at 00:00 for 4 hours, Europe/Berlin" },
	{ { MONTH_WEEK(2, TUE, 20, 30, 120) }, "monthly on the second Tuesday at 20:30 for 2 hours, Europe/Berlin" },
	{ { MONTH_WEEK(HUSH_LAST_WEEK, SAT, 20, 30, 120) }, "monthly on the last Saturday at 20:30 for 2 hours, Europe/Berlin" },
};

START_TEST(test_text)
{
	a = arena_new(1 << 20);
	unit_str(hush_times_text(a, &texts[_i].t, STR("Europe/Berlin")), texts[_i].want);
	arena_free(a);
}
END_TEST

UNIT_MAIN("hush", UNIT_ROWS(test_span, spans), UNIT_ROWS(test_scope, scopes), UNIT(of_several_the_one_that_ends_last_holds), UNIT_ROWS(test_text, texts))
