/* alert_rule.c - alert rules: thresholds that users set for themselves, and whether they were passed when somebody looked last.
 *
 * Whoever judges a rule writes what he found by compare-and-set: only where the rule is still the one that he read, and was not judged otherwise
 * meanwhile. So of any number who look at once one changes it, and channels are told of a change once. */
#include "change_int.h"

#include "grapnel/json.h"

#define DATA_MAX (16 * 1024)	/* of a notice */

enum { Q_GET, Q_LIST, Q_OF_USER, Q_OF_TENANT, Q_DUE, Q_TENANT, Q_LOCK, Q_COUNT, Q_ADD, Q_UPDATE, Q_DELETE, Q_NOTE, Q_CHANGE };

#define SELECT_RULE \
	"SELECT r.id, r.tenant_id, r.user_id, r.public_id, r.name, r.metric, r.provider, r.source_id AS source_row, s.public_id AS source," \
	" s.name AS source_name, r.service_id AS service_row, v.public_id AS service, v.name AS service_name, r.comparison, r.threshold," \
	" r.window_minutes, r.enabled, r.triggered, COALESCE(r.episode, 0) AS episode, r.triggered_at, r.since, r.value," \
	" r.value IS NOT NULL AS has_value, r.evaluated_at, u.name AS user_name, u.public_id AS user, u.enabled AS user_enabled, r.created_at, r.updated_at" \
	" FROM alert_rules r JOIN users u ON u.id = r.user_id LEFT JOIN sources s ON s.id = r.source_id" \
	" LEFT JOIN services v ON v.id = r.service_id"

static const struct stmt stmts[] = {
	[Q_GET] = { "alert_rule.get", SELECT_RULE " WHERE r.public_id = ? AND r.tenant_id = ? AND r.user_id = ?" },
	[Q_LIST] = { "alert_rule.list", SELECT_RULE " WHERE r.user_id = ? AND r.tenant_id = ? AND r.id < ? ORDER BY r.id DESC LIMIT ?" },
	[Q_OF_USER] = { "alert_rule.of_user", SELECT_RULE " WHERE r.user_id = ? AND r.tenant_id = ? AND r.enabled = 1 ORDER BY r.id" },
	[Q_OF_TENANT] = { "alert_rule.of_tenant", SELECT_RULE " WHERE r.tenant_id = ? ORDER BY r.id" },
	/* Those that are off have an end to be told, where they are triggered. */
	[Q_DUE] = { "alert_rule.due",
		SELECT_RULE " WHERE r.tenant_id = ? AND (r.triggered = 1 OR (r.enabled = 1 AND u.enabled = 1)) ORDER BY r.evaluated_at, r.id LIMIT ?" },
	[Q_TENANT] = { "alert_rule.tenant", "SELECT tenant_id AS id FROM alert_rules WHERE tenant_id > ? ORDER BY tenant_id LIMIT 1" },
	[Q_LOCK] = { "alert_rule.lock", "SELECT id FROM alert_rules WHERE public_id = ? AND tenant_id = ? AND user_id = ? FOR UPDATE" },
	[Q_COUNT] = { "alert_rule.count", "SELECT COUNT(*) AS id FROM alert_rules WHERE user_id = ?" },
	[Q_ADD] = { "alert_rule.add",
		"INSERT INTO alert_rules (public_id, tenant_id, user_id, name, metric, provider, source_id, service_id, comparison, threshold,"
		" window_minutes, enabled, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_UPDATE] = { "alert_rule.update",
		"UPDATE alert_rules SET name = ?, metric = ?, provider = ?, source_id = ?, service_id = ?, comparison = ?, threshold = ?,"
		" window_minutes = ?, enabled = ?, triggered = ?, since = ?, value = ?, evaluated_at = ?, updated_at = ? WHERE id = ?" },
	[Q_DELETE] = { "alert_rule.delete", "DELETE FROM alert_rules WHERE id = ?" },
	[Q_NOTE] = { "alert_rule.note",
		"UPDATE alert_rules SET value = ?, evaluated_at = ? WHERE id = ? AND updated_at = ?" },
	[Q_CHANGE] = { "alert_rule.change",
		"UPDATE alert_rules SET triggered = ?, episode = ?, triggered_at = ?, since = ?, value = ?, evaluated_at = ?"
		" WHERE id = ? AND updated_at = ? AND triggered = ?" },
};
const struct stmt_table alert_rule_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct alert_rule, id, "id", ""),
	FIELD_ID(struct alert_rule, tenant_id, "tenant_id", ""),
	FIELD_ID(struct alert_rule, user_id, "user_id", ""),
	FIELD_STR(struct alert_rule, public_id, "public_id", ""),
	FIELD_STR(struct alert_rule, name, "name", ""),
	FIELD_U64(struct alert_rule, metric, "metric", ""),
	FIELD_STR(struct alert_rule, provider, "provider", ""),
	FIELD_ID(struct alert_rule, source_row, "source_row", ""),
	FIELD_STR(struct alert_rule, source, "source", ""),
	FIELD_STR(struct alert_rule, source_name, "source_name", ""),
	FIELD_ID(struct alert_rule, service_row, "service_row", ""),
	FIELD_STR(struct alert_rule, service, "service", ""),
	FIELD_STR(struct alert_rule, service_name, "service_name", ""),
	FIELD_U64(struct alert_rule, comparison, "comparison", ""),
	FIELD_NUMBER(struct alert_rule, threshold, "threshold", ""),
	FIELD_U64(struct alert_rule, window_min, "window_minutes", ""),
	FIELD_BOOL(struct alert_rule, enabled, "enabled", ""),
	FIELD_BOOL(struct alert_rule, triggered, "triggered", ""),
	FIELD_ID(struct alert_rule, episode, "episode", ""),
	FIELD_TIME(struct alert_rule, triggered_at, "triggered_at", ""),
	FIELD_TIME(struct alert_rule, since, "since", ""),
	FIELD_NUMBER(struct alert_rule, value, "value", ""),
	FIELD_BOOL(struct alert_rule, has_value, "has_value", ""),
	FIELD_TIME(struct alert_rule, evaluated_at, "evaluated_at", ""),
	FIELD_STR(struct alert_rule, user_name, "user_name", ""),
	FIELD_STR(struct alert_rule, user, "user", ""),
	FIELD_BOOL(struct alert_rule, user_enabled, "user_enabled", ""),
	FIELD_TIME(struct alert_rule, created_at, "created_at", ""),
	FIELD_TIME(struct alert_rule, updated_at, "updated_at", ""),
	FIELD_END
};

