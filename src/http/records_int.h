/* records_int.h - the FastCGI record stream of one request, walked as its bytes come in.
 *
 * A pure state machine: no socket, no clock. It takes less than the protocol allows and exactly what web servers send:
 * version 1, BEGIN_REQUEST first and once, role responder, one request id, PARAMS whose lengths fit, STDIN; nothing
 * behind the empty STDIN record. What passes here libfcgi reads to its end without blocking and without an error.
 * FastCGI Specification 1.0, sections 3.3 (records), 3.4 (name-value pairs), 5 (types). */
#ifndef GRAPNEL_HTTP_RECORDS_INT_H
#define GRAPNEL_HTTP_RECORDS_INT_H

#include "grapnel/http.h"

#define RECORD_HEADER 8		/* bytes */
#define RECORDS_PAIRS_MAX 1024	/* libfcgi takes memory for each; a request has HTTP_HEADERS_MAX and some 40 more */

enum records_result {
	RECORDS_MORE,	/* all bytes taken, the request goes on */
	RECORDS_PARAMS,	/* the parameters are complete: look at method, uri, content_length, then feed the rest */
	RECORDS_WHOLE,	/* the last record is complete */
	RECORDS_BAD,	/* no request of the kind above, or aborted: nothing but closing helps */
};

struct records {
	/* known so far */
	bool began, params_done, whole, bad;
	uint16_t id;			/* FastCGI request id */
	uint64_t seen;			/* bytes fed */
	uint64_t params_end;		/* position behind the empty PARAMS record */
	uint64_t stdin_n;		/* bytes of body in STDIN records so far */
	/* with params_done; views into `params` */
	struct str method, uri;
	bool has_length;
	uint64_t content_length;	/* CONTENT_LENGTH, when has_length */
	bool packed;			/* the body has a content coding: inflated it is larger */
	/* inside */
	char *params;			/* payload of the PARAMS records, owned */
	size_t params_n, params_cap;
	unsigned char fixed[RECORD_HEADER];	/* a header, or the body of BEGIN_REQUEST, as it comes in */
	uint8_t fixed_n, type;
	bool in_record, empty;		/* behind the header of a record; it has no content */
	uint32_t content_left, padding_left;
};

/* Zeroed memory is a ready struct records, too. clear is ready for the next request and keeps the memory. */
void records_clear(struct records *r);
void records_release(struct records *r);

/* Takes up to n bytes; *used says how many (all, unless RECORDS_PARAMS or RECORDS_BAD). */
enum records_result records_feed(struct records *r, const void *p, size_t n, size_t *used);

/* The empty STDIN record that ends a request. */
void records_end(const struct records *r, unsigned char out[RECORD_HEADER]);

#endif
