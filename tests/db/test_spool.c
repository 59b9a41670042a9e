/* The pipeline while the database is away, and what comes of it later: acknowledged, replayed once, in its order. */
#include "ingest_world.h"

#include "grapnel/json.h"
#include "tests/unit/folder_test.h"

static char folder[100];

static struct ingest *ingest_with(uint64_t max_bytes)
{
	struct ingest_config c = w.g->c;

	c.spool = spool_new(&(struct spool_config){ folder, max_bytes, w.seal });
	return ingest_new(&c);
}

static void begin(void)
{
	struct ingest *g;

	setup();
	snprintf(folder, sizeof(folder), "%s/spool", w.dir);
	g = ingest_with(64u << 20);
	ingest_free(w.g);
	w.g = g;
	ingest_preload(w.g, T0);
}

static void end(void)
{
	struct spool *s = w.g->c.spool;

	unlink(w.link);
	teardown();
	spool_free(s);
	ck_assert(folder_remove(folder));
	rmdir(w.dir);
}

static struct ingest_item sent(const char *id, const char *body, ms_t at)
{
	struct ingest_item it = item(&w.webhook, w.webhook_key, id, body);

	ingest_run(w.g, w.a, &it, 1, at);
	return it;
}

/* Until nothing is left, or the database fails. */
static int replay(struct ingest_replayed *sum, ms_t now)
{
	struct spool_reader *r;
	int found, more = 0;

	*sum = (struct ingest_replayed){ 0 };
	spool_close(w.g->c.spool);
	found = spool_reader_new(w.g->c.spool, &r, &e);
	ck_assert_msg(found >= 0, "%s", e.text);
	if (!found)
		return 0;
	while ((more = ingest_replay(w.g, r, w.a, now, sum, &e)) == 1)
		;
	spool_reader_free(r);
	return more;
}

static struct ingest_replayed replayed(ms_t now)
{
	struct ingest_replayed sum;

	ck_assert_msg(replay(&sum, now) == 0, "%s", e.text);
	return sum;
}

#define SPOOLED "{\"received\":true,\"spooled\":true}"

START_TEST(test_acknowledged_and_stored_later)
{
	struct ingest_replayed sum;
	struct ingest_item it;
	struct spool_state state;
	uint64_t requests = counter_read(w.shm, C_REQUESTS), request, event;

	away();
	it = item(&w.webhook, w.webhook_key, "a", "{\"id\":\"k\",\"summary\":\"s\"}");
	ingest_keep(w.g, w.a, &it, 1, T0);
	request = it.work->request_number;
	event = it.work->plans[0].number;
	ck_assert_uint_eq(it.answer.status, 202);
	ck_assert(str_eqs(it.answer.body, SPOOLED));
	ck_assert_uint_eq(it.answer.extra[0].name.n, 0);	/* no Retry-After */
	state = spool_state(folder);
	ck_assert_uint_eq(state.files, 1);
	ck_assert_int_eq(state.oldest_at, T0);
	ck_assert_uint_eq(counter_read(w.shm, C_SPOOLED), 1);
	back();
	sum = replayed(T0 + MS_PER_HOUR);
	ck_assert_uint_eq(sum.stored, 1);
	ck_assert_uint_eq(sum.known + sum.bad + sum.bad_files, 0);
	ck_assert_uint_eq(spool_state(folder).files, 0);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE status = 202 AND proof = 'x-api-key - - 0 '"), 1);
	ck_assert_uint_eq(number("SELECT id AS n FROM requests"), request);
	ck_assert_uint_eq(number("SELECT id AS n FROM events"), event);
	ck_assert_int_eq((ms_t)number("SELECT received_at AS n FROM events"), T0);
	ck_assert_int_eq((ms_t)number("SELECT processed_at AS n FROM events"), T0 + MS_PER_HOUR);
	ck_assert_int_lt((ms_t)number("SELECT duration_us AS n FROM requests"), 60 * 1000000);	/* of the answer, not the hour */
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM incidents WHERE status = 1"), 1);
	ck_assert_uint_eq(number("SELECT SUM(received) AS n FROM source_stats WHERE hour = 0"), 1);
	ck_assert_uint_eq(counter_read(w.shm, C_SPOOL_REPLAYED), 1);
	ck_assert_uint_eq(counter_read(w.shm, C_REQUESTS), requests + 1);	/* counted once */
}
END_TEST

