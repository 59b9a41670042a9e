/* outbound_int.h - what the courier carries: a row of the outbox of one kind each. */
#ifndef OUTBOUND_INT_H
#define OUTBOUND_INT_H

#include "grapnel/outbound.h"

/* A round may last a minute, in which what it knows of its target may change: it is asked again. */
#define FRESH_MS MS_PER_SECOND

struct parcel;

/* What one claim brought: rows of one target under one lease. */
struct round {
	struct round *next;
	struct courier *courier;
	const struct cargo *cargo;
	struct arena *arena;		/* of rows, requests and results; goes with the last of them */
	uint64_t target_id, owner;
	ms_t lease_until;
	struct parcel *parcels;
	size_t n, begun, under_way, settled;
	uint64_t failures;		/* of the target in a row, as its breaker knows them */
	bool probe;			/* of a breaker that is open: one row, and it has asked nobody yet */
	void *target;			/* the cargo's own, of `open` */
};

enum parcel_state { PARCEL_WAITS, PARCEL_UNDER_WAY, PARCEL_ENDED, PARCEL_SETTLED };

struct parcel {
	struct round *round;
	struct outbox_row row;
	enum parcel_state state;
	struct message message;		/* of notifications */
	struct str refusal;		/* of `open`: why it is never sent; empty: it may be */
	bool once;			/* what may have been taken is not sent again */
	ms_t asked;			/* when the channel or endpoint that it was sent to had changed last */
	/* what came of it */
	ms_t at;
	int64_t began_us;
	uint64_t duration_ms, retry_after_s;
	unsigned status;
	struct str body;		/* of the answer, as text */
	enum reception reception;
	struct str error;		/* empty: it was taken */
	struct str answer;		/* of it, what is worth to be kept in the row */
};

/* A kind of row. How to add: a file whose foot is one of these, and a line in `cargos` of courier.c. */
struct cargo {
	enum outbox_kind kind;
	unsigned attempts_max;		/* unless the row says otherwise */
	size_t places;			/* none begins when so many requests are under way, of all kinds: one of SEND_..._MAX */
	uint64_t breaker;		/* enum breaker_kind: whose targets are left alone when they fail; 0: none */
	/* What all of a round need to know of their target. False: the database failed. */
	bool (*open)(struct round *r, struct err *e);
	/* Optional: is there no use in sending it any more? It ends, and that is no failure. */
	bool (*is_unneeded)(const struct parcel *p, ms_t now);
	/* Optional: not to be sent before then, at most an hour ahead; 0: now. No attempt is counted. */
	ms_t (*hold)(const struct parcel *p, ms_t now);
	/* Fills `out` but for done and ctx, and p->once; false: *why it is never sent, a sentence. */
	bool (*request)(struct parcel *p, ms_t now, struct send *out, struct str *why);
	/* Of an answer: sets reception, error, answer. */
	void (*judge)(struct parcel *p);
	/* A step of the transaction that stores the result. */
	bool (*note)(struct db *db, struct parcel *p, ms_t now, struct err *e);
};
/* For note: what was given up may have been the last hope of a step of an escalation policy. */
bool parcel_escalates(struct db *db, struct parcel *p, struct str whom, ms_t now, struct err *e) MUST_USE;
extern const struct cargo cargo_notification, cargo_delivery, cargo_confirmation, cargo_page;

/* ---- links.c ---- */

/* Into p->message, where it is about an incident that can be acknowledged or resolved: of a message to a user's contact, or to a channel (contact 0). */
void parcel_links(struct parcel *p, enum incident_link_to to, uint64_t recipient, uint64_t contact);

/* ---- digest.c, publication.c: rows that say only where what they tell is found. False: the database failed ---- */

bool digests_open(struct round *r, struct err *e) MUST_USE;
/* Those whose payload's member `key` is `word`. */
bool publications_open(struct round *r, const char *key, const char *word, struct err *e) MUST_USE;

/* ---- otlp.c ---- */

#define OTLP_HEADERS_MAX 20
#define OTLP_HEAD_MAX 4096
#define OTLP_SPAN_MAX 2560	/* each text escaped to six times its size */

struct otlp_resource {
	struct str service, instance, host;
};
struct str otlp_body(struct arena *a, const struct otlp_resource *r, const struct span *list, size_t n);
bool otlp_again(unsigned status);	/* may it be tried again? */
uint64_t otlp_rejected(struct arena *a, struct str body, struct str *why);	/* of an answer that took the others */
struct str otlp_url(struct arena *a, struct str endpoint);
/* Of the option tracing.headers. */
size_t otlp_headers(struct arena *a, struct str list, struct header out[OTLP_HEADERS_MAX]);

const struct courier_config *courier_config(const struct courier *c);
/* The row after an attempt: status, next_at, finished_at. Of a delivery that has but the three quick attempts,
 * the last wait passes before it is given up. `chance` is 0..999. */
void parcel_schedule(struct outbox_row *row, enum reception v, unsigned attempts_max, uint64_t retry_after_s, unsigned chance, ms_t now);
/* What a kind of channel made, as it is sent. */
void parcel_fill(struct arena *a, const struct channel_request *rq, struct send *out);
/* By what its kind of channel says of the answer; the error has the first of its words. */
void parcel_judge(struct parcel *p, const struct channel_kind *kind, const struct channel_call *call);
/* "It was answered 503." */
struct str parcel_answered(struct arena *a, unsigned status);
/* The same, and the beginning of what was said: "It was answered 503. Try later." */
struct str parcel_answered_words(const struct parcel *p);

#endif
