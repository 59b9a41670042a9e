/* policy.c - escalation policies as people see them: with the names of whom they reach, and of the services that use them. */
#include "view_int.h"

#define STEPS_TEXT_MAX (256 * 1024)	/* all targets with their names */
#define SERVICES_MAX 1000		/* of all policies in a list */

const struct field policy_view_fields[] = {
	FIELD_STR(struct policy_view, id, "id", "Public id"),
	FIELD_STR(struct policy_view, name, "name", "As people know it"),
	FIELD_STR(struct policy_view, description, "description", "What it is for"),
	FIELD_JSON(struct policy_view, steps, "steps",
		"Each with delayMinutes, which pass after it, and targets: type user, schedule or channel, id, and name (null = it is gone)"),
	FIELD_U64(struct policy_view, repeats, "repeat", "So often all steps once more"),
	FIELD_JSON(struct policy_view, services, "services", "Those that use it: id and name"),
	FIELD_TIME(struct policy_view, created_at, "createdAt", "Creation"),
	FIELD_TIME(struct policy_view, updated_at, "updatedAt", "Last change"),
	FIELD_END
};

/* ---- names ---- */

static const struct field target_columns[] = {
	FIELD_STR(struct policy_target_name, id, "id", ""),
	FIELD_STR(struct policy_target_name, name, "name", ""),
	FIELD_BOOL(struct policy_target_name, disabled, "disabled", ""),
	FIELD_U64(struct policy_target_name, role, "role", ""),
	FIELD_END
};

bool policy_target_names(struct db *db, struct arena *a, uint64_t tenant_id, struct str ids, struct policy_target_name **out, size_t *n, struct err *e)
{
	return db_query(db, &view_stmt[V_POLICY_TARGETS], VALS(V_S(ids), V_U(tenant_id), V_U(tenant_id), V_U(tenant_id)), a, target_columns, sizeof(**out), out, n, e);
}

const struct policy_target_name *policy_target_find(const struct policy_target_name *names, size_t n, struct str id)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i].id, id))
			return &names[i];
	return NULL;
}

struct str policy_target_name(const struct policy_target_name *names, size_t n, struct str id)
{
	const struct policy_target_name *found = policy_target_find(names, n, id);

	return found ? found->name : STR_NONE;
}

/* ---- policies ---- */

static struct str target_ids(struct arena *a, const struct policy_view *views, size_t n)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, n * ESCALATION_STEPS_MAX * ESCALATION_TARGETS_MAX * 32 + 16);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		for (size_t s = 0; s < views[i].step_n; s++)
			for (size_t t = 0; t < views[i].step[s].n; t++)
				json_str(&o, views[i].step[s].targets[t].id);
	json_close(&o, ']');
	return strbuf_str(&b);
}

static void put_target(struct json_out *o, const struct policy_target *t, const struct policy_target_name *names, size_t n)
{
	struct str name = policy_target_name(names, n, t->id);

	json_open(o, '{');
	json_key(o, "type");
	json_strz(o, policy_target_word(t->type));
	json_key(o, "id");
	json_str(o, t->id);
	json_key(o, "name");
	if (name.p)
		json_str(o, name);
	else
		json_null(o);
	json_close(o, '}');
}

static struct str steps_json(struct arena *a, const struct policy_view *v, const struct policy_target_name *names, size_t n)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, STEPS_TEXT_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < v->step_n; i++) {
		json_open(&o, '{');
		json_key(&o, "delayMinutes");
		json_u64(&o, v->step[i].delay_minutes);
		json_key(&o, "targets");
		json_open(&o, '[');
		for (size_t t = 0; t < v->step[i].n; t++)
			put_target(&o, &v->step[i].targets[t], names, n);
		json_close(&o, ']');
		json_close(&o, '}');
	}
	json_close(&o, ']');
	return strbuf_str(&b);
}

static struct str services_json(struct arena *a, uint64_t policy, const struct policy_service *list, size_t n, uint64_t *count)
{
	struct json_out o;
	struct strbuf b;

	*count = 0;
	strbuf_init(&b, a, n * 512 + 16);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++) {
		if (list[i].policy != policy)
			continue;
		json_open(&o, '{');
		json_key(&o, "id");
		json_str(&o, list[i].id);
		json_key(&o, "name");
		json_str(&o, list[i].name);
		json_close(&o, '}');
		++*count;
	}
	json_close(&o, ']');
	return strbuf_str(&b);
}

bool policy_view_fill(struct db *db, struct arena *a, uint64_t tenant_id, const struct policy *rows, size_t n, struct policy_view **out, struct err *e)
{
	struct policy_view *v = ARENA_ARRAY(a, struct policy_view, n + 1);
	struct policy_target_name *names;
	struct policy_service *services;
	size_t name_n, service_n;

	for (size_t i = 0; i < n; i++) {
		v[i] = (struct policy_view){ .id = rows[i].public_id, .name = rows[i].name, .description = rows[i].description,
			.repeats = rows[i].repeats, .created_at = rows[i].created_at, .updated_at = rows[i].updated_at };
		policy_steps_read(a, rows[i].steps, v[i].step, &v[i].step_n);
	}
	if (!policy_target_names(db, a, tenant_id, target_ids(a, v, n), &names, &name_n, e) ||
		!policy_services(db, a, JSON_IDS(a, rows, n, id), SERVICES_MAX, &services, &service_n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		v[i].names = names;
		v[i].name_n = name_n;
		v[i].steps = steps_json(a, &v[i], names, name_n);
		v[i].services = services_json(a, rows[i].id, services, service_n, &v[i].service_count);
	}
	*out = v;
	return true;
}

bool policy_view_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t cursor, uint64_t limit, struct policy_view **out, size_t *n,
	uint64_t *next, struct err *e)
{
	struct policy *rows;

	*next = 0;
	if (!policy_list(db, a, tenant_id, cursor, limit + 1, &rows, n, e))
		return false;
	if (*n > limit) {
		*n = limit;
		*next = rows[limit - 1].id;
	}
	return policy_view_fill(db, a, tenant_id, rows, *n, out, e);
}
