/* integration_settings.c - the settings that only one type knows, as fields of the form of an integration: a row of the type's table is
 * a field of its own, so that nobody writes JSON but where the value itself is an object.
 *
 * The fields are called _setting.NAME: the form's own table passes such names over. What is as the type has it by itself, an empty
 * text or a box as it stands at first, is not stored. */
#include "dash_int.h"
#include "integrations.h"

#include "grapnel/json.h"
#include "tmpl.h"

#define SETTINGS_MAX (128 * 1024)	/* of text; the store takes less */

/* ---- shown ---- */

static struct str lines_of(struct visit *v, const struct json *list)
{
	struct strbuf b;

	strbuf_init(&b, v->a, SETTINGS_MAX);
	for (const struct json *j = list ? list->first : NULL; j; j = j->next) {
		strbuf_addstr(&b, json_text(j));
		strbuf_addc(&b, '\n');
	}
	return strbuf_str(&b);
}

static struct str tree_text(struct visit *v, const struct json *value)
{
	struct json_out o;
	struct strbuf b;

	if (!value)
		return STR_NONE;
	strbuf_init(&b, v->a, SETTINGS_MAX);
	json_out_init(&o, &b);
	json_tree(&o, value);
	return strbuf_str(&b);
}

static struct str value_text(struct visit *v, const struct setting *s, const struct json *value)
{
	switch (s->kind) {
	case SETTING_LIST:
		return lines_of(v, value);
	case SETTING_OBJECT:
		return tree_text(v, value);
	case SETTING_ON:
		return value ? json_text(value) : STR("true");
	case SETTING_SECRET:
		return STR_NONE;
	default:
		return json_text(value);
	}
}

static const char *field_name(struct visit *v, const struct setting *s)
{
	return arena_printf(v->a, "_setting.%s", s->name).p;
}

void setting_fields_fill(struct visit *v, const struct provider *type, const struct json *settings, struct setting_field **out, size_t *n)
{
	size_t max = 0;

	while (type->settings && type->settings[max].name)
		max++;
	*out = ARENA_ARRAY(v->a, struct setting_field, max + 1);
	for (*n = 0; *n < max; ++*n) {
		const struct setting *s = &type->settings[*n];
		const char *name = field_name(v, s);
		struct str value = visit_typed(v, name, value_text(v, s, json_get(settings, s->name)));

		(*out)[*n] = (struct setting_field){ .name = name, .label = s->label, .help = s->help, .value = value,
			.is_flag = s->kind == SETTING_FLAG || s->kind == SETTING_ON, .on = str_eqs(value, "true"),
			.is_lines = s->kind == SETTING_LIST, .is_json = s->kind == SETTING_OBJECT, .is_secret = s->kind == SETTING_SECRET,
			.is_set = json_get(settings, s->name) != NULL };
	}
}

/* ---- read ---- */

static const struct json *posted_lines(struct visit *v, struct str text)
{
	struct json *list = json_new(v->a, JSON_ARRAY);

	while (text.n) {
		struct str line = str_trim(str_until(&text, '\n'));

		if (line.n)
			json_add(list, STR_NONE, json_new_str(v->a, line));
	}
	return list->count ? list : NULL;
}

static const struct json *posted_flag(struct visit *v, const struct setting *s, struct str text)
{
	struct json *flag = json_new(v->a, JSON_BOOL);
	bool on = str_eqs(text, "true");

	flag->text = on ? STR("true") : STR("false");
	return on == (s->kind == SETTING_ON) ? NULL : flag;
}

static bool posted_object(struct visit *v, const struct setting *s, struct str text, const struct json **out, struct err *e)
{
	struct err cause = { 0 };

	return json_parse(v->a, text, out, &cause) || err_field(e, ERR_INVALID, "settings", "%s: this is not JSON.", s->label);
}

/* *value is what it was, and NULL where nothing is to be stored. */
static bool read_one(struct visit *v, const struct setting *s, const struct json **value, struct err *e)
{
	const char *name = field_name(v, s);
	struct str text = str_trim(visit_posted(v, name));

	if (!form_find(v->a, v->rq->body, name, &(struct str){ NULL, 0 }))
		return true;
	if (s->kind == SETTING_SECRET && !text.n)
		return true;	/* it is not shown, so an empty field says nothing */
	*value = NULL;
	if (!str_is_utf8(text))
		return err_field(e, ERR_INVALID, "settings", "%s: this is not UTF-8.", s->label);
	switch (s->kind) {
	case SETTING_FLAG:
	case SETTING_ON:
		*value = text.n ? posted_flag(v, s, text) : NULL;
		return true;
	case SETTING_LIST:
		*value = posted_lines(v, text);
		return true;
	case SETTING_OBJECT:
		return !text.n || posted_object(v, s, text, value, e);
	default:
		*value = text.n ? json_new_str(v->a, text) : NULL;
		return true;
	}
}

bool setting_fields_read(struct visit *v, const struct provider *type, const struct json **settings, struct err *e)
{
	struct json *read = json_new(v->a, JSON_OBJECT);

	for (const struct setting *s = type->settings; s && s->name; s++) {
		struct json *member = ARENA_NEW(v->a, struct json);
		const struct json *value = json_get(*settings, s->name);

		if (!read_one(v, s, &value, e))
			return false;
		if (!value)
			continue;
		*member = *value;
		member->next = NULL;
		json_add(read, str_of(s->name), member);
	}
	*settings = read;
	return true;
}
