/* Many requests at once against a small server on loopback: what comes back, and what is never connected to. */
#include "unit.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "grapnel/fetch.h"

static int listening;
static char base[64];	/* http://127.0.0.1:PORT */
static pid_t server;

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(1);
}

/* What the path asks for. */
static void answer(int fd, const char *request)
{
	char big[4096];

	if (strstr(request, "POST /ok ")) {
		say(fd, "HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
	} else if (strstr(request, "POST /busy ")) {
		say(fd, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: 17\r\nConnection: close\r\n\r\n");
	} else if (strstr(request, "POST /moved ")) {
		say(fd, "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	} else if (strstr(request, "POST /garbage ")) {
		say(fd, "what is HTTP?\r\n\r\n");
	} else if (strstr(request, "POST /cut ")) {
		say(fd, "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nhel");
	} else if (strstr(request, "POST /drip ")) {
		signal(SIGPIPE, SIG_DFL);
		say(fd, "HTTP/1.1 503 Busy\r\nContent-Length: 100000\r\nRetry-After: 17\r\n\r\n");
		for (;; usleep(50000))
			say(fd, "x");
	} else if (strstr(request, "POST /interim ")) {
		say(fd, "HTTP/1.1 102 Processing\r\n\r\n");
		pause();
	} else if (strstr(request, "POST /trailers ")) {
		signal(SIGPIPE, SIG_DFL);
		say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n");
		for (;;)
			say(fd, "X-More: of them\r\n");
	} else if (strstr(request, "POST /kept ")) {
		do
			say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nkept");
		while (read(fd, big, sizeof(big)) > 0);
	} else if (strstr(request, "POST /endless ")) {
		memset(big, 'x', sizeof(big));
		signal(SIGPIPE, SIG_DFL);
		say(fd, "HTTP/1.1 200 OK\r\n\r\n");
		for (;;)
			if (write(fd, big, sizeof(big)) < 0)
				_exit(0);
	} else if (strstr(request, "POST /headers ")) {
		memset(big, 'x', sizeof(big));
		memcpy(big, "X-A: ", 5);
		memcpy(big + sizeof(big) - 2, "\r\n", 2);
		signal(SIGPIPE, SIG_DFL);
		say(fd, "HTTP/1.1 200 OK\r\n");
		for (;;)
			if (write(fd, big, sizeof(big)) < 0)
				_exit(0);
	} else if (strstr(request, "GET /got ")) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\ngot");
	} else if (strstr(request, "POST /hang ")) {
		pause();
	}
}

static void serve(void)
{
	char request[8192];

	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listening, NULL, NULL);
		ssize_t n;

		if (fd < 0)
			_exit(0);
		if (!fork()) {
			n = read(fd, request, sizeof(request) - 1);
			request[n > 0 ? n : 0] = '\0';
			answer(fd, request);
			_exit(0);
		}
		close(fd);
	}
}

static void begin(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(in);

	listening = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert(!bind(listening, (struct sockaddr *)&in, n) && !listen(listening, 64) &&
		!getsockname(listening, (struct sockaddr *)&in, &n));
	snprintf(base, sizeof(base), "http://127.0.0.1:%u", ntohs(in.sin_port));
	server = fork();
	if (!server) {
		setpgid(0, 0);
		serve();
	}
	setpgid(server, server);
}

static void end(void)
{
	kill(-server, SIGKILL);
	waitpid(server, NULL, 0);
	close(listening);
}

struct seen {
	unsigned calls, status;
	bool hopeless;
	char body[64], error[128], traceparent[64];
	uint64_t retry_after_s;
};

static void on_done(void *ctx, const struct send_result *x)
{
	struct seen *s = ctx;

	s->calls++;
	s->status = x->status;
	s->hopeless = x->hopeless;
	s->retry_after_s = x->retry_after_s;
	snprintf(s->body, sizeof(s->body), "%.*s", STR_ARG(x->body));
	snprintf(s->error, sizeof(s->error), "%s", x->error ? x->error : "");
	snprintf(s->traceparent, sizeof(s->traceparent), "%.*s", STR_ARG(x->traceparent));
}

