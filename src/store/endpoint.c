/* endpoint.c - outbound webhooks of users: whom to tell, what was sent, and how that fared.
 *
 * A delivery is a row of the outbox, which knows how it goes on, and a row of `deliveries` beside it, which says whose it is. Secrets are sealed under
 * the endpoint's public id, so that a value copied to another row does not open there. */
#include "change_int.h"

#include "grapnel/json.h"

#define ERROR_MAX 255
#define DELIVERY_LINE_MAX 200
#define NOTE_MAX 4096
#define DELETED "endpoint deleted"	/* the reason that its history shows, as the contract has it */

enum { Q_GET, Q_CONFIG, Q_BY_ROW, Q_LOCK, Q_COUNT, Q_COUNTS, Q_TOLD, Q_ADD, Q_UPDATE, Q_ROTATE, Q_DELETE, Q_SENT, Q_FAILED, Q_DISABLE, Q_DELIVERY, Q_MOVE, Q_OLD_SECRETS, Q_FORGET };

#define COLUMNS \
	"p.id, p.tenant_id, p.user_id, p.public_id, p.url, p.events, p.secret_sealed, p.secret_sealed IS NOT NULL AS has_secret, p.old_secret_sealed," \
	" p.old_secret_until, p.disabled_reason, p.error, p.is_config, p.retries, p.enabled, p.sent_at, p.failed_at, p.failing_since, p.failures," \
	" p.created_at, p.updated_at, p.deleted_at"
/* Whose user is still somebody in that tenant. */
#define ENTITLED "u.enabled = 1 AND (u.tenant_id = p.tenant_id OR u.platform_admin = 1)"

