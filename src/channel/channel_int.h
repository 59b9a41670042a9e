/* channel_int.h - what the kinds of channels share. */
#ifndef CHANNEL_INT_H
#define CHANNEL_INT_H

#include "grapnel/channel.h"

#define PART(p) (1u << PART_##p)

/* "https://hooks.example.org/monitor" */
struct str channel_link(struct arena *a, const struct channel_call *c, const struct message *m);
/* "Acknowledge: https://..." in a line each. */
void channel_links_add(struct strbuf *b, const struct message *m);
/* "name":"value" */
void channel_member(struct json_out *o, const char *name, struct str value);
void channel_header(struct channel_request *rq, const char *name, struct str value);
void channel_json(struct channel_request *rq, struct str url, struct str body);

/* 2xx taken; 408, 425, 5xx again; 429, 502, 504 later; 410 gone; others refused: what holds where a receiver's documents say nothing else. */
enum reception channel_judge_http(struct arena *a, const struct channel_call *c, unsigned status, struct str body);

/* Of an http or https URL, to be reached by name or address; the guard looks at where it leads. */
bool channel_check_url(struct str url, struct err *e) MUST_USE;

/* A token or key that goes into a header: printable ASCII without blanks. */
bool channel_check_word(struct str word, enum channel_part part, struct err *e) MUST_USE;
/* The part format: empty, or one of the kind's. */
bool channel_check_format(const struct channel_kind *kind, const struct channel_settings *s, struct err *e) MUST_USE;
/* "Bearer x", or "Basic " and user:password. */
void channel_bearer(struct arena *a, struct channel_request *rq, struct str token);
void channel_basic(struct arena *a, struct channel_request *rq, struct str user, struct str password);

/* ---- cloudevents.c ---- */

/* An event of CloudEvents 1.0 in JSON. */
struct str cloudevents_json(struct arena *a, const struct channel_call *c, const struct message *m);
#define CLOUDEVENTS_TYPE "application/cloudevents+json; charset=utf-8"
/* What it is about, as programs know it: a path. */
struct str channel_subject(const struct message *m);

extern const struct channel_kind channel_cloudevents, channel_email, channel_event_grid, channel_pagerduty, channel_push, channel_slack, channel_sms,
	channel_webhook;

#endif
