/* fastcgi.c - the client's side of FastCGI Specification 1.0 for one request without a body: BEGIN_REQUEST, PARAMS, an empty STDIN, and
 * what comes on STDOUT up to END_REQUEST. libfcgi has only the other side. */
#include "fastcgi.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ASK_MAX 16384
#define ANSWER_MAX ((size_t)1 << 20)

enum { BEGIN_REQUEST = 1, END_REQUEST = 3, PARAMS = 4, STDIN = 5, STDOUT = 6 };
enum { VERSION_1 = 1, RESPONDER = 1, REQUEST_ID = 1, HEADER = 8 };

static void add_header(struct strbuf *b, int type, size_t n)
{
	const unsigned char h[HEADER] = { VERSION_1, (unsigned char)type, 0, REQUEST_ID, (unsigned char)(n >> 8), (unsigned char)n };

	strbuf_add(b, h, sizeof(h));
}

/* Section 3.4: a length is one byte below 128, or four with the high bit set. */
static void add_length(struct strbuf *b, size_t n)
{
	if (n >= 0x80) {
		strbuf_addc(b, (char)(n >> 24 | 0x80));
		strbuf_addc(b, (char)(n >> 16));
		strbuf_addc(b, (char)(n >> 8));
	}
	strbuf_addc(b, (char)n);
}

static void add_pair(struct strbuf *b, const char *name, struct str value)
{
	add_length(b, strlen(name));
	add_length(b, value.n);
	strbuf_adds(b, name);
	strbuf_addstr(b, value);
}

static struct str question(struct arena *a, const char *uri, const struct fastcgi_param *params)
{
	static const unsigned char begin[HEADER] = { 0, RESPONDER };
	struct strbuf pairs, b;

	strbuf_init(&pairs, a, ASK_MAX);
	add_pair(&pairs, "REQUEST_METHOD", STR("GET"));
	add_pair(&pairs, "REQUEST_URI", str_of(uri));
	add_pair(&pairs, "SERVER_PROTOCOL", STR("HTTP/1.1"));
	add_pair(&pairs, "REMOTE_ADDR", STR("127.0.0.1"));
	for (; params && params->name; params++)
		add_pair(&pairs, params->name, params->value);
	strbuf_init(&b, a, 2 * ASK_MAX);
	add_header(&b, BEGIN_REQUEST, sizeof(begin));
	strbuf_add(&b, begin, sizeof(begin));
	add_header(&b, PARAMS, pairs.n);
	strbuf_addstr(&b, strbuf_str(&pairs));
	add_header(&b, PARAMS, 0);
	add_header(&b, STDIN, 0);
	return strbuf_str(&b);
}

static int open_socket(const char *path, unsigned wait_ms, struct err *e)
{
	const struct timeval wait = { wait_ms / 1000, wait_ms % 1000 * 1000 };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) &&
		!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) && !connect(fd, (const struct sockaddr *)&sa, sizeof(sa)))
		return fd;
	err_sys(e, ERR_DOWN, "%s", path);
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool read_exactly(int fd, void *out, size_t n, struct err *e)
{
	char *p = out;

	while (n) {
		ssize_t got = recv(fd, p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return err_set(e, ERR_DOWN, "no answer in time");
		if (got < 0)
			return err_sys(e, ERR_DOWN, "the answer broke off");
		if (!got)
			return err_set(e, ERR_DOWN, "the connection was closed before the answer");
		p += got;
		n -= (size_t)got;
	}
	return true;
}

/* All of STDOUT. */
static bool read_answer(struct arena *a, int fd, struct strbuf *to, struct err *e)
{
	unsigned char h[HEADER];

	strbuf_init(to, a, ANSWER_MAX);
	for (;;) {
		size_t n, padding;
		char *content;

		if (!read_exactly(fd, h, sizeof(h), e))
			return false;
		n = (size_t)(h[4] << 8 | h[5]);
		padding = h[6];
		content = arena_alloc(a, n + padding + 1);
		if (h[0] != VERSION_1)
			return err_set(e, ERR_DOWN, "what answers does not speak FastCGI");
		if (!read_exactly(fd, content, n + padding, e))
			return false;
		if (h[1] == END_REQUEST)
			return !to->failed || err_set(e, ERR_LIMIT, "the answer has more than %zu bytes", ANSWER_MAX);
		if (h[1] == STDOUT)
			strbuf_add(to, content, n);
	}
}

/* "Status: 200 OK", other headers, an empty line, the body. */
static bool parse_answer(struct str text, struct fastcgi_answer *out, struct err *e)
{
	uint64_t status = 200;

	while (text.n) {
		struct str value = str_trim(str_until(&text, '\n')), name;

		if (!value.n)
			break;
		name = str_until(&value, ':');
		value = str_trim(value);
		if (str_ieqs(name, "status") && !str_u64(str_word(&value), &status))
			return err_set(e, ERR_DOWN, "its status is no number");
	}
	*out = (struct fastcgi_answer){ (unsigned)status, text };
	return true;
}

bool fastcgi_get(struct arena *a, const char *socket_path, const char *uri, const struct fastcgi_param *params, unsigned wait_ms,
	struct fastcgi_answer *out, struct err *e)
{
	struct str ask = question(a, uri, params);
	int fd = open_socket(socket_path, wait_ms, e);
	struct strbuf answer;
	bool ok;

	if (fd < 0)
		return false;
	ok = send(fd, ask.p, ask.n, MSG_NOSIGNAL) == (ssize_t)ask.n || err_sys(e, ERR_DOWN, "%s: send", socket_path);
	ok = ok && read_answer(a, fd, &answer, e) && parse_answer(strbuf_str(&answer), out, e);
	close(fd);
	return ok;
}
