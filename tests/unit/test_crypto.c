#include "unit.h"

#include "grapnel/crypto.h"

/* FIPS 180-2 appendix B. */
static const struct {
	const char *text, *want;
} digests[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

START_TEST(test_sha256)
{
	struct arena *a = arena_new(1 << 16);

	unit_str(sha256_hex(a, str_of(digests[_i].text)), digests[_i].want);
	arena_free(a);
}
END_TEST

#define KEY_0B "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"

/* RFC 4231 (SHA-256) and RFC 2202 (SHA-1), cases 1 and 2; then an empty key. The data is given in parts. */
static const struct {
	enum digest digest;
	const char *key, *parts[3];
	const char *want;
} macs[] = {
	{ DIGEST_SHA256, KEY_0B, { "Hi", " ", "There" }, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ DIGEST_SHA256, "Jefe", { "what do ya want ", NULL, "for nothing?" },
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ DIGEST_SHA1, KEY_0B, { "Hi There" }, "b617318655057264e28bc0b6fb378c8ef146be00" },
	{ DIGEST_SHA1, "Jefe", { "what do ya want for nothing?" }, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	{ DIGEST_SHA256, "", { "" }, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
	{ DIGEST_SHA1, "", { "" }, "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d" },
};

START_TEST(test_hmac)
{
	struct arena *a = arena_new(1 << 16);
	unsigned char out[DIGEST_MAX];
	struct str parts[3];
	size_t n;

	for (int i = 0; i < 3; i++)
		parts[i] = str_of(macs[_i].parts[i]);
	/* A key set before must not stay behind. */
	hmac(macs[_i].digest, STR("another key"), parts, 3, out);
	n = hmac(macs[_i].digest, str_of(macs[_i].key), parts, 3, out);
	unit_str(hex_encode(a, out, n), macs[_i].want);
	arena_free(a);
}
END_TEST

START_TEST(test_equal)
{
	ck_assert(equal_ct("abc", 3, "abc", 3));
	ck_assert(!equal_ct("abc", 3, "abd", 3));
	ck_assert(!equal_ct("abc", 3, "ab", 2));
	ck_assert(equal_ct(NULL, 0, "", 0));
}
END_TEST

/* RFC 8032 section 7.1, test 2 */
START_TEST(test_ed25519)
{
	unsigned char key[32], signature[64];
	struct str k = { (char *)key, 32 }, s = { (char *)signature, 64 };

	ck_assert(hex_decode(STR("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"), key, 32));
	ck_assert(hex_decode(STR("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
		"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"), signature, 64));
	ck_assert(ed25519_verify(k, STR("r"), s));
	ck_assert(!ed25519_verify(k, STR("s"), s));
	ck_assert(!ed25519_verify(k, STR_NONE, s));
	ck_assert(!ed25519_verify(str_cut(k, 31), STR("r"), s));
	ck_assert(!ed25519_verify(STR_NONE, STR("r"), s));
	s.n = 63;
	ck_assert(!ed25519_verify(k, STR("r"), s));
	key[0] ^= 1;
	s.n = 64;
	ck_assert(!ed25519_verify(k, STR("r"), s));
}
END_TEST

START_TEST(test_random_and_wipe)
{
	unsigned char a[32] = { 0 }, b[32] = { 0 };

	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	ck_assert(memcmp(a, b, sizeof(a)));
	secret_wipe(a, sizeof(a));
	secret_wipe(NULL, 0);
	for (size_t i = 0; i < sizeof(a); i++)
		ck_assert_uint_eq(a[i], 0);
}
END_TEST

UNIT_MAIN("crypto", UNIT_ROWS(test_sha256, digests), UNIT_ROWS(test_hmac, macs), UNIT(test_equal), UNIT(test_ed25519),
	UNIT(test_random_and_wipe))
