/* test_forward.c - events that wait for their handler, against a real MariaDB: claims by several at once, leases, results, breakers, and
 * a forwarder whose handler takes no connection. Time is handed in; each test begins with empty tables. */
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grapnel/forward.h"
#include "tests/db/store_test.h"

#define FORWARD_DB "grapnel_forward"
#define NOW 1800000000000LL	/* 2027-01-15T08:00:00Z */
#define MIN MS_PER_MINUTE
#define LEASE (5 * MIN)

static struct id_maker ids;

static const char *const emptied[] = { "events", "requests", "forwards", "event_attempts", "breakers", "monitor_alerts", "sources",
	"event_minutes", "event_failures" };

enum { T_SOURCE, T_EVENTS, T_FORWARDS, T_DELETED, T_ACTIONS, T_STATUS, T_NEXT, T_TEST, T_HOPELESS, T_HIDE, T_SHOW, T_HANDLER };

static const struct stmt stmts[] = {
	[T_SOURCE] = { "t.source", "INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, handler_url, max_retries,"
		" backoff_s, created_at, updated_at) SELECT seq, CONCAT('in_', seq), IF(seq = 9, 2, 1), 1, 'webhook', CONCAT('hook ', seq), 1, 5,"
		" 'http://127.0.0.1:1/hook', 4, 60, 1, 1 FROM seq_1_to_9" },
	[T_EVENTS] = { "t.events",
		"INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary,"
		" status, attempts, received_at, updated_at) SELECT ? + seq, IF(? = 9, 2, 1), ?, 1, 0, CONCAT('ev-', seq), 'x', 1, 1, 1, 's', 0, 0, 1, 1"
		" FROM seq_1_to_100000 WHERE seq <= ?" },
	[T_FORWARDS] = { "t.forwards", "INSERT INTO forwards (event_id, source_id, next_at) SELECT id, source_id, ? FROM events WHERE source_id = ?" },
	[T_DELETED] = { "t.deleted", "UPDATE sources SET deleted_at = 1 WHERE id = ?" },
	[T_ACTIONS] = { "t.actions", "UPDATE sources SET actions = ? WHERE id = ?" },
	[T_STATUS] = { "t.status", "UPDATE events SET status = ? WHERE id = ?" },
	[T_TEST] = { "t.test", "UPDATE events SET is_test = 1 WHERE id = ?" },
	[T_HOPELESS] = { "t.hopeless", "UPDATE sources SET max_retries = 0 WHERE id = 1" },
	[T_HIDE] = { "t.hide", "RENAME TABLE monitor_alerts TO hidden" },
	[T_SHOW] = { "t.show", "RENAME TABLE hidden TO monitor_alerts" },
	[T_HANDLER] = { "t.handler", "UPDATE sources SET handler_url = ? WHERE id = ?" },
	[T_NEXT] = { "t.next", "UPDATE forwards SET next_at = ?, owner = ? WHERE event_id = ?" },
};

static void run(int q, const struct val *vals, size_t n)
{
	succeeds(db_exec(db, &stmts[q], vals, n, NULL, &e));
}

static void setup(void)
{
	store_test_setup(emptied, ARRAY_SIZE(emptied));
	id_maker_init(&ids, 63);
	run(T_SOURCE, NULL, 0);
}

static pid_t handler;	/* of a test that has one */

/* Also after a test that failed: without forks its end is never reached. */
static void handler_end(void)
{
	if (!handler)
		return;
	kill(handler, SIGKILL);
	waitpid(handler, NULL, 0);
	handler = 0;
}

static void teardown(void)
{
	handler_end();
	arena_free(a);
}

/* Events first + 1 to first + n of a source, due at NOW. */
static void events(uint64_t source, uint64_t first, uint64_t n)
{
	run(T_EVENTS, VALS(V_U(first), V_U(source), V_U(source), V_U(n)));
	run(T_FORWARDS, VALS(V_I(NOW), V_U(source)));
}

static size_t claim(uint64_t owner, ms_t now, size_t limit, struct forward_claim **out)
{
	size_t n;

	succeeds(forward_claim(db, a, 1, &(struct forward_claimer){ owner, 63, now, now + LEASE }, limit, out, &n, &e));
	return n;
}

