/* Datadog: one event per request, and the body is whatever the user's template says. So members are
 * known by name only, in either case, and a variable that Datadog did not replace is not there.
 *
 * Without a template nothing but the title tells what happened: "[P1] [Triggered on {host:db1}]
 * Disk is full". Groups in front are read one by one: priority, transition with or without its
 * scope; the first other group begins the monitor's name. A member that says the same wins over
 * the title.
 *
 * Datadog cannot sign. It waits 15 s, repeats up to 5 times on 5xx and trouble with the connection,
 * and drops what is answered 4xx. Source: DataDog/documentation integrations/webhooks.md. */
#include "provider_int.h"

static const struct word transitions[] = {
	{ "triggered", ACTION_TRIGGER },
	{ "re-triggered", ACTION_TRIGGER },
	{ "warn", ACTION_TRIGGER },
	{ "re-warn", ACTION_TRIGGER },
	{ "no data", ACTION_TRIGGER },
	{ "re-no data", ACTION_TRIGGER },
	{ "renotify", ACTION_TRIGGER },
	{ "recovered", ACTION_RESOLVE },
	{ 0 }
};

/* Their severity without another, and never above it. */
static const struct word mild_transitions[] = {
	{ "warn", SEVERITY_WARNING },
	{ "re-warn", SEVERITY_WARNING },
	{ "no data", SEVERITY_WARNING },
	{ "re-no data", SEVERITY_WARNING },
	{ 0 }
};

static const struct word states[] = {
	{ "active", ACTION_TRIGGER },
	{ "open", ACTION_TRIGGER },
	{ "under_review", ACTION_ACKNOWLEDGE },
	{ "resolved", ACTION_RESOLVE },
	{ "completed", ACTION_RESOLVE },
	{ "archived", ACTION_RESOLVE },
	{ "closed", ACTION_RESOLVE },
	{ 0 }
};

static const struct word types_without_transition[] = { { "success", ACTION_RESOLVE }, { 0 } };

static const struct word trigger[] = { { "trigger", ACTION_TRIGGER }, { 0 } };

static const struct word priorities[] = {
	{ "p1", SEVERITY_CRITICAL },
	{ "p2", SEVERITY_ERROR },
	{ "p3", SEVERITY_WARNING },
	{ "p4", SEVERITY_INFO },
	{ "p5", SEVERITY_INFO },
	{ 0 }
};

static const struct word incident_severities[] = {
	{ "sev-1", SEVERITY_CRITICAL },
	{ "sev-2", SEVERITY_ERROR },
	{ "sev-3", SEVERITY_WARNING },
	{ "sev-4", SEVERITY_INFO },
	{ "sev-5", SEVERITY_INFO },
	{ 0 }
};

static const struct word alert_types[] = {
	{ "error", SEVERITY_CRITICAL },		/* the product's own table */
	{ "warning", SEVERITY_WARNING },
	{ "info", SEVERITY_INFO },
	{ "success", SEVERITY_INFO },
	{ "user_update", SEVERITY_INFO },
	{ "recommendation", SEVERITY_INFO },
	{ "snapshot", SEVERITY_INFO },
	{ 0 }
};

static const struct word levels[] = {
	{ "error", SEVERITY_ERROR },
	{ "warning", SEVERITY_WARNING },
	{ "info", SEVERITY_INFO },
	{ "success", SEVERITY_INFO },
	{ "user_update", SEVERITY_INFO },
	{ "recommendation", SEVERITY_INFO },
	{ "snapshot", SEVERITY_INFO },
	{ 0 }
};

/* ---- the title ------------------------------------------------------------------------------- */

#define TITLE "/alert_title|/title|/event_title|/summary|/incident_title|/security_signal_title"

struct title {
	struct str priority, transition, scope, name;	/* empty = not there */
};

