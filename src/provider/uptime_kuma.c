/* Uptime Kuma: one heartbeat per request, with the monitor that it is of. As JSON, as a
 * multipart form with the JSON in `data`, as a query with heartbeat and monitor as JSON texts,
 * or as a body that the owner wrote himself.
 *
 * Ids of monitors begin at 1 on each instance, so each instance wants an integration of its own;
 * a monitor's URL changes and is no key. Without a heartbeat it is the Test button, or a
 * certificate that will expire: no alert. A call that fails is never repeated. A monitor that
 * goes from DOWN into maintenance and comes back UP sends nothing, so its alert stays open.
 * Times have no zone and are UTC. Sources: louislam/uptime-kuma
 * server/notification-providers/webhook.js, server/model/monitor.js and heartbeat.js; issues
 * 4205, 6041 on the missing id. */
#include "provider_int.h"

/* DOWN, UP, PENDING, MAINTENANCE */
static const struct word states[] = {
	{ "0", ACTION_TRIGGER },
	{ "1", ACTION_RESOLVE },
	{ "*", ACTION_IGNORE },
	{ 0 }
};

#define HEARTBEAT "/heartbeat"
#define MONITOR "/monitor"
#define MONITOR_ID "#" MONITOR "/id|#" HEARTBEAT "/monitorID"
#define SEVERITY ":severity" MONITOR "/tags|:priority" MONITOR "/tags"

static const struct map pending[] = {
	{ EV_EVENT_TYPE, "'monitor.pending'", .only = ON_IGNORE },
	{ EV_END }
};

static const struct map maintenance[] = {
	{ EV_EVENT_TYPE, "'monitor.maintenance'", .only = ON_IGNORE },
	{ EV_END }
};

#define NAME(name) (const char *const[]){ name, NULL }

static const char state[] = HEARTBEAT "/status";

static const struct variant variants[] = {
	{ state, NAME("2"), pending },
	{ state, NAME("3"), maintenance },
	{ 0 }
};

static const struct map fields[] = {
	/* A body of the owner's own says it in words. */
	{ EV_ACTION, "/event_type", WORD, plain_actions },
	{ EV_ACTION, "/status", WORD, plain_actions },
	{ EV_ACTION, "/action", WORD, plain_actions },
	{ EV_ACTION, HEARTBEAT "/status", WORD, states },
	{ EV_EVENT_ID, "{" MONITOR_ID "}:{" HEARTBEAT "/status}:{" HEARTBEAT "/time}", DERIVED },
	{ EV_DEDUP_KEY, MONITOR_ID "|#" MONITOR "/name|!name" },
	{ EV_SEVERITY, SEVERITY, WORD, severity_words, ON_TRIGGER },
	{ EV_NATIVE_SEVERITY, SEVERITY },
	{ EV_SUMMARY, "/msg" },
	{ EV_SUMMARY, "{" MONITOR "/name}: {" HEARTBEAT "/msg}" },
	{ EV_SUMMARY, MONITOR "/name" },
	{ EV_DESCRIPTION, HEARTBEAT "/msg" },
	{ EV_SOURCE, MONITOR "/url" },
	{ EV_SOURCE, "{" MONITOR "/hostname}[:{" MONITOR "/port}]" },
	{ EV_SERVICE, MONITOR "/name" },
	{ EV_EVENT_TYPE, "'monitor.down'", .only = ON_TRIGGER },
	{ EV_EVENT_TYPE, "'monitor.up'", .only = ON_RESOLVE },
	{ EV_EVENT_TYPE, "'monitor.notice'" },
	{ EV_ENTITY_TYPE, "'monitor'" },
	{ EV_ENTITY_ID, MONITOR_ID },
	{ EV_OCCURRED, HEARTBEAT "/time", TIME },
	{ EV_OCCURRED, "{" HEARTBEAT "/localDateTime}{" HEARTBEAT "/timezoneOffset}", TIME },
	{ EV_LINK, MONITOR "/url" },
	{ EV_DETAILS, MONITOR "/type" },
	{ EV_DETAILS, MONITOR "/description" },
	{ EV_DETAILS, MONITOR "/tags" },
	{ EV_DETAILS, HEARTBEAT "/ping" },
	{ EV_DETAILS, HEARTBEAT "/duration" },
	{ EV_DETAILS, HEARTBEAT "/retries" },
	{ EV_DETAILS, HEARTBEAT "/lastDownTime" },
	{ EV_END }
};

/* !name: the first [...] of the message, "[name] [Down] reason". */
static struct str own(struct arena *a, struct str name, const struct where *w)
{
	struct str rest = expr_eval(a, "/msg", w);

	(void)str_until(&rest, '[');
	return str_find(rest, ']') > 0 ? str_until(&rest, ']') : STR_NONE;
}

/* With GET both are JSON texts. */
static const struct opening opens[] = { { HEARTBEAT }, { MONITOR }, { 0 } };

/* What ping, port and DNS monitors have for a URL. */
static const char *const left_over[] = { "https://", "http://", NULL };

/* Versions before 1.18 sent the monitor with all that it knows. */
static const char *const masked[] = {
	"basic_auth_pass", "databaseConnectionString", "mqttPassword", "oauth_client_secret",
	"pushToken", "rabbitmqPassword", "radiusPassword", "radiusSecret", "tlsKey", NULL
};

/* ---- setting it up, and trying it ------------------------------------------------------------ */

static const struct step steps[] = {
	{ "In Uptime Kuma open Settings, Notifications, Setup Notification; Notification Type: "
		"Webhook.", NULL },
	{ "Post URL:", "{url}" },
	{ "Request Body: Preset - application/json.", NULL },
	{ "Additional Headers:", "{\"Authorization\": \"Bearer {key}\"}" },
	{ "Switch on Default enabled and Apply on all existing monitors, or choose this "
		"notification at each monitor. Several instances want an integration each: their "
		"monitors have the same numbers.", NULL },
	{ "Test: a message without a monitor comes, is kept and opens nothing. Save.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.headers = { { "user-agent", "Uptime-Kuma/2.0.2" } },
	.body = "{'heartbeat':{'monitorID':'$nonce','status':0,'time':'$time','msg':'connect "
		"ECONNREFUSED','important':true,'retries':1,'duration':60,'timezone':'UTC',"
		"'timezoneOffset':'+00:00'},'monitor':{'id':'$nonce','name':'test-service',"
		"'type':'http','url':'https://test.example.org/','hostname':null,'port':null,"
		"'interval':60,'active':true,'tags':[]},'msg':'[Uptime Kuma] Test Alert - "
		"[test-service] [🔴 Down] connect ECONNREFUSED'}",
	.severity = "Down",
};

const struct provider provider_uptime_kuma = {
	.slug = "uptime-kuma",
	.title = "Uptime Kuma",
	.group = GROUP_UPTIME,
	.about = "Monitors that went down, and that they are up again.",
	.signs = "Uptime Kuma cannot sign; the key goes into an additional header.",
	.on_error = "Uptime Kuma logs a call that fails and never repeats it.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST | METHOD_GET,
	.bodies = BODY_JSON | BODY_QUERY | BODY_MULTIPART,
	.masked = masked,
	.actions = DO_INCIDENT,
	.form_json = "data",
	.opens = opens,
	.left_over = left_over,
	.needs = { "/msg|" HEARTBEAT "/status|" MONITOR "/name|/event_type|/status|/action",
		"heartbeat" },
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_CRITICAL,
	.own = own,
};
