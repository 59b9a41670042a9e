/* print.c - the table read the other way: sample file, what is in force, one value, what a reload cannot change. */
#include "conf_int.h"

static const void *member(const struct conf *c, const struct option *o)
{
	return (const char *)c + o->offset;
}

static void print_section(const struct option *o, FILE *to)
{
	if (o > options && !strcmp(o[-1].section, o->section))
		return;
	fprintf(to, "%s[%s]\n", o > options ? "\n" : "", o->section);
}

void conf_print_sample(FILE *to)
{
	fputs("# Configuration of Grapnel. Every option with its default; take the # off to change one.\n"
		"# Durations: 500ms, 10s, 5m. Sizes: 64K, 1M. A line is \"key = value\"; a blank and ';' begin a comment, so a\n"
		"# password with both belongs into password_file.\n\n", to);
	for (size_t i = 0; i < option_n; i++) {
		const struct option *o = &options[i];

		print_section(o, to);
		fprintf(to, "# %s", o->help);
		if (o->type->print_limits)
			o->type->print_limits(o, to);
		fprintf(to, "%s\n#%s = %s\n", o->restart ? " Needs a restart." : "", o->key, o->preset);
	}
}

void conf_print(const struct conf *c, FILE *to)
{
	for (size_t i = 0; i < option_n; i++) {
		const struct option *o = &options[i];

		print_section(o, to);
		fprintf(to, "%s = ", o->key);
		o->type->print(member(c, o), o, to);
		fputc('\n', to);
	}
}

bool conf_print_value(const struct conf *c, const char *name, FILE *to)
{
	struct str key = str_of(name), section = str_until(&key, '.');
	const struct option *o = option_find(section, key);

	if (!o)
		return false;
	o->type->print(member(c, o), o, to);
	fputc('\n', to);
	return true;
}

static bool same(const struct option *o, const void *a, const void *b)
{
	return o->type->is_text ? !strcmp(*(char *const *)a, *(char *const *)b) :
		*(const uint32_t *)a == *(const uint32_t *)b;
}

const char *conf_restart_needed(const struct conf *running, const struct conf *fresh)
{
	static char name[64];	/* the caller logs it at once */

	for (size_t i = 0; i < option_n; i++) {
		const struct option *o = &options[i];

		if (!o->restart || same(o, member(running, o), member(fresh, o)))
			continue;
		snprintf(name, sizeof(name), "%s.%s", o->section, o->key);
		return name;
	}
	return NULL;
}