static void finish(const struct forward_claim *c, uint64_t owner, enum forward_outcome outcome, const char *error)
{
	const struct forward_end end = { .claim = *c, .outcome = outcome, .status = outcome == FORWARD_DONE ? 204 : 503, .duration_us = 1500,
		.error = str_of(error), .answer = STR("so be it"), .started_at = NOW + 5, .next_at = NOW + MIN };

	succeeds(forward_finish(db, a, &end, 1, &(struct forward_claimer){ .owner = owner, .slot = 63 }, NOW + 7, &e));
}

/* ---- claims ---- */

START_TEST(test_a_claim_marks_what_it_took)
{
	struct forward_claim *c;

	events(1, 100, 3);
	ck_assert_uint_eq(claim(7, NOW - 1, 10, &c), 0);
	ck_assert_uint_eq(claim(7, NOW, 2, &c), 2);
	ck_assert(c[0].event_id == 101 && c[1].event_id == 102 && c[0].number == 1 && c[0].tries == 0 && c[0].lost == 0);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 1 AND attempts = 1", 2);
	is("SELECT COUNT(*) AS n FROM event_attempts WHERE number = 1 AND duration_us IS NULL AND started_at = 1800000000000", 2);
	ck_assert_uint_eq(claim(8, NOW, 10, &c), 1);
	ck_assert_uint_eq(c[0].event_id, 103);
	ck_assert_uint_eq(claim(9, NOW, 10, &c), 0);
	is("SELECT COUNT(*) AS n FROM forwards WHERE next_at = 1800000300000", 3);
}
END_TEST

#define RACERS 4
#define RACED 2000

/* Each takes until nothing is left, and has its first share before anybody has a second; how often an event was taken stands in events.attempts. */
static void race(uint64_t owner, int began, const int go[2])
{
	char said = 1;
	struct forward_claim *c;
	size_t n, all = 0;

	a = arena_new(64 << 20);
	db = test_connect(FORWARD_DB, 30000);
	do {
		succeeds(forward_claim(db, a, 1, &(struct forward_claimer){ owner++, (unsigned)(owner / 1000000), NOW, NOW + LEASE }, 25, &c, &n,
			&e));
		if (!all && (write(began, &said, 1) != 1 || close(go[1]) || read(go[0], &said, 1)))
			die("the race does not begin");
		all += n;
	} while (n);
	_exit(all < RACED ? 0 : 1);	/* and not all by one */
}

START_TEST(test_of_several_at_once_each_takes_others)
{
	pid_t racers[RACERS];
	int began[2], go[2];
	char c;

	ck_assert(!pipe(began) && !pipe(go));
	events(1, 1000, RACED);
	for (size_t i = 0; i < RACERS; i++) {
		racers[i] = test_fork();
		if (!racers[i])
			race(1 + i * 1000000, began[1], go);
	}
	for (size_t i = 0; i < RACERS; i++)
		ck_assert_int_eq(read(began[0], &c, 1), 1);
	close(go[1]);
	for (size_t i = 0; i < RACERS; i++)
		test_child_ended_well(racers[i]);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 1 AND attempts = 1", RACED);
	is("SELECT COUNT(*) AS n FROM event_attempts", RACED);
	is("SELECT COUNT(*) AS n FROM forwards WHERE owner > 0 AND lost = 0", RACED);
	is("SELECT COUNT(DISTINCT owner DIV 1000000) AS n FROM forwards", RACERS);
}
END_TEST

START_TEST(test_what_a_killed_sender_held_is_taken_up)
{
	struct forward_claim *first, *second;

	events(1, 100, 1);
	ck_assert_uint_eq(claim(7, NOW, 10, &first), 1);
	ck_assert_uint_eq(claim(8, NOW + LEASE - 1, 10, &second), 0);
	ck_assert_uint_eq(claim(8, NOW + LEASE, 10, &second), 1);
	ck_assert(second[0].number == 2 && second[0].tries == 0 && second[0].lost == 1);
	/* The first was slow, not dead: its failure says nothing any more... */
	finish(first, 7, FORWARD_AGAIN, "Too late.");
	is("SELECT COUNT(*) AS n FROM events WHERE status = 1 AND error IS NULL", 1);
	is("SELECT COUNT(*) AS n FROM forwards WHERE owner = 8 AND tries = 0", 1);
	/* ...but the handler has taken it, whoever asked. */
	finish(first, 7, FORWARD_DONE, NULL);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 2 AND done = 4 AND processed_at IS NOT NULL", 1);
	finish(second, 8, FORWARD_AGAIN, "He knew it already.");
	is("SELECT COUNT(*) AS n FROM events WHERE status = 2 AND error IS NULL", 1);
	is("SELECT COUNT(*) AS n FROM forwards", 0);
	is("SELECT COUNT(*) AS n FROM event_attempts WHERE duration_us = 1500", 2);
}
END_TEST

