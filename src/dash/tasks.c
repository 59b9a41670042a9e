/* tasks.c - long work that somebody asked for: the list, one with its progress, cancelling it. */
#include "tasks.h"

#include "grapnel/task.h"
#include "tmpl.h"

#define REFRESH_S 3

static struct task_shown shown(struct visit *v, const struct task_view *t)
{
	const struct task_kind *kind = task_kind_find(t->kind);

	return (struct task_shown){
		.task = *t,
		.title = kind ? kind->title : "Task of another version",
		.changed = kind ? kind->changed : "changed",
		.events_url = arena_printf(v->a, "/events%s%.*s", t->about.n ? "?" : "", STR_ARG(t->about)),
		.percent = t->progress > 0 ? (uint64_t)(t->progress * 100) : 0,
		.can_cancel = (t->state_n == TASK_WAITING || t->state_n == TASK_RUNNING || (t->over && t->waiting)) &&
			account_has_role(&v->by.principal, ROLE_OPERATOR),
	};
}

static bool read_tasks(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next,
	struct err *e)
{
	const struct task_filter f = { .tenant_id = v->by.tenant_id, .cursor = cursor, .limit = limit };

	return task_view_list(v->by.db, v->a, &f, rows_r, n, next, e);
}

void page_tasks(void *visit)
{
	struct visit *v = visit;
	struct task_filter f = { .tenant_id = v->by.tenant_id, .limit = PAGE_ROWS };
	const struct list_source exported = { "tasks", task_view_fields, sizeof(struct task_view), read_tasks, NULL };
	struct tasks_page p = { 0 };
	struct task_view *rows;
	struct err e = { 0 };
	uint64_t next;

	if (!visit_query(v, task_query_fields, &f) || list_exported(v, &exported, f.cursor))
		return;
	if (!task_view_list(v->by.db, v->a, &f, &rows, &p.tasks_n, &next, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	p.tasks = ARENA_ARRAY(v->a, struct task_shown, p.tasks_n);
	for (size_t i = 0; i < p.tasks_n; i++)
		p.tasks[i] = shown(v, &rows[i]);
	list_nav_fill(v, &p.nav, "tasks", f.cursor, next);
	list_nav_count(v, &p.nav, f.cursor, next, p.tasks_n);
	page_begin(v, &p.page, "Tasks", "jobs");
	PAGE_SEND(v, 200, tmpl_tasks, &p);
}

void page_task(void *visit)
{
	struct visit *v = visit;
	struct task_page p = { 0 };
	struct task_view t;
	struct err e = { 0 };
	uint64_t id;

	if (!visit_id(v, 0, &id))
		return;
	if (!task_find(&v->by, id, &t, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	p.x = shown(v, &t);
	page_begin(v, &p.page, p.x.title, "jobs");
	if (!t.over || t.waiting)
		p.page.refresh_s = REFRESH_S;
	PAGE_SEND(v, 200, tmpl_task, &p);
}

void page_task_cancel(void *visit)
{
	struct visit *v = visit;
	struct task_view t;
	struct err e = { 0 };
	uint64_t id;

	if (!visit_id(v, 0, &id))
		return;
	if (task_cancel_by(&v->by, id, &t, &e))
		visit_flash(v, "It ends at its next step.", STR_NONE);
	else if (e.code == ERR_CONFLICT)
		visit_flash_bad(v, err_told(v->a, &e));
	else {
		(void)visit_err(v, &e);
		return;
	}
	visit_redirect(v, "/tasks/%llu", (unsigned long long)id);
}
