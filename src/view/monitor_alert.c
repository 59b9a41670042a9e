/* monitor_alert.c - monitor alerts, running and past ones; with those of a tenant come those of the whole installation, which concern him too. */
#include "view_int.h"

const struct field monitor_alert_view_fields[] = {
	FIELD_ID(struct monitor_alert_view, id, "id", "Our number of it; null while cron has not looked yet"),
	FIELD_STR(struct monitor_alert_view, type, "type", "HIGH_FAILURE_RATE, LARGE_BACKLOG, STALE_EVENTS, SLOW_PROCESSING, DUPLICATE_EVENTS, LOW_SUCCESS_RATE..."),
	FIELD_STR(struct monitor_alert_view, subject, "subject", "What it is about, where a type may run several times"),
	FIELD_STR(struct monitor_alert_view, severity, "severity", "WARNING, ERROR or CRITICAL"),
	FIELD_STR(struct monitor_alert_view, message, "message", "What is wrong, a sentence"),
	FIELD_NUMBER(struct monitor_alert_view, value, "value", "What was measured"),
	FIELD_NUMBER(struct monitor_alert_view, threshold, "threshold", "What it may be at most or at least"),
	FIELD_TIME(struct monitor_alert_view, started_at, "startedAt", "Since when"),
	FIELD_TIME(struct monitor_alert_view, ended_at, "endedAt", "Until when; null while it runs"),
	FIELD_STR(struct monitor_alert_view, advice, "advice", "What to do about it, a sentence"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_ID(struct monitor_alert_view, id, "id", ""),
	FIELD_ID(struct monitor_alert_view, tenant_id, "tenant_id", ""),
	FIELD_STR(struct monitor_alert_view, type, "type", ""),
	FIELD_STR(struct monitor_alert_view, subject, "subject", ""),
	FIELD_U64(struct monitor_alert_view, severity_n, "severity", ""),
	FIELD_STR(struct monitor_alert_view, message, "message", ""),
	FIELD_STR(struct monitor_alert_view, advice, "advice", ""),
	FIELD_NUMBER(struct monitor_alert_view, value, "value", ""),
	FIELD_NUMBER(struct monitor_alert_view, threshold, "threshold", ""),
	FIELD_TIME(struct monitor_alert_view, started_at, "started_at", ""),
	FIELD_TIME(struct monitor_alert_view, ended_at, "ended_at", ""),
	FIELD_END
};

static void add_words(struct monitor_alert_view *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		v[i].severity = str_of(monitor_severity_word((enum monitor_severity)v[i].severity_n));
		null_if_empty(&v[i].subject);
	}
}

bool monitor_alert_view_list(struct db *db, struct arena *a, const struct monitor_alert_filter *f, struct monitor_alert_view **out, size_t *n,
	uint64_t *next, struct err *e)
{
	const struct val tenant = V_U(f->tenant_id), below = V_U(f->cursor ? f->cursor : INT64_MAX), limit = V_U(f->limit + 1);

	*next = 0;
	if (f->tenant_id ? !db_query(db, &view_stmt[V_MONITOR_ALERTS], VALS(tenant, below, limit, below, limit, limit), a, columns, sizeof(**out),
			out, n, e) :
		!db_query(db, &view_stmt[V_MONITOR_ALERTS_ALL], VALS(below, limit), a, columns, sizeof(**out), out, n, e))
		return false;
	if (*n > f->limit) {
		*n = f->limit;
		*next = (*out)[*n - 1].id;
	}
	add_words(*out, *n);
	return true;
}

bool monitor_alert_view_running(struct db *db, struct arena *a, uint64_t tenant_id, struct monitor_alert_view **out, size_t *n, struct err *e)
{
	if (!db_query(db, &view_stmt[V_MONITOR_RUNNING], VALS(V_U(tenant_id), V_U(tenant_id)), a, columns, sizeof(**out), out, n, e))
		return false;
	add_words(*out, *n);
	return true;
}
