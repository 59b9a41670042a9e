#include "shm_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

START_TEST(test_two_mappings_share)
{
	struct shm *a = shm_test_open(), *b = shm_test_open();
	struct stat st;

	ck_assert_int_eq(stat(shm_test_path(), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
	ck_assert_uint_eq(shm_generation(a), 0);
	shm_generation_bump(a);
	ck_assert_uint_eq(shm_generation(b), 1);
	shm_close(b);
	b = shm_test_open();
	ck_assert_uint_eq(shm_generation(b), 1);	/* found again, not made anew */
	shm_close(b);
	shm_close(NULL);
	shm_test_end(a);
}
END_TEST

/* Writes over the version word, or cuts the file: as another version, or a maker killed half way, leaves it. */
static void spoil(off_t size)
{
	int fd = open(shm_test_path(), O_WRONLY);

	if (size)
		ck_assert_int_eq(ftruncate(fd, size), 0);
	else
		ck_assert_int_eq(write(fd, "another.", 8), 8);
	close(fd);
}

static const off_t sizes[] = { 0, 1, 100000, 100 << 20 };

START_TEST(test_another_version_is_replaced)
{
	struct shm *old = shm_test_open(), *new;

	shm_generation_bump(old);
	spoil(sizes[_i]);
	new = shm_test_open();
	ck_assert_uint_eq(shm_generation(new), 0);
	if (!sizes[_i])
		ck_assert_uint_eq(shm_generation(old), 1);	/* who runs on the old one is not disturbed */
	shm_close(old);
	shm_test_end(new);
}
END_TEST

START_TEST(test_refused)
{
	struct err e = { 0 };

	ck_assert_ptr_null(shm_open_file("/nowhere/state", &e));
	ck_assert_int_eq(e.code, ERR_DOWN);
	ck_assert_ptr_null(shm_open_file("/dev/null", &e));
	ck_assert_int_eq(e.code, ERR_INVALID);
	ck_assert_int_eq(symlink("/tmp/somewhere-else", shm_test_path()), 0);
	ck_assert_ptr_null(shm_open_file(shm_test_path(), &e));
	ck_assert_int_eq(e.code, ERR_DOWN);
	unlink(shm_test_path());
}
END_TEST

/* Neither a missing file is made nor one of another version replaced. */
START_TEST(test_existing_only)
{
	struct err e = { 0 };
	struct shm *made, *s;
	struct stat st;

	ck_assert_ptr_null(shm_open_existing(shm_test_path(), &e));
	ck_assert_int_eq(stat(shm_test_path(), &st), -1);
	made = shm_test_open();
	s = shm_open_existing(shm_test_path(), &e);
	ck_assert_ptr_nonnull(s);
	shm_generation_bump(s);
	ck_assert_uint_eq(shm_generation(made), 1);
	shm_close(s);
	spoil(3);
	ck_assert_ptr_null(shm_open_existing(shm_test_path(), &e));
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	ck_assert_int_eq(stat(shm_test_path(), &st), 0);
	ck_assert_int_eq(st.st_size, 3);
	shm_test_end(made);
}
END_TEST

/* A full disk is an error when the file is made, and what it leaves behind is no obstacle later. */
START_TEST(test_no_space)
{
	struct rlimit old, small;
	struct err e = { 0 };

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){ 65536, old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &small);
	ck_assert_ptr_null(shm_open_file(shm_test_path(), &e));
	ck_assert_int_eq(e.code, ERR_DOWN);
	setrlimit(RLIMIT_FSIZE, &old);
	shm_test_end(shm_test_open());
}
END_TEST

/* Many processes open at once, each bumps: none of the bumps is in a file that others do not see. */
START_TEST(test_opening_at_once)
{
	enum { CHILDREN = 16 };
	pid_t child[CHILDREN];
	struct shm *s;
	char path[64];

	snprintf(path, sizeof(path), "%s", shm_test_path());	/* the parent's name */
	for (int i = 0; i < CHILDREN; i++) {
		child[i] = fork();
		if (child[i] == 0) {
			struct err e = { 0 };

			s = shm_open_file(path, &e);
			if (s)
				shm_generation_bump(s);
			_exit(s == NULL);
		}
	}
	for (int i = 0; i < CHILDREN; i++) {
		int status = -1;

		ck_assert_int_eq(waitpid(child[i], &status, 0), child[i]);
		ck_assert_int_eq(status, 0);
	}
	s = shm_test_open();
	ck_assert_uint_eq(shm_generation(s), CHILDREN);
	shm_test_end(s);
}
END_TEST

/* Rung by a child of who made it, any number of times before it is heard once; without one it is no harm. */
START_TEST(test_bell)
{
	struct shm *s = shm_private();
	struct err e = { 0 };
	int status;
	pid_t child;

	bell_ring(NULL);
	bell_ring(s);
	ck_assert(bell_fd(s) == -1 && !bell_heard(s));
	ck_assert(bell_make(s, &e) && !bell_heard(s));
	child = fork();
	if (!child) {
		for (int i = 0; i < 1000; i++)
			bell_ring(s);
		_exit(0);
	}
	ck_assert(waitpid(child, &status, 0) == child && !status);
	ck_assert(bell_heard(s) && !bell_heard(s));
	shm_close(s);
}
END_TEST

UNIT_MAIN("shm", UNIT(test_two_mappings_share), UNIT_ROWS(test_another_version_is_replaced, sizes), UNIT(test_refused),
	UNIT(test_existing_only), UNIT(test_no_space), UNIT(test_opening_at_once), UNIT(test_bell))
