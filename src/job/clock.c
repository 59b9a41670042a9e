/* clock.c - may this clock say what is old? Cleanup asks before it removes anything. */
#include "job_int.h"

#define APART_MS (5 * MS_PER_MINUTE)	/* hosts that run NTP differ by milliseconds */
#define AHEAD_MS MS_PER_DAY		/* of rows; a host may be hours off before anybody notices */
#define WAIT_MS MS_PER_DAY		/* after a leap: long enough for somebody to see that the date is wrong */

static const char *minute(ms_t t, char out[TIME_TEXT])
{
	time_format(t, out);
	out[16] = '\0';
	out[10] = ' ';
	return out;
}

/* A leap that lies ahead was taken back since. */
bool clock_check(const struct clock_facts *f, ms_t now, struct err *e)
{
	char here[TIME_TEXT], there[TIME_TEXT];
	ms_t apart = now > f->db_now ? now - f->db_now : f->db_now - now;

	minute(now, here);
	if (apart > APART_MS)
		return err_set(e, ERR_CONFLICT, "nothing is removed: this host's clock says %s UTC, the database's %s; one of them is wrong", here,
			minute(f->db_now, there));
	if (f->newest > f->trusted && id_time(f->newest) > now + AHEAD_MS)
		return err_set(e, ERR_CONFLICT, "nothing is removed: it is %s UTC, but the newest request is from %s; is the clock right, or was it"
			" wrong then? If it is right: grapnelctl cleanup --trust-clock", here, minute(id_time(f->newest), there));
	if (f->leapt_at && now >= f->leapt_at && now < f->leapt_at + WAIT_MS)
		return err_set(e, ERR_CONFLICT, "nothing is removed until %s UTC: the clock leapt by more than a week, or cron was off for as long; if"
			" it is right, wait or call grapnelctl cleanup --trust-clock", minute(f->leapt_at + WAIT_MS, there));
	return true;
}
