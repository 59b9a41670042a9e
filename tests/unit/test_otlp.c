/* Spans as a collector reads them, to the byte. */
#include "unit.h"

#include "config.h"

#include "src/outbound/outbound_int.h"

#define HEAD "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"grapnel\"}}," \
	"{\"key\":\"service.version\",\"value\":{\"stringValue\":\"" PACKAGE_VERSION "\"}},{\"key\":\"service.instance.id\",\"value\":{\"stringValue\":\"3\"}}," \
	"{\"key\":\"host.name\",\"value\":{\"stringValue\":\"h\"}},{\"key\":\"telemetry.sdk.name\",\"value\":{\"stringValue\":\"grapnel\"}}," \
	"{\"key\":\"telemetry.sdk.language\",\"value\":{\"stringValue\":\"c\"}},{\"key\":\"telemetry.sdk.version\",\"value\":{\"stringValue\":\"" \
	PACKAGE_VERSION "\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"grapnel\",\"version\":\"" PACKAGE_VERSION "\"},\"spans\":["
#define FOOT "],\"schemaUrl\":\"https://opentelemetry.io/schemas/1.30.0\"}]}]}"
#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define WORD(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define NUMBER(key, value) "{\"key\":\"" key "\",\"value\":{\"intValue\":\"" value "\"}}"

static const struct otlp_resource resource = { .service = { "grapnel", 7 }, .instance = { "3", 1 }, .host = { "h", 1 } };

static struct span of_trace(enum span_name name)
{
	struct span s = { .name = (uint8_t)name, .flags = 1, .id = 0xb7ad6b7169203331, .parent = 1, .began_us = 1767323045000001, .ended_us = 1767323045000123 };

	ck_assert(hex_decode(STR(TRACE), s.trace, 16));
	return s;
}

static void is(const struct span *list, size_t n, const char *want)
{
	struct arena *a = arena_new(16 << 20);
	struct str got = otlp_body(a, &resource, list, n);

	ck_assert_str_eq(arena_cstr(a, got), arena_printf(a, HEAD "%s" FOOT, want).p);
	arena_free(a);
}

START_TEST(test_a_request)
{
	struct span s = of_trace(SPAN_RECEIVE);

	s.remote = true;
	s.status = 201;
	s.request = 123456789012345678;
	s.events = 2;
	SPAN_TEXT(s.method, STR("POST"));
	SPAN_TEXT(s.place, STR("/api/\"x\""));
	SPAN_TEXT(s.source, STR("in_1"));
	SPAN_TEXT(s.provider, STR("github"));
	is(&s, 1, "{\"traceId\":\"" TRACE "\",\"spanId\":\"b7ad6b7169203331\",\"parentSpanId\":\"0000000000000001\",\"flags\":769,\"name\":\"receive\","
		"\"kind\":2,\"startTimeUnixNano\":\"1767323045000001000\",\"endTimeUnixNano\":\"1767323045000123000\",\"attributes\":["
		WORD("http.request.method", "POST") "," WORD("url.path", "/api/\\\"x\\\"") "," NUMBER("http.response.status_code", "201") ","
		WORD("grapnel.source", "in_1") "," WORD("grapnel.provider", "github") "," WORD("grapnel.request.id", "123456789012345678") ","
		NUMBER("grapnel.events", "2") "]}");
	s.parent = 0;
	s.remote = false;
	s.ended_us = s.began_us - 5;	/* the clock was set back: none ends before it begins */
	SPAN_TEXT(s.reason, STR("invalid_signature"));
	s.status = s.events = 0;
	s.request = 0;
	is(&s, 1, "{\"traceId\":\"" TRACE "\",\"spanId\":\"b7ad6b7169203331\",\"flags\":257,\"name\":\"receive\","
		"\"kind\":2,\"startTimeUnixNano\":\"1767323045000001000\",\"endTimeUnixNano\":\"1767323045000001000\",\"attributes\":["
		WORD("http.request.method", "POST") "," WORD("url.path", "/api/\\\"x\\\"") "," WORD("grapnel.refusal", "invalid_signature") ","
		WORD("grapnel.source", "in_1") "," WORD("grapnel.provider", "github") "]}");
}
END_TEST

START_TEST(test_sends)
{
	struct span two[2] = { of_trace(SPAN_SEND), of_trace(SPAN_SEND) };

	two[0].failed = two[1].failed = true;
	two[0].status = 503;
	two[0].attempt = 2;
	two[0].event = 7;
	two[0].port = 443;
	SPAN_TEXT(two[0].method, STR("POST"));
	SPAN_TEXT(two[0].place, STR("example.org"));
	SPAN_TEXT(two[0].reason, STR("503"));
	two[1].message = 8;
	two[1].attempt = 1;
	two[1].status = 550;
	SPAN_TEXT(two[1].reason, STR("550"));
	is(two, 2, "{\"traceId\":\"" TRACE "\",\"spanId\":\"b7ad6b7169203331\",\"parentSpanId\":\"0000000000000001\",\"flags\":257,\"name\":\"send\","
		"\"kind\":3,\"startTimeUnixNano\":\"1767323045000001000\",\"endTimeUnixNano\":\"1767323045000123000\",\"attributes\":["
		WORD("http.request.method", "POST") "," WORD("server.address", "example.org") "," NUMBER("server.port", "443") ","
		NUMBER("http.response.status_code", "503") "," NUMBER("http.request.resend_count", "1") "," WORD("error.type", "503") ","
		WORD("grapnel.event.id", "7") "," NUMBER("grapnel.attempt", "2") "],\"status\":{\"code\":2}},"
		"{\"traceId\":\"" TRACE "\",\"spanId\":\"b7ad6b7169203331\",\"parentSpanId\":\"0000000000000001\",\"flags\":257,\"name\":\"send\","
		"\"kind\":3,\"startTimeUnixNano\":\"1767323045000001000\",\"endTimeUnixNano\":\"1767323045000123000\",\"attributes\":["
		NUMBER("grapnel.smtp.status", "550") "," WORD("error.type", "550") "," WORD("grapnel.message.id", "8") "," NUMBER("grapnel.attempt", "1")
		"],\"status\":{\"code\":2}}");
}
END_TEST

