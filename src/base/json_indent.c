/* json_indent.c - JSON for people: a member or element a line, two blanks for each level.
 *
 * Only blanks between tokens change. Names that come twice, the digits of numbers, escapes and the order stay as they were
 * sent, which a tree would lose; a reader who hunts a bug of a sender must see just that. */
#include "base_int.h"
#include "grapnel/json.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void new_line(struct strbuf *b, unsigned depth)
{
	strbuf_addc(b, '\n');
	for (unsigned i = 0; i < depth; i++)
		strbuf_add(b, "  ", 2);
}

/* Bytes of the token at p: a string with its quotes, or all up to the next blank or mark. */
static size_t token(const char *p, size_t n)
{
	size_t i = 1;

	if (*p == '"') {
		while (i < n && p[i] != '"')
			i += p[i] == '\\' ? 2 : 1;
		return i < n ? i + 1 : n;
	}
	while (i < n && !is_blank(p[i]) && !strchr("{}[],:\"", p[i]))
		i++;
	return i;
}

void json_indent(struct strbuf *b, struct str json)
{
	unsigned depth = 0;
	bool fresh = false;	/* a brace was opened and nothing stands in it yet */
	size_t step;

	for (size_t i = 0; i < json.n && !b->failed; i += step) {
		char c = json.p[i];
		bool closes = c == '}' || c == ']';

		step = 1;
		if (is_blank(c))
			continue;
		if (closes && depth)
			depth--;
		if (fresh != closes)
			new_line(b, depth);
		fresh = c == '{' || c == '[';
		if (fresh)
			depth++;
		step = fresh || closes || c == ',' || c == ':' ? 1 : token(json.p + i, json.n - i);
		strbuf_add(b, json.p + i, step);
		if (c == ',')
			new_line(b, depth);
		else if (c == ':')
			strbuf_addc(b, ' ');
	}
}
