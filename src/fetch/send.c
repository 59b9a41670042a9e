/* send.c - many requests at once over one curl_multi, by HTTP and of mail by SMTP: a host that hangs costs its own requests their time and
 * nobody else's.
 *
 * Each new connection passes the guard in CURLOPT_OPENSOCKETFUNCTION, with the address that it is going to and not a name; no proxy of the
 * environment stands in between. A connection that is kept for the next request leads where it led. */
#include <sys/socket.h>
#include <unistd.h>

#include "fetch_int.h"

#define CONNECT_MS_MAX 5000	/* who does not take a connection in that time does not answer either */
#define IDLE_MAX 16		/* connections that are kept; one with TLS holds some 50 KB */

struct transfer {
	struct transfer *next, **link;	/* in the list of those under way */
	struct sender *sender;
	CURL *curl;
	struct curl_slist *headers, *recipients;
	char *kept;			/* of the answer's body */
	size_t kept_n, keep, seen, headers_seen;
	struct str unsent;		/* of a mail */
	bool mail, trusted;
	bool tried, forbidden;		/* by the guard: it let a connection begin; it refused one */
	bool answered;			/* by HTTP, with all of its headers: the status counts, whatever becomes of the body */
	struct told told;
	char cause[CURL_ERROR_SIZE];
	void (*done)(void *ctx, const struct send_result *result);
	void *ctx;
};

struct sender {
	const struct guard *guard;
	const char *program;
	CURLM *multi;
	struct curl_slist *hosts;
	const char *authorities;
	struct spans *spans;		/* NULL: none are made */
	int watched_fd;		/* ends a turn's wait; -1: none */
	struct transfer *busy;
	size_t busy_n;
};

struct sender *sender_new(const char *program, const struct guard *g)
{
	struct sender *s = xcalloc(1, sizeof(*s));

	if (curl_global_init(CURL_GLOBAL_DEFAULT) || !(s->multi = curl_multi_init()))
		die("libcurl does not start");
	curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_MAX);
	curl_multi_setopt(s->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);	/* a connection is one transfer's: see set_options */
	s->program = program;
	s->guard = g;
	s->watched_fd = -1;
	return s;
}

void sender_set_hosts(struct sender *s, const char *hosts, const char *authorities)
{
	s->hosts = fetch_connect_to(hosts);
	s->authorities = authorities;
}

void sender_set_spans(struct sender *s, struct spans *spans)
{
	s->spans = spans;
}

void sender_watch(struct sender *s, int fd)
{
	s->watched_fd = fd;
}

/* ---- one transfer ---- */

static void transfer_free(struct transfer *t)
{
	struct sender *s = t->sender;

	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	s->busy_n--;
	curl_multi_remove_handle(s->multi, t->curl);
	curl_easy_cleanup(t->curl);
	curl_slist_free_all(t->headers);
	curl_slist_free_all(t->recipients);
	free(t->kept);
	free(t);
}

static bool may_go(const struct transfer *t, const struct sockaddr *to)
{
	const struct guard *g = t->sender->guard;
	struct ip ip;
	unsigned port;

	return t->trusted || (guard_sockaddr(to, &ip, &port) && guard_allows(g, &ip) && guard_port(g, port, t->mail));
}

static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct transfer *t = ctx;

	if (purpose != CURLSOCKTYPE_IPCXN || !may_go(t, &to->addr)) {
		t->forbidden = true;
		return CURL_SOCKET_BAD;
	}
	t->tried = true;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Fewer bytes taken than given end the transfer: that is what happens to an answer without end. Its status was said before. */
static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t got = size * n, room = t->keep - t->kept_n, take = got < room ? got : room;

	memcpy(t->kept + t->kept_n, p, take);
	t->kept_n += take;
	t->seen += got;
	return t->seen > SEND_DRAIN_MAX ? 0 : got;
}

/* The line that ends the headers, and not those of an interim answer (100 Continue). */
static bool ends_headers(const struct transfer *t, struct str line)
{
	long status = 0;

	return !str_trim(line).n && !curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status) && status >= 200;
}

/* Of mail these are the server's words, a line each: the last one tells why. */
#define FAREWELL "221"	/* to our QUIT: what was said before it tells why */

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t got = size * n;

	t->headers_seen += got;
	if (t->mail) {
		struct str line = str_cut(str_trim((struct str){ p, got }), t->keep);

		if (str_starts(line, FAREWELL) && t->kept_n)
			return got;
		memcpy(t->kept, line.p, line.n);
		t->kept_n = line.n;
	} else if (ends_headers(t, (struct str){ p, got })) {
		t->answered = true;
	}
	return t->headers_seen > SEND_HEADERS_MAX ? 0 : got;
}

