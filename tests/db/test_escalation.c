/* Escalation with its database: who is paged by each step, what stops it, and that nothing stalls it or takes a step twice. */
#include "notify_world.h"

#include "grapnel/oncall.h"

#define ESCALATION_DB "grapnel_escalation"

#define US_ANN "{\"type\":\"user\",\"id\":\"us_00000000000000000007\"}"
#define US_BOB "{\"type\":\"user\",\"id\":\"us_00000000000000000008\"}"
#define CH_OPS "{\"type\":\"channel\",\"id\":\"ch_00000000000000000001\"}"
#define STEP(minutes, targets) "{\"delayMinutes\":" #minutes ",\"targets\":[" targets "]}"

static void contact(uint64_t user, bool verified)
{
	succeeds(db_exec(db, stmt_of("t.contact", "INSERT INTO contacts (public_id, tenant_id, user_id, kind, address, verified_at, created_at)"
		" VALUES (CONCAT('ct_', ?), 1, ?, 'email', 'x@example.org', ?, 1)"), VALS(V_U(user), V_U(user), verified ? V_I(1) : V_NULL()), NULL, &e));
}

static void used_by(uint64_t service, const struct policy *p)
{
	succeeds(db_exec(db, stmt_of("t.used", "UPDATE services SET policy_id = ? WHERE id = ?"), VALS(p ? V_U(p->id) : V_NULL(), V_U(service)), NULL, &e));
}

static struct policy policy(const char *name, uint64_t repeats, const char *steps)
{
	const struct policy in = { .tenant_id = 1, .name = str_of(name), .steps = str_of(steps), .repeats = repeats };
	struct policy out;

	succeeds(policy_add(db, a, &in, &who, NOW, &out, &e));
	return out;
}

/* Of SHOP; ann can be paged. */
static struct policy runs(uint64_t repeats, const char *steps)
{
	struct policy p = policy("night", repeats, steps);

	used_by(SHOP, &p);
	return p;
}

static void setup(void)
{
	world_setup();
	does("UPDATE channels SET events = 0");	/* it is told by steps alone */
	contact(ANN, true);
}

/* What the newest step says. */
static const char *newest(uint64_t incident)
{
	struct newest {
		struct str text;
	} x = { STR_NONE };
	const struct field fields[] = { FIELD_STR(struct newest, text, "text", ""), FIELD_END };

	succeeds(db_query_one(db, stmt_of("t.newest", "SELECT text FROM timeline WHERE incident_id = ? AND kind = 11 ORDER BY id DESC LIMIT 1"),
		VALS(V_U(incident)), a, fields, sizeof(x), &x, &e) >= 0);
	return x.text.n ? arena_cstr(a, x.text) : "-";
}

#define steps_are(n) is("SELECT COUNT(*) AS n FROM timeline WHERE kind = 11", n)
#define pages_are(n) is("SELECT COUNT(*) AS n FROM outbox WHERE kind = 5", n)
#define alarms_are(n) is("SELECT COUNT(*) AS n FROM monitor_alerts WHERE type = 'ESCALATION_EXHAUSTED' AND ended_at IS NULL", n)
#define none_is_under_way() is("SELECT COUNT(*) AS n FROM escalations WHERE ended = 0", 0)

/* ---- the way ---- */

START_TEST(each_step_is_taken_in_its_time)
{
	uint64_t i;

	runs(1, "[" STEP(5, US_ANN) "," STEP(10, US_ANN "," CH_OPS) "]");
	i = opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW);
	ck_assert_str_eq(newest(i), "Step 1 of night: ann (email)");
	looks(NOW + 5 * MIN - 1);
	steps_are(1);
	looks(NOW + 5 * MIN);
	ck_assert_str_eq(newest(i), "Step 2 of night: ann (email), ops");
	is("SELECT COUNT(*) AS n FROM outbox WHERE kind = 1", 1);
	looks(NOW + 15 * MIN);
	ck_assert_str_eq(newest(i), "Step 1 of night, round 2: ann (email)");
	looks(NOW + 20 * MIN);
	looks(NOW + 30 * MIN);
	ck_assert_str_eq(newest(i), "night is at its end, and nobody took care.");
	alarms_are(1);
	none_is_under_way();
	pages_are(4);
	acts(i, COMMAND_ACKNOWLEDGE, NOW + 31 * MIN);
	looks(NOW + 31 * MIN);
	alarms_are(0);
}
END_TEST

