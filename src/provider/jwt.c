/* Bearer tokens that a provider signs for its own requests (RFC 7519): Google's and Microsoft's.
 *
 * Signatures are libcjose's business, and this is the only file that knows it. What it is given was
 * looked at before: three parts in base64url, since release 0.6.2 ends the process over some that
 * are not; the algorithm must be on the caller's list, so that neither "none" nor an HMAC keyed
 * with a public key gets as far as a key; the key must be in the set that the issuer publishes at a URL
 * of our own, so that "jku", "jwk" and "x5u" in the header are never read. Of a key its public
 * numbers alone are taken. Claims are believed, and told, only once the signature fits.
 *
 * RFC 7515, RFC 7517, RFC 8725 (what goes wrong with JWTs), looked up 2026-11. */
#include <cjose/cjose.h>

#include "provider_int.h"

#define TOKEN_MAX (16 * 1024)	/* Google's have 1 KiB, Microsoft's with groups up to 8 */
#define MODULUS_MIN 256		/* bytes: RFC 7518 section 3.3 */
#define MODULUS_MAX 1024	/* verifying with more is work that a sender could cause */
#define EXPONENT_MAX 8
#define SECONDS_MAX 253402300800LL	/* the year 10000 */

const struct proof_stage jwt_steps[] = {
	{ "token", "Authorization holds a bearer token of the right form." },
	{ "algorithm", "It is signed by an algorithm that this provider uses." },
	{ "key", "Its key is one that the issuer publishes." },
	{ "signature", "The signature fits." },
	{ "issuer", "It was issued by whom it should be." },
	{ "audience", "It was issued for this integration." },
	{ "time", "It is valid now." },
	{ "claims", "What else it must say is as it should be." },
	{ 0 }
};

struct token {
	const struct jwt_rule *rule;
	const struct proof_input *in;
	struct proof_report *r;
	struct str text;
	struct str algorithm, key_id;
	bool is_signed;
	const struct json *claims;
};

/* ---- its form ------------------------------------------------------------------------------- */

/* Header, claims, signature: two dots. Where the signature is none the algorithm is told. */
static bool read_parts(struct token *t, struct str part[3])
{
	struct str rest = t->text;
	size_t dots = 0;

	for (size_t i = 0; i < rest.n; i++)
		dots += rest.p[i] == '.';
	for (size_t i = 0; i < 3; i++)
		if (!base64_decode(t->in->arena, str_until(&rest, '.'), true, &part[i]))
			return false;
	t->is_signed = part[2].n > 0;
	return dots == 2 && part[0].n && part[1].n;
}

static bool read_header(struct token *t)
{
	const struct json *header;
	struct str part[3];
	struct err e = { 0 };

	if (!read_parts(t, part) || !json_parse(t->in->arena, part[0], &header, &e) ||
		!json_is(header, JSON_OBJECT))
		return proof_failed(t->r, "token", "The bearer token is no JWT.");
	if (json_get(header, "crit"))
		return proof_failed(t->r, "token", "The token asks for an extension (crit).");
	t->algorithm = json_text(json_get(header, "alg"));
	t->key_id = json_text(json_get(header, "kid"));
	return true;
}

static bool read_token(struct token *t)
{
	struct str value = inbound_header(t->in->in, "authorization");
	struct str scheme = str_word(&value);

	t->text = str_trim(value);
	if (!str_ieqs(scheme, "bearer") || !t->text.n)
		return proof_failed(t->r, "token", "There is no bearer token in Authorization.");
	if (t->text.n > TOKEN_MAX)
		return proof_failed(t->r, "token", "The token has more than %d bytes.", TOKEN_MAX);
	return read_header(t);
}

static bool algorithm_is_allowed(const struct token *t)
{
	for (const char *const *name = t->rule->algorithms; *name; name++)
		if (str_eqs(t->algorithm, *name))
			return true;
	return proof_failed(t->r, "algorithm", "The token's algorithm is %.*s; %s is expected.",
		(int)str_cut(t->algorithm, 20).n, t->algorithm.n ? t->algorithm.p : "",
		t->rule->algorithms[0]);
}

/* ---- its key -------------------------------------------------------------------------------- */

