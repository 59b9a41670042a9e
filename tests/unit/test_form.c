/* Forms of the API: what each type takes from a body and from a query, and what a refusal says. */
#include "grapnel/form.h"
#include "unit.h"

struct form {
	struct str text, addresses;
	uint64_t number, words;
	ms_t at, until;
	bool flag;
	const struct json *object;
	uint64_t cursor;
	const struct json *list;
	double decimal;
};

static const struct form_word words[] = { { "one", 1 }, { "two", 2 }, { "four", 4 }, { 0 } };

static const struct form_field fields[] = {
	{ "text", TEXT_AT(struct form, text), FORM_REQUIRED, 1, 8 },
	{ "number", NUMBER_AT(struct form, number), FORM_CLAMP | FORM_NULL, 1, 100, .absent = 77 },
	{ "words", WORDS_AT(struct form, words), .words = words },
	{ "flag", BOOL_AT(struct form, flag), FORM_FIXED },
	{ "at", TIME_AT(struct form, at) },
	{ "until", TIME_AT(struct form, until), .after = "at" },
	{ "addresses", ADDRESSES_AT(struct form, addresses) },
	{ "object", OBJECT_AT(struct form, object) },
	CURSOR_ROW(struct form, cursor, "events"),
	{ "list", LIST_AT(struct form, list), .min = 1, .max = 3 },
	{ "decimal", DECIMAL_AT(struct form, decimal), .max = 1000 },
	FORM_END
};

static struct arena *a;
static struct form f;
static struct err e;

static bool read_body(const char *text, enum form_mode mode)
{
	const struct json *j;
	struct err bad = { 0 };

	e = (struct err){ 0 };
	ck_assert_msg(json_parse(a, str_of(text), &j, &bad), "%s: %s", text, bad.text);
	return form_read_json(a, j, fields, mode, &f, &e);
}

static void begin(void)
{
	a = arena_new(16 << 20);
	f = (struct form){ .number = 5, .text = STR("before") };
}

/* ---- bodies ---- */

START_TEST(test_a_whole_form)
{
	begin();
	ck_assert(read_body("{\"text\":\"abc\",\"number\":7,\"words\":[\"one\",\"FOUR\"],\"flag\":true,\"at\":\"1970-01-01T00:00:01Z\","
		"\"addresses\":[\"10.0.0.0/8\",\" ::1 \"],\"object\":{\"x\":1}}",
		FORM_NEW));
	unit_str(f.text, "abc");
	unit_str(f.addresses, "10.0.0.0/8,::1");
	unit_str(json_text(json_get(f.object, "x")), "1");
	ck_assert_uint_eq(f.number, 7);
	ck_assert_uint_eq(f.words, 5);
	ck_assert_int_eq(f.at, 1000);
	ck_assert(f.flag);
	arena_free(a);
}
END_TEST

START_TEST(test_what_is_not_there_stays)
{
	begin();
	ck_assert(read_body("{\"words\":\"two, one\"}", FORM_CHANGE));
	unit_str(f.text, "before");
	ck_assert_uint_eq(f.number, 5);
	ck_assert_uint_eq(f.words, 3);
	ck_assert(read_body("{}", FORM_CHANGE));
	arena_free(a);
}
END_TEST

START_TEST(test_null)
{
	begin();
	ck_assert(read_body("{\"text\":\"x\",\"number\":null,\"addresses\":null,\"object\":null}",
		FORM_NEW));
	ck_assert_uint_eq(f.number, 77);
	ck_assert(f.addresses.p && !f.addresses.n);
	ck_assert_ptr_null(f.object);
	arena_free(a);
}
END_TEST

