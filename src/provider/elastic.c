/* Elastic: Kibana's rules and Watcher. The body is whatever the user typed, so shapes are looked for
 * in the order of the tables here: a Watcher context (inside of `payload`, or alone), JSON inside of
 * strings, a summary with a list for each state, else one alert, in flat names or nested or as an
 * alert document.
 *
 * An alert's id ("web-7", "*") is only unique within its rule. In a summary the list says what
 * happened, alerts.all repeats the others. "Test" sends the template with its variables in place or
 * empty. Nothing is signed. Kibana repeats on 5xx and 429, not on other 4xx, and turns a redirected
 * POST into GET; Watcher waits 10 s and does not repeat. Source: elastic/kibana webhook connector,
 * elastic/docs-content actions-webhook.md, rule-action-variables.md. */
#include "provider_int.h"

static const struct word groups[] = { { "recovered", ACTION_RESOLVE }, { 0 } };

static const struct word states[] = {
	{ "recovered", ACTION_RESOLVE },
	{ "resolved", ACTION_RESOLVE },
	{ "ok", ACTION_RESOLVE },
	{ "inactive", ACTION_RESOLVE },
	{ "untracked", ACTION_RESOLVE },
	{ "acknowledged", ACTION_ACKNOWLEDGE },
	{ 0 }
};

static const struct word watch_states[] = {
	{ "resolved", ACTION_RESOLVE },
	{ "recovered", ACTION_RESOLVE },
	{ "ok", ACTION_RESOLVE },
	{ 0 }
};

static const struct word trigger[] = { { "trigger", ACTION_TRIGGER }, { 0 } };
static const struct word test[] = { { "test", ACTION_IGNORE }, { 0 } };

/* ---- who it is about ------------------------------------------------------------------------- */

static const char *const rule_ids[] = {
	"#/ruleId", "#/rule_id", "#.rule.id", "#.kibana.alert.rule.uuid",
	"#^/ruleId", "#^/rule_id", "#^.rule.id", NULL
};

static const char *const alert_ids[] = {
	"#/alertId", "#/alert_id", "#.alert.id", "#.kibana.alert.instance.id", "#.kibana.alert.id",
	"#/alertUuid", "#/alert_uuid", "#.alert.uuid", "#.kibana.alert.uuid", NULL
};

static struct str first_of(struct arena *a, const char *const *paths, const struct where *w)
{
	struct str value = STR_NONE;

	for (; *paths && !value.n; paths++)
		value = expr_eval(a, *paths, w);
	return value;
}

/* Is one of them a member of the body, even if nothing stands in it? */
static bool any_member(const char *const *paths, const struct where *w)
{
	for (; *paths; paths++)
		if (expr_json(*paths + strlen("#"), w))
			return true;
	return false;
}

#define REASON "/contextReason|/context_reason|.context.reason|.kibana.alert.reason|.alert.reason"
#define MESSAGE "/contextMessage|/context_message|.context.message"
#define RULE_NAME "/ruleName|/rule_name|.rule.name|.kibana.alert.rule.name|^.rule.name"

static bool is_summary(const struct where *w)
{
	return json_is(json_get(w->element, "alerts"), JSON_OBJECT);
}

/* No id, though the template has one; or nothing to show at all. */
static bool is_test(struct arena *a, const struct where *w)
{
	if (first_of(a, rule_ids, w).n || first_of(a, alert_ids, w).n)
		return false;
	if (any_member(rule_ids, w) || any_member(alert_ids, w))
		return true;
	return !expr_eval(a, REASON "|" MESSAGE "|" RULE_NAME "|/watch_id", w).n;
}

/* An entry of a summary may be an alert by itself, with no word of it before its names. */
static struct str alert_id(struct arena *a, const struct where *w)
{
	struct str id = first_of(a, alert_ids, w);

	return id.n || !w->list.n ? id : expr_eval(a, "#/id|#/uuid|#/_id", w);
}

static struct str own(struct arena *a, struct str name, const struct where *w)
{
	if (str_eqs(name, "rule"))
		return first_of(a, rule_ids, w);
	if (str_eqs(name, "alert"))
		return alert_id(a, w);
	if (str_eqs(name, "alone"))
		return is_summary(w) ? STR_NONE : name;
	return is_test(a, w) ? name : STR_NONE;
}

/* ---- rows ------------------------------------------------------------------------------------ */

#define ON_ALERT (ON_ALL & ~ON_IGNORE)

