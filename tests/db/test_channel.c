/* Channels and the outbox with their database: who is told, and who sends it. */
#include "store_test.h"
#include "grapnel/store.h"

#define CHANNEL_DB "grapnel_channel"
#define NOW 1760000400000LL	/* 2025-10-09 09:00:00 UTC */
#define MIN MS_PER_MINUTE

static struct db *other;	/* two dispatchers */
static struct id_maker ids;
static struct seal_key *seal_key;
static const struct who who = { .tenant_id = 1, .actor = ACTOR_PERSON, .user_id = 1 };

static const char *const emptied[] = { "channels", "outbox", "outbox_attempts", "monitor_alerts", "audit_log" };
static const struct stmt once[] = { { "test.tenant", "INSERT INTO tenants (id, name, created_at) VALUES (2, 'other', 0)" } };

static void setup(void)
{
	store_test_setup(emptied, ARRAY_SIZE(emptied));
}

static void teardown(void)
{
	arena_free(a);
}

static struct channel made(uint64_t tenant_id, const char *name, uint64_t events, enum level min_level)
{
	const struct channel in = { .tenant_id = tenant_id, .kind = STR("webhook"), .name = str_of(name), .enabled = true, .events = events,
		.min_level = min_level, .settings = STR("{\"url\":\"https://example.org/\"}") };
	struct channel out;

	succeeds(channel_add(db, a, NULL, seal_key, &in, STR("secret"), &who, NOW, &out, &e));
	return out;
}

static size_t told(const struct notice *n)
{
	size_t k;

	succeeds(channels_tell(db, a, &ids, n, 1, NOW, &k, &e));
	return k;
}

/* ---- who is told ---- */

START_TEST(each_channel_that_wants_to_know_gets_a_row)
{
	struct notice n = { .tenant_id = 1, .event = CHANNEL_MONITOR, .level = LEVEL_HIGH, .cause_id = 7, .type = "monitor.alert_started",
		.data = STR("{\"id\":\"7\"}") };
	struct channel all = made(1, "all", CHANNEL_MONITOR, LEVEL_INFO), off = made(1, "off", CHANNEL_MONITOR, LEVEL_INFO);
	struct outbox_row row;

	made(1, "grave", CHANNEL_MONITOR, LEVEL_CRITICAL);
	made(1, "deaf", 0, LEVEL_INFO);
	made(2, "stranger", CHANNEL_MONITOR, LEVEL_INFO);
	off.enabled = false;
	ck_assert_int_eq(channel_update(db, a, NULL, seal_key, &off, STR_NONE, &who, NOW + 1, &e), 1);
	ck_assert_uint_eq(told(&n), 1);
	ck_assert_int_eq(outbox_newest(db, a, OUTBOX_NOTIFICATION, all.id, &row, &e), 1);
	ck_assert(row.cause_id == 7 && row.tenant_id == 1 && row.status == OUTBOX_WAITING && row.next_at == NOW && !row.attempts);
	ck_assert(str_eqs(row.payload, "{\"type\":\"monitor.alert_started\",\"at\":\"2025-10-09T09:00:00.000Z\",\"data\":{\"id\":\"7\"}}"));
	n.level = LEVEL_CRITICAL;
	ck_assert_uint_eq(told(&n), 2);
	n.tenant_id = 0;	/* the whole installation */
	ck_assert_uint_eq(told(&n), 2);
	n.tenant_id = 2;
	ck_assert_uint_eq(told(&n), 1);
}
END_TEST

