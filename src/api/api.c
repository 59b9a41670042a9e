/* api.c - the way of a request through the API: route, gates, handler.
 *
 * The gates stand in one function and are read from top to bottom; a handler begins only when all
 * of them hold, so no handler asks for rights. A path that does not exist is told so before any
 * gate: the routes are no secret, they are in the API document. */
#include "api_int.h"

#include "grapnel/log.h"
#include "grapnel/net.h"

struct api *api_new(const struct api_config *c)
{
	struct api *api = xcalloc(1, sizeof(*api));

	api->c = *c;
	return api;
}

void api_free(struct api *api)
{
	arena_free(api->kept);
	free(api);
}

/* ---- the rate limit ---- */

/* Buckets are named by a hash; the kind in front keeps tokens and addresses apart from each other
 * and from sources. */
static uint64_t bucket_of(struct call *c, bool known, bool bulk)
{
	unsigned char digest[SHA256_BYTES];
	struct str name;
	struct ip ip;
	uint64_t key;

	if (known)
		name = arena_printf(c->a, "api %s %llu", bulk ? "bulk" : "token",
			(unsigned long long)c->by.principal.token_id);
	else if (ip_parse(c->rq->remote_addr, &ip))
		name = arena_printf(c->a, "api address %llu", (unsigned long long)ip_hash(&ip));
	else
		name = STR("api address");
	sha256(name, digest);
	memcpy(&key, digest, sizeof(key));
	return key | 1;
}

/* Takes one of the bucket and tells the rest in the headers. */
static bool take_rate(struct call *c, bool known)
{
	bool bulk = known && c->match.route->needs & (NEED_BULK | NEED_CRON);
	uint32_t limit = bulk ? API_BULK_PER_MINUTE : API_PER_MINUTE;
	uint32_t per_minute = c->by.conf->ingest.rate_limit ? limit : 0;
	struct rate_result r = rate_take(c->by.shm, bucket_of(c, known, bulk), per_minute, c->by.now);

	if (!per_minute)
		return true;
	response_header(c->rq, "X-RateLimit-Limit", arena_printf(c->a, "%u", r.limit));
	response_header(c->rq, "X-RateLimit-Remaining", arena_printf(c->a, "%u", r.remaining));
	response_header(c->rq, "X-RateLimit-Reset",
		arena_printf(c->a, "%lld", (long long)((r.reset_at + 999) / 1000)));
	if (r.allowed)
		return true;
	response_header(c->rq, "Retry-After",
		arena_printf(c->a, "%lld", (long long)((r.retry_after_ms + 999) / 1000)));
	return false;
}

static bool refuse_rate(struct call *c)
{
	return reply_refuse(c, 429, "rate_limited", "Too many requests. Wait as Retry-After says.",
		NULL);
}

/* ---- the gates ---- */

/* A secret of the configuration; an empty one opens nothing. */
static bool has_bearer(struct call *c, const char *secret)
{
	struct str scheme = STR("Bearer "), given = request_header(c->rq, "authorization");
	struct str token = str_sub(given, scheme.n);

	return *secret && str_ieq(str_cut(given, scheme.n), scheme) && equal_ct(token.p, token.n, secret, strlen(secret));
}

/* Where there is no token it is as if the path were not there. Who has it shares no bucket with others of his address. */
static bool may_run_cron(struct call *c)
{
	bool is_caller = has_bearer(c, c->by.conf->cron.token);

	if (!take_rate(c, is_caller))
		return refuse_rate(c);
	if (is_caller)
		return true;
	if (!c->by.conf->cron.token[0])
		return reply_not_found(c);
	response_header(c->rq, "WWW-Authenticate", STR("Bearer"));
	return reply_refuse(c, 401, "unauthorized", "The token of [cron] is needed: Authorization: Bearer <token>.", NULL);
}

static bool may_scrape(struct call *c)
{
	const struct conf *conf = c->by.conf;
	struct err e = { 0 };
	struct cidr *list;
	struct ip ip;
	size_t n;

	if (has_bearer(c, conf->metrics.token))
		return true;
	if (!ip_parse(c->rq->remote_addr, &ip) ||
		!cidr_list(c->a, str_of(conf->metrics.allow), &list, &n, &e))
		return false;
	for (size_t i = 0; i < n; i++)
		if (cidr_match(&list[i], &ip))
			return true;
	return false;
}

