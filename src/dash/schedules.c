/* schedules.c - who is on call: the list, one schedule with its calendar, overrides. The form of a layer is in schedule_layer.c.
 *
 * All times of a schedule are shown and typed on its own clocks, whatever those of the reader say. */
#include "schedules.h"

#include <inttypes.h>

#include "tmpl.h"

#define WEEKS 4			/* of the calendar */
#define DAYS_PER_WEEK 7
#define TURNS_SHOWN 60
#define TONES 6			/* classes who-1 to who-6 of the style sheet; further people begin again */
#define FAR_MS (20 * 366 * MS_PER_DAY)	/* how far a calendar may be turned */

/* ---- times on the wall ---- */

static const char *const day_names[DAYS_PER_WEEK] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
static const char *const month_names[12] = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
	"November", "December" };

struct wall {
	char text[TIME_TEXT];	/* "2026-11-23T09:00..." */
	unsigned year, month, day, weekday;
};

static struct wall wall_of(ms_t wall)
{
	struct wall w = { .weekday = oncall_weekday((wall >= 0 ? wall : wall - MS_PER_DAY + 1) / MS_PER_DAY) };

	time_format(wall, w.text);
	w.year = (unsigned)strtoul(w.text, NULL, 10);
	w.month = (unsigned)strtoul(w.text + 5, NULL, 10);
	w.day = (unsigned)strtoul(w.text + 8, NULL, 10);
	return w;
}

static struct wall wall_at(const struct zone *z, ms_t t)
{
	return wall_of(t + zone_ahead(z, t));
}

struct str wall_text(struct arena *a, const struct zone *z, ms_t t, ms_t now)
{
	struct wall w = wall_at(z, t), today = wall_at(z, now);
	struct str year = w.year == today.year ? STR_NONE : arena_printf(a, " %u", w.year);

	return arena_printf(a, "%s %u %.3s%.*s %.5s", day_names[w.weekday], w.day, month_names[w.month - 1], STR_ARG(year), w.text + 11);
}

/* As a field of the type datetime-local has it. */
static struct str wall_field(struct visit *v, const struct zone *z, ms_t t)
{
	struct wall w = wall_at(z, t);

	return arena_printf(v->a, "%.16s", w.text);
}

static bool wall_read(struct visit *v, const struct zone *z, struct str text, const char *field, ms_t *out, struct err *e)
{
	ms_t wall;

	if (!time_parse(text.n == strlen("2026-01-02T03:04") ? arena_printf(v->a, "%.*s:00Z", STR_ARG(text)) : text, &wall))
		return err_field(e, ERR_INVALID, field, "Give day and time, like 2026-01-31T09:00.");
	*out = zone_moment(z, wall);
	return true;
}

/* ---- the list ---- */

static bool read_list(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next, struct err *e)
{
	return schedule_view_list(v->by.db, v->a, v->by.tenant_id, cursor, limit, v->by.now, rows_r, n, next, e);
}

void page_schedules(void *visit)
{
	struct visit *v = visit;
	struct schedule_query q = { .limit = PAGE_ROWS };
	struct list_source list = { "schedules", schedule_view_fields, sizeof(struct schedule_view), read_list, NULL };
	struct schedules_page p = { 0 };

	if (!visit_query(v, schedule_query_fields, &q) || !list_read(v, &list, q.cursor, q.limit, &p.schedules, &p.schedules_n, &p.nav))
		return;
	page_begin(v, &p.page, "Schedules", "schedules");
	PAGE_SEND(v, 200, tmpl_schedules, &p);
}

/* ---- the calendar ---- */

/* False: answered. */
static bool find(struct visit *v, ms_t since, struct oncall_schedule *out)
{
	struct err e = { 0 };
	int found = schedule_find(&v->by, v->match.params[0], since, out, &e);

	if (found != 1)
		return found ? visit_err(v, &e) : visit_not_found(v);
	return true;
}

struct week_query {
	ms_t week;
};
static const struct form_field week_fields[] = {
	{ "week", TIME_AT(struct week_query, week), .help = "A day of the first week" },
	FORM_END
};

/* The Monday of that wall time, as a local day. */
static int64_t monday_of(ms_t wall)
{
	int64_t day = wall / MS_PER_DAY;

	return day - oncall_weekday(day);
}

static struct str week_label(struct visit *v, int64_t monday)
{
	struct wall first = wall_of(monday * MS_PER_DAY), last = wall_of((monday + DAYS_PER_WEEK - 1) * MS_PER_DAY);

