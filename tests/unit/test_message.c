/* What people are told of a notice. */
#include "grapnel/channel.h"
#include "unit.h"

static struct arena *a;
static struct err e;

static void setup(void)
{
	a = arena_new(1 << 20);
	e = (struct err){ 0 };
}

static const char *const phases[] = { [MESSAGE_BEGINS] = "begins", [MESSAGE_GOES_ON] = "goes on", [MESSAGE_TAKEN] = "taken", [MESSAGE_ENDS] = "ends" };

/* One line for each part. */
static struct str shown(const struct message *m)
{
	struct strbuf b;

	strbuf_init(&b, a, 65536);
	strbuf_addf(&b, "%.*s %.*s %s %d\n%.*s\n%.*s\n%.*s\n", STR_ARG(m->type), STR_ARG(m->thread), m->again ? "begins again" : phases[m->phase], (int)m->level,
		STR_ARG(message_headline(a, m)), STR_ARG(m->text), STR_ARG(m->path));
	for (size_t i = 0; i < m->fact_n; i++)
		strbuf_addf(&b, "%.*s=%.*s\n", STR_ARG(m->facts[i].name), STR_ARG(m->facts[i].value));
	return strbuf_str(&b);
}

#define INCIDENT(type, more, entry) \
	"{\"type\":\"incident." type "\",\"at\":\"2026-01-02T03:30:05.678Z\",\"data\":{\"id\":\"7\",\"title\":\"Disk full\",\"severity\":\"HIGH\"," \
	"\"serviceName\":\"shop\",\"provider\":\"prometheus\",\"alertCount\":2,\"isTest\":" more ",\"openedAt\":\"2026-01-02T03:04:05.678Z\"," \
	"\"entry\":{" entry "}}}"
#define FACTS "/incidents/7\nService=shop\nSeverity=HIGH\nSource=prometheus\nAlerts=2\nOpened=2026-01-02T03:04:05.678Z\n"

