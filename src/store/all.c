/* all.c - every table of statements, for the test that prepares and EXPLAINs each (tests/db/explain.c).
 *
 * How to add: a store file ends its table with `const struct stmt_table thing_stmts = { thing_q, ARRAY_SIZE(thing_q) };`,
 * store_int.h declares it, and it is named here. */
#include "store_int.h"

const struct stmt_table *const stmt_tables[] = {
	&archived_stmts,
	&audit_stmts,
	&auto_resolve_stmts,
	&batch_stmts,
	&breaker_stmts,
	&channel_stmts,
	&clock_stmts,
	&duplicate_stmts,
	&event_stmts,
	&forward_stmts,
	&heartbeat_stmts,
	&incident_stmts,
	&job_stmts,
	&key_document_stmts,
	&link_stmts,
	&migrate_statements,
	&monitor_alert_stmts,
	&monitor_cache_stmts,
	&news_stmts,
	&outbox_stmts,
	&policy_stmts,
	&retention_stmts,
	&sealed_stmts,
	&server_stmts,
	&service_stmts,
	&session_stmts,
	&source_effect_stmts,
	&source_load_stmts, &source_secret_stmts,
	&source_stmts,
	&tally_stmts,
	&table_size_stmts,
	&task_stmts,
	&tenant_stmts,
	&token_stmts,
	&user_stmts,
	NULL
};