	if (first.month == last.month)
		return arena_printf(v->a, "%u to %u %s %u", first.day, last.day, month_names[last.month - 1], last.year);
	return arena_printf(v->a, "%u %s to %u %s %u", first.day, month_names[first.month - 1], last.day, month_names[last.month - 1], last.year);
}

static struct str week_url(struct visit *v, int64_t monday)
{
	struct wall w = wall_of(monday * MS_PER_DAY);

	return arena_printf(v->a, "/schedules/%.*s?week=%.10s", STR_ARG(v->match.params[0]), w.text);
}

/* People get their colours as they come. */
static uint64_t tone_of(struct schedule_page *p, const struct schedule_span_view *s)
{
	size_t i = 0;

	if (!s->person)
		return 0;
	while (i < p->people_n && !str_eq(p->people[i].name, s->user))
		i++;
	if (i == p->people_n)
		p->people[p->people_n++] = (struct schedule_person){ s->user, i % TONES + 1 };
	return p->people[i].tone;
}

/* Of `from` to `to`, in hundredths of a percent. */
static unsigned share(ms_t t, ms_t from, ms_t to)
{
	return t <= from ? 0 : t >= to ? PICTURE_WHOLE : (unsigned)((t - from) * PICTURE_WHOLE / (to - from));
}

static struct html week_picture(struct visit *v, struct html_out *o, struct schedule_page *p, const struct zone *z, int64_t monday,
	const struct schedule_span_view *spans, size_t n)
{
	struct picture_span *blocks = ARENA_ARRAY(v->a, struct picture_span, n + 1);
	ms_t from = zone_moment(z, monday * MS_PER_DAY), to = zone_moment(z, (monday + DAYS_PER_WEEK) * MS_PER_DAY);
	unsigned marks[DAYS_PER_WEEK];
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		const struct schedule_span_view *s = &spans[i];

		struct str who = s->person ? s->user : STR("nobody");

		if (s->to <= from || s->from >= to)
			continue;
		blocks[k++] = (struct picture_span){ share(s->from, from, to), share(s->to, from, to), (unsigned)tone_of(p, s), s->user,
			arena_printf(v->a, "%.*s, %.*s to %.*s", STR_ARG(who), STR_ARG(wall_text(v->a, z, s->from, v->by.now)),
				STR_ARG(wall_text(v->a, z, s->to, v->by.now))) };
	}
	for (unsigned i = 0; i < DAYS_PER_WEEK; i++)
		marks[i] = share(zone_moment(z, (monday + i) * MS_PER_DAY), from, to);
	return html_spans(o, blocks, k, marks, DAYS_PER_WEEK, v->by.now >= from && v->by.now < to ? share(v->by.now, from, to) : PICTURE_WHOLE,
		arena_printf(v->a, "Who is on call, %.*s; the turns are listed below", STR_ARG(week_label(v, monday))));
}

static struct str by_of(struct visit *v, const struct schedule_span_view *s)
{
	return s->override ? STR("takes over") : s->layer;
}

static void fill_turns(struct visit *v, struct schedule_page *p, const struct zone *z, const struct schedule_span_view *spans, size_t n)
{
	p->turns = ARENA_ARRAY(v->a, struct schedule_turn, TURNS_SHOWN);
	p->more_turns = n > TURNS_SHOWN;
	for (size_t i = 0; i < n && i < TURNS_SHOWN; i++)
		p->turns[p->turns_n++] = (struct schedule_turn){ wall_text(v->a, z, spans[i].from, v->by.now), wall_text(v->a, z, spans[i].to, v->by.now),
			spans[i].user, by_of(v, &spans[i]), v->by.now >= spans[i].from && v->by.now < spans[i].to };
}

static void fill_calendar(struct visit *v, struct schedule_page *p, const struct oncall_schedule *s, int64_t monday)
{
	const struct zone *z = s->plan.zone;
	struct schedule_span_view *spans;
	struct html_out o;
	size_t n;

	schedule_span_views(v->a, s, zone_moment(z, monday * MS_PER_DAY), zone_moment(z, (monday + WEEKS * DAYS_PER_WEEK) * MS_PER_DAY), &spans, &n);
	html_init(&o, v->a, v->by.now);
	p->people = ARENA_ARRAY(v->a, struct schedule_person, n + 1);
	p->weeks = ARENA_ARRAY(v->a, struct schedule_week, WEEKS);
	for (p->weeks_n = 0; p->weeks_n < WEEKS; p->weeks_n++) {
		int64_t first = monday + (int64_t)p->weeks_n * DAYS_PER_WEEK;

		p->weeks[p->weeks_n] = (struct schedule_week){ week_label(v, first), week_picture(v, &o, p, z, first, spans, n) };
	}
	fill_turns(v, p, z, spans, n);
	p->earlier_url = week_url(v, monday - WEEKS * DAYS_PER_WEEK);
	p->later_url = week_url(v, monday + WEEKS * DAYS_PER_WEEK);
	if (v->rq->query.n)
		p->today_url = arena_printf(v->a, "/schedules/%.*s", STR_ARG(s->public_id));
}

