/* Stripe: payments. Two shapes, the snapshot ("object": "event", the whole object inside) and the
 * thin v2 event ("v2.core.event", a reference only), either of them perhaps wrapped by Amazon
 * EventBridge or Azure Event Grid.
 *
 * A source records by default; which types mean trouble stands here for owners that want alerts.
 * Test mode never pages unless settings say "alertTestMode": true. `created` has whole seconds, so
 * it orders nothing within one. Sources: stripe-node 23.1.0 Webhooks.ts and its tests;
 * docs.stripe.com/currencies for the minor units. */
#include <inttypes.h>

#include "provider_int.h"

static const struct proof signature = {
	.name = "stripe-v1",
	.header = "stripe-signature",
	.encoding = ENC_HEX,
	.digest = DIGEST_SHA256,
	.secret_form = SECRET_TEXT,	/* "whsec_" is part of the key, unlike Standard Webhooks */
	.list = ',',
	.list_assign = '=',
	.list_name = "v1",		/* v0 comes along in test mode and never counts */
	.parts = { "$t", "'.'", "$body" },
	.time = "$t",
	.tolerance_s = 300,
};

static const struct proof *const proofs[] = { &signature, NULL };

static const struct word actions[] = {
	{ "account.application.deauthorized", ACTION_TRIGGER },
	{ "charge.dispute.closed", ACTION_RESOLVE },
	{ "charge.dispute.created", ACTION_TRIGGER },
	{ "charge.failed", ACTION_TRIGGER },
	{ "charge.succeeded", ACTION_RESOLVE },
	{ "invoice.paid", ACTION_RESOLVE },
	{ "invoice.payment_failed", ACTION_TRIGGER },
	{ "invoice.payment_succeeded", ACTION_RESOLVE },
	{ "payment_intent.payment_failed", ACTION_TRIGGER },
	{ "payment_intent.succeeded", ACTION_RESOLVE },
	{ "payout.failed", ACTION_TRIGGER },
	{ "payout.paid", ACTION_RESOLVE },
	{ "radar.early_fraud_warning.created", ACTION_TRIGGER },
	{ "transfer.failed", ACTION_TRIGGER },
	{ "v1.billing.meter.error_report_triggered", ACTION_TRIGGER },
	{ 0 }
};

static const struct word severities[] = {
	{ "charge.dispute.closed", SEVERITY_CRITICAL },
	{ "charge.dispute.created", SEVERITY_CRITICAL },
	{ "charge.dispute.funds_reinstated", SEVERITY_CRITICAL },
	{ "charge.dispute.funds_withdrawn", SEVERITY_CRITICAL },
	{ "charge.dispute.updated", SEVERITY_CRITICAL },
	{ "radar.early_fraud_warning.created", SEVERITY_CRITICAL },
	{ "radar.early_fraud_warning.updated", SEVERITY_CRITICAL },
	{ "payout.failed", SEVERITY_CRITICAL },
	{ "charge.failed", SEVERITY_ERROR },
	{ "checkout.session.async_payment_failed", SEVERITY_ERROR },
	{ "invoice.finalization_failed", SEVERITY_ERROR },
	{ "invoice.payment_failed", SEVERITY_ERROR },
	{ "payment_intent.payment_failed", SEVERITY_ERROR },
	{ "setup_intent.setup_failed", SEVERITY_ERROR },
	{ "transfer.failed", SEVERITY_ERROR },
	{ 0 }
};

/* Where the object has no id of its own (invoice.upcoming is a preview; old disputes), what it
 * belongs to stands in. */
static const char *const is_dispute[] = { "dispute", NULL };
static const char *const is_invoice[] = { "invoice", NULL };
static const char *const is_discount[] = { "discount", NULL };

