/* Signature schemes: the vectors of tests/signatures/<slug>.json (published ones and ones made with
 * the providers' own libraries), each with its "now"; then everything that must not pass. */
#include "provider_test.h"

#include <openssl/x509.h>
#include <unistd.h>

#include "grapnel/crypto.h"
#include "tests/golden/golden.h"

#define HEADERS_MAX 16
#define SECRETS_MAX 4

/* NULL where the provider has none. */
static const struct json *vectors(struct arena *a, const struct provider *p)
{
	struct str path = arena_printf(a, "%s/../signatures/%s.json", golden_dir(), p->slug);

	return access(path.p, R_OK) ? NULL : test_json(a, arena_cstr(a, golden_file(a, path.p)));
}

struct request {
	struct inbound in;
	struct header headers[HEADERS_MAX];
	struct str secrets[SECRETS_MAX];
	size_t secret_n;
	const struct provider *p;
};

static void read_headers(struct arena *a, const struct json *from, struct request *rq)
{
	size_t n = 0;

	for (const struct json *h = from->first; h; h = h->next)
		rq->headers[n++] = (struct header){ arena_lower(a, h->name), json_text(h) };
	rq->in.headers = rq->headers;
	rq->in.header_n = n;
}

static void read_vector(struct arena *a, const struct provider *p, const struct json *v, struct request *rq)
{
	const struct json *secrets = json_get(v, "secrets");
	uint64_t now = 0;

	*rq = (struct request){ .in = test_inbound(NULL, NULL, 0), .p = p };
	read_headers(a, json_get(v, "headers"), rq);
	rq->in.body = json_get(v, "body")->text;
	rq->in.settings = json_get(v, "settings");
	if (json_get(v, "method"))
		rq->in.method = json_text(json_get(v, "method"));
	if (json_get(v, "url"))
		inbound_set_url(&rq->in, json_text(json_get(v, "url")));
	if (str_u64(json_text(json_get(v, "now")), &now))
		rq->in.now = (ms_t)now * MS_PER_SECOND;
	for (const struct json *s = secrets ? secrets->first : NULL; s; s = s->next)
		rq->secrets[rq->secret_n++] = json_text(s);
	if (!secrets)
		rq->secrets[rq->secret_n++] = json_text(json_get(v, json_text(json_get(v, "secret")).n ? "secret" : "webhook_id"));
}

/* ---- certificates of a vector: by URL as an administrator put them there ("certificates"), or what the URL has to offer
 * ("cert_served_at_url") under authorities ("trust_root", with further "extra_chain"); the issuer's key set ("jwks") ---- */

struct vector_keys {
	struct key_store s;
	struct arena *a;
	const struct json *vector;
	X509_STORE *roots;
	unsigned asked;
};

static struct str key_file(struct arena *a, const struct json *name)
{
	return golden_file(a, arena_printf(a, "%s/../signatures/%.*s", golden_dir(), STR_ARG(json_text(name))).p);
}

static int vector_document(const struct key_store *s, struct str url, bool refresh, struct key_document *out)
{
	struct vector_keys *k = (struct vector_keys *)s;
	const struct json *pinned = json_get(k->vector, "certificates"), *served = json_get(k->vector, "cert_served_at_url");

	k->asked++;
	if (!served)
		served = json_get(k->vector, "jwks");
	if (served)
		*out = (struct key_document){ key_file(k->a, served), false };
	else
		*out = (struct key_document){ json_text(json_getn(pinned, url)), true };
	return out->text.n > 0;
}

static struct x509_store_st *vector_roots(const struct key_store *s)
{
	return ((const struct vector_keys *)s)->roots;
}

static void add_root(struct vector_keys *k, const struct json *file)
{
	ck_assert_int_eq(certificates_trust(k->roots, key_file(k->a, file)), 1);
}

static struct vector_keys vector_keys(struct arena *a, const struct json *v)
{
	const struct json *root = json_get(v, "trust_root"), *more = json_get(v, "extra_chain");
	struct vector_keys k = { { vector_document, vector_roots }, a, v, X509_STORE_new(), 0 };

