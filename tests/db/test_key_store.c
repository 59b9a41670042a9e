/* test_key_store.c - when src/keys asks a host and when it does not, against a real MariaDB and a host that is played here: fetch.h is
 * implemented below. Two stores are two workers. Time is handed in; each test has a host of its own, since limits are a host's. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "src/keys/keys_int.h"
#include "tests/db/db_test.h"
#include "tests/unit/shm_test.h"

#define KEYS_DB "grapnel_keys"
#define BEGAN 1800000000000LL
#define SET(kid) "{\"keys\":[{\"kid\":\"" kid "\"}]}"

static struct err e;
static struct db *db;
static struct shm *shm;
static struct arena *a;
static struct keys *one, *two;
static ms_t now;
static struct str url;

/* ---- the host ---- */

static struct {
	unsigned status;		/* 0 = does not answer */
	const char *text, *cache_control;
	unsigned asked;
	void (*meanwhile)(void);	/* happens before it answers */
} host;

struct fetch {
	int unused;
};
static struct fetch played;

bool fetch_run(struct fetch *f, struct arena *to, const struct fetch_request *rq, struct fetch_answer *out, struct err *err)
{
	ck_assert(f == &played && str_eq(rq->url, url) && !rq->method && !rq->header_n && !rq->body.p);
	ck_assert_uint_eq(rq->answer_max, KEY_TEXT_MAX);
	ck_assert_uint_le(rq->total_ms, 5000);
	host.asked++;
	if (host.meanwhile)
		host.meanwhile();
	if (!host.status)
		return err_set(err, ERR_DOWN, "nobody there");
	*out = (struct fetch_answer){ host.status, str_of(host.text), STR("text/plain"), str_of(host.cache_control) };
	return true;
}

static ms_t played_clock(void)
{
	return now;
}

/* ---- words ---- */

static struct keys *worker(struct fetch *f)
{
	return keys_new(&(struct keys_config){ db, shm, f, NULL, played_clock });
}

static void setup(void)
{
	static int number;

	a = arena_new(16 << 20);
	url = arena_printf(a, "https://host%d.example/keys", ++number);
	now = BEGAN + number * 1000 * MS_PER_DAY;	/* further than any test goes: buckets keep the time */
	memset(&host, 0, sizeof(host));
	host.status = 200;
	host.text = SET("a");
	one = worker(&played);
	two = worker(&played);
}

static void teardown(void)
{
	keys_free(one);
	keys_free(two);
	arena_free(a);
}

/* What the store answers: the text, or "absent", "unavailable". */
static const char *get(struct keys *k, bool refresh)
{
	struct key_document d;
	int found = keys_store(k)->document(keys_store(k), url, refresh, &d);

	if (found != 1)
		return found ? "unavailable" : "absent";
	return arena_printf(a, "%s%.*s", d.pinned ? "pinned " : "", STR_ARG(d.text)).p;
}

#define says(k, refresh, want) ck_assert_str_eq(get(k, refresh), want)
#define asked(n) ck_assert_uint_eq(host.asked, n)

static void pin(const char *text)
{
	succeeds(stored_key_pin(db, a, shm, url, str_of(text), &(struct who){ .tenant_id = 1, .actor = AUDIT_COMMAND_LINE }, now, &e));
}

static int forget(void)
{
	return stored_key_remove(db, a, shm, url, &(struct who){ .tenant_id = 1, .actor = AUDIT_COMMAND_LINE }, now, &e);
}

/* A certificate that ends at that moment. */
static const char *certificate(ms_t ends_at)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *out = BIO_new(BIO_s_mem());
	time_t t = (time_t)(ends_at / MS_PER_SECOND);
	char *p;
	long n;

	X509_time_adj_ex(X509_getm_notBefore(x), 0, 0, &(time_t){ 0 });
	X509_time_adj_ex(X509_getm_notAfter(x), 0, 0, &t);
	X509_set_pubkey(x, key);
	ck_assert(X509_sign(x, key, EVP_sha256()) > 0);
	PEM_write_bio_X509(out, x);
	n = BIO_get_mem_data(out, &p);
	p = arena_cstr(a, (struct str){ p, (size_t)n });
	BIO_free(out);
	X509_free(x);
	EVP_PKEY_free(key);
	return p;
}

