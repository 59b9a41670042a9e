/* What people do to incidents and services, as API and pages call it: the acts of src/resource with src/store below, against a
 * real MariaDB. */
#include "db_test.h"
#include "grapnel/resource.h"

#define ACTS_DB "grapnel_acts"
#define NOW 1760000000000LL	/* 2025-10-09 */

static struct db *db;
static struct arena *a;
static struct shm *shm;
static struct seal_key *seal_key;
static struct err e;
static struct id_maker ids = { .worker = 5 };
static uint64_t last_incident;

enum {
	T_RESET_SERVICES, T_RESET_SOURCES, T_RESET_INCIDENTS, T_RESET_KEYS, T_INCIDENT, T_KEY, T_SOURCE, T_INCIDENT_USES, T_AUDIT,
	T_STATE,
};

static const struct stmt stmts[] = {
	[T_RESET_SERVICES] = { "test.services", "DELETE FROM services WHERE id > 2" },
	[T_RESET_SOURCES] = { "test.sources", "DELETE FROM sources WHERE id = 1" },
	[T_RESET_INCIDENTS] = { "test.incidents", "DELETE FROM incidents" },
	[T_RESET_KEYS] = { "test.keys", "DELETE FROM incident_keys" },
	[T_INCIDENT] = { "test.incident",
		"INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, open_hash, title, status, level,"
		" opened_at, last_alert_at, updated_at) VALUES (?, ?, ?, 99, ?, ?, 'disk', ?, 2, 1, 1, 1)" },
	[T_KEY] = { "test.key",
		"INSERT INTO incident_keys (service_id, key_hash, incident_id, status, level) VALUES (?, ?, ?, ?, 2)" },
	[T_SOURCE] = { "test.source",
		"INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, route_by_service, created_at,"
		" updated_at) VALUES (1, 'in_00000000000000000001', 1, 1, 'webhook', 'x', ?, 1, 1, 1, 1)" },
	[T_INCIDENT_USES] = { "test.incident_uses", "UPDATE incidents SET service_id = ? WHERE id = ?" },
	[T_AUDIT] = { "test.audit",
		"SELECT COUNT(*) AS n, COALESCE(MAX(detail), '') AS text FROM audit_log WHERE object = ? AND action = ?"
		" AND tenant_id = ? AND user_id = ?" },
	[T_STATE] = { "test.state",
		"SELECT status AS n, COALESCE(snoozed_until, 0) AS at FROM incidents WHERE id = ?" },
};

static const struct stmt once[] = {
	{ "data.tenant", "INSERT INTO tenants (id, name, created_at) VALUES (2, 'other', 1)" },
	{ "data.service", "INSERT INTO services (id, public_id, tenant_id, name, is_default, created_at, updated_at)"
		" VALUES (2, 'sv_00000000000000000002', 2, 'default', 1, 1, 1)" },
	{ "data.source", "INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, created_at,"
		" updated_at) VALUES (99, 'in_00000000000000000099', 1, 1, 'webhook', 'x', 1, 1, 1, 1)" },
	{ "data.users", "INSERT INTO users (id, public_id, tenant_id, name, role, enabled, created_at) VALUES"
		" (7, 'us_00000000000000000007', 1, 'ann', 2, 1, 1), (8, 'us_00000000000000000008', 1, 'gone', 2, 0, 1),"
		" (9, 'us_00000000000000000009', 2, 'bob', 2, 1, 1)" },
};

struct row {
	uint64_t n;
	ms_t at;
	struct str text;
};

static const struct field row_fields[] = {
	FIELD_U64(struct row, n, "n", ""),
	FIELD_TIME(struct row, at, "at", ""),
	FIELD_STR(struct row, text, "text", ""),
	FIELD_END
};

static void run(int q, const struct val *vals, size_t n)
{
	succeeds(db_exec(db, &stmts[q], vals, n, NULL, &e));
}

static struct row ask(int q, const struct val *vals, size_t n)
{
	struct row r = { 0 };

	ck_assert_msg(db_query_one(db, &stmts[q], vals, n, a, row_fields, sizeof(r), &r, &e) == 1, "%s", e.text);
	return r;
}

