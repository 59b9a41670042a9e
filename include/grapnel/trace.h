/* trace.h - what belongs together across programs: the W3C trace context that comes with a request and goes on with all it causes, and
 * spans, which say what we did in it.
 *
 * Spans are for an OpenTelemetry collector, and only while one is configured: without, `struct spans` is NULL everywhere and nothing here is called.
 * Whoever has done something writes its spans, which never waits, and the dispatcher reads and sends them (outbound.h). Between the two stands
 * a named pipe of bounded size. A pipe because the kernel keeps what is written to it whole (pipe(7): up to PIPE_BUF at once), whoever
 * is killed and whenever; what finds no room is dropped and counted.
 *
 * Ids of spans follow from the number of their request, so that whoever sends something days later knows the span that caused it without
 * any having been stored. */
#ifndef GRAPNEL_TRACE_H
#define GRAPNEL_TRACE_H

#include "grapnel/base.h"
#include "grapnel/shm.h"

/* ---- trace.c: the header traceparent, https://www.w3.org/TR/trace-context/ ---- */

#define TRACEPARENT 55		/* bytes of version 00 */
#define TRACE_SAMPLED 1		/* flag: its caller may have recorded it, so we do */
#define TRACE_RANDOM 2		/* flag of level 2: the id is random in its last seven bytes */
#define TRACE_ALL 10000		/* a ratio of samples, as in the configuration: all */

struct trace {
	unsigned char id[16];	/* not all zero */
	uint64_t span;		/* of the caller; not 0 */
	uint8_t flags;		/* those of the two that are set */
};

/* False: not of the form, or of version ff, or an id is all zero. Of a version after 00 what is known of it is read. */
bool trace_parse(struct str text, struct trace *out) MUST_USE;
/* As version 00, terminated. */
void trace_write(const struct trace *t, char out[TRACEPARENT + 1]);
/* A new one, sampled in that share of all cases. */
void trace_begin(struct trace *out, uint32_t ratio);

/* ---- spans.c ---- */

enum span_name { SPAN_RECEIVE, SPAN_PROVE, SPAN_STORE, SPAN_SPOOL, SPAN_ACT, SPAN_SEND, SPAN_NAMES };

/* One for each name and request, but for sends, of which there may be any number. Never 0. */
uint64_t span_id(uint64_t request, enum span_name name);
uint64_t span_id_random(void);

/* What stands in a text member is cut and terminated; empty: nothing is said of it. */
#define SPAN_WORD 24
#define SPAN_PLACE 72
#define SPAN_REASON 32

/* As it is written to the pipe: no pointers, the same for all processes of a version. */
struct span {
	uint32_t form;			/* SPAN_FORM: spans_write sets it */
	uint8_t name;			/* enum span_name */
	uint8_t flags;			/* of the trace */
	bool failed;
	bool remote;			/* its parent is the caller's */
	unsigned char trace[16];
	uint64_t id, parent;		/* parent 0: it has none */
	int64_t began_us, ended_us;	/* since 1970 */
	uint64_t request, event, message;	/* our numbers; 0: none */
	uint32_t requests;		/* of its batch */
	uint32_t events;		/* of its request */
	uint16_t status;		/* of HTTP or SMTP; 0: there was none */
	uint16_t attempt;		/* from 1 on */
	uint16_t port;
	char method[10];
	char source[SPAN_WORD];		/* public id */
	char provider[SPAN_WORD];	/* slug */
	char place[SPAN_PLACE];		/* the path that was asked for, the host that was sent to; never a query, never a key */
	char reason[SPAN_REASON];	/* why it failed or was refused, a word */
};
#define SPAN_FORM (0x53700000u + (uint32_t)sizeof(struct span))
_Static_assert(sizeof(struct span) <= 256, "spans of a request fit one write");

void span_word(char *out, size_t n, struct str word);	/* cut and terminated */
#define SPAN_TEXT(member, word) span_word(member, sizeof(member), word)

/* Of a server's span: only its own failures are errors. */
void span_answered(struct span *s, unsigned status);

struct spans;
/* The path of the pipe goes with that of the state file. For the master: makes it, to be inherited by all its children; it keeps both ends open, so
 * that no writer ever finds it closed. */
struct spans *spans_make(const char *state_file, struct shm *shm, uint32_t ratio, struct err *e) MUST_USE;
/* For other programs of this host: NULL where nobody reads. `shm` may be NULL: then nobody counts. */
struct spans *spans_open(const char *state_file, struct shm *shm, uint32_t ratio);
void spans_free(struct spans *s);	/* NULL is fine */
uint32_t spans_ratio(const struct spans *s);	/* for trace_begin */

/* Never waits. */
void spans_write(struct spans *s, struct span *list, size_t n);
/* What there is, at most `max`. */
size_t spans_read(struct spans *s, struct span *out, size_t max);

#endif
