/* id_worker.h - who makes ids under which of their 1024 worker numbers: no two processes at once under the same, on 15 hosts.
 *
 * A host's processes of the master have the numbers node * 64 + slot. The last 64 belong to programs that come and go: four to each host, and a
 * program takes the first that no other holds. It holds it by a socket's abstract name (unix(7)), which ends with the process however that
 * ends and needs no folder that every caller could write. */
#ifndef ID_WORKER_H
#define ID_WORKER_H

#include "grapnel/conf.h"

unsigned id_worker_of_slot(const struct conf *c, unsigned slot);	/* slot: below SHM_WORKERS */
/* For the rest of this process. The fifth at once on a host gets the fourth's: where both make an id in the same ms, one's INSERT fails. */
unsigned id_worker_of_program(const struct conf *c);

#endif
