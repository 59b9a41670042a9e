/* test_storage.c - when is the disk full? */
#include "grapnel/view.h"
#include "unit.h"

#define NOW 1800000000000LL	/* 2027-01-15 */
#define GIB (UINT64_C(1) << 30)
#define DAYS(n) ((n) * MS_PER_DAY)

static const struct {
	struct storage_view s;
	uint64_t days_left;
	const char *forecast;
} rows[] = {
	{ { .since = 0, .disk_bytes = GIB, .disk_free = 1 }, 0, "How fast the tables grow is known some hours after the job storage ran first." },
	{ { .since = 1, .bytes_per_day = 0, .disk_bytes = GIB, .disk_free = 1 }, 0, "The tables do not grow." },
	{ { .since = 1, .bytes_per_day = -5, .disk_bytes = GIB, .disk_free = 1 }, 0, "The tables do not grow." },
	{ { .since = 1, .bytes_per_day = GIB / 2, .disk_bytes = 99 * GIB, .disk_free = 15 * GIB }, 30,
		"The tables grow by 512 MiB a day: the disk is full in 30 days, on 2027-02-14." },
	{ { .since = 1, .bytes_per_day = GIB, .disk_bytes = 99 * GIB, .disk_free = GIB - 1 }, 0,
		"The tables grow by 1.0 GiB a day: the disk is full within a day or two, on 2027-01-15." },
	{ { .since = 1, .bytes_per_day = GIB, .disk_bytes = 99 * GIB, .disk_free = 10 * GIB, .steady_at = NOW + DAYS(20) }, 10,
		"The tables grow by 1.0 GiB a day: the disk is full in 10 days, on 2027-01-25; only from 2027-02-04 on would as much go as comes." },
	{ { .since = 1, .bytes_per_day = GIB, .disk_bytes = 99 * GIB, .disk_free = 30 * GIB, .steady_at = NOW + DAYS(20) }, 0,
		"The tables grow by 1.0 GiB a day until 2027-02-04, from when on as much goes as comes; the disk has room for that." },
	{ { .since = 1, .bytes_per_day = 1024, .disk_bytes = 99 * GIB, .disk_free = 30 * GIB }, 0,
		"The tables grow by 1.0 KiB a day; the disk has room for more than ten years of that." },
	{ { .since = 1, .bytes_per_day = 1, .disk_bytes = INT64_MAX, .disk_free = UINT64_MAX }, 0,
		"The tables grow by 1 B a day; the disk has room for more than ten years of that." },
	{ { .since = 1, .bytes_per_day = 1024, .steady_at = NOW + DAYS(1) }, 0,
		"The tables grow by 1.0 KiB a day until 2027-01-16. The database is on another host: how full its disk is cannot be seen from here." },
};

START_TEST(test_forecast)
{
	struct arena *a = arena_new(65536);
	struct storage_view s = rows[_i].s;

	storage_forecast(a, NOW, &s);
	ck_assert_uint_eq(s.days_left, rows[_i].days_left);
	ck_assert_msg(str_eqs(s.forecast, rows[_i].forecast), "%.*s", STR_ARG(s.forecast));
	ck_assert_int_eq(s.full_at, strstr(rows[_i].forecast, "is full") ? NOW + DAYS((ms_t)s.days_left) : 0);
	arena_free(a);
}
END_TEST

UNIT_MAIN("storage", UNIT_ROWS(test_forecast, rows))
