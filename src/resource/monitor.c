/* monitor.c - is our own work all right? As people and programs ask for it. */
#include "grapnel/resource.h"

#include "grapnel/job.h"

const struct form_field monitor_query_fields[] = {
	{ "timeWindow", NUMBER_AT(struct monitor_query, window_min), .min = 1, .max = MONITOR_WINDOW_MAX,
		.help = "Minutes to look back; [monitor] window_minutes where it is not given" },
	{ "report", BOOL_AT(struct monitor_query, report), .help = "true: with monitor alerts, recommendations and breakdowns" },
	FORM_END
};

const struct form_field monitor_alert_query_fields[] = {
	{ "limit", NUMBER_AT(struct monitor_alert_filter, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX, .help = "Most monitor alerts in the answer" },
	CURSOR_ROW(struct monitor_alert_filter, cursor, "alerts"),
	FORM_END
};

bool monitor_get_by(const struct caller *by, const struct monitor_query *q, struct monitor_answer *out, struct err *e)
{
	const struct monitor_limits limits = job_monitor_limits(by->conf);
	uint64_t window = q->window_min ? q->window_min : by->conf->monitor.window_minutes;

	*out = (struct monitor_answer){ 0 };
	if (!monitor_view_get(by->db, by->a, by->tenant_id, window, false, by->now, &out->view, e) ||
		!monitor_alert_view_running(by->db, by->a, by->tenant_id, &out->alerts, &out->alerts_n, e))
		return false;
	monitor_judge(by->a, &out->view.facts, &limits, by->now, &out->result);
	return true;
}
