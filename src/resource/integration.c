/* integration.c - what people set up for a provider to post to: its form, and making, changing and removing one. */
#include "resource_int.h"

#include "grapnel/ingest.h"
#include "grapnel/json.h"

#define SECRET_MAX 900		/* as the store takes it */
#define SETTINGS_MAX (512 * 1024)	/* while it is put together; the store takes less */
#define GRACE_MAX (90 * 86400)	/* seconds: a rotation is over within a quarter */

/* Only what somebody carries out: an event with another action would stay pending. */
static const struct form_word action_words[] = {
	{ "incident", DO_INCIDENT },
	{ "forward", DO_FORWARD },
	{ "record", DO_RECORD },
	{ 0 }
};

static const struct form_word mode_words[] = {
	{ "queued", 1u << FORWARD_QUEUED },
	{ "inline", 1u << FORWARD_INLINE },
	{ 0 }
};

struct retry_policy {
	uint64_t max_retries, backoff_s;
};

static const struct form_field retry_policy_fields[] = {
	{ "maxRetries", NUMBER_AT(struct retry_policy, max_retries), .max = RETRIES_MAX },
	{ "backoffSeconds", NUMBER_AT(struct retry_policy, backoff_s), .min = 1, .max = BACKOFF_MAX },
	FORM_END
};

const struct form_field integration_fields[] = {
	{ "name", TEXT_AT(struct integration_form, name), FORM_REQUIRED, 1, 400,
		.help = "1 to 100 characters" },
	{ "type", TEXT_AT(struct integration_form, type), FORM_REQUIRED | FORM_FIXED, 1, 32,
		.help = "Provider slug" },
	{ "serviceId", TEXT_AT(struct integration_form, service), .max = 23,
		.help = "Service whose incidents it opens; else the tenant's default service" },
	{ "signatureSecret", TEXT_AT(struct integration_form, secret), .max = SECRET_MAX,
		.help = "What the provider signs with; null or empty removes it" },
	{ "generateSecret", BOOL_AT(struct integration_form, make_secret),
		.help = "Makes a signature secret" },
	{ "rateLimitPerMinute", NUMBER_AT(struct integration_form, per_minute), FORM_NULL,
		.max = 1000000, .absent = RATE_DEFAULT,
		.help = "0 = no limit; null = the type's default" },
	{ "allowedIps", ADDRESSES_AT(struct integration_form, allowed_ips),
		.help = "Addresses and networks that may send; null or empty = all" },
	{ "actions", WORDS_AT(struct integration_form, actions), FORM_NULL, .words = action_words,
		.help = "What is done with its events; null = the type's default" },
	{ "handlerUrl", TEXT_AT(struct integration_form, handler_url), .max = HANDLER_URL_MAX,
		.help = "Where the action forward posts events, http or https; null or empty removes it" },
	{ "handlerSecret", TEXT_AT(struct integration_form, handler_secret), .max = SECRET_MAX,
		.help = "What events are signed with for the handler; without one the signature secret, and where there is none one is made" },
	{ "forwardMode", WORDS_AT(struct integration_form, forward_mode), FORM_NULL, .words = mode_words,
		.absent = 1u << FORWARD_QUEUED,
		.help = "queued: the sender is answered at once; inline: after the handler, with 500 if that failed" },
	{ "retryPolicy", OBJECT_AT(struct integration_form, retry_policy),
		.help = "maxRetries after the first attempt, backoffSeconds before the second, doubling; null = 4 and 60" },
	{ "heartbeatMinutes", NUMBER_AT(struct integration_form, heartbeat_minutes), FORM_NULL, 1, HEARTBEAT_MAX,
		.help = "Expects an accepted request at least so often; silence raises the monitor alert STALE. null = does not" },
	{ "heartbeatIncident", BOOL_AT(struct integration_form, heartbeat_incident),
		.help = "Silence opens an incident as well, which the next request resolves" },
	{ "retentionDays", NUMBER_AT(struct integration_form, retention_days), FORM_NULL, 1, RETENTION_MAX,
		.help = "How long its processed events are kept; null = as its tenant, or the configuration, says" },
	{ "requireKey", BOOL_AT(struct integration_form, require_key),
		.help = "Key and signature both are needed" },
	{ "routeByService", BOOL_AT(struct integration_form, route_by_service),
		.help = "The service an event names decides, where one of that name exists" },
	{ "enabled", BOOL_AT(struct integration_form, enabled),
		.help = "A disabled one answers 403" },
	{ "isDefault", BOOL_AT(struct integration_form, is_default),
		.help = "Serves /api/webhooks/{type} without an id" },
	{ "alertTestMode", BOOL_AT(struct integration_form, alert_test_mode),
		.help = "Stripe: events of test mode open incidents too" },
	{ "settings", OBJECT_AT(struct integration_form, settings),
		.help = "Settings that only this type knows" },
	FORM_END
};

