/* words.c - the small grammar inside marks: {{ path | filter }}, {% word ... %}, {# text #}. */
#include "gen_int.h"

static bool name_begin(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

int mark_here(struct str s, char *kind, struct str *inside)
{
	char last;

	if (s.n < 2 || s.p[0] != '{' || (s.p[1] != '{' && s.p[1] != '%' && s.p[1] != '#'))
		return 0;
	*kind = s.p[1];
	last = *kind == '{' ? '}' : *kind;
	for (size_t i = 2; i + 1 < s.n && (s.p[i] != '\n' || *kind == '#'); i++) {
		if (s.p[i] != last || s.p[i + 1] != '}')
			continue;
		*inside = (struct str){ s.p + 2, i - 2 };
		return 1;
	}
	return -1;
}

struct str word_next(struct str *mark)
{
	struct str s = str_trim(*mark);
	size_t n = s.n ? 1 : 0;

	if (n && name_begin(s.p[0])) {
		while (n < s.n && (name_begin(s.p[n]) || digit(s.p[n])))
			n++;
	} else if (n && (digit(s.p[0]) || s.p[0] == '-')) {
		while (n < s.n && digit(s.p[n]))
			n++;
	} else if (n && s.p[0] == '"') {
		ptrdiff_t end = str_find(str_sub(s, 1), '"');

		n = end < 0 ? s.n : (size_t)end + 2;
	} else if (str_starts(s, "==") || str_starts(s, "!=")) {
		n = 2;
	}
	*mark = str_sub(s, n);
	return (struct str){ s.p, n };
}

bool word_eat(struct str *mark, const char *word)
{
	struct str rest = *mark;

	if (!str_eqs(word_next(&rest), word))
		return false;
	*mark = rest;
	return true;
}

bool word_name(struct str *mark, struct str *name)
{
	*name = word_next(mark);
	return name->n && name_begin(name->p[0]);
}

bool word_is_number(struct str word)
{
	return word.n && digit(word.p[word.n - 1]) && (digit(word.p[0]) || word.p[0] == '-');
}

bool word_is_quoted(struct str word)
{
	return word.n > 1 && word.p[0] == '"' && word.p[word.n - 1] == '"';
}

bool word_is_header(struct str word)
{
	if (!word_is_quoted(word) || word.n < 3)
		return false;
	for (size_t i = 1; i + 1 < word.n; i++)
		if (!name_begin(word.p[i]) && !digit(word.p[i]) && !strchr("/.-", word.p[i]))
			return false;
	return true;
}

bool template_name_is_good(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!(name.p[i] >= 'a' && name.p[i] <= 'z') && !digit(name.p[i]) && name.p[i] != '_')
			return false;
	return name.n > 0;
}
