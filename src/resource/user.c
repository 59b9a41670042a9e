/* user.c - people: making, changing and disabling them.
 *
 * Three rules beyond the role that the route asks for. Whoever is a platform admin can be made and changed by one alone, else
 * an admin of a tenant would set that person's password and sign in as him. A tenant keeps an admin. And nobody is deleted:
 * the audit log and incidents go on naming him. */
#include "resource_int.h"

static const struct form_word role_words[] = {
	{ "viewer", 1u << ROLE_VIEWER },
	{ "operator", 1u << ROLE_OPERATOR },
	{ "admin", 1u << ROLE_ADMIN },
	{ 0 }
};

static const struct form_word enabled_words[] = { { "true", 1 }, { "false", 2 }, { 0 } };

const struct form_field user_query_fields[] = {
	{ "role", WORDS_AT(struct user_filter, roles), .words = role_words, .help = "One or more, with commas between" },
	{ "enabled", WORDS_AT(struct user_filter, enabled), .words = enabled_words, .help = "May sign in, or not" },
	{ "q", TEXT_AT(struct user_filter, text), .max = 255, .help = "Part of name or email" },
	{ "limit", NUMBER_AT(struct user_filter, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX, .help = "Most users in the answer" },
	CURSOR_ROW(struct user_filter, cursor, "users"),
	FORM_END
};

const struct form_field user_fields[] = {
	{ "name", TEXT_AT(struct user_form, name), FORM_REQUIRED | FORM_FIXED, 1, 400,
		.help = "For signing in; 1 to 100 characters" },
	{ "email", TEXT_AT(struct user_form, email), .max = 255, .help = "Where to reach the person; null or empty: nowhere" },
	{ "role", WORDS_AT(struct user_form, role), .words = role_words,
		.help = "viewer reads, operator acts on incidents, admin changes everything" },
	{ "password", TEXT_AT(struct user_form, password), .max = 511,
		.help = "At least 8 characters; null or empty: cannot sign in, only tokens work" },
	{ "enabled", BOOL_AT(struct user_form, enabled), .help = "Whoever is disabled cannot sign in, and his tokens open nothing" },
	{ "platformAdmin", BOOL_AT(struct user_form, platform_admin), .help = "Sees all tenants; only platform admins may set it" },
	{ "resetTotp", BOOL_AT(struct user_form, reset_totp), .help = "true removes the authenticator app, for who lost it" },
	FORM_END
};

static const struct field audit_fields[] = {
	FIELD_STR(struct user_view, name, "name", ""),
	FIELD_STR(struct user_view, email, "email", ""),
	FIELD_STR(struct user_view, role, "role", ""),
	FIELD_BOOL(struct user_view, platform_admin, "platformAdmin", ""),
	FIELD_BOOL(struct user_view, enabled, "enabled", ""),
	FIELD_BOOL(struct user_view, has_password, "hasPassword", ""),
	FIELD_BOOL(struct user_view, has_totp, "hasTotp", ""),
	FIELD_END
};

bool deny(struct err *e, const char *sentence)
{
	return err_tell(e, ERR_DENIED, "%s", sentence);
}

static bool not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no such user");
}

/* ---- rules ---- */

static bool check_email(struct str s, struct err *e)
{
	bool ok = str_find(s, '@') > 0 && !str_ends(s, "@");

	for (size_t i = 0; i < s.n; i++)
		ok = ok && (unsigned char)s.p[i] > ' ' && s.p[i] != 0x7f;
	return ok || !s.n || err_field(e, ERR_INVALID, "email", "The email must be an address like ops@example.org.");
}

/* Of several words the form takes all their bits. */
static bool check_role(uint64_t bits, struct err *e)
{
	return (bits && !(bits & (bits - 1))) ||
		err_field(e, ERR_INVALID, "role", "The role must be one of viewer, operator and admin.");
}

static enum role role_of(const struct user_form *f)
{
	enum role r = ROLE_VIEWER;

	while (r < ROLE_ADMIN && !(f->role & 1u << r))
		r++;
	return r;
}

static bool check(const struct caller *by, const struct user_form *f, bool was_platform, struct err *e)
{
	if ((f->platform_admin || was_platform) && !by->principal.platform_admin)
		return deny(e, was_platform ? "Only a platform admin may change a platform admin." :
			"Only a platform admin may make another one.");
	return check_email(f->email, e) && check_role(f->role, e) &&
		(!f->password.n || account_password_check(f->password, f->name, e));
}

/* ---- audit ---- */

static void side(struct json_out *o, const char *key, const struct user *u)
{
	struct user_view v;

	user_view_fill(u, &v);
	json_key(o, key);
	json_open(o, '{');
	json_fields(o, audit_fields, &v);
	json_close(o, '}');
}

static bool note(struct db *db, const struct caller *by, const char *action, const struct user *before, const struct user *after,
	const char *fact, struct err *e)
{
	struct who who = caller_who(by, after->tenant_id);
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, by->a, DETAIL_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	if (before)
		side(&o, "before", before);
	side(&o, "after", after);
	if (fact) {
		json_key(&o, fact);
		json_bool(&o, true);
	}
	json_close(&o, '}');
	return audit_add(db, &who, action, after->public_id, strbuf_str(&b), by->now, e);
}