static const struct stmt stmts[] = {
	[Q_GET] = { "endpoint.get",
		"SELECT " COLUMNS " FROM endpoints p WHERE p.public_id = ? AND p.tenant_id = ? AND p.user_id = ? AND p.deleted_at IS NULL" },
	[Q_CONFIG] = { "endpoint.config",
		"SELECT " COLUMNS " FROM endpoints p FORCE INDEX (one_config) WHERE p.tenant_id = ? AND p.user_id = ? AND p.config = 1" },
	[Q_BY_ROW] = { "endpoint.by_row",
		"SELECT " COLUMNS ", COALESCE(" ENTITLED ", 0) AS entitled FROM endpoints p LEFT JOIN users u ON u.id = p.user_id WHERE p.id = ?" },
	[Q_LOCK] = { "endpoint.lock",
		"SELECT " COLUMNS " FROM endpoints p WHERE p.public_id = ? AND p.tenant_id = ? AND p.user_id = ? AND p.deleted_at IS NULL FOR UPDATE" },
	[Q_COUNT] = { "endpoint.count",
		"SELECT COUNT(*) AS id FROM endpoints WHERE tenant_id = ? AND user_id = ? AND live = 1" },
	/* Endpoints are few. */
	[Q_COUNTS] = { "endpoint.counts",
		"SELECT COUNT(*) AS n, CAST(COALESCE(SUM(p.enabled), 0) AS UNSIGNED) AS enabled,"
		" CAST(COALESCE(SUM(p.enabled = 0 AND p.disabled_reason IS NOT NULL), 0) AS UNSIGNED) AS switched_off,"
		" CAST(COALESCE(SUM(p.enabled = 1 AND b.opened_at IS NOT NULL), 0) AS UNSIGNED) AS open,"
		" MIN(IF(p.enabled = 1 AND b.opened_at IS NOT NULL, CONCAT(p.public_id, ' of ', u.name, ': ', COALESCE(p.error, b.error)), NULL)) AS first"
		" FROM endpoints p JOIN users u ON u.id = p.user_id LEFT JOIN breakers b ON b.kind = 2 AND b.target_id = p.id WHERE p.live = 1", SCAN_OK },
	/* Role 3 is the administrator's. */
	[Q_TOLD] = { "endpoint.told",
		"SELECT p.id, p.tenant_id, p.user_id, p.url, p.events, p.retries FROM endpoints p FORCE INDEX (by_tenant) JOIN users u ON u.id = p.user_id"
		" WHERE p.tenant_id = ? AND p.live = 1 AND p.enabled = 1 AND (? = 0 OR p.user_id = ?) AND " ENTITLED
		" AND (? = 0 OR u.role = 3 OR u.platform_admin = 1) ORDER BY p.id" },
	[Q_ADD] = { "endpoint.add",
		"INSERT INTO endpoints (public_id, tenant_id, user_id, is_config, url, events, secret_sealed, retries, enabled, created_at, updated_at)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_UPDATE] = { "endpoint.update",
		"UPDATE endpoints SET url = ?, events = ?, secret_sealed = ?, old_secret_sealed = ?, old_secret_until = ?, retries = ?, enabled = ?,"
		" disabled_reason = NULL, failing_since = NULL, failures = 0, error = NULL, updated_at = ? WHERE id = ?" },
	[Q_ROTATE] = { "endpoint.rotate",
		"UPDATE endpoints SET old_secret_sealed = IF(? > 0, secret_sealed, NULL), old_secret_until = IF(old_secret_sealed IS NULL, NULL, ?),"
		" secret_sealed = ?, updated_at = ? WHERE id = ?" },
	[Q_DELETE] = { "endpoint.delete",
		"UPDATE endpoints SET deleted_at = ?, secret_sealed = NULL, old_secret_sealed = NULL, old_secret_until = NULL, updated_at = ? WHERE id = ?" },
	[Q_SENT] = { "endpoint.sent",
		"UPDATE endpoints SET sent_at = ?, failing_since = NULL, failures = 0, error = NULL WHERE id = ?" },
	[Q_FAILED] = { "endpoint.failed",
		"UPDATE endpoints SET failed_at = ?, failing_since = COALESCE(failing_since, ?), failures = failures + 1, error = ? WHERE id = ?" },
	[Q_DISABLE] = { "endpoint.disable",
		"UPDATE endpoints SET enabled = 0, disabled_reason = ?, updated_at = ? WHERE id = ? AND enabled = 1 AND deleted_at IS NULL"
		" AND updated_at = ? AND (? = 0 OR failing_since <= ?)" },
	[Q_DELIVERY] = { "endpoint.delivery",
		"INSERT INTO deliveries (id, tenant_id, user_id, endpoint_id, event, url, summary) VALUES (?, ?, ?, ?, ?, ?, ?)" },
	/* What waits goes to the new address. */
	[Q_MOVE] = { "endpoint.move",
		"UPDATE outbox o FORCE INDEX (by_wait) JOIN deliveries d ON d.id = o.id SET d.url = ? WHERE o.status IN (0, 2, 5) AND o.kind = 2"
		" AND o.target_id = ?" },
	/* Endpoints are few. */
	[Q_OLD_SECRETS] = { "endpoint.old_secrets", "SELECT COUNT(*) AS id FROM endpoints WHERE old_secret_until <= ?", SCAN_OK },
	[Q_FORGET] = { "endpoint.forget",
		"UPDATE endpoints SET old_secret_sealed = NULL, old_secret_until = NULL WHERE old_secret_until <= ?", SCAN_OK },
};
const struct stmt_table endpoint_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct endpoint, id, "id", ""),
	FIELD_ID(struct endpoint, tenant_id, "tenant_id", ""),
	FIELD_ID(struct endpoint, user_id, "user_id", ""),
	FIELD_STR(struct endpoint, public_id, "public_id", ""),
	FIELD_STR(struct endpoint, url, "url", ""),
	FIELD_STR(struct endpoint, events, "events", ""),
	FIELD_STR(struct endpoint, secret_sealed, "secret_sealed", ""),
	FIELD_BOOL(struct endpoint, has_secret, "has_secret", ""),
	FIELD_STR(struct endpoint, old_secret_sealed, "old_secret_sealed", ""),
	FIELD_TIME(struct endpoint, old_secret_until, "old_secret_until", ""),
	FIELD_STR(struct endpoint, disabled_reason, "disabled_reason", ""),
	FIELD_STR(struct endpoint, error, "error", ""),
	FIELD_BOOL(struct endpoint, is_config, "is_config", ""),
	FIELD_BOOL(struct endpoint, retries, "retries", ""),
	FIELD_BOOL(struct endpoint, enabled, "enabled", ""),
	FIELD_BOOL(struct endpoint, entitled, "entitled", ""),
	FIELD_TIME(struct endpoint, sent_at, "sent_at", ""),
	FIELD_TIME(struct endpoint, failed_at, "failed_at", ""),
	FIELD_TIME(struct endpoint, failing_since, "failing_since", ""),
	FIELD_U64(struct endpoint, failures, "failures", ""),
	FIELD_TIME(struct endpoint, created_at, "created_at", ""),
	FIELD_TIME(struct endpoint, updated_at, "updated_at", ""),
	FIELD_TIME(struct endpoint, deleted_at, "deleted_at", ""),
	FIELD_END
};

