/* cmd_doctor.c - looks for what is wrong with this installation; src/doctor does it. */
#include "config.h"

#include "ctl_int.h"
#include "open_db.h"

#include "grapnel/doctor.h"

#define ONLY_MAX CTL_WORDS_MAX
#define LIST_MAX 128
#define INDENT 6	/* of what to do, under the sentence */

static bool read_names(struct ctl *c, const struct doctor_check **only, struct err *e)
{
	for (size_t i = 0; i < c->word_n; i++) {
		only[i] = doctor_find(ctl_word(c, i));
		if (!only[i])
			return err_set(e, ERR_INVALID, "there is no check \"%s\"; see grapnelctl doctor --list", c->words[i]);
	}
	return true;
}

static void list(struct ctl *c)
{
	struct doctor_about *rows = ARENA_ARRAY(c->arena, struct doctor_about, LIST_MAX);
	size_t n = 0;

	for (const struct doctor_check *const *check = doctor_checks; *check && n < LIST_MAX; check++)
		rows[n++] = doctor_about(*check);
	ctl_list(c, "checks", doctor_about_fields, "name what", rows, n, sizeof(*rows), 0);
}

static void print_text(const struct ctl *c, const struct doctor_result *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct doctor_line *line = &r->lines[i];

		if (line->at <= DOCTOR_SKIPPED && ctl_has(c, "quiet"))
			continue;
		printf("%-*.*s%-26.*s", INDENT, STR_ARG(line->level), STR_ARG(line->check));
		ctl_text(stdout, line->text, false);
		if (line->mend.p) {
			printf("\n%*smend: ", INDENT, "");
			ctl_text(stdout, line->mend, false);
		}
		putchar('\n');
	}
	printf("%llu ok, %llu warnings, %llu failures, %llu not looked at\n", (unsigned long long)r->ok,
		(unsigned long long)r->warnings, (unsigned long long)r->failures, (unsigned long long)r->skipped);
}

static void print_json(struct ctl *c, const struct doctor_result *r)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, c->arena, CTL_JSON_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "ok");
	json_u64(&o, r->ok);
	json_key(&o, "warnings");
	json_u64(&o, r->warnings);
	json_key(&o, "failures");
	json_u64(&o, r->failures);
	json_key(&o, "skipped");
	json_u64(&o, r->skipped);
	json_key(&o, "checks");
	json_rows(&o, doctor_line_fields, r->lines, sizeof(*r->lines), r->n);
	json_close(&o, '}');
	ctl_json_print(&b);
}

static bool doctor(struct ctl *c, struct err *e)
{
	const struct doctor_check *only[ONLY_MAX + 1] = { NULL };
	struct str conf = ctl_value(c, "config"), dir = ctl_value(c, "dir"), url = ctl_value(c, "url");
	struct doctor_result r;

	if (!read_names(c, only, e))
		return false;
	if (ctl_has(c, "list")) {
		list(c);
		return true;
	}
	doctor_run(&(struct doctor_config){ .conf_path = conf.p ? conf.p : CTL_DEFAULT_CONF, .sql_dir = dir.p ? dir.p : CTL_SQL_FOLDER,
		.url = url.p, .program = "Grapnel/" PACKAGE_VERSION, .version = PACKAGE_VERSION, .open_db = open_db,
		.only = c->word_n ? only : NULL, .now = c->now }, c->arena, &r);
	if (c->json)
		print_json(c, &r);
	else
		print_text(c, &r);
	c->said_no = r.failures || (r.warnings && ctl_has(c, "strict"));
	c->no_database = r.no_database;
	return true;
}

static const struct ctl_option options[] = {
	{ "list", NULL, "says what is looked at, and looks at nothing" },
	{ "quiet", NULL, "says only what is wrong" },
	{ "strict", NULL, "warnings fail too" },
	{ "url", "URL", "where Grapnel is called, if not at [server] public_url" },
	{ "dir", "DIR", "folder of the migrations, if not " CTL_SQL_FOLDER },
	{ 0 }
};

const struct command doctor_commands[] = {
	{ "doctor", "[CHECK...]", options, 0, doctor, "looks for what is wrong with this installation, and says how to mend it" },
	{ 0 }
};
