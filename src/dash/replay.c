/* replay.c - events once more: one that is not done, by a button; those of a filter, after a page that says how many these are. */
#include <inttypes.h>

#include "tasks.h"

#define SAMPLE_SHOWN 3

void page_event_retry(void *visit)
{
	struct visit *v = visit;
	struct event_view ev;
	struct err e = { 0 };
	uint64_t id;

	if (!visit_id(v, 0, &id))
		return;
	if (event_retry_by(&v->by, id, &ev, &e))
		visit_flash(v, "What is left to do of it is done now.", STR_NONE);
	else if (e.code == ERR_CONFLICT)
		visit_flash_bad(v, err_told(v->a, &e));
	else {
		(void)visit_err(v, &e);
		return;
	}
	visit_redirect(v, "/events/%" PRIu64, id);
}

/* ---- those of a filter ---- */

/* The filter of the page goes on to the form as it was typed. */
static void keep_filter(struct visit *v, struct confirm *c)
{
	struct str rest = v->rq->query, name, value;

	while (form_next(v->a, &rest, &name, &value) && c->fields_n < ARRAY_SIZE(c->fields))
		if (value.n && !str_eqs(name, "cursor") && !str_eqs(name, "limit"))
			c->fields[c->fields_n++] = (struct hidden_field){ name, value };
}

static struct str sample_text(struct visit *v, const struct event_replay_look *look)
{
	struct strbuf b;

	strbuf_init(&b, v->a, 8 * 1024);
	strbuf_addf(&b, look->sample_n > 1 ? "The newest: " : "It is: ");
	for (size_t i = 0; i < look->sample_n && i < SAMPLE_SHOWN; i++)
		strbuf_addf(&b, "%s%.*s (%.*s)", i ? "; " : "", STR_ARG(str_cut(look->sample[i].summary, 80)), STR_ARG(look->sample[i].status));
	return strbuf_str(&b);
}

static void ask(struct visit *v, const struct event_replay_look *look, struct str back)
{
	struct confirm c = { .action = STR("/events/replay"), .button = STR("Replay"), .back = back, .harmless = true };
	uint64_t n = look->count;

	c.page.section = "events";
	c.question = n == 1 && !look->more ? STR("Replay this event?") :
		arena_printf(v->a, "Replay %s%" PRIu64 " events?", look->more ? "more than " : "", n);
	c.facts[c.facts_n++] = sample_text(v, look);
	c.facts[c.facts_n++] = STR("Where the integration has a handler, it gets them again, the oldest first, also those that it has taken before.");
	c.facts[c.facts_n++] = STR("Incidents and records are not made twice; events of which nothing is left to do are passed over.");
	c.facts[c.facts_n++] = STR("It is done in the background; its page shows how far it is, and can cancel it.");
	keep_filter(v, &c);
	/* The number of the task stands in the form: sent twice, it is one task. */
	c.fields[c.fields_n < ARRAY_SIZE(c.fields) ? c.fields_n++ : c.fields_n - 1] = (struct hidden_field){ STR("_task"),
		arena_printf(v->a, "%" PRIu64, id_make(v->by.ids, v->by.now)) };
	visit_confirm(v, &c);
}

void page_replay_ask(void *visit)
{
	struct visit *v = visit;
	struct event_replay_form f = { .filter = NULL };
	struct event_replay_look look;
	struct err e = { 0 };
	struct str back;

	if (!form_read_query(v->a, v->rq->query, event_query_fields, NULL, &f.q, &e) || !event_replay_read(&v->by, &f, &e) ||
		!event_replay_look(&v->by, &f, &look, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	back = event_filter_query(v->a, &f.q.f);
	back = arena_printf(v->a, "/events%s%.*s", back.n ? "?" : "", STR_ARG(back));
	if (!look.count && !look.more) {
		visit_flash_bad(v, "No event matches, so there is nothing to replay.");
		visit_redirect(v, "%.*s", STR_ARG(back));
		return;
	}
	ask(v, &look, back);
}

void page_replay(void *visit)
{
	struct visit *v = visit;
	struct event_replay_form f = { .filter = NULL };
	struct task_view t;
	struct err e = { 0 };
	uint64_t id;

	if (!str_u64(visit_posted(v, "_task"), &id) || !id || id > INT64_MAX)
		id = id_make(v->by.ids, v->by.now);
	if (!visit_form(v, event_replay_fields, FORM_NEW, &f, &e) || !event_replay_read(&v->by, &f, &e) ||
		!event_replay_by(&v->by, &f, id, &t, &e)) {
		(void)visit_err(v, &e);
		return;
	}
	visit_redirect(v, "/tasks/%" PRIu64, t.id);
}
