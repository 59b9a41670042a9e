/* What a plain C receiver does: the rows that the product writes, the same dedup and the same decision, in one transaction
 * for each request, by ordinary prepared statements. No proof is checked and nothing is parsed: the few values come from
 * the body by searching, so this is a lower bound of the work, and its latency is what the product's is compared with.
 * Order of locks as in the product: event id, key, inserts, counters last. */
#include "grapnel/incident.h"	/* before mysql.h, whose FIELD_TYPE_TIME is a macro */
#include "fcgi_main.h"

#include <inttypes.h>
#include <mysqld_error.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DERIVED_MS 600000	/* a derived id is a repeat for 10 minutes */
#define TRIES 4		/* after deadlocks and lock waits */
#define ARGS_MAX 24
#define DEFAULT_SERVICE 1
#define TEXT_MAX 256

enum statement {
	ST_EVENT_ID, ST_KEY, ST_REQUEST, ST_EVENT, ST_INCIDENT_NEW, ST_INCIDENT, ST_KEY_WRITE, ST_ALERT,
	ST_TIMELINE, ST_STATS, STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
[ST_EVENT_ID] = "INSERT INTO event_ids (source_id, id_hash, event_id, first_at) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE"
	" repeats = IF(first_at < ?, 0, repeats + 1), event_id = IF(first_at < ?, VALUES(event_id), event_id),"
	" first_at = IF(first_at < ?, VALUES(first_at), first_at) RETURNING event_id",
[ST_KEY] = "INSERT INTO incident_keys (service_id, key_hash) VALUES (?, ?) ON DUPLICATE KEY UPDATE service_id = service_id"
	" RETURNING incident_id, status, level, resolved_by, triggered_at, sender_resolved_at",
[ST_REQUEST] = "INSERT INTO requests (id, source_id, status, method, uri, remote_addr, trace, headers, body, body_bytes,"
	" duration_us, event_count, event_id, is_duplicate) VALUES (?, ?, ?, 'POST', ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
[ST_EVENT] = "INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, entity_type,"
	" entity_id, action, severity, level, dedup_key, summary, status, done, attempts, incident_id, occurred_at,"
	" received_at, processed_at, updated_at) VALUES (?, 1, ?, ?, 0, ?, ?, ?, ?, 1, ?, ?, ?, ?, 2, 1, 1, ?, ?, ?, ?, ?)",
[ST_INCIDENT_NEW] = "INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, open_hash, title, status, level,"
	" alert_count, opened_at, last_alert_at, updated_at) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)",
[ST_INCIDENT] = "UPDATE incidents SET status = ?, level = ?, open_hash = ?, alert_count = alert_count + 1,"
	" last_alert_at = ?, updated_at = ? WHERE id = ?",
[ST_KEY_WRITE] = "UPDATE incident_keys SET incident_id = ?, status = ?, level = ?, resolved_by = ?, triggered_at = ?,"
	" sender_resolved_at = ? WHERE service_id = ? AND key_hash = ?",
[ST_ALERT] = "INSERT INTO alerts (id, tenant_id, event_id, incident_id, level, created_at) VALUES (?, 1, ?, ?, ?, ?)",
[ST_TIMELINE] = "INSERT INTO timeline (incident_id, id, at, kind, actor, event_id, level) VALUES (?, ?, ?, ?, 1, ?, ?)",
[ST_STATS] = "INSERT INTO source_stats (source_id, hour, slot, received, events, alerts, latency_us, last_at)"
	" VALUES (?, 0, ?, 1, ?, ?, ?, ?), (?, ?, ?, 1, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE received = received + 1,"
	" events = events + VALUES(events), alerts = alerts + VALUES(alerts), latency_us = latency_us + VALUES(latency_us),"
	" last_at = VALUES(last_at)",
};

struct state {
	MYSQL *db;
	MYSQL_STMT *st[STATEMENTS];
	uint64_t counter;
};

/* ---- arguments of a statement ---- */

struct args {
	MYSQL_BIND b[ARGS_MAX];
	uint64_t numbers[ARGS_MAX];
	unsigned long lengths[ARGS_MAX];
	unsigned n;
};

static void add_number(struct args *a, uint64_t v)
{
	a->numbers[a->n] = v;
	a->b[a->n] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &a->numbers[a->n], .is_unsigned = 1 };
	a->n++;
}

static void add_text(struct args *a, struct str s)
{
	a->lengths[a->n] = s.n;
	a->b[a->n] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_STRING, .buffer = (void *)s.p, .buffer_length = s.n,
		.length = &a->lengths[a->n] };
	a->n++;
}