/* ---- reading ---- */

int alert_rule_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, struct str public_id, struct alert_rule *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_GET], VALS(V_S(public_id), V_U(tenant_id), V_U(user_id)), a, fields, sizeof(*out), out, e);
}

bool alert_rule_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, uint64_t below, uint64_t limit, struct alert_rule **out,
	size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_LIST], VALS(V_U(user_id), V_U(tenant_id), V_U(below ? below : UINT32_MAX), V_U(limit)), a, fields,
		sizeof(**out), out, n, e);
}

bool alert_rules_of_user(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, struct alert_rule **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_OF_USER], VALS(V_U(user_id), V_U(tenant_id)), a, fields, sizeof(**out), out, n, e);
}

bool alert_rules_of_tenant(struct db *db, struct arena *a, uint64_t tenant_id, struct alert_rule **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_OF_TENANT], VALS(V_U(tenant_id)), a, fields, sizeof(**out), out, n, e);
}

bool alert_rules_due(struct db *db, struct arena *a, uint64_t tenant_id, size_t limit, struct alert_rule **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_DUE], VALS(V_U(tenant_id), V_U(limit)), a, fields, sizeof(**out), out, n, e);
}

int alert_rule_tenant_next(struct db *db, struct arena *a, uint64_t after, uint64_t *tenant_id, struct err *e)
{
	struct alert_rule row = { 0 };
	int found = db_query_one(db, &stmts[Q_TENANT], VALS(V_U(after)), a, fields, sizeof(row), &row, e);

	*tenant_id = row.id;
	return found;
}

struct rule_condition alert_rule_condition(const struct alert_rule *r)
{
	return (struct rule_condition){ .metric = (enum rule_metric)r->metric, .comparison = (enum rule_comparison)r->comparison,
		.threshold = r->threshold, .window_min = r->window_min };
}

/* ---- as JSON ---- */

