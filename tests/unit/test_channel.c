/* The requests of each kind of channel, byte by byte, and what their receivers' answers mean. */
#include "grapnel/channel.h"
#include "src/channel/mail_int.h"
#include "unit.h"

#define AT 1767323045678	/* 2026-01-02T03:04:05.678Z */

static struct arena *a;

#define SID(prefix) prefix "0123456789abcdef0123456789abcdef"

static const struct channel_house house = { .public_url = STR("https://hooks.example.org:8443"), .mail_server = STR("smtp://localhost:25"),
	.sms_url = STR("http://sms.example.org/api/"), .sms_account = STR(SID("AC")), .sms_user = STR(SID("SK")), .sms_token = STR("geheim"),
	.sms_from = STR(SID("MG")) };

static const struct message begins = { .type = STR("monitor.alert_started"), .thread = STR("monitor-7"), .phase = MESSAGE_BEGINS, .level = LEVEL_HIGH,
	.title = STR("120 events <wait> & wait."), .text = STR("Add workers."), .facts = { { STR("Value"), STR("120") }, { STR("Threshold"), STR("<100") } },
	.fact_n = 2, .path = STR("/monitor"), .at = AT, .data = STR("{\"id\":\"7\",\"value\":120}") };
static const struct message ends = { .type = STR("monitor.alert_ended"), .thread = STR("monitor-7"), .phase = MESSAGE_ENDS, .level = LEVEL_HIGH,
	.lead = STR("Resolved"), .title = STR("120 events <wait> & wait."), .path = STR("/monitor"), .at = AT, .data = STR("{\"id\":\"7\"}") };

/* As it goes to the sender. */
static struct str shown(const char *slug, struct channel_settings settings, const struct message *m, const struct channel_house *h)
{
	const struct channel_call c = { .house = h, .settings = settings, .id = STR("99"), .name = STR("Ops"), .now = AT + 5000, .attempt = 1 };
	struct channel_request rq = { 0 };
	struct strbuf b;

	channel_kind_find(str_of(slug))->request(a, &c, m, &rq);
	strbuf_init(&b, a, 65536);
	strbuf_addf(&b, "%.*s%s%s\n", STR_ARG(rq.url), rq.trusted ? " trusted" : "", rq.plain ? " plain" : "");
	for (size_t i = 0; i < rq.header_n; i++)
		strbuf_addf(&b, "%.*s: %.*s\n", STR_ARG(rq.headers[i].name), STR_ARG(rq.headers[i].value));
	if (rq.to_n)
		strbuf_addf(&b, "%.*s %.*s:%.*s", STR_ARG(rq.from), STR_ARG(rq.user), STR_ARG(rq.password));
	for (size_t i = 0; i < rq.to_n; i++)
		strbuf_addf(&b, " %.*s", STR_ARG(rq.to[i]));
	strbuf_addf(&b, "\n%.*s", STR_ARG(rq.body));
	return strbuf_str(&b);
}

static void setup(void)
{
	a = arena_new(8 << 20);
}

static const struct channel_settings slack = { .part[PART_URL] = STR("https://hooks.slack.com/services/T/B/x") };

START_TEST(test_slack)
{
	setup();
	unit_str(shown("slack", slack, &begins, &house),
		"https://hooks.slack.com/services/T/B/x\nContent-Type: application/json\n\n"
		"{\"text\":\"[HIGH] 120 events &lt;wait&gt; &amp; wait.\",\"attachments\":[{\"color\":\"#d9570b\",\"blocks\":["
		"{\"type\":\"header\",\"text\":{\"type\":\"plain_text\",\"text\":\"120 events &lt;wait&gt; &amp; wait.\"}},"
		"{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"Add workers.\"}},"
		"{\"type\":\"section\",\"fields\":[{\"type\":\"mrkdwn\",\"text\":\"*Value*\\n120\"},{\"type\":\"mrkdwn\",\"text\":\"*Threshold*\\n&lt;100\"}]},"
		"{\"type\":\"context\",\"elements\":[{\"type\":\"mrkdwn\",\"text\":\"<https://hooks.example.org:8443/monitor|Open in Grapnel>\"}]}"
		"]}],\"unfurl_links\":false}");
	unit_str(shown("slack", slack, &ends, &house),
		"https://hooks.slack.com/services/T/B/x\nContent-Type: application/json\n\n"
		"{\"text\":\"[HIGH] Resolved: 120 events &lt;wait&gt; &amp; wait.\",\"attachments\":[{\"color\":\"#2f8f4e\",\"blocks\":["
		"{\"type\":\"header\",\"text\":{\"type\":\"plain_text\",\"text\":\"Resolved: 120 events &lt;wait&gt; &amp; wait.\"}},"
		"{\"type\":\"context\",\"elements\":[{\"type\":\"mrkdwn\",\"text\":\"<https://hooks.example.org:8443/monitor|Open in Grapnel>\"}]}"
		"]}],\"unfurl_links\":false}");
	arena_free(a);
}
END_TEST

