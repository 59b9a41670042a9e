/* status_page.c - what a tenant shows to everybody: its form. A tenant that has none begins with a page that nobody sees. */
#include "grapnel/resource.h"

#include "grapnel/json.h"

#define SERVICES_TEXT_MAX (STATUS_SERVICES_MAX * 2500)	/* of names with quotes and control characters */

const struct form_field status_fields[] = {
	{ "enabled", BOOL_AT(struct status_form, enabled), .help = "Everybody may see it" },
	{ "slug", TEXT_AT(struct status_form, slug), FORM_REQUIRED, 1, STATUS_SLUG_MAX, .help = "The page is at /status/ and this: a-z, 0-9 and -" },
	{ "title", TEXT_AT(struct status_form, title), FORM_REQUIRED, 1, 400, .help = "1 to 100 characters" },
	{ "about", TEXT_AT(struct status_form, about), .max = 4 * STATUS_ABOUT_MAX, .help = "A text above the services" },
	{ "showTitles", BOOL_AT(struct status_form, show_titles),
		.help = "Shows what incidents are called inside; else only which service is concerned, and how badly" },
	{ "services", LIST_AT(struct status_form, services), .max = STATUS_SERVICES_MAX, .help = "Services that it shows, in this order: each by its id or name" },
	FORM_END
};

const struct field status_page_view_fields[] = {
	FIELD_BOOL(struct status_page_view, page.enabled, "enabled", "Everybody may see it"),
	FIELD_STR(struct status_page_view, page.slug, "slug", "Part of its address"),
	FIELD_STR(struct status_page_view, url, "url", "Its address; null = nobody sees it"),
	FIELD_STR(struct status_page_view, page.title, "title", "Its title"),
	FIELD_STR(struct status_page_view, page.about, "about", "A text above the services"),
	FIELD_BOOL(struct status_page_view, page.show_titles, "showTitles", "It shows what incidents are called inside"),
	FIELD_JSON(struct status_page_view, page.services, "services", "Ids of the services that it shows, in their order"),
	FIELD_TIME(struct status_page_view, page.updated_at, "updatedAt", "Last change; null = there is none yet"),
	FIELD_END
};

bool status_page_by(const struct caller *by, struct status_page_view *out, struct err *e)
{
	if (!status_page_get(by->db, by->a, by->tenant_id, &out->page, e))
		return false;
	if (!out->page.updated_at)
		out->page.slug = out->page.title = out->page.about = STR("");
	if (!out->page.services.n)
		out->page.services = out->page.names = STR("[]");
	out->url = out->page.enabled ? arena_printf(by->a, "%s/status/%.*s", by->conf->server.public_url, STR_ARG(out->page.slug)) : STR_NONE;
	return true;
}

void status_page_to_form(const struct caller *by, const struct status_page *p, struct status_form *f)
{
	struct err ignored = { 0 };

	*f = (struct status_form){ .slug = p->slug, .title = p->title, .about = p->about, .enabled = p->enabled, .show_titles = p->show_titles };
	if (!json_parse(by->a, p->services, &f->services, &ignored))
		f->services = NULL;
}

static bool services_text(const struct caller *by, const struct status_form *f, struct str *out, struct err *e)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, by->a, SERVICES_TEXT_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (const struct json *j = f->services ? f->services->first : NULL; j; j = j->next)
		json_str(&o, json_text(j));
	json_close(&o, ']');
	*out = strbuf_str(&b);
	return !b.failed || err_field(e, ERR_INVALID, "services", "These are no names of services.");
}

bool status_page_change(const struct caller *by, const struct status_form *f, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct status_page p = { .tenant_id = by->tenant_id, .slug = f->slug, .title = str_trim(f->title), .about = str_trim(f->about.p ? f->about : STR("")),
		.enabled = f->enabled, .show_titles = f->show_titles };

	return services_text(by, f, &p.services, e) && status_page_set(by->db, by->a, &p, &who, by->now, e);
}
