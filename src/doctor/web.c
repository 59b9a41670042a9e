/* web.c - the way of a request from outside to the workers. The probe goes the way of webhooks and pages, and tells what arrived; so the
 * web server's files are not read, and any web server may be in use, with any number of proxies before it. */
#include "doctor_int.h"

#include <inttypes.h>
#include <stdlib.h>

#include "fastcgi.h"
#include "grapnel/fetch.h"
#include "grapnel/json.h"
#include "grapnel/probe.h"
#include "grapnel/provider.h"
#include "tls.h"

#define WAIT_MS 10000
#define UPLOAD_MS 60000
#define ANSWER_MAX 65536
#define PAGE "/healthz"			/* any path of the web workers */

/* ---- asking ---- */

static const char *base_url(const struct doctor *d)
{
	return d->c->url ? d->c->url : d->conf.server.public_url;
}

/* A JSON object into the struct that the table describes: what is missing stays empty. */
static void read_fields(const struct json *doc, const struct field *fields, void *obj)
{
	for (const struct field *f = fields; f->name; f++) {
		struct str text = json_text(json_get(doc, f->name));
		void *at = (char *)obj + f->offset;
		uint64_t n = 0;

		if (f->type == FIELD_TYPE_STR)
			*(struct str *)at = text;
		else if (f->type == FIELD_TYPE_BOOL)
			*(bool *)at = str_eqs(text, "true");
		else if (f->type == FIELD_TYPE_U64)
			*(uint64_t *)at = str_u64(text, &n) ? n : 0;
	}
}

/* False: that is no answer of a worker that has our key. */
static bool read_probe(struct doctor *d, struct str text, struct probe *p)
{
	const struct json *doc;
	struct err e = { 0 };

	*p = (struct probe){ 0 };
	if (!json_parse(d->a, text, &doc, &e))
		return false;
	read_fields(doc, probe_fields, p);
	return p->pool.n > 0;
}

struct asked {
	bool answered;		/* by whomever */
	unsigned status;
	bool is_ours;
	struct probe probe;
	struct err e;
};

/* Through the web server; with a body it is a POST. */
static struct asked ask(struct doctor *d, const char *uri, struct str body)
{
	const struct header headers[] = { { STR("X-Grapnel-Probe"), probe_question(d->a, d->seal, clock_now()) },
		{ STR("Authorization"), STR("Bearer doctor") } };
	struct fetch *fetch = fetch_new(&(struct fetch_config){ .program = d->c->program, .plain_too = true });
	struct fetch_answer answer;
	struct asked x = { 0 };

	x.answered = fetch_run(fetch, d->a, &(struct fetch_request){ body.n ? "POST" : "GET", arena_printf(d->a, "%s%s", base_url(d), uri),
		headers, ARRAY_SIZE(headers), body, ANSWER_MAX, WAIT_MS, body.n ? UPLOAD_MS : WAIT_MS }, &answer, &x.e);
	fetch_free(fetch);
	if (x.answered) {
		x.status = answer.status;
		x.is_ours = answer.status == 200 && read_probe(d, answer.body, &x.probe);
	}
	return x;
}

/* ---- past the web server: with what do the workers run? ---- */

static void look_at_switches(struct doctor *d, const struct probe *p)
{
	if (!p->verify_signatures)
		say(d, DOCTOR_FAIL, "take INTEGRATION_VERIFY_SIGNATURES out of the environment of grapnel.fcgi and restart it",
			"grapnel.fcgi runs without verifying signatures: anybody may send anything");
	if (!p->rate_limit)
		say(d, DOCTOR_WARN, "take INTEGRATION_RATE_LIMIT out of the environment of grapnel.fcgi and restart it",
			"grapnel.fcgi runs without rate limits");
	if (p->debug)
		say(d, DOCTOR_WARN, "take WEBHOOK_DEBUG out of the environment of grapnel.fcgi and restart it",
			"grapnel.fcgi explains each failed proof in the log");
}

