/* policy.c - escalation policies: who is paged, step by step, while nobody takes care of an incident.
 *
 * The steps are one JSON text. What their targets point to is looked up when a step is taken: who is gone by then is not reached, and the timeline says
 * so. Who gives a policy to a service shares a lock on its row, so that it is not deleted meanwhile. */
#include "store_int.h"

#include "grapnel/json.h"

#define DESCRIPTION_MAX_CHARS 1024	/* of the column */
#define DETAIL_MAX (128 * 1024)	/* of the audit log: before and after */
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

	strbuf_init(&b, a, DETAIL_MAX);
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

/* The transaction may run several times, so all that is random stands here before. */
struct change {
	struct arena *arena;
	struct policy policy;		/* as it is to be */
	const struct who *who;
	ms_t now;
	bool found;
	bool keeps_id;			/* of a new one that comes from elsewhere */
};

static void detail_write(struct json_out *o, const char *key, const struct policy *p)
{
	json_key(o, key);
	json_open(o, '{');
	json_fields(o, audit_fields, p);
	json_close(o, '}');
}

/* before and after may be NULL. */
static bool audit(struct db *db, const struct change *x, const char *action, const struct policy *before, const struct policy *after,
	struct err *e)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, x->arena, 2 * DETAIL_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	if (before)
		detail_write(&o, "before", before);
	if (after)
		detail_write(&o, "after", after);
	json_close(&o, '}');
	return audit_add(db, x->who, action, x->policy.public_id, strbuf_str(&b), x->now, e);
}

static bool check(const struct policy *p, struct err *e)
{
	if (!name_check(p->name, "name", e))
		return false;
	if (!str_is_utf8(p->description) || characters(p->description) > DESCRIPTION_MAX_CHARS)
		return err_field(e, ERR_INVALID, "description", "The description has more than %d characters.", DESCRIPTION_MAX_CHARS);
	return true;
}

static bool taken(struct db *db, struct err *e)
{
	return conflict_if_duplicate(db, "name", "A policy of that name exists.", e);
}

static bool add_tx(struct db *db, void *ctx, struct err *e)
{
	struct change *x = ctx;
	struct policy *p = &x->policy, count;

	if (db_query_one(db, &stmts[Q_COUNT], VALS(V_U(p->tenant_id)), x->arena, fields, sizeof(count), &count, e) < 0)
		return false;
	if (count.id >= POLICIES_MAX)
		return err_tell(e, ERR_CONFLICT, "There are %d escalation policies, and no room for more.", POLICIES_MAX);
	if (!db_exec(db, &stmts[Q_ADD],
		VALS(V_S(p->public_id), V_U(p->tenant_id), V_S(p->name), V_S(p->description), V_S(p->steps), V_U(p->repeats), V_I(x->now),
			V_I(x->now)),
		NULL, e))
		return x->keeps_id ? conflict_if_duplicate(db, "", "it has the name of another policy, or the id of one of another tenant", e) : taken(db, e);
	p->id = db_insert_id(db);
	return audit(db, x, "policy.create", NULL, p, e);
}

bool policy_add(struct db *db, struct arena *a, const struct policy *in, const struct who *who, ms_t now, struct policy *out, struct err *e)
{
	struct change x = { .arena = a, .policy = *in, .who = who, .now = now, .keeps_id = in->public_id.n };
	char id[PUBLIC_ID_MAX];

	if (!check(in, e))
		return false;
	public_id_make("po", id);
	if (!in->public_id.n)
		x.policy.public_id = arena_str(a, str_of(id));
	x.policy.created_at = x.policy.updated_at = now;
	if (!db_tx(db, add_tx, &x, e))
		return false;
	*out = x.policy;
	return true;
}

/* 1 locked, 0, -1. */
static int lock(struct db *db, struct change *x, struct policy *before, struct err *e)
{
	const struct policy *p = &x->policy;
	int found = db_query_one(db, &stmts[Q_LOCK], VALS(V_S(p->public_id), V_U(p->tenant_id)), x->arena, fields, sizeof(*before), before, e);

	x->found = found == 1;
	return found;
}

static bool update_tx(struct db *db, void *ctx, struct err *e)
{
	struct change *x = ctx;
	struct policy *p = &x->policy, before;
	int found = lock(db, x, &before, e);

	if (found != 1)
		return found == 0;
	if (p->updated_at != before.updated_at)
		return err_set(e, ERR_CONFLICT, "policy %.*s has changed since it was read", STR_ARG(p->public_id));
	if (!db_exec(db, &stmts[Q_UPDATE],
		VALS(V_S(p->name), V_S(p->description), V_S(p->steps), V_U(p->repeats),
			V_I(x->now > before.updated_at ? x->now : before.updated_at + 1), V_U(before.id)),
		NULL, e))
		return taken(db, e);
	return audit(db, x, "policy.update", &before, p, e);
}

int policy_update(struct db *db, struct arena *a, const struct policy *in, const struct who *who, ms_t now, struct err *e)
{
	struct change x = { .arena = a, .policy = *in, .who = who, .now = now };

	if (!check(in, e))
		return -1;
	return db_tx(db, update_tx, &x, e) ? x.found : -1;
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

static bool not_in_use(struct db *db, const struct change *x, const struct policy *p, struct err *e)
{
	struct policy_service *list;
	size_t n;

	if (!policy_services(db, x->arena, arena_printf(x->arena, "[%llu]", (unsigned long long)p->id), SERVICES_NAMED + 1, &list, &n, e))
		return false;
	return !n || err_tell(e, ERR_CONFLICT, "It is used by %s. Give %s another policy first.", arena_cstr(x->arena, names_joined(x->arena, list, n)),
		n == 1 ? "that service" : "those services");
}

static bool delete_tx(struct db *db, void *ctx, struct err *e)
{
	struct change *x = ctx;
	struct policy before;
	int found = lock(db, x, &before, e);

	if (found != 1)
		return found == 0;
	return not_in_use(db, x, &before, e) && db_exec(db, &stmts[Q_DELETE], VALS(V_U(before.id)), NULL, e) &&
		audit(db, x, "policy.delete", &before, NULL, e);
}

int policy_delete(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, const struct who *who, ms_t now, struct err *e)
{
	struct change x = { .arena = a, .policy = { .tenant_id = tenant_id, .public_id = public_id }, .who = who, .now = now };

	return db_tx(db, delete_tx, &x, e) ? x.found : -1;
}
