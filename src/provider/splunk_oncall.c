/* Splunk On-Call, once VictorOps, in both directions: messages that a tool made for VictorOps' REST
 * endpoint now sends here; its own outgoing webhooks, a flat object whose names hold dots, or what a
 * user made of it; and escalation webhooks, a form, the only thing that is signed.
 *
 * In an outgoing webhook the incident's phase counts: state and alert may still be those of the
 * first alert. The signature is HMAC-SHA1 over the URL as configured and the sorted form. Senders
 * written for VictorOps are answered as it answers; a message without a type is a failure with 200.
 * Source: splunk/public-o11y-docs sp-oncall, rest-endpoint-integration-guide,
 * custom-outbound-webhooks, escalation-webhooks; Puppet Relay's capture of an outgoing body. */
#include "provider_int.h"

static const struct proof escalation_signature = {
	.name = "victorops-escalation",
	.header = "x-victorops-signature",
	.encoding = ENC_BASE64,
	.digest = DIGEST_SHA1,
	.parts = { "$url", "$form" },
};

static const struct proof *const proofs[] = { &escalation_signature, NULL };

static const struct word phases[] = {
	{ "unacked", ACTION_TRIGGER },
	{ "triggered", ACTION_TRIGGER },
	{ "acked", ACTION_ACKNOWLEDGE },
	{ "acknowledged", ACTION_ACKNOWLEDGE },
	{ "resolved", ACTION_RESOLVE },
	{ 0 }
};

/* VictorOps takes any other for INFO. */
static const struct word types[] = {
	{ "critical", ACTION_TRIGGER },
	{ "warning", ACTION_TRIGGER },
	{ "acknowledgement", ACTION_ACKNOWLEDGE },
	{ "acknowledgment", ACTION_ACKNOWLEDGE },
	{ "recovery", ACTION_RESOLVE },
	{ "ok", ACTION_RESOLVE },
	{ 0 }
};

static const struct word severities[] = {
	{ "critical", SEVERITY_CRITICAL },
	{ "warning", SEVERITY_WARNING },
	{ 0 }
};

static const struct word trigger[] = { { "trigger", ACTION_TRIGGER }, { 0 } };
static const struct word ignore[] = { { "ignore", ACTION_IGNORE }, { 0 } };

/* Of an outgoing webhook, by what all its names begin with. */
static bool is_about(const struct json *doc, const char *subject)
{
	for (const struct json *j = doc->first; j; j = j->next)
		if (str_starts(j->name, subject))
			return true;
	return false;
}

/* Those that tell of pages, shifts and chats and not of incidents. */
static struct str own(struct arena *a, struct str name, const struct where *w)
{
	static const struct {
		const char *subject, *type;
	} others[] = { { "PAGE.", "page" }, { "ONCALL.", "oncall" }, { "CHAT.", "chat" } };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (is_about(w->element, others[i].subject))
			return str_of(others[i].type);
	return STR_NONE;
}

/* ---- rows: the names are whole, dots and all ------------------------------------------------- */

#define PHASE "/INCIDENT.CURRENT_PHASE|/STATE.CURRENT_ALERT_PHASE|/alert_phase|/CURRENT_ALERT_PHASE"
#define TYPE "/message_type|/ALERT.message_type"
#define STATE "/INCIDENT.ENTITY_STATE|/STATE.CURRENT_STATE|/ALERT.entity_state|" TYPE
#define ENTITY "#/entity_id|#/STATE.ENTITY_ID|#/ALERT.entity_id|#/INCIDENT.INCIDENT_ID"

static const struct map escalation[] = {
	{ EV_ACTION, "'trigger'", WORD, trigger },
	{ EV_EVENT_ID, "{/Incident}:{$body}", DERIVED },
	{ EV_DEDUP_KEY, "incident:{/Incident}" },
	{ EV_SEVERITY, "'critical'", WORD, severities },	/* others do not escalate */
	{ EV_SUMMARY, "/Summary" },
	{ EV_DESCRIPTION, "/Message" },
	{ EV_EVENT_TYPE, "'incident.escalated'" },
	{ EV_ENTITY_ID, "/Incident" },
	{ EV_END }
};

static const struct map of_others[] = {
	{ EV_ACTION, "'ignore'", WORD, ignore },
	{ EV_EVENT_TYPE, "!other" },
	{ EV_END }
};

static const struct map with_state[] = {
	{ EV_SEVERITY, STATE, WORD, severities },
	{ EV_SEVERITY, "'info'", WORD, severity_words },
	{ EV_NATIVE_SEVERITY, STATE },
	{ EV_END }
};

