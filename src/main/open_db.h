/* open_db.h - the connection that the configuration describes, for all programs. */
#ifndef OPEN_DB_H
#define OPEN_DB_H

#include "grapnel/conf.h"
#include "grapnel/db.h"

struct db *open_db(const struct conf *c);	/* connects on first use */
/* The schema is what this program needs, or newer: migrations only add while older programs run. ERR_CONFLICT says what to do. */
bool open_db_schema(struct db *db, struct err *e) MUST_USE;

#endif