void alert_rule_filter_json(struct json_out *o, const struct alert_rule *r)
{
	const struct {
		const char *name;
		struct str value;
	} parts[] = { { "provider", r->provider }, { "source", r->source }, { "service", r->service } };

	json_open(o, '{');
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i].value.n) {
			json_key(o, parts[i].name);
			json_str(o, parts[i].value);
		}
	json_close(o, '}');
}

/* The members that both audit log and notices have. */
static void condition_json(struct json_out *o, const struct alert_rule *r)
{
	json_key(o, "name");
	json_str(o, r->name);
	json_key(o, "metric");
	json_strz(o, rule_metric_word((enum rule_metric)r->metric));
	json_key(o, "filter");
	alert_rule_filter_json(o, r);
	json_key(o, "comparison");
	json_strz(o, rule_comparison_word((enum rule_comparison)r->comparison));
	json_key(o, "threshold");
	json_number(o, r->threshold);
	json_key(o, "windowMinutes");
	json_u64(o, r->window_min);
}

/* ---- who is to know ---- */

static struct str notice_json(struct arena *a, const struct alert_rule *r, struct str message, ms_t ended_at)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, DATA_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "id");
	json_id(&o, r->episode);
	json_key(&o, "ruleId");
	json_str(&o, r->public_id);
	condition_json(&o, r);
	json_key(&o, "user");
	json_str(&o, r->user_name);
	json_key(&o, "value");
	json_number(&o, r->value);
	json_key(&o, "message");
	json_str(&o, message);
	json_key(&o, "startedAt");
	json_time(&o, r->triggered_at);
	json_key(&o, "endedAt");
	json_time(&o, ended_at);
	json_close(&o, '}');
	return strbuf_str(&b);
}

static bool tell(struct db *db, struct arena *a, struct id_maker *ids, const struct alert_rule *r, const char *type, struct str message, ms_t ended_at,
	ms_t now, struct err *e)
{
	const struct notice x = { .tenant_id = r->tenant_id, .event = CHANNEL_ALERTS, .level = LEVEL_HIGH, .cause_id = r->episode, .type = type,
		.data = notice_json(a, r, message, ended_at) };

	return channels_tell(db, a, ids, &x, 1, now, NULL, e);
}

/* ---- endpoints of its user ---- */

static void triggered_json(struct json_out *o, const struct alert_rule *r)
{
	json_open(o, '{');
	json_key(o, "rule_id");
	json_str(o, r->public_id);
	json_key(o, "name");
	json_str(o, r->name);
	json_key(o, "metric");
	json_strz(o, rule_metric_word((enum rule_metric)r->metric));
	json_key(o, "comparison");
	json_strz(o, rule_comparison_word((enum rule_comparison)r->comparison));
	json_key(o, "threshold");
	json_number(o, r->threshold);
	json_key(o, "value");
	json_number(o, r->value);
	json_close(o, '}');
}

static struct str triggered_body(struct arena *a, const struct alert_rule *rules, size_t n, ms_t now)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, DATA_MAX * (n + 1));
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "event");
	json_strz(&o, "alerts.triggered");
	json_key(&o, "user_id");
	json_str(&o, rules[0].user);
	json_key(&o, "triggered_alerts");
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		triggered_json(&o, &rules[i]);
	json_close(&o, ']');
	json_key(&o, "triggered_count");
	json_u64(&o, n);
	json_key(&o, "evaluated_at");
	json_time(&o, now);
	json_close(&o, '}');
	return strbuf_str(&b);
}

struct delivering {
	struct arena *a;
	struct id_maker *ids;
	struct endpoint_news news;
	ms_t now;
};

static bool deliver_tx(struct db *db, void *ctx, struct err *e)
{
	const struct delivering *x = ctx;

	return endpoints_tell(db, x->a, x->ids, &x->news, 1, x->now, NULL, e);
}

bool alert_rules_deliver(struct db *db, struct arena *a, struct id_maker *ids, const struct alert_rule *rules, size_t n, ms_t now, struct err *e)
{
	struct delivering x = { .a = a, .ids = ids, .now = now };

	if (!n)
		return true;
	x.news = (struct endpoint_news){ .tenant_id = rules[0].tenant_id, .user_id = rules[0].user_id, .event = "alerts.triggered",
		.body = triggered_body(a, rules, n, now), .summary = arena_printf(a, "%zu triggered: %.*s%s", n, STR_ARG(rules[0].name), n > 1 ? "..." : "") };
	return db_tx(db, deliver_tx, &x, e);
}

