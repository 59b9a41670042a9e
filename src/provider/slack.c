/* Slack: the Events API (JSON), interactive components (a form whose member "payload" is JSON) and
 * slash commands (a plain form). All are sync events, but for three that tell that the app lost
 * something: uninstalled, its tokens revoked, rate limited.
 *
 * Slack wants 2xx within 3 s. It repeats three times; and once more than 95 % of an hour's requests
 * failed it switches the whole app off until a person turns it on again. So whatever is signed and
 * has a type is taken, and where a repeat would meet the same refusal the answer says so with
 * X-Slack-No-Retry. Interactive requests must get an empty body: any other one is shown to the user
 * as an error, or replaces the message. Messages can be private, so no summary holds their text.
 *
 * Sources: api.slack.com "The Events API", "Verifying requests from Slack", "Handling user
 * interaction" (2026-10); slackapi/bolt-python tests; @slack/bolt verify-request. */
#include "provider_int.h"

static const struct proof signature = {
	.name = "slack-v0",
	.header = "x-slack-signature",
	.prefix = "v0=",
	.encoding = ENC_HEX,
	.digest = DIGEST_SHA256,
	.parts = { "'v0:'", "@x-slack-request-timestamp", "':'", "$body" },
	.time = "@x-slack-request-timestamp",
	.tolerance_s = 300,
};

static const struct proof *const proofs[] = { &signature, NULL };

static const struct word actions[] = {
	{ "app_rate_limited", ACTION_TRIGGER },
	{ "app_uninstalled", ACTION_TRIGGER },
	{ "tokens_revoked", ACTION_TRIGGER },
	{ 0 }
};

/* ---- rows: which thing an event is about ----------------------------------------------------- */

static const struct map changed_message[] = {
	{ EV_EVENT_TYPE, "message.{/event/subtype}" },
	{ EV_ENTITY_TYPE, "'message'" },
	{ EV_ENTITY_ID, "{/event/channel}:{/event/message/ts|/event/previous_message/ts}" },
	{ EV_END }
};

static const struct map deleted_message[] = {
	{ EV_EVENT_TYPE, "message.{/event/subtype}" },
	{ EV_ENTITY_TYPE, "'message'" },
	{ EV_ENTITY_ID, "{/event/channel}:{/event/deleted_ts|/event/previous_message/ts}" },
	{ EV_END }
};

static const struct map message[] = {
	{ EV_EVENT_TYPE, "{/event/type}[.{/event/subtype}]" },
	{ EV_ENTITY_TYPE, "'message'" },
	{ EV_ENTITY_ID, "{/event/channel|/event/channel_id}:{/event/ts|/event/message_ts}" },
	{ EV_END }
};

/* Reactions, pins and stars: on a message, or on a file. */
static const struct map item_message[] = {
	{ EV_ENTITY_TYPE, "'message'" },
	{ EV_ENTITY_ID, "{/event/item/channel|/event/channel_id}:"
		"{/event/item/ts|/event/item/message/ts}" },
	{ EV_DETAILS, "/event/reaction" },
	{ EV_END }
};

static const struct map item_file[] = {
	{ EV_ENTITY_TYPE, "'file'" },
	{ EV_ENTITY_ID, "/event/item/file/id|/event/item/file" },
	{ EV_DETAILS, "/event/reaction" },
	{ EV_END }
};

#define CHANNEL "/event/channel/id|/event/channel|/event/channel_id"
#define USER "/event/user/id|/event/user|/event/user_id"
#define FILE_ID "/event/file_id|/event/file/id"
#define SUBTEAM "/event/subteam/id|/event/subteam_id"

static const struct map channel[] = {
	{ EV_ENTITY_TYPE, "'channel'" },
	{ EV_ENTITY_ID, CHANNEL },
	{ EV_END }
};

static const struct map user[] = {
	{ EV_ENTITY_TYPE, "'user'" },
	{ EV_ENTITY_ID, USER },
	{ EV_END }
};

static const struct map file[] = {
	{ EV_ENTITY_TYPE, "'file'" },
	{ EV_ENTITY_ID, FILE_ID },
	{ EV_END }
};

static const struct map subteam[] = {
	{ EV_ENTITY_TYPE, "'subteam'" },
	{ EV_ENTITY_ID, SUBTEAM },
	{ EV_END }
};

static const struct map app[] = {
	{ EV_ENTITY_TYPE, "'app'" },
	{ EV_ENTITY_ID, "/api_app_id" },
	{ EV_END }
};

