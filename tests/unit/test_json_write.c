#include "unit.h"

#include <math.h>

#include "grapnel/json.h"

static struct arena *arena;
static struct strbuf b;
static struct json_out o;

static void begin(void)
{
	arena = arena_new(1 << 24);
	strbuf_init(&b, arena, 1 << 16);
	json_out_init(&o, &b);
}

static void expect(const char *want)
{
	ck_assert_uint_eq(o.depth, 0);
	unit_str(strbuf_str(&b), want);
	arena_free(arena);
}

START_TEST(test_values)
{
	begin();
	json_open(&o, '{');
	json_key(&o, "text");
	json_str(&o, STR("x"));
	json_key(&o, "none");
	json_strz(&o, NULL);
	json_key(&o, "list");
	json_open(&o, '[');
	json_u64(&o, UINT64_MAX);
	json_i64(&o, INT64_MIN);
	json_id(&o, UINT64_C(9223372036854775807));
	json_id(&o, 0);
	json_open(&o, '{');
	json_close(&o, '}');
	json_open(&o, '[');
	json_close(&o, ']');
	json_bool(&o, true);
	json_bool(&o, false);
	json_close(&o, ']');
	json_key(&o, "at");
	json_time(&o, 1767323045678);
	json_key(&o, "never");
	json_time(&o, 0);
	json_key(&o, "rate");
	json_rate(&o, 99.999);
	json_key(&o, "nan");
	json_rate(&o, (double)NAN);
	json_key(&o, "raw");
	json_raw(&o, STR("{\"a\":[]}"));
	json_key(&o, "");
	json_raw(&o, STR_NONE);
	json_close(&o, '}');
	expect("{\"text\":\"x\",\"none\":null,\"list\":[18446744073709551615,-9223372036854775808,\"9223372036854775807\","
		"null,{},[],true,false],\"at\":\"2026-01-02T03:04:05.678Z\",\"never\":null,\"rate\":100.00,\"nan\":null,"
		"\"raw\":{\"a\":[]},\"\":null}");
}
END_TEST

