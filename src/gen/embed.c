/* embed.c - puts the files that pages load into the program.
 *
 *	embed SRCDIR OUT.c web/grapnel.css web/grapnel.js ...
 *
 * writes the table `assets` of src/dash/assets.h. Each file's URL has a hash of its content: browsers keep it for a year
 * and ask at once for a new one (src/dash/assets.c). The hash is FNV-1a (Fowler, Noll, Vo; 64 bits): it tells our own
 * releases apart, nothing hangs on it that an attacker could want. */
#include <inttypes.h>

#include "gen_int.h"

/* To add a kind of file: its suffix and its media type. */
static const struct { const char *suffix, *type; } types[] = {
	{ ".css", "text/css; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".svg", "image/svg+xml" },
};

static const char *type_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_ends(name, types[i].suffix))
			return types[i].type;
	return NULL;
}

static uint64_t fnv1a(struct str s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return h;
}

static void put_bytes(struct strbuf *b, size_t number, struct str content)
{
	strbuf_addf(b, "\nstatic const char data_%zu[] = {", number);
	for (size_t i = 0; i < content.n; i++)
		strbuf_addf(b, "%s%d,", i % 24 ? "" : "\n\t", content.p[i]);
	strbuf_adds(b, content.n ? "\n};\n" : " 0 };\n");
}

/* One file: its bytes into `data`, its row into `rows`. */
static bool add(struct arena *a, const char *dir, const char *path, size_t number, struct strbuf *data, struct strbuf *rows, struct err *e)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *type = type_of(str_of(name));
	struct str content;

	if (!type)
		return err_set(e, ERR_INVALID, "is of a kind that src/gen/embed.c does not know");
	if (!file_read(a, file_path(a, dir, path), SOURCE_MAX, &content, e))
		return false;
	put_bytes(data, number, content);
	strbuf_addf(rows, "\t{ \"%s\", \"/assets/%016" PRIx64 "/%s\", \"%s\", { data_%zu, %zu } },\n", name, fnv1a(content), name, type,
		number, content.n);
	return true;
}

static bool run(struct arena *a, const char *dir, const char *out, char **paths, size_t n)
{
	struct strbuf data, rows;
	struct err e = { 0 };

	strbuf_init(&data, a, OUTPUT_MAX);
	strbuf_init(&rows, a, OUTPUT_MAX);
	strbuf_adds(&data, "/* Made by embed from the files of web/. */\n#include \"src/dash/assets.h\"\n");
	for (size_t i = 0; i < n; i++) {
		if (!add(a, dir, paths[i], i, &data, &rows, &e)) {
			fprintf(stderr, "%s: %s\n", paths[i], e.text);
			return false;
		}
	}
	strbuf_addf(&data, "\nconst struct asset assets[] = {\n%.*s\t{ 0 }\n};\n", STR_ARG(strbuf_str(&rows)));
	if (data.failed || rows.failed)
		die("embed: over %u bytes of C", OUTPUT_MAX);
	if (!file_write(a, out, strbuf_str(&data), &e)) {
		fprintf(stderr, "%s: %s\n", out, e.text);
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct arena *a;
	bool ok;

	if (argc < 4) {
		fprintf(stderr, "usage: embed SRCDIR OUT.c FILE...\n");
		return 2;
	}
	a = arena_new(SIZE_MAX / 2);
	ok = run(a, argv[1], argv[2], argv + 3, (size_t)argc - 3);
	arena_free(a);
	return !ok;
}
