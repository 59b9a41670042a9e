#include "unit.h"

static const struct {
	const char *text;
	bool plus;
	const char *want;
} decodings[] = {
	{ "", false, "" },
	{ "a%20b", false, "a b" },
	{ "a+b", false, "a+b" },
	{ "a+b", true, "a b" },
	{ "%2B%2b", true, "++" },
	{ "%c3%A4", false, "\xc3\xa4" },
	{ "%", false, "%" },		/* WHATWG: a bad escape stays */
	{ "%4", false, "%4" },
	{ "%zz", false, "%zz" },
	{ "%%41", false, "%A" },
	{ "%25%", false, "%%" },
	{ "100%25", false, "100%" },
	{ "%ff", false, "\xff" },
};

START_TEST(test_decode)
{
	struct arena *a = arena_new(1 << 16);

	unit_str(url_decode(a, str_of(decodings[_i].text), decodings[_i].plus), decodings[_i].want);
	arena_free(a);
}
END_TEST

START_TEST(test_encode)
{
	struct arena *a = arena_new(1 << 16);

	unit_str(url_encode(a, STR("AZaz09-._~")), "AZaz09-._~");
	unit_str(url_encode(a, STR("a b/c?d=e&f+g%*'()!")), "a%20b%2Fc%3Fd%3De%26f%2Bg%25%2A%27%28%29%21");
	unit_str(url_encode(a, STR("\xc3\xa4\0")), "%C3%A4%00");
	unit_str(url_encode(a, STR_NONE), "");
	arena_free(a);
}
END_TEST

static const struct {
	const char *text;
	const char *want;	/* name<value> each */
} forms[] = {
	{ "", "" },
	{ "&", "" },
	{ "a=1", "a<1>" },
	{ "a=1&b=2", "a<1>b<2>" },
	{ "&&a=1&&b=2&&", "a<1>b<2>" },
	{ "a", "a<>" },
	{ "a=", "a<>" },
	{ "=a", "<a>" },
	{ "=", "<>" },
	{ "a=b=c", "a<b=c>" },
	{ "a+b=c%3Dd&a+b=e", "a b<c=d>a b<e>" },
	{ "payload=%7B%22a%22%3A1%7D", "payload<{\"a\":1}>" },
};

START_TEST(test_form)
{
	struct arena *a = arena_new(1 << 16);
	struct str rest = str_of(forms[_i].text), name, value;
	struct strbuf b;

	strbuf_init(&b, a, 1000);
	while (form_next(a, &rest, &name, &value))
		strbuf_addf(&b, "%.*s<%.*s>", STR_ARG(name), STR_ARG(value));
	unit_str(strbuf_str(&b), forms[_i].want);
	arena_free(a);
}
END_TEST

START_TEST(test_find)
{
	struct arena *a = arena_new(1 << 16);
	struct str form = STR("a=1&key=x%20y&key=2&%6bey=3"), value = STR("kept");

	ck_assert(form_find(a, form, "key", &value));
	unit_str(value, "x y");
	ck_assert(!form_find(a, form, "none", &value));
	unit_str(value, "x y");
	ck_assert(form_find(a, STR("%6bey=3"), "key", &value));
	unit_str(value, "3");
	arena_free(a);
}
END_TEST

static const struct {
	const char *url;
	const char *want;	/* host<path>query, or NULL: refused */
} urls[] = {
	{ "https://sns.eu-west-1.amazonaws.com/a.pem", "sns.eu-west-1.amazonaws.com</a.pem>" },
	{ "HTTPS://Example.org", "Example.org<>" },
	{ "https://example.org?a=b?c", "example.org<>a=b?c" },
	{ "https://example.org/a.b/..c/...?x", "example.org</a.b/..c/...>x" },
	{ "http://example.org/", NULL },
	{ "https:/example.org/", NULL },
	{ "//example.org/", NULL },
	{ "https://", NULL },
	{ "https:///a", NULL },
	{ "https://example.org:443/", NULL },
	{ "https://example.org:/", NULL },
	{ "https://user@example.org/", NULL },
	{ "https://api.paypal.com@evil.example/", NULL },
	{ "https://api.paypal.com%40evil.example/", NULL },
	{ "https://example.org/#a", NULL },
	{ "https://evil.example\\@api.paypal.com/", NULL },
	{ "https://evil.example\\.api.paypal.com/", NULL },
	{ "https://example.org/a\\b", NULL },
	{ "https://example.org/a b", NULL },
	{ "https://example.org/a\tb", NULL },
	{ " https://example.org/", NULL },
	{ "https://example.org/\n", NULL },
	{ "https://ex\xc3\xa4mple.org/", NULL },
	{ "https://[::1]/", NULL },
	{ "https://example..org/", NULL },
	{ "https://.example.org/", NULL },
	{ "https://example.org./", NULL },
	{ "https://example.org/../a", NULL },
	{ "https://example.org/a/.", NULL },
	{ "https://example.org/a/%2e%2E/b", NULL },
	{ "https://example.org/a/.%2e", NULL },
};