/* ---- key sets ---- */

START_TEST(fetched_once_for_all_workers)
{
	says(one, false, SET("a"));
	says(one, false, SET("a"));
	says(two, false, SET("a"));
	asked(1);
	now += 59 * MS_PER_MINUTE;
	says(one, false, SET("a"));
	says(two, false, SET("a"));
	asked(1);
	host.text = SET("b");
	now += MS_PER_MINUTE;		/* an hour, where the host says nothing */
	says(one, false, SET("b"));
	says(two, false, SET("b"));
	asked(2);
}
END_TEST

static const struct {
	const char *cache_control;
	int64_t seconds;
} ages[] = {
	{ NULL, 3600 },
	{ "no-store", 3600 },
	{ "public, max-age=19302, must-revalidate, no-transform", 19302 },
	{ "Max-Age=1000", 1000 },
	{ "max-age=0", 300 },
	{ "max-age=299", 300 },
	{ "max-age=86401", 86400 },
	{ "max-age=99999999999999999", 86400 },
	{ "max-age=18446744073709551616", 3600 },
	{ "s-maxage=7, x-max-age=8", 3600 },
	{ "max-age", 3600 },
	{ "max-age=1h", 3600 },
};

START_TEST(fresh_as_long_as_the_host_says)
{
	host.cache_control = ages[_i].cache_control;
	says(one, false, SET("a"));
	now += ages[_i].seconds * MS_PER_SECOND - 1;
	says(one, false, SET("a"));
	asked(1);
	now++;
	says(one, false, SET("a"));
	asked(2);
}
END_TEST

START_TEST(unknown_key_asks_at_most_once_a_minute)
{
	says(one, false, SET("a"));
	host.text = SET("b");
	says(one, true, SET("a"));	/* just fetched */
	says(two, true, SET("a"));
	asked(1);
	now += MS_PER_MINUTE;
	says(one, true, SET("b"));
	says(two, true, SET("b"));
	says(two, false, SET("b"));
	asked(2);
	now += MS_PER_MINUTE - 1;
	says(one, true, SET("b"));
	asked(2);
	now++;
	says(two, true, SET("b"));
	asked(3);
}
END_TEST

START_TEST(old_set_serves_while_the_host_is_away)
{
	says(one, false, SET("a"));
	host.status = 0;
	now += 2 * MS_PER_HOUR;
	says(one, false, SET("a"));
	says(one, true, "unavailable");
	says(two, false, SET("a"));
	says(two, true, "unavailable");
	asked(2);			/* by one worker, once in this minute */
	now += MS_PER_MINUTE;
	says(two, false, SET("a"));
	asked(3);
	now += 7 * MS_PER_DAY;
	says(one, false, "unavailable");
	host.status = 200;
	now += MS_PER_MINUTE;
	says(one, false, SET("a"));
	says(one, true, SET("a"));
}
END_TEST

START_TEST(never_had_is_remembered_for_a_minute)
{
	host.status = 0;
	says(one, false, "unavailable");
	says(one, false, "unavailable");
	says(two, false, "unavailable");
	asked(1);
	host.status = 200;
	now += MS_PER_MINUTE - 1;
	says(two, false, "unavailable");
	asked(1);
	now++;
	says(two, false, SET("a"));
	says(one, false, SET("a"));
	asked(2);
}
END_TEST

/* The host is asked no more, whatever URL it is. */
START_TEST(host_that_is_away_is_left_alone)
{
	struct str first = url;

	host.status = 0;
	says(one, false, "unavailable");
	host.status = 200;
	url = arena_printf(a, "%.*s/other", STR_ARG(first));
	says(one, false, "unavailable");
	says(two, false, "unavailable");
	asked(1);
	now += MS_PER_MINUTE;
	says(one, false, SET("a"));
	asked(2);
}
END_TEST

