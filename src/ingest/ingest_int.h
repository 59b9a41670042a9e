/* ingest_int.h - what the stages share: the work on one request, and the batch around it. */
#ifndef GRAPNEL_INGEST_INT_H
#define GRAPNEL_INGEST_INT_H

#include "grapnel/incident.h"
#include "grapnel/ingest.h"
#include "grapnel/log.h"
#include "grapnel/net.h"
#include "grapnel/store.h"

/* ---- route.c: what the path says ---- */

enum lookup_kind {
	LOOKUP_NONE = 0,
	LOOKUP_ID = 'i',	/* name = public id */
	LOOKUP_KEY = 'k',	/* name = 32 bytes, the SHA-256 of the routing key */
	LOOKUP_DEFAULT = 'd',	/* name = provider slug: the default tenant's default source */
};

struct entrance {
	bool matched;
	const struct provider *provider;	/* NULL: the path names none, or one we do not know */
	enum lookup_kind kind;
	struct str name;
	bool key_in_body;	/* /v2/enqueue */
};

/* Before the key in the URL of VictorOps' REST endpoint. */
#define VICTOROPS_PATH "/integrations/generic/20131114/alert/"
struct entrance entrance_of(struct arena *a, struct str path, struct str query);

/* ---- cache.c: sources in memory ---- */

#define CACHE_NAMES 4

struct cached_source {
	struct live_source s;		/* texts point into this entry's own block */
	const struct provider *provider;
	struct cidr *allowed;
	size_t allowed_n;
	const struct json *settings, *services;
	uint64_t rate_key;		/* of its bucket in shm */
	uint32_t per_minute;		/* in force; 0 = no limit */
	/* the cache's own */
	struct arena *settings_arena;	/* of both */
	char *block;
	size_t block_n;
	uint64_t generation;
	ms_t loaded_at;
	struct cached_source *lru_prev, *lru_next;
	struct cached_source *chain[CACHE_NAMES];	/* by id, by key, by the key before it, by default */
};

struct cache;
struct cache *cache_new(size_t max, const struct seal_key *seal);	/* seal opens settings that are secrets; NULL: none is opened */
void cache_free(struct cache *c);
void cache_put(struct cache *c, const struct live_source *s, uint64_t generation, ms_t now);
/* Fresh or stale: see cache_is_fresh. The pointer lives until the next cache_put or cache_forget. */
struct cached_source *cache_find(struct cache *c, enum lookup_kind kind, struct str name);
bool cache_is_fresh(const struct cached_source *e, uint64_t generation, ms_t now);
void cache_forget(struct cache *c, enum lookup_kind kind, struct str name);
/* Names that do not exist, remembered for a few seconds, so that strangers do not make queries. */
void cache_put_absent(struct cache *c, enum lookup_kind kind, struct str name, uint64_t generation, ms_t now);
bool cache_is_absent(const struct cache *c, enum lookup_kind kind, struct str name, uint64_t generation, ms_t now);

/* ---- the work on one request ---- */

struct plan {			/* of one event */
	struct event *ev;
	uint64_t number;	/* our id of it */
	bool known;		/* its id was claimed before: a repeat */
	const struct plan *twin;	/* the same id earlier in this batch */
	struct repeated before;	/* what is stored of a repeat */
	bool again;		/* a repeat of what failed: its forward runs again */
	struct incident_change change;
	uint64_t incident;	/* 0 = none */
	enum incident_status incident_status;
	uint64_t service_id;	/* of the incident */
	uint64_t alert;		/* 0 = none */
	unsigned char id_hash[KEY_HASH_BYTES];
	unsigned char key_hash[KEY_HASH_BYTES];
	bool for_incident;	/* goes through incident_decide */
};

/* What requests.stages tells of a request, in its order. */
enum stage { STAGE_PROVEN, STAGE_MAPPED, STAGE_DEDUPLICATED, STAGE_ACTED, STAGE_STORED, STAGES };

