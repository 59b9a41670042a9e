/* channel.h - how people and other programs are told of things: from a message to the request that carries it.
 *
 * Pure. A message is the same for every channel: it is written once, as JSON, into rows of the outbox, in the transaction of its cause. A kind of
 * channel is a const struct at the foot of its file: what it wants to know, which of that is secret, how a message becomes a request, and what
 * an answer means. Whoever sends (src/outbound) knows no kind by name. */
#ifndef GRAPNEL_CHANNEL_H
#define GRAPNEL_CHANNEL_H

#include "grapnel/base.h"
#include "grapnel/event.h"
#include "grapnel/json.h"

/* ---- message.c: what is told ---- */

enum message_phase {
	MESSAGE_NOTE,	/* stands for itself */
	MESSAGE_BEGINS,	/* a trouble, which will end with another message of its thread */
	MESSAGE_ENDS,
};

#define MESSAGE_FACTS_MAX 10	/* Slack shows no more fields in a block */
#define MESSAGE_BYTES_MAX (256 * 1024)	/* as JSON */

struct message_fact {
	struct str name, value;	/* "Threshold", "10" */
};

/* Texts are UTF-8, as long as they happen to be: each kind cuts where its receiver would refuse. */
struct message {
	struct str type;	/* "monitor.alert_started": words of [a-z0-9_] with '.' between, for programs */
	struct str thread;	/* what belongs together has the same, [a-z0-9-]: "monitor-71632"; never empty */
	enum message_phase phase;
	enum level level;
	struct str title;	/* one line */
	struct str text;	/* sentences; may be empty */
	struct message_fact facts[MESSAGE_FACTS_MAX];
	size_t fact_n;
	struct str path;	/* of the dashboard's page about it: "/monitor"; may be empty */
	ms_t at;		/* when it came to pass */
	struct str data;	/* a JSON object: the same for programs; empty: none */
};

void message_add_fact(struct message *m, const char *name, struct str value);	/* passed over when there are too many, or empty */
struct str message_write(struct arena *a, const struct message *m);		/* JSON */
/* Of message_write. The texts are in the arena or in `json`. */
bool message_read(struct arena *a, struct str json, struct message *out, struct err *e) MUST_USE;

#endif
