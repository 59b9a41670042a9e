/* resource.h - what people and programs ask for and change: a file per resource, with its forms and its acts.
 *
 * API and pages are two dresses of the same thing. Both read a form by the tables here (JSON there, a posted form here), call
 * the same act, and show the result through the same view. So a rule about input stands once, and a page can do nothing
 * that a program cannot. Rights were checked before, by the route.
 *
 * An act returns false with a code: ERR_NOT_FOUND (or not for this tenant), ERR_INVALID (with the field), ERR_CONFLICT.
 * Texts that are meant for the caller are whole sentences with a field or made by err_tell. */
#ifndef GRAPNEL_RESOURCE_H
#define GRAPNEL_RESOURCE_H

#include "grapnel/account.h"
#include "grapnel/base.h"
#include "grapnel/channel.h"
#include "grapnel/conf.h"
#include "grapnel/form.h"
#include "grapnel/provider.h"
#include "grapnel/store.h"
#include "grapnel/view.h"

struct ingest;
struct ingest_tested;

/* Who asks, for whom, and what there is to do it with. */
struct caller {
	struct db *db;
	struct shm *shm;
	const struct seal_key *seal;
	const struct conf *conf;
	struct id_maker *ids;
	struct ingest *ingest;		/* for test webhooks */
	struct arena *a;		/* of the request */
	struct principal principal;	/* empty on open routes */
	bool command_line;		/* no person and no token: grapnelctl */
	uint64_t tenant_id;		/* whose things; 0 = all: a platform admin asked with tenant=all */
	struct str remote_addr;
	struct str session_id;		/* se_... of a page, else empty */
	ms_t now;
};
/* For audit log and timeline. */
struct who caller_who(const struct caller *by, uint64_t tenant_id);

extern const struct form_word level_words[];	/* bits 1 << enum level */

/* ---- request.c, alert.c ---- */

extern const struct form_field request_query_fields[];	/* over struct request_filter */
extern const struct form_field alert_query_fields[];	/* over struct alert_filter */

/* ---- event.c ---- */

struct event_query {
	struct event_filter f;
	uint64_t processed;	/* bits of statuses: nothing left to do, or something */
};
extern const struct form_field event_query_fields[];
/* The rows of a filter in the struct s, whose struct event_filter is f and whose bits of `processed` are p. */
extern const struct form_word event_status_words[], event_processed_words[], event_severity_words[];
#define EVENT_FILTER_ROWS(s, f, p) \
	{ "status", WORDS_AT(s, f.statuses), .words = event_status_words, .help = "One or more, with commas between" }, \
	{ "processed", WORDS_AT(s, p), .words = event_processed_words, .help = "Nothing left to do, or something" }, \
	{ "severity", WORDS_AT(s, f.severities), .words = event_severity_words, .help = "One or more, with commas between" }, \
	{ "provider", TEXT_AT(s, f.provider), .max = 32, .help = "Provider slug" }, \
	{ "source", TEXT_AT(s, f.source), .max = 23, .help = "Id of an integration" }, \
	{ "serviceId", TEXT_AT(s, f.service_id), .max = 23, .help = "Id of the integration's service" }, \
	{ "service", TEXT_AT(s, f.service), .max = 400, .help = "The same by id or name" }, \
	{ "type", TEXT_AT(s, f.type), .max = EVENT_TYPE_MAX, .help = "Event type, whole" }, \
	{ "q", TEXT_AT(s, f.text), .max = EVENT_TEXT_MAX, \
		.help = "A whole event id, the provider's or ours; else part of summary or type, or a whole dedup key" }, \
	{ "text", TEXT_AT(s, f.text), .max = EVENT_TEXT_MAX, .help = "The same as q" }, \
	{ "from", TIME_AT(s, f.from), .help = "Received at or after" }, \
	{ "to", TIME_AT(s, f.to), .after = "from", .help = "Received before" }
/* `processed` into the statuses. False: the two exclude each other, so there is nothing to look for. */
bool event_query_join(struct event_query *q) MUST_USE;
bool event_query_list(const struct caller *by, struct event_query *q, struct event_view **out, size_t *n, uint64_t *next,
	struct err *e) MUST_USE;

struct stats_query {
	ms_t from, to;	/* 0: `to` is now, `from` a day before */
};
extern const struct form_field stats_query_fields[];
bool stats_query_get(const struct caller *by, const struct stats_query *q, struct stats_view *out, struct err *e) MUST_USE;

/* ---- replay.c: events once more ---- */

/* What is left to do of it, now and with all attempts; one that is on its way stays as it is, so twice is once. ERR_CONFLICT in a sentence:
 * nothing is left. *out is the event after it. */
bool event_retry_by(const struct caller *by, uint64_t id, struct event_view *out, struct err *e) MUST_USE;

struct event_replay_form {
	struct event_query q;
	const struct json *filter;
	bool dry_run;
};
extern const struct form_field event_replay_fields[];
/* After the form was read: brings its filter together. */
bool event_replay_read(const struct caller *by, struct event_replay_form *f, struct err *e) MUST_USE;
#define REPLAY_SAMPLE 10
struct event_replay_look {
	uint64_t count;			/* as far as they could be counted in a moment */
	bool more;			/* and more than that */
	struct event_view *sample;	/* the newest of them */
	size_t sample_n;
};
bool event_replay_look(const struct caller *by, const struct event_replay_form *f, struct event_replay_look *out, struct err *e) MUST_USE;
/* Begins the task `id`, made by the caller; where that is there already it is told as it is. */
bool event_replay_by(const struct caller *by, const struct event_replay_form *f, uint64_t id, struct task_view *out, struct err *e) MUST_USE;
/* "status=failed&provider=stripe": the filter as the query of the list. */
struct str event_filter_query(struct arena *a, const struct event_filter *f);

