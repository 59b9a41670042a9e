/* notify.h - who is told of what befalls an incident.
 *
 * Whoever writes an entry of a timeline leaves a row of `incident_news` with it (store.h). Here each of these becomes the rows of the outbox for those
 * who want to know, in one transaction that removes it: a process that dies leaves it to the next, and nobody is told twice. Any number may
 * work at once, on all hosts of a database. The dispatcher does it as soon as its bell rings; cron's job `outbox` where none runs. */
#ifndef GRAPNEL_NOTIFY_H
#define GRAPNEL_NOTIFY_H

#include "grapnel/base.h"
#include "grapnel/db.h"
#include "grapnel/fetch.h"

struct notify_config {
	struct db *db;
	struct id_maker *ids;
	struct shm *shm;	/* of a carrier: it rings the bell while there is more; NULL: who asks sees that himself */
};
struct notifier;
struct notifier *notifier_new(const struct notify_config *c);
void notifier_free(struct notifier *n);

/* A hundred of the news there are, in a transaction; then some hundred steps of escalation policies that are due. *more: there may be more news. */
bool notifier_take(struct notifier *n, ms_t now, bool *more, struct err *e) MUST_USE;
uint64_t notifier_steps(const struct notifier *n);	/* of policies, since then, too */
uint64_t notifier_told(const struct notifier *n);	/* rows of the outbox since notifier_new */

/* Incidents whose snooze is over, or that no window or silence holds back any more, say so in their timelines, which is news. Each once, whoever does it. */
struct notify_woken {
	size_t woken, released;		/* of snoozes; of windows and silences */
	bool more;			/* there may be others */
};
bool notify_wake(const struct notify_config *c, ms_t now, struct notify_woken *w, struct err *e) MUST_USE;

/* With notify_wake. It has nothing under way: what it writes is the courier's, who should take after it. */
struct carrier notifier_carrier(struct notifier *n);

#endif
