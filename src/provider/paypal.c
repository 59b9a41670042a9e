/* PayPal: payments, disputes, subscriptions, payouts. One event per request, its object in
 * `resource`.
 *
 * Proven in one of two ways. By certificate: PayPal signs with RSA over transmission id and time,
 * the id of one's own webhook and the CRC-32 of the body, and names the URL of its certificate in
 * a header; the webhook id comes from us (the source's secret), or anybody could have events of
 * his own webhook pass. By asking PayPal (postback), with the credentials of a REST app: for hosts
 * that cannot check certificates, and costs a question for each event.
 *
 * A source records by default; which types mean trouble stands here for owners that want alerts.
 * The simulator uses one id for many types, so the type is part of the event id. PayPal repeats
 * for three days, hence the age that is allowed. Sources: PayPal-Python-SDK notifications.py,
 * PayPal-Java-SDK SSLUtil.java, paypal-rest-api-specifications notifications_webhooks_v1.json;
 * samples of dj-paypal and hookdeck/webhook-samples. */
#include <openssl/evp.h>
#include <zlib.h>

#include "provider_int.h"

#define PAST_MAX_S (3 * 24 * 3600 + 300)
#define AHEAD_MAX_S 300
#define QUESTION_MAX (2 * 1024 * 1024)	/* the largest body and what stands around it */

static const char *const paypal_hosts[] = {
	"api.paypal.com", "api.sandbox.paypal.com", "api-m.paypal.com",
	"api-m.sandbox.paypal.com", NULL
};

static const struct certificate_rule certificate = {
	.hosts = paypal_hosts,
	.path = "/v1/notifications/certs/*",
	.names = (const char *const[]){
		"messageverificationcerts.paypal.com", "messageverificationcerts.*.paypal.com", NULL
	},
	.issued = true,
};

/* ---- the transmission ------------------------------------------------------------------------ */

struct transmission {
	struct str id, time, signature, url, algorithm;
};

static bool read_header(const struct proof_input *in, const char *name, struct str *out,
	struct proof_report *r)
{
	*out = inbound_header(in->in, name);
	return out->n || proof_failed(r, "header", "%s is not there.", name);
}

static bool in_time(const struct transmission *t, ms_t now, struct proof_report *r)
{
	ms_t at;

	if (!time_parse(t->time, &at))
		return proof_failed(r, "timestamp", "The transmission time is no time.");
	return proof_in_time(r, (now - at) / MS_PER_SECOND, PAST_MAX_S, AHEAD_MAX_S);
}

/* What both ways look at before anything is fetched or asked. */
static bool read_transmission(const struct proof_input *in, struct transmission *t,
	struct proof_report *r)
{
	if (!read_header(in, "paypal-transmission-id", &t->id, r) ||
			!read_header(in, "paypal-transmission-time", &t->time, r) ||
			!read_header(in, "paypal-transmission-sig", &t->signature, r) ||
			!read_header(in, "paypal-cert-url", &t->url, r) ||
			!read_header(in, "paypal-auth-algo", &t->algorithm, r))
		return false;
	if (!str_ieqs(t->algorithm, "SHA256withRSA"))
		return proof_failed(r, "algorithm", "PAYPAL-AUTH-ALGO is not SHA256withRSA.");
	if (!in_time(t, in->in->now, r))
		return false;
	return in->secret_n || proof_failed(r, "secret", "The integration has no webhook ID.");
}

#define TRANSMISSION_STAGES \
	{ "header", "The five headers of a transmission are there." }, \
	{ "algorithm", "It is signed by RSA with SHA-256." }, \
	{ "timestamp", "It was sent in the last three days." }, \
	{ "secret", "The integration has a webhook ID." }

/* ---- by certificate -------------------------------------------------------------------------- */

static bool signature_fits(const struct proof_input *in, const struct transmission *t,
	EVP_PKEY *key, struct proof_report *r)
{
	unsigned long crc = crc32(0, (const Bytef *)in->in->body.p, (uInt)in->in->body.n);
	struct str signature;

	if (!base64_decode(in->arena, t->signature, false, &signature))
		return proof_failed(r, "digest", "The signature is no base64.");
	for (size_t i = 0; i < in->secret_n; i++) {
		struct str text = arena_printf(in->arena, "%.*s|%.*s|%.*s|%lu", STR_ARG(t->id),
			STR_ARG(t->time), STR_ARG(in->secrets[i]), crc);

		if (!rsa_signed(key, DIGEST_SHA256, text, signature))
			continue;
		r->secret = (int)i;
		return true;
	}
	return proof_failed(r, "digest",
		"The signature does not fit: another webhook ID, or the body was changed on "
		"its way.");
}

