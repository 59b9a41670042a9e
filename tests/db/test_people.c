/* test_people.c - who is signed in, and what people may do to people: src/account and the resources users, tokens and account
 * against a real MariaDB. Time is handed in; every test has a tenant and addresses of its own. */
#include <liboath/oath.h>

#include "grapnel/resource.h"
#include "tests/db/db_test.h"

#define PEOPLE_DB "grapnel_people"
#define NOW 1800000000000LL
#define PASSWORD STR("correct horse")

static struct db *db;
static struct arena *a;
static struct seal_key *sk;
static struct shm *shm;
static struct err e;
static uint32_t tenant;
static struct str address;	/* of the running test: buckets of addresses live longer than tests */
static const struct session_life life = { .idle_ms = MS_PER_HOUR, .max_ms = MS_PER_DAY };

enum { T_TENANT, T_DISABLE, T_SEEN, T_AUDIT };
static const struct stmt stmts[] = {
	[T_TENANT] = { "test.tenant", "INSERT INTO tenants (name, created_at) VALUES (UUID(), 0)" },
	[T_DISABLE] = { "test.disable", "UPDATE users SET enabled = 0 WHERE id = ?" },
	[T_SEEN] = { "test.seen", "SELECT last_seen_at AS n, '' AS text FROM users WHERE id = ?" },
	[T_AUDIT] = { "test.audit",
		"SELECT COUNT(*) AS n, COALESCE((SELECT l.detail FROM audit_log l WHERE l.id = MAX(o.id)), '') AS text"
		" FROM audit_log o WHERE o.object = ? AND o.action = ?" },
};
struct pair {
	uint64_t n;
	struct str text;
};
static const struct field pair_fields[] = {
	FIELD_U64(struct pair, n, "n", ""),
	FIELD_STR(struct pair, text, "text", ""),
	FIELD_END
};

#define refused(call, want_code, want_field) \
	do { \
		e = (struct err){ 0 }; \
		ck_assert_msg(!(call), "should have been refused"); \
		ck_assert_msg(e.code == (want_code) && !strcmp(e.field, want_field), "code %d, field %s: %s", e.code, e.field, e.text); \
		e = (struct err){ 0 }; \
	} while (0)

static struct pair ask(int q, const struct val *vals, size_t n)
{
	struct pair p = { 0 };

	ck_assert_msg(db_query_one(db, &stmts[q], vals, n, a, pair_fields, sizeof(p), &p, &e) == 1, "%s", e.text);
	return p;
}

static struct pair audited(struct str object, const char *action)
{
	return ask(T_AUDIT, VALS(V_S(object), V_S(str_of(action))));
}

static bool holds(struct str text, const char *part)
{
	return strstr(arena_cstr(a, text), part) != NULL;
}

static void new_tenant(void)
{
	succeeds(db_exec(db, &stmts[T_TENANT], NULL, 0, NULL, &e));
	tenant = (uint32_t)db_insert_id(db);
	address = arena_printf(a, "10.%u.%u.1", tenant / 256, tenant % 256);
}

static void setup(void)
{
	a = arena_new(64 << 20);
	e = (struct err){ 0 };
	new_tenant();
}

static void teardown(void)
{
	arena_free(a);
}

static struct user add_user(enum role role, bool platform)
{
	char id[PUBLIC_ID_MAX];
	struct user u;

	public_id_make("na", id);
	succeeds(user_add(db, a, tenant, arena_str(a, str_of(id)), STR_NONE, PASSWORD, role, platform, NOW, &u, &e));
	return u;
}

static struct caller as(const struct user *u)
{
	return (struct caller){
		.db = db, .shm = shm, .seal = sk, .a = a, .tenant_id = u->tenant_id, .remote_addr = address, .now = NOW,
		.principal = { .user_id = u->id, .tenant_id = u->tenant_id, .role = u->role, .scopes = SCOPE_ALL,
			.platform_admin = u->platform_admin, .user_name = u->name, .user_public_id = u->public_id },
	};
}

/* ---- sessions ---- */

static struct session begin(const struct user *u, ms_t now)
{
	struct session s;

	succeeds(session_begin(db, a, &life, u->id, address, STR("Mozilla/5.0 \xff\n"), now, &s, &e));
	return s;
}

static int found(struct str text, ms_t now)
{
	struct session s;

	return session_find(db, a, text, &life, now, true, &s, &e);
}

START_TEST(session_opens_as_its_user)
{
	struct user u = add_user(ROLE_OPERATOR, true);
	struct session s = begin(&u, NOW), other = begin(&u, NOW), read;
	struct session_row *rows;
	size_t n;

	ck_assert_uint_eq(s.text.n, SESSION_TEXT - 1);
	ck_assert(!str_eq(s.text, other.text));
	ck_assert_int_eq(session_find(db, a, s.text, &life, NOW, true, &read, &e), 1);
	ck_assert(str_eq(read.public_id, s.public_id) && public_id_is(read.public_id, "se"));
	ck_assert(read.principal.user_id == u.id && read.principal.tenant_id == tenant && read.principal.role == ROLE_OPERATOR);
	ck_assert(read.principal.platform_admin && read.principal.scopes == SCOPE_ALL && !read.principal.token_id);
	ck_assert(str_eq(read.principal.user_name, u.name) && str_eq(read.principal.user_public_id, u.public_id));
	ck_assert_int_eq(ask(T_SEEN, VALS(V_U(u.id))).n, NOW);
	succeeds(session_list(db, a, &life, u.id, NOW, &rows, &n, &e));
	ck_assert_uint_eq(n, 2);
	ck_assert(str_eqs(rows[0].user_agent, "Mozilla/5.0 ??") && str_eq(rows[0].remote_addr, address));
	ck_assert_int_eq(found(STR("short"), NOW), 0);
	ck_assert_int_eq(found(STR("0123456789012345678901234567890123456789012"), NOW), 0);
}
END_TEST

