/* forward.c - which events go to the handler of their source, and whose sender waits for it.
 *
 * New ones, and repeats of those that failed, since their sender tries again just because of that. Their rows in `forwards` are a part of
 * the batch's transaction. A sender of an inline source waits outside of the batch: a place among those that may is taken before the
 * commit, so that the answer that is stored is the one that is given. */
#include "ingest_int.h"

/* A repeat of a dead event is one more attempt, and then it is dead again. */
#define LAST_TRY RETRIES_MAX

static bool goes_on(const struct plan *p)
{
	return !p->ev->invalid && !p->twin && (!p->known || p->again);
}

static size_t count_going(const struct ingest_work *w)
{
	size_t n = 0;

	for (size_t k = 0; k < w->plan_n; k++)
		n += goes_on(&w->plans[k]);
	return n;
}

static bool forwards(const struct ingest_work *w)
{
	return !w->refused && !w->answered && w->source && w->source->s.actions & DO_FORWARD;
}

static void mark_again(struct ingest_work *w)
{
	for (size_t k = 0; k < w->plan_n; k++) {
		struct plan *p = &w->plans[k];

		p->again = p->known && (p->before.status == EVENT_FAILED || p->before.status == EVENT_DEAD);
	}
}

/* An attempt of the batch before this one may have taken a place. */
static void choose_waiting(struct batch *b, struct ingest_work *w, size_t n)
{
	const struct ingest_config *c = &b->g->c;
	struct ingest_later *later = &w->item->later;

	w->queued = false;
	if (w->source->s.forward_mode != FORWARD_INLINE || !n)
		return;
	if (!later->n) {
		later->until = b->now + c->waiting_ms;
		later->place = w->item->may_wait && n <= INGEST_LATER_MAX ? place_take(c->shm, c->waiting_max, b->now, later->until) : -1;
	}
	w->queued = later->place < 0;
	later->n = w->queued ? 0 : n;
}

static void fill_later(struct ingest_work *w)
{
	struct ingest_later *later = &w->item->later;
	size_t n = 0;

	later->source_id = w->source->s.id;
	later->request_id = w->request_number;
	for (size_t k = 0; k < w->plan_n && n < later->n; k++)
		if (goes_on(&w->plans[k]))
			later->events[n++] = w->plans[k].known ? w->plans[k].before.id : w->plans[k].number;
}

static struct forward_row row_of(const struct batch *b, const struct ingest_work *w, const struct plan *p)
{
	return (struct forward_row){
		.event_id = p->known ? p->before.id : p->number,
		.source_id = w->source->s.id,
		.next_at = w->item->later.n ? w->item->later.until : b->now,
		.tries = p->known ? LAST_TRY : 0,
	};
}

bool write_forwards(struct batch *b, size_t from, size_t to, struct err *e)
{
	struct forward_row *rows, *again;
	size_t max = 0, n = 0, again_n = 0;

	for (size_t i = from; i < to; i++)
		max += forwards(&b->work[i]) ? b->work[i].plan_n : 0;
	if (!max)
		return true;
	rows = ARENA_ARRAY(b->a, struct forward_row, max);
	again = ARENA_ARRAY(b->a, struct forward_row, max);
	for (size_t i = from; i < to; i++) {
		struct ingest_work *w = &b->work[i];

		if (!forwards(w))
			continue;
		mark_again(w);
		choose_waiting(b, w, count_going(w));
		fill_later(w);
		for (size_t k = 0; k < w->plan_n; k++) {
			const struct plan *p = &w->plans[k];

			if (goes_on(p) && p->known)
				again[again_n++] = row_of(b, w, p);
			else if (goes_on(p))
				rows[n++] = row_of(b, w, p);
			b->to_send |= goes_on(p) && !w->item->later.n;
		}
	}
	return forward_add(b->g->c.db, b->a, rows, n, e) && (!again_n || forward_reopen(b->g->c.db, b->a, again, again_n, b->now, e));
}

void settle_forwards(struct batch *b, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		struct ingest_work *w = &b->work[i];
		struct ingest_later *later = &w->item->later;

		if (!later->n || w->stored)
			continue;
		place_leave(b->g->c.shm, later->place, later->until);
		later->n = 0;
	}
}
