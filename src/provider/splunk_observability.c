/* Splunk Observability Cloud, once SignalFx: one transition of one alert per request. The incident's
 * id is that of the alert: trigger and clear share it, while eventType is the version of the
 * detector. A template of the user's may replace the body, so that members are known by name only.
 *
 * The signature is base64 of HMAC-SHA256 over the body. Older material says HMAC-SHA1 under the same
 * header: the two differ in length, and the old one counts only where the owner allows it.
 *
 * Splunk wants exactly 200, for the request that it sends when the integration is saved too, and
 * repeats for up to 24 hours. The published sample has a year of five digits: a broken time must not
 * cost the event. Source: splunk/public-o11y-docs admin/notif-services/webhook.rst, dev.splunk.com;
 * xMatters' capture of an old body. */
#include "provider_int.h"

static const struct proof signature_sha1 = {
	.name = "signalfx-sha1",
	.header = "x-sfx-signature",
	.length = 28,
	.allowed_by = "allowSha1",
	.encoding = ENC_BASE64,
	.digest = DIGEST_SHA1,
	.parts = { "$body" },
};

static const struct proof signature = {
	.name = "signalfx",
	.header = "x-sfx-signature",
	.encoding = ENC_BASE64,
	.digest = DIGEST_SHA256,
	.parts = { "$body" },
};

static const struct proof *const proofs[] = { &signature_sha1, &signature, NULL };

static const struct setting settings[] = {
	{ "allowSha1", SETTING_FLAG, "Accept HMAC-SHA1 too",
		"Only for an old sender whose X-SFX-Signature has 28 characters." },
	{ 0 }
};

static const struct word states[] = {
	{ "anomalous", ACTION_TRIGGER },
	{ "ok", ACTION_RESOLVE },
	{ "manually resolved", ACTION_RESOLVE },
	{ "stopped", ACTION_RESOLVE },
	{ 0 }
};

/* What each input is grouped by tells the host, if not under that name then by the first. */
static struct str own(struct arena *a, struct str name, const struct where *w)
{
	const struct json *inputs = json_get(w->element, "inputs");
	struct str first = STR_NONE;

	if (!json_is(inputs, JSON_OBJECT))
		return STR_NONE;
	for (const struct json *in = inputs->first; in; in = in->next) {
		const struct json *group = json_get(in, "key");

		if (!json_is(group, JSON_OBJECT))
			group = json_get(in, "dimensions");
		if (json_get(group, "host"))
			return json_text(json_get(group, "host"));
		if (!first.n && json_is(group, JSON_OBJECT))
			first = json_text(group->first);
	}
	return first;
}

#define STATE "/statusExtended|/status"
#define DETECTOR "#/detectorId|#/detector"

/* An incident has one life: its clearing ends it, even where the clocks say otherwise. */
static const struct map of_incident[] = {
	{ EV_OCCURRED, "/timestamp", TIME, .only = ON_TRIGGER },
	{ EV_OCCURRED, "/timestamp", EPOCH, .only = ON_TRIGGER },
	{ EV_END }
};

static const struct map of_rule[] = {
	{ EV_OCCURRED, "/timestamp", TIME },
	{ EV_OCCURRED, "/timestamp", EPOCH },
	{ EV_END }
};

