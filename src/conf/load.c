/* load.c - where values come from: defaults, the file, the password file, the environment, in this order.
 *
 * inih takes lines apart, the table gives them meaning. Our reader feeds it one whole line at a time, so that a line too
 * long for inih's buffer is an error and not two lines, and takes blanks off the front, so that no line continues the one
 * before it: inih would call for each piece, and the last piece would silently be the value. */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <unistd.h>

#include "config.h"
#include "conf_int.h"
#include "grapnel/crypto.h"

#define FILE_MAX (256 * 1024)	/* the sample with every option is 6 KiB */
#define SECRET_FILE_MAX 4096
#define LINE_BYTES 4096		/* an allow list of 200 networks; inih's own default is 200 bytes */

const struct variable conf_variables[] = {
	{ "STRIPE_WEBHOOK_SECRET", "secrets", "stripe_webhook_secret" },
	{ "PAYPAL_WEBHOOK_ID", "secrets", "paypal_webhook_id" },
	{ "INTEGRATION_VERIFY_SIGNATURES", "ingest", "verify_signatures" },
	{ "INTEGRATION_RATE_LIMIT", "ingest", "rate_limit" },
	{ "WEBHOOK_DEBUG", "ingest", "debug" },
	{ "WEBHOOK_MAX_DELIVERIES", "outbound", "max_deliveries" },
	{ 0 }
};

/* ---- the file ---- */

struct reading {
	struct conf *c;
	struct str rest;
	unsigned line;		/* of the line that inih has in hand, from 1 */
	unsigned bad_line;	/* of the first error, 0 = none */
	struct err why;		/* of that error */
	bool seen[128];		/* by place in the table */
};

static void blame(struct reading *r, const char *section, const char *key, const char *text)
{
	if (r->bad_line)
		return;
	r->bad_line = r->line;
	if (key)
		err_set(&r->why, ERR_INVALID, "[%s] %s: %s", section, key, text);
	else
		err_set(&r->why, ERR_INVALID, "%s", text);
}

/* fgets for inih: the next line, or NULL. */
static char *next_line(char *buffer, int size, void *stream)
{
	struct reading *r = stream;
	struct str line;

	if (!r->rest.n || r->bad_line)
		return NULL;
	r->line++;
	line = str_trim(str_until(&r->rest, '\n'));
	if (line.n + 2 > (size_t)size)
		blame(r, NULL, NULL, "the line is too long");
	else if (str_find(line, '\0') >= 0)
		blame(r, NULL, NULL, "a NUL byte in it");
	if (r->bad_line)
		return NULL;
	snprintf(buffer, (size_t)size, "%.*s\n", STR_ARG(line));
	return buffer;
}

static int on_pair(void *user, const char *section, const char *key, const char *value)
{
	struct reading *r = user;
	const struct option *o = option_find(str_of(section), str_of(key));
	struct err why = { 0 };

	if (!o)
		blame(r, section, key, "there is no such option");
	else if (r->seen[o - options])
		blame(r, section, key, "it is set twice");
	else if (!option_set(r->c, o, str_of(value), &why))
		blame(r, section, key, why.text);
	if (o)
		r->seen[o - options] = true;
	return !r->bad_line;
}

bool conf_parse(struct conf *c, struct str text, const char *name, struct err *e)
{
	struct reading r = { .c = c, .rest = text };
	int bad;

#if HAVE_DECL_INI_MAX_LINE
	ini_max_line = LINE_BYTES;	/* a variable in Debian's build only */
#endif
	if (option_n > ARRAY_SIZE(r.seen))
		die("conf: more options than struct reading has places");
	bad = ini_parse_stream(next_line, &r, on_pair, &r);
	if (!bad && !r.bad_line)
		return true;
	/* inih goes on after a line without '=': that line may stand before the one we found. */
	if (!r.bad_line || (bad > 0 && (unsigned)bad < r.bad_line))
		return err_set(e, ERR_INVALID, "%s:%d: neither \"[section]\" nor \"key = value\"", name, bad);
	return err_set(e, ERR_INVALID, "%.100s:%u: %.130s", name, r.bad_line, r.why.text);
}

