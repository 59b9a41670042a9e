/* tenant.c - the units of isolation. */
#include "store_int.h"

#include "grapnel/json.h"

#define DETAIL_MAX 128

enum { Q_BY_NAME, Q_NEXT, Q_RETENTION, Q_RETENTION_SET };

static const struct stmt tenant_q[] = {
	[Q_BY_NAME] = { "tenant.by_name",
		"SELECT id, name, created_at FROM tenants WHERE name = ?" },
	[Q_NEXT] = { "tenant.next",
		"SELECT id, name, created_at FROM tenants WHERE id > ? ORDER BY id LIMIT 1" },
	[Q_RETENTION] = { "tenant.retention", "SELECT COALESCE(retention_days, 0) AS days FROM tenants WHERE id = ? LOCK IN SHARE MODE" },
	[Q_RETENTION_SET] = { "tenant.retention_set", "UPDATE tenants SET retention_days = ? WHERE id = ?" },
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

/* ---- how long events are kept ---- */

struct retention {
	uint64_t days;
};

static const struct field retention_fields[] = { FIELD_U64(struct retention, days, "days", ""), FIELD_END };

bool tenant_retention(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t *days, struct err *e)
{
	struct retention r = { 0 };
	int found = db_query_one(db, &tenant_q[Q_RETENTION], VALS(V_U(tenant_id)), a, retention_fields, sizeof(r), &r, e);

	*days = r.days;
	return found >= 0;
}

struct keeping {
	struct arena *a;
	uint64_t tenant_id, days;
	const struct who *who;
	ms_t now;
};

static void add_days(struct json_out *o, const char *member, uint64_t days)
{
	json_key(o, member);
	if (days)
		json_u64(o, days);
	else
		json_null(o);
}

static bool keeping_tx(struct db *db, void *ctx, struct err *e)
{
	const struct keeping *x = ctx;
	uint64_t before;
	struct json_out o;
	struct strbuf b;

	if (!tenant_retention(db, x->a, x->tenant_id, &before, e) ||
		!db_exec(db, &tenant_q[Q_RETENTION_SET], VALS(V_ID(x->days), V_U(x->tenant_id)), NULL, e))
		return false;
	strbuf_init(&b, x->a, DETAIL_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	add_days(&o, "before", before);
	add_days(&o, "after", x->days);
	json_close(&o, '}');
	return before == x->days || audit_add(db, x->who, "retention.update", STR("events"), strbuf_str(&b), x->now, e);
}

bool tenant_retention_set(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t days, const struct who *who, ms_t now, struct err *e)
{
	struct keeping x = { a, tenant_id, days, who, now };

	if (days > RETENTION_MAX)
		return err_field(e, ERR_INVALID, "eventsDays", "at most %d days", RETENTION_MAX);
	return db_tx(db, keeping_tx, &x, e);
}
