/* A server that is slow is waited for, one that is gone is not. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "src/db/db_int.h"

static struct sockaddr_un address(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	snprintf(un.sun_path, sizeof(un.sun_path), "/tmp/grapnel-patience.%d", getpid());
	return un;
}

static int listening(void)
{
	struct sockaddr_un un = address();
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	unlink(un.sun_path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	ck_assert_int_eq(listen(fd, 10), 0);
	return fd;
}

static int connected(void)
{
	struct sockaddr_un un = address();
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

/* Takes the first connection, answers on it after so long, and greets all others at once: one of several does that is not just waiting for its turn. */
static pid_t slow_server(int listen_fd, unsigned answer_after_ms)
{
	pid_t child = fork();
	int first, fd;

	if (child)
		return child;
	first = accept(listen_fd, NULL, NULL);
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		usleep(answer_after_ms * 1000);
		_exit(send(first, "a", 1, 0) != 1);
	}
	child = getpid();
	for (int i = 0; i < 3 && fork(); i++)
		;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getpid() != child && getppid() != child)
		_exit(1);	/* it was ended before */
	while ((fd = accept(listen_fd, NULL, NULL)) >= 0) {
		(void)!send(fd, "g", 1, MSG_NOSIGNAL);
		close(fd);
	}
	_exit(1);
}

static void end(pid_t child, int listen_fd)
{
	struct sockaddr_un un = address();

	if (child)
		kill(child, SIGKILL);
	close(listen_fd);
	unlink(un.sun_path);
}

static int64_t ms_since(int64_t began_us)
{
	return (clock_mono_us() - began_us) / 1000;
}

START_TEST(test_silence_of_the_dead_is_short)
{
	int server = listening(), fd = connected();
	int64_t began_us = clock_mono_us();

	ck_assert_int_eq(patience_wait(fd, 1, 30000), 0);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_lt(ms_since(began_us), 20000);
	end(0, server);
}
END_TEST

START_TEST(test_who_lives_is_waited_for)
{
	int server = listening(), fd = connected();
	pid_t child = slow_server(server, 3500);
	int64_t began_us = clock_mono_us();

	ck_assert_int_eq(patience_wait(fd, 1, 30000), 1);
	ck_assert_int_ge(ms_since(began_us), 3000);
	ck_assert_int_eq(patience_wait(fd, 0, 30000), 1);
	end(child, server);
}
END_TEST

START_TEST(test_nobody_is_waited_for_longer_than_was_said)
{
	int server = listening(), fd = connected();
	pid_t child = slow_server(server, 30000);
	int64_t began_us, took_ms, shortest_ms = INT64_MAX;

	for (int i = 0; i < 5; i++) {	/* any may be held up by others on this machine */
		began_us = clock_mono_us();
		ck_assert_int_eq(patience_wait(fd, 1, 200), 0);
		took_ms = ms_since(began_us);
		shortest_ms = took_ms < shortest_ms ? took_ms : shortest_ms;
	}
	ck_assert_int_lt(shortest_ms, 900);
	began_us = clock_mono_us();
	ck_assert_int_eq(patience_wait(fd, 1, 1500), 0);
	ck_assert_int_ge(ms_since(began_us), 1400);
	end(child, server);
}
END_TEST

/* After a failure an attempt is not made before the server greets; asking costs next to nothing. */
START_TEST(test_a_silent_server_is_connected_to_once_it_greets)
{
	struct sockaddr_un un = address();
	int server = listening();
	int64_t began_us = clock_mono_us();
	struct patience p;
	pid_t child;

	patience_init(&p, un.sun_path);
	ck_assert(patience_allows(&p));
	patience_failed(&p, 5000000);
	for (int i = 0; i < 1000; i++)
		ck_assert(!patience_allows(&p));
	ck_assert_int_lt(ms_since(began_us), 4000);	/* four milliseconds each */
	close(connected());	/* what the server below answers slowly */
	child = slow_server(server, 0);
	while (!patience_allows(&p))
		usleep(5000);
	patience_release(&p);
	end(child, server);
	patience_failed(&p, 0);
	ck_assert(!patience_allows(&p));	/* nobody listens */
	patience_release(&p);
}
END_TEST

/* Where it cannot be asked, attempts that block are made seldom. */
START_TEST(test_who_cannot_be_asked_is_tried)
{
	int64_t began_us;
	struct patience p;

	patience_init(&p, NULL);
	patience_failed(&p, 0);
	ck_assert(patience_allows(&p));
	began_us = clock_mono_us();
	patience_failed(&p, 1000000);
	ck_assert(!patience_allows(&p));
	ck_assert_int_ge(p.anyway_us, began_us + 20000000);
	patience_failed(&p, 60000000);
	ck_assert_int_lt(p.anyway_us, clock_mono_us() + 31000000);
}
END_TEST

UNIT_MAIN("patience", UNIT(test_silence_of_the_dead_is_short), UNIT(test_who_lives_is_waited_for),
	UNIT(test_nobody_is_waited_for_longer_than_was_said), UNIT(test_a_silent_server_is_connected_to_once_it_greets),
	UNIT(test_who_cannot_be_asked_is_tried))
