/* The expression language of provider.h: a row for each thing it says. */
#include "provider_test.h"

#include "grapnel/crypto.h"

static const char element[] =
	"{\"a\":\" text \",\"n\":12345,\"f\":12345.0,\"big\":9007199254740993,\"t\":true,\"nul\":null,\"empty\":\"  \",\"o\":{\"x\":\"deep\"},"
	"\"l\":[\"zero\",{\"k\":\"one\"}],\"a/b\":\"slash\",\"star\":\"*monitorID*\",\"shell\":\"${latestEvent.id}\",\"dog\":\"$ALERT_ID\","
	"\"must\":\"{{ incident.id }}\",\"place\":\"{PID}\",\"uuid\":\"{0f8fad5b-d9cb-469f-a165-70867728950e}\",\"price\":\"$5\","
	"\"md\":\"*bold text*\",\"none\":\"None\",\"na\":\"N/A\",\"word\":\"nonesuch\","
	"\"labels\":{\"b\":\"2\",\"a\":\"1\"},\"labels2\":{\"a\":\"1\",\"b\":\"2\"},\"nolabels\":{},"
	"\"tags\":\"monitor, env : prod,url:http://x,env:second,left:$LEFT\",\"tags2\":[\"monitor\",7,\"Env:prod\",{\"name\":\"team\",\"value\":\"sre\"}],"
	"\"link\":\"https://x/accounts/7/sets/a%20b/triggers/xyz?to=/count/1\",\"path\":\"/subscriptions/1/resourcegroups/web\","
	"\"tags3\":\"[env:prod,team:sre]\",\"tags4\":[\"service = api\",\"url=http://x\"],"
	"\"tags5\":[[\"browser\",\"Chrome 75\"],[\"Environment\",\"prod\"],[],[\"lonely\"],[\"left\",\"*left*\"]],"
	"\"url\":\"https://x.io/api/issues/117/\",\"slashes\":\"///\",\"href\":\"/commit/9fec\",\"nothing\":\"monitorURL\","
	"\"d.e\":\"whole\",\"d\":{\"e\":\"parts\",\"f.g\":{\"h\":\"deep\"},\"i\":7}}";

