/* Escapers, filters and pictures, with what hostile senders put into payloads. */
#include "grapnel/html.h"
#include "unit.h"

#define NOW 1767323045000	/* 2026-01-02 03:04:05 UTC */
#define FFFD "\xef\xbf\xbd"

static struct html_out out;

static void begin(void)
{
	html_init(&out, arena_new(64 << 20), NOW);
}

static void end(void)
{
	arena_free(out.a);
}

/* What was written, then forgotten. */
static struct str written(void)
{
	struct str s = arena_str(out.a, strbuf_str(&out.b));

	out.b.n = 0;
	return s;
}

static const struct {
	struct str in;
	const char *text, *attr;
} escapes[] = {
	{ { "", 0 }, "", "" },
	{ STR("plain"), "plain", "plain" },
	{ STR("<script>alert(\"x\")</script>"), "&lt;script&gt;alert(\"x\")&lt;/script&gt;", "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" },
	{ STR("\" onload=\"x"), "\" onload=\"x", "&quot; onload=&quot;x" },
	{ STR("a & b &amp; '"), "a &amp; b &amp;amp; '", "a &amp; b &amp;amp; '" },
	{ STR("a\tb\nc"), "a\tb\nc", "a\tb\nc" },
	{ STR("a\r\nb\r\n"), "a\nb\n", "a\nb\n" },
	{ STR("a\rb\r"), "a" FFFD "b" FFFD, "a" FFFD "b" FFFD },
	{ STR("\0\x01\x08\x0b\x1b[31m\x7f"), FFFD FFFD FFFD FFFD FFFD "[31m" FFFD, FFFD FFFD FFFD FFFD FFFD "[31m" FFFD },
	{ STR("\xc2\x80\xc2\x9f\xc2\xa0"), FFFD FFFD "\xc2\xa0", FFFD FFFD "\xc2\xa0" },	/* C1 controls, no-break space */
	{ STR("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ STR("a\xef\xbf\xbe<\xef\xbf\xbf\xef\xbf\xbd"), "a" FFFD "&lt;" FFFD FFFD, "a" FFFD "&lt;" FFFD FFFD },	/* no characters of XML */
	{ STR("\xff<\xc3"), FFFD "&lt;" FFFD, FFFD "&lt;" FFFD },
	{ STR("\xc0\xbcscript>"), FFFD FFFD "script&gt;", FFFD FFFD "script&gt;" },	/* overlong < */
	{ STR("\xc3<b>"), FFFD "&lt;b&gt;", FFFD "&lt;b&gt;" },		/* a lead byte must not swallow the < */
	{ STR("\xed\xa0\x80"), FFFD FFFD FFFD, FFFD FFFD FFFD },		/* a surrogate */
};

START_TEST(test_escapes)
{
	begin();
	html_text(&out, escapes[_i].in);
	unit_str(written(), escapes[_i].text);
	html_attr(&out, escapes[_i].in);
	unit_str(written(), escapes[_i].attr);
	end();
}
END_TEST

START_TEST(test_types)
{
	char buffer[] = "<";
	const char *none = NULL;
	const struct { char name[4]; uint32_t u; int i; } s = { "a&b", 7, -7 };

	begin();
	html_text(&out, buffer);
	html_text(&out, "&");
	html_text(&out, none);
	html_text(&out, s.name);
	html_text(&out, s.u);
	html_text(&out, s.i);
	html_text(&out, UINT64_MAX);
	html_text(&out, INT64_MIN);
	html_text(&out, ((struct html){ STR("<b>") }));
	unit_str(written(), "&lt;&amp;a&amp;b7-71844674407370955161" "5-9223372036854775808<b>");
	html_attr(&out, "\"");
	html_attr(&out, none);
	html_attr(&out, s.i);
	html_url_part(&out, none);
	html_url_part(&out, s.u);
	html_url_part(&out, "/");
	unit_str(written(), "&quot;-77%2F");
	end();
}
END_TEST

static const struct {
	struct str in;
	const char *url, *part;
} urls[] = {
	{ STR("/incidents/3"), "/incidents/3", "%2Fincidents%2F3" },
	{ STR("/a?b=c&d=%20#e"), "/a?b=c&amp;d=%20#e", "%2Fa%3Fb%3Dc%26d%3D%2520%23e" },
	{ STR("?q=1"), "?q=1", "%3Fq%3D1" },
	{ STR("#top"), "#top", "%23top" },
	{ STR("https://example.org/~x/(y)?z=[1]"), "https://example.org/~x/(y)?z=[1]", "https%3A%2F%2Fexample.org%2F~x%2F%28y%29%3Fz%3D%5B1%5D" },
	{ STR("HTTP://example.org"), "HTTP://example.org", "HTTP%3A%2F%2Fexample.org" },
	{ { "", 0 }, "#", "" },
	{ STR("//evil.example"), "#", "%2F%2Fevil.example" },
	{ STR("/\\evil.example"), "/%5Cevil.example", "%2F%5Cevil.example" },
	{ STR("/\t/evil.example"), "/%09/evil.example", "%2F%09%2Fevil.example" },
	{ STR("/\n/evil.example"), "/%0A/evil.example", "%2F%0A%2Fevil.example" },
	{ STR("\\\\evil.example"), "#", "%5C%5Cevil.example" },
	{ STR("javascript:alert(1)"), "#", "javascript%3Aalert%281%29" },
	{ STR("JaVaScRiPt:alert(1)"), "#", "JaVaScRiPt%3Aalert%281%29" },
	{ STR("java\nscript:alert(1)"), "#", "java%0Ascript%3Aalert%281%29" },
	{ STR(" javascript:alert(1)"), "#", "%20javascript%3Aalert%281%29" },
	{ STR("\x01javascript:alert(1)"), "#", "%01javascript%3Aalert%281%29" },
	{ STR("data:text/html,<b>"), "#", "data%3Atext%2Fhtml%2C%3Cb%3E" },
	{ STR("vbscript:x"), "#", "vbscript%3Ax" },
	{ STR("http:x"), "#", "http%3Ax" },
	{ STR("http"), "#", "http" },
	{ STR("https:/x"), "#", "https%3A%2Fx" },
	{ STR("incidents"), "#", "incidents" },
	{ STR("/\"><script>'"), "/%22%3E%3Cscript%3E'", "%2F%22%3E%3Cscript%3E%27" },
	{ STR("/a b\0c\xc3\xa4\xff"), "/a%20b%00c%C3%A4%FF", "%2Fa%20b%00c%C3%A4%FF" },
};

START_TEST(test_urls)
{
	begin();
	html_url(&out, urls[_i].in);
	unit_str(written(), urls[_i].url);
	html_url_part(&out, urls[_i].in);
	unit_str(written(), urls[_i].part);
	html_url(&out, arena_cstr(out.a, STR("/x")));
	unit_str(written(), "/x");
	end();
}
END_TEST

START_TEST(test_conditions)
{
	const char *none = NULL;
	const int list[3] = { 1, 2, 3 };
	int sum = 0;

	begin();
	ck_assert(html_true(STR("a")) && !html_true(STR_NONE) && html_true("a") && !html_true("") && !html_true(none));
	ck_assert(html_true(1) && !html_true(0) && html_true(-1) && html_true(UINT64_C(1)) && html_true(1u) && html_true(INT64_C(-1)));
	ck_assert(html_true((bool)true) && !html_true((bool)false) && html_true((const struct err *)&out) && !html_true((void *)NULL));
	ck_assert(html_true(((struct html){ STR("<") })) && !html_true(((struct html){ STR_NONE })));
	ck_assert(html_is("a", "a") && !html_is("a", "b") && html_is(none, "") && html_is(STR("ok"), "ok") && !html_is(STR("ok "), "ok"));
	html_each(i, list, ARRAY_SIZE(list))
		html_each(k, list, 2)
			sum += *i * *k;
	ck_assert_int_eq(sum, 18);
	end();
}
END_TEST

START_TEST(test_too_large)
{
	struct html h;

	begin();
	html_text(&out, ((struct html){ { arena_alloc(out.a, HTML_PAGE_MAX), HTML_PAGE_MAX } }));
	ck_assert(!out.b.failed);
	html_text(&out, "<");
	ck_assert(out.b.failed);
	h = html_spark(&out, (const uint64_t[]){ 1 }, 1, STR("x"));
	ck_assert_uint_eq(h.s.n, 0);
	end();
}
END_TEST

/* ---- filters ---- */

#define TIME(iso, title, text) "<time datetime=\"" iso "\" title=\"" title "\">" text "</time>"
#define NEVER "<span class=\"never\">never</span>"

static const struct {
	ms_t t;
	const char *when, *time, *iso;
} times[] = {
	{ 0, NEVER, NEVER, "" },
	{ NOW, TIME("2026-01-02T03:04:05.000Z", "2026-01-02 03:04:05 UTC", "now"),
		TIME("2026-01-02T03:04:05.000Z", "now", "2026-01-02 03:04:05 UTC"), "2026-01-02T03:04:05.000Z" },
	{ NOW - 999, TIME("2026-01-02T03:04:04.001Z", "2026-01-02 03:04:04 UTC", "now"),
		TIME("2026-01-02T03:04:04.001Z", "now", "2026-01-02 03:04:04 UTC"), "2026-01-02T03:04:04.001Z" },
	{ NOW - 1000, TIME("2026-01-02T03:04:04.000Z", "2026-01-02 03:04:04 UTC", "1 s ago"), NULL, NULL },
	{ NOW - 59999, TIME("2026-01-02T03:03:05.001Z", "2026-01-02 03:03:05 UTC", "59 s ago"), NULL, NULL },
	{ NOW - 60000, TIME("2026-01-02T03:03:05.000Z", "2026-01-02 03:03:05 UTC", "1 min ago"), NULL, NULL },
	{ NOW - 3599999, TIME("2026-01-02T02:04:05.001Z", "2026-01-02 02:04:05 UTC", "59 min ago"), NULL, NULL },
	{ NOW - 23 * MS_PER_HOUR, TIME("2026-01-01T04:04:05.000Z", "2026-01-01 04:04:05 UTC", "23 h ago"), NULL, NULL },
	{ NOW - 30 * MS_PER_DAY + 1, TIME("2025-12-03T03:04:05.001Z", "2025-12-03 03:04:05 UTC", "29 d ago"), NULL, NULL },
	{ NOW - 30 * MS_PER_DAY, TIME("2025-12-03T03:04:05.000Z", "2025-12-03 03:04:05 UTC", "2025-12-03"),
		TIME("2025-12-03T03:04:05.000Z", "2025-12-03", "2025-12-03 03:04:05 UTC"), NULL },
	{ NOW + 500, TIME("2026-01-02T03:04:05.500Z", "2026-01-02 03:04:05 UTC", "now"), NULL, NULL },
	{ NOW + 90 * MS_PER_MINUTE, TIME("2026-01-02T04:34:05.000Z", "2026-01-02 04:34:05 UTC", "in 1 h"), NULL, NULL },
};

START_TEST(test_times)
{
	begin();
	unit_str(html_f_when(&out, times[_i].t).s, times[_i].when);
	if (times[_i].time)
		unit_str(html_f_time(&out, times[_i].t).s, times[_i].time);
	if (times[_i].iso)
		unit_str(html_f_iso(&out, times[_i].t), times[_i].iso);
	end();
}
END_TEST

static const struct {
	struct str (*filter)(struct html_out *o, uint64_t n);
	uint64_t n;
	const char *want;
} numbers[] = {
	{ html_f_count, 0, "0" },
	{ html_f_count, 999, "999" },
	{ html_f_count, 1000, "1,000" },
	{ html_f_count, 12345, "12,345" },
	{ html_f_count, 100000, "100,000" },
	{ html_f_count, UINT64_MAX, "18,446,744,073,709,551,615" },
	{ html_f_bytes, 0, "0 B" },
	{ html_f_bytes, 1023, "1023 B" },
	{ html_f_bytes, 1024, "1.0 KiB" },
	{ html_f_bytes, 1229, "1.2 KiB" },
	{ html_f_bytes, 10188, "9.9 KiB" },
	{ html_f_bytes, 10189, "10 KiB" },
	{ html_f_bytes, 10240, "10 KiB" },
	{ html_f_bytes, 1023 * 1024 + 511, "1023 KiB" },
	{ html_f_bytes, 1023 * 1024 + 512, "1.0 MiB" },
	{ html_f_bytes, 1 << 20, "1.0 MiB" },
	{ html_f_bytes, UINT64_C(5) << 40, "5.0 TiB" },
	{ html_f_bytes, UINT64_MAX, "16384 PiB" },
	{ html_f_us, 0, "0 ms" },
	{ html_f_us, 1, "<0.1 ms" },
	{ html_f_us, 50, "0.1 ms" },
	{ html_f_us, 400, "0.4 ms" },
	{ html_f_us, 9949, "9.9 ms" },
	{ html_f_us, 9950, "10 ms" },
	{ html_f_us, 12499, "12 ms" },
	{ html_f_us, 999499, "999 ms" },
	{ html_f_us, 999500, "1.0 s" },
	{ html_f_us, 1300000, "1.3 s" },
	{ html_f_us, 125000000, "2 min 5 s" },
	{ html_f_ms, 0, "0 ms" },
	{ html_f_ms, 999, "999 ms" },
	{ html_f_ms, 1000, "1.0 s" },
	{ html_f_ms, 59499, "59 s" },
	{ html_f_ms, 59500, "1 min" },
	{ html_f_ms, 61000, "1 min 1 s" },
	{ html_f_ms, 3600000, "1 h" },
	{ html_f_ms, 3 * MS_PER_HOUR + 4 * MS_PER_MINUTE, "3 h 4 min" },
	{ html_f_ms, 5 * MS_PER_DAY + 6 * MS_PER_HOUR, "5 d 6 h" },
};

START_TEST(test_numbers)
{
	begin();
	unit_str(numbers[_i].filter(&out, numbers[_i].n), numbers[_i].want);
	end();
}
END_TEST

static const struct { double percent; const char *want; } rates[] = {
	{ 0, "0 %" }, { 0.0 / 0.0, "0 %" }, { -1, "0 %" }, { 0.001, "0.1 %" }, { 0.14, "0.1 %" }, { 50, "50.0 %" }, { 99.5, "99.5 %" },
	{ 99.99, "99.9 %" }, { 100, "100 %" }, { 250, "100 %" },
};

START_TEST(test_rates)
{
	begin();
	unit_str(html_f_rate(&out, rates[_i].percent), rates[_i].want);
	end();
}
END_TEST

#define A10 "aaaaaaaaaa"
#define A70 A10 A10 A10 A10 A10 A10 A10
#define DOTS "\xe2\x80\xa6"

static const struct { const char *in, *want; } cuts[] = {
	{ "", "" },
	{ A70 A10, A70 A10 },
	{ A70 A10 "b", A70 "aaaaaaaaa" DOTS },
	{ A70 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", A70
		"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4" },
	{ A70 "aaaaaaa\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", A70 "aaaaaaa\xc3\xa4\xc3\xa4" DOTS },
	{ A70 "aaaaaa  bbbbb", A70 "aaaaaa  b" DOTS },
	{ A70 "aaaaaa    bbb", A70 "aaaaaa" DOTS },
	{ A70 "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", A70 "\xff\xff\xff\xff\xff\xff\xff\xff\xff" DOTS },
};

START_TEST(test_cuts)
{
	begin();
	unit_str(html_f_cut80(&out, str_of(cuts[_i].in)), cuts[_i].want);
	end();
}
END_TEST

START_TEST(test_lower)
{
	begin();
	unit_str(html_f_lower(&out, STR("ABC\xc3\x84z")), "abc\xc3\x84z");
	end();
}
END_TEST

/* ---- pictures ---- */

START_TEST(test_bars)
{
	const struct bar bars[] = {
		{ { 1000, 0, 0 }, STR("14:00"), STR("/requests?hour=14") },
		{ { 498, 1, 1 }, STR("15:00"), STR("javascript:x") },
		{ { 0, 0, 0 }, STR("<16:00>"), STR("/") },
	};
	struct html h;

	begin();
	html_text(&out, "before");
	h = html_bars(&out, bars, 3, 30, 100, STR("Events \"by\" hour"));
	unit_str(h.s, "<svg class=\"bars\" viewBox=\"0 0 30 100\" preserveAspectRatio=\"none\" role=\"group\" aria-label=\"Events &quot;by&quot; hour\">"
		"<a href=\"/requests?hour=14\"><title>14:00: 1,000 ok</title>"
		"<rect class=\"hit\" x=\"0\" y=\"0\" width=\"10\" height=\"100\"/><rect class=\"ok\" x=\"0\" y=\"0\" width=\"9\" height=\"100\"/></a>"
		"<a href=\"#\"><title>15:00: 498 ok, 1 repeated, 1 failed</title>"
		"<rect class=\"hit\" x=\"10\" y=\"0\" width=\"10\" height=\"100\"/><rect class=\"ok\" x=\"10\" y=\"50.2\" width=\"9\" height=\"49.8\"/>"
		"<rect class=\"repeated\" x=\"10\" y=\"49.2\" width=\"9\" height=\"1\"/><rect class=\"failed\" x=\"10\" y=\"48.2\" width=\"9\" height=\"1\"/></a>"
		"<a href=\"/\"><title>&lt;16:00&gt;: none</title>"
		"<rect class=\"hit\" x=\"20\" y=\"0\" width=\"10\" height=\"100\"/></a></svg>");
	unit_str(written(), "before");
	ck_assert_uint_eq(html_bars(&out, bars, 0, 30, 100, STR("x")).s.n, 0);
	end();
}
END_TEST

START_TEST(test_bars_extremes)
{
	const struct bar bars[] = {
		{ { UINT64_MAX / 2, 0, 0 }, STR("a"), STR("/") },
		{ { UINT64_MAX / 2 - 2, 1, 1 }, STR("b"), STR("/") },	/* full, and its failure is seen */
	};
	struct str s;

	begin();
	s = html_bars(&out, bars, 2, 4, 10, STR("x")).s;
	ck_assert_ptr_nonnull(strstr(s.p, "<rect class=\"ok\" x=\"0\" y=\"0\" width=\"2\" height=\"10\"/></a>"));
	ck_assert_ptr_nonnull(strstr(s.p, "<rect class=\"ok\" x=\"2\" y=\"2\" width=\"2\" height=\"8\"/>"
		"<rect class=\"repeated\" x=\"2\" y=\"1\" width=\"2\" height=\"1\"/><rect class=\"failed\" x=\"2\" y=\"0\" width=\"2\" height=\"1\"/>"));
	end();
}
END_TEST

START_TEST(test_spark)
{
	const uint64_t values[] = { 0, 10, 5 };

	begin();
	unit_str(html_spark(&out, values, 3, STR("24 <h>")).s, "<svg class=\"spark\" viewBox=\"0 0 100 20\" preserveAspectRatio=\"none\" "
		"role=\"img\"><title>24 &lt;h&gt;</title><polyline "
		"points=\"0,19 50,1 100,10\"/></svg>");
	ck_assert_ptr_nonnull(strstr(html_spark(&out, values, 1, STR("x")).s.p, "points=\"0,19 100,19\""));
	ck_assert_ptr_nonnull(strstr(html_spark(&out, values + 1, 1, STR("x")).s.p, "points=\"0,1 100,1\""));
	ck_assert_uint_eq(html_spark(&out, values, 0, STR("x")).s.n, 0);
	end();
}
END_TEST

/* The three finders, and the quiet zone around. */
START_TEST(test_spans)
{
	const struct picture_span spans[] = { { 0, 2550, 1, STR("a<b"), STR("a<b, until \"now\"") }, { 2550, 2550, 2, STR("none"), STR("") },
		{ 2550, PICTURE_WHOLE, 0, STR(""), STR("nobody") } };
	const unsigned marks[] = { 0, 1428 };

	begin();
	unit_str(html_spans(&out, spans, ARRAY_SIZE(spans), marks, ARRAY_SIZE(marks), 5000, STR("Week \"1\"")).s,
		"<svg class=\"spans\" role=\"img\" aria-label=\"Week &quot;1&quot;\">"
		"<g class=\"who-1\"><title>a&lt;b, until \"now\"</title><rect height=\"100%\" x=\"0.00%\" width=\"25.50%\"/>"
		"<text dx=\"5\" y=\"50%\" dy=\".35em\" x=\"0.00%\">a&lt;b</text></g>"
		"<g class=\"who-0\"><title>nobody</title><rect height=\"100%\" x=\"25.50%\" width=\"74.50%\"/>"
		"<text dx=\"5\" y=\"50%\" dy=\".35em\" x=\"25.50%\"></text></g>"
		"<line class=\"mark\" y2=\"100%\" x1=\"0.00%\" x2=\"0.00%\"/><line class=\"mark\" y2=\"100%\" x1=\"14.28%\" x2=\"14.28%\"/>"
		"<line class=\"now\" y2=\"100%\" x1=\"50.00%\" x2=\"50.00%\"/></svg>");
	end();
}
END_TEST

START_TEST(test_qr)
{
	struct str s;

	begin();
	s = html_f_qr(&out, STR("https://x.example/<&>")).s;
	ck_assert(str_starts(s, "<svg class=\"qr\" viewBox=\"0 0 33 33\" role=\"img\" aria-label=\"QR code\""));
	ck_assert(str_ends(s, "\"/></svg>"));
	ck_assert_ptr_nonnull(strstr(s.p, "d=\"M0 0h33v33H0z\""));
	ck_assert_ptr_nonnull(strstr(s.p, "d=\"M4 4h7v1h-7z"));
	ck_assert_ptr_nonnull(strstr(s.p, "M22 4h7v1h-7z"));
	ck_assert_ptr_nonnull(strstr(s.p, "M4 28h7v1h-7z"));
	ck_assert_ptr_null(strstr(s.p, "x.example"));
	ck_assert_uint_eq(html_f_qr(&out, STR_NONE).s.n, 0);
	ck_assert_uint_eq(html_f_qr(&out, arena_printf(out.a, "%01001d", 7)).s.n, 0);
	ck_assert_uint_gt(html_f_qr(&out, arena_printf(out.a, "%01000d", 7)).s.n, 0);
	end();
}
END_TEST

UNIT_MAIN("html", UNIT(test_spans), UNIT(test_qr), UNIT_ROWS(test_escapes, escapes), UNIT(test_types), UNIT_ROWS(test_urls, urls), UNIT(test_conditions),
	UNIT(test_too_large), UNIT_ROWS(test_times, times), UNIT_ROWS(test_numbers, numbers), UNIT_ROWS(test_rates, rates),
	UNIT_ROWS(test_cuts, cuts), UNIT(test_lower), UNIT(test_bars), UNIT(test_bars_extremes), UNIT(test_spark))
