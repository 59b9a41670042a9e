/* conf.c - the option table and what it does.
 *
 * Lines come from inih, meaning from the table. DATABASE_URL and the few environment names of the documents are rows of a second
 * table that set the same options, after the file. */
#include <ctype.h>
#include <errno.h>
#include <ini.h>

#include "grapnel/conf.h"
#include "grapnel/crypto.h"
#include "grapnel/net.h"

enum option_type {
	OPT_TEXT,
	OPT_SECRET,	/* text that is never printed */
	OPT_NUMBER,
	OPT_OCTAL,
	OPT_MS,		/* "500", "500ms", "10s", "5m" */
	OPT_BYTES,	/* "1000", "64K", "1M" */
	OPT_BOOL,
	OPT_WORD,	/* one of `words`: its index */
	OPT_CIDRS,
};

struct option {
	const char *section, *key;
	enum option_type type;
	size_t offset;
	const char *preset;		/* default, as it would stand in the file */
	uint32_t min, max;
	const char *const *words;	/* ends with NULL */
	const char *help;
};

static const char *const words_target[] = { "stderr", "syslog", NULL };
static const char *const words_level[] = { "error", "warning", "info", "debug", NULL };
static const char *const words_format[] = { "keys", "json", NULL };
static const char *const words_tls[] = { "off", "preferred", "required", NULL };

#define AT(member) offsetof(struct conf, member)
#define TEXT_OPT(s, k, preset, help) { #s, #k, OPT_TEXT, AT(s.k), preset, 0, 0, NULL, help }
#define SECRET_OPT(s, k, help) { #s, #k, OPT_SECRET, AT(s.k), "", 0, 0, NULL, help }
#define NUMBER_OPT(s, k, type, preset, min, max, help) { #s, #k, type, AT(s.k), preset, min, max, NULL, help }
#define BOOL_OPT(s, k, preset, help) { #s, #k, OPT_BOOL, AT(s.k), preset, 0, 0, NULL, help }
#define WORD_OPT(s, k, preset, words, help) { #s, #k, OPT_WORD, AT(s.k), preset, 0, 0, words, help }

/* A new option is one row here and one member in conf.h. */
static const struct option options[] = {
	TEXT_OPT(database, socket, "", "Unix socket of MariaDB; empty: TCP to host and port."),
	TEXT_OPT(database, host, "localhost", "Host of MariaDB where no socket is set."),
	NUMBER_OPT(database, port, OPT_NUMBER, "3306", 1, 65535, "Port of MariaDB where no socket is set."),
	TEXT_OPT(database, user, "grapnel", "Database account; needs SELECT, INSERT, UPDATE, DELETE."),
	SECRET_OPT(database, password, "Its password; better in password_file."),
	TEXT_OPT(database, password_file, "", "File that holds the password alone, readable only by the program's user."),
	TEXT_OPT(database, name, "grapnel", "Name of the database."),
	NUMBER_OPT(database, connect_timeout_ms, OPT_MS, "5s", 100, 60000, "How long a connection may take to open."),
	NUMBER_OPT(database, read_timeout_ms, OPT_MS, "30s", 1000, 600000, "How long a statement may take."),
	{ "database", "tls", OPT_TEXT, AT(database.tls), "off", 0, 0, words_tls, "Encryption to the database." },
	TEXT_OPT(database, tls_ca, "", "File of certificate authorities for it."),

	TEXT_OPT(server, ingest_socket, "/run/grapnel/ingest.sock", "Socket for inbound webhooks; the web server connects to it."),
	TEXT_OPT(server, web_socket, "/run/grapnel/web.sock", "Socket for API and dashboard."),
	NUMBER_OPT(server, socket_mode, OPT_OCTAL, "0660", 0, 0777, "Permissions of the sockets, octal."),
	NUMBER_OPT(server, ingest_workers, OPT_NUMBER, "0", 0, 32, "Processes for webhooks; 0 = one for each core."),
	NUMBER_OPT(server, web_workers, OPT_NUMBER, "4", 1, 32, "Processes for API, pages and large bodies."),
	TEXT_OPT(server, state_file, "/run/grapnel/state", "Shared memory of rate limits and counters."),
	TEXT_OPT(server, public_url, "http://localhost", "How providers reach this server; no slash at the end."),
	TEXT_OPT(server, user, "", "User to become when started by root."),
	NUMBER_OPT(server, node, OPT_NUMBER, "0", 0, 15, "Number of this host among those on one database; no two alike."),

	NUMBER_OPT(ingest, batch_max, OPT_NUMBER, "32", 1, 32, "Requests of one transaction."),
	NUMBER_OPT(ingest, batch_events_max, OPT_NUMBER, "256", 1, 10000, "Events of one transaction."),
	NUMBER_OPT(ingest, batch_bytes_max, OPT_BYTES, "1M", 65536, 64u << 20, "Bodies of one transaction."),
	NUMBER_OPT(ingest, request_deadline_ms, OPT_MS, "10s", 100, 600000, "A request that stands still this long is dropped."),
	NUMBER_OPT(ingest, upload_deadline_ms, OPT_MS, "60s", 1000, 3600000, "A request that takes this long in all is dropped."),
	NUMBER_OPT(ingest, connections_max, OPT_NUMBER, "256", 1, 10000, "Unfinished requests of one worker."),
	NUMBER_OPT(ingest, remote_per_minute, OPT_NUMBER, "300", 1, 1000000, "Failed proofs of one remote address in a minute."),
	BOOL_OPT(ingest, verify_signatures, "true", "false accepts unsigned requests: for tests only."),
	BOOL_OPT(ingest, rate_limit, "true", "false takes any number of requests: for tests only."),
	BOOL_OPT(ingest, debug, "false", "Logs why proofs fail; never a secret."),

	NUMBER_OPT(web, response_deadline_ms, OPT_MS, "30s", 1000, 600000, "A peer that does not take its answer is dropped."),

	TEXT_OPT(secrets, key_file, GRAPNEL_SYSCONFDIR "/grapnel/secret.key", "Key that seals secrets in the database."),
	SECRET_OPT(secrets, stripe_webhook_secret, "Makes the default tenant's default stripe source with this secret."),
	SECRET_OPT(secrets, paypal_webhook_id, "Makes the default tenant's default paypal source with this webhook id."),

	SECRET_OPT(metrics, token, "Bearer token for /metrics."),
	{ "metrics", "allow", OPT_CIDRS, AT(metrics.allow), "127.0.0.0/8, ::1", 0, 0, NULL,
		"Addresses that may read /metrics without it." },

	WORD_OPT(log, target, "syslog", words_target, "Where to log."),
	WORD_OPT(log, level, "info", words_level, "The least important level that is logged."),
	WORD_OPT(log, format, "keys", words_format, "key=value or JSON lines."),
};

