/* channel.c - channels: whom to tell, and how their messages fared.
 *
 * A channel is told by a row of the outbox of its own, written in the transaction of the cause. The secret is sealed under the channel's public id,
 * so that a value copied to another row does not open there. */
#include "change_int.h"

#include "grapnel/json.h"

#define ERROR_MAX 255

enum { Q_BY_PUBLIC_ID, Q_LIST, Q_LOCK, Q_COUNT, Q_COUNTS, Q_HOUSE, Q_BY_IDS, Q_ADD, Q_UPDATE, Q_DELETE, Q_LEAVE_SERVICES, Q_SENT, Q_FAILED, Q_DISABLE };

#define COLUMNS \
	"id, tenant_id, public_id, kind, name, enabled, disabled_reason, events, min_level, settings, secret_sealed," \
	" secret_sealed IS NOT NULL AS has_secret, each_recipient, max_per_minute, sent_at, failed_at, failures, error, created_at, updated_at"

static const struct stmt stmts[] = {
	[Q_BY_PUBLIC_ID] = { "channel.by_public_id", "SELECT " COLUMNS " FROM channels WHERE public_id = ? AND tenant_id = ?" },
	[Q_LIST] = { "channel.list", "SELECT " COLUMNS " FROM channels WHERE tenant_id = ? AND id < ? ORDER BY id DESC LIMIT ?" },
	[Q_LOCK] = { "channel.lock", "SELECT " COLUMNS " FROM channels WHERE public_id = ? AND tenant_id = ? FOR UPDATE" },
	[Q_COUNT] = { "channel.count", "SELECT COUNT(*) AS id FROM channels WHERE tenant_id = ?" },
	[Q_COUNTS] = { "channel.counts",
		"SELECT COUNT(*) AS n, COALESCE(SUM(enabled), 0) AS enabled, COALESCE(SUM(disabled_reason IS NOT NULL), 0) AS switched_off,"
		" COALESCE(SUM(enabled = 1 AND failures > 0), 0) AS failing, MIN(IF(enabled = 1 AND failures > 0, name, NULL)) AS name,"
		" MIN(IF(enabled = 1 AND failures > 0, error, NULL)) AS error FROM channels", SCAN_OK },
	/* Channels and contacts are few. */
	[Q_HOUSE] = { "channel.house",
		"SELECT CAST(COALESCE(SUM(kind = 'email'), 0) AS UNSIGNED) AS mail, CAST(COALESCE(SUM(kind = 'sms'), 0) AS UNSIGNED) AS sms FROM"
		" (SELECT kind FROM channels WHERE enabled = 1 AND IF(kind = 'sms', JSON_VALUE(settings, '$.account'), JSON_VALUE(settings, '$.url')) IS NULL"
		" UNION ALL SELECT kind FROM contacts WHERE verified_at IS NOT NULL) x", SCAN_OK },
	[Q_BY_IDS] = { "channel.by_ids",
		"SELECT " COLUMNS " FROM JSON_TABLE(?, '$[*]' COLUMNS (wanted INT UNSIGNED PATH '$')) w JOIN channels c ON c.id = w.wanted" },
	[Q_ADD] = { "channel.add",
		"INSERT INTO channels (public_id, tenant_id, kind, name, enabled, events, min_level, settings, secret_sealed, each_recipient,"
		" max_per_minute, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	/* What has failed before says nothing of other settings. */
	[Q_UPDATE] = { "channel.update",
		"UPDATE channels SET name = ?, enabled = ?, disabled_reason = NULL, events = ?, min_level = ?, settings = ?, secret_sealed = ?,"
		" max_per_minute = ?, failures = 0, error = NULL, updated_at = ? WHERE id = ?" },
	[Q_DELETE] = { "channel.delete", "DELETE FROM channels WHERE id = ?" },
	[Q_LEAVE_SERVICES] = { "channel.leave_services", "DELETE FROM service_channels WHERE channel_id = ?" },
	[Q_SENT] = { "channel.sent", "UPDATE channels SET sent_at = ?, failures = 0, error = NULL WHERE id = ?" },
	[Q_FAILED] = { "channel.failed", "UPDATE channels SET failed_at = ?, failures = failures + 1, error = ? WHERE id = ?" },
	[Q_DISABLE] = { "channel.disable",
		"UPDATE channels SET enabled = 0, disabled_reason = ?, updated_at = ? WHERE id = ? AND enabled = 1 AND updated_at = ?" },
};
const struct stmt_table channel_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct channel, id, "id", ""),
	FIELD_ID(struct channel, tenant_id, "tenant_id", ""),
	FIELD_STR(struct channel, public_id, "public_id", ""),
	FIELD_STR(struct channel, kind, "kind", ""),
	FIELD_STR(struct channel, name, "name", ""),
	FIELD_BOOL(struct channel, enabled, "enabled", ""),
	FIELD_STR(struct channel, disabled_reason, "disabled_reason", ""),
	FIELD_U64(struct channel, events, "events", ""),
	FIELD_U64(struct channel, min_level, "min_level", ""),
	FIELD_STR(struct channel, settings, "settings", ""),
	FIELD_STR(struct channel, secret_sealed, "secret_sealed", ""),
	FIELD_BOOL(struct channel, has_secret, "has_secret", ""),
	FIELD_BOOL(struct channel, each_recipient, "each_recipient", ""),
	FIELD_U64(struct channel, max_per_minute, "max_per_minute", ""),
	FIELD_TIME(struct channel, sent_at, "sent_at", ""),
	FIELD_TIME(struct channel, failed_at, "failed_at", ""),
	FIELD_U64(struct channel, failures, "failures", ""),
	FIELD_STR(struct channel, error, "error", ""),
	FIELD_TIME(struct channel, created_at, "created_at", ""),
	FIELD_TIME(struct channel, updated_at, "updated_at", ""),
	FIELD_END
};