#define WATCH(status) \
	{ EV_ACTION, status, WORD, watch_states }, \
	{ EV_ACTION, "'trigger'", WORD, trigger }, \
	{ EV_EVENT_ID, "#/id", NATIVE }, \
	{ EV_DEDUP_KEY, "watch:{/watch_id}" }, \
	{ EV_SEVERITY, "</severity|/severity|/metadata/severity", WORD, severity_words }, \
	{ EV_NATIVE_SEVERITY, "</severity|/severity|/metadata/severity" }, \
	{ EV_SUMMARY, "/metadata/name|/watch_id" }, \
	{ EV_EVENT_TYPE, "'watch.resolved'", .only = ON_RESOLVE }, \
	{ EV_EVENT_TYPE, "'watch.fired'" }, \
	{ EV_ENTITY_TYPE, "'watch'" }, \
	{ EV_ENTITY_ID, "/watch_id" }, \
	{ EV_OCCURRED, "/trigger/triggered_time|/execution_time", TIME }, \
	{ EV_DETAILS, "/metadata" }, \
	{ EV_END }

/* A status inside of the payload is data, and none of the watch's. */
static const struct map watch_in_payload[] = { WATCH("</status") };
static const struct map watch[] = { WATCH("/status") };

static const struct map active[] = {
	{ EV_ACTION, "'trigger'", WORD, trigger },
	{ EV_END }
};

static const struct map recovered[] = {
	{ EV_ACTION, "'recovered'", WORD, groups },
	{ EV_END }
};

static const char *const active_lists[] = { "/alerts/new/data", "/alerts/ongoing/data", NULL };

static const struct variant variants[] = {
	{ "</payload/watch_id", NULL, watch_in_payload },
	{ "{/watch_id}{/trigger/triggered_time|/trigger/scheduled_time|/trigger|/execution_time}", NULL,
		watch },
	{ "$list", active_lists, active },
	{ "$list", NULL, recovered },
	{ 0 }
};

static const struct wrap wraps[] = {
	{ "/payload/watch_id", "/payload" },
	{ "'webhook_body'", "/webhook_body" },
	{ 0 }
};

static const struct opening opens[] = {
	{ "/alert_info", "alert" },
	{ "/rule_info", "rule" },
	{ "/context_info", "context" },
	{ 0 }
};

#define GROUP "/alertActionGroup|/alert_action_group|.alert.actionGroup|.kibana.alert.action_group"
#define GROUP_NAME "/alertActionGroupName|/alert_action_group_name|.alert.actionGroupName"
#define STATUS ".alert.status|.kibana.alert.status|/status|.event.action"
#define SEVERITY "/severity|.alert.severity|.kibana.alert.severity|.context.severity|" \
	".rule.severity|/metadata/severity|^/severity"
#define TIMES "/date|.context.timestamp|/@timestamp|^/date"

static const struct map fields[] = {
	{ EV_ACTION, "!test", WORD, test },
	{ EV_ACTION, GROUP, WORD, groups },
	{ EV_ACTION, GROUP_NAME, WORD, groups },
	{ EV_ACTION, STATUS, WORD, states },
	{ EV_ACTION, "'trigger'", WORD, trigger },
	{ EV_DEDUP_KEY, "{!rule}:{!alert}", .only = ON_ALERT },
	{ EV_DEDUP_KEY, "!alert", .only = ON_ALERT },
	{ EV_DEDUP_KEY, "!rule|" RULE_NAME, .only = ON_ALERT },
	{ EV_SEVERITY, SEVERITY, WORD, severity_words },
	{ EV_NATIVE_SEVERITY, SEVERITY },
	{ EV_SUMMARY, REASON "|" MESSAGE "|" RULE_NAME },
	{ EV_SUMMARY, "{!rule}[: {!alert}]" },
	{ EV_SUMMARY, "'Elastic sent no alert: a test, or a summary of none'", .only = ON_IGNORE },
	{ EV_DESCRIPTION, MESSAGE },
	{ EV_SOURCE, "!alert|.host.name" },
	{ EV_SERVICE, ".service.name|:service/ruleTags|:service/rule_tags|:service/rule/tags|"
		":service/kibana.alert.rule.tags|:service/kibana/alert/rule/tags|:service^/rule/tags" },
	{ EV_EVENT_TYPE, "'alert.active'", .only = ON_TRIGGER },
	{ EV_EVENT_TYPE, "'alert.recovered'", .only = ON_RESOLVE },
	{ EV_EVENT_TYPE, "'alert.acknowledged'", .only = ON_ACKNOWLEDGE },
	{ EV_EVENT_TYPE, "'alert'" },
	{ EV_ENTITY_TYPE, "'alert'" },
	{ EV_ENTITY_ID, "!alert" },
	{ EV_OCCURRED, TIMES, TIME },
	{ EV_OCCURRED, TIMES, EPOCH },
	{ EV_LINK, ".context.alertDetailsUrl" },
	{ EV_LINK, ".context.viewInAppUrl" },
	{ EV_LINK, "/contextUrl|/context_url" },
	{ EV_LINK, ".rule.url|^.rule.url" },
	{ EV_LINK, ".url.full" },
	{ EV_DETAILS, "/ruleName" },
	{ EV_DETAILS, "/ruleTags" },
	{ EV_DETAILS, ".rule.tags" },
	{ EV_DETAILS, ".kibana.alert.rule.tags" },
	{ EV_DETAILS, ".kibana.alert.evaluation.value" },
	{ EV_DETAILS, ".kibana.alert.evaluation.threshold" },
	{ EV_DETAILS, ".host.name" },
	{ EV_END }
};