START_TEST(test_settled_by_hand_is_not_claimed)
{
	struct forward_claim *c;

	events(1, 100, 4);
	run(T_STATUS, VALS(V_U(EVENT_PROCESSED), V_U(101)));
	run(T_STATUS, VALS(V_U(EVENT_DEAD), V_U(102)));
	ck_assert_uint_eq(claim(7, NOW, 10, &c), 2);
	ck_assert(c[0].event_id == 103 && c[1].event_id == 104);
	is("SELECT COUNT(*) AS n FROM forwards", 2);
	is("SELECT COUNT(*) AS n FROM events WHERE attempts = 0", 2);
}
END_TEST

START_TEST(test_claim_of_named_ones)
{
	struct forward_claim *c;
	size_t n;

	events(1, 100, 3);
	run(T_NEXT, VALS(V_I(NOW + MIN), V_U(0), V_U(102)));	/* waits for its next attempt */
	run(T_NEXT, VALS(V_I(NOW + MIN), V_U(5), V_U(103)));	/* is held */
	succeeds(forward_claim_these(db, a, 1, STR("[101,102,103,999]"), &(struct forward_claimer){ 7, 63, NOW, NOW + LEASE }, &c, &n, &e));
	ck_assert(n == 2 && c[0].event_id == 101 && c[1].event_id == 102);
	succeeds(forward_claim_these(db, a, 2, STR("[101,102,103]"), &(struct forward_claimer){ 8, 63, NOW, NOW + LEASE }, &c, &n, &e));
	ck_assert_uint_eq(n, 0);	/* another source's */
}
END_TEST

START_TEST(test_sources_with_work)
{
	struct forward_source *s;
	uint64_t due;
	size_t n;

	events(1, 100, 3);
	events(2, 200, 3);
	events(3, 300, 3);
	run(T_NEXT, VALS(V_I(NOW - MIN), V_U(0), V_U(302)));
	for (int i = 0; i < BREAKER_OPENS_AT; i++)
		succeeds(breaker_failed(db, BREAKER_HANDLER, 2, false, STR("down"), NOW, &e));
	succeeds(breaker_failed(db, BREAKER_HANDLER, 1, false, STR("down"), NOW, &e));
	succeeds(forward_sources_due(db, a, NOW - 1, 10, &s, &n, &e));
	ck_assert(n == 1 && s[0].source_id == 3);
	succeeds(forward_due_count(db, a, NOW - 1, &due, &e));
	ck_assert_uint_eq(due, 1);
	succeeds(forward_sources_due(db, a, NOW, 10, &s, &n, &e));
	ck_assert(n == 2 && s[0].source_id == 3 && s[1].source_id == 1 && s[1].failures == 1);
	succeeds(forward_sources_due(db, a, NOW + MIN, 10, &s, &n, &e));	/* a probe is due */
	ck_assert(n == 3 && s[2].source_id == 2 && s[2].failures == BREAKER_OPENS_AT && s[2].opened_at);
	succeeds(forward_due_count(db, a, NOW, &due, &e));
	ck_assert_uint_eq(due, 9);
}
END_TEST

START_TEST(test_times_of_a_wrong_clock)
{
	struct forward_claim *c;
	uint64_t n;

	events(1, 100, 5);
	run(T_NEXT, VALS(V_I(NOW + 11 * MIN), V_U(5), V_U(101)));			/* no lease is so long */
	run(T_NEXT, VALS(V_I(NOW + 9 * MIN), V_U(5), V_U(102)));			/* a lease */
	run(T_NEXT, VALS(V_I(NOW + MS_PER_DAY), V_U(0), V_U(103)));			/* a long wait */
	run(T_NEXT, VALS(V_I(NOW + MS_PER_DAY + 2 * MS_PER_HOUR), V_U(0), V_U(104)));	/* nothing waits so long */
	succeeds(forward_mend(db, a, NOW, &n, &e));
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(claim(7, NOW, 10, &c), 3);
	ck_assert(c[0].event_id == 101 && c[1].event_id == 104 && c[2].event_id == 105);
}
END_TEST

