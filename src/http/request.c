/* request.c - one request through libfcgi: its stream becomes a struct request, the response becomes its stream.
 *
 * What of libfcgi 2.4.2 matters here (libfcgi/fcgiapp.c, os_unix.c): FCGX_Accept_r first finishes the request before it,
 * which does nothing while `in` is NULL and keepConnection is set; with ipcFd set it does not accept. On a bad stream it
 * closes ipcFd by itself, lingering up to 2 s unless detached, and then accepts on listen_sock, which is -1 here, so that
 * it fails at once. The gate lets no such stream through; should it happen, ipcFd tells (-1) and is not closed twice.
 * FCGX_Finish_r would linger on each connection: the two streams are closed and freed singly instead. */
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "grapnel/trace.h"
#include "loop_int.h"

/* Sampled: whoever gets it next may record it though we do not. */
static void trace_identify(struct request *rq)
{
	struct str given = request_header(rq, "traceparent");
	char *text = arena_alloc(rq->arena, TRACEPARENT + 1);
	struct trace t;

	rq->trace_made = !trace_parse(given, &t);
	if (rq->trace_made)
		trace_begin(&t, TRACE_ALL);
	trace_write(&t, text);
	rq->traceparent = (struct str){ text, TRACEPARENT };
}

static bool id_valid(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= '0' && c <= '9') && !((c | 32) >= 'a' && (c | 32) <= 'z') && c != '.' && c != '_' &&
				c != '-')
			return false;
	}
	return s.n && s.n < sizeof(((struct request *)0)->id);
}

static void identify(struct request *rq)
{
	struct str id = request_header(rq, "x-request-id");

	if (id_valid(id)) {
		memcpy(rq->id, id.p, id.n);
		rq->id[id.n] = '\0';
	} else {
		uuid_make(rq->received_at, rq->id);
	}
	trace_identify(rq);
}

/* "X_GITHUB_EVENT" to "x-github-event" */
static struct str header_name(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n);
	size_t i;

	for (i = 0; i < s.n; i++)
		p[i] = s.p[i] == '_' ? '-' : s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 32) : s.p[i];
	return (struct str){ p, s.n };
}

static bool header_add(struct request *rq, struct str name, struct str value)
{
	if (rq->header_n == HTTP_HEADERS_MAX)
		return false;
	rq->headers[rq->header_n++] = (struct header){ header_name(rq->arena, name), str_trim(value) };
	return true;
}

/* Of equal names the first counts. Content type and length come without HTTP_ from the server itself. */
static bool param_take(struct request *rq, struct str name, struct str value)
{
	if (str_starts(name, "HTTP_")) {
		name = str_sub(name, 5);
		return str_eqs(name, "CONTENT_TYPE") || str_eqs(name, "CONTENT_LENGTH") ||
			header_add(rq, name, value);
	}
	if (str_eqs(name, "CONTENT_TYPE") && value.n)
		return header_add(rq, name, value);
	if (str_eqs(name, "REQUEST_METHOD") && !rq->method.n)
		rq->method = value;
	else if (str_eqs(name, "REQUEST_URI") && !rq->uri.n)
		rq->uri = value;
	else if (str_eqs(name, "REMOTE_ADDR") && !rq->remote_addr.n)
		rq->remote_addr = value;
	else if ((str_eqs(name, "HTTPS") && str_ieqs(value, "on")) ||
			(str_eqs(name, "REQUEST_SCHEME") && str_eqs(value, "https")))
		rq->https = true;
	return true;
}

/* What a web server refuses itself it hands over for the answer (error-handler of lighttpd), as a GET with the status it has in
 * mind: 5xx where a worker died over the request, which must not become a 405 that no sender repeats. 411 is its own notion: a
 * POST without Content-Length has no body (RFC 9112 section 6.3), and `curl -X POST` sends just that. Returns the status to answer
 * with, 0 = none. */
static unsigned handed_over(struct request *rq, struct str status)
{
	uint64_t n;

	if (!str_u64(status, &n) || n < 400 || n > 599)
		return 0;
	if (n != 411)
		return (unsigned)n;
	rq->method = STR("POST");
	return 0;
}

/* The values stay libfcgi's memory, which lives as long as the exchange. Returns the status of a refusal, or 0. */
static unsigned params_read(struct request *rq, char **envp)
{
	struct str rest, redirect_status = STR_NONE;
	bool ok = true;

	rq->headers = ARENA_ARRAY(rq->arena, struct header, HTTP_HEADERS_MAX);
	for (; *envp; envp++) {
		struct str value = str_of(*envp), name = str_until(&value, '=');

		if (str_eqs(name, "REDIRECT_STATUS"))
			redirect_status = value;
		ok = param_take(rq, name, value) && ok;
	}
	rq->query = rq->uri;
	rq->path = str_until(&rq->query, '?');
	rest = request_header(rq, "content-type");
	rq->content_type = arena_lower(rq->arena, str_trim(str_until(&rest, ';')));
	return ok ? handed_over(rq, redirect_status) : 431;
}

/* The gate counted the bytes, so memory is taken once. A refused body is read and forgotten. */
static bool body_read(struct request *rq, const struct connection *c, FCGX_Stream *in)
{
	char sink[4096], *p;
	int n = (int)c->body_n;

	if (c->too_large || c->refuse) {
		while (FCGX_GetStr(sink, sizeof(sink), in) == (int)sizeof(sink))
			;
		return !FCGX_GetError(in);
	}
	p = n ? arena_alloc(rq->arena, (size_t)n) : NULL;
	rq->body = (struct str){ p, (size_t)n };
	return FCGX_GetStr(p, n, in) == n && FCGX_GetChar(in) == EOF && !FCGX_GetError(in);
}

