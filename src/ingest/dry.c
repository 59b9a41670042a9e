/* dry.c - a request in hand, without a database: what it would become and what its sender would be told.
 *
 * The stages are the pipeline's own, so the answer is what ingest would give; only what a source decides is left out: its proof,
 * limits and actions. Each event is told as if it were new and met the incident that it speaks of. */
#include "ingest_int.h"

#define DRY_NUMBER 1	/* of each event and incident: nothing is stored */

static void tell_event(const struct provider *p, struct plan *pl, ms_t now)
{
	const struct event *ev = pl->ev;
	struct key_state state = { 0 };

	if (ev->invalid)
		return;
	pl->number = DRY_NUMBER;
	if (!(p->actions & DO_INCIDENT) || ev->action == ACTION_IGNORE || !ev->dedup_key.n)
		return;
	if (ev->action != ACTION_TRIGGER)
		state = (struct key_state){ .incident = DRY_NUMBER, .status = INCIDENT_OPEN };
	pl->change = incident_decide(&state, ev, now, now, DRY_NUMBER);
	pl->incident = state.incident;
	pl->incident_status = state.status;
}

void ingest_dry(struct arena *a, const struct provider *p, const struct inbound *in, struct ingest_dry *out)
{
	struct ingest_item item = { .in = *in, .too_large = in->body.n > provider_body_max(p) };
	struct ingest_work w = { .item = &item, .provider = provider_for(p, in), .raw = in->body };

	if (work_gate(a, &w) && work_open(a, &w))
		for (size_t i = 0; i < w.plan_n; i++)
			tell_event(p, &w.plans[i], in->now);
	work_answer(a, &w);
	*out = (struct ingest_dry){ .refusal = w.refusal, .answer = item.answer, .handshake = w.answered, .event_n = w.plan_n,
		.events = ARENA_ARRAY(a, const struct event *, w.plan_n) };
	for (size_t i = 0; i < w.plan_n; i++)
		out->events[i] = w.plans[i].ev;
}