static const struct {
	const char *payload, *want;
} rows[] = {
	{ "{\"type\":\"messages.bundled\",\"at\":\"2026-01-02T03:31:00Z\",\"data\":{\"id\":\"6\",\"count\":190,\"bySeverity\":{\"CRITICAL\":1,\"LOW\":189},"
		"\"messages\":[{\"type\":\"incident.opened\",\"severity\":\"CRITICAL\",\"title\":\"Disk full\"},{\"type\":\"incident.resolved\",\"severity\":\"LOW\",\"title\":\"Resolved: x\"}]}}",
		"messages.bundled bundle-6 begins 4\n190 more messages in one minute\n[CRITICAL] Disk full\n[LOW] Resolved: x\n/incidents\nCRITICAL=1\nLOW=189\n" },
	{ "{\"type\":\"messages.bundled\",\"at\":\"2026-01-02T03:31:00Z\",\"data\":{\"id\":\"6\"}}",
		"messages.bundled bundle-6 begins 0\nWhat was too much for one minute, in one message\n\n/incidents\n" },
	{ "{\"type\":\"webhook.received\",\"at\":\"2026-01-02T03:31:00Z\",\"data\":{\"webhook\":null,\"event\":{\"id\":\"9\",\"provider\":\"stripe\","
		"\"sourceId\":\"in_x\"},\"syncTriggered\":false}}", "webhook.received event-9 begins 0\nEvent 9\n\n/events/9\n" },
	{ "{\"type\":\"messages.bundled\",\"at\":\"2026-01-02T03:31:00Z\",\"data\":{\"id\":\"6\",\"count\":2,\"bySeverity\":{\"MEDIUM\":2},\"messages\":["
		"{\"type\":\"monitor.alert_started\",\"severity\":\"MEDIUM\",\"title\":\"x\"},{\"type\":\"monitor.alert_ended\",\"severity\":\"MEDIUM\",\"title\":\"y\"}]}}",
		"messages.bundled bundle-6 begins 2\n2 more messages in one minute\n[MEDIUM] x\n[MEDIUM] y\n/monitor\nMEDIUM=2\n" },
	{ "{\"type\":\"messages.bundled\",\"at\":\"2026-01-02T03:31:00Z\",\"data\":{\"id\":\"6\",\"count\":2,\"bySeverity\":{\"HIGH\":2},\"messages\":["
		"{\"type\":\"alerts.triggered\",\"severity\":\"HIGH\",\"title\":\"x\"},{\"type\":\"incident.opened\",\"severity\":\"HIGH\",\"title\":\"y\"}]}}",
		"messages.bundled bundle-6 begins 3\n2 more messages in one minute\n[HIGH] x\n[HIGH] y\n/\nHIGH=2\n" },
	{ INCIDENT("opened", "false", "\"actor\":\"sender\",\"text\":\"Disk full\""), "incident.opened incident-7 begins 3\nDisk full\n\n" FACTS },
	{ "{\"type\":\"incident.opened\",\"at\":\"2026-01-02T03:04:05Z\",\"data\":{\"id\":\"7\",\"title\":\" Disk\\r\\nResolve: http:\\u001b\\t//x/\\n\","
		"\"severity\":\"HIGH\"}}", "incident.opened incident-7 begins 3\nDisk  Resolve: http:  //x/\n\n/incidents/7\nSeverity=HIGH\n" },
	{ INCIDENT("released", "false", "\"actor\":\"system\",\"text\":\"Sunday\""), "incident.released incident-7 begins again 3\nDisk full\n\n" FACTS },
	{ INCIDENT("opened", "true", "\"actor\":\"sender\""), "incident.opened incident-7 begins 3\n[TEST] Disk full\n\n" FACTS },
	{ INCIDENT("severity_raised", "false", "\"actor\":\"sender\",\"severity\":\"HIGH\""),
		"incident.severity_raised incident-7 goes on 3\nNow HIGH: Disk full\n\n" FACTS },
	{ INCIDENT("acknowledged", "false", "\"actor\":\"person\",\"user\":\"ann\",\"text\":\"On my way\""),
		"incident.acknowledged incident-7 taken 3\nAcknowledged: Disk full\nOn my way\n" FACTS "By=ann\n" },
	{ INCIDENT("acknowledged", "false", "\"actor\":\"person\",\"user\":null"),
		"incident.acknowledged incident-7 taken 3\nAcknowledged: Disk full\n\n" FACTS "By=the command line\n" },
	{ INCIDENT("resolved", "false", "\"actor\":\"sender\""),
		"incident.resolved incident-7 ends 3\nResolved: Disk full\n\n" FACTS "By=the sender\nLasted=26 minutes\n" },
	{ INCIDENT("reopened", "false", "\"actor\":\"system\""), "incident.reopened incident-7 goes on 3\nReopened: Disk full\n\n" FACTS "By=Grapnel\n" },
	{ INCIDENT("escalated", "false", "\"actor\":\"system\",\"text\":\"Step 1 of Shop: ann (email)\""),
		"incident.escalated incident-7 goes on 3\nDisk full\n\n" FACTS "Paged=Step 1 of Shop: ann (email)\n" },
	{ "{\"type\":\"contact.verify\",\"at\":\"2026-01-02T03:30:05Z\",\"data\":{\"id\":\"ct_1\",\"user\":\"ann\",\"code\":\"012345\"}}",
		"contact.verify contact-1 goes on 0\nYour code is 012345\nann wants to be paged here. The code counts for 15 minutes."
		" Whoever did not ask for it can forget it.\n/account\n" },
	{ "{\"type\":\"endpoint.disabled\",\"at\":\"2026-01-02T03:30:05Z\",\"data\":{\"id\":\"ep_1\",\"host\":\"example.org\",\"reason\":\"It is gone.\"}}",
		"endpoint.disabled endpoint-1 begins 2\nYour endpoint at example.org was switched off\nIt is gone."
		" Mend its receiver, switch it on again, and redeliver what it missed.\n/endpoints/ep_1\n" },
	{ "{\"type\":\"monitor.alert_started\",\"at\":\"2026-01-02T03:04:05.678Z\",\"data\":{\"id\":\"7\",\"type\":\"LARGE_BACKLOG\",\"subject\":\"\","
	  "\"severity\":\"WARNING\",\"message\":\"120 events wait.\",\"value\":120,\"threshold\":100,\"startedAt\":\"2026-01-02T03:04:05.678Z\","
	  "\"endedAt\":null,\"advice\":\"Add workers.\"}}",
		"monitor.alert_started monitor-7 begins 2\n120 events wait.\nAdd workers.\n/monitor\nCheck=LARGE_BACKLOG\nSeverity=WARNING\nValue=120\n"
		"Threshold=100\nSince=2026-01-02T03:04:05.678Z\n" },
	{ "{\"type\":\"monitor.alert_raised\",\"at\":\"2026-01-02T03:30:05.678Z\",\"data\":{\"id\":\"8\",\"type\":\"DEAD_EVENTS\",\"subject\":\"in_1\","
		"\"severity\":\"CRITICAL\",\"message\":\"2 events died.\",\"advice\":\"See them.\",\"startedAt\":\"2026-01-02T03:04:05.678Z\",\"endedAt\":null}}",
		"monitor.alert_raised monitor-8 goes on 4\nNow CRITICAL: 2 events died.\nSee them.\n/monitor\nCheck=DEAD_EVENTS\nAbout=in_1\nSeverity=CRITICAL\n"
		"Since=2026-01-02T03:04:05.678Z\n" },
	{ "{\"type\":\"monitor.alert_ended\",\"at\":\"2026-01-02T03:30:05.678Z\",\"data\":{\"id\":\"8\",\"type\":\"DEAD_EVENTS\",\"subject\":\"in_1\","
	  "\"severity\":\"CRITICAL\",\"message\":\"2 events died.\",\"value\":2,\"threshold\":0,\"startedAt\":\"2026-01-02T03:04:05.678Z\","
	  "\"endedAt\":\"2026-01-02T03:30:05.678Z\",\"advice\":\"Look.\"}}",
		"monitor.alert_ended monitor-8 ends 4\nResolved: 2 events died.\n\n/monitor\nCheck=DEAD_EVENTS\nAbout=in_1\nSeverity=CRITICAL\nLasted=26 minutes\n" },
	{ "{\"type\":\"alerts.triggered\",\"at\":\"2026-01-02T03:04:05.678Z\",\"data\":{\"id\":\"11\",\"ruleId\":\"ar_1\",\"name\":\"Silence\","
	  "\"metric\":\"minutes_since_last_event\",\"filter\":{\"provider\":\"stripe\",\"service\":\"sv_1\"},\"comparison\":\">\",\"threshold\":30,"
	  "\"windowMinutes\":60,\"user\":\"ann\",\"value\":31,\"message\":\"Minutes since the last event: 31, above 30.\","
	  "\"startedAt\":\"2026-01-02T03:04:05.678Z\",\"endedAt\":null}}",
		"alerts.triggered rule-11 begins 3\nAlert rule: Silence\nMinutes since the last event: 31, above 30.\n/alert-rules\nRule of=ann\n"
		"Metric=minutes_since_last_event\nOnly=provider stripe, service sv_1\nValue=31\nThreshold=> 30\nSince=2026-01-02T03:04:05.678Z\n" },
	{ "{\"type\":\"alerts.over\",\"at\":\"2026-01-02T04:04:05.678Z\",\"data\":{\"id\":\"11\",\"name\":\"Silence\",\"metric\":\"open_incidents\","
	  "\"filter\":{},\"comparison\":\">=\",\"threshold\":0.5,\"value\":0,\"message\":\"The rule was deleted.\","
	  "\"startedAt\":\"2026-01-02T03:04:05.678Z\",\"endedAt\":\"2026-01-02T03:34:05.678Z\"}}",
		"alerts.over rule-11 ends 3\nOver: Alert rule: Silence\nThe rule was deleted.\n/alert-rules\nMetric=open_incidents\nValue=0\n"
		"Threshold=>= 0.5\nLasted=30 minutes\n" },
	{ "{\"type\":\"channel.test\",\"at\":\"2026-01-02T03:30:05Z\",\"data\":{\"id\":\"9\",\"channel\":\"Ops\",\"user\":\"ann\"}}",
		"channel.test test-9 begins 0\nTest of the channel Ops\nThis message was asked for with the test button. Nothing is wrong.\n/channels\n"
		"Asked for by=ann\n" },
	{ "{\"type\":\"channel.test_ended\",\"at\":\"2026-01-02T03:30:05Z\",\"data\":{\"id\":\"9\",\"channel\":\"Ops\"}}",
		"channel.test_ended test-9 ends 0\nResolved: Test of the channel Ops\nThis message was asked for with the test button. Nothing is wrong.\n/channels\n" },
};

