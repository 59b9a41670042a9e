/* Migration files into statements. '|' stands between the statements expected; "!" means that the
 * text has no proper end. */
#include "unit.h"

#include "src/db/db_int.h"

static const struct {
	const char *name, *text, *want;
} texts[] = {
	{ "nothing", "", "" },
	{ "blanks", " \t\n\r\n ", "" },
	{ "comments alone", "-- a\n# b\n/* c; */\n--\n", "" },
	{ "one", "A;\n", "A" },
	{ "one without a last newline", "A;", "A" },
	{ "two", "A;\nB;\n", "A|\nB" },
	{ "over lines", "A\n B\n;\nC;\n", "A\n B\n|\nC" },
	{ "CR LF", "A;\r\nB;\r\n", "A|\r\nB" },
	{ "blanks behind", "A; \t\nB;  ", "A| \t\nB" },
	{ "comment behind", "A;\t-- first; yes\nB;# x\nC;/* y\n */D;\n",
		"A|\t-- first; yes\nB|# x\nC|/* y\n */D" },
	{ "comment before", "-- it's; \"one\n A;\n", "-- it's; \"one\n A" },
	{ "comment within", "A (\n x, -- the user's; id\n y);\n",
		"A (\n x, -- the user's; id\n y)" },
	{ "comment that ends a statement's line", "A -- no end;\n;\n", "A -- no end;\n" },
	{ "block comment", "A /* ;\n' */ B;\n", "A /* ;\n' */ B" },
	{ "two dashes without a blank are no comment", "A 5--1;\n", "A 5--1" },
	{ "comment for this server is a statement", "/*! A */;\n", "/*! A */" },
	{ "single quotes", "A ';\n-- ';\n", "A ';\n-- '" },
	{ "double quotes", "A \";\n/* \";\n", "A \";\n/* \"" },
	{ "backquotes", "A `;\n#`;\n", "A `;\n#`" },
	{ "quote in a quote", "A 'it''s;\n', \"'\";\nB;\n", "A 'it''s;\n', \"'\"|\nB" },
	{ "backslash", "A 'it\\';\n\\\\';\nB;\n", "A 'it\\';\n\\\\'|\nB" },
	{ "no backslash in a name", "A `\\`;\n", "A `\\`" },
	{ "semicolon inside a line stays", "A; B;\nC;\n", "A; B|\nC" },
	{ "no end", "A;\nB\n", "A!" },
	{ "no end before a comment", "A -- ;\n", "!" },
	{ "quote without end", "A;\nB 'x;\n", "A!" },
	{ "quote that ends with a backslash", "A '\\", "!" },
	{ "block comment without end", "A;\n/* x;\n", "A!" },
	{ "slash at the end", "A;\n/", "A!" },
};

START_TEST(test_split)
{
	struct arena *a = arena_new(1 << 16);
	struct str rest = str_of(texts[_i].text), one;
	struct strbuf got;
	int found;

	strbuf_init(&got, a, 4096);
	while ((found = migrate_next(&rest, &one)) > 0) {
		if (got.n)
			strbuf_addc(&got, '|');
		strbuf_addstr(&got, one);
	}
	if (found < 0)
		strbuf_addc(&got, '!');
	ck_assert_msg(str_eqs(strbuf_str(&got), texts[_i].want), "%s: %.*s", texts[_i].name,
		STR_ARG(strbuf_str(&got)));
	arena_free(a);
}
END_TEST

UNIT_MAIN("db_split", UNIT_ROWS(test_split, texts))