/* ---- results ---- */

START_TEST(test_outcomes)
{
	struct forward_claim *c;

	events(1, 100, 5);
	ck_assert_uint_eq(claim(7, NOW, 10, &c), 5);
	finish(&c[0], 7, FORWARD_DONE, NULL);
	finish(&c[1], 7, FORWARD_AGAIN, "The handler answered 503.");
	finish(&c[2], 7, FORWARD_DEAD, "The handler answered 503.");
	finish(&c[3], 7, FORWARD_NOT_SENT, NULL);
	finish(&c[4], 7, FORWARD_NOT_NEEDED, NULL);
	is("SELECT COUNT(*) AS n FROM events WHERE id = 101 AND status = 2 AND done = 4 AND error IS NULL AND processed_at = 1800000000007", 1);
	is("SELECT COUNT(*) AS n FROM events WHERE id = 102 AND status = 3 AND done = 0 AND error = 'The handler answered 503.'"
		" AND processed_at IS NULL", 1);
	is("SELECT COUNT(*) AS n FROM events WHERE id = 103 AND status = 4 AND error = 'The handler answered 503.'", 1);
	is("SELECT COUNT(*) AS n FROM events WHERE id = 104 AND status = 0 AND attempts = 0 AND error IS NULL", 1);
	is("SELECT COUNT(*) AS n FROM events WHERE id = 105 AND status = 2 AND attempts = 0 AND done = 0", 1);
	is("SELECT COUNT(*) AS n FROM forwards", 2);
	is("SELECT COUNT(*) AS n FROM forwards WHERE event_id = 102 AND owner = 0 AND tries = 1 AND next_at = 1800000060000", 1);
	is("SELECT COUNT(*) AS n FROM forwards WHERE event_id = 104 AND owner = 0 AND tries = 0", 1);
	is("SELECT COUNT(*) AS n FROM event_attempts", 3);
	is("SELECT COUNT(*) AS n FROM event_attempts WHERE event_id = 101 AND status = 204 AND error IS NULL AND answer = 'so be it'"
		" AND started_at = 1800000000005 AND duration_us = 1500", 1);
	is("SELECT COUNT(*) AS n FROM event_attempts WHERE event_id = 102 AND status = 503 AND error = 'The handler answered 503.'", 1);
}
END_TEST

