/* fuzz_request.h - a request out of bytes, for the targets of src/provider.
 *
 * The first line is the provider's slug; of a line that is none the first byte picks one. Then lines up to an empty one:
 * "name: value" is a header, and these set something else:
 *	:method GET	:uri /x?y	:url https://a.example/x?y	:settings {...}
 *	:secret s	(up to 4)	:now 1772000000		:document "..."		:roots "..."
 * The last two are JSON texts: what a certificate's or key set's URL has to offer, and the authorities that are trusted. What follows
 * is the body. tests/fuzz/seeds writes such files from the golden cases and the signature vectors. */
#ifndef GRAPNEL_FUZZ_REQUEST_H
#define GRAPNEL_FUZZ_REQUEST_H

#include "fuzz.h"
#include "grapnel/provider.h"

#define FUZZ_HEADERS_MAX 32
#define FUZZ_SECRETS_MAX 4

struct fuzz_request {
	const struct provider *p;
	struct inbound in;
	struct header headers[FUZZ_HEADERS_MAX];
	struct str secrets[FUZZ_SECRETS_MAX];
	size_t secret_n;
	struct str document, roots;
};

static inline void fuzz_header(struct arena *a, struct fuzz_request *rq, struct str line)
{
	struct str name = arena_lower(a, str_until(&line, ':')), value = str_trim(line);

	if (rq->in.header_n == FUZZ_HEADERS_MAX)
		return;
	rq->headers[rq->in.header_n++] = (struct header){ name, value };
	if (str_eqs(name, "content-type"))
		rq->in.content_type = arena_lower(a, str_trim(str_until(&value, ';')));
}

static inline const struct json *fuzz_json(struct arena *a, struct str text)
{
	const struct json *doc = NULL;
	struct err e = { 0 };

	return json_parse(a, text, &doc, &e) ? doc : NULL;
}

static inline void fuzz_fact(struct arena *a, struct fuzz_request *rq, struct str line)
{
	struct str name = str_word(&line), value = str_trim(line);
	uint64_t now;

	if (str_eqs(name, ":method")) {
		rq->in.method = value;
	} else if (str_eqs(name, ":uri")) {
		rq->in.uri = rq->in.query = value;
		rq->in.path = str_until(&rq->in.query, '?');
	} else if (str_eqs(name, ":url")) {
		inbound_set_url(&rq->in, value);
	} else if (str_eqs(name, ":settings")) {
		rq->in.settings = fuzz_json(a, value);
	} else if (str_eqs(name, ":secret") && rq->secret_n < FUZZ_SECRETS_MAX && str_find(value, '\0') < 0) {
		rq->secrets[rq->secret_n++] = value;
	} else if (str_eqs(name, ":now") && str_u64(value, &now) && now < INT64_MAX / MS_PER_SECOND) {
		rq->in.now = (ms_t)now * MS_PER_SECOND;
	} else if (str_eqs(name, ":document")) {
		rq->document = json_text(fuzz_json(a, value));
	} else if (str_eqs(name, ":roots")) {
		rq->roots = json_text(fuzz_json(a, value));
	}
}

static inline const struct provider *fuzz_provider(struct str slug)
{
	const struct provider *p = provider_find(slug);
	size_t count = 0;

	while (providers[count])
		count++;
	return p ? p : providers[slug.n ? (unsigned char)slug.p[0] % count : 0];
}

static inline void fuzz_request(struct arena *a, const uint8_t *data, size_t n, struct fuzz_request *rq)
{
	struct str rest = { (const char *)data, n };

	*rq = (struct fuzz_request){ .p = fuzz_provider(str_until(&rest, '\n')), .in.method = STR("POST"), .in.request_id = STR("1001"),
		.in.now = 1772000000000 };
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
	rq->p = provider_for(rq->p, &rq->in);
}

#endif
