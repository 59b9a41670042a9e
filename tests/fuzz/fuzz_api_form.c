/* Forms of the API: the first line as a query, the rest as a body. What is accepted is within the
 * limits of its row, what is refused says why and where. */
#include "fuzz.h"
#include "grapnel/form.h"

struct form {
	struct str text, addresses;
	uint64_t number, words;
	ms_t at;
	bool flag;
	const struct json *object;
};

static const struct form_word words[] = { { "one", 1 }, { "two", 2 }, { 0 } };

static const struct form_field fields[] = {
	{ "t", TEXT_AT(struct form, text), 0, 1, 8 },
	{ "n", NUMBER_AT(struct form, number), FORM_CLAMP | FORM_NULL, 1, 100, .absent = 7 },
	{ "w", WORDS_AT(struct form, words), .words = words },
	{ "f", BOOL_AT(struct form, flag) },
	{ "a", TIME_AT(struct form, at) },
	{ "i", ADDRESSES_AT(struct form, addresses) },
	{ "o", OBJECT_AT(struct form, object) },
	FORM_END
};

static void check(bool ok, const struct form *f, const struct err *e)
{
	if (ok) {
		must(f->number >= 1 && f->number <= 100);
		must(f->words <= 3 && f->text.n <= 8 && f->addresses.n <= 4096);
		must(!f->object || json_is(f->object, JSON_OBJECT));
	} else {
		must(e->code == ERR_INVALID && e->text[0]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(256 << 20);
	struct str body = { (const char *)data, n }, query = str_until(&body, '\n');
	struct form f = { .number = 1 };
	const struct json *j;
	struct err e = { 0 };

	check(form_read_query(a, query, fields, NULL, &f, &e), &f, &e);
	f = (struct form){ .number = 1 };
	e = (struct err){ 0 };
	if (json_parse(a, body, &j, &e) && json_is(j, JSON_OBJECT)) {
		e = (struct err){ 0 };
		check(form_read_json(a, j, fields, FORM_NEW, &f, &e), &f, &e);
	}
	arena_free(a);
	return 0;
}
