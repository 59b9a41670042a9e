/* ctl_int.h - grapnelctl: a command is a row; its row says how it is called, what it needs, and what it does.
 *
 * A command finds its words and options here, what it needs is open already, and it answers through ctl_one, ctl_list or
 * ctl_done, so that --json works for all alike. How to add one: a row at the foot of a cmd_*.c file. */
#ifndef CTL_INT_H
#define CTL_INT_H

#include "grapnel/base.h"
#include "grapnel/conf.h"
#include "grapnel/crypto.h"
#include "grapnel/db.h"
#include "grapnel/form.h"
#include "grapnel/json.h"
#include "grapnel/shm.h"
#include "grapnel/store.h"

enum ctl_exit { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2, CTL_NO_DATABASE = 3 };

/* What is opened before a command runs. */
enum need {
	NEED_CONF = 1,
	NEED_DB = 2 | NEED_CONF,
	NEED_SCHEMA = 4 | NEED_DB,	/* migrated as far as this program knows; opens the tenant too */
	NEED_KEY = 8 | NEED_CONF,	/* the key file that seals secrets */
	NEED_STATE = 16 | NEED_CONF,	/* the shared memory of the workers on this host, if there are any */
};

struct ctl_option {
	const char *name;	/* without "--" */
	const char *value;	/* word for its value in the help; NULL: a switch */
	const char *help;
};

struct ctl;
struct command {
	const char *name;	/* "user add" */
	const char *words;	/* "NAME", "[up|status]", "COMMAND..." or "" */
	const struct ctl_option *options;	/* ends with { 0 }; NULL: none of its own */
	unsigned needs;
	bool (*run)(struct ctl *c, struct err *e);	/* ERR_INVALID = wrongly called */
	const char *help;	/* half a sentence, small letter first */
};

#define CTL_DEFAULT_CONF GRAPNEL_SYSCONFDIR "/grapnel/grapnel.conf"
#define CTL_SQL_FOLDER GRAPNEL_DATADIR "/sql"
#define CTL_WORDS_MAX 1000	/* archives of three years, a file each day */
#define CTL_OPTIONS_MAX 128	/* a captured request may have that many headers */

struct ctl {
	struct arena *arena;
	const struct command *command;
	const char *conf_path;
	bool json;
	bool said_no;		/* what was asked has an answer, and it is no: exit 1 without a further sentence */
	bool no_database;	/* the same, because the database does not answer: exit 3 */
	const char *words[CTL_WORDS_MAX];	/* after the command's name */
	size_t word_n;
	struct {
		const struct ctl_option *option;
		const char *value;
	} given[CTL_OPTIONS_MAX];
	size_t given_n;
	ms_t now;
	/* opened as the command needs */
	struct conf conf;
	struct db *db;
	struct seal_key *seal;
	struct shm *shm;		/* NULL: nobody to tell */
	struct id_maker ids;
	uint32_t tenant_id;		/* of --tenant, else the default tenant */
	struct who who;
};

/* ---- the commands, one table a file; each ends with { 0 } ---- */
extern const struct command cleanup_commands[], replay_commands[], spool_commands[], tail_commands[];
extern const struct command completion_commands[], doctor_commands[];
extern const struct command config_commands[], event_commands[], help_commands[], incident_commands[],
	integration_commands[], key_commands[], map_commands[], migrate_commands[], prove_commands[], request_commands[], secrets_commands[], send_commands[], service_commands[],
	token_commands[], user_commands[];
extern const struct command channel_commands[];
extern const struct command openapi_commands[];
extern const struct command integration_add_commands[];
extern const struct command rotate_commands[];
extern const struct command tenant_commands[];
extern const struct command transfer_commands[];
extern const struct command *const ctl_commands[];	/* of the tables above, in the order of the help; ends with NULL */
extern const struct ctl_option ctl_global_options[];

/* ---- ctl_args.c ---- */

/* Fills command, words and options; c->command stays NULL where no row fits. ERR_INVALID says what is wrong. */
bool ctl_parse(struct ctl *c, int argc, char **argv, struct err *e) MUST_USE;
/* Calls fn for each row whose name begins with these words. */
void ctl_each(const char *const *words, size_t n, void (*fn)(void *ctx, const struct command *row), void *ctx);

/* ---- ctl_ask.c ---- */