/* What an alert of PagerDuty began with has an end there. */
START_TEST(a_channel_that_a_step_told_hears_that_it_is_taken_care_of)
{
	uint64_t i, k, till;

	does("INSERT INTO channels (id, public_id, tenant_id, kind, name, enabled, events, settings, created_at, updated_at) VALUES"
		" (2, 'ch_00000000000000000002', 1, 'webhook', 'of all', 1, 2, '{}', 1, 1)");
	runs(0, "[" STEP(5, CH_OPS) "," STEP(5, "{\"type\":\"channel\",\"id\":\"ch_00000000000000000002\"}") "]");
	i = opened(SHOP, LEVEL_HIGH, NOW);
	k = opened(SHOP, LEVEL_HIGH, NOW);
	till = opened(TILL, LEVEL_HIGH, NOW);
	looks(NOW);
	acts(i, COMMAND_ACKNOWLEDGE, NOW + MIN);
	acts(till, COMMAND_ACKNOWLEDGE, NOW + MIN);
	looks(NOW + MIN);
	looks(NOW + 6 * MIN);
	acts(i, COMMAND_RESOLVE, NOW + 7 * MIN);
	acts(k, COMMAND_RESOLVE, NOW + 7 * MIN);
	acts(till, COMMAND_RESOLVE, NOW + 7 * MIN);
	looks(NOW + 7 * MIN);
	is("SELECT COUNT(*) AS n FROM outbox WHERE kind = 1 AND target_id = 2", 9);	/* each once, whoever told it */
	does("DELETE FROM outbox WHERE target_id = 2");
	says(W_TOLD, i, "escalated acknowledged resolved");
	says(W_TOLD, k, "escalated resolved");
	says(W_TOLD, till, "-");
}
END_TEST

START_TEST(other_services_are_not_concerned)
{
	runs(0, "[" STEP(5, US_ANN) "]");
	opened(TILL, LEVEL_HIGH, NOW);
	looks(NOW);
	none_is_under_way();
	pages_are(0);
}
END_TEST

/* ---- nothing stalls it ---- */

/* Why nobody is reached; the second step is taken at the same moment. */
static const struct unreached {
	const char *target, *does, *says;
} unreached[] = {
	{ US_BOB, "DELETE FROM contacts WHERE user_id = 8", "bob has no verified contact" },
	{ US_BOB, "INSERT INTO contacts (public_id, tenant_id, user_id, kind, address, created_at) VALUES ('ct_x', 1, 8, 'email', 'b@example.org', 1)",
		"bob has no verified contact" },
	{ US_BOB, "UPDATE users SET enabled = 0 WHERE id = 8", "bob is disabled" },
	{ "{\"type\":\"user\",\"id\":\"us_00000000000000000099\"}", NULL, "the user us_00000000000000000099 is gone" },
	{ CH_OPS, "UPDATE channels SET enabled = 0", "the channel ops is switched off" },
	{ CH_OPS, "DELETE FROM channels", "the channel ch_00000000000000000001 is gone" },
	{ CH_OPS, "UPDATE channels SET tenant_id = 2", "the channel ch_00000000000000000001 is gone" },
	{ "{\"type\":\"schedule\",\"id\":\"sc_00000000000000000001\"}", NULL, "nobody is on call by nights" },
	{ "{\"type\":\"schedule\",\"id\":\"sc_00000000000000000002\"}", NULL, "the schedule sc_00000000000000000002 is gone" },
	{ "", NULL, NULL },			/* an import left out what is not there */
	{ "{\"type\":\"robot\",\"id\":\"ro_1\"}", NULL, NULL },	/* of a later version */
};

START_TEST(a_step_that_reaches_nobody_is_followed_at_once)
{
	uint64_t i;

	for (size_t k = 0; k < ARRAY_SIZE(unreached); k++) {
		const struct unreached *u = &unreached[k];
		const char *text;

		world_teardown();
		setup();
		does("INSERT INTO schedules (public_id, tenant_id, name, time_zone, created_at, updated_at)"
			" VALUES ('sc_00000000000000000001', 1, 'nights', 'UTC', 1, 1)");
		runs(0, arena_cstr(a, arena_printf(a, "[{\"delayMinutes\":5,\"targets\":[%s]}," STEP(5, US_ANN) "]", u->target)));
		if (u->does)
			succeeds(db_exec(db, stmt_of("t.unreached", u->does), NULL, 0, NULL, &e));
		i = opened(SHOP, LEVEL_HIGH, NOW);
		looks(NOW);
		ck_assert_str_eq(newest(i), "Step 2 of night: ann (email)");
		steps_are(2);
		pages_are(1);
		alarms_are(0);
		text = arena_cstr(a, arena_printf(a, "SELECT COUNT(*) AS n FROM timeline WHERE text = 'Step 1 of night: nobody was reached%s%s'",
			u->says ? "; " : "", u->says ? u->says : ""));
		is(text, 1);
	}
}
END_TEST

