/* view_int.h - filtered lists over tables whose primary key grows with time.
 *
 * A filter becomes a *plan*: one or more branches, each an equality on the leading columns of an
 * index that ends in the id. A page is the merge of the newest rows of each branch: every branch is
 * read backwards from the cursor and stops after limit + 1 rows, so neither OFFSET nor a sort over
 * many rows ever happens. The index is named (FORCE INDEX), since the optimizer, which sees a
 * LIMIT, likes to walk the primary key instead and would pass millions of other tenants' rows. A
 * plan with conditions outside the index goes down in steps, and before each asks the index alone
 * where the step ends (list_floor). */
#ifndef GRAPNEL_VIEW_INT_H
#define GRAPNEL_VIEW_INT_H

#include "grapnel/view.h"

/* Values bound by a page must fit struct sql: 10 branches of up to 10. */
#define LIST_BRANCHES_MAX 10

enum branch_kind {
	BRANCH_ALL,	/* the primary key */
	BRANCH_STATUS,	/* (tenant_id, status, id) */
	BRANCH_SOURCE,	/* (source_id, id) */
	BRANCH_SERVICE,	/* (service_id, status, id) */
	BRANCH_TENANT,	/* (tenant_id, id) */
	BRANCH_USER,	/* (user_id, id) */
	BRANCH_TARGET,	/* (kind, target_id, id) of the outbox */
	BRANCH_OBJECT,	/* (object, id) */
	BRANCH_ID,	/* one row of the primary key */
	BRANCH_MARK,	/* (tenant_id, kind, id) of request_marks */
	BRANCH_INCIDENT,	/* (incident_id, id) */
};

struct branch {
	enum branch_kind kind;
	uint64_t tenant_id;	/* of BRANCH_STATUS, BRANCH_TENANT and BRANCH_MARK */
	uint64_t value;		/* status, source, service, user, target, id, mark or incident */
	struct str text;	/* object */
	uint64_t status;	/* of BRANCH_SERVICE, beside the service; of BRANCH_TARGET its kind */
};

/* The sources that a filter wants. */
struct source_filter {
	uint64_t tenant_id;	/* 0 = of all */
	struct str provider;	/* slug; empty = any */
	uint64_t source, service;	/* sources.id, services.id; 0 = any */
};

struct plan {
	struct branch branches[LIST_BRANCHES_MAX];
	size_t n;		/* 0: nothing can match */
	uint64_t from, below;	/* ids in [from, below) */
	uint64_t limit;
	bool residual;		/* conditions no index serves */
	bool upwards;		/* the oldest first: of list_walk alone */
	const void *filter;	/* for the table's residual function; and what it names, found: */
	struct source_filter sources;
	uint64_t service, assignee;	/* of the incident; 0 = any */
};

struct list_table {
	const char *name;	/* in the slow log */
	/* Each writes literals and values; the table's alias is t. */
	void (*branch)(struct sql *q, const struct branch *b);	/* SELECT t.id AS id ... WHERE */
	/* " AND ...", or nothing */
	void (*residual)(struct sql *q, const struct plan *p, const struct branch *b);
	void (*open)(struct sql *q);	/* SELECT columns FROM ( */
	void (*close)(struct sql *q);	/* ) k JOIN table ... ORDER BY id DESC */
	uint64_t scan;			/* entries passed for one page at most; 0 = LIST_SCAN_MAX */
	const struct field *columns;
	size_t size;			/* of a row; its first member is the uint64_t id */
};

/* Plan bounds common to all lists. */
void plan_init(struct plan *p, const void *filter, ms_t from, ms_t to, uint64_t cursor,
	uint64_t limit);
void plan_add(struct plan *p, enum branch_kind kind, uint64_t tenant_id, uint64_t value);

/* Fills out with at most p->limit rows. */
bool list_run(struct db *db, struct arena *a, const struct list_table *t, const struct plan *p,
	void *rows_r, size_t *n, uint64_t *next, struct err *e) MUST_USE;
/* The ids of the plan upwards, at most p->limit. *reached: all ids up to this one were looked at; *end: and none are left. Looks at
 * LIST_SCAN_MAX index entries at most, so it may find none before the end. */
struct id_row {
	uint64_t id;
};
bool list_walk(struct db *db, struct arena *a, const struct list_table *t, const struct plan *p, struct id_row **out, size_t *n,
	uint64_t *reached, bool *end, struct err *e) MUST_USE;
/* How many rows the plan has, up to COUNT_MAX; p->limit does not matter. */
bool list_counted(struct db *db, struct arena *a, const struct list_table *t, const struct plan *p,
	struct list_count *out, struct err *e) MUST_USE;
/* The two statements of a page, for tests of their plans. */
void list_page_sql(struct sql *q, const struct list_table *t, const struct plan *p);
void list_floor_sql(struct sql *q, const struct list_table *t, const struct plan *p, uint64_t scan);

