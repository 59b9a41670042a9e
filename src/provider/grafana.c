/* Grafana: unified alerting sends groups as Alertmanager does, so its rows are Alertmanager's with
 * some more; legacy alerting (the default before 9, gone in 11) sends one rule per request, whose
 * `state` says all. Rules on no data and errors of a data source are alerts like any other.
 *
 * The signature (newer releases): hex HMAC-SHA256 of the body, or of "<seconds>:" and the body once
 * the user names a header for the time. Both headers' names are the user's. The one of the time has
 * no default there; X-Grafana-Alerting-Timestamp is what our steps propose, so it counts unasked.
 *
 * groupKey is never a key: in tests and some versions it holds a time. Sources: grafana/alerting
 * receivers/webhook/v1/webhook.go, http/hmac.go, templates/template_data.go; grafana/grafana docs
 * webhook-notifier.md. */
#include "provider_int.h"

#define SIGNATURE_HEADER "x-grafana-alerting-signature"
#define TIME_HEADER "x-grafana-alerting-timestamp"
#define TOLERANCE_S 300		/* the receiver's choice */

/* ---- the signature --------------------------------------------------------------------------- */

static const struct proof_stage signature_steps[] = {
	{ "header", "The header of the signature is there." },
	{ "timestamp", "It was signed within 300 s of now, where the time is signed too." },
	{ "parts", "All that is signed is there." },
	{ "secret", "The integration has a signature secret." },
	{ "digest", "The signature fits." },
	{ 0 }
};

/* The name in lower case, or `standard`. */
static const char *header_set(struct arena *a, const struct inbound *in, const char *setting,
	const char *standard)
{
	struct str name = str_trim(json_text(json_get(in->settings, setting)));

	return name.n ? arena_cstr(a, arena_lower(a, name)) : standard;
}

/* The scheme that the source's settings make. */
static struct proof scheme_of(struct arena *a, const struct inbound *in)
{
	bool timed = inbound_header(in, TIME_HEADER).n;
	const char *time = header_set(a, in, "timestampHeader", timed ? TIME_HEADER : NULL);
	struct proof p = {
		.name = "grafana",
		.header = header_set(a, in, "signatureHeader", SIGNATURE_HEADER),
		.encoding = ENC_HEX,
		.digest = DIGEST_SHA256,
		.parts = { "$body" },
	};

	if (time) {
		p.time = arena_printf(a, "@%s", time).p;
		p.tolerance_s = TOLERANCE_S;
		p.parts[0] = p.time;
		p.parts[1] = "':'";
		p.parts[2] = "$body";
	}
	return p;
}

static enum verdict verify(const struct proof *p, const struct proof_input *in,
	struct proof_report *r)
{
	struct proof scheme = scheme_of(in->arena, in->in);

	return proof_check_by(&scheme, in, r);
}

static bool sign(const struct proof *p, struct arena *a, struct inbound *in, struct str secret)
{
	struct proof scheme = scheme_of(a, in);

	return proof_sign((const struct proof *const[]){ &scheme, NULL }, a, in, secret);
}

static const struct proof signature = {
	.name = "grafana",
	.verify = verify,
	.steps = signature_steps,
	.sign = sign,
};

static const struct proof *const proofs[] = { &signature, NULL };

static const struct setting settings[] = {
	{ "signatureHeader", SETTING_TEXT, "Header of the signature",
		"As entered at the contact point; empty for X-Grafana-Alerting-Signature." },
	{ "timestampHeader", SETTING_TEXT, "Header of the signed time",
		"As entered at the contact point. Requests without it are refused then." },
	{ 0 }
};

/* ---- legacy alerting ------------------------------------------------------------------------- */

static const struct word states[] = {
	{ "alerting", ACTION_TRIGGER },
	{ "alert", ACTION_TRIGGER },
	{ "no_data", ACTION_TRIGGER },
	{ "ok", ACTION_RESOLVE },
	{ 0 }
};

static const struct word state_severities[] = { { "no_data", SEVERITY_WARNING }, { 0 } };

#define RULE "#/ruleId|/ruleUrl|/ruleName"
#define SEVERITY "/tags/severity|/tags/priority"

static const struct map legacy[] = {
	{ EV_ACTION, "/state", WORD, states },
	{ EV_DEDUP_KEY, "[{!org}:]{" RULE "}" },
	{ EV_EVENT_ID, "[{/orgId}:]{" RULE "}:{/state}:{$body}", DERIVED },
	{ EV_SEVERITY, "/tags/severity", WORD, severity_words },
	{ EV_SEVERITY, "/tags/priority", WORD, severity_words },
	{ EV_SEVERITY, "/state", WORD, state_severities },
	{ EV_NATIVE_SEVERITY, SEVERITY },
	{ EV_SUMMARY, "/ruleName|/title" },
	{ EV_DESCRIPTION, "/message" },
	{ EV_SERVICE, "/tags/service" },
	{ EV_EVENT_TYPE, "rule.{/state}", LOWER },
	{ EV_ENTITY_TYPE, "'rule'" },
	{ EV_ENTITY_ID, RULE },
	{ EV_LINK, "/ruleUrl" },
	{ EV_LINK, "/imageUrl" },
	{ EV_DETAILS, "/evalMatches" },
	{ EV_DETAILS, "/tags" },
	{ EV_END }
};