START_TEST(whom_of_a_schedule_it_is_reached_and_those_who_are_disabled_are_passed_over)
{
	uint64_t first, second;

	does("INSERT INTO schedules (id, public_id, tenant_id, name, time_zone, created_at, updated_at) VALUES (1, 'sc_00000000000000000001', 1, 'nights', 'UTC', 1, 1)");
	does("INSERT INTO schedule_layers (schedule_id, position, name, unit, length, at_min, weekday, start_day, weekdays, from_min, to_min)"
		" VALUES (1, 0, '', 2, 366, 0, 0, 20833, 127, 0, 0)");
	does("INSERT INTO schedule_layer_users (schedule_id, layer, position, user_id) VALUES (1, 0, 0, 8), (1, 0, 1, 7)");
	runs(0, "[" STEP(5, "{\"type\":\"schedule\",\"id\":\"sc_00000000000000000001\"}") "]");
	first = opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW);
	is("SELECT COUNT(*) AS n FROM timeline WHERE text = 'Step 1 of night: nobody was reached; bob for nights has no verified contact'", 1);
	ck_assert_str_eq(newest(first), "night is at its end, and none of its steps reached anybody.");
	does("UPDATE users SET enabled = 0 WHERE id = 8");
	second = opened(SHOP, LEVEL_HIGH, NOW + MIN);
	looks(NOW + MIN);
	ck_assert_str_eq(newest(second), "Step 1 of night: ann for nights (email)");
}
END_TEST

START_TEST(nobody_at_all_is_an_alarm_and_it_goes_on)
{
	uint64_t i;

	runs(1, "[" STEP(5, US_BOB) "," STEP(10, US_BOB) "]");
	i = opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW);
	steps_are(2);
	alarms_are(1);
	contact(BOB, true);
	looks(NOW + 10 * MIN);
	ck_assert_str_eq(newest(i), "Step 1 of night, round 2: bob (email)");
	acts(i, COMMAND_RESOLVE, NOW + 11 * MIN);
	looks(NOW + 11 * MIN);
	alarms_are(0);
	none_is_under_way();
}
END_TEST

/* One that waits for a long time keeps nobody else from his. */
START_TEST(one_that_waits_holds_up_no_other)
{
	uint64_t i;

	runs(0, "[" STEP(1440, US_ANN) "," STEP(5, US_ANN) "]");
	opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW);
	i = opened(SHOP, LEVEL_HIGH, NOW + MIN);
	looks(NOW + MIN);
	ck_assert_str_eq(newest(i), "Step 1 of night: ann (email)");
}
END_TEST

/* ---- the policy changes while it runs ---- */

static void rewritten(struct policy p, uint64_t repeats, const char *steps)
{
	ck_assert_int_eq(policy_get(db, a, 1, p.public_id, &p, &e), 1);
	p.steps = str_of(steps);
	p.repeats = repeats;
	ck_assert_int_eq(policy_update(db, a, &p, &who, NOW + MIN, &e), 1);
}

START_TEST(a_changed_policy_goes_on_with_its_changed_steps)
{
	struct policy p = runs(0, "[" STEP(5, US_BOB "," US_ANN) "," STEP(5, US_BOB) "]");
	uint64_t i = opened(SHOP, LEVEL_HIGH, NOW);

	looks(NOW);
	rewritten(p, 0, "[" STEP(5, US_BOB) "," STEP(7, CH_OPS) "]");
	looks(NOW + 5 * MIN);
	ck_assert_str_eq(newest(i), "Step 2 of night: ops");
	looks(NOW + 12 * MIN);
	none_is_under_way();
}
END_TEST

