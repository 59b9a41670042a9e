/* cmd_user.c - people. Each change and its audit entry are one transaction. */
#include "ctl_int.h"

#include "grapnel/account.h"

#define PASSWORD_RANDOM 12	/* bytes; 24 hex digits */

struct view {
	struct str id, name, email, role, password;
	bool platform_admin, enabled;
	ms_t created_at, last_seen_at;
};

static const struct field list_fields[] = {
	FIELD_STR(struct view, id, "id", ""),
	FIELD_STR(struct view, name, "name", ""),
	FIELD_STR(struct view, email, "email", ""),
	FIELD_STR(struct view, role, "role", ""),
	FIELD_BOOL(struct view, platform_admin, "platformAdmin", ""),
	FIELD_BOOL(struct view, enabled, "enabled", ""),
	FIELD_TIME(struct view, created_at, "createdAt", ""),
	FIELD_TIME(struct view, last_seen_at, "lastSeenAt", ""),
	FIELD_END
};

static const struct field made_fields[] = {
	FIELD_STR(struct view, id, "id", ""),
	FIELD_STR(struct view, name, "name", ""),
	FIELD_STR(struct view, role, "role", ""),
	FIELD_BOOL(struct view, platform_admin, "platformAdmin", ""),
	FIELD_STR(struct view, password, "password", ""),
	FIELD_END
};

static const struct field password_fields[] = {
	FIELD_STR(struct view, id, "id", ""),
	FIELD_STR(struct view, name, "name", ""),
	FIELD_STR(struct view, password, "password", ""),
	FIELD_END
};

static struct view view_of(const struct user *u)
{
	return (struct view){ .id = u->public_id, .name = u->name, .email = u->email,
		.role = str_of(role_word((enum role)u->role)), .platform_admin = u->platform_admin, .enabled = u->enabled,
		.created_at = u->created_at, .last_seen_at = u->last_seen_at };
}

/* From standard input, else a random one; *shown is then what has to be shown, this once. */
static bool password_choose(struct ctl *c, struct str user_name, struct str *password, struct str *shown, struct err *e)
{
	unsigned char raw[PASSWORD_RANDOM];

	*shown = STR_NONE;
	if (ctl_has(c, "password-stdin"))
		return ctl_stdin_line(c, password, e) && account_password_check(*password, user_name, e);
	random_bytes(raw, sizeof(raw));
	*password = *shown = hex_encode(c->arena, raw, sizeof(raw));
	secret_wipe(raw, sizeof(raw));
	return true;
}

/* ---- user add ---- */

struct adding {
	struct ctl *c;
	enum role role;
	struct str password;
	struct user made;
};

static bool add_tx(struct db *db, void *ctx, struct err *e)
{
	struct adding *add = ctx;
	struct ctl *c = add->c;
	struct str detail = arena_printf(c->arena, "{\"after\":{\"role\":\"%s\",\"platformAdmin\":%s}}", role_word(add->role),
		ctl_has(c, "platform") ? "true" : "false");

	return user_add(db, c->arena, c->tenant_id, ctl_word(c, 0), ctl_value(c, "email"), add->password, add->role,
		ctl_has(c, "platform"), c->now, &add->made, e) &&
		audit_add(db, &c->who, "user.create", add->made.public_id, detail, c->now, e);
}

static bool add(struct ctl *c, struct err *e)
{
	struct adding adding = { .c = c, .role = ROLE_VIEWER };
	struct str role = ctl_value(c, "role"), shown;
	struct view v;

	if (role.p && !role_parse(role, &adding.role))
		return err_set(e, ERR_INVALID, "--role is admin, operator or viewer");
	if (!password_choose(c, ctl_word(c, 0), &adding.password, &shown, e) || !db_tx(c->db, add_tx, &adding, e))
		return false;
	v = view_of(&adding.made);
	v.password = shown;
	ctl_one(c, made_fields, &v);
	return true;
}

/* ---- user password ---- */

struct changing {
	struct ctl *c;
	struct user user;
	struct str password;
};

static bool password_tx(struct db *db, void *ctx, struct err *e)
{
	struct changing *ch = ctx;
	struct who who = ch->c->who;

	who.tenant_id = (uint32_t)ch->user.tenant_id;
	return user_set_password(db, ch->c->arena, ch->user.id, ch->password, e) &&
		session_rows_end(db, ch->user.id, STR_NONE, NULL, e) &&
		audit_add(db, &who, "user.password", ch->user.public_id, STR_NONE, ch->c->now, e);
}

