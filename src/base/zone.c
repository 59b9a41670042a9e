/* zone.c - time zones by name: any number of them at once, read from the system's zone files.
 *
 * The C library knows one zone, that of the process, and changing it means setenv, which races with every getenv of another thread, those of
 * libcurl's resolver among them. The files are simple, so they are read here: TZif of RFC 9636, versions 2 and later. They list the changes of
 * the past (on Debian up to 2037), and end with a rule for all time after, as POSIX writes it in TZ. */
#include "base_int.h"

#include <inttypes.h>
#include <limits.h>

#define FILE_MAX_BYTES 65536	/* the largest of tzdata 2025 has 3.6 KB */
#define NAMES_MAX 1000		/* tzdata 2025 has 312 in zone1970.tab */
#define S_PER_DAY 86400
#define HEAD_BYTES 44
#define COUNTS_AT 20		/* in the head: six numbers of four bytes */
enum { COUNT_UT, COUNT_STD, COUNT_LEAP, COUNT_TIME, COUNT_TYPE, COUNT_CHAR, COUNTS };

/* A day of each year, and how long after its midnight clocks change. */
struct turn {
	char kind;		/* 'M': day `day` (0 Sunday) of week `week` (5 the last) of `month`; 'J': day 1..365, no leap day; '0': day 0..365 */
	int month, week, day;
	int32_t s;
};

struct zone {
	const int64_t *at;	/* s since 1970 UTC, growing: from then on... */
	const int32_t *ahead;	/* ...local time is so many s ahead of UTC */
	size_t n;
	int32_t first;		/* before the first of them */
	bool has_rule;		/* what follows is for all time after the last of them */
	bool changes;
	int32_t standard, summer;
	struct turn begin, end;	/* of summer time */
};

/* ---- the file ---- */

static bool take(struct str *s, size_t n, struct str *out)
{
	if (s->n < n)
		return false;
	*out = (struct str){ s->p, n };
	*s = str_sub(*s, n);
	return true;
}

static int64_t number(const char *p, size_t bytes)
{
	uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | (unsigned char)p[i];
	return (int64_t)v;
}

static bool take_head(struct str *s, size_t counts[COUNTS])
{
	struct str head;

	if (!take(s, HEAD_BYTES, &head) || memcmp(head.p, "TZif", 4) != 0 || head.p[4] < '2')
		return false;
	for (size_t i = 0; i < COUNTS; i++) {
		int64_t n = number(head.p + COUNTS_AT + 4 * i, 4);

		if (n < 0 || n > FILE_MAX_BYTES)
			return false;
		counts[i] = (size_t)n;
	}
	return true;
}

static size_t block_bytes(const size_t counts[COUNTS], size_t time_bytes)
{
	return counts[COUNT_TIME] * (time_bytes + 1) + counts[COUNT_TYPE] * 6 + counts[COUNT_CHAR] + counts[COUNT_LEAP] * (time_bytes + 4) +
		counts[COUNT_STD] + counts[COUNT_UT];
}

/* Times, the type of each, and the types: offset, is it summer time, name. */
static bool take_changes(struct arena *a, struct str *s, const size_t counts[COUNTS], struct zone *z)
{
	struct str block, times, kinds, types;
	int64_t *at = ARENA_ARRAY(a, int64_t, counts[COUNT_TIME] + 1);
	int32_t *ahead = ARENA_ARRAY(a, int32_t, counts[COUNT_TIME] + 1);

	if (!take(s, block_bytes(counts, 8), &block) || !take(&block, counts[COUNT_TIME] * 8, &times) ||
		!take(&block, counts[COUNT_TIME], &kinds) || !take(&block, counts[COUNT_TYPE] * 6, &types) || !types.n || counts[COUNT_LEAP])
		return false;
	for (size_t i = 0; i < counts[COUNT_TIME]; i++) {
		size_t type = (unsigned char)kinds.p[i];

		if (type >= counts[COUNT_TYPE])
			return false;
		at[i] = number(times.p + 8 * i, 8);
		ahead[i] = (int32_t)number(types.p + 6 * type, 4);
		if (i && at[i] <= at[i - 1])
			return false;
	}
	z->at = at;
	z->ahead = ahead;
	z->n = counts[COUNT_TIME];
	z->first = (int32_t)number(types.p, 4);
	return true;
}

