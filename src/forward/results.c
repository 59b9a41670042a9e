/* results.c - what came of a round: stored together, told to the breaker, the log and the counters; what was given up is trouble of its own. */
#include "grapnel/log.h"

#include "forward_int.h"

static bool is_failure(const struct forward_end *x)
{
	return x->outcome == FORWARD_AGAIN || (x->outcome == FORWARD_DEAD && x->duration_us);
}

/* In a row. All rounds of a handler hear of it: many small ones may be under way at once. */
static void set_failures(struct round *of, uint64_t failures)
{
	for (struct round *r = of->f->rounds; r; r = r->next)
		if (r->target.source_id == of->target.source_id)
			r->failures = failures;
}

/* The breaker hears of each answer, in their order; a success is news only where something failed before. */
static bool tell_breaker(struct round *r, const struct forward_end *x, ms_t now, struct err *e)
{
	struct db *db = r->f->c.db;
	bool probe = r->probe;

	if (!is_failure(x) && x->outcome != FORWARD_DONE)
		return round_leave_probe(r, now, e);
	r->probe = false;
	if (is_failure(x)) {
		set_failures(r, r->failures + 1);
		return breaker_failed(db, BREAKER_HANDLER, r->target.source_id, probe, x->error, now, e);
	}
	if (!r->failures)
		return true;
	if (r->failures >= BREAKER_OPENS_AT)
		log_info("handler works again", LOG_STR("source", r->target.public_id));
	set_failures(r, 0);
	return breaker_succeeded(db, BREAKER_HANDLER, r->target.source_id, e);
}

static void tell_log(const struct round *r, const struct forward_end *x)
{
	if (x->outcome != FORWARD_AGAIN && x->outcome != FORWARD_DEAD)
		return;
	log_warning("event not forwarded", LOG_STR("source", r->target.public_id), LOG_U("event", x->claim.event_id),
		LOG_U("attempt", x->claim.number), LOG_STR("error", x->error), LOG_U("duration_ms", x->duration_us / 1000),
		LOG_S("next", x->outcome == FORWARD_DEAD ? "given up" : "again"));
}

static void tally(struct forwarder *f, const struct forward_end *x)
{
	static const struct {
		size_t offset;
		enum counter counter;
	} counted[] = {
		[FORWARD_DONE] = { offsetof(struct forward_tally, processed), C_FORWARDS },
		[FORWARD_AGAIN] = { offsetof(struct forward_tally, failed), C_FORWARDS_FAILED },
		[FORWARD_DEAD] = { offsetof(struct forward_tally, dead), C_FORWARDS_DEAD },
	};

	if (x->outcome > FORWARD_DEAD)
		return;
	++*(uint64_t *)(void *)((char *)&f->tally + counted[x->outcome].offset);
	if (f->c.shm)
		count(f->c.shm, counted[x->outcome].counter, 1);
}

/* One for each source; cron's job ends it when none of its events is dead any more. */
static bool raise_dead(struct round *r, const struct forward_end *x, size_t dead, ms_t now, struct err *e)
{
	const struct forward_target *t = &r->target;
	struct monitor_alert alert = { .id = id_make(r->f->c.ids, now), .tenant_id = t->tenant_id, .type = STR("DEAD_EVENTS"),
		.subject = t->public_id, .severity = MONITOR_ERROR, .value = (double)dead };

	if (!t->public_id.n)
		return true;	/* of a source that is not even deleted: nobody's */
	alert.message = arena_printf(r->arena, "Events of %.*s were given up: %.*s", STR_ARG(t->name), STR_ARG(x->error));
	alert.advice = STR("Mend the handler, then replay its dead events.");
	alert.traceparent = x->traceparent;
	return monitor_alert_raise(r->f->c.db, r->arena, r->f->c.ids, &alert, now, e) >= 0;
}

/* The ends that are to be stored. */
static struct forward_end *gather(struct round *r, size_t *n)
{
	struct forward_end *ends = ARENA_ARRAY(r->arena, struct forward_end, r->n);