static bool password(struct ctl *c, struct err *e)
{
	struct changing ch = { .c = c };
	struct str shown;
	struct view v;

	if (!ctl_user(c, ctl_word(c, 0), &ch.user, e) || !password_choose(c, ch.user.name, &ch.password, &shown, e) ||
		!db_tx(c->db, password_tx, &ch, e))
		return false;
	v = view_of(&ch.user);
	v.password = shown;
	ctl_one(c, password_fields, &v);
	return true;
}

/* ---- user totp-reset, user sessions-end ---- */

static bool totp_reset_tx(struct db *db, void *ctx, struct err *e)
{
	struct changing *ch = ctx;
	struct who who = ch->c->who;

	who.tenant_id = (uint32_t)ch->user.tenant_id;
	return user_totp_remove(db, ch->user.id, e) &&
		audit_add(db, &who, "user.totp_off", ch->user.public_id, STR_NONE, ch->c->now, e);
}

static bool totp_reset(struct ctl *c, struct err *e)
{
	struct changing ch = { .c = c };

	if (!ctl_user(c, ctl_word(c, 0), &ch.user, e))
		return false;
	if (!ch.user.totp_sealed.n && !ch.user.totp_pending_sealed.n) {
		ctl_done(c, "%s has no authenticator app", c->words[0]);
		return true;
	}
	if (!db_tx(c->db, totp_reset_tx, &ch, e))
		return false;
	ctl_done(c, "%s signs in with the password alone now", c->words[0]);
	return true;
}

struct sessions_ending {
	struct changing ch;
	uint64_t ended;
};

static bool sessions_end_tx(struct db *db, void *ctx, struct err *e)
{
	struct sessions_ending *s = ctx;
	struct ctl *c = s->ch.c;
	struct who who = c->who;

	who.tenant_id = (uint32_t)s->ch.user.tenant_id;
	return session_rows_end(db, s->ch.user.id, STR_NONE, &s->ended, e) &&
		audit_add(db, &who, "user.sessions_end", s->ch.user.public_id,
			arena_printf(c->arena, "{\"sessionsEnded\":%llu}", (unsigned long long)s->ended), c->now, e);
}

static bool sessions_end(struct ctl *c, struct err *e)
{
	struct sessions_ending s = { .ch = { .c = c } };

	if (!ctl_user(c, ctl_word(c, 0), &s.ch.user, e) || !db_tx(c->db, sessions_end_tx, &s, e))
		return false;
	ctl_done(c, "%llu sessions of %s ended", (unsigned long long)s.ended, c->words[0]);
	return true;
}

/* ---- user list ---- */

static bool list(struct ctl *c, struct err *e)
{
	struct user *users;
	struct view *views;
	size_t n;

	if (!user_list(c->db, c->arena, c->tenant_id, &users, &n, e))
		return false;
	views = ARENA_ARRAY(c->arena, struct view, n);
	for (size_t i = 0; i < n; i++)
		views[i] = view_of(&users[i]);
	ctl_list(c, "users", list_fields, "id name role enabled lastSeenAt email", views, n, sizeof(*views), 0);
	return true;
}

bool ctl_user(struct ctl *c, struct str name, struct user *out, struct err *e)
{
	int found = user_by_name(c->db, c->arena, name, out, e);

	if (!found)
		err_set(e, ERR_NOT_FOUND, "there is no user \"%.*s\"", STR_ARG(name));
	return found == 1;
}

static const struct ctl_option add_options[] = {
	{ "role", "ROLE", "admin, operator or viewer (the default)" },
	{ "email", "ADDRESS", "where to reach the person" },
	{ "platform", NULL, "sees all tenants" },
	{ "password-stdin", NULL, "reads the password from standard input; else one is made and shown once" },
	{ 0 }
};

static const struct ctl_option password_options[] = {
	{ "password-stdin", NULL, "reads the password from standard input; else one is made and shown once" },
	{ 0 }
};

const struct command user_commands[] = {
	{ "user add", "NAME", add_options, NEED_SCHEMA, add, "makes a user" },
	{ "user list", "", NULL, NEED_SCHEMA, list, "lists the users of the tenant" },
	{ "user password", "NAME", password_options, NEED_SCHEMA, password, "sets a new password and ends all sessions" },
	{ "user totp-reset", "NAME", NULL, NEED_SCHEMA, totp_reset, "removes the authenticator app of who lost it" },
	{ "user sessions-end", "NAME", NULL, NEED_SCHEMA, sessions_end, "signs a user out everywhere" },
	{ 0 }
};
