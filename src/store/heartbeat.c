/* heartbeat.c - sources that ought to be heard of every so often, and what their silence brings about.
 *
 * That a monitor alert of type STALE runs for a source is what says that its silence was told, so any number of hosts may look at once. The
 * incident of a silence has a key of its own, made of the moment it was heard of last: the next silence is other trouble, and does not open
 * this one again. The end goes the other way round, incident first, so that a run killed in between is finished by the next. */
#include "store_int.h"

#include <inttypes.h>

#define SHOWN_TIME 17		/* "2026-11-22 12:05" */

enum { Q_LIST, Q_INCIDENT, Q_MEND_HEARD, Q_MEND_SINCE };

static const struct stmt stmts[] = {
	/* Reads the sources, however few are watched: there are thousands, not millions. */
	[Q_LIST] = { "heartbeat.list",
		"SELECT STRAIGHT_JOIN s.id AS source_id, s.tenant_id, s.service_id, s.public_id, s.name, s.heartbeat_incident AS wants_incident,"
		" s.silence_incident AS incident, m.id IS NOT NULL AS told,"
		" IF(s.enabled = 1 AND s.deleted_at IS NULL, s.heartbeat_minutes, NULL) AS minutes, " HEARD_AT " AS heard_at"
		" FROM sources s FORCE INDEX (PRIMARY) LEFT JOIN monitor_alerts m ON m.tenant_id = s.tenant_id AND m.running = 1"
		" AND m.type = '" STALE_ALERT "' AND m.subject = s.public_id"
		" WHERE s.id > ? AND (s.heartbeat_minutes IS NOT NULL OR m.id IS NOT NULL) ORDER BY s.id LIMIT ?" },
	[Q_INCIDENT] = { "heartbeat.incident", "UPDATE sources SET silence_incident = ? WHERE id = ?" },
	[Q_MEND_HEARD] = { "heartbeat.mend_heard", "UPDATE source_stats SET heard_at = LEAST(heard_at, ?) WHERE source_id = ? AND hour = 0" },
	[Q_MEND_SINCE] = { "heartbeat.mend_since", "UPDATE sources SET heartbeat_since = LEAST(heartbeat_since, ?) WHERE id = ?" },
};
const struct stmt_table heartbeat_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct heartbeat, source_id, "source_id", ""),
	FIELD_ID(struct heartbeat, tenant_id, "tenant_id", ""),
	FIELD_ID(struct heartbeat, service_id, "service_id", ""),
	FIELD_STR(struct heartbeat, public_id, "public_id", ""),
	FIELD_STR(struct heartbeat, name, "name", ""),
	FIELD_BOOL(struct heartbeat, wants_incident, "wants_incident", ""),
	FIELD_ID(struct heartbeat, incident, "incident", ""),
	FIELD_BOOL(struct heartbeat, told, "told", ""),
	FIELD_U64(struct heartbeat, minutes, "minutes", ""),
	FIELD_TIME(struct heartbeat, heard_at, "heard_at", ""),
	FIELD_END
};

bool heartbeats(struct db *db, struct arena *a, uint64_t after, size_t limit, struct heartbeat **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_LIST], VALS(V_U(after), V_U(limit)), a, fields, sizeof(**out), out, n, e);
}

bool heartbeat_mend(struct db *db, uint64_t source_id, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_MEND_HEARD], VALS(V_I(now), V_U(source_id)), NULL, e) &&
		db_exec(db, &stmts[Q_MEND_SINCE], VALS(V_I(now), V_U(source_id)), NULL, e);
}

struct silence {
	struct arena *a;
	struct id_maker *ids;
	const struct heartbeat *h;
	struct str message;
	ms_t now;
	bool began;
};

static const char *minute(ms_t t, char out[TIME_TEXT])
{
	time_format(t, out);
	out[SHOWN_TIME - 1] = '\0';
	out[10] = ' ';
	return out;
}

/* ---- it begins ---- */

