/* options.c - every option there is. A new one is one row here and one member in conf.h; sample file, manual and checks
 * follow from the row. */
#include "conf_int.h"

static const char *const words_target[] = { "stderr", "syslog", NULL };			/* enum log_target */
static const char *const words_level[] = { "error", "warning", "info", "debug", NULL };	/* enum log_level */
static const char *const words_format[] = { "keys", "json", NULL };			/* enum log_format */
static const char *const words_tls[] = { "off", "preferred", "required", NULL };

/* The offset of a member that must have this C type, or the row does not compile. */
#define MEMBER(s, k, ctype) (offsetof(struct conf, s.k) + _Generic(&((struct conf *)0)->s.k, ctype *: 0))
#define TEXT(s, k, preset, about) { #s, #k, &type_text, MEMBER(s, k, char *), preset, .help = about }
#define SECRET(s, k, about) { #s, #k, &type_secret, MEMBER(s, k, char *), "", .help = about }
#define NUMBER(s, k, type, preset, min, max, about) { #s, #k, &type, MEMBER(s, k, uint32_t), preset, min, max, .help = about }
#define BOOL(s, k, preset, about) { #s, #k, &type_bool, MEMBER(s, k, bool), preset, .help = about }
#define WORD(s, k, preset, words, about) { #s, #k, &type_word, MEMBER(s, k, uint32_t), preset, 0, 0, words, .help = about }

