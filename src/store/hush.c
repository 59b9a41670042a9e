/* hush.c - maintenance windows and silences: two kinds of one thing, when nobody is told.
 *
 * Whoever holds an incident back writes held_at of the row as it was read; whoever changes, ends or deletes it writes the row too, and then lets the
 * incidents that it holds be looked at again at once. So one of two who do both at the same moment sees what the other did, on members of
 * a Galera cluster too, and no incident stays held by what is over. */
#include "change_int.h"

#include "grapnel/json.h"

#define REASON_MAX_CHARS 1024	/* of the column */

enum { Q_GET, Q_LIST, Q_LIVING, Q_LOCK, Q_COUNT, Q_ADD, Q_UPDATE, Q_END, Q_DELETE, Q_HOLDS, Q_HELD_AGAIN };

#define COLUMNS \
	"id, tenant_id, kind, public_id, name, reason, service_id, source_id, dedup_key, provider, level_max, repeats, from_at, to_at, at_min, minutes," \
	" weekdays, month_week, month_day, zone, ended_at, user_id, created_at, updated_at"

/* With what it points to. Services and integrations that were deleted keep their names. */
#define SHOWN \
	"h.id, h.tenant_id, h.kind, h.public_id, h.name, h.reason, h.service_id, h.source_id, h.dedup_key, h.provider, h.level_max, h.repeats, h.from_at," \
	" h.to_at, h.at_min, h.minutes, h.weekdays, h.month_week, h.month_day, h.zone, h.ended_at, h.user_id, h.created_at, h.updated_at, h.held_at," \
	" v.public_id AS service_public_id, v.name AS service_name, s.public_id AS source_public_id, s.name AS source_name, u.name AS user_name," \
	" (SELECT COUNT(*) FROM held_incidents x JOIN incidents i ON i.id = x.incident_id WHERE x.hush_id = h.id AND i.status <> 3) AS held FROM hushes h LEFT JOIN services v ON v.id = h.service_id" \
	" LEFT JOIN sources s ON s.id = h.source_id LEFT JOIN users u ON u.id = h.user_id"

