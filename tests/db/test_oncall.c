/* Schedules with their database: read as they were written, several at once, without those who are disabled; changes, overrides, limits. */
#include "store_test.h"
#include "grapnel/store.h"

#define ONCALL_DB "grapnel_oncall"
#define NOW 1760000400000LL	/* 2025-10-09 09:00:00 UTC, a Thursday */
#define TODAY (NOW / MS_PER_DAY)
#define HOUR MS_PER_HOUR
#define ENABLE "UPDATE users SET enabled = 1 WHERE enabled = 0"

static struct id_maker ids;
static const struct who who = { .tenant_id = 1, .actor = ACTOR_PERSON, .user_id = 1 };

static const char *const emptied[] = { "schedules", "schedule_layers", "schedule_layer_users", "schedule_overrides", "escalation_policies", "audit_log" };
static const struct stmt once[] = {
	{ "test.tenant", "INSERT INTO tenants (id, name, created_at) VALUES (2, 'other', 0)" },
	{ "test.users", "INSERT INTO users (id, public_id, tenant_id, name, role, created_at) VALUES (1, 'us_00000000000000000001', 1, 'ann', 2, 1),"
		" (2, 'us_00000000000000000002', 1, 'bob', 2, 1), (3, 'us_00000000000000000003', 1, 'cem', 2, 1), (9, 'us_00000000000000000009', 2, 'zoe', 2, 1)" },
};
static const struct oncall_person ann = { 1, STR("us_00000000000000000001"), STR("ann"), true }, bob = { 2, STR("us_00000000000000000002"), STR("bob"), true },
	cem = { 3, STR("us_00000000000000000003"), STR("cem"), true };

static void setup(void)
{
	store_test_setup(emptied, ARRAY_SIZE(emptied));
	succeeds(db_exec(db, stmt_of("t.enable", ENABLE), NULL, 0, NULL, &e));
}

static void teardown(void)
{
	arena_free(a);
}

static struct oncall_layer daily(void)
{
	return (struct oncall_layer){ .unit = ONCALL_DAYS, .length = 1, .start_day = TODAY, .weekdays = ONCALL_ALL_DAYS };
}

/* Below bob and ann day by day; above cem for two weeks from Fridays on, on some days from 01:00 to 00:30 of the next. */
static struct oncall_schedule wish(uint64_t tenant_id, const char *name)
{
	struct oncall_layer *layers = ARENA_ARRAY(a, struct oncall_layer, 2);
	struct oncall_crew *crews = ARENA_ARRAY(a, struct oncall_crew, 2);
	struct oncall_person *people = ARENA_ARRAY(a, struct oncall_person, 3);

	layers[0] = (struct oncall_layer){ .unit = ONCALL_WEEKS, .length = 2, .at_min = 570, .weekday = 4, .start_day = TODAY, .weekdays = 51, .from_min = 60,
		.to_min = 30 };
	layers[1] = daily();
	people[0] = bob;
	people[1] = ann;
	people[2] = cem;
	crews[0] = (struct oncall_crew){ STR("second"), people + 2, 1 };
	crews[1] = (struct oncall_crew){ STR("first"), people, 2 };
	return (struct oncall_schedule){ .tenant_id = tenant_id, .name = str_of(name), .description = STR("d"), .time_zone = STR("UTC"),
		.plan = { .layers = layers, .layers_n = 2 }, .crews = crews };
}

static struct oncall_schedule made(uint64_t tenant_id, const char *name)
{
	struct oncall_schedule in = wish(tenant_id, name), out;

	succeeds(oncall_add(db, a, &in, &who, NOW, &out, &e));
	return out;
}

static struct oncall_schedule stored(struct str id)
{
	struct oncall_schedule s;

	ck_assert_int_eq(oncall_get(db, a, 1, id, NOW, &s, &e), 1);
	return s;
}

static struct str list_of(struct str one, struct str two)
{
	return arena_printf(a, "[\"%.*s\",\"%.*s\"]", STR_ARG(one), STR_ARG(two));
}

static const char *on_call(struct str id, ms_t t)
{
	const struct oncall_person *p;
	size_t n;

	succeeds(oncall_now(db, a, 1, list_of(id, id), t, &p, &n, &e));
	return n ? arena_cstr(a, p[0].name) : "";
}