START_TEST(session_ends_idle_and_absolutely)
{
	struct user u = add_user(ROLE_VIEWER, false);
	struct session s = begin(&u, NOW), busy = begin(&u, NOW);
	const struct session_life shorter = { .idle_ms = MS_PER_HOUR, .max_ms = 2 * MS_PER_HOUR };
	struct session read;

	ck_assert_int_eq(found(s.text, NOW + life.idle_ms - 1), 1);	/* and was seen now */
	ck_assert_int_eq(found(s.text, NOW + 2 * life.idle_ms - 2), 1);
	ck_assert_int_eq(found(s.text, NOW + 3 * life.idle_ms), 0);
	for (ms_t t = 0; t < life.max_ms; t += MS_PER_HOUR / 2)
		ck_assert_int_eq(found(busy.text, NOW + t), 1);
	ck_assert_int_eq(session_find(db, a, busy.text, &shorter, NOW + life.max_ms - 1, true, &read, &e), 0);	/* what is configured now holds */
	ck_assert_int_eq(found(busy.text, NOW + life.max_ms), 0);
}
END_TEST

START_TEST(session_is_noted_once_a_minute)
{
	struct user u = add_user(ROLE_VIEWER, false);
	struct session s = begin(&u, NOW), read;

	ck_assert_int_eq(session_find(db, a, s.text, &life, NOW + MS_PER_MINUTE - 1, true, &read, &e), 1);
	ck_assert_int_eq(read.last_seen_at, NOW);
	ck_assert_int_eq(session_find(db, a, s.text, &life, NOW + MS_PER_MINUTE, false, &read, &e), 1);	/* a script's */
	ck_assert_int_eq(read.last_seen_at, NOW);
	ck_assert_int_eq(session_find(db, a, s.text, &life, NOW + MS_PER_MINUTE, true, &read, &e), 1);
	ck_assert_int_eq(read.last_seen_at, NOW + MS_PER_MINUTE);
	ck_assert_int_eq(ask(T_SEEN, VALS(V_U(u.id))).n, NOW + MS_PER_MINUTE);
}
END_TEST

START_TEST(session_ends_when_told)
{
	struct user u = add_user(ROLE_VIEWER, false), other = add_user(ROLE_VIEWER, false);
	struct session s = begin(&u, NOW), left = begin(&u, NOW), theirs = begin(&other, NOW);
	struct caller by = as(&u);
	uint64_t ended;

	succeeds(session_end(db, a, s.text, &e));
	ck_assert_int_eq(found(s.text, NOW), 0);
	ck_assert_int_eq(found(left.text, NOW), 1);
	refused(account_session_end(&by, theirs.public_id, &e), ERR_NOT_FOUND, "");
	s = begin(&u, NOW);
	succeeds(account_session_end(&by, left.public_id, &e));
	ck_assert_int_eq(found(left.text, NOW), 0);
	ck_assert_uint_eq(audited(left.public_id, "session.end").n, 1);
	left = begin(&u, NOW);
	by.session_id = s.public_id;
	succeeds(account_sessions_end(&by, &ended, &e));
	ck_assert_uint_eq(ended, 1);
	ck_assert(found(s.text, NOW) == 1 && found(left.text, NOW) == 0 && found(theirs.text, NOW) == 1);
	succeeds(db_exec(db, &stmts[T_DISABLE], VALS(V_U(u.id)), NULL, &e));
	ck_assert_int_eq(found(s.text, NOW), 0);
	refused(session_begin(db, a, &life, u.id, address, STR_NONE, NOW, &s, &e), ERR_CONFLICT, "");
}
END_TEST

START_TEST(flash_is_kept_with_the_session)
{
	struct user u = add_user(ROLE_VIEWER, false);
	struct session s = begin(&u, NOW), read;

	succeeds(session_flash(db, a, &s, STR("sealed \xff"), &e));
	ck_assert_int_eq(session_find(db, a, s.text, &life, NOW, true, &read, &e), 1);
	ck_assert(str_eqs(read.flash_sealed, "sealed \xff"));
	succeeds(session_flash(db, a, &s, STR_NONE, &e));
	ck_assert_int_eq(session_find(db, a, s.text, &life, NOW, true, &read, &e), 1);
	ck_assert_uint_eq(read.flash_sealed.n, 0);
}
END_TEST

/* ---- sign-in ---- */

static struct login_result try_at(struct login in, ms_t now)
{
	struct login_result r;

	in.remote_addr = in.remote_addr.n ? in.remote_addr : address;
	succeeds(login_try(db, a, shm, sk, &in, now, &r, &e));
	return r;
}

static enum login_answer sign_in(struct str name, struct str password, ms_t now)
{
	return try_at((struct login){ .name = name, .password = password }, now).answer;
}

