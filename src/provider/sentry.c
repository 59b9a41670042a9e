/* Sentry: two generations. The integration platform names what it is about in
 * Sentry-Hook-Resource and puts it under data; the old WebHooks plugin of a project sends one
 * flat issue, never its end, and cannot sign.
 *
 * All that speaks of one issue has one key: the issue, an alert about one of its events, an
 * error. An archived issue counts as acknowledged, and so does one that a person was assigned
 * to; ownership rules assign at creation, when nobody has looked yet. The id of a request is new
 * for each try of Sentry's queue, so the key must absorb repeats. Sources: getsentry/sentry-docs
 * integration-platform/webhooks; getsentry/sentry app_platform_event.py (signs the very bytes
 * that it posts), plugin.py. */
#include "provider_int.h"

/* Sentry-Hook-Timestamp is not signed, so there is no time to look at. */
static const struct proof signature = {
	.name = "sentry",
	.header = "sentry-hook-signature",
	.encoding = ENC_HEX,
	.digest = DIGEST_SHA256,
	.parts = { "$body" },
};

static const struct proof *const proofs[] = { &signature, NULL };

/* ---- words ----------------------------------------------------------------------------------- */

static const struct word issue_actions[] = {
	{ "created", ACTION_TRIGGER },
	{ "unresolved", ACTION_TRIGGER },
	{ "resolved", ACTION_RESOLVE },
	{ "archived", ACTION_ACKNOWLEDGE },
	{ "ignored", ACTION_ACKNOWLEDGE },	/* its name of old */
	{ "assigned.user", ACTION_ACKNOWLEDGE },
	{ 0 }
};

static const struct word alert_actions[] = { { "triggered", ACTION_TRIGGER }, { 0 } };
static const struct word error_actions[] = { { "created", ACTION_TRIGGER }, { 0 } };

static const struct word metric_actions[] = {
	{ "critical", ACTION_TRIGGER },
	{ "warning", ACTION_TRIGGER },
	{ "resolved", ACTION_RESOLVE },
	{ 0 }
};

static const struct word always[] = { { "*", ACTION_TRIGGER }, { 0 } };

static const struct word levels[] = {
	{ "fatal", SEVERITY_CRITICAL },
	{ "error", SEVERITY_ERROR },
	{ "warning", SEVERITY_WARNING },
	{ "info", SEVERITY_INFO },
	{ "debug", SEVERITY_INFO },
	{ "sample", SEVERITY_INFO },
	{ 0 }
};

/* ---- rows for each kind of event ------------------------------------------------------------- */

#define ISSUE "/data/issue"

static const struct map issue[] = {
	{ EV_ACTION, "/action", WORD, issue_actions },
	{ EV_ACTION, "{/action}.{/actor/type}", WORD, issue_actions },
	{ EV_DEDUP_KEY, "issue:{" ISSUE "/id}" },
	{ EV_SEVERITY, ISSUE "/level", WORD, levels, ON_ALL },
	{ EV_SEVERITY, "'error'", WORD, levels, ON_ALL },
	{ EV_NATIVE_SEVERITY, ISSUE "/level" },
	{ EV_SUMMARY, ISSUE "/title" },
	{ EV_DESCRIPTION, ISSUE "/culprit" },
	{ EV_EVENT_TYPE, "issue[.{/action}]" },
	{ EV_ENTITY_TYPE, "'issue'" },
	{ EV_ENTITY_ID, ISSUE "/id" },
	{ EV_LINK, ISSUE "/web_url|" ISSUE "/permalink|" ISSUE "/url" },
	{ EV_DETAILS, ISSUE "/shortId" },
	{ EV_DETAILS, ISSUE "/substatus" },
	{ EV_DETAILS, ISSUE "/platform" },
	{ EV_DETAILS, ISSUE "/count" },
	{ EV_DETAILS, ISSUE "/userCount" },
	{ EV_END }
};

/* An event of an issue, under data/event or data/error; its own time may be the client's, that of
 * receipt is Sentry's. issue_id was added later than issue_url. */
