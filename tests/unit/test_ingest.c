/* What of the pipeline needs no database: paths, the source cache, the record of a request. */
#include "unit.h"

#include "src/ingest/ingest_int.h"

/* ---- route.c ---- */

#define HASH_OF_K "\x82\x54\xc3\x29\xa9\x28\x50\xf6\xd5\x39\xdd\x37\x6f\x48\x16\xee\x27\x64\x51\x7d\xa5\xe0\x23\x55\x14\xaf\x43\x31\x64\x48\x0d\x7a"

static const struct {
	const char *method, *path, *query;
	bool inbound;
	const char *provider;
	char kind;
	const char *name;
} routes[] = {
	{ "POST", "/api/integrations/prometheus", "integrationId=in_1", true, "prometheus", 'i', "in_1" },
	{ "POST", "/api/integrations/prometheus/in_2", "", true, "prometheus", 'i', "in_2" },
	{ "POST", "/api/integrations/prometheus/in_2", "integrationId=in_1", true, "prometheus", 'i', "in_2" },
	{ "POST", "/api/integrations/prometheus", "", true, "prometheus", 0, "" },
	{ "GET", "/api/integrations/in_2", "", false, NULL, 0, "" },
	{ "GET", "/api/integrations/health", "", false, NULL, 0, "" },
	{ "GET", "/api/integrations", "", false, NULL, 0, "" },
	{ "POST", "/api/integrations/in_2/test", "", false, NULL, 0, "" },
	{ "POST", "/api/integrations/github/webhooks", "", false, NULL, 0, "" },
	{ "POST", "/api/integrations/nosuch/in_2", "", false, NULL, 0, "" },
	{ "POST", "/api/integrations/github/in_2/x", "", false, NULL, 0, "" },
	{ "POST", "/api/webhooks/stripe", "", true, "stripe", 'd', "stripe" },
	{ "POST", "/api/webhooks/stripe/in_3", "", true, "stripe", 'i', "in_3" },
	{ "GET", "/api/webhooks/history", "", false, NULL, 0, "" },
	{ "POST", "/webhooks/rg_4", "", true, NULL, 'i', "rg_4" },
	{ "GET", "/webhooks/rg_4", "", false, NULL, 'i', "rg_4" },
	{ "POST", "/webhooks/unhealthy", "", false, NULL, 0, "" },
	{ "POST", "/v2/enqueue", "", true, "webhook", 0, "" },
	{ "POST", "/v2/change/enqueue", "", true, "webhook", 0, "" },
	{ "POST", "/integrations/generic/20131114/alert/k/team", "", true, "splunk-oncall", 'k', HASH_OF_K },
	{ "POST", "/integrations/generic/20131114/alert/k", "", true, "splunk-oncall", 'k', HASH_OF_K },
	{ "POST", "/integrations/generic/20131114/alert/", "", true, "splunk-oncall", 0, "" },
	{ "POST", "/integrations/generic/20131114/alert", "", false, NULL, 0, "" },
	{ "POST", "/integrations/github/webhooks", "", false, NULL, 0, "" },
	{ "POST", "/v2/enqueue/", "", false, NULL, 0, "" },
	{ "POST", "/", "", false, NULL, 0, "" },
	{ "POST", "", "", false, NULL, 0, "" },
};

START_TEST(test_route)
{
	struct arena *a = arena_new(1 << 20);
	struct entrance ep = entrance_of(a, str_of(routes[_i].path), str_of(routes[_i].query));
	size_t max = 0;

	ck_assert_int_eq(ingest_path(str_of(routes[_i].method), str_of(routes[_i].path), &max), routes[_i].inbound);
	ck_assert(!routes[_i].inbound || max >= 512 * 1024);
	ck_assert_int_eq(ep.kind, routes[_i].kind);
	unit_str(ep.name, routes[_i].name);
	if (routes[_i].inbound && routes[_i].provider)
		ck_assert_str_eq(ep.provider->slug, routes[_i].provider);
	arena_free(a);
}
END_TEST

/* ---- cache.c ---- */

static struct live_source source(const char *id, const char *key_hash, bool is_default)
{
	return (struct live_source){
		.id = 1, .tenant_id = 1, .public_id = str_of(id), .provider = STR("stripe"), .name = STR("n"), .key_hash = str_of(key_hash),
		.enabled = true, .is_default = is_default, .rate_per_minute = RATE_DEFAULT, .secrets = { STR("whsec_x") }, .secret_n = 1,
	};
}

