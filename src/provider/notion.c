/* Notion: signals that something changed, without the content, which is fetched by its API. Each
 * change is a sync event; only a failed file upload can be trouble.
 *
 * The first request to a new subscription carries the secret of all later ones. It is taken only
 * while the source has none, since else anybody who knows the URL could put his own in its place.
 * What is signed has no time in it. The older way to sign had: where its header is there only that
 * way counts, so that nobody chooses the weaker one by leaving a header on.
 *
 * Up to 8 attempts with growing gaps repeat the id (attempt_number counts them), and nothing comes
 * in order. Sources: @notionhq/client 5.26.0 api-endpoints/webhooks.ts, webhooks.ts and its tests;
 * developers.notion.com/reference/webhooks (2026-10); 46ki75/notionrs events. */
#include "provider_int.h"

static const struct proof timed = {
	.name = "notion-timestamp",
	.header = "x-notion-signature",
	.only_with = "x-notion-request-timestamp",
	.prefix = "sha256=",
	.prefix_optional = true,
	.encoding = ENC_HEX,
	.upper_ok = true,
	.digest = DIGEST_SHA256,
	.parts = { "@x-notion-request-timestamp", "'.'", "$body" },
	.time = "@x-notion-request-timestamp",
	.tolerance_s = 300,
};

static const struct proof plain = {
	.name = "notion-sha256",
	.header = "x-notion-signature",
	.prefix = "sha256=",
	.encoding = ENC_HEX,
	.upper_ok = true,
	.digest = DIGEST_SHA256,
	.parts = { "$body" },
};

static const struct proof *const proofs[] = { &timed, &plain, NULL };

static const struct word actions[] = {
	{ "file_upload.upload_failed", ACTION_TRIGGER },
	{ 0 }
};

/* ---- rows for each shape --------------------------------------------------------------------- */

#define WORKSPACE "/workspace_id|'-'"

static const struct map current[] = {
	{ EV_EVENT_ID, "/id", NATIVE },
	{ EV_ENTITY_TYPE, "/entity/type" },
	{ EV_ENTITY_ID, "/entity/id" },
	{ EV_DEDUP_KEY, "{" WORKSPACE "}:{/entity/id}" },
	{ EV_SUMMARY, "{/type}[ {/entity/id}]" },
	{ EV_LINK, "https://www.notion.so/{!page}" },
	{ EV_END }
};

/* A body that is the object itself, with the kind of event beside its members: here "id" is the
 * object's, the same for every later change of it, and no event id. */
static const struct map object[] = {
	{ EV_ENTITY_TYPE, "/object" },
	{ EV_ENTITY_ID, "/id" },
	{ EV_DEDUP_KEY, "{" WORKSPACE "}:{/id}" },
	{ EV_SUMMARY, "{/type}[ {/id}]" },
	{ EV_LINK, "/url" },
	{ EV_END }
};

static const struct map older_page[] = {
	{ EV_ENTITY_TYPE, "'page'" },
	{ EV_ENTITY_ID, "/page/id" },
	{ EV_DEDUP_KEY, "{" WORKSPACE "}:{/page/id}" },
	{ EV_SUMMARY, "{/type} {/page/id}" },
	{ EV_END }
};

static const struct map older_database[] = {
	{ EV_ENTITY_TYPE, "'database'" },
	{ EV_ENTITY_ID, "/database/id" },
	{ EV_DEDUP_KEY, "{" WORKSPACE "}:{/database/id}" },
	{ EV_SUMMARY, "{/type} {/database/id}" },
	{ EV_END }
};

static const struct map verification[] = {
	{ EV_EVENT_TYPE, "'notion.verification'" },
	{ EV_SUMMARY, "'Notion sent its verification token'" },
	{ EV_END }
};