static const struct {
	const char *body, *field, *text;
	enum form_mode mode;
} refused[] = {
	{ "{}", "text", "text is missing." },
	{ "{\"text\":null}", "text", "text must be a text." },
	{ "{\"text\":\"\"}", "text", "text must not be empty." },
	{ "{\"text\":\"123456789\"}", "text", "text must have at most 8 bytes." },
	{ "{\"text\":5}", "text", "text must be a text." },
	{ "{\"text\":\"a\\u0000\"}", "text", "text must be a text." },
	{ "{\"text\":\"x\",\"number\":0}", "number",
		"number must be a whole number from 1 to 100." },
	{ "{\"text\":\"x\",\"number\":-1}", "number",
		"number must be a whole number from 1 to 100." },
	{ "{\"text\":\"x\",\"number\":1.5}", "number",
		"number must be a whole number from 1 to 100." },
	{ "{\"text\":\"x\",\"number\":1e1}", "number",
		"number must be a whole number from 1 to 100." },
	{ "{\"text\":\"x\",\"number\":\"7\"}", "number",
		"number must be a whole number from 1 to 100." },
	{ "{\"text\":\"x\",\"number\":true}", "number",
		"number must be a whole number from 1 to 100." },
	{ "{\"text\":\"x\",\"words\":\"three\"}", "words", "words must be of: one, two, four." },
	{ "{\"text\":\"x\",\"words\":\"one,,two\"}", "words", "words must be of: one, two, four." },
	{ "{\"text\":\"x\",\"words\":[]}", "words", "words must be of: one, two, four." },
	{ "{\"text\":\"x\",\"words\":[1]}", "words", "words must be of: one, two, four." },
	{ "{\"text\":\"x\",\"words\":true}", "words", "words must be of: one, two, four." },
	{ "{\"text\":\"x\",\"words\":null}", "words", "words must be there, not null." },
	{ "{\"text\":\"x\",\"flag\":\"true\"}", "flag", "flag must be true or false." },
	{ "{\"text\":\"x\",\"flag\":1}", "flag", "flag must be true or false." },
	{ "{\"text\":\"x\",\"flag\":null}", "flag", "flag must be there, not null." },
	{ "{\"flag\":true}", "flag", "flag cannot be changed.", FORM_CHANGE },
	{ "{\"text\":\"x\",\"at\":1}", "at", "at must be a time like 2026-01-02T03:04:05Z." },
	{ "{\"text\":\"x\",\"at\":\"today\"}", "at",
		"at must be a time like 2026-01-02T03:04:05Z." },
	{ "{\"text\":\"x\",\"until\":\"2026-01-02T00:00:00Z\",\"at\":\"2026-01-02T00:00:01Z\"}", "at", "at must not be later than until." },
	{ "{\"text\":\"x\",\"addresses\":[\"10.0.0.0/33\"]}", "addresses",
		"addresses must be addresses or networks like 192.0.2.0/24." },
	{ "{\"text\":\"x\",\"addresses\":[[]]}", "addresses",
		"addresses must be addresses or networks like 192.0.2.0/24." },
	{ "{\"text\":\"x\",\"addresses\":7}", "addresses",
		"addresses must be a list of addresses." },
	{ "{\"text\":\"x\",\"object\":[]}", "object", "object must be an object." },
	{ "{\"text\":\"x\",\"Number\":1}", "Number", "There is no member of that name here." },
	{ "{\"text\":\"x\",\"a-name-that-is-longer-than-any-of-ours-could-ever-be\":1}",
		"a-name-that-is-longer-than-any-of-ours-could-ev",
		"There is no member of that name here." },
};

START_TEST(test_refused)
{
	begin();
	ck_assert_msg(!read_body(refused[_i].body, refused[_i].mode), "%s", refused[_i].body);
	ck_assert_int_eq(e.code, ERR_INVALID);
	ck_assert_str_eq(e.field, refused[_i].field);
	ck_assert_str_eq(e.text, refused[_i].text);
	arena_free(a);
}
END_TEST

START_TEST(test_too_many_addresses)
{
	struct strbuf b;

	begin();
	strbuf_init(&b, a, 100000);
	strbuf_adds(&b, "{\"text\":\"x\",\"addresses\":\"");
	for (int i = 0; i < 1000; i++)
		strbuf_adds(&b, "192.0.2.1,");
	strbuf_adds(&b, "\"}");
	ck_assert(!read_body(arena_cstr(a, strbuf_str(&b)), FORM_NEW));
	ck_assert_str_eq(e.text, "addresses has more than 4096 bytes.");
	arena_free(a);
}
END_TEST

/* ---- queries ---- */

