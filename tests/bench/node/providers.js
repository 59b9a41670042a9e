'use strict';
/* Proof and mapping of the three providers that the benchmark sends, as the product's adapters do it. */

const { createHash, createHmac, timingSafeEqual } = require('node:crypto');
const { TRIGGER, RESOLVE } = require('./decide');

const SEVERITIES = { critical: 3, page: 3, error: 2, high: 2, warning: 1, ticket: 1, info: 0, none: 0 };
const LEVELS = [0, 2, 3, 4];	/* of info, warning, error, critical */
const TOLERANCE_S = 300;

function equal(a, b) {
	const x = Buffer.from(a), y = Buffer.from(b);
	return x.length === y.length && timingSafeEqual(x, y);
}

function stripeProven(secret, header, body, nowS) {
	let t = '';
	const given = [];
	for (const part of header.split(',')) {
		const at = part.indexOf('=');
		if (part.slice(0, at) === 't')
			t = part.slice(at + 1);
		else if (part.slice(0, at) === 'v1')
			given.push(part.slice(at + 1));
	}
	if (!/^\d+$/.test(t) || Math.abs(nowS - Number(t)) > TOLERANCE_S)
		return false;
	const want = createHmac('sha256', secret).update(t + '.').update(body).digest('hex');
	return given.some((v) => equal(v, want));
}

const proofs = {
	prometheus(source, headers) {
		const given = headers.authorization || '';
		return given.startsWith('Bearer ') &&
			equal(createHash('sha256').update(given.slice(7)).digest('hex'), source.key_hash);
	},
	github(source, headers, body) {
		return equal(headers['x-hub-signature-256'] || '',
			'sha256=' + createHmac('sha256', source.secret).update(body).digest('hex'));
	},
	stripe(source, headers, body, now) {
		return stripeProven(source.secret, headers['stripe-signature'] || '', body, Math.floor(now / 1000));
	},
};

/* Milliseconds of an RFC 3339 time, 0 for none. */
function timeMs(text) {
	return text ? Date.parse(text) || 0 : 0;
}

function mapAlert(alert, doc) {
	const labels = alert.labels || {}, notes = alert.annotations || {};
	const firing = (alert.status || doc.status) === 'firing';
	const native = String(labels.severity || doc.commonLabels?.severity || '').toLowerCase();
	const severity = SEVERITIES[native] ?? (firing ? 2 : 0);
	return {
		id: `${alert.fingerprint}:${alert.startsAt}:${alert.status}` + (firing ? '' : `:${alert.endsAt}`), derived: true,
		action: firing ? TRIGGER : RESOLVE, key: `prometheus:${alert.fingerprint}`, type: firing ? 'alert.firing' : 'alert.resolved',
		entityType: 'alert', entityId: alert.fingerprint, severity, level: LEVELS[severity], native,
		summary: notes.summary || notes.title || notes.description || labels.alertname || '',
		service: labels.service || labels.app || labels.job || '', origin: labels.instance || labels.pod || '',
		occurredAt: timeMs(firing ? alert.startsAt : alert.endsAt),
	};
}

const RUN_ACTIONS = { failure: TRIGGER, timed_out: TRIGGER, startup_failure: TRIGGER, success: RESOLVE };

function mapGithub(doc, headers) {
	const run = doc.workflow_run, repository = doc.repository, event = headers['x-github-event'];
	const conclusion = run.status === 'completed' ? run.conclusion : '';
	const action = RUN_ACTIONS[conclusion] || 0, severity = action === TRIGGER ? 2 : 0;
	const branch = run.head_branch || run.head_sha;
	return {
		id: headers['x-github-delivery'], derived: false, action,
		key: `github:workflow_run:${repository.id}:${run.workflow_id}:${run.head_repository?.id || repository.id}:${branch}`,
		type: `${event}.${doc.action}`, entityType: event, entityId: String(run.id), severity, level: LEVELS[severity],
		native: conclusion, summary: `${doc.workflow?.name || run.name || run.path}: ${conclusion} on ${branch}`,
		service: repository.name, origin: repository.full_name, occurredAt: timeMs(run.updated_at),
	};
}

const STRIPE_ACTIONS = {
	'charge.dispute.created': TRIGGER, 'payout.failed': TRIGGER, 'transfer.failed': TRIGGER, 'invoice.payment_failed': TRIGGER,
	'payment_intent.payment_failed': TRIGGER, 'charge.failed': TRIGGER, 'charge.dispute.closed': RESOLVE, 'payout.paid': RESOLVE,
	'invoice.paid': RESOLVE, 'invoice.payment_succeeded': RESOLVE, 'payment_intent.succeeded': RESOLVE, 'charge.succeeded': RESOLVE,
};

function mapStripe(doc) {
	const object = doc.data.object, action = STRIPE_ACTIONS[doc.type] || 0, severity = action === TRIGGER ? 2 : 0;
	const amount = object.amount === undefined ? '' : ` ${(object.amount / 100).toFixed(2)} ${object.currency}`;
	return {
		id: doc.id, derived: false, action, key: `stripe:${doc.account || 'self'}:${object.object}:${object.id}`,
		type: doc.type, entityType: object.object, entityId: object.id, severity, level: LEVELS[severity], native: doc.type,
		summary: `${doc.type} ${object.id}${amount}`, service: '', origin: '', occurredAt: doc.created * 1000,
	};
}

/* The events of a request, in their order. */
const maps = {
	prometheus: (doc) => (doc.alerts || []).map((alert) => mapAlert(alert, doc)),
	github: (doc, headers) => [mapGithub(doc, headers)],
	stripe: (doc) => [mapStripe(doc)],
};

module.exports = { proofs, maps };
