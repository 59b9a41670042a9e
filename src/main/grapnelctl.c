/* grapnelctl.c - the command line of the administrator: finds the command's row, opens what it needs, runs it.
 *
 * Exit status: 0 done, 1 failed, 2 wrongly called, 3 no database. Answers go to standard output, one sentence about what
 * went wrong to standard error. */
#include "ctl_int.h"

#define ARENA_MAX (1u << 30)	/* JSON of an event with a body of 25 MiB, escaped, and its copies */

const struct command *const ctl_commands[] = {
	migrate_commands,
	doctor_commands,
	secrets_commands,
	config_commands,
	tenant_commands,
	user_commands,
	token_commands,
	service_commands,
	integration_add_commands,
	integration_commands,
	rotate_commands,
	channel_commands,
	key_commands,
	event_commands,
	replay_commands,
	tail_commands,
	incident_commands,
	request_commands,
	send_commands,
	map_commands,
	prove_commands,
	completion_commands,
	cleanup_commands,
	transfer_commands,
	openapi_commands,
	spool_commands,
	help_commands,
	NULL
};

static enum ctl_exit complain(const struct err *e, enum ctl_exit status)
{
	fputs("grapnelctl: ", stderr);
	if (e->field[0] && !strstr(e->text, e->field)) {
		ctl_text(stderr, str_of(e->field), false);
		fputs(": ", stderr);
	}
	ctl_text(stderr, str_of(e->text), false);
	fputc('\n', stderr);
	return status;
}

/* A file that cannot be written and a right that the account lacks are ERR_DOWN as well: those only failed. */
static enum ctl_exit status_of(const struct ctl *c, const struct err *e)
{
	bool db_is_gone = c->db && db_trouble(c->db) == DB_LOST;

	if (e->code == ERR_INVALID)
		return CTL_USAGE;
	return db_is_gone && (e->code == ERR_DOWN || e->code == ERR_UNKNOWN) ? CTL_NO_DATABASE : CTL_FAILED;
}

static void count_row(void *ctx, const struct command *row)
{
	++*(size_t *)ctx;
}

/* Without a command: help, or a group that asks which one. */
static enum ctl_exit no_command(struct ctl *c)
{
	struct err e = { 0 };
	size_t rows = 0;

	if (ctl_has(c, "help")) {
		ctl_help(stdout, c->words, c->word_n);
		return CTL_OK;
	}
	ctl_each(c->words, c->word_n, count_row, &rows);
	if (c->word_n && !rows)
		err_set(&e, ERR_INVALID, "there is no command \"%s%s%s\"; see grapnelctl help", c->words[0],
			c->word_n > 1 ? " " : "", c->word_n > 1 ? c->words[1] : "");
	else
		err_set(&e, ERR_INVALID, "which command? See grapnelctl help%s%s", c->word_n ? " " : "",
			c->word_n ? c->words[0] : "");
	return complain(&e, CTL_USAGE);
}

static enum ctl_exit run(struct ctl *c, int argc, char **argv)
{
	struct err e = { 0 };
	enum ctl_exit status;

	if (!ctl_parse(c, argc, argv, &e))
		return complain(&e, CTL_USAGE);
	if (!c->command)
		return no_command(c);
	if (ctl_has(c, "help")) {
		ctl_help_command(stdout, c->command);
		return CTL_OK;
	}
	status = ctl_open(c, c->command->needs, &e);
	if (status)
		return complain(&e, status);
	if (!c->command->run(c, &e))
		return complain(&e, status_of(c, &e));
	return c->no_database ? CTL_NO_DATABASE : c->said_no ? CTL_FAILED : CTL_OK;
}

static enum ctl_exit flush(enum ctl_exit status)
{
	struct err e = { 0 };

	if (!fflush(stdout) && !ferror(stdout))
		return status;
	err_sys(&e, ERR_DOWN, "the answer could not be written");
	return complain(&e, CTL_FAILED);
}

int main(int argc, char **argv)
{
	struct ctl c = { .arena = arena_new(ARENA_MAX), .now = clock_now() };
	enum ctl_exit status;

	standard_files();
	status = flush(run(&c, argc, argv));
	ctl_close(&c);
	return status;
}
