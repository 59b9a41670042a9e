/* view.h - what API, pages and command line show: structs in words, their field tables, one
 * function to fill each.
 *
 * A view holds what a reader sees (words, public ids) beside the numbers it was made of, so that no
 * caller translates. Field tables name the public members in the order of the answer. Views only
 * read. `tenant_id` 0 means all tenants: for platform admins and the command line; any other value
 * makes things of other tenants not exist.
 *
 * Lists are newest first. They walk an index from `cursor` downwards, so a page costs the same at
 * 10 million rows. Conditions that no index serves (severity, type, text...) are tested on the rows
 * passed on the way, at most LIST_SCAN_MAX for one page: beyond that the page is shorter than
 * `limit`, perhaps empty, and *next says where to go on. *next is 0 at the end.
 *
 * A filter that names an integration, service or user which the tenant does not have is ERR_INVALID with its field; deleted
 * integrations and services are known as long as something may have come by them. */
#ifndef GRAPNEL_VIEW_H
#define GRAPNEL_VIEW_H

#include "grapnel/base.h"
#include "grapnel/db.h"
#include "grapnel/event.h"
#include "grapnel/incident.h"
#include "grapnel/provider.h"
#include "grapnel/store.h"

#define LIST_LIMIT_DEFAULT 50
#define LIST_LIMIT_MAX 100
/* Rows looked at for one page: some 50 ms with them in memory. */
#define LIST_SCAN_MAX 20000

/* How many a list has, as far as somebody wants to know. */
#define COUNT_MAX 1000
struct list_count {
	uint64_t n;	/* at most COUNT_MAX */
	bool more;	/* there may be more than n */
};

/* ---- events ---- */

struct event_filter {
	uint64_t tenant_id;		/* 0 = all */
	uint64_t statuses;		/* bits 1 << enum event_status; 0 = any */
	uint64_t severities;		/* bits 1 << enum severity; 0 = any */
	struct str provider;		/* slug; empty = any, here and below */
	struct str source;		/* public id */
	struct str service_id, service;	/* of the event's source: public id; public id, or with a tenant its name */
	struct str type;		/* event type, whole */
	struct str text;	/* a whole event id, the provider's or ours; else part of summary or type without case, or a whole dedup key */
	ms_t from, to;			/* received in [from, to); 0 = open */
	uint64_t cursor;		/* ids below this one; 0 = from the newest */
	uint64_t limit;			/* 1..LIST_LIMIT_MAX */
};

struct event_view {
	uint64_t id, tenant_id, source_row, request_id, element;
	struct str event_id, source_id, provider, event_type, entity_type, entity_id;
	struct str native_severity, dedup_key, summary, service, origin, error;
	uint64_t attempts, duplicates, incident_id;
	bool is_test;
	ms_t occurred_at, received_at, processed_at, last_attempt_at, updated_at;
	/* the same as numbers and as words */
	uint64_t action_n, severity_n, level_n, status_n;
	struct str action, severity, level, status;
	bool processed;			/* nothing is left to do: status processed or ignored */
};

extern const struct field event_view_fields[];
bool event_view_list(struct db *db, struct arena *a, const struct event_filter *f,
	struct event_view **out, size_t *n, uint64_t *next, struct err *e) MUST_USE;
/* The cursor does not matter. */
bool event_view_count(struct db *db, struct arena *a, const struct event_filter *f, struct list_count *out, struct err *e) MUST_USE;

/* All events of a filter, the oldest first, in steps that look at LIST_SCAN_MAX at most. Cursor and limit of the filter do not matter. */
struct event_walk {
	uint64_t after;		/* ids above this one; moved on by each step */
	size_t limit;		/* ids of a step at most */
	uint64_t *ids;		/* returned: rising */
	size_t n;
	bool end;		/* nothing is left */
};
bool event_view_walk(struct db *db, struct arena *a, const struct event_filter *f, struct event_walk *w, struct err *e) MUST_USE;
extern const struct field event_filter_fields[];	/* as we keep a filter for ourselves; without cursor and limit */

/* ---- tasks: long work that somebody asked for ---- */

struct task_view {
	uint64_t id, tenant_id, state_n, total, seen, changed, undone;
	struct str kind, state, about, error, asked_by;
	bool counted;			/* total is known */
	bool over;
	double progress;		/* 0 to 1; below 0: nobody knows */
	uint64_t passed_over;		/* seen and not changed */
	uint64_t waiting;		/* of those changed, as many still wait for their handler; task_view_get alone */
	bool waiting_more;		/* and more than that */
	ms_t created_at, started_at, finished_at;
};
extern const struct field task_view_fields[];
#define TASK_WAITING_MAX 10000		/* counted no further */

struct task_filter {
	uint64_t tenant_id;		/* 0 = all */
	uint64_t cursor, limit;
};
bool task_view_list(struct db *db, struct arena *a, const struct task_filter *f, struct task_view **out, size_t *n, uint64_t *next,
	struct err *e) MUST_USE;
/* 1 found, 0 not for this tenant, -1 failed. */
int task_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t id, struct task_view *out, struct err *e) MUST_USE;

/* ---- requests: what came in, accepted, repeated (all its events were known) or refused ---- */

enum request_outcome { REQUEST_ACCEPTED = 0, REQUEST_REFUSED = MARK_REFUSED, REQUEST_REPEATED = MARK_REPEATED };

struct request_view {
	uint64_t id, tenant_id, source_row, status, body_bytes, duration_us, event_count, event_id, outcome_n;
	struct str source_id, source_name, provider, outcome, reason, method, uri, remote_addr, trace, traceparent, summary;
	bool is_duplicate, is_test;
	ms_t received_at;
	/* not in lists */
	struct str headers;	/* "name: value" lines, secrets masked when they were stored */
	struct str body;	/* as sent, inflated; of a refused request the first 64 KiB */
	struct str stages;	/* see request_view_steps */
	struct str proof;	/* see request_view_proof */
};
extern const struct field request_view_fields[];

/* As LIST_SCAN_MAX; rows have bodies of some 2 KiB. */
#define REQUEST_SCAN_MAX 10000