static bool find_tenant(struct call *c)
{
	struct str wanted = STR_NONE;
	struct err e = { 0 };
	int found;

	(void)form_find(c->a, c->rq->query, TENANT_PARAMETER, &wanted);
	found = account_tenant(c->by.db, c->a, &c->by.principal, wanted, &c->by.tenant_id, &e);
	if (found < 0)
		return reply_err(c, &e);
	return found ||
		reply_refuse(c, 400, "invalid_request", "There is no such tenant.", "tenant");
}

/* A route without parameters refuses those it does not know, as those with a table of them do. */
static bool no_strange_parameter(struct call *c)
{
	static const struct form_field none[] = { FORM_END };
	const struct doc *d = c->match.route->doc;
	struct err e = { 0 };

	return (d && d->query) || form_read_query(c->a, c->rq->query, none, TENANT_PARAMETER, NULL, &e) || reply_err(c, &e);
}

/* Everything that must hold before a handler runs; false = answered. */
static bool pass_gates(struct call *c)
{
	unsigned needs = c->match.route->needs;
	struct request *rq = c->rq;
	struct err e = { 0 };
	int known;

	if (needs == NEED_NOTHING)
		return true;
	if (needs == NEED_SCRAPER)
		return may_scrape(c) ||
			reply_refuse(c, 403, "forbidden", "This address may not read the metrics.",
				NULL);
	if (needs == NEED_CRON)
		return may_run_cron(c) && no_strange_parameter(c);

	known = account_bearer(c->by.db, c->a, request_header(rq, "authorization"), c->by.now,
		&c->by.principal, &e);
	if (known < 0)
		return reply_err(c, &e);
	if (!take_rate(c, known))
		return refuse_rate(c);
	if (!known) {
		response_header(rq, "WWW-Authenticate", STR("Bearer"));
		return reply_refuse(c, 401, "unauthorized",
			"A valid API token is needed: Authorization: Bearer <token>.", NULL);
	}
	if (!account_has_role(&c->by.principal, needs))
		return reply_refuse(c, 403, "forbidden", "Your role does not allow this.", NULL);
	if (needs & NEED_PLATFORM && !c->by.principal.platform_admin)
		return reply_refuse(c, 403, "forbidden", "This is for administrators of the whole installation.", NULL);
	if (!account_has_scope(&c->by.principal, needs))
		return reply_refuse(c, 403, "forbidden",
			"The scopes of this token do not allow this.", NULL);
	if (rq->body_too_large)
		return reply_refuse(c, 413, "body_too_large", "The body is too large.", NULL);
	if (rq->body_short)
		return reply_refuse(c, 400, "invalid_request",
			"The body is not as long as Content-Length says.", NULL);
	return find_tenant(c) && no_strange_parameter(c);
}

/* ---- the way ---- */

static void no_route(struct call *c, int found, const char *allow)
{
	if (str_starts(c->rq->path, "/api/") && !take_rate(c, false)) {
		refuse_rate(c);
		return;
	}
	if (!found) {
		reply_not_found(c);
		return;
	}
	response_header(c->rq, "Allow", arena_str(c->a, str_of(allow)));
	reply_refuse(c, 405, "method_not_allowed", "This path has other methods: see Allow.", NULL);
}

/* Pages never lie under these; the short forms of some routes lie among the pages. */
bool api_path(struct str path)
{
	static const char *const beginnings[] = { "/api/", "/webhooks/", "/sync-tasks/", "/v2/" };
	static const char *const whole[] = { "/api", "/webhooks", "/sync-tasks", "/v2", "/healthz", "/readyz", "/metrics" };
	struct route_match m;
	char allow[64];

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (str_starts(path, beginnings[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		if (str_eqs(path, whole[i]))
			return true;
	return route_find(api_routes, STR("GET"), path, &m, allow) != 0;
}

void api_handle(struct api *api, struct request *rq, ms_t now)
{
	struct call c = {
		.api = api, .rq = rq, .a = rq->arena,
		.by = { .db = api->c.db, .shm = api->c.shm, .seal = api->c.seal, .conf = api->c.conf, .ids = api->c.ids,
			.ingest = api->c.ingest, .a = rq->arena, .remote_addr = rq->remote_addr, .now = now },
	};
	int64_t began_us = clock_mono_us();
	char allow[64];
	int found = route_find(api_routes, rq->method, rq->path, &c.match, allow);

	count(api->c.shm, C_API_REQUESTS, 1);
	if (found != 1)
		no_route(&c, found, allow);
	else if (pass_gates(&c))
		c.match.route->handler(&c);
	if (c.by.principal.user_id)
		response_header(rq, "Server-Timing", arena_printf(c.a, "app;dur=%.2f", (double)(clock_mono_us() - began_us) / 1000));
}
