/* oncall.c - schedules: layers, the people in them, overrides.
 *
 * A schedule is read whole, several of them in four statements, and is then a plan that src/incident/oncall.c answers from. A change replaces all
 * layers: there are ten at most. A disabled user stays in his layers and is 0 in the plan. */
#include "change_int.h"

#include "grapnel/json.h"

#define DETAIL_MAX 1024			/* of the audit log: an override */
#define KEPT_MS (366 * MS_PER_DAY)	/* overrides that are over, for the calendar */
#define SWEEP_MAX 100			/* of them go with each that is made */

enum { Q_BY_PUBLIC_ID, Q_LIST, Q_SOME, Q_LAYERS, Q_PEOPLE, Q_OVERRIDES, Q_FIND, Q_COUNT, Q_LOCK, Q_ADD, Q_UPDATE, Q_DELETE, Q_ADD_LAYER,
	Q_ADD_PERSON, Q_DROP_LAYERS, Q_DROP_PEOPLE, Q_DROP_OVERRIDES, Q_OVERRIDE_COUNT, Q_OVERRIDE_ADD, Q_OVERRIDE_LOCK, Q_OVERRIDE_DELETE,
	Q_OVERRIDE_SWEEP, Q_USED };

#define COLUMNS "s.id, s.tenant_id, s.public_id, s.name, s.description, s.time_zone, s.created_at, s.updated_at"
#define OF_SCHEDULES " FROM JSON_TABLE(?, '$[*]' COLUMNS (wanted INT UNSIGNED PATH '$')) w STRAIGHT_JOIN "
#define PERSON "u.id AS user_id, u.public_id, u.name, u.enabled"
/* As in source_load.c: longer than any id or name, so that nothing becomes equal by being cut. */
#define WORDS "JSON_TABLE(?, '$[*]' COLUMNS (place FOR ORDINALITY, word VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$')) j"

