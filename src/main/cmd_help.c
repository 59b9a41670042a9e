/* cmd_help.c - help and version. */
#include "config.h"

#include "ctl_int.h"

struct answer {
	struct str version;
	uint64_t schema;
};

static const struct field fields[] = {
	FIELD_STR(struct answer, version, "version", ""),
	FIELD_U64(struct answer, schema, "schema", ""),
	FIELD_END
};

static bool version(struct ctl *c, struct err *e)
{
	struct answer a = { STR(PACKAGE_VERSION), SCHEMA_NUMBER };

	ctl_one(c, fields, &a);
	return true;
}

static void count_row(void *ctx, const struct command *row)
{
	++*(size_t *)ctx;
}

static bool help(struct ctl *c, struct err *e)
{
	size_t rows = 0;

	ctl_each(c->words, c->word_n, count_row, &rows);
	if (!rows)
		return err_set(e, ERR_INVALID, "there is no command \"%s\"", c->words[0]);
	if (c->json)
		ctl_help_json(c->words, c->word_n);
	else
		ctl_help(stdout, c->words, c->word_n);
	return true;
}

const struct command help_commands[] = {
	{ "version", "", NULL, 0, version, "says which version this is, and of which schema" },
	{ "help", "[COMMAND...]", NULL, 0, help, "says how to call a command, or all" },
	{ 0 }
};