	if (root)
		add_root(&k, root);
	for (const struct json *file = more ? more->first : NULL; file; file = file->next)
		add_root(&k, file);
	return k;
}

static enum verdict check(struct arena *a, const struct request *rq, struct proof_report *r)
{
	struct proof_input in = { .arena = a, .in = &rq->in, .secrets = rq->secrets, .secret_n = rq->secret_n };

	return proof_check(provider_proofs(rq->p), &in, r);
}

static enum verdict check_by(struct arena *a, const struct proof *p, const struct request *rq, struct proof_report *r)
{
	struct proof_input in = { .arena = a, .in = &rq->in, .secrets = rq->secrets, .secret_n = rq->secret_n };

	return proof_check_by(p, &in, r);
}

/* Where the certificate's URL is not the sender's, nobody may have been asked for it. */
static enum verdict check_vector(struct arena *a, const struct json *v, const struct request *rq, struct proof_report *r)
{
	struct vector_keys keys = vector_keys(a, v);
	struct proof_input in = { .arena = a, .in = &rq->in, .secrets = rq->secrets, .secret_n = rq->secret_n, .keys = &keys.s };
	enum verdict verdict = proof_check(provider_proofs(rq->p), &in, r);

	ck_assert(!r->step || strcmp(r->step, "certificate-url") || !keys.asked);
	X509_STORE_free(keys.roots);
	return verdict;
}

static void check_vectors(struct arena *a, const struct provider *p, const struct json *all)
{
	struct proof_report r;
	struct request rq;
	int number = 0;

	for (const struct json *v = all->first; v; v = v->next, number++) {
		bool valid = str_eqs(json_text(json_get(v, "valid")), "true");

		read_vector(a, p, v, &rq);
		ck_assert_msg((check_vector(a, v, &rq, &r) == PROVEN) == valid, "%s %d: valid is %d, step %s", p->slug, number, valid,
			r.step ? r.step : "none");
		ck_assert_msg(valid == !r.step && (valid && r.secret <= 0) == !r.detail[0], "%s %d: step", p->slug, number);
		ck_assert_msg(!valid || rq.secret_n == 0 || r.secret >= 0, "%s %d: secret", p->slug, number);
	}
}

/* Each provider that signs has some. */
START_TEST(test_vectors)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);

	for (size_t i = 0; providers[i]; i++) {
		const struct json *all = vectors(a, providers[i]);

		ck_assert_msg(all || !provider_can_sign(providers[i]), "%s has no signature vectors", providers[i]->slug);
		if (all)
			check_vectors(a, providers[i], all);
	}
	arena_free(a);
}
END_TEST

/* A good vector, spoilt: each byte of the body in turn and one more, where the body is signed; the key; the header. */
static void spoil_body(struct arena *a, const struct proof *p, struct request *rq)
{
	char *body = arena_cstr(a, rq->in.body);
	struct proof_report r;

	rq->in.body.p = body;
	for (size_t i = 0; i < rq->in.body.n; i++) {
		body[i] ^= 1;
		ck_assert_int_eq(check_by(a, p, rq, &r), NOT_PROVEN);
		ck_assert_str_eq(r.step, p->body_hash ? "body" : "digest");
		body[i] ^= 1;
	}
	ck_assert_int_eq(check_by(a, p, rq, &r), PROVEN);
	rq->in.body.n += 1;		/* arena_cstr's NUL: one byte more */
	ck_assert_int_eq(check_by(a, p, rq, &r), NOT_PROVEN);
	rq->in.body.n -= 1;
}

