/* AWS CloudWatch alarms, in three forms at one URL: in the envelope of an SNS subscription
 * (Message is a text that holds the alarm), the same alarm alone (raw delivery), and EventBridge's
 * events through an API destination. All three name the alarm by its ARN, so they share a key.
 *
 * SNS signs with RSA: the signature stands in the body, over some of its members, and the
 * certificate stands at a URL that the body names. That proves some account's SNS, not one's own
 * topic; hence the topic of the first confirmed subscription is kept, and another is refused. Raw
 * delivery and EventBridge cannot sign: a source takes them by its key once "checkSignature" is
 * off.
 *
 * SNS repeats on 5xx and on silence alone, and takes every other answer for delivered: a 4xx loses
 * the message. Sources: Amazon SNS Developer Guide (sns-verify-signature-of-message,
 * sns-message-and-json-formats, sns-message-delivery-retries), CloudWatch User Guide
 * (cloudwatch-and-eventbridge); payloads of alerta, spaceone and the guides. */
#include <openssl/evp.h>

#include "provider_int.h"

#define SIGNED_MAX (300 * 1024)		/* a message has 256 KiB at most */
#define AGE_MAX_S (75 * 60)		/* SNS repeats for up to an hour */
#define AHEAD_MAX_S (5 * 60)

static const char *const sns_hosts[] = { "sns.*.amazonaws.com", "sns.*.amazonaws.com.cn", NULL };

static const struct certificate_rule certificate = {
	.hosts = sns_hosts,
	.path = "/*.pem",
	.names = (const char *const[]){ "sns.amazonaws.com", NULL },
};

/* ---- the envelope ---------------------------------------------------------------------------- */

static bool type_is(const struct json *envelope, const char *type)
{
	return str_eqs(json_text(json_get(envelope, "Type")), type);
}

/* Lambda functions that pass messages on spell these two in their own way. */
static struct str envelope_url(const struct json *envelope, const char *name, const char *other)
{
	const struct json *url = json_get(envelope, name);

	return json_text(url ? url : json_get(envelope, other));
}

/* ---- the proof ------------------------------------------------------------------------------- */

/* In byte order. Of the members of a notification only the subject may be missing. The format page
 * of the guide leaves two names of a confirmation out; what SNS sends agrees with the verify
 * page. */
static const char *const signed_notification[] = {
	"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type", NULL
};
static const char *const signed_confirmation[] = {
	"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type", NULL
};

/* Name, line feed, value, line feed, for each. */
static bool signed_text(struct arena *a, const struct json *envelope, struct str *out,
	struct proof_report *r)
{
	const char *const *names = type_is(envelope, "Notification") ?
		signed_notification : signed_confirmation;
	struct strbuf b;

	strbuf_init(&b, a, SIGNED_MAX);
	for (const char *const *name = names; *name; name++) {
		const struct json *value = json_get(envelope, *name);

		if (!value && !strcmp(*name, "SubscribeURL"))
			value = json_get(envelope, "SubscribeUrl");
		if (!strcmp(*name, "Subject") && (!value || value->type == JSON_NULL))
			continue;
		if (!json_is(value, JSON_STRING))
			return proof_failed(r, "parts", "%s is signed too, and is not there.",
				*name);
		strbuf_addf(&b, "%s\n", *name);
		strbuf_addstr(&b, value->text);
		strbuf_addc(&b, '\n');
	}
	*out = strbuf_str(&b);
	return !b.failed || proof_failed(r, "parts", "The message is larger than SNS sends any.");
}

static const struct json *envelope_of(const struct proof_input *in, struct proof_report *r)
{
	const struct json *doc;
	struct err e = { 0 };

	if (!json_parse(in->arena, in->in->body, &doc, &e)) {
		proof_failed(r, "envelope", "The body is no JSON, so no message of SNS.");
	} else if (!json_text(json_get(doc, "Signature")).n) {
		proof_failed(r, "envelope", "The body carries no signature: SNS's raw delivery and "
			"EventBridge cannot sign. Set checkSignature to false to take them by "
			"the key.");
	} else if (!type_is(doc, "Notification") && !type_is(doc, "SubscriptionConfirmation") &&
			!type_is(doc, "UnsubscribeConfirmation")) {
		proof_failed(r, "envelope", "The Type of the message is none of the three that "
			"SNS signs.");
	} else {
		return doc;
	}
	return NULL;
}

