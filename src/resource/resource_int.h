/* resource_int.h - what the resources of people share. */
#ifndef RESOURCE_INT_H
#define RESOURCE_INT_H

#include "grapnel/resource.h"

#define DETAIL_MAX 16384	/* of an audit entry: a handful of short members, twice */

/* A sentence for whoever may not. */
bool deny(struct err *e, const char *sentence);

#endif