struct ingest_work {
	struct ingest_item *item;
	struct entrance entrance;
	const struct cached_source *source;	/* NULL: unknown */
	const struct provider *provider;
	bool asked, source_unsure;	/* looked up in the database; which did not answer */
	uint64_t request_number;
	ms_t received_at;		/* now, but for what was spooled */
	struct str raw;			/* the body as it came: what was signed */
	bool inflated;
	bool refused;			/* with `refusal` */
	struct refusal refusal;
	struct refusal body_refusal;	/* why the body could not be opened; takes its turn in the order of checks */
	struct str body_reason, allow;
	bool record;			/* a row of requests is to be written */
	bool challenged;		/* refused to make the sender bring its credentials: kept, but no failure to count */
	bool answered;			/* a handshake: item->answer is the whole answer */
	struct proof_note proof;
	unsigned stages;		/* bits 1 << enum stage of those behind it */
	struct plan *plans;
	size_t plan_n;
	bool stored;			/* its transaction is committed */
	bool to_spool;			/* the database is away: see spool.c */
	bool queued;			/* its sender wanted to wait for the handler, but cannot */
	uint64_t print;			/* what it looks like, for the suspects */
	bool traced;			/* spans tell of it, in `trace` */
	struct trace trace;		/* as its sender has it, or begun here */
	bool proving;			/* it came so far that its proof was looked at */
};

struct batch {
	struct ingest *g;
	struct arena *a;
	struct ingest_work *work;
	size_t n;
	ms_t now;
	int64_t began_us;	/* clock_mono_us */
	int64_t done_us[STAGES];	/* the same, when the batch was done with a stage */
	bool changed_sources;		/* by the transaction in work: see effect.c */
	bool to_send;			/* it has written what the dispatcher is to send */
};

/* A line a second is enough about what fails at each request. */
struct complaint {
	ms_t said_at;
	uint64_t unsaid;		/* requests since then */
};
/* ingest.c: `n` more requests failed. How many did since the last line, or 0 = say nothing. */
uint64_t complaint(struct complaint *c, size_t n, ms_t now);

struct ingest {
	struct ingest_config c;
	struct cache *cache;
	uint64_t preloaded;		/* generation at the last reading of all sources; none is UINT64_MAX */
	uint64_t stamp;			/* live_sources_stamp then */
	ms_t looked_at;			/* last look for changes of other hosts */
	struct arena *mapped;		/* bodies and events of the requests in work, what is written of them, their answers */
	struct arena *scratch;		/* for loading sources: holds secrets, wiped by its reset */
	struct type_names *types;	/* seen in this hour: see tally.c */
	struct complaint database_complaint, spool_complaint;
	/* The database and the spool. */
	int64_t failed_us;		/* when the database failed last, clock_mono_us; 0 = never */
	int64_t silent_us;		/* shm_silent_us, as far as it was heeded */
	int64_t avoid_until_us;		/* it made a batch wait: none waits for it again before */
	int64_t looked_us;		/* last look into the spool */
	struct spool_reader *reader;	/* while this process replays */
	struct arena *replay_arena;
	struct ingest_replayed replayed;
};

/* Refuses one request; the first refusal stays. Returns false. */
bool work_refuse(struct ingest_work *w, unsigned status, const char *code, const char *message);

/* The batch is done with a stage: works [from, to) have it behind them, but for those refused and those without events to store. */
void batch_done(struct batch *b, enum stage stage, size_t from, size_t to);

/* prove.c: OPTIONS, which anybody may send; what comes after it must prove itself. */
bool work_asks(const struct ingest_work *w);
/* prove.c: is that the SHA-256 of the source's key, or of the one before it that is still good? */
bool key_is(const struct cached_source *s, struct str hash, ms_t now);
/* map.c: inflates and parses the body, once; false: w->body_refusal says why. */
bool body_open(struct arena *a, struct ingest_work *w);
/* gate.c: what the request alone tells: method and size. False: w is refused. */
bool work_gate(struct arena *a, struct ingest_work *w);
/* map.c: opens the body, then handshake and events: w->answered, w->plans with their events. False: w is refused. */
bool work_open(struct arena *a, struct ingest_work *w);
/* map.c: the number of the service whose incident the event concerns. */
uint64_t service_of(const struct cached_source *s, const struct event *ev);
/* gate.c: name of the remote address's bucket. */
uint64_t remote_key(struct str remote_addr);

/* ingest.c: as ingest_run, but g->mapped is left to the caller to look at and to empty. */
void ingest_keep(struct ingest *g, struct arena *a, struct ingest_item *items, size_t n, ms_t now);
/* ingest.c: into the cache, with a word about secrets that do not open. */
void cache_put_all(struct ingest *g, const struct live_source *sources, size_t n, uint64_t generation, ms_t now);
/* ingest.c: the database failed, after so long. */
void database_failed(struct ingest *g, int64_t took_us);
bool database_avoided(struct ingest *g);	/* it is not to be asked now */
/* ingest.c: what a request looks like, for the suspects; never 0. */
uint64_t ingest_print(const struct ingest_item *it);