START_TEST(sign_in_with_name_and_password)
{
	struct user u = add_user(ROLE_VIEWER, false), none;
	struct login_result r = try_at((struct login){ .name = u.name, .password = PASSWORD }, NOW);
	struct str long_name = arena_printf(a, "%01000d", 7);

	ck_assert_int_eq(r.answer, LOGIN_OK);
	ck_assert_uint_eq(r.user_id, u.id);
	ck_assert_uint_eq(audited(u.public_id, "user.sign_in").n, 1);
	ck_assert_int_eq(sign_in(u.name, STR("wrong horse"), NOW), LOGIN_WRONG);
	ck_assert(holds(audited(u.public_id, "user.sign_in_refused").text, "wrong password"));
	ck_assert_int_eq(sign_in(u.name, STR_NONE, NOW), LOGIN_WRONG);
	ck_assert_int_eq(sign_in(STR_NONE, PASSWORD, NOW), LOGIN_WRONG);
	ck_assert_int_eq(sign_in(STR("nobody \xff"), PASSWORD, NOW), LOGIN_WRONG);
	ck_assert_int_eq(sign_in(long_name, PASSWORD, NOW), LOGIN_WRONG);
	succeeds(user_add(db, a, tenant, arena_printf(a, "none %u", tenant), STR_NONE, STR_NONE, ROLE_ADMIN, false, NOW, &none, &e));
	ck_assert_int_eq(sign_in(none.name, STR_NONE, NOW), LOGIN_WRONG);
	succeeds(db_exec(db, &stmts[T_DISABLE], VALS(V_U(u.id)), NULL, &e));
	ck_assert_int_eq(sign_in(u.name, PASSWORD, NOW), LOGIN_WRONG);
}
END_TEST

/* What a name typed wrong holds may be a password. */
START_TEST(unknown_names_are_not_kept)
{
	struct audit_filter f = { .tenant_id = 1, .text = STR("my-secret-typed-as-name"), .limit = 10 };
	struct audit_view *rows;
	uint64_t next;
	size_t n;

	ck_assert_int_eq(sign_in(STR("my-secret-typed-as-name"), STR("x"), NOW), LOGIN_WRONG);
	succeeds(audit_view_list(db, a, &f, &rows, &n, &next, &e));
	ck_assert_uint_eq(n, 0);
	f = (struct audit_filter){ .tenant_id = 1, .action = STR("user.sign_in_refused"), .text = STR("unknown name"), .limit = 10 };
	succeeds(audit_view_list(db, a, &f, &rows, &n, &next, &e));
	ck_assert_uint_gt(n, 0);
	ck_assert(!rows[0].object.p && str_eqs(rows[0].actor, "person"));
}
END_TEST

/* One account, many addresses. The right password does not help either, and blanks at the end are the same account. */
START_TEST(guessing_at_one_account_is_slowed)
{
	struct user u = add_user(ROLE_VIEWER, false);
	struct login in = { .name = u.name, .password = STR("guess") };
	struct login_result r;
	ms_t waits[2] = { 0 };

	for (int i = 0; i < 10; i++) {
		in.remote_addr = arena_printf(a, "172.16.%u.%d", tenant % 256, i);
		ck_assert_int_eq(try_at(in, NOW).answer, LOGIN_WRONG);
	}
	in.remote_addr = arena_printf(a, "172.17.%u.1", tenant % 256);
	in.password = PASSWORD;
	in.name = arena_printf(a, "%.*s ", STR_ARG(u.name));
	r = try_at(in, NOW);
	ck_assert_int_eq(r.answer, LOGIN_THROTTLED);
	waits[0] = r.wait_ms;
	ck_assert_int_eq(waits[0], 30 * MS_PER_SECOND);
	ck_assert_int_eq(try_at(in, NOW + waits[0] - 1).answer, LOGIN_THROTTLED);
	ck_assert_int_eq(try_at(in, NOW + waits[0]).answer, LOGIN_OK);
	/* who goes on fails longer and longer */
	in.password = STR("guess");
	for (ms_t t = NOW + waits[0]; t < NOW + MS_PER_HOUR / 2; t += waits[0]) {
		in.remote_addr = arena_printf(a, "172.18.%u.%u", tenant % 256, (unsigned)(t / waits[0] % 250));
		r = try_at(in, t);
		waits[1] = r.wait_ms > waits[1] ? r.wait_ms : waits[1];
	}
	ck_assert_int_gt(waits[1], waits[0]);
}
END_TEST

START_TEST(guessing_at_names_of_nobody_is_slowed_alike)
{
	struct str name = arena_printf(a, "nobody %u", tenant);

	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(sign_in(name, STR("guess"), NOW), LOGIN_WRONG);
	ck_assert_int_eq(sign_in(name, STR("guess"), NOW), LOGIN_THROTTLED);
}
END_TEST

START_TEST(one_address_is_slowed_whatever_the_account)
{
	struct user u = add_user(ROLE_VIEWER, false);

	for (int i = 0; i < 30; i++) {
		ck_assert_int_eq(sign_in(arena_printf(a, "name %d", i), STR("guess"), NOW), LOGIN_WRONG);
		if (i < 29)	/* successes give nothing back and cost nothing */
			ck_assert_int_eq(sign_in(u.name, PASSWORD, NOW), LOGIN_OK);
	}
	ck_assert_int_eq(sign_in(u.name, PASSWORD, NOW), LOGIN_THROTTLED);
	ck_assert_int_eq(try_at((struct login){ .name = u.name, .password = PASSWORD, .remote_addr = STR("192.0.2.77") }, NOW).answer,
		LOGIN_OK);
}
END_TEST

/* ---- authenticator app ---- */

