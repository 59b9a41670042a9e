/* connection.c - the gate: from bytes on a socket to a whole request, and from an answer in a memfd to bytes on a socket.
 *
 * The first looks at a connection take nothing (MSG_PEEK), since most requests are there at once and libfcgi then reads
 * them itself. A connection that showed a part twice is moved into a memfd from then on: waiting longer could be for
 * ever, since many small writes fill a socket buffer with few bytes (70 writes of one byte did). */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop_int.h"

#define PEEKS_MAX 2
#define DEFLATE_RATIO_MAX 1032	/* zlib's technical details: 258 bytes in two bits */
#define SLOW_READS 4		/* of HTTP_PEEK_MAX bytes each turn, so that one upload does not hold up the others */
#define SEND_STEP (64 * 1024)	/* a peer must take this much (or the rest) within response_ms */

enum gate { GATE_WAIT, GATE_WHOLE, GATE_PASSED, GATE_BAD, GATE_GONE };

struct connection *connection_take(struct loop *l, const struct connection *in)
{
	struct connection *c = l->free;

	if (!c)
		return NULL;
	l->free = c->next;
	*c = (struct connection){
		.fd = in->fd, .memfd = in->memfd, .answer_fd = -1, .began_us = in->began_us, .passed = in->passed, .noted = in->noted,
		.stage = in->memfd < 0 ? STAGE_FRESH : STAGE_SLOW,
		.progress.owner = c, .total.owner = c,
	};
	l->waiting_n++;
	return c;
}

static void stage_leave(struct loop *l, struct connection *c)
{
	if (c->stage == STAGE_FRESH || c->stage == STAGE_SLOW)
		l->waiting_n--;
	else if (c->stage == STAGE_SENDING)
		l->sending_n--;
	deadline_drop(&c->progress);
	deadline_drop(&c->total);
}

/* shutdown first: should another process hold a copy of the descriptor, the peer sees the end all the same. */
void connection_close(struct loop *l, struct connection *c)
{
	stage_leave(l, c);
	l->held -= c->stored + (size_t)c->answer_n;
	records_release(&c->records);
	if (c->memfd >= 0)
		close(c->memfd);
	if (c->answer_fd >= 0)
		close(c->answer_fd);
	if (c->fd >= 0) {
		shutdown(c->fd, SHUT_RDWR);
		close(c->fd);
	}
	c->stage = STAGE_FREE;
	c->next = l->free;
	l->free = c;
}

void connection_ready(struct loop *l, struct connection *c)
{
	stage_leave(l, c);
	c->stage = STAGE_READY;
	c->next = NULL;
	*l->ready_end = c;
	l->ready_end = &c->next;
	l->ready_n++;
}

static void classify(struct loop *l, struct connection *c, const struct records *r)
{
	const struct http_handler *h = l->w->handler;

	if (c->classified)
		return;
	c->classified = true;
	c->body_max = SIZE_MAX;
	if (!c->noted)
		c->lane = h->classify(h->ctx, r->method, r->uri, &c->body_max);
}

static enum records_result walk(struct loop *l, struct connection *c, struct records *r, const char *p,
	size_t n)
{
	enum records_result result;
	size_t used;

	do {
		result = records_feed(r, p, n, &used);
		p += used;
		n -= used;
		if (result == RECORDS_PARAMS)
			classify(l, c, r);
	} while (result == RECORDS_PARAMS);
	return result;
}

/* What is announced counts like what came. */
static uint64_t body_size(const struct records *r)
{
	return r->has_length && r->content_length > r->stdin_n ? r->content_length : r->stdin_n;
}

static bool wants_pass(const struct loop *l, const struct connection *c, const struct records *r)
{
	uint64_t size = body_size(r);

	if (l->w->pool != POOL_INGEST || l->w->pass_fd < 0 || l->draining || c->stays || c->drop ||
			!r->params_done)
		return false;
	return c->lane == LANE_WEB || (size > HTTP_PEEK_MAX && size <= c->body_max);
}

