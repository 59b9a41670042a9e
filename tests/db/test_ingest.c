/* The pipeline against a real MariaDB, with the clock in hand: what a batch does that single requests over HTTP cannot show. */
#include "ingest_world.h"

START_TEST(test_equal_ids_in_one_batch)
{
	struct ingest_item it[3];

	for (int i = 0; i < 3; i++)
		it[i] = item(&w.webhook, w.webhook_key, "same", "{\"id\":\"k\",\"summary\":\"s\"}");
	ingest_run(w.g, w.a, it, 3, T0);
	ck_assert_uint_eq(it[0].answer.status, 201);
	ck_assert(says(&it[0], "\"triggered\""));
	for (int i = 1; i < 3; i++) {
		ck_assert_uint_eq(it[i].answer.status, 200);
		ck_assert(says(&it[i], "\"alreadyProcessed\":true"));
		ck_assert(says(&it[i], "\"status\":\"OPEN\""));
	}
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests"), 3);
	ck_assert_uint_eq(number("SELECT repeats AS n FROM event_ids"), 2);
	ck_assert_uint_eq(number("SELECT alert_count AS n FROM incidents"), 1);
}
END_TEST

#define FIRING "{\"alerts\":[{\"status\":\"firing\",\"labels\":{\"alertname\":\"A\"},\"startsAt\":\"2027-01-15T07:00:00Z\"," \
	"\"fingerprint\":\"f1\"}]}"

START_TEST(test_derived_id_is_a_redelivery_for_ten_minutes)
{
	const ms_t at[] = { 0, INGEST_DERIVED_MS - 1, INGEST_DERIVED_MS, INGEST_DERIVED_MS + 1, 2 * INGEST_DERIVED_MS + 2 };
	const unsigned status[] = { 201, 200, 200, 201, 201 };
	const char *const what[] = { "\"triggered\"", "alreadyProcessed", "alreadyProcessed", "\"deduplicated\"", "\"deduplicated\"" };

	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		struct ingest_item it = item(&w.prometheus, w.prometheus_key, NULL, FIRING);

		ingest_run(w.g, w.a, &it, 1, T0 + at[i]);
		ck_assert_msg(it.answer.status == status[i], "step %zu: %u", i, it.answer.status);
		ck_assert_msg(says(&it, what[i]), "step %zu: %.*s", i, STR_ARG(it.answer.body));
	}
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events"), 3);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM event_ids"), 1);
	ck_assert_uint_eq(number("SELECT alert_count AS n FROM incidents"), 3);
}
END_TEST

START_TEST(test_native_id_is_once_for_ever)
{
	for (int i = 0; i < 3; i++) {
		struct ingest_item it = item(&w.webhook, w.webhook_key, "n", "{\"id\":\"k\",\"summary\":\"s\"}");

		ingest_run(w.g, w.a, &it, 1, T0 + i * 30 * MS_PER_DAY);
		ck_assert_uint_eq(it.answer.status, i ? 200 : 201);
	}
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events"), 1);
}
END_TEST

/* Trigger, resolve, trigger of one key in one batch, out of order by the sender's clock: folded into one write a row. */
START_TEST(test_one_key_is_folded_in_the_order_it_occurred)
{
	struct ingest_item it[3];

	it[0] = item(&w.prometheus, w.prometheus_key, NULL, "{\"alerts\":[{\"status\":\"firing\",\"labels\":{},\"fingerprint\":\"k\","
		"\"startsAt\":\"2027-01-15T07:30:00Z\"}]}");
	it[1] = item(&w.prometheus, w.prometheus_key, NULL, "{\"alerts\":[{\"status\":\"resolved\",\"labels\":{},\"fingerprint\":\"k\","
		"\"startsAt\":\"2027-01-15T07:00:00Z\",\"endsAt\":\"2027-01-15T07:20:00Z\"}]}");
	it[2] = item(&w.prometheus, w.prometheus_key, NULL, "{\"alerts\":[{\"status\":\"firing\",\"labels\":{},\"fingerprint\":\"k\","
		"\"startsAt\":\"2027-01-15T07:00:00Z\"}]}");
	ingest_run(w.g, w.a, it, 3, T0);
	ck_assert(says(&it[2], "\"triggered\""));
	ck_assert(says(&it[1], "\"resolved\""));
	ck_assert(says(&it[0], "\"triggered\""));
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM incidents WHERE status = 3"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM incidents WHERE status = 1"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM timeline"), 3);
}
END_TEST

START_TEST(test_a_transaction_holds_no_more_events_than_it_may)
{
	struct ingest_item it[5];
	uint64_t before = counter_read(w.shm, C_BATCHES);

	for (int i = 0; i < 5; i++)
		it[i] = item(&w.webhook, w.webhook_key, NULL, i % 2 ? "[{\"id\":1},{\"id\":2},{\"id\":3}]" : "[{\"id\":4},{\"id\":5}]");
	ingest_run(w.g, w.a, it, 5, T0);
	for (int i = 0; i < 5; i++)
		ck_assert_msg(it[i].answer.status < 300, "request %d: %u", i, it[i].answer.status);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events"), 5);	/* the others have the same bytes */
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM incidents"), 5);
	ck_assert_uint_eq(counter_read(w.shm, C_BATCHES), before + 1);
}
END_TEST

/* One commit that is lost after it was sent must be found again, not done twice. */
START_TEST(test_request_exists)
{
	struct ingest_item it = item(&w.webhook, w.webhook_key, "x", "{}");
	uint64_t id;

	ingest_run(w.g, w.a, &it, 1, T0);
	ck_assert_uint_eq(it.answer.status, 201);
	id = number("SELECT id AS n FROM requests");
	ck_assert_int_eq(batch_request_exists(w.db, w.a, id, &e), 1);
	ck_assert_int_eq(batch_request_exists(w.db, w.a, id + 1, &e), 0);
}
END_TEST

