/* A body as it is kept: the values of those members that a provider names as secrets become
 * asterisks, so many that all else stays where it was.
 *
 * This goes by the bytes and not by the parsed body: so it also serves for a body that could not be
 * parsed, for values with escapes, and nothing but the value changes. What is inside of texts that
 * are encoded once more is not looked at. */
#include "provider_int.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_blanks(struct str s, size_t i)
{
	while (i < s.n && is_blank(s.p[i]))
		i++;
	return i;
}

/* First of `any` at or after i, or the end. */
static size_t up_to(struct str s, size_t i, const char *any)
{
	while (i < s.n && !strchr(any, s.p[i]))
		i++;
	return i;
}

static size_t end_of_string(struct str s, size_t i)
{
	for (; i < s.n && s.p[i] != '"'; i++)
		if (s.p[i] == '\\')
			i++;
	return i < s.n ? i : s.n;
}

/* Each of these is given the place behind a name; *end is where its value ends. Returns where it
 * begins, or the end of the body when there is none to hide. None looks further than a value or a
 * tag can reach, since the name may stand in the body 100,000 times. */
static size_t json_value(struct str s, size_t i, size_t *end)
{
	i = skip_blanks(s, i + 1);
	if (i == s.n || s.p[i] != ':')
		return s.n;
	i = skip_blanks(s, i + 1);
	if (i < s.n && s.p[i] == '"')
		*end = end_of_string(s, ++i);
	else
		*end = up_to(s, i, ",}]{[ \t\r\n");
	return i;
}

static size_t xml_value(struct str s, size_t i, size_t *end)
{
	static const char cdata[] = "<![CDATA[";

	i = up_to(s, i, "<>");
	if (i == s.n || s.p[i] == '<' || s.p[i - 1] == '/')
		return s.n;
	i = skip_blanks(s, i + 1);
	if (str_starts(str_sub(s, i), cdata)) {
		i += strlen(cdata);
		*end = up_to(s, i, "]");
	} else {
		*end = up_to(s, i, "<");
	}
	return i;
}

/* "<name" or "<prefix:name" */
static bool opens_tag(struct str s, size_t name)
{
	if (name && s.p[name - 1] == ':')
		for (name--; name && !strchr("<>:\"= \t\r\n", s.p[name - 1]); name--)
			continue;
	return name && s.p[name - 1] == '<';
}

static size_t form_value(struct str s, size_t i, size_t *end)
{
	*end = up_to(s, i + 1, "&");
	return i + 1;
}

/* The bytes around a name tell what it is: "name", <name>, <ns:name> or name=. */
static size_t value_at(struct str s, size_t name, size_t behind, size_t *end)
{
	char before = name ? s.p[name - 1] : '&', after = behind < s.n ? s.p[behind] : '\0';

	if (before == '"' && after == '"')
		return json_value(s, behind, end);
	if ((after == '>' || is_blank(after)) && opens_tag(s, name))
		return xml_value(s, behind, end);
	if (before == '&' && after == '=')
		return form_value(s, behind, end);
	return s.n;
}

/* Into a copy, which is made at the first value. What stands inside of a value is hidden with it. */
static char *mask_word(struct arena *a, struct str s, const char *word, char *copy)
{
	size_t n = strlen(word), end = 0;

	for (size_t i = 0; i + n <= s.n; i++) {
		size_t at;

		if (!str_ieqs((struct str){ s.p + i, n }, word))
			continue;
		at = value_at(s, i, i + n, &end);
		if (at >= s.n || at >= end)
			continue;
		if (!copy)
			copy = arena_cstr(a, s);
		memset(copy + at, '*', end - at);
		i = end - 1;
	}
	return copy;
}

struct str provider_mask(const struct provider *p, struct arena *a, struct str body)
{
	char *copy = NULL;

	for (const char *const *word = p->masked; word && *word; word++)
		copy = mask_word(a, body, *word, copy);
	return copy ? (struct str){ copy, body.n } : body;
}
