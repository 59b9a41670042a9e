/* held.c - incidents that are held back: nobody is told of them until the window or silence is over that holds them.
 *
 * A row is written when the news of an incident is heard, and goes when somebody is told again, or when there is nothing left to tell. Until then
 * `until` says when to look at it: then another hush may hold it further, or it is released, in one transaction that locks the incident. So it is told
 * once, whoever looks and whoever dies meanwhile. An incident that was resolved stays as it is here: the news of it, which is on its way,
 * removes the row and is not told. One that is snoozed stays until that is over as well: the news of the snooze's end tells it, and the look at the row
 * comes so much later. */
#include "store_int.h"

#define SNOOZE_END_MS MS_PER_MINUTE	/* who ends what is over has done so by then */

enum { Q_INCIDENT, Q_INCIDENT_LOCK, Q_GET, Q_LOCK, Q_PUT, Q_DROP, Q_DUE };

#define COLUMNS "incident_id, hush_id, name, was_told, since, until"

static const struct stmt stmts[] = {
	[Q_INCIDENT] = { "held.incident",
		"SELECT i.tenant_id, i.service_id, i.source_id, i.dedup_key, s.provider, i.level, i.status, i.is_test, i.snoozed_until"
		" FROM incidents i JOIN sources s ON s.id = i.source_id WHERE i.id = ?" },
	[Q_INCIDENT_LOCK] = { "held.incident_lock", "SELECT status FROM incidents WHERE id = ? FOR UPDATE" },
	[Q_GET] = { "held.get", "SELECT " COLUMNS " FROM held_incidents WHERE incident_id = ?" },
	[Q_LOCK] = { "held.lock", "SELECT " COLUMNS " FROM held_incidents WHERE incident_id = ? FOR UPDATE" },
	[Q_PUT] = { "held.put",
		"INSERT INTO held_incidents (incident_id, hush_id, name, was_told, since, until) VALUES (?, ?, ?, ?, ?, ?)"
		" ON DUPLICATE KEY UPDATE hush_id = VALUES(hush_id), name = VALUES(name), until = VALUES(until)" },
	[Q_DROP] = { "held.drop", "DELETE FROM held_incidents WHERE incident_id = ?" },
	[Q_DUE] = { "held.due",
		"SELECT h.incident_id FROM held_incidents h JOIN incidents i ON i.id = h.incident_id WHERE h.until <= ? AND i.status <> 3"
		" ORDER BY h.until LIMIT ?" },
};
const struct stmt_table held_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct held, incident_id, "incident_id", ""),
	FIELD_ID(struct held, hush_id, "hush_id", ""),
	FIELD_STR(struct held, name, "name", ""),
	FIELD_BOOL(struct held, was_told, "was_told", ""),
	FIELD_TIME(struct held, since, "since", ""),
	FIELD_TIME(struct held, until, "until", ""),
	FIELD_END
};

struct subject {
	uint64_t tenant_id, level, status;
	bool is_test;
	ms_t snoozed_until;
	struct hush_subject x;
};

static const struct field subject_fields[] = {
	FIELD_ID(struct subject, tenant_id, "tenant_id", ""),
	FIELD_ID(struct subject, x.service_id, "service_id", ""),
	FIELD_ID(struct subject, x.source_id, "source_id", ""),
	FIELD_STR(struct subject, x.dedup_key, "dedup_key", ""),
	FIELD_STR(struct subject, x.provider, "provider", ""),
	FIELD_U64(struct subject, level, "level", ""),
	FIELD_U64(struct subject, status, "status", ""),
	FIELD_BOOL(struct subject, is_test, "is_test", ""),
	FIELD_TIME(struct subject, snoozed_until, "snoozed_until", ""),
	FIELD_END
};

/* 1, 0, -1 as any look-up. */
static int subject_of(struct db *db, struct arena *a, uint64_t incident, struct subject *out, struct err *e)
{
	int found = db_query_one(db, &stmts[Q_INCIDENT], VALS(V_U(incident)), a, subject_fields, sizeof(*out), out, e);

	if (found == 1)
		out->x.level = (enum level)out->level;
	return found;
}

/* ---- what holds it ---- */

/* What has begun since then did not hold it when it happened. */
static struct hush *those_that_ran(struct arena *a, const struct hush_memory *m, ms_t from, size_t *n)
{
	struct hush *list = ARENA_ARRAY(a, struct hush, m->n + 1);
	ms_t until;

	*n = 0;
	for (size_t i = 0; i < m->n; i++)
		if (hush_runs(&m->list[i].times, from, &until))
			list[(*n)++] = m->list[i];
	return list;
}

static bool remember(struct db *db, struct arena *a, struct hush_memory *m, uint64_t tenant_id, ms_t now, struct err *e)
{
	if (m->known && m->tenant_id == tenant_id)
		return true;
	m->tenant_id = tenant_id;
	m->known = hush_living(db, a, tenant_id, now, &m->list, &m->n, e);
	return m->known;
}

