/* schedule_layer.c - the form of a layer, and moving and removing one.
 *
 * A layer is known by its place, so each form brings the version of the schedule that it was made for: where somebody else was quicker, nothing is
 * changed. */
#include "schedules.h"

#include <inttypes.h>

#include "grapnel/json.h"
#include "tmpl.h"

#define SPARE_SEATS 3		/* empty fields for further people */
#define LAYER_TEXT_MAX 65536

/* ---- what is asked for ---- */

enum layer_act { LAYER_ADD, LAYER_SET, LAYER_UP, LAYER_DROP };

struct layer_wish {
	struct visit *v;
	enum layer_act act;
	size_t at;			/* from 0 */
	const struct schedule_layer_form *form;
	uint64_t version;
};

static const struct json *layer_json(struct visit *v, const struct schedule_layer_form *f)
{
	const struct json *out = NULL;
	struct err ignored = { 0 };
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, v->a, LAYER_TEXT_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	form_write_json(&o, schedule_layer_fields, f);
	json_close(&o, '}');
	return json_parse(v->a, strbuf_str(&b), &out, &ignored) ? out : json_new(v->a, JSON_OBJECT);
}

/* The layers as they are to be. */
static bool put_layers(void *ctx, struct schedule_form *f, struct err *e)
{
	const struct layer_wish *w = ctx;
	struct json *list = json_new(w->v->a, JSON_ARRAY);
	size_t n = f->layers ? f->layers->count : 0;

	if (w->version != (uint64_t)f->version || (w->act != LAYER_ADD && w->at >= n) || (w->act == LAYER_UP && !w->at))
		return err_tell(e, ERR_CONFLICT, "Somebody changed this schedule meanwhile. Look at it, and do it again.");
	for (size_t i = 0; i < n; i++) {
		size_t from = w->act != LAYER_UP ? i : i == w->at - 1 ? w->at : i == w->at ? w->at - 1 : i;

		if (w->act == LAYER_SET && i == w->at)
			json_share(w->v->a, list, STR_NONE, layer_json(w->v, w->form));
		else if (w->act != LAYER_DROP || i != w->at)
			json_share(w->v->a, list, STR_NONE, json_index(f->layers, from));
	}
	if (w->act == LAYER_ADD)
		json_share(w->v->a, list, STR_NONE, layer_json(w->v, w->form));
	f->layers = list;
	return true;
}

static uint64_t posted_version(struct visit *v)
{
	uint64_t version = 0;

	return str_u64(visit_posted(v, "_version"), &version) ? version : 0;
}

/* False: answered. *at is a place that is there. */
static bool find(struct visit *v, bool with_layer, struct oncall_schedule *s, size_t *at)
{
	struct err e = { 0 };
	uint64_t number = 1;
	int found = schedule_find(&v->by, v->match.params[0], v->by.now, s, &e);

	if (found < 0)
		return visit_err(v, &e);
	if (!found || (with_layer && (!str_u64(v->match.params[1], &number) || !number || number > s->plan.layers_n)))
		return visit_not_found(v);
	*at = (size_t)number - 1;
	return true;
}

/* ---- the form ---- */

static struct choice *choices_copy(struct visit *v, const struct choice *all, size_t n, struct str chosen, struct str label, size_t *out_n)
{
	struct choice *out = ARENA_ARRAY(v->a, struct choice, n + 1);
	bool there = !chosen.n;

	for (size_t i = 0; i < n; i++) {
		out[i] = all[i];
		out[i].chosen = str_eq(all[i].value, chosen) || str_eq(all[i].label, chosen);
		there |= out[i].chosen;
	}
	*out_n = n;
	if (!there)
		out[(*out_n)++] = (struct choice){ chosen, label, true };	/* disabled, or mistyped */
	return out;
}

static const struct oncall_person *person_of(const struct oncall_schedule *s, struct str id)
{
	for (size_t i = 0; i < s->plan.layers_n; i++)
		for (size_t k = 0; k < s->crews[i].n; k++)
			if (str_eq(s->crews[i].people[k].public_id, id))
				return &s->crews[i].people[k];
	return NULL;
}

static bool add_seat(struct visit *v, struct schedule_layer_page *p, const struct oncall_schedule *s, const struct choice *all, size_t n, struct str value)
{
	const struct oncall_person *known = person_of(s, value);
	struct schedule_seat *seat = &p->seats[p->seats_n];

	if (p->seats_n == ONCALL_USERS_MAX)
		return false;
	seat->number = ++p->seats_n;
	seat->value = !n && known ? known->name : value;
	if (n)
		seat->choices = choices_copy(v, all, n, value, known ? known->name : value, &seat->choices_n);
	return true;
}

