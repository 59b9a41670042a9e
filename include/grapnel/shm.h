/* shm.h - what all processes of one host share without a lock: rate buckets, the source generation, counters, and what
 * each worker has in hand.
 *
 * A *named* mapping (a file, usually under /run), so that cron and grapnelctl reach it too. Fixed size, fixed layout
 * with a version word; a file of another version is replaced. Every cell is a C11 atomic; nothing here can block, and a
 * process killed in the middle leaves at most one count missing. Losing the file loses limits and counters, never events. */
#ifndef GRAPNEL_SHM_H
#define GRAPNEL_SHM_H

#include "grapnel/base.h"

#define SHM_WORKERS 64		/* slots of processes: both pools together */
#define SHM_IN_HAND 32		/* requests of one batch */
#define SHM_SUSPECTS 256	/* requests that were in hand when a worker died */

struct shm;
/* Opens or makes the file (mode 0660). */
struct shm *shm_open_file(const char *path, struct err *e);
/* Never makes nor replaces it: for programs of another user than the workers', who could not open what was made here.
 * ERR_CONFLICT: of another version. */
struct shm *shm_open_existing(const char *path, struct err *e);
/* Of this process alone, for programs that borrow the pipeline without being one of its workers. */
struct shm *shm_private(void);
void shm_close(struct shm *s);

/* ---- rate: GCRA, one 64-bit time per bucket ----
 * `key` is any 64-bit name of the bucket (0 not allowed); buckets live in an open-addressing table of 65,536 cells; when
 * the neighbourhood is full the longest idle one gives way. `per_minute` 0 = no limit. Burst: the whole minute's share. */
struct rate_result {
	bool allowed;
	uint32_t limit, remaining;
	ms_t reset_at;		/* when the bucket is full again */
	ms_t retry_after_ms;	/* 0 when allowed */
};
struct rate_result rate_take(struct shm *s, uint64_t key, uint32_t per_minute, ms_t now);
/* What rate_take would say, without taking. */
struct rate_result rate_peek(struct shm *s, uint64_t key, uint32_t per_minute, ms_t now);
/* The same with `limit` in a window of another length, at most a day. */
struct rate_result rate_take_in(struct shm *s, uint64_t key, uint32_t limit, ms_t window, ms_t now);
struct rate_result rate_peek_in(struct shm *s, uint64_t key, uint32_t limit, ms_t window, ms_t now);

/* ---- places: how many workers of this host may wait for handlers at once ---- */
#define SHM_PLACES 32
/* One of the first `max`, until then at the latest: what a killed worker held comes free by itself. -1: none is free. */
int place_take(struct shm *s, unsigned max, ms_t now, ms_t until);
void place_leave(struct shm *s, int place, ms_t until);	/* `until` as it was taken with */

/* ---- generation: bumped by whoever changes a source; workers compare before each batch ---- */
uint64_t shm_generation(const struct shm *s);
void shm_generation_bump(struct shm *s);

/* ---- when a process of this host last found the database silent, clock_mono_us ---- */
int64_t shm_silent_us(const struct shm *s);
void shm_silent_set(struct shm *s, int64_t now_us);
/* ---- when the dispatcher of this host last looked for work and could; 0: never ---- */
ms_t shm_dispatcher_at(const struct shm *s);
void shm_dispatcher_set(struct shm *s, ms_t now);
/* ---- the dispatcher's bell: rung by who has committed what it is to send ----
 * An eventfd that the master makes before it forks. Programs that are no children of it have none, and ring in vain: what they
 * write is found half a second later. */
bool bell_make(struct shm *s, struct err *e) MUST_USE;
void bell_ring(struct shm *s);		/* NULL is fine */
int bell_fd(const struct shm *s);	/* to wait for it; -1: there is none */
bool bell_heard(struct shm *s);		/* since the last call */

/* ---- counters, shown by /metrics ---- */
enum counter {
	C_REQUESTS,		/* inbound requests, all */
	C_REQUESTS_2XX, C_REQUESTS_4XX, C_REQUESTS_5XX,
	C_REFUSED_UNKNOWN,	/* unknown source: only counted, never stored */
	C_REFUSED_RATE, C_REFUSED_PROOF, C_REFUSED_BODY,
	C_EVENTS, C_EVENTS_REPEATED, C_EVENTS_INVALID,
	C_INCIDENTS_OPENED, C_INCIDENTS_RESOLVED,
	C_BATCHES, C_BATCH_RETRIES, C_BATCH_SINGLES,
	C_CACHE_HITS, C_CACHE_MISSES,
	C_CONNECTIONS, C_CONNECTIONS_EXPIRED, C_CONNECTIONS_PASSED, C_CONNECTIONS_BAD,
	C_WORKER_DEATHS, C_DB_RECONNECTS, C_API_REQUESTS,
	C_KEY_FETCHES, C_KEY_FETCHES_FAILED,
	C_FORWARDS, C_FORWARDS_FAILED, C_FORWARDS_DEAD,
	C_SPOOLED, C_SPOOL_REFUSED, C_SPOOL_REPLAYED, C_SPOOL_BAD, C_SPOOL_BAD_FILES,
	C_MESSAGES, C_MESSAGES_FAILED, C_MESSAGES_DEAD,
	C_SPANS, C_SPANS_SENT, C_SPANS_DROPPED, C_SPANS_REJECTED,
	C_INGEST_US,		/* sum over requests, receipt to answer */
	COUNTER_COUNT
};
void count(struct shm *s, enum counter c, uint64_t by);
uint64_t counter_read(const struct shm *s, enum counter c);
/* name and help of a counter, as in /metrics: "requests_total" */
const char *counter_name(enum counter c);
const char *counter_help(enum counter c);

/* Keeps at most `max` things per key and hour: true for the first `max`. For refused requests that get stored. */
bool hourly_take(struct shm *s, uint64_t key, uint32_t max, ms_t now);

/* ---- what each worker has in hand: the master copies it to the suspects when a worker dies ---- */
void in_hand_set(struct shm *s, unsigned slot, const uint64_t *prints, size_t n);	/* n <= SHM_IN_HAND; 0 clears */
size_t in_hand_to_suspects(struct shm *s, unsigned slot, ms_t now);		/* number copied */
ms_t worker_last_death(const struct shm *s);	/* 0: none since the file was made */
bool suspect_is(const struct shm *s, uint64_t print, ms_t now);		/* for 10 minutes after the death */

#endif
