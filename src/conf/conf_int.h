/* conf_int.h - the row of an option and the type it refers to. */
#ifndef GRAPNEL_CONF_INT_H
#define GRAPNEL_CONF_INT_H

#include "grapnel/conf.h"

struct option;

/* How a kind of value is read, written and explained. `member` points into a struct conf: a char *, uint32_t or bool. */
struct option_type {
	/* False with e->text saying what is wrong with the value, without naming the option; secrets are never quoted. */
	bool (*set)(void *member, const struct option *o, struct str value, struct err *e);
	void (*print)(const void *member, const struct option *o, FILE *to);
	void (*print_limits)(const struct option *o, FILE *to);	/* a sentence after the help, or NULL */
	bool is_text;		/* member is a char * */
};

#define CONF_DECIMALS 4
extern const struct option_type type_text, type_secret, type_number, type_decimal, type_octal, type_ms, type_bytes, type_bool, type_word,
	type_text_word, type_cidrs, type_ports, type_hosts, type_url, type_endpoint, type_headers, type_mail_server, type_zone;

struct option {
	const char *section, *key;
	const struct option_type *type;
	size_t offset;
	const char *preset;		/* default, as it would stand in the file */
	uint32_t min, max;		/* of numbers */
	const char *const *words;	/* ends with NULL */
	bool restart;			/* a running master cannot change it */
	const char *help;
};

extern const struct option options[];
extern const size_t option_n;

/* Variables of the environment that set an option, by their names in the documents. */
struct variable {
	const char *name, *section, *key;
};
extern const struct variable conf_variables[];	/* ends with { 0 } */

const struct option *option_find(struct str section, struct str key);	/* NULL = there is none */
/* Blanks around the value do not count. */
bool option_set(struct conf *c, const struct option *o, struct str value, struct err *e) MUST_USE;

/* Replaces a text member: the old one is wiped. */
void text_set(char **member, struct str value);

/* The lines of a file over what *c holds. `name` is for messages. */
bool conf_parse(struct conf *c, struct str text, const char *name, struct err *e) MUST_USE;
/* ERR_INVALID says which part is wrong, without quoting any. */
bool conf_database_url(struct conf *c, struct str url, struct err *e) MUST_USE;
void conf_defaults(struct conf *c);

#endif