/* Each phase has its colour, and what begins that of its severity. */
START_TEST(test_slack_colours)
{
	static const struct {
		enum message_phase phase;
		enum level level;
		const char *colour;
	} rows[] = { { MESSAGE_BEGINS, LEVEL_CRITICAL, "#c4161c" }, { MESSAGE_GOES_ON, LEVEL_MEDIUM, "#e0a100" }, { MESSAGE_TAKEN, LEVEL_CRITICAL, "#7a5cc4" },
		{ MESSAGE_ENDS, LEVEL_CRITICAL, "#2f8f4e" } };

	setup();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct message m = begins;

		m.phase = rows[i].phase;
		m.level = rows[i].level;
		ck_assert(str_has(shown("slack", slack, &m, &house), arena_printf(a, "\"color\":\"%s\"", rows[i].colour).p));
	}
	arena_free(a);
}
END_TEST

/* A header of Slack has 150 characters at most, entities and characters are whole. */
START_TEST(test_slack_cuts_what_is_too_long)
{
	struct message m = ends;
	const struct json *j;
	struct str text, body;
	struct err e = { 0 };
	char long_title[4000];

	setup();
	for (size_t i = 0; i < sizeof(long_title); i += 4)
		memcpy(long_title + i, "&x\303\274", 4);
	m.phase = MESSAGE_BEGINS;
	m.title = m.text = (struct str){ long_title, sizeof(long_title) };
	text = shown("slack", slack, &m, &house);
	while (!str_starts(text, "{"))
		(void)str_until(&text, '\n');
	body = text;
	ck_assert(json_parse(a, body, &j, &e) && str_is_utf8(body));
	text = json_text(json_at(j, STR("/attachments/0/blocks/0/text/text")));
	ck_assert(text.n <= 150 && text.n > 140 && str_is_utf8(text));
	text = json_text(json_at(j, STR("/attachments/0/blocks/1/text/text")));
	ck_assert(text.n <= 3000 && text.n > 2990 && str_is_utf8(text));
	arena_free(a);
}
END_TEST

START_TEST(test_pagerduty)
{
	const struct channel_settings s = { .part[PART_ROUTING_KEY] = STR("0123456789abcdef0123456789abcdef") },
		eu = { .part = { [PART_ROUTING_KEY] = STR("k"), [PART_URL] = STR("https://events.eu.pagerduty.com/v2/enqueue") } };

	setup();
	unit_str(shown("pagerduty", s, &begins, &house),
		"https://events.pagerduty.com/v2/enqueue\nContent-Type: application/json\n\n"
		"{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"event_action\":\"trigger\",\"dedup_key\":\"grapnel:monitor-7\","
		"\"client\":\"Grapnel\",\"client_url\":\"https://hooks.example.org:8443/monitor\",\"payload\":{\"summary\":\"120 events <wait> & wait.\","
		"\"source\":\"hooks.example.org:8443\",\"severity\":\"error\",\"timestamp\":\"2026-01-02T03:04:05.678Z\",\"class\":\"monitor.alert_started\","
		"\"custom_details\":{\"text\":\"Add workers.\",\"Value\":\"120\",\"Threshold\":\"<100\"}}}");
	unit_str(shown("pagerduty", eu, &ends, &house),
		"https://events.eu.pagerduty.com/v2/enqueue\nContent-Type: application/json\n\n"
		"{\"routing_key\":\"k\",\"event_action\":\"resolve\",\"dedup_key\":\"grapnel:monitor-7\"}");
	arena_free(a);
}
END_TEST

/* The signatures were made with openssl(1): printf %s "$id.$timestamp.$body" | openssl dgst -sha256 -hmac ... */
START_TEST(test_webhook)
{
	const struct channel_settings plain = { .part[PART_URL] = STR("http://app.example.org/x") },
		with_secret = { .part = { [PART_URL] = STR("http://app.example.org/x"), [PART_SECRET] = STR("s3cret") } };

	setup();
	unit_str(shown("webhook", plain, &begins, &house),
		"http://app.example.org/x\nContent-Type: application/json\nwebhook-id: 99\nwebhook-timestamp: 1767323050\n"
		"X-Webhook-Event: monitor.alert_started\nX-Webhook-Delivery: 99\n\n"
		"{\"type\":\"monitor.alert_started\",\"timestamp\":\"2026-01-02T03:04:05.678Z\",\"data\":{\"id\":\"7\",\"value\":120}}");
	unit_str(shown("webhook", with_secret, &ends, &house),
		"http://app.example.org/x\nContent-Type: application/json\nwebhook-id: 99\nwebhook-timestamp: 1767323050\n"
		"X-Webhook-Event: monitor.alert_ended\nX-Webhook-Delivery: 99\n"
		"webhook-signature: v1,1B4+KUCu/1Ride4cLEwLFNu1lK3Xp4GqUDoXgQp0S4Q=\nX-Webhook-Signature: sha256=5cb6cd06ef93792eef97086d76b8a3585c5213636fde9fd5966258bdab110fa4\n\n"
		"{\"type\":\"monitor.alert_ended\",\"timestamp\":\"2026-01-02T03:04:05.678Z\",\"data\":{\"id\":\"7\"}}");
	arena_free(a);
}
END_TEST

