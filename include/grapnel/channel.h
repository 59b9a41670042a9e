/* channel.h - how people and other programs are told of things: from a notice to a message, and from that to the request that carries it.
 *
 * Pure. A notice is what stands in the outbox, written in the transaction of its cause: its type, its time and the thing itself as JSON, as programs
 * get it. A message is what people are told of it. A kind of channel is a const struct at the foot of its file: what it wants to know, which of that
 * is secret, how a message becomes a request, and what an answer means. Whoever sends (src/outbound) knows no kind by name. */
#ifndef GRAPNEL_CHANNEL_H
#define GRAPNEL_CHANNEL_H

#include "grapnel/base.h"
#include "grapnel/event.h"
#include "grapnel/json.h"

/* ---- message.c: what is told. To add a type: a function and a row there ---- */

enum message_phase {
	MESSAGE_BEGINS,	/* a trouble, which will end with another message of its thread */
	MESSAGE_ENDS,
};

#define MESSAGE_FACTS_MAX 10	/* Slack shows no more fields in a block */

struct message_fact {
	struct str name, value;	/* "Threshold", "10" */
};

/* Texts are UTF-8, as long as they happen to be: each kind cuts where its receiver would refuse. */
struct message {
	struct str type;	/* "monitor.alert_started" */
	struct str thread;	/* what belongs together has the same, [a-z0-9-]: "monitor-71632" */
	enum message_phase phase;
	enum level level;
	struct str title;	/* one line */
	struct str text;	/* sentences; may be empty */
	struct message_fact facts[MESSAGE_FACTS_MAX];
	size_t fact_n;
	struct str path;	/* of the dashboard's page about it: "/monitor" */
	ms_t at;		/* when it came to pass */
	struct str data;	/* the JSON object, for programs */
};

/* Of a row's payload. The texts are in the arena. */
bool message_of(struct arena *a, struct str payload, struct message *out, struct err *e) MUST_USE;

#endif
