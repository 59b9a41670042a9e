/* view_data.h - the rows that the tests of src/view and src/api look at: two tenants, sources of four providers, 30,000 events.
 *
 * Event number k (1..30000) was received BASE + k seconds and belongs to tenant 1, but for each hundredth, which is tenant 2's. Of
 * tenant 1's, source 1 (github) has the odd ones; the even ones go to source 2 (prometheus), each 50th to the fifteen sources 11..25
 * (webhook). Status: each 97th failed, each 89th ignored, the rest processed. Its request has its number; that of a failed one was
 * refused, else each 64th repeats event 1. */
#ifndef GRAPNEL_VIEW_DATA_H
#define GRAPNEL_VIEW_DATA_H

#include "db_test.h"

#define EVENTS 30000
#define BASE 1760000000000LL	/* 2025-10-09 */
#define ID_OF(k) (id_floor(BASE + (ms_t)(k) * 1000) + (k))
#define SQL_ID "((1760000000000 + seq * 1000 - 1577836800000) * 4194304 + seq)"

static const struct stmt view_data[] = {
	{ "data.tenant", "INSERT INTO tenants (id, name, created_at) VALUES (2, 'other', 1)" },
	{ "data.user", "INSERT INTO users (id, public_id, tenant_id, name, role, created_at) VALUES (7, 'us_seven', 1, 'ann', 2, 1)" },
	{ "data.services", "INSERT INTO services (id, public_id, tenant_id, name, is_default, created_at, updated_at) VALUES"
		" (2, 'sv_shop', 1, 'shop', 0, 1, 1), (3, 'sv_other', 2, 'default', 1, 1, 1)" },
	{ "data.more_services", "INSERT INTO services (id, public_id, tenant_id, name, created_at, updated_at)"
		" SELECT seq, CONCAT('sv_', seq), 1, CONCAT('service ', seq), 1, 1 FROM seq_100_to_999" },
	{ "data.sources", "INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, created_at, updated_at)"
		" VALUES (1, 'in_00000000000000000001', 1, 1, 'github', 'code', 1, 1, 1, 1),"
		" (2, 'in_00000000000000000002', 1, 1, 'prometheus', 'alerts', 2, 1, 1, 1),"
		" (9, 'in_00000000000000000009', 2, 1, 'github', 'theirs', 3, 1, 1, 1)" },
	{ "data.channels", "INSERT INTO channels (id, public_id, tenant_id, kind, name, events, settings, created_at, updated_at) VALUES"
		" (1, 'ch_00000000000000000001', 1, 'email', 'ops', 1, '{\"to\":\"ops@example.org\"}', 1, 1),"
		" (9, 'ch_00000000000000000009', 2, 'email', 'theirs', 1, '{\"to\":\"them@example.org\"}', 1, 1)" },
	{ "data.policies", "INSERT INTO escalation_policies (id, public_id, tenant_id, name, steps, created_at, updated_at) VALUES"
		" (1, 'po_00000000000000000001', 1, 'nights', '[{\"delayMinutes\":5,\"targets\":[{\"type\":\"channel\",\"id\":\"ch_00000000000000000001\"}]}]', 1, 1),"
		" (9, 'po_00000000000000000009', 2, 'theirs', '[]', 1, 1)" },
	{ "data.rules", "INSERT INTO alert_rules (id, public_id, tenant_id, user_id, name, metric, comparison, threshold, window_minutes, created_at,"
		" updated_at) VALUES (1, 'ar_00000000000000000001', 1, 7, 'mine', 1, 1, 10, 60, 1, 1),"
		" (9, 'ar_00000000000000000009', 2, 7, 'theirs', 1, 1, 10, 60, 1, 1)" },
	{ "data.schedules", "INSERT INTO schedules (id, public_id, tenant_id, name, time_zone, created_at, updated_at) VALUES"
		" (1, 'sc_00000000000000000001', 1, 'ops', 'Europe/Berlin', 1, 1), (9, 'sc_00000000000000000009', 2, 'theirs', 'UTC', 1, 1)" },
	{ "data.schedule_layers", "INSERT INTO schedule_layers (schedule_id, position, name, unit, length, at_min, weekday, start_day, weekdays, from_min, to_min)"
		" VALUES (1, 0, 'all', 2, 1, 540, 0, 20000, 127, 0, 0)" },
	{ "data.schedule_users", "INSERT INTO schedule_layer_users (schedule_id, layer, position, user_id) VALUES (1, 0, 0, 7)" },
	{ "data.outbox", "INSERT INTO outbox (id, tenant_id, kind, target_id, cause_id, payload, status, next_at, created_at, finished_at)"
		" SELECT " SQL_ID ", 1, 1, 1, 1, '{\"type\":\"monitor.alert_started\",\"at\":\"2025-10-09T09:00:00.000Z\",\"data\":{\"id\":\"5\","
		"\"severity\":\"ERROR\",\"message\":\"120 wait.\"}}', 1, 1760000000000 + seq * 1000, 1760000000000 + seq * 1000, 1760000000000 + seq * 1000 FROM seq_1_to_60" },
	{ "data.endpoints", "INSERT INTO endpoints (id, public_id, tenant_id, user_id, url, events, created_at, updated_at) VALUES"
		" (1, 'ep_00000000000000000001', 1, 7, 'https://192.0.43.8/', '*', 1, 1), (9, 'ep_00000000000000000009', 2, 7, 'https://192.0.43.8/', '*', 1, 1)" },
	{ "data.deliveries", "INSERT INTO outbox (id, tenant_id, kind, target_id, cause_id, payload, status, next_at, created_at, finished_at)"
		" SELECT " SQL_ID " + 1000, 1, 2, 1, 1, '{\"event\":\"incident.opened\"}', 1, 1, 1760000000000 + seq * 1000, 1 FROM seq_1_to_60" },
	{ "data.delivered", "INSERT INTO deliveries (id, tenant_id, user_id, endpoint_id, event, url, summary)"
		" SELECT id, 1, 7, 1, 'incident.opened', 'https://192.0.43.8/', 'Disk full' FROM outbox WHERE kind = 2" },
	{ "data.many", "INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, created_at, updated_at)"
		" SELECT seq, CONCAT('in_000000000000000000', seq), 1, 1, 'webhook', CONCAT('hook ', seq), 1, 1, 1, 1 FROM seq_11_to_25" },
	{ "data.events", "INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity,"
		" level, dedup_key, summary, status, attempts, error, incident_id, received_at, processed_at, updated_at)"
		" SELECT " SQL_ID ", IF(seq % 100, 1, 2),"
		" IF(seq % 100 = 0, 9, IF(seq % 2, 1, IF(seq % 50, 2, 11 + seq DIV 50 % 15))), " SQL_ID ", 0, CONCAT('ev-', seq),"
		" IF(seq % 1000, 'push', 'rare'), 1, seq % 4, seq % 5, CONCAT('key-', seq % 500), CONCAT('Disk 100% full_', seq),"
		" IF(seq % 97, IF(seq % 89, 2, 5), 3), 1, IF(seq % 97, NULL, 'refused'), IF(seq = 4, " SQL_ID ", NULL),"
		" 1760000000000 + seq * 1000, IF(seq % 97, 1760000000000 + seq * 1000 + 5, NULL), 1760000000000 + seq * 1000 + 9"
		" FROM seq_1_to_30000" },
	{ "data.event_ids", "INSERT INTO event_ids (source_id, id_hash, event_id, first_at, repeats)"
		" SELECT source_id, UNHEX(LEFT(SHA2(event_id, 256), 32)), id, received_at, id % 3 FROM events" },
	{ "data.requests", "INSERT INTO requests (id, source_id, status, reason, method, uri, remote_addr, trace, headers, body,"
		" body_bytes, duration_us, event_count, event_id) SELECT id, source_id, IF(status = 3, 401, 201),"
		" IF(status = 3, 'Invalid signature', NULL), 'POST', '/x', '192.0.2.7', 'trace',"
		" 'content-type: application/json\\nauthorization: ***\\n', CONCAT('{\"n\":', element, ', \"n\":12345678901234567890}'), 9, 7000, 1,"
		" IF(status = 3, NULL, id) FROM events" },
	{ "data.repeats", "UPDATE requests SET is_duplicate = 1, status = 200, event_id = (1760000000000 + 1000 - 1577836800000) * 4194304 + 1,"
		" trace = CONCAT('trace-', id & 4194303), remote_addr = '192.0.2.8' WHERE reason IS NULL AND (id & 4194303) % 64 = 0" },
	{ "data.stages", "UPDATE requests SET stages = IF(reason IS NULL, '1000 2000 3000 4500 7000', '- - - - 7000')" },
	{ "data.marks", "INSERT INTO request_marks (tenant_id, kind, id, event_id) SELECT e.tenant_id, IF(r.reason IS NULL, 2, 1), r.id,"
		" IF(r.reason IS NULL, r.event_id, NULL) FROM requests r JOIN events e ON e.id = r.id"
		" WHERE r.reason IS NOT NULL OR r.is_duplicate = 1" },
	{ "data.stats", "INSERT INTO source_stats (source_id, hour, slot, received, errors, repeated, events, repeats, alerts, latency_us,"
		" last_at) SELECT source_id, ((id >> 22) + 1577836800000) DIV 3600000, 1, COUNT(*), SUM(reason IS NOT NULL), SUM(is_duplicate), 0,"
		" 0, 0, 0, 1 FROM requests GROUP BY 1, 2" },
	{ "data.incidents", "INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, title, status, level, alert_count,"
		" opened_at, last_alert_at, updated_at, assignee_id, is_test, open_hash)"
		" SELECT " SQL_ID ", IF(seq % 100, 1, 2), IF(seq % 100, IF(seq % 3, 1, 2), 3), IF(seq % 100, 1 + seq % 2, 9),"
		" CONCAT('key-', seq), CONCAT('Disk ', seq, ' FULL'), 1 + (seq % 7 > 0) + (seq % 7 > 3), seq % 5, 1,"
		" 1760000000000 + seq * 1000, 1, 1, IF(seq % 500, NULL, 7), seq % 11 = 0,"
		" IF(seq % 7 > 3, NULL, LEFT(UNHEX(SHA2(CONCAT('key-', seq), 256)), 16)) FROM seq_1_to_5000" },
	{ "data.alerts", "INSERT INTO alerts (id, tenant_id, event_id, incident_id, level, created_at)"
		" SELECT id + 1, 1, id, incident_id, level, received_at FROM events WHERE incident_id IS NOT NULL" },
	{ "data.more_alerts", "INSERT INTO alerts (id, tenant_id, event_id, incident_id, level, created_at)"
		" SELECT id + 7, tenant_id, 1, id, 1, 1 FROM incidents WHERE dedup_key <> 'key-4'" },
	{ "data.timeline", "INSERT INTO timeline (incident_id, id, at, kind, actor, user_id, event_id, level, text)"
		" SELECT id, id + 2, opened_at, 1, 1, NULL, id, level, NULL FROM incidents UNION ALL"
		" SELECT id, id + 3, opened_at + 60000, 3, 3, 7, NULL, NULL, 'on it' FROM incidents WHERE status > 1" },
	{ "data.analyze", "ANALYZE TABLE events, incidents, services, requests, sources, alerts, timeline, event_ids, request_marks,"
		" source_stats" },
};

static inline struct db *view_database(const char *name)
{
	struct err e = { 0 };
	struct db *db;

	test_database(name);
	db = test_connect(name, 60000);
	if (!migrate_up(db, getenv("GRAPNEL_TEST_SQL"), NULL, &e))
		die("%s", e.text);
	for (size_t i = 0; i < ARRAY_SIZE(view_data); i++)
		if (!db_exec(db, &view_data[i], NULL, 0, NULL, &e))
			die("%s", e.text);
	return db;
}

#endif
