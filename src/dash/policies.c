/* policies.c - who is paged, step by step, while nobody takes care of an incident.
 *
 * The form shows the steps there are and two more; a step in which nobody is chosen is left out, so that one form without any script adds and removes
 * them. */
#include "policies.h"

#include <inttypes.h>

#include "grapnel/json.h"
#include "tmpl.h"

#define STEPS_TEXT_MAX (ESCALATION_STEPS_MAX * ESCALATION_TARGETS_MAX * 128)
#define EMPTY_STEPS 2
#define SERVICES_SHOWN 100

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static struct str minutes(struct visit *v, uint64_t n)
{
	return arena_printf(v->a, "%" PRIu64 " minute%s", n, plural(n));
}

/* ---- the list ---- */

static bool read_list(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next, struct err *e)
{
	return policy_view_list(v->by.db, v->a, v->by.tenant_id, cursor, limit, rows_r, n, next, e);
}

/* "alice, Day shift, then #ops" */
static struct str steps_in_words(struct visit *v, const struct policy_view *p)
{
	struct strbuf b;

	strbuf_init(&b, v->a, STEPS_TEXT_MAX);
	for (size_t i = 0; i < p->step_n; i++)
		for (size_t t = 0; t < p->step[i].n; t++) {
			struct str name = policy_target_name(p->names, p->name_n, p->step[i].targets[t].id);

			strbuf_adds(&b, t ? ", " : i ? ", then " : "");
			strbuf_addstr(&b, name.p ? name : STR("somebody who is gone"));
		}
	return strbuf_str(&b);
}

static void fill_rows(struct visit *v, struct policies_page *p, const struct policy_view *views, size_t n)
{
	p->rows = ARENA_ARRAY(v->a, struct policy_row, n + 1);
	for (p->rows_n = 0; p->rows_n < n; p->rows_n++) {
		const struct policy_view *x = &views[p->rows_n];

		p->rows[p->rows_n] = (struct policy_row){ x->id, x->name, x->description, steps_in_words(v, x),
			arena_printf(v->a, "%" PRIu64, x->service_count) };
	}
}

void page_policies(void *visit)
{
	struct visit *v = visit;
	struct policy_query q = POLICY_QUERY_NEW;
	struct list_source list = { "policies", policy_view_fields, sizeof(struct policy_view), read_list, &q };
	struct policies_page p = { 0 };
	struct policy_view *views;
	size_t n;

	if (!visit_query(v, policy_query_fields, &q) || !list_read(v, &list, q.cursor, q.limit, &views, &n, &p.nav))
		return;
	fill_rows(v, &p, views, n);
	page_begin(v, &p.page, "Escalation policies", "policies");
	PAGE_SEND(v, 200, tmpl_policies, &p);
}

/* ---- one of them ---- */

/* False: answered. */
static bool find(struct visit *v, struct policy *out)
{
	struct err e = { 0 };
	int found = policy_find(&v->by, v->match.params[0], out, &e);

	if (found != 1)
		return found ? visit_err(v, &e) : visit_not_found(v);
	return true;
}

static struct str target_path(struct visit *v, const struct policy_target *t)
{
	static const char *const folders[] = { [TARGET_USER] = "users", [TARGET_SCHEDULE] = "schedules", [TARGET_CHANNEL] = "channels" };

	return arena_printf(v->a, "/%s/%.*s", folders[t->type], STR_ARG(t->id));
}

static void fill_line(struct visit *v, const struct policy_view *p, size_t i, struct policy_line *out)
{
	const struct policy_step *s = &p->step[i];

	out->number = i + 1;
	out->when = i ? arena_printf(v->a, "%.*s later", STR_ARG(minutes(v, p->step[i - 1].delay_minutes))) : STR("at once");
	out->targets = ARENA_ARRAY(v->a, struct policy_line_target, s->n + 1);
	for (; out->targets_n < s->n; out->targets_n++) {
		const struct policy_target *t = &s->targets[out->targets_n];
		struct str name = policy_target_name(p->names, p->name_n, t->id);

		out->targets[out->targets_n] = (struct policy_line_target){ .name = name.p ? name : t->id, .type = str_of(policy_target_word(t->type)),
			.path = t->type == TARGET_USER && !account_has_role(&v->by.principal, ROLE_ADMIN) ? STR_NONE : target_path(v, t),
			.gone = !name.p };
	}
}

