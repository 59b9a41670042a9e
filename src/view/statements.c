/* statements.c - the fixed statements of the views, whole and readable; the texts of lists are
 * built in list.c. */
#include "view_int.h"

/* 1 and 2: OPEN and ACKNOWLEDGED. */
#define SELECT_SERVICE \
	"SELECT v.id AS row, v.public_id AS id, v.name, v.description, v.aliases, v.is_default," \
	" COALESCE(v.auto_resolve_minutes, 0) AS auto_resolve_minutes, v.created_at, v.updated_at," \
	" (SELECT p.public_id FROM escalation_policies p WHERE p.id = v.policy_id) AS policy_id," \
	" (SELECT p.name FROM escalation_policies p WHERE p.id = v.policy_id) AS policy_name," \
	" (SELECT JSON_ARRAYAGG(c.public_id ORDER BY c.id) FROM service_channels l JOIN channels c ON c.id = l.channel_id" \
	" WHERE l.service_id = v.id) AS channels," \
	" (SELECT COUNT(*) FROM sources s WHERE s.service_id = v.id AND s.deleted_at IS NULL) AS integrations," \
	" (SELECT COUNT(*) FROM incidents i WHERE i.service_id = v.id AND i.status = 1)" \
	" + (SELECT COUNT(*) FROM incidents i WHERE i.service_id = v.id AND i.status = 2) AS open_incidents" \
	" FROM services v WHERE v.deleted_at IS NULL"

/* Events of a status, test traffic left out: all of them, those received in the window, and of these those that had so many attempts. In the
 * index alone, the newest first, as far as somebody wants to know. */
#define SELECT_WAITING(status) \
	"SELECT COUNT(*) AS n, CAST(COALESCE(SUM(id >= ?), 0) AS UNSIGNED) AS recent," \
	" CAST(COALESCE(SUM(id >= ? AND attempts >= ?), 0) AS UNSIGNED) AS late" \
	" FROM (SELECT id, attempts FROM events FORCE INDEX (by_status)" \
	" WHERE tenant_id = ? AND status = " #status " AND is_test = 0 ORDER BY id DESC LIMIT ?) w"
/* The oldest of those that wait. */
#define OLDEST_OF(status) \
	"(SELECT id FROM events FORCE INDEX (by_status) WHERE tenant_id = ? AND status = " #status " AND is_test = 0 ORDER BY id LIMIT ?)"

/* Of a status, by integration, in the index alone: all of the oldest; of those received in a window. */
#define WAITING_OF(status) \
	"(SELECT id, source_id FROM events FORCE INDEX (by_status) WHERE tenant_id = ? AND status = " #status " AND is_test = 0 ORDER BY id LIMIT ?)"
#define UNDONE_OF(status) \
	"(SELECT source_id FROM events FORCE INDEX (by_status) WHERE tenant_id = ? AND status = " #status " AND id >= ? AND is_test = 0 LIMIT ?)"

#define SUM_OF(column) "CAST(SUM(" column " + 0e0) AS SIGNED) AS " column
#define SUMS_OF(table) \
	"SELECT took, source_id, event_type, " SUM_OF("events") ", " SUM_OF("starts") ", " SUM_OF("duplicates") ", " SUM_OF("took_us") \
	" FROM " table " WHERE tenant_id = ? AND at >= ? GROUP BY took, source_id, event_type"
#define EVENTS_OF(table) \
	"SELECT source_id, CAST(GREATEST(SUM(events), 0) AS UNSIGNED) AS n FROM " table " WHERE tenant_id = ? AND at >= ? AND took = 0 GROUP BY source_id"

