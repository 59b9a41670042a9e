/* exporter.c - the dispatcher's way to the OpenTelemetry collector: spans from the pipe, in bundles, by HTTP.
 *
 * As OpenTelemetry's own batch processor: a bundle goes when it has 512 spans or is five seconds old. What the collector cannot take now waits,
 * with growing pauses or those that it asks for, but for a minute at most and no more than so many bundles; then the pipe fills, and whoever
 * makes spans drops and counts them. Nobody else ever waits for the collector. What went wrong is told once, and once that it goes again. */
#include <unistd.h>

#include "grapnel/log.h"

#include "outbound_int.h"

#define SPANS 512		/* of a bundle */
#define AGE_US 5000000
#define BUNDLES_MAX 16		/* that are not delivered: 8,192 spans, some 10 MB */
#define IN_FLIGHT 4
#define ARENA_MAX ((size_t)16 << 20)	/* of a bundle: usually half a MB */
#define OWN_ARENA_MAX ((size_t)1 << 20)
#define TOTAL_MS 10000		/* OTEL_EXPORTER_OTLP_TIMEOUT has that, too */
#define KEEP_US 60000000	/* from its begin to its being given up */
#define PAUSE_FIRST_US 1000000
#define PAUSE_MAX_US 30000000
#define ANSWER_MAX 4096

struct bundle {
	struct bundle *next;
	struct exporter *x;
	struct arena *arena;
	struct str body;
	size_t n;
	int64_t began_us;
	bool under_way, over;
};

struct exporter {
	struct exporter_config c;
	struct arena *arena;
	struct str url;
	struct header headers[OTLP_HEADERS_MAX + 1];
	size_t header_n;
	struct otlp_resource resource;
	struct span pending[SPANS];
	size_t pending_n;
	int64_t pending_since_us;
	struct bundle *bundles;		/* the oldest first */
	size_t bundle_n, in_flight;
	int64_t again_us;		/* nothing is sent before */
	unsigned failures;		/* in a row */
	bool complained, draining;
	uint64_t lost;			/* since then */
};

struct exporter *exporter_new(const struct exporter_config *c)
{
	struct exporter *x = xcalloc(1, sizeof(*x));
	char host[256] = "";

	x->c = *c;
	x->arena = arena_new(OWN_ARENA_MAX);
	x->url = otlp_url(x->arena, str_of(c->conf->tracing.endpoint));
	x->header_n = otlp_headers(x->arena, str_of(c->conf->tracing.headers), x->headers);
	x->headers[x->header_n++] = (struct header){ STR("Content-Type"), STR("application/json") };
	if (gethostname(host, sizeof(host) - 1))
		*host = '\0';
	x->resource.service = str_of(c->conf->tracing.service_name);
	x->resource.host = arena_str(x->arena, str_of(host));
	x->resource.instance = arena_printf(x->arena, "%u", c->conf->server.node);
	return x;
}

static void lose(struct exporter *x, size_t n)
{
	x->lost += n;
	count(x->c.shm, C_SPANS_DROPPED, n);
}

static void bundle_free(struct bundle *b)
{
	arena_free(b->arena);
	free(b);
}

void exporter_free(struct exporter *x)
{
	if (!x)
		return;
	while (x->bundles) {
		struct bundle *b = x->bundles;

		x->bundles = b->next;
		if (!b->over)
			lose(x, b->n);
		bundle_free(b);
	}
	lose(x, x->pending_n);
	arena_free(x->arena);
	free(x);
}

/* ---- what came of a bundle ---- */

static void complain(struct exporter *x, const struct send_result *r)
{
	if (x->complained)
		return;
	x->complained = true;
	x->lost = 0;
	log_warning("spans are not taken by the collector; what finds no room meanwhile is dropped", LOG_U("status", r->status),
		LOG_S("error", r->error ? r->error : ""));
}

static void taken(struct exporter *x, struct bundle *b, const struct send_result *r)
{
	struct str why;
	uint64_t rejected = otlp_rejected(b->arena, r->body, &why);

	if (rejected > b->n)
		rejected = b->n;
	count(x->c.shm, C_SPANS_SENT, b->n - rejected);
	count(x->c.shm, C_SPANS_REJECTED, rejected);
	if (rejected)
		log_warning("the collector refused spans", LOG_U("spans", rejected), LOG_STR("error", str_cut(why, 200)));
	if (x->complained)
		log_info("the collector takes spans again", LOG_U("dropped", x->lost));
	x->complained = false;
	x->failures = 0;
	x->again_us = 0;
	b->over = true;
}

