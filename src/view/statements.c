/* statements.c - the fixed statements of the views, whole and readable; the texts of lists are built in list.c. */
#include "view_int.h"

const struct stmt view_stmt[] = {
	[V_EVENT] = { "view.event",
		"SELECT " EVENT_COLUMNS " FROM events e" EVENT_JOINS " WHERE e.id = ?" },
	[V_REQUEST] = { "view.request",
		"SELECT id AS id, status AS status, body_bytes AS body_bytes, duration_us AS duration_us, method AS method, uri AS uri, "
		"remote_addr AS remote_addr, trace AS trace, traceparent AS traceparent, headers AS headers, body AS body "
		"FROM requests WHERE id = ?" },
	[V_ALERTS] = { "view.alerts",
		"SELECT " ALERT_COLUMNS " FROM alerts a" ALERT_JOINS " WHERE a.incident_id = ? ORDER BY a.id DESC LIMIT ?" },
	/* An alert's number is made in the batch of its event, so a short range of the index holds it. */
	[V_ALERT_OF] = { "view.alert_of",
		"SELECT " ALERT_COLUMNS " FROM alerts a" ALERT_JOINS
		" WHERE a.incident_id = ? AND a.id >= ? AND a.id < ? AND a.event_id = ? ORDER BY a.id LIMIT 1" },
	[V_INCIDENT] = { "view.incident",
		"SELECT " INCIDENT_COLUMNS " FROM incidents i" INCIDENT_JOINS " WHERE i.id = ?" },
	[V_TIMELINE] = { "view.timeline",
		"SELECT l.id AS id, l.event_id AS event_id, u.name AS user, l.text AS text, l.kind AS kind_n, l.actor AS actor_n, "
		"COALESCE(l.level + 1, 0) AS level_n, l.at AS at FROM timeline l LEFT JOIN users u ON u.id = l.user_id "
		"WHERE l.incident_id = ? ORDER BY l.id DESC LIMIT ?" },
};

const struct stmt_table view_stmts = { view_stmt, ARRAY_SIZE(view_stmt) };