/* The bytes of a file, at most max of them; the caller wipes and frees. NULL with errno, EFBIG when it is larger. */
static char *file_bytes(const char *path, size_t max, size_t *n)
{
	char *p = xmalloc(max + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t got = -1;
	int cause;

	*n = 0;
	while (fd >= 0 && *n <= max && (got = read(fd, p + *n, max + 1 - *n)) > 0)
		*n += (size_t)got;
	cause = *n > max ? EFBIG : errno;
	if (fd >= 0)
		close(fd);
	if (got == 0)
		return p;
	secret_wipe(p, *n);
	free(p);
	errno = cause;
	return NULL;
}

static bool load_file(struct conf *c, const char *path, struct err *e)
{
	size_t n;
	char *text = file_bytes(path, FILE_MAX, &n);
	bool ok;

	if (!text)
		return err_sys(e, ERR_DOWN, "%.150s cannot be read", path);
	ok = conf_parse(c, (struct str){ text, n }, path, e);
	secret_wipe(text, n);
	free(text);
	return ok;
}

/* Its first line is the value of another option. */
static bool load_secret_file(struct conf *c, const char *path, const char *section, const char *key, struct err *e)
{
	struct err why = { 0 };
	struct str rest;
	char *text;
	size_t n;
	bool ok;

	if (!*path)
		return true;
	text = file_bytes(path, SECRET_FILE_MAX, &n);
	if (!text)
		return err_sys(e, ERR_INVALID, "[%s] %s_file: %.150s", section, key, path);
	rest = (struct str){ text, n };
	ok = option_set(c, option_find(str_of(section), str_of(key)), str_until(&rest, '\n'), &why) ||
		err_set(e, ERR_INVALID, "[%s] %s_file: %s", section, key, why.text);
	secret_wipe(text, n);
	free(text);
	return ok;
}

static bool load_secret_files(struct conf *c, struct err *e)
{
	return load_secret_file(c, c->database.password_file, "database", "password", e) &&
		load_secret_file(c, c->tracing.headers_file, "tracing", "headers", e);
}

/* ---- the environment ---- */

static struct str env(const char *name)
{
	return str_of(getenv(name));
}

static bool load_environment(struct conf *c, struct err *e)
{
	struct err why = { 0 };

	if (env("DATABASE_URL").n && !conf_database_url(c, env("DATABASE_URL"), &why))
		return err_set(e, ERR_INVALID, "environment: DATABASE_URL: %.180s", why.text);
	for (const struct variable *v = conf_variables; v->name; v++) {
		struct str value = env(v->name);

		if (value.n && !option_set(c, option_find(str_of(v->section), str_of(v->key)), value, &why))
			return err_set(e, ERR_INVALID, "environment: %s: %.180s", v->name, why.text);
	}
	return true;
}

/* ---- options that depend on each other ---- */

static bool is_own_url(struct str url)
{
	static const char *const hosts[] = { "localhost", "127.0.0.1", "[::1]" };

	if (!str_starts(url, "http://"))
		return false;
	url = str_sub(url, strlen("http://"));
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct str rest = str_sub(url, strlen(hosts[i]));

		if (str_starts(url, hosts[i]) && (!rest.n || rest.p[0] == ':' || rest.p[0] == '/'))
			return true;
	}
	return false;
}

/* Whoever may write the file may do anything; this is against a test's configuration that finds its way to a real server. */
static bool check_together(const struct conf *c, struct err *e)
{
	if (c->server.development && !is_own_url(str_of(c->server.public_url)))
		return err_set(e, ERR_INVALID, "[server] development: is for tests on one machine; public_url must be http:// and"
			" localhost, 127.0.0.1 or [::1]");
	if (c->retention.archive_events && !*c->retention.archive_dir)
		return err_set(e, ERR_INVALID, "[retention] archive_events: needs a folder, archive_dir");
	if (!c->server.development && (*c->keys.test_hosts || *c->keys.test_authorities))
		return err_set(e, ERR_INVALID, "[keys] %s: is for tests and would let others prove to be a provider; a test instance"
			" says [server] development = true", *c->keys.test_hosts ? "test_hosts" : "test_authorities");
	return true;
}

/* ---- the whole ---- */

void conf_defaults(struct conf *c)
{
	struct err e = { 0 };

	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < option_n; i++)
		if (!option_set(c, &options[i], str_of(options[i].preset), &e))
			die("conf: default of %s.%s: %s", options[i].section, options[i].key, e.text);
}

bool conf_load(struct conf *c, const char *path, struct err *e)
{
	conf_defaults(c);
	if ((!path || load_file(c, path, e)) && load_secret_files(c, e) && load_environment(c, e) && check_together(c, e))
		return true;
	conf_free(c);
	return false;
}

bool conf_database_is_here(const struct conf *c)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "::1" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(c->database.host, names[i]))
			return true;
	return *c->database.socket;
}

void conf_free(struct conf *c)
{
	for (size_t i = 0; i < option_n; i++) {
		char **text = (char **)((char *)c + options[i].offset);

		if (!options[i].type->is_text || !*text)
			continue;
		secret_wipe(*text, strlen(*text));
		free(*text);
	}
	memset(c, 0, sizeof(*c));
}
