/* Firebase: it has no webhooks of its own. What reaches an HTTP server are CloudEvents of Eventarc
 * (binary or structured), the same as messages of Pub/Sub, bare alerts that the owner's function
 * posts, and the status of a push message that the owner's own code reports. All become one object
 * first: the attributes of a CloudEvent, its content under "data". So one event has one key by any
 * transport.
 *
 * Crashlytics and performance alert; the rest is change events. Only a performance alert says that
 * it ended. Firestore's documents are protobuf unless the trigger says otherwise: type and entity
 * stand in headers, the body is kept as it is. The SDKs spell alertType and appId, the wire
 * alerttype and appid. Push requests are proven as Google's.
 * Sources: Eventarc "Route Firebase Alerts events to Cloud Run"; googleapis/google-cloudevents
 * protos and testdata; firebase-functions 7.4 src/v2, firebase-functions-test 3.5 (2026-11). */
#include "provider_int.h"

static const struct proof *const proofs[] = {
	&proof_google_oidc, &proof_x_signature, &proof_x_webhook_signature, &proof_x_hub_signature,
	NULL
};

static const struct setting settings[] = {
	GOOGLE_OIDC_SETTINGS,
	{ 0 }
};

/* ---- one object, however it came ------------------------------------------------------------ */

static bool is_event(const struct json *j)
{
	bool typed = json_get(j, "type") || json_get(j, "alerttype") || json_get(j, "alertType");

	return cloudevents_shape(j) || (typed && json_get(j, "data"));
}

static const struct json *bare(struct arena *a, const struct json *data)
{
	struct json *event = json_new(a, JSON_OBJECT);

	if (data)
		json_share(a, event, STR("data"), data);
	return event;
}

#define ATTRIBUTES_MAX 100	/* of a message in Pub/Sub; our list is walked along at each */

/* Attributes of a message are those of the event, "ce-" in front. */
static const struct json *of_message(struct arena *a, const struct json *message)
{
	const struct json *attributes = json_get(message, "attributes");
	const struct json *data = json_get(message, "data");
	struct json *event;

	if (is_event(data))
		return data;
	event = (struct json *)bare(a, data);
	for (const struct json *x = attributes ? attributes->first : NULL;
			x && event->count < ATTRIBUTES_MAX; x = x->next)
		if (str_starts(x->name, "ce-"))
			json_share(a, event, str_sub(x->name, strlen("ce-")), x);
	if (!json_get(event, "id") && json_get(message, "messageId"))
		json_share(a, event, STR("id"), json_get(message, "messageId"));
	return event;
}

static const struct json *event_of(struct arena *a, const struct inbound *in,
	const struct json *body)
{
	if (is_event(body))
		return body;
	return pubsub_declared(in) ? of_message(a, pubsub_message(a, in)) : bare(a, body);
}

static const struct json *unfold(struct arena *a, const struct inbound *in)
{
	struct json *list;

	if (json_is(in->doc, JSON_ARRAY))
		return in->doc;		/* a batch of CloudEvents */
	list = json_new(a, JSON_ARRAY);
	json_share(a, list, STR_NONE, event_of(a, in, in->doc));
	return list;
}

/* ---- what it is ----------------------------------------------------------------------------- */

#define ALERTS "google.firebase.firebasealerts."

/* Payloads of alerts whose attribute got lost, by the end of their "@type". */
static const struct {
	const char *payload, *alert;
} payloads[] = {
	{ ".CrashlyticsNewFatalIssuePayload", "crashlytics.newFatalIssue" },
	{ ".CrashlyticsNewNonfatalIssuePayload", "crashlytics.newNonfatalIssue" },
	{ ".CrashlyticsNewAnrIssuePayload", "crashlytics.newAnrIssue" },
	{ ".CrashlyticsRegressionAlertPayload", "crashlytics.regression" },
	{ ".CrashlyticsStabilityDigestPayload", "crashlytics.stabilityDigest" },
	{ ".CrashlyticsVelocityAlertPayload", "crashlytics.velocity" },
	{ ".FireperfThresholdAlertPayload", "performance.threshold" },
	{ ".AppDistroNewTesterIosDevicePayload", "appDistribution.newTesterIosDevice" },
	{ ".AppDistroInAppFeedbackPayload", "appDistribution.inAppFeedback" },
	{ ".BillingPlanUpdatePayload", "billing.planUpdate" },
	{ ".BillingPlanAutomatedUpdatePayload", "billing.planAutomatedUpdate" },
};

static struct str alert_of(struct arena *a, const struct where *w)
{
	struct str word = expr_eval(a, "/alerttype|/alertType", w);
	struct str type = expr_eval(a, "/type", w);
	struct str payload = expr_eval(a, "/data/payload/@type", w);

