/* The language of web/tmpl/README.md: what C a mark becomes in each place, and what is refused with which sentence. */
#include "src/gen/gen_int.h"
#include "unit.h"

#define FIRST "{# struct s from \"s.h\" #}\n"

/* Compiles FIRST and the text; the function's body without #line and indentation, or the error as "line: sentence". */
static struct str compile(struct arena *a, const char *text)
{
	struct template t = { .name = STR("x"), .path = STR("x.html"), .source = arena_printf(a, FIRST "%s", text) }, all[2] = { t };
	struct err e = { 0 };
	struct strbuf body;
	struct str code;

	all[1].name = STR("row");
	if (!template_compile(a, &t, all, 2, &e))
		return arena_printf(a, "%u: %s", t.line, e.text);
	ck_assert_msg(str_eqs(t.view, "s") && str_eqs(t.header, "\"s.h\""), "the first line");
	strbuf_init(&body, a, 1 << 20);
	code = t.code;
	for (int line = 0; code.n; line++) {
		struct str s = str_trim(str_until(&code, '\n'));

		if (line < 3 || str_starts(s, "#line") || (!code.n && str_eqs(s, "}")))
			continue;
		strbuf_addf(&body, "%s%.*s", body.n ? " " : "", STR_ARG(s));
	}
	return strbuf_str(&body);
}

#define LIT(text) "html_lit(o, \"" text "\", " 	/* the length follows */

