/* event.c - what people do to events: look them up by any of their ids, settle them, remove them.
 *
 * An event that somebody holds to send it is nobody else's until he is done or his lease ends: what he stores would contradict what a person
 * did meanwhile. Locks in the order of cleanup and of senders: event ids, forwards, events, attempts. */
#include "store_int.h"

#include "grapnel/crypto.h"

enum {
	Q_OURS, Q_THEIRS, Q_THESE, Q_OF_STATUS, Q_LET_GO, Q_SETTLE, Q_ID_DROP, Q_FORWARD_DROP, Q_DROP, Q_ATTEMPTS_DROP, Q_ALERTS_DROP,
	Q_REQUEST_CLEAR,
};

#define IDS "JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) j"
#define COLUMNS \
	"e.id, e.tenant_id, e.source_id AS source_row, e.request_id, e.incident_id, e.status, e.attempts, e.is_test, e.event_id, e.event_type AS type," \
	" e.error, e.received_at, e.updated_at, s.public_id AS source_id, s.provider, f.owner, f.next_at"
#define JOINS " JOIN sources s ON s.id = e.source_id LEFT JOIN forwards f ON f.event_id = e.id"
#define OF_TENANT(alias) "(? = 0 OR " alias ".tenant_id = ?)"
static const struct stmt stmts[] = {
	[Q_OURS] = { "event.by_id", "SELECT " COLUMNS " FROM events e" JOINS " WHERE e.id = ? AND " OF_TENANT("e") },
	/* A step in the index of ids for each source. */
	[Q_THEIRS] = { "event.by_event_id",
		"SELECT STRAIGHT_JOIN " COLUMNS " FROM sources s JOIN event_ids i ON i.source_id = s.id AND i.id_hash = ? JOIN events e ON e.id = i.event_id"
		" LEFT JOIN forwards f ON f.event_id = e.id WHERE " OF_TENANT("s") " ORDER BY e.id DESC LIMIT ?", SCAN_OK },
	[Q_THESE] = { "event.these",
		"SELECT STRAIGHT_JOIN " COLUMNS " FROM " IDS " JOIN events e FORCE INDEX (PRIMARY) ON e.id = j.id" JOINS " WHERE " OF_TENANT("e")
		" ORDER BY e.id", SCAN_OK },
	[Q_OF_STATUS] = { "event.of_status",
		"SELECT STRAIGHT_JOIN " COLUMNS " FROM (SELECT id FROM events FORCE INDEX (by_status) WHERE tenant_id = ? AND status = ? AND id > ?"
		" ORDER BY id LIMIT ?) k JOIN events e FORCE INDEX (PRIMARY) ON e.id = k.id" JOINS " ORDER BY e.id", SCAN_OK },

	[Q_LET_GO] = { "event.let_go",
		"DELETE f FROM " IDS " STRAIGHT_JOIN forwards f FORCE INDEX (PRIMARY) ON f.event_id = j.id STRAIGHT_JOIN events e FORCE INDEX (PRIMARY)"
		" ON e.id = f.event_id WHERE (f.owner = 0 OR f.next_at <= ?) AND " OF_TENANT("e"), SCAN_OK },
	[Q_SETTLE] = { "event.settle",
		"UPDATE " IDS " STRAIGHT_JOIN events e FORCE INDEX (PRIMARY) ON e.id = j.id LEFT JOIN forwards f ON f.event_id = e.id"
		" SET e.status = 2, e.error = NULL, e.processed_at = ?, e.updated_at = ? WHERE e.status IN (0, 1, 3, 4) AND f.event_id IS NULL AND "
		OF_TENANT("e"), SCAN_OK },

	[Q_ID_DROP] = { "event.id_drop", "DELETE FROM event_ids WHERE source_id = ? AND id_hash = ? AND event_id = ?" },
	[Q_FORWARD_DROP] = { "event.forward_drop", "DELETE FROM forwards WHERE event_id = ? AND (owner = 0 OR next_at <= ?)" },
	[Q_DROP] = { "event.drop",
		"DELETE FROM events WHERE id = ? AND NOT EXISTS (SELECT 1 FROM forwards f WHERE f.event_id = ?)" },
	[Q_ATTEMPTS_DROP] = { "event.attempts_drop", "DELETE FROM event_attempts WHERE event_id = ?" },
	/* An alert's number is made in the batch of its event, as cleanup knows. */
	[Q_ALERTS_DROP] = { "event.alerts_drop", "DELETE FROM alerts WHERE incident_id = ? AND id > ? AND id < ? + 67108864 AND event_id = ?" },
	[Q_REQUEST_CLEAR] = { "event.request_clear", "UPDATE requests SET event_id = NULL WHERE id = ? AND event_id = ?" },
};
const struct stmt_table event_stmts = { stmts, ARRAY_SIZE(stmts) };

/* ---- looking up ---- */

static const struct field fields[] = {
	FIELD_ID(struct event_brief, id, "id", ""),
	FIELD_ID(struct event_brief, tenant_id, "tenant_id", ""),
	FIELD_ID(struct event_brief, source_row, "source_row", ""),
	FIELD_ID(struct event_brief, request_id, "request_id", ""),
	FIELD_ID(struct event_brief, incident_id, "incident_id", ""),
	FIELD_U64(struct event_brief, status, "status", ""),
	FIELD_U64(struct event_brief, attempts, "attempts", ""),
	FIELD_BOOL(struct event_brief, is_test, "is_test", ""),
	FIELD_STR(struct event_brief, event_id, "event_id", ""),
	FIELD_STR(struct event_brief, type, "type", ""),
	FIELD_STR(struct event_brief, error, "error", ""),
	FIELD_STR(struct event_brief, source_id, "source_id", ""),
	FIELD_STR(struct event_brief, provider, "provider", ""),
	FIELD_TIME(struct event_brief, received_at, "received_at", ""),
	FIELD_TIME(struct event_brief, updated_at, "updated_at", ""),
	FIELD_U64(struct event_brief, owner, "owner", ""),
	FIELD_TIME(struct event_brief, next_at, "next_at", ""),
	FIELD_END
};

