/* tenant.c - the units of isolation. */
#include "store_int.h"

#include "grapnel/json.h"

#define DETAIL_MAX 128

enum { Q_BY_NAME, Q_NEXT, Q_RETENTION, Q_RETENTION_SET, Q_LIST, Q_ADD, Q_RENAME };

static const struct stmt tenant_q[] = {
	[Q_BY_NAME] = { "tenant.by_name",
		"SELECT id, name, created_at FROM tenants WHERE name = ?" },
	[Q_NEXT] = { "tenant.next",
		"SELECT id, name, created_at FROM tenants WHERE id > ? ORDER BY id LIMIT 1" },
	[Q_RETENTION] = { "tenant.retention", "SELECT COALESCE(retention_days, 0) AS days FROM tenants WHERE id = ? LOCK IN SHARE MODE" },
	[Q_RETENTION_SET] = { "tenant.retention_set", "UPDATE tenants SET retention_days = ? WHERE id = ?" },
	[Q_LIST] = { "tenant.list",
		"SELECT t.id, t.name, t.created_at, (SELECT COUNT(*) FROM users u WHERE u.tenant_id = t.id) AS users,"
		" (SELECT COUNT(*) FROM services s WHERE s.tenant_id = t.id AND s.deleted_at IS NULL) AS services,"
		" (SELECT COUNT(*) FROM sources s WHERE s.tenant_id = t.id AND s.deleted_at IS NULL) AS integrations"
		" FROM tenants t WHERE t.id > ? ORDER BY t.id LIMIT ?" },
	[Q_ADD] = { "tenant.add", "INSERT INTO tenants (name, created_at) VALUES (?, ?)" },
	[Q_RENAME] = { "tenant.rename", "UPDATE tenants SET name = ? WHERE id = ?" },
};

const struct stmt_table tenant_stmts = { tenant_q, ARRAY_SIZE(tenant_q) };

static const struct field tenant_fields[] = {
	FIELD_U64(struct tenant, id, "id", "Number"),
	FIELD_STR(struct tenant, name, "name", "As people know it"),
	FIELD_TIME(struct tenant, created_at, "created_at", "Creation"),
	FIELD_U64(struct tenant, users, "users", ""),
	FIELD_U64(struct tenant, services, "services", ""),
	FIELD_U64(struct tenant, integrations, "integrations", ""),
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

bool tenant_list(struct db *db, struct arena *a, uint64_t after, uint64_t limit, struct tenant **out, size_t *n, struct err *e)
{
	return db_query(db, &tenant_q[Q_LIST], VALS(V_U(after), V_U(limit)), a, tenant_fields, sizeof(**out), out, n, e);
}

/* ---- changes ---- */

#define ALL STR("all")	/* stands for all of them, where a tenant is named */

struct tenant_change {
	struct arena *arena;
	struct shm *shm;
	struct tenant tenant;
	struct str before;
	struct who who;
	ms_t now;
};

static bool tenant_name_check(struct str name, struct err *e)
{
	if (str_eq(name, ALL))
		return err_field(e, ERR_INVALID, "name", "A tenant cannot be called all.");
	return name_check(name, "name", e);
}

static bool tenant_audit(struct db *db, const struct tenant_change *c, const char *action, struct err *e)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, c->arena, 4096);
	json_out_init(&o, &b);
	json_open(&o, '{');
	if (c->before.n) {
		json_key(&o, "before");
		json_str(&o, c->before);
	}
	json_key(&o, "after");
	json_str(&o, c->tenant.name);
	json_close(&o, '}');
	return audit_add(db, &c->who, action, c->tenant.name, strbuf_str(&b), c->now, e);
}

/* With a default service, since every integration has one. */
static bool tenant_add_tx(struct db *db, void *ctx, struct err *e)
{
	struct service first = { .name = STR("default"), .is_default = true };
	struct tenant_change *c = ctx;

	if (!db_exec(db, &tenant_q[Q_ADD], VALS(V_S(c->tenant.name), V_I(c->now)), NULL, e))
		return conflict_if_duplicate(db, "name", "A tenant of that name exists.", e);
	c->tenant.id = first.tenant_id = db_insert_id(db);
	c->who.tenant_id = (uint32_t)c->tenant.id;
	return service_add(db, c->arena, c->shm, &first, &c->who, c->now, &first, e) && tenant_audit(db, c, "tenant.create", e);
}

bool tenant_add(struct db *db, struct arena *a, struct shm *shm, struct str name, const struct who *who, ms_t now, struct tenant *out, struct err *e)
{
	struct tenant_change c = { .arena = a, .shm = shm, .tenant = { .name = name, .created_at = now, .services = 1 }, .who = *who, .now = now };

	if (!tenant_name_check(name, e) || !db_tx(db, tenant_add_tx, &c, e))
		return false;
	*out = c.tenant;
	return true;
}

static bool tenant_rename_tx(struct db *db, void *ctx, struct err *e)
{
	struct tenant_change *c = ctx;

	if (!db_exec(db, &tenant_q[Q_RENAME], VALS(V_S(c->tenant.name), V_U(c->tenant.id)), NULL, e))
		return conflict_if_duplicate(db, "name", "A tenant of that name exists.", e);
	return tenant_audit(db, c, "tenant.update", e);
}

bool tenant_rename(struct db *db, struct arena *a, const struct tenant *t, struct str name, const struct who *who, ms_t now, struct err *e)
{
	struct tenant_change c = { .arena = a, .tenant = *t, .before = t->name, .who = *who, .now = now };

	c.tenant.name = name;
	c.who.tenant_id = (uint32_t)t->id;
	return tenant_name_check(name, e) && db_tx(db, tenant_rename_tx, &c, e);
}
