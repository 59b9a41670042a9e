/* GitHub: one event per request, named by a header. What alerts are runs, checks, deployments,
 * commit statuses and the four kinds of security alerts; everything else is kept and ignored, since
 * new events and actions appear all the time.
 *
 * Keys hold what stays the same from a failure to the success that ends it: repository, workflow,
 * branch, never a run. GitHub does not repeat by itself, and a redelivery by hand has the GUID of
 * the first delivery. Sources: docs.github.com "Webhook events and payloads", "Validating webhook
 * deliveries"; octokit/webhooks payload-examples. */
#include "provider_int.h"

static const struct proof signature = {
	.name = "github",
	.header = "x-hub-signature-256",
	.prefix = "sha256=",
	.encoding = ENC_HEX,
	.digest = DIGEST_SHA256,
	.parts = { "$body" },
};

/* Comes along for old receivers; counts only where a setting says so and the other header is not
 * there. */
static const struct proof old_signature = {
	.name = "hub-sha1",
	.header = "x-hub-signature",
	.allowed_by = "allowSha1",
	.prefix = "sha1=",
	.encoding = ENC_HEX,
	.digest = DIGEST_SHA1,
	.parts = { "$body" },
};

static const struct proof *const proofs[] = { &signature, &old_signature, NULL };

static const struct setting settings[] = {
	{ "allowSha1", SETTING_FLAG, "Take SHA-1 signatures",
		"For old servers that send X-Hub-Signature alone; SHA-1 is weak, so leave it off "
		"otherwise." },
	{ 0 }
};

/* ---- words ----------------------------------------------------------------------------------- */

/* State and conclusion together: a body with action "completed" and status "queued" exists. */
static const struct word conclusions[] = {
	{ "completed.failure", ACTION_TRIGGER },
	{ "completed.timed_out", ACTION_TRIGGER },
	{ "completed.startup_failure", ACTION_TRIGGER },
	{ "completed.success", ACTION_RESOLVE },
	{ 0 }
};

static const struct word states[] = {
	{ "failure", ACTION_TRIGGER },
	{ "error", ACTION_TRIGGER },
	{ "success", ACTION_RESOLVE },
	{ 0 }
};

static const struct word dependabot_actions[] = {
	{ "created", ACTION_TRIGGER },
	{ "reopened", ACTION_TRIGGER },
	{ "reintroduced", ACTION_TRIGGER },
	{ "auto_reopened", ACTION_TRIGGER },
	{ "fixed", ACTION_RESOLVE },
	{ "dismissed", ACTION_RESOLVE },
	{ "auto_dismissed", ACTION_RESOLVE },
	{ 0 }
};

static const struct word code_scanning_actions[] = {
	{ "created", ACTION_TRIGGER },
	{ "reopened", ACTION_TRIGGER },
	{ "reopened_by_user", ACTION_TRIGGER },
	{ "fixed", ACTION_RESOLVE },
	{ "closed_by_user", ACTION_RESOLVE },
	{ 0 }
};

static const struct word secret_scanning_actions[] = {
	{ "created", ACTION_TRIGGER },
	{ "reopened", ACTION_TRIGGER },
	{ "publicly_leaked", ACTION_TRIGGER },
	{ "resolved", ACTION_RESOLVE },
	{ 0 }
};

static const struct word vulnerability_actions[] = {
	{ "create", ACTION_TRIGGER },
	{ "reopen", ACTION_TRIGGER },
	{ "dismiss", ACTION_RESOLVE },
	{ "resolve", ACTION_RESOLVE },
	{ 0 }
};

static const struct word production_flag[] = { { "true", SEVERITY_CRITICAL }, { 0 } };

static const struct word production_names[] = {
	{ "production", SEVERITY_CRITICAL },
	{ "prod", SEVERITY_CRITICAL },
	{ 0 }
};

static const struct word rule_severities[] = {
	{ "error", SEVERITY_ERROR },
	{ "warning", SEVERITY_WARNING },
	{ "note", SEVERITY_INFO },
	{ "none", SEVERITY_INFO },
	{ 0 }
};

/* ---- rows for each kind of event ------------------------------------------------------------- */

#define REPOSITORY "{/repository/id|/repository/full_name}"
#define REPOSITORY_URL "/repository/html_url"

#define RUN "/workflow_run"
#define RUN_BRANCH RUN "/head_branch|" RUN "/head_sha"

