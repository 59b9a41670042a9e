/* crypto.h - digests, comparison, random bytes, sealing of secrets, passwords. OpenSSL 3 and libcrypt underneath.
 * Secrets are wiped with secret_wipe when their owner ends. */
#ifndef GRAPNEL_CRYPTO_H
#define GRAPNEL_CRYPTO_H

#include "grapnel/base.h"

#define SHA256_BYTES 32
#define SHA1_BYTES 20
#define DIGEST_MAX 32

enum digest { DIGEST_SHA256, DIGEST_SHA1 };

void sha256(struct str s, unsigned char out[SHA256_BYTES]);
struct str sha256_hex(struct arena *a, struct str s);
/* HMAC of the concatenation of `n` parts, without copying them. Returns the digest's size. */
size_t hmac(enum digest d, struct str key, const struct str *parts, size_t n, unsigned char out[DIGEST_MAX]);
/* RFC 8032; key and signature as their bytes, 32 and 64 of them, else false. */
bool ed25519_verify(struct str key, struct str text, struct str signature);
bool equal_ct(const void *a, size_t a_n, const void *b, size_t b_n);	/* constant time for equal lengths */
void random_bytes(void *out, size_t n);		/* ends the process if there are none */
void secret_wipe(void *p, size_t n);

/* ---- sealing: AES-256-GCM under a key file outside the database ----
 * Sealed form: byte 1 (version), byte key number, 12 bytes nonce, ciphertext, 16 bytes tag. `context` (for example
 * "source_secret:42") is authenticated, so that a sealed value copied to another row does not open. */
struct seal_key;
#define SEAL_KEYS_MAX 255	/* the key number is a byte, and 0 is none */
void seal_key_free(struct seal_key *k);
/* Both look whether the file is another one than that which was read, and then read it again. */
struct str seal(struct arena *a, const struct seal_key *k, struct str plain, const char *context);
bool unseal(struct arena *a, const struct seal_key *k, struct str sealed, const char *context, struct str *plain, struct err *e) MUST_USE;
unsigned sealed_by(struct str sealed);		/* the number of the key; 0: that is no sealed value */

/* ---- signing under the same file: HMAC-SHA256 with a key of its own for each context, "incident-link" ---- */
unsigned seal_sign(const struct seal_key *k, const char *context, struct str text, unsigned char out[DIGEST_MAX]);	/* returns the number of the key */
/* With that key; false: the file does not have it. */
bool seal_sign_with(const struct seal_key *k, unsigned number, const char *context, struct str text, unsigned char out[DIGEST_MAX]) MUST_USE;

/* ---- the key file: one line "<number 1-255> <64 hex digits>" per key; the first one seals, all open. Refused when others can read it ---- */
struct seal_key *seal_key_load(const char *path, struct err *e);
bool seal_key_create(const char *path, struct err *e) MUST_USE;	/* mode 0600; ERR_CONFLICT if it exists */
size_t seal_key_numbers(const struct seal_key *k, unsigned char out[SEAL_KEYS_MAX]);	/* of the file as it is now; [0] seals */
/* A change replaces the file by another of the same owner and mode, or leaves it. */
bool seal_key_add(const char *path, bool seals, unsigned *number, struct err *e) MUST_USE;	/* a new one, that seals from now on or only opens */
bool seal_key_prefer(const char *path, unsigned number, struct err *e) MUST_USE;	/* it seals from now on; ERR_NOT_FOUND */
bool seal_key_drop(const char *path, unsigned number, struct err *e) MUST_USE;	/* ERR_NOT_FOUND; ERR_CONFLICT: it is the one that seals */

/* A key of a passphrase alone: scrypt (RFC 7914; 32 MiB, a tenth of a second), so that guessing is dear. For files that leave the host. */
#define PASSPHRASE_MIN 8	/* characters */
#define PASSPHRASE_SALT 16	/* bytes, random */
struct seal_key *seal_key_of_passphrase(struct str passphrase, struct str salt, struct err *e);

/* ---- passwords: yescrypt of libcrypt ---- */
bool password_hash(struct arena *a, struct str password, struct str *hash, struct err *e) MUST_USE;
bool password_verify(struct str password, struct str hash);

#endif
