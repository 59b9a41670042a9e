/* carry.c - a carrier driven by a job: as long as there is work and time. */
#include "config.h"

#include "job_int.h"

#define TURN_MS 100

struct job_sender job_sender_open(const struct job_run *r)
{
	const struct conf *c = r->c->conf;
	struct job_sender s = { .guard = guard_new(c->outbound.allow, c->outbound.ports) };

	s.sender = sender_new("Grapnel/" PACKAGE_VERSION, s.guard);
	sender_set_spans(s.sender, r->c->spans);
	sender_set_hosts(s.sender, c->keys.test_hosts, c->keys.test_authorities);
	return s;
}

void job_sender_close(struct job_sender *s)
{
	sender_free(s->sender);
	guard_free(s->guard);
}

/* An attempt may take its whole time: the last ones begin early enough, but not so early that none begins. */
static bool has_time(const struct job_run *r)
{
	int64_t half_ms = (r->until_us - r->began_us) / 2000, timeout_ms = (int64_t)r->c->conf->outbound.timeout_ms;

	return job_left_ms(r) > (timeout_ms < half_ms ? timeout_ms : half_ms);
}

static bool send_all(struct job_run *r, struct sender *s, const struct carrier *c, struct err *e)
{
	int go;

	while ((go = job_goes_on(r, e)) > 0 && has_time(r)) {
		if (!c->take(c->ctx, job_now(r), e))
			return false;
		if (!c->busy(c->ctx))
			return true;
		sender_turn(s, TURN_MS);
		if (!c->settle(c->ctx, job_now(r), e))
			return false;
	}
	return go >= 0;
}

/* What is under way is seen through, what has not begun is left to the next run. */
static bool wind_up(struct job_run *r, struct sender *s, const struct carrier *c, struct err *e)
{
	while (c->release(c->ctx, job_now(r), e)) {
		if (!c->busy(c->ctx))
			return true;
		sender_turn(s, TURN_MS);
	}
	return false;
}

bool job_carry(struct job_run *r, struct sender *s, const struct carrier *c, struct err *e)
{
	return send_all(r, s, c, e) && wind_up(r, s, c, e);
}
