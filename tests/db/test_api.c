/* src/api in one process against a real MariaDB: requests built by hand, answers read as JSON.
 * First of all who may do what: each route with each role and each scope. */
#include "grapnel/account.h"
#include "grapnel/api.h"
#include "grapnel/ingest.h"
#include "grapnel/json.h"
#include "tests/unit/schema_test.h"
#include "view_data.h"

#define NOW (BASE + 40000 * 1000LL)
#define GITHUB "in_00000000000000000001"
#define PROMETHEUS "in_00000000000000000002"
#define THEIRS "in_00000000000000000009"

static struct db *db;
static struct arena *a;
static struct err e;
static struct shm *shm;
static struct seal_key *seal_key;
static struct api *api;
static struct ingest *ingest;
static struct conf conf;
static char cron_token[] = "cron-token", none[] = "";
static struct id_maker ids = { .worker = 3 };
static ms_t now = NOW;
static char admin[64], root[64],
	theirs[64]; /* tokens: of tenant 1, of a platform admin, of tenant 2 */

/* ---- requests and answers ---- */

struct reply {
	unsigned status;
	struct str body;
	const struct json *json;	/* NULL where there is none */
	const struct request *rq;
};

static struct arena *document_arena;
static const struct json *document;

/* The operation of a row: paths/{template}/{method}. */
static const struct json *documented(const struct route *r)
{
	const struct json *paths = json_get(document, "paths");

	for (const struct json *p = paths->first; p; p = p->next) {
		struct str want = str_of(r->pattern), have = p->name;

		while (want.n && have.n) {
			struct str w = str_until(&want, '/'), h = str_until(&have, '/');

			if (!str_starts(w, ":") && !str_eq(w, h))
				break;
			if (str_starts(w, ":") && !(str_starts(h, "{") && h.n == w.n + 1))
				break;
			if (want.n || have.n)
				continue;
			for (const struct json *op = p->first; op; op = op->next)
				if (str_ieqs(op->name, r->method))
					return op;
		}
	}
	return NULL;
}

/* Is the answer what the API document says of its route and status? */
static void hold_against_document(const struct request *rq, const struct json *body)
{
	const struct json *response, *content;
	struct route_match m;
	char allow[64];

	if (route_find(api_routes, rq->method, rq->path, &m, allow) != 1 || rq->response.status == 304)
		return;
	response = json_get(documented(m.route), "responses");
	ck_assert_msg(response, "%s %s is not documented", m.route->method, m.route->pattern);
	content = json_get(response, arena_printf(a, "%u", rq->response.status).p);
	content = schema_deref(document, content ? content : json_get(response, "default"));
	content = json_get(content, "content");
	ck_assert_msg(!content == !rq->response.body.n, "%s %s: %u with or without a body", m.route->method, m.route->pattern,
		rq->response.status);
	if (!content || !json_get(content->first, "schema"))
		return;
	ck_assert_msg(body && schema_fits(document, json_get(content->first, "schema"), body), "%s %s: %u: %s: %.*s", m.route->method,
		m.route->pattern, rq->response.status, schema_why, STR_ARG(rq->response.body));
}

static struct reply send_request(struct request *rq)
{
	const struct json *json = NULL;
	struct err bad = { 0 };

	rq->arena = a;
	rq->path = rq->uri;
	rq->query = STR_NONE;
	if (str_find(rq->uri, '?') >= 0) {
		rq->query = rq->uri;
		rq->path = str_until(&rq->query, '?');
	}
	if (!rq->remote_addr.n)
		rq->remote_addr = STR("192.0.2.1");
	rq->received_at = now;
	api_handle(api, rq, now);
	ck_assert_uint_ne(rq->response.status, 0);
	if (rq->response.body.n && !rq->response.content_type)
		ck_assert_msg(json_parse(a, rq->response.body, &json, &bad), "%s", bad.text);
	hold_against_document(rq, json);
	return (struct reply){ rq->response.status, rq->response.body, json, rq };
}

static struct request *request_new(const char *token, const char *method, const char *uri,
	const char *body)
{
	struct request *rq = ARENA_NEW(a, struct request);

	rq->method = str_of(method);
	rq->uri = str_of(uri);
	rq->body = str_of(body);
	if (body)
		rq->content_type = STR("application/json");
	rq->headers = ARENA_ARRAY(a, struct header, 1);
	if (token) {
		rq->headers[0] = (struct header){ STR("authorization"),
			arena_printf(a, "Bearer %s", token) };
		rq->header_n = 1;
	}
	return rq;
}

static struct reply ask(const char *token, const char *method, const char *uri, const char *body)
{
	return send_request(request_new(token, method, uri, body));
}

static struct reply expect(unsigned status, const char *token, const char *method, const char *uri,
	const char *body)
{
	struct reply r = ask(token, method, uri, body);

	ck_assert_msg(r.status == status, "%s %s: %u instead of %u: %.*s", method, uri, r.status,
		status, STR_ARG(r.body));
	return r;
}

static void expect_error(unsigned status, const char *code, const char *field, struct reply r)
{
	ck_assert_msg(r.status == status, "%u instead of %u: %.*s", r.status, status,
		STR_ARG(r.body));
	ck_assert_msg(str_eqs(json_text(json_get(r.json, "error")), code), "%.*s", STR_ARG(r.body));
	ck_assert(json_text(json_get(r.json, "message")).n > 0);
	ck_assert_msg(str_eq(json_text(json_get(r.json, "field")), str_of(field)), "%.*s",
		STR_ARG(r.body));
}

static struct str member(struct reply r, const char *pointer)
{
	return json_text(json_at(r.json, str_of(pointer)));
}

#define is(got, want) \
	do { \
		struct str got_ = (got); \
		ck_assert_msg( \
			str_eqs(got_, want), "got \"%.*s\", want \"%s\"", STR_ARG(got_), want); \
	} while (0)

static struct str header_of(struct reply r, const char *name)
{
	for (const struct header *h = r.rq->response.headers; h->name.n; h++)
		if (str_ieqs(h->name, name))
			return h->value;
	return STR_NONE;
}

static char their_user[24], their_token[24];	/* public ids, of tenant 2 */

static void token_for(uint32_t tenant, enum role role, bool platform, uint32_t scopes, char out[64])
{
	static unsigned n;
	struct token token;
	struct user user;
	struct str text;

	if (!user_add(db, a, tenant, arena_printf(a, "user %u", ++n), STR_NONE, STR_NONE, role,
			platform, now, &user, &e) ||
		!token_add(db, a, user.id, STR("test"), scopes, 0, now, &token, &text, &e))
		die("%s", e.text); /* also called before any test runs, where Check cannot fail */
	snprintf(out, 64, "%.*s", STR_ARG(text));
	if (tenant == 2) {
		snprintf(their_user, sizeof(their_user), "%.*s", STR_ARG(user.public_id));
		snprintf(their_token, sizeof(their_token), "%.*s", STR_ARG(token.public_id));
	}
}

/* ---- who may do what: every row of the route table, also those to come ---- */

/* What is open is said here once more, so that a forgotten need is seen. */
static bool may_be_open(const char *pattern)
{
	static const char *const open[] = { "/api/openapi.json", "/healthz", "/readyz" };

	for (size_t i = 0; i < ARRAY_SIZE(open); i++)
		if (!strcmp(pattern, open[i]))
			return true;
	return false;
}

START_TEST(test_needs_of_every_route_make_sense)
{
	for (const struct route *r = api_routes; r->method; r++) {
		bool reads = !strcmp(r->method, "GET");

		if (r->needs == NEED_SCRAPER || r->needs == NEED_CRON)
			continue;
		ck_assert_msg((r->needs == NEED_NOTHING) == may_be_open(r->pattern), "%s %s", r->method, r->pattern);
		if (r->needs == NEED_NOTHING)
			continue;
		ck_assert_msg(NEED_ROLE(r->needs) != ROLE_NONE && NEED_SCOPES(r->needs), "%s %s", r->method, r->pattern);
		/* a token that only reads changes nothing */
		ck_assert_msg(reads || !(NEED_SCOPES(r->needs) & SCOPE_READ), "%s %s", r->method, r->pattern);
	}
}
END_TEST

/* "/api/events/:id" with that in place of ":id". */
static const char *with_thing(const char *pattern, struct str thing)
{
	struct str rest = str_of(pattern);
	struct strbuf b;

	strbuf_init(&b, a, 4096);
	while (rest.n) {
		struct str word = str_until(&rest, '/');

		strbuf_addstr(&b, str_starts(word, ":") ? thing : word);
		if (rest.n)
			strbuf_addc(&b, '/');
	}
	return arena_cstr(a, strbuf_str(&b));
}

/* Things that do not exist, so that what is allowed changes nothing: 404, or 400 for the empty form. */
static const char *path_of(const char *pattern)
{
	return with_thing(pattern, strstr(pattern, "/integrations/") ? STR("in_zzzzzzzzzzzzzzzzzzzz") : STR("7"));
}

#define SCOPES 6

static const char *token_of(enum role role, unsigned scope)
{
	static char tokens[ROLE_ADMIN + 1][SCOPES][64];

	if (!tokens[role][scope][0])
		token_for(1, role, false, 1u << scope, tokens[role][scope]);
	return tokens[role][scope];
}

START_TEST(test_each_role_and_scope_may_do_what_its_row_says)
{
	const struct route *r = &api_routes[_i];
	const char *path = path_of(r->pattern);
	uint32_t scopes = NEED_SCOPES(r->needs) | SCOPE_ADMIN;

	if (r->needs == NEED_NOTHING || r->needs == NEED_SCRAPER || r->needs == NEED_CRON)
		return;
	now += 2 * MS_PER_MINUTE;	/* full buckets */
	expect_error(401, "unauthorized", NULL, ask(NULL, r->method, path, "{}"));
	expect_error(401, "unauthorized", NULL, ask("gt_unknown", r->method, path, "{}"));
	for (enum role role = ROLE_VIEWER; role <= ROLE_ADMIN; role++)
		for (unsigned s = 0; s < SCOPES; s++) {
			bool may = role >= NEED_ROLE(r->needs) && scopes & 1u << s && !(r->needs & NEED_PLATFORM);
			struct reply got = ask(token_of(role, s), r->method, path, "{}");

			if (!may)
				expect_error(403, "forbidden", NULL, got);
			else
				ck_assert_msg(got.status != 401 && got.status != 403 && got.status < 500, "%s %s as %s: %u", r->method,
					path, role_word(role), got.status);
		}
	if (r->needs & NEED_PLATFORM)
		ck_assert_uint_ne(ask(root, r->method, path, "{}").status, 403);
}
END_TEST

/* Of tenant 2, by the subject of the pattern. */
static struct str their_thing(const char *pattern)
{
	static const struct {
		const char *subject, *thing;
	} things[] = {
		{ "/integrations/", THEIRS }, { "/services/", "sv_other" }, { "/channels/", "ch_00000000000000000009" }, { "/endpoints/", "ep_00000000000000000009" }, { "/escalation-policies/", "po_00000000000000000009" }, { "/rules/", "ar_00000000000000000009" }, { "/users/", their_user }, { "/tokens/", their_token },
		{ "/schedules/", "sc_00000000000000000009" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(things); i++)
		if (strstr(pattern, things[i].subject))
			return str_of(things[i].thing);
	return arena_printf(a, "%llu", (unsigned long long)ID_OF(100));
}

/* Nothing there; or the empty form is refused before anything is looked for. */
static void is_not_there(const struct route *r, struct str thing)
{
	const char *path = with_thing(r->pattern, thing);
	struct reply got = ask(admin, r->method, path, "{}");

	ck_assert_msg(got.status == 404 || (got.status == 400 && strcmp(r->method, "GET") != 0), "%s %s: %u: %.*s", r->method, path,
		got.status, STR_ARG(got.body));
}

START_TEST(test_what_another_tenant_has_or_nobody_is_not_there)
{
	static const char *const nonsense[] = { "0", "-1", "99999999999999999999999", "in_", "in_0000000000000000000",
		"us_%00", "..", "%2e%2e", "%3Cscript%3E", "%ff", "' OR 1=1 --", "\xff", ":id" };
	const struct route *r = &api_routes[_i];

	if (!strchr(r->pattern, ':') || strstr(r->pattern, "/jobs/"))	/* a job belongs to nobody */
		return;
	is_not_there(r, their_thing(r->pattern));
	for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++)
		is_not_there(r, str_of(nonsense[i]));
	is_not_there(r, arena_printf(a, "%03000d", 7));
}
END_TEST

/* Something of the kind that the pattern is about. */
static struct str our_thing(const char *pattern)
{
	if (strstr(pattern, "/endpoints/"))
		return member(expect(201, admin, "POST", "/api/endpoints", "{\"url\":\"https://192.0.43.8/hook\"}"), "/id");
	return strstr(pattern, "/channels/") ? STR("ch_00000000000000000001") : strstr(pattern, "/schedules/") ? STR("sc_00000000000000000001") : STR(GITHUB);
}

/* Every list says which parameter it does not know. */
START_TEST(test_lists_refuse_what_is_no_filter)
{
	const struct route *r = &api_routes[_i];
	const struct json *p = json_get(documented(r), "parameters");
	const char *path = with_thing(r->pattern, our_thing(r->pattern));
	bool any = false;

	if (!json_get(documented(r), "x-role"))
		return;
	for (p = p ? p->first : NULL; p; p = p->next) {
		const char *name = arena_cstr(a, json_text(json_get(p, "name")));

		if (!str_eqs(json_text(json_get(p, "in")), "query"))
			continue;
		any = true;
		expect_error(400, "invalid_request", name, ask(admin, r->method, arena_printf(a, "%s?%s=%%ff%%00", path, name).p, NULL));
		expect(json_get(p, "required") ? 400 : 200, admin, r->method, arena_printf(a, "%s?%s=", path, name).p, NULL);
		if (!strcmp(name, "cursor"))
			expect_error(400, "invalid_request", name,
				ask(admin, r->method, arena_printf(a, "%s?cursor=others-7", path).p, NULL));
	}
	if (any)
		expect_error(400, "invalid_request", "nonsense", ask(admin, r->method, arena_printf(a, "%s?nonsense=1", path).p, NULL));
}
END_TEST

/* And that a window ends before it begins. */
START_TEST(test_windows_that_end_before_they_begin)
{
	const struct route *r = &api_routes[_i];
	const char *path = with_thing(r->pattern, STR(GITHUB));
	const struct json *p = json_get(documented(r), "parameters");

	for (p = p ? p->first : NULL; p; p = p->next)
		if (str_eqs(json_text(json_get(p, "name")), "from"))
			expect_error(400, "invalid_request", "from",
				ask(admin, "GET", arena_printf(a, "%s?from=2025-10-10&to=2025-10-09", path).p, NULL));
}
END_TEST

START_TEST(test_a_platform_admin_is_admin_of_every_tenant)
{
	expect(200, root, "GET", "/api/integrations/" THEIRS "?tenant=other", NULL);
	expect(404, root, "GET", "/api/integrations/" THEIRS, NULL);
	is(member(expect(200, root, "GET", "/api/events?tenant=other&limit=1", NULL),
			"/events/0/sourceId"),
		THEIRS);
	expect(200, root, "GET", "/api/events?tenant=all&provider=github", NULL);
	expect_error(400, "invalid_request", "tenant",
		ask(root, "GET", "/api/events?tenant=nobody", NULL));
	expect_error(400, "invalid_request", "tenant",
		ask(root, "GET", "/api/integrations?tenant=all", NULL));
	expect_error(403, "forbidden", "tenant", ask(admin, "GET", "/api/events?tenant=other",
		NULL));
	expect_error(403, "forbidden", "tenant", ask(admin, "GET", "/api/events?tenant=all", NULL));
}
END_TEST

START_TEST(test_another_tenants_things_do_not_exist)
{
	const char *event = arena_printf(a, "/api/events/%llu", (unsigned long long)ID_OF(8)).p;
	const char *incident = arena_printf(a, "/api/incidents/%llu", (unsigned long long)ID_OF(8)).p;
	const char *request = arena_printf(a, "/api/requests/%llu", (unsigned long long)ID_OF(8)).p;

	expect(200, admin, "GET", event, NULL);
	expect(200, admin, "GET", incident, NULL);
	expect_error(404, "not_found", NULL, ask(theirs, "GET", event, NULL));
	expect_error(404, "not_found", NULL, ask(theirs, "GET", incident, NULL));
	expect(200, admin, "GET", request, NULL);
	expect_error(404, "not_found", NULL, ask(theirs, "GET", request, NULL));
	expect_error(404, "not_found", NULL,
		ask(theirs, "POST", arena_printf(a, "%s/resolve", incident).p, NULL));
	expect_error(404, "not_found", NULL, ask(theirs, "GET", "/api/integrations/" GITHUB, NULL));
	expect_error(404, "not_found", NULL,
		ask(theirs, "PATCH", "/api/integrations/" GITHUB, "{\"name\":\"mine\"}"));
	expect_error(404, "not_found", NULL, ask(theirs, "DELETE", "/api/integrations/" GITHUB,
		NULL));
	expect_error(404, "not_found", NULL,
		ask(theirs, "GET", "/api/integrations/" GITHUB "/deliveries", NULL));
	expect(404, theirs, "GET", "/integrations/" GITHUB "/deliveries", NULL);
}
END_TEST

