/* cmd_rotate.c - a new key or secret for an integration, while the old one works a while longer. */
#include "ctl_int.h"

#include "grapnel/resource.h"

static const struct ctl_field rotate_fields[] = {
	{ "grace", "graceSeconds" },
	{ "secret", "signatureSecret" },
	{ 0 }
};

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

static bool failed(const struct ctl *c, struct err *e)
{
	return e->code == ERR_NOT_FOUND && err_set(e, ERR_NOT_FOUND, "there is no integration \"%s\"", c->words[0]);
}

static bool rotate_key(struct ctl *c, struct err *e)
{
	struct caller by = ctl_caller(c);
	struct rotate_form f = ROTATE_FORM_NEW;
	struct rotated r = { .id = ctl_word(c, 0) };
	struct source s;

	if (!ctl_form_read(c, 1, rotate_fields, integration_rotate_key_fields, FORM_NEW, &f, e))
		return false;
	if (!integration_rotate_key(&by, r.id, &f, &s, &r.key, e))
		return failed(c, e);
	r.grace_until = f.grace_seconds ? c->now + (ms_t)f.grace_seconds * MS_PER_SECOND : 0;
	ctl_one(c, rotated_key_fields, &r);
	return true;
}

static bool rotate_secret(struct ctl *c, struct err *e)
{
	struct caller by = ctl_caller(c);
	struct rotate_form f = ROTATE_FORM_NEW;
	struct rotated r = { .id = ctl_word(c, 0) };
	struct source s;

	if (ctl_has(c, "secret") && ctl_has(c, "secret-stdin"))
		return err_set(e, ERR_INVALID, "--secret and --secret-stdin exclude each other");
	if (ctl_has(c, "secret-stdin") && !ctl_stdin_line(c, &f.secret, e))
		return false;
	if (!ctl_form_read(c, 1, rotate_fields, integration_rotate_secret_fields, FORM_NEW, &f, e))
		return false;
	if (!integration_rotate_secret(&by, r.id, &f, &s, e))
		return failed(c, e);
	r.secret = f.secret;
	r.grace_until = f.grace_seconds ? c->now + (ms_t)f.grace_seconds * MS_PER_SECOND : 0;
	ctl_one(c, rotated_secret_fields, &r);
	return true;
}

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

const struct command rotate_commands[] = {
	{ "integration rotate-key", "ID", rotate_key_options, NEED_SCHEMA | NEED_KEY | NEED_STATE, rotate_key,
		"makes a new key and shows it this once" },
	{ "integration rotate-secret", "ID", rotate_secret_options, NEED_SCHEMA | NEED_KEY | NEED_STATE, rotate_secret,
		"makes a new signature secret and shows it this once" },
	{ 0 }
};