START_TEST(a_monitor_alert_that_gets_worse_tells_so_once)
{
	struct monitor_alert m = { .id = 5, .tenant_id = 1, .type = STR("LARGE_BACKLOG"), .severity = MONITOR_WARNING, .message = STR("120 wait.") };
	struct channel all = made(1, "all", CHANNEL_MONITOR, LEVEL_INFO), grave = made(1, "grave", CHANNEL_MONITOR, LEVEL_CRITICAL);
	struct outbox_row row;

	ck_assert_int_eq(monitor_alert_raise(db, a, &ids, &m, NOW, &e), 1);
	is("SELECT COUNT(*) AS n FROM outbox", 1);
	m.id = 6;
	m.severity = MONITOR_CRITICAL;
	m.message = STR("9000 wait.");
	ck_assert_int_eq(monitor_alert_raise(db, a, &ids, &m, NOW + MIN, &e), 0);
	is("SELECT COUNT(*) AS n FROM outbox", 3);
	ck_assert_int_eq(outbox_newest(db, a, OUTBOX_NOTIFICATION, all.id, &row, &e), 1);
	ck_assert_msg(row.cause_id == 5 && str_eqs(row.payload, "{\"type\":\"monitor.alert_raised\",\"at\":\"2025-10-09T09:01:00.000Z\",\"data\":{\"id\":\"5\","
		"\"type\":\"LARGE_BACKLOG\",\"subject\":\"\",\"severity\":\"CRITICAL\",\"message\":\"9000 wait.\",\"value\":0,\"threshold\":0,"
		"\"startedAt\":\"2025-10-09T09:00:00.000Z\",\"endedAt\":null,\"advice\":\"\"}}"), "%.*s", STR_ARG(row.payload));
	ck_assert_int_eq(outbox_newest(db, a, OUTBOX_NOTIFICATION, grave.id, &row, &e), 1);
	for (m.severity = MONITOR_WARNING; m.severity <= MONITOR_CRITICAL; m.severity++)
		ck_assert_int_eq(monitor_alert_raise(db, a, &ids, &m, NOW + 2 * MIN, &e), 0);
	is("SELECT COUNT(*) AS n FROM outbox", 3);
}
END_TEST

START_TEST(a_monitor_alert_tells_of_its_start_and_its_end)
{
	struct monitor_alert m = { .id = 5, .tenant_id = 1, .type = STR("LARGE_BACKLOG"), .severity = MONITOR_ERROR, .message = STR("120 wait."),
		.advice = STR("Add workers."), .value = 120, .threshold = 100 };
	struct channel c = made(1, "all", CHANNEL_MONITOR, LEVEL_HIGH);
	struct outbox_row row;

	ck_assert_int_eq(monitor_alert_raise(db, a, &ids, &m, NOW, &e), 1);
	m.id = 6;
	ck_assert_int_eq(monitor_alert_raise(db, a, &ids, &m, NOW + MIN, &e), 0);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM outbox"), 1);
	ck_assert_int_eq(outbox_newest(db, a, OUTBOX_NOTIFICATION, c.id, &row, &e), 1);
	ck_assert_msg(str_eqs(row.payload, "{\"type\":\"monitor.alert_started\",\"at\":\"2025-10-09T09:00:00.000Z\",\"data\":{\"id\":\"5\","
		"\"type\":\"LARGE_BACKLOG\",\"subject\":\"\",\"severity\":\"ERROR\",\"message\":\"120 wait.\",\"value\":120,\"threshold\":100,"
		"\"startedAt\":\"2025-10-09T09:00:00.000Z\",\"endedAt\":null,\"advice\":\"Add workers.\"}}"), "%.*s", STR_ARG(row.payload));
	ck_assert_int_eq(monitor_alert_end(db, a, &ids, 1, STR("LARGE_BACKLOG"), STR(""), NOW + 2 * MIN, &e), 1);
	ck_assert_int_eq(outbox_newest(db, a, OUTBOX_NOTIFICATION, c.id, &row, &e), 1);
	ck_assert(row.cause_id == 5 && str_starts(row.payload, "{\"type\":\"monitor.alert_ended\""));
	ck_assert(str_has(row.payload, "\"startedAt\":\"2025-10-09T09:00:00.000Z\",\"endedAt\":\"2025-10-09T09:02:00.000Z\""));
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM outbox"), 2);
}
END_TEST

/* ---- storms ---- */

static struct channel people(const char *settings, bool each)
{
	const struct channel in = { .tenant_id = 1, .kind = STR("sms"), .name = STR("people"), .enabled = true, .events = CHANNEL_MONITOR, .max_per_minute = 3,
		.settings = str_of(settings), .each_recipient = each };
	struct channel out;

	succeeds(channel_add(db, a, NULL, seal_key, &in, STR(""), &who, NOW, &out, &e));
	return out;
}

static void storm(size_t n, ms_t now)
{
	const struct notice x = { .tenant_id = 1, .event = CHANNEL_MONITOR, .level = LEVEL_HIGH, .type = "channel.test", .data = STR("{\"id\":\"7\"}") };

	for (size_t i = 0; i < n; i++)
		succeeds(channels_tell(db, a, &ids, &x, 1, now, NULL, &e));
}

#define counted(condition) number("SELECT COUNT(*) AS n FROM outbox o WHERE " condition)

