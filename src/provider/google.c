/* Google: Pub/Sub push, wrapped or not, with what owners publish there and what Gmail's watch does;
 * and the channels of Drive, Calendar and the Admin SDK, which say in headers that something
 * changed. All of it is change events: nothing alerts.
 *
 * Push requests carry a token that anybody can have from Google for any audience, so that it proves
 * something only where the service account is known, too. Channels are not signed: they repeat the
 * token that was given when the channel was made. Pub/Sub takes 102, 200, 201, 202 and 204 for an
 * acknowledgement and nothing else.
 * Sources: Cloud Pub/Sub "Push subscriptions", "Authenticate push subscriptions";
 * google-auth-library 10.9 oauth2client.js; push guides of Drive, Calendar, Admin SDK and Gmail
 * (2026-11). */
#include "grapnel/crypto.h"
#include "provider_int.h"

/* ---- the token of push requests ------------------------------------------------------------- */

static const char *const algorithms[] = { "RS256", NULL };

/* What prove is given in place of a secret, where it has no settings. */
static struct str account_of(const struct proof_input *in)
{
	struct str account = json_text(json_get(in->in->settings, "serviceAccount"));

	for (size_t i = 0; !account.n && i < in->secret_n; i++)
		if (str_find(in->secrets[i], '@') > 0)
			account = in->secrets[i];
	return account;
}

static struct str audience_of(const struct proof_input *in)
{
	struct str audience = json_text(json_get(in->in->settings, "audience"));

	if (audience.n)
		return audience;
	return arena_printf(in->arena, "%.*s%.*s", STR_ARG(in->in->public_url),
		STR_ARG(in->in->uri));
}

/* Without an account whoever asked Google for a token passes: a source never comes to that, since
 * the scheme hangs on the setting. */
static enum verdict verify_token(const struct proof *p, const struct proof_input *in,
	struct proof_report *r)
{
	struct str issuers[] = { STR("https://accounts.google.com"), STR("accounts.google.com") };
	struct str audience = audience_of(in), account = account_of(in);
	struct jwt_claim claims[] = { { "email", account }, { "email_verified", STR("true") } };
	struct jwt_rule rule = {
		.algorithms = algorithms,
		.issuers = issuers,
		.issuer_n = ARRAY_SIZE(issuers),
		.audiences = &audience,
		.audience_n = 1,
		.keys_url = STR("https://www.googleapis.com/oauth2/v3/certs"),
		.tolerance_s = 300,
		.lifetime_max_s = 86400,
		.claims = claims,
		.claim_n = account.n ? ARRAY_SIZE(claims) : 0,
	};

	return jwt_verify(&rule, in, r);
}

const struct proof proof_google_oidc = {
	.name = "google-oidc",
	.header = "authorization",
	.keyless = "serviceAccount",
	.verify = verify_token,
	.steps = jwt_steps,
};

/* ---- the token of channels ------------------------------------------------------------------ */

static bool is_listed(const struct json *list, struct str value)
{
	for (const struct json *x = list ? list->first : NULL; x; x = x->next)
		if (str_eq(json_text(x), value))
			return true;
	return !list || !list->count;
}

static bool channel_fits(const struct proof_input *in, struct proof_report *r)
{
	const struct json *ours = in->in->settings;
	struct str channel = inbound_header(in->in, "x-goog-channel-id");
	struct str resource = inbound_header(in->in, "x-goog-resource-id");

	if (!is_listed(json_get(ours, "channelIds"), channel))
		return proof_failed(r, "channel",
			"The integration names its channels; this is none of them.");
	if (!is_listed(json_get(ours, "resourceIds"), resource))
		return proof_failed(r, "channel",
			"The integration names its resources; this is none of them.");
	return true;
}