/* ---- the rate limit ---- */

START_TEST(test_a_token_has_600_requests_a_minute)
{
	struct reply r;
	char token[64];

	token_for(1, ROLE_VIEWER, false, SCOPE_READ, token);
	r = expect(200, token, "GET", "/api/incidents?limit=1", NULL);
	is(header_of(r, "X-RateLimit-Limit"), "600");
	is(header_of(r, "X-RateLimit-Remaining"), "599");
	ck_assert(header_of(r, "X-RateLimit-Reset").n == 10);
	for (unsigned i = 1; i < 600; i++)
		expect(404, token, "GET", "/api/incidents/1", NULL);
	r = ask(token, "GET", "/api/incidents/1", NULL);
	expect_error(429, "rate_limited", NULL, r);
	is(header_of(r, "Retry-After"), "1");
	is(header_of(r, "X-RateLimit-Remaining"), "0");
	expect(200, admin, "GET", "/api/incidents?limit=1", NULL);
	r = expect(200, token, "GET", "/api/stats", NULL);	/* what costs much has a bucket of its own */
	is(header_of(r, "X-RateLimit-Limit"), "60");
	is(header_of(expect(400, admin, "POST", "/api/admin/webhooks/monitor", "{}"), "X-RateLimit-Limit"), "60");
	now += MS_PER_MINUTE;
	expect(404, token, "GET", "/api/incidents/1", NULL);
}
END_TEST

START_TEST(test_strangers_have_a_limit_for_each_address)
{
	for (unsigned i = 0; i < 600; i++)
		expect(i % 2 ? 401 : 404, NULL, "GET", i % 2 ? "/api/events" : "/api/nothing",
			NULL);
	expect_error(429, "rate_limited", NULL, ask("gt_guess", "GET", "/api/events", NULL));
	expect_error(429, "rate_limited", NULL, ask(NULL, "GET", "/api/nothing", NULL));
	now += MS_PER_MINUTE;
	expect(401, NULL, "GET", "/api/events", NULL);
}
END_TEST

START_TEST(test_the_rate_limit_can_be_switched_off)
{
	struct reply r;

	conf.ingest.rate_limit = false;
	for (unsigned i = 0; i < 700; i++)
		r = expect(401, NULL, "GET", "/api/events", NULL);
	ck_assert_uint_eq(header_of(r, "X-RateLimit-Limit").n, 0);
	conf.ingest.rate_limit = true;
}
END_TEST

/* ---- paths and bodies ---- */

START_TEST(test_unknown_paths_and_methods)
{
	expect_error(404, "not_found", NULL, ask(admin, "GET", "/api/nothing", NULL));
	expect_error(404, "not_found", NULL, ask(admin, "GET", "/", NULL));
	expect_error(404, "not_found", NULL, ask(admin, "GET", "/api/events/", NULL));
	expect_error(404, "not_found", NULL, ask(admin, "GET", "/api/events/0", NULL));
	expect_error(404, "not_found", NULL, ask(admin, "GET", "/api/events/x", NULL));
	expect_error(404, "not_found", NULL,
		ask(admin, "GET", "/api/events/99999999999999999999", NULL));
	expect_error(404, "not_found", NULL,
		ask(admin, "GET", "/api/events/18446744073709551615", NULL));
	expect_error(404, "not_found", NULL, ask(admin, "GET", "/api/integrations/1", NULL));
	expect_error(405, "method_not_allowed", NULL, ask(admin, "DELETE", "/api/events", NULL));
	is(header_of(ask(admin, "PUT", "/api/integrations", NULL), "Allow"), "GET, POST");
	expect(200, admin, "HEAD", "/api/events", NULL);
}
END_TEST

START_TEST(test_bodies_that_are_no_form)
{
	static const struct {
		const char *type, *body, *code;
		unsigned status;
	} rows[] = {
		{ "application/json", "", "invalid_payload", 400 },
		{ "application/json", "{", "invalid_payload", 400 },
		{ "application/json", "[]", "invalid_payload", 400 },
		{ "application/json", "null", "invalid_payload", 400 },
		{ "application/json", "{} {}", "invalid_payload", 400 },
		{ "application/json", "{\"name\":\"\xff\"}", "invalid_payload", 400 },
		{ "text/plain", "name", "unsupported_media_type", 415 },
		{ "text/plain", " {}", "invalid_request", 400 }, /* it looks like JSON: curl -d */
		{ "application/x-www-form-urlencoded", "name=x", "unsupported_media_type", 415 },
		{ "application/merge-patch+json", "{}", "invalid_request", 400 },
		{ "", "{}", "invalid_request", 400 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct request *rq = request_new(admin, "POST", "/api/integrations", rows[i].body);

		rq->content_type = str_of(rows[i].type);
		expect_error(rows[i].status, rows[i].code,
			rows[i].status == 400 && strcmp(rows[i].code, "invalid_payload") ? "name"
												: NULL,
			send_request(rq));
	}
}
END_TEST

#define GZIP_COLOR "H4sIAAAAAAACA6tWSs7PyS9SsjKsBQCxnYFsCwAAAA=="
#define GZIP_BLANKS \
	"H4sIAAAAAAACA+3BAQ0AAADCoCrvn9IeDigAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAPgx3yofVOCTBAA="

/* The gzip of {"color":1}, and of 300,000 blanks: made by `printf | gzip -9n | base64 -w0`. */
static const struct {
	const char *coding, *base64, *code;
	unsigned status;
} codings[] = {
	{ "gzip", GZIP_COLOR, "invalid_request", 400 },
	{ "gzip", GZIP_BLANKS, "body_too_large", 413 },
	{ "gzip", "e30=", "invalid_payload", 400 },
	{ "br", "e30=", "unsupported_media_type", 415 },
	{ "identity", "e30=", "invalid_request", 400 },
};

START_TEST(test_content_codings)
{
	struct request *rq = request_new(admin, "POST", "/api/integrations", "");
	struct reply r;

	rq->headers = (struct header[]){ rq->headers[0],
		{ STR("content-encoding"), str_of(codings[_i].coding) } };
	rq->header_n = 2;
	ck_assert(base64_decode(a, str_of(codings[_i].base64), false, &rq->body));
	r = send_request(rq);
	ck_assert_uint_eq(r.status, codings[_i].status);
	is(member(r, "/error"), codings[_i].code);
}
END_TEST

START_TEST(test_bodies_too_large_or_short)
{
	struct request *rq = request_new(admin, "POST", "/api/integrations", "");

	rq->body_too_large = true;
	expect_error(413, "body_too_large", NULL, send_request(rq));
	rq = request_new(admin, "POST", "/api/integrations", "{}");
	rq->body_short = true;
	expect_error(400, "invalid_request", NULL, send_request(rq));
	rq = request_new(NULL, "POST", "/api/integrations", ""); /* strangers learn no sizes */
	rq->body_too_large = true;
	expect_error(401, "unauthorized", NULL, send_request(rq));
}
END_TEST

/* ---- integrations ---- */

START_TEST(test_an_integration_from_birth_to_end)
{
	struct reply r = expect(201, admin, "POST", "/api/integrations",
		"{\"name\":\"CI\",\"type\":\"github\",\"serviceId\":\"sv_shop\",\"signatureSecret\":\"s3cret\",\"rateLimitPerMinute\":0,"
		"\"allowedIps\":[\"192.0.2.0/24\",\"::1\"],\"actions\":[\"incident\",\"record\"],\"requireKey\":true,\"routeByService\":true}");
	struct str id = member(r, "/id");
	const char *path = arena_printf(a, "/api/integrations/%.*s", STR_ARG(id)).p;

	ck_assert(public_id_is(id, "in"));
	is(header_of(r, "Location"), path);
	ck_assert_uint_eq(member(r, "/key").n, 32);
	is(member(r, "/signatureSecret"), "s3cret");
	is(member(r, "/webhookUrl"),
		arena_printf(a, "https://hooks.example.org/api/integrations/github/%.*s",
			STR_ARG(id)).p);
	r = expect(200, admin, "GET", path, NULL);
	ck_assert_ptr_null(json_get(r.json, "key"));
	ck_assert_ptr_null(json_get(r.json, "signatureSecret"));
	is(member(r, "/serviceId"), "sv_shop");
	is(member(r, "/rateLimitPerMinute"), "0");
	is(member(r, "/allowedIps/1"), "::1");
	is(member(r, "/actions/1"), "record");
	is(member(r, "/hasSecret"), "true");
	is(member(r, "/requireKey"), "true");
	is(member(r, "/isDefault"), "false");
	ck_assert_uint_eq(json_get(r.json, "actions")->count, 2);

	r = expect(200, admin, "PATCH", path,
		"{\"name\":\"CI "
		"2\",\"rateLimitPerMinute\":null,\"allowedIps\":null,\"actions\":\"record\"}");
	is(member(r, "/name"), "CI 2");
	is(member(r, "/rateLimitPerMinute"), "100");
	ck_assert(json_is(json_get(r.json, "allowedIps"), JSON_NULL));
	is(member(r, "/serviceId"), "sv_shop");
	is(member(r, "/hasSecret"), "true");
	is(member(r, "/routeByService"), "true");
	is(member(expect(200, admin, "PATCH", path,
				"{\"signatureSecret\":null,\"serviceId\":null}"),
			"/hasSecret"),
		"false");
	r = expect(200, admin, "PATCH", path, "{\"generateSecret\":true}");
	ck_assert(str_starts(member(r, "/signatureSecret"), "whsec_"));
	is(member(r, "/serviceId"), "sv_00000000000000000000");
	ck_assert_uint_eq(expect(204, admin, "DELETE", path, NULL).body.n, 0);
	expect(404, admin, "GET", path, NULL);
	expect(404, admin, "DELETE", path, NULL);
	expect(404, admin, "PATCH", path, "{\"name\":\"again\"}");
}
END_TEST

/* ---- schedules ---- */

#define OVERRIDE "{\"user\":\"ann\",\"from\":\"2026-01-02T00:00:00Z\",\"to\":\"2026-01-03T00:00:00Z\"}"

static struct str layers_of(struct reply r)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, 65536);
	json_out_init(&o, &b);
	json_tree(&o, json_get(r.json, "layers"));
	return strbuf_str(&b);
}

START_TEST(test_a_schedule_from_birth_to_end)
{
	struct reply r = expect(201, admin, "POST", "/api/schedules",
		"{\"name\":\"Night\",\"timeZone\":\"Europe/Berlin\",\"layers\":[{\"rotation\":\"weekly\",\"weekday\":\"friday\",\"handOver\":\"09:30\","
		"\"startDate\":\"2025-01-03\",\"users\":[\"ann\",\"us_seven\"]},{\"name\":\"Days\",\"days\":[\"monday\",\"tuesday\"],\"from\":\"08:00\","
		"\"to\":\"18:00\"}]}");
	struct str id = member(r, "/id"), override;
	const char *path = arena_printf(a, "/api/schedules/%.*s", STR_ARG(id)).p, *overrides = arena_printf(a, "%s/overrides", path).p;

	ck_assert(public_id_is(id, "sc"));
	is(header_of(r, "Location"), path);
	is(member(r, "/onCall"), "ann");
	is(member(r, "/onCallId"), "us_seven");
	ck_assert(json_is(json_get(r.json, "onCallUntil"), JSON_NULL));
	is(member(r, "/layers/0/name"), "Layer 1");
	is(member(r, "/layers/0/handOver"), "09:30");
	is(member(r, "/layers/0/to"), "24:00");
	is(member(r, "/layers/1/days/1"), "tuesday");
	is(member(r, "/layers/1/rotation"), "daily");
	is(member(r, "/users/0/name"), "ann");
	ck_assert_ptr_null(json_at(r.json, STR("/users/1")));
	is(member(expect(200, admin, "GET", "/api/schedules?limit=1", NULL), "/schedules/0/name"), "Night");

	/* what is shown is taken as it is */
	r = expect(200, admin, "PATCH", path, arena_printf(a, "{\"layers\":%.*s}", STR_ARG(layers_of(r))).p);
	is(member(r, "/layers/1/to"), "18:00");
	is(member(r, "/onCall"), "ann");
	r = expect(200, admin, "PATCH", path, "{\"layers\":[{\"handOver\":\"23:59\",\"users\":[\"ann\"]}]}");
	is(member(r, "/onCall"), "ann");	/* at once, whatever the hour */
	r = expect(200, admin, "PATCH", path,
		"{\"name\":\"Nights\",\"layers\":[{\"name\":\"x\",\"rotation\":\"hours\",\"length\":12,\"weekday\":null,\"startDate\":\"\",\"users\":[]}]}");
	is(member(r, "/layers/0/rotation"), "hours");
	is(member(r, "/layers/0/length"), "12");
	ck_assert(json_is(json_get(r.json, "onCall"), JSON_NULL));

	r = expect(201, admin, "POST", overrides, OVERRIDE);
	is(member(r, "/user"), "ann");
	override = member(r, "/id");
	r = expect(200, admin, "GET", arena_printf(a, "%s/calendar?from=2026-01-01T00:00:00Z&to=2026-01-04T00:00:00Z", path).p, NULL);
	is(member(r, "/timeZone"), "Europe/Berlin");
	is(member(r, "/spans/0/to"), "2026-01-02T00:00:00.000Z");
	ck_assert(json_is(json_at(r.json, STR("/spans/0/user")), JSON_NULL));
	is(member(r, "/spans/1/user"), "ann");
	is(member(r, "/spans/1/overrideId"), arena_cstr(a, override));
	is(member(r, "/spans/2/to"), "2026-01-04T00:00:00.000Z");
	ck_assert_ptr_null(json_at(r.json, STR("/spans/3")));
	is(member(expect(200, admin, "GET", path, NULL), "/overrides/0/userId"), "us_seven");
	expect(204, admin, "DELETE", arena_printf(a, "%s/%.*s", overrides, STR_ARG(override)).p, NULL);
	expect(404, admin, "DELETE", arena_printf(a, "%s/%.*s", overrides, STR_ARG(override)).p, NULL);

	expect(404, theirs, "GET", path, NULL);
	expect(404, theirs, "PATCH", path, "{\"name\":\"x\"}");
	expect(404, theirs, "GET", arena_printf(a, "%s/calendar", path).p, NULL);
	expect_error(400, "invalid_request", "user", ask(theirs, "POST", overrides, OVERRIDE));
	expect(404, theirs, "DELETE", path, NULL);
	r = expect(200, admin, "GET", "/api/on-call", NULL);
	is(member(r, "/onCall/0/schedule"), "Nights");
	is(member(r, "/onCall/1/user"), "ann");
	is(member(r, "/onCall/1/layer"), "all");
	expect(204, admin, "DELETE", path, NULL);
	expect(404, admin, "GET", path, NULL);
	r = expect(200, admin, "GET", arena_printf(a, "/api/audit?object=%.*s", STR_ARG(id)).p, NULL);
	is(member(r, "/audit/0/action"), "schedule.delete");
	is(member(r, "/audit/1/action"), "schedule.override_delete");
	is(member(r, "/audit/5/action"), "schedule.update");
	is(member(r, "/audit/6/action"), "schedule.create");
}
END_TEST