static enum verdict verify(const struct proof *p, const struct proof_input *in,
	struct proof_report *r)
{
	struct transmission t;
	EVP_PKEY *key;
	enum verdict v;

	if (!read_transmission(in, &t, r))
		return NOT_PROVEN;
	v = certificate_key(&certificate, in, t.url, r, &key);
	if (v == PROVEN && !signature_fits(in, &t, key, r))
		v = NOT_PROVEN;
	EVP_PKEY_free(key);
	return v;
}

static const struct proof_stage certificate_stages[] = {
	TRANSMISSION_STAGES,
	CERTIFICATE_STAGES,
	{ "digest", "The signature fits." },
	{ 0 }
};

static const struct proof by_certificate = {
	.name = "paypal-cert",
	.header = "paypal-transmission-sig",
	.allowed_by = "!postback",
	.verify = verify,
	.steps = certificate_stages,
};

/* ---- by asking PayPal ------------------------------------------------------------------------ */

struct credentials {
	struct str id, secret;
};

static bool read_credentials(const struct proof_input *in, struct credentials *c,
	struct proof_report *r)
{
	c->id = json_text(json_get(in->in->settings, "clientId"));
	c->secret = json_text(json_get(in->in->settings, "clientSecret"));
	return (c->id.n && c->secret.n) ||
		proof_failed(r, "credentials",
			"The integration has no client ID and secret of a REST app.");
}

/* It goes into the question as it came, byte for byte. */
static bool is_object(const struct proof_input *in, struct proof_report *r)
{
	const struct json *doc;
	struct err e = { 0 };

	return (json_parse(in->arena, in->in->body, &doc, &e) && json_is(doc, JSON_OBJECT) &&
		str_starts(str_trim(in->in->body), "{")) ||
		proof_failed(r, "body", "The body is no JSON object.");
}

static struct str question(const struct proof_input *in, const struct transmission *t,
	struct str webhook)
{
	const struct {
		const char *name;
		struct str value;
	} members[] = {
		{ "auth_algo", t->algorithm }, { "cert_url", t->url }, { "transmission_id", t->id },
		{ "transmission_sig", t->signature }, { "transmission_time", t->time },
		{ "webhook_id", webhook },
	};
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, in->arena, QUESTION_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_key(&o, members[i].name);
		json_str(&o, members[i].value);
	}
	json_key(&o, "webhook_event");
	json_raw(&o, in->in->body);
	json_close(&o, '}');
	return strbuf_str(&b);
}

/* The certificate's host tells whether it is the sandbox that sent it. */
static const char *api_of(struct str url)
{
	static const char *const sandbox[] = { "*.sandbox.paypal.com", NULL };
	struct https_url u;

	return https_url_parse(url, &u) && host_is_one_of(u.host, sandbox) ?
		"https://api-m.sandbox.paypal.com" : "https://api-m.paypal.com";
}

/* "SUCCESS", "FAILURE", or empty where there is no such answer. */
static struct str verification(const struct proof_input *in, const struct transmission *t,
	const struct credentials *c, struct str webhook)
{
	const char *api = api_of(t->url);
	const struct key_question q = {
		.token_url = arena_printf(in->arena, "%s/v1/oauth2/token", api),
		.client_id = c->id, .client_secret = c->secret,
		.url = arena_printf(in->arena, "%s/v1/notifications/verify-webhook-signature", api),
		.body = question(in, t, webhook),
	};
	const struct json *doc;
	struct err e = { 0 };
	struct str answer;

	if (!in->keys || !in->keys->ask || in->keys->ask(in->keys, &q, &answer) != 1 ||
			!json_parse(in->arena, arena_str(in->arena, answer), &doc, &e))
		return STR_NONE;
	return json_text(json_get(doc, "verification_status"));
}

static enum verdict postback(const struct proof *p, const struct proof_input *in,
	struct proof_report *r)
{
	struct transmission t;
	struct credentials c;

	if (!read_transmission(in, &t, r) || !read_credentials(in, &c, r) || !is_object(in, r) ||
			!certificate_url_fits(&certificate, t.url, r))
		return NOT_PROVEN;
	for (size_t i = 0; i < in->secret_n; i++) {
		struct str status = verification(in, &t, &c, in->secrets[i]);

		if (str_eqs(status, "SUCCESS")) {
			r->secret = (int)i;
			return PROVEN;
		}
		if (!str_eqs(status, "FAILURE")) {
			proof_failed(r, "answer", "PayPal could not be asked, or did not say.");
			return PROOF_UNAVAILABLE;
		}
	}
	proof_failed(r, "answer", "PayPal says that this is not its own: another webhook ID, or "
		"the body was changed on its way.");
	return NOT_PROVEN;
}