START_TEST(what_is_too_much_for_a_minute_is_told_at_its_end)
{
	struct outbox_row *rows, digest;
	struct channel c = people("{\"to\":\"a\"}", false);
	uint64_t all;
	size_t n;

	made(1, "program", CHANNEL_MONITOR, LEVEL_INFO);
	storm(200, NOW + 1000);
	ck_assert_uint_eq(counted("status = 0 AND payload LIKE '%channel.test%' AND next_at = 1760000401000"), 203);	/* 200 of them the program's */
	ck_assert_uint_eq(counted("status = 4 AND bundled_in IS NOT NULL AND finished_at IS NOT NULL"), 197);
	ck_assert_uint_eq(counted("payload LIKE '%messages.bundled%'"), 1);
	ck_assert_uint_eq(counted("bundled_in NOT IN (SELECT id FROM outbox d WHERE d.payload LIKE '%messages.bundled%' AND d.next_at = 1760000460000)"), 0);
	ck_assert_int_eq(outbox_of_cause(db, a, OUTBOX_NOTIFICATION, number("SELECT storm_digest AS n FROM channels WHERE storm_n > 0"), &digest, &e), 1);
	ck_assert(digest.target_id == c.id && digest.cause_id == digest.id && digest.status == OUTBOX_WAITING);
	succeeds(outbox_bundled(db, a, digest.id, 50, &rows, &n, &all, &e));
	ck_assert(n == 50 && all == 197 && rows[0].id < rows[49].id && str_has(rows[0].payload, "channel.test"));

	storm(4, NOW - 500);	/* a clock that is a little behind */
	ck_assert_uint_eq(counted("payload LIKE '%messages.bundled%'"), 1);
	storm(4, NOW + MIN);
	ck_assert_uint_eq(counted("payload LIKE '%messages.bundled%'"), 2);
	ck_assert_uint_eq(counted("status = 4"), 202);
	storm(4, NOW + 2 * MS_PER_HOUR);	/* one that is wrong holds up nobody for long */
	storm(3, NOW + 2 * MIN);
	ck_assert_uint_eq(counted("payload LIKE '%messages.bundled%'"), 3);
	ck_assert_uint_eq(counted("status = 0 AND next_at = 1760000520000 AND payload LIKE '%channel.test%'"), 6);
}
END_TEST

/* What is told together counts as if it were told one after the other, also where two kinds of things have a channel in common. */
START_TEST(notices_that_are_told_together_are_one_storm)
{
	struct notice x[6];
	size_t all;

	people("{\"to\":\"a\"}", false);
	made(1, "grave", CHANNEL_MONITOR, LEVEL_CRITICAL);
	for (size_t i = 0; i < ARRAY_SIZE(x); i++)
		x[i] = (struct notice){ .tenant_id = 1, .event = CHANNEL_MONITOR, .level = i % 2 ? LEVEL_CRITICAL : LEVEL_HIGH, .cause_id = i + 1,
			.type = "channel.test", .data = STR("{\"id\":\"7\"}") };
	succeeds(channels_tell(db, a, &ids, x, ARRAY_SIZE(x), NOW + 1000, &all, &e));
	ck_assert_uint_eq(all, 9);
	ck_assert_uint_eq(counted("status = 0 AND payload LIKE '%channel.test%'"), 6);	/* three of them the other's */
	ck_assert_uint_eq(counted("status = 4 AND cause_id > 3"), 3);
	ck_assert_uint_eq(counted("payload LIKE '%messages.bundled%'"), 1);
	ck_assert_uint_eq(number("SELECT storm_n AS n FROM channels WHERE storm_digest > 0"), 6);
	storm(1, NOW + 2000);
	ck_assert_uint_eq(counted("status = 4"), 4);
}
END_TEST

START_TEST(a_digest_that_is_sent_takes_no_more)
{
	struct channel c = people("{\"to\":\"a\"}", false);
	uint64_t first;

	storm(5, NOW);
	first = number("SELECT storm_digest AS n FROM channels WHERE storm_n > 0");
	succeeds(channel_digest_close(other, c.id, first, &e));
	storm(5, NOW);	/* somebody whose clock is behind: it begins anew */
	ck_assert_uint_eq(counted("bundled_in = (SELECT MIN(id) FROM outbox d WHERE d.payload LIKE '%messages.bundled%')"), 2);
	ck_assert_uint_eq(counted("status = 4"), 4);
	ck_assert_uint_eq(counted("payload LIKE '%messages.bundled%'"), 2);
	succeeds(channel_digest_close(db, c.id, first, &e));	/* not its own any more */
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM channels WHERE storm_digest <> 0"), 1);
}
END_TEST

