/* migrate_split.c - a migration file into its statements.
 *
 * The files are prose and DDL: comments hold quotes and semicolons, quotes hold semicolons and
 * comment signs. So the text is walked token by token, as MariaDB's lexer would: quotes of three
 * kinds with the backslash inside '' and "", comments from "-- " or '#' to the end of the line, and
 * between slash-star and star-slash. A statement ends with a ';' after which its line holds nothing
 * but a comment; any other ';' stays and is the server's to refuse. */
#include "src/db/db_int.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool starts(struct str s, size_t i, const char *with)
{
	size_t n = strlen(with);

	return s.n - i >= n && !memcmp(s.p + i, with, n);
}

/* "--" opens a comment only before a blank or the end of a line, since 5--1 is 6. */
static bool is_line_comment(struct str s, size_t i)
{
	if (s.p[i] == '#')
		return true;
	return starts(s, i, "--") && (i + 2 == s.n || is_blank(s.p[i + 2]) || s.p[i + 2] == '\n');
}

static size_t line_end(struct str s, size_t i)
{
	while (i < s.n && s.p[i] != '\n')
		i++;
	return i;
}

/* The place after the quote that opens at i; 0 if it never closes. A doubled quote is one that
 * closes and one that opens. */
static size_t quote_end(struct str s, size_t i)
{
	char quote = s.p[i];

	for (i++; i < s.n; i++) {
		if (s.p[i] == '\\' && quote != '`')
			i++;
		else if (s.p[i] == quote)
			return i + 1;
	}
	return 0;
}

static size_t block_end(struct str s, size_t i)
{
	for (i += 2; i < s.n; i++)
		if (starts(s, i, "*/"))
			return i + 2;
	return 0;
}

static bool ends_line(struct str s, size_t i)
{
	while (i < s.n && is_blank(s.p[i]))
		i++;
	return i == s.n || s.p[i] == '\n' || is_line_comment(s, i) || starts(s, i, "/*");
}

/* The place after the token at i: a comment, a quote or one byte; 0 if it has no end. *content: it
 * is more than blank or comment. A comment that begins with '!' is one for other servers alone. */
static size_t token_end(struct str s, size_t i, bool *content)
{
	char c = s.p[i];

	if (is_line_comment(s, i))
		return line_end(s, i);
	if (starts(s, i, "/*")) {
		*content |= starts(s, i, "/*!") || starts(s, i, "/*M!");
		return block_end(s, i);
	}
	*content |= !is_blank(c) && c != '\n';
	return c == '\'' || c == '"' || c == '`' ? quote_end(s, i) : i + 1;
}

int migrate_next(struct str *rest, struct str *statement)
{
	struct str s = *rest;
	bool content = false;
	size_t i = 0;

	while (i < s.n) {
		if (s.p[i] == ';' && content && ends_line(s, i + 1)) {
			*statement = (struct str){ s.p, i };
			*rest = str_sub(s, i + 1);
			return 1;
		}
		i = token_end(s, i, &content);
		if (!i)
			return -1;
	}
	*rest = STR_NONE;
	return content ? -1 : 0;
}
