/* archived.c - rows that leave for an archive and come back: whole rows, column by column.
 *
 * A field table names the columns of each table in the order in which they are read and written again; tests/db/test_archive.c compares
 * them with the schema, so that no column is forgotten. Members behind the columns are what belongs to a row and stands elsewhere.
 *
 * Reading back never changes what is there: a row whose key exists stays as it is, so reading twice does nothing the second time.
 *
 * Archives outlive upgrades: a column that comes later is missing in older ones, and 0 or NULL must be right for it then. And people can
 * write them: what the rest of the program takes for a word of its own is looked at first.
 *
 * How to add a table: its struct, fields and statements, its words, a row of archived_tables at the foot, and its name in src/job/cleanup.c. */
#include "store_int.h"

#include "grapnel/json.h"

enum { Q_EVENTS, Q_EVENTS_THERE, Q_EVENTS_ADD, Q_EVENT_ID_ADD, Q_REQUESTS, Q_REQUESTS_THERE, Q_REQUESTS_ADD, Q_MARKS_ADD, Q_ALERTS, Q_ALERTS_THERE,
	Q_ALERTS_ADD, Q_INCIDENTS, Q_INCIDENTS_THERE, Q_INCIDENTS_ADD, Q_TIMELINE, Q_TIMELINE_THERE, Q_TIMELINE_ADD, Q_AUDIT, Q_AUDIT_THERE,
	Q_AUDIT_ADD, Q_INSTALLATION };

#define OF_IDS " FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) k STRAIGHT_JOIN "
#define OF_KEYS " FROM JSON_TABLE(?, '$[*]' COLUMNS (owner BIGINT UNSIGNED PATH '$[0]', id BIGINT UNSIGNED PATH '$[1]')) k STRAIGHT_JOIN "
#define ID_HASH "UNHEX(LEFT(SHA2(e.event_id, 256), 32))"

/* ---- events ---- */

struct archived_event {
	uint64_t id, tenant_id, source_id, request_id, element, action, severity, level, status, done, attempts, incident_id;
	struct str event_id, event_type, entity_type, entity_id, native_severity, dedup_key, summary, service, origin, error;
	bool is_test;
	ms_t occurred_at, received_at, processed_at, updated_at;
	/* of event_ids; first_at 0: the id is another event's by now */
	ms_t first_at;
	uint64_t repeats;
};

#define EVENT_COLUMNS \
	"id, tenant_id, source_id, request_id, element, event_id, event_type, entity_type, entity_id, action, severity, level," \
	" native_severity, dedup_key, summary, service, origin, status, done, attempts, error, is_test, incident_id, occurred_at, received_at," \
	" processed_at, updated_at"
#define EVENT_COLUMN_N 27

static const struct field event_fields[] = {
	FIELD_ID(struct archived_event, id, "id", ""),
	FIELD_U64(struct archived_event, tenant_id, "tenant_id", ""),
	FIELD_U64(struct archived_event, source_id, "source_id", ""),
	FIELD_ID(struct archived_event, request_id, "request_id", ""),
	FIELD_U64(struct archived_event, element, "element", ""),
	FIELD_STR(struct archived_event, event_id, "event_id", ""),
	FIELD_STR(struct archived_event, event_type, "event_type", ""),
	FIELD_STR(struct archived_event, entity_type, "entity_type", ""),
	FIELD_STR(struct archived_event, entity_id, "entity_id", ""),
	FIELD_U64(struct archived_event, action, "action", ""),
	FIELD_U64(struct archived_event, severity, "severity", ""),
	FIELD_U64(struct archived_event, level, "level", ""),
	FIELD_STR(struct archived_event, native_severity, "native_severity", ""),
	FIELD_STR(struct archived_event, dedup_key, "dedup_key", ""),
	FIELD_STR(struct archived_event, summary, "summary", ""),
	FIELD_STR(struct archived_event, service, "service", ""),
	FIELD_STR(struct archived_event, origin, "origin", ""),
	FIELD_U64(struct archived_event, status, "status", ""),
	FIELD_U64(struct archived_event, done, "done", ""),
	FIELD_U64(struct archived_event, attempts, "attempts", ""),
	FIELD_STR(struct archived_event, error, "error", ""),
	FIELD_BOOL(struct archived_event, is_test, "is_test", ""),
	FIELD_ID(struct archived_event, incident_id, "incident_id", ""),
	FIELD_TIME(struct archived_event, occurred_at, "occurred_at", ""),
	FIELD_TIME(struct archived_event, received_at, "received_at", ""),
	FIELD_TIME(struct archived_event, processed_at, "processed_at", ""),
	FIELD_TIME(struct archived_event, updated_at, "updated_at", ""),
	FIELD_TIME(struct archived_event, first_at, "first_at", ""),
	FIELD_U64(struct archived_event, repeats, "repeats", ""),
	FIELD_END
};