/* Whoever killed a worker is handled alone, and the others of its batch are not held up by it. */
START_TEST(test_suspects_run_alone)
{
	const char *const bodies[] = { "{\"id\":\"a\"}", "{\"id\":\"bad\"}", "{\"id\":\"c\"}" };
	struct ingest_item it[3];
	uint64_t print, before;

	for (int i = 0; i < 3; i++)
		it[i] = item(&w.webhook, w.webhook_key, bodies[i], bodies[i]);
	print = ingest_print(&it[1]);
	in_hand_set(w.shm, 0, &print, 1);	/* and its worker dies */
	ck_assert_uint_eq(in_hand_to_suspects(w.shm, 0, T0), 1);
	before = counter_read(w.shm, C_BATCHES);
	ingest_run(w.g, w.a, it, 3, T0);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(it[i].answer.status, 201);
	ck_assert_uint_eq(counter_read(w.shm, C_BATCHES), before + 2);
}
END_TEST

START_TEST(test_counters_are_kept_by_hour_and_in_all)
{
	struct ingest_item good = item(&w.webhook, w.webhook_key, "1", "{}"), bad = item(&w.webhook, w.webhook_key, "2", "{");

	ingest_run(w.g, w.a, &good, 1, T0);
	ingest_run(w.g, w.a, &bad, 1, T0 + 1000);
	ck_assert_uint_eq(bad.answer.status, 400);
	ck_assert_uint_eq(number("SELECT MAX(heard_at) AS n FROM source_stats WHERE hour = 0"), T0);
	ck_assert_uint_eq(number("SELECT SUM(received) AS n FROM source_stats WHERE hour = 0"), 2);
	ck_assert_uint_eq(number("SELECT SUM(errors) AS n FROM source_stats WHERE hour = 500000"), 1);
	ck_assert_uint_eq(number("SELECT SUM(alerts) AS n FROM source_stats WHERE hour = 0"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE status = 400 AND reason IS NOT NULL"), 1);
}
END_TEST

START_TEST(test_minutes_count_what_the_monitor_asks_for)
{
	const char *body = "{\"type\":\"a.b\"}";
	struct ingest_item it[3] = { item(&w.webhook, w.webhook_key, "1", body), item(&w.webhook, w.webhook_key, "1", body),
		item(&w.webhook, w.webhook_key, "2", body) };
	struct ingest_item again = item(&w.webhook, w.webhook_key, "2", body), derived = item(&w.prometheus, w.prometheus_key, NULL, FIRING);
	struct ingest_item repeat = derived, test = item(&w.webhook, w.webhook_key, "3", body), bad = item(&w.webhook, w.webhook_key, "4", "{");

	ingest_run(w.g, w.a, it, 3, T0);
	ingest_run(w.g, w.a, &again, 1, T0 + MS_PER_MINUTE);
	ingest_run(w.g, w.a, &derived, 1, T0);
	ingest_run(w.g, w.a, &repeat, 1, T0 + 1);
	ingest_run(w.g, w.a, &bad, 1, T0);
	test.is_test = true;
	ingest_run(w.g, w.a, &test, 1, T0);
	ck_assert_uint_eq(number("SELECT SUM(events) AS n FROM event_minutes WHERE took = 0"), 3);
	ck_assert_uint_eq(number("SELECT SUM(events) AS n FROM event_minutes WHERE took = 0 AND event_type = 'a.b' AND at = 30000000"), 2);
	ck_assert_uint_eq(number("SELECT SUM(starts) AS n FROM event_minutes"), 3);
	ck_assert_uint_eq(number("SELECT SUM(duplicates) AS n FROM event_minutes WHERE at = 30000000"), 1);
	ck_assert_uint_eq(number("SELECT SUM(duplicates) AS n FROM event_minutes WHERE at = 30000001"), 1);
	ck_assert_uint_eq(number("SELECT SUM(events) AS n FROM event_minutes WHERE took > 0"), 3);
	ck_assert_uint_eq(number("SELECT SUM(took_us) > 0 AS n FROM event_minutes WHERE took > 0"), 1);
}
END_TEST

/* A sender that makes up a type for each event. */
START_TEST(test_types_beyond_a_hundred_are_counted_together)
{
	for (int i = 0; i < 130; i++) {
		struct ingest_item it = item(&w.webhook, w.webhook_key, arena_printf(w.a, "%d", i).p,
			arena_printf(w.a, "{\"type\":\"t%d\"}", i % 120).p);

		ingest_run(w.g, w.a, &it, 1, T0);
	}
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM event_minutes WHERE took = 0"), 101);
	ck_assert_uint_eq(number("SELECT events AS n FROM event_minutes WHERE took = 0 AND event_type = 't0'"), 2);
	ck_assert_uint_eq(number("SELECT events AS n FROM event_minutes WHERE took = 0 AND event_type = ''"), 20);
}
END_TEST

static void change(const char *sql)
{
	const struct stmt *s = &(struct stmt){ "test.change", sql };
	struct db *db = test_connect("grapnel_test_ingest", 30000);

	succeeds(db_exec(db, s, NULL, 0, NULL, &e));
	db_free(db);
}

/* All names of a batch share one query: one of 60 KB filled it, and its neighbours got 503. */
START_TEST(test_long_ids_of_strangers_spoil_no_batch)
{
	struct ingest_item it[20];

	for (int i = 0; i < 20; i++) {
		it[i] = item(&w.webhook, w.webhook_key, "1", "{}");
		it[i].in.path = STR("/api/integrations/webhook");
		it[i].in.query = arena_printf(w.a, "integrationId=%06000d", i);
	}
	it[19] = item(&w.webhook, w.webhook_key, "1", "{}");
	ingest_run(w.g, w.a, it, 20, T0);
	for (int i = 0; i < 19; i++)
		ck_assert_uint_eq(it[i].answer.status, 404);
	ck_assert_uint_eq(it[19].answer.status, 201);
}
END_TEST

/* No generation is bumped here for what another host deletes. */
START_TEST(test_source_that_another_host_deleted)
{
	struct ingest_item first = item(&w.webhook, w.webhook_key, "1", "{}"), last = item(&w.webhook, w.webhook_key, "2", "{}");

	ingest_run(w.g, w.a, &first, 1, T0);
	ck_assert_uint_eq(first.answer.status, 201);
	change("UPDATE sources SET deleted_at = 1");
	ingest_run(w.g, w.a, &last, 1, T0 + INGEST_CACHE_FRESH_MS);
	ck_assert_uint_eq(last.answer.status, 404);
}
END_TEST

START_TEST(test_change_of_another_host_is_seen_within_seconds)
{
	struct ingest_item first = item(&w.webhook, w.webhook_key, "1", "{}"), last = item(&w.webhook, w.webhook_key, "2", "{}");
	uint64_t generation;

	ingest_preload(w.g, T0);
	ingest_tick(w.g, T0);
	generation = shm_generation(w.shm);
	ingest_run(w.g, w.a, &first, 1, T0);
	ck_assert_uint_eq(first.answer.status, 201);
	change("UPDATE sources SET enabled = 0, updated_at = updated_at + 1 WHERE provider = 'webhook'");
	ingest_tick(w.g, T0 + 5 * MS_PER_SECOND);
	ingest_run(w.g, w.a, &last, 1, T0 + 5 * MS_PER_SECOND);
	ck_assert_uint_eq(last.answer.status, 403);
	ck_assert_uint_eq(shm_generation(w.shm), generation + 1);
	ingest_tick(w.g, T0 + 10 * MS_PER_SECOND);
	ck_assert_uint_eq(shm_generation(w.shm), generation + 1);
}
END_TEST

/* The test server's max_allowed_packet is 1 MiB. */
START_TEST(test_body_that_no_packet_holds_is_refused_and_kept)
{
	struct ingest_item it[2] = {
		item(&w.webhook, w.webhook_key, "1", arena_printf(w.a, "{\"a\":\"%01500000d\"}", 0).p),
		item(&w.webhook, w.webhook_key, "2", "{}"),
	};

	ingest_run(w.g, w.a, it, 2, T0);
	ck_assert_uint_eq(it[0].answer.status, 500);
	ck_assert_uint_eq(it[1].answer.status, 201);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE status = 500 AND LENGTH(body) = 65536"
		" AND body_bytes = 1500008 AND event_count = 0 AND reason LIKE '%packet%'"), 1);
	ck_assert_uint_eq(number("SELECT SUM(errors) AS n FROM source_stats WHERE hour = 0"), 1);
}
END_TEST