START_TEST(test_retry_by_hand)
{
	struct forward_claim *c;
	uint64_t n;

	events(1, 100, 4);
	events(9, 900, 1);	/* another tenant's */
	ck_assert_uint_eq(claim(7, NOW, 4, &c), 4);
	finish(&c[0], 7, FORWARD_DONE, NULL);
	finish(&c[1], 7, FORWARD_AGAIN, "no");
	finish(&c[2], 7, FORWARD_DEAD, "no");
	/* c[3] is being sent */
	succeeds(forward_retry(db, 1, STR("[101,102,103,104,901,12345]"), NOW + 10, &n, &e));
	ck_assert_uint_eq(n, 2);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 0 AND id IN (102, 103)", 2);
	is("SELECT COUNT(*) AS n FROM forwards WHERE next_at = 1800000000010 AND tries = 0 AND owner = 0 AND event_id IN (102, 103)", 2);
	is("SELECT COUNT(*) AS n FROM forwards WHERE event_id = 104 AND owner = 7", 1);
	is("SELECT COUNT(*) AS n FROM forwards WHERE event_id = 101", 0);
	succeeds(forward_retry(db, 1, STR("[102]"), NOW + 11, &n, &e));	/* twice is once */
	ck_assert_uint_eq(n, 1);
	is("SELECT COUNT(*) AS n FROM forwards WHERE event_id = 102", 1);
	succeeds(forward_retry(db, 0, STR("[901]"), NOW + 10, &n, &e));
	ck_assert_uint_eq(n, 1);
	succeeds(forward_retry(db, 1, STR("[]"), NOW + 10, &n, &e));
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(test_repeat_of_what_failed)
{
	struct forward_row again[2] = { { 101, 1, NOW + 20, 4 }, { 102, 1, NOW + 20, 4 } };
	struct forward_claim *c;

	events(1, 100, 2);
	ck_assert_uint_eq(claim(7, NOW, 4, &c), 2);
	finish(&c[0], 7, FORWARD_AGAIN, "no");
	finish(&c[1], 7, FORWARD_DEAD, "no");
	succeeds(db_begin(db, &e));
	succeeds(forward_reopen(db, a, again, 2, NOW + 20, &e));
	succeeds(db_commit(db, &e));
	is("SELECT COUNT(*) AS n FROM events WHERE status = 0", 2);
	ck_assert_uint_eq(claim(8, NOW + 20, 4, &c), 2);
	ck_assert(c[0].number == 2 && c[0].tries == 1 && c[1].number == 2 && c[1].tries == 4);	/* its last attempt */
}
END_TEST

/* ---- breakers ---- */

/* What the monitor counts: five starts, of which two were none; two events failed; two are done. */
START_TEST(test_tallies)
{
	struct forward_claim *c;

	events(1, 100, 6);
	run(T_TEST, VALS(V_U(106)));
	ck_assert_uint_eq(claim(7, NOW, 10, &c), 6);
	is("SELECT SUM(starts) AS n FROM event_minutes", 5);
	finish(&c[0], 7, FORWARD_DONE, NULL);
	finish(&c[1], 7, FORWARD_AGAIN, "no");
	finish(&c[2], 7, FORWARD_DEAD, "no");
	finish(&c[3], 7, FORWARD_NOT_SENT, NULL);
	finish(&c[4], 7, FORWARD_NOT_NEEDED, NULL);
	finish(&c[5], 7, FORWARD_AGAIN, "no");
	is("SELECT SUM(starts) AS n FROM event_minutes", 3);
	is("SELECT SUM(events) AS n FROM event_minutes WHERE took > 0", 2);
	is("SELECT COUNT(*) AS n FROM event_failures", 2);
}
END_TEST

static struct breaker breaker(void)
{
	struct breaker b = { 0 };

	ck_assert_int_ge(breaker_get(db, a, BREAKER_HANDLER, 1, &b, &e), 0);
	return b;
}

static void fails_at(ms_t now, bool probe)
{
	succeeds(breaker_failed(db, BREAKER_HANDLER, 1, probe, STR("The handler answered 500."), now, &e));
}

START_TEST(test_breaker)
{
	struct breaker b;
	ms_t at = NOW;

	for (int i = 1; i < BREAKER_OPENS_AT; i++)
		fails_at(NOW, false);
	b = breaker();
	ck_assert(b.failures == 4 && !b.opened_at);
	succeeds(breaker_succeeded(db, BREAKER_HANDLER, 1, &e));
	ck_assert_int_eq(breaker_get(db, a, BREAKER_HANDLER, 1, &b, &e), 0);
	for (int i = 0; i < BREAKER_OPENS_AT; i++)
		fails_at(NOW, false);
	b = breaker();
	ck_assert(b.failures == 5 && b.opened_at == NOW && b.probe_at == NOW + MIN);
	unsigned waited = 0;
	fails_at(NOW + 10, false);	/* it was under way when the breaker opened */
	b = breaker();
	ck_assert(b.failures == 6 && b.opened_at == NOW && b.probe_at == NOW + MIN);
	/* one probe each, after 1, 2, 4 ... 60 minutes */
	for (ms_t wait = MIN; waited < 9; waited++) {
		struct breaker seen = b;

		at = b.probe_at;
		ck_assert_int_eq(breaker_probe(db, &seen, at + LEASE, &e), 1);
		ck_assert_int_eq(breaker_probe(db, &seen, at + LEASE + 1, &e), 0);
		fails_at(at + 5, true);
		wait = wait * 2 < MS_PER_HOUR ? wait * 2 : MS_PER_HOUR;
		b = breaker();
		ck_assert_int_eq(b.probe_at, at + 5 + wait);
		ck_assert_int_eq(b.opened_at, NOW);
	}
	ck_assert_int_eq(breaker_probe_soon(db, BREAKER_HANDLER, 1, at + 7, &e), 1);
	ck_assert_int_eq(breaker().probe_at, at + 7);
	ck_assert_int_eq(breaker_probe_soon(db, BREAKER_HANDLER, 2, at + 7, &e), 0);
	succeeds(breaker_mend(db, at - 2 * MS_PER_HOUR + 7, &e));
	ck_assert_int_eq(breaker().probe_at, at + 7);
	succeeds(breaker_mend(db, at - 2 * MS_PER_HOUR + 6, &e));	/* it was put there by a clock that was wrong */
	ck_assert_int_eq(breaker().probe_at, at - 2 * MS_PER_HOUR + 6);
	succeeds(breaker_succeeded(db, BREAKER_HANDLER, 1, &e));
	fails_at(at + 9, false);
	b = breaker();
	ck_assert(b.failures == 1 && !b.opened_at);
}
END_TEST

/* ---- a forwarder whose handler takes no connection ---- */

static struct guard *guard;
static struct sender *sender;
static struct forwarder *forwarder;

static void forwarder_begin(void)
{
	guard = guard_new("127.0.0.0/8", "1-65535");
	sender = sender_new("Grapnel/test", guard);
	forwarder = forwarder_new(&(struct forward_config){ .db = db, .sender = sender, .ids = &ids, .timeout_ms = 5000 });
}

static void forwarder_end(void)
{
	sender_free(sender);
	forwarder_free(forwarder);
	guard_free(guard);
}

static void forward_all(ms_t now)
{
	succeeds(forwarder_take(forwarder, now, &e));
	while (forwarder_busy(forwarder)) {
		sender_turn(sender, 100);
		succeeds(forwarder_settle(forwarder, now, &e));
	}
}

START_TEST(test_failures_back_off_then_die)
{
	ms_t now = NOW;
	static const uint64_t minutes[] = { 1, 2, 4, 8 };

	forwarder_begin();
	events(1, 100, 1);
	for (size_t i = 0; i < ARRAY_SIZE(minutes); i++) {
		uint64_t next;

		succeeds(breaker_succeeded(db, BREAKER_HANDLER, 1, &e));	/* not what is tried here */
		forward_all(now);
		is("SELECT status AS n FROM events", EVENT_FAILED);
		ck_assert_uint_eq(number("SELECT attempts AS n FROM events"), i + 1);
		next = number("SELECT next_at AS n FROM forwards") - (uint64_t)now;
		/* twice as long each time, with up to a tenth on top; the attempt itself took a moment */
		ck_assert_msg(next >= minutes[i] * 60000 && next <= minutes[i] * 66000 + 2000, "%llu", (unsigned long long)next);
		forward_all(now + 59999);	/* not yet */
		ck_assert_uint_eq(number("SELECT attempts AS n FROM events"), i + 1);
		now += (ms_t)next;
	}
	forward_all(now);
	is("SELECT status AS n FROM events", EVENT_DEAD);
	is("SELECT attempts AS n FROM events", 5);
	is("SELECT COUNT(*) AS n FROM forwards", 0);
	is("SELECT COUNT(*) AS n FROM event_attempts WHERE error = 'It does not take the connection.' AND status IS NULL", 5);
	is("SELECT COUNT(*) AS n FROM monitor_alerts WHERE type = 'DEAD_EVENTS' AND subject = 'in_1' AND tenant_id = 1 AND ended_at IS NULL", 1);
	ck_assert_uint_eq(forwarder_tally(forwarder).failed, 4);
	ck_assert_uint_eq(forwarder_tally(forwarder).dead, 1);
	forwarder_end();
}
END_TEST

/* Whoever is killed after the one and before the other would leave an event that is dead and that nobody hears of. */
START_TEST(test_what_is_given_up_is_stored_with_its_alert)
{
	forwarder_begin();
	events(1, 100, 1);
	run(T_HOPELESS, NULL, 0);
	run(T_HIDE, NULL, 0);
	succeeds(forwarder_take(forwarder, NOW, &e));
	do {
		sender_turn(sender, 100);
		e = (struct err){ 0 };
	} while (forwarder_settle(forwarder, NOW, &e));
	is("SELECT status AS n FROM events", EVENT_PROCESSING);
	is("SELECT COUNT(*) AS n FROM forwards WHERE owner <> 0", 1);
	run(T_SHOW, NULL, 0);
	e = (struct err){ 0 };
	succeeds(forwarder_settle(forwarder, NOW, &e));
	is("SELECT status AS n FROM events", EVENT_DEAD);
	is("SELECT COUNT(*) AS n FROM monitor_alerts WHERE type = 'DEAD_EVENTS'", 1);
	forwarder_end();
}
END_TEST

START_TEST(test_open_breaker_uses_no_attempts)
{
	forwarder_begin();
	events(1, 100, 50);
	forward_all(NOW);
	is("SELECT failures AS n FROM breakers", 5);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 3 AND attempts = 1", 5);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 0 AND attempts = 0", 45);
	is("SELECT COUNT(*) AS n FROM event_attempts", 5);
	forward_all(NOW + 30000);
	is("SELECT SUM(attempts) AS n FROM events", 5);
	forward_all(NOW + MIN + 1);	/* one probe */
	is("SELECT SUM(attempts) AS n FROM events", 6);
	is("SELECT wait_ms AS n FROM breakers", 2 * MIN);
	forwarder_end();
}
END_TEST

