/* Properties of keys and ids, over made-up bodies: what ends an alert has its key, another alert
 * has another, events of one request keep their order, and a delivery that comes again has the same
 * ids. The texts hold a name %d that is one alert's own. */
#include "provider_test.h"

#define ALERTS 40

static struct arena *a;

static const struct pair {
	const char *slug, *event;	/* of GitHub's header */
	const char *trigger, *resolve;
} pairs[] = {
	{ "prometheus", NULL,
		"{\"status\":\"firing\",\"alerts\":[{\"status\":\"firing\",\"labels\":{\"alertname\":\"A\",\"n\":\"%d\"},"
		"\"startsAt\":\"2024-01-01T00:00:00Z\",\"endsAt\":\"0001-01-01T00:00:00Z\"}]}",
		"{\"status\":\"resolved\",\"alerts\":[{\"status\":\"resolved\",\"labels\":{\"n\":\"%d\",\"alertname\":\"A\"},"
		"\"startsAt\":\"2024-01-01T00:00:00Z\",\"endsAt\":\"2024-01-01T00:05:00Z\"}]}" },
	{ "prometheus", NULL,
		"{\"alerts\":[{\"status\":\"firing\",\"fingerprint\":\"f%d\",\"labels\":{\"same\":\"1\"},\"startsAt\":\"2024-01-01T00:00:00Z\"}]}",
		"{\"alerts\":[{\"status\":\"resolved\",\"fingerprint\":\"f%d\",\"labels\":{\"same\":\"1\"},\"endsAt\":\"2024-01-01T01:00:00Z\"}]}" },
	{ "github", "workflow_run",
		"{\"action\":\"completed\",\"repository\":{\"id\":1},\"workflow_run\":{\"id\":10,\"workflow_id\":%d,\"status\":\"completed\","
		"\"conclusion\":\"failure\",\"head_branch\":\"main\",\"head_sha\":\"aaa\",\"run_number\":1}}",
		"{\"action\":\"completed\",\"repository\":{\"id\":1},\"workflow_run\":{\"id\":11,\"workflow_id\":%d,\"status\":\"completed\","
		"\"conclusion\":\"success\",\"head_branch\":\"main\",\"head_sha\":\"bbb\",\"run_number\":2}}" },
	{ "github", "check_run",
		"{\"action\":\"completed\",\"repository\":{\"id\":1},\"check_run\":{\"id\":10,\"name\":\"c%d\",\"conclusion\":\"timed_out\","
		"\"head_sha\":\"aaa\",\"check_suite\":{\"head_branch\":\"main\"}}}",
		"{\"action\":\"completed\",\"repository\":{\"id\":1},\"check_run\":{\"id\":11,\"name\":\"c%d\",\"conclusion\":\"success\","
		"\"head_sha\":\"bbb\",\"check_suite\":{\"head_branch\":\"main\"}}}" },
	{ "github", "deployment_status",
		"{\"repository\":{\"id\":1},\"deployment\":{\"id\":1,\"task\":\"deploy\"},"
		"\"deployment_status\":{\"state\":\"failure\",\"environment\":\"e%d\"}}",
		"{\"repository\":{\"id\":1},\"deployment\":{\"id\":2,\"task\":\"deploy\"},"
		"\"deployment_status\":{\"state\":\"success\",\"environment\":\"e%d\"}}" },
	{ "github", "status",
		"{\"repository\":{\"id\":1,\"default_branch\":\"main\"},\"context\":\"c%d\",\"state\":\"error\",\"sha\":\"aaa\","
		"\"branches\":[{\"name\":\"dev\"},{\"name\":\"main\"}]}",
		"{\"repository\":{\"id\":1,\"default_branch\":\"main\"},\"context\":\"c%d\",\"state\":\"success\",\"sha\":\"bbb\","
		"\"branches\":[{\"name\":\"main\"}]}" },
	{ "github", "dependabot_alert",
		"{\"action\":\"created\",\"repository\":{\"id\":1},\"alert\":{\"number\":%d,\"state\":\"open\"}}",
		"{\"action\":\"auto_dismissed\",\"repository\":{\"id\":1},\"alert\":{\"number\":%d,\"state\":\"dismissed\"}}" },
	{ "stripe", NULL,
		"{\"id\":\"evt_a\",\"object\":\"event\",\"type\":\"invoice.payment_failed\",\"livemode\":true,"
		"\"data\":{\"object\":{\"object\":\"invoice\",\"id\":\"in_%d\"}}}",
		"{\"id\":\"evt_b\",\"object\":\"event\",\"type\":\"invoice.paid\",\"livemode\":true,"
		"\"data\":{\"object\":{\"object\":\"invoice\",\"id\":\"in_%d\"}}}" },
	{ "webhook", NULL, "{\"id\":%d,\"status\":\"firing\",\"title\":\"x\"}", "{\"id\":\"%d\",\"state\":\"ok\",\"title\":\"y\"}" },
	{ "webhook", NULL,
		"{\"routing_key\":\"r\",\"event_action\":\"trigger\",\"dedup_key\":\"k%d\","
		"\"payload\":{\"summary\":\"s\",\"source\":\"h\",\"severity\":\"error\"}}",
		"{\"routing_key\":\"r\",\"event_action\":\"resolve\",\"dedup_key\":\"k%d\"}" },
};

