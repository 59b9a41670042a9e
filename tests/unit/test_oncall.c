/* Who is on call: rotations across changes of clocks, hours of days, layers, overrides; and spans that agree with single moments. */
#include "unit.h"

#include "grapnel/oncall.h"

enum { NOBODY, ANN, BOB, CEM };

#define USERS(...) .users = (const uint64_t[]){ __VA_ARGS__ }, .users_n = ARRAY_SIZE(((const uint64_t[]){ __VA_ARGS__ }))
#define ALWAYS .weekdays = ONCALL_ALL_DAYS
#define HOUR(h) ((h) * 60)
#define DAILY_ON(days, h) .unit = ONCALL_DAYS, .length = 1, .at_min = HOUR(h), .weekdays = days
#define DAILY(h) DAILY_ON(ONCALL_ALL_DAYS, h)
#define MONDAY 0
#define FRIDAY 4
#define WORKDAYS 31
#define WEEKEND 96

static struct arena *a;

static ms_t at(const char *text)
{
	ms_t t;

	if (!time_parse(str_of(text), &t))
		die("%s is no time", text);
	return t;
}

/* In days since 1970. */
static int64_t day(const char *date)
{
	char text[TIME_TEXT];

	snprintf(text, sizeof(text), "%sT00:00:00Z", date);
	return at(text) / MS_PER_DAY;
}

struct row {
	const char *name, *zone, *start;	/* the start of all its layers */
	struct oncall_layer layers[3];
	struct { uint64_t user; const char *from, *to; } overrides[3];
	struct { const char *t; uint64_t user; } look[9];
};

