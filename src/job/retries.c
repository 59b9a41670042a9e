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

#define STUCK_LOOK 5000		/* of the oldest that wait, in each tenant and status */

/* Events that wait and are in no queue: the forwarder sees what is left to do of them. */
static bool take_up(struct job_run *r, struct err *e)
{
	struct tenant t = { 0 };
	int found;

	while ((found = tenant_next(r->c->db, r->a, t.id, &t, e)) == 1) {
		uint64_t n;

		if (!forward_take_up(r->c->db, r->a, t.id, job_now(r) - FORWARD_LEASE_MAX_MS, STUCK_LOOK, job_now(r), &n, e))
			return false;
		job_count(r, "taken up", n);
		arena_reset(r->a);
	}
	return found >= 0;
}

/* That events of a source were given up is news until none of them is dead any more. */
static bool end_alerts(struct job_run *r, struct err *e)
{
	struct dead_alert *alerts;
	size_t n;

	if (!forward_dead_alerts(r->c->db, r->a, &alerts, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		int dead = forward_any_dead(r->c->db, r->a, alerts[i].tenant_id, alerts[i].source_id, e);

		if (dead < 0 || (!dead && monitor_alert_end(r->c->db, r->a, r->c->ids, alerts[i].tenant_id, STR("DEAD_EVENTS"), alerts[i].subject,
			job_now(r), e) < 0))
			return false;
	}
	return true;
}

static bool run(struct job_run *r, struct err *e)
{
	uint64_t n = 0;
	bool ok;

	if (!r->c->dry_run)
		return forward_mend(r->c->db, r->a, job_now(r), &n, e) && breaker_mend(r->c->db, job_now(r), e) && take_up(r, e) && send_all(r, e) &&
			end_alerts(r, e);
	ok = forward_due_count(r->c->db, r->a, job_now(r), &n, e);
	job_count(r, "events to forward", n);
	return ok;
}

const struct job job_retries = {
	.facts = { .name = "retries", .schedule = { .every_min = 1 },
		.help = "Sends events to their handlers: those that failed and are due again, and what no dispatcher took." },
	.run = run,
};
