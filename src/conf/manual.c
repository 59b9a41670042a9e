/* manual.c - grapnel.conf(5), from the option table: what an option's row says is all that its manual says. */
#include "conf_int.h"

static const char head[] =
	".\\\" grapnel.conf.5 - made by: grapnelctl config manual\n"
	".Dd November 22, 2026\n.Dt GRAPNEL.CONF 5\n.Os Grapnel\n"
	".Sh NAME\n.Nm grapnel.conf\n.Nd configuration of a Grapnel webhook hub\n"
	".Sh DESCRIPTION\n"
	"The file is read by\n.Xr grapnel.fcgi 8 ,\n.Xr grapnel-cron 8\nand\n.Xr grapnelctl 1 .\n"
	"A line is a section in brackets or\n.Dq key = value .\n"
	"A line that begins with\n.Sq #\nor\n.Sq \\&;\nis a comment, and so is what stands behind a blank and\n.Sq \\&; .\n"
	"An unknown key, a key that is set twice or a wrong value is an error with file and line, and nothing starts.\n"
	".Pp\n"
	"Durations are written as 500ms, 10s or 5m, sizes as 64K or 1M.\n"
	"A running\n.Xr grapnel.fcgi 8\ntakes changes over with SIGHUP, but for options that need a restart.\n";

static const char foot[] =
	".Sh ENVIRONMENT\n"
	"These win over the file; an empty one counts as unset.\n"
	".Bl -tag -width Ds\n"
	".It Ev DATABASE_URL\n"
	"The whole of [database]:\n.Li mysql://user:password@host:port/name ,\nor with\n.Li ?socket=/path .\n";

static const char tail[] =
	".El\n"
	".Sh FILES\n.Bl -tag -width Ds\n.It Pa " GRAPNEL_SYSCONFDIR "/grapnel/grapnel.conf\nThe file, unless another one is named.\n"
	".It Pa " GRAPNEL_DATADIR "/grapnel.conf.sample\nEvery option with its default, commented out.\n.El\n"
	".Sh SEE ALSO\n.Xr grapnelctl 1 ,\n.Xr grapnel-cron 8 ,\n.Xr grapnel.fcgi 8\n";

/* A line may not begin with what roff takes for a command, and each sentence begins one. */
static void print_text(const char *text, FILE *to)
{
	bool first = true;

	for (; *text; text++) {
		bool ends = (*text == '.' || *text == '?') && text[1] == ' ';

		if (first && (*text == '.' || *text == '\''))
			fputs("\\&", to);
		if (*text == '\\')
			fputs("\\e", to);
		else
			fputc(*text, to);
		if (ends) {
			fputc('\n', to);
			text++;
		}
		first = ends;
	}
}

/* A type writes its sentence behind the help, with a blank before it. */
static void print_limits(const struct option *o, FILE *to)
{
	char *text = NULL;
	size_t n = 0;
	FILE *memory = open_memstream(&text, &n);

	if (!memory)
		die("no memory");
	o->type->print_limits(o, memory);
	fclose(memory);
	fputc('\n', to);
	print_text(text + (*text == ' '), to);
	free(text);
}

static void print_option(const struct option *o, FILE *to)
{
	fprintf(to, ".It Ic %s\n", o->key);
	print_text(o->help, to);
	if (o->type->print_limits)
		print_limits(o, to);
	fputs(o->restart ? "\nNeeds a restart.\n" : "\n", to);
	if (!*o->preset)
		return;
	fputs("Default:\n.Li ", to);
	print_text(o->preset, to);
	fputs(" .\n", to);
}

void conf_print_manual(FILE *to)
{
	fputs(head, to);
	for (size_t i = 0; i < option_n; i++) {
		const struct option *o = &options[i];

		if (!i || strcmp(o[-1].section, o->section) != 0)
			fprintf(to, "%s.Ss [%s]\n.Bl -tag -width Ds\n", i ? ".El\n" : "", o->section);
		print_option(o, to);
	}
	fputs(".El\n", to);
	fputs(foot, to);
	for (const struct variable *v = conf_variables; v->name; v++)
		fprintf(to, ".It Ev %s\n[%s] %s.\n", v->name, v->section, v->key);
	fputs(tail, to);
}
