/* New Relic: an issue or incident per request, in two generations. Workflows send what their
 * template says, by default `id`, `state`, `trigger`, `priority`; the legacy channel sends
 * `incident_id` and `current_state`. Templates of third parties imitate the legacy names, with an issue's UUID as the
 * incident's id, so key and severity are looked for under all of them.
 *
 * The default template never says ACKNOWLEDGED: someone's acknowledgement is state ACTIVATED with
 * trigger USER_ACTION. Ids of incidents count within an account, which may stand in a URL alone.
 *
 * It cannot sign. Sources: newrelic/docs-website notification-integrations.mdx; zulip/zulip
 * zerver/webhooks/newrelic/fixtures. */
#include "provider_int.h"

static const struct word acknowledgements[] = {
	{ "activated.user_action", ACTION_ACKNOWLEDGE },
	{ 0 }
};

static const struct word states[] = {
	{ "created", ACTION_TRIGGER },
	{ "activated", ACTION_TRIGGER },
	{ "open", ACTION_TRIGGER },
	{ "acknowledged", ACTION_ACKNOWLEDGE },
	{ "closed", ACTION_RESOLVE },
	{ 0 }
};

static const struct word event_types[] = {
	{ "incident_open", ACTION_TRIGGER },
	{ "incident_acknowledged", ACTION_ACKNOWLEDGE },
	{ "incident_resolved", ACTION_RESOLVE },
	{ "incident_closed", ACTION_RESOLVE },
	{ 0 }
};

/* ---- what rows cannot reach ------------------------------------------------------------------ */

static bool is_uuid(struct str s)
{
	static const size_t dashes[] = { 8, 13, 18, 23 };

	if (s.n != 36)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(dashes); i++)
		if (s.p[dashes[i]] != '-')
			return false;
	return true;
}

/* "uuid": the id of an incident that is one, which counts in every account. */
static struct str own(struct arena *a, struct str name, const struct where *w)
{
	struct str id = expr_eval(a, "#/incident_id", w);

	return is_uuid(id) ? id : STR_NONE;
}

/* ---- rows ------------------------------------------------------------------------------------ */

#define ISSUE "#/id|#/issueId|#/issue_id"
#define ACCOUNT "#/account_id|&accounts/incident_url|&accounts/incident_acknowledge_url|" \
	"&accounts/violation_chart_url|&accounts/issueUrl"
#define SEVERITY "#/priority|#/severity"

static const struct map workflow[] = {
	{ EV_ACTION, "{/state}.{/trigger}", WORD, acknowledgements },
	{ EV_ACTION, "/state", WORD, states },
	{ EV_EVENT_ID, "{" ISSUE "|#/incident_id}:{/state}[:{/trigger}][:{/updatedAt}]", DERIVED },
	{ EV_EVENT_TYPE, "'issue.acknowledged'", .only = ON_ACKNOWLEDGE },
	{ EV_EVENT_TYPE, "issue.{/state}", LOWER },
	{ EV_ENTITY_TYPE, "'issue'" },
	{ EV_END }
};

static const struct map legacy[] = {
	{ EV_ACTION, "/current_state", WORD, states },
	{ EV_ACTION, "/event_type", WORD, event_types },
	{ EV_EVENT_ID, "{#/incident_id|" ISSUE "}:{/current_state|/event_type}[:{/timestamp}]",
		DERIVED },
	{ EV_EVENT_TYPE, "incident.{/current_state|/event_type}", LOWER, .only = ON_IGNORE },
	{ EV_EVENT_TYPE, "'incident.open'", .only = ON_TRIGGER },
	{ EV_EVENT_TYPE, "'incident.acknowledged'", .only = ON_ACKNOWLEDGE },
	{ EV_EVENT_TYPE, "'incident.closed'", .only = ON_RESOLVE },
	{ EV_ENTITY_TYPE, "'incident'" },
	{ EV_END }
};

/* A notice, and no trouble: the form of old agents. */
static const struct map deployment[] = {
	{ EV_EVENT_TYPE, "'deployment'" },
	{ EV_SUMMARY, "'New Relic deployment'" },
	{ EV_DETAILS, "/deployment" },
	{ EV_END }
};

