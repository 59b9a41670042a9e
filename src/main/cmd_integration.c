/* cmd_integration.c - integrations: where providers post. */
#include "ctl_int.h"

#include "grapnel/fetch.h"
#include "grapnel/provider.h"
#include "grapnel/view.h"

#define SECRET_BYTES 32		/* of a made signature secret: 64 hex digits */
#define RATE_MAX 1000000
#define GRACE_DEFAULT 86400	/* seconds, as in the API */
#define GRACE_MAX (90 * 86400)

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

/* ---- integration add ---- */

static bool actions_parse(struct str words, uint64_t *out, struct err *e)
{
	uint64_t actions = 0;

	while (words.n) {
		struct str word = str_trim(str_until(&words, ','));
		const struct action_name *a = action_names;

		while (a->name && !str_eqs(word, a->name))
			a++;
		if (!(a->bit & (DO_AT_ONCE | DO_FORWARD)))	/* nobody would carry the others out: their events stayed pending */
			return err_set(e, ERR_INVALID, "--actions knows incident, forward and record, not \"%.*s\"",
				STR_ARG(word));
		actions |= a->bit;
	}
	*out = actions;
	return actions || err_set(e, ERR_INVALID, "--actions is empty");
}

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

static struct str secret_make(struct ctl *c)
{
	unsigned char raw[SECRET_BYTES];
	struct str secret;

	random_bytes(raw, sizeof(raw));
	secret = hex_encode(c->arena, raw, sizeof(raw));
	secret_wipe(raw, sizeof(raw));
	return secret;
}

static bool secret_choose(struct ctl *c, struct str *secret, struct err *e)
{
	*secret = ctl_value(c, "secret");
	if (ctl_has(c, "secret") + ctl_has(c, "secret-stdin") + ctl_has(c, "generate-secret") > 1)
		return err_set(e, ERR_INVALID, "--secret, --secret-stdin and --generate-secret exclude each other");
	if (ctl_has(c, "secret-stdin"))
		return ctl_stdin_line(c, secret, e);
	if (ctl_has(c, "generate-secret"))
		*secret = secret_make(c);
	return true;
}

/* As the API does it: the URL passes the guard, and what is forwarded is signed. */
static bool read_handler(struct ctl *c, struct source *s, struct str secret, struct err *e)
{
	struct str mode = ctl_value(c, "forward-mode");
	struct guard *g;
	bool ok;

	s->handler_url = ctl_value(c, "handler-url");
	if (mode.p && !str_eqs(mode, "queued") && !str_eqs(mode, "inline"))
		return err_set(e, ERR_INVALID, "--forward-mode is queued or inline");
	s->forward_mode = mode.p && str_eqs(mode, "inline") ? FORWARD_INLINE : FORWARD_QUEUED;
	if (!(s->actions & DO_FORWARD) || !s->handler_url.n)
		return true;	/* what is missing the store says */
	if (!secret.n)
		s->handler_secret = secret_make(c);
	g = guard_new(c->conf.outbound.allow, c->conf.outbound.ports);
	ok = guard_resolve(g, s->handler_url, e);
	guard_free(g);
	return ok;
}

static bool read_options(struct ctl *c, struct source *s, struct str *secret, struct err *e)
{
	struct str actions = ctl_value(c, "actions"), service = ctl_value(c, "service");

	if (!s->name.n)
		return err_set(e, ERR_INVALID, "integration add needs --name");
	if (actions.p && !actions_parse(actions, &s->actions, e))
		return false;
	return ctl_number(c, "rate", 0, RATE_MAX, &s->rate_per_minute, e) && ctl_number(c, "heartbeat", 1, HEARTBEAT_MAX, &s->heartbeat_minutes, e) &&
		ctl_number(c, "retention", 1, RETENTION_MAX, &s->retention_days, e) && secret_choose(c, secret, e) && read_handler(c, s, *secret, e) &&
		(!service.p || service_find(c, service, &s->service_public_id, e));
}

