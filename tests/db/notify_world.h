/* notify_world.h - a tenant with people, services and a channel that is told of all incidents; what befalls incidents there, heard at moments that the test
 * says. Nothing is sent: rows of the outbox are what there is to see. */
#ifndef NOTIFY_WORLD_H
#define NOTIFY_WORLD_H

#include "store_test.h"

#include "grapnel/notify.h"
#include "grapnel/store.h"

#define NOW 1800000000000LL	/* 2027-01-15T08:00:00Z, a Friday */
#define MIN MS_PER_MINUTE

enum { SHOP = 2, TILL = 3, THEIRS = 4 };	/* services */
enum { ANN = 7, BOB = 8 };

static struct id_maker ids;
static const char *world_name;
static const struct who who = { .tenant_id = 1, .actor = ACTOR_PERSON, .user_id = ANN };

static const char *const emptied[] = { "incidents", "incident_keys", "timeline", "incident_news", "held_incidents", "hushes", "escalations",
	"escalation_policies", "schedules", "schedule_layers", "schedule_layer_users", "contacts", "paging", "outbox", "outbox_attempts", "channels",
	"monitor_alerts", "audit_log" };
static const struct stmt once[] = {
	{ "data.tenant", "INSERT INTO tenants (id, name, created_at) VALUES (2, 'other', 1)" },
	{ "data.users", "INSERT INTO users (id, public_id, tenant_id, name, role, created_at) VALUES (7, 'us_00000000000000000007', 1, 'ann', 2, 1),"
		" (8, 'us_00000000000000000008', 1, 'bob', 2, 1)" },
	{ "data.services", "INSERT INTO services (id, public_id, tenant_id, name, created_at, updated_at) VALUES (2, 'sv_00000000000000000002', 1, 'shop', 1, 1),"
		" (3, 'sv_00000000000000000003', 1, 'till', 1, 1), (4, 'sv_00000000000000000004', 2, 'theirs', 1, 1)" },
	{ "data.sources", "INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, created_at, updated_at) VALUES"
		" (1, 'in_00000000000000000001', 1, 1, 'prometheus', 'one', 2, 2, 1, 1), (2, 'in_00000000000000000002', 2, 1, 'prometheus', 'two', 4, 2, 1, 1)" },
};

enum { W_INCIDENT, W_KEY, W_ENTRY, W_RAISE, W_CHANNEL, W_KINDS, W_TOLD, W_HELD, W_BLOCKED };
static const struct stmt world_stmts[] = {
	[W_INCIDENT] = { "w.incident",
		"INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, open_hash, title, status, level, is_test, opened_at, last_alert_at, updated_at)"
		" VALUES (?, 1, ?, 1, ?, ?, 'Disk full', 1, ?, ?, 1, 1, 1)" },
	[W_KEY] = { "w.key", "INSERT INTO incident_keys (service_id, key_hash, incident_id, status, level) VALUES (?, ?, ?, 1, ?)" },
	[W_ENTRY] = { "w.entry",
		"INSERT INTO timeline (incident_id, id, at, kind, actor, level) SELECT id, ?, ?, ?, 1, level FROM incidents WHERE id = ?" },
	[W_RAISE] = { "w.raise", "UPDATE incidents SET level = ?, snoozed_until = NULL WHERE id = ?" },
	[W_CHANNEL] = { "w.channel",
		"INSERT INTO channels (id, public_id, tenant_id, kind, name, enabled, events, settings, created_at, updated_at)"
		" VALUES (1, 'ch_00000000000000000001', 1, 'webhook', 'ops', 1, 2, '{}', 1, 1)" },
	[W_KINDS] = { "w.kinds",
		"SELECT GROUP_CONCAT(ELT(kind, 'opened', 'raised', 'acknowledged', 'resolved', 'reopened', 'note', 'assigned', 'snoozed', 'held', 'released',"
		" 'escalated', 'merged') ORDER BY id SEPARATOR ' ') AS text FROM timeline WHERE incident_id = ?" },
	[W_TOLD] = { "w.told",
		"SELECT GROUP_CONCAT(SUBSTR(JSON_VALUE(payload, '$.type'), 10) ORDER BY id SEPARATOR ' ') AS text FROM outbox WHERE cause_id = ? AND kind = 1" },
	[W_HELD] = { "w.held",
		"SELECT CONCAT(name, IF(was_told, ', told before', '')) AS text FROM held_incidents WHERE incident_id = ?" },
	[W_BLOCKED] = { "w.blocked", "SELECT COUNT(*) AS n FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'" },
};

static inline void do_sql(int q, const struct val *vals, size_t n)
{
	succeeds(db_exec(db, &world_stmts[q], vals, n, NULL, &e));
}

#define does(sql) succeeds(db_exec(db, stmt_of("t.does", sql), NULL, 0, NULL, &e))

/* A text, or "-" where there is no row or none in it. */
static inline const char *said(int q, uint64_t incident)
{
	struct said {
		struct str text;
	} x = { STR_NONE };
	const struct field fields[] = { FIELD_STR(struct said, text, "text", ""), FIELD_END };

	succeeds(db_query_one(db, &world_stmts[q], VALS(V_U(incident)), a, fields, sizeof(x), &x, &e) >= 0);
	return x.text.n ? arena_cstr(a, x.text) : "-";
}

