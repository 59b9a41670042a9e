/* fetch.h - requests of our own: singly to hosts that the program or the administrator chose (fetch.c), and many at once to addresses
 * that users name (send.c), which are looked at before anything is sent there (guard.c) and signed (sign.c).
 *
 * Everywhere: TLS 1.2 or newer with the host's certificate and name checked; no redirect is followed, no cookie and no password kept.
 * Everything has a limit before it begins: connecting, the whole, the bytes of the answer. */
#ifndef GRAPNEL_FETCH_H
#define GRAPNEL_FETCH_H

#include "grapnel/base.h"
#include "grapnel/net.h"
#include "grapnel/trace.h"

/* ---- fetch.c: one request, for certificates, key sets and the few questions that an adapter asks its provider. It blocks the caller,
 * who says in his own header how that is bounded. Nothing here looks at where a name leads ---- */

struct fetch_config {
	const char *program;	/* User-Agent: "Grapnel/0.1.0" */
	/* Of test instances, else NULL or empty: "host=address:port" with commas between, so that a host is played by a server on loopback,
	 * whose certificate must still be the host's; and a file of further authorities that are trusted. */
	const char *hosts, *authorities;
	bool plain_too;	/* http:// as well: for a person who names the address himself */
};

struct fetch;
struct fetch *fetch_new(const struct fetch_config *c);	/* after the last fork; the texts must live as long */
void fetch_free(struct fetch *f);

struct fetch_request {
	const char *method;		/* NULL = GET */
	struct str url;			/* https://, nothing else unless plain_too */
	const struct header *headers;	/* beside Host and User-Agent */
	size_t header_n;
	struct str body;
	size_t answer_max;		/* bytes of the answer's body */
	unsigned connect_ms, total_ms;
};

struct fetch_answer {
	unsigned status;		/* whatever the host said, redirects too */
	struct str body;
	struct str content_type, cache_control;	/* values of these headers, or empty */
};

/* True: the host answered, and all of it is there, in `a`. ERR_DOWN: no answer (name, connection, certificate, time); ERR_LIMIT: more than
 * answer_max; ERR_INVALID: no such URL. The text says which, without the URL. */
bool fetch_run(struct fetch *f, struct arena *a, const struct fetch_request *rq, struct fetch_answer *out, struct err *e) MUST_USE;

/* A mail server as the administrator chose it: how it is reached, without a mail. */
struct fetch_greeting {
	struct str url;			/* smtp or smtps; its path is our name */
	struct str user, password;	/* user empty: none */
	bool plain;			/* without TLS, else as send_mail */
	unsigned total_ms;
};
/* True: it talks to us and takes the password. Errors as fetch_run; ERR_DENIED: it does not take the password. */
bool fetch_greet(struct fetch *f, struct arena *a, const struct fetch_greeting *x, struct err *e) MUST_USE;

/* ---- guard.c: where our requests may lead that users name. No private, loopback, link-local, metadata or multicast address in any
 * notation, nor one of this host, unless the administrator opened its network; http and https, no user, and only ports that he allows ---- */

struct guard;
/* Lists as in the configuration, which has checked them. */
struct guard *guard_new(const char *allow, const char *ports);
void guard_free(struct guard *g);
bool guard_allows(const struct guard *g, const struct ip *ip);
/* The form of a URL and, where an address stands in it, that address. ERR_INVALID with a sentence for who gave it. */
bool guard_url(const struct guard *g, struct str url, struct err *e) MUST_USE;
bool guard_mail_url(const struct guard *g, struct str url, struct err *e) MUST_USE;	/* the same of a mail server: smtp or smtps, and its ports */
/* The same, and all addresses that its name has now; a name that does not resolve is fine. Waits for the resolver. What counts is
 * looked at again when a connection is made: send.c. */
bool guard_resolve(const struct guard *g, struct str url, struct err *e) MUST_USE;

/* ---- send.c: many requests at once, by addresses that a guard has let pass; connections are kept for the next ---- */

#define SEND_DRAIN_MAX (64 * 1024)	/* of an answer: read, so that its sender sees no broken connection; then it is enough */

#define SEND_HEADERS_MAX (64 * 1024)	/* of an answer's headers: more is no answer */

/* Requests under way at once, of everybody who shares a sender. A receiver that hangs keeps its place until its time-out, and anybody may name many of
 * them, so each kind begins no more once so many are under way, whosever they are: there is always room for what is more urgent. */
#define SEND_MAX 64			/* pages of people */
#define SEND_CHANNELS_MAX 56		/* messages to channels */
#define SEND_PROGRAMS_MAX 44		/* what programs are told: endpoints, handlers, collectors of spans */