static void post(struct sender *s, const char *url, struct seen *to, unsigned total_ms)
{
	send_begin(s, &(struct send){ .url = str_of(url), .body = STR("{}"), .keep = 8, .total_ms = total_ms, .done = on_done,
		.ctx = to });
}

static void run(struct sender *s)
{
	while (sender_busy(s))
		sender_turn(s, 100);
}

static const struct {
	const char *path;
	unsigned status;
	const char *body, *error;
	uint64_t retry_after_s;
} rows[] = {
	{ "/ok", 202, "hello", "" },
	{ "/busy", 503, "", "", 17 },
	{ "/moved", 302, "", "" },	/* and nobody goes there */
	{ "/endless", 200, "xxxxxxxx", "" },
	{ "/cut", 201, "hel", "" },		/* what the status said is said */
	{ "/drip", 503, "xxxxxxxx", "", 17 },
	{ "/trailers", 200, "ok", "" },
	{ "/interim", 102, "", "It did not answer in time." },
	{ "/headers", 200, "", "Its answer has headers without end." },
	{ "/garbage", 0, "", "No answer: Received HTTP/0.9 when not allowed." },
	{ "/nothing", 0, "", "It closed the connection without an answer." },
	{ "/hang", 0, "", "It did not answer in time." },
};

START_TEST(test_answers)
{
	struct guard *g = guard_new("127.0.0.0/8", "1-65535");
	struct sender *s = sender_new("Grapnel/test", g);
	struct seen seen = { 0 };
	char url[128];

	begin();
	snprintf(url, sizeof(url), "%s%s", base, rows[_i].path);
	post(s, url, &seen, 3000);
	run(s);
	end();
	ck_assert_uint_eq(seen.calls, 1);
	ck_assert_uint_eq(seen.status, rows[_i].status);
	ck_assert_str_eq(seen.body, rows[_i].body);
	ck_assert_msg(!strncmp(seen.error, rows[_i].error, strlen(rows[_i].error)) && !*seen.error == !*rows[_i].error, "%s", seen.error);
	ck_assert_uint_eq(seen.retry_after_s, rows[_i].retry_after_s);
	sender_free(s);
	guard_free(g);
}
END_TEST

/* The connection itself is refused, by address and by name, also where no look at the URL came before. */
START_TEST(test_forbidden)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433" };
	struct guard *g = guard_new("", "1-65535"), *ports = guard_new("127.0.0.0/8 ::1", "443");
	struct guard *const guards[] = { g, ports };

	begin();
	for (size_t i = 0; i < 2 * ARRAY_SIZE(hosts); i++) {
		struct sender *s = sender_new("Grapnel/test", guards[i % 2]);
		struct seen seen = { 0 };
		char url[128];

		snprintf(url, sizeof(url), "http://%s%s/ok", hosts[i / 2], strrchr(base, ':'));
		post(s, url, &seen, 5000);
		run(s);
		ck_assert_uint_eq(seen.calls, 1);
		ck_assert_uint_eq(seen.status, 0);
		ck_assert_str_eq(seen.error, "It leads to an address or port that is not allowed.");
		ck_assert(seen.hopeless);
		sender_free(s);
	}
	end();
	guard_free(g);
	guard_free(ports);
}
END_TEST

/* ---- names that lead elsewhere after they were looked at ---- */

/* The answers of a resolver for "moving.test", one after the other; the last stays. The program's own function is found before that of libc, by curl, too. */
static const char *const *leads_to;
static atomic_uint asked;

typedef int resolver(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	resolver *real = (resolver *)dlsym(RTLD_NEXT, "getaddrinfo");
	char list[128], *rest = list, *one;
	struct addrinfo **end = out;
	unsigned turn, i = 0;

	if (!name || strcmp(name, "moving.test"))
		return real(name, service, hints, out);
	turn = atomic_fetch_add(&asked, 1);
	while (i < turn && leads_to[i + 1])
		i++;
	snprintf(list, sizeof(list), "%s", leads_to[i]);
	while ((one = strsep(&rest, " "))) {
		if (real(one, service, hints, end))
			abort();
		end = &(*end)->ai_next;
	}
	return 0;
}

