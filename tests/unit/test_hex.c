#include "unit.h"

/* RFC 4648 section 10, in lower case. */
static const struct {
	const char *plain, *hex;
} vectors[] = {
	{ "", "" },
	{ "f", "66" },
	{ "fo", "666f" },
	{ "foo", "666f6f" },
	{ "foobar", "666f6f626172" },
	{ "\xff\x80\x7f", "ff807f" },
};

START_TEST(test_vectors)
{
	struct arena *a = arena_new(1 << 16);
	struct str plain = str_of(vectors[_i].plain), hex = str_of(vectors[_i].hex);
	char out[16] = "";

	unit_str(hex_encode(a, plain.p, plain.n), vectors[_i].hex);
	ck_assert(hex_decode(hex, out, plain.n));
	ck_assert(!memcmp(out, plain.p, plain.n));
	arena_free(a);
}
END_TEST

START_TEST(test_refused)
{
	char out[4];

	ck_assert(hex_decode(STR("aBcDeF00"), out, 4));
	ck_assert(!hex_decode(STR("aBcDeF0"), out, 4));
	ck_assert(!hex_decode(STR("aBcDeF000"), out, 4));
	ck_assert(!hex_decode(STR("aBcDeF0g"), out, 4));
	ck_assert(!hex_decode(STR("aBcDeF 0"), out, 4));
	ck_assert(!hex_decode(STR_NONE, out, 4));
	ck_assert(hex_decode(STR_NONE, out, 0));
}
END_TEST

UNIT_MAIN("hex", UNIT_ROWS(test_vectors, vectors), UNIT(test_refused))