/* ---- task.c ---- */

extern const struct form_field task_query_fields[];	/* over struct task_filter */
bool task_find(const struct caller *by, uint64_t id, struct task_view *out, struct err *e) MUST_USE;
/* ERR_CONFLICT in a sentence: it is over. */
bool task_cancel_by(const struct caller *by, uint64_t id, struct task_view *out, struct err *e) MUST_USE;

/* ---- monitor.c ---- */

struct monitor_query {
	uint64_t window_min;	/* 0: as configured */
	bool report;
};
extern const struct form_field monitor_query_fields[];
extern const struct form_field monitor_alert_query_fields[];	/* over struct monitor_alert_filter */
struct monitor_answer {
	struct monitor_view view;
	struct monitor_result result;
	struct monitor_alert_view *alerts;	/* those that run; before them those of checks that fail since cron looked last, without id */
	size_t alerts_n;
};
/* Tenant 0: all together. */
bool monitor_get_by(const struct caller *by, const struct monitor_query *q, struct monitor_answer *out, struct err *e) MUST_USE;

/* ---- overview.c ---- */

bool overview_by(const struct caller *by, struct overview *out, struct err *e) MUST_USE;	/* of one tenant */

/* ---- monitor_act.c: what the monitor can have done; bounded in number and time, so that it fits into a request ---- */

struct monitor_params {		/* each action has a form table that names those it takes */
	uint64_t older_than_days, limit, max_attempts, window_min;	/* 0: the default */
	struct str provider, event_id;
	const struct json *event_ids, *filter;
	bool dry_run;
};

struct monitor_event_result {
	uint64_t id, attempts;
	struct str event_id, source_id, provider, status, outcome, message;
	ms_t received_at;
	bool success;
};
extern const struct field monitor_result_fields[], monitor_sample_fields[];	/* the second: what a dry run tells of an event */

/* Where the same thing came more than once: duplicates.c. */
struct duplicate_group {
	struct str kind;		/* repeats, sources, bodies */
	struct str provider, event_id;
	struct str events;		/* JSON array of our numbers */
	uint64_t count;
};
struct duplicates {
	struct duplicate_group *groups;
	size_t n;
	uint64_t looked_at, events;	/* events: in all groups together */
	uint64_t repeats, sources, bodies;	/* groups of each kind */
	bool more;			/* there may be more than was looked at, or is listed */
};
extern const struct field duplicate_group_fields[], duplicates_fields[];
bool duplicates_find(const struct caller *by, ms_t since, size_t limit, struct duplicates *out, struct err *e) MUST_USE;

struct job_result;		/* of job.h, as the next one */
struct remediation;
struct monitor_act;
struct monitor_acted {
	const struct monitor_act *act;
	bool dry_run;
	uint64_t affected;		/* changed; in a dry run: would be. Duplicates: found */
	uint64_t left;			/* what it had no time or room for, as far as it was counted */
	bool more;			/* and there may be more */
	struct monitor_event_result *results;	/* in a dry run a sample */
	size_t results_n;
	struct monitor_event_result *candidates;	/* with ERR_CONFLICT: events of the id that was given */
	size_t candidates_n;
	struct job_result *cleanup;	/* of that action, as the next ones; else NULL */
	struct remediation *remediation;
	struct duplicates *duplicates;
};

struct doing;
struct monitor_act {
	const char *name;		/* "retry-failed" */
	const struct form_field *fields;	/* over struct monitor_params */
	bool (*run)(struct doing *d, struct err *e);
};
#define MONITOR_ACTS 7
extern const struct monitor_act monitor_acts[MONITOR_ACTS];
const struct monitor_act *monitor_act_find(struct str name);	/* or NULL */
/* Audited, but for a dry run. ERR_NOT_FOUND, ERR_CONFLICT and ERR_INVALID name the parameter. */
bool monitor_act_by(const struct caller *by, const struct monitor_act *act, const struct monitor_params *p, struct monitor_acted *out,
	struct err *e) MUST_USE;

/* The same as a program asks for it. */
struct monitor_act_form {
	uint64_t action;		/* 1 << place in monitor_acts */
	const struct json *params;
	bool dry_run;
};
extern const struct form_field monitor_act_fields[];
bool monitor_act_read(const struct caller *by, const struct monitor_act_form *f, const struct monitor_act **act, struct monitor_params *p,
	struct err *e) MUST_USE;

/* ---- incident.c: what people do. ERR_CONFLICT says why its status does not allow it. ---- */

extern const struct form_field incident_query_fields[];	/* over struct incident_filter */

struct command_form {
	struct str note;
};
extern const struct form_field incident_command_fields[];
/* `note` may be STR_NONE. */
bool incident_command_by(const struct caller *by, uint64_t id, enum incident_command command, struct str note,
	struct err *e) MUST_USE;

struct note_form {
	struct str text;
};
extern const struct form_field incident_note_fields[];
bool incident_note_by(const struct caller *by, uint64_t id, const struct note_form *f, struct err *e) MUST_USE;

struct assign_form {
	struct str assignee;	/* empty: nobody */
};
extern const struct form_field incident_assign_fields[];
bool incident_assign_by(const struct caller *by, uint64_t id, const struct assign_form *f, struct err *e) MUST_USE;