static bool run(struct state *s, enum statement q, struct args *a)
{
	return !mysql_stmt_bind_param(s->st[q], a->b) && !mysql_stmt_execute(s->st[q]);
}

/* A RETURNING statement has succeeded only when its row is here. */
static bool run_row(struct state *s, enum statement q, struct args *a, uint64_t *out, unsigned n)
{
	MYSQL_BIND b[8] = { 0 };
	MYSQL_STMT *st = s->st[q];
	bool ok;
	unsigned i;

	for (i = 0; i < n; i++)
		b[i] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &out[i], .is_unsigned = 1 };
	if (!run(s, q, a) || mysql_stmt_bind_result(st, b) || mysql_stmt_store_result(st))
		return false;
	ok = mysql_stmt_fetch(st) == 0;
	mysql_stmt_free_result(st);
	return ok;
}

/* ---- the webhook ---- */

struct webhook {
	struct request *rq;
	uint32_t source;
	bool derived;			/* its event id is built from the content */
	struct str id, key, type, entity_type, entity_id, summary;
	struct event event;		/* what the decision reads */
	char id_text[TEXT_MAX], key_text[TEXT_MAX], headers[2048];
	unsigned char id_hash[SHA256_DIGEST_LENGTH], key_hash[SHA256_DIGEST_LENGTH];
	uint64_t number;		/* of request, event and alert: tables of their own */
	ms_t now;
	uint64_t began_us;
};

static uint64_t clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* What follows `mark` in the body, up to a quote or comma. */
static struct str value(const struct request *rq, const char *mark)
{
	const char *p = memmem(rq->body, rq->body_n, mark, strlen(mark));

	if (!p)
		return STR("-");
	p += strlen(mark);
	return (struct str){ p, strcspn(p, "\",\n") };
}

static struct str param(const struct request *rq, const char *name)
{
	const char *v = FCGX_GetParam(name, rq->fcgi->envp);

	return v ? (struct str){ v, strlen(v) } : STR("");
}

static struct str print(char *buf, const char *fmt, ...) PRINTF(2, 3);
static struct str print(char *buf, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, TEXT_MAX, fmt, ap);
	va_end(ap);
	return (struct str){ buf, n >= TEXT_MAX ? TEXT_MAX - 1 : (size_t)n };
}

static void read_prometheus(struct webhook *w)
{
	struct str starts_at = value(w->rq, "\"startsAt\":\"");

	w->source = 1;
	w->derived = true;
	w->entity_id = value(w->rq, "\"fingerprint\":\"");
	w->key = print(w->key_text, "prometheus:%.*s", STR_ARG(w->entity_id));
	w->id = print(w->id_text, "%.*s:%.*s:firing", STR_ARG(w->entity_id), STR_ARG(starts_at));
	w->type = STR("alert.firing");
	w->entity_type = STR("alert");
	w->summary = value(w->rq, "\"summary\":\"");
	w->event.level = LEVEL_CRITICAL;
	w->event.severity = SEVERITY_CRITICAL;
}

static void read_github(struct webhook *w)
{
	struct str workflow = value(w->rq, "\"workflow_id\":"), branch = value(w->rq, "\"head_branch\":\"");

	w->source = 2;
	w->id = param(w->rq, "HTTP_X_GITHUB_DELIVERY");
	w->key = print(w->key_text, "github:workflow_run:274468021:%.*s:274468021:%.*s", STR_ARG(workflow),
		STR_ARG(branch));
	w->type = STR("workflow_run.completed");
	w->entity_type = STR("workflow_run");
	w->entity_id = value(w->rq, "\"workflow_run\":{\"id\":");
	w->summary = STR("Test: failure on master");
	w->event.level = LEVEL_HIGH;
	w->event.severity = SEVERITY_ERROR;
}

static void read_stripe(struct webhook *w)
{
	w->source = 3;
	w->id = value(w->rq, "\"id\": \"");
	w->entity_id = value(w->rq, "\"object\": {\n      \"id\": \"");
	w->key = print(w->key_text, "stripe:self:charge:%.*s", STR_ARG(w->entity_id));
	w->type = STR("charge.failed");
	w->entity_type = STR("charge");
	w->summary = STR("charge.failed 20.00 usd");
	w->event.level = LEVEL_HIGH;
	w->event.severity = SEVERITY_ERROR;
}

static struct str headers_text(struct webhook *w)
{
	size_t n = 0;
	char **env;

	for (env = w->rq->fcgi->envp; *env; env++) {
		size_t k = strlen(*env);

		if (strncmp(*env, "HTTP_", 5) || !strncmp(*env, "HTTP_AUTHORIZATION", 18) || n + k >= sizeof(w->headers))
			continue;
		memcpy(w->headers + n, *env + 5, k - 5);
		n += k - 5;
		w->headers[n++] = '\n';
	}
	return (struct str){ w->headers, n };
}

