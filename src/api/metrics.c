/* metrics.c - /metrics in the text format of Prometheus (Exposition formats, version 0.0.4; looked
 * up 2025-11): the counters of shared memory, which all workers of this host add to, and gauges
 * that cost nearly nothing: what is asked of the database is left out while that is away. */
#include "api_int.h"

#include <inttypes.h>

#include "grapnel/spool.h"

#define METRICS_MAX 65536	/* about 30 counters of 200 bytes */

static void metric(struct strbuf *b, const char *name, const char *help, const char *type)
{
	strbuf_addf(b, "# HELP grapnel_%s %s\n# TYPE grapnel_%s %s\n", name, help, name, type);
}

static void write_counters(struct strbuf *b, const struct shm *shm)
{
	for (enum counter i = 0; i < COUNTER_COUNT; i++) {
		metric(b, counter_name(i), counter_help(i), "counter");
		strbuf_addf(b, "grapnel_%s %" PRIu64 "\n", counter_name(i), counter_read(shm, i));
	}
}

static void write_workers(struct strbuf *b, const struct conf *conf)
{
	metric(b, "workers", "Worker processes configured on this host.", "gauge");
	strbuf_addf(b, "grapnel_workers{pool=\"ingest\"} %u\n", conf->server.ingest_workers);
	strbuf_addf(b, "grapnel_workers{pool=\"web\"} %u\n", conf->server.web_workers);
}

/* No look-up yet counts as a perfect cache, as in the monitor: 1 if empty. */
static void write_cache(struct strbuf *b, const struct shm *shm)
{
	uint64_t hits = counter_read(shm, C_CACHE_HITS);
	uint64_t all = hits + counter_read(shm, C_CACHE_MISSES);

	metric(b, "cache_hit_ratio", "Share of source look-ups answered by the cache, 0 to 1.",
		"gauge");
	strbuf_addf(b, "grapnel_cache_hit_ratio %.4f\n", all ? (double)hits / (double)all : 1.0);
}

static void gauge(struct strbuf *b, const char *name, const char *help, uint64_t value)
{
	metric(b, name, help, "gauge");
	strbuf_addf(b, "grapnel_%s %" PRIu64 "\n", name, value);
}

static void write_spool(struct strbuf *b, const struct conf *conf, ms_t now)
{
	struct spool_state s = spool_state(conf->spool.directory);

	if (!conf->spool.enabled)
		return;
	gauge(b, "spool_writable", "1 where this host can keep webhooks while the database is away.", s.writable);
	gauge(b, "spool_files", "Files of the spool that wait to be replayed.", s.files);
	gauge(b, "spool_bytes", "Their size.", s.bytes);
	gauge(b, "spool_limit_bytes", "How large they may become together.", conf->spool.max_bytes);
	gauge(b, "spool_oldest_seconds", "Age of the oldest of them.", s.oldest_at && s.oldest_at < now ? (uint64_t)(now - s.oldest_at) / 1000 : 0);
	gauge(b, "spool_bad_files", "Files that hold requests which could not be replayed.", s.bad_files);
}

/* Two rows by their keys. */
static void write_cron(struct strbuf *b, struct call *c)
{
	struct cron_watch w;
	struct err e = { 0 };

	if (!cron_watch(c->by.db, c->a, c->by.now, &w, &e))
		return;
	gauge(b, "cron_last_run_timestamp_seconds", "When cron ran last, 0 if never.", (uint64_t)(w.last_at / MS_PER_SECOND));
	gauge(b, "cron_late", "1 if cron has not run for three minutes.", w.late);
}

static void write_dispatcher(struct strbuf *b, const struct shm *shm)
{
	metric(b, "dispatcher_last_look_timestamp_seconds", "When the dispatcher of this host last looked for work, seconds since 1970; 0: never.", "gauge");
	strbuf_addf(b, "grapnel_dispatcher_last_look_timestamp_seconds %.3f\n", (double)shm_dispatcher_at(shm) / 1000);
}

static void write_outbox(struct strbuf *b, const struct call *c)
{
	struct outbox_queue waiting, retrying;
	struct err away = { 0 };
	ms_t now = c->by.now;

	if (!outbox_queue_get(c->by.db, c->a, OUTBOX_WAITING, &waiting, &away) || !outbox_queue_get(c->by.db, c->a, OUTBOX_FAILED, &retrying, &away))
		return;
	metric(b, "outbox_messages", "Messages of the whole installation that are not sent yet, counted up to 10000; retrying: cron tries them again.", "gauge");
	strbuf_addf(b, "grapnel_outbox_messages{state=\"waiting\"} %" PRIu64 "\n", waiting.n);
	strbuf_addf(b, "grapnel_outbox_messages{state=\"retrying\"} %" PRIu64 "\n", retrying.n);
	metric(b, "outbox_overdue_seconds", "For how long the first of those that wait has been due; 0: none is.", "gauge");
	strbuf_addf(b, "grapnel_outbox_overdue_seconds %.3f\n", waiting.next_at && waiting.next_at < now ? (double)(now - waiting.next_at) / 1000 : 0);
}

void api_metrics(void *call)
{
	struct call *c = call;
	const struct api_config *api = &c->api->c;
	struct strbuf b;

	strbuf_init(&b, c->a, METRICS_MAX);
	metric(&b, "build_info", "Version of the program that answers.", "gauge");
	strbuf_addf(&b, "grapnel_build_info{version=\"%s\"} 1\n", api->version);
	write_counters(&b, api->shm);
	write_workers(&b, api->conf);
	write_cache(&b, api->shm);
	write_dispatcher(&b, api->shm);
	write_outbox(&b, c);
	write_spool(&b, api->conf, c->by.now);
	write_cron(&b, c);
	c->rq->response.status = 200;
	c->rq->response.content_type = "text/plain; version=0.0.4; charset=utf-8";
	c->rq->response.body = strbuf_str(&b);
}
