<?php
/* The PHP-FPM baseline: what a careful PHP developer would write for the same job, on the same tables.
 *
 * One process handles one webhook at a time and writes it in one transaction. Settings, all in its favour: opcache with no
 * stat of files, a persistent connection, READ COMMITTED, and the sources with their secrets from a PHP file that opcache
 * keeps in memory, so that no request looks them up. PDO's emulated prepares send a statement in one round trip; native
 * ones need two, since PHP forgets prepared statements at the end of a request (measured: 6 % more processor time). */
declare(strict_types=1);

require __DIR__ . '/decide.php';
require __DIR__ . '/providers.php';

const TRIES = 4;
const DERIVED_MS = 600000;

function db(array $config): PDO
{
	return new PDO("mysql:unix_socket={$config['socket']};dbname={$config['database']};charset=utf8mb4",
		$config['user'], $config['password'], [
			PDO::ATTR_PERSISTENT => true,
			PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
			PDO::ATTR_EMULATE_PREPARES => !($config['native_prepares'] ?? false),
			PDO::MYSQL_ATTR_INIT_COMMAND => 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
		]);
}

function run(PDO $db, string $sql, array $values): PDOStatement
{
	$st = $db->prepare($sql);
	$st->execute($values);
	return $st;
}

function half_hash(string $text): string
{
	return substr(hash('sha256', $text), 0, 32);
}

/* A number as the product makes it: 41 bits of milliseconds, 10 of worker, 12 of counter; here the counter is the place in
 * the millisecond, since one process has one request at a time. */
function new_number(int $us, int $slot, int $n): int
{
	return intdiv($us, 1000) << 22 | $slot << 12 | ($us % 1000 * 4 + $n & 4095);
}

function headers_text(): string
{
	$text = '';
	foreach ($_SERVER as $name => $value)
		if (str_starts_with($name, 'HTTP_'))
			$text .= strtolower(strtr(substr($name, 5), '_', '-')) . ': ' .
				($name === 'HTTP_AUTHORIZATION' ? '***' : $value) . "\n";
	return $text;
}

/* The event's number if it is new, else that of the event it repeats. */
function claim_event_id(PDO $db, array $source, array $ev, int $number, int $now): int
{
	$cutoff = $ev['derived'] ? $now - DERIVED_MS : 0;
	return (int)run($db, 'INSERT INTO event_ids (source_id, id_hash, event_id, first_at) VALUES (?, UNHEX(?), ?, ?)
		ON DUPLICATE KEY UPDATE repeats = IF(first_at < ?, 0, repeats + 1),
		event_id = IF(first_at < ?, VALUES(event_id), event_id),
		first_at = IF(first_at < ?, VALUES(first_at), first_at) RETURNING event_id',
		[$source['id'], half_hash($ev['id']), $number, $now, $cutoff, $cutoff, $cutoff])->fetchColumn();
}

function lock_key(PDO $db, array $source, string $hash): array
{
	$row = run($db, 'INSERT INTO incident_keys (service_id, key_hash) VALUES (?, UNHEX(?))
		ON DUPLICATE KEY UPDATE service_id = service_id
		RETURNING incident_id, status, level, resolved_by, triggered_at, sender_resolved_at',
		[$source['service_id'], $hash])->fetch(PDO::FETCH_ASSOC);
	return array_map('intval', $row);
}

function write_incident(PDO $db, array $source, array $ev, array $state, string $act, string $hash, int $now): void
{
	if ($act === 'opens') {
		run($db, 'INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, open_hash, title, status, level,
			alert_count, opened_at, last_alert_at, updated_at) VALUES (?, 1, ?, ?, ?, UNHEX(?), ?, ?, ?, 1, ?, ?, ?)',
			[$state['incident_id'], $source['service_id'], $source['id'], $ev['key'], $hash, $ev['summary'],
			$state['status'], $state['level'], $now, $now, $now]);
		return;
	}
	$resolved = $state['status'] === RESOLVED;
	run($db, 'UPDATE incidents SET alert_count = alert_count + ?, status = ?, level = ?, open_hash = UNHEX(?),
		resolved_at = ?, resolved_by = ?, last_alert_at = ?, updated_at = ? WHERE id = ?',
		[(int)($ev['action'] === TRIGGER), $state['status'], $state['level'], $resolved ? null : $hash,
		$resolved ? $now : null, $state['resolved_by'], $now, $now, $state['incident_id']]);
}

