/* maintenance_form.c - the forms of a maintenance window and of a silence: new, from what an incident's page says of it, and changed. */
#include "maintenance.h"

#include <inttypes.h>

#include "tmpl.h"

static const struct choice_word severities[] = {
	{ "", "whatever its severity" }, { "INFO", "info only" }, { "LOW", "up to low" }, { "MEDIUM", "up to medium (warnings)" },
	{ "HIGH", "up to high (errors)" }, { "CRITICAL", "up to critical" }, { NULL, NULL }
};
static const struct choice_word repeats[] = {
	{ "once", "once" }, { "daily", "daily" }, { "weekly", "weekly" }, { "monthly", "monthly" }, { NULL, NULL }
};
static const struct choice_word weeks[] = {
	{ "", "by day of the month" }, { "first", "on the first such weekday" }, { "second", "on the second" }, { "third", "on the third" },
	{ "fourth", "on the fourth" }, { "last", "on the last" }, { NULL, NULL }
};
static const struct choice_word lengths[] = {
	{ "30", "30 minutes" }, { "60", "1 hour" }, { "240", "4 hours" }, { "480", "8 hours" }, { "1440", "1 day" }, { "4320", "3 days" },
	{ "10080", "7 days" }, { "43200", "30 days" }, { NULL, NULL }
};
/* With the end that it has. */
static const struct choice_word lengths_changed[] = {
	{ "", "as it is" }, { "30", "30 minutes from now" }, { "60", "1 hour from now" }, { "240", "4 hours from now" }, { "480", "8 hours from now" },
	{ "1440", "1 day from now" }, { "4320", "3 days from now" }, { "10080", "7 days from now" }, { "43200", "30 days from now" }, { NULL, NULL }
};
static const char *const weekday_labels[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };

/* What was typed, else what the link says that led here, else what is stored. */
static struct str value(struct visit *v, const char *name, struct str stored)
{
	struct str linked;

	if (!str_eqs(v->rq->method, "POST") && form_find(v->a, v->rq->query, name, &linked))
		return linked;
	return visit_typed(v, name, stored);
}

static bool ticked(struct visit *v, const char *word, bool stored)
{
	struct str rest = v->rq->body, key, one;
	bool found = false;

	if (!str_eqs(v->rq->method, "POST"))
		return stored;
	while (form_next(v->a, &rest, &key, &one))
		found |= str_eqs(key, "weekdays") && str_eqs(one, word);
	return found;
}

static struct str number(struct visit *v, uint64_t n)
{
	return n ? arena_printf(v->a, "%" PRIu64, n) : STR("");
}

static struct str word_of(const char *const *words, uint64_t bits)
{
	return bits ? str_of(words[__builtin_ctzll(bits)]) : STR("");
}

static void fill_times(struct visit *v, const struct hush_form *f, struct hush_form_page *p)
{
	p->from = value(v, "from", f->from);
	p->to = value(v, "to", f->to);
	p->start_time = value(v, "startTime", f->repeat & 1 << HUSH_ONCE ? STR("") : f->start_time);
	p->minutes = value(v, "durationMinutes", number(v, f->minutes));
	p->month_day = value(v, "monthDay", number(v, f->month_day));
	p->zone = value(v, "timeZone", f->zone);
	p->zone_list = zones_to_offer(v);
	choices_of_words(v, repeats, value(v, "repeat", word_of(hush_repeats, f->repeat)), &p->repeats, &p->repeats_n);
	choices_of_words(v, weeks, value(v, "week", word_of(hush_weeks, f->week >> 1)), &p->weeks, &p->weeks_n);
	for (; p->weekdays_n < ARRAY_SIZE(p->weekdays); p->weekdays_n++) {
		const char *word = hush_weekdays[p->weekdays_n];

		p->weekdays[p->weekdays_n] = (struct weekday_box){ word, weekday_labels[p->weekdays_n], ticked(v, word, f->weekdays >> p->weekdays_n & 1) };
	}
}

static bool fill_scope(struct visit *v, const struct hush_form *f, struct hush_form_page *p, struct err *e)
{
	struct str severity = f->max_severity ? str_of(level_word((enum level)__builtin_ctzll(f->max_severity))) : STR("");

	p->name = value(v, "name", f->name);
	p->reason = value(v, "reason", f->reason);
	p->service = value(v, "serviceId", f->service);
	p->source = value(v, "sourceId", f->source);
	p->dedup_key = value(v, "dedupKey", f->dedup_key);
	choices_of_providers(v, value(v, "provider", f->provider), &p->providers, &p->providers_n);
	choices_of_words(v, severities, value(v, "maxSeverity", severity), &p->severities, &p->severities_n);
	return choices_of_services(v, p->service, &p->services, &p->services_n, e) && choices_of_sources(v, p->source, &p->sources, &p->sources_n, e);
}