struct request_filter {
	uint64_t tenant_id;		/* 0 = all */
	uint64_t outcomes;		/* bits 1 << enum request_outcome; 0 = any */
	uint64_t status;		/* HTTP status answered; 0 = any */
	struct str provider, source;	/* slug; public id */
	struct str text;		/* trace id or remote address, whole */
	ms_t from, to;			/* received in [from, to); 0 = open */
	uint64_t cursor, limit;
};
bool request_view_list(struct db *db, struct arena *a, const struct request_filter *f, struct request_view **out, size_t *n,
	uint64_t *next, struct err *e) MUST_USE;
bool request_view_count(struct db *db, struct arena *a, const struct request_filter *f, struct list_count *out, struct err *e) MUST_USE;

/* Requests of the last REQUEST_COUNT_HOURS hours (the current one is one of them) by outcome, those counted in that were refused but
 * not kept. Of f tenant, provider and source count. */
#define REQUEST_COUNT_HOURS 24
struct request_counts {
	uint64_t received, accepted, repeated, refused;
};
bool request_view_counts(struct db *db, struct arena *a, const struct request_filter *f, ms_t now, struct request_counts *out,
	struct err *e) MUST_USE;

/* What was done with a request, step by step. */
#define REQUEST_STEPS 6
struct step_view {
	struct str stage, state;
	uint64_t after_us;	/* since receipt */
	ms_t at;		/* 0: not done */
};
extern const struct field step_view_fields[];
void request_view_steps(const struct request_view *v, struct step_view out[REQUEST_STEPS]);

/* How it was proven, or where that failed: the key, the signature, step by step; no secret and no signature. */
struct proof_view {
	struct str scheme;	/* "key" where only the key was asked for; empty: it did not come to that, or is too long ago */
	struct proof_step steps[PROOF_NOTE_STEPS];
	size_t steps_n;
	struct str failed, why;	/* the step that failed, and its sentence; empty: none did */
};
extern const struct field proof_view_fields[];	/* all but the steps */
void request_view_proof(struct arena *a, const struct request_view *v, struct proof_view *out);

/* A shell command that sends it again to public_url, without secrets; a body that is no short text is named as request-ID.bin. */
struct str request_view_curl(struct arena *a, struct str public_url, const struct request_view *v);

#define REQUEST_EVENTS_MAX 100	/* events shown with their request */
struct request_detail {
	struct request_view request;
	struct step_view steps[REQUEST_STEPS];
	struct proof_view proof;
	struct event_view *events;	/* new ones that it brought */
	size_t events_n;
};
/* 1 found, 0 no such request for this tenant, -1 failed. */
int request_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t id, struct request_detail *out, struct err *e) MUST_USE;

/* ---- alerts ---- */

struct alert_view {
	uint64_t id, event_id, incident_id;
	struct str summary, source_id, level;
	uint64_t level_n;
	ms_t created_at;
};
extern const struct field alert_view_fields[];

struct alert_filter {
	uint64_t tenant_id;		/* 0 = all */
	uint64_t levels;		/* bits 1 << enum level; 0 = any */
	uint64_t incident_id;		/* 0 = any */
	struct str provider, source;	/* of its event's source */
	struct str service_id, service;	/* of its incident, as above */
	struct str text;		/* part of the title without case, or the whole dedup key */
	ms_t from, to;			/* stored in [from, to) */
	uint64_t cursor, limit;
};
bool alert_view_list(struct db *db, struct arena *a, const struct alert_filter *f, struct alert_view **out, size_t *n, uint64_t *next,
	struct err *e) MUST_USE;

struct incident_view {
	uint64_t id, tenant_id, alert_count, service_row, source_row;	/* services.id, sources.id */
	uint64_t merged_into;		/* 0: it was not */
	struct str title, dedup_key, service_id, service_name, source_id, provider, assignee, assignee_id;
	struct str held_by;		/* by a window or silence of that name; p NULL: nobody holds it back */
	ms_t held_until;
	bool is_test;
	ms_t opened_at, acknowledged_at, resolved_at, snoozed_until, last_alert_at, updated_at;
	uint64_t status_n, level_n, resolved_by_n;
	struct str status, level, resolved_by;
};
extern const struct field incident_view_fields[];

/* A start of an event's actions: inside the request that brought it, or for its handler. */
struct attempt_view {
	uint64_t number, duration_us, status;
	struct str error, answer;	/* answer: the first 4 KiB of it */
	ms_t started_at, at;		/* at: its end; 0 where there is none (yet) */
	bool under_way, lost;		/* without an end: it is being sent now, or its sender was killed */
};
extern const struct field attempt_view_fields[];

/* An event that waits for its handler. */
struct forward_view {
	bool waits, held;		/* held: it is being sent now */
	ms_t next_at;			/* next attempt; 0 while it is held */
	ms_t breaker_opened_at, probe_at;	/* the handler is left alone until probe_at; 0: it is not */
};
extern const struct field forward_view_fields[];

#define EVENT_REPEATS_MAX 20	/* newest repeats shown with their event */
struct event_detail {
	struct event_view event;
	struct request_view request;	/* id 0: cleaned up already */
	struct step_view steps[REQUEST_STEPS];
	size_t steps_n;			/* 0 without a request */
	struct attempt_view *attempts;	/* oldest first */
	size_t attempts_n;
	struct forward_view forward;
	struct request_view *repeats;	/* newest first; of a request with several events only its first is known */
	size_t repeats_n;
	struct alert_view alert;	/* id 0: none */
	struct incident_view incident;	/* id 0: none */
};
/* 1 found, 0 no such event for this tenant, -1 failed. */
int event_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t id,
	struct event_detail *out, struct err *e) MUST_USE;
/* Of whatever tenant, and only what came in: the event and its request (id 0: cleaned up already). */
int event_view_received(struct db *db, struct arena *a, uint64_t id, struct event_view *event, struct request_view *request, struct err *e) MUST_USE;
/* Of whatever tenant, those that are still there, in no order; `ids` is a JSON array of numbers, each once. */
bool event_view_some(struct db *db, struct arena *a, struct str ids, struct event_view **out, size_t *n, struct err *e) MUST_USE;
/* Stored header lines as an object {"name": "value", ...}. */
void request_headers_json(struct json_out *o, struct arena *a, struct str lines);
/* Writes two members, so that no byte is lost: "payloadEncoding" (json, text, base64) and
 * "payload". JSON is put in as sent: equal members, digits and order stay. */
void request_payload_json(struct json_out *o, struct arena *a, struct str body);

/* ---- statistics ---- */