static struct str body_of(const char *text, int number)
{
	struct str rest = str_of(text), head = rest;
	ptrdiff_t at = 0;

	while (strncmp(text + at, "%d", 2))
		at++;
	head.n = at;
	return arena_printf(a, "%.*s%d%s", STR_ARG(head), number, text + at + 2);
}

static struct event *map_text(const struct pair *p, struct str body, size_t *n)
{
	struct header h = { STR("x-github-event"), str_of(p->event) };
	struct inbound in = test_inbound(NULL, &h, 1);
	const struct provider *provider = provider_find(str_of(p->slug));
	struct event *ev = NULL;
	struct err e = { 0 };

	in.body = body;
	ck_assert_msg(inbound_parse(provider, a, &in, &e), "%.*s: %s", STR_ARG(body), e.text);
	ck_assert_msg(provider_map(provider, a, &in, 256, &ev, n, &e), "%.*s: %s", STR_ARG(body), e.text);
	return ev;
}

static struct event *map_one(const struct pair *p, const char *text, int number)
{
	size_t n;
	struct event *ev = map_text(p, body_of(text, number), &n);

	ck_assert_uint_eq(n, 1);
	ck_assert_ptr_null(ev->invalid);
	return ev;
}

START_TEST(test_one_key_for_an_alert)
{
	const struct pair *p = &pairs[_i];
	struct str keys[ALERTS];

	a = arena_new(TEST_ARENA_MAX);
	for (int i = 0; i < ALERTS; i++) {
		struct event *trigger = map_one(p, p->trigger, i), *resolve = map_one(p, p->resolve, i);

		ck_assert_int_eq(trigger->action, ACTION_TRIGGER);
		ck_assert_int_eq(resolve->action, ACTION_RESOLVE);
		ck_assert_msg(str_eq(trigger->dedup_key, resolve->dedup_key), "%.*s is not %.*s", STR_ARG(trigger->dedup_key),
			STR_ARG(resolve->dedup_key));
		ck_assert_msg(!str_eq(trigger->event_id, resolve->event_id), "one id for two events");
		keys[i] = trigger->dedup_key;
		for (int k = 0; k < i; k++)
			ck_assert_msg(!str_eq(keys[k], keys[i]), "%.*s is the key of two alerts", STR_ARG(keys[i]));
	}
	arena_free(a);
}
END_TEST

START_TEST(test_a_repeat_has_the_same_ids)
{
	const struct pair *p = &pairs[_i];

	a = arena_new(TEST_ARENA_MAX);
	unit_str(map_one(p, p->trigger, 7)->event_id, arena_cstr(a, map_one(p, p->trigger, 7)->event_id));
	arena_free(a);
}
END_TEST

static struct event *map_batch(const struct pair *p, const char *head, const char *element, const char *tail, size_t *n)
{
	struct strbuf b;

	strbuf_init(&b, a, 1024 * 1024);
	strbuf_adds(&b, head);
	for (int i = 0; i < ALERTS; i++) {
		if (i)
			strbuf_addc(&b, ',');
		strbuf_addstr(&b, body_of(element, i));
	}
	strbuf_adds(&b, tail);
	return map_text(p, strbuf_str(&b), n);
}

START_TEST(test_batches_keep_their_order)
{
	static const struct pair alertmanager = { "prometheus", NULL, NULL, NULL }, generic = { "webhook", NULL, NULL, NULL };
	struct event *ev;
	size_t n;

	a = arena_new(TEST_ARENA_MAX);
	ev = map_batch(&alertmanager, "{\"alerts\":[", "{\"status\":\"firing\",\"fingerprint\":\"f%d\"}", "]}", &n);
	ck_assert_uint_eq(n, ALERTS);
	for (int i = 0; i < ALERTS; i++)
		unit_str(ev[i].dedup_key, arena_printf(a, "prometheus:f%d", i).p);
	ev = map_batch(&generic, "[", "{\"key\":\"k\",\"id\":%d}", "]", &n);
	ck_assert_uint_eq(n, ALERTS);
	for (int i = 0; i < ALERTS; i++) {
		unit_str(ev[i].dedup_key, arena_printf(a, "webhook:%d", i).p);
		ck_assert(str_ends(ev[i].event_id, arena_printf(a, "#%d", i).p));
	}
	arena_free(a);
}
END_TEST

UNIT_MAIN("keys", UNIT_ROWS(test_one_key_for_an_alert, pairs), UNIT_ROWS(test_a_repeat_has_the_same_ids, pairs),
	UNIT(test_batches_keep_their_order))