#define says(q, incident, want) ck_assert_str_eq(said(q, incident), want)

static inline void world_setup(void)
{
	store_test_setup(emptied, ARRAY_SIZE(emptied));
	does("UPDATE users SET enabled = 1");
	does("UPDATE services SET policy_id = NULL");
	do_sql(W_CHANNEL, NULL, 0);
}

static inline void world_teardown(void)
{
	arena_free(a);
}

/* Another entry of its timeline, as ingest writes it, with the news of it. */
static inline void befalls(uint64_t incident, enum timeline_kind kind, ms_t now)
{
	const struct news news = { .id = id_make(&ids, now), .incident_id = incident };

	do_sql(W_ENTRY, VALS(V_U(news.id), V_I(now), V_U(kind), V_U(incident)));
	succeeds(news_add(db, a, &news, 1, &e));
}

static inline uint64_t opened(uint64_t service, enum level level, ms_t now)
{
	static unsigned keys;
	uint64_t id = id_make(&ids, now);
	struct str key = arena_printf(a, "prometheus:disk/%u", ++keys), hash;
	unsigned char bytes[KEY_HASH_BYTES];

	key_hash(key, bytes);
	hash = (struct str){ (const char *)bytes, sizeof(bytes) };
	do_sql(W_INCIDENT, VALS(V_U(id), V_U(service), V_S(key), V_B(hash), V_U(level), V_U(0)));
	do_sql(W_KEY, VALS(V_U(service), V_B(hash), V_U(id), V_U(level)));
	befalls(id, TIMELINE_OPENED, now);
	return id;
}

static inline void raised(uint64_t incident, enum level level, ms_t now)
{
	do_sql(W_RAISE, VALS(V_U(level), V_U(incident)));
	befalls(incident, TIMELINE_RAISED, now);
}

static inline void acts(uint64_t incident, enum incident_command c, ms_t now)
{
	ck_assert_int_eq(incident_act(db, a, 1, incident, c, ACTOR_PERSON, &who, id_make(&ids, now), STR_NONE, now, &e), 1);
}

static inline void snoozes(uint64_t incident, ms_t until, ms_t now)
{
	const struct incident_edit edit = { .kind = TIMELINE_SNOOZED, .snoozed_until = until };

	ck_assert_int_eq(incident_edit(db, a, 1, incident, &edit, &who, id_make(&ids, now), now, &e), 1);
}

static inline void merges(uint64_t incident, uint64_t into, ms_t now)
{
	const struct incident_merge m = { incident, into, &who, &ids, now };

	ck_assert_msg(incident_merge(db, a, &m, &e) == 1, "%s", e.text);
}

/* What the dispatcher does when it looks, all of it. */
static inline void looks(ms_t now)
{
	const struct notify_config c = { .db = db, .ids = &ids };
	struct notifier *n = notifier_new(&c);
	struct notify_woken w;
	bool more = true;

	succeeds(notify_wake(&c, now, &w, &e));
	while (more)
		succeeds(notifier_take(n, now, &more, &e));
	succeeds(notifier_take(n, now, &more, &e));	/* steps are news, too */
	notifier_free(n);
}

/* Several processes that look at once; each has ids of its own. */
static inline void look_at_once(size_t n, ms_t now)
{
	pid_t children[16];

	ck_assert_uint_le(n, ARRAY_SIZE(children));
	for (size_t i = 0; i < n; i++) {
		children[i] = test_fork();
		if (children[i])
			continue;
		db = test_connect(world_name, 60000);
		id_maker_init(&ids, 10 + (unsigned)i);
		looks(now);
		_exit(0);
	}
	for (size_t i = 0; i < n; i++)
		test_child_ended_well(children[i]);
}

/* One that looks and waits for a lock by now; test_child_ended_well takes its end. */
static inline pid_t look_that_waits(ms_t now)
{
	struct db *watch = test_connect(world_name, 60000);
	const struct stmt blocked = world_stmts[W_BLOCKED];
	struct waiting {
		uint64_t n;
	} x = { 0 };
	const struct field fields[] = { FIELD_U64(struct waiting, n, "n", ""), FIELD_END };
	pid_t child = test_fork();

	if (!child) {
		db = test_connect(world_name, 60000);
		id_maker_init(&ids, 30);
		looks(now);
		_exit(0);
	}
	for (int tries = 0; !x.n && tries < 200; tries++) {
		test_pause_trx();
		succeeds(db_query_one(watch, &blocked, NULL, 0, a, fields, sizeof(x), &x, &e) == 1);
	}
	ck_assert_uint_gt(x.n, 0);
	db_free(watch);
	return child;
}

static inline int world_run(const char *name, const char *database, const TTest *const *tests, size_t n, void (*setup)(void))
{
	id_maker_init(&ids, 1);
	world_name = database;
	if (!store_test_begin(database, once, ARRAY_SIZE(once)))
		return STORE_TEST_SKIPPED;
	return store_test_run(name, tests, n, setup, world_teardown);
}

#endif