static size_t on_mail(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	struct str piece = t->unsent;

	if (piece.n > size * n)
		piece.n = size * n;
	if (piece.n)
		memcpy(p, piece.p, piece.n);
	t->unsent = str_sub(t->unsent, piece.n);
	return piece.n;
}

/* A text option; curl copies it. */
static void set_text(CURL *c, CURLoption option, struct str s)
{
	char *text = xmalloc(s.n + 1);

	if (s.n)
		memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	curl_easy_setopt(c, option, text);
	free(text);
}

static void set_http(struct transfer *t, const struct send *x)
{
	CURL *c = t->curl;

	curl_easy_setopt(c, CURLOPT_USERAGENT, t->sender->program);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, t->headers);
	if (x->get)
		return;
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body.n);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, x->body.n ? x->body.p : "");
}

static void set_mail(struct transfer *t, const struct send *x)
{
	const struct send_mail *m = x->mail;
	CURL *c = t->curl;

	for (size_t i = 0; i < m->to_n; i++) {
		char address[512];

		snprintf(address, sizeof(address), "<%.*s>", STR_ARG(m->to[i]));
		t->recipients = curl_slist_append(t->recipients, address);
	}
	set_text(c, CURLOPT_MAIL_FROM, m->from);
	curl_easy_setopt(c, CURLOPT_MAIL_RCPT, t->recipients);
	curl_easy_setopt(c, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);	/* one that is refused stops no other */
	curl_easy_setopt(c, CURLOPT_USE_SSL, (long)(m->plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	if (m->user.n) {
		set_text(c, CURLOPT_USERNAME, m->user);
		set_text(c, CURLOPT_PASSWORD, m->password);
	}
	t->unsent = x->body;
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)x->body.n);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, on_mail);
	curl_easy_setopt(c, CURLOPT_READDATA, t);
}

static void set_options(struct transfer *t, const struct send *x)
{
	unsigned connect_ms = x->total_ms < CONNECT_MS_MAX ? x->total_ms : CONNECT_MS_MAX;
	const struct sender *s = t->sender;
	CURL *c = t->curl;

	set_text(c, CURLOPT_URL, x->url);
	fetch_set_limits(c, x->mail ? "smtps,smtp" : "https,http", connect_ms, x->total_ms);
	x->mail ? set_mail(t, x) : set_http(t, x);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	/* A connection that did not pass the guard is nobody else's. On one that was kept libcurl itself sends again what gets no answer. */
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, (long)(x->trusted || x->once));
	curl_easy_setopt(c, CURLOPT_FORBID_REUSE, (long)x->trusted);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->cause);
	curl_easy_setopt(c, CURLOPT_PRIVATE, t);
	if (s->hosts)
		curl_easy_setopt(c, CURLOPT_CONNECT_TO, s->hosts);
	if (s->authorities && *s->authorities)
		curl_easy_setopt(c, CURLOPT_CAINFO, s->authorities);
}

static struct curl_slist *header_list(const struct transfer *t, const struct send *x)
{
	struct curl_slist *list = fetch_header_list(x->headers, x->header_n);
	char line[sizeof("traceparent: ") + TRACEPARENT];

	if (!*t->told.traceparent)
		return list;
	snprintf(line, sizeof(line), "traceparent: %s", t->told.traceparent);
	list = curl_slist_append(list, line);
	if (!list)
		die("libcurl has no memory");
	return list;
}

void send_begin(struct sender *s, const struct send *x)
{
	struct transfer *t = xcalloc(1, sizeof(*t));

	t->sender = s;
	t->mail = x->mail != NULL;
	t->trusted = x->trusted;
	t->curl = curl_easy_init();
	if (!t->curl)
		die("libcurl gives no handle");
	cause_begin(s->spans, x, &t->told);
	t->headers = header_list(t, x);
	t->keep = x->keep;
	t->kept = xmalloc(x->keep + 1);
	t->done = x->done;
	t->ctx = x->ctx;
	set_options(t, x);
	t->next = s->busy;
	t->link = &s->busy;
	if (t->next)
		t->next->link = &t->next;
	s->busy = t;
	s->busy_n++;
	if (curl_multi_add_handle(s->multi, t->curl))
		die("libcurl takes no more transfers");
}

/* ---- its end ---- */

/* A mail server that said no has answered; curl counts that as a failure. */
static bool is_refused_mail(const struct transfer *t, CURLcode code, long status)
{
	return t->mail && status >= 400 && code != CURLE_OPERATION_TIMEDOUT;
}

