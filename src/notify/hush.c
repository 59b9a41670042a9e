/* hush.c - the first to hear: is somebody to be told at all? Maintenance windows, silences and snoozes say no.
 *
 * An incident that opens (or opens again) while a window or silence covers it is *held*: its timeline says by which, and nobody is told of it until
 * that is over. Then what is still unresolved is told as new, by an entry "released"; what was resolved meanwhile is never told. These are the edges:
 *
 * - What was told before a window began goes on to be told: that it was acknowledged, resolved, or somebody wrote a note. Only that it became
 *   more severe is held back, and told as released when the window ends, unless it was resolved (which is told).
 * - Severity that rises above what the window holds back releases the incident at once; another window may hold it still.
 * - Reopened is as good as opened: held, though it was told before.
 * - Merged into another one it is resolved. What goes on is the other one, which is held or told for itself.
 * - An incident opened before the window began is told, and one that opened in it is not, whenever its news is heard; nor is one held by a window that
 *   is over by then. What makes a window or silence end later, wider or otherwise concerns what it holds at once.
 * - "Held" itself is told to nobody. A test is never held.
 * - A snoozed incident was told before, so its end is told; whatever else happens to it is not. When the snooze is over, or is taken back, it is told
 *   as released, if no window holds it then. A higher severity wakes it, as ever.
 * - What was held back and is snoozed stays held until both are over, so its end is not told either.
 *
 * Escalation pauses while incident_held (store.h) or a snooze says so, also of what was told before. */
#include "notify_int.h"

#define RELEASE_LIMIT 500

enum act {
	TELL,		/* as if there were no windows */
	KEEP,		/* nobody is told */
	HOLD,		/* nobody is told, if something covers it; else tell */
	JUDGE,		/* nobody is told, if something covers it still; else it is released */
	FORGET,		/* nobody is told, and there is nothing left to be told */
	FORGET_TOLD,	/* the same, but this is told */
};

enum state { FREE, HELD, HELD_TOLD, STATES };	/* held, after it was told before */

static const enum act acts[TIMELINE_KINDS][STATES] = {
	/*			  free	held	held, but told before */
	[TIMELINE_OPENED] =	{ HOLD,	KEEP,	KEEP },
	[TIMELINE_REOPENED] =	{ HOLD,	KEEP,	KEEP },
	[TIMELINE_RAISED] =	{ HOLD,	JUDGE,	JUDGE },
	[TIMELINE_ACKNOWLEDGED] = { TELL, KEEP,	TELL },
	[TIMELINE_RESOLVED] =	{ TELL,	FORGET,	FORGET_TOLD },
	[TIMELINE_NOTE] =	{ TELL,	KEEP,	TELL },
	[TIMELINE_ASSIGNED] =	{ TELL,	KEEP,	TELL },
	[TIMELINE_SNOOZED] =	{ TELL,	KEEP,	TELL },
	[TIMELINE_HELD] =	{ KEEP,	KEEP,	KEEP },
	[TIMELINE_RELEASED] =	{ TELL,	KEEP,	KEEP },
	[TIMELINE_ESCALATED] =	{ TELL,	KEEP,	TELL },
	[TIMELINE_MERGED] =	{ TELL,	KEEP,	TELL },
};

/* 1 something covers the incident, 0, -1. */
static int find(struct hearing *h, struct hush *by, ms_t *until, struct err *e)
{
	const struct incident_view *v = h->incident;
	const struct hush_subject x = { v->service_row, v->source_row, v->dedup_key, v->provider, (enum level)v->level_n };

	return hush_find(h->db, h->a, h->hushes, v->tenant_id, &x, h->news->entry.at, h->now, by, until, e);
}

static bool entry(struct hearing *h, enum timeline_kind kind, struct str text, struct err *e)
{
	const struct timeline_row row = { .incident_id = h->incident->id, .id = id_make(h->ids, h->now), .kind = kind, .actor = ACTOR_SYSTEM,
		.level = (enum level)h->incident->level_n, .text = text, .at = h->now };

	return held_entry(h->db, h->a, &row, h->news->traceparent, e);
}

/* Whoever is told before that it opened need not be told that it is over. */
static bool hold(struct hearing *h, bool was_told, struct err *e)
{
	struct held row = { .incident_id = h->incident->id, .was_told = was_told, .since = h->now };
	struct hush by;
	int found = find(h, &by, &row.until, e);

	if (found != 1)
		return found == 0;
	h->quiet = true;
	row.hush_id = by.id;
	row.name = by.name;
	return held_put(h->db, &row, e) && entry(h, TIMELINE_HELD, by.name, e);
}

static bool release(struct hearing *h, struct str name, struct err *e)
{
	return held_drop(h->db, h->incident->id, e) && entry(h, TIMELINE_RELEASED, name, e);
}

