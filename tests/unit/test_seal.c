#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "grapnel/crypto.h"

#define ONE "1 0101010101010101010101010101010101010101010101010101010101010101\n"
#define TWO "2 0202020202020202020202020202020202020202020202020202020202020202\n"

static const char *path(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "test_seal.%d.tmp", (int)getpid());
	return name;
}

static struct seal_key *load(const char *text, mode_t mode, struct err *e)
{
	struct seal_key *k;
	int fd = open(path(), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
	k = seal_key_load(path(), e);
	unlink(path());
	return k;
}

static const struct {
	const char *text;
	mode_t mode;
	enum err_code want;
} files[] = {
	{ ONE, 0600, ERR_NONE },
	{ ONE, 0400, ERR_NONE },
	{ ONE, 0640, ERR_NONE },
	{ "# rotated in May\n\n" TWO ONE, 0600, ERR_NONE },
	{ "255 ABCDEF0101010101010101010101010101010101010101010101010101010101", 0600, ERR_NONE },
	{ ONE, 0644, ERR_DENIED },
	{ ONE, 0604, ERR_DENIED },
	{ ONE, 0602, ERR_DENIED },
	{ ONE, 0660, ERR_DENIED },
	{ "", 0600, ERR_INVALID },
	{ "# nothing\n", 0600, ERR_INVALID },
	{ ONE ONE, 0600, ERR_INVALID },
	{ "0 0101010101010101010101010101010101010101010101010101010101010101", 0600, ERR_INVALID },
	{ "256 0101010101010101010101010101010101010101010101010101010101010101", 0600, ERR_INVALID },
	{ "0101010101010101010101010101010101010101010101010101010101010101", 0600, ERR_INVALID },
	{ "1 01010101010101010101010101010101010101010101010101010101010101", 0600, ERR_INVALID },
	{ "1 010101010101010101010101010101010101010101010101010101010101010x", 0600, ERR_INVALID },
	{ "1 0101010101010101010101010101010101010101010101010101010101010101 x", 0600, ERR_INVALID },
};

START_TEST(test_files)
{
	struct err e = { 0 };
	struct seal_key *k = load(files[_i].text, files[_i].mode, &e);

	ck_assert_msg(e.code == files[_i].want, "%s", e.text);
	ck_assert((k != NULL) == (files[_i].want == ERR_NONE));
	ck_assert_ptr_null(strstr(e.text, "0101"));	/* no key in the log */
	seal_key_free(k);
}
END_TEST

START_TEST(test_other_files)
{
	struct err e = { 0 };

	ck_assert_ptr_null(seal_key_load("test_seal.does-not-exist", &e));
	ck_assert_int_eq(e.code, ERR_NOT_FOUND);
	ck_assert_ptr_null(seal_key_load("/dev/null", &e));
	ck_assert_int_eq(e.code, ERR_INVALID);
	ck_assert_ptr_null(seal_key_load("/", &e));
	ck_assert_int_ne(e.code, ERR_NONE);
}
END_TEST

START_TEST(test_endless_file)
{
	static char text[70000];
	struct err e = { 0 };

	memset(text, '#', sizeof(text) - 1);
	ck_assert_ptr_null(load(text, 0600, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

START_TEST(test_create)
{
	struct err e = { 0 };
	struct seal_key *k;
	struct stat st;

	ck_assert(seal_key_create(path(), &e));
	ck_assert_int_eq(stat(path(), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert(!seal_key_create(path(), &e));
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	k = seal_key_load(path(), &e);
	ck_assert_ptr_nonnull(k);
	seal_key_free(k);
	unlink(path());
	ck_assert(!seal_key_create("/nowhere/at/all", &e));
	ck_assert_int_eq(e.code, ERR_DENIED);
}
END_TEST

START_TEST(test_there_and_back)
{
	struct arena *a = arena_new(1 << 20);
	struct err e = { 0 };
	struct seal_key *k = load(TWO ONE, 0600, &e), *old = load(ONE, 0600, &e);
	struct str plain = STR("whsec_\0\xff text"), sealed, again, out;

	sealed = seal(a, k, plain, "source_secret:42");
	again = seal(a, k, plain, "source_secret:42");
	ck_assert_uint_eq(sealed.n, 2 + 12 + plain.n + 16);
	ck_assert_uint_eq(sealed.p[1], 2);		/* the first key of the file seals */
	ck_assert(!str_eq(sealed, again));		/* a nonce of its own each time */
	ck_assert(unseal(a, k, sealed, "source_secret:42", &out, &e));
	ck_assert(str_eq(out, plain));
	/* a key that is not first still opens; one that is not there says so */
	ck_assert(unseal(a, k, seal(a, old, plain, "x"), "x", &out, &e));
	ck_assert(!unseal(a, old, sealed, "source_secret:42", &out, &e));
	ck_assert_int_eq(e.code, ERR_NOT_FOUND);
	/* nothing can be sealed too */
	ck_assert(unseal(a, k, seal(a, k, STR_NONE, ""), "", &out, &e));
	ck_assert_uint_eq(out.n, 0);
	seal_key_free(k);
	seal_key_free(old);
	arena_free(a);
}
END_TEST

/* Every single bit, every shorter length, another context. */
START_TEST(test_tampering)
{
	struct arena *a = arena_new(1 << 24);
	struct err e = { 0 };
	struct seal_key *k = load(TWO ONE, 0600, &e);
	struct str sealed = seal(a, k, STR("secret"), "source_secret:42"), out = STR_NONE;
	char *bytes = arena_cstr(a, sealed);

	for (size_t bit = 0; bit < 8 * sealed.n; bit++) {
		bytes[bit / 8] ^= (char)(1 << bit % 8);
		ck_assert(!unseal(a, k, (struct str){ bytes, sealed.n }, "source_secret:42", &out, &e));
		bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t n = 0; n < sealed.n; n++)
		ck_assert(!unseal(a, k, (struct str){ bytes, n }, "source_secret:42", &out, &e));
	ck_assert(!unseal(a, k, (struct str){ bytes, sealed.n + 1 }, "source_secret:42", &out, &e));
	ck_assert(!unseal(a, k, sealed, "source_secret:43", &out, &e));
	ck_assert(!unseal(a, k, sealed, "", &out, &e));
	ck_assert_ptr_null(out.p);
	seal_key_free(k);
	arena_free(a);
}
END_TEST

UNIT_MAIN("seal", UNIT_ROWS(test_files, files), UNIT(test_other_files), UNIT(test_endless_file),
	UNIT(test_create), UNIT(test_there_and_back), UNIT(test_tampering))
