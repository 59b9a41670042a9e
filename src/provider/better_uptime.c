/* Better Stack Uptime, formerly Better Uptime: JSON:API, one incident per request, or a change
 * of a monitor or of who is on call. A template of the owner's own may bring
 * {"incident":{"id":...}} instead, by another method too, and is read the same way.
 *
 * The status decides: after a reopening acknowledged_at is still set, and a comment repeats the
 * state of the moment. So a trigger gets no time: started_at stays the same when an incident is
 * reopened, and the resolve before would stop it. The body has no severity; how people are woken
 * says it. Sources: betterstack.com docs, Outgoing webhooks, Incidents API response params;
 * BetterStackHQ/terraform-provider-better-uptime betteruptime_outgoing_webhook. */
#include "provider_int.h"

#define AT(member) "/data/attributes/" member "|/incident/" member
#define INCIDENT_ID "/data/id|/incident/id"

/* ---- words ----------------------------------------------------------------------------------- */

static const struct word states[] = {
	{ "started", ACTION_TRIGGER },
	{ "acknowledged", ACTION_ACKNOWLEDGE },
	{ "resolved", ACTION_RESOLVE },
	{ "*", ACTION_IGNORE },		/* unconfirmed, validating */
	{ 0 }
};

static const struct word resolved[] = { { "*", ACTION_RESOLVE }, { 0 } };
static const struct word acknowledged[] = { { "*", ACTION_ACKNOWLEDGE }, { 0 } };
static const struct word started[] = { { "*", ACTION_TRIGGER }, { 0 } };

static const struct word by_call[] = { { "true", SEVERITY_CRITICAL }, { 0 } };
static const struct word by_message[] = { { "true", SEVERITY_ERROR }, { 0 } };
static const struct word by_mail[] = { { "*", SEVERITY_WARNING }, { 0 } };

/* ---- rows for each kind of event ------------------------------------------------------------- */

static const struct map incident[] = {
	{ EV_ACTION, AT("status"), WORD, states },
	{ EV_ACTION, AT("resolved_at"), WORD, resolved },
	{ EV_ACTION, AT("acknowledged_at"), WORD, acknowledged },
	{ EV_ACTION, "'started'", WORD, started },
	{ EV_EVENT_ID, "{" INCIDENT_ID "}:[{" AT("status") "}]:{!newest}", DERIVED },
	{ EV_DEDUP_KEY, "incident:{" INCIDENT_ID "}" },
	{ EV_SEVERITY, AT("call"), WORD, by_call, ON_ALL },
	{ EV_SEVERITY, AT("sms"), WORD, by_message, ON_ALL },
	{ EV_SEVERITY, AT("push"), WORD, by_message, ON_ALL },
	{ EV_SEVERITY, AT("call") "|" AT("sms") "|" AT("push"), WORD, by_mail, ON_ALL },
	{ EV_SEVERITY, "'error'", WORD, severity_words, ON_ALL },
	{ EV_SUMMARY, "[{" AT("name") "}: ]{" AT("cause") "}" },
	{ EV_SUMMARY, AT("name") },
	{ EV_SUMMARY, "Incident {" INCIDENT_ID "}[ {" AT("status") "}]" },
	{ EV_DESCRIPTION, AT("response_content") },
	{ EV_SOURCE, AT("url") "|" AT("name") },
	{ EV_SERVICE, AT("name") },
	{ EV_EVENT_TYPE, "incident.{" AT("status") "}", LOWER },
	{ EV_EVENT_TYPE, "'incident.started'", .only = ON_TRIGGER },
	{ EV_EVENT_TYPE, "'incident.acknowledged'", .only = ON_ACKNOWLEDGE },
	{ EV_EVENT_TYPE, "'incident.resolved'" },
	{ EV_ENTITY_TYPE, "'incident'" },
	{ EV_ENTITY_ID, INCIDENT_ID },
	{ EV_OCCURRED, AT("resolved_at"), TIME, .only = ON_RESOLVE },
	{ EV_OCCURRED, AT("acknowledged_at"), TIME, .only = ON_ACKNOWLEDGE },
	{ EV_LINK, "https://uptime.betterstack.com/team/0/incidents/{" INCIDENT_ID "}" },
	{ EV_LINK, AT("origin_url") },
	{ EV_LINK, AT("screenshot_url") },
	{ EV_LINK, AT("response_url") },
	{ EV_DETAILS, "/data/attributes/team_name" },
	{ EV_DETAILS, "/data/attributes/started_at" },
	{ EV_DETAILS, "/data/attributes/acknowledged_by" },
	{ EV_DETAILS, "/data/attributes/resolved_by" },
	{ EV_DETAILS, "/data/attributes/regions" },
	{ EV_DETAILS, "/data/attributes/metadata" },
	{ EV_DETAILS, "/data/relationships" },
	{ EV_END }
};

