/* ctl_print.c - answers, as JSON for programs and as text for people, from the same field tables. */
#include "ctl_int.h"

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
		ctl_one_text(c, fields, obj);
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
	json_rows(&o, fields, rows, size, n);
	json_key(&o, "next");
	json_id(&o, next);
	json_close(&o, '}');
	ctl_json_print(&b);
}

void ctl_list(const struct ctl *c, const char *plural, const struct field *fields, const char *columns, const void *rows,
	size_t n, size_t size, uint64_t next)
{
	if (c->json) {
		list_json(c, plural, fields, rows, n, size, next);
		return;
	}
	ctl_rows_text(c, fields, columns, rows, n, size);
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
