/* What a body looks like decides, the content type is a hint. */
#include "provider_test.h"

#define FORM_DATA "multipart/form-data; boundary="
#define DATA "Content-Disposition: form-data; name=\"data\"\r\n\r\n"

static const struct {
	const char *slug, *method, *type, *body;
	const char *want;	/* the tree written again, or NULL: refused */
	const char *field;	/* of a refusal */
} rows[] = {
	{ "webhook", "POST", "application/json", "{\"a\":1}", "{\"a\":1}" },
	{ "webhook", "POST", "", " \n[{\"a\":1}]", "[{\"a\":1}]" },
	{ "webhook", "POST", "text/plain", "{\"a\":1}", "{\"a\":1}" },
	{ "webhook", "POST", "application/x-www-form-urlencoded", "{\"a\":1}", "{\"a\":1}" },
	{ "webhook", "POST", "image/png", "{\"a\":1}", "{\"a\":1}" },
	{ "webhook", "POST", "application/json", "\xef\xbb\xbf{\"a\":1}", "{\"a\":1}" },
	{ "webhook", "POST", "application/x-www-form-urlencoded", "a=1&b=x+y%21", "{\"a\":\"1\",\"b\":\"x y!\"}" },
	{ "webhook", "POST", "application/x-www-form-urlencoded", "a=%ff", "{\"a\":\"\xef\xbf\xbd\"}" },
	{ "webhook", "POST", "application/x-www-form-urlencoded", "justtext", "{\"justtext\":\"\"}" },
	{ "webhook", "POST", "", "a=1", "{\"a\":\"1\"}" },
	{ "webhook", "POST", "application/json", "a=1", "{\"a\":\"1\"}" },
	{ "webhook", "POST", "application/json", "", NULL, "body" },
	{ "webhook", "POST", "application/json", "  \r\n", NULL, "body" },
	{ "webhook", "POST", "application/json", "\"text\"", NULL, "body" },
	{ "webhook", "POST", "text/plain", "all is well", NULL, "body" },
	{ "webhook", "POST", "application/xml", "<a/>", NULL, "content-type" },
	{ "webhook", "POST", "multipart/form-data", "--x\r\n", NULL, "content-type" },
	{ "webhook", "POST", "application/json", "{\"a\":", NULL, "" },
	{ "webhook", "POST", "application/json", "{\"a\":1} {\"b\":2}", NULL, "" },
	{ "webhook", "POST", "application/json", "{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}" },	/* the last wins in look-ups */

	{ "prometheus", "POST", "application/x-www-form-urlencoded", "a=1", NULL, "content-type" },
	{ "prometheus", "POST", "", "a=1", NULL, "body" },
	{ "prometheus", "GET", "", "", NULL, "body" },

	{ "uptime-kuma", "POST", FORM_DATA "x", "--x\r\n" DATA "{\"a\":1}\r\n--x--\r\n", "{\"a\":1}" },
	{ "uptime-kuma", "POST", FORM_DATA "\"x y\"; charset=utf-8", "preamble\r\n--x y\r\nContent-Type: text/plain\r\n" DATA "{\"a\":1}\r\n--x y--",
		"{\"a\":1}" },
	{ "uptime-kuma", "POST", FORM_DATA "x", "--x\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n{}\r\n--x\r\n" DATA "[\"--x\"]\r\n--x--",
		"[\"--x\"]" },
	{ "uptime-kuma", "POST", FORM_DATA "x", "--x\r\n" DATA "nonsense\r\n--x--\r\n", NULL, "" },
	{ "uptime-kuma", "POST", FORM_DATA "x", "--x\r\n" DATA "{\"a\":1}", NULL, "data" },
	{ "uptime-kuma", "POST", FORM_DATA "y", "--x\r\n" DATA "{\"a\":1}\r\n--x--\r\n", NULL, "data" },
	{ "uptime-kuma", "POST", FORM_DATA "x", "--x--\r\n" DATA "{\"a\":1}\r\n--x--\r\n", NULL, "data" },
	{ "uptime-kuma", "POST", FORM_DATA "x", "--x\r\nContent-Disposition: form-data; filename=\"data\"\r\n\r\n{}\r\n--x--\r\n", NULL, "data" },
	{ "uptime-kuma", "POST", "multipart/form-data", "--\r\n" DATA "{\"a\":1}\r\n----\r\n", NULL, "data" },

	{ "github", "POST", "application/x-www-form-urlencoded", "payload=%7B%22a%22%3A1%7D", "{\"a\":1}" },
	{ "github", "POST", "application/x-www-form-urlencoded", "x=1", NULL, "payload" },
	{ "github", "POST", "application/x-www-form-urlencoded", "payload=nonsense", NULL, "" },
	{ "github", "POST", "application/json", "{\"a\":1}", "{\"a\":1}" },
};

