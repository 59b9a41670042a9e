/* The decision, and nothing else: what one event, or one command of a person, makes of the state of
 * its key.
 *
 * Messages arrive late, twice and in any order, so the rules compare times instead of trusting the
 * order of arrival. Two times are enough. The newest trigger that was applied keeps an old resolve
 * from closing newer trouble; the sender's newest resolve keeps an old trigger from opening what is
 * over. Both comparisons let equal times pass, since senders with whole seconds give one time to a
 * trigger and its resolve, and the order of arrival is then all there is. Whatever the order of
 * arrival, a key is open in the end exactly if its newest message is a trigger.
 *
 * A person's resolve is no time at all: it says "I think it is over", not when it was. The sender's
 * next trigger, though it carries the time at which the trouble began (Alertmanager's reminders
 * do), contradicts it and reopens. */
#include "grapnel/incident.h"

#define CLOCK_SKEW_MS (5 * MS_PER_MINUTE)

/* A time in the future counts as the time of receipt: else a sender whose clock is years ahead
 * would, with one resolve, silence its key for years. */
ms_t incident_event_time(const struct event *ev, ms_t received_at)
{
	if (ev->occurred_at <= 0 || ev->occurred_at > received_at)
		return received_at;
	return ev->occurred_at;
}

/* A state from the future was written while a clock was wrong, and would silence its key until then: a
 * barrier there stops every trigger, a trigger there every resolve. Hosts of one database differ by less. */
static void forget_future(struct key_state *state, ms_t now)
{
	if (state->triggered_at > now + CLOCK_SKEW_MS)
		state->triggered_at = 0;
	if (state->sender_resolved_at > now + CLOCK_SKEW_MS)
		state->sender_resolved_at = 0;
}

static void move_up(ms_t *t, ms_t to)
{
	if (to > *t)
		*t = to;
}

static bool unresolved(const struct key_state *state)
{
	return state->status == INCIDENT_OPEN || state->status == INCIDENT_ACKNOWLEDGED;
}

static void open_new(struct key_state *state, enum level level, uint64_t incident)
{
	state->incident = incident;
	state->status = INCIDENT_OPEN;
	state->level = level;
	state->resolved_by = ACTOR_NONE;
}

static struct incident_change trigger(struct key_state *state, const struct event *ev, ms_t at,
	uint64_t new_incident)
{
	struct incident_change change = { INCIDENT_JOINS, false, true };

	if (at < state->sender_resolved_at)
		return (struct incident_change){ INCIDENT_NOTHING, false, false };
	move_up(&state->triggered_at, at);
	if (state->status == INCIDENT_NONE ||
		(state->status == INCIDENT_RESOLVED && state->resolved_by == ACTOR_SENDER)) {
		open_new(state, ev->level, new_incident);
		change.act = INCIDENT_OPENS;
		return change;
	}
	if (state->status == INCIDENT_RESOLVED) {
		state->status = INCIDENT_OPEN;
		state->resolved_by = ACTOR_NONE;
		change.act = INCIDENT_REOPENS;
	}
	if (ev->level > state->level) {
		state->level = ev->level;
		change.raised = true;
	}
	return change;
}

/* An acknowledgement from before the sender's resolve belongs to trouble that is over. One from
 * before the newest trigger still counts: that trigger may be a mere reminder. */
static struct incident_change acknowledge(struct key_state *state, ms_t at)
{
	struct incident_change change = { INCIDENT_NOTHING, false, false };

	if (state->status == INCIDENT_OPEN && at >= state->sender_resolved_at) {
		state->status = INCIDENT_ACKNOWLEDGED;
		change.act = INCIDENT_ACKS;
	}
	return change;
}

static struct incident_change resolve(struct key_state *state, ms_t at)
{
	struct incident_change change = { INCIDENT_NOTHING, false, false };

	move_up(&state->sender_resolved_at, at);
	if (at < state->triggered_at)
		return change;
	if (unresolved(state)) {
		state->status = INCIDENT_RESOLVED;
		change.act = INCIDENT_RESOLVES;
	}
	/* Also where a person was first: the sender agrees now, so its next trigger is new trouble.
	 */
	if (state->status == INCIDENT_RESOLVED)
		state->resolved_by = ACTOR_SENDER;
	return change;
}

struct incident_change incident_decide(struct key_state *state, const struct event *ev,
	ms_t received_at, ms_t now, uint64_t new_incident)
{
	ms_t at = incident_event_time(ev, received_at);

	forget_future(state, now);
	switch (ev->action) {
	case ACTION_TRIGGER:
		return trigger(state, ev, at, new_incident);
	case ACTION_ACKNOWLEDGE:
		return acknowledge(state, at);
	case ACTION_RESOLVE:
		return resolve(state, at);
	case ACTION_IGNORE:
		break;
	}
	return (struct incident_change){ INCIDENT_NOTHING, false, false };
}

struct incident_change incident_decide_merged(struct key_state *own, struct key_state *target, const struct event *ev, ms_t received_at,
	ms_t now)
{
	struct incident_change change = { INCIDENT_JOINS, false, true };
	ms_t at = incident_event_time(ev, received_at);

	if (ev->action != ACTION_TRIGGER)
		return incident_decide(own, ev, received_at, now, 0);
	forget_future(own, now);
	if (at < own->sender_resolved_at)
		return (struct incident_change){ INCIDENT_NOTHING, false, false };
	move_up(&own->triggered_at, at);
	if (ev->level > target->level) {
		target->level = ev->level;
		change.raised = true;
	}
	return change;
}

bool incident_command(struct key_state *state, enum incident_command c, enum actor actor)
{
	switch (c) {
	case COMMAND_ACKNOWLEDGE:
		if (state->status != INCIDENT_OPEN)
			return false;
		state->status = INCIDENT_ACKNOWLEDGED;
		return true;
	case COMMAND_RESOLVE:
		if (!unresolved(state))
			return false;
		state->status = INCIDENT_RESOLVED;
		state->resolved_by = actor;
		return true;
	case COMMAND_REOPEN:
		if (state->status != INCIDENT_RESOLVED)
			return false;
		state->status = INCIDENT_OPEN;
		state->resolved_by = ACTOR_NONE;
		return true;
	}
	return false;
}

static ms_t order_time(const struct event *ev, ms_t received_at)
{
	return ev->occurred_at > 0 ? ev->occurred_at : received_at;
}

int incident_order(const struct event *a, ms_t a_received_at, const struct event *b, ms_t b_received_at)
{
	ms_t at_a = order_time(a, a_received_at), at_b = order_time(b, b_received_at);

	return (at_a > at_b) - (at_a < at_b);
}