static struct str code_at(struct str key, ms_t now)
{
	char code[TOTP_DIGITS + 1], *seed;
	size_t n;

	ck_assert_int_eq(oath_base32_decode(key.p, key.n, &seed, &n), OATH_OK);
	ck_assert_int_eq(oath_totp_generate(seed, n, now / 1000, OATH_TOTP_DEFAULT_TIME_STEP_SIZE, OATH_TOTP_DEFAULT_START_TIME,
		TOTP_DIGITS, code), OATH_OK);
	free(seed);
	return arena_str(a, str_of(code));
}

static struct user reread(const struct user *u)
{
	struct user now = { 0 };

	ck_assert_int_eq(user_by_public_id(db, a, tenant, u->public_id, &now, &e), 1);
	return now;
}

/* The key, as the app has it. */
static struct str set_up_app(struct user *u)
{
	struct caller by = as(u);
	struct totp_setup setup;

	succeeds(account_totp_begin(&by, &e));
	*u = reread(u);
	ck_assert(!u->totp_sealed.n && u->totp_pending_sealed.n);
	succeeds(totp_setup(a, sk, u->public_id, u->totp_pending_sealed, u->name, STR("Grapnel a&b"), &setup, &e));
	ck_assert(holds(setup.url, "otpauth://totp/Grapnel%20a%26b:na_"));
	ck_assert(holds(setup.url, arena_cstr(a, setup.key)));
	refused(account_totp_confirm(&by, &(struct code_form){ STR("000000x") }, &e), ERR_INVALID, "code");
	succeeds(account_totp_confirm(&by, &(struct code_form){ code_at(setup.key, NOW) }, &e));
	*u = reread(u);
	ck_assert(u->totp_sealed.n && !u->totp_pending_sealed.n);
	ck_assert_uint_eq(audited(u->public_id, "user.totp_on").n, 1);
	return setup.key;
}

START_TEST(sign_in_with_a_code)
{
	struct user u = add_user(ROLE_VIEWER, false);
	struct str key = set_up_app(&u), spaced;
	struct login in = { .name = u.name, .password = PASSWORD };
	ms_t later = NOW + 10 * MS_PER_MINUTE;
	struct login_result r = try_at(in, later);

	ck_assert_int_eq(r.answer, LOGIN_TOTP_NEEDED);
	ck_assert(r.ticket.n && !holds(r.ticket, "horse"));
	in = (struct login){ .ticket = r.ticket, .code = STR("000000") };
	r = try_at(in, later);
	ck_assert_int_eq(r.answer, LOGIN_TOTP_WRONG);
	in.ticket = r.ticket;
	spaced = code_at(key, later);
	in.code = arena_printf(a, " %.3s %.3s ", spaced.p, spaced.p + 3);
	r = try_at(in, later);
	ck_assert_int_eq(r.answer, LOGIN_OK);
	ck_assert_uint_eq(r.user_id, u.id);
	/* once, and no older one either */
	ck_assert_int_eq(try_at(in, later).answer, LOGIN_TOTP_WRONG);
	in.code = code_at(key, later - 30 * MS_PER_SECOND);
	ck_assert_int_eq(try_at(in, later).answer, LOGIN_TOTP_WRONG);
	in.code = code_at(key, later + 30 * MS_PER_SECOND);
	ck_assert_int_eq(try_at(in, later).answer, LOGIN_OK);
	/* a step beside is good, two are not */
	in = (struct login){ .name = u.name, .password = PASSWORD, .code = code_at(key, later + 8 * MS_PER_MINUTE) };
	ck_assert_int_eq(try_at(in, later + 9 * MS_PER_MINUTE).answer, LOGIN_TOTP_WRONG);
	ck_assert_int_eq(try_at(in, later + 8 * MS_PER_MINUTE + 30 * MS_PER_SECOND).answer, LOGIN_OK);
}
END_TEST

START_TEST(codes_are_slowed_too)
{
	struct user u = add_user(ROLE_VIEWER, false);
	struct str key = set_up_app(&u);
	ms_t later = NOW + 10 * MS_PER_MINUTE;
	struct login_result r = try_at((struct login){ .name = u.name, .password = PASSWORD }, later);

	for (int i = 0; i < 10; i++)
		r = try_at((struct login){ .ticket = r.ticket, .code = STR("000000") }, later);
	ck_assert_int_eq(r.answer, LOGIN_TOTP_WRONG);
	r = try_at((struct login){ .ticket = r.ticket, .code = code_at(key, later) }, later);
	ck_assert_int_eq(r.answer, LOGIN_THROTTLED);
}
END_TEST

START_TEST(tickets_do_not_last)
{
	struct user u = add_user(ROLE_VIEWER, false);
	struct str key = set_up_app(&u);
	ms_t later = NOW + 10 * MS_PER_MINUTE, late = later + 6 * MS_PER_MINUTE;
	struct str ticket = try_at((struct login){ .name = u.name, .password = PASSWORD }, later).ticket;

	ck_assert_int_eq(try_at((struct login){ .ticket = ticket, .code = code_at(key, late) }, late).answer, LOGIN_STALE);
	ck_assert_int_eq(try_at((struct login){ .ticket = STR("rubbish"), .code = STR("1") }, later).answer, LOGIN_STALE);
	ck_assert_int_eq(try_at((struct login){ .ticket = str_cut(ticket, ticket.n - 4), .code = STR("1") }, later).answer, LOGIN_STALE);
	succeeds(user_set_password(db, a, u.id, STR("another horse"), &e));
	ck_assert_int_eq(try_at((struct login){ .ticket = ticket, .code = code_at(key, later) }, later).answer, LOGIN_STALE);
}
END_TEST

