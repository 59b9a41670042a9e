/* Azure Monitor: alerts by the common schema, by each of the older ones, and what Event Grid
 * brings.
 *
 * One body looks so different from the next that each kind is a variant, chosen by a member that it
 * alone has, not by its schemaId: some leave that out, and some stand in one more "data". Two kinds
 * send a new alert id with each update, Service Health and Resource Health; their keys are the
 * tracking id and the resource, and the state is not the condition ("Fired" each time) but the
 * stage or the health. Ids of resources come in any case, so keys are in lower case.
 *
 * Nothing is signed. A secure webhook carries a token of Entra ID, made for an application that the
 * owner registered in his tenant. Event Grid asks before it delivers: by an event whose code must
 * come back in exactly 200, or by OPTIONS. Sources: MicrosoftDocs azure-docs
 * alerts-payload-samples.md, action-groups.md, alerts-non-common-schema-definitions.md; event-grid
 * end-point-validation-event-grid-events-schema.md, delivery-and-retry.md; alerta-contrib
 * webhooks/azuremonitor. */
#include "provider_int.h"

#define VALIDATION "Microsoft.EventGrid.SubscriptionValidationEvent"

/* ---- the token of a secure webhook ------------------------------------------------------------ */

#define LIFETIME_MAX_S (2 * 86400)	/* of tokens for services: usually 24 h */
#define TENANT_MAX 64

/* The applications of Microsoft's that send: action groups' "AZNS AAD Webhook", and Event Grid. */
#define ACTION_GROUPS "461e8683-5575-4561-ac7f-899cc907d62a"
#define EVENT_GRID "4962773b-9cdb-44cf-a8bf-237846a00ab7"

static const char *const algorithms[] = { "RS256", NULL };

static struct str setting_of(const struct proof_input *in, const char *name)
{
	return str_trim(json_text(json_get(in->in->settings, name)));
}

/* It becomes a part of a URL. */
static bool is_tenant(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdef-", s.p[i]))
			return false;
	return s.n > 0 && s.n <= TENANT_MAX;
}

/* Version 1 tokens name the application by its URI, version 2 by its id. */
static struct str other_audience(struct arena *a, struct str audience)
{
	static const char scheme[] = "api://";

	if (str_starts(audience, scheme))
		return str_sub(audience, strlen(scheme));
	return arena_printf(a, "%s%.*s", scheme, STR_ARG(audience));
}

static enum verdict verify_token(const struct proof *p, const struct proof_input *in,
	struct proof_report *r)
{
	struct arena *a = in->arena;
	struct str tenant = arena_lower(a, setting_of(in, "tenant"));
	struct str audience = setting_of(in, "audience"), caller = setting_of(in, "caller");
	struct str audiences[] = { audience, other_audience(a, audience) };
	struct str issuers[] = {
		arena_printf(a, "https://login.microsoftonline.com/%.*s/v2.0", STR_ARG(tenant)),
		arena_printf(a, "https://sts.windows.net/%.*s/", STR_ARG(tenant)),
	};
	struct jwt_claim from = { "azp|appid", STR(ACTION_GROUPS), STR(EVENT_GRID) };
	struct jwt_rule rule = {
		.algorithms = algorithms,
		.issuers = issuers,
		.issuer_n = ARRAY_SIZE(issuers),
		.audiences = audiences,
		.audience_n = ARRAY_SIZE(audiences),
		.keys_url = arena_printf(a, "https://login.microsoftonline.com/%.*s/discovery/v2.0/keys",
			STR_ARG(tenant)),
		.tolerance_s = 300,
		.lifetime_max_s = LIFETIME_MAX_S,
		.claims = &from,
		.claim_n = 1,
	};

	if (caller.n)
		from = (struct jwt_claim){ "azp|appid", caller, STR_NONE };
	if (is_tenant(tenant) && audience.n)
		return jwt_verify(&rule, in, r);
	proof_failed(r, "token", "The integration's settings lack the id of the %s.",
		is_tenant(tenant) ? "application (audience)" : "directory (tenant)");
	return NOT_PROVEN;
}

static const struct proof entra = {
	.name = "entra",
	.header = "authorization",
	.keyless = "tenant",
	.verify = verify_token,
	.steps = jwt_steps,
};

