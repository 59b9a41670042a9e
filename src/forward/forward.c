/* forward.c - claims, requests and results of one forwarder.
 *
 * A *round* is what one claim brought: events of one handler, held together under one owner and lease. Its attempts begin as there is room,
 * at most FORWARD_IN_FLIGHT to the handler; what has ended is stored together; what has not begun is given back when the breaker opens.
 * A forwarder that is killed leaves its rounds held until their lease ends, and then anybody takes them. */
#include "grapnel/forward.h"

#include "grapnel/log.h"

#define SOURCES_MAX 64			/* handlers looked at in one take: as many as can be in flight */
#define LEASE_MARGIN_MS (30 * MS_PER_SECOND)	/* for the database, and for clocks that differ */
#define BEGIN_MARGIN_MS (5 * MS_PER_SECOND)	/* a lease that ends sooner after the timeout is none any more */
#define ARENA_MAX ((size_t)256 << 20)	/* of one attempt: a body of 25 MiB, read, as a tree and written */
#define ROUND_ARENA_MAX ((size_t)4 << 20)
#define JITTER_PERCENT 10		/* what failed together comes back spread */
#define RETRY_AFTER_MAX_S 3600
#define TURN_MS 200
#define STORE_AT_ONCE 32	/* results; fewer wait for others, since a commit costs more than a request to a near handler... */
#define STORE_WITHIN_US 10000	/* ...so long */

enum attempt_state { ATTEMPT_WAITS, ATTEMPT_UNDER_WAY, ATTEMPT_ENDED, ATTEMPT_SETTLED };

struct attempt {
	struct round *round;
	struct forward_end end;
	enum attempt_state state;
	struct arena *arena;		/* of body and result, from its begin to its being settled */
	size_t bytes;
	int64_t began_us, ended_us;
};

struct round {
	struct round *next;
	struct forwarder *f;
	struct arena *arena;
	struct forward_target target;
	struct forward_claimer by;
	uint64_t failures;		/* the handler's, as the breaker knew them */
	bool probe;
	struct attempt *attempts;
	size_t n, begun, under_way, settled;
};

struct forwarder {
	struct forward_config c;
	struct round *rounds;
	size_t under_way;		/* requests */
	size_t bytes;			/* of their bodies */
	struct forward_tally tally;
};

struct forwarder *forwarder_new(const struct forward_config *c)
{
	struct forwarder *f = xcalloc(1, sizeof(*f));

	f->c = *c;
	return f;
}

static void round_free(struct round *r)
{
	for (size_t i = 0; i < r->n; i++)
		arena_free(r->attempts[i].arena);
	arena_free(r->arena);
	free(r);
}

void forwarder_free(struct forwarder *f)
{
	if (!f)
		return;
	while (f->rounds) {
		struct round *r = f->rounds;

		f->rounds = r->next;
		round_free(r);
	}
	free(f);
}

size_t forwarder_busy(const struct forwarder *f)
{
	size_t n = 0;

	for (const struct round *r = f->rounds; r; r = r->next)
		n += r->n - r->settled;
	return n;
}

struct forward_tally forwarder_tally(const struct forwarder *f)
{
	return f->tally;
}

static uint64_t make_owner(void)
{
	uint64_t owner;

	random_bytes(&owner, sizeof(owner));
	return owner >> 1 | 1;
}

/* All rounds of a claim of FORWARD_CLAIM, one after the other, and then some. */
static ms_t lease_ms(const struct forwarder *f)
{
	return (FORWARD_CLAIM / FORWARD_IN_FLIGHT) * (ms_t)f->c.timeout_ms + LEASE_MARGIN_MS;
}

/* ---- one attempt ---- */

/* 60 s x 2^(n-1) after the nth, or what the handler asks for. */
static ms_t wait_ms(const struct forward_target *t, uint64_t failed_before, uint64_t retry_after_s)
{
	ms_t ms = (ms_t)t->backoff_s * MS_PER_SECOND;
	uint32_t chance;

	while (failed_before-- && ms < FORWARD_WAIT_MAX_MS)
		ms *= 2;
	if (retry_after_s > RETRY_AFTER_MAX_S)
		retry_after_s = RETRY_AFTER_MAX_S;
	if (ms < (ms_t)retry_after_s * MS_PER_SECOND)
		ms = (ms_t)retry_after_s * MS_PER_SECOND;
	if (ms > FORWARD_WAIT_MAX_MS)
		ms = FORWARD_WAIT_MAX_MS;
	random_bytes(&chance, sizeof(chance));
	return ms + ms * JITTER_PERCENT / 100 * (chance % 1000) / 1000;
}

