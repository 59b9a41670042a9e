/* maintenance.c - maintenance windows and silences: what runs, what comes, what is over; one of them, and what it holds back. */
#include "maintenance.h"

#include <inttypes.h>

#include "tmpl.h"

#define OVER_SHOWN 10
#define HELD_SHOWN 20

const struct hush_words hush_window_words = { HUSH_WINDOW, "/maintenance/windows", "maintenance window", "Maintenance windows",
	"When what is known to break is worked on: incidents are made, but nobody is told before it ends.", window_fields, window_query_fields,
	window_view_fields, "maintenanceWindows" };
const struct hush_words hush_silence_words = { HUSH_SILENCE, "/maintenance/silences", "silence", "Silences",
	"What is not to be told of for a while.", silence_fields, silence_query_fields, silence_view_fields, "silences" };

static void fill_line(struct visit *v, const struct hush_view *h, struct hush_line *out)
{
	const char *path = h->is_window ? hush_window_words.path : hush_silence_words.path;

	*out = (struct hush_line){ *h, arena_printf(v->a, "%s/%.*s", path, STR_ARG(h->id)) };
}

/* ---- all of both ---- */

static bool add(struct visit *v, enum hush_kind kind, uint64_t statuses, uint64_t limit, struct hush_line **out, size_t *n, struct err *e)
{
	const struct hush_filter f = { .tenant_id = v->by.tenant_id, .kind = kind, .statuses = statuses, .limit = limit };
	struct hush_view *rows;
	uint64_t next;
	size_t row_n;

	if (!hush_view_list(v->by.db, v->a, &f, v->by.now, &rows, &row_n, &next, e))
		return false;
	*out = arena_grow(v->a, *out, *n * sizeof(**out), (*n + row_n + 1) * sizeof(**out));
	for (size_t i = 0; i < row_n; i++)
		fill_line(v, &rows[i], &(*out)[(*n)++]);
	return true;
}

static bool add_both(struct visit *v, uint64_t statuses, uint64_t limit, struct hush_line **out, size_t *n, struct err *e)
{
	return add(v, HUSH_WINDOW, statuses, limit, out, n, e) && add(v, HUSH_SILENCE, statuses, limit, out, n, e);
}