static bool token_fits(const struct proof_input *in, struct proof_report *r)
{
	struct str token = inbound_header(in->in, "x-goog-channel-token");

	if (!in->secret_n)
		return proof_failed(r, "secret", "The integration has no signature secret.");
	if (!token.n)
		return proof_failed(r, "token", "There is no X-Goog-Channel-Token.");
	for (size_t i = 0; i < in->secret_n; i++)
		if (equal_ct(token.p, token.n, in->secrets[i].p, in->secrets[i].n)) {
			r->secret = (int)i;
			return true;
		}
	return proof_failed(r, "token", "X-Goog-Channel-Token is not the integration's secret.");
}

static enum verdict verify_channel(const struct proof *p, const struct proof_input *in,
	struct proof_report *r)
{
	if (!inbound_header(in->in, p->header).n)
		proof_failed(r, "header", "There is no X-Goog-Channel-ID.");
	else if (channel_fits(in, r) && token_fits(in, r))
		return PROVEN;
	return NOT_PROVEN;
}

static struct str first_or(const struct json *list, struct str other)
{
	return list && list->count ? json_text(list->first) : other;
}

/* The sample's channel becomes one that the integration knows. */
static bool sign_channel(const struct proof *p, struct arena *a, struct inbound *in,
	struct str secret)
{
	const struct json *channels = json_get(in->settings, "channelIds");
	const struct json *resources = json_get(in->settings, "resourceIds");
	struct header *headers;

	if (!inbound_header(in, p->header).n)
		return false;
	inbound_add_header(a, in, "x-goog-channel-token", secret);
	headers = (struct header *)in->headers;	/* a copy by now */
	for (size_t i = 0; i < in->header_n; i++)
		if (str_eqs(headers[i].name, "x-goog-channel-id"))
			headers[i].value = first_or(channels, headers[i].value);
		else if (str_eqs(headers[i].name, "x-goog-resource-id"))
			headers[i].value = first_or(resources, headers[i].value);
	return true;
}

static const struct proof_stage channel_steps[] = {
	{ "header", "x-goog-channel-id is there." },
	{ "channel", "Channel and resource are ones that the integration knows." },
	{ "secret", "The integration has a signature secret." },
	{ "token", "The channel's token is the integration's secret." },
	{ 0 }
};

static const struct proof channel_token = {
	.name = "google-channel-token",
	.header = "x-goog-channel-id",
	.verify = verify_channel,
	.steps = channel_steps,
	.sign = sign_channel,
};

static const struct proof *const proofs[] = { &channel_token, &proof_google_oidc, NULL };

static const struct setting settings[] = {
	GOOGLE_OIDC_SETTINGS,
	{ "channelIds", SETTING_LIST, "Channel ids", "Channels of Drive, Calendar or Admin SDK "
		"that are taken; none: any with the right token." },
	{ "resourceIds", SETTING_LIST, "Resource ids", "What these channels watch, as the answer "
		"to watch named it; none: anything." },
	{ 0 }
};

/* ---- what a channel speaks of --------------------------------------------------------------- */

/* "https://www.googleapis.com/calendar/v3/calendars/me%40x/events?alt=json", taken apart. */
struct watched {
	struct str service;		/* "calendar" */
	struct str kind, id;		/* "calendars", "me@x" */
	struct str query;
};

static bool is_version(struct str s)
{
	return s.n > 1 && s.p[0] == 'v' && s.p[1] >= '0' && s.p[1] <= '9';
}

static struct watched watched_of(struct arena *a, const struct inbound *in)
{
	struct str query = inbound_header(in, "x-goog-resource-uri"), path, host, part;
	struct watched w = { .service = STR("channel") };

	path = str_until(&query, '?');
	w.query = query;
	if (!str_starts(path, "https://"))
		return w;
	path = str_sub(path, strlen("https://"));
	host = str_until(&path, '/');
	part = str_until(&path, '/');
	w.service = is_version(part) ? str_until(&host, '.') : part;
	while (part.n && !is_version(part))
		part = str_until(&path, '/');
	w.kind = str_until(&path, '/');
	w.id = url_decode(a, str_until(&path, '/'), false);
	return w;
}

