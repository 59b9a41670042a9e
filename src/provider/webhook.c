/* The generic endpoint: anything. Which shape a body has is found by the tables here, in their
 * order: CloudEvents (cloudevents.c), PagerDuty Events v2 by its routing key or path (pagerduty.c),
 * the Standard Webhooks envelope by its three members, else a plain object, an array of them, or a
 * form. A further shape
 * is a row in `wraps` if it hides the event inside, and one in `variants` if it has words of its
 * own.
 *
 * The plain paths are guesses in a fixed order, first hit wins, words compared whole: "backup"
 * holds "up" and "unresolved" holds "resolved". The source's settings come first: {"fields":
 * {"status": "/alert/state", "key": ["/uid", "/id"]}} with the names status, severity, key,
 * summary, description, source, service, link, eventType, eventId, occurredAt.
 *
 * Sources: standard-webhooks/standard-webhooks spec and library tests; cloudevents/spec
 * http-webhook.md, extensions/severity.md. */
#include "grapnel/crypto.h"
#include "provider_int.h"

#define PUBLIC_KEY "whpk_"

static const struct proof standard_webhooks = {
	.name = "standard-webhooks",
	.header = "webhook-signature",
	.encoding = ENC_BASE64,
	.digest = DIGEST_SHA256,
	.secret_form = SECRET_WHSEC,
	.list = ' ',
	.list_assign = ',',
	.list_name = "v1",
	.parts = { "@webhook-id", "'.'", "@webhook-timestamp", "'.'", "$body" },
	.time = "@webhook-timestamp",
	.tolerance_s = 300,
};

/* "whpk_" and a public key: the sender keeps the private one. */
static bool ed25519_fits(struct arena *a, struct str secret, struct str text, struct str signature)
{
	struct str key, raw;

	return base64_decode(a, str_sub(secret, strlen(PUBLIC_KEY)), false, &key) &&
		base64_decode(a, signature, false, &raw) && ed25519_verify(key, text, raw);
}

static const struct proof standard_webhooks_ed25519 = {
	.name = "standard-webhooks-ed25519",
	.header = "webhook-signature",
	.secret_prefix = PUBLIC_KEY,
	.list = ' ',
	.list_assign = ',',
	.list_name = "v1a",
	.parts = { "@webhook-id", "'.'", "@webhook-timestamp", "'.'", "$body" },
	.time = "@webhook-timestamp",
	.tolerance_s = 300,
	.fits = ed25519_fits,
};

static const struct proof *const proofs[] = {
	&standard_webhooks_ed25519,
	&standard_webhooks,
	&proof_x_signature,
	&proof_x_webhook_signature,
	&proof_x_hub_signature,
	NULL
};