START_TEST(test_notice)
{
	struct message m;

	setup();
	ck_assert_msg(message_of(a, str_of(rows[_i].payload), &m, &e), "%s", e.text);
	unit_str(shown(&m), rows[_i].want);
	arena_free(a);
}
END_TEST

static const struct {
	const char *from, *to, *want;
} times[] = {
	{ "2026-01-02T03:00:00Z", "2026-01-02T03:00:01Z", "1 second" }, { "2026-01-02T03:00:00Z", "2026-01-02T03:01:59Z", "119 seconds" },
	{ "2026-01-02T03:00:00Z", "2026-01-02T04:59:00Z", "119 minutes" }, { "2026-01-02T03:00:00Z", "2026-01-04T02:00:00Z", "47 hours" },
	{ "2026-01-02T03:00:00Z", "2026-01-05T02:00:00Z", "2 days" }, { "2026-01-02T03:00:00Z", "2026-01-02T02:00:00Z", NULL },
	{ "never", "2026-01-02T02:00:00Z", NULL },
};

START_TEST(test_how_long_it_lasted)
{
	struct message m;

	setup();
	ck_assert(message_of(a, arena_printf(a, "{\"type\":\"monitor.alert_ended\",\"at\":\"2026-01-02T03:30:05Z\",\"data\":{\"id\":\"8\","
		"\"startedAt\":\"%s\",\"endedAt\":\"%s\"}}", times[_i].from, times[_i].to), &m, &e));
	ck_assert_uint_eq(m.fact_n, times[_i].want != NULL);
	if (times[_i].want)
		unit_str(m.facts[0].value, times[_i].want);
	arena_free(a);
}
END_TEST

