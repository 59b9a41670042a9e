/* files.c - files in and out, and text as C source. */
#include "gen_int.h"

const char *file_path(struct arena *a, const char *dir, const char *name)
{
	return strcmp(dir, ".") ? arena_printf(a, "%s/%s", dir, name).p : name;
}

bool file_write(struct arena *a, const char *path, struct str content, struct err *e)
{
	const char *fresh = arena_printf(a, "%s.new", path).p;
	FILE *f = fopen(fresh, "wb");
	bool ok;

	if (!f)
		return err_sys(e, ERR_DOWN, "cannot be written");
	ok = fwrite(content.p, 1, content.n, f) == content.n;
	ok = !fclose(f) && ok;
	if (!ok || rename(fresh, path)) {
		err_sys(e, ERR_DOWN, "cannot be written");
		remove(fresh);
		return false;
	}
	return true;
}

bool file_is(struct arena *a, const char *path, struct str content)
{
	struct err e = { 0 };
	struct str old;

	return file_read(a, path, SOURCE_MAX, &old, &e) && str_eq(old, content);
}

void c_string(struct strbuf *b, struct str s, size_t indent)
{
	strbuf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\n' && i + 1 < s.n) {
			strbuf_adds(b, "\\n\"\n");
			for (size_t k = 0; k < indent; k++)
				strbuf_addc(b, '\t');
			strbuf_addc(b, '"');
		} else if (c == '\n') {
			strbuf_adds(b, "\\n");
		} else if (c == '"' || c == '\\' || c == '?') {	/* ?? could be a trigraph */
			strbuf_addc(b, '\\');
			strbuf_addc(b, c);
		} else if (c < ' ' || c > '~') {
			strbuf_addf(b, "\\%03o", (unsigned)(unsigned char)c);
		} else {
			strbuf_addc(b, c);
		}
	}
	strbuf_addc(b, '"');
}
