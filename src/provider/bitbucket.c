/* Bitbucket: one event per request, named by X-Event-Key (Data Center: eventKey in the body
 * too). There is no event for pipelines: they report through commit statuses, as other build
 * tools do, and those are all that alerts. Everything else is kept and ignored,
 * pipeline:span_created (traces) and Data Center's diagnostics:ping among it.
 *
 * The header X-Hub-Signature is the one under which GitHub sends SHA-1; here it is SHA-256.
 * Cloud names the event in X-Request-UUID, Data Center in X-Request-Id, the same for each of the
 * three tries. Sources: Atlassian "Event payloads", "Troubleshoot webhooks", "Secure webhooks";
 * adnanh/webhook issue 662; go-playground/webhooks testdata. */
#include "provider_int.h"

static const struct proof signature = {
	.name = "bitbucket",
	.header = "x-hub-signature",
	.prefix = "sha256=",
	.encoding = ENC_HEX,
	.digest = DIGEST_SHA256,
	.parts = { "$body" },
};

static const struct proof *const proofs[] = { &signature, NULL };

/* STOPPED is somebody's wish, INPROGRESS no result. */
static const struct word states[] = {
	{ "FAILED", ACTION_TRIGGER },
	{ "SUCCESSFUL", ACTION_RESOLVE },
	{ 0 }
};

/* ---- rows for each kind of event ------------------------------------------------------------- */

#define EVENT_KEY "@x-event-key|/eventKey"
#define STATUS "/commit_status"
#define COMMIT STATUS "/commit/hash|~" STATUS "/links/commit/href"
#define REF STATUS "/refname|" COMMIT	/* other tools name no branch */
#define REPOSITORY "/repository/uuid|/repository/full_name|/repository/id"
#define REPOSITORY_URL "/repository/links/html/href|/repository/links/self/0/href"

static const struct map commit_status[] = {
	{ EV_ACTION, STATUS "/state", WORD, states },
	{ EV_DEDUP_KEY, "{!pipelines}:{" REPOSITORY "}:{" REF "}" },
	{ EV_DEDUP_KEY, "commit_status:{" REPOSITORY "}:{" STATUS "/key}:{" REF "}" },
	{ EV_SUMMARY, "{" STATUS "/name|" STATUS "/key}: {" STATUS "/state}" },
	{ EV_DESCRIPTION, STATUS "/description" },
	{ EV_EVENT_TYPE, "{" EVENT_KEY "|'repo:commit_status'}[.{" STATUS "/state}]", LOWER },
	{ EV_ENTITY_TYPE, "'commit_status'" },
	{ EV_ENTITY_ID, COMMIT },
	{ EV_OCCURRED, STATUS "/updated_on|" STATUS "/created_on", TIME },
	{ EV_LINK, STATUS "/url|" REPOSITORY_URL },
	{ EV_DETAILS, STATUS "/key" },
	{ EV_DETAILS, STATUS "/refname" },
	{ EV_DETAILS, STATUS "/type" },
	{ EV_END }
};

static const struct map other[] = {
	{ EV_SUMMARY, "/pullrequest/title|/pullRequest/title|/issue/title" },
	{ EV_SUMMARY, "{" EVENT_KEY "|'push'}[ in {/repository/full_name|/repository/name}]" },
	{ EV_EVENT_TYPE, EVENT_KEY "|'push'" },
	{ EV_ENTITY_TYPE, "'repository'" },
	{ EV_ENTITY_ID, REPOSITORY },
	{ EV_OCCURRED, "/date", TIME },
	{ EV_LINK, "/pullrequest/links/html/href|/issue/links/html/href|" REPOSITORY_URL },
	{ EV_END }
};

static const char event_key[] = EVENT_KEY;

#define NAME(...) (const char *const[]){ __VA_ARGS__, NULL }

/* Without a name the object that is there tells; the very old service hook, a form with a push, has
 * neither. */
static const struct variant variants[] = {
	{ event_key, NAME("repo:commit_status_created", "repo:commit_status_updated"),
		commit_status },
	{ event_key, NULL, other },
	{ STATUS "/state", NULL, commit_status },
	{ "'a push of old'", NULL, other },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_EVENT_ID, "@x-request-uuid|@x-request-id", NATIVE },
	{ EV_SOURCE, "/repository/full_name" },
	{ EV_SOURCE, "[{/repository/project/key}/]{/repository/slug}" },
	{ EV_SERVICE, "/repository/name" },
	{ EV_DETAILS, "/actor/display_name" },
	{ EV_DETAILS, "/actor/displayName" },
	{ EV_END }
};

/* !pipelines: "pipelines" where the status is one of Bitbucket Pipelines, whose key and name differ
 * from run to run. */
static struct str own(struct arena *a, struct str name, const struct where *w)
{
	struct str url = expr_eval(a, STATUS "/url", w);

	if (str_has(url, "/addon/pipelines/") || str_has(url, "/pipelines/results/"))
		return name;
	return STR_NONE;
}

/* ---- setting it up, and trying it ------------------------------------------------------------ */

static const struct step steps[] = {
	{ "In Bitbucket open the repository: Repository settings, Webhooks, Add webhook.", NULL },
	{ "URL:", "{url}" },
	{ "Secret:", "{secret}" },
	{ "Status stays Active; Skip certificate verification stays off.", NULL },
	{ "Triggers: choose from a full list of triggers. Build status created and Build status "
		"updated (of Pipelines and of other build tools) can open incidents; all others "
		"are kept and open none.", NULL },
	{ "Save. On Data Center, Test connection sends a ping that is kept and opens "
		"nothing.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.headers = {
		{ "user-agent", "Bitbucket-Webhooks/2.0" },
		{ "x-event-key", "repo:commit_status_updated" },
		{ "x-request-uuid", "7e570000-0000-4000-8000-$nonce" },
		{ "x-attempt-number", "1" },
	},
	.body = "{'actor':{'display_name':'Grapnel','type':'user'},"
		"'repository':{'type':'repository','name':'test-service',"
		"'full_name':'example/test-service','uuid':'{7e570000-0000-4000-8000-$nonce}',"
		"'scm':'git','is_private':true,"
		"'links':{'html':{'href':'https://bitbucket.org/example/test-service'}}},"
		"'commit_status':{'name':'[Bitbucket] Test Alert - CI','state':'FAILED',"
		"'key':'test-$nonce','description':'Sent by Grapnel to try this integration; "
		"nothing is wrong.','refname':'main','type':'build',"
		"'url':'https://bitbucket.org/example/test-service/addon/pipelines/home#!/results/"
		"1',"
		"'created_on':'$time','updated_on':'$time','commit':{'type':'commit',"
		"'hash':'7e577e577e577e577e577e577e57$nonce'}}}",
	.severity = "FAILED",
};

const struct provider provider_bitbucket = {
	.slug = "bitbucket",
	.title = "Bitbucket",
	.group = GROUP_DEVELOPMENT,
	.about = "Failed builds of Pipelines and of other tools, and the success that ends them.",
	.signs = "HMAC-SHA256 of the body in X-Hub-Signature, with the secret that you enter at "
		"the webhook.",
	.on_error = "Bitbucket waits 10 s for an answer and tries twice more; then the event is "
		"lost. Bodies over 256 KB are never sent.",
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON | BODY_FORM,
	.actions = DO_INCIDENT,
	.proofs = proofs,
	.form_json = "payload",
	.needs = { EVENT_KEY "|" STATUS "/state|/canon_url", "X-Event-Key" },
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_ERROR,
	.own = own,
};