START_TEST(app_is_removed_with_the_password)
{
	struct user u = add_user(ROLE_VIEWER, false);
	struct caller by = as(&u);

	refused(account_totp_confirm(&by, &(struct code_form){ STR("123456") }, &e), ERR_CONFLICT, "");
	set_up_app(&u);
	refused(account_totp_begin(&by, &e), ERR_CONFLICT, "");
	refused(account_totp_end(&by, &(struct confirm_form){ STR("wrong") }, &e), ERR_INVALID, "current");
	ck_assert_int_eq(sign_in(u.name, PASSWORD, NOW), LOGIN_TOTP_NEEDED);
	succeeds(account_totp_end(&by, &(struct confirm_form){ PASSWORD }, &e));
	ck_assert_int_eq(sign_in(u.name, PASSWORD, NOW), LOGIN_OK);
	ck_assert_uint_eq(audited(u.public_id, "user.totp_off").n, 1);
}
END_TEST

/* ---- one's own password ---- */

static const struct {
	const char *current, *password, *repeated, *field;
} passwords[] = {
	{ "correct horse", "short", "short", "password" },
	{ "correct horse", "seven\xc3\xa4\xc3\xb6", "seven\xc3\xa4\xc3\xb6", "password" },
	{ "correct horse", "long enough", "long enoughh", "repeated" },
	{ "wrong horse", "long enough", "long enough", "current" },
};

START_TEST(passwords_are_refused)
{
	struct user u = add_user(ROLE_VIEWER, false);
	struct caller by = as(&u);
	struct password_form f = { str_of(passwords[_i].current), str_of(passwords[_i].password), str_of(passwords[_i].repeated) };
	uint64_t ended;

	refused(account_set_password(&by, &f, &ended, &e), ERR_INVALID, passwords[_i].field);
	f = (struct password_form){ PASSWORD, u.name, u.name };
	refused(account_set_password(&by, &f, &ended, &e), ERR_INVALID, "password");
	ck_assert_int_eq(sign_in(u.name, PASSWORD, NOW), LOGIN_OK);
}
END_TEST

START_TEST(new_password_ends_other_sessions)
{
	struct user u = add_user(ROLE_VIEWER, false);
	struct session mine = begin(&u, NOW), other = begin(&u, NOW);
	struct caller by = as(&u);
	const struct password_form f = { PASSWORD, STR("another horse"), STR("another horse") };
	uint64_t ended;

	by.session_id = mine.public_id;
	succeeds(account_set_password(&by, &f, &ended, &e));
	ck_assert_uint_eq(ended, 1);
	ck_assert(found(mine.text, NOW) == 1 && found(other.text, NOW) == 0);
	ck_assert_int_eq(sign_in(u.name, STR("another horse"), NOW), LOGIN_OK);
	ck_assert_int_eq(sign_in(u.name, PASSWORD, NOW), LOGIN_WRONG);
	ck_assert_uint_eq(audited(u.public_id, "user.password").n, 1);
}
END_TEST

/* ---- users ---- */

static bool wish(void *ctx, struct user_form *f, struct err *err)
{
	*f = *(struct user_form *)ctx;
	return true;
}

static bool change(const struct caller *by, const struct user *u, struct user_form wanted)
{
	struct user_form f;
	struct user out;

	return user_change(by, u->public_id, wish, &wanted, &f, &out, &e);
}

static struct user_form form_of(const struct user *u)
{
	struct user_form f;

	user_to_form(u, &f);
	return f;
}

START_TEST(user_is_made_and_changed)
{
	struct user boss = add_user(ROLE_ADMIN, false), made, read;
	struct caller by = as(&boss);
	struct user_form f = USER_FORM_NEW;
	struct pair audit;

	f.name = arena_printf(a, "ann %u", tenant);
	f.password = STR("a good one");
	f.email = STR("ann@example.org");
	succeeds(user_create(&by, &f, &made, &e));
	ck_assert_int_eq(sign_in(f.name, f.password, NOW), LOGIN_OK);
	audit = audited(made.public_id, "user.create");
	ck_assert_uint_eq(audit.n, 1);
	ck_assert(holds(audit.text, "ann@example.org") && !holds(audit.text, "good one") && !holds(audit.text, "$y$"));
	refused(user_create(&by, &f, &made, &e), ERR_CONFLICT, "name");
	f = form_of(&made);
	f.role = 1u << ROLE_OPERATOR;
	f.email = STR("");
	succeeds(change(&by, &made, f));
	read = reread(&made);
	ck_assert(read.role == ROLE_OPERATOR && !read.email.p && read.password_hash.n);
	audit = audited(made.public_id, "user.update");
	ck_assert(holds(audit.text, "\"role\":\"viewer\"") && holds(audit.text, "\"role\":\"operator\""));
	f.enabled = false;
	f.name = arena_printf(a, "off %u", tenant);
	succeeds(user_create(&by, &f, &made, &e));
	ck_assert(!reread(&made).enabled);
}
END_TEST

