/* doctor_int.h - the row of a check, what checks find out for each other, and how they say what they found. */
#ifndef DOCTOR_INT_H
#define DOCTOR_INT_H

#include <sys/types.h>

#include "grapnel/db.h"
#include "grapnel/doctor.h"
#include "grapnel/store.h"

/* What a check stands on. One that finds it out gives it to those behind. */
enum {
	HAS_CONF = 1,		/* d->conf */
	HAS_SERVICE = 64,	/* d->service */
	HAS_KEY = 2,		/* d->seal */
	HAS_DB = 4,		/* d->db answers, d->server holds its facts */
	HAS_SCHEMA = 8,		/* migrated */
	HAS_PROGRAM = 16,	/* grapnel.fcgi answers on its sockets */
	HAS_WEB = 32,		/* the web server leads to it */
};

struct doctor;
struct doctor_check {
	const char *name, *what;	/* "key-file", half a sentence */
	unsigned needs, gives;		/* HAS_... */
	void (*look)(struct doctor *d);	/* says at least one thing; sets what it gives in d->has */
};

/* Who the worker processes are. */
struct service_user {
	uid_t uid;
	gid_t gid;
	const char *name;
};

struct doctor {
	const struct doctor_config *c;
	struct arena *a;
	unsigned has;
	const struct doctor_check *check;	/* in work */
	bool quiet;				/* it was not asked for: its lines are dropped */
	struct doctor_result *out;
	size_t cap;
	/* with HAS_... */
	struct conf conf;
	struct service_user service;
	struct seal_key *seal;
	struct db *db;
	struct server_facts server;
};

/* One line of the check in work. `mend` is a sentence or a command, made by how(), or NULL. */
void say(struct doctor *d, enum doctor_level l, const char *mend, const char *fmt, ...) PRINTF(4, 5);
const char *how(struct doctor *d, const char *fmt, ...) PRINTF(2, 3);
/* A check that looks at several things says "ok" once, where nothing was said of them. */
size_t said(const struct doctor *d);

/* ---- files.c ---- */

/* May the worker processes do that (R_OK, W_OK, X_OK) with the path? 1, 0, or -1: that cannot be told by this user. */
int service_may(struct doctor *d, const char *path, int mode);

/* ---- the checks, a file for each subject ---- */
extern const struct doctor_check
	check_configuration, check_configuration_file, check_password_file, check_public_url, check_test_switches, check_weak_tokens,
	check_metrics_access, check_outbound_guard, check_retention, check_log, check_tracing, check_worker_number,
	check_service_user, check_key_file, check_state_file, check_archive_folder, check_spool, check_disk_space, check_authorities,
	check_database, check_database_version, check_database_session, check_database_sql_mode, check_database_durability, check_database_packet,
	check_database_charset, check_database_connections, check_database_memory, check_database_tls, check_database_clock,
	check_database_read_only, check_migrations, check_database_rights, check_database_excess_rights,
	check_sealed_secrets, check_key_rotation, check_administrators, check_integrations, check_provider_keys,
	check_cron, check_jobs, check_outbox, check_channels, check_mail_server, check_sms_account, check_endpoints,
	check_sockets, check_workers, check_running,
	check_certificate, check_web_server, check_web_routing, check_web_authorization, check_web_keep_alive, check_web_body;

#endif