static struct caller caller(void)
{
	return (struct caller){ .db = db, .shm = shm, .seal = seal_key, .ids = &ids, .a = a, .tenant_id = 1, .now = NOW,
		.principal = { .user_id = 7, .tenant_id = 1, .role = ROLE_ADMIN }, .remote_addr = STR("192.0.2.1") };
}

static void setup(void)
{
	e = (struct err){ 0 };
	a = arena_new(64 << 20);
	for (int q = T_RESET_SERVICES; q <= T_RESET_KEYS; q++)
		run(q, NULL, 0);
}

static void teardown(void)
{
	arena_free(a);
}

#define refused(call, want_code, want_field) \
	do { \
		e = (struct err){ 0 }; \
		ck_assert(!(call)); \
		ck_assert_msg(e.code == (want_code), "code %d: %s", e.code, e.text); \
		ck_assert_str_eq(e.field, want_field); \
		if (e.code != ERR_NOT_FOUND) \
			ck_assert_msg(str_ends(str_of(e.text), "."), "no sentence: %s", e.text); \
		e = (struct err){ 0 }; \
	} while (0)

/* ---- incidents ---- */

static uint64_t new_incident(enum incident_status status)
{
	uint64_t id = id_make(&ids, NOW) + ++last_incident;
	struct str key = arena_printf(a, "key-%llu", (unsigned long long)id);
	unsigned char bytes[KEY_HASH_BYTES];
	struct str hash = { (const char *)bytes, sizeof(bytes) };

	key_hash(key, bytes);
	run(T_INCIDENT, VALS(V_U(id), V_U(1), V_U(1), V_S(key), status == INCIDENT_RESOLVED ? V_NULL() : V_B(hash), V_U(status)));
	run(T_KEY, VALS(V_U(1), V_B(hash), V_U(id), V_U(status)));
	return id;
}

static struct incident_detail detail(uint64_t id)
{
	struct incident_detail d;

	ck_assert_int_eq(incident_view_get(db, a, 1, id, &d, &e), 1);
	return d;
}

static struct timeline_view last_entry(uint64_t id, size_t entries)
{
	struct incident_detail d = detail(id);

	ck_assert_uint_eq(d.timeline_n, entries);
	return entries ? d.timeline[entries - 1] : (struct timeline_view){ 0 };
}

static uint64_t audited(uint64_t id, const char *action)
{
	return ask(T_AUDIT, VALS(V_S(arena_printf(a, "%llu", (unsigned long long)id)), V_S(str_of(action)), V_U(1), V_U(7))).n;
}

static bool take_note(uint64_t id, const char *text)
{
	struct caller by = caller();
	struct note_form f = { str_of(text) };

	return incident_note_by(&by, id, &f, &e);
}

static bool assign(uint64_t id, const char *to)
{
	struct caller by = caller();
	struct assign_form f = { str_of(to) };

	return incident_assign_by(&by, id, &f, &e);
}

static bool snooze(uint64_t id, uint64_t minutes, ms_t until)
{
	struct caller by = caller();
	struct snooze_form f = { minutes, until };

	return incident_snooze_by(&by, id, &f, &e);
}

static bool command(uint64_t id, enum incident_command what)
{
	struct caller by = caller();

	return incident_command_by(&by, id, what, STR_NONE, &e);
}

START_TEST(test_notes_stand_in_the_timeline)
{
	uint64_t id = new_incident(INCIDENT_RESOLVED);
	struct timeline_view t;

	succeeds(take_note(id, "  it was the fan\r\nof rack 3 \n"));
	t = last_entry(id, 1);
	ck_assert(str_eqs(t.text, "it was the fan\r\nof rack 3"));
	ck_assert(str_eqs(t.kind, "note") && str_eqs(t.actor, "person") && str_eqs(t.user, "ann"));
	ck_assert_uint_eq(audited(id, "incident.note"), 1);
	refused(take_note(id, " \n "), ERR_INVALID, "text");
	refused(take_note(7, "x"), ERR_NOT_FOUND, "");
}
END_TEST

