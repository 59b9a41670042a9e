/* oncall.c - schedules as people see them: who is on call, until when, and the spans of a calendar. */
#include "view_int.h"

#include "grapnel/json.h"

#define JSON_MAX (256 * 1024)	/* ten layers of fifty people; 200 overrides */

const struct field schedule_view_fields[] = {
	FIELD_STR(struct schedule_view, id, "id", "Public id"),
	FIELD_STR(struct schedule_view, name, "name", "As people know it"),
	FIELD_STR(struct schedule_view, description, "description", "What it is for"),
	FIELD_STR(struct schedule_view, time_zone, "timeZone", "All times of its layers are on the clocks of this zone"),
	FIELD_JSON(struct schedule_view, layers, "layers", "Its rotations; the first one that has somebody wins"),
	FIELD_JSON(struct schedule_view, users, "users", "Who stands in its layers: id, name, enabled. A disabled user is passed over"),
	FIELD_JSON(struct schedule_view, overrides, "overrides", "Overrides that are not over: id, userId, user, from, to. They win over all layers"),
	FIELD_STR(struct schedule_view, user, "onCall", "Name of who is on call now; null = nobody"),
	FIELD_STR(struct schedule_view, user_id, "onCallId", "The same by id"),
	FIELD_TIME(struct schedule_view, until, "onCallUntil", "Then somebody else is, or nobody; null = not within 60 days"),
	FIELD_TIME(struct schedule_view, created_at, "createdAt", "Creation"),
	FIELD_TIME(struct schedule_view, updated_at, "updatedAt", "Last change"),
	FIELD_END
};

const struct field oncall_view_fields[] = {
	FIELD_STR(struct oncall_view, schedule_id, "scheduleId", "Public id of the schedule"),
	FIELD_STR(struct oncall_view, schedule, "schedule", "Its name"),
	FIELD_STR(struct oncall_view, user_id, "userId", "Who is on call now; null = nobody"),
	FIELD_STR(struct oncall_view, user, "user", "Name of that user"),
	FIELD_STR(struct oncall_view, layer, "layer", "By which layer; null = by an override, or nobody"),
	FIELD_ID(struct oncall_view, override, "overrideId", "By which override; null = by a layer, or nobody"),
	FIELD_TIME(struct oncall_view, until, "until", "Then somebody else is, or nobody; null = not within 60 days"),
	FIELD_END
};

const struct field schedule_override_view_fields[] = {
	FIELD_ID(struct schedule_override_view, id, "id", "Number of the override"),
	FIELD_STR(struct schedule_override_view, user_id, "userId", "Who takes over"),
	FIELD_STR(struct schedule_override_view, user, "user", "Name of that user"),
	FIELD_TIME(struct schedule_override_view, from, "from", "From then on"),
	FIELD_TIME(struct schedule_override_view, to, "to", "Until then"),
	FIELD_END
};

const struct field schedule_span_view_fields[] = {
	FIELD_TIME(struct schedule_span_view, from, "from", "From then on"),
	FIELD_TIME(struct schedule_span_view, to, "to", "Until then: there the next span begins"),
	FIELD_STR(struct schedule_span_view, user_id, "userId", "Who is on call; null = nobody"),
	FIELD_STR(struct schedule_span_view, user, "user", "Name of that user"),
	FIELD_STR(struct schedule_span_view, layer, "layer", "By which layer; null = by an override, or nobody"),
	FIELD_ID(struct schedule_span_view, override, "overrideId", "By which override; null = by a layer, or nobody"),
	FIELD_END
};

/* ---- who is on call ---- */

static struct str layer_name(const struct oncall_schedule *s, const struct oncall_duty *d)
{
	return d->layer ? s->crews[d->layer - 1].name : STR_NONE;
}

static ms_t until(const struct oncall_schedule *s, ms_t now)
{
	ms_t limit = now + ONCALL_LOOK_MS, t = oncall_until(&s->plan, now, limit);

	return t < limit ? t : 0;
}

static void oncall_fill(const struct oncall_schedule *s, ms_t now, struct oncall_view *out)
{
	struct oncall_duty d = oncall_at(&s->plan, now);
	const struct oncall_person *p = oncall_who(s, &d);

	*out = (struct oncall_view){ .schedule_id = s->public_id, .schedule = s->name, .layer = layer_name(s, &d), .override = d.override,
		.until = until(s, now) };
	if (p) {
		out->user_id = p->public_id;
		out->user = p->name;
	}
}

static int by_name(const void *a, const void *b)
{
	const struct oncall_view *x = a, *y = b;

	return str_cmp(x->schedule, y->schedule);
}

bool oncall_view_list(struct db *db, struct arena *a, uint64_t tenant_id, ms_t now, struct oncall_view **out, size_t *n, struct err *e)
{
	struct oncall_schedule *rows;

	if (!oncall_list(db, a, tenant_id, 0, SCHEDULES_MAX, now, &rows, n, e))
		return false;
	*out = ARENA_ARRAY(a, struct oncall_view, *n + 1);
	for (size_t i = 0; i < *n; i++)
		oncall_fill(&rows[i], now, &(*out)[i]);
	qsort(*out, *n, sizeof(**out), by_name);
	return true;
}

static struct str schedules_of(struct arena *a, const struct policy *p)
{
	struct policy_step steps[ESCALATION_STEPS_MAX];
	struct json_out o;
	struct strbuf b;
	size_t n;

