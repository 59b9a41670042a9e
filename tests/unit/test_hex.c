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

START_TEST(test_dump)
{
	struct arena *a = arena_new(1 << 16);
	struct strbuf b;

	strbuf_init(&b, a, 1000);
	hex_dump(&b, STR("<script>\x00\xff\n~ 123456"));
	unit_str(strbuf_str(&b),
		"00000000  3c 73 63 72 69 70 74 3e  00 ff 0a 7e 20 31 32 33  |<script>...~ 123|\n"
		"00000010  34 35 36                                          |456|\n");
	strbuf_init(&b, a, 1000);
	hex_dump(&b, STR_NONE);
	unit_str(strbuf_str(&b), "");
	arena_free(a);
}
END_TEST

UNIT_MAIN("hex", UNIT(test_dump), UNIT_ROWS(test_vectors, vectors), UNIT(test_refused))
