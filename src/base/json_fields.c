/* json_fields.c - an object back into the struct that json_fields wrote it from: for what we keep for ourselves as text. Input of strangers is
 * read by forms, which say what is wrong with it. */
#include <stdlib.h>

#include "grapnel/json.h"

#define TREE_MAX (1u << 20)	/* bytes of a member that is JSON itself */

static bool read_number(struct str s, double *out)
{
	char text[64], *end;

	if (!s.n || s.n >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", STR_ARG(s));
	*out = strtod(text, &end);
	return !*end;
}

static bool read_text(const struct json *j, struct str *out)
{
	*out = j->text.n ? j->text : STR("");
	return json_is(j, JSON_STRING);
}

static bool read_bool(const struct json *j, bool *out)
{
	*out = str_eqs(j->text, "true");
	return json_is(j, JSON_BOOL);
}

/* The tree was read from text, and becomes text again. */
static bool read_tree(struct arena *a, const struct json *j, struct str *out)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, TREE_MAX);
	json_out_init(&o, &b);
	json_tree(&o, j);
	*out = strbuf_str(&b);
	return !b.failed;
}

static bool read_member(struct arena *a, const struct json *j, enum field_type type, void *member)
{
	switch (type) {
	case FIELD_TYPE_STR:
		return read_text(j, member);
	case FIELD_TYPE_U64:
	case FIELD_TYPE_ID:
		return str_u64(json_text(j), member);
	case FIELD_TYPE_I64:
		return str_i64(json_text(j), member);
	case FIELD_TYPE_BOOL:
		return read_bool(j, member);
	case FIELD_TYPE_TIME:
		return time_parse(json_text(j), member);
	case FIELD_TYPE_RATE:
	case FIELD_TYPE_NUMBER:
		return read_number(json_text(j), member);
	case FIELD_TYPE_JSON:
		return a && read_tree(a, j, member);
	}
	return false;
}

bool json_fields_read(const struct json *object, const struct field *fields, void *out)
{
	if (!json_is(object, JSON_OBJECT))
		return false;
	for (const struct field *f = fields; f->name; f++) {
		const struct json *j = json_get(object, f->name);

		if (j && j->type != JSON_NULL && !read_member(NULL, j, f->type, (char *)out + f->offset))
			return false;
	}
	return true;
}

static bool may_be_null(enum field_type type)
{
	return type == FIELD_TYPE_STR || type == FIELD_TYPE_TIME || type == FIELD_TYPE_ID || type == FIELD_TYPE_JSON;
}

bool json_fields_read_all(struct arena *a, const struct json *object, const struct field *fields, bool older, void *out, struct err *e)
{
	size_t n = 0;

	if (!json_is(object, JSON_OBJECT))
		return err_set(e, ERR_INVALID, "no object");
	for (const struct field *f = fields; f->name; f++) {
		const struct json *j = json_get(object, f->name);

		if (!j && older)
			continue;
		if (!j)
			return err_set(e, ERR_INVALID, "%s is missing", f->name);
		n++;
		if (json_is(j, JSON_NULL) && may_be_null(f->type))
			continue;
		if (!read_member(a, j, f->type, (char *)out + f->offset))
			return err_set(e, ERR_INVALID, "%s is of another kind", f->name);
	}
	return object->count == n || err_set(e, ERR_INVALID, "there are members that nobody knows");
}
