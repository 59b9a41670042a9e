/* ctl_print.c - answers, as JSON for programs and as text for people, from the same field tables.
 *
 * What a provider wrote (summaries, names, bodies) ends up on somebody's terminal: no control character passes. */
#include "ctl_int.h"

#define COLUMNS_MAX 12
#define CELL_MAX 60	/* columns of a terminal that one cell may fill, but for the last one of a line */

/* ---- text that is safe for a terminal ---- */

/* Bytes of the character at s.p[0] that may be printed as they are; 0: not this byte. U+0080 to U+009F are controls too. */
static size_t printable(struct str s)
{
	unsigned char first = (unsigned char)s.p[0];
	size_t n = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (first < 0x20 || first == 0x7f || n > s.n || !str_is_utf8((struct str){ s.p, n }))
		return 0;
	if (first == 0xc2 && (unsigned char)s.p[1] < 0xa0)
		return 0;
	return n;
}

static void safe_add(struct strbuf *b, struct str s, bool lines)
{
	while (s.n) {
		size_t n = printable(s);

		if (n || (lines && (s.p[0] == '\n' || s.p[0] == '\t')))
			strbuf_add(b, s.p, n ? n : 1);
		else
			strbuf_addf(b, "\\x%02x", (unsigned char)s.p[0]);
		s = str_sub(s, n ? n : 1);
	}
}

void ctl_text(FILE *to, struct str s, bool lines)
{
	while (s.n) {
		size_t n = printable(s);

		if (n || (lines && (s.p[0] == '\n' || s.p[0] == '\t')))
			fwrite(s.p, 1, n ? n : 1, to);
		else
			fprintf(to, "\\x%02x", (unsigned char)s.p[0]);
		s = str_sub(s, n ? n : 1);
	}
}

/* ---- one field as text ---- */

static void value_add(struct strbuf *b, const struct field *f, const void *obj)
{
	const void *at = (const char *)obj + f->offset;
	char time[TIME_TEXT];

	switch (f->type) {
	case FIELD_TYPE_STR:
	case FIELD_TYPE_JSON:
		safe_add(b, *(const struct str *)at, false);
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

/* ---- text ---- */

static void one_text(const struct ctl *c, const struct field *fields, const void *obj)
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

static void list_text(const struct ctl *c, struct table *t, const void *rows, size_t n, size_t size)
{
	for (size_t r = 0; r < n; r++)
		for (size_t i = 0; i < t->n; i++) {
			size_t w = width(value_text(c->arena, t->columns[i], (const char *)rows + r * size));

			w = w > CELL_MAX ? CELL_MAX : w;
			t->widths[i] = w > t->widths[i] ? w : t->widths[i];
		}
	for (size_t i = 0; n && i < t->n; i++)
		cell_print(t, i, str_of(t->columns[i]->name));
	for (size_t r = 0; r < n; r++)
		for (size_t i = 0; i < t->n; i++)
			cell_print(t, i, value_text(c->arena, t->columns[i], (const char *)rows + r * size));
}

/* ---- answers ---- */

void ctl_json_print(const struct strbuf *b)
{
	if (b->failed)
		die("the answer is larger than %u bytes", (unsigned)b->max);
	fwrite(b->p, 1, b->n, stdout);
	putchar('\n');
}

static void json_start(const struct ctl *c, struct strbuf *b, struct json_out *o)
{
	strbuf_init(b, c->arena, CTL_JSON_MAX);
	json_out_init(o, b);
	json_open(o, '{');
}

void ctl_one(const struct ctl *c, const struct field *fields, const void *obj)
{
	struct strbuf b;
	struct json_out o;

	if (!c->json) {
		one_text(c, fields, obj);
		return;
	}
	json_start(c, &b, &o);
	json_fields(&o, fields, obj);
	json_close(&o, '}');
	ctl_json_print(&b);
}

static void list_json(const struct ctl *c, const char *plural, const struct field *fields, const void *rows, size_t n,
	size_t size, uint64_t next)
{
	struct strbuf b;
	struct json_out o;

	json_start(c, &b, &o);
	json_key(&o, plural);
	json_open(&o, '[');
	for (size_t r = 0; r < n; r++) {
		json_open(&o, '{');
		json_fields(&o, fields, (const char *)rows + r * size);
		json_close(&o, '}');
	}
	json_close(&o, ']');
	json_key(&o, "next");
	json_id(&o, next);
	json_close(&o, '}');
	ctl_json_print(&b);
}

void ctl_list(const struct ctl *c, const char *plural, const struct field *fields, const char *columns, const void *rows,
	size_t n, size_t size, uint64_t next)
{
	struct table t = { .n = 0 };

	if (c->json) {
		list_json(c, plural, fields, rows, n, size, next);
		return;
	}
	columns_pick(&t, fields, columns);
	list_text(c, &t, rows, n, size);
	if (!n)
		printf("no %s\n", plural);
	if (next)
		printf("more: --cursor %llu\n", (unsigned long long)next);
}

void ctl_done(const struct ctl *c, const char *fmt, ...)
{
	va_list ap;

	if (c->json) {
		puts("{\"success\":true}");
		return;
	}
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}