static const struct proof *const proofs[] = {
	&entra,
	&proof_x_signature,	/* of what stands between */
	&proof_x_webhook_signature,
	&proof_x_hub_signature,
	NULL
};

static const struct setting settings[] = {
	{ "tenant", SETTING_TEXT, "Directory (tenant) ID",
		"Of the Entra directory whose tokens count; empty if the key in the URL is the proof." },
	{ "audience", SETTING_TEXT, "Application (client) ID",
		"Of the application that you registered for the secure webhook, or its ID URI." },
	{ "caller", SETTING_TEXT, "Caller's application ID",
		"Empty for Azure's own action groups and Event Grid." },
	{ 0 }
};

/* ---- words ------------------------------------------------------------------------------------ */

static const struct word conditions[] = {
	{ "fired", ACTION_TRIGGER },
	{ "activated", ACTION_TRIGGER },
	{ "resolved", ACTION_RESOLVE },
	{ "deactivated", ACTION_RESOLVE },
	{ 0 }
};

static const struct word stages[] = {
	{ "active", ACTION_TRIGGER },
	{ "inprogress", ACTION_TRIGGER },
	{ "in progress", ACTION_TRIGGER },
	{ "planned", ACTION_TRIGGER },
	{ "resolved", ACTION_RESOLVE },
	{ "complete", ACTION_RESOLVE },
	{ "canceled", ACTION_RESOLVE },
	{ "rca", ACTION_RESOLVE },
	{ 0 }
};

static const struct word healths[] = {
	{ "available", ACTION_RESOLVE },
	{ "unavailable", ACTION_TRIGGER },
	{ "degraded", ACTION_TRIGGER },
	{ "unknown", ACTION_TRIGGER },
	{ 0 }
};

static const struct word record[] = { { "record", ACTION_IGNORE }, { 0 } };

static const struct word severities[] = {
	{ "sev0", SEVERITY_CRITICAL },
	{ "sev1", SEVERITY_ERROR },
	{ "sev2", SEVERITY_WARNING },
	{ "sev3", SEVERITY_INFO },
	{ "sev4", SEVERITY_INFO },
	{ "0", SEVERITY_CRITICAL },
	{ "1", SEVERITY_ERROR },
	{ "2", SEVERITY_WARNING },
	{ "3", SEVERITY_INFO },
	{ "4", SEVERITY_INFO },
	{ 0 }
};

static const struct word levels[] = {
	{ "critical", SEVERITY_CRITICAL },
	{ "error", SEVERITY_ERROR },
	{ "warning", SEVERITY_WARNING },
	{ "informational", SEVERITY_INFO },
	{ "verbose", SEVERITY_INFO },
	{ "1", SEVERITY_CRITICAL },
	{ "2", SEVERITY_ERROR },
	{ "3", SEVERITY_WARNING },
	{ "4", SEVERITY_INFO },
	{ "5", SEVERITY_INFO },
	{ 0 }
};

/* ---- rows for each kind of alert -------------------------------------------------------------- */

#define ESSENTIALS "/essentials"
#define TARGET ESSENTIALS "/alertTargetIDs/0"
#define CONDITION ESSENTIALS "/monitorCondition"
#define FIRED ESSENTIALS "/firedDateTime"
#define RESOLVED ESSENTIALS "/resolvedDateTime"
#define LOG "/context/activityLog"	/* the older schema's place of alertContext */

#define ID_OF_UPDATE { EV_EVENT_ID, "{$key}:{" CONDITION "|'Fired'}:{" FIRED "}", DERIVED }

#define SERVICE_HEALTH(at) \
	{ EV_ACTION, at "/properties/stage", WORD, stages }, \
	{ EV_ACTION, at "/status", WORD, stages }, \
	{ EV_DEDUP_KEY, "servicehealth:{" at "/properties/trackingId}" }, \
	{ EV_SUMMARY, at "/properties/title" }, \
	{ EV_EVENT_TYPE, "'alert.service_health'" }

#define RESOURCE_HEALTH(at, resource) \
	{ EV_ACTION, at "/properties/currentHealthStatus", WORD, healths }, \
	{ EV_DEDUP_KEY, "resourcehealth:{" resource "}", LOWER }, \
	{ EV_EVENT_TYPE, "'alert.resource_health'" }

