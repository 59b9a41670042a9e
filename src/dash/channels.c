/* channels.c - where people and programs are told of things, what they were told, and how that went. */
#include "channels.h"

#include "grapnel/json.h"
#include "tmpl.h"

#define NEWEST_SHOWN 10

/* ---- the list ---- */

static bool read_list(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next, struct err *e)
{
	return channel_view_list(v->by.db, v->a, v->by.tenant_id, cursor, limit, rows_r, n, next, e);
}

void page_channels(void *visit)
{
	struct visit *v = visit;
	struct channel_query q = CHANNEL_QUERY_NEW;
	struct list_source list = { "channels", channel_view_fields, sizeof(struct channel_view), read_list, &q };
	struct channels_page p = { 0 };

	if (!visit_query(v, channel_query_fields, &q) || !list_read(v, &list, q.cursor, q.limit, &p.channels, &p.channels_n, &p.nav))
		return;
	page_begin(v, &p.page, "Channels", "channels");
	PAGE_SEND(v, 200, tmpl_channels, &p);
}

void page_channel_kinds(void *visit)
{
	struct visit *v = visit;
	struct channel_kinds_page p = { 0 };
	size_t max = 0;

	while (channel_kinds[max])
		max++;
	p.kinds = ARENA_ARRAY(v->a, struct channel_kind_tile, max + 1);
	for (; p.kinds_n < max; p.kinds_n++)
		p.kinds[p.kinds_n] = (struct channel_kind_tile){ channel_kinds[p.kinds_n]->slug, channel_kinds[p.kinds_n]->title,
			channel_kinds[p.kinds_n]->help };
	page_begin(v, &p.page, "New channel", "channels");
	PAGE_SEND(v, 200, tmpl_channel_kinds, &p);
}

/* ---- one of them ---- */

/* False: answered. */
static bool find(struct visit *v, struct channel *out, struct channel_view *view)
{
	struct err e = { 0 };
	int found = channel_find(&v->by, v->match.params[0], out, &e);

	if (found != 1)
		return found ? visit_err(v, &e) : visit_not_found(v);
	channel_view_fill(v->a, out, view);
	return true;
}

void page_channel(void *visit)
{
	struct visit *v = visit;
	struct channel_page p = { 0 };
	struct channel c;
	struct sent_filter newest = { .limit = NEWEST_SHOWN };
	struct err e = { 0 };
	uint64_t next;

	if (!find(v, &c, &p.channel))
		return;
	newest.target_row = c.id;
	if (!channel_delivery_view_list(v->by.db, v->a, &newest, &p.deliveries, &p.deliveries_n, &next, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	p.more = next > 0;
	page_begin(v, &p.page, arena_cstr(v->a, c.name), "channels");
	PAGE_SEND(v, 200, tmpl_channel, &p);
}

void page_channel_test(void *visit)
{
	struct visit *v = visit;
	struct channel_tested t;
	struct err e = { 0 };

	if (!channel_test(&v->by, v->match.params[0], &t, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	if (t.success || !t.delivery.finished_at)
		visit_flash(v, arena_cstr(v->a, t.message), STR_NONE);
	else
		visit_flash_bad(v, arena_printf(v->a, "The test was not taken. %.*s", STR_ARG(t.message)).p);
	visit_redirect(v, "/channels/%.*s", STR_ARG(v->match.params[0]));
}

/* ---- what it was told ---- */

static bool read_deliveries(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next, struct err *e)
{
	struct sent_filter f = *(const struct sent_filter *)query;

	f.cursor = cursor;
	f.limit = limit;
	return channel_delivery_view_list(v->by.db, v->a, &f, rows_r, n, next, e);
}

void page_channel_deliveries(void *visit)
{
	struct visit *v = visit;
	struct channel c;
	struct sent_filter f = SENT_QUERY_NEW;
	struct list_source list = { "deliveries", channel_delivery_view_fields, sizeof(struct channel_delivery_view), read_deliveries, &f };
	struct channel_deliveries_page p = { 0 };

	if (!visit_query(v, channel_delivery_query_fields, &f) || !find(v, &c, &p.channel))
		return;
	f.target_row = c.id;
	if (!list_read(v, &list, f.cursor, f.limit, &p.deliveries, &p.deliveries_n, &p.nav))
		return;
	chips_of_words(v, "status", channel_delivery_words, f.statuses, &p.chips, &p.chips_n);
	p.filtered = f.statuses != 0;
	page_begin(v, &p.page, arena_printf(v->a, "Messages to %.*s", STR_ARG(c.name)).p, "channels");
	PAGE_SEND(v, 200, tmpl_channel_deliveries, &p);
}

void page_channel_delivery(void *visit)
{
	struct visit *v = visit;
	struct channel_delivery_page p = { 0 };
	struct channel c;
	struct err e = { 0 };
	uint64_t id;
	int found;

	if (!find(v, &c, &p.channel) || !visit_id(v, 1, &id))
		return;
	found = channel_delivery_view_get(v->by.db, v->a, c.id, id, &p.delivery, &e);
	if (found == 1 && !channel_attempt_view_list(v->by.db, v->a, id, &p.attempts, &p.attempts_n, &e))
		found = -1;
	if (found != 1) {
		found ? visit_err(v, &e) : visit_not_found(v);
		return;
	}
	page_begin(v, &p.page, "Message", "channels");
	PAGE_SEND(v, 200, tmpl_channel_delivery, &p);
}

/* ---- deleting ---- */

void page_channel_delete(void *visit)
{
	struct visit *v = visit;
	struct confirm c = { .page.section = "channels", .button = STR("Delete the channel") };
	struct channel_view view;
	struct channel row;

	if (!find(v, &row, &view))
		return;
	c.question = arena_printf(v->a, "Delete the channel %.*s?", STR_ARG(view.name));
	c.back = arena_printf(v->a, "/channels/%.*s", STR_ARG(view.id));
	c.action = arena_printf(v->a, "%.*s/delete", STR_ARG(c.back));
	c.facts[c.facts_n++] = STR("It is told nothing any more. What waits to be sent to it is given up.");
	c.facts[c.facts_n++] = STR("Its settings and its secret are gone. The audit log keeps that it was there.");
	visit_confirm(v, &c);
}

void page_channel_drop(void *visit)
{
	visit_remove(visit, channel_remove, "The channel is deleted.", "/channels");
}
