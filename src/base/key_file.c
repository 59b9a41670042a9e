/* key_file.c - the file of the sealing keys: read, and read again once it is another one.
 *
 * Who seals looks each time whether the file is still the one that was read (a stat, a microsecond), and who cannot open a value looks
 * again too. So a rotation needs neither signal nor restart: the file is replaced, and from then on every process of the host uses what
 * is in it. */
#include "seal_int.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

const struct key *key_find(const struct key_ring *ring, unsigned number)
{
	for (size_t i = 0; i < ring->n; i++)
		if (ring->keys[i].number == number)
			return &ring->keys[i];
	return NULL;
}

static bool line_parse(struct key_ring *ring, struct str line, const char *path, unsigned line_no, struct err *e)
{
	struct str number_text = str_word(&line), digits = str_word(&line);
	unsigned char bytes[KEY_BYTES];
	uint64_t number;

	if (!number_text.n || number_text.p[0] == '#')
		return true;
	if (!str_u64(number_text, &number) || number < 1 || number > SEAL_KEYS_MAX || str_word(&line).n ||
			!hex_decode(digits, bytes, sizeof(bytes)))
		return err_set(e, ERR_INVALID, "%s:%u: not \"<number 1-255> <64 hex digits>\"", path, line_no);
	if (key_find(ring, (unsigned)number))
		return err_set(e, ERR_INVALID, "%s:%u: key %u stands there twice", path, line_no, (unsigned)number);
	ring->keys[ring->n].number = (unsigned char)number;
	memcpy(ring->keys[ring->n].bytes, bytes, sizeof(bytes));
	ring->n++;
	secret_wipe(bytes, sizeof(bytes));
	return true;
}

static bool lines_parse(struct key_ring *ring, struct str text, const char *path, struct err *e)
{
	for (unsigned line_no = 1; text.n; line_no++)
		if (!line_parse(ring, str_until(&text, '\n'), path, line_no, e))
			return false;
	if (!ring->n)
		return err_set(e, ERR_INVALID, "%s: no key in it", path);
	return true;
}

/* A group may read it (root:grapnel 0640 is how packages install it), nobody else, and only the owner may write. */
static bool mode_check(const struct stat *st, const char *path, struct err *e)
{
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_INVALID, "%s: not a file", path);
	if (st->st_mode & (S_IRWXO | S_IWGRP))
		return err_set(e, ERR_DENIED, "%s: mode %04o lets others at the key; chmod 600 it", path,
			(unsigned)(st->st_mode & 07777));
	return true;
}

static struct key_file_state state_of(const struct stat *st)
{
	return (struct key_file_state){ (uint64_t)st->st_dev, (uint64_t)st->st_ino, (uint64_t)st->st_size, st->st_ctim.tv_sec,
		st->st_ctim.tv_nsec };
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

bool key_file_take(const char *path, struct key_ring *ring, char *text, size_t *n, struct stat *st, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bool ok;

	*n = 0;
	if (fd < 0)
		return err_sys(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_DENIED, "key file %s", path);
	if (fstat(fd, st))
		ok = err_sys(e, ERR_DOWN, "%s", path);
	else
		ok = mode_check(st, path, e) && read_all(fd, text, KEY_FILE_MAX, n, path, e) && lines_parse(ring, (struct str){ text, *n }, path, e);
	close(fd);
	ring->state = state_of(st);
	return ok;
}

static void ring_free(struct key_ring *ring)
{
	secret_wipe(ring, sizeof(*ring));
	free(ring);
}

static struct key_ring *ring_read(const char *path, struct err *e)
{
	struct key_ring *ring = xcalloc(1, sizeof(*ring));
	char *text = xmalloc(KEY_FILE_MAX);
	struct stat st = { 0 };
	size_t n;
	bool ok = key_file_take(path, ring, text, &n, &st, e);

	secret_wipe(text, n);
	free(text);
	if (!ok) {
		ring_free(ring);
		ring = NULL;
	}
	return ring;
}

struct seal_key *seal_key_load(const char *path, struct err *e)
{
	struct key_ring *ring = ring_read(path, e);
	struct seal_key *k;

	if (!ring)
		return NULL;
	k = xcalloc(1, sizeof(*k));
	k->path = xmalloc(strlen(path) + 1);
	memcpy(k->path, path, strlen(path) + 1);
	k->ring = ring;
	return k;
}

bool key_ring_renew(const struct seal_key *k)
{
	struct err ignored = { 0 };
	struct key_file_state now;
	struct key_ring *ring;
	struct stat st;

	if (!k->path || stat(k->path, &st))
		return false;
	now = state_of(&st);
	if (!memcmp(&now, &k->ring->state, sizeof(now)))
		return false;
	ring = ring_read(k->path, &ignored);
	if (!ring)
		return false;
	secret_wipe(k->ring->keys, sizeof(k->ring->keys));
	*k->ring = *ring;
	ring_free(ring);
	return true;
}

void seal_key_free(struct seal_key *k)
{
	if (!k)
		return;
	ring_free(k->ring);
	free(k->path);
	free(k);
}

size_t seal_key_numbers(const struct seal_key *k, unsigned char out[SEAL_KEYS_MAX])
{
	key_ring_renew(k);
	for (size_t i = 0; i < k->ring->n; i++)
		out[i] = k->ring->keys[i].number;
	return k->ring->n;
}
