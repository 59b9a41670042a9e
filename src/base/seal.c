/* seal.c - secrets of the database under a key that is not in the database.
 *
 * AES-256-GCM (NIST SP 800-38D) with 96 random bits of nonce: one key may seal 2^32 values, far more than there are
 * secrets. The two bytes in front and the context are authenticated with it, so neither version, key number nor place
 * can be exchanged. Several keys make rotation possible while the program runs: the first in the file seals, all open. */
#include "grapnel/crypto.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION 1
#define HEAD 2			/* version, key number */
#define NONCE 12
#define TAG 16
#define KEY_BYTES 32
#define KEYS_MAX 255		/* the key number is a byte, and 0 is none */
#define KEY_FILE_MAX 65536	/* 255 lines of 69 bytes, and comments */

struct seal_key {
	struct {
		unsigned char number;
		unsigned char bytes[KEY_BYTES];
	} keys[KEYS_MAX];
	size_t n;
};

/* ---- the key file ---- */

static const unsigned char *key_find(const struct seal_key *k, unsigned number)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->keys[i].number == number)
			return k->keys[i].bytes;
	return NULL;
}

static bool line_parse(struct seal_key *k, struct str line, const char *path, unsigned line_no, struct err *e)
{
	struct str number_text = str_word(&line), digits = str_word(&line);
	unsigned char bytes[KEY_BYTES];
	uint64_t number;

	if (!number_text.n || number_text.p[0] == '#')
		return true;
	if (!str_u64(number_text, &number) || number < 1 || number > KEYS_MAX || str_word(&line).n ||
			!hex_decode(digits, bytes, sizeof(bytes)))
		return err_set(e, ERR_INVALID, "%s:%u: not \"<number 1-255> <64 hex digits>\"", path, line_no);
	if (key_find(k, (unsigned)number))
		return err_set(e, ERR_INVALID, "%s:%u: key %u stands there twice", path, line_no, (unsigned)number);
	k->keys[k->n].number = (unsigned char)number;
	memcpy(k->keys[k->n].bytes, bytes, sizeof(bytes));
	k->n++;
	secret_wipe(bytes, sizeof(bytes));
	return true;
}

static bool keys_parse(struct seal_key *k, struct str text, const char *path, struct err *e)
{
	for (unsigned line_no = 1; text.n; line_no++)
		if (!line_parse(k, str_until(&text, '\n'), path, line_no, e))
			return false;
	if (!k->n)
		return err_set(e, ERR_INVALID, "%s: no key in it", path);
	return true;
}

/* A group may read it (root:grapnel 0640 is how packages install it), nobody else, and only the owner may write. */
static bool mode_check(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_sys(e, ERR_DOWN, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "%s: not a file", path);
	if (st.st_mode & (S_IRWXO | S_IWGRP))
		return err_set(e, ERR_DENIED, "%s: mode %04o lets others at the key; chmod 600 it", path,
			(unsigned)(st.st_mode & 07777));
	return true;
}

static bool read_all(int fd, char *out, size_t max, size_t *n, const char *path, struct err *e)
{
	ssize_t got;

	*n = 0;
	while ((got = read(fd, out + *n, max - *n)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, ERR_DOWN, "%s", path);
		*n += (size_t)got;
		if (*n == max)
			return err_set(e, ERR_LIMIT, "%s: over %zu bytes", path, max);
	}
	return true;
}

struct seal_key *seal_key_load(const char *path, struct err *e)
{
	struct seal_key *k = xcalloc(1, sizeof(*k));
	char *text = xmalloc(KEY_FILE_MAX);
	bool ok = false;
	size_t n = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		err_sys(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_DENIED, "key file %s", path);
		goto out;
	}
	ok = mode_check(fd, path, e) && read_all(fd, text, KEY_FILE_MAX, &n, path, e) &&
		keys_parse(k, (struct str){ text, n }, path, e);
	close(fd);
out:
	secret_wipe(text, n);
	free(text);
	if (!ok) {
		seal_key_free(k);
		k = NULL;
	}
	return k;
}

bool seal_key_create(const char *path, struct err *e)
{
	unsigned char key[KEY_BYTES];
	char line[2 + 2 * KEY_BYTES + 2];
	bool ok = false;
	int fd, n;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, errno == EEXIST ? ERR_CONFLICT : ERR_DENIED, "key file %s", path);
	random_bytes(key, sizeof(key));
	n = snprintf(line, sizeof(line), "1 ");
	for (size_t i = 0; i < sizeof(key); i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, "%02x", (unsigned)key[i]);
	line[n++] = '\n';
	if (fchmod(fd, 0600) || write(fd, line, (size_t)n) != n || fsync(fd))
		err_sys(e, ERR_DOWN, "key file %s", path);
	else
		ok = true;
	secret_wipe(key, sizeof(key));
	secret_wipe(line, sizeof(line));
	close(fd);
	if (!ok)
		unlink(path);
	return ok;
}

void seal_key_free(struct seal_key *k)
{
	if (!k)
		return;
	secret_wipe(k, sizeof(*k));
	free(k);
}

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
	int n = 0;

	assert(k->n && plain.n <= INT32_MAX);
	out[0] = VERSION;
	out[1] = k->keys[0].number;
	random_bytes(out + HEAD, NONCE);
	if (!ctx || !cipher_begin(ctx, true, k->keys[0].bytes, out, context) ||
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

bool unseal(struct arena *a, const struct seal_key *k, struct str sealed, const char *context, struct str *plain,
	struct err *e)
{
	const unsigned char *key;
	unsigned char *out;

	if (sealed.n < HEAD + NONCE + TAG || sealed.n > INT32_MAX || sealed.p[0] != VERSION)
		return err_set(e, ERR_INVALID, "not a sealed value of version %d", VERSION);
	key = key_find(k, (unsigned char)sealed.p[1]);
	if (!key)
		return err_set(e, ERR_NOT_FOUND, "sealed with key %u, which the key file does not have",
			(unsigned)(unsigned char)sealed.p[1]);
	out = arena_alloc(a, sealed.n);
	if (!cipher_open(key, sealed, context, out)) {
		secret_wipe(out, sealed.n);	/* GCM decrypts before it knows */
		return err_set(e, ERR_INVALID, "a sealed value was changed or belongs elsewhere");
	}
	*plain = (struct str){ (char *)out, sealed.n - HEAD - NONCE - TAG };
	return true;
}
