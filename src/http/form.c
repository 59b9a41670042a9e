/* form.c - reading forms: see form.h. */
#include "grapnel/form.h"

#include <inttypes.h>
#include <math.h>	/* isfinite */
#include <stdlib.h>

#include "grapnel/net.h"

#define ADDRESSES_MAX 4096	/* as the store takes them */
#define DECIMAL_MAX 64		/* digits and all: more than any double needs */

struct input {
	struct arena *a;
	const struct form_field *f;
	const struct json *j;
	bool is_text;		/* from a query: every type comes as text */
	char *at;		/* the member of the struct */
};

static bool bad(const struct input *in, struct err *e, const char *what)
{
	return err_field(e, ERR_INVALID, in->f->name, "%s must be %s.", in->f->name, what);
}

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

static bool read_number(const struct input *in, struct err *e)
{
	const struct form_field *f = in->f;
	struct str text = json_text(in->j);
	uint64_t n = 0;
	bool ok = json_is(in->j, in->is_text ? JSON_STRING : JSON_NUMBER) && all_digits(text);

	if (ok && !str_u64(text, &n))
		n = UINT64_MAX;
	if (ok && n > f->max && f->flags & FORM_CLAMP)
		n = f->max;
	if (!ok || n < f->min || n > f->max)
		return err_field(e, ERR_INVALID, f->name,
			"%s must be a whole number from %" PRIu64 " to %" PRIu64 ".", f->name,
			f->min, f->max);
	*(uint64_t *)in->at = n;
	return true;
}

/* strtod takes names, hexadecimal digits and leading blanks too. */
static bool decimal(struct str s, double *out)
{
	char text[DECIMAL_MAX + 1], *end;

	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789+-.eE", s.p[i]) || !s.p[i])
			return false;
	if (!s.n || s.n > DECIMAL_MAX)
		return false;
	snprintf(text, sizeof(text), "%.*s", STR_ARG(s));
	*out = strtod(text, &end);
	return !*end && isfinite(*out);
}

static bool read_decimal(const struct input *in, struct err *e)
{
	const struct form_field *f = in->f;
	double x;

	if (!json_is(in->j, in->is_text ? JSON_STRING : JSON_NUMBER) || !decimal(json_text(in->j), &x) || x > (double)f->max || -x > (double)f->max)
		return err_field(e, ERR_INVALID, f->name, "%s must be a number from -%" PRIu64 " to %" PRIu64 ".", f->name, f->max, f->max);
	*(double *)in->at = number_rounded(x);
	return true;
}

static bool read_text(const struct input *in, struct err *e)
{
	struct str s = json_text(in->j);

	if (!json_is(in->j, JSON_STRING) || !str_is_utf8(s) || memchr(s.p ? s.p : "", '\0', s.n))
		return bad(in, e, "a text");
	if (s.n < in->f->min)
		return err_field(e, ERR_INVALID, in->f->name, "%s must not be empty.", in->f->name);
	if (s.n > in->f->max)
		return err_field(e, ERR_INVALID, in->f->name, "%s must have at most %" PRIu64 " bytes.", in->f->name, in->f->max);
	*(struct str *)in->at = s;
	return true;
}

static bool read_bool(const struct input *in, struct err *e)
{
	struct str s = json_text(in->j);

	if (!json_is(in->j, in->is_text ? JSON_STRING : JSON_BOOL) ||
		!(str_eqs(s, "true") || str_eqs(s, "false")))
		return bad(in, e, "true or false");
	*(bool *)in->at = str_eqs(s, "true");
	return true;
}

/* From a browser's date field or datetime-local, which leave out seconds that are 0; both are taken as UTC. */
static struct str whole_time(struct arena *a, struct str s)
{
	if (s.n == strlen("2026-01-02"))
		return arena_printf(a, "%.*sT00:00:00Z", STR_ARG(s));
	if (s.n == strlen("2026-01-02T03:04"))
		return arena_printf(a, "%.*s:00Z", STR_ARG(s));
	return s;
}

static bool read_time(const struct input *in, struct err *e)
{
	struct str s = in->is_text ? whole_time(in->a, json_text(in->j)) : json_text(in->j);

	if (!json_is(in->j, JSON_STRING) || !time_parse(s, (ms_t *)in->at))
		return bad(in, e, "a time like 2026-01-02T03:04:05Z");
	return true;
}

static bool read_cursor(const struct input *in, struct err *e)
{
	struct str s = json_text(in->j);
	uint64_t id;

	if (!json_is(in->j, JSON_STRING) || !str_starts(s, in->f->list) ||
		!str_starts(str_sub(s, strlen(in->f->list)), "-") ||
		!str_u64(str_sub(s, strlen(in->f->list) + 1), &id) || !id || id > INT64_MAX)
		return bad(in, e, "the `next` of an earlier page of this list");
	*(uint64_t *)in->at = id;
	return true;
}