/* ---- layers in words ---- */

static struct str clock_text(struct visit *v, uint64_t minutes)
{
	return arena_printf(v->a, "%02u:%02u", (unsigned)minutes / 60, (unsigned)minutes % 60);
}

static struct str rotation_text(struct visit *v, const struct oncall_layer *l)
{
	struct str at = clock_text(v, l->at_min);

	if (l->unit == ONCALL_WEEKS && l->length == 1)
		return arena_printf(v->a, "weekly, hand-over %s at %.*s", day_names[l->weekday], STR_ARG(at));
	if (l->unit == ONCALL_WEEKS)
		return arena_printf(v->a, "every %" PRIu64 " weeks, hand-over %s at %.*s", l->length, day_names[l->weekday], STR_ARG(at));
	if (l->unit == ONCALL_HOURS)
		return arena_printf(v->a, "every %" PRIu64 " hour%s from %.*s on", l->length, l->length == 1 ? "" : "s", STR_ARG(at));
	if (l->length == 1)
		return arena_printf(v->a, "daily, hand-over at %.*s", STR_ARG(at));
	return arena_printf(v->a, "every %" PRIu64 " days, hand-over at %.*s", l->length, STR_ARG(at));
}

static struct str days_text(struct visit *v, uint64_t bits)
{
	struct strbuf b;

	strbuf_init(&b, v->a, 64);
	for (unsigned i = 0; i < DAYS_PER_WEEK; i++)
		if (bits >> i & 1)
			strbuf_addf(&b, "%s%s", b.n ? ", " : "", day_names[i]);
	return strbuf_str(&b);
}

static struct str counts_text(struct visit *v, const struct oncall_layer *l)
{
	bool all_days = l->weekdays == ONCALL_ALL_DAYS, all_hours = !l->from_min && !l->to_min;
	struct str days = all_days ? STR("every day") : days_text(v, l->weekdays);

	if (all_hours)
		return all_days ? STR("always") : days;
	return arena_printf(v->a, "%.*s, %.*s to %.*s", STR_ARG(days), STR_ARG(clock_text(v, l->from_min)),
		STR_ARG(clock_text(v, l->to_min ? l->to_min : 24 * 60)));
}

static struct str people_text(struct visit *v, const struct oncall_crew *crew)
{
	struct strbuf b;

	strbuf_init(&b, v->a, 32768);
	for (size_t i = 0; i < crew->n; i++)
		strbuf_addf(&b, "%s%.*s%s", i ? ", " : "", STR_ARG(crew->people[i].name), crew->people[i].enabled ? "" : " (disabled)");
	return strbuf_str(&b);
}

static void fill_layers(struct visit *v, struct schedule_page *p, const struct oncall_schedule *s)
{
	p->layers = ARENA_ARRAY(v->a, struct schedule_layer_row, s->plan.layers_n + 1);
	for (size_t i = 0; i < s->plan.layers_n; i++)
		p->layers[p->layers_n++] = (struct schedule_layer_row){ s->crews[i].name, rotation_text(v, &s->plan.layers[i]),
			counts_text(v, &s->plan.layers[i]), people_text(v, &s->crews[i]), i + 1, i == 0 };
	p->room = p->layers_n < ONCALL_LAYERS_MAX;
}

static void fill_overrides(struct visit *v, struct schedule_page *p, const struct oncall_schedule *s)
{
	struct schedule_override_view *rows;
	size_t n;

	schedule_override_views(v->a, s, &rows, &n);
	p->overrides = ARENA_ARRAY(v->a, struct schedule_override_row, n + 1);
	for (size_t i = 0; i < n; i++)
		if (rows[i].to > v->by.now)
			p->overrides[p->overrides_n++] = (struct schedule_override_row){ rows[i].id, rows[i].user,
				wall_text(v->a, s->plan.zone, rows[i].from, v->by.now), wall_text(v->a, s->plan.zone, rows[i].to, v->by.now) };
}