static const struct {
	const char *text, *want;
} escapes[] = {
	{ "", "\"\"" },
	{ "plain", "\"plain\"" },
	{ "\"\\/", "\"\\\"\\\\/\"" },
	{ "\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"" },
	{ "\xc3\xa4\xf0\x9f\x98\x80", "\"\xc3\xa4\xf0\x9f\x98\x80\"" },
	{ "a\xe2\x80\xa8" "b\xe2\x80\xa9", "\"a\\u2028b\\u2029\"" },
	{ "\xe2\x80\xa7\xe2\x80\xaa", "\"\xe2\x80\xa7\xe2\x80\xaa\"" },
	{ "a\xff", "\"a\xef\xbf\xbd\"" },
	{ "\xc3(", "\"\xef\xbf\xbd(\"" },
	{ "\xe2\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },	/* each byte */
	{ "</script>", "\"</script>\"" },
};

START_TEST(test_escapes)
{
	begin();
	json_str(&o, str_of(escapes[_i].text));
	expect(escapes[_i].want);
}
END_TEST

START_TEST(test_nul)
{
	begin();
	json_str(&o, STR("a\0b"));
	expect("\"a\\u0000b\"");
}
END_TEST

struct thing {
	struct str name, none, details, empty;
	uint64_t count, id, no_id;
	int64_t signed_count;
	bool test;
	ms_t at, never;
	double rate;
};

static const struct field fields[] = {
	FIELD_STR(struct thing, name, "name", ""),
	FIELD_STR(struct thing, none, "none", ""),
	FIELD_JSON(struct thing, details, "details", ""),
	FIELD_JSON(struct thing, empty, "empty", ""),
	FIELD_U64(struct thing, count, "count", ""),
	FIELD_I64(struct thing, signed_count, "signedCount", ""),
	FIELD_ID(struct thing, id, "id", ""),
	FIELD_ID(struct thing, no_id, "noId", ""),
	FIELD_BOOL(struct thing, test, "isTest", ""),
	FIELD_TIME(struct thing, at, "at", ""),
	FIELD_TIME(struct thing, never, "never", ""),
	FIELD_RATE(struct thing, rate, "rate", ""),
	FIELD_NUMBER(struct thing, rate, "number", ""),
	FIELD_END
};

START_TEST(test_fields)
{
	struct thing t = {
		.name = STR("n"), .details = STR("{}"), .count = 3, .id = 77, .signed_count = -3, .test = true,
		.at = 1000, .rate = 0.5,
	};

	begin();
	json_open(&o, '{');
	json_fields(&o, fields, &t);
	json_close(&o, '}');
	expect("{\"name\":\"n\",\"none\":null,\"details\":{},\"empty\":null,\"count\":3,\"signedCount\":-3,\"id\":\"77\","
		"\"noId\":null,\"isTest\":true,\"at\":\"1970-01-01T00:00:01.000Z\",\"never\":null,\"rate\":0.50,\"number\":0.5}");
}
END_TEST

START_TEST(test_rows)
{
	static const struct field two[] = { FIELD_STR(struct thing, name, "name", ""), FIELD_U64(struct thing, count, "count", ""), FIELD_END };
	const struct thing rows[] = { { .name = STR("a"), .count = 1 }, { .count = 2 } };

	begin();
	json_rows(&o, two, rows, sizeof(*rows), ARRAY_SIZE(rows));
	expect("[{\"name\":\"a\",\"count\":1},{\"name\":null,\"count\":2}]");
	begin();
	json_rows(&o, two, NULL, sizeof(*rows), 0);
	expect("[]");
}
END_TEST

/* What was written comes back, but for what a tree cannot say. */
START_TEST(test_fields_read)
{
	static const struct field back[] = {
		FIELD_STR(struct thing, name, "name", ""),
		FIELD_STR(struct thing, none, "none", ""),
		FIELD_U64(struct thing, count, "count", ""),
		FIELD_I64(struct thing, signed_count, "signedCount", ""),
		FIELD_ID(struct thing, id, "id", ""),
		FIELD_ID(struct thing, no_id, "noId", ""),
		FIELD_BOOL(struct thing, test, "isTest", ""),
		FIELD_TIME(struct thing, at, "at", ""),
		FIELD_TIME(struct thing, never, "never", ""),
		FIELD_NUMBER(struct thing, rate, "number", ""),
		FIELD_END
	};
	const struct thing t = { .name = STR("\"ü\n"), .count = UINT64_MAX, .id = 77, .signed_count = -3, .test = true, .at = 1234567890123,
		.rate = 0.9496 };
	struct thing got = { .none = STR("kept"), .no_id = 5 };
	const struct json *j;
	struct err e = { 0 };

	begin();
	json_open(&o, '{');
	json_fields(&o, back, &t);
	json_close(&o, '}');
	ck_assert(json_parse(arena, strbuf_str(&b), &j, &e));
	ck_assert(json_fields_read(j, back, &got));
	ck_assert(str_eq(got.name, t.name));
	ck_assert(str_eqs(got.none, "kept"));
	ck_assert(got.count == UINT64_MAX && got.signed_count == -3 && got.id == 77 && got.no_id == 5 && got.test);
	ck_assert(got.at == t.at && got.never == 0 && got.rate == 0.9496);
	ck_assert(json_parse(arena, STR("{\"count\":-1}"), &j, &e));
	ck_assert(!json_fields_read(j, back, &got));
	ck_assert(json_parse(arena, STR("{\"name\":[]}"), &j, &e));
	ck_assert(!json_fields_read(j, back, &got));
	ck_assert(json_parse(arena, STR("[]"), &j, &e));
	ck_assert(!json_fields_read(j, back, &got));
	arena_free(arena);
}
END_TEST

/* A file of our own that somebody may have touched. */
START_TEST(test_fields_read_all)
{
	static const struct field back[] = {
		FIELD_STR(struct thing, name, "name", ""),
		FIELD_U64(struct thing, count, "count", ""),
		FIELD_TIME(struct thing, at, "at", ""),
		FIELD_JSON(struct thing, none, "detail", ""),
		FIELD_END
	};
	static const struct {
		const char *text, *why;		/* why NULL: it can be read */
	} rows[] = {
		{ "{\"name\":\"\",\"count\":7,\"at\":null,\"detail\":{\"a\":[1,\"\\u00fc\"]}}", NULL },
		{ "{\"at\":\"2009-02-13T23:31:30.123Z\",\"detail\":null,\"count\":0,\"name\":null}", NULL },
		{ "{\"name\":\"x\",\"count\":7,\"at\":null}", "detail is missing" },
		{ "{\"name\":\"x\",\"count\":7,\"at\":null,\"detail\":null,\"more\":1}", "members that nobody knows" },
		{ "{\"name\":\"x\",\"count\":7,\"count\":7,\"at\":null,\"detail\":null}", "members that nobody knows" },
		{ "{\"name\":\"x\",\"count\":null,\"at\":null,\"detail\":null}", "count is of another kind" },
		{ "{\"name\":\"x\",\"count\":-7,\"at\":null,\"detail\":null}", "count is of another kind" },
		{ "{\"name\":5,\"count\":7,\"at\":null,\"detail\":null}", "name is of another kind" },
		{ "{\"name\":\"x\",\"count\":7,\"at\":\"soon\",\"detail\":null}", "at is of another kind" },
		{ "[]", "no object" },
	};
	struct thing got;
	const struct json *j;

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err e = { 0 };
		bool ok;

		got = (struct thing){ 0 };
		ck_assert(json_parse(arena, str_of(rows[i].text), &j, &e));
		ok = json_fields_read_all(arena, j, back, false, &got, &e);
		ck_assert_msg(ok == !rows[i].why, "row %zu: %s", i, e.text);
		ck_assert_msg(ok || (e.code == ERR_INVALID && strstr(e.text, rows[i].why)), "row %zu: %s", i, e.text);
		if (i == 0)
			ck_assert(got.name.p && !got.name.n && got.count == 7 && !got.at && str_eqs(got.none, "{\"a\":[1,\"ü\"]}"));
		if (i == 1)
			ck_assert(!got.name.p && !got.none.n && got.at == 1234567890123);
		if (!rows[i].why || strstr(rows[i].why, "is missing")) {	/* an older one lacks what was thought of later */
			got = (struct thing){ 0 };
			ck_assert_msg(json_fields_read_all(arena, j, back, true, &got, &e), "row %zu: %s", i, e.text);
			ck_assert(got.count == 7 || i == 1);
		} else {
			ck_assert_msg(!json_fields_read_all(arena, j, back, true, &got, &e), "row %zu", i);
		}
	}
	arena_free(arena);
}
END_TEST

START_TEST(test_tree)
{
	struct err e = { 0 };
	const struct json *j;

	begin();
	ck_assert(json_parse(arena, STR("{ \"a\" : [1.50, null, true, \"x\\ny\", {}], \"b\":{\"\\u0001\":-1e5} }"), &j, &e));
	json_open(&o, '[');
	json_tree(&o, j);
	json_tree(&o, NULL);
	json_close(&o, ']');
	expect("[{\"a\":[1.50,null,true,\"x\\ny\",{}],\"b\":{\"\\u0001\":-1e5}},null]");
}
END_TEST

/* A document of the deepest kind fits inside an answer. */
START_TEST(test_deep)
{
	char text[2 * JSON_DEPTH_MAX + 1];
	struct err e = { 0 };
	const struct json *j;

	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	begin();
	ck_assert(json_parse(arena, (struct str){ text, 2 * JSON_DEPTH_MAX }, &j, &e));
	for (int i = 0; i < 7; i++)
		json_open(&o, '[');
	json_tree(&o, j);
	for (int i = 0; i < 7; i++)
		json_close(&o, ']');
	ck_assert_uint_eq(b.n, 2 * JSON_DEPTH_MAX + 14);
	arena_free(arena);
}
END_TEST

static void too_deep(void)
{
	begin();
	for (int i = 0; i < 100; i++)
		json_open(&o, '[');
}

static void too_many_closed(void)
{
	begin();
	json_close(&o, ']');
}

START_TEST(test_nesting_is_asserted)
{
	ck_assert(unit_dies(too_deep));
	ck_assert(unit_dies(too_many_closed));
}
END_TEST

UNIT_MAIN("json_write", UNIT(test_values), UNIT_ROWS(test_escapes, escapes), UNIT(test_nul), UNIT(test_fields), UNIT(test_rows), UNIT(test_fields_read), UNIT(test_fields_read_all), UNIT(test_tree),
	UNIT(test_deep), UNIT(test_nesting_is_asserted))
