/* oncall.c - on-call schedules: their forms; making, changing and removing one; overrides; the calendar.
 *
 * A layer is a form of its own: an object in the list `layers` of its schedule for programs, a page for people. */
#include "resource_int.h"

#include <inttypes.h>

#include "grapnel/json.h"

#define WORDS_TEXT_MAX (512 * 1024)	/* 500 people by name */
#define LAYERS_TEXT_MAX (256 * 1024)
#define WEEKS_MAX 52			/* of a turn */
#define OVERRIDE_MAX_MS (366 * MS_PER_DAY)
#define OVERRIDE_AHEAD_MS (2 * 366 * MS_PER_DAY)
#define MIN_PER_DAY (24 * 60)
#define VIEWER_REFUSED "%.*s is a viewer, who may not acknowledge."

enum rotation { ROTATION_DAILY = 1, ROTATION_WEEKLY = 2, ROTATION_HOURS = 4, ROTATION_DAYS = 8 };
const struct form_word rotation_words[] = {
	{ "daily", ROTATION_DAILY }, { "weekly", ROTATION_WEEKLY }, { "hours", ROTATION_HOURS }, { "days", ROTATION_DAYS }, { 0 }
};
static const struct form_word day_words[] = {
	{ "monday", 1 }, { "tuesday", 2 }, { "wednesday", 4 }, { "thursday", 8 }, { "friday", 16 }, { "saturday", 32 }, { "sunday", 64 }, { 0 }
};