/* 30,000 values are 2 MiB of tree: an admin's settings ended each worker that read them. */
START_TEST(test_the_fullest_settings_end_no_worker)
{
	struct ingest_item it = item(&w.webhook, w.webhook_key, "1", "{}");

	change("UPDATE sources SET settings = CONCAT('{\"a\":[0', REPEAT(',0', 30000), ']}')");
	ingest_run(w.g, w.a, &it, 1, T0);
	ck_assert_uint_eq(it.answer.status, 201);
}
END_TEST

START_TEST(test_nothing_new_is_answered_200)
{
	static const char *const bodies[] = { "[{\"summary\":\"s\"},7]", "[{\"summary\":\"s\"},7]", "[7]" };
	static const unsigned statuses[] = { 201, 200, 400 };

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct ingest_item it = item(&w.webhook, w.webhook_key, i < 2 ? "1" : "2", bodies[i]);

		ingest_run(w.g, w.a, &it, 1, T0);
		ck_assert_uint_eq(it.answer.status, statuses[i]);
	}
}
END_TEST

START_TEST(test_an_event_names_its_service)
{
	static const struct {
		const char *service, *of;
	} rows[] = { { "shop", "shop" }, { "SHOP", "shop" }, { "Till 1", "shop" }, { "nowhere", "default" }, { "foreign", "default" } };

	change("INSERT INTO services (public_id, tenant_id, name, aliases, created_at, updated_at) VALUES"
		" ('sv_shop', 1, 'shop', '[\"till 1\"]', 0, 0), ('sv_other', 2, 'foreign', NULL, 0, 0)");
	change("UPDATE sources SET route_by_service = 1 WHERE provider = 'webhook'");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *body = arena_printf(w.a, "{\"id\":\"k%zu\",\"service\":\"%s\"}", i, rows[i].service).p;
		const char *where = arena_printf(w.a, "SELECT COUNT(*) AS n FROM incidents i JOIN services s ON s.id = i.service_id"
			" WHERE i.dedup_key = 'webhook:k%zu' AND s.name = '%s'", i, rows[i].of).p;
		struct ingest_item it = item(&w.webhook, w.webhook_key, body, body);

		ingest_run(w.g, w.a, &it, 1, T0);
		ck_assert_uint_eq(it.answer.status, 201);
		ck_assert_uint_eq(number(where), 1);
	}
}
END_TEST

START_TEST(test_refused_and_repeated_requests_are_marked)
{
	struct ingest_item it[4];

	it[0] = item(&w.webhook, w.webhook_key, "1", "{}");
	it[1] = item(&w.webhook, w.webhook_key, "1", "{}");
	it[2] = item(&w.webhook, STR("wrong"), "2", "{}");
	it[3] = item(&w.webhook, w.webhook_key, "3", "{");
	ingest_run(w.g, w.a, it, 4, T0);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM request_marks m JOIN requests r ON r.id = m.id"
		" WHERE m.tenant_id = 1 AND m.kind = 1 AND r.reason IS NOT NULL AND m.event_id IS NULL"), 2);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM request_marks m JOIN requests r ON r.id = m.id JOIN events e"
		" ON e.id = m.event_id WHERE m.tenant_id = 1 AND m.kind = 2 AND r.is_duplicate = 1"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM request_marks"), 3);
	ck_assert_uint_eq(number("SELECT repeated AS n FROM source_stats WHERE hour = 0"), 1);
}
END_TEST

