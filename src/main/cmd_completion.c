/* cmd_completion.c - completion for shells, written from the same tables as the help, so that it never lags behind.
 *
 * Both scripts find the command among the words before the cursor, as ctl_args does, and offer what may follow: the next word of a
 * command's name, or the options of the command. Behind an option that has a value they offer files. */
#include "ctl_int.h"

#define WORDS_MAX_BYTES 65536

/* ---- what may follow ---- */

/* The first words of all commands, or the second ones of a group; each once. */
struct following {
	struct strbuf b;
	struct str group;	/* empty: first words */
	struct str last;
};

static void add_following(void *ctx, const struct command *row)
{
	struct following *f = ctx;
	struct str rest = str_of(row->name), first = str_word(&rest), second = str_word(&rest);
	struct str word = f->group.n ? second : first;

	if ((f->group.n && !str_eq(first, f->group)) || !word.n || str_eq(word, f->last))
		return;		/* rows of one group stand together */
	strbuf_addf(&f->b, "%s%.*s", f->b.n ? " " : "", STR_ARG(word));
	f->last = word;
}

static struct str following(struct ctl *c, struct str group)
{
	struct following f = { .group = group };

	strbuf_init(&f.b, c->arena, WORDS_MAX_BYTES);
	ctl_each(NULL, 0, add_following, &f);
	return strbuf_str(&f.b);
}

static void add_options(struct strbuf *b, const struct ctl_option *options)
{
	for (; options && options->name; options++)
		strbuf_addf(b, "%s--%s", b->n ? " " : "", options->name);
}

static struct str options_of(struct ctl *c, const struct command *row)
{
	struct strbuf b;

	strbuf_init(&b, c->arena, WORDS_MAX_BYTES);
	add_options(&b, row ? row->options : NULL);
	add_options(&b, ctl_global_options);
	return strbuf_str(&b);
}

/* The pattern of options with a value, each once: "-c|--config|--role". */
static bool is_there(struct str pattern, const char *name)
{
	while (pattern.n) {
		struct str one = str_until(&pattern, '|');

		if (str_starts(one, "--") && str_eqs(str_sub(one, 2), name))
			return true;
	}
	return false;
}

static void add_valued_options(struct strbuf *b, const struct ctl_option *options)
{
	for (; options && options->name; options++)
		if (options->value && !is_there(strbuf_str(b), options->name))
			strbuf_addf(b, "|--%s", options->name);
}

static void add_valued(void *ctx, const struct command *row)
{
	add_valued_options(ctx, row->options);
}

/* Of all commands: an option that has a value here and none there does not occur. */
static struct str valued(struct ctl *c)
{
	struct strbuf b;

	strbuf_init(&b, c->arena, WORDS_MAX_BYTES);
	strbuf_adds(&b, "-c");
	add_valued_options(&b, ctl_global_options);
	ctl_each(NULL, 0, add_valued, &b);
	return strbuf_str(&b);
}

/* ---- the scripts ---- */

static void case_of(void *ctx, const struct command *row)
{
	struct ctl *c = ctx;
	struct str rest = str_of(row->name), options = options_of(c, row);

	str_word(&rest);
	printf("\t'%s%s) given='%.*s' ;;\n", row->name, str_word(&rest).n ? "'" : " '*", STR_ARG(options));
}

static void group_of(void *ctx, const struct command *row)
{
	struct ctl *c = ctx;
	struct str rest = str_of(row->name), first = str_word(&rest), words = following(c, first);

	if (words.n && str_eq(str_word(&rest), str_word(&(struct str){ words.p, words.n })))
		printf("\t'%.*s') next='%.*s' ;;\n", STR_ARG(first), STR_ARG(words));
}

static void print_cases(struct ctl *c)
{
	struct str all = following(c, STR_NONE), none = options_of(c, NULL);

	printf("\tlocal next='' given='%.*s'\n\tcase $first in\n\t'') next='%.*s' ;;\n", STR_ARG(none), STR_ARG(all));
	ctl_each(NULL, 0, group_of, c);
	printf("\tesac\n\t[ -z \"$second\" ] || next=\n\tcase \"$first $second\" in\n");
	ctl_each(NULL, 0, case_of, c);
	printf("\tesac\n");
}

/* Finds the first two words of the list that are neither options nor their values; `then` follows. */
static void print_walk(struct ctl *c, const char *then, const char *list)
{
	struct str with_value = valued(c);

	printf("\tlocal first='' second='' word skip=''\n\tfor word in %s; do\n"
		"\t\tif [ -n \"$skip\" ]; then skip=; continue; fi\n\t\tcase $word in\n\t\t%.*s) skip=1 ;;\n\t\t-*) ;;\n"
		"\t\t*) if [ -z \"$first\" ]; then first=$word; elif [ -z \"$second\" ]; then second=$word; fi ;;\n\t\tesac\n\tdone\n%s",
		list, STR_ARG(with_value), then);
}

static void bash(struct ctl *c)
{
	printf("# bash completion of grapnelctl; made by: grapnelctl completion bash\n_grapnelctl() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n");
	print_walk(c, "\t[ -z \"$skip\" ] || { mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return; }\n",
		"\"${COMP_WORDS[@]:1:COMP_CWORD-1}\"");
	print_cases(c);
	printf("\tcase $cur in\n\t-*) next=$given ;;\n\tesac\n\tmapfile -t COMPREPLY < <(compgen -W \"$next\" -- \"$cur\")\n}\n"
		"complete -o default -F _grapnelctl grapnelctl\n");
}

static void zsh(struct ctl *c)
{
	printf("#compdef grapnelctl\n# zsh completion of grapnelctl; made by: grapnelctl completion zsh\n_grapnelctl() {\n"
		"\tlocal cur=${words[CURRENT]}\n\tlocal -a before=(\"${(@)words[2,CURRENT-1]}\")\n");
	print_walk(c, "\t[ -z \"$skip\" ] || { _files; return; }\n", "\"${before[@]}\"");
	print_cases(c);
	printf("\tcase $cur in\n\t-*) next=$given ;;\n\tesac\n\tcompadd -- ${=next}\n}\n_grapnelctl \"$@\"\n");
}

static bool completion(struct ctl *c, struct err *e)
{
	struct str shell = ctl_word(c, 0);

	if (str_eqs(shell, "bash"))
		bash(c);
	else if (str_eqs(shell, "zsh"))
		zsh(c);
	else
		return err_set(e, ERR_INVALID, "completion knows bash and zsh, not \"%.*s\"", STR_ARG(shell));
	return true;
}

const struct command completion_commands[] = {
	{ "completion", "SHELL", NULL, 0, completion, "prints the completion for bash or zsh" },
	{ 0 }
};