/* ---- sources.c: what a filter names ---- */

/* The row of that public id, or of that name; 0 for an empty word. What the tenant (0 = all) does not have is refused with its
 * field, for an empty list would say that nothing happened there. Deleted things are there as long as rows may name them. */
bool find_source(struct db *db, struct arena *a, uint64_t tenant_id, struct str provider, struct str id, struct source_filter *out,
	struct err *e) MUST_USE;	/* sets these two of *out */
/* By the parameter serviceId, else by `service`, which may be a name. */
bool find_service(struct db *db, struct arena *a, uint64_t tenant_id, struct str id, struct str word, uint64_t *row,
	struct err *e) MUST_USE;
bool find_assignee(struct db *db, struct arena *a, uint64_t tenant_id, struct str word, uint64_t *row, struct err *e) MUST_USE;

bool names_sources(const struct source_filter *f);
/* " AND ..." over a row of sources, s. */
void write_sources(struct sql *q, const struct source_filter *f);
/* The same over t.source_id, where anything is named. A scalar subquery on purpose, here as in all lists: the optimizer cannot
 * turn it into a join that starts at the wrong end. */
void write_source_of(struct sql *q, const struct source_filter *f);
/* *done: p->sources are few, and each is a branch now. */
bool plan_sources(struct db *db, struct arena *a, struct plan *p, bool *done, struct err *e) MUST_USE;

/* '%' around the text, its own wildcards escaped. */
struct str like_part(struct arena *a, struct str text);

/* Empty text becomes null: the tables hold '' where there is nothing to say. */
void null_if_empty(struct str *s);

/* Plans and tables, shared with tests. */
extern const struct list_table event_table, incident_table, delivery_table, request_table, alert_table, user_table, token_table,
	audit_table, channel_delivery_table;
bool request_plan(struct db *db, struct arena *a, const struct request_filter *f, struct plan *p, struct err *e) MUST_USE;
bool alert_plan(struct db *db, struct arena *a, const struct alert_filter *f, struct plan *p, struct err *e) MUST_USE;
bool event_plan(struct db *db, struct arena *a, const struct event_filter *f, struct plan *p,
	struct err *e) MUST_USE;
bool incident_plan(struct db *db, struct arena *a, const struct incident_filter *f, struct plan *p,
	struct err *e) MUST_USE;
void user_plan(const struct user_filter *f, struct plan *p);
bool audit_plan(struct db *db, struct arena *a, const struct audit_filter *f, struct plan *p, struct err *e) MUST_USE;

/* ---- statements.c ---- */

enum view_stmt { V_ATTEMPTS, V_FORWARD, V_EVENT, V_EVENTS, V_EVENTS_OF_REQUEST, V_REQUEST, V_REPEATS, V_STATS, V_STATS_TYPES, V_OLDEST_WAITING, V_ALERT_OF,
	V_INCIDENT, V_TIMELINE, V_OPEN_INCIDENTS, V_SELECTION, V_NEWS, V_NEWS_INCIDENTS, V_HELD_BY, V_FIND_SOURCE, V_FIND_SERVICE, V_FIND_USER, V_POLICY_TARGETS, V_SERVICE, V_SERVICES, V_SERVICE_SOURCES, V_TRAFFIC,
	V_SOURCE_HOURS, V_AUDIT_SINCE, V_PARTS,
	V_CRON, V_JOB_RUNS, V_JOB_RUNS_OF,
	V_STORAGE, V_TABLES, V_OUTBOX_DEPTH,
	V_TASK, V_TASKS, V_TASKS_ALL, V_TASK_QUEUE,
	V_MONITOR_TENANTS, V_MONITOR_SOURCES, V_MONITOR_SUMS, V_MONITOR_PENDING, V_MONITOR_PROCESSING, V_MONITOR_FAILED, V_MONITOR_DEAD,
	V_MONITOR_OLDEST, V_MONITOR_WHOSE, V_MONITOR_FAILURES, V_MONITOR_ERROR, V_MONITOR_ALERTS, V_MONITOR_ALERTS_ALL, V_MONITOR_RUNNING,
	V_OVERVIEW_SOURCES, V_OVERVIEW_HOURS, V_OVERVIEW_OPEN, V_OVERVIEW_STUCK, V_SOURCE_NAMES,
	V_CHANNEL_DELIVERY, V_CHANNEL_ATTEMPTS, V_NOTIFICATIONS, V_NOTIFICATION_ATTEMPTS, V_ESCALATION, V_PAGED,
	V_STATUS_SERVICES, V_STATUS_OPEN, V_STATUS_PAST,
	V_LINK,
	V_RULE_SOURCES, V_RULE_EVENTS, V_RULE_UNDONE, V_RULE_FAILURES, V_RULE_WAITING, V_RULE_INCIDENTS,
	V_ENDPOINT, V_ENDPOINTS, V_USER_DELIVERIES, V_USER_DELIVERY,
};
extern const struct stmt view_stmt[];