static void spoil(struct arena *a, const struct proof *p, struct request *rq)
{
	struct proof_report r;

	if (p->encoding != ENC_SECRET)
		spoil_body(a, p, rq);
	rq->secret_n = 0;
	ck_assert_int_eq(check_by(a, p, rq, &r), NOT_PROVEN);
	ck_assert_str_eq(r.step, "secret");
	rq->secrets[rq->secret_n++] = STR("another secret");
	ck_assert_int_eq(check_by(a, p, rq, &r), NOT_PROVEN);
	rq->in.header_n = 0;
	ck_assert_int_eq(check_by(a, p, rq, &r), NOT_PROVEN);
	ck_assert_str_eq(r.step, "header");
	ck_assert_int_eq(check(a, rq, &r), NOT_PROVEN);
	ck_assert_str_eq(r.step, "header");
}

/* Schemes with `verify` have tests of their own beside their vectors. */
START_TEST(test_spoilt_vectors)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct request rq;

	for (size_t i = 0; providers[i]; i++) {
		const struct json *all = vectors(a, providers[i]);

		for (const struct json *v = all ? all->first : NULL; v; v = v->next) {
			const struct proof *proof = provider_proof(providers[i], json_text(json_get(v, "scheme")));

			if (!proof || proof->verify || !str_eqs(json_text(json_get(v, "valid")), "true"))
				continue;
			read_vector(a, providers[i], v, &rq);
			spoil(a, proof, &rq);
		}
	}
	arena_free(a);
}
END_TEST

/* ---- rows of our own: BODY is "{}", the secret "k" ------------------------------------------- */

#define NOW 1772000000
#define HEX "%H"	/* in a value stands for the right hex HMAC-SHA256 of what the scheme signs */
#define B64 "%B"

static const struct {
	const char *slug, *header, *value;
	const char *signed_text;	/* what %H and %B are the HMAC of */
	const char *step;		/* NULL = proven */
} rows[] = {
	{ "github", "x-hub-signature-256", "sha256=" HEX, "{}", NULL },
	{ "github", "x-hub-signature-256", HEX, "{}", "prefix" },
	{ "github", "x-hub-signature-256", "sha1=" HEX, "{}", "prefix" },
	{ "github", "x-hub-signature-256", "SHA256=" HEX, "{}", "prefix" },
	{ "github", "x-hub-signature-256", "sha256=", "{}", "digest" },
	{ "github", "x-hub-signature-256", "sha256=" HEX "00", "{}", "digest" },
	{ "github", "x-hub-signature-256", "sha256=" HEX, "{} ", "digest" },
	{ "github", "x-hub-signature", "sha256=" HEX, "{}", "header" },

	{ "prometheus", "x-signature", HEX, "{}", NULL },
	{ "prometheus", "x-signature", "sha256=" HEX, "{}", NULL },
	{ "prometheus", "x-webhook-signature", "sha256=" HEX, "{}", NULL },
	{ "prometheus", "x-hub-signature-256", "sha256=" HEX, "{}", NULL },
	{ "prometheus", "x-hub-signature", "sha256=" HEX, "{}", "header" },
	{ "webhook", "x-signature", "sha256=" HEX, "{}", NULL },
	{ "webhook", "x-hub-signature-256", HEX, "{}", NULL },
	{ "webhook", "svix-signature", "v1," B64, "m.1772000000.{}", "header" },

	{ "stripe", "stripe-signature", "t=1772000000,v1=" HEX, "1772000000.{}", NULL },
	{ "stripe", "stripe-signature", "v1=" HEX ",t=1772000000", "1772000000.{}", NULL },
	{ "stripe", "stripe-signature", "t=1772000000,v1=00,v1=" HEX, "1772000000.{}", NULL },
	{ "stripe", "stripe-signature", "t=1772000000,v0=" HEX, "1772000000.{}", "list" },
	{ "stripe", "stripe-signature", "t=1772000000,v10=" HEX, "1772000000.{}", "list" },
	{ "stripe", "stripe-signature", "t=1772000000,t=1772000000,v1=" HEX, "1772000000.{}", "timestamp" },
	{ "stripe", "stripe-signature", "v1=" HEX, ".{}", "timestamp" },
	{ "stripe", "stripe-signature", "t=,v1=" HEX, ".{}", "timestamp" },
	{ "stripe", "stripe-signature", "t=+1772000000,v1=" HEX, "+1772000000.{}", "timestamp" },
	{ "stripe", "stripe-signature", "t= 1772000000,v1=" HEX, " 1772000000.{}", "timestamp" },
	{ "stripe", "stripe-signature", "t=1772000000.0,v1=" HEX, "1772000000.0.{}", "timestamp" },
	{ "stripe", "stripe-signature", "t=0x699D7800,v1=" HEX, "0x699D7800.{}", "timestamp" },
	{ "stripe", "stripe-signature", "t=18446744073709551615,v1=" HEX, "18446744073709551615.{}", "timestamp" },
	{ "stripe", "stripe-signature", "t=1771999700,v1=" HEX, "1771999700.{}", NULL },
	{ "stripe", "stripe-signature", "t=1771999699,v1=" HEX, "1771999699.{}", "timestamp" },
	{ "stripe", "stripe-signature", "t=1772000300,v1=" HEX, "1772000300.{}", NULL },
	{ "stripe", "stripe-signature", "t=1772000301,v1=" HEX, "1772000301.{}", "timestamp" },
	{ "stripe", "stripe-signature", "t=1772000000,v1=1,v1=2,v1=3,v1=4,v1=5,v1=6,v1=7,v1=8,v1=" HEX, "1772000000.{}", "list" },
	{ "stripe", "stripe-signature", "t=1772000000,v1=" HEX, "1772000001.{}", "digest" },
	{ "stripe", "stripe-signature", ",,=,v1", "1772000000.{}", "timestamp" },
};

