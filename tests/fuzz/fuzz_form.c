/* Forms, percent-encoding, base 64 and hex: what is encoded decodes to itself. */
#include "fuzz.h"
#include "grapnel/base.h"

static void there_and_back(struct arena *a, struct str s)
{
	struct str back;
	char *bytes = arena_alloc(a, s.n);

	must(str_eq(url_decode(a, url_encode(a, s), false), s));
	must(str_eq(url_decode(a, url_encode(a, s), true), s));
	must(base64_decode(a, base64_encode(a, s.p, s.n), false, &back) && str_eq(back, s));
	must(hex_decode(hex_encode(a, s.p, s.n), bytes, s.n) && str_eq((struct str){ bytes, s.n }, s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(64 << 20);
	struct str s = { (const char *)data, n }, rest = s, name, value, out;
	size_t pieces = 0;

	while (form_next(a, &rest, &name, &value)) {
		must(name.n + value.n <= n);
		pieces++;
	}
	must(pieces <= n);
	there_and_back(a, s);
	if (base64_decode(a, s, true, &out))
		must(out.n <= n);
	if (form_find(a, s, "a", &value))
		must(pieces > 0);
	arena_free(a);
	return 0;
}