/* Those who were typed, or stand there; and some empty ones. */
static bool fill_seats(struct visit *v, struct schedule_layer_page *p, const struct oncall_schedule *s, const struct json *users, struct err *e)
{
	struct str body = v->rq->body, name, value;
	struct choice *all;
	size_t n;

	if (!choices_of_people(v, ROLE_OPERATOR, STR_NONE, &all, &n, e))
		return false;
	p->seats = ARENA_ARRAY(v->a, struct schedule_seat, ONCALL_USERS_MAX);
	while (form_next(v->a, &body, &name, &value))
		if (str_eqs(name, "users") && str_trim(value).n)
			(void)add_seat(v, p, s, all, n, str_trim(value));
	for (const struct json *j = users && !v->rq->body.n ? users->first : NULL; j; j = j->next)
		(void)add_seat(v, p, s, all, n, json_text(j));
	for (int i = 0; i < SPARE_SEATS; i++)
		(void)add_seat(v, p, s, all, n, STR_NONE);
	return true;
}

static bool was_posted(struct visit *v, const char *name, const char *word)
{
	struct str body = v->rq->body, one, value;

	while (form_next(v->a, &body, &one, &value))
		if (str_eqs(one, name) && str_eqs(value, word))
			return true;
	return false;
}

static const struct choice_word rotation_choices[] = {
	{ "days", "days" }, { "weekly", "weeks" }, { "hours", "hours" }, { NULL }	/* daily is one of days */
};
static const struct choice_word day_choices[] = {
	{ "monday", "Monday" }, { "tuesday", "Tuesday" }, { "wednesday", "Wednesday" }, { "thursday", "Thursday" }, { "friday", "Friday" },
	{ "saturday", "Saturday" }, { "sunday", "Sunday" }, { NULL }
};

static void fill_days(struct visit *v, struct schedule_layer_page *p, uint64_t days)
{
	p->days = ARENA_ARRAY(v->a, struct schedule_day_box, ARRAY_SIZE(oncall_day_words));
	for (; p->days_n < ARRAY_SIZE(oncall_day_words); p->days_n++)
		p->days[p->days_n] = (struct schedule_day_box){ oncall_day_words[p->days_n], day_choices[p->days_n].label,
			v->rq->body.n ? was_posted(v, "days", oncall_day_words[p->days_n]) : days >> p->days_n & 1 };
}

static const char *weekday_word(uint64_t bits)
{
	for (size_t i = 0; i < ARRAY_SIZE(oncall_day_words); i++)
		if (bits >> i & 1)
			return oncall_day_words[i];
	return oncall_day_words[0];
}

static const char *rotation_word(uint64_t bit)
{
	const struct form_word *w = rotation_words;

	while (w->word && w->bits != bit)
		w++;
	return !w->word || !strcmp(w->word, "daily") ? "days" : w->word;
}