static struct str signature_value(struct arena *a, const char *value, const char *signed_text)
{
	unsigned char digest[DIGEST_MAX];
	struct str part = str_of(signed_text), v = str_of(value), head = str_until(&v, '%');
	size_t n = hmac(DIGEST_SHA256, STR("k"), &part, 1, digest);
	struct str text;

	if (!v.n)
		return str_of(value);
	text = str_starts(v, "H") ? hex_encode(a, digest, n) : base64_encode(a, digest, n);
	return arena_printf(a, "%.*s%.*s%.*s", STR_ARG(head), STR_ARG(text), STR_ARG(str_sub(v, 1)));
}

START_TEST(test_rows)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct header h = { str_of(rows[_i].header), signature_value(a, rows[_i].value, rows[_i].signed_text) };
	struct request rq = { .in = test_inbound("{}", &h, 1), .secrets = { STR("k") }, .secret_n = 1,
		.p = provider_find(str_of(rows[_i].slug)) };
	struct proof_report r;
	enum verdict v;

	rq.in.now = NOW * MS_PER_SECOND + 999;
	v = check(a, &rq, &r);
	ck_assert_msg(v == (rows[_i].step ? NOT_PROVEN : PROVEN), "row %d: step %s", _i, r.step ? r.step : "none");
	ck_assert_str_eq(r.step ? r.step : "proven", rows[_i].step ? rows[_i].step : "proven");
	arena_free(a);
}
END_TEST

/* Hex of either case where the scheme says so, lower case alone where it does not. */
START_TEST(test_upper_case)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct str value = signature_value(a, "sha256=" HEX, "{}");
	struct header h = { STR("x-hub-signature-256"), value };
	struct request rq = { .in = test_inbound("{}", &h, 1), .secrets = { STR("k") }, .secret_n = 1 };
	struct proof_report r;
	char *p = (char *)h.value.p;

	for (size_t i = strlen("sha256="); i < value.n; i++)
		if (p[i] >= 'a' && p[i] <= 'f')
			p[i] -= 'a' - 'A';
	rq.p = provider_find(STR("prometheus"));
	ck_assert_int_eq(check(a, &rq, &r), PROVEN);
	rq.p = provider_find(STR("github"));
	ck_assert_int_eq(check(a, &rq, &r), NOT_PROVEN);
	arena_free(a);
}
END_TEST

