/* status.c - the public status page of a tenant and its feed: no sign-in, nothing of a person, the same for everybody, so caches may keep it.
 *
 * A page that nobody looks at costs nothing, and one that everybody looks at is made twice a minute: Cache-Control says so, and whoever comes back
 * with the ETag of what he has is answered without a body. No times that count up stand in it, so equal states are equal bytes. */
#include "status.h"

#include "dash_int.h"
#include "grapnel/crypto.h"
#include "tmpl.h"

#define CACHE "public, max-age=30"
#define ETAG_BYTES 8

struct asked {
	struct status_page page;
	struct status_view view;
	struct str url;
};

/* False: answered. */
static bool find(struct visit *v, struct asked *x)
{
	struct err e = { 0 };
	int found = status_page_by_slug(v->by.db, v->a, v->match.params[0], &x->page, &e);

	if (found != 1)
		return found ? visit_err(v, &e) : visit_not_found(v);
	x->url = arena_printf(v->a, "%s/status/%.*s", v->by.conf->server.public_url, STR_ARG(x->page.slug));
	return status_view_get(v->by.db, v->a, &x->page, v->by.now, &x->view, &e) || visit_err(v, &e);
}

/* What was sent before is not sent again. */
static void let_caches_keep(struct visit *v)
{
	struct response *r = &v->rq->response;
	unsigned char hash[SHA256_BYTES];
	struct str etag;

	sha256(r->body, hash);
	etag = arena_printf(v->a, "\"%.*s\"", STR_ARG(hex_encode(v->a, hash, ETAG_BYTES)));
	response_header(v->rq, "Cache-Control", STR(CACHE));
	response_header(v->rq, "ETag", etag);
	if (request_has(v->rq, etag)) {
		r->status = 304;
		r->body = STR_NONE;
	}
}

/* "2026-01-02 03:04 UTC" */
static struct str minute(struct visit *v, ms_t t)
{
	char text[TIME_TEXT];

	if (!t)
		return STR_NONE;
	time_format(t, text);
	return arena_printf(v->a, "%.10s %.5s UTC", text, text + 11);
}

/* ---- the page ---- */

static struct status_line *lines(struct visit *v, const struct status_incident *list, size_t n)
{
	struct status_line *out = ARENA_ARRAY(v->a, struct status_line, n + 1);

	for (size_t i = 0; i < n; i++)
		out[i] = (struct status_line){ list[i], minute(v, list[i].opened_at), minute(v, list[i].resolved_at) };
	return out;
}

static struct status_window *windows(struct visit *v, const struct status_view *s)
{
	struct status_window *out = ARENA_ARRAY(v->a, struct status_window, s->maintenance_n + 1);

	for (size_t i = 0; i < s->maintenance_n; i++)
		out[i] = (struct status_window){ s->maintenance[i], minute(v, s->maintenance[i].from), minute(v, s->maintenance[i].to) };
	return out;
}

static const char *banner(enum service_state worst)
{
	return worst <= SERVICE_MAINTENANCE ? "ok" : worst == SERVICE_DEGRADED ? "warn" : "bad";
}

void page_status(void *visit)
{
	struct visit *v = visit;
	struct public_status_page p = { .days = STATUS_PAST_DAYS };
	struct asked x;

	if (!find(v, &x))
		return;
	p.title = x.page.title;
	p.about = x.page.about;
	p.summary = x.view.summary;
	p.banner = banner(x.view.worst);
	p.feed_url = arena_printf(v->a, "%.*s/feed.atom", STR_ARG(x.url));
	p.services = x.view.services;
	p.services_n = x.view.service_n;
	p.open = lines(v, x.view.open, x.view.open_n);
	p.open_n = x.view.open_n;
	p.past = lines(v, x.view.past, x.view.past_n);
	p.past_n = x.view.past_n;
	p.maintenance = windows(v, &x.view);
	p.maintenance_n = x.view.maintenance_n;
	page_begin(v, &p.page, "Status", "");
	PAGE_SEND(v, 200, tmpl_status, &p);
	let_caches_keep(v);
}

