/* cmd_secrets.c - the key file that seals secrets in the database. */
#include "ctl_int.h"

struct answer {
	struct str key_file;
};

static const struct field fields[] = {
	FIELD_STR(struct answer, key_file, "keyFile", ""),
	FIELD_END
};

static bool init(struct ctl *c, struct err *e)
{
	struct answer a = { str_of(c->conf.secrets.key_file) };

	if (!seal_key_create(c->conf.secrets.key_file, e))
		return false;
	ctl_one(c, fields, &a);
	return true;
}

const struct command secrets_commands[] = {
	{ "secrets init", "", NULL, NEED_CONF, init, "makes the key file; keep a copy of it apart from the database" },
	{ 0 }
};