static const struct stmt stmts[] = {
	[Q_BY_PUBLIC_ID] = { "oncall.by_public_id", "SELECT " COLUMNS " FROM schedules s WHERE s.public_id = ? AND s.tenant_id = ?" },
	[Q_LIST] = { "oncall.list", "SELECT " COLUMNS " FROM schedules s WHERE s.tenant_id = ? AND s.id < ? ORDER BY s.id DESC LIMIT ?" },
	[Q_SOME] = { "oncall.some",
		"SELECT " COLUMNS " FROM " WORDS " STRAIGHT_JOIN schedules s ON s.public_id = j.word WHERE s.tenant_id = ? GROUP BY s.id ORDER BY MIN(j.place)" },
	[Q_LAYERS] = { "oncall.layers",
		"SELECT l.schedule_id, l.name, l.unit, l.length, l.at_min, l.weekday, l.start_day, l.weekdays, l.from_min, l.to_min"
		OF_SCHEDULES "schedule_layers l ON l.schedule_id = w.wanted ORDER BY l.schedule_id, l.position" },
	[Q_PEOPLE] = { "oncall.people",
		"SELECT m.schedule_id, m.layer, " PERSON OF_SCHEDULES "schedule_layer_users m ON m.schedule_id = w.wanted"
		" STRAIGHT_JOIN users u ON u.id = m.user_id ORDER BY m.schedule_id, m.layer, m.position" },
	[Q_OVERRIDES] = { "oncall.overrides",
		"SELECT o.schedule_id, o.id, o.from_at, o.to_at, " PERSON OF_SCHEDULES "schedule_overrides o ON o.schedule_id = w.wanted AND o.to_at > ?"
		" STRAIGHT_JOIN users u ON u.id = o.user_id ORDER BY o.schedule_id, o.id" },
	[Q_FIND] = { "oncall.find_people",
		"SELECT j.place, " PERSON ", u.role FROM " WORDS " STRAIGHT_JOIN users u ON u.public_id = j.word WHERE u.tenant_id = ?"
		" UNION SELECT j.place, " PERSON ", u.role FROM " WORDS " STRAIGHT_JOIN users u ON u.name = j.word WHERE u.tenant_id = ? ORDER BY place" },
	[Q_COUNT] = { "oncall.count", "SELECT COUNT(*) AS id FROM schedules WHERE tenant_id = ?" },
	[Q_LOCK] = { "oncall.lock", "SELECT " COLUMNS " FROM schedules s WHERE s.public_id = ? AND s.tenant_id = ? FOR UPDATE" },
	[Q_ADD] = { "oncall.add",
		"INSERT INTO schedules (public_id, tenant_id, name, description, time_zone, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)" },
	[Q_UPDATE] = { "oncall.update", "UPDATE schedules SET name = ?, description = ?, time_zone = ?, updated_at = ? WHERE id = ?" },
	[Q_DELETE] = { "oncall.delete", "DELETE FROM schedules WHERE id = ?" },
	[Q_ADD_LAYER] = { "oncall.add_layer",
		"INSERT INTO schedule_layers (schedule_id, position, name, unit, length, at_min, weekday, start_day, weekdays, from_min, to_min)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_ADD_PERSON] = { "oncall.add_person", "INSERT INTO schedule_layer_users (schedule_id, layer, position, user_id) VALUES (?, ?, ?, ?)" },
	[Q_DROP_LAYERS] = { "oncall.drop_layers", "DELETE FROM schedule_layers WHERE schedule_id = ?" },
	[Q_DROP_PEOPLE] = { "oncall.drop_people", "DELETE FROM schedule_layer_users WHERE schedule_id = ?" },
	[Q_DROP_OVERRIDES] = { "oncall.drop_overrides", "DELETE FROM schedule_overrides WHERE schedule_id = ?" },
	[Q_OVERRIDE_COUNT] = { "oncall.override_count", "SELECT COUNT(*) AS id FROM schedule_overrides WHERE schedule_id = ? AND to_at > ?" },
	[Q_OVERRIDE_ADD] = { "oncall.override_add",
		"INSERT INTO schedule_overrides (id, schedule_id, user_id, from_at, to_at) VALUES (?, ?, ?, ?, ?)" },
	[Q_OVERRIDE_LOCK] = { "oncall.override_lock",
		"SELECT o.schedule_id, o.id, o.from_at, o.to_at, " PERSON " FROM schedule_overrides o JOIN users u ON u.id = o.user_id"
		" WHERE o.id = ? AND o.schedule_id = ? FOR UPDATE" },
	[Q_OVERRIDE_DELETE] = { "oncall.override_delete", "DELETE FROM schedule_overrides WHERE id = ?" },
	[Q_OVERRIDE_SWEEP] = { "oncall.override_sweep", "DELETE FROM schedule_overrides WHERE schedule_id = ? AND to_at < ? ORDER BY to_at LIMIT ?" },
	/* Targets stand in the steps by their public ids. */
	[Q_USED] = { "oncall.used",
		"SELECT p.id, p.name FROM escalation_policies p WHERE p.tenant_id = ? AND INSTR(p.steps, CONCAT('\"', ?, '\"')) > 0 ORDER BY p.id LIMIT 1" },
};
const struct stmt_table oncall_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct oncall_schedule, id, "id", ""),
	FIELD_ID(struct oncall_schedule, tenant_id, "tenant_id", ""),
	FIELD_STR(struct oncall_schedule, public_id, "public_id", ""),
	FIELD_STR(struct oncall_schedule, name, "name", ""),
	FIELD_STR(struct oncall_schedule, description, "description", ""),
	FIELD_STR(struct oncall_schedule, time_zone, "time_zone", ""),
	FIELD_TIME(struct oncall_schedule, created_at, "created_at", ""),
	FIELD_TIME(struct oncall_schedule, updated_at, "updated_at", ""),
	FIELD_END
};

/* ---- layers as JSON ---- */

const char *const oncall_day_words[7] = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday" };

static const char *rotation_word(const struct oncall_layer *l)
{
	if (l->unit == ONCALL_HOURS)
		return "hours";
	if (l->unit == ONCALL_WEEKS)
		return "weekly";
	return l->length == 1 ? "daily" : "days";
}

/* The end of a day is its 24:00. */
static void minutes_member(struct json_out *o, const char *name, uint64_t minutes, bool is_end)
{
	char text[16];

	if (is_end && !minutes)
		minutes = 24 * 60;
	snprintf(text, sizeof(text), "%02u:%02u", (unsigned)minutes / 60, (unsigned)minutes % 60);
	json_key(o, name);
	json_strz(o, text);
}

