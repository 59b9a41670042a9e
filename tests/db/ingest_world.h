/* ingest_world.h - the pipeline with all it needs, on an empty database: two sources, and requests of theirs.
 *
 * The server is reached through a link, so that a test can take it away: see away() and back(). */
#ifndef INGEST_WORLD_H
#define INGEST_WORLD_H

#include "db_test.h"

#include "grapnel/ingest.h"
#include "grapnel/store.h"
#include "src/ingest/ingest_int.h"

static struct err e;

#define T0 INT64_C(1800000000000)	/* 2027-01-15T08:00:00Z */

static struct world {
	struct db *db;
	struct arena *a;
	struct shm *shm;
	struct seal_key *seal;
	struct id_maker ids;
	struct ingest *g;
	struct source webhook, prometheus;
	struct str webhook_key, prometheus_key;
	char dir[64], link[80];
} w;

static inline void back(void)
{
	ck_assert_int_eq(symlink(getenv("GRAPNEL_TEST_SOCKET"), w.link), 0);
	while (w.db && !db_connect(w.db, &e))	/* it is asked for its greeting, and nobody waits for that */
		test_pause();
	e = (struct err){ 0 };
}

/* The connection is lost, and nobody is there any more. */
static inline void away(void)
{
	unlink(w.link);
	db_doubt(w.db);
}

static inline void add_source(const char *provider, struct source *out, struct str *key)
{
	const struct who who = { .tenant_id = 1, .actor = 4 };
	struct source in = { .tenant_id = 1, .kind = SOURCE_INTEGRATION, .provider = str_of(provider), .name = str_of(provider),
		.service_id = 1, .rate_per_minute = 0, .enabled = true, .actions = DO_INCIDENT };

	succeeds(source_add(w.db, w.a, w.seal, w.shm, &in, STR_NONE, &who, T0, out, key, &e));
}

static inline void setup(void)
{
	const struct db_config c = { .socket = w.link, .user = "root", .password = "", .name = "grapnel_test_ingest",
		.connect_timeout_ms = 5000, .read_timeout_ms = 30000 };
	unsigned applied;
	char path[100];

	test_database("grapnel_test_ingest");
	snprintf(w.dir, sizeof(w.dir), "/tmp/grapnel-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(w.dir));
	snprintf(w.link, sizeof(w.link), "%s/db.sock", w.dir);
	back();
	w.db = db_new(&c);
	w.a = arena_new(64 << 20);
	succeeds(migrate_up(w.db, getenv("GRAPNEL_TEST_SQL"), &applied, &e));
	snprintf(path, sizeof(path), "%s/key", w.dir);
	succeeds(seal_key_create(path, &e));
	w.seal = seal_key_load(path, &e);
	unlink(path);
	snprintf(path, sizeof(path), "%s/state", w.dir);
	w.shm = shm_open_file(path, &e);
	unlink(path);
	id_maker_init(&w.ids, 1);
	add_source("webhook", &w.webhook, &w.webhook_key);
	add_source("prometheus", &w.prometheus, &w.prometheus_key);
	w.g = ingest_new(&(struct ingest_config){ .db = w.db, .shm = w.shm, .seal = w.seal, .ids = &w.ids, .events_max = 4,
		.public_url = "http://localhost", .verify_signatures = true, .rate_limit = true, .remote_per_minute = 300 });
}

static inline void teardown(void)
{
	ingest_free(w.g);
	shm_close(w.shm);
	seal_key_free(w.seal);
	arena_free(w.a);
	db_free(w.db);
	w.db = NULL;
	unlink(w.link);
	rmdir(w.dir);
}

/* A request with the source's key and, for the generic type, an id that the sender made. */
static inline struct ingest_item item(const struct source *s, struct str key, const char *id, const char *body)
{
	struct header *h = ARENA_ARRAY(w.a, struct header, 2);

	h[0] = (struct header){ STR("x-api-key"), key };
	h[1] = (struct header){ STR("idempotency-key"), str_of(id) };
	return (struct ingest_item){
		.in = {
			.method = STR("POST"),
			.uri = arena_printf(w.a, "/api/integrations/%.*s/%.*s", STR_ARG(s->provider), STR_ARG(s->public_id)),
			.path = arena_printf(w.a, "/api/integrations/%.*s/%.*s", STR_ARG(s->provider), STR_ARG(s->public_id)),
			.headers = h, .header_n = id ? 2 : 1, .content_type = STR("application/json"), .body = str_of(body),
		},
		.remote_addr = STR("127.0.0.1"), .trace = STR("t"), .began_us = clock_mono_us(),
	};
}

static inline bool says(const struct ingest_item *it, const char *part)
{
	return strstr(arena_cstr(w.a, it->answer.body), part) != NULL;
}

struct number {
	uint64_t n;
};

static inline uint64_t number(const char *sql)
{
	static const struct field fields[] = { FIELD_U64(struct number, n, "n", "a count"), FIELD_END };
	const struct stmt *s = &(struct stmt){ "test.number", sql };
	struct db *db = test_connect("grapnel_test_ingest", 30000);	/* `s` lives only here, so it may not stay prepared */
	struct number row = { 0 };

	ck_assert_int_eq(db_query_one(db, s, NULL, 0, w.a, fields, sizeof(row), &row, &e), 1);
	db_free(db);
	return row.n;
}

static inline int world_run(const char *name, const TTest *const *tests, size_t n, SFun begin, SFun end)
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create(name);
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_set_timeout(t, 60);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

#endif