/* Where nobody may go: another address with the same port. */
static int inside_listen(unsigned port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	inet_pton(AF_INET, "127.0.0.2", &in.sin_addr);
	ck_assert(!bind(fd, (struct sockaddr *)&in, sizeof(in)) && !listen(fd, 64));
	return fd;
}

static bool nobody_came(int fd)
{
	return accept(fd, NULL, NULL) < 0 && errno == EAGAIN;
}

static const struct {
	const char *answers[4];	/* the first one at the look at the URL */
	const char *path;
	unsigned status;
	bool forbidden;
} moves[] = {
	{ { "127.0.0.1" }, "/ok", 202, false },
	{ { "127.0.0.1", "127.0.0.2" }, "/ok", 0, true },
	{ { "127.0.0.1", "127.0.0.2 127.0.0.1" }, "/ok", 202, false },		/* the other one is tried, and may be */
	{ { "127.0.0.1", "127.0.0.1", "127.0.0.2" }, "/kept", 200, false },	/* the connection is kept, and leads where it led */
	{ { "127.0.0.1", "169.254.169.254" }, "/ok", 0, true },
};

START_TEST(test_name_that_moves)
{
	struct guard *g = guard_new("127.0.0.1", "1-65535");
	struct sender *s = sender_new("Grapnel/test", g);
	struct err e = { 0 };
	char url[128];
	int inside;

	begin();
	inside = inside_listen((unsigned)strtoul(strrchr(base, ':') + 1, NULL, 10));
	leads_to = moves[_i].answers;
	atomic_store(&asked, 0);
	snprintf(url, sizeof(url), "http://moving.test%s%s", strrchr(base, ':'), moves[_i].path);
	ck_assert_msg(guard_resolve(g, str_of(url), &e), "%s", e.text);
	for (int again = 0; again < 2; again++) {
		struct seen seen = { 0 };

		post(s, url, &seen, 5000);
		run(s);
		ck_assert_uint_eq(seen.status, moves[_i].status);
		ck_assert_str_eq(seen.error, moves[_i].forbidden ? "It leads to an address or port that is not allowed." : "");
		ck_assert(seen.hopeless == moves[_i].forbidden);
	}
	ck_assert_uint_ge(atomic_load(&asked), 2);
	ck_assert_msg(nobody_came(inside), "somebody was where nobody may go");
	end();
	close(inside);
	sender_free(s);
	guard_free(g);
}
END_TEST

/* What is allowed does not answer: the next address of the name is no way out. */
START_TEST(test_name_with_a_way_round)
{
	static const char *const answers[] = { "127.0.0.1 127.0.0.2", NULL };
	struct guard *g = guard_new("127.0.0.1", "1-65535");
	struct sender *s = sender_new("Grapnel/test", g);
	struct err e = { 0 };
	struct seen seen = { 0 };
	char url[128];
	int inside;

	begin();
	inside = inside_listen((unsigned)strtoul(strrchr(base, ':') + 1, NULL, 10));
	end();
	leads_to = answers;
	atomic_store(&asked, 0);
	snprintf(url, sizeof(url), "http://moving.test%s/ok", strrchr(base, ':'));
	ck_assert(!guard_resolve(g, str_of(url), &e) && e.code == ERR_INVALID);
	post(s, url, &seen, 5000);
	run(s);
	ck_assert_str_eq(seen.error, "One address of its name does not answer, another one is not allowed.");
	ck_assert(!seen.hopeless);	/* the allowed one may take it another time */
	ck_assert(nobody_came(inside));
	close(inside);
	sender_free(s);
	guard_free(g);
}
END_TEST