START_TEST(test_a_failing_handler_holds_up_nobody)
{
	forwarder_begin();
	events(1, 100, 100);
	events(2, 300, 1);
	events(3, 400, 1);
	forward_all(NOW);
	is("SELECT COUNT(*) AS n FROM events WHERE source_id IN (2, 3) AND status = 3 AND attempts = 1", 2);
	forwarder_end();
}
END_TEST

/* ---- a handler that takes all ---- */

static void take_all(int listening)
{
	char request[8192];

	for (;;) {
		int fd = accept(listening, NULL, NULL);

		if (fd < 0 || read(fd, request, sizeof(request)) < 0 || dprintf(fd, "HTTP/1.1 204 Taken\r\nConnection: close\r\n\r\n") < 0)
			_exit(1);
		shutdown(fd, SHUT_WR);
		while (read(fd, request, sizeof(request)) > 0)
			;
		close(fd);
	}
}

static void handler_begin(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(in);

	ck_assert(listening >= 0 && !bind(listening, (struct sockaddr *)&in, n) && !listen(listening, 64) &&
		!getsockname(listening, (struct sockaddr *)&in, &n));
	handler = fork();
	ck_assert_int_ge(handler, 0);
	if (!handler)
		take_all(listening);
	close(listening);
	run(T_HANDLER, VALS(V_S(arena_printf(a, "http://127.0.0.1:%u/", ntohs(in.sin_port))), V_U(1)));
}