const struct form_field integration_query_fields[] = {
	{ "type", TEXT_AT(struct integration_query, type), .max = 32, .help = "Provider slug" },
	{ "provider", TEXT_AT(struct integration_query, type), .max = 32, .help = "The same as type" },
	{ "limit", NUMBER_AT(struct integration_query, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX,
		.help = "Most integrations in the answer" },
	CURSOR_ROW(struct integration_query, cursor, "integrations"),
	FORM_END
};

bool integration_query_list(const struct caller *by, const struct integration_query *q, struct source **out, size_t *n,
	uint64_t *next, struct err *e)
{
	*next = 0;
	if (!source_list(by->db, by->a, (uint32_t)by->tenant_id, q->type, q->cursor, q->limit + 1, by->now, out, n, e))
		return false;
	if (*n > q->limit) {
		*n = q->limit;
		*next = (*out)[*n - 1].id;
	}
	return true;
}

static bool is_secret(const struct provider *p, struct str name)
{
	for (const struct setting *s = p->settings; s && s->name; s++)
		if (str_eqs(name, s->name))
			return s->kind == SETTING_SECRET;
	return false;
}

/* What is sealed already is what was stored before. */
static void seal_secret(const struct caller *by, const struct provider *p, struct json *member)
{
	if (!is_secret(p, member->name) || source_setting_is_sealed(member->text))
		return;
	member->text = source_setting_seal(by->a, by->seal, member->name, json_text(member));
	member->type = JSON_STRING;
}

/* The members of `settings`, with alertTestMode as it is wanted; empty settings are none. */
static struct str settings_text(const struct caller *by, const struct provider *p, const struct json *settings, bool alert_test_mode)
{
	struct json *merged = json_new(by->a, JSON_OBJECT), *flag = json_new(by->a, JSON_BOOL);
	struct json_out o;
	struct strbuf b;

	for (const struct json *j = settings ? settings->first : NULL; j; j = j->next) {
		struct json *copy = ARENA_NEW(by->a, struct json);

		*copy = *j;
		copy->next = NULL;
		seal_secret(by, p, copy);
		if (!str_eqs(j->name, "alertTestMode"))
			json_add(merged, j->name, copy);
	}
	flag->text = STR("true");
	if (alert_test_mode)
		json_add(merged, STR("alertTestMode"), flag);
	if (!merged->count)
		return STR_NONE;
	strbuf_init(&b, by->a, SETTINGS_MAX);
	json_out_init(&o, &b);
	json_tree(&o, merged);
	return strbuf_str(&b);
}

/* What a made secret of its begins with. */
static const char *secret_prefix(const struct provider *p)
{
	return p && p->flags & SECRET_BARE ? "" : "whsec_";
}

/* ---- the handler ---- */

/* Over the policy that is there, or over the default. */
static bool read_policy(const struct caller *by, const struct integration_form *f, struct source *s, struct err *e)
{
	struct retry_policy p = { s->max_retries, s->backoff_s };
	struct err why = { 0 };

	if (!f->retry_policy || !s->backoff_s)
		p = (struct retry_policy){ RETRIES_DEFAULT, BACKOFF_DEFAULT };
	if (f->retry_policy && !form_read_json(by->a, f->retry_policy, retry_policy_fields, FORM_CHANGE, &p, &why))
		return err_field(e, ERR_INVALID, "retryPolicy", "retryPolicy: %s", why.text);
	s->max_retries = p.max_retries;
	s->backoff_s = p.backoff_s;
	return true;
}

/* What goes to a handler is signed, always: where there is no secret to do it with, one is made. */
static bool handler_to_source(const struct caller *by, struct integration_form *f, struct source *s, struct err *e)
{
	bool url_is_new = f->handler_url.n && !str_eq(f->handler_url, s->handler_url);
	bool has_secret = f->secret.p ? f->secret.n > 0 : s->has_secret;
	bool has_handler_secret = f->handler_secret.p ? f->handler_secret.n > 0 : s->has_handler_secret;

	if (f->forward_mode & (f->forward_mode - 1))
		return err_field(e, ERR_INVALID, "forwardMode", "forwardMode is either queued or inline.");
	if (url_is_new && !address_check(by, guard_resolve, f->handler_url, "handlerUrl", e))
		return false;
	f->made_handler_secret = s->actions & DO_FORWARD && f->handler_url.n && !has_secret && !has_handler_secret;
	if (f->made_handler_secret)
		f->handler_secret = secret_make(by, "whsec_");
	s->handler_url = f->handler_url;
	s->handler_secret = f->handler_secret;
	s->forward_mode = f->forward_mode & 1u << FORWARD_INLINE ? FORWARD_INLINE : FORWARD_QUEUED;
	return read_policy(by, f, s, e);
}

/* ---- form and source ---- */

/* What the form says over what is stored (or over nothing). */
static bool form_to_source(const struct caller *by, struct integration_form *f, const struct provider *p,
	struct source *s, struct err *e)
{
	if (f->alert_test_mode && strcmp(p->slug, "stripe"))
		return err_field(e, ERR_INVALID, "alertTestMode",
			"alertTestMode is for the type stripe only.");
	if (!provider_settings_check(p, f->settings, e))
		return false;
	if (f->make_secret && f->secret.n)
		return err_field(e, ERR_INVALID, "generateSecret",
			"Give a signatureSecret or have one made, not both.");
	if (f->make_secret)
		f->secret = secret_make(by, secret_prefix(p));
	s->name = f->name;
	s->service_public_id = f->service;
	if (!f->service.n)
		s->service_id = 0;	/* the default one */
	s->allowed_ips = f->allowed_ips;
	s->actions = f->actions ? f->actions : p->actions;
	s->rate_per_minute = f->per_minute;
	s->heartbeat_minutes = f->heartbeat_minutes;
	s->heartbeat_incident = f->heartbeat_incident;
	s->retention_days = f->retention_days;
	s->require_key = f->require_key;
	s->route_by_service = f->route_by_service;
	s->enabled = f->enabled;
	s->is_default = f->is_default;
	s->settings = settings_text(by, p, f->settings, f->alert_test_mode);
	return handler_to_source(by, f, s, e);
}

static const struct json *policy_json(const struct caller *by, const struct source *s)
{
	struct json *policy = json_new(by->a, JSON_OBJECT);
	const uint64_t values[] = { s->max_retries, s->backoff_s };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct json *number = json_new(by->a, JSON_NUMBER);

		number->text = arena_printf(by->a, "%llu", (unsigned long long)values[i]);
		json_add(policy, str_of(retry_policy_fields[i].name), number);
	}
	return policy;
}

