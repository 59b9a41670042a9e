'use strict';
/* The decision of include/grapnel/incident.h, word for word. */

const TRIGGER = 1, ACKNOWLEDGE = 2, RESOLVE = 3;
const OPEN = 1, ACKNOWLEDGED = 2, RESOLVED = 3;
const SENDER = 1;

function decideTrigger(s, ev, at, newIncident) {
	if (at < s.sender_resolved_at)
		return { act: 'nothing', raised: false };
	s.triggered_at = Math.max(s.triggered_at, at);
	if (!s.status || (s.status === RESOLVED && s.resolved_by === SENDER)) {
		Object.assign(s, { incident_id: newIncident, status: OPEN, level: ev.level, resolved_by: 0 });
		return { act: 'opens', raised: false };
	}
	let act = 'joins';
	if (s.status === RESOLVED) {
		s.status = OPEN;
		s.resolved_by = 0;
		act = 'reopens';
	}
	const raised = ev.level > s.level;
	s.level = Math.max(s.level, ev.level);
	return { act, raised };
}

function decideAcknowledge(s, at) {
	if (s.status !== OPEN || at < s.sender_resolved_at)
		return { act: 'nothing', raised: false };
	s.status = ACKNOWLEDGED;
	return { act: 'acks', raised: false };
}

function decideResolve(s, at) {
	s.sender_resolved_at = Math.max(s.sender_resolved_at, at);
	if (at < s.triggered_at)
		return { act: 'nothing', raised: false };
	let act = 'nothing';
	if (s.status === OPEN || s.status === ACKNOWLEDGED) {
		s.status = RESOLVED;
		act = 'resolves';
	}
	if (s.status === RESOLVED)
		s.resolved_by = SENDER;
	return { act, raised: false };
}

/* Moves the state of the key on; says what happens and whether the severity rose. */
function decide(state, ev, now, newIncident) {
	const at = ev.occurredAt > 0 && ev.occurredAt <= now ? ev.occurredAt : now;
	switch (ev.action) {
	case TRIGGER:
		return decideTrigger(state, ev, at, newIncident);
	case ACKNOWLEDGE:
		return decideAcknowledge(state, at);
	case RESOLVE:
		return decideResolve(state, at);
	default:
		return { act: 'nothing', raised: false };
	}
}

module.exports = { decide, TRIGGER, ACKNOWLEDGE, RESOLVE, OPEN, RESOLVED };