static struct str overridden(struct str id, const struct oncall_person *p, ms_t from, ms_t to)
{
	struct oncall_override o = { .id = id_make(&ids, NOW), .from = from, .to = to };

	ck_assert_int_eq(oncall_override_add(db, a, 1, id, &o, p, &who, NOW, &e), 1);
	return arena_printf(a, "%llu", (unsigned long long)o.id);
}

START_TEST(a_schedule_is_read_as_it_was_written)
{
	struct oncall_schedule in = wish(1, "ops"), s = stored(made(1, "ops").public_id);

	ck_assert(public_id_is(s.public_id, "sc") && str_eqs(s.name, "ops") && str_eqs(s.description, "d") && s.created_at == NOW && s.plan.zone);
	ck_assert_uint_eq(s.plan.layers_n, 2);
	for (size_t i = 0; i < 2; i++) {
		struct oncall_layer got = s.plan.layers[i];

		ck_assert_uint_eq(got.users_n, in.crews[i].n);
		for (size_t k = 0; k < got.users_n; k++)
			ck_assert_uint_eq(got.users[k], in.crews[i].people[k].id);
		got.users = NULL;
		got.users_n = 0;
		ck_assert_mem_eq(&got, &in.plan.layers[i], sizeof(got));
		ck_assert(str_eq(s.crews[i].name, in.crews[i].name) && str_eq(s.crews[i].people[0].name, in.crews[i].people[0].name));
	}
	ck_assert_int_eq(oncall_get(db, a, 2, s.public_id, NOW, &s, &e), 0);
	is("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'schedule.create'", 1);
}
END_TEST