#define STATS_WINDOW_MAX (31 * MS_PER_DAY)
#define STATS_NAMES_MAX 100	/* event types told; senders choose them */

struct stats_count {
	struct str name;
	uint64_t count;
};

/* Of the events received in [from, to), test traffic left out. */
struct stats_view {
	uint64_t total;			/* processed + failed + pending */
	uint64_t processed;		/* ignored ones too */
	uint64_t failed;		/* dead, or not processed after three attempts */
	uint64_t pending;		/* the rest */
	uint64_t ignored, dead;
	double success_rate;		/* 0..1; 1 where there is nothing */
	double average_attempts;
	ms_t oldest_pending_at;		/* whatever the window; 0 = nothing waits */
	struct stats_count *by_provider;	/* slugs in capitals, most first, as are types */
	size_t by_provider_n;
	struct stats_count *by_type;
	size_t by_type_n;
};
extern const struct field stats_view_fields[];	/* all but the two lists */
bool stats_view_get(struct db *db, struct arena *a, uint64_t tenant_id, ms_t from, ms_t to, struct stats_view *out, struct err *e) MUST_USE;

/* ---- incidents ---- */

#define ASSIGNEE_NOBODY "none"
struct incident_filter {
	uint64_t tenant_id;		/* 0 = all */
	uint64_t statuses;		/* bits 1 << enum incident_status; 0 = any */
	uint64_t levels;		/* bits 1 << enum level; 0 = any */
	struct str provider, source;
	struct str service_id, service;	/* as above */
	struct str assignee;		/* user name or us_ id; ASSIGNEE_NOBODY: those of nobody */
	uint64_t tests;			/* bits: 1 real ones, 2 test ones; 0 = any */
	struct str text;		/* part of the title without case, or the whole dedup key */
	ms_t from, to;			/* opened in [from, to) */
	uint64_t cursor, limit;
};
bool incident_view_list(struct db *db, struct arena *a, const struct incident_filter *f,
	struct incident_view **out, size_t *n, uint64_t *next, struct err *e) MUST_USE;

/* Unresolved incidents, counted up to INCIDENT_COUNT_MAX. */
#define INCIDENT_COUNT_MAX 1000
bool incident_open_count(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t *n, struct err *e) MUST_USE;
/* One for each status, by enum incident_status; f->statuses and the cursor do not matter. */
bool incident_view_counts(struct db *db, struct arena *a, const struct incident_filter *f,
	struct list_count out[INCIDENT_RESOLVED + 1], struct err *e) MUST_USE;

/* What a choice of incidents holds, before something is done with them. `ids` is a JSON array of numbers. */
struct incident_selection {
	uint64_t open, acknowledged, resolved, alerts;
};
bool incident_view_selection(struct db *db, struct arena *a, uint64_t tenant_id, struct str ids,
	struct incident_selection *out, struct err *e) MUST_USE;

struct timeline_view {
	uint64_t id, event_id;
	struct str kind, actor, user, level, text, by_link;
	uint64_t kind_n, actor_n, level_n;	/* level_n: level + 1, 0 = none */
	ms_t at;
};
extern const struct field timeline_view_fields[];

/* ---- link.c: what a link that acts without a sign-in is about ---- */

struct link_view {
	uint64_t tenant_id, status_n, level_n;
	struct str title, service, level, status;
	struct str user, channel;	/* who got it; empty: there is none any more, or none who may act */
	struct str way, address;	/* email, sms; about where, p NULL: to all addressees of the channel, or the message was cleaned up */
	ms_t used_at;			/* 0: not yet */
};
/* 1, 0 the incident is gone, -1. */
int link_view_get(struct db *db, struct arena *a, const struct incident_link *l, struct link_view *out, struct err *e) MUST_USE;

#define INCIDENT_TIMELINE_MAX 500	/* newest entries shown with an incident */
#define INCIDENT_ALERTS_MAX 100		/* newest alerts shown with an incident */

/* ---- related.c ---- */

#define INCIDENT_RELATED_MAX 10
struct related_view {
	uint64_t id, status_n, level_n, alert_count;
	struct str title, status, level, service_id, service_name, why;
	bool same_key, same_host, same_service;
	ms_t opened_at;
};
extern const struct field related_view_fields[];

struct incident_detail {
	struct incident_view incident;
	struct timeline_view *timeline;	/* oldest first */
	size_t timeline_n;
	struct alert_view *alerts;	/* newest first; those of its newest parts among them */
	size_t alert_n;
	struct related_view *parts;	/* merged into it, newest first */
	size_t parts_n;
	struct related_view *related;	/* what shares most with it first */
	size_t related_n;
};
int incident_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t id,
	struct incident_detail *out, struct err *e) MUST_USE;

/* Unresolved ones that this window or silence (its row) holds back, newest first. */
bool incident_view_held_by(struct db *db, struct arena *a, uint64_t hush, uint64_t limit, struct incident_view **out, size_t *n, struct err *e) MUST_USE;

/* ---- status.c: what everybody may see of a tenant ---- */

#define STATUS_INCIDENTS_MAX 50		/* open ones, and past ones */
#define STATUS_PAST_DAYS 14		/* opened then or later */
#define STATUS_COMING_DAYS 14		/* maintenance that begins until then */

/* From good to bad; the page says the worst of its services. */
enum service_state { SERVICE_OPERATIONAL, SERVICE_MAINTENANCE, SERVICE_DEGRADED, SERVICE_PARTIAL_OUTAGE, SERVICE_MAJOR_OUTAGE };

struct status_service {
	uint64_t row, level_n;		/* of the worst unresolved incident; 0 also without one */
	struct str name;
	enum service_state state;
	struct str state_text;		/* "Partial outage" */
	const char *state_class;	/* for the style sheet */
	bool is_maintained;		/* a window runs */
};
struct status_maintenance {
	struct str id, title, services;	/* id: of the window; title: its name only with show_titles */
	ms_t from, to, updated_at;
	bool runs;
};
struct status_incident {
	uint64_t id, service_row, status_n, level_n;
	struct str title;		/* what may be said: without show_titles which service and how bad */
	struct str service, status;	/* "Investigating" */
	enum service_state state;
	struct str state_text;
	const char *state_class;
	ms_t opened_at, acknowledged_at, resolved_at, updated_at;	/* 0: not */
};
struct status_view {
	struct status_service *services;
	size_t service_n;
	struct status_incident *open, *past;	/* newest first */
	size_t open_n, past_n;
	struct status_maintenance *maintenance;	/* what runs or begins soon, the first above */
	size_t maintenance_n;
	enum service_state worst;
	struct str summary;		/* "All systems operational" */
	const char *state_class;
	ms_t updated_at;		/* newest change of what is shown */
};
bool status_view_get(struct db *db, struct arena *a, const struct status_page *page, ms_t now, struct status_view *out, struct err *e) MUST_USE;