static const struct {
	const char *expr, *want;	/* NULL = not there */
} rows[] = {
	{ "/a", "text" },
	{ "/n", "12345" },
	{ "/f", "12345" },
	{ "/big", "9007199254740993" },
	{ "/t", "true" },
	{ "/o/x", "deep" },
	{ "/l/0", "zero" },
	{ "/l/1/k", "one" },
	{ "/a~1b", "slash" },
	{ "/o", NULL },
	{ "/l", NULL },
	{ "/nul", NULL },
	{ "/empty", NULL },
	{ "/missing", NULL },
	{ "/a/deeper", NULL },

	/* dotted names */
	{ ".a", "text" },
	{ ".d.e", "whole" },
	{ ".d.f.g.h", "deep" },
	{ ".d.i", "7" },
	{ "#.d.i", "7" },
	{ ".d.f", NULL },
	{ ".d.e.x", NULL },
	{ ".d.", NULL },
	{ "..d", NULL },
	{ "^.top", "body" },
	{ "<.type", "envelope" },
	{ "{.d.e}:{.d.none|.d.i}", "whole:7" },

	/* the last part of a URL */
	{ "~/url", "117" },
	{ "~/href", "9fec" },
	{ "~/a", "text" },
	{ "~^/top", "body" },
	{ "~/slashes", NULL },
	{ "~/missing", NULL },
	{ "issue:{/missing|~/url}", "issue:117" },

	/* template variables that were left in place */
	{ "/star", NULL },
	{ "/shell", NULL },
	{ "/dog", NULL },
	{ "/must", NULL },
	{ "/place", NULL },
	{ "/uuid", "{0f8fad5b-d9cb-469f-a165-70867728950e}" },
	{ "/price", "$5" },
	{ "/md", "*bold text*" },

	/* other places */
	{ "^/top", "body" },
	{ "^/a", NULL },
	{ "</type", "envelope" },
	{ "@x-event", "push" },
	{ "@x-none", NULL },
	{ "?q", "a b" },
	{ "?none", NULL },
	{ "'literal'", "literal" },
	{ "$request", "1001" },
	{ "$path", "/x" },
	{ "$index", "3" },
	{ "$list", "/the/list" },
	{ "%key", "one" },
	{ "%bare", "text" },
	{ "%unset", NULL },

	/* tags */
	{ ":env/tags", "prod" },
	{ ":environment/tags5", "prod" },
	{ ":browser/tags5", "Chrome 75" },
	{ ":lonely/tags5", NULL },
	{ ":left/tags5", NULL },
	{ ":ENV/tags", "prod" },
	{ ":url/tags", "http://x" },
	{ ":monitor/tags", NULL },
	{ ":en/tags", NULL },
	{ ":left/tags", NULL },
	{ ":env/tags2", "prod" },
	{ ":team/tags2", "sre" },
	{ ":7/tags2", NULL },
	{ ":team/tags3", "sre" },
	{ ":env/tags3", "prod" },
	{ ":service/tags4", "api" },
	{ ":url/tags4", "http://x" },
	{ ":env/missing", NULL },
	{ ":env/o", NULL },
	{ ":env^/tags", "top" },

	/* parts of URLs */
	{ "&accounts/link", "7" },
	{ "&ACCOUNTS/link", "7" },
	{ "&sets/link", "a%20b" },
	{ "&triggers/link", "xyz" },
	{ "&count/link", "1" },
	{ "&xyz/link", NULL },
	{ "&resourceGroups/path", "web" },
	{ "&accounts/missing", NULL },
	{ "&accounts/o", NULL },

	/* what the provider computes, and the event so far */
	{ "!echo", "echo" },
	{ "!blank", NULL },
	{ "{!echo}:{/n}", "echo:12345" },
	{ "$key", "7" },

	/* ids */
	{ "#/a", "text" },
	{ "#/none", NULL },
	{ "#/na", NULL },
	{ "#/word", "nonesuch" },
	{ "/none", "None" },

	/* alternatives */
	{ "/missing|/a|/n", "text" },
	{ "/missing|/nul", NULL },
	{ "/missing|'-'", "-" },
	{ "@x-none|^/top", "body" },
	{ "%unset|/n", "12345" },

	/* texts */
	{ "{/a}", "text" },
	{ "job:{^/top}:{/missing|/n}", "job:body:12345" },
	{ "{/a}{/n}", "text12345" },
	{ "{/a}:{/missing}", NULL },
	{ "{/a}[ on {/missing}]", "text" },
	{ "{/a}[ on {/n}]", "text on 12345" },
	{ "{/a}[ ({/missing}, {/n})] end", "text end" },
	{ "{/a}[ ({/n}, {/missing})] end", "text end" },
	{ "{/a}[ 1 {/missing}][ 2 {/n}]", "text 2 12345" },
	{ "[{/missing}]{/a}", "text" },
};

static struct str own(struct arena *a, struct str name, const struct where *w)
{
	return str_eqs(name, "blank") ? STR("  ") : name;
}

static struct str eval(struct arena *a, const char *expr)
{
	static const struct provider made = { .own = own };
	static const struct event mapped = { .dedup_key = { "7", 1 } };
	static const struct header headers[] = { { { "x-other", 7 }, { "o", 1 } }, { { "x-event", 7 }, { "push", 4 } } };
	struct inbound in = test_inbound("raw", headers, 2);
	struct where w = { .p = &made, .event = &mapped, .in = &in, .index = 3, .list = STR("/the/list"),
		.wrapper = test_json(a, "{\"type\":\"envelope\"}") };

