/* Salesforce: three quite different things, all of them changes of records and none of them
 * trouble.
 *
 * - Outbound messages are the only push of its own: SOAP, up to 100 notifications in one. They
 *   cannot be signed, so the key stands in the URL and the organization is compared. Each is
 *   acknowledged as a whole by a SOAP answer and 200; whatever else comes back makes Salesforce
 *   repeat it, for 24 hours. SessionId is a live credential and never kept.
 * - Change events: Change Data Capture and platform events, which Salesforce itself never posts, as
 *   middleware passes them on, in one of two envelopes or in none.
 * - {action, sobject}: what the owner's Apex code or HTTP callout of a Flow posts, signed.
 *
 * A record is read when its message is sent, so values between are lost; nothing comes in order.
 * Ids have 15 or 18 characters; upper and lower case are different ones.
 *
 * Sources: developer.salesforce.com "Understanding Notifications", "Change Event Message Structure"
 * (2026-10); aspnet/WebHooks Salesforce receiver. */
#include "provider_int.h"

#define RECORDS_MAX 20000	/* of one body; ingest takes no more than half of it */
#define FAULT_MAX 4096		/* bytes of a SOAP fault: a sentence and what stands around it */
#define ORGANIZATION_ID 15	/* bytes that count of 15 or 18 */

static const struct proof signature = {
	.name = "salesforce-event",
	.header = "x-salesforce-event-signature",
	.prefix = "sha256=",
	.encoding = ENC_HEX,
	.digest = DIGEST_SHA256,
	.parts = { "$body" },
};

static const struct proof *const proofs[] = { &signature, NULL };

/* ---- rows for each shape --------------------------------------------------------------------- */

#define NOTIFICATIONS "^/Envelope/Body/notifications"

static const struct map notification[] = {
	{ EV_EVENT_ID, "/Id", NATIVE },
	{ EV_EVENT_TYPE, "{!object}.changed", LOWER },	/* created or updated is not said */
	{ EV_ENTITY_TYPE, "!object" },
	{ EV_ENTITY_ID, "/sObject/Id" },
	{ EV_SUMMARY, "{!object}[ {/sObject/Id}] changed" },
	{ EV_SOURCE, NOTIFICATIONS "/OrganizationId" },
	{ EV_OCCURRED, "/sObject/SystemModstamp|/sObject/LastModifiedDate", TIME },
	{ EV_LINK, "https://{!host}/{/sObject/Id}" },
	{ EV_END }
};

/* As unfold makes it: one for each record. */
static const struct map change[] = {
	{ EV_EVENT_ID, "{/header/transactionKey}:{/header/sequenceNumber}:{/recordId}", NATIVE },
	{ EV_EVENT_ID, "{/channel|'-'}:{/replayId}", NATIVE },
	{ EV_EVENT_TYPE, "{/header/entityName}.{!change}", LOWER },
	{ EV_ENTITY_TYPE, "/header/entityName" },
	{ EV_ENTITY_ID, "/recordId" },
	{ EV_SUMMARY, "{/header/entityName}[ {/recordId}] {!change}" },
	{ EV_OCCURRED, "/header/commitTimestamp", EPOCH },
	{ EV_DETAILS, "/header/changedFields" },
	{ EV_DETAILS, "/header/changeOrigin" },
	{ EV_DETAILS, "/header/commitUser" },
	{ EV_END }
};

#define REPLAY_ID "/data/event/replayId|/event/replayId"

static const struct map platform_event[] = {
	{ EV_EVENT_ID, "{/channel|'-'}:{" REPLAY_ID "}", NATIVE },
	{ EV_EVENT_TYPE, "{~/channel|'platform_event'}.published", LOWER },
	{ EV_ENTITY_TYPE, "~/channel" },
	{ EV_SUMMARY, "{~/channel|'Platform event'} published" },
	{ EV_OCCURRED, "/data/payload/CreatedDate|/payload/CreatedDate", TIME },
	{ EV_END }
};

static const struct map record[] = {
	{ EV_EVENT_TYPE, "{/sobject/name}.{!change}", LOWER },
	{ EV_ENTITY_TYPE, "/sobject/name" },
	{ EV_ENTITY_ID, "/sobject/fields/Id" },
	{ EV_SUMMARY, "{/sobject/name}[ {/sobject/fields/Id}] {!change}" },
	{ EV_OCCURRED, "/sobject/fields/SystemModstamp|/sobject/fields/LastModifiedDate", TIME },
	{ EV_END }
};

static const struct variant variants[] = {
	{ "/sObject/@type", NULL, notification },
	{ "/header/changeType", NULL, change },
	{ "/sobject/name", NULL, record },
	{ REPLAY_ID, NULL, platform_event },
	{ 0 }
};

/* ---- one event for each record --------------------------------------------------------------- */

struct list {
	struct json *array, *last;
};

static void append(struct list *l, struct json *event)
{
	if (l->last)
		l->last->next = event;
	else
		l->array->first = event;
	l->last = event;
	l->array->count++;
}

