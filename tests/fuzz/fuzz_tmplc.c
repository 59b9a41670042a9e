/* Templates: what is refused has a sentence and a line of the source, and what is taken becomes statements of the kinds that
 * tmplc writes and nothing else, whatever stood in the marks. */
#include "fuzz.h"
#include "src/gen/gen_int.h"

/* Beyond string literals only names, numbers and these; and one statement a line. */
static void check_statement(struct str s)
{
	static const char *const begins[] = { "html_lit(o, ", "html_text(o, ", "html_attr(o, ", "html_url(o, ", "html_url_part(o, ", "if (",
		"} else if (", "} else {", "}", "html_each(", "tmpl_", "\"" };
	bool begun = false, quoted = false;

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		begun |= str_starts(s, begins[i]);
	must(begun);
	for (size_t i = 0; i < s.n; i++) {
		must(s.p[i] >= ' ' && s.p[i] <= '~');
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (quoted && s.p[i] == '\\')
			i++;
		else if (!quoted)
			must(!strchr(";{}", s.p[i]) || i + 1 == s.n || i == 0);
	}
	must(!quoted);
}

static void check_code(struct str code)
{
	must(str_starts(code, "#line 1 \"x.html\"\nvoid tmpl_x(struct html_out *o, const struct "));
	must(str_ends(code, "\n}\n"));
	for (int line = 0; code.n; line++) {
		struct str s = str_until(&code, '\n');

		if (line > 2 && !str_starts(s, "#line "))
			check_statement(str_trim(s));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(1u << 30);
	struct template t = { .name = STR("x"), .path = STR("x.html"), .source = { (const char *)data, n } };
	struct err e = { 0 };
	size_t lines = 1;

	for (size_t i = 0; i < n; i++)
		lines += data[i] == '\n';
	if (template_compile(a, &t, &t, 1, &e)) {
		check_code(t.code);
		must(str_find(t.header, '\n') < 0 && str_find(str_sub(t.header, 1), '"') == (ptrdiff_t)t.header.n - 2);
	} else {
		must(e.code == ERR_INVALID && e.text[0] && t.line >= 1 && t.line <= lines);
	}
	arena_free(a);
	return 0;
}
