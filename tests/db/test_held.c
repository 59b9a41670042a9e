/* Incidents that are held back with their database: what holds them, what lets them go, and that each is told once or never. */
#include "notify_world.h"

#define HELD_DB "grapnel_held"

static struct hush added(const struct hush *in)
{
	struct hush out;

	succeeds(hush_add(db, a, in, &who, NOW, &out, &e));
	return out;
}

/* Of everything of the tenant, unless `scope` says less. */
static struct hush window_of(const char *name, ms_t from, ms_t to, struct hush_scope scope)
{
	return added(&(struct hush){ .tenant_id = 1, .kind = HUSH_WINDOW, .name = str_of(name), .zone_name = STR("UTC"), .scope = scope,
		.times = { .from = from, .to = to } });
}

static struct hush window(const char *name, ms_t from, ms_t to)
{
	return window_of(name, from, to, (struct hush_scope){ 0 });
}

static void ends(const struct hush *h, ms_t now)
{
	ck_assert_int_eq(hush_end(db, a, 1, (enum hush_kind)h->kind, h->public_id, &who, now, &e), 1);
}

#define nothing_is_held() is("SELECT COUNT(*) AS n FROM held_incidents", 0)

/* ---- the plain case ---- */

START_TEST(what_is_open_at_the_end_is_told_and_what_is_over_is_not)
{
	struct hush w = window("patch day", NOW - MIN, NOW + 60 * MIN);
	uint64_t open = opened(SHOP, LEVEL_HIGH, NOW), taken = opened(SHOP, LEVEL_HIGH, NOW), over = opened(SHOP, LEVEL_HIGH, NOW);

	looks(NOW);
	acts(taken, COMMAND_ACKNOWLEDGE, NOW + MIN);
	acts(over, COMMAND_RESOLVE, NOW + MIN);
	looks(NOW + MIN);
	is("SELECT COUNT(*) AS n FROM outbox", 0);
	says(W_HELD, open, "patch day");
	says(W_HELD, over, "-");
	looks(NOW + 60 * MIN - 1);
	is("SELECT COUNT(*) AS n FROM outbox", 0);
	looks(NOW + 60 * MIN);
	looks(NOW + 61 * MIN);
	says(W_TOLD, open, "released");
	says(W_TOLD, taken, "released");
	says(W_TOLD, over, "-");
	says(W_KINDS, open, "opened held released");
	says(W_KINDS, over, "opened held resolved");
	nothing_is_held();
	acts(open, COMMAND_RESOLVE, NOW + 62 * MIN);
	looks(NOW + 62 * MIN);
	says(W_TOLD, open, "released resolved");
	ck_assert_int_eq(hush_get(db, a, 1, HUSH_WINDOW, w.public_id, &w, &e), 1);
	ck_assert_int_eq(w.held_at, NOW);
}
END_TEST

/* The news of it is heard late; then counts what was when it happened. */
START_TEST(what_happened_before_it_began_is_told)
{
	uint64_t before = opened(SHOP, LEVEL_HIGH, NOW - 2 * MIN), within = opened(SHOP, LEVEL_HIGH, NOW);

	window("patch day", NOW - MIN, NOW + 60 * MIN);
	looks(NOW + MIN);
	says(W_TOLD, before, "opened");
	says(W_TOLD, within, "-");
}
END_TEST

START_TEST(it_was_over_when_somebody_listened)
{
	uint64_t within = opened(SHOP, LEVEL_HIGH, NOW);

	window("patch day", NOW - MIN, NOW + MIN);
	looks(NOW + 2 * MIN);
	says(W_TOLD, within, "opened");
	nothing_is_held();
}
END_TEST

