/* token.c - API tokens: bearer secrets of a user with scopes and an end. Only the SHA-256 of the text is kept; 256 random
 * bits need no slow hash, and a look-up by hash compares nothing that a clock could tell. */
#include "store_int.h"

#define TOKEN_BYTES 32			/* 43 characters of base64url */
#define USED_EVERY_MS MS_PER_MINUTE	/* last_used_at is a note for people: one write a minute is enough */

enum { Q_ADD, Q_LIST, Q_GET, Q_REVOKE, Q_PRINCIPAL, Q_USED };

static const struct stmt stmts[] = {
	[Q_ADD] = { "token.add",
		"INSERT INTO tokens (public_id, user_id, name, token_hash, scopes, created_at, expires_at)"
		" VALUES (?, ?, ?, ?, ?, ?, ?)" },
	[Q_LIST] = { "token.list",
		"SELECT id, user_id, scopes, public_id, name, created_at, expires_at, last_used_at, revoked_at"
		" FROM tokens WHERE user_id = ? ORDER BY id DESC" },
	[Q_GET] = { "token.get",
		"SELECT t.id, t.user_id, u.tenant_id, t.scopes, t.public_id, t.name, t.created_at, t.expires_at, t.last_used_at,"
		" t.revoked_at FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.public_id = ? AND ? IN (u.tenant_id, 0)" },
	[Q_REVOKE] = { "token.revoke",
		"UPDATE tokens SET revoked_at = COALESCE(revoked_at, ?) WHERE public_id = ?" },
	[Q_PRINCIPAL] = { "token.principal",
		"SELECT t.id AS token_id, t.public_id AS token_public_id, t.scopes, t.last_used_at, t.expires_at, u.id AS user_id,"
		" u.public_id AS user_public_id, u.tenant_id, u.role, u.platform_admin, u.name AS user_name"
		" FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.token_hash = ? AND t.revoked_at IS NULL"
		" AND (t.expires_at IS NULL OR t.expires_at > ?) AND u.enabled = 1" },
	[Q_USED] = { "token.used",
		"UPDATE tokens SET last_used_at = ? WHERE id = ?" },
};
const struct stmt_table token_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct token, id, "id", ""),
	FIELD_ID(struct token, user_id, "user_id", ""),
	FIELD_ID(struct token, tenant_id, "tenant_id", ""),
	FIELD_U64(struct token, scopes, "scopes", ""),
	FIELD_STR(struct token, public_id, "public_id", ""),
	FIELD_STR(struct token, name, "name", ""),
	FIELD_TIME(struct token, created_at, "created_at", ""),
	FIELD_TIME(struct token, expires_at, "expires_at", ""),
	FIELD_TIME(struct token, last_used_at, "last_used_at", ""),
	FIELD_TIME(struct token, revoked_at, "revoked_at", ""),
	FIELD_END
};

static const struct field principal_fields[] = {
	FIELD_ID(struct principal, user_id, "user_id", ""),
	FIELD_ID(struct principal, token_id, "token_id", ""),
	FIELD_ID(struct principal, tenant_id, "tenant_id", ""),
	FIELD_U64(struct principal, role, "role", ""),
	FIELD_U64(struct principal, scopes, "scopes", ""),
	FIELD_BOOL(struct principal, platform_admin, "platform_admin", ""),
	FIELD_STR(struct principal, user_name, "user_name", ""),
	FIELD_STR(struct principal, user_public_id, "user_public_id", ""),
	FIELD_STR(struct principal, token_public_id, "token_public_id", ""),
	FIELD_TIME(struct principal, last_used_at, "last_used_at", ""),
	FIELD_TIME(struct principal, expires_at, "expires_at", ""),
	FIELD_END
};

/* Bit i is the scope of this name. */
static const char *const scope_words[] = { "read", "incidents", "events", "integrations", "sync", "admin" };

