/* source.c - integrations and registrations as people manage them: what can be set, key, secrets, counters.
 *
 * Each change, its audit entry and the secrets it brings are one transaction; the generation is bumped
 * after it, and also when nobody knows whether the commit was done: reading once too often harms nobody. */
#include "store_int.h"

#include "grapnel/json.h"
#include "grapnel/net.h"

#define ALLOWED_IPS_MAX 4096	/* about 200 networks; ingest walks through all of them */
#define SETTINGS_MAX 60000	/* TEXT holds 65535 */
#define DETAIL_MAX 32000	/* two times name, addresses and URL */

enum { Q_GET, Q_SOME, Q_LIST, Q_LIST_OF, Q_SERVICE, Q_LOCK, Q_ADD, Q_UPDATE, Q_DELETE, Q_SECRET_ADD, Q_SECRET_DROP, Q_TYPES };

#define STATS(sum) "(SELECT CAST(COALESCE(SUM(" sum "), 0) AS UNSIGNED) FROM source_stats t WHERE t.source_id = s.id AND "

/* Three values: now, now, and the hours that are the last 24; those of `from` after them. */
#define SELECT_SOURCE SELECT_SOURCE_OF("sources s")
#define SELECT_SOURCE_OF(from) \
	"SELECT s.id, s.tenant_id, s.kind, s.service_id, s.actions, COALESCE(s.rate_per_minute, 4294967295) AS rate_per_minute," \
	" s.public_id, s.provider, s.name, sv.public_id AS service_public_id, s.allowed_ips, s.settings, s.enabled," \
	" s.is_default, s.require_key, s.route_by_service, s.created_at, s.updated_at, s.verified_at, s.disconnected_at," \
	" s.handler_url, s.forward_mode, s.max_retries, s.backoff_s, s.handler_secret_sealed IS NOT NULL AS has_handler_secret," \
	" s.heartbeat_minutes, s.heartbeat_incident, s.heartbeat_since, s.retention_days, " HEARD_AT " AS heard_at," \
	" IF(s.key_old_until > ?, s.key_old_until, NULL) AS key_old_until," \
	" EXISTS (SELECT 1 FROM source_secrets x WHERE x.source_id = s.id" \
	" AND (x.expires_at IS NULL OR x.expires_at > ?)) AS has_secret," \
	" EXISTS (SELECT 1 FROM source_secrets x WHERE x.source_id = s.id AND x.unseen = 1) AS secret_unseen," \
	STATS("t.alerts") "t.hour = 0) AS alert_count," \
	STATS("t.received") "t.hour = 0) AS webhook_count," \
	" (SELECT CAST(COALESCE(SUM(t.errors), 0) AS UNSIGNED) FROM " STATS_HOURS \
	" JOIN source_stats t ON t.source_id = s.id AND t.hour = h.hour) AS error_count," \
	" (SELECT MAX(t.last_at) FROM source_stats t WHERE t.source_id = s.id AND t.hour = 0) AS last_webhook_at" \
	" FROM " from " JOIN services sv ON sv.id = s.service_id WHERE s.deleted_at IS NULL"