static bool tell_began(struct db *db, struct arena *a, struct id_maker *ids, const struct alert_rule *r, ms_t now, struct err *e)
{
	const struct rule_condition c = alert_rule_condition(r);

	return tell(db, a, ids, r, "alerts.triggered", rule_sentence(a, &c, r->value, true), 0, now, e) && alert_rules_deliver(db, a, ids, r, 1, now, e);
}

/* `why`: a sentence; empty: it holds no longer. */
static bool tell_over(struct db *db, struct arena *a, struct id_maker *ids, const struct alert_rule *r, struct str why, ms_t now, struct err *e)
{
	const struct rule_condition c = alert_rule_condition(r);

	return tell(db, a, ids, r, "alerts.over", why.n ? why : rule_sentence(a, &c, r->value, false), now, now, e);
}

/* ---- judging ---- */

bool alert_rules_note(struct db *db, struct arena *a, const struct alert_rule *rules, size_t n, ms_t now, struct err *e)
{
	struct val *vals = ARENA_ARRAY(a, struct val, 4 * n + 1);

	for (size_t i = 0; i < n; i++) {
		vals[4 * i] = V_DECIMAL(a, rules[i].value);
		vals[4 * i + 1] = V_I(now);
		vals[4 * i + 2] = V_U(rules[i].id);
		vals[4 * i + 3] = V_I(rules[i].updated_at);
	}
	return db_bulk(db, &stmts[Q_NOTE], vals, n, 4, e);
}

struct judged {
	struct arena *a;
	struct id_maker *ids;
	struct alert_rule rule;		/* as it is to be */
	bool was;
	struct str why;
	ms_t now;
	bool changed;
};

static bool change_tx(struct db *db, void *ctx, struct err *e)
{
	struct judged *x = ctx;
	const struct alert_rule *r = &x->rule;
	uint64_t changed;

	if (!db_exec(db, &stmts[Q_CHANGE],
		VALS(V_U(r->triggered), V_U(r->episode), V_I(r->triggered_at), V_I(x->now), r->has_value ? V_DECIMAL(x->a, r->value) : V_NULL(),
			V_T(r->evaluated_at), V_U(r->id), V_I(r->updated_at), V_U(x->was)),
		&changed, e))
		return false;
	x->changed = changed > 0;
	if (!x->changed)
		return true;
	return r->triggered ? tell_began(db, x->a, x->ids, r, x->now, e) : tell_over(db, x->a, x->ids, r, x->why, x->now, e);
}

int alert_rule_change(struct db *db, struct arena *a, struct id_maker *ids, const struct alert_rule *seen, const struct rule_verdict *v, ms_t now,
	struct err *e)
{
	struct judged x = { .a = a, .ids = ids, .rule = *seen, .was = seen->triggered, .why = v->why, .now = now };

	x.rule.triggered = v->triggered;
	if (v->measured) {
		x.rule.value = v->value;
		x.rule.has_value = true;
		x.rule.evaluated_at = now;
	}
	if (v->triggered) {
		x.rule.episode = id_make(ids, now);
		x.rule.triggered_at = now;
	}
	return db_tx(db, change_tx, &x, e) ? x.changed : -1;
}

/* ---- changing ---- */

static void audit_members(struct json_out *o, const void *thing)
{
	const struct alert_rule *r = thing;

	condition_json(o, r);
	json_key(o, "enabled");
	json_bool(o, r->enabled);
}

/* Users, integrations and services beside it are read without locks. */
static int lock(struct db *db, const struct change *x, void *before, struct err *e)
{
	const struct alert_rule *r = x->to;
	int found = db_query_one(db, &stmts[Q_LOCK], VALS(V_S(r->public_id), V_U(r->tenant_id), V_U(r->user_id)), x->arena, fields, sizeof(*r), before, e);

	return found == 1 ? alert_rule_get(db, x->arena, r->tenant_id, r->user_id, r->public_id, before, e) : found;
}

