/* Programs of a host at once have different numbers, and those that ended leave theirs. */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/main/id_worker.h"

static struct conf conf(unsigned node, const char *state_file)
{
	return (struct conf){ .server = { .node = node, .state_file = (char *)state_file } };
}

/* A program that holds its number until it is killed. */
static unsigned begin(const struct conf *c, pid_t *pid)
{
	unsigned number = 0;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	*pid = fork();
	ck_assert_int_ge(*pid, 0);
	if (!*pid) {
		number = id_worker_of_program(c);
		number = write(ends[1], &number, sizeof(number)) == sizeof(number) ? number : 0;
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ends[0], &number, sizeof(number)), sizeof(number));
	close(ends[0]);
	close(ends[1]);
	return number;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

START_TEST(test_programs)
{
	char here[64], there[160];
	struct conf c, other;
	pid_t pids[6];

	snprintf(here, sizeof(here), "/run/test/%d/state", (int)getpid());
	snprintf(there, sizeof(there), "/run/%0120d/state", (int)getpid());	/* longer than a socket's name may be */
	c = conf(2, here);
	other = conf(14, there);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_uint_eq(begin(&c, &pids[i]), 960 + 2 * 4 + (i < 4 ? i : 3));
	ck_assert_uint_eq(begin(&other, &pids[5]), 960 + 14 * 4);
	end(pids[1]);
	ck_assert_uint_eq(begin(&c, &pids[1]), 960 + 2 * 4 + 1);
	for (unsigned i = 0; i < 6; i++)
		end(pids[i]);
}
END_TEST

START_TEST(test_one_program_keeps_its_number)
{
	char here[64];
	struct conf c;

	snprintf(here, sizeof(here), "/run/test/%d/once", (int)getpid());
	c = conf(0, here);
	ck_assert_uint_eq(id_worker_of_program(&c), 960);
	ck_assert_uint_eq(id_worker_of_program(&c), 960);
}
END_TEST

START_TEST(test_slots)
{
	struct conf c = conf(14, "");

	ck_assert_uint_eq(id_worker_of_slot(&c, 63), 959);
	c.server.node = 0;
	ck_assert_uint_eq(id_worker_of_slot(&c, 5), 5);
}
END_TEST

UNIT_MAIN("id_worker", UNIT(test_programs), UNIT(test_one_program_keeps_its_number), UNIT(test_slots))