const struct channel_event_name channel_event_names[] = {
	{ "event.processed", CHANNEL_PROCESSED, "Every event that came in and is processed, for brokers and programs", "events" },
	{ "incident.*", CHANNEL_INCIDENT, "Incidents of all services: when one opens, rises in severity, is acknowledged, resolved or reopened", "incidents" },
	{ "monitor.*", CHANNEL_MONITOR, "Monitor alerts: trouble of Grapnel itself, when it begins, gets worse and ends", "monitor alerts" },
	{ "alerts.*", CHANNEL_ALERTS, "Alert rules: thresholds that users set, when one is passed and when that is over", "alert rules" },
	{ NULL }
};

static const struct field audit_fields[] = {
	FIELD_STR(struct channel, kind, "kind", ""),
	FIELD_STR(struct channel, name, "name", ""),
	FIELD_BOOL(struct channel, enabled, "enabled", ""),
	FIELD_JSON(struct channel, settings, "settings", ""),
	FIELD_U64(struct channel, max_per_minute, "maxPerMinute", ""),
	FIELD_BOOL(struct channel, has_secret, "hasSecret", ""),
	FIELD_END
};

void channel_events_json(struct json_out *o, uint64_t events)
{
	json_open(o, '[');
	for (const struct channel_event_name *x = channel_event_names; x->word; x++)
		if (events & x->bit)
			json_strz(o, x->word);
	json_close(o, ']');
}

/* ---- reading ---- */

int channel_get(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, struct channel *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_BY_PUBLIC_ID], VALS(V_S(public_id), V_U(tenant_id)), a, fields, sizeof(*out), out, e);
}

bool channel_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t below, uint64_t limit, struct channel **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_LIST], VALS(V_U(tenant_id), V_U(below ? below : UINT32_MAX), V_U(limit)), a, fields, sizeof(**out), out, n, e);
}

bool channels_by_ids(struct db *db, struct arena *a, struct str ids, struct channel **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_BY_IDS], VALS(V_S(ids)), a, fields, sizeof(**out), out, n, e);
}

static const struct field count_fields[] = {
	FIELD_U64(struct channel_counts, n, "n", ""),
	FIELD_U64(struct channel_counts, enabled, "enabled", ""),
	FIELD_U64(struct channel_counts, switched_off, "switched_off", ""),
	FIELD_U64(struct channel_counts, failing, "failing", ""),
	FIELD_STR(struct channel_counts, name, "name", ""),
	FIELD_STR(struct channel_counts, error, "error", ""),
	FIELD_END
};

bool channel_count(struct db *db, struct arena *a, struct channel_counts *out, struct err *e)
{
	*out = (struct channel_counts){ 0 };
	return db_query_one(db, &stmts[Q_COUNTS], NULL, 0, a, count_fields, sizeof(*out), out, e) >= 0;
}

static const struct field house_fields[] = {
	FIELD_U64(struct house_uses, mail, "mail", ""),
	FIELD_U64(struct house_uses, sms, "sms", ""),
	FIELD_END
};

bool channel_house_uses(struct db *db, struct arena *a, struct house_uses *out, struct err *e)
{
	*out = (struct house_uses){ 0 };
	return db_query_one(db, &stmts[Q_HOUSE], NULL, 0, a, house_fields, sizeof(*out), out, e) >= 0;
}

static struct str context(struct arena *a, struct str public_id)
{
	return arena_printf(a, "channel:%.*s", STR_ARG(public_id));
}

bool channel_secret(struct arena *a, const struct seal_key *sk, const struct channel *c, struct str *out, struct err *e)
{
	*out = STR_NONE;
	return !c->secret_sealed.n || unseal(a, sk, c->secret_sealed, context(a, c->public_id).p, out, e);
}

/* ---- changing ---- */

static void audit_more(struct json_out *o, const void *thing)
{
	const struct channel *c = thing;

	json_key(o, "events");
	channel_events_json(o, c->events);
	json_key(o, "minSeverity");
	json_strz(o, level_word((enum level)c->min_level));
}

static int lock(struct db *db, const struct change *x, void *before, struct err *e)
{
	const struct channel *c = x->to;

	return db_query_one(db, &stmts[Q_LOCK], VALS(V_S(c->public_id), V_U(c->tenant_id)), x->arena, fields, sizeof(*c), before, e);
}

