/* The words of event.h, as API, pages and tables spell them. Depends on nothing, so that others may
 * link it alone. */
#include "grapnel/event.h"

static const char *const action_words[] = {
	[ACTION_IGNORE] = "ignore",
	[ACTION_TRIGGER] = "trigger",
	[ACTION_ACKNOWLEDGE] = "acknowledge",
	[ACTION_RESOLVE] = "resolve",
};

static const char *const severity_names[] = {
	[SEVERITY_INFO] = "info",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_ERROR] = "error",
	[SEVERITY_CRITICAL] = "critical",
};

static const char *const level_words[] = {
	[LEVEL_INFO] = "INFO",
	[LEVEL_LOW] = "LOW",
	[LEVEL_MEDIUM] = "MEDIUM",
	[LEVEL_HIGH] = "HIGH",
	[LEVEL_CRITICAL] = "CRITICAL",
};

static const char *const event_status_words[] = {
	[EVENT_PENDING] = "pending",
	[EVENT_PROCESSING] = "processing",
	[EVENT_PROCESSED] = "processed",
	[EVENT_FAILED] = "failed",
	[EVENT_DEAD] = "dead",
	[EVENT_IGNORED] = "ignored",
};

static const enum level levels[] = {
	[SEVERITY_INFO] = LEVEL_INFO,
	[SEVERITY_WARNING] = LEVEL_MEDIUM,
	[SEVERITY_ERROR] = LEVEL_HIGH,
	[SEVERITY_CRITICAL] = LEVEL_CRITICAL,
};

const char *action_word(enum action a)
{
	return action_words[a];
}

const char *severity_word(enum severity s)
{
	return severity_names[s];
}

const char *level_word(enum level l)
{
	return level_words[l];
}

const char *event_status_word(enum event_status s)
{
	return event_status_words[s];
}

/* Index of `s` among `n` words, or -1. */
static int find_word(struct str s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieqs(s, words[i]))
			return i;
	return -1;
}

bool level_parse(struct str s, enum level *out)
{
	int i = find_word(s, level_words, ARRAY_SIZE(level_words));

	if (i >= 0)
		*out = i;
	return i >= 0;
}

bool event_status_parse(struct str s, enum event_status *out)
{
	int i = find_word(s, event_status_words, ARRAY_SIZE(event_status_words));

	if (i >= 0)
		*out = i;
	return i >= 0;
}

enum level level_of(enum severity s, struct str native)
{
	if (s == SEVERITY_INFO && (str_ieqs(native, "low") || str_ieqs(native, "p4")))
		return LEVEL_LOW;
	return levels[s];
}
