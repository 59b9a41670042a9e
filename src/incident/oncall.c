/* oncall.c - who is on call at a moment, and for how long.
 *
 * A turn of a layer begins where clocks show its start and so many lengths more: all is counted on the wall, and only the beginnings are turned
 * into moments. So a turn has 23 or 25 hours where clocks change, and the hand-over stays at its time. Two questions are enough for all the
 * rest: who it is at a moment, and when that may change next. */
#include "grapnel/oncall.h"

#define HOURS_PER_DAY 24
#define DAYS_PER_WEEK 7
#define NEVER INT64_MAX

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

unsigned oncall_weekday(int64_t day)
{
	return (unsigned)(((day + 3) % DAYS_PER_WEEK + DAYS_PER_WEEK) % DAYS_PER_WEEK);	/* 1970 began on a Thursday */
}

/* ---- turns ---- */

static ms_t turn_length(const struct oncall_layer *l)
{
	ms_t unit = l->unit == ONCALL_HOURS ? MS_PER_HOUR : l->unit == ONCALL_DAYS ? MS_PER_DAY : DAYS_PER_WEEK * MS_PER_DAY;

	return (ms_t)l->length * unit;
}

static ms_t start(const struct oncall_plan *p, const struct oncall_layer *l)
{
	return zone_moment(p->zone, l->start_day * MS_PER_DAY + (ms_t)l->at_min * MS_PER_MINUTE);
}

/* When turn k begins. The first one of weeks may be shorter: hand-over is on its weekday. */
static ms_t turn_begin(const struct oncall_plan *p, const struct oncall_layer *l, int64_t k)
{
	int64_t day = l->start_day;

	if (l->unit == ONCALL_WEEKS)
		day -= (oncall_weekday(day) + DAYS_PER_WEEK - l->weekday) % DAYS_PER_WEEK;
	return zone_moment(p->zone, day * MS_PER_DAY + (ms_t)l->at_min * MS_PER_MINUTE + k * turn_length(l));
}

/* The turn at t: what clocks show says it within one turn, and where they were changed its beginning and end do. */
static int64_t turn_at(const struct oncall_plan *p, const struct oncall_layer *l, ms_t t)
{
	ms_t first = turn_begin(p, l, 0);
	int64_t k = floor_div(t + zone_ahead(p->zone, t) - first - zone_ahead(p->zone, first), turn_length(l));

	while (turn_begin(p, l, k) > t)
		k--;
	while (turn_begin(p, l, k + 1) <= t)
		k++;
	return k;
}

/* ---- hours of days ---- */

static bool counts_always(const struct oncall_layer *l)
{
	return l->weekdays == ONCALL_ALL_DAYS && l->from_min == l->to_min;
}

static bool counts_on(const struct oncall_layer *l, int64_t day)
{
	return l->weekdays >> oncall_weekday(day) & 1;
}

static ms_t day_begin(const struct oncall_plan *p, const struct oncall_layer *l, int64_t day)
{
	return zone_moment(p->zone, day * MS_PER_DAY + (ms_t)l->from_min * MS_PER_MINUTE);
}

static ms_t day_end(const struct oncall_plan *p, const struct oncall_layer *l, int64_t day)
{
	return zone_moment(p->zone, (day + (l->to_min <= l->from_min)) * MS_PER_DAY + (ms_t)l->to_min * MS_PER_MINUTE);
}

static int64_t local_day(const struct oncall_plan *p, ms_t t)
{
	return floor_div(t + zone_ahead(p->zone, t), MS_PER_DAY);
}

/* Hours that began yesterday may go on today, and a skipped time may lie a day further. */
static bool counts_at(const struct oncall_plan *p, const struct oncall_layer *l, ms_t t)
{
	int64_t today = local_day(p, t);

	for (int64_t day = today - 2; day <= today + 1; day++)
		if (counts_on(l, day) && t >= day_begin(p, l, day) && t < day_end(p, l, day))
			return true;
	return false;
}