static const struct {
	const char *text, *want;
} good[] = {
	{ "", "" },
	{ "a\n", LIT("a") "1);" },
	{ "{{ title }}", "html_text(o, v->title);" },
	{ "{{page.user.name}}", "html_text(o, v->page.user.name);" },
	{ "{{ n | count }}", "html_text(o, html_f_count(o, v->n));" },
	{ "{{ n | lower | cut80 }}", "html_text(o, html_f_cut80(o, html_f_lower(o, v->n)));" },
	/* places */
	{ "<p class=\"{{ a }} {{ b }}\">", LIT("<p class=\\\"") "10); html_attr(o, v->a); " LIT(" ") "1); html_attr(o, v->b); "
		LIT("\\\">") "2);" },
	{ "<a href=\"{{ a }}\">", LIT("<a href=\\\"") "9); html_url(o, v->a); " LIT("\\\">") "2);" },
	{ "<a HREF=\"{{ a }}{{ b }}\">", LIT("<a HREF=\\\"") "9); html_url(o, v->a); html_url_part(o, v->b); " LIT("\\\">") "2);" },
	{ "<a href=\"/x/{{ a }}\">", LIT("<a href=\\\"/x/") "12); html_url_part(o, v->a); " LIT("\\\">") "2);" },
	{ "<button formaction=\"\\?a={{ a }}\">", LIT("<button formaction=\\\"\\\\\\?a=") "24); html_url_part(o, v->a); " LIT("\\\">") "2);" },
	{ "<a href=\"mailto:{{ a }}\" title=\"{{ b }}\">", LIT("<a href=\\\"mailto:") "16); html_url_part(o, v->a); "
		LIT("\\\" title=\\\"") "9); html_attr(o, v->b); " LIT("\\\">") "2);" },
	{ "<title>{{ a }}</title>", LIT("<title>") "7); html_text(o, v->a); " LIT("</title>") "8);" },
	{ "<textarea>{{ a }}</textarea>", LIT("<textarea>") "10); html_text(o, v->a); " LIT("</textarea>") "11);" },
	{ "<script src=\"{{ a }}\"></script>", LIT("<script src=\\\"") "13); html_url(o, v->a); " LIT("\\\"></script>") "11);" },
	{ "<br/>{{ a }}", LIT("<br/>") "5); html_text(o, v->a);" },
	{ "<img src=\"/x\" alt=\"\"/>", LIT("<img src=\\\"/x\\\" alt=\\\"\\\"/>") "22);" },
	{ "1 > 0 {x} &amp;", LIT("1 > 0 {x} &amp;") "15);" },
	/* conditions */
	{ "{% if a %}b{% end %}", "if (html_true(v->a)) { " LIT("b") "1); }" },
	{ "{% if not a.b %}c{% else %}d{% end %}", "if (!html_true(v->a.b)) { " LIT("c") "1); } else { " LIT("d") "1); }" },
	{ "{% if a == \"x\" %}1{% elif a != \"y z\" %}2{% end %}", "if (html_is(v->a, \"x\")) { " LIT("1")
		"1); } else if (!html_is(v->a, \"y z\")) { " LIT("2") "1); }" },
	{ "{% if a == 3 or b > -1 or c<2 or not d %}x{% end %}", "if (v->a == 3 || v->b > -1 || v->c < 2 || !html_true(v->d)) { "
		LIT("x") "1); }" },
	{ "{% if a == \"\\\xc3\xa4\" %}x{% end %}", "if (html_is(v->a, \"\\\\\\303\\244\")) { " LIT("x") "1); }" },
	{ "{% if a and b != 0 %}x{% end %}", "if (html_true(v->a) && v->b != 0) { " LIT("x") "1); }" },
	{ "<option{% if x %} selected{% end %}>", LIT("<option") "7); if (html_true(v->x)) { " LIT(" selected") "9); } " LIT(">") "1);" },
	{ "<option {% if x %}selected{% end %}>", LIT("<option ") "8); if (html_true(v->x)) { " LIT("selected") "8); } " LIT(">") "1);" },
	{ "<p {% if x %}id=\"{{ y }}\"{% else %}hidden{% end %} lang=\"en\">", LIT("<p ") "3); if (html_true(v->x)) { "
		LIT("id=\\\"") "4); html_attr(o, v->y); " LIT("\\\"") "1); } else { " LIT("hidden") "6); } " LIT(" lang=\\\"en\\\">") "11);" },
	{ "<p class=\"a{% if x %} b{% end %}\">", LIT("<p class=\\\"a") "11); if (html_true(v->x)) { " LIT(" b") "2); } " LIT("\\\">") "2);" },
	{ "<a href=\"{% if x %}{{ x }}{% else %}/y{% end %}{{ z }}\">", LIT("<a href=\\\"") "9); if (html_true(v->x)) { html_url(o, v->x); } "
		"else { " LIT("/y") "2); } html_url_part(o, v->z); " LIT("\\\">") "2);" },
	/* loops */
	{ "{% for i in list %}{{ i.name }}{{ title }}{% end %}", "html_each(i, v->list, v->list_n) { html_text(o, i->name); "
		"html_text(o, v->title); }" },
	{ "{% for i in a.list %}{% for k in i.list %}{{ k }}{% if i %}{{ k.a.b }}{% end %}{% end %}{% end %}",
		"html_each(i, v->a.list, v->a.list_n) { html_each(k, i->list, i->list_n) { html_text(o, (*k)); "
		"if (html_true((*i))) { html_text(o, k->a.b); } } }" },
	{ "{% for i in list %}{% end %}{{ i }}", "html_each(i, v->list, v->list_n) { } html_text(o, v->i);" },
	{ "<p{% for i in list %} {{ i }}{% end %}>", "2: In a tag a value can only stand in the double quotes of an attribute." },
	/* includes */
	{ "{% include row %}", "tmpl_row(o, v);" },
	{ "{% include row with page %}", "tmpl_row(o, &v->page);" },
	{ "{% for i in list %}{% include row with i %}{% include row with i.x %}{% end %}",
		"html_each(i, v->list, v->list_n) { tmpl_row(o, &(*i)); tmpl_row(o, &i->x); }" },
	/* layout: indentation and lines with block marks alone are the template's */
	{ "<ul>\n\t{% for i in list %}\n\t\t<li>{{ i }}</li>\n\t{% end %}\n</ul>\n", LIT("<ul>\\n") "5); html_each(i, v->list, v->list_n) { "
		LIT("<li>") "4); html_text(o, (*i)); " LIT("</li>\\n") "6); } " LIT("</ul>") "5);" },
	{ "a  \n\n \t\n  b c\n", LIT("a\\n\" \"b c") "5);" },
	{ "a {# x\n y #} b\n{# z #}\nc", LIT("a  b\\n\" \"c") "6);" },
	{ "a\n\t{% include row %}\nb", LIT("a\\n") "2); tmpl_row(o, v); " LIT("\\n\" \"b") "2);" },
	{ "<pre>\n\n  {{ a }}  \n</pre>\n", LIT("<pre>\\n\" \"\\n\" \"  ") "9); html_text(o, v->a); " LIT("  \\n\" \"</pre>") "9);" },
	{ "<pre><b>\n  x</b>\n </pre>\n  y", LIT("<pre><b>\\n\" \"  x</b>\\n\" \" </pre>\\n\" \"y") "26);" },
	{ "<p\n\tid=\"x\"\n\t{% if y %}\n\thidden\n\t{% end %}\n>", LIT("<p\\n\" \"id=\\\"x\\\"\\n") "10); if (html_true(v->y)) { "
		LIT("hidden\\n") "7); } " LIT(">") "1);" },
	/* the C string */
	{ "\"\\\x7f\xc3\xa4?\?(", LIT("\\\"\\\\\\177\\303\\244\\?\\?(") "8);" },
};

