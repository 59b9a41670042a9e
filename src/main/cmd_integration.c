/* cmd_integration.c - integrations: where providers post. The fields and their rules are those of the API. */
#include "ctl_int.h"

#include "grapnel/resource.h"

struct made {
	struct str id, webhook_url, key, secret, handler_secret;
};

#define MADE_FIELDS \
	FIELD_STR(struct made, id, "id", ""), \
	FIELD_STR(struct made, webhook_url, "webhookUrl", ""), \
	FIELD_STR(struct made, key, "key", ""), \
	FIELD_STR(struct made, secret, "signatureSecret", "")

static const struct field made_fields[] = {
	MADE_FIELDS,
	FIELD_END
};

static const struct field made_with_handler_fields[] = {
	MADE_FIELDS,
	FIELD_STR(struct made, handler_secret, "handlerSecret", ""),
	FIELD_END
};

static const struct ctl_field add_fields[] = {
	{ "name", "name" },
	{ "secret", "signatureSecret" },
	{ "generate-secret", "generateSecret" },
	{ "rate", "rateLimitPerMinute" },
	{ "default", "isDefault" },
	{ "require-key", "requireKey" },
	{ "allowed-ips", "allowedIps" },
	{ "actions", "actions" },
	{ "heartbeat", "heartbeatMinutes" },
	{ "heartbeat-incident", "heartbeatIncident" },
	{ "retention", "retentionDays" },
	{ "handler-url", "handlerUrl" },
	{ "forward-mode", "forwardMode" },
	{ 0 }
};

/* By name or by id. */
static bool service_find(struct ctl *c, struct str word, struct str *public_id, struct err *e)
{
	struct service s;
	int found = public_id_is(word, "sv") ? service_by_public_id(c->db, c->arena, c->tenant_id, word, &s, e) :
		service_by_name(c->db, c->arena, c->tenant_id, word, &s, e);

	if (!found)
		err_set(e, ERR_NOT_FOUND, "there is no service \"%.*s\"", STR_ARG(word));
	if (found == 1)
		*public_id = s.public_id;
	return found == 1;
}

static bool read_new(struct ctl *c, struct integration_form *f, struct err *e)
{
	struct str service = ctl_value(c, "service");

	f->type = ctl_word(c, 0);
	if (ctl_has(c, "secret") + ctl_has(c, "secret-stdin") + ctl_has(c, "generate-secret") > 1)
		return err_set(e, ERR_INVALID, "--secret, --secret-stdin and --generate-secret exclude each other");
	if (!provider_find(f->type))
		return err_set(e, ERR_INVALID, "there is no integration type \"%s\"", c->words[0]);
	return (!ctl_has(c, "secret-stdin") || ctl_stdin_line(c, &f->secret, e)) &&
		ctl_form_read(c, 1, add_fields, integration_fields, FORM_CHANGE, f, e) && (!service.p || service_find(c, service, &f->service, e));
}

static bool add(struct ctl *c, struct err *e)
{
	struct caller by = ctl_caller(c);
	struct integration_form f = INTEGRATION_FORM_NEW;
	struct made made = { .id = STR_NONE };
	struct source out;

	if (!read_new(c, &f, e))
		return false;
	if (!f.name.n)
		return err_set(e, ERR_INVALID, "integration add needs --name");
	if (!integration_create(&by, &f, &out, &made.key, e))
		return false;
	made.id = out.public_id;
	made.secret = f.secret.n ? f.secret : STR_NONE;
	made.handler_secret = f.made_handler_secret ? f.handler_secret : STR_NONE;
	made.webhook_url = source_webhook_url(c->arena, str_of(c->conf.server.public_url), out.provider, out.public_id);
	ctl_one(c, made.handler_secret.n ? made_with_handler_fields : made_fields, &made);
	return true;
}

/* ---- integration list, show, delete ---- */

static bool list(struct ctl *c, struct err *e)
{
	struct integration_view *views;
	struct source *sources;
	uint64_t limit = LIST_LIMIT_MAX, cursor = 0, next = 0;
	size_t n;

	if (!ctl_number(c, "limit", 1, 10000, &limit, e) || !ctl_number(c, "cursor", 1, UINT32_MAX, &cursor, e) ||
		!source_list(c->db, c->arena, c->tenant_id, ctl_value(c, "type"), cursor, limit + 1, c->now, &sources, &n, e))
		return false;
	if (n > limit) {
		n = limit;
		next = sources[n - 1].id;
	}
	views = ARENA_ARRAY(c->arena, struct integration_view, n);
	for (size_t i = 0; i < n; i++)
		integration_view_fill(c->arena, &sources[i], str_of(c->conf.server.public_url), &views[i]);
	ctl_list(c, "integrations", integration_view_fields, "id type enabled webhookCount errorCount lastWebhookAt name", views,
		n, sizeof(*views), next);
	return true;
}

