/* clock.c - what tells of a clock that is wrong.
 *
 * Cleanup takes what is old for good, and a clock that is a year ahead makes everything old. The host's clock is held against the
 * database's, and both against what the tables tell: the newest request, and when cron ran before. */
#include "store_int.h"

#define TRUSTED "cleanup.trusted_newest"

enum { Q_FACTS, Q_TRUST };

static const struct stmt stmts[] = {
	[Q_FACTS] = { "clock.facts",
		"SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED) AS db_now, (SELECT MAX(id) FROM requests) AS newest,"
		" (SELECT position FROM jobs WHERE name = '" JOB_CRON "') AS leapt_at,"
		" (SELECT CAST(value AS UNSIGNED) FROM settings WHERE tenant_id = 0 AND name = '" TRUSTED "') AS trusted" },
	[Q_TRUST] = { "clock.trust",
		"INSERT INTO settings (tenant_id, name, value, updated_at) VALUES (0, '" TRUSTED "', ?, ?)"
		" ON DUPLICATE KEY UPDATE value = VALUES(value), updated_at = VALUES(updated_at)" },
};
const struct stmt_table clock_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_TIME(struct clock_facts, db_now, "db_now", ""),
	FIELD_ID(struct clock_facts, newest, "newest", ""),
	FIELD_ID(struct clock_facts, trusted, "trusted", ""),
	FIELD_TIME(struct clock_facts, leapt_at, "leapt_at", ""),
	FIELD_END
};

bool clock_facts(struct db *db, struct arena *a, struct clock_facts *out, struct err *e)
{
	*out = (struct clock_facts){ 0 };
	return db_query_one(db, &stmts[Q_FACTS], NULL, 0, a, fields, sizeof(*out), out, e) >= 0;
}

bool clock_trust(struct db *db, struct arena *a, uint64_t newest, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_TRUST], VALS(V_S(arena_printf(a, "%llu", (unsigned long long)newest)), V_I(now)), NULL, e);
}
