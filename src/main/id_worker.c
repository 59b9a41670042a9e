#include "id_worker.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "grapnel/shm.h"

#define PROGRAMS_PER_HOST 4
#define FIRST_PROGRAM (1024 - SHM_WORKERS)	/* would be the last host's */

unsigned id_worker_of_slot(const struct conf *c, unsigned slot)
{
	assert(slot < SHM_WORKERS && c->server.node < FIRST_PROGRAM / SHM_WORKERS);
	return c->server.node * SHM_WORKERS + slot;
}

/* Instances on one host differ in their state files. The descriptor stays open on purpose. */
static bool take(const struct conf *c, unsigned k)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int n = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "grapnel-id-%u-%s", k, c->server.state_file);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if ((size_t)n > sizeof(name.sun_path) - 2)
		n = sizeof(name.sun_path) - 2;
	if (fd >= 0 && !bind(fd, (const struct sockaddr *)&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)))
		return true;
	if (fd >= 0)
		close(fd);
	return false;
}

unsigned id_worker_of_program(const struct conf *c)
{
	static unsigned taken = PROGRAMS_PER_HOST;	/* none yet */
	unsigned k = 0;

	if (taken == PROGRAMS_PER_HOST) {
		while (k < PROGRAMS_PER_HOST - 1 && !take(c, k))
			k++;
		taken = k;
	}
	return FIRST_PROGRAM + c->server.node * PROGRAMS_PER_HOST + taken;
}
