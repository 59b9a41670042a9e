/* Bearer tokens: what must pass, and all that must not. Tokens are made here with OpenSSL, so that nobody's key has to be
 * kept; the published vectors are test_proof's. */
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "grapnel/crypto.h"
#include "provider_test.h"
#include "src/provider/provider_int.h"

#define NOW 1772000000LL
#define KEYS_URL "https://issuer.example/keys"

enum which { KEY_A, KEY_B, KEY_SMALL, KEY_STRANGE, KEYS };	/* B is in the set only after a refresh, STRANGE never */

static EVP_PKEY *keys[KEYS];
static struct arena *a;

/* ---- the issuer ------------------------------------------------------------------------------- */

static struct str number(EVP_PKEY *key, const char *name)
{
	unsigned char *p;
	BIGNUM *n = NULL;
	int size;

	ck_assert(EVP_PKEY_get_bn_param(key, name, &n));
	size = BN_num_bytes(n);
	p = arena_alloc(a, (size_t)size);
	BN_bn2bin(n, p);
	BN_free(n);
	return base64url_encode(a, p, (size_t)size);
}

static struct str jwk(enum which k, const char *kid, const char *more)
{
	return arena_printf(a, "{\"kty\":\"RSA\",\"kid\":\"%s\",%s\"n\":\"%.*s\",\"e\":\"%.*s\"}", kid, more,
		STR_ARG(number(keys[k], "n")), STR_ARG(number(keys[k], "e")));
}

struct issuer {
	struct key_store store;
	int answer;			/* of the first look, and of the refresh */
	int answer_refreshed;
	const char *text;		/* or the usual set */
	unsigned asked, refreshed;
};

static int document(const struct key_store *s, struct str url, bool refresh, struct key_document *out)
{
	struct issuer *i = (struct issuer *)s;

	ck_assert(str_eqs(url, KEYS_URL));
	i->asked++;
	i->refreshed += refresh;
	*out = (struct key_document){ str_of(i->text) };
	if (!i->text)
		out->text = arena_printf(a, "{\"keys\":[%.*s,%.*s,%.*s,%.*s%s%.*s]}",
			STR_ARG(jwk(KEY_A, "a", "\"use\":\"sig\",\"alg\":\"RS256\",")),
			STR_ARG(jwk(KEY_A, "secret", "\"use\":\"enc\",")), STR_ARG(jwk(KEY_A, "other", "\"alg\":\"RS512\",")),
			STR_ARG(jwk(KEY_SMALL, "small", "")), refresh ? "," : "",
			STR_ARG(refresh ? jwk(KEY_B, "b", "") : STR_NONE));
	return refresh ? i->answer_refreshed : i->answer;
}

/* ---- tokens ----------------------------------------------------------------------------------- */

static struct str sign_rsa(EVP_PKEY *key, const EVP_MD *md, struct str text)
{
	unsigned char signature[512];
	size_t n = sizeof(signature);
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	ck_assert(EVP_DigestSignInit(c, NULL, md, NULL, key) == 1);
	ck_assert(EVP_DigestSign(c, signature, &n, (const unsigned char *)text.p, text.n) == 1);
	EVP_MD_CTX_free(c);
	return base64url_encode(a, signature, n);
}

static struct str token(const char *header, const char *claims, enum which k)
{
	struct str h = str_of(header), c = str_of(claims), signature;
	struct str text = arena_printf(a, "%.*s.%.*s", STR_ARG(base64url_encode(a, h.p, h.n)),
		STR_ARG(base64url_encode(a, c.p, c.n)));
	bool long_digest = strstr(header, "RS512") != NULL;

	signature = sign_rsa(keys[k], long_digest ? EVP_sha512() : EVP_sha256(), text);
	return arena_printf(a, "%.*s.%.*s", STR_ARG(text), STR_ARG(signature));
}

static const char *const algorithms[] = { "RS256", NULL };

static enum verdict verify(struct str authorization, struct issuer *i, struct proof_report *r)
{
	struct str issuers[] = { STR("https://issuer.example"), STR("issuer.example") };
	struct str audiences[] = { STR("https://us.example/hook"), STR("us") };
	struct jwt_claim claims[] = { { "email", STR("robot@example.com") }, { "azp|appid", STR("app") } };
	struct jwt_rule rule = { algorithms, issuers, audiences, ARRAY_SIZE(issuers), ARRAY_SIZE(audiences), STR(KEYS_URL), 300,
		86400, claims, ARRAY_SIZE(claims) };
	struct header h = { STR("authorization"), authorization };
	struct inbound in = test_inbound("{}", &h, 1);
	struct proof_input input = { .arena = a, .in = &in, .keys = i ? &i->store : NULL };

