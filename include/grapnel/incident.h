/* incident.h - what one event does to the trouble already open for its key.
 *
 * Pure: the caller brings the time and stores the result. A key is (service, dedup key); its state holds all that the
 * rules of the product need, so that deciding reads nothing else:
 * - at most one unresolved incident per key;
 * - trigger opens, or joins the open one and raises its severity, never lowers it;
 * - the sender's own resolve is the only barrier in time: a trigger that occurred before it changes nothing; a resolve
 *   that occurred before the newest trigger changes nothing either;
 * - after a resolve by a person or by the system the sender's next trigger reopens that incident;
 * - acknowledge and resolve on nothing are recorded and make no incident.
 *
 * A person may *merge* an incident into another one, perhaps of another key. It is resolved by that, and what still fires for its key joins the other one for
 * as long as that is unresolved: incident_decide_merged. The key keeps its own times and its own incident meanwhile. So the sender's resolve ends what the key
 * itself has to say and leaves the other incident open, which has a sender of its own, or a person; and once that one is over, the merge is over too: by the rules
 * above the next trigger reopens the merged incident, or opens a new one where its sender had resolved it. */
#ifndef GRAPNEL_INCIDENT_H
#define GRAPNEL_INCIDENT_H

#include "grapnel/event.h"

enum incident_status { INCIDENT_NONE = 0, INCIDENT_OPEN = 1, INCIDENT_ACKNOWLEDGED = 2, INCIDENT_RESOLVED = 3 };

/* Who did something; `system` differs from people everywhere. */
enum actor { ACTOR_NONE = 0, ACTOR_SENDER = 1, ACTOR_SYSTEM = 2, ACTOR_PERSON = 3 };

struct key_state {
	uint64_t incident;		/* the newest incident of this key; 0 = none yet */
	enum incident_status status;	/* its status */
	enum level level;		/* its severity */
	enum actor resolved_by;		/* who ended it last; the sender too when it confirmed a person's resolve later */
	ms_t triggered_at;		/* newest time of a trigger that was applied; 0 = none */
	ms_t sender_resolved_at;	/* newest time of a resolve by the sender; 0 = none */
};

#define TEST_RESOLVE_MINUTES 5	/* then the system resolves an incident of "Send test"; cron sees it within one more */

enum incident_act {
	INCIDENT_NOTHING,	/* recorded only */
	INCIDENT_OPENS,		/* a new incident */
	INCIDENT_JOINS,		/* the alert joins the unresolved one */
	INCIDENT_REOPENS,	/* the last one is open again, by the system */
	INCIDENT_ACKS,
	INCIDENT_RESOLVES,
};

struct incident_change {
	enum incident_act act;
	bool raised;			/* severity went up to state->level */
	bool alert;			/* the event becomes an alert of state->incident (opens, joins, reopens) */
};

/* The time by which an event is judged: its own, or that of its receipt where it has none or one in the future. */
ms_t incident_event_time(const struct event *ev, ms_t received_at);

/* Decides, and moves *state on, so that events of one key in one batch are folded by calling it in order. `new_incident` is the id
 * that a new incident would get. The event's time is occurred_at, or received_at where the sender gave none or one in the future;
 * `now` is later than its receipt where it comes from the spool.
 * The state must be kept even while it has no incident: a resolve that comes before its trigger is a barrier already. */
struct incident_change incident_decide(struct key_state *state, const struct event *ev, ms_t received_at, ms_t now,
	uint64_t new_incident);

/* The same for a key whose incident, *own, was merged into that of *target, which is unresolved. A trigger joins that and may raise its severity; no
 * barrier but that of its own key holds it back. Everything else is about *own alone, and does nothing to what is over already. */
struct incident_change incident_decide_merged(struct key_state *own, struct key_state *target, const struct event *ev, ms_t received_at, ms_t now);

/* What a person (or system) may do; false when the status does not allow it (conflict), and *state is kept. Acknowledging twice is
 * a conflict too. */
enum incident_command { COMMAND_ACKNOWLEDGE, COMMAND_RESOLVE, COMMAND_REOPEN };
bool incident_command(struct key_state *state, enum incident_command c, enum actor actor) MUST_USE;

/* Order in which events of one key are applied: by time, that of its receipt where an event has none of its own; equal ones as they
 * came (the caller's sort is stable). A total order, so any sort may use it. */
int incident_order(const struct event *a, ms_t a_received_at, const struct event *b, ms_t b_received_at);

const char *incident_status_word(enum incident_status s);	/* "OPEN"; NONE gives "" */
bool incident_status_parse(struct str s, enum incident_status *out) MUST_USE;

/* ---- quiet.c: hours in which a person is left alone ---- */

struct quiet_hours {
	bool on;
	uint64_t from_min, to_min;	/* minutes after midnight on the clocks of the zone; to_min is not part of them, and of the next day where it is
					 * not after from_min */
	const struct zone *zone;
};
/* When they end, at that moment; 0: there are none now. */
ms_t quiet_until(const struct quiet_hours *q, ms_t now);

/* ---- escalation.c: who is paged when, while nobody takes care ----
 *
 * A policy is taken step by step: the first at once, each further one when the delay of the step before has passed; after the last, as often as it
 * says, all once more. A step that reached nobody is followed by the next at once; between two rounds its delay passes all the same, so that nothing
 * runs in a ring. */

#define ESCALATION_STEPS_MAX 20
#define ESCALATION_TARGETS_MAX 10	/* of a step */
#define ESCALATION_REPEATS_MAX 10
#define ESCALATION_DELAY_MAX 1440	/* minutes: a day */
#define ESCALATION_CLOCKS_MS MS_PER_MINUTE	/* clocks of two hosts differ so much, without one of them being wrong */
#define ESCALATION_LOOK_MS MS_PER_MINUTE	/* while somebody holds the incident back it is looked at so often */

struct escalation_plan {		/* a policy, as far as time is concerned */
	ms_t delay_ms[ESCALATION_STEPS_MAX];	/* after that step */
	size_t n;
	uint64_t repeats;
};

struct escalation {			/* where an incident is in it */
	uint64_t step, round;		/* to be taken next, from 0; behind the last round it is at its end */
	bool reached;			/* somebody, in this round */
	bool paused;
	ms_t since, next_at;		/* it waits since then, until then */
};

enum escalation_act {
	ESCALATION_WAITS,		/* until next_at */
	ESCALATION_STEPS,		/* x->step is to be taken now; then say so with escalation_took */
	ESCALATION_STOPS,		/* somebody takes care, or it is over */
	ESCALATION_ENDS,		/* all steps were taken, and nobody took care */
};

void escalation_begin(struct escalation *x, ms_t now);
/* What is to be done now, in an incident of that status, held back or snoozed until then (0: it is not). May move next_at. */
enum escalation_act escalation_look(const struct escalation_plan *p, struct escalation *x, enum incident_status status, bool held, ms_t snoozed_until,
	ms_t now);
/* The step was taken, and reached somebody or not. True: this was the last step of a round in which nobody was reached. */
bool escalation_took(const struct escalation_plan *p, struct escalation *x, bool reached, ms_t now);
/* What it was paused for is over: what was due meanwhile is due now. */
void escalation_wake(struct escalation *x, ms_t now);

#endif
