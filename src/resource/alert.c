/* alert.c - what can be asked of alerts. */
#include "grapnel/resource.h"

const struct form_field alert_query_fields[] = {
	{ "severity", WORDS_AT(struct alert_filter, levels), .words = level_words,
		.help = "One or more, with commas between" },
	{ "incidentId", NUMBER_AT(struct alert_filter, incident_id), 0, 1, INT64_MAX, .help = "Number of an incident" },
	{ "provider", TEXT_AT(struct alert_filter, provider), .max = 32, .help = "Slug of the provider whose event reported it" },
	{ "source", TEXT_AT(struct alert_filter, source), .max = 23, .help = "Id of the integration it came in by" },
	{ "serviceId", TEXT_AT(struct alert_filter, service_id), .max = 23, .help = "Id of the service in trouble" },
	{ "service", TEXT_AT(struct alert_filter, service), .max = 400, .help = "The same by id or name" },
	{ "q", TEXT_AT(struct alert_filter, text), .max = EVENT_TEXT_MAX, .help = "Part of the title, or a whole dedup key" },
	{ "text", TEXT_AT(struct alert_filter, text), .max = EVENT_TEXT_MAX, .help = "The same as q" },
	{ "from", TIME_AT(struct alert_filter, from), .help = "Stored at or after" },
	{ "to", TIME_AT(struct alert_filter, to), .after = "from", .help = "Stored before" },
	{ "limit", NUMBER_AT(struct alert_filter, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX,
		.help = "Most alerts in the answer" },
	CURSOR_ROW(struct alert_filter, cursor, "alerts"),
	FORM_END
};
