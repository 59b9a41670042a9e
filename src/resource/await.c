/* await.c - who asks for a test wants to know what came of it: the request waits for the attempt that a dispatcher makes. */
#include "resource_int.h"

#include <time.h>

#define MARGIN_MS (2 * MS_PER_SECOND)	/* beside the attempt: until it is taken, and its result is stored */
#define LOOK_MS 25
#define SEEN_MS (5 * MS_PER_SECOND)	/* a dispatcher looks for work twice a second */

static bool is_dispatched(const struct caller *by)
{
	return by->conf->outbound.dispatcher && by->shm && shm_dispatcher_at(by->shm) > by->now - SEEN_MS;
}

bool await_attempt(const struct caller *by, int (*over)(void *ctx, struct err *e), void *ctx, struct err *e)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000 };
	ms_t wait_ms = by->conf->outbound.timeout_ms + MARGIN_MS, until = by->now + wait_ms;
	int64_t end_us = clock_mono_us() + wait_ms * 1000;
	int place = is_dispatched(by) ? place_take(by->shm, by->conf->server.web_workers / 2, by->now, until) : -1, done;

	while ((done = over(ctx, e)) == 0 && place >= 0 && clock_mono_us() < end_us)
		nanosleep(&pause, NULL);
	if (place >= 0)
		place_leave(by->shm, place, until);
	return done >= 0;
}

struct str not_sent_yet(const struct caller *by)
{
	if (!by->conf->outbound.dispatcher)
		return STR("It waits for cron, since no dispatcher runs here: grapnel-cron outbox sends it.");
	if (!is_dispatched(by))
		return STR("Nobody has sent it yet: no dispatcher of this host looks for work. Does grapnel.fcgi run?");
	return STR("Nobody has sent it yet: the list of what was sent says when it is.");
}
