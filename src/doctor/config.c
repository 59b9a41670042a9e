/* config.c - the configuration: can it be read, by whom, and is it one to run a server with? */
#include "doctor_int.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grapnel/log.h"
#include "grapnel/net.h"
#include "grapnel/shm.h"

/* ---- the file ---- */

static void look_configuration(struct doctor *d)
{
	struct err e = { 0 };

	if (conf_load(&d->conf, d->c->conf_path, &e)) {
		d->has |= HAS_CONF;
		zone_set(d->conf.cron.timezone);
		say(d, DOCTOR_OK, NULL, "%s and the environment are understood", d->c->conf_path);
		return;
	}
	say(d, DOCTOR_FAIL, e.code == ERR_INVALID ? "mend that line; grapnelctl config sample prints every option with its help" :
		how(d, "run this as root or as the user of the programs, or make the file: grapnelctl config sample > %s", d->c->conf_path),
		"%s", e.text);
}

const struct doctor_check check_configuration = {
	"configuration", "the configuration is there and each of its lines is understood", 0, HAS_CONF, look_configuration
};

static bool holds_secrets(const struct conf *c)
{
	return (*c->database.password && !*c->database.password_file) || *c->metrics.token || *c->cron.token || (*c->tracing.headers && !*c->tracing.headers_file) ||
		*c->secrets.stripe_webhook_secret;
}

/* Of a file that only some may see or change. */
static void look_at_mode(struct doctor *d, const char *path, bool is_secret)
{
	size_t before = said(d);
	struct stat st;

	if (stat(path, &st)) {
		say(d, DOCTOR_FAIL, how(d, "make it, or name another one in %s", d->c->conf_path), "%s: %s", path, strerror(errno));
		return;
	}
	if (st.st_mode & S_IWOTH)
		say(d, DOCTOR_FAIL, how(d, "chmod o-w %s", path), "everybody on this host may change %s", path);
	else if (st.st_mode & S_IWGRP)
		say(d, DOCTOR_WARN, how(d, "chmod g-w %s", path), "the group may change %s", path);
	if (is_secret && st.st_mode & S_IROTH)
		say(d, DOCTOR_FAIL, how(d, "chmod o-r %s", path), "everybody on this host may read %s, which holds secrets", path);
	if (!service_may(d, path, R_OK))
		say(d, DOCTOR_FAIL, how(d, "chgrp it to a group of %s and chmod g+r %s", d->service.name, path),
			"%s, who runs the programs, may not read %s: the next reload fails", d->service.name, path);
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "%s: mode %04o", path, (unsigned)(st.st_mode & 07777));
}

static void look_configuration_file(struct doctor *d)
{
	look_at_mode(d, d->c->conf_path, holds_secrets(&d->conf));
}

const struct doctor_check check_configuration_file = {
	"configuration-file", "nobody else reads secrets in it or changes it", HAS_CONF | HAS_SERVICE, 0, look_configuration_file
};

static void look_password_file(struct doctor *d)
{
	if (*d->conf.database.password_file)
		look_at_mode(d, d->conf.database.password_file, true);
	else if (*d->conf.database.password)
		say(d, DOCTOR_WARN, "put it as the only line into a file and name that in [database] password_file",
			"the password of the database stands in the configuration or in DATABASE_URL");
	else
		say(d, DOCTOR_OK, NULL, "none is used");
}

const struct doctor_check check_password_file = {
	"password-file", "the file with the password of the database", HAS_CONF | HAS_SERVICE, 0, look_password_file
};

static void look_tracing(struct doctor *d)
{
	const struct conf *c = &d->conf;

	if (*c->tracing.headers_file)
		look_at_mode(d, c->tracing.headers_file, true);
	if (!*c->tracing.endpoint)
		say(d, DOCTOR_OK, NULL, "no spans are made");
	else if (!c->outbound.dispatcher)
		say(d, DOCTOR_WARN, "set [outbound] dispatcher = true", "[tracing] has an endpoint, but no dispatcher sends spans there: none are made");
	else
		say(d, DOCTOR_OK, NULL, "spans go to %s", c->tracing.endpoint);
}

const struct doctor_check check_tracing = {
	"tracing", "spans reach their collector, whose headers nobody else reads", HAS_CONF | HAS_SERVICE, 0, look_tracing
};

