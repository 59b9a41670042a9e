/* services.c - what can break: which integrations speak of it, what is wrong with it, by which names events call it. */
#include "services.h"

#include <inttypes.h>

#include "grapnel/json.h"
#include "tmpl.h"

#define OPEN_SHOWN 20
#define ALIASES_TEXT_MAX (SERVICE_ALIASES_MAX * 402)

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* "90 minutes", "2 hours", "30 days"; 0 is never. */
static struct str minutes_in_words(struct visit *v, uint64_t minutes)
{
	static const struct {
		uint64_t size;
		const char *name;
	} units[] = { { 24 * 60, "day" }, { 60, "hour" }, { 1, "minute" } };

	for (size_t i = 0; minutes && i < ARRAY_SIZE(units); i++)
		if (minutes % units[i].size == 0)
			return arena_printf(v->a, "%" PRIu64 " %s%s", minutes / units[i].size, units[i].name,
				plural(minutes / units[i].size));
	return STR_NONE;
}

static const struct json *names_of(struct visit *v, struct str aliases)
{
	const struct json *list = NULL;
	struct err ignored = { 0 };

	return json_parse(v->a, aliases, &list, &ignored) && json_is(list, JSON_ARRAY) ? list : NULL;
}

/* With `between` between them: for a cell, or for the field of the form. */
static struct str names_joined(struct visit *v, const struct json *list, const char *between)
{
	struct strbuf b;

	strbuf_init(&b, v->a, ALIASES_TEXT_MAX);
	for (const struct json *j = list ? list->first : NULL; j; j = j->next) {
		strbuf_adds(&b, b.n ? between : "");
		strbuf_addstr(&b, json_text(j));
	}
	return strbuf_str(&b);
}

/* ---- the list ---- */

static bool read_list(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next,
	struct err *e)
{
	struct service_filter f = *(const struct service_filter *)query;

	f.cursor = cursor;
	f.limit = limit;
	return service_view_list(v->by.db, v->a, &f, rows_r, n, next, e);
}

static void fill_rows(struct visit *v, struct services_page *p, const struct service_view *views, size_t n)
{
	p->rows = ARENA_ARRAY(v->a, struct service_row, n + 1);
	p->rows_n = n;
	for (size_t i = 0; i < n; i++)
		p->rows[i] = (struct service_row){ .id = views[i].id, .name = views[i].name, .description = views[i].description,
			.aliases = names_joined(v, names_of(v, views[i].aliases), ", "),
			.auto_resolve = minutes_in_words(v, views[i].auto_resolve_minutes), .is_default = views[i].is_default,
			.integrations = views[i].integrations, .open_incidents = views[i].open_incidents,
			.created_at = views[i].created_at, .maintenance = views[i].maintenance_name };
}

void page_services(void *visit)
{
	struct visit *v = visit;
	struct service_filter f = { .tenant_id = v->by.tenant_id, .limit = LIST_LIMIT_DEFAULT, .now = v->by.now };
	struct list_source list = { "services", service_view_fields, sizeof(struct service_view), read_list, &f };
	struct services_page p = { 0 };
	struct service_view *views;
	size_t n;

	if (!visit_query(v, service_query_fields, &f) || !list_read(v, &list, f.cursor, f.limit, &views, &n, &p.nav))
		return;
	p.q = f.text;
	fill_rows(v, &p, views, n);
	page_begin(v, &p.page, "Services", "services");
	PAGE_SEND(v, 200, tmpl_services, &p);
}

/* ---- one of them ---- */

/* False: answered. */
static bool find(struct visit *v, struct service_view *out)
{
	struct err e = { 0 };
	int found = service_view_get(v->by.db, v->a, v->by.tenant_id, v->match.params[0], v->by.now, out, &e);

	if (found != 1)
		return found ? visit_err(v, &e) : visit_not_found(v);
	return true;
}

static void fill_aliases(struct visit *v, struct service_page *p)
{
	const struct json *list = names_of(v, p->service.aliases);

	p->aliases = ARENA_ARRAY(v->a, struct str, SERVICE_ALIASES_MAX);
	for (const struct json *j = list ? list->first : NULL; j && p->aliases_n < SERVICE_ALIASES_MAX; j = j->next)
		p->aliases[p->aliases_n++] = json_text(j);
}