static const struct {
	const char *segment, *entity;
} kinds[] = {
	{ "calendars", "calendar" },
	{ "files", "file" },
	{ "users", "user" },
};

static struct str entity_type(struct str segment)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_eqs(segment, kinds[i].segment))
			return str_of(kinds[i].entity);
	return segment;
}

/* Of a feed of changes: the place from which they are to be listed. */
static struct str watched_id(struct arena *a, const struct watched *w)
{
	struct str token;

	if (str_eqs(w->kind, "changes") && form_find(a, w->query, "pageToken", &token))
		return token;
	return w->id;
}

/* ---- what a message speaks of --------------------------------------------------------------- */

#define SUBJECT "~/attributes/ce-subject"
#define RESOURCE "/attributes/resource|/attributes/resourceName|/data/resource|/data/resourceName"

static struct str message_entity(struct arena *a, const struct where *w)
{
	struct str resource = expr_eval(a, RESOURCE, w);

	if (str_starts(resource, "people/"))
		return STR("contact");
	if (resource.n)
		return STR("resource");
	if (expr_eval(a, SUBJECT, w).n)
		return STR("subject");
	return expr_eval(a, "/subscription", w).n ? STR("subscription") : STR_NONE;
}

static struct str own(struct arena *a, struct str name, const struct where *w)
{
	struct watched x = watched_of(a, w->in);

	if (str_eqs(name, "service"))
		return x.service;
	if (str_eqs(name, "watched"))
		return entity_type(x.kind);
	if (str_eqs(name, "watched_id"))
		return watched_id(a, &x);
	if (str_eqs(name, "entity"))
		return message_entity(a, w);
	/* A poller of the People API that names no event. */
	if (str_eqs(name, "contact") && str_starts(expr_eval(a, RESOURCE, w), "people/"))
		return STR("contact.updated");
	return STR_NONE;
}

/* ---- rows ----------------------------------------------------------------------------------- */

#define STATE "{!service}.{@x-goog-resource-state}"
#define CHANNEL_ROWS \
	{ EV_EVENT_ID, "{@x-goog-channel-id}:{@x-goog-message-number}", NATIVE }, \
	{ EV_EVENT_TYPE, STATE }, \
	{ EV_SOURCE, "@x-goog-resource-uri" }, \
	{ EV_DESCRIPTION, "Changed: {@x-goog-changed}" }, \
	{ EV_LINK, "@x-goog-resource-uri" }

static const struct map channel[] = {
	CHANNEL_ROWS,
	{ EV_ENTITY_TYPE, "!watched" },
	{ EV_ENTITY_ID, "!watched_id|/id" },	/* the Admin SDK has it in the body */
	{ EV_SUMMARY, STATE "[ {!watched}][ {!watched_id|/id}]" },
	{ EV_END }
};

/* The first message of a channel: it works. */
static const struct map channel_sync[] = {
	CHANNEL_ROWS,
	{ EV_ENTITY_TYPE, "'channel'" },
	{ EV_ENTITY_ID, "@x-goog-channel-id" },
	{ EV_SUMMARY, STATE " channel {@x-goog-channel-id}" },
	{ EV_END }
};

#define MESSAGE_ROWS \
	{ EV_EVENT_ID, "{/subscription|'-'}:{/messageId}", NATIVE }, \
	{ EV_SOURCE, "/subscription" }, \
	{ EV_OCCURRED, "/attributes/ce-time", TIME }, \
	{ EV_OCCURRED, "/publishTime", TIME }

static const struct map gmail[] = {
	MESSAGE_ROWS,
	{ EV_EVENT_TYPE, "'gmail.history'" },
	{ EV_ENTITY_TYPE, "'mailbox'" },
	{ EV_ENTITY_ID, "/data/emailAddress" },
	{ EV_SUMMARY, "gmail.history mailbox {/data/emailAddress}" },
	{ EV_DETAILS, "/data/historyId" },
	{ EV_END }
};