/* ---- unified alerting, where it says more than Alertmanager ------------------------------------ */

static const struct map unified[] = {
	{ EV_LINK, "/generatorURL" },
	{ EV_LINK, "/panelURL" },
	{ EV_LINK, "/dashboardURL" },
	{ EV_LINK, "/silenceURL" },
	{ EV_LINK, "/imageURL" },
	{ EV_DETAILS, "/values" },
	{ EV_DETAILS, "/valueString" },
	{ EV_END }
};

#define LEGACY "{/ruleId|/ruleName}{/state}"

static const struct variant variants[] = {
	{ LEGACY, NULL, legacy },
	{ "'unified'", NULL, unified },
	{ 0 }
};

/* "org": of the legacy body, but for the main one, which may be missing. */
static struct str own(struct arena *a, struct str name, const struct where *w)
{
	struct str org = expr_eval(a, "#/orgId", w);

	return str_eqs(org, "0") || str_eqs(org, "1") ? STR_NONE : org;
}

/* A template of the user's own may have replaced everything. */
static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	if (w->element != w->in->doc || json_is(json_get(w->element, "alerts"), JSON_ARRAY) ||
			expr_eval(a, LEGACY, w).n)
		return true;
	ev->invalid = "alerts";
	return false;
}

/* ---- setting it up, and trying it ------------------------------------------------------------- */

static const struct step steps[] = {
	{ "In Grafana open Alerting, Contact points, Add contact point; Integration: Webhook.", NULL },
	{ "URL:", "{url}" },
	{ "Optional Webhook settings: HTTP Method POST; Authorization Header - Scheme: Bearer; "
		"Authorization Header - Credentials:", "{key}" },
	{ "With HMAC Signature (newer releases) the request is signed instead. Secret:", "{secret}" },
	{ "Header: X-Grafana-Alerting-Signature, as proposed. Timestamp Header, so that nobody can repeat "
		"an old request:", "X-Grafana-Alerting-Timestamp" },
	{ "Leave Disable resolved message off, else nothing ends an incident by itself.", NULL },
	{ "Test sends an alert that is never resolved: it opens an incident. Save contact point, and choose it "
		"in a notification policy.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.headers = { { "user-agent", "Grafana" } },
	.body = "{'receiver':'grapnel','status':'firing','orgId':1,'alerts':[{'status':'firing',"
		"'labels':{'alertname':'HighCpuLoad','instance':'test-host','grafana_folder':'test',"
		"'service':'test-service','severity':'warning'},"
		"'annotations':{'summary':'[Grafana] Test Alert - CPU Usage High',"
		"'description':'Sent by Grapnel to try this integration; nothing is wrong.'},"
		"'startsAt':'$time','endsAt':'0001-01-01T00:00:00Z',"
		"'generatorURL':'https://grafana.example.org/alerting/grafana/7e57$nonce/view?orgId=1',"
		"'fingerprint':'7e57$nonce',"
		"'silenceURL':'https://grafana.example.org/alerting/silence/new?alertmanager=grafana',"
		"'dashboardURL':'','panelURL':'','values':{'B':95.2,'C':1}}],"
		"'groupLabels':{'alertname':'HighCpuLoad'},"
		"'commonLabels':{'alertname':'HighCpuLoad','severity':'warning'},"
		"'commonAnnotations':{},'externalURL':'https://grafana.example.org/','version':'1',"
		"'groupKey':'{}:{alertname=\\'HighCpuLoad\\'}','truncatedAlerts':0,"
		"'title':'[FIRING:1] HighCpuLoad','state':'alerting','message':'**Firing**'}",
};

const struct provider provider_grafana = {
	.slug = "grafana",
	.title = "Grafana",
	.group = GROUP_MONITORING,
	.about = "Alerts of unified and of legacy alerting, each with its end.",
	.signs = "HMAC-SHA256 of the body, and of the time if you want it, in X-Grafana-Alerting-Signature "
		"(newer releases). Without a secret, the key as bearer token.",
	.on_error = "Grafana does not repeat at once; the alert comes again with its next group interval or "
		"repeat, and a resolve that was lost may stay lost.",
	.settings = settings,
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST | METHOD_PUT,
	.bodies = BODY_JSON,
	.flags = SECRET_OPTIONAL,	/* releases before 12 do not sign */
	.actions = DO_INCIDENT,
	.proofs = proofs,
	.each = "/alerts",
	.alone = LEGACY,
	.variants = variants,
	.fields = alertmanager_fields,
	.severity_trigger = SEVERITY_ERROR,
	.own = own,
	.adjust = adjust,
};