/* ---- what is set ---- */

static bool is_loopback(struct str host)
{
	return str_starts(host, "localhost") || str_starts(host, "127.") || str_starts(host, "[::1]");
}

static void look_public_url(struct doctor *d)
{
	struct str url = str_of(d->conf.server.public_url), host = url;
	bool tls = str_starts(url, "https://");

	host = str_sub(host, tls ? strlen("https://") : strlen("http://"));
	if (is_loopback(host))
		say(d, DOCTOR_WARN, "[server] public_url = https://hooks.example.org, the name by which providers reach this server",
			"public_url is %s: the addresses that Grapnel shows lead nowhere from other hosts", url.p);
	else if (!tls)
		say(d, DOCTOR_FAIL, "give the web server a certificate, then [server] public_url = https://...",
			"public_url is %s: keys, secrets and sessions travel for everybody to read", url.p);
	else
		say(d, DOCTOR_OK, NULL, "%s", url.p);
}

const struct doctor_check check_public_url = {
	"public-url", "providers elsewhere can use the addresses that are shown, over TLS", HAS_CONF, 0, look_public_url
};

static void look_test_switches(struct doctor *d)
{
	const struct conf *c = &d->conf;
	size_t before = said(d);

	if (!c->ingest.verify_signatures)
		say(d, DOCTOR_FAIL, "take [ingest] verify_signatures or INTEGRATION_VERIFY_SIGNATURES out, then reload",
			"signatures are not verified: anybody may send anything");
	if (!c->ingest.rate_limit)
		say(d, DOCTOR_WARN, "take [ingest] rate_limit or INTEGRATION_RATE_LIMIT out, then reload", "rate limits are off");
	if (c->ingest.debug)
		say(d, DOCTOR_WARN, "take [ingest] debug or WEBHOOK_DEBUG out, then reload", "each failed proof is explained in the log");
	if (c->server.development)
		say(d, DOCTOR_WARN, "take [server] development out", "what only tests need is allowed");
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "none is on");
}

const struct doctor_check check_test_switches = {
	"test-switches", "switches that only tests need", HAS_CONF, 0, look_test_switches
};

#define TOKEN_LEAST 16	/* bytes: 64 bits where somebody typed hex digits */

static void look_weak_tokens(struct doctor *d)
{
	const struct {
		const char *option, *value;
	} tokens[] = { { "[metrics] token", d->conf.metrics.token }, { "[cron] token", d->conf.cron.token } };
	size_t before = said(d);

	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++)
		if (*tokens[i].value && strlen(tokens[i].value) < TOKEN_LEAST)
			say(d, DOCTOR_WARN, "openssl rand -hex 16 makes a better one", "%s has fewer than %d characters: it can be guessed",
				tokens[i].option, TOKEN_LEAST);
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "none that is set can be guessed");
}

const struct doctor_check check_weak_tokens = {
	"weak-tokens", "tokens of the configuration that can be guessed", HAS_CONF, 0, look_weak_tokens
};

static bool list_has(struct doctor *d, const char *list, const char *address)
{
	struct err e = { 0 };
	struct cidr *c;
	struct ip ip;
	size_t n;

	if (!cidr_list(d->a, str_of(list), &c, &n, &e) || !ip_parse(str_of(address), &ip))
		return false;
	for (size_t i = 0; i < n; i++)
		if (cidr_match(&c[i], &ip))
			return true;
	return false;
}

/* An address that no list has but one that has all: TEST-NET-3 of RFC 5737, and the documentation prefix of RFC 3849. */
static bool list_has_strangers(struct doctor *d, const char *list)
{
	return list_has(d, list, "203.0.113.77") || list_has(d, list, "2001:db8::77");
}

static void look_metrics_access(struct doctor *d)
{
	if (list_has_strangers(d, d->conf.metrics.allow))
		say(d, DOCTOR_WARN, "name the addresses of your Prometheus in [metrics] allow, or set a token",
			"everybody may read /metrics without a token");
	else
		say(d, DOCTOR_OK, NULL, "without a token only %s", *d->conf.metrics.allow ? d->conf.metrics.allow : "nobody");
}

const struct doctor_check check_metrics_access = {
	"metrics-access", "who may read /metrics", HAS_CONF, 0, look_metrics_access
};