START_TEST(test_sms)
{
	const struct channel_settings s = { .part[PART_TO] = STR(" +4930123456,+15005550006") }, own = { .part = { [PART_TO] = STR("+4930123456"),
		[PART_FROM] = STR("+15005550006"), [PART_ACCOUNT] = STR("ACme"), [PART_TOKEN] = STR("t:1") } };
	struct message m = ends;

	setup();
	unit_str(shown("sms", s, &begins, &house),
		"http://sms.example.org/api/2010-04-01/Accounts/" SID("AC") "/Messages.json trusted\n"
		"Content-Type: application/x-www-form-urlencoded\n"
		"Authorization: Basic U0swMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjpnZWhlaW0=\n\n"
		"To=%2B4930123456&MessagingServiceSid=" SID("MG") "&Body=%5BHIGH%5D%20120%20events%20%3Cwait%3E%20%26%20wait."
		"%20https%3A%2F%2Fhooks.example.org%3A8443%2Fmonitor");
	m.title = STR("two\r\nlines");
	unit_str(shown("sms", own, &m, &house),
		"https://api.twilio.com/2010-04-01/Accounts/ACme/Messages.json\nContent-Type: application/x-www-form-urlencoded\n"
		"Authorization: Basic QUNtZTp0OjE=\n\n"
		"To=%2B4930123456&From=%2B15005550006&Body=%5BHIGH%5D%20Resolved%3A%20two%20%20lines%20https%3A%2F%2Fhooks.example.org%3A8443%2Fmonitor");
	arena_free(a);
}
END_TEST

/* Each addressee has a row of its own; the link is whole whatever the title. */
START_TEST(test_sms_to_one_of_several_and_never_too_long)
{
	struct channel_call c = { .house = &house, .settings.part[PART_TO] = STR("+4930123456,+15005550006"), .id = STR("99"), .recipient = STR("+15005550006") };
	struct channel_request rq = { 0 };
	struct message m = begins;
	char long_title[4000];
	struct str body;

	setup();
	for (size_t i = 0; i < sizeof(long_title); i += 2)
		memcpy(long_title + i, "\303\274", 2);
	m.title = (struct str){ long_title, sizeof(long_title) };
	channel_kind_find(STR("sms"))->request(a, &c, &m, &rq);
	ck_assert(str_starts(rq.body, "To=%2B15005550006&"));
	body = rq.body;
	while (!str_starts(body, "Body="))
		(void)str_until(&body, '&');
	body = url_decode(a, str_sub(body, 5), true);
	ck_assert(body.n <= 1600 && body.n > 1590 && str_is_utf8(body) && str_ends(body, " https://hooks.example.org:8443/monitor"));
	arena_free(a);
}
END_TEST

START_TEST(test_push)
{
	const struct channel_settings s = { .part = { [PART_URL] = STR("https://push.example.org/ntfy/ops_1"), [PART_TOKEN] = STR("tk_1") } },
		open = { .part[PART_URL] = STR("https://ntfy.sh/ops") };
	struct message m = begins;

	setup();
	m.level = LEVEL_CRITICAL;
	unit_str(shown("push", s, &m, &house),
		"https://push.example.org/ntfy/\nContent-Type: application/json\nAuthorization: Bearer tk_1\n\n"
		"{\"topic\":\"ops_1\",\"title\":\"120 events <wait> & wait.\",\"message\":\"Add workers.\\nValue: 120\\nThreshold: <100\","
		"\"priority\":5,\"tags\":[\"rotating_light\",\"CRITICAL\"],\"click\":\"https://hooks.example.org:8443/monitor\"}");
	unit_str(shown("push", open, &ends, &house),
		"https://ntfy.sh/\nContent-Type: application/json\n\n"
		"{\"topic\":\"ops\",\"title\":\"Resolved: 120 events <wait> & wait.\",\"message\":\"120 events <wait> & wait.\","
		"\"priority\":2,\"tags\":[\"white_check_mark\",\"HIGH\"],\"click\":\"https://hooks.example.org:8443/monitor\"}");
	arena_free(a);
}
END_TEST

#define CLOUD_EVENT \
	"{\"specversion\":\"1.0\",\"id\":\"99\",\"source\":\"https://hooks.example.org:8443\",\"type\":\"monitor.alert_started\",\"subject\":\"/monitor\"," \
	"\"time\":\"2026-01-02T03:04:05.678Z\",\"datacontenttype\":\"application/json\",\"data\":{\"id\":\"7\",\"value\":120}}"