#define SNOOZE_MAX_MS (30 * MS_PER_DAY)
struct snooze_form {
	uint64_t minutes;	/* from now; 0: no longer */
	ms_t until;
};
#define SNOOZE_FORM_NEW { .minutes = UINT64_MAX }
extern const struct form_field incident_snooze_fields[];
bool incident_snooze_by(const struct caller *by, uint64_t id, const struct snooze_form *f, struct err *e) MUST_USE;

#define BULK_IDS_MAX 100
struct bulk_form {
	const struct json *ids;	/* array of texts */
	uint64_t action;	/* 1 << enum incident_command */
	struct str note;
};
extern const struct form_field incident_bulk_fields[];
struct bulk_result {
	struct str id;		/* as it was given */
	bool success;
	struct str error, message;	/* why not: not_found or conflict, and a sentence */
};
extern const struct field bulk_result_fields[];
struct merge_form {
	struct str into;
};
extern const struct form_field incident_merge_fields[];
bool incident_merge_by(const struct caller *by, uint64_t id, const struct merge_form *f, struct err *e) MUST_USE;

/* Each id for itself, in order. False: it stopped in the middle, since something does not work. */
bool incident_bulk_by(const struct caller *by, const struct bulk_form *f, struct bulk_result **out, size_t *n, struct err *e) MUST_USE;

/* ---- link.c: the link of a message acts, without a sign-in. Looking changes nothing ---- */

enum link_answer {
	LINK_READY,		/* it can be used */
	LINK_DONE,		/* it was, now */
	LINK_NOT_NEEDED,	/* its incident is acknowledged or resolved already, by whomever */
	LINK_USED,
	LINK_EXPIRED,
	LINK_REVOKED,		/* whoever got it is no longer here, or may not act any more */
	LINK_GONE,		/* its incident was cleaned up */
	LINK_FORGED,
	LINK_THROTTLED,		/* too many forged ones from this address: wait_ms */
};
struct link_state {
	enum link_answer answer;
	struct incident_link link;	/* but for the last two */
	struct link_view about;		/* but for the last three */
	ms_t wait_ms;
};
bool link_look(const struct caller *by, struct str token, struct link_state *out, struct err *e) MUST_USE;
bool link_use(const struct caller *by, struct str token, struct link_state *out, struct err *e) MUST_USE;

/* ---- service.c ---- */

extern const struct form_field service_query_fields[];	/* over struct service_filter */

struct service_form {
	struct str name, description;
	const struct json *aliases;	/* array of texts; NULL: none */
	struct str policy;		/* public id; empty: none */
	const struct json *channels;	/* array of public ids; NULL: none */
	bool leave_gone;		/* a policy and channels that are not there are left out, not refused */
	uint64_t auto_resolve_minutes;	/* 0: never */
	bool is_default;
};
extern const struct form_field service_fields[];
void service_to_form(const struct caller *by, const struct service *s, struct service_form *f);
bool service_create(const struct caller *by, const struct service_form *f, struct service *made, struct err *e) MUST_USE;
/* `read` puts the wish over the form of what is stored; it is called again when somebody else changed the service meanwhile. */
bool service_change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct service_form *f, struct err *e),
	void *ctx, struct err *e) MUST_USE;
bool service_remove(const struct caller *by, struct str public_id, struct err *e) MUST_USE;

/* ---- integration.c ---- */

struct integration_form {
	struct str name, type, service, secret, allowed_ips;
	struct str handler_url, handler_secret;	/* handler_secret p NULL: as it was */
	uint64_t heartbeat_minutes, retention_days;	/* 0: none; as its tenant */
	uint64_t actions, per_minute, forward_mode;	/* forward_mode: 1 << enum forward_mode */
	const struct json *settings, *retry_policy;	/* retry_policy NULL: the default */
	bool require_key, route_by_service, enabled, is_default, make_secret, alert_test_mode, heartbeat_incident;
	bool made_handler_secret;	/* returned: handler_secret is a made one, to be shown this once */
	struct str public_id, key;	/* of a new one that comes from another installation; empty: new ones are made */
};
extern const struct form_field integration_fields[];
#define INTEGRATION_FORM_NEW { .per_minute = RATE_DEFAULT, .enabled = true, .forward_mode = 1u << FORWARD_QUEUED }

struct integration_query {
	struct str type;
	uint64_t limit, cursor;
};
extern const struct form_field integration_query_fields[];
#define INTEGRATION_QUERY_NEW { .limit = LIST_LIMIT_DEFAULT }
bool integration_query_list(const struct caller *by, const struct integration_query *q, struct source **out, size_t *n,
	uint64_t *next, struct err *e) MUST_USE;

/* 1 found; 0 no integration of that id in the caller's tenant; -1 failed. */
int integration_find(const struct caller *by, struct str public_id, struct source *out, struct err *e) MUST_USE;
/* What a form is to show, and what a change starts from. */
void integration_to_form(const struct caller *by, const struct source *s, struct integration_form *f);
/* *key is shown this once; f->secret holds the secret, also a made one. */
bool integration_create(const struct caller *by, struct integration_form *f, struct source *made, struct str *key,
	struct err *e) MUST_USE;
/* `read` puts the wish over the form of what is stored; it is called again when somebody else changed the source meanwhile.
 * *out is the source after the change, f the form as it was carried out. */
bool integration_change(const struct caller *by, struct str public_id,
	bool (*read)(void *ctx, struct integration_form *f, struct err *e), void *ctx, struct integration_form *f,
	struct source *out, struct err *e) MUST_USE;
