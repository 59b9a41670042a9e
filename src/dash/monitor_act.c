/* monitor_act.c - what the monitor can have done, as forms: first what it would do, with count and sample, then it is done, and what became of
 * each event is told. The acts are those of the API, and so are their fields; here stand their words.
 *
 * The page that tells the results is the answer to the form, since no flash holds a thousand of them. Sent again, an act finds what is left. */
#include "monitor.h"

#include "tmpl.h"

/* How to add one: its row in src/resource/monitor_act.c, and one here. */
static const struct act_words {
	const char *name, *title, *help, *button;
	const char *would, *did;	/* "events would be retried", after their number */
	bool harmless;
} acts[MONITOR_ACTS] = {
	{ "auto-remediate", "Mend what can be mended", "Releases what a killed sender held, asks handlers that were left alone whether they answer again,"
		" retries what failed, removes what is older than it is to be kept.", "Mend it", "things would be mended", "things were mended", true },
	{ "retry-failed", "Retry failed events", "Events that failed, or were given up after fewer attempts than you say, go to their handlers once"
		" more, the oldest first.", "Retry them", "events would be retried", "events were retried", true },
	{ "retry-event", "Retry one event", "An event that failed, or was given up, goes to its handler once more.", "Retry it",
		"event would be retried", "event was retried", true },
	{ "mark-processed", "Mark events as processed", "Events that wait or failed are done with, because you say so: no handler gets them any more.",
		"Mark them", "events would be marked", "events were marked", false },
	{ "delete-event", "Delete an event", "With its attempts and alerts, for good. Its request stays in the log, and its sender may send it anew.",
		"Delete it", "event would be deleted", "event was deleted", false },
	{ "cleanup", "Remove what is old", "Processed events of that age go, with their requests and alerts; what an unresolved incident needs stays.",
		"Remove it", "rows would be removed", "rows were removed", false },
	{ "find-duplicates", "Find duplicates", "Repeats, the same event from two integrations, and equal bodies. Nothing is changed.", "Find them", "",
		"events came more than once", true },
};

static const struct {
	const char *name, *label;
} labels[] = {
	{ "olderThanDays", "Older than so many days" }, { "provider", "Provider" }, { "maxAttempts", "With fewer attempts than" }, { "limit", "At most" },
	{ "eventId", "Event" }, { "eventIds", "Events, one a line" }, { "filter", "Or a filter, as JSON" }, { "timeWindow", "Minutes to look back" },
};

static const struct act_words *words_of(struct str name)
{
	for (size_t i = 0; i < MONITOR_ACTS; i++)
		if (str_eqs(name, acts[i].name))
			return &acts[i];
	return NULL;
}

void monitor_acts_fill(struct monitor_page *p)
{
	for (size_t i = 0; i < MONITOR_ACTS; i++)
		p->acts[p->acts_n++] = (struct act_link){ acts[i].name, acts[i].title, acts[i].help };
}

const char *monitor_act_title(const char *name)
{
	return name ? words_of(str_of(name))->title : NULL;
}

/* ---- the form ---- */

static const char *label_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		if (!strcmp(labels[i].name, name))
			return labels[i].label;
	return name;
}

static void fill_fields(struct visit *v, struct monitor_act_page *p, const struct form_field *f)
{
	for (; f->name && p->fields_n < ARRAY_SIZE(p->fields); f++) {
		if (f->type == FORM_BOOL)
			continue;	/* dryRun: the buttons say it */
		p->fields[p->fields_n++] = (struct act_field){ .name = f->name, .label = label_of(f->name), .hint = f->help,
			.value = visit_typed(v, f->name, STR("")), .min = f->min, .max = f->max, .number = f->type == FORM_NUMBER,
			.lines = f->type == FORM_LIST || f->type == FORM_OBJECT, .required = f->flags & FORM_REQUIRED,
			.bad = str_eqs(p->page.error_field, f->name) };
	}
}