START_TEST(test_cloudevents)
{
	const struct channel_settings s = { .part = { [PART_URL] = STR("https://sink.example.org/"), [PART_TOKEN] = STR("x") } },
		binary = { .part = { [PART_URL] = STR("https://sink.example.org/"), [PART_FORMAT] = STR("binary") } };
	struct message m = begins;

	setup();
	unit_str(shown("cloudevents", s, &begins, &house),
		"https://sink.example.org/\nContent-Type: application/cloudevents+json; charset=utf-8\nAuthorization: Bearer x\n\n" CLOUD_EVENT);
	m.subject = STR("/stripe/webhooks/\"M\303\274 100%\"\r\nX: y");
	unit_str(shown("cloudevents", binary, &m, &house),
		"https://sink.example.org/\nContent-Type: application/json\nce-specversion: 1.0\nce-id: 99\nce-source: https://hooks.example.org:8443\n"
		"ce-type: monitor.alert_started\nce-subject: /stripe/webhooks/%22M%C3%BC%20100%25%22%0D%0AX:%20y\nce-time: 2026-01-02T03:04:05.678Z\n\n"
		"{\"id\":\"7\",\"value\":120}");
	arena_free(a);
}
END_TEST

START_TEST(test_event_grid)
{
	const struct channel_settings s = { .part = { [PART_URL] = STR("https://t.eventgrid.azure.net/api/events"), [PART_KEY] = STR("one two") } },
		cloud = { .part = { [PART_URL] = STR("https://t.eventgrid.azure.net/api/events?api-version=2020-01-01"), [PART_KEY] = STR("one"),
			[PART_FORMAT] = STR("cloudevents") } };
	struct channel_call c = { .house = &house, .settings = s, .id = STR("99"), .attempt = 2 };
	struct channel_request rq = { 0 };

	setup();
	unit_str(shown("event_grid", s, &begins, &house),
		"https://t.eventgrid.azure.net/api/events?api-version=2018-01-01\nContent-Type: application/json\naeg-sas-key: one\n\n"
		"[{\"id\":\"99\",\"eventType\":\"monitor.alert_started\",\"subject\":\"/monitor\",\"eventTime\":\"2026-01-02T03:04:05.678Z\","
		"\"data\":{\"id\":\"7\",\"value\":120},\"dataVersion\":\"1.0\"}]");
	unit_str(shown("event_grid", cloud, &begins, &house),
		"https://t.eventgrid.azure.net/api/events?api-version=2020-01-01\nContent-Type: application/cloudevents+json; charset=utf-8\n"
		"aeg-sas-key: one\n\n" CLOUD_EVENT);
	channel_kind_find(STR("event_grid"))->request(a, &c, &begins, &rq);
	unit_str(rq.headers[1].value, "two");
	arena_free(a);
}
END_TEST

/* What one key does not open is tried with the other, but not for ever. */
START_TEST(test_two_keys)
{
	struct channel_call c = { .settings.part[PART_KEY] = STR("one two"), .attempt = 1 };
	const struct channel_kind *kind = channel_kind_find(STR("event_grid"));

	setup();
	ck_assert_int_eq(kind->judge(a, &c, 401, STR("")), RECEPTION_AGAIN);
	c.attempt = 4;
	ck_assert_int_eq(kind->judge(a, &c, 401, STR("")), RECEPTION_REFUSED);
	c.attempt = 1;
	c.settings.part[PART_KEY] = STR("one");
	ck_assert_int_eq(kind->judge(a, &c, 401, STR("")), RECEPTION_REFUSED);
	arena_free(a);
}
END_TEST

START_TEST(test_email_by_the_server_of_the_configuration)
{
	const struct channel_settings s = { .part[PART_TO] = STR("ops@example.org, on-call@example.org") };

	setup();
	unit_str(shown("email", s, &begins, &house),
		"smtp://localhost:25/hooks.example.org trusted plain\n"
		"grapnel@hooks.example.org : ops@example.org on-call@example.org\n"
		"Date: Fri, 02 Jan 2026 03:04:05 +0000\r\nFrom: Grapnel <grapnel@hooks.example.org>\r\n"
		"To: ops@example.org,\r\n on-call@example.org\r\nSubject: [HIGH] 120 events <wait> & wait.\r\n"
		"Message-ID: <monitor-7@hooks.example.org>\r\nList-Id: Grapnel <grapnel.hooks.example.org>\r\nAuto-Submitted: auto-generated\r\n"
		"X-Grapnel-Event: monitor.alert_started\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		"120 events <wait> & wait.\r\n\r\nAdd workers.\r\n\r\nValue: 120\r\nThreshold: <100\r\n\r\nhttps://hooks.example.org:8443/monitor\r\n\r\n"
		"--=20\r\nSent by Grapnel to its channel \"Ops\".\r\n");
	arena_free(a);
}
END_TEST

