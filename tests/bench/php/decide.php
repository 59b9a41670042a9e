<?php
/* The decision of include/grapnel/incident.h, word for word. */
declare(strict_types=1);

const TRIGGER = 1, ACKNOWLEDGE = 2, RESOLVE = 3;
const OPEN = 1, ACKNOWLEDGED = 2, RESOLVED = 3;
const SENDER = 1;
const STATUS_WORDS = ['', 'OPEN', 'ACKNOWLEDGED', 'RESOLVED'];
const ANSWER_WORDS = ['opens' => 'triggered', 'reopens' => 'triggered', 'joins' => 'deduplicated', 'acks' => 'acknowledged',
	'resolves' => 'resolved', 'nothing' => 'ignored'];

function decide_trigger(array &$s, array $ev, int $at, int $new_incident): array
{
	if ($at < $s['sender_resolved_at'])
		return ['nothing', false];
	$s['triggered_at'] = max($s['triggered_at'], $at);
	if (!$s['status'] || ($s['status'] === RESOLVED && $s['resolved_by'] === SENDER)) {
		$s = ['incident_id' => $new_incident, 'status' => OPEN, 'level' => $ev['level'], 'resolved_by' => 0] + $s;
		return ['opens', false];
	}
	$act = 'joins';
	if ($s['status'] === RESOLVED) {
		$s['status'] = OPEN;
		$s['resolved_by'] = 0;
		$act = 'reopens';
	}
	$raised = $ev['level'] > $s['level'];
	$s['level'] = max($s['level'], $ev['level']);
	return [$act, $raised];
}

function decide_acknowledge(array &$s, int $at): array
{
	if ($s['status'] !== OPEN || $at < $s['sender_resolved_at'])
		return ['nothing', false];
	$s['status'] = ACKNOWLEDGED;
	return ['acks', false];
}

function decide_resolve(array &$s, int $at): array
{
	$s['sender_resolved_at'] = max($s['sender_resolved_at'], $at);
	if ($at < $s['triggered_at'])
		return ['nothing', false];
	$act = 'nothing';
	if ($s['status'] === OPEN || $s['status'] === ACKNOWLEDGED) {
		$s['status'] = RESOLVED;
		$act = 'resolves';
	}
	if ($s['status'] === RESOLVED)
		$s['resolved_by'] = SENDER;
	return [$act, false];
}

/* Moves the state of the key on; returns what happens and whether the severity rose. */
function decide(array &$state, array $ev, int $now, int $new_incident): array
{
	$at = $ev['occurred_at'] > 0 && $ev['occurred_at'] <= $now ? $ev['occurred_at'] : $now;
	return match ($ev['action']) {
		TRIGGER => decide_trigger($state, $ev, $at, $new_incident),
		ACKNOWLEDGE => decide_acknowledge($state, $at),
		RESOLVE => decide_resolve($state, $at),
		default => ['nothing', false],
	};
}
