/* quiet.c - hours in which a person is left alone, by the clocks where he lives: they are as long as those clocks make them. Pure. */
#include "grapnel/incident.h"

ms_t quiet_until(const struct quiet_hours *q, ms_t now)
{
	ms_t wall, midnight, end;
	uint64_t minute;
	bool inside, overnight = q->to_min <= q->from_min;

	if (!q->on || !q->zone)
		return 0;
	wall = now + zone_ahead(q->zone, now);
	midnight = wall - ((wall % MS_PER_DAY) + MS_PER_DAY) % MS_PER_DAY;
	minute = (uint64_t)((wall - midnight) / MS_PER_MINUTE);
	inside = overnight ? minute >= q->from_min || minute < q->to_min : minute >= q->from_min && minute < q->to_min;
	if (!inside)
		return 0;
	end = zone_moment(q->zone, midnight + (ms_t)q->to_min * MS_PER_MINUTE + (minute < q->to_min ? 0 : MS_PER_DAY));
	return end > now ? end : now + MS_PER_MINUTE;	/* the clocks have just gone back over it */
}