static const struct {
	const char *query;
	bool ok;
	uint64_t number, words;
	const char *field;
} queries[] = {
	{ "", true, 5, 0 },
	{ "number=7&words=one,two", true, 7, 3 },
	{ "number=100000&words=TWO", true, 100, 2 }, /* above the maximum counts as the maximum */
	{ "number=99999999999999999999999", true, 100, 0 },
	{ "number=&words=", true, 5, 0 }, /* a form field left empty */
	{ "number=7&number=8", true, 8, 0 },
	{ "passed=over&number=7&passed=", true, 7, 0 },
	{ "passed2=1", false, 0, 0, "passed2" },
	{ "words=one%2Ctwo&flag=true&at=1970-01-01T00:00:01%2B00:00", true, 5, 3 },
	{ "at=2026-01-02&until=2026-01-02", true, 5, 0 },
	{ "until=2026-01-02&at=2026-01-03", false, 0, 0, "at" },
	{ "until=2026-01-02", true, 5, 0 },
	{ "number=0", false, 0, 0, "number" },
	{ "number=+7", false, 0, 0, "number" },
	{ "number=0x7", false, 0, 0, "number" },
	{ "number=7.0", false, 0, 0, "number" },
	{ "words=three", false, 0, 0, "words" },
	{ "flag=1", false, 0, 0, "flag" },
	{ "text=%ff", false, 0, 0, "text" },
	{ "object=x", false, 0, 0, "object" },
	{ "color=red", false, 0, 0, "color" },
	{ "cursor=events-12", true, 5, 0, "" },
	{ "cursor=12", false, 0, 0, "cursor" },
	{ "cursor=incidents-12", false, 0, 0, "cursor" },
	{ "cursor=events-0", false, 0, 0, "cursor" },
	{ "cursor=events-9223372036854775808", false, 0, 0, "cursor" },
};

START_TEST(test_query)
{
	begin();
	e = (struct err){ 0 };
	ck_assert_msg(form_read_query(a, str_of(queries[_i].query), fields, "passed", &f,
		&e) == queries[_i].ok,
		"%s: %s", queries[_i].query, e.text);
	if (queries[_i].ok) {
		ck_assert_uint_eq(f.number, queries[_i].number);
		ck_assert_uint_eq(f.words, queries[_i].words);
	} else {
		ck_assert_str_eq(e.field, queries[_i].field);
	}
	arena_free(a);
}
END_TEST

static const struct {
	const char *number;
	bool ok;
	double want;
} decimals[] = {
	{ "0", true, 0 }, { "-0", true, 0 }, { "10", true, 10 }, { "-1.5", true, -1.5 }, { "0.95", true, 0.95 }, { "1e2", true, 100 },
	{ "1.5E-1", true, 0.15 }, { "0.00005", true, 0.0001 }, { "0.00004", true, 0 }, { "-0.00001", true, 0 }, { "1000", true, 1000 },
	{ "-1000", true, -1000 }, { "1000.1", false }, { "-1000.0001", false }, { "1e999", false }, { "-1e999", false }, { "1e-999", true, 0 },
	{ "\"5\"", false }, { "true", false }, { "null", false }, { "[]", false },
};

START_TEST(test_decimals)
{
	begin();
	f.decimal = 7;
	ck_assert_msg(read_body(arena_printf(a, "{\"text\":\"x\",\"decimal\":%s}", decimals[_i].number).p, FORM_NEW) == decimals[_i].ok, "%s: %s",
		decimals[_i].number, e.text);
	if (decimals[_i].ok)
		ck_assert_msg(f.decimal == decimals[_i].want, "%f", f.decimal);
	else
		ck_assert_str_eq(e.field, "decimal");
	arena_free(a);
}
END_TEST

static const struct {
	const char *text;
	bool ok;
	double want;
} typed_decimals[] = {
	{ "0.95", true, 0.95 }, { "-3", true, -3 }, { "%2B3", true, 3 }, { "1e2", true, 100 }, { "", false }, { "%20", false }, { "5%20", false },
	{ "1,5", false }, { "0x10", false }, { "nan", false }, { "inf", false }, { "1e", false }, { ".", false }, { "-", false }, { "5%00", false },
	{ "00000000000000000000000000000000000000000000000000000000000000001", false },
};

