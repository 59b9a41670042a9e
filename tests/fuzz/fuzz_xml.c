/* Whatever xml_parse takes is a tree that the writer of JSON can write and its reader takes. */
#include "fuzz.h"
#include "grapnel/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(256 << 20);
	const struct json *j, *again;
	struct strbuf b;
	struct json_out o;
	struct err e = { 0 };

	if (xml_parse(a, (struct str){ (const char *)data, n }, &j, &e)) {
		strbuf_init(&b, a, 16 << 20);
		json_out_init(&o, &b);
		json_tree(&o, j);
		must(!b.failed && o.depth == 0);
		must(str_is_utf8(strbuf_str(&b)));
		must(json_parse(a, strbuf_str(&b), &again, &e));
		must(json_is(again, JSON_OBJECT) && again->count == 1);
	} else {
		must(e.code == ERR_INVALID || e.code == ERR_LIMIT);
	}
	arena_free(a);
	return 0;
}
