/* The rules of incidents, told as little stories.
 *
 * A story is a row of steps. Small letters are the sender's events with their time: t trigger, a
 * acknowledge, r resolve, i ignore; "t-" has no time; "/4" is a level (2 unless given). Capitals
 * are commands: A acknowledge, R resolve, O reopen by a person, S resolve by the system. After '='
 * stands what must happen, '+' meaning that severity was raised. The clock says 1000 at the first
 * step and one more at each further one; a new incident gets the number of its step, from 1. */
#include <check.h>

#include "grapnel/incident.h"

#define STORY_CLOCK 1000

struct story {
	const char *name, *steps;
	const char *status;	/* in the end */
	uint64_t incident;	/* in the end */
};

static const struct story stories[] = {
	{ "trigger opens", "t10=opens", "OPEN", 1 },
	{ "second trigger joins", "t10=opens t20=joins", "OPEN", 1 },
	{ "severity is raised", "t10/2=opens t20/4=joins+", "OPEN", 1 },
	{ "severity is never lowered", "t10/4=opens t20/1=joins t30/4=joins", "OPEN", 1 },
	{ "acknowledge", "t10=opens a11=acks", "ACKNOWLEDGED", 1 },
	{ "acknowledge twice", "t10=opens a11=acks a12=nothing", "ACKNOWLEDGED", 1 },
	{ "trigger joins an acknowledged one", "t10=opens a11=acks t20/4=joins+", "ACKNOWLEDGED", 1 },
	{ "resolve", "t10=opens r20=resolves", "RESOLVED", 1 },
	{ "resolve of an acknowledged one", "t10=opens a11=acks r20=resolves", "RESOLVED", 1 },
	{ "resolve twice", "t10=opens r20=resolves r21=nothing", "RESOLVED", 1 },
	{ "trigger after the sender's resolve is new trouble", "t10=opens r20=resolves t30=opens", "OPEN", 3 },
	{ "its severity starts afresh", "t10/4=opens r20=resolves t30/1=opens t31/2=joins+", "OPEN", 3 },
	{ "acknowledge of nothing", "a10=nothing", "", 0 },
	{ "resolve of nothing", "r10=nothing", "", 0 },
	{ "ignore is nothing", "i10=nothing t11=opens i12=nothing", "OPEN", 2 },

	/* barrier in time: the sender's own resolve, and it alone */
	{ "trigger from before the resolve", "t10=opens r20=resolves t15=nothing", "RESOLVED", 1 },
	{ "resolve overtakes its trigger", "r20=nothing t10=nothing", "", 0 },
	{ "overtaken trigger, then new trouble", "r20=nothing t10=nothing t30=opens", "OPEN", 3 },
	{ "late resolve leaves newer trouble open", "t10=opens r20=resolves t30=opens r25=nothing", "OPEN", 3 },
	{ "late resolve is a barrier all the same", "t30=opens r20=nothing t15=nothing", "OPEN", 1 },
	{ "older resolve does not lower the barrier", "t10=opens r50=resolves r20=nothing t30=nothing", "RESOLVED", 1 },
	{ "late acknowledge of what is over", "t10=opens r20=resolves t30=opens a15=nothing", "OPEN", 3 },
	{ "late acknowledge across a reminder", "t10=opens t30=joins a20=acks", "ACKNOWLEDGED", 1 },
	{ "late trigger joins what is open", "t30=opens t10/4=joins+", "OPEN", 1 },
	{ "late trigger does not make the resolve late", "t30=opens t10=joins r20=nothing r40=resolves", "RESOLVED", 1 },

	/* equal times pass, in the order in which they came */
	{ "trigger and resolve of one second", "t10=opens r10=resolves", "RESOLVED", 1 },
	{ "resolve and trigger of one second", "r10=nothing t10=opens", "OPEN", 2 },
	{ "flapping within one second", "t10=opens r10=resolves t10=opens r10=resolves", "RESOLVED", 3 },
	{ "acknowledge and resolve of one second", "t10=opens a10=acks r10=resolves", "RESOLVED", 1 },

	/* repeats: Alertmanager's reminder bears the time of the first trigger */
	{ "reminder joins", "t10=opens t10=joins t10=joins", "OPEN", 1 },
	{ "reminder after the sender's resolve", "t10=opens r20=resolves t10=nothing", "RESOLVED", 1 },
	{ "reminder after a person's resolve reopens", "t10=opens R=ok t10=reopens", "OPEN", 1 },
	{ "reminder after the system's resolve reopens", "t10=opens S=ok t10=reopens", "OPEN", 1 },
	{ "reopening raises", "t10/2=opens R=ok t10/4=reopens+", "OPEN", 1 },
	{ "reopening does not lower", "t10/4=opens R=ok t10/1=reopens", "OPEN", 1 },
	{ "old trigger behind barrier and person", "t10=opens r20=resolves t30=opens R=ok t15=nothing", "RESOLVED", 3 },
	{ "sender confirms a person's resolve", "t10=opens R=ok r20=nothing t30=opens", "OPEN", 4 },
	{ "sender confirms the system's resolve", "t10=opens S=ok r20=nothing t30=opens", "OPEN", 4 },
	{ "a late resolve confirms nothing", "t30=opens R=ok r20=nothing t30=reopens", "OPEN", 1 },
	{ "sender resolves what it reopened", "t10=opens R=ok t10=reopens r20=resolves t30=opens", "OPEN", 5 },

	/* commands */
	{ "person acknowledges and resolves", "t10=opens A=ok R=ok", "RESOLVED", 1 },
	{ "acknowledge twice is a conflict", "t10=opens A=ok A=conflict", "ACKNOWLEDGED", 1 },
	{ "resolve twice is a conflict", "t10=opens R=ok R=conflict S=conflict", "RESOLVED", 1 },
	{ "acknowledge of a resolved one", "t10=opens R=ok A=conflict", "RESOLVED", 1 },
	{ "reopen needs a resolved one", "t10=opens O=conflict A=ok O=conflict", "ACKNOWLEDGED", 1 },
	{ "commands on nothing", "A=conflict R=conflict O=conflict S=conflict", "", 0 },
	{ "person reopens what the sender closed", "t10=opens r20=resolves O=ok t30=joins", "OPEN", 1 },
	{ "and resolves it", "t10=opens r20=resolves O=ok R=ok t30=reopens", "OPEN", 1 },

	/* no time: that of receipt, here 1000 and on */
	{ "trigger without time", "t-=opens r-=resolves t-=opens", "OPEN", 3 },
	{ "resolve without time bars older triggers", "t-=opens r-=resolves t900=nothing", "RESOLVED", 1 },

	/* a clock that is ahead must not bar the key until its time has come */
	{ "resolve from the future", "t9000=opens r9999=resolves t-=opens r-=resolves", "RESOLVED", 3 },
	{ "trigger from the future", "t9999=opens r-=resolves", "RESOLVED", 1 },
};

