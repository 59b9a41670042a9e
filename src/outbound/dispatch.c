/* dispatch.c - the dispatcher's loop. Its bell is rung by workers that have committed rows; rows of others (cron, another host) are found by looking
 * twice a second, at an index that is nearly empty. */
#include "grapnel/log.h"

#include "grapnel/outbound.h"

#define LOOK_US 500000		/* "within a second of their commit", whoever wrote them */
#define TURN_MS 100
#define SETTLE_MS 10		/* results may wait so long for others: see courier.c */
#define DOWN_US 1000000		/* between tries of a database that is away */

struct loop {
	const struct dispatch *d;
	int64_t look_us;	/* next look for work */
	int64_t mend_us;	/* no use in asking the database before */
	bool down;		/* it was told that the database is away */
};

static size_t all_busy(const struct dispatch *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->carrier_n; i++)
		n += d->carriers[i].busy(d->carriers[i].ctx);
	return n;
}

enum verb { TAKE, SETTLE, RELEASE };

static bool call(const struct carrier *c, enum verb v, struct err *e)
{
	ms_t now = clock_now();

	return v == TAKE ? c->take(c->ctx, now, e) : v == SETTLE ? c->settle(c->ctx, now, e) : c->release(c->ctx, now, e);
}

/* Of all carriers; one that fails keeps no other from its turn. */
static void all(struct loop *l, enum verb v)
{
	struct err first = { 0 };

	if (clock_mono_us() < l->mend_us)
		return;
	for (size_t i = 0; i < l->d->carrier_n; i++) {
		struct err e = { 0 };

		if (!call(&l->d->carriers[i], v, &e) && !first.code)
			first = e;
	}
	if (first.code) {
		l->mend_us = clock_mono_us() + DOWN_US;
		if (!l->down)
			log_error("nothing can be taken or stored; it is tried again each second", LOG_ERR(&first));
	} else if (l->down) {
		log_info("the dispatcher goes on");
	}
	l->down = first.code != ERR_NONE;
}

static void turn(struct loop *l, int64_t wait_us)
{
	size_t before = all_busy(l->d);
	int wait_ms = wait_us > 0 ? (int)(wait_us / 1000) + 1 : 0;

	sender_turn(l->d->sender, before && wait_ms > SETTLE_MS ? SETTLE_MS : wait_ms);
	all(l, SETTLE);
	/* Room: there may be more of a target whose rows did not fit. */
	if (bell_heard(l->d->shm) || all_busy(l->d) < before)
		l->look_us = 0;
}

static void run(struct loop *l)
{
	int64_t now_us = clock_mono_us();

	if (now_us >= l->look_us) {
		all(l, TAKE);
		l->look_us = now_us + LOOK_US;
		if (!l->down)
			shm_dispatcher_set(l->d->shm, clock_now());
	}
	turn(l, l->look_us - clock_mono_us());
}

/* What has not begun is given back; what is under way is seen through. */
static void drain(struct loop *l)
{
	int64_t until_us = clock_mono_us() + l->d->drain_ms * 1000;

	do {
		all(l, RELEASE);
		if (!all_busy(l->d))
			return;
		sender_turn(l->d->sender, TURN_MS);
	} while (clock_mono_us() < until_us);
}

void dispatch_run(const struct dispatch *d)
{
	struct loop l = { .d = d };

	sender_watch(d->sender, bell_fd(d->shm));
	while (!*d->stop)
		run(&l);
	drain(&l);
}