#define ASKED "Basic realm=\"Grapnel\", charset=\"UTF-8\", Bearer realm=\"Grapnel\""

static const char *asked_for(const struct ingest_item *it)
{
	for (size_t i = 0; i < ARRAY_SIZE(it->answer.extra); i++)
		if (str_eqs(it->answer.extra[i].name, "WWW-Authenticate"))
			return it->answer.extra[i].value.p;
	return "";
}

/* Google brings its credentials only once it was asked for them, with each event: no failure of anybody's. */
START_TEST(test_a_first_request_without_credentials_is_no_failure)
{
	static const char body[] = "{\"version\":\"1.2\",\"incident\":{\"incident_id\":\"0.a\",\"state\":\"open\"}}";
	struct source s;
	struct str key;
	struct ingest_item it[3];

	add_source("google-cloud-monitoring", &s, &key);
	it[0] = item(&s, key, NULL, body);
	it[0].in.header_n = 0;
	it[1] = item(&s, STR("wrong"), NULL, body);
	it[2] = item(&s, key, NULL, body);
	ingest_run(w.g, w.a, it, 3, T0);
	ck_assert_uint_eq(it[0].answer.status, 401);
	ck_assert_str_eq(asked_for(&it[0]), ASKED);
	ck_assert_uint_eq(it[1].answer.status, 401);
	ck_assert_str_eq(asked_for(&it[1]), asked_for(&it[0]));
	ck_assert_uint_eq(it[2].answer.status, 201);
	ck_assert_str_eq(asked_for(&it[2]), "");
	ck_assert_uint_eq(number("SELECT received AS n FROM source_stats WHERE hour = 0"), 2);
	ck_assert_uint_eq(number("SELECT errors AS n FROM source_stats WHERE hour = 0"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE reason = 'Credentials asked for'"), 1);
	it[0] = item(&w.webhook, w.webhook_key, NULL, body);
	it[0].in.header_n = 0;
	ingest_run(w.g, w.a, it, 1, T0);
	ck_assert_uint_eq(it[0].answer.status, 401);
	ck_assert_str_eq(asked_for(&it[0]), ASKED);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE reason = 'Invalid key'"), 2);
}
END_TEST

/* What was done with a request, and when, rises; what was not done is told by a dash. */
START_TEST(test_stages)
{
	struct ingest_item it[4];

	it[0] = item(&w.webhook, w.webhook_key, "1", "{}");
	it[1] = item(&w.webhook, w.webhook_key, "1", "{}");
	it[2] = item(&w.webhook, STR("wrong"), "2", "{}");
	it[3] = item(&w.webhook, w.webhook_key, "3", "{");
	ingest_run(w.g, w.a, it, 4, T0);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE stages RLIKE '^[0-9]+( [0-9]+){4}$'"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE is_duplicate AND stages RLIKE '^[0-9]+ [0-9]+ [0-9]+ - [0-9]+$'"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE status = 401 AND stages RLIKE '^- - - - [0-9]+$'"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE status = 400 AND stages RLIKE '^[0-9]+ - - - [0-9]+$'"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE SUBSTRING_INDEX(stages, ' ', -1) >= duration_us"
		" AND SUBSTRING_INDEX(stages, ' ', -1) >= SUBSTRING_INDEX(stages, ' ', 1) + 0"), 4);
}
END_TEST

