/* endpoints.c - outbound webhooks of whoever is signed in, and what was sent to them. */
#include "endpoints.h"

#include "grapnel/json.h"
#include "tmpl.h"

#define NEWEST_SHOWN 10
#define ONE_DAY "It is signed with both secrets for a day: bring the new one to the receiver in that time."

/* ---- the list ---- */

static bool read_list(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next, struct err *e)
{
	return endpoint_view_list(v->by.db, v->a, v->by.tenant_id, v->by.principal.user_id, cursor, limit, v->by.now, rows_r, n, next, e);
}

void page_endpoints(void *visit)
{
	struct visit *v = visit;
	struct endpoint_query q = ENDPOINT_QUERY_NEW;
	struct list_source list = { "endpoints", endpoint_view_fields, sizeof(struct endpoint_view), read_list, &q };
	struct endpoints_page p = { 0 };

	if (!visit_query(v, endpoint_query_fields, &q) || !list_read(v, &list, q.cursor, q.limit, &p.endpoints, &p.endpoints_n, &p.nav))
		return;
	page_begin(v, &p.page, "Endpoints", "endpoints");
	PAGE_SEND(v, 200, tmpl_endpoints, &p);
}

/* ---- one of them ---- */

/* False: answered. */
static bool find(struct visit *v, struct endpoint_view *out)
{
	struct err e = { 0 };
	int found = endpoint_view_get(v->by.db, v->a, v->by.tenant_id, v->by.principal.user_id, v->match.params[0], v->by.now, out, &e);

	return found == 1 || (found ? visit_err(v, &e) : visit_not_found(v));
}