struct rotate_form {
	uint64_t grace_seconds;		/* 0 ends the old one at once */
	struct str secret;		/* the new one, where the provider made it; empty: one is made */
};
extern const struct form_field integration_rotate_key_fields[], integration_rotate_secret_fields[];
#define ROTATE_FORM_NEW { .grace_seconds = 86400 }
/* *out is the integration after it. The new key is shown this once... */
bool integration_rotate_key(const struct caller *by, struct str public_id, const struct rotate_form *f, struct source *out,
	struct str *key, struct err *e) MUST_USE;
/* ...and so is the new secret, f->secret. */
bool integration_rotate_secret(const struct caller *by, struct str public_id, struct rotate_form *f, struct source *out,
	struct err *e) MUST_USE;
/* The key in force; looking at it is an entry of the audit log. */
bool integration_key(const struct caller *by, struct str public_id, struct str *key, struct err *e) MUST_USE;
/* The secret that the provider sent by itself, this once; ERR_CONFLICT in a sentence when there is none to show. */
bool integration_received_secret(const struct caller *by, struct str public_id, struct str *secret, struct err *e) MUST_USE;

struct test_form {
	bool notify;			/* channels and endpoints are told, too */
};
extern const struct form_field integration_test_fields[];
/* Sends its test webhook; `trace` is the id of the caller's own request. Done is also what was refused: see out->status. */
bool integration_test(const struct caller *by, struct str public_id, const struct test_form *f, struct str trace, struct ingest_tested *out,
	struct err *e) MUST_USE;

/* tested.c: the answer to a test webhook that went well, as members of the open object; and its entry in the audit log. */
extern const struct field tested_fields[], tested_alert_fields[], tested_incident_fields[], tested_validation_fields[];
void tested_json(struct json_out *o, struct arena *a, const struct ingest_tested *t);
bool tested_audit(struct db *db, struct arena *a, const struct who *who, struct str public_id, const struct ingest_tested *t, ms_t now,
	struct err *e) MUST_USE;
bool integration_remove(const struct caller *by, struct str public_id, struct err *e) MUST_USE;

/* ---- channel.c: where people and programs are told of things ---- */

struct channel_query {
	uint64_t limit, cursor;
};
extern const struct form_field channel_query_fields[];
#define CHANNEL_QUERY_NEW { .limit = LIST_LIMIT_DEFAULT }
/* Of struct sent_filter: its statuses in the words of channels. */
extern const struct form_field channel_delivery_query_fields[];
extern const struct form_word channel_delivery_words[];
#define SENT_QUERY_NEW { .limit = LIST_LIMIT_DEFAULT }

struct channel_form {
	struct str name, kind;
	struct str url, from, account, user, format;
	struct str password, token, routing_key, key, secret;	/* p NULL: as it was; and so `url` where that is the secret */
	const struct json *to;			/* array of texts; NULL: none */
	uint64_t events, min_severity;		/* min_severity: 1 << enum level */
	uint64_t max_per_minute;		/* 0: as is usual for its kind */
	bool enabled;
	bool made_secret;			/* returned: `secret` is a made one, to be shown this once */
	struct str public_id;			/* of a new one that comes from another installation; empty: a new one */
};
extern const struct form_field channel_fields[];
#define CHANNEL_PER_MINUTE 10		/* where people read it; programs are told each thing by itself */
#define CHANNEL_PER_MINUTE_MAX 600
#define CHANNEL_FORM_NEW { .events = CHANNEL_INCIDENT | CHANNEL_MONITOR, .min_severity = 1u << LEVEL_INFO, .enabled = true }

struct str *channel_form_text(struct channel_form *f, enum channel_part p);	/* NULL: of PART_TO, which is `to` */

/* 1 found; 0 no such channel in the caller's tenant; -1 failed. */
int channel_find(const struct caller *by, struct str public_id, struct channel *out, struct err *e) MUST_USE;
void channel_to_form(const struct caller *by, const struct channel *c, struct channel_form *f);
bool channel_create(const struct caller *by, struct channel_form *f, struct channel *made, struct err *e) MUST_USE;
/* `read` puts the wish over the form of what is stored; it is called again when somebody else changed the channel meanwhile. */
bool channel_change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct channel_form *f, struct err *e), void *ctx,
	struct channel_form *f, struct err *e) MUST_USE;
/* Its secret part, opened, into the form. The arena holds it afterwards: wipe it. */
bool channel_to_form_open(const struct caller *by, const struct channel *c, struct channel_form *f, struct err *e) MUST_USE;
bool channel_secret_missing(const struct channel_form *f);	/* its kind needs one that the form does not bring */
/* What waits for it is given up. */
bool channel_remove(const struct caller *by, struct str public_id, struct err *e) MUST_USE;

struct channel_tested {
	bool success;
	struct str message;			/* what happened, a sentence */
	struct channel_delivery_view delivery;	/* status waiting or sending: nobody has sent it yet */
	struct channel_attempt_view attempt;	/* attempt 0: there was none */
};
extern const struct field channel_tested_fields[];
/* Sends it a test message by way of the outbox, and waits for what comes of it as long as an attempt may take. What is refused is
 * done, too: see *out. */
bool channel_test(const struct caller *by, struct str public_id, struct channel_tested *out, struct err *e) MUST_USE;

/* ---- policy.c: escalation policies ---- */

struct policy_query {
	uint64_t limit, cursor;
};
extern const struct form_field policy_query_fields[];
#define POLICY_QUERY_NEW { .limit = LIST_LIMIT_DEFAULT }