static void show(struct visit *v, const struct hush_words *w, const struct hush_form *f, struct hush_form_page *p, const struct err *bad)
{
	struct err e = { 0 };

	p->is_window = w->kind == HUSH_WINDOW;
	page_begin(v, &p->page, arena_cstr(v->a, p->heading), "maintenance");
	if (bad && !page_blame(v, &p->page, bad))
		return;
	if (!fill_scope(v, f, p, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	fill_times(v, f, p);
	choices_of_words(v, p->until ? lengths_changed : lengths, value(v, "minutes", p->until ? STR("") : STR("240")), &p->lengths, &p->lengths_n);
	PAGE_SEND(v, bad ? err_status(bad->code) : 200, tmpl_maintenance_form, p);
}

/* ---- a new one ---- */

static void show_new(struct visit *v, const struct hush_words *w, const struct err *bad)
{
	struct hush_form f = HUSH_FORM_NEW;
	struct hush_form_page p = { .heading = arena_printf(v->a, "New %s", w->title), .action = arena_printf(v->a, "%s/new", w->path),
		.back = STR("/maintenance"), .button = w->kind == HUSH_WINDOW ? STR("Make the window") : STR("Silence it") };

	f.zone = STR("UTC");
	show(v, w, &f, &p, bad);
}

static void create(struct visit *v, const struct hush_words *w)
{
	struct hush_form f = HUSH_FORM_NEW;
	struct err e = { 0 };
	struct hush made;

	if (!visit_form(v, w->fields, FORM_NEW, &f, &e) || !hush_create(&v->by, w->kind, &f, &made, &e)) {
		show_new(v, w, &e);
		return;
	}
	visit_flash(v, w->kind == HUSH_WINDOW ? "The window is there." : "It is silent now. Incidents that open meanwhile are held back.", STR_NONE);
	visit_redirect(v, "%s/%.*s", w->path, STR_ARG(made.public_id));
}

/* ---- a change ---- */

static void show_edit(struct visit *v, const struct hush_words *w, const struct err *bad)
{
	struct hush_form_page p = { .button = STR("Save") };
	struct hush_form f;
	struct err e = { 0 };
	struct hush h;
	int found = hush_find_by(&v->by, w->kind, v->match.params[0], &h, &e);

	if (found != 1) {
		found ? visit_err(v, &e) : visit_not_found(v);
		return;
	}
	hush_to_form(&v->by, &h, &f);
	p.heading = arena_printf(v->a, "Edit %.*s", STR_ARG(h.name));
	p.back = arena_printf(v->a, "%s/%.*s", w->path, STR_ARG(h.public_id));
	p.action = arena_printf(v->a, "%.*s/edit", STR_ARG(p.back));
	if (w->kind == HUSH_SILENCE)
		p.until = h.times.to;
	show(v, w, &f, &p, bad);
}

struct wish {
	struct visit *visit;
	const struct form_field *fields;
};

static bool wish_read(void *ctx, struct hush_form *f, struct err *e)
{
	const struct wish *w = ctx;

	return visit_form(w->visit, w->fields, FORM_CHANGE, f, e);
}

static void change(struct visit *v, const struct hush_words *w)
{
	struct err e = { 0 };

	if (!hush_change(&v->by, w->kind, v->match.params[0], wish_read, &(struct wish){ v, w->fields }, &e)) {
		show_edit(v, w, &e);
		return;
	}
	visit_flash(v, "Saved.", STR_NONE);
	visit_redirect(v, "%s/%.*s", w->path, STR_ARG(v->match.params[0]));
}

void page_window_new(void *visit)	{ show_new(visit, &hush_window_words, NULL); }
void page_window_create(void *visit)	{ create(visit, &hush_window_words); }
void page_window_edit(void *visit)	{ show_edit(visit, &hush_window_words, NULL); }
void page_window_change(void *visit)	{ change(visit, &hush_window_words); }
void page_silence_new(void *visit)	{ show_new(visit, &hush_silence_words, NULL); }
void page_silence_create(void *visit)	{ create(visit, &hush_silence_words); }
void page_silence_edit(void *visit)	{ show_edit(visit, &hush_silence_words, NULL); }
void page_silence_change(void *visit)	{ change(visit, &hush_silence_words); }
