/* audit.c - what can be asked of the audit log. */
#include "grapnel/resource.h"

const struct form_field audit_query_fields[] = {
	{ "actor", TEXT_AT(struct audit_filter, actor), .max = 400,
		.help = "Name or id of a user, \"system\" or \"command line\"" },
	{ "action", TEXT_AT(struct audit_filter, action), .max = 64,
		.help = "What was done, \"user.create\", or all of a kind, \"user\"" },
	{ "object", TEXT_AT(struct audit_filter, object), .max = 64, .help = "Id of what was changed" },
	{ "q", TEXT_AT(struct audit_filter, text), .max = 255,
		.help = "Part of action, object, details or address" },
	{ "from", TIME_AT(struct audit_filter, from), .help = "Done at or after" },
	{ "to", TIME_AT(struct audit_filter, to), .after = "from", .help = "Done before" },
	{ "limit", NUMBER_AT(struct audit_filter, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX,
		.help = "Most entries in the answer" },
	CURSOR_ROW(struct audit_filter, cursor, "audit"),
	FORM_END
};