/* Changes of what is watched and of who is on call. */
#define CHANGE_ROWS(type) \
	{ EV_DEDUP_KEY, "{/data/type}:{/data/id}" }, \
	{ EV_SUMMARY, "{/data/type} changed: {/data/attributes/pronounceable_name|" \
		"/data/attributes/name|/data/attributes/url|/data/id}" }, \
	{ EV_SOURCE, "/data/attributes/url" }, \
	{ EV_SERVICE, "/data/attributes/pronounceable_name|/data/attributes/name" }, \
	{ EV_EVENT_TYPE, type }, \
	{ EV_ENTITY_TYPE, "/data/type" }, \
	{ EV_ENTITY_ID, "/data/id" }, \
	{ EV_DETAILS, "/data/attributes" }, \
	{ EV_END }

static const struct map on_call[] = { CHANGE_ROWS("'on_call.changed'") };
static const struct map change[] = { CHANGE_ROWS("{/data/type}.changed") };

#define NAME(...) (const char *const[]){ __VA_ARGS__, NULL }

static const char type[] = "/data/type";

static const struct variant variants[] = {
	{ type, NAME("incident"), incident },
	{ type, NAME("on_call", "on_call_calendar", "on_call_event"), on_call },
	{ type, NULL, change },
	{ "/incident/id", NULL, incident },
	{ 0 }
};

/* !newest: of the three times, all written alike. */
static struct str own(struct arena *a, struct str name, const struct where *w)
{
	static const char *const times[] = {
		AT("started_at"), AT("acknowledged_at"), AT("resolved_at")
	};
	struct str newest = STR_NONE;

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		struct str time = expr_eval(a, times[i], w);

		if (str_cmp(time, newest) > 0)
			newest = time;
	}
	return newest;
}

/* ---- setting it up, and trying it ------------------------------------------------------------ */

static const struct step steps[] = {
	{ "In Better Stack open Integrations, Exporting data, Outgoing webhook (or Settings, "
		"Outgoing webhooks), Connect.", NULL },
	{ "URL:", "{url}?key={key}" },
	{ "Trigger: incident started, acknowledged, resolved and reopened.", NULL },
	{ "A custom template can carry the key in a header instead of the URL: Authorization.",
		"Bearer {key}" },
	{ "Save, and send a test incident.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.headers = { { "user-agent", "Better Stack Better Uptime Bot" } },
	.body = "{'data':{'id':'$nonce','type':'incident','attributes':{'name':'[Better Stack] "
		"Test Alert - test-service','url':'https://test.example.org/','http_method':'get',"
		"'cause':'Status 500','incident_group_id':null,'started_at':'$time',"
		"'acknowledged_at':null,'acknowledged_by':null,'resolved_at':null,"
		"'resolved_by':null,'status':'Started','team_name':'Ops','response_content':'Sent "
		"by Grapnel to try this integration; nothing is wrong.','regions':['eu','us'],"
		"'response_url':null,'screenshot_url':null,'origin_url':null,'call':false,"
		"'sms':false,'email':true,'push':true,'metadata':{}},"
		"'relationships':{'monitor':{'data':{'id':'1','type':'monitor'}}}}}",
	.severity = "push",
};

const struct provider provider_better_uptime = {
	.slug = "better-uptime",
	.title = "Better Stack Uptime",
	.group = GROUP_UPTIME,
	.about = "Incidents of monitors and heartbeats, formerly Better Uptime, from start to end.",
	.signs = "Better Stack cannot sign; the key goes into the URL, or with a custom template "
		"into a header.",
	.on_error = "Better Stack tells nothing of its time limit nor of repeats.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST | METHOD_PUT,
	.bodies = BODY_JSON,
	.actions = DO_INCIDENT,
	.needs = { "/data/type|/incident/id", "data" },
	.variants = variants,
	.severity_trigger = SEVERITY_ERROR,
	.own = own,
};