START_TEST(test_good)
{
	struct arena *a = arena_new(16 << 20);

	unit_str(compile(a, good[_i].text), good[_i].want);
	arena_free(a);
}
END_TEST

#define NO_TAG_VALUE "2: In a tag a value can only stand in the double quotes of an attribute."
#define DIFFERENT "2: The ways through the {% if %} of line 2 end in different places of the HTML."

static const struct {
	const char *text, *want;
} bad[] = {
	/* places without values */
	{ "<{{ x }}>", "2: A < that begins no tag is written &lt;." },
	{ "<p{{ x }}>", NO_TAG_VALUE },
	{ "<p {{ x }}>", NO_TAG_VALUE },
	{ "<p {{ x }}=\"y\">", NO_TAG_VALUE },
	{ "<p class{{ x }}>", NO_TAG_VALUE },
	{ "<p class={{ x }}>", "2: The value of class= stands in double quotes." },
	{ "<p class='{{ x }}'>", "2: The value of class= stands in double quotes." },
	{ "<p class=a>", "2: The value of class= stands in double quotes." },
	{ "<p class=\"a\"{{ x }}>", NO_TAG_VALUE },
	{ "</{{ x }}>", "2: The closing tag </ has no end on its line." },
	{ "</p{{ x }}>", "2: The closing tag </p has no end on its line." },
	{ "<p style=\"{{ x }}\">", "2: The Content-Security-Policy blocks style=. Use a class or a data- attribute." },
	{ "<p onclick=\"{{ x }}\">", "2: The Content-Security-Policy blocks onclick=. Use a class or a data- attribute." },
	{ "<p ONLOAD=\"x\">", "2: The Content-Security-Policy blocks ONLOAD=. Use a class or a data- attribute." },
	{ "<img srcset=\"{{ x }}\">", "2: srcset= is not for templates." },
	{ "<iframe srcdoc=\"{{ x }}\">", "2: <iframe> is not for templates." },
	{ "<p srcdoc=\"{{ x }}\">", "2: srcdoc= is not for templates." },
	{ "<script>{{ x }}</script>", "2: No value can stand in <script>. Put it into a data- attribute." },
	{ "<script>x</script>", "2: Scripts stand in web/grapnel.js: the Content-Security-Policy blocks them in pages." },
	{ "<SCRIPT>\n{% if x %}{% end %}</SCRIPT>", "2: Scripts stand in web/grapnel.js: the Content-Security-Policy blocks them in pages." },
	{ "<script>{% if x %}{% end %}</script>", "2: No mark can stand in <script>." },
	{ "<style>p { color: {{ x }} }</style>", "2: Styles stand in web/grapnel.css: the Content-Security-Policy blocks <style>." },
	{ "<!-- {{ x }} -->", "2: Only <!doctype html> begins with <!. A comment is {# ... #}." },
	{ "<!doctype {{ x }}>", "2: Only <!doctype html> begins with <!. A comment is {# ... #}." },
	{ "<![CDATA[ {{ x }} ]]>", "2: Only <!doctype html> begins with <!. A comment is {# ... #}." },
	{ "<?php {{ x }} ?>", "2: A < that begins no tag is written &lt;." },
	{ "<xmp>", "2: <xmp> is not for templates." },
	/* URLs */
	{ "<a href=\"javascript:{{ x }}\">", "2: A URL begins with /, ?, #, http:, https: or mailto:." },
	{ "<a href=\"{% if y %}{% end %}Data:,{{ x }}\">", "2: A URL begins with /, ?, #, http:, https: or mailto:." },
	{ "<a href=\"{% if y %}/a{% end %}{{ x }}\">", DIFFERENT },
	{ "<a href=\"{% for i in y %}{{ i }}{% end %}\">", "2: The ways through the {% for %} of line 2 end in different places of the HTML." },
	/* HTML that we do not write */
	{ "a < b", "2: A < that begins no tag is written &lt;." },
	{ "a <", "2: A < that begins no tag is written &lt;." },
	{ "<textarea><b></textarea>", "2: A < that begins no tag is written &lt;." },
	{ "<textarea></b></textarea>", "2: </b> closes an element that is not the one open here." },
	{ "<pre><textarea>", "2: <textarea> cannot stand here: the element before it is still open." },
	{ "<p id=\"a\"class=\"b\">", "2: A blank is missing before this attribute." },
	{ "<p {% if x %}id=\"a\"{% end %}class=\"b\">", "2: A blank is missing before this attribute." },
	{ "<p {% for i in x %}a=\"b\"{% end %}>", "2: A blank is missing before this attribute." },
	{ "<p{% if x %}q{% end %}>", "2: A blank is missing before this attribute." },
	{ "<p id{% if x %}=\"\"{% end %}>", "2: This cannot stand in a tag: =" },
	{ "<p \"x\">", "2: This cannot stand in a tag: \"" },
	{ "<p <b>", "2: This cannot stand in a tag: <" },
	{ "<p / id>", "2: This cannot stand in a tag: /" },
	{ "<p \x7f>", "2: This cannot stand in a tag: ?" },
	{ "<p>\r\n", "1: The template has control characters, or lines that end in CR LF." },
	{ "<p \x01>", "1: The template has control characters, or lines that end in CR LF." },
	{ "\xff", "1: The template is not UTF-8." },
	/* branches and blocks */
	{ "{% if x %}<p{% end %}>", DIFFERENT },
	{ "<p{% if x %}>{% else %} id=\"{% end %}", DIFFERENT },
	{ "{% if x %}<pre>{% end %}", DIFFERENT },
	{ "<p class=\"{% if x %}\"{% end %}>", DIFFERENT },
	{ "{% for i in x %}<p id=\"{% end %}", "2: The ways through the {% for %} of line 2 end in different places of the HTML." },
	{ "\n{% if x %}\n", "4: The {% if %} of line 3 has no {% end %}." },
	{ "{% for i in x %}", "2: The {% for %} of line 2 has no {% end %}." },
	{ "\n{% end %}", "3: There is nothing open that {% end %} could end." },
	{ "{% else %}", "2: There is no open {% if %} for this." },
	{ "{% for i in x %}{% else %}{% end %}", "2: There is no open {% if %} for this." },
	{ "{% if x %}{% else %}{% elif y %}{% end %}", "2: There is no open {% if %} for this." },
	{ "{% if x %}{% else %}{% else %}{% end %}", "2: There is no open {% if %} for this." },
	{ "<p", "2: The template ends inside a tag." },
	{ "<p id=\"x", "2: The template ends inside a tag." },
	{ "<pre>", "2: The template ends inside <pre>, <textarea>, <title> or <script>." },
	{ "<title>x\n", "3: The template ends inside <pre>, <textarea>, <title> or <script>." },
	/* marks */
	{ "{{ x", "2: The mark has no end on its line." },
	{ "{{ x\n}}", "2: The mark has no end on its line." },
	{ "{% if x }}", "2: The mark has no end on its line." },
	{ "{# x", "2: The comment has no end." },
	{ "{{ }}", "2: The name of a value is missing here." },
	{ "{{ 3 }}", "2: The name of a value is missing here." },
	{ "{{ x. }}", "2: A name is missing after the dot." },
	{ "{{ x.3 }}", "2: A name is missing after the dot." },
	{ "{{ x y }}", "2: This is too much in the mark: y" },
	{ "{{ x->y }}", "2: This is too much in the mark: ->y" },
	{ "{{ x); system(\"rm\" }}", "2: This is too much in the mark: ); system(\"rm\"" },
	{ "{{ x | }}", "2: The name of a filter is missing after the bar." },
	{ "{% %}", "2: There is no mark {%  %}." },
	{ "{% while x %}", "2: There is no mark {% while %}." },
	{ "{% if %}{% end %}", "2: The name of a value is missing here." },
	{ "{% if x = 3 %}{% end %}", "2: A comparison is == or != with a \"word\", or == != < > with a number." },
	{ "{% if x > \"a\" %}{% end %}", "2: A comparison is == or != with a \"word\", or == != < > with a number." },
	{ "{% if x == y %}{% end %}", "2: A comparison is == or != with a \"word\", or == != < > with a number." },
	{ "{% if x == \"a %}{% end %}", "2: A comparison is == or != with a \"word\", or == != < > with a number." },
	{ "{% if x == \"a3 %}{% end %}", "2: A comparison is == or != with a \"word\", or == != < > with a number." },
	{ "{% if x == \" %}{% end %}", "2: A comparison is == or != with a \"word\", or == != < > with a number." },
	{ "{% if x == - %}{% end %}", "2: A comparison is == or != with a \"word\", or == != < > with a number." },
	{ "{% if x ! 3 %}{% end %}", "2: A comparison is == or != with a \"word\", or == != < > with a number." },
	{ "{% if not x == 3 %}{% end %}", "2: `not` stands before a single value; turn the comparison round instead." },
	{ "{% if x and y or z %}{% end %}", "2: `and` and `or` cannot be mixed in one condition." },
	{ "{% if x and %}{% end %}", "2: The name of a value is missing here." },
	{ "{% if x y %}{% end %}", "2: This is too much in the mark: y" },
	{ "{% else x %}", "2: This is too much in the mark: x" },
	{ "{% for x %}", "2: A loop is {% for name in array %}." },
	{ "{% for x of y %}", "2: A loop is {% for name in array %}." },
	{ "{% for v in y %}", "2: The name v is taken." },
	{ "{% for i in x %}{% for i in y %}{% end %}{% end %}", "2: The name i is taken." },
	{ "{% include %}", "2: The name of the template is missing." },
	{ "{% include nowhere %}", "2: There is no template nowhere.html in the list of Makefile.am." },
	{ "{% include row by x %}", "2: This is too much in the mark: by x" },
	{ "<p title=\"{% include row %}\">", "2: A template can only be included between tags." },
	{ "<p {% include row %}>", "2: A template can only be included between tags." },
	{ "<title>{% include row %}</title>", "2: A template can only be included between tags." },
};