/* ---- requests ---- */

struct archived_request {
	uint64_t id, source_id, status, body_bytes, duration_us, event_count, event_id;
	struct str reason, method, uri, remote_addr, trace, traceparent, headers, body, stages, proof;
	bool is_duplicate, is_test;
	struct str body_base64;		/* in the archive, of a body that is no plain text */
};

#define REQUEST_COLUMNS \
	"id, source_id, status, reason, method, uri, remote_addr, trace, traceparent, headers, body, body_bytes, duration_us, event_count," \
	" event_id, is_duplicate, is_test, stages, proof"
#define REQUEST_COLUMN_N 19

static const struct field request_fields[] = {
	FIELD_ID(struct archived_request, id, "id", ""),
	FIELD_U64(struct archived_request, source_id, "source_id", ""),
	FIELD_U64(struct archived_request, status, "status", ""),
	FIELD_STR(struct archived_request, reason, "reason", ""),
	FIELD_STR(struct archived_request, method, "method", ""),
	FIELD_STR(struct archived_request, uri, "uri", ""),
	FIELD_STR(struct archived_request, remote_addr, "remote_addr", ""),
	FIELD_STR(struct archived_request, trace, "trace", ""),
	FIELD_STR(struct archived_request, traceparent, "traceparent", ""),
	FIELD_STR(struct archived_request, headers, "headers", ""),
	FIELD_STR(struct archived_request, body, "body", ""),
	FIELD_U64(struct archived_request, body_bytes, "body_bytes", ""),
	FIELD_U64(struct archived_request, duration_us, "duration_us", ""),
	FIELD_U64(struct archived_request, event_count, "event_count", ""),
	FIELD_ID(struct archived_request, event_id, "event_id", ""),
	FIELD_BOOL(struct archived_request, is_duplicate, "is_duplicate", ""),
	FIELD_BOOL(struct archived_request, is_test, "is_test", ""),
	FIELD_STR(struct archived_request, stages, "stages", ""),
	FIELD_STR(struct archived_request, proof, "proof", ""),
	FIELD_STR(struct archived_request, body_base64, "body_base64", ""),
	FIELD_END
};

/* ---- alerts ---- */

struct archived_alert {
	uint64_t id, tenant_id, event_id, incident_id, level;
	ms_t created_at;
};

#define ALERT_COLUMNS "id, tenant_id, event_id, incident_id, level, created_at"
#define ALERT_COLUMN_N 6

static const struct field alert_fields[] = {
	FIELD_ID(struct archived_alert, id, "id", ""),
	FIELD_U64(struct archived_alert, tenant_id, "tenant_id", ""),
	FIELD_ID(struct archived_alert, event_id, "event_id", ""),
	FIELD_ID(struct archived_alert, incident_id, "incident_id", ""),
	FIELD_U64(struct archived_alert, level, "level", ""),
	FIELD_TIME(struct archived_alert, created_at, "created_at", ""),
	FIELD_END
};

/* ---- incidents and their timelines ---- */

/* Of resolved ones alone: open_hash is NULL. */
struct archived_incident {
	uint64_t id, tenant_id, service_id, source_id, status, level, alert_count, resolved_by, assignee_id, merged_into;
	struct str dedup_key, title;
	bool is_test, is_quiet;
	ms_t opened_at, acknowledged_at, resolved_at, last_alert_at, updated_at, snoozed_until, auto_resolved_at;
};

