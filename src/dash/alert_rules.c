/* alert_rules.c - alert rules: one's own thresholds, whether they are passed, and their form. */
#include "alert_rules.h"

#include <inttypes.h>

#include "tmpl.h"

/* ---- the list ---- */

static bool read_list(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next, struct err *e)
{
	return alert_rule_view_list(v->by.db, v->a, v->by.tenant_id, v->by.principal.user_id, cursor, limit, rows_r, n, next, e);
}

void page_alert_rules(void *visit)
{
	struct visit *v = visit;
	struct alert_rule_query q = ALERT_RULE_QUERY_NEW;
	struct list_source list = { "rules", alert_rule_view_fields, sizeof(struct alert_rule_view), read_list, &q };
	struct alert_rules_page p = { 0 };

	if (!visit_query(v, alert_rule_query_fields, &q) || !list_read(v, &list, q.cursor, q.limit, &p.rules, &p.rules_n, &p.nav))
		return;
	page_begin(v, &p.page, "Alert rules", "alert-rules");
	PAGE_SEND(v, 200, tmpl_alert_rules, &p);
}

/* ---- the form ---- */

/* A word that was not posted yet and is of no rule is empty, so nothing is chosen. */
static void fill_words(struct visit *v, const struct alert_rule *r, struct alert_rule_form_page *p)
{
	struct choice_word metrics[RULE_METRICS_END] = { { NULL } }, comparisons[RULE_COMPARISONS_END] = { { NULL } };

	for (unsigned m = 1; m < RULE_METRICS_END; m++)
		metrics[m - 1] = (struct choice_word){ rule_metric_word(m), rule_metric_title(m) };
	for (unsigned c = 1; c < RULE_COMPARISONS_END; c++)
		comparisons[c - 1] = (struct choice_word){ rule_comparison_word(c), rule_comparison_title(c) };
	choices_of_words(v, metrics, visit_typed(v, "metric", str_of(rule_metric_word((enum rule_metric)r->metric))), &p->metrics, &p->metrics_n);
	choices_of_words(v, comparisons, visit_typed(v, "comparison", str_of(rule_comparison_word((enum rule_comparison)r->comparison))),
		&p->comparisons, &p->comparisons_n);
}

static bool fill_filter(struct visit *v, const struct alert_rule *r, struct alert_rule_form_page *p, struct err *e)
{
	p->source = visit_typed(v, "source", r->source);
	p->service = visit_typed(v, "service", r->service);
	choices_of_providers(v, visit_typed(v, "provider", r->provider), &p->providers, &p->providers_n);
	return choices_of_sources(v, p->source, &p->sources, &p->sources_n, e) &&
		choices_of_services(v, p->service, &p->services, &p->services_n, e);
}

static struct str number_text(struct visit *v, double x)
{
	struct strbuf b;

	strbuf_init(&b, v->a, 400);
	strbuf_number(&b, x);
	return strbuf_str(&b);
}