static const struct {
	struct user_form f;
	const char *field;
} bad_users[] = {
	{ { .name = STR("x"), .role = 2, .email = STR("nobody") }, "email" },
	{ { .name = STR("x"), .role = 2, .email = STR("@example.org") }, "email" },
	{ { .name = STR("x"), .role = 2, .email = STR("a b@example.org") }, "email" },
	{ { .name = STR("x"), .role = 6 }, "role" },
	{ { .name = STR("x"), .role = 0 }, "role" },
	{ { .name = STR("x"), .role = 2, .password = STR("short") }, "password" },
	{ { .name = STR("long enough"), .role = 2, .password = STR("long enough") }, "password" },
	{ { .name = STR(" x"), .role = 2 }, "name" },
};

START_TEST(users_are_refused)
{
	struct user boss = add_user(ROLE_ADMIN, false), made;
	struct caller by = as(&boss);

	refused(user_create(&by, &bad_users[_i].f, &made, &e), ERR_INVALID, bad_users[_i].field);
}
END_TEST

START_TEST(tenant_keeps_an_admin)
{
	struct user boss = add_user(ROLE_ADMIN, false), second;
	struct caller by = as(&boss);
	struct user_form f = form_of(&boss);

	refused(user_remove(&by, boss.public_id, &e), ERR_CONFLICT, "");
	f.role = 1u << ROLE_VIEWER;
	refused(change(&by, &boss, f), ERR_CONFLICT, "");
	ck_assert(reread(&boss).enabled && reread(&boss).role == ROLE_ADMIN);
	second = add_user(ROLE_ADMIN, false);
	succeeds(user_remove(&by, second.public_id, &e));
	refused(user_remove(&by, boss.public_id, &e), ERR_CONFLICT, "");	/* a disabled one does not count */
	second = add_user(ROLE_ADMIN, false);
	succeeds(change(&by, &boss, f));
	ck_assert_uint_eq(reread(&boss).role, ROLE_VIEWER);
}
END_TEST

START_TEST(platform_admins_are_for_their_own_kind)
{
	struct user boss = add_user(ROLE_ADMIN, false), root = add_user(ROLE_ADMIN, true), made;
	struct caller by = as(&boss), above = as(&root);
	struct user_form f = form_of(&root);

	f.password = STR("mine from now on");
	refused(change(&by, &root, f), ERR_DENIED, "");
	refused(user_remove(&by, root.public_id, &e), ERR_DENIED, "");
	f = form_of(&boss);
	f.platform_admin = true;
	refused(change(&by, &boss, f), ERR_DENIED, "");
	f.name = arena_printf(a, "new %u", tenant);
	refused(user_create(&by, &f, &made, &e), ERR_DENIED, "");
	succeeds(user_create(&above, &f, &made, &e));
	ck_assert(reread(&made).platform_admin);
	succeeds(change(&above, &boss, f));
}
END_TEST

START_TEST(users_of_others_do_not_exist)
{
	struct user mine = add_user(ROLE_ADMIN, false), theirs, out;
	struct caller by;
	uint32_t first = tenant;

	new_tenant();
	theirs = add_user(ROLE_VIEWER, false);
	by = as(&mine);
	ck_assert_uint_eq(by.tenant_id, first);
	ck_assert_int_eq(user_find(&by, theirs.public_id, &out, &e), 0);
	refused(user_remove(&by, theirs.public_id, &e), ERR_NOT_FOUND, "");
	refused(user_remove(&by, STR("us_"), &e), ERR_NOT_FOUND, "");
	by.tenant_id = 0;	/* tenant=all */
	ck_assert_int_eq(user_find(&by, theirs.public_id, &out, &e), 1);
}
END_TEST

START_TEST(being_disabled_or_given_a_password_ends_sessions)
{
	struct user boss = add_user(ROLE_ADMIN, false), u = add_user(ROLE_VIEWER, false);
	struct caller by = as(&boss);
	struct session s = begin(&u, NOW), mine = begin(&boss, NOW), other = begin(&boss, NOW);
	struct user_form f = form_of(&u);

	f.role = 1u << ROLE_OPERATOR;
	succeeds(change(&by, &u, f));
	ck_assert_int_eq(found(s.text, NOW), 1);
	f.password = STR("given by the boss");
	succeeds(change(&by, &u, f));
	ck_assert_int_eq(found(s.text, NOW), 0);
	ck_assert(holds(audited(u.public_id, "user.update").text, "passwordReplaced"));
	s = begin(&u, NOW);
	succeeds(user_remove(&by, u.public_id, &e));
	ck_assert_int_eq(found(s.text, NOW), 0);
	f = form_of(&u);
	f.enabled = true;
	succeeds(change(&by, &u, f));
	ck_assert_int_eq(found(s.text, NOW), 0);	/* being enabled again brings none back */
	f = form_of(&boss);
	f.password = STR("another horse");
	by.session_id = mine.public_id;
	succeeds(change(&by, &boss, f));
	ck_assert(found(mine.text, NOW) == 1 && found(other.text, NOW) == 0);
}
END_TEST

START_TEST(password_and_app_can_be_taken)
{
	struct user boss = add_user(ROLE_ADMIN, false), u = add_user(ROLE_VIEWER, false);
	struct caller by = as(&boss);
	struct user_form f;

	set_up_app(&u);
	f = form_of(&u);
	f.reset_totp = true;
	succeeds(change(&by, &u, f));
	ck_assert_int_eq(sign_in(u.name, PASSWORD, NOW), LOGIN_OK);
	f = form_of(&u);
	f.password = STR("");
	succeeds(change(&by, &u, f));
	ck_assert(!reread(&u).password_hash.n);
	ck_assert_int_eq(sign_in(u.name, PASSWORD, NOW), LOGIN_WRONG);
}
END_TEST