static const struct row rows[] = {
	{ "daily in UTC", "UTC", "2026-01-01", { { DAILY(9), USERS(ANN, BOB) } }, .look = {
		{ "2026-01-01T08:59:59Z", NOBODY }, { "2026-01-01T09:00:00Z", ANN }, { "2026-01-02T08:59:59.999Z", ANN },
		{ "2026-01-02T09:00:00Z", BOB }, { "2026-01-03T09:00:00Z", ANN }, { "2030-01-01T09:00:00Z", BOB } } },
	{ "09:00 stays 09:00 in spring", "Europe/Berlin", "2026-03-27", { { DAILY(9), USERS(ANN, BOB) } }, .look = {
		{ "2026-03-28T07:59:59Z", ANN }, { "2026-03-28T08:00:00Z", BOB }, { "2026-03-29T06:59:59Z", BOB },
		{ "2026-03-29T07:00:00Z", ANN }, { "2026-03-30T07:00:00Z", BOB } } },
	{ "and in autumn", "Europe/Berlin", "2026-10-24", { { DAILY(9), USERS(ANN, BOB) } }, .look = {
		{ "2026-10-24T07:00:00Z", ANN }, { "2026-10-25T07:59:59Z", ANN }, { "2026-10-25T08:00:00Z", BOB },
		{ "2026-10-26T08:00:00Z", ANN } } },
	{ "south of the equator", "Australia/Sydney", "2026-04-03", { { DAILY(9), USERS(ANN, BOB) } }, .look = {
		{ "2026-04-03T22:00:00Z", BOB }, { "2026-04-04T22:59:59Z", BOB }, { "2026-04-04T23:00:00Z", ANN },
		{ "2026-10-03T22:59:59Z", ANN } } },
	{ "half an hour", "Australia/Lord_Howe", "2026-10-02", { { DAILY(2), USERS(ANN, BOB) } }, .look = {
		/* 02:00 of 4 October is skipped: clocks call it 02:30 */
		{ "2026-10-02T15:30:00Z", BOB }, { "2026-10-03T15:29:59Z", BOB }, { "2026-10-03T15:30:00Z", ANN },
		{ "2026-10-04T15:00:00Z", BOB } } },
	{ "a zone of 45 minutes", "Asia/Kathmandu", "2026-01-01", { { DAILY(0), USERS(ANN, BOB) } }, .look = {
		{ "2025-12-31T18:14:59Z", NOBODY }, { "2025-12-31T18:15:00Z", ANN }, { "2026-01-01T18:15:00Z", BOB } } },
	{ "a time that comes twice is the first", "Europe/Berlin", "2026-10-24",
		{ { .unit = ONCALL_DAYS, .length = 1, .at_min = HOUR(2) + 30, ALWAYS, USERS(ANN, BOB) } }, .look = {
		{ "2026-10-25T00:29:59Z", ANN }, { "2026-10-25T00:30:00Z", BOB }, { "2026-10-25T01:15:00Z", BOB }, { "2026-10-25T01:30:00Z", BOB },
		{ "2026-10-26T01:29:59Z", BOB }, { "2026-10-26T01:30:00Z", ANN } } },
	{ "weekly, from its start to its weekday", "UTC", "2026-01-01" /* Thursday */,
		{ { .unit = ONCALL_WEEKS, .length = 1, .at_min = HOUR(8), .weekday = MONDAY, ALWAYS, USERS(ANN, BOB, CEM) } }, .look = {
		{ "2026-01-01T07:59:00Z", NOBODY }, { "2026-01-01T08:00:00Z", ANN }, { "2026-01-05T07:59:00Z", ANN },
		{ "2026-01-05T08:00:00Z", BOB }, { "2026-01-12T08:00:00Z", CEM }, { "2026-01-19T08:00:00Z", ANN } } },
	{ "weekly, from its weekday on", "UTC", "2026-01-02",
		{ { .unit = ONCALL_WEEKS, .length = 1, .weekday = FRIDAY, ALWAYS, USERS(ANN, BOB) } }, .look = {
		{ "2026-01-01T23:59:00Z", NOBODY }, { "2026-01-02T00:00:00Z", ANN }, { "2026-01-08T23:59:00Z", ANN }, { "2026-01-09T00:00:00Z", BOB } } },
	{ "every second week", "Europe/Berlin", "2026-03-16",
		{ { .unit = ONCALL_WEEKS, .length = 2, .at_min = HOUR(9), .weekday = MONDAY, ALWAYS, USERS(ANN, BOB) } }, .look = {
		{ "2026-03-16T08:00:00Z", ANN }, { "2026-03-30T06:59:59Z", ANN }, { "2026-03-30T07:00:00Z", BOB }, { "2026-04-13T07:00:00Z", ANN } } },
	{ "twelve hours: the same times across a change", "Europe/Berlin", "2026-03-28",
		{ { .unit = ONCALL_HOURS, .length = 12, .at_min = HOUR(9), ALWAYS, USERS(ANN, BOB) } }, .look = {
		{ "2026-03-28T08:00:00Z", ANN }, { "2026-03-28T20:00:00Z", BOB }, { "2026-03-29T06:59:59Z", BOB }, { "2026-03-29T07:00:00Z", ANN },
		{ "2026-03-29T19:00:00Z", BOB }, { "2026-03-30T07:00:00Z", ANN } } },
	{ "an hour that is left out is nobody's turn", "Europe/Berlin", "2026-03-29",
		{ { .unit = ONCALL_HOURS, .length = 1, ALWAYS, USERS(ANN, BOB, CEM) } }, .look = {
		{ "2026-03-28T23:00:00Z", ANN }, { "2026-03-29T00:30:00Z", BOB }, { "2026-03-29T01:00:00Z", ANN }, { "2026-03-29T02:00:00Z", BOB } } },
	{ "one that comes twice is one turn", "Europe/Berlin", "2026-10-25",
		{ { .unit = ONCALL_HOURS, .length = 1, ALWAYS, USERS(ANN, BOB, CEM) } }, .look = {
		{ "2026-10-25T00:00:00Z", CEM }, { "2026-10-25T01:30:00Z", CEM }, { "2026-10-25T02:00:00Z", ANN } } },
	{ "a leap day counts", "UTC", "2028-02-27", { { DAILY(0), USERS(ANN, BOB) } }, .look = {
		{ "2028-02-28T00:00:00Z", BOB }, { "2028-02-29T00:00:00Z", ANN }, { "2028-03-01T00:00:00Z", BOB } } },
	{ "days of its own length", "UTC", "2026-01-30",
		{ { .unit = ONCALL_DAYS, .length = 10, .at_min = HOUR(12), ALWAYS, USERS(ANN, BOB) } }, .look = {
		{ "2026-02-09T11:59:59Z", ANN }, { "2026-02-09T12:00:00Z", BOB }, { "2026-02-19T12:00:00Z", ANN } } },
	{ "working hours above, the rest below", "Europe/Berlin", "2026-01-01",
		{ { DAILY_ON(WORKDAYS, 0), USERS(ANN), .from_min = HOUR(8), .to_min = HOUR(18) }, { DAILY(0), USERS(BOB) } }, .look = {
		{ "2026-03-27T06:59:59Z", BOB }, { "2026-03-27T07:00:00Z", ANN }, { "2026-03-27T16:59:59Z", ANN }, { "2026-03-27T17:00:00Z", BOB },
		{ "2026-03-28T12:00:00Z", BOB }, { "2026-03-30T05:59:59Z", BOB }, { "2026-03-30T06:00:00Z", ANN }, { "2026-03-30T16:00:00Z", BOB } } },
	{ "nights belong to the day on which they begin", "UTC", "2026-01-01",
		{ { DAILY_ON(1 << FRIDAY, 0), USERS(ANN), .from_min = HOUR(22), .to_min = HOUR(6) } }, .look = {
		{ "2026-01-02T05:00:00Z", NOBODY }, { "2026-01-02T22:00:00Z", ANN }, { "2026-01-03T05:59:59Z", ANN }, { "2026-01-03T06:00:00Z", NOBODY },
		{ "2026-01-03T22:00:00Z", NOBODY } } },
	{ "whole days", "UTC", "2026-01-01", { { DAILY_ON(WEEKEND, 0), USERS(ANN) } }, .look = {
		{ "2026-01-02T23:59:59Z", NOBODY }, { "2026-01-03T00:00:00Z", ANN }, { "2026-01-04T23:59:59Z", ANN }, { "2026-01-05T00:00:00Z", NOBODY } } },
	{ "a layer without users is as if it were not there", "UTC", "2026-01-01", { { DAILY(0) }, { DAILY(0), USERS(BOB) } }, .look = {
		{ "2026-01-01T00:00:00Z", BOB } } },
	{ "no layer at all", "UTC", "2026-01-01", .look = { { "2026-01-01T00:00:00Z", NOBODY } } },
	{ "who is disabled: the next one has his turn, others keep theirs", "UTC", "2026-01-01", { { DAILY(0), USERS(ANN, NOBODY, CEM) } }, .look = {
		{ "2026-01-01T00:00:00Z", ANN }, { "2026-01-02T00:00:00Z", CEM }, { "2026-01-03T00:00:00Z", CEM }, { "2026-01-04T00:00:00Z", ANN } } },
	{ "all disabled: the layer below", "UTC", "2026-01-01", { { DAILY(0), USERS(NOBODY, NOBODY) }, { DAILY(0), USERS(CEM) } }, .look = {
		{ "2026-01-02T00:00:00Z", CEM } } },
	{ "an override across a hand-over", "Europe/Berlin", "2026-01-01", { { DAILY(9), USERS(ANN, BOB) } },
		{ { CEM, "2026-01-02T07:00:00Z", "2026-01-02T10:00:00Z" } }, {
		{ "2026-01-02T06:59:59Z", ANN }, { "2026-01-02T07:00:00Z", CEM }, { "2026-01-02T09:59:59.999Z", CEM }, { "2026-01-02T10:00:00Z", BOB } } },
	{ "the later one of two overrides", "UTC", "2026-01-01", { { DAILY(0), USERS(ANN) } },
		{ { BOB, "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z" }, { CEM, "2026-01-02T12:00:00Z", "2026-01-02T13:00:00Z" } }, {
		{ "2026-01-02T11:59:59Z", BOB }, { "2026-01-02T12:00:00Z", CEM }, { "2026-01-02T13:00:00Z", BOB }, { "2026-01-03T00:00:00Z", ANN } } },
	{ "an override of somebody who is disabled is none", "UTC", "2026-01-01", { { DAILY(0), USERS(ANN) } },
		{ { NOBODY, "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z" } }, { { "2026-01-02T11:59:59Z", ANN } } },
	{ "an override where nobody is, and before the start", "UTC", "2026-01-01", { { DAILY(0) } },
		{ { BOB, "2025-01-02T00:00:00Z", "2025-01-03T00:00:00Z" } }, { { "2025-01-02T00:00:00Z", BOB }, { "2025-01-03T00:00:00Z", NOBODY } } },
};