/* ---- the feed: Atom, RFC 4287 ---- */

static void element(struct html_out *o, const char *name, struct str text)
{
	strbuf_addf(&o->b, "<%s>", name);
	html_text_str(o, text);
	strbuf_addf(&o->b, "</%s>\n", name);
}

static void moment(struct html_out *o, const char *name, ms_t t)
{
	char text[TIME_TEXT];

	element(o, name, str_of(time_format(t, text)));
}

static void entry(struct html_out *o, const struct asked *x, const struct status_incident *i)
{
	html_lit(o, "<entry>\n", 8);
	element(o, "id", arena_printf(o->a, "%.*s#incident-%llu", STR_ARG(x->url), (unsigned long long)i->id));
	element(o, "title", arena_printf(o->a, "%.*s: %.*s", STR_ARG(i->status), STR_ARG(i->title)));
	moment(o, "published", i->opened_at);
	moment(o, "updated", i->updated_at);
	strbuf_adds(&o->b, "<link href=\"");
	html_attr_str(o, x->url);
	strbuf_adds(&o->b, "\"/>\n");
	element(o, "summary", arena_printf(o->a, "%.*s: %.*s.", STR_ARG(i->service), STR_ARG(i->state_text)));
	html_lit(o, "</entry>\n", 9);
}

/* Of a window that recurs each time is an entry of its own. */
static void window_entry(struct visit *v, struct html_out *o, const struct asked *x, const struct status_maintenance *m)
{
	html_lit(o, "<entry>\n", 8);
	element(o, "id", arena_printf(o->a, "%.*s#%.*s-%lld", STR_ARG(x->url), STR_ARG(m->id), (long long)(m->from / MS_PER_SECOND)));
	element(o, "title", arena_printf(o->a, "%s: %.*s", m->runs ? "Now" : "Planned", STR_ARG(m->title)));
	moment(o, "updated", m->updated_at);
	strbuf_adds(&o->b, "<link href=\"");
	html_attr_str(o, x->url);
	strbuf_adds(&o->b, "\"/>\n");
	element(o, "summary", arena_printf(o->a, "%.*s: under maintenance from %.*s to %.*s.", STR_ARG(m->services), STR_ARG(minute(v, m->from)), STR_ARG(minute(v, m->to))));
	html_lit(o, "</entry>\n", 9);
}

void status_feed(void *visit)
{
	struct visit *v = visit;
	struct html_out o;
	struct asked x;

	if (!find(v, &x))
		return;
	html_init(&o, v->a, v->by.now);
	strbuf_adds(&o.b, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n");
	element(&o, "id", x.url);
	element(&o, "title", x.page.title);
	element(&o, "subtitle", x.view.summary);
	moment(&o, "updated", x.view.updated_at);
	strbuf_adds(&o.b, "<author><name>");
	html_text_str(&o, x.page.title);
	strbuf_adds(&o.b, "</name></author>\n<link rel=\"self\" href=\"");
	html_attr_str(&o, arena_printf(v->a, "%.*s/feed.atom", STR_ARG(x.url)));
	strbuf_adds(&o.b, "\"/>\n");
	for (size_t i = 0; i < x.view.maintenance_n; i++)
		window_entry(v, &o, &x, &x.view.maintenance[i]);
	for (size_t i = 0; i < x.view.open_n; i++)
		entry(&o, &x, &x.view.open[i]);
	for (size_t i = 0; i < x.view.past_n; i++)
		entry(&o, &x, &x.view.past[i]);
	strbuf_adds(&o.b, "</feed>\n");
	v->rq->response.status = 200;
	v->rq->response.content_type = "application/atom+xml; charset=utf-8";
	v->rq->response.body = strbuf_str(&o.b);
	let_caches_keep(v);
}