START_TEST(absent_is_no_trouble)
{
	host.status = 404;
	says(one, false, "absent");
	says(two, false, "absent");
	says(two, true, "absent");
	asked(1);
	host.status = 200;
	now += MS_PER_MINUTE;
	says(one, false, SET("a"));
	asked(2);
	host.status = 410;		/* it was there: it may still serve */
	now += MS_PER_HOUR;
	says(one, false, SET("a"));
	says(one, true, "absent");
}
END_TEST

static const struct {
	unsigned status;
	const char *text;
} no_documents[] = {
	{ 301, SET("a") }, { 302, SET("a") }, { 204, "" }, { 500, "" }, { 503, SET("a") }, { 403, "" },
	{ 200, "" }, { 200, "<html>" }, { 200, "{}" }, { 200, "{\"keys\":{}}" }, { 200, "[]" }, { 200, "{\"keys\":[" },
	{ 200, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
};

START_TEST(what_is_no_document_is_not_taken)
{
	host.status = no_documents[_i].status;
	host.text = no_documents[_i].text;
	says(one, false, "unavailable");
	says(two, false, "unavailable");
	asked(1);
	host.status = 200;
	host.text = SET("a");
	now += MS_PER_MINUTE;
	says(one, false, SET("a"));
	host.status = no_documents[_i].status;
	host.text = no_documents[_i].text;
	now += MS_PER_HOUR;
	says(one, false, SET("a"));	/* and does not replace one */
	asked(3);
}
END_TEST

static const char *const no_urls[] = {
	"", "http://host.example/keys", "https:///keys", "https://", "ftp://host.example/", "https://host.example/a b", "https://host.example/\x7f",
	"HTTPS://host.example/",
};

START_TEST(what_is_no_url_is_not_asked_for)
{
	url = str_of(no_urls[_i]);
	says(one, false, "absent");
	asked(0);
}
END_TEST

/* ---- certificates ---- */

START_TEST(certificate_lasts_until_its_end)
{
	const char *pem = certificate(now + 30 * MS_PER_DAY);

	host.text = pem;
	host.cache_control = "max-age=60";
	says(one, false, pem);
	now += 30 * MS_PER_DAY - 1000;
	says(one, false, pem);
	says(two, false, pem);
	asked(1);
	host.status = 0;
	now += 30 * MS_PER_DAY;		/* over: asked for, and still there for who judges old requests */
	says(two, false, pem);
	asked(2);
}
END_TEST

/* ---- what strangers could cause ---- */

START_TEST(made_up_urls_have_a_limit)
{
	struct str base = url;

	host.status = 404;
	for (int i = 0; i < 100; i++) {
		url = arena_printf(a, "%.*s/%d", STR_ARG(base), i);
		says(i % 2 ? one : two, false, i < 10 ? "absent" : "unavailable");
	}
	asked(10);
	url = arena_printf(a, "%.*s/%d", STR_ARG(base), 3);
	says(one, false, "absent");
	asked(10);
}
END_TEST

START_TEST(made_up_hosts_have_a_limit)
{
	struct str base = url;

	host.status = 0;
	for (int i = 0; i < 50; i++) {
		url = arena_printf(a, "https://%d.%.*s", i, STR_ARG(str_sub(base, strlen("https://"))));
		says(one, false, "unavailable");
	}
	asked(6);
	host.status = 404;
	now += MS_PER_MINUTE;
	for (int i = 0; i < 50; i++) {
		url = arena_printf(a, "https://%d.%.*s", 100 + i, STR_ARG(str_sub(base, strlen("https://"))));
		says(one, false, i < 30 ? "absent" : "unavailable");
	}
	asked(36);
	url = arena_printf(a, "https://UPPER.H%.*s", STR_ARG(str_sub(base, strlen("https://h"))));
	says(one, false, "unavailable");
	asked(36);
	url = STR("https://keys.of.another.example/set");	/* the rest of the world is not kept waiting */
	says(one, false, "absent");
	asked(37);
}
END_TEST

/* More URLs than a worker remembers: the database does. */
START_TEST(memory_is_bounded)
{
	struct str base = url;

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 60; i++) {
			url = arena_printf(a, "https://%d.%.*s", i, STR_ARG(str_sub(base, strlen("https://"))));
			says(one, false, SET("a"));
			now += 2 * MS_PER_SECOND;	/* within the limits */
		}
	asked(60);
}
END_TEST

