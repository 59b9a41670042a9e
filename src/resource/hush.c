/* hush.c - maintenance windows and silences: their forms; making, changing, ending and removing one. */
#include "resource_int.h"

#include "grapnel/json.h"

#define ONCE_MAX_MS (366 * MS_PER_DAY)	/* what lasts longer is forgotten: let it recur, or disable the source */
#define NOT_GIVEN UINT64_MAX

static const struct form_word repeat_words[] = {
	{ "once", 1 << HUSH_ONCE }, { "daily", 1 << HUSH_DAILY }, { "weekly", 1 << HUSH_WEEKLY }, { "monthly", 1 << HUSH_MONTHLY }, { 0 }
};
static const struct form_word weekday_words[] = {
	{ "monday", 1 }, { "tuesday", 2 }, { "wednesday", 4 }, { "thursday", 8 }, { "friday", 16 }, { "saturday", 32 }, { "sunday", 64 }, { 0 }
};
static const struct form_word week_words[] = {
	{ "first", 1 << 1 }, { "second", 1 << 2 }, { "third", 1 << 3 }, { "fourth", 1 << 4 }, { "last", 1 << HUSH_LAST_WEEK }, { 0 }
};
static const struct form_word status_words[] = {
	{ "running", HUSH_RUNNING }, { "coming", HUSH_COMING }, { "over", HUSH_OVER }, { 0 }
};

#define SCOPE_ROWS \
	{ "name", TEXT_AT(struct hush_form, name), FORM_REQUIRED, 1, 400, .help = "1 to 100 characters; timelines say it" }, \
	{ "reason", TEXT_AT(struct hush_form, reason), .max = 4096, .help = "Why, up to 1,024 characters" }, \
	{ "serviceId", TEXT_AT(struct hush_form, service), .max = 400, .help = "Of this service alone: its id or name; null = of any" }, \
	{ "sourceId", TEXT_AT(struct hush_form, source), .max = 23, .help = "Of this integration alone; null = of any" }, \
	{ "dedupKey", TEXT_AT(struct hush_form, dedup_key), .max = HUSH_KEY_MAX, \
		.help = "Of this dedup key alone; each * stands for any bytes; null = of any" }, \
	{ "provider", TEXT_AT(struct hush_form, provider), .max = 32, .help = "Slug: of this provider alone; null = of any" }, \
	{ "maxSeverity", WORDS_AT(struct hush_form, max_severity), FORM_NULL, .words = level_words, \
		.help = "Nothing above it is held back: INFO, LOW, MEDIUM, HIGH or CRITICAL; null = whatever its severity" }

const struct form_field window_fields[] = {
	SCOPE_ROWS,
	{ "repeat", WORDS_AT(struct hush_form, repeat), FORM_NULL, .words = repeat_words, .absent = 1 << HUSH_ONCE,
		.help = "once, daily, weekly or monthly; null = once" },
	{ "from", TEXT_AT(struct hush_form, from), .max = 64,
		.help = "Once: its begin. Else none begins before. RFC 3339, or without offset a time of timeZone" },
	{ "to", TEXT_AT(struct hush_form, to), .max = 64,
		.help = "Once: its end, at most 366 days later. Else none begins then or later; a date alone counts to its end. null = it goes on" },
	{ "startTime", TEXT_AT(struct hush_form, start_time), .max = 8, .help = "Of what recurs: a time on the wall, 02:00" },
	{ "durationMinutes", NUMBER_AT(struct hush_form, minutes), FORM_NULL, 1, HUSH_MINUTES_MAX,
		.help = "Of what recurs: up to 1440 daily, 10080 weekly and monthly" },
	{ "weekdays", WORDS_AT(struct hush_form, weekdays), FORM_NULL, .words = weekday_words,
		.help = "Weekly: monday to sunday, one or more. Monthly with week: the one" },
	{ "week", WORDS_AT(struct hush_form, week), FORM_NULL, .words = week_words,
		.help = "Monthly on a weekday: first, second, third, fourth or last; null = by monthDay" },
	{ "monthDay", NUMBER_AT(struct hush_form, month_day), FORM_NULL, 1, 31, .help = "Monthly by day; of a shorter month its last day" },
	{ "timeZone", TEXT_AT(struct hush_form, zone), .max = 64, .help = "A name like Europe/Berlin; null = UTC" },
	FORM_END
};