static bool missing(const struct ctl *c, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no integration \"%s\"", c->words[0]);
}

static void print(struct ctl *c, const struct source *s)
{
	struct integration_view v;

	integration_view_fill(c->arena, s, str_of(c->conf.server.public_url), &v);
	ctl_one(c, integration_view_fields, &v);
}

static bool show(struct ctl *c, struct err *e)
{
	struct source s;
	int found = source_get(c->db, c->arena, c->tenant_id, ctl_word(c, 0), c->now, &s, e);

	if (found != 1)
		return found == 0 ? missing(c, e) : false;
	print(c, &s);
	return true;
}

static bool delete(struct ctl *c, struct err *e)
{
	int found;

	if (!ctl_sure(c, "Delete this integration? Its provider will get 404.", e))
		return false;
	found = source_delete(c->db, c->arena, c->shm, c->tenant_id, ctl_word(c, 0), &c->who, c->now, e);
	if (found != 1)
		return found == 0 ? missing(c, e) : false;
	ctl_done(c, "integration %s is deleted", c->words[0]);
	return true;
}

/* ---- integration set ---- */

static const struct field secret_fields[] = {
	FIELD_STR(struct made, id, "id", ""),
	FIELD_STR(struct made, secret, "signatureSecret", ""),
	FIELD_STR(struct made, handler_secret, "handlerSecret", ""),
	FIELD_END
};

static bool read_wish(void *ctx, struct integration_form *f, struct err *e)
{
	return ctl_form_read(ctx, 1, NULL, integration_fields, FORM_CHANGE, f, e);
}

static bool set(struct ctl *c, struct err *e)
{
	struct caller by = ctl_caller(c);
	struct made made = { .id = ctl_word(c, 0) };
	struct integration_form f;
	struct source s;

	if (c->word_n < 2) {
		ctl_form_list(c, integration_fields);
		return true;
	}
	if (!integration_change(&by, made.id, read_wish, c, &f, &s, e))
		return e->code == ERR_NOT_FOUND ? missing(c, e) : false;
	made.secret = f.make_secret ? f.secret : STR_NONE;
	made.handler_secret = f.made_handler_secret ? f.handler_secret : STR_NONE;
	if (made.secret.n || made.handler_secret.n)
		ctl_one(c, secret_fields, &made);
	else
		print(c, &s);
	return true;
}

static const struct ctl_option add_options[] = {
	{ "name", "NAME", "as people know it; needed" },
	{ "service", "NAME|ID", "whose incidents it opens, if not the default service's" },
	{ "secret", "SECRET", "signature secret; better by --secret-stdin, since others see command lines" },
	{ "secret-stdin", NULL, "reads the signature secret from standard input" },
	{ "generate-secret", NULL, "makes a signature secret and shows it once" },
	{ "rate", "N", "requests a minute, 0 = no limit; default the provider's" },
	{ "default", NULL, "serves /api/webhooks/TYPE without an id" },
	{ "require-key", NULL, "asks for key and signature both" },
	{ "allowed-ips", "LIST", "addresses and networks that may send, separated by commas" },
	{ "actions", "LIST", "incident,forward,record; default the provider's" },
	{ "heartbeat", "MINUTES", "expects a request at least so often; silence raises a monitor alert" },
	{ "heartbeat-incident", NULL, "and opens an incident" },
	{ "retention", "DAYS", "how long its processed events are kept, if not as its tenant says" },
	{ "handler-url", "URL", "where the action forward posts events" },
	{ "forward-mode", "MODE", "queued, the sender is answered at once, or inline, after the handler; default queued" },
	{ 0 }
};

static const struct ctl_option list_options[] = {
	{ "type", "TYPE", "only of this type" },
	{ "limit", "N", "at most so many; default 100" },
	{ "cursor", "N", "goes on after an earlier list" },
	{ 0 }
};

static const struct ctl_option delete_options[] = {
	{ "yes", NULL, "does not ask" },
	{ 0 }
};

const struct command integration_commands[] = {
	{ "integration add", "TYPE [FIELD=VALUE...]", add_options, NEED_SCHEMA | NEED_KEY | NEED_STATE, add,
		"makes an integration; shows URL, key and secret this once" },
	{ "integration list", "", list_options, NEED_SCHEMA, list, "lists the integrations of the tenant" },
	{ "integration show", "ID", NULL, NEED_SCHEMA, show, "shows an integration" },
	{ "integration set", "ID [FIELD=VALUE...]", NULL, NEED_SCHEMA | NEED_KEY | NEED_STATE, set,
		"changes an integration; the fields are those of the API, and are listed where none is given" },
	{ "integration delete", "ID", delete_options, NEED_SCHEMA | NEED_STATE, delete, "deletes an integration" },
	{ 0 }
};