static void wait_for(struct exporter *x, uint64_t retry_after_s, int64_t now_us)
{
	int64_t pause_us = PAUSE_FIRST_US << (x->failures < 5 ? x->failures : 5);

	x->failures++;
	if (retry_after_s)
		pause_us = retry_after_s < PAUSE_MAX_US / 1000000 ? (int64_t)retry_after_s * 1000000 : PAUSE_MAX_US;
	x->again_us = now_us + (pause_us < PAUSE_MAX_US ? pause_us : PAUSE_MAX_US);
}

static void on_done(void *ctx, const struct send_result *r)
{
	struct bundle *b = ctx;
	struct exporter *x = b->x;
	int64_t now_us = clock_mono_us();

	b->under_way = false;
	x->in_flight--;
	if (!r->error && r->status >= 200 && r->status < 300) {
		taken(x, b, r);
		return;
	}
	complain(x, r);
	b->over = (r->error ? r->hopeless : !otlp_again(r->status)) || now_us - b->began_us > KEEP_US;
	if (b->over)
		lose(x, b->n);
	wait_for(x, r->retry_after_s, now_us);
}

/* ---- bundles ---- */

static void bundle_pending(struct exporter *x, int64_t now_us)
{
	struct bundle *b = xcalloc(1, sizeof(*b)), **end = &x->bundles;

	b->x = x;
	b->arena = arena_new(ARENA_MAX);
	b->n = x->pending_n;
	b->body = otlp_body(b->arena, &x->resource, x->pending, x->pending_n);
	b->began_us = now_us;
	while (*end)
		end = &(*end)->next;
	*end = b;
	x->bundle_n++;
	x->pending_n = 0;
}

static void drop_over(struct exporter *x, int64_t now_us)
{
	struct bundle **link = &x->bundles;

	while (*link) {
		struct bundle *b = *link;

		if (!b->over && !b->under_way && now_us - b->began_us > KEEP_US) {
			b->over = true;
			lose(x, b->n);
		}
		if (!b->over) {
			link = &b->next;
			continue;
		}
		*link = b->next;
		x->bundle_n--;
		bundle_free(b);
	}
}

static void read_pipe(struct exporter *x, bool all, int64_t now_us)
{
	while (x->bundle_n < BUNDLES_MAX) {
		size_t n = spans_read(x->c.spans, x->pending + x->pending_n, SPANS - x->pending_n);

		if (!x->pending_n)
			x->pending_since_us = now_us;
		x->pending_n += n;
		if (x->pending_n == SPANS || (x->pending_n && !n && (all || now_us - x->pending_since_us >= AGE_US)))
			bundle_pending(x, now_us);
		else if (!n)
			return;
	}
}

static void begin(struct bundle *b)
{
	struct exporter *x = b->x;

	b->under_way = true;
	x->in_flight++;
	send_begin(x->c.sender, &(struct send){ .url = x->url, .headers = x->headers, .header_n = x->header_n, .body = b->body, .trusted = true,
		.keep = ANSWER_MAX, .total_ms = TOTAL_MS, .done = on_done, .ctx = b });
}

/* After a failure one at a time, until one is taken. */
static void begin_all(struct exporter *x, int64_t now_us)
{
	size_t most = x->failures ? 1 : IN_FLIGHT;

	for (struct bundle *b = x->bundles; b && now_us >= x->again_us && x->in_flight < most; b = b->next)
		if (!b->under_way && !b->over && sender_busy(x->c.sender) < SEND_PROGRAMS_MAX)
			begin(b);
}

static void go_on(struct exporter *x, bool all)
{
	int64_t now_us = clock_mono_us();

	drop_over(x, now_us);
	read_pipe(x, all, now_us);
	begin_all(x, now_us);
}

/* ---- as a carrier ---- */

static bool take(void *ctx, ms_t now, struct err *e)
{
	go_on(ctx, false);
	return true;
}

static bool release(void *ctx, ms_t now, struct err *e)
{
	((struct exporter *)ctx)->draining = true;
	go_on(ctx, true);
	return true;
}

/* Whoever ends waits for what is under way; else nobody has to know, since no rows stand behind it. */
static size_t busy(const void *ctx)
{
	const struct exporter *x = ctx;

	return x->draining ? x->in_flight : 0;
}

struct carrier exporter_carrier(struct exporter *x)
{
	return (struct carrier){ x, take, take, release, busy };
}