START_TEST(other_services_tenants_and_tests_are_told)
{
	uint64_t shop, till, test;

	window_of("shop", NOW - MIN, NOW + 60 * MIN, (struct hush_scope){ .service_id = SHOP });
	succeeds(hush_add(db, a, &(struct hush){ .tenant_id = 2, .kind = HUSH_WINDOW, .name = STR("theirs"), .zone_name = STR("UTC"),
		.times = { .from = NOW - MIN, .to = NOW + 60 * MIN } }, &(struct who){ .tenant_id = 2, .actor = ACTOR_PERSON }, NOW, &(struct hush){ 0 }, &e));
	shop = opened(SHOP, LEVEL_HIGH, NOW);
	till = opened(TILL, LEVEL_HIGH, NOW);
	test = opened(SHOP, LEVEL_HIGH, NOW);
	succeeds(db_exec(db, stmt_of("t.test", "UPDATE incidents SET is_test = 1 WHERE id = ?"), VALS(V_U(test)), NULL, &e));
	looks(NOW);
	says(W_TOLD, shop, "-");
	says(W_TOLD, till, "opened");
	says(W_TOLD, test, "opened");
	ck_assert_int_eq(incident_held(db, a, shop, NOW, &e), 1);
	ck_assert_int_eq(incident_held(db, a, till, NOW, &e), 0);
	ck_assert_int_eq(incident_held(db, a, test, NOW, &e), 0);
	ck_assert_int_eq(incident_held(db, a, 12345, NOW, &e), 0);
}
END_TEST

/* ---- several ---- */

START_TEST(of_two_the_one_that_ends_last_holds)
{
	struct hush brief = window("brief", NOW - MIN, NOW + 10 * MIN), lasting = window("lasting", NOW - MIN, NOW + 60 * MIN);
	uint64_t i = opened(SHOP, LEVEL_HIGH, NOW);

	looks(NOW);
	says(W_HELD, i, "lasting");
	ends(&lasting, NOW + MIN);
	looks(NOW + MIN);
	says(W_HELD, i, "brief");
	says(W_TOLD, i, "-");
	ends(&brief, NOW + 2 * MIN);
	looks(NOW + 2 * MIN);
	says(W_TOLD, i, "released");
	says(W_KINDS, i, "opened held released");
	nothing_is_held();
}
END_TEST

START_TEST(a_chain_of_windows_tells_once_in_the_end)
{
	uint64_t i;

	window("first", NOW - MIN, NOW + 10 * MIN);
	window("second", NOW + 9 * MIN, NOW + 20 * MIN);
	window("third", NOW + 20 * MIN, NOW + 30 * MIN);
	i = opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW);
	says(W_HELD, i, "first");
	looks(NOW + 10 * MIN);
	says(W_HELD, i, "second");
	looks(NOW + 20 * MIN);
	says(W_HELD, i, "third");
	says(W_TOLD, i, "-");
	looks(NOW + 30 * MIN);
	says(W_TOLD, i, "released");
}
END_TEST

START_TEST(what_is_deleted_or_changed_lets_go)
{
	struct hush gone = window_of("gone", NOW - MIN, NOW + 60 * MIN, (struct hush_scope){ .service_id = SHOP });
	struct hush other = window_of("other", NOW - MIN, NOW + 60 * MIN, (struct hush_scope){ .service_id = TILL });
	uint64_t shop = opened(SHOP, LEVEL_HIGH, NOW), till = opened(TILL, LEVEL_HIGH, NOW);

	looks(NOW);
	ck_assert_int_eq(hush_delete(db, a, 1, HUSH_WINDOW, gone.public_id, &who, NOW + MIN, &e), 1);
	other.scope.level_max = LEVEL_LOW + 1;
	ck_assert_int_eq(hush_update(db, a, &other, &who, NOW + MIN, &e), 1);
	looks(NOW + MIN);
	says(W_TOLD, shop, "released");
	says(W_TOLD, till, "released");
}
END_TEST

/* ---- severity ---- */