/* No address of it may be connected to. Where one may, the refused ones are no reason to give up what it may take another time. */
static bool is_forbidden(const struct transfer *t)
{
	return t->forbidden && !t->tried;
}

static bool is_connected(const struct transfer *t)
{
	curl_off_t us = 0;

	return !curl_easy_getinfo(t->curl, CURLINFO_CONNECT_TIME_T, &us) && us > 0;
}

/* `why` it was not, unless the guard has to do with it. */
static const char *unconnected(const struct transfer *t, const char *why)
{
	if (is_forbidden(t))
		return "It leads to an address or port that is not allowed.";
	return t->forbidden ? "One address of its name does not answer, another one is not allowed." : why;
}

static const char *error_of(const struct transfer *t, CURLcode code, char *text, size_t n)
{
	if (code == CURLE_OK || t->answered)
		return NULL;
	switch (code) {
	case CURLE_WRITE_ERROR:
		if (t->headers_seen > SEND_HEADERS_MAX)
			return "Its answer has headers without end.";
		break;
	case CURLE_USE_SSL_FAILED:
		return "It does not offer TLS.";
	case CURLE_OPERATION_TIMEDOUT:
		return is_connected(t) ? "It did not answer in time." : unconnected(t, "It did not answer in time.");
	case CURLE_COULDNT_RESOLVE_HOST:
		return "Its name does not resolve.";
	case CURLE_COULDNT_CONNECT:
		return unconnected(t, "It does not take the connection.");
	case CURLE_PEER_FAILED_VERIFICATION:
		return "Its certificate is not accepted.";
	case CURLE_GOT_NOTHING:
		return "It closed the connection without an answer.";
	default:
		break;
	}
	snprintf(text, n, "No answer: %s.", *t->cause ? t->cause : curl_easy_strerror(code));
	return text;
}

/* The same for machines: few words, whatever goes wrong. */
static const char *failure_word(const struct transfer *t, CURLcode code)
{
	if (is_forbidden(t))
		return "forbidden_address";
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return "timeout";
	case CURLE_COULDNT_RESOLVE_HOST:
		return "name_resolution";
	case CURLE_COULDNT_CONNECT:
		return "connect";
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_USE_SSL_FAILED:
		return "tls";
	default:
		return "no_answer";
	}
}

static void finish(struct transfer *t, CURLcode code)
{
	char text[CURL_ERROR_SIZE + 16];
	struct send_result result = { .body = { t->kept, t->kept_n } };
	void (*done)(void *ctx, const struct send_result *result) = t->done;
	curl_off_t duration_us = 0, retry_after_s = 0;
	void *ctx = t->ctx;
	long status = 0, sent = 0;

	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->curl, CURLINFO_REQUEST_SIZE, &sent);
	curl_easy_getinfo(t->curl, CURLINFO_TOTAL_TIME_T, &duration_us);
	curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
	if (!is_refused_mail(t, code, status))
		result.error = error_of(t, code, text, sizeof(text));
	result.hopeless = result.error && (is_forbidden(t) || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT);
	result.begun = sent > 0;
	result.status = (unsigned)status;
	result.duration_us = (uint64_t)duration_us;
	result.retry_after_s = (uint64_t)retry_after_s;
	result.traceparent = str_of(t->told.traceparent);
	cause_end(t->sender->spans, &t->told, result.status, result.error ? failure_word(t, code) : NULL);
	done(ctx, &result);
	transfer_free(t);
}

size_t sender_busy(const struct sender *s)
{
	return s->busy_n;
}

static void finish_all(struct sender *s)
{
	struct transfer *t;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(s->multi, &left))) {
		CURLcode code = m->data.result;

		if (m->msg == CURLMSG_DONE && !curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t))
			finish(t, code);
	}
}

/* Returns how many have not come to an end. */
static size_t perform(struct sender *s)
{
	int running;

	if (curl_multi_perform(s->multi, &running))
		die("libcurl fails");
	return (size_t)running;
}

void sender_push(struct sender *s)
{
	perform(s);
}

void sender_turn(struct sender *s, int wait_ms)
{
	struct curl_waitfd watched = { .fd = s->watched_fd, .events = CURL_WAIT_POLLIN };

	if (perform(s) == s->busy_n && curl_multi_poll(s->multi, &watched, watched.fd >= 0, wait_ms, NULL))
		die("libcurl fails");
	perform(s);
	finish_all(s);
}

void sender_free(struct sender *s)
{
	if (!s)
		return;
	while (s->busy)
		transfer_free(s->busy);
	curl_multi_cleanup(s->multi);
	curl_slist_free_all(s->hosts);
	free(s);
	curl_global_cleanup();
}
