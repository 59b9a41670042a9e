#include "unit.h"

#include "grapnel/json.h"

static const struct {
	const char *json, *want;
} rows[] = {
	{ "", "" },
	{ "1", "1" },
	{ "{}", "{}" },
	{ " [ ] ", "[]" },
	{ "{\"a\":1,\"b\":[]}", "{\n  \"a\": 1,\n  \"b\": []\n}" },
	{ "[1, 2 ,{\"x\" : null}]", "[\n  1,\n  2,\n  {\n    \"x\": null\n  }\n]" },
	{ "{\"a\":{}, \"a\":1.0e+007}", "{\n  \"a\": {},\n  \"a\": 1.0e+007\n}" },	/* as it was sent */
	{ "[[[true]]]", "[\n  [\n    [\n      true\n    ]\n  ]\n]" },
	{ "[\"a,b:{}[]\",\"q\\\"\\\\\",\"\\u0041\"]", "[\n  \"a,b:{}[]\",\n  \"q\\\"\\\\\",\n  \"\\u0041\"\n]" },
	{ "[\"<script>\",\"\xc3\xa4\"]", "[\n  \"<script>\",\n  \"\xc3\xa4\"\n]" },
	/* what is none costs no more than its bytes */
	{ "]]}", "\n]\n]\n}" },
	{ "[\"open", "[\n  \"open" },
	{ "[\"\\", "[\n  \"\\" },
	{ ",,", ",\n,\n" },
};

START_TEST(test_rows)
{
	struct arena *a = arena_new(1 << 16);
	struct strbuf b;

	strbuf_init(&b, a, 1000);
	json_indent(&b, str_of(rows[_i].json));
	unit_str(strbuf_str(&b), rows[_i].want);
	arena_free(a);
}
END_TEST

START_TEST(test_stops_at_the_maximum)
{
	struct arena *a = arena_new(1 << 16);
	struct strbuf b;

	strbuf_init(&b, a, 10);
	json_indent(&b, STR("[1,2,3,4]"));
	ck_assert(b.failed);
	unit_str(strbuf_str(&b), "[\n  1,\n  2");
	arena_free(a);
}
END_TEST

UNIT_MAIN("json_indent", UNIT_ROWS(test_rows, rows), UNIT(test_stops_at_the_maximum))