START_TEST(what_rises_above_it_is_told_at_once)
{
	uint64_t i, j;

	window_of("small things", NOW - MIN, NOW + 60 * MIN, (struct hush_scope){ .level_max = LEVEL_MEDIUM + 1 });
	i = opened(SHOP, LEVEL_LOW, NOW);
	j = opened(SHOP, LEVEL_LOW, NOW);
	looks(NOW);
	raised(i, LEVEL_MEDIUM, NOW + MIN);
	looks(NOW + MIN);
	says(W_TOLD, i, "-");
	raised(i, LEVEL_CRITICAL, NOW + 2 * MIN);
	window("all things", NOW + MIN, NOW + 30 * MIN);
	raised(j, LEVEL_CRITICAL, NOW + 2 * MIN);
	looks(NOW + 2 * MIN);
	says(W_HELD, i, "all things");
	looks(NOW + 30 * MIN);
	says(W_TOLD, i, "released");
	says(W_KINDS, i, "opened held raised raised released");
	says(W_TOLD, j, "released");
}
END_TEST

START_TEST(what_was_told_before_is_told_of_its_severity_in_the_end)
{
	uint64_t i = opened(SHOP, LEVEL_LOW, NOW), over = opened(SHOP, LEVEL_LOW, NOW);

	looks(NOW);
	window("patch day", NOW + MIN, NOW + 60 * MIN);
	raised(i, LEVEL_HIGH, NOW + 2 * MIN);
	raised(over, LEVEL_HIGH, NOW + 2 * MIN);
	looks(NOW + 2 * MIN);
	says(W_HELD, i, "patch day, told before");
	says(W_TOLD, i, "opened");
	acts(i, COMMAND_ACKNOWLEDGE, NOW + 3 * MIN);
	acts(over, COMMAND_RESOLVE, NOW + 3 * MIN);
	looks(NOW + 3 * MIN);
	says(W_TOLD, i, "opened acknowledged");
	says(W_TOLD, over, "opened resolved");
	looks(NOW + 60 * MIN);
	says(W_TOLD, i, "opened acknowledged released");
	says(W_TOLD, over, "opened resolved");
	nothing_is_held();
}
END_TEST

START_TEST(what_is_reopened_is_held_anew)
{
	uint64_t i = opened(SHOP, LEVEL_HIGH, NOW);

	looks(NOW);
	acts(i, COMMAND_RESOLVE, NOW + MIN);
	window("patch day", NOW + MIN, NOW + 60 * MIN);
	acts(i, COMMAND_REOPEN, NOW + 2 * MIN);
	looks(NOW + 2 * MIN);
	says(W_TOLD, i, "opened resolved");
	acts(i, COMMAND_RESOLVE, NOW + 3 * MIN);
	acts(i, COMMAND_REOPEN, NOW + 4 * MIN);
	looks(NOW + 4 * MIN);
	looks(NOW + 60 * MIN);
	says(W_TOLD, i, "opened resolved released");
	says(W_KINDS, i, "opened resolved reopened held resolved reopened held released");
}
END_TEST

/* ---- snoozed ---- */

START_TEST(held_and_snoozed_is_quiet_until_both_are_over)
{
	uint64_t i, over, taken_back;

	window("patch day", NOW - MIN, NOW + 10 * MIN);
	i = opened(SHOP, LEVEL_HIGH, NOW);
	over = opened(SHOP, LEVEL_HIGH, NOW);
	taken_back = opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW);
	snoozes(i, NOW + 30 * MIN, NOW + MIN);
	snoozes(over, NOW + 30 * MIN, NOW + MIN);
	snoozes(taken_back, NOW + 30 * MIN, NOW + MIN);
	looks(NOW + MIN);
	looks(NOW + 10 * MIN);
	snoozes(taken_back, 0, NOW + 15 * MIN);
	acts(over, COMMAND_RESOLVE, NOW + 15 * MIN);
	looks(NOW + 15 * MIN);
	says(W_TOLD, taken_back, "released");
	says(W_TOLD, over, "-");
	says(W_TOLD, i, "-");
	looks(NOW + 30 * MIN);
	looks(NOW + 40 * MIN);
	says(W_TOLD, i, "released");
	says(W_TOLD, taken_back, "released");
	says(W_TOLD, over, "-");
	says(W_KINDS, i, "opened held snoozed snoozed released");
	nothing_is_held();
}
END_TEST

