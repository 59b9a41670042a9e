/* message.c - what people are told of a notice. How to add: a function that fills title, text, facts, level and thread from the notice's data, and a
 * row of `types`. */
#include <inttypes.h>

#include "grapnel/channel.h"

#define DATA_MAX (256 * 1024)	/* a notice holds one thing, not its history */

static void add_fact(struct message *m, const char *name, struct str value)
{
	if (value.n && m->fact_n < MESSAGE_FACTS_MAX)
		m->facts[m->fact_n++] = (struct message_fact){ str_of(name), value };
}

static struct str part(const struct json *data, const char *name)
{
	return json_text(json_get(data, name));
}

/* "25 minutes"; the larger unit from twice of it on. */
static struct str duration(struct arena *a, ms_t ms)
{
	static const struct {
		const char *name;
		ms_t ms;
	} units[] = { { "day", MS_PER_DAY }, { "hour", MS_PER_HOUR }, { "minute", MS_PER_MINUTE }, { "second", MS_PER_SECOND } };
	size_t u = 0;

	while (u + 1 < ARRAY_SIZE(units) && ms < 2 * units[u].ms)
		u++;
	return arena_printf(a, "%" PRId64 " %s%s", ms / units[u].ms, units[u].name, ms / units[u].ms == 1 ? "" : "s");
}

static void add_lasted(struct arena *a, const struct json *data, struct message *m)
{
	ms_t from, to;

	if (time_parse(part(data, "startedAt"), &from) && time_parse(part(data, "endedAt"), &to) && to >= from)
		add_fact(m, "Lasted", duration(a, to - from));
}

/* ---- monitor alerts ---- */

static enum level monitor_level(struct str severity)
{
	return str_eqs(severity, "CRITICAL") ? LEVEL_CRITICAL : str_eqs(severity, "ERROR") ? LEVEL_HIGH : LEVEL_MEDIUM;
}

static void monitor_alert(struct arena *a, const struct json *data, struct message *m)
{
	m->thread = arena_printf(a, "monitor-%.*s", STR_ARG(part(data, "id")));
	m->level = monitor_level(part(data, "severity"));
	m->title = part(data, "message");
	m->path = STR("/monitor");
	add_fact(m, "Check", part(data, "type"));
	add_fact(m, "About", part(data, "subject"));
	add_fact(m, "Severity", part(data, "severity"));
}

static void monitor_running(struct arena *a, const struct json *data, struct message *m)
{
	monitor_alert(a, data, m);
	m->text = part(data, "advice");
	add_fact(m, "Value", part(data, "value"));
	add_fact(m, "Threshold", part(data, "threshold"));
	add_fact(m, "Since", part(data, "startedAt"));
}

static void monitor_started(struct arena *a, const struct json *data, struct message *m)
{
	monitor_running(a, data, m);
	m->phase = MESSAGE_BEGINS;
}

static void monitor_raised(struct arena *a, const struct json *data, struct message *m)
{
	monitor_running(a, data, m);
	m->phase = MESSAGE_GOES_ON;
	m->lead = arena_printf(a, "Now %.*s", STR_ARG(part(data, "severity")));
}

static void monitor_ended(struct arena *a, const struct json *data, struct message *m)
{
	monitor_alert(a, data, m);
	m->phase = MESSAGE_ENDS;
	m->lead = STR("Resolved");
	add_lasted(a, data, m);
}

/* ---- alert rules ---- */

static struct str joined_filter(struct arena *a, const struct json *filter)
{
	struct str out = STR_NONE;

	for (const struct json *j = filter ? filter->first : NULL; j; j = j->next)
		out = arena_printf(a, "%.*s%s%.*s %.*s", STR_ARG(out), out.n ? ", " : "", STR_ARG(j->name), STR_ARG(json_text(j)));
	return out;
}

