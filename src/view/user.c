/* user.c - people as admins see them, newest first. Hashes and seeds never pass through here, only whether there are any. */
#include "view_int.h"

const struct field user_view_fields[] = {
	FIELD_STR(struct user_view, id, "id", "Public id"),
	FIELD_STR(struct user_view, name, "name", "For signing in"),
	FIELD_STR(struct user_view, email, "email", "Where to reach the person"),
	FIELD_STR(struct user_view, role, "role", "viewer, operator or admin"),
	FIELD_BOOL(struct user_view, platform_admin, "platformAdmin", "Sees all tenants"),
	FIELD_BOOL(struct user_view, enabled, "enabled", "Whoever is disabled cannot sign in, and his tokens open nothing"),
	FIELD_BOOL(struct user_view, has_password, "hasPassword", "Can sign in to the dashboard"),
	FIELD_BOOL(struct user_view, has_totp, "hasTotp", "Signs in with a code of an authenticator app too"),
	FIELD_TIME(struct user_view, created_at, "createdAt", "Creation"),
	FIELD_TIME(struct user_view, last_seen_at, "lastSeenAt", "Last page opened"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_U64(struct user_view, row, "id", ""),
	FIELD_U64(struct user_view, tenant_id, "tenant_id", ""),
	FIELD_U64(struct user_view, role_n, "role_n", ""),
	FIELD_STR(struct user_view, id, "public_id", ""),
	FIELD_STR(struct user_view, name, "name", ""),
	FIELD_STR(struct user_view, email, "email", ""),
	FIELD_BOOL(struct user_view, enabled, "enabled", ""),
	FIELD_BOOL(struct user_view, platform_admin, "platform_admin", ""),
	FIELD_BOOL(struct user_view, has_password, "has_password", ""),
	FIELD_BOOL(struct user_view, has_totp, "has_totp", ""),
	FIELD_TIME(struct user_view, created_at, "created_at", ""),
	FIELD_TIME(struct user_view, last_seen_at, "last_seen_at", ""),
	FIELD_END
};

static void write_open(struct sql *q)
{
	sql_lit(q, "SELECT u.id, u.tenant_id, u.role AS role_n, u.public_id, u.name, u.email, u.enabled, u.platform_admin,"
		" u.password_hash IS NOT NULL AS has_password, u.totp_sealed IS NOT NULL AS has_totp, u.created_at,"
		" u.last_seen_at FROM (");
}

static void write_close(struct sql *q)
{
	sql_lit(q, ") k JOIN users u ON u.id = k.id ORDER BY u.id DESC");
}

static void write_branch(struct sql *q, const struct branch *b)
{
	if (b->kind == BRANCH_ALL) {
		sql_lit(q, "SELECT t.id AS id FROM users t FORCE INDEX (PRIMARY) WHERE TRUE");
		return;
	}
	sql_lit(q, "SELECT t.id AS id FROM users t FORCE INDEX (by_tenant) WHERE t.tenant_id = ");
	sql_val(q, V_U(b->tenant_id));
}

static void write_residual(struct sql *q, const struct plan *p, const struct branch *b)
{
	const struct user_filter *f = p->filter;

	if (f->roles) {
		sql_lit(q, " AND 1 << t.role & ");
		sql_val(q, V_U(f->roles));
	}
	if (f->enabled) {
		sql_lit(q, " AND IF(t.enabled, 1, 2) & ");
		sql_val(q, V_U(f->enabled));
	}
	if (f->text.n) {
		struct str part = like_part(q->text.arena, f->text);

		sql_lit(q, " AND (t.name COLLATE utf8mb4_general_ci LIKE ");
		sql_val(q, V_S(part));
		sql_lit(q, " OR t.email COLLATE utf8mb4_general_ci LIKE ");
		sql_val(q, V_S(part));
		sql_lit(q, ")");
	}
}

const struct list_table user_table = {
	.name = "view.user_list",
	.branch = write_branch,
	.residual = write_residual,
	.open = write_open,
	.close = write_close,
	.columns = columns,
	.size = sizeof(struct user_view),
};

void user_plan(const struct user_filter *f, struct plan *p)
{
	plan_init(p, f, 0, 0, f->cursor, f->limit);
	p->residual = f->roles || f->enabled || f->text.n;
	plan_add(p, f->tenant_id ? BRANCH_TENANT : BRANCH_ALL, f->tenant_id, 0);
}

bool user_view_list(struct db *db, struct arena *a, const struct user_filter *f, struct user_view **out, size_t *n, uint64_t *next,
	struct err *e)
{
	struct plan p;

	user_plan(f, &p);
	if (!list_run(db, a, &user_table, &p, out, n, next, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		(*out)[i].role = str_of(role_word((enum role)(*out)[i].role_n));
	return true;
}

void user_view_fill(const struct user *u, struct user_view *out)
{
	*out = (struct user_view){
		.row = u->id,
		.tenant_id = u->tenant_id,
		.role_n = u->role,
		.id = u->public_id,
		.name = u->name,
		.email = u->email.n ? u->email : STR_NONE,
		.role = str_of(role_word((enum role)u->role)),
		.enabled = u->enabled,
		.platform_admin = u->platform_admin,
		.has_password = u->password_hash.n > 0,
		.has_totp = u->totp_sealed.n > 0,
		.created_at = u->created_at,
		.last_seen_at = u->last_seen_at,
	};
}