static void date_member(struct json_out *o, const char *name, int64_t day)
{
	char text[TIME_TEXT];

	time_format(day * MS_PER_DAY, text);
	text[10] = '\0';
	json_key(o, name);
	json_strz(o, text);
}

static void layer_json(struct json_out *o, const struct oncall_layer *l, const struct oncall_crew *crew, enum oncall_naming naming)
{
	json_open(o, '{');
	json_key(o, "name");
	json_str(o, crew->name);
	json_key(o, "rotation");
	json_strz(o, rotation_word(l));
	json_key(o, "length");
	json_u64(o, l->length);
	minutes_member(o, "handOver", l->at_min, false);
	json_key(o, "weekday");
	json_strz(o, l->unit == ONCALL_WEEKS ? oncall_day_words[l->weekday] : NULL);
	date_member(o, "startDate", l->start_day);
	json_key(o, "days");
	json_open(o, '[');
	for (unsigned i = 0; i < ARRAY_SIZE(oncall_day_words); i++)
		if (l->weekdays >> i & 1)
			json_strz(o, oncall_day_words[i]);
	json_close(o, ']');
	minutes_member(o, "from", l->from_min, false);
	minutes_member(o, "to", l->to_min, true);
	json_key(o, "users");
	json_open(o, '[');
	for (size_t i = 0; i < crew->n; i++)
		json_str(o, naming == ONCALL_BY_ID ? crew->people[i].public_id : crew->people[i].name);
	json_close(o, ']');
	json_close(o, '}');
}

void oncall_layers_json(struct json_out *o, const struct oncall_schedule *s, enum oncall_naming naming)
{
	json_open(o, '[');
	for (size_t i = 0; i < s->plan.layers_n; i++)
		layer_json(o, &s->plan.layers[i], &s->crews[i], naming);
	json_close(o, ']');
}

/* ---- reading ---- */

struct layer_row {
	uint64_t schedule;
	struct str name;
	struct oncall_layer layer;
};
static const struct field layer_fields[] = {
	FIELD_U64(struct layer_row, schedule, "schedule_id", ""),
	FIELD_STR(struct layer_row, name, "name", ""),
	FIELD_U64(struct layer_row, layer.unit, "unit", ""),
	FIELD_U64(struct layer_row, layer.length, "length", ""),
	FIELD_U64(struct layer_row, layer.at_min, "at_min", ""),
	FIELD_U64(struct layer_row, layer.weekday, "weekday", ""),
	FIELD_I64(struct layer_row, layer.start_day, "start_day", ""),
	FIELD_U64(struct layer_row, layer.weekdays, "weekdays", ""),
	FIELD_U64(struct layer_row, layer.from_min, "from_min", ""),
	FIELD_U64(struct layer_row, layer.to_min, "to_min", ""),
	FIELD_END
};

/* Of people in layers and of overrides, which have different columns beside the person. */
struct member_row {
	uint64_t schedule, layer;
	struct oncall_override override;
	struct oncall_person person;
};
static const struct field member_fields[] = {
	FIELD_U64(struct member_row, schedule, "schedule_id", ""),
	FIELD_U64(struct member_row, layer, "layer", ""),
	FIELD_U64(struct member_row, override.id, "id", ""),
	FIELD_TIME(struct member_row, override.from, "from_at", ""),
	FIELD_TIME(struct member_row, override.to, "to_at", ""),
	FIELD_U64(struct member_row, person.id, "user_id", ""),
	FIELD_STR(struct member_row, person.public_id, "public_id", ""),
	FIELD_STR(struct member_row, person.name, "name", ""),
	FIELD_BOOL(struct member_row, person.enabled, "enabled", ""),
	FIELD_END
};

struct parts {
	struct layer_row *layers;
	struct member_row *people, *overrides;	/* each ordered by schedule */
	size_t layers_n, people_n, overrides_n;
};

static uint64_t who_takes_turns(const struct oncall_person *p)
{
	return p->enabled ? p->id : 0;
}

