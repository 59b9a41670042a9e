/* grapnel_fcgi.c - the FastCGI application: reads the configuration, becomes its user, and hands over to the master. */
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "grapnel/db.h"
#include "grapnel/log.h"
#include "grapnel/spool.h"
#include "grapnel/store.h"
#include "grapnel/trace.h"

#include "open_db.h"
#include "serve.h"

#define DRAIN_MS 15000		/* three lock waits of MariaDB: what is in work may end */
#define EXIT_CONFIG 78		/* EX_CONFIG of sysexits.h: systemd does not restart on it */

static const char *config_path = GRAPNEL_SYSCONFDIR "/grapnel/grapnel.conf";

static int usage(FILE *to, int status)
{
	fprintf(to, "usage: grapnel.fcgi [--config FILE] [--foreground]\n"
		"       grapnel.fcgi --version\n\n"
		"Started by an init system, or by a web server that gives a listening socket on fd 0.\n"
		"SIGTERM finishes what is in work and ends; SIGHUP reads the configuration again.\n");
	return status;
}

static void start_log(const struct conf *c, bool foreground)
{
	log_init("grapnel", foreground ? LOG_TARGET_STDERR : c->log.target, c->log.level, c->log.format);
}

/* Below /var/spool its later owner may not make it. */
static bool give_spool(const struct conf *c, const struct passwd *pw, struct err *e)
{
	if (!c->spool.enabled || mkdir(c->spool.directory, 0700))
		return true;	/* it is there, or check_spool says why not */
	return !chown(c->spool.directory, pw->pw_uid, pw->pw_gid) || err_sys(e, ERR_DENIED, "[spool] directory %s", c->spool.directory);
}

static bool become_user(const struct conf *c, struct err *e)
{
	const char *name = c->server.user;
	struct passwd *pw;

	if (!name || !*name || geteuid() != 0)
		return true;
	pw = getpwnam(name);
	if (!pw)
		return err_set(e, ERR_INVALID, "[server] user: there is no user %s", name);
	if (!give_spool(c, pw, e))
		return false;
	if (initgroups(name, pw->pw_gid) || setgid(pw->pw_gid) || setuid(pw->pw_uid))
		return err_sys(e, ERR_DENIED, "cannot become user %s", name);
	return true;
}

static bool ensure_env_sources(struct db *db, const struct conf *c, const struct seal_key *seal, struct shm *shm, struct err *e)
{
	const struct {
		const char *provider, *secret;
	} env[] = { { "stripe", c->secrets.stripe_webhook_secret }, { "paypal", c->secrets.paypal_webhook_id } };
	struct arena *a = arena_new(1 << 20);
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(env) && ok; i++)
		if (env[i].secret && *env[i].secret)
			ok = source_ensure_env(db, a, seal, shm, str_of(env[i].provider), str_of(env[i].secret), clock_now(), e);
	arena_free(a);
	return ok;
}

/* A database that is away is no reason not to start: senders get 503 and come again. An old schema is one. */
static bool check_database(const struct conf *c, const struct seal_key *seal, struct shm *shm, struct err *e)
{
	struct db *db = open_db(c);
	unsigned number = 0;
	int known = schema_current(db, &number, e);
	bool ok = true;

	if (known < 0) {
		log_warning("the database does not answer at start", LOG_ERR(e));
	} else if (!known || number < SCHEMA_NUMBER) {
		ok = err_set(e, ERR_INVALID, "the database has schema %u, this program needs %u: run `grapnelctl migrate`", number,
			SCHEMA_NUMBER);
	} else if (!ensure_env_sources(db, c, seal, shm, e)) {
		log_error("sources of the environment could not be made", LOG_ERR(e));
	}
	db_free(db);
	return ok;
}

static void warn_switches(const struct conf *c)
{
	if (!c->ingest.verify_signatures)
		log_warning("signatures are NOT verified: [ingest] verify_signatures is off");
	if (!c->ingest.rate_limit)
		log_warning("rate limits are off: [ingest] rate_limit");
}

/* No reason not to start: all is well as long as the database is. */
static void check_spool(const struct conf *c, const struct seal_key *seal)
{
	struct spool *s = spool_new(&(struct spool_config){ c->spool.directory, c->spool.max_bytes, seal });
	struct err e = { 0 };

	if (c->spool.enabled && !spool_ready(s, &e))
		log_error("webhooks cannot be kept while the database is away: mend [spool] directory", LOG_ERR(&e));
	spool_free(s);
}

/* No reason not to start either. */
static void open_spans(const struct conf *c, struct serve *s)
{
	struct err e = { 0 };

	if (!*c->tracing.endpoint)
		return;
	if (!c->outbound.dispatcher)
		log_warning("no spans are made: [tracing] endpoint needs [outbound] dispatcher");
	else if (!(s->spans = spans_make(c->server.state_file, s->shm, c->tracing.sample_ratio, &e)))
		log_error("no spans are made", LOG_ERR(&e));
}

static bool reload_ok(void *ctx)
{
	struct conf c = { 0 };
	struct err e = { 0 };
	bool ok = conf_load(&c, config_path, &e);

	if (!ok)
		log_error("the new configuration is refused; the old one stays", LOG_ERR(&e));
	conf_free(&c);
	return ok;
}

static int run(const struct conf *c, char **argv, struct err *e)
{
	struct serve s = { .conf = c };
	struct master_pool pools[3] = {
		{ POOL_INGEST, c->server.ingest_socket, c->server.ingest_workers, 0 },
		{ POOL_WEB, c->server.web_socket, c->server.web_workers, c->server.ingest_workers },
		{ POOL_DISPATCH, NULL, c->outbound.dispatcher, c->server.ingest_workers + c->server.web_workers },
	};
	struct master m = { .pools = pools, .pool_n = 3, .socket_mode = c->server.socket_mode, .ctx = &s, .worker = serve_worker,
		.reload_ok = reload_ok, .argv = argv, .drain_ms = DRAIN_MS };

	if (!become_user(c, e) || !(s.seal = seal_key_load(c->secrets.key_file, e))
		|| !(s.shm = shm_open_file(c->server.state_file, e)) || !bell_make(s.shm, e) || !check_database(c, s.seal, s.shm, e))
		return EXIT_CONFIG;
	m.shm = s.shm;
	open_spans(c, &s);
	warn_switches(c);
	check_spool(c, s.seal);
	return master_run(&m, e);
}

int main(int argc, char **argv)
{
	struct conf c = { 0 };
	struct err e = { 0 };
	bool foreground = false;
	int status = EXIT_CONFIG;

	standard_files();	/* of FastCGI's own convention, only descriptor 0 is open */
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--config") && i + 1 < argc)
			config_path = argv[++i];
		else if (!strcmp(argv[i], "--foreground"))
			foreground = true;
		else if (!strcmp(argv[i], "--version"))
			return puts("grapnel " PACKAGE_VERSION) < 0;
		else
			return usage(!strcmp(argv[i], "--help") ? stdout : stderr, strcmp(argv[i], "--help") ? 2 : 0);
	}
	if (conf_load(&c, config_path, &e)) {
		if (!c.server.ingest_workers)
			c.server.ingest_workers = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
		start_log(&c, foreground);
		status = run(&c, argv, &e);
	} else {
		log_init("grapnel", LOG_TARGET_STDERR, LOG_LEVEL_INFO, LOG_FORMAT_KEYS);
	}
	if (e.code && status)
		log_error("grapnel ends", LOG_ERR(&e));
	conf_free(&c);
	return status;
}