static void look_outbound_guard(struct doctor *d)
{
	static const struct {
		const char *address, *what;
	} never[] = { { "169.254.169.254", "the metadata of a cloud host" }, { "127.0.0.1", "this host itself" },
		{ "203.0.113.77", "every network" } };
	const char *list = d->conf.outbound.allow;
	size_t before = said(d);

	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (list_has(d, list, never[i].address))
			say(d, DOCTOR_WARN, "name only the networks of your own handlers in [outbound] allow",
				"an address that a user sets may lead to %s", never[i].what);
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "%s", *list ? list : "public addresses alone");
}

const struct doctor_check check_outbound_guard = {
	"outbound-guard", "where addresses that users set may lead", HAS_CONF, 0, look_outbound_guard
};

#define EVENTS_DAYS_LEAST 14	/* the longest that a provider repeats: PayPal 3 days, Stripe 3, GitLab and people more */
#define AUDIT_DAYS_LEAST 90

static void look_retention(struct doctor *d)
{
	const struct conf *c = &d->conf;
	size_t before = said(d);

	if (c->retention.events_days < EVENTS_DAYS_LEAST)
		say(d, DOCTOR_WARN, how(d, "[retention] events_days = %d or more", EVENTS_DAYS_LEAST),
			"events are kept for %u days: what a sender repeats after that counts as new", c->retention.events_days);
	if (c->retention.incidents_days < c->retention.events_days)
		say(d, DOCTOR_WARN, how(d, "[retention] incidents_days = %u or more", c->retention.events_days),
			"incidents go after %u days, before the events that opened them", c->retention.incidents_days);
	if (c->retention.audit_days < AUDIT_DAYS_LEAST)
		say(d, DOCTOR_WARN, how(d, "[retention] audit_days = %d or more", AUDIT_DAYS_LEAST),
			"who changed what is kept for %u days", c->retention.audit_days);
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "events %u days, incidents %u, audit log %u", c->retention.events_days, c->retention.incidents_days,
			c->retention.audit_days);
}

const struct doctor_check check_retention = {
	"retention", "how long things are kept", HAS_CONF, 0, look_retention
};

static void look_log(struct doctor *d)
{
	const struct conf *c = &d->conf;
	size_t before = said(d);

	if (c->log.target == LOG_TARGET_SYSLOG && access("/dev/log", W_OK))
		say(d, DOCTOR_FAIL, "start a syslog daemon or journald, or set [log] target = stderr", "what is logged is lost: /dev/log: %s",
			strerror(errno));
	if (c->log.level < LOG_LEVEL_WARNING)
		say(d, DOCTOR_WARN, "[log] level = info", "warnings are not logged");
	if (c->log.level > LOG_LEVEL_INFO)
		say(d, DOCTOR_WARN, "[log] level = info", "all that is only for debugging is logged");
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "%s", c->log.target == LOG_TARGET_SYSLOG ? "to syslog" : "to standard error");
}

const struct doctor_check check_log = {
	"log", "what is logged arrives somewhere", HAS_CONF, 0, look_log
};

#define WORKERS_PER_PROCESSOR 4	/* ingest workers hardly wait; more of them share one commit less */

static void look_worker_number(struct doctor *d)
{
	uint32_t processors = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t ingest = d->conf.server.ingest_workers ? d->conf.server.ingest_workers : processors;

	if (ingest + d->conf.server.web_workers > SHM_WORKERS / 2)
		say(d, DOCTOR_FAIL, how(d, "lower [server] ingest_workers or web_workers: together at most %d", SHM_WORKERS / 2),
			"%u ingest and %u web workers are more than a host can have", ingest, d->conf.server.web_workers);
	else if (ingest > WORKERS_PER_PROCESSOR * processors)
		say(d, DOCTOR_WARN, "[server] ingest_workers = 0", "%u ingest workers on %u processors: fewer share more commits", ingest,
			processors);
	else
		say(d, DOCTOR_OK, NULL, "%u for webhooks, %u for pages, on %u processors", ingest, d->conf.server.web_workers, processors);
}

const struct doctor_check check_worker_number = {
	"worker-number", "as many worker processes as the host can use", HAS_CONF, 0, look_worker_number
};