/* Version 1 is still what every topic begins with. */
static bool digest_of(const struct json *envelope, enum digest *d, struct proof_report *r)
{
	struct str version = json_text(json_get(envelope, "SignatureVersion"));

	*d = str_eqs(version, "1") ? DIGEST_SHA1 : DIGEST_SHA256;
	return str_eqs(version, "1") || str_eqs(version, "2") ||
		proof_failed(r, "version", "The SignatureVersion is neither 1 nor 2.");
}

static bool in_time(const struct json *envelope, ms_t now, struct proof_report *r)
{
	ms_t at;

	if (!time_parse(json_text(json_get(envelope, "Timestamp")), &at))
		return proof_failed(r, "timestamp", "The Timestamp of the message is not there.");
	return proof_in_time(r, (now - at) / MS_PER_SECOND, AGE_MAX_S, AHEAD_MAX_S);
}

static enum verdict check_signature(const struct proof_input *in, const struct json *envelope,
	enum digest d, struct str text, struct proof_report *r)
{
	struct str url = envelope_url(envelope, "SigningCertURL", "SigningCertUrl");
	struct str base64 = json_text(json_get(envelope, "Signature")), signature;
	EVP_PKEY *key;
	enum verdict v = certificate_key(&certificate, in, url, r, &key);

	if (v != PROVEN)
		return v;
	if (!base64_decode(in->arena, base64, false, &signature) ||
			!rsa_signed(key, d, text, signature)) {
		proof_failed(r, "digest", "The signature does not fit the message: it was "
			"changed on its way.");
		v = NOT_PROVEN;
	}
	EVP_PKEY_free(key);
	return v;
}

/* Asked last, so that a stranger does not learn the topic. */
static enum verdict check_topic(const struct proof_input *in, const struct json *envelope,
	struct proof_report *r)
{
	struct str ours = json_text(json_get(in->in->settings, "topicArn"));
	struct str topic = json_text(json_get(envelope, "TopicArn"));

	if (!ours.n || str_eq(topic, ours))
		return PROVEN;
	proof_failed(r, "topic", "This integration takes messages of one topic, and this is "
		"another. Its setting topicArn says which.");
	return PROOF_FORBIDDEN;
}

static enum verdict verify(const struct proof *p, const struct proof_input *in,
	struct proof_report *r)
{
	const struct json *envelope = envelope_of(in, r);
	enum digest d;
	struct str text;
	enum verdict v = NOT_PROVEN;

	if (envelope && digest_of(envelope, &d, r) && in_time(envelope, in->in->now, r) &&
			signed_text(in->arena, envelope, &text, r))
		v = check_signature(in, envelope, d, text, r);
	return v == PROVEN ? check_topic(in, envelope, r) : v;
}

static const struct proof_stage stages[] = {
	{ "envelope", "The body is a message of SNS, with a signature." },
	{ "version", "The signature is of version 1 (SHA-1) or 2 (SHA-256)." },
	{ "timestamp", "It was sent in the last 75 minutes." },
	{ "parts", "All that is signed is there." },
	CERTIFICATE_STAGES,
	{ "digest", "The signature fits." },
	{ "topic", "The topic is the integration's." },
	{ 0 }
};

static const struct proof sns = {
	.name = "sns",
	.verify = verify,
	.steps = stages,
	.keyless = "!checkSignature",
};

static const struct proof *const proofs[] = { &sns, NULL };

/* ---- rows ------------------------------------------------------------------------------------ */

static const struct word states[] = {
	{ "ALARM", ACTION_TRIGGER },
	{ "OK", ACTION_RESOLVE },
	{ 0 }	/* INSUFFICIENT_DATA: the alarm stays as it is */
};

static const struct word operations[] = {
	{ "delete", ACTION_RESOLVE },	/* no OK can follow */
	{ 0 }
};

