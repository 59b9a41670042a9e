/* token.c - API tokens. A token can make another one, but none that may do more or lives longer: else the short-lived token
 * of a script, once stolen, would be one for ever. */
#include "resource_int.h"

static const struct form_word scope_words[] = {
	{ "read", SCOPE_READ },
	{ "incidents", SCOPE_INCIDENTS },
	{ "events", SCOPE_EVENTS },
	{ "integrations", SCOPE_INTEGRATIONS },
	{ "sync", SCOPE_SYNC },
	{ "admin", SCOPE_ADMIN },
	{ "all", SCOPE_ALL },
	{ 0 }
};

const struct form_field token_fields[] = {
	{ "name", TEXT_AT(struct token_form, name), FORM_REQUIRED, 1, 400, .help = "What it is for; 1 to 100 characters" },
	{ "scopes", WORDS_AT(struct token_form, scopes), FORM_REQUIRED, .words = scope_words,
		.help = "What it may do of what its user may" },
	{ "expiresInDays", NUMBER_AT(struct token_form, days), FORM_NULL, 1, TOKEN_DAYS_MAX,
		.help = "Ends after so many days; null: does not end" },
	FORM_END
};

static const struct field audit_fields[] = {
	FIELD_STR(struct token_view, name, "name", ""),
	FIELD_JSON(struct token_view, scopes, "scopes", ""),
	FIELD_TIME(struct token_view, expires_at, "expiresAt", ""),
	FIELD_END
};

static bool within(const struct caller *by, const struct token_form *f, ms_t expires_at, struct err *e)
{
	const struct principal *p = &by->principal;

	if (!p->token_id)
		return true;
	if (!(p->scopes & SCOPE_ADMIN) && f->scopes & ~p->scopes)
		return deny(e, "A token cannot make one with more scopes than its own.");
	if (p->expires_at && (!expires_at || expires_at > p->expires_at))
		return deny(e, "A token cannot make one that ends later than itself.");
	return true;
}

static bool note(struct db *db, const struct caller *by, uint64_t tenant_id, const char *action, const struct token *t, struct err *e)
{
	struct who who = caller_who(by, tenant_id);
	struct token_view v;
	struct json_out o;
	struct strbuf b;

	token_view_fill(by->a, t, by->now, &v);
	strbuf_init(&b, by->a, DETAIL_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, str_eqs(str_of(action), "token.create") ? "after" : "before");
	json_open(&o, '{');
	json_fields(&o, audit_fields, &v);
	json_close(&o, '}');
	json_close(&o, '}');
	return audit_add(db, &who, action, t->public_id, strbuf_str(&b), by->now, e);
}

struct creation {
	const struct caller *by;
	const struct token_form *f;
	ms_t expires_at;
	struct token *made;
	struct str *text;
};

static bool create_tx(struct db *db, void *ctx, struct err *e)
{
	struct creation *c = ctx;

	return token_add(db, c->by->a, c->by->principal.user_id, c->f->name, (uint32_t)c->f->scopes, c->expires_at, c->by->now, c->made,
		c->text, e) && note(db, c->by, c->by->principal.tenant_id, "token.create", c->made, e);
}

bool token_create(const struct caller *by, const struct token_form *f, struct token *made, struct str *text, struct err *e)
{
	struct creation c = { .by = by, .f = f, .made = made, .text = text,
		.expires_at = f->days ? by->now + (ms_t)f->days * MS_PER_DAY : 0 };

	if (!f->scopes)
		return err_field(e, ERR_INVALID, "scopes", "Choose at least one scope.");
	return within(by, f, c.expires_at, e) && db_tx(by->db, create_tx, &c, e);
}

struct ending {
	const struct caller *by;
	const struct token *token;
};

static bool end_tx(struct db *db, void *ctx, struct err *e)
{
	struct ending *c = ctx;

	return token_revoke(db, c->token->public_id, c->by->now, e) >= 0 &&
		note(db, c->by, c->token->tenant_id, "token.revoke", c->token, e);
}

bool token_end(const struct caller *by, struct str public_id, struct err *e)
{
	struct token token = { 0 };
	struct ending c = { by, &token };
	int found = public_id_is(public_id, "tk") ? token_get(by->db, by->a, (uint32_t)by->tenant_id, public_id, &token, e) : 0;

	if (found < 0)
		return false;
	if (!found || (token.user_id != by->principal.user_id && !account_has_role(&by->principal, NEED(ROLE_ADMIN, 0))))
		return err_set(e, ERR_NOT_FOUND, "there is no such token");
	return token.revoked_at || db_tx(by->db, end_tx, &c, e);
}
