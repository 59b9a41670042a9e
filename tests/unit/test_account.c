/* What a principal may do: role and scope both. Bearer headers that need no database to be refused.
 */
#include "grapnel/account.h"
#include "unit.h"

static const struct {
	enum role role;
	uint32_t scopes;
	bool platform;
	unsigned needs;
	bool by_role, by_scope;
} rows[] = {
	{ ROLE_VIEWER, SCOPE_READ, false, NEED(ROLE_VIEWER, SCOPE_READ), true, true },
	{ ROLE_VIEWER, SCOPE_READ, false, NEED(ROLE_OPERATOR, SCOPE_READ), false, true },
	{ ROLE_VIEWER, SCOPE_ALL, false, NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS), false, true },
	{ ROLE_ADMIN, SCOPE_READ, false, NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS), true, false },
	{ ROLE_ADMIN, SCOPE_ADMIN, false, NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS), true, true },
	{ ROLE_OPERATOR, SCOPE_INCIDENTS, false, NEED(ROLE_VIEWER, SCOPE_READ | SCOPE_INCIDENTS),
		true, true },
	{ ROLE_OPERATOR, SCOPE_SYNC, false, NEED(ROLE_VIEWER, SCOPE_READ | SCOPE_INCIDENTS), true,
		false },
	{ ROLE_VIEWER, SCOPE_EVENTS, true, NEED(ROLE_ADMIN, SCOPE_EVENTS), true, true },
	{ ROLE_NONE, 0, false, NEED(ROLE_VIEWER, SCOPE_READ), false, false },
};

START_TEST(test_rights)
{
	struct principal p = { .role = rows[_i].role,
		.scopes = rows[_i].scopes,
		.platform_admin = rows[_i].platform };

	ck_assert(account_has_role(&p, rows[_i].needs) == rows[_i].by_role);
	ck_assert(account_has_scope(&p, rows[_i].needs) == rows[_i].by_scope);
}
END_TEST

/* Refused before any look-up: db is NULL. */
START_TEST(test_headers_without_a_token)
{
	static const char *const headers[] = { "", "Bearer", "Bearer ", "Basic Z3RfeA==", "gt_x",
		"Bearergt_x" };
	struct arena *a = arena_new(1 << 16);
	struct principal p;
	struct err e = { 0 };
	struct str text;

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		ck_assert_int_eq(account_bearer(NULL, a, str_of(headers[i]), 1, &p, &e), 0);
	text = arena_printf(a, "Bearer %0300d", 7);
	ck_assert_int_eq(account_bearer(NULL, a, text, 1, &p, &e), 0);
	arena_free(a);
}
END_TEST

START_TEST(test_tenant_of_a_call)
{
	struct arena *a = arena_new(1 << 16);
	struct principal p = { .tenant_id = 4, .user_id = 2, .token_id = 3 };
	uint64_t tenant;
	struct err e = { 0 };
	struct who who;

	ck_assert_int_eq(account_tenant(NULL, a, &p, STR_NONE, &tenant, &e), 1);
	ck_assert_uint_eq(tenant, 4);
	ck_assert_int_eq(account_tenant(NULL, a, &p, STR("all"), &tenant, &e), -1);
	ck_assert_int_eq(e.code, ERR_DENIED);
	p.platform_admin = true;
	ck_assert_int_eq(account_tenant(NULL, a, &p, STR("all"), &tenant, &e), 1);
	ck_assert_uint_eq(tenant, 0);
	who = account_who(&p, 9, STR("192.0.2.1"));
	ck_assert(who.tenant_id == 9 && who.user_id == 2 && who.token_id == 3 && who.actor == 3);
	arena_free(a);
}
END_TEST

UNIT_MAIN("account", UNIT_ROWS(test_rights, rows), UNIT(test_headers_without_a_token),
	UNIT(test_tenant_of_a_call))
