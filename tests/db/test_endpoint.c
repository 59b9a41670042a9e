/* Endpoints and their deliveries with their database: who is told, who is left alone, what becomes of it. */
#include "store_test.h"
#include "grapnel/store.h"
#include "grapnel/view.h"

#define ENDPOINT_DB "grapnel_endpoint"
#define NOW 1760000400000LL	/* 2025-10-09 09:00:00 UTC */
#define MIN MS_PER_MINUTE

static struct id_maker ids;
static struct seal_key *seal_key;
static const struct who who = { .tenant_id = 1, .actor = ACTOR_PERSON, .user_id = 2 };

static const char *const emptied[] = { "endpoints", "deliveries", "outbox", "outbox_attempts", "breakers", "monitor_alerts" };
static const struct stmt once[] = {
	{ "test.tenant", "INSERT INTO tenants (id, name, created_at) VALUES (2, 'other', 0)" },
	{ "test.users", "INSERT INTO users (id, public_id, tenant_id, name, role, enabled, created_at) VALUES (2, 'us_a', 1, 'admin', 3, 1, 1),"
		" (3, 'us_b', 1, 'viewer', 1, 1, 1), (4, 'us_c', 1, 'gone', 1, 0, 1), (5, 'us_d', 2, 'stranger', 3, 1, 1)" },
};

static void setup(void)
{
	store_test_setup(emptied, ARRAY_SIZE(emptied));
}

static void teardown(void)
{
	arena_free(a);
}

static struct endpoint made(uint64_t tenant_id, uint64_t user_id, const char *events)
{
	const struct endpoint in = { .tenant_id = tenant_id, .user_id = user_id, .url = STR("https://192.0.43.8/"), .events = str_of(events), .enabled = true,
		.retries = true };
	struct endpoint out;

	succeeds(endpoint_add(db, a, NULL, seal_key, &in, STR("secret"), &who, NOW, &out, &e));
	return out;
}

static size_t told(const char *event, uint64_t user_id)
{
	const struct endpoint_news x = { .tenant_id = 1, .user_id = user_id, .event = event, .summary = STR("what it is"),
		.body = endpoint_body(a, event, 7, STR("{\"id\":\"1\"}"), NOW) };
	size_t n;

	succeeds(endpoints_tell(db, a, &ids, &x, 1, NOW, &n, &e));
	return n;
}

static struct endpoint_delivery_view newest(const struct endpoint *ep)
{
	struct endpoint_delivery_view *rows;
	uint64_t next;
	size_t n;

	succeeds(endpoint_delivery_view_list(db, a, &(struct sent_filter){ .target_row = ep->id, .limit = 1 }, &rows, &n, &next, &e));
	ck_assert_uint_eq(n, 1);
	return rows[0];
}

/* ---- filters ---- */

static const struct {
	const char *events, *event;
	bool hears;
} filters[] = {
	{ "incident.*", "incident.opened", true }, { "incident.*", "incidents.opened", false }, { "incident.opened", "incident.opened", true },
	{ "incident.opened", "incident.opened_again", false }, { "alerts.triggered,incident.resolved", "incident.resolved", true },
	{ "Incident.OPENED", "incident.opened", true }, { "*", "monitor.alert_started", true }, { "monitor.*", "alerts.triggered", false }, { "", "incident.opened", false },
};

START_TEST(a_filter_is_a_word_or_all_of_a_kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		ck_assert_msg(endpoint_hears(str_of(filters[i].events), str_of(filters[i].event)) == filters[i].hears, "%s, %s", filters[i].events,
			filters[i].event);
}
END_TEST