const struct form_field schedule_query_fields[] = {
	{ "limit", NUMBER_AT(struct schedule_query, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX, .help = "Most schedules in the answer" },
	CURSOR_ROW(struct schedule_query, cursor, "schedules"),
	FORM_END
};

const struct form_field schedule_fields[] = {
	{ "name", TEXT_AT(struct schedule_form, name), FORM_REQUIRED, 1, 400, .help = "1 to 100 characters, no other schedule's name" },
	{ "description", TEXT_AT(struct schedule_form, description), .max = 4096, .help = "What it is for" },
	{ "timeZone", TEXT_AT(struct schedule_form, time_zone), .min = 1, .max = 64,
		.help = "A name like Europe/Berlin; all times of the layers are on its clocks. Not given: UTC" },
	{ "layers", OBJECTS_AT(struct schedule_form, layers), .max = ONCALL_LAYERS_MAX,
		.help = "Rotations; the first one that has somebody wins", .items = schedule_layer_fields },
	FORM_END
};

const struct form_field schedule_layer_fields[] = {
	{ "name", TEXT_AT(struct schedule_layer_form, name), .max = 400, .help = "1 to 100 characters; empty: Layer 1, Layer 2..." },
	{ "rotation", WORDS_AT(struct schedule_layer_form, rotation), FORM_NULL, .words = rotation_words, .absent = ROTATION_DAILY,
		.help = "How a turn is measured; null = daily" },
	{ "length", NUMBER_AT(struct schedule_layer_form, length), FORM_NULL, 1, ONCALL_HOURS_MAX, .absent = 1,
		.help = "Of a turn: hours up to 720, days up to 366, weeks up to 52; null = 1" },
	{ "handOver", TEXT_AT(struct schedule_layer_form, hand_over), .min = 1, .max = 5, .help = "Time of day like 09:00" },
	{ "weekday", WORDS_AT(struct schedule_layer_form, weekday), FORM_NULL, .words = day_words, .absent = 1,
		.help = "Of the hand-over, weekly; null = monday" },
	{ "startDate", TEXT_AT(struct schedule_layer_form, start_date), .max = 10,
		.help = "The first turn begins on that day, like 2026-01-31; empty: today, or yesterday before the hour of handOver" },
	{ "days", WORDS_AT(struct schedule_layer_form, days), FORM_NULL, .words = day_words, .absent = ONCALL_ALL_DAYS,
		.help = "It counts on these days alone; null = on all" },
	{ "from", TEXT_AT(struct schedule_layer_form, from), .min = 1, .max = 5, .help = "And from this time of day on" },
	{ "to", TEXT_AT(struct schedule_layer_form, to), .min = 1, .max = 5, .help = "Until then; where that is not after from, on the next day" },
	{ "users", LIST_AT(struct schedule_layer_form, users), .max = ONCALL_USERS_MAX, .help = "Ids or names in the order of turns; no viewers" },
	FORM_END
};

const struct form_field schedule_override_fields[] = {
	{ "user", TEXT_AT(struct schedule_override_form, user), .max = 400, .help = "Who takes over, id or name, no viewer; empty: whoever asks" },
	{ "from", TIME_AT(struct schedule_override_form, from), .help = "From then on; not given, or past: from now on" },
	{ "to", TIME_AT(struct schedule_override_form, to), FORM_REQUIRED, .help = "Until then, at most a year later" },
	FORM_END
};

const struct form_field on_call_query_fields[] = {
	{ "serviceId", TEXT_AT(struct on_call_query, service), .max = 23, .help = "Id of a service: of the schedules that its escalation policy names alone" },
	FORM_END
};

const struct form_field schedule_calendar_query_fields[] = {
	{ "from", TIME_AT(struct schedule_calendar_query, from), .help = "Its begin; not given: now" },
	{ "to", TIME_AT(struct schedule_calendar_query, to), .after = "from", .help = "Its end, at most 92 days later; not given: 14 days" },
	FORM_END
};

const struct field schedule_calendar_fields[] = {
	FIELD_STR(struct schedule_calendar, id, "id", "Public id of the schedule"),
	FIELD_STR(struct schedule_calendar, time_zone, "timeZone", "Its zone"),
	FIELD_TIME(struct schedule_calendar, from, "from", "Begin of the first span"),
	FIELD_TIME(struct schedule_calendar, to, "to", "End of the last one"),
	FIELD_END
};

/* ---- a layer ---- */

/* "09:00"; "24:00" is the next day's 00:00. */
static bool minutes_read(struct str text, const char *field, bool is_end, uint64_t *out, struct err *e)
{
	uint64_t hours, minutes;

	if (text.n != 5 || text.p[2] != ':' || !str_u64((struct str){ text.p, 2 }, &hours) || !str_u64((struct str){ text.p + 3, 2 }, &minutes) ||
		minutes > 59 || hours * 60 + minutes >= (uint64_t)MIN_PER_DAY + is_end)
		return err_field(e, ERR_INVALID, field, "%s must be a time of day like 09:00.", field);
	*out = (hours * 60 + minutes) % MIN_PER_DAY;
	return true;
}

/* Before the hour of hand-over yesterday's turn still runs: somebody is on call at once. */
static bool start_read(struct str text, const struct zone *zone, ms_t now, uint64_t at_min, int64_t *day, struct err *e)
{
	char whole[TIME_TEXT];
	ms_t t = now + zone_ahead(zone, now) - (ms_t)at_min * MS_PER_MINUTE;

	if (text.n) {
		snprintf(whole, sizeof(whole), "%.*sT00:00:00Z", STR_ARG(text));
		if (text.n != 10 || !time_parse(str_of(whole), &t) || t < 0)
			return err_field(e, ERR_INVALID, "startDate", "startDate must be a day like 2026-01-31.");
	}
	*day = t / MS_PER_DAY;
	return true;
}

static const struct { uint64_t rotation, unit, max; const char *name; } rotations[] = {
	{ ROTATION_DAILY, ONCALL_DAYS, 1, "day" },
	{ ROTATION_WEEKLY, ONCALL_WEEKS, WEEKS_MAX, "weeks" },
	{ ROTATION_HOURS, ONCALL_HOURS, ONCALL_HOURS_MAX, "hours" },
	{ ROTATION_DAYS, ONCALL_DAYS, ONCALL_DAYS_MAX, "days" },
};

static bool length_read(const struct schedule_layer_form *f, struct oncall_layer *l, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(rotations); i++)
		if (f->rotation == rotations[i].rotation) {
			l->unit = rotations[i].unit;
			l->length = f->length;
			return f->length <= rotations[i].max || err_field(e, ERR_INVALID, "length", "A turn of this rotation has at most %" PRIu64 " %s.",
				rotations[i].max, rotations[i].name);
		}
	return err_field(e, ERR_INVALID, "rotation", "rotation must be one of: daily, weekly, hours, days.");
}

