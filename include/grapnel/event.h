/* event.h - the unified event: what every adapter makes of what its provider sent, and the words for it.
 * The numbers of the enums are stored in tables: never renumber, only add. */
#ifndef GRAPNEL_EVENT_H
#define GRAPNEL_EVENT_H

#include "grapnel/base.h"
#include "grapnel/json.h"

enum action { ACTION_IGNORE = 0, ACTION_TRIGGER = 1, ACTION_ACKNOWLEDGE = 2, ACTION_RESOLVE = 3 };

/* The unified event's own scale. */
enum severity { SEVERITY_INFO = 0, SEVERITY_WARNING = 1, SEVERITY_ERROR = 2, SEVERITY_CRITICAL = 3 };

/* The scale of alerts and incidents, comparable with <. LOW = info whose native word is low or p4. */
enum level { LEVEL_INFO = 0, LEVEL_LOW = 1, LEVEL_MEDIUM = 2, LEVEL_HIGH = 3, LEVEL_CRITICAL = 4 };

enum event_status {
	EVENT_PENDING = 0,	/* has actions still to do */
	EVENT_PROCESSING = 1,	/* someone holds its lease */
	EVENT_PROCESSED = 2,
	EVENT_FAILED = 3,	/* will be retried */
	EVENT_DEAD = 4,		/* attempts used up */
	EVENT_IGNORED = 5,	/* nothing to do */
};

/* What a source does with its events; a set of bits. */
enum source_action { DO_INCIDENT = 1, DO_SYNC = 2, DO_FORWARD = 4, DO_RECORD = 8 };
#define DO_AT_ONCE (DO_INCIDENT | DO_RECORD)	/* done inside the transaction that stores the event */

#define EVENT_ID_MAX 255	/* bytes; a longer id is kept as "sha256:" and 64 hex digits */
#define DEDUP_KEY_MAX 255	/* bytes; a longer key is kept as the SHA-256 in hex (providers-tools.md) */
#define EVENT_TYPE_MAX 100	/* cut */
#define SUMMARY_MAX 1024	/* PagerDuty's limit; longer ones are cut */
#define DESCRIPTION_MAX 16384	/* cut; GitHub's check outputs go up to 64 KiB of markdown */
#define EVENT_TEXT_MAX 255	/* service, source, entity type and id, native severity: cut */
#define EVENT_LINKS_MAX 8

struct link {
	struct str href, text;	/* http or https only; text may be empty */
};

/* Lives in the arena of its request; the views point there or into the request's body. */
struct event {
	enum action action;
	enum severity severity;
	enum level level;
	bool native_id;		/* the sender named it: once for ever; else derived: a repeat only within 10 minutes */
	struct str event_id;	/* never empty, at most EVENT_ID_MAX */
	struct str event_type;	/* never empty */
	struct str entity_type, entity_id;	/* may be empty */
	struct str dedup_key;	/* empty where there is nothing to alert about */
	struct str summary;	/* never empty */
	struct str description, source, service, native_severity;	/* may be empty */
	ms_t occurred_at;	/* 0: the sender gave no time */
	struct link links[EVENT_LINKS_MAX];
	size_t link_n;
	const struct json *custom_details;	/* an object, or NULL */
	const char *invalid;	/* NULL, or the field that could not be mapped: nothing but event_id is filled then */
};

const char *action_word(enum action a);		/* "trigger" */
const char *severity_word(enum severity s);	/* "critical" */
const char *level_word(enum level l);		/* "CRITICAL" */
const char *event_status_word(enum event_status s);	/* "processed" */
bool level_parse(struct str s, enum level *out) MUST_USE;		/* no case */
bool event_status_parse(struct str s, enum event_status *out) MUST_USE;
enum level level_of(enum severity s, struct str native);

#endif
