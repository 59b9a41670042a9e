/* traffic.h - what the pages of requests and events share: their filters (of incidents too), what was done with a request, its headers, its body. */
#ifndef GRAPNEL_DASH_TRAFFIC_H
#define GRAPNEL_DASH_TRAFFIC_H

#include "choice.h"

/* ---- filters ---- */

/* What stands in the fields of a filter: as it was typed, so that a wrong one comes back. */
struct traffic_filter {
	struct choice *providers;
	size_t providers_n;
	struct choice *sources;		/* none: the id is typed */
	size_t sources_n;
	struct str source, status, type, q, from, to;
	bool more_open;			/* what is folded away filters */
	bool filtered;			/* a field does */
	/* filled by the page: */
	bool of_events;			/* else of requests */
	struct str clear_url;
	struct str error_field;		/* the one to blame */
};
/* As a browser's field takes it: UTC, without seconds where there are none. 0 = none or not readable: as it was typed. */
struct str traffic_time(struct visit *v, const char *name, ms_t t);
/* `from` and `to` are the times that were read, as above. False: answered. */
bool traffic_filter_fill(struct visit *v, struct traffic_filter *f, ms_t from, ms_t to);
/* As page_blame; the sentence stands below all fields and may be of one that the page has not, so it keeps the name. */
bool traffic_blame(struct visit *v, struct page *p, const struct err *e) MUST_USE;
struct str traffic_typed(struct visit *v, const char *name);
bool traffic_any(struct visit *v, const char *const *names);	/* is one of them typed? They end with NULL. */
/* The words of a parameter. */
void traffic_choices(struct visit *v, const char *name, const struct choice_word *words, struct choice **out, size_t *n);

struct traffic_chip {
	struct str href, label;
	uint64_t count;
	bool chosen;
};

/* An empty list: why, and what to do about it. */
struct traffic_empty {
	const char *what;		/* "requests" */
	bool filtered, more;		/* more: older rows were not looked at yet */
	uint64_t looked_at;
	struct str clear_url, older_url;
	struct str command;		/* sends a first webhook; empty where there is no integration to send it to */
};
bool traffic_empty_fill(struct visit *v, struct traffic_empty *out, const char *what, uint64_t looked_at, const struct list_nav *nav,
	struct err *e) MUST_USE;

/* ---- one request ---- */

struct lifecycle {
	struct step_view *steps;
	size_t steps_n;
};

struct header_line {
	struct str name, value;
};
struct header_table {
	struct header_line *lines;
	size_t lines_n;
};
/* Of "name: value" lines. */
void traffic_headers(struct visit *v, struct str lines, struct header_table *out);

struct payload {
	struct str base;		/* path of the page: tabs lead to base?view=... */
	struct str view;		/* pretty, raw or hex */
	struct str text;
	struct str note;		/* why it is not all */
	bool is_json;
	uint64_t bytes;
};
/* What `?view=` asks for; false: answered. */
bool payload_fill(struct visit *v, struct payload *out, struct str body);
/* The body as a file. */
void payload_send(struct visit *v, const struct request_view *request);

#endif
