/* What senders are told that insist on an answer of their own; the common answers are ingest's. */
#include "provider_test.h"

static const struct refusal bad_key = { .status = 401, .code = "invalid_key", .message = "The integration key is missing or wrong." };
static const struct refusal too_many = { .status = 429, .code = "rate_limited", .message = "Too many." };
static const struct refusal too_large = { .status = 413, .code = "body_too_large", .message = "<b> & more" };
static const struct refusal down = { .status = 503, .code = "unavailable", .message = "Later." };

#define FORM "application/x-www-form-urlencoded"
#define TWIML "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response></Response>"
#define SOAP(inside) "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
	"<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"" \
	" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n" \
	" <soapenv:Body>\n" inside " </soapenv:Body>\n</soapenv:Envelope>\n"
#define FAULT(who, why) SOAP("  <soapenv:Fault>\n   <faultcode>soapenv:" who "</faultcode>\n" \
	"   <faultstring>" why "</faultstring>\n  </soapenv:Fault>\n")
#define SOAP_REQUEST "<e:Envelope xmlns:e='urn:e'/>"
#define COMMON 0	/* status: the common answer does */

static const struct {
	const char *slug, *type, *body;	/* NULL: it was not read */
	const struct refusal *refusal;
	unsigned status;
	const char *content_type, *answer;
	const char *header;	/* name of the first extra one, or NULL */
} rows[] = {
	{ "slack", "application/json", "{\"type\":\"event_callback\",\"event\":{\"type\":\"message\"}}", NULL, COMMON },
	{ "slack", FORM, "payload=%7B%22type%22%3A%22view_submission%22%7D", NULL, 200, "text/plain", "" },
	{ "slack", FORM, "payload=%7B%22type%22%3A%22block_actions%22%7D", NULL, 200, "text/plain", "" },
	{ "slack", FORM, "payload=%7B%22type%22%3A%22block_suggestion%22%7D", NULL, 200, NULL, "{\"options\":[]}" },
	{ "slack", FORM, "command=%2Fx&trigger_id=1", NULL, 200, "text/plain", "" },
	{ "slack", "application/json", "{}", &bad_key, COMMON, NULL, NULL, "X-Slack-No-Retry" },
	{ "slack", "application/json", "{}", &too_many, COMMON },
	{ "slack", FORM, "payload=%7B%7D", &down, COMMON },

	{ "salesforce", "text/xml", SOAP_REQUEST, NULL, 200, "text/xml",
		SOAP("  <notificationsResponse xmlns=\"http://soap.sforce.com/2005/09/outbound\">\n"
			"   <Ack>true</Ack>\n  </notificationsResponse>\n") },
	{ "salesforce", "application/json", "{\"action\":\"created\"}", NULL, COMMON },
	{ "salesforce", "text/plain", SOAP_REQUEST, &bad_key, 401, "text/xml",
		FAULT("Client", "The integration key is missing or wrong.") },
	{ "salesforce", "text/xml", SOAP_REQUEST, &down, 503, "text/xml", FAULT("Server", "Later.") },
	{ "salesforce", "text/xml", NULL, &too_large, 413, "text/xml", FAULT("Client", "&#60;b&#62; &#38; more") },
	{ "salesforce", "application/json", NULL, &too_large, COMMON },

	{ "twilio", FORM, "MessageSid=SM1&SmsStatus=received", NULL, 200, "text/xml", TWIML },
	{ "twilio", FORM, "MessageSid=SM1&MessageStatus=sent", NULL, 200, "text/xml", TWIML },
	{ "twilio", "application/json", "[{\"specversion\":\"1.0\"}]", NULL, COMMON },
	{ "twilio", "application/json", "{\"specversion\":\"1.0\"}", NULL, COMMON },
	{ "twilio", FORM, "MessageSid=SM1", &bad_key, COMMON },
};

START_TEST(test_rows)
{
	const struct provider *p = provider_find(str_of(rows[_i].slug));
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct inbound in = test_inbound(rows[_i].body, NULL, 0);
	struct answer x = { 0 };
	struct event ev = { 0 };
	struct outcome out = { .kind = OUT_IGNORED, .event = &ev };
	struct err e = { 0 };
	bool own;

	in.content_type = str_of(rows[_i].type);
	ck_assert(!rows[_i].body || inbound_parse(p, a, &in, &e));
	own = p->answer(p, a, &in, rows[_i].refusal, rows[_i].refusal ? NULL : &out, rows[_i].refusal ? 0 : 1, &x);
	ck_assert_uint_eq(own, rows[_i].status != COMMON);
	unit_str(x.extra[0].name, rows[_i].header);
	if (own) {
		ck_assert_uint_eq(x.status, rows[_i].status);
		unit_str(str_of(x.content_type), rows[_i].content_type);
		unit_str(x.body, rows[_i].answer);
	}
	arena_free(a);
}
END_TEST

UNIT_MAIN("answer", UNIT_ROWS(test_rows, rows))
