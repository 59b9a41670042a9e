/* Twilio: messages, calls and recordings as forms (or GET), the debugger's errors as a form that
 * holds JSON, and Event Streams as a list of CloudEvents.
 *
 * What is signed is the URL that is configured at Twilio, and of forms the members; JSON comes with
 * its hash in the URL. SHA-1 is Twilio's choice. There is no time in it, so only event ids tell a
 * replay. Twilio is not of one mind about ports: with, without, or with the scheme's.
 *
 * Status callbacks come late, twice and out of order: "sent" may follow "delivered". Only final
 * words act, so the order of all others makes no difference. Parameters and words that we do not
 * know are records. Webhooks of messages and calls want TwiML, and an empty one does nothing.
 *
 * Sources: twilio-node src/webhooks/webhooks.ts, twilio-python request_validator.py, twilio-csharp
 * RequestValidatorTest.cs; Twilio docs "Debugging events webhook", "Event Streams", "Webhook
 * connection overrides" (2026-10); nyaruka/courier handlers/twiml. */
#include "provider_int.h"

static const struct proof hashed_body = {
	.name = "twilio-body",
	.header = "x-twilio-signature",
	.only_with = "?bodySHA256",
	.encoding = ENC_BASE64,
	.digest = DIGEST_SHA1,
	.parts = { "$url" },
	.any_port = true,
	.body_hash = "bodySHA256",
};

/* Also of GET, whose form is empty. JSON without its hash never fits: as a form it has members. */
static const struct proof form = {
	.name = "twilio-form",
	.header = "x-twilio-signature",
	.encoding = ENC_BASE64,
	.digest = DIGEST_SHA1,
	.parts = { "$url", "$form" },
	.any_port = true,
};

static const struct proof *const proofs[] = { &hashed_body, &form, NULL };

/* ---- words ----------------------------------------------------------------------------------- */

static const struct word message_actions[] = {
	{ "failed", ACTION_TRIGGER },
	{ "undelivered", ACTION_TRIGGER },
	{ "delivered", ACTION_RESOLVE },
	{ "read", ACTION_RESOLVE },
	{ 0 }
};

static const struct word call_actions[] = {
	{ "failed", ACTION_TRIGGER },
	{ "busy", ACTION_TRIGGER },
	{ "no-answer", ACTION_TRIGGER },
	{ 0 }
};

static const struct word level_actions[] = {
	{ "error", ACTION_TRIGGER },
	{ "warning", ACTION_TRIGGER },
	{ 0 }
};

static const struct word severities[] = {
	{ "failed", SEVERITY_ERROR },
	{ "undelivered", SEVERITY_WARNING },
	{ 0 }
};

/* ---- rows for each kind of event ------------------------------------------------------------- */

#define ACCOUNT "</AccountSid|/AccountSid|'-'"
#define MESSAGE "/MessageSid|/SmsMessageSid|/SmsSid"
#define ERROR_LINK "https://www.twilio.com/docs/api/errors/"

/* The form that holds it is the wrapper, once its Payload could be opened. */
#define DEBUG_SID "</Sid|/Sid"
#define DEBUG_LEVEL "</Level|/Level"
#define DEBUG_CODE "/error_code|/more_info/ErrorCode"

static const struct map debugger[] = {
	{ EV_ACTION, DEBUG_LEVEL, WORD, level_actions },
	{ EV_EVENT_ID, DEBUG_SID, NATIVE },
	{ EV_EVENT_TYPE, "debugger.{" DEBUG_LEVEL "}", LOWER },
	{ EV_ENTITY_TYPE, "'error'" },
	{ EV_ENTITY_ID, DEBUG_SID },
	{ EV_DEDUP_KEY, "{" ACCOUNT "}:{" DEBUG_CODE "|" DEBUG_SID "}" },
	{ EV_SEVERITY, DEBUG_LEVEL, WORD, severity_words },
	{ EV_NATIVE_SEVERITY, DEBUG_LEVEL },
	{ EV_SUMMARY, "/more_info/Msg|/more_info/msg|/more_info/message" },
	{ EV_SUMMARY, "Twilio {" DEBUG_LEVEL "}[ {" DEBUG_CODE "}]" },
	{ EV_OCCURRED, "</Timestamp|/Timestamp", TIME },
	{ EV_LINK, ERROR_LINK "{" DEBUG_CODE "}" },
	{ EV_DETAILS, "/error_code" },
	{ EV_DETAILS, "/resource_sid" },
	{ EV_DETAILS, "/service_sid" },
	{ EV_END }
};