static const struct stmt stmts[] = {
	[Q_GET] = { "source.get",
		SELECT_SOURCE " AND s.public_id = ? AND s.tenant_id = ?" },
	[Q_SOME] = { "source.some",
		SELECT_SOURCE_OF("(SELECT DISTINCT id FROM JSON_TABLE(?, '$[*]' COLUMNS (id INT UNSIGNED PATH '$')) j) k JOIN sources s ON s.id = k.id") },
	[Q_LIST] = { "source.list",
		SELECT_SOURCE " AND s.tenant_id = ? AND s.id < ? ORDER BY s.id DESC LIMIT ?" },
	[Q_LIST_OF] = { "source.list_of",
		SELECT_SOURCE " AND s.tenant_id = ? AND s.provider = ? AND s.id < ? ORDER BY s.id DESC LIMIT ?" },
	[Q_SERVICE] = { "source.service",
		"SELECT id, public_id FROM services WHERE id = ? AND tenant_id = ? AND deleted_at IS NULL" },
	[Q_LOCK] = { "source.lock",
		"SELECT id FROM sources WHERE public_id = ? AND tenant_id = ? AND deleted_at IS NULL FOR UPDATE" },
	[Q_ADD] = { "source.add",
		"INSERT INTO sources (public_id, tenant_id, kind, provider, name, service_id, enabled, is_default, actions,"
		" rate_per_minute, allowed_ips, require_key, route_by_service, key_hash, key_sealed, settings, handler_url,"
		" handler_secret_sealed, forward_mode, max_retries, backoff_s, heartbeat_minutes, heartbeat_incident, heartbeat_since,"
		" retention_days, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_UPDATE] = { "source.update",
		"UPDATE sources SET name = ?, service_id = ?, enabled = ?, is_default = ?, actions = ?, rate_per_minute = ?,"
		" allowed_ips = ?, require_key = ?, route_by_service = ?, settings = ?, handler_url = ?,"
		" handler_secret_sealed = IF(?, ?, handler_secret_sealed), forward_mode = ?, max_retries = ?, backoff_s = ?,"
		" heartbeat_minutes = ?, heartbeat_incident = ?, heartbeat_since = ?, retention_days = ?, updated_at = ? WHERE id = ?" },
	[Q_DELETE] = { "source.delete",
		"UPDATE sources SET deleted_at = ?, updated_at = ?, enabled = 0, key_hash = NULL, key_sealed = NULL,"
		" key_old_hash = NULL, handler_secret_sealed = NULL WHERE id = ?" },
	[Q_SECRET_ADD] = { "source.secret_add",
		"INSERT INTO source_secrets (source_id, sealed, created_at) VALUES (?, ?, ?)" },
	[Q_SECRET_DROP] = { "source.secret_drop",
		"DELETE FROM source_secrets WHERE source_id = ?" },
	[Q_TYPES] = { "source.types",
		"SELECT provider, COUNT(*) AS n, SUM(enabled = 0) AS disabled FROM sources WHERE deleted_at IS NULL"
		" GROUP BY provider ORDER BY provider", SCAN_OK },
};
const struct stmt_table source_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct source, id, "id", ""),
	FIELD_ID(struct source, tenant_id, "tenant_id", ""),
	FIELD_U64(struct source, kind, "kind", ""),
	FIELD_ID(struct source, service_id, "service_id", ""),
	FIELD_U64(struct source, actions, "actions", ""),
	FIELD_U64(struct source, rate_per_minute, "rate_per_minute", ""),
	FIELD_STR(struct source, public_id, "public_id", ""),
	FIELD_STR(struct source, provider, "provider", ""),
	FIELD_STR(struct source, name, "name", ""),
	FIELD_STR(struct source, service_public_id, "service_public_id", ""),
	FIELD_STR(struct source, allowed_ips, "allowed_ips", ""),
	FIELD_STR(struct source, settings, "settings", ""),
	FIELD_STR(struct source, handler_url, "handler_url", ""),
	FIELD_U64(struct source, forward_mode, "forward_mode", ""),
	FIELD_U64(struct source, max_retries, "max_retries", ""),
	FIELD_U64(struct source, backoff_s, "backoff_s", ""),
	FIELD_BOOL(struct source, has_handler_secret, "has_handler_secret", ""),
	FIELD_BOOL(struct source, enabled, "enabled", ""),
	FIELD_BOOL(struct source, is_default, "is_default", ""),
	FIELD_BOOL(struct source, require_key, "require_key", ""),
	FIELD_BOOL(struct source, route_by_service, "route_by_service", ""),
	FIELD_BOOL(struct source, has_secret, "has_secret", ""),
	FIELD_TIME(struct source, created_at, "created_at", ""),
	FIELD_TIME(struct source, updated_at, "updated_at", ""),
	FIELD_BOOL(struct source, secret_unseen, "secret_unseen", ""),
	FIELD_TIME(struct source, verified_at, "verified_at", ""),
	FIELD_TIME(struct source, disconnected_at, "disconnected_at", ""),
	FIELD_TIME(struct source, key_old_until, "key_old_until", ""),
	FIELD_U64(struct source, heartbeat_minutes, "heartbeat_minutes", ""),
	FIELD_BOOL(struct source, heartbeat_incident, "heartbeat_incident", ""),
	FIELD_TIME(struct source, heartbeat_since, "heartbeat_since", ""),
	FIELD_TIME(struct source, heard_at, "heard_at", ""),
	FIELD_U64(struct source, retention_days, "retention_days", ""),
	FIELD_U64(struct source, alert_count, "alert_count", ""),
	FIELD_U64(struct source, webhook_count, "webhook_count", ""),
	FIELD_U64(struct source, error_count, "error_count", ""),
	FIELD_TIME(struct source, last_webhook_at, "last_webhook_at", ""),
	FIELD_END
};

