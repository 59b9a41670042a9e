/* fcgi_server.c - a small program that serves with libhttp what tests and benches ask for:
 *
 *	/echo...          JSON: what came, by whom it was answered, in how large a batch
 *	.../raw           the body as it came
 *	/web...           as /echo, but meant for the web pool
 *	.../large?n=      that many bytes
 *	.../sleep?ms=     answers after that time, the worker busy meanwhile
 *	.../crash         the worker ends with SIGSEGV
 *	.../later?ms=&n=  handed over with a note of n bytes; who gets that answers after ms, with what is said of both
 *	.../none          the handler forgets to answer
 *	/plain            "ok", for benches
 *
 * test_fcgi_server OPTION=VALUE...: see `options`. Paths that are absent mean inherited sockets. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "grapnel/http.h"
#include "grapnel/json.h"
#include "grapnel/log.h"

static struct settings {
	char *ingest, *web, *shm;
	uint64_t ingest_workers, web_workers, batch_max, batch_bytes, connections_max;
	uint64_t request_ms, upload_ms, response_ms, drain_ms, body_max, mode, reload;
	char **argv;
} set = {
	.shm = "/tmp/test_fcgi_server.shm", .ingest_workers = 2, .web_workers = 1, .batch_max = 32,
	.batch_bytes = 1 << 20, .connections_max = 256, .request_ms = 10000, .upload_ms = 60000,
	.response_ms = 10000, .drain_ms = 5000, .body_max = 1 << 20, .mode = 0666, .reload = 1,
};

struct server {
	enum pool pool;
	unsigned slot;
	uint64_t batches;
};

static enum lane classify(void *ctx, struct str method, struct str uri, size_t *body_max)
{
	*body_max = str_starts(uri, "/big") ? 25u << 20 : (size_t)set.body_max;
	if (str_starts(uri, "/web"))
		*body_max = 25u << 20;
	return str_starts(uri, "/web") ? LANE_WEB : LANE_HERE;
}

static uint64_t query_number(struct request *rq, const char *name)
{
	uint64_t n = 0;
	struct str text;

	if (!form_find(rq->arena, rq->query, name, &text) || !str_u64(text, &n))
		return 0;
	return n;
}

static void echo_write(struct json_out *o, const struct request *rq, const struct server *s, size_t batch)
{
	static const char *const pools[] = { "ingest", "web", "both" };
	size_t i;

	json_open(o, '{');
	json_key(o, "method"), json_str(o, rq->method);
	json_key(o, "uri"), json_str(o, rq->uri);
	json_key(o, "path"), json_str(o, rq->path);
	json_key(o, "query"), json_str(o, rq->query);
	json_key(o, "type"), json_str(o, rq->content_type);
	json_key(o, "addr"), json_str(o, rq->remote_addr);
	json_key(o, "https"), json_bool(o, rq->https);
	json_key(o, "body"), json_u64(o, rq->body.n);
	json_key(o, "too_large"), json_bool(o, rq->body_too_large);
	json_key(o, "short"), json_bool(o, rq->body_short);
	json_key(o, "trace"), json_str(o, rq->traceparent);
	json_key(o, "pid"), json_u64(o, (uint64_t)getpid());
	json_key(o, "parent"), json_u64(o, (uint64_t)getppid());
	json_key(o, "slot"), json_u64(o, s->slot);
	json_key(o, "pool"), json_strz(o, pools[s->pool]);
	json_key(o, "batch"), json_u64(o, batch);
	json_key(o, "batches"), json_u64(o, s->batches);
	json_key(o, "note"), json_u64(o, rq->note.n);
	json_key(o, "headers"), json_open(o, '{');
	for (i = 0; i < rq->header_n; i++)
		json_key(o, arena_cstr(rq->arena, rq->headers[i].name)), json_str(o, rq->headers[i].value);
	json_close(o, '}');
	json_close(o, '}');
}

static void echo(struct request *rq, const struct server *s, size_t batch)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, rq->arena, 1 << 20);
	json_out_init(&o, &b);
	echo_write(&o, rq, s, batch);
	response_json(rq, rq->body_too_large ? 413 : 200, strbuf_str(&b));
}

static void bytes(struct request *rq, struct str body)
{
	rq->response.status = 200;
	rq->response.content_type = "application/octet-stream";
	rq->response.body = body;
}

static void large(struct request *rq)
{
	size_t i, n = (size_t)query_number(rq, "n");
	char *p = arena_alloc(rq->arena, n + 1);

	for (i = 0; i < n; i++)
		p[i] = (char)('a' + i % 23);
	bytes(rq, (struct str){ p, n });
}

static void later(struct request *rq, const struct server *s, size_t batch)
{
	size_t n = (size_t)query_number(rq, "n");

	echo(rq, s, batch);
	if (rq->note.n)
		usleep((useconds_t)query_number(rq, "ms") * 1000);
	else
		rq->later = (struct str){ memset(arena_alloc(rq->arena, n + 1), 'n', n + 1), n + 1 };
}

/* A sanitizer would turn the signal into an exit. */
static void crash(void)
{
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

static void answer(struct request *rq, const struct server *s, size_t batch)
{
	if (str_ends(rq->path, "/large"))
		large(rq);
	else if (str_ends(rq->path, "/raw"))
		bytes(rq, rq->body);
	else if (str_eqs(rq->path, "/plain"))
		bytes(rq, STR("ok"));
	else if (str_ends(rq->path, "/later"))
		later(rq, s, batch);
	else if (str_ends(rq->path, "/crash"))
		crash();
	else if (!str_ends(rq->path, "/none"))
		echo(rq, s, batch);
	if (str_ends(rq->path, "/sleep"))
		usleep((useconds_t)query_number(rq, "ms") * 1000);
}

static void handle(void *ctx, struct request **rq, size_t n)
{
	struct server *s = ctx;
	size_t i;

	s->batches++;
	for (i = 0; i < n; i++)
		answer(rq[i], s, n);
}

static int worker(void *ctx, enum pool pool, unsigned slot, int listen_fd, int pass_fd)
{
	struct server s = { .pool = pool, .slot = slot };
	const struct http_handler handler = { .ctx = &s, .classify = classify, .handle = handle };
	const struct http_limits limits = {
		.batch_max = pool == POOL_WEB ? 1 : set.batch_max, .batch_bytes = set.batch_bytes,
		.connections_max = set.connections_max, .request_ms = (int64_t)set.request_ms,
		.upload_ms = (int64_t)set.upload_ms, .response_ms = (int64_t)set.response_ms,
	};
	const struct http_worker w = {
		.listen_fd = listen_fd, .pass_fd = pass_fd, .pool = pool, .limits = &limits,
		.handler = &handler, .shm = ctx,
	};

	http_serve(&w);
	return 0;
}

static bool reload_ok(void *ctx)
{
	return set.reload;
}

static const struct option {
	const char *name;
	char **text;
	uint64_t *number;
} options[] = {
	{ "ingest", &set.ingest }, { "web", &set.web }, { "shm", &set.shm },
	{ "ingest_workers", NULL, &set.ingest_workers }, { "web_workers", NULL, &set.web_workers },
	{ "batch_max", NULL, &set.batch_max }, { "batch_bytes", NULL, &set.batch_bytes },
	{ "connections_max", NULL, &set.connections_max }, { "request_ms", NULL, &set.request_ms },
	{ "upload_ms", NULL, &set.upload_ms }, { "response_ms", NULL, &set.response_ms },
	{ "drain_ms", NULL, &set.drain_ms }, { "body_max", NULL, &set.body_max },
	{ "mode", NULL, &set.mode }, { "reload", NULL, &set.reload },
};

static bool option_take(char *arg)
{
	struct str value = str_of(arg), name = str_until(&value, '=');
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		if (!str_eqs(name, options[i].name))
			continue;
		if (options[i].text)
			*options[i].text = arg + name.n + 1;
		return options[i].text || str_u64(value, options[i].number);
	}
	return false;
}

static int serve(void)
{
	const struct master_pool pools[] = {
		{ POOL_INGEST, set.ingest, (unsigned)set.ingest_workers, 0 },
		{ POOL_WEB, set.web, (unsigned)set.web_workers, (unsigned)set.ingest_workers },
	};
	struct err e = { 0 };
	struct shm *shm = shm_open_file(set.shm, &e);
	struct master m = {
		.pools = pools, .pool_n = set.web_workers ? 2 : 1, .socket_mode = (unsigned)set.mode,
		.shm = shm, .ctx = shm, .worker = worker, .reload_ok = reload_ok, .argv = set.argv,
		.drain_ms = (int64_t)set.drain_ms,
	};
	int status = shm ? master_run(&m, &e) : 1;

	if (e.code)
		log_error("not started", LOG_ERR(&e));
	shm_close(shm);
	return status;
}

int main(int argc, char **argv)
{
	int i;

	set.argv = argv;
	for (i = 1; i < argc; i++)
		if (!option_take(argv[i]))
			die("unknown option %s", argv[i]);
	log_init("fcgi_server", LOG_TARGET_STDERR, LOG_LEVEL_INFO, LOG_FORMAT_KEYS);
	return serve();
}