/* A batch shares one fsync and keeps its order. */
START_TEST(test_a_batch)
{
	struct ingest_replayed sum;
	struct ingest_item it[INGEST_BATCH_MAX];

	away();
	for (unsigned i = 0; i < INGEST_BATCH_MAX; i++)
		it[i] = item(&w.webhook, w.webhook_key, i % 2 ? "odd" : NULL, arena_printf(w.a, "{\"id\":\"%u\"}", i % 4).p);
	it[5] = item(&w.webhook, STR("wrong"), NULL, "{}");
	it[6] = item(&w.webhook, w.webhook_key, NULL, "{");
	ingest_run(w.g, w.a, it, INGEST_BATCH_MAX, T0);
	for (unsigned i = 0; i < INGEST_BATCH_MAX; i++)
		ck_assert_uint_eq(it[i].answer.status, i == 5 ? 401 : i == 6 ? 400 : 202);
	back();
	sum = replayed(T0 + 1);
	ck_assert_uint_eq(sum.stored, INGEST_BATCH_MAX - 2);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events"), 3);	/* the odd one, and two bodies */
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE is_duplicate"), INGEST_BATCH_MAX - 2 - 3);
}
END_TEST

/* Who needs an answer of its own gets that; what it told the log is what it was told. */
START_TEST(test_own_answers)
{
	static const char xml[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response></Response>";
	struct source twilio;
	struct str twilio_key;
	struct ingest_item it[3];

	add_source("twilio", &twilio, &twilio_key);
	ingest_preload(w.g, T0);
	away();
	it[0] = item(&twilio, twilio_key, NULL, "MessageSid=SM1&MessageStatus=sent");
	it[0].in.content_type = STR("application/x-www-form-urlencoded");
	it[1] = item(&w.webhook, w.webhook_key, NULL, "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}");
	it[1].in.content_type = STR("application/cloudevents+json");
	it[2] = item(&w.webhook, w.webhook_key, NULL, "");
	it[2].in.uri = it[2].in.path = STR("/v2/enqueue");
	it[2].in.body = arena_printf(w.a, "{\"routing_key\":\"%.*s\",\"event_action\":\"trigger\",\"dedup_key\":\"d\","
		"\"payload\":{\"summary\":\"s\",\"source\":\"h\",\"severity\":\"critical\"}}", STR_ARG(w.webhook_key));
	ingest_run(w.g, w.a, it, 3, T0);
	ck_assert_uint_eq(it[0].answer.status, 200);
	ck_assert(str_eqs(it[0].answer.body, xml));
	ck_assert_str_eq(it[0].answer.content_type, "text/xml");
	ck_assert_uint_eq(it[1].answer.status, 202);
	ck_assert(str_eqs(it[1].answer.body, SPOOLED));
	ck_assert_uint_eq(it[2].answer.status, 202);
	ck_assert(says(&it[2], "\"dedup_key\":\"d\""));
	back();
	ck_assert_uint_eq(replayed(T0 + 1).stored, 3);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events"), 3);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE status = 200"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE body LIKE '%routing_key%***%'"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM incidents WHERE dedup_key = 'd'"), 1);
}
END_TEST

/* A handshake has its whole answer, and its effect later. */
START_TEST(test_handshake)
{
	struct source notion;
	struct str key;
	struct ingest_item it;

	add_source("notion", &notion, &key);
	ingest_preload(w.g, T0);
	away();
	it = item(&notion, key, NULL, "{\"verification_token\":\"secret_one\"}");
	ingest_run(w.g, w.a, &it, 1, T0);
	ck_assert_uint_eq(it.answer.status, 200);
	back();
	ck_assert_uint_eq(replayed(T0 + 1).stored, 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM source_secrets"), 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE body LIKE '%secret_one%'"), 0);
}
END_TEST

