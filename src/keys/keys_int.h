/* keys_int.h - what the files of this folder share. */
#ifndef GRAPNEL_KEYS_INT_H
#define GRAPNEL_KEYS_INT_H

#include "grapnel/json.h"
#include "grapnel/keys.h"
#include "grapnel/store.h"

/* facts.c: max-age of a Cache-Control (RFC 9111 section 5.2), in seconds; -1 where it has none. */
#define SECONDS_MAX 31536000	/* a year: more is no age, and what is multiplied does not overflow */
int64_t cache_control_age(struct str value);

/* budget.c: how often a host is asked, and all of its domain, in a minute. */
struct budget {
	const char *name;
	uint32_t of_host, of_domain;
};
extern const struct budget budget_failures;
struct str host_of(struct str url);
bool budget_left(struct shm *shm, const struct budget *b, struct str host, ms_t now);
void budget_spend(struct shm *shm, const struct budget *b, struct str host, ms_t now);

/* ask.c: the `ask` of a key_store. */
struct asker;
struct asker *asker_new(const struct keys_config *c);
void asker_free(struct asker *x);
int asker_ask(struct asker *x, const struct key_question *q, struct str *answer);

#endif