static struct str written(struct arena *a, const struct json *doc)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, 65536);
	json_out_init(&o, &b);
	json_tree(&o, doc);
	return strbuf_str(&b);
}

START_TEST(test_rows)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct header h = { STR("content-type"), str_of(rows[_i].type) };
	struct str type = h.value;
	struct inbound in = test_inbound(rows[_i].body, &h, 1);
	struct err e = { 0 };
	bool ok;

	in.method = str_of(rows[_i].method);
	in.content_type = str_until(&type, ';');
	ok = inbound_parse(provider_find(str_of(rows[_i].slug)), a, &in, &e);
	ck_assert_msg(ok == (rows[_i].want != NULL), "row %d: %s", _i, e.text);
	if (ok) {
		unit_str(written(a, in.doc), rows[_i].want);
	} else {
		ck_assert_int_eq(e.code, ERR_INVALID);
		ck_assert_str_eq(e.field, rows[_i].field);
	}
	arena_free(a);
}
END_TEST

/* A provider of our own: bodies that none of the first four takes. */
START_TEST(test_query_and_empty)
{
	static const struct provider p = { .slug = "own", .bodies = BODY_QUERY | BODY_EMPTY };
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct inbound in = test_inbound("", NULL, 0);
	struct err e = { 0 };

	in.query = STR("alertType=1&key=0123&monitorID=7&access_token=x");
	ck_assert(inbound_parse(&p, a, &in, &e));
	unit_str(written(a, in.doc), "{}");
	in.method = STR("GET");
	ck_assert(inbound_parse(&p, a, &in, &e));
	unit_str(written(a, in.doc), "{\"alertType\":\"1\",\"monitorID\":\"7\"}");
	arena_free(a);
}
END_TEST

/* '<' makes it XML where the provider sends that, whatever the header says. */
START_TEST(test_xml)
{
	static const struct provider p = { .slug = "own", .bodies = BODY_XML | BODY_JSON };
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct inbound in = test_inbound("\xef\xbb\xbf\n<a><b>1</b></a>", NULL, 0);
	struct err e = { 0 };

	in.content_type = STR("application/json");
	ck_assert(inbound_parse(&p, a, &in, &e));
	unit_str(written(a, in.doc), "{\"a\":{\"b\":\"1\"}}");
	in.body = STR("no XML");
	in.content_type = STR("text/xml");
	ck_assert(!inbound_parse(&p, a, &in, &e));
	ck_assert_str_eq(e.field, "body");
	in.body = STR("{\"a\":1}");
	ck_assert(inbound_parse(&p, a, &in, &e));
	unit_str(written(a, in.doc), "{\"a\":1}");
	arena_free(a);
}
END_TEST

START_TEST(test_form_is_bounded)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct inbound in;
	struct strbuf b;
	struct err e = { 0 };

	strbuf_init(&b, a, 65536);
	for (int i = 0; i < 1001; i++)
		strbuf_adds(&b, "a=1&");
	in = test_inbound(arena_cstr(a, strbuf_str(&b)), NULL, 0);
	ck_assert(!inbound_parse(provider_find(STR("webhook")), a, &in, &e));
	ck_assert_str_eq(e.field, "body");
	arena_free(a);
}
END_TEST

UNIT_MAIN("parse", UNIT_ROWS(test_rows, rows), UNIT(test_query_and_empty), UNIT(test_xml),
	UNIT(test_form_is_bounded))
