/* http.h - FastCGI in, whole requests out: the event loop of a worker, the master of all workers, the router.
 *
 * The loop never blocks on a peer. Its own accept4 on the non-blocking listening socket; a connection is *gated*: it joins a
 * batch only when its whole request is there (6-quality.md rule 1). Two ways to get there:
 * - fast: recv(MSG_PEEK) shows all FastCGI records up to the empty STDIN record; libfcgi then reads them from the socket
 *   and cannot block;
 * - slow: anything else is moved as it comes into a memfd, records counted on the way; when whole, libfcgi reads the
 *   memfd. So a stalled, silent or huge request costs a file descriptor and its own bytes, never a worker.
 * Answers go the other way round: libfcgi writes the framing, small ones straight into the empty socket buffer, others into a
 * memfd that the loop sends as the peer takes it. All answers of a batch are written, then the connections are shut
 * and closed (FCGX_Finish_r would linger up to 2 s each). */
#ifndef GRAPNEL_HTTP_H
#define GRAPNEL_HTTP_H

#include "grapnel/base.h"
#include "grapnel/shm.h"

/* ---- limits, each with its reason ---- */
#define HTTP_PARAMS_MAX (64 * 1024)	/* all FastCGI parameters of one request: web servers stop at 8 to 64 KiB of headers */
#define HTTP_HEADERS_MAX 128		/* headers of one request */
#define HTTP_PEEK_MAX (64 * 1024)	/* what surely fits a Unix socket buffer; more goes the slow way */
#define HTTP_SLOW_BYTES_MAX (96u << 20)	/* slow requests of one worker together; beyond it new ones are answered 503 */
#define HTTP_DRAIN_MAX (32u << 20)	/* of a refused body: read and dropped, else Apache turns the 413 into a 503. More than any provider's body_max,
					 * so that one byte too many is always told; it costs no memory */
#define HTTP_BACKLOG 4096
#define HTTP_REST_MAX_US 250000		/* whoever waits for this worker alone hardly notices */

enum pool {
	POOL_INGEST, POOL_WEB, POOL_BOTH,
	POOL_DISPATCH,	/* has no socket: a process that the master starts, watches and ends as the others. The last of a list */
};

struct response {
	unsigned status;		/* 0 until the handler sets it; the loop turns 0 into 500 */
	const char *content_type;	/* NULL = application/json */
	struct str body;		/* in the request's arena */
	struct header headers[12];	/* name as it is to appear; first empty one ends */
};

struct request {
	struct arena *arena;		/* of the batch: all requests of one call of `handle` share it */
	struct str method, uri;		/* "POST", REQUEST_URI as sent (never PATH_INFO: Apache and lighttpd differ) */
	struct str path, query;		/* split of uri, not decoded */
	struct header *headers;		/* HTTP_* and CONTENT_TYPE, names lower case with '-' */
	size_t header_n;
	struct str content_type;	/* media type alone, lower case */
	struct str body;		/* raw */
	bool body_too_large;		/* over the limit that `classify` gave: body is empty, the rest was drained */
	bool body_short;		/* CONTENT_LENGTH said otherwise than STDIN brought */
	bool passed;			/* an ingest worker had it first */
	bool keep_asked;		/* the web server wanted to use the connection again; we close it all the same */
	struct str remote_addr;		/* the web server's REMOTE_ADDR */
	bool https;
	char id[65];			/* X-Request-Id taken over if it is 1..64 of [A-Za-z0-9._-], else a new UUIDv7 */
	struct str traceparent;		/* W3C, taken over when valid, else made, sampled */
	bool trace_made;
	ms_t received_at;		/* wall clock when it was whole */
	int64_t began_us;		/* monotonic, when it was accepted */
	struct response response;
	/* A handler that must not wait sets `later` instead of waiting: the connection goes to a web worker (or, where there is but one
	 * pool, to a later turn), whose handler finds these bytes in `note` and answers. If nobody can take it, `response` is sent. */
	struct str later, note;
	void *connection;		/* the loop's own */
};

struct str request_header(const struct request *rq, const char *name);	/* lower-case name; empty when absent */
/* Whoever asks has it: his If-None-Match names this ETag, which is in quotes (RFC 9110, section 13.1.2: weakly, what compressed an answer may have changed it). */
bool request_has(const struct request *rq, struct str etag);
void response_header(struct request *rq, const char *name, struct str value);	/* value must outlive the answer; CR, LF cut it */
void response_json(struct request *rq, unsigned status, struct str json);
/* {"error":code,"message":message[,"field":field]} */
void response_error(struct request *rq, unsigned status, const char *code, const char *message, const char *field);
/* Of that table: what an error is for HTTP, and in a sentence for the caller. */
unsigned err_status(enum err_code code);
const char *err_sentence(enum err_code code);
/* Was the text written for the caller? Where a field is to blame, it speaks of what he sent. */
bool err_is_told(const struct err *e);
/* That text as a sentence, else the sentence of the code. */
const char *err_told(struct arena *a, const struct err *e);
/* The one table from error code to HTTP status, code word and sentence; e->text goes to the log only. */
void response_err(struct request *rq, const struct err *e);