static void webhook_read(struct state *s, struct webhook *w)
{
	const char *uri = FCGX_GetParam("REQUEST_URI", w->rq->fcgi->envp);

	w->began_us = clock_us();
	w->now = (ms_t)(w->began_us / 1000);
	w->number = (uint64_t)w->now << 22 | (uint64_t)w->rq->worker << 12 | (s->counter++ & 4095);
	w->event.action = ACTION_TRIGGER;
	if (uri && strstr(uri, "/prometheus"))
		read_prometheus(w);
	else if (uri && strstr(uri, "/github"))
		read_github(w);
	else
		read_stripe(w);
	SHA256((const unsigned char *)w->id.p, w->id.n, w->id_hash);
	SHA256((const unsigned char *)w->key.p, w->key.n, w->key_hash);
}

static struct str half(const unsigned char *hash)
{
	return (struct str){ (const char *)hash, 16 };
}

/* ---- the rows ---- */

static bool write_request(struct state *s, struct webhook *w, uint64_t event_id, bool repeat)
{
	struct args a = { 0 };

	add_number(&a, w->number);
	add_number(&a, w->source);
	add_number(&a, repeat ? 200 : 201);
	add_text(&a, param(w->rq, "REQUEST_URI"));
	add_text(&a, param(w->rq, "REMOTE_ADDR"));
	add_text(&a, w->id);
	add_text(&a, headers_text(w));
	add_text(&a, (struct str){ w->rq->body, w->rq->body_n });
	add_number(&a, w->rq->body_n);
	add_number(&a, clock_us() - w->began_us);
	add_number(&a, event_id);
	add_number(&a, repeat);
	return run(s, ST_REQUEST, &a);
}

static bool write_event(struct state *s, struct webhook *w, uint64_t incident)
{
	struct args a = { 0 };

	add_number(&a, w->number);
	add_number(&a, w->source);
	add_number(&a, w->number);
	add_text(&a, w->id);
	add_text(&a, w->type);
	add_text(&a, w->entity_type);
	add_text(&a, w->entity_id);
	add_number(&a, w->event.severity);
	add_number(&a, w->event.level);
	add_text(&a, w->key);
	add_text(&a, w->summary);
	add_number(&a, incident);
	add_number(&a, (uint64_t)w->now);
	add_number(&a, (uint64_t)w->now);
	add_number(&a, (uint64_t)w->now);
	add_number(&a, (uint64_t)w->now);
	return run(s, ST_EVENT, &a);
}

static bool write_incident(struct state *s, struct webhook *w, const struct key_state *ks, struct incident_change change)
{
	struct args a = { 0 };
	bool opens = change.act == INCIDENT_OPENS;

	if (opens) {
		add_number(&a, ks->incident);
		add_number(&a, DEFAULT_SERVICE);
		add_number(&a, w->source);
		add_text(&a, w->key);
		add_text(&a, half(w->key_hash));
		add_text(&a, w->summary);
	}
	add_number(&a, ks->status);
	add_number(&a, ks->level);
	if (!opens)
		add_text(&a, half(w->key_hash));
	add_number(&a, (uint64_t)w->now);
	add_number(&a, (uint64_t)w->now);
	add_number(&a, opens ? (uint64_t)w->now : ks->incident);
	return run(s, opens ? ST_INCIDENT_NEW : ST_INCIDENT, &a);
}

static bool write_timeline(struct state *s, struct webhook *w, const struct key_state *ks, struct incident_change change)
{
	struct args a = { 0 };

	if (change.act == INCIDENT_JOINS && !change.raised)
		return true;
	add_number(&a, ks->incident);
	add_number(&a, w->number);
	add_number(&a, (uint64_t)w->now);
	add_number(&a, change.act == INCIDENT_OPENS ? 1 : change.act == INCIDENT_REOPENS ? 5 : 2);
	add_number(&a, w->number);
	add_number(&a, ks->level);
	return run(s, ST_TIMELINE, &a);
}

static bool write_key(struct state *s, struct webhook *w, const struct key_state *ks)
{
	struct args a = { 0 };

	add_number(&a, ks->incident);
	add_number(&a, ks->status);
	add_number(&a, ks->level);
	add_number(&a, ks->resolved_by);
	add_number(&a, (uint64_t)ks->triggered_at);
	add_number(&a, (uint64_t)ks->sender_resolved_at);
	add_number(&a, DEFAULT_SERVICE);
	add_text(&a, half(w->key_hash));
	return run(s, ST_KEY_WRITE, &a);
}