static const struct stmt stmts[] = {
	[Q_GET] = { "hush.get", "SELECT " SHOWN " WHERE h.public_id = ? AND h.tenant_id = ? AND h.kind = ?" },
	[Q_LIST] = { "hush.list",
		"SELECT " SHOWN " WHERE h.tenant_id = ? AND h.kind = ? AND h.id < ? AND h.over_at > ? AND h.over_at <= ? ORDER BY h.id DESC LIMIT ?" },
	[Q_LIVING] = { "hush.living", "SELECT " COLUMNS " FROM hushes WHERE tenant_id = ? AND over_at > ? ORDER BY over_at, id" },
	[Q_LOCK] = { "hush.lock", "SELECT " COLUMNS " FROM hushes WHERE public_id = ? AND tenant_id = ? AND kind = ? FOR UPDATE" },
	[Q_COUNT] = { "hush.count", "SELECT COUNT(*) AS id FROM hushes WHERE tenant_id = ? AND over_at > ? AND kind = ?" },
	[Q_ADD] = { "hush.add",
		"INSERT INTO hushes (tenant_id, kind, public_id, name, reason, service_id, source_id, dedup_key, provider, level_max, repeats, from_at, to_at,"
		" at_min, minutes, weekdays, month_week, month_day, zone, ended_at, over_at, user_id, created_at, updated_at)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_UPDATE] = { "hush.update",
		"UPDATE hushes SET name = ?, reason = ?, service_id = ?, source_id = ?, dedup_key = ?, provider = ?, level_max = ?, repeats = ?, from_at = ?,"
		" to_at = ?, at_min = ?, minutes = ?, weekdays = ?, month_week = ?, month_day = ?, zone = ?, ended_at = ?, over_at = ?, updated_at = ?"
		" WHERE id = ?" },
	[Q_END] = { "hush.end", "UPDATE hushes SET ended_at = ?, over_at = ?, updated_at = ? WHERE id = ?" },
	[Q_DELETE] = { "hush.delete", "DELETE FROM hushes WHERE id = ?" },
	[Q_HOLDS] = { "hush.holds", "UPDATE hushes SET held_at = ? WHERE id = ? AND updated_at = ?" },
	[Q_HELD_AGAIN] = { "hush.held_again", "UPDATE held_incidents SET until = ? WHERE hush_id = ? AND until > ?" },
};
const struct stmt_table hush_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct hush, id, "id", ""),
	FIELD_ID(struct hush, tenant_id, "tenant_id", ""),
	FIELD_U64(struct hush, kind, "kind", ""),
	FIELD_STR(struct hush, public_id, "public_id", ""),
	FIELD_STR(struct hush, name, "name", ""),
	FIELD_STR(struct hush, reason, "reason", ""),
	FIELD_ID(struct hush, scope.service_id, "service_id", ""),
	FIELD_ID(struct hush, scope.source_id, "source_id", ""),
	FIELD_STR(struct hush, scope.dedup_key, "dedup_key", ""),
	FIELD_STR(struct hush, scope.provider, "provider", ""),
	FIELD_U64(struct hush, scope.level_max, "level_max", ""),
	FIELD_U64(struct hush, times.repeat, "repeats", ""),
	FIELD_TIME(struct hush, times.from, "from_at", ""),
	FIELD_TIME(struct hush, times.to, "to_at", ""),
	FIELD_U64(struct hush, times.at_min, "at_min", ""),
	FIELD_U64(struct hush, times.minutes, "minutes", ""),
	FIELD_U64(struct hush, times.weekdays, "weekdays", ""),
	FIELD_U64(struct hush, times.month_week, "month_week", ""),
	FIELD_U64(struct hush, times.month_day, "month_day", ""),
	FIELD_STR(struct hush, zone_name, "zone", ""),
	FIELD_TIME(struct hush, times.ended_at, "ended_at", ""),
	FIELD_ID(struct hush, user_id, "user_id", ""),
	FIELD_TIME(struct hush, created_at, "created_at", ""),
	FIELD_TIME(struct hush, updated_at, "updated_at", ""),
	FIELD_TIME(struct hush, held_at, "held_at", ""),
	FIELD_STR(struct hush, service_public_id, "service_public_id", ""),
	FIELD_STR(struct hush, service_name, "service_name", ""),
	FIELD_STR(struct hush, source_public_id, "source_public_id", ""),
	FIELD_STR(struct hush, source_name, "source_name", ""),
	FIELD_STR(struct hush, user_name, "user_name", ""),
	FIELD_U64(struct hush, held, "held", ""),
	FIELD_END
};

static const struct field audit_fields[] = {
	FIELD_STR(struct hush, name, "name", ""),
	FIELD_STR(struct hush, reason, "reason", ""),
	FIELD_ID(struct hush, scope.service_id, "service", ""),
	FIELD_ID(struct hush, scope.source_id, "source", ""),
	FIELD_STR(struct hush, scope.dedup_key, "dedupKey", ""),
	FIELD_STR(struct hush, scope.provider, "provider", ""),
	FIELD_TIME(struct hush, times.from, "from", ""),
	FIELD_TIME(struct hush, times.to, "to", ""),
	FIELD_TIME(struct hush, times.ended_at, "endedAt", ""),
	FIELD_END
};

/* ---- reading ---- */

/* A zone whose file is gone is UTC: better at another hour than never. */
static void read_zone(struct arena *a, struct hush *h, const struct hush *before)
{
	if (!h->times.repeat)
		return;
	h->times.zone = before && str_eq(before->zone_name, h->zone_name) ? before->times.zone : zone_read(a, h->zone_name);
	if (!h->times.zone)
		h->times.zone = zone_read(a, STR("UTC"));
}

static void read_zones(struct arena *a, struct hush *list, size_t n)
{
	const struct hush *before = NULL;

	for (size_t i = 0; i < n; i++) {
		read_zone(a, &list[i], before);
		if (list[i].times.zone)
			before = &list[i];
	}
}

static int get(struct db *db, struct arena *a, const struct stmt *q, const struct hush *key, struct hush *out, struct err *e)
{
	int found = db_query_one(db, q, VALS(V_S(key->public_id), V_U(key->tenant_id), V_U(key->kind)), a, fields, sizeof(*out), out, e);

	if (found == 1)
		read_zone(a, out, NULL);
	return found;
}