static void fill_crew(struct arena *a, const struct parts *all, uint64_t schedule, size_t layer, struct oncall_layer *l, struct oncall_crew *crew)
{
	struct oncall_person *people = ARENA_ARRAY(a, struct oncall_person, ONCALL_USERS_MAX);
	uint64_t *users = ARENA_ARRAY(a, uint64_t, ONCALL_USERS_MAX);
	size_t n = 0;

	for (size_t i = 0; i < all->people_n && n < ONCALL_USERS_MAX; i++)
		if (all->people[i].schedule == schedule && all->people[i].layer == layer) {
			people[n] = all->people[i].person;
			users[n] = who_takes_turns(&people[n]);
			n++;
		}
	*crew = (struct oncall_crew){ crew->name, people, n };
	l->users = users;
	l->users_n = n;
}

static void fill_layers(struct arena *a, const struct parts *all, struct oncall_schedule *s)
{
	struct oncall_layer *layers = ARENA_ARRAY(a, struct oncall_layer, ONCALL_LAYERS_MAX);
	struct oncall_crew *crews = ARENA_ARRAY(a, struct oncall_crew, ONCALL_LAYERS_MAX);
	size_t n = 0;

	for (size_t i = 0; i < all->layers_n && n < ONCALL_LAYERS_MAX; i++)
		if (all->layers[i].schedule == s->id) {
			layers[n] = all->layers[i].layer;
			crews[n].name = all->layers[i].name;
			fill_crew(a, all, s->id, n, &layers[n], &crews[n]);
			n++;
		}
	s->plan.layers = layers;
	s->plan.layers_n = n;
	s->crews = crews;
}

static void fill_overrides(struct arena *a, const struct parts *all, struct oncall_schedule *s)
{
	struct oncall_override *overrides;
	struct oncall_person *people;
	size_t first = 0, n = 0;

	while (first < all->overrides_n && all->overrides[first].schedule != s->id)
		first++;
	while (first + n < all->overrides_n && all->overrides[first + n].schedule == s->id)
		n++;
	overrides = ARENA_ARRAY(a, struct oncall_override, n + 1);
	people = ARENA_ARRAY(a, struct oncall_person, n + 1);
	for (size_t i = 0; i < n; i++) {
		people[i] = all->overrides[first + i].person;
		overrides[i] = all->overrides[first + i].override;
		overrides[i].user = who_takes_turns(&people[i]);
	}
	s->plan.overrides = overrides;
	s->plan.overrides_n = n;
	s->stand_ins = people;
}

/* A zone that this host does not know any more is UTC: somebody is on call, at wrong hours at worst. */
static void fill_zone(struct arena *a, struct oncall_schedule *s)
{
	s->plan.zone = zone_read(a, s->time_zone);
	if (!s->plan.zone)
		s->plan.zone = zone_read(a, STR("UTC"));
}

static bool fill(struct db *db, struct arena *a, struct oncall_schedule *list, size_t n, ms_t since, struct err *e)
{
	struct str ids = JSON_IDS(a, list, n, id);
	struct parts all;

	if (!db_query(db, &stmts[Q_LAYERS], VALS(V_S(ids)), a, layer_fields, sizeof(*all.layers), &all.layers, &all.layers_n, e) ||
		!db_query(db, &stmts[Q_PEOPLE], VALS(V_S(ids)), a, member_fields, sizeof(*all.people), &all.people, &all.people_n, e) ||
		!db_query(db, &stmts[Q_OVERRIDES], VALS(V_S(ids), V_I(since)), a, member_fields, sizeof(*all.overrides), &all.overrides,
			&all.overrides_n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		fill_layers(a, &all, &list[i]);
		fill_overrides(a, &all, &list[i]);
		fill_zone(a, &list[i]);
	}
	return true;
}

int oncall_get(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, ms_t since, struct oncall_schedule *out, struct err *e)
{
	int found = db_query_one(db, &stmts[Q_BY_PUBLIC_ID], VALS(V_S(public_id), V_U(tenant_id)), a, fields, sizeof(*out), out, e);

	if (found == 1 && !fill(db, a, out, 1, since, e))
		return -1;
	return found;
}

bool oncall_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t below, uint64_t limit, ms_t since, struct oncall_schedule **out, size_t *n,
	struct err *e)
{
	return db_query(db, &stmts[Q_LIST], VALS(V_U(tenant_id), V_U(below ? below : UINT32_MAX), V_U(limit)), a, fields, sizeof(**out), out, n, e) &&
		fill(db, a, *out, *n, since, e);
}

