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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(256 << 20);
	const struct json *j, *again;
	struct str first;
	struct err e = { 0 };

	if (json_parse(a, (struct str){ (const char *)data, n }, &j, &e)) {
		first = written(a, j);
		must(str_is_utf8(first));
		must(json_parse(a, first, &again, &e));
		must(str_eq(first, written(a, again)));
		/* Half of the input may serve as a pointer into the rest, by chance a good one. */
		json_text(json_at(j, (struct str){ (const char *)data, n / 2 }));
	} else {
		must(e.code == ERR_INVALID || e.code == ERR_LIMIT);
	}
	arena_free(a);
	return 0;
}