/* Environment names of the documents. */
static const struct {
	const char *name, *section, *key;
} environment[] = {
	{ "STRIPE_WEBHOOK_SECRET", "secrets", "stripe_webhook_secret" },
	{ "PAYPAL_WEBHOOK_ID", "secrets", "paypal_webhook_id" },
	{ "INTEGRATION_VERIFY_SIGNATURES", "ingest", "verify_signatures" },
	{ "INTEGRATION_RATE_LIMIT", "ingest", "rate_limit" },
	{ "WEBHOOK_DEBUG", "ingest", "debug" },
};

static const struct option *option_find(const char *section, const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (!strcmp(options[i].section, section) && !strcmp(options[i].key, key))
			return &options[i];
	return NULL;
}

static void *member(struct conf *c, const struct option *o)
{
	return (char *)c + o->offset;
}

/* ---- values ---- */

static char *copy(struct str s)
{
	char *p = xmalloc(s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

static void set_text(char **at, struct str value)
{
	if (*at)
		secret_wipe(*at, strlen(*at));
	free(*at);
	*at = copy(value);
}

static int word_index(const char *const *words, struct str s)
{
	for (int i = 0; words[i]; i++)
		if (str_ieqs(s, words[i]))
			return i;
	return -1;
}

/* Digits and one of the suffixes; `factors` runs parallel to them. */
static bool suffixed(struct str s, const char *const *suffixes, const uint64_t *factors, uint64_t *out)
{
	size_t digits = 0;
	struct str rest;

	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	rest = str_sub(s, digits);
	for (size_t i = 0; suffixes[i]; i++)
		if (str_ieqs(rest, suffixes[i]) && str_u64((struct str){ s.p, digits }, out) && *out <= UINT32_MAX) {
			*out *= factors[i];
			return true;
		}
	return false;
}

static bool octal(struct str s, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < s.n && i < 6; i++) {
		if (s.p[i] < '0' || s.p[i] > '7')
			return false;
		*out = *out * 8 + (uint64_t)(s.p[i] - '0');
	}
	return s.n > 0 && s.n <= 6;
}

static bool number(const struct option *o, struct str s, uint64_t *out)
{
	static const char *const ms_suffix[] = { "", "ms", "s", "m", NULL };
	static const uint64_t ms_factor[] = { 1, 1, 1000, 60000 };
	static const char *const byte_suffix[] = { "", "K", "M", NULL };
	static const uint64_t byte_factor[] = { 1, 1 << 10, 1 << 20 };

	switch (o->type) {
	case OPT_MS:
		return suffixed(s, ms_suffix, ms_factor, out);
	case OPT_BYTES:
		return suffixed(s, byte_suffix, byte_factor, out);
	case OPT_OCTAL:
		return octal(s, out);
	default:
		return str_u64(s, out);
	}
}

static bool set_number(struct conf *c, const struct option *o, struct str s, struct err *e)
{
	uint64_t v;

	if (!number(o, s, &v))
		return err_set(e, ERR_INVALID, "\"%.*s\" is no %s", STR_ARG(s), o->type == OPT_MS ? "duration" : "number");
	if (v < o->min || v > o->max)
		return err_set(e, ERR_INVALID, "%llu is not within %u to %u", (unsigned long long)v, o->min, o->max);
	*(uint32_t *)member(c, o) = (uint32_t)v;
	return true;
}

static bool set_bool(struct conf *c, const struct option *o, struct str s, struct err *e)
{
	static const char *const yes[] = { "true", "yes", "on", "1", NULL };
	static const char *const no[] = { "false", "no", "off", "0", NULL };
	bool v = word_index(yes, s) >= 0;

	if (!v && word_index(no, s) < 0)
		return err_set(e, ERR_INVALID, "\"%.*s\" is neither true nor false", STR_ARG(s));
	*(bool *)member(c, o) = v;
	return true;
}

static bool set_cidrs(struct conf *c, const struct option *o, struct str s, struct err *e)
{
	struct arena *a = arena_new(1 << 20);
	struct cidr *list;
	size_t n;
	bool ok = cidr_list(a, s, &list, &n, e);

	arena_free(a);
	if (ok)
		set_text(member(c, o), s);
	return ok;
}

static bool set_word(struct conf *c, const struct option *o, struct str s, struct err *e)
{
	int i = word_index(o->words, s);

	if (i < 0)
		return err_set(e, ERR_INVALID, "\"%.*s\" is none of its words", STR_ARG(s));
	if (o->type == OPT_WORD)
		*(uint32_t *)member(c, o) = (uint32_t)i;
	else
		set_text(member(c, o), str_of(o->words[i]));
	return true;
}

static bool set_option(struct conf *c, const struct option *o, struct str value, struct err *e)
{
	struct str s = str_trim(value);

	if (o->words)
		return set_word(c, o, s, e);
	switch (o->type) {
	case OPT_TEXT:
	case OPT_SECRET:
		set_text(member(c, o), s);
		return true;
	case OPT_BOOL:
		return set_bool(c, o, s, e);
	case OPT_CIDRS:
		return set_cidrs(c, o, s, e);
	default:
		return set_number(c, o, s, e);
	}
}

/* ---- sources of values ---- */

struct loading {
	struct conf *c;
	struct err *e;
};

static int on_line(void *user, const char *section, const char *key, const char *value)
{
	struct loading *l = user;
	const struct option *o = option_find(section, key);
	struct err why = { 0 };

	if (o && set_option(l->c, o, str_of(value), &why))
		return 1;
	if (!o)
		err_set(&why, ERR_INVALID, "there is no such option");
	if (!l->e->code)
		err_set(l->e, ERR_INVALID, "[%s] %s: %s", section, key, why.text);
	return 0;
}

static bool load_file(struct conf *c, const char *path, struct err *e)
{
	struct loading l = { c, e };
	int line = ini_parse(path, on_line, &l);
	struct err why = *e;

	if (line == 0)
		return true;
	if (line < 0)
		return err_sys(e, ERR_DOWN, "%s cannot be read", path);
	if (!why.code)
		err_set(&why, ERR_INVALID, "this line is neither [section] nor key = value");
	return err_set(e, ERR_INVALID, "%.80s:%d: %.140s", path, line, why.text);
}

static bool load_environment(struct conf *c, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(environment); i++) {
		const char *value = getenv(environment[i].name);
		struct err why = { 0 };

		if (!value)
			continue;
		if (!set_option(c, option_find(environment[i].section, environment[i].key), str_of(value), &why))
			return err_set(e, ERR_INVALID, "environment: %s: %.180s", environment[i].name, why.text);
	}
	return true;
}