bool event_is_held(const struct event_brief *ev, ms_t now)
{
	return ev->owner && ev->next_at > now;
}

bool event_by_any_id(struct db *db, struct arena *a, uint64_t tenant_id, struct str id, size_t limit, struct event_brief **out, size_t *n,
	struct err *e)
{
	const struct val tenant = V_U(tenant_id);
	unsigned char hash[KEY_HASH_BYTES];
	uint64_t ours;

	*n = 0;
	if (str_u64(id, &ours) && ours <= INT64_MAX &&
		!db_query(db, &stmts[Q_OURS], VALS(V_U(ours), tenant, tenant), a, fields, sizeof(**out), out, n, e))
		return false;
	if (*n)
		return true;
	key_hash(id, hash);
	return db_query(db, &stmts[Q_THEIRS], VALS(V_B((struct str){ (const char *)hash, sizeof(hash) }), tenant, tenant, V_U(limit)), a, fields,
		sizeof(**out), out, n, e);
}

bool event_these(struct db *db, struct arena *a, uint64_t tenant_id, struct str ids, struct event_brief **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_THESE], VALS(V_S(ids), V_U(tenant_id), V_U(tenant_id)), a, fields, sizeof(**out), out, n, e);
}

bool event_of_status(struct db *db, struct arena *a, uint64_t tenant_id, enum event_status status, uint64_t after, size_t limit,
	struct event_brief **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_OF_STATUS], VALS(V_U(tenant_id), V_U(status), V_U(after), V_U(limit)), a, fields, sizeof(**out), out, n, e);
}

/* ---- settling ---- */

struct settling {
	uint64_t tenant_id;
	struct str ids;
	ms_t now;
	uint64_t n;
};

static bool settle_tx(struct db *db, void *ctx, struct err *e)
{
	struct settling *s = ctx;
	const struct val ids = V_S(s->ids), now = V_I(s->now), tenant = V_U(s->tenant_id);

	return db_exec(db, &stmts[Q_LET_GO], VALS(ids, now, tenant, tenant), NULL, e) &&
		db_exec(db, &stmts[Q_SETTLE], VALS(ids, now, now, tenant, tenant), &s->n, e);
}

bool event_settle(struct db *db, uint64_t tenant_id, struct str ids, ms_t now, uint64_t *n, struct err *e)
{
	struct settling s = { tenant_id, ids, now, 0 };
	bool ok = db_tx(db, settle_tx, &s, e);

	*n = ok ? s.n : 0;
	return ok;
}

/* ---- removing ---- */

struct dropping {
	struct arena *a;
	const struct event_brief *ev;
	const struct who *who;
	unsigned slot;
	ms_t now;
};

/* Starts at a handler are summed without their type, that of the request with it. */
static bool take_from_sums(struct db *db, const struct dropping *d, uint64_t forwards, struct err *e)
{
	const struct event_brief *ev = d->ev;
	const struct tally of = { ev->tenant_id, ev->source_row, ev->type, ev->received_at }, handler = { ev->tenant_id, ev->source_row, STR_NONE, ev->received_at };
	struct tallies *t = tallies_new(d->a);

	if (ev->is_test)
		return true;
	if (forwards > ev->attempts)
		forwards = ev->attempts;
	tally_events(t, &of, -1);
	tally_starts(t, &of, -(int64_t)(ev->attempts - forwards));
	if (forwards)
		tally_starts(t, &handler, -(int64_t)forwards);
	return tallies_write(db, d->a, t, d->slot, e);
}

static bool drop_tx(struct db *db, void *ctx, struct err *e)
{
	struct dropping *d = ctx;
	const struct event_brief *ev = d->ev;
	const struct val id = V_U(ev->id);
	unsigned char hash[KEY_HASH_BYTES];
	uint64_t dropped, attempts;

	key_hash(ev->event_id, hash);
	if (!db_exec(db, &stmts[Q_ID_DROP], VALS(V_U(ev->source_row), V_B((struct str){ (const char *)hash, sizeof(hash) }), id), NULL, e) ||
		!db_exec(db, &stmts[Q_FORWARD_DROP], VALS(id, V_I(d->now)), NULL, e) || !db_exec(db, &stmts[Q_DROP], VALS(id, id), &dropped, e))
		return false;
	if (!dropped)
		return err_set(e, ERR_CONFLICT, "the event is being sent, or gone");
	return db_exec(db, &stmts[Q_ATTEMPTS_DROP], VALS(id), &attempts, e) &&
		(!ev->incident_id || db_exec(db, &stmts[Q_ALERTS_DROP], VALS(V_U(ev->incident_id), id, id, id), NULL, e)) &&
		db_exec(db, &stmts[Q_REQUEST_CLEAR], VALS(V_U(ev->request_id), id), NULL, e) && take_from_sums(db, d, attempts, e) &&
		audit_add(db, d->who, "event.delete", arena_printf(d->a, "%llu", (unsigned long long)ev->id), STR_NONE, d->now, e);
}

bool event_remove(struct db *db, struct arena *a, const struct event_brief *ev, const struct who *who, unsigned slot, ms_t now, struct err *e)
{
	struct dropping d = { a, ev, who, slot, now };

	return db_tx(db, drop_tx, &d, e);
}