/* ---- event.c and event_detail.c share how a row is read ---- */

/* A derived id that moved on to a newer event no longer counts for the old one: hence the last
 * condition of the join. */
#define EVENT_COLUMNS \
	"e.id, e.tenant_id, e.source_id AS source_row, e.request_id, e.element, e.event_id," \
	" s.public_id AS source_id, s.provider, e.event_type, e.entity_type, e.entity_id," \
	" e.native_severity, e.dedup_key, e.summary, e.service, e.origin, e.error, e.attempts," \
	" COALESCE(i.repeats, 0) AS duplicates, e.incident_id, e.is_test, e.occurred_at," \
	" e.received_at, e.processed_at, e.updated_at, e.action AS action_n," \
	" e.severity AS severity_n, e.level AS level_n, e.status AS status_n"
#define EVENT_JOINS \
	" JOIN sources s ON s.id = e.source_id" \
	" LEFT JOIN event_ids i ON i.source_id = e.source_id" \
	" AND i.id_hash = UNHEX(LEFT(SHA2(e.event_id, 256), 32)) AND i.event_id = e.id"

extern const struct field event_columns[];
void event_view_words(struct event_view *v);

/* ---- request.c ---- */

#define REQUEST_COLUMNS \
	"r.id, s.tenant_id, r.source_id AS source_row, s.public_id AS source_id, s.name AS source_name, s.provider," \
	" r.status, r.reason, r.method, r.uri, r.remote_addr, r.trace, r.traceparent, r.body_bytes, r.duration_us," \
	" r.event_count, r.event_id, r.is_duplicate, r.is_test," \
	" (SELECT e.summary FROM events e WHERE e.id = r.event_id) AS summary"

/* The request that brought an event, without a look at tenants: 1, 0, -1. */
int request_view_one(struct db *db, struct arena *a, uint64_t id, struct request_view *out, struct err *e) MUST_USE;
/* The newest requests that repeated an event. */
bool request_view_repeats(struct db *db, struct arena *a, uint64_t event_id, struct request_view **out, size_t *n, struct err *e) MUST_USE;

/* ---- incident.c ---- */

#define INCIDENT_COLUMNS \
	"i.id, i.tenant_id, i.title, i.dedup_key, v.public_id AS service_id," \
	" v.name AS service_name, s.public_id AS source_id, s.provider, u.name AS assignee," \
	" u.public_id AS assignee_id, i.snoozed_until," \
	" i.alert_count, i.is_test, i.opened_at, i.acknowledged_at, i.resolved_at," \
	" i.last_alert_at, i.updated_at, i.status AS status_n, i.level AS level_n," \
	" i.resolved_by AS resolved_by_n, i.service_id AS service_row, i.source_id AS source_row, i.merged_into," \
	" h.name AS held_by, h.until AS held_until"
#define INCIDENT_JOINS \
	" JOIN services v ON v.id = i.service_id JOIN sources s ON s.id = i.source_id" \
	" LEFT JOIN users u ON u.id = i.assignee_id LEFT JOIN held_incidents h ON h.incident_id = i.id"

extern const struct field incident_view_columns[];
void incident_view_fill(struct incident_view *v);	/* the words of its numbers */
void timeline_view_fill(struct timeline_view *v);
/* 1 found, 0 not for this tenant, -1 failed. */
int incident_view_one(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t id,
	struct incident_view *out, struct err *e) MUST_USE;

/* ---- related.c ---- */

/* What its first event was about, a host perhaps; NULL: that event was cleaned up. */
#define ORIGIN_OF(incident) \
	"(SELECT o.origin FROM timeline l JOIN events o ON o.id = l.event_id WHERE l.incident_id = " incident " AND l.kind = 1 ORDER BY l.id LIMIT 1)"

bool related_view_list(struct db *db, struct arena *a, const struct incident_view *v, struct related_view **out, size_t *n, struct err *e) MUST_USE;
bool related_view_parts(struct db *db, struct arena *a, uint64_t incident, struct related_view **out, size_t *n, struct err *e) MUST_USE;
void related_sql(struct sql *q, const struct incident_view *v);	/* for the test of its plan */

/* ---- stats.c ---- */

struct str in_capitals(struct arena *a, struct str slug);	/* "google-cloud" is GOOGLE_CLOUD */
int compare_counts(const void *x, const void *y);		/* of struct stats_count: most first, then by name */

/* ---- monitor.c ---- */