#define INCIDENT_COLUMNS \
	"id, tenant_id, service_id, source_id, dedup_key, title, status, level, alert_count, is_test, is_quiet, opened_at, acknowledged_at, resolved_at," \
	" resolved_by, assignee_id, last_alert_at, updated_at, snoozed_until, auto_resolved_at, merged_into"
#define INCIDENT_COLUMN_N 21

static const struct field incident_fields[] = {
	FIELD_ID(struct archived_incident, id, "id", ""),
	FIELD_U64(struct archived_incident, tenant_id, "tenant_id", ""),
	FIELD_U64(struct archived_incident, service_id, "service_id", ""),
	FIELD_U64(struct archived_incident, source_id, "source_id", ""),
	FIELD_STR(struct archived_incident, dedup_key, "dedup_key", ""),
	FIELD_STR(struct archived_incident, title, "title", ""),
	FIELD_U64(struct archived_incident, status, "status", ""),
	FIELD_U64(struct archived_incident, level, "level", ""),
	FIELD_U64(struct archived_incident, alert_count, "alert_count", ""),
	FIELD_BOOL(struct archived_incident, is_test, "is_test", ""),
	FIELD_BOOL(struct archived_incident, is_quiet, "is_quiet", ""),
	FIELD_TIME(struct archived_incident, opened_at, "opened_at", ""),
	FIELD_TIME(struct archived_incident, acknowledged_at, "acknowledged_at", ""),
	FIELD_TIME(struct archived_incident, resolved_at, "resolved_at", ""),
	FIELD_U64(struct archived_incident, resolved_by, "resolved_by", ""),
	FIELD_ID(struct archived_incident, assignee_id, "assignee_id", ""),
	FIELD_TIME(struct archived_incident, last_alert_at, "last_alert_at", ""),
	FIELD_TIME(struct archived_incident, updated_at, "updated_at", ""),
	FIELD_TIME(struct archived_incident, snoozed_until, "snoozed_until", ""),
	FIELD_TIME(struct archived_incident, auto_resolved_at, "auto_resolved_at", ""),
	FIELD_ID(struct archived_incident, merged_into, "merged_into", ""),
	FIELD_END
};

struct archived_entry {
	uint64_t id, incident_id, kind, actor, user_id, event_id;
	struct str level;		/* a number as text, since 0 and NULL differ */
	struct str text, by_link;
	ms_t at;
};

#define ENTRY_COLUMNS "incident_id, id, at, kind, actor, user_id, event_id, level, text, by_link"
#define ENTRY_COLUMN_N 10

static const struct field entry_fields[] = {
	FIELD_ID(struct archived_entry, incident_id, "incident_id", ""),
	FIELD_ID(struct archived_entry, id, "id", ""),
	FIELD_TIME(struct archived_entry, at, "at", ""),
	FIELD_U64(struct archived_entry, kind, "kind", ""),
	FIELD_U64(struct archived_entry, actor, "actor", ""),
	FIELD_ID(struct archived_entry, user_id, "user_id", ""),
	FIELD_ID(struct archived_entry, event_id, "event_id", ""),
	FIELD_STR(struct archived_entry, level, "level", ""),
	FIELD_STR(struct archived_entry, text, "text", ""),
	FIELD_STR(struct archived_entry, by_link, "by_link", ""),
	FIELD_END
};

/* ---- the audit log ---- */

struct archived_audit {
	uint64_t id, tenant_id, actor, user_id, token_id;
	ms_t at;
	struct str remote_addr, action, object, detail;
};

#define AUDIT_COLUMNS "id, tenant_id, at, actor, user_id, token_id, remote_addr, action, object, detail"
#define AUDIT_COLUMN_N 10

static const struct field audit_fields[] = {
	FIELD_ID(struct archived_audit, id, "id", ""),
	FIELD_U64(struct archived_audit, tenant_id, "tenant_id", ""),
	FIELD_TIME(struct archived_audit, at, "at", ""),
	FIELD_U64(struct archived_audit, actor, "actor", ""),
	FIELD_ID(struct archived_audit, user_id, "user_id", ""),
	FIELD_ID(struct archived_audit, token_id, "token_id", ""),
	FIELD_STR(struct archived_audit, remote_addr, "remote_addr", ""),
	FIELD_STR(struct archived_audit, action, "action", ""),
	FIELD_STR(struct archived_audit, object, "object", ""),
	FIELD_JSON(struct archived_audit, detail, "detail", ""),
	FIELD_END
};

