/* Responses and their CGI header block, src/http/response.c. */
#include "src/http/loop_int.h"
#include "unit.h"

/* A new request; the one before it ends. */
static struct request *fresh(const char *method)
{
	static struct arena *a;
	struct request *rq;

	arena_free(a);
	a = arena_new(1 << 20);
	rq = ARENA_NEW(a, struct request);
	rq->arena = a;
	rq->method = str_of(method);
	snprintf(rq->id, sizeof(rq->id), "id-1");
	return rq;
}

START_TEST(test_json)
{
	struct request *rq = fresh("POST");

	response_json(rq, 201, STR("{}"));
	unit_str(response_head(rq), "Status: 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
		"X-Request-Id: id-1\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n\r\n");
	ck_assert(response_has_body(rq));
}
END_TEST

START_TEST(test_headers)
{
	struct request *rq = fresh("GET");

	rq->response.status = 299;
	rq->response.content_type = "text/html; charset=utf-8";
	rq->response.body = STR("<p>");
	response_header(rq, "Allow", STR("GET"));
	response_header(rq, "cache-control", STR("max-age=60"));
	response_header(rq, "allow", STR("PUT"));	/* replaces */
	unit_str(response_head(rq), "Status: 299 \r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 3\r\n"
		"X-Request-Id: id-1\r\nX-Content-Type-Options: nosniff\r\nallow: PUT\r\n"
		"cache-control: max-age=60\r\n\r\n");
}
END_TEST

static const struct {
	struct str value;
	const char *shown;
} values[] = {
	{ STR_NONE, "" },
	{ STR("/a"), "/a" },
	{ STR("/a\r\nSet-Cookie: x"), "/a" },
	{ STR("/a\nSet-Cookie: x"), "/a" },
	{ STR("/a\rb"), "/a" },
	{ STR("/a\0b"), "/a" },
	{ STR("\r\n\r\n<script>"), "" },
};

START_TEST(test_value_is_one_line)
{
	struct request *rq = fresh("GET");
	char want[100];

	response_json(rq, 303, STR("{}"));
	response_header(rq, "Location", values[_i].value);
	snprintf(want, sizeof(want), "\r\nLocation: %s\r\nCache-Control: no-store\r\n\r\n", values[_i].shown);
	ck_assert(str_ends(response_head(rq), want));
}
END_TEST

START_TEST(test_no_body)
{
	struct request *rq = fresh("HEAD");

	response_json(rq, 200, STR("{}"));
	ck_assert(!response_has_body(rq));
	ck_assert_ptr_nonnull(strstr(arena_cstr(rq->arena, response_head(rq)), "\r\nContent-Length: 2\r\n"));
	rq = fresh("DELETE");
	rq->response.status = 204;
	ck_assert(!response_has_body(rq));
	ck_assert_ptr_null(strstr(arena_cstr(rq->arena, response_head(rq)), "Content-Length"));
}
END_TEST

static const struct {
	enum err_code code;
	const char *field;
	unsigned status;
	const char *starts;
} errors[] = {
	{ ERR_NONE, "", 500, "{\"error\":\"internal_error\",\"message\":\"" },
	{ ERR_INVALID, "name", 400, "{\"error\":\"invalid_request\",\"message\":\"" },
	{ ERR_NOT_FOUND, "", 404, "{\"error\":\"not_found\",\"message\":\"" },
	{ ERR_CONFLICT, "", 409, "{\"error\":\"conflict\",\"message\":\"" },
	{ ERR_DENIED, "", 403, "{\"error\":\"forbidden\",\"message\":\"" },
	{ ERR_LIMIT, "depth", 400, "{\"error\":\"invalid_request\",\"message\":\"" },
	{ ERR_DOWN, "", 503, "{\"error\":\"unavailable\",\"message\":\"" },
	{ ERR_UNKNOWN, "", 503, "{\"error\":\"unavailable\",\"message\":\"" },
	{ ERR_BUG, "", 500, "{\"error\":\"internal_error\",\"message\":\"" },
};