/* ---- lists of users and tokens ---- */

START_TEST(users_page_by_page)
{
	struct user_filter f = { .tenant_id = tenant, .limit = 2 };
	struct user_view *rows;
	struct user u;
	uint64_t next;
	size_t n;

	for (int i = 0; i < 3; i++)
		u = add_user(i ? ROLE_VIEWER : ROLE_ADMIN, false);
	succeeds(user_view_list(db, a, &f, &rows, &n, &next, &e));
	ck_assert(n == 2 && next && str_eq(rows[0].id, u.public_id) && rows[0].has_password && !rows[0].has_totp);
	f.cursor = next;
	succeeds(user_view_list(db, a, &f, &rows, &n, &next, &e));
	ck_assert(n == 1 && !next && str_eqs(rows[0].role, "admin"));
	f = (struct user_filter){ .tenant_id = tenant, .limit = 9, .roles = 1u << ROLE_VIEWER };
	succeeds(user_view_list(db, a, &f, &rows, &n, &next, &e));
	ck_assert_uint_eq(n, 2);
	f = (struct user_filter){ .tenant_id = tenant, .limit = 9, .enabled = 2 };
	succeeds(user_view_list(db, a, &f, &rows, &n, &next, &e));
	ck_assert_uint_eq(n, 0);
	f = (struct user_filter){ .tenant_id = tenant, .limit = 9, .text = str_sub(u.name, 4) };
	succeeds(user_view_list(db, a, &f, &rows, &n, &next, &e));
	ck_assert(n == 1 && str_eq(rows[0].id, u.public_id));
	f = (struct user_filter){ .limit = 9 };
	succeeds(user_view_list(db, a, &f, &rows, &n, &next, &e));
	ck_assert_uint_ge(n, 3);
}
END_TEST

START_TEST(tokens_are_no_larger_than_their_maker)
{
	struct user u = add_user(ROLE_OPERATOR, false);
	struct caller by = as(&u);
	struct token_form f = { .name = STR("script"), .scopes = SCOPE_READ | SCOPE_EVENTS, .days = 30 };
	struct principal p = { 0 };
	struct token made;
	struct str text;
	struct pair audit;

	succeeds(token_create(&by, &f, &made, &text, &e));
	ck_assert_int_eq(token_principal(db, a, text, NOW, &p, &e), 1);
	ck_assert_int_eq(p.expires_at, NOW + 30 * MS_PER_DAY);
	audit = audited(made.public_id, "token.create");
	ck_assert(audit.n == 1 && holds(audit.text, "\"read\",\"events\"") && !holds(audit.text, "gt_"));
	by.principal = p;
	f.scopes = SCOPE_INCIDENTS;
	refused(token_create(&by, &f, &made, &text, &e), ERR_DENIED, "");
	f.scopes = SCOPE_READ;
	f.days = 31;
	refused(token_create(&by, &f, &made, &text, &e), ERR_DENIED, "");
	f.days = 0;
	refused(token_create(&by, &f, &made, &text, &e), ERR_DENIED, "");
	f.days = 30;
	succeeds(token_create(&by, &f, &made, &text, &e));
	f.scopes = 0;
	refused(token_create(&by, &f, &made, &text, &e), ERR_INVALID, "scopes");
}
END_TEST

START_TEST(tokens_are_ended_by_their_owner_or_an_admin)
{
	struct user u = add_user(ROLE_VIEWER, false), peer = add_user(ROLE_OPERATOR, false), boss = add_user(ROLE_ADMIN, false);
	struct caller by = as(&u), other = as(&peer), admin = as(&boss);
	const struct token_form f = { .name = STR("x"), .scopes = SCOPE_ALL };
	struct token_view *rows;
	struct token first, second;
	struct str text;
	uint64_t next;
	size_t n;

	succeeds(token_create(&by, &f, &first, &text, &e));
	succeeds(token_create(&by, &f, &second, &text, &e));
	refused(token_end(&other, first.public_id, &e), ERR_NOT_FOUND, "");
	succeeds(token_end(&by, first.public_id, &e));
	succeeds(token_end(&by, first.public_id, &e));	/* again is no news */
	ck_assert_uint_eq(audited(first.public_id, "token.revoke").n, 1);
	succeeds(token_end(&admin, second.public_id, &e));
	succeeds(token_view_list(db, a, u.id, 0, 1, NOW, &rows, &n, &next, &e));
	ck_assert(n == 1 && next && str_eq(rows[0].id, second.public_id) && str_eqs(rows[0].status, "revoked"));
	ck_assert(str_eqs(rows[0].scopes, "[\"all\"]"));
}
END_TEST

/* ---- the audit log ---- */

#define LATER (NOW + 100 * MS_PER_DAY)	/* the log grows with time, as it does outside of tests */

