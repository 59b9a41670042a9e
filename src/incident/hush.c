/* hush.c - when maintenance windows and silences run, and what they cover: pure.
 *
 * Spans are looked for day by day on the wall of the window's zone, from so far back that one which began then may still last. That is some ten days
 * of a few comparisons each, and needs no rule for what happens at the edges of months, years or changes of clocks: each day answers for itself. */
#include "grapnel/incident.h"

#include <inttypes.h>

#define MIN_PER_HOUR 60
#define MIN_PER_DAY 1440
#define DAYS_AHEAD 80	/* the longest way to the next span: from the first weekday of a month to that of the next are 35 days */

static const char *const weekday_names[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };

/* ---- when ---- */

static unsigned weekday_of(int64_t day)
{
	return (unsigned)((day + 3) % 7);	/* 1970 began on a Thursday; day 0 is the first that is asked for */
}

static bool is_in_week(const struct hush_times *t, int64_t day)
{
	return t->weekdays >> weekday_of(day) & 1;
}

static bool is_in_month(const struct hush_times *t, int64_t day)
{
	struct civil c = civil_from_days(day);
	unsigned last = days_in_month(c.year, c.month);

	if (!t->month_week)
		return c.day == (t->month_day < last ? t->month_day : last);
	if (!is_in_week(t, day))
		return false;
	return t->month_week == HUSH_LAST_WEEK ? c.day + 7 > last : (c.day - 1) / 7 + 1 == t->month_week;
}

static bool falls_on(const struct hush_times *t, int64_t day)
{
	switch ((enum hush_repeat)t->repeat) {
	case HUSH_DAILY:
		return true;
	case HUSH_WEEKLY:
		return is_in_week(t, day);
	case HUSH_MONTHLY:
		return is_in_month(t, day);
	case HUSH_ONCE:
		break;
	}
	return false;
}

/* Somebody ended what ran at that moment; what began later is not concerned. */
static bool cut(const struct hush_times *t, struct hush_span *s)
{
	if (t->ended_at > s->from && t->ended_at < s->to)
		s->to = t->ended_at;
	return s->from < s->to;
}

static bool span_of_day(const struct hush_times *t, int64_t day, struct hush_span *out)
{
	if (!falls_on(t, day))
		return false;
	out->from = zone_moment(t->zone, day * MS_PER_DAY + (ms_t)t->at_min * MS_PER_MINUTE);
	out->to = out->from + (ms_t)t->minutes * MS_PER_MINUTE;
	return out->from >= t->from && (!t->to || out->from < t->to) && cut(t, out);
}

static int64_t local_day(const struct zone *z, ms_t t)
{
	return (t + zone_ahead(z, t)) / MS_PER_DAY;
}

static bool recurring_span(const struct hush_times *t, ms_t at, struct hush_span *out)
{
	int64_t first = local_day(t->zone, at > t->from ? at : t->from) - (int64_t)(t->minutes / MIN_PER_DAY) - 2;
	int64_t last = first + (int64_t)(t->minutes / MIN_PER_DAY) + DAYS_AHEAD;
	struct hush_span s;
	bool found = false;

	for (int64_t day = first < 0 ? 0 : first; day <= last; day++) {
		if (!span_of_day(t, day, &s) || s.to <= at)
			continue;
		if (s.from > at)
			return found || (*out = s, true);
		if (!found || s.to > out->to)
			*out = s;
		found = true;
	}
	return found;
}

bool hush_span(const struct hush_times *t, ms_t at, struct hush_span *out)
{
	if (t->repeat)
		return recurring_span(t, at, out);
	*out = (struct hush_span){ t->from, t->to };
	return cut(t, out) && at < out->to;
}

bool hush_runs(const struct hush_times *t, ms_t at, ms_t *until)
{
	struct hush_span s;

	if (!hush_span(t, at, &s) || s.from > at)
		return false;
	*until = s.to;
	return true;
}