START_TEST(test_reports)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct header h = { STR("stripe-signature"), signature_value(a, "t=1771999000,v1=" HEX, "1771999000.{}") };
	struct request rq = { .in = test_inbound("{}", &h, 1), .secrets = { STR("new"), STR("k") }, .secret_n = 2,
		.p = provider_find(STR("stripe")) };
	struct proof_report r;

	rq.in.now = NOW * MS_PER_SECOND;
	ck_assert_int_eq(check(a, &rq, &r), NOT_PROVEN);
	ck_assert_str_eq(r.scheme, "stripe-v1");
	ck_assert_str_eq(r.step, "timestamp");
	ck_assert_int_eq(r.skew_s, 1000);
	h.value = signature_value(a, "t=1772000000,v1=" HEX, "1772000000.{}");
	ck_assert_int_eq(check(a, &rq, &r), PROVEN);
	ck_assert_int_eq(r.secret, 1);
	ck_assert_str_eq(r.detail, "It fits an older secret: the sender does not use the newest one yet.");
	h.value = signature_value(a, "t=1772000000,v1=" HEX, "1772000000.{ }");
	ck_assert_int_eq(check(a, &rq, &r), NOT_PROVEN);
	ck_assert_str_eq(r.detail, "The signature does not fit the 13 bytes that are signed (secrets tried: 2): another secret, or the body was"
		" changed on its way.");
	rq.in.header_n = 0;
	rq.p = provider_find(STR("twilio"));
	ck_assert_int_eq(check(a, &rq, &r), NOT_PROVEN);
	ck_assert_str_eq(r.scheme, "twilio-form");	/* not the one that hangs on the query, which comes before it */
	arena_free(a);
}
END_TEST

/* With GET there is no body to sign. */
START_TEST(test_query_is_signed_on_get)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct header h = { STR("x-signature"), signature_value(a, HEX, "monitorID=7") };
	struct request rq = { .in = test_inbound("", &h, 1), .secrets = { STR("k") }, .secret_n = 1,
		.p = provider_find(STR("prometheus")) };
	struct proof_report r;

	rq.in.query = STR("monitorID=7");
	ck_assert_int_eq(check(a, &rq, &r), NOT_PROVEN);
	rq.in.method = STR("GET");
	ck_assert_int_eq(check(a, &rq, &r), PROVEN);
	arena_free(a);
}
END_TEST

/* Which URL a sender may have signed that calls ours, by the form scheme of Twilio's; the form is "b=2&a=1". */
static const struct {
	const char *public_url, *uri, *settings, *signed_url;
	bool ok;
} urls[] = {
	{ "https://a.example", "/x?y=1", NULL, "https://a.example/x?y=1", true },
	{ "https://a.example/", "/x", NULL, "https://a.example/x", true },
	{ "https://a.example/base", "/x", NULL, "https://a.example/base/x", true },
	{ "https://a.example", "/x?y=it%27s", NULL, "https://a.example/x?y=it%27s", true },
	{ "https://a.example", "/x?y=it%27s", NULL, "https://a.example/x?y=it's", false },
	{ "https://A.Example", "/x", NULL, "https://A.Example/x", true },
	{ "https://A.Example", "/x", NULL, "https://a.example/x", false },
	{ "http://a.example", "/x", NULL, "https://a.example/x", false },
	/* ports */
	{ "https://a.example", "/x", NULL, "https://a.example:443/x", true },
	{ "http://a.example", "/x", NULL, "http://a.example:80/x", true },
	{ "https://a.example", "/x", NULL, "https://a.example:80/x", false },
	{ "https://a.example:8443", "/x?y=:1", NULL, "https://a.example:8443/x?y=:1", true },
	{ "https://a.example:8443", "/x?y=:1", NULL, "https://a.example/x?y=:1", true },
	{ "https://a.example:8443", "/x", NULL, "https://a.example:443/x", false },
	{ "https://[2001:db8::1]", "/x", NULL, "https://[2001:db8::1]:443/x", true },
	{ "https://[2001:db8::1]:81", "/x", NULL, "https://[2001:db8::1]/x", true },
	/* credentials are part of it */
	{ "https://u:p@a.example", "/x", NULL, "https://u:p@a.example/x", true },
	{ "https://u:p@a.example", "/x", NULL, "https://u:p@a.example:443/x", true },
	{ "https://u:p@a.example:81", "/x", NULL, "https://u:p@a.example/x", true },
	{ "https://u:p@a.example", "/x", NULL, "https://a.example/x", false },
	/* what the owner says it is; the query is the request's, and a fragment is never sent nor signed */
	{ "https://a.example", "/x?y=1", "{\"url\":\"https://b.example/z\"}", "https://b.example/z?y=1", true },
	{ "https://a.example", "/x?y=1", "{\"url\":\"https://b.example/z?y=2#rc=2\"}", "https://b.example/z?y=1", true },
	{ "https://a.example", "/x", "{\"url\":\"https://b.example/z#rc=2\"}", "https://b.example/z", true },
	{ "https://a.example", "/x", "{\"url\":\"https://b.example:81/z\"}", "https://b.example/z", true },
	{ "https://a.example", "/x", "{\"url\":\"https://b.example/z\"}", "https://a.example/x", false },
	/* without anything known: whatever */
	{ "", "/x", NULL, "/x", true },
	{ "", "", NULL, "", true },
};