START_TEST(a_shortened_policy_goes_on_with_its_next_round_or_ends)
{
	struct policy p = runs(1, "[" STEP(5, US_ANN) "," STEP(5, US_ANN) "," STEP(5, US_ANN) "]");
	uint64_t i = opened(SHOP, LEVEL_HIGH, NOW);

	looks(NOW);
	looks(NOW + 5 * MIN);
	rewritten(p, 1, "[" STEP(5, US_ANN) "]");
	looks(NOW + 10 * MIN);
	ck_assert_str_eq(newest(i), "Step 1 of night, round 2: ann (email)");
	rewritten(p, 0, "[" STEP(5, US_ANN) "]");
	looks(NOW + 15 * MIN);
	ck_assert_str_eq(newest(i), "night is at its end, and nobody took care.");
	alarms_are(1);
}
END_TEST

START_TEST(a_deleted_policy_is_followed_by_that_of_the_service)
{
	struct policy p = runs(0, "[" STEP(5, US_ANN) "," STEP(5, US_ANN) "]"), other = policy("day", 0, "[" STEP(9, CH_OPS) "]");
	uint64_t i = opened(SHOP, LEVEL_HIGH, NOW);

	looks(NOW);
	used_by(SHOP, &other);
	ck_assert_int_eq(policy_delete(db, a, 1, p.public_id, &who, NOW + MIN, &e), 1);
	looks(NOW + 5 * MIN);
	ck_assert_str_eq(newest(i), "Step 1 of day: ops");
	alarms_are(0);
	looks(NOW + 14 * MIN);
	ck_assert_str_eq(newest(i), "day is at its end, and nobody took care.");
}
END_TEST

START_TEST(a_deleted_policy_without_another_says_so)
{
	struct policy p = runs(0, "[" STEP(5, US_ANN) "," STEP(5, US_ANN) "]");
	uint64_t i = opened(SHOP, LEVEL_HIGH, NOW);

	looks(NOW);
	used_by(SHOP, NULL);
	ck_assert_int_eq(policy_delete(db, a, 1, p.public_id, &who, NOW + MIN, &e), 1);
	looks(NOW + 5 * MIN);
	ck_assert_str_eq(newest(i), "The escalation policy was deleted, nobody else is paged.");
	alarms_are(1);
	none_is_under_way();
}
END_TEST

START_TEST(another_policy_of_the_service_is_for_what_opens_then)
{
	struct policy other = policy("day", 0, "[" STEP(9, CH_OPS) "]");
	uint64_t i, later;

	runs(0, "[" STEP(5, US_ANN) "," STEP(5, US_ANN) "]");
	i = opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW);
	used_by(SHOP, &other);
	later = opened(SHOP, LEVEL_HIGH, NOW + MIN);
	looks(NOW + 5 * MIN);
	ck_assert_str_eq(newest(i), "Step 2 of night: ann (email)");
	ck_assert_str_eq(newest(later), "Step 1 of day: ops");
}
END_TEST

/* ---- what stops it ---- */

START_TEST(each_way_to_take_care_stops_it)
{
	static const char *const ways[] = { "acknowledge", "resolve", "merge", "the sender acknowledges" };
	uint64_t whole, i;

	for (size_t k = 0; k < ARRAY_SIZE(ways); k++) {
		world_teardown();
		setup();
		runs(0, "[" STEP(5, US_BOB) "," STEP(5, US_BOB) "]");
		whole = opened(TILL, LEVEL_HIGH, NOW);
		i = opened(SHOP, LEVEL_HIGH, NOW);
		looks(NOW);
		alarms_are(1);		/* nobody was reached */
		if (k == 2) {
			merges(i, whole, NOW + MIN);
		} else if (k == 3) {
			does("UPDATE incidents SET status = 2");
			befalls(i, TIMELINE_ACKNOWLEDGED, NOW + MIN);
		} else {
			acts(i, k ? COMMAND_RESOLVE : COMMAND_ACKNOWLEDGE, NOW + MIN);
		}
		looks(NOW + MIN);
		is("SELECT COUNT(*) AS n FROM monitor_alerts WHERE ended_at IS NULL", 0);
		none_is_under_way();
	}
}
END_TEST

START_TEST(taken_care_of_before_anybody_heard_pages_nobody)
{
	uint64_t i;

	runs(0, "[" STEP(5, US_ANN) "]");
	i = opened(SHOP, LEVEL_HIGH, NOW);
	acts(i, COMMAND_ACKNOWLEDGE, NOW);
	looks(NOW);
	none_is_under_way();
	steps_are(0);
}
END_TEST

