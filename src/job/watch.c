/* watch.c - cron is watched by the dispatcher, since who is late tells nobody. That begins a monitor alert of the whole installation, once; the
 * dispatcher ends it when cron is back, or cron's job `monitor` does, since nobody raises it again. */
#include "grapnel/log.h"

#include "job_int.h"

#define CRON_LATE "CRON_LATE"
#define LOOK_MS (30 * MS_PER_SECOND)
#define LASTS_MS (3 * LOOK_MS)
#define GRACE_MS (90 * MS_PER_SECOND)	/* after a start: the host may have started as well, and cron runs within the minute */

static struct str minute_text(struct arena *a, ms_t at)
{
	char text[TIME_TEXT];

	time_format(at, text);
	return arena_printf(a, "%.10s %.5s UTC", text, text + strlen("2026-01-02T"));
}

/* ---- cron ---- */

struct watchman {
	struct db *db;
	struct id_maker *ids;
	struct arena *a;
	ms_t began_at, looked_at;
	bool late;
};

struct watchman *watchman_new(struct db *db, struct id_maker *ids)
{
	struct watchman *w = xcalloc(1, sizeof(*w));

	*w = (struct watchman){ .db = db, .ids = ids, .a = arena_new(1 << 20) };
	return w;
}

void watchman_free(struct watchman *w)
{
	if (w)
		arena_free(w->a);
	free(w);
}

static int raise_cron(struct watchman *w, const struct cron_watch *cron, ms_t now, struct err *e)
{
	const struct monitor_alert m = { .id = id_make(w->ids, now), .type = STR(CRON_LATE), .subject = STR(""), .severity = MONITOR_ERROR,
		.value = (double)(now - cron->since) / MS_PER_MINUTE, .threshold = LATE_PERIODS, .lasts_until = now + LASTS_MS,
		.message = cron->last_at ? arena_printf(w->a, "Cron has not run since %.*s: nothing is tried again, resolved or cleaned up.",
			STR_ARG(minute_text(w->a, cron->last_at))) : STR("Cron has never run: nothing is tried again, resolved or cleaned up."),
		.advice = STR("Let cron call grapnel-cron each minute: contrib/cron.d/grapnel does. See /jobs") };

	return monitor_alert_raise(w->db, w->a, w->ids, &m, now, e);
}

static bool look(struct watchman *w, ms_t now, struct err *e)
{
	struct cron_watch cron;
	int changed;

	arena_reset(w->a);
	if (!cron_watch(w->db, w->a, now, &cron, e))
		return false;
	changed = cron.late ? raise_cron(w, &cron, now, e) : w->late ? monitor_alert_end(w->db, w->a, w->ids, 0, STR(CRON_LATE), STR(""), now, e) : 0;
	if (changed > 0)
		log_warning(cron.late ? "cron is late" : "cron runs again");
	w->late = cron.late;
	return changed >= 0;
}

/* A clock that was set back begins anew. */
static bool watch(void *ctx, ms_t now, struct err *e)
{
	struct watchman *w = ctx;

	if (!w->began_at || now < w->looked_at || now < w->began_at)
		w->began_at = w->looked_at = now;
	if (now - w->began_at < GRACE_MS || now - w->looked_at < LOOK_MS)
		return true;
	w->looked_at = now;
	return look(w, now, e);
}

static bool nothing_to_do(void *ctx, ms_t now, struct err *e)
{
	return true;
}

static size_t nothing_held(const void *ctx)
{
	return 0;
}

struct carrier watchman_carrier(struct watchman *w)
{
	return (struct carrier){ w, watch, nothing_to_do, nothing_to_do, nothing_held };
}