struct policy_form {
	struct str name, description;
	uint64_t repeats;
	const struct json *steps;		/* array of objects */
	bool leave_gone;			/* targets that are not there are left out, not refused; viewers are left in */
	struct str public_id;			/* of a new one that comes from another installation; empty: a new one */
};
extern const struct form_field policy_fields[];
int policy_find(const struct caller *by, struct str public_id, struct policy *out, struct err *e) MUST_USE;	/* 1, 0, -1 */
void policy_to_form(const struct caller *by, const struct policy *p, struct policy_form *f);
bool policy_create(const struct caller *by, const struct policy_form *f, struct policy *made, struct err *e) MUST_USE;
/* `read` puts the wish over the form of what is stored; it is called again when somebody else changed the policy meanwhile. */
bool policy_change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct policy_form *f, struct err *e), void *ctx,
	struct err *e) MUST_USE;
/* ERR_CONFLICT in a sentence: services use it. */
bool policy_remove(const struct caller *by, struct str public_id, struct err *e) MUST_USE;
/* ---- status_page.c: what a tenant shows to everybody ---- */

struct status_form {
	struct str slug, title, about;
	const struct json *services;	/* array of texts */
	bool enabled, show_titles;
};
extern const struct form_field status_fields[];
struct status_page_view {
	struct status_page page;
	struct str url;			/* p NULL: nobody sees it */
};
extern const struct field status_page_view_fields[];
bool status_page_by(const struct caller *by, struct status_page_view *out, struct err *e) MUST_USE;
void status_page_to_form(const struct caller *by, const struct status_page *p, struct status_form *f);
bool status_page_change(const struct caller *by, const struct status_form *f, struct err *e) MUST_USE;

/* ---- alert_rule.c: thresholds that users set for themselves; always the caller's own, but where a user is named ---- */

struct alert_rule_query {
	uint64_t limit, cursor;
};
extern const struct form_field alert_rule_query_fields[];
#define ALERT_RULE_QUERY_NEW { .limit = LIST_LIMIT_DEFAULT }

struct alert_rule_form {
	struct str name;
	uint64_t metric, comparison;		/* 1 << enum rule_metric, 1 << enum rule_comparison */
	const struct json *filter;		/* as programs say it; alert_rule_form_filter takes from it: */
	struct str provider, source, service;	/* slug, public id, public id or name; empty: all */
	double threshold;
	uint64_t window_min;
	bool enabled;
	struct str user;			/* whose, in a file of configuration: public id; empty: the caller's */
	struct str public_id;			/* of a new one that comes from another installation; empty: a new one */
};
/* Of programs; of the page, whose fields are flat; of a file of configuration. */
extern const struct form_field alert_rule_fields[], alert_rule_post_fields[], alert_rule_config_fields[];
#define ALERT_RULE_FORM_NEW { .window_min = 60, .enabled = true }
bool alert_rule_form_filter(const struct caller *by, struct alert_rule_form *f, struct err *e) MUST_USE;

/* 1 found; 0 the caller has none of that id in that tenant; -1 failed. */
int alert_rule_find(const struct caller *by, struct str public_id, struct alert_rule *out, struct err *e) MUST_USE;
void alert_rule_to_form(const struct caller *by, const struct alert_rule *r, struct alert_rule_form *f);
bool alert_rule_create(const struct caller *by, uint64_t user_id, const struct alert_rule_form *f, struct alert_rule *made, struct err *e) MUST_USE;
/* `read` puts the wish over the form of what is stored; it is called again when somebody else changed the rule meanwhile. */
bool alert_rule_change_by(const struct caller *by, uint64_t user_id, struct str public_id,
	bool (*read)(void *ctx, struct alert_rule_form *f, struct err *e), void *ctx, struct err *e) MUST_USE;
bool alert_rule_remove(const struct caller *by, struct str public_id, struct err *e) MUST_USE;

struct alert_rule_result {
	struct str rule_id, name;
	bool triggered;
	double value, threshold;
};
extern const struct field alert_rule_result_fields[];
struct alert_rules_judged {
	struct alert_rule_result *results;	/* of each enabled rule, the oldest first */
	size_t n, triggered;
};
/* Measures and judges them now, and delivers what triggered to the caller's endpoints; what is stored of them stays as it is, since that is the job's,
 * which tells of changes. */
bool alert_rules_judge_by(const struct caller *by, struct alert_rules_judged *out, struct err *e) MUST_USE;

/* ---- oncall.c: schedules, who is on call ---- */

struct schedule_query {
	uint64_t limit, cursor;
};
extern const struct form_field schedule_query_fields[];
#define SCHEDULE_QUERY_NEW { .limit = LIST_LIMIT_DEFAULT }

struct schedule_form {
	struct str name, description, time_zone;
	const struct json *layers;		/* array of objects; NULL: none */
	struct str public_id;			/* of a new one that comes from another installation; empty: a new one */
	ms_t version;				/* of what is stored: its last change */
	bool leave_viewers;			/* they are left in, not refused */
};
extern const struct form_field schedule_fields[];
#define SCHEDULE_FORM_NEW { .time_zone = STR("UTC") }
struct schedule_layer_form {
	struct str name, hand_over, start_date, from, to;
	uint64_t rotation, length, weekday, days;	/* rotation: a bit of rotation_words; days: 1 is Monday */
	const struct json *users;		/* array of ids or names */
};
extern const struct form_field schedule_layer_fields[];
extern const struct form_word rotation_words[];
#define SCHEDULE_LAYER_FORM_NEW { .rotation = 1, .length = 1, .weekday = 1, .days = ONCALL_ALL_DAYS, \
	.hand_over = STR("09:00"), .from = STR("00:00"), .to = STR("24:00") }