/* Links stand in what people read as text, and nowhere else. */
START_TEST(test_links)
{
	const struct channel_settings s = { .part[PART_TO] = STR("ops@example.org") };
	struct message m = begins;
	struct str text;

	setup();
	m.links[m.link_n++] = (struct message_link){ "Acknowledge", STR("https://h/l/AA") };
	m.links[m.link_n++] = (struct message_link){ "Resolve", STR("https://h/l/BB") };
	text = shown("email", s, &m, &house);
	ck_assert_msg(str_has(text, "/monitor\r\n\r\nWithout signing in, each once:\r\nAcknowledge: https://h/l/AA\r\nResolve: https://h/l/BB\r\n\r\n--=20\r\n"),
		"%.*s", STR_ARG(text));
	for (size_t i = 0; channel_kinds[i]; i++)
		ck_assert_msg(channel_kinds[i]->has_links == (!strcmp(channel_kinds[i]->slug, "email") || !strcmp(channel_kinds[i]->slug, "sms")),
			"%s", channel_kinds[i]->slug);
	arena_free(a);
}
END_TEST

START_TEST(test_email_by_a_server_of_its_own)
{
	const struct channel_settings s = { .part = { [PART_TO] = STR("a@b.example"), [PART_FROM] = STR("me@b.example"),
		[PART_URL] = STR("smtps://mail.b.example:465/"), [PART_USER] = STR("u"), [PART_PASSWORD] = STR("p") } };
	struct message m = ends;

	setup();
	m.title = STR("Z\303\274rich is down\r\nBcc: everybody@example.org");
	unit_str(shown("email", s, &m, &house),
		"smtps://mail.b.example:465/hooks.example.org\nme@b.example u:p a@b.example\n"
		"Date: Fri, 02 Jan 2026 03:04:05 +0000\r\nFrom: Grapnel <me@b.example>\r\nTo: a@b.example\r\n"
		"Subject: =?UTF-8?B?W0hJR0hdIFJlc29sdmVkOiBaw7xyaWNoIGlzIGRvd24gIEJjYzogZXZlcnli?=\r\n"
		" =?UTF-8?B?b2R5QGV4YW1wbGUub3Jn?=\r\n"
		"Message-ID: <monitor-7.99@hooks.example.org>\r\nIn-Reply-To: <monitor-7@hooks.example.org>\r\nReferences: <monitor-7@hooks.example.org>\r\n"
		"List-Id: Grapnel <grapnel.hooks.example.org>\r\nAuto-Submitted: auto-generated\r\nX-Grapnel-Event: monitor.alert_ended\r\n"
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
		"Resolved: Z=C3=BCrich is down  Bcc: everybody@example.org\r\n\r\nhttps://hooks.example.org:8443/monitor\r\n\r\n"
		"--=20\r\nSent by Grapnel to its channel \"Ops\".\r\n");
	arena_free(a);
}
END_TEST

/* What may begin more than once: an id of its own, and the thread's. */
/* Each addressee has a mail of his own, and no other sees the address. */
START_TEST(test_email_to_one_of_several)
{
	const struct channel_settings s = { .part[PART_TO] = STR("ops@example.org, on-call@example.org") };
	const struct channel_call c = { .house = &house, .settings = s, .name = STR("Ops"), .id = STR("99"), .recipient = STR("on-call@example.org") };
	const struct channel_kind *kind = channel_kind_find(STR("email"));
	struct channel_request rq = { 0 };

	setup();
	ck_assert(kind->each);
	kind->request(a, &c, &begins, &rq);
	ck_assert_uint_eq(rq.to_n, 1);
	unit_str(rq.to[0], "on-call@example.org");
	ck_assert(str_has(rq.body, "\r\nTo: on-call@example.org\r\n") && !str_has(rq.body, "ops@example.org"));
	arena_free(a);
}
END_TEST

START_TEST(test_email_that_begins_again)
{
	const struct channel_settings s = { .part[PART_TO] = STR("ops@example.org") };
	struct message m = begins;
	struct str text;

	setup();
	m.again = true;
	text = shown("email", s, &m, &house);
	ck_assert_msg(str_has(text, "Message-ID: <monitor-7.99@hooks.example.org>\r\nIn-Reply-To: <monitor-7@hooks.example.org>\r\n"
		"References: <monitor-7@hooks.example.org>\r\n"), "%.*s", STR_ARG(text));
	arena_free(a);
}
END_TEST

static const struct {
	const char *value, *want;
} headers[] = {
	{ "[HIGH] disk = full?", "Subject: [HIGH] disk = full?\r\n" },
	{ "=?UTF-8?B?aGVsbG8=?=", "Subject: =?UTF-8?B?PT9VVEYtOD9CP2FHVnNiRzg9Pz0=?=\r\n" },	/* readers show what stands there, not "hello" */
	{ "a =?iso-8859-1?q?b?=", "Subject: =?UTF-8?B?YSA9P2lzby04ODU5LTE/cT9iPz0=?=\r\n" },
	{ "Z\303\274rich", "Subject: =?UTF-8?B?WsO8cmljaA==?=\r\n" },
};

START_TEST(test_headers)
{
	struct strbuf b;

	setup();
	strbuf_init(&b, a, 1000);
	mail_header(&b, "Subject", str_of(headers[_i].value));
	unit_str(strbuf_str(&b), headers[_i].want);
	arena_free(a);
}
END_TEST