static const struct map service_health[] = {
	SERVICE_HEALTH("/alertContext"),
	ID_OF_UPDATE,
	{ EV_OCCURRED, FIRED, TIME },
	{ EV_END }
};

static const struct map resource_health[] = {
	RESOURCE_HEALTH("/alertContext", TARGET),
	ID_OF_UPDATE,
	{ EV_OCCURRED, FIRED, TIME },
	{ EV_END }
};

static const struct map old_service_health[] = { SERVICE_HEALTH(LOG), { EV_END } };

static const struct map old_resource_health[] = {
	RESOURCE_HEALTH(LOG, LOG "/resourceId"),
	{ EV_SUMMARY, "{~" LOG "/resourceId}: {" LOG "/properties/currentHealthStatus}" },
	{ EV_END }
};

static const struct map smart_detector[] = {
	{ EV_EVENT_TYPE, "'alert.smart_detector'" },
	{ EV_DESCRIPTION, "/alertContext/DetectionSummary" },
	{ EV_END }
};

static const struct map costs[] = {
	{ EV_EVENT_TYPE, "'alert.budget'" },
	SEVERITY_AT(ESSENTIALS "/severity", severities),
	{ EV_SEVERITY, "'warning'", WORD, severity_words, ON_TRIGGER },
	{ EV_SUMMARY, "{" ESSENTIALS "/alertRule|/alertContext/AlertData/BudgetName}"
		"[: {" ESSENTIALS "/description}]" },
	{ EV_END }
};

static const struct map metric[] = { { EV_EVENT_TYPE, "'alert.metric'" }, { EV_END } };
static const struct map log_query[] = { { EV_EVENT_TYPE, "'alert.log'" }, { EV_END } };
static const struct map activity_log[] = { { EV_EVENT_TYPE, "'alert.activity_log'" }, { EV_END } };

/* Of the older schemas: metric alerts, classic ones among them. */
static const struct map context[] = {
	{ EV_DEDUP_KEY, "{/context/id|/context/name}[:{/context/resourceId}][:{!dimensions}]", LOWER },
	/* Two resources of one rule may cross the line in the same moment. */
	{ EV_EVENT_ID, "{$key}:{/status}:{/context/timestamp}", DERIVED },
	{ EV_EVENT_TYPE, "'alert.metric'" },
	{ EV_END }
};

/* Each update is an event of its own, and none says that the trouble is over. */
static const struct map old_activity_log[] = {
	{ EV_DEDUP_KEY, "{" LOG "/operationName}[:{" LOG "/resourceId}]", LOWER },
	{ EV_SUMMARY, "{" LOG "/operationName}[: {" LOG "/description|" LOG "/status}]" },
	{ EV_EVENT_TYPE, "'alert.activity_log'" },
	{ EV_END }
};

static const struct map old_log_query[] = {
	{ EV_DEDUP_KEY, "[{/WorkspaceId|/ApplicationId|/SubscriptionId}:]{/AlertRuleName}" },
	SEVERITY_AT("/Severity", severities),
	SEVERITY_AT("/Severity", severity_words),
	{ EV_SUMMARY, "{/AlertRuleName}[: {/Description}]" },
	{ EV_EVENT_TYPE, "'alert.log'" },
	{ EV_OCCURRED, "/SearchIntervalEndtimeUtc|/SearchIntervalEndTimeUtc", TIME },
	{ EV_DETAILS, "/SearchQuery" },
	{ EV_DETAILS, "/ResultCount" },
	{ EV_DETAILS, "/AlertThresholdOperator" },
	{ EV_DETAILS, "/AlertThresholdValue" },
	{ EV_END }
};

static const struct map old_budget[] = {
	{ EV_DEDUP_KEY, "budget:{/SubscriptionId|/Scope}:{/BudgetName}" },
	{ EV_DEDUP_KEY, "budget:{/BudgetName}" },
	{ EV_SEVERITY, "'warning'", WORD, severity_words, ON_TRIGGER },
	{ EV_SUMMARY, "{/BudgetName}[: {/SpendingAmount} of {/Budget}][ {/Unit}]" },
	{ EV_EVENT_TYPE, "'alert.budget'" },
	{ EV_DETAILS, "/SpendingAmount" },
	{ EV_DETAILS, "/NotificationThresholdAmount" },
	{ EV_DETAILS, "/SubscriptionName" },
	{ EV_END }
};

