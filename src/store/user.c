/* user.c - people: name, role, password. */
#include "store_int.h"

enum { Q_ADD, Q_ANY, Q_BY_NAME, Q_BY_PUBLIC_ID, Q_LIST, Q_LOCK_TENANT, Q_LOCK, Q_UPDATE, Q_ADMINS, Q_SET_PASSWORD,
	Q_TOTP_PENDING, Q_TOTP_CONFIRM, Q_TOTP_REMOVE, Q_TOTP_USE, Q_ADMINISTRATORS };

#define COLUMNS \
	"id, tenant_id, role, public_id, name, email, password_hash, totp_sealed, totp_pending_sealed, totp_step," \
	" platform_admin, enabled, created_at, last_seen_at"

static const struct stmt stmts[] = {
	[Q_ADD] = { "user.add",
		"INSERT INTO users (public_id, tenant_id, name, email, password_hash, role, platform_admin, created_at)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_ANY] = { "user.any",
		"SELECT id FROM users LIMIT 1", SCAN_OK },	/* reads one row */
	[Q_BY_NAME] = { "user.by_name",
		"SELECT " COLUMNS " FROM users WHERE name = ?" },
	[Q_BY_PUBLIC_ID] = { "user.by_public_id",
		"SELECT " COLUMNS " FROM users WHERE public_id = ? AND ? IN (tenant_id, 0)" },
	[Q_LIST] = { "user.list",
		"SELECT " COLUMNS " FROM users WHERE tenant_id = ? ORDER BY name" },
	[Q_LOCK_TENANT] = { "user.lock_tenant",
		"SELECT id FROM tenants WHERE id = ? FOR UPDATE" },
	[Q_LOCK] = { "user.lock",
		"SELECT " COLUMNS " FROM users WHERE id = ? FOR UPDATE" },
	[Q_UPDATE] = { "user.update",
		"UPDATE users SET role = ?, email = ?, enabled = ?, platform_admin = ? WHERE id = ?" },
	[Q_ADMINS] = { "user.admins",
		"SELECT COUNT(*) AS id FROM users WHERE tenant_id = ? AND enabled = 1 AND role = ?" },
	[Q_SET_PASSWORD] = { "user.set_password",
		"UPDATE users SET password_hash = ? WHERE id = ?" },
	[Q_TOTP_PENDING] = { "user.totp_pending",
		"UPDATE users SET totp_pending_sealed = ? WHERE id = ?" },
	[Q_TOTP_CONFIRM] = { "user.totp_confirm",
		"UPDATE users SET totp_sealed = totp_pending_sealed, totp_pending_sealed = NULL, totp_step = ?"
		" WHERE id = ? AND totp_pending_sealed = ?" },
	[Q_TOTP_REMOVE] = { "user.totp_remove",
		"UPDATE users SET totp_sealed = NULL, totp_pending_sealed = NULL, totp_step = 0 WHERE id = ?" },
	[Q_ADMINISTRATORS] = { "user.administrators",
		"SELECT COUNT(*) AS n, COUNT(totp_sealed) AS with_totp FROM users"
		" WHERE enabled = 1 AND role = ? AND password_hash IS NOT NULL", SCAN_OK },
	[Q_TOTP_USE] = { "user.totp_use",
		"UPDATE users SET totp_step = ? WHERE id = ? AND totp_step < ?" },
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
	FIELD_STR(struct user, totp_sealed, "totp_sealed", ""),
	FIELD_STR(struct user, totp_pending_sealed, "totp_pending_sealed", ""),
	FIELD_I64(struct user, totp_step, "totp_step", ""),
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
		VALS(V_S(u.public_id), V_U(tenant_id), V_S(name), V_SE(email), V_SN(u.password_hash),
			V_U(role), V_U(platform_admin), V_I(now)),
		NULL, e))
		return conflict_if_duplicate(db, "name", "a user of that name exists", e);
	u.id = db_insert_id(db);
	*out = u;
	return true;
}

int user_any(struct db *db, struct arena *a, struct err *e)
{
	struct user first;

	return db_query_one(db, &stmts[Q_ANY], NULL, 0, a, fields, sizeof(first), &first, e);
}

int user_by_name(struct db *db, struct arena *a, struct str name, struct user *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_BY_NAME], VALS(V_S(name)), a, fields, sizeof(*out), out, e);
}

int user_by_public_id(struct db *db, struct arena *a, uint32_t tenant_id, struct str public_id, struct user *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_BY_PUBLIC_ID], VALS(V_S(public_id), V_U(tenant_id)), a, fields, sizeof(*out), out, e);
}

int user_lock(struct db *db, struct arena *a, uint32_t tenant_id, struct str public_id, struct user *out, struct err *e)
{
	struct user user = { 0 }, tenant = { 0 };
	int found = user_by_public_id(db, a, tenant_id, public_id, &user, e);

	if (found == 1)
		found = db_query_one(db, &stmts[Q_LOCK_TENANT], VALS(V_U(user.tenant_id)), a, fields, sizeof(tenant), &tenant, e);
	*out = (struct user){ 0 };
	if (found == 1)
		found = db_query_one(db, &stmts[Q_LOCK], VALS(V_U(user.id)), a, fields, sizeof(*out), out, e);
	return found;
}

bool user_update(struct db *db, const struct user *u, struct err *e)
{
	return db_exec(db, &stmts[Q_UPDATE],
		VALS(V_U(u->role), V_SE(u->email), V_U(u->enabled), V_U(u->platform_admin), V_U(u->id)), NULL, e);
}

bool user_admins(struct db *db, uint64_t tenant_id, struct arena *a, uint64_t *n, struct err *e)
{
	struct user count = { 0 };
	int found = db_query_one(db, &stmts[Q_ADMINS], VALS(V_U(tenant_id), V_U(ROLE_ADMIN)), a, fields, sizeof(count), &count, e);

	*n = count.id;
	return found >= 0;
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

bool user_totp_pending(struct db *db, uint64_t id, struct str sealed, struct err *e)
{
	return db_exec(db, &stmts[Q_TOTP_PENDING], VALS(V_BE(sealed), V_U(id)), NULL, e);
}

bool user_totp_confirm(struct db *db, uint64_t id, struct str sealed, int64_t step, struct err *e)
{
	uint64_t affected;

	if (!db_exec(db, &stmts[Q_TOTP_CONFIRM], VALS(V_I(step), V_U(id), V_B(sealed)), &affected, e))
		return false;
	return affected || err_set(e, ERR_CONFLICT, "another seed is to be confirmed now");
}

bool user_totp_remove(struct db *db, uint64_t id, struct err *e)
{
	return db_exec(db, &stmts[Q_TOTP_REMOVE], VALS(V_U(id)), NULL, e);
}

int user_totp_use(struct db *db, uint64_t id, int64_t step, struct err *e)
{
	uint64_t affected;

	if (!db_exec(db, &stmts[Q_TOTP_USE], VALS(V_I(step), V_U(id), V_I(step)), &affected, e))
		return -1;
	return affected != 0;
}

static const struct field administrators_fields[] = {
	FIELD_U64(struct administrators, n, "n", ""),
	FIELD_U64(struct administrators, with_totp, "with_totp", ""),
	FIELD_END
};

bool user_administrators(struct db *db, struct arena *a, struct administrators *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_ADMINISTRATORS], VALS(V_U(ROLE_ADMIN)), a, administrators_fields, sizeof(*out), out, e) == 1;
}
