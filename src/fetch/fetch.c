/* fetch.c - libcurl, told what it may do. A handle for each request: they are rare, and nothing of one is left for the next.
 *
 * Curl's own checks do the work: protocol list, certificate, name, limits of time. What it cannot do is stop before memory is taken,
 * so the body is gathered here, up to its limit. */
#include "fetch_int.h"

#define HEADERS_MAX ((size_t)1 << 20)	/* of one request */
#define GREETING_MAX 65536		/* what a mail server says in all */

struct fetch {
	struct fetch_config c;
	struct curl_slist *hosts;
};

struct answering {
	struct strbuf body;
	char cause[CURL_ERROR_SIZE];
};

/* "host=address:port,..." becomes "host::address:port", whatever the port that was asked for. */
struct curl_slist *fetch_connect_to(const char *hosts)
{
	struct curl_slist *list = NULL;
	struct str rest = str_of(hosts);
	struct arena *a = arena_new(1 << 16);

	while (rest.n) {
		struct str address = str_trim(str_until(&rest, ',')), host = str_until(&address, '=');
		struct str line = arena_printf(a, "%.*s::%.*s", STR_ARG(host), STR_ARG(address));

		if (host.n && address.n)
			list = curl_slist_append(list, line.p);
	}
	arena_free(a);
	return list;
}

struct fetch *fetch_new(const struct fetch_config *c)
{
	struct fetch *f = xcalloc(1, sizeof(*f));

	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		die("libcurl does not start");
	f->c = *c;
	f->hosts = fetch_connect_to(c->hosts);
	return f;
}

void fetch_free(struct fetch *f)
{
	if (!f)
		return;
	curl_slist_free_all(f->hosts);
	free(f);
	curl_global_cleanup();
}

/* Fewer bytes taken than given end the transfer. */
static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct answering *to = ctx;

	strbuf_add(&to->body, p, size * n);
	return to->body.failed ? 0 : size * n;
}

struct curl_slist *fetch_header_list(const struct header *headers, size_t n)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	struct arena *a = arena_new(HEADERS_MAX);

	for (size_t i = 0; i < n; i++)
		list = curl_slist_append(list, arena_printf(a, "%.*s: %.*s", STR_ARG(headers[i].name), STR_ARG(headers[i].value)).p);
	arena_free(a);
	if (!list)
		die("libcurl has no memory");
	return list;
}

void fetch_set_limits(CURL *c, const char *protocols, unsigned connect_ms, unsigned total_ms)
{
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, protocols);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)total_ms);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);	/* no SIGALRM in a process that has its own loop */
}

static void set_test_hosts(CURL *c, const struct fetch *f)
{
	if (f->hosts) {
		curl_easy_setopt(c, CURLOPT_CONNECT_TO, f->hosts);
		curl_easy_setopt(c, CURLOPT_PROXY, "");
	}
	if (f->c.authorities && *f->c.authorities)
		curl_easy_setopt(c, CURLOPT_CAINFO, f->c.authorities);
}

static void set_request(CURL *c, struct arena *a, const struct fetch *f, const struct fetch_request *rq,
	const struct curl_slist *headers)
{
	curl_easy_setopt(c, CURLOPT_URL, arena_cstr(a, rq->url));
	curl_easy_setopt(c, CURLOPT_USERAGENT, f->c.program);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	if (rq->body.p) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body.n);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, rq->body.p);
	}
	if (rq->method)
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, rq->method);
}

static struct str answer_header(CURL *c, struct arena *a, const char *name)
{
	struct curl_header *h;

	if (curl_easy_header(c, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
		return STR_NONE;
	return arena_str(a, str_trim(str_of(h->value)));
}

static bool failed(CURLcode code, const struct answering *to, struct err *e)
{
	const char *cause = *to->cause ? to->cause : curl_easy_strerror(code);

	if (to->body.failed)
		return err_set(e, ERR_LIMIT, "the answer has more than %zu bytes", to->body.max);
	if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)
		return err_set(e, ERR_INVALID, "%s", cause);
	return err_set(e, ERR_DOWN, "%s", cause);
}

bool fetch_run(struct fetch *f, struct arena *a, const struct fetch_request *rq, struct fetch_answer *out, struct err *e)
{
	struct answering to = { 0 };
	struct curl_slist *headers;
	CURL *c;
	CURLcode code;
	long status = 0;
	bool ok;

	if (str_find(rq->url, '\0') >= 0)
		return err_set(e, ERR_INVALID, "a NUL byte in the URL");
	c = curl_easy_init();
	headers = fetch_header_list(rq->headers, rq->header_n);
	if (!c)
		die("libcurl gives no handle");
	strbuf_init(&to.body, a, rq->answer_max);
	fetch_set_limits(c, f->c.plain_too ? "https,http" : "https", rq->connect_ms, rq->total_ms);
	set_test_hosts(c, f);
	set_request(c, a, f, rq, headers);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, to.cause);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &to);
	code = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	ok = code == CURLE_OK || failed(code, &to, e);
	if (ok)
		*out = (struct fetch_answer){ (unsigned)status, strbuf_str(&to.body),
			answer_header(c, a, "content-type"), answer_header(c, a, "cache-control") };
	curl_easy_cleanup(c);
	curl_slist_free_all(headers);
	return ok;
}

/* Its greeting, TLS and the password as before a mail; and in place of one a command that does nothing (RFC 5321, section 4.1.1.9). */
bool fetch_greet(struct fetch *f, struct arena *a, const struct fetch_greeting *x, struct err *e)
{
	struct answering to = { 0 };
	CURL *c = curl_easy_init();
	CURLcode code;

	if (!c)
		die("libcurl gives no handle");
	strbuf_init(&to.body, a, GREETING_MAX);
	fetch_set_limits(c, "smtps,smtp", x->total_ms, x->total_ms);
	set_test_hosts(c, f);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_URL, arena_cstr(a, x->url));
	curl_easy_setopt(c, CURLOPT_USE_SSL, (long)(x->plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, "NOOP");
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &to);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, to.cause);
	if (x->user.n) {
		curl_easy_setopt(c, CURLOPT_USERNAME, arena_cstr(a, x->user));
		curl_easy_setopt(c, CURLOPT_PASSWORD, arena_cstr(a, x->password));
	}
	code = curl_easy_perform(c);
	curl_easy_cleanup(c);
	if (code == CURLE_LOGIN_DENIED)
		return err_set(e, ERR_DENIED, "it does not take the password");
	return code == CURLE_OK || failed(code, &to, e);
}
