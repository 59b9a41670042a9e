/* Rows from RFC 8259 and from Nicolas Seriot's "Parsing JSON is a Minefield" (2016). A tree is compared as json_write
 * writes it. */
#include "unit.h"

#include "grapnel/json.h"

static struct str written(struct arena *a, const struct json *j)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, 1 << 20);
	json_out_init(&o, &b);
	json_tree(&o, j);
	ck_assert(!b.failed);
	return strbuf_str(&b);
}

static const struct {
	const char *text;
	const char *want;	/* NULL = ERR_INVALID */
} rows[] = {
	/* RFC 8259 section 13 */
	{ "{\"Image\": {\"Width\": 800, \"Animated\" : false, \"IDs\": [116, 943, 234, 38793]}}",
		"{\"Image\":{\"Width\":800,\"Animated\":false,\"IDs\":[116,943,234,38793]}}" },
	{ "\"Hello world!\"", "\"Hello world!\"" },
	{ "42", "42" },
	{ "true", "true" },
	{ " \t\r\nnull ", "null" },
	{ "[]", "[]" },
	{ "{}", "{}" },
	{ "[[],{}]", "[[],{}]" },
	/* numbers keep their digits */
	{ "[9007199254740993, 12345678901234567890123]", "[9007199254740993,12345678901234567890123]" },
	{ "[1E400, -0, 0.10, 1e-7, -123.456E+78]", "[1E400,-0,0.10,1e-7,-123.456E+78]" },
	{ "[01]", NULL },
	{ "[-]", NULL },
	{ "[-01]", NULL },
	{ "[1.]", NULL },
	{ "[.5]", NULL },
	{ "[1e]", NULL },
	{ "[+1]", NULL },
	{ "[0x1]", NULL },
	{ "[NaN]", NULL },
	{ "[-Infinity]", NULL },
	/* strings */
	{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
	{ "\"\\u0041\\u00e4\\u20AC\"", "\"A\xc3\xa4\xe2\x82\xac\"" },
	{ "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"" },
	{ "\"a\\u0000b\"", "\"a\\u0000b\"" },
	{ "\"\\udc00x\"", "\"\xef\xbf\xbdx\"" },	/* half a pair: section 8.2 */
	{ "\"\\ud800x\"", "\"?x\"" },
	{ "{\"\\udc00\":1}", "{\"\xef\xbf\xbd\":1}" },
	{ "\"\\u2028\"", "\"\\u2028\"" },
	{ "\"\x7f\"", "\"\x7f\"" },
	{ "\"\xe2\x82\xac\"", "\"\xe2\x82\xac\"" },
	{ "\"tab\there\"", NULL },
	{ "\"line\nbreak\"", NULL },
	{ "\"\\x41\"", NULL },
	{ "\"\\u12g4\"", NULL },
	{ "\"\\u123\"", NULL },
	{ "\"\\", NULL },
	{ "\"abc", NULL },
	{ "'abc'", NULL },
	{ "[\"\xff\"]", NULL },
	{ "[\"\xc0\x80\"]", NULL },
	{ "[\"\xed\xa0\x80\"]", NULL },
	{ "[\"\xe2\x82\"]", NULL },
	/* structure */
	{ "[1,2,]", NULL },
	{ "[,1]", NULL },
	{ "[1 2]", NULL },
	{ "[1", NULL },
	{ "[", NULL },
	{ "]", NULL },
	{ "{\"a\":1,}", NULL },
	{ "{\"a\"}", NULL },
	{ "{\"a\":}", NULL },
	{ "{a:1}", NULL },
	{ "{1:1}", NULL },
	{ "{\"a\":1", NULL },
	{ "[}", NULL },
	{ "{]", NULL },
	{ "", NULL },
	{ "   ", NULL },
	{ "nul", NULL },
	{ "nulll", NULL },
	{ "True", NULL },
	{ "1 2", NULL },
	{ "{} {}", NULL },
	{ "\"\"\"", NULL },
	{ "{} \"x", NULL },
	{ "[1]\"x]", NULL },
	{ "{} tru", NULL },
	{ "{} -", NULL },
	{ "[1]x", NULL },
	{ "[1] // x", NULL },
	{ "/* x */ [1]", NULL },
	/* byte order mark: passed over in front, nowhere else */
	{ "\xef\xbb\xbf{\"a\":1}", "{\"a\":1}" },
	{ "\xef\xbb\xbf", NULL },
	{ "\xef\xbb\xbf\xef\xbb\xbf{}", NULL },
	{ "\xfe\xff\x7b\x7d", NULL },
	/* equal names: all are kept in order, see test_last_name_wins */
	{ "{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}" },
	{ "{\"\":0}", "{\"\":0}" },
};

START_TEST(test_rows)
{
	struct arena *a = arena_new(1 << 24);
	const struct json *j = NULL;
	struct err e = { 0 };
	bool ok = json_parse(a, str_of(rows[_i].text), &j, &e);

	ck_assert_msg(ok == (rows[_i].want != NULL), "%s: %s", rows[_i].text, e.text);
	if (ok)
		unit_str(written(a, j), rows[_i].want);
	else
		ck_assert_int_eq(e.code, ERR_INVALID);
	arena_free(a);
}
END_TEST

START_TEST(test_raw_nul_is_refused)
{
	struct arena *a = arena_new(1 << 20);
	const struct json *j;
	struct err e = { 0 };

	ck_assert(!json_parse(a, STR("[1]\0"), &j, &e));
	ck_assert(!json_parse(a, STR("[\0]"), &j, &e));
	ck_assert(!json_parse(a, STR("\"a\0b\""), &j, &e));
	arena_free(a);
}
END_TEST

START_TEST(test_position)
{
	struct arena *a = arena_new(1 << 20);
	const struct json *j;
	struct err e = { 0 };

	ck_assert(!json_parse(a, STR("{\"a\": 1, \"b\" 2}"), &j, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "at byte 14"));
	ck_assert(!json_parse(a, STR("\xef\xbb\xbf{\"a\": 1, \"b\" 2}"), &j, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "at byte 17"));
	ck_assert(!json_parse(a, STR("[\"abc\xff\"]"), &j, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "at byte 5"));
	ck_assert(!json_parse(a, STR("[1,2"), &j, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "at byte 4"));
	arena_free(a);
}
END_TEST

static char *nested(size_t depth, const char *open, const char *close, size_t *n)
{
	size_t o = strlen(open), c = strlen(close);
	char *text = xmalloc(depth * (o + c) + 1);

	for (size_t i = 0; i < depth; i++) {
		memcpy(text + i * o, open, o);
		memcpy(text + depth * o + i * c, close, c);
	}
	*n = depth * (o + c);
	return text;
}

static const struct {
	size_t depth;
	const char *open, *close;
	bool ok;
} depths[] = {
	{ JSON_DEPTH_MAX, "[", "]", true },
	{ JSON_DEPTH_MAX + 1, "[", "]", false },
	{ JSON_DEPTH_MAX + 1, "{\"a\":", "}", false },
	{ 300000, "[", "]", false },	/* crashed yajl_tree_free */
	{ 300000, "[", "", false },
	{ 300000, "{\"a\":", "", false },
};

START_TEST(test_depth)
{
	struct arena *a = arena_new(1 << 24);
	const struct json *j;
	struct err e = { 0 };
	size_t n;
	char *text = nested(depths[_i].depth, depths[_i].open, depths[_i].close, &n);

	ck_assert(json_parse(a, (struct str){ text, n }, &j, &e) == depths[_i].ok);
	ck_assert_int_eq(e.code, depths[_i].ok ? ERR_NONE : ERR_LIMIT);
	free(text);
	arena_free(a);
}
END_TEST

/* The limit of values, and that the time for so many members of one parent is not quadratic: it would be minutes. */
START_TEST(test_count)
{
	struct arena *a = arena_new(1 << 28);
	struct strbuf b;
	const struct json *j;
	struct err e = { 0 };

	strbuf_init(&b, a, 1 << 24);
	strbuf_addc(&b, '{');
	for (int i = 1; i < JSON_NODES_MAX; i++)
		strbuf_addf(&b, "%s\"k%d\":%d", i == 1 ? "" : ",", i, i);
	strbuf_addc(&b, '}');
	ck_assert(json_parse(a, strbuf_str(&b), &j, &e));
	ck_assert_uint_eq(j->count, JSON_NODES_MAX - 1);
	unit_str(json_text(json_get(j, "k199999")), "199999");

	b.n--;
	strbuf_adds(&b, ",\"one more\":1}");
	ck_assert(!json_parse(a, strbuf_str(&b), &j, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	arena_free(a);
}
END_TEST

/* What needs no decoding is not copied. */
START_TEST(test_views)
{
	struct arena *a = arena_new(1 << 20);
	struct str text = STR("{\"a\":\"plain\",\"b\":12,\"c\":\"esc\\n\"}");
	const struct json *j;
	struct err e = { 0 };

	ck_assert(json_parse(a, text, &j, &e));
	ck_assert_ptr_eq(json_get(j, "a")->text.p, text.p + 6);
	ck_assert_ptr_eq(json_get(j, "b")->text.p, text.p + 17);
	unit_str(json_get(j, "c")->text, "esc\n");
	/* A number at the very end is read by yajl from a buffer of its own. */
	ck_assert(json_parse(a, STR("123"), &j, &e));
	unit_str(j->text, "123");
	arena_free(a);
}
END_TEST

/* What templates send: NULL = an error, at `at`. */
static const struct {
	const char *text, *want;
	const char *at;
} loose[] = {
	{ "{\"a\": 1}", "{\"a\":1}", NULL },
	{ "[1, 2]", "[1,2]", NULL },
	{ "[[1]]", "[[1]]", NULL },
	{ "\"text\"", "\"text\"", NULL },
	{ " 5 ", "5", NULL },
	/* control characters in strings */
	{ "{\"a\": \"two\nlines\r\n\tand\x01\"}", "{\"a\":\"two\\nlines\\r\\n\\tand\\u0001\"}", NULL },
	{ "{\"two\nlines\": \"a \\\"b\\\" \\\\\"}", "{\"two\\nlines\":\"a \\\"b\\\" \\\\\"}", NULL },
	{ "\"\n\"", "\"\\n\"", NULL },
	{ "{\"a\":\n\"{\n}\"\n}", "{\"a\":\"{\\n}\"}", NULL },
	/* several documents */
	{ "{}{}", "[{},{}]", NULL },
	{ "{\"a\":1}\n{\"a\":[2,{\"b\":3}]}\n", "[{\"a\":1},{\"a\":[2,{\"b\":3}]}]", NULL },
	{ "{\"a\":1},{\"a\":2},\n{\"a\":3},", "[{\"a\":1},{\"a\":2},{\"a\":3}]", NULL },
	{ "[1][2]", "[[1],[2]]", NULL },
	{ "\xef\xbb\xbf{\"a\":\"\n\"}{}", "[{\"a\":\"\\n\"},{}]", NULL },
	/* what stays wrong, and where */
	{ "{\"a\": \"say \"no\"\"}", NULL, "at byte 13" },
	{ "{\"a\": \"\n\n\", \"b\" 2}", NULL, "at byte 17" },
	{ "{\"a\": 1} {\"b\" 2}", NULL, "at byte 15" },
	{ "{\"a\": 1", NULL, "at byte 7" },
	{ "{\"a\": \"", NULL, "at byte 7" },
	{ "{\"a\": \"\\", NULL, "at byte 8" },
	{ "{\"a\": \"\\\n\"}", NULL, "at byte 8" },
	{ "[1]]", NULL, "at byte 4" },
	{ "{}}", NULL, "at byte 3" },
	{ "{} 5", NULL, "at byte 4" },
	{ "5 {}", NULL, "at byte 3" },
	{ "  ", NULL, "empty" },
};

START_TEST(test_loose)
{
	struct arena *a = arena_new(1 << 24);
	const struct json *j = NULL;
	struct err e = { 0 };
	bool ok = json_parse_loose(a, str_of(loose[_i].text), &j, &e);

	ck_assert_msg(ok == (loose[_i].want != NULL), "%s: %s", loose[_i].text, e.text);
	if (ok)
		unit_str(written(a, j), loose[_i].want);
	else
		ck_assert_msg(strstr(e.text, loose[_i].at) != NULL, "%s: %s", loose[_i].text, e.text);
	arena_free(a);
}
END_TEST

START_TEST(test_loose_limits)
{
	struct arena *a = arena_new(1 << 24);
	const struct json *j;
	struct err e = { 0 };
	size_t n;
	char *text = nested(JSON_DEPTH_MAX - 1, "[", "]", &n);

	ck_assert(json_parse_loose(a, (struct str){ text, n }, &j, &e));
	free(text);
	text = nested(JSON_DEPTH_MAX, "[", "]", &n);
	ck_assert(!json_parse_loose(a, (struct str){ text, n }, &j, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	free(text);
	arena_free(a);
}
END_TEST

/* What is mended often is not read anew each time. */
START_TEST(test_loose_many)
{
	static char text[1000000];
	struct arena *a = arena_new(1 << 26);
	const struct json *j;
	struct err e = { 0 };

	memset(text, '\n', sizeof(text));
	text[0] = text[sizeof(text) - 1] = '"';
	ck_assert(json_parse_loose(a, (struct str){ text, sizeof(text) }, &j, &e));
	ck_assert_uint_eq(j->text.n, sizeof(text) - 2);
	text[sizeof(text) - 2] = '"';
	ck_assert(!json_parse_loose(a, (struct str){ text, sizeof(text) }, &j, &e));
	ck_assert_msg(strstr(e.text, "at byte 1000000") != NULL, "%s", e.text);
	arena_free(a);
}
END_TEST

UNIT_MAIN("json_read", UNIT_ROWS(test_rows, rows), UNIT(test_raw_nul_is_refused), UNIT(test_position),
	UNIT_ROWS(test_depth, depths), UNIT(test_count), UNIT(test_views),
	UNIT_ROWS(test_loose, loose), UNIT(test_loose_limits), UNIT(test_loose_many))
