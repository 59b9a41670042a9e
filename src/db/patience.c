/* patience.c - telling a server that is slow from one that is gone.
 *
 * A statement may rightly take seconds: it waits for a lock, or for the disk. A server that was stopped, or whose host lost
 * its power, is as silent on a connection that is as open; and a worker that waits for it as long as for a lock
 * serves nobody meanwhile. So whoever has waited for a second asks on another connection: a server that lives greets
 * each newcomer at once, whatever its sessions wait for. It is asked seldom, because MariaDB counts connections that end
 * before their login (max_connect_errors).
 *
 * A server that was silent is not waited for again. It is connected to once it has greeted, and that greeting is
 * looked for at each call, while whoever calls waits some milliseconds for it at the most. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/db/db_int.h"

#define ASK_AFTER_MS 1000
#define ASK_SELDOM_MS 16000
#define GREETING_MS 250		/* a connection and a greeting: two round trips to another continent */
#define FIRST_LOOK_MS 5		/* of what another call may look at again: enough on one machine */
#define ASK_ANEW_US 10000000	/* a packet that was lost on the way is lost for ever */
#define ANYWAY_US 30000000	/* its name may lead to another address by now */
#define ANYWAY_SHARE 20		/* attempts that block take a twentieth of the time */

static int poll_one(int fd, short events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do {
		n = poll(&p, 1, timeout_ms);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* A connection that waits for nothing; -1 with errno. A Unix socket with a full backlog says EAGAIN: nobody accepts there. */
static int greeting_ask(const struct sockaddr_storage *to, socklen_t n)
{
	int fd = socket(to->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), saved;

	if (fd < 0 || !connect(fd, (const struct sockaddr *)to, n) || errno == EINPROGRESS)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* 1 it greets, 0 not yet, -1 nobody is there. */
static int greeting_look(int fd, int wait_ms)
{
	char c;

	if (poll_one(fd, POLLIN, wait_ms) <= 0)
		return 0;
	return recv(fd, &c, 1, MSG_DONTWAIT) == 1 ? 1 : -1;
}

/* The server at the other end of fd. True as well where it cannot be asked: it may be known here by another path, or
 * there are no descriptors left. */
static bool is_alive(int fd)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);
	int other, greeted;

	if (getpeername(fd, (struct sockaddr *)&peer, &n))
		return true;
	other = greeting_ask(&peer, n);
	if (other < 0)
		return errno != ECONNREFUSED && errno != EAGAIN;
	greeted = greeting_look(other, GREETING_MS);
	close(other);
	return greeted == 1;
}

/* The library gives its callback nothing but the socket. */
static bool gave_up;

int patience_wait(my_socket fd, my_bool is_read, int timeout_ms)
{
	int64_t left_ms = timeout_ms > 0 ? timeout_ms : INT64_MAX;
	int slice_ms = ASK_AFTER_MS;

	for (gave_up = false; left_ms > 0 && !gave_up; slice_ms *= slice_ms < ASK_SELDOM_MS ? 2 : 1) {
		int wait_ms = left_ms < slice_ms ? (int)left_ms : slice_ms;
		int n = poll_one(fd, is_read ? POLLIN : POLLOUT, wait_ms);

		if (n)
			return n;
		left_ms -= wait_ms;
		gave_up = left_ms && !is_alive(fd);
	}
	errno = ETIMEDOUT;
	return 0;
}

/* ---- the next connection ---- */

void patience_init(struct patience *p, const char *socket_path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&p->peer;

	*p = (struct patience){ .fd = -1 };
	if (!socket_path || strlen(socket_path) >= sizeof(un->sun_path))
		return;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, socket_path, strlen(socket_path));
	p->peer_n = sizeof(*un);
}

void patience_release(struct patience *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

void patience_connected(struct patience *p, int fd)
{
	socklen_t n = sizeof(p->peer);

	patience_release(p);
	p->silent = false;
	if (p->peer.ss_family != AF_UNIX)
		p->peer_n = getpeername(fd, (struct sockaddr *)&p->peer, &n) ? 0 : n;
}

void patience_failed(struct patience *p, int64_t took_us)
{
	int64_t pause_us = took_us * ANYWAY_SHARE;

	gave_up = false;
	p->silent = true;
	p->anyway_us = clock_mono_us() + (pause_us < ANYWAY_US ? pause_us : ANYWAY_US);
}

void patience_lost(struct patience *p)
{
	if (gave_up)
		patience_failed(p, ANYWAY_US);
}

static bool greets(struct patience *p, int64_t now_us)
{
	int wait_ms = 0, greeted;

	if (p->fd >= 0 && now_us - p->asked_us > ASK_ANEW_US)
		patience_release(p);
	if (p->fd < 0) {
		p->fd = greeting_ask(&p->peer, p->peer_n);
		p->asked_us = now_us;
		wait_ms = FIRST_LOOK_MS;
	}
	greeted = p->fd < 0 ? -1 : greeting_look(p->fd, wait_ms);
	if (greeted)
		patience_release(p);
	return greeted == 1;
}

bool patience_allows(struct patience *p)
{
	int64_t now_us = clock_mono_us();

	if (!p->silent || (p->peer_n && greets(p, now_us)))
		return true;
	return p->peer.ss_family != AF_UNIX && now_us >= p->anyway_us;
}