	if (word.n || (type.n && !str_starts(type, ALERTS)))
		return word;
	for (size_t i = 0; i < ARRAY_SIZE(payloads); i++)
		if (str_ends(payload, payloads[i].payload))
			return str_of(payloads[i].alert);
	return expr_eval(a, "{/data/payload/eventName}{/data/payload/metricType}", w).n ?
		STR("performance.threshold") : STR_NONE;
}

/* The rest of CloudEvents' types, by how they begin: what comes behind it is version and verb. */
static const struct {
	const char *begin, *kind;
} kinds[] = {
	{ "google.cloud.firestore.document.", "document" },
	{ "google.cloud.storage.object.", "object" },
	{ "google.firebase.auth.user.", "user" },
	{ "google.firebase.database.ref.", "ref" },
	{ "google.firebase.remoteconfig.", "remote_config" },
	{ "google.firebase.testlab.", "test_matrix" },
};

static struct str kind_of(struct str type)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_starts(type, kinds[i].begin))
			return str_of(kinds[i].kind);
	return STR_NONE;
}

#define DOCUMENT "/document|/subject|/data/value/name|/data/oldValue/name"

/* The path of a document: of "documents/a/b", of "projects/x/databases/(default)/documents/a/b". */
static struct str below_documents(struct str name)
{
	const char *at = name.n ? memmem(name.p, name.n, "documents/", strlen("documents/")) : NULL;

	if (!at || (at > name.p && at[-1] != '/'))
		return name;
	return str_sub(name, (size_t)(at - name.p) + strlen("documents/"));
}

/* Without what stands in front of it in a subject: "objects/a/b.png". */
static struct str below_first(struct str subject)
{
	return str_sub(subject, (size_t)(str_find(subject, '/') + 1));
}

static struct str with_scheme(struct arena *a, struct str uri)
{
	if (!uri.n || str_starts(uri, "http://") || str_starts(uri, "https://"))
		return uri;
	return arena_printf(a, "https://%.*s", STR_ARG(uri));
}

static struct str own(struct arena *a, struct str name, const struct where *w)
{
	if (str_eqs(name, "alert"))
		return alert_of(a, w);
	if (str_eqs(name, "ended"))
		return expr_eval(a, "/data/endTime", w).n ? alert_of(a, w) : STR_NONE;
	if (str_eqs(name, "kind"))
		return kind_of(expr_eval(a, "/type", w));
	if (str_eqs(name, "document"))
		return below_documents(expr_eval(a, DOCUMENT, w));
	if (str_eqs(name, "subject"))
		return below_first(expr_eval(a, "/subject", w));
	if (str_eqs(name, "investigate"))
		return with_scheme(a, expr_eval(a, "/data/payload/investigateUri", w));
	return STR_NONE;
}

/* ---- words ---------------------------------------------------------------------------------- */

static const struct word alert_actions[] = {
	{ "crashlytics.newFatalIssue", ACTION_TRIGGER },
	{ "crashlytics.newAnrIssue", ACTION_TRIGGER },
	{ "crashlytics.regression", ACTION_TRIGGER },
	{ "crashlytics.velocity", ACTION_TRIGGER },
	{ "performance.threshold", ACTION_TRIGGER },
	{ 0 }
};

static const struct word ended_actions[] = { { "performance.threshold", ACTION_RESOLVE }, { 0 } };

static const struct word alert_severities[] = {
	{ "crashlytics.newFatalIssue", SEVERITY_ERROR },
	{ "crashlytics.newAnrIssue", SEVERITY_ERROR },
	{ "crashlytics.newNonfatalIssue", SEVERITY_WARNING },
	{ "crashlytics.regression", SEVERITY_ERROR },
	{ "crashlytics.velocity", SEVERITY_CRITICAL },
	{ "performance.threshold", SEVERITY_WARNING },
	{ 0 }
};

/* ---- rows ----------------------------------------------------------------------------------- */

#define PAYLOAD "/data/payload"
#define PROJECT "&projects/source"
#define KEY(type, id) "{" PROJECT "|'-'}:{/appid|/appId|'-'}:" type ":{" id "}"
#define ENTITY(type, id) \
	{ EV_ENTITY_TYPE, "'" type "'" }, \
	{ EV_ENTITY_ID, id }, \
	{ EV_DEDUP_KEY, KEY(type, id) }
#define ALERT_ROWS \
	{ EV_ACTION, "!ended", WORD, ended_actions }, \
	{ EV_ACTION, "!alert", WORD, alert_actions }, \
	{ EV_EVENT_TYPE, "!alert" }, \
	{ EV_SEVERITY, "!alert", WORD, alert_severities, ON_ALL }, \
	{ EV_NATIVE_SEVERITY, "!alert" }, \
	{ EV_OCCURRED, "/data/endTime", TIME, .only = ON_RESOLVE }, \
	{ EV_OCCURRED, "/data/createTime", TIME }

