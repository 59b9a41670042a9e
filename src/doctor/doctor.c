/* doctor.c - runs the checks in their order. Each knows what it needs; where that is missing it is passed over with a line that says so,
 * so that one broken thing is told once and not twenty times. */
#include "doctor_int.h"

#include <stdarg.h>

#define LINES_FIRST 64

static const struct {
	unsigned has;
	const char *sentence;
} missing[] = {
	{ HAS_CONF, "the configuration cannot be read" },
	{ HAS_SERVICE, "the user of the programs is not known" },
	{ HAS_KEY, "the key file cannot be used" },
	{ HAS_DB, "the database does not answer" },
	{ HAS_SCHEMA, "the schema is not the one that this program needs" },
	{ HAS_PROGRAM, "grapnel.fcgi does not answer" },
	{ HAS_WEB, "the web server does not lead to this Grapnel" },
};

const struct field doctor_line_fields[] = {
	FIELD_STR(struct doctor_line, check, "check", "What was looked at"),
	FIELD_STR(struct doctor_line, level, "level", "ok, skip, warn or FAIL"),
	FIELD_STR(struct doctor_line, text, "text", "What was found"),
	FIELD_STR(struct doctor_line, mend, "mend", "What to do"),
	FIELD_END
};

const struct field doctor_about_fields[] = {
	FIELD_STR(struct doctor_about, name, "name", "Of the check"),
	FIELD_STR(struct doctor_about, what, "what", "What it looks at"),
	FIELD_END
};

const char *doctor_level_word(enum doctor_level l)
{
	static const char *const words[] = { "ok", "skip", "warn", "FAIL" };

	return words[l];
}

const struct doctor_check *doctor_find(struct str name)
{
	for (const struct doctor_check *const *c = doctor_checks; *c; c++)
		if (str_eqs(name, (*c)->name))
			return *c;
	return NULL;
}

struct doctor_about doctor_about(const struct doctor_check *check)
{
	return (struct doctor_about){ str_of(check->name), str_of(check->what) };
}

/* ---- what checks say ---- */

static void count_line(struct doctor_result *r, enum doctor_level l)
{
	r->ok += l == DOCTOR_OK;
	r->skipped += l == DOCTOR_SKIPPED;
	r->warnings += l == DOCTOR_WARN;
	r->failures += l == DOCTOR_FAIL;
}

static struct str text_of(struct doctor *d, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	return arena_str(d->a, str_cut(str_of(text), sizeof(text) - 1));
}

void say(struct doctor *d, enum doctor_level l, const char *mend, const char *fmt, ...)
{
	struct doctor_result *r = d->out;
	va_list ap;

	if (d->quiet)
		return;
	if (r->n == d->cap) {
		r->lines = arena_grow(d->a, r->lines, d->cap * sizeof(*r->lines), 2 * d->cap * sizeof(*r->lines));
		d->cap *= 2;
	}
	va_start(ap, fmt);
	r->lines[r->n++] = (struct doctor_line){ .check = str_of(d->check->name), .level = str_of(doctor_level_word(l)),
		.text = text_of(d, fmt, ap), .mend = mend ? str_of(mend) : STR_NONE, .at = l };
	va_end(ap);
	count_line(r, l);
}

const char *how(struct doctor *d, const char *fmt, ...)
{
	struct str text;
	va_list ap;

	va_start(ap, fmt);
	text = text_of(d, fmt, ap);
	va_end(ap);
	return arena_cstr(d->a, text);
}

size_t said(const struct doctor *d)
{
	return d->out->n;
}

/* ---- the run ---- */

static bool is_asked_for(const struct doctor *d, const struct doctor_check *check)
{
	if (!d->c->only)
		return true;
	for (const struct doctor_check *const *c = d->c->only; *c; c++)
		if (*c == check)
			return true;
	return false;
}

static void skip(struct doctor *d)
{
	unsigned lacks = d->check->needs & ~d->has;

	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		if (missing[i].has & lacks) {
			say(d, DOCTOR_SKIPPED, NULL, "not looked at: %s", missing[i].sentence);
			return;
		}
}

/* What others stand on is looked at in any case, in silence if need be. */
static void run(struct doctor *d, const struct doctor_check *check)
{
	bool asked_for = is_asked_for(d, check);

	if (!asked_for && !check->gives)
		return;
	d->check = check;
	d->quiet = !asked_for;
	if (check->needs & ~d->has)
		skip(d);
	else
		check->look(d);
}

void doctor_run(const struct doctor_config *c, struct arena *a, struct doctor_result *out)
{
	struct doctor d = { .c = c, .a = a, .out = out, .cap = LINES_FIRST };

	*out = (struct doctor_result){ .lines = ARENA_ARRAY(a, struct doctor_line, LINES_FIRST) };
	for (const struct doctor_check *const *check = doctor_checks; *check; check++)
		run(&d, *check);
	out->no_database = d.db && !(d.has & HAS_DB);
	if (d.seal)
		seal_key_free(d.seal);
	db_free(d.db);
	conf_free(&d.conf);
}