const struct action_name action_names[] = {
	{ "incident", DO_INCIDENT },
	{ "sync", DO_SYNC },
	{ "forward", DO_FORWARD },
	{ "record", DO_RECORD },
	{ NULL }
};

/* What the audit log says of a source, beside what detail_write adds. Of settings only that they changed: some providers keep credentials there. */
static const struct field audit_fields[] = {
	FIELD_STR(struct source, provider, "type", ""),
	FIELD_STR(struct source, name, "name", ""),
	FIELD_STR(struct source, service_public_id, "serviceId", ""),
	FIELD_BOOL(struct source, enabled, "enabled", ""),
	FIELD_BOOL(struct source, is_default, "isDefault", ""),
	FIELD_STR(struct source, allowed_ips, "allowedIps", ""),
	FIELD_BOOL(struct source, require_key, "requireKey", ""),
	FIELD_BOOL(struct source, route_by_service, "routeByService", ""),
	FIELD_BOOL(struct source, has_secret, "hasSecret", ""),
	FIELD_STR(struct source, handler_url, "handlerUrl", ""),
	FIELD_BOOL(struct source, has_handler_secret, "hasHandlerSecret", ""),
	FIELD_U64(struct source, max_retries, "maxRetries", ""),
	FIELD_U64(struct source, backoff_s, "backoffSeconds", ""),
	FIELD_U64(struct source, heartbeat_minutes, "heartbeatMinutes", ""),
	FIELD_BOOL(struct source, heartbeat_incident, "heartbeatIncident", ""),
	FIELD_U64(struct source, retention_days, "retentionDays", ""),
	FIELD_END
};

/* What one change needs; the transaction may run several times, so all that is random stands here before. */
struct change {
	struct arena *arena;
	struct source source;		/* as it is to be; id and service are filled inside */
	struct str sealed_secret;	/* n 0: none */
	struct str sealed_handler_secret;
	bool replace_secrets;
	struct made_key key;
	const struct who *who;
	ms_t now;
	bool found;
};

/* ---- reading ---- */

static void note_silence(struct source *s, size_t n, ms_t now)
{
	for (size_t i = 0; i < n; i++)
		if (s[i].enabled && s[i].heartbeat_minutes && s[i].heard_at + (ms_t)s[i].heartbeat_minutes * MS_PER_MINUTE <= now)
			s[i].silent_since = s[i].heard_at;
}

int source_get(struct db *db, struct arena *a, uint32_t tenant_id, struct str public_id, ms_t now, struct source *out, struct err *e)
{
	int found = db_query_one(db, &stmts[Q_GET], VALS(V_I(now), V_I(now), V_S(stats_hours(a, now, 24)), V_S(public_id), V_U(tenant_id)), a,
		fields, sizeof(*out), out, e);

	if (found == 1)
		note_silence(out, 1, now);
	return found;
}

bool sources_by_ids(struct db *db, struct arena *a, struct str ids, ms_t now, struct source **out, size_t *n, struct err *e)
{
	if (!db_query(db, &stmts[Q_SOME], VALS(V_I(now), V_I(now), V_S(stats_hours(a, now, 24)), V_S(ids)), a, fields, sizeof(**out), out, n, e))
		return false;
	note_silence(*out, *n, now);
	return true;
}