START_TEST(each_addressee_has_rows_of_his_own_and_gets_the_digest)
{
	people("{\"to\":\"+4930123456, +4930123457,\"}", true);
	storm(5, NOW);
	ck_assert_uint_eq(counted("status = 0 AND payload LIKE '%channel.test%' AND recipient = '+4930123456'"), 3);
	ck_assert_uint_eq(counted("status = 0 AND payload LIKE '%channel.test%' AND recipient = '+4930123457'"), 3);
	ck_assert_uint_eq(counted("status = 4 AND recipient IS NULL"), 2);
	ck_assert_uint_eq(number("SELECT COUNT(DISTINCT recipient) AS n FROM outbox WHERE payload LIKE '%messages.bundled%'"), 2);
	ck_assert_uint_eq(number("SELECT COUNT(DISTINCT payload) AS n FROM outbox WHERE payload LIKE '%messages.bundled%'"), 1);
	ck_assert_uint_eq(counted("1"), 10);
}
END_TEST

/* ---- changes ---- */

START_TEST(a_change_is_of_what_was_read)
{
	struct channel c = made(1, "a", CHANNEL_MONITOR, LEVEL_INFO), read;
	struct str secret;

	ck_assert_int_eq(channel_get(db, a, 1, c.public_id, &read, &e), 1);
	ck_assert_int_eq(channel_get(db, a, 2, c.public_id, &read, &e), 0);
	read = c;
	read.name = STR("b");
	ck_assert_int_eq(channel_update(db, a, NULL, seal_key, &read, STR_NONE, &who, NOW, &e), 1);
	ck_assert_int_eq(channel_update(db, a, NULL, seal_key, &read, STR_NONE, &who, NOW, &e), -1);
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	ck_assert_int_eq(channel_get(db, a, 1, c.public_id, &read, &e), 1);
	ck_assert(str_eqs(read.name, "b") && read.updated_at == NOW + 1 && read.has_secret);
	succeeds(channel_secret(a, seal_key, &read, &secret, &e));
	ck_assert(str_eqs(secret, "secret"));
	ck_assert_int_eq(channel_update(db, a, NULL, seal_key, &read, STR(""), &who, NOW + 5, &e), 1);
	ck_assert_int_eq(channel_get(db, a, 1, c.public_id, &read, &e), 1);
	ck_assert(!read.has_secret);
	read.tenant_id = 2;
	ck_assert_int_eq(channel_update(db, a, NULL, seal_key, &read, STR_NONE, &who, NOW, &e), 0);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'channel.update'"), 2);
}
END_TEST

START_TEST(what_waits_for_a_channel_that_is_gone_is_given_up)
{
	const struct notice n = { .tenant_id = 1, .event = CHANNEL_MONITOR, .level = LEVEL_HIGH, .type = "x", .data = STR("{}") };
	struct channel c = made(1, "a", CHANNEL_MONITOR, LEVEL_INFO), d = made(1, "b", CHANNEL_MONITOR, LEVEL_INFO);
	struct outbox_row row;

	ck_assert_uint_eq(told(&n), 2);
	ck_assert_int_eq(channel_delete(db, a, NULL, 2, c.public_id, &who, NOW, &e), 0);
	ck_assert_int_eq(channel_delete(db, a, NULL, 1, c.public_id, &who, NOW, &e), 1);
	ck_assert_int_eq(outbox_newest(db, a, OUTBOX_NOTIFICATION, c.id, &row, &e), 1);
	ck_assert(row.status == OUTBOX_DEAD && str_eqs(row.error, "The channel was deleted.") && row.finished_at == NOW);
	succeeds(channel_disable(db, a, &d, STR("It was answered 410."), NOW, &e));
	ck_assert_int_eq(outbox_newest(db, a, OUTBOX_NOTIFICATION, d.id, &row, &e), 1);
	ck_assert(row.status == OUTBOX_DEAD && str_eqs(row.error, "The channel was switched off."));
	ck_assert_int_eq(channel_get(db, a, 1, d.public_id, &d, &e), 1);
	ck_assert(!d.enabled && str_eqs(d.disabled_reason, "It was answered 410."));
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'channel.disable' AND actor = 2"), 1);
}
END_TEST