static const char *const acts[] = { "nothing", "opens", "joins", "reopens", "acks", "resolves" };

static const char letters[] = "itar";	/* in the order of enum action */

static struct event event_of(struct str *step)
{
	struct event ev = { .action = strchr(letters, *step->p) - letters, .level = LEVEL_MEDIUM };
	struct str time = *step;
	ptrdiff_t slash = str_find(time, '/');
	uint64_t n;

	if (slash >= 0) {
		ck_assert(str_u64(str_sub(time, slash + 1), &n));
		ev.level = n;
		time.n = slash;
	}
	if (str_u64(str_sub(time, 1), &n))
		ev.occurred_at = n;
	return ev;
}

static bool command_of(char letter, struct key_state *state)
{
	static const char commands[] = "ARO";	/* in the order of enum incident_command */

	if (letter == 'S')
		return incident_command(state, COMMAND_RESOLVE, ACTOR_SYSTEM);
	return incident_command(state, strchr(commands, letter) - commands, ACTOR_PERSON);
}

static void take_step(struct key_state *state, struct str step, struct str expect, unsigned number, const char *name)
{
	char got[32];

	if (*step.p < 'a') {
		snprintf(got, sizeof(got), "%s", command_of(*step.p, state) ? "ok" : "conflict");
	} else {
		struct event ev = event_of(&step);
		struct incident_change c = incident_decide(state, &ev, STORY_CLOCK + number, STORY_CLOCK + number, number);

		snprintf(got, sizeof(got), "%s%s", acts[c.act], c.raised ? "+" : "");
		ck_assert_msg(c.alert == (c.act >= INCIDENT_OPENS && c.act <= INCIDENT_REOPENS), "%s: alert", name);
	}
	ck_assert_msg(str_eqs(expect, got), "%s: step %u: got %s, expected %.*s", name, number, got, STR_ARG(expect));
}