/* "Triggered", "Re-Warn on {host:db1,env:prod}" */
static bool read_transition(struct str group, struct title *t)
{
	for (const struct word *w = transitions; w->word; w++) {
		size_t n = strlen(w->word);
		struct str rest = str_sub(group, n);

		if (!str_ieqs((struct str){ group.p, group.n - rest.n }, w->word))
			continue;
		if (rest.n && !(str_starts(rest, " on {") && str_ends(rest, "}")))
			continue;
		t->transition = (struct str){ group.p, n };
		if (rest.n)
			t->scope = (struct str){ rest.p + 5, rest.n - 6 };
		return true;
	}
	return false;
}

/* "[group] rest"; a scope may hold brackets of its own, so its end is "}]". */
static bool next_group(struct str text, struct str *group, struct str *rest)
{
	ptrdiff_t end = str_find(text, ']'), brace;

	if (!str_starts(text, "[") || end < 0)
		return false;
	brace = str_find((struct str){ text.p, (size_t)end }, '{');
	if (brace >= 0)
		for (size_t i = (size_t)brace; i + 1 < text.n; i++)
			if (text.p[i] == '}' && text.p[i + 1] == ']') {
				end = (ptrdiff_t)i + 1;
				break;
			}
	*group = str_trim((struct str){ text.p + 1, (size_t)end - 1 });
	*rest = str_trim(str_sub(text, (size_t)end + 1));
	return true;
}

static struct title title_read(struct str text)
{
	struct title t = { .name = str_trim(text) };
	struct str group, rest;

	while (next_group(t.name, &group, &rest)) {
		if (word_find(priorities, group))
			t.priority = group;
		else if (!read_transition(group, &t))
			break;
		t.name = rest;
	}
	return t;
}

/* ---- what rows cannot reach ------------------------------------------------------------------ */

static struct str transition(struct arena *a, const struct title *t, const struct where *w)
{
	static const char *const members[] = {
		"/alert_transition", "/transition", "/status", "/event_transition",
	};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		struct str value = expr_eval(a, members[i], w);

		if (word_find(transitions, value))
			return value;
	}
	return t->transition;
}

/* Markdown comes between two lines "%%%". */
static struct str message(struct arena *a, const struct where *w)
{
	struct str s = expr_eval(a, "/text_only_msg|/event_msg|/body|/alert_status", w);

	if (str_starts(s, "%%%"))
		s = str_trim(str_sub(s, 3));
	if (str_ends(s, "%%%"))
		s.n -= 3;
	return str_trim(s);
}

static struct str own(struct arena *a, struct str name, const struct where *w)
{
	struct title t = title_read(expr_eval(a, TITLE, w));

	if (str_eqs(name, "transition"))
		return transition(a, &t, w);
	if (str_eqs(name, "priority"))
		return t.priority;
	if (str_eqs(name, "scope"))
		return t.scope;
	if (str_eqs(name, "name"))
		return t.name;
	return message(a, w);
}

/* ---- rows ------------------------------------------------------------------------------------ */

#define SCOPE "#/alert_scope|#/scopes|!scope"
#define MONITOR "#/alert_id|#/monitor_id"
#define INCIDENT "#/incident_uuid|#/incident_public_id"
#define SIGNAL "#/security_signal_id|#/signal_id"
#define SIGNAL_STATE "/security_signal_state|/security_signal_status|/signal_state|/signal_status"

/* Incidents and security signals have variables and states of their own. */
static const struct map incident[] = {
	{ EV_ACTION, "/incident_status", WORD, states },
	{ EV_DEDUP_KEY, "incident:{" INCIDENT "}" },
	SEVERITY_AT("#/incident_severity|#/severity", incident_severities),
	{ EV_EVENT_TYPE, "incident.{/incident_status}", SNAKE },
	{ EV_ENTITY_TYPE, "'incident'" },
	{ EV_ENTITY_ID, INCIDENT },
	{ EV_END }
};