static bool fill_incidents(struct visit *v, struct service_page *p, struct err *e)
{
	struct incident_filter f = { .tenant_id = v->by.tenant_id, .service = p->service.id, .limit = OPEN_SHOWN,
		.statuses = 1 << INCIDENT_OPEN | 1 << INCIDENT_ACKNOWLEDGED };
	struct incident_view *views;
	uint64_t next;

	if (!incident_view_list(v->by.db, v->a, &f, &views, &p->incidents_n, &next, e))
		return false;
	p->incidents = ARENA_ARRAY(v->a, struct incident_line, p->incidents_n + 1);
	for (size_t i = 0; i < p->incidents_n; i++)
		incident_line_fill(&p->incidents[i], &views[i], v->by.now);
	return true;
}

/* `typed`: what was just posted counts, not what is stored. */
static bool is_chosen(struct visit *v, const struct json *stored, bool typed, struct str id)
{
	struct str rest = v->rq->body, name, value;
	bool found = false;

	if (!typed) {
		for (const struct json *j = stored ? stored->first : NULL; j; j = j->next)
			found |= str_eq(json_text(j), id);
		return found;
	}
	while (form_next(v->a, &rest, &name, &value))
		found |= str_eqs(name, "channelIds") && str_eq(value, id);
	return found;
}

/* The tenant's channels, those of the service chosen; `all`: the others, too. */
static bool fill_channels(struct visit *v, const struct service_view *s, bool all, struct choice **out, size_t *n, struct err *e)
{
	bool typed = str_eqs(v->rq->method, "POST");
	const struct json *stored = names_of(v, s->channels);
	struct channel *rows;
	size_t max;

	*n = 0;
	if (!channel_list(v->by.db, v->a, v->by.tenant_id, 0, CHANNELS_MAX, &rows, &max, e))
		return false;
	*out = ARENA_ARRAY(v->a, struct choice, max + 1);
	for (size_t i = 0; i < max; i++) {
		bool chosen = is_chosen(v, stored, typed, rows[i].public_id);

		if (all || chosen)
			(*out)[(*n)++] = (struct choice){ rows[i].public_id, rows[i].name, chosen };
	}
	return true;
}

static bool fill_policies(struct visit *v, const struct service_view *s, struct service_form_page *p, struct err *e)
{
	struct str chosen = visit_typed(v, "policyId", s->policy_id);
	struct policy *rows;
	size_t n;

	if (!policy_list(v->by.db, v->a, v->by.tenant_id, 0, POLICIES_MAX, &rows, &n, e))
		return false;
	p->policies = ARENA_ARRAY(v->a, struct choice, n + 1);
	for (; p->policies_n < n; p->policies_n++)
		p->policies[p->policies_n] = (struct choice){ rows[p->policies_n].public_id, rows[p->policies_n].name,
			str_eq(chosen, rows[p->policies_n].public_id) };
	return true;
}

