/* When a job is due, whatever clocks did and however its last run ended. */
#include "unit.h"

#include "src/job/job_int.h"

#define NOW 1800000000000LL	/* 2027-01-15T08:00:00Z */
#define AGO(ms) (NOW - (ms))
#define MIN MS_PER_MINUTE

static ms_t utc(ms_t t)
{
	return 0;
}

static const struct {
	struct schedule s;
	struct job_state state;
	ms_t now;
	bool due;
	const char *why;
} rows[] = {
	{ { .every_min = 1 }, { .last_ok = false }, NOW, true, "never run" },
	{ { .at_min = 120 }, { .last_ok = false }, NOW, true, "never run" },
	{ { .every_min = 1 }, { .last_started_at = NOW + 200, .last_finished_at = NOW + 300, .last_ok = true }, NOW + 30000, false, "ran this minute" },
	{ { .every_min = 1 }, { .last_started_at = AGO(57000), .last_finished_at = AGO(56000), .last_ok = true }, NOW + 100, true,
		"the run of the minute before began 3 s late, this one on time" },
	{ { .every_min = 10 }, { .last_started_at = AGO(9 * MIN), .last_finished_at = AGO(9 * MIN), .last_ok = true }, NOW, true, "" },
	{ { .every_min = 10 }, { .last_started_at = NOW, .last_finished_at = NOW, .last_ok = true }, NOW + 10 * MIN - 1, false, "" },
	{ { .at_min = 120 }, { .last_started_at = AGO(6 * 60 * MIN), .last_finished_at = AGO(5 * MIN), .last_ok = true }, NOW, false,
		"ran at 02:00, it is 08:00" },
	{ { .at_min = 120 }, { .last_started_at = AGO(6 * 60 * MIN + 1), .last_finished_at = AGO(5 * MIN), .last_ok = true }, NOW, true,
		"ran just before 02:00" },
	/* clocks that were wrong */
	{ { .every_min = 1 }, { .last_started_at = NOW + 40000, .last_ok = true, .last_finished_at = NOW + 41000 }, NOW, false,
		"another host's clock is 40 s ahead" },
	{ { .every_min = 1 }, { .last_started_at = NOW + 61000, .last_ok = true, .last_finished_at = NOW + 62000 }, NOW, true, "a year ahead, or a minute" },
	{ { .at_min = 120 }, { .last_started_at = NOW + 60 * 60 * MIN, .last_ok = true, .last_finished_at = NOW + 60 * 60 * MIN }, NOW, true, "" },
	{ { .at_min = 120 }, { .last_started_at = NOW + 60 * MIN, .last_ok = true, .last_finished_at = NOW + 60 * MIN }, NOW, false,
		"set back an hour: tomorrow is soon enough" },
	/* how it ended */
	{ { .at_min = 120 }, { .last_started_at = AGO(MIN), .last_finished_at = AGO(10), .last_ok = true, .unfinished = true }, NOW, true, "its time was up" },
	{ { .at_min = 120 }, { .last_started_at = AGO(MIN), .last_finished_at = AGO(24 * 60 * MIN), .last_ok = true, .unfinished = true }, NOW, true, "killed" },
	{ { .at_min = 120 }, { .last_started_at = AGO(MIN), .unfinished = true }, NOW, true, "killed in its first run" },
	{ { .at_min = 120 }, { .last_started_at = AGO(2 * MIN), .last_finished_at = AGO(MIN), .unfinished = true }, NOW, false, "failed a minute ago" },
	{ { .at_min = 120 }, { .last_started_at = AGO(12 * MIN), .last_finished_at = AGO(10 * MIN), .unfinished = true }, NOW, true, "failed ten minutes ago" },
	{ { .every_min = 1 }, { .last_started_at = AGO(2 * MIN), .last_finished_at = AGO(MIN), .unfinished = true }, NOW, true, "failed, and its minute is there" },
};

START_TEST(test_due)
{
	ck_assert_msg(job_is_due(&rows[_i].s, utc, &rows[_i].state, rows[_i].now) == rows[_i].due, "row %d: %s", _i, rows[_i].why);
}
END_TEST

static const struct {
	const char *name;
	enum err_code code;
} named[] = {
	{ "spool-drain", ERR_NONE }, { "spool-drain@7", ERR_NONE }, { "spool-drain@9999", ERR_CONFLICT }, { "spool-drain@", ERR_NOT_FOUND },
	{ "spool-drain@x", ERR_NOT_FOUND }, { "cleanup", ERR_NONE }, { "cleanup@7", ERR_NOT_FOUND }, { "nosuch", ERR_NOT_FOUND }, { "@7", ERR_NOT_FOUND },
};

START_TEST(test_jobs_of_this_host_by_their_names)
{
	struct err e = { 0 };

	ck_assert_msg((job_here(str_of(named[_i].name), 7, &e) == NULL) == (named[_i].code != ERR_NONE), "%s", named[_i].name);
	ck_assert_msg(e.code == named[_i].code && e.told == (e.code != ERR_NONE), "%s: %s", named[_i].name, e.text);
}
END_TEST

START_TEST(test_table)
{
	struct arena *a = arena_new(4096);
	size_t n;
	const struct job_facts *facts = job_facts_all(a, &n);

	ck_assert_uint_gt(n, 0);
	for (size_t i = 0; i < n; i++) {
		ck_assert_ptr_eq(job_find(str_of(facts[i].name)), jobs[i]);
		ck_assert_msg(strcmp(facts[i].name, JOB_CRON) != 0, "the row of cron itself");
		ck_assert_msg(facts[i].schedule.every_min || facts[i].schedule.at_min < 24 * 60, "%s", facts[i].name);
	}
	ck_assert_ptr_null(job_find(STR("nosuch")));
	arena_free(a);
}
END_TEST