/* ---- news: what befell incidents and nobody has been told of yet ---- */

struct news_view {
	struct timeline_view entry;
	uint64_t incident_id;
	struct str traceparent;			/* p NULL: none */
	const struct incident_view *incident;	/* as it is now */
};
/* Those of `rows` whose incident is still there and no quiet test, in the order of their numbers. Inside the transaction that has locked them. */
bool news_view_list(struct db *db, struct arena *a, const struct news *rows, size_t row_n, struct news_view **out, size_t *n, struct err *e) MUST_USE;

/* ---- deliveries: the request log of a source ---- */

struct delivery_view {
	uint64_t id, status_code, duration_us, duration_ms, alert_id, event_id;
	struct str error_message, remote_addr;
	bool is_duplicate;
	ms_t created_at;
};
extern const struct field delivery_view_fields[];
/* `source_row` is sources.id; the caller has found it in its own tenant. */
bool delivery_view_list(struct db *db, struct arena *a, uint64_t source_row, uint64_t cursor,
	uint64_t limit, struct delivery_view **out, size_t *n, uint64_t *next,
	struct err *e) MUST_USE;

/* ---- integrations ---- */

/* Living sources by name, to choose from. */
struct source_name {
	struct str id, name, provider;
};
bool source_names(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t limit, struct source_name **out, size_t *n,
	struct err *e) MUST_USE;

struct integration_view {
	struct str id, name, type, service_id, webhook_url;
	struct str actions, allowed_ips;	/* JSON arrays; allowed_ips empty = all */
	uint64_t rate_per_minute;	/* in force, maybe the provider's default; 0 = no limit */
	struct str handler_url, forward_mode;
	struct str retry_policy;	/* JSON object */
	struct str heartbeat, retention;	/* minutes and days as JSON; null: none, as the tenant's */
	uint64_t heartbeat_minutes, retention_days;
	bool heartbeat_incident;
	ms_t silent_since;		/* 0: it is not, or nobody watches */
	bool enabled, is_default, require_key, route_by_service, has_secret, has_handler_secret;
	uint64_t alert_count, webhook_count, error_count;
	ms_t last_webhook_at, verified_at, disconnected_at, created_at, updated_at;
};
extern const struct field integration_view_fields[];
/* `public_url` is the configured base, "https://hooks.example.org". */
void integration_view_fill(struct arena *a, const struct source *s, struct str public_url,
	struct integration_view *out);

/* What became of a subscription that the sender asked to have confirmed. */
struct subscription_view {
	struct str status;		/* waiting, confirmed, failed; empty: none was asked for */
	struct str text;		/* what the sender said, or why not, in a sentence */
	ms_t asked_at, finished_at, next_at;
};
/* The newest of a source (sources.id), or that of a request. 1, 0 none, -1. */
int subscription_view_of_source(struct db *db, struct arena *a, uint64_t source_row, struct subscription_view *out, struct err *e) MUST_USE;
int subscription_view_of_request(struct db *db, struct arena *a, uint64_t request, struct subscription_view *out, struct err *e) MUST_USE;

/* ---- services ---- */

struct service_view {
	uint64_t row;			/* services.id, the cursor */
	struct str id, name, description;
	struct str aliases;		/* JSON array */
	bool is_default;
	uint64_t auto_resolve_minutes;	/* 0 = never */
	struct str auto_resolve;	/* the same as JSON: null = never */
	struct str policy_id, policy_name;	/* p NULL: it has none */
	struct str channels;		/* JSON array of ids */
	uint64_t integrations, open_incidents;
	ms_t created_at, updated_at;
	struct str maintenance;		/* the window that runs and ends last, as JSON: null = none */
	struct str maintenance_id, maintenance_name;
	ms_t maintenance_until;
};
extern const struct field service_view_fields[];
/* Newest first; `text` is part of the name, without case. */
struct service_filter {
	uint64_t tenant_id;
	struct str text;
	uint64_t cursor, limit;
	ms_t now;			/* for maintenance */
};
bool service_view_list(struct db *db, struct arena *a, const struct service_filter *f, struct service_view **out, size_t *n,
	uint64_t *next, struct err *e) MUST_USE;
int service_view_get(struct db *db, struct arena *a, uint64_t tenant_id, struct str id, ms_t now, struct service_view *out,
	struct err *e) MUST_USE;

/* The integrations that open incidents of a service, newest first. */
#define SERVICE_SOURCES_MAX 100
struct service_source {
	struct str id, name, provider;
	bool enabled, route_by_service;
};
bool service_view_sources(struct db *db, struct arena *a, uint64_t service_row, struct service_source **out, size_t *n,
	struct err *e) MUST_USE;

/* ---- maintenance windows and silences ---- */

enum hush_status { HUSH_RUNNING = 1, HUSH_COMING = 2, HUSH_OVER = 4 };	/* bits, for filters */
struct hush_view {
	struct str id, name, reason;
	struct str status;		/* running, coming, over */
	struct str service_id, service_name, source_id, source_name, dedup_key, provider, max_severity;
	struct str repeat, week, time_zone, start_time;
	struct str weekdays, duration_minutes, month_day;	/* JSON; p NULL: none */
	struct str times, scope;	/* in words; times of one that applies once: p NULL */
	ms_t from, to, next_from, next_to, ended_at, held_at, created_at, updated_at;
	uint64_t held;
	struct str created_by;
	bool is_window;
};
extern const struct field window_view_fields[], silence_view_fields[];
void hush_view_fill(struct arena *a, const struct hush *h, ms_t now, struct hush_view *out);
struct hush_filter {
	uint64_t tenant_id, kind;
	uint64_t statuses;		/* of enum hush_status; 0 = all */
	uint64_t cursor, limit;
};
bool hush_view_list(struct db *db, struct arena *a, const struct hush_filter *f, ms_t now, struct hush_view **out, size_t *n, uint64_t *next,
	struct err *e) MUST_USE;