static bool incident_write(struct db *db, const struct silence *x, struct key_lock *key, struct str dedup_key, struct err *e)
{
	const struct heartbeat *h = x->h;
	const struct event ev = { .action = ACTION_TRIGGER, .level = LEVEL_HIGH };
	uint64_t id = id_make(x->ids, x->now);
	struct incident_row row = { .id = id, .is_new = true, .tenant_id = h->tenant_id, .service_id = h->service_id, .source_id = h->source_id,
		.dedup_key = dedup_key, .key_hash = key->key_hash, .title = str_cut(x->message, SUMMARY_MAX), .status = INCIDENT_OPEN,
		.level = LEVEL_HIGH, .opened_at = x->now, .last_alert_at = x->now };
	struct timeline_row entry = { .incident_id = id, .id = id_make(x->ids, x->now), .kind = TIMELINE_OPENED, .actor = ACTOR_SYSTEM,
		.level = LEVEL_HIGH, .text = row.title, .at = x->now };

	if (incident_decide(&key->state, &ev, x->now, x->now, id).act != INCIDENT_OPENS)
		return true;	/* told before, by a run whose monitor alert somebody removed */
	key->changed = true;
	return batch_write_incidents(db, x->a, &row, 1, x->now, e) && batch_insert_timeline(db, x->a, &entry, 1, e) &&
		news_add(db, x->a, &(struct news){ .id = entry.id, .incident_id = id }, 1, e) &&
		batch_write_keys(db, x->a, key, 1, e) && db_exec(db, &stmts[Q_INCIDENT], VALS(V_U(id), V_U(h->source_id)), NULL, e);
}

static bool incident_open(struct db *db, const struct silence *x, struct err *e)
{
	struct str dedup_key = arena_printf(x->a, "silence:%.*s:%" PRId64, STR_ARG(x->h->public_id), x->h->heard_at);
	unsigned char hash[KEY_HASH_BYTES];
	struct key_lock key = { .service_id = x->h->service_id, .key_hash = hash };

	key_hash(dedup_key, hash);
	return batch_lock_keys(db, x->a, &key, 1, e) && incident_write(db, x, &key, dedup_key, e);
}

static bool silent_tx(struct db *db, void *ctx, struct err *e)
{
	struct silence *x = ctx;
	const struct heartbeat *h = x->h;
	const struct monitor_alert m = { .id = id_make(x->ids, x->now), .tenant_id = h->tenant_id, .type = STR(STALE_ALERT),
		.subject = h->public_id, .severity = MONITOR_ERROR, .message = x->message,
		.value = (double)((x->now - h->heard_at) / MS_PER_MINUTE), .threshold = (double)h->minutes,
		.advice = arena_printf(x->a, "See whether the sender runs, and whether its requests are refused. See /integrations/%.*s",
			STR_ARG(h->public_id)) };
	int began = monitor_alert_raise(db, x->a, x->ids, &m, x->now, e);

	x->began = began == 1;
	if (began != 1 || h->wants_incident)
		return began == 0 || (began == 1 && incident_open(db, x, e));
	return db_exec(db, &stmts[Q_INCIDENT], VALS(V_NULL(), V_U(h->source_id)), NULL, e);
}

int heartbeat_silent(struct db *db, struct arena *a, struct id_maker *ids, const struct heartbeat *h, ms_t now, struct err *e)
{
	char since[TIME_TEXT];
	struct silence x = { .a = a, .ids = ids, .h = h, .now = now,
		.message = arena_printf(a, "Nothing from %.*s since %s UTC; a request is expected every %" PRIu64 " minute%s.", STR_ARG(h->name),
			minute(h->heard_at, since), h->minutes, h->minutes == 1 ? "" : "s") };

	return db_tx(db, silent_tx, &x, e) ? x.began : -1;
}

/* ---- it ends ---- */

/* A person may have resolved it before. */
static bool incident_end(struct db *db, struct arena *a, struct id_maker *ids, const struct heartbeat *h, ms_t now, struct err *e)
{
	const struct who who = { .tenant_id = (uint32_t)h->tenant_id, .actor = ACTOR_SYSTEM };
	char at[TIME_TEXT];
	struct str text = h->minutes ? arena_printf(a, "Heard again at %s UTC.", minute(h->heard_at, at)) : STR("Nothing is expected any more.");
	struct err why = { 0 };

	if (!h->incident || incident_act(db, a, who.tenant_id, h->incident, COMMAND_RESOLVE, ACTOR_SYSTEM, &who, id_make(ids, now), text, now,
		&why) >= 0 || why.code == ERR_CONFLICT)
		return true;
	*e = why;
	return false;
}

int heartbeat_heard(struct db *db, struct arena *a, struct id_maker *ids, const struct heartbeat *h, ms_t now, struct err *e)
{
	return incident_end(db, a, ids, h, now, e) ?
		monitor_alert_end(db, a, ids, h->tenant_id, STR(STALE_ALERT), h->public_id, now, e) : -1;
}