START_TEST(test_bad)
{
	struct arena *a = arena_new(16 << 20);

	unit_str(compile(a, bad[_i].text), bad[_i].want);
	arena_free(a);
}
END_TEST

static const struct {
	const char *name, *source, *want;
} heads[] = {
	{ "x", "", "1: The first line is {# struct NAME from \"HEADER\" #}." },
	{ "x", "<p>", "1: The first line is {# struct NAME from \"HEADER\" #}." },
	{ "x", "{# struct #}", "1: The first line is {# struct NAME from \"HEADER\" #}." },
	{ "x", "{# struct s from s.h #}", "1: The first line is {# struct NAME from \"HEADER\" #}." },
	{ "x", "{# struct s from \"s.h\n#include <x.h>\" #}", "1: The first line is {# struct NAME from \"HEADER\" #}." },
	{ "x", "{# struct s from \"s.h #}", "1: The first line is {# struct NAME from \"HEADER\" #}." },
	{ "x", "{# struct s from \"\" #}", "1: The first line is {# struct NAME from \"HEADER\" #}." },
	{ "x", "{# struct s from \"s.h\" and more #}", "1: The first line is {# struct NAME from \"HEADER\" #}." },
	{ "x", "{# struct s from \"s.h\"", "1: The first line is {# struct NAME from \"HEADER\" #}." },
	{ "x", "\n{# struct s from \"s.h\" #}", "1: The first line is {# struct NAME from \"HEADER\" #}." },
	{ "a-b", FIRST, "1: The name of a template has small letters, digits and _ only." },
	{ "", FIRST, "1: The name of a template has small letters, digits and _ only." },
	{ "a_2", FIRST, NULL },
};

