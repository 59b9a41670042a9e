/* cmd_config.c - the configuration in force, and the sample of it. */
#include "ctl_int.h"

#define CONFIG_MAX (1u << 20)

/* conf_print's lines "[section]" and "key = value" as {"section":{"key":"value"}}. */
static void lines_json(struct ctl *c, struct str text)
{
	struct strbuf b;
	struct json_out o;
	bool inside = false;

	strbuf_init(&b, c->arena, CONFIG_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	while (text.n) {
		struct str value = str_until(&text, '\n');
		struct str key = str_trim(str_until(&value, '='));

		if (!key.n)
			continue;
		if (key.p[0] == '[') {
			if (inside)
				json_close(&o, '}');
			inside = true;
			json_key(&o, arena_cstr(c->arena, (struct str){ key.p + 1, key.n - 2 }));
			json_open(&o, '{');
			continue;
		}
		json_key(&o, arena_cstr(c->arena, key));
		json_str(&o, str_trim(value));
	}
	if (inside)
		json_close(&o, '}');
	json_close(&o, '}');
	ctl_json_print(&b);
}

static bool print_json(struct ctl *c, struct err *e)
{
	char *p = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&p, &n);

	if (!f)
		return err_sys(e, ERR_DOWN, "the configuration could not be printed");
	conf_print(&c->conf, f);
	fclose(f);
	lines_json(c, (struct str){ p, n });
	free(p);
	return true;
}

static bool print(struct ctl *c, struct err *e)
{
	if (c->json)
		return print_json(c, e);
	conf_print(&c->conf, stdout);
	return true;
}

static bool sample(struct ctl *c, struct err *e)
{
	conf_print_sample(stdout);
	return true;
}

static bool manual(struct ctl *c, struct err *e)
{
	conf_print_manual(stdout);
	return true;
}

const struct command config_commands[] = {
	{ "config print", "", NULL, NEED_CONF, print, "prints the configuration in force, secrets as ***" },
	{ "config sample", "", NULL, 0, sample, "prints every option with its help and default, as a file" },
	{ "config manual", "", NULL, 0, manual, "prints the manual of the configuration file, for man(1)" },
	{ 0 }
};