static struct str reason(struct arena *a, const struct send_result *x)
{
	if (x->error)
		return arena_str(a, str_of(x->error));
	if (x->status >= 300 && x->status < 400)
		return arena_printf(a, "The handler answered %u; redirects are not followed.", x->status);
	return arena_printf(a, "The handler answered %u.", x->status);
}

static void fail(struct attempt *t, struct str error, uint64_t retry_after_s)
{
	const struct forward_target *target = &t->round->target;
	struct forward_end *end = &t->end;
	uint64_t tries = end->claim.tries;

	end->error = error;
	end->outcome = tries >= target->max_retries ? FORWARD_DEAD : FORWARD_AGAIN;
	end->next_at = end->started_at + (ms_t)(end->duration_us / 1000) + wait_ms(target, tries, retry_after_s);
}

static void on_done(void *ctx, const struct send_result *x)
{
	struct attempt *t = ctx;
	struct forward_end *end = &t->end;
	struct forwarder *f = t->round->f;

	t->ended_us = clock_mono_us();
	end->duration_us = (uint64_t)(t->ended_us - t->began_us);
	end->status = x->error ? 0 : x->status;
	end->answer = arena_str(t->arena, x->body);
	end->traceparent = arena_str(t->arena, x->traceparent);
	if (!x->error && x->status >= 200 && x->status < 300)
		end->outcome = FORWARD_DONE;
	else
		fail(t, reason(t->arena, x), x->retry_after_s);
	t->state = ATTEMPT_ENDED;
	t->round->under_way--;
	f->under_way--;
	f->bytes -= t->bytes;
}

static void add(struct header *h, size_t *n, const char *name, struct str value)
{
	if (value.n)
		h[(*n)++] = (struct header){ str_of(name), value };
}

static void post(struct attempt *t, const struct event_view *ev, const struct request_view *rq, struct str body, ms_t now)
{
	const struct send_cause cause = { .traceparent = rq->traceparent, .request = rq->id, .event = ev->id, .source = ev->source_id,
		.provider = ev->provider, .attempt = (unsigned)t->end.claim.number };
	const struct forward_target *target = &t->round->target;
	struct str id = arena_printf(t->arena, "%llu", (unsigned long long)t->end.claim.event_id);
	struct header headers[SIGN_HEADERS + 2];
	size_t n = sign_headers(t->arena, target->secret, STR_NONE, id, STR("event.received"), body, now, headers);
	struct forwarder *f = t->round->f;

	add(headers, &n, "Content-Type", STR("application/json"));
	add(headers, &n, "X-Request-Id", rq->trace);
	t->bytes = body.n;
	f->bytes += body.n;
	send_begin(f->c.sender, &(struct send){ .url = target->url, .headers = headers, .header_n = n, .body = body,
		.keep = FORWARD_ANSWER_MAX, .total_ms = f->c.timeout_ms, .cause = &cause, .done = on_done, .ctx = t });
}

/* False: the database failed, and nothing was begun. */
static bool begin(struct attempt *t, ms_t now, struct err *e)
{
	struct forward_end *end = &t->end;
	struct request_view rq;
	struct event_view ev;
	struct str body;
	int found;

	t->arena = arena_new(ARENA_MAX);
	found = event_view_received(t->round->f->c.db, t->arena, end->claim.event_id, &ev, &rq, e);
	if (found < 0) {
		arena_free(t->arena);
		t->arena = NULL;
		return false;
	}
	end->started_at = now;
	t->began_us = clock_mono_us();
	t->round->begun++;
	body = found ? forward_body(t->arena, &ev, &rq) : STR_NONE;
	if (!body.n) {	/* deleted a moment ago, or too large for us */
		t->state = ATTEMPT_ENDED;
		end->outcome = FORWARD_DEAD;
		end->error = STR("The event cannot be put into a message.");
		return true;
	}
	t->state = ATTEMPT_UNDER_WAY;
	t->round->under_way++;
	t->round->f->under_way++;
	post(t, &ev, &rq, body, now);
	return true;
}