const struct word plain_actions[] = {
	{ "trigger", ACTION_TRIGGER },
	{ "triggered", ACTION_TRIGGER },
	{ "firing", ACTION_TRIGGER },
	{ "fired", ACTION_TRIGGER },
	{ "fire", ACTION_TRIGGER },
	{ "alerting", ACTION_TRIGGER },
	{ "alert", ACTION_TRIGGER },
	{ "active", ACTION_TRIGGER },
	{ "open", ACTION_TRIGGER },
	{ "opened", ACTION_TRIGGER },
	{ "new", ACTION_TRIGGER },
	{ "problem", ACTION_TRIGGER },
	{ "failing", ACTION_TRIGGER },
	{ "failed", ACTION_TRIGGER },
	{ "failure", ACTION_TRIGGER },
	{ "down", ACTION_TRIGGER },
	{ "critical", ACTION_TRIGGER },
	{ "error", ACTION_TRIGGER },
	{ "warning", ACTION_TRIGGER },
	{ "created", ACTION_TRIGGER },
	{ "reopened", ACTION_TRIGGER },
	{ "unresolved", ACTION_TRIGGER },
	{ "acknowledge", ACTION_ACKNOWLEDGE },
	{ "acknowledged", ACTION_ACKNOWLEDGE },
	{ "acknowledgement", ACTION_ACKNOWLEDGE },
	{ "ack", ACTION_ACKNOWLEDGE },
	{ "acked", ACTION_ACKNOWLEDGE },
	{ "resolve", ACTION_RESOLVE },
	{ "resolved", ACTION_RESOLVE },
	{ "recover", ACTION_RESOLVE },
	{ "recovered", ACTION_RESOLVE },
	{ "recovery", ACTION_RESOLVE },
	{ "ok", ACTION_RESOLVE },
	{ "okay", ACTION_RESOLVE },
	{ "close", ACTION_RESOLVE },
	{ "closed", ACTION_RESOLVE },
	{ "up", ACTION_RESOLVE },
	{ "success", ACTION_RESOLVE },
	{ "passed", ACTION_RESOLVE },
	{ "passing", ACTION_RESOLVE },
	{ "normal", ACTION_RESOLVE },
	{ "healthy", ACTION_RESOLVE },
	{ "clear", ACTION_RESOLVE },
	{ "cleared", ACTION_RESOLVE },
	{ "fixed", ACTION_RESOLVE },
	{ "inactive", ACTION_RESOLVE },
	{ "expired", ACTION_RESOLVE },
	{ "info", ACTION_IGNORE },
	{ "record", ACTION_IGNORE },
	{ "ignore", ACTION_IGNORE },
	{ "ignored", ACTION_IGNORE },
	{ "test", ACTION_IGNORE },
	{ "ping", ACTION_IGNORE },
	{ "pending", ACTION_IGNORE },
	{ "paused", ACTION_IGNORE },
	{ "unknown", ACTION_IGNORE },
	{ 0 }
};

/* ---- plain ------------------------------------------------------------------------------------ */

#define SEVERITY "%severity|/severity|/level|/priority|/urgency"
#define KEY "%key|/dedup_key|/alert_id|/alert_uid|/fingerprint|/incident_key|/id"
#define OCCURRED "%occurredAt|/occurred_at|/timestamp|</timestamp"

const struct map plain_fields[] = {
	{ EV_ACTION, "%status|/event_action|/action|/status|/state|/alert_state", WORD, plain_actions },
	{ EV_ACTION, "'trigger'", WORD, plain_actions },
	{ EV_DEDUP_KEY, KEY },
	{ EV_SEVERITY, SEVERITY, WORD, severity_words },
	{ EV_NATIVE_SEVERITY, SEVERITY },
	{ EV_SUMMARY, "%summary|/summary|/title|/message|/name|/description" },
	{ EV_DESCRIPTION, "%description|/description|/message" },
	{ EV_SOURCE, "%source|/source|/host|/hostname|/origin|/system" },
	{ EV_SERVICE, "%service|/service|/component" },
	{ EV_EVENT_TYPE, "%eventType|</type|/event_type|/type|'alert'" },
	{ EV_ENTITY_TYPE, "'alert'" },
	{ EV_ENTITY_ID, KEY },
	{ EV_OCCURRED, OCCURRED, TIME },
	{ EV_OCCURRED, OCCURRED, EPOCH },
	{ EV_LINK, "%link|/link|/url|/link_to_upstream_details" },
	{ EV_DETAILS, "/custom_details" },
	{ EV_DETAILS, "/details" },
	{ EV_DETAILS, "/labels" },
	{ EV_DETAILS, "/tags" },
	{ EV_END }
};

/* ---- CloudEvents ------------------------------------------------------------------------------ */

#define CLOUD_KEY "%key|/data/dedup_key|/data/alert_id|/data/alert_uid|/data/fingerprint|" \
	"/data/incident_key"
#define CLOUD_SEVERITY "%severity|/data/severity|/data/level|/data/priority|/data/urgency"
#define CLOUD_OCCURRED "/time|%occurredAt|/data/occurred_at|/data/timestamp"

/* The extension "severity" has the numbers of OpenTelemetry's logs. */
static struct str severity_of_number(const struct json *event)
{
	uint64_t n;

	if (!str_u64(json_text(json_get(event, "severitynumber")), &n) || n == 0)
		return STR_NONE;
	if (n <= 16)
		return n <= 12 ? STR("info") : STR("warning");
	return n <= 20 ? STR("error") : STR("critical");
}