START_TEST(test_kinds)
{
	static const struct {
		enum span_name name;
		const char *part;
	} rows[] = {
		{ SPAN_PROVE, "\"name\":\"prove\",\"kind\":1," }, { SPAN_STORE, "\"name\":\"store\",\"kind\":1," },
		{ SPAN_SPOOL, "\"name\":\"spool\",\"kind\":1," }, { SPAN_ACT, "\"name\":\"act\",\"kind\":1," },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arena *a = arena_new(1 << 20);
		struct span s = of_trace(rows[i].name);
		struct str got = otlp_body(a, &resource, &s, 1);

		ck_assert_msg(str_has(got, rows[i].part), "%.*s", STR_ARG(got));
		arena_free(a);
	}
}
END_TEST

/* Texts of any bytes: what has room in a span has room in the message. */
START_TEST(test_the_largest)
{
	struct arena *a = arena_new(16 << 20);
	struct span *list = ARENA_ARRAY(a, struct span, 512);
	const struct json *read;
	struct err e = { 0 };
	struct str body;

	for (size_t i = 0; i < 512; i++) {
		memset(&list[i], 0xff, sizeof(list[i]));
		list[i].name = SPAN_SEND;
		list[i].failed = i & 1;
		list[i].remote = true;
		list[i].began_us = list[i].ended_us = INT64_MAX / 1000;
		memset(list[i].method, 1, sizeof(list[i].method) - 1);
		memset(list[i].source, 1, SPAN_WORD - 1);
		memset(list[i].provider, i & 2 ? 1 : 0xff, SPAN_WORD - 1);
		memset(list[i].place, 1, SPAN_PLACE - 1);
		memset(list[i].reason, 1, SPAN_REASON - 1);
		list[i].method[sizeof(list[i].method) - 1] = list[i].source[SPAN_WORD - 1] = list[i].provider[SPAN_WORD - 1] = '\0';
		list[i].place[SPAN_PLACE - 1] = list[i].reason[SPAN_REASON - 1] = '\0';
	}
	body = otlp_body(a, &resource, list, 512);
	ck_assert_msg(json_parse(a, body, &read, &e), "%s", e.text);
	ck_assert_uint_eq(json_at(read, STR("/resourceSpans/0/scopeSpans/0/spans"))->count, 512);
	arena_free(a);
}
END_TEST

static const struct {
	const char *body;
	uint64_t rejected;
	const char *why;
} answers[] = {
	{ "{}", 0, "" },
	{ "", 0, "" },
	{ "not JSON", 0, "" },
	{ "[]", 0, "" },
	{ "{\"partialSuccess\":{}}", 0, "" },
	{ "{\"partialSuccess\":null}", 0, "" },
	{ "{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"too old\"}}", 3, "too old" },
	{ "{\"partialSuccess\":{\"rejectedSpans\":3}}", 3, "" },
	{ "{\"partialSuccess\":{\"rejectedSpans\":-3}}", 0, "" },
	{ "{\"partialSuccess\":{\"errorMessage\":\"a word of warning\"}}", 0, "a word of warning" },
};

START_TEST(test_answers)
{
	struct arena *a = arena_new(1 << 20);
	unsigned again = 0;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct str why;

		ck_assert_uint_eq(otlp_rejected(a, str_of(answers[i].body), &why), answers[i].rejected);
		ck_assert_str_eq(arena_cstr(a, why), answers[i].why);
	}
	for (unsigned status = 0; status < 600; status++)
		again += otlp_again(status);
	ck_assert_uint_eq(again, 4);
	ck_assert(otlp_again(429) && otlp_again(502) && otlp_again(503) && otlp_again(504));
	arena_free(a);
}
END_TEST

START_TEST(test_where_to)
{
	struct arena *a = arena_new(1 << 20);
	struct header h[OTLP_HEADERS_MAX];

	ck_assert_str_eq(arena_cstr(a, otlp_url(a, STR("http://localhost:4318"))), "http://localhost:4318/v1/traces");
	ck_assert_str_eq(arena_cstr(a, otlp_url(a, STR("https://x.example/otlp"))), "https://x.example/otlp/v1/traces");
	ck_assert_str_eq(arena_cstr(a, otlp_url(a, STR("https://x.example/v1/traces"))), "https://x.example/v1/traces");
	ck_assert_uint_eq(otlp_headers(a, STR_NONE, h), 0);
	ck_assert_uint_eq(otlp_headers(a, STR("api-key = abc=d, Authorization=Basic%20eDp5, bad=a%0d%0ax: y"), h), 2);
	ck_assert(str_eqs(h[0].name, "api-key") && str_eqs(h[0].value, "abc=d"));
	ck_assert(str_eqs(h[1].name, "Authorization") && str_eqs(h[1].value, "Basic eDp5"));
	arena_free(a);
}
END_TEST

UNIT_MAIN("otlp", UNIT(test_a_request), UNIT(test_sends), UNIT(test_kinds), UNIT(test_the_largest), UNIT(test_answers), UNIT(test_where_to))