static const struct field audit_fields[] = {
	FIELD_STR(struct endpoint, events, "events", ""),
	FIELD_BOOL(struct endpoint, has_secret, "hasSecret", ""),
	FIELD_BOOL(struct endpoint, retries, "retries", ""),
	FIELD_BOOL(struct endpoint, enabled, "enabled", ""),
	FIELD_END
};

static const struct field count_fields[] = {
	FIELD_U64(struct endpoint_counts, n, "n", ""),
	FIELD_U64(struct endpoint_counts, enabled, "enabled", ""),
	FIELD_U64(struct endpoint_counts, switched_off, "switched_off", ""),
	FIELD_U64(struct endpoint_counts, open, "open", ""),
	FIELD_STR(struct endpoint_counts, first, "first", ""),
	FIELD_END
};

/* ---- filters ---- */

const struct endpoint_event endpoint_events[] = {
	{ "incident.opened", "An incident was opened" },
	{ "incident.severity_raised", "Its severity rose" },
	{ "incident.acknowledged", "Somebody takes care of it" },
	{ "incident.resolved", "It is over" },
	{ "incident.reopened", "It is not over" },
	{ "incident.assigned", "It was given to somebody, or to nobody" },
	{ "incident.snoozed", "It is quiet for a while" },
	{ "incident.note_added", "A note was added" },
	{ "incident.escalated", "The next ones were told" },
	{ "incident.released", "It is held back no longer" },
	{ "incident.merged", "It became part of another one" },
	{ "alerts.triggered", "Alert rules of yours triggered" },
	{ "event.processed", "An event came in and was processed" },
	{ "monitor.alert_started", "Grapnel itself is in trouble (administrators)" },
	{ "monitor.alert_raised", "That got worse (administrators)" },
	{ "monitor.alert_ended", "That is over (administrators)" },
	{ NULL }
};

/* "incident.*" fits what begins with "incident."; "*" everything. */
static bool fits(struct str filter, struct str event)
{
	if (!str_ends(filter, "*"))
		return str_ieq(filter, event);
	filter.n--;
	return filter.n <= event.n && str_ieq(filter, str_cut(event, filter.n));
}

bool endpoint_filter_is(struct str word)
{
	if (str_ends(word, "*") && word.n > 1 && !str_ends(word, ".*"))
		return false;
	for (const struct endpoint_event *x = endpoint_events; x->word; x++)
		if (word.n && fits(word, str_of(x->word)))
			return true;
	return false;
}

bool endpoint_hears(struct str events, struct str event)
{
	while (events.n)
		if (fits(str_until(&events, ','), event))
			return true;
	return false;
}

/* ---- reading ---- */

int endpoint_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, struct str public_id, struct endpoint *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_GET], VALS(V_S(public_id), V_U(tenant_id), V_U(user_id)), a, fields, sizeof(*out), out, e);
}

int endpoint_config(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, struct endpoint *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_CONFIG], VALS(V_U(tenant_id), V_U(user_id)), a, fields, sizeof(*out), out, e);
}

int endpoint_by_row(struct db *db, struct arena *a, uint64_t id, struct endpoint *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_BY_ROW], VALS(V_U(id)), a, fields, sizeof(*out), out, e);
}