	in.doc = test_json(a, "{\"top\":\"body\",\"tags\":\"env:top\"}");
	in.query = STR("p=1&q=a+b&q=second");
	in.settings = test_json(a, "{\"fields\":{\"key\":[\"/missing\",\"/l/1/k\"],\"bare\":\"a\"}}");
	w.element = test_json(a, element);
	return expr_eval(a, expr, &w);
}

START_TEST(test_rows)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);

	unit_str(eval(a, rows[_i].expr), rows[_i].want);
	arena_free(a);
}
END_TEST

START_TEST(test_hash_of_members)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct str want = sha256_hex(a, STR("a=1\nb=2\n"));

	ck_assert(str_eq(eval(a, "=/labels"), want));
	ck_assert(str_eq(eval(a, "=/labels2"), want));
	ck_assert_uint_eq(eval(a, "=/nolabels").n, 0);
	ck_assert_uint_eq(eval(a, "=/a").n, 0);
	ck_assert(str_eq(eval(a, "$body"), sha256_hex(a, STR("raw"))));
	arena_free(a);
}
END_TEST

/* A single path is a view: nothing is copied. */
START_TEST(test_no_memory)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct inbound in = test_inbound("raw", NULL, 0);
	struct where w = { .in = &in, .element = test_json(a, element) };
	size_t before = arena_used(a);

	unit_str(expr_eval(a, "/missing|@none|/o/x", &w), "deep");
	ck_assert_uint_eq(arena_used(a), before);
	arena_free(a);
}
END_TEST

static const struct {
	const char *url, *base, *uri, *path, *query;
} urls[] = {
	{ "https://a.example/x/y?b=1&c", "https://a.example", "/x/y?b=1&c", "/x/y", "b=1&c" },
	{ "http://u:p@a.example:81/", "http://u:p@a.example:81", "/", "/", "" },
	{ "https://a.example?b=/1", "https://a.example", "?b=/1", "", "b=/1" },
	{ "https://a.example", "https://a.example", "", "", "" },
	{ "nonsense", "nonsense", "", "", "" },
	{ "", "", "", "", "" },
};

START_TEST(test_set_url)
{
	struct inbound in = test_inbound("", NULL, 0);

	inbound_set_url(&in, str_of(urls[_i].url));
	unit_str(in.public_url, urls[_i].base);
	unit_str(in.uri, urls[_i].uri);
	unit_str(in.path, urls[_i].path);
	unit_str(in.query, urls[_i].query);
}
END_TEST

/* With GET the query stands for the body. */
START_TEST(test_hash_of_a_query)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct inbound in = test_inbound("", NULL, 0);
	struct where w = { .in = &in };

	in.method = STR("GET");
	in.query = STR("monitorID=7");
	ck_assert(str_eq(expr_eval(a, "$body", &w), sha256_hex(a, STR("monitorID=7"))));
	arena_free(a);
}
END_TEST

/* A type's own words for nothing: whole, wherever they stand. */
START_TEST(test_words_left_over)
{
	static const char *const words[] = { "monitorURL", "https://", NULL };
	static const struct provider p = { .left_over = words };
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct inbound in = test_inbound("raw", NULL, 0);
	struct where w = { .p = &p, .in = &in, .element = test_json(a, element) };

	unit_str(expr_eval(a, "/nothing", &w), NULL);
	unit_str(expr_eval(a, "/nothing|/a", &w), "text");
	unit_str(expr_eval(a, "{/a}[ at {/nothing}]", &w), "text");
	unit_str(expr_eval(a, "/url", &w), "https://x.io/api/issues/117/");
	w.p = NULL;
	unit_str(expr_eval(a, "/nothing", &w), "monitorURL");
	arena_free(a);
}
END_TEST

UNIT_MAIN("expr", UNIT_ROWS(test_rows, rows), UNIT_ROWS(test_set_url, urls), UNIT(test_hash_of_members), UNIT(test_no_memory),
	UNIT(test_hash_of_a_query), UNIT(test_words_left_over))
