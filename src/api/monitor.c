/* monitor.c - /api/admin/webhooks/monitor. */
#include "api_int.h"

const struct field monitor_success_fields[] = {
	FIELD_BOOL(struct monitor_success, success, "success", "true"),
	FIELD_END
};

struct status {
	bool healthy;
	struct str status;
	ms_t timestamp;
};
static const struct field monitor_status_fields[] = {
	FIELD_BOOL(struct status, healthy, "healthy", "The status is HEALTHY"),
	FIELD_STR(struct status, status, "status", "HEALTHY: all checks pass; DEGRADED: one or two fail; CRITICAL: more"),
	FIELD_TIME(struct status, timestamp, "timestamp", "When that was found out"),
	FIELD_END
};

static const struct field monitor_check_fields[] = {
	FIELD_BOOL(struct monitor_check, passed, "passed", "It passes"),
	FIELD_NUMBER(struct monitor_check, value, "value", "What was measured; minutes of oldestPending, 0 to 1 of successRate"),
	FIELD_NUMBER(struct monitor_check, threshold, "threshold", "What it may be at most, or of successRate at least"),
	FIELD_STR(struct monitor_check, message, "message", "The same as a sentence"),
	FIELD_END
};

struct metrics {
	struct monitor_facts f;
	double success_rate, attempts;
};
static const struct field monitor_metrics_fields[] = {
	FIELD_U64(struct metrics, f.total, "totalEvents", "Received in the window: processed + failed + pending; test traffic left out"),
	FIELD_U64(struct metrics, f.processed, "processedEvents", "Nothing is left to do; ignored ones count too"),
	FIELD_U64(struct metrics, f.failed, "failedEvents", "Dead, or not processed after three attempts"),
	FIELD_U64(struct metrics, f.pending, "pendingEvents", "The rest"),
	FIELD_NUMBER(struct metrics, success_rate, "successRate", "processed / total, 0 to 1; 1 where there is nothing"),
	FIELD_NUMBER(struct metrics, attempts, "averageAttempts", "A first success is 1"),
	FIELD_END
};

struct times {
	double average, p50, p95, p99;
};
static const struct field monitor_times_fields[] = {
	FIELD_NUMBER(struct times, average, "average", "Exact"),
	FIELD_NUMBER(struct times, p50, "p50", "At most 3.2 % off, as the other percentiles"),
	FIELD_NUMBER(struct times, p95, "p95", "So long or shorter are 95 %"),
	FIELD_NUMBER(struct times, p99, "p99", "So long or shorter are 99 %"),
	FIELD_END
};

struct advice {
	struct str check, severity, text, step;
};
static const struct field monitor_recommendation_fields[] = {
	FIELD_STR(struct advice, check, "check", "The check that fails"),
	FIELD_STR(struct advice, severity, "severity", "WARNING, ERROR or CRITICAL"),
	FIELD_STR(struct advice, text, "text", "What to do, a sentence"),
	FIELD_STR(struct advice, step, "step", "Where: a page of the dashboard"),
	FIELD_END
};

static const struct doc_part check_parts[] = {
	{ "recentFailures", PART_ONE, FIELDS(monitor_check_fields), .help = "Events with a failed attempt in the window" },
	{ "processingBacklog", PART_ONE, FIELDS(monitor_check_fields), .help = "Events that wait, whatever the window" },
	{ "oldestPending", PART_ONE, FIELDS(monitor_check_fields), .help = "Minutes that the oldest of them has waited" },
	{ "averageProcessingTime", PART_ONE, FIELDS(monitor_check_fields), .help = "Attempts on average" },
	{ "duplicateEvents", PART_ONE, FIELDS(monitor_check_fields), .help = "Events that their sender sent again" },
	{ "successRate", PART_ONE, FIELDS(monitor_check_fields), .help = "Share of the events that are processed" },
	{ 0 }
};

static const struct doc_part metrics_parts[] = {
	{ "processingTimeMs", PART_ONE, FIELDS(monitor_times_fields), .help = "From receipt to done; zeros where nothing was done" },
	{ "eventsByProvider", PART_COUNTS, .help = "Events of each provider, its slug in capitals" },
	{ "eventsByType", PART_COUNTS, .help = "Events of each type, the hundred most frequent ones" },
	{ 0 }
};

static const struct doc_part breakdown_parts[] = {
	{ "byProvider", PART_COUNTS, .help = "Events of each provider" },
	{ "byType", PART_COUNTS, .help = "Events of each type" },
	{ "worstSource", PART_ONE, FIELDS(monitor_source_fields), .help = "With the most events that had a failed attempt, and its last error" },
	{ "waitingSource", PART_ONE, FIELDS(monitor_source_fields), .help = "With the most among the oldest events that wait" },
	{ "repeatingSource", PART_ONE, FIELDS(monitor_source_fields), .help = "Whose sender repeats most" },
	{ "oldestEvents", PART_ROWS, FIELDS(monitor_event_fields), .help = "That wait, the oldest first" },
	{ 0 }
};