/* Of Event Grid nothing is an alert: it is kept, and that is all. */
#define EVENT_GRID_ROWS \
	{ EV_ACTION, "'record'", WORD, record }, \
	{ EV_EVENT_ID, "/id", NATIVE }, \
	{ EV_SOURCE, "/topic|/source" }, \
	{ EV_OCCURRED, "/eventTime|/time", TIME }, \
	{ EV_ENTITY_ID, "/subject|/topic|/source" }

static const struct map validation[] = {
	EVENT_GRID_ROWS,
	{ EV_EVENT_TYPE, "'eventgrid.subscription_validation'" },
	{ EV_SUMMARY, "Event Grid asks whether it may deliver[ events of {/topic}]" },
	{ EV_END }
};

static const struct map event_grid[] = {
	EVENT_GRID_ROWS,
	{ EV_EVENT_TYPE, "/eventType|/type" },
	{ EV_SUMMARY, "{/eventType|/type}[: {/subject}]" },
	{ EV_DETAILS, "/data" },
	{ EV_END }
};

/* ---- which rows for which body ---------------------------------------------------------------- */

#define COMMON(at) \
	at ESSENTIALS "/alertId|" at ESSENTIALS "/alertRule|" at CONDITION "|" at ESSENTIALS "/severity"
#define OLD_LOG(at) at LOG "/eventDataId|" at LOG "/operationName"
#define OLD(at) at "/context/id|" at "/context/name|" OLD_LOG(at) "|" \
	at "/AlertRuleName|" at "/BudgetName"
#define ALERT(at) COMMON(at) "|" OLD(at)

static const struct wrap wraps[] = {
	{ ALERT("/data/data"), "/data" },
	{ ALERT("/data"), "/data" },
	{ 0 }
};

static const char service[] = ESSENTIALS "/monitoringService";
static const char signal_type[] = ESSENTIALS "/signalType";
static const char old_source[] = LOG "/eventSource";

#define NAMED(...) (const char *const[]){ __VA_ARGS__, NULL }

static const struct variant variants[] = {
	{ service, NAMED("ServiceHealth", "Service Health"), service_health },
	{ service, NAMED("Resource Health", "ResourceHealth"), resource_health },
	{ service, NAMED("SmartDetector", "Smart Detector"), smart_detector },
	{ service, NAMED("CostAlerts", "Cost Alerts", "Budget", "Budgets"), costs },
	{ signal_type, NAMED("Metric"), metric },
	{ signal_type, NAMED("Log"), log_query },
	{ signal_type, NAMED("Activity Log"), activity_log },
	{ old_source, NAMED("ServiceHealth"), old_service_health },
	{ old_source, NAMED("ResourceHealth"), old_resource_health },
	{ OLD_LOG(""), NULL, old_activity_log },
	{ "/context/id|/context/name", NULL, context },
	{ "/AlertRuleName", NULL, old_log_query },
	{ "/BudgetName", NULL, old_budget },
	{ "/eventType|/type", NAMED(VALIDATION), validation },
	{ "/eventType|/specversion", NULL, event_grid },
	{ 0 }
};

#define RESOURCE TARGET "|/context/resourceId|" LOG "/resourceId|/ResourceId|/Scope"