static void rule(struct arena *a, const struct json *data, struct message *m)
{
	m->thread = arena_printf(a, "rule-%.*s", STR_ARG(part(data, "id")));
	m->level = LEVEL_HIGH;
	m->title = arena_printf(a, "Alert rule: %.*s", STR_ARG(part(data, "name")));
	m->text = part(data, "message");
	m->path = STR("/alert-rules");
	add_fact(m, "Rule of", part(data, "user"));
	add_fact(m, "Metric", part(data, "metric"));
	add_fact(m, "Only", joined_filter(a, json_get(data, "filter")));
	add_fact(m, "Value", part(data, "value"));
	add_fact(m, "Threshold", arena_printf(a, "%.*s %.*s", STR_ARG(part(data, "comparison")), STR_ARG(part(data, "threshold"))));
}

static void rule_triggered(struct arena *a, const struct json *data, struct message *m)
{
	rule(a, data, m);
	m->phase = MESSAGE_BEGINS;
	add_fact(m, "Since", part(data, "startedAt"));
}

static void rule_over(struct arena *a, const struct json *data, struct message *m)
{
	rule(a, data, m);
	m->phase = MESSAGE_ENDS;
	m->lead = STR("Over");
	add_lasted(a, data, m);
}

/* ---- incidents ---- */

/* Who did what its newest entry tells: a person by name. */
static struct str doer(struct arena *a, const struct json *entry)
{
	struct str actor = part(entry, "actor"), user = part(entry, "user"), link = part(entry, "byLink");

	if (str_eqs(actor, "person"))
		return user.n ? user : link.n ? arena_printf(a, "a link (%.*s)", STR_ARG(link)) : STR("the command line");
	return str_eqs(actor, "system") ? STR("Grapnel") : STR("the sender");
}

static void incident(struct arena *a, const struct json *data, struct message *m)
{
	const struct json *entry = json_get(data, "entry");
	struct str severity = part(data, "severity"), title = part(data, "title");

	m->thread = arena_printf(a, "incident-%.*s", STR_ARG(part(data, "id")));
	if (!level_parse(severity, &m->level))
		m->level = LEVEL_HIGH;
	m->title = str_eqs(part(data, "isTest"), "true") ? arena_printf(a, "[TEST] %.*s", STR_ARG(title)) : title;
	m->path = arena_printf(a, "/incidents/%.*s", STR_ARG(part(data, "id")));
	m->text = str_eqs(part(entry, "actor"), "person") ? part(entry, "text") : STR_NONE;
	add_fact(m, "Service", part(data, "serviceName"));
	add_fact(m, "Severity", severity);
	add_fact(m, "Source", part(data, "provider"));
	add_fact(m, "Alerts", part(data, "alertCount"));
	add_fact(m, "Opened", part(data, "openedAt"));
}

static void incident_opened(struct arena *a, const struct json *data, struct message *m)
{
	incident(a, data, m);
	m->phase = MESSAGE_BEGINS;
}

/* Nobody was told before, or all that it is over; and a silence may come again. */
static void incident_released(struct arena *a, const struct json *data, struct message *m)
{
	incident_opened(a, data, m);
	m->again = true;
}

static void incident_raised(struct arena *a, const struct json *data, struct message *m)
{
	incident(a, data, m);
	m->phase = MESSAGE_GOES_ON;
	m->lead = arena_printf(a, "Now %.*s", STR_ARG(part(json_get(data, "entry"), "severity")));
}

static void incident_acknowledged(struct arena *a, const struct json *data, struct message *m)
{
	incident(a, data, m);
	m->phase = MESSAGE_TAKEN;
	m->lead = STR("Acknowledged");
	add_fact(m, "By", doer(a, json_get(data, "entry")));
}

static void incident_resolved(struct arena *a, const struct json *data, struct message *m)
{
	ms_t opened;

	incident(a, data, m);
	m->phase = MESSAGE_ENDS;
	m->lead = STR("Resolved");
	add_fact(m, "By", doer(a, json_get(data, "entry")));
	if (time_parse(part(data, "openedAt"), &opened) && m->at >= opened)
		add_fact(m, "Lasted", duration(a, m->at - opened));
}