#define OBJECT "/data/object/object"
#define ACCOUNT "/account|/context|'self'"
#define KEY(type, id) "{" ACCOUNT "}:{" type "}:{" id "}"
#define DISPUTE_ID "/data/object/id|/data/object/charge"
#define INVOICE_ID "/data/object/id|/data/object/subscription|/data/object/customer"
#define DISCOUNT_ID "/data/object/id|/data/object/customer"
#define ENTITY_TYPE OBJECT "|/related_object/type"
#define ENTITY_ID "/data/object/id|/related_object/id"

static const struct map dispute[] = {
	{ EV_ENTITY_ID, DISPUTE_ID },
	{ EV_DEDUP_KEY, KEY(OBJECT, DISPUTE_ID) },
	{ EV_END }
};

static const struct map invoice[] = {
	{ EV_ENTITY_ID, INVOICE_ID },
	{ EV_DEDUP_KEY, KEY(OBJECT, INVOICE_ID) },
	{ EV_END }
};

static const struct map discount[] = {
	{ EV_ENTITY_ID, DISCOUNT_ID },
	{ EV_DEDUP_KEY, KEY(OBJECT, DISCOUNT_ID) },
	{ EV_END }
};

static const struct variant variants[] = {
	{ OBJECT, is_dispute, dispute },
	{ OBJECT, is_invoice, invoice },
	{ OBJECT, is_discount, discount },
	{ 0 }
};

static const struct wrap wraps[] = {
	{ "/detail-type", "/detail" },	/* Amazon EventBridge */
	{ "/specversion", "/data" },	/* Azure Event Grid, CloudEvents schema */
	{ 0 }
};

static const struct map fields[] = {
	{ EV_ACTION, "/type", WORD, actions },
	{ EV_EVENT_ID, "/id", NATIVE },
	{ EV_EVENT_TYPE, "/type" },
	{ EV_ENTITY_TYPE, ENTITY_TYPE },
	{ EV_ENTITY_ID, ENTITY_ID },
	{ EV_DEDUP_KEY, KEY(ENTITY_TYPE, ENTITY_ID) },
	{ EV_SEVERITY, "/type", WORD, severities, ON_ALL },
	{ EV_NATIVE_SEVERITY, "/type" },
	{ EV_SOURCE, "/account|/context" },
	{ EV_OCCURRED, "/created", EPOCH },
	{ EV_OCCURRED, "/created", TIME },
	{ EV_DESCRIPTION, "/data/object/failure_message|/data/object/last_payment_error/message" },
	{ EV_LINK, "/data/object/hosted_invoice_url" },
	{ EV_LINK, "/data/object/receipt_url" },
	{ EV_DETAILS, "/data/object/failure_code" },
	{ EV_DETAILS, "/data/object/customer" },
	{ EV_DETAILS, "/data/object/reason" },
	{ EV_DETAILS, "/data/object/status" },
	{ EV_END }
};

/* ---- what rows cannot say: money, and test mode ---------------------------------------------- */

/* Digits behind the point; 2 for all that are not listed. */
static const struct {
	const char *currency;
	unsigned digits;
} minor_units[] = {
	{ "bif", 0 }, { "clp", 0 }, { "djf", 0 }, { "gnf", 0 }, { "jpy", 0 },
	{ "kmf", 0 }, { "krw", 0 }, { "mga", 0 }, { "pyg", 0 }, { "rwf", 0 },
	{ "vnd", 0 }, { "vuv", 0 }, { "xaf", 0 }, { "xof", 0 }, { "xpf", 0 },
	{ "bhd", 3 }, { "jod", 3 }, { "kwd", 3 }, { "omr", 3 }, { "tnd", 3 },
};

static unsigned minor_digits(struct str currency)
{
	for (size_t i = 0; i < ARRAY_SIZE(minor_units); i++)
		if (str_ieqs(currency, minor_units[i].currency))
			return minor_units[i].digits;
	return 2;
}

#define AMOUNT "/data/object/amount|/data/object/amount_due|/data/object/amount_total"

/* " 20.00 usd", or empty where the object has no amount. */
static struct str money(struct arena *a, const struct where *w)
{
	struct str amount = expr_eval(a, AMOUNT, w);
	struct str currency = expr_eval(a, "/data/object/currency", w);
	unsigned digits = minor_digits(currency);
	int64_t n, unit = 1;
	const char *sign;

