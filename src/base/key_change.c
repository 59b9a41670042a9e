/* key_change.c - the file of the sealing keys is made and changed: a key more, another order, a key less.
 *
 * It is always replaced whole, by a rename, so that nobody reads a half of it and a crash leaves the one or the other. Two who change it
 * wait for each other: else a key could be lost with which somebody has sealed already. */
#include "seal_int.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define KEY_LINE 72		/* "255 ", 64 digits, newline, NUL */
#define SUFFIX ".new"

/* ---- a first file ---- */

static void line_make(unsigned number, const unsigned char *key, char line[KEY_LINE])
{
	int n = snprintf(line, KEY_LINE, "%u ", number);

	for (size_t i = 0; i < KEY_BYTES; i++)
		n += snprintf(line + n, KEY_LINE - (size_t)n, "%02x", (unsigned)key[i]);
	line[n++] = '\n';
	line[n] = '\0';
}

static void line_random(unsigned number, char line[KEY_LINE])
{
	unsigned char key[KEY_BYTES];

	random_bytes(key, sizeof(key));
	line_make(number, key, line);
	secret_wipe(key, sizeof(key));
}

/* A file that is not there yet, for nobody but `st`'s owner and as it says; st NULL: for the caller alone. */
static bool file_make(const char *path, const char *text, size_t n, const struct stat *st, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0)
		return err_sys(e, errno == EEXIST ? ERR_CONFLICT : ERR_DENIED, "key file %s", path);
	ok = !(st && (st->st_uid != geteuid() || st->st_gid != getegid()) && fchown(fd, st->st_uid, st->st_gid)) &&
		!fchmod(fd, st ? st->st_mode & 07777 : 0600) && write(fd, text, n) == (ssize_t)n && !fsync(fd);
	if (!ok)
		err_sys(e, ERR_DOWN, "key file %s", path);
	close(fd);
	if (!ok)
		unlink(path);
	return ok;
}

bool seal_key_create(const char *path, struct err *e)
{
	char line[KEY_LINE];
	bool ok;

	line_random(1, line);
	ok = file_make(path, line, strlen(line), NULL, e);
	secret_wipe(line, sizeof(line));
	return ok;
}

/* ---- changes ---- */

struct change {
	char *path;			/* the file itself, not a link to it */
	char *temporary;
	int folder;			/* locked */
	struct key_ring ring;
	struct stat st;
	char text[KEY_FILE_MAX], made[KEY_FILE_MAX + KEY_LINE];
	size_t n, made_n;
};

static void change_free(struct change *ch)
{
	if (ch->folder >= 0)
		close(ch->folder);
	free(ch->path);
	free(ch->temporary);
	secret_wipe(ch, sizeof(*ch));
	free(ch);
}