/* ---- statements ---- */

#define THERE "SELECT COUNT(*) AS n"
#define ADD(table, columns, places) "INSERT INTO " table " (" columns ") VALUES (" places ") ON DUPLICATE KEY UPDATE id = VALUES(id)"

static const struct stmt stmts[] = {
	[Q_EVENTS] = { "archived.events",
		"SELECT e.id, e.tenant_id, e.source_id, e.request_id, e.element, e.event_id, e.event_type, e.entity_type, e.entity_id, e.action,"
		" e.severity, e.level, e.native_severity, e.dedup_key, e.summary, e.service, e.origin, e.status, e.done, e.attempts, e.error,"
		" e.is_test, e.incident_id, e.occurred_at, e.received_at, e.processed_at, e.updated_at, i.first_at, i.repeats" OF_IDS
		"events e ON e.id = k.id AND e.status IN (2, 4, 5) LEFT JOIN event_ids i ON i.source_id = e.source_id AND i.id_hash = " ID_HASH " AND i.event_id = e.id" },
	[Q_EVENTS_THERE] = { "archived.events_there", THERE OF_KEYS "events e ON e.id = k.id" },
	[Q_EVENTS_ADD] = { "archived.events_add",
		ADD("events", EVENT_COLUMNS, "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?") },
	/* An id that came again meanwhile is the newer event's. */
	[Q_EVENT_ID_ADD] = { "archived.event_id_add",
		"INSERT INTO event_ids (source_id, id_hash, event_id, first_at, repeats) VALUES (?, UNHEX(LEFT(SHA2(?, 256), 32)), ?, ?, ?)"
		" ON DUPLICATE KEY UPDATE repeats = repeats" },

	[Q_REQUESTS] = { "archived.requests",
		"SELECT r.id, r.source_id, r.status, r.reason, r.method, r.uri, r.remote_addr, r.trace, r.traceparent, r.headers, r.body,"
		" r.body_bytes, r.duration_us, r.event_count, r.event_id, r.is_duplicate, r.is_test, r.stages, r.proof" OF_IDS
		"requests r ON r.id = k.id" },
	[Q_REQUESTS_THERE] = { "archived.requests_there", THERE OF_KEYS "requests r ON r.id = k.id" },
	[Q_REQUESTS_ADD] = { "archived.requests_add",
		ADD("requests", REQUEST_COLUMNS, "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?") },
	[Q_MARKS_ADD] = { "archived.marks_add",
		"INSERT INTO request_marks (tenant_id, kind, id, event_id)"
		" SELECT s.tenant_id, IF(r.reason IS NULL, 2, 1), r.id, IF(r.reason IS NULL, r.event_id, NULL)" OF_KEYS
		"requests r ON r.id = k.id JOIN sources s ON s.id = r.source_id WHERE r.reason IS NOT NULL OR r.is_duplicate = 1"
		" ON DUPLICATE KEY UPDATE id = VALUES(id)" },

	[Q_ALERTS] = { "archived.alerts",
		"SELECT t.id, t.tenant_id, t.event_id, t.incident_id, t.level, t.created_at" OF_IDS "alerts t ON t.id = k.id" },
	[Q_ALERTS_THERE] = { "archived.alerts_there", THERE OF_KEYS "alerts t ON t.id = k.id" },
	[Q_ALERTS_ADD] = { "archived.alerts_add", ADD("alerts", ALERT_COLUMNS, "?, ?, ?, ?, ?, ?") },

	[Q_INCIDENTS] = { "archived.incidents",
		"SELECT t.id, t.tenant_id, t.service_id, t.source_id, t.dedup_key, t.title, t.status, t.level, t.alert_count, t.is_test, t.is_quiet,"
		" t.opened_at, t.acknowledged_at, t.resolved_at, t.resolved_by, t.assignee_id, t.last_alert_at, t.updated_at, t.snoozed_until,"
		" t.auto_resolved_at, t.merged_into" OF_IDS "incidents t ON t.id = k.id AND t.status = 3" },
	[Q_INCIDENTS_THERE] = { "archived.incidents_there", THERE OF_KEYS "incidents t ON t.id = k.id" },
	[Q_INCIDENTS_ADD] = { "archived.incidents_add",
		ADD("incidents", INCIDENT_COLUMNS, "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?") },
	[Q_TIMELINE] = { "archived.timeline",
		"SELECT t.incident_id, t.id, t.at, t.kind, t.actor, t.user_id, t.event_id, CAST(t.level AS CHAR) AS level, t.text, t.by_link" OF_IDS
		"timeline t ON t.incident_id = k.id" },
	[Q_TIMELINE_THERE] = { "archived.timeline_there", THERE OF_KEYS "timeline t ON t.incident_id = k.owner AND t.id = k.id" },
	[Q_TIMELINE_ADD] = { "archived.timeline_add", ADD("timeline", ENTRY_COLUMNS, "?, ?, ?, ?, ?, ?, ?, ?, ?, ?") },

	[Q_AUDIT] = { "archived.audit",
		"SELECT t.id, t.tenant_id, t.at, t.actor, t.user_id, t.token_id, t.remote_addr, t.action, t.object, t.detail" OF_IDS
		"audit_log t ON t.id = k.id" },
	[Q_AUDIT_THERE] = { "archived.audit_there", THERE OF_KEYS "audit_log t ON t.id = k.id" },
	[Q_AUDIT_ADD] = { "archived.audit_add", ADD("audit_log", AUDIT_COLUMNS, "?, ?, ?, ?, ?, ?, ?, ?, ?, ?") },

	[Q_INSTALLATION] = { "archived.installation", "SELECT applied_at AS n FROM schema_migrations WHERE number = 1" },
};
const struct stmt_table archived_stmts = { stmts, ARRAY_SIZE(stmts) };

