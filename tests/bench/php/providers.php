<?php
/* Proof and mapping of the three providers that the benchmark sends, as the product's adapters do it. */
declare(strict_types=1);

const SEVERITIES = ['critical' => 3, 'page' => 3, 'error' => 2, 'high' => 2, 'warning' => 1, 'ticket' => 1, 'info' => 0, 'none' => 0];
const LEVELS = [0, 2, 3, 4];	/* of info, warning, error, critical */
const TOLERANCE_S = 300;

function proven(array $source, string $body, int $now_s): bool
{
	switch ($source['provider']) {
	case 'prometheus':
		$given = $_SERVER['HTTP_AUTHORIZATION'] ?? '';
		return str_starts_with($given, 'Bearer ') && hash_equals($source['key_hash'], hash('sha256', substr($given, 7)));
	case 'github':
		return hash_equals('sha256=' . hash_hmac('sha256', $body, $source['secret']), $_SERVER['HTTP_X_HUB_SIGNATURE_256'] ?? '');
	case 'stripe':
		return stripe_proven($source['secret'], $_SERVER['HTTP_STRIPE_SIGNATURE'] ?? '', $body, $now_s);
	}
	return false;
}

function stripe_proven(string $secret, string $header, string $body, int $now_s): bool
{
	$t = '';
	$given = [];
	foreach (explode(',', $header) as $part) {
		[$name, $value] = explode('=', $part, 2) + [1 => ''];
		if ($name === 't')
			$t = $value;
		elseif ($name === 'v1')
			$given[] = $value;
	}
	if (!ctype_digit($t) || abs($now_s - (int)$t) > TOLERANCE_S)
		return false;
	$want = hash_hmac('sha256', "$t.$body", $secret);
	foreach ($given as $signature)
		if (hash_equals($want, $signature))
			return true;
	return false;
}

/* Milliseconds of an RFC 3339 time, 0 for none. */
function time_ms(?string $text): int
{
	if (!$text)
		return 0;
	$t = date_create_immutable($text);
	return $t ? (int)$t->format('Uv') : 0;
}

function map_prometheus(array $alert, array $doc): array
{
	$labels = $alert['labels'] ?? [];
	$firing = ($alert['status'] ?? $doc['status'] ?? '') === 'firing';
	$native = strtolower((string)($labels['severity'] ?? $doc['commonLabels']['severity'] ?? ''));
	$severity = SEVERITIES[$native] ?? ($firing ? 2 : 0);
	$id = "{$alert['fingerprint']}:{$alert['startsAt']}:{$alert['status']}" . ($firing ? '' : ":{$alert['endsAt']}");
	$notes = $alert['annotations'] ?? [];
	return ['id' => $id, 'derived' => true, 'action' => $firing ? TRIGGER : RESOLVE, 'key' => "prometheus:{$alert['fingerprint']}",
		'type' => $firing ? 'alert.firing' : 'alert.resolved', 'entity_type' => 'alert', 'entity_id' => $alert['fingerprint'],
		'severity' => $severity, 'level' => LEVELS[$severity], 'native' => $native,
		'summary' => $notes['summary'] ?? $notes['title'] ?? $notes['description'] ?? $labels['alertname'] ?? '',
		'service' => $labels['service'] ?? $labels['app'] ?? $labels['job'] ?? '',
		'origin' => $labels['instance'] ?? $labels['pod'] ?? '',
		'occurred_at' => time_ms($firing ? $alert['startsAt'] : $alert['endsAt'])];
}

function map_github(array $doc): array
{
	$run = $doc['workflow_run'] ?? [];
	$event = $_SERVER['HTTP_X_GITHUB_EVENT'] ?? '';
	$conclusion = ($run['status'] ?? '') === 'completed' ? (string)$run['conclusion'] : '';
	$action = match ($conclusion) {
		'failure', 'timed_out', 'startup_failure' => TRIGGER,
		'success' => RESOLVE,
		default => 0,
	};
	$r = $doc['repository']['id'];
	$branch = $run['head_branch'] ?? $run['head_sha'] ?? '';
	$severity = $action === TRIGGER ? 2 : 0;
	return ['id' => $_SERVER['HTTP_X_GITHUB_DELIVERY'], 'derived' => false, 'action' => $action,
		'key' => "github:workflow_run:$r:{$run['workflow_id']}:" . ($run['head_repository']['id'] ?? $r) . ":$branch",
		'type' => "$event.{$doc['action']}", 'entity_type' => $event, 'entity_id' => (string)$run['id'],
		'severity' => $severity, 'level' => LEVELS[$severity], 'native' => $conclusion,
		'summary' => ($doc['workflow']['name'] ?? $run['name'] ?? $run['path']) . ": $conclusion on $branch",
		'service' => $doc['repository']['name'], 'origin' => $doc['repository']['full_name'],
		'occurred_at' => time_ms($run['updated_at'] ?? null)];
}

function map_stripe(array $doc): array
{
	$object = $doc['data']['object'];
	$action = match ($doc['type']) {
		'charge.dispute.created', 'payout.failed', 'transfer.failed', 'invoice.payment_failed',
		'payment_intent.payment_failed', 'charge.failed' => TRIGGER,
		'charge.dispute.closed', 'payout.paid', 'invoice.paid', 'invoice.payment_succeeded', 'payment_intent.succeeded',
		'charge.succeeded' => RESOLVE,
		default => 0,
	};
	$severity = $action === TRIGGER ? 2 : 0;
	$amount = isset($object['amount']) ? sprintf(' %.2f %s', $object['amount'] / 100, $object['currency']) : '';
	return ['id' => $doc['id'], 'derived' => false, 'action' => $action,
		'key' => 'stripe:' . ($doc['account'] ?? 'self') . ":{$object['object']}:{$object['id']}",
		'type' => $doc['type'], 'entity_type' => $object['object'], 'entity_id' => $object['id'],
		'severity' => $severity, 'level' => LEVELS[$severity], 'native' => $doc['type'],
		'summary' => "{$doc['type']} {$object['id']}$amount", 'service' => '', 'origin' => '',
		'occurred_at' => $doc['created'] * 1000];
}

/* The events of a request, in their order. */
function map_events(string $provider, array $doc): array
{
	return match ($provider) {
		'prometheus' => array_map(fn($alert) => map_prometheus($alert, $doc), $doc['alerts'] ?? []),
		'github' => [map_github($doc)],
		'stripe' => [map_stripe($doc)],
	};
}
