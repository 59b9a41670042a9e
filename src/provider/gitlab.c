/* GitLab: one event per request, named by object_kind (system hooks: event_name) and never by the
 * header, which old servers and confidential issues spell otherwise. What alerts are pipelines,
 * jobs, deployments, incidents and vulnerabilities; everything else is kept and ignored. GitLab has
 * no webhook for its alerts: they come as incidents, which are issues or work items whose type says
 * so.
 *
 * Keys hold what stays the same from a failure to the success that ends it: project and branch, job
 * or environment, never a run. A body without either name is a template of the owner's own and is
 * read as the generic endpoint reads it.
 *
 * The event is named by webhook-id, else Idempotency-Key (since 17.4), the same for each try.
 * X-Gitlab-Event-UUID is shared by all events of one push, X-Gitlab-Webhook-UUID is new each time.
 * Sources: gitlabhq app/services/web_hook_service.rb, doc/user/project/integrations/
 * webhook_events.md; GitLab merge requests 230944, 231325 (signing), 166329 (switching off). */
#include "provider_int.h"

/* A source whose secret is a signing key takes no bare token any more. */
static const struct proof signature = {
	.name = "gitlab-signing",
	.header = "webhook-signature",
	.secret_prefix = "whsec_",
	.encoding = ENC_BASE64,
	.digest = DIGEST_SHA256,
	.secret_form = SECRET_WHSEC,
	.list = ' ',
	.list_assign = ',',
	.list_name = "v1",
	.parts = { "@webhook-id", "'.'", "@webhook-timestamp", "'.'", "$body" },
	.time = "@webhook-timestamp",
	.tolerance_s = 300,
};

static const struct proof token = {
	.name = "gitlab-token",
	.header = "x-gitlab-token",
	.encoding = ENC_SECRET,
};

static const struct proof *const proofs[] = { &signature, &token, NULL };

/* ---- words ----------------------------------------------------------------------------------- */

static const struct word states[] = {
	{ "failed", ACTION_TRIGGER },
	{ "success", ACTION_RESOLVE },
	{ 0 }
};

/* Status and "may fail": a job that was allowed to fail is no trouble. */
static const struct word job_states[] = {
	{ "failed", ACTION_TRIGGER },
	{ "failed.false", ACTION_TRIGGER },
	{ "success", ACTION_RESOLVE },
	{ "success.false", ACTION_RESOLVE },
	{ "success.true", ACTION_RESOLVE },
	{ 0 }
};

static const struct word incident_actions[] = {
	{ "open", ACTION_TRIGGER },
	{ "reopen", ACTION_TRIGGER },
	{ "close", ACTION_RESOLVE },
	{ 0 }
};

static const struct word escalations[] = {
	{ "update.acknowledged", ACTION_ACKNOWLEDGE },
	{ "update.resolved", ACTION_RESOLVE },
	{ 0 }
};

static const struct word vulnerability_states[] = {
	{ "detected", ACTION_TRIGGER },
	{ "confirmed", ACTION_TRIGGER },
	{ "resolved", ACTION_RESOLVE },
	{ "dismissed", ACTION_RESOLVE },
	{ 0 }
};

static const struct word production_names[] = {
	{ "production", SEVERITY_CRITICAL },
	{ "prod", SEVERITY_CRITICAL },
	{ 0 }
};

/* ---- rows for each kind of event ------------------------------------------------------------- */

#define ABOUT "/object_attributes"
#define PROJECT "{/project/id|/project_id|" ABOUT "/project_id}"
#define PROJECT_URL "/project/web_url|/repository/homepage"

static const struct map pipeline[] = {
	{ EV_ACTION, ABOUT "/status", WORD, states },
	{ EV_DEDUP_KEY, "pipeline:" PROJECT ":{" ABOUT "/ref}" },
	{ EV_SEVERITY, "'error'", WORD, severity_words, ON_TRIGGER },
	{ EV_SUMMARY, "Pipeline {" ABOUT "/name} {" ABOUT "/status}[ on {" ABOUT "/ref}]" },
	{ EV_SUMMARY, "Pipeline #{" ABOUT "/id} {" ABOUT "/status}[ on {" ABOUT "/ref}]" },
	{ EV_DESCRIPTION, "/commit/title|/commit/message" },
	{ EV_EVENT_TYPE, "pipeline[.{" ABOUT "/status}]" },
	{ EV_ENTITY_TYPE, "'pipeline'" },
	{ EV_ENTITY_ID, ABOUT "/id" },
	{ EV_OCCURRED, ABOUT "/finished_at", TIME },
	{ EV_LINK, ABOUT "/url|" PROJECT_URL },
	{ EV_DETAILS, ABOUT "/source" },
	{ EV_DETAILS, ABOUT "/sha" },
	{ EV_DETAILS, ABOUT "/duration" },
	{ EV_END }
};

/* build_failure_reason is filled on jobs that did not fail, commit/id is the pipeline's number, and
 * project may be missing. */