static bool fcgx_open(struct exchange *x)
{
	struct connection *c = x->connection;
	int *fd = c->memfd < 0 ? &c->fd : &c->memfd;

	FCGX_InitRequest(&x->fcgx, -1, 0);
	x->fcgx.ipcFd = *fd;
	x->fcgx.keepConnection = 1;
	FCGX_Detach(&x->fcgx);
	if (!FCGX_Accept_r(&x->fcgx))
		return true;
	if (x->fcgx.ipcFd < 0)
		*fd = -1;	/* closed by libfcgi */
	return false;
}

void exchange_read(struct loop *l, struct exchange *x)
{
	struct connection *c = x->connection;
	struct request *rq = &x->request;
	unsigned refusal;

	x->failed = true;
	*rq = (struct request){
		.arena = l->arena, .connection = c, .body_too_large = c->too_large,
		.body_short = c->body_short, .passed = c->passed, .began_us = c->began_us, .received_at = clock_now(),
	};
	if (!fcgx_open(x))
		return;
	rq->keep_asked = x->fcgx.keepConnection;	/* as the peer's BEGIN_REQUEST said, now that it was read */
	refusal = params_read(rq, x->fcgx.envp);
	if (refusal)
		c->refuse = refusal;
	identify(rq);
	x->failed = !body_read(rq, c, x->fcgx.in);
	if (!c->noted)
		return;
	rq->note = rq->body;
	rq->body = STR_NONE;
}

struct str request_header(const struct request *rq, const char *name)
{
	size_t i;

	for (i = 0; i < rq->header_n; i++)
		if (str_eqs(rq->headers[i].name, name))
			return rq->headers[i].value;
	return STR_NONE;
}

bool request_has(const struct request *rq, struct str etag)
{
	struct str list = request_header(rq, "if-none-match");

	while (list.n) {
		struct str one = str_trim(str_until(&list, ','));

		if (str_starts(one, "W/"))
			one = str_sub(one, 2);
		if (str_eq(one, etag) || str_eqs(one, "*"))
			return true;
	}
	return false;
}

/* Writes the whole framed answer to `fd`. */
static bool answer_write(struct exchange *x, int fd, struct str head, struct str body)
{
	FCGX_Stream *out = x->fcgx.out;

	x->fcgx.ipcFd = fd;
	FCGX_PutStr(head.p, (int)head.n, out);
	if (body.n)
		FCGX_PutStr(body.p, (int)body.n, out);
	FCGX_FClose(x->fcgx.err);	/* first: otherwise the end of the request is a second write */
	FCGX_FClose(out);
	return !FCGX_GetError(out);
}

static bool answer_later(struct loop *l, struct exchange *x, struct str head, struct str body)
{
	struct connection *c = x->connection;

	c->answer_fd = memfd_create("answer", MFD_CLOEXEC);
	if (c->answer_fd < 0 || !answer_write(x, c->answer_fd, head, body))
		return false;
	c->answer_n = lseek(c->answer_fd, 0, SEEK_CUR);
	l->held += (size_t)c->answer_n;
	return true;
}

static void refuse(struct request *rq, unsigned status)
{
	if (status == 431)
		response_error(rq, status, "invalid_request", "Too many header fields.", NULL);
	else if (status == 413)
		response_error(rq, status, "body_too_large", "The body is larger than the web server takes.", NULL);
	else
		response_error(rq, status, "invalid_request", "The web server does not take this request.", NULL);
}

static void answer_settle(struct loop *l, struct exchange *x)
{
	struct request *rq = &x->request;
	struct str *body = &rq->response.body;

	if (x->connection->refuse >= 400 && x->connection->refuse < 500)
		refuse(rq, x->connection->refuse);
	else if (x->connection->refuse || (body->n > l->direct_max &&
			(l->held + body->n > HTTP_SLOW_BYTES_MAX ||
			l->sending_n >= l->w->limits->connections_max))) {
		rq->response = (struct response){ 0 };
		response_error(rq, 503, "unavailable", "Too much is under way. Try again later.", NULL);
		response_header(rq, "Retry-After", STR("5"));
	} else if (!rq->response.status) {
		rq->response = (struct response){ 0 };
		response_error(rq, 500, "internal_error", "The request could not be answered.", NULL);
	}
}

void exchange_answer(struct loop *l, struct exchange *x)
{
	struct connection *c = x->connection;
	struct request *rq = &x->request;
	struct str head, body;

	if (x->failed)
		return;
	answer_settle(l, x);
	head = response_head(rq);
	body = response_has_body(rq) ? rq->response.body : STR_NONE;
	if (body.n <= l->direct_max)
		x->failed = !answer_write(x, c->fd, head, body);
	else
		x->failed = !answer_later(l, x, head, body);
}

void exchange_end(struct loop *l, struct exchange *x)
{
	struct connection *c = x->connection;

	FCGX_Free(&x->fcgx, 0);
	if (c->fd < 0 && !x->failed) {	/* handed over */
		connection_close(l, c);
		return;
	}
	if (x->failed)
		count(l->w->shm, C_CONNECTIONS_BAD, 1);
	if (x->failed || c->answer_fd < 0) {
		connection_close(l, c);
		return;
	}
	if (c->memfd >= 0) {	/* the request is done with: its bytes make room */
		close(c->memfd);
		c->memfd = -1;
		l->held -= c->stored;
		c->stored = 0;
	}
	c->stage = STAGE_SENDING;
	l->sending_n++;
	connection_send(l, c);
}
