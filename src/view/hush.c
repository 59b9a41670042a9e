/* hush.c - maintenance windows and silences as people see them. */
#include "view_int.h"

#include <inttypes.h>

#define WEEKDAYS_TEXT_MAX 128	/* all seven as JSON */
#define SCOPE_TEXT_MAX 2048
#define CHUNK 200		/* rows that are read at once while a list is filtered */

const char *const hush_repeats[] = { [HUSH_ONCE] = "once", [HUSH_DAILY] = "daily", [HUSH_WEEKLY] = "weekly", [HUSH_MONTHLY] = "monthly", NULL };
const char *const hush_weekdays[] = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", NULL };
const char *const hush_weeks[] = { "first", "second", "third", "fourth", "last", NULL };

#define ID_FIELDS \
	FIELD_STR(struct hush_view, id, "id", "Public id"), \
	FIELD_STR(struct hush_view, name, "name", "As people know it, and as timelines say it"), \
	FIELD_STR(struct hush_view, reason, "reason", "Why"), \
	FIELD_STR(struct hush_view, status, "status", "running, coming or over"), \
	FIELD_STR(struct hush_view, service_id, "serviceId", "Of this service alone; null = of any"), \
	FIELD_STR(struct hush_view, service_name, "serviceName", "Its name"), \
	FIELD_STR(struct hush_view, source_id, "sourceId", "Of this integration alone; null = of any"), \
	FIELD_STR(struct hush_view, source_name, "sourceName", "Its name"), \
	FIELD_STR(struct hush_view, dedup_key, "dedupKey", "Of this dedup key alone, each * standing for anything; null = of any"), \
	FIELD_STR(struct hush_view, provider, "provider", "Of this provider alone; null = of any"), \
	FIELD_STR(struct hush_view, max_severity, "maxSeverity", "Nothing above it is held back; null = whatever its severity")

#define COMMON_FIELDS \
	FIELD_TIME(struct hush_view, ended_at, "endedAt", "Somebody ended what ran then; null = nobody has"), \
	FIELD_U64(struct hush_view, held, "heldIncidents", "Incidents that it holds back now"), \
	FIELD_TIME(struct hush_view, held_at, "lastHeldAt", "When it held one back last"), \
	FIELD_STR(struct hush_view, created_by, "createdBy", "Who made it; null = the command line"), \
	FIELD_TIME(struct hush_view, created_at, "createdAt", "Creation"), \
	FIELD_TIME(struct hush_view, updated_at, "updatedAt", "Last change"), \
	FIELD_END

const struct field window_view_fields[] = {
	ID_FIELDS,
	FIELD_STR(struct hush_view, repeat, "repeat", "once, daily, weekly or monthly"),
	FIELD_TIME(struct hush_view, from, "from", "Once: its begin. Else none begins before; null = no such bound"),
	FIELD_TIME(struct hush_view, to, "to", "Once: its end. Else none begins then or later; null = it goes on"),
	FIELD_STR(struct hush_view, start_time, "startTime", "Of what recurs: on the wall, 02:00"),
	FIELD_JSON(struct hush_view, duration_minutes, "durationMinutes", "Of what recurs: how long, in real minutes"),
	FIELD_JSON(struct hush_view, weekdays, "weekdays", "Weekly: on which; monthly by week: the one"),
	FIELD_STR(struct hush_view, week, "week", "Monthly by weekday: first, second, third, fourth or last"),
	FIELD_JSON(struct hush_view, month_day, "monthDay", "Monthly by day: 1 to 31; of a shorter month its last day"),
	FIELD_STR(struct hush_view, time_zone, "timeZone", "Whose wall"),
	FIELD_STR(struct hush_view, times, "times", "Of what recurs: all that in words"),
	FIELD_TIME(struct hush_view, next_from, "nextFrom", "Begin of the span that runs, or of the next one; null = there is none"),
	FIELD_TIME(struct hush_view, next_to, "nextTo", "Its end"),
	COMMON_FIELDS
};

const struct field silence_view_fields[] = {
	ID_FIELDS,
	FIELD_TIME(struct hush_view, to, "until", "Its end"),
	COMMON_FIELDS
};

static struct str weekdays_json(struct arena *a, uint64_t weekdays)
{
	struct json_out o;
	struct strbuf b;