struct send_result {
	const char *error;	/* why there is no answer, a sentence; NULL: there is one, perhaps without the end of its body */
	bool hopeless;		/* no answer, nor ever one: the address is not allowed, or is none */
	bool begun;		/* something was sent: without an answer nobody knows whether it was taken */
	unsigned status;	/* whatever the host said, redirects too; of mail the server's last word: 250 */
	struct str body;	/* the first bytes, up to `keep`; of mail that word: "550 5.1.1 no such user" */
	uint64_t retry_after_s;	/* the answer's Retry-After; 0 = none */
	struct str traceparent;	/* as it was sent; empty: none was */
	uint64_t duration_us;
};

/* What a request is sent for: its trace goes on with it, and while spans are made it is told by one. */
struct send_cause {
	struct str traceparent;		/* that it goes on from; empty: a trace begins, but not without spans */
	uint64_t request;		/* our number of what brought that, whose span is the parent; 0: the one that traceparent names is */
	uint64_t event, message;	/* our numbers; 0: none */
	unsigned attempt;		/* from 1 on */
	struct str source, provider;	/* public id and slug; empty: none */
};

struct send {
	struct str url;			/* http or https; of mail smtp or smtps, its path is our name */
	const struct header *headers;	/* beside Host and User-Agent; copied */
	size_t header_n;
	struct str body;		/* posted; must live until `done` */
	bool get;			/* GET, without a body */
	bool trusted;			/* the administrator chose the address: it need not pass the guard */
	bool once;			/* never sent twice: it goes by a connection of its own */
	const struct send_mail *mail;	/* NULL: HTTP; needed by send_begin alone */
	const struct send_cause *cause;	/* NULL: our own business, without a trace; needed by send_begin alone */
	size_t keep;			/* bytes of the answer that `done` wants to see */
	unsigned total_ms;
	void (*done)(void *ctx, const struct send_result *result);	/* may send again */
	void *ctx;
};

/* The body is then the message: headers, empty line, text, lines ended by CRLF. */
struct send_mail {
	struct str from;		/* "a@example.org" */
	const struct str *to;
	size_t to_n;
	struct str user, password;	/* user empty: none */
	bool plain;			/* without TLS; else it is required, from the beginning with smtps, by STARTTLS with smtp */
};

struct sender;
/* After the last fork; guard and text must live as long. */
struct sender *sender_new(const char *program, const struct guard *g);
/* As in fetch_config, for test instances; the texts must live as long as it does. */
void sender_set_hosts(struct sender *s, const char *hosts, const char *authorities);
/* From now on what has a cause is told by spans; they must live as long. NULL: not. */
void sender_set_spans(struct sender *s, struct spans *spans);
/* sender_turn ends early when that can be read. */
void sender_watch(struct sender *s, int fd);
void sender_free(struct sender *s);	/* what is under way is dropped: its `done` is not called */
void send_begin(struct sender *s, const struct send *x);
size_t sender_busy(const struct sender *s);	/* under way */
/* Moves all of them on, waiting at most so long for something to happen, and calls `done` of those that are over. */
void sender_turn(struct sender *s, int wait_ms);
/* What has begun leaves, before something else is waited for. Nothing ends by it: that is for sender_turn alone, so that it never waits where somebody
 * has to be heard first. */
void sender_push(struct sender *s);

/* Who has work for a sender: takes what is due under a lease and begins to send it, stores what came of it, and gives back what has not begun
 * when the end is near. None of these waits for a receiver; `busy` counts what is taken and without a stored result. */
struct carrier {
	void *ctx;
	bool (*take)(void *ctx, ms_t now, struct err *e);
	bool (*settle)(void *ctx, ms_t now, struct err *e);
	bool (*release)(void *ctx, ms_t now, struct err *e);
	size_t (*busy)(const void *ctx);
};

/* ---- sign.c: how receivers know that a request is ours ---- */

#define SIGN_HEADERS 6
/* Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature, where a secret that begins with whsec_ is the base64 behind it and any other is its
 * bytes; and X-Webhook-Event, X-Webhook-Delivery (the id) and X-Webhook-Signature, sha256=HEX of the body under the secret's text.
 * Without a secret those two signatures are left out. `old`: the secret before it, while receivers may not know the new one; webhook-signature then
 * has both. Returns how many. */
size_t sign_headers(struct arena *a, struct str secret, struct str old, struct str id, struct str event, struct str body, ms_t now,
	struct header out[SIGN_HEADERS]);

#endif