static bool is_ours(const struct token *t, const struct json *key)
{
	struct str use = json_text(json_get(key, "use")), alg = json_text(json_get(key, "alg"));

	return str_eq(json_text(json_get(key, "kid")), t->key_id) &&
		(!use.n || str_eqs(use, "sig")) && (!alg.n || str_eq(alg, t->algorithm));
}

static bool read_number(struct arena *a, const struct json *key, const char *name, uint8_t **p,
	size_t *n)
{
	struct str bytes;

	if (!base64_decode(a, json_text(json_get(key, name)), true, &bytes))
		return false;
	*p = (uint8_t *)bytes.p;
	*n = bytes.n;
	return true;
}

static cjose_jwk_t *import_rsa(struct arena *a, const struct json *key)
{
	cjose_jwk_rsa_keyspec k = { 0 };

	if (!str_eqs(json_text(json_get(key, "kty")), "RSA") ||
		!read_number(a, key, "n", &k.n, &k.nlen) ||
		!read_number(a, key, "e", &k.e, &k.elen))
		return NULL;
	if (k.nlen < MODULUS_MIN || k.nlen > MODULUS_MAX || !k.elen || k.elen > EXPONENT_MAX)
		return NULL;
	return cjose_jwk_create_RSA_spec(&k, NULL);
}

/* 1 found, 0 not in the set, -1 the set could not be had. */
static int key_in_set(const struct token *t, bool refresh, cjose_jwk_t **out)
{
	const struct key_store *store = t->in->keys;
	const struct json *set, *keys;
	struct key_document d;
	struct err e = { 0 };
	int found = store ? store->document(store, t->rule->keys_url, refresh, &d) : -1;

	if (found != 1)
		return found;
	if (!json_parse(t->in->arena, d.text, &set, &e))
		return -1;
	keys = json_get(set, "keys");
	for (const struct json *key = keys ? keys->first : NULL; key; key = key->next)
		if (is_ours(t, key) && (*out = import_rsa(t->in->arena, key)))
			return 1;
	return 0;
}

/* The issuer may have changed its keys since we looked. */
static enum verdict find_key(const struct token *t, cjose_jwk_t **out)
{
	int found = t->key_id.n ? key_in_set(t, false, out) : 0;

	if (!found && t->key_id.n)
		found = key_in_set(t, true, out);
	if (found == 1)
		return PROVEN;
	if (found < 0) {
		proof_failed(t->r, "key", "The issuer's key set could not be had from %.*s.",
			(int)str_cut(t->rule->keys_url, 120).n, t->rule->keys_url.p);
		return PROOF_UNAVAILABLE;
	}
	proof_failed(t->r, "key", "The issuer publishes no key with the token's key id (kid).");
	return NOT_PROVEN;
}

/* ---- its signature -------------------------------------------------------------------------- */

/* cjose read the header by itself: both must have seen the same algorithm. */
static bool verified(const struct token *t, cjose_jws_t *jws, const cjose_jwk_t *key)
{
	const char *algorithm = cjose_header_get(cjose_jws_get_protected(jws), CJOSE_HDR_ALG, NULL);

	return algorithm && str_eqs(t->algorithm, algorithm) && cjose_jws_verify(jws, key, NULL);
}

static bool read_claims(struct token *t, cjose_jws_t *jws)
{
	uint8_t *p = NULL;
	size_t n = 0;
	struct err e = { 0 };

	return cjose_jws_get_plaintext(jws, &p, &n, NULL) &&
		json_parse(t->in->arena, arena_str(t->in->arena, (struct str){ (char *)p, n }),
			&t->claims, &e) && json_is(t->claims, JSON_OBJECT);
}

static bool signature_fits(struct token *t, const cjose_jwk_t *key)
{
	cjose_jws_t *jws = t->is_signed ? cjose_jws_import(t->text.p, t->text.n, NULL) : NULL;
	bool fits = jws && verified(t, jws, key) && read_claims(t, jws);

	if (jws)
		cjose_jws_release(jws);
	return fits || proof_failed(t->r, "signature", "The token's signature does not fit.");
}

/* ---- its claims ----------------------------------------------------------------------------- */

static struct str claim(const struct token *t, const char *name)
{
	return json_text(json_get(t->claims, name));
}

static bool is_one_of(struct str s, const struct str *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s.n && str_eq(s, list[i]))
			return true;
	return false;
}