static const struct variant variants[] = {
	{ "{/Incident}{/Summary|/Message}", NULL, escalation },
	{ "!other", NULL, of_others },
	{ STATE, NULL, with_state },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_ACTION, PHASE, WORD, phases },
	{ EV_ACTION, TYPE, WORD, types },
	{ EV_EVENT_ID, "{/ALERT.VO_UUID}:{" PHASE "}", DERIVED },
	{ EV_DEDUP_KEY, ENTITY },
	/* VictorOps makes up an id for it: each such message is an alert of its own. */
	{ EV_DEDUP_KEY, "$body", .only = ON_ALL & ~ON_IGNORE },
	{ EV_SUMMARY, "/entity_display_name|/INCIDENT.ENTITY_DISPLAY_NAME|"
		"/ALERT.entity_display_name|/INCIDENT.SERVICE|/display_name" },
	{ EV_SUMMARY, "/state_message|/message|" ENTITY },
	{ EV_DESCRIPTION, "/state_message|/ALERT.state_message|/message" },
	{ EV_SOURCE, "/hostname|/host_name|/INCIDENT.HOST|/monitoring_tool|/ALERT.monitoring_tool" },
	{ EV_SERVICE, "/service|/INCIDENT.SERVICE" },
	{ EV_EVENT_TYPE, "incident.{" PHASE "}", LOWER },
	{ EV_EVENT_TYPE, "alert.{" TYPE "}", LOWER },
	{ EV_EVENT_TYPE, "'alert'" },
	{ EV_ENTITY_TYPE, "'incident'" },
	{ EV_ENTITY_ID, "#/INCIDENT.INCIDENT_ID|" ENTITY },
	{ EV_LINK, "/alert_url" },
	{ EV_LINK, "/vo_annotate.u.*" },
	{ EV_DETAILS, "/vo_annotate.s.*" },
	{ EV_DETAILS, "/vo_annotate.i.*" },
	{ EV_DETAILS, "/monitoring_tool" },
	{ EV_DETAILS, "/ack_author" },
	{ EV_DETAILS, "/ack_msg" },
	{ EV_DETAILS, "/STATE.ACK_USER" },
	{ EV_DETAILS, "/STATE.ACK_MSG" },
	{ EV_END }
};

/* ---- the REST endpoint's answer -------------------------------------------------------------- */

#define ANSWER_MAX 2048

static bool is_rest_message(const struct json *doc)
{
	return !json_get(doc, "Incident") && !is_about(doc, "INCIDENT.") && !is_about(doc, "STATE.") &&
		!is_about(doc, "ALERT.") && !is_about(doc, "PAGE.") && !is_about(doc, "ONCALL.") &&
		!is_about(doc, "CHAT.");
}

static void answer_success(struct json_out *o, const struct event *ev)
{
	json_key(o, "result");
	json_strz(o, "success");
	json_key(o, "entity_id");
	json_str(o, ev->entity_id.n ? ev->entity_id : ev->event_id);
}

static void answer_failure(struct json_out *o)
{
	json_key(o, "result");
	json_strz(o, "failure");
	json_key(o, "message");
	json_strz(o, "Missing fields: message_type");
}

static bool rest_answer(const struct provider *p, struct arena *a, const struct inbound *in,
	const struct refusal *refusal, const struct outcome *outcomes, size_t n,
	struct answer *answer)
{
	struct json_out o;
	struct strbuf b;

	if (refusal || n != 1 || !is_rest_message(in->doc))
		return false;
	strbuf_init(&b, a, ANSWER_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	if (outcomes->event->action == ACTION_IGNORE && str_eqs(outcomes->event->event_type, "alert"))
		answer_failure(&o);
	else
		answer_success(&o, outcomes->event);
	json_close(&o, '}');
	*answer = (struct answer){ .status = 200, .body = strbuf_str(&b) };
	return true;
}

/* ---- setting it up, and trying it ------------------------------------------------------------- */

static const struct step steps[] = {
	{ "A tool that was made for VictorOps or Splunk On-Call, and posts to its REST endpoint, takes "
		"this URL instead. Where its URL must end in key and routing key, this one:",
		"{base}/integrations/generic/20131114/alert/{key}/default" },
	{ "To follow incidents of Splunk On-Call itself: Integrations, Outgoing Webhooks, Add Webhook. "
		"Events Any-Incident, method POST, content type application/json, to:", "{url}" },
	{ "There add a custom header Authorization:", "Bearer {key}" },
	{ "Leave the payload as it is; a payload of your own must keep entity_id and alert_phase.", NULL },
	{ "Escalation webhooks are signed: make an integration of their own for them, with this URL in "
		"Splunk On-Call and its auth key as signature secret here.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.content_type = "application/x-www-form-urlencoded",
	.body = "Incident=$nonce&Summary=%5BSplunk+On-Call%5D+Test+Alert+-+CPU+Usage+High"
		"&Message=Sent+by+Grapnel+to+try+this+integration%3B+nothing+is+wrong.",
	.severity = "escalated",
};

const struct provider provider_splunk_oncall = {
	.slug = "splunk-oncall",
	.title = "Splunk On-Call",
	.group = GROUP_MONITORING,
	.about = "What tools send to VictorOps' REST endpoint, and its own outgoing and escalation webhooks.",
	.signs = "HMAC-SHA1 of URL and form in X-VictorOps-Signature, of escalation webhooks alone; all "
		"others send the key in the URL or in a header.",
	.on_error = "Splunk On-Call does not say that it repeats: what is not answered with 2xx may be lost.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON | BODY_FORM,
	.flags = SECRET_OPTIONAL,
	.actions = DO_INCIDENT,
	.proofs = proofs,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_ERROR,
	.own = own,
	.answer = rest_answer,
};
