/* schedule.c - when to try again. Three quick attempts, for what was a hiccup: at once, after 1 s and 2 s more; 4 s later it is given up, or cron's, with a wait that
 * doubles from a minute to an hour, spread by a fifth, so that what failed together does not come back together. A receiver that
 * names a time gets it, up to an hour. */
#include "outbound_int.h"

#define QUICK 3
#define QUICK_FIRST_MS MS_PER_SECOND
#define SLOW_FIRST_MS MS_PER_MINUTE
#define WAIT_MAX_MS MS_PER_HOUR
#define QUICK_WAIT_MAX_MS (10 * MS_PER_SECOND)	/* what waits longer is cron's */
#define JITTER_PERCENT 20

/* After that many attempts. */
static ms_t planned(uint64_t attempts, unsigned chance)
{
	ms_t ms;

	if (attempts <= QUICK)
		return QUICK_FIRST_MS << (attempts - 1);
	ms = SLOW_FIRST_MS << (attempts - QUICK - 1 < 10 ? attempts - QUICK - 1 : 10);
	if (ms > WAIT_MAX_MS)
		ms = WAIT_MAX_MS;
	return ms * (100 - JITTER_PERCENT) / 100 + ms * 2 * JITTER_PERCENT / 100 * chance / 1000;
}

static ms_t wait(uint64_t attempts, enum reception v, uint64_t retry_after_s, unsigned chance)
{
	ms_t ms = planned(attempts, chance), asked = WAIT_MAX_MS;

	if (retry_after_s < WAIT_MAX_MS / MS_PER_SECOND)
		asked = (ms_t)retry_after_s * MS_PER_SECOND;
	if (ms < asked)
		ms = asked;
	return v == RECEPTION_LATER && ms < SLOW_FIRST_MS ? SLOW_FIRST_MS : ms;
}

void parcel_schedule(struct outbox_row *row, enum reception v, unsigned attempts_max, uint64_t retry_after_s, unsigned chance, ms_t now)
{
	bool last = row->attempts >= (row->attempts_max ? row->attempts_max : attempts_max);
	ms_t ms;

	row->finished_at = 0;
	if (v == RECEPTION_TAKEN) {
		row->status = OUTBOX_SENT;
		row->finished_at = now;
	} else if (v == RECEPTION_REFUSED || v == RECEPTION_GONE || (last && (row->kind != OUTBOX_DELIVERY || row->attempts != QUICK))) {
		row->status = OUTBOX_DEAD;
		row->finished_at = now;
	} else if (last) {
		row->status = OUTBOX_ENDING;
		row->next_at = now + planned(QUICK, chance);
	} else {
		ms = wait(row->attempts, v, retry_after_s, chance);
		row->status = row->attempts >= QUICK || ms > QUICK_WAIT_MAX_MS ? OUTBOX_FAILED : OUTBOX_WAITING;
		row->next_at = now + ms;
	}
}
