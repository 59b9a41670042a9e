/* fuzz_request.h - a request out of bytes, for the targets of src/provider.
 *
 * The first byte picks the provider (its place in the table, modulo their number). Then lines up to
 * an empty one: "name: value" is a header; ":method GET", ":uri /x?y" and ":settings {...}" are
 * what they say. What follows is the body. */
#ifndef GRAPNEL_FUZZ_REQUEST_H
#define GRAPNEL_FUZZ_REQUEST_H

#include "fuzz.h"
#include "grapnel/provider.h"

#define FUZZ_HEADERS_MAX 16

struct fuzz_request {
	const struct provider *p;
	struct inbound in;
	struct header headers[FUZZ_HEADERS_MAX];
};

static inline void fuzz_header(struct arena *a, struct fuzz_request *rq, struct str line)
{
	struct str name = arena_lower(a, str_until(&line, ':')), value = str_trim(line);

	if (rq->in.header_n == FUZZ_HEADERS_MAX)
		return;
	rq->headers[rq->in.header_n++] = (struct header){ name, value };
	if (str_eqs(name, "content-type"))
		rq->in.content_type = arena_lower(a, value);
}

static inline void fuzz_fact(struct arena *a, struct fuzz_request *rq, struct str line)
{
	struct str name = str_word(&line), value = str_trim(line);
	struct err e = { 0 };

	if (str_eqs(name, ":method")) {
		rq->in.method = value;
	} else if (str_eqs(name, ":uri")) {
		rq->in.uri = rq->in.query = value;
		rq->in.path = str_until(&rq->in.query, '?');
	} else if (!json_parse(a, value, &rq->in.settings, &e)) {
		rq->in.settings = NULL;
	}
}

static inline void fuzz_request(struct arena *a, const uint8_t *data, size_t n, struct fuzz_request *rq)
{
	struct str rest = { (const char *)data + 1, n - 1 };
	size_t count = 0;

	while (providers[count])
		count++;
	*rq = (struct fuzz_request){ .p = providers[data[0] % count], .in.method = STR("POST"), .in.request_id = STR("1001") };
	rq->in.headers = rq->headers;
	while (rest.n) {
		struct str line = str_until(&rest, '\n');

		if (!line.n)
			break;
		if (line.p[0] == ':')
			fuzz_fact(a, rq, line);
		else
			fuzz_header(a, rq, line);
	}
	rq->in.body = rest;
}

#endif