static void look_running(struct doctor *d)
{
	const struct fastcgi_param params[] = { { "HTTP_X_GRAPNEL_PROBE", probe_question(d->a, d->seal, clock_now()) }, { 0 } };
	size_t before = said(d);
	struct fastcgi_answer answer;
	struct probe p;
	struct err e = { 0 };

	if (!fastcgi_get(d->a, d->conf.server.web_socket, PAGE, params, WAIT_MS, &answer, &e)) {
		say(d, DOCTOR_FAIL, "restart grapnel.fcgi", "%s", e.text);
		return;
	}
	if (!read_probe(d, answer.body, &p)) {
		say(d, DOCTOR_FAIL, "restart grapnel.fcgi", "grapnel.fcgi runs with another key file than this configuration names");
		return;
	}
	if (!str_eqs(p.version, d->c->version))
		say(d, DOCTOR_WARN, "restart grapnel.fcgi", "version %.*s runs, %s is installed", STR_ARG(p.version), d->c->version);
	if (!str_eq(p.configuration, probe_configuration(d->a, &d->conf)))
		say(d, DOCTOR_WARN, "reload grapnel.fcgi (SIGHUP), restart it where a socket has changed; or look at its environment",
			"grapnel.fcgi runs with other settings than %s says now", d->c->conf_path);
	look_at_switches(d, &p);
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "version %.*s with this configuration", STR_ARG(p.version));
}

const struct doctor_check check_running = {
	"running-configuration", "grapnel.fcgi runs in this version, with this configuration and key, and with no test switch on",
	HAS_PROGRAM | HAS_KEY, 0, look_running
};

/* ---- the certificate ---- */

#define SOON_MS (14 * MS_PER_DAY)

static void look_certificate(struct doctor *d)
{
	struct str url = str_of(base_url(d)), host, port;
	struct tls_facts facts;
	struct err e = { 0 };
	char day[TIME_TEXT];

	if (!str_starts(url, "https://")) {
		say(d, DOCTOR_SKIPPED, NULL, "not looked at: %s has none", url.p);
		return;
	}
	port = str_sub(url, strlen("https://"));
	port = str_until(&port, '/');
	host = str_until(&port, ':');
	if (!tls_look(arena_cstr(d->a, host), port.n ? arena_cstr(d->a, port) : "443", WAIT_MS, &facts, &e)) {
		say(d, DOCTOR_FAIL, "start the web server, and let it speak TLS there; --url names another way to it", "%s", e.text);
		return;
	}
	time_format(facts.ends_at, day);
	if (facts.trouble)
		say(d, DOCTOR_FAIL, "renew it, for that name, with the certificates between it and its authority", "providers refuse the certificate of %s: %s",
			url.p, facts.trouble);
	else if (facts.ends_at < d->c->now + SOON_MS)
		say(d, DOCTOR_WARN, "renew it, and see why that did not happen by itself", "the certificate of %s ends on %.10s", url.p, day);
	else
		say(d, DOCTOR_OK, NULL, "good until %.10s", day);
}

const struct doctor_check check_certificate = {
	"certificate", "providers take the certificate of public_url, and it does not end soon", HAS_CONF, 0, look_certificate
};

/* ---- the web server ---- */

static void look_web_server(struct doctor *d)
{
	struct asked x = ask(d, PAGE, STR_NONE);

	if (!x.answered)
		say(d, DOCTOR_FAIL, "start the web server; where this host cannot reach its own public address: --url http://127.0.0.1", "%s: %s",
			base_url(d), x.e.text);
	else if (x.status == 502 || x.status == 503)
		say(d, DOCTOR_FAIL, "see the log of the web server: it may lack rights at the sockets, or have other paths than [server] says",
			"the web server does not reach grapnel.fcgi: %s" PAGE " answers %u", base_url(d), x.status);
	else if (!x.is_ours)
		say(d, DOCTOR_FAIL, "include the snippet of contrib/servers, in the virtual host of that name",
			"%s" PAGE " answers %u, but that is not this Grapnel", base_url(d), x.status);
	else if (str_starts(str_of(base_url(d)), "https://") && !x.probe.https)
		say(d, DOCTOR_WARN, "let the web server say so: HTTPS=on or REQUEST_SCHEME=https",
			"Grapnel is not told that the connection is TLS: session cookies travel without Secure");
	else
		say(d, DOCTOR_OK, NULL, "%s leads to this Grapnel", base_url(d));
	if (x.is_ours)
		d->has |= HAS_WEB;
}

const struct doctor_check check_web_server = {
	"web-server", "public_url leads to this Grapnel", HAS_CONF | HAS_KEY, HAS_WEB, look_web_server
};

/* One path of each kind. */
static const struct {
	const char *uri, *pool;
} ways[] = {
	{ "/", "web" },
	{ "/api/events", "web" },
	{ "/api/integrations/health", "web" },
	{ "/api/integrations/in_00000000000000000000/test", "web" },
	{ "/api/integrations/prometheus/in_00000000000000000000", "ingest" },
	{ "/api/integrations/github?integrationId=in_00000000000000000000", "ingest" },
	{ "/api/webhooks/stripe", "ingest" },
	{ "/v2/enqueue", "ingest" },
	{ "/api/events/a%2Fb", "web" },
};