static bool weekday_read(uint64_t bits, uint64_t *out, struct err *e)
{
	for (*out = 0; *out < ARRAY_SIZE(oncall_day_words); ++*out)
		if (bits == UINT64_C(1) << *out)
			return true;
	return err_field(e, ERR_INVALID, "weekday", "weekday must be one day.");
}

static bool layer_read(const struct schedule_layer_form *f, const struct zone *zone, ms_t now, struct oncall_layer *l, struct err *e)
{
	l->weekdays = f->days;
	return length_read(f, l, e) && weekday_read(f->weekday, &l->weekday, e) && minutes_read(f->hand_over, "handOver", false, &l->at_min, e) &&
		start_read(f->start_date, zone, now, l->at_min, &l->start_day, e) && minutes_read(f->from, "from", false, &l->from_min, e) &&
		minutes_read(f->to, "to", true, &l->to_min, e);
}

/* ---- its people ---- */

static void words_add(struct json_out *o, const struct json *users)
{
	for (const struct json *j = users ? users->first : NULL; j; j = j->next)
		json_str(o, json_text(j));
}

static const struct oncall_person *found_at(const struct oncall_found *found, size_t n, uint64_t place)
{
	for (size_t i = 0; i < n; i++)
		if (found[i].place == place)
			return &found[i].person;
	return NULL;
}

/* *place is that of its first one among all that were looked for. */
static bool crew_read(const struct caller *by, const struct json *users, const struct oncall_found *found, size_t n, uint64_t *place,
	struct oncall_crew *crew, struct err *e)
{
	struct oncall_person *people = ARENA_ARRAY(by->a, struct oncall_person, ONCALL_USERS_MAX);

	crew->people = people;
	for (const struct json *j = users ? users->first : NULL; j; j = j->next, ++*place) {
		const struct oncall_person *p = found_at(found, n, *place);

		if (!p)
			return err_field(e, ERR_INVALID, "users", "There is no user %.*s.", STR_ARG(str_cut(json_text(j), 60)));
		people[crew->n++] = *p;
	}
	return true;
}

static bool crew_may_act(const struct oncall_crew *crew, struct err *e)
{
	for (size_t i = 0; i < crew->n; i++)
		if (crew->people[i].role < ROLE_OPERATOR)
			return err_field(e, ERR_INVALID, "users", VIEWER_REFUSED, STR_ARG(str_cut(crew->people[i].name, 60)));
	return true;
}

/* Each name of all layers in one query. */
static bool people_find(const struct caller *by, const struct schedule_layer_form *forms, size_t n, struct oncall_found **out, size_t *found, struct err *e)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, by->a, WORDS_TEXT_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		words_add(&o, forms[i].users);
	json_close(&o, ']');
	return b.failed ? err_field(e, ERR_INVALID, "users", "These names are too long.") :
		oncall_find_people(by->db, by->a, by->tenant_id, strbuf_str(&b), out, found, e);
}

bool schedule_layer_check(const struct caller *by, const struct schedule_layer_form *f, struct err *e)
{
	struct oncall_layer l = { 0 };
	struct oncall_crew crew = { 0 };
	struct oncall_found *found;
	uint64_t place = 1;
	size_t n;

	return layer_read(f, zone_read(by->a, STR("UTC")), by->now, &l, e) && people_find(by, f, 1, &found, &n, e) &&
		crew_read(by, f->users, found, n, &place, &crew, e) && crew_may_act(&crew, e);
}

/* ---- the whole ---- */

/* The same error, of the list. */
static bool in_layer(size_t i, const struct err *cause, struct err *e)
{
	if (cause->code != ERR_INVALID || !cause->field[0]) {
		*e = *cause;
		return false;
	}
	return err_field(e, ERR_INVALID, "layers", "Layer %zu: %.200s", i + 1, cause->text);
}