static bool bad_word(const struct input *in, struct err *e)
{
	struct strbuf b;

	strbuf_init(&b, in->a, sizeof(e->text));
	for (const struct form_word *w = in->f->words; w->word; w++)
		strbuf_addf(&b, "%s%s", b.n ? ", " : "", w->word);
	return err_field(e, ERR_INVALID, in->f->name, "%s must be of: %.*s.", in->f->name,
		STR_ARG(strbuf_str(&b)));
}

static bool add_words(const struct input *in, struct str list, uint64_t *bits, struct err *e)
{
	do {
		struct str one = str_trim(str_until(&list, ','));
		const struct form_word *w = in->f->words;

		while (w->word && !str_ieqs(one, w->word))
			w++;
		if (!w->word)
			return bad_word(in, e);
		*bits |= w->bits;
	} while (list.n);
	return true;
}

static bool read_words(const struct input *in, struct err *e)
{
	uint64_t bits = 0;

	if (json_is(in->j, JSON_STRING) || json_is(in->j, JSON_BOOL)) {
		if (!add_words(in, in->j->text, &bits, e))
			return false;
	} else if (!json_is(in->j, JSON_ARRAY) || !in->j->first) {
		return bad_word(in, e);
	}
	for (const struct json *j = in->j->first; j; j = j->next)
		if (!json_is(j, JSON_STRING) || !add_words(in, j->text, &bits, e))
			return bad_word(in, e);
	*(uint64_t *)in->at = bits;
	return true;
}

static bool add_addresses(struct strbuf *b, const struct input *in, struct str list, struct err *e)
{
	struct err cause = { 0 };
	struct cidr cidr;

	while (list.n) {
		struct str one = str_trim(str_until(&list, ','));

		if (!one.n)
			continue;
		if (!cidr_parse(one, &cidr, &cause))
			return bad(in, e, "addresses or networks like 192.0.2.0/24");
		if (b->n)
			strbuf_addc(b, ',');
		strbuf_addstr(b, one);
	}
	return true;
}

static bool read_addresses(const struct input *in, struct err *e)
{
	struct strbuf b;

	strbuf_init(&b, in->a, ADDRESSES_MAX);
	if (!json_is(in->j, JSON_STRING) && !json_is(in->j, JSON_ARRAY))
		return bad(in, e, "a list of addresses");
	if (json_is(in->j, JSON_STRING) && !add_addresses(&b, in, in->j->text, e))
		return false;
	for (const struct json *j = in->j->first; j; j = j->next)
		if (!json_is(j, JSON_STRING) || !add_addresses(&b, in, j->text, e))
			return bad(in, e, "addresses or networks like 192.0.2.0/24");
	if (b.failed)
		return err_field(e, ERR_INVALID, in->f->name, "%s has more than %d bytes.",
			in->f->name, ADDRESSES_MAX);
	*(struct str *)in->at = b.n ? strbuf_str(&b) : STR("");
	return true;
}

/* ---- lists ---- */

static bool wrong_count(const struct input *in, struct err *e)
{
	return err_field(e, ERR_INVALID, in->f->name, "%s must have %" PRIu64 " to %" PRIu64 " entries.", in->f->name, in->f->min,
		in->f->max);
}

static bool add_item(const struct input *in, struct json *list, struct str text, struct err *e)
{
	if (list->count == in->f->max)
		return wrong_count(in, e);
	if (!str_is_utf8(text) || memchr(text.p ? text.p : "", '\0', text.n))
		return bad(in, e, "a list of texts");
	json_add(list, STR_NONE, json_new_str(in->a, text));
	return true;
}

static bool add_lines(const struct input *in, struct json *list, struct str lines, struct err *e)
{
	while (lines.n) {
		struct str line = str_trim(str_until(&lines, '\n'));

		if (line.n && !add_item(in, list, line, e))
			return false;
	}
	return true;
}

static bool set_list(const struct input *in, const struct json *list, struct err *e)
{
	if (list->count < in->f->min)
		return wrong_count(in, e);
	*(const struct json **)in->at = list;
	return true;
}