START_TEST(several_at_once_and_each_person_once)
{
	struct oncall_schedule one = made(1, "one"), two = made(1, "two"), theirs = made(2, "theirs"), *list;
	const struct oncall_person *people;
	size_t n;

	succeeds(oncall_list(db, a, 1, 0, 10, NOW, &list, &n, &e));
	ck_assert(n == 2 && list[0].id == two.id && list[1].id == one.id && list[1].plan.layers_n == 2);
	succeeds(oncall_list(db, a, 1, two.id, 10, NOW, &list, &n, &e));
	ck_assert(n == 1 && list[0].id == one.id);
	succeeds(oncall_some(db, a, 1, list_of(two.public_id, theirs.public_id), NOW, &list, &n, &e));
	ck_assert(n == 1 && list[0].id == two.id);
	succeeds(oncall_now(db, a, 1, list_of(one.public_id, two.public_id), NOW, &people, &n, &e));
	ck_assert(n == 1 && str_eqs(people[0].name, "bob"));
	overridden(two.public_id, &cem, NOW, NOW + HOUR);
	succeeds(oncall_now(db, a, 1, list_of(two.public_id, one.public_id), NOW, &people, &n, &e));
	ck_assert(n == 2 && people[0].id == 3 && people[1].id == 2);
	succeeds(oncall_now(db, a, 1, STR("[]"), NOW, &people, &n, &e));
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(who_is_disabled_is_passed_over_and_comes_back)
{
	struct str id = made(1, "ops").public_id;

	ck_assert_str_eq(on_call(id, NOW), "bob");
	ck_assert_str_eq(on_call(id, NOW + 17 * HOUR), "cem");	/* Friday, 02:00 */
	succeeds(db_exec(db, stmt_of("t.disable", "UPDATE users SET enabled = 0 WHERE id IN (2, 3)"), NULL, 0, NULL, &e));
	ck_assert_str_eq(on_call(id, NOW), "ann");
	ck_assert_uint_eq(stored(id).crews[1].n, 2);
	ck_assert(!stored(id).crews[1].people[0].enabled);
	overridden(id, &bob, NOW, NOW + HOUR);
	ck_assert_str_eq(on_call(id, NOW), "ann");
	succeeds(db_exec(db, stmt_of("t.enable", ENABLE), NULL, 0, NULL, &e));
	ck_assert_str_eq(on_call(id, NOW), "bob");
	ck_assert_uint_eq(stored(id).plan.overrides[0].user, 2);
}
END_TEST

START_TEST(a_change_is_of_what_was_read_and_replaces_the_layers)
{
	struct oncall_schedule s = stored(made(1, "ops").public_id), late = s;
	struct oncall_layer one = daily();
	struct oncall_crew crew = { STR("all"), (const struct oncall_person[]){ cem }, 1 };

	made(1, "taken");
	s.plan.layers = &one;
	s.plan.layers_n = 1;
	s.crews = &crew;
	s.name = STR("new");
	ck_assert_int_eq(oncall_update(db, a, &s, &who, NOW, &e), 1);
	ck_assert_uint_eq(stored(s.public_id).plan.layers_n, 1);
	ck_assert_str_eq(on_call(s.public_id, NOW), "cem");
	ck_assert_int_eq(oncall_update(db, a, &late, &who, NOW + 1, &e), -1);
	ck_assert(e.code == ERR_CONFLICT && !e.field[0] && !e.told);
	e = (struct err){ 0 };
	s = stored(s.public_id);
	s.name = STR("taken");
	ck_assert_int_eq(oncall_update(db, a, &s, &who, NOW + 1, &e), -1);
	ck_assert(e.code == ERR_CONFLICT);
	ck_assert_str_eq(e.field, "name");
	s.tenant_id = 2;
	ck_assert_int_eq(oncall_update(db, a, &s, &who, NOW + 1, &e), 0);
	is("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'schedule.update'", 1);
}
END_TEST

START_TEST(overrides_win_end_and_are_taken_back)
{
	struct str id = made(1, "ops").public_id;
	struct oncall_override o = { .id = 7, .from = NOW, .to = NOW + HOUR };
	uint64_t first;

	ck_assert(str_u64(overridden(id, &cem, NOW + HOUR, NOW + 3 * HOUR), &first));
	overridden(id, &ann, NOW + 2 * HOUR, NOW + 3 * HOUR);
	ck_assert_str_eq(on_call(id, NOW), "bob");
	ck_assert_str_eq(on_call(id, NOW + HOUR), "cem");
	ck_assert_str_eq(on_call(id, NOW + 2 * HOUR), "ann");
	ck_assert_str_eq(on_call(id, NOW + 3 * HOUR), "bob");
	ck_assert_int_eq(oncall_override_delete(db, a, 2, id, first, &who, NOW, &e), 0);
	ck_assert_int_eq(oncall_override_delete(db, a, 1, made(1, "another").public_id, first, &who, NOW, &e), 0);
	ck_assert_int_eq(oncall_override_delete(db, a, 1, id, first, &who, NOW, &e), 1);
	ck_assert_int_eq(oncall_override_delete(db, a, 1, id, first, &who, NOW, &e), 0);
	ck_assert_str_eq(on_call(id, NOW + HOUR), "bob");
	ck_assert_int_eq(oncall_override_add(db, a, 2, id, &o, &ann, &who, NOW, &e), 0);
	is("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'schedule.override'", 2);
	is("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'schedule.override_delete'", 1);
}
END_TEST

START_TEST(old_overrides_go_when_new_ones_come)
{
	struct str id = made(1, "ops").public_id;

	overridden(id, &cem, NOW - 400 * 24 * HOUR, NOW - 399 * 24 * HOUR);
	is("SELECT COUNT(*) AS n FROM schedule_overrides", 1);
	overridden(id, &cem, NOW - 300 * 24 * HOUR, NOW - 299 * 24 * HOUR);
	is("SELECT COUNT(*) AS n FROM schedule_overrides", 1);
	overridden(id, &cem, NOW, NOW + HOUR);
	is("SELECT COUNT(*) AS n FROM schedule_overrides", 2);
	ck_assert_uint_eq(stored(id).plan.overrides_n, 1);	/* those that are over are not asked for */
}
END_TEST

START_TEST(there_are_limits)
{
	struct str id = made(1, "ops").public_id;
	struct oncall_override o = { .id = 7, .from = NOW, .to = NOW + HOUR };
	struct oncall_schedule more = wish(1, "more"), out;

	succeeds(db_exec(db, stmt_of("t.overrides", "INSERT INTO schedule_overrides (id, schedule_id, user_id, from_at, to_at)"
		" SELECT seq, (SELECT MIN(id) FROM schedules), 1, 1, 1760000400001 FROM seq_1000_to_1199"), NULL, 0, NULL, &e));
	ck_assert_int_eq(oncall_override_add(db, a, 1, id, &o, &ann, &who, NOW, &e), -1);
	ck_assert(e.code == ERR_CONFLICT && e.told);
	e = (struct err){ 0 };
	ck_assert_int_eq(oncall_override_add(db, a, 1, id, &o, &ann, &who, NOW + 2, &e), 1);	/* they are over */
	succeeds(db_exec(db, stmt_of("t.many", "INSERT INTO schedules (public_id, tenant_id, name, time_zone, created_at, updated_at)"
		" SELECT CONCAT('sc_', seq), 1, CONCAT('n', seq), 'UTC', 1, 1 FROM seq_1_to_99"), NULL, 0, NULL, &e));
	ck_assert(!oncall_add(db, a, &more, &who, NOW, &out, &e));
	ck_assert(e.code == ERR_CONFLICT && e.told);
	e = (struct err){ 0 };
	more.tenant_id = 2;
	succeeds(oncall_add(db, a, &more, &who, NOW, &out, &e));
}
END_TEST

START_TEST(what_is_deleted_leaves_nothing)
{
	struct str id = made(1, "ops").public_id;

	overridden(id, &cem, NOW, NOW + HOUR);
	ck_assert_int_eq(oncall_delete(db, a, 2, id, &who, NOW, &e), 0);
	ck_assert_int_eq(oncall_delete(db, a, 1, id, &who, NOW, &e), 1);
	ck_assert_int_eq(oncall_delete(db, a, 1, id, &who, NOW, &e), 0);
	is("SELECT (SELECT COUNT(*) FROM schedules) + (SELECT COUNT(*) FROM schedule_layers) + (SELECT COUNT(*) FROM schedule_layer_users)"
		" + (SELECT COUNT(*) FROM schedule_overrides) AS n", 0);
	is("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'schedule.delete'", 1);
}
END_TEST

START_TEST(what_a_policy_names_is_not_deleted)
{
	struct str id = made(1, "ops").public_id;
	struct policy_step step = { .delay_minutes = 5, .targets = { { TARGET_SCHEDULE, id } }, .n = 1 };
	const struct policy policy = { .tenant_id = 1, .name = STR("nights"), .description = STR(""), .steps = policy_steps_write(a, &step, 1) };
	struct policy out;

	succeeds(policy_add(db, a, &policy, &who, NOW, &out, &e));
	ck_assert_int_eq(oncall_delete(db, a, 1, id, &who, NOW, &e), -1);
	ck_assert(e.code == ERR_CONFLICT && e.told && strstr(e.text, "nights"));
	e = (struct err){ 0 };
	ck_assert_int_eq(policy_delete(db, a, 1, out.public_id, &who, NOW, &e), 1);
	ck_assert_int_eq(oncall_delete(db, a, 1, id, &who, NOW, &e), 1);
}
END_TEST

START_TEST(people_are_found_by_id_or_name_in_the_order_they_were_named)
{
	struct oncall_found *f;
	size_t n;

	succeeds(oncall_find_people(db, a, 1, STR("[\"cem\",\"nobody\",\"us_00000000000000000001\",\"zoe\",\"cem\"]"), &f, &n, &e));
	ck_assert_uint_eq(n, 3);
	ck_assert(f[0].place == 1 && f[0].person.id == 3 && f[1].place == 3 && f[1].person.id == 1 && f[2].place == 5 && f[2].person.id == 3);
}
END_TEST

/* A zone that the host has no file of: the schedule is there, on the clocks of UTC. */
START_TEST(a_zone_that_is_gone_is_utc)
{
	struct str id = made(1, "ops").public_id;

	succeeds(db_exec(db, stmt_of("t.zone", "UPDATE schedules SET time_zone = 'Gone/Town'"), NULL, 0, NULL, &e));
	ck_assert_str_eq(on_call(id, NOW), "bob");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { a_schedule_is_read_as_it_was_written, several_at_once_and_each_person_once,
		who_is_disabled_is_passed_over_and_comes_back, a_change_is_of_what_was_read_and_replaces_the_layers, overrides_win_end_and_are_taken_back,
		old_overrides_go_when_new_ones_come, there_are_limits, what_is_deleted_leaves_nothing, what_a_policy_names_is_not_deleted,
		people_are_found_by_id_or_name_in_the_order_they_were_named, a_zone_that_is_gone_is_utc };

	if (!store_test_begin(ONCALL_DB, once, ARRAY_SIZE(once)))
		return STORE_TEST_SKIPPED;
	id_maker_init(&ids, 1);
	return store_test_run("oncall", tests, ARRAY_SIZE(tests), setup, teardown);
}
