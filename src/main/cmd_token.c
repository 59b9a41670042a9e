/* cmd_token.c - API tokens of a user. The text of a token is shown once, when it is made. */
#include "ctl_int.h"

#define DAYS_MAX 3650

struct view {
	struct str id, token, name, scopes;
	ms_t created_at, expires_at, last_used_at, revoked_at;
};

static const struct field made_fields[] = {
	FIELD_STR(struct view, id, "id", ""),
	FIELD_STR(struct view, token, "token", ""),
	FIELD_STR(struct view, name, "name", ""),
	FIELD_STR(struct view, scopes, "scopes", ""),
	FIELD_TIME(struct view, expires_at, "expiresAt", ""),
	FIELD_END
};

static const struct field list_fields[] = {
	FIELD_STR(struct view, id, "id", ""),
	FIELD_STR(struct view, name, "name", ""),
	FIELD_STR(struct view, scopes, "scopes", ""),
	FIELD_TIME(struct view, created_at, "createdAt", ""),
	FIELD_TIME(struct view, expires_at, "expiresAt", ""),
	FIELD_TIME(struct view, last_used_at, "lastUsedAt", ""),
	FIELD_TIME(struct view, revoked_at, "revokedAt", ""),
	FIELD_END
};

static struct view view_of(struct arena *a, const struct token *t)
{
	return (struct view){ .id = t->public_id, .name = t->name, .scopes = scopes_text(a, (uint32_t)t->scopes),
		.created_at = t->created_at, .expires_at = t->expires_at, .last_used_at = t->last_used_at,
		.revoked_at = t->revoked_at };
}

/* ---- token add ---- */

struct adding {
	struct ctl *c;
	struct user user;
	struct str name, text;
	uint32_t scopes;
	ms_t expires_at;
	struct token made;
};

static bool add_tx(struct db *db, void *ctx, struct err *e)
{
	struct adding *add = ctx;
	struct ctl *c = add->c;
	struct str detail = arena_printf(c->arena, "{\"after\":{\"scopes\":\"%.*s\"}}", STR_ARG(scopes_text(c->arena, add->scopes)));
	struct who who = c->who;

	who.tenant_id = (uint32_t)add->user.tenant_id;
	return token_add(db, c->arena, add->user.id, add->name, add->scopes, add->expires_at, c->now, &add->made, &add->text,
		e) && audit_add(db, &who, "token.create", add->made.public_id, detail, c->now, e);
}

static bool add(struct ctl *c, struct err *e)
{
	struct adding adding = { .c = c, .name = ctl_value(c, "name"), .scopes = SCOPE_ALL };
	struct str scopes = ctl_value(c, "scopes");
	uint64_t days = 0;
	struct view v;

	if (!adding.name.p)
		adding.name = STR("grapnelctl");
	if (scopes.p && !scopes_parse(scopes, &adding.scopes))
		return err_set(e, ERR_INVALID, "--scopes is all, or some of read,incidents,events,integrations,sync,admin");
	if (!ctl_number(c, "days", 1, DAYS_MAX, &days, e))
		return false;
	if (days)
		adding.expires_at = c->now + (ms_t)days * MS_PER_DAY;
	if (!ctl_user(c, ctl_word(c, 0), &adding.user, e) || !db_tx(c->db, add_tx, &adding, e))
		return false;
	v = view_of(c->arena, &adding.made);
	v.token = adding.text;
	ctl_one(c, made_fields, &v);
	return true;
}

/* ---- token list, token revoke ---- */

static bool list(struct ctl *c, struct err *e)
{
	struct user user;
	struct token *tokens;
	struct view *views;
	size_t n;

	if (!ctl_user(c, ctl_word(c, 0), &user, e) || !token_list(c->db, c->arena, user.id, &tokens, &n, e))
		return false;
	views = ARENA_ARRAY(c->arena, struct view, n);
	for (size_t i = 0; i < n; i++)
		views[i] = view_of(c->arena, &tokens[i]);
	ctl_list(c, "tokens", list_fields, "id name scopes createdAt expiresAt lastUsedAt revokedAt", views, n,
		sizeof(*views), 0);
	return true;
}

struct revoking {
	struct ctl *c;
	int found;
};

static bool revoke_tx(struct db *db, void *ctx, struct err *e)
{
	struct revoking *r = ctx;
	struct str id = ctl_word(r->c, 0);

	r->found = token_revoke(db, id, r->c->now, e);
	return r->found == 0 ||
		(r->found == 1 && audit_add(db, &r->c->who, "token.revoke", id, STR_NONE, r->c->now, e));
}

static bool revoke(struct ctl *c, struct err *e)
{
	struct revoking r = { .c = c };

	if (!db_tx(c->db, revoke_tx, &r, e))
		return false;
	if (!r.found)
		return err_set(e, ERR_NOT_FOUND, "there is no token \"%s\"", c->words[0]);
	ctl_done(c, "token %s opens nothing any more", c->words[0]);
	return true;
}

static const struct ctl_option add_options[] = {
	{ "name", "NAME", "what it is for; default grapnelctl" },
	{ "scopes", "SCOPES", "all (the default), or some of read,incidents,events,integrations,sync,admin" },
	{ "days", "N", "ends after so many days; default never" },
	{ 0 }
};

const struct command token_commands[] = {
	{ "token add", "USER", add_options, NEED_SCHEMA, add, "makes an API token, shown this once" },
	{ "token list", "USER", NULL, NEED_SCHEMA, list, "lists the tokens of a user" },
	{ "token revoke", "ID", NULL, NEED_SCHEMA, revoke, "ends a token now" },
	{ 0 }
};