bool endpoint_count(struct db *db, struct arena *a, struct endpoint_counts *out, struct err *e)
{
	*out = (struct endpoint_counts){ 0 };
	return db_query_one(db, &stmts[Q_COUNTS], NULL, 0, a, count_fields, sizeof(*out), out, e) >= 0;
}

static const char *context(struct arena *a, struct str public_id)
{
	return arena_printf(a, "endpoint:%.*s", STR_ARG(public_id)).p;
}

static bool open_one(struct arena *a, const struct seal_key *sk, const struct endpoint *ep, struct str sealed, struct str *out, struct err *e)
{
	*out = STR_NONE;
	return !sealed.n || unseal(a, sk, sealed, context(a, ep->public_id), out, e);
}

bool endpoint_secrets(struct arena *a, const struct seal_key *sk, const struct endpoint *ep, ms_t now, struct endpoint_secrets *out, struct err *e)
{
	struct str old = ep->old_secret_until > now ? ep->old_secret_sealed : STR_NONE;

	return open_one(a, sk, ep, ep->secret_sealed, &out->secret, e) && open_one(a, sk, ep, old, &out->old, e);
}

/* ---- telling ---- */

struct str endpoint_body(struct arena *a, const char *event, uint64_t sequence, struct str data, ms_t at)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, data.n + 512);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "event");
	json_strz(&o, event);
	json_key(&o, "type");		/* the same word, as Standard Webhooks has it */
	json_strz(&o, event);
	json_key(&o, "timestamp");
	json_time(&o, at);
	json_key(&o, "sequence");
	json_id(&o, sequence);
	json_key(&o, "data");
	json_raw(&o, data);
	json_close(&o, '}');
	return strbuf_str(&b);
}

static struct outbox_row row_of(const struct endpoint *ep, const struct endpoint_news *x, uint64_t id, ms_t now)
{
	return (struct outbox_row){ .id = id, .tenant_id = ep->tenant_id, .kind = OUTBOX_DELIVERY, .target_id = ep->id,
		.cause_id = x->cause_id ? x->cause_id : id, .payload = x->body, .traceparent = x->traceparent,
		.attempts_max = ep->retries ? 0 : ENDPOINT_QUICK_ATTEMPTS, .next_at = now, .created_at = now };
}

#define DELIVERY_COLUMNS 7

static void delivery_of(const struct endpoint *ep, const struct endpoint_news *x, uint64_t id, struct val *out)
{
	const struct val row[DELIVERY_COLUMNS] = { V_U(id), V_U(ep->tenant_id), V_U(ep->user_id), V_U(ep->id), V_S(str_of(x->event)), V_S(ep->url),
		V_S(str_cut(x->summary, DELIVERY_LINE_MAX)) };

	memcpy(out, row, sizeof(row));
}

bool endpoint_deliver_all(struct db *db, struct arena *a, struct id_maker *ids, const struct endpoint_delivery *list, size_t n, ms_t now, struct err *e)
{
	struct outbox_row *rows = ARENA_ARRAY(a, struct outbox_row, n + 1);
	struct val *vals = ARENA_ARRAY(a, struct val, n * DELIVERY_COLUMNS + 1);

	for (size_t i = 0; i < n; i++) {
		uint64_t id = id_make(ids, now);

		delivery_of(&list[i].endpoint, &list[i].news, id, vals + i * DELIVERY_COLUMNS);
		rows[i] = row_of(&list[i].endpoint, &list[i].news, id, now);
	}
	return outbox_add_all(db, a, rows, n, e) && db_bulk(db, &stmts[Q_DELIVERY], vals, n, DELIVERY_COLUMNS, e);
}

/* Endpoints that may be told of what concerns a tenant, or one user in it. */
struct audience {
	uint64_t tenant_id, user_id;
	bool admins;		/* those of administrators alone */
	struct endpoint *list;
	size_t n;
};