static void set_decoded(struct arena *a, char **at, struct str value)
{
	if (value.n)
		set_text(at, url_decode(a, value, false));
}

/* mysql://user:password@host:port/name?socket=/path, each part percent-encoded where it must be. */
static bool load_database_url(struct conf *c, const char *url, struct arena *a, struct err *e)
{
	struct str s = str_of(url), user, hostport, name, socket;
	uint64_t port;

	if (!str_starts(s, "mysql://") && !str_starts(s, "mariadb://"))
		return err_set(e, ERR_INVALID, "environment: DATABASE_URL must begin with mysql:// or mariadb://");
	s = str_sub(s, str_starts(s, "mysql") ? 8 : 10);
	name = s;
	hostport = str_until(&name, '/');
	user = STR_NONE;
	if (str_find(hostport, '@') >= 0)
		user = str_until(&hostport, '@');
	set_decoded(a, &c->database.user, str_until(&user, ':'));
	set_decoded(a, &c->database.password, user);
	set_decoded(a, &c->database.host, str_until(&hostport, ':'));
	if (hostport.n && (!str_u64(hostport, &port) || !port || port > 65535))
		return err_set(e, ERR_INVALID, "environment: DATABASE_URL has a bad port");
	if (hostport.n)
		c->database.port = (uint32_t)port;
	set_decoded(a, &c->database.name, str_until(&name, '?'));
	if (form_find(a, name, "socket", &socket))
		set_text(&c->database.socket, socket);
	return true;
}