START_TEST(test_hanging_one_slows_nobody)
{
	struct guard *g = guard_new("127.0.0.0/8", "1-65535");
	struct sender *s = sender_new("Grapnel/test", g);
	struct seen hanging = { 0 }, fine[20] = { { 0 } };
	int64_t began_us = clock_mono_us();
	char hang[128], ok[128];
	size_t done = 0;

	begin();
	snprintf(hang, sizeof(hang), "%s/hang", base);
	snprintf(ok, sizeof(ok), "%s/ok", base);
	post(s, hang, &hanging, 30000);
	for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
		post(s, ok, &fine[i], 30000);
	while (sender_busy(s) > 1)
		sender_turn(s, 100);
	ck_assert(clock_mono_us() - began_us < 20000000);
	for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
		done += fine[i].calls == 1 && fine[i].status == 202;
	ck_assert_uint_eq(done, ARRAY_SIZE(fine));
	ck_assert_uint_eq(hanging.calls, 0);
	sender_free(s);		/* drops what hangs */
	ck_assert_uint_eq(hanging.calls, 0);
	end();
	guard_free(g);
}
END_TEST

/* What the administrator chose goes by no guard, and its connection is not kept for those that must pass. */
START_TEST(test_trusted)
{
	struct guard *g = guard_new("", "443");
	struct sender *s = sender_new("Grapnel/test", g);
	struct seen seen = { 0 }, stranger = { 0 };
	char url[128];

	begin();
	snprintf(url, sizeof(url), "%s/got", base);
	send_begin(s, &(struct send){ .url = str_of(url), .get = true, .trusted = true, .keep = 8, .total_ms = 5000, .done = on_done, .ctx = &seen });
	run(s);
	ck_assert(seen.status == 200 && !strcmp(seen.body, "got"));
	post(s, url, &stranger, 5000);
	run(s);
	ck_assert(stranger.hopeless && !stranger.status);
	end();
	sender_free(s);
	guard_free(g);
}
END_TEST

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"

static struct seen with_cause(struct sender *s, const char *path, const struct send_cause *cause)
{
	struct seen seen = { 0 };
	char url[128];

	snprintf(url, sizeof(url), "%s%s", base, path);
	send_begin(s, &(struct send){ .url = str_of(url), .body = STR("{}"), .trusted = true, .keep = 8, .total_ms = 5000, .cause = cause, .done = on_done,
		.ctx = &seen });
	run(s);
	return seen;
}

START_TEST(test_traces_go_on_as_they_came)
{
	struct guard *g = guard_new("", "443");
	struct sender *s = sender_new("Grapnel/test", g);

	begin();
	ck_assert_str_eq(with_cause(s, "/ok", NULL).traceparent, "");
	ck_assert_str_eq(with_cause(s, "/ok", &(struct send_cause){ .request = 5 }).traceparent, "");
	ck_assert_str_eq(with_cause(s, "/ok", &(struct send_cause){ .traceparent = STR("nonsense") }).traceparent, "");
	ck_assert_str_eq(with_cause(s, "/ok", &(struct send_cause){ .traceparent = STR(PARENT "1"), .request = 5 }).traceparent, PARENT "1");
	end();
	sender_free(s);
	guard_free(g);
}
END_TEST