/* The socket lives on in the other process, so epoll has to be told. */
static bool passed_on(struct loop *l, struct connection *c, const struct records *r)
{
	if (!wants_pass(l, c, r))
		return false;
	if (!pass_send(l->w->pass_fd, c)) {
		c->stays = true;
		return false;
	}
	if (c->polled)
		epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
	close(c->fd);
	c->fd = -1;
	count(l->w->shm, C_CONNECTIONS_PASSED, 1);
	return true;
}

/* Handlers inflate packed bodies in the batch's memory, up to body_max: 32 gzip bombs of 25 KB were 800 MB. */
static uint64_t weight(const struct connection *c, const struct records *r)
{
	uint64_t most = c->body_n * DEFLATE_RATIO_MAX;

	return !r->packed ? c->body_n : most < c->body_max ? most : c->body_max;
}

static void whole(struct connection *c, const struct records *r)
{
	c->too_large = c->too_large || body_size(r) > c->body_max;
	c->body_short = !c->drop && r->has_length && r->content_length != r->stdin_n;
	c->body_n = c->drop ? 0 : r->stdin_n;
	c->weight = weight(c, r);
}

static enum gate look(struct loop *l, struct connection *c, uint32_t events)
{
	const uint32_t gone = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
	ssize_t n = recv(c->fd, l->buffer, HTTP_PEEK_MAX, MSG_PEEK | MSG_DONTWAIT);
	struct records *r = &l->peeked;
	enum records_result result;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? GATE_WAIT : GATE_GONE;
	if (!n)
		return GATE_GONE;
	records_clear(r);
	result = walk(l, c, r, l->buffer, (size_t)n);
	if (result == RECORDS_BAD)
		return GATE_BAD;
	if (passed_on(l, c, r))
		return GATE_PASSED;
	if (result == RECORDS_WHOLE) {
		whole(c, r);
		return GATE_WHOLE;
	}
	if (events & gone)
		return GATE_BAD;
	if (++c->peeks >= PEEKS_MAX || n == HTTP_PEEK_MAX || body_size(r) > HTTP_PEEK_MAX)
		c->stage = STAGE_SLOW;
	return GATE_WAIT;
}