static bool layers_read(const struct caller *by, const struct schedule_form *f, struct oncall_schedule *s, struct err *e)
{
	struct schedule_layer_form *forms = ARENA_ARRAY(by->a, struct schedule_layer_form, ONCALL_LAYERS_MAX);
	struct oncall_layer *layers = ARENA_ARRAY(by->a, struct oncall_layer, ONCALL_LAYERS_MAX);
	struct oncall_crew *crews = ARENA_ARRAY(by->a, struct oncall_crew, ONCALL_LAYERS_MAX);
	const struct json *j = f->layers ? f->layers->first : NULL;
	struct oncall_found *found;
	struct err cause = { 0 };
	uint64_t place = 1;
	size_t n = 0, found_n;

	for (; j && n < ONCALL_LAYERS_MAX; j = j->next, n++) {
		forms[n] = (struct schedule_layer_form)SCHEDULE_LAYER_FORM_NEW;
		if (!form_read_json(by->a, j, schedule_layer_fields, FORM_NEW, &forms[n], &cause) ||
			!layer_read(&forms[n], s->plan.zone, by->now, &layers[n], &cause))
			return in_layer(n, &cause, e);
	}
	if (!people_find(by, forms, n, &found, &found_n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		crews[i].name = forms[i].name.n ? forms[i].name : arena_printf(by->a, "Layer %zu", i + 1);
		if (!crew_read(by, forms[i].users, found, found_n, &place, &crews[i], &cause) || (!f->leave_viewers && !crew_may_act(&crews[i], &cause)))
			return in_layer(i, &cause, e);
	}
	s->plan.layers = layers;
	s->plan.layers_n = n;
	s->crews = crews;
	return true;
}

static bool form_to_schedule(const struct caller *by, const struct schedule_form *f, struct oncall_schedule *s, struct err *e)
{
	s->name = f->name;
	s->description = f->description.p ? str_trim(f->description) : STR("");
	s->time_zone = f->time_zone;
	s->plan.zone = zone_read(by->a, f->time_zone);
	if (!s->plan.zone)
		return err_field(e, ERR_INVALID, "timeZone", "There is no time zone of that name; one is Europe/Berlin.");
	return layers_read(by, f, s, e);
}

void schedule_to_form(const struct caller *by, const struct oncall_schedule *s, enum oncall_naming naming, struct schedule_form *f)
{
	struct err ignored = { 0 };
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, by->a, LAYERS_TEXT_MAX);
	json_out_init(&o, &b);
	oncall_layers_json(&o, s, naming);
	*f = (struct schedule_form){ .name = s->name, .description = s->description, .time_zone = s->time_zone, .public_id = s->public_id,
		.version = s->updated_at };
	if (!json_parse(by->a, strbuf_str(&b), &f->layers, &ignored))
		f->layers = NULL;
}

int schedule_find(const struct caller *by, struct str public_id, ms_t since, struct oncall_schedule *out, struct err *e)
{
	return public_id_is(public_id, "sc") ? oncall_get(by->db, by->a, by->tenant_id, public_id, since, out, e) : 0;
}

bool schedule_create(const struct caller *by, const struct schedule_form *f, struct oncall_schedule *made, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct oncall_schedule s = { .tenant_id = by->tenant_id, .public_id = f->public_id };

	return form_to_schedule(by, f, &s, e) && oncall_add(by->db, by->a, &s, &who, by->now, made, e);
}

static bool not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no such schedule");
}

/* One try. 1, 0, -1 as the store. */
static int change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct schedule_form *f, struct err *e), void *ctx,
	struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct oncall_schedule s;
	struct schedule_form f;
	int found = schedule_find(by, public_id, by->now, &s, e);

	if (found != 1)
		return found;
	schedule_to_form(by, &s, ONCALL_BY_ID, &f);
	if (!read(ctx, &f, e) || !form_to_schedule(by, &f, &s, e))
		return -1;
	return oncall_update(by->db, by->a, &s, &who, by->now, e);
}

bool schedule_change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct schedule_form *f, struct err *e), void *ctx, struct err *e)
{
	int done, tries = 0;

	do
		done = change(by, public_id, read, ctx, e);
	while (changed_meanwhile(done, &tries, e));
	return done == 1 || (!done && not_found(e));
}

bool schedule_remove(const struct caller *by, struct str public_id, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	int done = public_id_is(public_id, "sc") ? oncall_delete(by->db, by->a, by->tenant_id, public_id, &who, by->now, e) : 0;

	return done == 1 || (!done && not_found(e));
}

