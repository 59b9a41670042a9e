/* send.c - many requests at once over one curl_multi: a host that hangs costs its own requests their time and nobody else's.
 *
 * Each new connection passes the guard in CURLOPT_OPENSOCKETFUNCTION, with the address that it is going to and not a name; no proxy of the
 * environment stands in between. A connection that is kept for the next request leads where it led. */
#include <sys/socket.h>
#include <unistd.h>

#include "fetch_int.h"

#define CONNECT_MS_MAX 5000	/* who does not take a connection in that time does not answer either */

struct transfer {
	struct transfer *next, **link;	/* in the list of those under way */
	struct sender *sender;
	CURL *curl;
	struct curl_slist *headers;
	char *kept;			/* of the answer's body */
	size_t kept_n, keep, seen;
	bool forbidden;			/* by the guard */
	char cause[CURL_ERROR_SIZE];
	void (*done)(void *ctx, const struct send_result *result);
	void *ctx;
};

struct sender {
	const struct guard *guard;
	const char *program;
	CURLM *multi;
	struct transfer *busy;
	size_t busy_n;
};

struct sender *sender_new(const char *program, const struct guard *g)
{
	struct sender *s = xcalloc(1, sizeof(*s));

	if (curl_global_init(CURL_GLOBAL_DEFAULT) || !(s->multi = curl_multi_init()))
		die("libcurl does not start");
	s->program = program;
	s->guard = g;
	return s;
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
	free(t->kept);
	free(t);
}

static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct transfer *t = ctx;
	struct ip ip;
	unsigned port;

	if (purpose != CURLSOCKTYPE_IPCXN || !guard_sockaddr(&to->addr, &ip, &port) || !guard_allows(t->sender->guard, &ip) ||
		!guard_port(t->sender->guard, port)) {
		t->forbidden = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Fewer bytes taken than given end the transfer: that is what happens to an answer without end. */
static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t got = size * n, room = t->keep - t->kept_n, take = got < room ? got : room;

	memcpy(t->kept + t->kept_n, p, take);
	t->kept_n += take;
	t->seen += got;
	return t->seen > SEND_DRAIN_MAX ? 0 : got;
}

static void set_options(struct transfer *t, const struct send *x)
{
	unsigned connect_ms = x->total_ms < CONNECT_MS_MAX ? x->total_ms : CONNECT_MS_MAX;
	CURL *c = t->curl;

	fetch_set_limits(c, "https,http", connect_ms, x->total_ms);
	curl_easy_setopt(c, CURLOPT_USERAGENT, t->sender->program);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body.n);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, x->body.n ? x->body.p : "");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->cause);
	curl_easy_setopt(c, CURLOPT_PRIVATE, t);
}

static void set_url(CURL *c, struct str url)
{
	char *text = xmalloc(url.n + 1);

	memcpy(text, url.p, url.n);
	text[url.n] = '\0';
	curl_easy_setopt(c, CURLOPT_URL, text);
	free(text);
}

void send_begin(struct sender *s, const struct send *x)
{
	struct transfer *t = xcalloc(1, sizeof(*t));

	t->sender = s;
	t->curl = curl_easy_init();
	if (!t->curl)
		die("libcurl gives no handle");
	t->headers = fetch_header_list(x->headers, x->header_n);
	t->keep = x->keep;
	t->kept = xmalloc(x->keep + 1);
	t->done = x->done;
	t->ctx = x->ctx;
	set_url(t->curl, x->url);
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

static const char *error_of(const struct transfer *t, CURLcode code, char *text, size_t n)
{
	switch (code) {
	case CURLE_OK:
		return NULL;
	case CURLE_WRITE_ERROR:
		if (t->seen > SEND_DRAIN_MAX)
			return NULL;	/* ours: it was enough */
		break;
	case CURLE_OPERATION_TIMEDOUT:
		return "It did not answer in time.";
	case CURLE_COULDNT_RESOLVE_HOST:
		return "Its name does not resolve.";
	case CURLE_COULDNT_CONNECT:
		if (t->forbidden)
			return "It leads to an address or port that is not allowed.";
		return "It does not take the connection.";
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

static void finish(struct transfer *t, CURLcode code)
{
	char text[CURL_ERROR_SIZE + 16];
	struct send_result result = { .error = error_of(t, code, text, sizeof(text)), .body = { t->kept, t->kept_n } };
	void (*done)(void *ctx, const struct send_result *result) = t->done;
	curl_off_t duration_us = 0, retry_after_s = 0;
	void *ctx = t->ctx;
	long status = 0;

	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->curl, CURLINFO_TOTAL_TIME_T, &duration_us);
	curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
	result.status = (unsigned)status;
	result.duration_us = (uint64_t)duration_us;
	result.retry_after_s = (uint64_t)retry_after_s;
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

void sender_turn(struct sender *s, int wait_ms)
{
	int running;

	if (curl_multi_perform(s->multi, &running))
		die("libcurl fails");
	if (running == (int)s->busy_n && curl_multi_poll(s->multi, NULL, 0, wait_ms, NULL))
		die("libcurl fails");
	if (curl_multi_perform(s->multi, &running))
		die("libcurl fails");
	finish_all(s);
}

void sender_free(struct sender *s)
{
	if (!s)
		return;
	while (s->busy)
		transfer_free(s->busy);
	curl_multi_cleanup(s->multi);
	free(s);
	curl_global_cleanup();
}