bool source_list(struct db *db, struct arena *a, uint32_t tenant_id, struct str provider, uint64_t cursor, size_t limit, ms_t now,
	struct source **out, size_t *n, struct err *e)
{
	uint64_t before = cursor ? cursor : UINT32_MAX;
	struct str hours = stats_hours(a, now, 24);
	bool ok = provider.n ? db_query(db, &stmts[Q_LIST_OF],
			VALS(V_I(now), V_I(now), V_S(hours), V_U(tenant_id), V_S(provider), V_U(before), V_U(limit)), a, fields,
			sizeof(**out), out, n, e) :
		db_query(db, &stmts[Q_LIST], VALS(V_I(now), V_I(now), V_S(hours), V_U(tenant_id), V_U(before), V_U(limit)), a, fields,
			sizeof(**out), out, n, e);

	if (ok)
		note_silence(*out, *n, now);
	return ok;
}

/* ---- what is accepted ---- */

static bool ips_check(struct arena *a, struct str ips, struct err *e)
{
	struct err cause = { 0 };
	struct cidr *list;
	size_t n;

	if (ips.n > ALLOWED_IPS_MAX)
		return err_field(e, ERR_INVALID, "allowedIps", "more than %d bytes of addresses", ALLOWED_IPS_MAX);
	if (!cidr_list(a, ips, &list, &n, &cause))
		return err_field(e, ERR_INVALID, "allowedIps", "%s", cause.text);
	return true;
}

static bool settings_check(struct arena *a, struct str settings, struct err *e)
{
	struct err cause = { 0 };
	const struct json *j;

	if (!settings.n)
		return true;
	if (settings.n > SETTINGS_MAX)
		return err_field(e, ERR_INVALID, "settings", "more than %d bytes of settings", SETTINGS_MAX);
	if (!json_parse(a, settings, &j, &cause) || !json_is(j, JSON_OBJECT))
		return err_field(e, ERR_INVALID, "settings", "the settings are no JSON object");
	return true;
}

/* That the URL may be used is for who knows the guard to say. */
static bool handler_check(const struct source *s, struct err *e)
{
	if (s->actions & DO_FORWARD && !s->handler_url.n)
		return err_field(e, ERR_INVALID, "handlerUrl", "The action forward needs a handlerUrl.");
	if (s->handler_url.n > HANDLER_URL_MAX)
		return err_field(e, ERR_INVALID, "handlerUrl", "the URL has more than %d bytes", HANDLER_URL_MAX);
	if (s->handler_secret.n > SOURCE_SECRET_MAX)
		return err_field(e, ERR_INVALID, "handlerSecret", "the secret has more than %d bytes", SOURCE_SECRET_MAX);
	if (s->max_retries > RETRIES_MAX || s->backoff_s > BACKOFF_MAX)
		return err_field(e, ERR_INVALID, "retryPolicy", "at most %d retries, and %d seconds", RETRIES_MAX, BACKOFF_MAX);
	return true;
}

static bool check(struct arena *a, const struct source *s, struct str secret, struct err *e)
{
	const unsigned known = DO_INCIDENT | DO_SYNC | DO_FORWARD | DO_RECORD;

	if (!name_check(s->name, "name", e))
		return false;
	if (!s->actions || s->actions & ~known)
		return err_field(e, ERR_INVALID, "actions", "a source needs at least one known action");
	if (s->rate_per_minute > UINT32_MAX)
		return err_field(e, ERR_INVALID, "rateLimitPerMinute", "the rate is too large");
	if (secret.n > SOURCE_SECRET_MAX)
		return err_field(e, ERR_INVALID, "signatureSecret", "the secret has more than %d bytes", SOURCE_SECRET_MAX);
	if (s->heartbeat_minutes > HEARTBEAT_MAX)
		return err_field(e, ERR_INVALID, "heartbeatMinutes", "at most %d minutes", HEARTBEAT_MAX);
	if (s->retention_days > RETENTION_MAX)
		return err_field(e, ERR_INVALID, "retentionDays", "at most %d days", RETENTION_MAX);
	return handler_check(s, e) && ips_check(a, s->allowed_ips, e) && settings_check(a, s->settings, e);
}