/* The folder is locked, not the file, since each change makes another file of it. */
static bool folder_lock(struct change *ch, struct err *e)
{
	char *slash = strrchr(ch->path, '/'), after = slash[1];

	slash[1] = '\0';
	ch->folder = open(ch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	slash[1] = after;
	return (ch->folder >= 0 && !flock(ch->folder, LOCK_EX)) || err_sys(e, ERR_DENIED, "the folder of key file %s", ch->path);
}

static struct change *change_begin(const char *path, struct err *e)
{
	struct change *ch = xcalloc(1, sizeof(*ch));

	ch->folder = -1;
	ch->path = realpath(path, NULL);
	if (!ch->path) {
		err_sys(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_DENIED, "key file %s", path);
		goto fail;
	}
	ch->temporary = xmalloc(strlen(ch->path) + sizeof(SUFFIX));
	memcpy(stpcpy(ch->temporary, ch->path), SUFFIX, sizeof(SUFFIX));
	if (folder_lock(ch, e) && key_file_take(ch->path, &ch->ring, ch->text, &ch->n, &ch->st, e))
		return ch;
fail:
	change_free(ch);
	return NULL;
}

static void made_add(struct change *ch, struct str s)
{
	if (!s.n)
		return;
	memcpy(ch->made + ch->made_n, s.p, s.n);
	ch->made_n += s.n;
	if (s.p[s.n - 1] != '\n')
		ch->made[ch->made_n++] = '\n';
}

/* The text without the line of key `without`, and with `line` before the first of the others, or as the last. Comments stay. */
static void compose(struct change *ch, unsigned without, struct str line, bool first)
{
	struct str rest = { ch->text, ch->n };
	uint64_t number;

	while (rest.n) {
		struct str whole = rest, words = str_until(&rest, '\n');

		whole.n = words.n;
		if (str_u64(str_word(&words), &number)) {
			if (first)
				made_add(ch, line);
			if (first)
				line = STR_NONE;
			if (number == without)
				continue;
		}
		if (whole.n)
			made_add(ch, whole);
		else
			ch->made[ch->made_n++] = '\n';
	}
	made_add(ch, line);
}

static bool change_end(struct change *ch, struct err *e)
{
	unlink(ch->temporary);		/* of somebody who was killed: we hold the lock */
	if (!file_make(ch->temporary, ch->made, ch->made_n, &ch->st, e))
		return false;
	if (!rename(ch->temporary, ch->path) && !fsync(ch->folder))
		return true;
	err_sys(e, ERR_DOWN, "key file %s", ch->path);
	unlink(ch->temporary);
	return false;
}

/* Higher than all, so that numbers tell what is newer, as long as there are such. */
static unsigned number_free(const struct key_ring *ring)
{
	unsigned n = 1;

	for (size_t i = 0; i < ring->n; i++)
		n = ring->keys[i].number >= n ? ring->keys[i].number + 1u : n;
	if (n > SEAL_KEYS_MAX)
		for (n = 1; key_find(ring, n);)
			n++;
	return n;
}

bool seal_key_add(const char *path, bool seals, unsigned *number, struct err *e)
{
	struct change *ch = change_begin(path, e);
	char line[KEY_LINE];
	bool ok;

	if (!ch)
		return false;
	if (ch->ring.n == SEAL_KEYS_MAX) {
		change_free(ch);
		return err_set(e, ERR_LIMIT, "%s holds %d keys; drop those that seal nothing", path, SEAL_KEYS_MAX);
	}
	*number = number_free(&ch->ring);
	line_random(*number, line);
	compose(ch, 0, str_of(line), seals);
	ok = change_end(ch, e);
	secret_wipe(line, sizeof(line));
	change_free(ch);
	return ok;
}

/* The change that takes key `number` as it stands in the file, *key. */
static struct change *change_of(const char *path, unsigned number, const struct key **key, struct err *e)
{
	struct change *ch = change_begin(path, e);

	if (!ch)
		return NULL;
	*key = key_find(&ch->ring, number);
	if (*key)
		return ch;
	err_set(e, ERR_NOT_FOUND, "%s has no key %u", path, number);
	change_free(ch);
	return NULL;
}

bool seal_key_prefer(const char *path, unsigned number, struct err *e)
{
	const struct key *key;
	struct change *ch = change_of(path, number, &key, e);
	char line[KEY_LINE];
	bool ok = true;

	if (!ch)
		return false;
	if (key != ch->ring.keys) {
		line_make(number, key->bytes, line);
		compose(ch, number, str_of(line), true);
		ok = change_end(ch, e);
		secret_wipe(line, sizeof(line));
	}
	change_free(ch);
	return ok;
}

bool seal_key_drop(const char *path, unsigned number, struct err *e)
{
	const struct key *key;
	struct change *ch = change_of(path, number, &key, e);
	bool ok = false;

	if (!ch)
		return false;
	if (key == ch->ring.keys) {
		err_set(e, ERR_CONFLICT, "key %u is the one that seals", number);
	} else {
		compose(ch, number, STR_NONE, false);
		ok = change_end(ch, e);
	}
	change_free(ch);
	return ok;
}