static const struct map job[] = {
	{ EV_ACTION, "{/build_status}[.{/build_allow_failure}]", WORD, job_states },
	{ EV_DEDUP_KEY, "job:" PROJECT ":{/ref}:{/build_name}" },
	{ EV_SEVERITY, "'error'", WORD, severity_words, ON_TRIGGER },
	{ EV_SUMMARY, "[{/build_stage}/]{/build_name} {/build_status}[ on {/ref}]" },
	{ EV_DESCRIPTION, "/build_failure_reason", .only = ON_TRIGGER },
	{ EV_EVENT_TYPE, "build[.{/build_status}]" },
	{ EV_ENTITY_TYPE, "'build'" },
	{ EV_ENTITY_ID, "/build_id" },
	{ EV_OCCURRED, "/build_finished_at", TIME },
	{ EV_LINK, "{" PROJECT_URL "}/-/jobs/{/build_id}" },
	{ EV_DETAILS, "/sha" },
	{ EV_DETAILS, "/pipeline_id" },
	{ EV_END }
};

static const struct map deployment[] = {
	{ EV_ACTION, "/status", WORD, states },
	{ EV_DEDUP_KEY, "deployment:" PROJECT ":{/environment}" },
	{ EV_SEVERITY, "/environment_tier|/environment", WORD, production_names, ON_TRIGGER },
	{ EV_SEVERITY, "'error'", WORD, severity_words, ON_TRIGGER },
	{ EV_SUMMARY, "Deployment to {/environment} {/status}" },
	{ EV_DESCRIPTION, "/commit_title" },
	{ EV_EVENT_TYPE, "deployment[.{/status}]" },
	{ EV_ENTITY_TYPE, "'deployment'" },
	{ EV_ENTITY_ID, "/deployment_id" },
	{ EV_OCCURRED, "/status_changed_at", TIME },
	{ EV_LINK, "/deployable_url|" PROJECT_URL },
	{ EV_LINK, "/environment_external_url" },
	{ EV_DETAILS, "/ref" },
	{ EV_DETAILS, "/short_sha" },
	{ EV_END }
};

/* "unknown" is a severity there, and none here. */
#define SEVERITY_ROWS \
	{ EV_SEVERITY, ABOUT "/severity", WORD, severity_words }, \
	{ EV_SEVERITY, "'warning'", WORD, severity_words }, \
	{ EV_NATIVE_SEVERITY, ABOUT "/severity" }

static const struct map incident[] = {
	{ EV_ACTION, ABOUT "/action", WORD, incident_actions },
	{ EV_ACTION, "{" ABOUT "/action}.{" ABOUT "/escalation_status}", WORD, escalations },
	{ EV_DEDUP_KEY, "incident:" PROJECT ":{" ABOUT "/iid}" },
	SEVERITY_ROWS,
	{ EV_SUMMARY, ABOUT "/title" },
	{ EV_DESCRIPTION, ABOUT "/description" },
	{ EV_EVENT_TYPE, "incident[.{" ABOUT "/action}]" },
	{ EV_ENTITY_TYPE, "'incident'" },
	{ EV_ENTITY_ID, ABOUT "/iid" },
	{ EV_OCCURRED, ABOUT "/updated_at", TIME },
	{ EV_LINK, ABOUT "/url|" PROJECT_URL },
	{ EV_DETAILS, ABOUT "/escalation_status" },
	{ EV_END }
};

/* The body names it by its URL alone. */
static const struct map vulnerability[] = {
	{ EV_ACTION, ABOUT "/state", WORD, vulnerability_states },
	{ EV_DEDUP_KEY, "vulnerability:{" ABOUT "/url}" },
	SEVERITY_ROWS,
	{ EV_SUMMARY, ABOUT "/title" },
	{ EV_EVENT_TYPE, "vulnerability[.{" ABOUT "/state}]" },
	{ EV_ENTITY_TYPE, "'vulnerability'" },
	{ EV_ENTITY_ID, ABOUT "/id|" ABOUT "/url" },
	{ EV_OCCURRED, ABOUT "/updated_at", TIME },
	{ EV_LINK, ABOUT "/url|" PROJECT_URL },
	{ EV_DETAILS, ABOUT "/report_type" },
	{ EV_DETAILS, ABOUT "/location" },
	{ EV_DETAILS, ABOUT "/identifiers" },
	{ EV_END }
};

#define KIND "/object_kind|/event_name"
#define GROUP "/group/full_path|/group/group_path|/group_path|/full_path"

/* A token that is about to expire: not trouble yet, but more than news. */
static const struct map access_token[] = {
	{ EV_DEDUP_KEY, "access_token:{/project/id|/group/group_id}:{" ABOUT "/id}" },
	{ EV_SEVERITY, "'warning'", WORD, severity_words, ON_ALL },
	{ EV_SUMMARY, "Access token {" ABOUT "/name} expires[ on {" ABOUT "/expires_at}]" },
	{ EV_LINK, ABOUT "/url|" PROJECT_URL },
	{ EV_DETAILS, ABOUT "/expires_at" },
	{ EV_END }
};