START_TEST(test_sends_are_told)
{
	static const char state[] = "test_send.tmp";
	struct guard *g = guard_new("", "443");
	struct sender *s = sender_new("Grapnel/test", g);
	struct err e = { 0 };
	struct spans *spans = spans_make(state, NULL, 0, &e);
	const struct send_cause whole = { .traceparent = STR(PARENT "1"), .request = 5, .event = 6, .attempt = 2, .source = STR("in_1"),
		.provider = STR("github") };
	char text[TRACEPARENT + 1];
	struct span got[2];
	struct seen seen;
	struct trace t;

	ck_assert_msg(spans != NULL, "%s", e.text);
	begin();
	sender_set_spans(s, spans);
	seen = with_cause(s, "/busy", &whole);
	ck_assert_uint_eq(spans_read(spans, got, 2), 1);
	ck_assert(trace_parse(STR(PARENT "1"), &t) && !memcmp(got[0].trace, t.id, 16));
	t.span = got[0].id;
	trace_write(&t, text);
	ck_assert_str_eq(seen.traceparent, text);
	ck_assert(got[0].parent == span_id(5, SPAN_RECEIVE) && got[0].name == SPAN_SEND && got[0].flags == TRACE_SAMPLED && got[0].failed);
	ck_assert(got[0].status == 503 && got[0].event == 6 && got[0].request == 5 && got[0].attempt == 2 && got[0].ended_us >= got[0].began_us);
	ck_assert(!strcmp(got[0].place, "127.0.0.1") && got[0].port && !strcmp(got[0].reason, "503") && !strcmp(got[0].method, "POST"));
	ck_assert(!strcmp(got[0].source, "in_1") && !strcmp(got[0].provider, "github"));
	/* without a number of ours the parent is the one that is named */
	with_cause(s, "/ok", &(struct send_cause){ .traceparent = STR(PARENT "1"), .message = 9 });
	ck_assert_uint_eq(spans_read(spans, got, 2), 1);
	ck_assert(got[0].parent == 0xb7ad6b7169203331 && got[0].message == 9 && !got[0].failed && !*got[0].reason);
	with_cause(s, "/garbage", &whole);
	ck_assert_uint_eq(spans_read(spans, got, 2), 1);
	ck_assert(got[0].failed && !got[0].status && *got[0].reason);
	/* who is not to be traced, what has no cause, and a trace that begins here at a ratio of nothing */
	ck_assert_str_eq(with_cause(s, "/ok", &(struct send_cause){ .traceparent = STR(PARENT "0"), .request = 5 }).traceparent, PARENT "0");
	ck_assert_str_eq(with_cause(s, "/ok", NULL).traceparent, "");
	seen = with_cause(s, "/ok", &(struct send_cause){ .message = 9 });
	ck_assert(trace_parse(str_of(seen.traceparent), &t) && !(t.flags & TRACE_SAMPLED));
	ck_assert_uint_eq(spans_read(spans, got, 2), 0);
	end();
	sender_free(s);
	spans_free(spans);
	guard_free(g);
	unlink("test_send.tmp.spans");
}
END_TEST

START_TEST(test_a_bell_ends_the_wait)
{
	struct guard *g = guard_new("", "443");
	struct sender *s = sender_new("Grapnel/test", g);
	int64_t began_us = clock_mono_us();
	int bell[2];

	ck_assert(!pipe(bell) && write(bell[1], "x", 1) == 1);
	sender_watch(s, bell[0]);
	sender_turn(s, 30000);
	ck_assert(clock_mono_us() - began_us < 10000000);
	sender_free(s);
	guard_free(g);
	close(bell[0]);
	close(bell[1]);
}
END_TEST

/* Once it was heard by the push: the turn after it waited for what was over. */
START_TEST(test_a_push_ends_nothing_and_the_turn_behind_it_does_not_wait)
{
	struct guard *g = guard_new("127.0.0.0/8", "1-65535");
	struct sender *s = sender_new("Grapnel/test", g);
	struct seen seen = { 0 };
	int64_t began_us;
	char url[128];

	begin();
	snprintf(url, sizeof(url), "%s/ok", base);
	post(s, url, &seen, 30000);
	for (size_t i = 0; i < 50; i++) {
		sender_push(s);
		usleep(10000);
	}
	ck_assert_uint_eq(seen.calls, 0);
	ck_assert_uint_eq(sender_busy(s), 1);
	began_us = clock_mono_us();
	while (!seen.calls)
		sender_turn(s, 30000);
	ck_assert(clock_mono_us() - began_us < 10000000);
	ck_assert_uint_eq(seen.status, 202);
	sender_free(s);
	end();
	guard_free(g);
}
END_TEST

/* ---- mail ---- */

/* A mail server that knows one user, and what came. Its greeting and its word on the text are given. */
struct post_office {
	const char *greeting, *accepted;
};

