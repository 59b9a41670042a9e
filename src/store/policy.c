/* policy.c - escalation policies: who is paged, step by step, while nobody takes care of an incident.
 *
 * The steps are one JSON text. What their targets point to is looked up when a step is taken: who is gone by then is not reached, and the timeline says
 * so. Who gives a policy to a service shares a lock on its row, so that it is not deleted meanwhile. */
#include "change_int.h"

#include "grapnel/json.h"

#define STEPS_TEXT_MAX (64 * 1024)
#define SERVICES_NAMED 5	/* of those that use it */

enum { Q_BY_PUBLIC_ID, Q_BY_ID, Q_LIST, Q_LOCK, Q_HOLD, Q_COUNT, Q_ADD, Q_UPDATE, Q_DELETE, Q_SERVICES };

#define COLUMNS "id, tenant_id, public_id, name, description, steps, repeats, created_at, updated_at"

static const struct stmt stmts[] = {
	[Q_BY_PUBLIC_ID] = { "policy.by_public_id", "SELECT " COLUMNS " FROM escalation_policies WHERE public_id = ? AND tenant_id = ?" },
	[Q_BY_ID] = { "policy.by_id", "SELECT " COLUMNS " FROM escalation_policies WHERE id = ?" },
	[Q_LIST] = { "policy.list", "SELECT " COLUMNS " FROM escalation_policies WHERE tenant_id = ? AND id < ? ORDER BY id DESC LIMIT ?" },
	[Q_LOCK] = { "policy.lock", "SELECT " COLUMNS " FROM escalation_policies WHERE public_id = ? AND tenant_id = ? FOR UPDATE" },
	[Q_HOLD] = { "policy.hold", "SELECT " COLUMNS " FROM escalation_policies WHERE public_id = ? AND tenant_id = ? LOCK IN SHARE MODE" },
	[Q_COUNT] = { "policy.count", "SELECT COUNT(*) AS id FROM escalation_policies WHERE tenant_id = ?" },
	[Q_ADD] = { "policy.add",
		"INSERT INTO escalation_policies (public_id, tenant_id, name, description, steps, repeats, created_at, updated_at)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_UPDATE] = { "policy.update",
		"UPDATE escalation_policies SET name = ?, description = ?, steps = ?, repeats = ?, updated_at = ? WHERE id = ?" },
	[Q_DELETE] = { "policy.delete", "DELETE FROM escalation_policies WHERE id = ?" },
	[Q_SERVICES] = { "policy.services",
		"SELECT v.policy_id AS policy, v.public_id AS id, v.name FROM JSON_TABLE(?, '$[*]' COLUMNS (id INT UNSIGNED PATH '$')) j"
		" JOIN services v ON v.policy_id = j.id WHERE v.deleted_at IS NULL ORDER BY v.id LIMIT ?" },
};
const struct stmt_table policy_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct policy, id, "id", ""),
	FIELD_ID(struct policy, tenant_id, "tenant_id", ""),
	FIELD_STR(struct policy, public_id, "public_id", ""),
	FIELD_STR(struct policy, name, "name", ""),
	FIELD_STR(struct policy, description, "description", ""),
	FIELD_STR(struct policy, steps, "steps", ""),
	FIELD_U64(struct policy, repeats, "repeats", ""),
	FIELD_TIME(struct policy, created_at, "created_at", ""),
	FIELD_TIME(struct policy, updated_at, "updated_at", ""),
	FIELD_END
};

static const struct field audit_fields[] = {
	FIELD_STR(struct policy, name, "name", ""),
	FIELD_STR(struct policy, description, "description", ""),
	FIELD_JSON(struct policy, steps, "steps", ""),
	FIELD_U64(struct policy, repeats, "repeat", ""),
	FIELD_END
};

/* ---- steps ---- */

static const struct {
	const char *word, *prefix;
} target_words[] = {
	[TARGET_USER] = { "user", "us" },
	[TARGET_SCHEDULE] = { "schedule", "sc" },
	[TARGET_CHANNEL] = { "channel", "ch" },
};

