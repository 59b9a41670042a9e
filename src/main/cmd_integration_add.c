/* cmd_integration_add.c - a new integration, with what is shown once. */
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

const struct command integration_add_commands[] = {
	{ "integration add", "TYPE [FIELD=VALUE...]", add_options, NEED_SCHEMA | NEED_KEY | NEED_STATE, add,
		"makes an integration; shows URL, key and secret this once" },
	{ 0 }
};