bool oncall_some(struct db *db, struct arena *a, uint64_t tenant_id, struct str ids, ms_t since, struct oncall_schedule **out, size_t *n,
	struct err *e)
{
	return db_query(db, &stmts[Q_SOME], VALS(V_S(ids), V_U(tenant_id)), a, fields, sizeof(**out), out, n, e) && fill(db, a, *out, *n, since, e);
}

static const struct oncall_person *in_crew(const struct oncall_crew *crew, uint64_t user)
{
	for (size_t i = 0; i < crew->n; i++)
		if (crew->people[i].id == user)
			return &crew->people[i];
	return NULL;
}

const struct oncall_person *oncall_who(const struct oncall_schedule *s, const struct oncall_duty *d)
{
	if (d->layer)
		return in_crew(&s->crews[d->layer - 1], d->user);
	for (size_t i = 0; i < s->plan.overrides_n; i++)
		if (d->override && s->plan.overrides[i].id == d->override)
			return &s->stand_ins[i];
	return NULL;
}

static bool is_among(const struct oncall_person *list, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].id == id)
			return true;
	return false;
}

bool oncall_now(struct db *db, struct arena *a, uint64_t tenant_id, struct str ids, ms_t at, const struct oncall_person **out, size_t *n, struct err *e)
{
	struct oncall_schedule *list;
	struct oncall_person *people;
	size_t lists;

	*n = 0;
	if (!oncall_some(db, a, tenant_id, ids, at, &list, &lists, e))
		return false;
	people = ARENA_ARRAY(a, struct oncall_person, lists + 1);
	for (size_t i = 0; i < lists; i++) {
		struct oncall_duty duty = oncall_at(&list[i].plan, at);
		const struct oncall_person *p = oncall_who(&list[i], &duty);

		if (p && !is_among(people, *n, p->id))
			people[(*n)++] = *p;
	}
	*out = people;
	return true;
}

static const struct field found_fields[] = {
	FIELD_U64(struct oncall_found, place, "place", ""),
	FIELD_U64(struct oncall_found, person.id, "user_id", ""),
	FIELD_STR(struct oncall_found, person.public_id, "public_id", ""),
	FIELD_STR(struct oncall_found, person.name, "name", ""),
	FIELD_BOOL(struct oncall_found, person.enabled, "enabled", ""),
	FIELD_U64(struct oncall_found, person.role, "role", ""),
	FIELD_END
};

bool oncall_find_people(struct db *db, struct arena *a, uint64_t tenant_id, struct str words, struct oncall_found **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_FIND], VALS(V_S(words), V_U(tenant_id), V_S(words), V_U(tenant_id)), a, found_fields, sizeof(**out), out, n, e);
}

/* ---- changing ---- */

static const struct field audit_fields[] = {
	FIELD_STR(struct oncall_schedule, name, "name", ""),
	FIELD_STR(struct oncall_schedule, description, "description", ""),
	FIELD_STR(struct oncall_schedule, time_zone, "timeZone", ""),
	FIELD_END
};

static void audit_more(struct json_out *o, const void *thing)
{
	json_key(o, "layers");
	oncall_layers_json(o, thing, ONCALL_BY_ID);
}

static bool check(const struct oncall_schedule *s, struct err *e)
{
	if (!name_check(s->name, "name", e) || !description_check(s->description, e))
		return false;
	for (size_t i = 0; i < s->plan.layers_n; i++)
		if (!name_check(s->crews[i].name, "layers", e))
			return false;
	return true;
}

static bool name_taken(struct db *db, struct err *e)
{
	return conflict_if_duplicate(db, "name", "A schedule of that name or id exists.", e);
}