const char *policy_target_word(enum policy_target_type t)
{
	return target_words[t].word;
}

bool policy_target_of(struct str id, enum policy_target_type *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(target_words); i++)
		if (public_id_is(id, target_words[i].prefix)) {
			*out = (enum policy_target_type)i;
			return true;
		}
	return false;
}

struct str policy_steps_write(struct arena *a, const struct policy_step *steps, size_t n)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, STEPS_TEXT_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++) {
		json_open(&o, '{');
		json_key(&o, "delayMinutes");
		json_u64(&o, steps[i].delay_minutes);
		json_key(&o, "targets");
		json_open(&o, '[');
		for (size_t k = 0; k < steps[i].n; k++) {
			json_open(&o, '{');
			json_key(&o, "type");
			json_strz(&o, policy_target_word(steps[i].targets[k].type));
			json_key(&o, "id");
			json_str(&o, steps[i].targets[k].id);
			json_close(&o, '}');
		}
		json_close(&o, ']');
		json_close(&o, '}');
	}
	json_close(&o, ']');
	return strbuf_str(&b);
}

/* What does not fit was written by nobody of us, and is passed over. */
void policy_steps_read(struct arena *a, struct str json, struct policy_step out[ESCALATION_STEPS_MAX], size_t *n)
{
	const struct json *list;
	struct err unreadable = { 0 };

	*n = 0;
	if (!json_parse(a, json, &list, &unreadable))
		return;
	for (const struct json *j = list->first; j && *n < ESCALATION_STEPS_MAX; j = j->next) {
		struct policy_step *s = &out[(*n)++];
		const struct json *targets = json_get(j, "targets");

		*s = (struct policy_step){ 0 };
		if (!str_u64(json_text(json_get(j, "delayMinutes")), &s->delay_minutes))
			s->delay_minutes = 1;
		for (const struct json *t = targets ? targets->first : NULL; t && s->n < ESCALATION_TARGETS_MAX; t = t->next) {
			s->targets[s->n].id = json_text(json_get(t, "id"));
			s->n += policy_target_of(s->targets[s->n].id, &s->targets[s->n].type);
		}
	}
}

/* ---- reading ---- */

int policy_get(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, struct policy *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_BY_PUBLIC_ID], VALS(V_S(public_id), V_U(tenant_id)), a, fields, sizeof(*out), out, e);
}

int policy_by_id(struct db *db, struct arena *a, uint64_t id, struct policy *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_BY_ID], VALS(V_U(id)), a, fields, sizeof(*out), out, e);
}

bool policy_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t below, uint64_t limit, struct policy **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_LIST], VALS(V_U(tenant_id), V_U(below ? below : UINT32_MAX), V_U(limit)), a, fields, sizeof(**out), out, n, e);
}

int policy_hold(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, struct policy *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_HOLD], VALS(V_S(public_id), V_U(tenant_id)), a, fields, sizeof(*out), out, e);
}

static const struct field service_fields[] = {
	FIELD_ID(struct policy_service, policy, "policy", ""),
	FIELD_STR(struct policy_service, id, "id", ""),
	FIELD_STR(struct policy_service, name, "name", ""),
	FIELD_END
};

bool policy_services(struct db *db, struct arena *a, struct str ids, uint64_t limit, struct policy_service **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_SERVICES], VALS(V_S(ids), V_U(limit)), a, service_fields, sizeof(**out), out, n, e);
}

/* ---- changing ---- */

static bool check(const struct policy *p, struct err *e)
{
	return name_check(p->name, "name", e) && description_check(p->description, e);
}

static bool taken(struct db *db, struct err *e)
{
	return conflict_if_duplicate(db, "name", "A policy of that name exists.", e);
}