/* Nobody looked for an hour: the end of the snooze and of the window are found at once, and tell it once. */
START_TEST(a_late_look_tells_it_once)
{
	uint64_t i;

	window("patch day", NOW - MIN, NOW + 10 * MIN);
	i = opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW);
	snoozes(i, NOW + 5 * MIN, NOW + MIN);
	looks(NOW + 60 * MIN);
	looks(NOW + 70 * MIN);
	says(W_TOLD, i, "released");
	nothing_is_held();
}
END_TEST

START_TEST(a_snooze_that_ends_in_a_window_is_told_after_it)
{
	uint64_t i = opened(SHOP, LEVEL_HIGH, NOW);

	looks(NOW);
	snoozes(i, NOW + 10 * MIN, NOW);
	window("patch day", NOW + 5 * MIN, NOW + 30 * MIN);
	looks(NOW + 10 * MIN);
	says(W_HELD, i, "patch day, told before");
	looks(NOW + 30 * MIN);
	says(W_TOLD, i, "opened released");
	nothing_is_held();
}
END_TEST

/* ---- merged ---- */

START_TEST(what_is_merged_away_is_held_no_more)
{
	struct hush w = window("patch day", NOW - MIN, NOW + 60 * MIN);
	uint64_t part = opened(SHOP, LEVEL_HIGH, NOW), whole = opened(SHOP, LEVEL_MEDIUM, NOW);

	looks(NOW);
	merges(part, whole, NOW + MIN);
	looks(NOW + MIN);
	says(W_HELD, part, "-");
	says(W_HELD, whole, "patch day");
	is("SELECT COUNT(*) AS n FROM outbox", 0);
	ck_assert_int_eq(hush_get(db, a, 1, HUSH_WINDOW, w.public_id, &w, &e), 1);
	ck_assert_uint_eq(w.held, 1);
	looks(NOW + 60 * MIN);
	says(W_TOLD, part, "-");
	says(W_TOLD, whole, "released");
	nothing_is_held();
}
END_TEST

/* In one window of an hour. */
static void two_held(uint64_t *part, uint64_t *whole)
{
	window("patch day", NOW - MIN, NOW + 60 * MIN);
	*part = opened(SHOP, LEVEL_HIGH, NOW);
	*whole = opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW);
}

/* Taken apart again in the window: held like any that is reopened. */
START_TEST(merged_and_reopened_is_held_anew)
{
	uint64_t part, whole;

	two_held(&part, &whole);
	merges(part, whole, NOW + MIN);
	looks(NOW + MIN);
	acts(part, COMMAND_REOPEN, NOW + 2 * MIN);
	looks(NOW + 2 * MIN);
	says(W_HELD, part, "patch day");
	looks(NOW + 60 * MIN);
	says(W_TOLD, part, "released");
	says(W_TOLD, whole, "released");
	says(W_KINDS, part, "opened held merged reopened held released");
	nothing_is_held();
}
END_TEST

START_TEST(merged_and_reopened_before_anybody_heard_is_held_still)
{
	uint64_t part, whole;

	two_held(&part, &whole);
	merges(part, whole, NOW + MIN);
	acts(part, COMMAND_REOPEN, NOW + 2 * MIN);
	looks(NOW + 2 * MIN);
	says(W_HELD, part, "patch day");
	looks(NOW + 60 * MIN);
	says(W_TOLD, part, "released");
}
END_TEST

/* One that was told goes into one that is held: that it did is told, the held one stays held, though it is worse by that. */
START_TEST(what_was_told_is_merged_into_what_is_held)
{
	uint64_t part = opened(TILL, LEVEL_CRITICAL, NOW), whole;

	looks(NOW);
	window_of("shop", NOW, NOW + 60 * MIN, (struct hush_scope){ .service_id = SHOP });
	whole = opened(SHOP, LEVEL_LOW, NOW + MIN);
	looks(NOW + MIN);
	merges(part, whole, NOW + 2 * MIN);
	looks(NOW + 2 * MIN);
	says(W_TOLD, part, "opened merged");
	says(W_TOLD, whole, "-");
	says(W_HELD, whole, "shop");
	looks(NOW + 60 * MIN);
	says(W_TOLD, whole, "released");
	says(W_KINDS, whole, "opened held merged raised released");
}
END_TEST