	if (!str_i64(amount, &n) || n == INT64_MIN || currency.n == 0)
		return STR_NONE;
	sign = n < 0 ? "-" : "";
	n = n < 0 ? -n : n;
	for (unsigned i = 0; i < digits; i++)
		unit *= 10;
	if (digits == 0)
		return arena_printf(a, " %s%" PRId64 " %.*s", sign, n, STR_ARG(currency));
	return arena_printf(a, " %s%" PRId64 ".%0*" PRId64 " %.*s", sign, n / unit, (int)digits,
		n % unit, STR_ARG(currency));
}

static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	bool test = str_eqs(expr_eval(a, "/livemode", w), "false");
	struct str amount = money(a, w), href;

	if (test && !str_eqs(json_text(json_get(w->in->settings, "alertTestMode")), "true"))
		ev->action = ACTION_IGNORE;
	/* A family of types, which a table of whole words cannot name. */
	if (str_ends(ev->event_type, ".expiring") || str_ends(ev->event_type, ".trial_will_end"))
		ev->severity = SEVERITY_WARNING;
	ev->summary = arena_printf(a, "%.*s%s%.*s%.*s", STR_ARG(ev->event_type),
		ev->entity_id.n ? " " : "", STR_ARG(ev->entity_id), STR_ARG(amount));
	if (str_starts(ev->event_id, "evt_")) {
		href = arena_printf(a, "https://dashboard.stripe.com/%sevents/%.*s",
			test ? "test/" : "", STR_ARG(ev->event_id));
		event_link(ev, href, STR_NONE);
	}
	return true;
}

/* ---- setting it up, and trying it ------------------------------------------------------------- */

static const struct setting settings[] = {
	{ "alertTestMode", SETTING_FLAG, "Alert in test mode", "Events of test mode open incidents too." },
	{ 0 }
};

static const struct step steps[] = {
	{ "In the Stripe dashboard open Developers, Webhooks (or Event destinations), Add endpoint.", NULL },
	{ "Endpoint URL:", "{url}" },
	{ "Select events: charge.failed, charge.dispute.*, invoice.payment_failed, "
		"payment_intent.payment_failed and payout.failed report trouble; choose those you need "
		"beside them.", NULL },
	{ "Save it, then reveal its signing secret (it begins with whsec_) and enter it here.", NULL },
	{ "Use Send test webhook in Stripe, or wait for the next event.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.headers = { { "user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)" } },
	.body = "{'id':'evt_test_$nonce','object':'event','api_version':'2024-06-20','created':$seconds,"
		"'type':'charge.failed','livemode':true,'pending_webhooks':1,"
		"'request':{'id':'req_test_$nonce','idempotency_key':null},"
		"'data':{'object':{'id':'ch_test_$nonce','object':'charge','amount':2000,'currency':'usd',"
		"'created':$seconds,'customer':'cus_test_$nonce','failure_code':'card_declined',"
		"'failure_message':'Sent by Grapnel to try this integration; no card was charged.',"
		"'paid':false,'status':'failed'}}}",
};

const struct provider provider_stripe = {
	.slug = "stripe",
	.title = "Stripe",
	.group = GROUP_PAYMENT,
	.about = "Payments, disputes, payouts and all else that Stripe reports.",
	.signs = "HMAC-SHA256 of time and body in Stripe-Signature, with the secret that Stripe shows for the endpoint.",
	.on_error = "In live mode Stripe repeats what was not answered with 2xx for three days, in test mode three times "
		"within hours. A redirect is an error to it.",
	.settings = settings,
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON,
	.flags = PAYMENT | SECRET_THEIRS,
	.actions = DO_RECORD,
	.proofs = proofs,
	.needs = { "/type", "type" },
	.wraps = wraps,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_INFO,
	.adjust = adjust,
};
