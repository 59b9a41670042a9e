/* fetch.h - one HTTPS request of our own, to an address that the program or the administrator chose.
 *
 * TLS 1.2 or newer with the host's certificate and name checked; no redirect is followed, no cookie and no password kept.
 * Everything has a limit before it begins: connecting, the whole, the bytes of the answer. It blocks the caller, who says in his
 * own header how that is bounded. For certificates, key sets and the few questions that an adapter asks its provider; not for
 * addresses that strangers name: nothing here looks at where a name leads. */
#ifndef GRAPNEL_FETCH_H
#define GRAPNEL_FETCH_H

#include "grapnel/base.h"

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

#endif