/* ---- one schedule ---- */

/* False: answered. */
static bool first_monday(struct visit *v, struct week_query *q)
{
	if (str_eqs(v->rq->method, "POST") || !visit_query(v, week_fields, q))
		return str_eqs(v->rq->method, "POST");
	if (q->week && (q->week > v->by.now + FAR_MS || q->week < v->by.now - FAR_MS || q->week < 0))
		return visit_not_found(v);
	return true;
}

static void show(struct visit *v, const struct err *bad)
{
	struct schedule_page p = { 0 };
	struct week_query q = { 0 };
	struct oncall_schedule s;
	struct err e = { 0 };
	const struct zone *z;
	int64_t monday;

	if (!first_monday(v, &q) || !find(v, q.week && q.week < v->by.now ? q.week - DAYS_PER_WEEK * MS_PER_DAY : v->by.now - DAYS_PER_WEEK * MS_PER_DAY, &s))
		return;
	z = s.plan.zone;
	monday = monday_of(q.week ? q.week : v->by.now + zone_ahead(z, v->by.now));
	schedule_view_fill(v->a, &s, v->by.now, &p.schedule);
	p.until = p.schedule.until ? wall_text(v->a, z, p.schedule.until, v->by.now) : STR_NONE;
	p.version = (uint64_t)s.updated_at;
	fill_calendar(v, &p, &s, monday);
	fill_layers(v, &p, &s);
	fill_overrides(v, &p, &s);
	p.user = visit_typed(v, "user", v->by.principal.user_public_id);
	p.from = visit_typed(v, "from", wall_field(v, z, v->by.now));
	p.to = visit_typed(v, "to", STR_NONE);
	if (!choices_of_people(v, ROLE_OPERATOR, p.user, &p.choices, &p.choices_n, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	page_begin(v, &p.page, arena_cstr(v->a, s.name), "schedules");
	if (bad && !page_blame(v, &p.page, bad))
		return;
	PAGE_SEND(v, bad ? err_status(bad->code) : 200, tmpl_schedule, &p);
}

void page_schedule(void *visit)
{
	show(visit, NULL);
}

/* ---- overrides ---- */

struct typed_override {
	struct str user, from, to;
};
static const struct form_field typed_fields[] = {
	{ "user", TEXT_AT(struct typed_override, user), .max = 400 },
	{ "from", TEXT_AT(struct typed_override, from), .max = 32 },
	{ "to", TEXT_AT(struct typed_override, to), .max = 32 },
	FORM_END
};

void page_schedule_override(void *visit)
{
	struct visit *v = visit;
	struct schedule_override_form f = { 0 };
	struct schedule_override_view made;
	struct typed_override typed = { 0 };
	struct oncall_schedule s;
	struct err e = { 0 };

	if (!find(v, v->by.now, &s))
		return;
	if (!visit_form(v, typed_fields, FORM_NEW, &typed, &e) || (typed.from.n && !wall_read(v, s.plan.zone, typed.from, "from", &f.from, &e)) ||
		!wall_read(v, s.plan.zone, typed.to, "to", &f.to, &e) ||
		(f.user = typed.user, !schedule_override_create(&v->by, s.public_id, &f, &made, &e))) {
		show(v, &e);
		return;
	}
	visit_flash(v, arena_printf(v->a, "%.*s takes over.", STR_ARG(made.user)).p, STR_NONE);
	visit_redirect(v, "/schedules/%.*s", STR_ARG(s.public_id));
}

void page_schedule_override_delete(void *visit)
{
	struct visit *v = visit;
	struct confirm c = { .page.section = "schedules", .button = STR("Take it back"), .action = v->rq->path };
	struct schedule_page p = { 0 };
	struct oncall_schedule s;
	uint64_t id;

	if (!visit_id(v, 1, &id) || !find(v, v->by.now, &s))
		return;
	fill_overrides(v, &p, &s);
	for (size_t i = 0; i < p.overrides_n; i++) {
		const struct schedule_override_row *x = &p.overrides[i];

		if (x->id != id)
			continue;
		c.question = arena_printf(v->a, "Take back the override of %.*s?", STR_ARG(x->user));
		c.back = arena_printf(v->a, "/schedules/%.*s", STR_ARG(s.public_id));
		c.facts[c.facts_n++] = arena_printf(v->a, "%.*s to %.*s: the other overrides and the layers say who is on call then.", STR_ARG(x->from), STR_ARG(x->to));
		visit_confirm(v, &c);
		return;
	}
	visit_not_found(v);
}

void page_schedule_override_drop(void *visit)
{
	struct visit *v = visit;
	struct err e = { 0 };
	uint64_t id;

	if (!visit_id(v, 1, &id))
		return;
	if (!schedule_override_remove(&v->by, v->match.params[0], id, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	visit_flash(v, "The override is taken back.", STR_NONE);
	visit_redirect(v, "/schedules/%.*s", STR_ARG(v->match.params[0]));
}

/* ---- the form ---- */

static void show_form(struct visit *v, struct schedule_form_page *p, const struct schedule_form *f, const struct err *bad)
{
	p->name = visit_typed(v, "name", f->name);
	p->description = visit_typed(v, "description", f->description);
	p->time_zone = visit_typed(v, "timeZone", f->time_zone);
	p->zones = zones_to_offer(v);
	page_begin(v, &p->page, arena_cstr(v->a, p->heading), "schedules");
	if (bad && !page_blame(v, &p->page, bad))
		return;
	PAGE_SEND(v, bad ? err_status(bad->code) : 200, tmpl_schedule_form, p);
}

static void show_new(struct visit *v, const struct err *bad)
{
	struct schedule_form_page p = { .heading = STR("New schedule"), .action = STR("/schedules"), .back = STR("/schedules"), .button = STR("Create"),
		.is_new = true };
	struct schedule_form f = SCHEDULE_FORM_NEW;

	show_form(v, &p, &f, bad);
}

void page_schedule_new(void *visit)
{
	show_new(visit, NULL);
}

void page_schedule_create(void *visit)
{
	struct visit *v = visit;
	struct schedule_form f = SCHEDULE_FORM_NEW;
	struct oncall_schedule made;
	struct err e = { 0 };

	if (!visit_form(v, schedule_fields, FORM_NEW, &f, &e) || !schedule_create(&v->by, &f, &made, &e)) {
		show_new(v, &e);
		return;
	}
	visit_flash(v, "The schedule is there. Add a layer: who takes turns?", STR_NONE);
	visit_redirect(v, "/schedules/%.*s", STR_ARG(made.public_id));
}

static void show_edit(struct visit *v, const struct err *bad)
{
	struct schedule_form_page p = { .button = STR("Save") };
	struct oncall_schedule s;
	struct schedule_form f;

	if (!find(v, v->by.now, &s))
		return;
	schedule_to_form(&v->by, &s, ONCALL_BY_ID, &f);
	p.heading = arena_printf(v->a, "Edit %.*s", STR_ARG(s.name));
	p.back = arena_printf(v->a, "/schedules/%.*s", STR_ARG(s.public_id));
	p.action = arena_printf(v->a, "%.*s/edit", STR_ARG(p.back));
	show_form(v, &p, &f, bad);
}

void page_schedule_edit(void *visit)
{
	show_edit(visit, NULL);
}

static bool read_posted(void *ctx, struct schedule_form *f, struct err *e)
{
	return visit_form(ctx, schedule_fields, FORM_CHANGE, f, e);
}

void page_schedule_change(void *visit)
{
	struct visit *v = visit;
	struct err e = { 0 };

	if (!schedule_change(&v->by, v->match.params[0], read_posted, v, &e)) {
		show_edit(v, &e);
		return;
	}
	visit_flash(v, "Saved.", STR_NONE);
	visit_redirect(v, "/schedules/%.*s", STR_ARG(v->match.params[0]));
}

/* ---- deleting ---- */

void page_schedule_delete(void *visit)
{
	struct visit *v = visit;
	struct confirm c = { .page.section = "schedules", .button = STR("Delete the schedule") };
	struct oncall_schedule s;

	if (!find(v, v->by.now, &s))
		return;
	c.question = arena_printf(v->a, "Delete the schedule %.*s?", STR_ARG(s.name));
	c.back = arena_printf(v->a, "/schedules/%.*s", STR_ARG(s.public_id));
	c.action = arena_printf(v->a, "%.*s/delete", STR_ARG(c.back));
	c.facts[c.facts_n++] = STR("While an escalation policy names it, it cannot be deleted.");
	c.facts[c.facts_n++] = arena_printf(v->a, "Its %zu layers and %zu overrides go with it.", s.plan.layers_n, s.plan.overrides_n);
	visit_confirm(v, &c);
}

void page_schedule_drop(void *visit)
{
	visit_remove(visit, schedule_remove, "The schedule is deleted.", "/schedules");
}