/* How each was proven is kept, and no secret of it. */
START_TEST(test_proofs_are_noted)
{
	static const struct {
		const char *where;
		uint64_t n;
	} rows[] = {
		{ "proof = 'x-api-key - - 0 '", 1 },
		{ "proof = '!x-api-key - - 0 '", 1 },
		{ "proof = '!nowhere - - 0 '", 1 },
		{ "proof IS NULL", 1 },
		{ "proof LIKE '%wrong%'", 0 },
	};
	struct ingest_item it[4];

	it[0] = item(&w.webhook, w.webhook_key, "1", "{}");
	it[1] = item(&w.webhook, STR("wrong"), "2", "{}");
	it[2] = item(&w.webhook, w.webhook_key, "3", "{}");
	it[2].in.header_n = 0;
	it[3] = item(&w.webhook, w.webhook_key, "4", "{}");
	it[3].in.method = STR("PATCH");
	ingest_run(w.g, w.a, it, 4, T0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_msg(number(arena_printf(w.a, "SELECT COUNT(*) AS n FROM requests WHERE %s", rows[i].where).p) == rows[i].n, "%s",
			rows[i].where);
}
END_TEST

/* ---- keys and secrets while they are rotated ---- */

static const struct who person = { .tenant_id = 1, .actor = 3 };

static struct ingest_item enqueue(struct str key, const char *id)
{
	struct ingest_item it = item(&w.webhook, STR_NONE, NULL, arena_printf(w.a, "{\"routing_key\":\"%.*s\",\"event_action\":\"trigger\","
		"\"dedup_key\":\"%s\",\"payload\":{\"summary\":\"s\",\"source\":\"h\",\"severity\":\"error\"}}", STR_ARG(key), id).p);

	it.in.path = it.in.uri = STR("/v2/enqueue");
	return it;
}

static unsigned sent(struct ingest_item it, ms_t at)
{
	ingest_run(w.g, w.a, &it, 1, at);
	return it.answer.status;
}

START_TEST(test_the_old_key_is_good_until_its_time)
{
	const ms_t end = T0 + 60 * MS_PER_SECOND;
	struct str key;

	ck_assert_int_eq(source_rotate_key(w.db, w.a, w.seal, w.shm, 1, w.webhook.public_id, 60 * MS_PER_SECOND, &person, T0, &key, &e), 1);
	ck_assert_uint_eq(sent(item(&w.webhook, key, "1", "{}"), T0), 201);
	ck_assert_uint_eq(sent(item(&w.webhook, w.webhook_key, "2", "{}"), end - 1), 201);
	ck_assert_uint_eq(sent(enqueue(w.webhook_key, "a"), end - 1), 202);
	/* the cache knew it a moment ago */
	ck_assert_uint_eq(sent(item(&w.webhook, w.webhook_key, "3", "{}"), end), 401);
	ck_assert_uint_eq(sent(enqueue(w.webhook_key, "b"), end), 404);
	ck_assert_uint_eq(sent(enqueue(key, "c"), end), 202);
	/* and after it was read anew */
	ck_assert_uint_eq(sent(enqueue(w.webhook_key, "d"), end + INGEST_CACHE_FRESH_MS), 404);
	ck_assert_uint_eq(sent(item(&w.webhook, w.webhook_key, "4", "{}"), end + INGEST_CACHE_FRESH_MS), 401);
}
END_TEST

START_TEST(test_no_grace_ends_the_old_key_at_once)
{
	struct str key;

	ck_assert_uint_eq(sent(item(&w.webhook, w.webhook_key, "1", "{}"), T0), 201);
	ck_assert_int_eq(source_rotate_key(w.db, w.a, w.seal, w.shm, 1, w.webhook.public_id, 0, &person, T0, &key, &e), 1);
	ck_assert_uint_eq(sent(item(&w.webhook, w.webhook_key, "2", "{}"), T0), 401);
	ck_assert_uint_eq(sent(item(&w.webhook, key, "2", "{}"), T0), 201);
}
END_TEST

static struct ingest_item signed_item(const char *secret, const char *id)
{
	struct ingest_item it = item(&w.webhook, STR_NONE, id, "{}");

	ck_assert(proof_sign(proofs_plain_hmac, w.a, &it.in, str_of(secret)));
	return it;
}

START_TEST(test_an_old_secret_is_good_until_its_time)
{
	const ms_t end = T0 + 60 * MS_PER_SECOND, later = end + INGEST_CACHE_FRESH_MS;
	struct source s = w.webhook;

	ck_assert_int_eq(source_update(w.db, w.a, w.seal, w.shm, &s, STR("old"), &person, T0, &e), 1);
	ck_assert_int_eq(source_rotate_secret(w.db, w.a, w.seal, w.shm, 1, s.public_id, STR("new"), 60 * MS_PER_SECOND, &person, T0, &e), 1);
	ck_assert_uint_eq(sent(signed_item("new", "1"), T0), 201);
	ck_assert_uint_eq(sent(signed_item("old", "2"), end - 1), 201);
	ck_assert_uint_eq(sent(signed_item("old", "3"), end), 401);
	ck_assert_uint_eq(sent(signed_item("new", "4"), end), 201);
	ck_assert_uint_eq(sent(signed_item("old", "5"), later), 401);
	ck_assert_int_eq(source_rotate_secret(w.db, w.a, w.seal, w.shm, 1, s.public_id, STR("newest"), 0, &person, later, &e), 1);
	ck_assert_uint_eq(sent(signed_item("new", "6"), later), 401);
	ck_assert_uint_eq(sent(signed_item("newest", "7"), later), 201);
}
END_TEST

/* Proven and read as GitLab does it; what proves GitHub does not count then. */
START_TEST(test_a_github_source_takes_what_gitlab_sends)
{
	static const char body[] = "{\"object_kind\":\"build\",\"ref\":\"main\",\"build_name\":\"test\",\"build_status\":\"failed\",\"project_id\":7}";
	struct source in = { .tenant_id = 1, .provider = STR("github"), .name = STR("both"), .enabled = true, .actions = DO_INCIDENT }, s;
	struct header gitlab[] = { { STR("x-gitlab-event"), STR("Job Hook") }, { STR("x-gitlab-token"), STR("s3cret") } };
	struct ingest_item it;
	struct str key;

	succeeds(source_add(w.db, w.a, w.seal, w.shm, &in, STR("s3cret"), &person, T0, &s, &key, &e));
	it = item(&s, key, NULL, body);
	it.in.headers = gitlab;
	it.in.header_n = 2;
	ck_assert_uint_eq(sent(it, T0), 201);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM incidents WHERE dedup_key = 'gitlab:job:7:main:test'"), 1);
	gitlab[1].value = STR("another");
	ck_assert_uint_eq(sent(it, T0), 401);
	it.in.header_n = 1;
	ck_assert(proof_sign(provider_proofs(provider_find(STR("github"))), w.a, &it.in, STR("s3cret")));
	ck_assert_uint_eq(sent(it, T0), 401);
	it.in.headers++;
	it.in.header_n--;	/* without X-Gitlab-Event it is GitHub's: proven, and none of its events */
	ck_assert_uint_eq(sent(it, T0), 400);
}
END_TEST

/* ---- "Send test" ---- */

static struct ingest_tested send_test(const struct source *s, ms_t at)
{
	struct ingest_tested t;

	ck_assert_msg(ingest_test(w.g, w.a, 1, s->public_id, NULL, true, STR("192.0.2.1"), STR("trace"), at, &t, &e) == 1, "%s", e.text);
	return t;
}

/* Some schemes are the provider's alone (RSA, JWT). */
static bool we_can_sign(const struct provider *p)
{
	for (const struct proof *const *proof = provider_proofs(p); *proof; proof++)
		if (!(*proof)->verify || (*proof)->sign)
			return true;
	return false;
}

/* Each type, proven by its key, by its signature and by both. */
START_TEST(test_every_type_takes_its_own_test_webhook)
{
	static const struct { const char *secret; bool require_key; } ways[] = {
		{ "", false }, { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false }, { "just a text", true },
	};

	for (size_t i = 0; providers[i]; i++)
		for (size_t k = 0; k < ARRAY_SIZE(ways); k++) {
			struct source in = { .tenant_id = 1, .provider = str_of(providers[i]->slug), .name = STR("test me"),
				.rate_per_minute = 1, .enabled = true, .actions = DO_INCIDENT, .allowed_ips = STR("10.0.0.0/8"),
				.require_key = ways[k].require_key }, s;
			bool ours = *ways[k].secret ? we_can_sign(providers[i]) : !proofs_keyless(provider_proofs(providers[i]), NULL);
			bool alerts = providers[i]->actions & DO_INCIDENT;	/* others may send no trouble at all */
			struct ingest_tested t;
			struct str key;

			succeeds(source_add(w.db, w.a, w.seal, w.shm, &in, str_of(ways[k].secret), &person, T0, &s, &key, &e));
			for (int again = 0; again < 3; again++) {	/* neither rate limit nor address list are for tests */
				t = send_test(&s, T0);
				ck_assert_msg(!t.reason, "%s: %s", providers[i]->slug, t.reason);
				ck_assert_msg(t.event && (!alerts || (t.alert && t.incident)) && !t.is_duplicate && t.signed_by_us == ours && t.title.n,
					"%s: event %d alert %d incident %d duplicate %d signed %d title %d", providers[i]->slug, !!t.event, !!t.alert,
					!!t.incident, t.is_duplicate, t.signed_by_us, !!t.title.n);
				ck_assert_ptr_eq(t.provider, providers[i]);
				ck_assert(str_eqs(t.service, "default"));
				ck_assert(t.native_severity.n);
			}
			if (!t.incident)
				continue;
			ck_assert_uint_eq(number(arena_printf(w.a, "SELECT COUNT(*) AS n FROM incidents WHERE source_id = %llu"
				" AND is_test = 1 AND dedup_key LIKE 'test:____________'", (unsigned long long)s.id).p), 3);
		}
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events WHERE is_test = 0"), 0);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE is_test = 0 OR status >= 300"), 0);
	ck_assert_uint_eq(number("SELECT SUM(received) - SUM(tests) + SUM(errors) + SUM(latency_us) + SUM(heard_at) AS n FROM source_stats"), 0);
}
END_TEST