/* The words of a weekday and of a week of the month, as forms take them: "monday", "last"; ended by NULL. */
extern const char *const hush_weekdays[], *const hush_weeks[], *const hush_repeats[];

/* ---- channels ---- */

struct channel_view {
	struct str id, name, kind, kind_title;
	struct str status;		/* working, failing, untried, disabled */
	struct str disabled_reason, error;
	struct str events;		/* JSON array of words */
	struct str told_of;		/* the same for people: "incidents, monitor alerts" */
	struct str min_severity;
	uint64_t max_per_minute;
	struct str url, from, account, user, format;	/* empty: it has none, or it is the secret */
	struct str to;			/* JSON array of addresses or numbers; empty: it takes none */
	struct str goes_to;		/* where, in a few words: the addresses, the host */
	bool enabled, has_secret;
	uint64_t failures;
	ms_t sent_at, failed_at, created_at, updated_at;
};
extern const struct field channel_view_fields[];
void channel_view_fill(struct arena *a, const struct channel *c, struct channel_view *out);
bool channel_view_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t cursor, uint64_t limit, struct channel_view **out, size_t *n,
	uint64_t *next, struct err *e) MUST_USE;

/* What was sent to a channel or an endpoint. */
struct sent_filter {
	uint64_t target_row;		/* channels.id or endpoints.id, which the caller has found in its own tenant, or as its own */
	uint64_t statuses;		/* bits of enum outbox_status; 0 = all */
	uint64_t cursor, limit;
};

/* A message for a channel. */
struct channel_delivery_view {
	uint64_t id, status_n, attempts, attempts_max, bundled_in;
	struct str type, title;		/* "monitor.alert_started", and its one line */
	struct str status;		/* waiting, sending, retrying, sent, dead, bundled, unneeded */
	struct str recipient;		/* which of its addressees; p NULL: all */
	struct str error, payload;
	bool held;			/* somebody sends it now */
	ms_t created_at, next_at, finished_at;	/* next_at 0: there is no next attempt */
};
extern const struct field channel_delivery_view_fields[];
bool channel_delivery_view_list(struct db *db, struct arena *a, const struct sent_filter *f, struct channel_delivery_view **out, size_t *n,
	uint64_t *next, struct err *e) MUST_USE;
/* `channel_row` is channels.id; the caller has found it in its own tenant. */
int channel_delivery_view_get(struct db *db, struct arena *a, uint64_t channel_row, uint64_t id, struct channel_delivery_view *out,
	struct err *e) MUST_USE;

struct channel_attempt_view {
	uint64_t attempt, duration_ms, http_status;
	struct str error, answer;
	ms_t at;
};
extern const struct field channel_attempt_view_fields[];
bool channel_attempt_view_list(struct db *db, struct arena *a, uint64_t delivery, struct channel_attempt_view **out, size_t *n,
	struct err *e) MUST_USE;	/* oldest first */

/* Of an incident: who was told what, and how that went. Colleagues see of an endpoint whose it is and on which host; its id and what it answered are its user's. */
struct incident_notification_view {
	uint64_t id, kind_n, status_n, attempts, bundled_in;
	struct str kind;				/* channel, endpoint, person */
	struct str target_id, target, target_kind;	/* the channel; p NULL: it was deleted, or is none. target_kind of a page: by which way */
	struct str endpoint_id, endpoint;		/* its address without the path */
	struct str recipient;				/* which of a channel's addressees; p NULL: all. Of a page: about where */
	struct str user;				/* who was paged, or whose endpoint it is; p NULL: a channel was told */
	struct str type, title, status, error, payload;
	struct str bundle_status;			/* of the message that tells what was bundled; p NULL: it was not, or that one was cleaned up */
	uint64_t bundle_status_n, bundle_attempts;
	bool held, bundle_held, is_mine;
	ms_t created_at, next_at, finished_at;		/* next_at 0: there is no next attempt. Of what was bundled: those of the message that tells it */
	struct channel_attempt_view *log;		/* oldest first */
	size_t log_n;
	struct str log_json;
};
extern const struct field incident_notification_view_fields[];
#define INCIDENT_NOTIFICATIONS_MAX 200	/* newest messages shown with an incident */
#define NOTIFICATION_ATTEMPTS_MAX 5	/* newest attempts of each */
#define NOTIFICATION_ANSWER_MAX 200	/* characters of what was answered to each: the rest stands with its channel or endpoint */
/* Oldest first, as the user of that row sees them. The caller has found the incident in its tenant. */
bool incident_notification_view_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t incident_id, uint64_t user_id,
	struct incident_notification_view **out, size_t *n, struct err *e) MUST_USE;

/* ---- escalation.c: where an incident is in its policy ---- */

struct escalation_target_view {
	struct str type, id, name;	/* name p NULL: it is gone */
};
extern const struct field escalation_target_view_fields[];

struct escalation_paged_view {
	struct str id, name;
	uint64_t pages, sent;
	ms_t last_at;
};
extern const struct field escalation_paged_view_fields[];
#define ESCALATION_PAGED_MAX 100	/* people that are named */

struct escalation_view {
	struct str policy_id, policy;	/* p NULL: it was deleted */
	struct str state, why;		/* running, paused, ended; p NULL: it has not ended */
	uint64_t step, steps, round, rounds;	/* from 1; step 0: there is no further one */
	ms_t next_at, ended_at;		/* 0: it has ended; it has not */
	struct escalation_target_view *targets;	/* of the next step */
	struct escalation_paged_view *paged;	/* in the order in which they were paged first */
	size_t targets_n, paged_n;
};
extern const struct field escalation_view_fields[];
/* 1, 0 no policy has begun, -1. */
int escalation_view_get(struct db *db, struct arena *a, const struct incident_view *incident, ms_t now, struct escalation_view *out, struct err *e) MUST_USE;

/* ---- endpoint.c: outbound webhooks of a user ---- */

struct endpoint_view {
	uint64_t row, failures, circuit_failures;	/* row: endpoints.id */
	struct str id, url, words;
	struct str events;		/* JSON array of words */
	struct str status;		/* working, failing, untried, disabled */
	struct str circuit;		/* closed, open, probing */
	struct str disabled_reason, error;
	bool enabled, retries, is_config, has_secret;
	ms_t old_secret_until, failing_since, sent_at, failed_at, circuit_opened_at, probe_at, created_at, updated_at;
};
extern const struct field endpoint_view_fields[];
int endpoint_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, struct str public_id, ms_t now, struct endpoint_view *out,
	struct err *e) MUST_USE;
