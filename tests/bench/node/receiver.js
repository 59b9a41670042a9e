'use strict';
/* The Node baseline: what a careful Node developer would write for the same job, on the same tables. fastify, mysql2 with a pool
 * of 8 and its cache of prepared statements (execute), one process, one transaction per request, READ COMMITTED. The sources with
 * their secrets are in memory. Ids are BigInt: they need 63 bits. */

const { createHash, randomBytes } = require('node:crypto');
const fastify = require('fastify');
const mysql = require('mysql2/promise');
const { decide, TRIGGER, RESOLVED } = require('./decide');
const { proofs, maps } = require('./providers');

const config = require(process.env.BENCH_CONFIG);
const POOL = 8;
const TRIES = 4;
const DERIVED_MS = 600000;
const STATUS_WORDS = ['', 'OPEN', 'ACKNOWLEDGED', 'RESOLVED'];
const ANSWER_WORDS = { opens: 'triggered', reopens: 'triggered', joins: 'deduplicated', acks: 'acknowledged', resolves: 'resolved', nothing: 'ignored' };
const TIMELINE_KINDS = { opens: 1, acks: 3, resolves: 4, reopens: 5 };

const pool = mysql.createPool({
	socketPath: config.socket, database: config.database, user: config.user, password: config.password,
	connectionLimit: POOL, supportBigNumbers: true, charset: 'utf8mb4',
});
pool.on('connection', (c) => c.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED'));

const SQL = {
	claim: `INSERT INTO event_ids (source_id, id_hash, event_id, first_at) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE
		repeats = IF(first_at < ?, 0, repeats + 1), event_id = IF(first_at < ?, VALUES(event_id), event_id),
		first_at = IF(first_at < ?, VALUES(first_at), first_at) RETURNING event_id`,
	lockKey: `INSERT INTO incident_keys (service_id, key_hash) VALUES (?, ?) ON DUPLICATE KEY UPDATE service_id = service_id
		RETURNING incident_id, status, level, resolved_by, triggered_at, sender_resolved_at`,
	writeKey: `UPDATE incident_keys SET incident_id = ?, status = ?, level = ?, resolved_by = ?, triggered_at = ?,
		sender_resolved_at = ? WHERE service_id = ? AND key_hash = ?`,
	request: `INSERT INTO requests (id, source_id, status, method, uri, remote_addr, trace, headers, body, body_bytes,
		duration_us, event_count, event_id, is_duplicate) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	event: `INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, entity_type, entity_id,
		action, severity, level, native_severity, dedup_key, summary, service, origin, status, done, attempts, incident_id,
		occurred_at, received_at, processed_at, updated_at)
		VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 2, 1, 1, ?, ?, ?, ?, ?)`,
	openIncident: `INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, open_hash, title, status, level,
		alert_count, opened_at, last_alert_at, updated_at) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)`,
	changeIncident: `UPDATE incidents SET alert_count = alert_count + ?, status = ?, level = ?, open_hash = ?,
		resolved_at = ?, resolved_by = ?, last_alert_at = ?, updated_at = ? WHERE id = ?`,
	alert: 'INSERT INTO alerts (id, tenant_id, event_id, incident_id, level, created_at) VALUES (?, 1, ?, ?, ?, ?)',
	timeline: 'INSERT INTO timeline (incident_id, id, at, kind, actor, event_id, level) VALUES (?, ?, ?, ?, 1, ?, ?)',
	stats: `INSERT INTO source_stats (source_id, hour, slot, received, events, repeats, alerts, latency_us, last_at)
		VALUES (?, 0, ?, 1, ?, ?, ?, ?, ?), (?, ?, ?, 1, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE received = received + 1,
		events = events + VALUES(events), repeats = repeats + VALUES(repeats), alerts = alerts + VALUES(alerts),
		latency_us = latency_us + VALUES(latency_us), last_at = VALUES(last_at)`,
};

function halfHash(text) {
	return createHash('sha256').update(text).digest().subarray(0, 16);
}

/* As the product makes it: 41 bits of milliseconds, 10 of worker (0: one process), 12 of counter. */
let counter = 0n;
function newNumber(now) {
	counter = (counter + 1n) & 4095n;
	return BigInt(now) << 22n | counter;
}

function headersText(headers) {
	let text = '';
	for (const name in headers)
		text += `${name}: ${name === 'authorization' ? '***' : headers[name]}\n`;
	return text;
}

async function writeIncident(db, source, ev, state, act, hash, now) {
	if (act === 'opens')
		return db.execute(SQL.openIncident, [state.incident_id, source.service_id, source.id, ev.key, hash, ev.summary,
			state.status, state.level, now, now, now]);
	const resolved = state.status === RESOLVED;
	return db.execute(SQL.changeIncident, [ev.action === TRIGGER ? 1 : 0, state.status, state.level, resolved ? null : hash,
		resolved ? now : null, state.resolved_by, now, now, state.incident_id]);
}

/* The part of one event that concerns its key; returns what the answer says of it. */
async function applyEvent(db, source, ev, number, request, element, now) {
	const hash = halfHash(ev.key);
	const [rows] = await db.execute(SQL.lockKey, [source.service_id, hash]);
	const state = { ...rows[0] };
	const { act, raised } = decide(state, ev, now, number);
	await db.execute(SQL.event, [number, source.id, request, element, ev.id, ev.type, ev.entityType, ev.entityId, ev.action,
		ev.severity, ev.level, ev.native, ev.key, ev.summary, ev.service, ev.origin, state.incident_id || null,
		ev.occurredAt || null, now, now, now]);
	if (act !== 'nothing')
		await writeIncident(db, source, ev, state, act, hash, now);
	await db.execute(SQL.writeKey, [state.incident_id, state.status, state.level, state.resolved_by, state.triggered_at,
		state.sender_resolved_at, source.service_id, hash]);
	const alert = ev.action === TRIGGER && act !== 'nothing';
	if (alert)
		await db.execute(SQL.alert, [number, number, state.incident_id, ev.level, now]);
	if (TIMELINE_KINDS[act] || raised)
		await db.execute(SQL.timeline, [state.incident_id, number, now, TIMELINE_KINDS[act] || 2, number, state.level]);
	return { alert, action: ANSWER_WORDS[act], incident: { id: String(state.incident_id), status: STATUS_WORDS[state.status],
		isDuplicate: act === 'joins' }, event: { id: String(number) } };
}

/* Everything of one request. Locks in the product's order: event ids, keys, inserts, counters. */
async function store(db, rq, source, events, now, started) {
	const slot = db.connection.threadId % 1024;	/* a row of counters for each connection, so that none waits for another's */
	const results = [], fresh = [];
	const request = newNumber(now);
	let first = 0;
	for (const [i, ev] of events.entries()) {
		const number = newNumber(now), cutoff = ev.derived ? now - DERIVED_MS : 0;
		const [rows] = await db.execute(SQL.claim, [source.id, halfHash(ev.id), number, now, cutoff, cutoff, cutoff]);
		const kept = BigInt(rows[0].event_id);
		first = first || kept;
		if (kept === number)
			fresh.push([i, number]);
		else
			results[i] = { alreadyProcessed: true, event: { id: String(kept) } };
	}
	for (const [i, number] of fresh)
		results[i] = await applyEvent(db, source, events[i], number, request, i, now);
	const us = Math.round((performance.now() - started) * 1000);
	await db.execute(SQL.request, [request, source.id, fresh.length ? 201 : 200, rq.method, rq.url, rq.ip,
		rq.headers['x-request-id'] || randomBytes(8).toString('hex'), headersText(rq.headers), rq.body, rq.body.length, us,
		events.length, first, fresh.length ? 0 : 1]);
	const counts = [fresh.length, events.length - fresh.length, results.filter((r) => r.alert).length, us, now];
	await db.execute(SQL.stats, [source.id, slot, ...counts, source.id, Math.floor(now / 3600000), slot, ...counts]);
	return [fresh.length ? 201 : 200, results];
}

async function inTransaction(work) {
	const db = await pool.getConnection();
	try {
		for (let attempt = 1; ; attempt++) {
			try {
				await db.beginTransaction();
				const result = await work(db);
				await db.commit();
				return result;
			} catch (e) {
				await db.rollback();
				if (attempt === TRIES || (e.errno !== 1213 && e.errno !== 1205))
					throw e;
			}
		}
	} finally {
		db.release();
	}
}

const app = fastify({ logger: false });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (rq, body, done) => done(null, body));	/* signatures need the raw bytes */

app.post('/*', async (rq, reply) => {
	const started = performance.now(), now = Date.now();
	const source = config.sources[rq.url.split('?', 1)[0]];
	if (!source)
		return reply.code(404).send({ error: 'not_found' });
	if (!proofs[source.provider](source, rq.headers, rq.body, now))
		return reply.code(401).send({ error: 'unauthorized' });
	let doc;
	try {
		doc = JSON.parse(rq.body);
	} catch {
		return reply.code(400).send({ error: 'invalid_payload' });
	}
	const events = maps[source.provider](doc, rq.headers);
	const [status, results] = await inTransaction((db) => store(db, rq, source, events, now, started));
	if (source.provider === 'stripe')
		return { received: true };
	return reply.code(status).send(results.length === 1 ? { status: 'success', result: results[0] } : { status: 'success', results });
});

app.listen({ host: '127.0.0.1', port: config.port, backlog: 1024 });