static bool add(struct db *db, const struct change *x, struct err *e)
{
	struct channel *c = x->to;

	if (!room_check(db, x->arena, &stmts[Q_COUNT], VALS(V_U(c->tenant_id)), CHANNELS_MAX, "channels", e))
		return false;
	if (!db_exec(db, &stmts[Q_ADD],
		VALS(V_S(c->public_id), V_U(c->tenant_id), V_S(c->kind), V_S(c->name), V_U(c->enabled), V_U(c->events), V_U(c->min_level),
			V_S(c->settings), V_BE(c->secret_sealed), V_U(c->each_recipient), V_U(c->max_per_minute), V_I(x->now), V_I(x->now)),
		NULL, e))
		return conflict_if_duplicate(db, "id", "its id is that of a channel of another tenant", e);
	c->id = db_insert_id(db);
	return true;
}

static bool update(struct db *db, const struct change *x, struct err *e)
{
	const struct channel *c = x->to, *before = x->before;

	return db_exec(db, &stmts[Q_UPDATE],
		VALS(V_S(c->name), V_U(c->enabled), V_U(c->events), V_U(c->min_level), V_S(c->settings), V_BE(c->secret_sealed),
			V_U(c->max_per_minute), V_I(x->changed_at), V_U(before->id)),
		NULL, e);
}

static bool remove_it(struct db *db, const struct change *x, struct err *e)
{
	const struct channel *before = x->before;

	return outbox_drop_waiting(db, OUTBOX_NOTIFICATION, before->id, "The channel was deleted.", x->now, e) &&
		db_exec(db, &stmts[Q_LEAVE_SERVICES], VALS(V_U(before->id)), NULL, e) &&
		db_exec(db, &stmts[Q_DELETE], VALS(V_U(before->id)), NULL, e);
}

static const struct changeable channels = {
	CHANGEABLE(struct channel), .word = "channel", .prefix = "ch", .audited = audit_fields, .audited_too = audit_more,
	.lock = lock, .add = add, .update = update, .remove = remove_it,
};

/* p NULL keeps what is sealed; empty is none. */
static void seal_secret(struct arena *a, const struct seal_key *sk, struct channel *c, struct str secret)
{
	if (secret.p)
		c->secret_sealed = secret.n ? seal(a, sk, secret, context(a, c->public_id).p) : STR_NONE;
	c->has_secret = c->secret_sealed.n > 0;
}

bool channel_add(struct db *db, struct arena *a, struct shm *shm, const struct seal_key *sk, const struct channel *in, struct str secret, const struct who *who, ms_t now,
	struct channel *out, struct err *e)
{
	struct change x = { .kind = &channels, .arena = a, .to = out, .who = who, .now = now, .shm = shm };

	*out = *in;
	if (!name_check(in->name, "name", e))
		return false;
	change_id(&x);
	seal_secret(a, sk, out, secret);
	return change_add(db, &x, e);
}

int channel_update(struct db *db, struct arena *a, struct shm *shm, const struct seal_key *sk, const struct channel *in, struct str secret, const struct who *who, ms_t now,
	struct err *e)
{
	struct channel to = *in;
	struct change x = { .kind = &channels, .arena = a, .to = &to, .who = who, .now = now, .shm = shm };

	if (!name_check(in->name, "name", e))
		return -1;
	seal_secret(a, sk, &to, secret);
	return change_update(db, &x, e);
}

int channel_delete(struct db *db, struct arena *a, struct shm *shm, uint64_t tenant_id, struct str public_id, const struct who *who, ms_t now, struct err *e)
{
	struct channel gone = { .tenant_id = tenant_id, .public_id = public_id };
	struct change x = { .kind = &channels, .arena = a, .to = &gone, .who = who, .now = now, .shm = shm };

	return change_remove(db, &x, e);
}

/* ---- results ---- */

bool channel_sent(struct db *db, uint64_t id, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_SENT], VALS(V_I(now), V_U(id)), NULL, e);
}

bool channel_failed(struct db *db, uint64_t id, struct str why, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_FAILED], VALS(V_I(now), V_S(str_cut(why, ERROR_MAX)), V_U(id)), NULL, e);
}

bool channel_disable(struct db *db, struct arena *a, const struct channel *c, struct str why, ms_t now, struct err *e)
{
	const struct who who = { .tenant_id = (uint32_t)c->tenant_id, .actor = ACTOR_SYSTEM };
	uint64_t changed;

	if (!db_exec(db, &stmts[Q_DISABLE], VALS(V_S(str_cut(why, ERROR_MAX)), V_I(now), V_U(c->id), V_I(c->updated_at)), &changed, e))
		return false;
	if (!changed)
		return true;
	return outbox_drop_waiting(db, OUTBOX_NOTIFICATION, c->id, "The channel was switched off.", now, e) &&
		audit_add(db, &who, "channel.disable", c->public_id, member_json(a, "reason", why), now, e);
}