/* Into the first that is free of `known`, unless it is there. NULL: the database failed. */
static const struct audience *audience_of(struct db *db, struct arena *a, const struct endpoint_news *x, struct audience *known, size_t *known_n, struct err *e)
{
	struct audience *to = &known[*known_n];

	*to = (struct audience){ .tenant_id = x->tenant_id ? x->tenant_id : DEFAULT_TENANT, .user_id = x->user_id,
		.admins = str_starts(str_of(x->event), "monitor.") };
	for (; known < to; known++)
		if (known->tenant_id == to->tenant_id && known->user_id == to->user_id && known->admins == to->admins)
			return known;
	if (!db_query(db, &stmts[Q_TOLD], VALS(V_U(to->tenant_id), V_U(to->user_id), V_U(to->user_id), V_U(to->admins)), a, fields, sizeof(*to->list), &to->list,
		&to->n, e))
		return NULL;
	++*known_n;
	return to;
}

bool endpoints_tell(struct db *db, struct arena *a, struct id_maker *ids, const struct endpoint_news *list, size_t n, ms_t now, size_t *told, struct err *e)
{
	const struct audience **to = ARENA_ARRAY(a, const struct audience *, n + 1);
	struct audience *known = ARENA_ARRAY(a, struct audience, n + 1);
	size_t known_n = 0, max = 0, hear = 0;
	struct endpoint_delivery *deliveries;

	for (size_t i = 0; i < n; i++) {
		to[i] = audience_of(db, a, &list[i], known, &known_n, e);
		if (!to[i])
			return false;
		max += to[i]->n;
	}
	deliveries = ARENA_ARRAY(a, struct endpoint_delivery, max + 1);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < to[i]->n; k++)
			if (endpoint_hears(to[i]->list[k].events, str_of(list[i].event)))
				deliveries[hear++] = (struct endpoint_delivery){ to[i]->list[k], list[i] };
	if (told)
		*told = hear;
	return endpoint_deliver_all(db, a, ids, deliveries, hear, now, e);
}

bool endpoint_tell_one(struct db *db, struct arena *a, uint64_t id, const struct endpoint *ep, const struct endpoint_news *x, ms_t now, struct err *e)
{
	struct outbox_row row = row_of(ep, x, id, now);
	struct val vals[DELIVERY_COLUMNS];

	row.attempts_max = 1;
	delivery_of(ep, x, id, vals);
	return outbox_add_all(db, a, &row, 1, e) && db_bulk(db, &stmts[Q_DELIVERY], vals, 1, DELIVERY_COLUMNS, e);
}

/* ---- changing ---- */

static int lock(struct db *db, const struct change *x, void *before, struct err *e)
{
	const struct endpoint *ep = x->to;

	return db_query_one(db, &stmts[Q_LOCK], VALS(V_S(ep->public_id), V_U(ep->tenant_id), V_U(ep->user_id)), x->arena, fields, sizeof(*ep), before, e);
}

static bool add(struct db *db, const struct change *x, struct err *e)
{
	struct endpoint *ep = x->to;

	if (!room_check(db, x->arena, &stmts[Q_COUNT], VALS(V_U(ep->tenant_id), V_U(ep->user_id)), ENDPOINTS_MAX, "endpoints", e))
		return false;
	if (!db_exec(db, &stmts[Q_ADD],
		VALS(V_S(ep->public_id), V_U(ep->tenant_id), V_U(ep->user_id), V_U(ep->is_config), V_S(ep->url), V_S(ep->events),
			V_BE(ep->secret_sealed), V_U(ep->retries), V_U(ep->enabled), V_I(x->now), V_I(x->now)),
		NULL, e))
		return db_trouble(db) == DB_DUPLICATE ? err_set(e, ERR_CONFLICT, "an endpoint of that user is the one of /api/webhooks") : false;
	ep->id = db_insert_id(db);
	return true;
}

static bool update(struct db *db, const struct change *x, struct err *e)
{
	const struct endpoint *ep = x->to, *before = x->before;

	return db_exec(db, &stmts[Q_UPDATE],
		VALS(V_S(ep->url), V_S(ep->events), V_BE(ep->secret_sealed), V_BE(ep->old_secret_sealed), V_T(ep->old_secret_until), V_U(ep->retries),
			V_U(ep->enabled), V_I(x->changed_at), V_U(before->id)),
		NULL, e) &&
		(str_eq(ep->url, before->url) || db_exec(db, &stmts[Q_MOVE], VALS(V_S(ep->url), V_U(before->id)), NULL, e)) &&
		breaker_succeeded(db, BREAKER_ENDPOINT, before->id, e);
}