START_TEST(worse_by_a_merge_than_what_holds_it_is_told_at_once)
{
	uint64_t part = opened(TILL, LEVEL_CRITICAL, NOW), whole;

	looks(NOW);
	window_of("small things", NOW, NOW + 60 * MIN, (struct hush_scope){ .level_max = LEVEL_MEDIUM + 1 });
	whole = opened(SHOP, LEVEL_LOW, NOW + MIN);
	looks(NOW + MIN);
	merges(part, whole, NOW + 2 * MIN);
	looks(NOW + 2 * MIN);
	says(W_TOLD, whole, "released");
	nothing_is_held();
}
END_TEST

START_TEST(snoozed_and_merged)
{
	uint64_t part, whole = opened(SHOP, LEVEL_HIGH, NOW), told = opened(SHOP, LEVEL_HIGH, NOW);

	looks(NOW);
	window("patch day", NOW, NOW + 10 * MIN);
	part = opened(SHOP, LEVEL_HIGH, NOW + MIN);
	looks(NOW + MIN);
	snoozes(part, NOW + 30 * MIN, NOW + 2 * MIN);
	snoozes(told, NOW + 30 * MIN, NOW + 2 * MIN);
	looks(NOW + 10 * MIN);
	says(W_HELD, part, "patch day");
	merges(part, whole, NOW + 11 * MIN);
	merges(told, whole, NOW + 11 * MIN);
	looks(NOW + 11 * MIN);
	says(W_TOLD, part, "-");
	says(W_TOLD, told, "opened merged");
	looks(NOW + 60 * MIN);
	says(W_TOLD, part, "-");
	says(W_TOLD, told, "opened merged");
	nothing_is_held();
}
END_TEST

/* ---- at once ---- */

#define LOOKERS 6

START_TEST(several_dispatchers_hold_each_once)
{
	window("patch day", NOW - MIN, NOW + 60 * MIN);
	for (int i = 0; i < 150; i++)	/* more than one turn */
		opened(i % 2 ? SHOP : TILL, LEVEL_HIGH, NOW);
	look_at_once(LOOKERS, NOW);
	is("SELECT COUNT(*) AS n FROM timeline WHERE kind = 9", 150);
	is("SELECT COUNT(*) AS n FROM held_incidents", 150);
	is("SELECT COUNT(*) AS n FROM incident_news", 0);
	look_at_once(LOOKERS, NOW + 60 * MIN);
	looks(NOW + 60 * MIN);
	is("SELECT COUNT(*) AS n FROM timeline WHERE kind = 10", 150);
	is("SELECT COUNT(*) AS n FROM outbox", 150);
	is("SELECT COUNT(DISTINCT cause_id) AS n FROM outbox", 150);
	nothing_is_held();
}
END_TEST

static uint64_t raced;
static pid_t racer;

static bool resolve_beside_a_look(struct db *in, void *ctx, struct err *err)
{
	if (incident_act(in, a, 1, raced, COMMAND_RESOLVE, ACTOR_PERSON, &who, id_make(&ids, NOW), STR_NONE, NOW + 60 * MIN, err) != 1)
		return false;
	racer = look_that_waits(NOW + 60 * MIN);
	return true;
}

START_TEST(resolved_at_the_very_end_is_not_told)
{
	window("patch day", NOW - MIN, NOW + 60 * MIN);
	raced = opened(SHOP, LEVEL_HIGH, NOW);
	looks(NOW);
	succeeds(db_tx(db, resolve_beside_a_look, NULL, &e));
	test_child_ended_well(racer);
	looks(NOW + 60 * MIN);
	says(W_TOLD, raced, "-");
	nothing_is_held();
}
END_TEST

static bool end_beside_a_look(struct db *in, void *ctx, struct err *err)
{
	const struct hush *w = ctx;

	if (hush_end(in, a, 1, HUSH_WINDOW, w->public_id, &who, NOW + MIN, err) != 1)
		return false;
	racer = look_that_waits(NOW + MIN);
	return true;
}

