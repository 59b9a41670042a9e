/* json_fields.c - an object back into the struct that json_fields wrote it from: for what we keep for ourselves as text. Input of strangers is
 * read by forms, which say what is wrong with it. */
#include <stdlib.h>

#include "grapnel/json.h"

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
	*out = j->text;
	return json_is(j, JSON_STRING);
}

static bool read_bool(const struct json *j, bool *out)
{
	*out = str_eqs(j->text, "true");
	return json_is(j, JSON_BOOL);
}

static bool read_member(const struct json *j, enum field_type type, void *member)
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
		break;		/* a tree has no text any more */
	}
	return false;
}

bool json_fields_read(const struct json *object, const struct field *fields, void *out)
{
	if (!json_is(object, JSON_OBJECT))
		return false;
	for (const struct field *f = fields; f->name; f++) {
		const struct json *j = json_get(object, f->name);

		if (j && j->type != JSON_NULL && !read_member(j, f->type, (char *)out + f->offset))
			return false;
	}
	return true;
}
