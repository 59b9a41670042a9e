/* tokens.c - /api/tokens: API tokens, one's own and, for admins, those of others. */
#include "api_int.h"

struct token_query {
	struct str user;
	uint64_t limit, cursor;
};

const struct form_field token_query_fields[] = {
	{ "user", TEXT_AT(struct token_query, user), .max = 23, .help = "Id of another user, for admins" },
	{ "limit", NUMBER_AT(struct token_query, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX, .help = "Most tokens in the answer" },
	CURSOR_ROW(struct token_query, cursor, "tokens"),
	FORM_END
};

struct token_once {
	struct str token;
};
const struct field token_once_fields[] = {
	FIELD_STR(struct token_once, token, "token", "The token itself, shown this once"),
	FIELD_END
};

/* Whose tokens are asked for; false = answered. */
static bool find_owner(struct call *c, struct str wanted, uint64_t *user_row)
{
	struct user u = { 0 };
	struct err e = { 0 };
	int found;

	*user_row = c->by.principal.user_id;
	if (!wanted.n || str_eq(wanted, c->by.principal.user_public_id))
		return true;
	if (!account_has_role(&c->by.principal, NEED(ROLE_ADMIN, 0)))
		return reply_refuse(c, 403, "forbidden", "Only an admin sees the tokens of others.", "user");
	found = user_find(&c->by, wanted, &u, &e);
	*user_row = u.id;
	if (found < 0)
		return reply_err(c, &e);
	return found || reply_refuse(c, 400, "invalid_request", "There is no such user.", "user");
}

void api_token_list(void *call)
{
	struct call *c = call;
	struct token_query q = { .limit = LIST_LIMIT_DEFAULT };
	struct token_view *rows;
	struct err e = { 0 };
	uint64_t user_row, next;
	size_t n;

	if (!input_query(c, token_query_fields, &q) || !find_owner(c, q.user, &user_row))
		return;
	if (token_view_list(c->by.db, c->a, user_row, q.cursor, q.limit, c->by.now, &rows, &n, &next, &e))
		reply_list(c, "tokens", token_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

void api_token_create(void *call)
{
	struct call *c = call;
	struct token_form f = { .name = STR_NONE };
	struct token_once once;
	struct token_view v;
	struct token made = { 0 };
	struct err e = { 0 };
	struct reply r;

	if (!input_form(c, token_fields, false, &f))
		return;
	if (!token_create(&c->by, &f, &made, &once.token, &e)) {
		reply_err(c, &e);
		return;
	}
	token_view_fill(c->a, &made, c->by.now, &v);
	reply_begin(c, &r);
	json_fields(&r.o, token_view_fields, &v);
	json_fields(&r.o, token_once_fields, &once);
	reply_end(c, &r, 201);
}

void api_token_delete(void *call)
{
	struct call *c = call;
	struct err e = { 0 };

	if (token_end(&c->by, c->match.params[0], &e))
		c->rq->response.status = 204;
	else
		reply_err(c, &e);
}