START_TEST(test_story)
{
	const struct story *s = &stories[_i];
	struct key_state state = { 0 };
	struct str rest = str_of(s->steps), step;
	unsigned number = 0;

	while ((step = str_word(&rest)).n) {
		struct str what = str_until(&step, '=');

		take_step(&state, what, step, ++number, s->name);
	}
	ck_assert_str_eq(incident_status_word(state.status), s->status);
	ck_assert_uint_eq(state.incident, s->incident);
}
END_TEST

/* The key of 1 was merged into that of 2, by a person: small letters as above, at that key; the level of 2 afterwards. */
static const struct merged {
	const char *name, *steps;
	unsigned level;
	enum actor resolved_by;		/* of 1, in the end */
} merges[] = {
	{ "trigger joins the other", "t30=joins", 2, ACTOR_PERSON },
	{ "and raises it", "t30/4=joins+ t31/3=joins", 4, ACTOR_PERSON },
	{ "the sender's resolve leaves the other open", "t30=joins r40=nothing", 2, ACTOR_SENDER },
	{ "and bars what came before it", "r40=nothing t30=nothing t41=joins", 2, ACTOR_SENDER },
	{ "a late resolve says nothing", "t30=joins r20=nothing t30=joins", 2, ACTOR_PERSON },
	{ "acknowledging is about what is over", "t30=joins a31=nothing", 2, ACTOR_PERSON },
	{ "a clock that was wrong is no barrier", "r9000000=nothing t30=nothing t-=joins", 2, ACTOR_SENDER },
};

START_TEST(test_merged)
{
	const struct merged *m = &merges[_i];
	struct key_state own = { .incident = 1, .status = INCIDENT_RESOLVED, .level = LEVEL_LOW, .resolved_by = ACTOR_PERSON, .triggered_at = 10 };
	struct key_state target = { .incident = 2, .status = INCIDENT_ACKNOWLEDGED, .level = LEVEL_MEDIUM, .triggered_at = 5, .sender_resolved_at = 1 };
	struct str rest = str_of(m->steps), step;
	char got[32];

	for (unsigned number = 0; (step = str_word(&rest)).n; number++) {
		struct str what = str_until(&step, '=');
		struct event ev = event_of(&what);
		struct incident_change c = incident_decide_merged(&own, &target, &ev, STORY_CLOCK + number, STORY_CLOCK + number);

		snprintf(got, sizeof(got), "%s%s", acts[c.act], c.raised ? "+" : "");
		ck_assert_msg(str_eqs(step, got), "%s: step %u: got %s, expected %.*s", m->name, number, got, STR_ARG(step));
		ck_assert_int_eq(c.alert, c.act == INCIDENT_JOINS);
	}
	ck_assert_uint_eq(target.level, m->level);
	ck_assert_msg(target.status == INCIDENT_ACKNOWLEDGED && target.triggered_at == 5 && target.sender_resolved_at == 1, "%s: the other keeps its times", m->name);
	ck_assert_msg(own.incident == 1 && own.status == INCIDENT_RESOLVED && own.level == LEVEL_LOW, "%s: and this one stays as it is", m->name);
	ck_assert_int_eq(own.resolved_by, m->resolved_by);
}
END_TEST

