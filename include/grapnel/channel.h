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

/* Of a trouble; all messages of one are of one thread. */
enum message_phase {
	MESSAGE_BEGINS,		/* the first of its thread */
	MESSAGE_GOES_ON,	/* it is worse, or here again */
	MESSAGE_TAKEN,		/* somebody takes care of it */
	MESSAGE_ENDS,
};

#define MESSAGE_FACTS_MAX 10	/* Slack shows no more fields in a block */

struct message_fact {
	struct str name, value;	/* "Threshold", "10" */
};

#define MESSAGE_LINKS_MAX 2	/* acknowledge, resolve */

/* What its reader can have done with a tap, without a sign-in. */
struct message_link {
	const char *label;	/* "Acknowledge" */
	struct str url;
};

/* Texts are UTF-8, as long as they happen to be: each kind cuts where its receiver would refuse. */
struct message {
	struct str type;	/* "monitor.alert_started" */
	struct str thread;	/* what belongs together has the same, [a-z0-9-]: "monitor-71632" */
	enum message_phase phase;
	bool again;		/* it begins, but its thread may have begun before */
	enum level level;
	struct str lead;	/* what has come to pass, in front of the title: "Resolved"; empty: it begins */
	struct str title;	/* as its sender has it */
	struct str text;	/* sentences; may be empty */
	struct message_fact facts[MESSAGE_FACTS_MAX];
	size_t fact_n;
	struct str path;	/* of the dashboard's page about it: "/monitor" */
	struct str subject;	/* the same for programs, where that is another path; empty: it is not */
	struct message_link links[MESSAGE_LINKS_MAX];	/* whoever sends adds them, where the kind has has_links */
	size_t link_n;
	ms_t at;		/* when it came to pass */
	struct str data;	/* the JSON object, for programs */
};

/* Of a row's payload. The texts are in the arena. */
bool message_of(struct arena *a, struct str payload, struct message *out, struct err *e) MUST_USE;
struct str message_headline(struct arena *a, const struct message *m);	/* "Resolved: TITLE", one line */

/* ---- kinds ---- */

bool sms_number_is(struct str s);	/* E.164: "+4930123456" */
bool mail_address_is(struct str s);	/* without quotes and comments: one that people have */

/* What a channel may have to know; each is a member of the form. */
enum channel_part {
	PART_URL,		/* where to; of e-mail the SMTP server */
	PART_TO,		/* mail addresses or telephone numbers, joined by ',' */
	PART_FROM,
	PART_ACCOUNT,
	PART_USER,
	PART_PASSWORD,
	PART_TOKEN,
	PART_ROUTING_KEY,
	PART_KEY,		/* one, or two with a blank between */
	PART_SECRET,		/* that signs */
	PART_FORMAT,		/* one of the kind's words */
	PART_COUNT
};
extern const char *const channel_part_names[PART_COUNT];	/* "routingKey" */

struct channel_settings {
	struct str part[PART_COUNT];	/* empty: not given */
};
/* Without the secret one: what stands in the column `settings`. */
struct str channel_settings_write(struct arena *a, const struct channel_settings *s, enum channel_part secret);
void channel_settings_read(struct arena *a, struct str json, struct channel_settings *out);

#define RECIPIENTS_MAX 20

/* What all channels of an installation share. */
struct channel_house {
	struct str public_url;		/* without '/' at its end */
	struct str mail_server;		/* "smtp://localhost:25" */
	struct str mail_from, mail_user, mail_password;
	struct str sms_url;		/* "https://api.twilio.com" */
	struct str sms_account, sms_user, sms_token, sms_from;
};

struct channel_call {
	const struct channel_house *house;
	struct channel_settings settings;	/* the secret one among them */
	struct str id;			/* of the message: the same at each attempt; [A-Za-z0-9_-] */
	struct str name;		/* of the channel */
	struct str recipient;		/* of a kind with `each`: the one that this is for; empty: the first, of mail all */
	bool person;			/* it is that of a user, whose contact this is */
	ms_t now;			/* of the attempt */
	unsigned attempt;		/* from 1 on */
};

#define CHANNEL_HEADERS 10
struct channel_request {
	struct str url;			/* http, https, smtp or smtps */
	bool trusted;			/* the administrator chose that address, not a user: no guard */
	struct header headers[CHANNEL_HEADERS];
	size_t header_n;
	struct str body;
	/* of e-mail */
	struct str from, to[RECIPIENTS_MAX], user, password;
	size_t to_n;			/* 0: it is none */
	bool plain;			/* no TLS: the server is this machine */
};

/* What an answer means. */
enum reception {
	RECEPTION_TAKEN,
	RECEPTION_AGAIN,		/* try again */
	RECEPTION_LATER,		/* but not before a minute: it is overloaded, or makes strangers wait */
	RECEPTION_REFUSED,	/* this message never */
	RECEPTION_GONE,		/* nor any other: the channel is to be switched off */
};

struct channel_kind {
	const char *slug, *title;	/* "pagerduty", "PagerDuty" */
	const char *help;		/* a sentence: what it needs */
	unsigned takes, needs;		/* 1 << enum channel_part */
	enum channel_part secret;	/* that part is sealed */
	/* Label and explanation of the parts that it takes. */
	struct channel_part_text {
		const char *label, *help, *example;
	} texts[PART_COUNT];
	const struct channel_format {
		const char *word, *title;
	} *formats;			/* what PART_FORMAT may be, the usual one first; ends with NULL */
	bool pairs;			/* what has begun must be ended, else it stays open there: a test too */
	bool mail;			/* its URL is that of a mail server */
	bool has_links;			/* people read it as text, with nothing to press but links: those of the message stand in it */
	bool makes_secret;		/* a secret that nobody gave is made, and shown once */
	bool sink;			/* may be told of every event that is processed */
	bool people;			/* who read it: a storm is bundled (store.h, channel_tell.c) */
	bool each;			/* each of PART_TO gets a message of its own */
	unsigned test_attempts;		/* of the test button's message; 0: one */
	bool once;			/* its receiver knows no repeats: what may have arrived is not sent again */
	/* Is each part what it should be? The URL is looked at by the guard beside it. ERR_INVALID names the field, with a sentence. */
	bool (*check)(const struct channel_settings *s, const struct channel_house *h, struct err *e);
	void (*request)(struct arena *a, const struct channel_call *c, const struct message *m, struct channel_request *out);
	/* Of an answer with that status (of SMTP for e-mail) and body; of the call it looks at settings and attempt. */
	enum reception (*judge)(struct arena *a, const struct channel_call *c, unsigned status, struct str body);
};
/* Kinds by which people are paged, and which part a contact's address is. */
enum channel_part contact_part(struct str kind);	/* PART_COUNT: it is none of them */
extern const struct channel_kind *const channel_kinds[];	/* as people choose; ends with NULL */
const struct channel_kind *channel_kind_find(struct str slug);	/* NULL: there is none */

#endif
