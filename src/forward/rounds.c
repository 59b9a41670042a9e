/* rounds.c - claims what is due of a handler, and begins it as there is room and as its breaker lets. */
#include "forward_int.h"

#define LEASE_MARGIN_MS (30 * MS_PER_SECOND)	/* for the database, and for clocks that differ */
#define BEGIN_MARGIN_MS (5 * MS_PER_SECOND)	/* a lease that ends sooner after the timeout is none any more */

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

void round_free(struct round *r)
{
	for (size_t i = 0; i < r->n; i++)
		arena_free(r->attempts[i].arena);
	arena_free(r->arena);
	free(r);
}

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

	return in_flight(f, r->target.source_id) < room_for(r) && sender_busy(f->c.sender) < SEND_PROGRAMS_MAX && f->bytes < FORWARD_BYTES_MAX;
}

/* A lease that ends while the handler may still think about it is given back: somebody else would send it as well. */
static bool has_lease(const struct round *r, ms_t now)
{
	return now + r->f->c.timeout_ms + BEGIN_MARGIN_MS <= r->by.until;
}

bool rounds_begin(struct forwarder *f, ms_t now, struct err *e)
{
	for (struct round *r = f->rounds; r; r = r->next)
		while (r->begun < r->n && has_room(r))
			if (r->attempts[r->begun].state != ATTEMPT_WAITS)
				r->begun++;	/* settled without being sent */
			else if (!has_lease(r, now))
				attempt_end_unsent(r, r->begun, FORWARD_NOT_SENT, STR_NONE, now);
			else if (!attempt_begin(&r->attempts[r->begun], now, e))
				return false;
	return true;
}

/* What is not to be sent at all. */
static void judge(struct round *r, ms_t now)
{
	const struct forward_target *t = &r->target;

	for (size_t i = 0; i < r->n; i++) {
		if (t->deleted)
			attempt_end_unsent(r, i, FORWARD_DEAD, STR("Its integration was deleted."), now);
		else if (!(t->actions & DO_FORWARD) || !t->url.n)
			attempt_end_unsent(r, i, FORWARD_NOT_NEEDED, STR_NONE, now);
		else if (t->secret_lost)
			attempt_end_unsent(r, i, FORWARD_DEAD, STR("The secret that signs it does not open under our keys."), now);
		else if (r->attempts[i].end.claim.lost > FORWARD_LOST_MAX)
			attempt_end_unsent(r, i, FORWARD_DEAD, STR("Whoever sent it ended each time before the handler answered."), now);
	}
}

struct round *round_new(struct forwarder *f)
{
	struct round *r = xcalloc(1, sizeof(*r));

	r->f = f;
	r->arena = arena_new(ROUND_ARENA_MAX);
	r->by = (struct forward_claimer){ .owner = make_owner(), .slot = f->c.ids->worker };
	return r;
}

void round_start(struct round *r, const struct forward_claim *claims, size_t n, ms_t now)
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

int round_find_target(struct round *r, uint64_t source_id, ms_t now, struct err *e)
{
	int found = forward_target(r->f->c.db, r->arena, r->f->c.seal, source_id, now, &r->target, e);

	if (!found)
		r->target = (struct forward_target){ .source_id = source_id, .deleted = true };
	return found;
}

void round_hold(struct round *r, ms_t now)
{
	r->by.now = now;
	r->by.until = now + lease_ms(r->f);
}

static bool claim_due(struct round *r, uint64_t source_id, size_t limit, ms_t now, struct err *e)
{
	struct forward_claim *claims;
	size_t n;

	round_hold(r, now);
	if (round_find_target(r, source_id, now, e) < 0 ||
		!forward_claim(r->f->c.db, r->arena, source_id, &r->by, limit, &claims, &n, e))
		return false;
	if (n)
		round_start(r, claims, n, now);
	return true;
}

int round_may_send(struct round *r, const struct breaker *b, ms_t now, struct err *e)
{
	int ours;

	r->failures = b->failures;
	if (!b->opened_at)
		return 1;
	ours = breaker_probe(r->f->c.db, b, now + lease_ms(r->f), e);
	r->probe = ours == 1;
	return ours;
}

bool round_leave_probe(struct round *r, ms_t now, struct err *e)
{
	bool ours = r->probe;

	r->probe = false;
	return !ours || breaker_probe_soon(r->f->c.db, BREAKER_HANDLER, r->target.source_id, now, e) >= 0;
}

static bool waits(const struct forwarder *f, uint64_t source_id)
{
	for (const struct round *r = f->rounds; r; r = r->next)
		if (r->target.source_id == source_id && (r->begun < r->n || r->probe))
			return true;
	return false;
}

bool rounds_take(struct forwarder *f, const struct forward_source *s, ms_t now, struct err *e)
{
	const struct breaker b = { .kind = BREAKER_HANDLER, .target_id = s->source_id, .failures = s->failures, .opened_at = s->opened_at,
		.probe_at = s->probe_at };
	struct round *r;
	int may;
	bool ok;

	if (waits(f, s->source_id) || in_flight(f, s->source_id) >= FORWARD_IN_FLIGHT)
		return true;
	r = round_new(f);
	may = round_may_send(r, &b, now, e);
	ok = may == 0 || (may > 0 && claim_due(r, s->source_id, r->probe ? 1 : FORWARD_CLAIM, now, e));
	if (!r->n) {
		ok = ok && round_leave_probe(r, now, e);
		round_free(r);
	}
	return ok;
}