static void show(struct visit *v, struct schedule_layer_page *p, const struct oncall_schedule *s, const struct schedule_layer_form *f, const struct err *bad)
{
	struct str version = visit_posted(v, "_version");
	struct err e = { 0 };

	schedule_view_fill(v->a, s, v->by.now, &p->schedule);
	if (!str_u64(version, &p->version))
		p->version = (uint64_t)s->updated_at;
	p->name = visit_typed(v, "name", f->name);
	p->length = visit_typed(v, "length", arena_printf(v->a, "%" PRIu64, f->length));
	p->hand_over = visit_typed(v, "handOver", f->hand_over);
	p->start_date = visit_typed(v, "startDate", f->start_date);
	p->from = visit_typed(v, "from", f->from);
	p->to = visit_typed(v, "to", f->to);
	choices_of_words(v, rotation_choices, visit_typed(v, "rotation", str_of(rotation_word(f->rotation))), &p->rotations, &p->rotations_n);
	choices_of_words(v, day_choices, visit_typed(v, "weekday", str_of(weekday_word(f->weekday))), &p->weekdays, &p->weekdays_n);
	fill_days(v, p, f->days);
	if (!fill_seats(v, p, s, f->users, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	page_begin(v, &p->page, arena_cstr(v->a, p->heading), "schedules");
	if (bad && !page_blame(v, &p->page, bad))
		return;
	PAGE_SEND(v, bad ? err_status(bad->code) : 200, tmpl_schedule_layer, p);
}

static void show_new(struct visit *v, const struct oncall_schedule *s, const struct err *bad)
{
	struct schedule_layer_page p = { .heading = STR("New layer"), .button = STR("Add the layer") };
	struct schedule_layer_form f = SCHEDULE_LAYER_FORM_NEW;

	p.action = arena_printf(v->a, "/schedules/%.*s/layers/new", STR_ARG(s->public_id));
	show(v, &p, s, &f, bad);
}

/* What stands there, as its form. */
static void stored_form(struct visit *v, const struct oncall_schedule *s, size_t at, struct schedule_layer_form *f)
{
	struct err ignored = { 0 };
	struct schedule_form whole;

	*f = (struct schedule_layer_form)SCHEDULE_LAYER_FORM_NEW;
	schedule_to_form(&v->by, s, ONCALL_BY_ID, &whole);
	if (!form_read_json(v->a, json_index(whole.layers, at), schedule_layer_fields, FORM_NEW, f, &ignored))
		*f = (struct schedule_layer_form)SCHEDULE_LAYER_FORM_NEW;
}

static void show_edit(struct visit *v, const struct oncall_schedule *s, size_t at, const struct err *bad)
{
	struct schedule_layer_page p = { .button = STR("Save") };
	struct schedule_layer_form f;

	stored_form(v, s, at, &f);
	p.heading = arena_printf(v->a, "Edit %.*s", STR_ARG(s->crews[at].name));
	p.action = arena_printf(v->a, "/schedules/%.*s/layers/%zu/edit", STR_ARG(s->public_id), at + 1);
	show(v, &p, s, &f, bad);
}

void page_schedule_layer_new(void *visit)
{
	struct visit *v = visit;
	struct oncall_schedule s;
	size_t at;

	if (find(v, false, &s, &at))
		show_new(v, &s, NULL);
}

void page_schedule_layer_edit(void *visit)
{
	struct visit *v = visit;
	struct oncall_schedule s;
	size_t at;

	if (find(v, true, &s, &at))
		show_edit(v, &s, at, NULL);
}

static void done(struct visit *v, const char *text)
{
	visit_flash(v, text, STR_NONE);
	visit_redirect(v, "/schedules/%.*s", STR_ARG(v->match.params[0]));
}

void page_schedule_layer_create(void *visit)
{
	struct visit *v = visit;
	struct schedule_layer_form f = SCHEDULE_LAYER_FORM_NEW;
	struct layer_wish w = { .v = v, .act = LAYER_ADD, .form = &f, .version = posted_version(v) };
	struct oncall_schedule s;
	struct err e = { 0 };

	if (!find(v, false, &s, &w.at))
		return;
	if (visit_form(v, schedule_layer_fields, FORM_NEW, &f, &e) && schedule_layer_check(&v->by, &f, &e) &&
		schedule_change(&v->by, s.public_id, put_layers, &w, &e))
		done(v, "The layer is there, the last one asked.");
	else
		show_new(v, &s, &e);
}

void page_schedule_layer_change(void *visit)
{
	struct visit *v = visit;
	struct schedule_layer_form f = SCHEDULE_LAYER_FORM_NEW;
	struct layer_wish w = { .v = v, .act = LAYER_SET, .form = &f, .version = posted_version(v) };
	struct oncall_schedule s;
	struct err e = { 0 };

	if (!find(v, true, &s, &w.at))
		return;
	if (visit_form(v, schedule_layer_fields, FORM_NEW, &f, &e) && schedule_layer_check(&v->by, &f, &e) &&
		schedule_change(&v->by, s.public_id, put_layers, &w, &e))
		done(v, "Saved.");
	else
		show_edit(v, &s, w.at, &e);
}

/* ---- moving, removing ---- */

static void act(struct visit *v, enum layer_act act, const char *text)
{
	struct layer_wish w = { .v = v, .act = act, .version = posted_version(v) };
	struct oncall_schedule s;
	struct err e = { 0 };

	if (!find(v, true, &s, &w.at))
		return;
	if (schedule_change(&v->by, s.public_id, put_layers, &w, &e)) {
		done(v, text);
	} else if (e.code == ERR_CONFLICT) {
		visit_flash_bad(v, e.text);
		visit_redirect(v, "/schedules/%.*s", STR_ARG(s.public_id));
	} else {
		(void)visit_err(v, &e);
	}
}

void page_schedule_layer_up(void *visit)
{
	act(visit, LAYER_UP, "It is asked earlier now.");
}

void page_schedule_layer_drop(void *visit)
{
	act(visit, LAYER_DROP, "The layer is removed.");
}

void page_schedule_layer_delete(void *visit)
{
	struct visit *v = visit;
	struct confirm c = { .page.section = "schedules", .button = STR("Remove the layer") };
	struct oncall_schedule s;
	size_t at;

	if (!find(v, true, &s, &at))
		return;
	c.question = arena_printf(v->a, "Remove the layer %.*s of %.*s?", STR_ARG(s.crews[at].name), STR_ARG(s.name));
	c.back = arena_printf(v->a, "/schedules/%.*s", STR_ARG(s.public_id));
	c.action = arena_printf(v->a, "%.*s/layers/%zu/delete", STR_ARG(c.back), at + 1);
	c.fields[c.fields_n++] = (struct hidden_field){ STR("_version"), arena_printf(v->a, "%" PRIu64, (uint64_t)s.updated_at) };
	c.facts[c.facts_n++] = arena_printf(v->a, "%zu people take turns in it.", s.crews[at].n);
	visit_confirm(v, &c);
}
