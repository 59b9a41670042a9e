/* cmd_integration.c - integrations: where providers post. The fields and their rules are those of the API. */
#include "ctl_int.h"

#include "grapnel/resource.h"

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

struct made {
	struct str id, secret, handler_secret;
};

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
	{ "integration list", "", list_options, NEED_SCHEMA, list, "lists the integrations of the tenant" },
	{ "integration show", "ID", NULL, NEED_SCHEMA, show, "shows an integration" },
	{ "integration set", "ID [FIELD=VALUE...]", NULL, NEED_SCHEMA | NEED_KEY | NEED_STATE, set,
		"changes an integration; the fields are those of the API, and are listed where none is given" },
	{ "integration delete", "ID", delete_options, NEED_SCHEMA | NEED_STATE, delete, "deletes an integration" },
	{ 0 }
};