static const struct {
	const char *server;
	bool plain;
} servers[] = { { "smtp://localhost", true }, { "smtp://127.0.0.1:2525", true }, { "smtps://localhost", false }, { "smtp://localhost.example.org", false },
	{ "smtp://mail.example.org:25", false }, { "smtp://[::1]:2525", true }, { "smtp://[::1]", true }, { "smtp://[2001:db8::1]:25", false } };

START_TEST(test_tls_is_required_but_on_this_machine)
{
	struct channel_house h = house;
	const struct channel_settings s = { .part[PART_TO] = STR("a@b.example") };

	setup();
	h.mail_server = str_of(servers[_i].server);
	ck_assert_int_eq(str_has(shown("email", s, &ends, &h), " plain\n"), servers[_i].plain);
	h.public_url = STR("https://[2001:db8::7]:8443");
	ck_assert(str_has(shown("email", s, &ends, &h), "In-Reply-To: <monitor-7@localhost>"));
	arena_free(a);
}
END_TEST

#define X70 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
static const struct {
	const char *text, *want;
} bodies[] = {
	{ "", "" }, { "a\n", "a\r\n" }, { "a\r\nb", "a\r\nb\r\n" }, { "1 = 1 \n.\n", "1 =3D 1=20\r\n.\r\n" }, { "\t\n", "=09\r\n" },
	{ X70 "123456", X70 "123456\r\n" }, { X70 "1234567", X70 "12345=\r\n67\r\n" },
	{ X70 "1234\303\274", X70 "1234=\r\n=C3=BC\r\n" },
	{ X70 "12=", X70 "12=3D\r\n" }, { X70 "1234=", X70 "1234=\r\n=3D\r\n" },
};

START_TEST(test_quoted_printable)
{
	struct strbuf b;

	setup();
	strbuf_init(&b, a, 65536);
	mail_body(&b, str_of(bodies[_i].text));
	unit_str(strbuf_str(&b), *bodies[_i].want ? bodies[_i].want : NULL);
	arena_free(a);
}
END_TEST

static const struct {
	const char *text;
	bool fine;
} addresses[] = {
	{ "a@b", true }, { "first.last+tag@sub.example.org", true }, { "root@localhost", true }, { "", false }, { "a", false }, { "@b", false },
	{ "a@", false }, { "a@b@c", false }, { "a b@c", false }, { "a@b\r\nX: y", false }, { "<a@b>", false }, { "a@b,c@d", false },
	{ "-f@b", false }, { "a@-b", false }, { ".a@b", false }, { "a@b.", false }, { "\303\274@b", false }, { "\"a\"@b", false },
};

START_TEST(test_addresses)
{
	ck_assert_int_eq(mail_address_is(str_of(addresses[_i].text)), addresses[_i].fine);
}
END_TEST

static const struct {
	const char *kind;
	unsigned status;
	const char *body;
	enum reception want;
} answers[] = {
	{ "slack", 200, "ok", RECEPTION_TAKEN }, { "slack", 200, "ok\n", RECEPTION_TAKEN }, { "slack", 200, "<html>", RECEPTION_REFUSED },
	{ "slack", 400, "invalid_payload", RECEPTION_REFUSED }, { "slack", 403, "invalid_token", RECEPTION_REFUSED },
	{ "slack", 404, "no_service", RECEPTION_GONE }, { "slack", 404, "", RECEPTION_REFUSED }, { "slack", 410, "channel_is_archived", RECEPTION_GONE },
	{ "slack", 429, "", RECEPTION_LATER }, { "slack", 500, "rollup_error", RECEPTION_AGAIN }, { "slack", 302, "", RECEPTION_REFUSED },
	{ "pagerduty", 202, "{}", RECEPTION_TAKEN }, { "pagerduty", 400, "{}", RECEPTION_REFUSED }, { "pagerduty", 429, "", RECEPTION_LATER },
	{ "pagerduty", 503, "", RECEPTION_AGAIN }, { "webhook", 204, "", RECEPTION_TAKEN }, { "webhook", 302, "", RECEPTION_AGAIN },
	{ "webhook", 404, "", RECEPTION_AGAIN }, { "webhook", 410, "", RECEPTION_GONE }, { "webhook", 504, "", RECEPTION_LATER },
	{ "email", 250, "", RECEPTION_TAKEN }, { "email", 451, "", RECEPTION_LATER }, { "email", 421, "", RECEPTION_LATER },
	{ "email", 550, "", RECEPTION_REFUSED }, { "email", 535, "", RECEPTION_REFUSED },
	{ "sms", 201, "{\"sid\":\"SM1\"}", RECEPTION_TAKEN }, { "sms", 400, "{\"code\":21211,\"status\":400}", RECEPTION_REFUSED },
	{ "sms", 400, "{\"code\": 21610}", RECEPTION_REFUSED }, { "sms", 401, "{\"code\":20003}", RECEPTION_REFUSED },
	{ "sms", 400, "{\"code\": 21611}", RECEPTION_LATER }, { "sms", 429, "{\"code\":20429}", RECEPTION_LATER },
	{ "sms", 429, "", RECEPTION_LATER }, { "sms", 500, "<html>", RECEPTION_AGAIN }, { "sms", 302, "", RECEPTION_REFUSED },
	{ "push", 200, "{}", RECEPTION_TAKEN }, { "push", 401, "{\"code\":40101}", RECEPTION_REFUSED }, { "push", 429, "", RECEPTION_LATER },
	{ "push", 507, "", RECEPTION_AGAIN }, { "cloudevents", 202, "", RECEPTION_TAKEN }, { "cloudevents", 415, "", RECEPTION_REFUSED },
	{ "cloudevents", 410, "", RECEPTION_GONE }, { "event_grid", 200, "", RECEPTION_TAKEN }, { "event_grid", 413, "", RECEPTION_REFUSED },
	{ "event_grid", 503, "", RECEPTION_AGAIN },
};

