/* retries.c - sends events to their handlers: those whose attempt failed and that are due again, those whose sender was killed, and, where
 * no dispatcher runs, all others. Who else does it at the same time takes other events: see grapnel/forward.h. */
#include "grapnel/forward.h"

#include "job_int.h"

static bool send_all(struct job_run *r, struct err *e)
{
	const struct job_config *c = r->c;
	struct job_sender s = job_sender_open(r);
	struct forwarder *f = forwarder_new(&(struct forward_config){ .db = c->db, .seal = c->seal, .sender = s.sender, .ids = c->ids, .shm = c->shm,
		.timeout_ms = c->conf->outbound.timeout_ms });
	const struct carrier carrier = forwarder_carrier(f);
	bool ok = job_carry(r, s.sender, &carrier, e);
	struct forward_tally t = forwarder_tally(f);

	job_count(r, "forwarded", t.processed);
	job_count(r, "failed", t.failed);
	job_count(r, "given up", t.dead);
	job_sender_close(&s);
	forwarder_free(f);
	return ok;
}

static bool run(struct job_run *r, struct err *e)
{
	uint64_t n = 0;
	bool ok;

	if (!r->c->dry_run)
		return forward_mend(r->c->db, r->a, job_now(r), &n, e) && send_all(r, e);
	ok = forward_due_count(r->c->db, r->a, job_now(r), &n, e);
	job_count(r, "events to forward", n);
	return ok;
}

const struct job job_retries = {
	.facts = { .name = "retries", .schedule = { .every_min = 1 },
		.help = "Sends events to their handlers: those that failed and are due again, and what no dispatcher took." },
	.run = run,
};