static const struct proof_stage postback_stages[] = {
	TRANSMISSION_STAGES,
	{ "credentials", "The integration has the credentials of a REST app." },
	{ "body", "The body is a JSON object." },
	{ "certificate-url", "The certificate's URL is one of PayPal's." },
	{ "answer", "PayPal says that this is its own." },
	{ 0 }
};

static const struct proof by_postback = {
	.name = "paypal-postback",
	.header = "paypal-transmission-sig",
	.allowed_by = "postback",
	.verify = postback,
	.steps = postback_stages,
};

static const struct proof *const proofs[] = { &by_certificate, &by_postback, NULL };

/* ---- rows ------------------------------------------------------------------------------------ */

static const struct word actions[] = {
	{ "BILLING.SUBSCRIPTION.ACTIVATED", ACTION_RESOLVE },
	{ "BILLING.SUBSCRIPTION.PAYMENT.FAILED", ACTION_TRIGGER },
	{ "BILLING.SUBSCRIPTION.RE-ACTIVATED", ACTION_RESOLVE },
	{ "BILLING.SUBSCRIPTION.SUSPENDED", ACTION_TRIGGER },
	{ "CUSTOMER.DISPUTE.CREATED", ACTION_TRIGGER },
	{ "CUSTOMER.DISPUTE.RESOLVED", ACTION_RESOLVE },
	{ "IDENTITY.AUTHORIZATION-CONSENT.REVOKED", ACTION_TRIGGER },
	{ "PAYMENT.CAPTURE.COMPLETED", ACTION_RESOLVE },
	{ "PAYMENT.CAPTURE.DENIED", ACTION_TRIGGER },
	{ "PAYMENT.CAPTURE.REVERSED", ACTION_TRIGGER },
	{ "PAYMENT.PAYOUTS-ITEM.BLOCKED", ACTION_TRIGGER },
	{ "PAYMENT.PAYOUTS-ITEM.DENIED", ACTION_TRIGGER },
	{ "PAYMENT.PAYOUTS-ITEM.FAILED", ACTION_TRIGGER },
	{ "PAYMENT.PAYOUTSBATCH.DENIED", ACTION_TRIGGER },
	{ "PAYMENT.SALE.COMPLETED", ACTION_RESOLVE },
	{ "PAYMENT.SALE.DENIED", ACTION_TRIGGER },
	{ "PAYMENT.SALE.REVERSED", ACTION_TRIGGER },
	{ "RISK.DISPUTE.CREATED", ACTION_TRIGGER },
	{ 0 }
};

/* One word of the type, which has three or four. */
static const struct word severities[] = {
	{ "CHARGEBACK", SEVERITY_CRITICAL },
	{ "DISPUTE", SEVERITY_CRITICAL },
	{ "REVERSED", SEVERITY_CRITICAL },
	{ "DENIED", SEVERITY_ERROR },
	{ "FAILED", SEVERITY_ERROR },
	{ "SUSPENDED", SEVERITY_ERROR },
	{ "HELD", SEVERITY_WARNING },
	{ "PENDING", SEVERITY_WARNING },
	{ "UNCLAIMED", SEVERITY_WARNING },
	{ 0 }
};

#define R "/resource"
#define AMOUNT "{" R "/amount/total|" R "/amount/value|" R "/dispute_amount/value} " \
	"{" R "/amount/currency|" R "/amount/currency_code|" R "/dispute_amount/currency_code}"

static const struct map fields[] = {
	{ EV_ACTION, "/event_type", WORD, actions },
	{ EV_EVENT_ID, "{/id}:{/event_type}", NATIVE },
	{ EV_EVENT_TYPE, "/event_type" },
	{ EV_ENTITY_TYPE, "/resource_type", LOWER },
	{ EV_ENTITY_ID, R "/id|" R "/dispute_id|" R "/payout_item_id|"
		R "/batch_header/payout_batch_id|" R "/invoice/id|" R "/merchant_id|"
		R "/payer_id" },
	{ EV_NATIVE_SEVERITY, "/event_type" },
	{ EV_SUMMARY, "/summary" },
	{ EV_SUMMARY, "{/event_type}[ " AMOUNT "]" },
	{ EV_DESCRIPTION, R "/reason|" R "/reason_code|" R "/status_change_note" },
	{ EV_OCCURRED, "/create_time", TIME },
	{ EV_OCCURRED, "/create_time", EPOCH },
	{ EV_DETAILS, R "/amount" },
	{ EV_DETAILS, R "/dispute_amount" },
	{ EV_DETAILS, R "/state" },
	{ EV_DETAILS, R "/status" },
	{ EV_DETAILS, R "/reason_code" },
	{ EV_DETAILS, R "/parent_payment" },
	{ EV_DETAILS, R "/invoice_number" },
	{ EV_END }
};