static bool remove_it(struct db *db, const struct change *x, struct err *e)
{
	const struct endpoint *before = x->before;

	return outbox_drop_waiting(db, OUTBOX_DELIVERY, before->id, DELETED, x->now, e) &&
		breaker_succeeded(db, BREAKER_ENDPOINT, before->id, e) &&
		db_exec(db, &stmts[Q_DELETE], VALS(V_I(x->now), V_I(x->changed_at), V_U(before->id)), NULL, e);
}

struct rotation {
	struct str secret_sealed;
	ms_t grace_ms;
};

static bool rotate(struct db *db, const struct change *x, struct err *e)
{
	const struct endpoint *before = x->before;
	const struct rotation *r = x->own;

	return db_exec(db, &stmts[Q_ROTATE],
		VALS(V_I(r->grace_ms), V_I(x->now + r->grace_ms), V_B(r->secret_sealed), V_I(x->changed_at), V_U(before->id)), NULL, e) &&
		change_audit(db, x, "rotate_secret", NULL, NULL, e);
}

/* Its path is as good as a secret, and its user's own. */
static void audit_more(struct json_out *o, const void *thing)
{
	const struct endpoint *ep = thing;

	json_key(o, "url");
	json_str(o, address_masked(o->b->arena, ep->url));
}

static const struct changeable endpoints = {
	CHANGEABLE(struct endpoint), .word = "endpoint", .prefix = "ep", .audited = audit_fields, .audited_too = audit_more,
	.lock = lock, .add = add, .update = update, .remove = remove_it,
};

/* p NULL keeps what is sealed; empty is none. */
static void seal_secret(struct arena *a, const struct seal_key *sk, struct endpoint *ep, struct str secret)
{
	if (secret.p) {
		ep->secret_sealed = secret.n ? seal(a, sk, secret, context(a, ep->public_id)) : STR_NONE;
		ep->old_secret_sealed = STR_NONE;
		ep->old_secret_until = 0;
	}
	ep->has_secret = ep->secret_sealed.n > 0;
}

bool endpoint_add(struct db *db, struct arena *a, struct shm *shm, const struct seal_key *sk, const struct endpoint *in, struct str secret, const struct who *who, ms_t now,
	struct endpoint *out, struct err *e)
{
	struct change x = { .kind = &endpoints, .arena = a, .to = out, .who = who, .now = now, .shm = shm };

	*out = *in;
	change_id(&x);
	seal_secret(a, sk, out, secret);
	return change_add(db, &x, e);
}

int endpoint_update(struct db *db, struct arena *a, struct shm *shm, const struct seal_key *sk, const struct endpoint *in, struct str secret, const struct who *who, ms_t now,
	struct err *e)
{
	struct endpoint to = *in;
	struct change x = { .kind = &endpoints, .arena = a, .to = &to, .who = who, .now = now, .shm = shm };

	seal_secret(a, sk, &to, secret);
	return change_update(db, &x, e);
}

int endpoint_rotate(struct db *db, struct arena *a, const struct seal_key *sk, const struct endpoint *in, struct str secret, ms_t grace_ms,
	const struct who *who, ms_t now, struct err *e)
{
	struct rotation r = { seal(a, sk, secret, context(a, in->public_id)), grace_ms };
	struct endpoint to = *in;
	struct change x = { .kind = &endpoints, .arena = a, .to = &to, .who = who, .now = now, .own = &r };

	return change_by(db, &x, rotate, e);
}

int endpoint_delete(struct db *db, struct arena *a, struct shm *shm, const struct endpoint *ep, const struct who *who, ms_t now, struct err *e)
{
	struct endpoint gone = *ep;
	struct change x = { .kind = &endpoints, .arena = a, .to = &gone, .who = who, .now = now, .shm = shm };

	return change_remove(db, &x, e);
}

