#include "unit.h"

#include "grapnel/crypto.h"

START_TEST(test_hash_and_verify)
{
	struct arena *a = arena_new(1 << 16);
	struct err e = { 0 };
	struct str one, two;

	ck_assert(password_hash(a, STR("correct horse \xc3\xa4"), &one, &e));
	ck_assert(password_hash(a, STR("correct horse \xc3\xa4"), &two, &e));
	ck_assert(str_starts(one, "$y$"));
	ck_assert(!str_eq(one, two));
	ck_assert(password_verify(STR("correct horse \xc3\xa4"), one));
	ck_assert(!password_verify(STR("correct horse"), one));
	ck_assert(!password_verify(STR("correct horse \xc3\xa4 "), one));
	ck_assert(!password_verify(STR_NONE, one));
	arena_free(a);
}
END_TEST

START_TEST(test_refused)
{
	struct arena *a = arena_new(1 << 16);
	struct err e = { 0 };
	char longest[512];
	struct str hash;

	memset(longest, 'x', sizeof(longest));
	ck_assert(!password_hash(a, STR_NONE, &hash, &e));
	ck_assert_str_eq(e.field, "password");
	ck_assert(!password_hash(a, STR("a\0b"), &hash, &e));
	ck_assert(!password_hash(a, (struct str){ longest, 512 }, &hash, &e));
	ck_assert(password_hash(a, (struct str){ longest, 511 }, &hash, &e));
	ck_assert(password_verify((struct str){ longest, 511 }, hash));
	ck_assert(!password_verify((struct str){ longest, 510 }, hash));
	arena_free(a);
}
END_TEST

static const char *const bad_hashes[] = { "", "x", "*0", "*1", "$y$", "$y$j9T$", "$zz$abc", "$y$j9T$\xff\xff$abc", "plain password" };

START_TEST(test_bad_hash)
{
	ck_assert(!password_verify(STR("plain password"), str_of(bad_hashes[_i])));
	ck_assert(!password_verify(str_of(bad_hashes[_i]), str_of(bad_hashes[_i])));
}
END_TEST

/* Another method of libcrypt stays good: sha512crypt, as `openssl passwd -6` makes it. */
START_TEST(test_older_method)
{
	ck_assert(password_verify(STR("Hello world!"), STR("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
		"FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1")));
}
END_TEST

UNIT_MAIN("password", UNIT(test_hash_and_verify), UNIT(test_refused), UNIT_ROWS(test_bad_hash, bad_hashes),
	UNIT(test_older_method))