/* All spans last equally long, so the one that begins last ends last. */
static ms_t last_end(const struct hush_times *t)
{
	int64_t day = local_day(t->zone, t->to);
	struct hush_span s;

	for (int n = 0; n < DAYS_AHEAD && day >= 0; n++, day--)
		if (span_of_day(t, day, &s))
			return s.to;
	return t->to;
}

ms_t hush_over_at(const struct hush_times *t)
{
	struct hush_span s = { t->from, t->to };

	if (t->repeat)
		return t->to ? last_end(t) : INT64_MAX;
	return cut(t, &s) ? s.to : t->to;
}

/* ---- what ---- */

/* Where bytes after a star do not fit, the last star takes one more: a star before it never has to. */
static bool fits(struct str pattern, struct str s)
{
	size_t p = 0, i = 0, star = SIZE_MAX, from = 0;

	while (i < s.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			from = i;
		} else if (p < pattern.n && pattern.p[p] == s.p[i]) {
			p++;
			i++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

bool hush_scope_is_empty(const struct hush_scope *s)
{
	return !s->service_id && !s->source_id && !s->dedup_key.n && !s->provider.n && !s->level_max;
}

bool hush_covers(const struct hush_scope *s, const struct hush_subject *x)
{
	return (!s->service_id || s->service_id == x->service_id) && (!s->source_id || s->source_id == x->source_id) &&
		(!s->dedup_key.n || fits(s->dedup_key, x->dedup_key)) && (!s->provider.n || str_eq(s->provider, x->provider)) &&
		(!s->level_max || x->level < s->level_max);
}

const struct hush *hush_match(const struct hush *list, size_t n, const struct hush_subject *x, ms_t at, ms_t *until)
{
	const struct hush *best = NULL;
	ms_t end;

	for (size_t i = 0; i < n; i++) {
		if (!hush_covers(&list[i].scope, x) || !hush_runs(&list[i].times, at, &end) || (best && end <= *until))
			continue;
		best = &list[i];
		*until = end;
	}
	return best;
}

/* ---- in words ---- */

static void add_weekdays(struct strbuf *b, uint64_t weekdays)
{
	const char *between = "";

	for (size_t i = 0; i < ARRAY_SIZE(weekday_names); i++) {
		if (!(weekdays >> i & 1))
			continue;
		strbuf_addf(b, "%s%s", between, weekday_names[i]);
		between = ", ";
	}
}

static void add_days(struct strbuf *b, const struct hush_times *t)
{
	static const char *const weeks[] = { [1] = "first", [2] = "second", [3] = "third", [4] = "fourth", [HUSH_LAST_WEEK] = "last" };

	if (t->repeat == HUSH_DAILY) {
		strbuf_adds(b, "daily");
	} else if (t->repeat == HUSH_WEEKLY) {
		strbuf_adds(b, "weekly on ");
		add_weekdays(b, t->weekdays);
	} else if (t->month_week && t->month_week < ARRAY_SIZE(weeks)) {
		strbuf_addf(b, "monthly on the %s ", weeks[t->month_week]);
		add_weekdays(b, t->weekdays);
	} else {
		strbuf_addf(b, "monthly on day %" PRIu64, t->month_day);
	}
}

struct str hush_times_text(struct arena *a, const struct hush_times *t, struct str zone_name)
{
	struct strbuf b;

	if (!t->repeat)
		return STR_NONE;
	strbuf_init(&b, a, 512);
	add_days(&b, t);
	strbuf_addf(&b, " at %02" PRIu64 ":%02" PRIu64 " for ", t->at_min / MIN_PER_HOUR, t->at_min % MIN_PER_HOUR);
	if (t->minutes % MIN_PER_HOUR)
		strbuf_addf(&b, "%" PRIu64 " minutes", t->minutes);
	else
		strbuf_addf(&b, "%" PRIu64 " hour%s", t->minutes / MIN_PER_HOUR, t->minutes == MIN_PER_HOUR ? "" : "s");
	strbuf_addf(&b, ", %.*s", STR_ARG(zone_name));
	return strbuf_str(&b);
}
