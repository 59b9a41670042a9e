/* AppDynamics: HTTP request actions, whose body is a Velocity template of the user's: one event or
 * all of a minute, flat, under `event` or in an array; without brackets around the loop several
 * documents in one body; line breaks in strings as they are.
 *
 * What happened stands in the event type, POLICY_OPEN_CRITICAL, or, in templates without it, in the
 * display name: "Health Rule Violation Started - Critical". AppDynamics labels a critical violation
 * ERROR, so the ending comes first. All events of one violation share the incident alone, never an id
 * of their own; many templates have it in the link only.
 *
 * Nothing is signed. Success is what the user made it, mostly exactly 200; 5 s to connect, 15 s to
 * answer, no repeat. Source: docs.appdynamics.com, Predefined Templating Variables; templates of
 * keephq/keep, grafana/oncall and splunk/public-o11y-docs. */
#include "provider_int.h"

static const struct word verbs[] = {
	{ "open", ACTION_TRIGGER },
	{ "continues", ACTION_TRIGGER },
	{ "upgraded", ACTION_TRIGGER },
	{ "downgraded", ACTION_TRIGGER },
	{ "close", ACTION_RESOLVE },
	{ "canceled", ACTION_RESOLVE },
	{ 0 }
};

static const struct word severities_of_others[] = {
	{ "error", ACTION_TRIGGER },
	{ "warn", ACTION_TRIGGER },
	{ "info", ACTION_IGNORE },
	{ 0 }
};

/* ---- violations ------------------------------------------------------------------------------ */

#define EVENT_TYPE "/eventType|/ad_event_type|/eventTypeKey"
#define DISPLAY_NAME "/displayName|/name|/summary"
#define LINK "/deepLink|/url|/alert_url|/link"

struct violation {
	struct str kind;	/* "POLICY"; empty: it is none */
	struct str verb;	/* "OPEN" */
	struct str level;	/* "CRITICAL", "WARNING" or empty */
};

static bool is_level(struct str s)
{
	return str_ieqs(s, "critical") || str_ieqs(s, "warning");
}

/* "POLICY_OPEN_WARNING", "ANOMALY_CLOSE" */
static struct violation read_type(struct str type)
{
	struct violation v = { .kind = str_until(&type, '_') };

	v.verb = str_until(&type, '_');
	v.level = type;
	if (!str_ieqs(v.kind, "policy") && !str_ieqs(v.kind, "anomaly"))
		return (struct violation){ 0 };
	return word_find(verbs, v.verb) && (!type.n || is_level(type)) ? v : (struct violation){ 0 };
}

/* "Health Rule Violation Upgraded - Warning to Critical" */
static struct violation read_name(struct str name)
{
	static const char *const spoken[][2] = {
		{ "started", "OPEN" },
		{ "continues", "CONTINUES" },
		{ "upgraded", "UPGRADED" },
		{ "downgraded", "DOWNGRADED" },
		{ "ended", "CLOSE" },
		{ "canceled", "CANCELED" },
	};
	struct violation v = { 0 };
	struct str word;

	while (name.n && !str_ieqs(str_word(&name), "violation"))
		continue;
	word = str_word(&name);
	for (size_t i = 0; i < ARRAY_SIZE(spoken); i++)
		if (str_ieqs(word, spoken[i][0]))
			v = (struct violation){ STR("POLICY"), str_of(spoken[i][1]), STR_NONE };
	while ((word = str_word(&name)).n)
		v.level = v.kind.n && is_level(word) ? word : STR_NONE;
	return v;
}

static struct violation violation(struct arena *a, const struct where *w)
{
	struct str type = expr_eval(a, EVENT_TYPE, w);

	return type.n ? read_type(type) : read_name(expr_eval(a, DISPLAY_NAME, w));
}

/* ---- what rows cannot reach ------------------------------------------------------------------ */

/* The digits behind "incident=" in the link. */
static struct str incident_in_link(struct str link)
{
	static const char mark[] = "incident=";
	size_t n = 0;

	while (link.n && !str_starts(link, mark))
		link = str_sub(link, 1);
	link = str_sub(link, strlen(mark));
	while (n < link.n && link.p[n] >= '0' && link.p[n] <= '9')
		n++;
	return (struct str){ link.p, n };
}

static struct str incident(struct arena *a, const struct where *w)
{
	struct str id = expr_eval(a, "#/incidentId|#.incident.id|#/incident_id", w);

	if (!id.n && expr_eval(a, "/ad_event_type", w).n)	/* the template made for VictorOps */
		id = expr_eval(a, "#/entity_id", w);
	return id.n ? id : incident_in_link(expr_eval(a, LINK, w));
}

static struct str type(struct arena *a, const struct violation *v, const struct where *w)
{
	struct str given = expr_eval(a, EVENT_TYPE, w);

	if (given.n || !v->kind.n)
		return given;
	return arena_printf(a, "%.*s_%.*s%s%.*s", STR_ARG(v->kind), STR_ARG(v->verb),
		v->level.n ? "_" : "", STR_ARG(v->level));
}

static struct str level(const struct violation *v)
{
	if (v->level.n)
		return v->level;
	if (str_ieqs(v->verb, "upgraded"))
		return STR("critical");
	return str_ieqs(v->verb, "downgraded") ? STR("warning") : STR_NONE;
}

static struct str own(struct arena *a, struct str name, const struct where *w)
{
	struct violation v;

	if (str_eqs(name, "incident"))
		return incident(a, w);
	v = violation(a, w);
	if (str_eqs(name, "verb"))
		return v.verb;
	if (str_eqs(name, "level"))
		return level(&v);
	if (str_eqs(name, "kind"))
		return v.kind;
	return type(a, &v, w);
}