static int lock(struct db *db, const struct change *x, void *before, struct err *e)
{
	const struct policy *p = x->to;

	return db_query_one(db, &stmts[Q_LOCK], VALS(V_S(p->public_id), V_U(p->tenant_id)), x->arena, fields, sizeof(*p), before, e);
}

static bool add(struct db *db, const struct change *x, struct err *e)
{
	const bool *comes_with_id = x->own;
	struct policy *p = x->to;

	if (!room_check(db, x->arena, &stmts[Q_COUNT], VALS(V_U(p->tenant_id)), POLICIES_MAX, "escalation policies", e))
		return false;
	if (!db_exec(db, &stmts[Q_ADD],
		VALS(V_S(p->public_id), V_U(p->tenant_id), V_S(p->name), V_S(p->description), V_S(p->steps), V_U(p->repeats), V_I(x->now),
			V_I(x->now)),
		NULL, e))
		return *comes_with_id ? conflict_if_duplicate(db, "", "it has the name of another policy, or the id of one of another tenant", e) : taken(db, e);
	p->id = db_insert_id(db);
	return true;
}

static bool update(struct db *db, const struct change *x, struct err *e)
{
	const struct policy *p = x->to, *before = x->before;

	return db_exec(db, &stmts[Q_UPDATE],
		VALS(V_S(p->name), V_S(p->description), V_S(p->steps), V_U(p->repeats), V_I(x->changed_at), V_U(before->id)), NULL, e) || taken(db, e);
}

/* "Shop, API and others" */
static struct str names_joined(struct arena *a, const struct policy_service *list, size_t n)
{
	struct strbuf b;

	strbuf_init(&b, a, SERVICES_NAMED * 512);
	for (size_t i = 0; i < n && i < SERVICES_NAMED; i++)
		strbuf_addf(&b, "%s%.*s", i ? ", " : "", STR_ARG(str_cut(list[i].name, 30)));
	if (n > SERVICES_NAMED)
		strbuf_adds(&b, " and others");
	return strbuf_str(&b);
}

static bool not_in_use(struct db *db, struct arena *a, const struct policy *p, struct err *e)
{
	struct policy_service *list;
	size_t n;

	if (!policy_services(db, a, arena_printf(a, "[%llu]", (unsigned long long)p->id), SERVICES_NAMED + 1, &list, &n, e))
		return false;
	return !n || err_tell(e, ERR_CONFLICT, "It is used by %s. Give %s another policy first.", arena_cstr(a, names_joined(a, list, n)),
		n == 1 ? "that service" : "those services");
}

static bool remove_it(struct db *db, const struct change *x, struct err *e)
{
	const struct policy *before = x->before;

	return not_in_use(db, x->arena, before, e) && db_exec(db, &stmts[Q_DELETE], VALS(V_U(before->id)), NULL, e);
}

static const struct changeable policies = {
	CHANGEABLE(struct policy), .word = "policy", .prefix = "po", .audited = audit_fields,
	.lock = lock, .add = add, .update = update, .remove = remove_it,
};

bool policy_add(struct db *db, struct arena *a, const struct policy *in, const struct who *who, ms_t now, struct policy *out, struct err *e)
{
	bool comes_with_id = in->public_id.n;
	struct change x = { .kind = &policies, .arena = a, .to = out, .who = who, .now = now, .own = &comes_with_id };

	*out = *in;
	return check(in, e) && change_add(db, &x, e);
}

int policy_update(struct db *db, struct arena *a, const struct policy *in, const struct who *who, ms_t now, struct err *e)
{
	struct policy to = *in;
	struct change x = { .kind = &policies, .arena = a, .to = &to, .who = who, .now = now };

	return check(in, e) ? change_update(db, &x, e) : -1;
}

int policy_delete(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, const struct who *who, ms_t now, struct err *e)
{
	struct policy gone = { .tenant_id = tenant_id, .public_id = public_id };
	struct change x = { .kind = &policies, .arena = a, .to = &gone, .who = who, .now = now };

	return change_remove(db, &x, e);
}