#define TYPE "/attributes/ce-type|/attributes/eventType|/attributes/event_type|" \
	"/data/eventType|/data/event_type|!contact|'pubsub.message'"

static const struct map fields[] = {
	MESSAGE_ROWS,
	{ EV_EVENT_TYPE, TYPE },
	{ EV_ENTITY_TYPE, "!entity" },
	{ EV_ENTITY_ID, RESOURCE "|" SUBJECT "|/subscription" },
	{ EV_SUMMARY, "{" TYPE "}[ {!entity}][ {" RESOURCE "|" SUBJECT "|/subscription}]" },
	{ EV_DETAILS, "/attributes" },
	{ EV_DETAILS, "/orderingKey" },
	{ EV_END }
};

static const char *const sync[] = { "sync", NULL };

static const struct variant variants[] = {
	{ "@x-goog-resource-state", sync, channel_sync },
	{ "@x-goog-channel-id", NULL, channel },
	{ "{/data/emailAddress}{/data/historyId}", NULL, gmail },
	{ 0 }
};

static const struct json *unfold(struct arena *a, const struct inbound *in)
{
	struct json *list;

	if (inbound_header(in, "x-goog-channel-id").n)
		return NULL;
	list = json_new(a, JSON_ARRAY);
	json_share(a, list, STR_NONE, pubsub_message(a, in));
	return list;
}

static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	if (!inbound_header(w->in, "x-goog-channel-id").n && !w->element->count)
		ev->invalid = "message";
	return !ev->invalid;
}

/* ---- setting it up, and trying it ----------------------------------------------------------- */

static const struct step steps[] = {
	{ "Pub/Sub: in the Google Cloud console open Pub/Sub, Subscriptions, Create subscription. "
		"Delivery type Push, endpoint URL:", "{url}" },
	{ "Enable authentication, choose a service account, leave the audience empty. Enter the "
		"e-mail address of that account here, under Settings, as Service account.", NULL },
	{ "Expiration period: Never expire, else the subscription is deleted after 31 days without "
		"a message.", NULL },
	{ "Gmail: call users.watch with that topic, and again at least every 7 days. The topic "
		"must let gmail-api-push@system.gserviceaccount.com publish.", NULL },
	{ "Drive, Calendar or Admin SDK: call watch with type web_hook, the address above, an id "
		"of your own, and as token the signature secret of this integration. Channels "
		"expire: renew them early.", "{secret}" },
	{ 0 }
};

static const struct sample sample = {
	.headers = {
		{ "x-goog-channel-id", "7e570000-0000-4000-8000-000000000001" },
		{ "x-goog-message-number", "$ms" },
		{ "x-goog-resource-id", "7e57resource" },
		{ "x-goog-resource-state", "update" },
		{ "x-goog-resource-uri",
			"https://www.googleapis.com/drive/v3/files/grapnel-test-$nonce" },
		{ "x-goog-changed", "content,properties" },
	},
	.body = "",
	.severity = "update",
};

const struct provider provider_google = {
	.slug = "google",
	.title = "Google",
	.group = GROUP_BUSINESS,
	.about = "Messages of Pub/Sub topics, new mail in Gmail, changes in Drive, Calendar and "
		"the directory.",
	.signs = "Pub/Sub: a token that Google signs for your service account (RS256, OIDC). "
		"Channels of Drive, Calendar and Admin SDK cannot sign; they repeat the token that you "
		"gave them.",
	.on_error = "Pub/Sub waits as long as the subscription's acknowledgement deadline (10 s) "
		"and repeats until retention ends (7 days). Channels repeat on 5xx only.",
	.settings = settings,
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON | BODY_EMPTY | BODY_OPAQUE,
	.flags = FINAL_4XX | ANSWER_200 | SECRET_OPTIONAL,	/* channels repeat on 5xx alone */
	.actions = DO_RECORD,
	.proofs = proofs,
	.unfold = unfold,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_INFO,
	.own = own,
	.adjust = adjust,
};