/* !severity, and !state: the last part of the type */
static struct str own(struct arena *a, struct str name, const struct where *w)
{
	struct str type = json_text(json_get(w->element, "type")), last = STR_NONE;

	if (str_eqs(name, "severity"))
		return severity_of_number(w->element);
	while (type.n)
		last = str_until(&type, '.');
	return last;
}

/* A type often names the state (shop.probe.resolved), so it is no part of the key where there is a
 * subject. */
static const struct map cloud[] = {
	{ EV_EVENT_ID, "@webhook-id|@idempotency-key|%eventId", NATIVE },
	{ EV_EVENT_ID, "{/source} {/id}", NATIVE },
	{ EV_ACTION, "%status|/data/event_action|/data/action|/data/status|/data/state|"
		"/data/alert_state|!state", WORD, plain_actions },
	{ EV_ACTION, "'trigger'", WORD, plain_actions },
	{ EV_DEDUP_KEY, CLOUD_KEY },
	{ EV_DEDUP_KEY, "{/source}|{/subject|/type}" },
	{ EV_SEVERITY, "!severity", WORD, severity_words },
	{ EV_SEVERITY, "/severitytext", WORD, severity_words },
	{ EV_SEVERITY, CLOUD_SEVERITY, WORD, severity_words },
	{ EV_NATIVE_SEVERITY, "/severitytext|/severitynumber|" CLOUD_SEVERITY },
	{ EV_SUMMARY, "%summary|/data/summary|/data/title|/data/message|/data/name|"
		"/data/description|/data" },
	{ EV_SUMMARY, "{/type}[: {/subject}]" },
	{ EV_DESCRIPTION, "%description|/data/description|/data/message" },
	{ EV_SOURCE, "%source|/data/source|/data/host|/data/hostname|/data/origin|"
		"/data/system|/source" },
	{ EV_SERVICE, "%service|/data/service|/data/component" },
	{ EV_EVENT_TYPE, "/type" },
	{ EV_ENTITY_TYPE, "'event'" },
	{ EV_ENTITY_ID, "/subject|/id" },
	{ EV_OCCURRED, CLOUD_OCCURRED, TIME },
	{ EV_OCCURRED, CLOUD_OCCURRED, EPOCH },
	{ EV_LINK, "%link|/data/link|/data/url|/data/link_to_upstream_details" },
	{ EV_DETAILS, "/data/custom_details" },
	{ EV_DETAILS, "/data/details" },
	{ EV_DETAILS, "/data/labels" },
	{ EV_DETAILS, "/data/tags" },
	{ EV_END }
};

/* ---- which of them ---------------------------------------------------------------------------- */

static const struct variant variants[] = {
	{ "{/specversion}{/id}{/source}{/type}", NULL, cloud },
	{ "/routing_key", NULL, pagerduty_fields },
	{ "$path", pagerduty_paths, pagerduty_fields },
	{ "'anything else'", NULL, plain_fields },
	{ 0 }
};

static const struct wrap wraps[] = {
	{ "{/type}{/timestamp}", "/data" },	/* Standard Webhooks */
	{ 0 }
};

static const struct map fields[] = {
	{ EV_EVENT_ID, "@webhook-id|@idempotency-key|%eventId|/event_id|/delivery_id", NATIVE },
	{ EV_END }
};

void plain_fill(struct arena *a, const struct where *w, struct event *ev)
{
	if (ev->dedup_key.n == 0 && ev->action != ACTION_IGNORE)
		ev->dedup_key = made_up_key(a, w, ev);
	if (ev->entity_id.n == 0)
		ev->entity_id = ev->dedup_key;
	if (ev->summary.n == 0)
		ev->summary = STR("Webhook event");
	if (str_eq(ev->description, ev->summary))
		ev->description = STR_NONE;
}

static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	if (!cloudevents_shape(w->element) && pagerduty_shape(w->in, w->element))
		return pagerduty_adjust(p, a, w, ev);
	plain_fill(a, w, ev);
	return true;
}