START_TEST(test_answers)
{
	const struct channel_call c = { .attempt = 1 };

	setup();
	ck_assert_int_eq(channel_kind_find(str_of(answers[_i].kind))->judge(a, &c, answers[_i].status, str_of(answers[_i].body)), answers[_i].want);
	arena_free(a);
}
END_TEST

static const struct {
	const char *kind;
	struct channel_settings s;
	const char *field;
} checks[] = {
	{ "slack", { .part[PART_URL] = STR("https://hooks.slack.com/services/T/B/x") }, "" },
	{ "slack", { .part[PART_URL] = STR("ftp://hooks.slack.com/services/T/B/x") }, "url" },
	{ "webhook", { .part[PART_URL] = STR("javascript:alert(1)") }, "url" },
	{ "pagerduty", { .part[PART_ROUTING_KEY] = STR("0123456789abcdefABCDEF0123456789") }, "" },
	{ "pagerduty", { .part[PART_ROUTING_KEY] = STR("0123456789abcdef0123456789abcde") }, "routingKey" },
	{ "pagerduty", { .part[PART_ROUTING_KEY] = STR("0123456789abcdef 123456789abcdef") }, "routingKey" },
	{ "pagerduty", { .part = { [PART_ROUTING_KEY] = STR("0123456789abcdef0123456789abcdef"), [PART_URL] = STR("x") } }, "url" },
	{ "email", { .part[PART_TO] = STR("a@b.c") }, "" },
	{ "email", { .part[PART_TO] = STR("a@b.c,,") }, "" },
	{ "email", { .part[PART_TO] = STR(",") }, "to" },
	{ "email", { .part[PART_TO] = STR("a@b.c, nobody") }, "to" },
	{ "email", { .part[PART_TO] = STR("a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b") }, "to" },
	{ "email", { .part = { [PART_TO] = STR("a@b.c"), [PART_FROM] = STR("me") } }, "from" },
	{ "email", { .part = { [PART_TO] = STR("a@b.c"), [PART_URL] = STR("http://x") } }, "url" },
	{ "email", { .part = { [PART_TO] = STR("a@b.c"), [PART_USER] = STR("u") } }, "user" },
	{ "email", { .part = { [PART_TO] = STR("a@b.c"), [PART_PASSWORD] = STR("u") } }, "password" },
	{ "email", { .part = { [PART_TO] = STR("a@b.c"), [PART_URL] = STR("smtp://x"), [PART_USER] = STR("u"), [PART_PASSWORD] = STR("p") } }, "" },
	{ "sms", { .part[PART_TO] = STR("+4930123456, +15005550006") }, "" },
	{ "sms", { .part[PART_TO] = STR("+0930123456") }, "to" }, { "sms", { .part[PART_TO] = STR("030123456") }, "to" },
	{ "sms", { .part[PART_TO] = STR("+49 30 123456") }, "to" }, { "sms", { .part[PART_TO] = STR("+493012") }, "to" },
	{ "sms", { .part[PART_TO] = STR("+4930123456789012") }, "to" }, { "sms", { .part[PART_TO] = STR(",") }, "to" },
	{ "sms", { .part = { [PART_TO] = STR("+4930123456"), [PART_FROM] = STR("Grapnel 2") } }, "" },
	{ "sms", { .part = { [PART_TO] = STR("+4930123456"), [PART_FROM] = STR("12345") } }, "from" },
	{ "sms", { .part = { [PART_TO] = STR("+4930123456"), [PART_FROM] = STR("more than eleven") } }, "from" },
	{ "sms", { .part = { [PART_TO] = STR("+4930123456"), [PART_TOKEN] = STR("x") } }, "token" },
	{ "sms", { .part = { [PART_TO] = STR("+4930123456"), [PART_URL] = STR("https://x/") } }, "url" },
	{ "sms", { .part = { [PART_TO] = STR("+4930123456"), [PART_ACCOUNT] = STR("AC12") } }, "account" },
	{ "sms", { .part = { [PART_TO] = STR("+4930123456"), [PART_ACCOUNT] = STR(SID("AC")) } }, "token" },
	{ "sms", { .part = { [PART_TO] = STR("+4930123456"), [PART_ACCOUNT] = STR(SID("AC")), [PART_TOKEN] = STR("a b") } }, "token" },
	{ "sms", { .part = { [PART_TO] = STR("+4930123456"), [PART_ACCOUNT] = STR(SID("AC")), [PART_TOKEN] = STR("a") } }, "from" },
	{ "sms", { .part = { [PART_TO] = STR("+4930123456"), [PART_ACCOUNT] = STR(SID("AC")), [PART_TOKEN] = STR("a"), [PART_USER] = STR("me"),
		[PART_FROM] = STR(SID("MG")) } }, "user" },
	{ "sms", { .part = { [PART_TO] = STR("+4930123456"), [PART_ACCOUNT] = STR(SID("AC")), [PART_TOKEN] = STR("a"), [PART_FROM] = STR(SID("MG")) } }, "" },
	{ "push", { .part[PART_URL] = STR("https://ntfy.sh/ops-1_A") }, "" }, { "push", { .part[PART_URL] = STR("https://ntfy.sh/") }, "url" },
	{ "push", { .part[PART_URL] = STR("https://ntfy.sh") }, "url" }, { "push", { .part[PART_URL] = STR("https://ntfy.sh/a?b") }, "url" },
	{ "push", { .part = { [PART_URL] = STR("https://ntfy.sh/a"), [PART_TOKEN] = STR("tk\r\nX: y") } }, "token" },
	{ "cloudevents", { .part = { [PART_URL] = STR("https://x/"), [PART_FORMAT] = STR("binary") } }, "" },
	{ "cloudevents", { .part = { [PART_URL] = STR("https://x/"), [PART_FORMAT] = STR("batch") } }, "format" },
	{ "cloudevents", { .part[PART_URL] = STR("x") }, "url" },
	{ "event_grid", { .part = { [PART_URL] = STR("https://x/"), [PART_KEY] = STR("a b") } }, "" },
	{ "event_grid", { .part = { [PART_URL] = STR("https://x/"), [PART_KEY] = STR("a b c") } }, "key" },
	{ "event_grid", { .part = { [PART_URL] = STR("https://x/"), [PART_KEY] = STR("a"), [PART_FORMAT] = STR("binary") } }, "format" },
};

