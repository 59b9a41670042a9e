/* overview.c - /api/overview: what the first page of the dashboard says, for programs. */
#include "api_int.h"

const struct field overview_fields[] = {
	FIELD_STR(struct overview, status, "status", "HEALTHY, DEGRADED or CRITICAL"),
	FIELD_U64(struct overview, open_total, "openIncidents", "Unresolved ones, tests left out"),
	FIELD_U64(struct overview, day.received, "received", "Requests of the last 24 hours, as all figures here without tests"),
	FIELD_U64(struct overview, day.errors, "refused", "Of these answered 4xx or 5xx"),
	FIELD_RATE(struct overview, success_rate, "successRate", "Percent accepted; 100 where nothing came"),
	FIELD_U64(struct overview, day.events, "events", "Events of the last 24 hours"),
	FIELD_U64(struct overview, day.repeats, "repeated", "Events that were known already"),
	FIELD_U64(struct overview, events_per_minute, "eventsPerMinute", "In this hour so far"),
	FIELD_U64(struct overview, average_latency_us, "averageLatencyUs", "Receipt to commit, in microseconds"),
	FIELD_U64(struct overview, failed_events, "failedEvents", "Failed or dead, of the last 24 hours; counted to 2,000"),
	FIELD_U64(struct overview, waiting_events, "waitingEvents", "Not processed yet; counted to 2,000"),
	FIELD_U64(struct overview, failing_n, "failingSources", "Refuse more than 5 % of their requests"),
	FIELD_U64(struct overview, silent_n, "silentSources", "Sent something once, and nothing for 24 hours, or for as long as its heartbeat says"),
	FIELD_END
};

static const struct field overview_reason_fields[] = {
	FIELD_STR(struct overview_reason, text, "text", "What is wrong, in a line"),
	FIELD_STR(struct overview_reason, href, "href", "Page that shows it"),
	FIELD_END
};

static const struct field overview_hour_fields[] = {
	FIELD_TIME(struct overview_hour, at, "at", "When it began"),
	FIELD_U64(struct overview_hour, received, "received", "Requests"),
	FIELD_U64(struct overview_hour, errors, "refused", "Of these answered 4xx or 5xx"),
	FIELD_U64(struct overview_hour, events, "events", "Events"),
	FIELD_U64(struct overview_hour, repeats, "repeated", "Events that were known already"),
	FIELD_END
};

static const struct field overview_source_fields[] = {
	FIELD_STR(struct overview_source, id, "id", "The integration"),
	FIELD_STR(struct overview_source, name, "name", "As people know it"),
	FIELD_STR(struct overview_source, provider, "type", "Provider slug"),
	FIELD_BOOL(struct overview_source, enabled, "enabled", "A disabled one answers 403"),
	FIELD_BOOL(struct overview_source, failing, "failing", "Refuses more than 5 % of its requests"),
	FIELD_BOOL(struct overview_source, silent, "silent", "Sent something once, and nothing for 24 hours, or for as long as its heartbeat says"),
	FIELD_U64(struct overview_source, day.received, "received", "Requests of the last 24 hours"),
	FIELD_U64(struct overview_source, day.errors, "refused", "Of these answered 4xx or 5xx"),
	FIELD_RATE(struct overview_source, success_rate, "successRate", "Percent accepted; 100 where nothing came"),
	FIELD_TIME(struct overview_source, last_at, "lastWebhookAt", "Last request"),
	FIELD_END
};

struct check_row {
	struct str name, message;
	bool passed;
};
static const struct field overview_check_fields[] = {
	FIELD_STR(struct check_row, name, "name", "recentFailures, processingBacklog, oldestPending, averageProcessingTime, duplicateEvents, successRate"),
	FIELD_BOOL(struct check_row, passed, "passed", "It passes"),
	FIELD_STR(struct check_row, message, "message", "What was measured and what may be, a sentence"),
	FIELD_END
};

static const struct field overview_outbox_fields[] = {
	FIELD_U64(struct outbox_depth, waiting.n, "waiting", "Messages for the dispatcher; counted to 1,000"),
	FIELD_U64(struct outbox_depth, failed.n, "failed", "Messages that cron tries again; counted to 1,000"),
	FIELD_END
};

const struct doc_part overview_parts[] = {
	{ "reasons", PART_ROWS, FIELDS(overview_reason_fields), .help = "Why the status is not HEALTHY" },
	{ "cron", PART_ONE, FIELDS(cron_watch_fields), .help = "Does cron run?" },
	{ "checks", PART_ROWS, FIELDS(overview_check_fields), .help = "The six checks of the monitor, at most half a minute old" },
	{ "outbox", PART_ONE, FIELDS(overview_outbox_fields), .help = "What waits to go out, of the whole installation" },
	{ "incidents", PART_ROWS, FIELDS(incident_view_fields), .help = "The newest unresolved ones" },
	{ "hours", PART_ROWS, FIELDS(overview_hour_fields), .help = "The last 24, oldest first; the last is not over yet" },
	{ "sources", PART_ROWS, FIELDS(overview_source_fields), .help = "Failing ones first, then by traffic" },
	{ 0 }
};

static void write_checks(struct reply *r, const struct monitor_result *x)
{
	struct check_row rows[MONITOR_CHECKS];

	for (size_t i = 0; i < MONITOR_CHECKS; i++)
		rows[i] = (struct check_row){ str_of(x->checks[i].name), x->checks[i].message, x->checks[i].passed };
	reply_rows(r, "checks", overview_check_fields, rows, sizeof(*rows), MONITOR_CHECKS);
}

void api_overview(void *call)
{
	struct call *c = call;
	struct overview o;
	struct err e = { 0 };
	struct reply r;

	if (!input_one_tenant(c))
		return;
	if (!overview_by(&c->by, &o, &e)) {
		reply_err(c, &e);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, overview_fields, &o);
	reply_rows(&r, "reasons", overview_reason_fields, o.reasons, sizeof(*o.reasons), o.reasons_n);
	json_key(&r.o, "cron");
	json_open(&r.o, '{');
	json_fields(&r.o, cron_watch_fields, &o.cron);
	json_close(&r.o, '}');
	write_checks(&r, &o.monitor);
	json_key(&r.o, "outbox");
	json_open(&r.o, '{');
	json_fields(&r.o, overview_outbox_fields, &o.outbox);
	json_close(&r.o, '}');
	reply_rows(&r, "incidents", incident_view_fields, o.incidents, sizeof(*o.incidents), o.incidents_n);
	reply_rows(&r, "hours", overview_hour_fields, o.hours, sizeof(*o.hours), OVERVIEW_HOURS);
	reply_rows(&r, "sources", overview_source_fields, o.sources, sizeof(*o.sources), o.sources_n);
	reply_end(c, &r, 200);
}