START_TEST(there_is_a_limit)
{
	const struct channel in = { .tenant_id = 1, .kind = STR("webhook"), .name = STR("one more"), .settings = STR("{}") };
	struct channel out;

	for (int i = 0; i < CHANNELS_MAX; i++)
		made(1, "a", 0, 0);
	ck_assert(!channel_add(db, a, NULL, seal_key, &in, STR(""), &who, NOW, &out, &e));
	ck_assert(e.code == ERR_CONFLICT && e.told);
}
END_TEST

/* ---- who sends ---- */

static struct outbox_row waiting(uint64_t target, ms_t next_at)
{
	struct outbox_row row = { .id = id_make(&ids, NOW), .tenant_id = 1, .kind = OUTBOX_NOTIFICATION, .target_id = target, .payload = STR("{}"),
		.next_at = next_at, .created_at = NOW };

	row.cause_id = row.id;
	succeeds(outbox_add_all(db, a, &row, 1, &e));
	return row;
}

static size_t due(uint64_t target, enum outbox_status status, ms_t now, struct outbox_row **rows)
{
	size_t n;

	succeeds(outbox_due(db, a, OUTBOX_NOTIFICATION, status, target, now, 10, rows, &n, &e));
	return n;
}

static size_t claim(struct db *by, struct outbox_row *rows, size_t n, uint64_t owner, ms_t until, struct outbox_row **ours)
{
	size_t k;

	succeeds(outbox_claim(by, a, rows, n, owner, until, ours, &k, &e));
	return k;
}

START_TEST(a_row_is_one_dispatchers_alone)
{
	struct outbox_row *rows, *same, *ours;

	waiting(1, NOW);
	waiting(1, NOW - MIN);
	waiting(1, NOW + 1);
	ck_assert_uint_eq(due(1, OUTBOX_WAITING, NOW, &rows), 2);
	ck_assert_int_eq(rows[0].next_at, NOW - MIN);
	ck_assert_uint_eq(due(1, OUTBOX_WAITING, NOW, &same), 2);
	ck_assert_uint_eq(claim(db, rows, 1, 71, NOW + MIN, &ours), 1);
	ck_assert(ours[0].attempts == 1 && str_eqs(ours[0].payload, "{}"));
	ck_assert_uint_eq(claim(other, same, 2, 72, NOW + MIN, &ours), 1);	/* the one that is left */
	ck_assert_uint_eq(due(1, OUTBOX_WAITING, NOW + MIN - 1, &rows), 1);	/* the third row */
	ck_assert_uint_eq(due(1, OUTBOX_WAITING, NOW + MIN, &rows), 3);		/* both died */
	ck_assert_uint_eq(claim(other, rows, 3, 73, NOW + 2 * MIN, &ours), 3);
	ck_assert_uint_eq(claim(db, rows, 3, 74, NOW + 2 * MIN, &ours), 0);
}
END_TEST

