/* Escalation, told as little stories, and then a crowd of people who do anything in any order.
 *
 * A policy is "5,10*1": delays of its steps in minutes, and how often it is repeated. A story is what is seen minute by minute: "0:1" step 1 is taken at
 * minute 0, "30:end" nobody took care, "7:stop" somebody did. Marks of a step: '-' it reached nobody. What happens meanwhile is told
 * beside: "A7" acknowledged at minute 7, "S3/20" snoozed at 3 until 20, "W9" woken at 9, "H2" held back, "R8" released, "C5-60" the clock is set back
 * by 60 minutes after 5. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grapnel/incident.h"

#define START ((ms_t)1780000000000)
#define SEEN_MAX 512

static struct escalation_plan plan_of(const char *text)
{
	struct escalation_plan p = { 0 };
	char *end;

	do {
		p.delay_ms[p.n++] = (ms_t)strtol(text, &end, 10) * MS_PER_MINUTE;
		text = end + 1;
	} while (*end == ',');
	if (*end == '*')
		p.repeats = (uint64_t)strtol(text, NULL, 10);
	return p;
}

static const struct story {
	const char *name, *plan, *unreached, *acts, *seen;	/* unreached: digits of steps that reach nobody */
} stories[] = {
	{ "each step after the delay of the one before", "5,10,15", "", "", "0:1 5:2 15:3 30:end " },
	{ "once more", "5,10*1", "", "", "0:1 5:2 15:1 20:2 30:end " },
	{ "a step that reaches nobody is followed at once", "5,10,15", "2", "", "0:1 5:2- 5:3 20:end " },
	{ "the first, too", "5,10", "1", "", "0:1- 0:2 10:end " },
	{ "the last one ends it at once", "5,10", "2", "", "0:1 5:2- 5:end " },
	{ "between rounds its delay passes", "5,10*1", "2", "", "0:1 5:2- 15:1 20:2- 20:end " },
	{ "nobody at all", "5,10*1", "12", "", "0:1- 0:2-! 10:1- 10:2-! 10:end " },
	{ "acknowledged", "5,10", "", "A7", "0:1 5:2 7:stop " },
	{ "resolved before the first look", "5,10", "", "A0", "0:stop " },
	{ "a snooze waits to its end", "5,10", "", "S3/20", "0:1 20:2 30:end " },
	{ "a snooze that ends before the step is due", "5,10", "", "S1/3", "0:1 5:2 15:end " },
	{ "woken early", "5,10", "", "S3/20 W9", "0:1 9:2 19:end " },
	{ "woken before anything was due", "5,10", "", "S1/20 W3", "0:1 5:2 15:end " },
	{ "held back and released", "5,10", "", "H2 R9", "0:1 9:2 19:end " },
	{ "held back at its begin", "5,10", "", "H0 R3", "3:1 8:2 18:end " },
	{ "a clock that is set back stalls nothing", "5,10", "", "C2-600", "0:1 -597:2 -587:end " },
	{ "a clock that jumps ahead skips nothing", "5,10", "", "C2+600", "0:1 603:2 613:end " },
	{ "a minute is no wrong clock", "5,10", "", "C2-1", "0:1 5:2 15:end " },
};

struct world {
	enum incident_status status;
	bool held;
	ms_t snoozed_until, shift;
};

/* What people do in that minute of theirs. */
static void act(const char *acts, long minute, struct world *w, struct escalation *x, ms_t now)
{
	while (*acts) {
		char what = *acts, *end;
		long at = strtol(acts + 1, &end, 10), more = 0;

		if (*end == '/')
			more = strtol(end + 1, &end, 10);
		else if (*end == '-' || *end == '+')
			more = strtol(end, &end, 10);
		acts = *end ? end + 1 : end;
		if (at != minute)
			continue;
		if (what == 'A')
			w->status = INCIDENT_ACKNOWLEDGED;
		if (what == 'S')
			w->snoozed_until = START + more * MS_PER_MINUTE;
		if (what == 'H')
			w->held = true;
		if (what == 'C')
			w->shift += more * MS_PER_MINUTE;
		if (what == 'W' || what == 'R') {
			w->held = false;
			w->snoozed_until = 0;
			escalation_wake(x, now);
		}
	}
}

/* False: it is over. */
static bool look(const struct story *s, const struct escalation_plan *p, const struct world *w, struct escalation *x, ms_t now, char *seen)
{
	for (;;) {
		long minute = (long)((now - START) / MS_PER_MINUTE);
		size_t n = strlen(seen);
		uint64_t step = x->step;
		bool reached;

		switch (escalation_look(p, x, w->status, w->held, w->snoozed_until, now)) {
		case ESCALATION_WAITS:
			return true;
		case ESCALATION_STOPS:
			snprintf(seen + n, SEEN_MAX - n, "%ld:stop ", minute);
			return false;
		case ESCALATION_ENDS:
			snprintf(seen + n, SEEN_MAX - n, "%ld:end ", minute);
			return false;
		case ESCALATION_STEPS:
			step = x->step;
			reached = !strchr(s->unreached, (int)('1' + step));
			n += (size_t)snprintf(seen + n, SEEN_MAX - n, "%ld:%u%s", minute, (unsigned)step + 1, reached ? "" : "-");
			snprintf(seen + n, SEEN_MAX - n, "%s ", escalation_took(p, x, reached, now) ? "!" : "");
		}
	}
}