static void look_at_way(struct doctor *d, const char *uri, const char *pool)
{
	struct asked x = ask(d, uri, STR_NONE);
	const char *mend = "take the rules of contrib/servers as they are";

	if (!x.is_ours)
		say(d, DOCTOR_FAIL, mend, "%s does not reach Grapnel: %s", uri, x.answered ? how(d, "it is answered with %u", x.status) : x.e.text);
	else if (!str_eqs(x.probe.uri, uri))
		say(d, DOCTOR_FAIL, mend, "%s arrives as %.*s", uri, STR_ARG(x.probe.uri));
	else if (x.probe.passed)
		say(d, DOCTOR_WARN, mend, "%s is a page or call that goes to the ingest workers, who pass it on", uri);
	else if (!str_eqs(x.probe.pool, pool))
		say(d, DOCTOR_WARN, mend, "%s is for the %s workers, the web server sends it to those of %.*s: slow pages hold up webhooks", uri, pool,
			STR_ARG(x.probe.pool));
}

static void look_routing(struct doctor *d)
{
	size_t before = said(d);

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		look_at_way(d, ways[i].uri, ways[i].pool);
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "webhooks and pages go to workers of their own");
}

const struct doctor_check check_web_routing = {
	"web-server-routing", "webhooks go to the ingest workers, all else to the web workers, as it came", HAS_WEB, 0, look_routing
};

static void look_authorization(struct doctor *d)
{
	struct asked page = ask(d, PAGE, STR_NONE), hook = ask(d, "/api/integrations/prometheus", STR_NONE);

	if ((page.is_ours && !page.probe.authorization) || (hook.is_ours && !hook.probe.authorization))
		say(d, DOCTOR_FAIL, "Apache: CGIPassAuth On; proxies: pass it on", "the header Authorization does not arrive: no key and no token works");
	else
		say(d, DOCTOR_OK, NULL, "the header Authorization arrives");
}

const struct doctor_check check_web_authorization = {
	"web-server-authorization", "the web server passes the header Authorization on", HAS_WEB, 0, look_authorization
};

static void look_keep_alive(struct doctor *d)
{
	struct asked page = ask(d, PAGE, STR_NONE), hook = ask(d, "/api/integrations/prometheus", STR_NONE);

	if (page.probe.keep_asked || hook.probe.keep_asked)
		say(d, DOCTOR_FAIL, "Apache: ProxySet enablereuse=off; nginx: fastcgi_keep_conn off",
			"the web server uses FastCGI connections again, which Grapnel closes: some requests end with 503");
	else
		say(d, DOCTOR_OK, NULL, "each request has a FastCGI connection of its own");
}

const struct doctor_check check_web_keep_alive = {
	"web-server-keep-alive", "the web server uses no FastCGI connection twice", HAS_WEB, 0, look_keep_alive
};

/* The type with the largest bodies. */
static const struct provider *largest(void)
{
	const struct provider *most = providers[0];

	for (const struct provider *const *p = providers; *p; p++)
		if (provider_body_max(*p) > provider_body_max(most))
			most = *p;
	return most;
}

static void look_body(struct doctor *d)
{
	const struct provider *p = largest();
	size_t n = provider_body_max(p);
	char *zeros = xcalloc(n, 1);
	struct asked x = ask(d, how(d, "/api/%s/%s", provider_folder(p), p->slug), (struct str){ zeros, n });

	free(zeros);
	if (!x.is_ours)
		say(d, DOCTOR_FAIL, "lighttpd: server.max-request-size; nginx: client_max_body_size 32m; Apache: LimitRequestBody; and their time-outs",
			"%s sends up to %zu MiB, which do not get through: %s", p->title, n >> 20, x.answered ? how(d, "answer %u", x.status) : x.e.text);
	else if (x.probe.body_bytes != n)
		say(d, DOCTOR_FAIL, "see the log of the web server", "of %zu bytes %" PRIu64 " arrive", n, x.probe.body_bytes);
	else
		say(d, DOCTOR_OK, NULL, "%zu MiB get through", n >> 20);
}

const struct doctor_check check_web_body = {
	"web-server-body", "the largest bodies that providers send get through", HAS_WEB, 0, look_body
};
