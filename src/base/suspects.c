/* suspects.c - what a worker has in hand, and what was in hand when one died.
 *
 * A request that kills its worker would come back by the sender's retry and kill the next one together with the batch it
 * is in. So each worker notes the fingerprints of its batch before it starts; the master moves a dead worker's notes to
 * the suspects; and a suspect is processed alone for a while, where it can harm nobody else. */
#include "shm_int.h"

#include <assert.h>

#define SUSPECT_MS (10 * MS_PER_MINUTE)	/* senders repeat within minutes; later ones are kept back by nothing */

void in_hand_set(struct shm *s, unsigned slot, const uint64_t *prints, size_t n)
{
	struct hand *h;

	assert(slot < SHM_WORKERS && n <= SHM_IN_HAND);
	h = &s->f->hands[slot];
	/* Empty while it is written: a death in between loses the notes of a batch that was not begun. */
	atomic_store_explicit(&h->n, 0, memory_order_release);
	for (size_t i = 0; i < n; i++)
		atomic_store_explicit(&h->prints[i], prints[i], memory_order_relaxed);
	if (n)
		atomic_store_explicit(&h->n, n, memory_order_release);
}

/* The cell that has this print, else a free one, else the one that died first. */
static struct suspect *place(struct shm *s, uint64_t print)
{
	struct suspect *oldest = &s->f->suspects[0];

	for (size_t i = 0; i < SHM_SUSPECTS; i++) {
		struct suspect *c = &s->f->suspects[i];
		uint64_t p = atomic_load_explicit(&c->print, memory_order_relaxed);

		if (p == print || !p)
			return c;	/* filled from the front */
		if (atomic_load_explicit(&c->died_at, memory_order_relaxed) <
				atomic_load_explicit(&oldest->died_at, memory_order_relaxed))
			oldest = c;
	}
	return oldest;
}

/* One writer: the master. Its place in the table is no race therefore. */
size_t in_hand_to_suspects(struct shm *s, unsigned slot, ms_t now)
{
	struct hand *h;
	size_t n, copied = 0;

	assert(slot < SHM_WORKERS);
	h = &s->f->hands[slot];
	n = atomic_load_explicit(&h->n, memory_order_acquire);
	for (size_t i = 0; i < n && i < SHM_IN_HAND; i++) {
		uint64_t print = atomic_load_explicit(&h->prints[i], memory_order_relaxed);
		struct suspect *c;

		if (!print)
			continue;
		c = place(s, print);
		atomic_store_explicit(&c->died_at, now, memory_order_relaxed);
		atomic_store_explicit(&c->print, print, memory_order_release);
		copied++;
	}
	atomic_store_explicit(&h->n, 0, memory_order_release);
	atomic_store_explicit(&s->f->last_death, now, memory_order_release);
	return copied;
}

ms_t worker_last_death(const struct shm *s)
{
	return atomic_load_explicit(&s->f->last_death, memory_order_relaxed);
}

static bool recent(ms_t then, ms_t now)
{
	/* Both ways, so that a clock that was set back does not make suspects for days. */
	return then && now - then < SUSPECT_MS && then - now < SUSPECT_MS;
}

bool suspect_is(const struct shm *s, uint64_t print, ms_t now)
{
	if (!recent(atomic_load_explicit(&s->f->last_death, memory_order_acquire), now))
		return false;
	for (size_t i = 0; i < SHM_SUSPECTS; i++) {
		const struct suspect *c = &s->f->suspects[i];

		if (atomic_load_explicit(&c->print, memory_order_acquire) == print)
			return recent(atomic_load_explicit(&c->died_at, memory_order_relaxed), now);
	}
	return false;
}