bool endpoint_old_secrets(struct db *db, struct arena *a, ms_t now, bool remove, uint64_t *n, struct err *e)
{
	struct endpoint count = { 0 };
	int found;

	if (remove)
		return db_exec(db, &stmts[Q_FORGET], VALS(V_I(now)), n, e);
	found = db_query_one(db, &stmts[Q_OLD_SECRETS], VALS(V_I(now)), a, fields, sizeof(count), &count, e);
	*n = count.id;
	return found >= 0;
}

/* ---- results ---- */

bool endpoint_sent(struct db *db, uint64_t id, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_SENT], VALS(V_I(now), V_U(id)), NULL, e);
}

bool endpoint_failed(struct db *db, uint64_t id, struct str why, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_FAILED], VALS(V_I(now), V_I(now), V_S(str_cut(why, ERROR_MAX)), V_U(id)), NULL, e);
}

/* His own addresses, since he may have no channel; by mail, since that need not wake him. */
static bool mail_owner(struct db *db, struct arena *a, struct id_maker *ids, const struct endpoint *ep, struct str why, ms_t now, struct err *e)
{
	struct strbuf b;
	struct json_out o;
	struct contact *contacts;
	struct outbox_row *rows;
	size_t contact_n, n = 0;

	strbuf_init(&b, a, NOTE_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "id");
	json_str(&o, ep->public_id);
	json_key(&o, "host");
	json_str(&o, url_host(ep->url));
	json_key(&o, "reason");
	json_str(&o, str_cut(why, ERROR_MAX));
	json_close(&o, '}');
	if (!contact_list(db, a, ep->user_id, &contacts, &contact_n, e))
		return false;
	rows = ARENA_ARRAY(a, struct outbox_row, contact_n);
	for (size_t i = 0; i < contact_n; i++)
		if (contacts[i].verified_at && str_eqs(contacts[i].kind, "email")) {
			uint64_t id = id_make(ids, now);

			rows[n++] = (struct outbox_row){ .id = id, .tenant_id = ep->tenant_id, .kind = OUTBOX_PAGE, .target_id = contacts[i].id, .cause_id = id,
				.payload = notice_payload(a, "endpoint.disabled", strbuf_str(&b), now), .next_at = now, .created_at = now };
		}
	return outbox_add_all(db, a, rows, n, e);
}

/* Others who hear of it need not know the path, which may be a secret. */
static bool tell_owner(struct db *db, struct arena *a, struct id_maker *ids, const struct endpoint *ep, struct str why, ms_t now, struct err *e)
{
	const struct monitor_alert alert = { .id = id_make(ids, now), .tenant_id = ep->tenant_id, .type = STR(ENDPOINT_DISABLED),
		.subject = ep->public_id, .severity = MONITOR_WARNING, .value = (double)ep->failures, .threshold = BREAKER_OPENS_AT,
		.message = arena_printf(a, "The endpoint at %.*s was switched off: %.*s", STR_ARG(url_host(ep->url)), STR_ARG(why)),
		.advice = STR("Mend its receiver, switch it on again on the page Endpoints, and redeliver what it missed.") };

	return monitor_alert_raise(db, a, ids, &alert, now, e) >= 0 && mail_owner(db, a, ids, ep, why, now, e);
}

bool endpoint_disable(struct db *db, struct arena *a, struct id_maker *ids, const struct endpoint *ep, ms_t failing_since, struct str why, ms_t now,
	struct err *e)
{
	const struct who who = { .tenant_id = (uint32_t)ep->tenant_id, .actor = ACTOR_SYSTEM };
	uint64_t changed;

	if (!db_exec(db, &stmts[Q_DISABLE], VALS(V_S(str_cut(why, ERROR_MAX)), V_I(now), V_U(ep->id), V_I(ep->updated_at), V_I(failing_since), V_I(failing_since)),
		&changed, e))
		return false;
	if (!changed)
		return true;
	return outbox_drop_waiting(db, OUTBOX_DELIVERY, ep->id, "The endpoint was switched off.", now, e) &&
		tell_owner(db, a, ids, ep, why, now, e) &&
		audit_add(db, &who, "endpoint.disable", ep->public_id, member_json(a, "reason", why), now, e);
}
