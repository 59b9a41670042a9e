/* ctl_settings.c - settings of an integration from a file and from options, for a request that no source stands behind. */
#include "ctl_request.h"

#define SETTINGS_MAX (1u << 20)

static const struct setting *setting_named(const struct provider *p, struct str name)
{
	for (const struct setting *s = p->settings; s && s->name; s++)
		if (str_eqs(name, s->name))
			return s;
	return NULL;
}

static struct json *list_of(struct arena *a, struct str words)
{
	struct json *list = json_new(a, JSON_ARRAY);

	while (words.n)
		json_add(list, STR_NONE, json_new_str(a, str_trim(str_until(&words, ','))));
	return list;
}

/* A text, as its setting takes it. */
static const struct json *setting_value(struct arena *a, const struct setting *s, struct str text)
{
	bool word = str_eqs(text, "true") || str_eqs(text, "false");
	const struct json *parsed;
	struct err ignored = { 0 };

	if (s->kind == SETTING_LIST)
		return list_of(a, text);
	if ((s->kind == SETTING_OBJECT || ((s->kind == SETTING_FLAG || s->kind == SETTING_ON) && word)) &&
		json_parse(a, text, &parsed, &ignored))
		return parsed;
	return json_new_str(a, text);
}

static void add_setting(struct arena *a, struct json *settings, struct str name, const struct json *value)
{
	struct json *member = json_new(a, value->type);

	*member = *value;
	member->next = NULL;
	json_add(settings, name, member);
}

bool ctl_settings(struct ctl *c, const struct provider *p, struct inbound *in, struct err *e)
{
	struct json *settings = json_new(c->arena, JSON_OBJECT);
	const struct json *file = NULL;
	struct str given = ctl_value(c, "settings"), text;

	if (given.p && (!ctl_file(c, "settings", given, SETTINGS_MAX, &text, e) || !json_parse(c->arena, text, &file, e)))
		return false;
	if (file && !json_is(file, JSON_OBJECT))
		return err_set(e, ERR_INVALID, "--settings holds no JSON object");
	for (const struct json *x = file ? file->first : NULL; x; x = x->next)
		add_setting(c->arena, settings, x->name, x);
	for (size_t i = 0; (given = ctl_value_at(c, "set", i)).p; i++) {
		struct str name = str_until(&given, '=');
		const struct setting *s = setting_named(p, name);

		if (!s)
			return err_set(e, ERR_INVALID, "the type %s has no setting \"%.*s\"", p->slug, STR_ARG(str_cut(name, 100)));
		add_setting(c->arena, settings, name, setting_value(c->arena, s, given));
	}
	in->settings = settings;
	return provider_settings_check(p, settings, e);
}