START_TEST(test_who_is_not_spooled)
{
	struct ingest_item it;

	away();
	it = item(&w.webhook, STR("none"), NULL, "");	/* anybody may ask */
	it.in.method = STR("OPTIONS");
	ingest_run(w.g, w.a, &it, 1, T0);
	ck_assert_uint_eq(it.answer.status, 200);
	it = item(&w.webhook, w.webhook_key, NULL, "{}");
	it.in.uri = it.in.path = STR("/api/integrations/webhook/in_00000000000000000000");
	ingest_run(w.g, w.a, &it, 1, T0);
	ck_assert_uint_eq(it.answer.status, 503);	/* unknown for now */
	it = item(&w.webhook, w.webhook_key, NULL, "{}");
	it.is_test = true;
	ingest_run(w.g, w.a, &it, 1, T0);
	ck_assert_uint_eq(it.answer.status, 503);	/* who asked sees that it failed */
	ck_assert_uint_eq(spool_state(folder).files, 0);
}
END_TEST

/* A stale source serves for as long as the database is away. */
START_TEST(test_sources_stay_usable)
{
	away();
	ck_assert_uint_eq(sent(NULL, "{}", T0 + 7 * MS_PER_DAY).answer.status, 202);
	shm_generation_bump(w.shm);
	ck_assert_uint_eq(sent(NULL, "{\"id\":2}", T0 + 7 * MS_PER_DAY).answer.status, 202);
}
END_TEST

static void retry_told(const struct ingest_item *it)
{
	ck_assert_uint_eq(it->answer.status, 503);
	ck_assert(says(it, "\"unavailable\""));
	ck_assert(str_eqs(it->answer.extra[0].name, "Retry-After"));
}

START_TEST(test_full)
{
	struct spool *s = w.g->c.spool;
	struct ingest *g = ingest_with(1500);
	struct ingest_item it;
	unsigned taken = 0;

	ingest_free(w.g);
	spool_free(s);
	w.g = g;
	ingest_preload(w.g, T0);
	away();
	while ((it = sent(NULL, "{}", T0 + taken)).answer.status == 202)
		taken++;
	ck_assert(taken > 0 && taken < 10);
	retry_told(&it);
	ck_assert_uint_eq(counter_read(w.shm, C_SPOOL_REFUSED), 1);
	back();
	ck_assert_uint_eq(replayed(T0 + MS_PER_MINUTE).stored, taken);
}
END_TEST

START_TEST(test_not_writable)
{
	struct ingest_item it;
	FILE *f = fopen(folder, "w");

	fclose(f);
	away();
	it = sent(NULL, "{}", T0);
	retry_told(&it);
	unlink(folder);
	ck_assert_uint_eq(sent(NULL, "{}", T0).answer.status, 202);
}
END_TEST

/* ---- once ---- */

/* As after a COMMIT whose answer was lost: it is stored, and spooled under the same number. */
START_TEST(test_committed_after_all)
{
	struct ingest_replayed sum;
	struct ingest_item it = item(&w.webhook, w.webhook_key, "a", "{\"id\":\"k\"}");

	ingest_keep(w.g, w.a, &it, 1, T0);
	ck_assert_uint_eq(it.answer.status, 201);
	it.work->to_spool = true;
	ingest_spool(&(struct batch){ .g = w.g, .a = w.a, .work = it.work, .n = 1, .now = T0 });
	ck_assert_uint_eq(sent("b", "{\"id\":\"k2\"}", T0).answer.status, 201);
	sum = replayed(T0 + 1);
	ck_assert_uint_eq(sum.stored, 0);
	ck_assert_uint_eq(sum.known, 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events"), 2);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests"), 2);
	ck_assert_uint_eq(number("SELECT SUM(repeats) AS n FROM event_ids"), 0);
}
END_TEST