/* ---- who ---- */

static uint64_t user_of_turn(const struct oncall_layer *l, int64_t k)
{
	for (size_t i = 0; i < l->users_n; i++) {
		uint64_t user = l->users[((uint64_t)k + i) % l->users_n];

		if (user)
			return user;
	}
	return 0;
}

static uint64_t user_of_layer(const struct oncall_plan *p, const struct oncall_layer *l, ms_t t)
{
	if (t < start(p, l) || (!counts_always(l) && !counts_at(p, l, t)))
		return 0;
	return user_of_turn(l, turn_at(p, l, t));
}

struct oncall_duty oncall_at(const struct oncall_plan *p, ms_t t)
{
	for (size_t i = p->overrides_n; i--;) {
		const struct oncall_override *o = &p->overrides[i];

		if (o->user && t >= o->from && t < o->to)
			return (struct oncall_duty){ .user = o->user, .override = o->id };
	}
	for (size_t i = 0; i < p->layers_n; i++) {
		uint64_t user = user_of_layer(p, &p->layers[i], t);

		if (user)
			return (struct oncall_duty){ .user = user, .layer = i + 1 };
	}
	return (struct oncall_duty){ 0 };
}

/* ---- when ---- */

static void earliest(ms_t *next, ms_t candidate, ms_t after)
{
	if (candidate > after && candidate < *next)
		*next = candidate;
}

/* Midnight is looked at, too: so the days that are looked at follow. */
static void layer_next(const struct oncall_plan *p, const struct oncall_layer *l, ms_t t, ms_t *next)
{
	int64_t today = local_day(p, t);

	if (t < start(p, l)) {
		earliest(next, start(p, l), t);
		return;
	}
	earliest(next, turn_begin(p, l, turn_at(p, l, t) + 1), t);
	if (counts_always(l))
		return;
	earliest(next, zone_moment(p->zone, (today + 1) * MS_PER_DAY), t);
	for (int64_t day = today - 2; day <= today + 1; day++)
		if (counts_on(l, day)) {
			earliest(next, day_begin(p, l, day), t);
			earliest(next, day_end(p, l, day), t);
		}
}

/* The next moment after t at which somebody else may be on call; NEVER. */
static ms_t next_look(const struct oncall_plan *p, ms_t t)
{
	ms_t next = NEVER;

	for (size_t i = 0; i < p->overrides_n; i++) {
		earliest(&next, p->overrides[i].from, t);
		earliest(&next, p->overrides[i].to, t);
	}
	for (size_t i = 0; i < p->layers_n; i++)
		if (p->layers[i].users_n)
			layer_next(p, &p->layers[i], t, &next);
	return next;
}

ms_t oncall_until(const struct oncall_plan *p, ms_t t, ms_t limit)
{
	uint64_t user = oncall_at(p, t).user;

	do
		t = next_look(p, t);
	while (t < limit && oncall_at(p, t).user == user);
	return t < limit ? t : limit;
}

static bool same(const struct oncall_duty *a, const struct oncall_duty *b)
{
	return a->user == b->user && a->layer == b->layer && a->override == b->override;
}

void oncall_spans(struct arena *a, const struct oncall_plan *p, ms_t from, ms_t to, struct oncall_span **out, size_t *n)
{
	size_t room = 64;

	*out = ARENA_ARRAY(a, struct oncall_span, room);
	*n = 0;
	for (ms_t t = from; t < to; t = next_look(p, t)) {
		struct oncall_duty duty = oncall_at(p, t);

		if (*n && same(&duty, &(*out)[*n - 1].duty))
			continue;
		if (*n)
			(*out)[*n - 1].to = t;
		if (*n == room) {
			*out = arena_grow(a, *out, room * sizeof(**out), 2 * room * sizeof(**out));
			room *= 2;
		}
		(*out)[(*n)++] = (struct oncall_span){ t, to, duty };
	}
}