static const struct map fields[] = {
	{ EV_ACTION, CONDITION "|/status|'fired'", WORD, conditions },
	{ EV_DEDUP_KEY, ESSENTIALS "/alertId|" ESSENTIALS "/originAlertId", LOWER },
	{ EV_EVENT_ID, LOG "/eventDataId", NATIVE },
	{ EV_EVENT_ID, "{$key}:{" CONDITION "}:{" RESOLVED "}", DERIVED, .only = ON_RESOLVE },
	ID_OF_UPDATE,
	SEVERITY_AT(ESSENTIALS "/severity", severities),
	SEVERITY_AT("/context/severity", severities),
	SEVERITY_AT("/alertContext/level|" LOG "/level", levels),
	{ EV_SUMMARY, "{" ESSENTIALS "/alertRule}[: {" ESSENTIALS "/description}]" },
	{ EV_SUMMARY, "{/context/name}[: {/context/description}]" },
	{ EV_DESCRIPTION, ESSENTIALS "/description|/context/description|" LOG "/description" },
	{ EV_DESCRIPTION, "/Description" },
	{ EV_SOURCE, RESOURCE },
	{ EV_SERVICE, ESSENTIALS "/targetResourceGroup|/context/resourceGroupName|"
		LOG "/resourceGroupName|/ResourceGroup|&resourceGroups" TARGET
		"|&resourceGroups/context/resourceId|&resourceGroups" LOG "/resourceId" },
	{ EV_EVENT_TYPE, "alert.{" ESSENTIALS "/signalType|" ESSENTIALS "/monitoringService}", SNAKE },
	{ EV_EVENT_TYPE, "'alert'" },
	{ EV_ENTITY_TYPE, "'azure_resource'" },
	{ EV_ENTITY_ID, RESOURCE },
	{ EV_OCCURRED, RESOLVED, TIME, .only = ON_RESOLVE },
	{ EV_OCCURRED, FIRED, TIME, .only = ON_TRIGGER },
	{ EV_OCCURRED, "/context/timestamp|" LOG "/eventTimestamp", TIME },
	{ EV_LINK, "/context/portalLink" },
	{ EV_LINK, "/alertContext/condition/allOf/-/linkToSearchResultsUI" },
	{ EV_LINK, "/alertContext/LinkToSearchResults" },
	{ EV_LINK, "/LinkToSearchResults" },
	{ EV_DETAILS, ESSENTIALS "/monitoringService" },
	{ EV_DETAILS, ESSENTIALS "/configurationItems" },
	{ EV_DETAILS, "/alertContext/condition" },
	{ EV_DETAILS, "/alertContext/properties" },
	{ EV_DETAILS, "/customProperties" },
	{ EV_DETAILS, "/context/condition" },
	{ EV_DETAILS, LOG "/caller" },
	{ EV_DETAILS, LOG "/status" },
	{ EV_DETAILS, "/properties" },
	{ EV_END }
};

/* ---- what rows cannot reach ------------------------------------------------------------------- */

#define DIMENSIONS_MAX (256 * 1024)	/* bytes; more than a body of metric alerts can hold */

static const struct json *conditions_of(const struct json *element)
{
	const struct json *all = json_at(element, STR("/context/condition/allOf"));

	return json_is(all, JSON_ARRAY) ? all->first : NULL;
}

static size_t collect(struct arena *a, const struct json *element, struct str *out)
{
	size_t n = 0;

	for (const struct json *c = conditions_of(element); c; c = c->next) {
		const struct json *list = json_get(c, "dimensions");

		for (const struct json *d = json_is(list, JSON_ARRAY) ? list->first : NULL; d; d = d->next) {
			struct str name = json_text(json_get(d, "name"));
			struct str value = json_text(json_get(d, "value"));

			if (out && name.n)
				out[n] = arena_lower(a,
					arena_printf(a, "%.*s=%.*s", STR_ARG(name), STR_ARG(value)));
			n += name.n > 0;
		}
	}
	return n;
}

static int by_text(const void *x, const void *y)
{
	return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* "dimensions": "geotype=primary,tier=hot", each once and sorted. */
static struct str own(struct arena *a, struct str name, const struct where *w)
{
	size_t n = collect(a, w->element, NULL);
	struct str *pairs = ARENA_ARRAY(a, struct str, n + 1);
	struct strbuf b;

	collect(a, w->element, pairs);
	qsort(pairs, n, sizeof(*pairs), by_text);
	strbuf_init(&b, a, DIMENSIONS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (i && str_eq(pairs[i], pairs[i - 1]))
			continue;
		if (b.n)
			strbuf_addc(&b, ',');
		strbuf_addstr(&b, pairs[i]);
	}
	return strbuf_str(&b);
}

/* ---- questions before anything is delivered --------------------------------------------------- */

static struct str validation_code(const struct json *event)
{
	if (!str_ieqs(json_text(json_get(event, "eventType")), VALIDATION))
		return STR_NONE;
	return json_text(json_at(event, STR("/data/validationCode")));
}

static bool handshake(const struct provider *p, struct arena *a, const struct inbound *in,
	struct answer *answer)
{
	struct inbound unlimited = *in;
	struct str code;
	struct strbuf b;
	struct json_out o;

	if (str_eqs(in->method, "OPTIONS")) {
		unlimited.per_minute = 0;	/* what is too much, Event Grid delivers later */
		cloudevents_consent(a, &unlimited, answer);
		return true;
	}
	code = validation_code(json_is(in->doc, JSON_ARRAY) ? in->doc->first : in->doc);
	if (!code.n)
		return false;
	strbuf_init(&b, a, 6 * code.n + 64);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "validationResponse");
	json_str(&o, code);
	json_close(&o, '}');
	*answer = (struct answer){ .status = 200, .body = strbuf_str(&b) };	/* 202 is not taken */
	return true;
}