struct str ctl_word(const struct ctl *c, size_t i);		/* STR_NONE beyond the last */
bool ctl_has(const struct ctl *c, const char *option);
struct str ctl_value(const struct ctl *c, const char *option);	/* p NULL where it was not given; the last one given wins */
struct str ctl_value_at(const struct ctl *c, const char *option, size_t i);	/* of one that was given often, from 0; p NULL beyond */
/* *out is kept where the option was not given. */
bool ctl_number(const struct ctl *c, const char *option, uint64_t min, uint64_t max, uint64_t *out, struct err *e) MUST_USE;
/* The file that an option names; "-" is standard input. */
bool ctl_file(const struct ctl *c, const char *option, struct str path, size_t max, struct str *out, struct err *e) MUST_USE;
/* One line of standard input, without its end. For secrets, which everyone would see on a command line. */
bool ctl_stdin_line(struct ctl *c, struct str *out, struct err *e) MUST_USE;
/* Asks on the terminal unless --yes was given; without a terminal that is ERR_INVALID. */
bool ctl_sure(const struct ctl *c, const char *question, struct err *e) MUST_USE;

/* ---- ctl_open.c ---- */

/* Opens what the command needs, bits of enum need. Else the exit status, and *e says why. */
enum ctl_exit ctl_open(struct ctl *c, unsigned needs, struct err *e);
void ctl_close(struct ctl *c);

/* ---- ctl_caller.c ---- */

/* Who asks src/resource for something: the command line, for the tenant of --tenant. Needs NEED_SCHEMA. */
struct caller ctl_caller(struct ctl *c);

/* ---- ctl_form.c ---- */

/* Options that are fields, then the words from that one on, FIELD=VALUE, as the form that the table describes. @FILE and @- are the value
 * that stands there. */
struct ctl_field {
	const char *option, *field;	/* a switch is true */
};
bool ctl_form_read(struct ctl *c, size_t from, const struct ctl_field *options, const struct form_field *fields, enum form_mode mode, void *out,
	struct err *e) MUST_USE;
void ctl_form_list(struct ctl *c, const struct form_field *fields);	/* which fields can be set */

/* ---- cmd_user.c ---- */
bool ctl_user(struct ctl *c, struct str name, struct user *out, struct err *e) MUST_USE;	/* ERR_NOT_FOUND */

/* ---- ctl_print.c ---- */

/* One object: JSON, or "name: value" lines. */
void ctl_one(const struct ctl *c, const struct field *fields, const void *obj);
/* {"<plural>":[...],"next":...}, or lines of the columns named in `columns` (JSON names, separated by blanks). `next` 0 is
 * the end of the list. */
void ctl_list(const struct ctl *c, const char *plural, const struct field *fields, const char *columns, const void *rows,
	size_t n, size_t size, uint64_t next);
/* {"success":true}, or a sentence. */
void ctl_done(const struct ctl *c, const char *fmt, ...) PRINTF(2, 3);
void ctl_json_print(const struct strbuf *b);	/* and a newline; ends the program when it did not fit */
#define CTL_JSON_MAX (256u << 20)	/* one answer; the largest body of a request is 25 MiB */

/* ---- ctl_table.c: the text of these two ---- */
void ctl_one_text(const struct ctl *c, const struct field *fields, const void *obj);
void ctl_rows_text(const struct ctl *c, const struct field *fields, const char *columns, const void *rows, size_t n, size_t size);

/* ---- ctl_text.c ---- */

/* Bytes that others wrote, safe for a terminal: control characters as \xNN; with `lines` newline and tab stay. */
void ctl_text(FILE *to, struct str s, bool lines);
void ctl_text_add(struct strbuf *b, struct str s);

/* ---- ctl_progress.c ---- */

struct ctl_progress {
	const struct ctl *ctl;
	/* its own */
	const char *what;
	int64_t began_us, told_us;
	bool bar, drawn;
};
/* How far it is: `done` from 0 to 1, below 0 = nobody knows, and n things done so far. Call it after each step; it shows what is worth to be
 * seen. Another `what` (compared by its address) begins anew. */
void ctl_progress(struct ctl_progress *p, const char *what, double done, uint64_t n);
void ctl_progress_end(struct ctl_progress *p);

/* ---- cmd_cleanup.c ---- */
bool ctl_archive_read(struct ctl *c, struct err *e) MUST_USE;	/* a command: the files in c->words */

/* ---- ctl_help.c ---- */
void ctl_help(FILE *to, const char *const *words, size_t n);	/* of the program, a group, or a command */
void ctl_help_command(FILE *to, const struct command *row);
void ctl_help_json(const char *const *words, size_t n);

#endif