/* ---- rounds ---- */

static size_t in_flight(const struct forwarder *f, uint64_t source_id)
{
	size_t n = 0;

	for (const struct round *r = f->rounds; r; r = r->next)
		if (r->target.source_id == source_id)
			n += r->under_way;
	return n;
}

/* A handler that has begun to fail gets no more at once than its breaker lets fail. */
static size_t room_for(const struct round *r)
{
	if (!r->failures)
		return FORWARD_IN_FLIGHT;
	return r->failures < BREAKER_OPENS_AT ? BREAKER_OPENS_AT - r->failures : 1;
}

static bool has_room(const struct round *r)
{
	const struct forwarder *f = r->f;

	return in_flight(f, r->target.source_id) < room_for(r) && sender_busy(f->c.sender) < SEND_MAX && f->bytes < FORWARD_BYTES_MAX;
}

/* An end without a request. */
static void settle_unsent(struct round *r, size_t i, enum forward_outcome outcome, struct str error, ms_t now)
{
	struct attempt *t = &r->attempts[i];

	t->state = ATTEMPT_ENDED;
	t->end.outcome = outcome;
	t->end.error = error;
	t->end.started_at = t->end.next_at = now;
}

/* A lease that ends while the handler may still think about it is given back: somebody else would send it as well. */
static bool has_lease(const struct round *r, ms_t now)
{
	return now + r->f->c.timeout_ms + BEGIN_MARGIN_MS <= r->by.until;
}

/* Begins what waits, as far as there is room. */
static bool begin_all(struct forwarder *f, ms_t now, struct err *e)
{
	for (struct round *r = f->rounds; r; r = r->next)
		while (r->begun < r->n && has_room(r))
			if (r->attempts[r->begun].state != ATTEMPT_WAITS)
				r->begun++;	/* settled without being sent */
			else if (!has_lease(r, now))
				settle_unsent(r, r->begun, FORWARD_NOT_SENT, STR_NONE, now);
			else if (!begin(&r->attempts[r->begun], now, e))
				return false;
	return true;
}

/* What is not to be sent at all. */
static void judge(struct round *r, ms_t now)
{
	const struct forward_target *t = &r->target;

	for (size_t i = 0; i < r->n; i++) {
		if (t->deleted)
			settle_unsent(r, i, FORWARD_DEAD, STR("Its integration was deleted."), now);
		else if (!(t->actions & DO_FORWARD) || !t->url.n)
			settle_unsent(r, i, FORWARD_NOT_NEEDED, STR_NONE, now);
		else if (t->secret_lost)
			settle_unsent(r, i, FORWARD_DEAD, STR("The secret that signs it does not open under our keys."), now);
		else if (r->attempts[i].end.claim.lost > FORWARD_LOST_MAX)
			settle_unsent(r, i, FORWARD_DEAD, STR("Whoever sent it ended each time before the handler answered."), now);
	}
}

static struct round *round_new(struct forwarder *f)
{
	struct round *r = xcalloc(1, sizeof(*r));

	r->f = f;
	r->arena = arena_new(ROUND_ARENA_MAX);
	r->by = (struct forward_claimer){ .owner = make_owner(), .slot = f->c.ids->worker };
	return r;
}

/* Takes over what was claimed. */
static void round_start(struct round *r, const struct forward_claim *claims, size_t n, ms_t now)
{
	struct forwarder *f = r->f;

	r->n = n;
	r->attempts = ARENA_ARRAY(r->arena, struct attempt, n);
	for (size_t i = 0; i < n; i++)
		r->attempts[i] = (struct attempt){ .round = r, .end.claim = claims[i] };
	judge(r, now);
	r->next = f->rounds;
	f->rounds = r;
}

/* 1 there is a target, 0 there is nothing to do with that source any more but to drop its rows, -1 failed. */
static int find_target(struct round *r, uint64_t source_id, ms_t now, struct err *e)
{
	int found = forward_target(r->f->c.db, r->arena, r->f->c.seal, source_id, now, &r->target, e);

	if (!found)
		r->target = (struct forward_target){ .source_id = source_id, .deleted = true };
	return found;
}

static void hold(struct round *r, ms_t now)
{
	r->by.now = now;
	r->by.until = now + lease_ms(r->f);
}

