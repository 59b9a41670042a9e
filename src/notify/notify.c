/* notify.c - takes news of incidents in their order and lets each listener say who is to know. */
#include "grapnel/json.h"
#include "grapnel/shm.h"

#include "notify_int.h"

#define AT_ONCE 100		/* in a transaction */
#define DATA_MAX (64 * 1024)

static listener *const listeners[] = {
	hush_hear,	/* the first: it says whether anybody is told */
	channels_hear,
	endpoints_hear,
	escalation_hear,
};

static const char *const types[TIMELINE_KINDS] = {
	[TIMELINE_OPENED] = "incident.opened",
	[TIMELINE_RAISED] = "incident.severity_raised",
	[TIMELINE_ACKNOWLEDGED] = "incident.acknowledged",
	[TIMELINE_RESOLVED] = "incident.resolved",
	[TIMELINE_REOPENED] = "incident.reopened",
	[TIMELINE_NOTE] = "incident.note_added",
	[TIMELINE_ASSIGNED] = "incident.assigned",
	[TIMELINE_SNOOZED] = "incident.snoozed",
	[TIMELINE_HELD] = "incident.held",
	[TIMELINE_RELEASED] = "incident.released",
	[TIMELINE_ESCALATED] = "incident.escalated",
	[TIMELINE_MERGED] = "incident.merged",
};

struct notifier {
	struct notify_config c;
	uint64_t told, steps;
};

struct turn {
	const struct notifier *notifier;
	struct arena *a;
	ms_t now;
	size_t taken, told;
	struct hush_memory hushes;
};

struct str notify_json(struct arena *a, const struct incident_view *incident, const struct timeline_view *entry)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, DATA_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_fields(&o, incident_view_fields, incident);
	json_key(&o, "entry");
	json_open(&o, '{');
	json_fields(&o, timeline_view_fields, entry);
	json_close(&o, '}');
	json_close(&o, '}');
	return strbuf_str(&b);
}

static struct hearing *hearings(struct db *db, struct turn *t, const struct news_view *views, size_t view_n, size_t *n)
{
	struct hearing *list = ARENA_ARRAY(t->a, struct hearing, view_n + 1);

	*n = 0;
	for (const struct news_view *v = views; v < views + view_n; v++)
		if (v->entry.kind_n < TIMELINE_KINDS && types[v->entry.kind_n])
			list[(*n)++] = (struct hearing){ .db = db, .a = t->a, .ids = t->notifier->c.ids, .now = t->now, .news = v, .incident = v->incident,
				.type = types[v->entry.kind_n], .data = notify_json(t->a, v->incident, &v->entry), .hushes = &t->hushes };
	return list;
}

static bool turn_tx(struct db *db, void *ctx, struct err *e)
{
	struct turn *t = ctx;
	struct news_view *views;
	struct hearing *list;
	struct news *rows;
	size_t n;

	t->told = 0;
	t->hushes = (struct hush_memory){ 0 };
	if (!news_lock(db, t->a, AT_ONCE, &rows, &t->taken, e))
		return false;
	if (!t->taken)
		return true;
	if (!news_view_list(db, t->a, rows, t->taken, &views, &n, e))
		return false;
	list = hearings(db, t, views, n, &n);
	for (size_t i = 0; i < ARRAY_SIZE(listeners); i++)
		if (!listeners[i](list, n, &t->told, e))
			return false;
	return news_drop(db, t->a, rows, t->taken, e);
}

static bool tell_news(struct notifier *n, ms_t now, bool *more, struct err *e)
{
	struct turn t = { .notifier = n, .a = arena_new(NOTIFY_ARENA_MAX), .now = now };
	bool ok = db_tx(n->c.db, turn_tx, &t, e);

	arena_free(t.a);
	n->told += ok ? t.told : 0;
	*more = ok && t.taken == AT_ONCE;
	return ok;
}

/* A step is news as well, but for those who need not be woken: they hear of it in the next turn. */
bool notifier_take(struct notifier *n, ms_t now, bool *more, struct err *e)
{
	return tell_news(n, now, more, e) && escalation_steps(n->c.db, n->c.ids, now, &n->told, &n->steps, e);
}

struct notifier *notifier_new(const struct notify_config *c)
{
	struct notifier *n = xcalloc(1, sizeof(*n));

	n->c = *c;
	return n;
}

void notifier_free(struct notifier *n)
{
	free(n);
}

uint64_t notifier_told(const struct notifier *n)
{
	return n->told;
}

uint64_t notifier_steps(const struct notifier *n)
{
	return n->steps;
}

/* ---- as a carrier ---- */

/* First what is over: it is news, too. What has been told is sent before more is. */
static bool take(void *ctx, ms_t now, struct err *e)
{
	struct notifier *n = ctx;
	struct notify_woken w;
	bool more;

	if (!notify_wake(&n->c, now, &w, e) || !notifier_take(n, now, &more, e))
		return false;
	if (more)
		bell_ring(n->c.shm);
	return true;
}

static bool nothing(void *ctx, ms_t now, struct err *e)
{
	return true;
}

static size_t busy(const void *ctx)
{
	return 0;
}

struct carrier notifier_carrier(struct notifier *n)
{
	return (struct carrier){ n, take, nothing, nothing, busy };
}