/* A template without any of the names. */
static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	bool named = any_member(rule_ids, w) || any_member(alert_ids, w);

	if (ev->action == ACTION_IGNORE && !named && !is_summary(w)) {
		ev->invalid = "alertId";
		return false;
	}
	return true;
}

/* ---- setting it up, and trying it ------------------------------------------------------------- */

static const struct step steps[] = {
	{ "In Kibana open Stack Management, Connectors, Create connector, Webhook. Method POST, URL:",
		"{url}" },
	{ "Authentication: none. Add a header Authorization of the type secret:", "Bearer {key}" },
	{ "In the rule add an action with this connector for each alert, on status changes, with this "
		"body. Add it once for each action group, and once more for Recovered: without that, "
		"nothing ends.",
		"{\n"
		"  \"ruleId\": \"{{rule.id}}\",\n"
		"  \"ruleName\": \"{{rule.name}}\",\n"
		"  \"ruleTags\": \"{{rule.tags}}\",\n"
		"  \"alertId\": \"{{alert.id}}\",\n"
		"  \"alertUuid\": \"{{alert.uuid}}\",\n"
		"  \"alertActionGroup\": \"{{alert.actionGroup}}\",\n"
		"  \"contextReason\": \"{{context.reason}}\",\n"
		"  \"contextUrl\": \"{{context.alertDetailsUrl}}\",\n"
		"  \"severity\": \"critical\",\n"
		"  \"date\": \"{{date}}\"\n"
		"}" },
	{ "The severity is a word of your own: critical, error, warning or info.", NULL },
	{ "In a watch add a webhook action with method post, this URL, the same header, and this body.",
		"{{#toJson}}ctx{{/toJson}}" },
	{ 0 }
};

static const struct sample sample = {
	.headers = { { "user-agent", "Kibana" } },
	.body = "{'ruleId':'7e570000-0000-4000-8000-$nonce','ruleName':'CPU usage of hosts',"
		"'ruleTags':'service=test-service,env=test','alertId':'test-host',"
		"'alertUuid':'7e570000-0000-4000-8001-$nonce',"
		"'alertActionGroup':'metrics.threshold.fired','alertActionGroupName':'Alert',"
		"'contextReason':'[Elastic] Test Alert - CPU Usage High',"
		"'contextMessage':'Sent by Grapnel to try this integration; nothing is wrong.',"
		"'contextUrl':'https://kibana.example.org/app/observability/alerts/$nonce',"
		"'severity':'high','date':'$time'}",
};

const struct provider provider_elastic = {
	.slug = "elastic",
	.title = "Elastic (Kibana and Watcher)",
	.group = GROUP_MONITORING,
	.about = "Alerts of Kibana's rules, one by one or as a summary, and of Watcher.",
	.signs = "Neither Kibana nor Watcher can sign; they send the key in a header.",
	.on_error = "Kibana repeats on 5xx and 429, not on other 4xx; Watcher waits 10 s and does not repeat.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST | METHOD_PUT,
	.bodies = BODY_JSON,
	.actions = DO_INCIDENT,
	.each = "/alerts/new/data|/alerts/ongoing/data|/alerts/recovered/data",
	.alone = "!alone",
	.wraps = wraps,
	.opens = opens,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_ERROR,
	.own = own,
	.adjust = adjust,
};