static const struct map alarm[] = {
	{ EV_ACTION, "/NewStateValue", WORD, states },
	{ EV_EVENT_TYPE, "'alarm.state_change'" },
	{ EV_DEDUP_KEY, "/AlarmArn" },
	{ EV_SUMMARY, "{/AlarmName}[: {/NewStateReason}]" },
	{ EV_DESCRIPTION, "/AlarmDescription" },
	{ EV_OCCURRED, "/StateChangeTime", TIME },
	{ EV_DETAILS, "/NewStateValue" },
	{ EV_DETAILS, "/OldStateValue" },
	{ EV_DETAILS, "/AWSAccountId" },
	{ EV_DETAILS, "/Region" },
	{ EV_DETAILS, "/AlarmRule" },
	{ EV_DETAILS, "/TriggeringChildren" },
	{ EV_DETAILS, "/Trigger" },
	{ EV_END }
};

/* An alarm whose actions are held back by another has a second word here, which is in no table. */
static const struct map state_change[] = {
	{ EV_ACTION, "{/detail/state/value}[ {/detail/state/actionsSuppressedBy}]", WORD, states },
	{ EV_EVENT_TYPE, "'alarm.state_change'" },
	{ EV_DEDUP_KEY, "/resources/0" },
	{ EV_SUMMARY, "{/detail/alarmName}[: {/detail/state/reason}]" },
	{ EV_DESCRIPTION, "/detail/configuration/description" },
	{ EV_OCCURRED, "/detail/state/timestamp", TIME },
	{ EV_DETAILS, "/detail/state" },
	{ EV_DETAILS, "/detail/previousState" },
	{ EV_DETAILS, "/detail/configuration" },
	{ EV_END }
};

/* The state in it is older than the change. */
static const struct map configuration_change[] = {
	{ EV_ACTION, "/detail/operation", WORD, operations },
	{ EV_EVENT_TYPE, "'alarm.configuration_change'" },
	{ EV_DEDUP_KEY, "/resources/0" },
	{ EV_SUMMARY, "{/detail/alarmName}[: {/detail/operation}]" },
	{ EV_DESCRIPTION, "/detail/configuration/description" },
	{ EV_OCCURRED, "/time", TIME },
	{ EV_DETAILS, "/detail/operation" },
	{ EV_DETAILS, "/detail/configuration" },
	{ EV_DETAILS, "/detail/previousConfiguration" },
	{ EV_END }
};

#define TOPIC_ROWS \
	{ EV_SOURCE, "^/TopicArn|@x-amz-sns-topic-arn" }, \
	{ EV_OCCURRED, "^/Timestamp", TIME }

/* Whatever else somebody publishes to the topic. */
static const struct map message[] = {
	{ EV_EVENT_TYPE, "'sns.message'" },
	{ EV_SUMMARY, "^/Subject|/detail-type|^/Message" },
	{ EV_DESCRIPTION, "^/Message" },
	TOPIC_ROWS,
	{ EV_END }
};

static const struct map subscription[] = {
	{ EV_EVENT_TYPE, "'sns.subscription_confirmation'" },
	{ EV_SUMMARY, "/Message" },
	TOPIC_ROWS,
	{ EV_END }
};

static const struct map unsubscription[] = {
	{ EV_EVENT_TYPE, "'sns.unsubscribe_confirmation'" },
	{ EV_SUMMARY, "/Message" },
	TOPIC_ROWS,
	{ EV_END }
};

static const struct map event[] = {
	{ EV_EVENT_TYPE, "/detail-type" },
	{ EV_SUMMARY, "{/detail-type}[: {/resources/0}]" },
	{ EV_SOURCE, "/source" },
	{ EV_OCCURRED, "/time", TIME },
	{ EV_DETAILS, "/detail" },
	{ EV_END }
};

#define NAME(name) (const char *const[]){ name, NULL }

static const char detail_type[] = "/detail-type", type[] = "/Type";

static const struct variant variants[] = {
	{ detail_type, NAME("CloudWatch Alarm State Change"), state_change },
	{ detail_type, NAME("CloudWatch Alarm Configuration Change"), configuration_change },
	{ "{/AlarmName}{/NewStateValue}", NULL, alarm },
	{ "</Type", NULL, message },
	{ detail_type, NULL, event },
	{ type, NAME("Notification"), message },
	{ type, NAME("SubscriptionConfirmation"), subscription },
	{ type, NAME("UnsubscribeConfirmation"), unsubscription },
	{ "@x-amz-sns-rawdelivery", NULL, message },
	{ 0 }
};

