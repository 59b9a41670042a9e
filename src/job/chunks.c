/* chunks.c - removing what is old so that nobody notices.
 *
 * How long a chunk's transaction took is how long its rows were locked. The next chunk is larger or smaller by that, and between two the
 * database has as much time for others as it had for us. */
#include "job_int.h"

#define ROWS_MAX 500
#define ROWS_FIRST 50
#define LOCKED_US_WANTED 25000		/* the promise is 100 ms; a commit on a busy disk may take most of it */
#define PAUSE_MIN_MS 5

static size_t next_size(size_t rows, int64_t took_us)
{
	if (took_us > LOCKED_US_WANTED)
		return rows / 2 ? rows / 2 : 1;
	if (took_us < LOCKED_US_WANTED / 2)
		return rows * 2 < ROWS_MAX ? rows * 2 : ROWS_MAX;
	return rows;
}

/* Returns how long it took. */
static bool remove_chunk(struct job_run *r, const struct old_table *t, const struct old_chunk *c, int64_t *took_us, struct err *e)
{
	int64_t began_us = clock_mono_us();

	if (!old_remove(r->c->db, r->a, t, c, e))
		return false;
	*took_us = clock_mono_us() - began_us;
	if ((uint64_t)*took_us > r->longest_us)
		r->longest_us = (uint64_t)*took_us;
	return true;
}

int job_remove_old(struct job_run *r, const struct old_table *t, uint64_t from, ms_t before, struct err *e)
{
	struct old_chunk c = { .from = from };
	size_t rows = ROWS_FIRST;

	while (!c.end) {
		int64_t took_us = 0;
		int go = job_goes_on(r, e);

		if (go != 1)
			return go;
		arena_reset(r->a);
		c.limit = r->c->dry_run ? ROWS_MAX : rows;
		if (!old_find(r->c->db, r->a, t, before, &c, e))
			return -1;
		if (c.n && !r->c->dry_run) {
			if (!remove_chunk(r, t, &c, &took_us, e))
				return -1;
			rows = next_size(rows, took_us);
			job_pause(r, took_us / 1000 > PAUSE_MIN_MS ? took_us / 1000 : PAUSE_MIN_MS);
		}
		job_count(r, old_what(t), c.n);
	}
	return 1;
}
