/* event.c - what can be asked of events. */
#include "grapnel/resource.h"

/* Unified words and what they stand for in a filter. */
const struct form_word event_status_words[] = {
	{ "pending", 1 << EVENT_PENDING },
	{ "processing", 1 << EVENT_PROCESSING },
	{ "processed", 1 << EVENT_PROCESSED },
	{ "failed", 1 << EVENT_FAILED },
	{ "dead", 1 << EVENT_DEAD },
	{ "ignored", 1 << EVENT_IGNORED },
	{ 0 }
};

const struct form_word event_processed_words[] = {
	{ "true", 1 << EVENT_PROCESSED | 1 << EVENT_IGNORED },
	{ "false",
		1 << EVENT_PENDING | 1 << EVENT_PROCESSING | 1 << EVENT_FAILED | 1 << EVENT_DEAD },
	{ 0 }
};

const struct form_word event_severity_words[] = {
	{ "critical", 1 << SEVERITY_CRITICAL },
	{ "error", 1 << SEVERITY_ERROR },
	{ "warning", 1 << SEVERITY_WARNING },
	{ "info", 1 << SEVERITY_INFO },
	{ 0 }
};

const struct form_field event_query_fields[] = {
	EVENT_FILTER_ROWS(struct event_query, f, processed),
	{ "limit", NUMBER_AT(struct event_query, f.limit), FORM_CLAMP, 1, LIST_LIMIT_MAX,
		.help = "Most events in the answer" },
	CURSOR_ROW(struct event_query, f.cursor, "events"),
	FORM_END
};

bool event_query_join(struct event_query *q)
{
	if (!q->processed)
		return true;
	q->f.statuses = q->f.statuses ? q->f.statuses & q->processed : q->processed;
	return q->f.statuses != 0;
}

bool event_query_list(const struct caller *by, struct event_query *q, struct event_view **out, size_t *n, uint64_t *next,
	struct err *e)
{
	*out = NULL;
	*n = 0;
	*next = 0;
	return !event_query_join(q) || event_view_list(by->db, by->a, &q->f, out, n, next, e);
}

const struct form_field stats_query_fields[] = {
	{ "from", TIME_AT(struct stats_query, from), .help = "Received at or after; a day before `to`" },
	{ "to", TIME_AT(struct stats_query, to), .after = "from", .help = "Received before; now. At most 31 days after `from`" },
	FORM_END
};

bool stats_query_get(const struct caller *by, const struct stats_query *q, struct stats_view *out, struct err *e)
{
	ms_t to = q->to ? q->to : by->now, from = q->from ? q->from : to - MS_PER_DAY;

	if (from >= to)
		return err_field(e, ERR_INVALID, "from", "The window must begin before it ends.");
	if (to - from > STATS_WINDOW_MAX)
		return err_field(e, ERR_INVALID, "from", "The window may be 31 days at most.");
	return stats_view_get(by->db, by->a, by->tenant_id, from, to, out, e);
}
