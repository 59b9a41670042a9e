/* ctl_form.c - "field=value" words as a form: the same tables, rules and sentences as the API's and the pages'. */
#include "ctl_int.h"

#define FORM_MAX (1u << 20)
#define VALUE_MAX (256u << 10)

/* "@FILE" and "@-" read it, so that a secret stands on no command line. */
static bool value_of(struct ctl *c, struct str given, struct str *out, struct err *e)
{
	struct err why = { 0 };

	*out = given;
	if (!str_starts(given, "@"))
		return true;
	if (!file_read(c->arena, given.p + 1, VALUE_MAX, out, &why))
		return err_set(e, ERR_INVALID, "%.60s: %.90s", given.p + 1, why.text);
	while (out->n && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r'))
		out->n--;
	return true;
}

static void pair_add(struct strbuf *b, struct arena *a, struct str name, struct str value)
{
	strbuf_addf(b, "%s%.*s=%.*s", b->n ? "&" : "", STR_ARG(url_encode(a, name)), STR_ARG(url_encode(a, value)));
}

static void add_options(struct ctl *c, const struct ctl_field *options, struct strbuf *b)
{
	for (; options && options->option; options++) {
		struct str value = ctl_value(c, options->option);

		if (ctl_has(c, options->option))
			pair_add(b, c->arena, str_of(options->field), value.p ? value : STR("true"));
	}
}

static bool add_words(struct ctl *c, size_t from, struct strbuf *b, struct err *e)
{
	for (size_t i = from; i < c->word_n; i++) {
		struct str value = ctl_word(c, i), name;

		if (str_find(value, '=') < 0)
			return err_set(e, ERR_INVALID, "\"%s\" is no FIELD=VALUE", c->words[i]);
		name = str_until(&value, '=');
		if (!value_of(c, value, &value, e))
			return false;
		pair_add(b, c->arena, name, value);
	}
	return true;
}

bool ctl_form_read(struct ctl *c, size_t from, const struct ctl_field *options, const struct form_field *fields, enum form_mode mode, void *out,
	struct err *e)
{
	struct strbuf b;

	strbuf_init(&b, c->arena, FORM_MAX);
	add_options(c, options, &b);
	if (!add_words(c, from, &b, e))
		return false;
	return b.failed ? err_set(e, ERR_INVALID, "those values are too long") :
		form_read_post(c->arena, strbuf_str(&b), fields, mode, out, e);
}

/* ---- which fields there are ---- */

struct about {
	struct str name, help;
};

static const struct field about_fields[] = {
	FIELD_STR(struct about, name, "name", ""),
	FIELD_STR(struct about, help, "help", ""),
	FIELD_END
};

void ctl_form_list(struct ctl *c, const struct form_field *fields)
{
	struct about rows[64];
	size_t n = 0;

	for (; fields->name && n < ARRAY_SIZE(rows); fields++)
		if (!(fields->flags & FORM_FIXED))
			rows[n++] = (struct about){ str_of(fields->name), str_of(fields->help ? fields->help : "") };
	ctl_list(c, "fields", about_fields, "name help", rows, n, sizeof(*rows), 0);
}
