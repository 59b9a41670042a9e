/* tenant.c - the units of isolation. */
#include "store_int.h"

enum { Q_BY_NAME, Q_NEXT };

static const struct stmt tenant_q[] = {
	[Q_BY_NAME] = { "tenant.by_name",
		"SELECT id, name, created_at FROM tenants WHERE name = ?" },
	[Q_NEXT] = { "tenant.next",
		"SELECT id, name, created_at FROM tenants WHERE id > ? ORDER BY id LIMIT 1" },
};

const struct stmt_table tenant_stmts = { tenant_q, ARRAY_SIZE(tenant_q) };

static const struct field tenant_fields[] = {
	FIELD_U64(struct tenant, id, "id", "Number"),
	FIELD_STR(struct tenant, name, "name", "As people know it"),
	FIELD_TIME(struct tenant, created_at, "created_at", "Creation"),
	FIELD_END
};

int tenant_by_name(struct db *db, struct arena *a, struct str name, struct tenant *out,
	struct err *e)
{
	return db_query_one(db, &tenant_q[Q_BY_NAME], VALS(V_S(name)), a, tenant_fields,
		sizeof(*out), out, e);
}

int tenant_next(struct db *db, struct arena *a, uint64_t after, struct tenant *out, struct err *e)
{
	return db_query_one(db, &tenant_q[Q_NEXT], VALS(V_U(after)), a, tenant_fields, sizeof(*out), out, e);
}