START_TEST(test_err)
{
	struct request *rq = fresh("GET");
	struct err e = { .code = errors[_i].code, .text = "SELECT secret" };
	char *body;

	snprintf(e.field, sizeof(e.field), "%s", errors[_i].field);
	response_err(rq, &e);
	body = arena_cstr(rq->arena, rq->response.body);
	ck_assert_uint_eq(rq->response.status, errors[_i].status);
	ck_assert(str_starts(rq->response.body, errors[_i].starts));
	ck_assert_ptr_null(strstr(body, "secret"));
	ck_assert_int_eq(!!strstr(body, "\"field\":"), errors[_i].field[0] != '\0');
	ck_assert_int_eq(rq->response.headers[0].name.n > 0, errors[_i].status == 503);	/* Retry-After */
}
END_TEST

static const struct {
	struct err e;
	const char *says;
} told[] = {
	{ { .code = ERR_INVALID, .field = "name", .text = "the name is empty" }, "The name is empty." },
	{ { .code = ERR_CONFLICT, .told = true, .text = "It is resolved already." }, "It is resolved already." },
	{ { .code = ERR_DENIED, .told = true, .text = "42 is too many" }, "42 is too many." },
	{ { .code = ERR_INVALID, .text = "column x" }, "The request cannot be accepted." },
	{ { .code = ERR_DENIED, .field = "tenant", .text = "user 7" }, "This is not allowed." },
	{ { .code = ERR_DOWN, .field = "x", .text = "socket /run/x" }, "A part of the service does not answer. Try again later." },
	{ { .code = ERR_INVALID, .field = "x" }, "The request cannot be accepted." },
};

START_TEST(test_told)
{
	ck_assert_str_eq(err_told(fresh("GET")->arena, &told[_i].e), told[_i].says);
}
END_TEST

START_TEST(test_error_is_escaped)
{
	struct request *rq = fresh("GET");

	response_error(rq, 400, "invalid_payload", "a \"b\"", "x\n");
	unit_str(rq->response.body, "{\"error\":\"invalid_payload\",\"message\":\"a \\\"b\\\"\",\"field\":\"x\\n\"}");
}
END_TEST

START_TEST(test_monstrous_header)
{
	struct request *rq = fresh("GET");
	size_t n = 100000;
	char *p = arena_alloc(rq->arena, n);

	memset(p, 'a', n);
	response_json(rq, 200, STR("{}"));
	response_header(rq, "Link", (struct str){ p, n });
	ck_assert(str_starts(response_head(rq), "Status: 500 "));
	ck_assert_uint_eq(rq->response.status, 500);
}
END_TEST

static const struct {
	const char *given;
	bool has;
} lists[] = {
	{ NULL, false }, { "", false }, { "\"abc\"", true }, { "\"ab\"", false }, { "abc", false }, { "W/\"abc\"", true }, { "*", true },
	{ "\"x\", W/\"abc\"", true }, { "\"x\" ,\"y\"", false }, { ",, \"abc\" ,", true }, { "W/", false }, { "w/\"abc\"", false },
};

START_TEST(test_who_has_it)
{
	struct request *rq = fresh("GET");
	struct header h = { STR("if-none-match"), str_of(lists[_i].given) };

	rq->headers = &h;
	rq->header_n = lists[_i].given ? 1 : 0;
	ck_assert(request_has(rq, STR("\"abc\"")) == lists[_i].has);
}
END_TEST

UNIT_MAIN("response", UNIT(test_json), UNIT(test_headers), UNIT_ROWS(test_value_is_one_line, values),
	UNIT(test_no_body), UNIT_ROWS(test_err, errors), UNIT_ROWS(test_told, told), UNIT(test_error_is_escaped), UNIT(test_monstrous_header), UNIT_ROWS(test_who_has_it, lists))