/* Once each night, whatever the clocks of Europe do in it: of 29 March 2026 there is no 02:00, of 25 October there are two. */
static const ms_t midnights[] = { 1774652400000LL, 1792792800000LL, 1784930400000LL };	/* of Berlin: 28 March, 24 October, 25 July */

START_TEST(test_daily_where_clocks_change)
{
	static const struct schedule at_two = { .at_min = 120 };
	struct job_state s = { .last_ok = true, .last_started_at = midnights[_i] - 22 * 60 * MIN, .last_finished_at = midnights[_i] - 22 * 60 * MIN };
	int runs = 0;

	if (!zone_exists("Europe/Berlin"))
		return;
	zone_set("Europe/Berlin");
	for (ms_t t = midnights[_i]; t < midnights[_i] + 3 * MS_PER_DAY; t += MIN)
		if (job_is_due(&at_two, zone_offset, &s, t)) {
			runs++;
			s.last_started_at = s.last_finished_at = t;
		}
	zone_set("UTC");
	ck_assert_int_eq(runs, 3);
}
END_TEST

/* ---- whose turn it is ---- */

static const struct {
	struct job_state state;
	int place;		/* that it gets */
	const char *why;
} turns[] = {
	{ { .last_started_at = AGO(60000) }, 3, "ran a minute ago" },
	{ { .last_started_at = AGO(300000) }, 2, "waits for five" },
	{ { .last_started_at = AGO(60000), .unfinished = true }, 6, "its time was up" },
	{ { .last_started_at = AGO(90000), .unfinished = true }, 5, "did not even get a turn since" },
	{ { .last_started_at = AGO(60000) }, 4, "as the first: the table's order" },
	{ { .last_ok = false }, 0, "never" },
	{ { .last_ok = false }, 1, "never" },
};

START_TEST(test_order)
{
	struct job_turn t[ARRAY_SIZE(turns)];

	for (size_t i = 0; i < ARRAY_SIZE(turns); i++)
		t[i] = (struct job_turn){ .state = turns[i].state, .number = (int)i };
	jobs_order(t, ARRAY_SIZE(turns));
	for (size_t i = 0; i < ARRAY_SIZE(turns); i++)
		ck_assert_msg(turns[t[i].number].place == (int)i, "row %d is at %zu: %s", t[i].number, i, turns[t[i].number].why);
	ck_assert_int_eq(jobs_share(50000, t + 1, ARRAY_SIZE(turns) - 1), 50000 / 3);
	ck_assert_int_eq(jobs_share(30000, t + 6, 1), 15000);
	ck_assert_int_eq(jobs_share(30000, t, 0), 30000);
	ck_assert_int_eq(jobs_share(30000, t, 4), 30000);
	jobs_order(t, 0);
}
END_TEST

/* ---- may this clock say what is old? ---- */

#define DAY MS_PER_DAY

static const struct {
	struct clock_facts f;		/* without numbers */
	ms_t newest, trusted;		/* their times */
	const char *why;	/* NULL: it may */
} clocks[] = {
	{ { .db_now = NOW }, 0, 0, NULL },
	{ { .db_now = NOW + 5 * MIN }, NOW + DAY, 0, NULL },
	{ { .db_now = NOW + 5 * MIN + 1 }, 0, 0, "this host's clock says 2027-01-15 08:00 UTC, the database's 2027-01-15 08:05" },
	{ { .db_now = NOW - 366 * DAY }, 0, 0, "the database's 2026-01-14 08:00; one of them is wrong" },
	{ { .db_now = NOW }, NOW + DAY + 1, 0, "the newest request is from 2027-01-16 08:00" },
	{ { .db_now = NOW }, NOW + 400 * DAY, NOW + 400 * DAY, NULL },
	{ { .db_now = NOW }, NOW + 401 * DAY, NOW + 400 * DAY, "is the clock right" },
	{ { .db_now = NOW, .leapt_at = NOW }, 0, 0, "nothing is removed until 2027-01-16 08:00 UTC: the clock leapt" },
	{ { .db_now = NOW, .leapt_at = AGO(DAY) + 1 }, 0, 0, "the clock leapt" },
	{ { .db_now = NOW, .leapt_at = AGO(DAY) }, 0, 0, NULL },
	{ { .db_now = NOW, .leapt_at = NOW + 1 }, 0, 0, NULL },		/* and was set back since */
};

START_TEST(test_clock)
{
	struct clock_facts f = clocks[_i].f;
	struct err e = { 0 };
	bool ok;

	f.newest = clocks[_i].newest ? id_floor(clocks[_i].newest) + 7 : 0;
	f.trusted = clocks[_i].trusted ? id_floor(clocks[_i].trusted) + 7 : 0;
	ok = clock_check(&f, NOW, &e);

	ck_assert_msg(ok == !clocks[_i].why, "%s", e.text);
	ck_assert_msg(ok || (e.code == ERR_CONFLICT && strstr(e.text, clocks[_i].why)), "%s", e.text);
}
END_TEST

UNIT_MAIN("job", UNIT_ROWS(test_due, rows), UNIT_ROWS(test_daily_where_clocks_change, midnights), UNIT_ROWS(test_clock, clocks), UNIT(test_table),
	UNIT_ROWS(test_jobs_of_this_host_by_their_names, named), UNIT(test_order))