static bool read_list(const struct input *in, struct err *e)
{
	struct json *list = json_new(in->a, JSON_ARRAY);

	if (in->is_text)
		return add_lines(in, list, in->j->text, e) && set_list(in, list, e);
	if (!json_is(in->j, JSON_ARRAY))
		return bad(in, e, "a list of texts");
	for (const struct json *j = in->j->first; j; j = j->next)
		if (!(json_is(j, JSON_STRING) || json_is(j, JSON_NUMBER)))
			return bad(in, e, "a list of texts");
		else if (!add_item(in, list, json_text(j), e))
			return false;
	return set_list(in, list, e);
}

/* Posted, it is the JSON that was typed. */
static bool read_object(const struct input *in, struct err *e)
{
	const struct json *object = in->j;
	struct err cause = { 0 };

	if (in->is_text && !json_parse(in->a, json_text(in->j), &object, &cause))
		object = NULL;
	if (!json_is(object, JSON_OBJECT))
		return bad(in, e, "an object");
	*(const struct json **)in->at = object;
	return true;
}

static bool read_objects(const struct input *in, struct err *e)
{
	const struct json *list = in->j;
	struct err cause = { 0 };

	if (in->is_text && !json_parse(in->a, json_text(in->j), &list, &cause))
		list = NULL;
	if (!json_is(list, JSON_ARRAY))
		return bad(in, e, "a list of objects");
	for (const struct json *j = list->first; j; j = j->next)
		if (!json_is(j, JSON_OBJECT))
			return bad(in, e, "a list of objects");
	return list->count > in->f->max ? wrong_count(in, e) : set_list(in, list, e);
}

static bool read_null(const struct input *in, struct err *e)
{
	switch (in->f->type) {
	case FORM_TEXT:
	case FORM_ADDRESSES:
		*(struct str *)in->at = STR("");
		return in->f->min == 0 || bad(in, e, "a text");
	case FORM_OBJECT:
		*(const struct json **)in->at = NULL;
		return true;
	case FORM_NUMBER:
	case FORM_WORDS:
		*(uint64_t *)in->at = in->f->absent;
		return in->f->flags & FORM_NULL || bad(in, e, "there, not null");
	case FORM_LIST:
	case FORM_OBJECTS:
		return set_list(in, json_new(in->a, JSON_ARRAY), e);
	default:
		return bad(in, e, "there, not null");
	}
}

static bool read_value(const struct input *in, struct err *e)
{
	if (json_is(in->j, JSON_NULL))
		return read_null(in, e);
	switch (in->f->type) {
	case FORM_TEXT:
		return read_text(in, e);
	case FORM_NUMBER:
		return read_number(in, e);
	case FORM_DECIMAL:
		return read_decimal(in, e);
	case FORM_BOOL:
		return read_bool(in, e);
	case FORM_TIME:
		return read_time(in, e);
	case FORM_WORDS:
		return read_words(in, e);
	case FORM_ADDRESSES:
		return read_addresses(in, e);
	case FORM_CURSOR:
		return read_cursor(in, e);
	case FORM_LIST:
		return read_list(in, e);
	case FORM_OBJECT:
		return read_object(in, e);
	case FORM_OBJECTS:
		return read_objects(in, e);
	}
	return bad(in, e, "of a known type");
}

static const struct form_field *field_named(const struct form_field *fields, struct str name)
{
	for (; fields->name; fields++)
		if (str_eqs(name, fields->name))
			return fields;
	return NULL;
}

/* A window that ends before it begins names nothing: that is a mistake, and no empty list. */
static bool in_order(const struct form_field *fields, const void *form, struct err *e)
{
	for (const struct form_field *f = fields; f->name; f++) {
		const struct form_field *first = f->after ? field_named(fields, str_of(f->after)) : NULL;
		ms_t from = first ? *(const ms_t *)((const char *)form + first->offset) : 0;
		ms_t to = first ? *(const ms_t *)((const char *)form + f->offset) : 0;

		if (from && to && from > to)
			return err_field(e, ERR_INVALID, first->name, "%s must not be later than %s.", first->name, f->name);
	}
	return true;
}

static bool unknown(struct arena *a, struct str name, const char *what, struct err *e)
{
	struct str shown = str_cut(name, sizeof(e->field) - 1);

	return err_field(e, ERR_INVALID, arena_cstr(a, shown), "There is no %s of that name here.",
		what);
}

bool form_read_json(struct arena *a, const struct json *object, const struct form_field *fields,
	enum form_mode mode, void *out, struct err *e)
{
	const struct form_field *all = fields;

