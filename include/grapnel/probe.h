/* probe.h - a question that only who has the key file can ask: how does a request of mine reach the workers, and with what
 * configuration do these run? grapnelctl doctor sends it through the web server; a worker answers it in the place of whatever the
 * request was for. Strangers learn nothing, not even that there is such a question. */
#ifndef GRAPNEL_PROBE_H
#define GRAPNEL_PROBE_H

#include "grapnel/conf.h"
#include "grapnel/crypto.h"

#define PROBE_HEADER "x-grapnel-probe"

/* The header's value. Good for a minute. */
struct str probe_question(struct arena *a, const struct seal_key *k, ms_t now);
bool probe_is_asked(struct arena *a, const struct seal_key *k, struct str value, ms_t now);

struct probe {
	struct str pool;		/* that answers: "ingest" or "web" */
	struct str version, configuration;
	struct str uri;			/* as it arrived */
	uint64_t body_bytes;
	bool passed;			/* an ingest worker had it first */
	bool authorization;		/* the header arrived */
	bool keep_asked;		/* the web server wanted to use the FastCGI connection again */
	bool https;
	bool verify_signatures, rate_limit, debug;	/* in force */
};
extern const struct field probe_fields[];

/* A fingerprint of all options but secrets; as a worker counts them, and as the doctor does. */
struct str probe_configuration(struct arena *a, const struct conf *c);

#endif