/* Numbers that stand for words, or for the end of something. */
struct archived_word {
	const char *column;
	size_t offset;
	uint64_t words;		/* 1 << each that there is */
};

struct archived_table {
	const char *name;
	const struct field *fields;	/* columns first */
	size_t size, columns;
	unsigned read, there, add;
	const struct archived_word *words;	/* ends with a column NULL */
	void (*pack)(struct arena *a, void *row);	/* for the file, in place; NULL: as it is */
	bool (*unpack)(struct arena *a, void *row, struct err *e);
	/* What else comes back with these rows; `keys` as in OF_KEYS. */
	bool (*after)(struct db *db, struct arena *a, const void *rows, size_t n, struct str keys, struct err *e);
	bool owned;			/* the first column, not the id alone, is its key */
};

/* ---- what is special ---- */

/* A line of an archive is to be read, and searched, as it came; what is no text, or full of controls, is base64. */
static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\n' && s.p[i] != '\r' && s.p[i] != '\t')
			return false;
	return str_is_utf8(s);
}

static void request_pack(struct arena *a, void *row)
{
	struct archived_request *r = row;

	if (is_plain(r->body))
		return;
	r->body_base64 = base64_encode(a, r->body.p, r->body.n);
	r->body = STR_NONE;
}

static bool request_unpack(struct arena *a, void *row, struct err *e)
{
	struct archived_request *r = row;

	if (r->body_base64.p && !base64_decode(a, r->body_base64, false, &r->body))
		return err_set(e, ERR_INVALID, "body_base64 is no base64");
	return true;
}

static bool event_after(struct db *db, struct arena *a, const void *rows, size_t n, struct str keys, struct err *e)
{
	const struct archived_event *x = rows;
	struct val *v = ARENA_ARRAY(a, struct val, n * 5);
	size_t k = 0;

	(void)keys;
	for (size_t i = 0; i < n; i++) {
		if (!x[i].first_at)
			continue;
		v[k * 5] = V_U(x[i].source_id);
		v[k * 5 + 1] = V_S(x[i].event_id);
		v[k * 5 + 2] = V_U(x[i].id);
		v[k * 5 + 3] = V_I(x[i].first_at);
		v[k * 5 + 4] = V_U(x[i].repeats);
		k++;
	}
	return db_bulk(db, &stmts[Q_EVENT_ID_ADD], v, k, 5, e);
}

