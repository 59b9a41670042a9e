/* request.c - what can be asked of requests. */
#include "grapnel/resource.h"

static const struct form_word outcome_words[] = {
	{ "accepted", 1 << REQUEST_ACCEPTED },
	{ "repeated", 1 << REQUEST_REPEATED },
	{ "refused", 1 << REQUEST_REFUSED },
	{ 0 }
};

const struct form_field request_query_fields[] = {
	{ "outcome", WORDS_AT(struct request_filter, outcomes), .words = outcome_words,
		.help = "One or more, with commas between" },
	{ "status", NUMBER_AT(struct request_filter, status), 0, 100, 599, .help = "HTTP status that was answered" },
	{ "provider", TEXT_AT(struct request_filter, provider), .max = 32, .help = "Provider slug" },
	{ "source", TEXT_AT(struct request_filter, source), .max = 23, .help = "Id of an integration" },
	{ "q", TEXT_AT(struct request_filter, text), .max = 64, .help = "A whole trace id or remote address" },
	{ "text", TEXT_AT(struct request_filter, text), .max = 64, .help = "The same as q" },
	{ "from", TIME_AT(struct request_filter, from), .help = "Received at or after" },
	{ "to", TIME_AT(struct request_filter, to), .after = "from", .help = "Received before" },
	{ "limit", NUMBER_AT(struct request_filter, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX,
		.help = "Most requests in the answer" },
	CURSOR_ROW(struct request_filter, cursor, "requests"),
	FORM_END
};