int hush_get(struct db *db, struct arena *a, uint64_t tenant_id, enum hush_kind kind, struct str public_id, struct hush *out, struct err *e)
{
	const struct hush key = { .tenant_id = tenant_id, .kind = kind, .public_id = public_id };

	return get(db, a, &stmts[Q_GET], &key, out, e);
}

bool hush_list(struct db *db, struct arena *a, const struct hush_range *r, size_t limit, struct hush **out, size_t *n, struct err *e)
{
	if (!db_query(db, &stmts[Q_LIST],
		VALS(V_U(r->tenant_id), V_U(r->kind), V_U(r->below ? r->below : UINT32_MAX), V_I(r->over_after), V_I(r->over_until), V_U(limit)), a, fields,
		sizeof(**out), out, n, e))
		return false;
	read_zones(a, *out, *n);
	return true;
}

bool hush_living(struct db *db, struct arena *a, uint64_t tenant_id, ms_t now, struct hush **out, size_t *n, struct err *e)
{
	if (!db_query(db, &stmts[Q_LIVING], VALS(V_U(tenant_id), V_I(now)), a, fields, sizeof(**out), out, n, e))
		return false;
	read_zones(a, *out, *n);
	return true;
}

bool hush_running(struct db *db, struct arena *a, uint64_t tenant_id, ms_t now, struct hush **out, size_t *n, struct err *e)
{
	size_t living, kept = 0;
	ms_t until;

	if (!hush_living(db, a, tenant_id, now, out, &living, e))
		return false;
	for (size_t i = 0; i < living; i++)
		if ((*out)[i].kind == HUSH_WINDOW && hush_runs(&(*out)[i].times, now, &until))
			(*out)[kept++] = (*out)[i];
	*n = kept;
	return true;
}

/* ---- changing ---- */

static void audit_more(struct json_out *o, const void *thing)
{
	const struct hush *h = thing;

	if (h->scope.level_max) {
		json_key(o, "maxSeverity");
		json_strz(o, level_word((enum level)(h->scope.level_max - 1)));
	}
	if (h->times.repeat) {
		json_key(o, "times");
		json_str(o, hush_times_text(o->b->arena, &h->times, h->zone_name));
	}
}

static bool check(const struct hush *h, struct err *e)
{
	if (!name_check(h->name, "name", e))
		return false;
	return characters(h->reason) <= REASON_MAX_CHARS ||
		err_field(e, ERR_INVALID, "reason", "The reason has more than %d characters.", REASON_MAX_CHARS);
}

static bool has_room(struct db *db, const struct change *x, struct err *e)
{
	const struct hush *h = x->to;

	return room_check(db, x->arena, &stmts[Q_COUNT], VALS(V_U(h->tenant_id), V_I(x->now), V_U(h->kind)), HUSHES_MAX,
		h->kind == HUSH_WINDOW ? "maintenance windows that are not over" : "silences that are not over", e);
}

static int lock(struct db *db, const struct change *x, void *before, struct err *e)
{
	return get(db, x->arena, &stmts[Q_LOCK], x->to, before, e);
}

static bool add(struct db *db, const struct change *x, struct err *e)
{
	struct hush *h = x->to;
	const struct hush_times *t = &h->times;
	const struct hush_scope *s = &h->scope;

	if (!has_room(db, x, e))
		return false;
	if (!db_exec(db, &stmts[Q_ADD],
		VALS(V_U(h->tenant_id), V_U(h->kind), V_S(h->public_id), V_S(h->name), V_S(h->reason), V_ID(s->service_id), V_ID(s->source_id),
			V_SE(s->dedup_key), V_SE(s->provider), V_ID(s->level_max), V_U(t->repeat), V_T(t->from), V_T(t->to), V_U(t->at_min),
			V_U(t->minutes), V_U(t->weekdays), V_U(t->month_week), V_U(t->month_day), V_S(h->zone_name), V_T(t->ended_at),
			V_I(hush_over_at(t)), V_ID(h->user_id), V_I(x->now), V_I(x->now)),
		NULL, e))
		return conflict_if_duplicate(db, "id", "its id is that of another one", e);
	h->id = db_insert_id(db);
	return true;
}

static bool look_again(struct db *db, const struct change *x, uint64_t id, struct err *e)
{
	return db_exec(db, &stmts[Q_HELD_AGAIN], VALS(V_I(x->now), V_U(id), V_I(x->now)), NULL, e);
}