/* The names of the headers and that the time is signed are the owner's choice. */
START_TEST(test_a_test_is_signed_by_the_settings)
{
	struct source in = { .tenant_id = 1, .provider = STR("grafana"), .name = STR("test me"), .enabled = true, .actions = DO_INCIDENT,
		.settings = STR("{\"signatureHeader\":\"X-Sig\",\"timestampHeader\":\"X-Sent\"}") }, s;
	struct ingest_tested t;
	struct str key;

	succeeds(source_add(w.db, w.a, w.seal, w.shm, &in, STR("secret"), &person, T0, &s, &key, &e));
	t = send_test(&s, T0);
	ck_assert_msg(!t.reason && t.signed_by_us, "%s", t.reason);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE headers LIKE '%x-sig: %' AND headers LIKE '%x-sent: %'"), 1);
}
END_TEST

START_TEST(test_a_test_joins_no_real_incident)
{
	struct ingest_item real = item(&w.prometheus, w.prometheus_key, NULL, FIRING);
	struct ingest_tested t;

	ingest_run(w.g, w.a, &real, 1, T0);
	t = send_test(&w.prometheus, T0);
	ck_assert(!t.is_duplicate);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM incidents WHERE is_test = 0 AND alert_count = 1"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM incidents WHERE is_test = 1 AND alert_count = 1"), 1);
}
END_TEST

START_TEST(test_a_test_goes_to_the_service_it_names)
{
	change("INSERT INTO services (public_id, tenant_id, name, created_at, updated_at) VALUES ('sv_shop', 1, 'test-service', 0, 0)");
	ck_assert(str_eqs(send_test(&w.webhook, T0).service, "default"));
	change("UPDATE sources SET route_by_service = 1, updated_at = updated_at + 1");
	shm_generation_bump(w.shm);
	ck_assert(str_eqs(send_test(&w.webhook, T0).service, "test-service"));
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM incidents i JOIN services s ON s.id = i.service_id WHERE s.name = 'test-service'"), 1);
}
END_TEST

START_TEST(test_a_test_without_incident_action_opens_none)
{
	struct ingest_tested t;

	change("UPDATE sources SET actions = 8, updated_at = updated_at + 1");
	shm_generation_bump(w.shm);
	t = send_test(&w.webhook, T0);
	ck_assert(!t.reason && t.event && !t.alert && !t.incident);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM incidents"), 0);
}
END_TEST

START_TEST(test_who_cannot_be_tested)
{
	struct ingest_tested t;

	ck_assert_int_eq(ingest_test(w.g, w.a, 1, STR("in_nobody"), NULL, true, STR("192.0.2.1"), STR("t"), T0, &t, &e), 0);
	ck_assert_int_eq(ingest_test(w.g, w.a, 2, w.webhook.public_id, NULL, true, STR("192.0.2.1"), STR("t"), T0, &t, &e), 0);
	change("UPDATE sources SET enabled = 0");
	ck_assert_int_eq(ingest_test(w.g, w.a, 1, w.webhook.public_id, NULL, true, STR("192.0.2.1"), STR("t"), T0, &t, &e), -1);
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	ck_assert(e.told);
}
END_TEST

/* Its secret does not open: the test says what a sender would get, and is no error of the source. */
START_TEST(test_a_test_that_is_refused_says_why)
{
	struct source s = w.webhook;
	struct ingest_tested t;

	ck_assert_int_eq(source_update(w.db, w.a, w.seal, w.shm, &s, STR("secret"), &person, T0, &e), 1);
	change("UPDATE source_secrets SET sealed = REVERSE(sealed)");
	t = send_test(&s, T0);
	ck_assert_uint_eq(t.status, 401);
	ck_assert_str_eq(t.reason, "Invalid signature");
	ck_assert(!t.event && t.request);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE is_test = 1 AND status = 401"), 1);
	ck_assert_uint_eq(number("SELECT SUM(errors) AS n FROM source_stats"), 0);
}
END_TEST

