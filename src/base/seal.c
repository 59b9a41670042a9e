/* seal.c - secrets of the database under a key that is not in the database.
 *
 * AES-256-GCM (NIST SP 800-38D) with 96 random bits of nonce: one key may seal 2^32 values, far more than there are
 * secrets. The two bytes in front and the context are authenticated with it, so neither version, key number nor place
 * can be exchanged. Several keys make rotation possible while the program runs: the first in the file seals, all open. */
#include "seal_int.h"

#include <assert.h>
#include <openssl/evp.h>

#define VERSION 1
#define HEAD 2			/* version, key number */
#define NONCE 12
#define TAG 16

/* ---- sealing ---- */

/* Everything but the data itself: key, nonce and what is authenticated. */
static bool cipher_begin(EVP_CIPHER_CTX *ctx, bool encrypt, const unsigned char *key, const unsigned char *sealed,
	const char *context)
{
	int n;

	return EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, sealed + HEAD, encrypt) &&
		EVP_CipherUpdate(ctx, NULL, &n, sealed, HEAD) &&
		(!*context || EVP_CipherUpdate(ctx, NULL, &n, (const unsigned char *)context, (int)strlen(context)));
}

struct str seal(struct arena *a, const struct seal_key *k, struct str plain, const char *context)
{
	size_t total = HEAD + NONCE + plain.n + TAG;
	unsigned char *out = arena_alloc(a, total), *p = out + HEAD + NONCE;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const struct key *key;
	int n = 0;

	key_ring_renew(k);	/* whoever rotates keys must not see the old one used again */
	key = &k->ring->keys[0];
	assert(k->ring->n && plain.n <= INT32_MAX);
	out[0] = VERSION;
	out[1] = key->number;
	random_bytes(out + HEAD, NONCE);
	if (!ctx || !cipher_begin(ctx, true, key->bytes, out, context) ||
			(plain.n && !EVP_CipherUpdate(ctx, p, &n, (const unsigned char *)plain.p, (int)plain.n)) ||
			!EVP_CipherFinal_ex(ctx, p + n, &n) ||
			!EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, p + plain.n))
		die("sealing failed");
	EVP_CIPHER_CTX_free(ctx);
	return (struct str){ (char *)out, total };
}

static bool cipher_open(const unsigned char *key, struct str sealed, const char *context, unsigned char *out)
{
	const unsigned char *u = (const unsigned char *)sealed.p;
	size_t plain_n = sealed.n - HEAD - NONCE - TAG;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	bool ok;

	ok = ctx && cipher_begin(ctx, false, key, u, context) &&
		(!plain_n || EVP_CipherUpdate(ctx, out, &n, u + HEAD + NONCE, (int)plain_n)) &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, (void *)(u + sealed.n - TAG)) &&
		EVP_CipherFinal_ex(ctx, out + n, &n);
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

unsigned sealed_by(struct str sealed)
{
	return sealed.n >= HEAD + NONCE + TAG && sealed.p[0] == VERSION ? (unsigned char)sealed.p[1] : 0;
}

static bool open_with(struct arena *a, const struct key_ring *ring, struct str sealed, const char *context, struct str *plain, struct err *e)
{
	const struct key *key = key_find(ring, sealed_by(sealed));
	unsigned char *out;

	if (!key)
		return err_set(e, ERR_NOT_FOUND, "sealed with key %u, which the key file does not have", sealed_by(sealed));
	out = arena_alloc(a, sealed.n);
	if (!cipher_open(key->bytes, sealed, context, out)) {
		secret_wipe(out, sealed.n);	/* GCM decrypts before it knows */
		return err_set(e, ERR_INVALID, "a sealed value was changed or belongs elsewhere");
	}
	*plain = (struct str){ (char *)out, sealed.n - HEAD - NONCE - TAG };
	return true;
}

bool unseal(struct arena *a, const struct seal_key *k, struct str sealed, const char *context, struct str *plain,
	struct err *e)
{
	if (!sealed_by(sealed) || sealed.n > INT32_MAX)
		return err_set(e, ERR_INVALID, "not a sealed value of version %d", VERSION);
	if (open_with(a, k->ring, sealed, context, plain, e))
		return true;
	if (!key_ring_renew(k))
		return false;
	*e = (struct err){ 0 };
	return open_with(a, k->ring, sealed, context, plain, e);
}

/* ---- signing ---- */

/* What is signed for one context is nothing in another, and tells nothing of the key that seals. */
static void sign(const struct key *key, const char *context, struct str text, unsigned char out[DIGEST_MAX])
{
	const struct str of = str_of(context);
	unsigned char derived[DIGEST_MAX];
	size_t n = hmac(DIGEST_SHA256, (struct str){ (const char *)key->bytes, KEY_BYTES }, &of, 1, derived);

	hmac(DIGEST_SHA256, (struct str){ (const char *)derived, n }, &text, 1, out);
	secret_wipe(derived, sizeof(derived));
}

unsigned seal_sign(const struct seal_key *k, const char *context, struct str text, unsigned char out[DIGEST_MAX])
{
	key_ring_renew(k);
	assert(k->ring->n);
	sign(&k->ring->keys[0], context, text, out);
	return k->ring->keys[0].number;
}

bool seal_sign_with(const struct seal_key *k, unsigned number, const char *context, struct str text, unsigned char out[DIGEST_MAX])
{
	const struct key *key = key_find(k->ring, number);

	if (!key && key_ring_renew(k))
		key = key_find(k->ring, number);
	if (key)
		sign(key, context, text, out);
	return key != NULL;
}
