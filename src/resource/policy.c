/* policy.c - escalation policies: their form; making, changing and removing one.
 *
 * A target is told by its id, whose prefix says what it is. Whoever is to be reached must be there when the policy is written; whoever is gone
 * later stays in it, is not reached, and is refused when the policy is written the next time. So is a person who may not acknowledge: paging is for
 * somebody to take care. One who becomes a viewer later is still paged, without links that would be refused. */
#include "resource_int.h"

#include "grapnel/json.h"

const struct form_field policy_query_fields[] = {
	{ "limit", NUMBER_AT(struct policy_query, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX, .help = "Most policies in the answer" },
	CURSOR_ROW(struct policy_query, cursor, "policies"),
	FORM_END
};

const struct form_field policy_fields[] = {
	{ "name", TEXT_AT(struct policy_form, name), FORM_REQUIRED, 1, 400, .help = "1 to 100 characters, no other policy's name" },
	{ "description", TEXT_AT(struct policy_form, description), .max = 4096, .help = "What it is for" },
	{ "repeat", NUMBER_AT(struct policy_form, repeats), .max = ESCALATION_REPEATS_MAX, .help = "So often all steps once more; 0 if not said" },
	{ "steps", OBJECTS_AT(struct policy_form, steps), FORM_REQUIRED, 1, ESCALATION_STEPS_MAX,
		.help = "The first is taken at once, each further one while nobody takes care: delayMinutes, 1 to 1440, pass after it; targets, 1 to 10"
			" objects with the id of a user (no viewer), schedule or channel" },
	FORM_END
};

static bool bad_step(struct err *e, size_t step, const char *what)
{
	return err_field(e, ERR_INVALID, "steps", "Step %zu: %s", step + 1, what);
}

/* "name" is what a view says beside it. */
static bool read_target(const struct json *j, size_t step, struct policy_target *out, struct err *e)
{
	struct str type;

	if (!json_is(j, JSON_OBJECT))
		return bad_step(e, step, "a target is an object with an id.");
	for (const struct json *m = j->first; m; m = m->next)
		if (!str_eqs(m->name, "type") && !str_eqs(m->name, "id") && !str_eqs(m->name, "name"))
			return bad_step(e, step, "a target has type and id, and nothing else.");
	out->id = json_text(json_get(j, "id"));
	if (!policy_target_of(out->id, &out->type))
		return bad_step(e, step, "a target has the id of a user, schedule or channel: us_, sc_ or ch_.");
	type = json_text(json_get(j, "type"));
	return !json_get(j, "type") || str_eqs(type, policy_target_word(out->type)) || bad_step(e, step, "type and id of a target do not fit.");
}

static bool stands_before(const struct policy_step *s, struct str id)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->targets[i].id, id))
			return true;
	return false;
}

static bool read_targets(const struct json *list, size_t step, struct policy_step *s, struct err *e)
{
	if (!json_is(list, JSON_ARRAY) || !list->count || list->count > ESCALATION_TARGETS_MAX)
		return bad_step(e, step, "it has 1 to 10 targets.");
	for (const struct json *j = list->first; j; j = j->next) {
		struct policy_target t;

		if (!read_target(j, step, &t, e))
			return false;
		if (!stands_before(s, t.id))
			s->targets[s->n++] = t;
	}
	return true;
}

static bool read_step(const struct json *j, size_t step, struct policy_step *s, struct err *e)
{
	const struct json *delay = json_get(j, "delayMinutes");

	*s = (struct policy_step){ 0 };
	for (const struct json *m = j->first; m; m = m->next)
		if (!str_eqs(m->name, "delayMinutes") && !str_eqs(m->name, "targets"))
			return bad_step(e, step, "it has delayMinutes and targets, and nothing else.");
	if (!json_is(delay, JSON_NUMBER) || !str_u64(json_text(delay), &s->delay_minutes) || !s->delay_minutes ||
		s->delay_minutes > ESCALATION_DELAY_MAX)
		return bad_step(e, step, "delayMinutes is 1 to 1440.");
	return read_targets(json_get(j, "targets"), step, s, e);
}

