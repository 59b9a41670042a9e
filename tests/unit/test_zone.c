/* Zones by name: the same as the C library says, for many zones and moments; local times back into moments. */
#include "unit.h"

static struct arena *a;

static ms_t at(const char *text)
{
	ms_t t;

	if (!time_parse(str_of(text), &t))
		die("%s is no time", text);
	return t;
}

static const struct zone *zone(const char *name)
{
	const struct zone *z = zone_read(a, str_of(name));

	ck_assert_msg(z, "%s", name);
	return z;
}

static void setup(void)
{
	a = arena_new(1 << 20);
}

/* North, south, half hours, no summer time any more, changes at midnight and before it, a day left out, a summer time that is winter's. */
static const char *const names[] = {
	"Europe/Berlin", "Europe/Dublin", "Europe/London", "America/New_York", "America/Nuuk", "America/Havana", "America/Santiago",
	"America/St_Johns", "America/Sao_Paulo", "Australia/Lord_Howe", "Australia/Sydney", "Pacific/Auckland", "Pacific/Chatham",
	"Pacific/Apia", "Pacific/Kiritimati", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Asia/Beirut", "Africa/Casablanca",
	"Antarctica/Troll", "Etc/GMT+12", "EST5EDT", "UTC",
};

/* 300 years, and around each change the seconds beside it. */
START_TEST(test_as_the_c_library)
{
	const struct zone *z;
	ms_t last = at("2199-12-31T00:00:00Z");

	setup();
	if (!zone_exists(names[_i]))
		return;		/* no zone files here */
	z = zone(names[_i]);
	zone_set(names[_i]);
	srandom((unsigned)_i);
	for (ms_t t = at("1900-01-01T00:00:00Z"); t < last; t += (random() % 200) * MS_PER_HOUR + random() % MS_PER_HOUR) {
		ms_t want = zone_offset(t);

		ck_assert_msg(zone_ahead(z, t) == want, "%s at %lld: %lld, want %lld", names[_i], (long long)t, (long long)zone_ahead(z, t),
			(long long)want);
	}
	for (ms_t t = at("2020-01-01T00:00:00Z"); t < at("2045-01-01T00:00:00Z"); t += MS_PER_HOUR / 2) {
		ck_assert_int_eq(zone_ahead(z, t), zone_offset(t));
		ck_assert_int_eq(zone_ahead(z, t - 1), zone_offset(t - 1));
	}
	arena_free(a);
}
END_TEST

static const struct {
	const char *zone, *wall, *moment;
} walls[] = {
	{ "UTC", "2026-03-29T02:30:00Z", "2026-03-29T02:30:00Z" },
	{ "Europe/Berlin", "2026-03-29T01:59:59Z", "2026-03-29T00:59:59Z" },
	{ "Europe/Berlin", "2026-03-29T02:30:00Z", "2026-03-29T01:30:00Z" },	/* skipped */
	{ "Europe/Berlin", "2026-03-29T03:00:00Z", "2026-03-29T01:00:00Z" },
	{ "Europe/Berlin", "2026-10-25T02:30:00Z", "2026-10-25T00:30:00Z" },	/* comes twice */
	{ "Europe/Berlin", "2026-10-25T03:00:00Z", "2026-10-25T02:00:00Z" },
	{ "Europe/Berlin", "2096-07-01T12:00:00Z", "2096-07-01T10:00:00Z" },	/* by the rule at the end of the file */
	{ "Australia/Lord_Howe", "2026-10-04T02:15:00Z", "2026-10-03T15:45:00Z" },
	{ "Asia/Kathmandu", "2026-01-01T00:00:00Z", "2025-12-31T18:15:00Z" },
	{ "America/New_York", "1969-12-31T19:00:00Z", "1970-01-01T00:00:00Z" },
	{ "Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T22:00:00Z" },	/* the day that was left out */
};

START_TEST(test_moment)
{
	setup();
	if (zone_exists(walls[_i].zone))
		ck_assert_int_eq(zone_moment(zone(walls[_i].zone), at(walls[_i].wall)), at(walls[_i].moment));
	arena_free(a);
}
END_TEST

/* What is there, but no zone, or one with leap seconds, is none. */
START_TEST(test_no_zone)
{
	setup();
	for (const char *const *bad = (const char *const[]){ "", "Nowhere/Town", "../../../etc/passwd", "Europe", "/etc/localtime", "zone.tab", "tzdata.zi",
			"leapseconds", "right/Europe/Berlin", NULL }; *bad; bad++)
		ck_assert_msg(!zone_read(a, str_of(*bad)), "%s", *bad);
	ck_assert_ptr_null(zone_read(a, (struct str){ "Europe/Berlin\0x", 15 }));
	arena_free(a);
}
END_TEST

/* What is offered is taken. */
START_TEST(test_names)
{
	struct str *all;
	bool berlin = false;
	size_t n;

	setup();
	zone_names(a, &all, &n);
	for (size_t i = 0; i < n; i++) {
		ck_assert_msg(zone_read(a, all[i]), "%.*s", STR_ARG(all[i]));
		ck_assert(!i || str_cmp(all[i - 1], all[i]) < 0);
		berlin |= str_eqs(all[i], "Europe/Berlin");
	}
	ck_assert(berlin == zone_exists("zone1970.tab"));
	arena_free(a);
}
END_TEST

UNIT_MAIN("zone", UNIT_ROWS(test_as_the_c_library, names), UNIT_ROWS(test_moment, walls), UNIT(test_no_zone), UNIT(test_names))