/* ---- the stages, in their order ---- */
void ingest_find(struct batch *b);	/* find.c: path, source */
void ingest_gate(struct batch *b);	/* gate.c: method, size, source, enabled, address, remote bucket */
void ingest_prove(struct batch *b);	/* prove.c: key and signature, then the source's bucket */
size_t ingest_map(struct batch *b);	/* map.c: inflate, parse, handshake, events; of how many works, at least one */
void ingest_store(struct batch *b);	/* store.c: transactions */
void ingest_spool(struct batch *b);	/* spool.c: what the database could not take */
void ingest_answer(struct batch *b);	/* answer.c: refusals that need no row, counters */

/* answer.c: the answer of a request from its refusal or its plans; made before the commit, since its status is stored. */
void work_answer(struct arena *a, struct ingest_work *w);
/* The same answer for all whose transaction failed. */
void work_answer_failed(struct arena *a, struct ingest_work *w, unsigned status);
/* The answer of one that is kept for later: what its events lead to is not known. */
void work_answer_spooled(struct arena *a, struct ingest_work *w);

/* decide.c: from claimed ids and locked keys to the rows that are to be written. */
struct decided {
	struct incident_row *incidents;	/* new and changed */
	size_t incident_n;
	bool any_merged;		/* keys share them */
	struct timeline_row *timeline;
	size_t timeline_n;
	struct news *news;		/* those entries of which somebody may be told */
	size_t news_n;
	struct alert_row *alerts;
	size_t alert_n;
};
/* The keys that the new events of works [from, to) speak of, sorted as they are to be locked. */
struct key_lock *decide_keys(struct batch *b, size_t from, size_t to, size_t *n);
/* merged.c: of locked keys whose incident was merged into another, the key of that one: among them, or one of *more, which are locked then too. */
bool merged_follow(struct batch *b, struct key_lock *keys, size_t n, struct key_lock **more, size_t *more_n, struct err *e) MUST_USE;
void decide(struct batch *b, size_t from, size_t to, struct key_lock *keys, size_t key_n, struct decided *d);

/* store.c: an event's status once its transaction is done. */
enum event_status event_status_at_once(const struct ingest_work *w, const struct event *ev);
/* forward.c: which events of works [from, to) go to their handlers, and who waits for them; after their ids were claimed. */
bool write_forwards(struct batch *b, size_t from, size_t to, struct err *e) MUST_USE;
/* The works are stored, or not: senders of those that are may wait. */
void settle_forwards(struct batch *b, size_t from, size_t to);

/* store.c: all its events were known. */
bool work_repeats(const struct ingest_work *w);
/* store.c: how long its sender waited. */
uint64_t work_took_us(const struct ingest_work *w);
/* replay.c: the turn of a worker. True: there is more. */
bool replay_tick(struct ingest *g, ms_t now);
/* effect.c: what the messages of works [from, to) change in their sources. */
bool write_effects(struct batch *b, size_t from, size_t to, struct err *e) MUST_USE;

/* trace.c: takes up the trace of the request, or begins one; nothing without spans. */
void trace_take(struct ingest *g, struct arena *a, struct ingest_work *w);
/* trace.c: writes the spans of works that have their answers; what is left to who answers later is in `kept`. */
void trace_tell(const struct batch *b, struct arena *kept);
/* trace.c: what goes on with all that the request causes and that knows nothing of its number. */
struct str trace_of_effect(struct arena *a, const struct ingest_work *w);

/* tally.c: what the monitor is told of works [from, to), their last statement. */
bool write_tallies(struct batch *b, size_t from, size_t to, struct err *e) MUST_USE;
struct type_names *type_names_new(void);
void type_names_free(struct type_names *t);

/* record.c: the request as it is kept. */
struct str record_headers(struct arena *a, const struct inbound *in);	/* "name: value" lines, secrets masked */
struct str record_uri(struct arena *a, struct str uri);			/* key and access_token masked, cut at 2048 */
struct str record_stages(const struct batch *b, const struct ingest_work *w, bool repeated);	/* as in requests.stages; now = stored */
struct str record_body(struct arena *a, const struct ingest_work *w);	/* inflated, secrets masked; the first 64 KiB when refused */

#endif
