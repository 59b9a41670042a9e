/* ctl_filter.c - see ctl_filter.h. */
#include "ctl_filter.h"

const struct ctl_field ctl_filter_fields[] = {
	{ "status", "status" }, { "processed", "processed" }, { "severity", "severity" }, { "provider", "provider" }, { "source", "source" },
	{ "service", "service" }, { "type", "type" }, { "text", "q" }, { "from", "from" }, { "to", "to" }, { NULL, NULL },
};
