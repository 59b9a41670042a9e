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

UNIT_MAIN("url", UNIT_ROWS(test_decode, decodings), UNIT(test_encode), UNIT_ROWS(test_form, forms), UNIT(test_find))
