/* Google Cloud Monitoring: one transition of an incident per request. Only `state` says whether it
 * is open; `ended_at` may be set while it is. An incident's id lasts from open to close, and a new
 * violation has a new one; a policy may notify again every 30 minutes with the same.
 *
 * It cannot sign and sets no headers: the key is the password of Basic, or stands in the URL. With
 * Basic the first request comes without credentials and is repeated once a 401 has asked for them.
 * `documentation` is an object, a text (in tests) or missing. Sources: cloudforet-io
 * plugin-google-monitoring-mon-webhook docs/en/SAMPLE_DATA.md; alerta/alerta tests;
 * firehydrant/js-transposers. */
#include "provider_int.h"

static const struct word tests[] = { { "test", ACTION_IGNORE }, { 0 } };

static const struct word states[] = {
	{ "open", ACTION_TRIGGER },
	{ "closed", ACTION_RESOLVE },
	{ 0 }
};

/* "No severity" is none of these. */
static const struct word severities[] = {
	{ "critical", SEVERITY_CRITICAL },
	{ "error", SEVERITY_ERROR },
	{ "warning", SEVERITY_WARNING },
	{ 0 }
};

#define INCIDENT "/incident"
#define ID "#" INCIDENT "/incident_id"
#define RESOURCE INCIDENT "/resource_display_name|" INCIDENT "/resource_name"

static const struct map fields[] = {
	{ EV_ACTION, "/version", WORD, tests },
	{ EV_ACTION, INCIDENT "/state", WORD, states },
	{ EV_DEDUP_KEY, ID, .only = ON_TRIGGER | ON_RESOLVE },
	{ EV_DEDUP_KEY, "{" INCIDENT "/condition/name}:"
		"{#" INCIDENT "/resource_id|" INCIDENT "/resource_name}",
		.only = ON_TRIGGER | ON_RESOLVE },
	{ EV_EVENT_ID, "{" ID "|$key}:{" INCIDENT "/state}:{" INCIDENT "/ended_at}", DERIVED,
		.only = ON_RESOLVE },
	{ EV_EVENT_ID, "{" ID "|$key}:{" INCIDENT "/state}", DERIVED },
	SEVERITY_AT(INCIDENT "/severity", severities),
	SEVERITY_AT("#" INCIDENT "/policy_user_labels/severity", severity_words),
	{ EV_SUMMARY, INCIDENT "/summary|" INCIDENT "/documentation/subject" },
	{ EV_SUMMARY, INCIDENT "/condition_name|" INCIDENT "/condition/displayName" },
	{ EV_DESCRIPTION, INCIDENT "/documentation/content|" INCIDENT "/documentation" },
	{ EV_SOURCE, RESOURCE },
	{ EV_SERVICE, INCIDENT "/policy_user_labels/service|" INCIDENT "/policy_name" },
	{ EV_EVENT_TYPE, "incident.{" INCIDENT "/state}", LOWER },
	{ EV_ENTITY_TYPE, "'incident'" },
	{ EV_ENTITY_ID, ID },
	{ EV_OCCURRED, INCIDENT "/started_at", EPOCH, .only = ON_TRIGGER },
	{ EV_OCCURRED, INCIDENT "/ended_at", EPOCH, .only = ON_RESOLVE },
	{ EV_LINK, INCIDENT "/url" },
	{ EV_LINK, INCIDENT "/documentation/links/-/url" },
	{ EV_DETAILS, INCIDENT "/policy_name" },
	{ EV_DETAILS, INCIDENT "/condition_name" },
	{ EV_DETAILS, INCIDENT "/metric" },
	{ EV_DETAILS, INCIDENT "/resource" },
	{ EV_DETAILS, INCIDENT "/observed_value" },
	{ EV_DETAILS, INCIDENT "/threshold_value" },
	{ EV_DETAILS, INCIDENT "/policy_user_labels" },
	{ EV_DETAILS, INCIDENT "/scoping_project_id" },
	{ EV_END }
};

/* ---- setting it up, and trying it ------------------------------------------------------------- */

static const struct step steps[] = {
	{ "In the Google Cloud console open Monitoring, Alerting, Edit notification channels; at Webhooks "
		"choose Add new. Endpoint URL:", "{url}" },
	{ "Choose Use HTTP Basic Auth. Auth Username: grapnel. Auth Password:", "{key}" },
	{ "If your organization cannot use Basic, the key goes into the Endpoint URL:",
		"{url}?key={key}" },
	{ "Test Connection sends a test that opens no incident. Save.", NULL },
	{ "Choose the channel under Notifications and name in each alerting policy, with Notify on incident "
		"closure switched on.", NULL },
	{ "Google cannot sign these. A severity level in the policy, or a user label named severity, "
		"decides how grave an incident is.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.headers = { { "user-agent", "Google-Alerts" } },
	.body = "{'version':'1.2','incident':{'incident_id':'0.test$nonce',"
		"'scoping_project_id':'grapnel-test','scoping_project_number':123456789012,"
		"'url':'https://console.cloud.google.com/monitoring/alerting/incidents/0.test$nonce',"
		"'started_at':$seconds,'ended_at':null,'state':'open','severity':'Error',"
		"'summary':'[Google Cloud] Test Alert - CPU Usage High',"
		"'resource_id':'','resource_name':'grapnel-test test-host',"
		"'resource_display_name':'test-host','resource_type_display_name':'VM Instance',"
		"'resource':{'type':'gce_instance','labels':{'instance_id':'1','zone':'europe-west1-b'}},"
		"'metric':{'type':'compute.googleapis.com/instance/cpu/utilization',"
		"'displayName':'CPU utilization','labels':{}},"
		"'metadata':{'system_labels':{},'user_labels':{}},"
		"'policy_name':'test-service','policy_user_labels':{'service':'test-service'},"
		"'condition_name':'VM Instance - CPU utilization','observed_value':'0.952',"
		"'threshold_value':'0.9','documentation':{'content':'Sent by Grapnel to try this "
		"integration; nothing is wrong.','mime_type':'text/markdown'}}}",
};

const struct provider provider_google_cloud_monitoring = {
	.slug = "google-cloud-monitoring",
	.title = "Google Cloud Monitoring",
	.group = GROUP_CLOUD,
	.about = "Incidents of alerting policies, opened and closed.",
	.signs = "Google Cloud Monitoring cannot sign; the key is the password of Basic, or a part of the URL.",
	.on_error = "It is not documented how often it repeats; with Basic it repeats each request whose first try "
		"was answered with 401.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON,
	.flags = ASKS_FOR_BASIC,
	.actions = DO_INCIDENT,
	.needs = { INCIDENT "/state", "incident.state" },
	.fields = fields,
	.severity_trigger = SEVERITY_ERROR,
};