static const struct map other[] = {
	{ EV_SUMMARY, ABOUT "/title|" ABOUT "/name" },
	{ EV_SUMMARY, "{" KIND "}[ {" ABOUT "/action}][ {/ref}]"
		"[ in {/project/path_with_namespace|/path_with_namespace|" GROUP "}]" },
	{ EV_LINK, ABOUT "/url|" PROJECT_URL },
	{ EV_END }
};

/* ---- which rows for which event -------------------------------------------------------------- */

static const char kind[] = KIND, kind_and_type[] = "{" KIND "}[.{" ABOUT "/type}]";

#define NAME(...) (const char *const[]){ __VA_ARGS__, NULL }

static const struct variant variants[] = {
	{ kind_and_type, NAME("issue.incident", "work_item.incident"), incident },
	{ kind, NAME("pipeline"), pipeline },
	{ kind, NAME("build"), job },
	{ kind, NAME("deployment"), deployment },
	{ kind, NAME("vulnerability"), vulnerability },
	{ kind, NAME("access_token"), access_token },
	{ kind, NULL, other },
	{ "'a template of the owner'", NULL, plain_fields },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_EVENT_ID, "@webhook-id|@idempotency-key", NATIVE },
	{ EV_SOURCE, "/project/path_with_namespace|/project_name|/path_with_namespace|" GROUP },
	{ EV_SERVICE, "/project/name|/repository/name" },
	{ EV_EVENT_TYPE, "{" KIND "}[.{" ABOUT "/action}]" },
	{ EV_ENTITY_TYPE, KIND },
	{ EV_ENTITY_ID, ABOUT "/id|" ABOUT "/iid" },
	{ EV_DETAILS, "/user/username" },
	{ EV_END }
};

static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	if (!expr_eval(a, kind, w).n)
		plain_fill(a, w, ev);
	return true;
}

/* ---- setting it up, and trying it ------------------------------------------------------------ */

static const struct step steps[] = {
	{ "In GitLab open the project or the group: Settings, Webhooks, Add new webhook.", NULL },
	{ "URL:", "{url}" },
	{ "Secret token:", "{secret}" },
	{ "Where GitLab offers a Signing token, better use that: generate it there and make it the "
		"signature secret here (it begins with whsec_). A bare token is then no longer "
		"taken.", NULL },
	{ "Trigger: Pipeline events, Job events, Deployment events, Issues events (incidents are "
		"among them) and Vulnerability events can open incidents; all others are kept and "
		"open none.", NULL },
	{ "Enable SSL verification stays on. Add webhook, then Test: Pipeline events.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.headers = {
		{ "user-agent", "GitLab/18.4.0" },
		{ "x-gitlab-event", "Issue Hook" },
		{ "idempotency-key", "7e570000-0000-4000-8000-$nonce" },
		{ "webhook-id", "7e570000-0000-4000-8000-$nonce" },
	},
	.body = "{'object_kind':'issue','event_type':'issue','user':{'id':1,'name':'Grapnel',"
		"'username':'grapnel-test','email':'[REDACTED]'},'project':{'id':$seconds,"
		"'name':'test-service','namespace':'example',"
		"'web_url':'https://gitlab.com/example/test-service',"
		"'path_with_namespace':'example/test-service','default_branch':'main'},"
		"'object_attributes':{'id':$ms,'iid':$seconds,'project_id':$seconds,"
		"'type':'Incident','title':'[GitLab] Test Alert - CPU Usage High',"
		"'description':'Sent by Grapnel to try this integration; nothing is wrong.',"
		"'severity':'high','escalation_status':'triggered','state':'opened',"
		"'action':'open','confidential':false,'created_at':'$time','updated_at':'$time',"
		"'url':'https://gitlab.com/example/test-service/-/issues/$seconds'},'labels':[],"
		"'changes':{}}",
};

const struct provider provider_gitlab = {
	.slug = "gitlab",
	.title = "GitLab",
	.group = GROUP_DEVELOPMENT,
	.about = "Failed pipelines, jobs and deployments, incidents and vulnerabilities, and what "
		"ends them.",
	.signs = "The secret itself in X-Gitlab-Token, or with a signing token the HMAC-SHA256 of "
		"id, time and body in webhook-signature.",
	.on_error = "GitLab waits 10 s for an answer and does not repeat. Four failures in a row "
		"switch the webhook off for a minute and then for longer and longer, 40 for good; "
		"old versions for good at once.",
	.settings = plain_settings,
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON,
	.flags = FINAL_4XX | SECRET_BARE,
	.actions = DO_INCIDENT,
	.body_max = 25 * 1024 * 1024,	/* GitLab sends no larger ones */
	.proofs = proofs,
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_WARNING,
	.adjust = adjust,
};
