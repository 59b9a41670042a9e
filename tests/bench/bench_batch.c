/* bench_batch.c - what the database costs: the batches of ingest over one connection, with the
 * store's own statements.
 *
 * No network, no parsing, no decisions worth the name: one source after the other hands in ready
 * rows, so that the time is that of src/db and MariaDB alone. It prints, for each step,
 * microseconds a batch and their share.
 *
 *     MARIADBD_OPTIONS="--innodb-flush-log-at-trx-commit=1 --innodb-buffer-pool-size=512M
 * --max-allowed-packet=16M" \ tests/db/with-mariadb env GRAPNEL_TEST_SQL=sql build/bench_batch [-n
 * batches] [-b requests in a batch] [-k dedup keys]
 *
 * -k 0 (the default): each event has a key of its own and opens an incident; -k 1: an alert storm
 * on one key. */
#include <sys/resource.h>
#include <unistd.h>

#include "grapnel/store.h"

#define BENCH_DB "grapnel_bench"
#define SOURCES 3
#define BODY_BYTES 1024
#define HEADER_BYTES 300
#define BATCH_MAX 256

enum step {
	BEGIN,
	CLAIM,
	LOCK_KEYS,
	REQUESTS,
	EVENTS,
	INCIDENTS,
	ALERTS,
	TIMELINE,
	WRITE_KEYS,
	STATS,
	COMMIT,
	STEPS
};
static const char *const step_names[STEPS] = { "begin", "claim ids", "lock keys", "requests",
	"events", "incidents", "alerts", "timeline", "write keys", "counters", "commit" };

struct bench {
	struct db *db;
	struct arena *a;
	struct id_maker ids;
	size_t batches, size, keys;	/* keys 0: a new one for each event */
	uint64_t serial;		/* events so far */
	int64_t us[STEPS], step_at;
	uint64_t rows;
	char body[BODY_BYTES], headers[HEADER_BYTES];
	struct err e;
};

/* One batch on its way. */
struct load {
	ms_t now;
	size_t n, key_n;
	struct event ev[BATCH_MAX];
	unsigned char id_hash[BATCH_MAX][KEY_HASH_BYTES], dedup_hash[BATCH_MAX][KEY_HASH_BYTES];
	size_t key_of[BATCH_MAX];
	struct id_claim claims[BATCH_MAX];
	struct key_lock keys[BATCH_MAX];
	struct request_row requests[BATCH_MAX];
	struct event_row events[BATCH_MAX];
	struct incident_row incidents[BATCH_MAX];
	struct alert_row alerts[BATCH_MAX];
	struct timeline_row timeline[BATCH_MAX];
	size_t timeline_n;
};

static void must(struct bench *b, bool ok)
{
	if (!ok)
		die("%s", b->e.text);
}

static void lap(struct bench *b, enum step s)
{
	int64_t now = clock_mono_us();

	b->us[s] += now - b->step_at;
	b->step_at = now;
}

/* The place of event i's key among the batch's keys, in which no key stands twice. */
static size_t key_place(struct bench *b, struct load *l, size_t i)
{
	size_t k;

	l->ev[i].dedup_key =
		b->keys ? arena_printf(b->a, "bench:key-%zu", (size_t)(b->serial % b->keys))
			: arena_printf(b->a, "bench:key-of-%zu", (size_t)b->serial);
	key_hash(l->ev[i].dedup_key, l->dedup_hash[i]);
	for (k = 0; k < l->key_n; k++)
		if (!memcmp(l->keys[k].key_hash, l->dedup_hash[i], KEY_HASH_BYTES))
			return k;
	l->keys[l->key_n++] = (struct key_lock){ .service_id = 1, .key_hash = l->dedup_hash[i] };
	return k;
}