/* Whoever was stopped for so long, or has more handlers that are slow than it may call at once, leaves the rest to who holds it now. */
START_TEST(test_nothing_begins_when_its_lease_is_over)
{
	const ms_t late = NOW + MIN;
	const struct forward_claimer other = { .owner = 7, .slot = 62, .now = late, .until = late + LEASE };
	struct forward_claim *c;
	size_t n;

	forwarder_begin();
	handler_begin();
	events(1, 100, 9);
	succeeds(forwarder_take(forwarder, NOW, &e));	/* five of them are under way */
	succeeds(forward_claim(db, a, 1, &other, 9, &c, &n, &e));
	ck_assert_uint_eq(n, 9);
	while (forwarder_busy(forwarder)) {
		sender_turn(sender, 100);
		succeeds(forwarder_settle(forwarder, late, &e));
	}
	is("SELECT COUNT(*) AS n FROM event_attempts WHERE number = 1 AND status = 204", 5);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 2", 5);
	is("SELECT COUNT(*) AS n FROM forwards WHERE owner = 7", 4);
	is("SELECT COUNT(*) AS n FROM event_attempts WHERE number = 2 AND duration_us IS NULL", 9);
	forwarder_end();
}
END_TEST

/* The database was away for longer than a lease, and what was sent before is found to be due. */
START_TEST(test_what_is_sent_is_stored_before_more_is_taken)
{
	forwarder_begin();
	handler_begin();
	events(1, 100, 3);
	succeeds(forwarder_take(forwarder, NOW, &e));
	while (sender_busy(sender))
		sender_turn(sender, 100);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 1", 3);
	forward_all(NOW + LEASE);
	is("SELECT COUNT(*) AS n FROM events WHERE status = 2 AND attempts = 1", 3);
	is("SELECT COUNT(*) AS n FROM event_attempts WHERE status = 204", 3);
	forwarder_end();
}
END_TEST

