/* The engine behind the tables, on a provider made for the test; golden cases show the real ones.
 */
#include "provider_test.h"

#include "grapnel/crypto.h"

static const struct word actions[] = { { "down", ACTION_TRIGGER }, { "up", ACTION_RESOLVE }, { "note", ACTION_IGNORE }, { 0 } };

static const char *const is_special[] = { "special", NULL };

static const struct map special[] = {
	{ EV_SUMMARY, "'from the variant'" },
	{ EV_END }
};

static const struct variant variants[] = {
	{ "/kind", is_special, special },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_ACTION, "/state", WORD, actions },
	{ EV_EVENT_ID, "/id", NATIVE },
	{ EV_EVENT_ID, "@delivery", NATIVE },
	{ EV_DEDUP_KEY, "/own", NATIVE },
	{ EV_DEDUP_KEY, "/key" },
	{ EV_SEVERITY, "/severity", WORD, severity_words },
	{ EV_SEVERITY, "/always", WORD, severity_words, ON_ALL },
	{ EV_NATIVE_SEVERITY, "/severity" },
	{ EV_SUMMARY, "/summary" },
	{ EV_SUMMARY, "'it is up'", .only = ON_RESOLVE },
	{ EV_DESCRIPTION, "/description" },
	{ EV_EVENT_TYPE, "/type", LOWER },
	{ EV_ENTITY_TYPE, "/entity" },
	{ EV_ENTITY_ID, "/entity_id", SNAKE },
	{ EV_SERVICE, "/kinds", WORD, actions },
	{ EV_SERVICE, "/service" },
	{ EV_SOURCE, "/source" },
	{ EV_OCCURRED, "/at", TIME },
	{ EV_OCCURRED, "/at", EPOCH },
	{ EV_LINK, "/url" },
	{ EV_LINK, "/url2" },
	{ EV_LINK, "/links/-/href" },
	{ EV_DETAILS, "/o/labels" },
	{ EV_DETAILS, "/o/count" },
	{ EV_END }
};

static const struct wrap wraps[] = {
	{ "/Type", "/Message" },
	{ "/detail-type", "/detail" },
	{ 0 }
};

static const struct provider one = {
	.slug = "made", .bodies = BODY_JSON, .fields = fields, .variants = variants, .wraps = wraps, .severity_trigger = SEVERITY_ERROR,
};

static const struct provider many = {
	.slug = "made", .bodies = BODY_JSON, .each = "/list", .alone = "/alone", .fields = fields, .severity_trigger = SEVERITY_ERROR,
};

static const struct map further_fields[] = {
	{ EV_ACTION, "/state", WORD, actions },
	{ EV_SUMMARY, "{/id}[ of {$list}]" },
	{ EV_SOURCE, "/host/name" },
	{ EV_SERVICE, "/labels/0" },
	{ EV_LINK, "/link.*" },
	{ EV_DETAILS, "/note.*" },
	{ EV_DETAILS, "/in/x*" },
	{ EV_DETAILS, ".in.y" },
	{ EV_END }
};

static const struct opening further_opens[] = {
	{ "/host_info", "host" },
	{ "/labels" },
	{ 0 }
};

static const struct provider further = {
	.slug = "made", .bodies = BODY_JSON | BODY_LOOSE, .each = "/new|/a/old|/new2", .alone = "/state", .fields = further_fields,
	.opens = further_opens, .severity_trigger = SEVERITY_ERROR,
};

static const struct provider lower = {
	.slug = "made", .bodies = BODY_JSON | BODY_FORM, .flags = LOWER_NAMES, .fields = fields, .severity_trigger = SEVERITY_ERROR,
};

struct outcome_of_map {
	struct event *ev;
	size_t n;
	struct err e;
	bool ok;
};

static struct arena *a;

static void set_up(void)
{
	a = arena_new(TEST_ARENA_MAX);
}

static void tear_down(void)
{
	arena_free(a);
}