static bool add(struct db *db, const struct change *x, struct err *e)
{
	struct alert_rule *r = x->to;

	if (!room_check(db, x->arena, &stmts[Q_COUNT], VALS(V_U(r->user_id)), ALERT_RULES_MAX, "alert rules", e))
		return false;
	if (!db_exec(db, &stmts[Q_ADD],
		VALS(V_S(r->public_id), V_U(r->tenant_id), V_U(r->user_id), V_S(r->name), V_U(r->metric), V_SE(r->provider), V_ID(r->source_row),
			V_ID(r->service_row), V_U(r->comparison), V_DECIMAL(x->arena, r->threshold), V_U(r->window_min), V_U(r->enabled), V_I(x->now),
			V_I(x->now)),
		NULL, e))
		return conflict_if_duplicate(db, "id", "its id is that of a rule of somebody else", e);
	r->id = db_insert_id(db);
	return true;
}

/* One that is triggered and is not to be judged any more is over. */
static bool end_by(struct db *db, const struct change *x, const char *why, struct err *e)
{
	const struct alert_rule *before = x->before;

	return !before->triggered || tell_over(db, x->arena, x->own, before, str_of(why), x->now, e);
}

static bool is_same_condition(const struct alert_rule *x, const struct alert_rule *y)
{
	return x->metric == y->metric && str_eq(x->provider, y->provider) && x->source_row == y->source_row && x->service_row == y->service_row &&
		x->comparison == y->comparison && rule_holds(x->threshold, RULE_EQUAL, y->threshold) && x->window_min == y->window_min;
}

static bool update(struct db *db, const struct change *x, struct err *e)
{
	const struct alert_rule *r = x->to, *before = x->before;
	bool ends = before->triggered && !r->enabled, same = before->has_value && is_same_condition(before, r);

	if (!r->enabled && !end_by(db, x, "The rule was switched off.", e))
		return false;
	return db_exec(db, &stmts[Q_UPDATE],
		VALS(V_S(r->name), V_U(r->metric), V_SE(r->provider), V_ID(r->source_row), V_ID(r->service_row), V_U(r->comparison),
			V_DECIMAL(x->arena, r->threshold), V_U(r->window_min), V_U(r->enabled), V_U(before->triggered && !ends),
			V_T(ends ? x->now : before->since), same ? V_DECIMAL(x->arena, before->value) : V_NULL(),
			V_T(same ? before->evaluated_at : 0), V_I(x->changed_at), V_U(before->id)),
		NULL, e);
}

static bool remove_it(struct db *db, const struct change *x, struct err *e)
{
	const struct alert_rule *before = x->before;

	return end_by(db, x, "The rule was deleted.", e) && db_exec(db, &stmts[Q_DELETE], VALS(V_U(before->id)), NULL, e);
}

static const struct changeable rules = {
	CHANGEABLE(struct alert_rule), .word = "alert_rule", .prefix = "ar", .audited_too = audit_members,
	.lock = lock, .add = add, .update = update, .remove = remove_it,
};

bool alert_rule_add(struct db *db, struct arena *a, const struct alert_rule *in, const struct who *who, ms_t now, struct alert_rule *out, struct err *e)
{
	struct change x = { .kind = &rules, .arena = a, .to = out, .who = who, .now = now };

	*out = *in;
	return name_check(in->name, "name", e) && change_add(db, &x, e);
}

int alert_rule_update(struct db *db, struct arena *a, struct id_maker *ids, const struct alert_rule *in, const struct who *who, ms_t now, struct err *e)
{
	struct alert_rule to = *in;
	struct change x = { .kind = &rules, .arena = a, .to = &to, .who = who, .now = now, .own = ids };

	return name_check(in->name, "name", e) ? change_update(db, &x, e) : -1;
}

int alert_rule_delete(struct db *db, struct arena *a, struct id_maker *ids, uint64_t tenant_id, uint64_t user_id, struct str public_id,
	const struct who *who, ms_t now, struct err *e)
{
	struct alert_rule gone = { .tenant_id = tenant_id, .user_id = user_id, .public_id = public_id };
	struct change x = { .kind = &rules, .arena = a, .to = &gone, .who = who, .now = now, .own = ids };

	return change_remove(db, &x, e);
}