/* ---- what a message changes in its own source ---- */

START_TEST(test_the_first_proven_message_verifies_a_source)
{
	struct ingest_item it[3];
	uint64_t generation;

	ck_assert_uint_eq(sent(item(&w.webhook, STR("wrong"), NULL, "{}"), T0), 401);
	(void)send_test(&w.webhook, T0);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM sources WHERE verified_at IS NOT NULL"), 0);
	generation = shm_generation(w.shm);
	for (int i = 0; i < 3; i++)
		it[i] = item(&w.webhook, w.webhook_key, i ? "b" : "a", "{}");
	ingest_run(w.g, w.a, it, 3, T0);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM sources WHERE verified_at = 1800000000000"), 1);
	ck_assert_uint_eq(shm_generation(w.shm), generation + 1);
	ck_assert_uint_eq(sent(item(&w.webhook, w.webhook_key, "c", "{}"), T0 + 1000), 201);
	ck_assert_uint_eq(shm_generation(w.shm), generation + 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM sources WHERE verified_at = 1800000000000"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'integration.handshake'"), 0);
}
END_TEST

/* The vectors of SNS, with the certificate that they bring. */
static const struct json *sns_vectors(void)
{
	struct str path = arena_printf(w.a, "%s/../tests/signatures/cloudwatch.json", getenv("GRAPNEL_TEST_SQL")), text;
	const struct json *all;

	succeeds(file_read(w.a, path.p, 1 << 20, &text, &e));
	succeeds(json_parse(w.a, text, &all, &e));
	return all;
}

static int sns_certificate(const struct key_store *s, struct str url, bool refresh, struct key_document *out)
{
	*out = (struct key_document){ json_get(sns_vectors()->first, "certificates")->first->text, true };
	return 1;
}

static const struct key_store sns_keys = { sns_certificate, NULL };

static void with_keys(void)
{
	ingest_free(w.g);
	w.g = ingest_new(&(struct ingest_config){ .db = w.db, .shm = w.shm, .seal = w.seal, .ids = &w.ids, .events_max = 4, .keys = &sns_keys,
		.public_url = "http://localhost", .verify_signatures = true, .rate_limit = true, .remote_per_minute = 300 });
}

static unsigned send_vector(const struct source *s, const struct json *v)
{
	uint64_t at;

	ck_assert(str_u64(json_text(json_get(v, "now")), &at));
	return sent(item(s, STR("no key"), NULL, arena_cstr(w.a, json_get(v, "body")->text)), (ms_t)at * MS_PER_SECOND);
}

START_TEST(test_a_subscription_is_confirmed_once_and_its_topic_kept)
{
	const struct json *all = sns_vectors(), *alarm = json_index(all, 0), *subscription = json_index(all, 2);
	const char *waiting = "SELECT COUNT(*) AS n FROM outbox o JOIN requests r ON r.id = o.cause_id JOIN sources s ON s.id = o.target_id"
		" WHERE o.kind = 4 AND o.status = 0 AND o.payload LIKE '{\"url\":\"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&%'"
		" AND s.provider = 'cloudwatch' AND r.status = 200";
	struct outbox_row row;
	struct source s;
	struct str key;

	with_keys();
	add_source("cloudwatch", &s, &key);
	ck_assert_uint_eq(send_vector(&s, subscription), 200);
	ck_assert_uint_eq(number(waiting), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events WHERE event_type = 'sns.subscription_confirmation' AND status = 5"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM sources WHERE verified_at IS NOT NULL AND JSON_VALUE(settings, '$.topicArn')"
		" = 'arn:aws:sns:us-east-1:123456789012:grapnel-alarms'"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'integration.handshake' AND actor = 2"
		" AND detail LIKE '%grapnel-alarms%'"), 1);
	ck_assert_uint_eq(send_vector(&s, subscription), 200);	/* delivered again */
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM outbox"), 1);
	ck_assert_uint_eq(send_vector(&s, alarm), 201);
	ck_assert_int_eq(outbox_newest(w.db, w.a, OUTBOX_CONFIRMATION, s.id, &row, &e), 1);
	ck_assert(row.status == OUTBOX_WAITING && !row.attempts && str_starts(row.payload, "{\"url\":"));

	change("UPDATE sources SET settings = '{\"topicArn\":\"arn:aws:sns:us-east-1:1:other\"}', updated_at = updated_at + 1");
	shm_generation_bump(w.shm);
	ck_assert_uint_eq(send_vector(&s, alarm), 403);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE status = 403 AND reason LIKE '%another%topicArn says which.'"), 1);
}
END_TEST

/* Two topics in one batch, or one that an administrator set meanwhile: the first is kept, the other is not confirmed. */
START_TEST(test_another_topic_is_not_confirmed)
{
	struct source_effect x = { .keep_name = "topicArn", .keep_value = STR("a") };
	struct source s;
	struct str key;

	add_source("cloudwatch", &s, &key);
	x.source_id = s.id;
	change("UPDATE sources SET settings = '{\"checkSignature\":false}'");
	ck_assert_int_eq(source_effect(w.db, w.a, w.seal, &x, T0, &e), 1);
	ck_assert(x.kept);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM sources WHERE settings = '{\"checkSignature\":false,\"topicArn\":\"a\"}'"), 1);
	x.keep_value = STR("b");
	ck_assert_int_eq(source_effect(w.db, w.a, w.seal, &x, T0, &e), 1);
	ck_assert(!x.kept);
	x.source_id = 4711;
	ck_assert_int_eq(source_effect(w.db, w.a, w.seal, &x, T0, &e), 0);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM sources WHERE settings LIKE '%\"a\"%'"), 1);
}
END_TEST