static struct outcome_of_map map_body(const struct provider *p, const char *body, const char *delivery)
{
	struct header h = { STR("delivery"), str_of(delivery) };
	struct inbound in = test_inbound(body, &h, 1);
	struct outcome_of_map m = { .ok = true };

	ck_assert(inbound_parse(p, a, &in, &m.e));
	m.ok = provider_map(p, a, &in, 4, &m.ev, &m.n, &m.e);
	return m;
}

static struct event *only(const char *body)
{
	struct outcome_of_map m = map_body(&one, body, NULL);

	ck_assert_msg(m.ok && m.n == 1, "%s: %s", body, m.e.text);
	return m.ev;
}

START_TEST(test_action_and_severity)
{
	static const struct {
		const char *body;
		enum action action;
		enum severity severity;
		enum level level;
	} rows[] = {
		{ "{\"state\":\"DOWN\"}", ACTION_TRIGGER, SEVERITY_ERROR, LEVEL_HIGH },
		{ "{\"state\":\"down\",\"severity\":\"P3\"}", ACTION_TRIGGER, SEVERITY_WARNING, LEVEL_MEDIUM },
		{ "{\"state\":\"down\",\"severity\":\"low\"}", ACTION_TRIGGER, SEVERITY_INFO, LEVEL_LOW },
		{ "{\"state\":\"down\",\"severity\":\"purple\"}", ACTION_TRIGGER, SEVERITY_ERROR, LEVEL_HIGH },
		{ "{\"state\":\"up\"}", ACTION_RESOLVE, SEVERITY_INFO, LEVEL_INFO },
		{ "{\"state\":\"up\",\"severity\":\"critical\"}", ACTION_RESOLVE, SEVERITY_CRITICAL, LEVEL_CRITICAL },
		{ "{\"state\":\"note\",\"severity\":\"critical\"}", ACTION_IGNORE, SEVERITY_INFO, LEVEL_INFO },
		{ "{\"state\":\"note\",\"always\":\"critical\"}", ACTION_IGNORE, SEVERITY_CRITICAL, LEVEL_CRITICAL },
		{ "{\"state\":\"backup\"}", ACTION_IGNORE, SEVERITY_INFO, LEVEL_INFO },
		{ "{}", ACTION_IGNORE, SEVERITY_INFO, LEVEL_INFO },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct event *ev = only(rows[i].body);

		ck_assert_msg(ev->action == rows[i].action, "row %zu: action", i);
		ck_assert_msg(ev->severity == rows[i].severity, "row %zu: severity", i);
		ck_assert_msg(ev->level == rows[i].level, "row %zu: level", i);
	}
}
END_TEST

START_TEST(test_keys)
{
	struct event *ev = only("{\"state\":\"down\",\"key\":7,\"summary\":\"s\",\"source\":\"x\"}");
	struct str hash = sha256_hex(a, STR("s\nx"));

	unit_str(ev->dedup_key, "made:7");
	unit_str(only("{\"state\":\"down\",\"own\":\"theirs\",\"key\":7}")->dedup_key, "theirs");
	ev = only("{\"state\":\"down\",\"summary\":\"s\",\"source\":\"x\"}");
	unit_str(ev->dedup_key, arena_printf(a, "made:%.*s", STR_ARG(hash)).p);
	unit_str(only("{\"state\":\"note\",\"summary\":\"s\"}")->dedup_key, NULL);
}
END_TEST

/* Exactly at the limit it stays as it is, one more and it is hashed. */
START_TEST(test_long_keys_and_ids)
{
	char filler[300];
	struct str key;
	struct event *ev;

	memset(filler, 'k', sizeof(filler));
	ev = only(arena_printf(a, "{\"state\":\"down\",\"id\":\"%.*s\",\"key\":\"%.*s\"}", 255, filler, 250, filler).p);
	ck_assert_uint_eq(ev->dedup_key.n, 255);
	ck_assert(str_starts(ev->dedup_key, "made:kkk"));
	ck_assert_uint_eq(ev->event_id.n, 255);
	ev = only(arena_printf(a, "{\"state\":\"down\",\"id\":\"%.*s\",\"key\":\"%.*s\"}", 256, filler, 251, filler).p);
	key = sha256_hex(a, arena_printf(a, "made:%.*s", 251, filler));
	ck_assert(str_eq(ev->dedup_key, key));
	ck_assert(str_starts(ev->event_id, "sha256:"));
	ck_assert_uint_eq(ev->event_id.n, strlen("sha256:") + 64);
	ck_assert(ev->native_id);
}
END_TEST