START_TEST(test_an_incident_is_given_to_somebody)
{
	uint64_t id = new_incident(INCIDENT_OPEN);
	struct incident_detail d;

	succeeds(assign(id, "ann"));
	succeeds(assign(id, "us_00000000000000000007"));	/* the same: no entry */
	d = detail(id);
	ck_assert(str_eqs(d.incident.assignee, "ann") && str_eqs(d.incident.assignee_id, "us_00000000000000000007"));
	ck_assert(str_eqs(last_entry(id, 1).text, "ann"));
	succeeds(assign(id, NULL));
	ck_assert_ptr_null(detail(id).incident.assignee.p);
	ck_assert_ptr_null(last_entry(id, 2).text.p);
	ck_assert_uint_eq(audited(id, "incident.assign"), 2);
	refused(assign(id, "nobody"), ERR_INVALID, "assignee");
	refused(assign(id, "gone"), ERR_INVALID, "assignee");
	refused(assign(id, "bob"), ERR_INVALID, "assignee");	/* of another tenant */
	refused(assign(id, "us_00000000000000000009"), ERR_INVALID, "assignee");
	refused(assign(7, "ann"), ERR_NOT_FOUND, "");
}
END_TEST

static const struct {
	uint64_t minutes;
	ms_t until;
	const char *field;	/* NULL: accepted */
	ms_t stored;
} snoozes[] = {
	{ 30, 0, NULL, NOW + 30 * MS_PER_MINUTE },
	{ 43200, 0, NULL, NOW + 30 * MS_PER_DAY },
	{ 0, 0, NULL, 0 },
	{ UINT64_MAX, NOW + MS_PER_MINUTE, NULL, NOW + MS_PER_MINUTE },
	{ UINT64_MAX, NOW + 30 * MS_PER_DAY, NULL, NOW + 30 * MS_PER_DAY },
	{ UINT64_MAX, NOW + MS_PER_MINUTE - 1, "until", 0 },
	{ UINT64_MAX, NOW + 30 * MS_PER_DAY + 1, "until", 0 },
	{ UINT64_MAX, 0, "minutes", 0 },
	{ 5, NOW + MS_PER_HOUR, "minutes", 0 },
};

START_TEST(test_an_incident_is_snoozed)
{
	uint64_t id = new_incident(INCIDENT_ACKNOWLEDGED);

	if (snoozes[_i].field)
		refused(snooze(id, snoozes[_i].minutes, snoozes[_i].until), ERR_INVALID, snoozes[_i].field);
	else
		succeeds(snooze(id, snoozes[_i].minutes, snoozes[_i].until));
	ck_assert_int_eq(ask(T_STATE, VALS(V_U(id))).at, snoozes[_i].stored);
	ck_assert_int_eq(detail(id).incident.snoozed_until, snoozes[_i].stored);
}
END_TEST

START_TEST(test_being_snoozed_ends)
{
	unsigned char hash[KEY_HASH_BYTES] = { 0 };
	uint64_t id = new_incident(INCIDENT_OPEN);
	struct incident_row worse = { .id = id, .tenant_id = 1, .service_id = 1, .source_id = 1, .dedup_key = STR("k"),
		.title = STR("disk"), .key_hash = hash, .status = INCIDENT_OPEN, .level = LEVEL_MEDIUM, .last_alert_at = NOW };

	succeeds(snooze(id, 60, 0));
	ck_assert(str_eqs(last_entry(id, 1).text, "2025-10-09T09:53:20.000Z"));
	succeeds(snooze(id, 0, 0));
	ck_assert_ptr_null(last_entry(id, 2).text.p);
	succeeds(snooze(id, 0, 0));	/* it is so already */
	ck_assert_uint_eq(audited(id, "incident.snooze"), 2);

	succeeds(snooze(id, 60, 0));
	succeeds(batch_write_incidents(db, a, &worse, 1, NOW, &e));	/* another alert as bad as the first */
	ck_assert_int_ne(ask(T_STATE, VALS(V_U(id))).at, 0);
	worse.level = LEVEL_HIGH;
	succeeds(batch_write_incidents(db, a, &worse, 1, NOW, &e));
	ck_assert_int_eq(ask(T_STATE, VALS(V_U(id))).at, 0);

	succeeds(snooze(id, 60, 0));
	succeeds(command(id, COMMAND_ACKNOWLEDGE));
	ck_assert_int_ne(ask(T_STATE, VALS(V_U(id))).at, 0);
	succeeds(command(id, COMMAND_RESOLVE));
	ck_assert_int_eq(ask(T_STATE, VALS(V_U(id))).at, 0);
	refused(snooze(id, 60, 0), ERR_CONFLICT, "");
	succeeds(command(id, COMMAND_REOPEN));
	refused(command(id, COMMAND_REOPEN), ERR_CONFLICT, "");
	succeeds(snooze(id, 60, 0));
}
END_TEST