static struct json *shared(struct arena *a, const struct json *value)
{
	struct json *copy = json_new(a, value->type);

	*copy = *value;
	copy->next = NULL;
	return copy;
}

static void share(struct arena *a, struct json *event, struct str name, const struct json *value)
{
	if (value)
		json_share(a, event, name, value);
}

static const struct json *first_of(const struct json *doc, const char *one, const char *other)
{
	const struct json *j = json_at(doc, str_of(one));

	return j ? j : json_at(doc, str_of(other));
}

/* Of a header, which can have 100,000 members, those that the rows of each of its records look for. */
static const struct json *short_header(struct arena *a, const struct json *header)
{
	static const char *const names[] = {
		"transactionKey", "sequenceNumber", "entityName", "changeType", "commitTimestamp",
		"changedFields", "changeOrigin", "commitUser",
	};
	struct json *out = json_new(a, JSON_OBJECT);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		share(a, out, str_of(names[i]), json_get(header, names[i]));
	return out;
}

/* {data: {payload, event}, channel}, {payload, event}, or the payload alone. */
static void unfold_change(struct arena *a, struct list *l, const struct json *doc)
{
	const struct json *payload = first_of(doc, "/data/payload", "/payload");
	const struct json *header = json_get(payload ? payload : doc, "ChangeEventHeader");
	const struct json *ids = json_get(header, "recordIds");
	const struct json *id = json_is(ids, JSON_ARRAY) ? ids->first : NULL;
	const struct json *channel = json_get(doc, "channel");
	const struct json *replay_id = first_of(doc, "/data/event/replayId", "/event/replayId");

	if (!header) {
		append(l, shared(a, doc));
		return;
	}
	header = short_header(a, header);
	do {
		struct json *event = json_new(a, JSON_OBJECT);

		share(a, event, STR("header"), header);
		share(a, event, STR("recordId"), id);
		share(a, event, STR("channel"), channel);
		share(a, event, STR("replayId"), replay_id);
		append(l, event);
		id = id ? id->next : NULL;
	} while (id && l->array->count < RECORDS_MAX);
}

static const struct json *unfold(struct arena *a, const struct inbound *in)
{
	static const char notifications[] = "/Envelope/Body/notifications/Notification";
	const struct json *soap = json_at(in->doc, str_of(notifications)), *j;
	struct list l = { .array = json_new(a, JSON_ARRAY) };

	if (json_is(soap, JSON_ARRAY))
		return soap;
	if (soap)
		append(&l, shared(a, soap));
	else if (json_is(in->doc, JSON_ARRAY))
		for (j = in->doc->first; j && l.array->count < RECORDS_MAX; j = j->next)
			unfold_change(a, &l, j);
	else
		unfold_change(a, &l, in->doc);
	return l.array;
}

/* ---- what rows cannot say -------------------------------------------------------------------- */

/* "sf:Contact" of xsi:type */
static struct str object_name(struct arena *a, const struct where *w)
{
	struct str type = expr_eval(a, "/sObject/@type", w), prefix = str_until(&type, ':');

	return type.n ? type : prefix;
}

static struct str change_word(struct arena *a, const struct where *w)
{
	static const struct {
		const char *type, *word;
	} words[] = {
		{ "CREATE", "created" }, { "UPDATE", "updated" }, { "DELETE", "deleted" },
		{ "UNDELETE", "undeleted" },
	};
	struct str type = expr_eval(a, "/header/changeType|/action", w);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_ieqs(type, words[i].type))
			return str_of(words[i].word);
	return arena_lower(a, type);	/* GAP_UPDATE and its like; the words themselves */
}

static struct str enterprise_host(struct arena *a, const struct where *w)
{
	struct str url = expr_eval(a, NOTIFICATIONS "/EnterpriseUrl|"
		NOTIFICATIONS "/PartnerUrl", w);

	if (!str_starts(url, "https://"))
		return STR_NONE;
	url = str_sub(url, strlen("https://"));
	return str_until(&url, '/');
}

static struct str own(struct arena *a, struct str name, const struct where *w)
{
	if (str_eqs(name, "object"))
		return object_name(a, w);
	return str_eqs(name, "change") ? change_word(a, w) : enterprise_host(a, w);
}

/* Where the owner named his organization, messages of others are not taken. */
static bool is_ours(struct arena *a, const struct where *w)
{
	struct str ours = json_text(json_get(w->in->settings, "organizationId"));
	struct str theirs = expr_eval(a, NOTIFICATIONS "/OrganizationId", w);

	if (!ours.n)
		return true;
	return ours.n >= ORGANIZATION_ID && theirs.n >= ORGANIZATION_ID &&
		memcmp(ours.p, theirs.p, ORGANIZATION_ID) == 0;
}

/* The member that is missing for this event to be one of Salesforce's, or NULL. */
static const char *missing_member(const struct json *event, bool is_message)
{
	const struct json *header = json_get(event, "header");

	if (is_message)
		return json_get(event, "sObject") ? "sObject.type" : "Notification";
	if (header)
		return json_get(header, "entityName") ? "ChangeEventHeader.changeType" :
			"ChangeEventHeader.entityName";
	if (!json_get(event, "sobject"))
		return "sobject";
	return json_at(event, STR("/sobject/name")) ? "action" : "sobject.name";
}