void page_endpoint(void *visit)
{
	struct visit *v = visit;
	struct endpoint_page p = { 0 };
	struct sent_filter newest = { .limit = NEWEST_SHOWN };
	struct err e = { 0 };
	uint64_t next;

	if (!find(v, &p.endpoint))
		return;
	newest.target_row = p.endpoint.row;
	if (!endpoint_delivery_view_list(v->by.db, v->a, &newest, &p.deliveries, &p.deliveries_n, &next, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	p.more = next > 0;
	page_begin(v, &p.page, "Endpoint", "endpoints");
	PAGE_SEND(v, 200, tmpl_endpoint, &p);
}

void page_endpoint_test(void *visit)
{
	struct visit *v = visit;
	struct endpoint_tested t;
	struct err e = { 0 };

	if (!endpoint_test(&v->by, v->match.params[0], &t, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	if (t.success || !t.delivery.finished_at)
		visit_flash(v, arena_cstr(v->a, t.message), STR_NONE);
	else
		visit_flash_bad(v, arena_printf(v->a, "The test was not taken. %.*s", STR_ARG(t.message)).p);
	visit_redirect(v, "/endpoints/%.*s", STR_ARG(v->match.params[0]));
}

/* ---- its form ---- */

static struct str lines_of(struct visit *v, const struct json *list)
{
	struct strbuf b;

	strbuf_init(&b, v->a, ENDPOINT_EVENTS_MAX);
	for (const struct json *j = list ? list->first : NULL; j; j = j->next) {
		strbuf_adds(&b, b.n ? "\n" : "");
		strbuf_addstr(&b, json_text(j));
	}
	return strbuf_str(&b);
}

/* A switch stands behind a hidden `false`, so the last one counts. */
static bool switched(const struct visit *v, const char *name, bool otherwise)
{
	return str_eqs(visit_typed(v, name, otherwise ? STR("true") : STR("false")), "true");
}

static void show(struct visit *v, const struct endpoint_form *f, struct endpoint_form_page *p, const struct err *bad)
{
	size_t max = 0;

	page_begin(v, &p->page, arena_cstr(v->a, p->heading), "endpoints");
	if (bad && !page_blame(v, &p->page, bad))
		return;
	while (endpoint_events[max].word)
		max++;
	p->words = ARENA_ARRAY(v->a, struct endpoint_word, max + 1);
	for (; p->words_n < max; p->words_n++)
		p->words[p->words_n] = (struct endpoint_word){ endpoint_events[p->words_n].word, endpoint_events[p->words_n].title };
	p->url = visit_typed(v, "url", f->url);
	p->events = visit_typed(v, "events", lines_of(v, f->events));
	p->retries = switched(v, "retries", f->retries);
	p->enabled = switched(v, "enabled", f->enabled);
	p->drop_secret = switched(v, "_dropSecret", false);
	PAGE_SEND(v, bad ? err_status(bad->code) : 200, tmpl_endpoint_form, p);
}

/* The secret is not shown, so an empty field says nothing. */
static bool read(struct visit *v, enum form_mode mode, struct endpoint_form *f, struct err *e)
{
	if (!visit_form(v, endpoint_fields, mode, f, e))
		return false;
	if (switched(v, "_dropSecret", false))
		f->secret = STR("");
	else if (!f->secret.n)
		f->secret = STR_NONE;
	return true;
}

static void show_new(struct visit *v, const struct err *bad)
{
	struct endpoint_form f = ENDPOINT_FORM_NEW;
	struct endpoint_form_page p = { .heading = STR("New endpoint"), .back = STR("/endpoints"), .button = STR("Make the endpoint"),
		.action = STR("/endpoints"), .is_new = true };

	show(v, &f, &p, bad);
}

void page_endpoint_new(void *visit)
{
	show_new(visit, NULL);
}

void page_endpoint_create(void *visit)
{
	struct visit *v = visit;
	struct endpoint_form f = ENDPOINT_FORM_NEW;
	struct endpoint made;
	struct err e = { 0 };

	if (!read(v, FORM_NEW, &f, &e) || !endpoint_create(&v->by, &f, &made, &e)) {
		show_new(v, &e);
		return;
	}
	if (f.made_secret)
		visit_flash(v, "The endpoint is there. Its deliveries are signed with this secret; it is shown this once.", f.secret);
	else
		visit_flash(v, "The endpoint is there. Send it a test.", STR_NONE);
	visit_redirect(v, "/endpoints/%.*s", STR_ARG(made.public_id));
}

static void show_edit(struct visit *v, const struct err *bad)
{
	struct endpoint_form_page p = { .heading = STR("Change the endpoint"), .button = STR("Save") };
	struct endpoint_form f;
	struct endpoint ep;
	struct err e = { 0 };
	int found = endpoint_find(&v->by, v->match.params[0], &ep, &e);

	if (found != 1) {
		found < 0 ? visit_err(v, &e) : visit_not_found(v);
		return;
	}
	endpoint_to_form(&v->by, &ep, &f);
	p.has_secret = ep.has_secret;
	p.back = arena_printf(v->a, "/endpoints/%.*s", STR_ARG(ep.public_id));
	p.action = arena_printf(v->a, "%.*s/edit", STR_ARG(p.back));
	show(v, &f, &p, bad);
}

void page_endpoint_edit(void *visit)
{
	show_edit(visit, NULL);
}

static bool read_change(void *ctx, struct endpoint_form *f, struct err *e)
{
	return read(ctx, FORM_CHANGE, f, e);
}

void page_endpoint_change(void *visit)
{
	struct visit *v = visit;
	struct endpoint_form f;
	struct err e = { 0 };

	if (!endpoint_change(&v->by, v->match.params[0], read_change, v, &f, &e)) {
		show_edit(v, &e);
		return;
	}
	visit_flash(v, "Saved.", STR_NONE);
	visit_redirect(v, "/endpoints/%.*s", STR_ARG(v->match.params[0]));
}

static bool switch_on(void *ctx, struct endpoint_form *f, struct err *e)
{
	f->enabled = true;
	return true;
}

void page_endpoint_enable(void *visit)
{
	struct visit *v = visit;
	struct endpoint_form f;
	struct err e = { 0 };

	if (!endpoint_change(&v->by, v->match.params[0], switch_on, NULL, &f, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	visit_flash(v, "The endpoint is switched on.", STR_NONE);
	visit_redirect(v, "/endpoints/%.*s", STR_ARG(v->match.params[0]));
}

/* ---- a new secret ---- */

void page_endpoint_rotate(void *visit)
{
	struct visit *v = visit;
	struct confirm c = { .page.section = "endpoints", .button = STR("Make a new secret"), .harmless = true };
	struct endpoint_view ep;

	if (!find(v, &ep))
		return;
	c.question = STR("Make a new secret?");
	c.back = arena_printf(v->a, "/endpoints/%.*s", STR_ARG(ep.id));
	c.action = arena_printf(v->a, "%.*s/rotate-secret", STR_ARG(c.back));
	c.facts[c.facts_n++] = STR("It is shown this once.");
	c.facts[c.facts_n++] = ep.has_secret ? STR(ONE_DAY) : STR("Until now nothing was signed.");
	c.facts[c.facts_n++] = STR("X-Webhook-Signature has room for one: it is made with the new one from now on.");
	visit_confirm(v, &c);
}

void page_endpoint_rotate_post(void *visit)
{
	struct visit *v = visit;
	struct endpoint_rotate_form f = ENDPOINT_ROTATE_NEW;
	struct err e = { 0 };

	if (!endpoint_rotate_secret(&v->by, v->match.params[0], &f, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	visit_flash(v, "The new secret is in force; it is shown this once. " ONE_DAY, f.secret);
	visit_redirect(v, "/endpoints/%.*s", STR_ARG(v->match.params[0]));
}

/* ---- what was sent ---- */

static bool read_deliveries(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next, struct err *e)
{
	struct sent_filter f = *(const struct sent_filter *)query;

	f.cursor = cursor;
	f.limit = limit;
	return endpoint_delivery_view_list(v->by.db, v->a, &f, rows_r, n, next, e);
}

void page_endpoint_deliveries(void *visit)
{
	struct visit *v = visit;
	struct sent_filter f = SENT_QUERY_NEW;
	struct endpoint_deliveries_page p = { 0 };
	struct list_source list = { "deliveries", endpoint_delivery_view_fields, sizeof(struct endpoint_delivery_view), read_deliveries, &f };

	if (!visit_query(v, endpoint_delivery_query_fields, &f) || !find(v, &p.endpoint))
		return;
	f.target_row = p.endpoint.row;
	if (!list_read(v, &list, f.cursor, f.limit, &p.deliveries, &p.deliveries_n, &p.nav))
		return;
	chips_of_words(v, "status", endpoint_delivery_words, f.statuses, &p.chips, &p.chips_n);
	p.filtered = f.statuses != 0;
	page_begin(v, &p.page, "Deliveries", "endpoints");
	PAGE_SEND(v, 200, tmpl_endpoint_deliveries, &p);
}

/* Of that endpoint. False: answered. */
static bool find_delivery(struct visit *v, const struct endpoint_view *ep, struct endpoint_delivery_view *out)
{
	struct err e = { 0 };
	uint64_t id;
	int found;

	if (!visit_id(v, 1, &id))
		return false;
	found = endpoint_delivery_view_get(v->by.db, v->a, v->by.tenant_id, v->by.principal.user_id, id, out, &e);
	if (found == 1 && out->endpoint_row != ep->row)
		found = 0;
	return found == 1 || (found ? visit_err(v, &e) : visit_not_found(v));
}

void page_endpoint_delivery(void *visit)
{
	struct visit *v = visit;
	struct endpoint_delivery_page p = { 0 };
	struct err e = { 0 };

	if (!find(v, &p.endpoint) || !find_delivery(v, &p.endpoint, &p.delivery))
		return;
	if (!channel_attempt_view_list(v->by.db, v->a, p.delivery.id, &p.attempts, &p.attempts_n, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	page_begin(v, &p.page, "Delivery", "endpoints");
	PAGE_SEND(v, 200, tmpl_endpoint_delivery, &p);
}

void page_endpoint_redeliver(void *visit)
{
	struct visit *v = visit;
	struct endpoint_delivery_view d;
	struct endpoint_view ep;
	struct err e = { 0 };

	if (!find(v, &ep) || !find_delivery(v, &ep, &d))
		return;
	if (delivery_redeliver(&v->by, d.id, &d, &e))
		visit_flash(v, "It is sent now.", STR_NONE);
	else if (e.code == ERR_CONFLICT)
		visit_flash_bad(v, err_told(v->a, &e));
	else {
		(void)visit_err(v, &e);
		return;
	}
	visit_redirect(v, "/endpoints/%.*s/deliveries/%llu", STR_ARG(ep.id), (unsigned long long)d.id);
}

/* ---- deleting ---- */

void page_endpoint_delete(void *visit)
{
	struct visit *v = visit;
	struct confirm c = { .page.section = "endpoints", .button = STR("Delete the endpoint") };
	struct endpoint_view ep;

	if (!find(v, &ep))
		return;
	c.question = arena_printf(v->a, "Delete the endpoint %.*s?", STR_ARG(str_cut(ep.url, 200)));
	c.back = arena_printf(v->a, "/endpoints/%.*s", STR_ARG(ep.id));
	c.action = arena_printf(v->a, "%.*s/delete", STR_ARG(c.back));
	c.facts[c.facts_n++] = STR("It is told nothing any more. What is pending has failed.");
	c.facts[c.facts_n++] = STR("Its secret is gone. The history keeps what was sent to it.");
	visit_confirm(v, &c);
}

void page_endpoint_drop(void *visit)
{
	visit_remove(visit, endpoint_remove, "The endpoint is deleted.", "/endpoints");
}