static const struct wrap wraps[] = {
	{ "/TopicArn", "/Message" },
	{ 0 }
};

#define ALARM_NAME "/AlarmName|/detail/alarmName"
#define STATE "/NewStateValue|/detail/state/value"
#define STATE_TIME "/StateChangeTime|/detail/state/timestamp"

static const struct map fields[] = {
	{ EV_EVENT_ID, "^/MessageId|@x-amz-sns-message-id|^/id", NATIVE },
	{ EV_EVENT_ID, "{/AlarmArn|/resources/0|" ALARM_NAME "}:{" STATE "}:{" STATE_TIME "}",
		DERIVED },
	{ EV_END }
};

/* ---- what rows cannot say: keys of old bodies, metrics, the console's URL -------------------- */

/* The next part of an ARN, where it can stand in a host's name. */
static struct str arn_part(struct str *arn)
{
	static const char host_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	struct str part = str_until(arn, ':');

	for (size_t i = 0; i < part.n; i++)
		if (!memchr(host_letters, part.p[i], sizeof(host_letters) - 1))
			return STR_NONE;
	return part;
}

/* "arn:aws:sns:eu-west-1:123456789012:topic" -> partition and region. */
static void arn_place(struct str arn, struct str *partition, struct str *region)
{
	(void)arn_part(&arn);
	*partition = arn_part(&arn);
	(void)arn_part(&arn);
	*region = arn_part(&arn);
}

/* Bodies of 2019 and before name no ARN, and their Region is a title: "US East (N. Virginia)". The
 * topic stands in the same region. */
static struct str built_arn(struct arena *a, const struct where *w)
{
	struct str topic = expr_eval(a, "^/TopicArn|@x-amz-sns-topic-arn", w);
	struct str name = expr_eval(a, ALARM_NAME, w);
	struct str account = expr_eval(a, "/AWSAccountId|/account", w);
	struct str partition, region;

	arn_place(topic, &partition, &region);
	if (!region.n)
		region = expr_eval(a, "/region|/Region", w);
	return !name.n ? STR_NONE : arena_printf(a, "arn:%.*s:cloudwatch:%.*s:%.*s:alarm:%.*s",
		STR_ARG(partition.n ? partition : STR("aws")), STR_ARG(region), STR_ARG(account),
		STR_ARG(name));
}

static void add_link(struct arena *a, const struct where *w, struct event *ev)
{
	static const struct {
		const char *partition, *console;
	} consoles[] = {
		{ "aws", "console.aws.amazon.com" },
		{ "aws-cn", "console.amazonaws.cn" },
		{ "aws-us-gov", "console.amazonaws-us-gov.com" },
	};
	struct str name = url_encode(a, expr_eval(a, ALARM_NAME, w));
	struct str partition, region;

	arn_place(ev->dedup_key, &partition, &region);
	for (size_t i = 0; i < ARRAY_SIZE(consoles) && region.n && name.n; i++)
		if (str_eqs(partition, consoles[i].partition))
			event_link(ev, arena_printf(a, "https://%.*s.%s/cloudwatch/home"
				"?region=%.*s#alarmsV2:alarm/%.*s", STR_ARG(region),
				consoles[i].console, STR_ARG(region), STR_ARG(name)),
				STR("Alarm"));
}

/* The first metric that has a name: expressions over metrics have none. */
static const struct json *metric_of(const struct json *element)
{
	const struct json *trigger = json_get(element, "Trigger");
	const struct json *list = json_get(trigger, "Metrics"), *metric;

	if (json_get(trigger, "MetricName"))
		return trigger;
	if (!list)
		list = json_at(element, STR("/detail/configuration/metrics"));
	for (const struct json *m = json_is(list, JSON_ARRAY) ? list->first : NULL; m;
			m = m->next) {
		metric = json_at(m, STR("/MetricStat/Metric"));
		if (!metric)
			metric = json_at(m, STR("/metricStat/metric"));
		if (metric)
			return metric;
	}
	return NULL;
}

