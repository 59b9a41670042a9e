/* tmplc.c - compiles the templates of pages to C at build time.
 *
 *	tmplc SRCDIR OUT web/tmpl/a.html web/tmpl/b.html ...
 *
 * writes OUT.c and OUT.h with a function tmpl_a, tmpl_b... each. All at once, so that an include of a template that is not
 * there is found here. Messages are those of a compiler: file:line: sentence. */
#include "gen_int.h"

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "web/tmpl/row.html" -> "row" */
static struct str name_of(const char *path)
{
	struct str name = str_of(last_part(path));

	return str_until(&name, '.');
}

static bool compile_all(struct arena *a, struct template *all, size_t n)
{
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		struct err e = { 0 };

		if (template_compile(a, &all[i], all, n, &e))
			continue;
		fprintf(stderr, "%.*s:%u: %s\n", STR_ARG(all[i].path), all[i].line, e.text);
		ok = false;
	}
	return ok;
}

static struct str c_file(struct arena *a, const struct template *all, size_t n, const char *own_header)
{
	struct strbuf b;

	strbuf_init(&b, a, OUTPUT_MAX);
	strbuf_adds(&b, "/* Made by tmplc from the templates that its #lines name. */\n#include \"grapnel/html.h\"\n");
	for (size_t i = 0; i < n; i++) {
		strbuf_adds(&b, "#line 1 ");
		c_string(&b, all[i].path, 0);
		strbuf_addf(&b, "\n#include %.*s\n", STR_ARG(all[i].header));
	}
	strbuf_addf(&b, "#include \"%s\"\n", last_part(own_header));
	for (size_t i = 0; i < n; i++) {
		strbuf_addc(&b, '\n');
		strbuf_addstr(&b, all[i].code);
	}
	if (b.failed)
		die("tmplc: over %u bytes of C", OUTPUT_MAX);
	return strbuf_str(&b);
}

static struct str h_file(struct arena *a, const struct template *all, size_t n)
{
	struct strbuf b;

	strbuf_init(&b, a, OUTPUT_MAX);
	strbuf_adds(&b, "/* Made by tmplc: the pages and their parts. */\nstruct html_out;\n");
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&b, "struct %.*s;\nvoid tmpl_%.*s(struct html_out *o, const struct %.*s *v);\n", STR_ARG(all[i].view),
			STR_ARG(all[i].name), STR_ARG(all[i].view));
	return strbuf_str(&b);
}

static bool write_out(struct arena *a, const char *path, struct str content)
{
	struct err e = { 0 };

	if (file_write(a, path, content, &e))
		return true;
	fprintf(stderr, "%s: %s\n", path, e.text);
	return false;
}

static bool read_all(struct arena *a, const char *dir, char **names, size_t n, struct template *all)
{
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		const char *path = file_path(a, dir, names[i]);
		struct err e = { 0 };

		all[i] = (struct template){ .name = name_of(path), .path = str_of(path) };
		if (!file_read(a, path, SOURCE_MAX, &all[i].source, &e)) {
			fprintf(stderr, "%s: %s\n", path, e.text);
			ok = false;
		}
	}
	return ok;
}

static bool run(struct arena *a, const char *dir, const char *out, char **names, size_t n)
{
	struct template *all = ARENA_ARRAY(a, struct template, n);
	const char *c_path = arena_printf(a, "%s.c", out).p, *h_path = arena_printf(a, "%s.h", out).p;
	struct str header;

	if (!read_all(a, dir, names, n, all) || !compile_all(a, all, n))
		return false;
	/* The header stays as old as it is while it is the same: else a word changed in a page would compile all handlers. */
	header = h_file(a, all, n);
	return (file_is(a, h_path, header) || write_out(a, h_path, header)) && write_out(a, c_path, c_file(a, all, n, h_path));
}

int main(int argc, char **argv)
{
	struct arena *a;
	bool ok;

	if (argc < 4) {
		fprintf(stderr, "usage: tmplc SRCDIR OUT TEMPLATE...\n");
		return 2;
	}
	a = arena_new(SIZE_MAX / 2);
	ok = run(a, argv[1], argv[2], argv + 3, (size_t)argc - 3);
	arena_free(a);
	return !ok;
}