/* ---- the administrator's ---- */

START_TEST(pinned_is_used_as_it_is)
{
	pin(SET("mine"));
	says(one, false, "pinned " SET("mine"));
	says(one, true, "pinned " SET("mine"));
	now += 400 * MS_PER_DAY;
	says(one, true, "pinned " SET("mine"));
	says(two, false, "pinned " SET("mine"));
	asked(0);
	ck_assert_int_eq(forget(), 1);
	ck_assert_int_eq(forget(), 0);
	says(one, false, SET("a"));	/* at once, on this host */
	asked(1);
	pin(SET("mine"));
	says(one, false, "pinned " SET("mine"));
	ck_assert_int_eq(forget(), 1);
	says(two, false, SET("a"));
	asked(2);
}
END_TEST

static void pin_mine(void)
{
	pin(SET("mine"));
}

START_TEST(pinned_while_the_host_is_asked)
{
	host.meanwhile = pin_mine;
	says(one, false, SET("a"));
	says(one, false, "pinned " SET("mine"));
	says(two, false, "pinned " SET("mine"));
	asked(1);
}
END_TEST

START_TEST(without_a_network_what_is_stored_must_do)
{
	struct keys *stored = worker(NULL);

	says(stored, false, "unavailable");
	says(one, false, SET("a"));
	now += MS_PER_SECOND;
	says(stored, false, SET("a"));
	says(stored, true, SET("a"));
	asked(1);
	keys_free(stored);
}
END_TEST

START_TEST(roots_are_there)
{
	ck_assert_ptr_nonnull(keys_store(one)->roots(keys_store(one)));
	ck_assert_ptr_eq(keys_store(one)->roots(keys_store(one)), keys_store(one)->roots(keys_store(one)));
}
END_TEST

/* ---- the runner ---- */

static void open_all(void)
{
	unsigned applied;

	test_database(KEYS_DB);
	db = test_connect(KEYS_DB, 30000);
	if (!migrate_up(db, getenv("GRAPNEL_TEST_SQL"), &applied, &e) || !(shm = shm_open_file(shm_test_path(), &e)))
		die("%s", e.text);
}

int main(void)
{
	const struct unit_case cases[] = {
		UNIT(fetched_once_for_all_workers), UNIT_ROWS(fresh_as_long_as_the_host_says, ages),
		UNIT(unknown_key_asks_at_most_once_a_minute), UNIT(old_set_serves_while_the_host_is_away),
		UNIT(never_had_is_remembered_for_a_minute), UNIT(host_that_is_away_is_left_alone), UNIT(absent_is_no_trouble),
		UNIT_ROWS(what_is_no_document_is_not_taken, no_documents), UNIT_ROWS(what_is_no_url_is_not_asked_for, no_urls),
		UNIT(certificate_lasts_until_its_end), UNIT(made_up_urls_have_a_limit), UNIT(made_up_hosts_have_a_limit),
		UNIT(memory_is_bounded), UNIT(pinned_is_used_as_it_is), UNIT(pinned_while_the_host_is_asked),
		UNIT(without_a_network_what_is_stored_must_do), UNIT(roots_are_there),
	};
	Suite *s = suite_create("key store");
	TCase *t = tcase_create("key store");
	SRunner *r = srunner_create(s);
	int failed;

	open_all();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tcase_add_loop_test(t, cases[i].test, 0, cases[i].rows);
	tcase_add_checked_fixture(t, setup, teardown);
	suite_add_tcase(s, t);
	srunner_set_fork_status(r, CK_NOFORK);	/* one connection for all */
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	shm_test_end(shm);
	db_free(db);
	return failed != 0;
}