START_TEST(test_wrong_schedules_name_the_field)
{
	static const struct { const char *field, *body; } rows[] = {
		{ "name", "{}" },
		{ "name", "{\"name\":\" x\"}" },
		{ "name", "{\"name\":\"ops\"}" },
		{ "timeZone", "{\"name\":\"x\",\"timeZone\":\"Nowhere/Town\"}" },
		{ "timeZone", "{\"name\":\"x\",\"timeZone\":\"../../../etc/passwd\"}" },
		{ "layers", "{\"name\":\"x\",\"layers\":{}}" },
		{ "layers", "{\"name\":\"x\",\"layers\":[1]}" },
		{ "layers", "{\"name\":\"x\",\"layers\":[{},{},{},{},{},{},{},{},{},{},{}]}" },
		{ "layers", "{\"name\":\"x\",\"layers\":[{\"colour\":1}]}" },
		{ "layers", "{\"name\":\"x\",\"layers\":[{\"users\":[\"ann\",\"nobody\"]}]}" },
		{ "layers", "{\"name\":\"x\",\"layers\":[{\"handOver\":\"24:00\"}]}" },
		{ "layers", "{\"name\":\"x\",\"layers\":[{\"handOver\":\"9:00\"}]}" },
		{ "layers", "{\"name\":\"x\",\"layers\":[{\"from\":\"08:60\"}]}" },
		{ "layers", "{\"name\":\"x\",\"layers\":[{\"startDate\":\"2026-02-29\"}]}" },
		{ "layers", "{\"name\":\"x\",\"layers\":[{\"rotation\":\"daily\",\"length\":2}]}" },
		{ "layers", "{\"name\":\"x\",\"layers\":[{\"rotation\":\"weekly\",\"length\":53}]}" },
		{ "layers", "{\"name\":\"x\",\"layers\":[{\"rotation\":\"daily,weekly\"}]}" },
		{ "layers", "{\"name\":\"x\",\"layers\":[{\"weekday\":\"monday,friday\"}]}" },
		{ "layers", "{\"name\":\"x\",\"layers\":[{\"days\":[]}]}" },
	};
	static const struct { const char *field, *body; } wrong_overrides[] = {
		{ "to", "{}" },
		{ "to", "{\"user\":\"ann\",\"to\":\"2020-01-01T00:00:00Z\"}" },
		{ "to", "{\"user\":\"ann\",\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2027-06-01T00:00:00Z\"}" },
		{ "from", "{\"user\":\"ann\",\"from\":\"2036-01-01T00:00:00Z\",\"to\":\"2036-01-02T00:00:00Z\"}" },
		{ "user", "{\"user\":\"nobody\",\"to\":\"2026-01-01T00:00:00Z\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool taken = strstr(rows[i].body, "\"ops\"") != NULL;

		expect_error(taken ? 409 : 400, taken ? "conflict" : "invalid_request", rows[i].field, ask(admin, "POST", "/api/schedules", rows[i].body));
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong_overrides); i++)
		expect_error(400, "invalid_request", wrong_overrides[i].field,
			ask(admin, "POST", "/api/schedules/sc_00000000000000000001/overrides", wrong_overrides[i].body));
	expect_error(400, "invalid_request", "to",
		ask(admin, "GET", "/api/schedules/sc_00000000000000000001/calendar?from=2026-01-01T00:00:00Z&to=2026-06-01T00:00:00Z", NULL));
}
END_TEST

/* ---- escalation policies ---- */

START_TEST(test_a_policy_from_birth_to_end)
{
	struct str pia = member(expect(201, admin, "POST", "/api/users", "{\"name\":\"pia\",\"role\":\"operator\"}"), "/id");
	struct reply r = expect(201, admin, "POST", "/api/escalation-policies", arena_printf(a,
		"{\"name\":\"Shop\",\"repeat\":2,\"steps\":[{\"delayMinutes\":5,\"targets\":[{\"type\":\"user\",\"id\":\"%.*s\"}]},"
		"{\"delayMinutes\":10,\"targets\":[{\"id\":\"ch_00000000000000000001\"},{\"id\":\"ch_00000000000000000001\"}]}]}", STR_ARG(pia)).p);
	struct str id = member(r, "/id");
	const char *path = arena_printf(a, "/api/escalation-policies/%.*s", STR_ARG(id)).p, *shop = "/api/services/sv_shop";

	ck_assert(public_id_is(id, "po"));
	is(header_of(r, "Location"), path);
	is(member(r, "/repeat"), "2");
	is(member(r, "/steps/0/targets/0/name"), "pia");
	is(member(r, "/steps/1/targets/0/type"), "channel");
	is(member(r, "/steps/1/targets/0/name"), "ops");
	ck_assert_uint_eq(json_at(r.json, STR("/steps/1/targets"))->count, 1);	/* each once */
	expect_error(409, "conflict", "name", ask(admin, "POST", "/api/escalation-policies",
		"{\"name\":\"Shop\",\"steps\":[{\"delayMinutes\":1,\"targets\":[{\"id\":\"ch_00000000000000000001\"}]}]}"));

	expect_error(400, "invalid_request", "policyId", ask(admin, "PATCH", shop, "{\"policyId\":\"po_00000000000000000009\"}"));
	expect_error(400, "invalid_request", "channelIds", ask(admin, "PATCH", shop, "{\"channelIds\":[\"ch_00000000000000000009\"]}"));
	r = expect(200, admin, "PATCH", shop, arena_printf(a, "{\"policyId\":\"%.*s\",\"channelIds\":[\"ch_00000000000000000001\"]}", STR_ARG(id)).p);
	is(member(r, "/policyId"), arena_cstr(a, id));
	is(member(r, "/channelIds/0"), "ch_00000000000000000001");
	is(member(expect(200, admin, "PATCH", shop, "{\"description\":\"sells\"}"), "/channelIds/0"), "ch_00000000000000000001");
	is(member(expect(200, admin, "GET", path, NULL), "/services/0/name"), "shop");
	is(member(expect(200, admin, "GET", "/api/escalation-policies?limit=1", NULL), "/policies/0/services/0/id"), "sv_shop");

	r = ask(admin, "DELETE", path, NULL);
	ck_assert_uint_eq(r.status, 409);
	ck_assert(str_has(member(r, "/message"), "It is used by shop."));
	r = expect(200, admin, "PATCH", shop, "{\"policyId\":null,\"channelIds\":[]}");
	ck_assert(json_is(json_get(r.json, "policyId"), JSON_NULL));
	ck_assert_uint_eq(json_get(r.json, "channelIds")->count, 0);
	r = expect(200, admin, "PATCH", path, "{\"name\":\"Days\",\"repeat\":0}");
	is(member(r, "/name"), "Days");
	is(member(r, "/steps/1/delayMinutes"), "10");
	expect(404, theirs, "GET", path, NULL);
	expect(404, theirs, "DELETE", path, NULL);
	expect(204, admin, "DELETE", path, NULL);
	expect(404, admin, "GET", path, NULL);
	r = expect(200, admin, "GET", arena_printf(a, "/api/audit?object=%.*s", STR_ARG(id)).p, NULL);
	is(member(r, "/audit/0/action"), "policy.delete");
	is(member(r, "/audit/2/action"), "policy.create");
}
END_TEST