/* ---- making ---- */

struct creation {
	const struct caller *by;
	const struct user_form *f;
	struct user *made;
};

static bool create_tx(struct db *db, void *ctx, struct err *e)
{
	struct creation *c = ctx;
	const struct user_form *f = c->f;

	if (!user_add(db, c->by->a, (uint32_t)c->by->tenant_id, f->name, f->email, f->password, role_of(f), f->platform_admin,
		c->by->now, c->made, e))
		return false;
	c->made->enabled = f->enabled;
	return (f->enabled || user_update(db, c->made, e)) && note(db, c->by, "user.create", NULL, c->made, NULL, e);
}

bool user_create(const struct caller *by, const struct user_form *f, struct user *made, struct err *e)
{
	struct creation c = { by, f, made };

	return check(by, f, false, e) && db_tx(by->db, create_tx, &c, e);
}

/* ---- changing ---- */

int user_find(const struct caller *by, struct str public_id, struct user *out, struct err *e)
{
	return public_id_is(public_id, "us") ? user_by_public_id(by->db, by->a, (uint32_t)by->tenant_id, public_id, out, e) : 0;
}

void user_to_form(const struct user *u, struct user_form *f)
{
	*f = (struct user_form){ .name = u->name, .email = u->email, .role = 1u << u->role, .enabled = u->enabled,
		.platform_admin = u->platform_admin };
}

struct change {
	const struct caller *by;
	struct str public_id;
	bool (*read)(void *ctx, struct user_form *f, struct err *e);
	void *ctx;
	struct user_form *f;
	struct user *out;
	bool found;
};

static bool change_password(struct db *db, const struct change *c, struct user *u, struct err *e)
{
	if (!c->f->password.p)
		return true;
	u->password_hash = c->f->password.n ? STR("set") : STR_NONE;	/* for the audit entry */
	return user_set_password(db, c->by->a, u->id, c->f->password, e);
}

static bool reset_totp(struct db *db, const struct change *c, struct user *u, struct err *e)
{
	if (!c->f->reset_totp)
		return true;
	u->totp_sealed = STR_NONE;
	return user_totp_remove(db, u->id, e);
}

static bool end_sessions(struct db *db, const struct change *c, const struct user *u, struct err *e)
{
	struct str keep = u->enabled && u->id == c->by->principal.user_id ? c->by->session_id : STR_NONE;

	return (u->enabled && !c->f->password.p) || session_rows_end(db, u->id, keep, NULL, e);
}

static bool is_admin(const struct user *u)
{
	return u->enabled && u->role == ROLE_ADMIN;
}

static bool keeps_an_admin(struct db *db, const struct change *c, const struct user *before, const struct user *after, struct err *e)
{
	uint64_t admins;

	if (!is_admin(before) || is_admin(after))
		return true;
	return user_admins(db, after->tenant_id, c->by->a, &admins, e) &&
		(admins || err_tell(e, ERR_CONFLICT, "This is the last admin of the tenant. Make another user admin first."));
}

static bool change_tx(struct db *db, void *ctx, struct err *e)
{
	struct change *c = ctx;
	struct user before = { 0 }, after;
	int found = user_lock(db, c->by->a, (uint32_t)c->by->tenant_id, c->public_id, &before, e);

	c->found = found == 1;
	if (found != 1)
		return found == 0;
	user_to_form(&before, c->f);
	if (!c->read(c->ctx, c->f, e) || !check(c->by, c->f, before.platform_admin, e))
		return false;
	after = before;
	after.role = role_of(c->f);
	after.email = c->f->email.n ? c->f->email : STR_NONE;
	after.enabled = c->f->enabled;
	after.platform_admin = c->f->platform_admin;
	*c->out = after;
	return user_update(db, &after, e) && change_password(db, c, &after, e) && reset_totp(db, c, &after, e) &&
		keeps_an_admin(db, c, &before, &after, e) && end_sessions(db, c, &after, e) &&
		note(db, c->by, "user.update", &before, &after, c->f->password.n ? "passwordReplaced" : NULL, e);
}

bool user_change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct user_form *f, struct err *e), void *ctx,
	struct user_form *f, struct user *out, struct err *e)
{
	struct change c = { .by = by, .public_id = public_id, .read = read, .ctx = ctx, .f = f, .out = out };
	int found;

	if (!public_id_is(public_id, "us"))
		return not_found(e);
	if (!db_tx(by->db, change_tx, &c, e))
		return false;
	found = c.found ? user_find(by, public_id, out, e) : 0;
	return found == 1 || (!found && not_found(e));
}

static bool read_disabled(void *ctx, struct user_form *f, struct err *e)
{
	f->enabled = false;
	return true;
}

bool user_remove(const struct caller *by, struct str public_id, struct err *e)
{
	struct user_form f;
	struct user u;

	return user_change(by, public_id, read_disabled, NULL, &f, &u, e);
}