static bool add_layers(struct db *db, struct arena *a, const struct oncall_schedule *s, struct err *e)
{
	struct val *layers = ARENA_ARRAY(a, struct val, ONCALL_LAYERS_MAX * 11), *at = layers;
	struct val *people = ARENA_ARRAY(a, struct val, ONCALL_LAYERS_MAX * ONCALL_USERS_MAX * 4), *person = people;
	size_t n = 0;

	for (size_t i = 0; i < s->plan.layers_n; i++) {
		const struct oncall_layer *l = &s->plan.layers[i];
		const struct val vals[] = { V_U(s->id), V_U(i), V_S(s->crews[i].name), V_U(l->unit), V_U(l->length), V_U(l->at_min), V_U(l->weekday),
			V_I(l->start_day), V_U(l->weekdays), V_U(l->from_min), V_U(l->to_min) };

		memcpy(at, vals, sizeof(vals));
		at += ARRAY_SIZE(vals);
		for (size_t k = 0; k < s->crews[i].n; k++, n++) {
			*person++ = V_U(s->id);
			*person++ = V_U(i);
			*person++ = V_U(k);
			*person++ = V_U(s->crews[i].people[k].id);
		}
	}
	return db_bulk(db, &stmts[Q_ADD_LAYER], layers, s->plan.layers_n, 11, e) && db_bulk(db, &stmts[Q_ADD_PERSON], people, n, 4, e);
}

static bool drop_layers(struct db *db, uint64_t id, struct err *e)
{
	return db_exec(db, &stmts[Q_DROP_LAYERS], VALS(V_U(id)), NULL, e) && db_exec(db, &stmts[Q_DROP_PEOPLE], VALS(V_U(id)), NULL, e);
}

static int lock(struct db *db, const struct change *x, void *before, struct err *e)
{
	const struct oncall_schedule *s = x->to;
	int found = db_query_one(db, &stmts[Q_LOCK], VALS(V_S(s->public_id), V_U(s->tenant_id)), x->arena, fields, sizeof(*s), before, e);

	return found == 1 && !fill(db, x->arena, before, 1, x->now, e) ? -1 : found;
}

static bool add(struct db *db, const struct change *x, struct err *e)
{
	struct oncall_schedule *s = x->to;

	if (!room_check(db, x->arena, &stmts[Q_COUNT], VALS(V_U(s->tenant_id)), SCHEDULES_MAX, "schedules", e))
		return false;
	if (!db_exec(db, &stmts[Q_ADD],
		VALS(V_S(s->public_id), V_U(s->tenant_id), V_S(s->name), V_S(s->description), V_S(s->time_zone), V_I(x->now), V_I(x->now)), NULL, e))
		return name_taken(db, e);
	s->id = db_insert_id(db);
	return add_layers(db, x->arena, s, e);
}

static bool update(struct db *db, const struct change *x, struct err *e)
{
	const struct oncall_schedule *before = x->before;
	struct oncall_schedule *s = x->to;

	s->id = before->id;
	if (!db_exec(db, &stmts[Q_UPDATE], VALS(V_S(s->name), V_S(s->description), V_S(s->time_zone), V_I(x->changed_at), V_U(s->id)), NULL, e))
		return name_taken(db, e);
	return drop_layers(db, s->id, e) && add_layers(db, x->arena, s, e);
}

static bool not_in_use(struct db *db, struct arena *a, const struct oncall_schedule *s, struct err *e)
{
	struct oncall_schedule policy;
	int found = db_query_one(db, &stmts[Q_USED], VALS(V_U(s->tenant_id), V_S(s->public_id)), a, fields, sizeof(policy), &policy, e);

	if (found == 1)
		return err_tell(e, ERR_CONFLICT, "The escalation policy %.*s names this schedule. Take it out there first.", STR_ARG(str_cut(policy.name, 100)));
	return found == 0;
}

static bool remove_it(struct db *db, const struct change *x, struct err *e)
{
	const struct oncall_schedule *before = x->before;

	return not_in_use(db, x->arena, before, e) && drop_layers(db, before->id, e) &&
		db_exec(db, &stmts[Q_DROP_OVERRIDES], VALS(V_U(before->id)), NULL, e) && db_exec(db, &stmts[Q_DELETE], VALS(V_U(before->id)), NULL, e);
}

static const struct changeable schedules = {
	CHANGEABLE(struct oncall_schedule), .word = "schedule", .prefix = "sc", .audited = audit_fields, .audited_too = audit_more,
	.lock = lock, .add = add, .update = update, .remove = remove_it,
};

bool oncall_add(struct db *db, struct arena *a, const struct oncall_schedule *in, const struct who *who, ms_t now, struct oncall_schedule *out,
	struct err *e)
{
	struct change x = { .kind = &schedules, .arena = a, .to = out, .who = who, .now = now };

	*out = *in;
	return check(in, e) && change_add(db, &x, e);
}

