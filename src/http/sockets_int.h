/* sockets_int.h - the sockets of a master: opened by path, inherited, or handed to itself over a re-exec.
 *
 * Inherited ones follow sd_listen_fds(3). Beside its names "ingest" and "web" a master gives its own next image
 * "own-ingest", "own-web" (sockets it made, to be unlinked at a real stop), "pass-send" and "pass-receive". A socket of
 * any other name, or a listening one on descriptor 0, serves all: one pool then does both. */
#ifndef GRAPNEL_HTTP_SOCKETS_INT_H
#define GRAPNEL_HTTP_SOCKETS_INT_H

#include <sys/types.h>
#include <sys/un.h>

#include "grapnel/http.h"

#define SOCKETS_MAX 4		/* listening: one for each pool, and some that are left over */
#define SOCKET_PATH_MAX sizeof(((struct sockaddr_un *)0)->sun_path)	/* with NUL: 108 on Linux */

struct listener {
	int fd;			/* -1: none */
	enum pool pool;
	bool own;		/* made by this program: it unlinks it */
	char path[SOCKET_PATH_MAX];
	dev_t dev;		/* of the file at path: not unlinked when another has taken its place */
	ino_t ino;
};

struct sockets {
	struct listener listeners[SOCKETS_MAX];
	size_t n;
	int pass_send, pass_receive;	/* -1: one pool only */
};

/* One Unix socket. A dead one's file is replaced; ERR_CONFLICT when a living process listens there. */
bool listener_open(struct listener *s, enum pool pool, const char *path, unsigned mode, struct err *e) MUST_USE;
void listener_close(struct listener *s);	/* unlinks it too when it is our own */

/* Takes LISTEN_FDS and descriptor 0, and clears the environment of them. */
bool sockets_inherit(struct sockets *s, struct err *e) MUST_USE;
/* Removes and returns the one for `pool`; false when none was inherited. */
bool sockets_take(struct sockets *s, enum pool pool, struct listener *out);
/* Puts all at descriptors 3... and describes them in the environment, for the exec that follows. */
bool sockets_hand_over(struct sockets *s, struct err *e) MUST_USE;

#endif