static const struct map crash[] = {
	ALERT_ROWS,
	ENTITY("crashlytics_issue", PAYLOAD "/issue/id"),
	{ EV_SUMMARY, "{" PAYLOAD "/issue/title}[ - {" PAYLOAD "/issue/subtitle}]"
		"[ ({" PAYLOAD "/issue/appVersion})][: {" PAYLOAD "/crashCount} crashes]"
		"[, {" PAYLOAD "/crashPercentage} %]" },
	{ EV_DETAILS, PAYLOAD "/issue" },
	{ EV_DETAILS, PAYLOAD "/crashCount" },
	{ EV_DETAILS, PAYLOAD "/crashPercentage" },
	{ EV_DETAILS, PAYLOAD "/firstVersion" },
	{ EV_DETAILS, PAYLOAD "/resolveTime" },
	{ EV_END }
};

static const struct map performance[] = {
	ALERT_ROWS,
	ENTITY("performance_trace", PAYLOAD "/eventName"),
	{ EV_SUMMARY, "{" PAYLOAD "/eventName} {" PAYLOAD "/metricType}"
		"[ {" PAYLOAD "/violationValue}][ {" PAYLOAD "/violationUnit}]"
		"[ > {" PAYLOAD "/thresholdValue}]" },
	{ EV_LINK, "!investigate" },
	{ EV_DETAILS, PAYLOAD "/eventType" },
	{ EV_DETAILS, PAYLOAD "/numSamples" },
	{ EV_DETAILS, PAYLOAD "/conditionPercentile" },
	{ EV_DETAILS, PAYLOAD "/appVersion" },
	{ EV_END }
};

static const struct map tester[] = {
	ALERT_ROWS,
	ENTITY("tester", PAYLOAD "/testerEmail"),
	{ EV_SUMMARY, "New device of {" PAYLOAD "/testerName|" PAYLOAD "/testerEmail}"
		"[: {" PAYLOAD "/testerDeviceModelName}]" },
	{ EV_END }
};

static const struct map feedback[] = {
	ALERT_ROWS,
	ENTITY("feedback", PAYLOAD "/feedbackReport"),
	{ EV_SUMMARY, "Feedback[ of {" PAYLOAD "/testerName|" PAYLOAD "/testerEmail}]"
		"[: {" PAYLOAD "/text}]" },
	{ EV_LINK, PAYLOAD "/feedbackConsoleUri" },
	{ EV_DETAILS, PAYLOAD "/appVersion" },
	{ EV_END }
};

/* Digests, plans, and alerts of kinds to come. */
static const struct map of_project[] = {
	ALERT_ROWS,
	ENTITY("project", "~/source"),
	{ EV_SUMMARY, "{!alert}[: {" PAYLOAD "/billingPlan}][ ({" PAYLOAD "/notificationType})]"
		"[ of project {" PROJECT "}]" },
	{ EV_DETAILS, PAYLOAD },
	{ EV_END }
};

#define CHANGE(name, type, id) \
	static const struct map name[] = { \
		{ EV_EVENT_TYPE, "/type" }, \
		ENTITY(type, id), \
		{ EV_SUMMARY, "{/type} " type "[ {" id "}]" }, \
		{ EV_END } \
	}

CHANGE(document, "document", "!document");
CHANGE(object, "object", "/data/name|!subject");
CHANGE(user, "user", "/data/uid|!subject");
CHANGE(reference, "ref", "/ref|!subject");
CHANGE(remote_config, "remote_config", "/data/versionNumber");
CHANGE(test_matrix, "test_matrix", "/data/testMatrixId|!subject");

/* Posted by the owner's own code for a message that it sent. */
static const struct map push[] = {
	{ EV_EVENT_ID, "{/data/messageId}:{/data/status}", DERIVED },
	{ EV_EVENT_TYPE, "push.{/data/status}", LOWER },
	{ EV_ENTITY_TYPE, "'push'" },
	{ EV_ENTITY_ID, "/data/messageId" },
	{ EV_SUMMARY, "Push message {/data/messageId}: {/data/status}[ ({/data/error})]" },
	{ EV_OCCURRED, "/data/timestamp", TIME },
	{ EV_OCCURRED, "/data/timestamp", EPOCH },
	{ EV_DETAILS, "/data/error" },
	{ EV_END }
};

#define WORDS(...) (const char *const[]){ __VA_ARGS__, NULL }

