/* Escapers: whatever comes, what is written stays in its place, is UTF-8 without control characters, and reads back as what
 * was given where that was text. A URL leads to ourselves or to http(s). */
#include "fuzz.h"
#include "grapnel/html.h"

static const struct { const char *entity; char c; } entities[] = {
	{ "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' },
};

static struct str unescape(struct arena *a, struct str s)
{
	struct strbuf b;

	strbuf_init(&b, a, s.n);
	while (s.n) {
		size_t i = 0;

		while (s.p[0] == '&' && !str_starts(s, entities[i].entity))
			must(++i < ARRAY_SIZE(entities));
		strbuf_addc(&b, s.p[0] == '&' ? entities[i].c : s.p[0]);
		s = str_sub(s, s.p[0] == '&' ? strlen(entities[i].entity) : 1);
	}
	return strbuf_str(&b);
}

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t' && s.p[i] != '\n') || s.p[i] == 0x7f ||
				(s.p[i] == '\xc2' && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0))
			return true;
	return false;
}

static void check_text(struct arena *a, struct str in, struct str out, const char *never)
{
	must(str_is_utf8(out) && !has_control(out));
	for (; *never; never++)
		must(str_find(out, *never) < 0);
	if (str_is_utf8(in) && !has_control(in))
		must(str_eq(unescape(a, out), in));
}

static void check_url(struct str out)
{
	must((out.p[0] == '/' && (out.n < 2 || out.p[1] != '/')) || out.p[0] == '?' || out.p[0] == '#' ||
		str_ieq((struct str){ out.p, out.n < 7 ? out.n : 7 }, STR("http://")) ||
		str_ieq((struct str){ out.p, out.n < 8 ? out.n : 8 }, STR("https://")));
	for (size_t i = 0; i < out.n; i++)
		must(out.p[i] > ' ' && out.p[i] < 0x7f && !strchr("\"<>\\", out.p[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(1u << 30);
	struct str in = { (const char *)data, n }, cut;
	struct html_out o;

	if (n > HTML_PAGE_MAX / 6)
		goto out;
	html_init(&o, a, 0);
	html_text(&o, in);
	check_text(a, in, strbuf_str(&o.b), "<>");
	html_init(&o, a, 0);
	html_attr(&o, in);
	check_text(a, in, strbuf_str(&o.b), "<>\"");
	html_init(&o, a, 0);
	html_url(&o, in);
	check_url(strbuf_str(&o.b));
	html_init(&o, a, 0);
	html_url_part(&o, in);
	must(str_eq(url_decode(a, strbuf_str(&o.b), false), in));
	cut = html_f_cut80(&o, in);
	must(cut.n <= n + 3 && cut.n <= 80 * 4 && (!str_is_utf8(in) || str_is_utf8(cut)));
	if (n >= sizeof(uint64_t) * 3) {
		struct bar bar = { .label = in, .href = in };
		struct html h;

		memcpy(bar.parts, data, sizeof(bar.parts));
		h = html_bars(&o, &bar, 1, 24, 60, in);
		must(h.s.n && str_is_utf8(h.s));
		h = html_spark(&o, bar.parts, 3, in);
		must(h.s.n && str_is_utf8(h.s));
	}
out:
	arena_free(a);
	return 0;
}
