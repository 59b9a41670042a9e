/* UptimeRobot: one alert per request, by GET with all in the query (its default), as a form or
 * as JSON, and the owner may write the body himself with names of variables in asterisks.
 * Variables that do not apply stay as they are, and published templates forget the asterisks: a
 * value that is the name of a variable is none. A test may come with nothing replaced.
 *
 * An "Up" must not end a warning that a certificate expires, so those have keys of their own.
 * Sources: UptimeRobot help, Webhook integration; splunk/public-o11y-docs uptime-robot guide;
 * zulip's template for the names with underscores. */
#include "provider_int.h"

#define MONITOR_ID "#/monitorID|#/monitor_id"
#define URL "/monitorURL|/monitor_url"
#define NAME_OF "/monitorFriendlyName|/monitor_friendly_name"
#define TYPE "/alertType|/alert_type"
#define WORD_OF "/alertTypeFriendlyName|/alert_type_friendly_name"
#define TEXT_OF "/alertDetails|/alert_details"
#define TIME_OF "/alertDateTime|/alert_date_time"
#define KEY MONITOR_ID "|" URL "|" NAME_OF

/* 98 is started, 99 paused. */
static const struct word types[] = {
	{ "1", ACTION_TRIGGER },
	{ "2", ACTION_RESOLVE },
	{ "3", ACTION_TRIGGER },
	{ "*", ACTION_IGNORE },
	{ 0 }
};

static const struct word names[] = {
	{ "down", ACTION_TRIGGER },
	{ "up", ACTION_RESOLVE },
	{ 0 }
};

static const struct map expiry[] = {
	{ EV_DEDUP_KEY, "{" KEY "}:expiry" },
	{ EV_SEVERITY, "'warning'", WORD, severity_words },
	{ EV_SUMMARY, "[{" NAME_OF "|" URL "}: ]{" TEXT_OF "|" WORD_OF "|'it expires soon'}" },
	{ EV_EVENT_TYPE, "'monitor.expiry'" },
	{ EV_END }
};

#define NAME(name) (const char *const[]){ name, NULL }

static const struct variant variants[] = {
	{ TYPE, NAME("3"), expiry },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_ACTION, TYPE, WORD, types },
	{ EV_ACTION, WORD_OF, WORD, names },
	{ EV_EVENT_ID, "{" MONITOR_ID "}:{" TYPE "}:{" TIME_OF "}", DERIVED },
	{ EV_DEDUP_KEY, KEY },
	{ EV_NATIVE_SEVERITY, WORD_OF },
	{ EV_SUMMARY, "{" NAME_OF "|" URL "} is {" WORD_OF "}[: {" TEXT_OF "}]" },
	{ EV_SUMMARY, "{" NAME_OF "|" URL "} is Down[: {" TEXT_OF "}]", .only = ON_TRIGGER },
	{ EV_SUMMARY, "{" NAME_OF "|" URL "} is Up[: {" TEXT_OF "}]", .only = ON_RESOLVE },
	{ EV_SUMMARY, TEXT_OF "|" NAME_OF },
	{ EV_DESCRIPTION, TEXT_OF },
	{ EV_SOURCE, URL },
	{ EV_SERVICE, NAME_OF },
	{ EV_EVENT_TYPE, "'monitor.down'", .only = ON_TRIGGER },
	{ EV_EVENT_TYPE, "'monitor.up'", .only = ON_RESOLVE },
	{ EV_EVENT_TYPE, "'monitor.alert'" },
	{ EV_ENTITY_TYPE, "'monitor'" },
	{ EV_ENTITY_ID, KEY },
	{ EV_OCCURRED, TIME_OF, EPOCH },
	{ EV_LINK, URL },
	{ EV_LINK, "/dashboardUrl|/dashboard_url" },
	{ EV_DETAILS, "/alertDuration" },
	{ EV_DETAILS, "/sslExpiryDate" },
	{ EV_DETAILS, "/sslExpiryDaysLeft" },
	{ EV_END }
};

static const char *const left_over[] = {
	"alertDateTime", "alertDetails", "alertDuration", "alertFriendlyDuration", "alertID",
	"alertType", "alertTypeFriendlyName", "dashboardUrl", "domainExpiryDate",
	"domainExpiryDaysLeft", "monitorAlertContacts", "monitorFriendlyName", "monitorID",
	"monitorTags", "monitorType", "monitorURL", "sslExpiryDate", "sslExpiryDaysLeft", NULL
};

/* ---- setting it up, and trying it ------------------------------------------------------------ */

static const struct step steps[] = {
	{ "In UptimeRobot open Integrations & API, Team integrations (or My Settings, Add Alert "
		"Contact), Webhook, Add.", NULL },
	{ "URL to notify (it must end in ? or &):", "{url}?key={key}&" },
	{ "Events: Down, Up, and SSL & domain expiry. Send as query string, or as JSON with the "
		"default parameters.", NULL },
	{ "Plans with custom headers can send the key there instead: Authorization.",
		"Bearer {key}" },
	{ "Choose this contact at each monitor that shall report here.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.method = "GET",
	.query = "monitorID=$nonce&monitorURL=https%3A%2F%2Ftest.example.org%2F"
		"&monitorFriendlyName=%5BUptimeRobot%5D+Test+Alert+-+test-service"
		"&alertType=1&alertTypeFriendlyName=Down"
		"&alertDetails=Sent+by+Grapnel+to+try+this+integration%3B+nothing+is+wrong."
		"&alertDateTime=$seconds&sslExpiryDate=*sslExpiryDate*",
};

const struct provider provider_uptimerobot = {
	.slug = "uptimerobot",
	.title = "UptimeRobot",
	.group = GROUP_UPTIME,
	.about = "Monitors that went down and are up again, certificates and domains that expire.",
	.signs = "UptimeRobot cannot sign; the key goes into the URL, on newer plans into a "
		"header.",
	.on_error = "UptimeRobot tells nothing of its time limit nor of repeats.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST | METHOD_GET,
	.bodies = BODY_JSON | BODY_FORM | BODY_QUERY,
	.actions = DO_INCIDENT,
	.left_over = left_over,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_CRITICAL,
};
