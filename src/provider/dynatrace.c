/* Dynatrace: one problem per request, in a template of the user's. PID names the problem and is the
 * same from OPEN to RESOLVED; the display id P-... is not promised to be unique for ever.
 *
 * Placeholders of old versions are put into JSON as they are: line breaks in strings are taken, a
 * quote is an error. Entities and details are unquoted JSON in the default template, and users quote
 * them. There is no time in the body but the problem's own beginning and end, which would be a wrong
 * barrier when a problem grows. Nothing is signed; repeats are not documented.
 *
 * Dynatrace ranks availability above errors (Keep does not). The words of the inner JSON differ:
 * CLOSED there is RESOLVED outside. Source: keephq/keep dynatrace_provider.py, PagerTree's and
 * FireHydrant's receivers. */
#include "provider_int.h"

static const struct word states[] = {
	{ "open", ACTION_TRIGGER },
	{ "resolved", ACTION_RESOLVE },
	{ "closed", ACTION_RESOLVE },
	{ "merged", ACTION_RESOLVE },	/* lives on in another problem */
	{ 0 }
};

static const struct word trigger[] = { { "trigger", ACTION_TRIGGER }, { 0 } };
static const struct word test[] = { { "test", ACTION_IGNORE }, { 0 } };

static const struct word severities[] = {
	{ "availability", SEVERITY_CRITICAL },
	{ "error", SEVERITY_ERROR },
	{ "monitoring_unavailable", SEVERITY_ERROR },
	{ "performance", SEVERITY_WARNING },
	{ "resource", SEVERITY_WARNING },
	{ "resource_contention", SEVERITY_WARNING },
	{ "custom", SEVERITY_WARNING },
	{ "custom_alert", SEVERITY_WARNING },
	{ "info", SEVERITY_INFO },
	{ 0 }
};

/* The name of the first impacted entity that is a service. */
static struct str own(struct arena *a, struct str name, const struct where *w)
{
	const struct json *entities = json_get(w->element, "ImpactedEntities");

	if (!json_is(entities, JSON_ARRAY))
		return STR_NONE;
	for (const struct json *e = entities->first; e; e = e->next)
		if (str_ieq(json_text(json_get(e, "type")), name))
			return json_text(json_get(e, "name"));
	return STR_NONE;
}

/* ---- rows ------------------------------------------------------------------------------------ */

#define PROBLEM "#/PID|#/ProblemID"
#define SEVERITY "/ProblemSeverity|/ProblemDetailsJSON/severityLevel|/ProblemDetailsJSONv2/severityLevel"
#define ON_PROBLEM (ON_ALL & ~ON_IGNORE)

/* "Send test notification" */
static const char *const test_ids[] = { "99999", "999", NULL };

static const char *const test_title[] = { "Dynatrace problem notification test run", NULL };

static const struct map tested[] = {
	{ EV_ACTION, "'test'", WORD, test },
	{ EV_END }
};

static const char *const merged_state[] = { "merged", NULL };

static const struct map merged[] = {
	{ EV_EVENT_TYPE, "'problem.merged'" },
	{ EV_END }
};

static const struct variant variants[] = {
	{ PROBLEM, test_ids, tested },
	{ "/ProblemTitle", test_title, tested },
	{ "/State", merged_state, merged },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_ACTION, "/State", WORD, states },
	{ EV_ACTION, "'trigger'", WORD, trigger },
	{ EV_EVENT_ID, "{" PROBLEM "}:{/State|'OPEN'}:{$body}", DERIVED },
	{ EV_DEDUP_KEY, PROBLEM, .only = ON_PROBLEM },
	{ EV_DEDUP_KEY, "{/ProblemTitle}[:{/ImpactedEntity}]", .only = ON_PROBLEM },
	{ EV_SEVERITY, SEVERITY, WORD, severities },
	{ EV_SEVERITY, SEVERITY, WORD, severity_words },
	{ EV_NATIVE_SEVERITY, SEVERITY },
	{ EV_SUMMARY, "/ProblemTitle|" PROBLEM },
	/* Shown as text, the HTML too. */
	{ EV_DESCRIPTION, "/ProblemDetailsText|/ProblemDetails|/ProblemDetailsMarkdown|"
		"/ProblemDetailsHTML" },
	{ EV_SOURCE, "/ImpactedEntities/0/name|/ImpactedEntity|/ImpactedEntityNames|"
		"/NamesOfImpactedEntities" },
	{ EV_SERVICE, "!service" },
	{ EV_EVENT_TYPE, "'problem.resolved'", .only = ON_RESOLVE },
	{ EV_EVENT_TYPE, "'problem.open'" },
	{ EV_ENTITY_TYPE, "'problem'" },
	{ EV_ENTITY_ID, PROBLEM },
	{ EV_LINK, "/ProblemURL|/Problem URL" },
	{ EV_DETAILS, "/ProblemID" },
	{ EV_DETAILS, "/ProblemImpact" },
	{ EV_DETAILS, "/ImpactedEntities" },
	{ EV_DETAILS, "/Tags" },
	{ EV_END }
};

