/* Whatever json_parse takes is UTF-8, can be written, and reads back as the same. */
#include "fuzz.h"
#include "grapnel/json.h"

static struct str written(struct arena *a, const struct json *j)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, 16 << 20);
	json_out_init(&o, &b);
	json_tree(&o, j);
	must(!b.failed && o.depth == 0);
	return strbuf_str(&b);
}

static void read_back(struct arena *a, struct str text, const struct json *j)
{
	const struct json *again;
	struct str first = written(a, j);
	struct err e = { 0 };

	must(str_is_utf8(first));
	must(json_parse(a, first, &again, &e));
	must(str_eq(first, written(a, again)));
	/* Half of the input may serve as a pointer into the rest, by chance a good one. */
	json_text(json_at(j, (struct str){ text.p, text.n / 2 }));
}

/* What json_parse takes is the same when it is read loosely, but for the depth. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(256 << 20);
	struct str text = { (const char *)data, n };
	const struct json *strict = NULL, *loose = NULL;
	struct err e = { 0 };

	if (json_parse(a, text, &strict, &e))
		read_back(a, text, strict);
	else
		must(e.code == ERR_INVALID || e.code == ERR_LIMIT);
	if (json_parse_loose(a, text, &loose, &e))
		read_back(a, text, loose);
	else
		must(e.code == ERR_LIMIT || (e.code == ERR_INVALID && !strict));
	must(!strict || !loose || str_eq(written(a, strict), written(a, loose)));
	arena_free(a);
	return 0;
}
