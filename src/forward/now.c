/* now.c - for somebody who waits: these events of a source at once, whatever their turn. */
#include "forward_int.h"

#define TURN_MS 200

/* The breaker is open: claimed all the same, so that the events say that they failed, and given back. */
static void refuse_all(struct round *r, ms_t now)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->attempts[i].state == ATTEMPT_WAITS)
			attempt_end_unsent(r, i, FORWARD_NOT_SENT, STR("The handler failed too often; its circuit breaker is open."), now);
	r->begun = r->n;
	r->refused = true;
}

static bool claim_these(struct round *r, struct str ids, uint64_t source_id, ms_t now, struct err *e)
{
	struct breaker b = { .kind = BREAKER_HANDLER, .target_id = source_id };
	struct forward_claim *claims;
	int may = 0;
	size_t n;

	if (breaker_get(r->f->c.db, r->arena, BREAKER_HANDLER, source_id, &b, e) < 0 || round_find_target(r, source_id, now, e) < 0)
		return false;
	if ((!b.opened_at || b.probe_at <= now) && (may = round_may_send(r, &b, now, e)) < 0)
		return false;
	round_hold(r, now);
	if (!forward_claim_these(r->f->c.db, r->arena, source_id, ids, &r->by, &claims, &n, e))
		return false;
	if (!n)
		return round_leave_probe(r, now, e);
	round_start(r, claims, n, now);
	if (!may)
		refuse_all(r, now);
	return true;
}

/* Until all of it has an end. */
static bool see_through(struct round *r, struct err *e)
{
	struct forwarder *f = r->f;

	while (r->settled < r->n) {
		ms_t now = clock_now();

		if (!rounds_begin(f, now, e))
			return false;
		if (f->under_way)
			sender_turn(f->c.sender, TURN_MS);
		now = clock_now();
		if (!round_settle(r, now, e) || !round_heed_breaker(r, now, e))
			return false;
	}
	return true;
}

static void tell_results(struct arena *a, const struct round *r, struct forward_result *events, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		events[i].processed = events[i].refused = events[i].taken = false;
		events[i].error = STR("It is being sent already.");
		for (size_t k = 0; k < r->n; k++) {
			const struct forward_end *x = &r->attempts[k].end;

			if (x->claim.event_id != events[i].event_id)
				continue;
			events[i].taken = true;
			events[i].refused = r->refused && x->outcome == FORWARD_NOT_SENT;
			events[i].processed = x->outcome == FORWARD_DONE || x->outcome == FORWARD_NOT_NEEDED;
			events[i].error = events[i].processed ? STR_NONE : x->error.n ? arena_str(a, x->error) :
				STR("It was not sent, since its handler fails.");
		}
	}
}

bool forwarder_now(struct forwarder *f, struct arena *a, uint64_t source_id, struct forward_result *events, size_t n, struct err *e)
{
	struct round *r = round_new(f);
	ms_t now = clock_now();
	bool ok = claim_these(r, JSON_IDS(a, events, n, event_id), source_id, now, e);
	bool taken = r->n > 0;

	ok = ok && see_through(r, e);
	tell_results(a, r, events, n);
	if (!taken) {
		round_free(r);
		return ok;
	}
	return forwarder_release(f, clock_now(), e) && ok;
}
