/* all.c - every table of statements, for the test that prepares and EXPLAINs each. A new store file adds its own here. */
#include "store_int.h"

const struct stmt_table *const stmt_tables[] = {
	&audit_stmts,
	&user_stmts,
	&token_stmts,
	&service_stmts,
	&source_stmts,
	&source_load_stmts,
	&incident_stmts,
	&batch_stmts,
	NULL
};
