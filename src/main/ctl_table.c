/* ctl_table.c - what a view holds, as text for people: an object as names and values, a list as columns. */
#include "ctl_int.h"

#define COLUMNS_MAX 12
#define CELL_MAX 60	/* columns of a terminal that one cell may fill, but for the last one of a line */

/* ---- one field as text ---- */

static void value_add(struct strbuf *b, const struct field *f, const void *obj)
{
	const void *at = (const char *)obj + f->offset;
	char time[TIME_TEXT];

	switch (f->type) {
	case FIELD_TYPE_STR:
	case FIELD_TYPE_JSON:
		ctl_text_add(b, *(const struct str *)at);
		break;
	case FIELD_TYPE_U64:
		strbuf_addf(b, "%llu", *(const unsigned long long *)at);
		break;
	case FIELD_TYPE_I64:
		strbuf_addf(b, "%lld", *(const long long *)at);
		break;
	case FIELD_TYPE_ID:
		if (*(const uint64_t *)at)
			strbuf_addf(b, "%llu", *(const unsigned long long *)at);
		break;
	case FIELD_TYPE_BOOL:
		strbuf_adds(b, *(const bool *)at ? "yes" : "no");
		break;
	case FIELD_TYPE_TIME:
		if (*(const ms_t *)at)
			strbuf_adds(b, time_format(*(const ms_t *)at, time));
		break;
	case FIELD_TYPE_RATE:
		strbuf_addf(b, "%.2f", *(const double *)at);
		break;
	case FIELD_TYPE_NUMBER:
		strbuf_number(b, *(const double *)at);
		break;
	}
}

static struct str value_text(struct arena *a, const struct field *f, const void *obj)
{
	struct strbuf b;

	strbuf_init(&b, a, CTL_JSON_MAX);
	value_add(&b, f, obj);
	return strbuf_str(&b);
}

static size_t width(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

/* ---- one object: a line for each field that has a value ---- */

void ctl_one_text(const struct ctl *c, const struct field *fields, const void *obj)
{
	int longest = 0;

	for (const struct field *f = fields; f->name; f++)
		longest = strlen(f->name) > (size_t)longest ? (int)strlen(f->name) : longest;
	for (const struct field *f = fields; f->name; f++) {
		struct str value = value_text(c->arena, f, obj);

		if (value.n)
			printf("%-*s  %.*s\n", longest, f->name, STR_ARG(value));
	}
}

/* ---- many: a line each, in columns ---- */

struct table {
	const struct field *columns[COLUMNS_MAX];
	size_t widths[COLUMNS_MAX];
	size_t n;
};

static void columns_pick(struct table *t, const struct field *fields, const char *names)
{
	struct str rest = str_of(names), name;

	while ((name = str_word(&rest)).n && t->n < COLUMNS_MAX)
		for (const struct field *f = fields; f->name; f++)
			if (str_eqs(name, f->name)) {
				t->widths[t->n] = name.n;
				t->columns[t->n++] = f;
			}
}

static void cell_print(const struct table *t, size_t column, struct str text)
{
	bool last = column + 1 == t->n;
	size_t room = t->widths[column], used = width(text);

	if (last) {
		printf("%.*s\n", STR_ARG(text));
		return;
	}
	if (used > room) {
		text = str_cut(text, room);
		used = width(text);
	}
	printf("%.*s%*s", STR_ARG(text), (int)(room - used) + 2, "");
}

static void widths_fit(const struct ctl *c, struct table *t, const void *rows, size_t n, size_t size)
{
	for (size_t r = 0; r < n; r++)
		for (size_t i = 0; i < t->n; i++) {
			size_t w = width(value_text(c->arena, t->columns[i], (const char *)rows + r * size));

			w = w > CELL_MAX ? CELL_MAX : w;
			t->widths[i] = w > t->widths[i] ? w : t->widths[i];
		}
}

void ctl_rows_text(const struct ctl *c, const struct field *fields, const char *columns, const void *rows, size_t n, size_t size)
{
	struct table t = { .n = 0 };

	columns_pick(&t, fields, columns);
	widths_fit(c, &t, rows, n, size);
	for (size_t i = 0; n && i < t.n; i++)
		cell_print(&t, i, str_of(t.columns[i]->name));
	for (size_t r = 0; r < n; r++)
		for (size_t i = 0; i < t.n; i++)
			cell_print(&t, i, value_text(c->arena, t.columns[i], (const char *)rows + r * size));
}