START_TEST(test_head)
{
	struct arena *a = arena_new(16 << 20);
	struct template t = { .name = str_of(heads[_i].name), .path = STR("x.html"), .source = str_of(heads[_i].source) };
	struct err e = { 0 };

	if (template_compile(a, &t, &t, 1, &e))
		ck_assert_ptr_null(heads[_i].want);
	else
		unit_str(arena_printf(a, "%u: %s", t.line, e.text), heads[_i].want);
	arena_free(a);
}
END_TEST

/* As long as it may be, and one more. */
START_TEST(test_length)
{
	struct arena *a = arena_new(16 << 20);
	char filters[1001] = { 0 };
	struct str code;

	for (size_t i = 0; i < 1000; i += 2)
		memcpy(filters + i, "|f", 2);
	code = compile(a, arena_printf(a, "{{ x%.998s}}", filters).p);
	ck_assert(str_starts(code, "html_text(o, html_f_f(o, html_f_f(o, "));
	ck_assert_uint_eq(code.n, strlen("html_text(o, v->x);") + 499 * strlen("html_f_f(o, )"));
	unit_str(compile(a, arena_printf(a, "{{x%s}}", filters).p), "2: The mark is too long.");
	arena_free(a);
}
END_TEST

START_TEST(test_depth)
{
	struct arena *a = arena_new(16 << 20);
	struct strbuf b;

	strbuf_init(&b, a, 1 << 16);
	for (int i = 0; i < 17; i++)
		strbuf_adds(&b, "{% if x %}");
	strbuf_addc(&b, '\0');
	unit_str(compile(a, b.p), "2: Blocks are nested too deeply.");
	arena_free(a);
}
END_TEST

UNIT_MAIN("tmplc", UNIT_ROWS(test_good, good), UNIT_ROWS(test_bad, bad), UNIT_ROWS(test_head, heads), UNIT(test_length), UNIT(test_depth))
