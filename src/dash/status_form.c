/* status_form.c - what a tenant's status page shows, and whether anybody sees it. */
#include "dash_int.h"
#include "status.h"
#include "tmpl.h"

#define NAMES_TEXT_MAX (STATUS_SERVICES_MAX * 402)

/* One a line. */
static struct str lines(struct visit *v, struct str names)
{
	const struct json *list;
	struct err ignored = { 0 };
	struct strbuf b;

	strbuf_init(&b, v->a, NAMES_TEXT_MAX);
	if (json_parse(v->a, names, &list, &ignored))
		for (const struct json *j = list->first; j; j = j->next)
			strbuf_addf(&b, "%.*s\n", STR_ARG(json_text(j)));
	return strbuf_str(&b);
}

/* `f` NULL: as it is stored. */
static void show(struct visit *v, const struct status_form *f, const struct err *bad)
{
	struct status_form_page p = { 0 };
	struct status_page_view stored;
	struct status_form now;
	struct err e = { 0 };

	if (!status_page_by(&v->by, &stored, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	status_page_to_form(&v->by, &stored.page, &now);
	f = f ? f : &now;
	p.slug = visit_typed(v, "slug", f->slug);
	p.title = visit_typed(v, "title", f->title);
	p.about = visit_typed(v, "about", f->about);
	p.enabled = f->enabled;
	p.show_titles = f->show_titles;
	p.services = visit_typed(v, "services", lines(v, stored.page.names));
	p.url = stored.url;
	page_begin(v, &p.page, "Status page", "status-page");
	if (!bad || page_blame(v, &p.page, bad))
		PAGE_SEND(v, bad ? err_status(bad->code) : 200, tmpl_status_form, &p);
}

void page_status_form(void *visit)
{
	show(visit, NULL, NULL);
}

void page_status_form_post(void *visit)
{
	struct visit *v = visit;
	struct status_form f = { 0 };
	struct err e = { 0 };

	if (!visit_form(v, status_fields, FORM_NEW, &f, &e) || !status_page_change(&v->by, &f, &e)) {
		show(v, &f, &e);
		return;
	}
	visit_flash(v, f.enabled ? "Saved. Everybody may see the page." : "Saved. Nobody sees the page until it is switched on.", STR_NONE);
	visit_redirect(v, "/status-page");
}