static bool request_after(struct db *db, struct arena *a, const void *rows, size_t n, struct str keys, struct err *e)
{
	(void)a, (void)rows, (void)n;
	return db_exec(db, &stmts[Q_MARKS_ADD], VALS(V_S(keys)), NULL, e);
}

/* ---- words ---- */

#define BIT(n) (UINT64_C(1) << (n))
#define UP_TO(n) (BIT((n) + 1) - 1)

/* What waits is never archived; here nobody would do it. */
static const struct archived_word event_words[] = {
	{ "action", offsetof(struct archived_event, action), UP_TO(ACTION_RESOLVE) },
	{ "severity", offsetof(struct archived_event, severity), UP_TO(SEVERITY_CRITICAL) },
	{ "level", offsetof(struct archived_event, level), UP_TO(LEVEL_CRITICAL) },
	{ "status", offsetof(struct archived_event, status), BIT(EVENT_PROCESSED) | BIT(EVENT_DEAD) | BIT(EVENT_IGNORED) },
	{ 0 }
};
static const struct archived_word request_words[] = { { 0 } };
static const struct archived_word alert_words[] = {
	{ "level", offsetof(struct archived_alert, level), UP_TO(LEVEL_CRITICAL) },
	{ 0 }
};
static const struct archived_word incident_words[] = {
	{ "status", offsetof(struct archived_incident, status), BIT(INCIDENT_RESOLVED) },
	{ "level", offsetof(struct archived_incident, level), UP_TO(LEVEL_CRITICAL) },
	{ "resolved_by", offsetof(struct archived_incident, resolved_by), UP_TO(ACTOR_PERSON) },
	{ 0 }
};
static const struct archived_word entry_words[] = {
	{ "kind", offsetof(struct archived_entry, kind), UP_TO(TIMELINE_MERGED) & ~BIT(0) },
	{ "actor", offsetof(struct archived_entry, actor), UP_TO(ACTOR_PERSON) },
	{ 0 }
};
static const struct archived_word audit_words[] = {
	{ "actor", offsetof(struct archived_audit, actor), UP_TO(AUDIT_COMMAND_LINE) },
	{ 0 }
};

static bool entry_unpack(struct arena *a, void *row, struct err *e)
{
	const struct archived_entry *x = row;
	uint64_t level;

	(void)a;
	return !x->level.p || (str_u64(x->level, &level) && level <= LEVEL_CRITICAL) || err_set(e, ERR_INVALID, "level is none of ours");
}

/* ---- the tables ---- */

const struct archived_table archived_events = { "events", event_fields, sizeof(struct archived_event), EVENT_COLUMN_N,
	Q_EVENTS, Q_EVENTS_THERE, Q_EVENTS_ADD, event_words, .after = event_after };
const struct archived_table archived_requests = { "requests", request_fields, sizeof(struct archived_request), REQUEST_COLUMN_N,
	Q_REQUESTS, Q_REQUESTS_THERE, Q_REQUESTS_ADD, request_words, request_pack, request_unpack, request_after };
const struct archived_table archived_alerts = { "alerts", alert_fields, sizeof(struct archived_alert), ALERT_COLUMN_N,
	Q_ALERTS, Q_ALERTS_THERE, Q_ALERTS_ADD, alert_words };
const struct archived_table archived_incidents = { "incidents", incident_fields, sizeof(struct archived_incident), INCIDENT_COLUMN_N,
	Q_INCIDENTS, Q_INCIDENTS_THERE, Q_INCIDENTS_ADD, incident_words };
const struct archived_table archived_timeline = { "timeline", entry_fields, sizeof(struct archived_entry), ENTRY_COLUMN_N,
	Q_TIMELINE, Q_TIMELINE_THERE, Q_TIMELINE_ADD, entry_words, .unpack = entry_unpack, .owned = true };
