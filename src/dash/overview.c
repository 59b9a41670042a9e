/* overview.c - the first page: is everything all right, and if not, where to look. */
#include "dash_int.h"

#include <inttypes.h>

#include "integrations.h"
#include "overview.h"
#include "tmpl.h"

#define CHART_W 960
#define CHART_H 120
#define EVENTS_OF "/events?from=%s&to=%s"

static const struct {
	const char *tone, *word;
} states[] = {
	[OVERVIEW_HEALTHY] = { "ok", "Healthy" },
	[OVERVIEW_DEGRADED] = { "warn", "Degraded" },
	[OVERVIEW_CRITICAL] = { "bad", "Critical" },
};

static const char *const levels[OVERVIEW_LEVELS] = { "info", "low", "medium", "high", "critical" };
#define BADGE_MAX 1000	/* open_incidents of a page is counted so far */

/* "14:00" of a full hour. */
static struct str clock_text(struct arena *a, ms_t at)
{
	char text[TIME_TEXT];

	return arena_printf(a, "%.5s", time_format(at, text) + strlen("2026-01-02T"));
}

static struct html chart(struct visit *v, const struct overview *o, uint64_t *peak)
{
	struct bar bars[OVERVIEW_HOURS];
	struct html_out out;

	html_init(&out, v->a, v->by.now);
	for (size_t i = 0; i < OVERVIEW_HOURS; i++) {
		const struct overview_hour *h = &o->hours[i];
		char from[TIME_TEXT], to[TIME_TEXT];

		time_format(h->at, from);
		time_format(h->at + MS_PER_HOUR, to);
		bars[i] = (struct bar){ .parts = { h->events, h->repeats, h->errors }, .label = clock_text(v->a, h->at),
			.href = arena_printf(v->a, EVENTS_OF, from, to) };
		if (h->events > *peak)
			*peak = h->events;
	}
	return html_bars(&out, bars, OVERVIEW_HOURS, CHART_W, CHART_H, STR("Events by hour, UTC"));
}

static struct hour_block block(struct visit *v, const struct overview_hour *h, ms_t at)
{
	struct hour_block b = { .class = h->errors ? "err" : h->received ? "ok" : "none", .hour = (uint64_t)(at / MS_PER_HOUR) };
	struct str when = clock_text(v->a, at);

	if (h->errors)
		b.title = arena_printf(v->a, "%.*s, %" PRIu64 " of %" PRIu64 " refused", STR_ARG(when), h->errors, h->received);
	else
		b.title = arena_printf(v->a, "%.*s, %" PRIu64 " received", STR_ARG(when), h->received);
	return b;
}

static void fill_lines(struct visit *v, struct overview_page *p)
{
	for (size_t i = 0; i < p->o.sources_n && i < OVERVIEW_LINES; i++) {
		const struct overview_source *s = &p->o.sources[i];
		struct source_line *line = &p->lines[p->lines_n++];

		*line = (struct source_line){ .id = s->id, .name = s->name, .provider = s->provider, .state = integration_state(s->enabled, s->last_at, s->day.received, s->day.errors),
			.last_at = s->last_at, .received = s->day.received, .errors = s->day.errors, .blocks_n = OVERVIEW_HOURS };
		for (size_t k = 0; k < OVERVIEW_HOURS; k++)
			line->blocks[k] = block(v, &s->hours[k], p->o.hours[k].at);
	}
}

/* Sources without traffic are the last of many, and the ones that somebody may miss. */
static void fill_quiet(struct overview_page *p)
{
	for (size_t i = p->lines_n; i < p->o.sources_n && p->quiet_n < OVERVIEW_QUIET; i++) {
		const struct overview_source *s = &p->o.sources[i];

		if (s->enabled && (s->silent || !s->webhooks)) {
			p->quiet[p->quiet_n] = (struct quiet_source){ s->id, s->name, s->last_at, .first = !p->quiet_n };
			p->quiet_n++;
		}
	}
	p->more = p->o.sources_n - p->lines_n - p->quiet_n;
}

static struct str open_text(struct arena *a, const struct overview *o)
{
	struct str s = STR_NONE;

	for (size_t i = OVERVIEW_LEVELS; i-- > 0;)
		if (o->open[i])
			s = arena_printf(a, "%.*s%s%" PRIu64 " %s", STR_ARG(s), s.n ? ", " : "", o->open[i], levels[i]);
	return s;
}

static bool fill_windows(struct visit *v, struct overview_page *p, struct err *e)
{
	struct hush *running;
	size_t n;

	if (!hush_running(v->by.db, v->a, v->by.tenant_id, v->by.now, &running, &n, e))
		return false;
	p->more_windows = n > OVERVIEW_WINDOWS;
	for (size_t i = 0; i < n && i < OVERVIEW_WINDOWS; i++) {
		struct running_window *w = &p->windows[p->windows_n++];

		*w = (struct running_window){ .id = running[i].public_id, .name = running[i].name };
		(void)hush_runs(&running[i].times, v->by.now, &w->until);
	}
	return true;
}

static bool fill_on_call(struct visit *v, struct overview_page *p, struct err *e)
{
	struct on_call_query all = { 0 };

	if (!on_call_by(&v->by, &all, &p->on_call, &p->on_call_n, e))
		return false;
	p->more_on_call = p->on_call_n > OVERVIEW_ON_CALL;
	if (p->more_on_call)
		p->on_call_n = OVERVIEW_ON_CALL;
	return true;
}

void page_overview(void *visit)
{
	struct visit *v = visit;
	struct overview_page *p = ARENA_NEW(v->a, struct overview_page);
	struct err e = { 0 };

	if (!overview_by(&v->by, &p->o, &e) || !fill_windows(v, p, &e) || !fill_on_call(v, p, &e)) {
		visit_err(v, &e);
		return;
	}
	p->tone = states[p->o.state].tone;
	p->state = states[p->o.state].word;
	p->checks = p->o.monitor.checks;
	p->checks_n = ARRAY_SIZE(p->o.monitor.checks);
	p->spools = v->by.conf->spool.enabled;
	if (p->spools)
		p->spool = spool_state(v->by.conf->spool.directory);
	p->chart = chart(v, &p->o, &p->peak);
	p->first = clock_text(v->a, p->o.hours[0].at);
	p->middle = clock_text(v->a, p->o.hours[OVERVIEW_HOURS / 2].at);
	p->begins = !p->o.had_webhook;
	p->open = open_text(v->a, &p->o);
	fill_lines(v, p);
	fill_quiet(p);
	page_begin(v, &p->page, "Overview", "overview");
	if (p->page.open_incidents > p->o.open_total && p->page.open_incidents < BADGE_MAX)
		p->tests = p->page.open_incidents - p->o.open_total;
	PAGE_SEND(v, 200, tmpl_overview, p);
}

/* GET /hour/:source/:hour: a block of the overview. Its links would make half of the page if they named what they mean. */
void page_hour(void *visit)
{
	struct visit *v = visit;
	char from[TIME_TEXT], to[TIME_TEXT];
	uint64_t hour;

	if (!public_id_is(v->match.params[0], "in") || !str_u64(v->match.params[1], &hour) || hour > INT32_MAX) {
		visit_not_found(v);
		return;
	}
	time_format((ms_t)hour * MS_PER_HOUR, from);
	time_format((ms_t)(hour + 1) * MS_PER_HOUR, to);
	visit_redirect(v, "/events?source=%.*s&from=%s&to=%s", STR_ARG(v->match.params[0]), from, to);
}
