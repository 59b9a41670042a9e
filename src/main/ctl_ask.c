/* ctl_ask.c - what a command asks: for its words and options, for a file or a line of standard input, and a person whether it is meant. */
#include "ctl_int.h"

#include <unistd.h>

#define LINE_MAX_BYTES 1024

struct str ctl_word(const struct ctl *c, size_t i)
{
	return i < c->word_n ? str_of(c->words[i]) : STR_NONE;
}

bool ctl_has(const struct ctl *c, const char *option)
{
	for (size_t i = 0; i < c->given_n; i++)
		if (!strcmp(c->given[i].option->name, option))
			return true;
	return false;
}

struct str ctl_value(const struct ctl *c, const char *option)
{
	struct str value = STR_NONE;

	for (size_t i = 0; i < c->given_n; i++)
		if (!strcmp(c->given[i].option->name, option))
			value = str_of(c->given[i].value);
	return value;
}

struct str ctl_value_at(const struct ctl *c, const char *option, size_t i)
{
	for (size_t k = 0; k < c->given_n; k++)
		if (!strcmp(c->given[k].option->name, option) && i-- == 0)
			return str_of(c->given[k].value);
	return STR_NONE;
}

bool ctl_number(const struct ctl *c, const char *option, uint64_t min, uint64_t max, uint64_t *out, struct err *e)
{
	struct str text = ctl_value(c, option);
	uint64_t n;

	if (!text.p)
		return true;
	if (!str_u64(text, &n) || n < min || n > max)
		return err_set(e, ERR_INVALID, "--%s must be a number from %llu to %llu", option, (unsigned long long)min,
			(unsigned long long)max);
	*out = n;
	return true;
}

bool ctl_file(const struct ctl *c, const char *option, struct str path, size_t max, struct str *out, struct err *e)
{
	char cause[sizeof(e->text)];

	if (file_read(c->arena, arena_cstr(c->arena, path), max, out, e))
		return true;
	snprintf(cause, sizeof(cause), "%s", e->text);
	return err_set(e, ERR_INVALID, "--%s %.120s %.80s", option, arena_cstr(c->arena, path), cause);
}

bool ctl_stdin_line(struct ctl *c, struct str *out, struct err *e)
{
	char line[LINE_MAX_BYTES + 2];
	struct str s;

	if (!fgets(line, sizeof(line), stdin))
		return err_set(e, ERR_INVALID, "standard input holds no line");
	s = str_of(line);
	while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.n--;
	if (s.n > LINE_MAX_BYTES)
		return err_set(e, ERR_INVALID, "the line on standard input has more than %d bytes", LINE_MAX_BYTES);
	*out = arena_str(c->arena, s);
	secret_wipe(line, sizeof(line));
	return s.n || err_set(e, ERR_INVALID, "the line on standard input is empty");
}

bool ctl_sure(const struct ctl *c, const char *question, struct err *e)
{
	char line[16];

	if (ctl_has(c, "yes"))
		return true;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return err_set(e, ERR_INVALID, "%s needs --yes where there is no terminal to ask on", c->command->name);
	fprintf(stderr, "%s [y/N] ", question);
	if (fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y'))
		return true;
	return err_set(e, ERR_DENIED, "nothing was changed");
}