static void talk(int fd, const struct post_office *p)
{
	FILE *in = fdopen(fd, "r");
	char line[1024];
	bool text = false;

	say(fd, p->greeting);
	while (fgets(line, sizeof(line), in)) {
		if (text && strcmp(line, ".\r\n"))
			continue;
		if (text)
			say(fd, p->accepted);
		else if (!strncmp(line, "EHLO hooks.example.org", 22))
			say(fd, "250-post\r\n250 SIZE 1000000\r\n");
		else if (!strncmp(line, "MAIL FROM:<a@b.example>", 23) || !strncmp(line, "RCPT TO:<ann@", 13))
			say(fd, "250 fine\r\n");
		else if (!strncmp(line, "RCPT TO:<", 9))
			say(fd, "550 5.1.1 no such user\r\n");
		else if (!strncmp(line, "DATA", 4))
			say(fd, "354 go on\r\n");
		else if (!strncmp(line, "QUIT", 4))
			break;
		else
			say(fd, "500 what?\r\n");
		text = !text && !strncmp(line, "DATA", 4);
	}
	_exit(0);
}

static void begin_post_office(const struct post_office *p)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(in);

	listening = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert(!bind(listening, (struct sockaddr *)&in, n) && !listen(listening, 64) &&
		!getsockname(listening, (struct sockaddr *)&in, &n));
	snprintf(base, sizeof(base), "smtp://127.0.0.1:%u/hooks.example.org", ntohs(in.sin_port));
	server = fork();
	if (!server) {
		setpgid(0, 0);
		talk(accept(listening, NULL, NULL), p);
	}
	setpgid(server, server);
}

#define HELLO "220 post ESMTP\r\n"
#define TAKEN "250 2.0.0 queued as 17\r\n"
static const struct {
	struct post_office office;
	const char *to, *also;
	bool plain;
	unsigned status;
	const char *body, *error;
} mails[] = {
	{ { HELLO, TAKEN }, "ann@c.example", NULL, true, 250, "250 2.0.0 queued as 17", "" },
	{ { HELLO, TAKEN }, "ann@c.example", "bob@c.example", true, 250, "250 2.0.0 queued as 17", "" },
	{ { HELLO, TAKEN }, "bob@c.example", NULL, true, 550, "550 5.1.1 no such user", "" },
	{ { HELLO, "451 4.7.1 come back later\r\n" }, "ann@c.example", NULL, true, 451, "451 4.7.1 come back later", "" },
	{ { "421 busy\r\n", "" }, "ann@c.example", NULL, true, 421, "421 busy", "" },
	{ { HELLO, TAKEN }, "ann@c.example", NULL, false, 250, NULL, "It does not offer TLS." },
	{ { "", "" }, "ann@c.example", NULL, true, 0, NULL, "It did not answer in time." },
};

START_TEST(test_mail)
{
	struct guard *g = guard_new("127.0.0.0/8", "1-65535");
	struct sender *s = sender_new("Grapnel/test", g);
	const struct str to[] = { str_of(mails[_i].to), str_of(mails[_i].also) };
	const struct send_mail mail = { .from = STR("a@b.example"), .to = to, .to_n = mails[_i].also ? 2 : 1, .plain = mails[_i].plain };
	struct seen seen = { 0 };

	begin_post_office(&mails[_i].office);
	send_begin(s, &(struct send){ .url = str_of(base), .body = STR("Subject: x\r\n\r\nHello\r\n.\r\nworld\r\n"), .mail = &mail, .keep = 63,
		.total_ms = strstr(mails[_i].error, "in time") ? 1000 : 30000, .done = on_done, .ctx = &seen });
	run(s);
	end();
	ck_assert_uint_eq(seen.calls, 1);
	ck_assert_str_eq(seen.error, mails[_i].error);
	if (!*mails[_i].error) {
		ck_assert_uint_eq(seen.status, mails[_i].status);
		ck_assert_str_eq(seen.body, mails[_i].body);
	}
	sender_free(s);
	guard_free(g);
}
END_TEST

UNIT_MAIN("send", UNIT_ROWS(test_answers, rows), UNIT(test_forbidden), UNIT_ROWS(test_name_that_moves, moves),
	UNIT(test_name_with_a_way_round), UNIT(test_hanging_one_slows_nobody), UNIT(test_trusted),
	UNIT(test_traces_go_on_as_they_came), UNIT(test_sends_are_told), UNIT(test_a_bell_ends_the_wait),
	UNIT(test_a_push_ends_nothing_and_the_turn_behind_it_does_not_wait), UNIT_ROWS(test_mail, mails))