static const struct variant variants[] = {
	{ "#/incidentId", NULL, of_incident },
	{ DETECTOR, NULL, of_rule },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_ACTION, "/statusExtended", WORD, states },
	{ EV_ACTION, "/status", WORD, states },
	{ EV_EVENT_ID, "{#/incidentId}:{" STATE "}:{/timestamp}", DERIVED },
	{ EV_DEDUP_KEY, "#/incidentId" },
	{ EV_DEDUP_KEY, "{" DETECTOR "}[:{/rule}][:{=/dimensions}]" },
	{ EV_SEVERITY, "/severity", WORD, severity_words },
	{ EV_NATIVE_SEVERITY, "/severity" },
	{ EV_SUMMARY, "/messageTitle" },
	{ EV_SUMMARY, "{/rule}[: {/description}]" },
	{ EV_SUMMARY, "/description|/detector" },
	{ EV_SUMMARY, "'Splunk sent no alert: the integration was saved'", .only = ON_IGNORE },
	{ EV_DESCRIPTION, "/messageBody|/description" },
	{ EV_SOURCE, "/dimensions/host|!host" },
	{ EV_SERVICE, "/dimensions/sf_service|/detector" },
	{ EV_EVENT_TYPE, "alert.{" STATE "}", SNAKE },
	{ EV_ENTITY_TYPE, "'incident'" },
	{ EV_ENTITY_ID, "#/incidentId" },
	{ EV_LINK, "/detectorUrl" },
	{ EV_LINK, "/runbookUrl" },
	{ EV_LINK, "/imageUrl" },
	{ EV_DETAILS, "/timestamp" },
	{ EV_DETAILS, "/dimensions" },
	{ EV_DETAILS, "/inputs" },
	{ EV_DETAILS, "/originatingMetric" },
	{ EV_DETAILS, "/detectOnCondition" },
	{ EV_DETAILS, "/detectOffCondition" },
	{ EV_DETAILS, "/tip" },
	{ EV_DETAILS, "/triggeredWhileMuted" },
	{ EV_END }
};

static const struct opening opens[] = { { "/inputs" }, { "/dimensions" }, { 0 } };

/* What is sent when the integration is saved may be an empty object; anything else must say what
 * happened. */
static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	if (w->element->count && !expr_eval(a, STATE "|#/incidentId|" DETECTOR "|/rule", w).n) {
		ev->invalid = "statusExtended";
		return false;
	}
	return true;
}

/* ---- setting it up, and trying it ------------------------------------------------------------- */

static const struct step steps[] = {
	{ "In Splunk Observability Cloud open Data Management, Deployed integrations, Add Integration, "
		"search for Webhook, and choose New Integration.", NULL },
	{ "URL:", "{url}" },
	{ "Shared secret:", "{secret}" },
	{ "Leave the payload as it is; a payload of your own must keep incidentId, statusExtended, "
		"severity and timestamp. Save.", NULL },
	{ "In each alert rule of a detector open Alert recipients, Add Recipient, Webhook, and choose "
		"this integration.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.body = "{'sf_schema':2,'detector':'test-service','detectorId':'TEST$nonce',"
		"'detectorUrl':'https://app.us1.signalfx.com/#/detector/TEST$nonce/edit',"
		"'incidentId':'TEST$nonce','eventType':'TEST$nonce__CPU','rule':'CPU Usage High',"
		"'messageTitle':'[Splunk Observability] Test Alert - CPU Usage High',"
		"'messageBody':'Sent by Grapnel to try this integration; nothing is wrong.',"
		"'severity':'Major','status':'anomalous','statusExtended':'anomalous',"
		"'originatingMetric':'cpu.utilization','detectOnCondition':'when(A > 90)',"
		"'imageUrl':'https://app.us1.signalfx.com/#/chart/TEST$nonce','timestamp':'$time',"
		"'dimensions':{'host':'test-host','sf_service':'test-service'},"
		"'inputs':{'A':{'key':{'host':'test-host'},'value':95.2,"
		"'fragment':'data(cpu.utilization)'}}}",
};

const struct provider provider_splunk_observability = {
	.slug = "splunk-observability",
	.title = "Splunk Observability Cloud",
	.group = GROUP_MONITORING,
	.about = "Alerts of detectors, with their clearing and manual resolution; once SignalFx.",
	.signs = "HMAC-SHA256 of the body in X-SFX-Signature, as base64; HMAC-SHA1 of old senders where "
		"you allow it.",
	.on_error = "Splunk takes nothing but 200 for success, and repeats for up to 24 hours.",
	.settings = settings,
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON | BODY_EMPTY,
	.flags = ANSWER_200,
	.actions = DO_INCIDENT,
	.proofs = proofs,
	.opens = opens,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_ERROR,
	.own = own,
	.adjust = adjust,
};
