/* token.c - API tokens of a user, newest first. A token's text is shown when it is made and never passes through here. */
#include "view_int.h"

const struct field token_view_fields[] = {
	FIELD_STR(struct token_view, id, "id", "Public id"),
	FIELD_STR(struct token_view, name, "name", "What it is for"),
	FIELD_JSON(struct token_view, scopes, "scopes", "What it may do of what its user may: read, incidents, events, "
		"integrations, sync, admin"),
	FIELD_STR(struct token_view, status, "status", "active, expired or revoked"),
	FIELD_TIME(struct token_view, created_at, "createdAt", "Creation"),
	FIELD_TIME(struct token_view, expires_at, "expiresAt", "End; null: none"),
	FIELD_TIME(struct token_view, last_used_at, "lastUsedAt", "Last use, to the minute"),
	FIELD_TIME(struct token_view, revoked_at, "revokedAt", "When it was revoked"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_U64(struct token_view, row, "id", ""),
	FIELD_U64(struct token_view, scopes_n, "scopes", ""),
	FIELD_STR(struct token_view, id, "public_id", ""),
	FIELD_STR(struct token_view, name, "name", ""),
	FIELD_TIME(struct token_view, created_at, "created_at", ""),
	FIELD_TIME(struct token_view, expires_at, "expires_at", ""),
	FIELD_TIME(struct token_view, last_used_at, "last_used_at", ""),
	FIELD_TIME(struct token_view, revoked_at, "revoked_at", ""),
	FIELD_END
};

static void write_open(struct sql *q)
{
	sql_lit(q, "SELECT u.id, u.scopes, u.public_id, u.name, u.created_at, u.expires_at, u.last_used_at, u.revoked_at FROM (");
}

static void write_close(struct sql *q)
{
	sql_lit(q, ") k JOIN tokens u ON u.id = k.id ORDER BY u.id DESC");
}

static void write_branch(struct sql *q, const struct branch *b)
{
	sql_lit(q, "SELECT t.id AS id FROM tokens t FORCE INDEX (by_user) WHERE t.user_id = ");
	sql_val(q, V_U(b->value));
}

static void write_residual(struct sql *q, const struct plan *p, const struct branch *b)
{
}

const struct list_table token_table = {
	.name = "view.token_list",
	.branch = write_branch,
	.residual = write_residual,
	.open = write_open,
	.close = write_close,
	.columns = columns,
	.size = sizeof(struct token_view),
};

static struct str scopes_json(struct arena *a, struct str list)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, 2 * list.n + 64);
	json_out_init(&o, &b);
	json_open(&o, '[');
	while (list.n)
		json_str(&o, str_until(&list, ','));
	json_close(&o, ']');
	return strbuf_str(&b);
}

/* A line may break between words. */
static struct str spaced(struct arena *a, struct str list)
{
	struct strbuf b;

	strbuf_init(&b, a, 2 * list.n + 1);
	while (list.n) {
		strbuf_adds(&b, b.n ? ", " : "");
		strbuf_addstr(&b, str_until(&list, ','));
	}
	return strbuf_str(&b);
}

static void fill_words(struct arena *a, struct token_view *v, ms_t now)
{
	struct str list = scopes_text(a, (uint32_t)v->scopes_n);

	v->scopes_text = spaced(a, list);
	v->scopes = scopes_json(a, list);
	v->status = v->revoked_at ? STR("revoked") : v->expires_at && v->expires_at <= now ? STR("expired") : STR("active");
}

bool token_view_list(struct db *db, struct arena *a, uint64_t user_row, uint64_t cursor, uint64_t limit, ms_t now,
	struct token_view **out, size_t *n, uint64_t *next, struct err *e)
{
	struct plan p;

	plan_init(&p, NULL, 0, 0, cursor, limit);
	plan_add(&p, BRANCH_USER, 0, user_row);
	if (!list_run(db, a, &token_table, &p, out, n, next, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		fill_words(a, &(*out)[i], now);
	return true;
}

void token_view_fill(struct arena *a, const struct token *t, ms_t now, struct token_view *out)
{
	*out = (struct token_view){
		.row = t->id,
		.scopes_n = t->scopes,
		.id = t->public_id,
		.name = t->name,
		.created_at = t->created_at,
		.expires_at = t->expires_at,
		.last_used_at = t->last_used_at,
		.revoked_at = t->revoked_at,
	};
	fill_words(a, out, now);
}
