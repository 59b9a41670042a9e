/* confirm.c - the page before something that cannot be undone, and doing it where something is removed. */
#include "dash_int.h"

#include "tmpl.h"

void visit_confirm(struct visit *v, struct confirm *c)
{
	page_begin(v, &c->page, arena_cstr(v->a, c->question), c->page.section);
	PAGE_SEND(v, 200, tmpl_confirm, c);
}

void visit_remove(struct visit *v, bool (*remove_it)(const struct caller *by, struct str public_id, struct err *e), const char *done, const char *path)
{
	struct str id = v->match.params[0];
	struct err e = { 0 };

	if (remove_it(&v->by, id, &e)) {
		visit_flash(v, done, STR_NONE);
		visit_redirect(v, "%s", path);
	} else if (e.code == ERR_CONFLICT) {
		visit_flash_bad(v, err_told(v->a, &e));
		visit_redirect(v, "%s/%.*s", path, STR_ARG(id));
	} else {
		(void)visit_err(v, &e);
	}
}