START_TEST(test_programs_get_the_data_as_it_is)
{
	struct message m;

	setup();
	ck_assert(message_of(a, STR("{\"type\":\"channel.test\",\"at\":\"2026-01-02T03:30:05Z\",\"data\":{\"id\":\"9\",\"n\": 1.50,\"x\":[1,{}]}}"), &m, &e));
	unit_str(m.data, "{\"id\":\"9\",\"n\":1.50,\"x\":[1,{}]}");
	ck_assert_int_eq(m.at, 1767324605000);
	arena_free(a);
}
END_TEST

static const char *const wrong[] = { "", "[]", "{}", "{\"type\":\"channel.test\",\"at\":\"2026-01-02T03:30:05Z\"}",
	"{\"type\":\"channel.test\",\"at\":\"yesterday\",\"data\":{}}", "{\"type\":\"x\",\"at\":\"2026-01-02T03:30:05Z\",\"data\":{}}" };

START_TEST(test_what_is_no_notice)
{
	struct message m;

	setup();
	ck_assert(!message_of(a, str_of(wrong[_i]), &m, &e));
	arena_free(a);
}
END_TEST

UNIT_MAIN("message", UNIT_ROWS(test_notice, rows), UNIT_ROWS(test_how_long_it_lasted, times), UNIT(test_programs_get_the_data_as_it_is),
	UNIT_ROWS(test_what_is_no_notice, wrong))
