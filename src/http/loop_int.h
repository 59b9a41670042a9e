/* loop_int.h - what the parts of a worker's loop share: the connections and the stages they go through.
 *
 *	STAGE_FRESH   nothing taken from the socket yet; its bytes are only looked at
 *	STAGE_SLOW    its bytes are moved into a memfd as they come
 *	STAGE_READY   whole: waits for the next batch
 *	STAGE_SENDING its answer is in a memfd and goes out as the peer takes it
 *
 * FRESH goes to READY at once when the whole request was in the socket (nearly always), else over SLOW. */
#ifndef GRAPNEL_HTTP_LOOP_INT_H
#define GRAPNEL_HTTP_LOOP_INT_H

#include <fcgiapp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/types.h>

#include "deadline_int.h"
#include "grapnel/http.h"
#include "records_int.h"

enum stage { STAGE_FREE, STAGE_FRESH, STAGE_SLOW, STAGE_READY, STAGE_SENDING };

struct connection {
	struct connection *next;	/* in the free list or the ready list */
	int fd;
	int memfd;			/* what has come so far, from position 0; -1 in STAGE_FRESH */
	enum stage stage;
	bool polled;			/* epoll knows it, */
	uint32_t polled_for;		/* for these events */
	bool classified;
	bool passed;			/* came from an ingest worker */
	bool noted;			/* handed over: its body is a note of the worker before this one */
	bool stays;			/* could not be passed on: served here whatever its lane */
	bool too_large;			/* body over body_max */
	bool drop;			/* the body is read and dropped; memfd holds the parameters and an empty body */
	bool body_short;
	uint8_t peeks;			/* looks that showed a part */
	uint16_t refuse;		/* HTTP status the loop answers by itself; 0 = the handler's business */
	enum lane lane;
	size_t body_max;		/* bytes, from classify */
	uint64_t body_n;		/* bytes of body to read, known in STAGE_READY */
	uint64_t weight;		/* the most they can become: what the batch counts */
	uint64_t stored, dropped;	/* bytes in memfd; bytes of body not kept */
	int64_t began_us;
	struct records records;		/* STAGE_SLOW */
	struct deadline progress;	/* in loop.silent, .stalled or .answers */
	struct deadline total;		/* in loop.uploads */
	int answer_fd;			/* STAGE_SENDING: the framed answer */
	off_t answer_at, answer_n;	/* sent so far; all of it */
	off_t answer_mark;		/* answer_at from which the next delay is granted */
};

/* One request of the running batch. */
struct exchange {
	struct request request;
	struct connection *connection;
	FCGX_Request fcgx;
	bool failed;			/* the peer is gone: no answer */
};

struct loop {
	const struct http_worker *w;
	int epoll_fd;
	struct connection *table, *free;
	struct connection *ready, **ready_end;
	size_t ready_n, waiting_n, sending_n;
	size_t held;			/* bytes in memfds of requests and answers together */
	struct deadlines silent, stalled;	/* nothing came yet; a part came */
	struct deadlines uploads, answers;
	struct records peeked;		/* walked anew with each look */
	char *buffer;			/* HTTP_PEEK_MAX bytes */
	struct exchange *exchanges;	/* batch_max of them */
	struct request **requests;
	struct arena *arena;
	size_t direct_max;		/* bytes of body that go straight into the socket buffer */
	bool listening, receiving;	/* epoll watches listen_fd, pass_fd */
	bool draining;
	bool backlog_left, queue_left;	/* while draining: there may be more to take */
	int64_t now_us;			/* of this turn */
	int64_t accept_after_us;	/* no descriptor was free: not before then */
	int64_t drain_since_us, tick_at_us;
	struct connection **fresh;	/* accepted in this turn, batch_max at most */
	struct epoll_event *events;
	int event_max;
	sigset_t waiting_mask;		/* signals let in while waiting, and only then */
	pid_t parent;
};

/* ---- connection.c ---- */

/* Takes over fd (and memfd, the beginning of its bytes, or -1), began_us, passed and noted of `in`. NULL: no place left; the descriptors stay
 * the caller's. */
struct connection *connection_take(struct loop *l, const struct connection *in);
/* Reads what is there and moves it on: to READY, to the web pool, or to its end. `events` are epoll's. */
void connection_gate(struct loop *l, struct connection *c, uint32_t events);
/* Its time is over. What was only drained is answered now. */
void connection_expire(struct loop *l, struct connection *c);
void connection_send(struct loop *l, struct connection *c);	/* STAGE_SENDING: as much as the peer takes */
void connection_close(struct loop *l, struct connection *c);
void connection_ready(struct loop *l, struct connection *c);

/* ---- pass.c: connections between the pools ---- */

/* False: the queue is full or nobody reads it. The descriptors stay open here in any case. */
bool pass_send(int pass_fd, const struct connection *c);
bool pass_receive(int pass_fd, struct connection *out);	/* false: none waits. Fills fd, memfd, began_us, passed, noted */

/* ---- hand_over.c: an answer that another worker will give ---- */

/* False: nobody can take it; the exchange is as it was. */
bool exchange_hand_over(struct loop *l, struct exchange *x);

/* ---- request.c: between libfcgi and struct request ---- */

void exchange_read(struct loop *l, struct exchange *x);
void exchange_answer(struct loop *l, struct exchange *x);
/* Frees libfcgi's part; then closes the connection or goes on sending. */
void exchange_end(struct loop *l, struct exchange *x);

/* ---- response.c ---- */

/* The CGI header block, with the empty line. */
struct str response_head(struct request *rq);
bool response_has_body(const struct request *rq);	/* not for HEAD, 204, 304 */

/* ---- loop.c ---- */

bool loop_poll(struct loop *l, struct connection *c, uint32_t events);

#endif