#define EVENT_ROWS(name, at) \
	{ EV_DEDUP_KEY, "issue:{" at "/issue_id|~" at "/issue_url}" }, \
	{ EV_SEVERITY, at "/level", WORD, levels }, \
	{ EV_NATIVE_SEVERITY, at "/level" }, \
	{ EV_SUMMARY, at "/title|" at "/message|" at "/metadata/value" }, \
	{ EV_DESCRIPTION, at "/message|" at "/metadata/value|" at "/culprit" }, \
	{ EV_EVENT_TYPE, name "[.{/action}]" }, \
	{ EV_ENTITY_TYPE, "'issue'" }, \
	{ EV_ENTITY_ID, at "/issue_id|~" at "/issue_url" }, \
	{ EV_OCCURRED, at "/received", EPOCH }, \
	{ EV_LINK, at "/web_url|" at "/url" }, \
	{ EV_DETAILS, ":environment" at "/tags" }, \
	{ EV_DETAILS, at "/culprit" }, \
	{ EV_DETAILS, at "/platform" }, \
	{ EV_DETAILS, at "/release" }, \
	{ EV_DETAILS, at "/tags" }

static const struct map event_alert[] = {
	{ EV_ACTION, "/action", WORD, alert_actions },
	EVENT_ROWS("event_alert", "/data/event"),
	{ EV_DETAILS, "/data/triggered_rule" },
	{ EV_END }
};

static const struct map error[] = {
	{ EV_ACTION, "/action", WORD, error_actions },
	EVENT_ROWS("error", "/data/error"),
	{ EV_END }
};

#define METRIC "/data/metric_alert"

/* The id is that of Sentry's incident: the same from warning over critical to resolved. */
static const struct map metric_alert[] = {
	{ EV_ACTION, "/action", WORD, metric_actions },
	{ EV_DEDUP_KEY, "metric_alert:{" METRIC "/id}" },
	{ EV_SEVERITY, "/action", WORD, severity_words, ON_TRIGGER },
	{ EV_NATIVE_SEVERITY, "/action" },
	{ EV_SUMMARY, "/data/description_title|" METRIC "/alert_rule/name|" METRIC "/title" },
	{ EV_DESCRIPTION, "/data/description_text" },
	{ EV_EVENT_TYPE, "metric_alert[.{/action}]" },
	{ EV_ENTITY_TYPE, "'metric_alert'" },
	{ EV_ENTITY_ID, METRIC "/id" },
	{ EV_LINK, "/data/web_url" },
	{ EV_DETAILS, METRIC "/alert_rule/name" },
	{ EV_DETAILS, METRIC "/alert_rule/query" },
	{ EV_DETAILS, METRIC "/alert_rule/environment" },
	{ EV_END }
};

/* The old plugin: no header, no end, no signature. */
static const struct map plugin[] = {
	{ EV_ACTION, "'whatever it says'", WORD, always },
	{ EV_EVENT_ID, "/event/event_id|/event/id", NATIVE },
	{ EV_DEDUP_KEY, "issue:{/id}" },
	{ EV_SEVERITY, "/level|/event/level", WORD, levels },
	{ EV_NATIVE_SEVERITY, "/level|/event/level" },
	{ EV_SUMMARY, "/message|/event/title|/event/metadata/title" },
	{ EV_DESCRIPTION, "/culprit" },
	{ EV_EVENT_TYPE, "'event.alert'" },
	{ EV_ENTITY_TYPE, "'issue'" },
	{ EV_ENTITY_ID, "/id" },
	{ EV_OCCURRED, "/event/received|/event/timestamp", EPOCH },
	{ EV_OCCURRED, "/event/datetime|/event/timestamp", TIME },
	{ EV_LINK, "/url" },
	{ EV_DETAILS, ":environment/event/tags" },
	{ EV_DETAILS, "/logger" },
	{ EV_DETAILS, "/event/tags" },
	{ EV_END }
};

/* Installations, comments (whose action is "created" too), whatever comes to be. */
#define RESOURCE "@sentry-hook-resource"

static const struct map other[] = {
	{ EV_SUMMARY, "{" RESOURCE "}[ {/action}][ in {/data/project_slug}]" },
	{ EV_DESCRIPTION, "/data/comment" },
	{ EV_EVENT_TYPE, "{" RESOURCE "}[.{/action}]" },
	{ EV_ENTITY_TYPE, RESOURCE },
	{ EV_ENTITY_ID, "/data/comment_id|/data/installation/uuid" },
	{ EV_END }
};