/* It goes on as a part of another; its own thread ends. */
static void incident_merged(struct arena *a, const struct json *data, struct message *m)
{
	incident(a, data, m);
	m->phase = MESSAGE_ENDS;
	m->lead = STR("Merged");
	add_fact(m, "By", doer(a, json_get(data, "entry")));
}

static void incident_reopened(struct arena *a, const struct json *data, struct message *m)
{
	incident(a, data, m);
	m->phase = MESSAGE_GOES_ON;
	m->lead = STR("Reopened");
	add_fact(m, "By", doer(a, json_get(data, "entry")));
}

/* ---- events, for sinks: programs read the data ---- */

static void webhook_received(struct arena *a, const struct json *data, struct message *m)
{
	const struct json *event = json_get(data, "event");
	struct str id = part(event, "id");

	m->thread = arena_printf(a, "event-%.*s", STR_ARG(id));
	m->title = arena_printf(a, "Event %.*s", STR_ARG(id));
	m->path = arena_printf(a, "/events/%.*s", STR_ARG(id));
	m->subject = arena_printf(a, "/%.*s/webhooks/%.*s", STR_ARG(part(event, "provider")), STR_ARG(part(event, "sourceId")));
}

/* ---- what was bundled in a storm ---- */

/* The page about all of them. */
static struct str bundle_path(const struct json *list)
{
	static const struct {
		const char *types, *path;
	} pages[] = { { "incident.", "/incidents" }, { "monitor.", "/monitor" }, { "alerts.", "/alert-rules" } };

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		const struct json *j = list ? list->first : NULL;

		while (j && str_starts(part(j, "type"), pages[i].types))
			j = j->next;
		if (!j)
			return str_of(pages[i].path);
	}
	return STR("/");
}

/* Most grave first. Until it is sent nobody has looked what it tells. */
static void bundled(struct arena *a, const struct json *data, struct message *m)
{
	const struct json *list = json_get(data, "messages"), *counts = json_get(data, "bySeverity");
	struct str count = part(data, "count");
	struct strbuf b;

	m->thread = arena_printf(a, "bundle-%.*s", STR_ARG(part(data, "id")));
	m->phase = MESSAGE_BEGINS;
	m->level = LEVEL_INFO;
	if (list && list->first && !level_parse(part(list->first, "severity"), &m->level))
		m->level = LEVEL_INFO;
	m->title = count.n ? arena_printf(a, "%.*s more messages in one minute", STR_ARG(count)) : STR("What was too much for one minute, in one message");
	m->path = bundle_path(list);
	strbuf_init(&b, a, DATA_MAX);
	for (const struct json *j = list ? list->first : NULL; j; j = j->next) {
		strbuf_addf(&b, "%s[%.*s] ", b.n ? "\n" : "", STR_ARG(part(j, "severity")));
		strbuf_addstr(&b, part(j, "title"));
	}
	m->text = strbuf_str(&b);
	for (const struct json *j = counts ? counts->first : NULL; j; j = j->next)
		add_fact(m, arena_cstr(a, j->name), json_text(j));
}

/* The entry says whom that step is for; the incident goes on, it was told of before or not. */
static void incident_escalated(struct arena *a, const struct json *data, struct message *m)
{
	incident(a, data, m);
	m->phase = MESSAGE_GOES_ON;
	add_fact(m, "Paged", part(json_get(data, "entry"), "text"));
}

/* ---- people's contacts ---- */

static void contact_verify(struct arena *a, const struct json *data, struct message *m)
{
	m->thread = str_starts(part(data, "id"), "ct_") ? arena_printf(a, "contact-%.*s", STR_ARG(str_sub(part(data, "id"), 3))) : STR("contact");
	m->phase = MESSAGE_GOES_ON;
	m->level = LEVEL_INFO;
	m->title = arena_printf(a, "Your code is %.*s", STR_ARG(part(data, "code")));
	m->text = arena_printf(a, "%.*s wants to be paged here. The code counts for 15 minutes. Whoever did not ask for it can forget it.",
		STR_ARG(part(data, "user")));
	m->path = STR("/account");
}

