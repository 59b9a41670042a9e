/* oncall.h - who is on call: layers of rotations in a time zone, and overrides.
 *
 * Pure: the caller brings the plan and the moment. Layers are asked in their order, the first that has somebody wins; an override wins over all
 * layers, a later one over an earlier one. Times of a rotation are times on the wall: a hand-over at 09:00 is at 09:00 whatever the clocks do.
 * A user who is disabled stands in the plan as 0: whoever comes after him in the layer has his turn, and nobody else's turn moves. */
#ifndef GRAPNEL_ONCALL_H
#define GRAPNEL_ONCALL_H

#include "grapnel/base.h"

#define ONCALL_LAYERS_MAX 10
#define ONCALL_USERS_MAX 50		/* of a layer */
#define ONCALL_HOURS_MAX 720		/* of a turn: 30 days */
#define ONCALL_DAYS_MAX 366
#define ONCALL_OVERRIDES_MAX 200	/* of a schedule that are not over */
#define ONCALL_ALL_DAYS 127

enum oncall_unit { ONCALL_HOURS = 1, ONCALL_DAYS = 2, ONCALL_WEEKS = 3 };

struct oncall_layer {
	uint64_t unit;			/* enum oncall_unit */
	uint64_t length;		/* of a turn, in units; from 1 on */
	uint64_t at_min;		/* hand-over: minutes after local midnight */
	uint64_t weekday;		/* of the hand-over, with weeks alone: 0 Monday to 6 Sunday */
	int64_t start_day;		/* it begins then, at at_min: days since 1970 on the wall */
	uint64_t weekdays;		/* it counts on these days alone: bits, 1 Monday to 64 Sunday */
	uint64_t from_min, to_min;	/* and between these times of them; where `to` is not after `from` it is one of the next day */
	const uint64_t *users;		/* the first one begins */
	size_t users_n;
};

struct oncall_override {
	uint64_t id, user;
	ms_t from, to;			/* `to` is not part of it */
};

struct oncall_plan {
	const struct zone *zone;
	const struct oncall_layer *layers;
	size_t layers_n;
	const struct oncall_override *overrides;	/* in the order in which they were made */
	size_t overrides_n;
};

struct oncall_duty {
	uint64_t user;			/* 0: nobody */
	uint64_t layer;			/* 1 is the first; 0: nobody or an override */
	uint64_t override;		/* its id, or 0 */
};
struct oncall_duty oncall_at(const struct oncall_plan *p, ms_t t);

/* The first moment after t and before `limit` at which somebody else is on call than at t; `limit` where there is none. */
ms_t oncall_until(const struct oncall_plan *p, ms_t t, ms_t limit);

/* Who is on call from `from` to `to`: spans that follow each other without gap, nobody's among them. Neighbours differ in user, layer or
 * override. */
struct oncall_span {
	ms_t from, to;
	struct oncall_duty duty;
};
void oncall_spans(struct arena *a, const struct oncall_plan *p, ms_t from, ms_t to, struct oncall_span **out, size_t *n);

/* Weekday of a local day in days since 1970: 0 Monday to 6 Sunday. */
unsigned oncall_weekday(int64_t day);

#endif
