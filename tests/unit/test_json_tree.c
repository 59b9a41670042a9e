#include "unit.h"

#include "grapnel/json.h"

static const struct json *parsed(struct arena *a, const char *text)
{
	const struct json *j = NULL;
	struct err e = { 0 };

	ck_assert_msg(json_parse(a, str_of(text), &j, &e), "%s", e.text);
	return j;
}

/* The document of RFC 6901 section 5. */
static const char document[] =
	"{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8,"
	"\"deep\":{\"list\":[{\"x\":9}],\"\":{\"\":10}},\"~1\":11}";

static const struct {
	const char *pointer;
	const char *want;	/* NULL = not there */
} pointers[] = {
	{ "/foo/0", "bar" },
	{ "/foo/1", "baz" },
	{ "/", "0" },
	{ "/a~1b", "1" },
	{ "/c%d", "2" },
	{ "/e^f", "3" },
	{ "/g|h", "4" },
	{ "/i\\j", "5" },
	{ "/k\"l", "6" },
	{ "/ ", "7" },
	{ "/m~0n", "8" },
	{ "/deep/list/0/x", "9" },
	{ "/deep//", "10" },
	{ "/~01", "11" },	/* section 4: ~01 is "~1", not "/" */
	{ "/foo/2", NULL },
	{ "/foo/-", NULL },
	{ "/foo/00", NULL },	/* section 4: no leading zeros */
	{ "/foo/01", NULL },
	{ "/foo/+1", NULL },
	{ "/foo/", NULL },
	{ "/foo/18446744073709551616", NULL },
	{ "/foo/0/x", NULL },
	{ "/nope", NULL },
	{ "/nope/deeper", NULL },
	{ "/m~n", NULL },	/* a bare ~ is a syntax error, which here is "not there" */
	{ "/m~2n", NULL },
	{ "/m~", NULL },
	{ "foo", NULL },
};

START_TEST(test_pointer)
{
	struct arena *a = arena_new(1 << 20);
	const struct json *j = json_at(parsed(a, document), str_of(pointers[_i].pointer));

	ck_assert((j != NULL) == (pointers[_i].want != NULL));
	unit_str(json_text(j), pointers[_i].want);
	arena_free(a);
}
END_TEST

START_TEST(test_pointer_to_all)
{
	struct arena *a = arena_new(1 << 20);
	const struct json *j = parsed(a, document);

	ck_assert_ptr_eq(json_at(j, STR_NONE), j);
	ck_assert_ptr_null(json_at(NULL, STR("/a")));
	ck_assert_ptr_null(json_at(NULL, STR_NONE));
	ck_assert_ptr_null(json_at(parsed(a, "1"), STR("/a")));
	arena_free(a);
}
END_TEST

START_TEST(test_last_name_wins)
{
	struct arena *a = arena_new(1 << 20);
	const struct json *j = parsed(a, "{\"a\":1,\"b\":2,\"a\":3,\"c/\":4,\"c/\":5}");

	unit_str(json_text(json_get(j, "a")), "3");
	unit_str(json_text(json_at(j, STR("/a"))), "3");
	unit_str(json_text(json_at(j, STR("/c~1"))), "5");
	ck_assert_ptr_null(json_get(j, "A"));
	ck_assert_ptr_null(json_get(NULL, "a"));
	ck_assert_ptr_null(json_get(parsed(a, "[1]"), "a"));
	arena_free(a);
}
END_TEST

static const struct {
	const char *json, *want;
} texts[] = {
	{ "\"s\"", "s" },
	{ "\"12.0\"", "12.0" },
	{ "true", "true" },
	{ "false", "false" },
	{ "12345", "12345" },
	{ "12345.0", "12345" },
	{ "12345.000", "12345" },
	{ "-7.0", "-7" },
	{ "0.0", "0" },
	{ "12345.50", "12345.50" },
	{ "1.0e3", "1.0e3" },
	{ "null", NULL },
	{ "[1]", NULL },
	{ "{}", NULL },
};

START_TEST(test_text)
{
	struct arena *a = arena_new(1 << 20);

	unit_str(json_text(parsed(a, texts[_i].json)), texts[_i].want);
	unit_str(json_text(NULL), NULL);
	arena_free(a);
}
END_TEST

START_TEST(test_index)
{
	struct arena *a = arena_new(1 << 20);
	const struct json *j = parsed(a, "[1,2,3]");

	unit_str(json_text(json_index(j, 2)), "3");
	ck_assert_ptr_null(json_index(j, 3));
	ck_assert_ptr_null(json_index(NULL, 0));
	ck_assert_ptr_null(json_index(parsed(a, "{\"0\":1}"), 0));
	ck_assert(json_is(j, JSON_ARRAY));
	ck_assert(!json_is(j, JSON_OBJECT));
	ck_assert(!json_is(NULL, JSON_NULL));
	arena_free(a);
}
END_TEST

START_TEST(test_building)
{
	struct arena *a = arena_new(1 << 20);
	struct json *o = json_new(a, JSON_OBJECT), *l = json_new(a, JSON_ARRAY);

	json_add(o, STR("a"), json_new_str(a, STR("x")));
	json_add(o, STR("l"), l);
	json_add(l, STR("ignored"), json_new_str(a, STR("y")));
	json_add(l, STR_NONE, json_new(a, JSON_NULL));
	ck_assert_uint_eq(o->count, 2);
	unit_str(json_text(json_at(o, STR("/l/0"))), "y");
	unit_str(json_index(l, 0)->name, NULL);
	ck_assert(json_is(json_index(l, 1), JSON_NULL));
	arena_free(a);
}
END_TEST

UNIT_MAIN("json_tree", UNIT_ROWS(test_pointer, pointers), UNIT(test_pointer_to_all), UNIT(test_last_name_wins),
	UNIT_ROWS(test_text, texts), UNIT(test_index), UNIT(test_building))
