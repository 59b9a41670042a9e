/* Pingdom: one change of state of one check. Transaction checks have words and numbers of their
 * own. The BeepManager webhooks of old are a GET with the JSON in `message`, which was seen in
 * the text of a Python tuple.
 *
 * What counts is current_state; "state" and "message" do not exist in new bodies.
 * importance_level, tags and full_url are missing in older ones. Sources: pingdom.com resources,
 * State change webhooks; alerta/alerta tests; snowplow's Pingdom adapter for the old form. */
#include "provider_int.h"

static const struct word states[] = {
	{ "down", ACTION_TRIGGER },
	{ "failing", ACTION_TRIGGER },
	{ "up", ACTION_RESOLVE },
	{ "success", ACTION_RESOLVE },
	{ 0 }
};

static const struct word old_actions[] = {
	{ "assign", ACTION_TRIGGER },
	{ "notify_user", ACTION_TRIGGER },
	{ "notify_of_close", ACTION_RESOLVE },
	{ 0 }
};

static const struct word importance[] = {
	{ "low", SEVERITY_WARNING },
	{ 0 }
};

#define CHECK "/check_params"

static const struct map transaction[] = {
	{ EV_DEDUP_KEY, "transaction:{/check_id}" },
	{ EV_END }
};

static const struct map old[] = {
	{ EV_ACTION, "/action", WORD, old_actions },
	{ EV_DEDUP_KEY, "legacy:{/check}" },
	{ EV_SUMMARY, "{/checkname|/host|/check} is {/description}" },
	{ EV_SUMMARY, "{/checkname|/host|/check}: {/action}" },
	{ EV_SOURCE, "/host" },
	{ EV_SERVICE, "/checkname" },
	{ EV_EVENT_TYPE, "'check.down'", .only = ON_TRIGGER },
	{ EV_EVENT_TYPE, "'check.up'", .only = ON_RESOLVE },
	{ EV_EVENT_TYPE, "check.{/action}", LOWER },
	{ EV_ENTITY_ID, "/check" },
	{ EV_DETAILS, "/incidentid" },
	{ EV_END }
};

#define NAME(name) (const char *const[]){ name, NULL }

static const struct variant variants[] = {
	{ "/check_type", NAME("TRANSACTION"), transaction },
	{ "/check", NULL, old },
	{ 0 }
};

static const struct wrap wraps[] = {
	{ "/message", "/message", "(u'", "',)" },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_ACTION, "/current_state", WORD, states },
	{ EV_EVENT_ID, "{/check_id}:{/current_state}:{/state_changed_timestamp}", DERIVED },
	{ EV_DEDUP_KEY, "uptime:{/check_id}" },
	{ EV_SEVERITY, "/importance_level", WORD, importance, ON_TRIGGER },
	{ EV_NATIVE_SEVERITY, "/importance_level" },
	{ EV_SUMMARY, "{/check_name|/check_id} is {/current_state}[: {/description}]" },
	{ EV_DESCRIPTION, "/long_description|/description" },
	{ EV_SOURCE, CHECK "/full_url|" CHECK "/hostname" },
	{ EV_SERVICE, "/check_name" },
	{ EV_EVENT_TYPE, "check.{/current_state}", LOWER },
	{ EV_ENTITY_TYPE, "'check'" },
	{ EV_ENTITY_ID, "/check_id" },
	{ EV_OCCURRED, "/state_changed_timestamp", EPOCH },
	{ EV_LINK, CHECK "/full_url" },
	{ EV_DETAILS, "/check_type" },
	{ EV_DETAILS, "/previous_state" },
	{ EV_DETAILS, "/custom_message" },
	{ EV_DETAILS, "/tags" },
	{ EV_DETAILS, "/first_probe" },
	{ EV_DETAILS, "/second_probe" },
	{ EV_END }
};

/* ---- setting it up, and trying it ------------------------------------------------------------ */

static const struct step steps[] = {
	{ "In Pingdom open Settings, Integrations, Integrations, Add integration; Type: "
		"Webhook.", NULL },
	{ "URL:", "{url}?key={key}" },
	{ "Active stays on. Save integration.", NULL },
	{ "Edit each check that shall report here and choose this integration under Connect "
		"Integrations.", NULL },
	{ "A check with Importance Low opens incidents of medium severity, any other critical "
		"ones.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.headers = { { "user-agent", "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)" } },
	.body = "{'check_id':'$nonce','check_name':'[Pingdom] Test Alert - test-service',"
		"'check_type':'HTTP','check_params':{'basic_auth':false,'encryption':true,"
		"'full_url':'https://test.example.org/','header':'User-Agent:Pingdom.com_bot',"
		"'hostname':'test.example.org','ipv6':false,'port':443,'url':'/'},'tags':['test'],"
		"'previous_state':'UP','current_state':'DOWN','importance_level':'HIGH',"
		"'state_changed_timestamp':$seconds,'state_changed_utc_time':'$time',"
		"'long_description':'Sent by Grapnel to try this integration; nothing is wrong.',"
		"'description':'HTTP Error 503','first_probe':{'ip':'192.0.2.1','ipv6':'',"
		"'location':'Stockholm, Sweden'},'second_probe':{},'version':1}",
};

const struct provider provider_pingdom = {
	.slug = "pingdom",
	.title = "Pingdom",
	.group = GROUP_UPTIME,
	.about = "Uptime and transaction checks that fail, and that they work again.",
	.signs = "Pingdom cannot sign; the key goes into the URL.",
	.on_error = "Pingdom tells nothing of its time limit nor of repeats.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST | METHOD_GET,
	.bodies = BODY_JSON | BODY_QUERY,
	.actions = DO_INCIDENT,
	.wraps = wraps,
	.needs = { "/current_state|/action", "current_state" },
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_CRITICAL,
};