/* ---- which rows for which event -------------------------------------------------------------- */

static const char resource[] = RESOURCE;

#define NAME(name) (const char *const[]){ name, NULL }

static const struct variant variants[] = {
	{ resource, NAME("issue"), issue },
	{ resource, NAME("event_alert"), event_alert },
	{ resource, NAME("error"), error },
	{ resource, NAME("metric_alert"), metric_alert },
	{ resource, NULL, other },
	/* Fed by a proxy that passes the body alone: what is there tells. */
	{ ISSUE "/id", NULL, issue },
	{ METRIC "/id", NULL, metric_alert },
	{ "/data/event/event_id", NULL, event_alert },
	{ "/data/error/event_id", NULL, error },
	{ "'the plugin'", NULL, plugin },
	{ 0 }
};

#define PROJECT ISSUE "/project/slug|/project_slug|" METRIC "/projects/0|/data/event/project|" \
	"/data/error/project|/data/project_slug|/project"

static const struct map fields[] = {
	{ EV_EVENT_ID, "@request-id", NATIVE },
	{ EV_SOURCE, PROJECT },
	{ EV_SERVICE, PROJECT },
	{ EV_OCCURRED, "@sentry-hook-timestamp", EPOCH },
	{ EV_END }
};

/* ---- setting it up, and trying it ------------------------------------------------------------ */

static const struct step steps[] = {
	{ "In Sentry open Settings, Developer Settings, Custom Integrations, Create New "
		"Integration, Internal Integration.", NULL },
	{ "Webhook URL:", "{url}" },
	{ "Switch on Alert Rule Action; Permissions: Issue & Event: Read. Webhooks: issue (and "
		"error, on plans that have it).", NULL },
	{ "Save it, then make its Client Secret the signature secret here.", NULL },
	{ "In an alert rule choose this integration as the action: Send a notification via an "
		"integration.", NULL },
	{ "An old Sentry with the WebHooks plugin cannot sign; give it this URL as a Callback URL.",
		"{url}?key={key}" },
	{ 0 }
};

static const struct sample sample = {
	.headers = {
		{ "sentry-hook-resource", "issue" },
		{ "sentry-hook-timestamp", "$seconds" },
		{ "request-id", "7e570000000040008000$nonce" },
	},
	.body = "{'action':'created','installation':{'uuid':'7e570000-0000-4000-8000-$nonce'},"
		"'data':{'issue':{'id':'$ms','shortId':'TEST-SERVICE-1','level':'error',"
		"'type':'error','title':'[Sentry] Test Alert - ConnectionError: timed out',"
		"'culprit':'Sent by Grapnel to try this integration; nothing is wrong.',"
		"'project':{'id':'1','name':'test-service','slug':'test-service',"
		"'platform':'python'},'platform':'python','status':'unresolved','substatus':'new',"
		"'count':'1','userCount':1,'firstSeen':'$time','lastSeen':'$time','permalink':null,"
		"'web_url':'https://example.sentry.io/issues/$ms/'}},'actor':{'type':'application',"
		"'id':'sentry','name':'Sentry'}}",
};

const struct provider provider_sentry = {
	.slug = "sentry",
	.title = "Sentry",
	.group = GROUP_MONITORING,
	.about = "Issues, alerts about them and metric alerts, each with its end.",
	.signs = "HMAC-SHA256 of the body in Sentry-Hook-Signature, with the client secret of the "
		"integration. The old WebHooks plugin cannot sign.",
	.on_error = "Sentry waits 1 s for an answer; 1000 time-outs in 24 hours switch the webhook "
		"off.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON,
	.flags = SECRET_THEIRS,
	.actions = DO_INCIDENT,
	.proofs = proofs,
	.needs = { RESOURCE "|" ISSUE "/id|" METRIC "/id|/data/event/event_id|/data/error/event_id|"
		"/project_slug|/project|/culprit|/level|/event/event_id", "Sentry-Hook-Resource" },
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_ERROR,
};