static struct str sha1_of_url(struct arena *a, const char *url, struct str form)
{
	unsigned char digest[DIGEST_MAX];
	struct str parts[] = { str_of(url), form };
	size_t n = hmac(DIGEST_SHA1, STR("k"), parts, 2, digest);

	return base64_encode(a, digest, n);
}

START_TEST(test_signed_urls)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct header h = { STR("x-twilio-signature"), sha1_of_url(a, urls[_i].signed_url, STR("a1b2")) };
	struct request rq = { .in = test_inbound("b=2&a=1", &h, 1), .secrets = { STR("k") }, .secret_n = 1,
		.p = provider_find(STR("twilio")) };
	struct proof_report r;

	rq.in.public_url = str_of(urls[_i].public_url);
	rq.in.uri = rq.in.query = str_of(urls[_i].uri);
	rq.in.path = str_until(&rq.in.query, '?');
	if (urls[_i].settings)
		rq.in.settings = test_json(a, urls[_i].settings);
	ck_assert_int_eq(check(a, &rq, &r), urls[_i].ok ? PROVEN : NOT_PROVEN);
	if (!urls[_i].ok)
		ck_assert_str_eq(r.step, "digest");
	/* by GET there is no form */
	rq.in.method = STR("GET");
	rq.in.body = STR_NONE;
	ck_assert_int_eq(check(a, &rq, &r), NOT_PROVEN);
	h.value = sha1_of_url(a, urls[_i].signed_url, STR_NONE);
	ck_assert_int_eq(check(a, &rq, &r), urls[_i].ok ? PROVEN : NOT_PROVEN);
	/* and JSON without its hash in the URL is not proven by the URL */
	rq.in.method = STR("POST");
	rq.in.body = STR("{}");
	ck_assert_int_eq(check(a, &rq, &r), NOT_PROVEN);
	arena_free(a);
}
END_TEST

/* A second header can choose between two ways to sign (Notion); a scheme without HMAC brings its
 * own function. */
static enum verdict verify_nothing(const struct proof *p, const struct proof_input *in, struct proof_report *r)
{
	proof_failed(r, "certificate", "The certificate could not be had.");
	return PROOF_UNAVAILABLE;
}