/* ---- overrides ---- */

static bool override_user(const struct caller *by, struct str word, struct oncall_person *out, struct err *e)
{
	struct str wanted = word.n ? word : by->principal.user_public_id;
	struct oncall_found *found;
	struct json_out o;
	struct strbuf b;
	size_t n;

	strbuf_init(&b, by->a, WORDS_TEXT_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	json_str(&o, wanted);
	json_close(&o, ']');
	if (!oncall_find_people(by->db, by->a, by->tenant_id, strbuf_str(&b), &found, &n, e))
		return false;
	if (!n || !found[0].person.enabled)
		return err_field(e, ERR_INVALID, "user", "There is no user of that name or id who could be on call.");
	*out = found[0].person;
	return out->role >= ROLE_OPERATOR || err_field(e, ERR_INVALID, "user", VIEWER_REFUSED, STR_ARG(str_cut(out->name, 60)));
}

bool schedule_override_create(const struct caller *by, struct str public_id, const struct schedule_override_form *f, struct schedule_override_view *made,
	struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct oncall_override x = { .id = id_make(by->ids, by->now), .from = f->from > by->now ? f->from : by->now, .to = f->to };
	struct oncall_person user;
	int done;

	if (x.to <= x.from)
		return err_field(e, ERR_INVALID, "to", "An override ends after it begins, and not in the past.");
	if (x.to - x.from > OVERRIDE_MAX_MS)
		return err_field(e, ERR_INVALID, "to", "An override lasts a year at most.");
	if (x.from - by->now > OVERRIDE_AHEAD_MS)
		return err_field(e, ERR_INVALID, "from", "An override begins within two years.");
	if (!public_id_is(public_id, "sc"))
		return not_found(e);
	if (!override_user(by, f->user, &user, e))
		return false;
	done = oncall_override_add(by->db, by->a, by->tenant_id, public_id, &x, &user, &who, by->now, e);
	if (done != 1)
		return !done && not_found(e);
	*made = (struct schedule_override_view){ .id = x.id, .user_id = user.public_id, .user = user.name, .from = x.from, .to = x.to };
	return true;
}

bool schedule_override_remove(const struct caller *by, struct str public_id, uint64_t id, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	int done = public_id_is(public_id, "sc") ? oncall_override_delete(by->db, by->a, by->tenant_id, public_id, id, &who, by->now, e) : 0;

	return done == 1 || (!done && not_found(e));
}

/* ---- the calendar ---- */

bool schedule_calendar_by(const struct caller *by, struct str public_id, const struct schedule_calendar_query *q, struct schedule_calendar *out,
	struct err *e)
{
	ms_t from = q->from ? q->from : by->now, to = q->to ? q->to : from + CALENDAR_DAYS * MS_PER_DAY;
	struct oncall_schedule s;
	int found;

	if (to <= from || to - from > CALENDAR_DAYS_MAX * MS_PER_DAY)
		return err_field(e, ERR_INVALID, "to", "A calendar ends after it begins, at most %d days later.", CALENDAR_DAYS_MAX);
	found = schedule_find(by, public_id, from, &s, e);
	if (found != 1)
		return !found && not_found(e);
	*out = (struct schedule_calendar){ .id = s.public_id, .time_zone = s.time_zone, .from = from, .to = to };
	schedule_span_views(by->a, &s, from, to, &out->spans, &out->n);
	return true;
}

/* ---- who is on call ---- */

bool on_call_by(const struct caller *by, const struct on_call_query *q, struct oncall_view **out, size_t *n, struct err *e)
{
	struct service_view service;
	int found;

	if (!q->service.n)
		return oncall_view_list(by->db, by->a, by->tenant_id, by->now, out, n, e);
	found = service_view_get(by->db, by->a, by->tenant_id, q->service, by->now, &service, e);
	if (found != 1)
		return !found && err_field(e, ERR_INVALID, "serviceId", "There is no service of that id.");
	return oncall_view_of_policy(by->db, by->a, by->tenant_id, service.policy_id, by->now, out, n, e);
}