static bool judge(struct hearing *h, struct held *row, struct err *e)
{
	struct hush by;
	int found = find(h, &by, &row->until, e);

	h->quiet = true;
	if (found < 0)
		return false;
	if (!found)
		return release(h, row->name, e);
	row->hush_id = by.id;
	row->name = by.name;
	return held_put(h->db, row, e);
}

/* Its end, by whom ever. */
static bool awakes(const struct hearing *h)
{
	const struct incident_view *v = h->incident;

	return h->news->entry.kind_n == TIMELINE_SNOOZED && !h->news->entry.text.n && !v->snoozed_until && v->status_n != INCIDENT_RESOLVED;
}

static bool is_asleep(const struct hearing *h)
{
	return h->incident->snoozed_until > h->now && h->news->entry.kind_n != TIMELINE_SNOOZED;
}

static bool wake(struct hearing *h, enum state state, struct held *row, struct err *e)
{
	if (state != FREE)
		return judge(h, row, e);
	return hold(h, true, e) && (h->quiet || entry(h, TIMELINE_RELEASED, STR_NONE, e));
}

static bool do_act(struct hearing *h, enum act act, struct held *row, struct err *e)
{
	h->quiet = act == KEEP || act == FORGET;
	switch (act) {
	case TELL:
	case KEEP:
		return true;
	case HOLD:
		return hold(h, h->news->entry.kind_n == TIMELINE_RAISED, e);
	case JUDGE:
		return judge(h, row, e);
	case FORGET:
	case FORGET_TOLD:
		return held_drop(h->db, h->incident->id, e);
	}
	return true;
}

static enum timeline_kind kind_of(const struct hearing *h)
{
	enum timeline_kind kind = (enum timeline_kind)h->news->entry.kind_n;

	return kind == TIMELINE_MERGED && h->incident->status_n == INCIDENT_RESOLVED ? TIMELINE_RESOLVED : kind;
}

static bool hear(struct hearing *h, struct err *e)
{
	enum timeline_kind kind = kind_of(h);
	enum state state;
	struct held row;
	int found = held_lock(h->db, h->a, h->incident->id, &row, e);

	if (found < 0 || h->incident->is_test)
		return found >= 0;
	state = !found ? FREE : row.was_told ? HELD_TOLD : HELD;
	if (awakes(h))
		return wake(h, state, &row, e);
	if (is_asleep(h) && state != HELD && kind != TIMELINE_RESOLVED)
		return h->quiet = true;
	return do_act(h, acts[kind][state], &row, e);
}

bool hush_hear(struct hearing *list, size_t n, size_t *told, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (!hear(&list[i], e))
			return false;
	return true;
}

/* ---- what is over ---- */

/* 1 it is awake; 0 somebody resolved it or snoozed it anew meanwhile; -1 failed. */
static int end_snooze(const struct notify_config *c, struct arena *a, const struct overdue *o, ms_t now, struct err *e)
{
	const struct who who = { .tenant_id = (uint32_t)o->tenant_id, .actor = ACTOR_SYSTEM };
	const struct incident_edit edit = { .kind = TIMELINE_SNOOZED };
	int done = incident_edit(c->db, a, who.tenant_id, o->id, &edit, &who, id_make(c->ids, now), now, e);

	if (done < 0 && e->code == ERR_CONFLICT) {
		*e = (struct err){ 0 };
		return 0;
	}
	return done;
}

/* What is held first: its look sees a snooze that is over as one, and the news of that end tells it, once. */
bool notify_wake(const struct notify_config *c, ms_t now, struct notify_woken *w, struct err *e)
{
	struct arena *a = arena_new(NOTIFY_ARENA_MAX);
	struct overdue *snoozed = NULL;
	struct held *held = NULL;
	size_t snoozed_n, held_n = 0;
	bool ok = overdue_awake(c->db, a, now, RELEASE_LIMIT, &snoozed, &snoozed_n, e) && held_due(c->db, a, now, RELEASE_LIMIT, &held, &held_n, e);

	*w = (struct notify_woken){ 0 };
	for (size_t i = 0; ok && i < held_n; i++) {
		int done = held_release(c->db, a, c->ids, held[i].incident_id, now, e);

		ok = done >= 0;
		w->released += done == 1;
	}
	for (size_t i = 0; ok && i < snoozed_n; i++) {
		int done = end_snooze(c, a, &snoozed[i], now, e);

		ok = done >= 0;
		w->woken += done == 1;
	}
	w->more = ok && (snoozed_n == RELEASE_LIMIT || held_n == RELEASE_LIMIT) && w->woken + w->released;
	arena_free(a);
	return ok;
}