static uint32_t scope_bit(struct str word)
{
	if (str_eqs(word, "all"))
		return SCOPE_ALL;
	for (size_t i = 0; i < ARRAY_SIZE(scope_words); i++)
		if (str_eqs(word, scope_words[i]))
			return 1u << i;
	return 0;
}

bool scopes_parse(struct str s, uint32_t *out)
{
	uint32_t scopes = 0;

	while (s.n) {
		uint32_t bit = scope_bit(str_trim(str_until(&s, ',')));

		if (!bit)
			return false;
		scopes |= bit;
	}
	if (scopes)
		*out = scopes;
	return scopes != 0;
}

struct str scopes_text(struct arena *a, uint32_t scopes)
{
	struct strbuf b;

	if (scopes == SCOPE_ALL)
		return STR("all");
	strbuf_init(&b, a, 128);
	for (size_t i = 0; i < ARRAY_SIZE(scope_words); i++)
		if (scopes & 1u << i)
			strbuf_addf(&b, "%s%s", b.n ? "," : "", scope_words[i]);
	return strbuf_str(&b);
}

static struct str token_text(struct arena *a)
{
	unsigned char raw[TOKEN_BYTES];
	struct str text;

	random_bytes(raw, sizeof(raw));
	text = arena_printf(a, "gt_%.*s", STR_ARG(base64url_encode(a, raw, sizeof(raw))));
	secret_wipe(raw, sizeof(raw));
	return text;
}

static struct str token_hash(struct arena *a, struct str text)
{
	unsigned char digest[SHA256_BYTES];

	sha256(text, digest);
	return arena_str(a, (struct str){ (const char *)digest, sizeof(digest) });
}

bool token_add(struct db *db, struct arena *a, uint64_t user_id, struct str name, uint32_t scopes, ms_t expires_at, ms_t now,
	struct token *out, struct str *text, struct err *e)
{
	char id[PUBLIC_ID_MAX];
	struct token t = { .user_id = user_id, .scopes = scopes, .name = name, .created_at = now, .expires_at = expires_at };
	struct str secret = token_text(a);

	if (!name_check(name, "name", e))
		return false;
	public_id_make("tk", id);
	t.public_id = arena_str(a, str_of(id));
	if (!db_exec(db, &stmts[Q_ADD],
		VALS(V_S(t.public_id), V_U(user_id), V_S(name), V_S(token_hash(a, secret)), V_U(scopes), V_I(now),
			V_T(expires_at)),
		NULL, e))
		return false;
	t.id = db_insert_id(db);
	*out = t;
	*text = secret;
	return true;
}

bool token_list(struct db *db, struct arena *a, uint64_t user_id, struct token **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_LIST], VALS(V_U(user_id)), a, fields, sizeof(**out), out, n, e);
}

int token_get(struct db *db, struct arena *a, uint32_t tenant_id, struct str public_id, struct token *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_GET], VALS(V_S(public_id), V_U(tenant_id)), a, fields, sizeof(*out), out, e);
}

/* A second time keeps the first moment. */
int token_revoke(struct db *db, struct str public_id, ms_t now, struct err *e)
{
	uint64_t affected;

	if (!db_exec(db, &stmts[Q_REVOKE], VALS(V_I(now), V_S(public_id)), &affected, e))
		return -1;
	return affected != 0;
}

int token_principal(struct db *db, struct arena *a, struct str text, ms_t now, struct principal *out, struct err *e)
{
	struct err ignored = { 0 };
	int found = db_query_one(db, &stmts[Q_PRINCIPAL], VALS(V_S(token_hash(a, text)), V_I(now)), a, principal_fields,
		sizeof(*out), out, e);

	if (found != 1 || now - out->last_used_at < USED_EVERY_MS)
		return found;
	/* A note that cannot be made (a lock, a read-only member) is no reason to refuse the caller. */
	if (db_exec(db, &stmts[Q_USED], VALS(V_I(now), V_U(out->token_id)), NULL, &ignored))
		out->last_used_at = now;
	return 1;
}
