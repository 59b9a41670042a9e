/* channel_int.h - what the kinds of channels share. */
#ifndef CHANNEL_INT_H
#define CHANNEL_INT_H

#include "grapnel/channel.h"

#define PART(p) (1u << PART_##p)

/* "https://hooks.example.org/monitor" */
struct str channel_link(struct arena *a, const struct channel_call *c, const struct message *m);
/* "Acknowledge: https://..." in a line each. */
void channel_links_add(struct strbuf *b, const struct message *m);
void channel_header(struct channel_request *rq, const char *name, struct str value);
void channel_json(struct channel_request *rq, struct str url, struct str body);

/* 2xx taken; 408, 425, 5xx again; 429, 502, 504 later; 410 gone; others refused: what holds where a receiver's documents say nothing else. */
enum reception channel_judge_http(unsigned status, struct str body);

/* Of an http or https URL, to be reached by name or address; the guard looks at where it leads. */
bool channel_check_url(struct str url, struct err *e) MUST_USE;

extern const struct channel_kind channel_email, channel_pagerduty, channel_slack, channel_webhook;

#endif
