#include "unit.h"

static const struct {
	const char *plain, *base64;
} vectors[] = {			/* RFC 4648 section 10, then both odd characters of the alphabet */
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "+/+/" },
};

START_TEST(test_vectors)
{
	struct arena *a = arena_new(1 << 16);
	struct str plain = str_of(vectors[_i].plain), out;

	unit_str(base64_encode(a, plain.p, plain.n), vectors[_i].base64);
	ck_assert(base64_decode(a, str_of(vectors[_i].base64), false, &out));
	unit_str(out, vectors[_i].plain);
	arena_free(a);
}
END_TEST

static const struct {
	const char *text;
	bool url;
	const char *want;	/* NULL = refused */
} rows[] = {
	{ "Zm8", false, NULL },		/* padding needed */
	{ "Zm8", true, "fo" },
	{ "Zm8=", true, "fo" },
	{ "Zg", true, "f" },
	{ "Zg=", true, NULL },
	{ "Z", true, NULL },
	{ "Zm9vY", true, NULL },
	{ "=", false, NULL },
	{ "==", false, NULL },
	{ "====", false, NULL },
	{ "=", true, NULL },
	{ "Z===", false, NULL },
	{ "Zg==Zg==", false, NULL },	/* padding inside */
	{ "Zm9v\n", false, NULL },
	{ "Zm9v Zm9", false, NULL },
	{ "Zm 9vZm=", false, NULL },
	{ "+/+/", true, NULL },		/* each alphabet has its own two */
	{ "-_-_", true, "\xfb\xff\xbf" },
	{ "-_-_", false, NULL },
	{ "Zh==", false, "f" },		/* left-over bits: RFC 4648 section 3.5 allows to ignore them */
	{ "Zm\x00v", false, NULL },
};

START_TEST(test_rows)
{
	struct arena *a = arena_new(1 << 16);
	struct str out = STR("kept");
	bool ok = base64_decode(a, str_of(rows[_i].text), rows[_i].url, &out);

	ck_assert(ok == (rows[_i].want != NULL));
	unit_str(out, ok ? rows[_i].want : "kept");
	arena_free(a);
}
END_TEST

START_TEST(test_every_byte)
{
	struct arena *a = arena_new(1 << 20);
	char bytes[256];
	struct str out;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		ck_assert(base64_decode(a, base64_encode(a, bytes, n), false, &out));
		ck_assert(str_eq(out, (struct str){ bytes, n }));
	}
	arena_free(a);
}
END_TEST

START_TEST(test_url_alphabet)
{
	struct arena *a = arena_new(1 << 16);

	unit_str(base64url_encode(a, "\xfb\xff\xbf", 3), "-_-_");
	unit_str(base64url_encode(a, "f", 1), "Zg");
	unit_str(base64url_encode(a, "fo", 2), "Zm8");
	unit_str(base64url_encode(a, "", 0), "");
	arena_free(a);
}
END_TEST

UNIT_MAIN("base64", UNIT(test_url_alphabet), UNIT_ROWS(test_vectors, vectors), UNIT_ROWS(test_rows, rows), UNIT(test_every_byte))
