/* forward.c - a forwarder: when it takes, begins and stores; see forward_int.h for what a round is. */
#include "forward_int.h"

#define SOURCES_MAX 64			/* handlers looked at in one take: as many as can be in flight */
#define STORE_AT_ONCE 32	/* results; fewer wait for others, since a commit costs more than a request to a near handler... */
#define STORE_WITHIN_US 10000	/* ...so long */

struct forwarder *forwarder_new(const struct forward_config *c)
{
	struct forwarder *f = xcalloc(1, sizeof(*f));

	f->c = *c;
	return f;
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

/* ---- when ---- */

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

	if (!x.failure && !rounds_begin(f, now, e))
		return false;
	if (!x.failure && x.n < STORE_AT_ONCE && f->under_way && clock_mono_us() < x.since_us + STORE_WITHIN_US)
		return true;
	sender_push(f->c.sender);	/* what has just begun leaves before the database is waited for */
	return rounds_settle(f, now, e) && rounds_begin(f, now, e);
}

/* What was sent while the database was away is stored first: its lease may be over, and it would be sent once more. */
bool forwarder_take(struct forwarder *f, ms_t now, struct err *e)
{
	struct arena *a = arena_new(ROUND_ARENA_MAX);
	struct forward_source *s;
	bool ok = forwarder_settle(f, now, e);
	size_t n = 0;

	if (ok && sender_busy(f->c.sender) < SEND_PROGRAMS_MAX)
		ok = forward_sources_due(f->c.db, a, now, SOURCES_MAX, &s, &n, e);
	for (size_t i = 0; i < n && ok; i++)
		ok = rounds_take(f, &s[i], now, e);
	arena_free(a);
	return ok && rounds_begin(f, now, e);
}

bool forwarder_release(struct forwarder *f, ms_t now, struct err *e)
{
	for (struct round *r = f->rounds; r; r = r->next)
		round_give_back(r, now);
	return rounds_settle(f, now, e);
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
