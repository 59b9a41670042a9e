/* receiver - takes the deliveries of endpoints as fast as they come, and notes when. One thread, one epoll, keep-alive.
 *
 * The log has a line for each request: microseconds since 1970 when its last byte was read, path, webhook-id, the number behind "bench-mark-" in
 * its body (0 = none), and "signed" where its Standard Webhooks signature is that of SECRET, else "unsigned". What is sent to a path that begins
 * with /hang is noted and never answered. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX (128 * 1024)
#define EVENTS_MAX 64
#define BACKLOG 1024
#define PATH_MAX_SHOWN 64
#define ID_MAX 64
#define SIGNED_MAX (REQUEST_MAX + 256)
#define MARK "bench-mark-"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

struct conn {
	int fd;
	size_t n;
	char in[REQUEST_MAX];
};

struct receiver {
	int epoll, listening;
	FILE *log;
	const char *secret;
};

/* A piece of a request, not terminated. */
struct piece {
	const char *p;
	size_t n;
};

struct request {
	struct piece path, id, timestamp, signature, body;
	size_t bytes;
};

static void fail(const char *what)
{
	fprintf(stderr, "receiver: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void watch(const struct receiver *r, int fd, void *what)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = what };

	if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &ev))
		fail("epoll_ctl");
}

static struct piece header(struct piece head, const char *name)
{
	size_t name_n = strlen(name);
	const char *line = head.p, *end = head.p + head.n, *stop;

	while ((line = memmem(line, (size_t)(end - line), "\r\n", 2))) {
		line += 2;
		if ((size_t)(end - line) <= name_n || strncasecmp(line, name, name_n))
			continue;
		line += name_n;
		line += strspn(line, " ");
		stop = memmem(line, (size_t)(end - line), "\r\n", 2);
		return (struct piece){ line, (size_t)(stop - line) };
	}
	return (struct piece){ "", 0 };
}

/* False: more is to come. */
static bool request_read(const struct conn *c, struct request *rq)
{
	const char *end = memmem(c->in, c->n, "\r\n\r\n", 4), *path, *stop;
	struct piece head;

	if (!end)
		return false;
	head = (struct piece){ c->in, (size_t)(end - c->in) + 4 };
	path = memchr(head.p, ' ', head.n);
	stop = path ? memchr(path + 1, ' ', head.n - (size_t)(path + 1 - head.p)) : NULL;
	rq->path = stop ? (struct piece){ path + 1, (size_t)(stop - path) - 1 } : (struct piece){ "?", 1 };
	rq->id = header(head, "webhook-id:");
	rq->timestamp = header(head, "webhook-timestamp:");
	rq->signature = header(head, "webhook-signature:");
	rq->body = (struct piece){ head.p + head.n, strtoul(header(head, "content-length:").p, NULL, 10) };
	rq->bytes = head.n + rq->body.n;
	return c->n >= rq->bytes;
}

/* "v1," and base64 of HMAC-SHA256 over id, timestamp and body with dots between them. */
static bool is_signed(const struct receiver *r, const struct request *rq)
{
	static char content[SIGNED_MAX];
	unsigned char digest[32], text[64];
	size_t n = rq->id.n + rq->timestamp.n + rq->body.n + 2;
	int text_n;

	if (n > sizeof(content))
		return false;
	memcpy(content, rq->id.p, rq->id.n);
	content[rq->id.n] = '.';
	memcpy(content + rq->id.n + 1, rq->timestamp.p, rq->timestamp.n);
	content[rq->id.n + 1 + rq->timestamp.n] = '.';
	memcpy(content + rq->id.n + rq->timestamp.n + 2, rq->body.p, rq->body.n);
	HMAC(EVP_sha256(), r->secret, (int)strlen(r->secret), (unsigned char *)content, n, digest, NULL);
	text_n = EVP_EncodeBlock(text, digest, sizeof(digest));
	return rq->signature.n == (size_t)text_n + 3 && !memcmp(rq->signature.p, "v1,", 3) &&
		!memcmp(rq->signature.p + 3, text, (size_t)text_n);
}

static uint64_t mark(struct piece body)
{
	const char *p = memmem(body.p, body.n, MARK, strlen(MARK));

	return p ? strtoull(p + strlen(MARK), NULL, 10) : 0;
}

static int shown(struct piece p, size_t max)
{
	return (int)(p.n < max ? p.n : max);
}

static void note(const struct receiver *r, const struct request *rq)
{
	uint64_t at = now_us();

	fprintf(r->log, "%" PRIu64 " %.*s %.*s %" PRIu64 " %s\n", at, shown(rq->path, PATH_MAX_SHOWN), rq->path.p, shown(rq->id, ID_MAX), rq->id.p,
		mark(rq->body), is_signed(r, rq) ? "signed" : "unsigned");
}

static void conn_end(struct conn *c)
{
	close(c->fd);	/* leaves the epoll by itself */
	free(c);
}

static void conn_serve(const struct receiver *r, struct conn *c)
{
	ssize_t got = recv(c->fd, c->in + c->n, sizeof(c->in) - c->n - 1, MSG_DONTWAIT);
	struct request rq;
	bool hangs;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		conn_end(c);
		return;
	}
	c->n += (size_t)got;
	c->in[c->n] = '\0';	/* numbers are read up to it */
	if (!request_read(c, &rq))
		return;
	note(r, &rq);
	hangs = !strncmp(rq.path.p, "/hang", 5);
	memmove(c->in, c->in + rq.bytes, c->n - rq.bytes);
	c->n -= rq.bytes;
	if (!hangs && send(c->fd, ANSWER, strlen(ANSWER), MSG_NOSIGNAL) < 0)
		conn_end(c);
}

static void take(const struct receiver *r)
{
	int one = 1, fd = accept4(r->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct conn *c;

	if (fd < 0)
		return;
	c = calloc(1, sizeof(*c));
	if (!c)
		fail("memory");
	c->fd = fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	watch(r, fd, c);
}

static void listen_at(struct receiver *r, const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;

	r->listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(r->listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (r->listening < 0 || bind(r->listening, (struct sockaddr *)&at, sizeof(at)) || listen(r->listening, BACKLOG))
		fail("listen");
	watch(r, r->listening, NULL);
}

int main(int argc, char **argv)
{
	struct receiver r = { 0 };
	struct epoll_event events[EVENTS_MAX];

	if (argc != 4) {
		fprintf(stderr, "usage: receiver PORT LOG SECRET\n");
		return 2;
	}
	r.secret = argv[3];
	r.epoll = epoll_create1(EPOLL_CLOEXEC);
	r.log = fopen(argv[2], "ae");
	if (r.epoll < 0 || !r.log)
		fail(argv[2]);
	listen_at(&r, argv[1]);
	for (;;) {
		int n = epoll_wait(r.epoll, events, EVENTS_MAX, -1);

		for (int i = 0; i < n; i++)
			events[i].data.ptr ? conn_serve(&r, events[i].data.ptr) : take(&r);
		fflush(r.log);
	}
}