/* Whoever held by it sees that it ends, or it is seen by whoever ends it. */
START_TEST(nothing_stays_held_by_what_is_ended_at_that_moment)
{
	struct hush w = window("patch day", NOW - MIN, NOW + 60 * MIN);
	uint64_t i = opened(SHOP, LEVEL_HIGH, NOW);

	succeeds(db_tx(db, end_beside_a_look, &w, &e));
	test_child_ended_well(racer);
	looks(NOW + MIN);
	ck_assert_msg(!strcmp(said(W_TOLD, i), "opened") || !strcmp(said(W_TOLD, i), "released"), "%s", said(W_TOLD, i));
	nothing_is_held();
}
END_TEST

/* ---- where nobody listens ---- */

static uint64_t told_of_source(const char *id, ms_t now)
{
	struct seal_key *key = store_test_key();
	struct live_source *list;
	uint64_t told;
	size_t n;

	succeeds(live_sources(db, a, key, arena_printf(a, "[\"%s\"]", id), STR_NONE, STR_NONE, now, &list, &n, &e));
	ck_assert_uint_eq(n, 1);
	told = list->told;
	seal_key_free(key);
	return told;
}

/* Ingest writes news where a window or silence is not over, though there is neither channel nor endpoint nor policy; and sees that one came. */
START_TEST(ingest_knows_of_what_may_hold)
{
	uint64_t before, with;
	struct hush w;

	does("DELETE FROM channels");
	succeeds(live_sources_stamp(db, a, NOW, &before, &e));
	ck_assert_uint_eq(told_of_source("in_00000000000000000001", NOW), 0);
	w = window("patch day", NOW + 10 * MIN, NOW + 60 * MIN);
	succeeds(live_sources_stamp(db, a, NOW, &with, &e));
	ck_assert_uint_ne(with, before);
	ck_assert_uint_eq(told_of_source("in_00000000000000000001", NOW), CHANNEL_INCIDENT);
	ck_assert_uint_eq(told_of_source("in_00000000000000000002", NOW), 0);
	ck_assert_uint_eq(told_of_source("in_00000000000000000001", NOW + 60 * MIN), 0);
	w.times.to = NOW + 90 * MIN;
	ck_assert_int_eq(hush_update(db, a, &w, &who, NOW + MIN, &e), 1);
	succeeds(live_sources_stamp(db, a, NOW, &before, &e));
	ck_assert_uint_ne(with, before);
	ck_assert_uint_eq(told_of_source("in_00000000000000000001", NOW + 60 * MIN), CHANNEL_INCIDENT);
	succeeds(live_sources_stamp(db, a, NOW + 90 * MIN, &with, &e));
	ck_assert_uint_ne(with, before);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { what_is_open_at_the_end_is_told_and_what_is_over_is_not, what_happened_before_it_began_is_told,
		it_was_over_when_somebody_listened, other_services_tenants_and_tests_are_told, of_two_the_one_that_ends_last_holds,
		a_chain_of_windows_tells_once_in_the_end, what_is_deleted_or_changed_lets_go, what_rises_above_it_is_told_at_once,
		what_was_told_before_is_told_of_its_severity_in_the_end, what_is_reopened_is_held_anew, held_and_snoozed_is_quiet_until_both_are_over,
		a_late_look_tells_it_once, a_snooze_that_ends_in_a_window_is_told_after_it, what_is_merged_away_is_held_no_more,
		merged_and_reopened_is_held_anew, merged_and_reopened_before_anybody_heard_is_held_still, what_was_told_is_merged_into_what_is_held,
		worse_by_a_merge_than_what_holds_it_is_told_at_once, snoozed_and_merged, several_dispatchers_hold_each_once,
		resolved_at_the_very_end_is_not_told, nothing_stays_held_by_what_is_ended_at_that_moment, ingest_knows_of_what_may_hold };

	return world_run("held", HELD_DB, tests, ARRAY_SIZE(tests), world_setup);
}