START_TEST(test_sources_that_forward_no_more)
{
	forwarder_begin();
	events(1, 100, 1);
	events(2, 200, 1);
	events(3, 300, 1);
	run(T_DELETED, VALS(V_U(1)));
	run(T_ACTIONS, VALS(V_U(DO_INCIDENT), V_U(2)));
	forward_all(NOW);
	is("SELECT COUNT(*) AS n FROM events WHERE id = 101 AND status = 4 AND error = 'Its integration was deleted.'", 1);
	is("SELECT COUNT(*) AS n FROM events WHERE id = 201 AND status = 2 AND attempts = 0", 1);
	is("SELECT COUNT(*) AS n FROM breakers WHERE target_id IN (1, 2)", 0);
	is("SELECT COUNT(*) AS n FROM forwards", 1);
	forwarder_end();
}
END_TEST

START_TEST(test_a_probe_that_asks_nobody_is_left_to_the_next)
{
	struct forward_result r = { .event_id = 101 };

	forwarder_begin();
	events(1, 100, 2);
	events(2, 200, 3);
	run(T_NEXT, VALS(V_I(clock_now() + LEASE), V_U(5), V_U(101)));	/* is held: on its way since before the breaker opened */
	for (int i = 0; i < BREAKER_OPENS_AT; i++) {
		succeeds(breaker_failed(db, BREAKER_HANDLER, 1, false, STR("down"), clock_now() - BREAKER_WAIT_MS, &e));
		succeeds(breaker_failed(db, BREAKER_HANDLER, 2, false, STR("down"), NOW - BREAKER_WAIT_MS, &e));
	}
	succeeds(forwarder_now(forwarder, a, 1, &r, 1, &e));
	ck_assert(!r.taken && breaker().probe_at <= clock_now());
	run(T_ACTIONS, VALS(V_U(DO_INCIDENT), V_U(2)));
	for (int i = 0; i < 3; i++)
		forward_all(NOW);
	is("SELECT COUNT(*) AS n FROM events WHERE source_id = 2 AND status = 2", 3);	/* and not one with each lease */
	forwarder_end();
}
END_TEST

START_TEST(test_now_says_what_became_of_it)
{
	struct forward_result r[3] = { { .event_id = 101 }, { .event_id = 102 }, { .event_id = 999 } };

	forwarder_begin();
	events(1, 100, 2);
	succeeds(forwarder_now(forwarder, a, 1, r, 3, &e));
	ck_assert(!r[0].processed && str_eqs(r[0].error, "It does not take the connection."));
	ck_assert(!r[1].processed && !r[1].refused && str_eqs(r[1].error, "It does not take the connection."));
	ck_assert(!r[2].processed && str_eqs(r[2].error, "It is being sent already."));
	is("SELECT COUNT(*) AS n FROM events WHERE status = 3 AND attempts = 1", 2);
	for (int i = 0; i < BREAKER_OPENS_AT; i++)
		succeeds(breaker_failed(db, BREAKER_HANDLER, 1, false, STR("down"), clock_now(), &e));
	succeeds(forwarder_now(forwarder, a, 1, r, 2, &e));
	ck_assert(!r[0].processed && r[0].refused && str_has(r[0].error, "circuit breaker is open"));
	is("SELECT COUNT(*) AS n FROM events WHERE status = 3 AND attempts = 1 AND error LIKE '%circuit breaker%'", 2);
	is("SELECT COUNT(*) AS n FROM event_attempts", 2);
	ck_assert_uint_eq(forwarder_busy(forwarder), 0);
	forwarder_end();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_a_claim_marks_what_it_took, test_of_several_at_once_each_takes_others,
		test_what_a_killed_sender_held_is_taken_up, test_settled_by_hand_is_not_claimed, test_claim_of_named_ones, test_sources_with_work,
		test_times_of_a_wrong_clock, test_outcomes, test_retry_by_hand, test_repeat_of_what_failed, test_tallies, test_breaker,
		test_failures_back_off_then_die, test_what_is_given_up_is_stored_with_its_alert, test_open_breaker_uses_no_attempts, test_a_failing_handler_holds_up_nobody,
		test_nothing_begins_when_its_lease_is_over, test_what_is_sent_is_stored_before_more_is_taken,
		test_sources_that_forward_no_more, test_a_probe_that_asks_nobody_is_left_to_the_next, test_now_says_what_became_of_it };

	if (!store_test_begin(FORWARD_DB, NULL, 0))
		return STORE_TEST_SKIPPED;
	return store_test_run("forward", tests, ARRAY_SIZE(tests), setup, teardown);
}