/* 1 found; 0 no such schedule in the caller's tenant; -1 failed. With overrides that are not over at `since`. */
int schedule_find(const struct caller *by, struct str public_id, ms_t since, struct oncall_schedule *out, struct err *e) MUST_USE;
void schedule_to_form(const struct caller *by, const struct oncall_schedule *s, enum oncall_naming naming, struct schedule_form *f);
bool schedule_create(const struct caller *by, const struct schedule_form *f, struct oncall_schedule *made, struct err *e) MUST_USE;
/* `read` puts the wish over the form of what is stored; it is called again when somebody else changed the schedule meanwhile. */
bool schedule_change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct schedule_form *f, struct err *e), void *ctx,
	struct err *e) MUST_USE;
bool schedule_remove(const struct caller *by, struct str public_id, struct err *e) MUST_USE;
/* As a change would take it; blames its member. */
bool schedule_layer_check(const struct caller *by, const struct schedule_layer_form *f, struct err *e) MUST_USE;

struct schedule_override_form {
	struct str user;			/* id or name; empty: the caller */
	ms_t from, to;				/* from 0: now */
};
extern const struct form_field schedule_override_fields[];
bool schedule_override_create(const struct caller *by, struct str public_id, const struct schedule_override_form *f, struct schedule_override_view *made,
	struct err *e) MUST_USE;
bool schedule_override_remove(const struct caller *by, struct str public_id, uint64_t id, struct err *e) MUST_USE;

struct on_call_query {
	struct str service;			/* id; empty: all schedules */
};
extern const struct form_field on_call_query_fields[];
bool on_call_by(const struct caller *by, const struct on_call_query *q, struct oncall_view **out, size_t *n, struct err *e) MUST_USE;

#define CALENDAR_DAYS 14		/* where nobody says how many */
#define CALENDAR_DAYS_MAX 92
struct schedule_calendar_query {
	ms_t from, to;
};
extern const struct form_field schedule_calendar_query_fields[];
struct schedule_calendar {
	struct str id, time_zone;
	ms_t from, to;
	struct schedule_span_view *spans;
	size_t n;
};
extern const struct field schedule_calendar_fields[];
bool schedule_calendar_by(const struct caller *by, struct str public_id, const struct schedule_calendar_query *q, struct schedule_calendar *out,
	struct err *e) MUST_USE;

/* ---- contact.c: where a person is paged, and when not. One's own; an admin may look at those of others ---- */

struct contact_query {
	struct str user;
	uint64_t limit;
};
extern const struct form_field contact_query_fields[];
#define CONTACT_QUERY_NEW { .limit = LIST_LIMIT_DEFAULT }
struct contact_form {
	struct str kind, address;
};
extern const struct form_field contact_fields[];
struct contact_code_form {
	struct str code;
};
extern const struct form_field contact_code_fields[];
int contact_find(const struct caller *by, struct str public_id, struct contact *out, struct err *e) MUST_USE;	/* one's own: 1, 0, -1 */
/* users.id of whom is asked for; empty: the caller's own. */
bool contact_owner(const struct caller *by, struct str wanted, uint64_t *user_row, struct err *e) MUST_USE;
/* It is sent its code. ERR_LIMIT in a sentence: too many were sent; it is there all the same. */
bool contact_create(const struct caller *by, const struct contact_form *f, struct contact *made, struct err *e) MUST_USE;
bool contact_send_code(const struct caller *by, struct str public_id, struct err *e) MUST_USE;	/* another one */
bool contact_verify_by(const struct caller *by, struct str public_id, const struct contact_code_form *f, struct err *e) MUST_USE;
bool contact_remove(const struct caller *by, struct str public_id, struct err *e) MUST_USE;

struct quiet_form {
	struct str from, to;		/* "22:00"; both empty: there are none */
	struct str time_zone;
};
extern const struct form_field quiet_fields[];
bool quiet_get(const struct caller *by, uint64_t user_row, struct quiet_form *out, struct err *e) MUST_USE;
bool quiet_set(const struct caller *by, const struct quiet_form *f, struct err *e) MUST_USE;

/* ---- hush.c: maintenance windows and silences ---- */

extern const struct form_field window_query_fields[], silence_query_fields[];	/* over struct hush_filter */
struct hush_form {
	struct str name, reason;
	struct str service, source, dedup_key, provider;	/* the service by id or name, the integration by id; empty: any */
	uint64_t max_severity;		/* 1 << enum level; 0: whatever */
	uint64_t repeat;		/* 1 << enum hush_repeat */
	struct str from, to;		/* RFC 3339, or without offset a time of the zone */
	struct str start_time, zone;
	uint64_t minutes, weekdays, week, month_day;
	uint64_t until_minutes;		/* of a silence; UINT64_MAX: not given */
	struct str public_id;		/* of a new one that comes from another installation; empty: a new one */
};
extern const struct form_field window_fields[], silence_fields[];
#define HUSH_FORM_NEW { .repeat = 1 << HUSH_ONCE, .until_minutes = UINT64_MAX }

/* 1 found; 0 no such one of that kind in the caller's tenant; -1 failed. */
int hush_find_by(const struct caller *by, enum hush_kind kind, struct str public_id, struct hush *out, struct err *e) MUST_USE;
void hush_to_form(const struct caller *by, const struct hush *h, struct hush_form *f);
/* What does not belong to f->repeat is not kept. */
bool hush_create(const struct caller *by, enum hush_kind kind, const struct hush_form *f, struct hush *made, struct err *e) MUST_USE;
/* `read` puts the wish over the form of what is stored; it is called again when somebody else changed it meanwhile. */
bool hush_change(const struct caller *by, enum hush_kind kind, struct str public_id, bool (*read)(void *ctx, struct hush_form *f, struct err *e), void *ctx,
	struct err *e) MUST_USE;