	if (i && !i->store.document)
		*i = (struct issuer){ { document, NULL }, 1, 1 };
	in.now = NOW * MS_PER_SECOND;
	*r = (struct proof_report){ .secret = -1 };
	return jwt_verify(&rule, &input, r);
}

static struct str bearer(struct str text)
{
	return arena_printf(a, "Bearer %.*s", STR_ARG(text));
}

/* ---- rows ------------------------------------------------------------------------------------- */

#define HEADER(kid) "{\"alg\":\"RS256\",\"kid\":\"" kid "\",\"typ\":\"JWT\"}"
#define ISS "\"iss\":\"https://issuer.example\","
#define AUD "\"aud\":\"us\","
#define EMAIL "\"email\":\"robot@example.com\","
#define AZP "\"azp\":\"app\","
#define TIMES "\"iat\":1771999940,\"exp\":1772003540"
#define CLAIMS "{" ISS AUD EMAIL AZP TIMES "}"
#define AT(times) "{" ISS AUD EMAIL AZP times "}"

static const struct {
	const char *header, *claims;
	enum which key;
	const char *step;	/* NULL = proven */
} rows[] = {
	{ HEADER("a"), CLAIMS, KEY_A, NULL },
	{ HEADER("b"), CLAIMS, KEY_B, NULL },
	{ HEADER("a"), "{\"iss\":\"issuer.example\"," AUD EMAIL AZP TIMES "}", KEY_A, NULL },
	{ HEADER("a"), "{" ISS "\"aud\":\"https://us.example/hook\"," EMAIL AZP TIMES "}", KEY_A, NULL },
	{ HEADER("a"), "{" ISS "\"aud\":[\"them\",\"us\"]," EMAIL AZP TIMES "}", KEY_A, NULL },
	{ HEADER("a"), "{" ISS AUD EMAIL "\"appid\":\"app\"," TIMES "}", KEY_A, NULL },
	{ HEADER("a"), AT("\"iat\":1771999940.5,\"exp\":1772003540.25"), KEY_A, NULL },
	/* header */
	{ "{\"alg\":\"none\",\"kid\":\"a\"}", CLAIMS, KEY_A, "algorithm" },
	{ "{\"alg\":\"None\",\"kid\":\"a\"}", CLAIMS, KEY_A, "algorithm" },
	{ "{\"alg\":\"rs256\",\"kid\":\"a\"}", CLAIMS, KEY_A, "algorithm" },
	{ "{\"alg\":\"RS512\",\"kid\":\"a\"}", CLAIMS, KEY_A, "algorithm" },
	{ "{\"alg\":\"PS256\",\"kid\":\"a\"}", CLAIMS, KEY_A, "algorithm" },
	{ "{\"alg\":\"HS256\",\"kid\":\"a\"}", CLAIMS, KEY_A, "algorithm" },
	{ "{\"alg\":[\"RS256\"],\"kid\":\"a\"}", CLAIMS, KEY_A, "algorithm" },
	{ "{\"kid\":\"a\"}", CLAIMS, KEY_A, "algorithm" },
	{ "{\"alg\":\"RS256\",\"alg\":\"none\",\"kid\":\"a\"}", CLAIMS, KEY_A, "algorithm" },
	{ "{\"alg\":\"RS256\",\"kid\":\"a\",\"crit\":[\"b64\"],\"b64\":false}", CLAIMS, KEY_A, "token" },
	{ "[\"RS256\"]", CLAIMS, KEY_A, "token" },
	{ "{\"alg\":\"RS256\"", CLAIMS, KEY_A, "token" },
	/* key */
	{ "{\"alg\":\"RS256\"}", CLAIMS, KEY_A, "key" },
	{ "{\"alg\":\"RS256\",\"kid\":\"\"}", CLAIMS, KEY_A, "key" },
	{ HEADER("A"), CLAIMS, KEY_A, "key" },
	{ HEADER("c"), CLAIMS, KEY_A, "key" },
	{ HEADER("small"), CLAIMS, KEY_SMALL, "key" },
	{ HEADER("secret"), CLAIMS, KEY_A, "key" },
	{ HEADER("other"), CLAIMS, KEY_A, "key" },
	/* signature */
	{ HEADER("a"), CLAIMS, KEY_STRANGE, "signature" },
	{ HEADER("a"), CLAIMS, KEY_B, "signature" },
	{ HEADER("a"), "[]", KEY_A, "signature" },
	{ HEADER("a"), "{", KEY_A, "signature" },
	/* issuer, audience */
	{ HEADER("a"), "{" AUD EMAIL AZP TIMES "}", KEY_A, "issuer" },
	{ HEADER("a"), "{\"iss\":\"https://issuer.example/\"," AUD EMAIL AZP TIMES "}", KEY_A, "issuer" },
	{ HEADER("a"), "{\"iss\":\"https://issuer.example.evil.example\"," AUD EMAIL AZP TIMES "}", KEY_A, "issuer" },
	{ HEADER("a"), "{\"iss\":[\"https://issuer.example\"]," AUD EMAIL AZP TIMES "}", KEY_A, "issuer" },
	{ HEADER("a"), "{" ISS EMAIL AZP TIMES "}", KEY_A, "audience" },
	{ HEADER("a"), "{" ISS "\"aud\":\"US\"," EMAIL AZP TIMES "}", KEY_A, "audience" },
	{ HEADER("a"), "{" ISS "\"aud\":\"\"," EMAIL AZP TIMES "}", KEY_A, "audience" },
	{ HEADER("a"), "{" ISS "\"aud\":[]," EMAIL AZP TIMES "}", KEY_A, "audience" },
	{ HEADER("a"), "{" ISS "\"aud\":[\"them\",\"they\"]," EMAIL AZP TIMES "}", KEY_A, "audience" },
	{ HEADER("a"), "{" ISS "\"aud\":{\"x\":\"us\"}," EMAIL AZP TIMES "}", KEY_A, "audience" },
	/* time: 300 s of difference, a day of life */
	{ HEADER("a"), AT("\"iat\":1771996400,\"exp\":1771999700"), KEY_A, NULL },
	{ HEADER("a"), AT("\"iat\":1771996400,\"exp\":1771999699"), KEY_A, "time" },
	{ HEADER("a"), AT("\"iat\":1772000300,\"exp\":1772003540"), KEY_A, NULL },
	{ HEADER("a"), AT("\"iat\":1772000301,\"exp\":1772003540"), KEY_A, "time" },
	{ HEADER("a"), AT("\"nbf\":1772000300," TIMES), KEY_A, NULL },
	{ HEADER("a"), AT("\"nbf\":1772000301," TIMES), KEY_A, "time" },
	{ HEADER("a"), AT("\"iat\":1771999940,\"exp\":1772086340"), KEY_A, NULL },
	{ HEADER("a"), AT("\"iat\":1771999940,\"exp\":1772086341"), KEY_A, "time" },
	{ HEADER("a"), AT("\"exp\":1772003540"), KEY_A, "time" },
	{ HEADER("a"), AT("\"iat\":1771999940"), KEY_A, "time" },
	{ HEADER("a"), AT("\"iat\":1771999940,\"exp\":\"never\""), KEY_A, "time" },
	{ HEADER("a"), AT("\"iat\":1771999940,\"exp\":9223372036854775807"), KEY_A, "time" },
	{ HEADER("a"), AT("\"iat\":-9223372036854775808,\"exp\":1772003540"), KEY_A, "time" },
	/* claims */
	{ HEADER("a"), "{" ISS AUD AZP TIMES "}", KEY_A, "claims" },
	{ HEADER("a"), "{" ISS AUD EMAIL TIMES "}", KEY_A, "claims" },
	{ HEADER("a"), "{" ISS AUD EMAIL "\"azp\":\"other\",\"appid\":\"app\"," TIMES "}", KEY_A, "claims" },
	{ HEADER("a"), "{" ISS AUD "\"email\":\"Robot@example.com\"," AZP TIMES "}", KEY_A, "claims" },
	{ HEADER("a"), "{" ISS AUD "\"email\":[\"robot@example.com\"]," AZP TIMES "}", KEY_A, "claims" },
};

