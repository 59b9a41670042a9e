/* incidents.c - the list of incidents: what is wrong now, and doing the same to many of them.
 *
 * Without a status in the URL the unresolved ones are shown. Each chip counts what it would show, under the other filters. What
 * is done to many is asked for by the list's form (select), told in numbers, and then done (bulk). */
#include "incidents.h"

#include <inttypes.h>

#include "grapnel/json.h"
#include "tmpl.h"

#define UNRESOLVED (1u << INCIDENT_OPEN | 1u << INCIDENT_ACKNOWLEDGED)
#define IDS_TEXT_MAX (BULK_IDS_MAX * 22)	/* 20 digits, a comma or a line break */

static const struct choice_word level_choices[] = {
	{ "CRITICAL", "Critical" }, { "HIGH", "High" }, { "MEDIUM", "Medium" }, { "LOW", "Low" }, { "INFO", "Info" }, { NULL, NULL },
};

static const struct choice_word test_choices[] = { { "false", "Without tests" }, { "true", "Only tests" }, { NULL, NULL } };

/* ---- rows ---- */

void incident_line_fill(struct incident_line *r, const struct incident_view *i, ms_t now)
{
	*r = (struct incident_line){ .id = i->id, .alerts = i->alert_count, .title = i->title, .status = i->status, .level = i->level,
		.service = i->service_name, .provider = i->provider, .assignee = i->assignee, .is_test = i->is_test,
		.snoozed = i->snoozed_until > now, .held = i->held_by.n && i->status_n != INCIDENT_RESOLVED, .opened_at = i->opened_at, .snoozed_until = i->snoozed_until };
}

static bool read_list(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next,
	struct err *e)
{
	struct incident_filter f = *(const struct incident_filter *)query;

	f.cursor = cursor;
	f.limit = limit;
	return incident_view_list(v->by.db, v->a, &f, rows_r, n, next, e);
}

static bool fill_rows(struct visit *v, struct incidents_page *p, const struct incident_filter *f, struct err *e)
{
	struct incident_view *views;
	uint64_t next;

	if (!incident_view_list(v->by.db, v->a, f, &views, &p->rows_n, &next, e))
		return false;
	list_nav_fill(v, &p->nav, "incidents", f->cursor, next);
	p->rows = ARENA_ARRAY(v->a, struct incident_line, p->rows_n + 1);
	for (size_t i = 0; i < p->rows_n; i++)
		incident_line_fill(&p->rows[i], &views[i], v->by.now);
	return true;
}

/* ---- filters ---- */

static bool fill_filters(struct visit *v, struct incidents_page *p, const struct incident_filter *f, struct err *e)
{
	static const char *const open[] = { "q", "text", "severity", "service", "serviceId", "source", "assignee", NULL };
	static const char *const folded[] = { "provider", "isTest", "from", "to", NULL };
	struct str service_id = traffic_typed(v, "serviceId");

	p->more_open = traffic_any(v, folded);
	p->filtered = p->more_open || traffic_any(v, open);
	p->status = traffic_typed(v, "status");
	p->q = traffic_typed(v, "q");
	p->service = service_id.n ? service_id : traffic_typed(v, "service");
	p->assignee = traffic_typed(v, "assignee");
	p->from = traffic_time(v, "from", f->from);
	p->to = traffic_time(v, "to", f->to);
	p->nobodys = str_eqs(p->assignee, ASSIGNEE_NOBODY);
	traffic_choices(v, "severity", level_choices, &p->levels, &p->levels_n);
	traffic_choices(v, "isTest", test_choices, &p->tests, &p->tests_n);
	choices_of_providers(v, traffic_typed(v, "provider"), &p->kinds, &p->kinds_n);
	return choices_of_services(v, p->service, &p->services, &p->services_n, e) &&
		choices_of_people(v, ROLE_VIEWER, p->nobodys ? STR_NONE : p->assignee, &p->people, &p->people_n, e);
}

/* ---- chips ---- */

