/* forward.h - the action `forward`: events are posted to the handler of their source, signed, and its answer decides what becomes of them.
 *
 * 2xx: processed. Anything else: failed, and again after the source's backoff, until its attempts are used up: dead, with a monitor alert. A
 * handler that fails five times in a row is left alone by its breaker; meanwhile nothing is sent and no attempt used.
 *
 * A forwarder claims (store/forward.c), sends (fetch/send.c) and stores results; it never waits by itself, so that whoever runs it decides how long:
 *	cron's job and the dispatcher	forwarder_take, sender_turn, forwarder_settle, and again
 *	a web worker			forwarder_now, for an event somebody waits for
 * Any number of them run at once, on all hosts of a database. At most FORWARD_IN_FLIGHT requests of one forwarder go to one handler at a time, so
 * that one which hangs holds up nobody else. */
#ifndef GRAPNEL_FORWARD_H
#define GRAPNEL_FORWARD_H

#include "grapnel/base.h"
#include "grapnel/crypto.h"
#include "grapnel/db.h"
#include "grapnel/fetch.h"
#include "grapnel/shm.h"
#include "grapnel/store.h"
#include "grapnel/view.h"

#define FORWARD_IN_FLIGHT 5		/* to one handler */
#define FORWARD_BYTES_MAX (64u << 20)	/* of bodies in flight; a larger one goes alone */
#define FORWARD_CLAIM 25		/* of one handler at once: five rounds of timeouts are below the lease */

struct forward_config {
	struct db *db;
	const struct seal_key *seal;
	struct sender *sender;
	struct id_maker *ids;
	struct shm *shm;		/* NULL: nobody counts */
	uint32_t timeout_ms;		/* for an answer */
};

struct forwarder;
struct forwarder *forwarder_new(const struct forward_config *c);
/* What is claimed comes back when its lease ends. After sender_free, or when nothing is under way. */
void forwarder_free(struct forwarder *f);

/* Claims events whose time has come, of handlers with room, and begins to send them. */
bool forwarder_take(struct forwarder *f, ms_t now, struct err *e) MUST_USE;
size_t forwarder_busy(const struct forwarder *f);	/* claimed and without a stored result */
/* Stores the results there are, and begins what there is room for now. */
bool forwarder_settle(struct forwarder *f, ms_t now, struct err *e) MUST_USE;
/* Gives back what has not begun: the end is near. */
bool forwarder_release(struct forwarder *f, ms_t now, struct err *e) MUST_USE;

struct forward_tally {
	uint64_t processed, failed, dead;	/* since forwarder_new */
};
struct forward_tally forwarder_tally(const struct forwarder *f);
struct carrier forwarder_carrier(struct forwarder *f);

/* Sends these events of one source now, whatever their turn, and waits for the handler: at most the timeout, while
 * n <= FORWARD_IN_FLIGHT. Says of each what became of it. */
struct forward_result {
	uint64_t event_id;		/* given */
	bool taken;			/* false: somebody else has it, or it is settled */
	bool refused;			/* the breaker lets nothing through until somebody's probe has come back; given back as it was */
	bool processed;
	struct str error;		/* else: why not, a sentence */
};
bool forwarder_now(struct forwarder *f, struct arena *a, uint64_t source_id, struct forward_result *events, size_t n, struct err *e) MUST_USE;

/* What a handler gets: the event as GET /api/events/{id} tells it, without what changes from attempt to attempt, and its payload. */
extern const struct field forward_body_fields[];
struct str forward_body(struct arena *a, const struct event_view *v, const struct request_view *rq);

#endif
