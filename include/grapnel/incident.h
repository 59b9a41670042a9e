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
	bool reached, reached_ever;	/* somebody, in this round; in any */
	bool paused;
	ms_t since, next_at;		/* it waits since then, until then */
};

enum escalation_end {			/* the database has these numbers */
	ESCALATION_GOES_ON = 0,
	ESCALATION_ACKNOWLEDGED = 1,
	ESCALATION_RESOLVED = 2,
	ESCALATION_AT_END = 3,		/* all steps were taken, and nobody took care */
	ESCALATION_UNREACHABLE = 4,	/* the same, and none of them reached anybody */
	ESCALATION_DELETED = 5,		/* its policy was */
};
const char *escalation_end_word(enum escalation_end end);	/* NULL: it goes on */

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
/* The step that would be taken next, and in which round; false: there is none, at next_at it is at its end. */
bool escalation_next(const struct escalation_plan *p, const struct escalation *x, uint64_t *step, uint64_t *round);
/* What it was paused for is over: what was due meanwhile is due now. */
void escalation_wake(struct escalation *x, ms_t now);

/* ---- hush.c: maintenance windows and silences, which hold back the telling ----
 *
 * An event that comes meanwhile is kept, and makes its incident; only nobody is told until the hush is over. A window applies once or again and again, a
 * silence once. Times of what recurs are times on the wall: 02:00 is 02:00 whatever the clocks do, 02:30 of a night that leaves it out is what they then
 * call 03:30, and of two the first. How long it lasts is counted in real minutes. */

#define HUSH_MINUTES_MAX (7 * 1440)	/* of one that recurs weekly or monthly; a daily one lasts a day at most */
#define HUSH_SILENCE_MS (30 * MS_PER_DAY)	/* longer ones are windows */
#define HUSH_KEY_MAX 255		/* bytes of a pattern: those of a dedup key */
#define HUSH_LAST_WEEK 5

enum hush_kind { HUSH_WINDOW = 1, HUSH_SILENCE = 2 };
enum hush_repeat { HUSH_ONCE = 0, HUSH_DAILY = 1, HUSH_WEEKLY = 2, HUSH_MONTHLY = 3 };

struct hush_times {
	uint64_t repeat;		/* enum hush_repeat */
	ms_t from, to;			/* once: it lasts from `from` until `to`. Else none begins before `from`, nor at or after `to`; 0: no such bound */
	uint64_t at_min, minutes;	/* it begins so many minutes after local midnight, and lasts so long */
	uint64_t weekdays;		/* weekly: on these; bits, 1 Monday to 64 Sunday. Monthly: the one of month_week */
	uint64_t month_week;		/* 1 to 4, HUSH_LAST_WEEK; 0: by month_day */
	uint64_t month_day;		/* 1 to 31; of a month that is shorter its last day */
	ms_t ended_at;			/* what ran then was ended by somebody; 0: nobody has */
	const struct zone *zone;	/* not of one that applies once */
};

/* All parts that are given must fit. Without any it is everything of the tenant. */
struct hush_scope {
	uint64_t service_id, source_id;	/* 0: any */
	struct str dedup_key;		/* each '*' stands for any bytes, also none; empty: any */
	struct str provider;		/* slug; empty: any */
	uint64_t level_max;		/* 1 + the highest level that is held back; 0: any */
};

struct hush {
	uint64_t id, tenant_id, kind;	/* kind: enum hush_kind */
	struct str public_id, name, reason, zone_name;
	struct hush_times times;
	struct hush_scope scope;
	uint64_t user_id;		/* who made it */
	ms_t created_at, updated_at, held_at;	/* held_at: newest moment at which it held something back */
	/* For who reads one or a list: how people know what it points to, and how much it holds. */
	struct str service_public_id, service_name, source_public_id, source_name, user_name;
	uint64_t held;
};

struct hush_span {
	ms_t from, to;			/* `to` is not part of it */
};
/* The span of it that holds `at` (of several the one that ends last), else the first one after; false: nothing of it is left. */
bool hush_span(const struct hush_times *t, ms_t at, struct hush_span *out);
bool hush_runs(const struct hush_times *t, ms_t at, ms_t *until);
/* From then on nothing of it is left; INT64_MAX: it has no end. */
ms_t hush_over_at(const struct hush_times *t);

struct hush_subject {			/* an incident, as far as it matters here */
	uint64_t service_id, source_id;
	struct str dedup_key, provider;
	enum level level;
};
bool hush_scope_is_empty(const struct hush_scope *s);
bool hush_covers(const struct hush_scope *s, const struct hush_subject *x);
/* Which of them holds it back at that moment, and until when: the one that ends last. NULL: none, and *until is kept. */
const struct hush *hush_match(const struct hush *list, size_t n, const struct hush_subject *x, ms_t at, ms_t *until);

/* "weekly on Monday, Friday at 02:00 for 90 minutes, Europe/Berlin"; once: STR_NONE. */
struct str hush_times_text(struct arena *a, const struct hush_times *t, struct str zone_name);

#endif