START_TEST(test_typed_decimals)
{
	begin();
	e = (struct err){ 0 };
	ck_assert_msg(form_read_post(a, arena_printf(a, "text=x&decimal=%s", typed_decimals[_i].text), fields, FORM_NEW, &f, &e) ==
		typed_decimals[_i].ok, "%s: %s", typed_decimals[_i].text, e.text);
	if (typed_decimals[_i].ok)
		ck_assert_msg(f.decimal == typed_decimals[_i].want, "%f", f.decimal);
	else
		ck_assert_str_eq(e.text, "decimal must be a number from -1000 to 1000.");
	arena_free(a);
}
END_TEST

/* What a browser posts: everything is text, a field left empty says so, a checkbox overrides the hidden field before it. */
static const struct posted {
	const char *body;
	enum form_mode mode;
	bool ok;
	const char *text;	/* f.text, or the field to blame */
	uint64_t number;
	bool flag;
} posted[] = {
	{ "text=abc&number=7&flag=false&flag=true&_csrf=x", FORM_NEW, true, "abc", 7, true },
	{ "text=abc&flag=false", FORM_NEW, true, "abc", 5, false },
	{ "text=abc&number=", FORM_NEW, true, "abc", 77, false },
	{ "text=&number=3", FORM_NEW, false, "text", 0, false },
	{ "number=3", FORM_NEW, false, "text", 0, false },
	{ "number=3", FORM_CHANGE, true, "before", 3, false },
	{ "text=abc&other=1", FORM_NEW, false, "other", 0, false },
	{ "text=abc&flag=true", FORM_CHANGE, false, "flag", 0, false },
	{ "text=abc&at=2026-01-03&until=2026-01-02T23:59", FORM_NEW, false, "at", 0, false },
};

START_TEST(test_posted)
{
	const struct posted *p = &posted[_i];

	begin();
	f.flag = false;
	e = (struct err){ 0 };
	ck_assert_msg(form_read_post(a, str_of(p->body), fields, p->mode, &f, &e) == p->ok, "%s: %s", p->body, e.text);
	if (p->ok) {
		unit_str(f.text, p->text);
		ck_assert_uint_eq(f.number, p->number);
		ck_assert(f.flag == p->flag);
	} else {
		ck_assert_str_eq(e.field, p->text);
	}
	arena_free(a);
}
END_TEST

/* An object is typed as JSON; nothing typed is none. */
START_TEST(test_posted_object)
{
	static const char *const wrong[] = { "object=%7B", "object=7", "object=%5B%5D", "object=null" };

	begin();
	ck_assert(form_read_post(a, STR("object=%7B%22a%22%3A+7%7D"), fields, FORM_CHANGE, &f, &e));
	unit_str(json_text(json_get(f.object, "a")), "7");
	ck_assert(form_read_post(a, STR("object="), fields, FORM_CHANGE, &f, &e));
	ck_assert_ptr_null(f.object);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		e = (struct err){ 0 };
		ck_assert_msg(!form_read_post(a, str_of(wrong[i]), fields, FORM_CHANGE, &f, &e), "%s", wrong[i]);
		ck_assert_str_eq(e.field, "object");
	}
	arena_free(a);
}
END_TEST

/* Boxes of one name: what is ticked counts, none is nothing. */
static const struct {
	const char *body;
	bool ok;
	uint64_t words;
} ticked[] = {
	{ "text=a&words=one&words=four", true, 5 },
	{ "text=a&words=&words=two", true, 2 },
	{ "text=a&words=one,two&words=four", true, 7 },
	{ "text=a&words=one&words=three", false, 0 },
};

START_TEST(test_ticked)
{
	begin();
	e = (struct err){ 0 };
	ck_assert(form_read_post(a, str_of(ticked[_i].body), fields, FORM_NEW, &f, &e) == ticked[_i].ok);
	if (ticked[_i].ok)
		ck_assert_uint_eq(f.words, ticked[_i].words);
	else
		ck_assert_str_eq(e.field, "words");
	arena_free(a);
}
END_TEST

/* ---- lists ---- */