static bool claim_due(struct round *r, uint64_t source_id, size_t limit, ms_t now, struct err *e)
{
	struct forward_claim *claims;
	size_t n;

	hold(r, now);
	if (find_target(r, source_id, now, e) < 0 ||
		!forward_claim(r->f->c.db, r->arena, source_id, &r->by, limit, &claims, &n, e))
		return false;
	if (n)
		round_start(r, claims, n, now);
	return true;
}

/* Whoever gets the probe sends one event; a breaker is not asked where nothing would be sent. */
static int may_send(struct round *r, const struct breaker *b, ms_t now, struct err *e)
{
	int ours;

	r->failures = b->failures;
	if (!b->opened_at)
		return 1;
	ours = breaker_probe(r->f->c.db, b, now + lease_ms(r->f), e);
	r->probe = ours == 1;
	return ours;
}

static bool waits(const struct forwarder *f, uint64_t source_id)
{
	for (const struct round *r = f->rounds; r; r = r->next)
		if (r->target.source_id == source_id && (r->begun < r->n || r->probe))
			return true;
	return false;
}

static bool take_source(struct forwarder *f, const struct forward_source *s, ms_t now, struct err *e)
{
	const struct breaker b = { .kind = BREAKER_HANDLER, .target_id = s->source_id, .failures = s->failures, .opened_at = s->opened_at,
		.probe_at = s->probe_at };
	struct round *r;
	int may;
	bool ok;

	if (waits(f, s->source_id) || in_flight(f, s->source_id) >= FORWARD_IN_FLIGHT)
		return true;
	r = round_new(f);
	may = may_send(r, &b, now, e);
	ok = may == 0 || (may > 0 && claim_due(r, s->source_id, r->probe ? 1 : FORWARD_CLAIM, now, e));
	if (!r->n)
		round_free(r);
	return ok;
}

/* ---- results ---- */

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

	if (is_failure(x)) {
		set_failures(r, r->failures + 1);
		return breaker_failed(db, BREAKER_HANDLER, r->target.source_id, r->probe, x->error, now, e);
	}
	if (x->outcome != FORWARD_DONE || !r->failures)
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

static bool settle_round(struct round *r, ms_t now, struct err *e)
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

static void give_back(struct round *r, ms_t now)
{
	for (size_t i = r->begun; i < r->n; i++)
		if (r->attempts[i].state == ATTEMPT_WAITS)
			settle_unsent(r, i, FORWARD_NOT_SENT, STR_NONE, now);
	r->begun = r->n;
}

/* Handlers that began to fail are asked no more. */
static bool heed_breaker(struct round *r, ms_t now, struct err *e)
{
	struct breaker b = { 0 };

	if (r->begun == r->n || r->failures < BREAKER_OPENS_AT)
		return true;
	if (breaker_get(r->f->c.db, r->arena, BREAKER_HANDLER, r->target.source_id, &b, e) < 0)
		return false;
	if (!b.opened_at)
		return true;
	log_warning("handler is left alone: its breaker is open", LOG_STR("source", r->target.public_id), LOG_STR("error", b.error));
	give_back(r, now);
	return settle_round(r, now, e);
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

static bool settle_all(struct forwarder *f, ms_t now, struct err *e)
{
	bool ok = true;

	for (struct round *r = f->rounds; r && ok; r = r->next)
		ok = settle_round(r, now, e) && heed_breaker(r, now, e);
	rounds_drop(f);
	return ok;
}

/* Results that are not stored: how many, of which a failure, and since when. */
struct unstored {
	size_t n;
	bool failure;
	int64_t since_us;
};

static struct unstored look_at_results(const struct forwarder *f)
{
	struct unstored x = { .since_us = clock_mono_us() };

	for (const struct round *r = f->rounds; r; r = r->next)
		for (size_t i = 0; i < r->n; i++) {
			const struct attempt *t = &r->attempts[i];

			if (t->state != ATTEMPT_ENDED)
				continue;
			x.n++;
			x.failure |= t->end.outcome != FORWARD_DONE;
			if (t->ended_us < x.since_us)
				x.since_us = t->ended_us;
		}
	return x;
}

/* The next requests are under way while results of the last ones wait for each other; after a failure the breaker is asked first. */
bool forwarder_settle(struct forwarder *f, ms_t now, struct err *e)
{
	struct unstored x = look_at_results(f);

	if (!x.failure && !begin_all(f, now, e))
		return false;
	if (!x.failure && x.n < STORE_AT_ONCE && f->under_way && clock_mono_us() < x.since_us + STORE_WITHIN_US)
		return true;
	sender_turn(f->c.sender, 0);	/* what has just begun leaves before the database is waited for */
	return settle_all(f, now, e) && begin_all(f, now, e);
}

/* What was sent while the database was away is stored first: its lease may be over, and it would be sent once more. */
bool forwarder_take(struct forwarder *f, ms_t now, struct err *e)
{
	struct arena *a = arena_new(ROUND_ARENA_MAX);
	struct forward_source *s;
	bool ok = forwarder_settle(f, now, e);
	size_t n = 0;

	if (ok && sender_busy(f->c.sender) < SEND_MAX)
		ok = forward_sources_due(f->c.db, a, now, SOURCES_MAX, &s, &n, e);
	for (size_t i = 0; i < n && ok; i++)
		ok = take_source(f, &s[i], now, e);
	arena_free(a);
	return ok && begin_all(f, now, e);
}

bool forwarder_release(struct forwarder *f, ms_t now, struct err *e)
{
	for (struct round *r = f->rounds; r; r = r->next)
		give_back(r, now);
	return settle_all(f, now, e);
}

/* ---- for somebody who waits ---- */

static struct str ids_json(struct arena *a, const struct forward_result *events, size_t n)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, 32 * n + 16);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		json_u64(&o, events[i].event_id);
	json_close(&o, ']');
	return strbuf_str(&b);
}