static const struct status_chip {
	const char *label, *status;	/* NULL: without a status in the URL */
	uint64_t bits;
} chips[] = {
	{ "Unresolved", NULL, UNRESOLVED },
	{ "Open", "open", 1 << INCIDENT_OPEN },
	{ "Acknowledged", "acknowledged", 1 << INCIDENT_ACKNOWLEDGED },
	{ "Resolved", "resolved", 1 << INCIDENT_RESOLVED },
	{ "All", "all", UNRESOLVED | 1 << INCIDENT_RESOLVED },
};

static bool fill_chips(struct visit *v, struct incidents_page *p, const struct incident_filter *f, struct err *e)
{
	struct list_count counts[INCIDENT_RESOLVED + 1];

	if (!incident_view_counts(v->by.db, v->a, f, counts, e))
		return false;
	for (; p->chips_n < ARRAY_SIZE(chips); p->chips_n++) {
		const struct status_chip *row = &chips[p->chips_n];
		struct incident_chip *c = &p->chips[p->chips_n];

		*c = (struct incident_chip){ .label = row->label, .url = query_with(v, "status", row->status),
			.chosen = f->statuses == row->bits };
		for (unsigned s = INCIDENT_OPEN; s <= INCIDENT_RESOLVED; s++)
			if (row->bits & 1u << s) {
				c->n += counts[s].n;
				c->more |= counts[s].more;
			}
	}
	return true;
}

/* ---- the list ---- */