/* Ends what runs now; ERR_CONFLICT in a sentence: nothing does. What it held is told within a second or two, as when it is removed. */
bool hush_stop(const struct caller *by, enum hush_kind kind, struct str public_id, struct err *e) MUST_USE;
bool hush_remove(const struct caller *by, enum hush_kind kind, struct str public_id, struct err *e) MUST_USE;

/* ---- endpoint.c: outbound webhooks of the caller himself ---- */

struct endpoint_query {
	uint64_t limit, cursor;
};
extern const struct form_field endpoint_query_fields[];
/* Of struct sent_filter: its statuses in the words of endpoints. */
extern const struct form_field endpoint_delivery_query_fields[];
extern const struct form_word endpoint_delivery_words[];
#define ENDPOINT_QUERY_NEW { .limit = LIST_LIMIT_DEFAULT }

struct endpoint_form {
	struct str url;
	struct str secret;		/* p NULL: as it was, of a new one: one is made; empty: none */
	const struct json *events;	/* array of filters; NULL or empty: ENDPOINT_EVENTS_DEFAULT */
	bool retries, enabled;
	bool made_secret;		/* returned: `secret` is a made one, to be shown this once */
};
#define ENDPOINT_EVENTS_DEFAULT "incident.*,alerts.triggered"
extern const struct form_field endpoint_fields[];
#define ENDPOINT_FORM_NEW { .retries = true, .enabled = true }

/* 1 found; 0 the caller has no such endpoint; -1 failed. */
int endpoint_find(const struct caller *by, struct str public_id, struct endpoint *out, struct err *e) MUST_USE;
void endpoint_to_form(const struct caller *by, const struct endpoint *ep, struct endpoint_form *f);
bool endpoint_create(const struct caller *by, struct endpoint_form *f, struct endpoint *made, struct err *e) MUST_USE;
/* `read` puts the wish over the form of what is stored; it is called again when somebody else changed the endpoint meanwhile. */
bool endpoint_change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct endpoint_form *f, struct err *e), void *ctx,
	struct endpoint_form *f, struct err *e) MUST_USE;
bool endpoint_remove(const struct caller *by, struct str public_id, struct err *e) MUST_USE;

struct endpoint_rotate_form {
	uint64_t grace_seconds;		/* how long deliveries are signed with both; 0 ends the old one at once */
	struct str secret;		/* the new one; empty: one is made. Returned: what it is */
};
extern const struct form_field endpoint_rotate_fields[];
#define ENDPOINT_ROTATE_NEW { .grace_seconds = 86400 }
bool endpoint_rotate_secret(const struct caller *by, struct str public_id, struct endpoint_rotate_form *f, struct err *e) MUST_USE;

struct endpoint_tested {
	bool success;
	struct str message;			/* what happened, a sentence */
	struct endpoint_delivery_view delivery;
	struct channel_attempt_view attempt;	/* attempt 0: there was none */
};
extern const struct field endpoint_tested_fields[];
/* Sends it endpoint.test by way of the outbox, and waits for what comes of it. What is refused is done, too: see *out. */
bool endpoint_test(const struct caller *by, struct str public_id, struct endpoint_tested *out, struct err *e) MUST_USE;

/* ERR_NOT_FOUND: no delivery of the caller. ERR_CONFLICT in a sentence: its endpoint is gone or off, or it is being sent. */
bool delivery_redeliver(const struct caller *by, uint64_t id, struct endpoint_delivery_view *out, struct err *e) MUST_USE;

/* The one of /api/webhooks: the caller's first endpoint, whose quick attempts are all there are. */
struct webhook_form {
	struct str url, secret;		/* secret empty: none */
};
extern const struct form_field webhook_fields[];
struct webhook {
	struct str url, message;
	bool has_secret, is_active;
	ms_t created_at, updated_at;
};
extern const struct field webhook_view_fields[];
bool webhook_get(const struct caller *by, struct webhook *out, struct err *e) MUST_USE;	/* url p NULL: there is none */
/* *replaced: there was one. ERR_INVALID with the field url: see guard.c. */
bool webhook_put(const struct caller *by, const struct webhook_form *f, struct webhook *out, bool *replaced, struct err *e) MUST_USE;
bool webhook_remove(const struct caller *by, struct err *e) MUST_USE;		/* ERR_NOT_FOUND */

/* ---- retention.c: how long things are kept ---- */

struct retention_form {
	uint64_t events_days;		/* 0: as the configuration says */
};
extern const struct form_field retention_fields[];
struct retention_view {
	uint64_t days, configured, in_force, refused_bodies_days, incidents_days, audit_days;	/* days: what the tenant says, or 0 */
	struct str events_days;		/* the same as JSON */
	bool archives, archives_events;
};
extern const struct field retention_view_fields[];
bool retention_by(const struct caller *by, struct retention_view *out, struct err *e) MUST_USE;
bool retention_change(const struct caller *by, const struct retention_form *f, struct err *e) MUST_USE;

/* ---- user.c: people, as admins manage them ---- */

extern const struct form_field user_query_fields[];	/* over struct user_filter */

struct user_form {
	struct str name, email;
	struct str password;	/* p NULL: as it is; empty: none */
	uint64_t role;		/* 1 << enum role */
	bool enabled, platform_admin;
	bool reset_totp;	/* removes the authenticator app, for who lost it */
};
extern const struct form_field user_fields[];
#define USER_FORM_NEW { .role = 1u << ROLE_VIEWER, .enabled = true }

