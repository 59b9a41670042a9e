/* deadline.c - see deadline_int.h */
#include "deadline_int.h"

void deadlines_init(struct deadlines *l, int64_t span_ms)
{
	l->ring.prev = l->ring.next = &l->ring;
	l->span_us = span_ms * 1000;
}

void deadline_drop(struct deadline *d)
{
	if (!d->next)
		return;
	d->prev->next = d->next;
	d->next->prev = d->prev;
	d->prev = d->next = NULL;
}

void deadline_set(struct deadlines *l, struct deadline *d, int64_t now_us)
{
	deadline_drop(d);
	d->at_us = now_us + l->span_us;
	d->prev = l->ring.prev;
	d->next = &l->ring;
	d->prev->next = d->next->prev = d;
}

struct deadline *deadline_first(const struct deadlines *l)
{
	return l->ring.next == &l->ring ? NULL : l->ring.next;
}

void deadlines_shorten(struct deadlines *l, int64_t span_ms, int64_t now_us)
{
	struct deadline *d;

	if (span_ms * 1000 >= l->span_us)
		return;
	l->span_us = span_ms * 1000;
	for (d = l->ring.next; d != &l->ring; d = d->next)
		if (d->at_us > now_us + l->span_us)
			d->at_us = now_us + l->span_us;
}