static bool update(struct db *db, const struct change *x, struct err *e)
{
	const struct hush *h = x->to, *before = x->before;
	const struct hush_times *t = &h->times;
	const struct hush_scope *s = &h->scope;

	if (hush_over_at(&before->times) <= x->now && hush_over_at(t) > x->now && !has_room(db, x, e))
		return false;
	return db_exec(db, &stmts[Q_UPDATE],
		VALS(V_S(h->name), V_S(h->reason), V_ID(s->service_id), V_ID(s->source_id), V_SE(s->dedup_key), V_SE(s->provider),
			V_ID(s->level_max), V_U(t->repeat), V_T(t->from), V_T(t->to), V_U(t->at_min), V_U(t->minutes), V_U(t->weekdays),
			V_U(t->month_week), V_U(t->month_day), V_S(h->zone_name), V_T(t->ended_at), V_I(hush_over_at(t)), V_I(x->changed_at),
			V_U(before->id)),
		NULL, e) && look_again(db, x, before->id, e);
}

static bool end(struct db *db, const struct change *x, struct err *e)
{
	struct hush after = *(const struct hush *)x->before;
	ms_t until;

	if (!hush_runs(&after.times, x->now, &until))
		return err_tell(e, ERR_CONFLICT, "It does not run now, so there is nothing to end.");
	after.times.ended_at = x->now;
	return db_exec(db, &stmts[Q_END], VALS(V_I(x->now), V_I(hush_over_at(&after.times)), V_I(x->changed_at), V_U(after.id)), NULL, e) &&
		look_again(db, x, after.id, e) && change_audit(db, x, "end", NULL, &after, e);
}

static bool remove_it(struct db *db, const struct change *x, struct err *e)
{
	const struct hush *before = x->before;

	return db_exec(db, &stmts[Q_DELETE], VALS(V_U(before->id)), NULL, e) && look_again(db, x, before->id, e);
}

#define HUSHES(audit_word, id_prefix) { \
	CHANGEABLE(struct hush), .word = audit_word, .prefix = id_prefix, .audited = audit_fields, .audited_too = audit_more, \
	.lock = lock, .add = add, .update = update, .remove = remove_it }

static const struct changeable kinds[] = {
	[HUSH_WINDOW] = HUSHES("maintenance_window", "mw"),
	[HUSH_SILENCE] = HUSHES("silence", "si"),
};

bool hush_add(struct db *db, struct arena *a, const struct hush *in, const struct who *who, ms_t now, struct hush *out, struct err *e)
{
	struct change x = { .kind = &kinds[in->kind], .arena = a, .to = out, .who = who, .now = now };

	*out = *in;
	return check(in, e) && change_add(db, &x, e);
}

int hush_update(struct db *db, struct arena *a, const struct hush *in, const struct who *who, ms_t now, struct err *e)
{
	struct hush to = *in;
	struct change x = { .kind = &kinds[in->kind], .arena = a, .to = &to, .who = who, .now = now };

	return check(in, e) ? change_update(db, &x, e) : -1;
}

int hush_end(struct db *db, struct arena *a, uint64_t tenant_id, enum hush_kind kind, struct str public_id, const struct who *who, ms_t now, struct err *e)
{
	struct hush key = { .tenant_id = tenant_id, .kind = kind, .public_id = public_id };
	struct change x = { .kind = &kinds[kind], .arena = a, .to = &key, .who = who, .now = now };

	return change_by(db, &x, end, e);
}

int hush_delete(struct db *db, struct arena *a, uint64_t tenant_id, enum hush_kind kind, struct str public_id, const struct who *who, ms_t now,
	struct err *e)
{
	struct hush gone = { .tenant_id = tenant_id, .kind = kind, .public_id = public_id };
	struct change x = { .kind = &kinds[kind], .arena = a, .to = &gone, .who = who, .now = now };

	return change_remove(db, &x, e);
}

int hush_holds(struct db *db, const struct hush *h, ms_t now, struct err *e)
{
	uint64_t matched;

	if (!db_exec(db, &stmts[Q_HOLDS], VALS(V_I(now), V_U(h->id), V_I(h->updated_at)), &matched, e))
		return -1;
	return matched == 1;
}