/* ---- rows ------------------------------------------------------------------------------------ */

#define SEVERITY "/severity|/eventSeverity"
#define APPLICATION ".application.name|/application"
#define TIER ".tier.name|/tier"
#define NODE ".node.name|/node"
#define OWN_ID "#/guid|#/event_id|#/eventId"

static const struct map of_incident[] = {
	{ EV_ENTITY_TYPE, "'incident'" },
	{ EV_ENTITY_ID, "!incident" },
	{ EV_DEDUP_KEY, "incident:{!incident}" },
	{ EV_END }
};

static const struct variant variants[] = {
	{ "!incident", NULL, of_incident },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_ACTION, "!verb", WORD, verbs },
	{ EV_ACTION, SEVERITY, WORD, severities_of_others },
	{ EV_EVENT_ID, "{" OWN_ID "}[:{!type}]", NATIVE },
	/* In a template of a person's this may be the id of anything. */
	{ EV_EVENT_ID, "{#/id}[:{!type}]", DERIVED },
	/* Without an incident all events of a violation must still have one key, whatever their type. */
	{ EV_DEDUP_KEY, "app[:{" APPLICATION "}][:{" TIER "}][:{" NODE "}]"
		":{!kind|" EVENT_TYPE "|" DISPLAY_NAME "}" },
	{ EV_SEVERITY, "!level", WORD, severity_words, ON_TRIGGER },
	{ EV_SEVERITY, SEVERITY, WORD, severity_words, ON_TRIGGER },
	{ EV_NATIVE_SEVERITY, SEVERITY },
	{ EV_SUMMARY, "{" DISPLAY_NAME "}[: {/summaryMessage|/description}]" },
	{ EV_SUMMARY, "/summaryMessage|/state_message|!type" },
	{ EV_SUMMARY, "'AppDynamics sent no event: were the variables of the template replaced?'" },
	{ EV_DESCRIPTION, "/summaryMessage|/description|/state_message" },
	{ EV_SOURCE, "{" APPLICATION "}[/{" TIER "}][/{" NODE "}]" },
	{ EV_SOURCE, "{" TIER "}[/{" NODE "}]" },
	{ EV_SOURCE, NODE },
	{ EV_SERVICE, APPLICATION },
	{ EV_EVENT_TYPE, "!type", LOWER },
	{ EV_ENTITY_TYPE, "'event'" },
	{ EV_ENTITY_ID, OWN_ID "|#/id" },
	{ EV_LINK, LINK },
	{ EV_DETAILS, "/eventMessage" },	/* HTML */
	{ EV_DETAILS, "/message" },
	{ EV_DETAILS, "/eventTime" },
	{ EV_DETAILS, "/application" },
	{ EV_DETAILS, "/tier" },
	{ EV_DETAILS, "/node" },
	{ EV_END }
};

static const struct wrap wraps[] = { { "'event'", "/event" }, { 0 } };

/* ---- setting it up, and trying it ------------------------------------------------------------- */

static const struct step steps[] = {
	{ "In AppDynamics open Alert & Respond, HTTP Request Templates, New. Method POST, Raw URL:",
		"{url}" },
	{ "Custom Request Headers: Authorization, with this value:", "Bearer {key}" },
	{ "Payload, MIME type application/json:", "{\n"
		"  \"eventType\": \"${latestEvent.eventType}\",\n"
		"  \"guid\": \"${latestEvent.guid}\",\n"
		"  \"displayName\": \"${latestEvent.displayName}\",\n"
		"  \"summaryMessage\": \"${latestEvent.summaryMessage}\",\n"
		"  \"severity\": \"${latestEvent.severity}\",\n"
		"  \"incidentId\": \"${latestEvent.incident.id}\",\n"
		"  \"application\": \"${latestEvent.application.name}\",\n"
		"  \"tier\": \"${latestEvent.tier.name}\",\n"
		"  \"node\": \"${latestEvent.node.name}\",\n"
		"  \"deepLink\": \"${latestEvent.deepLink}\"\n"
		"}" },
	{ "Response Handling Criteria: success is status code 200. Settings: One Request Per Event.", NULL },
	{ "Make a policy for health rule violations, all of them from started to ended and canceled, "
		"with this template as its action.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.body = "{'eventType':'POLICY_OPEN_CRITICAL','guid':'7e570000-0000-4000-8000-$nonce',"
		"'displayName':'[AppDynamics] Test Alert - CPU Usage High',"
		"'eventMessage':'Sent by Grapnel to try this integration; nothing is wrong.',"
		"'severity':'ERROR','incidentId':'$ms','application':'test-service','tier':'web',"
		"'node':'test-host','deepLink':'https://appdynamics.example.org/controller/"
		"#location=APP_INCIDENT_DETAIL&incident=$ms'}",
};

const struct provider provider_appdynamics = {
	.slug = "appdynamics",
	.title = "AppDynamics",
	.group = GROUP_MONITORING,
	.about = "Health rule violations and anomalies from start to end, and events of other types.",
	.signs = "AppDynamics cannot sign; it sends the key in a header of its own.",
	.on_error = "AppDynamics waits 15 s, takes what the template calls a success, mostly exactly 200, and "
		"does not repeat.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON | BODY_LOOSE | BODY_FORM | BODY_XML,
	.flags = ANSWER_200,
	.actions = DO_INCIDENT,
	.each = "|/events|/events/event",
	.alone = "'an event'",
	.wraps = wraps,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_ERROR,
	.own = own,
};