static const struct variant variants[] = {
	{ "!alert", WORDS("crashlytics.newFatalIssue", "crashlytics.newNonfatalIssue",
		"crashlytics.newAnrIssue", "crashlytics.regression", "crashlytics.velocity"),
		crash },
	{ "!alert", WORDS("performance.threshold"), performance },
	{ "!alert", WORDS("appDistribution.newTesterIosDevice"), tester },
	{ "!alert", WORDS("appDistribution.inAppFeedback"), feedback },
	{ "!alert", NULL, of_project },
	{ "!kind", WORDS("document"), document },
	{ "!kind", WORDS("object"), object },
	{ "!kind", WORDS("user"), user },
	{ "!kind", WORDS("ref"), reference },
	{ "!kind", WORDS("remote_config"), remote_config },
	{ "!kind", WORDS("test_matrix"), test_matrix },
	{ "{/data/messageId}{/data/status}", NULL, push },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_EVENT_ID, "/id", NATIVE },
	{ EV_EVENT_TYPE, "/type" },
	{ EV_SOURCE, "/source" },
	{ EV_SERVICE, "/appid|/appId" },
	{ EV_OCCURRED, "/time", TIME },
	{ EV_SUMMARY, "{/type}[ {/subject}]" },
	{ EV_DETAILS, "/subject" },
	{ EV_END }
};

/* An alert must say of what: else all of its kind would be one. */
static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	if (!ev->event_type.n)
		ev->invalid = "type";
	else if (ev->action != ACTION_IGNORE && !ev->entity_id.n)
		ev->invalid = str_eqs(ev->entity_type, "performance_trace") ? "eventName" : "issue";
	return !ev->invalid;
}

static bool handshake(const struct provider *p, struct arena *a, const struct inbound *in,
	struct answer *answer)
{
	if (!str_eqs(in->method, "OPTIONS"))
		return false;
	cloudevents_consent(a, in, answer);
	return true;
}

/* ---- setting it up, and trying it ----------------------------------------------------------- */

static const char *const masked[] = { "token", "firebaseStorageDownloadTokens", NULL };

static const struct step steps[] = {
	{ "In the Google Cloud console create a Pub/Sub topic and a subscription of it. Delivery "
		"type Push, endpoint URL:", "{url}" },
	{ "Enable authentication there with a service account, leave the audience empty, and enter "
		"the e-mail address of that account here, under Settings, as Service account.",
		NULL },
	{ "Firebase Alerts: deploy a function with onAlertPublished (firebase-functions/alerts) "
		"that publishes the event to that topic, with its attributes named ce-id, ce-type, "
		"ce-source, ce-time, ce-alerttype and ce-appid. Or use Eventarc Advanced with this "
		"address as its HTTP endpoint.", NULL },
	{ "Other code of yours posts to the address with this key, or signs the body with the "
		"signature secret (X-Signature, HMAC-SHA256 in hex):",
		"Authorization: Bearer {key}" },
	{ 0 }
};

static const struct sample sample = {
	.headers = { { "ce-specversion", "1.0" }, { "ce-id", "7e570000-0000-4000-8000-$nonce" },
		{ "ce-type", ALERTS "alerts.v1.published" },
		{ "ce-source", "//firebasealerts.googleapis.com/projects/42" },
		{ "ce-time", "$time" }, { "ce-alerttype", "crashlytics.velocity" } },
	.body = "{'createTime':'$time','payload':{"
		"'@type':'type.googleapis.com/google.events.firebase.firebasealerts.v1."
		"CrashlyticsVelocityAlertPayload',"
		"'issue':{'id':'7e57$nonce',"
		"'title':'[Firebase] Test Alert - CartActivity.onCreate',"
		"'subtitle':'sent by Grapnel to try this integration','appVersion':'4.2.1 (421)'},"
		"'createTime':'$time','crashCount':312,'crashPercentage':2.7,"
		"'firstVersion':'4.2.0 (420)'}}",
};

const struct provider provider_firebase = {
	.slug = "firebase",
	.title = "Firebase",
	.group = GROUP_DEVELOPMENT,
	.about = "Crashes and slow traces that Firebase alerts about; changes in Firestore, "
		"Storage, Auth and Remote Config.",
	.signs = "A token that Google signs for your service account (RS256, OIDC), on push "
		"requests of Pub/Sub and Eventarc. Your own code uses the key, or HMAC-SHA256 of the body "
		"in X-Signature.",
	.on_error = "Eventarc and Pub/Sub repeat with growing gaps for a day or longer.",
	.settings = settings,
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST | METHOD_OPTIONS,
	.bodies = BODY_JSON | BODY_CLOUDEVENTS,
	.flags = ANSWER_RECEIVED | SECRET_OPTIONAL,
	.actions = DO_RECORD,
	.masked = masked,
	.proofs = proofs,
	.unfold = unfold,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_ERROR,
	.own = own,
	.adjust = adjust,
	.handshake = handshake,
};