/* Whoever replayed died after the commit, before the file went. */
START_TEST(test_replayed_twice)
{
	struct spool_reader *r;
	struct ingest_replayed sum = { 0 };
	struct spool_record record[3];
	struct ingest_item it[3];

	away();
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(sent(NULL, arena_printf(w.a, "{\"id\":%d}", i).p, T0 + i).answer.status, 202);
	back();
	spool_close(w.g->c.spool);
	ck_assert_int_eq(spool_reader_new(w.g->c.spool, &r, &e), 1);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(spool_next(r, w.a, &record[i], &e), 1);
		it[i] = (struct ingest_item){ .in = { .method = STR("POST"), .body = record[i].body, .content_type = record[i].content_type },
			.spooled = &record[i] };
		inbound_set_uri(&it[i].in, record[i].uri);
	}
	ingest_run(w.g, w.a, it, 2, T0 + 10);
	ck_assert(it[0].work->stored && it[1].work->stored);
	spool_reader_free(r);
	sum = replayed(T0 + 11);
	ck_assert_uint_eq(sum.known, 2);
	ck_assert_uint_eq(sum.stored, 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events"), 3);
	ck_assert_uint_eq(number("SELECT SUM(alert_count) AS n FROM incidents"), 3);
}
END_TEST

/* The sender repeats, live, what is in the spool; and the other way round. */
START_TEST(test_repeats_across_spool_and_live)
{
	struct ingest_item it;

	ck_assert_uint_eq(sent("live first", "{\"id\":1}", T0).answer.status, 201);
	away();
	ck_assert_uint_eq(sent("live first", "{\"id\":1}", T0 + 1).answer.status, 202);
	ck_assert_uint_eq(sent("spool first", "{\"id\":2}", T0 + 2).answer.status, 202);
	ck_assert_uint_eq(sent("spool first", "{\"id\":2}", T0 + 3).answer.status, 202);
	back();
	it = sent("spool first", "{\"id\":2}", T0 + 4);
	ck_assert_uint_eq(it.answer.status, 201);
	ck_assert_uint_eq(replayed(T0 + 5).stored, 3);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events"), 2);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests"), 5);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE is_duplicate"), 3);
	ck_assert_uint_eq(number("SELECT SUM(repeats) AS n FROM event_ids"), 3);
	ck_assert_uint_eq(number("SELECT SUM(alert_count) AS n FROM incidents"), 2);
}
END_TEST

/* ---- order ---- */

#define MADE(status) "{\"id\":\"key\",\"summary\":\"s\",\"status\":\"" status "\"}"

/* These give no time of their own: the time of receipt counts, and what came live after it. */
START_TEST(test_order_with_live_traffic)
{
	away();
	ck_assert_uint_eq(sent("1", MADE("firing"), T0).answer.status, 202);
	ck_assert_uint_eq(sent("2", MADE("resolved"), T0 + 1000).answer.status, 202);
	back();
	ck_assert_uint_eq(sent("3", MADE("firing"), T0 + MS_PER_HOUR).answer.status, 201);
	ck_assert_uint_eq(replayed(T0 + MS_PER_HOUR + 1).stored, 2);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM incidents WHERE status = 1"), 1);	/* the late resolve closed nothing */
	away();
	ck_assert_uint_eq(sent("4", MADE("firing"), T0 + 2 * MS_PER_HOUR).answer.status, 202);
	back();
	ck_assert_uint_eq(sent("5", MADE("resolved"), T0 + 2 * MS_PER_HOUR + 1).answer.status, 201);
	ck_assert_uint_eq(replayed(T0 + 3 * MS_PER_HOUR).stored, 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM incidents WHERE status = 1"), 0);	/* the late trigger opened nothing */
}
END_TEST

/* Two processes spooled: their records are one row. */
START_TEST(test_order_of_two_processes)
{
	struct ingest *one = w.g, *two = ingest_with(64u << 20);
	static const char *const states[] = { "firing", "resolved", "firing", "acknowledged", "resolved" };

	ingest_preload(two, T0);
	away();
	for (unsigned i = 0; i < ARRAY_SIZE(states); i++) {
		w.g = i % 2 ? two : one;
		ck_assert_uint_eq(sent(NULL, arena_printf(w.a, "{\"id\":\"key\",\"n\":%u,\"status\":\"%s\"}", i, states[i]).p,
			T0 + i * 1000).answer.status, 202);
	}
	w.g = one;
	spool_free(two->c.spool);
	ingest_free(two);
	back();
	ck_assert_uint_eq(replayed(T0 + MS_PER_MINUTE).stored, 5);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM incidents WHERE status = 3"), 2);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM timeline WHERE kind = 3"), 1);	/* acknowledged */
}
END_TEST