START_TEST(test_rows)
{
	struct issuer i = { 0 };
	struct proof_report r;
	enum verdict v = verify(bearer(token(rows[_i].header, rows[_i].claims, rows[_i].key)), &i, &r);

	ck_assert_msg(v == (rows[_i].step ? NOT_PROVEN : PROVEN), "row %d: %s: %s", _i, r.step ? r.step : "proven", r.detail);
	ck_assert_str_eq(r.step ? r.step : "proven", rows[_i].step ? rows[_i].step : "proven");
	ck_assert(!r.step == !r.detail[0]);
	ck_assert_uint_le(i.refreshed, 1);
}
END_TEST

/* An HMAC keyed with what everyone may know: the public key. */
START_TEST(test_hmac_with_the_public_key)
{
	const char *header = "{\"alg\":\"HS256\",\"kid\":\"a\"}";
	struct str good = token(header, CLAIMS, KEY_A), signed_part, n = number(keys[KEY_A], "n");
	unsigned char digest[DIGEST_MAX];
	struct issuer i = { 0 };
	struct proof_report r;
	size_t size;

	signed_part = (struct str){ good.p, (size_t)(strrchr(good.p, '.') - good.p) };
	size = hmac(DIGEST_SHA256, n, &signed_part, 1, digest);
	ck_assert_int_eq(verify(bearer(arena_printf(a, "%.*s.%.*s", STR_ARG(signed_part),
		STR_ARG(base64url_encode(a, digest, size)))), &i, &r), NOT_PROVEN);
	ck_assert_str_eq(r.step, "algorithm");
	ck_assert_uint_eq(i.asked, 0);
}
END_TEST

