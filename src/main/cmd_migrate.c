/* cmd_migrate.c - the schema of the database. */
#include "ctl_int.h"

struct answer {
	uint64_t applied, current, newest, needed;
	bool clean;
};

static const struct field up_fields[] = {
	FIELD_U64(struct answer, applied, "applied", ""),
	FIELD_U64(struct answer, current, "current", ""),
	FIELD_END
};

static const struct field status_fields[] = {
	FIELD_U64(struct answer, current, "current", ""),
	FIELD_U64(struct answer, newest, "newest", ""),
	FIELD_U64(struct answer, needed, "needed", ""),
	FIELD_BOOL(struct answer, clean, "clean", ""),
	FIELD_END
};

static const char *folder(const struct ctl *c)
{
	struct str dir = ctl_value(c, "dir");

	return dir.p ? dir.p : CTL_SQL_FOLDER;
}

static bool up(struct ctl *c, struct err *e)
{
	unsigned applied, current;
	struct answer a;

	if (!migrate_up(c->db, folder(c), &applied, e) || schema_current(c->db, &current, e) < 0)
		return false;
	a = (struct answer){ .applied = applied, .current = current };
	ctl_one(c, up_fields, &a);
	return true;
}

/* Fails when something is to be done, so that a script can ask. */
static bool status(struct ctl *c, struct err *e)
{
	struct migration_status st;
	struct answer a;

	if (!migrate_status(c->db, folder(c), &st, e))
		return false;
	a = (struct answer){ .current = st.current, .newest = st.newest, .needed = SCHEMA_NUMBER, .clean = st.clean };
	ctl_one(c, status_fields, &a);
	if (!st.clean)
		return err_set(e, ERR_CONFLICT, "a migration was changed after it had been applied");
	return st.current >= st.newest ||
		err_set(e, ERR_CONFLICT, "schema %u of %u; run grapnelctl migrate", st.current, st.newest);
}

static bool migrate(struct ctl *c, struct err *e)
{
	struct str word = ctl_word(c, 0);

	if (!word.n || str_eqs(word, "up"))
		return up(c, e);
	if (str_eqs(word, "status"))
		return status(c, e);
	return err_set(e, ERR_INVALID, "migrate knows up and status, not \"%.*s\"", STR_ARG(word));
}

static const struct ctl_option options[] = {
	{ "dir", "DIR", "folder of the migrations, if not " CTL_SQL_FOLDER },
	{ 0 }
};

const struct command migrate_commands[] = {
	{ "migrate", "[up|status]", options, NEED_DB, migrate, "brings the schema up to date, or says what is missing" },
	{ 0 }
};
