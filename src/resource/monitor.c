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

static bool is_told(const struct monitor_answer *m, const char *type)
{
	for (size_t i = 0; i < m->alerts_n; i++)
		if (str_eqs(m->alerts[i].type, type))
			return true;
	return false;
}

/* Cron looks each minute: what fails since then will be a monitor alert in a moment, and is one for whoever asks now. */
static void add_untold(const struct caller *by, struct monitor_answer *m)
{
	struct monitor_alert_view *all = ARENA_ARRAY(by->a, struct monitor_alert_view, m->alerts_n + MONITOR_CHECKS);
	size_t n = 0;

	for (size_t i = 0; i < m->result.advice_n; i++) {
		const struct monitor_recommendation *r = &m->result.advice[i];

		if (!is_told(m, r->check->alert))
			all[n++] = (struct monitor_alert_view){ .tenant_id = by->tenant_id, .type = str_of(r->check->alert),
				.severity_n = r->check->severity, .severity = str_of(monitor_severity_word(r->check->severity)),
				.message = r->check->message, .advice = r->text, .value = r->check->value, .threshold = r->check->threshold,
				.started_at = m->view.made_at };
	}
	for (size_t i = 0; i < m->alerts_n; i++)
		all[n++] = m->alerts[i];
	m->alerts = all;
	m->alerts_n = n;
}

bool monitor_get_by(const struct caller *by, const struct monitor_query *q, struct monitor_answer *out, struct err *e)
{
	const struct monitor_limits limits = job_monitor_limits(by->conf);
	uint64_t window = q->window_min ? q->window_min : by->conf->monitor.window_minutes;

	*out = (struct monitor_answer){ 0 };
	if (!monitor_view_get(by->db, by->a, by->tenant_id, window, false, by->now, &out->view, e) ||
		!monitor_alert_view_running(by->db, by->a, by->tenant_id, &out->alerts, &out->alerts_n, e))
		return false;
	monitor_judge(by->a, &out->view.facts, &limits, by->now, &out->result);
	if (window == by->conf->monitor.window_minutes)	/* of others there are none */
		add_untold(by, out);
	return true;
}
