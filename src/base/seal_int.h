/* seal_int.h - the keys of a file, for those who seal with them. */
#ifndef SEAL_INT_H
#define SEAL_INT_H

#include <sys/stat.h>

#include "grapnel/crypto.h"

#define KEY_BYTES 32
#define KEY_FILE_MAX 65536	/* 255 lines of 69 bytes, and comments */

struct key {
	unsigned char number;
	unsigned char bytes[KEY_BYTES];
};

/* The file as it was read; `state` tells whether it is another one by now. */
struct key_ring {
	struct key keys[SEAL_KEYS_MAX];
	size_t n;
	struct key_file_state {
		uint64_t device, inode, size;
		int64_t changed_s, changed_ns;
	} state;
};

struct seal_key {
	char *path;
	struct key_ring *ring;	/* changes under those who hold the seal_key */
};

const struct key *key_find(const struct key_ring *ring, unsigned number);	/* NULL: there is none */
/* True: the file is another one by now, and is read again. One that cannot be read changes nothing. */
bool key_ring_renew(const struct seal_key *k);

/* The file as it is. `text` has room for KEY_FILE_MAX bytes; what is in it is the caller's to wipe. */
bool key_file_take(const char *path, struct key_ring *ring, char *text, size_t *n, struct stat *st, struct err *e) MUST_USE;

#endif