static struct oncall_plan plan_of(const struct row *r)
{
	struct oncall_layer *layers = ARENA_ARRAY(a, struct oncall_layer, ARRAY_SIZE(r->layers));
	struct oncall_override *overrides = ARENA_ARRAY(a, struct oncall_override, ARRAY_SIZE(r->overrides));
	struct oncall_plan p = { .zone = zone_read(a, str_of(r->zone)), .layers = layers, .overrides = overrides };

	for (size_t i = 0; i < ARRAY_SIZE(r->layers) && r->layers[i].unit; i++) {
		layers[i] = r->layers[i];
		layers[i].start_day = day(r->start);
		p.layers_n++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(r->overrides) && r->overrides[i].from; i++)
		overrides[p.overrides_n++] = (struct oncall_override){ i + 1, r->overrides[i].user, at(r->overrides[i].from), at(r->overrides[i].to) };
	return p;
}

START_TEST(test_who)
{
	const struct row *r = &rows[_i];
	struct oncall_plan p;

	if (!zone_exists(r->zone))
		return;		/* no zone files here */
	a = arena_new(1 << 24);
	p = plan_of(r);
	for (size_t i = 0; i < ARRAY_SIZE(r->look) && r->look[i].t; i++) {
		struct oncall_duty d = oncall_at(&p, at(r->look[i].t));

		ck_assert_msg(d.user == r->look[i].user, "%s, %s: %llu, want %llu", r->name, r->look[i].t, (unsigned long long)d.user,
			(unsigned long long)r->look[i].user);
	}
	arena_free(a);
}
END_TEST