START_TEST(test_story)
{
	const struct story *s = &stories[_i];
	struct escalation_plan p = plan_of(s->plan);
	struct world w = { .status = INCIDENT_OPEN };
	struct escalation x;
	char seen[SEEN_MAX] = "";
	bool on = true;

	escalation_begin(&x, START);
	for (long minute = 0; on && minute < 2000; minute++) {
		ms_t now = START + minute * MS_PER_MINUTE + w.shift;

		act(s->acts, minute, &w, &x, now);
		on = look(s, &p, &w, &x, now, seen);
	}
	ck_assert_msg(!strcmp(seen, s->seen), "%s: \"%s\", not \"%s\"", s->name, seen, s->seen);
}
END_TEST

/* ---- quiet hours ---- */

static const struct {
	const char *zone, *now, *end;	/* end NULL: there are none now */
	uint64_t from, to;
} quiet_rows[] = {
	{ "UTC", "2026-06-01T21:59:59Z", NULL, 22 * 60, 7 * 60 },
	{ "UTC", "2026-06-01T22:00:00Z", "2026-06-02T07:00:00.000Z", 22 * 60, 7 * 60 },
	{ "UTC", "2026-06-02T06:59:59Z", "2026-06-02T07:00:00.000Z", 22 * 60, 7 * 60 },
	{ "UTC", "2026-06-02T07:00:00Z", NULL, 22 * 60, 7 * 60 },
	{ "UTC", "2026-06-02T13:30:00Z", "2026-06-02T14:00:00.000Z", 13 * 60, 14 * 60 },
	{ "UTC", "2026-06-02T14:00:00Z", NULL, 13 * 60, 14 * 60 },
	{ "Europe/Berlin", "2026-06-01T20:30:00Z", "2026-06-02T05:00:00.000Z", 22 * 60, 7 * 60 },
	{ "Europe/Berlin", "2026-10-24T21:00:00Z", "2026-10-25T06:00:00.000Z", 22 * 60, 7 * 60 },	/* that night has 25 hours */
	{ "Europe/Berlin", "2026-03-28T22:00:00Z", "2026-03-29T05:00:00.000Z", 22 * 60, 7 * 60 },	/* and that one 23 */
	{ "America/New_York", "2026-01-01T04:00:00Z", "2026-01-01T12:00:00.000Z", 22 * 60, 7 * 60 },
};

START_TEST(test_quiet_hours)
{
	struct arena *a = arena_new(1 << 20);
	struct quiet_hours q = { .on = true, .from_min = quiet_rows[_i].from, .to_min = quiet_rows[_i].to,
		.zone = zone_read(a, str_of(quiet_rows[_i].zone)) };
	char text[TIME_TEXT];
	ms_t now, end;

	ck_assert(time_parse(str_of(quiet_rows[_i].now), &now));
	end = quiet_until(&q, now);
	if (quiet_rows[_i].end)
		ck_assert_str_eq(time_format(end, text), quiet_rows[_i].end);
	else
		ck_assert_int_eq(end, 0);
	q.on = false;
	ck_assert_int_eq(quiet_until(&q, now), 0);
	arena_free(a);
}
END_TEST

/* ---- anything, in any order ---- */

static uint32_t dice_state;
static unsigned dice(unsigned sides)
{
	dice_state = dice_state * 1664525u + 1013904223u;
	return (dice_state >> 8) % sides;
}

struct crowd {
	struct escalation_plan p;
	struct world w;
	struct escalation x;
	bool runs;			/* there is a row */
	ms_t now;
};

static void somebody_does(struct crowd *c)
{
	struct world *w = &c->w;

	switch (dice(8)) {
	case 0:
		w->status = INCIDENT_ACKNOWLEDGED;
		break;
	case 1:
		w->status = INCIDENT_RESOLVED;
		w->snoozed_until = 0;
		break;
	case 2:		/* reopened: it begins anew */
		w->status = INCIDENT_OPEN;
		c->runs = true;
		escalation_begin(&c->x, c->now);
		break;
	case 3:
		w->snoozed_until = c->now + dice(90) * MS_PER_MINUTE;
		break;
	case 4:
		w->snoozed_until = 0;
		escalation_wake(&c->x, c->now);
		break;
	case 5:
		w->held = !w->held;
		if (!w->held)
			escalation_wake(&c->x, c->now);
		break;
	case 6:
		c->now += (ms_t)dice(600) * MS_PER_MINUTE - 300 * MS_PER_MINUTE;
		break;
	case 7:		/* somebody changes the policy */
		c->p.n = dice(ESCALATION_STEPS_MAX + 1);
		c->p.repeats = dice(3);
		for (size_t i = 0; i < c->p.n; i++)
			c->p.delay_ms[i] = (1 + dice(30)) * MS_PER_MINUTE;
	}
}

