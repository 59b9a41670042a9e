/* serve.c - wiring of one worker: requests of the loop become items of the pipeline, calls of the API or visits of pages, and
 * back. */
#include <malloc.h>
#include <unistd.h>

#include "config.h"
#include "grapnel/api.h"
#include "grapnel/dash.h"
#include "grapnel/db.h"
#include "grapnel/fetch.h"
#include "grapnel/ingest.h"
#include "grapnel/keys.h"
#include "grapnel/json.h"
#include "grapnel/log.h"
#include "grapnel/probe.h"

#include "dispatcher.h"
#include "give_way.h"
#include "id_worker.h"
#include "later.h"
#include "later_note.h"
#include "open_db.h"
#include "serve.h"

#define MMAP_FROM (512 * 1024)		/* bytes: twice what an arena keeps warm */
#define PROBE_MAX (128 * 1024)		/* bytes: a URI of 64 KiB, some of it escaped */

struct worker {
	const struct serve *s;
	enum pool pool;
	struct ingest *ingest;
	struct api *api;
	struct dash *dash;
	struct later *later;
	struct shm *shm;
	unsigned web_workers, processors;
	int64_t took_us;		/* pages and calls of the last batch */
	uint64_t webhooks;		/* that had come in on this host when it began */
};

static enum lane classify(void *ctx, struct str method, struct str uri, size_t *body_max)
{
	struct str path = str_until(&uri, '?');

	if (ingest_path(method, path, body_max))
		return LANE_HERE;
	*body_max = API_BODY_MAX;
	return LANE_WEB;
}

static struct ingest_item item_of(struct request *rq)
{
	return (struct ingest_item){
		.in = {
			.method = rq->method,
			.uri = rq->uri,
			.path = rq->path,
			.query = rq->query,
			.headers = rq->headers,
			.header_n = rq->header_n,
			.content_type = rq->content_type,
			.body = rq->body,
		},
		.remote_addr = rq->remote_addr,
		.trace = str_of(rq->id),
		.traceparent = rq->traceparent,
		.trace_made = rq->trace_made,
		.too_large = rq->body_too_large,
		.too_short = rq->body_short,
		.may_wait = true,
		.began_us = rq->began_us,
	};
}

static void add_rate(struct request *rq, const struct rate_result *r)
{
	if (!r->limit)
		return;
	response_header(rq, "X-RateLimit-Limit", arena_printf(rq->arena, "%u", r->limit));
	response_header(rq, "X-RateLimit-Remaining", arena_printf(rq->arena, "%u", r->remaining));
	response_header(rq, "X-RateLimit-Reset", arena_printf(rq->arena, "%lld", (long long)((r->reset_at + 999) / 1000)));
}

/* A sender who waits is answered by whoever takes the connection; should nobody, his events are queued. */
static void answer_of(struct request *rq, const struct ingest_item *it)
{
	const struct answer *a = it->later.n ? &it->queued : &it->answer;

	rq->response.status = a->status;
	rq->response.content_type = a->content_type;
	rq->response.body = a->body;
	for (size_t i = 0; i < ARRAY_SIZE(a->extra) && a->extra[i].name.n; i++)
		response_header(rq, arena_cstr(rq->arena, a->extra[i].name), a->extra[i].value);
	add_rate(rq, &it->rate);
	if (it->later.n)
		rq->later = later_note(rq, it);
}

/* The doctor asks how his request got here; whatever it is for, it goes no further. */
static bool answers_probe(struct worker *w, struct request *rq, ms_t now)
{
	const struct conf *c = w->s->conf;
	struct probe p;
	struct json_out o;
	struct strbuf b;

	if (!probe_is_asked(rq->arena, w->s->seal, request_header(rq, PROBE_HEADER), now))
		return false;
	p = (struct probe){ .pool = w->pool == POOL_INGEST ? STR("ingest") : STR("web"), .version = STR(PACKAGE_VERSION),
		.configuration = probe_configuration(rq->arena, c), .uri = rq->uri, .body_bytes = rq->body.n, .passed = rq->passed,
		.authorization = request_header(rq, "authorization").n > 0, .keep_asked = rq->keep_asked, .https = rq->https,
		.verify_signatures = c->ingest.verify_signatures, .rate_limit = c->ingest.rate_limit, .debug = c->ingest.debug };
	strbuf_init(&b, rq->arena, PROBE_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_fields(&o, probe_fields, &p);
	json_close(&o, '}');
	response_json(rq, 200, strbuf_str(&b));
	return true;
}

static void handle(void *ctx, struct request **rq, size_t n)
{
	struct worker *w = ctx;
	struct ingest_item *items = ARENA_ARRAY(rq[0]->arena, struct ingest_item, n);
	struct request **inbound = ARENA_ARRAY(rq[0]->arena, struct request *, n);
	size_t m = 0, body_max;
	ms_t now = clock_now();
	int64_t began_us = clock_mono_us();

	w->webhooks = counter_read(w->shm, C_REQUESTS);
	w->took_us = 0;
	if (rq[0]->note.n) {	/* comes alone */
		later_answer(w->later, rq[0]);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (answers_probe(w, rq[i], now)) {
			continue;
		} else if (ingest_path(rq[i]->method, rq[i]->path, &body_max)) {
			inbound[m] = rq[i];
			items[m++] = item_of(rq[i]);
		} else if (api_path(rq[i]->path)) {
			api_handle(w->api, rq[i], now);
		} else {
			dash_handle(w->dash, rq[i], now);
		}
	}
	w->took_us = m < n ? clock_mono_us() - began_us : 0;
	if (m)
		ingest_run(w->ingest, rq[0]->arena, items, m, now);
	for (size_t i = 0; i < m; i++)
		answer_of(inbound[i], &items[i]);
}

static int64_t rest_us(void *ctx)
{
	struct worker *w = ctx;

	return give_way_us(w->took_us, counter_read(w->shm, C_REQUESTS) - w->webhooks, w->web_workers, w->processors);
}

static bool tick(void *ctx, ms_t now)
{
	struct worker *w = ctx;

	return ingest_tick(w->ingest, now);
}

/* What is large goes back to the system when it is freed. glibc moves this threshold up to the largest block that was ever
 * freed, and then one body of 25 MB leaves 50 MB behind in a heap that is never cut. */
static void keep_small(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_FROM);
}