/* Fills service_id and service_public_id: by public id, else by number, else the tenant's default. It is not deleted until the
 * transaction's end. */
static bool service_fill(struct db *db, struct arena *a, struct source *s, struct err *e)
{
	static const struct field service_fields[] = {
		FIELD_ID(struct service, id, "id", ""),
		FIELD_STR(struct service, public_id, "public_id", ""),
		FIELD_END
	};
	struct service sv = { 0 };
	int found;

	if (s->service_public_id.n)
		found = service_by_public_id(db, a, s->tenant_id, s->service_public_id, &sv, e);
	else if (s->service_id)
		found = db_query_one(db, &stmts[Q_SERVICE], VALS(V_U(s->service_id), V_U(s->tenant_id)), a,
			service_fields, sizeof(sv), &sv, e);
	else
		found = service_default(db, a, s->tenant_id, &sv, e);
	if (found == 1)
		found = service_hold(db, a, sv.id, e);
	if (found < 0)
		return false;
	if (!found)
		return err_field(e, ERR_INVALID, "serviceId", "there is no such service");
	s->service_id = sv.id;
	s->service_public_id = sv.public_id;
	return true;
}

/* ---- writing ---- */

static struct val rate_val(uint64_t per_minute)
{
	return per_minute == RATE_DEFAULT ? V_NULL() : V_U(per_minute);
}

void source_actions_json(struct json_out *o, uint64_t actions)
{
	json_open(o, '[');
	for (const struct action_name *w = action_names; w->name; w++)
		if (actions & w->bit)
			json_strz(o, w->name);
	json_close(o, ']');
}

static void detail_write(struct json_out *o, const char *key, const struct source *s)
{
	json_key(o, key);
	json_open(o, '{');
	json_fields(o, audit_fields, s);
	json_key(o, "actions");
	source_actions_json(o, s->actions);
	json_key(o, "rateLimitPerMinute");
	if (s->rate_per_minute == RATE_DEFAULT)
		json_null(o);
	else
		json_u64(o, s->rate_per_minute);
	json_close(o, '}');
}

