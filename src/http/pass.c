/* pass.c - handing a connection from an ingest worker to the web pool: one SEQPACKET message each, the socket and, if bytes
 * were already taken from it, the memfd that holds them (unix(7), SCM_RIGHTS). Any web worker takes the next message.
 *
 * The message itself is when the connection began, as a negative number where the memfd holds a note: 8 bytes as ever, since the two ends may be
 * of different versions while a new one takes over. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop_int.h"

#define FDS_MAX 2

union control {
	char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

bool pass_send(int pass_fd, const struct connection *c)
{
	int fds[FDS_MAX] = { c->fd, c->memfd };
	size_t fd_n = c->memfd < 0 ? 1 : 2;
	int64_t began_us = c->noted ? -c->began_us : c->began_us;
	struct iovec iov = { &began_us, sizeof(began_us) };
	union control control = { { 0 } };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = CMSG_SPACE(fd_n * sizeof(int)),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(fd_n * sizeof(int));
	memcpy(CMSG_DATA(cm), fds, fd_n * sizeof(int));
	return sendmsg(pass_fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(began_us);
}

bool pass_receive(int pass_fd, struct connection *out)
{
	int fds[FDS_MAX] = { -1, -1 };
	int64_t began_us;
	struct iovec iov = { &began_us, sizeof(began_us) };
	union control control;
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *cm;
	ssize_t n;

	do {
		n = recvmsg(pass_fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(began_us))
		return false;
	cm = CMSG_FIRSTHDR(&m);
	if (!cm || cm->cmsg_type != SCM_RIGHTS)
		return false;	/* no descriptor was free here: the kernel closed the connection */
	memcpy(fds, CMSG_DATA(cm), cm->cmsg_len - CMSG_LEN(0));
	*out = (struct connection){ .fd = fds[0], .memfd = fds[1], .began_us = began_us < 0 ? -began_us : began_us, .passed = true,
		.noted = began_us < 0 };
	return true;
}