static const struct map workflow_run[] = {
	{ EV_ACTION, "{" RUN "/status}.{" RUN "/conclusion}", WORD, conclusions },
	{ EV_EVENT_TYPE, "workflow_run[.{/action}]" },
	{ EV_ENTITY_TYPE, "'workflow_run'" },
	{ EV_ENTITY_ID, RUN "/id" },
	{ EV_DEDUP_KEY, "workflow_run:" REPOSITORY ":{" RUN "/workflow_id}:"
		"{" RUN "/head_repository/id|/repository/id|/repository/full_name}:"
		"{" RUN_BRANCH "}" },
	{ EV_SUMMARY, "{/workflow/name|" RUN "/name|" RUN "/path}: "
		"{" RUN "/conclusion|" RUN "/status}[ on {" RUN_BRANCH "}]" },
	{ EV_OCCURRED, RUN "/updated_at", TIME },
	{ EV_LINK, RUN "/html_url|" REPOSITORY_URL },
	{ EV_DETAILS, RUN "/run_number" },
	{ EV_DETAILS, RUN "/run_attempt" },
	{ EV_DETAILS, RUN "/event" },
	{ EV_DETAILS, RUN "/head_sha" },
	{ EV_END }
};

#define CHECK "/check_run"
#define CHECK_BRANCH \
	CHECK "/check_suite/head_branch|" CHECK "/check_suite/head_sha|" CHECK "/head_sha"

static const struct map check_run[] = {
	{ EV_ACTION, "{/action}.{" CHECK "/conclusion}", WORD, conclusions },
	{ EV_EVENT_TYPE, "check_run[.{/action}]" },
	{ EV_ENTITY_TYPE, "'check_run'" },
	{ EV_ENTITY_ID, CHECK "/id" },
	{ EV_DEDUP_KEY, "check_run:" REPOSITORY ":{" CHECK "/app/slug|" CHECK "/app/id|'-'}:"
		"{" CHECK "/name}:{" CHECK_BRANCH "}" },
	{ EV_SUMMARY, "{" CHECK "/name}: {" CHECK "/conclusion|" CHECK "/status}"
		"[ on {" CHECK_BRANCH "}]" },
	{ EV_DESCRIPTION, CHECK "/output/summary|" CHECK "/output/title" },
	{ EV_OCCURRED, CHECK "/completed_at", TIME },
	{ EV_LINK, CHECK "/html_url|" REPOSITORY_URL },
	{ EV_LINK, CHECK "/details_url" },
	{ EV_DETAILS, CHECK "/head_sha" },
	{ EV_END }
};

#define SUITE "/check_suite"
#define SUITE_BRANCH SUITE "/head_branch|" SUITE "/head_sha"

static const struct map check_suite[] = {
	{ EV_ACTION, "{/action}.{" SUITE "/conclusion}", WORD, conclusions },
	{ EV_EVENT_TYPE, "check_suite[.{/action}]" },
	{ EV_ENTITY_TYPE, "'check_suite'" },
	{ EV_ENTITY_ID, SUITE "/id" },
	{ EV_DEDUP_KEY, "check_suite:" REPOSITORY ":{" SUITE "/app/slug|" SUITE "/app/id|'-'}:"
		"{" SUITE_BRANCH "}" },
	{ EV_SUMMARY, "Checks[ of {" SUITE "/app/name}]: {" SUITE "/conclusion|" SUITE "/status}"
		"[ on {" SUITE_BRANCH "}]" },
	{ EV_OCCURRED, SUITE "/updated_at", TIME },
	{ EV_LINK, REPOSITORY_URL },
	{ EV_DETAILS, SUITE "/head_sha" },
	{ EV_END }
};

/* The state stands in deployment_status, never in deployment. */
#define DEPLOYMENT "/deployment_status"
#define ENVIRONMENT DEPLOYMENT "/environment|/deployment/environment"