START_TEST(test_choice)
{
	static const struct proof dated = { .name = "dated", .header = "x-sig", .only_with = "x-time", .verify = verify_nothing };
	static const struct proof plain = { .name = "plain", .header = "x-sig", .digest = DIGEST_SHA256, .parts = { "$body" } };
	static const struct proof in_body = { .name = "in body", .verify = verify_nothing };
	static const struct proof *const two[] = { &dated, &plain, NULL };
	static const struct proof *const body[] = { &in_body, NULL };
	static const struct proof queried = { .name = "queried", .header = "x-sig", .only_with = "?hash", .verify = verify_nothing };
	static const struct proof *const hashed[] = { &queried, &plain, NULL };
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct header h[] = { { STR("x-sig"), signature_value(a, HEX, "{}") }, { STR("x-time"), STR("1") } };
	struct inbound in = test_inbound("{}", h, 1);
	struct str secret = STR("k");
	struct proof_input input = { .arena = a, .in = &in, .secrets = &secret, .secret_n = 1 };
	struct proof_report r;

	ck_assert_int_eq(proof_check(two, &input, &r), PROVEN);
	ck_assert_str_eq(r.scheme, "plain");
	in.header_n = 2;
	ck_assert_int_eq(proof_check(two, &input, &r), PROOF_UNAVAILABLE);
	ck_assert_str_eq(r.scheme, "dated");
	in.header_n = 1;
	ck_assert_int_eq(proof_check(hashed, &input, &r), PROVEN);
	ck_assert_str_eq(r.scheme, "plain");
	in.query = STR("a=1&hash=2");
	ck_assert_int_eq(proof_check(hashed, &input, &r), PROOF_UNAVAILABLE);
	in.header_n = 0;
	ck_assert_int_eq(proof_check(body, &input, &r), PROOF_UNAVAILABLE);
	arena_free(a);
}
END_TEST

/* What of a report stands on the page: the steps that were passed, and the one that was not. */
START_TEST(test_explanations)
{
	const struct proof *stripe = provider_proof(provider_find(STR("stripe")), STR("stripe-v1"));
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct proof_step steps[PROOF_STEPS_MAX];
	struct proof_report r = { .scheme = "stripe-v1" };
	size_t n = proof_explain(a, stripe, &r, steps);

	ck_assert_uint_eq(n, 6);
	for (size_t i = 0; i < n; i++)
		ck_assert(steps[i].ok && steps[i].detail.n);
	unit_str(steps[n - 1].name, "digest");
	proof_failed(&r, "timestamp", "Signed %d s ago.", 400);
	n = proof_explain(a, stripe, &r, steps);
	ck_assert_uint_eq(n, 3);
	ck_assert(steps[1].ok && !steps[2].ok && str_eqs(steps[2].detail, "Signed 400 s ago."));
	proof_failed(&r, "header", "%s", "It is not there.");
	ck_assert_uint_eq(proof_explain(a, stripe, &r, steps), 1);
	arena_free(a);
}
END_TEST

/* A scheme without a secret hangs on a setting, and proves alone once it is switched on. */
START_TEST(test_keyless)
{
	static const struct proof wanted = { .name = "wanted", .verify = verify_nothing, .keyless = "audience" };
	static const struct proof unless = { .name = "unless", .verify = verify_nothing, .keyless = "!check" };
	static const struct proof *const by_setting[] = { &wanted, NULL };
	static const struct proof *const by_default[] = { &unless, NULL };
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct inbound in = test_inbound("{}", NULL, 0);
	struct proof_input input = { .arena = a, .in = &in };
	struct proof_report r;

	ck_assert(!proofs_keyless(by_setting, NULL));
	ck_assert(proofs_keyless(by_default, NULL));
	ck_assert(!proofs_keyless(by_default, test_json(a, "{\"check\":false}")));
	ck_assert(!proofs_keyless(proofs_plain_hmac, NULL));
	ck_assert_int_eq(proof_check(by_setting, &input, &r), NOT_PROVEN);
	ck_assert_str_eq(r.step, "header");
	in.settings = test_json(a, "{\"audience\":\"us\"}");
	ck_assert(proofs_keyless(by_setting, in.settings));
	ck_assert_int_eq(proof_check(by_setting, &input, &r), PROOF_UNAVAILABLE);
	arena_free(a);
}
END_TEST