static const char *const no_tokens[] = {
	"", "Bearer", "Bearer ", "Basic dXM6eA==", "Bearer x", "Bearer ...", "Bearer e30", "Bearer e30.e30", "Bearer e30.e30.",
	"Bearer =.=.=", "Bearer e30.e30.e30.", "Bearer e30.e30.e30.e30", "Bearer .e30.e30", "Bearer e30..e30", "Bearer e30.e30.e",
	"Bearer e30.e3=0.AAAA", "Bearer e30.e30.A===", "Bearer \xff.\xff.\xff", "JWT e30.e30.e30",
};

START_TEST(test_no_tokens)
{
	struct issuer i = { 0 };
	struct proof_report r;

	ck_assert_int_eq(verify(str_of(no_tokens[_i]), &i, &r), NOT_PROVEN);
	ck_assert(!strcmp(r.step, "token") || !strcmp(r.step, "algorithm"));
	ck_assert_uint_eq(i.asked, 0);
}
END_TEST

/* A good header, and behind it what is no base64url: libcjose would end the process over the signature. */
static const char *const broken[] = { ".e30.A=AA", ".e30.A", ".e30.A===", ".e=30.AAAA", ".e30.AAA+", ".e30.AA A", ".e30.", "..", "." };

START_TEST(test_broken_parts)
{
	struct str good = token(HEADER("a"), CLAIMS, KEY_A);
	struct issuer i = { 0 };
	struct proof_report r;
	size_t header = (size_t)str_find(good, '.');

	ck_assert_int_eq(verify(arena_printf(a, "Bearer %.*s%s", (int)header, good.p, broken[_i]), &i, &r), NOT_PROVEN);
	ck_assert_str_eq(r.step, !strcmp(broken[_i], ".e30.") ? "signature" : "token");
}
END_TEST

/* Any bit of a good one. */
START_TEST(test_spoilt)
{
	struct str good = bearer(token(HEADER("a"), CLAIMS, KEY_A));
	char *p = arena_cstr(a, good);
	struct issuer i = { 0 };
	struct proof_report r;

	ck_assert_int_eq(verify(str_of(p), &i, &r), PROVEN);
	for (size_t k = strlen("Bearer "); k < good.n; k++) {
		if (k + 1 == good.n)	/* the last digit has four bits that say nothing */
			continue;
		p[k] ^= p[k] == 'B' ? 2 : 1;
		ck_assert_msg(verify((struct str){ p, good.n }, &i, &r) == NOT_PROVEN, "byte %zu", k);
		p[k] = good.p[k];
	}
	for (size_t n = 0; n < good.n - 1; n++)
		ck_assert_int_eq(verify((struct str){ p, n }, &i, &r), NOT_PROVEN);
}
END_TEST

START_TEST(test_too_long)
{
	struct issuer i = { 0 };
	struct proof_report r;
	char *p = arena_alloc(a, 20000);

	memset(p, 'A', 20000);
	memcpy(p, "Bearer ", 7);
	ck_assert_int_eq(verify((struct str){ p, 20000 }, &i, &r), NOT_PROVEN);
	ck_assert_str_eq(r.step, "token");
	ck_assert(strstr(r.detail, "16384"));
}
END_TEST

