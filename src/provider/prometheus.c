/* Prometheus Alertmanager: one request is a group of alerts, each with a status of its own. Only
 * alerts[].status says what happened: the group's is "firing" as soon as one is, and a firing
 * alert's endsAt may hold any time.
 *
 * No delivery id. An HA pair sends everything twice with equal ids; the same id after 10 minutes is
 * the repeat_interval's reminder. Mimir, VictoriaMetrics and others imitate the body with members
 * missing, so nothing is required but alerts. 4xx is dropped by the sender, only 5xx is repeated.
 * Source: prometheus/alertmanager notify/webhook/webhook.go, template/template.go,
 * docs/configuration.md. */
#include "provider_int.h"

#define FINGERPRINT "/fingerprint|=/labels"	/* old versions have none: the whole label set */
#define STATUS "/status|^/status"
#define SEVERITY "/labels/severity|^/commonLabels/severity|/labels/priority|/labels/level"

static const struct word actions[] = {
	{ "firing", ACTION_TRIGGER },
	{ "resolved", ACTION_RESOLVE },
	{ 0 }
};

static const struct word severities[] = {
	{ "page", SEVERITY_CRITICAL },
	{ "ticket", SEVERITY_WARNING },
	{ 0 }
};

const struct map alertmanager_fields[] = {
	{ EV_ACTION, STATUS, WORD, actions },
	{ EV_EVENT_ID, "{" FINGERPRINT "}:{/startsAt}:{" STATUS "}:{/endsAt}", DERIVED,
		.only = ON_RESOLVE },
	{ EV_EVENT_ID, "{" FINGERPRINT "}:{/startsAt}:{" STATUS "}", DERIVED,
		.only = ON_TRIGGER | ON_RESOLVE },
	{ EV_DEDUP_KEY, FINGERPRINT },
	{ EV_SEVERITY, SEVERITY, WORD, severities },
	{ EV_SEVERITY, SEVERITY, WORD, severity_words },
	{ EV_NATIVE_SEVERITY, SEVERITY },
	{ EV_SUMMARY, "/annotations/summary|/annotations/title|/annotations/message" },
	{ EV_SUMMARY, "/annotations/description" },
	{ EV_SUMMARY, "/labels/alertname" },
	{ EV_SUMMARY, "Group without alerts[ for {^/receiver}]", .only = ON_IGNORE },
	{ EV_DESCRIPTION, "/annotations/description|/annotations/message" },
	{ EV_SOURCE, "/labels/instance|/labels/pod|/labels/node|/labels/host|/labels/job" },
	{ EV_SERVICE, "/labels/service|/labels/app|/labels/job|/labels/namespace" },
	{ EV_EVENT_TYPE, "alert.{" STATUS "}", LOWER },
	{ EV_ENTITY_TYPE, "'alert'" },
	{ EV_ENTITY_ID, FINGERPRINT },
	{ EV_OCCURRED, "/startsAt", TIME, .only = ON_TRIGGER },
	{ EV_OCCURRED, "/endsAt", TIME, .only = ON_RESOLVE },
	{ EV_LINK, "/generatorURL" },
	{ EV_LINK, "/annotations/runbook_url" },
	{ EV_LINK, "/annotations/dashboard_url" },
	{ EV_LINK, "^/externalURL" },
	{ EV_DETAILS, "/labels" },
	{ EV_DETAILS, "/annotations" },
	/* Over 0: max_alerts cut the list, and what is lost may be a resolve. */
	{ EV_DETAILS, "^/truncatedAlerts" },
	{ EV_END }
};

/* ---- setting it up, and trying it ------------------------------------------------------------- */

static const struct step steps[] = {
	{ "Add a receiver to alertmanager.yml.",
		"receivers:\n"
		"  - name: grapnel\n"
		"    webhook_configs:\n"
		"      - url: {url}\n"
		"        send_resolved: true\n"
		"        http_config:\n"
		"          authorization:\n"
		"            credentials: {key}" },
	{ "Send alerts to it: make it the receiver of your route, or of one more route with continue: true.",
		"route:\n"
		"  receiver: grapnel" },
	{ "Check the file and reload Alertmanager.",
		"amtool check-config alertmanager.yml && systemctl reload alertmanager" },
	{ "Fire an alert of your own, or wait for the next one.",
		"amtool alert add GrapnelTest severity=warning --annotation=summary='Hello Grapnel'" },
	{ 0 }
};

static const struct sample sample = {
	.headers = { { "user-agent", "Alertmanager/0.28.1" } },
	.body = "{'receiver':'grapnel','status':'firing','alerts':[{'status':'firing',"
		"'labels':{'alertname':'HighCpuLoad','instance':'test-$nonce:9100','job':'node',"
		"'service':'test-service','severity':'warning'},"
		"'annotations':{'summary':'[Prometheus] Test Alert - CPU Usage High',"
		"'description':'Sent by Grapnel to try this integration; nothing is wrong.'},"
		"'startsAt':'$time','endsAt':'0001-01-01T00:00:00Z',"
		"'generatorURL':'http://prometheus.example.org:9090/graph?g0.expr=node_load1',"
		"'fingerprint':'7e57$nonce'}],"
		"'groupLabels':{'alertname':'HighCpuLoad'},"
		"'commonLabels':{'alertname':'HighCpuLoad','severity':'warning'},"
		"'commonAnnotations':{},'externalURL':'http://alertmanager.example.org:9093',"
		"'version':'4','groupKey':'{}/{}:{alertname=\\'HighCpuLoad\\'}','truncatedAlerts':0}",
};

const struct provider provider_prometheus = {
	.slug = "prometheus",
	.title = "Prometheus Alertmanager",
	.group = GROUP_MONITORING,
	.about = "Alerts of Prometheus, Mimir, Thanos or VictoriaMetrics, each with its end.",
	.signs = "Alertmanager cannot sign; it sends the key as bearer token.",
	.on_error = "Repeats on 5xx until the alert's next group interval; what is answered with 4xx is dropped.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON,
	.flags = FINAL_4XX,
	.actions = DO_INCIDENT,
	.each = "/alerts",
	.fields = alertmanager_fields,
	.severity_trigger = SEVERITY_ERROR,
};