/* A scheme of old, only where the source allows it, and never beside the better one. */
START_TEST(test_a_scheme_behind_a_setting)
{
	static const struct proof new = { .name = "new", .header = "x-new", .digest = DIGEST_SHA256, .parts = { "$body" } };
	static const struct proof old = { .name = "old", .header = "x-old", .digest = DIGEST_SHA256, .parts = { "$body" },
		.allowed_by = "allowOld" };
	static const struct proof *const both[] = { &new, &old, NULL };
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct header h[] = { { STR("x-old"), signature_value(a, HEX, "{}") }, { STR("x-new"), STR("00") } };
	struct inbound in = test_inbound("{}", h, 1);
	struct str secret = STR("k");
	struct proof_input input = { .arena = a, .in = &in, .secrets = &secret, .secret_n = 1 };
	struct proof_report r;

	ck_assert_int_eq(proof_check(both, &input, &r), NOT_PROVEN);
	ck_assert_str_eq(r.step, "header");
	ck_assert_int_eq(proof_check_by(&old, &input, &r), PROVEN);
	in.settings = test_json(a, "{\"allowOld\":\"yes\"}");
	ck_assert_int_eq(proof_check(both, &input, &r), NOT_PROVEN);
	in.settings = test_json(a, "{\"allowOld\":true}");
	ck_assert_int_eq(proof_check(both, &input, &r), PROVEN);
	ck_assert_str_eq(r.scheme, "old");
	in.header_n = 2;
	ck_assert_int_eq(proof_check(both, &input, &r), NOT_PROVEN);
	ck_assert_str_eq(r.scheme, "new");
	arena_free(a);
}
END_TEST

/* The secret's form decides: a source with a signing key takes no token, one without reads no signature. */
START_TEST(test_a_secret_chooses_the_scheme)
{
	static const struct proof signing = { .name = "signing", .header = "x-sig", .secret_prefix = "sk_", .digest = DIGEST_SHA256,
		.parts = { "$body" } };
	static const struct proof token = { .name = "token", .header = "x-token", .encoding = ENC_SECRET };
	static const struct proof *const both[] = { &signing, &token, NULL };
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct header h[] = { { STR("x-token"), STR("open sesame") }, { STR("x-sig"), STR("00") } };
	struct inbound in = test_inbound("{}", h, 2), ours = test_inbound("{}", NULL, 0);
	struct str secrets[] = { STR("open sesame"), STR("sk_1") };
	struct proof_input input = { .arena = a, .in = &in, .secrets = secrets, .secret_n = 1 };
	struct proof_step steps[PROOF_STEPS_MAX];
	struct proof_report r;

	ck_assert_int_eq(proof_check(both, &input, &r), PROVEN);
	ck_assert_str_eq(r.scheme, "token");
	ck_assert_uint_eq(proof_explain(a, &token, &r, steps), 3);
	h[0].value = STR("open sesam");
	ck_assert_int_eq(proof_check(both, &input, &r), NOT_PROVEN);
	ck_assert_str_eq(r.step, "token");
	h[0].value = STR("open sesame");
	input.secret_n = 2;
	ck_assert_int_eq(proof_check(both, &input, &r), NOT_PROVEN);
	ck_assert_str_eq(r.step, "digest");
	in.header_n = 1;
	ck_assert_int_eq(proof_check(both, &input, &r), NOT_PROVEN);
	ck_assert_str_eq(r.step, "header");
	ck_assert(proof_sign(both, a, &ours, secrets[1]) && inbound_header(&ours, "x-sig").n == 64);
	ck_assert(proof_sign(both, a, &ours, secrets[0]) && str_eqs(inbound_header(&ours, "x-token"), "open sesame"));
	arena_free(a);
}
END_TEST

UNIT_MAIN("proof", UNIT(test_vectors), UNIT(test_spoilt_vectors), UNIT_ROWS(test_rows, rows), UNIT(test_upper_case),
	UNIT(test_reports), UNIT(test_query_is_signed_on_get), UNIT_ROWS(test_signed_urls, urls), UNIT(test_choice),
	UNIT(test_explanations), UNIT(test_keyless), UNIT(test_a_scheme_behind_a_setting), UNIT(test_a_secret_chooses_the_scheme))