static bool find(struct visit *v, struct monitor_act_page *p, const struct monitor_act **act)
{
	const struct act_words *w = words_of(v->match.params[0]);

	*act = monitor_act_find(v->match.params[0]);
	if (!w || !*act)
		return visit_not_found(v);
	p->name = w->name;
	p->title = w->title;
	p->help = w->help;
	p->button = w->button;
	p->harmless = w->harmless;
	p->looks_first = *w->would != '\0';
	return true;
}

static void show(struct visit *v, struct monitor_act_page *p, unsigned status, const struct monitor_act *act)
{
	struct flash said = p->page.flash;

	fill_fields(v, p, act->fields);
	page_begin(v, &p->page, p->title, "monitor");
	if (said.text.n)
		p->page.flash = said;
	PAGE_SEND(v, status, tmpl_monitor_act, p);
}

void page_monitor_act(void *visit)
{
	struct visit *v = visit;
	struct monitor_act_page *p = ARENA_NEW(v->a, struct monitor_act_page);
	const struct monitor_act *act;

	if (find(v, p, &act))
		show(v, p, 200, act);
}

/* ---- what came of it ---- */

static struct str number_text(struct visit *v, uint64_t n)
{
	struct html_out o;

	html_init(&o, v->a, v->by.now);
	return html_f_count(&o, n);
}

static struct str summary(struct visit *v, const struct act_words *w, const struct monitor_acted *x)
{
	struct str n = number_text(v, x->affected), left = number_text(v, x->left);
	size_t failed = 0;

	for (size_t i = 0; i < x->results_n && !x->dry_run; i++)
		failed += !x->results[i].success;
	return arena_printf(v->a, "%.*s%s %s%s%.*s%s.%s", STR_ARG(n), x->more && x->dry_run ? " or more" : "", x->dry_run ? w->would : w->did,
		x->cleanup && x->cleanup->counts.n ? ": " : "", STR_ARG(x->cleanup ? x->cleanup->counts : STR_NONE),
		failed ? arena_printf(v->a, "; %zu could not be", failed).p : "",
		x->left || (x->more && !x->dry_run) ? arena_printf(v->a, " %.*s%s are left: do it again.", STR_ARG(left), x->more ? " or more" : "").p : "");
}

static void fill_acted(struct visit *v, struct monitor_act_page *p, const struct monitor_acted *x)
{
	p->page.flash.text = summary(v, words_of(str_of(x->act->name)), x);
	p->can_do = x->dry_run && x->affected;
	p->is_sample = x->dry_run;
	p->results = x->results;
	p->results_n = x->results_n;
	if (x->remediation) {
		p->steps = x->remediation->steps;
		p->steps_n = x->remediation->n;
	}
	if (x->duplicates) {
		p->groups = x->duplicates->groups;
		p->groups_n = x->duplicates->n;
		p->looked_at = x->duplicates->looked_at;
	}
}

/* The page again with what is wrong; whoever is not there is a field that is wrong. */
static void blame(struct visit *v, struct monitor_act_page *p, const struct monitor_act *act, const struct monitor_acted *x, struct err *e)
{
	unsigned status = err_status(e->code);

	if (e->code == ERR_NOT_FOUND && *e->field)
		e->code = ERR_INVALID;
	if (!page_blame(v, &p->page, e))
		return;
	p->candidates = x->candidates;
	p->candidates_n = x->candidates_n;
	show(v, p, status, act);
}

void page_monitor_act_post(void *visit)
{
	struct visit *v = visit;
	struct monitor_act_page *p = ARENA_NEW(v->a, struct monitor_act_page);
	struct monitor_acted x = { 0 };
	struct monitor_params params = { 0 };
	const struct monitor_act *act;
	struct err e = { 0 };

	if (!find(v, p, &act))
		return;
	if (!visit_form(v, act->fields, FORM_NEW, &params, &e) || !monitor_act_by(&v->by, act, &params, &x, &e)) {
		blame(v, p, act, &x, &e);
		return;
	}
	fill_acted(v, p, &x);
	show(v, p, 200, act);
}