/* `verb` is "create", "update" or "delete"; before and after may be NULL. */
static bool audit(struct db *db, const struct change *c, const char *verb, const struct source *before,
	const struct source *after, struct err *e)
{
	char action[64];
	struct strbuf b;
	struct json_out o;

	snprintf(action, sizeof(action), "%s.%s",
		c->source.kind == SOURCE_REGISTRATION ? "registration" : "integration", verb);
	strbuf_init(&b, c->arena, DETAIL_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	if (before)
		detail_write(&o, "before", before);
	if (after)
		detail_write(&o, "after", after);
	json_key(&o, "secretReplaced");
	json_bool(&o, c->replace_secrets);
	json_key(&o, "settingsReplaced");
	json_bool(&o, before && after && !str_eq(before->settings, after->settings));
	json_close(&o, '}');
	return audit_add(db, c->who, action, c->source.public_id, strbuf_str(&b), c->now, e);
}

static bool secret_write(struct db *db, const struct change *c, struct err *e)
{
	return !c->sealed_secret.n ||
		db_exec(db, &stmts[Q_SECRET_ADD], VALS(V_U(c->source.id), V_S(c->sealed_secret), V_I(c->now)), NULL, e);
}

/* A file of configuration brings ids and keys, which may be those of a source of another tenant, or of one that was deleted: its id is
 * never given away. MariaDB names the key that refused. */
static bool add_refused(struct db *db, struct err *e)
{
	return strstr(e->text, "'one_default'")
		? conflict_if_duplicate(db, "isDefault", "a default source of that provider exists", e)
		: conflict_if_duplicate(db, "id", "its id or key is that of another integration, perhaps of another tenant or deleted", e);
}

static bool add_tx(struct db *db, void *ctx, struct err *e)
{
	struct change *c = ctx;
	struct source *s = &c->source;

	if (!service_fill(db, c->arena, s, e))
		return false;
	if (!db_exec(db, &stmts[Q_ADD],
		VALS(V_S(s->public_id), V_U(s->tenant_id), V_U(s->kind), V_S(s->provider), V_S(s->name),
			V_U(s->service_id), V_U(s->enabled), V_U(s->is_default), V_U(s->actions),
			rate_val(s->rate_per_minute), V_SE(s->allowed_ips), V_U(s->require_key),
			V_U(s->route_by_service), V_S(c->key.hash), V_S(c->key.sealed), V_SE(s->settings),
			V_SE(s->handler_url), V_SE(c->sealed_handler_secret), V_U(s->forward_mode), V_U(s->max_retries),
			V_U(s->backoff_s), V_ID(s->heartbeat_minutes), V_U(s->heartbeat_incident), V_T(s->heartbeat_since), V_ID(s->retention_days),
			V_I(c->now), V_I(c->now)),
		NULL, e))
		return add_refused(db, e);
	s->id = db_insert_id(db);
	return secret_write(db, c, e) && audit(db, c, "create", NULL, s, e);
}

static void seal_handler_secret(struct arena *a, const struct seal_key *sk, struct change *c)
{
	struct str context = arena_printf(a, "handler_secret:%.*s", STR_ARG(c->source.public_id));

	if (c->source.handler_secret.n)
		c->sealed_handler_secret = seal(a, sk, c->source.handler_secret, context.p);
}

static void set_policy(struct source *s)
{
	if (s->backoff_s)
		return;
	s->max_retries = RETRIES_DEFAULT;
	s->backoff_s = BACKOFF_DEFAULT;
}

bool source_add(struct db *db, struct arena *a, const struct seal_key *sk, struct shm *shm, const struct source *in, struct str secret,
	const struct who *who, ms_t now, struct source *out, struct str *key, struct err *e)
{
	struct change c = { .arena = a, .source = *in, .who = who, .now = now };
	struct source *s = &c.source;
	char id[PUBLIC_ID_MAX];
	bool ok;

	if (!check(a, in, secret, e))
		return false;
	s->kind = in->kind ? in->kind : SOURCE_INTEGRATION;
	public_id_make(s->kind == SOURCE_REGISTRATION ? "rg" : "in", id);
	if (!in->public_id.n)
		s->public_id = arena_str(a, str_of(id));
	s->has_secret = secret.n > 0;
	s->has_handler_secret = in->handler_secret.n > 0;
	set_policy(s);
	s->created_at = s->updated_at = now;
	s->heartbeat_since = s->heard_at = s->heartbeat_minutes ? now : 0;
	c.key = source_key_make(a, sk, s->public_id, in->key);
	c.sealed_secret = source_secret_seal(a, sk, s->public_id, secret);
	seal_handler_secret(a, sk, &c);
	ok = db_tx(db, add_tx, &c, e);
	bump_if_done(shm, ok, e);
	if (ok) {
		*out = c.source;
		*key = c.key.text;
	}
	return ok;
}

/* Locks the row. True with c->found false: there is no such source. */
static bool lock(struct db *db, struct change *c, struct source *before, struct err *e)
{
	struct source *s = &c->source;
	int found = db_query_one(db, &stmts[Q_LOCK], VALS(V_S(s->public_id), V_U(s->tenant_id)), c->arena, fields,
		sizeof(*before), before, e);

	if (found == 1)
		found = source_get(db, c->arena, s->tenant_id, s->public_id, c->now, before, e);
	c->found = found == 1;
	s->id = before->id;
	s->kind = before->kind;
	s->provider = before->provider;
	return found >= 0;
}

/* What was switched off or not asked for was not silent meanwhile. */
static ms_t watch_begins(const struct source *before, const struct source *s, ms_t now)
{
	if (!s->heartbeat_minutes)
		return 0;
	return before->heartbeat_minutes == s->heartbeat_minutes && before->enabled == s->enabled ? before->heartbeat_since : now;
}

static bool update_tx(struct db *db, void *ctx, struct err *e)
{
	struct change *c = ctx;
	struct source *s = &c->source, before = { 0 };

	if (!lock(db, c, &before, e))
		return false;
	if (!c->found)
		return true;
	if (s->updated_at != before.updated_at)
		return err_set(e, ERR_CONFLICT, "source %.*s has changed since it was read", STR_ARG(s->public_id));
	s->updated_at = c->now > before.updated_at ? c->now : before.updated_at + 1;
	if (!service_fill(db, c->arena, s, e))
		return false;
	s->heartbeat_since = watch_begins(&before, s, c->now);
	s->has_secret = c->replace_secrets ? c->sealed_secret.n > 0 : before.has_secret;
	s->has_handler_secret = s->handler_secret.p ? s->handler_secret.n > 0 : before.has_handler_secret;
	if (!db_exec(db, &stmts[Q_UPDATE],
		VALS(V_S(s->name), V_U(s->service_id), V_U(s->enabled), V_U(s->is_default), V_U(s->actions),
			rate_val(s->rate_per_minute), V_SE(s->allowed_ips), V_U(s->require_key),
			V_U(s->route_by_service), V_SE(s->settings), V_SE(s->handler_url), V_U(s->handler_secret.p != NULL),
			V_SE(c->sealed_handler_secret), V_U(s->forward_mode), V_U(s->max_retries), V_U(s->backoff_s),
			V_ID(s->heartbeat_minutes), V_U(s->heartbeat_incident), V_T(s->heartbeat_since), V_ID(s->retention_days),
			V_I(s->updated_at), V_U(s->id)),
		NULL, e))
		return conflict_if_duplicate(db, "isDefault", "a default source of that provider exists", e);
	if (c->replace_secrets &&
		(!db_exec(db, &stmts[Q_SECRET_DROP], VALS(V_U(s->id)), NULL, e) || !secret_write(db, c, e)))
		return false;
	/* What another handler did says nothing of this one. */
	if (!str_eq(before.handler_url, s->handler_url) && !breaker_succeeded(db, BREAKER_HANDLER, s->id, e))
		return false;
	return audit(db, c, "update", &before, s, e);
}

int source_update(struct db *db, struct arena *a, const struct seal_key *sk, struct shm *shm, const struct source *in, struct str secret,
	const struct who *who, ms_t now, struct err *e)
{
	struct change c = { .arena = a, .source = *in, .who = who, .now = now, .replace_secrets = secret.p != NULL };
	bool ok;

	if (!check(a, in, secret, e))
		return -1;
	set_policy(&c.source);
	c.sealed_secret = source_secret_seal(a, sk, in->public_id, secret);
	seal_handler_secret(a, sk, &c);
	ok = db_tx(db, update_tx, &c, e);
	bump_if_done(shm, ok, e);
	return ok ? c.found : -1;
}

static bool delete_tx(struct db *db, void *ctx, struct err *e)
{
	struct change *c = ctx;
	struct source before = { 0 };

	if (!lock(db, c, &before, e))
		return false;
	if (!c->found)
		return true;
	return db_exec(db, &stmts[Q_DELETE], VALS(V_I(c->now), V_I(c->now), V_U(before.id)), NULL, e) &&
		db_exec(db, &stmts[Q_SECRET_DROP], VALS(V_U(before.id)), NULL, e) &&
		audit(db, c, "delete", &before, NULL, e);
}

int source_delete(struct db *db, struct arena *a, struct shm *shm, uint32_t tenant_id, struct str public_id, const struct who *who, ms_t now,
	struct err *e)
{
	struct change c = { .arena = a, .source = { .tenant_id = tenant_id, .public_id = public_id }, .who = who, .now = now };
	bool ok = db_tx(db, delete_tx, &c, e);

	bump_if_done(shm, ok, e);
	return ok ? c.found : -1;
}

static const struct field type_fields[] = {
	FIELD_STR(struct source_type, provider, "provider", ""),
	FIELD_U64(struct source_type, n, "n", ""),
	FIELD_U64(struct source_type, disabled, "disabled", ""),
	FIELD_END
};

bool source_types(struct db *db, struct arena *a, struct source_type **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_TYPES], NULL, 0, a, type_fields, sizeof(**out), out, n, e);
}