/* ---- what changed meanwhile ---- */

START_TEST(test_key_changed_meanwhile)
{
	const struct who who = { .tenant_id = 1, .actor = 4 };
	struct str fresh;

	away();
	ck_assert_uint_eq(sent("1", "{\"id\":1}", T0).answer.status, 202);
	back();
	succeeds(source_rotate_key(w.db, w.a, w.seal, w.shm, 1, w.webhook.public_id, 0, &who, T0 + 1, &fresh, &e) == 1);
	ck_assert_uint_eq(sent("2", "{\"id\":2}", T0 + 2).answer.status, 401);
	ck_assert_uint_eq(replayed(T0 + 3).stored, 1);		/* it was proven when it came */
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM requests WHERE status = 202 AND proof = 'x-api-key - - 0 '"), 1);
}
END_TEST

START_TEST(test_source_deleted_meanwhile)
{
	const struct who who = { .tenant_id = 1, .actor = 4 };
	struct ingest_item it = item(&w.prometheus, w.prometheus_key, NULL,
		"{\"alerts\":[{\"status\":\"firing\",\"labels\":{},\"fingerprint\":\"k\",\"startsAt\":\"2027-01-15T07:30:00Z\"}]}");
	struct ingest_replayed sum;

	away();
	ck_assert_uint_eq(sent("1", "{\"id\":1}", T0).answer.status, 202);
	ingest_run(w.g, w.a, &it, 1, T0);
	ck_assert_uint_eq(it.answer.status, 202);
	back();
	succeeds(source_delete(w.db, w.a, w.shm, 1, w.webhook.public_id, &who, T0 + 1, &e) == 1);
	sum = replayed(T0 + 2);
	ck_assert_uint_eq(sum.stored, 1);
	ck_assert_uint_eq(sum.bad, 1);
	ck_assert_uint_eq(sum.bad_files, 1);
	ck_assert_uint_eq(spool_state(folder).bad_files, 1);
	ck_assert_uint_eq(counter_read(w.shm, C_SPOOL_BAD), 1);
	ck_assert_uint_eq(counter_read(w.shm, C_SPOOL_BAD_FILES), 1);
}
END_TEST

/* A file that was moved back is tried again: what is stored already stays single. */
START_TEST(test_moved_back)
{
	struct ingest_replayed sum;
	struct spool_record r = { .request = 1, .received_at = T0, .received_us = (uint64_t)T0 * 1000, .source = STR("in_gone0000000000000000"), .method = STR("POST"),
		.uri = STR("/api/integrations/webhook"), .body = STR("{}") };
	char command[300];

	away();
	ck_assert_uint_eq(sent("1", "{\"id\":1}", T0).answer.status, 202);
	succeeds(spool_add(w.g->c.spool, w.a, &r, 1, T0, &e));
	back();
	ck_assert_uint_eq(replayed(T0 + 2).bad_files, 1);
	snprintf(command, sizeof(command), "mv %s/bad/* %s/", folder, folder);
	ck_assert_int_eq(system(command), 0);
	sum = replayed(T0 + 2);
	ck_assert_uint_eq(sum.known, 1);
	ck_assert_uint_eq(sum.bad_files, 1);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events"), 1);
}
END_TEST

/* Two files with the same requests, as a copy or a backup put back has them: the database is not to blame. */
START_TEST(test_copied)
{
	struct ingest_replayed sum;
	char command[300];

	away();
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(sent(NULL, arena_printf(w.a, "{\"id\":%d}", i).p, T0 + i).answer.status, 202);
	spool_close(w.g->c.spool);
	snprintf(command, sizeof(command), "for f in %s/*.spool; do cp -p $f ${f%%.spool}-copy.spool; done", folder);
	ck_assert_int_eq(system(command), 0);
	back();
	sum = replayed(T0 + 3);
	ck_assert_uint_eq(sum.stored, 3);
	ck_assert_uint_eq(sum.known, 3);
	ck_assert_uint_eq(sum.bad_files, 0);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events"), 3);
	ck_assert_uint_eq(number("SELECT SUM(alert_count) AS n FROM incidents"), 3);
}
END_TEST

