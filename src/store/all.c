/* all.c - every table of statements, for the test that prepares and EXPLAINs each (tests/db/explain.c).
 *
 * How to add: a store file ends its table with `const struct stmt_table thing_stmts = { thing_q, ARRAY_SIZE(thing_q) };`.
 * Name it here twice, once for the compiler and once in the list, in alphabetical order. */
#include "grapnel/store.h"

extern const struct stmt_table batch_stmts;

const struct stmt_table *const stmt_tables[] = {
	&batch_stmts,
	&migrate_statements,
	NULL
};