static const struct map team[] = {
	{ EV_ENTITY_TYPE, "'team'" },
	{ EV_ENTITY_ID, "/team_id|/enterprise_id" },
	{ EV_END }
};

static const struct map rate_limited[] = {
	{ EV_EVENT_ID, "{/team_id}:{/minute_rate_limited}", NATIVE },
	{ EV_ENTITY_TYPE, "'team'" },
	{ EV_ENTITY_ID, "/team_id" },
	{ EV_OCCURRED, "/minute_rate_limited", EPOCH },
	{ EV_END }
};

static const struct map slash_command[] = {
	{ EV_EVENT_TYPE, "'slash_command'" },
	{ EV_ENTITY_TYPE, "'command'" },
	{ EV_ENTITY_ID, "/command" },
	{ EV_END }
};

static const struct map view[] = {
	{ EV_ENTITY_TYPE, "'view'" },
	{ EV_ENTITY_ID, "/view/id" },
	{ EV_DETAILS, "/view/callback_id" },
	{ EV_END }
};

#define INTERACTIVE_TS "/container/message_ts|/message/ts|/message_ts"

static const struct map interactive_message[] = {
	{ EV_ENTITY_TYPE, "'message'" },
	{ EV_ENTITY_ID, "{/container/channel_id|/channel/id}:{" INTERACTIVE_TS "}" },
	{ EV_DETAILS, "/callback_id" },
	{ EV_END }
};

static const struct map callback[] = {
	{ EV_ENTITY_TYPE, "'callback'" },
	{ EV_ENTITY_ID, "/callback_id" },
	{ EV_END }
};

#define WORDS(...) (const char *const[]){ __VA_ARGS__, NULL }

static const char of_event[] = "/event/type", with_subtype[] = "{/event/type}.{/event/subtype}";

static const struct variant variants[] = {
	{ with_subtype, WORDS("message.message_changed"), changed_message },
	{ with_subtype, WORDS("message.message_deleted"), deleted_message },
	{ of_event, WORDS("message", "app_mention", "link_shared", "message_metadata_posted",
		"message_metadata_updated", "message_metadata_deleted"), message },
	{ of_event, WORDS("app_uninstalled", "tokens_revoked", "app_installed", "app_deleted",
		"app_requested", "app_uninstalled_team"), app },
	{ of_event, WORDS("app_home_opened"), user },
	{ "/event/item/ts|/event/item/message/ts", NULL, item_message },
	{ "/event/item/file/id|/event/item/file", NULL, item_file },
	{ FILE_ID, NULL, file },
	{ CHANNEL, NULL, channel },
	{ USER, NULL, user },
	{ SUBTEAM, NULL, subteam },
	{ of_event, NULL, team },
	{ "/type", WORDS("app_rate_limited"), rate_limited },
	{ "/command", NULL, slash_command },
	{ "/view/id", NULL, view },
	{ INTERACTIVE_TS, NULL, interactive_message },
	{ "/callback_id", NULL, callback },
	{ 0 }
};

static const struct wrap wraps[] = {
	{ "/payload", "/payload" },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_ACTION, "/event/type|/type", WORD, actions },
	{ EV_EVENT_ID, "/event_id", NATIVE },
	{ EV_EVENT_ID, "/trigger_id", NATIVE },
	{ EV_EVENT_ID, "{/view/id}:{/view/hash}", NATIVE },
	{ EV_EVENT_ID, "/action_ts", NATIVE },
	{ EV_EVENT_TYPE, "/event/type|/type" },
	{ EV_NATIVE_SEVERITY, "/event/type|/type", .only = ON_TRIGGER },
	{ EV_SOURCE, "/team/domain|/team_domain|/team_id|/team/id|/enterprise_id" },
	{ EV_OCCURRED, "/event/event_ts|/event_time|/action_ts|/actions/0/action_ts", EPOCH },
	{ EV_DETAILS, "/api_app_id" },
	{ EV_END }
};

/* Enterprise events can lack the team. */
#define TEAM "/team_id|/team/id|/user/team_id|/enterprise_id|/enterprise/id|/team_ids/0|" \
	"/authorizations/0/team_id|/authorizations/0/enterprise_id|'-'"

