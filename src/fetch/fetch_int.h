/* fetch_int.h - what the ways to make a request share. */
#ifndef GRAPNEL_FETCH_INT_H
#define GRAPNEL_FETCH_INT_H

#include <curl/curl.h>

#include "grapnel/fetch.h"

/* Lines for CURLOPT_HTTPHEADER; without Expect, for whose answer curl would wait. Never NULL. */
struct curl_slist *fetch_header_list(const struct header *headers, size_t n);
/* What holds for every request: see fetch.h. */
void fetch_set_limits(CURL *c, const char *protocols, unsigned connect_ms, unsigned total_ms);

/* Of fetch_config.hosts, as CURLOPT_CONNECT_TO wants it; NULL: none. */
struct curl_slist *fetch_connect_to(const char *hosts);

/* ---- cause.c ---- */

struct told {			/* of one request */
	struct span span;	/* id 0: none */
	char traceparent[TRACEPARENT + 1];	/* empty: none */
	int64_t began_us;	/* clock_mono_us */
};
void cause_begin(const struct spans *spans, const struct send *x, struct told *out);
/* `failure` is why there is no answer, a word; NULL: there is one. */
void cause_end(struct spans *spans, struct told *t, unsigned status, const char *failure);

struct sockaddr;
/* Of AF_INET and AF_INET6; false for any other. */
bool guard_sockaddr(const struct sockaddr *sa, struct ip *ip, unsigned *port);
bool guard_port(const struct guard *g, unsigned port, bool mail);

#endif