static const struct map message_status[] = {
	{ EV_ACTION, "/MessageStatus", WORD, message_actions },
	{ EV_EVENT_ID, "{" MESSAGE "}:{/MessageStatus}[:{/ErrorCode}]", NATIVE },
	{ EV_EVENT_TYPE, "message.status.{/MessageStatus}" },
	{ EV_ENTITY_TYPE, "'message'" },
	{ EV_ENTITY_ID, MESSAGE },
	{ EV_DEDUP_KEY, "{" ACCOUNT "}:{" MESSAGE "}" },
	{ EV_SEVERITY, "/MessageStatus", WORD, severities, ON_TRIGGER },
	{ EV_SUMMARY, "Message {" MESSAGE "}[ to {/To}]: {/MessageStatus}[ ({/ErrorCode})]" },
	{ EV_DESCRIPTION, "/ErrorMessage" },
	{ EV_END }
};

static const struct map recording[] = {
	{ EV_EVENT_ID, "{/RecordingSid}:{/RecordingStatus}[:{/ErrorCode}]", NATIVE },
	{ EV_EVENT_TYPE, "recording.{/RecordingStatus}" },
	{ EV_ENTITY_TYPE, "'recording'" },
	{ EV_ENTITY_ID, "/RecordingSid" },
	{ EV_DEDUP_KEY, "{" ACCOUNT "}:{/RecordingSid}" },
	{ EV_SUMMARY, "Recording {/RecordingSid}[ of call {/CallSid}]: {/RecordingStatus}"
		"[ ({/ErrorCode})]" },
	{ EV_LINK, "/RecordingUrl" },
	{ EV_END }
};

static const struct map call[] = {
	{ EV_ACTION, "/CallStatus", WORD, call_actions },
	{ EV_EVENT_ID, "{/CallSid}:{/CallStatus}[:{/ErrorCode}]", NATIVE },
	{ EV_EVENT_TYPE, "call[.{/CallStatus}]" },
	{ EV_ENTITY_TYPE, "'call'" },
	{ EV_ENTITY_ID, "/CallSid" },
	{ EV_DEDUP_KEY, "{" ACCOUNT "}:{/CallSid}" },
	{ EV_SEVERITY, "/CallStatus", WORD, severities, ON_TRIGGER },
	{ EV_SUMMARY, "Call {/CallSid}[ to {/To}][: {/CallStatus}][ ({/ErrorCode})]" },
	{ EV_DETAILS, "/Direction" },
	{ EV_DETAILS, "/CallDuration" },
	{ EV_END }
};

static const struct map received[] = {
	{ EV_EVENT_ID, "{" MESSAGE "}:received", NATIVE },
	{ EV_EVENT_TYPE, "'message.received'" },
	{ EV_ENTITY_TYPE, "'message'" },
	{ EV_ENTITY_ID, MESSAGE },
	{ EV_DEDUP_KEY, "{" ACCOUNT "}:{" MESSAGE "}" },
	{ EV_SUMMARY, "Message {" MESSAGE "}[ to {/To}]: received" },
	{ EV_DETAILS, "/NumMedia" },
	{ EV_END }
};

/* Other products: conversations, conferences, what is to come. */
static const struct map other[] = {
	{ EV_EVENT_TYPE, "/EventType|/StatusCallbackEvent|'callback'" },
	{ EV_END }
};