const struct form_field silence_fields[] = {
	SCOPE_ROWS,
	{ "minutes", NUMBER_AT(struct hush_form, until_minutes), FORM_NULL, 1, HUSH_SILENCE_MS / MS_PER_MINUTE, .absent = NOT_GIVEN,
		.help = "From now; at most 30 days" },
	{ "until", TEXT_AT(struct hush_form, to), .max = 64, .help = "Instead of minutes. Neither: 30 days from now" },
	FORM_END
};

#define QUERY_ROWS(plural) \
	{ "status", WORDS_AT(struct hush_filter, statuses), .words = status_words, .help = "running, coming or over: one or more, with commas between" }, \
	{ "limit", NUMBER_AT(struct hush_filter, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX, .help = "Most " plural " in the answer" }, \
	CURSOR_ROW(struct hush_filter, cursor, plural), \
	FORM_END
const struct form_field window_query_fields[] = { QUERY_ROWS("maintenanceWindows") };
const struct form_field silence_query_fields[] = { QUERY_ROWS("silences") };

/* ---- scope ---- */

static bool find_service(const struct caller *by, const struct hush_form *f, struct hush *h, struct err *e)
{
	struct service s;
	int found;

	if (h->scope.service_id && str_eq(f->service, h->service_public_id))
		return true;	/* also of one that was deleted since */
	h->scope.service_id = 0;
	if (!f->service.n)
		return true;
	found = public_id_is(f->service, "sv") ? service_by_public_id(by->db, by->a, (uint32_t)by->tenant_id, f->service, &s, e) :
		service_by_name(by->db, by->a, (uint32_t)by->tenant_id, f->service, &s, e);
	if (found == 1)
		h->scope.service_id = s.id;
	return found == 1 || (!found && err_field(e, ERR_INVALID, "serviceId", "There is no service of that id or name."));
}

static bool find_source(const struct caller *by, const struct hush_form *f, struct hush *h, struct err *e)
{
	struct source s;
	int found;

	if (h->scope.source_id && str_eq(f->source, h->source_public_id))
		return true;
	h->scope.source_id = 0;
	if (!f->source.n)
		return true;
	found = integration_find(by, f->source, &s, e);
	if (found == 1)
		h->scope.source_id = s.id;
	return found == 1 || (!found && err_field(e, ERR_INVALID, "sourceId", "There is no integration of that id."));
}

static bool one_word(uint64_t bits)
{
	return !(bits & (bits - 1));
}

static bool read_scope(const struct caller *by, const struct hush_form *f, struct hush *h, struct err *e)
{
	struct hush_scope *s = &h->scope;

	h->name = f->name;
	h->reason = str_trim(f->reason);
	s->dedup_key = f->dedup_key;
	s->provider = str_trim(f->provider);
	if (s->provider.n && !provider_find(s->provider))
		return err_field(e, ERR_INVALID, "provider", "There is no provider of that name.");
	if (!one_word(f->max_severity))
		return err_field(e, ERR_INVALID, "maxSeverity", "maxSeverity is one of INFO, LOW, MEDIUM, HIGH, CRITICAL.");
	s->level_max = f->max_severity ? (uint64_t)__builtin_ctzll(f->max_severity) + 1 : 0;
	if (!find_service(by, f, h, e) || !find_source(by, f, h, e))
		return false;
	return h->kind == HUSH_WINDOW || !hush_scope_is_empty(s) ||
		err_field(e, ERR_INVALID, "serviceId", "A silence says what is silent: give one of service, integration, dedup key, provider or severity.");
}

/* ---- times ---- */

static bool bad_time(const char *field, struct err *e)
{
	return err_field(e, ERR_INVALID, field, "%s must be a time like 2026-01-02T03:04:05Z, or 2026-01-02T03:04 on the wall of timeZone.", field);
}

/* "2026-01-02", "2026-01-02T03:04" and "2026-01-02T03:04:05" are of the wall; a date alone is its begin, or its end. */
static bool read_time(const struct caller *by, const struct zone *zone, struct str text, const char *field, bool to_end, ms_t *out, struct err *e)
{
	static const size_t date = 10, minute = 16, second = 19, millisecond = 23;	/* bytes of these */
	const char *rest;

	*out = 0;
	text = str_trim(text);
	rest = text.n == date ? "T00:00:00Z" : text.n == minute ? ":00Z" : text.n == second || text.n == millisecond ? "Z" : "";
	if (!text.n)
		return true;
	if (!time_parse(arena_printf(by->a, "%.*s%s", STR_ARG(text), rest), out) || *out <= 0)
		return bad_time(field, e);
	if (*rest)
		*out = zone_moment(zone, *out + (text.n == date && to_end ? MS_PER_DAY : 0));
	return true;
}

static bool read_wall(struct str text, uint64_t *out, struct err *e)
{
	struct str minutes = text, hours = str_until(&minutes, ':');
	uint64_t h, m;

	if (hours.n > 2 || minutes.n != 2 || !str_u64(hours, &h) || !str_u64(minutes, &m) || h > 23 || m > 59)
		return err_field(e, ERR_INVALID, "startTime", "startTime must be a time of the day like 02:00.");
	*out = h * 60 + m;
	return true;
}

static bool check_once(const struct hush_times *t, ms_t now, struct err *e)
{
	if (!t->from || !t->to)
		return err_field(e, ERR_INVALID, t->from ? "to" : "from", "A window that applies once has a begin and an end.");
	if (t->to <= t->from)
		return err_field(e, ERR_INVALID, "to", "The end must be after the begin.");
	if (t->to - t->from > ONCE_MAX_MS)
		return err_field(e, ERR_INVALID, "to", "A window lasts at most 366 days.");
	return t->to > now || err_field(e, ERR_INVALID, "to", "The end lies in the past.");
}

static bool read_days(const struct hush_form *f, struct hush_times *t, struct err *e)
{
	if (t->repeat == HUSH_WEEKLY || (t->repeat == HUSH_MONTHLY && f->week))
		t->weekdays = f->weekdays;
	if (t->repeat == HUSH_WEEKLY && !t->weekdays)
		return err_field(e, ERR_INVALID, "weekdays", "Say on which days of the week.");
	if (t->repeat != HUSH_MONTHLY)
		return true;
	if (!f->week) {
		t->month_day = f->month_day;
		return t->month_day || err_field(e, ERR_INVALID, "monthDay", "Say on which day of the month, or week and weekday.");
	}
	if (!one_word(f->week))
		return err_field(e, ERR_INVALID, "week", "week is one of first, second, third, fourth, last.");
	t->month_week = (uint64_t)__builtin_ctzll(f->week);
	return (t->weekdays && one_word(t->weekdays)) || err_field(e, ERR_INVALID, "weekdays", "Say on which day of that week: one.");
}

static bool read_recurring(const struct hush_form *f, struct hush_times *t, struct err *e)
{
	if (!read_wall(f->start_time, &t->at_min, e))
		return false;
	t->minutes = f->minutes;
	if (!t->minutes || t->minutes > (t->repeat == HUSH_DAILY ? 1440 : HUSH_MINUTES_MAX))
		return err_field(e, ERR_INVALID, "durationMinutes", "A daily window lasts 1 to 1440 minutes, a weekly or monthly one up to %d.",
			HUSH_MINUTES_MAX);
	return read_days(f, t, e);
}

static bool check_recurring(const struct hush_times *t, ms_t now, struct err *e)
{
	struct hush_span ignored;

	return hush_span(t, now, &ignored) || err_field(e, ERR_INVALID, "to", "No window is left before that end.");
}

/* Whether it was ended early says nothing of other times. */
static bool same_times(const struct hush_times *a, const struct hush_times *b)
{
	return a->repeat == b->repeat && a->from == b->from && a->to == b->to && a->at_min == b->at_min && a->minutes == b->minutes &&
		a->weekdays == b->weekdays && a->month_week == b->month_week && a->month_day == b->month_day;
}

static bool read_window_times(const struct caller *by, const struct hush_form *f, struct hush *h, struct err *e)
{
	struct hush_times t = { 0 };
	struct str before = h->zone_name;

	if (!one_word(f->repeat))
		return err_field(e, ERR_INVALID, "repeat", "repeat is one of once, daily, weekly, monthly.");
	t.repeat = f->repeat ? (uint64_t)__builtin_ctzll(f->repeat) : HUSH_ONCE;
	h->zone_name = f->zone.n ? f->zone : STR("UTC");
	t.zone = zone_read(by->a, h->zone_name);
	if (!t.zone)
		return err_field(e, ERR_INVALID, "timeZone", "There is no time zone of that name.");
	if (!read_time(by, t.zone, f->from, "from", false, &t.from, e) || !read_time(by, t.zone, f->to, "to", t.repeat, &t.to, e))
		return false;
	if (t.repeat && !read_recurring(f, &t, e))
		return false;
	if (same_times(&t, &h->times) && str_eq(before, h->zone_name))
		return true;
	t.ended_at = 0;
	h->times = t;
	return t.repeat ? check_recurring(&t, by->now, e) : check_once(&t, by->now, e);
}

static bool read_silence_times(const struct caller *by, const struct hush_form *f, struct hush *h, struct err *e)
{
	struct hush_times t = h->times;
	bool in_minutes = f->until_minutes != NOT_GIVEN;

	if (!read_time(by, zone_read(by->a, STR("UTC")), f->to, "until", true, &t.to, e))
		return false;
	if (in_minutes && t.to && t.to != h->times.to)
		return err_field(e, ERR_INVALID, "minutes", "Give minutes or until, one of both.");
	if (in_minutes)
		t.to = by->now + (ms_t)f->until_minutes * MS_PER_MINUTE;
	else if (!t.to)
		t.to = by->now + HUSH_SILENCE_MS;
	if (t.to == h->times.to)
		return true;
	if (t.to <= by->now || t.to > by->now + HUSH_SILENCE_MS)
		return err_field(e, ERR_INVALID, "until", "A silence ends within 30 days from now.");
	t.ended_at = 0;
	if (!t.from)
		t.from = by->now;
	h->times = t;
	return true;
}

static bool form_to_hush(const struct caller *by, const struct hush_form *f, struct hush *h, struct err *e)
{
	return read_scope(by, f, h, e) && (h->kind == HUSH_WINDOW ? read_window_times(by, f, h, e) : read_silence_times(by, f, h, e));
}

/* ---- form of what is stored ---- */

/* A time of the wall, as a browser's field takes it; the second one of two is said in UTC. */
static struct str wall_text(const struct caller *by, const struct zone *zone, ms_t t)
{
	ms_t wall = t + zone_ahead(zone, t);
	char text[TIME_TEXT];

	if (!t)
		return STR("");
	if (zone_moment(zone, wall) != t)
		return arena_str(by->a, str_of(time_format(t, text)));
	return arena_str(by->a, str_cut(str_of(time_format(wall, text)), wall % MS_PER_MINUTE ? 23 : 16));
}

void hush_to_form(const struct caller *by, const struct hush *h, struct hush_form *f)
{
	const struct hush_times *t = &h->times;
	const struct zone *zone = zone_read(by->a, h->zone_name);

	if (!zone)
		zone = zone_read(by->a, STR("UTC"));
	*f = (struct hush_form){
		.name = h->name, .reason = h->reason, .service = h->service_public_id, .source = h->source_public_id, .dedup_key = h->scope.dedup_key,
		.provider = h->scope.provider, .max_severity = h->scope.level_max ? 1u << (h->scope.level_max - 1) : 0,
		.repeat = 1u << t->repeat, .from = wall_text(by, zone, t->from), .to = wall_text(by, zone, t->to),
		.start_time = arena_printf(by->a, "%02u:%02u", (unsigned)t->at_min / 60, (unsigned)t->at_min % 60), .minutes = t->minutes,
		.weekdays = t->weekdays, .week = t->month_week ? 1u << t->month_week : 0, .month_day = t->month_day, .zone = h->zone_name,
		.until_minutes = NOT_GIVEN,
	};
}

/* ---- acts ---- */

static const char *prefix(enum hush_kind kind)
{
	return kind == HUSH_WINDOW ? "mw" : "si";
}

int hush_find_by(const struct caller *by, enum hush_kind kind, struct str public_id, struct hush *out, struct err *e)
{
	return public_id_is(public_id, prefix(kind)) ? hush_get(by->db, by->a, by->tenant_id, kind, public_id, out, e) : 0;
}

static bool not_found(enum hush_kind kind, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no such %s", kind == HUSH_WINDOW ? "maintenance window" : "silence");
}

/* Before it looks by itself: from now on, or no longer, something may be held back. */
static void ingest_is_told(const struct caller *by)
{
	if (by->shm)
		shm_generation_bump(by->shm);
}

bool hush_create(const struct caller *by, enum hush_kind kind, const struct hush_form *f, struct hush *made, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct hush h = { .tenant_id = by->tenant_id, .kind = kind, .public_id = f->public_id, .user_id = by->principal.user_id,
		.zone_name = kind == HUSH_WINDOW ? STR_NONE : STR("UTC") };

	if (!form_to_hush(by, f, &h, e) || !hush_add(by->db, by->a, &h, &who, by->now, made, e))
		return false;
	ingest_is_told(by);
	return true;
}

/* One try. 1, 0, -1 as the store. */
static int change(const struct caller *by, enum hush_kind kind, struct str public_id,
	bool (*read)(void *ctx, struct hush_form *f, struct err *e), void *ctx, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct hush_form f;
	struct hush h;
	int found = hush_find_by(by, kind, public_id, &h, e);

	if (found != 1)
		return found;
	hush_to_form(by, &h, &f);
	if (!read(ctx, &f, e) || !form_to_hush(by, &f, &h, e))
		return -1;
	return hush_update(by->db, by->a, &h, &who, by->now, e);
}

/* What is over by that is told at once. */
static bool done(const struct caller *by, enum hush_kind kind, int did, struct err *e)
{
	ingest_is_told(by);
	bell_ring(by->shm);
	return did == 1 || (!did && not_found(kind, e));
}

bool hush_change(const struct caller *by, enum hush_kind kind, struct str public_id, bool (*read)(void *ctx, struct hush_form *f, struct err *e), void *ctx,
	struct err *e)
{
	int did, tries = 0;

	do
		did = change(by, kind, public_id, read, ctx, e);
	while (changed_meanwhile(did, &tries, e));
	return done(by, kind, did, e);
}

bool hush_stop(const struct caller *by, enum hush_kind kind, struct str public_id, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);

	return done(by, kind, public_id_is(public_id, prefix(kind)) ?
		hush_end(by->db, by->a, by->tenant_id, kind, public_id, &who, by->now, e) : 0, e);
}

bool hush_remove(const struct caller *by, enum hush_kind kind, struct str public_id, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);

	return done(by, kind, public_id_is(public_id, prefix(kind)) ?
		hush_delete(by->db, by->a, by->tenant_id, kind, public_id, &who, by->now, e) : 0, e);
}
