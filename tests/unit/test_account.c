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

/* ---- CSRF tokens ---- */

#define NOW 1800000000000LL

START_TEST(test_csrf)
{
	struct arena *a = arena_new(1 << 16);
	struct str token = csrf_make(a, STR("secret"), NOW), other;
	char *changed = arena_cstr(a, token);

	ck_assert_int_eq(csrf_check(STR("secret"), token, NOW), 1);
	ck_assert_int_eq(csrf_check(STR("secret"), token, NOW + CSRF_LIFE_MS), 1);
	ck_assert_int_eq(csrf_check(STR("secret"), token, NOW + CSRF_LIFE_MS + 1), 0);
	ck_assert_int_eq(csrf_check(STR("secret"), token, NOW - 30 * MS_PER_SECOND), 1);	/* made by another host */
	ck_assert_int_eq(csrf_check(STR("secret"), token, NOW - MS_PER_HOUR), 0);
	ck_assert_int_eq(csrf_check(STR("other"), token, NOW), -1);
	ck_assert_int_eq(csrf_check(STR_NONE, csrf_make(a, STR_NONE, NOW), NOW), -1);
	ck_assert_int_eq(csrf_check(STR("secret"), STR_NONE, NOW), -1);
	ck_assert_int_eq(csrf_check(STR("secret"), str_cut(token, token.n - 2), NOW), -1);
	ck_assert_int_eq(csrf_check(STR("secret"), arena_printf(a, "%s00", token.p), NOW), -1);
	for (size_t i = 0; i < token.n; i++) {
		changed[i] ^= 1;
		other = (struct str){ changed, token.n };
		ck_assert_int_eq(csrf_check(STR("secret"), other, NOW), -1);
		changed[i] ^= 1;
	}
	arena_free(a);
}
END_TEST

/* ---- passwords ---- */

static const struct {
	const char *password;
	bool good;
} passwords[] = {
	{ "eightchr", true }, { "sevenc\xc3\xb6", false }, { "\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6", true },
	{ "", false }, { "Administrator", false }, { "administrator", false }, { "administrator1", true }, { "latin \xf6\xf6\xf6\xf6", false },
};

START_TEST(test_password)
{
	struct err e = { 0 };

	ck_assert(account_password_check(str_of(passwords[_i].password), STR("administrator"), &e) == passwords[_i].good);
	if (!passwords[_i].good)
		ck_assert_str_eq(e.field, "password");
}
END_TEST

/* ---- codes: RFC 6238, appendix B, the last six digits ---- */

static const struct {
	ms_t at;
	const char *code;
} codes[] = {
	{ 59, "287082" }, { 1111111109, "081804" }, { 1111111111, "050471" }, { 1234567890, "005924" }, { 2000000000, "279037" },
	{ 20000000000, "353130" },
};

static struct seal_key *new_key(void)
{
	char path[] = "test_account.key.XXXXXX";
	struct err e = { 0 };
	struct seal_key *k;

	close(mkstemp(path));
	unlink(path);
	ck_assert_msg(seal_key_create(path, &e), "%s", e.text);
	k = seal_key_load(path, &e);
	ck_assert_msg(k != NULL, "%s", e.text);
	unlink(path);
	return k;
}

START_TEST(test_codes)
{
	struct arena *a = arena_new(1 << 16);
	struct seal_key *k = new_key();
	struct str user = STR("us_1"), sealed = seal(a, k, STR("12345678901234567890"), "totp:us_1");
	struct str code = str_of(codes[_i].code);
	ms_t at = codes[_i].at * 1000;
	struct err e = { 0 };
	int64_t step = 0;

	ck_assert_int_eq(totp_check(a, k, user, sealed, code, at, 0, &step, &e), 1);
	ck_assert_int_eq(step, codes[_i].at / 30);
	ck_assert_int_eq(totp_check(a, k, user, sealed, code, at + 30000, 0, &step, &e), 1);
	ck_assert_int_eq(totp_check(a, k, user, sealed, code, at - 30000, 0, &step, &e), 1);
	ck_assert_int_eq(totp_check(a, k, user, sealed, code, at + 60000, 0, &step, &e), 0);
	ck_assert_int_eq(totp_check(a, k, user, sealed, code, at, codes[_i].at / 30, &step, &e), 0);	/* used */
	ck_assert_int_eq(totp_check(a, k, user, sealed, arena_printf(a, "%.3s %s", code.p, code.p + 3), at, 0, &step, &e), 1);
	ck_assert_int_eq(totp_check(a, k, user, sealed, arena_printf(a, "%s0", code.p), at, 0, &step, &e), 0);
	ck_assert_int_eq(totp_check(a, k, user, sealed, STR_NONE, at, 0, &step, &e), 0);
	ck_assert_int_eq(totp_check(a, k, STR("us_2"), sealed, code, at, 0, &step, &e), -1);	/* the seed of another */
	seal_key_free(k);
	arena_free(a);
}
END_TEST

START_TEST(test_setup_of_an_app)
{
	struct arena *a = arena_new(1 << 16);
	struct seal_key *k = new_key();
	struct str sealed = seal(a, k, STR("12345678901234567890"), "totp:us_1");
	struct totp_setup setup;
	struct err e = { 0 };

	ck_assert(totp_setup(a, k, STR("us_1"), sealed, STR("ann o:x"), STR("Grapnel hooks.example.org"), &setup, &e));
	unit_str(setup.key, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
	unit_str(setup.url, "otpauth://totp/Grapnel%20hooks.example.org:ann%20o%3Ax?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
		"&issuer=Grapnel%20hooks.example.org");
	ck_assert(totp_setup(a, k, STR("us_1"), totp_make(a, k, STR("us_1")), STR("ann"), STR("Grapnel"), &setup, &e));
	ck_assert_uint_eq(setup.key.n, 32);
	seal_key_free(k);
	arena_free(a);
}
END_TEST

UNIT_MAIN("account", UNIT_ROWS(test_rights, rows), UNIT(test_headers_without_a_token),
	UNIT(test_tenant_of_a_call), UNIT(test_csrf), UNIT_ROWS(test_password, passwords), UNIT_ROWS(test_codes, codes),
	UNIT(test_setup_of_an_app))
