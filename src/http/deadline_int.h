/* deadline_int.h - who has waited too long. All deadlines of one list have the same span, so a list to which the newest
 * is appended is ordered by time by itself: setting, moving and dropping cost nothing that grows with their number. */
#ifndef GRAPNEL_HTTP_DEADLINE_INT_H
#define GRAPNEL_HTTP_DEADLINE_INT_H

#include "grapnel/base.h"

struct deadline {
	struct deadline *prev, *next;	/* NULL when not set */
	int64_t at_us;			/* monotonic */
	void *owner;
};

struct deadlines {
	struct deadline ring;
	int64_t span_us;
};

void deadlines_init(struct deadlines *l, int64_t span_ms);
void deadline_set(struct deadlines *l, struct deadline *d, int64_t now_us);	/* from now; moves it if it is set */
void deadline_drop(struct deadline *d);
struct deadline *deadline_first(const struct deadlines *l);		/* NULL when empty */
/* A shorter span, for those already waiting as well. */
void deadlines_shorten(struct deadlines *l, int64_t span_ms, int64_t now_us);

#endif