START_TEST(test_order)
{
	struct event first = { .occurred_at = 5 }, later = { .occurred_at = 7 }, none = { 0 };

	ck_assert_int_lt(incident_order(&first, 9, &later, 9), 0);
	ck_assert_int_gt(incident_order(&later, 9, &first, 9), 0);
	ck_assert_int_eq(incident_order(&later, 9, &later, 9), 0);
	ck_assert_int_lt(incident_order(&later, 9, &none, 9), 0);
	ck_assert_int_gt(incident_order(&none, 9, &first, 9), 0);
	ck_assert_int_eq(incident_order(&none, 9, &none, 9), 0);
	ck_assert_int_lt(incident_order(&none, 6, &later, 9), 0);	/* out of the spool it was received before */
	ck_assert_int_gt(incident_order(&none, 6, &first, 9), 0);
}
END_TEST

/* ---- properties over random histories: a seed per loop, so that a failure can be run again --- */

#define HISTORY 7

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static void random_history(struct event *events, unsigned *seed)
{
	for (int i = 0; i < HISTORY; i++)
		events[i] = (struct event){ .action = ACTION_TRIGGER + next_random(seed) % 3,
			.level = next_random(seed) % 5, .occurred_at = 10 * (i + 1) };
}

static void shuffle(struct event *events, unsigned *seed)
{
	for (int i = HISTORY - 1; i > 0; i--) {
		int j = next_random(seed) % (i + 1);
		struct event kept = events[i];

		events[i] = events[j];
		events[j] = kept;
	}
}

/* Insertion sort: stable, as incident_order asks. */
static void sort_events(struct event *events)
{
	for (int i = 1; i < HISTORY; i++)
		for (int j = i; j > 0 && incident_order(&events[j - 1], STORY_CLOCK, &events[j], STORY_CLOCK) > 0; j--) {
			struct event kept = events[j];

			events[j] = events[j - 1];
			events[j - 1] = kept;
		}
}

static struct key_state fold(const struct event *events)
{
	struct key_state state = { 0 };

	for (int i = 0; i < HISTORY; i++)
		(void)incident_decide(&state, &events[i], STORY_CLOCK, STORY_CLOCK, 1 + i);
	return state;
}

START_TEST(test_sorted_batch_has_one_end)
{
	struct event events[HISTORY];
	unsigned seed = _i;
	struct key_state want, got;

	random_history(events, &seed);
	want = fold(events);
	shuffle(events, &seed);
	sort_events(events);
	got = fold(events);
	ck_assert_uint_eq(got.incident, want.incident);
	ck_assert_int_eq(got.status, want.status);
	ck_assert_int_eq(got.level, want.level);
	ck_assert_int_eq(got.resolved_by, want.resolved_by);
	ck_assert_int_eq(got.triggered_at, want.triggered_at);
	ck_assert_int_eq(got.sender_resolved_at, want.sender_resolved_at);
}
END_TEST

/* Even without sorting, one at a time: trouble is open in the end exactly if the newest trigger is
 * newer than the newest resolve. */
START_TEST(test_any_arrival_has_one_verdict)
{
	struct event events[HISTORY];
	unsigned seed = _i;
	ms_t trigger = 0, resolve = 0;
	struct key_state got;

	random_history(events, &seed);
	shuffle(events, &seed);
	for (int i = 0; i < HISTORY; i++) {
		if (events[i].action == ACTION_TRIGGER && events[i].occurred_at > trigger)
			trigger = events[i].occurred_at;
		if (events[i].action == ACTION_RESOLVE && events[i].occurred_at > resolve)
			resolve = events[i].occurred_at;
	}
	got = fold(events);
	ck_assert_int_eq(got.status == INCIDENT_OPEN || got.status == INCIDENT_ACKNOWLEDGED, trigger > resolve);
	ck_assert_int_eq(got.sender_resolved_at, resolve);
}
END_TEST