function write_timeline(PDO $db, array $state, string $act, bool $raised, int $number, int $now): void
{
	$kinds = ['opens' => 1, 'acks' => 3, 'resolves' => 4, 'reopens' => 5];
	if (isset($kinds[$act]) || $raised)
		run($db, 'INSERT INTO timeline (incident_id, id, at, kind, actor, event_id, level) VALUES (?, ?, ?, ?, 1, ?, ?)',
			[$state['incident_id'], $number, $now, $kinds[$act] ?? 2, $number, $state['level']]);
}

function write_event(PDO $db, array $source, array $ev, int $number, int $request, int $element, ?int $incident, int $now): void
{
	run($db, 'INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, entity_type, entity_id,
		action, severity, level, native_severity, dedup_key, summary, service, origin, status, done, attempts, incident_id,
		occurred_at, received_at, processed_at, updated_at)
		VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 2, 1, 1, ?, ?, ?, ?, ?)',
		[$number, $source['id'], $request, $element, $ev['id'], $ev['type'], $ev['entity_type'], $ev['entity_id'],
		$ev['action'], $ev['severity'], $ev['level'], $ev['native'], $ev['key'], $ev['summary'], $ev['service'],
		$ev['origin'], $incident ?: null, $ev['occurred_at'] ?: null, $now, $now, $now]);
}

/* The part of one event that concerns its key; returns what the answer says of it. */
function apply_event(PDO $db, array $source, array $ev, int $number, int $request, int $element, int $now): array
{
	$hash = half_hash($ev['key']);
	$state = lock_key($db, $source, $hash);
	[$act, $raised] = decide($state, $ev, $now, $number);
	write_event($db, $source, $ev, $number, $request, $element, $state['incident_id'], $now);
	if ($act !== 'nothing')
		write_incident($db, $source, $ev, $state, $act, $hash, $now);
	run($db, 'UPDATE incident_keys SET incident_id = ?, status = ?, level = ?, resolved_by = ?, triggered_at = ?,
		sender_resolved_at = ? WHERE service_id = ? AND key_hash = UNHEX(?)',
		[$state['incident_id'], $state['status'], $state['level'], $state['resolved_by'], $state['triggered_at'],
		$state['sender_resolved_at'], $source['service_id'], $hash]);
	$alert = $ev['action'] === TRIGGER && $act !== 'nothing';
	if ($alert)
		run($db, 'INSERT INTO alerts (id, tenant_id, event_id, incident_id, level, created_at) VALUES (?, 1, ?, ?, ?, ?)',
			[$number, $number, $state['incident_id'], $ev['level'], $now]);
	write_timeline($db, $state, $act, $raised, $number, $now);
	return ['action' => ANSWER_WORDS[$act], 'alert' => $alert, 'incident' => ['id' => (string)$state['incident_id'],
		'status' => STATUS_WORDS[$state['status']], 'isDuplicate' => $act === 'joins'], 'event' => ['id' => (string)$number]];
}

function write_request(PDO $db, array $source, string $body, int $number, int $event, int $events, bool $repeat, int $us): void
{
	run($db, 'INSERT INTO requests (id, source_id, status, method, uri, remote_addr, trace, headers, body, body_bytes,
		duration_us, event_count, event_id, is_duplicate) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
		[$number, $source['id'], $repeat ? 200 : 201, $_SERVER['REQUEST_METHOD'], $_SERVER['REQUEST_URI'],
		$_SERVER['REMOTE_ADDR'], $_SERVER['HTTP_X_REQUEST_ID'] ?? bin2hex(random_bytes(8)), headers_text(), $body,
		strlen($body), $us, $events, $event, (int)$repeat]);
}