/* An element of Event Streams; its data is what the event is made of, the envelope the wrapper. */
static const struct map stream[] = {
	{ EV_ACTION, "!word", WORD, message_actions },
	{ EV_EVENT_ID, "</id|/id", NATIVE },
	{ EV_EVENT_TYPE, "</type|/type" },
	{ EV_ENTITY_TYPE, "!kind" },
	{ EV_ENTITY_ID, "!sid" },
	{ EV_DEDUP_KEY, "{!account|'-'}:{!sid|</id}" },
	{ EV_SEVERITY, "!word", WORD, severities, ON_TRIGGER },
	{ EV_SUMMARY, "{</type|/type}[ {!sid}]" },
	{ EV_SOURCE, "!account|</source" },
	{ EV_OCCURRED, "</time|/time", TIME },
	{ EV_DETAILS, "/error_code" },
	{ EV_DETAILS, "/errorCode" },
	{ EV_END }
};

static const struct variant variants[] = {
	{ "</specversion|/specversion", NULL, stream },
	{ "{</Payload|/Payload}{" DEBUG_LEVEL "}", NULL, debugger },
	{ "/MessageStatus", NULL, message_status },
	{ "/RecordingStatus", NULL, recording },
	{ "/CallSid", NULL, call },
	{ MESSAGE, NULL, received },
	{ "/AccountSid", NULL, other },
	{ 0 }
};

static const struct wrap wraps[] = {
	{ "/Payload", "/Payload" },
	{ "/specversion", "/data" },	/* the test event's is a text that holds JSON */
	{ 0 }
};

static const struct map fields[] = {
	{ EV_EVENT_ID, "@i-twilio-idempotency-token", NATIVE },	/* one for all tries of a request */
	{ EV_NATIVE_SEVERITY, "/ErrorCode" },
	{ EV_SOURCE, "</AccountSid|/AccountSid" },
	{ EV_SERVICE, "/MessagingServiceSid" },
	{ EV_LINK, ERROR_LINK "{/ErrorCode}" },
	{ EV_DETAILS, "/ErrorCode" },
	{ EV_END }
};

/* ---- Event Streams: what rows cannot say ----------------------------------------------------- */

/* Members that name something else than what the event is about. */
static const char *const not_the_entity[] = {
	"account", "parentaccount", "service", "messagingservice", "attempt", "subscription",
	"sink",
};

/* "messageSid", "message_sid": what stands in front of "sid", in lower case without '_'. */
static struct str sid_kind(struct arena *a, struct str name)
{
	size_t n = name.n - strlen("sid");

	if (name.n < strlen("sid") || !str_ieqs(str_sub(name, n), "sid"))
		return STR_NONE;
	name.n = n;
	if (str_ends(name, "_"))
		name.n--;
	return arena_lower(a, name);
}

static bool is_entity(struct str kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_the_entity); i++)
		if (str_eqs(kind, not_the_entity[i]))
			return false;
	return kind.n > 0;
}

/* The member that names what the event is about: a message or call, else the first that can be. */
static const struct json *entity_member(struct arena *a, const struct json *data, struct str *kind)
{
	static const char *const first[] = { "message", "call", "verification" };
	const struct json *found = NULL, *j = json_is(data, JSON_OBJECT) ? data->first : NULL;
	size_t rank = ARRAY_SIZE(first);

	for (; j; j = j->next) {
		struct str k = sid_kind(a, j->name);
		size_t r = 0;

		if (!is_entity(k) || value_absent(json_text(j)))
			continue;
		while (r < ARRAY_SIZE(first) && !str_eqs(k, first[r]))
			r++;
		if (found && r >= rank)
			continue;
		found = j;
		rank = r;
		*kind = k;
	}
	return found;
}

/* Of data, else of the path in the envelope's source: "/v1/Accounts/AC.../Services/...". */
static struct str account(struct arena *a, const struct where *w)
{
	struct str sid = expr_eval(a, "/account_sid|/accountSid|/AccountSid", w), source;

	if (sid.n)
		return sid;
	source = expr_eval(a, "</source|/source", w);
	while (source.n)
		if (str_eqs(str_until(&source, '/'), "Accounts"))
			return str_until(&source, '/');
	return STR_NONE;
}

/* "com.twilio.messaging.message.undelivered": the last word. */
static struct str last_word(struct str type)
{
	struct str word = STR_NONE;

	while (type.n)
		word = str_until(&type, '.');
	return word;
}