START_TEST(test_until)
{
	struct oncall_plan p;
	ms_t limit = at("2027-01-01T00:00:00Z");

	a = arena_new(1 << 24);
	p = plan_of(&rows[0]);
	ck_assert_int_eq(oncall_until(&p, at("2026-01-01T10:00:00Z"), limit), at("2026-01-02T09:00:00Z"));
	ck_assert_int_eq(oncall_until(&p, at("2025-01-01T10:00:00Z"), limit), at("2026-01-01T09:00:00Z"));
	ck_assert_int_eq(oncall_until(&p, at("2026-12-31T10:00:00Z"), limit), limit);
	p = plan_of(&(struct row){ .zone = "UTC", .start = "2026-01-01", .layers = { { DAILY(9), USERS(ANN, ANN) } } });
	ck_assert_int_eq(oncall_until(&p, at("2026-01-01T10:00:00Z"), limit), limit);
	p = plan_of(&(struct row){ .zone = "UTC", .start = "2026-01-01" });
	ck_assert_int_eq(oncall_until(&p, at("2026-01-01T10:00:00Z"), limit), limit);
	arena_free(a);
}
END_TEST

/* ---- spans ---- */

static uint64_t below(uint64_t n)
{
	return (uint64_t)random() % n;
}

static struct oncall_layer random_layer(int64_t around)
{
	static const uint64_t mins[] = { 0, HOUR(9), HOUR(2) + 30, HOUR(23) + 59, 1 };
	uint64_t *users = ARENA_ARRAY(a, uint64_t, 5);
	struct oncall_layer l = { .unit = 1 + below(3), .length = 1 + below(40), .at_min = mins[below(5)], .weekday = below(7),
		.start_day = around + (int64_t)below(20) - 15, .weekdays = below(2) ? ONCALL_ALL_DAYS : below(128), .users = users, .users_n = below(6) };

	if (below(2)) {
		l.from_min = mins[below(5)];
		l.to_min = mins[below(5)];
	}
	for (size_t i = 0; i < l.users_n; i++)
		users[i] = below(4);
	return l;
}

static const char *const zones[] = { "UTC", "Europe/Berlin", "Australia/Sydney", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana",
	"America/Santiago", "America/Nuuk", "Antarctica/Troll", "Pacific/Chatham" };
#define PLANS 60

static struct oncall_plan random_plan(const char *zone, int64_t around)
{
	struct oncall_layer *layers = ARENA_ARRAY(a, struct oncall_layer, 4);
	struct oncall_override *overrides = ARENA_ARRAY(a, struct oncall_override, 4);
	struct oncall_plan p = { .zone = zone_read(a, str_of(zone)), .layers = layers, .layers_n = below(5), .overrides = overrides, .overrides_n = below(5) };

