/* schema_test.h - does a JSON value fit a schema of the API document? As much of JSON Schema 2020-12 as the document uses; stricter
 * in one thing: an object has no member that its schema does not name, so that nothing is answered that is not documented. */
#ifndef GRAPNEL_SCHEMA_TEST_H
#define GRAPNEL_SCHEMA_TEST_H

#include <stdio.h>

#include "grapnel/json.h"

static char schema_why[256];	/* after a false: what does not fit */

#define schema_bad(...) (snprintf(schema_why, sizeof(schema_why), __VA_ARGS__), false)

static inline const struct json *schema_deref(const struct json *doc, const struct json *s)
{
	struct str ref = json_text(json_get(s, "$ref"));

	return ref.n ? json_at(doc, str_sub(ref, 1)) : s;
}

/* The schema of a member, looked for in all parts of the object's schema; NULL = it has none. */
static inline const struct json *schema_property(const struct json *doc, const struct json *s, struct str name)
{
	const struct json *found, *all;

	s = schema_deref(doc, s);
	found = json_getn(json_get(s, "properties"), name);
	if (!found && json_is(json_get(s, "additionalProperties"), JSON_OBJECT))
		found = json_get(s, "additionalProperties");
	all = json_get(s, "allOf");
	for (all = all ? all->first : NULL; all && !found; all = all->next)
		found = schema_property(doc, all, name);
	return found;
}

static inline bool schema_has_required(const struct json *doc, const struct json *s, const struct json *v)
{
	const struct json *list;

	s = schema_deref(doc, s);
	list = json_get(s, "required");
	for (list = list ? list->first : NULL; list; list = list->next)
		if (!json_getn(v, list->text))
			return schema_bad("%.*s is missing", STR_ARG(list->text));
	list = json_get(s, "allOf");
	for (list = list ? list->first : NULL; list; list = list->next)
		if (!schema_has_required(doc, list, v))
			return false;
	return true;
}

static inline bool schema_type_is(struct str type, const struct json *v)
{
	static const struct {
		const char *name;
		enum json_type type;
	} types[] = {
		{ "null", JSON_NULL }, { "boolean", JSON_BOOL }, { "integer", JSON_NUMBER }, { "number", JSON_NUMBER },
		{ "string", JSON_STRING }, { "array", JSON_ARRAY }, { "object", JSON_OBJECT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_eqs(type, types[i].name))
			return v->type == types[i].type && (types[i].name[0] != 'i' || str_find(v->text, '.') < 0);
	return false;
}

/* One of the list, or the one. No `type` allows any. */
static inline bool schema_type_fits(const struct json *s, const struct json *v)
{
	const struct json *type = json_get(s, "type");

	if (!type || json_is(type, JSON_STRING))
		return !type || schema_type_is(type->text, v);
	for (type = type->first; type; type = type->next)
		if (schema_type_is(type->text, v))
			return true;
	return false;
}

static inline bool schema_fits(const struct json *doc, const struct json *s, const struct json *v)
{
	const struct json *list;

	s = schema_deref(doc, s);
	if (!s)
		return schema_bad("a reference leads nowhere");
	list = json_get(s, "anyOf");
	if (list) {
		for (list = list->first; list; list = list->next)
			if (schema_fits(doc, list, v))
				return true;
		return false;
	}
	if (!schema_type_fits(s, v))
		return schema_bad("\"%.*s\" is of the wrong type", STR_ARG(v->text));
	if (v->type == JSON_ARRAY && json_get(s, "items")) {
		for (const struct json *m = v->first; m; m = m->next)
			if (!schema_fits(doc, json_get(s, "items"), m))
				return false;
	} else if (v->type == JSON_OBJECT && (json_get(s, "properties") || json_get(s, "allOf") || json_get(s, "additionalProperties"))) {
		for (const struct json *m = v->first; m; m = m->next) {
			const struct json *p = schema_property(doc, s, m->name);

			if (!p)
				return schema_bad("%.*s is not documented", STR_ARG(m->name));
			if (!schema_fits(doc, p, m)) {
				size_t n = strlen(schema_why);

				snprintf(schema_why + n, sizeof(schema_why) - n, " in %.*s", STR_ARG(m->name));
				return false;
			}
		}
		return schema_has_required(doc, s, v);
	}
	return true;
}

#endif