bool endpoint_view_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, uint64_t cursor, uint64_t limit, ms_t now,
	struct endpoint_view **out, size_t *n, uint64_t *next, struct err *e) MUST_USE;

/* A message for one of them. */
struct endpoint_delivery_view {
	uint64_t id, status_n, attempts, answered, endpoint_row;
	struct str endpoint, event, url, summary, error, payload;
	struct str status;		/* pending, delivered, failed */
	struct str http_status;		/* of the newest answer, JSON; p NULL: there was none */
	bool held, endpoint_deleted, endpoint_enabled;
	ms_t created_at, next_at, finished_at;	/* next_at 0: there is no next attempt */
};
extern const struct field endpoint_delivery_view_fields[];
extern const struct field webhook_delivery_view_fields[];	/* the same as /api/webhooks/history has it */
bool endpoint_delivery_view_list(struct db *db, struct arena *a, const struct sent_filter *f, struct endpoint_delivery_view **out, size_t *n,
	uint64_t *next, struct err *e) MUST_USE;
/* The newest of all endpoints of a user, the oldest of them first. */
bool endpoint_delivery_view_history(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, uint64_t limit,
	struct endpoint_delivery_view **out, size_t *n, struct err *e) MUST_USE;
int endpoint_delivery_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, uint64_t id, struct endpoint_delivery_view *out,
	struct err *e) MUST_USE;

/* ---- alert rules ---- */

struct alert_rule_view {
	struct str id, name, metric, comparison;
	struct str filter;		/* JSON object */
	struct str condition;		/* "Events received in the last hour: above 10" */
	struct str of;			/* what the filter names, for people; empty: all */
	struct str status;		/* triggered, fine, untried, disabled */
	struct str value;		/* a number as text; empty: nothing was measured yet */
	double threshold;
	uint64_t window_min;
	bool enabled;
	ms_t since, evaluated_at, created_at, updated_at;
};
extern const struct field alert_rule_view_fields[];
void alert_rule_view_fill(struct arena *a, const struct alert_rule *r, struct alert_rule_view *out);
bool alert_rule_view_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, uint64_t cursor, uint64_t limit,
	struct alert_rule_view **out, size_t *n, uint64_t *next, struct err *e) MUST_USE;
/* The rows that provider, source and service of a rule name in its tenant. ERR_INVALID names the one that is unknown there. */
bool alert_rule_find_filter(struct db *db, struct arena *a, struct alert_rule *r, struct err *e) MUST_USE;

/* rule_counts.c: measures rules of one tenant at one moment; lives in the arena. What several rules ask for is read once. */
struct rule_meter *rule_meter_new(struct db *db, struct arena *a, uint64_t tenant_id, ms_t now);
bool rule_measure(struct rule_meter *m, const struct alert_rule *r, double *value, struct err *e) MUST_USE;

/* ---- oncall.c: schedules, and who is on call ---- */

#define ONCALL_LOOK_MS (60 * MS_PER_DAY)	/* further ahead nobody looks for the next hand-over */

struct schedule_view {
	struct str id, name, description, time_zone;
	struct str layers, users, overrides;	/* JSON arrays */
	struct str user_id, user;		/* on call now; empty: nobody */
	ms_t until;				/* somebody else is then, or nobody; 0: not within ONCALL_LOOK_MS */
	uint64_t layers_n;
	ms_t created_at, updated_at;
};
extern const struct field schedule_view_fields[];
void schedule_view_fill(struct arena *a, const struct oncall_schedule *s, ms_t now, struct schedule_view *out);
bool schedule_view_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t cursor, uint64_t limit, ms_t now, struct schedule_view **out,
	size_t *n, uint64_t *next, struct err *e) MUST_USE;

struct oncall_view {
	struct str schedule_id, schedule, user_id, user, layer;
	uint64_t override;
	ms_t until;
};
extern const struct field oncall_view_fields[];
/* Of the schedules that an escalation policy (public id, or empty: none) names, in the order of its steps. */
bool oncall_view_of_policy(struct db *db, struct arena *a, uint64_t tenant_id, struct str policy_id, ms_t now, struct oncall_view **out, size_t *n,
	struct err *e) MUST_USE;
/* Of all schedules of the tenant, by name. */
bool oncall_view_list(struct db *db, struct arena *a, uint64_t tenant_id, ms_t now, struct oncall_view **out, size_t *n, struct err *e) MUST_USE;

struct schedule_override_view {
	uint64_t id;
	struct str user_id, user;
	ms_t from, to;
};
extern const struct field schedule_override_view_fields[];
/* Of the plan, in the order in which they were made. */
void schedule_override_views(struct arena *a, const struct oncall_schedule *s, struct schedule_override_view **out, size_t *n);

struct schedule_span_view {
	ms_t from, to;
	struct str user_id, user, layer;	/* empty: nobody; an override */
	uint64_t override;
	uint64_t person;			/* users.id; 0 = nobody */
};
extern const struct field schedule_span_view_fields[];
void schedule_span_views(struct arena *a, const struct oncall_schedule *s, ms_t from, ms_t to, struct schedule_span_view **out, size_t *n);

/* ---- health of what comes in: the last 24 hours without test webhooks ---- */

#define TRAFFIC_HOURS 24

struct traffic_view {
	struct str slug, type;		/* type: the slug in capitals; empty in the sum of all */
	uint64_t integrations, received, success, errors, latency_us;
	double success_rate, average_latency_ms;
};
extern const struct field traffic_view_fields[], type_traffic_fields[];	/* of the sum; of a type */

struct integration_health {
	struct str status;		/* healthy, degraded, unhealthy */
	struct traffic_view global, *types;	/* of each type that the tenant has */
	size_t type_n;
};
bool integration_health_get(struct db *db, struct arena *a, uint64_t tenant_id, ms_t now,
	struct integration_health *out, struct err *e) MUST_USE;

struct source_hour {
	uint64_t source_row, hour, received, errors;	/* hour: since 1970 */
};
/* Of the sources whose numbers (sources.id) stand in the JSON array, ordered by source and hour; hours without traffic
 * are not there. */