START_TEST(test_cache_finds_by_three_names)
{
	struct cache *c = cache_new(10, NULL);
	struct live_source s = source("in_a", "hash-a", true);
	struct cached_source *e;

	cache_put(c, &s, 7, 1000);
	e = cache_find(c, LOOKUP_ID, STR("in_a"));
	ck_assert_ptr_nonnull(e);
	ck_assert_ptr_eq(e, cache_find(c, LOOKUP_KEY, STR("hash-a")));
	ck_assert_ptr_eq(e, cache_find(c, LOOKUP_DEFAULT, STR("stripe")));
	ck_assert_ptr_null(cache_find(c, LOOKUP_ID, STR("in_b")));
	unit_str(e->s.secrets[0], "whsec_x");
	ck_assert_ptr_ne(e->s.secrets[0].p, s.secrets[0].p);
	ck_assert_uint_eq(e->per_minute, 1000);		/* a payment provider's default */
	cache_free(c);
}
END_TEST

/* During a rotation both keys lead to the entry. */
START_TEST(test_cache_finds_by_the_key_before)
{
	struct cache *c = cache_new(10, NULL);
	struct live_source s = source("in_a", "hash-new", false);
	const struct cached_source *e;

	s.key_old_hash = STR("hash-old");
	s.key_old_until = 2000;
	cache_put(c, &s, 7, 1000);
	e = cache_find(c, LOOKUP_KEY, STR("hash-old"));
	ck_assert_ptr_nonnull(e);
	ck_assert_ptr_eq(e, cache_find(c, LOOKUP_KEY, STR("hash-new")));
	ck_assert(key_is(e, STR("hash-new"), 3000));
	ck_assert(key_is(e, STR("hash-old"), 1999));
	ck_assert(!key_is(e, STR("hash-old"), 2000));
	ck_assert(!key_is(e, STR("hash-"), 1000) && !key_is(e, STR_NONE, 1000));
	s.key_old_hash = STR_NONE;
	s.key_old_until = 0;
	cache_put(c, &s, 8, 1000);
	ck_assert_ptr_null(cache_find(c, LOOKUP_KEY, STR("hash-old")));
	e = cache_find(c, LOOKUP_KEY, STR("hash-new"));
	ck_assert(!key_is(e, STR_NONE, 1000));
	cache_free(c);
}
END_TEST

START_TEST(test_cache_is_stale_after_a_change_or_five_minutes)
{
	struct cache *c = cache_new(10, NULL);
	struct live_source s = source("in_a", "hash-a", false);
	const struct cached_source *e;

	cache_put(c, &s, 7, 1000);
	e = cache_find(c, LOOKUP_ID, STR("in_a"));
	ck_assert(cache_is_fresh(e, 7, 1000 + INGEST_CACHE_FRESH_MS - 1));
	ck_assert(!cache_is_fresh(e, 7, 1000 + INGEST_CACHE_FRESH_MS));
	ck_assert(!cache_is_fresh(e, 8, 1000));
	ck_assert(!cache_is_fresh(e, 7, 999));	/* the clock was set back */
	ck_assert_ptr_null(cache_find(c, LOOKUP_DEFAULT, STR("stripe")));
	cache_free(c);
}
END_TEST

START_TEST(test_cache_drops_what_was_not_used_for_longest)
{
	struct cache *c = cache_new(3, NULL);
	const char *ids[] = { "in_a", "in_b", "in_c", "in_d" };

	for (int i = 0; i < 3; i++) {
		struct live_source s = source(ids[i], ids[i], false);

		cache_put(c, &s, 1, 0);
	}
	ck_assert_ptr_nonnull(cache_find(c, LOOKUP_ID, STR("in_a")));
	struct live_source d = source(ids[3], ids[3], false);

	cache_put(c, &d, 1, 0);
	ck_assert_ptr_null(cache_find(c, LOOKUP_ID, STR("in_b")));
	ck_assert_ptr_null(cache_find(c, LOOKUP_KEY, STR("in_b")));
	ck_assert_ptr_nonnull(cache_find(c, LOOKUP_ID, STR("in_a")));
	ck_assert_ptr_nonnull(cache_find(c, LOOKUP_ID, STR("in_d")));
	cache_free(c);
}
END_TEST