START_TEST(test_wrong_policies_name_the_step)
{
#define TARGET "{\"id\":\"ch_00000000000000000001\"}"
	static const struct {
		const char *steps, *says;
	} rows[] = {
		{ "[]", NULL },
		{ "{}", NULL },
		{ "[1]", NULL },
		{ "[{\"delayMinutes\":5,\"targets\":[]}]", "Step 1: it has 1 to 10 targets." },
		{ "[{\"delayMinutes\":5}]", "Step 1: it has 1 to 10 targets." },
		{ "[{\"targets\":[" TARGET "]}]", "Step 1: delayMinutes is 1 to 1440." },
		{ "[{\"delayMinutes\":0,\"targets\":[" TARGET "]}]", "delayMinutes" },
		{ "[{\"delayMinutes\":1441,\"targets\":[" TARGET "]}]", "delayMinutes" },
		{ "[{\"delayMinutes\":\"5\",\"targets\":[" TARGET "]}]", "delayMinutes" },
		{ "[{\"delayMinutes\":1.5,\"targets\":[" TARGET "]}]", "delayMinutes" },
		{ "[{\"delayMinutes\":5,\"targets\":[" TARGET "]},{\"delayMinutes\":5,\"targets\":[7]}]", "Step 2: a target is an object" },
		{ "[{\"delayMinutes\":5,\"targets\":[{\"id\":\"in_00000000000000000001\"}]}]", "us_, sc_ or ch_" },
		{ "[{\"delayMinutes\":5,\"targets\":[{\"id\":\"ch_00000000000000000009\"}]}]", "there is no channel ch_00000000000000000009." },
		{ "[{\"delayMinutes\":5,\"targets\":[{\"id\":\"us_00000000000000009999\"}]}]", "there is no user" },
		{ "[{\"delayMinutes\":5,\"targets\":[{\"type\":\"user\",\"id\":\"ch_00000000000000000001\"}]}]", "do not fit" },
		{ "[{\"delayMinutes\":5,\"targets\":[{\"who\":\"x\"}]}]", "nothing else" },
		{ "[{\"delayMinutes\":5,\"target\":1}]", "nothing else" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct reply r = ask(admin, "POST", "/api/escalation-policies", arena_printf(a, "{\"name\":\"n\",\"steps\":%s}", rows[i].steps).p);

		expect_error(400, "invalid_request", "steps", r);
		ck_assert_msg(!rows[i].says || str_has(member(r, "/message"), rows[i].says), "%s: %.*s", rows[i].steps, STR_ARG(r.body));
	}
	expect_error(400, "invalid_request", "repeat", ask(admin, "POST", "/api/escalation-policies", "{\"name\":\"n\",\"repeat\":11,\"steps\":[]}"));
	expect_error(400, "invalid_request", "steps", ask(admin, "POST", "/api/escalation-policies", "{\"name\":\"n\"}"));
}
END_TEST

/* ---- alert rules ---- */

START_TEST(test_an_alert_rule_from_birth_to_end)
{
	struct reply r = expect(201, admin, "POST", "/api/alerts/rules",
		"{\"name\":\"code is quiet\",\"metric\":\"event_count\",\"filter\":{\"source\":\"" GITHUB "\",\"provider\":\"github\"},\"comparison\":\"<\","
		"\"threshold\":0.5,\"windowMinutes\":44640}");
	struct str id = member(r, "/id");
	const char *path = arena_printf(a, "/api/alerts/rules/%.*s", STR_ARG(id)).p;
	char other[64];

	ck_assert(public_id_is(id, "ar"));
	is(header_of(r, "Location"), path);
	is(member(r, "/status"), "untried");
	is(member(r, "/filter/source"), GITHUB);
	is(member(r, "/threshold"), "0.5");
	ck_assert(json_is(json_get(r.json, "value"), JSON_NULL) && json_is(json_get(r.json, "since"), JSON_NULL));
	is(member(expect(200, admin, "GET", path, NULL), "/name"), "code is quiet");
	r = expect(200, admin, "GET", "/api/alerts/rules", NULL);
	ck_assert_uint_eq(json_get(r.json, "rules")->count, 1);

	/* Nobody else has it, whatever his role. */
	token_for(1, ROLE_ADMIN, false, SCOPE_ALL, other);
	expect(404, other, "GET", path, NULL);
	expect(404, other, "PATCH", path, "{\"name\":\"x\"}");
	expect(404, other, "DELETE", path, NULL);
	expect(404, theirs, "GET", path, NULL);
	ck_assert_uint_eq(json_get(expect(200, other, "GET", "/api/alerts/rules", NULL).json, "rules")->count, 0);

	r = expect(200, admin, "PATCH", path, "{\"name\":\"n\",\"filter\":{\"service\":\"shop\"},\"threshold\":-1,\"comparison\":\">=\"}");
	is(member(r, "/filter/service"), "sv_shop");
	ck_assert(!json_get(json_get(r.json, "filter"), "source"));
	is(member(r, "/windowMinutes"), "44640");
	r = expect(200, admin, "PATCH", path, "{\"filter\":null}");
	ck_assert_uint_eq(json_get(r.json, "filter")->count, 0);
	r = expect(200, admin, "PATCH", path, "{}");
	is(member(r, "/name"), "n");
	is(member(expect(200, admin, "PATCH", path, "{\"enabled\":false}"), "/status"), "disabled");
	ck_assert_uint_eq(json_get(expect(200, admin, "GET", "/api/alerts/triggered", NULL).json, "results")->count, 0);
	expect(200, admin, "PATCH", path, "{\"enabled\":true}");

	r = expect(200, admin, "GET", "/api/alerts/triggered", NULL);
	is(r.body, arena_printf(a, "{\"results\":[{\"rule_id\":\"%.*s\",\"name\":\"n\",\"triggered\":true,\"value\":0,\"threshold\":-1}],"
		"\"summary\":{\"evaluated\":1,\"triggered_count\":1}}", STR_ARG(id)).p);
	is(expect(200, admin, "GET", "/alerts/triggered", NULL).body, arena_cstr(a, r.body));
	expect(200, admin, "PATCH", path, "{\"metric\":\"open_incidents\",\"filter\":{\"provider\":\"stripe\"},\"threshold\":0.0001}");
	r = expect(200, admin, "GET", "/api/alerts/triggered", NULL);
	is(member(r, "/results/0/triggered"), "false");
	is(member(r, "/summary/triggered_count"), "0");
	is(member(expect(200, admin, "GET", path, NULL), "/status"), "untried");	/* the job's alone */

	expect(204, admin, "DELETE", path, NULL);
	expect(404, admin, "GET", path, NULL);
	expect(404, admin, "DELETE", path, NULL);
	expect(404, admin, "PATCH", path, "{\"name\":\"again\"}");
	r = expect(200, admin, "GET", arena_printf(a, "/api/audit?object=%.*s", STR_ARG(id)).p, NULL);
	is(member(r, "/audit/0/action"), "alert_rule.delete");
}
END_TEST

START_TEST(test_wrong_alert_rules_name_the_field)
{
#define RULE(more) "{\"name\":\"r\",\"metric\":\"event_count\",\"comparison\":\">\",\"threshold\":1" more "}"
	static const struct {
		const char *body, *field;
	} rows[] = {
		{ "{}", "name" }, { RULE(",\"name\":\"\""), "name" }, { RULE(",\"name\":\" x\""), "name" }, { RULE(",\"name\":7"), "name" },
		{ "{\"name\":\"r\",\"comparison\":\">\",\"threshold\":1}", "metric" }, { RULE(",\"metric\":\"cpu\""), "metric" },
		{ RULE(",\"metric\":\"event_count,success_rate\""), "metric" }, { RULE(",\"metric\":null"), "metric" },
		{ RULE(",\"comparison\":\"=\""), "comparison" }, { RULE(",\"comparison\":\"!=\""), "comparison" },
		{ RULE(",\"comparison\":[\">\",\"<\"]"), "comparison" }, { "{\"name\":\"r\",\"metric\":\"event_count\",\"threshold\":1}", "comparison" },
		{ RULE(",\"threshold\":\"1\""), "threshold" }, { RULE(",\"threshold\":1e999"), "threshold" },
		{ RULE(",\"threshold\":1000000000001"), "threshold" }, { RULE(",\"threshold\":null"), "threshold" },
		{ "{\"name\":\"r\",\"metric\":\"event_count\",\"comparison\":\">\"}", "threshold" },
		{ RULE(",\"windowMinutes\":0"), "windowMinutes" }, { RULE(",\"windowMinutes\":44641"), "windowMinutes" },
		{ RULE(",\"windowMinutes\":1.5"), "windowMinutes" }, { RULE(",\"windowMinutes\":-5"), "windowMinutes" },
		{ RULE(",\"filter\":[]"), "filter" }, { RULE(",\"filter\":\"stripe\""), "filter" },
		{ RULE(",\"filter\":{\"type\":\"push\"}"), "type" }, { RULE(",\"filter\":{\"provider\":\"nobody\"}"), "provider" },
		{ RULE(",\"filter\":{\"source\":\"in_00000000000000000077\"}"), "source" },
		{ RULE(",\"filter\":{\"source\":\"" THEIRS "\"}"), "source" }, { RULE(",\"filter\":{\"service\":\"sv_other\"}"), "service" },
		{ RULE(",\"filter\":{\"service\":\"no such service\"}"), "service" }, { RULE(",\"severity\":1"), "severity" },
		{ RULE(",\"enabled\":1"), "enabled" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_error(400, "invalid_request", rows[i].field, ask(admin, "POST", "/api/alerts/rules", rows[i].body));
	expect_error(400, "invalid_request", "name", ask(admin, "POST", "/api/alerts/rules",
		arena_printf(a, RULE(",\"name\":\"%0101d\""), 7).p));
	ck_assert_uint_eq(json_get(expect(200, admin, "GET", "/api/alerts/rules", NULL).json, "rules")->count, 0);
}
END_TEST

/* ---- channels ---- */

START_TEST(test_a_channel_from_birth_to_end)
{
	struct reply r = expect(201, admin, "POST", "/api/channels",
		"{\"name\":\"our app\",\"kind\":\"webhook\",\"url\":\"https://192.0.43.8/hook\",\"minSeverity\":\"high\"}");
	struct str id = member(r, "/id"), made = member(r, "/secret");
	const char *path = arena_printf(a, "/api/channels/%.*s", STR_ARG(id)).p;

	ck_assert(public_id_is(id, "ch") && str_starts(made, "whsec_"));
	is(header_of(r, "Location"), path);
	r = expect(200, admin, "GET", path, NULL);
	ck_assert_ptr_null(json_get(r.json, "secret"));
	is(member(r, "/hasSecret"), "true");
	is(member(r, "/status"), "untried");
	is(member(r, "/events/0"), "incident.*");
	is(member(r, "/events/1"), "monitor.*");
	is(member(r, "/minSeverity"), "HIGH");
	is(member(r, "/url"), "https://192.0.43.8/hook");
	is(member(expect(200, admin, "GET", "/api/channels?limit=1", NULL), "/channels/0/name"), "our app");

	r = expect(200, admin, "PATCH", path, "{\"name\":\"app\",\"enabled\":false,\"minSeverity\":null}");
	ck_assert_ptr_null(json_get(r.json, "secret"));
	is(member(r, "/status"), "disabled");
	is(member(r, "/minSeverity"), "INFO");
	r = expect(200, admin, "PATCH", path, "{\"secret\":null}");
	ck_assert(str_starts(member(r, "/secret"), "whsec_") && !str_eq(member(r, "/secret"), made));
	r = expect(200, admin, "PATCH", path, "{\"secret\":\"my own\",\"events\":[\"MONITOR.*\"]}");
	ck_assert_ptr_null(json_get(r.json, "secret"));
	expect_error(400, "invalid_request", "events", ask(admin, "PATCH", path, "{\"events\":[]}"));
	expect_error(400, "invalid_request", "kind", ask(admin, "PATCH", path, "{\"kind\":\"slack\"}"));
	expect(404, theirs, "GET", path, NULL);
	expect(404, theirs, "PATCH", path, "{\"name\":\"x\"}");
	expect(404, theirs, "POST", arena_printf(a, "%s/test", path).p, NULL);
	expect(404, theirs, "DELETE", path, NULL);

	/* Nobody sends here: the message waits. */
	r = expect(200, admin, "POST", arena_printf(a, "%s/test", path).p, NULL);
	is(member(r, "/success"), "false");
	is(member(r, "/delivery/status"), "waiting");
	is(member(r, "/delivery/title"), "Test of the channel app");
	ck_assert(json_is(json_get(r.json, "attempt"), JSON_NULL) && str_has(member(r, "/message"), "cron"));
	path = arena_printf(a, "%s/deliveries", path).p;
	is(member(expect(200, admin, "GET", path, NULL), "/deliveries/0/type"), "channel.test");
	r = expect(200, admin, "GET", arena_printf(a, "%s/%.*s", path, STR_ARG(member(r, "/delivery/id"))).p, NULL);
	ck_assert_uint_eq(json_get(r.json, "attemptLog")->count, 0);

	path = arena_printf(a, "/api/channels/%.*s", STR_ARG(id)).p;
	expect(204, admin, "DELETE", path, NULL);
	expect(404, admin, "GET", path, NULL);
	expect(404, admin, "DELETE", path, NULL);
	r = expect(200, admin, "GET", arena_printf(a, "/api/audit?object=%.*s", STR_ARG(id)).p, NULL);
	is(member(r, "/audit/0/action"), "channel.delete");
	is(member(r, "/audit/1/action"), "channel.test");
	is(member(r, "/audit/5/action"), "channel.create");
	ck_assert(!str_has(r.body, "whsec_") && !str_has(r.body, "my own"));
}
END_TEST

START_TEST(test_what_is_secret_of_a_channel_depends_on_its_kind)
{
	static const char hook[] = "https://192.0.43.8/services/T0/B0/xyz", key[] = "0123456789abcdef0123456789ABCDEF";
	struct reply r = expect(201, admin, "POST", "/api/channels", arena_printf(a, "{\"name\":\"s\",\"kind\":\"slack\",\"url\":\"%s\"}", hook).p);
	const char *path = arena_printf(a, "/api/channels/%.*s", STR_ARG(member(r, "/id"))).p;

	ck_assert(!str_has(r.body, "xyz") && json_is(json_get(r.json, "url"), JSON_NULL));
	is(member(r, "/hasSecret"), "true");
	expect_error(400, "invalid_request", "url", ask(admin, "PATCH", path, "{\"url\":null}"));
	is(member(expect(200, admin, "PATCH", path, "{\"name\":\"t\"}"), "/hasSecret"), "true");

	r = expect(201, admin, "POST", "/api/channels", arena_printf(a, "{\"name\":\"p\",\"kind\":\"pagerduty\",\"routingKey\":\"%s\"}", key).p);
	ck_assert(!str_has(r.body, key) && json_is(json_get(r.json, "to"), JSON_NULL));

	r = expect(201, admin, "POST", "/api/channels",
		"{\"name\":\"m\",\"kind\":\"email\",\"to\":[\"a@example.org\",\"b@example.org\"],\"url\":\"smtps://192.0.43.8\",\"user\":\"u\",\"password\":\"geheim\"}");
	ck_assert(!str_has(r.body, "geheim"));
	is(member(r, "/to/1"), "b@example.org");
	is(member(r, "/maxPerMinute"), "10");
	is(member(r, "/user"), "u");
	path = arena_printf(a, "/api/channels/%.*s", STR_ARG(member(r, "/id"))).p;
	expect_error(400, "invalid_request", "password", ask(admin, "PATCH", path, "{\"url\":\"smtps://192.0.43.9\"}"));	/* it would get our password */
	expect(200, admin, "PATCH", path, "{\"url\":\"smtps://192.0.43.9\",\"password\":\"its own\"}");
	is(member(expect(200, admin, "PATCH", path, "{\"password\":null}"), "/hasSecret"), "false");
	r = expect(200, admin, "PATCH", path, "{\"url\":null,\"user\":null,\"to\":[\"c@example.org\"]}");
	is(member(r, "/to/0"), "c@example.org");
	ck_assert(json_is(json_get(r.json, "url"), JSON_NULL));

	r = expect(201, admin, "POST", "/api/channels", "{\"name\":\"t\",\"kind\":\"sms\",\"to\":[\"+4930123456\",\"+4930123457\"],"
		"\"account\":\"AC0123456789abcdef0123456789abcdef\",\"token\":\"geheim\",\"from\":\"Us\"}");
	ck_assert(!str_has(r.body, "geheim"));
	is(member(r, "/account"), "AC0123456789abcdef0123456789abcdef");
	is(member(r, "/to/1"), "+4930123457");
	is(member(r, "/hasSecret"), "true");
	path = arena_printf(a, "/api/channels/%.*s", STR_ARG(member(r, "/id"))).p;
	is(member(expect(200, admin, "POST", arena_printf(a, "%s/test", path).p, NULL), "/delivery/recipient"), "+4930123456");
	is(member(expect(200, admin, "GET", arena_printf(a, "%s/deliveries", path).p, NULL), "/deliveries/0/recipient"), "+4930123457");

	r = expect(201, admin, "POST", "/api/channels",
		"{\"name\":\"g\",\"kind\":\"event_grid\",\"url\":\"https://192.0.43.8/api/events\",\"key\":\"geheim1 geheim2\",\"format\":\"cloudevents\"}");
	ck_assert(!str_has(r.body, "geheim"));
	is(member(r, "/format"), "cloudevents");
	path = arena_printf(a, "/api/channels/%.*s", STR_ARG(member(r, "/id"))).p;
	expect_error(400, "invalid_request", "key", ask(admin, "PATCH", path, "{\"key\":null}"));
	ck_assert(json_is(json_get(expect(200, admin, "PATCH", path, "{\"format\":null}").json, "format"), JSON_NULL));
}
END_TEST

START_TEST(test_wrong_channels_name_the_field)
{
	static const struct {
		const char *body, *field;
	} rows[] = {
		{ "{\"kind\":\"slack\",\"url\":\"https://192.0.43.8/\"}", "name" },
		{ "{\"name\":\"\",\"kind\":\"slack\",\"url\":\"https://192.0.43.8/\"}", "name" },
		{ "{\"name\":\"x\"}", "kind" },
		{ "{\"name\":\"x\",\"kind\":\"fax\"}", "kind" },
		{ "{\"name\":\"x\",\"kind\":\"slack\"}", "url" },
		{ "{\"name\":\"x\",\"kind\":\"slack\",\"url\":\"ftp://192.0.43.8/\"}", "url" },
		{ "{\"name\":\"x\",\"kind\":\"slack\",\"url\":\"https://127.0.0.1/\"}", "url" },
		{ "{\"name\":\"x\",\"kind\":\"slack\",\"url\":\"https://u:p@192.0.43.8/\"}", "url" },
		{ "{\"name\":\"x\",\"kind\":\"slack\",\"url\":\"https://192.0.43.8:22/\"}", "url" },
		{ "{\"name\":\"x\",\"kind\":\"webhook\",\"url\":\"http://0x7f.1/\"}", "url" },
		{ "{\"name\":\"x\",\"kind\":\"webhook\",\"url\":\"http://[::ffff:169.254.169.254]/\"}", "url" },
		{ "{\"name\":\"x\",\"kind\":\"webhook\",\"url\":\"https://192.0.43.8/\",\"to\":[\"a@example.org\"]}", "to" },
		{ "{\"name\":\"x\",\"kind\":\"webhook\",\"url\":\"https://192.0.43.8/\",\"routingKey\":\"x\"}", "routingKey" },
		{ "{\"name\":\"x\",\"kind\":\"pagerduty\"}", "routingKey" },
		{ "{\"name\":\"x\",\"kind\":\"pagerduty\",\"routingKey\":\"short\"}", "routingKey" },
		{ "{\"name\":\"x\",\"kind\":\"email\"}", "to" },
		{ "{\"name\":\"x\",\"kind\":\"email\",\"to\":[]}", "to" },
		{ "{\"name\":\"x\",\"kind\":\"email\",\"to\":\"a@example.org\"}", "to" },
		{ "{\"name\":\"x\",\"kind\":\"email\",\"to\":[\"a@example.org,b@example.org\"]}", "to" },
		{ "{\"name\":\"x\",\"kind\":\"email\",\"to\":[\"a@example.org\\r\\nBcc: b@example.org\"]}", "to" },
		{ "{\"name\":\"x\",\"kind\":\"email\",\"to\":[\"a@example.org\"],\"from\":\"nobody\"}", "from" },
		{ "{\"name\":\"x\",\"kind\":\"email\",\"to\":[\"a@example.org\"],\"url\":\"https://192.0.43.8/\"}", "url" },
		{ "{\"name\":\"x\",\"kind\":\"email\",\"to\":[\"a@example.org\"],\"url\":\"smtp://10.0.0.1/\"}", "url" },
		{ "{\"name\":\"x\",\"kind\":\"email\",\"to\":[\"a@example.org\"],\"user\":\"u\"}", "user" },
		{ "{\"name\":\"x\",\"kind\":\"email\",\"to\":[\"a@example.org\"],\"password\":\"p\"}", "password" },
		{ "{\"name\":\"x\",\"kind\":\"slack\",\"url\":\"https://192.0.43.8/\",\"maxPerMinute\":0}", "maxPerMinute" },
		{ "{\"name\":\"x\",\"kind\":\"slack\",\"url\":\"https://192.0.43.8/\",\"maxPerMinute\":601}", "maxPerMinute" },
		{ "{\"name\":\"x\",\"kind\":\"webhook\",\"url\":\"https://192.0.43.8/\",\"maxPerMinute\":5}", "maxPerMinute" },
		{ "{\"name\":\"x\",\"kind\":\"sms\"}", "to" },
		{ "{\"name\":\"x\",\"kind\":\"sms\",\"to\":[\"030 123456\"]}", "to" },
		{ "{\"name\":\"x\",\"kind\":\"sms\",\"to\":[\"+4930123456\"]}", "account" },
		{ "{\"name\":\"x\",\"kind\":\"sms\",\"to\":[\"+4930123456\"],\"password\":\"x\"}", "password" },
		{ "{\"name\":\"x\",\"kind\":\"sms\",\"to\":[\"+4930123456\"],\"account\":\"AC0123456789abcdef0123456789abcdef\",\"token\":\"t\",\"from\":\"Us\","
			"\"url\":\"https://10.0.0.1/\"}", "url" },
		{ "{\"name\":\"x\",\"kind\":\"push\",\"url\":\"https://192.0.43.8/\"}", "url" },
		{ "{\"name\":\"x\",\"kind\":\"push\",\"url\":\"https://192.0.43.8/ops\",\"token\":\"a b\"}", "token" },
		{ "{\"name\":\"x\",\"kind\":\"event_grid\",\"url\":\"https://192.0.43.8/\"}", "key" },
		{ "{\"name\":\"x\",\"kind\":\"cloudevents\",\"url\":\"https://192.0.43.8/\",\"format\":\"xml\"}", "format" },
		{ "{\"name\":\"x\",\"kind\":\"slack\",\"url\":\"https://192.0.43.8/\",\"format\":\"binary\"}", "format" },
		{ "{\"name\":\"x\",\"kind\":\"slack\",\"url\":\"https://192.0.43.8/\",\"events\":[\"weather.*\"]}", "events" },
		{ "{\"name\":\"x\",\"kind\":\"slack\",\"url\":\"https://192.0.43.8/\",\"minSeverity\":\"HIGH,LOW\"}", "minSeverity" },
		{ "{\"name\":\"x\",\"kind\":\"slack\",\"url\":\"https://192.0.43.8/\",\"enabled\":1}", "enabled" },
		{ "{\"name\":\"x\",\"kind\":\"slack\",\"url\":\"https://192.0.43.8/\",\"color\":1}", "color" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_error(400, "invalid_request", rows[i].field, ask(admin, "POST", "/api/channels", rows[i].body));
}
END_TEST

/* ---- outbound webhooks ---- */

/* The token of somebody who has none yet. */
static char mine[64];

static void newcomer(void)
{
	token_for(1, ROLE_ADMIN, false, SCOPE_ALL, mine);
}

START_TEST(test_the_webhook_of_a_user)
{
	struct str before;
	struct reply r;

	newcomer();
	r = expect(200, mine, "GET", "/api/webhooks", NULL);
	is(r.body, "{\"url\":null,\"has_secret\":false,\"is_active\":false,\"created_at\":null,\"updated_at\":null,\"message\":null}");
	expect_error(404, "webhook_not_found", NULL, ask(mine, "DELETE", "/api/webhooks", NULL));
	r = expect(201, mine, "POST", "/api/webhooks", "{\"url\":\"https://192.0.43.8/in?a=b\",\"secret\":\"geheim\"}");
	is(member(r, "/url"), "https://192.0.43.8/in?a=b");
	is(member(r, "/has_secret"), "true");
	is(member(r, "/is_active"), "true");
	ck_assert(member(r, "/message").n && !str_has(r.body, "geheim") && header_of(r, "X-RateLimit-Limit").n);
	before = member(r, "/created_at");
	r = expect(200, mine, "POST", "/api/webhooks", "{\"url\":\"http://192.0.43.8:8080/\"}");
	is(member(r, "/has_secret"), "false");
	ck_assert(str_eq(member(r, "/created_at"), before));
	r = expect(200, mine, "GET", "/api/webhooks", NULL);
	is(member(r, "/url"), "http://192.0.43.8:8080/");
	ck_assert(json_is(json_get(expect(200, root, "GET", "/api/webhooks", NULL).json, "url"), JSON_NULL));	/* it is nobody else's */
	r = expect(200, mine, "GET", "/api/endpoints", NULL);
	is(member(r, "/endpoints/0/isConfig"), "true");
	is(member(r, "/endpoints/0/retries"), "false");
	is(member(r, "/endpoints/0/events/0"), "alerts.triggered");
	r = expect(200, mine, "GET", "/api/webhooks/history", NULL);
	is(member(r, "/count"), "0");
	is(member(r, "/max_records"), "50");
	ck_assert(str_starts(member(r, "/user_id"), "us_"));
	r = expect(200, mine, "DELETE", "/api/webhooks", NULL);
	ck_assert(member(r, "/message").n && json_get(r.json, "message") == r.json->first && !r.json->first->next);
	expect_error(404, "webhook_not_found", NULL, ask(mine, "DELETE", "/api/webhooks", NULL));
	expect(201, mine, "POST", "/api/webhooks", "{\"url\":\"https://192.0.43.8/\"}");
	expect(200, mine, "DELETE", "/api/webhooks", NULL);
}
END_TEST

/* The shape of this error is a contract: error, message and the URL as it was given. */
START_TEST(test_a_webhook_that_leads_nowhere_good)
{
	static const char *const urls[] = { "", "x", "example.org/hook", "//example.org/", "ftp://192.0.43.8/", "file:///etc/passwd", "gopher://192.0.43.8/",
		"javascript:alert(1)", "http://", "https:///path", "http://:80/", "http://user@192.0.43.8/", "http://u:p@192.0.43.8/", "http://192.0.43.8:22/",
		"http://192.0.43.8:25/", "http://127.0.0.1/", "http://localhost/", "http://10.1.2.3/", "http://172.16.0.1/", "http://192.168.1.1/",
		"http://169.254.169.254/latest/meta-data/", "http://100.100.100.200/", "http://0.0.0.0/", "http://0/", "http://2130706433/", "http://0x7f.1/",
		"http://0x7f000001/", "http://017700000001/", "http://127.1/", "http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/",
		"http://[::ffff:7f00:1]/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[fd00:ec2::254]/", "http://[64:ff9b::7f00:1]/",
		"http://[2002:7f00:1::]/", "http://224.0.0.1/", "http://255.255.255.255/", "http://198.18.0.1/", "http://192.0.2.1/", "http://localhost./",
		"http://127.0.0.1./" };
	struct reply r;

	newcomer();
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		r = ask(mine, "POST", "/api/webhooks", arena_printf(a, "{\"url\":\"%s\"}", urls[i]).p);
		ck_assert_msg(r.status == 400, "%s: %u", urls[i], r.status);
		is(member(r, "/error"), "invalid_webhook_url");
		is(member(r, "/url"), urls[i]);
		ck_assert_msg(str_ends(member(r, "/message"), "."), "%.*s", STR_ARG(r.body));
		expect_error(400, "invalid_request", "url", ask(mine, "POST", "/api/endpoints", arena_printf(a, "{\"url\":\"%s\"}", urls[i]).p));
	}
	expect_error(400, "invalid_request", "url", ask(mine, "POST", "/api/webhooks", "{}"));
	expect_error(400, "invalid_request", "url", ask(mine, "POST", "/api/webhooks", "{\"url\":7}"));
	expect_error(400, "invalid_request", "secret", ask(mine, "POST", "/api/webhooks", "{\"url\":\"https://192.0.43.8/\",\"secret\":[]}"));
	expect_error(400, "invalid_request", "secret",
		ask(mine, "POST", "/api/webhooks", arena_printf(a, "{\"url\":\"https://192.0.43.8/\",\"secret\":\"%0256d\"}", 7).p));
	expect_error(400, "invalid_request", "color", ask(mine, "POST", "/api/webhooks", "{\"url\":\"https://192.0.43.8/\",\"color\":1}"));
	ck_assert(json_is(json_get(expect(200, mine, "GET", "/api/webhooks", NULL).json, "url"), JSON_NULL));
	expect(201, mine, "POST", "/api/webhooks", arena_printf(a, "{\"url\":\"https://name-that-is-nowhere.invalid/\",\"secret\":\"%0255d\"}", 7).p);
	expect(200, mine, "POST", "/api/webhooks", "{\"url\":\"https://192.0.43.8/\",\"secret\":\"\\u0001\\n\\t\\\" \\ud83d\\ude00\"}");
	expect(200, mine, "DELETE", "/api/webhooks", NULL);
}
END_TEST

START_TEST(test_an_endpoint_from_birth_to_end)
{
	struct str id, made, delivery;
	struct reply r;
	const char *path;

	newcomer();
	r = expect(201, mine, "POST", "/api/endpoints", "{\"url\":\"https://192.0.43.8/hook\"}");
	id = member(r, "/id");
	made = member(r, "/secret");
	path = arena_printf(a, "/api/endpoints/%.*s", STR_ARG(id)).p;
	ck_assert(public_id_is(id, "ep") && str_starts(made, "whsec_"));
	is(header_of(r, "Location"), path);
	r = expect(200, mine, "GET", path, NULL);
	ck_assert_ptr_null(json_get(r.json, "secret"));
	is(member(r, "/hasSecret"), "true");
	is(member(r, "/retries"), "true");
	is(member(r, "/status"), "untried");
	is(member(r, "/circuit"), "closed");
	is(member(r, "/events/0"), "incident.*");
	is(member(r, "/events/1"), "alerts.triggered");
	r = expect(200, mine, "PATCH", path, "{\"events\":[\"incident.opened\",\"monitor.*\"],\"retries\":false,\"enabled\":false}");
	is(member(r, "/status"), "disabled");
	is(member(r, "/events/1"), "monitor.*");
	is(member(r, "/hasSecret"), "true");
	is(member(expect(200, mine, "PATCH", path, "{\"events\":null,\"enabled\":true}"), "/events/0"), "incident.*");
	expect_error(400, "invalid_request", "events", ask(mine, "PATCH", path, "{\"events\":[\"weather.*\"]}"));
	expect_error(400, "invalid_request", "events", ask(mine, "PATCH", path, "{\"events\":[\"inci*\"]}"));
	expect_error(400, "invalid_request", "events", ask(mine, "PATCH", path, "{\"events\":\"incident.*\"}"));
	expect_error(400, "invalid_request", "retries", ask(mine, "PATCH", path, "{\"retries\":\"no\"}"));

	r = expect(200, mine, "POST", arena_printf(a, "%s/rotate-secret", path).p, "{\"graceSeconds\":60}");
	ck_assert(str_starts(member(r, "/secret"), "whsec_") && !str_eq(member(r, "/secret"), made) && member(r, "/oldSecretUntil").n);
	r = expect(200, mine, "POST", arena_printf(a, "%s/rotate-secret", path).p, "{\"graceSeconds\":0,\"secret\":\"mine\"}");
	is(member(r, "/secret"), "mine");
	ck_assert(json_is(json_get(r.json, "oldSecretUntil"), JSON_NULL));
	expect_error(400, "invalid_request", "graceSeconds", ask(mine, "POST", arena_printf(a, "%s/rotate-secret", path).p, "{\"graceSeconds\":2592001}"));
	is(member(expect(200, mine, "PATCH", path, "{\"secret\":null}"), "/hasSecret"), "false");
	for (size_t i = 0; i < 2; i++) {	/* of a colleague, of another tenant */
		const char *stranger = i ? theirs : root;

		expect(404, stranger, "GET", path, NULL);
		expect(404, stranger, "PATCH", path, "{\"enabled\":true}");
		expect(404, stranger, "POST", arena_printf(a, "%s/test", path).p, NULL);
		expect(404, stranger, "GET", arena_printf(a, "%s/deliveries", path).p, NULL);
		expect(404, stranger, "DELETE", path, NULL);
	}

	/* Nobody sends here: the delivery waits. */
	r = expect(200, mine, "POST", arena_printf(a, "%s/test", path).p, NULL);
	is(member(r, "/success"), "false");
	is(member(r, "/delivery/status"), "pending");
	is(member(r, "/delivery/event"), "endpoint.test");
	ck_assert(json_is(json_get(r.json, "attempt"), JSON_NULL) && str_has(member(r, "/message"), "cron"));
	delivery = member(r, "/delivery/id");
	is(member(expect(200, mine, "GET", arena_printf(a, "%s/deliveries", path).p, NULL), "/deliveries/0/event"), "endpoint.test");
	expect(404, root, "GET", arena_printf(a, "/api/deliveries/%.*s", STR_ARG(delivery)).p, NULL);
	r = expect(202, mine, "POST", arena_printf(a, "/api/deliveries/%.*s/redeliver", STR_ARG(delivery)).p, NULL);
	ck_assert(str_starts(member(r, "/payload"), "{\"event\":\"endpoint.test\",\"type\":\"endpoint.test\",\"timestamp\":"));
	expect(404, root, "POST", arena_printf(a, "/api/deliveries/%.*s/redeliver", STR_ARG(delivery)).p, NULL);

	expect(204, mine, "DELETE", path, NULL);
	expect(404, mine, "GET", path, NULL);
	expect(404, mine, "DELETE", path, NULL);
	r = expect(200, mine, "GET", "/api/webhooks/history", NULL);
	is(member(r, "/deliveries/0/status"), "failed");
	is(member(r, "/deliveries/0/failure_reason"), "endpoint deleted");
	is(member(r, "/deliveries/0/url"), "https://192.0.43.8/hook");
	is(member(r, "/deliveries/0/attempts"), "0");
	ck_assert(json_is(json_at(r.json, STR("/deliveries/0/http_status")), JSON_NULL) && member(r, "/deliveries/0/completed_at").n);
	expect_error(409, "conflict", NULL, ask(mine, "POST", arena_printf(a, "/api/deliveries/%.*s/redeliver", STR_ARG(delivery)).p, NULL));
	r = expect(200, mine, "GET", arena_printf(a, "/api/audit?object=%.*s", STR_ARG(id)).p, NULL);
	is(member(r, "/audit/0/action"), "endpoint.delete");
	is(member(r, "/audit/1/action"), "endpoint.redeliver");
	is(member(r, "/audit/2/action"), "endpoint.test");
	ck_assert(!str_has(r.body, "whsec_") && !str_has(r.body, "mine"));
}
END_TEST

START_TEST(test_an_integration_needs_little)
{
	struct reply r = expect(201, admin, "POST", "/api/integrations",
		"{\"name\":\"pay\",\"type\":\"stripe\"}");

	is(member(r, "/actions/0"), "record");
	is(member(r, "/rateLimitPerMinute"), "1000");
	is(member(r, "/enabled"), "true");
	is(member(r, "/hasSecret"), "false");
	is(member(r, "/serviceId"), "sv_00000000000000000000");
	ck_assert(json_is(json_get(r.json, "signatureSecret"), JSON_NULL));
	ck_assert(json_is(json_get(r.json, "lastWebhookAt"), JSON_NULL));
	ck_assert(strstr(arena_cstr(a, member(r, "/webhookUrl")), "/api/webhooks/stripe/in_"));
}
END_TEST

/* ---- key and secret ---- */

static const char *made(const char *body)
{
	return arena_printf(a, "/api/integrations/%.*s", STR_ARG(member(expect(201, admin, "POST", "/api/integrations", body), "/id"))).p;
}

START_TEST(test_rotating_shows_the_new_one_once)
{
	const char *path = made("{\"name\":\"r\",\"type\":\"github\",\"signatureSecret\":\"first\"}");
	const char *key_path = arena_printf(a, "%s/rotate-key", path).p, *secret_path = arena_printf(a, "%s/rotate-secret", path).p;
	struct reply r = expect(200, admin, "POST", key_path, NULL);
	char day[TIME_TEXT], minute[TIME_TEXT];

	time_format(now + MS_PER_DAY, day);
	time_format(now + MS_PER_MINUTE, minute);
	ck_assert_uint_eq(member(r, "/key").n, 32);
	is(member(r, "/graceUntil"), day);
	ck_assert_ptr_null(json_get(r.json, "signatureSecret"));
	r = expect(200, admin, "POST", key_path, "{\"graceSeconds\":0}");
	ck_assert(json_is(json_get(r.json, "graceUntil"), JSON_NULL));

	r = expect(200, admin, "POST", secret_path, "{\"graceSeconds\":60}");
	ck_assert(str_starts(member(r, "/signatureSecret"), "whsec_"));
	is(member(r, "/graceUntil"), minute);
	ck_assert_ptr_null(json_get(r.json, "key"));
	is(member(expect(200, admin, "POST", secret_path, "{\"signatureSecret\":\"theirs\"}"), "/signatureSecret"), "theirs");
	r = expect(200, admin, "GET", path, NULL);
	ck_assert(!json_get(r.json, "key") && !json_get(r.json, "signatureSecret"));

	expect_error(400, "invalid_request", "graceSeconds", ask(admin, "POST", key_path, "{\"graceSeconds\":-1}"));
	expect_error(400, "invalid_request", "graceSeconds", ask(admin, "POST", key_path, "{\"graceSeconds\":7776001}"));
	expect_error(400, "invalid_request", "grace", ask(admin, "POST", secret_path, "{\"grace\":1}"));
	expect_error(404, "not_found", NULL, ask(theirs, "POST", key_path, NULL));
	expect_error(404, "not_found", NULL, ask(theirs, "POST", secret_path, NULL));
	path = made("{\"name\":\"keyed\",\"type\":\"prometheus\"}");
	expect_error(409, "conflict", NULL, ask(admin, "POST", arena_printf(a, "%s/rotate-secret", path).p, NULL));
}
END_TEST

/* ---- the test webhook ---- */

START_TEST(test_a_test_webhook_and_its_answer)
{
	const char *path = made("{\"name\":\"t\",\"type\":\"prometheus\"}");
	struct reply r = expect(201, admin, "POST", arena_printf(a, "%s/test", path).p, NULL);
	uint64_t alert, incident;

	ck_assert(str_u64(member(r, "/alert/id"), &alert) && str_u64(member(r, "/incident/id"), &incident));
	is(r.body, arena_printf(a, "{\"success\":true,\"autoResolveIn\":\"5 minutes\",\"alert\":{\"id\":\"%llu\",\"title\":\"[Prometheus] Test Alert - CPU Usage High\","
		"\"severity\":\"MEDIUM\"},\"incident\":{\"id\":\"%llu\",\"isDuplicate\":false},\"validation\":{\"severityMapped\":"
		"\"warning -> MEDIUM\",\"serviceRouted\":\"default\",\"providerDetected\":\"prometheus\",\"signature\":\"verified\"}}", (unsigned long long)alert, (unsigned long long)incident).p);
	r = expect(200, admin, "GET", arena_printf(a, "/api/incidents/%llu", (unsigned long long)incident).p, NULL);
	is(member(r, "/isTest"), "true");
	r = expect(200, admin, "GET", path, NULL);
	is(member(r, "/webhookCount"), "1");
	is(member(r, "/errorCount"), "0");
	ck_assert(member(r, "/lastWebhookAt").n);
	expect(201, admin, "POST", arena_printf(a, "%s/test", path + strlen("/api")).p, NULL);
}
END_TEST

START_TEST(test_a_test_webhook_without_incident)
{
	struct reply r = expect(201, admin, "POST", arena_printf(a, "%s/test",
		made("{\"name\":\"t\",\"type\":\"stripe\",\"signatureSecret\":\"whsec_x\"}")).p, NULL);

	ck_assert(json_is(json_get(r.json, "alert"), JSON_NULL) && json_is(json_get(r.json, "incident"), JSON_NULL) &&
		json_is(json_get(r.json, "autoResolveIn"), JSON_NULL));
	is(member(r, "/validation/severityMapped"), "charge.failed -> HIGH");
	is(member(r, "/validation/signature"), "verified");
}
END_TEST

START_TEST(test_what_cannot_be_tested)
{
	const char *path = arena_printf(a, "%s/test", made("{\"name\":\"t\",\"type\":\"webhook\",\"enabled\":false}")).p;

	expect_error(409, "conflict", NULL, ask(admin, "POST", path, NULL));
	expect_error(404, "not_found", NULL, ask(theirs, "POST", path, NULL));
	expect_error(404, "not_found", NULL, ask(admin, "POST", "/api/integrations/in_zzzzzzzzzzzzzzzzzzzz/test", NULL));
	expect_error(400, "invalid_request", "tenant", ask(root, "POST", arena_printf(a, "%s?tenant=all", path).p, NULL));
}
END_TEST

/* ---- health ---- */

static const struct stmt traffic = { "test.traffic",
	"INSERT INTO source_stats (source_id, hour, slot, received, errors, tests, latency_us, last_at) VALUES (?, ?, ?, ?, ?, ?, ?, 1)" };

static void put_traffic(uint64_t source, ms_t at, uint64_t received, uint64_t errors, uint64_t tests, uint64_t latency_us)
{
	static uint64_t slot = 100;

	ck_assert_msg(db_exec(db, &traffic, VALS(V_U(source), V_U((uint64_t)(at / MS_PER_HOUR)), V_U(slot++), V_U(received),
		V_U(errors), V_U(tests), V_U(latency_us)), NULL, &e), "%s", e.text);
}

START_TEST(test_monitor_tells_its_checks)
{
	static const char *const bad[] = { "timeWindow=0", "timeWindow=-5", "timeWindow=44641", "timeWindow=x", "report=maybe" };
	const struct json *recent;
	struct reply r;

	now += 2 * MS_PER_MINUTE;	/* full buckets */
	conf.monitor.window_minutes = 60;
	conf.monitor.max_recent_failures = 10;
	r = expect(200, admin, "GET", "/api/admin/webhooks/monitor?timeWindow=5", NULL);
	is(member(r, "/success"), "true");
	ck_assert(member(r, "/data/metrics/processingTimeMs/p99").n && !json_at(r.json, STR("/data/alerts")));
	r = expect(200, admin, "GET", "/api/admin/webhooks/monitor?report=true", NULL);
	recent = json_at(r.json, STR("/data/checks/recentFailures"));
	ck_assert(json_is(json_get(recent, "passed"), JSON_BOOL) && str_eqs(json_text(json_get(recent, "threshold")), "10"));
	ck_assert(json_is(json_at(r.json, STR("/data/recommendations")), JSON_ARRAY) && json_is(json_at(r.json, STR("/data/alerts")), JSON_ARRAY));
	expect(200, root, "GET", "/api/admin/webhooks/monitor?tenant=all", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_error(400, "invalid_request", i < 4 ? "timeWindow" : "report",
			ask(admin, "GET", arena_printf(a, "/api/admin/webhooks/monitor?%s", bad[i]).p, NULL));
}
END_TEST

/* Whoever asks for a cleanup can do something about it, and is told what. */
START_TEST(test_cleanup_says_why_it_removes_nothing)
{
	static char gone[] = "/nonexistent/archive";

	now += 2 * MS_PER_MINUTE;
	conf.retention.archive_dir = gone;
	is(member(expect(409, root, "POST", "/api/admin/webhooks/monitor", "{\"action\":\"cleanup\"}"), "/message"),
		"Cleanup refuses: [retention] archive_dir /nonexistent/archive: No such file or directory.");
	conf.retention.archive_dir = none;
}
END_TEST

START_TEST(test_health_of_integrations)
{
	ms_t kept = now;
	struct reply r;

	now += 100 * MS_PER_DAY;	/* away from what other tests sent */
	r = expect(200, theirs, "GET", "/api/integrations/health", NULL);
	is(r.body, "{\"status\":\"healthy\",\"global\":{\"totalReceived\":0,\"totalSuccess\":0,\"totalErrors\":0,\"successRate\":100.00,"
		"\"averageLatencyMs\":0.00},\"byType\":{\"GITHUB\":{\"totalReceived\":0,\"successRate\":100.00,\"averageLatencyMs\":0.00}}}");
	put_traffic(1, now, 70, 4, 10, 60 * 1500);
	put_traffic(1, now - 23 * MS_PER_HOUR, 40, 1, 0, 40 * 1500);
	put_traffic(1, now - 24 * MS_PER_HOUR, 1000, 1000, 0, 1);
	r = expect(200, admin, "GET", "/api/integrations/health", NULL);
	is(member(r, "/status"), "healthy");	/* 95 of 100 */
	is(member(r, "/global/totalReceived"), "100");
	is(member(r, "/global/totalSuccess"), "95");
	is(member(r, "/global/totalErrors"), "5");
	is(member(r, "/global/successRate"), "95");
	is(member(r, "/global/averageLatencyMs"), "1.50");
	is(member(r, "/byType/GITHUB/successRate"), "95");
	is(member(r, "/byType/PROMETHEUS/totalReceived"), "0");
	put_traffic(2, now, 1, 1, 0, 1500);
	is(member(expect(200, admin, "GET", "/api/integrations/health", NULL), "/status"), "degraded");
	is(member(expect(200, admin, "GET", "/api/integrations/health", NULL), "/byType/PROMETHEUS/successRate"), "0");
	put_traffic(2, now, 25, 25, 0, 1500);
	is(member(expect(200, admin, "GET", "/api/integrations/health", NULL), "/status"), "degraded");	/* 95 of 126 */
	put_traffic(2, now, 1, 1, 0, 1500);
	is(member(expect(200, admin, "GET", "/api/integrations/health", NULL), "/status"), "unhealthy");
	is(member(expect(200, theirs, "GET", "/api/integrations/health", NULL), "/status"), "healthy");

	r = expect(200, admin, "GET", "/api/overview", NULL);
	is(member(r, "/received"), "127");
	is(member(r, "/refused"), "32");
	is(member(r, "/hours/0/refused"), "1");
	is(member(r, "/hours/23/received"), "87");
	is(member(r, "/failingSources"), "1");
	is(member(r, "/sources/0/type"), "prometheus");
	is(member(r, "/sources/0/failing"), "true");
	is(member(r, "/cron/late"), "true");
	is(member(expect(200, theirs, "GET", "/api/overview", NULL), "/received"), "0");
	now = kept;
}
END_TEST

static struct str settings_of(struct str public_id)
{
	struct source s;

	ck_assert_int_eq(source_get(db, a, 1, public_id, now, &s, &e), 1);
	return s.settings;
}

START_TEST(test_settings_are_kept_until_they_are_replaced)
{
	struct reply r = expect(201, admin, "POST", "/api/integrations",
		"{\"name\":\"any\",\"type\":\"webhook\",\"settings\":{\"fields\":{\"key\":[\"/uid\"]}}}");
	struct str id = member(r, "/id");
	const char *path = arena_printf(a, "/api/integrations/%.*s", STR_ARG(id)).p;

	is(settings_of(id), "{\"fields\":{\"key\":[\"/uid\"]}}");
	expect(200, admin, "PATCH", path, "{\"name\":\"any 2\"}");
	is(settings_of(id), "{\"fields\":{\"key\":[\"/uid\"]}}");
	expect(200, admin, "PATCH", path, "{\"settings\":null}");
	ck_assert_uint_eq(settings_of(id).n, 0);
}
END_TEST

START_TEST(test_the_switch_for_test_mode_is_a_setting)
{
	struct reply r = expect(201, admin, "POST", "/api/integrations",
		"{\"name\":\"pay\",\"type\":\"stripe\",\"alertTestMode\":true}");
	struct str id = member(r, "/id");
	const char *path = arena_printf(a, "/api/integrations/%.*s", STR_ARG(id)).p;

	is(settings_of(id), "{\"alertTestMode\":true}");
	expect(200, admin, "PATCH", path, "{\"name\":\"pay 2\"}");
	is(settings_of(id), "{\"alertTestMode\":true}");
	expect(200, admin, "PATCH", path, "{\"alertTestMode\":false}");
	ck_assert_uint_eq(settings_of(id).n, 0);
}
END_TEST

START_TEST(test_wrong_integrations_name_the_field)
{
	static const struct {
		const char *body, *field;
	} rows[] = {
		{ "{}", "name" },
		{ "{\"name\":\"x\"}", "type" },
		{ "{\"name\":\"x\",\"type\":\"nonsense\"}", "type" },
		{ "{\"name\":\"\",\"type\":\"github\"}", "name" },
		{ "{\"name\":null,\"type\":\"github\"}", "name" },
		{ "{\"name\":\" x\",\"type\":\"github\"}", "name" },
		{ "{\"name\":\"a\\u0000b\",\"type\":\"github\"}", "name" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"color\":\"red\"}", "color" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"id\":\"in_x\"}", "id" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"serviceId\":\"sv_other\"}", "serviceId" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"actions\":[]}", "actions" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"settings\":{\"color\":1}}", "settings" },
		{ "{\"name\":\"x\",\"type\":\"webhook\",\"settings\":{\"fields\":1}}", "settings" },
		{ "{\"name\":\"x\",\"type\":\"stripe\",\"settings\":{\"alertTestMode\":\"yes\"}}", "settings" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"actions\":[\"incident\",7]}", "actions" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"enabled\":\"yes\"}", "enabled" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"enabled\":null}", "enabled" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"rateLimitPerMinute\":1.5}",
			"rateLimitPerMinute" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"rateLimitPerMinute\":\"7\"}",
			"rateLimitPerMinute" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"rateLimitPerMinute\":99999999999999999999}",
			"rateLimitPerMinute" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"allowedIps\":{}}", "allowedIps" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"allowedIps\":\"10.0.0.0/8, nowhere\"}",
			"allowedIps" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"settings\":[]}", "settings" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"alertTestMode\":true}", "alertTestMode" },
		{ "{\"name\":\"x\",\"type\":\"github\",\"generateSecret\":true,\"signatureSecret\":\"s\"}",
			"generateSecret" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_error(400, "invalid_request", rows[i].field,
			ask(admin, "POST", "/api/integrations", rows[i].body));
	expect_error(400, "invalid_request", "type",
		ask(admin, "PATCH", "/api/integrations/" GITHUB, "{\"type\":\"stripe\"}"));
}
END_TEST

START_TEST(test_a_handler_for_its_events)
{
	struct reply r = expect(201, admin, "POST", "/api/integrations",
		"{\"name\":\"shop\",\"type\":\"stripe\",\"actions\":[\"forward\",\"record\"],\"handlerUrl\":\"https://192.0.1.7/hook\"}");
	char path[100];

	snprintf(path, sizeof(path), "/api/integrations/%.*s", STR_ARG(member(r, "/id")));
	is(member(r, "/actions/0"), "forward");
	is(member(r, "/handlerUrl"), "https://192.0.1.7/hook");
	is(member(r, "/forwardMode"), "queued");
	is(member(r, "/retryPolicy/maxRetries"), "4");
	is(member(r, "/retryPolicy/backoffSeconds"), "60");
	is(member(r, "/hasHandlerSecret"), "true");	/* there was none to sign with */
	ck_assert(str_starts(member(r, "/handlerSecret"), "whsec_"));
	ck_assert(!json_get(expect(200, admin, "GET", path, NULL).json, "handlerSecret"));
	r = expect(200, admin, "PATCH", path, "{\"forwardMode\":\"inline\",\"retryPolicy\":{\"maxRetries\":1}}");
	is(member(r, "/forwardMode"), "inline");
	is(member(r, "/retryPolicy/maxRetries"), "1");
	is(member(r, "/retryPolicy/backoffSeconds"), "60");
	ck_assert(!json_get(r.json, "handlerSecret"));
	r = expect(200, admin, "PATCH", path, "{\"handlerSecret\":\"mine\",\"forwardMode\":null,\"retryPolicy\":null}");
	is(member(r, "/forwardMode"), "queued");
	is(member(r, "/retryPolicy/maxRetries"), "4");
	ck_assert(!json_get(r.json, "handlerSecret"));
	r = expect(200, admin, "PATCH", path, "{\"signatureSecret\":\"whsec_abc\",\"handlerSecret\":null}");
	is(member(r, "/hasHandlerSecret"), "false");
	r = expect(200, admin, "PATCH", path, "{\"signatureSecret\":null}");	/* now there is none again */
	ck_assert(str_starts(member(r, "/handlerSecret"), "whsec_"));
	expect_error(400, "invalid_request", "handlerUrl", ask(admin, "PATCH", path, "{\"handlerUrl\":null}"));
	r = expect(200, admin, "PATCH", path, "{\"handlerUrl\":null,\"actions\":[\"record\"]}");
	ck_assert(json_is(json_get(r.json, "handlerUrl"), JSON_NULL));
}
END_TEST

START_TEST(test_handlers_that_are_refused)
{
	static const struct {
		const char *members, *field;
	} rows[] = {
		{ "\"actions\":\"forward\"", "handlerUrl" },
		{ "\"actions\":\"forward\",\"handlerUrl\":\"nowhere\"", "handlerUrl" },
		{ "\"handlerUrl\":\"ftp://192.0.1.7/\"", "handlerUrl" },
		{ "\"handlerUrl\":\"http://127.0.0.1:8080/\"", "handlerUrl" },
		{ "\"handlerUrl\":\"http://0x7f.1/\"", "handlerUrl" },
		{ "\"handlerUrl\":\"http://[::1]/\"", "handlerUrl" },
		{ "\"handlerUrl\":\"http://localhost/\"", "handlerUrl" },
		{ "\"handlerUrl\":\"http://169.254.169.254/latest/meta-data/\"", "handlerUrl" },
		{ "\"handlerUrl\":\"https://192.0.1.7:22/\"", "handlerUrl" },
		{ "\"handlerUrl\":\"https://me:secret@192.0.1.7/\"", "handlerUrl" },
		{ "\"handlerUrl\":7", "handlerUrl" },
		{ "\"forwardMode\":\"now\"", "forwardMode" },
		{ "\"forwardMode\":[\"queued\",\"inline\"]", "forwardMode" },
		{ "\"retryPolicy\":5", "retryPolicy" },
		{ "\"retryPolicy\":{\"maxRetries\":21}", "retryPolicy" },
		{ "\"retryPolicy\":{\"maxRetries\":-1}", "retryPolicy" },
		{ "\"retryPolicy\":{\"backoffSeconds\":0}", "retryPolicy" },
		{ "\"retryPolicy\":{\"retries\":1}", "retryPolicy" },
		{ "\"handlerSecret\":{}", "handlerSecret" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_error(400, "invalid_request", rows[i].field, ask(admin, "POST", "/api/integrations",
			arena_printf(a, "{\"name\":\"x\",\"type\":\"github\",%s}", rows[i].members).p));
}
END_TEST

START_TEST(test_integrations_page_by_page)
{
	char uri[100] = "/api/integrations?type=webhook&limit=4";
	size_t n = 0, pages = 0;
	struct reply r;

	do {
		r = expect(200, admin, "GET", uri, NULL);
		n += json_get(r.json, "integrations")->count;
		pages++;
		snprintf(uri, sizeof(uri), "/api/integrations?provider=webhook&limit=4&cursor=%.*s",
			STR_ARG(member(r, "/next")));
	} while (!json_is(json_get(r.json, "next"), JSON_NULL));
	ck_assert_uint_eq(n, 15);
	ck_assert_uint_eq(pages, 4);
}
END_TEST

/* ---- events, deliveries, incidents ---- */

START_TEST(test_lists_of_events)
{
	struct reply r = expect(200, admin, "GET", "/api/events", NULL);

	ck_assert_uint_eq(json_get(r.json, "events")->count, 50);
	is(member(r, "/events/0/eventId"), "ev-29999");
	r = expect(200, admin, "GET",
		arena_printf(a, "/api/events?limit=500&cursor=%.*s", STR_ARG(member(r, "/next"))).p,
		NULL);
	ck_assert_uint_eq(json_get(r.json, "events")->count, 100);
	r = expect(200, admin, "GET", "/api/events?status=failed,dead&processed=true", NULL);
	ck_assert_uint_eq(json_get(r.json, "events")->count, 0);
	r = expect(200, admin, "GET", "/api/events?processed=false&limit=1", NULL);
	is(member(r, "/events/0/status"), "failed");
	r = expect(200, admin, "GET", "/api/events?status=&q=nothing&text=ev-77", NULL);
	is(member(r, "/events/0/eventId"), "ev-77");
	r = expect(200, admin, "GET",
		"/api/events?from=2025-10-09T08:53:21Z&to=2025-10-09T10:53:24%2B02:00", NULL);
	ck_assert_uint_eq(json_get(r.json, "events")->count, 3);
}
END_TEST

START_TEST(test_wrong_filters_name_the_parameter)
{
	static const struct {
		const char *uri, *field;
	} rows[] = {
		{ "/api/events?limit=0", "limit" },
		{ "/api/events?limit=-1", "limit" },
		{ "/api/events?limit=ten", "limit" },
		{ "/api/events?limit=1e1", "limit" },
		{ "/api/events?cursor=0", "cursor" },
		{ "/api/events?cursor=abc", "cursor" },
		{ "/api/events?cursor=events-9223372036854775808", "cursor" },
		{ "/api/events?cursor=incidents-5", "cursor" },
		{ "/api/integrations/health?since=1", "since" },
		{ "/api/events?status=open", "status" },
		{ "/api/events?status=failed,", "status" },
		{ "/api/events?severity=HIGH", "severity" },
		{ "/api/events?processed=maybe", "processed" },
		{ "/api/events?from=today", "from" },
		{ "/api/events?color=red", "color" },
		{ "/api/events?provider=nonsense", "provider" },
		{ "/api/requests?provider=nonsense", "provider" },
		{ "/api/alerts?provider=nonsense", "provider" },
		{ "/api/incidents?provider=nonsense", "provider" },
		{ "/api/events?q=%ff", "q" },
		{ "/api/events?q=a%00b", "q" },
		{ "/api/requests?outcome=lost", "outcome" },
		{ "/api/requests?status=failed", "status" },
		{ "/api/requests?status=99", "status" },
		{ "/api/requests?cursor=events-5", "cursor" },
		{ "/api/requests?color=red", "color" },
		{ "/api/alerts?severity=error", "severity" },
		{ "/api/alerts?incidentId=x", "incidentId" },
		{ "/api/alerts?cursor=requests-5", "cursor" },
		{ "/api/stats?from=yesterday", "from" },
		{ "/api/stats?from=2025-10-09T00:00:00Z&to=2025-10-09T00:00:00Z", "from" },
		{ "/api/stats?from=2025-10-09T00:00:00Z&to=2025-11-09T00:00:00.001Z", "from" },
		{ "/api/stats?source=x", "source" },
		{ "/api/incidents?status=failed", "status" },
		{ "/api/incidents?severity=error", "severity" },
		{ "/api/incidents?limit=0", "limit" },
		{ "/api/integrations?limit=0", "limit" },
		{ "/api/integrations/" GITHUB "/deliveries?limit=0", "limit" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].field, "status") || !strstr(rows[i].uri, "failed,"))
			expect_error(400, "invalid_request", rows[i].field,
				ask(admin, "GET", rows[i].uri, NULL));
}
END_TEST

START_TEST(test_an_event_with_all_about_it)
{
	struct reply r = expect(200, admin, "GET",
		arena_printf(a, "/api/events/%llu", (unsigned long long)ID_OF(4)).p, NULL);

	is(member(r, "/eventId"), "ev-4");
	is(member(r, "/element"), "0");
	is(member(r, "/headers/authorization"), "***");
	is(member(r, "/payloadEncoding"), "json");
	is(member(r, "/payload/n"), "12345678901234567890");
	is(member(r, "/request/method"), "POST");
	is(member(r, "/request/remoteAddr"), "192.0.2.7");
	is(member(r, "/incident/title"), "Disk 4 FULL");
	is(member(r, "/alert/severity"), "CRITICAL");
	r = expect(200, admin, "GET",
		arena_printf(a, "/api/events/%llu", (unsigned long long)ID_OF(5)).p, NULL);
	ck_assert(json_is(json_get(r.json, "incident"), JSON_NULL) &&
		json_is(json_get(r.json, "alert"), JSON_NULL));
}
END_TEST

START_TEST(test_lists_of_requests)
{
	struct reply r = expect(200, admin, "GET", "/api/requests", NULL);

	ck_assert_uint_eq(json_get(r.json, "requests")->count, 50);
	is(member(r, "/requests/0/id"), arena_printf(a, "%llu", (unsigned long long)ID_OF(29999)).p);
	r = expect(200, admin, "GET", arena_printf(a, "/api/requests?cursor=%.*s", STR_ARG(member(r, "/next"))).p, NULL);
	ck_assert_uint_eq(json_get(r.json, "requests")->count, 50);
	r = expect(200, admin, "GET", "/api/requests?outcome=refused&limit=2", NULL);
	ck_assert_uint_eq(json_get(r.json, "requests")->count, 2);
	is(member(r, "/requests/0/outcome"), "refused");
	is(member(r, "/requests/0/reason"), "Invalid signature");
	is(member(r, "/requests/0/statusCode"), "401");
	r = expect(200, admin, "GET", "/api/requests?outcome=refused,repeated&status=200&q=192.0.2.8&limit=1", NULL);
	is(member(r, "/requests/0/outcome"), "repeated");
	is(member(r, "/requests/0/eventId"), arena_printf(a, "%llu", (unsigned long long)ID_OF(1)).p);
}
END_TEST

START_TEST(test_a_request_with_all_about_it)
{
	struct reply r = expect(200, admin, "GET", arena_printf(a, "/api/requests/%llu", (unsigned long long)ID_OF(4)).p, NULL);

	is(member(r, "/sourceId"), PROMETHEUS);
	is(member(r, "/headers/authorization"), "***");
	is(member(r, "/payload/n"), "12345678901234567890");
	is(member(r, "/events/0/eventId"), "ev-4");
	is(member(r, "/lifecycle/0/stage"), "received");
	is(member(r, "/lifecycle/5/afterUs"), "7000");
	r = expect(200, admin, "GET", arena_printf(a, "/api/requests/%llu", (unsigned long long)ID_OF(97)).p, NULL);
	is(member(r, "/lifecycle/1/state"), "failed");
	expect_error(404, "not_found", NULL, ask(admin, "GET", "/api/requests/0", NULL));
	expect_error(404, "not_found", NULL, ask(admin, "GET", "/api/requests/x", NULL));
	r = expect(200, admin, "GET", arena_printf(a, "/api/events/%llu", (unsigned long long)ID_OF(1)).p, NULL);
	is(member(r, "/attemptLog/0/number"), "1");
	is(member(r, "/repeats/0/outcome"), "repeated");
	is(member(r, "/lifecycle/4/stage"), "acted");
}
END_TEST

START_TEST(test_lists_of_alerts)
{
	struct reply r = expect(200, admin, "GET", "/api/alerts?limit=1&severity=CRITICAL", NULL);

	is(member(r, "/alerts/0/title"), "Disk 100% full_4");
	r = expect(200, admin, "GET", arena_printf(a, "/api/alerts?incidentId=%llu", (unsigned long long)ID_OF(5)).p, NULL);
	ck_assert_uint_eq(json_get(r.json, "alerts")->count, 1);
	r = expect(200, theirs, "GET", arena_printf(a, "/api/alerts?incidentId=%llu", (unsigned long long)ID_OF(5)).p, NULL);
	ck_assert_uint_eq(json_get(r.json, "alerts")->count, 0);
}
END_TEST

START_TEST(test_stats_of_a_window)
{
	struct reply r = expect(200, admin, "GET", "/api/stats?from=2025-10-09T08:53:21Z&to=2025-10-09T08:53:31Z", NULL);

	is(member(r, "/total"), "10");
	is(member(r, "/processed"), "10");
	is(member(r, "/successRate"), "1");
	is(member(r, "/averageAttempts"), "1");
	is(member(r, "/byProvider/GITHUB"), "5");
	is(member(r, "/byType/push"), "10");
	r = expect(200, admin, "GET", "/api/stats", NULL);	/* the last day */
	is(member(r, "/oldestPendingAt"), "2025-10-09T08:54:57.000Z");
	expect_error(400, "invalid_request", "tenant", ask(root, "GET", "/api/stats?tenant=all", NULL));
}
END_TEST

START_TEST(test_deliveries_of_an_integration)
{
	struct reply r = expect(200, admin, "GET",
		"/api/integrations/" GITHUB "/deliveries?limit=2", NULL);

	ck_assert_uint_eq(json_get(r.json, "deliveries")->count, 2);
	is(member(r, "/deliveries/0/id"),
		arena_printf(a, "%llu", (unsigned long long)ID_OF(29999)).p);
	is(member(r, "/deliveries/0/durationMs"), "7");
	r = expect(200, admin, "GET",
		arena_printf(a, "/integrations/" GITHUB "/deliveries?limit=1&cursor=%.*s",
			STR_ARG(member(r, "/next")))
			.p,
		NULL);
	is(member(r, "/deliveries/0/id"),
		arena_printf(a, "%llu", (unsigned long long)ID_OF(29995)).p);
}
END_TEST

/* The state of a key stands beside its incident; ingest makes it, so here it is made by hand. */
static const char *open_incident(unsigned k)
{
	static const struct stmt open[] = {
		{ "test.open",
			"UPDATE incidents SET status = 1, service_id = 1, open_hash = "
			"UNHEX(LEFT(SHA2(dedup_key, 256), 32))"
			" WHERE id = ?" },
		{ "test.key",
			"INSERT INTO incident_keys (service_id, key_hash, incident_id, status, "
			"level)"
			" SELECT 1, open_hash, id, 1, level FROM incidents WHERE id = ?" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(open); i++)
		succeeds(db_exec(db, &open[i], VALS(V_U(ID_OF(k))), NULL, &e));
	return arena_printf(a, "/api/incidents/%llu", (unsigned long long)ID_OF(k)).p;
}

START_TEST(test_an_incident_is_acknowledged_and_resolved_once)
{
	const char *path = open_incident(41), *ack = arena_printf(a, "%s/acknowledge", path).p;
	const char *resolve = arena_printf(a, "%s/resolve", path).p;
	struct reply r = expect(200, admin, "POST", ack, "{\"note\":\"on my way\"}");

	is(member(r, "/status"), "ACKNOWLEDGED");
	ck_assert(member(r, "/acknowledgedAt").n > 0);
	r = expect(200, admin, "GET", path, NULL);
	is(member(r, "/timeline/2/kind"), "acknowledged");
	is(member(r, "/timeline/2/actor"), "person");
	is(member(r, "/timeline/2/text"), "on my way");
	ck_assert(str_starts(member(r, "/timeline/2/user"), "user "));
	expect_error(409, "conflict", NULL, ask(admin, "POST", ack, NULL));
	expect_error(400, "invalid_request", "reason",
		ask(admin, "POST", resolve, "{\"reason\":\"x\"}"));
	is(member(expect(200, admin, "POST", resolve, ""), "/status"), "RESOLVED");
	expect_error(409, "conflict", NULL, ask(admin, "POST", resolve, NULL));
	expect_error(409, "conflict", NULL, ask(admin, "POST", ack, NULL));
	expect_error(404, "not_found", NULL, ask(admin, "POST", "/api/incidents/7/resolve", NULL));
}
END_TEST

START_TEST(test_a_platform_admin_acts_in_the_tenant_of_the_incident)
{
	const char *path = open_incident(43);

	expect(404, theirs, "POST", arena_printf(a, "%s/resolve", path).p, NULL);
	expect_error(404, "not_found", NULL,
		ask(root, "POST", "/api/incidents/7/resolve?tenant=all", NULL));
	is(member(expect(200, root, "POST", arena_printf(a, "%s/resolve?tenant=all", path).p, NULL),
			"/status"),
		"RESOLVED");
}
END_TEST

/* ---- what machines ask ---- */

/* ---- people ---- */

static const char *user_path(struct reply made)
{
	return arena_printf(a, "/api/users/%.*s", STR_ARG(member(made, "/id"))).p;
}

START_TEST(test_a_user_from_birth_to_end)
{
	struct reply made = expect(201, admin, "POST", "/api/users",
		"{\"name\":\"Birth\",\"role\":\"operator\",\"email\":\"b@example.org\",\"password\":\"long enough\"}");
	const char *path = user_path(made);

	is(header_of(made, "Location"), path);
	is(member(made, "/role"), "operator");
	is(member(made, "/hasPassword"), "true");
	is(member(expect(200, admin, "GET", path, NULL), "/email"), "b@example.org");
	is(member(expect(200, admin, "PATCH", path, "{\"role\":\"viewer\",\"password\":null}"), "/hasPassword"), "false");
	is(member(expect(200, admin, "GET", "/api/users?q=birt&role=viewer", NULL), "/users/0/name"), "Birth");
	expect(204, admin, "DELETE", path, NULL);
	is(member(expect(200, admin, "GET", path, NULL), "/enabled"), "false");
	is(member(expect(200, admin, "GET", arena_printf(a, "/api/audit?object=%.*s", STR_ARG(member(made, "/id"))).p, NULL),
		"/audit/0/detail/before/enabled"), "true");
	expect(404, theirs, "GET", path, NULL);
	expect(404, theirs, "PATCH", path, "{\"enabled\":true}");
	expect(404, theirs, "DELETE", path, NULL);
	expect(200, root, "GET", arena_printf(a, "%s?tenant=all", path).p, NULL);
}
END_TEST

START_TEST(test_wrong_users_name_the_field)
{
	static const struct {
		unsigned status;
		const char *body, *code, *field;
	} rows[] = {
		{ 400, "{}", "invalid_request", "name" },
		{ 400, "{\"name\":\"x\",\"role\":\"boss\"}", "invalid_request", "role" },
		{ 400, "{\"name\":\"x\",\"role\":\"viewer,operator\"}", "invalid_request", "role" },
		{ 400, "{\"name\":\"x\",\"password\":\"short\"}", "invalid_request", "password" },
		{ 400, "{\"name\":\"x\",\"email\":\"x\"}", "invalid_request", "email" },
		{ 409, "{\"name\":\"ann\"}", "conflict", "name" },
		{ 403, "{\"name\":\"x\",\"platformAdmin\":true}", "forbidden", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_error(rows[i].status, rows[i].code, rows[i].field, ask(admin, "POST", "/api/users", rows[i].body));
	expect_error(400, "invalid_request", "name",
		ask(admin, "PATCH", arena_printf(a, "/api/users/%.*s", STR_ARG(member(expect(200, admin, "GET", "/api/users", NULL),
			"/users/0/id"))).p, "{\"name\":\"other\"}"));
}
END_TEST

START_TEST(test_the_last_admin_stays)
{
	struct reply list = expect(200, theirs, "GET", "/api/users?role=admin&enabled=true", NULL);
	const char *path = arena_printf(a, "/api/users/%.*s", STR_ARG(member(list, "/users/0/id"))).p;

	ck_assert_ptr_null(json_at(list.json, STR("/users/1")));
	expect_error(409, "conflict", NULL, ask(theirs, "DELETE", path, NULL));
	expect_error(409, "conflict", NULL, ask(theirs, "PATCH", path, "{\"role\":\"viewer\"}"));
	expect(200, theirs, "PATCH", path, "{\"email\":\"boss@example.org\"}");
}
END_TEST

START_TEST(test_tokens_of_oneself_and_others)
{
	char viewer[64];
	struct reply made, list;
	const char *path, *others;

	token_for(1, ROLE_VIEWER, false, SCOPE_READ | SCOPE_EVENTS, viewer);
	made = expect(201, viewer, "POST", "/api/tokens", "{\"name\":\"mine\",\"scopes\":[\"read\"],\"expiresInDays\":7}");
	path = arena_printf(a, "/api/tokens/%.*s", STR_ARG(member(made, "/id"))).p;
	expect(200, arena_cstr(a, member(made, "/token")), "GET", "/api/events?limit=1", NULL);
	expect_error(403, "forbidden", NULL, ask(viewer, "POST", "/api/tokens", "{\"name\":\"more\",\"scopes\":[\"admin\"]}"));
	expect_error(400, "invalid_request", "scopes", ask(viewer, "POST", "/api/tokens", "{\"name\":\"none\"}"));
	list = expect(200, viewer, "GET", "/api/tokens", NULL);
	is(member(list, "/tokens/0/name"), "mine");
	is(member(list, "/tokens/0/scopes/0"), "read");
	ck_assert_ptr_null(json_at(list.json, STR("/tokens/0/token")));
	list = expect(200, admin, "GET", arena_printf(a, "/api/audit?object=%.*s", STR_ARG(member(made, "/id"))).p, NULL);
	others = arena_printf(a, "/api/tokens?user=%.*s", STR_ARG(member(list, "/audit/0/userId"))).p;
	is(member(expect(200, admin, "GET", others, NULL), "/tokens/0/name"), "mine");
	expect_error(403, "forbidden", "user", ask(viewer, "GET", "/api/tokens?user=us_seven", NULL));
	expect_error(400, "invalid_request", "user", ask(theirs, "GET", others, NULL));
	expect(404, theirs, "DELETE", path, NULL);
	expect(204, admin, "DELETE", path, NULL);
	expect(204, viewer, "DELETE", path, NULL);
	expect(401, arena_cstr(a, member(made, "/token")), "GET", "/api/events?limit=1", NULL);
}
END_TEST

START_TEST(test_the_audit_log_is_of_the_tenant)
{
	struct reply list = expect(200, admin, "GET", "/api/audit?limit=1&action=integration.create", NULL);

	ck_assert(member(list, "/audit/0/id").n > 0);
	is(member(list, "/audit/0/actor"), "person");
	expect_error(400, "invalid_request", "cursor", ask(admin, "GET", "/api/audit?cursor=events-5", NULL));
	expect_error(400, "invalid_request", "from", ask(admin, "GET", "/api/audit?from=yesterday", NULL));
	list = expect(200, theirs, "GET", "/api/audit?action=integration.create", NULL);
	ck_assert_ptr_null(json_at(list.json, STR("/audit/0")));
	ck_assert(member(expect(200, root, "GET", "/api/audit?tenant=all&action=integration", NULL), "/audit/0/id").n > 0);
}
END_TEST

START_TEST(test_health)
{
	is(member(expect(200, NULL, "GET", "/healthz", NULL), "/status"), "ok");
	is(member(expect(200, NULL, "GET", "/readyz", NULL), "/migrations"), "ok");
}
END_TEST

/* Cron works for all tenants: what it did is none of theirs. */
START_TEST(test_of_jobs_a_tenant_sees_that_they_ran)
{
	static const struct stmt failed = { "test.failed", "REPLACE INTO jobs (name, holder, last_started_at, last_finished_at, last_ok, last_error, last_rows)"
		" VALUES ('cleanup', 'db7, process 1', ?, ?, 0, 'table events of other: corrupt', 4711)" };
	static const struct stmt run = { "test.run", "INSERT INTO job_runs (name, started_at, duration_ms, ok, touched, counts, bytes, longest_lock_ms, error)"
		" VALUES ('cleanup', ?, 9, 0, 4711, 'events 4711', 12345, 7, 'table events of other: corrupt')" };
	static const char *const told[] = { "4711", "12345", "db7", "corrupt" };
	static const char *const paths[] = { "/api/jobs", "/api/jobs/runs?limit=1" };

	now += 2 * MS_PER_MINUTE;
	succeeds(db_exec(db, &failed, VALS(V_I(now - 2), V_I(now - 1)), NULL, &e));
	succeeds(db_exec(db, &run, VALS(V_I(now - 2)), NULL, &e));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct str of_root = expect(200, root, "GET", paths[i], NULL).body, of_admin = expect(200, admin, "GET", paths[i], NULL).body;

		ck_assert(strstr(arena_cstr(a, of_admin), "\"failed\""));
		for (size_t k = 0; k < ARRAY_SIZE(told); k++)
			ck_assert_msg(!strstr(arena_cstr(a, of_admin), told[k]), "%s tells a tenant of %s", paths[i], told[k]);
		ck_assert(strstr(arena_cstr(a, of_root), "4711") && strstr(arena_cstr(a, of_root), "corrupt"));
	}
	expect_error(403, "forbidden", NULL, ask(admin, "GET", "/api/storage", NULL));
	expect(200, root, "GET", "/api/storage", NULL);
}
END_TEST

START_TEST(test_jobs_and_cron_over_http)
{
	static const struct stmt installed = { "test.installed", "UPDATE schema_migrations SET applied_at = ?" };
	static const struct stmt clock = { "test.clock", "SET timestamp = ?" };	/* what NOW() of the server tells */
	static const struct stmt never = { "test.never", "UPDATE incidents SET auto_resolved_at = last_alert_at" };	/* the data has no keys */
	size_t jobs_n;
	struct reply r;

	succeeds(db_exec(db, &never, NULL, 0, NULL, &e));
	succeeds(db_exec(db, &installed, VALS(V_I(now)), NULL, &e));
	succeeds(db_exec(db, &clock, VALS(V_I(now / 1000 + 300)), NULL, &e));
	is(member(expect(200, NULL, "GET", "/readyz?strict", NULL), "/cron"), "ok");
	now += 5 * MS_PER_MINUTE;
	is(member(expect(200, NULL, "GET", "/readyz?strict=false", NULL), "/cron"), "failing");
	is(member(expect(503, NULL, "GET", "/readyz?strict", NULL), "/status"), "failing");
	r = expect(200, admin, "GET", "/api/jobs", NULL);
	is(member(r, "/jobs/0/name"), "spool-drain");
	is(member(r, "/jobs/0/result"), "never");
	is(member(r, "/jobs/0/late"), "true");
	is(member(r, "/cron/late"), "true");
	jobs_n = json_get(r.json, "jobs")->count;

	expect_error(401, "unauthorized", NULL, ask(NULL, "POST", "/api/cron/webhook-maintenance", NULL));
	expect_error(401, "unauthorized", NULL, ask(admin, "POST", "/api/cron/webhook-maintenance", NULL));
	r = expect(200, "cron-token", "POST", "/api/cron/webhook-maintenance", NULL);
	ck_assert_uint_eq(json_get(r.json, "jobs")->count, jobs_n);
	is(member(r, "/jobs/3/outcome"), "done");
	r = expect(200, "cron-token", "GET", "/api/cron/webhook-maintenance", NULL);
	ck_assert_uint_eq(json_get(r.json, "jobs")->count, 0);
	expect(200, NULL, "GET", "/readyz?strict=1", NULL);
	conf.cron.token = none;
	expect_error(404, "not_found", NULL, ask("", "POST", "/api/cron/webhook-maintenance", NULL));
	expect_error(404, "not_found", NULL, ask("cron-token", "GET", "/api/cron/webhook-maintenance", NULL));
	conf.cron.token = cron_token;
	expect_error(401, "unauthorized", NULL, ask("cron-toke", "GET", "/api/cron/webhook-maintenance", NULL));
	expect_error(401, "unauthorized", NULL, ask("cron-token ", "GET", "/api/cron/webhook-maintenance", NULL));
	expect_error(400, "invalid_request", "dryRun", ask("cron-token", "POST", "/api/cron/webhook-maintenance?dryRun=true", NULL));
	expect_error(401, "unauthorized", NULL, ask(NULL, "POST", "/api/cron/webhook-maintenance?dryRun=true", NULL));

	expect_error(403, "forbidden", NULL, ask(admin, "POST", "/api/jobs/sessions/run", NULL));
	is(member(expect(200, root, "POST", "/api/jobs/sessions/run", NULL), "/outcome"), "done");
	expect_error(404, "not_found", NULL, ask(root, "POST", "/api/jobs/nosuch/run", NULL));
	r = expect(200, admin, "GET", "/api/jobs/runs?limit=1", NULL);
	is(member(r, "/runs/0/job"), "sessions");
	r = expect(200, admin, "GET", arena_printf(a, "/api/jobs/runs?limit=1&cursor=%.*s", STR_ARG(member(r, "/next"))).p, NULL);
	is(member(r, "/runs/0/job"), "cleanup");
	r = expect(200, admin, "GET", "/api/jobs/runs?job=auto-resolve", NULL);
	ck_assert_uint_eq(json_get(r.json, "runs")->count, 1);
	expect_error(400, "invalid_request", "cursor", ask(admin, "GET", "/api/jobs/runs?cursor=events-5", NULL));
}
END_TEST

START_TEST(test_not_ready_without_a_database)
{
	const struct db_config nowhere = { .socket = "/nowhere.sock",
		.user = "root",
		.password = "",
		.name = "x",
		.connect_timeout_ms = 1000,
		.read_timeout_ms = 1000 };
	struct db *away = db_new(&nowhere);
	struct api *good = api;
	struct reply r;

	api = api_new(&(struct api_config){ away, shm, seal_key, &conf, &ids, NULL, "9.9" });
	r = expect(503, NULL, "GET", "/readyz", NULL);
	is(r.body,
		"{\"status\":\"failing\",\"database\":\"failing\",\"migrations\":\"failing\",\"sharedMemory\":\"ok\",\"spool\":\"off\",\"cron\":\"failing\"}");
	expect(200, NULL, "GET", "/healthz", NULL);
	r = ask(admin, "GET", "/api/events", NULL);
	expect_error(503, "unavailable", NULL, r);
	ck_assert(header_of(r, "Retry-After").n > 0);
	api_free(api);
	api = good;
	db_free(away);
}
END_TEST

START_TEST(test_metrics_are_for_scrapers)
{
	struct request *rq = request_new(NULL, "GET", "/metrics", NULL);
	struct reply r;

	expect_error(403, "forbidden", NULL, ask(NULL, "GET", "/metrics", NULL));
	expect_error(403, "forbidden", NULL, ask(admin, "GET", "/metrics", NULL));
	rq->remote_addr = STR("10.1.2.3");
	r = send_request(rq);
	ck_assert_uint_eq(r.status, 200);
	r = expect(200, "scrape", "GET", "/metrics", NULL);
	ck_assert(str_starts(str_of(r.rq->response.content_type), "text/plain; version=0.0.4"));
	ck_assert(strstr(arena_cstr(a, r.body),
		"\n# TYPE grapnel_requests_total counter\ngrapnel_requests_total 0\n"));
	ck_assert(strstr(arena_cstr(a, r.body), "\ngrapnel_workers{pool=\"web\"} 5\n"));
	ck_assert(strstr(arena_cstr(a, r.body), "\ngrapnel_cache_hit_ratio 1.0000\n"));
	ck_assert(strstr(arena_cstr(a, r.body), "\n# TYPE grapnel_cron_late gauge\ngrapnel_cron_late "));
	ck_assert(strstr(arena_cstr(a, r.body), "\ngrapnel_cron_last_run_timestamp_seconds "));
	ck_assert(strstr(arena_cstr(a, r.body), "grapnel_build_info{version=\"9.9\"} 1\n"));
	ck_assert(str_ends(r.body, "\n"));
}
END_TEST

START_TEST(test_the_api_document_can_be_kept)
{
	struct reply r = expect(200, NULL, "GET", "/api/openapi.json", NULL);
	struct str etag = header_of(r, "ETag");
	struct request *again = request_new(NULL, "GET", "/api/openapi.json", NULL);

	is(member(r, "/openapi"), "3.1.0");
	ck_assert(str_eq(r.body, api_document(a, "9.9", "https://hooks.example.org")));
	ck_assert(str_starts(header_of(r, "Cache-Control"), "public"));
	ck_assert(etag.n > 2);
	again->headers[0] = (struct header){ STR("if-none-match"), etag };
	again->header_n = 1;
	r = send_request(again);
	ck_assert_uint_eq(r.status, 304);
	ck_assert_uint_eq(r.body.n, 0);
}
END_TEST

/* ---- around it ---- */

static void setup(void)
{
	e = (struct err){ 0 };
	a = arena_new(256 << 20);
	now += 2 * MS_PER_MINUTE;	/* each test has full buckets */
}

static void teardown(void)
{
	arena_free(a);
}

static void begin(const char *shm_path, const char *key_path)
{
	static char url[] = "https://hooks.example.org", token[] = "scrape", allow[] = "10.0.0.0/8", ports[] = "80, 443, 8080";

	setup();
	db = view_database("grapnel_api");
	conf.server.public_url = url;
	conf.database.socket = conf.database.host = none;
	conf.outbound.ports = ports;
	conf.outbound.max_deliveries = 50;
	conf.server.web_workers = 5;
	conf.metrics.token = token;
	conf.cron.token = cron_token;
	conf.retention.archive_dir = conf.spool.directory = none;
	conf.retention.events_days = conf.retention.refused_bodies_days = conf.retention.incidents_days = 36500;
	conf.metrics.allow = allow;
	conf.ingest.rate_limit = true;
	shm = shm_open_file(shm_path, &e);
	if (!shm || !seal_key_create(key_path, &e) || !(seal_key = seal_key_load(key_path, &e)))
		die("%s", e.text);
	ingest = ingest_new(&(struct ingest_config){ .db = db, .shm = shm, .seal = seal_key, .ids = &ids, .events_max = 100,
		.public_url = conf.server.public_url, .verify_signatures = true, .rate_limit = true, .remote_per_minute = 60 });
	api = api_new(&(struct api_config){ db, shm, seal_key, &conf, &ids, ingest, "9.9" });
	token_for(1, ROLE_ADMIN, false, SCOPE_ALL, admin);
	token_for(1, ROLE_VIEWER, true, SCOPE_ALL, root);
	token_for(2, ROLE_ADMIN, false, SCOPE_ALL, theirs);
	teardown();
	document_arena = arena_new(32 << 20);
	if (!json_parse(document_arena, api_document(document_arena, "9.9", url), &document, &e))
		die("%s", e.text);
}

static int routes_n(void)
{
	int n = 0;

	while (api_routes[n].method)
		n++;
	return n;
}

static Suite *suite(void)
{
	Suite *s = suite_create("api");
	TCase *t = tcase_create("api");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_needs_of_every_route_make_sense);
	tcase_add_loop_test(t, test_each_role_and_scope_may_do_what_its_row_says, 0, routes_n());
	tcase_add_loop_test(t, test_what_another_tenant_has_or_nobody_is_not_there, 0, routes_n());
	tcase_add_loop_test(t, test_lists_refuse_what_is_no_filter, 0, routes_n());
	tcase_add_loop_test(t, test_windows_that_end_before_they_begin, 0, routes_n());
	tcase_add_test(t, test_the_api_document_can_be_kept);
	tcase_add_test(t, test_a_platform_admin_is_admin_of_every_tenant);
	tcase_add_test(t, test_another_tenants_things_do_not_exist);
	tcase_add_test(t, test_a_token_has_600_requests_a_minute);
	tcase_add_test(t, test_strangers_have_a_limit_for_each_address);
	tcase_add_test(t, test_the_rate_limit_can_be_switched_off);
	tcase_add_test(t, test_unknown_paths_and_methods);
	tcase_add_test(t, test_bodies_that_are_no_form);
	tcase_add_loop_test(t, test_content_codings, 0, (int)ARRAY_SIZE(codings));
	tcase_add_test(t, test_bodies_too_large_or_short);
	tcase_add_test(t, test_a_handler_for_its_events);
	tcase_add_test(t, test_handlers_that_are_refused);
	tcase_add_test(t, test_integrations_page_by_page);
	tcase_add_test(t, test_an_integration_from_birth_to_end);
	tcase_add_test(t, test_an_integration_needs_little);
	tcase_add_test(t, test_a_policy_from_birth_to_end);
	tcase_add_test(t, test_wrong_policies_name_the_step);
	tcase_add_test(t, test_an_alert_rule_from_birth_to_end);
	tcase_add_test(t, test_wrong_alert_rules_name_the_field);
	tcase_add_test(t, test_a_schedule_from_birth_to_end);
	tcase_add_test(t, test_wrong_schedules_name_the_field);
	tcase_add_test(t, test_a_channel_from_birth_to_end);
	tcase_add_test(t, test_what_is_secret_of_a_channel_depends_on_its_kind);
	tcase_add_test(t, test_wrong_channels_name_the_field);
	tcase_add_test(t, test_the_webhook_of_a_user);
	tcase_add_test(t, test_a_webhook_that_leads_nowhere_good);
	tcase_add_test(t, test_an_endpoint_from_birth_to_end);
	tcase_add_test(t, test_settings_are_kept_until_they_are_replaced);
	tcase_add_test(t, test_the_switch_for_test_mode_is_a_setting);
	tcase_add_test(t, test_wrong_integrations_name_the_field);
	tcase_add_test(t, test_lists_of_events);
	tcase_add_test(t, test_wrong_filters_name_the_parameter);
	tcase_add_test(t, test_an_event_with_all_about_it);
	tcase_add_test(t, test_lists_of_requests);
	tcase_add_test(t, test_a_request_with_all_about_it);
	tcase_add_test(t, test_lists_of_alerts);
	tcase_add_test(t, test_stats_of_a_window);
	tcase_add_test(t, test_deliveries_of_an_integration);
	tcase_add_test(t, test_an_incident_is_acknowledged_and_resolved_once);
	tcase_add_test(t, test_a_platform_admin_acts_in_the_tenant_of_the_incident);
	tcase_add_test(t, test_a_user_from_birth_to_end);
	tcase_add_test(t, test_wrong_users_name_the_field);
	tcase_add_test(t, test_the_last_admin_stays);
	tcase_add_test(t, test_tokens_of_oneself_and_others);
	tcase_add_test(t, test_the_audit_log_is_of_the_tenant);
	tcase_add_test(t, test_health);
	tcase_add_test(t, test_jobs_and_cron_over_http);
	tcase_add_test(t, test_of_jobs_a_tenant_sees_that_they_ran);
	tcase_add_test(t, test_not_ready_without_a_database);
	tcase_add_test(t, test_metrics_are_for_scrapers);
	/* Those that send something last. */
	tcase_add_test(t, test_rotating_shows_the_new_one_once);
	tcase_add_test(t, test_a_test_webhook_and_its_answer);
	tcase_add_test(t, test_a_test_webhook_without_incident);
	tcase_add_test(t, test_what_cannot_be_tested);
	tcase_add_test(t, test_monitor_tells_its_checks);
	tcase_add_test(t, test_cleanup_says_why_it_removes_nothing);
	tcase_add_test(t, test_health_of_integrations);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	char shm_path[64], key_path[64];
	SRunner *r;
	int failed;

	if (!getenv("GRAPNEL_TEST_SOCKET") || !getenv("GRAPNEL_TEST_SQL"))
		return 77;	/* skipped: tests/db/run starts a server */
	snprintf(shm_path, sizeof(shm_path), "/tmp/grapnel-test-api.%d.shm", (int)getpid());
	snprintf(key_path, sizeof(key_path), "/tmp/grapnel-test-api.%d.key", (int)getpid());
	begin(shm_path, key_path);
	r = srunner_create(suite());
	srunner_set_fork_status(r, CK_NOFORK);	/* one connection, one state */
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	arena_free(document_arena);
	api_free(api);
	ingest_free(ingest);
	db_free(db);
	seal_key_free(seal_key);
	shm_close(shm);
	unlink(shm_path);
	unlink(key_path);
	return failed != 0;
}