/* ---- setting it up, and trying it ------------------------------------------------------------- */

static const struct step steps[] = {
	{ "In the Azure portal open Monitor, Alerts, Action groups, and create or edit one. Under Actions choose "
		"the type Webhook. URI:", "{url}?key={key}" },
	{ "Enable the common alert schema: Yes. Older schemas are understood, too, but say less.", NULL },
	{ "With the type Secure Webhook choose the application that you registered for it in Microsoft Entra ID; "
		"then the URI needs no key, and its directory and application go into the settings here.",
		"{url}" },
	{ "For Event Grid add an event subscription with Endpoint Type Web Hook. Grapnel answers its validation "
		"by itself. Subscriber Endpoint:", "{url}?key={key}" },
	{ "Choose the action group in your alert rules. Let log alert rules resolve automatically, else nothing "
		"ends their incidents by itself.", NULL },
	{ "Test action group sends alerts that look real and open incidents.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.body = "{'schemaId':'azureMonitorCommonAlertSchema','data':{'essentials':{"
		"'alertId':'/subscriptions/00000000-0000-0000-0000-000000000000/providers/"
		"Microsoft.AlertsManagement/alerts/7e570000-0000-4000-8000-$nonce',"
		"'alertRule':'[Azure] Test Alert - CPU Usage High','severity':'Sev1','signalType':'Metric',"
		"'monitorCondition':'Fired','monitoringService':'Platform','alertTargetIDs':["
		"'/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/test-service/providers/"
		"microsoft.compute/virtualmachines/test-host'],'configurationItems':['test-host'],"
		"'originAlertId':'7e57$nonce','firedDateTime':'$time',"
		"'description':'','essentialsVersion':'1.0','alertContextVersion':'1.0'},"
		"'alertContext':{'properties':{'note':'Sent by Grapnel to try this; nothing is wrong.'},"
		"'conditionType':'SingleResourceMultipleMetricCriteria',"
		"'condition':{'windowSize':'PT5M','allOf':[{'metricName':'Percentage CPU',"
		"'metricNamespace':'Microsoft.Compute/virtualMachines','operator':'GreaterThan',"
		"'threshold':'90','timeAggregation':'Average','dimensions':[],'metricValue':95.2}]}}}}",
};

const struct provider provider_azure = {
	.slug = "azure",
	.title = "Azure Monitor",
	.group = GROUP_CLOUD,
	.about = "Metric, log and activity log alerts, service and resource health, budgets; Event Grid's events are kept.",
	.signs = "Nothing is signed: the key is a part of the URL. A secure webhook's Entra ID token is checked "
		"instead, once the settings name your directory and application.",
	.on_error = "Action groups repeat up to 5 times on 408, 429, 503, 504 and timeouts, then leave the address alone "
		"for 15 minutes. Event Grid waits 30 s and repeats for 24 hours, except on 400 and 413.",
	.settings = settings,
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST | METHOD_OPTIONS,
	.bodies = BODY_JSON | BODY_CLOUDEVENTS,
	.flags = SECRET_OPTIONAL,
	.actions = DO_INCIDENT,
	.body_max = 2 * 1024 * 1024,	/* Event Grid's batches have 1 MiB and what is around it */
	.proofs = proofs,
	.each = "",
	.needs = { ALERT("") "|/eventType|/specversion", "schemaId" },
	.wraps = wraps,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_ERROR,
	.own = own,
	.handshake = handshake,
};