	*n = 0;
	for (size_t i = 0; i < r->n; i++)
		if (r->attempts[i].state == ATTEMPT_ENDED)
			ends[(*n)++] = r->attempts[i].end;
	return ends;
}

static void forget_ended(struct round *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct attempt *t = &r->attempts[i];

		if (t->state != ATTEMPT_ENDED)
			continue;
		t->state = ATTEMPT_SETTLED;
		r->settled++;
		t->end.error = t->end.error.n ? arena_str(r->arena, t->end.error) : STR_NONE;
		arena_free(t->arena);
		t->arena = NULL;
	}
}

struct settling {
	struct round *r;
	const struct forward_end *ends, *last_dead;
	size_t n, dead;
	ms_t now;
};

/* What was processed before and is replayed was told before. */
static bool publish(struct db *db, const struct settling *s, struct err *e)
{
	struct published *list = ARENA_ARRAY(s->r->arena, struct published, s->n + 1);
	size_t n = 0, told;

	for (size_t i = 0; s->r->target.has_sinks && i < s->n; i++)
		if (s->ends[i].outcome == FORWARD_DONE && !s->ends[i].claim.again)
			list[n++] = (struct published){ s->ends[i].claim.event_id, s->ends[i].traceparent };
	return events_publish(db, s->r->arena, s->r->f->c.ids, list, n, s->now, &told, e);
}

/* What was given up is stored together with its news: whoever is killed in between has told nobody, and nobody else would. */
static bool settle_tx(struct db *db, void *ctx, struct err *e)
{
	const struct settling *s = ctx;
	struct round *r = s->r;

	return forward_finish(db, r->arena, s->ends, s->n, &r->by, s->now, e) && publish(db, s, e) &&
		(!s->dead || raise_dead(r, s->last_dead, s->dead, s->now, e));
}

bool round_settle(struct round *r, ms_t now, struct err *e)
{
	struct settling s = { .r = r, .now = now };
	bool ok = true;

	s.ends = gather(r, &s.n);
	if (!s.n)
		return true;
	for (size_t i = 0; i < s.n; i++)
		if (s.ends[i].outcome == FORWARD_DEAD) {
			s.last_dead = &s.ends[i];
			s.dead++;
		}
	if (!db_tx(r->f->c.db, settle_tx, &s, e))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		ok = tell_breaker(r, &s.ends[i], now, e) && ok;
		tell_log(r, &s.ends[i]);
		tally(r->f, &s.ends[i]);
	}
	forget_ended(r);
	return ok;
}

void round_give_back(struct round *r, ms_t now)
{
	for (size_t i = r->begun; i < r->n; i++)
		if (r->attempts[i].state == ATTEMPT_WAITS)
			attempt_end_unsent(r, i, FORWARD_NOT_SENT, STR_NONE, now);
	r->begun = r->n;
}

bool round_heed_breaker(struct round *r, ms_t now, struct err *e)
{
	struct breaker b = { 0 };

	if (r->begun == r->n || r->failures < BREAKER_OPENS_AT)
		return true;
	if (breaker_get(r->f->c.db, r->arena, BREAKER_HANDLER, r->target.source_id, &b, e) < 0)
		return false;
	if (!b.opened_at)
		return true;
	log_warning("handler is left alone: its breaker is open", LOG_STR("source", r->target.public_id), LOG_STR("error", b.error));
	round_give_back(r, now);
	return round_settle(r, now, e);
}

/* Those that are whole go. */
static void rounds_drop(struct forwarder *f)
{
	struct round **at = &f->rounds;

	while (*at) {
		struct round *r = *at;

		if (r->settled < r->n) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		round_free(r);
	}
}

bool rounds_settle(struct forwarder *f, ms_t now, struct err *e)
{
	bool ok = true;

	for (struct round *r = f->rounds; r && ok; r = r->next)
		ok = round_settle(r, now, e) && round_heed_breaker(r, now, e);
	rounds_drop(f);
	return ok;
}