void page_service(void *visit)
{
	struct visit *v = visit;
	struct service_page p = { 0 };
	struct err e = { 0 };

	if (!find(v, &p.service))
		return;
	fill_aliases(v, &p);
	p.auto_resolve = minutes_in_words(v, p.service.auto_resolve_minutes);
	if (!fill_incidents(v, &p, &e) || !fill_channels(v, &p.service, false, &p.channels, &p.channels_n, &e) ||
		!oncall_view_of_policy(v->by.db, v->a, v->by.tenant_id, p.service.policy_id, v->by.now, &p.on_call, &p.on_call_n, &e) ||
		!service_view_sources(v->by.db, v->a, p.service.row, &p.sources, &p.sources_n, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	page_begin(v, &p.page, arena_cstr(v->a, p.service.name), "services");
	PAGE_SEND(v, 200, tmpl_service, &p);
}

/* ---- the form ---- */

/* What was typed, else what is stored; with the error of the form, or NULL. */
static void show_form(struct visit *v, struct service_form_page *p, const struct service_view *s, const struct err *bad)
{
	struct str minutes = s->auto_resolve_minutes ? arena_printf(v->a, "%" PRIu64, s->auto_resolve_minutes) : STR_NONE;
	struct err e = { 0 };

	if (!fill_channels(v, s, true, &p->channels, &p->channels_n, &e) || !fill_policies(v, s, p, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	p->name = visit_typed(v, "name", s->name);
	p->description = visit_typed(v, "description", s->description);
	p->aliases = visit_typed(v, "aliases", s->aliases.n ? names_joined(v, names_of(v, s->aliases), "\n") : STR_NONE);
	p->minutes = visit_typed(v, "autoResolveMinutes", minutes);
	p->is_default = str_eqs(visit_typed(v, "isDefault", s->is_default ? STR("true") : STR_NONE), "true");
	p->was_default = s->is_default;
	page_begin(v, &p->page, arena_cstr(v->a, p->heading), "services");
	if (bad && !page_blame(v, &p->page, bad))
		return;
	PAGE_SEND(v, bad ? err_status(bad->code) : 200, tmpl_service_form, p);
}

static void show_new(struct visit *v, const struct err *bad)
{
	struct service_form_page p = { .heading = STR("New service"), .action = STR("/services"), .back = STR("/services"),
		.button = STR("Create") };

	show_form(v, &p, &(struct service_view){ 0 }, bad);
}

static void show_edit(struct visit *v, const struct err *bad)
{
	struct service_form_page p = { .button = STR("Save") };
	struct service_view s;

	if (!find(v, &s))
		return;
	p.heading = arena_printf(v->a, "Edit %.*s", STR_ARG(s.name));
	p.back = arena_printf(v->a, "/services/%.*s", STR_ARG(s.id));
	p.action = arena_printf(v->a, "%.*s/edit", STR_ARG(p.back));
	show_form(v, &p, &s, bad);
}

void page_service_new(void *visit)
{
	show_new(visit, NULL);
}

void page_service_create(void *visit)
{
	struct visit *v = visit;
	struct service_form f = { 0 };
	struct service made;
	struct err e = { 0 };

	if (!visit_form(v, service_fields, FORM_NEW, &f, &e) || !service_create(&v->by, &f, &made, &e)) {
		show_new(v, &e);
		return;
	}
	visit_flash(v, "The service is there. Integrations can choose it now.", STR_NONE);
	visit_redirect(v, "/services/%.*s", STR_ARG(made.public_id));
}

void page_service_edit(void *visit)
{
	show_edit(visit, NULL);
}

static bool read_posted(void *ctx, struct service_form *f, struct err *e)
{
	return visit_form(ctx, service_fields, FORM_CHANGE, f, e);
}

void page_service_change(void *visit)
{
	struct visit *v = visit;
	struct err e = { 0 };

	if (!service_change(&v->by, v->match.params[0], read_posted, v, &e)) {
		show_edit(v, &e);
		return;
	}
	visit_flash(v, "Saved.", STR_NONE);
	visit_redirect(v, "/services/%.*s", STR_ARG(v->match.params[0]));
}

/* ---- deleting ---- */

void page_service_delete(void *visit)
{
	struct visit *v = visit;
	struct confirm c = { .page.section = "services", .button = STR("Delete the service") };
	struct service_view s;

	if (!find(v, &s))
		return;
	c.question = arena_printf(v->a, "Delete the service %.*s?", STR_ARG(s.name));
	c.back = arena_printf(v->a, "/services/%.*s", STR_ARG(s.id));
	c.action = arena_printf(v->a, "%.*s/delete", STR_ARG(c.back));
	c.facts[c.facts_n++] = arena_printf(v->a, "%" PRIu64 " integration%s and %" PRIu64 " unresolved incident%s use it.",
		s.integrations, plural(s.integrations), s.open_incidents, plural(s.open_incidents));
	if (s.is_default)
		c.facts[c.facts_n++] = STR("It is the default service, which cannot be deleted: make another one the default first.");
	else if (s.integrations || s.open_incidents)
		c.facts[c.facts_n++] = STR("While there are any, it cannot be deleted: move the integrations to another service, and "
			"resolve the incidents.");
	else
		c.facts[c.facts_n++] = STR("Its resolved incidents stay and keep its name. The name is free for another service.");
	visit_confirm(v, &c);
}

void page_service_drop(void *visit)
{
	visit_remove(visit, service_remove, "The service is deleted.", "/services");
}