bool source_hours_list(struct db *db, struct arena *a, struct str source_rows, ms_t now,
	struct source_hour **out, size_t *n, struct err *e) MUST_USE;

/* ---- users ---- */

struct user_filter {
	uint64_t tenant_id;		/* 0 = all */
	uint64_t roles;			/* bits 1 << enum role; 0 = any */
	uint64_t enabled;		/* bits: 1 enabled, 2 disabled; 0 = any */
	struct str text;		/* part of name or address without case */
	uint64_t cursor, limit;
};

struct user_view {
	uint64_t row, tenant_id, role_n;
	struct str id, name, email, role;
	bool enabled, platform_admin, has_password, has_totp;
	ms_t created_at, last_seen_at;
};
extern const struct field user_view_fields[];
bool user_view_list(struct db *db, struct arena *a, const struct user_filter *f, struct user_view **out, size_t *n, uint64_t *next,
	struct err *e) MUST_USE;
void user_view_fill(const struct user *u, struct user_view *out);

/* ---- contacts ---- */

struct contact_view {
	struct str id, kind, address, status, error;
	ms_t verified_at, code_until, sent_at, failed_at, created_at;
};
extern const struct field contact_view_fields[];
void contact_view_fill(const struct contact *c, ms_t now, struct contact_view *out);
bool contact_view_list(struct db *db, struct arena *a, uint64_t user_row, ms_t now, struct contact_view **out, size_t *n, struct err *e) MUST_USE;

/* ---- escalation policies ---- */

struct policy_target_name {
	struct str id, name;
	bool disabled;			/* a user */
	uint64_t role;			/* of a user */
};
/* Of the tenant's users, schedules and channels whose public ids stand in the JSON array: those that are there. */
bool policy_target_names(struct db *db, struct arena *a, uint64_t tenant_id, struct str ids, struct policy_target_name **out, size_t *n,
	struct err *e) MUST_USE;
const struct policy_target_name *policy_target_find(const struct policy_target_name *names, size_t n, struct str id);	/* NULL: it is gone */
struct str policy_target_name(const struct policy_target_name *names, size_t n, struct str id);	/* p NULL: it is gone */

struct policy_view {
	struct str id, name, description;
	uint64_t repeats, service_count;
	struct str steps, services;	/* JSON */
	struct policy_step step[ESCALATION_STEPS_MAX];
	size_t step_n;
	const struct policy_target_name *names;	/* of its targets, and of others */
	size_t name_n;
	ms_t created_at, updated_at;
};
extern const struct field policy_view_fields[];
bool policy_view_fill(struct db *db, struct arena *a, uint64_t tenant_id, const struct policy *rows, size_t n, struct policy_view **out,
	struct err *e) MUST_USE;
/* Newest first. */
bool policy_view_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t cursor, uint64_t limit, struct policy_view **out, size_t *n,
	uint64_t *next, struct err *e) MUST_USE;

/* ---- tokens ---- */

struct token_view {
	uint64_t row, scopes_n;
	struct str id, name, status;	/* status: active, expired or revoked */
	struct str scopes;		/* JSON array */
	struct str scopes_text;		/* "read, events" */
	ms_t created_at, expires_at, last_used_at, revoked_at;
};
extern const struct field token_view_fields[];
/* Of the user with users.id `user_row`. */
bool token_view_list(struct db *db, struct arena *a, uint64_t user_row, uint64_t cursor, uint64_t limit, ms_t now,
	struct token_view **out, size_t *n, uint64_t *next, struct err *e) MUST_USE;
void token_view_fill(struct arena *a, const struct token *t, ms_t now, struct token_view *out);

/* ---- the audit log ---- */

struct audit_filter {
	uint64_t tenant_id;		/* 0 = all */
	struct str actor;		/* name or id of a user, "system" or "command line" */
	struct str action;		/* whole, or its part before the dot: "user" */
	struct str object;		/* id of what was changed */
	struct str text;		/* part of action, object, details or address without case */
	ms_t from, to;			/* in [from, to); 0 = open */
	uint64_t cursor, limit;
};

struct audit_view {
	uint64_t id, tenant_id, actor_n;
	ms_t at;
	struct str actor, user, user_id, token_id, remote_addr, action, object, object_name;
	struct str detail;		/* JSON: before and after */
};
extern const struct field audit_view_fields[];
bool audit_view_list(struct db *db, struct arena *a, const struct audit_filter *f, struct audit_view **out, size_t *n, uint64_t *next,
	struct err *e) MUST_USE;
/* ---- jobs of cron ---- */

#define LATE_PERIODS 3	/* late is what has not run for so many of its periods; cron's is a minute */

/* What is known of a job before it ever ran. */
struct job_facts {
	const char *name, *help;
	struct schedule schedule;
	bool each_host;		/* what it does is of its host alone: each has a row of its own, "name@node" */
};

struct job_view {
	struct str name, help, schedule;
	struct str result;	/* of the last run: never, running, done, unfinished, failed, killed */
	struct str error;
	struct str holder;	/* host and process that runs it, or ran it last */
	ms_t last_started_at, last_finished_at, next_at;
	ms_t lease_until;	/* 0: nobody runs it now */
	uint64_t last_duration_ms, last_touched;
	bool late;		/* it has not run for three periods */
};
extern const struct field job_view_fields[];
/* One for each of the facts, in their order; of those of each host one for each that ran it. `offset`: the zone of daily times. */
bool job_view_list(struct db *db, struct arena *a, const struct job_facts *facts, size_t facts_n, ms_t (*offset)(ms_t t), ms_t now,
	struct job_view **out, size_t *n, struct err *e) MUST_USE;

struct job_run_filter {
	struct str job;			/* name; empty = all */
	bool notable;			/* only those that did something, or failed */
	uint64_t cursor, limit;
};
struct job_run_view {
	uint64_t id, duration_ms, touched, bytes, longest_lock_ms;
	struct str job, result, counts, error;
	bool ok, unfinished;
	ms_t started_at;
};
extern const struct field job_run_view_fields[];
bool job_run_view_list(struct db *db, struct arena *a, const struct job_run_filter *f, struct job_run_view **out, size_t *n,
	uint64_t *next, struct err *e) MUST_USE;

