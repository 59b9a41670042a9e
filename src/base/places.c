/* places.c - a semaphore that cannot leak: a place is a moment until which it is taken. */
#include "shm_int.h"

#define LONGEST_MS (10 * MS_PER_MINUTE)	/* a place that is taken for longer was taken by a clock that was wrong */

int place_take(struct shm *s, unsigned max, ms_t now, ms_t until)
{
	for (unsigned i = 0; i < max && i < SHM_PLACES; i++) {
		int64_t held = atomic_load_explicit(&s->f->places[i], memory_order_relaxed);

		if ((held <= now || held > now + LONGEST_MS) && atomic_compare_exchange_strong(&s->f->places[i], &held, until))
			return (int)i;
	}
	return -1;
}

void place_leave(struct shm *s, int place, ms_t until)
{
	int64_t held = until;

	if (place >= 0 && place < SHM_PLACES)
		atomic_compare_exchange_strong(&s->f->places[place], &held, 0);
}