/* What a token says against what should be there: both are names, no secrets. */
static bool claim_failed(const struct token *t, const char *step, const char *what, struct str got,
	struct str want)
{
	got = str_cut(got, 70);
	want = str_cut(want, 70);
	return proof_failed(t->r, step, "The token's %s is \"%.*s\"; it should be \"%.*s\".", what,
		STR_ARG(got), STR_ARG(want));
}

static bool issuer_fits(const struct token *t)
{
	struct str issuer = claim(t, "iss");

	return is_one_of(issuer, t->rule->issuers, t->rule->issuer_n) ||
		claim_failed(t, "issuer", "issuer (iss)", issuer, t->rule->issuers[0]);
}

/* A text, or a list of texts one of which counts. */
static bool audience_fits(const struct token *t)
{
	const struct json *audience = json_get(t->claims, "aud");
	const struct json *one = json_is(audience, JSON_ARRAY) ? audience->first : audience;

	for (const struct json *x = one; x; x = x->next) {
		if (is_one_of(json_text(x), t->rule->audiences, t->rule->audience_n))
			return true;
		if (x == audience)
			break;
	}
	return claim_failed(t, "audience", "audience (aud)", json_text(one), t->rule->audiences[0]);
}

/* Seconds since 1970; a fraction is cut. False where it is not there, or no such number. */
static bool claim_time(const struct token *t, const char *name, int64_t *out)
{
	struct str text = claim(t, name);

	return str_i64(str_until(&text, '.'), out) && *out > -SECONDS_MAX && *out < SECONDS_MAX;
}

static bool time_fits(const struct token *t)
{
	int64_t now = t->in->in->now / MS_PER_SECOND, tolerance = t->rule->tolerance_s;
	int64_t expires, issued, not_before;

	if (!claim_time(t, "exp", &expires) || !claim_time(t, "iat", &issued))
		return proof_failed(t->r, "time",
			"The token does not say from when to when it is valid (iat, exp).");
	if (!claim_time(t, "nbf", &not_before))
		not_before = issued;
	t->r->skew_s = now - issued;
	if (now > expires + tolerance)
		return proof_failed(t->r, "time",
			"The token expired %lld s ago; %lld s are allowed. Is the clock right?",
			(long long)(now - expires), (long long)tolerance);
	if (now < issued - tolerance || now < not_before - tolerance)
		return proof_failed(t->r, "time",
			"The token is valid only in %lld s. Is the clock right?",
			(long long)((issued > not_before ? issued : not_before) - now));
	if (expires - issued > t->rule->lifetime_max_s)
		return proof_failed(t->r, "time",
			"The token is valid for %lld s; at most %lld s are taken.",
			(long long)(expires - issued), (long long)t->rule->lifetime_max_s);
	return true;
}

/* "azp|appid": the first that is there. */
static bool claim_fits(const struct token *t, const struct jwt_claim *c)
{
	struct str names = str_of(c->names), name, value = STR_NONE;

	while (names.n && !value.n) {
		name = str_until(&names, '|');
		value = json_text(json_getn(t->claims, name));
	}
	return is_one_of(value, &c->value, 1) || is_one_of(value, &c->other, 1) ||
		claim_failed(t, "claims", c->names, value, c->value);
}

static bool claims_fit(const struct token *t)
{
	for (size_t i = 0; i < t->rule->claim_n; i++)
		if (!claim_fits(t, &t->rule->claims[i]))
			return false;
	return true;
}

/* ---- the whole ------------------------------------------------------------------------------ */

enum verdict jwt_verify(const struct jwt_rule *rule, const struct proof_input *in,
	struct proof_report *r)
{
	struct token t = { .rule = rule, .in = in, .r = r };
	cjose_jwk_t *key = NULL;
	enum verdict v;

	if (!read_token(&t) || !algorithm_is_allowed(&t))
		return NOT_PROVEN;
	v = find_key(&t, &key);
	if (v != PROVEN)
		return v;
	if (!signature_fits(&t, key) || !issuer_fits(&t) || !audience_fits(&t) || !time_fits(&t) ||
		!claims_fit(&t))
		v = NOT_PROVEN;
	cjose_jwk_release(key);
	return v;
}