	for (const struct json *j = object->first; j; j = j->next) {
		const struct form_field *f = field_named(fields, j->name);
		struct input in = { a, f, j, false, f ? (char *)out + f->offset : NULL };

		if (!f)
			return unknown(a, j->name, "member", e);
		if (mode == FORM_CHANGE && f->flags & FORM_FIXED)
			return err_field(e, ERR_INVALID, f->name, "%s cannot be changed.", f->name);
		if (!read_value(&in, e))
			return false;
	}
	for (; mode == FORM_NEW && fields->name; fields++)
		if (fields->flags & FORM_REQUIRED && !json_get(object, fields->name))
			return err_field(e, ERR_INVALID, fields->name, "%s is missing.",
				fields->name);
	return in_order(all, out, e);
}

bool form_read_query(struct arena *a, struct str query, const struct form_field *fields, const char *pass_over, void *out,
	struct err *e)
{
	struct str name, value;

	while (form_next(a, &query, &name, &value)) {
		const struct form_field *f = field_named(fields, name);
		struct input in = { a, f, NULL, true, f ? (char *)out + f->offset : NULL };

		if ((pass_over && str_eqs(name, pass_over)) || (f && !value.n))
			continue;
		if (!f)
			return unknown(a, name, "parameter", e);
		in.j = json_new_str(a, value);
		if (!read_value(&in, e))
			return false;
	}
	return in_order(fields, out, e);
}

struct str form_cursor(struct arena *a, const char *plural, uint64_t id)
{
	return id ? arena_printf(a, "%s-%" PRIu64, plural, id) : STR_NONE;
}

/* A text field that is left empty says: nothing. A decimal has no number that stands for that. Other types without value are as if they were not there. */
static bool read_empty(const struct input *in, struct err *e)
{
	switch (in->f->type) {
	case FORM_TEXT:
		return read_text(in, e);
	case FORM_ADDRESSES:
		return read_addresses(in, e);
	case FORM_NUMBER:
	case FORM_WORDS:
		return !(in->f->flags & FORM_NULL) || read_null(in, e);
	case FORM_OBJECT:
		return read_null(in, e);
	case FORM_DECIMAL:
		return read_decimal(in, e);
	default:
		return true;
	}
}

/* All fields of that name together. */
static bool read_posted_list(const struct input *in, struct str body, struct err *e)
{
	struct json *list = json_new(in->a, JSON_ARRAY);
	struct str name, value;

	while (form_next(in->a, &body, &name, &value))
		if (str_eqs(name, in->f->name) && !add_lines(in, list, value, e))
			return false;
	return set_list(in, list, e);
}

/* Ticked boxes of one name: each brings a word. Those without value say nothing. */
static struct str posted_words(struct arena *a, struct str body, const char *name)
{
	struct str one, value;
	struct strbuf b;

	strbuf_init(&b, a, body.n + 1);
	while (form_next(a, &body, &one, &value))
		if (str_eqs(one, name) && value.n) {
			strbuf_adds(&b, b.n ? "," : "");
			strbuf_addstr(&b, value);
		}
	return strbuf_str(&b);
}

static bool read_posted(struct input *in, struct str body, struct err *e)
{
	if (in->f->type == FORM_LIST)
		return read_posted_list(in, body, e);
	if (in->f->type == FORM_WORDS)
		in->j = json_new_str(in->a, posted_words(in->a, body, in->f->name));
	return in->j->text.n ? read_value(in, e) : read_empty(in, e);
}

/* Of a field that may be there several times: is this the first one? It reads them all. */
static bool is_first(const struct form_field *fields, const struct form_field *f, uint64_t *seen)
{
	uint64_t bit = UINT64_C(1) << (f - fields);
	bool first = !(*seen & bit);

	*seen |= bit;
	return first || (f->type != FORM_LIST && f->type != FORM_WORDS);
}

bool form_read_post(struct arena *a, struct str body, const struct form_field *fields, enum form_mode mode, void *out,
	struct err *e)
{
	const struct form_field *all = fields;
	struct str rest = body, name, value;
	uint64_t seen = 0;

	while (form_next(a, &rest, &name, &value)) {
		const struct form_field *f = field_named(fields, name);
		struct input in = { a, f, json_new_str(a, value), true, f ? (char *)out + f->offset : NULL };

		if (str_starts(name, "_"))
			continue;
		if (!f)
			return unknown(a, name, "field", e);
		if (mode == FORM_CHANGE && f->flags & FORM_FIXED)
			return err_field(e, ERR_INVALID, f->name, "%s cannot be changed.", f->name);
		if (is_first(fields, f, &seen) && !read_posted(&in, body, e))
			return false;
	}
	for (; mode == FORM_NEW && fields->name; fields++)
		if (fields->flags & FORM_REQUIRED && !form_find(a, body, fields->name, &value))
			return err_field(e, ERR_INVALID, fields->name, "%s is missing.", fields->name);
	return in_order(all, out, e);
}