static struct str after_the_last(struct visit *v, const struct policy_view *p)
{
	struct str wait = minutes(v, p->step_n ? p->step[p->step_n - 1].delay_minutes : 0);

	if (!p->repeats)
		return arena_printf(v->a, "%.*s later it is at its end.", STR_ARG(wait));
	return arena_printf(v->a, "%.*s later all of it once more, %" PRIu64 " time%s.", STR_ARG(wait), p->repeats, plural(p->repeats));
}

void page_policy(void *visit)
{
	struct visit *v = visit;
	struct policy_page p = { 0 };
	struct policy_view *view;
	struct policy row;
	struct err e = { 0 };

	if (!find(v, &row))
		return;
	if (!policy_view_fill(v->by.db, v->a, v->by.tenant_id, &row, 1, &view, &e) ||
		!policy_services(v->by.db, v->a, arena_printf(v->a, "[%" PRIu64 "]", row.id), SERVICES_SHOWN, &p.services, &p.services_n, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	p.policy = *view;
	p.lines = ARENA_ARRAY(v->a, struct policy_line, view->step_n + 1);
	for (; p.lines_n < view->step_n; p.lines_n++)
		fill_line(v, view, p.lines_n, &p.lines[p.lines_n]);
	p.last = after_the_last(v, view);
	page_begin(v, &p.page, arena_cstr(v->a, row.name), "policies");
	PAGE_SEND(v, 200, tmpl_policy, &p);
}

/* ---- the form: read ---- */

/* The number behind the name: "_targets12" is 12; 0: another field. */
static size_t step_of(struct str name, const char *field)
{
	uint64_t n;

	if (!str_starts(name, field) || !str_u64(str_sub(name, strlen(field)), &n))
		return 0;
	return n <= ESCALATION_STEPS_MAX ? (size_t)n : 0;
}

struct typed_step {
	struct str delay;
	struct json *targets;
};

static void read_typed(struct visit *v, struct typed_step steps[ESCALATION_STEPS_MAX])
{
	struct str rest = v->rq->body, name, value;

	for (size_t i = 0; i < ESCALATION_STEPS_MAX; i++)
		steps[i] = (struct typed_step){ STR_NONE, json_new(v->a, JSON_ARRAY) };
	while (form_next(v->a, &rest, &name, &value)) {
		size_t delay = step_of(name, "_delay"), targets = step_of(name, "_targets");
		struct json *target;

		if (delay)
			steps[delay - 1].delay = str_trim(value);
		if (!targets || !value.n)
			continue;
		target = json_new(v->a, JSON_OBJECT);
		json_add(target, STR("id"), json_new_str(v->a, value));
		json_add(steps[targets - 1].targets, STR_NONE, target);
	}
}

static const struct json *steps_posted(struct visit *v)
{
	struct typed_step steps[ESCALATION_STEPS_MAX];
	struct json *list = json_new(v->a, JSON_ARRAY);

	read_typed(v, steps);
	for (size_t i = 0; i < ESCALATION_STEPS_MAX; i++) {
		struct json *step = json_new(v->a, JSON_OBJECT), *delay = json_new_str(v->a, steps[i].delay);
		uint64_t n;

		if (!steps[i].targets->count)
			continue;
		if (str_u64(steps[i].delay, &n))
			delay->type = JSON_NUMBER;
		json_add(step, STR("delayMinutes"), delay);
		json_add(step, STR("targets"), steps[i].targets);
		json_add(list, STR_NONE, step);
	}
	return list;
}

static bool read_posted(void *ctx, struct policy_form *f, struct err *e)
{
	struct visit *v = ctx;

	if (!visit_form(v, policy_fields, FORM_CHANGE, f, e))
		return false;
	f->steps = steps_posted(v);
	return f->steps->count || err_field(e, ERR_INVALID, "steps", "Choose somebody in one step at least.");
}

/* ---- the form: shown ---- */

struct candidates {
	struct user *users;
	struct oncall_schedule *schedules;
	struct channel *channels;
	size_t user_n, schedule_n, channel_n;
};

static bool read_candidates(struct visit *v, struct candidates *c, struct err *e)
{
	return user_list(v->by.db, v->a, (uint32_t)v->by.tenant_id, &c->users, &c->user_n, e) &&
		oncall_list(v->by.db, v->a, v->by.tenant_id, 0, SCHEDULES_MAX, v->by.now, &c->schedules, &c->schedule_n, e) &&
		channel_list(v->by.db, v->a, v->by.tenant_id, 0, CHANNELS_MAX, &c->channels, &c->channel_n, e);
}

static bool is_among(const struct json *targets, struct str id)
{
	for (const struct json *t = targets ? targets->first : NULL; t; t = t->next)
		if (str_eq(json_text(json_get(t, "id")), id))
			return true;
	return false;
}

static void fill_step(struct visit *v, const struct candidates *c, struct str delay, const struct json *targets, struct policy_form_step *s)
{
	s->delay = delay;
	s->people = ARENA_ARRAY(v->a, struct choice, c->user_n + 1);
	s->schedules = ARENA_ARRAY(v->a, struct choice, c->schedule_n + 1);
	s->channels = ARENA_ARRAY(v->a, struct choice, c->channel_n + 1);
	for (size_t i = 0; i < c->user_n; i++) {
		bool chosen = is_among(targets, c->users[i].public_id);

		if ((c->users[i].enabled && c->users[i].role >= ROLE_OPERATOR) || chosen)
			s->people[s->people_n++] = (struct choice){ c->users[i].public_id, c->users[i].name, chosen };
	}
	for (; s->schedules_n < c->schedule_n; s->schedules_n++) {
		const struct oncall_schedule *x = &c->schedules[s->schedules_n];

		s->schedules[s->schedules_n] = (struct choice){ x->public_id, x->name, is_among(targets, x->public_id) };
	}
	for (; s->channels_n < c->channel_n; s->channels_n++) {
		const struct channel *x = &c->channels[s->channels_n];

		s->channels[s->channels_n] = (struct choice){ x->public_id, x->name, is_among(targets, x->public_id) };
	}
}

/* What was typed comes back where it stood; else what is stored, and two more. */
static void fill_steps(struct visit *v, const struct candidates *c, const struct json *stored, struct policy_form_page *p)
{
	struct typed_step typed[ESCALATION_STEPS_MAX];
	size_t used = stored ? stored->count : 0;
	bool posted = str_eqs(v->rq->method, "POST");

	if (posted) {
		read_typed(v, typed);
		for (used = ESCALATION_STEPS_MAX; used && !typed[used - 1].targets->count && !typed[used - 1].delay.p; used--)
			;
	} else {
		used += EMPTY_STEPS;
	}
	p->steps = ARENA_ARRAY(v->a, struct policy_form_step, ESCALATION_STEPS_MAX);
	for (; p->steps_n < used && p->steps_n < ESCALATION_STEPS_MAX; p->steps_n++) {
		struct policy_form_step *s = &p->steps[p->steps_n];
		const struct json *step = stored ? json_index(stored, p->steps_n) : NULL;
		struct str delay = json_text(json_get(step, "delayMinutes"));

		s->number = p->steps_n + 1;
		if (posted)
			fill_step(v, c, typed[p->steps_n].delay, typed[p->steps_n].targets, s);
		else
			fill_step(v, c, delay.n ? delay : STR("15"), json_get(step, "targets"), s);
	}
}

static void show(struct visit *v, struct policy_form_page *p, const struct policy_form *f, const struct err *bad)
{
	struct candidates c;
	struct err e = { 0 };

	page_begin(v, &p->page, arena_cstr(v->a, p->heading), "policies");
	if (bad && !page_blame(v, &p->page, bad))
		return;
	if (!read_candidates(v, &c, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	p->name = visit_typed(v, "name", f->name);
	p->description = visit_typed(v, "description", f->description);
	p->repeats = visit_typed(v, "repeat", arena_printf(v->a, "%" PRIu64, f->repeats));
	fill_steps(v, &c, f->steps, p);
	PAGE_SEND(v, bad ? err_status(bad->code) : 200, tmpl_policy_form, p);
}

static void show_new(struct visit *v, const struct err *bad)
{
	struct policy_form_page p = { .heading = STR("New escalation policy"), .action = STR("/policies"), .back = STR("/policies"),
		.button = STR("Make the policy") };

	show(v, &p, &(struct policy_form){ 0 }, bad);
}

void page_policy_new(void *visit)
{
	show_new(visit, NULL);
}

void page_policy_create(void *visit)
{
	struct visit *v = visit;
	struct policy_form f = { .name = STR("") };
	struct policy made;
	struct err e = { 0 };

	if (!read_posted(v, &f, &e) || !policy_create(&v->by, &f, &made, &e)) {
		show_new(v, &e);
		return;
	}
	visit_flash(v, "The policy is there. Give it to the services whose incidents it is for.", STR_NONE);
	visit_redirect(v, "/policies/%.*s", STR_ARG(made.public_id));
}

static void show_edit(struct visit *v, const struct err *bad)
{
	struct policy_form_page p = { .button = STR("Save") };
	struct policy_form f;
	struct policy row;

	if (!find(v, &row))
		return;
	policy_to_form(&v->by, &row, &f);
	p.heading = arena_printf(v->a, "Change %.*s", STR_ARG(row.name));
	p.back = arena_printf(v->a, "/policies/%.*s", STR_ARG(row.public_id));
	p.action = arena_printf(v->a, "%.*s/edit", STR_ARG(p.back));
	show(v, &p, &f, bad);
}

void page_policy_edit(void *visit)
{
	show_edit(visit, NULL);
}

void page_policy_change(void *visit)
{
	struct visit *v = visit;
	struct err e = { 0 };

	if (!policy_change(&v->by, v->match.params[0], read_posted, v, &e)) {
		show_edit(v, &e);
		return;
	}
	visit_flash(v, "Saved.", STR_NONE);
	visit_redirect(v, "/policies/%.*s", STR_ARG(v->match.params[0]));
}

/* ---- deleting ---- */

void page_policy_delete(void *visit)
{
	struct visit *v = visit;
	struct confirm c = { .page.section = "policies", .button = STR("Delete the policy") };
	struct policy_service *services;
	struct policy row;
	struct err e = { 0 };
	size_t n;

	if (!find(v, &row))
		return;
	if (!policy_services(v->by.db, v->a, arena_printf(v->a, "[%" PRIu64 "]", row.id), SERVICES_SHOWN, &services, &n, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	c.question = arena_printf(v->a, "Delete the policy %.*s?", STR_ARG(row.name));
	c.back = arena_printf(v->a, "/policies/%.*s", STR_ARG(row.public_id));
	c.action = arena_printf(v->a, "%.*s/delete", STR_ARG(c.back));
	c.facts[c.facts_n++] = n ? arena_printf(v->a, "%zu service%s use%s it: while there are any, it cannot be deleted.", n, plural(n), n == 1 ? "s" : "") :
		STR("No service uses it.");
	c.facts[c.facts_n++] = STR("Incidents that it still runs for are not escalated any further; their timelines say so.");
	visit_confirm(v, &c);
}

void page_policy_drop(void *visit)
{
	visit_remove(visit, policy_remove, "The policy is deleted.", "/policies");
}