static const struct map deployment_status[] = {
	{ EV_ACTION, DEPLOYMENT "/state", WORD, states },
	{ EV_EVENT_TYPE, "deployment_status[.{/action}]" },
	{ EV_ENTITY_TYPE, "'deployment_status'" },
	{ EV_ENTITY_ID, "/deployment/id" },
	{ EV_DEDUP_KEY, "deployment:" REPOSITORY ":{/deployment/task|'deploy'}:{" ENVIRONMENT "}" },
	{ EV_SEVERITY, "/deployment/production_environment", WORD, production_flag, ON_TRIGGER },
	{ EV_SEVERITY, ENVIRONMENT, WORD, production_names, ON_TRIGGER },
	{ EV_SUMMARY, "Deployment to {" ENVIRONMENT "}: {" DEPLOYMENT "/state}" },
	{ EV_DESCRIPTION, DEPLOYMENT "/description" },
	{ EV_OCCURRED, DEPLOYMENT "/updated_at|" DEPLOYMENT "/created_at", TIME },
	{ EV_LINK, DEPLOYMENT "/log_url|" DEPLOYMENT "/target_url|" REPOSITORY_URL },
	{ EV_DETAILS, "/deployment/ref" },
	{ EV_DETAILS, "/deployment/sha" },
	{ EV_END }
};

/* Commit statuses of the old API. Their key names a branch, which adjust looks for. */
static const struct map status[] = {
	{ EV_ACTION, "/state", WORD, states },
	{ EV_EVENT_TYPE, "status[.{/action}]" },
	{ EV_ENTITY_TYPE, "'status'" },
	{ EV_ENTITY_ID, "/id|/sha" },
	{ EV_SUMMARY, "{/context}: {/state}[: {/description}]" },
	{ EV_OCCURRED, "/updated_at|/created_at", TIME },
	{ EV_LINK, "/target_url|/commit/html_url|" REPOSITORY_URL },
	{ EV_DETAILS, "/sha" },
	{ EV_END }
};

/* Times of alerts: created_at stays the same when an alert is reopened, so it would let the barrier
 * of the resolve before stop the reopening. Without updated_at the time of receipt counts. */
#define ALERT_ROWS(name) \
	{ EV_EVENT_TYPE, name "[.{/action}]" }, \
	{ EV_ENTITY_TYPE, "'" name "'" }, \
	{ EV_ENTITY_ID, "/alert/number|/alert/id" }, \
	{ EV_OCCURRED, "/alert/updated_at", TIME }, \
	{ EV_OCCURRED, "/alert/fixed_at|/alert/dismissed_at|/alert/resolved_at", TIME, \
		.only = ON_RESOLVE }, \
	{ EV_LINK, "/alert/html_url|" REPOSITORY_URL }

#define ADVISORY_SEVERITY "/alert/security_advisory/severity|/alert/security_vulnerability/severity"

static const struct map dependabot_alert[] = {
	{ EV_ACTION, "/action", WORD, dependabot_actions },
	ALERT_ROWS("dependabot_alert"),
	{ EV_DEDUP_KEY, "dependabot_alert:" REPOSITORY ":{/alert/number}" },
	{ EV_SEVERITY, ADVISORY_SEVERITY, WORD, severity_words },
	{ EV_NATIVE_SEVERITY, ADVISORY_SEVERITY },
	{ EV_SUMMARY, "/alert/security_advisory/summary" },
	{ EV_DESCRIPTION, "/alert/security_advisory/description" },
	{ EV_DETAILS, "/alert/dependency" },
	{ EV_END }
};

static const struct map code_scanning_alert[] = {
	{ EV_ACTION, "/action", WORD, code_scanning_actions },
	ALERT_ROWS("code_scanning_alert"),
	{ EV_DEDUP_KEY, "code_scanning_alert:" REPOSITORY ":{/alert/number}" },
	{ EV_SEVERITY, "/alert/rule/security_severity_level", WORD, severity_words },
	{ EV_SEVERITY, "/alert/rule/severity", WORD, rule_severities },
	{ EV_SEVERITY, "'warning'", WORD, severity_words },
	{ EV_NATIVE_SEVERITY, "/alert/rule/security_severity_level|/alert/rule/severity" },
	{ EV_SUMMARY, "/alert/rule/description|/alert/rule/name|/alert/rule/id" },
	{ EV_DETAILS, "/alert/tool" },
	{ EV_DETAILS, "/ref" },
	{ EV_END }
};

static const struct map secret_scanning_alert[] = {
	{ EV_ACTION, "/action", WORD, secret_scanning_actions },
	ALERT_ROWS("secret_scanning_alert"),
	{ EV_DEDUP_KEY, "secret_scanning_alert:" REPOSITORY ":{/alert/number}" },
	{ EV_SEVERITY, "'critical'", WORD, severity_words },
	{ EV_SUMMARY, "/alert/secret_type_display_name|/alert/secret_type" },
	{ EV_END }
};

