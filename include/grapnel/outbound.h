/* outbound.h - what goes out by itself: the courier, who carries the outbox to its receivers, and the dispatcher, a process that does it at once.
 *
 * The courier is a carrier (fetch.h), the forwarder of events (forward.h) is another. The dispatcher drives all of them with one sender, as quickly
 * as rows come; cron's jobs drive one each, for what failed there or where no dispatcher runs. Any number of both run at once, on all hosts
 * of a database: work is taken by compare-and-set. Who is killed leaves his leases to end; then what he held is sent by somebody else. */
#ifndef GRAPNEL_OUTBOUND_H
#define GRAPNEL_OUTBOUND_H

#include <signal.h>

#include "grapnel/base.h"
#include "grapnel/channel.h"
#include "grapnel/conf.h"
#include "grapnel/crypto.h"
#include "grapnel/db.h"
#include "grapnel/fetch.h"
#include "grapnel/shm.h"
#include "grapnel/store.h"

/* ---- courier.c ---- */

#define COURIER_IN_FLIGHT 5	/* to one channel or source */

struct courier_config {
	struct db *db;
	const struct seal_key *seal;
	struct sender *sender;
	struct id_maker *ids;		/* of monitor alerts about what was given up */
	struct shm *shm;		/* NULL: nobody counts */
	struct channel_house house;
	uint32_t timeout_ms;		/* for an answer */
	ms_t link_ms;			/* life of the links that messages carry; 0: none do */
	bool late;			/* cron: takes what has failed its quick attempts, and what no dispatcher took in time; else the rest */
};
/* Of the configuration; the texts are its. */
struct channel_house courier_house(const struct conf *c);

struct courier;
struct courier *courier_new(const struct courier_config *c);
/* What is claimed comes back when its lease ends. After sender_free, or when nothing is under way. */
void courier_free(struct courier *c);

/* Claims what is due, of targets with room, and begins to send it. */
bool courier_take(struct courier *c, ms_t now, struct err *e) MUST_USE;
size_t courier_busy(const struct courier *c);	/* claimed and without a stored result */
/* Begins what there is room for now, and stores the results there are, unless others are to come within some milliseconds: then call it again. */
bool courier_settle(struct courier *c, ms_t now, struct err *e) MUST_USE;
/* Gives back what has not begun, and stores the results there are: the end is near. */
bool courier_release(struct courier *c, ms_t now, struct err *e) MUST_USE;

struct courier_tally {
	uint64_t sent, failed, dead;	/* since courier_new */
};
struct courier_tally courier_tally(const struct courier *c);
struct carrier courier_carrier(struct courier *c);

/* ---- exporter.c ---- */

struct exporter_config {
	const struct conf *conf;	/* its endpoint is set */
	struct spans *spans;
	struct sender *sender;
	struct shm *shm;
};
struct exporter;
struct exporter *exporter_new(const struct exporter_config *c);
void exporter_free(struct exporter *x);	/* what is not delivered is lost and counted; after sender_free */
struct carrier exporter_carrier(struct exporter *x);

/* ---- dispatch.c ---- */

struct dispatch {
	struct sender *sender;
	struct shm *shm;		/* its bell tells of new rows */
	const struct carrier *carriers;
	size_t carrier_n;
	const volatile sig_atomic_t *stop;
	int64_t drain_ms;		/* what is under way when it is to stop may take so long */
};
/* Until it is to stop. A database that is away is waited for; results are kept meanwhile. */
void dispatch_run(const struct dispatch *d);

#endif