void page_maintenance(void *visit)
{
	struct visit *v = visit;
	struct maintenance_page p = { 0 };
	struct err e = { 0 };

	if (!add_both(v, HUSH_RUNNING, HUSHES_MAX, &p.running, &p.running_n, &e) || !add_both(v, HUSH_COMING, HUSHES_MAX, &p.coming, &p.coming_n, &e) ||
		!add_both(v, HUSH_OVER, OVER_SHOWN, &p.over, &p.over_n, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	page_begin(v, &p.page, "Maintenance", "maintenance");
	PAGE_SEND(v, 200, tmpl_maintenance, &p);
}

/* ---- the list of one kind ---- */

static bool read_list(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next, struct err *e)
{
	struct hush_filter f = *(const struct hush_filter *)query;

	f.cursor = cursor;
	f.limit = limit;
	return hush_view_list(v->by.db, v->a, &f, v->by.now, rows_r, n, next, e);
}

static void list(struct visit *v, const struct hush_words *w)
{
	struct hush_filter f = { .tenant_id = v->by.tenant_id, .kind = w->kind, .limit = PAGE_ROWS };
	struct list_source exported = { w->api_plural, w->view, sizeof(struct hush_view), read_list, &f };
	struct hushes_page p = { .heading = str_of(w->plural), .sub = str_of(w->sub), .new_url = arena_printf(v->a, "%s/new", w->path),
		.button = arena_printf(v->a, "New %s", w->title), .here = str_of(w->path) };
	struct hush_view *rows;
	struct err e = { 0 };
	uint64_t next;

	if (!visit_query(v, w->query, &f) || list_exported(v, &exported, f.cursor))
		return;
	if (!hush_view_list(v->by.db, v->a, &f, v->by.now, &rows, &p.rows_n, &next, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	p.running = f.statuses == HUSH_RUNNING;
	p.coming = f.statuses == HUSH_COMING;
	p.over = f.statuses == HUSH_OVER;
	p.rows = ARENA_ARRAY(v->a, struct hush_line, p.rows_n + 1);
	for (size_t i = 0; i < p.rows_n; i++)
		fill_line(v, &rows[i], &p.rows[i]);
	list_nav_fill(v, &p.nav, w->api_plural, f.cursor, next);
	list_nav_count(v, &p.nav, f.cursor, next, p.rows_n);
	page_begin(v, &p.page, w->plural, "maintenance");
	PAGE_SEND(v, 200, tmpl_maintenance_list, &p);
}

/* ---- one of them ---- */

/* False: answered. */
static bool find(struct visit *v, const struct hush_words *w, struct hush *out, struct hush_view *view)
{
	struct err e = { 0 };
	int found = hush_find_by(&v->by, w->kind, v->match.params[0], out, &e);

	if (found != 1)
		return found ? visit_err(v, &e) : visit_not_found(v);
	hush_view_fill(v->a, out, v->by.now, view);
	return true;
}

static bool fill_held(struct visit *v, uint64_t hush, struct hush_page *p, struct err *e)
{
	struct incident_view *views;
	size_t n;

	if (!incident_view_held_by(v->by.db, v->a, hush, HELD_SHOWN + 1, &views, &n, e))
		return false;
	p->more = n > HELD_SHOWN;
	p->incidents_n = p->more ? HELD_SHOWN : n;
	p->incidents = ARENA_ARRAY(v->a, struct incident_line, n + 1);
	for (size_t i = 0; i < p->incidents_n; i++)
		incident_line_fill(&p->incidents[i], &views[i], v->by.now);
	return true;
}

static void show(struct visit *v, const struct hush_words *w)
{
	struct hush_page p = { .kind = str_of(w->title), .plural = str_of(w->plural), .plural_url = str_of(w->path) };
	struct err e = { 0 };
	struct hush h;

	if (!find(v, w, &h, &p.hush))
		return;
	if (!fill_held(v, h.id, &p, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	p.url = arena_printf(v->a, "%s/%.*s", w->path, STR_ARG(h.public_id));
	p.runs = str_eqs(p.hush.status, "running");
	page_begin(v, &p.page, arena_cstr(v->a, h.name), "maintenance");
	PAGE_SEND(v, 200, tmpl_maintenance_item, &p);
}

/* ---- ending and deleting ---- */

static void ask(struct visit *v, const struct hush_words *w, const char *verb, const char *act)
{
	struct confirm c = { .page.section = "maintenance" };
	struct hush_view view;
	struct hush h;
	bool end = !strcmp(act, "end");

	if (!find(v, w, &h, &view))
		return;
	c.question = arena_printf(v->a, "%s the %s %.*s?", verb, w->title, STR_ARG(view.name));
	c.button = arena_printf(v->a, "%s the %s", verb, w->title);
	c.back = arena_printf(v->a, "%s/%.*s", w->path, STR_ARG(view.id));
	c.action = arena_printf(v->a, "%.*s/%s", STR_ARG(c.back), act);
	if (view.held)
		c.facts[c.facts_n++] = arena_printf(v->a, "It holds back %" PRIu64 " incident%s; who is to know is told at once, if nothing else holds %s.", view.held,
			view.held == 1 ? "" : "s", view.held == 1 ? "it" : "them");
	else
		c.facts[c.facts_n++] = STR("It holds nothing back.");
	if (end && h.times.repeat)
		c.facts[c.facts_n++] = STR("This time alone: the next one comes as ever.");
	if (!end)
		c.facts[c.facts_n++] = STR("The audit log keeps that it was there.");
	c.harmless = end;
	visit_confirm(v, &c);
}

static void stop(struct visit *v, const struct hush_words *w)
{
	struct err e = { 0 };

	if (hush_stop(&v->by, w->kind, v->match.params[0], &e))
		visit_flash(v, "Ended. What is unresolved is told.", STR_NONE);
	else if (e.code == ERR_CONFLICT)
		visit_flash_bad(v, e.text);
	else {
		(void)visit_err(v, &e);
		return;
	}
	visit_redirect(v, "%s/%.*s", w->path, STR_ARG(v->match.params[0]));
}

static void drop(struct visit *v, const struct hush_words *w)
{
	struct err e = { 0 };

	if (!hush_remove(&v->by, w->kind, v->match.params[0], &e)) {
		(void)visit_err(v, &e);
		return;
	}
	visit_flash(v, "Deleted.", STR_NONE);
	visit_redirect(v, "/maintenance");
}

void page_windows(void *visit)		{ list(visit, &hush_window_words); }
void page_window(void *visit)		{ show(visit, &hush_window_words); }
void page_window_end(void *visit)	{ ask(visit, &hush_window_words, "End", "end"); }
void page_window_stop(void *visit)	{ stop(visit, &hush_window_words); }
void page_window_delete(void *visit)	{ ask(visit, &hush_window_words, "Delete", "delete"); }
void page_window_drop(void *visit)	{ drop(visit, &hush_window_words); }
void page_silences(void *visit)		{ list(visit, &hush_silence_words); }
void page_silence(void *visit)		{ show(visit, &hush_silence_words); }
void page_silence_end(void *visit)	{ ask(visit, &hush_silence_words, "End", "end"); }
void page_silence_stop(void *visit)	{ stop(visit, &hush_silence_words); }
void page_silence_delete(void *visit)	{ ask(visit, &hush_silence_words, "Delete", "delete"); }
void page_silence_drop(void *visit)	{ drop(visit, &hush_silence_words); }
