/* What of a body is not kept. */
#include "provider_test.h"

static const char *const words[] = { "token", "SessionId", NULL };
static const struct provider masking = { .slug = "own", .masked = words };

static const struct {
	const char *body, *kept;
} rows[] = {
	/* JSON */
	{ "{\"token\":\"abc\"}", "{\"token\":\"***\"}" },
	{ "{ \"a\" : { \"TOKEN\" :\n \"abc\" , \"b\":1 } }", "{ \"a\" : { \"TOKEN\" :\n \"***\" , \"b\":1 } }" },
	{ "{\"token\":\"a\\\"b\\\\\",\"b\":\"c\"}", "{\"token\":\"******\",\"b\":\"c\"}" },
	{ "{\"token\":x\"token\":yz,\"token\":1}", "{\"token\":***********,\"token\":*}" },
	{ "{\"token\":123,\"b\":1}", "{\"token\":***,\"b\":1}" },
	{ "{\"token\":\"a\",\"b\":{\"token\":\"bc\"}}", "{\"token\":\"*\",\"b\":{\"token\":\"**\"}}" },
	{ "{\"sessionid\":\"a\",\"token\":\"bc\"}", "{\"sessionid\":\"*\",\"token\":\"**\"}" },
	{ "{\"token\":\"\"}", "{\"token\":\"\"}" },
	{ "{\"token\":{\"a\":\"b\"}}", "{\"token\":{\"a\":\"b\"}}" },
	{ "{\"my_token\":\"abc\",\"tokens\":\"abc\",\"a\":\"token\"}", "{\"my_token\":\"abc\",\"tokens\":\"abc\",\"a\":\"token\"}" },
	{ "[\"token\",\"abc\"]", "[\"token\",\"abc\"]" },
	/* cut off */
	{ "{\"token\":\"abc", "{\"token\":\"***" },
	{ "{\"token\":\"ab\\", "{\"token\":\"***" },
	{ "{\"token\":", "{\"token\":" },
	{ "{\"token\"", "{\"token\"" },
	{ "{\"token", "{\"token" },
	/* XML */
	{ "<a><SessionId>abc</SessionId><b>c</b></a>", "<a><SessionId>***</SessionId><b>c</b></a>" },
	{ "<s:SessionId x='1'>abc</s:SessionId>", "<s:SessionId x='1'>***</s:SessionId>" },
	{ "<SessionId\n> abc </SessionId>", "<SessionId\n> ****</SessionId>" },
	{ "<SessionId><![CDATA[abc]]></SessionId>", "<SessionId><![CDATA[***]]></SessionId>" },
	{ "<SessionId/><b>c</b>", "<SessionId/><b>c</b>" },
	{ "<SessionId x='1'/><b>c</b>", "<SessionId x='1'/><b>c</b>" },
	{ "<SessionId></SessionId>", "<SessionId></SessionId>" },
	{ "<SessionIds>abc</SessionIds>", "<SessionIds>abc</SessionIds>" },
	{ "<SessionId>abc", "<SessionId>***" },
	{ "<SessionId", "<SessionId" },
	{ "<SessionId <b>abc</b>", "<SessionId <b>abc</b>" },
	{ "<a>s:SessionId >abc</a>", "<a>s:SessionId >abc</a>" },
	/* forms */
	{ "token=abc&b=c", "token=***&b=c" },
	{ "b=c&token=a%20c", "b=c&token=*****" },
	{ "b=c&token=", "b=c&token=" },
	{ "mytoken=abc&b=token", "mytoken=abc&b=token" },
	/* neither */
	{ "the token is abc", "the token is abc" },
	{ "", "" },
};

START_TEST(test_rows)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);

	unit_str(provider_mask(&masking, a, str_of(rows[_i].body)), rows[_i].kept);
	arena_free(a);
}
END_TEST

/* Nothing to hide is no copy. */
START_TEST(test_view)
{
	static const struct provider open = { .slug = "own" };
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct str body = STR("{\"token\":\"abc\"}"), other = STR("{\"a\":1}");

	ck_assert_ptr_eq(provider_mask(&open, a, body).p, body.p);
	ck_assert_ptr_eq(provider_mask(&masking, a, other).p, other.p);
	arena_free(a);
}
END_TEST

/* Anybody may post these. Looked for anew at each of 100,000 names, what one leads to would take minutes. */
static const char *const names[] = {
	"\"token\":x", "\"token\":\"\\", "\"token\" ", "<token ", "<token>", "<token><![CDATA[", "x:token ", ":token>", "token=", "&token",
};

START_TEST(test_many_names)
{
	struct arena *a = arena_new(64 << 20);
	size_t n = strlen(names[_i]), times = (4 << 20) / n;
	char *body = arena_alloc(a, times * n);

	for (size_t i = 0; i < times; i++)
		memcpy(body + i * n, names[_i], n);
	(void)provider_mask(&masking, a, (struct str){ body, times * n });
	arena_free(a);
}
END_TEST

UNIT_MAIN("mask", UNIT_ROWS(test_rows, rows), UNIT(test_view), UNIT_ROWS(test_many_names, names))