/* Options with RESTART belong to the sockets and the identity of the master, which outlive a reload. */
#define RESTART_TEXT(s, k, preset, about) \
	{ #s, #k, &type_text, MEMBER(s, k, char *), preset, .restart = true, .help = about }

const struct option options[] = {
	TEXT(database, socket, "", "Unix socket of MariaDB; empty: TCP to host and port."),
	TEXT(database, host, "localhost", "Host of MariaDB where no socket is set."),
	NUMBER(database, port, type_number, "3306", 1, 65535, "Port of MariaDB where no socket is set."),
	TEXT(database, user, "grapnel", "Database account; needs SELECT, INSERT, UPDATE, DELETE."),
	SECRET(database, password, "Its password; better in password_file."),
	TEXT(database, password_file, "", "File whose first line is the password, readable only by the program's user."),
	TEXT(database, name, "grapnel", "Name of the database."),
	NUMBER(database, connect_timeout_ms, type_ms, "5s", 100, 60000, "How long a connection may take to open."),
	NUMBER(database, read_timeout_ms, type_ms, "30s", 1000, 600000, "How long a statement may take."),
	{ "database", "tls", &type_text_word, MEMBER(database, tls, char *), "off", 0, 0, words_tls,
		.help = "Encryption to the database." },
	TEXT(database, tls_ca, "", "File of certificate authorities for it."),

	RESTART_TEXT(server, ingest_socket, "/run/grapnel/ingest.sock",
		"Socket for inbound webhooks; the web server connects to it."),
	RESTART_TEXT(server, web_socket, "/run/grapnel/web.sock", "Socket for API and dashboard."),
	{ "server", "socket_mode", &type_octal, MEMBER(server, socket_mode, uint32_t), "0660", 0, 0777, .restart = true,
		.help = "Permissions of the sockets, octal." },
	NUMBER(server, ingest_workers, type_number, "0", 0, 32, "Processes for webhooks; 0 = one for each core."),
	NUMBER(server, web_workers, type_number, "4", 1, 32, "Processes for API, pages and large bodies."),
	RESTART_TEXT(server, state_file, "/run/grapnel/state", "Shared memory of rate limits and counters."),
	{ "server", "public_url", &type_url, MEMBER(server, public_url, char *), "http://localhost",
		.help = "How providers reach this server; begins with http:// or https://." },
	RESTART_TEXT(server, user, "", "User to become when started by root."),
	{ "server", "node", &type_number, MEMBER(server, node, uint32_t), "0", 0, 14, .restart = true,
		.help = "Number of this host among those on one database; no two alike." },
	BOOL(server, development, "false", "true allows what only tests need; refused unless public_url is this machine's own."),

	NUMBER(ingest, batch_max, type_number, "32", 1, 32, "Requests of one transaction."),
	NUMBER(ingest, batch_events_max, type_number, "256", 1, 10000, "Events of one transaction."),
	NUMBER(ingest, batch_bytes_max, type_bytes, "1M", 65536, 64u << 20, "Bodies of one transaction."),
	NUMBER(ingest, request_deadline_ms, type_ms, "10s", 100, 600000, "A request that stands still this long is dropped."),
	NUMBER(ingest, upload_deadline_ms, type_ms, "60s", 1000, 3600000, "A request that takes this long in all is dropped."),
	NUMBER(ingest, connections_max, type_number, "256", 1, 10000, "Unfinished requests of one worker."),
	NUMBER(ingest, remote_per_minute, type_number, "300", 1, 1000000, "Failed proofs of one remote address in a minute."),
	BOOL(ingest, verify_signatures, "true", "false accepts unsigned requests: for tests only."),
	BOOL(ingest, rate_limit, "true", "false takes any number of requests: for tests only."),
	BOOL(ingest, debug, "false", "Logs why proofs fail; never a secret."),

	BOOL(spool, enabled, "true",
		"Keeps webhooks on disk while the database is away, and stores them later; false tells their senders to come again."),
	TEXT(spool, directory, GRAPNEL_LOCALSTATEDIR "/spool/grapnel",
		"Folder for that on this host's own disk, private to the program's user; is made where its parent may be written to."),
	NUMBER(spool, max_bytes, type_bytes, "1G", 1u << 20, 4095u << 20,
		"The most that it holds; then senders are told to come again. A webhook takes its own size and half a KiB."),

	NUMBER(web, response_deadline_ms, type_ms, "30s", 1000, 600000, "A peer that does not take its answer is dropped."),
	NUMBER(web, session_idle_minutes, type_number, "720", 1, 44640, "Whoever opens no page for so long signs in again."),
	NUMBER(web, session_max_hours, type_number, "168", 1, 8784, "A session ends after so long, whatever happens."),

	TEXT(secrets, key_file, GRAPNEL_SYSCONFDIR "/grapnel/secret.key", "Key that seals secrets in the database."),
	SECRET(secrets, stripe_webhook_secret, "Makes the default tenant's default stripe source with this secret."),
	SECRET(secrets, paypal_webhook_id, "Makes the default tenant's default paypal source with this webhook id."),

	{ "keys", "test_hosts", &type_hosts, MEMBER(keys, test_hosts, char *), "",
		.help = "Servers on loopback that play hosts of providers, host=127.0.0.1:port; only with development." },
	TEXT(keys, test_authorities, "", "File of certificate authorities that are trusted beside the system's; only with development."),

	{ "outbound", "allow", &type_cidrs, MEMBER(outbound, allow, char *), "",
		.help = "Private networks that handlers and other addresses set by users may be in; every public address may be used anyhow." },
	{ "outbound", "ports", &type_ports, MEMBER(outbound, ports, char *), "80, 443, 1024-65535", .help = "Ports of such addresses." },
	NUMBER(outbound, timeout_ms, type_ms, "10s", 500, 60000, "How long one of them may take to answer."),
	NUMBER(outbound, link_hours, type_number, "24", 0, 720,
		"Hours that the links in e-mail and SMS work which acknowledge or resolve an incident without a sign-in; 0: messages carry none."),
	NUMBER(outbound, max_deliveries, type_number, "50", 1, 1000, "How many deliveries the history of a user's webhooks shows."),
	BOOL(outbound, dispatcher, "true", "false: no process sends at once; grapnel-cron does all of it, each minute."),

	{ "mail", "server", &type_mail_server, MEMBER(mail, server, char *), "smtp://localhost:25",
		.help = "Mail server: smtp://host:587 needs STARTTLS, smtps://host:465 begins with TLS; smtp:// to localhost goes without." },
	TEXT(mail, from, "", "Sender of its mails; empty: grapnel at the host of public_url."),
	TEXT(mail, user, "", "User at that server, if it wants one."),
	SECRET(mail, password, "Password of that user."),

	{ "sms", "url", &type_url, MEMBER(sms, url, char *), "https://api.twilio.com", .help = "Server of text messages, one that speaks Twilio's REST API." },
	TEXT(sms, account, "", "Account SID there, AC and 32 hex digits; empty: only channels with an account of their own send text messages."),
	TEXT(sms, user, "", "SID of an API key of that account, SK...; empty: the account's own auth token is used."),
	SECRET(sms, token, "That auth token, or the secret of that API key."),
	TEXT(sms, from, "", "Sender: a number like +4930123456, a name, or a messaging service, MG..."),

	SECRET(metrics, token, "Bearer token for /metrics."),
	{ "metrics", "allow", &type_cidrs, MEMBER(metrics, allow, char *), "127.0.0.0/8, ::1",
		.help = "Addresses that may read /metrics without it." },

	{ "tracing", "endpoint", &type_endpoint, MEMBER(tracing, endpoint, char *), "",
		.help = "OpenTelemetry collector that spans are sent to by OTLP over HTTP, like http://localhost:4318; /v1/traces is put behind it. Empty: none are made." },
	{ "tracing", "headers", &type_headers, MEMBER(tracing, headers, char *), "",
		.help = "Headers for it, name=value with commas between, as in OTEL_EXPORTER_OTLP_HEADERS; better in headers_file." },
	TEXT(tracing, headers_file, "", "File whose first line is that, readable only by the program's user."),
	NUMBER(tracing, sample_ratio, type_decimal, "1", 0, CONF_DECIMAL_ONE, "Share of the traces that begin here and are recorded; whoever sends a traceparent decides himself."),
	TEXT(tracing, service_name, "grapnel", "What the collector knows this installation by."),

	NUMBER(monitor, window_minutes, type_number, "60", 1, 44640, "Minutes that the checks of the monitor look back, where nobody says otherwise."),
	NUMBER(monitor, max_recent_failures, type_number, "10", 0, 1000000000, "Events that may have a failed attempt in that time."),
	NUMBER(monitor, max_backlog_size, type_number, "100", 0, 1000000000, "Events that may wait to be processed."),
	NUMBER(monitor, max_oldest_pending_minutes, type_number, "30", 1, 1000000, "Minutes that an event may wait."),
	NUMBER(monitor, max_average_attempts, type_decimal, "2", CONF_DECIMAL_ONE, 100 * CONF_DECIMAL_ONE, "Attempts that an event may need on average."),
	NUMBER(monitor, max_duplicates, type_number, "5", 0, 1000000000, "Events that may come again in that time."),
	NUMBER(monitor, min_success_rate, type_decimal, "0.95", 0, CONF_DECIMAL_ONE, "Share of the events that should be processed; 0.95 is 95 %."),
	BOOL(monitor, auto_remediate, "false", "true lets cron do what auto-remediate does while a check fails; it switches no source off."),

	{ "cron", "timezone", &type_zone, MEMBER(cron, timezone, char *), "",
		.help = "Zone of daily times, like Europe/Berlin; empty: the host's." },
	NUMBER(cron, time_limit_s, type_number, "50", 1, 3600, "Seconds a run of grapnel-cron may take; the rest waits for the next."),
	SECRET(cron, token, "Bearer token of /api/cron/webhook-maintenance; empty: that path is not there."),

	NUMBER(retention, events_days, type_number, "90", 1, 36500,
		"Days that events and their requests are kept, but for those that wait or belong to an open incident."),
	NUMBER(retention, refused_bodies_days, type_number, "7", 1, 36500, "Days that the bodies of refused requests are kept."),
	NUMBER(retention, incidents_days, type_number, "365", 1, 36500, "Days that an incident is kept after it was resolved."),
	NUMBER(retention, audit_days, type_number, "365", 1, 36500, "Days after which audit entries move to archive_dir."),
	TEXT(retention, archive_dir, "",
		"Folder for archives, written by the user of grapnel-cron; empty: audit entries stay, the rest goes without one."),
	BOOL(retention, archive_events, "false",
		"Whether events, requests, alerts and incidents go to archive_dir before they are removed; the audit log does anyway."),

	WORD(log, target, "syslog", words_target, "Where to log."),
	WORD(log, level, "info", words_level, "The least important level that is logged."),
	WORD(log, format, "keys", words_format, "key=value or JSON lines."),
};
const size_t option_n = ARRAY_SIZE(options);

const struct option *option_find(struct str section, struct str key)
{
	for (size_t i = 0; i < option_n; i++)
		if (str_eqs(section, options[i].section) && str_eqs(key, options[i].key))
			return &options[i];
	return NULL;
}

bool option_set(struct conf *c, const struct option *o, struct str value, struct err *e)
{
	return o->type->set((char *)c + o->offset, o, str_trim(value), e);
}