static const struct variant variants[] = {
	{ "/verification_token", NULL, verification },
	{ "/entity/id|/entity/type", NULL, current },
	{ "/object", NULL, object },
	{ "/page/id", NULL, older_page },
	{ "/database/id", NULL, older_database },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_ACTION, "/type", WORD, actions },
	{ EV_EVENT_TYPE, "/type" },
	{ EV_NATIVE_SEVERITY, "/type", .only = ON_TRIGGER },
	{ EV_SOURCE, "/workspace_name|/workspace_id" },
	{ EV_OCCURRED, "/timestamp", TIME },
	{ EV_DETAILS, "/data" },
	{ EV_DETAILS, "/authors" },
	{ EV_DETAILS, "/api_version" },
	{ EV_END }
};

/* "page": the id as it stands in the address of a page or database, without hyphens. Other
 * entities have no address of their own. */
static struct str own(struct arena *a, struct str name, const struct where *w)
{
	struct str type = expr_eval(a, "/entity/type", w), id = expr_eval(a, "/entity/id", w);
	struct strbuf b;

	if (!str_eqs(type, "page") && !str_eqs(type, "database"))
		return STR_NONE;
	strbuf_init(&b, a, id.n);
	while (id.n)
		strbuf_addstr(&b, str_until(&id, '-'));
	return strbuf_str(&b);
}

static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	if (ev->event_type.n == 0)
		ev->invalid = "type";
	else if (ev->entity_type.n == 0 && !json_get(w->element, "verification_token"))
		ev->invalid = "entity";
	return !ev->invalid;
}

static bool handshake(const struct provider *p, struct arena *a, const struct inbound *in,
	struct answer *answer)
{
	struct str token = json_text(json_get(in->doc, "verification_token"));

	if (value_absent(token))
		return false;
	*answer = (struct answer){
		.status = 200, .body = STR("{\"received\":true}"), .new_secret = token,
	};
	return true;
}

/* ---- setting it up, and trying it ------------------------------------------------------------ */

static const char *const masked[] = { "verification_token", NULL };	/* the later secret */

static const struct step steps[] = {
	{ "In Notion open your integration (notion.so/profile/integrations), its Webhooks tab, "
		"Create a subscription.", NULL },
	{ "Webhook URL; the key in it is asked for until the signature secret is known:",
		"{url}?key={key}" },
	{ "Choose the event types and create the subscription. Notion sends a verification token "
		"at once; it becomes the signature secret of this integration.", NULL },
	{ "Click Verify in Notion and paste the token that is shown here.", NULL },
	{ "Share the pages and databases with the integration, else Notion reports nothing of "
		"them.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.body = "{'id':'7e570000-0000-4000-8000-$nonce','timestamp':'$time',"
		"'workspace_id':'7e570000-0000-4000-8000-000000000001',"
		"'workspace_name':'[Notion] Test Alert',"
		"'subscription_id':'7e570000-0000-4000-8000-000000000002',"
		"'integration_id':'7e570000-0000-4000-8000-000000000003',"
		"'type':'file_upload.upload_failed',"
		"'authors':[{'id':'7e570000-0000-4000-8000-000000000004','type':'bot'}],"
		"'attempt_number':1,'api_version':'2026-03-11',"
		"'entity':{'id':'7e577e57-7e57-7e57-7e57-$nonce','type':'file_upload'},"
		"'data':{'parent':{'id':'7e570000-0000-4000-8000-000000000001','type':'space'}}}",
};

const struct provider provider_notion = {
	.slug = "notion",
	.title = "Notion",
	.group = GROUP_BUSINESS,
	.about = "Changes of pages, databases and comments, and file uploads that failed.",
	.signs = "HMAC-SHA256 of the body in X-Notion-Signature, with the verification token that "
		"Notion sends first.",
	.on_error = "Notion tries up to 8 times with growing gaps, then drops the event. It goes "
		"on with the next.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON,
	.flags = SECRET_THEIRS,
	.actions = DO_RECORD,
	.masked = masked,
	.proofs = proofs,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_WARNING,
	.own = own,
	.adjust = adjust,
	.handshake = handshake,
};
