/* password.c - passwords by yescrypt of libcrypt, with the cost that the library takes for right (15 ms here). The hash
 * names its own method and cost, so older ones stay good when the default rises. */
#include "grapnel/crypto.h"

#include <crypt.h>
#include <errno.h>

/* The work area is 32 KiB and holds the password afterwards: on the heap, and wiped. */
static bool hashed(struct str password, const char *setting, char out[CRYPT_OUTPUT_SIZE])
{
	struct crypt_data *work = xcalloc(1, sizeof(*work));
	char phrase[CRYPT_MAX_PASSPHRASE_SIZE];
	const char *hash;

	memcpy(phrase, password.p, password.n);
	phrase[password.n] = '\0';
	hash = crypt_rn(phrase, setting, work, sizeof(*work));
	if (hash)
		snprintf(out, CRYPT_OUTPUT_SIZE, "%s", hash);
	secret_wipe(phrase, sizeof(phrase));
	secret_wipe(work, sizeof(*work));
	free(work);
	return hash != NULL;
}

static bool acceptable(struct str password)
{
	return password.n && password.n < CRYPT_MAX_PASSPHRASE_SIZE && str_find(password, '\0') < 0;
}

bool password_hash(struct arena *a, struct str password, struct str *hash, struct err *e)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE], text[CRYPT_OUTPUT_SIZE];
	unsigned char random[16];

	if (!acceptable(password))
		return err_field(e, ERR_INVALID, "password", "a password has 1 to %d bytes and no NUL",
			CRYPT_MAX_PASSPHRASE_SIZE - 1);
	random_bytes(random, sizeof(random));
	if (!crypt_gensalt_rn("$y$", 0, (char *)random, sizeof(random), setting, sizeof(setting)) ||
			!hashed(password, setting, text))
		return err_sys(e, ERR_BUG, "yescrypt");
	*hash = arena_str(a, str_of(text));
	return true;
}

bool password_verify(struct str password, struct str hash)
{
	char setting[CRYPT_OUTPUT_SIZE], text[CRYPT_OUTPUT_SIZE];

	if (!acceptable(password) || !hash.n || hash.n >= sizeof(setting))
		return false;
	memcpy(setting, hash.p, hash.n);
	setting[hash.n] = '\0';
	return hashed(password, setting, text) && equal_ct(text, strlen(text), hash.p, hash.n);
}