/* The breaker is open: claimed all the same, so that the events say that they failed, and given back. */
static void refuse_all(struct round *r, ms_t now)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->attempts[i].state == ATTEMPT_WAITS)
			settle_unsent(r, i, FORWARD_NOT_SENT, STR("The handler failed too often; its circuit breaker is open."), now);
	r->begun = r->n;
}

static bool claim_these(struct round *r, struct str ids, uint64_t source_id, ms_t now, struct err *e)
{
	struct breaker b = { .kind = BREAKER_HANDLER, .target_id = source_id };
	struct forward_claim *claims;
	int may = 0;
	size_t n;

	if (breaker_get(r->f->c.db, r->arena, BREAKER_HANDLER, source_id, &b, e) < 0 || find_target(r, source_id, now, e) < 0)
		return false;
	if ((!b.opened_at || b.probe_at <= now) && (may = may_send(r, &b, now, e)) < 0)
		return false;
	hold(r, now);
	if (!forward_claim_these(r->f->c.db, r->arena, source_id, ids, &r->by, &claims, &n, e))
		return false;
	if (n)
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

		if (!begin_all(f, now, e))
			return false;
		if (f->under_way)
			sender_turn(f->c.sender, TURN_MS);
		now = clock_now();
		if (!settle_round(r, now, e) || !heed_breaker(r, now, e))
			return false;
	}
	return true;
}

static void tell_results(struct arena *a, const struct round *r, struct forward_result *events, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		events[i].processed = events[i].taken = false;
		events[i].error = STR("It is being sent already.");
		for (size_t k = 0; k < r->n; k++) {
			const struct forward_end *x = &r->attempts[k].end;

			if (x->claim.event_id != events[i].event_id)
				continue;
			events[i].taken = true;
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
	bool ok = claim_these(r, ids_json(a, events, n), source_id, now, e);
	bool taken = r->n > 0;

	ok = ok && see_through(r, e);
	tell_results(a, r, events, n);
	if (!taken) {
		round_free(r);
		return ok;
	}
	return forwarder_release(f, clock_now(), e) && ok;
}

/* ---- as a carrier ---- */

static bool carrier_take(void *ctx, ms_t now, struct err *e)
{
	return forwarder_take(ctx, now, e);
}

static bool carrier_settle(void *ctx, ms_t now, struct err *e)
{
	return forwarder_settle(ctx, now, e);
}

static bool carrier_release(void *ctx, ms_t now, struct err *e)
{
	return forwarder_release(ctx, now, e);
}

static size_t carrier_busy(const void *ctx)
{
	return forwarder_busy(ctx);
}

struct carrier forwarder_carrier(struct forwarder *f)
{
	return (struct carrier){ f, carrier_take, carrier_settle, carrier_release, carrier_busy };
}