static const struct map signal[] = {
	{ EV_ACTION, SIGNAL_STATE, WORD, states },
	{ EV_DEDUP_KEY, "security_signal:{" SIGNAL "}" },
	SEVERITY_AT("#/security_signal_severity|#/severity", severity_words),
	{ EV_EVENT_TYPE, "security_signal.{" SIGNAL_STATE "}", SNAKE },
	{ EV_ENTITY_TYPE, "'security_signal'" },
	{ EV_ENTITY_ID, SIGNAL },
	{ EV_END }
};

static const struct variant variants[] = {
	{ MONITOR "|#/alert_cycle_key", NULL, NULL },
	{ INCIDENT, NULL, incident },
	{ SIGNAL, NULL, signal },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_ACTION, "!transition", WORD, transitions },
	{ EV_ACTION, "/alert_type", WORD, types_without_transition },
	{ EV_ACTION, "'trigger'", WORD, trigger },
	/* The cycle links a trigger with its recovery; the id of a monitor is that of all its groups. */
	{ EV_DEDUP_KEY, "#/alert_cycle_key" },
	{ EV_DEDUP_KEY, "{" MONITOR "}[:{" SCOPE "}]" },
	{ EV_DEDUP_KEY, "#/unique_key" },
	{ EV_DEDUP_KEY, "#/aggreg_key" },
	{ EV_DEDUP_KEY, "[{#/org/id}:]{!name}[:{" SCOPE "}]" },
	{ EV_EVENT_ID, "#/id", NATIVE },
	{ EV_EVENT_ID, "#/event_id", NATIVE },
	{ EV_EVENT_ID, "{$key}:{!transition}:{/date|/last_updated}", DERIVED },
	/* A template without any variable replaced: all that is left is the delivery. */
	{ EV_DEDUP_KEY, "$body" },
	SEVERITY_AT("/alert_priority", priorities),
	SEVERITY_AT("/priority", priorities),	/* of the event stream it is "normal" or "low" */
	SEVERITY_AT("#/severity", severity_words),
	SEVERITY_AT("/annotations/datadog~1priority", priorities),
	SEVERITY_AT("!priority", priorities),
	SEVERITY_AT("/alert_type", alert_types),
	SEVERITY_AT("/level", levels),
	{ EV_SEVERITY, "!transition", WORD, mild_transitions },
	{ EV_SUMMARY, "!name" },
	{ EV_SUMMARY, "'Datadog alert without a title: are the variables of the payload replaced?'" },
	{ EV_DESCRIPTION, "!message" },
	{ EV_SOURCE, "/hostname|" SCOPE },
	{ EV_SERVICE, ":service/tags|:service/alert_scope|:service/scopes" },
	{ EV_EVENT_TYPE, "monitor.{!transition}", SNAKE },
	{ EV_EVENT_TYPE, "'monitor.recovered'", .only = ON_RESOLVE },
	{ EV_EVENT_TYPE, "'monitor.triggered'" },
	{ EV_ENTITY_TYPE, "'monitor'" },
	{ EV_ENTITY_ID, MONITOR "|!name" },
	{ EV_OCCURRED, "/date|/last_updated", EPOCH },
	{ EV_OCCURRED, "/date|/last_updated", TIME },
	{ EV_LINK, "/link" },
	{ EV_LINK, "/url" },
	{ EV_LINK, "/alert_url" },
	{ EV_LINK, "/links/-/href" },
	{ EV_LINK, "/snapshot" },
	{ EV_DETAILS, "/event_type" },
	{ EV_DETAILS, "/alert_metric" },
	{ EV_DETAILS, "/alert_query" },
	{ EV_DETAILS, "/alert_status" },
	{ EV_DETAILS, "/alert_scope" },
	{ EV_DETAILS, "/org" },
	{ EV_DETAILS, "/tags" },
	{ EV_END }
};

/* A body with none of these is no template of Datadog's. */
#define ANY TITLE "|!transition|#/id|#/event_id|" MONITOR "|#/alert_cycle_key|#/unique_key|" \
	"#/aggreg_key|" INCIDENT "|" SIGNAL "|!message|/alert_type"

