/* service.c - services: what can break, and where integrations without one go.
 *
 * The default service is the newest one that says so, else the oldest of all: this order makes every moment of a change
 * of default a valid one, so that it needs no transaction. */
#include "store_int.h"

enum { Q_BY_PUBLIC_ID, Q_BY_NAME, Q_DEFAULT, Q_LIST, Q_ADD, Q_ONLY_DEFAULT };

#define COLUMNS "id, tenant_id, public_id, name, aliases, is_default, created_at, updated_at"

static const struct stmt stmts[] = {
	[Q_BY_PUBLIC_ID] = { "service.by_public_id",
		"SELECT " COLUMNS " FROM services WHERE public_id = ? AND tenant_id = ?" },
	[Q_BY_NAME] = { "service.by_name",
		"SELECT " COLUMNS " FROM services WHERE tenant_id = ? AND name = ?" },
	[Q_DEFAULT] = { "service.default",
		"SELECT " COLUMNS " FROM services WHERE tenant_id = ?"
		" ORDER BY is_default DESC, is_default * id DESC, id LIMIT 1" },
	[Q_LIST] = { "service.list",
		"SELECT " COLUMNS " FROM services WHERE tenant_id = ? ORDER BY name" },
	[Q_ADD] = { "service.add",
		"INSERT INTO services (public_id, tenant_id, name, is_default, created_at, updated_at)"
		" VALUES (?, ?, ?, ?, ?, ?)" },
	[Q_ONLY_DEFAULT] = { "service.only_default",
		"UPDATE services SET is_default = 0, updated_at = ? WHERE tenant_id = ? AND is_default = 1 AND id <> ?" },
};
const struct stmt_table service_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct service, id, "id", ""),
	FIELD_ID(struct service, tenant_id, "tenant_id", ""),
	FIELD_STR(struct service, public_id, "public_id", ""),
	FIELD_STR(struct service, name, "name", ""),
	FIELD_STR(struct service, aliases, "aliases", ""),
	FIELD_BOOL(struct service, is_default, "is_default", ""),
	FIELD_TIME(struct service, created_at, "created_at", ""),
	FIELD_TIME(struct service, updated_at, "updated_at", ""),
	FIELD_END
};

int service_by_public_id(struct db *db, struct arena *a, uint32_t tenant_id, struct str public_id, struct service *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_BY_PUBLIC_ID], VALS(V_S(public_id), V_U(tenant_id)), a, fields, sizeof(*out),
		out, e);
}

int service_by_name(struct db *db, struct arena *a, uint32_t tenant_id, struct str name, struct service *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_BY_NAME], VALS(V_U(tenant_id), V_S(name)), a, fields, sizeof(*out), out, e);
}

int service_default(struct db *db, struct arena *a, uint32_t tenant_id, struct service *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_DEFAULT], VALS(V_U(tenant_id)), a, fields, sizeof(*out), out, e);
}

bool service_list(struct db *db, struct arena *a, uint32_t tenant_id, struct service **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_LIST], VALS(V_U(tenant_id)), a, fields, sizeof(**out), out, n, e);
}

bool service_add(struct db *db, struct arena *a, uint32_t tenant_id, struct str name, bool is_default, ms_t now, struct service *out, struct err *e)
{
	char id[PUBLIC_ID_MAX];
	struct service s = { .tenant_id = tenant_id, .name = name, .is_default = is_default, .created_at = now,
		.updated_at = now };

	if (!name_check(name, "name", e))
		return false;
	public_id_make("sv", id);
	s.public_id = arena_str(a, str_of(id));
	if (!db_exec(db, &stmts[Q_ADD],
		VALS(V_S(s.public_id), V_U(tenant_id), V_S(name), V_U(is_default), V_I(now), V_I(now)), NULL, e))
		return conflict_if_duplicate(db, "name", "a service of that name exists", e);
	s.id = db_insert_id(db);
	if (is_default &&
		!db_exec(db, &stmts[Q_ONLY_DEFAULT], VALS(V_I(now), V_U(tenant_id), V_U(s.id)), NULL, e))
		return false;
	*out = s;
	return true;
}