/* ---- trouble while it is replayed ---- */

START_TEST(test_database_lost_again)
{
	struct ingest_replayed sum;

	away();
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(sent(NULL, arena_printf(w.a, "{\"id\":%d}", i).p, T0 + i).answer.status, 202);
	ck_assert_int_eq(replay(&sum, T0 + 1000), -1);
	ck_assert_int_eq(e.code, ERR_DOWN);
	ck_assert_uint_eq(spool_state(folder).files, 1);
	back();
	ck_assert_uint_eq(replayed(T0 + 1001).stored, 100);
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events"), 100);
}
END_TEST

/* What was in hand when a process died is tried alone, twice; then it is left to a person, and the rest is replayed. */
START_TEST(test_what_ends_processes)
{
	struct ingest_item it;
	struct ingest_replayed sum;
	uint64_t print;

	away();
	ck_assert_uint_eq(sent("1", "{\"id\":\"bad\"}", T0).answer.status, 202);
	ck_assert_uint_eq(sent("2", "{\"id\":\"good\"}", T0).answer.status, 202);
	back();
	it = item(&w.webhook, w.webhook_key, NULL, "{\"id\":\"bad\"}");
	print = ingest_print(&it);
	in_hand_set(w.shm, 0, &print, 1);
	in_hand_to_suspects(w.shm, 0, T0);
	ck_assert(hourly_take(w.shm, print, 2, T0) && hourly_take(w.shm, print, 2, T0));	/* it was tried twice */
	sum = replayed(T0 + 1);
	ck_assert_uint_eq(sum.bad, 1);
	ck_assert_uint_eq(sum.bad_files, 1);
	ck_assert_uint_eq(sum.stored, 1);
}
END_TEST

/* ---- a worker by itself ---- */

START_TEST(test_tick)
{
	int calls = 0;

	away();
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(sent(NULL, arena_printf(w.a, "{\"id\":%d}", i).p, T0 + i).answer.status, 202);
	ck_assert(!ingest_tick(w.g, T0 + 200));
	back();
	while (number("SELECT COUNT(*) AS n FROM events") < 100 && calls++ < 2000) {
		while (ingest_tick(w.g, T0 + 1000 + calls))
			calls++;
		test_pause();
	}
	ck_assert_uint_eq(number("SELECT COUNT(*) AS n FROM events"), 100);
	ck_assert_uint_eq(spool_state(folder).files, 0);
	ck_assert_ptr_null(w.g->reader);
}
END_TEST

/* Who waited in vain leaves the database alone for as long, and does not even ask for sources. */
START_TEST(test_left_alone)
{
	uint64_t connects = db_connects(w.db);

	ck_assert_uint_eq(sent("1", "{\"id\":1}", T0).answer.status, 201);
	database_failed(w.g, 3000000);
	shm_generation_bump(w.shm);
	ck_assert_uint_eq(sent("2", "{\"id\":2}", T0).answer.status, 202);
	ck_assert(!ingest_tick(w.g, T0));
	w.g->avoid_until_us = 0;
	ck_assert_uint_eq(sent("3", "{\"id\":3}", T0).answer.status, 201);
	ck_assert_uint_eq(db_connects(w.db), connects);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_acknowledged_and_stored_later, test_a_batch, test_own_answers, test_handshake,
		test_who_is_not_spooled, test_sources_stay_usable, test_full, test_not_writable, test_committed_after_all, test_replayed_twice,
		test_repeats_across_spool_and_live, test_order_with_live_traffic, test_order_of_two_processes, test_key_changed_meanwhile,
		test_source_deleted_meanwhile, test_moved_back, test_copied, test_database_lost_again, test_what_ends_processes, test_tick,
		test_left_alone };

	return world_run("the spool on a database", tests, ARRAY_SIZE(tests), begin, end);
}
