/* ctl_filter.h - the filters of GET /api/events as options, for the commands that go through events. */
#ifndef CTL_FILTER_H
#define CTL_FILTER_H

#include "ctl_int.h"

#define CTL_FILTER_OPTIONS \
	{ "status", "STATUS", "pending, processing, processed, failed, dead or ignored; several with commas between" }, \
	{ "processed", "true|false", "nothing is left to do of them, or something" }, \
	{ "severity", "SEVERITY", "critical, error, warning or info; several with commas between" }, \
	{ "provider", "TYPE", "only of this provider" }, \
	{ "source", "ID", "only of this integration or registration" }, \
	{ "service", "ID", "only of this service's integrations; its name will do" }, \
	{ "type", "TYPE", "only of this event type" }, \
	{ "text", "TEXT", "an event id, whole; else part of summary or type, or a whole dedup key" }

extern const struct ctl_field ctl_filter_fields[];	/* these, and --from and --to */

#endif
