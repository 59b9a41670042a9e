/* conf.h - the configuration: one INI file, the environment over it, every option one row of a table.
 *
 * That row names section and key, type, default, limits and help; it parses, checks, documents and prints the option
 * (pgbouncer, dovecot). An unknown key or a bad value is an error with file and line, and nothing starts. */
#ifndef GRAPNEL_CONF_H
#define GRAPNEL_CONF_H

#include "grapnel/base.h"
#include "grapnel/log.h"

#define CONF_DECIMAL_ONE 10000	/* what stands for 1 in options with decimals */

/* Texts are owned by the conf and never NULL. Durations are ms, sizes bytes. */
struct conf {
	struct {
		char *socket, *host, *user, *password, *password_file, *name, *tls, *tls_ca;
		uint32_t port, connect_timeout_ms, read_timeout_ms;
	} database;
	struct {
		char *ingest_socket, *web_socket, *state_file, *public_url, *user;
		uint32_t socket_mode, ingest_workers, web_workers, node;
		bool development;
	} server;
	struct {
		uint32_t batch_max, batch_events_max, batch_bytes_max, request_deadline_ms, upload_deadline_ms,
			connections_max, remote_per_minute;
		bool verify_signatures, rate_limit, debug;
	} ingest;
	struct {
		char *directory;
		uint32_t max_bytes;
		bool enabled;
	} spool;
	struct {
		uint32_t response_deadline_ms, session_idle_minutes, session_max_hours;
	} web;
	struct {
		char *key_file, *stripe_webhook_secret, *paypal_webhook_id;
	} secrets;
	struct {
		char *test_hosts, *test_authorities;
	} keys;
	struct {
		char *allow, *ports;
		uint32_t timeout_ms, link_hours, max_deliveries;
		bool dispatcher;
	} outbound;
	struct {
		char *server, *from, *user, *password;
	} mail;
	struct {
		char *url, *account, *user, *token, *from;
	} sms;
	struct {
		char *token, *allow;
	} metrics;
	struct {
		char *endpoint, *headers, *headers_file, *service_name;
		uint32_t sample_ratio;	/* by CONF_DECIMAL_ONE */
	} tracing;
	struct {
		uint32_t window_minutes, max_recent_failures, max_backlog_size, max_oldest_pending_minutes, max_duplicates;
		uint32_t max_average_attempts, min_success_rate;	/* by CONF_DECIMAL_ONE */
		bool auto_remediate;
	} monitor;
	struct {
		char *timezone, *token;
		uint32_t time_limit_s;
	} cron;
	struct {
		uint32_t events_days, refused_bodies_days, incidents_days, audit_days;
		char *archive_dir;
		bool archive_events;
	} retention;
	struct {
		uint32_t target;	/* enum log_target */
		uint32_t level;		/* enum log_level */
		uint32_t format;	/* enum log_format */
	} log;
};

/* The file, then the environment over it: DATABASE_URL (mysql://user:password@host:port/name, or with ?socket=/path),
 * STRIPE_WEBHOOK_SECRET, PAYPAL_WEBHOOK_ID, INTEGRATION_VERIFY_SIGNATURES, INTEGRATION_RATE_LIMIT, WEBHOOK_DEBUG, WEBHOOK_MAX_DELIVERIES; an empty
 * variable counts as unset. path NULL: defaults and environment only. What was in *c is not looked at; it holds nothing
 * after a failure. ERR_INVALID with "file:line: [section] key: why"; ERR_DOWN when the file cannot be read. */
bool conf_load(struct conf *c, const char *path, struct err *e) MUST_USE;
bool conf_database_is_here(const struct conf *c);	/* on this host: its disk is one of ours */
void conf_free(struct conf *c);		/* wipes secrets; a zeroed conf is fine */

/* The first option, as "section.key", that differs and that a running master cannot take over by SIGHUP; else NULL. */
const char *conf_restart_needed(const struct conf *running, const struct conf *fresh);

/* The whole sample file: each option with its help, limits and default, commented out. */
void conf_print_sample(FILE *to);
/* grapnel.conf(5), in mdoc(7). */
void conf_print_manual(FILE *to);
/* What is in force, as a file; secrets as "***". */
void conf_print(const struct conf *c, FILE *to);
/* The value of one option, "section.key", and a line end; false and nothing when there is no such option. */
bool conf_print_value(const struct conf *c, const char *name, FILE *to) MUST_USE;

#endif
