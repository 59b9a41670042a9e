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
 * `limit`, perhaps empty, and *next says where to go on. *next is 0 at the end. */
#ifndef GRAPNEL_VIEW_H
#define GRAPNEL_VIEW_H

#include "grapnel/base.h"
#include "grapnel/db.h"
#include "grapnel/event.h"
#include "grapnel/incident.h"
#include "grapnel/store.h"

#define LIST_LIMIT_DEFAULT 50
#define LIST_LIMIT_MAX 100
/* Rows looked at for one page: about a quarter of a second with them in memory. */
#define LIST_SCAN_MAX 100000

/* ---- events ---- */

struct event_filter {
	uint64_t tenant_id;		/* 0 = all */
	uint64_t statuses;		/* bits 1 << enum event_status; 0 = any */
	uint64_t severities;		/* bits 1 << enum severity; 0 = any */
	struct str provider;		/* slug; empty = any, here and below */
	struct str source, service;	/* public ids, of the event's source */
	struct str type;		/* event type, whole */
	struct str text;	/* part of the summary without case, or the whole event id or dedup key */
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

struct request_view {			/* the inbound request that brought an event */
	uint64_t id, status, body_bytes, duration_us;
	struct str method, uri, remote_addr, trace, traceparent;
	struct str headers;	/* "name: value" lines, secrets masked when they were stored */
	struct str body;		/* raw, as sent */
};
extern const struct field request_view_fields[];

struct alert_view {
	uint64_t id, event_id, incident_id;
	struct str summary, source_id, level;
	uint64_t level_n;
	ms_t created_at;
};
extern const struct field alert_view_fields[];

struct incident_view {
	uint64_t id, tenant_id, alert_count;
	struct str title, dedup_key, service_id, service_name, source_id, provider, assignee, assignee_id;
	bool is_test;
	ms_t opened_at, acknowledged_at, resolved_at, snoozed_until, last_alert_at, updated_at;
	uint64_t status_n, level_n, resolved_by_n;
	struct str status, level, resolved_by;
};
extern const struct field incident_view_fields[];

struct event_detail {
	struct event_view event;
	struct request_view request;	/* id 0: cleaned up already */
	struct alert_view alert;	/* id 0: none */
	struct incident_view incident;	/* id 0: none */
};
/* 1 found, 0 no such event for this tenant, -1 failed. */
int event_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t id,
	struct event_detail *out, struct err *e) MUST_USE;
/* Stored header lines as an object {"name": "value", ...}. */
void request_headers_json(struct json_out *o, struct arena *a, struct str lines);
/* Writes two members, so that no byte is lost: "payloadEncoding" (json, text, base64) and
 * "payload". JSON is put in as sent: equal members, digits and order stay. */
void request_payload_json(struct json_out *o, struct arena *a, struct str body);

/* ---- incidents ---- */

struct incident_filter {
	uint64_t tenant_id;		/* 0 = all */
	uint64_t statuses;		/* bits 1 << enum incident_status; 0 = any */
	uint64_t levels;		/* bits 1 << enum level; 0 = any */
	struct str provider, source, service;
	struct str assignee;		/* user name or us_ id; "none": those of nobody */
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
/* How many a list has, as far as somebody wants to know. */
#define COUNT_MAX 1000
struct list_count {
	uint64_t n;	/* at most COUNT_MAX */
	bool more;	/* there may be more than n */
};
/* One for each status, by enum incident_status; f->statuses and the cursor do not matter. */
bool incident_view_counts(struct db *db, struct arena *a, const struct incident_filter *f,
	struct list_count out[INCIDENT_RESOLVED + 1], struct err *e) MUST_USE;

struct timeline_view {
	uint64_t id, event_id;
	struct str kind, actor, user, level, text;
	uint64_t kind_n, actor_n, level_n;	/* level_n: level + 1, 0 = none */
	ms_t at;
};
extern const struct field timeline_view_fields[];

#define INCIDENT_TIMELINE_MAX 500	/* newest entries shown with an incident */
#define INCIDENT_ALERTS_MAX 100		/* newest alerts shown with an incident */

struct incident_detail {
	struct incident_view incident;
	struct timeline_view *timeline;	/* oldest first */
	size_t timeline_n;
	struct alert_view *alerts;	/* newest first */
	size_t alert_n;
};
int incident_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t id,
	struct incident_detail *out, struct err *e) MUST_USE;

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

struct integration_view {
	struct str id, name, type, service_id, webhook_url;
	struct str actions, allowed_ips;	/* JSON arrays; allowed_ips empty = all */
	uint64_t rate_per_minute;	/* in force, maybe the provider's default; 0 = no limit */
	bool enabled, is_default, require_key, route_by_service, has_secret;
	uint64_t alert_count, webhook_count, error_count;
	ms_t last_webhook_at, created_at, updated_at;
};
extern const struct field integration_view_fields[];
/* `public_url` is the configured base, "https://hooks.example.org". */
void integration_view_fill(struct arena *a, const struct source *s, struct str public_url,
	struct integration_view *out);

/* ---- services ---- */

struct service_view {
	uint64_t row;			/* services.id, the cursor */
	struct str id, name, description;
	struct str aliases;		/* JSON array */
	bool is_default;
	uint64_t auto_resolve_minutes;	/* 0 = never */
	struct str auto_resolve;	/* the same as JSON: null = never */
	uint64_t integrations, open_incidents;
	ms_t created_at, updated_at;
};
extern const struct field service_view_fields[];
/* Newest first; `text` is part of the name, without case. */
struct service_filter {
	uint64_t tenant_id;
	struct str text;
	uint64_t cursor, limit;
};
bool service_view_list(struct db *db, struct arena *a, const struct service_filter *f, struct service_view **out, size_t *n,
	uint64_t *next, struct err *e) MUST_USE;
int service_view_get(struct db *db, struct arena *a, uint64_t tenant_id, struct str id, struct service_view *out,
	struct err *e) MUST_USE;

/* ---- health of what comes in: the last 24 hours without test webhooks ---- */

#define TRAFFIC_HOURS 24

struct traffic_view {
	struct str type;		/* slug in capitals; empty in the sum of all */
	uint64_t received, success, errors, latency_us;
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

/* Names of the bits of enum source_action, ended by { NULL }. */
struct action_name {
	const char *name;
	unsigned bit;
};
extern const struct action_name action_names[];

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

/* ---- tokens ---- */

struct token_view {
	uint64_t row, scopes_n;
	struct str id, name, status;	/* status: active, expired or revoked */
	struct str scopes;		/* JSON array */
	struct str scopes_text;		/* "read,events" */
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
	struct str actor, user, user_id, token_id, remote_addr, action, object;
	struct str detail;		/* JSON: before and after */
};
extern const struct field audit_view_fields[];
bool audit_view_list(struct db *db, struct arena *a, const struct audit_filter *f, struct audit_view **out, size_t *n, uint64_t *next,
	struct err *e) MUST_USE;

/* For the test that prepares and EXPLAINs every statement. */
extern const struct stmt_table view_stmts;

#endif
