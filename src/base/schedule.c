/* schedule.c - when something happens that happens again and again.
 *
 * A daily time is a time on the wall: its distance from the day before is 23 or 25 hours where clocks change. What a zone does is
 * asked of one function that tells its offset at a moment, so that all of this is arithmetic, and a test can make up a zone.
 * mktime is no help: for a time that comes twice its answer depends on what it was asked before. */
#include "base_int.h"

#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>

#define MIN_PER_HOUR 60

/* The function of a caller, which knows its zone by itself. */
struct teller {
	ms_t (*offset)(ms_t t);
};

static ms_t tell(const void *teller, ms_t t)
{
	return ((const struct teller *)teller)->offset(t);
}

/* The moment of that local day, in days since 1970. */
static ms_t moment_of_day(const struct schedule *s, ms_t (*offset)(ms_t t), int64_t day)
{
	return wall_moment(tell, &(struct teller){ offset }, day * MS_PER_DAY + s->at_min * MS_PER_MINUTE);
}

static int64_t local_day(ms_t (*offset)(ms_t t), ms_t now)
{
	return floor_div(now + offset(now), MS_PER_DAY);
}

ms_t schedule_last(const struct schedule *s, ms_t (*offset)(ms_t t), ms_t now)
{
	ms_t every = s->every_min * MS_PER_MINUTE, t;
	int64_t day;

	if (every)
		return floor_div(now, every) * every;
	day = local_day(offset, now) + 1;	/* one further: a skipped time may fall into the next day */
	while ((t = moment_of_day(s, offset, day)) > now)
		day--;
	return t;
}

ms_t schedule_next(const struct schedule *s, ms_t (*offset)(ms_t t), ms_t now)
{
	ms_t every = s->every_min * MS_PER_MINUTE, t;
	int64_t day;

	if (every)
		return (floor_div(now, every) + 1) * every;
	day = local_day(offset, now) - 1;
	while ((t = moment_of_day(s, offset, day)) <= now)
		day++;
	return t;
}

struct str schedule_text(struct arena *a, const struct schedule *s)
{
	if (s->every_min == 1)
		return STR("every minute");
	if (s->every_min)
		return arena_printf(a, "every %u minutes", s->every_min);
	return arena_printf(a, "daily at %02u:%02u", s->at_min / MIN_PER_HOUR, s->at_min % MIN_PER_HOUR);
}

/* ---- the zone of this process ---- */

void zone_set(const char *name)
{
	if (*name && setenv("TZ", name, 1))
		die("setenv failed");
	tzset();
}

/* glibc takes a name it does not know for UTC without a word. */
bool zone_exists(const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	if (!strcmp(name, "UTC"))
		return true;	/* also where no zone files are installed */
	if (strstr(name, "..") || snprintf(path, sizeof(path), ZONE_FILES "/%s", name) >= (int)sizeof(path))
		return false;
	return !stat(path, &st) && S_ISREG(st.st_mode);
}

ms_t zone_offset(ms_t t)
{
	time_t seconds = (time_t)floor_div(t, MS_PER_SECOND);
	struct tm tm;

	return localtime_r(&seconds, &tm) ? tm.tm_gmtoff * MS_PER_SECOND : 0;
}
