/* json_tree.c - asking a JSON tree, and building one by hand.
 *
 * Members are a list, found by walking it: payloads have a few dozen, and an adapter asks for a few dozen of them. */
#include "grapnel/json.h"

const struct json *json_getn(const struct json *j, struct str name)
{
	const struct json *found = NULL;

	if (!json_is(j, JSON_OBJECT))
		return NULL;
	for (const struct json *m = j->first; m; m = m->next)
		if (str_eq(m->name, name))
			found = m;
	return found;
}

const struct json *json_get(const struct json *j, const char *name)
{
	return json_getn(j, str_of(name));
}

const struct json *json_index(const struct json *j, size_t n)
{
	const struct json *m;

	if (!json_is(j, JSON_ARRAY) || n >= j->count)
		return NULL;
	for (m = j->first; n; n--)
		m = m->next;
	return m;
}

/* Does a reference token (RFC 6901 section 4: "~1" is '/', "~0" is '~') name this member? */
static bool token_names(struct str token, struct str name)
{
	size_t i = 0;

	for (size_t k = 0; k < token.n; k++, i++) {
		char c = token.p[k];

		if (c == '~') {
			c = k + 1 == token.n ? '\0' : token.p[++k];
			if (c != '0' && c != '1')
				return false;
			c = c == '0' ? '~' : '/';
		}
		if (i == name.n || name.p[i] != c)
			return false;
	}
	return i == name.n;
}

static const struct json *member_at(const struct json *j, struct str token)
{
	const struct json *found = NULL;

	if (str_find(token, '~') < 0)
		return json_getn(j, token);
	for (const struct json *m = j->first; m; m = m->next)
		if (token_names(token, m->name))
			found = m;
	return found;
}

/* Decimal without leading zeros; "-" is the element after the last one, which never is there. */
static const struct json *element_at(const struct json *j, struct str token)
{
	uint64_t n;

	if ((token.n > 1 && token.p[0] == '0') || !str_u64(token, &n))
		return NULL;
	return json_index(j, n);
}

const struct json *json_at(const struct json *j, struct str pointer)
{
	if (!pointer.n)
		return j;
	if (pointer.p[0] != '/')
		return NULL;
	/* The token after a trailing '/' is the empty one, so the end is told by the '/', not by what is left. */
	while (j && pointer.n) {
		ptrdiff_t slash;
		struct str token;

		pointer = str_sub(pointer, 1);
		slash = str_find(pointer, '/');
		token = (struct str){ pointer.p, slash < 0 ? pointer.n : (size_t)slash };
		pointer = str_sub(pointer, token.n);
		if (j->type == JSON_OBJECT)
			j = member_at(j, token);
		else
			j = element_at(j, token);
	}
	return j;
}

/* "12345.0" and "12345.000" name the number 12345: some senders write ids as floating point. */
static struct str without_zero_fraction(struct str s)
{
	ptrdiff_t dot = str_find(s, '.');

	if (dot < 0)
		return s;
	for (size_t i = (size_t)dot + 1; i < s.n; i++)
		if (s.p[i] != '0')
			return s;
	return (struct str){ s.p, (size_t)dot };
}

struct str json_text(const struct json *j)
{
	if (!j)
		return STR_NONE;
	switch (j->type) {
	case JSON_STRING:
	case JSON_BOOL:
		return j->text;
	case JSON_NUMBER:
		return without_zero_fraction(j->text);
	default:
		return STR_NONE;
	}
}

bool json_is(const struct json *j, enum json_type type)
{
	return j && j->type == type;
}

struct json *json_new(struct arena *a, enum json_type type)
{
	struct json *j = ARENA_NEW(a, struct json);

	j->type = type;
	return j;
}

struct json *json_new_str(struct arena *a, struct str text)
{
	struct json *j = json_new(a, JSON_STRING);

	j->text = text;
	return j;
}

void json_add(struct json *parent, struct str name, struct json *child)
{
	struct json **link = &parent->first;

	while (*link)
		link = &(*link)->next;
	*link = child;
	child->name = parent->type == JSON_OBJECT ? name : STR_NONE;
	parent->count++;
}

void json_share(struct arena *a, struct json *parent, struct str name, const struct json *value)
{
	struct json *copy = json_new(a, value->type);

	*copy = *value;
	copy->next = NULL;
	json_add(parent, name, copy);
}
