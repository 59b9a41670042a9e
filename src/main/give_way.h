/* give_way.h - pages and API give way to webhooks: pure.
 *
 * A page keeps a web worker or its thread in MariaDB busy all the time, and the kernel divides the processors among all who want them:
 * four web workers with enough to do take half of the machine from ingest. So while webhooks pour in, a web worker rests after its work, so
 * long that all web workers together keep a third of the processors busy at most. Rejected: nice(2), since most of a page's work
 * is MariaDB's; fewer web workers, since one slow call would then hold up all pages, also when there is no webhook far and wide. */
#ifndef GIVE_WAY_H
#define GIVE_WAY_H

#include <stdint.h>

#define GIVE_WAY_PER_S 500	/* webhooks a second from which on processors are worth sharing out: a tenth of what two cores take */

/* Microseconds to rest after `took_us` of work, in which `webhooks` came in on this host. */
int64_t give_way_us(int64_t took_us, uint64_t webhooks, unsigned web_workers, unsigned processors);

#endif
