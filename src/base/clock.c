/* clock.c - the two clocks, and time as text.
 *
 * Civil dates are computed here and not by libc: gmtime and timegm differ in range and in what they do with bad input,
 * and the same few lines serve both ways. */
#include "base_int.h"

static int64_t clock_us(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t))
		die("clock_gettime failed");
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

ms_t clock_now(void)
{
	return clock_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_wall_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

int64_t clock_mono_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 of a civil date. Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil:
 * years begin in March, so that the leap day is the last; an era is 400 years of 146097 days. Years 0 to 9999. */
int64_t days_from_civil(struct civil c)
{
	int64_t y = c.year - (c.month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (c.month + (c.month > 2 ? -3 : 9)) + 2) / 5 + c.day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

/* The way back: civil_from_days of the same paper. */
struct civil civil_from_days(int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t mp = (5 * day_of_year + 2) / 153;
	struct civil c;

	c.day = (unsigned)(day_of_year - (153 * mp + 2) / 5 + 1);
	c.month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	c.year = year_of_era + era * 400 + (c.month <= 2);
	return c;
}

unsigned days_in_month(int64_t year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* ---- reading: each verb eats from the front of *s ---- */

/* A number of exactly `digits` digits, min to max. */
static bool eat_number(struct str *s, size_t digits, unsigned min, unsigned max, unsigned *out)
{
	uint64_t v;

	if (s->n < digits || !str_u64((struct str){ s->p, digits }, &v) || v < min || v > max)
		return false;
	*out = (unsigned)v;
	*s = str_sub(*s, digits);
	return true;
}

static bool eat_any(struct str *s, const char *one_of)
{
	if (!s->n || !s->p[0] || !strchr(one_of, s->p[0]))
		return false;
	*s = str_sub(*s, 1);
	return true;
}

static bool eat_date(struct str *s, int64_t *days)
{
	unsigned year, month, day;

	/* 0001-01-01T00:00:00Z is Go's zero time, which Alertmanager sends for "has no end": see time_parse. */
	if (!eat_number(s, 4, 2, 9999, &year) || !eat_any(s, "-") || !eat_number(s, 2, 1, 12, &month) ||
			!eat_any(s, "-") || !eat_number(s, 2, 1, days_in_month(year, month), &day))
		return false;
	*days = days_from_civil((struct civil){ year, month, day });
	return true;
}

static bool eat_fraction(struct str *s, unsigned *ms)
{
	unsigned weight = 100, digit;

	*ms = 0;
	if (!eat_any(s, "."))
		return true;
	if (!eat_number(s, 1, 0, 9, &digit))
		return false;
	do {
		*ms += digit * weight;
		weight /= 10;
	} while (eat_number(s, 1, 0, 9, &digit));
	return true;
}

static bool eat_time(struct str *s, ms_t *out)
{
	unsigned hour, minute, second, ms;

	/* 60 is a leap second (RFC 3339 section 5.7): it counts as the first one after it. */
	if (!eat_number(s, 2, 0, 23, &hour) || !eat_any(s, ":") || !eat_number(s, 2, 0, 59, &minute) ||
			!eat_any(s, ":") || !eat_number(s, 2, 0, 60, &second) || !eat_fraction(s, &ms))
		return false;
	*out = hour * MS_PER_HOUR + minute * MS_PER_MINUTE + second * MS_PER_SECOND + ms;
	return true;
}

/* Nothing, "Z", "UTC" or "+hh:mm", "-hhmm", also after a blank (GitLab: "2026-01-02 03:04:05 UTC"). */
static bool eat_zone(struct str *s, ms_t *offset)
{
	unsigned hours, minutes;
	bool west;

	*offset = 0;
	if (!s->n)
		return true;
	eat_any(s, " ");
	if (str_eqs(*s, "UTC") || str_ieqs(*s, "Z")) {
		*s = STR_NONE;
		return true;
	}
	west = s->n && s->p[0] == '-';
	if (!eat_any(s, "+-") || !eat_number(s, 2, 0, 23, &hours))
		return false;
	eat_any(s, ":");
	if (!eat_number(s, 2, 0, 59, &minutes))
		return false;
	*offset = (hours * MS_PER_HOUR + minutes * MS_PER_MINUTE) * (west ? -1 : 1);
	return true;
}

/* A zone can carry the ends over into years that are refused above, or that time_format cannot write. */
#define TIME_MIN INT64_C(-62104060800000)	/* 0002-01-01T00:00:00.000Z */
#define TIME_MAX INT64_C(253402300799999)	/* 9999-12-31T23:59:59.999Z */

bool time_parse(struct str s, ms_t *out)
{
	int64_t days;
	ms_t of_day, offset, t;

	if (!eat_date(&s, &days) || !eat_any(&s, "Tt ") || !eat_time(&s, &of_day) || !eat_zone(&s, &offset) || s.n)
		return false;
	t = days * MS_PER_DAY + of_day - offset;
	if (t < TIME_MIN || t > TIME_MAX)
		return false;
	*out = t;
	return true;
}

/* ---- writing ---- */

static char *put_number(char *p, unsigned v, unsigned digits)
{
	for (unsigned i = digits; i--; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + digits;
}

const char *time_format(ms_t t, char out[TIME_TEXT])
{
	static const ms_t first = INT64_C(-62167219200000);	/* 0000-01-01 */
	int64_t days;
	struct civil c;
	unsigned ms;
	char *p = out;

	/* Outside the four-digit years there is no RFC 3339: the nearest end stands for it. */
	t = t < first ? first : t > TIME_MAX ? TIME_MAX : t;
	days = (t >= 0 ? t : t - MS_PER_DAY + 1) / MS_PER_DAY;
	ms = (unsigned)(t - days * MS_PER_DAY);
	c = civil_from_days(days);
	p = put_number(p, (unsigned)c.year, 4);
	*p++ = '-';
	p = put_number(p, c.month, 2);
	*p++ = '-';
	p = put_number(p, c.day, 2);
	*p++ = 'T';
	p = put_number(p, ms / MS_PER_HOUR, 2);
	*p++ = ':';
	p = put_number(p, ms / MS_PER_MINUTE % 60, 2);
	*p++ = ':';
	p = put_number(p, ms / MS_PER_SECOND % 60, 2);
	*p++ = '.';
	p = put_number(p, ms % MS_PER_SECOND, 3);
	*p++ = 'Z';
	*p = '\0';
	return out;
}
