/* escalation.c - the time of an escalation policy, from the first page to the last: pure.
 *
 * A row says since when it waits and until when. A moment of the past that lies in the future means that a clock was set back: then nobody
 * knows how long it has waited, and it is due, since a page too early is better than none. */
#include "grapnel/incident.h"

const char *escalation_end_word(enum escalation_end end)
{
	static const char *const words[] = {
		[ESCALATION_ACKNOWLEDGED] = "acknowledged", [ESCALATION_RESOLVED] = "resolved", [ESCALATION_AT_END] = "at_end",
		[ESCALATION_UNREACHABLE] = "unreachable", [ESCALATION_DELETED] = "policy_deleted",
	};

	return end < ARRAY_SIZE(words) ? words[end] : NULL;
}

static void wait_for(struct escalation *x, ms_t ms, ms_t now)
{
	x->since = now;
	x->next_at = now + ms;
}

void escalation_begin(struct escalation *x, ms_t now)
{
	*x = (struct escalation){ .since = now, .next_at = now };
}

/* Of a policy that has fewer steps by now the next round is next. */
static bool at_end(const struct escalation_plan *p, struct escalation *x)
{
	if (x->step >= p->n) {
		x->step = 0;
		x->round++;
		x->reached = false;
	}
	return !p->n || x->round > p->repeats;
}

enum escalation_act escalation_look(const struct escalation_plan *p, struct escalation *x, enum incident_status status, bool held, ms_t snoozed_until,
	ms_t now)
{
	if (status != INCIDENT_OPEN)
		return ESCALATION_STOPS;
	if (x->since > now + ESCALATION_CLOCKS_MS)
		wait_for(x, 0, now);
	if (x->next_at > now)
		return ESCALATION_WAITS;
	x->paused = held || snoozed_until > now;
	if (x->paused) {
		wait_for(x, held ? ESCALATION_LOOK_MS : snoozed_until - now, now);
		return ESCALATION_WAITS;
	}
	return at_end(p, x) ? ESCALATION_ENDS : ESCALATION_STEPS;
}

bool escalation_took(const struct escalation_plan *p, struct escalation *x, bool reached, ms_t now)
{
	bool round_over = x->step + 1 >= p->n, nobody;

	x->reached |= reached;
	x->reached_ever |= reached;
	nobody = round_over && !x->reached;
	wait_for(x, reached || (round_over && x->round < p->repeats) ? p->delay_ms[x->step] : 0, now);
	x->step++;
	if (round_over) {
		x->step = 0;
		x->round++;
		x->reached = false;
	}
	return nobody;
}

bool escalation_next(const struct escalation_plan *p, const struct escalation *x, uint64_t *step, uint64_t *round)
{
	struct escalation next = *x;

	if (at_end(p, &next))
		return false;
	*step = next.step;
	*round = next.round;
	return true;
}

void escalation_wake(struct escalation *x, ms_t now)
{
	if (x->paused)
		wait_for(x, 0, now);
	x->paused = false;
}