START_TEST(test_acts_stay_within_the_tenant)
{
	uint64_t id = new_incident(INCIDENT_OPEN);
	struct caller by = caller();
	struct snooze_form sf = { 5, 0 };
	struct assign_form af = { STR("bob") };
	struct note_form nf = { STR("x") };

	by.tenant_id = 2;
	refused(incident_note_by(&by, id, &nf, &e), ERR_NOT_FOUND, "");
	refused(incident_assign_by(&by, id, &af, &e), ERR_NOT_FOUND, "");
	refused(incident_snooze_by(&by, id, &sf, &e), ERR_NOT_FOUND, "");
	refused(incident_command_by(&by, id, COMMAND_RESOLVE, STR_NONE, &e), ERR_NOT_FOUND, "");
	by.tenant_id = 0;	/* tenant=all: the incident's own */
	succeeds(incident_note_by(&by, id, &nf, &e));
	refused(incident_assign_by(&by, id, &af, &e), ERR_INVALID, "assignee");
	af.assignee = STR("ann");
	succeeds(incident_assign_by(&by, id, &af, &e));
	ck_assert_uint_eq(audited(id, "incident.note"), 1);
}
END_TEST

static const struct json *list_of(const char *json)
{
	const struct json *list;

	succeeds(json_parse(a, str_of(json), &list, &e));
	return list;
}

START_TEST(test_many_at_once)
{
	struct caller by = caller();
	uint64_t open = new_incident(INCIDENT_OPEN), resolved = new_incident(INCIDENT_RESOLVED);
	struct bulk_form f = { .action = 1 << COMMAND_RESOLVE, .note = STR("all over"),
		.ids = list_of(arena_printf(a, "[\"%llu\",\"%llu\",\"7\",\"x\",\"%llu\"]", (unsigned long long)open,
			(unsigned long long)resolved, (unsigned long long)open).p) };
	const char *const errors[] = { NULL, "conflict", "not_found", "not_found", "conflict" };
	struct bulk_result *r;
	size_t n;

	succeeds(incident_bulk_by(&by, &f, &r, &n, &e));
	ck_assert_uint_eq(n, 5);
	for (size_t i = 0; i < n; i++) {
		ck_assert(r[i].success == !errors[i]);
		ck_assert(str_eq(r[i].error, str_of(errors[i])));
		ck_assert(r[i].success || str_ends(r[i].message, "."));
	}
	ck_assert(str_eqs(r[3].id, "x"));
	ck_assert(str_eqs(last_entry(open, 1).text, "all over"));
	ck_assert_uint_eq(ask(T_STATE, VALS(V_U(open))).n, INCIDENT_RESOLVED);
	f.action = 1 << COMMAND_RESOLVE | 1 << COMMAND_ACKNOWLEDGE;
	refused(incident_bulk_by(&by, &f, &r, &n, &e), ERR_INVALID, "action");
}
END_TEST

/* ---- services ---- */

static bool create(const struct service_form *f, struct service *made)
{
	struct caller by = caller();

	return service_create(&by, f, made, &e);
}

static struct service create_named(const char *name, const char *aliases)
{
	struct service_form f = { .name = str_of(name), .aliases = aliases ? list_of(aliases) : NULL };
	struct service made = { 0 };

	succeeds(create(&f, &made));
	return made;
}

/* The wish of a test: each member with a value is set. */
static bool wish(void *ctx, struct service_form *f, struct err *ignored)
{
	const struct service_form *w = ctx;

	(void)ignored;
	if (w->name.p)
		f->name = w->name;
	if (w->aliases)
		f->aliases = w->aliases;
	if (w->is_default)
		f->is_default = true;
	return true;
}

static bool change(struct str id, struct service_form w)
{
	struct caller by = caller();

	return service_change(&by, id, wish, &w, &e);
}