START_TEST(audit_is_found_by_all_it_holds)
{
	struct user ann = add_user(ROLE_ADMIN, false);
	struct caller by = as(&ann);
	struct who who = caller_who(&by, tenant), shell = { .tenant_id = tenant, .actor = AUDIT_COMMAND_LINE };
	struct str object = arena_printf(a, "in_%u", tenant);
	struct audit_view *rows;
	uint64_t next;
	size_t n;

	succeeds(audit_add(db, &who, "integration.create", object, STR("{\"after\":{\"name\":\"Shop\"}}"), LATER, &e));
	succeeds(audit_add(db, &who, "integration.delete", object, STR_NONE, LATER + MS_PER_HOUR, &e));
	succeeds(audit_add(db, &shell, "user.create", STR("us_x"), STR_NONE, LATER + 2 * MS_PER_HOUR, &e));
	const struct {
		struct audit_filter f;
		size_t n;
	} filters[] = {
		{ { 0 }, 3 },
		{ { .actor = ann.name }, 2 },
		{ { .actor = ann.public_id }, 2 },
		{ { .actor = STR("Command line") }, 1 },
		{ { .actor = STR("nobody") }, 0 },
		{ { .action = STR("integration") }, 2 },
		{ { .action = STR("integration.delete") }, 1 },
		{ { .action = STR("integration.del") }, 0 },
		{ { .object = object }, 2 },
		{ { .object = object, .action = STR("integration.create") }, 1 },
		{ { .text = STR("shop") }, 1 },
		{ { .text = STR("user.cr") }, 1 },
		{ { .from = LATER + 1 }, 2 },
		{ { .to = LATER + 1 }, 1 },
		{ { .from = LATER + MS_PER_HOUR, .to = LATER + 2 * MS_PER_HOUR }, 1 },
		{ { .from = LATER + MS_PER_DAY * 3650 }, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct audit_filter f = filters[i].f;

		f.tenant_id = tenant;
		f.limit = 10;
		succeeds(audit_view_list(db, a, &f, &rows, &n, &next, &e));
		ck_assert_msg(n == filters[i].n && !next, "filter %zu: %zu rows", i, n);
		f.tenant_id = tenant + 1000;
		succeeds(audit_view_list(db, a, &f, &rows, &n, &next, &e));
		ck_assert_msg(n == 0, "filter %zu: rows of others", i);
	}
	succeeds(audit_view_list(db, a, &(struct audit_filter){ .tenant_id = tenant, .limit = 2 }, &rows, &n, &next, &e));
	ck_assert(n == 2 && next == rows[1].id && str_eqs(rows[0].actor, "command line") && !rows[0].user.p);
	ck_assert(str_eq(rows[1].user, ann.name) && str_eq(rows[1].remote_addr, address) && str_eq(rows[1].object, object));
	succeeds(audit_view_list(db, a, &(struct audit_filter){ .tenant_id = tenant, .limit = 2, .cursor = next }, &rows, &n, &next, &e));
	ck_assert(n == 1 && !next && str_eqs(rows[0].action, "integration.create"));
}
END_TEST

/* ---- the run ---- */

static void open_all(void)
{
	char key[] = "/tmp/grapnel-people-key.XXXXXX", state[] = "/tmp/grapnel-people-state.XXXXXX";

	close(mkstemp(key));
	unlink(key);
	close(mkstemp(state));
	unlink(state);
	test_database(PEOPLE_DB);
	db = test_connect(PEOPLE_DB, 60000);
	if (!migrate_up(db, getenv("GRAPNEL_TEST_SQL"), NULL, &e) || !seal_key_create(key, &e))
		die("%s", e.text);
	sk = seal_key_load(key, &e);
	shm = shm_open_file(state, &e);
	if (!sk || !shm)
		die("%s", e.text);
	unlink(key);
	unlink(state);
}

static void close_all(void)
{
	db_free(db);
	shm_close(shm);
	seal_key_free(sk);
}

static TCase *people_case(void)
{
	TCase *c = tcase_create("people");

	tcase_add_unchecked_fixture(c, open_all, close_all);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, session_opens_as_its_user);
	tcase_add_test(c, session_ends_idle_and_absolutely);
	tcase_add_test(c, session_is_noted_once_a_minute);
	tcase_add_test(c, session_ends_when_told);
	tcase_add_test(c, flash_is_kept_with_the_session);
	tcase_add_test(c, sign_in_with_name_and_password);
	tcase_add_test(c, unknown_names_are_not_kept);
	tcase_add_test(c, guessing_at_one_account_is_slowed);
	tcase_add_test(c, guessing_at_names_of_nobody_is_slowed_alike);
	tcase_add_test(c, one_address_is_slowed_whatever_the_account);
	tcase_add_test(c, sign_in_with_a_code);
	tcase_add_test(c, codes_are_slowed_too);
	tcase_add_test(c, tickets_do_not_last);
	tcase_add_test(c, app_is_removed_with_the_password);
	tcase_add_loop_test(c, passwords_are_refused, 0, ARRAY_SIZE(passwords));
	tcase_add_test(c, new_password_ends_other_sessions);
	tcase_add_test(c, user_is_made_and_changed);
	tcase_add_loop_test(c, users_are_refused, 0, ARRAY_SIZE(bad_users));
	tcase_add_test(c, tenant_keeps_an_admin);
	tcase_add_test(c, platform_admins_are_for_their_own_kind);
	tcase_add_test(c, users_of_others_do_not_exist);
	tcase_add_test(c, being_disabled_or_given_a_password_ends_sessions);
	tcase_add_test(c, password_and_app_can_be_taken);
	tcase_add_test(c, users_page_by_page);
	tcase_add_test(c, tokens_are_no_larger_than_their_maker);
	tcase_add_test(c, tokens_are_ended_by_their_owner_or_an_admin);
	tcase_add_test(c, audit_is_found_by_all_it_holds);
	return c;
}

int main(void)
{
	Suite *suite = suite_create("people");
	SRunner *r = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, people_case());
	srunner_set_fork_status(r, CK_NOFORK);	/* one connection for all */
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