/* A record of Kafka's REST proxy. */
static const struct wrap wraps[] = { { "'value'", "/value" }, { 0 } };

static const struct opening opens[] = {
	{ "/ImpactedEntities" },
	{ "/ProblemDetailsJSON" },
	{ "/ProblemDetailsJSONv2" },
	{ 0 }
};

static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	if (ev->action != ACTION_IGNORE && ev->dedup_key.n == 0)
		ev->invalid = "PID";
	return !ev->invalid;
}

/* ---- setting it up, and trying it ------------------------------------------------------------- */

static const struct step steps[] = {
	{ "In Dynatrace open Settings, Integration, Problem notifications, Add notification, and choose "
		"Custom integration. Webhook URL:", "{url}" },
	{ "Add an additional HTTP header Authorization, marked as secret:", "Bearer {key}" },
	{ "Switch on: send notification if problem is closed. Without it nothing ends.", NULL },
	{ "Custom payload:", "{\n"
		"  \"PID\": \"{PID}\",\n"
		"  \"ProblemID\": \"{ProblemID}\",\n"
		"  \"State\": \"{State}\",\n"
		"  \"ProblemTitle\": \"{ProblemTitle}\",\n"
		"  \"ProblemSeverity\": \"{ProblemSeverity}\",\n"
		"  \"ProblemImpact\": \"{ProblemImpact}\",\n"
		"  \"ProblemURL\": \"{ProblemURL}\",\n"
		"  \"ImpactedEntity\": \"{ImpactedEntity}\",\n"
		"  \"ImpactedEntities\": {ImpactedEntities},\n"
		"  \"ProblemDetailsText\": \"{ProblemDetailsText}\",\n"
		"  \"Tags\": \"{Tags}\"\n"
		"}" },
	{ "Send test notification. It is kept and opens no incident.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.body = "{'PID':'7057$ms_$msV2','ProblemID':'P-$seconds','State':'OPEN',"
		"'ProblemTitle':'[Dynatrace] Test Alert - CPU Usage High','ProblemSeverity':'ERROR',"
		"'ProblemImpact':'SERVICE',"
		"'ProblemURL':'https://abc12345.live.dynatrace.com/#problems/problemdetails;pid=$ms',"
		"'ImpactedEntity':'Failure rate increase on test-service',"
		"'ImpactedEntities':[{'type':'SERVICE','name':'test-service','entity':'SERVICE-$nonce'}],"
		"'ProblemDetailsText':'Sent by Grapnel to try this integration; nothing is wrong.',"
		"'Tags':'env:test, service:test-service'}",
};

const struct provider provider_dynatrace = {
	.slug = "dynatrace",
	.title = "Dynatrace",
	.group = GROUP_MONITORING,
	.about = "Problems, with the entities they touch, until they are resolved or merged.",
	.signs = "Dynatrace cannot sign; it sends the key in a header that it keeps as a secret.",
	.on_error = "Dynatrace does not say whether it repeats: what is not answered with 2xx may be lost.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON | BODY_LOOSE,
	.actions = DO_INCIDENT,
	.each = "/records",
	.alone = "'a problem'",
	.wraps = wraps,
	.opens = opens,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_ERROR,
	.own = own,
	.adjust = adjust,
};