static struct str ids_json(const struct caller *by, const struct policy_step *steps, size_t n)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, by->a, ESCALATION_STEPS_MAX * ESCALATION_TARGETS_MAX * 32 + 16);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		for (size_t t = 0; t < steps[i].n; t++)
			json_str(&o, steps[i].targets[t].id);
	json_close(&o, ']');
	return strbuf_str(&b);
}

static bool all_are_there(const struct caller *by, struct policy_step *steps, size_t n, bool leave_gone, struct err *e)
{
	struct policy_target_name *names;
	size_t name_n;

	if (!policy_target_names(by->db, by->a, by->tenant_id, ids_json(by, steps, n), &names, &name_n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t there = 0;

		for (size_t t = 0; t < steps[i].n; t++) {
			const struct policy_target *target = &steps[i].targets[t];
			const struct policy_target_name *found = policy_target_find(names, name_n, target->id);

			if (!found && !leave_gone)
				return bad_step(e, i, arena_printf(by->a, "there is no %s %.*s.", policy_target_word(target->type), STR_ARG(target->id)).p);
			if (found && target->type == TARGET_USER && found->role < ROLE_OPERATOR && !leave_gone)
				return bad_step(e, i, arena_printf(by->a, "%.*s is a viewer, who may not acknowledge.", STR_ARG(str_cut(found->name, 60))).p);
			if (found)
				steps[i].targets[there++] = *target;
		}
		steps[i].n = there;
	}
	return true;
}

static bool form_to_policy(const struct caller *by, const struct policy_form *f, struct policy *p, struct err *e)
{
	struct policy_step *steps = ARENA_ARRAY(by->a, struct policy_step, ESCALATION_STEPS_MAX);
	size_t n = 0;

	for (const struct json *j = f->steps ? f->steps->first : NULL; j; j = j->next, n++)
		if (!read_step(j, n, &steps[n], e))
			return false;
	if (!all_are_there(by, steps, n, f->leave_gone, e))
		return false;
	p->name = f->name;
	p->description = str_trim(f->description);
	p->repeats = f->repeats;
	p->steps = policy_steps_write(by->a, steps, n);
	return true;
}

void policy_to_form(const struct caller *by, const struct policy *p, struct policy_form *f)
{
	struct err unreadable = { 0 };

	*f = (struct policy_form){ .name = p->name, .description = p->description, .repeats = p->repeats };
	if (!json_parse(by->a, p->steps, &f->steps, &unreadable))
		f->steps = NULL;
}

int policy_find(const struct caller *by, struct str public_id, struct policy *out, struct err *e)
{
	return public_id_is(public_id, "po") ? policy_get(by->db, by->a, by->tenant_id, public_id, out, e) : 0;
}

static bool not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no such policy");
}

bool policy_create(const struct caller *by, const struct policy_form *f, struct policy *made, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct policy p = { .tenant_id = by->tenant_id, .public_id = f->public_id };

	return form_to_policy(by, f, &p, e) && policy_add(by->db, by->a, &p, &who, by->now, made, e);
}

/* One try. 1, 0, -1 as the store. */
static int change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct policy_form *f, struct err *e), void *ctx,
	struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct policy_form f;
	struct policy p;
	int found = policy_find(by, public_id, &p, e);

	if (found != 1)
		return found;
	policy_to_form(by, &p, &f);
	if (!read(ctx, &f, e) || !form_to_policy(by, &f, &p, e))
		return -1;
	return policy_update(by->db, by->a, &p, &who, by->now, e);
}

bool policy_change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct policy_form *f, struct err *e), void *ctx,
	struct err *e)
{
	int done, tries = 0;

	do
		done = change(by, public_id, read, ctx, e);
	while (changed_meanwhile(done, &tries, e));
	return done == 1 || (!done && not_found(e));
}

bool policy_remove(const struct caller *by, struct str public_id, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	int done = public_id_is(public_id, "po") ? policy_delete(by->db, by->a, by->tenant_id, public_id, &who, by->now, e) : 0;

	return done == 1 || (!done && not_found(e));
}