static void fill_event(struct bench *b, struct load *l, size_t i)
{
	struct event *ev = &l->ev[i];
	uint64_t request = id_make(&b->ids, l->now), event = id_make(&b->ids, l->now);

	ev->action = ACTION_TRIGGER;
	ev->severity = SEVERITY_ERROR;
	ev->level = LEVEL_HIGH;
	ev->event_id = arena_printf(b->a, "bench-event-%zu-of-some-length", (size_t)b->serial);
	ev->event_type = STR("alert.firing");
	ev->summary = STR("Instance db-7.example.com:9100 is down for more than five minutes");
	ev->source = STR("db-7.example.com:9100");
	key_hash(ev->event_id, l->id_hash[i]);
	l->key_of[i] = key_place(b, l, i);
	l->claims[i] = (struct id_claim){ .source_id = 1 + i * SOURCES / l->n,
		.id_hash = l->id_hash[i],
		.event_id = event,
		.native = true,
		.received_at = l->now };
	l->requests[i] = (struct request_row){ .id = request,
		.source_id = l->claims[i].source_id,
		.status = 201,
		.body_bytes = BODY_BYTES,
		.duration_us = 900,
		.event_count = 1,
		.event_id = event,
		.method = STR("POST"),
		.uri = STR("/api/webhooks/prometheus/in_0123456789abcdefghjk"),
		.remote_addr = STR("192.0.2.17"),
		.trace = arena_printf(b->a, "%016zx%016zx", (size_t)request, (size_t)event),
		.headers = { b->headers, HEADER_BYTES },
		.body = { b->body, BODY_BYTES } };
	l->events[i] = (struct event_row){ .id = event,
		.tenant_id = 1,
		.source_id = l->claims[i].source_id,
		.request_id = request,
		.done = DO_INCIDENT,
		.ev = ev,
		.status = EVENT_PROCESSED,
		.received_at = l->now,
		.processed_at = l->now };
	b->serial++;
}

static int by_hash(const void *x, const void *y)
{
	const struct key_lock *p = x, *q = y;

	return memcmp(p->key_hash, q->key_hash, KEY_HASH_BYTES);
}

/* Opens an incident for a key that has none, and joins all others: what an alert storm and a stream
 * of new trouble look like. */
static void decide(struct bench *b, struct load *l)
{
	for (size_t k = 0; k < l->key_n; k++) {
		struct key_state *s = &l->keys[k].state;
		bool is_new = !s->incident;

		if (is_new)
			*s = (struct key_state){ .incident = id_make(&b->ids, l->now),
				.status = INCIDENT_OPEN,
				.level = LEVEL_HIGH,
				.triggered_at = l->now };
		l->keys[k].changed = is_new;
		l->incidents[k] = (struct incident_row){ .id = s->incident,
			.tenant_id = 1,
			.service_id = 1,
			.source_id = 1,
			.is_new = is_new,
			.key_hash = l->keys[k].key_hash,
			.title = STR("Instance db-7.example.com:9100 is down"),
			.dedup_key = STR("bench:key"),
			.status = s->status,
			.level = s->level,
			.opened_at = l->now,
			.last_alert_at = l->now };
		if (is_new)
			l->timeline[l->timeline_n++] =
				(struct timeline_row){ .incident_id = s->incident,
					.id = id_make(&b->ids, l->now),
					.event_id = l->events[k].id,
					.kind = 1,
					.actor = ACTOR_SENDER,
					.level = LEVEL_HIGH,
					.at = l->now };
	}
	for (size_t i = 0; i < l->n; i++) {
		struct key_lock want = { .key_hash = l->dedup_hash[i] };
		struct key_lock *key = bsearch(&want, l->keys, l->key_n, sizeof(want), by_hash);
		struct incident_row *incident = &l->incidents[key - l->keys];

		incident->alerts++;
		l->events[i].incident_id = incident->id;
		l->alerts[i] = (struct alert_row){ .id = id_make(&b->ids, l->now),
			.tenant_id = 1,
			.event_id = l->events[i].id,
			.incident_id = incident->id,
			.level = LEVEL_HIGH,
			.created_at = l->now };
	}
}

static void write_batch(struct bench *b, struct load *l)
{
	struct stats_row stats[SOURCES];

	for (size_t i = 0; i < SOURCES; i++)
		stats[i] = (struct stats_row){ .source_id = i + 1,
			.received = 11,
			.events = 11,
			.alerts = 11,
			.latency_us = 9900 };
	b->step_at = clock_mono_us();
	must(b, db_begin(b->db, &b->e));
	lap(b, BEGIN);
	must(b, batch_claim_ids(b->db, b->a, l->claims, l->n, 600000, &b->e));
	lap(b, CLAIM);
	must(b, batch_lock_keys(b->db, b->a, l->keys, l->key_n, &b->e));
	lap(b, LOCK_KEYS);
	decide(b, l);
	b->step_at = clock_mono_us();
	must(b, batch_insert_requests(b->db, b->a, l->requests, l->n, &b->e));
	lap(b, REQUESTS);
	must(b, batch_insert_events(b->db, b->a, l->events, l->n, &b->e));
	lap(b, EVENTS);
	must(b, batch_write_incidents(b->db, b->a, l->incidents, l->key_n, l->now, &b->e));
	lap(b, INCIDENTS);
	must(b, batch_insert_alerts(b->db, b->a, l->alerts, l->n, &b->e));
	lap(b, ALERTS);
	must(b, batch_insert_timeline(b->db, b->a, l->timeline, l->timeline_n, &b->e));
	lap(b, TIMELINE);
	must(b, batch_write_keys(b->db, b->a, l->keys, l->key_n, &b->e));
	lap(b, WRITE_KEYS);
	must(b, batch_add_stats(b->db, b->a, stats, SOURCES, 1, l->now, &b->e));
	lap(b, STATS);
	must(b, db_commit(b->db, &b->e));
	lap(b, COMMIT);
	b->rows += l->n * 4 + l->key_n * 2 + l->timeline_n + SOURCES * 2;
}

