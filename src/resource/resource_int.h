/* resource_int.h - what the resources of people share. */
#ifndef RESOURCE_INT_H
#define RESOURCE_INT_H

#include "grapnel/fetch.h"
#include "grapnel/resource.h"

#define DETAIL_MAX 16384	/* of an audit entry: a handful of short members, twice */

/* ---- await.c ---- */

/* Until `over` answers 1 (0: not yet, -1 failed), for as long as one attempt may take, in a place among those that may wait for others: at most half of
 * the workers do, and nobody where no dispatcher sends. */
bool await_attempt(const struct caller *by, int (*over)(void *ctx, struct err *e), void *ctx, struct err *e) MUST_USE;
struct str not_sent_yet(const struct caller *by);	/* what to say when it was not over: a sentence */

/* ---- change.c ---- */

/* After a try to read a thing, change it and write it (`done`: 1, 0, -1 as the store): somebody else wrote it meanwhile, so that both changes are made where
 * the later one looks again. Then *e is clear. False after eight such tries. */
bool changed_meanwhile(int done, int *tries, struct err *e) MUST_USE;

/* ---- outgoing.c ---- */

/* By guard_resolve or guard_mail_url, with what the configuration lets pass. ERR_INVALID names the field. */
bool address_check(const struct caller *by, bool (*check)(const struct guard *g, struct str url, struct err *e), struct str url, const char *field,
	struct err *e) MUST_USE;
/* What requests are signed with: the prefix, "whsec_" or none, and 256 bits as base64. */
struct str secret_make(const struct caller *by, const char *prefix);

/* ---- user.c ---- */

/* A sentence for whoever may not. */
bool deny(struct err *e, const char *sentence);

#endif
