/* render_sample.c - prints tests/gen/sample.html filled with hostile values; tests/tools/check-tmplc compares. */
#include "sample_tmpl.h"
#include "tests/gen/sample.h"

int main(void)
{
	struct arena *a = arena_new(1 << 20);
	struct sample_row rows[] = {
		{ STR("<b>"), STR("/rows/1"), "ok", 12345, { STR("a&b"), STR("c") }, 2 },
		{ STR("\xff"), STR("//evil.example"), NULL, 0, { { 0 } }, 0 },
	};
	struct sample s = {
		.first = { STR("first"), STR("https://example.org/a b"), "\"><script>", 1, { { 0 } }, 0 },
		.rows = rows, .rows_n = 2,
		.hostile = STR("\"></textarea><script>alert('\x01')</script>&"),
		.url = STR("javascript:alert(1)"),
		.word = "two",
		.picture = { STR("<svg></svg>") },
		.at = 1767323045000,
		.small = 4,
		.below = -5,
		.yes = true,
	};
	struct html_out o;

	html_init(&o, a, s.at + 90 * MS_PER_SECOND);
	tmpl_sample(&o, &s);
	printf("%.*s\n", STR_ARG(strbuf_str(&o.b)));
	arena_free(a);
	return 0;
}
