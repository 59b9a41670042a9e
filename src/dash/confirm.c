/* confirm.c - the page before something that cannot be undone. */
#include "dash_int.h"

#include "tmpl.h"

void visit_confirm(struct visit *v, struct confirm *c)
{
	page_begin(v, &c->page, arena_cstr(v->a, c->question), c->page.section);
	PAGE_SEND(v, 200, tmpl_confirm, c);
}
