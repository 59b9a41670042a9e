/* response.c - filling a response, and its CGI header block (RFC 3875, section 6). */
#include <assert.h>

#include "grapnel/json.h"
#include "loop_int.h"

#define HEAD_MAX (32 * 1024)
#define ERROR_BODY_MAX 4096

void response_header(struct request *rq, const char *name, struct str value)
{
	struct header *h = rq->response.headers, *end = h + ARRAY_SIZE(rq->response.headers) - 1;

	while (h < end && h->name.n && !str_ieqs(h->name, name))
		h++;
	assert(h < end);	/* names are ours, never a peer's */
	*h = (struct header){ str_of(name), value };
}

void response_json(struct request *rq, unsigned status, struct str json)
{
	rq->response.status = status;
	rq->response.content_type = NULL;
	rq->response.body = json;
}

void response_error(struct request *rq, unsigned status, const char *code, const char *message,
	const char *field)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, rq->arena, ERROR_BODY_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "error");
	json_strz(&o, code);
	json_key(&o, "message");
	json_strz(&o, message);
	if (field && *field) {
		json_key(&o, "field");
		json_strz(&o, field);
	}
	json_close(&o, '}');
	response_json(rq, status, strbuf_str(&b));
}

/* To add an error code: its row here, in the order of enum err_code. */
static const struct {
	unsigned status;
	const char *code, *sentence;
} errors[] = {
	[ERR_NONE] = { 500, "internal_error", "The request could not be answered." },
	[ERR_INVALID] = { 400, "invalid_request", "The request cannot be accepted." },
	[ERR_NOT_FOUND] = { 404, "not_found", "There is no such thing here." },
	[ERR_CONFLICT] = { 409, "conflict", "It exists already or has changed meanwhile." },
	[ERR_DENIED] = { 403, "forbidden", "This is not allowed." },
	[ERR_LIMIT] = { 400, "invalid_request", "The request exceeds a limit." },
	[ERR_DOWN] = { 503, "unavailable", "A part of the service does not answer. Try again later." },
	[ERR_UNKNOWN] = { 503, "unavailable", "It is unknown whether this was done. Look before you try again." },
	[ERR_BUG] = { 500, "internal_error", "The request could not be answered." },
};

unsigned err_status(enum err_code code)
{
	return errors[code].status;
}

const char *err_sentence(enum err_code code)
{
	return errors[code].sentence;
}

bool err_is_told(const struct err *e)
{
	return e->text[0] && (e->told || (e->field[0] && (e->code == ERR_INVALID || e->code == ERR_CONFLICT)));
}

/* The store writes for the log, "the name is empty". */
const char *err_told(struct arena *a, const struct err *e)
{
	struct str text = str_of(e->text);
	char first = e->text[0] >= 'a' && e->text[0] <= 'z' ? (char)(e->text[0] & ~32) : e->text[0];

	if (!err_is_told(e))
		return err_sentence(e->code);
	return str_ends(text, ".") ? arena_cstr(a, text) : arena_printf(a, "%c%s.", first, e->text + 1).p;
}

void response_err(struct request *rq, const struct err *e)
{
	response_error(rq, errors[e->code].status, errors[e->code].code, errors[e->code].sentence, e->field);
	if (errors[e->code].status == 503)
		response_header(rq, "Retry-After", STR("5"));
}

/* The phrases of RFC 9110, section 15, for what we answer; others get a blank one, which the RFC allows. */
static const char *reason(unsigned status)
{
	static const struct { unsigned status; const char *phrase; } phrases[] = {
		{ 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" },
		{ 301, "Moved Permanently" }, { 302, "Found" }, { 303, "See Other" }, { 304, "Not Modified" },
		{ 307, "Temporary Redirect" }, { 308, "Permanent Redirect" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 406, "Not Acceptable" }, { 408, "Request Timeout" },
		{ 409, "Conflict" }, { 410, "Gone" }, { 412, "Precondition Failed" },
		{ 413, "Content Too Large" }, { 414, "URI Too Long" }, { 415, "Unsupported Media Type" },
		{ 422, "Unprocessable Content" }, { 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" }, { 502, "Bad Gateway" },
		{ 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "";
}

/* A line break or NUL ends the value: nothing that is stored may add a header of its own. */
static struct str one_line(struct str s)
{
	size_t i = 0;

	while (i < s.n && s.p[i] != '\r' && s.p[i] != '\n' && s.p[i])
		i++;
	return (struct str){ s.p, i };
}

static void line(struct strbuf *b, const char *name, struct str value)
{
	strbuf_adds(b, name);
	strbuf_adds(b, ": ");
	strbuf_addstr(b, one_line(value));
	strbuf_adds(b, "\r\n");
}

static void headers_write(struct strbuf *b, const struct response *r)
{
	const struct header *h;
	bool cache = false;

	for (h = r->headers; h->name.n; h++) {
		line(b, h->name.p, h->value);
		cache = cache || str_ieqs(h->name, "Cache-Control");
	}
	if (!cache)
		strbuf_adds(b, "Cache-Control: no-store\r\n");
}

static bool status_has_body(unsigned status)
{
	return status != 204 && status != 304;
}

bool response_has_body(const struct request *rq)
{
	return status_has_body(rq->response.status) && !str_eqs(rq->method, "HEAD");
}

static void head_write(struct strbuf *b, struct request *rq)
{
	const struct response *r = &rq->response;

	strbuf_addf(b, "Status: %u %s\r\n", r->status, reason(r->status));
	if (status_has_body(r->status)) {
		line(b, "Content-Type", str_of(r->content_type ? r->content_type : "application/json"));
		strbuf_addf(b, "Content-Length: %zu\r\n", r->body.n);
	}
	line(b, "X-Request-Id", str_of(rq->id));
	strbuf_adds(b, "X-Content-Type-Options: nosniff\r\n");
	headers_write(b, r);
	strbuf_adds(b, "\r\n");
}

struct str response_head(struct request *rq)
{
	struct strbuf b;

	strbuf_init(&b, rq->arena, HEAD_MAX);
	head_write(&b, rq);
	if (b.failed) {		/* a handler built a header beyond all measure */
		rq->response = (struct response){ 0 };
		response_error(rq, 500, "internal_error", "The request could not be answered.", NULL);
		strbuf_init(&b, rq->arena, HEAD_MAX);
		head_write(&b, rq);
	}
	return strbuf_str(&b);
}