/* True: something was done, or it is over. */
static bool engine_looks(struct crowd *c)
{
	unsigned turns = 0;
	bool done = false;

	for (; c->runs; turns++) {
		ck_assert_uint_le(turns, (ESCALATION_STEPS_MAX + 1) * (ESCALATION_REPEATS_MAX + 1));	/* never a ring */
		switch (escalation_look(&c->p, &c->x, c->w.status, c->w.held, c->w.snoozed_until, c->now)) {
		case ESCALATION_WAITS:
			ck_assert_int_ge(c->x.next_at, c->now);
			return done;
		case ESCALATION_STEPS:
			ck_assert_int_eq(c->w.status, INCIDENT_OPEN);
			ck_assert(!c->w.held && c->w.snoozed_until <= c->now);
			ck_assert_uint_lt(c->x.step, c->p.n);
			(void)escalation_took(&c->p, &c->x, dice(3) > 0, c->now);
			done = true;
			break;
		default:
			c->runs = false;
		}
	}
	return true;
}

START_TEST(test_no_order_of_acts_stalls_it)
{
	struct crowd c = { .w = { .status = INCIDENT_OPEN }, .runs = true, .now = START };

	dice_state = (uint32_t)_i * 7919 + 1;
	c.p = plan_of("5,10*1");
	escalation_begin(&c.x, c.now);
	for (unsigned i = 0; i < 300; i++) {
		somebody_does(&c);
		(void)engine_looks(&c);
		c.now += dice(10) * MS_PER_MINUTE;
	}
	/* Everybody goes home; the incident is open and nothing holds it. */
	c.w = (struct world){ .status = INCIDENT_OPEN };
	escalation_wake(&c.x, c.now);
	for (unsigned minute = 0; c.runs && minute <= 35 * ESCALATION_STEPS_MAX * 4; minute++) {
		ms_t quiet_since = c.now;

		while (c.runs && !engine_looks(&c)) {
			c.now += MS_PER_MINUTE;
			ck_assert_int_le(c.now - quiet_since, 92 * MS_PER_MINUTE);	/* the longest snooze and a minute or two */
		}
	}
	ck_assert(!c.runs);
}
END_TEST

/* ---- what is shown of it ---- */

static const struct {
	const char *plan;
	uint64_t step, round, next_step, next_round;
	bool more;
} nexts[] = {
	{ "5,10*1", 0, 0, 0, 0, true }, { "5,10*1", 1, 0, 1, 0, true }, { "5,10*1", 0, 1, 0, 1, true }, { "5,10*1", 0, 2, 0, 0, false },
	{ "5*1", 3, 0, 0, 1, true },	/* steps were taken out of the policy meanwhile */
	{ "5", 3, 0, 0, 0, false }, { "5,10", 0, 1, 0, 0, false },
};

START_TEST(test_next)
{
	const struct escalation x = { .step = nexts[_i].step, .round = nexts[_i].round };
	struct escalation_plan p = plan_of(nexts[_i].plan), none = { 0 };
	uint64_t step = 0, round = 0;

	ck_assert(escalation_next(&p, &x, &step, &round) == nexts[_i].more);
	ck_assert_uint_eq(step, nexts[_i].next_step);
	ck_assert_uint_eq(round, nexts[_i].next_round);
	ck_assert_uint_eq(x.step, nexts[_i].step);
	ck_assert(!escalation_next(&none, &x, &step, &round));
}
END_TEST

START_TEST(test_whether_anybody_was_reached_outlives_a_round)
{
	struct escalation_plan p = plan_of("5,10*1");
	struct escalation x;

	escalation_begin(&x, START);
	ck_assert(!escalation_took(&p, &x, false, START));
	ck_assert(!x.reached_ever);
	ck_assert(!escalation_took(&p, &x, true, START));
	ck_assert(x.reached_ever && !x.reached);
	escalation_begin(&x, START);
	ck_assert(!x.reached_ever);
}
END_TEST

START_TEST(test_words_of_its_end)
{
	ck_assert_ptr_null(escalation_end_word(ESCALATION_GOES_ON));
	for (int i = ESCALATION_ACKNOWLEDGED; i <= ESCALATION_DELETED; i++)
		ck_assert_ptr_nonnull(escalation_end_word((enum escalation_end)i));
	ck_assert_ptr_null(escalation_end_word((enum escalation_end)(ESCALATION_DELETED + 1)));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("escalation");
	TCase *t = tcase_create("stories");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, test_story, 0, (int)ARRAY_SIZE(stories));
	tcase_add_loop_test(t, test_quiet_hours, 0, (int)ARRAY_SIZE(quiet_rows));
	tcase_add_loop_test(t, test_no_order_of_acts_stalls_it, 0, 200);
	tcase_add_loop_test(t, test_next, 0, (int)ARRAY_SIZE(nexts));
	tcase_add_test(t, test_whether_anybody_was_reached_outlives_a_round);
	tcase_add_test(t, test_words_of_its_end);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