int hush_find(struct db *db, struct arena *a, struct hush_memory *m, uint64_t tenant_id, const struct hush_subject *x, ms_t from, ms_t now, struct hush *out,
	ms_t *until, struct err *e)
{
	const struct hush *by;
	struct hush *list;
	size_t n;
	int holds;

	do {
		if (!remember(db, a, m, tenant_id, now, e))
			return -1;
		list = those_that_ran(a, m, from, &n);
		by = hush_match(list, n, x, now, until);
		if (!by)
			return 0;
		*out = *by;
		holds = hush_holds(db, by, now, e);
		m->known = holds == 1;	/* else it has changed since it was read */
	} while (!holds);
	return holds;
}

int incident_held(struct db *db, struct arena *a, uint64_t incident, ms_t now, struct err *e)
{
	struct subject s;
	struct held row;
	struct hush *list;
	size_t n;
	ms_t until;
	int found = db_query_one(db, &stmts[Q_GET], VALS(V_U(incident)), a, fields, sizeof(row), &row, e);

	if (found)
		return found;
	found = subject_of(db, a, incident, &s, e);
	if (found != 1 || s.is_test)
		return found < 0 ? -1 : 0;
	return !hush_living(db, a, s.tenant_id, now, &list, &n, e) ? -1 : hush_match(list, n, &s.x, now, &until) != NULL;
}

/* ---- rows ---- */

int held_lock(struct db *db, struct arena *a, uint64_t incident, struct held *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_LOCK], VALS(V_U(incident)), a, fields, sizeof(*out), out, e);
}

bool held_put(struct db *db, const struct held *h, struct err *e)
{
	return db_exec(db, &stmts[Q_PUT],
		VALS(V_U(h->incident_id), V_U(h->hush_id), V_S(h->name), V_U(h->was_told), V_I(h->since), V_I(h->until)), NULL, e);
}

bool held_drop(struct db *db, uint64_t incident, struct err *e)
{
	return db_exec(db, &stmts[Q_DROP], VALS(V_U(incident)), NULL, e);
}

bool held_entry(struct db *db, struct arena *a, const struct timeline_row *row, struct str traceparent, struct err *e)
{
	const struct news news = { .id = row->id, .incident_id = row->incident_id, .traceparent = traceparent };

	return batch_insert_timeline(db, a, row, 1, e) && (row->kind == TIMELINE_HELD || news_add(db, a, &news, 1, e));
}

/* ---- release ---- */

bool held_due(struct db *db, struct arena *a, ms_t now, size_t limit, struct held **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_DUE], VALS(V_I(now), V_U(limit)), a, fields, sizeof(**out), out, n, e);
}

struct release {
	struct arena *a;
	uint64_t incident, entry_id;
	ms_t now;
	bool done;
};

static bool tell(struct db *db, const struct release *r, const struct held *h, const struct subject *s, struct err *e)
{
	const struct timeline_row entry = { .incident_id = r->incident, .id = r->entry_id, .kind = TIMELINE_RELEASED, .actor = ACTOR_SYSTEM,
		.level = s->x.level, .text = h->name, .at = r->now };

	return held_drop(db, r->incident, e) && held_entry(db, r->a, &entry, STR_NONE, e);
}

static bool release_tx(struct db *db, void *ctx, struct err *e)
{
	struct release *r = ctx;
	struct hush_memory memory = { 0 };
	struct subject s;
	struct hush by;
	struct held h;
	ms_t until;
	int found = db_query_one(db, &stmts[Q_INCIDENT_LOCK], VALS(V_U(r->incident)), r->a, subject_fields, sizeof(s), &s, e);

	r->done = false;
	if (found == 1)
		found = held_lock(db, r->a, r->incident, &h, e);
	if (found == 1)
		found = subject_of(db, r->a, r->incident, &s, e);
	if (found != 1 || s.status == INCIDENT_RESOLVED || h.until > r->now)
		return found >= 0;
	r->done = true;
	found = hush_find(db, r->a, &memory, s.tenant_id, &s.x, r->now, r->now, &by, &until, e);
	if (found < 0)
		return false;
	if (found == 1) {
		h.hush_id = by.id;
		h.name = by.name;
		h.until = until;
	} else if (s.snoozed_until) {
		h.until = (s.snoozed_until > r->now ? s.snoozed_until : r->now) + SNOOZE_END_MS;
	} else {
		return tell(db, r, &h, &s, e);
	}
	return held_put(db, &h, e);
}

int held_release(struct db *db, struct arena *a, struct id_maker *ids, uint64_t incident, ms_t now, struct err *e)
{
	struct release r = { .a = a, .incident = incident, .entry_id = id_make(ids, now), .now = now };

	return db_tx(db, release_tx, &r, e) ? r.done : -1;
}