/* ---- an endpoint is left alone for good ---- */

static void endpoint_disabled(struct arena *a, const struct json *data, struct message *m)
{
	struct str id = part(data, "id");

	m->thread = arena_printf(a, "endpoint-%.*s", STR_ARG(str_starts(id, "ep_") ? str_sub(id, 3) : id));
	m->level = LEVEL_MEDIUM;
	m->title = arena_printf(a, "Your endpoint at %.*s was switched off", STR_ARG(part(data, "host")));
	m->text = arena_printf(a, "%.*s Mend its receiver, switch it on again, and redeliver what it missed.", STR_ARG(part(data, "reason")));
	m->path = arena_printf(a, "/endpoints/%.*s", STR_ARG(id));
}

/* ---- the test button ---- */

static void test(struct arena *a, const struct json *data, struct message *m)
{
	m->thread = arena_printf(a, "test-%.*s", STR_ARG(part(data, "id")));
	m->level = LEVEL_INFO;
	m->title = arena_printf(a, "Test of the channel %.*s", STR_ARG(part(data, "channel")));
	m->text = STR("This message was asked for with the test button. Nothing is wrong.");
	m->path = STR("/channels");
	add_fact(m, "Asked for by", part(data, "user"));
}

static void test_started(struct arena *a, const struct json *data, struct message *m)
{
	test(a, data, m);
	m->phase = MESSAGE_BEGINS;
}

static void test_ended(struct arena *a, const struct json *data, struct message *m)
{
	test(a, data, m);
	m->phase = MESSAGE_ENDS;
	m->lead = STR("Resolved");
}

/* ---- all ---- */

static const struct {
	const char *type;
	void (*fill)(struct arena *a, const struct json *data, struct message *m);
} types[] = {
	{ "alerts.over", rule_over },
	{ "alerts.triggered", rule_triggered },
	{ "channel.test", test_started },
	{ "channel.test_ended", test_ended },
	{ "contact.verify", contact_verify },
	{ "endpoint.disabled", endpoint_disabled },
	{ "incident.acknowledged", incident_acknowledged },
	{ "incident.escalated", incident_escalated },
	{ "incident.opened", incident_opened },
	{ "incident.released", incident_released },
	{ "incident.reopened", incident_reopened },
	{ "incident.merged", incident_merged },
	{ "incident.resolved", incident_resolved },
	{ "incident.severity_raised", incident_raised },
	{ "messages.bundled", bundled },
	{ "monitor.alert_started", monitor_started },
	{ "webhook.received", webhook_received },
	{ "monitor.alert_raised", monitor_raised },
	{ "monitor.alert_ended", monitor_ended },
};

static struct str as_text(struct arena *a, const struct json *j)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, DATA_MAX);
	json_out_init(&o, &b);
	json_tree(&o, j);
	return b.failed ? STR("{}") : strbuf_str(&b);
}

bool message_of(struct arena *a, struct str payload, struct message *out, struct err *e)
{
	const struct json *j, *data;
	struct message m = { 0 };

	if (!json_parse(a, payload, &j, e))
		return false;
	m.type = part(j, "type");
	data = json_get(j, "data");
	if (!json_is(data, JSON_OBJECT) || !time_parse(part(j, "at"), &m.at))
		return err_set(e, ERR_INVALID, "this is no notice");
	m.data = as_text(a, data);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_eqs(m.type, types[i].type)) {
			types[i].fill(a, data, &m);
			*out = m;
			return true;
		}
	return err_set(e, ERR_INVALID, "a notice of unknown type \"%.*s\"", STR_ARG(str_cut(m.type, 60)));
}

/* The title is a sender's: nothing in it looks like a line of ours. */
struct str message_headline(struct arena *a, const struct message *m)
{
	struct str title = arena_line(a, m->title);

	return m->lead.n ? arena_printf(a, "%.*s: %.*s", STR_ARG(m->lead), STR_ARG(title)) : title;
}