static bool drop(struct str id)
{
	struct caller by = caller();

	return service_remove(&by, id, &e);
}

static struct service_view view(struct str id)
{
	struct service_view v;

	ck_assert_msg(service_view_get(db, a, 1, id, NOW, &v, &e) == 1, "%s", e.text);
	return v;
}

START_TEST(test_a_service_holds_what_was_given)
{
	struct service_form f = { .name = STR("Shop"), .description = STR(" where people buy\n"), .auto_resolve_minutes = 90,
		.aliases = list_of("[\"store\",\"SHOP\",\"Store\",\"caf\\u00e9\"]") };
	struct service made;
	struct service_view v;

	succeeds(create(&f, &made));
	v = view(made.public_id);
	ck_assert(str_eqs(v.name, "Shop") && str_eqs(v.description, "where people buy"));
	ck_assert_msg(str_eqs(v.aliases, "[\"store\",\"café\"]"), "%.*s", STR_ARG(v.aliases));
	ck_assert(str_eqs(v.auto_resolve, "90") && !v.is_default && !v.integrations && !v.open_incidents);
	ck_assert_uint_eq(ask(T_AUDIT, VALS(V_S(made.public_id), V_S(STR("service.create")), V_U(1), V_U(7))).n, 1);
	v = view(create_named("plain", NULL).public_id);
	ck_assert(str_eqs(v.aliases, "[]") && !v.auto_resolve.p);
	ck_assert_int_eq(service_view_get(db, a, 2, made.public_id, NOW, &v, &e), 0);
}
END_TEST

START_TEST(test_two_services_never_answer_to_one_name)
{
	struct service shop = create_named("Shop", "[\"store\"]"), other = create_named("other", NULL), made;
	struct service_form f = { .name = STR("STORE") };

	refused(create(&f, &made), ERR_CONFLICT, "name");
	f.name = STR("Shöp");	/* equal to the database, not to ingest */
	refused(create(&f, &made), ERR_CONFLICT, "name");
	f = (struct service_form){ .name = STR("third"), .aliases = list_of("[\"ok\",\"sHop\"]") };
	refused(create(&f, &made), ERR_CONFLICT, "aliases");
	refused(change(other.public_id, (struct service_form){ .name = STR("shop") }), ERR_CONFLICT, "name");
	refused(change(other.public_id, (struct service_form){ .aliases = list_of("[\"Store\"]") }), ERR_CONFLICT, "aliases");
	succeeds(change(shop.public_id, (struct service_form){ .name = STR("store"), .aliases = list_of("[\"Shop\"]") }));
	ck_assert(str_eqs(view(shop.public_id).aliases, "[\"Shop\"]"));
	refused(change(STR("sv_nothing"), (struct service_form){ .name = STR("x") }), ERR_NOT_FOUND, "");
	refused(change(STR("sv_00000000000000000002"), (struct service_form){ .name = STR("x") }), ERR_NOT_FOUND, "");
}
END_TEST

START_TEST(test_wrong_services_name_the_field)
{
	struct service made;
	char name[102] = { 0 };

	memset(name, 'x', 101);
	for (size_t i = 0; i < 3; i++) {
		struct service_form f = { .name = STR("new") };

		if (i == 0)
			f.name = str_of(name);
		else if (i == 1)
			f.aliases = list_of(arena_printf(a, "[\"%s\"]", name).p);
		else
			f.aliases = list_of("[\"a\\u0007\"]");
		refused(create(&f, &made), ERR_INVALID, i ? "aliases" : "name");
	}
}
END_TEST

START_TEST(test_the_default_service_moves_and_stays)
{
	struct service shop = create_named("Shop", NULL), s;
	struct service_view v;

	refused(drop(STR("sv_00000000000000000000")), ERR_CONFLICT, "");
	succeeds(change(shop.public_id, (struct service_form){ .is_default = true }));
	v = view(STR("sv_00000000000000000000"));
	ck_assert(!v.is_default && view(shop.public_id).is_default);
	ck_assert_int_eq(service_default(db, a, 1, &s, &e), 1);
	ck_assert(str_eq(s.public_id, shop.public_id));
	refused(drop(shop.public_id), ERR_CONFLICT, "");
	s.is_default = false;
	ck_assert_int_eq(service_update(db, a, shm, &s, &(struct who){ .tenant_id = 1, .actor = 3 }, NOW, &e), -1);
	ck_assert_str_eq(e.field, "isDefault");
	e = (struct err){ 0 };
	succeeds(change(STR("sv_00000000000000000000"), (struct service_form){ .is_default = true }));
}
END_TEST