/* 1 found; 0 no such user in the caller's tenant; -1 failed. */
int user_find(const struct caller *by, struct str public_id, struct user *out, struct err *e) MUST_USE;
void user_to_form(const struct user *u, struct user_form *f);
bool user_create(const struct caller *by, const struct user_form *f, struct user *made, struct err *e) MUST_USE;
/* `read` puts the wish over the form of what is stored; it may be called again. A new password or being disabled ends the
 * user's sessions, but not the caller's own. */
bool user_change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct user_form *f, struct err *e), void *ctx,
	struct user_form *f, struct user *out, struct err *e) MUST_USE;
/* People stay, since the audit log names them: this disables. */
bool user_remove(const struct caller *by, struct str public_id, struct err *e) MUST_USE;

/* ---- token.c: API tokens ---- */

#define TOKEN_DAYS_MAX 3650

struct token_form {
	struct str name;
	uint64_t scopes;	/* bits of enum scope */
	uint64_t days;		/* 0: does not end */
};
extern const struct form_field token_fields[];
/* Always the caller's own. With a token the new one has at most its scopes and ends no later. `text` is shown this once. */
bool token_create(const struct caller *by, const struct token_form *f, struct token *made, struct str *text, struct err *e) MUST_USE;
/* One's own, or as admin any of the tenant. */
bool token_end(const struct caller *by, struct str public_id, struct err *e) MUST_USE;

/* ---- account.c: what a person does about himself; never with a token ---- */

struct password_form {
	struct str current, password, repeated;
};
extern const struct form_field password_fields[];
struct code_form {
	struct str code;
};
extern const struct form_field code_fields[];
struct confirm_form {
	struct str current;
};
extern const struct form_field confirm_fields[];

/* Ends the other sessions; *ended says how many. */
bool account_set_password(const struct caller *by, const struct password_form *f, uint64_t *ended, struct err *e) MUST_USE;
/* Makes a seed to be confirmed by a first code. ERR_CONFLICT while one is in force. */
bool account_totp_begin(const struct caller *by, struct err *e) MUST_USE;
bool account_totp_cancel(const struct caller *by, struct err *e) MUST_USE;
bool account_totp_confirm(const struct caller *by, const struct code_form *f, struct err *e) MUST_USE;
bool account_totp_end(const struct caller *by, const struct confirm_form *f, struct err *e) MUST_USE;
bool account_session_end(const struct caller *by, struct str public_id, struct err *e) MUST_USE;
bool account_sessions_end(const struct caller *by, uint64_t *ended, struct err *e) MUST_USE;	/* all but this one */

/* ---- audit.c ---- */

extern const struct form_field audit_query_fields[];	/* over struct audit_filter */

/* ---- job.c ---- */

extern const struct form_field job_run_query_fields[];	/* over struct job_run_filter */
/* Both leave out what is none of the caller's business: see job.c. */
bool job_list_by(const struct caller *by, struct job_view **out, size_t *n, struct err *e) MUST_USE;
bool job_runs_by(const struct caller *by, const struct job_run_filter *f, struct job_run_view **out, size_t *n, uint64_t *next,
	struct err *e) MUST_USE;
/* Runs that job now, for at most 20 s; it is in the audit log. ERR_NOT_FOUND: no job of that name. */
bool job_run_by(const struct caller *by, struct str name, struct job_result *out, struct err *e) MUST_USE;
/* What is due, as grapnel-cron does. */
bool job_run_due_by(const struct caller *by, struct job_result **out, size_t *n, struct err *e) MUST_USE;
/* The tables and their disk. */
bool storage_by(const struct caller *by, struct storage_view *out, struct err *e) MUST_USE;

/* ---- config_export.c, config_import.c: what people set up, as a file, and back ----
 *
 * Tenants with their channels, users, escalation policies, services and integrations, each as the forms above read them: so whatever can be set is in the file,
 * Tenants with their services, integrations, channels, maintenance windows that recur, and users, each as the forms above read them: so whatever can be set is in the file,
 * and a member that nobody knows is refused by its name. No events, no incidents, no passwords, no tokens. Secrets only where they are
 * asked for: then the whole stands in the file a second time with them, sealed under a passphrase. */

struct config_export {
	struct str tenant;		/* only this one; empty: all */
	struct str passphrase;		/* empty: without secrets */
	const char *version;		/* of the program */
};
bool config_export(const struct caller *by, const struct config_export *x, struct str *out, struct err *e) MUST_USE;

struct config_import {
	struct str tenant;		/* into this one, of a file with one; empty: as the file says */
	struct str passphrase;		/* empty: without secrets, even if the file has them */
	bool dry_run;
	void (*progress)(void *ctx, const char *what, double done, uint64_t n);	/* or NULL */
	void *ctx;
};
struct config_imported {		/* of one kind of thing */
	struct str part;		/* "integrations" */
	uint64_t created, changed, unchanged;
	uint64_t left_out;		/* need a secret that the file does not bring */
};
extern const struct field config_imported_fields[];
#define CONFIG_PARTS 9
/* All of the file, or nothing: what was there and is not in the file stays. ERR_CONFLICT: the checksum is wrong. ERR_INVALID and others name
 * the place in the file. `out` has CONFIG_PARTS rows. */
bool config_import(const struct caller *by, struct str file, const struct config_import *x, struct config_imported *out, struct err *e) MUST_USE;

#endif
