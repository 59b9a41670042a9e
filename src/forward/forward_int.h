/* forward_int.h - rounds of attempts, and who does what with them.
 *
 * A *round* is what one claim brought: events of one handler, held together under one owner and lease. Its attempts begin as there is room,
 * at most FORWARD_IN_FLIGHT to the handler; what has ended is stored together; what has not begun is given back when the breaker opens.
 * A forwarder that is killed leaves its rounds held until their lease ends, and then anybody takes them. */
#ifndef FORWARD_INT_H
#define FORWARD_INT_H

#include "grapnel/forward.h"

#define ROUND_ARENA_MAX ((size_t)4 << 20)

enum attempt_state { ATTEMPT_WAITS, ATTEMPT_UNDER_WAY, ATTEMPT_ENDED, ATTEMPT_SETTLED };

struct attempt {
	struct round *round;
	struct forward_end end;
	enum attempt_state state;
	struct arena *arena;		/* of body and result, from its begin to its being settled */
	size_t bytes;
	int64_t began_us, ended_us;
};

struct round {
	struct round *next;
	struct forwarder *f;
	struct arena *arena;
	struct forward_target target;
	struct forward_claimer by;
	uint64_t failures;		/* the handler's, as the breaker knew them */
	bool probe;			/* ours, and it has asked nobody yet */
	bool refused;			/* the breaker is open, and its probe is not ours */
	struct attempt *attempts;
	size_t n, begun, under_way, settled;
};

struct forwarder {
	struct forward_config c;
	struct round *rounds;
	size_t under_way;		/* requests */
	size_t bytes;			/* of their bodies */
	struct forward_tally tally;
};

/* ---- attempt.c: one request ---- */

/* False: the database failed, and nothing was begun. */
bool attempt_begin(struct attempt *t, ms_t now, struct err *e) MUST_USE;
/* An end without a request. */
void attempt_end_unsent(struct round *r, size_t i, enum forward_outcome outcome, struct str error, ms_t now);

/* ---- rounds.c: claiming and beginning ---- */

struct round *round_new(struct forwarder *f);
void round_free(struct round *r);
/* 1 there is a target, 0 there is nothing to do with that source any more but to drop its rows, -1 failed. */
int round_find_target(struct round *r, uint64_t source_id, ms_t now, struct err *e) MUST_USE;
/* Whoever gets the probe sends one event; a breaker is not asked where nothing would be sent. 1, 0, -1. */
int round_may_send(struct round *r, const struct breaker *b, ms_t now, struct err *e) MUST_USE;
/* A probe that has asked nobody is due again: the next one does, and not only when the lease is over. */
bool round_leave_probe(struct round *r, ms_t now, struct err *e) MUST_USE;
void round_hold(struct round *r, ms_t now);	/* from then on, for the length of a lease */
/* Takes over what was claimed. */
void round_start(struct round *r, const struct forward_claim *claims, size_t n, ms_t now);
/* A round of what is due of that handler, if there is room. */
bool rounds_take(struct forwarder *f, const struct forward_source *s, ms_t now, struct err *e) MUST_USE;
/* Begins what waits, as far as there is room. */
bool rounds_begin(struct forwarder *f, ms_t now, struct err *e) MUST_USE;

/* ---- results.c: storing what came of it ---- */

bool round_settle(struct round *r, ms_t now, struct err *e) MUST_USE;
/* Handlers that began to fail are asked no more. */
bool round_heed_breaker(struct round *r, ms_t now, struct err *e) MUST_USE;
void round_give_back(struct round *r, ms_t now);	/* what has not begun */
/* All rounds; those that are whole go. */
bool rounds_settle(struct forwarder *f, ms_t now, struct err *e) MUST_USE;

#endif