static const struct map vulnerability_alert[] = {
	{ EV_ACTION, "/action", WORD, vulnerability_actions },
	ALERT_ROWS("repository_vulnerability_alert"),
	{ EV_DEDUP_KEY, "repository_vulnerability_alert:" REPOSITORY ":{/alert/id}" },
	{ EV_SEVERITY, "/alert/severity", WORD, severity_words },
	{ EV_NATIVE_SEVERITY, "/alert/severity" },
	{ EV_SUMMARY, "{/alert/affected_package_name}[: {/alert/external_identifier}]" },
	{ EV_END }
};

/* Everything that alerts nobody. Without the header (a registration fed by a proxy) the object that
 * is there tells. */
#define OTHER_SUMMARY "/issue/title|/pull_request/title|/security_advisory/summary|" \
	"/discussion/title|/release/name|/zen"
#define OTHER_LINK "/issue/html_url|/pull_request/html_url|/release/html_url|" \
	"/workflow_job/html_url|/compare|" REPOSITORY_URL

static const struct map other[] = {
	{ EV_EVENT_TYPE, "{@x-github-event}[.{/action}]" },
	{ EV_ENTITY_TYPE, "@x-github-event" },
	{ EV_ENTITY_ID, "/issue/number|/pull_request/number|/workflow_job/id|/deployment/id|"
		"/alert/number|/after" },
	{ EV_SUMMARY, OTHER_SUMMARY },
	{ EV_SUMMARY, "{@x-github-event}[ {/action}][ {/ref}]"
		"[ in {/repository/full_name|/organization/login}]" },
	{ EV_LINK, OTHER_LINK },
	{ EV_END }
};

static const struct map pull_request[] = {
	{ EV_EVENT_TYPE, "pull_request[.{/action}]" },
	{ EV_ENTITY_TYPE, "'pull_request'" },
	{ EV_ENTITY_ID, "/pull_request/number" },
	{ EV_SUMMARY, OTHER_SUMMARY },
	{ EV_LINK, OTHER_LINK },
	{ EV_END }
};

static const struct map issues[] = {
	{ EV_EVENT_TYPE, "issues[.{/action}]" },
	{ EV_ENTITY_TYPE, "'issues'" },
	{ EV_ENTITY_ID, "/issue/number" },
	{ EV_SUMMARY, OTHER_SUMMARY },
	{ EV_LINK, OTHER_LINK },
	{ EV_END }
};

static const struct map push[] = {
	{ EV_EVENT_TYPE, "'push'" },
	{ EV_ENTITY_TYPE, "'push'" },
	{ EV_ENTITY_ID, "/after" },
	{ EV_SUMMARY, "push[ {/ref}][ in {/repository/full_name}]" },
	{ EV_LINK, OTHER_LINK },
	{ EV_END }
};

/* ---- which rows for which event -------------------------------------------------------------- */

static const char event_name[] = "@x-github-event";

#define NAME(name) (const char *const[]){ name, NULL }

static const struct variant variants[] = {
	{ event_name, NAME("workflow_run"), workflow_run },
	{ event_name, NAME("check_run"), check_run },
	{ event_name, NAME("check_suite"), check_suite },
	{ event_name, NAME("deployment_status"), deployment_status },
	{ event_name, NAME("status"), status },
	{ event_name, NAME("dependabot_alert"), dependabot_alert },
	{ event_name, NAME("code_scanning_alert"), code_scanning_alert },
	{ event_name, NAME("secret_scanning_alert"), secret_scanning_alert },
	{ event_name, NAME("repository_vulnerability_alert"), vulnerability_alert },
	{ event_name, NULL, other },
	{ "/deployment_status/id", NULL, deployment_status },
	{ "/workflow_run/id", NULL, workflow_run },
	{ "/check_run/id", NULL, check_run },
	{ "/check_suite/id", NULL, check_suite },
	{ "/pull_request/number", NULL, pull_request },
	{ "/issue/number", NULL, issues },
	{ "/after", NULL, push },
	{ 0 }
};

static const struct map fields[] = {
	{ EV_EVENT_ID, "@x-github-delivery", NATIVE },
	{ EV_SOURCE, "/repository/full_name|/organization/login" },
	{ EV_SERVICE, "/repository/name" },
	{ EV_DETAILS, "/sender/login" },
	{ EV_END }
};