START_TEST(test_what_is_accepted)
{
	struct err e = { 0 };
	bool ok = channel_kind_find(str_of(checks[_i].kind))->check(&checks[_i].s, &house, &e);

	ck_assert_int_eq(ok, !*checks[_i].field);
	ck_assert_str_eq(e.field, checks[_i].field);
}
END_TEST

START_TEST(test_sms_needs_an_account_somewhere)
{
	const struct channel_house none = { .public_url = STR("https://hooks.example.org") };
	const struct channel_settings s = { .part[PART_TO] = STR("+4930123456") };
	struct err e = { 0 };

	ck_assert(!channel_kind_find(STR("sms"))->check(&s, &none, &e));
	ck_assert_str_eq(e.field, "account");
}
END_TEST

START_TEST(test_settings_come_back_without_the_secret)
{
	struct channel_settings s = { .part = { [PART_TO] = STR("a@b"), [PART_PASSWORD] = STR("hush"), [PART_USER] = STR("u\"") } }, back;
	struct str text;

	setup();
	text = channel_settings_write(a, &s, PART_PASSWORD);
	unit_str(text, "{\"to\":\"a@b\",\"user\":\"u\\\"\"}");
	channel_settings_read(a, text, &back);
	ck_assert(str_eqs(back.part[PART_USER], "u\"") && str_eqs(back.part[PART_TO], "a@b") && !back.part[PART_PASSWORD].n && !back.part[PART_URL].n);
	channel_settings_read(a, STR("what?"), &back);
	ck_assert(!back.part[PART_TO].n);
	arena_free(a);
}
END_TEST

UNIT_MAIN("channel", UNIT(test_slack), UNIT(test_slack_colours), UNIT(test_slack_cuts_what_is_too_long), UNIT(test_pagerduty), UNIT(test_webhook),
	UNIT(test_sms), UNIT(test_sms_to_one_of_several_and_never_too_long), UNIT(test_sms_needs_an_account_somewhere), UNIT(test_push), UNIT(test_cloudevents),
	UNIT(test_event_grid), UNIT(test_two_keys),
	UNIT(test_email_by_the_server_of_the_configuration), UNIT(test_email_by_a_server_of_its_own), UNIT(test_email_to_one_of_several), UNIT(test_email_that_begins_again), UNIT(test_links),
	UNIT_ROWS(test_tls_is_required_but_on_this_machine, servers), UNIT_ROWS(test_headers, headers), UNIT_ROWS(test_quoted_printable, bodies), UNIT_ROWS(test_addresses, addresses),
	UNIT_ROWS(test_answers, answers), UNIT_ROWS(test_what_is_accepted, checks), UNIT(test_settings_come_back_without_the_secret))