static void run_batch(struct bench *b)
{
	struct load *l = ARENA_NEW(b->a, struct load);

	l->now = clock_now();
	l->n = b->size;
	for (size_t i = 0; i < l->n; i++)
		fill_event(b, l, i);
	qsort(l->keys, l->key_n, sizeof(*l->keys), by_hash);
	write_batch(b, l);
	arena_reset(b->a);
}

static double cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void report(const struct bench *b, double cpu)
{
	int64_t all = 0;

	for (int s = 0; s < STEPS; s++)
		all += b->us[s];
	printf("%zu batches of %zu, %zu keys (0 = all new): %.0f us a batch, %.0f events/s, %.0f "
	       "rows/s, %.0f us of own CPU a batch\n",
		b->batches, b->size, b->keys, (double)all / (double)b->batches,
		(double)(b->batches * b->size) * 1e6 / (double)all,
		(double)b->rows * 1e6 / (double)all, cpu / (double)b->batches);
	for (int s = 0; s < STEPS; s++)
		printf("  %-12s %8.1f us %5.1f %%\n", step_names[s],
			(double)b->us[s] / (double)b->batches,
			100.0 * (double)b->us[s] / (double)all);
}

static void set_up(struct bench *b)
{
	const struct db_config c = {
		.socket = getenv("GRAPNEL_TEST_SOCKET"), .user = "root", .read_timeout_ms = 60000
	};
	static const struct stmt drop = { "drop", "DROP DATABASE IF EXISTS " BENCH_DB },
				 create = { "create", "CREATE DATABASE " BENCH_DB };
	struct db_config with_name = c;
	struct db *db = db_new(&c);

	must(b, db_exec(db, &drop, NULL, 0, NULL, &b->e) &&
			db_exec(db, &create, NULL, 0, NULL, &b->e));
	db_free(db);
	with_name.name = BENCH_DB;
	b->db = db_new(&with_name);
	must(b, migrate_up(b->db, getenv("GRAPNEL_TEST_SQL"), NULL, &b->e));
	b->a = arena_new(64 << 20);
	id_maker_init(&b->ids, 1);
	memset(b->body, 'b', sizeof(b->body));
	memset(b->headers, 'h', sizeof(b->headers));
}

static size_t number(const char *s)
{
	uint64_t n = 0;

	if (!str_u64(str_of(s), &n))
		die("not a number: %s", s);
	return n;
}

int main(int argc, char **argv)
{
	struct bench b = { .batches = 2000, .size = 32 };
	double cpu;
	int c;

	if (!getenv("GRAPNEL_TEST_SOCKET") || !getenv("GRAPNEL_TEST_SQL"))
		return 77;
	while ((c = getopt(argc, argv, "n:b:k:")) != -1) {
		switch (c) {
		case 'n': b.batches = number(optarg); break;
		case 'b': b.size = number(optarg); break;
		case 'k': b.keys = number(optarg); break;
		default: return 2;
		}
	}
	if (!b.size || b.size > BATCH_MAX)
		die("a batch has 1 to %d requests", BATCH_MAX);
	set_up(&b);
	for (int i = 0; i < 50; i++)	/* prepared, caches warm */
		run_batch(&b);
	memset(b.us, 0, sizeof(b.us));
	b.rows = 0;
	cpu = cpu_us();
	for (size_t i = 0; i < b.batches; i++)
		run_batch(&b);
	report(&b, cpu_us() - cpu);
	db_free(b.db);
	arena_free(b.a);
	return 0;
}
