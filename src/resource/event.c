/* event.c - what can be asked of events. */
#include "grapnel/resource.h"

/* Unified words and what they stand for in a filter. */
static const struct form_word event_status_words[] = {
	{ "pending", 1 << EVENT_PENDING },
	{ "processing", 1 << EVENT_PROCESSING },
	{ "processed", 1 << EVENT_PROCESSED },
	{ "failed", 1 << EVENT_FAILED },
	{ "dead", 1 << EVENT_DEAD },
	{ "ignored", 1 << EVENT_IGNORED },
	{ 0 }
};

static const struct form_word processed_words[] = {
	{ "true", 1 << EVENT_PROCESSED | 1 << EVENT_IGNORED },
	{ "false",
		1 << EVENT_PENDING | 1 << EVENT_PROCESSING | 1 << EVENT_FAILED | 1 << EVENT_DEAD },
	{ 0 }
};

static const struct form_word event_severity_words[] = {
	{ "critical", 1 << SEVERITY_CRITICAL },
	{ "error", 1 << SEVERITY_ERROR },
	{ "warning", 1 << SEVERITY_WARNING },
	{ "info", 1 << SEVERITY_INFO },
	{ 0 }
};

const struct form_field event_query_fields[] = {
	{ "status", WORDS_AT(struct event_query, f.statuses), .words = event_status_words,
		.help = "One or more, with commas between" },
	{ "processed", WORDS_AT(struct event_query, processed), .words = processed_words,
		.help = "Nothing left to do, or something" },
	{ "severity", WORDS_AT(struct event_query, f.severities), .words = event_severity_words,
		.help = "One or more, with commas between" },
	{ "provider", TEXT_AT(struct event_query, f.provider), .max = 32, .help = "Provider slug" },
	{ "source", TEXT_AT(struct event_query, f.source), .max = 23,
		.help = "Id of an integration" },
	{ "serviceId", TEXT_AT(struct event_query, f.service_id), .max = 23,
		.help = "Id of the integration's service" },
	{ "service", TEXT_AT(struct event_query, f.service), .max = 400,
		.help = "The same by id or name" },
	{ "type", TEXT_AT(struct event_query, f.type), .max = EVENT_TYPE_MAX,
		.help = "Event type, whole" },
	{ "q", TEXT_AT(struct event_query, f.text), .max = EVENT_TEXT_MAX,
		.help = "A whole event id, the provider's or ours; else part of summary or type, or a whole dedup key" },
	{ "text", TEXT_AT(struct event_query, f.text), .max = EVENT_TEXT_MAX,
		.help = "The same as q" },
	{ "from", TIME_AT(struct event_query, f.from), .help = "Received at or after" },
	{ "to", TIME_AT(struct event_query, f.to), .help = "Received before" },
	{ "limit", NUMBER_AT(struct event_query, f.limit), FORM_CLAMP, 1, LIST_LIMIT_MAX,
		.help = "Most events in the answer" },
	CURSOR_ROW(struct event_query, f.cursor, "events"),
	FORM_END
};

/* False: the two filters exclude each other, so there is nothing to look for. */
static bool join_statuses(struct event_query *q)
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
	return !join_statuses(q) || event_view_list(by->db, by->a, &q->f, out, n, next, e);
}

const struct form_field stats_query_fields[] = {
	{ "from", TIME_AT(struct stats_query, from), .help = "Received at or after; a day before `to`" },
	{ "to", TIME_AT(struct stats_query, to), .help = "Received before; now. At most 31 days after `from`" },
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