void page_incidents(void *visit)
{
	struct visit *v = visit;
	struct incident_filter f = { .tenant_id = v->by.tenant_id, .limit = PAGE_ROWS };
	struct list_source exported = { "incidents", incident_view_fields, sizeof(struct incident_view), read_list, &f };
	struct incidents_page p = { .here = v->rq->uri };
	struct err e = { 0 };
	bool good = form_read_query(v->a, v->rq->query, incident_query_fields, NULL, &f, &e);

	if (!f.statuses)
		f.statuses = UNRESOLVED;
	if (good && list_exported(v, &exported, f.cursor))
		return;
	good = good && fill_rows(v, &p, &f, &e) && fill_chips(v, &p, &f, &e);
	if (!good && !(v->suffix ? visit_err(v, &e) : traffic_blame(v, &p.page, &e)))
		return;
	if (!fill_filters(v, &p, &f, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	p.none_at_all = good && !p.filtered && !p.chips[ARRAY_SIZE(chips) - 1].n;
	page_begin(v, &p.page, "Incidents", "incidents");
	PAGE_SEND(v, good ? 200 : 400, tmpl_incidents, &p);
}

/* ---- many at once ---- */

/* Where the list was, filters and all; only a list of ours. */
static struct str back_to_list(const struct visit *v)
{
	struct str back = visit_typed(v, "_back", visit_back_path(v));

	return str_eqs(back, "/incidents") || str_starts(back, "/incidents?") ? back : STR("/incidents");
}

static void refuse_choice(struct visit *v, const char *why)
{
	visit_flash_bad(v, why);
	visit_redirect(v, "%.*s", STR_ARG(back_to_list(v)));
}

/* The form of list and confirmation; answers itself where nothing or nonsense was chosen. */
static bool read_choice(struct visit *v, struct bulk_form *f)
{
	struct err e = { 0 };
	bool good = visit_form(v, incident_bulk_fields, FORM_NEW, f, &e);

	if (!good && str_eqs(str_of(e.field), "ids"))
		refuse_choice(v, "Tick the incidents first, up to 100 of them.");
	else if (!good)
		(void)visit_err(v, &e);
	return good;
}

/* As the confirmation posts them again: one a line. And as the view reads them. */
static void ids_text(struct visit *v, const struct json *ids, struct str *lines, struct str *array)
{
	struct strbuf l, j;

	strbuf_init(&l, v->a, IDS_TEXT_MAX);
	strbuf_init(&j, v->a, IDS_TEXT_MAX + 2);
	for (const struct json *x = ids->first; x; x = x->next) {
		uint64_t id;

		if (!str_u64(json_text(x), &id))
			continue;
		strbuf_addf(&l, "%s%" PRIu64, l.n ? "\n" : "", id);
		strbuf_addf(&j, "%c%" PRIu64, j.n ? ',' : '[', id);
	}
	if (!j.n)
		strbuf_addc(&j, '[');
	strbuf_addc(&j, ']');
	*lines = strbuf_str(&l);
	*array = strbuf_str(&j);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void add_fact(struct confirm *c, struct str fact)
{
	c->facts[c->facts_n++] = fact;
}

static void say_costs(struct visit *v, struct confirm *c, bool resolve, const struct incident_selection *s)
{
	uint64_t skipped = resolve ? s->resolved : s->acknowledged + s->resolved;
	uint64_t done = resolve ? s->open + s->acknowledged : s->open;

	c->question = arena_printf(v->a, "%s %" PRIu64 " incident%s?", resolve ? "Resolve" : "Acknowledge", done, plural(done));
	c->button = c->question;
	c->button.n--;	/* without the question mark */
	if (resolve)
		add_fact(c, arena_printf(v->a, "%" PRIu64 " open and %" PRIu64 " acknowledged ones become resolved.", s->open,
			s->acknowledged));
	else
		add_fact(c, arena_printf(v->a, "%" PRIu64 " open one%s become%s acknowledged.", s->open, plural(s->open),
			s->open == 1 ? "s" : ""));
	if (skipped)
		add_fact(c, arena_printf(v->a, "%" PRIu64 " of those you ticked stay%s as %s: %s already.", skipped,
			skipped == 1 ? "s" : "", skipped == 1 ? "it is" : "they are",
			resolve ? "resolved" : "acknowledged or resolved"));
	add_fact(c, arena_printf(v->a, "%" PRIu64 " alert%s joined them so far.", s->alerts, plural(s->alerts)));
	if (resolve)
		add_fact(c, STR("An alert that still fires reopens its incident; you can reopen each one too."));
}

void page_incidents_select(void *visit)
{
	struct visit *v = visit;
	struct bulk_form f = { 0 };
	struct confirm c = { .page.section = "incidents", .action = STR("/incidents/bulk"), .harmless = true };
	struct incident_selection s;
	struct str lines, array;
	struct err e = { 0 };
	bool resolve;

	if (!read_choice(v, &f))
		return;
	ids_text(v, f.ids, &lines, &array);
	if (!incident_view_selection(v->by.db, v->a, v->by.tenant_id, array, &s, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	resolve = f.action == 1 << COMMAND_RESOLVE;
	if (!s.open && !(resolve && s.acknowledged)) {
		refuse_choice(v, resolve ? "Those are resolved already." : "None of those is open.");
		return;
	}
	say_costs(v, &c, resolve, &s);
	c.back = back_to_list(v);
	c.fields[c.fields_n++] = (struct hidden_field){ STR("ids"), lines };
	c.fields[c.fields_n++] = (struct hidden_field){ STR("action"), resolve ? STR("resolve") : STR("acknowledge") };
	c.fields[c.fields_n++] = (struct hidden_field){ STR("_back"), c.back };
	visit_confirm(v, &c);
}

void page_incidents_bulk(void *visit)
{
	struct visit *v = visit;
	struct bulk_form f = { 0 };
	struct bulk_result *results;
	struct err e = { 0 };
	size_t n, done = 0;
	struct str said;

	if (!read_choice(v, &f))
		return;
	if (!incident_bulk_by(&v->by, &f, &results, &n, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	for (size_t i = 0; i < n; i++)
		done += results[i].success;
	said = arena_printf(v->a, "%zu incident%s %s.", done, plural(done),
		f.action == 1 << COMMAND_RESOLVE ? "resolved" : "acknowledged");
	if (done < n)
		said = arena_printf(v->a, "%.*s %zu stayed as %s.", STR_ARG(said), n - done,
			n - done == 1 ? "it was" : "they were");
	visit_flash(v, said.p, STR_NONE);
	visit_redirect(v, "%.*s", STR_ARG(back_to_list(v)));
}