static bool write_alert(struct state *s, struct webhook *w, const struct key_state *ks)
{
	struct args a = { 0 };

	add_number(&a, w->number);
	add_number(&a, w->number);
	add_number(&a, ks->incident);
	add_number(&a, w->event.level);
	add_number(&a, (uint64_t)w->now);
	return run(s, ST_ALERT, &a);
}

static bool write_stats(struct state *s, struct webhook *w, unsigned events, unsigned alerts)
{
	uint64_t us = clock_us() - w->began_us;
	struct args a = { 0 };
	int row;

	for (row = 0; row < 2; row++) {
		add_number(&a, w->source);
		if (row)
			add_number(&a, (uint64_t)w->now / 3600000);
		add_number(&a, w->rq->worker);
		add_number(&a, events);
		add_number(&a, alerts);
		add_number(&a, us);
		add_number(&a, (uint64_t)w->now);
	}
	return run(s, ST_STATS, &a);
}

/* 1 = the event is new, 0 = a repeat of *event_id, -1 = failed. */
static int claim_event_id(struct state *s, struct webhook *w, uint64_t *event_id)
{
	uint64_t cutoff = w->derived ? (uint64_t)w->now - DERIVED_MS : 0;
	struct args a = { 0 };
	int i;

	add_number(&a, w->source);
	add_text(&a, half(w->id_hash));
	add_number(&a, w->number);
	add_number(&a, (uint64_t)w->now);
	for (i = 0; i < 3; i++)
		add_number(&a, cutoff);
	if (!run_row(s, ST_EVENT_ID, &a, event_id, 1))
		return -1;
	return *event_id == w->number;
}

static bool lock_key(struct state *s, struct webhook *w, struct key_state *ks)
{
	struct args a = { 0 };
	uint64_t v[6];

	add_number(&a, DEFAULT_SERVICE);
	add_text(&a, half(w->key_hash));
	if (!run_row(s, ST_KEY, &a, v, 6))
		return false;
	*ks = (struct key_state){ v[0], (enum incident_status)v[1], (enum level)v[2], (enum actor)v[3], (ms_t)v[4], (ms_t)v[5] };
	return true;
}

static bool transaction(struct state *s, struct webhook *w, uint64_t *event_id, bool *repeat)
{
	struct incident_change change;
	struct key_state ks;
	int is_new = claim_event_id(s, w, event_id);

	if (is_new < 0)
		return false;
	*repeat = !is_new;
	if (*repeat)
		return write_request(s, w, *event_id, true) && write_stats(s, w, 0, 0) && !mysql_commit(s->db);
	if (!lock_key(s, w, &ks))
		return false;
	change = incident_decide(&ks, &w->event, w->now, w->now, w->number);
	return write_request(s, w, *event_id, false) && write_event(s, w, ks.incident) &&
		(!change.alert || (write_incident(s, w, &ks, change) && write_alert(s, w, &ks) &&
			write_timeline(s, w, &ks, change))) &&
		write_key(s, w, &ks) && write_stats(s, w, 1, change.alert) && !mysql_commit(s->db);
}

/* ---- the program ---- */

static void *start(unsigned worker)
{
	static struct state s;
	unsigned i;

	(void)worker;
	s.db = bench_connect();
	mysql_autocommit(s.db, 0);
	for (i = 0; i < STATEMENTS; i++)
		s.st[i] = bench_prepare(s.db, sql[i]);
	return &s;
}

static bool is_transient(const struct state *s)
{
	unsigned i;

	for (i = 0; i < STATEMENTS; i++)
		if (mysql_stmt_errno(s->st[i]) == ER_LOCK_DEADLOCK || mysql_stmt_errno(s->st[i]) == ER_LOCK_WAIT_TIMEOUT)
			return true;
	return false;
}

static void serve(void *state, struct request *rq)
{
	struct state *s = state;
	struct webhook w = { .rq = rq };
	uint64_t event_id = 0;
	bool repeat = false, done = false;
	char json[128];
	int tries;

	webhook_read(s, &w);
	for (tries = 0; tries < TRIES && !done; tries++) {
		done = transaction(s, &w, &event_id, &repeat);
		if (!done && (mysql_rollback(s->db), !is_transient(s)))
			break;
	}
	snprintf(json, sizeof(json), "{\"status\":\"%s\",\"event\":{\"id\":\"%" PRIu64 "\"}}", done ? "success" : "error", event_id);
	bench_answer(rq, !done ? 500 : repeat ? 200 : 201, json);
}

int main(int argc, char **argv)
{
	return bench_main(argc, argv, &(struct bench_program){ .start = start, .serve = serve });
}