/* What was typed, else what is stored; with the error of the form, or NULL. */
static void show_form(struct visit *v, struct alert_rule_form_page *p, const struct alert_rule *r, const struct err *bad)
{
	struct err e = { 0 };

	page_begin(v, &p->page, arena_cstr(v->a, p->heading), "alert-rules");
	if (bad && !page_blame(v, &p->page, bad))
		return;
	p->name = visit_typed(v, "name", r->name);
	p->threshold = visit_typed(v, "threshold", r->id ? number_text(v, r->threshold) : STR_NONE);
	p->window = visit_typed(v, "windowMinutes", arena_printf(v->a, "%" PRIu64, r->window_min));
	/* A switch stands behind a hidden `false`, so the last one counts. */
	p->enabled = str_eqs(visit_typed(v, "enabled", r->enabled ? STR("true") : STR("false")), "true");
	fill_words(v, r, p);
	if (!fill_filter(v, r, p, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	PAGE_SEND(v, bad ? err_status(bad->code) : 200, tmpl_alert_rule_form, p);
}

static void show_new(struct visit *v, const struct err *bad)
{
	struct alert_rule_form_page p = { .heading = STR("New alert rule"), .action = STR("/alert-rules"), .button = STR("Make the rule") };
	const struct alert_rule_form fresh = ALERT_RULE_FORM_NEW;
	const struct alert_rule r = { .comparison = RULE_ABOVE, .metric = RULE_EVENT_COUNT, .window_min = fresh.window_min,
		.enabled = fresh.enabled };

	show_form(v, &p, &r, bad);
}

/* False: answered. */
static bool find(struct visit *v, struct alert_rule *out)
{
	struct err e = { 0 };
	int found = alert_rule_find(&v->by, v->match.params[0], out, &e);

	if (found != 1)
		return found ? visit_err(v, &e) : visit_not_found(v);
	return true;
}

static void show_edit(struct visit *v, const struct err *bad)
{
	struct alert_rule_form_page p = { .button = STR("Save") };
	struct alert_rule r;

	if (!find(v, &r))
		return;
	p.heading = arena_printf(v->a, "Change %.*s", STR_ARG(r.name));
	p.action = arena_printf(v->a, "/alert-rules/%.*s/edit", STR_ARG(r.public_id));
	show_form(v, &p, &r, bad);
}

void page_alert_rule_new(void *visit)
{
	show_new(visit, NULL);
}

void page_alert_rule_create(void *visit)
{
	struct visit *v = visit;
	struct alert_rule_form f = ALERT_RULE_FORM_NEW;
	struct alert_rule made;
	struct err e = { 0 };

	if (!visit_form(v, alert_rule_post_fields, FORM_NEW, &f, &e) || !alert_rule_create(&v->by, v->by.principal.user_id, &f, &made, &e)) {
		show_new(v, &e);
		return;
	}
	visit_flash(v, "The rule is there. Cron judges it within the minute.", STR_NONE);
	visit_redirect(v, "/alert-rules");
}

void page_alert_rule_edit(void *visit)
{
	show_edit(visit, NULL);
}

static bool read_posted(void *ctx, struct alert_rule_form *f, struct err *e)
{
	return visit_form(ctx, alert_rule_post_fields, FORM_CHANGE, f, e);
}

void page_alert_rule_change(void *visit)
{
	struct visit *v = visit;
	struct err e = { 0 };

	if (!alert_rule_change_by(&v->by, v->by.principal.user_id, v->match.params[0], read_posted, v, &e)) {
		show_edit(v, &e);
		return;
	}
	visit_flash(v, "Saved.", STR_NONE);
	visit_redirect(v, "/alert-rules");
}

/* ---- on and off ---- */

static bool read_on(void *ctx, struct alert_rule_form *f, struct err *e)
{
	f->enabled = true;
	return true;
}

static bool read_off(void *ctx, struct alert_rule_form *f, struct err *e)
{
	f->enabled = false;
	return true;
}

static void switch_it(struct visit *v, bool (*read)(void *ctx, struct alert_rule_form *f, struct err *e), const char *text)
{
	struct err e = { 0 };

	if (!alert_rule_change_by(&v->by, v->by.principal.user_id, v->match.params[0], read, NULL, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	visit_flash(v, text, STR_NONE);
	visit_redirect(v, "/alert-rules");
}

void page_alert_rule_enable(void *visit)
{
	switch_it(visit, read_on, "The rule is on.");
}

void page_alert_rule_disable(void *visit)
{
	switch_it(visit, read_off, "The rule is off.");
}

/* ---- deleting ---- */

void page_alert_rule_delete(void *visit)
{
	struct visit *v = visit;
	struct confirm c = { .page.section = "alert-rules", .button = STR("Delete the rule"), .back = STR("/alert-rules") };
	struct alert_rule r;

	if (!find(v, &r))
		return;
	c.question = arena_printf(v->a, "Delete the alert rule %.*s?", STR_ARG(r.name));
	c.action = arena_printf(v->a, "/alert-rules/%.*s/delete", STR_ARG(r.public_id));
	if (r.triggered)
		c.facts[c.facts_n++] = STR("It is triggered now: who was told of that is told that it is over.");
	c.facts[c.facts_n++] = STR("It is judged no more. The audit log keeps that it was there.");
	visit_confirm(v, &c);
}

void page_alert_rule_drop(void *visit)
{
	visit_remove(visit, alert_rule_remove, "The rule is deleted.", "/alert-rules");
}