static struct str either(const struct json *j, const char *name, const char *other)
{
	struct str s = json_text(json_get(j, name));

	return s.n ? s : json_text(json_get(j, other));
}

/* "AWS/EC2/CPUUtilization InstanceId=i-1": dimensions are a list of names and values in alarms, an
 * object in EventBridge's events. */
static struct str metric_text(struct arena *a, const struct json *metric)
{
	const struct json *dimensions = json_get(metric, "Dimensions");
	struct strbuf b;

	if (!metric)
		return STR_NONE;
	strbuf_init(&b, a, SIGNED_MAX);
	strbuf_addstr(&b, either(metric, "Namespace", "namespace"));
	strbuf_addc(&b, '/');
	strbuf_addstr(&b, either(metric, "MetricName", "name"));
	if (!dimensions)
		dimensions = json_get(metric, "dimensions");
	for (const struct json *d = dimensions ? dimensions->first : NULL; d; d = d->next) {
		bool listed = json_is(dimensions, JSON_ARRAY);

		strbuf_addc(&b, ' ');
		strbuf_addstr(&b, listed ? either(d, "name", "Name") : d->name);
		strbuf_addc(&b, '=');
		strbuf_addstr(&b, listed ? either(d, "value", "Value") : json_text(d));
	}
	return strbuf_str(&b);
}

/* What to blame where a body is none of the forms. */
static const char *missing(const struct json *element)
{
	if (json_get(element, "Type"))
		return "Type";
	return json_get(element, "AlarmName") ? "NewStateValue" : "AlarmName";
}

/* Where it is SNS's own, for the topic that the message names; else empty. */
static struct str confirmation_url(const struct json *envelope)
{
	struct str url = envelope_url(envelope, "SubscribeURL", "SubscribeUrl"), action, topic;
	struct arena *a = arena_new(1 << 16);
	struct https_url u;
	bool ok = url.n <= LINK_MAX && https_url_parse(url, &u) &&
		host_is_one_of(u.host, sns_hosts) &&
		form_find(a, u.query, "Action", &action) &&
		str_eqs(action, "ConfirmSubscription") &&
		form_find(a, u.query, "TopicArn", &topic) &&
		str_eq(topic, json_text(json_get(envelope, "TopicArn")));

	arena_free(a);
	return ok ? url : STR_NONE;
}

static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	if (!ev->event_type.n)
		ev->invalid = missing(w->element);
	else if (str_eqs(ev->event_type, "sns.subscription_confirmation") &&
			!confirmation_url(w->element).n)
		ev->invalid = "SubscribeURL";
	if (ev->invalid)
		return false;
	if (!str_starts(ev->event_type, "alarm."))
		return true;
	if (!ev->dedup_key.n)
		ev->dedup_key = built_arn(a, w);
	if (!ev->dedup_key.n) {
		ev->invalid = "alarmName";
		return false;
	}
	ev->entity_type = STR("alarm");
	ev->entity_id = ev->dedup_key;
	ev->source = metric_text(a, metric_of(w->element));
	add_link(a, w, ev);
	return true;
}

/* ---- the handshake --------------------------------------------------------------------------- */

/* The URL of an unsubscription is never visited: that would subscribe again. */
static bool handshake(const struct provider *p, struct arena *a, const struct inbound *in,
	struct answer *answer)
{
	bool leaves = type_is(in->doc, "UnsubscribeConfirmation");
	struct str url = type_is(in->doc, "SubscriptionConfirmation") ?
		confirmation_url(in->doc) : STR_NONE;

	if (!leaves && !url.n)
		return false;
	*answer = (struct answer){
		.status = 200, .body = STR("{\"received\":true}"),
		.disconnected = leaves, .confirm_url = url,
	};
	if (!url.n)
		return true;
	answer->confirm_shows = "<SubscriptionArn>";
	answer->keep = (struct kept_setting){
		"topicArn", json_text(json_get(in->doc, "TopicArn"))
	};
	return true;
}

/* ---- setting it up, and trying it ------------------------------------------------------------ */

