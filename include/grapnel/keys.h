/* keys.h - certificates and key sets of providers: fetched when a proof needs one, and kept.
 *
 * A document is looked for in this worker's memory, then in the database, and then fetched from its URL, which the proof has checked
 * against its provider's rule. What an administrator put into the database under a URL (grapnelctl key add) is used as it is.
 * A certificate is good until it ends. A key set is good for as long as its host says in Cache-Control, but between 5 minutes and a
 * day, an hour where it says nothing; an unknown key id asks for it earlier. When it cannot be had anew the old one serves for 7 days more,
 * so that the network may be away.
 *
 * Fetching blocks the worker, and with it the requests of its batch. That is bounded:
 * - 2 s to connect, 5 s in all, 64 KiB, no redirects, TLS to the host's own certificate;
 * - of all workers of all hosts one fetches a URL, and none within a minute after another, however it went: the row in the database is
 *   claimed by compare-and-set. The others use the old document meanwhile, or answer 503, and the sender repeats;
 * - a host that does not answer is left alone for a minute: it costs one worker 5 s in that time, and after 6 such failures of
 *   hosts of one domain nothing is fetched from there for the rest of the minute;
 * - 10 documents a minute from one host and 30 from one domain, on each of our machines. More than providers have; it is for strangers who
 *   make up URLs of a provider's host. */
#ifndef GRAPNEL_KEYS_H
#define GRAPNEL_KEYS_H

#include "grapnel/db.h"
#include "grapnel/fetch.h"
#include "grapnel/provider.h"
#include "grapnel/shm.h"

struct keys_config {
	struct db *db;
	struct shm *shm;
	struct fetch *fetch;		/* NULL: what is stored must do */
	const char *authorities;	/* file of roots beside the system's; NULL or empty = none. For tests */
	ms_t (*clock)(void);		/* NULL = clock_now */
};

struct keys;
struct keys *keys_new(const struct keys_config *c);	/* after the last fork; reads nothing yet */
void keys_free(struct keys *k);
const struct key_store *keys_store(const struct keys *k);

/* What a document is, whoever brought it. ERR_INVALID in a sentence: neither a key set (RFC 7517) nor certificates in PEM. */
struct key_facts {
	bool is_certificate;
	ms_t ends_at;		/* of the first certificate; 0 for a key set */
};
bool key_facts_read(struct arena *a, struct str text, struct key_facts *out, struct err *e) MUST_USE;
/* https://, a host, and not over the limit; ERR_INVALID in a sentence. */
bool key_url_check(struct str url, struct err *e) MUST_USE;

#endif
