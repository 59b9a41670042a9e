/* passphrase.c - a sealing key that is made of a passphrase: for files that are carried about.
 *
 * scrypt, RFC 7914, with N 2^15, r 8, p 1: 32 MiB and a tenth of a second for each guess. */
#include "seal_int.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define SCRYPT_N (UINT64_C(1) << 15)
#define SCRYPT_R 8
#define SCRYPT_P 1

static bool derive(struct str passphrase, struct str salt, unsigned char out[KEY_BYTES])
{
	uint64_t n = SCRYPT_N;
	uint32_t r = SCRYPT_R, p = SCRYPT_P;
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)passphrase.p, passphrase.n),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt.p, salt.n),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
		OSSL_PARAM_construct_end(),
	};
	bool ok = ctx && EVP_KDF_derive(ctx, out, KEY_BYTES, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

struct seal_key *seal_key_of_passphrase(struct str passphrase, struct str salt, struct err *e)
{
	struct seal_key *k;

	if (passphrase.n < PASSPHRASE_MIN) {
		err_set(e, ERR_INVALID, "a passphrase has at least %d characters", PASSPHRASE_MIN);
		return NULL;
	}
	k = xcalloc(1, sizeof(*k));
	k->ring = xcalloc(1, sizeof(*k->ring));
	k->ring->n = 1;
	k->ring->keys[0].number = 1;
	if (!derive(passphrase, salt, k->ring->keys[0].bytes))
		die("scrypt failed");
	return k;
}
