/* monitor.c - is our own work all right? What the API tells programs of it, for people.
 *
 * All of it was counted before or is counted as far as somebody wants to know: the page takes as long at ten million events as at ten. */
#include "monitor.h"

#include "tmpl.h"

#define TYPES_SHOWN 12
#define TABLES_SHOWN 8
#define ALERTS_SHOWN 10

struct status_look monitor_look(enum monitor_status s)
{
	static const struct status_look looks[] = {
		[MONITOR_HEALTHY] = { "ok", "Healthy" },
		[MONITOR_DEGRADED] = { "warn", "Degraded" },
		[MONITOR_FAILING] = { "bad", "Critical" },
	};

	return looks[s];
}

/* ---- the checks ---- */

/* Which act may mend what a check finds. */
static const char *const menders[MONITOR_CHECKS] = {
	[CHECK_FAILURES] = "retry-failed", [CHECK_BACKLOG] = "auto-remediate", [CHECK_OLDEST] = "auto-remediate", [CHECK_SUCCESS] = "retry-failed",
	[CHECK_DUPLICATES] = "find-duplicates",
};

static void fill_checks(struct visit *v, struct monitor_page *p, struct monitor_result *x)
{
	struct status_look look = monitor_look(x->status);

	p->tone = look.tone;
	p->state = look.word;
	p->summary = !x->advice_n ? STR("All six checks pass.") : x->advice_n == 1 ? STR("One of six checks fails.") :
		arena_printf(v->a, "%zu of six checks fail.", x->advice_n);
	p->checks = x->checks;
	p->checks_n = ARRAY_SIZE(x->checks);
	p->attempts = x->checks[CHECK_ATTEMPTS].shown;
	for (size_t i = 0; i < x->advice_n; i++) {
		const struct monitor_recommendation *r = &x->advice[i];
		const char *act = menders[r->check - x->checks];

		p->advice[p->advice_n++] = (struct monitor_advice){ str_of(r->check->title),
			arena_lower(v->a, str_of(monitor_severity_word(r->check->severity))), r->text, r->step, act, monitor_act_title(act) };
	}
	if (account_has_role(&v->by.principal, ROLE_ADMIN))
		monitor_acts_fill(p);
}

static void fill_chips(struct visit *v, struct monitor_page *p)
{
	static const struct {
		const char *minutes, *label;
		uint64_t n;
	} windows[] = { { "15", "15 min", 15 }, { "60", "1 h", 60 }, { "360", "6 h", 360 }, { "1440", "1 d", 1440 }, { "10080", "7 d", 10080 } };

	p->chips = ARENA_ARRAY(v->a, struct window_chip, ARRAY_SIZE(windows));
	for (size_t i = 0; i < ARRAY_SIZE(windows); i++)
		p->chips[p->chips_n++] = (struct window_chip){ str_of(windows[i].label), query_with(v, "timeWindow", windows[i].minutes),
			p->facts.window_min == windows[i].n };
}

/* ---- what they rest on ---- */

static struct share_row *shares(struct visit *v, const struct stats_count *counts, size_t n, uint64_t total)
{
	struct share_row *rows = ARENA_ARRAY(v->a, struct share_row, n);

	for (size_t i = 0; i < n; i++)
		rows[i] = (struct share_row){ .name = counts[i].name, .count = counts[i].count,
			.percent = total ? 100.0 * (double)counts[i].count / (double)total : 0 };
	return rows;
}

/* The view has slugs in capitals, as the API shows them. */
static struct str provider_url(struct visit *v, struct str name)
{
	char *slug = arena_cstr(v->a, arena_lower(v->a, name));

	for (char *c = slug; *c; c++)
		if (*c == '_')
			*c = '-';
	return provider_find(str_of(slug)) ? arena_printf(v->a, "/events?provider=%s", slug) : STR_NONE;
}

static void add_source(struct monitor_page *p, const char *what, const struct monitor_source *s)
{
	if (s->id.n)
		p->sources[p->sources_n++] = (struct named_source){ what, s->id, s->name, s->error, s->count };
}

static void fill_metrics(struct visit *v, struct monitor_page *p, struct monitor_view *view)
{
	const struct monitor_facts *f = &view->facts;

	p->facts = *f;
	p->window = monitor_window_text(v->a, f->window_min);
	p->made_at = view->made_at;
	p->success_rate = 100 * monitor_success_rate(f);
	p->average_us = f->done ? f->took_us / f->done : 0;
	p->providers = shares(v, view->by_provider, view->by_provider_n, f->total);
	p->providers_n = view->by_provider_n;
	for (size_t i = 0; i < p->providers_n; i++)
		p->providers[i].url = provider_url(v, p->providers[i].name);
	p->types_n = view->by_type_n < TYPES_SHOWN ? view->by_type_n : TYPES_SHOWN;
	p->types = shares(v, view->by_type, p->types_n, f->total);
	p->more_types = view->by_type_n - p->types_n;
	add_source(p, "Most failed attempts", &f->failing);
	add_source(p, "Most events that wait", &f->waiting);
	add_source(p, "Most repeats", &f->repeating);
	p->oldest = view->oldest;
	p->oldest_n = view->oldest_n;
}