static bool add(struct ctl *c, struct err *e)
{
	const struct provider *p = provider_find(ctl_word(c, 0));
	struct source s = { .tenant_id = c->tenant_id, .kind = SOURCE_INTEGRATION, .provider = ctl_word(c, 0),
		.name = ctl_value(c, "name"), .rate_per_minute = RATE_DEFAULT, .enabled = true,
		.is_default = ctl_has(c, "default"), .require_key = ctl_has(c, "require-key"),
		.heartbeat_incident = ctl_has(c, "heartbeat-incident"), .allowed_ips = ctl_value(c, "allowed-ips") }, out;
	struct made made = { .id = STR_NONE };

	if (!p)
		return err_set(e, ERR_INVALID, "there is no integration type \"%s\"", c->words[0]);
	s.actions = p->actions;
	if (!read_options(c, &s, &made.secret, e) ||
		!source_add(c->db, c->arena, c->seal, c->shm, &s, made.secret, &c->who, c->now, &out, &made.key, e))
		return false;
	made.handler_secret = s.handler_secret;
	made.id = out.public_id;
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

static bool show(struct ctl *c, struct err *e)
{
	struct integration_view v;
	struct source s;
	int found = source_get(c->db, c->arena, c->tenant_id, ctl_word(c, 0), c->now, &s, e);

	if (found != 1)
		return found == 0 ? missing(c, e) : false;
	integration_view_fill(c->arena, &s, str_of(c->conf.server.public_url), &v);
	ctl_one(c, integration_view_fields, &v);
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

/* ---- integration rotate-key, rotate-secret ---- */

struct rotated {
	struct str id, key, secret;
	ms_t grace_until;
};

static const struct field rotated_key_fields[] = {
	FIELD_STR(struct rotated, id, "id", ""),
	FIELD_STR(struct rotated, key, "key", ""),
	FIELD_TIME(struct rotated, grace_until, "graceUntil", ""),
	FIELD_END
};

static const struct field rotated_secret_fields[] = {
	FIELD_STR(struct rotated, id, "id", ""),
	FIELD_STR(struct rotated, secret, "signatureSecret", ""),
	FIELD_TIME(struct rotated, grace_until, "graceUntil", ""),
	FIELD_END
};

static bool read_grace(struct ctl *c, ms_t *grace_ms, struct rotated *r, struct err *e)
{
	uint64_t seconds = GRACE_DEFAULT;

	if (!ctl_number(c, "grace", 0, GRACE_MAX, &seconds, e))
		return false;
	*grace_ms = (ms_t)seconds * MS_PER_SECOND;
	r->id = ctl_word(c, 0);
	r->grace_until = seconds ? c->now + *grace_ms : 0;
	return true;
}

static bool rotate_key(struct ctl *c, struct err *e)
{
	struct rotated r = { .id = STR_NONE };
	ms_t grace_ms;
	int found;

	if (!read_grace(c, &grace_ms, &r, e))
		return false;
	found = source_rotate_key(c->db, c->arena, c->seal, c->shm, c->tenant_id, r.id, grace_ms, &c->who, c->now, &r.key, e);
	if (found != 1)
		return found == 0 ? missing(c, e) : false;
	ctl_one(c, rotated_key_fields, &r);
	return true;
}

static bool rotate_secret(struct ctl *c, struct err *e)
{
	struct rotated r = { .id = STR_NONE };
	ms_t grace_ms;
	int found;

	if (!read_grace(c, &grace_ms, &r, e) || !secret_choose(c, &r.secret, e))
		return false;
	if (!r.secret.n)
		r.secret = secret_make(c);
	found = source_rotate_secret(c->db, c->arena, c->seal, c->shm, c->tenant_id, r.id, r.secret, grace_ms, &c->who, c->now, e);
	if (found != 1)
		return found == 0 ? missing(c, e) : false;
	ctl_one(c, rotated_secret_fields, &r);
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

static const struct ctl_option rotate_key_options[] = {
	{ "grace", "SECONDS", "how long the old one stays valid; default 86400, 0 ends it at once" },
	{ 0 }
};

static const struct ctl_option rotate_secret_options[] = {
	{ "grace", "SECONDS", "how long the old one stays valid; default 86400, 0 ends it at once" },
	{ "secret", "SECRET", "the new one, where the provider made it; better by --secret-stdin" },
	{ "secret-stdin", NULL, "reads it from standard input" },
	{ 0 }
};

static const struct ctl_option delete_options[] = {
	{ "yes", NULL, "does not ask" },
	{ 0 }
};

const struct command integration_commands[] = {
	{ "integration add", "TYPE", add_options, NEED_SCHEMA | NEED_KEY | NEED_STATE, add,
		"makes an integration; shows URL, key and secret this once" },
	{ "integration list", "", list_options, NEED_SCHEMA, list, "lists the integrations of the tenant" },
	{ "integration show", "ID", NULL, NEED_SCHEMA, show, "shows an integration" },
	{ "integration rotate-key", "ID", rotate_key_options, NEED_SCHEMA | NEED_KEY | NEED_STATE, rotate_key,
		"makes a new key and shows it this once" },
	{ "integration rotate-secret", "ID", rotate_secret_options, NEED_SCHEMA | NEED_KEY | NEED_STATE, rotate_secret,
		"makes a new signature secret and shows it this once" },
	{ "integration delete", "ID", delete_options, NEED_SCHEMA | NEED_STATE, delete, "deletes an integration" },
	{ 0 }
};