void integration_to_form(const struct caller *by, const struct source *s, struct integration_form *f)
{
	const struct json *settings = NULL;
	struct err ignored = { 0 };

	*f = (struct integration_form){
		.name = s->name,
		.service = s->service_public_id,
		.allowed_ips = s->allowed_ips,
		.actions = s->actions,
		.per_minute = s->rate_per_minute,
		.heartbeat_minutes = s->heartbeat_minutes,
		.heartbeat_incident = s->heartbeat_incident,
		.retention_days = s->retention_days,
		.handler_url = s->handler_url,
		.forward_mode = 1u << s->forward_mode,
		.retry_policy = policy_json(by, s),
		.require_key = s->require_key,
		.route_by_service = s->route_by_service,
		.enabled = s->enabled,
		.is_default = s->is_default,
	};
	if (s->settings.n && json_parse(by->a, s->settings, &settings, &ignored))
		f->settings = settings;
	f->alert_test_mode = str_eqs(json_text(json_get(settings, "alertTestMode")), "true");
}

/* Registrations are no integrations: they have paths of their own. */
int integration_find(const struct caller *by, struct str public_id, struct source *out, struct err *e)
{
	if (!public_id_is(public_id, "in"))
		return 0;
	return source_get(by->db, by->a, (uint32_t)by->tenant_id, public_id, by->now, out, e);
}

bool integration_create(const struct caller *by, struct integration_form *f, struct source *made, struct str *key,
	struct err *e)
{
	struct source s = { .tenant_id = by->tenant_id, .kind = SOURCE_INTEGRATION };
	struct who who = caller_who(by, by->tenant_id);
	const struct provider *p = provider_find(f->type);

	if (!p)
		return err_field(e, ERR_INVALID, "type", "There is no provider of that type.");
	s.provider = str_of(p->slug);
	s.public_id = f->public_id;
	s.key = f->key;
	return form_to_source(by, f, p, &s, e) &&
		source_add(by->db, by->a, by->seal, by->shm, &s, f->secret, &who, by->now, made, key, e);
}

static bool not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no such integration");
}

/* One try. 1, 0, -1 as the store. */
static int change(const struct caller *by, struct source *s,
	bool (*read)(void *ctx, struct integration_form *f, struct err *e), void *ctx, struct integration_form *f, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	const struct provider *p = provider_find(s->provider);

	if (!p)
		return 0;
	integration_to_form(by, s, f);
	if (!read(ctx, f, e) || !form_to_source(by, f, p, s, e))
		return -1;
	return source_update(by->db, by->a, by->seal, by->shm, s, f->secret, &who, by->now, e);
}