static struct incident_change at_hour(struct key_state *state, enum action action, ms_t hour)
{
	const struct event ev = { .action = action, .level = LEVEL_HIGH };

	return incident_decide(state, &ev, hour * MS_PER_HOUR, hour * MS_PER_HOUR, (uint64_t)hour);
}

/* What was received an hour ago and is decided now, after newer messages: they are no future, and still count. */
START_TEST(test_late_from_the_spool)
{
	const struct event resolve = { .action = ACTION_RESOLVE }, trigger = { .action = ACTION_TRIGGER, .level = LEVEL_HIGH };
	struct key_state state = { 0 };

	ck_assert_int_eq(at_hour(&state, ACTION_TRIGGER, 10).act, INCIDENT_OPENS);
	ck_assert_int_eq(incident_decide(&state, &resolve, 9 * MS_PER_HOUR, 10 * MS_PER_HOUR, 1).act, INCIDENT_NOTHING);
	ck_assert_int_eq(state.status, INCIDENT_OPEN);
	ck_assert_int_eq(at_hour(&state, ACTION_RESOLVE, 11).act, INCIDENT_RESOLVES);
	ck_assert_int_eq(incident_decide(&state, &trigger, 9 * MS_PER_HOUR, 11 * MS_PER_HOUR, 2).act, INCIDENT_NOTHING);
	ck_assert_int_eq(state.status, INCIDENT_RESOLVED);
}
END_TEST

/* The clock stood a day ahead for a while: what was written then is no barrier when it is right again. */
START_TEST(test_clock_that_was_set_back)
{
	struct key_state state = { 0 };

	ck_assert_int_eq(at_hour(&state, ACTION_TRIGGER, 25).act, INCIDENT_OPENS);
	ck_assert_int_eq(at_hour(&state, ACTION_RESOLVE, 1).act, INCIDENT_RESOLVES);
	ck_assert_int_eq(at_hour(&state, ACTION_TRIGGER, 26).act, INCIDENT_OPENS);
	ck_assert_int_eq(at_hour(&state, ACTION_RESOLVE, 26).act, INCIDENT_RESOLVES);
	ck_assert_int_eq(at_hour(&state, ACTION_TRIGGER, 2).act, INCIDENT_OPENS);
}
END_TEST

START_TEST(test_words)
{
	enum incident_status s = INCIDENT_NONE;

	ck_assert_str_eq(incident_status_word(INCIDENT_NONE), "");
	ck_assert(incident_status_parse(STR("acknowledged"), &s));
	ck_assert_int_eq(s, INCIDENT_ACKNOWLEDGED);
	ck_assert(incident_status_parse(STR("RESOLVED"), &s));
	ck_assert_int_eq(s, INCIDENT_RESOLVED);
	ck_assert(!incident_status_parse(STR("closed"), &s));
	ck_assert(!incident_status_parse(STR(""), &s));
	ck_assert_int_eq(s, INCIDENT_RESOLVED);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("incident");
	TCase *t = tcase_create("decide");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, test_story, 0, ARRAY_SIZE(stories));
	tcase_add_loop_test(t, test_merged, 0, ARRAY_SIZE(merges));
	tcase_add_test(t, test_order);
	tcase_add_loop_test(t, test_sorted_batch_has_one_end, 0, 2000);
	tcase_add_loop_test(t, test_any_arrival_has_one_verdict, 0, 2000);
	tcase_add_test(t, test_late_from_the_spool);
	tcase_add_test(t, test_clock_that_was_set_back);
	tcase_add_test(t, test_words);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
