#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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
	ck_assert_ptr_null(strstr(e.text, "01010101"));	/* no key in the log */
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

/* ---- the file changes while programs run ---- */

static void put(const char *text)
{
	FILE *f = fopen(path(), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	fclose(f);
	ck_assert_int_eq(chmod(path(), 0600), 0);
}

static const char *got(void)
{
	static char text[1000];
	FILE *f = fopen(path(), "r");
	size_t n = fread(text, 1, sizeof(text) - 1, f);

	fclose(f);
	text[n] = '\0';
	return text;
}

START_TEST(test_rotation_reaches_who_runs)
{
	struct arena *a = arena_new(1 << 20);
	struct seal_key *runs, *rotates;
	struct str before, after, out;
	struct err e = { 0 };
	unsigned number = 0;
	unsigned char numbers[SEAL_KEYS_MAX];

	put(ONE);
	runs = seal_key_load(path(), &e);
	rotates = seal_key_load(path(), &e);
	before = seal(a, runs, STR("old"), "x");
	ck_assert_uint_eq(sealed_by(before), 1);
	ck_assert_msg(seal_key_add(path(), true, &number, &e), "%s", e.text);
	ck_assert_uint_eq(number, 2);
	after = seal(a, rotates, STR("new"), "x");
	ck_assert_uint_eq(sealed_by(after), 2);
	ck_assert(unseal(a, runs, after, "x", &out, &e));	/* it never saw key 2 before */
	ck_assert(str_eq(out, STR("new")));
	ck_assert(unseal(a, runs, before, "x", &out, &e));
	ck_assert_uint_eq(sealed_by(seal(a, runs, STR("next"), "x")), 2);
	ck_assert_uint_eq(seal_key_numbers(runs, numbers), 2);
	ck_assert_uint_eq(numbers[0], 2);
	seal_key_free(runs);
	seal_key_free(rotates);
	unlink(path());
	arena_free(a);
}
END_TEST

/* What cannot be read is no reason to forget what was read. */
START_TEST(test_file_that_breaks)
{
	struct arena *a = arena_new(1 << 20);
	struct err e = { 0 };
	struct seal_key *k;
	struct str out;

	put(ONE);
	k = seal_key_load(path(), &e);
	put("1 0101");
	ck_assert(unseal(a, k, seal(a, k, STR("x"), "x"), "x", &out, &e));
	unlink(path());
	ck_assert(unseal(a, k, seal(a, k, STR("x"), "x"), "x", &out, &e));
	put(TWO);
	ck_assert_uint_eq(sealed_by(seal(a, k, STR("x"), "x")), 2);
	unlink(path());
	seal_key_free(k);
	arena_free(a);
}
END_TEST

START_TEST(test_changes_of_the_file)
{
	struct err e = { 0 };
	unsigned number = 0;
	struct stat st;

	put("# of the shop\n" TWO "# from May\n" ONE);
	ck_assert_int_eq(chmod(path(), 0640), 0);
	ck_assert(seal_key_prefer(path(), 1, &e));
	ck_assert_str_eq(got(), "# of the shop\n" ONE TWO "# from May\n");
	ck_assert(seal_key_prefer(path(), 1, &e));
	ck_assert(!seal_key_prefer(path(), 7, &e));
	ck_assert_int_eq(e.code, ERR_NOT_FOUND);
	ck_assert(!seal_key_drop(path(), 1, &e));
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	ck_assert(!seal_key_drop(path(), 7, &e));
	ck_assert_int_eq(e.code, ERR_NOT_FOUND);
	ck_assert(seal_key_add(path(), false, &number, &e));
	ck_assert_uint_eq(number, 3);
	ck_assert_uint_eq(strlen(got()), strlen("# of the shop\n" ONE TWO "# from May\n" ONE));
	ck_assert(seal_key_drop(path(), 2, &e));
	ck_assert_ptr_null(strstr(got(), "0202"));
	ck_assert_int_eq(strncmp(got(), "# of the shop\n" ONE "# from May\n3 ", strlen("# of the shop\n" ONE "# from May\n3 ")), 0);
	ck_assert_int_eq(stat(path(), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	unlink(path());
	ck_assert(!seal_key_add(path(), true, &number, &e));
	ck_assert_int_eq(e.code, ERR_NOT_FOUND);
}
END_TEST

/* Behind key 255 comes the lowest that is free; a killed change left its file behind. */
START_TEST(test_numbers_and_leavings)
{
	struct err e = { 0 };
	unsigned number = 0;
	char left[80];
	FILE *f;

	put("255 0101010101010101010101010101010101010101010101010101010101010101");
	snprintf(left, sizeof(left), "%s.new", path());
	f = fopen(left, "w");
	fputs("half", f);
	fclose(f);
	ck_assert_msg(seal_key_add(path(), true, &number, &e), "%s", e.text);
	ck_assert_uint_eq(number, 1);
	ck_assert_int_ne(access(left, F_OK), 0);
	ck_assert_ptr_nonnull(strstr(got(), "\n255 01"));
	unlink(path());
}
END_TEST

START_TEST(test_passphrase)
{
	struct arena *a = arena_new(1 << 20);
	struct err e = { 0 };
	struct seal_key *k = seal_key_of_passphrase(STR("correct horse"), STR("0123456789abcdef"), &e);
	struct seal_key *again = seal_key_of_passphrase(STR("correct horse"), STR("0123456789abcdef"), &e);
	struct seal_key *other = seal_key_of_passphrase(STR("correct horse"), STR("0123456789abcdeX"), &e);
	struct str sealed = seal(a, k, STR("text"), "c"), out;

	ck_assert(unseal(a, again, sealed, "c", &out, &e));
	ck_assert(str_eq(out, STR("text")));
	ck_assert(!unseal(a, other, sealed, "c", &out, &e));
	ck_assert_ptr_null(seal_key_of_passphrase(STR("short"), STR("0123456789abcdef"), &e));
	seal_key_free(k);
	seal_key_free(again);
	seal_key_free(other);
	arena_free(a);
}
END_TEST

UNIT_MAIN("seal", UNIT(test_passphrase), UNIT(test_rotation_reaches_who_runs), UNIT(test_file_that_breaks), UNIT(test_changes_of_the_file),
	UNIT(test_numbers_and_leavings), UNIT_ROWS(test_files, files), UNIT(test_other_files), UNIT(test_endless_file),
	UNIT(test_create), UNIT(test_there_and_back), UNIT(test_tampering))