bool integration_change(const struct caller *by, struct str public_id,
	bool (*read)(void *ctx, struct integration_form *f, struct err *e), void *ctx, struct integration_form *f,
	struct source *out, struct err *e)
{
	int done, tries = 0;

	do {
		done = integration_find(by, public_id, out, e);
		if (done == 1)
			done = change(by, out, read, ctx, f, e);
	} while (changed_meanwhile(done, &tries, e));
	if (done == 1)
		done = integration_find(by, public_id, out, e);
	return done == 1 || (!done && not_found(e));
}

/* ---- key and secret ---- */

#define GRACE_FIELD \
	{ "graceSeconds", NUMBER_AT(struct rotate_form, grace_seconds), .max = GRACE_MAX, \
		.help = "How long the old one stays valid beside the new one; 0 ends it at once" }

const struct form_field integration_rotate_key_fields[] = {
	GRACE_FIELD,
	FORM_END
};

const struct form_field integration_rotate_secret_fields[] = {
	GRACE_FIELD,
	{ "signatureSecret", TEXT_AT(struct rotate_form, secret), .max = SECRET_MAX,
		.help = "The new one, where the provider made it; else one is made" },
	FORM_END
};

/* What a change of an integration's proof came to: 1, 0 and -1 of the store. */
static bool after_rotation(const struct caller *by, struct str public_id, int done, struct source *out, struct err *e)
{
	if (done == 1)
		done = integration_find(by, public_id, out, e);
	return done == 1 || (!done && not_found(e));
}

bool integration_rotate_key(const struct caller *by, struct str public_id, const struct rotate_form *f, struct source *out,
	struct str *key, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	int done = integration_find(by, public_id, out, e);

	if (done == 1)
		done = source_rotate_key(by->db, by->a, by->seal, by->shm, by->tenant_id, public_id,
			(ms_t)f->grace_seconds * MS_PER_SECOND, &who, by->now, key, e);
	return after_rotation(by, public_id, done, out, e);
}

bool integration_rotate_secret(const struct caller *by, struct str public_id, struct rotate_form *f, struct source *out,
	struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	int done = integration_find(by, public_id, out, e);

	if (done == 1 && !f->secret.n)
		f->secret = secret_make(by, secret_prefix(provider_find(out->provider)));
	if (done == 1)
		done = source_rotate_secret(by->db, by->a, by->seal, by->shm, by->tenant_id, public_id, f->secret,
			(ms_t)f->grace_seconds * MS_PER_SECOND, &who, by->now, e);
	return after_rotation(by, public_id, done, out, e);
}

bool integration_key(const struct caller *by, struct str public_id, struct str *key, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct source s;
	int found = integration_find(by, public_id, &s, e);

	if (found == 1)
		found = source_key(by->db, by->a, by->seal, by->tenant_id, public_id, &who, by->now, key, e);
	return found == 1 || (!found && not_found(e));
}

bool integration_received_secret(const struct caller *by, struct str public_id, struct str *secret, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct source s;
	int found = integration_find(by, public_id, &s, e);

	if (found != 1)
		return !found && not_found(e);
	found = source_received_secret(by->db, by->a, by->seal, by->tenant_id, public_id, &who, by->now, secret, e);
	return found == 1 || (!found && err_tell(e, ERR_CONFLICT, "No secret came that was not shown yet."));
}

/* ---- the test webhook ---- */

const struct form_field integration_test_fields[] = {
	{ "notify", BOOL_AT(struct test_form, notify), .help = "Channels and endpoints are told of its incident, marked as a test; nobody is paged" },
	FORM_END
};

bool integration_test(const struct caller *by, struct str public_id, const struct test_form *f, struct str trace, struct ingest_tested *out,
	struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct source s;
	int done = integration_find(by, public_id, &s, e);

	if (done == 1)
		done = ingest_test(by->ingest, by->a, by->tenant_id, public_id, NULL, f->notify, by->remote_addr, trace, by->now, out, e);
	if (!done)
		return not_found(e);
	return done == 1 && tested_audit(by->db, by->a, &who, public_id, out, by->now, e);
}

/* ---- the end ---- */

bool integration_remove(const struct caller *by, struct str public_id, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct source s;
	int done = integration_find(by, public_id, &s, e);

	if (done == 1)
		done = source_delete(by->db, by->a, by->shm, (uint32_t)by->tenant_id, public_id, &who, by->now, e);
	return done == 1 || (!done && not_found(e));
}