static const struct list_row {
	const char *json, *posted;
	const char *items;	/* with a bar after each; NULL: the field is refused */
} list_rows[] = {
	{ "[\"a\",\" b\"]", NULL, "a| b|" },
	{ "[7,\"8\"]", NULL, "7|8|" },
	{ "[]", "list=", NULL },
	{ "null", "list=%0d%0a", NULL },
	{ "\"a\"", NULL, NULL },
	{ "[true]", NULL, NULL },
	{ "[[]]", NULL, NULL },
	{ "[\"a\\u0000\"]", "list=a%00", NULL },
	{ "[1,2,3,4]", "list=1&list=2&list=3&list=4", NULL },
	{ NULL, "list=a%0d%0a%0d%0a++b%0d%0a", "a|b|" },
	{ NULL, "list=1&number=3&list=2", "1|2|" },
	{ NULL, "list=%ff", NULL },
	{ NULL, "number=3", "kept|" },
};

static void check_list(bool ok, const struct list_row *row)
{
	struct strbuf b;

	ck_assert_msg(ok == (row->items != NULL), "%s", e.text);
	if (!ok) {
		ck_assert_str_eq(e.field, "list");
		return;
	}
	strbuf_init(&b, a, 100);
	for (const struct json *j = f.list->first; j; j = j->next)
		strbuf_addf(&b, "%.*s|", STR_ARG(json_text(j)));
	unit_str(strbuf_str(&b), row->items);
}

/* ---- times of a browser ---- */

static const struct {
	const char *query;
	ms_t at;	/* 0: refused */
} time_rows[] = {
	{ "at=1970-01-02", MS_PER_DAY },
	{ "at=1970-01-01T01:30", 90 * MS_PER_MINUTE },
	{ "at=1970-01-01T00:00:01", MS_PER_SECOND },
	{ "at=1970-13-01", 0 },
	{ "at=yesterday!", 0 },
	{ "at=1970-01-01T25:00", 0 },
};

START_TEST(test_times)
{
	begin();
	e = (struct err){ 0 };
	ck_assert(form_read_query(a, str_of(time_rows[_i].query), fields, NULL, &f, &e) == (time_rows[_i].at != 0));
	ck_assert_int_eq(f.at, time_rows[_i].at);
	ck_assert_str_eq(e.field, time_rows[_i].at ? "" : "at");
	arena_free(a);
}
END_TEST

START_TEST(test_lists)
{
	const struct list_row *row = &list_rows[_i];
	struct json *kept;

	begin();
	kept = json_new(a, JSON_ARRAY);
	json_add(kept, STR_NONE, json_new_str(a, STR("kept")));
	if (row->json)
		check_list(read_body(arena_printf(a, "{\"list\":%s}", row->json).p, FORM_CHANGE), row);
	e = (struct err){ 0 };
	f.list = kept;
	if (row->posted)
		check_list(form_read_post(a, str_of(row->posted), fields, FORM_CHANGE, &f, &e), row);
	arena_free(a);
}
END_TEST

/* As many boxes as a body can hold are read once, not once for each: else this would take minutes. */
START_TEST(test_a_body_full_of_boxes)
{
	struct strbuf b;

	begin();
	strbuf_init(&b, a, 256 * 1024);
	for (size_t i = 0; i < 20000; i++)
		strbuf_adds(&b, "words=two&");
	ck_assert_msg(form_read_post(a, strbuf_str(&b), fields, FORM_CHANGE, &f, &e), "%s", e.text);
	ck_assert_uint_eq(f.words, 2);
	arena_free(a);
}
END_TEST

UNIT_MAIN("form", UNIT_ROWS(test_decimals, decimals), UNIT_ROWS(test_typed_decimals, typed_decimals), UNIT(test_a_body_full_of_boxes), UNIT_ROWS(test_lists, list_rows), UNIT_ROWS(test_times, time_rows), UNIT(test_a_whole_form), UNIT(test_what_is_not_there_stays), UNIT(test_null),
	UNIT_ROWS(test_refused, refused), UNIT(test_too_many_addresses),
	UNIT_ROWS(test_query, queries), UNIT_ROWS(test_posted, posted), UNIT(test_posted_object), UNIT_ROWS(test_ticked, ticked))
