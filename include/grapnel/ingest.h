/* ingest.h - the pipeline: an array of whole requests in, an array of answers out. One request is an array of one.
 *
 *	find -> gate -> prove -> map -> store (claim ids, lock keys, decide, write; one transaction) -> answer
 *
 * Each stage goes over the array once, refuses the items it must refuse and never looks back. Nothing reads the database inside
 * a loop over the array. An answer that says "accepted" is there only after the commit, or after the fsync of the spool where the
 * database is away. The caller brings requests from wherever they come; HTTP is not known here. */
#ifndef GRAPNEL_INGEST_H
#define GRAPNEL_INGEST_H

#include "grapnel/base.h"
#include "grapnel/crypto.h"
#include "grapnel/db.h"
#include "grapnel/provider.h"
#include "grapnel/shm.h"
#include "grapnel/spool.h"
#include "grapnel/trace.h"

#define INGEST_BATCH_MAX SHM_IN_HAND	/* requests of one call */
#define INGEST_EVENTS_MAX 10000		/* events of one request: twice the largest real batch (Event Grid, 5000) */
#define INGEST_REFUSED_BODY (64 * 1024)	/* kept of a refused request */
#define INGEST_REFUSED_PER_HOUR 1000	/* refused requests kept for each source and hour; more are counted only */
#define INGEST_DERIVED_MS (10 * MS_PER_MINUTE)	/* a derived event id marks a redelivery this long */
#define INGEST_CACHE_MAX 1000		/* sources in the cache of a worker */
#define INGEST_CACHE_FRESH_MS (5 * MS_PER_MINUTE)
#define INGEST_RETRY_AFTER_S 5		/* told to senders while the database does not answer */

struct ingest_config {
	struct db *db;
	struct shm *shm;
	const struct seal_key *seal;
	struct id_maker *ids;
	unsigned slot;			/* of this worker: in shm, and its row of source_stats is ids->worker */
	size_t events_max;		/* events of one transaction; a larger request runs alone */
	const char *public_url;
	const struct key_store *keys;	/* certificates and key sets for proofs, or NULL */
	struct spool *spool;		/* or NULL: what cannot be stored is refused with 503 */
	struct spans *spans;		/* or NULL: none are made */
	bool verify_signatures, rate_limit, debug;
	uint32_t remote_per_minute;	/* failed proofs of one remote address */
	unsigned waiting_max;		/* workers of this host that may wait for handlers at once */
	ms_t waiting_ms;		/* for so long at most */
};

struct ingest;
struct ingest *ingest_new(const struct ingest_config *c);
void ingest_free(struct ingest *g);
/* Fills the source cache; a database that is away is no error. */
void ingest_preload(struct ingest *g, ms_t now);

/* Between batches, about once a second: keeps the cache warm, so that no sender waits for it, and replays the spool, a batch at each
 * call. True: there is more of it, so call again soon. */
bool ingest_tick(struct ingest *g, ms_t now);

/* Is this a path of the pipeline? Then *body_max is the most its body may have. Touches nothing. */
bool ingest_path(struct str method, struct str path, size_t *body_max);

/* Events of a request that are stored and whose sender is to be told what their handler says. They are the caller's until `until`; after that
 * whoever forwards takes them. */
#define INGEST_LATER_MAX 5		/* events; a request with more is not waited for */
struct ingest_later {
	uint64_t source_id, request_id;
	uint64_t events[INGEST_LATER_MAX];
	size_t n;			/* 0: nothing to wait for */
	const struct span *receive;	/* to be ended and written by who answers; NULL: it is not traced */
	int place;			/* of shm: to be left by place_leave */
	ms_t until;
};

struct ingest_item {
	/* given */
	struct inbound in;		/* doc NULL, content_type set */
	struct str remote_addr;
	struct str trace;		/* X-Request-Id */
	struct str traceparent;
	bool trace_made;		/* the sender brought none, or a bad one: this one may be made anew */
	bool may_wait;			/* its sender can be answered later: see `later` */
	bool too_large, too_short;	/* the body was over body_max (and is empty), or not what Content-Length said */
	int64_t began_us;		/* clock_mono_us at receipt */
	/* Of a test webhook: marked so in everything it leaves, no error of the source; allow list and buckets are not for it. */
	bool is_test;
	bool is_quiet;			/* nobody is told of what it opens */
	bool proof_waived;		/* only its provider could sign it */
	struct str test_key;		/* dedup key instead of the provider's, so that it joins no real incident */
	const struct spool_record *spooled;	/* out of the spool: accepted, proven and answered at its receipt; or NULL */
	/* returned */
	struct answer answer;		/* with `later`: when the handler has taken all */
	struct answer queued;		/* with `later`: when nobody can wait */
	struct ingest_later later;
	struct rate_result rate;	/* of the source's bucket; limit 0 = nothing to tell */
	/* the pipeline's own */
	struct ingest_work *work;
};

/* Answers every item. Everything lives in `a`. n <= INGEST_BATCH_MAX. */
void ingest_run(struct ingest *g, struct arena *a, struct ingest_item *items, size_t n, ms_t now);

/* ---- replay.c: what was spooled goes through the pipeline ---- */

struct ingest_replayed {
	uint64_t stored, known;	/* known: their transaction was committed after all */
	uint64_t bad;		/* records that could not be read or stored */
	uint64_t bad_files;	/* moved to bad */
	uint64_t stuck_files;	/* done with, and cannot be removed or moved to bad: they are read again by the next reader */
};
/* Replays a batch of the oldest records and adds to *sum. 1 there may be more, 0 that was all; -1 the database failed: nothing is lost,
 * so free the reader and begin anew later. */
int ingest_replay(struct ingest *g, struct spool_reader *r, struct arena *a, ms_t now, struct ingest_replayed *sum, struct err *e) MUST_USE;

/* ---- test.c: "Send test" ---- */

struct ingest_tested {
	unsigned status;		/* what a sender would have been told; below 300: all went well */
	const char *reason;		/* why it was refused; else NULL */
	const struct provider *provider;
	bool signed_by_us;		/* false: only the provider can sign (RSA, JWT) */
	uint64_t request;
	/* where all went well */
	uint64_t event, alert, incident;	/* alert, incident 0: the source opens none */
	bool is_duplicate;
	struct str title, native_severity, service;	/* service: name of the one used */
	enum level level;
};
/* Sends the provider's own test webhook through the whole pipeline, signed with the newest secret of the source, or with its key where
 * that is the proof; or `as` (not NULL), a request that the provider once made, as if it came to this source. Nobody is told of the incident that it opens but
 * with `notify`: then channels and endpoints are, never who would be paged. 1 done, however it went; 0 no such source; -1 failed: ERR_CONFLICT tells that the source is switched off. */
int ingest_test(struct ingest *g, struct arena *a, uint64_t tenant_id, struct str source_id, const struct inbound *as,
	bool notify, struct str remote_addr, struct str trace, ms_t now, struct ingest_tested *out, struct err *e) MUST_USE;

/* ---- dry.c: a request in hand, without a database ---- */

struct ingest_dry {
	struct refusal refusal;		/* status 0: it is taken */
	struct answer answer;		/* what its sender would be told */
	bool handshake;
	const struct event **events;
	size_t event_n;
};
/* What the request would become, were it proven: method, size, body, handshake, events, answer. Needs nothing but memory. */
void ingest_dry(struct arena *a, const struct provider *p, const struct inbound *in, struct ingest_dry *out);

#endif