START_TEST(test_a_service_in_use_is_kept)
{
	struct service shop = create_named("Shop", NULL);
	uint64_t id = new_incident(INCIDENT_OPEN);
	struct service_view v;

	run(T_SOURCE, VALS(V_U(shop.id)));
	run(T_INCIDENT_USES, VALS(V_U(shop.id), V_U(id)));
	v = view(shop.public_id);
	ck_assert_uint_eq(v.integrations, 1);
	ck_assert_uint_eq(v.open_incidents, 1);
	e = (struct err){ 0 };
	ck_assert(!drop(shop.public_id));
	ck_assert_msg(strstr(e.text, "1 integration and 1 unresolved incident use"), "%s", e.text);
	run(T_RESET_SOURCES, NULL, 0);
	refused(drop(shop.public_id), ERR_CONFLICT, "");
	run(T_RESET_INCIDENTS, NULL, 0);
	succeeds(drop(shop.public_id));
}
END_TEST

START_TEST(test_a_deleted_service_is_found_by_nobody_and_its_name_is_free)
{
	struct service shop = create_named("Shop", "[\"store\"]"), again, *list;
	struct source in = { .tenant_id = 1, .provider = STR("webhook"), .name = STR("x"), .actions = 1,
		.service_public_id = shop.public_id }, out;
	struct who who = { .tenant_id = 1, .actor = 3 };
	struct service_view v;
	struct str key;
	size_t n;

	succeeds(drop(shop.public_id));
	refused(drop(shop.public_id), ERR_NOT_FOUND, "");
	ck_assert_int_eq(service_view_get(db, a, 1, shop.public_id, NOW, &v, &e), 0);
	ck_assert_int_eq(service_by_name(db, a, 1, STR("Shop"), &again, &e), 0);
	ck_assert_int_eq(service_by_public_id(db, a, 1, shop.public_id, &again, &e), 0);
	succeeds(service_list(db, a, 1, &list, &n, &e));
	ck_assert_uint_eq(n, 1);
	ck_assert(!source_add(db, a, seal_key, shm, &in, STR_NONE, &who, NOW, &out, &key, &e));
	ck_assert_str_eq(e.field, "serviceId");
	again = create_named("shop", "[\"Store\"]");
	ck_assert(!str_eq(again.public_id, shop.public_id));
	succeeds(drop(again.public_id));
	create_named("SHOP", NULL);
}
END_TEST

/* What ingest knows of the services of its tenant; and that each change is seen, here and on other hosts. */
START_TEST(test_ingest_sees_each_change)
{
	uint64_t stamp, before, generation;
	struct live_source *live;
	struct service shop;
	size_t n;

	run(T_SOURCE, VALS(V_U(1)));
	succeeds(live_sources_stamp(db, a, NOW, &before, &e));
	generation = shm_generation(shm);
	shop = create_named("Shop", "[\"store\"]");
	for (int i = 0; i < 3; i++) {
		if (i == 1)
			succeeds(change(shop.public_id, (struct service_form){ .name = STR("Market") }));
		if (i == 2)
			succeeds(drop(shop.public_id));
		ck_assert_uint_eq(shm_generation(shm), generation + (uint64_t)i + 1);
		succeeds(live_sources_stamp(db, a, NOW, &stamp, &e));
		ck_assert_uint_ne(stamp, before);
		before = stamp;
		succeeds(live_sources(db, a, seal_key, STR("[\"in_00000000000000000001\"]"), STR_NONE, STR_NONE, NOW, &live, &n, &e));
		ck_assert_uint_eq(n, 1);
		ck_assert((strstr(arena_cstr(a, live->services), i ? "Market" : "Shop") != NULL) == (i < 2));
		ck_assert((strstr(arena_cstr(a, live->services), "store") != NULL) == (i < 2));
	}
}
END_TEST

/* Somebody else changes the service between reading and writing: the wish is put over the new state, so both win. */
struct racing {
	struct str id;
	int calls;
};

