/* server.c - what the database server says of itself: for grapnelctl doctor, which finds what is set so that data may be lost
 * or refused. Asked seldom, by a person; so the scans of information_schema are fine. */
#include "store_int.h"

enum { Q_FACTS, Q_TABLES, Q_RIGHTS };

/* The account as grants name it: 'grapnel'@'localhost'. Rights that come by a role are not seen. */
#define GRANTEE "CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')"

static const struct stmt stmts[] = {
	[Q_FACTS] = { "server.facts",
		"SELECT @@version AS version, @@session.sql_mode AS sql_mode, @@global.sql_mode AS global_sql_mode,"
		" @@session.tx_isolation AS isolation, @@session.time_zone AS time_zone, @@character_set_client AS charset,"
		" @@innodb_flush_log_at_trx_commit AS flush, @@innodb_doublewrite <> 'OFF' AS doublewrite, @@log_bin AS log_bin, @@sync_binlog AS sync_binlog,"
		" @@max_allowed_packet AS packet_max, @@max_connections AS connections_max, @@max_prepared_stmt_count AS statements_max, @@read_only AS read_only, @@innodb_buffer_pool_size AS buffer_pool,"
		" @@datadir AS datadir, CURRENT_USER() AS account,"
		" CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) AS now,"
		" (SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'SSL_CIPHER') AS cipher,"
		" (SELECT DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE()) AS schema_charset",
		SCAN_OK },
	[Q_TABLES] = { "server.other_tables",
		"SELECT TABLE_NAME AS name, COALESCE(ENGINE, '') AS engine, COALESCE(TABLE_COLLATION, '') AS collation"
		" FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'"
		" AND (ENGINE <> 'InnoDB' OR TABLE_COLLATION NOT LIKE 'utf8mb4%') ORDER BY TABLE_NAME LIMIT ?", SCAN_OK },
	[Q_RIGHTS] = { "server.excess_rights",
		"SELECT PRIVILEGE_TYPE AS name FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = " GRANTEE
		" AND PRIVILEGE_TYPE <> 'USAGE'"
		" UNION SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = " GRANTEE
		" AND TABLE_SCHEMA = DATABASE() AND PRIVILEGE_TYPE NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')", SCAN_OK },
};
const struct stmt_table server_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fact_fields[] = {
	FIELD_STR(struct server_facts, version, "version", ""),
	FIELD_STR(struct server_facts, sql_mode, "sql_mode", ""),
	FIELD_STR(struct server_facts, global_sql_mode, "global_sql_mode", ""),
	FIELD_STR(struct server_facts, isolation, "isolation", ""),
	FIELD_STR(struct server_facts, time_zone, "time_zone", ""),
	FIELD_STR(struct server_facts, charset, "charset", ""),
	FIELD_U64(struct server_facts, flush, "flush", ""),
	FIELD_BOOL(struct server_facts, doublewrite, "doublewrite", ""),
	FIELD_BOOL(struct server_facts, log_bin, "log_bin", ""),
	FIELD_U64(struct server_facts, sync_binlog, "sync_binlog", ""),
	FIELD_U64(struct server_facts, packet_max, "packet_max", ""),
	FIELD_U64(struct server_facts, connections_max, "connections_max", ""),
	FIELD_U64(struct server_facts, statements_max, "statements_max", ""),
	FIELD_BOOL(struct server_facts, read_only, "read_only", ""),
	FIELD_U64(struct server_facts, buffer_pool, "buffer_pool", ""),
	FIELD_STR(struct server_facts, datadir, "datadir", ""),
	FIELD_STR(struct server_facts, account, "account", ""),
	FIELD_TIME(struct server_facts, now, "now", ""),
	FIELD_STR(struct server_facts, cipher, "cipher", ""),
	FIELD_STR(struct server_facts, schema_charset, "schema_charset", ""),
	FIELD_END
};

bool server_facts(struct db *db, struct arena *a, struct server_facts *out, struct err *e)
{
	int found = db_query_one(db, &stmts[Q_FACTS], NULL, 0, a, fact_fields, sizeof(*out), out, e);

	return found == 1 || (!found && err_set(e, ERR_BUG, "server.facts: no row"));
}

static const struct field table_fields[] = {
	FIELD_STR(struct server_table, name, "name", ""),
	FIELD_STR(struct server_table, engine, "engine", ""),
	FIELD_STR(struct server_table, collation, "collation", ""),
	FIELD_END
};

bool server_other_tables(struct db *db, struct arena *a, size_t limit, struct server_table **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_TABLES], VALS(V_U(limit)), a, table_fields, sizeof(**out), out, n, e);
}

struct right {
	struct str name;
};

static const struct field right_fields[] = {
	FIELD_STR(struct right, name, "name", ""),
	FIELD_END
};

bool server_excess_rights(struct db *db, struct arena *a, struct str *out, struct err *e)
{
	struct right *rows;
	struct strbuf b;
	size_t n;

	if (!db_query(db, &stmts[Q_RIGHTS], NULL, 0, a, right_fields, sizeof(*rows), &rows, &n, e))
		return false;
	strbuf_init(&b, a, 65536);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&b, "%s%.*s", i ? ", " : "", STR_ARG(rows[i].name));
	*out = strbuf_str(&b);
	return true;
}