	if (!weekdays)
		return STR_NONE;
	strbuf_init(&b, a, WEEKDAYS_TEXT_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (unsigned i = 0; hush_weekdays[i]; i++)
		if (weekdays >> i & 1)
			json_strz(&o, hush_weekdays[i]);
	json_close(&o, ']');
	return strbuf_str(&b);
}

static struct str number_or_none(struct arena *a, uint64_t n)
{
	return n ? arena_printf(a, "%" PRIu64, n) : STR_NONE;
}

static void add_part(struct strbuf *b, const char *what, struct str value)
{
	if (value.n)
		strbuf_addf(b, "%s%s %.*s", b->n ? ", " : "", what, STR_ARG(value));
}

static struct str scope_text(struct arena *a, const struct hush_view *v)
{
	struct strbuf b;

	strbuf_init(&b, a, SCOPE_TEXT_MAX);
	add_part(&b, "service", v->service_name);
	add_part(&b, "integration", v->source_name);
	add_part(&b, "provider", v->provider);
	add_part(&b, "key", v->dedup_key);
	add_part(&b, "up to", v->max_severity);
	return b.n ? strbuf_str(&b) : STR("everything");
}

static enum hush_status status_of(const struct hush *h, ms_t now, struct hush_span *span)
{
	*span = (struct hush_span){ 0 };
	if (!hush_span(&h->times, now, span))
		return HUSH_OVER;
	return span->from <= now ? HUSH_RUNNING : HUSH_COMING;
}

static void fill_times(struct arena *a, const struct hush *h, struct hush_view *out)
{
	const struct hush_times *t = &h->times;

	out->repeat = str_of(hush_repeats[t->repeat]);
	out->from = t->from;
	out->to = t->to;
	out->time_zone = h->zone_name;
	if (!t->repeat)
		return;
	out->start_time = arena_printf(a, "%02" PRIu64 ":%02" PRIu64, t->at_min / 60, t->at_min % 60);
	out->duration_minutes = number_or_none(a, t->minutes);
	out->weekdays = weekdays_json(a, t->weekdays);
	if (t->month_week)
		out->week = str_of(hush_weeks[t->month_week - 1]);
	out->month_day = number_or_none(a, t->month_day);
	out->times = hush_times_text(a, t, h->zone_name);
}

void hush_view_fill(struct arena *a, const struct hush *h, ms_t now, struct hush_view *out)
{
	static const char *const words[] = { [HUSH_RUNNING] = "running", [HUSH_COMING] = "coming", [HUSH_OVER] = "over" };
	struct hush_span span;

	*out = (struct hush_view){
		.id = h->public_id, .name = h->name, .reason = h->reason, .status = str_of(words[status_of(h, now, &span)]),
		.service_id = h->service_public_id, .service_name = h->service_name, .source_id = h->source_public_id, .source_name = h->source_name,
		.dedup_key = h->scope.dedup_key, .provider = h->scope.provider, .next_from = span.from, .next_to = span.to,
		.ended_at = h->times.ended_at, .held_at = h->held_at, .created_at = h->created_at, .updated_at = h->updated_at, .held = h->held,
		.created_by = h->user_name, .is_window = h->kind == HUSH_WINDOW,
	};
	if (h->scope.level_max)
		out->max_severity = str_of(level_word((enum level)(h->scope.level_max - 1)));
	fill_times(a, h, out);
	out->scope = scope_text(a, out);
}

/* What a recurring window is now says no column, so rows are read until the page is full. Those that are not over are few, and what is over is left out
 * by the statement where nobody asks for it. */
bool hush_view_list(struct db *db, struct arena *a, const struct hush_filter *f, ms_t now, struct hush_view **out, size_t *n, uint64_t *next,
	struct err *e)
{
	uint64_t statuses = f->statuses ? f->statuses : HUSH_RUNNING | HUSH_COMING | HUSH_OVER, last = 0;
	struct hush_range r = { .tenant_id = f->tenant_id, .kind = f->kind, .below = f->cursor, .over_after = statuses & HUSH_OVER ? 0 : now,
		.over_until = statuses == HUSH_OVER ? now : INT64_MAX };
	size_t got = CHUNK;
	struct hush *rows;

	*n = 0;
	*next = 0;
	*out = ARENA_ARRAY(a, struct hush_view, f->limit + 1);
	while (got == CHUNK) {
		if (!hush_list(db, a, &r, CHUNK, &rows, &got, e))
			return false;
		for (size_t i = 0; i < got; i++) {
			struct hush_span ignored;

			r.below = rows[i].id;
			if (!(statuses & status_of(&rows[i], now, &ignored)))
				continue;
			if (*n == f->limit) {
				*next = last;
				return true;
			}
			last = rows[i].id;
			hush_view_fill(a, &rows[i], now, &(*out)[(*n)++]);
		}
	}
	return true;
}