int oncall_update(struct db *db, struct arena *a, const struct oncall_schedule *in, const struct who *who, ms_t now, struct err *e)
{
	struct oncall_schedule to = *in;
	struct change x = { .kind = &schedules, .arena = a, .to = &to, .who = who, .now = now };

	return check(in, e) ? change_update(db, &x, e) : -1;
}

int oncall_delete(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, const struct who *who, ms_t now, struct err *e)
{
	struct oncall_schedule gone = { .tenant_id = tenant_id, .public_id = public_id };
	struct change x = { .kind = &schedules, .arena = a, .to = &gone, .who = who, .now = now };

	return change_remove(db, &x, e);
}

/* ---- overrides ---- */

struct override_change {
	struct oncall_override override;
	struct str user;			/* public id of its user */
	bool found;			/* of one that is to go */
};

static bool audit_override(struct db *db, const struct change *x, const char *action, const struct oncall_override *o, struct str user, struct err *e)
{
	static const struct field override_fields[] = {
		FIELD_ID(struct oncall_override, id, "id", ""),
		FIELD_TIME(struct oncall_override, from, "from", ""),
		FIELD_TIME(struct oncall_override, to, "to", ""),
		FIELD_END
	};
	const struct oncall_schedule *s = x->before;
	struct strbuf b;
	struct json_out j;

	strbuf_init(&b, x->arena, DETAIL_MAX);
	json_out_init(&j, &b);
	json_open(&j, '{');
	json_fields(&j, override_fields, o);
	json_key(&j, "user");
	json_str(&j, user);
	json_close(&j, '}');
	return audit_add(db, x->who, action, s->public_id, strbuf_str(&b), x->now, e);
}

static bool override_add(struct db *db, const struct change *x, struct err *e)
{
	const struct oncall_schedule *before = x->before;
	const struct override_change *own = x->own;
	const struct oncall_override *o = &own->override;

	return room_check(db, x->arena, &stmts[Q_OVERRIDE_COUNT], VALS(V_U(before->id), V_I(x->now)), ONCALL_OVERRIDES_MAX,
		"overrides that are not over", e) &&
		db_exec(db, &stmts[Q_OVERRIDE_SWEEP], VALS(V_U(before->id), V_I(x->now - KEPT_MS), V_U(SWEEP_MAX)), NULL, e) &&
		db_exec(db, &stmts[Q_OVERRIDE_ADD], VALS(V_U(o->id), V_U(before->id), V_U(o->user), V_I(o->from), V_I(o->to)), NULL, e) &&
		audit_override(db, x, "schedule.override", o, own->user, e);
}

int oncall_override_add(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, const struct oncall_override *in,
	const struct oncall_person *user, const struct who *who, ms_t now, struct err *e)
{
	struct oncall_schedule key = { .tenant_id = tenant_id, .public_id = public_id };
	struct override_change own = { .override = *in, .user = user->public_id };
	struct change x = { .kind = &schedules, .arena = a, .to = &key, .who = who, .now = now, .own = &own };

	own.override.user = user->id;
	return change_by(db, &x, override_add, e);
}

static bool override_delete(struct db *db, const struct change *x, struct err *e)
{
	const struct oncall_schedule *before = x->before;
	struct override_change *own = x->own;
	struct member_row row;
	int found = db_query_one(db, &stmts[Q_OVERRIDE_LOCK], VALS(V_U(own->override.id), V_U(before->id)), x->arena, member_fields, sizeof(row), &row, e);

	own->found = found == 1;
	if (found != 1)
		return found == 0;
	return db_exec(db, &stmts[Q_OVERRIDE_DELETE], VALS(V_U(row.override.id)), NULL, e) &&
		audit_override(db, x, "schedule.override_delete", &row.override, row.person.public_id, e);
}

int oncall_override_delete(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, uint64_t id, const struct who *who, ms_t now,
	struct err *e)
{
	struct oncall_schedule key = { .tenant_id = tenant_id, .public_id = public_id };
	struct override_change own = { .override = { .id = id } };
	struct change x = { .kind = &schedules, .arena = a, .to = &key, .who = who, .now = now, .own = &own };
	int done = change_by(db, &x, override_delete, e);

	return done == 1 ? own.found : done;
}