	for (size_t i = 0; i < p.layers_n; i++)
		layers[i] = random_layer(around);
	for (size_t i = 0; i < p.overrides_n; i++) {
		ms_t from = around * MS_PER_DAY + (ms_t)below(30 * MS_PER_DAY);

		overrides[i] = (struct oncall_override){ i + 1, below(4), from, from + (ms_t)below(5 * MS_PER_DAY) };
	}
	return p;
}

static void spans_agree(const struct oncall_plan *p, ms_t from, ms_t to)
{
	struct oncall_span *s;
	size_t n;

	oncall_spans(a, p, from, to, &s, &n);
	ck_assert_uint_ge(n, 1);
	ck_assert_int_eq(s[0].from, from);
	ck_assert_int_eq(s[n - 1].to, to);
	for (size_t i = 0; i < n; i++) {
		ms_t moments[] = { s[i].from, s[i].to - 1, s[i].from + (ms_t)below((uint64_t)(s[i].to - s[i].from)) };

		ck_assert_int_lt(s[i].from, s[i].to);
		if (i) {
			ck_assert_int_eq(s[i].from, s[i - 1].to);
			ck_assert(s[i].duty.user != s[i - 1].duty.user || s[i].duty.layer != s[i - 1].duty.layer ||
				s[i].duty.override != s[i - 1].duty.override);
		}
		for (size_t k = 0; k < ARRAY_SIZE(moments); k++) {
			struct oncall_duty d = oncall_at(p, moments[k]);

			ck_assert_uint_eq(d.user, s[i].duty.user);
			ck_assert_uint_eq(d.layer, s[i].duty.layer);
			ck_assert_uint_eq(d.override, s[i].duty.override);
		}
	}
	for (size_t i = 0; i < 200; i++) {
		ms_t t = from + (ms_t)below((uint64_t)(to - from));
		size_t k = 0;

		while (s[k].to <= t)
			k++;
		ck_assert_uint_eq(oncall_at(p, t).user, s[k].duty.user);
		ck_assert(oncall_until(p, t, to) >= s[k].to);
	}
}

/* Windows of a month around both changes of clocks of a year. */
START_TEST(test_spans_tile_the_window)
{
	static const char *const around[] = { "2026-03-20", "2026-10-15", "2028-02-20" };

	if (!zone_exists(zones[_i]))
		return;
	srandom((unsigned)_i);
	for (int i = 0; i < PLANS; i++) {
		int64_t first = day(around[below(ARRAY_SIZE(around))]);
		struct oncall_plan p;
		ms_t from = first * MS_PER_DAY + (ms_t)below(MS_PER_DAY);

		a = arena_new(1 << 24);
		p = random_plan(zones[_i], first);
		spans_agree(&p, from, from + (ms_t)(1 + below(40 * MS_PER_DAY)));
		arena_free(a);
	}
}
END_TEST

/* Whatever the clocks do: a daily hand-over is at its time on the wall, but where that time is skipped. */
START_TEST(test_hand_over_stays)
{
	struct oncall_plan p;
	struct oncall_span *s;
	size_t n;

	if (!zone_exists(zones[_i]))
		return;
	a = arena_new(1 << 24);
	p = plan_of(&(struct row){ .zone = zones[_i], .start = "2026-01-01", .layers = { { DAILY(9), USERS(ANN, BOB) } } });
	oncall_spans(a, &p, at("2026-02-01T00:00:00Z"), at("2030-02-01T00:00:00Z"), &s, &n);
	ck_assert_int_ge((int)n, 365 * 4);
	for (size_t i = 1; i < n; i++)
		ck_assert_int_eq((s[i].from + zone_ahead(p.zone, s[i].from)) % MS_PER_DAY, 9 * MS_PER_HOUR);
	arena_free(a);
}
END_TEST

START_TEST(test_weekday)
{
	ck_assert_uint_eq(oncall_weekday(day("2026-11-22")), 6);
	ck_assert_uint_eq(oncall_weekday(day("2026-11-23")), 0);
	ck_assert_uint_eq(oncall_weekday(-4), 6);
}
END_TEST

UNIT_MAIN("oncall", UNIT_ROWS(test_who, rows), UNIT(test_until), UNIT_ROWS(test_spans_tile_the_window, zones), UNIT_ROWS(test_hand_over_stays, zones),
	UNIT(test_weekday))
