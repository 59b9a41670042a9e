/* The parts of src/view that need no database: bounds of a plan, wildcards, payloads and
 * integrations in JSON. */
#include "src/view/view_int.h"
#include "unit.h"

START_TEST(test_bounds_of_a_plan)
{
	const ms_t t = 1760000000000;
	const uint64_t floor = id_floor(t);
	struct plan p;

	plan_init(&p, NULL, 0, 0, 0, 50);
	ck_assert(p.from == 0 && p.below == INT64_MAX && p.limit == 50 && p.n == 0);
	plan_init(&p, NULL, t, t + 1, 0, 50);
	ck_assert(p.from == floor && p.below == id_floor(t + 1));
	plan_init(&p, NULL, 0, t, floor + 9, 50);	/* the smaller of both */
	ck_assert(p.below == floor);
	plan_init(&p, NULL, 0, t, 7, 50);
	ck_assert(p.below == 7);
	plan_init(&p, NULL, -5, -5, 0, 50);		/* before all ids: nothing */
	ck_assert(p.from == 0 && p.below <= id_floor(0));
}
END_TEST

START_TEST(test_like_part)
{
	struct arena *a = arena_new(1 << 16);

	unit_str(like_part(a, STR("disk")), "%disk%");
	unit_str(like_part(a, STR("100%_\\")), "%100\\%\\_\\\\%");
	unit_str(like_part(a, STR("")), "%%");
	arena_free(a);
}
END_TEST

static const struct {
	const char *body;
	size_t n;		/* 0: to the NUL */
	const char *json;
} payloads[] = {
	{ "{\"b\":1, \"a\":1.0}", 0,
		"{\"payloadEncoding\":\"json\",\"payload\":{\"b\":1, \"a\":1.0}}" },
	{ "\xef\xbb\xbf[1]", 0, "{\"payloadEncoding\":\"json\",\"payload\":[1]}" },
	{ "a=1&b=%20", 0, "{\"payloadEncoding\":\"text\",\"payload\":\"a=1&b=%20\"}" },
	{ "", 0, "{\"payloadEncoding\":\"text\",\"payload\":\"\"}" },
	{ "\xff\x00\x01", 3, "{\"payloadEncoding\":\"base64\",\"payload\":\"/wAB\"}" },
	{ "{\"a\":", 0, "{\"payloadEncoding\":\"text\",\"payload\":\"{\\\"a\\\":\"}" },
};

START_TEST(test_payload)
{
	struct arena *a = arena_new(1 << 16);
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, 1000);
	json_out_init(&o, &b);
	json_open(&o, '{');
	request_payload_json(&o, a,
		(struct str){ payloads[_i].body,
			payloads[_i].n ? payloads[_i].n : strlen(payloads[_i].body) });
	json_close(&o, '}');
	unit_str(strbuf_str(&b), payloads[_i].json);
	arena_free(a);
}
END_TEST

START_TEST(test_headers)
{
	struct arena *a = arena_new(1 << 16);
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, 1000);
	json_out_init(&o, &b);
	request_headers_json(&o, a, STR("host: a:80\n\nx-empty:\nno colon\nx-quote: \"q\"\n"));
	unit_str(strbuf_str(&b),
		"{\"host\":\"a:80\",\"x-empty\":\"\",\"no colon\":\"\",\"x-quote\":\"\\\"q\\\"\"}");
	arena_free(a);
}
END_TEST

START_TEST(test_integration)
{
	struct arena *a = arena_new(1 << 16);
	struct source s = { .public_id = STR("in_0"),
		.provider = STR("stripe"),
		.name = STR("pay"),
		.service_public_id = STR("sv_0"),
		.kind = SOURCE_INTEGRATION,
		.rate_per_minute = RATE_DEFAULT,
		.actions = DO_RECORD | DO_INCIDENT,
		.enabled = true,
		.max_retries = 3,
		.backoff_s = 60,
		.allowed_ips = STR("10.0.0.0/8, ::1"),
		.alert_count = 1,
		.webhook_count = 2,
		.error_count = 3,
		.created_at = 1,
		.updated_at = 2 };
	struct integration_view v;
	struct json_out o;
	struct strbuf b;

	integration_view_fill(a, &s, STR("https://x.example/"), &v);
	strbuf_init(&b, a, 10000);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_fields(&o, integration_view_fields, &v);
	json_close(&o, '}');
	unit_str(strbuf_str(&b),
		"{\"id\":\"in_0\",\"name\":\"pay\",\"type\":\"stripe\",\"serviceId\":\"sv_0\",\"enabled\":true,\"isDefault\":false,"
		"\"actions\":[\"incident\",\"record\"],\"rateLimitPerMinute\":1000,\"allowedIps\":[\"10.0.0.0/8\",\"::1\"],\"requireKey\":false,"
		"\"routeByService\":false,\"hasSecret\":false,\"handlerUrl\":null,\"hasHandlerSecret\":false,\"forwardMode\":\"queued\","
		"\"retryPolicy\":{\"maxRetries\":3,\"backoffSeconds\":60},\"heartbeatMinutes\":null,\"heartbeatIncident\":false,\"silentSince\":null,\"retentionDays\":null,"
		"\"webhookUrl\":\"https://x.example/api/webhooks/stripe/in_0\",\"alertCount\":1,"
		"\"webhookCount\":2,\"lastWebhookAt\":null,\"verifiedAt\":null,\"disconnectedAt\":null,\"errorCount\":3,\"createdAt\":\"1970-01-01T00:00:00.001Z\","
		"\"updatedAt\":\"1970-01-01T00:00:00.002Z\"}");
	s.rate_per_minute = 0;
	s.allowed_ips = STR_NONE;
	integration_view_fill(a, &s, STR(""), &v);
	ck_assert_uint_eq(v.rate_per_minute, 0);
	ck_assert_uint_eq(v.allowed_ips.n, 0);
	arena_free(a);
}
END_TEST

UNIT_MAIN("view_list", UNIT(test_bounds_of_a_plan), UNIT(test_like_part),
	UNIT_ROWS(test_payload, payloads), UNIT(test_headers), UNIT(test_integration))