/* Does cron run? One look at two rows by their keys: cheap enough for each page. */
struct cron_watch {
	ms_t last_at;		/* last run; 0 = never */
	ms_t since;		/* the same, or when Grapnel was installed */
	bool late;		/* no run for three minutes */
};
bool cron_watch(struct db *db, struct arena *a, ms_t now, struct cron_watch *out, struct err *e) MUST_USE;

/* ---- the tables and their disk ---- */

struct table_view {
	struct str name;
	uint64_t rows, bytes, bytes_then;	/* bytes_then: at `since` of the whole */
	int64_t bytes_per_day;
};
extern const struct field table_view_fields[];

struct storage_view {
	uint64_t bytes;			/* of all tables */
	int64_t bytes_per_day;
	ms_t since;			/* the growth is from then to now; 0: not known yet */
	ms_t steady_at;			/* from then on as much goes as comes; 0: from now on */
	uint64_t disk_bytes, disk_free;	/* 0: not seen from here */
	ms_t full_at;			/* 0: not at this growth, or not known */
	uint64_t days_left;		/* until then */
	struct str forecast;		/* a sentence */
	struct table_view *tables;	/* the largest first */
	size_t tables_n;
};
extern const struct field storage_view_fields[];
/* `same_host`: the database's disk is one of this host. `events_days`: how long events are kept. Some milliseconds; the same for all tenants. */
bool storage_view_get(struct db *db, struct arena *a, bool same_host, uint64_t events_days, ms_t now, struct storage_view *out,
	struct err *e) MUST_USE;
/* Pure: full_at, days_left and forecast from the rest. */
void storage_forecast(struct arena *a, ms_t now, struct storage_view *s);

/* ---- what waits to go out, of all tenants ---- */

struct outbox_depth {
	struct list_count waiting;	/* for the dispatcher */
	struct list_count failed;	/* its quick attempts: cron tries again */
};
bool outbox_depth_get(struct db *db, struct arena *a, struct outbox_depth *out, struct err *e) MUST_USE;

/* ---- the monitor: what monitor_judge judges, and lists for people; of a tenant, or of all ---- */

#define MONITOR_WINDOW_MAX (31 * 24 * 60)	/* minutes */
#define MONITOR_OLDEST 10
#define MONITOR_PROVIDERS_MAX 64

struct monitor_event {
	uint64_t id, status_n, attempts;
	struct str type, source_id, source, status, error;
	ms_t received_at;
};
struct monitor_view {
	struct monitor_facts facts;
	struct stats_count by_provider[MONITOR_PROVIDERS_MAX];	/* slugs in capitals, most first, as are types */
	size_t by_provider_n;
	struct stats_count by_type[STATS_NAMES_MAX];
	size_t by_type_n;
	struct monitor_event oldest[MONITOR_OLDEST];	/* of those that wait, the oldest first */
	size_t oldest_n;
	ms_t made_at;		/* when it was found out: at most MONITOR_CACHE_MS ago */
	bool cached;
};
extern const struct field monitor_source_fields[], monitor_event_fields[];
/* The window is 1 to MONITOR_WINDOW_MAX minutes. `fresh`: found out anew, whatever is kept. */
bool monitor_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t window_min, bool fresh, ms_t now, struct monitor_view *out,
	struct err *e) MUST_USE;

struct monitor_alert_filter {
	uint64_t tenant_id;		/* with those of the whole installation; 0 = all */
	uint64_t cursor, limit;
};
struct monitor_alert_view {
	uint64_t id, tenant_id, severity_n;
	struct str type, subject, severity, message, advice;
	double value, threshold;
	ms_t started_at, ended_at;
};
extern const struct field monitor_alert_view_fields[];
/* Newest first, running and past ones. */
bool monitor_alert_view_list(struct db *db, struct arena *a, const struct monitor_alert_filter *f, struct monitor_alert_view **out, size_t *n,
	uint64_t *next, struct err *e) MUST_USE;
/* Those that run, the most severe first. */
bool monitor_alert_view_running(struct db *db, struct arena *a, uint64_t tenant_id, struct monitor_alert_view **out, size_t *n, struct err *e) MUST_USE;

/* ---- the overview ---- */

#define OVERVIEW_HOURS 24
#define OVERVIEW_SOURCES_MAX 1000	/* looked at; more than anybody watches by eye */
#define OVERVIEW_INCIDENTS 8
#define OVERVIEW_REASONS 12
#define OVERVIEW_LEVELS 5		/* of enum level */

struct overview_hour {
	ms_t at;
	uint64_t received, errors, events, repeats;
};
struct overview_source {
	uint64_t row, tests, webhooks;	/* requests for all time, and the tests among them */
	uint64_t heartbeat_minutes;	/* something is to be heard at least as often; 0: nobody watches */
	struct str id, name, provider;
	bool enabled, failing, silent;
	ms_t last_at, heard_at;		/* heard_at: newest accepted one, or since when it is watched */
	struct overview_hour hours[OVERVIEW_HOURS], day;
	double success_rate;		/* percent of the day's requests */
};
enum overview_state { OVERVIEW_HEALTHY, OVERVIEW_DEGRADED, OVERVIEW_CRITICAL };
struct overview_reason {
	struct str text, href;
};
struct overview {
	enum overview_state state;
	struct str status;		/* HEALTHY, DEGRADED, CRITICAL */
	struct overview_reason reasons[OVERVIEW_REASONS];
	size_t reasons_n;
	uint64_t open[OVERVIEW_LEVELS], open_total;	/* unresolved incidents by enum level, tests left out */
	struct incident_view *incidents;		/* the newest of them */
	size_t incidents_n;
	struct overview_hour hours[OVERVIEW_HOURS], day;	/* oldest first */
	uint64_t latency_us, average_latency_us, events_per_minute;	/* of this hour so far */
	double success_rate;
	struct overview_source *sources;	/* failing ones first, then by traffic */
	size_t sources_n;
	uint64_t failing_n, silent_n, failed_events, waiting_events;
	bool had_test, had_webhook;
	struct cron_watch cron;
	struct monitor_facts facts;
	struct monitor_result monitor;
	struct outbox_depth outbox;
};
/* The monitor is asked with these limits and window, as it was found out in the last half minute. */
bool overview_get(struct db *db, struct arena *a, uint64_t tenant_id, const struct monitor_limits *limits, uint64_t window_min, ms_t now,
	struct overview *out, struct err *e) MUST_USE;

/* For the test that prepares and EXPLAINs every statement. */
extern const struct stmt_table view_stmts;

#endif