/* Where a window of so many minutes begins: with a whole minute; of more than three hours with a whole hour. */
ms_t monitor_window_begin(uint64_t window_min, ms_t now);

/* Counts all that monitor_view_get keeps. */
bool monitor_find_out(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t window_min, ms_t now, struct monitor_view *v, struct err *e) MUST_USE;

/* ---- monitor_alert.c ---- */

#define MONITOR_ALERT_COLUMNS "id, tenant_id, type, subject, severity, message, advice, value, threshold, started_at, ended_at"

/* ---- job.c ---- */

#define JOB_RUN_COLUMNS "id, name, started_at, duration_ms, ok, unfinished, touched, bytes, longest_lock_ms, counts, error"
/* Most runs of a job of a minute find nothing to do. Of a month there are some 50,000, so passing over them is bounded. */
#define JOB_RUN_NOTABLE " AND (NOT ? OR touched > 0 OR unfinished = 1 OR ok = 0)"

/* ---- channel.c ---- */

#define CHANNEL_DELIVERY_COLUMNS \
	"o.id, o.recipient, o.bundled_in, o.payload, o.status, o.attempts, o.attempts_max, o.error, o.lease_owner <> 0 AS held, o.next_at, o.created_at," \
	" o.finished_at"

/* outbox.c: what was sent to one target. Parts of its list tables, and the plan. */
void sent_branch(struct sql *q, const struct branch *b);
void sent_residual(struct sql *q, const struct plan *p, const struct branch *b);
void sent_plan(const struct sent_filter *f, enum outbox_kind kind, struct plan *p);

/* Of a row of the outbox. */
struct str outbox_word(uint64_t status, bool held, uint64_t attempts);
/* Type and one line of a message; unchanged where the payload cannot be read. */
void message_words(struct arena *a, struct str payload, struct str *type, struct str *title);

/* ---- endpoint.c ---- */

#define ENDPOINT_COLUMNS \
	"p.id AS row, p.public_id AS id, p.url, p.events AS words, p.enabled, p.retries, p.is_config, p.secret_sealed IS NOT NULL AS has_secret," \
	" p.old_secret_until, p.disabled_reason, p.error, p.failures, p.failing_since, p.sent_at, p.failed_at, p.created_at, p.updated_at," \
	" COALESCE(b.failures, 0) AS circuit_failures, b.opened_at AS circuit_opened_at, IF(b.opened_at IS NULL, NULL, b.probe_at) AS probe_at"
#define ENDPOINT_JOINS " LEFT JOIN breakers b ON b.kind = 2 AND b.target_id = p.id"
/* The newest answer is that of the newest attempt. */
#define ENDPOINT_DELIVERY_COLUMNS \
	"d.id, p.public_id AS endpoint, p.deleted_at IS NOT NULL AS endpoint_deleted, p.enabled AS endpoint_enabled, p.id AS endpoint_row, d.event, d.url," \
	" d.summary, o.payload, o.status AS status_n, o.attempts, o.error, o.lease_owner <> 0 AS held, o.next_at, o.created_at, o.finished_at," \
	" COALESCE((SELECT t.status FROM outbox_attempts t WHERE t.outbox_id = d.id ORDER BY t.attempt DESC LIMIT 1), 0) AS answered"
#define ENDPOINT_DELIVERY_JOINS " JOIN outbox o ON o.id = d.id JOIN endpoints p ON p.id = d.endpoint_id"

/* ---- task.c ---- */

#define TASK_COLUMNS \
	"t.id, t.tenant_id, t.kind, t.about, t.state AS state_n, t.total IS NOT NULL AS counted, t.total, t.seen, t.changed, t.undone, t.error," \
	" t.created_at, t.started_at, t.finished_at, u.name AS asked_by"
#define TASK_JOINS " LEFT JOIN users u ON u.id = t.user_id"

/* ---- alert.c ---- */

/* What an alert says stands in its event, which may have been cleaned up. */
#define ALERT_COLUMNS \
	"a.id, a.event_id, a.incident_id, a.level AS level_n, a.created_at, e.summary," \
	" s.public_id AS source_id"
#define ALERT_JOINS \
	" LEFT JOIN events e ON e.id = a.event_id LEFT JOIN sources s ON s.id = e.source_id"
/* An alert's number is made in the batch of its event: a batch never takes that long. */
#define ALERT_NEAR_MS MS_PER_MINUTE

/* Of an incident and of the first of its parts. */
bool alert_view_newest(struct db *db, struct arena *a, uint64_t incident_id, const struct related_view *parts, size_t parts_n,
	struct alert_view **out, size_t *n, struct err *e) MUST_USE;
/* The alert that an event became; 0 where it became none. */
int alert_view_of(struct db *db, struct arena *a, uint64_t incident_id, uint64_t event_id,
	struct alert_view *out, struct err *e) MUST_USE;

#endif