static bool load_password_file(struct conf *c, struct err *e)
{
	char text[512];
	FILE *f;
	size_t n;

	if (!c->database.password_file[0])
		return true;
	f = fopen(c->database.password_file, "re");
	if (!f)
		return err_sys(e, ERR_INVALID, "[database] password_file: %.150s", c->database.password_file);
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	set_text(&c->database.password, str_trim((struct str){ text, n }));
	secret_wipe(text, sizeof(text));
	return true;
}

/* What one row cannot see. */
static bool check_whole(struct conf *c, struct err *e)
{
	struct str url = str_of(c->server.public_url);

	if (!str_starts(url, "http://") && !str_starts(url, "https://"))
		return err_set(e, ERR_INVALID, "[server] public_url: must begin with http:// or https://");
	while (url.n && url.p[url.n - 1] == '/')
		c->server.public_url[--url.n] = '\0';
	return true;
}

bool conf_load(struct conf *c, const char *path, struct err *e)
{
	struct arena *a = arena_new(1 << 20);
	const char *url = getenv("DATABASE_URL");
	bool ok;

	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (!set_option(c, &options[i], str_of(options[i].preset), e))
			die("conf: default of %s.%s: %s", options[i].section, options[i].key, e->text);
	ok = (!path || load_file(c, path, e)) && load_environment(c, e) && load_password_file(c, e)
		&& (!url || load_database_url(c, url, a, e)) && check_whole(c, e);
	arena_free(a);
	return ok;
}

void conf_free(struct conf *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option *o = &options[i];
		char **at = member(c, o);

		if (o->type != OPT_TEXT && o->type != OPT_SECRET && o->type != OPT_CIDRS)
			continue;
		if (*at)
			secret_wipe(*at, strlen(*at));
		free(*at);
	}
	memset(c, 0, sizeof(*c));
}

/* ---- printing ---- */

static void print_section(const char **last, const struct option *o, FILE *to)
{
	if (*last && !strcmp(*last, o->section))
		return;
	fprintf(to, "%s[%s]\n", *last ? "\n" : "", o->section);
	*last = o->section;
}

static void print_limits(const struct option *o, FILE *to)
{
	if (o->words) {
		fprintf(to, " One of:");
		for (int i = 0; o->words[i]; i++)
			fprintf(to, " %s", o->words[i]);
		fprintf(to, ".");
	} else if (o->type == OPT_OCTAL) {
		return;
	} else if (o->max) {
		fprintf(to, " %u to %u%s.", o->min, o->max, o->type == OPT_MS ? " ms" : o->type == OPT_BYTES ? " bytes" : "");
	}
}

void conf_print_sample(FILE *to)
{
	const char *last = NULL;

	fprintf(to, "# Configuration of Grapnel. Every option with its default; take the # off to change one.\n"
		"# Durations: 500ms, 10s, 5m. Sizes: 64K, 1M.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option *o = &options[i];

		print_section(&last, o, to);
		fprintf(to, "# %s", o->help);
		print_limits(o, to);
		fprintf(to, "\n#%s = %s\n", o->key, o->preset);
	}
}

static void print_value(const struct conf *c, const struct option *o, FILE *to)
{
	const void *at = (const char *)c + o->offset;

	switch (o->type) {
	case OPT_TEXT:
	case OPT_CIDRS:
		fprintf(to, "%s", *(char *const *)at);
		break;
	case OPT_SECRET:
		fprintf(to, "%s", **(char *const *)at ? "***" : "");
		break;
	case OPT_BOOL:
		fprintf(to, "%s", *(const bool *)at ? "true" : "false");
		break;
	case OPT_OCTAL:
		fprintf(to, "0%o", *(const uint32_t *)at);
		break;
	case OPT_WORD:
		fprintf(to, "%s", o->words[*(const uint32_t *)at]);
		break;
	default:
		fprintf(to, "%u", *(const uint32_t *)at);
	}
}

void conf_print(const struct conf *c, FILE *to)
{
	const char *last = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		print_section(&last, &options[i], to);
		fprintf(to, "%s = ", options[i].key);
		print_value(c, &options[i], to);
		fputc('\n', to);
	}
}
