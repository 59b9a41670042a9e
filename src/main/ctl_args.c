/* ctl_args.c - the command line into a command, its words and its options.
 *
 * Two walks: the first finds the command, since only its row tells which options have a value; the second reads. Options may
 * stand anywhere; "--" ends them; "--name=value" and "--name value" are one. */
#include "ctl_int.h"

#define NAME_WORDS_MAX 2	/* "user add" */

const struct ctl_option ctl_global_options[] = {
	{ "config", "FILE", "configuration file (also -c FILE)" },
	{ "json", NULL, "answers in JSON" },
	{ "tenant", "NAME", "the tenant to act for, if not the default one" },
	{ "help", NULL, "says how to call this (also -h)" },
	{ 0 }
};

/* ---- the table ---- */

static bool begins_with(const char *name, const char *const *words, size_t n)
{
	struct str rest = str_of(name);

	for (size_t i = 0; i < n; i++)
		if (!str_eqs(str_word(&rest), words[i]))
			return false;
	return true;
}

void ctl_each(const char *const *words, size_t n, void (*fn)(void *ctx, const struct command *row), void *ctx)
{
	for (const struct command *const *table = ctl_commands; *table; table++)
		for (const struct command *row = *table; row->name; row++)
			if (begins_with(row->name, words, n))
				fn(ctx, row);
}

static size_t name_words(const char *name)
{
	struct str rest = str_of(name);
	size_t n = 0;

	while (str_word(&rest).n)
		n++;
	return n;
}

/* The row whose whole name the words begin with. */
static const struct command *find(const char *const *words, size_t n)
{
	for (const struct command *const *table = ctl_commands; *table; table++)
		for (const struct command *row = *table; row->name; row++) {
			size_t need = name_words(row->name);

			if (need <= n && begins_with(row->name, words, need))
				return row;
		}
	return NULL;
}

/* ---- options ---- */

static const struct ctl_option *option_named(const struct ctl_option *options, struct str name)
{
	for (; options && options->name; options++)
		if (str_eqs(name, options->name))
			return options;
	return NULL;
}

/* "-c", "-h", "--name" and "--name=value" to a row; *value is what follows '='. */
static const struct ctl_option *option_of(const struct command *command, const char *arg, const char **value)
{
	struct str name = str_of(arg + 2);
	ptrdiff_t eq = str_find(name, '=');
	const struct ctl_option *o;

	*value = NULL;
	if (arg[1] != '-')
		name = !strcmp(arg, "-c") ? STR("config") : !strcmp(arg, "-h") ? STR("help") : STR("?");
	else if (eq >= 0) {
		*value = name.p + eq + 1;
		name.n = (size_t)eq;
	}
	o = option_named(ctl_global_options, name);
	return o || !command ? o : option_named(command->options, name);
}

static bool is_option(const char *arg)
{
	return arg[0] == '-' && arg[1];
}

/* First walk: the words up to the first option that no command is known for. */
static const struct command *command_of(int argc, char **argv)
{
	const char *words[NAME_WORDS_MAX];
	size_t n = 0;

	for (int i = 1; i < argc && n < NAME_WORDS_MAX; i++) {
		const struct ctl_option *o;
		const char *value;

		if (!is_option(argv[i])) {
			words[n++] = argv[i];
			continue;
		}
		o = option_of(NULL, argv[i], &value);
		if (!o)
			break;
		i += o->value && !value;
	}
	return find(words, n);
}

static bool take_option(struct ctl *c, const struct ctl_option *o, const char *value, struct err *e)
{
	if (!o->value && value)
		return err_set(e, ERR_INVALID, "--%s takes no value", o->name);
	if (o->value && !value)
		return err_set(e, ERR_INVALID, "--%s needs a value", o->name);
	if (c->given_n == CTL_OPTIONS_MAX)
		return err_set(e, ERR_INVALID, "too many options");
	c->given[c->given_n].option = o;
	c->given[c->given_n++].value = value;
	return true;
}

/* How many words the row asks for at least and takes at most: "[X]" is optional, "X..." takes any number. */
static void word_limits(const struct command *command, size_t *min, size_t *max)
{
	struct str rest = str_of(command->words), word;

	*min = *max = 0;
	while ((word = str_word(&rest)).n) {
		*min += word.p[0] != '[';
		*max = str_ends(word, "...") || str_ends(word, "...]") ? CTL_WORDS_MAX : *max + 1;
	}
}

static bool words_check(const struct ctl *c, struct err *e)
{
	size_t min, max;

	word_limits(c->command, &min, &max);
	if (c->word_n < min)
		return err_set(e, ERR_INVALID, "%s needs %s", c->command->name, c->command->words);
	if (c->word_n > max)
		return err_set(e, ERR_INVALID, "\"%s\" is one word too many for %s", c->words[max], c->command->name);
	return true;
}

static bool add_word(struct ctl *c, const char *word, struct err *e)
{
	if (c->word_n == CTL_WORDS_MAX)
		return err_set(e, ERR_INVALID, "too many words");
	c->words[c->word_n++] = word;
	return true;
}

static void drop_name(struct ctl *c)
{
	size_t n = c->command ? name_words(c->command->name) : 0;

	c->word_n -= n;
	memmove(c->words, c->words + n, c->word_n * sizeof(*c->words));
}

bool ctl_parse(struct ctl *c, int argc, char **argv, struct err *e)
{
	bool only_words = false;

	c->command = command_of(argc, argv);
	for (int i = 1; i < argc; i++) {
		const struct ctl_option *o;
		const char *value;

		if (!only_words && !strcmp(argv[i], "--")) {
			only_words = true;
		} else if (only_words || !is_option(argv[i])) {
			if (!add_word(c, argv[i], e))
				return false;
		} else {
			o = option_of(c->command, argv[i], &value);
			if (!o && !c->command && c->word_n)
				break;	/* an option of what? That there is no such command is the answer */
			if (!o)
				return err_set(e, ERR_INVALID, "%s%sthere is no option %s", c->command ? c->command->name : "",
					c->command ? ": " : "", argv[i]);
			if (o->value && !value && i + 1 < argc)
				value = argv[++i];
			if (!take_option(c, o, value, e))
				return false;
		}
	}
	drop_name(c);
	c->json = ctl_has(c, "json");
	return !c->command || ctl_has(c, "help") || words_check(c, e);
}