/* The default branch if the commit is on it, else the first branch named, else the commit. */
static struct str status_branch(struct arena *a, const struct where *w)
{
	struct str main_branch = expr_eval(a, "/repository/default_branch", w);
	const struct json *branches = json_get(w->element, "branches");

	if (json_is(branches, JSON_ARRAY))
		for (const struct json *b = branches->first; b; b = b->next)
			if (main_branch.n && str_eq(json_text(json_get(b, "name")), main_branch))
				return main_branch;
	return expr_eval(a, "/branches/0/name|/sha", w);
}

static bool adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	struct str prefix, branch;

	if (!ev->event_type.n) {	/* no header, and none of the objects by which one is known without */
		ev->invalid = "X-GitHub-Event";
		return false;
	}
	if (!str_eqs(ev->entity_type, "status"))
		return true;
	prefix = expr_eval(a, "status:" REPOSITORY ":{/context}", w);
	branch = status_branch(a, w);
	if (prefix.n && branch.n)
		ev->dedup_key = arena_printf(a, "%.*s:%.*s", STR_ARG(prefix), STR_ARG(branch));
	return true;
}

/* ---- setting it up, and trying it ------------------------------------------------------------ */

static const struct step steps[] = {
	{ "On GitHub open the repository or the organization: Settings, Webhooks, Add "
		"webhook.", NULL },
	{ "Payload URL:", "{url}" },
	{ "Content type: application/json. SSL verification stays enabled.", NULL },
	{ "Secret:", "{secret}" },
	{ "Which events: let me select individual events. Workflow runs, Check runs, Check suites, "
		"Deployment statuses, Statuses, Dependabot alerts, Code scanning alerts and Secret "
		"scanning alerts can open incidents; all others are kept and open none.", NULL },
	{ "Add webhook. GitHub sends a ping at once.", NULL },
	{ 0 }
};

static const struct sample sample = {
	.headers = {
		{ "user-agent", "GitHub-Hookshot/7e57000" },
		{ "x-github-event", "workflow_run" },
		{ "x-github-delivery", "7e570000-0000-4000-8000-$nonce" },
	},
	.body = "{'action':'completed','workflow_run':{'id':$ms,'name':'[GitHub] Test Alert - CI',"
		"'head_branch':'main','head_sha':'7e577e577e577e577e577e577e57$nonce',"
		"'path':'.github/workflows/ci.yml','run_number':1,'run_attempt':1,'event':'push',"
		"'status':'completed','conclusion':'failure','workflow_id':$seconds,"
		"'created_at':'$time','updated_at':'$time',"
		"'html_url':'https://github.com/example/test-service/actions/runs/$ms',"
		"'head_repository':{'id':$seconds,'full_name':'example/test-service'}},"
		"'workflow':{'id':$seconds,'name':'[GitHub] Test Alert - CI',"
		"'path':'.github/workflows/ci.yml','state':'active'},'repository':{'id':$seconds,"
		"'name':'test-service','full_name':'example/test-service','private':true,"
		"'html_url':'https://github.com/example/test-service','default_branch':'main',"
		"'owner':{'login':'example'}},'sender':{'login':'grapnel-test'}}",
	.severity = "failure",
};

const struct provider provider_github = {
	.slug = "github",
	.title = "GitHub",
	.group = GROUP_DEVELOPMENT,
	.about = "Failed workflows, checks and deployments, security alerts, and the success that "
		"ends them.",
	.signs = "HMAC-SHA256 of the body in X-Hub-Signature-256, with the secret that you enter "
		"at the webhook.",
	.on_error = "GitHub waits 10 s for an answer and never repeats by itself; Recent "
		"Deliveries has a button for it.",
	.settings = settings,
	.detour = { "x-gitlab-event", &provider_gitlab },
	.steps = steps,
	.sample = &sample,
	.methods = METHOD_POST,
	.bodies = BODY_JSON | BODY_FORM,
	.actions = DO_INCIDENT,
	.body_max = 25 * 1024 * 1024,	/* GitHub sends no larger ones */
	.proofs = proofs,
	.form_json = "payload",
	.variants = variants,
	.fields = fields,
	.severity_trigger = SEVERITY_ERROR,
	.adjust = adjust,
};