static const struct variant variants[] = {
	{ "/state", NULL, workflow },
	{ "/current_state|/event_type", NULL, legacy },
	{ "/deployment", NULL, deployment },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_DEDUP_KEY, ISSUE "|!uuid" },
	{ EV_DEDUP_KEY, "[{" ACCOUNT "}:]{#/incident_id}" },
	{ EV_ENTITY_ID, ISSUE "|#/incident_id" },
	{ EV_SEVERITY, "#/priority", WORD, severity_words },
	{ EV_SEVERITY, "#/severity", WORD, severity_words },
	{ EV_NATIVE_SEVERITY, SEVERITY },
	{ EV_SUMMARY, "/title" },
	{ EV_SUMMARY, "{/condition_name}[: {/details}]" },
	{ EV_SUMMARY, "/details" },
	{ EV_DESCRIPTION, "/details" },
	{ EV_SOURCE, "/impactedEntities/0|/impactedEntities|/targets/0/name" },
	{ EV_SERVICE, "/alertPolicyNames/0|/alertPolicyNames|/policy_name|/policyName" },
	{ EV_OCCURRED, "/updatedAt", EPOCH },
	{ EV_OCCURRED, "/createdAt", EPOCH, .only = ON_TRIGGER },
	{ EV_OCCURRED, "/timestamp", EPOCH },
	{ EV_LINK, "/issueUrl" },
	{ EV_LINK, "/incident_url" },
	{ EV_LINK, "/violation_chart_url" },
	{ EV_LINK, "/runbook_url" },
	{ EV_DETAILS, "/alertConditionNames" },
	{ EV_DETAILS, "/alertPolicyNames" },
	{ EV_DETAILS, "/impactedEntities" },
	{ EV_DETAILS, "/totalIncidents" },
	{ EV_DETAILS, "/workflowName" },
	{ EV_DETAILS, "/condition_name" },
	{ EV_DETAILS, "/targets" },
	{ EV_DETAILS, "/owner" },
	{ EV_DETAILS, "/labels" },
	{ EV_END }
};

/* What is to open or to end an incident must name it. */
static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	if (ev->action != ACTION_IGNORE && !ev->dedup_key.n)
		ev->invalid = "id";
	return !ev->invalid;
}

/* ---- setting it up, and trying it ------------------------------------------------------------- */

static const struct step steps[] = {
	{ "In New Relic open Alerts, Destinations, and add a Webhook. Endpoint URL:", "{url}" },
	{ "Authorization: Bearer token. Token:", "{key}" },
	{ "Open Alerts, Workflows, Add a workflow; choose which issues it sends, and as channel the "
		"Webhook with that destination.", NULL },
	{ "Leave the payload template as it is, or keep at least its id, state, trigger, priority, title "
		"and updatedAt.", NULL },
	{ "Notify when: activated, acknowledged and closed. Send test notification, then Activate "
		"workflow.", NULL },
	{ "New Relic cannot sign. If its addresses are known to you, enter them as the only ones that may "
		"send.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.body = "{'id':'nr-test-$ms-$nonce',"
		"'issueUrl':'https://one.newrelic.com/alerts-ai/issues?account=1&id=$nonce',"
		"'title':'[New Relic] Test Alert - CPU Usage High','priority':'HIGH',"
		"'impactedEntities':['test-host'],'totalIncidents':1,'state':'CREATED',"
		"'trigger':'INCIDENT_ADDED','isCorrelated':false,'createdAt':$ms,'updatedAt':$ms,"
		"'sources':['newrelic'],'alertPolicyNames':['test-service'],"
		"'alertConditionNames':['CPU usage'],'workflowName':'grapnel',"
		"'labels':{'service':'test-service','env':'test'}}",
};

const struct provider provider_newrelic = {
	.slug = "newrelic",
	.title = "New Relic",
	.group = GROUP_MONITORING,
	.about = "Issues from workflows and incidents from the legacy channel: opened, acknowledged, closed.",
	.signs = "New Relic cannot sign; it sends the key as bearer token.",
	.on_error = "New Relic repeats a few times at once; answers have to be fast.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON | BODY_FORM,
	.actions = DO_INCIDENT,
	.needs = { "/state|/current_state|/event_type|/deployment", "state" },
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_ERROR,
	.own = own,
	.adjust = adjust,
};
