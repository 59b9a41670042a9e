/* golden.h - reading the golden cases: golden.c compares them, test_proof.c and the properties use the same payloads.
 *
 * tests/golden/<slug>/<case>.expect (or .bad) goes with the payload <case>.json, .form, .xml, .body or (with GET) .query. Its first lines,
 * each after "> ", make the request: "> X-GitHub-Event: push" is a header, and these set something else:
 *	> :method GET		> :uri /v2/enqueue?x=1		> :settings {"alertTestMode":true}
 *	> :payload other.json	(the body of another case)
 *	> :sample		(the provider's own test webhook, as a whole; alone)
 * What follows is what must come out: a block of lines for each event, "refused <stage> <field>", or "handshake <status>
 * <content type>" with headers and the body of the answer. */
#ifndef GRAPNEL_GOLDEN_H
#define GRAPNEL_GOLDEN_H

#include "grapnel/provider.h"

#define GOLDEN_REQUEST_ID "1001"
#define GOLDEN_EVENTS_MAX 256
#define GOLDEN_NONCE "0123456789ab"	/* of samples, */
#define GOLDEN_NOW INT64_C(1800000000000)	/* and their time: 2027-01-15T08:00:00Z */

struct golden {
	const struct provider *p;
	struct inbound in;
	struct str expected;
	bool is_sample;
	struct answer answer;	/* status 0 = no handshake */
};

/* All end the program with a message: a test without its files cannot run. */
const char *golden_dir(void);			/* $srcdir/tests/golden */
struct str golden_file(struct arena *a, const char *path);
void golden_load(struct arena *a, const char *slug, const char *file, struct golden *g);
/* Calls `each` for every case of a provider, by name. Returns their number, at least 1. */
size_t golden_each(struct arena *a, const char *slug, void (*each)(struct arena *a, const char *slug, const char *file));

/* Runs it: parse, handshake, map. False with *stage "parse" or "map". A handshake has an answer, and one event at most. */
bool golden_run(struct arena *a, struct golden *g, struct event **events, size_t *n, const char **stage, struct err *e);

#endif