START_TEST(test_https_url)
{
	struct arena *a = arena_new(1 << 16);
	struct https_url u;
	bool ok = https_url_parse(str_of(urls[_i].url), &u);

	ck_assert_msg(ok == (urls[_i].want != NULL), "%s: %d", urls[_i].url, ok);
	if (ok) {
		unit_str(arena_printf(a, "%.*s<%.*s>%.*s", STR_ARG(u.host), STR_ARG(u.path), STR_ARG(u.query)), urls[_i].want);
		ck_assert(u.has_query == (strchr(urls[_i].url, '?') != NULL));
	}
	arena_free(a);
}
END_TEST

static const struct {
	const char *url, *host;
} hosts[] = {
	{ "https://hooks.example.org/x", "hooks.example.org" }, { "https://hooks.example.org:8443/x", "hooks.example.org" },
	{ "smtp://mail.example.org", "mail.example.org" }, { "smtps://ann@mail.example.org:465", "mail.example.org" },
	{ "smtp://[::1]:25", "::1" }, { "smtp://[2001:db8::1]/x", "2001:db8::1" }, { "smtp://[::1", "::1" }, { "smtp://", "" }, { "", "" },
};

START_TEST(test_host)
{
	unit_str(url_host(str_of(hosts[_i].url)), hosts[_i].host);
}
END_TEST

static const struct {
	const char *address, *masked;
} addresses[] = {
	{ "ann@example.org", "a…@example.org" }, { "jo@example.org", "…@example.org" }, { "\"a@b\"@example.org", "\"…@example.org" },
	{ "+4930123456", "+49…56" }, { "+12345", "…" }, { "", "…" },
	{ "https://ntfy.sh/our-secret-topic", "https://ntfy.sh/…" }, { "https://ann:pass@hooks.example.org:8443/x?y#z", "https://hooks.example.org:8443/…" },
	{ "https://hooks.example.org?token=1", "https://hooks.example.org/…" }, { "https://[2001:db8::1]/a@b", "https://[2001:db8::1]/…" },
	{ "https://", "https:///…" },
};

START_TEST(test_masked)
{
	struct arena *a = arena_new(1 << 16);

	unit_str(address_masked(a, str_of(addresses[_i].address)), addresses[_i].masked);
	arena_free(a);
}
END_TEST

static const struct {
	const char *pattern, *text;
	bool fits;
} patterns[] = {
	{ "api.paypal.com", "api.paypal.com", true },
	{ "api.paypal.com", "API.PayPal.com", true },
	{ "api.paypal.com", "api.paypal.com.evil", false },
	{ "api.paypal.com", "", false },
	{ "sns.*.amazonaws.com", "sns.eu-west-1.amazonaws.com", true },
	{ "sns.*.amazonaws.com", "sns.abc.amazonaws.com", true },
	{ "sns.*.amazonaws.com", "sns.ab.amazonaws.com", false },
	{ "sns.*.amazonaws.com", "sns.amazonaws.com", false },
	{ "sns.*.amazonaws.com", "sns.a.b.c.amazonaws.com", false },
	{ "sns.*.amazonaws.com", "sns.eu_west.amazonaws.com", false },
	{ "sns.*.amazonaws.com", "xsns.eu-west-1.amazonaws.com", false },
	{ "sns.*.amazonaws.com", "sns.eu-west-1.amazonaws.com.cn", false },
	{ "*", "abc", true },
	{ "*", "ab", false },
};

START_TEST(test_pattern)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";

	ck_assert_msg(pattern_fits(patterns[_i].pattern, str_of(patterns[_i].text), set) == patterns[_i].fits, "%s %s",
		patterns[_i].pattern, patterns[_i].text);
}
END_TEST

UNIT_MAIN("url", UNIT_ROWS(test_decode, decodings), UNIT(test_encode), UNIT_ROWS(test_form, forms), UNIT(test_find),
	UNIT_ROWS(test_https_url, urls), UNIT_ROWS(test_pattern, patterns), UNIT_ROWS(test_host, hosts), UNIT_ROWS(test_masked, addresses))