#define UNSUBSCRIBED "{\"Type\":\"UnsubscribeConfirmation\",\"MessageId\":\"m1\",\"TopicArn\":\"arn:aws:sns:us-east-1:1:t\"," \
	"\"Message\":\"You have chosen to deactivate\",\"SubscribeURL\":\"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription\"}"

START_TEST(test_a_farewell_counts_until_the_next_message)
{
	const char *gone = "SELECT COUNT(*) AS n FROM sources WHERE disconnected_at IS NOT NULL AND verified_at IS NOT NULL";
	struct source s;
	struct str key;

	add_source("cloudwatch", &s, &key);
	change("UPDATE sources SET settings = '{\"checkSignature\":false}'");
	ck_assert_uint_eq(sent(item(&s, key, NULL, UNSUBSCRIBED), T0), 200);
	ck_assert_uint_eq(number(gone), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM outbox"), 0);	/* that URL would subscribe again */
	ck_assert_uint_eq(sent(item(&s, STR("wrong"), NULL, "{\"AlarmName\":\"a\"}"), T0), 401);
	ck_assert_uint_eq(number(gone), 1);
	ck_assert_uint_eq(sent(item(&s, key, NULL, "{\"AlarmName\":\"a\",\"NewStateValue\":\"ALARM\"}"), T0 + 1), 201);
	ck_assert_uint_eq(number(gone), 0);
	ck_assert_uint_eq(sent(item(&s, key, NULL, UNSUBSCRIBED), T0 + 2), 200);	/* the same message, delivered again */
	ck_assert_uint_eq(number(gone), 0);
}
END_TEST

/* Notion: its first message brings the secret, and is signed with it. */
START_TEST(test_a_secret_that_comes_is_taken_once_and_shown_once)
{
	const char *token = "{\"verification_token\":\"secret_one\"}", *other = "{\"verification_token\":\"secret_two\"}";
	struct live_source *live;
	struct str key, secret;
	struct source s;
	size_t n;

	add_source("notion", &s, &key);
	ck_assert_uint_eq(sent(item(&s, STR("wrong"), NULL, token), T0), 401);
	ck_assert_int_eq(source_received_secret(w.db, w.a, w.seal, 1, s.public_id, &person, T0, &secret, &e), 0);
	ck_assert_uint_eq(sent(item(&s, key, NULL, token), T0), 200);
	succeeds(live_sources(w.db, w.a, w.seal, arena_printf(w.a, "[\"%.*s\"]", STR_ARG(s.public_id)), STR_NONE, STR_NONE, T0, &live, &n, &e));
	ck_assert(n == 1 && live[0].secret_n == 1 && str_eqs(live[0].secrets[0], "secret_one"));
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE body LIKE '%secret_%' OR headers LIKE '%secret_%'"), 0);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events WHERE summary LIKE '%secret_%' OR event_id LIKE '%secret_%'"), 0);

	/* from now on it is no handshake: answered as the sender wants, and nothing changed */
	ck_assert_uint_eq(sent(item(&s, key, NULL, other), T0), 200);
	ck_assert_uint_eq(sent(item(&s, STR("no key"), NULL, token), T0), 200);
	ck_assert_uint_eq(sent(item(&s, key, NULL, "{\"id\":\"1\"}"), T0), 401);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM source_secrets"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE status = 200 AND reason LIKE 'It brings a secret%'"), 2);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events"), 1);

	ck_assert_int_eq(source_received_secret(w.db, w.a, w.seal, 2, s.public_id, &person, T0, &secret, &e), 0);
	ck_assert_int_eq(source_received_secret(w.db, w.a, w.seal, 1, s.public_id, &person, T0, &secret, &e), 1);
	ck_assert(str_eqs(secret, "secret_one"));
	ck_assert_int_eq(source_received_secret(w.db, w.a, w.seal, 1, s.public_id, &person, T0, &secret, &e), 0);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'integration.reveal_secret'"), 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_the_first_proven_message_verifies_a_source,
		test_a_subscription_is_confirmed_once_and_its_topic_kept, test_another_topic_is_not_confirmed,
		test_a_farewell_counts_until_the_next_message, test_a_secret_that_comes_is_taken_once_and_shown_once,
		test_the_old_key_is_good_until_its_time, test_no_grace_ends_the_old_key_at_once,
		test_an_old_secret_is_good_until_its_time, test_a_github_source_takes_what_gitlab_sends,
		test_every_type_takes_its_own_test_webhook, test_a_test_is_signed_by_the_settings,
		test_a_first_request_without_credentials_is_no_failure,
		test_a_test_joins_no_real_incident,
		test_a_test_goes_to_the_service_it_names, test_a_test_without_incident_action_opens_none, test_who_cannot_be_tested,
		test_a_test_that_is_refused_says_why, test_equal_ids_in_one_batch, test_derived_id_is_a_redelivery_for_ten_minutes,
		test_native_id_is_once_for_ever, test_one_key_is_folded_in_the_order_it_occurred,
		test_a_transaction_holds_no_more_events_than_it_may, test_request_exists, test_suspects_run_alone,
		test_counters_are_kept_by_hour_and_in_all,
		test_minutes_count_what_the_monitor_asks_for, test_types_beyond_a_hundred_are_counted_together, test_long_ids_of_strangers_spoil_no_batch,
		test_source_that_another_host_deleted, test_change_of_another_host_is_seen_within_seconds, test_body_that_no_packet_holds_is_refused_and_kept,
		test_the_fullest_settings_end_no_worker, test_nothing_new_is_answered_200, test_an_event_names_its_service,
		test_refused_and_repeated_requests_are_marked, test_stages, test_proofs_are_noted };

	return world_run("ingest on a database", tests, ARRAY_SIZE(tests), setup, teardown);
}