	policy_steps_read(a, p->steps, steps, &n);
	strbuf_init(&b, a, JSON_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < steps[i].n; k++)
			if (steps[i].targets[k].type == TARGET_SCHEDULE)
				json_str(&o, steps[i].targets[k].id);
	json_close(&o, ']');
	return strbuf_str(&b);
}

bool oncall_view_of_policy(struct db *db, struct arena *a, uint64_t tenant_id, struct str policy_id, ms_t now, struct oncall_view **out, size_t *n,
	struct err *e)
{
	struct oncall_schedule *rows;
	struct policy policy;
	int found = policy_id.n ? policy_get(db, a, tenant_id, policy_id, &policy, e) : 0;

	*n = 0;
	if (found != 1)
		return !found;
	if (!oncall_some(db, a, tenant_id, schedules_of(a, &policy), now, &rows, n, e))
		return false;
	*out = ARENA_ARRAY(a, struct oncall_view, *n + 1);
	for (size_t i = 0; i < *n; i++)
		oncall_fill(&rows[i], now, &(*out)[i]);
	return true;
}

void schedule_span_views(struct arena *a, const struct oncall_schedule *s, ms_t from, ms_t to, struct schedule_span_view **out, size_t *n)
{
	struct oncall_span *spans;

	oncall_spans(a, &s->plan, from, to, &spans, n);
	*out = ARENA_ARRAY(a, struct schedule_span_view, *n + 1);
	for (size_t i = 0; i < *n; i++) {
		const struct oncall_person *p = oncall_who(s, &spans[i].duty);

		(*out)[i] = (struct schedule_span_view){ .from = spans[i].from, .to = spans[i].to, .layer = layer_name(s, &spans[i].duty),
			.override = spans[i].duty.override, .person = spans[i].duty.user };
		if (p) {
			(*out)[i].user_id = p->public_id;
			(*out)[i].user = p->name;
		}
	}
}

/* ---- schedules ---- */

void schedule_override_views(struct arena *a, const struct oncall_schedule *s, struct schedule_override_view **out, size_t *n)
{
	*n = s->plan.overrides_n;
	*out = ARENA_ARRAY(a, struct schedule_override_view, *n + 1);
	for (size_t i = 0; i < *n; i++) {
		const struct oncall_override *o = &s->plan.overrides[i];

		(*out)[i] = (struct schedule_override_view){ .id = o->id, .user_id = s->stand_ins[i].public_id, .user = s->stand_ins[i].name,
			.from = o->from, .to = o->to };
	}
}

static struct str overrides_json(struct arena *a, const struct oncall_schedule *s)
{
	struct schedule_override_view *rows;
	struct json_out o;
	struct strbuf b;
	size_t n;

	schedule_override_views(a, s, &rows, &n);
	strbuf_init(&b, a, JSON_MAX);
	json_out_init(&o, &b);
	json_rows(&o, schedule_override_view_fields, rows, sizeof(*rows), n);
	return strbuf_str(&b);
}

static const struct field person_fields[] = {
	FIELD_STR(struct oncall_person, public_id, "id", ""),
	FIELD_STR(struct oncall_person, name, "name", ""),
	FIELD_BOOL(struct oncall_person, enabled, "enabled", ""),
	FIELD_END
};

static bool stands_before(const struct oncall_schedule *s, size_t layer, size_t place)
{
	uint64_t id = s->crews[layer].people[place].id;

	for (size_t i = 0; i <= layer; i++)
		for (size_t k = 0; k < (i == layer ? place : s->crews[i].n); k++)
			if (s->crews[i].people[k].id == id)
				return true;
	return false;
}

static struct str users_json(struct arena *a, const struct oncall_schedule *s)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, JSON_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < s->plan.layers_n; i++)
		for (size_t k = 0; k < s->crews[i].n; k++)
			if (!stands_before(s, i, k)) {
				json_open(&o, '{');
				json_fields(&o, person_fields, &s->crews[i].people[k]);
				json_close(&o, '}');
			}
	json_close(&o, ']');
	return strbuf_str(&b);
}

static struct str layers_json(struct arena *a, const struct oncall_schedule *s)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, JSON_MAX);
	json_out_init(&o, &b);
	oncall_layers_json(&o, s, ONCALL_BY_ID);
	return strbuf_str(&b);
}

void schedule_view_fill(struct arena *a, const struct oncall_schedule *s, ms_t now, struct schedule_view *out)
{
	struct oncall_view on_call;

	oncall_fill(s, now, &on_call);
	*out = (struct schedule_view){
		.id = s->public_id, .name = s->name, .description = s->description, .time_zone = s->time_zone, .layers = layers_json(a, s),
		.users = users_json(a, s), .overrides = overrides_json(a, s), .user_id = on_call.user_id, .user = on_call.user, .until = on_call.until,
		.layers_n = s->plan.layers_n, .created_at = s->created_at, .updated_at = s->updated_at,
	};
}

bool schedule_view_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t cursor, uint64_t limit, ms_t now, struct schedule_view **out,
	size_t *n, uint64_t *next, struct err *e)
{
	struct oncall_schedule *rows;

	*next = 0;
	if (!oncall_list(db, a, tenant_id, cursor, limit + 1, now, &rows, n, e))
		return false;
	if (*n > limit) {
		*n = limit;
		*next = rows[limit - 1].id;
	}
	*out = ARENA_ARRAY(a, struct schedule_view, *n + 1);
	for (size_t i = 0; i < *n; i++)
		schedule_view_fill(a, &rows[i], now, &(*out)[i]);
	return true;
}