START_TEST(test_cache_replaces_and_forgets)
{
	struct cache *c = cache_new(10, NULL);
	struct live_source s = source("in_a", "old-key", false);

	cache_put(c, &s, 1, 0);
	s.key_hash = STR("new-key");
	cache_put(c, &s, 2, 0);
	ck_assert_ptr_null(cache_find(c, LOOKUP_KEY, STR("old-key")));
	ck_assert_ptr_nonnull(cache_find(c, LOOKUP_KEY, STR("new-key")));
	cache_forget(c, LOOKUP_ID, STR("in_a"));
	ck_assert_ptr_null(cache_find(c, LOOKUP_ID, STR("in_a")));
	ck_assert_ptr_null(cache_find(c, LOOKUP_KEY, STR("new-key")));
	cache_free(c);
}
END_TEST

START_TEST(test_absent_names_are_remembered_for_seconds)
{
	struct cache *c = cache_new(10, NULL);

	cache_put_absent(c, LOOKUP_ID, STR("in_x"), 1, 1000);
	ck_assert(cache_is_absent(c, LOOKUP_ID, STR("in_x"), 1, 5999));
	ck_assert(!cache_is_absent(c, LOOKUP_ID, STR("in_x"), 1, 6000));
	ck_assert(!cache_is_absent(c, LOOKUP_ID, STR("in_x"), 1, 999));
	ck_assert(!cache_is_absent(c, LOOKUP_ID, STR("in_x"), 2, 1000));	/* somebody made a source */
	ck_assert(!cache_is_absent(c, LOOKUP_KEY, STR("in_x"), 1, 1000));
	cache_free(c);
}
END_TEST

/* ---- record.c ---- */

START_TEST(test_record_masks_secrets)
{
	struct arena *a = arena_new(1 << 20);
	struct header h[] = {
		{ STR("authorization"), STR("Bearer very-secret") }, { STR("x-api-key"), STR("k") },
		{ STR("x-hub-signature-256"), STR("sha256=aa") }, { STR("x-odd"), STR("a\r\nb\xff") },
		{ STR("x-original-uri"), STR("/p?a=1&key=very-secret") },
		{ STR("referer"), STR("https://h/p?k%65y=very-secret&b=?c") },
	};
	struct inbound in = { .headers = h, .header_n = ARRAY_SIZE(h) };

	unit_str(record_headers(a, &in), "authorization: ***\nx-api-key: ***\nx-hub-signature-256: sha256=aa\nx-odd: a??b?\n"
		"x-original-uri: /p?a=1&key=***\nreferer: https://h/p?k%65y=***&b=?c\n");
	arena_free(a);
}
END_TEST

static const struct {
	const char *uri, *kept;
} uris[] = {
	{ "/integrations/generic/20131114/alert/0123/team?x=1", "/integrations/generic/20131114/alert/***/team?x=1" },
	{ "/integrations/generic/20131114/alert/0123", "/integrations/generic/20131114/alert/***" },
	{ "/p?key=secret", "/p?key=***" },
	{ "/p?a=1&KEY=secret&b=2", "/p?a=1&KEY=***&b=2" },
	{ "/p?access_token=s", "/p?access_token=***" },
	{ "/p?Api_Key=s&apikey=s&token=s&x-secret=s", "/p?Api_Key=***&apikey=***&token=***&x-secret=***" },
	{ "/p?k%65y=s&tok%65n=s", "/p?k%65y=***&tok%65n=***" },
	{ "/p?monkey=1", "/p?monkey=1" },
	{ "/p", "/p" },
	{ "/p?", "/p" },
};

START_TEST(test_record_uri)
{
	struct arena *a = arena_new(1 << 20);

	unit_str(record_uri(a, str_of(uris[_i].uri)), uris[_i].kept);
	arena_free(a);
}
END_TEST

UNIT_MAIN("ingest", UNIT_ROWS(test_route, routes), UNIT(test_cache_finds_by_three_names), UNIT(test_cache_finds_by_the_key_before),
	UNIT(test_cache_is_stale_after_a_change_or_five_minutes), UNIT(test_cache_drops_what_was_not_used_for_longest),
	UNIT(test_cache_replaces_and_forgets), UNIT(test_absent_names_are_remembered_for_seconds),
	UNIT(test_record_masks_secrets), UNIT_ROWS(test_record_uri, uris))
