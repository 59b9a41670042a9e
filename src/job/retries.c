/* retries.c - sends events to their handlers: those whose attempt failed and that are due again, those whose sender was killed, and, where
 * no dispatcher runs, all others. Who else does it at the same time takes other events: see grapnel/forward.h. */
#include "config.h"

#include "grapnel/fetch.h"
#include "grapnel/forward.h"

#include "job_int.h"

#define TURN_MS 100

struct retrying {
	struct job_run *r;
	struct guard *guard;
	struct sender *sender;
	struct forwarder *forwarder;
};

static void begin(struct retrying *x)
{
	const struct job_config *c = x->r->c;

	x->guard = guard_new(c->conf->outbound.allow, c->conf->outbound.ports);
	x->sender = sender_new("Grapnel/" PACKAGE_VERSION, x->guard);
	x->forwarder = forwarder_new(&(struct forward_config){ .db = c->db, .seal = c->seal, .sender = x->sender, .ids = c->ids, .shm = c->shm,
		.timeout_ms = c->conf->outbound.timeout_ms });
}

static void end(struct retrying *x)
{
	struct forward_tally t = forwarder_tally(x->forwarder);

	job_count(x->r, "forwarded", t.processed);
	job_count(x->r, "failed", t.failed);
	job_count(x->r, "given up", t.dead);
	sender_free(x->sender);
	forwarder_free(x->forwarder);
	guard_free(x->guard);
}

/* An attempt may take its whole time: the last ones begin early enough. */
static bool has_time(const struct job_run *r)
{
	return job_left_ms(r) > (int64_t)r->c->conf->outbound.timeout_ms;
}

static bool send_all(struct retrying *x, struct err *e)
{
	struct job_run *r = x->r;
	int go;

	while ((go = job_goes_on(r, e)) > 0 && has_time(r)) {
		if (!forwarder_take(x->forwarder, job_now(r), e))
			return false;
		if (!forwarder_busy(x->forwarder))
			return true;
		sender_turn(x->sender, TURN_MS);
		if (!forwarder_settle(x->forwarder, job_now(r), e))
			return false;
	}
	return go >= 0;
}

/* What is under way is seen through, what has not begun is left to the next run. */
static bool wind_up(struct retrying *x, struct err *e)
{
	struct job_run *r = x->r;

	while (forwarder_release(x->forwarder, job_now(r), e)) {
		if (!forwarder_busy(x->forwarder))
			return true;
		sender_turn(x->sender, TURN_MS);
	}
	return false;
}

static bool run(struct job_run *r, struct err *e)
{
	struct retrying x = { .r = r };
	uint64_t mended = 0;
	bool ok;

	if (r->c->dry_run) {
		ok = forward_due_count(r->c->db, r->a, job_now(r), &mended, e);
		job_count(r, "events to forward", mended);
		return ok;
	}
	begin(&x);
	ok = forward_mend(r->c->db, r->a, job_now(r), &mended, e) && send_all(&x, e) && wind_up(&x, e);
	end(&x);
	return ok;
}

const struct job job_retries = {
	.facts = { .name = "retries", .schedule = { .every_min = 1 },
		.help = "Sends events to their handlers: those that failed and are due again, and what no dispatcher took." },
	.run = run,
};