static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	struct str team_id = expr_eval(a, TEAM, w);

	if (ev->event_type.n == 0)
		ev->invalid = json_get(w->element, "payload") ? "payload" : "type";
	else if (str_ieqs(ev->event_type, "url_verification") && !expr_eval(a, "/challenge", w).n)
		ev->invalid = "challenge";
	if (ev->invalid)
		return false;
	if (ev->entity_id.n == 0)	/* its parts were not all there */
		ev->entity_type = STR_NONE;
	else
		ev->dedup_key = arena_printf(a, "%.*s:%.*s", STR_ARG(team_id),
			STR_ARG(ev->entity_id));
	ev->summary = ev->event_type;
	if (ev->entity_id.n)
		ev->summary = arena_printf(a, "%.*s (%.*s %.*s)", STR_ARG(ev->event_type),
			STR_ARG(ev->entity_type), STR_ARG(ev->entity_id));
	return true;
}

/* ---- answers --------------------------------------------------------------------------------- */

/* The challenge as it came; and the look at our certificate that comes before a slash command. */
static bool handshake(const struct provider *p, struct arena *a, const struct inbound *in,
	struct answer *answer)
{
	struct str challenge = json_text(json_get(in->doc, "challenge"));
	bool asks = str_ieqs(json_text(json_get(in->doc, "type")), "url_verification");

	if (!(asks && challenge.n) && !json_get(in->doc, "ssl_check"))
		return false;
	*answer = (struct answer){ .status = 200, .content_type = "text/plain", .body = challenge };
	return true;
}

/* What a person did in Slack: his client waits for this answer. */
static bool is_interactive(const struct inbound *in)
{
	return json_get(in->doc, "payload") || json_get(in->doc, "command");
}

static bool answer_accepted(struct arena *a, const struct inbound *in, struct answer *answer)
{
	const struct where w = { .in = in, .element = in->doc };
	const struct json *payload;
	struct err e = { 0 };

	if (!is_interactive(in))
		return false;
	*answer = (struct answer){ .status = 200, .content_type = "text/plain" };
	if (json_parse(a, expr_eval(a, "/payload", &w), &payload, &e) &&
			str_eqs(json_text(json_get(payload, "type")), "block_suggestion"))
		*answer = (struct answer){ .status = 200, .body = STR("{\"options\":[]}") };
	return true;
}

static bool answer(const struct provider *p, struct arena *a, const struct inbound *in,
	const struct refusal *refusal, const struct outcome *outcomes, size_t n,
	struct answer *answer)
{
	if (!refusal)
		return answer_accepted(a, in, answer);
	if (refusal->status < 500 && refusal->status != 429)
		answer->extra[0] = (struct header){ STR("X-Slack-No-Retry"), STR("1") };
	return false;
}

/* ---- setting it up, and trying it ------------------------------------------------------------ */

static const struct step steps[] = {
	{ "At api.slack.com/apps open your app (or Create New App), Basic Information, App "
		"Credentials, and copy the Signing Secret into this integration as its signature "
		"secret.", NULL },
	{ "Event Subscriptions, Enable Events. Request URL; Slack verifies it at once:", "{url}" },
	{ "Subscribe to bot events, then Save Changes and reinstall the app where Slack asks for "
		"it.", NULL },
	{ "For buttons and modals the same URL goes to Interactivity & Shortcuts, for commands to "
		"Slash Commands:",
		"{url}" },
	{ 0 }
};

static const struct sample sample = {
	.headers = { { "user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)" } },
	.body = "{'token':'test','team_id':'T7E57$nonce','api_app_id':'A7E57$nonce',"
		"'event':{'type':'app_uninstalled','event_ts':'$seconds.000000'},"
		"'type':'event_callback','event_id':'Ev7E57$nonce','event_time':$seconds,"
		"'authorizations':[{'team_id':'T7E57$nonce','user_id':'U7E57','is_bot':true}]}",
};

const struct provider provider_slack = {
	.slug = "slack",
	.title = "Slack",
	.group = GROUP_BUSINESS,
	.about = "Messages, reactions, members, commands and buttons of an app; that the app was "
		"removed or limited.",
	.signs = "HMAC-SHA256 of time and body in X-Slack-Signature, with the app's Signing "
		"Secret.",
	.on_error = "Slack waits 3 s and repeats three times within 6 minutes. When more than 95 % "
		"of an hour's requests fail it switches the app's events off until a person turns "
		"them on.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON | BODY_FORM,
	.flags = SECRET_THEIRS | ANSWER_200,
	.actions = DO_RECORD,
	.per_minute = 600,	/* at most 30,000 an hour come for each team */
	.proofs = proofs,
	.wraps = wraps,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_WARNING,
	.adjust = adjust,
	.handshake = handshake,
	.answer = answer,
};