static const struct doc_part data_parts[] = {
	{ "checks", PART_ONE, .parts = check_parts, .help = "All six" },
	{ "metrics", PART_ONE, FIELDS(monitor_metrics_fields), metrics_parts, "What they rest on" },
	{ "alerts", PART_ROWS, FIELDS(monitor_alert_view_fields), .help = "Monitor alerts that run, with report=true", .maybe = true },
	{ "recommendations", PART_ROWS, FIELDS(monitor_recommendation_fields), .help = "Of the checks that fail, the most severe first", .maybe = true },
	{ "breakdowns", PART_ONE, .parts = breakdown_parts, .help = "Who causes it, with report=true", .maybe = true },
	{ 0 }
};

const struct doc_part monitor_parts[] = {
	{ "data", PART_ONE, FIELDS(monitor_status_fields), data_parts, "The answer" },
	{ 0 }
};

/* ---- writing ---- */

static void write_object(struct reply *r, const char *name, const struct field *fields, const void *obj)
{
	json_key(&r->o, name);
	json_open(&r->o, '{');
	json_fields(&r->o, fields, obj);
	json_close(&r->o, '}');
}

static void write_checks(struct reply *r, const struct monitor_result *x)
{
	json_key(&r->o, "checks");
	json_open(&r->o, '{');
	for (size_t i = 0; i < MONITOR_CHECKS; i++)
		write_object(r, x->checks[i].name, monitor_check_fields, &x->checks[i]);
	json_close(&r->o, '}');
}

static void write_metrics(struct reply *r, const struct monitor_view *v)
{
	const struct monitor_facts *f = &v->facts;
	const struct metrics m = { *f, monitor_success_rate(f), monitor_average_attempts(f) };
	const struct times t = { f->done ? (double)f->took_us / (double)f->done / 1000 : 0, (double)f->p50_us / 1000, (double)f->p95_us / 1000,
		(double)f->p99_us / 1000 };

	json_key(&r->o, "metrics");
	json_open(&r->o, '{');
	json_fields(&r->o, monitor_metrics_fields, &m);
	write_object(r, "processingTimeMs", monitor_times_fields, &t);
	reply_counts(r, "eventsByProvider", v->by_provider, v->by_provider_n);
	reply_counts(r, "eventsByType", v->by_type, v->by_type_n);
	json_close(&r->o, '}');
}

static void write_advice(struct reply *r, const struct monitor_result *x)
{
	struct advice rows[MONITOR_CHECKS];

	for (size_t i = 0; i < x->advice_n; i++)
		rows[i] = (struct advice){ str_of(x->advice[i].check->name), str_of(monitor_severity_word(x->advice[i].check->severity)),
			x->advice[i].text, x->advice[i].step };
	reply_rows(r, "recommendations", monitor_recommendation_fields, rows, sizeof(*rows), x->advice_n);
}

static void write_breakdowns(struct reply *r, const struct monitor_view *v)
{
	json_key(&r->o, "breakdowns");
	json_open(&r->o, '{');
	reply_counts(r, "byProvider", v->by_provider, v->by_provider_n);
	reply_counts(r, "byType", v->by_type, v->by_type_n);
	write_object(r, "worstSource", monitor_source_fields, &v->facts.failing);
	write_object(r, "waitingSource", monitor_source_fields, &v->facts.waiting);
	write_object(r, "repeatingSource", monitor_source_fields, &v->facts.repeating);
	reply_rows(r, "oldestEvents", monitor_event_fields, v->oldest, sizeof(*v->oldest), v->oldest_n);
	json_close(&r->o, '}');
}

void api_monitor(void *call)
{
	struct call *c = call;
	struct monitor_query q = { 0 };
	struct monitor_answer *m = ARENA_NEW(c->a, struct monitor_answer);
	struct err e = { 0 };
	struct status s;
	struct reply r;

	if (!input_query(c, monitor_query_fields, &q))
		return;
	if (!monitor_get_by(&c->by, &q, m, &e)) {
		reply_err(c, &e);
		return;
	}
	s = (struct status){ m->result.status == MONITOR_HEALTHY, str_of(monitor_status_word(m->result.status)), m->view.made_at };
	reply_begin(c, &r);
	json_fields(&r.o, monitor_success_fields, &(struct monitor_success){ true });
	json_key(&r.o, "data");
	json_open(&r.o, '{');
	json_fields(&r.o, monitor_status_fields, &s);
	write_checks(&r, &m->result);
	write_metrics(&r, &m->view);
	if (q.report) {
		reply_rows(&r, "alerts", monitor_alert_view_fields, m->alerts, sizeof(*m->alerts), m->alerts_n);
		write_advice(&r, &m->result);
		write_breakdowns(&r, &m->view);
	}
	json_close(&r.o, '}');
	reply_end(c, &r, 200);
}

/* ---- past monitor alerts ---- */

void api_monitor_alert_list(void *call)
{
	struct call *c = call;
	struct monitor_alert_filter f = { .tenant_id = c->by.tenant_id, .limit = LIST_LIMIT_DEFAULT };
	struct monitor_alert_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_query(c, monitor_alert_query_fields, &f))
		return;
	if (monitor_alert_view_list(c->by.db, c->a, &f, &rows, &n, &next, &e))
		reply_list(c, "alerts", monitor_alert_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}