const struct archived_table archived_audit = { "audit_log", audit_fields, sizeof(struct archived_audit), AUDIT_COLUMN_N,
	Q_AUDIT, Q_AUDIT_THERE, Q_AUDIT_ADD, audit_words };

const struct archived_table *const archived_tables[] = {
	&archived_events, &archived_requests, &archived_alerts, &archived_incidents, &archived_timeline, &archived_audit, NULL
};

const char *archived_name(const struct archived_table *t)
{
	return t->name;
}

const struct field *archived_fields(const struct archived_table *t, size_t *columns)
{
	*columns = t->columns;
	return t->fields;
}

const struct archived_table *archived_find(struct str name)
{
	for (size_t i = 0; archived_tables[i]; i++)
		if (str_eqs(name, archived_tables[i]->name))
			return archived_tables[i];
	return NULL;
}

/* ---- to the archive ---- */

#define KEY_BYTES 48	/* "[18446744073709551615,18446744073709551615]," */

bool archived_read(struct db *db, struct arena *a, const struct archived_table *t, const struct old_row *of, size_t of_n, void *rows_r, size_t *n,
	struct err *e)
{
	char *rows;

	if (!db_query(db, &stmts[t->read], VALS(V_S(JSON_IDS(a, of, of_n, id))), a, t->fields, t->size, &rows, n, e))
		return false;
	for (size_t i = 0; i < *n && t->pack; i++)
		t->pack(a, rows + i * t->size);
	*(void **)rows_r = rows;
	return true;
}

const void *archived_at(const struct archived_table *t, const void *rows, size_t i)
{
	return (const char *)rows + i * t->size;
}

/* ---- back ---- */

void *archived_new(struct arena *a, const struct archived_table *t, size_t n)
{
	return arena_alloc(a, n * t->size);
}

bool archived_unpack(struct arena *a, const struct archived_table *t, void *row, struct err *e)
{
	for (const struct archived_word *w = t->words; w->column; w++) {
		uint64_t n = *(const uint64_t *)((const char *)row + w->offset);

		if (n > 63 || !(w->words & BIT(n)))
			return err_set(e, ERR_INVALID, "%s %llu is none of ours", w->column, (unsigned long long)n);
	}
	return !t->unpack || t->unpack(a, row, e);
}

/* The first two columns are numbers, one of them the id. */
static struct str keys_of(struct arena *a, const struct archived_table *t, const char *rows, size_t n)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, n * KEY_BYTES + 8);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++) {
		const char *row = rows + i * t->size;

		json_open(&o, '[');
		json_u64(&o, t->owned ? *(const uint64_t *)(row + t->fields[0].offset) : 0);
		json_u64(&o, *(const uint64_t *)(row + t->fields[t->owned].offset));
		json_close(&o, ']');
	}
	json_close(&o, ']');
	return strbuf_str(&b);
}

struct number {
	uint64_t n;
};
static const struct field number_fields[] = { FIELD_U64(struct number, n, "n", ""), FIELD_END };

bool archived_write(struct db *db, struct arena *a, const struct archived_table *t, const void *rows, size_t n, uint64_t *added, struct err *e)
{
	struct str keys = keys_of(a, t, rows, n);
	struct val *v = ARENA_ARRAY(a, struct val, n * t->columns);
	struct number there = { 0 };

	if (db_query_one(db, &stmts[t->there], VALS(V_S(keys)), a, number_fields, sizeof(there), &there, e) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		fields_to_vals(t->fields, t->columns, archived_at(t, rows, i), v + i * t->columns);
	if (!db_bulk(db, &stmts[t->add], v, n, t->columns, e) || (t->after && !t->after(db, a, rows, n, keys, e)))
		return false;
	*added = n - there.n;
	return true;
}

bool installation_number(struct db *db, struct arena *a, uint64_t *out, struct err *e)
{
	struct number x = { 0 };
	int found = db_query_one(db, &stmts[Q_INSTALLATION], NULL, 0, a, number_fields, sizeof(x), &x, e);

	*out = x.n;
	return found == 1 || (found == 0 && err_set(e, ERR_BUG, "the first migration is not noted"));
}