START_TEST(test_texts_are_cut_and_clean)
{
	char filler[2000];
	struct event *ev;

	memset(filler, 'x', sizeof(filler));
	ev = only(arena_printf(a, "{\"type\":\"%.*s\",\"summary\":\"%.*s\\u00e9\",\"entity\":\"%.*s\"}", 120, filler, 1023, filler,
		300, filler).p);
	ck_assert_uint_eq(ev->event_type.n, EVENT_TYPE_MAX);
	ck_assert_uint_eq(ev->summary.n, 1023);		/* the two bytes of the letter stay together */
	ck_assert_uint_eq(ev->entity_type.n, EVENT_TEXT_MAX);
	unit_str(map_body(&one, "{}", "a\xff\xc3\xa9z").ev->event_id, "a\xef\xbf\xbd\xc3\xa9z");
}
END_TEST

START_TEST(test_defaults)
{
	struct event *ev = only("{}");

	unit_str(ev->event_type, "event");
	unit_str(ev->summary, "event");
	ck_assert(str_eq(ev->event_id, sha256_hex(a, STR("{}"))));
	ck_assert(!ev->native_id);
	ck_assert_int_eq(ev->occurred_at, 0);
	ck_assert_ptr_null(ev->custom_details);
	unit_str(only("{\"type\":\"Some.Thing\"}")->summary, "some.thing");
	unit_str(only("{\"state\":\"up\"}")->summary, "it is up");
	unit_str(only("{\"kind\":\"special\",\"summary\":\"not this\"}")->summary, "from the variant");
}
END_TEST

