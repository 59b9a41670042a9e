/* ctl_help.c - help of every level, generated from the table of commands. */
#include "ctl_int.h"

struct listing {
	FILE *to;
	const struct command *one;	/* the only row so far */
	size_t n;
	int width;
};

static void measure(void *ctx, const struct command *row)
{
	struct listing *l = ctx;
	int width = (int)(strlen(row->name) + strlen(row->words) + 1);

	l->n++;
	l->one = row;
	l->width = width > l->width ? width : l->width;
}

static void line(void *ctx, const struct command *row)
{
	struct listing *l = ctx;
	char call[160];

	snprintf(call, sizeof(call), "%s %s", row->name, row->words);
	fprintf(l->to, "  %-*s  %s\n", l->width, call, row->help);
}

static void options_print(FILE *to, const struct ctl_option *options)
{
	for (; options && options->name; options++) {
		char call[80];

		snprintf(call, sizeof(call), "--%s%s%s", options->name, options->value ? " " : "",
			options->value ? options->value : "");
		fprintf(to, "  %-34s %s\n", call, options->help);
	}
}

void ctl_help_command(FILE *to, const struct command *row)
{
	fprintf(to, "usage: grapnelctl %s%s%s%s\n\n%s: %s.\n", row->name, row->words[0] ? " " : "", row->words,
		row->options ? " [options]" : "", row->name, row->help);
	if (row->options)
		fprintf(to, "\noptions:\n");
	options_print(to, row->options);
	fprintf(to, "\nwith every command:\n");
	options_print(to, ctl_global_options);
}

void ctl_help(FILE *to, const char *const *words, size_t n)
{
	struct listing l = { .to = to };

	ctl_each(words, n, measure, &l);
	if (!l.n) {
		words = NULL;
		n = 0;
		ctl_each(words, n, measure, &l);
	}
	if (l.n == 1) {
		ctl_help_command(to, l.one);
		return;
	}
	fprintf(to, "usage: grapnelctl [-c FILE] [--json] COMMAND ...\n\n");
	ctl_each(words, n, line, &l);
	fprintf(to, "\nwith every command:\n");
	options_print(to, ctl_global_options);
	fprintf(to, "\nThe options of a command: grapnelctl COMMAND --help\n");
}

/* ---- the same for programs ---- */

static void options_json(struct json_out *o, const struct ctl_option *options)
{
	json_key(o, "options");
	json_open(o, '[');
	for (; options && options->name; options++) {
		json_open(o, '{');
		json_key(o, "name");
		json_strz(o, options->name);
		json_key(o, "value");
		json_strz(o, options->value);
		json_key(o, "help");
		json_strz(o, options->help);
		json_close(o, '}');
	}
	json_close(o, ']');
}

static void command_json(void *ctx, const struct command *row)
{
	struct json_out *o = ctx;

	json_open(o, '{');
	json_key(o, "name");
	json_strz(o, row->name);
	json_key(o, "words");
	json_strz(o, row->words);
	json_key(o, "help");
	json_strz(o, row->help);
	options_json(o, row->options);
	json_close(o, '}');
}

void ctl_help_json(const char *const *words, size_t n)
{
	struct arena *a = arena_new(8 << 20);
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, 1 << 20);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "commands");
	json_open(&o, '[');
	ctl_each(words, n, command_json, &o);
	json_close(&o, ']');
	options_json(&o, ctl_global_options);
	json_close(&o, '}');
	ctl_json_print(&b);
	arena_free(a);
}