START_TEST(reopened_begins_anew)
{
	uint64_t i;

	runs(0, "[" STEP(5, US_ANN) "," STEP(5, CH_OPS) "]");
	i = opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW);
	looks(NOW + 5 * MIN);
	acts(i, COMMAND_RESOLVE, NOW + 6 * MIN);
	acts(i, COMMAND_REOPEN, NOW + 7 * MIN);
	looks(NOW + 7 * MIN);
	ck_assert_str_eq(newest(i), "Step 1 of night: ann (email)");
	pages_are(2);
}
END_TEST

START_TEST(held_back_it_waits_and_then_goes_on)
{
	const struct hush in = { .tenant_id = 1, .kind = HUSH_WINDOW, .name = STR("patch day"), .zone_name = STR("UTC"),
		.times = { .from = NOW + MIN, .to = NOW + 30 * MIN } };
	struct hush w;
	uint64_t before, within;

	runs(0, "[" STEP(5, US_ANN) "," STEP(5, CH_OPS) "]");
	before = opened(SHOP, LEVEL_MEDIUM, NOW);
	looks(NOW);
	succeeds(hush_add(db, a, &in, &who, NOW, &w, &e));
	within = opened(SHOP, LEVEL_HIGH, NOW + 2 * MIN);
	raised(before, LEVEL_CRITICAL, NOW + 3 * MIN);
	looks(NOW + 3 * MIN);
	looks(NOW + 10 * MIN);
	steps_are(1);
	pages_are(1);
	looks(NOW + 30 * MIN);
	ck_assert_str_eq(newest(before), "Step 2 of night: ops");
	ck_assert_str_eq(newest(within), "Step 1 of night: ann (email)");
}
END_TEST

/* ---- at once ---- */

START_TEST(several_dispatchers_take_each_step_once)
{
	runs(0, "[" STEP(5, US_ANN) "," STEP(5, US_BOB) "," STEP(5, US_ANN) "]");
	for (int i = 0; i < 40; i++)
		opened(SHOP, LEVEL_HIGH, NOW);
	look_at_once(6, NOW);
	looks(NOW);
	pages_are(40);
	steps_are(40);
	look_at_once(6, NOW + 5 * MIN);
	looks(NOW + 5 * MIN);
	pages_are(80);
	steps_are(120);
	is("SELECT COUNT(*) AS n FROM escalations WHERE next_at = 1800000600000", 40);
}
END_TEST

static uint64_t raced;
static pid_t racer;

static bool acknowledge_beside_a_step(struct db *in, void *ctx, struct err *err)
{
	if (incident_act(in, a, 1, raced, COMMAND_ACKNOWLEDGE, ACTOR_PERSON, &who, id_make(&ids, NOW), STR_NONE, NOW + 5 * MIN, err) != 1)
		return false;
	racer = look_that_waits(NOW + 5 * MIN);
	return true;
}

START_TEST(acknowledged_while_a_step_is_taken_pages_nobody)
{
	runs(0, "[" STEP(5, US_ANN) "," STEP(5, US_ANN) "]");
	raced = opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW);
	succeeds(db_tx(db, acknowledge_beside_a_step, NULL, &e));
	test_child_ended_well(racer);
	looks(NOW + 5 * MIN);
	pages_are(1);
	none_is_under_way();
}
END_TEST

/* A page that was written before is not wanted any more when its turn comes. */
/* A message of the newest step, as the courier writes its end. */
static void gives_up(uint64_t kind, ms_t at)
{
	struct outbox_row row = { .kind = kind };
	const struct field fields[] = { FIELD_U64(struct outbox_row, id, "id", ""), FIELD_U64(struct outbox_row, cause_id, "cause_id", ""),
		FIELD_TIME(struct outbox_row, created_at, "created_at", ""), FIELD_END };

	succeeds(db_query_one(db, stmt_of("t.newest_row", "SELECT id, cause_id, created_at FROM outbox WHERE kind = ? ORDER BY id DESC LIMIT 1"), VALS(V_U(kind)), a,
		fields, sizeof(row), &row, &e) == 1);
	succeeds(db_exec(db, stmt_of("t.dead", "UPDATE outbox SET status = 3 WHERE id = ?"), VALS(V_U(row.id)), NULL, &e));
	succeeds(escalation_failed(db, a, &ids, &row, STR("ann"), STR("550 no such user"), at, &e));
}