START_TEST(what_fits_no_event_is_no_filter)
{
	static const char *const good[] = { "*", "incident.*", "incident.opened", "alerts.*", "alerts.triggered", "monitor.alert_started", "monitor.alert_raised", "event.*", "event.processed" };
	static const char *const bad[] = { "", ".*", "inc*", "incident.", "incident", "weather.*", "incident.opened.*", "**", "incident.exploded", "*.opened", "event.failed", "event" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ck_assert_msg(endpoint_filter_is(str_of(good[i])), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(!endpoint_filter_is(str_of(bad[i])), "%s", bad[i]);
}
END_TEST

/* ---- who is told ---- */

START_TEST(each_endpoint_that_hears_gets_a_delivery)
{
	struct endpoint all = made(1, 2, "*"), mine = made(1, 3, "incident.*,alerts.triggered"), off = made(1, 2, "*");
	struct endpoint_delivery_view v;

	made(1, 4, "*");	/* of somebody who was disabled */
	made(1, 5, "*");	/* of one who is of another tenant by now */
	made(2, 5, "*");
	off.enabled = false;
	ck_assert_int_eq(endpoint_update(db, a, NULL, seal_key, &off, STR_NONE, &who, NOW, &e), 1);
	ck_assert_uint_eq(told("incident.opened", 0), 2);
	v = newest(&mine);
	ck_assert(str_eqs(v.event, "incident.opened") && str_eqs(v.status, "pending") && v.next_at == NOW && str_eqs(v.summary, "what it is"));
	ck_assert_msg(str_eqs(v.payload, "{\"event\":\"incident.opened\",\"type\":\"incident.opened\",\"timestamp\":\"2025-10-09T09:00:00.000Z\","
		"\"sequence\":\"7\",\"data\":{\"id\":\"1\"}}"), "%.*s", STR_ARG(v.payload));
	ck_assert_uint_eq(told("alerts.triggered", 3), 1);
	ck_assert_uint_eq(told("alerts.triggered", 5), 0);
	ck_assert_uint_eq(told("monitor.alert_started", 0), 1);	/* the administrator's */
	ck_assert(str_eqs(newest(&all).event, "monitor.alert_started"));
}
END_TEST

START_TEST(a_monitor_alert_reaches_endpoints)
{
	const struct monitor_alert m = { .id = 5, .tenant_id = 1, .type = STR("LARGE_BACKLOG"), .severity = MONITOR_ERROR, .message = STR("120 wait."),
		.advice = STR("Add workers."), .value = 120, .threshold = 100 };
	struct endpoint ep = made(1, 2, "monitor.*");

	ck_assert_int_eq(monitor_alert_raise(db, a, &ids, &m, NOW, &e), 1);
	ck_assert(str_eqs(newest(&ep).event, "monitor.alert_started") && str_eqs(newest(&ep).summary, "120 wait."));
	ck_assert_int_eq(monitor_alert_end(db, a, &ids, 1, m.type, STR(""), NOW + MIN, &e), 1);
	ck_assert(str_eqs(newest(&ep).event, "monitor.alert_ended"));
}
END_TEST

/* ---- secrets ---- */

START_TEST(both_secrets_sign_while_one_replaces_the_other)
{
	struct endpoint ep = made(1, 2, "*");
	struct endpoint_secrets s;
	uint64_t n;

	ck_assert_int_eq(endpoint_rotate(db, a, seal_key, &ep, STR("new"), MIN, &who, NOW, &e), 1);
	ck_assert_int_eq(endpoint_rotate(db, a, seal_key, &ep, STR("newer"), MIN, &who, NOW, &e), -1);	/* it has changed */
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	ck_assert_int_eq(endpoint_by_row(db, a, ep.id, &ep, &e), 1);
	succeeds(endpoint_secrets(a, seal_key, &ep, NOW, &s, &e));
	ck_assert(str_eqs(s.secret, "new") && str_eqs(s.old, "secret") && ep.entitled);
	succeeds(endpoint_secrets(a, seal_key, &ep, NOW + MIN, &s, &e));
	ck_assert(str_eqs(s.secret, "new") && !s.old.n);
	succeeds(endpoint_old_secrets(db, a, NOW + MIN, false, &n, &e));
	ck_assert_uint_eq(n, 1);
	succeeds(endpoint_old_secrets(db, a, NOW + MIN, true, &n, &e));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(endpoint_by_row(db, a, ep.id, &ep, &e), 1);
	ck_assert(!ep.old_secret_sealed.n && ep.has_secret);
	ck_assert_int_eq(endpoint_rotate(db, a, seal_key, &ep, STR("last"), 0, &who, NOW, &e), 1);
	ck_assert_int_eq(endpoint_by_row(db, a, ep.id, &ep, &e), 1);
	ck_assert(!ep.old_secret_sealed.n && !ep.old_secret_until);
}
END_TEST

/* ---- changes ---- */

START_TEST(what_waits_goes_to_the_new_address)
{
	struct endpoint ep = made(1, 2, "*");

	ck_assert_uint_eq(told("incident.opened", 0), 1);
	ep.url = STR("https://192.0.43.9/");
	ck_assert_int_eq(endpoint_update(db, a, NULL, seal_key, &ep, STR_NONE, &who, NOW, &e), 1);
	ck_assert(str_eqs(newest(&ep).url, "https://192.0.43.9/"));
}
END_TEST

START_TEST(what_waits_for_one_that_is_deleted_has_failed)
{
	struct endpoint ep = made(1, 2, "*"), row;
	struct endpoint_delivery_view v;

	ck_assert_uint_eq(told("incident.opened", 0), 1);
	ck_assert_int_eq(endpoint_delete(db, a, NULL, &ep, &who, NOW + 1, &e), 1);
	ck_assert_int_eq(endpoint_delete(db, a, NULL, &ep, &who, NOW + 1, &e), 0);
	v = newest(&ep);
	ck_assert(str_eqs(v.status, "failed") && str_eqs(v.error, "endpoint deleted") && v.finished_at == NOW + 1 && v.endpoint_deleted);
	ck_assert_int_eq(endpoint_by_row(db, a, ep.id, &row, &e), 1);
	ck_assert(!row.secret_sealed.n && row.deleted_at == NOW + 1);
	ck_assert_uint_eq(told("incident.opened", 0), 0);
}
END_TEST

/* ---- results ---- */

START_TEST(five_days_of_failures_switch_it_off)
{
	struct endpoint ep = made(1, 2, "incident.*");
	struct monitor_alert *running;
	size_t n;

	for (int i = 0; i < 6; i++)
		succeeds(endpoint_failed(db, ep.id, STR("It was answered 500."), NOW + i * MS_PER_DAY, &e));
	ck_assert_uint_eq(told("incident.opened", 0), 1);
	succeeds(endpoint_disable(db, a, &ids, &ep, NOW - 1, STR("too early"), NOW, &e));
	ck_assert_int_eq(endpoint_by_row(db, a, ep.id, &ep, &e), 1);
	ck_assert(ep.enabled && ep.failures == 6 && ep.failing_since == NOW);
	succeeds(db_exec(db, stmt_of("t.contacts", "INSERT INTO contacts (public_id, tenant_id, user_id, kind, address, verified_at, created_at) VALUES"
		" ('ct_1', 1, 2, 'email', 'a@example.org', 1, 1), ('ct_2', 1, 2, 'email', 'b@example.org', NULL, 1), ('ct_3', 1, 2, 'sms', '+4930123456', 1, 1)"),
		NULL, 0, NULL, &e));
	succeeds(endpoint_disable(db, a, &ids, &ep, NOW, STR("For five days nothing was taken."), NOW + 5 * MS_PER_DAY, &e));
	ck_assert_int_eq(endpoint_by_row(db, a, ep.id, &ep, &e), 1);
	ck_assert(!ep.enabled && str_eqs(ep.disabled_reason, "For five days nothing was taken."));
	ck_assert(str_eqs(newest(&ep).status, "failed"));
	succeeds(monitor_alerts_running(db, a, 1, &running, &n, &e));
	ck_assert(n == 1 && str_eqs(running[0].type, ENDPOINT_DISABLED) && str_eq(running[0].subject, ep.public_id));
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM outbox o JOIN contacts c ON c.id = o.target_id WHERE o.kind = 5 AND c.public_id = 'ct_1'"
		" AND o.payload LIKE '%endpoint.disabled%'"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM outbox WHERE kind = 5"), 1);
	succeeds(endpoint_sent(db, ep.id, NOW, &e));
	ck_assert_int_eq(endpoint_by_row(db, a, ep.id, &ep, &e), 1);
	ck_assert(!ep.failing_since && !ep.failures && ep.sent_at == NOW);
}
END_TEST

/* ---- the outbox ---- */

static size_t targets(ms_t now)
{
	struct outbox_target *t;
	size_t n;

	succeeds(outbox_targets(db, a, OUTBOX_DELIVERY, OUTBOX_WAITING, BREAKER_ENDPOINT, now, now, 10, &t, &n, &e));
	return n;
}

START_TEST(one_that_is_left_alone_is_no_target)
{
	struct endpoint ep = made(1, 2, "*");
	struct outbox_queue q;

	ck_assert_uint_eq(told("incident.opened", 0), 1);
	for (unsigned i = 0; i < BREAKER_OPENS_AT; i++) {
		ck_assert_uint_eq(targets(NOW), 1);
		succeeds(breaker_failed(db, BREAKER_ENDPOINT, ep.id, false, STR("no"), NOW, &e));
	}
	ck_assert_uint_eq(targets(NOW), 0);
	succeeds(outbox_queue_get(db, a, OUTBOX_WAITING, &q, &e));
	ck_assert_uint_eq(q.n, 0);	/* nobody is to blame that it waits */
	ck_assert_uint_eq(targets(NOW + BREAKER_WAIT_MS), 1);
	ck_assert_int_eq(breaker_probe_soon(db, BREAKER_ENDPOINT, ep.id, NOW, &e), 1);
	ck_assert_uint_eq(targets(NOW), 1);
}
END_TEST

static struct outbox_row row_of(const struct endpoint *ep)
{
	struct outbox_row row;

	ck_assert_int_eq(outbox_newest(db, a, OUTBOX_DELIVERY, ep->id, &row, &e), 1);
	return row;
}

/* As a sender stores it. */
static void end_as(const struct endpoint *ep, enum outbox_status status, ms_t next_at)
{
	struct outbox_row row = row_of(ep), *ours;
	struct outbox_result result = { .owner = 9, .at = NOW, .http_status = 500, .body = STR("") };
	size_t n;

	succeeds(outbox_claim(db, a, &row, 1, 9, NOW + MIN, &ours, &n, &e));
	ck_assert_uint_eq(n, 1);
	result.row = ours[0];
	result.row.status = status;
	result.row.next_at = next_at;
	result.row.error = STR("It was answered 500.");
	result.row.finished_at = status == OUTBOX_DEAD ? NOW : 0;
	succeeds(outbox_finish(db, a, &result, 1, &e));
}

START_TEST(the_last_wait_passes_before_it_has_failed)
{
	struct endpoint ep = made(1, 2, "*");
	uint64_t n;

	ck_assert_uint_eq(told("incident.opened", 0), 1);
	end_as(&ep, OUTBOX_ENDING, NOW + 4000);
	ck_assert(str_eqs(newest(&ep).status, "pending") && !newest(&ep).next_at);
	succeeds(outbox_end_due(db, NOW + 3999, &n, &e));
	ck_assert_uint_eq(n, 0);
	succeeds(outbox_end_due(db, NOW + 4000, &n, &e));
	ck_assert_uint_eq(n, 1);
	ck_assert(str_eqs(newest(&ep).status, "failed") && newest(&ep).finished_at == NOW + 4000 && str_eqs(newest(&ep).http_status, "500"));
}
END_TEST

START_TEST(once_more_is_one_attempt_more)
{
	struct endpoint ep = made(1, 2, "*");
	uint64_t id;

	ck_assert_uint_eq(told("incident.opened", 0), 1);
	id = row_of(&ep).id;
	ck_assert_int_eq(outbox_again(db, id, NOW + 1, &e), 1);		/* it waits: now, with all its attempts */
	ck_assert(row_of(&ep).next_at == NOW + 1 && !row_of(&ep).attempts_max);
	end_as(&ep, OUTBOX_DEAD, NOW);
	ck_assert_int_eq(outbox_again(db, id, NOW + 2, &e), 1);
	ck_assert(row_of(&ep).status == OUTBOX_WAITING && row_of(&ep).attempts == 1 && row_of(&ep).attempts_max == 2 && !row_of(&ep).finished_at);
}
END_TEST

/* The history of a user shows the newest, the oldest of them first. */
START_TEST(the_history_is_of_all_endpoints_of_a_user)
{
	struct endpoint one = made(1, 2, "incident.opened"), two = made(1, 2, "incident.resolved");
	struct endpoint_delivery_view *rows;
	size_t n;

	made(1, 3, "*");
	for (int i = 0; i < 3; i++)
		told("incident.opened", 0);
	told("incident.resolved", 0);
	succeeds(endpoint_delivery_view_history(db, a, 1, 2, 2, &rows, &n, &e));
	ck_assert(n == 2 && str_eq(rows[0].endpoint, one.public_id) && str_eq(rows[1].endpoint, two.public_id) && rows[0].id < rows[1].id);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { a_filter_is_a_word_or_all_of_a_kind, what_fits_no_event_is_no_filter, each_endpoint_that_hears_gets_a_delivery,
		a_monitor_alert_reaches_endpoints, both_secrets_sign_while_one_replaces_the_other, what_waits_goes_to_the_new_address,
		what_waits_for_one_that_is_deleted_has_failed, five_days_of_failures_switch_it_off, one_that_is_left_alone_is_no_target,
		the_last_wait_passes_before_it_has_failed, once_more_is_one_attempt_more, the_history_is_of_all_endpoints_of_a_user };
	int failed;

	if (!store_test_begin(ENDPOINT_DB, once, ARRAY_SIZE(once)))
		return STORE_TEST_SKIPPED;
	seal_key = store_test_key();
	id_maker_init(&ids, 1);
	failed = store_test_run("endpoint", tests, ARRAY_SIZE(tests), setup, teardown);
	seal_key_free(seal_key);
	return failed;
}