static bool write_at(int fd, const char *p, size_t n, uint64_t at)
{
	while (n) {
		ssize_t w = pwrite(fd, p, n, (off_t)at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		p += w;
		n -= (size_t)w;
		at += (uint64_t)w;
	}
	return true;
}

/* Keeps the parameters, forgets the body: the memfd becomes a whole request without one. */
static bool drop_body(struct loop *l, struct connection *c)
{
	unsigned char end[RECORD_HEADER];
	uint64_t at = c->records.params_end;

	records_end(&c->records, end);
	if (ftruncate(c->memfd, (off_t)at) || !write_at(c->memfd, (char *)end, sizeof(end), at))
		return false;
	l->held -= c->stored;
	c->stored = at + sizeof(end);
	l->held += c->stored;
	c->drop = true;
	return true;
}

static bool refuse_if_needed(struct loop *l, struct connection *c)
{
	if (c->drop || !c->records.params_done)
		return true;
	c->too_large = body_size(&c->records) > c->body_max;
	if (!c->too_large && l->held <= HTTP_SLOW_BYTES_MAX)
		return true;
	if (!c->too_large)
		c->refuse = 503;
	return drop_body(l, c);
}

/* `kept`: these bytes come from the memfd itself. */
static enum gate slow_take(struct loop *l, struct connection *c, const char *p, size_t n, bool kept)
{
	enum records_result result;

	if (c->drop) {
		c->dropped += n;
	} else {
		if (!kept && !write_at(c->memfd, p, n, c->stored))
			return GATE_BAD;
		c->stored += n;
		l->held += n;
	}
	result = walk(l, c, &c->records, p, n);
	if (result == RECORDS_BAD || !refuse_if_needed(l, c))
		return GATE_BAD;
	if (passed_on(l, c, &c->records))
		return GATE_PASSED;
	if (result != RECORDS_WHOLE && c->dropped < HTTP_DRAIN_MAX)
		return GATE_WAIT;
	whole(c, &c->records);
	return GATE_WHOLE;
}

/* A passed connection brings what its first worker took. */
static enum gate slow_replay(struct loop *l, struct connection *c)
{
	enum gate g = GATE_WAIT;

	while (g == GATE_WAIT) {
		ssize_t n = pread(c->memfd, l->buffer, HTTP_PEEK_MAX, (off_t)c->stored);

		if (n <= 0)
			return n ? GATE_BAD : GATE_WAIT;
		g = slow_take(l, c, l->buffer, (size_t)n, true);
	}
	return g;
}

static enum gate slow_read(struct loop *l, struct connection *c)
{
	enum gate g = GATE_WAIT;
	ssize_t n;
	int i;

	if (c->memfd < 0)
		c->memfd = memfd_create("request", MFD_CLOEXEC);
	else if (!c->records.seen)
		g = slow_replay(l, c);
	if (c->memfd < 0)
		return GATE_BAD;
	for (i = 0; i < SLOW_READS && g == GATE_WAIT; i++) {
		n = recv(c->fd, l->buffer, HTTP_PEEK_MAX, MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? GATE_WAIT : GATE_GONE;
		if (!n)
			return GATE_BAD;	/* cut off in the middle */
		deadline_set(&l->stalled, &c->progress, l->now_us);
		g = slow_take(l, c, l->buffer, (size_t)n, false);
	}
	return g;
}

static void wait_on(struct loop *l, struct connection *c)
{
	bool began = c->peeks || c->stage == STAGE_SLOW;

	if (!c->total.next)
		deadline_set(&l->uploads, &c->total, l->now_us);
	if (!c->progress.next || c->peeks == 1)
		deadline_set(began ? &l->stalled : &l->silent, &c->progress, l->now_us);
	if (!loop_poll(l, c, EPOLLIN | EPOLLRDHUP))
		connection_close(l, c);
}

void connection_gate(struct loop *l, struct connection *c, uint32_t events)
{
	enum gate g = GATE_WAIT;

	if (c->stage == STAGE_FRESH)
		g = look(l, c, events);
	if (g == GATE_WAIT && c->stage == STAGE_SLOW)
		g = slow_read(l, c);
	switch (g) {
	case GATE_WAIT:
		wait_on(l, c);
		break;
	case GATE_WHOLE:
		connection_ready(l, c);
		break;
	case GATE_BAD:
		count(l->w->shm, C_CONNECTIONS_BAD, 1);
		connection_close(l, c);
		break;
	case GATE_PASSED:
	case GATE_GONE:
		connection_close(l, c);
	}
}

void connection_expire(struct loop *l, struct connection *c)
{
	count(l->w->shm, C_CONNECTIONS_EXPIRED, 1);
	if (c->stage == STAGE_SLOW && c->drop) {
		whole(c, &c->records);
		connection_ready(l, c);
	} else {
		connection_close(l, c);
	}
}

/* Less than SEND_STEP in response_ms is no progress: a peer that takes a byte now and then must not hold us for ever. */
static void sending_wait(struct loop *l, struct connection *c)
{
	if (!c->progress.next || c->answer_at >= c->answer_mark) {
		deadline_set(&l->answers, &c->progress, l->now_us);
		c->answer_mark = c->answer_at + SEND_STEP;
	}
	if (!loop_poll(l, c, EPOLLOUT))
		connection_close(l, c);
}

void connection_send(struct loop *l, struct connection *c)
{
	ssize_t n = sendfile(c->fd, c->answer_fd, &c->answer_at, (size_t)(c->answer_n - c->answer_at));

	if ((n <= 0 && errno != EAGAIN && errno != EINTR) || c->answer_at == c->answer_n)
		connection_close(l, c);
	else
		sending_wait(l, c);
}
