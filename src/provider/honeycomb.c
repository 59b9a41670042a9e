/* Honeycomb: one transition of a trigger or a burn alert per request. A trigger that says the same
 * while it lasts (on_true) repeats; groups of its result make no alerts of their own, since
 * Honeycomb resolves the trigger as a whole.
 *
 * The shared secret comes itself, in a header. Very old bodies repeat it as `shared_secret`, where
 * it proves nothing and is never kept. Sources: docs.honeycomb.io notify/webhooks;
 * honeycombio/examples webhook-listener-triggers; superplanehq/superplane; LaunchDarkly and
 * FireHydrant docs. */
#include "provider_int.h"

static const struct proof token = {
	.name = "honeycomb-token",
	.header = "x-honeycomb-webhook-token",
	.encoding = ENC_SECRET,
};

static const struct proof *const proofs[] = { &token, NULL };

static const char *const masked[] = { "shared_secret", NULL };

static const struct word tests[] = { { "true", ACTION_IGNORE }, { 0 } };

static const struct word statuses[] = {
	{ "triggered", ACTION_TRIGGER },
	{ "ok", ACTION_RESOLVE },
	{ "resolved", ACTION_RESOLVE },
	{ 0 }
};

/* The templates of burn alerts need not name a status. */
#define STATUS "/status|'triggered'"
#define ID "#/id|&triggers/trigger_url"
#define DATASET "/dataset_name|&datasets/trigger_url|&datasets/result_url|&datasets/slo_url"

static const struct map burn_alert[] = {
	{ EV_EVENT_TYPE, "'burn_alert.ok'", .only = ON_RESOLVE },
	{ EV_EVENT_TYPE, "'burn_alert.triggered'" },
	{ EV_ENTITY_TYPE, "'burn_alert'" },
	{ EV_DETAILS, "/exhaustion_minutes" },
	{ EV_DETAILS, "/budget_rate_decrease_percent" },
	{ EV_DETAILS, "/slo" },
	{ EV_END }
};

#define KIND(...) (const char *const[]){ __VA_ARGS__, NULL }

static const struct variant variants[] = {
	{ "/alert_type", KIND("exhaustion_time", "budget_rate"), burn_alert },
	{ "/slo_url", NULL, burn_alert },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_ACTION, "/is_test", WORD, tests },
	{ EV_ACTION, STATUS, WORD, statuses },
	{ EV_DEDUP_KEY, ID },
	{ EV_DEDUP_KEY, "#/name", .only = ON_TRIGGER | ON_RESOLVE },
	{ EV_EVENT_ID, "@x-honeycomb-webhook-delivery-id", NATIVE },
	{ EV_EVENT_ID, "{$key}:{" STATUS "}:{$body}", DERIVED },
	SEVERITY_AT("#/severity", severity_words),
	{ EV_SUMMARY, "/summary" },
	{ EV_SUMMARY, "{/name}[: {/description}]" },
	{ EV_SUMMARY, "/description" },
	{ EV_DESCRIPTION, "/description|/trigger_description" },
	{ EV_SOURCE, DATASET },
	{ EV_SERVICE, DATASET },
	{ EV_EVENT_TYPE, "'trigger.ok'", .only = ON_RESOLVE },
	{ EV_EVENT_TYPE, "'trigger.triggered'" },
	{ EV_ENTITY_TYPE, "'trigger'" },
	{ EV_ENTITY_ID, ID "|#/name" },
	{ EV_LINK, "/result_url" },
	{ EV_LINK, "/trigger_url" },
	{ EV_LINK, "/slo_url" },
	{ EV_DETAILS, "/name" },
	{ EV_DETAILS, "/trigger_description" },
	{ EV_DETAILS, "/alert_type" },
	{ EV_DETAILS, "/operator" },
	{ EV_DETAILS, "/threshold" },
	{ EV_DETAILS, "/result_groups" },
	{ EV_DETAILS, "/result_groups_triggered" },
	{ EV_END }
};

/* ---- setting it up, and trying it ------------------------------------------------------------- */

static const struct step steps[] = {
	{ "In Honeycomb open Team Settings, Integrations; at Trigger and Burn Alert Recipients choose Add "
		"Integration, Provider Webhook.", NULL },
	{ "Webhook URL:", "{url}" },
	{ "Shared Secret:", "{secret}" },
	{ "Leave the payload templates as they are, or keep at least their id, name, status and is_test. A "
		"member named severity decides how grave an incident is.", NULL },
	{ "Test sends a test that opens no incident. Add.", NULL },
	{ "Choose the recipient in your triggers and burn alerts.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.headers = { { "x-honeycomb-webhook-delivery-id", "7e570000-0000-4000-8000-$nonce" } },
	.body = "{'version':'v0.1.0','id':'test$nonce','name':'[Honeycomb] Test Alert - CPU Usage High',"
		"'trigger_description':'Sent by Grapnel to try this integration; nothing is wrong.',"
		"'status':'TRIGGERED','alert_type':'on_change','severity':'warning',"
		"'summary':'[Honeycomb] Test Alert - CPU Usage High',"
		"'description':'Current value greater than threshold value (90)',"
		"'operator':'greater than','threshold':90,"
		"'result_url':'https://ui.honeycomb.io/test/datasets/test-service/result/$nonce',"
		"'result_groups':[{'Group':{'host':'test-host'},'Result':95.2}],"
		"'result_groups_triggered':[{'Group':{'host':'test-host'},'Result':95.2}],"
		"'trigger_url':'https://ui.honeycomb.io/test/datasets/test-service/triggers/test$nonce',"
		"'is_test':false}",
};

const struct provider provider_honeycomb = {
	.slug = "honeycomb",
	.title = "Honeycomb",
	.group = GROUP_MONITORING,
	.about = "Triggers and burn alerts, each with its end.",
	.signs = "The shared secret itself, in X-Honeycomb-Webhook-Token.",
	.on_error = "Honeycomb waits 10 s and may repeat what failed for a passing reason.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON,
	.actions = DO_INCIDENT,
	.masked = masked,
	.proofs = proofs,
	.needs = { ID "|#/name", "id" },
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_ERROR,
};
