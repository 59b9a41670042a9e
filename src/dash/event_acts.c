/* event_acts.c - what an administrator does to one event: the acts of the monitor, with this one event. */
#include <inttypes.h>

#include "events.h"

#include "grapnel/json.h"

static bool act_on(struct visit *v, const char *name, uint64_t id, struct monitor_acted *x, struct err *e)
{
	struct str number = arena_printf(v->a, "%" PRIu64, id);
	struct json *ids = json_new(v->a, JSON_ARRAY);
	struct monitor_params p = { 0 };

	json_add(ids, STR_NONE, json_new_str(v->a, number));
	if (!strcmp(name, "delete-event"))
		p.event_id = number;
	else
		p.event_ids = ids;
	return monitor_act_by(&v->by, monitor_act_find(str_of(name)), &p, x, e);
}

/* Said on the page that follows; false: answered. */
static bool done(struct visit *v, const char *name, uint64_t id, const char *sentence)
{
	struct monitor_acted x = { 0 };
	struct err e = { 0 };

	if (!act_on(v, name, id, &x, &e)) {
		if (e.code != ERR_CONFLICT)
			return visit_err(v, &e);
		visit_flash_bad(v, err_told(v->a, &e));
		return true;
	}
	if (x.results_n && !x.results[0].success)
		visit_flash_bad(v, arena_cstr(v->a, x.results[0].message.n ? x.results[0].message : STR("It could not be done.")));
	else
		visit_flash(v, sentence, STR_NONE);
	return true;
}

void page_event_settle(void *visit)
{
	struct visit *v = visit;
	uint64_t id;

	if (visit_id(v, 0, &id) && done(v, "mark-processed", id, "It counts as processed, and is sent to nobody any more."))
		visit_redirect(v, "/events/%" PRIu64, id);
}

void page_event_delete(void *visit)
{
	struct visit *v = visit;
	struct confirm c = { .button = STR("Delete it") };
	struct event_detail d;
	struct err e = { 0 };
	uint64_t id;
	int found;

	if (!visit_id(v, 0, &id))
		return;
	found = event_view_get(v->by.db, v->a, v->by.tenant_id, id, &d, &e);
	if (found != 1) {
		(void)(found < 0 ? visit_err(v, &e) : visit_not_found(v));
		return;
	}
	c.page.section = "events";
	c.question = arena_printf(v->a, "Delete the event %.*s?", STR_ARG(str_cut(d.event.summary, 80)));
	c.facts[c.facts_n++] = STR("It goes for good, with its attempts and its alert; its request stays in the log.");
	if (d.event.incident_id)
		c.facts[c.facts_n++] = STR("The incident that it opened or joined stays as it is.");
	c.facts[c.facts_n++] = STR("Its sender may send it anew: then it is a new event.");
	c.action = arena_printf(v->a, "/events/%" PRIu64 "/delete", id);
	c.back = arena_printf(v->a, "/events/%" PRIu64, id);
	visit_confirm(v, &c);
}

void page_event_drop(void *visit)
{
	struct visit *v = visit;
	uint64_t id;

	if (visit_id(v, 0, &id) && done(v, "delete-event", id, "The event is deleted."))
		visit_redirect(v, "/events");
}