function write_stats(PDO $db, array $source, int $slot, int $events, int $repeats, int $alerts, int $us, int $now): void
{
	$row = [$slot, 1, $events, $repeats, $alerts, $us, $now];
	run($db, 'INSERT INTO source_stats (source_id, hour, slot, received, events, repeats, alerts, latency_us, last_at)
		VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON DUPLICATE KEY UPDATE received = received + 1, events = events + VALUES(events),
		repeats = repeats + VALUES(repeats), alerts = alerts + VALUES(alerts),
		latency_us = latency_us + VALUES(latency_us), last_at = VALUES(last_at)',
		[$source['id'], ...$row, $source['id'], intdiv($now, 3600000), ...$row]);
}

/* Everything of one request. Locks in the product's order: event ids, keys, inserts, counters. */
function store(PDO $db, array $source, array $events, string $body, int $slot, int $started_us): array
{
	$now = intdiv($started_us, 1000);
	$request = new_number($started_us, $slot, 0);
	$results = $new = [];
	$first = 0;
	foreach ($events as $i => $ev) {
		$number = new_number($started_us, $slot, $i);
		$kept = claim_event_id($db, $source, $ev, $number, $now);
		$first = $first ?: $kept;
		if ($kept === $number)
			$new[$i] = $number;
		else
			$results[$i] = ['alreadyProcessed' => true, 'event' => ['id' => (string)$kept]];
	}
	foreach ($new as $i => $number)
		$results[$i] = apply_event($db, $source, $events[$i], $number, $request, $i, $now);
	$us = (int)(microtime(true) * 1e6) - $started_us;
	write_request($db, $source, $body, $request, $first, count($events), !$new, $us);
	write_stats($db, $source, $slot, count($new), count($events) - count($new), count(array_filter(array_column($results, 'alert'))),
		$us, $now);
	ksort($results);
	return [$new ? 201 : 200, $results];
}

function in_transaction(PDO $db, callable $work): array
{
	for ($try = 1; ; $try++) {
		try {
			$db->beginTransaction();
			$result = $work();
			$db->commit();
			return $result;
		} catch (PDOException $e) {
			if ($db->inTransaction())
				$db->rollBack();
			if ($try === TRIES || !in_array($e->errorInfo[1] ?? 0, [1213, 1205], true))
				throw $e;
		}
	}
}

function answer(int $status, array $json): void
{
	$text = json_encode($json);
	http_response_code($status);
	header('Content-Type: application/json');
	header('Content-Length: ' . strlen($text));
	echo $text;
}

function receive(): void
{
	$started_us = (int)(microtime(true) * 1e6);
	$config = require __DIR__ . '/config.php';
	$source = $config['sources'][strtok($_SERVER['REQUEST_URI'], '?')] ?? null;
	if (!$source) {
		answer(404, ['error' => 'not_found']);
		return;
	}
	$body = file_get_contents('php://input');
	if (!proven($source, $body, intdiv($started_us, 1000000))) {
		answer(401, ['error' => 'unauthorized']);
		return;
	}
	$doc = json_decode($body, true);
	if (!is_array($doc)) {
		answer(400, ['error' => 'invalid_payload']);
		return;
	}
	$events = map_events($source['provider'], $doc);
	$db = db($config);
	$slot = getmypid() % 1024;	/* a row of counters for each process, so that none waits for another's */
	[$status, $results] = in_transaction($db, fn() => store($db, $source, $events, $body, $slot, $started_us));
	if ($source['provider'] === 'stripe')
		answer(200, ['received' => true]);
	else
		answer($status, ['status' => 'success'] + (count($results) === 1 ? ['result' => $results[0]] : ['results' => $results]));
}

receive();
