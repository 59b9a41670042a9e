/* user.c - people: name, role, password. */
#include "store_int.h"

enum { Q_ADD, Q_BY_NAME, Q_LIST, Q_SET_PASSWORD };

#define COLUMNS \
	"id, tenant_id, role, public_id, name, email, password_hash, platform_admin, enabled, created_at, last_seen_at"

static const struct stmt stmts[] = {
	[Q_ADD] = { "user.add",
		"INSERT INTO users (public_id, tenant_id, name, email, password_hash, role, platform_admin, created_at)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_BY_NAME] = { "user.by_name",
		"SELECT " COLUMNS " FROM users WHERE name = ?" },
	[Q_LIST] = { "user.list",	/* a tenant has few users, and there is no list without all of them */
		"SELECT " COLUMNS " FROM users WHERE tenant_id = ? ORDER BY name", SCAN_OK },
	[Q_SET_PASSWORD] = { "user.set_password",
		"UPDATE users SET password_hash = ? WHERE id = ?" },
};
const struct stmt_table user_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct user, id, "id", ""),
	FIELD_ID(struct user, tenant_id, "tenant_id", ""),
	FIELD_U64(struct user, role, "role", ""),
	FIELD_STR(struct user, public_id, "public_id", ""),
	FIELD_STR(struct user, name, "name", ""),
	FIELD_STR(struct user, email, "email", ""),
	FIELD_STR(struct user, password_hash, "password_hash", ""),
	FIELD_BOOL(struct user, platform_admin, "platform_admin", ""),
	FIELD_BOOL(struct user, enabled, "enabled", ""),
	FIELD_TIME(struct user, created_at, "created_at", ""),
	FIELD_TIME(struct user, last_seen_at, "last_seen_at", ""),
	FIELD_END
};

static const char *const role_words[] = {
	[ROLE_NONE] = "", [ROLE_VIEWER] = "viewer", [ROLE_OPERATOR] = "operator", [ROLE_ADMIN] = "admin",
};

const char *role_word(enum role r)
{
	return role_words[r];
}

bool role_parse(struct str s, enum role *out)
{
	for (enum role r = ROLE_VIEWER; r <= ROLE_ADMIN; r++)
		if (str_eqs(s, role_words[r])) {
			*out = r;
			return true;
		}
	return false;
}

/* An empty password leaves *hash as it is: NULL, nobody signs in with it. */
static bool hash_if_any(struct arena *a, struct str password, struct str *hash, struct err *e)
{
	return !password.n || password_hash(a, password, hash, e);
}

bool user_add(struct db *db, struct arena *a, uint32_t tenant_id, struct str name, struct str email, struct str password, enum role role,
	bool platform_admin, ms_t now, struct user *out, struct err *e)
{
	char id[PUBLIC_ID_MAX];
	struct user u = { .tenant_id = tenant_id, .role = role, .name = name, .email = email,
		.platform_admin = platform_admin, .enabled = true, .created_at = now };

	if (!name_check(name, "name", e) || !hash_if_any(a, password, &u.password_hash, e))
		return false;
	public_id_make("us", id);
	u.public_id = arena_str(a, str_of(id));
	if (!db_exec(db, &stmts[Q_ADD],
		VALS(V_S(u.public_id), V_U(tenant_id), V_S(name), email.n ? V_S(email) : V_NULL(), V_SN(u.password_hash),
			V_U(role), V_U(platform_admin), V_I(now)),
		NULL, e))
		return conflict_if_duplicate(db, "name", "a user of that name exists", e);
	u.id = db_insert_id(db);
	*out = u;
	return true;
}

int user_by_name(struct db *db, struct arena *a, struct str name, struct user *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_BY_NAME], VALS(V_S(name)), a, fields, sizeof(*out), out, e);
}

bool user_list(struct db *db, struct arena *a, uint32_t tenant_id, struct user **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_LIST], VALS(V_U(tenant_id)), a, fields, sizeof(**out), out, n, e);
}

bool user_set_password(struct db *db, struct arena *a, uint64_t id, struct str password, struct err *e)
{
	struct str hash = STR_NONE;
	uint64_t affected;

	if (!hash_if_any(a, password, &hash, e) ||
		!db_exec(db, &stmts[Q_SET_PASSWORD], VALS(V_SN(hash), V_U(id)), &affected, e))
		return false;
	return affected || err_set(e, ERR_NOT_FOUND, "there is no such user");
}