START_TEST(test_times)
{
	static const struct {
		const char *at;
		ms_t want;
	} rows[] = {
		{ "\"2024-03-05T10:15:30Z\"", 1709633730000 },
		{ "1709633730", 1709633730000 },
		{ "\"1709633730\"", 1709633730000 },
		{ "1709633730.25", 1709633730250 },
		{ "1709633730.123999", 1709633730123 },
		{ "1709633730250", 1709633730250 },
		{ "\"0001-01-01T00:00:00Z\"", 0 },
		{ "\"20122-01-01T00:00:00Z\"", 0 },	/* a published Splunk sample: a broken time must not refuse the event */
		{ "\"yesterday\"", 0 },
		{ "0", 0 },
		{ "-5", 0 },
		{ "1.2.3", 0 },
		{ "99999999999999999999", 0 },
		{ "253402300800000", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *at = strcmp(rows[i].at, "1.2.3") ? rows[i].at : "\"1.2.3\"";

		ck_assert_msg(only(arena_printf(a, "{\"at\":%s}", at).p)->occurred_at == rows[i].want, "%s", rows[i].at);
	}
}
END_TEST

START_TEST(test_links)
{
	static const struct {
		const char *url;
		size_t n;
	} rows[] = {
		{ "https://a.example/x", 1 },
		{ "HTTP://a.example", 1 },
		{ "javascript:alert(1)", 0 },
		{ "data:text/html,x", 0 },
		{ "//a.example", 0 },
		{ "http://", 0 },
		{ "https://a.example/a b", 0 },
		{ "https://a.example/\\nx", 0 },
		{ "", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_msg(only(arena_printf(a, "{\"url\":\"%s\"}", rows[i].url).p)->link_n == rows[i].n, "%s", rows[i].url);
	ck_assert_uint_eq(only("{\"url\":\"https://a/\",\"url2\":\"https://a/\"}")->link_n, 1);
	ck_assert_uint_eq(only("{\"url\":\"https://a/\",\"url2\":\"https://b/\"}")->link_n, 2);
}
END_TEST

START_TEST(test_links_of_a_list)
{
	struct event *ev = only("{\"url\":\"https://a/\",\"links\":[{\"href\":\" https://b/ \"},7,{\"href\":\"https://a/\"},{\"href\":\"/x\"},"
		"{\"href\":\"https://c/\"}]}");

	ck_assert_uint_eq(ev->link_n, 3);
	unit_str(ev->links[1].href, "https://b/");
	unit_str(ev->links[2].href, "https://c/");
	ck_assert_uint_eq(only("{\"links\":{\"href\":\"https://b/\"}}")->link_n, 0);
	ck_assert_uint_eq(only("{\"links\":\"https://b/\"}")->link_n, 0);
}
END_TEST

/* Snakes, and a text that counts only if it is one of the row's words. */
START_TEST(test_conversions_of_texts)
{
	struct event *ev = only("{\"entity_id\":\"Re-No Data\",\"kinds\":\"Down\",\"service\":\"shop\"}");

	unit_str(ev->entity_id, "re_no_data");
	unit_str(ev->service, "Down");
	unit_str(only("{\"kinds\":\"shutdown\",\"service\":\"shop\"}")->service, "shop");
}
END_TEST

START_TEST(test_names_in_any_case)
{
	struct outcome_of_map m = map_body(&lower, "{\"STATE\":\"down\",\"Key\":7,\"o\":{\"COUNT\":1}}", NULL);

	ck_assert_int_eq(m.ev->action, ACTION_TRIGGER);
	unit_str(m.ev->dedup_key, "made:7");
	ck_assert_ptr_null(m.ev->custom_details);
	m = map_body(&lower, "STATE=up&KEY=8", NULL);
	ck_assert_int_eq(m.ev->action, ACTION_RESOLVE);
	unit_str(m.ev->dedup_key, "made:8");
	ck_assert_int_eq(only("{\"STATE\":\"down\"}")->action, ACTION_IGNORE);
}
END_TEST

START_TEST(test_details)
{
	const struct json *d = only("{\"o\":{\"labels\":{\"x\":\"1\"},\"count\":3}}")->custom_details;

	ck_assert_uint_eq(d->count, 2);
	unit_str(json_text(json_at(d, STR("/labels/x"))), "1");
	unit_str(json_text(json_at(d, STR("/count"))), "3");
}
END_TEST

START_TEST(test_wraps)
{
	struct event *ev = only("{\"Type\":\"Notification\",\"Message\":\"{\\\"id\\\":\\\"inner\\\"}\"}");

	unit_str(ev->event_id, "inner");
	unit_str(only("{\"detail-type\":\"x\",\"id\":\"outer\",\"detail\":{\"id\":\"inner\"}}")->event_id, "inner");
	ev = only("{\"Type\":\"N\",\"Message\":\"{\\\"detail-type\\\":\\\"x\\\",\\\"detail\\\":{\\\"id\\\":\\\"deep\\\"}}\"}");
	unit_str(ev->event_id, "deep");
	/* no envelope after all */
	unit_str(only("{\"Type\":\"N\",\"Message\":\"plain words\",\"id\":\"outer\"}")->event_id, "outer");
	unit_str(only("{\"Type\":\"N\",\"Message\":\"{ broken\",\"id\":\"outer\"}")->event_id, "outer");
	unit_str(only("{\"Message\":{\"id\":\"inner\"},\"id\":\"outer\"}")->event_id, "outer");
}
END_TEST

START_TEST(test_list)
{
	struct outcome_of_map m = map_body(&many, "{\"list\":[{\"id\":\"b\",\"state\":\"down\"},{\"id\":\"a\",\"state\":\"up\"}]}", NULL);

	ck_assert(m.ok);
	ck_assert_uint_eq(m.n, 2);
	unit_str(m.ev[0].event_id, "b");
	ck_assert_int_eq(m.ev[0].action, ACTION_TRIGGER);
	unit_str(m.ev[1].event_id, "a");
	ck_assert_int_eq(m.ev[1].action, ACTION_RESOLVE);
}
END_TEST

START_TEST(test_list_missing)
{
	static const char *const bodies[] = {
		"{\"list\":[],\"state\":\"down\"}", "{\"state\":\"down\"}", "{\"list\":\"x\",\"state\":\"down\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct outcome_of_map m = map_body(&many, bodies[i], NULL);

		ck_assert(m.ok);
		ck_assert_uint_eq(m.n, 1);
		ck_assert_int_eq(m.ev->action, ACTION_IGNORE);
	}
}
END_TEST

START_TEST(test_list_missing_and_not_missed)
{
	struct outcome_of_map m = map_body(&many, "{\"alone\":1,\"state\":\"down\",\"key\":7}", NULL);

	ck_assert_uint_eq(m.n, 1);
	ck_assert_int_eq(m.ev->action, ACTION_TRIGGER);
	unit_str(m.ev->dedup_key, "made:7");
	m = map_body(&many, "{\"alone\":1,\"list\":[{\"state\":\"up\"}]}", NULL);
	ck_assert_int_eq(m.ev->action, ACTION_RESOLVE);
}
END_TEST

START_TEST(test_several_lists)
{
	struct outcome_of_map m = map_body(&further, "{\"new2\":[{\"id\":4}],\"a\":{\"old\":[{\"id\":2},{\"id\":3}]},\"new\":[{\"id\":1}]}", NULL);

	ck_assert(m.ok);
	ck_assert_uint_eq(m.n, 4);
	unit_str(m.ev[0].summary, "1 of /new");
	unit_str(m.ev[1].summary, "2 of /a/old");
	unit_str(m.ev[2].summary, "3 of /a/old");
	unit_str(m.ev[3].summary, "4 of /new2");
	ck_assert(str_ends(m.ev[3].event_id, "#3"));
	m = map_body(&further, "{\"id\":5,\"new\":[],\"new2\":{},\"state\":\"down\"}", NULL);
	ck_assert_uint_eq(m.n, 1);
	unit_str(m.ev->summary, "5");
	ck_assert_int_eq(m.ev->action, ACTION_TRIGGER);
	m = map_body(&further, "{\"new\":[1,2],\"new2\":[1,2,3]}", NULL);
	ck_assert(!m.ok);
	ck_assert_int_eq(m.e.code, ERR_LIMIT);
}
END_TEST

START_TEST(test_texts_that_hold_json)
{
	static const struct {
		const char *body, *source, *service;
	} rows[] = {
		{ "{\"host_info\":\"{\\\"name\\\":\\\"a\\\"}\",\"labels\":\" [\\\"b\\\"] \"}", "a", "b" },
		{ "{\"host_info\":{\"name\":\"a\"},\"labels\":[\"b\"]}", "a", "b" },
		{ "{\"host\":{\"name\":\"a\"}}", "a", "" },
		{ "{\"host_info\":\"{\\\"name\\\":\\\"a\\\"\",\"labels\":\"b\"}", "", "" },
		{ "{\"host_info\":\"{\\\"name\\\":\\\"{}\\\"}\",\"labels\":\"[\\\"[1]\\\"]\"}", "{}", "[1]" },
		{ "{\"host_info\":null,\"labels\":\"\"}", "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct event *ev = map_body(&further, rows[i].body, NULL).ev;

		unit_str(ev->source, rows[i].source);
		unit_str(ev->service, rows[i].service);
	}
}
END_TEST

START_TEST(test_names_that_begin_alike)
{
	struct strbuf b;
	struct event *ev = map_body(&further, "{\"link.Runbook\":\"https://a/\",\"link.\":\"https://b/\",\"note.s\":\"x\",\"link.Graph\":"
		"\" https://c/\",\"note\":\"no\",\"note.i\":7,\"note.n\":null,\"in\":{\"x1\":true,\"y\":\"${none}\"},\"link.bad\":\"ftp://d/\"}", NULL).ev;

	ck_assert_uint_eq(ev->link_n, 2);
	unit_str(ev->links[0].text, "Runbook");
	unit_str(ev->links[1].href, "https://c/");
	unit_str(ev->links[1].text, "Graph");
	ck_assert_uint_eq(ev->custom_details->count, 3);
	unit_str(json_text(json_get(ev->custom_details, "note.s")), "x");
	unit_str(json_text(json_get(ev->custom_details, "note.i")), "7");
	unit_str(json_text(json_get(ev->custom_details, "x1")), "true");
	ev = map_body(&further, "{\"in\":{\"y\":1}}", NULL).ev;
	unit_str(json_text(json_get(ev->custom_details, "in.y")), "1");
	strbuf_init(&b, a, 65536);
	for (int i = 0; i < 2000; i++)
		strbuf_addf(&b, "%s\"note.%d\":%d", i ? "," : "{", i, i);
	strbuf_addstr(&b, STR("}"));
	ev = map_body(&further, arena_cstr(a, strbuf_str(&b)), NULL).ev;
	ck_assert_uint_eq(ev->custom_details->count, 100);
}
END_TEST

START_TEST(test_equal_ids)
{
	struct outcome_of_map m = map_body(&many, "{\"list\":[{},{\"id\":\"x\"},{}]}", "d");

	unit_str(m.ev[0].event_id, "d#0");
	unit_str(m.ev[1].event_id, "x");
	unit_str(m.ev[2].event_id, "d#2");
	m = map_body(&many, "{\"list\":[{\"id\":\"x\"},{\"id\":\"x\"}]}", "d");
	unit_str(m.ev[0].event_id, "x#0");
	unit_str(m.ev[1].event_id, "x#1");
	m = map_body(&many, "{\"list\":[{}]}", "d");
	unit_str(m.ev[0].event_id, "d");
}
END_TEST

START_TEST(test_hash_ids_of_a_list)
{
	static const char body[] = "{\"list\":[{\"state\":\"up\"},{}]}";
	struct outcome_of_map m = map_body(&many, body, NULL);
	struct str hash = sha256_hex(a, str_of(body));

	unit_str(m.ev[0].event_id, arena_printf(a, "%.*s#0", STR_ARG(hash)).p);
	unit_str(m.ev[1].event_id, arena_printf(a, "%.*s#1", STR_ARG(hash)).p);
	ck_assert(!m.ev[0].native_id);
}
END_TEST

START_TEST(test_bad_element)
{
	struct outcome_of_map m = map_body(&many, "{\"list\":[{\"id\":\"x\"},17]}", "d");

	ck_assert(m.ok);
	ck_assert_ptr_null(m.ev[0].invalid);
	ck_assert_str_eq(m.ev[1].invalid, "element");
	ck_assert_uint_gt(m.ev[1].event_id.n, 0);
	ck_assert_uint_eq(m.ev[1].summary.n, 0);
}
END_TEST

START_TEST(test_refusals)
{
	struct outcome_of_map m = map_body(&one, "[1]", NULL);

	ck_assert(!m.ok);
	ck_assert_int_eq(m.e.code, ERR_INVALID);
	ck_assert_str_eq(m.e.field, "body");
	m = map_body(&many, "[{}]", NULL);
	ck_assert(!m.ok && m.e.code == ERR_INVALID);
	m = map_body(&many, "{\"list\":[{},{},{},{},{}]}", NULL);
	ck_assert(!m.ok);
	ck_assert_int_eq(m.e.code, ERR_LIMIT);
}
END_TEST

/* Events that stand in no array: each id of one body, with what all have in common. */
static const struct json *unfold(struct arena *arena, const struct inbound *in)
{
	const struct json *ids = json_get(in->doc, "ids");
	struct json *list = json_new(arena, JSON_ARRAY);

	for (const struct json *id = ids ? ids->first : NULL; id; id = id->next) {
		struct json *event = json_new(arena, JSON_OBJECT);

		json_share(arena, event, STR("id"), id);
		json_share(arena, event, STR("state"), json_get(in->doc, "state"));
		json_add(list, STR_NONE, event);
	}
	return ids ? list : NULL;
}

START_TEST(test_unfold)
{
	static const struct provider p = { .slug = "made", .bodies = BODY_JSON, .unfold = unfold, .fields = fields };
	struct outcome_of_map m = map_body(&p, "{\"ids\":[\"x\",\"y\"],\"state\":\"down\"}", NULL);

	ck_assert(m.ok);
	ck_assert_uint_eq(m.n, 2);
	unit_str(m.ev[0].event_id, "x");
	unit_str(m.ev[1].event_id, "y");
	ck_assert_int_eq(m.ev[1].action, ACTION_TRIGGER);
	m = map_body(&p, "{\"state\":\"down\"}", NULL);
	ck_assert(m.ok && m.n == 1 && m.ev[0].action == ACTION_TRIGGER);
	m = map_body(&p, "{\"ids\":[],\"state\":\"down\"}", NULL);
	ck_assert(m.ok && m.n == 1 && m.ev[0].action == ACTION_TRIGGER);
	m = map_body(&p, "{\"ids\":[1,2,3,4,5],\"state\":\"up\"}", NULL);
	ck_assert_int_eq(m.e.code, ERR_LIMIT);
}
END_TEST

START_TEST(test_table)
{
	for (size_t i = 0; providers[i]; i++) {
		ck_assert_ptr_eq(provider_find(str_of(providers[i]->slug)), providers[i]);
		ck_assert(i == 0 || strcmp(providers[i - 1]->slug, providers[i]->slug) < 0);
		ck_assert_ptr_nonnull(provider_proofs(providers[i])[0]);
	}
	ck_assert_ptr_null(provider_find(STR("")));
	ck_assert_ptr_null(provider_find(STR("zzz")));
	ck_assert_ptr_null(provider_find(STR("githu")));
	ck_assert_uint_eq(provider_per_minute(provider_find(STR("stripe"))), 1000);
	ck_assert_uint_eq(provider_per_minute(provider_find(STR("github"))), 100);
	ck_assert_uint_eq(provider_body_max(provider_find(STR("github"))), 25 * 1024 * 1024);
	ck_assert_uint_eq(provider_body_max(provider_find(STR("webhook"))), 1024 * 1024);
	ck_assert(provider_can_sign(provider_find(STR("github"))));
	ck_assert(!provider_can_sign(provider_find(STR("prometheus"))));
}
END_TEST

/* It is kept as an event of which nothing follows; a body that the rows do not know, or a list of them, leaves the answer alone. */
static bool shake(const struct provider *p, struct arena *arena, const struct inbound *in, struct answer *answer)
{
	*answer = (struct answer){ .status = 200, .body = json_text(json_get(in->doc, "challenge")) };
	return answer->body.n > 0;
}

START_TEST(test_handshakes)
{
	static const struct map rows[] = {
		{ EV_EVENT_TYPE, "'verification'" }, { EV_ACTION, "'down'", WORD, actions }, { EV_DEDUP_KEY, "/challenge" },
		{ EV_EVENT_ID, "/id", NATIVE }, { EV_NATIVE_SEVERITY, "'critical'" }, { EV_END }
	};
	static const struct provider p = { .slug = "made", .bodies = BODY_JSON, .fields = rows, .handshake = shake, .each = "" };
	struct inbound in = test_inbound(NULL, NULL, 0);
	struct answer answer;
	struct event *ev;
	size_t n;

	in.doc = test_json(a, "{\"challenge\":\"c\",\"id\":7}");
	ck_assert(provider_handshake(&p, a, &in, &answer, &ev, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(answer.status, 200);
	ck_assert(ev->action == ACTION_IGNORE && ev->severity == SEVERITY_INFO && ev->level == LEVEL_INFO);
	ck_assert(str_eqs(ev->event_type, "verification") && str_eqs(ev->event_id, "7") && !ev->dedup_key.n);
	in.doc = test_json(a, "{\"id\":7}");
	ck_assert(!provider_handshake(&p, a, &in, &answer, &ev, &n));
}
END_TEST

/* The last word of a table may be any. */
START_TEST(test_any_word)
{
	static const struct word states[] = { { "up", ACTION_RESOLVE }, { "*", ACTION_TRIGGER }, { 0 } };
	static const struct map rows[] = { { EV_ACTION, "/state", WORD, states }, { EV_ACTION, "'up'", WORD, states }, { EV_END } };
	static const struct provider p = { .slug = "made", .bodies = BODY_JSON, .fields = rows };

	ck_assert_int_eq(map_body(&p, "{\"state\":\"Up\"}", NULL).ev->action, ACTION_RESOLVE);
	ck_assert_int_eq(map_body(&p, "{\"state\":\"purple\"}", NULL).ev->action, ACTION_TRIGGER);
	ck_assert_int_eq(map_body(&p, "{}", NULL).ev->action, ACTION_RESOLVE);
}
END_TEST

/* What every event of a type has: without it the element is none. */
START_TEST(test_needs)
{
	static const struct provider p = { .slug = "made", .bodies = BODY_JSON, .fields = fields, .needs = { "/state|/id", "state" } };

	ck_assert_ptr_null(map_body(&p, "{\"state\":\"purple\"}", NULL).ev->invalid);
	ck_assert_ptr_null(map_body(&p, "{\"id\":7}", NULL).ev->invalid);
	ck_assert_str_eq(map_body(&p, "{\"state\":null,\"key\":\"x\"}", NULL).ev->invalid, "state");
}
END_TEST

/* Python's way to write a text, around it (Pingdom's old webhooks). */
START_TEST(test_wraps_in_a_frame)
{
	static const struct wrap framed[] = { { "/message", "/message", "(u'", "',)" }, { 0 } };
	static const struct provider p = { .slug = "made", .bodies = BODY_JSON, .fields = fields, .wraps = framed };

	unit_str(map_body(&p, "{\"message\":\"(u'{\\\"id\\\":7}',)\"}", NULL).ev->event_id, "7");
	unit_str(map_body(&p, "{\"message\":\"{\\\"id\\\":7}\"}", NULL).ev->event_id, "7");
	unit_str(map_body(&p, "{\"message\":\"(u',)\",\"id\":8}", NULL).ev->event_id, "8");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("map");
	TCase *t = tcase_create("map");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, test_action_and_severity);
	tcase_add_test(t, test_keys);
	tcase_add_test(t, test_long_keys_and_ids);
	tcase_add_test(t, test_texts_are_cut_and_clean);
	tcase_add_test(t, test_defaults);
	tcase_add_test(t, test_times);
	tcase_add_test(t, test_links);
	tcase_add_test(t, test_links_of_a_list);
	tcase_add_test(t, test_conversions_of_texts);
	tcase_add_test(t, test_names_in_any_case);
	tcase_add_test(t, test_details);
	tcase_add_test(t, test_wraps);
	tcase_add_test(t, test_wraps_in_a_frame);
	tcase_add_test(t, test_any_word);
	tcase_add_test(t, test_needs);
	tcase_add_test(t, test_list);
	tcase_add_test(t, test_list_missing);
	tcase_add_test(t, test_list_missing_and_not_missed);
	tcase_add_test(t, test_several_lists);
	tcase_add_test(t, test_texts_that_hold_json);
	tcase_add_test(t, test_names_that_begin_alike);
	tcase_add_test(t, test_equal_ids);
	tcase_add_test(t, test_hash_ids_of_a_list);
	tcase_add_test(t, test_bad_element);
	tcase_add_test(t, test_refusals);
	tcase_add_test(t, test_unfold);
	tcase_add_test(t, test_handshakes);
	tcase_add_test(t, test_table);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