/* ---- the loop of one worker ---- */

enum lane { LANE_HERE, LANE_WEB };	/* LANE_WEB: hand the connection to the web pool, if there is one */

struct http_handler {
	void *ctx;
	/* As soon as the parameters are there: which pool, and how large the body may be. Must be quick and touch no database. */
	enum lane (*classify)(void *ctx, struct str method, struct str uri, size_t *body_max);
	/* Answers each of the n whole requests by filling its response. Called with 1 <= n <= batch_max, at most batch_bytes of bodies
	 * together, packed ones counted as large as they can become (a larger one comes alone, and so does one with a note). The arena is reset when all is written. */
	void (*handle)(void *ctx, struct request **rq, size_t n);
	/* About once a second, between batches; may be NULL. True: it has more to do, so it is called again after the next batch, or at
	 * once where none waits. */
	bool (*tick)(void *ctx, ms_t now);
	/* After each batch is answered: microseconds to leave the machine to others, at most HTTP_REST_MAX_US; may be NULL. */
	int64_t (*rest_us)(void *ctx);
};

struct http_limits {
	size_t batch_max, batch_bytes;
	size_t connections_max;		/* gated and waiting, per worker */
	int64_t request_ms;		/* a request that is not whole, without progress; then closed */
	int64_t upload_ms;		/* the same, in all */
	int64_t response_ms;		/* a peer that does not take its answer */
};

struct http_worker {
	int listen_fd;			/* non-blocking listening socket, or -1 */
	int pass_fd;			/* SOCK_SEQPACKET pair: ingest workers send connections, web workers receive; or -1 */
	enum pool pool;
	const struct http_limits *limits;
	const struct http_handler *handler;
	struct shm *shm;
};

/* Serves until SIGTERM (then finishes what is gated and whole, and returns) or until the master is gone. */
void http_serve(const struct http_worker *w);

/* ---- the master ---- */

struct master_pool {
	enum pool pool;
	const char *socket_path;	/* NULL: takes fd 0 or an inherited one */
	unsigned workers;
	/* Slots of shm and ids: first_slot .. first_slot + workers - 1, all below SHM_WORKERS / 2. After each re-exec `worker` is
	 * called with the other half's slots, since the old workers still drain in theirs. */
	unsigned first_slot;
};

struct master {
	const struct master_pool *pools;
	size_t pool_n;
	unsigned socket_mode;
	struct shm *shm;
	void *ctx;
	/* Runs in the child; returns its exit status. */
	int (*worker)(void *ctx, enum pool pool, unsigned slot, int listen_fd, int pass_fd);
	/* SIGHUP: true = the new configuration is good, go on with the re-exec. */
	bool (*reload_ok)(void *ctx);
	char **argv;			/* for the re-exec */
	int64_t drain_ms;		/* after SIGTERM, then SIGKILL */
};

/* Opens the sockets, or takes inherited ones: LISTEN_FDS/LISTEN_FDNAMES ("ingest", "web") of sd_listen_fds(3), or a listening socket on fd 0
 * (one pool then does both). Forks the workers, restarts what dies (at once, then with backoff from 100 ms doubling to 10 s while
 * they die young), notes what a dead worker had in hand. SIGTERM and SIGINT drain; SIGHUP re-executes itself with the sockets
 * kept open through the same LISTEN_FDS protocol, so that no connection is refused. Returns the exit status. */
int master_run(const struct master *m, struct err *e);

/* ---- router ---- */

#define ROUTE_PARAMS 4

struct route {
	const char *method;		/* "GET": HEAD is served by it too */
	const char *pattern;		/* "/api/events/:id"; fixed words win over parameters */
	unsigned needs;			/* bits of the table's owner: roles, scopes, ... */
	void (*handler)(void *call);	/* the owner's call context */
	const char *summary;		/* one sentence, for OpenAPI */
	const void *doc;		/* what else the table's owner says of it, or NULL */
};

struct route_match {
	const struct route *route;
	struct str params[ROUTE_PARAMS];	/* in the order of the pattern */
};

/* 1 found, 0 no such path, -1 the path exists with other methods: `allow` then lists them ("GET, POST"). The table ends with { 0 }. */
int route_find(const struct route *table, struct str method, struct str path, struct route_match *out, char allow[64]);

#endif
