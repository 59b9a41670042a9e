/* later_note.h - what an ingest worker writes down about a sender who waits, for the web worker that takes the connection.
 *
 * It is JSON, since its writer and its reader may be of different versions while a new one takes over. It has both answers, made by who knew
 * the provider: one for a handler that took all, one for when there was nobody to ask. */
#ifndef LATER_NOTE_H
#define LATER_NOTE_H

#include "grapnel/http.h"
#include "grapnel/ingest.h"
#include "grapnel/json.h"

/* The note for the connection's next worker; the rate limit's headers are taken from rq's own answer. STR_NONE: it does not fit. */
struct str later_note(const struct request *rq, const struct ingest_item *it);

struct noted_answer {
	unsigned status;
	struct str type, body;
	const struct json *headers;	/* [["Name","value"]] */
};

struct note {
	struct ingest_later later;
	struct noted_answer answer, queued;
	const struct json *rate;	/* headers too */
	struct span span;		/* form 0: there is none */
};
bool later_note_read(struct arena *a, struct str text, struct note *out, struct err *e) MUST_USE;

#endif