static bool racing_wish(void *ctx, struct service_form *f, struct err *bad)
{
	struct racing *r = ctx;

	(void)bad;
	if (!r->calls++)
		succeeds(change(r->id, (struct service_form){ .name = STR("Market") }));
	f->aliases = list_of("[\"stall\"]");
	return true;
}

START_TEST(test_changes_at_the_same_time_all_count)
{
	struct racing r = { .id = create_named("Shop", NULL).public_id };
	struct caller by = caller();
	struct service_view v;

	succeeds(service_change(&by, r.id, racing_wish, &r, &e));
	ck_assert_int_eq(r.calls, 2);
	v = view(r.id);
	ck_assert(str_eqs(v.name, "Market") && str_eqs(v.aliases, "[\"stall\"]"));
}
END_TEST

START_TEST(test_services_page_by_page)
{
	struct service_filter f = { .tenant_id = 1, .limit = 2, .text = STR("SHOP_") };
	struct service_view *rows;
	uint64_t next;
	size_t n;

	for (int i = 0; i < 3; i++)
		create_named(arena_printf(a, "shop_%d", i).p, NULL);
	create_named("shopping", NULL);	/* '_' is itself */
	succeeds(service_view_list(db, a, &f, &rows, &n, &next, &e));
	ck_assert_uint_eq(n, 2);
	ck_assert(str_eqs(rows[0].name, "shop_2") && next == rows[1].row);
	f.cursor = next;
	succeeds(service_view_list(db, a, &f, &rows, &n, &next, &e));
	ck_assert_uint_eq(n, 1);
	ck_assert(str_eqs(rows[0].name, "shop_0") && !next);
}
END_TEST

/* ---- the scratch database, key and shared state ---- */

static void begin(void)
{
	char folder[] = "/tmp/grapnel-acts.XXXXXX", path[64];

	if (!mkdtemp(folder))
		die("no folder");
	snprintf(path, sizeof(path), "%s/key", folder);
	if (!seal_key_create(path, &e) || !(seal_key = seal_key_load(path, &e)))
		die("%s", e.text);
	unlink(path);
	snprintf(path, sizeof(path), "%s/state", folder);
	shm = shm_open_file(path, &e);
	unlink(path);
	rmdir(folder);
	test_database(ACTS_DB);
	db = test_connect(ACTS_DB, 30000);
	if (!shm || !migrate_up(db, getenv("GRAPNEL_TEST_SQL"), NULL, &e))
		die("%s", e.text);
	for (size_t i = 0; i < ARRAY_SIZE(once); i++)
		if (!db_exec(db, &once[i], NULL, 0, NULL, &e))
			die("%s", e.text);
}

static Suite *suite(void)
{
	Suite *s = suite_create("acts");
	TCase *t = tcase_create("acts");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_notes_stand_in_the_timeline);
	tcase_add_test(t, test_an_incident_is_given_to_somebody);
	tcase_add_loop_test(t, test_an_incident_is_snoozed, 0, (int)ARRAY_SIZE(snoozes));
	tcase_add_test(t, test_being_snoozed_ends);
	tcase_add_test(t, test_acts_stay_within_the_tenant);
	tcase_add_test(t, test_many_at_once);
	tcase_add_test(t, test_a_service_holds_what_was_given);
	tcase_add_test(t, test_two_services_never_answer_to_one_name);
	tcase_add_test(t, test_wrong_services_name_the_field);
	tcase_add_test(t, test_the_default_service_moves_and_stays);
	tcase_add_test(t, test_a_service_in_use_is_kept);
	tcase_add_test(t, test_a_deleted_service_is_found_by_nobody_and_its_name_is_free);
	tcase_add_test(t, test_ingest_sees_each_change);
	tcase_add_test(t, test_changes_at_the_same_time_all_count);
	tcase_add_test(t, test_services_page_by_page);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r;
	int failed;

	if (!getenv("GRAPNEL_TEST_SOCKET") || !getenv("GRAPNEL_TEST_SQL"))
		return 77;	/* skipped: tests/db/run starts a server */
	begin();
	r = srunner_create(suite());
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	db_free(db);
	seal_key_free(seal_key);
	shm_close(shm);
	return failed != 0;
}