START_TEST(a_step_whose_messages_are_all_given_up_is_followed_at_once)
{
	uint64_t i;

	contact(BOB, true);
	runs(0, "[" STEP(60, US_ANN "," CH_OPS) "," STEP(60, US_BOB) "]");
	i = opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW);
	gives_up(OUTBOX_PAGE, NOW + 1000);
	looks(NOW + 1000);
	steps_are(1);					/* the channel still may hear of it */
	gives_up(OUTBOX_NOTIFICATION, NOW + 2000);
	ck_assert_str_eq(newest(i), "Nobody was reached after all; the last who was tried, ann: 550 no such user");
	looks(NOW + 2000);
	ck_assert_str_eq(newest(i), "Step 2 of night: bob (email)");
	steps_are(3);
	gives_up(OUTBOX_PAGE, NOW + 3000);		/* of the last step */
	looks(NOW + 3000);
	ck_assert_str_eq(newest(i), "night is at its end, and nobody took care.");
	alarms_are(1);
}
END_TEST

START_TEST(rounds_have_their_pause_also_where_nobody_is_reached)
{
	uint64_t i;

	runs(2, "[" STEP(60, US_ANN) "]");
	i = opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW);
	gives_up(OUTBOX_PAGE, NOW + 1000);
	looks(NOW + 1000);
	steps_are(1);
	ck_assert_str_eq(newest(i), "Step 1 of night: ann (email)");
}
END_TEST

START_TEST(what_is_given_up_hurries_nobody_who_has_it_in_hand)
{
	uint64_t i;

	contact(BOB, true);
	runs(0, "[" STEP(60, US_ANN) "," STEP(60, US_BOB) "]");
	i = opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW);
	acts(i, COMMAND_ACKNOWLEDGE, NOW + 500);
	gives_up(OUTBOX_PAGE, NOW + 1000);
	looks(NOW + 1000);
	steps_are(1);
}
END_TEST

START_TEST(pages_are_wanted_while_nobody_takes_care)
{
	struct escalation_wanted *list;
	uint64_t open, taken;
	struct str both;
	size_t n;

	open = opened(SHOP, LEVEL_LOW, NOW);
	taken = opened(SHOP, LEVEL_HIGH, NOW);
	acts(taken, COMMAND_ACKNOWLEDGE, NOW);
	both = arena_printf(a, "[%llu,%llu]", (unsigned long long)open, (unsigned long long)taken);
	succeeds(escalation_wanted(db, a, both, 1, &list, &n, &e));
	ck_assert(n == 1 && list->incident_id == open && list->level == LEVEL_LOW);
}
END_TEST

START_TEST(a_clock_that_was_wrong_stalls_nothing)
{
	uint64_t i;

	runs(0, "[" STEP(5, US_ANN) "," STEP(5, CH_OPS) "]");
	i = opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW + 100 * MS_PER_DAY);
	looks(NOW);
	ck_assert_str_eq(newest(i), "Step 2 of night: ops");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { each_step_is_taken_in_its_time, a_channel_that_a_step_told_hears_that_it_is_taken_care_of,
		other_services_are_not_concerned, a_step_that_reaches_nobody_is_followed_at_once,
		whom_of_a_schedule_it_is_reached_and_those_who_are_disabled_are_passed_over, nobody_at_all_is_an_alarm_and_it_goes_on,
		one_that_waits_holds_up_no_other, a_changed_policy_goes_on_with_its_changed_steps, a_shortened_policy_goes_on_with_its_next_round_or_ends,
		a_deleted_policy_is_followed_by_that_of_the_service, a_deleted_policy_without_another_says_so,
		another_policy_of_the_service_is_for_what_opens_then, each_way_to_take_care_stops_it, taken_care_of_before_anybody_heard_pages_nobody,
		reopened_begins_anew, held_back_it_waits_and_then_goes_on, several_dispatchers_take_each_step_once,
		acknowledged_while_a_step_is_taken_pages_nobody, a_step_whose_messages_are_all_given_up_is_followed_at_once,
		rounds_have_their_pause_also_where_nobody_is_reached, what_is_given_up_hurries_nobody_who_has_it_in_hand, pages_are_wanted_while_nobody_takes_care, a_clock_that_was_wrong_stalls_nothing };

	return world_run("escalation", ESCALATION_DB, tests, ARRAY_SIZE(tests), setup);
}
