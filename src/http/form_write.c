/* form_write.c - a form as the JSON object that form_read_json reads into the same form. */
#include "grapnel/form.h"

static void write_words(struct json_out *o, const struct form_field *f, uint64_t bits)
{
	json_open(o, '[');
	for (const struct form_word *w = f->words; w->word; w++)
		if (bits & w->bits)
			json_strz(o, w->word);
	json_close(o, ']');
}

static void write_list(struct json_out *o, const struct json *list)
{
	if (list) {
		json_tree(o, list);
		return;
	}
	json_open(o, '[');
	json_close(o, ']');
}

static void write_value(struct json_out *o, const struct form_field *f, const void *at)
{
	switch (f->type) {
	case FORM_TEXT:
	case FORM_ADDRESSES:
		json_str(o, *(const struct str *)at);
		break;
	case FORM_NUMBER:
	case FORM_CURSOR:
		json_u64(o, *(const uint64_t *)at);
		break;
	case FORM_DECIMAL:
		json_number(o, *(const double *)at);
		break;
	case FORM_BOOL:
		json_bool(o, *(const bool *)at);
		break;
	case FORM_TIME:
		json_time(o, *(const ms_t *)at);
		break;
	case FORM_WORDS:
		write_words(o, f, *(const uint64_t *)at);
		break;
	case FORM_OBJECT:
		json_tree(o, *(const struct json *const *)at);
		break;
	case FORM_LIST:
	case FORM_OBJECTS:
		write_list(o, *(const struct json *const *)at);
		break;
	}
}

static bool is_absent(const struct form_field *f, const void *at)
{
	bool number = f->type == FORM_NUMBER || f->type == FORM_WORDS;

	return number && f->flags & FORM_NULL && *(const uint64_t *)at == f->absent;
}

static bool is_unsaid(const struct form_field *f, const void *at)
{
	return f->type == FORM_TEXT && !((const struct str *)at)->p;
}

void form_write_json(struct json_out *o, const struct form_field *fields, const void *form)
{
	for (; fields->name; fields++) {
		const void *at = (const char *)form + fields->offset;

		if (is_unsaid(fields, at))
			continue;
		json_key(o, fields->name);
		if (is_absent(fields, at))
			json_null(o);
		else
			write_value(o, fields, at);
	}
}
