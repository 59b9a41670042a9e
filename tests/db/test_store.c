/* test_store.c - each call of store.h against a real MariaDB: what it writes, whom it shows it to, what it refuses.
 * Time is handed in; every test has a tenant of its own, so that none sees what another left. */
#include "grapnel/shm.h"
#include "grapnel/store.h"
#include "tests/db/db_test.h"

#define STORE_DB "grapnel_store"

#define NOW 1800000000000LL

static struct db *db;
static struct arena *a;
static struct seal_key *sk;
static struct shm *shm;
static uint32_t tenant;		/* of the running test; has one service, "main", its default */

/* ---- what the tests need beyond store.h ---- */

enum { T_TENANT, T_COUNT_AUDIT, T_SEALED, T_SWAP, T_EXPIRE, T_SECRET_ADD, T_STATS, T_DISABLE, T_INCIDENT, T_KEY,
	T_READ_INCIDENT, T_TIMELINE, T_SERVICE_MAIN };

static const struct stmt stmts[] = {
	[T_TENANT] = { "test.tenant", "INSERT INTO tenants (name, created_at) VALUES (UUID(), 0)" },
	[T_SERVICE_MAIN] = { "test.service",
		"INSERT INTO services (public_id, tenant_id, name, is_default, created_at, updated_at)"
		" VALUES (LEFT(CONCAT('sv_', REPLACE(UUID(), '-', '')), 23), ?, 'main', 1, 0, 0)" },
	[T_COUNT_AUDIT] = { "test.audit",
		"SELECT COUNT(*) AS n, COALESCE(MAX(detail), '') AS text FROM audit_log WHERE object = ? AND action = ?" },
	[T_SEALED] = { "test.sealed",
		"SELECT x.sealed AS text, s.id AS n FROM source_secrets x JOIN sources s ON s.id = x.source_id"
		" WHERE s.public_id = ? ORDER BY x.id DESC LIMIT 1" },
	[T_SWAP] = { "test.swap", "UPDATE source_secrets SET sealed = ? WHERE source_id = ?" },
	[T_EXPIRE] = { "test.expire", "UPDATE source_secrets SET expires_at = ? WHERE source_id = ?" },
	[T_SECRET_ADD] = { "test.secret",
		"INSERT INTO source_secrets (source_id, sealed, created_at, expires_at) VALUES (?, ?, ?, ?)" },
	[T_STATS] = { "test.stats",
		"INSERT INTO source_stats (source_id, hour, slot, received, errors, alerts, last_at) VALUES (?, ?, ?, ?, ?, ?, ?)" },
	[T_DISABLE] = { "test.disable", "UPDATE users SET enabled = 0 WHERE id = ?" },
	[T_INCIDENT] = { "test.incident",
		"INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, open_hash, title, status, level,"
		" opened_at, resolved_by, last_alert_at, updated_at) VALUES (?, ?, ?, 1, ?, ?, 'disk', ?, 3, 1, ?, 1, 1)" },
	[T_KEY] = { "test.key",
		"INSERT INTO incident_keys (service_id, key_hash, incident_id, status, level, resolved_by, triggered_at,"
		" sender_resolved_at) VALUES (?, ?, ?, ?, 3, ?, 1, 0) ON DUPLICATE KEY UPDATE incident_id ="
		" VALUES(incident_id), status = VALUES(status), resolved_by = VALUES(resolved_by)" },
	[T_READ_INCIDENT] = { "test.read_incident",
		"SELECT i.status, i.resolved_by, i.acknowledged_at, i.resolved_at, i.open_hash, k.incident_id AS newest,"
		" k.status AS key_status, k.resolved_by AS key_resolved_by FROM incidents i JOIN incident_keys k"
		" ON k.service_id = i.service_id AND k.key_hash = LEFT(UNHEX(SHA2(i.dedup_key, 256)), 16) WHERE i.id = ?" },
	[T_TIMELINE] = { "test.timeline",
		"SELECT COUNT(*) AS n, COALESCE(MAX(text), '') AS text FROM timeline WHERE incident_id = ? AND kind = ?"
		" AND actor = ?" },
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

static void must(bool done, const struct err *e)
{
	ck_assert_msg(done, "%s", e->text);
}

static void run(int q, const struct val *vals, size_t n)
{
	struct err e = { 0 };

	must(db_exec(db, &stmts[q], vals, n, NULL, &e), &e);
}

static struct pair ask(int q, const struct val *vals, size_t n)
{
	struct pair p = { 0 };
	struct err e = { 0 };

	ck_assert_msg(db_query_one(db, &stmts[q], vals, n, a, pair_fields, sizeof(p), &p, &e) == 1, "%s", e.text);
	return p;
}

static struct who who(void)
{
	return (struct who){ .tenant_id = tenant, .actor = 4 };
}

static uint64_t audited(struct str object, const char *action)
{
	return ask(T_COUNT_AUDIT, VALS(V_S(object), V_S(str_of(action)))).n;
}

static void setup(void)
{
	a = arena_new(64 << 20);
	run(T_TENANT, NULL, 0);
	tenant = (uint32_t)db_insert_id(db);
	run(T_SERVICE_MAIN, VALS(V_U(tenant)));
}

static void teardown(void)
{
	arena_free(a);
}

static bool make_service(struct str name, bool is_default, struct service *out, struct err *e)
{
	struct service s = { .tenant_id = tenant, .name = name, .is_default = is_default };
	struct who w = who();

	return service_add(db, a, shm, &s, &w, NOW, out, e);
}

static struct str unique(const char *prefix)
{
	char id[PUBLIC_ID_MAX];

	public_id_make(prefix, id);
	return arena_str(a, str_of(id));
}

/* ---- users ---- */

static struct user add_user(enum role role)
{
	struct err e = { 0 };
	struct user u;

	must(user_add(db, a, tenant, unique("na"), STR("a@example.org"), STR("correct horse"), role, false, NOW, &u, &e), &e);
	return u;
}

START_TEST(user_is_found_with_what_was_given)
{
	struct err e = { 0 };
	struct user made = add_user(ROLE_OPERATOR), u, *list;
	size_t n;

	ck_assert_int_eq(user_by_name(db, a, made.name, &u, &e), 1);
	ck_assert_uint_eq(u.id, made.id);
	ck_assert_uint_eq(u.tenant_id, tenant);
	ck_assert_uint_eq(u.role, ROLE_OPERATOR);
	ck_assert(str_eq(u.public_id, made.public_id) && public_id_is(u.public_id, "us"));
	ck_assert(str_eqs(u.email, "a@example.org"));
	ck_assert(u.enabled && !u.platform_admin);
	ck_assert_int_eq(u.created_at, NOW);
	ck_assert(password_verify(STR("correct horse"), u.password_hash));
	ck_assert(!password_verify(STR("wrong horse"), u.password_hash));
	must(user_list(db, a, tenant, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 1);
	must(user_list(db, a, tenant + 1000, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(user_by_name(db, a, STR("nobody at all"), &u, &e), 0);
}
END_TEST

START_TEST(user_name_is_unique)
{
	struct err e = { 0 };
	struct user u = add_user(ROLE_VIEWER), again;

	ck_assert(!user_add(db, a, tenant, u.name, STR_NONE, STR_NONE, ROLE_ADMIN, false, NOW, &again, &e));
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	ck_assert_str_eq(e.field, "name");
}
END_TEST

START_TEST(user_without_password_has_no_hash)
{
	struct err e = { 0 };
	struct user u, read;

	must(user_add(db, a, tenant, unique("na"), STR_NONE, STR_NONE, ROLE_ADMIN, true, NOW, &u, &e), &e);
	ck_assert_int_eq(user_by_name(db, a, u.name, &read, &e), 1);
	ck_assert_ptr_null(read.password_hash.p);
	ck_assert_ptr_null(read.email.p);
	ck_assert(read.platform_admin);
	must(user_set_password(db, a, u.id, STR("fresh one"), &e), &e);
	ck_assert_int_eq(user_by_name(db, a, u.name, &read, &e), 1);
	ck_assert(password_verify(STR("fresh one"), read.password_hash));
	ck_assert(!user_set_password(db, a, UINT32_MAX, STR("x"), &e));
	ck_assert_int_eq(e.code, ERR_NOT_FOUND);
}
END_TEST

static const char *const bad_names[] = { "", " a", "a ", "a\nb", "\xff", "a\x7f",
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789x" };

START_TEST(names_are_refused)
{
	struct err e = { 0 };
	struct user u;
	struct service s;

	ck_assert(!user_add(db, a, tenant, str_of(bad_names[_i]), STR_NONE, STR_NONE, ROLE_ADMIN, false, NOW, &u, &e));
	ck_assert_int_eq(e.code, ERR_INVALID);
	ck_assert(!make_service(str_of(bad_names[_i]), false, &s, &e));
	ck_assert_int_eq(e.code, ERR_INVALID);
	ck_assert_str_eq(e.field, "name");
}
END_TEST

START_TEST(roles_and_scopes_have_words)
{
	enum role r;
	uint32_t scopes = 0;

	ck_assert(role_parse(STR("operator"), &r) && r == ROLE_OPERATOR);
	ck_assert(!role_parse(STR(""), &r) && !role_parse(STR("root"), &r));
	ck_assert_str_eq(role_word(ROLE_ADMIN), "admin");
	ck_assert(scopes_parse(STR("read, events"), &scopes));
	ck_assert_uint_eq(scopes, SCOPE_READ | SCOPE_EVENTS);
	ck_assert(str_eqs(scopes_text(a, scopes), "read,events"));
	ck_assert(scopes_parse(STR("all"), &scopes) && scopes == SCOPE_ALL);
	ck_assert(str_eqs(scopes_text(a, SCOPE_ALL), "all"));
	ck_assert(!scopes_parse(STR(""), &scopes) && !scopes_parse(STR("read,root"), &scopes));
	ck_assert(!scopes_parse(STR("read,,sync"), &scopes));
}
END_TEST

/* ---- tokens ---- */

static struct token add_token(uint64_t user_id, uint32_t scopes, ms_t expires_at, struct str *text)
{
	struct err e = { 0 };
	struct token t;

	must(token_add(db, a, user_id, STR("laptop"), scopes, expires_at, NOW, &t, text, &e), &e);
	return t;
}

START_TEST(token_leads_to_its_user)
{
	struct err e = { 0 };
	struct user u = add_user(ROLE_ADMIN);
	struct str text;
	struct token t = add_token(u.id, SCOPE_READ | SCOPE_SYNC, 0, &text), *list;
	struct principal p;
	size_t n;

	ck_assert_uint_eq(text.n, 46);
	ck_assert(str_starts(text, "gt_") && str_find(text, '=') < 0 && str_find(text, '+') < 0 && str_find(text, '/') < 0);
	ck_assert_int_eq(token_principal(db, a, text, NOW, &p, &e), 1);
	ck_assert_uint_eq(p.user_id, u.id);
	ck_assert_uint_eq(p.token_id, t.id);
	ck_assert_uint_eq(p.tenant_id, tenant);
	ck_assert_uint_eq(p.role, ROLE_ADMIN);
	ck_assert_uint_eq(p.scopes, SCOPE_READ | SCOPE_SYNC);
	ck_assert(str_eq(p.user_name, u.name) && str_eq(p.user_public_id, u.public_id));
	ck_assert(str_eq(p.token_public_id, t.public_id));
	must(token_list(db, a, u.id, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(list[0].last_used_at, NOW);
	ck_assert_int_eq(token_principal(db, a, STR("gt_nothing"), NOW, &p, &e), 0);
	ck_assert_int_eq(token_principal(db, a, STR_NONE, NOW, &p, &e), 0);
}
END_TEST

START_TEST(token_use_is_noted_once_a_minute)
{
	static const struct {
		ms_t at, noted;
	} rows[] = { { 0, 0 }, { 59999, 0 }, { 60000, 60000 }, { 60001, 60000 }, { 130000, 130000 } };
	struct err e = { 0 };
	struct user u = add_user(ROLE_ADMIN);
	struct str text;
	struct token *list;
	struct principal p;
	size_t n;

	add_token(u.id, SCOPE_ALL, 0, &text);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ck_assert_int_eq(token_principal(db, a, text, NOW + rows[i].at, &p, &e), 1);
		must(token_list(db, a, u.id, &list, &n, &e), &e);
		ck_assert_int_eq(list[0].last_used_at, NOW + rows[i].noted);
	}
}
END_TEST

START_TEST(token_ends)
{
	struct err e = { 0 };
	struct user u = add_user(ROLE_ADMIN);
	struct str text;
	struct token t = add_token(u.id, SCOPE_ALL, NOW + 1000, &text);
	struct principal p;

	ck_assert_int_eq(token_principal(db, a, text, NOW + 999, &p, &e), 1);
	ck_assert_int_eq(token_principal(db, a, text, NOW + 1000, &p, &e), 0);
	t = add_token(u.id, SCOPE_ALL, 0, &text);
	ck_assert_int_eq(token_revoke(db, t.public_id, NOW, &e), 1);
	ck_assert_int_eq(token_principal(db, a, text, NOW, &p, &e), 0);
	ck_assert_int_eq(token_revoke(db, t.public_id, NOW + 5, &e), 1);
	ck_assert_int_eq(token_revoke(db, STR("tk_none"), NOW, &e), 0);
}
END_TEST

START_TEST(revoking_twice_keeps_the_first_moment)
{
	struct err e = { 0 };
	struct user u = add_user(ROLE_ADMIN);
	struct str text;
	struct token t = add_token(u.id, SCOPE_ALL, 0, &text), *list;
	size_t n;

	ck_assert_int_eq(token_revoke(db, t.public_id, NOW, &e), 1);
	ck_assert_int_eq(token_revoke(db, t.public_id, NOW + 5, &e), 1);
	must(token_list(db, a, u.id, &list, &n, &e), &e);
	ck_assert_int_eq(list[0].revoked_at, NOW);
}
END_TEST

START_TEST(token_of_a_disabled_user_opens_nothing)
{
	struct err e = { 0 };
	struct user u = add_user(ROLE_ADMIN);
	struct str text;
	struct principal p;

	add_token(u.id, SCOPE_ALL, 0, &text);
	run(T_DISABLE, VALS(V_U(u.id)));
	ck_assert_int_eq(token_principal(db, a, text, NOW, &p, &e), 0);
}
END_TEST

/* ---- services ---- */

START_TEST(service_is_of_its_tenant)
{
	struct err e = { 0 };
	struct service s, read, *list;
	size_t n;

	must(make_service(STR("Shop"), false, &s, &e), &e);
	ck_assert_int_eq(service_by_public_id(db, a, tenant, s.public_id, &read, &e), 1);
	ck_assert_uint_eq(read.id, s.id);
	ck_assert_int_eq(service_by_public_id(db, a, tenant + 1000, s.public_id, &read, &e), 0);
	ck_assert_int_eq(service_by_name(db, a, tenant, STR("shop"), &read, &e), 1);
	ck_assert_int_eq(service_by_name(db, a, tenant + 1000, STR("Shop"), &read, &e), 0);
	must(service_list(db, a, tenant, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 2);
	ck_assert(!make_service(STR("SHOP"), false, &s, &e));
	ck_assert_int_eq(e.code, ERR_CONFLICT);
}
END_TEST

START_TEST(default_service_moves)
{
	struct err e = { 0 };
	struct service s, read, *list;
	size_t n, defaults = 0;

	ck_assert_int_eq(service_default(db, a, tenant, &read, &e), 1);
	ck_assert(str_eqs(read.name, "main"));
	must(make_service(STR("other"), true, &s, &e), &e);
	ck_assert_int_eq(service_default(db, a, tenant, &read, &e), 1);
	ck_assert_uint_eq(read.id, s.id);
	must(service_list(db, a, tenant, &list, &n, &e), &e);
	for (size_t i = 0; i < n; i++)
		defaults += list[i].is_default;
	ck_assert_uint_eq(defaults, 1);
	ck_assert_int_eq(service_default(db, a, tenant + 1000, &read, &e), 0);
}
END_TEST

/* ---- sources ---- */

static struct source plain(const char *provider)
{
	return (struct source){ .tenant_id = tenant, .kind = SOURCE_INTEGRATION, .provider = str_of(provider),
		.name = STR("Production"), .actions = DO_INCIDENT, .rate_per_minute = RATE_DEFAULT, .enabled = true };
}

static struct source add_source(const struct source *in, const char *secret, struct str *key)
{
	struct err e = { 0 };
	struct source out;
	struct str k;
	struct who w = who();

	must(source_add(db, a, sk, shm, in, str_of(secret), &w, NOW, &out, key ? key : &k, &e), &e);
	return out;
}

static struct live_source live(struct str public_id, ms_t now)
{
	struct err e = { 0 };
	struct live_source *list;
	size_t n;
	struct str ids = arena_printf(a, "[\"%.*s\"]", STR_ARG(public_id));

	must(live_sources(db, a, sk, ids, STR_NONE, STR_NONE, now, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 1);
	return list[0];
}

START_TEST(source_is_read_as_it_was_added)
{
	struct err e = { 0 };
	struct str key;
	struct source in = plain("github"), made, s;
	unsigned char digest[SHA256_BYTES];
	struct live_source l;

	in.allowed_ips = STR("10.0.0.0/8, 2001:db8::1");
	in.settings = STR("{\"a\":1}");
	in.rate_per_minute = 0;
	in.require_key = in.route_by_service = true;
	made = add_source(&in, "hush", &key);
	ck_assert(public_id_is(made.public_id, "in"));
	ck_assert_uint_eq(key.n, 32);
	ck_assert_int_eq(source_get(db, a, tenant, made.public_id, NOW, &s, &e), 1);
	ck_assert_uint_eq(s.id, made.id);
	ck_assert_uint_eq(s.kind, SOURCE_INTEGRATION);
	ck_assert_uint_eq(s.actions, DO_INCIDENT);
	ck_assert_uint_eq(s.rate_per_minute, 0);
	ck_assert(str_eqs(s.provider, "github") && str_eqs(s.name, "Production"));
	ck_assert(str_eq(s.allowed_ips, in.allowed_ips) && str_eq(s.settings, in.settings));
	ck_assert(str_eq(s.service_public_id, made.service_public_id) && s.service_id == made.service_id);
	ck_assert(s.enabled && !s.is_default && s.require_key && s.route_by_service && s.has_secret);
	l = live(made.public_id, NOW);
	sha256(key, digest);
	ck_assert(equal_ct(l.key_hash.p, l.key_hash.n, digest, sizeof(digest)));
	ck_assert_uint_eq(l.secret_n, 1);
	ck_assert(str_eqs(l.secrets[0], "hush"));
	ck_assert(str_eqs(l.service_name, "main"));
	ck_assert_uint_eq(l.rate_per_minute, 0);
	ck_assert_uint_eq(audited(made.public_id, "integration.create"), 1);
}
END_TEST

START_TEST(audit_holds_no_secret)
{
	struct str key;
	struct source in = plain("github"), made = add_source(&in, "hushhush", &key);
	struct str detail = ask(T_COUNT_AUDIT, VALS(V_S(made.public_id), V_S(STR("integration.create")))).text;

	ck_assert(detail.n > 0);
	ck_assert_ptr_null(memmem(detail.p, detail.n, "hushhush", 8));
	ck_assert_ptr_null(memmem(detail.p, detail.n, key.p, key.n));
	ck_assert_ptr_nonnull(memmem(detail.p, detail.n, "\"actions\":[\"incident\"]", 22));
}
END_TEST

/* They may hold credentials; but that they are others now must be seen. */
START_TEST(audit_says_that_settings_changed)
{
	struct err e = { 0 };
	struct source in = plain("github"), s = add_source(&in, NULL, NULL);
	struct who w = who();
	struct str detail;

	s.settings = STR("{\"token\":\"hushhush\"}");
	ck_assert_int_eq(source_update(db, a, sk, shm, &s, STR_NONE, &w, NOW, &e), 1);
	detail = ask(T_COUNT_AUDIT, VALS(V_S(s.public_id), V_S(STR("integration.update")))).text;
	ck_assert_ptr_nonnull(memmem(detail.p, detail.n, "\"settingsReplaced\":true", 23));
	ck_assert_ptr_null(memmem(detail.p, detail.n, "hushhush", 8));
}
END_TEST

START_TEST(source_is_of_its_tenant)
{
	struct err e = { 0 };
	struct source in = plain("github"), made = add_source(&in, NULL, NULL), s, *list;
	struct who w = who();
	size_t n;

	ck_assert_int_eq(source_get(db, a, tenant + 1000, made.public_id, NOW, &s, &e), 0);
	must(source_list(db, a, tenant + 1000, STR_NONE, 0, 10, NOW, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 0);
	made.tenant_id = tenant + 1000;
	ck_assert_int_eq(source_update(db, a, sk, shm, &made, STR_NONE, &w, NOW, &e), 0);
	ck_assert_int_eq(source_delete(db, a, shm, tenant + 1000, made.public_id, &w, NOW, &e), 0);
	ck_assert_int_eq(source_get(db, a, tenant, made.public_id, NOW, &s, &e), 1);
	ck_assert_uint_eq(audited(made.public_id, "integration.delete"), 0);
}
END_TEST

START_TEST(service_of_another_tenant_is_refused)
{
	struct err e = { 0 };
	struct source in = plain("github"), out;
	struct who w = who();
	struct str key;

	in.service_public_id = STR("sv_00000000000000000000");	/* of tenant 1 */
	ck_assert(!source_add(db, a, sk, shm, &in, STR_NONE, &w, NOW, &out, &key, &e));
	ck_assert_int_eq(e.code, ERR_INVALID);
	ck_assert_str_eq(e.field, "serviceId");
	in.service_public_id = STR_NONE;
	in.service_id = 1;
	ck_assert(!source_add(db, a, sk, shm, &in, STR_NONE, &w, NOW, &out, &key, &e));
	ck_assert_str_eq(e.field, "serviceId");
}
END_TEST

START_TEST(bad_sources_are_refused)
{
	static const struct {
		const char *name, *ips, *settings;
		uint64_t actions;
		size_t secret_n;
		const char *field;
	} rows[] = {
		{ "", "", "", DO_RECORD, 0, "name" },
		{ "x", "10.0.0.0/33", "", DO_RECORD, 0, "allowedIps" },
		{ "x", "", "[1]", DO_RECORD, 0, "settings" },
		{ "x", "", "{", DO_RECORD, 0, "settings" },
		{ "x", "", "", 0, 0, "actions" },
		{ "x", "", "", 16, 0, "actions" },
		{ "x", "", "", DO_RECORD, 901, "signatureSecret" },
	};
	struct err e = { 0 };
	struct source in = plain("github"), out;
	struct who w = who();
	struct str key;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		in.name = str_of(rows[i].name);
		in.allowed_ips = str_of(rows[i].ips);
		in.settings = str_of(rows[i].settings);
		in.actions = rows[i].actions;
		ck_assert(!source_add(db, a, sk, shm, &in, (struct str){ arena_alloc(a, 1000), rows[i].secret_n }, &w, NOW,
			&out, &key, &e));
		ck_assert_int_eq(e.code, ERR_INVALID);
		ck_assert_str_eq(e.field, rows[i].field);
	}
}
END_TEST

START_TEST(one_default_source_for_each_provider)
{
	struct err e = { 0 };
	struct source in = plain("stripe"), first, out;
	struct who w = who();
	struct str key;

	in.is_default = true;
	first = add_source(&in, NULL, NULL);
	ck_assert(!source_add(db, a, sk, shm, &in, STR_NONE, &w, NOW, &out, &key, &e));
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	in.provider = STR("paypal");
	add_source(&in, NULL, NULL);
	in.provider = STR("stripe");
	in.is_default = false;
	out = add_source(&in, NULL, NULL);
	out.is_default = true;
	ck_assert_int_eq(source_update(db, a, sk, shm, &out, STR_NONE, &w, NOW, &e), -1);
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	ck_assert_int_eq(source_delete(db, a, shm, tenant, first.public_id, &w, NOW, &e), 1);
	ck_assert_int_eq(source_update(db, a, sk, shm, &out, STR_NONE, &w, NOW, &e), 1);
}
END_TEST

START_TEST(update_sets_all_and_keeps_secrets)
{
	struct err e = { 0 };
	struct source in = plain("github"), s = add_source(&in, "old", NULL), read;
	struct forward_target target;
	struct service other;
	struct who w = who();

	must(make_service(STR("other"), false, &other, &e), &e);
	s.name = STR("Staging");
	s.enabled = false;
	s.actions = DO_RECORD | DO_FORWARD;
	s.rate_per_minute = 7;
	s.allowed_ips = STR("127.0.0.1");
	s.service_public_id = other.public_id;
	s.handler_url = STR("https://handler.example.org/in");
	s.handler_secret = STR("for the handler");
	s.forward_mode = FORWARD_INLINE;
	s.max_retries = 2;
	s.backoff_s = 7;
	ck_assert_int_eq(source_update(db, a, sk, shm, &s, STR_NONE, &w, NOW + 1, &e), 1);
	ck_assert_int_eq(source_get(db, a, tenant, s.public_id, NOW, &read, &e), 1);
	ck_assert(str_eqs(read.name, "Staging") && str_eqs(read.allowed_ips, "127.0.0.1"));
	ck_assert(!read.enabled && read.has_secret);
	ck_assert_uint_eq(read.actions, DO_RECORD | DO_FORWARD);
	ck_assert_uint_eq(read.rate_per_minute, 7);
	ck_assert_uint_eq(read.service_id, other.id);
	ck_assert(str_eqs(read.handler_url, "https://handler.example.org/in") && read.has_handler_secret && !read.handler_secret.p);
	ck_assert(read.forward_mode == FORWARD_INLINE && read.max_retries == 2 && read.backoff_s == 7);
	ck_assert_uint_eq(live(s.public_id, NOW).forward_mode, FORWARD_INLINE);
	ck_assert_int_eq(forward_target(db, a, sk, s.id, NOW, &target, &e), 1);
	ck_assert(str_eqs(target.secret, "for the handler") && !target.secret_lost && target.max_retries == 2);
	ck_assert_int_eq(read.updated_at, NOW + 1);
	ck_assert(str_eqs(live(s.public_id, NOW).secrets[0], "old"));
	s.name = STR("Too late");
	ck_assert_int_eq(source_update(db, a, sk, shm, &s, STR_NONE, &w, NOW + 1, &e), -1);
	ck_assert(e.code == ERR_CONFLICT && !e.field[0]);
	s = read;
	ck_assert_int_eq(source_update(db, a, sk, shm, &s, STR("new"), &w, NOW, &e), 1);
	ck_assert_int_eq(source_get(db, a, tenant, s.public_id, NOW, &s, &e), 1);
	ck_assert(str_eqs(s.name, "Staging"));
	ck_assert_int_eq(s.updated_at, NOW + 2);	/* no two versions have the same */
	ck_assert(str_eqs(live(s.public_id, NOW).secrets[0], "new"));
	ck_assert_uint_eq(live(s.public_id, NOW).secret_n, 1);
	ck_assert(s.has_handler_secret);
	s.handler_secret = STR("");	/* then the signature secret serves */
	ck_assert_int_eq(source_update(db, a, sk, shm, &s, STR_NONE, &w, NOW, &e), 1);
	ck_assert_int_eq(forward_target(db, a, sk, s.id, NOW, &target, &e), 1);
	ck_assert(str_eqs(target.secret, "new"));
	s.updated_at = NOW + 3;
	s.handler_url = STR_NONE;
	ck_assert_int_eq(source_update(db, a, sk, shm, &s, STR_NONE, &w, NOW, &e), -1);
	ck_assert_str_eq(e.field, "handlerUrl");
	s.actions = DO_RECORD;
	ck_assert_int_eq(source_update(db, a, sk, shm, &s, STR(""), &w, NOW, &e), 1);
	ck_assert_uint_eq(live(s.public_id, NOW).secret_n, 0);
	ck_assert_uint_eq(audited(s.public_id, "integration.update"), 4);
}
END_TEST

START_TEST(deleted_source_is_gone)
{
	struct err e = { 0 };
	struct str key;
	struct source in = plain("github"), s = add_source(&in, "old", &key), read;
	struct who w = who();
	struct live_source *list;
	struct str ids = arena_printf(a, "[\"%.*s\"]", STR_ARG(s.public_id));
	size_t n;

	ck_assert_int_eq(source_delete(db, a, shm, tenant, s.public_id, &w, NOW, &e), 1);
	ck_assert_int_eq(source_delete(db, a, shm, tenant, s.public_id, &w, NOW, &e), 0);
	ck_assert_int_eq(source_get(db, a, tenant, s.public_id, NOW, &read, &e), 0);
	must(live_sources(db, a, sk, ids, arena_printf(a, "[\"%.*s\"]", STR_ARG(sha256_hex(a, key))), STR_NONE, NOW, &list,
		&n, &e), &e);
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_eq(audited(s.public_id, "integration.delete"), 1);
}
END_TEST

START_TEST(list_is_newest_first_with_a_cursor)
{
	struct err e = { 0 };
	struct source in = plain("github"), first = add_source(&in, NULL, NULL), *list;
	size_t n;

	in.provider = STR("stripe");
	add_source(&in, NULL, NULL);
	in.provider = STR("github");
	add_source(&in, NULL, NULL);
	must(source_list(db, a, tenant, STR_NONE, 0, 2, NOW, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 2);
	ck_assert(list[0].id > list[1].id);
	must(source_list(db, a, tenant, STR_NONE, list[1].id, 2, NOW, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(list[0].id, first.id);
	must(source_list(db, a, tenant, STR("stripe"), 0, 10, NOW, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(counters_are_summed_over_the_slots)
{
	struct err e = { 0 };
	struct source in = plain("github"), s = add_source(&in, NULL, NULL);
	uint64_t hour = NOW / MS_PER_HOUR;

	run(T_STATS, VALS(V_U(s.id), V_U(0), V_U(1), V_U(10), V_U(4), V_U(3), V_U(NOW - 5)));
	run(T_STATS, VALS(V_U(s.id), V_U(0), V_U(2), V_U(5), V_U(4), V_U(1), V_U(NOW - 9)));
	run(T_STATS, VALS(V_U(s.id), V_U(hour), V_U(1), V_U(1), V_U(1), V_U(0), V_U(NOW)));
	run(T_STATS, VALS(V_U(s.id), V_U(hour - 23), V_U(2), V_U(1), V_U(1), V_U(0), V_U(NOW)));
	run(T_STATS, VALS(V_U(s.id), V_U(hour - 24), V_U(1), V_U(1), V_U(100), V_U(0), V_U(NOW)));
	ck_assert_int_eq(source_get(db, a, tenant, s.public_id, NOW, &s, &e), 1);
	ck_assert_uint_eq(s.webhook_count, 15);
	ck_assert_uint_eq(s.alert_count, 4);
	ck_assert_uint_eq(s.error_count, 2);
	ck_assert_int_eq(s.last_webhook_at, NOW - 5);
}
END_TEST

START_TEST(each_change_bumps_the_generation)
{
	struct err e = { 0 };
	struct who w = who();
	uint64_t before = shm_generation(shm);
	struct source in = plain("github"), s = add_source(&in, NULL, NULL), out;
	struct str key;

	ck_assert_uint_gt(shm_generation(shm), before);
	before = shm_generation(shm);
	ck_assert_int_eq(source_update(db, a, sk, shm, &s, STR_NONE, &w, NOW, &e), 1);
	ck_assert_uint_gt(shm_generation(shm), before);
	before = shm_generation(shm);
	ck_assert_int_eq(source_delete(db, a, shm, tenant, s.public_id, &w, NOW, &e), 1);
	ck_assert_uint_gt(shm_generation(shm), before);
	before = shm_generation(shm);
	in.service_id = 1;
	ck_assert(!source_add(db, a, sk, shm, &in, STR_NONE, &w, NOW, &out, &key, &e));
	ck_assert_uint_eq(shm_generation(shm), before);
}
END_TEST

/* ---- sources as ingest loads them ---- */

START_TEST(sources_are_found_in_three_ways_at_once)
{
	struct err e = { 0 };
	struct str key;
	struct source in = plain("github"), by_id = add_source(&in, NULL, NULL), by_key = add_source(&in, NULL, &key);
	struct live_source *list;
	struct str ids, hashes = arena_printf(a, "[\"%.*s\",\"zz\"]", STR_ARG(sha256_hex(a, key)));
	size_t n;

	in.provider = unique("p");	/* default sources of tenant 1 count, this one is of another */
	in.is_default = true;
	add_source(&in, NULL, NULL);
	ids = arena_printf(a, "[\"%.*s\",\"in_none\",\"%.*s0\"]", STR_ARG(by_id.public_id), STR_ARG(by_key.public_id));
	must(live_sources(db, a, sk, ids, hashes, arena_printf(a, "[\"%.*s\"]", STR_ARG(in.provider)), NOW, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(list[0].id, by_id.id);
	ck_assert_uint_eq(list[1].id, by_key.id);
	ck_assert_uint_eq(list[0].rate_per_minute, RATE_DEFAULT);
	must(live_sources(db, a, sk, STR_NONE, STR_NONE, STR_NONE, NOW, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 0);
	must(live_sources_all(db, a, sk, 100000, NOW, &list, &n, &e), &e);
	ck_assert_uint_ge(n, 3);
	must(live_sources_all(db, a, sk, 1, NOW, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(secrets_are_the_newest_four_that_live)
{
	struct source in = plain("github"), s = add_source(&in, "s0", NULL);
	char context[64];
	struct live_source l;

	snprintf(context, sizeof(context), "source_secret:%.*s", STR_ARG(s.public_id));
	for (int i = 1; i <= 5; i++)
		run(T_SECRET_ADD, VALS(V_U(s.id), V_S(seal(a, sk, arena_printf(a, "s%d", i), context)), V_I(NOW + i),
			i == 5 ? V_I(NOW + 100) : V_NULL()));
	l = live(s.public_id, NOW);
	ck_assert_uint_eq(l.secret_n, 4);
	ck_assert(str_eqs(l.secrets[0], "s5") && str_eqs(l.secrets[3], "s2"));
	l = live(s.public_id, NOW + 100);	/* the moment of expires_at is over already */
	ck_assert(str_eqs(l.secrets[0], "s4") && str_eqs(l.secrets[3], "s1"));
}
END_TEST

START_TEST(sealed_secrets_differ_and_cannot_be_swapped)
{
	struct source in = plain("github"), one = add_source(&in, "same", NULL), two = add_source(&in, "same", NULL);
	struct pair x = ask(T_SEALED, VALS(V_S(one.public_id))), y = ask(T_SEALED, VALS(V_S(two.public_id)));
	struct live_source l;

	ck_assert(!str_eq(x.text, y.text));
	ck_assert_ptr_null(memmem(x.text.p, x.text.n, "same", 4));
	run(T_SWAP, VALS(V_S(x.text), V_U(two.id)));
	l = live(two.public_id, NOW);
	ck_assert(l.secrets_lost);
	ck_assert_uint_eq(l.secret_n, 1);	/* still asks for a signature, which nothing matches */
	ck_assert_uint_eq(l.secrets[0].n, SHA256_BYTES);
	ck_assert(!live(one.public_id, NOW).secrets_lost);
}
END_TEST

/* ---- rotation ---- */

START_TEST(key_is_shown_and_that_is_noted)
{
	struct err e = { 0 };
	struct str key, shown;
	struct source in = plain("github"), s = add_source(&in, NULL, &key);
	struct who w = who();

	ck_assert_int_eq(source_key(db, a, sk, tenant, s.public_id, NULL, NOW, &shown, &e), 1);
	ck_assert(str_eq(shown, key));
	ck_assert_uint_eq(audited(s.public_id, "integration.reveal_key"), 0);
	ck_assert_int_eq(source_key(db, a, sk, tenant, s.public_id, &w, NOW, &shown, &e), 1);
	ck_assert_uint_eq(audited(s.public_id, "integration.reveal_key"), 1);
	ck_assert_int_eq(source_key(db, a, sk, tenant + 1, s.public_id, &w, NOW, &shown, &e), 0);
}
END_TEST

START_TEST(rotated_key_leaves_the_old_one_for_a_while)
{
	struct err e = { 0 };
	struct str key, next;
	struct source in = plain("github"), s = add_source(&in, NULL, &key), after;
	struct live_source *list;
	struct who w = who();
	struct str old = arena_printf(a, "[\"%.*s\"]", STR_ARG(sha256_hex(a, key)));
	uint64_t generation = shm_generation(shm);
	size_t n;

	ck_assert_int_eq(source_rotate_key(db, a, sk, shm, tenant + 1, s.public_id, 1000, &w, NOW, &next, &e), 0);
	ck_assert_int_eq(source_rotate_key(db, a, sk, shm, tenant, s.public_id, 1000, &w, NOW, &next, &e), 1);
	ck_assert_uint_gt(shm_generation(shm), generation);
	ck_assert(next.n == 32 && !str_eq(next, key));
	must(live_sources(db, a, sk, STR_NONE, old, STR_NONE, NOW, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(list[0].key_old_until, NOW + 1000);
	ck_assert_uint_eq(list[0].key_old_hash.n, SHA256_BYTES);
	ck_assert_int_eq(source_get(db, a, tenant, s.public_id, NOW + 999, &after, &e), 1);
	ck_assert_uint_eq(after.key_old_until, NOW + 1000);
	ck_assert_uint_gt(after.updated_at, s.updated_at);	/* others see it, and a form that is open meanwhile is refused */
	ck_assert_int_eq(source_get(db, a, tenant, s.public_id, NOW + 1000, &after, &e), 1);
	ck_assert_uint_eq(after.key_old_until, 0);
	ck_assert_uint_eq(audited(s.public_id, "integration.rotate_key"), 1);

	ck_assert_int_eq(source_rotate_key(db, a, sk, shm, tenant, s.public_id, 0, &w, NOW, &next, &e), 1);
	must(live_sources(db, a, sk, STR_NONE, old, STR_NONE, NOW, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(rotated_secrets_overlap_and_are_four_at_most)
{
	struct err e = { 0 };
	struct source in = plain("github"), s = add_source(&in, "s0", NULL);
	struct source_secret *list;
	struct live_source l;
	struct who w = who();
	size_t n;

	for (int i = 1; i <= 5; i++)
		ck_assert_int_eq(source_rotate_secret(db, a, sk, shm, tenant, s.public_id, arena_printf(a, "s%d", i), 1000 * i, &w, NOW + i,
			&e), 1);
	l = live(s.public_id, NOW + 5);
	ck_assert_uint_eq(l.secret_n, 4);
	ck_assert(str_eqs(l.secrets[0], "s5") && str_eqs(l.secrets[3], "s2"));
	ck_assert_uint_eq(l.secret_until[0], 0);
	ck_assert_uint_eq(l.secret_until[1], NOW + 5005);
	ck_assert_uint_eq(l.secret_until[3], NOW + 3003);	/* a later rotation prolongs nothing */
	must(source_secrets(db, a, s.id, NOW + 3003, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(list[0].created_at, NOW + 5);
	ck_assert_uint_eq(audited(s.public_id, "integration.rotate_secret"), 5);

	ck_assert_int_eq(source_rotate_secret(db, a, sk, shm, tenant, s.public_id, STR("last"), 0, &w, NOW + 6, &e), 1);
	l = live(s.public_id, NOW + 6);
	ck_assert_uint_eq(l.secret_n, 1);
	ck_assert(str_eqs(l.secrets[0], "last"));
}
END_TEST

START_TEST(no_secret_is_rotated_where_there_is_none)
{
	struct err e = { 0 };
	struct source in = plain("github"), s = add_source(&in, NULL, NULL);
	struct who w = who();
	char long_secret[1000] = { 0 };

	ck_assert_int_eq(source_rotate_secret(db, a, sk, shm, tenant, s.public_id, STR("x"), 0, &w, NOW, &e), -1);
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	ck_assert(e.told);
	memset(long_secret, 'x', sizeof(long_secret) - 1);
	ck_assert_int_eq(source_rotate_secret(db, a, sk, shm, tenant, s.public_id, str_of(long_secret), 0, &w, NOW, &e), -1);
	ck_assert_int_eq(e.code, ERR_INVALID);
	ck_assert_str_eq(e.field, "signatureSecret");
}
END_TEST

START_TEST(environment_source_is_made_once_and_follows)
{
	struct err e = { 0 };
	struct str provider = unique("p"), providers = arena_printf(a, "[\"%.*s\"]", STR_ARG(provider));
	struct live_source *list;
	size_t n;
	uint64_t id, generation;

	must(source_ensure_env(db, a, sk, shm, provider, STR("whsec_1"), NOW, &e), &e);
	must(live_sources(db, a, sk, STR_NONE, STR_NONE, providers, NOW, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 1);
	id = list[0].id;
	ck_assert(list[0].is_default && list[0].enabled && list[0].actions == DO_RECORD && list[0].tenant_id == 1);
	generation = shm_generation(shm);
	must(source_ensure_env(db, a, sk, shm, provider, STR("whsec_1"), NOW, &e), &e);
	ck_assert_uint_eq(shm_generation(shm), generation);
	must(source_ensure_env(db, a, sk, shm, provider, STR("whsec_2"), NOW, &e), &e);
	ck_assert_uint_gt(shm_generation(shm), generation);
	must(live_sources(db, a, sk, STR_NONE, STR_NONE, providers, NOW, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(list[0].id, id);
	ck_assert_uint_eq(list[0].secret_n, 1);
	ck_assert(str_eqs(list[0].secrets[0], "whsec_2"));
}
END_TEST

START_TEST(webhook_urls)
{
	static const struct {
		const char *base, *provider, *id, *url;
	} rows[] = {
		{ "https://h.example", "github", "in_1", "https://h.example/api/integrations/github/in_1" },
		{ "https://h.example/", "stripe", "in_1", "https://h.example/api/webhooks/stripe/in_1" },
		{ "https://h.example/g", "paypal", "in_1", "https://h.example/g/api/webhooks/paypal/in_1" },
		{ "http://h", "twilio", "in_1", "http://h/api/webhooks/twilio/in_1" },
		{ "http://h", "firebase", "in_1", "http://h/api/webhooks/firebase/in_1" },
		{ "http://h", "slack", "rg_00000000000000000000", "http://h/webhooks/rg_00000000000000000000" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct str url = source_webhook_url(a, str_of(rows[i].base), str_of(rows[i].provider), str_of(rows[i].id));

		ck_assert_msg(str_eqs(url, rows[i].url), "%.*s", STR_ARG(url));
	}
}
END_TEST

/* ---- incidents ---- */

static uint64_t next_incident = 1000;

static uint64_t main_service(void)
{
	struct err e = { 0 };
	struct service s;

	ck_assert_int_eq(service_default(db, a, tenant, &s, &e), 1);
	return s.id;
}

static uint64_t add_incident(const char *key, enum incident_status status, enum actor resolved_by)
{
	unsigned char bytes[KEY_HASH_BYTES];
	struct str hash = { (const char *)bytes, sizeof(bytes) };
	uint64_t id = ++next_incident, service = main_service();

	key_hash(str_of(key), bytes);
	run(T_INCIDENT, VALS(V_U(id), V_U(tenant), V_U(service), V_S(str_of(key)),
		status == INCIDENT_RESOLVED ? V_NULL() : V_S(hash), V_U(status), V_U(resolved_by)));
	run(T_KEY, VALS(V_U(service), V_S(hash), V_U(id), V_U(status), V_U(resolved_by)));
	return id;
}

struct state {
	uint64_t status, resolved_by, newest, key_status, key_resolved_by;
	ms_t acknowledged_at, resolved_at;
	struct str open_hash;
};

static const struct field state_fields[] = {
	FIELD_U64(struct state, status, "status", ""),
	FIELD_U64(struct state, resolved_by, "resolved_by", ""),
	FIELD_U64(struct state, newest, "newest", ""),
	FIELD_U64(struct state, key_status, "key_status", ""),
	FIELD_U64(struct state, key_resolved_by, "key_resolved_by", ""),
	FIELD_TIME(struct state, acknowledged_at, "acknowledged_at", ""),
	FIELD_TIME(struct state, resolved_at, "resolved_at", ""),
	FIELD_STR(struct state, open_hash, "open_hash", ""),
	FIELD_END
};

static struct state read_state(uint64_t incident)
{
	struct err e = { 0 };
	struct state s;

	ck_assert_msg(db_query_one(db, &stmts[T_READ_INCIDENT], VALS(V_U(incident)), a, state_fields, sizeof(s), &s, &e) == 1,
		"%s", e.text);
	return s;
}

static int act(uint64_t incident, enum incident_command c, enum actor actor, ms_t now, struct err *e)
{
	static uint64_t timeline_id;
	struct who w = { .tenant_id = tenant, .actor = actor, .user_id = 7 };

	return incident_act(db, a, tenant, incident, c, actor, &w, ++timeline_id, STR("because"), now, e);
}

START_TEST(incident_goes_round)
{
	struct err e = { 0 };
	uint64_t id = add_incident("disk", INCIDENT_OPEN, ACTOR_NONE);
	struct state s;

	ck_assert_int_eq(act(id, COMMAND_ACKNOWLEDGE, ACTOR_PERSON, NOW, &e), 1);
	s = read_state(id);
	ck_assert_uint_eq(s.status, INCIDENT_ACKNOWLEDGED);
	ck_assert_uint_eq(s.key_status, INCIDENT_ACKNOWLEDGED);
	ck_assert_int_eq(s.acknowledged_at, NOW);
	ck_assert_uint_eq(s.open_hash.n, KEY_HASH_BYTES);

	ck_assert_int_eq(act(id, COMMAND_RESOLVE, ACTOR_PERSON, NOW + 1, &e), 1);
	s = read_state(id);
	ck_assert_uint_eq(s.status, INCIDENT_RESOLVED);
	ck_assert_uint_eq(s.resolved_by, ACTOR_PERSON);
	ck_assert_uint_eq(s.key_resolved_by, ACTOR_PERSON);
	ck_assert_int_eq(s.acknowledged_at, NOW);
	ck_assert_int_eq(s.resolved_at, NOW + 1);
	ck_assert_ptr_null(s.open_hash.p);

	ck_assert_int_eq(act(id, COMMAND_REOPEN, ACTOR_SYSTEM, NOW + 2, &e), 1);
	s = read_state(id);
	ck_assert_uint_eq(s.status, INCIDENT_OPEN);
	ck_assert_uint_eq(s.key_status, INCIDENT_OPEN);
	ck_assert_uint_eq(s.resolved_by, ACTOR_NONE);
	ck_assert_int_eq(s.acknowledged_at, 0);
	ck_assert_int_eq(s.resolved_at, 0);
	ck_assert_uint_eq(s.open_hash.n, KEY_HASH_BYTES);

	ck_assert_uint_eq(ask(T_TIMELINE, VALS(V_U(id), V_U(TIMELINE_RESOLVED), V_U(ACTOR_PERSON))).n, 1);
	ck_assert_uint_eq(ask(T_TIMELINE, VALS(V_U(id), V_U(TIMELINE_REOPENED), V_U(ACTOR_SYSTEM))).n, 1);
	ck_assert(str_eqs(ask(T_TIMELINE, VALS(V_U(id), V_U(TIMELINE_ACKNOWLEDGED), V_U(ACTOR_PERSON))).text, "because"));
	ck_assert_uint_eq(audited(arena_printf(a, "%llu", (unsigned long long)id), "incident.resolve"), 1);
	ck_assert_str_eq(timeline_word(TIMELINE_REOPENED), "reopened");
	ck_assert_str_eq(timeline_word(99), "");
}
END_TEST

START_TEST(incident_refuses_what_its_status_does_not_allow)
{
	static const struct {
		enum incident_status status;
		enum incident_command command;
	} rows[] = {
		{ INCIDENT_ACKNOWLEDGED, COMMAND_ACKNOWLEDGE },
		{ INCIDENT_RESOLVED, COMMAND_ACKNOWLEDGE },
		{ INCIDENT_RESOLVED, COMMAND_RESOLVE },
		{ INCIDENT_OPEN, COMMAND_REOPEN },
		{ INCIDENT_ACKNOWLEDGED, COMMAND_REOPEN },
	};
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t id = add_incident(arena_printf(a, "k%zu", i).p, rows[i].status, ACTOR_SENDER);

		ck_assert_int_eq(act(id, rows[i].command, ACTOR_PERSON, NOW, &e), -1);
		ck_assert_int_eq(e.code, ERR_CONFLICT);
		ck_assert_uint_eq(read_state(id).status, rows[i].status);
	}
}
END_TEST

START_TEST(incident_is_of_its_tenant)
{
	struct err e = { 0 };
	uint64_t id = add_incident("disk", INCIDENT_OPEN, ACTOR_NONE);
	struct who w = who();

	ck_assert_int_eq(incident_act(db, a, tenant + 1000, id, COMMAND_RESOLVE, ACTOR_PERSON, &w, 1, STR_NONE, NOW, &e), 0);
	ck_assert_int_eq(incident_act(db, a, tenant, UINT32_MAX, COMMAND_RESOLVE, ACTOR_PERSON, &w, 1, STR_NONE, NOW, &e), 0);
	ck_assert_uint_eq(read_state(id).status, INCIDENT_OPEN);
}
END_TEST

START_TEST(older_incident_stays_over_while_a_newer_one_is_open)
{
	struct err e = { 0 };
	uint64_t older = add_incident("disk", INCIDENT_RESOLVED, ACTOR_SENDER);
	uint64_t newer = add_incident("disk", INCIDENT_OPEN, ACTOR_NONE);
	struct state s;

	ck_assert_int_eq(act(older, COMMAND_REOPEN, ACTOR_PERSON, NOW, &e), -1);
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	ck_assert_int_eq(act(newer, COMMAND_RESOLVE, ACTOR_PERSON, NOW, &e), 1);
	ck_assert_int_eq(act(older, COMMAND_REOPEN, ACTOR_PERSON, NOW, &e), 1);
	s = read_state(older);
	ck_assert_uint_eq(s.newest, older);
	ck_assert_uint_eq(s.key_status, INCIDENT_OPEN);
	ck_assert_int_eq(act(newer, COMMAND_REOPEN, ACTOR_PERSON, NOW, &e), -1);
	ck_assert_int_eq(e.code, ERR_CONFLICT);
}
END_TEST

/* ---- the scratch database, key and shared state ---- */

static void files_make(void)
{
	struct err e = { 0 };
	char folder[] = "/tmp/grapnel-store.XXXXXX", path[64];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/key", folder);
	must(seal_key_create(path, &e), &e);
	sk = seal_key_load(path, &e);
	must(sk != NULL, &e);
	unlink(path);
	snprintf(path, sizeof(path), "%s/state", folder);
	shm = shm_open_file(path, &e);
	must(shm != NULL, &e);
	unlink(path);
	rmdir(folder);
}

static void open_all(void)
{
	struct err e = { 0 };

	files_make();
	test_database(STORE_DB);
	db = test_connect(STORE_DB, 30000);
	must(migrate_up(db, getenv("GRAPNEL_TEST_SQL"), NULL, &e), &e);
}

static void close_all(void)
{
	db_free(db);
	shm_close(shm);
	seal_key_free(sk);
}

static TCase *store_case(void)
{
	TCase *c = tcase_create("store");

	tcase_add_unchecked_fixture(c, open_all, close_all);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, user_is_found_with_what_was_given);
	tcase_add_test(c, user_name_is_unique);
	tcase_add_test(c, user_without_password_has_no_hash);
	tcase_add_loop_test(c, names_are_refused, 0, ARRAY_SIZE(bad_names));
	tcase_add_test(c, roles_and_scopes_have_words);
	tcase_add_test(c, token_leads_to_its_user);
	tcase_add_test(c, token_use_is_noted_once_a_minute);
	tcase_add_test(c, token_ends);
	tcase_add_test(c, revoking_twice_keeps_the_first_moment);
	tcase_add_test(c, token_of_a_disabled_user_opens_nothing);
	tcase_add_test(c, service_is_of_its_tenant);
	tcase_add_test(c, default_service_moves);
	tcase_add_test(c, source_is_read_as_it_was_added);
	tcase_add_test(c, audit_holds_no_secret);
	tcase_add_test(c, audit_says_that_settings_changed);
	tcase_add_test(c, source_is_of_its_tenant);
	tcase_add_test(c, service_of_another_tenant_is_refused);
	tcase_add_test(c, bad_sources_are_refused);
	tcase_add_test(c, one_default_source_for_each_provider);
	tcase_add_test(c, update_sets_all_and_keeps_secrets);
	tcase_add_test(c, deleted_source_is_gone);
	tcase_add_test(c, list_is_newest_first_with_a_cursor);
	tcase_add_test(c, counters_are_summed_over_the_slots);
	tcase_add_test(c, each_change_bumps_the_generation);
	tcase_add_test(c, sources_are_found_in_three_ways_at_once);
	tcase_add_test(c, secrets_are_the_newest_four_that_live);
	tcase_add_test(c, sealed_secrets_differ_and_cannot_be_swapped);
	tcase_add_test(c, key_is_shown_and_that_is_noted);
	tcase_add_test(c, rotated_key_leaves_the_old_one_for_a_while);
	tcase_add_test(c, rotated_secrets_overlap_and_are_four_at_most);
	tcase_add_test(c, no_secret_is_rotated_where_there_is_none);
	tcase_add_test(c, environment_source_is_made_once_and_follows);
	tcase_add_test(c, webhook_urls);
	tcase_add_test(c, incident_goes_round);
	tcase_add_test(c, incident_refuses_what_its_status_does_not_allow);
	tcase_add_test(c, incident_is_of_its_tenant);
	tcase_add_test(c, older_incident_stays_over_while_a_newer_one_is_open);
	return c;
}

int main(void)
{
	Suite *suite = suite_create("store");
	SRunner *r = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, store_case());
	srunner_set_fork_status(r, CK_NOFORK);	/* one connection for all */
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
