/* hand_over.c - an answer that another worker will give: the request is over for the one who read it, the connection goes on.
 *
 * Its request was read and is gone from the socket, so the next worker gets another one in its place, in a memfd as slow requests are: the
 * same FastCGI request id, on which the web server waits, the few parameters that an answer and its log line need, and the note for a
 * body. Read like any other, so nothing after this file knows the difference but by the note. */
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "loop_int.h"

/* FastCGI Specification 1.0, sections 3.3, 3.4 and 5.1. */
#define VERSION_1 1
#define BEGIN_REQUEST 1
#define PARAMS 4
#define STDIN 5
#define RESPONDER 1
#define CONTENT_MAX 65535
#define NOTE_MAX ((size_t)16 << 20)

static void put_record(struct strbuf *b, unsigned type, unsigned id, struct str content)
{
	const unsigned char head[RECORD_HEADER] = { VERSION_1, (unsigned char)type, (unsigned char)(id >> 8), (unsigned char)id,
		(unsigned char)(content.n >> 8), (unsigned char)content.n };

	strbuf_add(b, head, sizeof(head));
	strbuf_addstr(b, content);
}

/* Cut into records as large as they may be, and the empty one that ends them. */
static void put_stream(struct strbuf *b, unsigned type, unsigned id, struct str bytes)
{
	while (bytes.n) {
		struct str piece = { bytes.p, bytes.n < CONTENT_MAX ? bytes.n : CONTENT_MAX };

		put_record(b, type, id, piece);
		bytes = str_sub(bytes, piece.n);
	}
	put_record(b, type, id, STR_NONE);
}

static void put_length(struct strbuf *b, size_t n)
{
	const unsigned char four[4] = { (unsigned char)(n >> 24 | 0x80), (unsigned char)(n >> 16), (unsigned char)(n >> 8), (unsigned char)n };

	if (n < 0x80)
		strbuf_addc(b, (char)n);
	else
		strbuf_add(b, four, sizeof(four));
}

static void put_param(struct strbuf *b, const char *name, struct str value)
{
	put_length(b, strlen(name));
	put_length(b, value.n);
	strbuf_adds(b, name);
	strbuf_addstr(b, value);
}

static struct str note_request(struct exchange *x)
{
	const struct request *rq = &x->request;
	unsigned id = (unsigned)x->fcgx.requestId;
	const char begin[8] = { 0, RESPONDER };
	struct strbuf params, b;

	strbuf_init(&params, rq->arena, HTTP_PARAMS_MAX);
	put_param(&params, "REQUEST_METHOD", rq->method);
	put_param(&params, "REQUEST_URI", rq->uri);
	put_param(&params, "REMOTE_ADDR", rq->remote_addr);
	put_param(&params, "HTTP_X_REQUEST_ID", str_of(rq->id));
	put_param(&params, "HTTP_TRACEPARENT", rq->traceparent);
	strbuf_init(&b, rq->arena, NOTE_MAX);
	put_record(&b, BEGIN_REQUEST, id, (struct str){ begin, sizeof(begin) });
	put_stream(&b, PARAMS, id, strbuf_str(&params));
	put_stream(&b, STDIN, id, rq->later);
	return b.failed || params.failed ? STR_NONE : strbuf_str(&b);
}

static int note_file(struct exchange *x)
{
	struct str bytes = note_request(x);
	int fd = bytes.n ? memfd_create("note", MFD_CLOEXEC) : -1;

	if (fd < 0)
		return -1;
	if (pwrite(fd, bytes.p, bytes.n, 0) == (ssize_t)bytes.n)	/* its reader begins where it stands */
		return fd;
	close(fd);
	return -1;
}

/* An ingest worker waits for nobody. */
static bool give_away(struct loop *l, const struct connection *noted)
{
	if (l->w->pool == POOL_INGEST) {
		if (l->w->pass_fd < 0 || l->draining || !pass_send(l->w->pass_fd, noted))
			return false;
		close(noted->memfd);
		close(noted->fd);
		count(l->w->shm, C_CONNECTIONS_PASSED, 1);
		return true;
	}
	if (!l->free)
		return false;
	connection_gate(l, connection_take(l, noted), 0);
	return true;
}

bool exchange_hand_over(struct loop *l, struct exchange *x)
{
	struct connection *c = x->connection, noted = { .fd = c->fd, .began_us = c->began_us, .noted = true };

	if (x->failed || c->refuse || !x->request.later.n)
		return false;
	noted.memfd = note_file(x);
	if (noted.memfd < 0)
		return false;
	if (c->polled)	/* the socket lives on, here or elsewhere */
		epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
	c->polled = false;
	if (!give_away(l, &noted)) {
		close(noted.memfd);
		return false;
	}
	c->fd = -1;
	return true;
}
