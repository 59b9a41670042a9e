/* keys_int.h - what the files of this folder share. */
#ifndef GRAPNEL_KEYS_INT_H
#define GRAPNEL_KEYS_INT_H

#include "grapnel/json.h"
#include "grapnel/keys.h"
#include "grapnel/store.h"

/* facts.c: max-age of a Cache-Control (RFC 9111 section 5.2), in seconds; -1 where it has none. */
#define SECONDS_MAX 31536000	/* a year: more is no age, and what is multiplied does not overflow */
int64_t cache_control_age(struct str value);

#endif