static int serve_requests(const struct serve *s, enum pool pool, unsigned slot, int listen_fd, int pass_fd)
{
	const struct conf *c = s->conf;
	struct id_maker ids;
	struct db *db = open_db(c);
	struct fetch *fetch = fetch_new(&(struct fetch_config){ "Grapnel/" PACKAGE_VERSION, c->keys.test_hosts, c->keys.test_authorities });
	struct spool *spool = c->spool.enabled ?
		spool_new(&(struct spool_config){ c->spool.directory, c->spool.max_bytes, s->seal }) : NULL;
	struct keys *keys = keys_new(&(struct keys_config){ db, s->shm, fetch, c->keys.test_authorities });
	struct worker w = { .s = s, .pool = pool, .shm = s->shm, .web_workers = c->server.web_workers, .processors = (unsigned)sysconf(_SC_NPROCESSORS_ONLN) };
	struct http_limits limits = {
		.batch_max = pool == POOL_WEB ? 1 : c->ingest.batch_max,
		.batch_bytes = c->ingest.batch_bytes_max,
		.connections_max = c->ingest.connections_max,
		.request_ms = c->ingest.request_deadline_ms,
		.upload_ms = c->ingest.upload_deadline_ms,
		.response_ms = c->web.response_deadline_ms,
	};
	struct http_handler handler = { .ctx = &w, .classify = classify, .handle = handle, .tick = tick,
		.rest_us = pool == POOL_WEB ? rest_us : NULL };
	struct http_worker worker = { .listen_fd = listen_fd, .pass_fd = pass_fd, .pool = pool, .limits = &limits,
		.handler = &handler, .shm = s->shm };

	zone_set(c->cron.timezone);
	id_maker_init(&ids, id_worker_of_slot(c, slot));
	w.ingest = ingest_new(&(struct ingest_config){
		.db = db, .shm = s->shm, .seal = s->seal, .ids = &ids, .slot = slot, .events_max = c->ingest.batch_events_max,
		.public_url = c->server.public_url, .keys = keys_store(keys), .spool = spool, .spans = s->spans, .verify_signatures = c->ingest.verify_signatures,
		.rate_limit = c->ingest.rate_limit, .debug = c->ingest.debug, .remote_per_minute = c->ingest.remote_per_minute,
		.waiting_max = later_waiting_max(c), .waiting_ms = later_waiting_ms(c),
	});
	w.api = api_new(&(struct api_config){ .db = db, .shm = s->shm, .seal = s->seal, .conf = c, .ids = &ids, .ingest = w.ingest,
		.version = PACKAGE_VERSION });
	w.dash = dash_new(&(struct dash_config){ .db = db, .shm = s->shm, .seal = s->seal, .conf = c, .ids = &ids,
		.ingest = w.ingest, .version = PACKAGE_VERSION });
	w.later = later_new(&(struct later_config){ c, db, s->shm, s->seal, &ids, s->spans });
	ingest_preload(w.ingest, clock_now());
	http_serve(&worker);
	later_free(w.later);
	dash_free(w.dash);
	api_free(w.api);
	ingest_free(w.ingest);
	spool_free(spool);
	keys_free(keys);
	fetch_free(fetch);
	db_free(db);
	return 0;
}

int serve_worker(void *ctx, enum pool pool, unsigned slot, int listen_fd, int pass_fd)
{
	const struct serve *s = ctx;

	keep_small();
	return pool == POOL_DISPATCH ? serve_dispatcher(s, slot) : serve_requests(s, pool, slot, listen_fd, pass_fd);
}
