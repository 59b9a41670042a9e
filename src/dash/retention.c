/* retention.c - how long things are kept, and how the last cleanup went. */
#include "retention.h"

#include "dash_int.h"
#include "tmpl.h"

static bool fill_cleanup(struct visit *v, struct retention_page *p)
{
	struct job_view *jobs;
	struct err e = { 0 };
	size_t n;

	if (!job_list_by(&v->by, &jobs, &n, &e))
		return visit_err(v, &e);
	for (size_t i = 0; i < n; i++)
		if (str_eqs(jobs[i].name, "cleanup"))
			p->cleanup = jobs[i];
	return true;
}

static void show(struct visit *v, const struct err *bad)
{
	struct retention_page p = { .days = STR_NONE };
	struct err e = { 0 };

	if (!retention_by(&v->by, &p.kept, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	p.days = visit_typed(v, "eventsDays", p.kept.events_days);
	page_begin(v, &p.page, "Retention", "retention");
	if (fill_cleanup(v, &p) && (!bad || page_blame(v, &p.page, bad)))
		PAGE_SEND(v, bad ? err_status(bad->code) : 200, tmpl_retention, &p);
}

void page_retention(void *visit)
{
	show(visit, NULL);
}

void page_retention_post(void *visit)
{
	struct visit *v = visit;
	struct retention_form f = { 0 };
	struct err e = { 0 };

	if (!visit_form(v, retention_fields, FORM_NEW, &f, &e) || !retention_change(&v->by, &f, &e)) {
		show(v, &e);
		return;
	}
	visit_flash(v, "Saved. The next cleanup goes by it.", STR_NONE);
	visit_redirect(v, "/retention");
}