static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	bool is_message = expr_json("^/Envelope", w);

	if (is_message && !is_ours(a, w))
		ev->invalid = "OrganizationId";
	else if (ev->event_type.n == 0)
		ev->invalid = missing_member(w->element, is_message);
	return !ev->invalid;
}

/* ---- answers --------------------------------------------------------------------------------- */

#define SOAP_BEGIN "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
	"<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"" \
	" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"" \
	" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n <soapenv:Body>\n"
#define SOAP_END " </soapenv:Body>\n</soapenv:Envelope>\n"

static const char acknowledged[] = SOAP_BEGIN
	"  <notificationsResponse xmlns=\"http://soap.sforce.com/2005/09/outbound\">\n"
	"   <Ack>true</Ack>\n"
	"  </notificationsResponse>\n" SOAP_END;

/* Also of a body that was not read, since it was too large or nobody's. */
static bool is_soap(const struct inbound *in)
{
	return json_get(in->doc, "Envelope") || (!in->doc && str_eqs(in->content_type, "text/xml"));
}

static void add_escaped(struct strbuf *b, struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '<' || text.p[i] == '>' || text.p[i] == '&')
			strbuf_addf(b, "&#%d;", text.p[i]);
		else
			strbuf_addc(b, text.p[i]);
}

static struct str fault(struct arena *a, const struct refusal *refusal)
{
	struct strbuf b;

	strbuf_init(&b, a, FAULT_MAX);
	strbuf_adds(&b, SOAP_BEGIN "  <soapenv:Fault>\n   <faultcode>soapenv:");
	strbuf_adds(&b, refusal->status < 500 ? "Client" : "Server");
	strbuf_adds(&b, "</faultcode>\n   <faultstring>");
	add_escaped(&b, str_of(refusal->message));
	strbuf_adds(&b, "</faultstring>\n  </soapenv:Fault>\n" SOAP_END);
	return strbuf_str(&b);
}

static bool answer(const struct provider *p, struct arena *a, const struct inbound *in,
	const struct refusal *refusal, const struct outcome *outcomes, size_t n,
	struct answer *answer)
{
	if (!is_soap(in))
		return false;
	answer->content_type = "text/xml";
	answer->status = refusal ? refusal->status : 200;
	answer->body = refusal ? fault(a, refusal) : str_of(acknowledged);
	return true;
}

/* ---- setting it up, and trying it ------------------------------------------------------------ */

static const struct setting settings[] = {
	{ "organizationId", SETTING_TEXT, "Organization ID",
		"Outbound messages of other organizations are refused. It stands in Setup, Company "
		"Information." },
	{ 0 }
};

static const char *const masked[] = { "SessionId", NULL };

static const struct step steps[] = {
	{ "Outbound messages: in Setup open Outbound Messages, New Outbound Message; choose object "
		"and fields, leave Send Session ID off. Endpoint URL, with the key, since "
		"Salesforce can set no header:", "{url}?key={key}" },
	{ "Let a Flow or a workflow rule send the message, and enter the Organization ID (Setup, "
		"Company Information) in the settings of this integration.", NULL },
	{ "Code of your own, Apex or an HTTP callout of a Flow, posts JSON:",
		"{\"action\":\"updated\",\"sobject\":{\"name\":\"Contact\","
		"\"fields\":{\"Id\":\"0031I0000081tbPQAQ\"}}}" },
	{ "With a signature secret set, each request must be signed. Outbound messages cannot be, "
		"so give them an integration of their own. The header is:",
		"X-Salesforce-Event-Signature: sha256=<hex HMAC-SHA256 of the body>" },
	{ 0 }
};

static const struct sample sample = {
	.body = "{'action':'updated','sobject':{'name':'Contact','fields':{'Id':'003$nonce',"
		"'LastName':'[Salesforce] Test','LastModifiedDate':'$time'}}}",
	.severity = "updated",
};

const struct provider provider_salesforce = {
	.slug = "salesforce",
	.title = "Salesforce",
	.group = GROUP_BUSINESS,
	.about = "Changes of records: outbound messages, change events, callouts of your own code.",
	.signs = "HMAC-SHA256 of the body in X-Salesforce-Event-Signature for JSON of your own "
		"code. Outbound messages cannot be signed: the key stands in their URL, and the "
		"organization is compared.",
	.on_error = "An outbound message that is not acknowledged is repeated for 24 hours, at "
		"most 2 hours apart, and then dropped.",
	.settings = settings,
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON | BODY_XML,
	.flags = SECRET_OPTIONAL,
	.actions = DO_RECORD,
	.body_max = 4 << 20,	/* 100 records with long texts */
	.masked = masked,
	.proofs = proofs,
	.unfold = unfold,
	.variants = variants,
	.own = own,
	.adjust = adjust,
	.answer = answer,
};