/* ---- what rows cannot say -------------------------------------------------------------------- */

static enum severity severity_of(struct str type)
{
	enum severity worst = SEVERITY_INFO;

	while (type.n) {
		struct str word = str_until(&type, '.');

		for (const struct word *w = severities; w->word; w++)
			if (str_ieqs(word, w->word) && (enum severity)w->value > worst)
				worst = w->value;
	}
	return worst;
}

/* The object itself, at PayPal's API. */
static void add_link(const struct json *links, struct event *ev)
{
	const struct json *first = json_is(links, JSON_ARRAY) ? links->first : NULL;

	for (const struct json *x = first; x; x = x->next)
		if (str_eqs(json_text(json_get(x, "rel")), "self"))
			event_link(ev, json_text(json_get(x, "href")), STR_NONE);
}

/* Payments of a subscription end the trouble of the subscription, which older bodies call an
 * agreement. */
static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	struct str subscription = expr_eval(a, R "/billing_agreement_id", w), type;

	if (!ev->event_type.n) {
		ev->invalid = "event_type";
		return false;
	}
	if (str_ieqs(ev->event_type, "PAYMENT.SALE.COMPLETED") && subscription.n) {
		ev->entity_type = STR("subscription");
		ev->entity_id = subscription;
	}
	type = str_eqs(ev->entity_type, "agreement") ? STR("subscription") : ev->entity_type;
	if (type.n && ev->entity_id.n)
		ev->dedup_key = arena_printf(a, "%.*s:%.*s", STR_ARG(type), STR_ARG(ev->entity_id));
	ev->severity = severity_of(ev->event_type);
	add_link(json_at(w->element, STR(R "/links")), ev);
	return true;
}

/* ---- setting it up, and trying it ------------------------------------------------------------ */

static const char *const masked[] = { "refresh_token", "access_token", NULL };

static const struct setting settings[] = {
	{ "postback", SETTING_FLAG, "Ask PayPal about each event",
		"Instead of checking the signature here; for hosts that may not fetch "
		"certificates. Needs the credentials of the REST app." },
	{ "clientId", SETTING_TEXT, "Client ID", "Of the REST app that the webhook belongs to." },
	{ "clientSecret", SETTING_SECRET, "Client secret", "Of the same app." },
	{ 0 }
};

static const struct step steps[] = {
	{ "In the PayPal Developer Dashboard open Apps & Credentials, your REST app, and "
		"Add Webhook.", NULL },
	{ "Webhook URL:", "{url}" },
	{ "Event types: choose All events, or those you need; disputes, denied and reversed "
		"payments report trouble.", NULL },
	{ "Save it, copy the Webhook ID that PayPal shows, and enter it here as the "
		"signature secret.", NULL },
	{ "Events of PayPal's simulator are signed with the literal ID WEBHOOK_ID: to try it, an "
		"integration of its own can have that as its secret.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.headers = {
		{ "user-agent", "PayPal/AUHD-214.0" },
		{ "paypal-transmission-id", "7e570000-0000-11f0-8000-$nonce" },
		{ "paypal-auth-algo", "SHA256withRSA" },
	},
	.body = "{'id':'WH-TEST-$nonce','event_version':'1.0','create_time':'$time',"
		"'resource_type':'capture','resource_version':'2.0',"
		"'event_type':'PAYMENT.CAPTURE.DENIED',"
		"'summary':'[PayPal] Test Alert - A $ 20.00 USD capture payment was denied',"
		"'resource':{'id':'TEST$nonce','status':'DECLINED',"
		"'amount':{'currency_code':'USD','value':'20.00'},'create_time':'$time',"
		"'update_time':'$time',"
		"'links':[{'href':'https://api.paypal.com/v2/payments/captures/TEST$nonce',"
		"'rel':'self','method':'GET'}]}}",
};

const struct provider provider_paypal = {
	.slug = "paypal",
	.title = "PayPal",
	.group = GROUP_PAYMENT,
	.about = "Payments, disputes, subscriptions, payouts and all else that PayPal reports.",
	.signs = "RSA signature by PayPal's certificate, over the body and the ID of your webhook. "
		"Instead, PayPal can be asked about each event.",
	.on_error = "PayPal repeats what was not answered with 2xx up to 25 times within three "
		"days; then it can be sent again by hand.",
	.settings = settings,
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON,
	.flags = PAYMENT | SECRET_THEIRS,
	.actions = DO_RECORD,
	.masked = masked,
	.proofs = proofs,
	.fields = fields,
	.severity_trigger = SEVERITY_INFO,
	.adjust = adjust,
};