static struct str own(struct arena *a, struct str name, const struct where *w)
{
	struct str kind = STR_NONE;
	const struct json *member;

	if (str_eqs(name, "account"))
		return account(a, w);
	if (str_eqs(name, "word"))
		return last_word(expr_eval(a, "</type|/type", w));
	member = entity_member(a, w->element, &kind);
	return str_eqs(name, "sid") ? json_text(member) : kind;
}

static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	if (ev->event_type.n == 0)
		ev->invalid = json_get(w->element, "specversion") ? "type" : "MessageSid";
	return !ev->invalid;
}

/* ---- answers --------------------------------------------------------------------------------- */

static bool answer(const struct provider *p, struct arena *a, const struct inbound *in,
	const struct refusal *refusal, const struct outcome *outcomes, size_t n,
	struct answer *answer)
{
	if (refusal || json_is(in->doc, JSON_ARRAY) || json_get(in->doc, "specversion"))
		return false;
	*answer = (struct answer){ .status = 200, .content_type = "text/xml",
		.body = STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response></Response>") };
	return true;
}

/* ---- setting it up, and trying it ------------------------------------------------------------ */

static const struct setting settings[] = {
	{ "url", SETTING_TEXT, "URL at Twilio",
		"The URL as it is entered at Twilio, where that is not this installation's public "
		"URL: Twilio signs it." },
	{ 0 }
};

static const struct step steps[] = {
	{ "In the Twilio console copy the Account's primary Auth Token into this integration as "
		"its signature secret.", NULL },
	{ "Errors: Monitor, Logs, Errors, Webhook. Messages and calls: the webhook or status "
		"callback of a phone number or messaging service. Enter:", "{url}" },
	{ "Event Streams: Explore products, Event Streams, Create sink of type Webhook, method "
		"POST, with:", "{url}" },
	{ "So that Twilio repeats after time-outs and errors too, enter the URL with this behind "
		"it; it is not sent:",
		"#rc=2&rp=5xx,ct,rt" },
	{ 0 }
};

static const struct sample sample = {
	.headers = {
		{ "user-agent", "TwilioProxy/1.1" },
		{ "i-twilio-idempotency-token", "7e570000-0000-4000-8000-$nonce" },
	},
	.content_type = "application/x-www-form-urlencoded",
	.body = "AccountSid=AC7e577e577e577e577e57$nonce&Level=ERROR&ParentAccountSid="
		"&Payload=%7B%22resource_sid%22%3A%22CA7e577e577e577e577e57$nonce%22%2C"
		"%22service_sid%22%3Anull%2C%22error_code%22%3A%2211200%22%2C"
		"%22more_info%22%3A%7B%22Msg%22%3A%22%5BTwilio%5D+Test+Alert+-+"
		"HTTP+retrieval+failure%22%2C%22ErrorCode%22%3A%2211200%22%2C"
		"%22LogLevel%22%3A%22ERROR%22%7D%7D"
		"&PayloadType=application%2Fjson&Sid=NO7e577e577e577e577e57$nonce&Timestamp=$time",
};

const struct provider provider_twilio = {
	.slug = "twilio",
	.title = "Twilio",
	.group = GROUP_BUSINESS,
	.about = "Errors of an account, messages and calls that failed, and all else that its "
		"webhooks and Event Streams tell.",
	.signs = "HMAC-SHA1 of the URL and the form in X-Twilio-Signature, with the account's auth "
		"token; of JSON the URL holds the hash.",
	.on_error = "Twilio waits 15 s and repeats only what could not be connected, unless the "
		"URL there asks for more with #rc=2&rp=5xx,ct,rt.",
	.settings = settings,
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_GET | METHOD_POST,
	.bodies = BODY_JSON | BODY_FORM | BODY_QUERY,
	.flags = SECRET_THEIRS | ANSWER_RECEIVED,
	.actions = DO_RECORD,
	.per_minute = 600,	/* each message makes three or four callbacks */
	.proofs = proofs,
	.each = "",
	.wraps = wraps,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_INFO,
	.own = own,
	.adjust = adjust,
	.answer = answer,
};