START_TEST(a_full_target_hides_no_other)
{
	struct outbox_target *targets;
	size_t n;

	for (int i = 0; i < 50; i++)
		waiting(1, NOW - MIN);
	waiting(2, NOW);
	waiting(3, NOW + MIN);
	succeeds(outbox_targets(db, a, OUTBOX_NOTIFICATION, OUTBOX_WAITING, 0, NOW, NOW, 10, &targets, &n, &e));
	ck_assert_uint_eq(n, 2);
	ck_assert(targets[0].id == 1 && targets[0].next_at == NOW - MIN && targets[1].id == 2);
	succeeds(outbox_targets(db, a, OUTBOX_NOTIFICATION, OUTBOX_FAILED, 0, NOW, NOW, 10, &targets, &n, &e));
	ck_assert_uint_eq(n, 0);
	succeeds(outbox_targets(db, a, OUTBOX_CONFIRMATION, OUTBOX_WAITING, 0, NOW, NOW, 10, &targets, &n, &e));
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(results_are_written_by_who_holds_the_lease)
{
	struct outbox_row seen = waiting(1, NOW), *ours, now;
	struct outbox_result r = { .owner = 81, .at = NOW, .duration_ms = 12, .http_status = 503, .body = STR("busy") };

	ck_assert_uint_eq(claim(db, &seen, 1, 81, NOW + MIN, &ours), 1);
	r.row = ours[0];
	r.row.status = OUTBOX_FAILED;
	r.row.error = STR("It was answered 503.");
	r.row.next_at = NOW + 5 * MIN;
	succeeds(outbox_finish(db, a, &r, 1, &e));
	ck_assert_int_eq(outbox_newest(db, a, OUTBOX_NOTIFICATION, 1, &now, &e), 1);
	ck_assert(now.status == OUTBOX_FAILED && now.next_at == NOW + 5 * MIN && str_eqs(now.error, "It was answered 503.") && !now.finished_at);
	ck_assert_uint_eq(due(1, OUTBOX_FAILED, NOW + 5 * MIN, &ours), 1);
	ck_assert_uint_eq(claim(db, ours, 1, 82, NOW + 6 * MIN, &ours), 1);
	/* the first one comes too late: its attempt is known, the row is another's */
	r.row.status = OUTBOX_SENT;
	succeeds(outbox_finish(db, a, &r, 1, &e));
	ck_assert_int_eq(outbox_newest(db, a, OUTBOX_NOTIFICATION, 1, &now, &e), 1);
	ck_assert_uint_eq(now.status, OUTBOX_FAILED);
	succeeds(outbox_release(db, seen.id, 81, NOW, &e));
	ck_assert_uint_eq(due(1, OUTBOX_FAILED, NOW + 5 * MIN, &ours), 0);
	succeeds(outbox_release(db, seen.id, 82, NOW, &e));
	ck_assert_uint_eq(due(1, OUTBOX_FAILED, NOW, &ours), 1);
	ck_assert_uint_eq(ours[0].attempts, 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM outbox_attempts WHERE answer = 'busy' AND duration_ms = 12 AND status = 503"), 1);
}
END_TEST

/* A start that is tried again later is not overtaken by its end; other causes and other targets are not held up. */
START_TEST(an_end_waits_for_its_start)
{
	struct outbox_row rows[3] = { { 0 } }, *ours, *seen;
	struct outbox_result r = { .owner = 91, .at = NOW, .http_status = 429 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		rows[i] = (struct outbox_row){ .id = id_make(&ids, NOW), .tenant_id = 1, .kind = OUTBOX_NOTIFICATION, .target_id = 1 + i / 2, .cause_id = 5,
			.payload = STR("{}"), .next_at = NOW, .created_at = NOW };
	succeeds(outbox_add_all(db, a, rows, ARRAY_SIZE(rows), &e));
	ck_assert_uint_eq(due(1, OUTBOX_WAITING, NOW, &seen), 1);
	ck_assert_uint_eq(due(2, OUTBOX_WAITING, NOW, &ours), 1);
	ck_assert_uint_eq(claim(db, seen, 1, 91, NOW + MIN, &ours), 1);
	ck_assert_uint_eq(due(1, OUTBOX_WAITING, NOW, &seen), 0);	/* while it is under way, */
	r.row = ours[0];
	r.row.status = OUTBOX_FAILED;
	r.row.next_at = NOW + MIN;
	succeeds(outbox_finish(db, a, &r, 1, &e));
	ck_assert_uint_eq(due(1, OUTBOX_WAITING, NOW + MIN, &seen), 0);	/* and while it is cron's */
	ck_assert_uint_eq(due(1, OUTBOX_FAILED, NOW + MIN, &seen), 1);
	ck_assert_uint_eq(claim(db, seen, 1, 91, NOW + 2 * MIN, &ours), 1);
	r.row = ours[0];
	r.row.status = OUTBOX_SENT;
	succeeds(outbox_finish(db, a, &r, 1, &e));
	ck_assert_uint_eq(due(1, OUTBOX_WAITING, NOW + MIN, &seen), 1);
	ck_assert(seen[0].id == rows[1].id);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { each_channel_that_wants_to_know_gets_a_row, a_monitor_alert_tells_of_its_start_and_its_end, a_monitor_alert_that_gets_worse_tells_so_once,
		what_is_too_much_for_a_minute_is_told_at_its_end, notices_that_are_told_together_are_one_storm, a_digest_that_is_sent_takes_no_more, each_addressee_has_rows_of_his_own_and_gets_the_digest,
		a_change_is_of_what_was_read, what_waits_for_a_channel_that_is_gone_is_given_up, there_is_a_limit, a_row_is_one_dispatchers_alone,
		a_full_target_hides_no_other, results_are_written_by_who_holds_the_lease,
		an_end_waits_for_its_start };
	int failed;

	if (!store_test_begin(CHANNEL_DB, once, ARRAY_SIZE(once)))
		return STORE_TEST_SKIPPED;
	other = test_connect(CHANNEL_DB, 60000);
	seal_key = store_test_key();
	id_maker_init(&ids, 1);
	failed = store_test_run("channel", tests, ARRAY_SIZE(tests), setup, teardown);
	seal_key_free(seal_key);
	db_free(other);
	return failed;
}