/* The set is asked for once, and once more only where the key is not in it. */
START_TEST(test_looking_for_the_key)
{
	struct issuer i = { 0 };
	struct proof_report r;
	struct str known = bearer(token(HEADER("a"), CLAIMS, KEY_A)), rotated = bearer(token(HEADER("b"), CLAIMS, KEY_B));

	ck_assert_int_eq(verify(known, &i, &r), PROVEN);
	ck_assert_uint_eq(i.asked, 1);
	ck_assert_int_eq(verify(rotated, &i, &r), PROVEN);
	ck_assert_uint_eq(i.asked, 3);
	ck_assert_uint_eq(i.refreshed, 1);
	i.answer_refreshed = -1;
	ck_assert_int_eq(verify(known, &i, &r), PROVEN);
	ck_assert_int_eq(verify(rotated, &i, &r), PROOF_UNAVAILABLE);
	ck_assert_str_eq(r.step, "key");
	i.answer = -1;
	ck_assert_int_eq(verify(known, &i, &r), PROOF_UNAVAILABLE);
	i.answer = i.answer_refreshed = 0;
	ck_assert_int_eq(verify(known, &i, &r), NOT_PROVEN);
	ck_assert_int_eq(verify(known, NULL, &r), PROOF_UNAVAILABLE);
}
END_TEST

static const struct {
	const char *text;
	enum verdict v;
} sets[] = {
	{ "", PROOF_UNAVAILABLE },
	{ "<html>", PROOF_UNAVAILABLE },
	{ "{}", NOT_PROVEN },
	{ "[]", NOT_PROVEN },
	{ "{\"keys\":7}", NOT_PROVEN },
	{ "{\"keys\":[7,null,{},{\"kid\":\"a\"},{\"kid\":\"a\",\"kty\":\"RSA\"},{\"kid\":\"a\",\"kty\":\"oct\",\"k\":\"AA\"}]}", NOT_PROVEN },
	{ "{\"keys\":[{\"kid\":\"a\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", NOT_PROVEN },
	{ "{\"keys\":[{\"kid\":\"a\",\"kty\":\"RSA\",\"n\":\"A=AA\",\"e\":\"A=AA\"},{\"kid\":\"a\",\"kty\":\"RSA\",\"n\":7,\"e\":[]}]}", NOT_PROVEN },
};

START_TEST(test_strange_sets)
{
	struct issuer i = { { document, NULL }, 1, 1, sets[_i].text };
	struct proof_report r;

	ck_assert_int_eq(verify(bearer(token(HEADER("a"), CLAIMS, KEY_A)), &i, &r), sets[_i].v);
	ck_assert_str_eq(r.step, "key");
}
END_TEST

/* What is told: names, never the token. */
START_TEST(test_details)
{
	struct issuer i = { 0 };
	struct proof_report r;

	verify(bearer(token(HEADER("a"), "{" ISS "\"aud\":\"them\"," EMAIL AZP TIMES "}", KEY_A)), &i, &r);
	ck_assert_str_eq(r.detail, "The token's audience (aud) is \"them\"; it should be \"https://us.example/hook\".");
	verify(bearer(token(HEADER("a"), AT("\"iat\":1771990000,\"exp\":1771999000"), KEY_A)), &i, &r);
	ck_assert_str_eq(r.detail, "The token expired 1000 s ago; 300 s are allowed. Is the clock right?");
	ck_assert_int_eq(r.skew_s, 10000);
}
END_TEST

/* Keys are made once, before the tests part. */
int main(void)
{
	const struct unit_case cases[] = {
		UNIT_ROWS(test_rows, rows), UNIT(test_hmac_with_the_public_key), UNIT_ROWS(test_no_tokens, no_tokens), UNIT_ROWS(test_broken_parts, broken),
		UNIT(test_spoilt), UNIT(test_too_long), UNIT(test_looking_for_the_key), UNIT_ROWS(test_strange_sets, sets),
		UNIT(test_details),
	};
	int failed;

	for (int i = 0; i < KEYS; i++)
		keys[i] = EVP_RSA_gen(i == KEY_SMALL ? 1024 : 2048);
	a = arena_new(TEST_ARENA_MAX);
	failed = unit_run("jwt", cases, ARRAY_SIZE(cases));
	arena_free(a);
	for (int i = 0; i < KEYS; i++)
		EVP_PKEY_free(keys[i]);
	return failed;
}
