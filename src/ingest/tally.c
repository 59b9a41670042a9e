/* tally.c - what the monitor is told of a batch: events by source and type, repeats, and how long those took that are done.
 *
 * Types are named by senders. One that makes a new one up for each event would make a row for each, and a breakdown that nobody can read; so
 * of the types of a source the first hundred of an hour are counted by their name, and the rest together. A worker remembers which it has seen;
 * how many there were, the hosts' shared memory does. */
#include "ingest_int.h"

#define TYPES_PER_HOUR 100
#define SEEN_CELLS_LOG 12
#define SEEN_CELLS (1u << SEEN_CELLS_LOG)	/* sources times types of an hour, in most houses */
#define SEEN_TRIES 8u
#define TYPES_OF UINT64_C(0x7479706573)	/* keeps these apart from what else is counted of a source */

struct type_names {
	uint64_t hour;
	uint64_t seen[SEEN_CELLS];
};

struct type_names *type_names_new(void)
{
	return xcalloc(1, sizeof(struct type_names));
}

void type_names_free(struct type_names *t)
{
	free(t);
}

static uint64_t print_of(uint64_t source, struct str type)
{
	uint64_t h = 14695981039346656037u ^ source;	/* FNV-1a */

	for (size_t i = 0; i < type.n; i++)
		h = (h ^ (unsigned char)type.p[i]) * 1099511628211u;
	return h | 1;
}

/* Its cell, or an empty one, or NULL: the table is full around there. */
static uint64_t *cell_of(struct type_names *t, uint64_t print)
{
	uint64_t at = print * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SEEN_CELLS_LOG);	/* Knuth: names that differ at their end alone lie apart */

	for (unsigned i = 0; i < SEEN_TRIES; i++) {
		uint64_t *cell = &t->seen[(at + i) % SEEN_CELLS];

		if (!*cell || *cell == print)
			return cell;
	}
	return NULL;
}

/* The name that an event is counted by. */
static struct str counted_type(struct batch *b, const struct cached_source *s, struct str type)
{
	struct type_names *t = b->g->types;
	uint64_t hour = (uint64_t)(b->now / MS_PER_HOUR), print = print_of(s->s.id, type), *cell;

	if (t->hour != hour)
		*t = (struct type_names){ .hour = hour };
	cell = cell_of(t, print);
	if (cell && *cell == print)
		return type;
	if (!hourly_take(b->g->c.shm, s->rate_key ^ TYPES_OF, TYPES_PER_HOUR, b->now))
		return STR("");
	if (cell)
		*cell = print;
	return type;
}

static void tally_plan(struct batch *b, struct tallies *t, const struct ingest_work *w, const struct plan *p)
{
	const struct tally of = { .tenant_id = w->source->s.tenant_id, .source_id = w->source->s.id, .at = b->now,
		.type = counted_type(b, w->source, p->ev->event_type) };

	if (p->known || p->twin) {
		if (p->ev->native_id)
			tally_duplicate(t, &of);
		return;
	}
	tally_events(t, &of, 1);
	if (event_status_at_once(w, p->ev) == EVENT_PENDING)
		return;
	tally_starts(t, &of, 1);
	tally_done(t, of.tenant_id, b->now, (uint64_t)(clock_mono_us() - w->item->began_us));
}

bool write_tallies(struct batch *b, size_t from, size_t to, struct err *e)
{
	struct tallies *t = tallies_new(b->a);

	for (size_t i = from; i < to; i++) {
		const struct ingest_work *w = &b->work[i];

		for (size_t k = 0; k < w->plan_n && !w->refused && !w->item->is_test; k++)
			if (!w->plans[k].ev->invalid)
				tally_plan(b, t, w, &w->plans[k]);
	}
	return tallies_write(b->g->c.db, b->a, t, b->g->c.ids->worker, e);
}