static const struct setting settings[] = {
	{ "topicArn", SETTING_TEXT, "Topic ARN",
		"Messages of other topics are refused. Empty: the topic of the first subscription "
		"is kept." },
	{ "checkSignature", SETTING_ON, "Check SNS's signature",
		"Switch it off for raw message delivery and EventBridge, which cannot sign; the "
		"key is the proof then." },
	{ 0 }
};

static const struct step steps[] = {
	{ "In the AWS console open Amazon SNS, Topics, the topic of your alarms, and "
		"Create subscription.", NULL },
	{ "Protocol: HTTPS. Raw message delivery stays off. Endpoint:", "{url}" },
	{ "Create the subscription. SNS asks for a confirmation, and Grapnel gives it within "
		"a minute.", NULL },
	{ "In CloudWatch open each alarm, Edit, Configure actions: send a notification to this "
		"topic for In alarm and for OK.", NULL },
	{ "Instead of SNS, EventBridge can send alarms to an API destination with the header "
		"X-API-Key; switch the signature check off then:", "{key}" },
	{ 0 }
};

/* Only SNS can sign; the message stands in the envelope as a text. */
static const struct sample sample = {
	.headers = {
		{ "user-agent", "Amazon Simple Notification Service Agent" },
		{ "x-amz-sns-message-type", "Notification" },
		{ "x-amz-sns-message-id", "7e570000-0000-5000-8000-$nonce" },
		{ "x-amz-sns-topic-arn", "arn:aws:sns:us-east-1:123456789012:test" },
	},
	.body = "{'Type':'Notification','MessageId':'7e570000-0000-5000-8000-$nonce',"
		"'TopicArn':'arn:aws:sns:us-east-1:123456789012:test',"
		"'Subject':'ALARM: test in US East (N. Virginia)','Message':'{"
		"\\'AlarmName\\':\\'[CloudWatch] Test Alert - CPU Usage High\\',"
		"\\'AlarmDescription\\':\\'Sent by Grapnel to try this integration.\\',"
		"\\'AWSAccountId\\':\\'123456789012\\',\\'NewStateValue\\':\\'ALARM\\',"
		"\\'NewStateReason\\':\\'Threshold Crossed: 1 out of the last 1 datapoints [93.4] "
		"was greater than the threshold (80.0) (minimum 1 datapoint for OK -> ALARM "
		"transition).\\',"
		"\\'StateChangeTime\\':\\'$time\\',\\'Region\\':\\'US East (N. Virginia)\\',"
		"\\'AlarmArn\\':\\'arn:aws:cloudwatch:us-east-1:123456789012:alarm:test-$nonce\\',"
		"\\'OldStateValue\\':\\'OK\\',\\'Trigger\\':{\\'MetricName\\':\\'CPUUtilization\\',"
		"\\'Namespace\\':\\'AWS/EC2\\',\\'Dimensions\\':["
		"{\\'value\\':\\'i-0123456789abcdef0\\',\\'name\\':\\'InstanceId\\'}],"
		"\\'Period\\':300,\\'Threshold\\':80.0}}',"
		"'Timestamp':'$time','SignatureVersion':'2'}",
	.severity = "ALARM",
};

const struct provider provider_cloudwatch = {
	.slug = "cloudwatch",
	.title = "AWS CloudWatch",
	.group = GROUP_CLOUD,
	.about = "Alarms through SNS or EventBridge: the end of an alarm resolves its incident.",
	.signs = "RSA signature of SNS inside the message, versions 1 and 2; the subscription "
		"needs no key. Raw message delivery and EventBridge cannot sign: the key goes "
		"into the URL or a header.",
	.on_error = "SNS waits 15 seconds and takes every answer below 500 for delivered: a 4xx "
		"loses the message. On 5xx and time-outs it tries again, by default 3 times 20 "
		"seconds apart, by delivery policy for up to an hour.",
	.settings = settings,
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON,
	.flags = FINAL_4XX | ASKS_FOR_BASIC,
	.actions = DO_INCIDENT,
	.proofs = proofs,
	.wraps = wraps,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_CRITICAL,
	.adjust = adjust,
	.handshake = handshake,
};
