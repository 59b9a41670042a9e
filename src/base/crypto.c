/* crypto.c - digests, comparison and random bytes over OpenSSL 3.
 *
 * The algorithms are fetched once and their contexts kept: in OpenSSL 3 a look-up by name takes locks and costs more than
 * hashing the 1 KiB of a webhook. The contexts are the one piece of state here; processes are single-threaded. */
#include "grapnel/crypto.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

static const struct {
	const char *name;
	size_t bytes;
} digests[] = {
	[DIGEST_SHA256] = { "SHA256", SHA256_BYTES },
	[DIGEST_SHA1] = { "SHA1", SHA1_BYTES },
};

void sha256(struct str s, unsigned char out[SHA256_BYTES])
{
	static EVP_MD *md;
	static EVP_MD_CTX *ctx;

	if (!ctx) {
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
		ctx = EVP_MD_CTX_new();
	}
	if (!md || !ctx || !EVP_DigestInit_ex2(ctx, md, NULL) || !EVP_DigestUpdate(ctx, s.p, s.n) ||
			!EVP_DigestFinal_ex(ctx, out, NULL))
		die("SHA-256 failed");
}

struct str sha256_hex(struct arena *a, struct str s)
{
	unsigned char digest[SHA256_BYTES];

	sha256(s, digest);
	return hex_encode(a, digest, sizeof(digest));
}

static EVP_MAC_CTX *hmac_context(enum digest d)
{
	static EVP_MAC_CTX *contexts[ARRAY_SIZE(digests)];
	OSSL_PARAM params[2] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digests[d].name, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac;

	if (contexts[d])
		return contexts[d];
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	contexts[d] = mac ? EVP_MAC_CTX_new(mac) : NULL;
	EVP_MAC_free(mac);	/* the context holds it */
	if (!contexts[d] || !EVP_MAC_CTX_set_params(contexts[d], params))
		die("HMAC is not to be had");
	return contexts[d];
}

size_t hmac(enum digest d, struct str key, const struct str *parts, size_t n, unsigned char out[DIGEST_MAX])
{
	EVP_MAC_CTX *ctx = hmac_context(d);
	bool ok;

	/* A NULL key would mean "the one before". */
	ok = EVP_MAC_init(ctx, (const unsigned char *)(key.n ? key.p : ""), key.n, NULL);
	for (size_t i = 0; ok && i < n; i++)
		ok = !parts[i].n || EVP_MAC_update(ctx, (const unsigned char *)parts[i].p, parts[i].n);
	if (!ok || !EVP_MAC_final(ctx, out, NULL, DIGEST_MAX))
		die("HMAC failed");
	return digests[d].bytes;
}

bool ed25519_verify(struct str key, struct str text, struct str signature)
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)key.p, key.n);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool fits = pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
		EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n, (const unsigned char *)text.p, text.n) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return fits;
}

bool equal_ct(const void *a, size_t a_n, const void *b, size_t b_n)
{
	return a_n == b_n && (!a_n || !CRYPTO_memcmp(a, b, a_n));
}

void random_bytes(void *out, size_t n)
{
	assert(n <= INT32_MAX);
	if (RAND_bytes(out, (int)n) != 1)
		die("no random bytes");
}

void secret_wipe(void *p, size_t n)
{
	if (n)
		OPENSSL_cleanse(p, n);
}