static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	if (ev->severity > SEVERITY_WARNING &&
			word_find(mild_transitions, expr_eval(a, "!transition", w)))
		ev->severity = SEVERITY_WARNING;
	return true;
}

/* ---- setting it up, and trying it ------------------------------------------------------------- */

static const struct step steps[] = {
	{ "In Datadog open Integrations, Integrations, Webhooks, and add a New webhook.", NULL },
	{ "Name: grapnel. URL:", "{url}" },
	{ "Payload:", "{\n"
		"  \"id\": \"$ID\",\n"
		"  \"alert_cycle_key\": \"$ALERT_CYCLE_KEY\",\n"
		"  \"alert_id\": \"$ALERT_ID\",\n"
		"  \"alert_title\": \"$ALERT_TITLE\",\n"
		"  \"alert_transition\": \"$ALERT_TRANSITION\",\n"
		"  \"alert_priority\": \"$ALERT_PRIORITY\",\n"
		"  \"alert_type\": \"$ALERT_TYPE\",\n"
		"  \"alert_scope\": \"$ALERT_SCOPE\",\n"
		"  \"alert_metric\": \"$ALERT_METRIC\",\n"
		"  \"alert_query\": \"$ALERT_QUERY\",\n"
		"  \"alert_status\": \"$ALERT_STATUS\",\n"
		"  \"event_type\": \"$EVENT_TYPE\",\n"
		"  \"text_only_msg\": \"$TEXT_ONLY_MSG\",\n"
		"  \"hostname\": \"$HOSTNAME\",\n"
		"  \"tags\": \"$TAGS\",\n"
		"  \"link\": \"$LINK\",\n"
		"  \"snapshot\": \"$SNAPSHOT\",\n"
		"  \"date\": \"$DATE\",\n"
		"  \"org\": { \"id\": \"$ORG_ID\", \"name\": \"$ORG_NAME\" }\n"
		"}" },
	{ "Custom headers:", "{\"Authorization\": \"Bearer {key}\"}" },
	{ "Save, and write @webhook-grapnel into the message of each monitor that shall notify Grapnel.",
		NULL },
	{ "Datadog cannot sign. If its addresses are known to you (ip-ranges.datadoghq.com, webhooks), "
		"enter them as the only ones that may send.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.headers = { { "user-agent", "Datadog/WebhookIntegration" } },
	.body = "{'id':'7e57$nonce','alert_cycle_key':'dd-test-$nonce','alert_id':'dd-test-$ms',"
		"'alert_title':'[Triggered on {host:test-host}] [DataDog] Test Alert - CPU Usage High',"
		"'alert_transition':'Triggered','alert_priority':'P2','alert_type':'error',"
		"'alert_scope':'host:test-host,service:test-service',"
		"'alert_metric':'system.cpu.user',"
		"'alert_query':'avg(last_5m):avg:system.cpu.user{host:test-host} > 90',"
		"'alert_status':'system.cpu.user over host:test-host was > 90 for the last 5m',"
		"'event_type':'query_alert_monitor',"
		"'text_only_msg':'Sent by Grapnel to try this integration; nothing is wrong.',"
		"'hostname':'test-host','tags':'env:test,service:test-service,team:sre,monitor',"
		"'link':'https://app.datadoghq.com/monitors/1','snapshot':'','date':'$ms',"
		"'org':{'id':'1','name':'Grapnel test'}}",
};

const struct provider provider_datadog = {
	.slug = "datadog",
	.title = "Datadog",
	.group = GROUP_MONITORING,
	.about = "Monitors of metrics, logs, traces and synthetics, each with its recovery.",
	.signs = "Datadog cannot sign; it sends the key in a header of its own.",
	.on_error = "Datadog waits 15 s and repeats up to 5 times on 5xx and lost connections; what is "
		"answered with 4xx is dropped.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON | BODY_FORM,
	.flags = FINAL_4XX | LOWER_NAMES,
	.actions = DO_INCIDENT,
	.needs = { ANY, "title" },
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_ERROR,
	.own = own,
	.adjust = adjust,
};
