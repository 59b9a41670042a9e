/* stale_alerts.c - heartbeats: says of which sources nothing was heard for as long as they say, and when they are heard again.
 *
 * Events that wait too long are the monitor's: its check STALE_EVENTS tells of them each minute.
 *
 * While nobody looked there is no telling a silent source from a machine that was off: after a pause of three periods each source gets its
 * whole time again. So it does where a clock that was ahead noted when it was heard, or when a pause ended. */
#include "job_int.h"

#define PERIOD_MIN 5
#define PAUSE_MS (3 * PERIOD_MIN * MS_PER_MINUTE)
#define AHEAD_MS (5 * MS_PER_MINUTE)	/* hosts that run NTP differ by milliseconds */
#define LIMIT 500

static bool is_silent(const struct job_run *r, const struct heartbeat *h)
{
	ms_t since = h->heard_at;

	if (!h->told && (ms_t)r->position > since)
		since = (ms_t)r->position;
	return h->minutes && since + (ms_t)h->minutes * MS_PER_MINUTE <= job_now(r);
}

static bool look(struct job_run *r, const struct heartbeat *h, struct err *e)
{
	const struct job_config *c = r->c;
	bool silent = is_silent(r, h);
	int changed = 1;

	if (h->heard_at > job_now(r) + AHEAD_MS && !c->dry_run && !heartbeat_mend(c->db, h->source_id, job_now(r), e))
		return false;
	if (silent == h->told)
		return true;
	if (!c->dry_run)
		changed = silent ? heartbeat_silent(c->db, r->a, c->ids, h, job_now(r), e) : heartbeat_heard(c->db, r->a, c->ids, h, job_now(r), e);
	if (changed > 0)
		job_count(r, silent ? "silent" : "heard again", 1);
	return changed >= 0;
}

static bool run(struct job_run *r, struct err *e)
{
	uint64_t after = 0;
	struct heartbeat *rows;
	size_t n;

	if (!r->previous_at || r->started_at - r->previous_at > PAUSE_MS || (ms_t)r->position > r->started_at)
		r->position = (uint64_t)r->started_at;
	do {
		arena_reset(r->a);
		if (!heartbeats(r->c->db, r->a, after, LIMIT, &rows, &n, e))
			return false;
		for (size_t i = 0; i < n; i++) {
			int go = job_goes_on(r, e);

			if (go != 1 || !look(r, &rows[i], e))
				return go == 0;
			after = rows[i].source_id;
		}
	} while (n == LIMIT);
	return true;
}

const struct job job_stale_alerts = {
	.facts = { .name = "stale-alerts", .schedule = { .every_min = PERIOD_MIN },
		.help = "Tells of sources from which nothing came for as long as they say, and when something came again." },
	.run = run,
};
