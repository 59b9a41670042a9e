/* outbox.c - tells of incidents what no dispatcher told, and carries what the outbox has for cron: rows whose quick attempts failed, and such as no dispatcher took. Who else does it at
 * the same time takes other rows: see grapnel/outbound.h. */
#include "grapnel/notify.h"
#include "grapnel/outbound.h"

#include "job_int.h"

static bool carry(struct job_run *r, struct err *e)
{
	const struct job_config *c = r->c;
	struct job_sender s = job_sender_open(r);
	struct courier *courier = courier_new(&(struct courier_config){ .db = c->db, .seal = c->seal, .sender = s.sender, .ids = c->ids,
		.shm = c->shm, .house = courier_house(c->conf), .timeout_ms = c->conf->outbound.timeout_ms,
		.link_ms = c->conf->outbound.link_hours * MS_PER_HOUR, .late = true });
	const struct carrier carrier = courier_carrier(courier);
	bool ok = job_carry(r, s.sender, &carrier, e);
	struct courier_tally t = courier_tally(courier);

	job_count(r, "sent", t.sent);
	job_count(r, "failed", t.failed);
	job_count(r, "given up", t.dead);
	job_sender_close(&s);
	courier_free(courier);
	return ok;
}

/* Who is to know, where no dispatcher says it. */
static bool tell(struct job_run *r, struct err *e)
{
	struct notifier *n = notifier_new(&(struct notify_config){ .db = r->c->db, .ids = r->c->ids });
	bool more, ok;

	do
		ok = notifier_take(n, job_now(r), &more, e);
	while (ok && more && job_goes_on(r, e) == 1);
	ok = ok && !e->code;
	job_count(r, "told of incidents", notifier_told(n));
	notifier_free(n);
	return ok;
}

static bool run(struct job_run *r, struct err *e)
{
	uint64_t n = 0;

	if (r->c->dry_run) {
		if (!outbox_due_count(r->c->db, r->a, job_now(r), &n, e))
			return false;
		job_count(r, "messages to send", n);
		return true;
	}
	if (!r->c->seal)
		return err_set(e, ERR_DENIED, "the key file cannot be read, and with it no channel's secret");
	return outbox_mend(r->c->db, job_now(r), e) && tell(r, e) && carry(r, e);
}

const struct job job_outbox = {
	.facts = { .name = "outbox", .schedule = { .every_min = 1 },
		.help = "Sends messages whose quick attempts failed and that are due again, and what no dispatcher took." },
	.run = run,
};