/* ---- answers ---------------------------------------------------------------------------------- */

static bool handshake(const struct provider *p, struct arena *a, const struct inbound *in,
	struct answer *answer)
{
	if (str_eqs(in->method, "OPTIONS")) {
		cloudevents_consent(a, in, answer);
		return true;
	}
	if (!cloudevents_declared(in) || !json_is(in->doc, JSON_ARRAY) || in->doc->count)
		return false;
	*answer = (struct answer){ .status = 202 };	/* a batch of none */
	return true;
}

static bool answer(const struct provider *p, struct arena *a, const struct inbound *in,
	const struct refusal *refusal, const struct outcome *outcomes, size_t n,
	struct answer *answer)
{
	if (!cloudevents_declared(in) && !cloudevents_shape(in->doc))
		return pagerduty_answer(p, a, in, refusal, outcomes, n, answer);
	answer->status = refusal ? 0 : 202;
	return false;
}

/* ---- setting it up, and trying it ------------------------------------------------------------- */

const struct setting plain_settings[] = {
	{ "fields", SETTING_OBJECT, "Where the fields stand",
		"JSON pointers by field: {\"status\": \"/alert/state\", \"key\": [\"/uid\", \"/id\"]}." },
	{ 0 }
};

static const char *const masked[] = { "routing_key", NULL };	/* it is the integration's key */

static const struct step steps[] = {
	{ "Post JSON (or a form) to this URL, with the key as bearer token.",
		"curl -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\\n"
		"  -d '{\"id\":\"disk-db1\",\"status\":\"firing\",\"severity\":\"high\",\"title\":\"Disk of db1 is full\"}' \\\n"
		"  {url}" },
	{ "When the trouble is over, send the same id with status resolved.",
		"curl -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\\n"
		"  -d '{\"id\":\"disk-db1\",\"status\":\"resolved\",\"title\":\"Disk of db1 is fine\"}' \\\n"
		"  {url}" },
	{ "A tool that can set no header takes the key in the URL.", "{url}?key={key}" },
	{ "A tool that speaks PagerDuty Events v2 takes this address, with the key as its routing key.",
		"{base}/v2/enqueue" },
	{ "CloudEvents are taken in all modes: structured, in batches, and with their attributes in headers.", NULL },
	{ "With a signature secret set, requests are signed instead: Standard Webhooks (a public key that begins with "
		"whpk_ does as well), or the hex HMAC-SHA256 of the body as X-Signature.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.headers = { { "webhook-id", "msg_test_$nonce" } },
	.body = "{'id':'test-$nonce','status':'triggered','severity':'MEDIUM',"
		"'title':'[Webhook] Test Alert - CPU Usage High',"
		"'description':'Sent by Grapnel to try this integration; nothing is wrong.',"
		"'source':'test-host','service':'test-service','timestamp':'$time',"
		"'details':{'metric':'system.cpu.user','value':95.2,'threshold':90}}",
};

const struct provider provider_webhook = {
	.slug = "webhook",
	.title = "Generic webhook",
	.group = GROUP_GENERIC,
	.about = "Any program that can post JSON or a form; CloudEvents, PagerDuty Events v2 and Standard Webhooks too.",
	.signs = "The key, or with a signature secret Standard Webhooks (HMAC-SHA256, or Ed25519 with a public key) or the "
		"hex HMAC-SHA256 of the body in X-Signature, X-Webhook-Signature or X-Hub-Signature-256.",
	.on_error = "Up to the program that sends. 503 and 429 carry Retry-After; 400 names the field to blame.",
	.settings = plain_settings,
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST | METHOD_OPTIONS,
	.bodies = BODY_JSON | BODY_FORM | BODY_CLOUDEVENTS,
	.flags = SECRET_OPTIONAL,
	.masked = masked,
	.actions = DO_INCIDENT,
	.proofs = proofs,
	.each = "",
	.wraps = wraps,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_WARNING,
	.own = own,
	.adjust = adjust,
	.handshake = handshake,
	.answer = answer,
};