/* ---- the installation ---- */

static struct str change_text(struct visit *v, int64_t bytes)
{
	return arena_printf(v->a, "%s%.*s", bytes < 0 ? "-" : "", STR_ARG(bytes_text(v->a, (uint64_t)(bytes < 0 ? -bytes : bytes))));
}

static bool fill_storage(struct visit *v, struct monitor_page *p, struct err *e)
{
	if (!v->by.principal.platform_admin)
		return true;
	if (!storage_by(&v->by, &p->storage, e))
		return false;
	p->tables = ARENA_ARRAY(v->a, struct table_row, TABLES_SHOWN);
	for (size_t i = 0; i < p->storage.tables_n && i < TABLES_SHOWN; i++) {
		const struct table_view *t = &p->storage.tables[i];

		p->tables[p->tables_n++] = (struct table_row){ t->name, change_text(v, t->bytes_per_day), t->rows, t->bytes };
	}
	if (p->storage.disk_bytes)
		p->disk_used = (uint64_t)(100.0 * (double)(p->storage.disk_bytes - p->storage.disk_free) / (double)p->storage.disk_bytes);
	return true;
}

static bool fill_depths(struct visit *v, struct monitor_page *p, struct err *e)
{
	const struct conf *c = v->by.conf;

	p->spools = c->spool.enabled;
	if (p->spools)
		p->spool = spool_state(c->spool.directory);
	return outbox_depth_get(v->by.db, v->a, &p->outbox, e);
}

/* Those that are over, of the newest ones. */
static bool fill_past(struct visit *v, struct monitor_page *p, struct err *e)
{
	const struct monitor_alert_filter f = { .tenant_id = v->by.tenant_id, .limit = LIST_LIMIT_MAX };
	struct monitor_alert_view *all;
	uint64_t next;
	size_t n;

	if (!monitor_alert_view_list(v->by.db, v->a, &f, &all, &n, &next, e))
		return false;
	p->past = all;
	for (size_t i = 0; i < n && p->past_n < ALERTS_SHOWN; i++)
		if (all[i].ended_at)
			all[p->past_n++] = all[i];
	return true;
}

void page_monitor(void *visit)
{
	struct visit *v = visit;
	struct monitor_query q = { 0 };
	struct monitor_answer *m = ARENA_NEW(v->a, struct monitor_answer);
	struct monitor_page *p = ARENA_NEW(v->a, struct monitor_page);
	struct err e = { 0 };

	if (!visit_query(v, monitor_query_fields, &q))
		return;
	if (!monitor_get_by(&v->by, &q, m, &e) || !fill_past(v, p, &e) || !fill_depths(v, p, &e) || !fill_storage(v, p, &e)) {
		visit_err(v, &e);
		return;
	}
	fill_checks(v, p, &m->result);
	fill_metrics(v, p, &m->view);
	fill_chips(v, p);
	p->running = m->alerts;
	p->running_n = m->alerts_n;
	page_begin(v, &p->page, "Monitor", "monitor");
	PAGE_SEND(v, 200, tmpl_monitor, p);
}

/* ---- all monitor alerts there were ---- */

static bool read_alerts(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next,
	struct err *e)
{
	struct monitor_alert_filter f = *(const struct monitor_alert_filter *)query;

	f.cursor = cursor;
	f.limit = limit;
	return monitor_alert_view_list(v->by.db, v->a, &f, rows_r, n, next, e);
}

void page_monitor_alerts(void *visit)
{
	struct visit *v = visit;
	struct monitor_alert_filter f = { .tenant_id = v->by.tenant_id, .limit = PAGE_ROWS };
	const struct list_source list = { "alerts", monitor_alert_view_fields, sizeof(struct monitor_alert_view), read_alerts, &f };
	struct monitor_alerts_page p = { 0 };

	if (!visit_query(v, monitor_alert_query_fields, &f) || !list_read(v, &list, f.cursor, f.limit, &p.alerts, &p.alerts_n, &p.nav))
		return;
	page_begin(v, &p.page, "Monitor alerts", "monitor");
	PAGE_SEND(v, 200, tmpl_monitor_alerts, &p);
}