const struct stmt view_stmt[] = {
	[V_EVENT] = { "view.event",
		"SELECT " EVENT_COLUMNS " FROM events e" EVENT_JOINS " WHERE e.id = ?" },
	[V_EVENTS] = { "view.events",
		"SELECT " EVENT_COLUMNS " FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) k JOIN events e ON e.id = k.id" EVENT_JOINS },
	/* Ids of events are made in the batch of their request: EVENTS_NEAR_MS. */
	[V_EVENTS_OF_REQUEST] = { "view.events_of_request",
		"SELECT " EVENT_COLUMNS " FROM (SELECT id FROM events WHERE id >= ? AND id < ? AND request_id = ?"
		" ORDER BY id LIMIT ?) k JOIN events e ON e.id = k.id" EVENT_JOINS " ORDER BY e.id" },
	[V_REQUEST] = { "view.request",
		"SELECT " REQUEST_COLUMNS ", r.headers, r.body, r.stages, r.proof FROM requests r"
		" JOIN sources s ON s.id = r.source_id WHERE r.id = ?" },
	[V_ATTEMPTS] = { "view.attempts",
		"SELECT number, started_at, duration_us, duration_us IS NULL AS lost, status, error, answer FROM event_attempts"
		" WHERE event_id = ? ORDER BY number" },
	[V_FORWARD] = { "view.forward",
		"SELECT 1 AS waits, f.owner <> 0 AS held, f.next_at, b.opened_at, b.probe_at FROM forwards f"
		" LEFT JOIN breakers b ON b.kind = 1 AND b.target_id = f.source_id AND b.opened_at IS NOT NULL WHERE f.event_id = ?" },
	[V_REPEATS] = { "view.repeats",
		"SELECT " REQUEST_COLUMNS " FROM (SELECT id FROM request_marks WHERE event_id = ? ORDER BY id DESC LIMIT ?) k"
		" JOIN requests r ON r.id = k.id JOIN sources s ON s.id = r.source_id ORDER BY r.id DESC" },
	/* A window of events is a range of ids. */
	[V_STATS] = { "view.stats",
		"SELECT s.provider, e.status, e.attempts >= 3 AS late, SUM(e.events) AS events, SUM(e.starts) AS attempts"
		" FROM (SELECT source_id, status, LEAST(attempts, 3) AS attempts, COUNT(*) AS events, SUM(attempts) AS starts"
		" FROM events FORCE INDEX (PRIMARY) WHERE tenant_id = ? AND id >= ? AND id < ? AND is_test = 0"
		" GROUP BY source_id, status, LEAST(attempts, 3)) e JOIN sources s ON s.id = e.source_id"
		" GROUP BY s.provider, e.status, late ORDER BY s.provider" },
	[V_STATS_TYPES] = { "view.stats_types",
		"SELECT event_type AS name, COUNT(*) AS count FROM events FORCE INDEX (PRIMARY)"
		" WHERE tenant_id = ? AND id >= ? AND id < ? AND is_test = 0"
		" GROUP BY event_type ORDER BY count DESC, name LIMIT ?" },
	/* 0 pending, 1 processing, 3 failed: each the first of its range */
	[V_OLDEST_WAITING] = { "view.oldest_waiting",
		"SELECT MIN(received_at) AS received_at FROM ("
		"(SELECT received_at FROM events FORCE INDEX (by_status) WHERE tenant_id = ? AND status = 0 AND is_test = 0 ORDER BY id LIMIT 1)"
		" UNION ALL (SELECT received_at FROM events FORCE INDEX (by_status) WHERE tenant_id = ? AND status = 1 AND is_test = 0 ORDER BY id LIMIT 1)"
		" UNION ALL (SELECT received_at FROM events FORCE INDEX (by_status) WHERE tenant_id = ? AND status = 3 AND is_test = 0 ORDER BY id LIMIT 1)) w" },
	/* See ALERT_NEAR_MS: a short range of the index holds it. */
	[V_ALERT_OF] = { "view.alert_of",
		"SELECT " ALERT_COLUMNS " FROM alerts a" ALERT_JOINS
		" WHERE a.incident_id = ? AND a.id >= ? AND a.id < ? AND a.event_id = ?"
		" ORDER BY a.id LIMIT 1" },
	[V_INCIDENT] = { "view.incident",
		"SELECT " INCIDENT_COLUMNS " FROM incidents i" INCIDENT_JOINS " WHERE i.id = ?" },
	[V_OPEN_INCIDENTS] = { "view.open_incidents",
		"SELECT COUNT(*) AS n FROM (SELECT 1 FROM incidents FORCE INDEX (by_status)"
		" WHERE tenant_id = ? AND status IN (1, 2) LIMIT ?) t" },
	[V_TIMELINE] = { "view.timeline",
		"SELECT l.id, l.event_id, u.name AS user, l.text, l.by_link, l.kind AS kind_n,"
		" l.actor AS actor_n, COALESCE(l.level + 1, 0) AS level_n, l.at"
		" FROM timeline l LEFT JOIN users u ON u.id = l.user_id"
		" WHERE l.incident_id = ? ORDER BY l.id DESC LIMIT ?" },
	[V_HELD_BY] = { "view.held_by",
		"SELECT " INCIDENT_COLUMNS " FROM held_incidents x JOIN incidents i ON i.id = x.incident_id" INCIDENT_JOINS
		" WHERE x.hush_id = ? AND i.status <> 3 ORDER BY x.incident_id DESC LIMIT ?" },
	[V_NEWS] = { "view.news",
		"SELECT l.id, l.event_id, w.name AS user, l.text, l.by_link, l.kind AS kind_n, l.actor AS actor_n, COALESCE(l.level + 1, 0) AS level_n, l.at,"
		" n.incident_id, n.traceparent FROM JSON_TABLE(?, '$[*]' COLUMNS (number BIGINT UNSIGNED PATH '$')) j"
		" JOIN incident_news n ON n.id = j.number JOIN timeline l ON l.incident_id = n.incident_id AND l.id = n.id"
		" LEFT JOIN users w ON w.id = l.user_id ORDER BY n.id" },
	[V_NEWS_INCIDENTS] = { "view.news_incidents",
		"SELECT " INCIDENT_COLUMNS " FROM (SELECT DISTINCT n.incident_id AS id"
		" FROM JSON_TABLE(?, '$[*]' COLUMNS (number BIGINT UNSIGNED PATH '$')) j JOIN incident_news n ON n.id = j.number) k"
		" JOIN incidents i ON i.id = k.id AND i.is_quiet = 0" INCIDENT_JOINS },
	[V_SELECTION] = { "view.selection",
		"SELECT SUM(i.status = 1) AS open, SUM(i.status = 2) AS acknowledged, SUM(i.status = 3) AS resolved,"
		" SUM(i.alert_count) AS alerts FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) j"
		" JOIN incidents i ON i.id = j.id WHERE i.tenant_id = ?" },
	[V_FIND_SOURCE] = { "view.find_source",
		"SELECT id, tenant_id FROM sources WHERE public_id = ?" },
	[V_FIND_USER] = { "view.find_user",
		"SELECT id, tenant_id FROM users WHERE public_id = ? UNION SELECT id, tenant_id FROM users WHERE name = ? LIMIT 1" },
	[V_FIND_SERVICE] = { "view.find_service",
		"SELECT id, tenant_id FROM services WHERE public_id = ? UNION SELECT id, tenant_id FROM services"
		" WHERE tenant_id = ? AND live_name = ? LIMIT 1" },
	[V_POLICY_TARGETS] = { "view.policy_targets",
		"SELECT w.id, COALESCE(u.name, c.name, d.name) AS name, COALESCE(u.enabled, 1) = 0 AS disabled, COALESCE(u.role, 0) AS role"
		" FROM (SELECT DISTINCT id FROM JSON_TABLE(?, '$[*]'"
		" COLUMNS (id VARCHAR(23) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$')) j) w"
		" LEFT JOIN users u ON u.public_id = w.id AND u.tenant_id = ? LEFT JOIN channels c ON c.public_id = w.id AND c.tenant_id = ?"
		" LEFT JOIN schedules d ON d.public_id = w.id AND d.tenant_id = ? WHERE COALESCE(u.id, c.id, d.id) IS NOT NULL" },
	[V_SERVICE] = { "view.service",
		SELECT_SERVICE " AND v.tenant_id = ? AND v.public_id = ?" },
	[V_SERVICES] = { "view.services",
		SELECT_SERVICE " AND v.tenant_id = ? AND v.id < ? AND v.name LIKE ? ORDER BY v.id DESC LIMIT ?" },
	[V_SERVICE_SOURCES] = { "view.service_sources",
		"SELECT public_id AS id, name, provider, enabled, route_by_service FROM sources"
		" WHERE service_id = ? AND deleted_at IS NULL ORDER BY sources.id DESC LIMIT ?" },
	[V_TRAFFIC] = { "view.traffic",
		"SELECT s.provider, COUNT(DISTINCT s.id) AS integrations, CAST(COALESCE(SUM(t.received - t.tests), 0) AS UNSIGNED) AS received,"
		" CAST(COALESCE(SUM(t.errors), 0) AS UNSIGNED) AS errors,"
		" CAST(COALESCE(SUM(t.latency_us), 0) AS UNSIGNED) AS latency_us"
		" FROM sources s LEFT JOIN (" STATS_HOURS " JOIN source_stats t ON t.hour = h.hour) ON t.source_id = s.id"
		" WHERE s.tenant_id = ? AND s.deleted_at IS NULL GROUP BY s.provider" },
	[V_SOURCE_HOURS] = { "view.source_hours",
		"SELECT STRAIGHT_JOIN t.source_id, t.hour, CAST(SUM(t.received - t.tests) AS UNSIGNED) AS received,"
		" CAST(SUM(t.errors) AS UNSIGNED) AS errors"
		" FROM JSON_TABLE(?, '$[*]' COLUMNS (id INT UNSIGNED PATH '$')) j"
		" JOIN " STATS_HOURS " JOIN source_stats t ON t.source_id = j.id AND t.hour = h.hour"
		" GROUP BY t.source_id, t.hour ORDER BY t.source_id, t.hour", SCAN_OK },
	[V_AUDIT_SINCE] = { "view.audit_since",
		"SELECT id FROM audit_log WHERE at >= ? ORDER BY at LIMIT 1" },
	/* Migration 2 brought cron: it can be late only since then. */
	[V_CRON] = { "view.cron",
		"SELECT (SELECT last_started_at FROM jobs WHERE name = '" JOB_CRON "') AS last_at,"
		" (SELECT applied_at FROM schema_migrations ORDER BY number DESC LIMIT 1) AS since" },
	[V_JOB_RUNS] = { "view.job_runs",
		"SELECT " JOB_RUN_COLUMNS " FROM job_runs WHERE id < ?" JOB_RUN_NOTABLE " ORDER BY id DESC LIMIT ?" },
	[V_JOB_RUNS_OF] = { "view.job_runs_of",
		"SELECT " JOB_RUN_COLUMNS " FROM job_runs WHERE name = ? AND id < ?" JOB_RUN_NOTABLE " ORDER BY id DESC LIMIT ?" },
	[V_STORAGE] = { "view.storage",
		"SELECT @@datadir AS folder, (SELECT MIN(at) FROM table_sizes WHERE at >= ?) AS since,"
		" (SELECT MIN(id) FROM events) AS oldest_event" },
	[V_TABLES] = { "view.tables",
		"SELECT t.table_name AS name, COALESCE(t.table_rows, 0) AS row_count, COALESCE(t.data_length + t.index_length, 0) AS bytes,"
		" COALESCE(s.bytes, 0) AS bytes_then FROM information_schema.tables t LEFT JOIN table_sizes s"
		" ON s.at = ? AND s.name = CONVERT(t.table_name USING utf8mb4) COLLATE utf8mb4_bin"
		" WHERE t.table_schema = DATABASE() AND t.engine = 'InnoDB' ORDER BY bytes DESC, name", SCAN_OK },
	[V_OUTBOX_DEPTH] = { "view.outbox_depth",
		"SELECT 0 AS status, COUNT(*) AS n FROM (SELECT 1 FROM outbox FORCE INDEX (due) WHERE status = 0 LIMIT ?) w UNION ALL"
		" SELECT 2, COUNT(*) FROM (SELECT 1 FROM outbox FORCE INDEX (due) WHERE status = 2 LIMIT ?) f" },
	[V_MONITOR_TENANTS] = { "view.monitor_tenants", "SELECT id AS row FROM tenants ORDER BY id", SCAN_OK },
	[V_MONITOR_SOURCES] = { "view.monitor_sources",
		"SELECT id AS row, public_id AS id, name, provider FROM sources WHERE tenant_id = ?" },
	/* Added up as doubles: decimals, which the server takes for SUM otherwise, cost a third more, and all stay below 2^53. */
	[V_MONITOR_SUMS] = { "view.monitor_sums", SUMS_OF("event_minutes") " UNION ALL " SUMS_OF("event_hours") " UNION ALL " SUMS_OF("event_days") },
	[V_MONITOR_PENDING] = { "view.monitor_pending", SELECT_WAITING(0) },
	[V_MONITOR_PROCESSING] = { "view.monitor_processing", SELECT_WAITING(1) },
	[V_MONITOR_FAILED] = { "view.monitor_failed", SELECT_WAITING(3) },
	[V_MONITOR_DEAD] = { "view.monitor_dead",
		"SELECT COUNT(*) AS n FROM (SELECT 1 FROM events FORCE INDEX (by_status)"
		" WHERE tenant_id = ? AND status = 4 AND id >= ? AND is_test = 0 LIMIT ?) w" },
	[V_MONITOR_OLDEST] = { "view.monitor_oldest",
		"SELECT e.id, e.event_type, s.public_id AS source_id, s.name AS source, e.status, e.attempts, e.error, e.received_at FROM ("
		OLDEST_OF(0) " UNION ALL " OLDEST_OF(1) " UNION ALL " OLDEST_OF(3) " ORDER BY id LIMIT ?) k"
		" JOIN events e ON e.id = k.id JOIN sources s ON s.id = e.source_id ORDER BY e.id" },
	[V_MONITOR_WHOSE] = { "view.monitor_whose",
		"SELECT e.source_id, COUNT(*) AS n FROM (" OLDEST_OF(0) " UNION ALL " OLDEST_OF(1) " UNION ALL " OLDEST_OF(3) ") k"
		" JOIN events e ON e.id = k.id GROUP BY e.source_id" },
	[V_MONITOR_FAILURES] = { "view.monitor_failures",
		"SELECT source_id, COUNT(DISTINCT event_id) AS n, COUNT(*) AS all_rows, MAX(at) AS at"
		" FROM (SELECT at, event_id, source_id FROM event_failures WHERE tenant_id = ? AND at >= ? ORDER BY at DESC LIMIT ?) f"
		" GROUP BY source_id" },
	[V_MONITOR_ERROR] = { "view.monitor_error",
		"SELECT a.error AS text FROM event_failures f JOIN event_attempts a ON a.event_id = f.event_id"
		" WHERE f.tenant_id = ? AND f.at = ? AND f.source_id = ? AND a.error IS NOT NULL ORDER BY a.number DESC LIMIT 1" },
	[V_MONITOR_ALERTS] = { "view.monitor_alerts",
		"(SELECT " MONITOR_ALERT_COLUMNS " FROM monitor_alerts FORCE INDEX (by_tenant) WHERE tenant_id = ? AND id < ? ORDER BY id DESC LIMIT ?)"
		" UNION ALL (SELECT " MONITOR_ALERT_COLUMNS " FROM monitor_alerts FORCE INDEX (by_tenant) WHERE tenant_id = 0 AND id < ?"
		" ORDER BY id DESC LIMIT ?) ORDER BY id DESC LIMIT ?" },
	[V_MONITOR_ALERTS_ALL] = { "view.monitor_alerts_all",
		"SELECT " MONITOR_ALERT_COLUMNS " FROM monitor_alerts WHERE id < ? ORDER BY id DESC LIMIT ?" },
	/* Tenant 0: of all. Few run at a time. */
	[V_MONITOR_RUNNING] = { "view.monitor_running",
		"SELECT " MONITOR_ALERT_COLUMNS " FROM monitor_alerts FORCE INDEX (by_end) WHERE running = 1 AND (? = 0 OR tenant_id IN (0, ?))"
		" ORDER BY severity DESC, id DESC LIMIT 1000" },
	[V_OVERVIEW_SOURCES] = { "view.overview_sources",
		"SELECT s.id AS source_row, s.public_id, s.name, s.provider, s.enabled, MAX(t.last_at) AS last_at,"
		" COALESCE(s.heartbeat_minutes, 0) AS heartbeat_minutes,"
		" GREATEST(COALESCE(s.heartbeat_since, 0), COALESCE(MAX(t.heard_at), 0)) AS heard_at,"
		" CAST(COALESCE(SUM(t.tests), 0) AS UNSIGNED) AS tests,"
		" CAST(COALESCE(SUM(t.received), 0) AS UNSIGNED) AS webhooks"
		" FROM sources s LEFT JOIN source_stats t ON t.source_id = s.id AND t.hour = 0"
		" WHERE s.tenant_id = ? AND s.deleted_at IS NULL GROUP BY s.id ORDER BY s.id DESC LIMIT ?" },
	[V_OVERVIEW_HOURS] = { "view.overview_hours",
		"SELECT STRAIGHT_JOIN t.source_id, t.hour, CAST(SUM(t.received) AS UNSIGNED) AS received,"
		" CAST(SUM(t.errors) AS UNSIGNED) AS errors, CAST(SUM(t.events) AS UNSIGNED) AS events,"
		" CAST(SUM(t.repeats) AS UNSIGNED) AS repeats, CAST(SUM(t.tests) AS UNSIGNED) AS tests,"
		" CAST(SUM(t.latency_us) AS UNSIGNED) AS latency_us"
		" FROM sources s JOIN " STATS_HOURS " JOIN source_stats t ON t.source_id = s.id AND t.hour = h.hour"
		" WHERE s.tenant_id = ? AND s.deleted_at IS NULL"
		" GROUP BY t.source_id, t.hour" },
	[V_OVERVIEW_OPEN] = { "view.overview_open",
		"SELECT level AS what, COUNT(*) AS n FROM incidents FORCE INDEX (by_status)"
		" WHERE tenant_id = ? AND status IN (1, 2) AND is_test = 0 GROUP BY level" },
	/* Failed and dead ones of a day; all that wait. Each is counted in the index, and not to its end. */
	[V_OVERVIEW_STUCK] = { "view.overview_stuck",
		"SELECT 3 AS what, COUNT(*) AS n FROM (SELECT 1 FROM events FORCE INDEX (by_status)"
		" WHERE tenant_id = ? AND status = 3 AND id >= ? LIMIT ?) a UNION ALL"
		" SELECT 4, COUNT(*) FROM (SELECT 1 FROM events FORCE INDEX (by_status)"
		" WHERE tenant_id = ? AND status = 4 AND id >= ? LIMIT ?) b UNION ALL"
		" SELECT 0, COUNT(*) FROM (SELECT 1 FROM events FORCE INDEX (by_status)"
		" WHERE tenant_id = ? AND status = 0 LIMIT ?) c UNION ALL"
		" SELECT 1, COUNT(*) FROM (SELECT 1 FROM events FORCE INDEX (by_status)"
		" WHERE tenant_id = ? AND status = 1 LIMIT ?) d" },
	[V_CHANNEL_DELIVERY] = { "view.channel_delivery",
		"SELECT " CHANNEL_DELIVERY_COLUMNS " FROM outbox o WHERE o.id = ? AND o.kind = 1 AND o.target_id = ?" },
	[V_CHANNEL_ATTEMPTS] = { "view.channel_attempts",
		"SELECT attempt, at, duration_ms, status, error, answer FROM outbox_attempts WHERE outbox_id = ? ORDER BY attempt" },
	[V_NOTIFICATIONS] = { "view.notifications",
		"SELECT o.id, o.kind AS kind_n, o.recipient, o.bundled_in, IF(o.kind = 2, NULL, o.payload) AS payload, d.event, d.summary, o.status, o.attempts,"
		" COALESCE(b.error, o.error) AS error, o.lease_owner <> 0 AS held, COALESCE(b.next_at, o.next_at) AS next_at, o.created_at,"
		" IF(b.id IS NULL, o.finished_at, b.finished_at) AS finished_at, c.public_id, c.name, COALESCE(c.kind, p.kind) AS channel_kind, u.name AS user,"
		" d.url, COALESCE(COALESCE(o.user_id, d.user_id) = ?, 0) AS is_mine, IF(d.user_id = ? AND ep.deleted_at IS NULL, ep.public_id, NULL) AS endpoint_id,"
		" COALESCE(b.status, 0) AS bundle_status, COALESCE(b.attempts, 0) AS bundle_attempts, COALESCE(b.lease_owner, 0) <> 0 AS bundle_held"
		" FROM outbox o FORCE INDEX (by_cause)"
		" LEFT JOIN channels c ON o.kind = 1 AND c.id = o.target_id AND c.tenant_id = ?"
		" LEFT JOIN contacts p ON o.kind = 5 AND p.id = o.target_id"
		" LEFT JOIN deliveries d ON o.kind = 2 AND d.id = o.id LEFT JOIN endpoints ep ON ep.id = d.endpoint_id"
		" LEFT JOIN users u ON u.id = COALESCE(o.user_id, d.user_id) LEFT JOIN outbox b ON b.id = o.bundled_in"
		" WHERE o.cause_id = ? AND o.tenant_id = ? AND o.kind IN (1, 2, 5) ORDER BY o.id DESC LIMIT ?" },
	[V_NOTIFICATION_ATTEMPTS] = { "view.notification_attempts",
		"SELECT t.outbox_id, t.attempt, t.at, t.duration_ms, t.status, t.error, LEFT(t.answer, ?) AS answer FROM (SELECT DISTINCT id, begin_at"
		" FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$.id', begin_at INT UNSIGNED PATH '$.after')) j) w"
		" JOIN outbox_attempts t ON t.outbox_id = w.id AND t.attempt > w.begin_at ORDER BY t.outbox_id, t.attempt" },
	[V_ESCALATION] = { "view.escalation",
		"SELECT e.step, e.round, e.paused, e.next_at, e.ended, e.ended_at, p.public_id, p.name, p.steps, COALESCE(p.repeats, 0) AS repeats"
		" FROM escalations e LEFT JOIN escalation_policies p ON p.id = e.policy_id WHERE e.incident_id = ?" },
	/* Status 6: it was not needed any more, and nobody was paged by it. */
	[V_PAGED] = { "view.paged",
		"SELECT u.public_id, u.name, COUNT(*) AS pages, CAST(SUM(o.status = 1) AS UNSIGNED) AS sent, MAX(o.created_at) AS last_at"
		" FROM outbox o FORCE INDEX (by_cause) JOIN users u ON u.id = o.user_id WHERE o.cause_id = ? AND o.tenant_id = ? AND o.kind = 5 AND o.status <> 6"
		" GROUP BY u.id ORDER BY MIN(o.id) LIMIT ?" },
	[V_PARTS] = { "view.parts",
		"SELECT i.id, i.status AS status_n, i.level AS level_n, i.alert_count, i.title, v.public_id AS service_id, v.name AS service_name, i.opened_at"
		" FROM incidents i JOIN services v ON v.id = i.service_id WHERE i.merged_into = ? ORDER BY i.id DESC LIMIT ?" },
	[V_LINK] = { "view.link",
		"SELECT i.tenant_id, i.status AS status_n, i.level AS level_n, i.title, v.name AS service,"
		" (SELECT x.used_at FROM link_uses x WHERE x.said_hash = ?) AS used_at,"
		" IF(k.id IS NULL, NULL, u.name) AS user, c.name AS channel, COALESCE(k.kind, c.kind) AS way, COALESCE(k.address, o.recipient) AS address"
		" FROM incidents i JOIN services v ON v.id = i.service_id"
		" LEFT JOIN users u ON u.id = ? AND u.tenant_id = i.tenant_id AND u.enabled = 1 AND u.role >= ?"
		" LEFT JOIN contacts k ON k.id = ? AND k.user_id = u.id"
		" LEFT JOIN channels c ON c.id = ? AND c.tenant_id = i.tenant_id"
		" LEFT JOIN outbox o ON o.id = ? AND o.kind = 1 AND o.target_id = c.id WHERE i.id = ?" },
	[V_RULE_SOURCES] = { "view.rule_sources",
		"SELECT s.id AS row, s.service_id, s.provider, COALESCE(MAX(t.heard_at), 0) AS heard_at"
		" FROM sources s LEFT JOIN source_stats t ON t.source_id = s.id AND t.hour = 0 WHERE s.tenant_id = ? GROUP BY s.id" },
	[V_RULE_EVENTS] = { "view.rule_events",
		EVENTS_OF("event_minutes") " UNION ALL " EVENTS_OF("event_hours") " UNION ALL " EVENTS_OF("event_days") },
	[V_RULE_UNDONE] = { "view.rule_undone",
		"SELECT source_id, COUNT(*) AS n FROM (" UNDONE_OF(0) " UNION ALL " UNDONE_OF(1) " UNION ALL " UNDONE_OF(3) " UNION ALL "
		UNDONE_OF(4) ") w GROUP BY source_id" },
	[V_RULE_FAILURES] = { "view.rule_failures",
		"SELECT source_id, COUNT(DISTINCT event_id) AS n FROM (SELECT event_id, source_id FROM event_failures"
		" WHERE tenant_id = ? AND at >= ? ORDER BY at DESC LIMIT ?) f GROUP BY source_id" },
	[V_RULE_WAITING] = { "view.rule_waiting",
		"SELECT source_id, COUNT(*) AS n, MIN(id) AS oldest FROM (" WAITING_OF(0) " UNION ALL " WAITING_OF(1) " UNION ALL " WAITING_OF(3)
		") w GROUP BY source_id" },
	[V_RULE_INCIDENTS] = { "view.rule_incidents",
		"SELECT source_id, service_id, COUNT(*) AS n FROM (SELECT source_id, service_id FROM incidents FORCE INDEX (by_status)"
		" WHERE tenant_id = ? AND status IN (1, 2) AND is_test = 0 LIMIT ?) i GROUP BY source_id, service_id" },
	[V_ENDPOINT] = { "view.endpoint",
		"SELECT " ENDPOINT_COLUMNS " FROM endpoints p" ENDPOINT_JOINS
		" WHERE p.public_id = ? AND p.tenant_id = ? AND p.user_id = ? AND p.deleted_at IS NULL" },
	[V_ENDPOINTS] = { "view.endpoints",
		"SELECT " ENDPOINT_COLUMNS " FROM endpoints p FORCE INDEX (by_user)" ENDPOINT_JOINS
		" WHERE p.tenant_id = ? AND p.user_id = ? AND p.live = 1 AND p.id < ? ORDER BY p.id DESC LIMIT ?" },
	[V_USER_DELIVERIES] = { "view.user_deliveries",
		"SELECT " ENDPOINT_DELIVERY_COLUMNS " FROM (SELECT id FROM deliveries FORCE INDEX (by_user) WHERE tenant_id = ? AND user_id = ?"
		" ORDER BY id DESC LIMIT ?) k JOIN deliveries d ON d.id = k.id" ENDPOINT_DELIVERY_JOINS " ORDER BY d.id" },
	[V_USER_DELIVERY] = { "view.user_delivery",
		"SELECT " ENDPOINT_DELIVERY_COLUMNS " FROM deliveries d" ENDPOINT_DELIVERY_JOINS " WHERE d.id = ? AND d.tenant_id = ? AND d.user_id = ?" },
	[V_TASK] = { "view.task", "SELECT " TASK_COLUMNS " FROM tasks t" TASK_JOINS " WHERE t.id = ?" },
	[V_TASKS] = { "view.tasks",
		"SELECT " TASK_COLUMNS " FROM tasks t FORCE INDEX (by_tenant)" TASK_JOINS " WHERE t.tenant_id = ? AND t.id < ? ORDER BY t.id DESC LIMIT ?" },
	[V_TASKS_ALL] = { "view.tasks_all", "SELECT " TASK_COLUMNS " FROM tasks t" TASK_JOINS " WHERE t.id < ? ORDER BY t.id DESC LIMIT ?" },
	[V_TASK_QUEUE] = { "view.task_queue", "SELECT COUNT(*) AS n FROM (SELECT 1 FROM forwards WHERE task_id = ? LIMIT ?) w" },
	[V_SOURCE_NAMES] = { "view.source_names",
		"SELECT public_id AS id, name, provider FROM sources WHERE tenant_id = ? AND deleted_at IS NULL ORDER BY name LIMIT ?" },
	[V_STATUS_SERVICES] = { "view.status_services",
		"SELECT s.id AS row, s.name, (SELECT MAX(i.level) FROM incidents i FORCE INDEX (by_service_status) WHERE i.service_id = s.id AND i.status IN (1, 2)"
		" AND i.is_test = 0) AS level_n FROM status_services x JOIN services s ON s.id = x.service_id WHERE x.tenant_id = ? AND s.deleted_at IS NULL"
		" ORDER BY x.position" },
	[V_STATUS_OPEN] = { "view.status_open",
		"SELECT STRAIGHT_JOIN i.id, i.service_id AS service_row, i.title, s.name AS service, i.status AS status_n, i.level AS level_n, i.opened_at, i.acknowledged_at, i.resolved_at,"
		" i.updated_at FROM status_services x JOIN services s ON s.id = x.service_id JOIN incidents i FORCE INDEX (by_service_status)"
		" ON i.service_id = x.service_id AND i.status IN (1, 2) WHERE x.tenant_id = ? AND s.deleted_at IS NULL AND i.is_test = 0 AND i.level >= ?"
		" ORDER BY i.id DESC LIMIT ?" },
	[V_STATUS_PAST] = { "view.status_past",
		"SELECT STRAIGHT_JOIN i.id, i.service_id AS service_row, i.title, s.name AS service, i.status AS status_n, i.level AS level_n, i.opened_at, i.acknowledged_at, i.resolved_at,"
		" i.updated_at FROM status_services x JOIN services s ON s.id = x.service_id JOIN incidents i FORCE INDEX (by_service_status)"
		" ON i.service_id = x.service_id AND i.status = 3 AND i.id >= ? WHERE x.tenant_id = ? AND s.deleted_at IS NULL AND i.is_test = 0 AND i.level >= ?"
		" AND i.merged_into IS NULL"
		" ORDER BY i.id DESC LIMIT ?" },
};

const struct stmt_table view_stmts = { view_stmt, ARRAY_SIZE(view_stmt) };