/* ---- the rule: "CET-1CEST,M3.5.0,M10.5.0/3" ---- */

static bool eat(struct str *s, char c)
{
	if (!s->n || s->p[0] != c)
		return false;
	*s = str_sub(*s, 1);
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool eat_int(struct str *s, int max, int *out)
{
	size_t n = 0;

	for (*out = 0; n < s->n && n < 4 && is_digit(s->p[n]); n++)
		*out = *out * 10 + (s->p[n] - '0');
	*s = str_sub(*s, n);
	return n && *out <= max;
}

static bool eat_name(struct str *s)
{
	size_t n = 0;

	if (eat(s, '<')) {
		ptrdiff_t end = str_find(*s, '>');

		if (end < 0)
			return false;
		*s = str_sub(*s, (size_t)end + 1);
		return true;
	}
	while (n < s->n && is_letter(s->p[n]))
		n++;
	*s = str_sub(*s, n);
	return n >= 3;
}

/* "[+-]h[:mm[:ss]]", up to a week. */
static bool eat_span(struct str *s, int32_t *out)
{
	int hours, minutes = 0, seconds = 0;
	bool minus = eat(s, '-');

	if (!minus)
		(void)eat(s, '+');
	if (!eat_int(s, 167, &hours) || (eat(s, ':') && (!eat_int(s, 59, &minutes) || (eat(s, ':') && !eat_int(s, 59, &seconds)))))
		return false;
	*out = (hours * 3600 + minutes * 60 + seconds) * (minus ? -1 : 1);
	return true;
}

static bool eat_turn(struct str *s, struct turn *t)
{
	*t = (struct turn){ .s = 2 * 3600 };
	if (eat(s, 'M')) {
		t->kind = 'M';
		if (!eat_int(s, 12, &t->month) || t->month < 1 || !eat(s, '.') || !eat_int(s, 5, &t->week) || t->week < 1 || !eat(s, '.') ||
			!eat_int(s, 6, &t->day))
			return false;
	} else {
		t->kind = eat(s, 'J') ? 'J' : '0';
		if (!eat_int(s, 365, &t->day) || (t->kind == 'J' && t->day < 1))
			return false;
	}
	return !eat(s, '/') || eat_span(s, &t->s);
}

/* POSIX counts offsets westward. No rule is one, too: the last change stays. */
static bool take_rule(struct str s, struct zone *z)
{
	int32_t west;

	if (!s.n)
		return true;
	z->has_rule = true;
	if (!eat_name(&s) || !eat_span(&s, &west))
		return false;
	z->standard = -west;
	if (!s.n)
		return true;
	z->changes = true;
	z->summer = z->standard + 3600;
	if (!eat_name(&s))
		return false;
	if (s.n && s.p[0] != ',') {
		if (!eat_span(&s, &west))
			return false;
		z->summer = -west;
	}
	return eat(&s, ',') && eat_turn(&s, &z->begin) && eat(&s, ',') && eat_turn(&s, &z->end) && !s.n;
}

static bool read_file(struct arena *a, struct str s, struct zone *z)
{
	size_t counts[COUNTS];
	struct str unused;

	return take_head(&s, counts) && take(&s, block_bytes(counts, 4), &unused) && take_head(&s, counts) &&
		take_changes(a, &s, counts, z) && eat(&s, '\n') && s.n && s.p[s.n - 1] == '\n' && take_rule((struct str){ s.p, s.n - 1 }, z);
}

const struct zone *zone_read(struct arena *a, struct str name)
{
	struct zone *z = ARENA_NEW(a, struct zone);
	const char *terminated = arena_cstr(a, name);
	struct err ignored = { 0 };
	struct str file;

	if (str_eqs(name, "UTC"))
		return z;	/* also where no zone files are installed */
	if (memchr(terminated, '\0', name.n) || !zone_exists(terminated) ||
		!file_read(a, arena_printf(a, ZONE_FILES "/%s", terminated).p, FILE_MAX_BYTES, &file, &ignored) || !read_file(a, file, z))
		return NULL;
	return z;
}

/* ---- which there are ---- */

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* zone1970.tab: countries, place, name and a remark, with tabs between. */
static struct str name_of(struct str line)
{
	if (!line.n || line.p[0] == '#')
		return STR_NONE;
	(void)str_until(&line, '\t');
	(void)str_until(&line, '\t');
	return str_until(&line, '\t');
}

void zone_names(struct arena *a, struct str **out, size_t *n)
{
	struct err ignored = { 0 };
	struct str file, name;

	*out = ARENA_ARRAY(a, struct str, NAMES_MAX);
	(*out)[0] = STR("UTC");
	*n = 1;
	if (!file_read(a, ZONE_FILES "/zone1970.tab", FILE_MAX_BYTES, &file, &ignored))
		return;
	while (file.n && *n < NAMES_MAX) {
		name = name_of(str_until(&file, '\n'));
		if (name.n)
			(*out)[(*n)++] = name;
	}
	qsort(*out, *n, sizeof(**out), by_name);
}

/* ---- what a zone says ---- */

/* Days since 1970 of that turn in a year. */
static int64_t turn_day(const struct turn *t, int64_t year)
{
	int64_t first = days_from_civil((struct civil){ year, t->kind == 'M' ? (unsigned)t->month : 1, 1 });
	int64_t day, length;

	if (t->kind == '0')
		return first + t->day;
	if (t->kind == 'J')
		return first + t->day - 1 + (t->day > 59 && days_in_month(year, 2) == 29);
	length = days_in_month(year, (unsigned)t->month);
	day = ((t->day - (first + 4)) % 7 + 7) % 7 + (t->week - 1) * 7;	/* 1970 began on a Thursday */
	return first + (day < length ? day : day - 7);
}

static int32_t by_rule(const struct zone *z, int64_t t)
{
	int64_t year, begin, end;

	if (!z->changes)
		return z->standard;
	year = civil_from_days(floor_div(t + z->standard, S_PER_DAY)).year;
	begin = turn_day(&z->begin, year) * S_PER_DAY + z->begin.s - z->standard;
	end = turn_day(&z->end, year) * S_PER_DAY + z->end.s - z->summer;
	if (begin < end)
		return t >= begin && t < end ? z->summer : z->standard;
	return t >= end && t < begin ? z->standard : z->summer;		/* south of the equator */
}

ms_t zone_ahead(const struct zone *z, ms_t t)
{
	int64_t s = floor_div(t, MS_PER_SECOND);
	size_t low = 0, high = z->n;

	if (z->has_rule && (!z->n || s >= z->at[z->n - 1]))
		return by_rule(z, s) * MS_PER_SECOND;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (z->at[mid] <= s)
			low = mid + 1;
		else
			high = mid;
	}
	return (low ? z->ahead[low - 1] : z->first) * MS_PER_SECOND;
}

static ms_t ahead(const void *zone, ms_t t)
{
	return zone_ahead(zone, t);
}

ms_t zone_moment(const struct zone *z, ms_t wall)
{
	return wall_moment(ahead, z, wall);
}

/* The offsets of a day earlier and a day later are those before and after any change of clocks that may be near: no zone changes twice in two
 * days, and none is a day away from UTC. */
ms_t wall_moment(ms_t (*offset)(const void *zone, ms_t t), const void *zone, ms_t wall)
{
	ms_t before = wall - offset(zone, wall - MS_PER_DAY), after = wall - offset(zone, wall + MS_PER_DAY);
	bool before_is = before + offset(zone, before) == wall, after_is = after + offset(zone, after) == wall;

	if (before_is && after_is)
		return before < after ? before : after;
	return after_is ? after : before;	/* neither: a skipped time, told by the clock of before */
}
