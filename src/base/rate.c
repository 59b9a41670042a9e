/* rate.c - rate limits that all processes of the host share, without a lock.
 *
 * GCRA, the generic cell rate algorithm of ATM (ITU-T I.371, annex on the virtual scheduling algorithm; brought to web
 * services by Brandur Leach, "Rate Limiting, Cells, and GCRA", 2015). A bucket is one time: the theoretical arrival time,
 * when it would be full again. A request moves it on by the interval T = minute / limit, and is refused when that would
 * put it more than the burst ahead of now. One 64-bit word means one compare-and-swap; a token bucket has two fields
 * (level and last fill), a sliding window a list, a fixed window lets through twice the limit at its edge.
 *
 * Nanoseconds, so that T keeps its digits at a million per minute: 2^63 ns reach to the year 2262. */
#include "shm_int.h"

#define NS_PER_MS INT64_C(1000000)
#define MS_PER_HOUR_U ((uint64_t)MS_PER_HOUR)

struct bucket {
	int64_t interval, burst;	/* ns */
};

/* A time that is further ahead than a burst is no debt but a clock that was set back: it counts as an empty bucket. */
static int64_t arrival(uint64_t stored, const struct bucket *b, int64_t now)
{
	int64_t tat = (int64_t)stored;

	return tat < now ? now : tat > now + b->burst ? now + b->burst : tat;
}

static ms_t ms_up(int64_t ns)
{
	return (ns + NS_PER_MS - 1) / NS_PER_MS;
}

static struct rate_result result(bool allowed, uint32_t limit, const struct bucket *b, int64_t tat, int64_t now)
{
	int64_t over = tat + b->interval - now - b->burst;

	return (struct rate_result){
		.allowed = allowed,
		.limit = limit,
		.remaining = (uint32_t)((b->burst - (tat - now)) / b->interval),
		.reset_at = ms_up(tat),
		.retry_after_ms = allowed ? 0 : ms_up(over),
	};
}

static struct rate_result rate(struct shm *s, uint64_t key, uint32_t limit, ms_t window, ms_t now_ms, bool take)
{
	int64_t now = now_ms * NS_PER_MS;
	struct bucket b;
	struct cell *c;
	uint64_t old;

	if (!limit)
		return (struct rate_result){ .allowed = true, .reset_at = now_ms };
	b.interval = window * NS_PER_MS / limit;
	b.burst = b.interval * limit;
	c = cell_find(s->f->buckets, key);
	old = atomic_load(&c->value);
	for (;;) {
		int64_t tat = arrival(old, &b, now);

		if (tat + b.interval - now > b.burst) {
			/* Refusals change nothing, but for a clock that was set back: from here the debt runs off. */
			if ((int64_t)old > tat)
				atomic_compare_exchange_strong(&c->value, &old, (uint64_t)tat);
			return result(false, limit, &b, tat, now);
		}
		if (!take)
			return result(true, limit, &b, tat, now);
		tat += b.interval;
		if (atomic_compare_exchange_weak(&c->value, &old, (uint64_t)tat))
			return result(true, limit, &b, tat, now);
	}
}

struct rate_result rate_take(struct shm *s, uint64_t key, uint32_t per_minute, ms_t now)
{
	return rate(s, key, per_minute, MS_PER_MINUTE, now, true);
}

struct rate_result rate_peek(struct shm *s, uint64_t key, uint32_t per_minute, ms_t now)
{
	return rate(s, key, per_minute, MS_PER_MINUTE, now, false);
}

struct rate_result rate_take_in(struct shm *s, uint64_t key, uint32_t limit, ms_t window, ms_t now)
{
	return rate(s, key, limit, window, now, true);
}

struct rate_result rate_peek_in(struct shm *s, uint64_t key, uint32_t limit, ms_t window, ms_t now)
{
	return rate(s, key, limit, window, now, false);
}

/* A fixed window is good enough here: it bounds what is stored, and twice the number at the edge of an hour is no harm. */
bool hourly_take(struct shm *s, uint64_t key, uint32_t max, ms_t now)
{
	uint64_t hour = (uint64_t)now / MS_PER_HOUR_U << 32;
	struct cell *c;
	uint64_t old;

	if (!max)
		return false;
	c = cell_find(s->f->hourly, key);
	old = atomic_load(&c->value);
	for (;;) {
		uint64_t next = (old & ~(uint64_t)UINT32_MAX) == hour ? old + 1 : hour + 1;

		if ((next & UINT32_MAX) > max)
			return false;
		if (atomic_compare_exchange_weak(&c->value, &old, next))
			return true;
	}
}
