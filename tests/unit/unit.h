/* unit.h - what every unit test begins and ends with: Check, comparisons of views, main().
 *
 * A test program ends with the list of its tests; UNIT_ROWS runs one once for each row of a table, with the row's number
 * in `_i`, so that a failure names its row:
 *     UNIT_MAIN("str", UNIT_ROWS(test_cut, cuts), UNIT(test_find)) */
#ifndef GRAPNEL_UNIT_H
#define GRAPNEL_UNIT_H

#include <check.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grapnel/base.h"

struct unit_case {
	const TTest *test;
	int rows;
};

#define UNIT(test) { test, 1 }
#define UNIT_ROWS(test, table) { test, (int)ARRAY_SIZE(table) }
#define UNIT_MAIN(name, ...) \
	int main(void) \
	{ \
		const struct unit_case cases[] = { __VA_ARGS__ }; \
		return unit_run(name, cases, ARRAY_SIZE(cases)); \
	}

static inline int unit_run(const char *name, const struct unit_case *cases, size_t n)
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create(name);
	SRunner *r;
	int failed;

	for (size_t i = 0; i < n; i++)
		tcase_add_loop_test(t, cases[i].test, 0, cases[i].rows);
	tcase_set_timeout(t, 60);	/* under sanitizers on a busy machine */
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

/* A view against the text it should be; NULL means STR_NONE. */
#define unit_str(got, want) \
	do { \
		struct str got_ = (got), want_ = str_of(want); \
		ck_assert_msg(str_eq(got_, want_), "got \"%.*s\", want \"%.*s\"", STR_ARG(got_), STR_ARG(want_)); \
	} while (0)

/* Did fn end its process by a signal (die, assert)? What it says on stderr is dropped. */
static inline bool unit_dies(void (*fn)(void))
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		if (freopen("/dev/null", "w", stderr))
			fn();
		_exit(0);
	}
	return child > 0 && waitpid(child, &status, 0) == child && (WIFSIGNALED(status) || WEXITSTATUS(status));
}

#endif
