/* sockets.c - see sockets_int.h */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sockets_int.h"

#define LISTEN_FDS_START 3	/* SD_LISTEN_FDS_START of sd_listen_fds(3) */

/* ---- by path ---- */

static bool address(const char *path, struct sockaddr_un *sa, struct err *e)
{
	size_t n = strlen(path);

	if (n >= sizeof(sa->sun_path))
		return err_set(e, ERR_INVALID, "the socket path has %zu bytes, %zu are possible: %s", n,
			sizeof(sa->sun_path) - 1, path);
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(sa->sun_path, path, n);
	return true;
}

/* Two masters that start at once must not remove each other's fresh socket: the directory is locked meanwhile. */
static int directory_lock(const char *path, struct err *e)
{
	char dir[SOCKET_PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd;

	if (!slash)
		snprintf(dir, sizeof(dir), ".");
	else
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path) + (slash == path), path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && !flock(fd, LOCK_EX))
		return fd;
	err_sys(e, ERR_DOWN, "socket directory %s", dir);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Somebody accepts connections there. Workers of a killed master go on for a moment while they drain: the kernel keeps
 * who called listen(2), and that is the master, so that the next one need not wait for them. */
static bool listener_lives(int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) || peer.pid <= 0)
		return true;
	return !kill(peer.pid, 0) || errno != ESRCH;
}

static bool taken(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool lives;

	if (fd < 0)
		return true;
	lives = !connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) ? listener_lives(fd) : errno == EAGAIN;
	close(fd);
	return lives;
}

static bool path_clear(const struct sockaddr_un *sa, struct err *e)
{
	struct stat st;

	if (lstat(sa->sun_path, &st))
		return errno == ENOENT || err_sys(e, ERR_DOWN, "socket %s", sa->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_CONFLICT, "%s exists and is no socket", sa->sun_path);
	if (taken(sa))
		return err_set(e, ERR_CONFLICT, "another running program listens on %s", sa->sun_path);
	return !unlink(sa->sun_path) || err_sys(e, ERR_DOWN, "socket %s", sa->sun_path);
}

static bool bind_listen(struct listener *s, const struct sockaddr_un *sa, unsigned mode, struct err *e)
{
	mode_t before = umask(0777 & ~mode);
	bool bound = !bind(s->fd, (const struct sockaddr *)sa, sizeof(*sa));
	struct stat st;

	umask(before);
	if (!bound || listen(s->fd, HTTP_BACKLOG) || stat(sa->sun_path, &st))
		return err_sys(e, ERR_DOWN, "socket %s", sa->sun_path);
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return true;
}

bool listener_open(struct listener *s, enum pool pool, const char *path, unsigned mode, struct err *e)
{
	struct sockaddr_un sa;
	bool ok = false;
	int lock;

	*s = (struct listener){ .fd = -1, .pool = pool, .own = true };
	if (!address(path, &sa, e) || (lock = directory_lock(path, e)) < 0)
		return false;
	memcpy(s->path, sa.sun_path, sizeof(s->path));
	if (!path_clear(&sa, e))
		goto out;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0) {
		err_sys(e, ERR_DOWN, "socket %s", path);
		goto out;
	}
	ok = bind_listen(s, &sa, mode, e);
out:
	close(lock);
	if (!ok && s->fd >= 0) {
		close(s->fd);
		s->fd = -1;
	}
	return ok;
}

void listener_close(struct listener *s)
{
	struct stat st;

	if (s->fd < 0)
		return;
	if (s->own && !lstat(s->path, &st) && st.st_dev == s->dev && st.st_ino == s->ino)
		unlink(s->path);
	if (s->fd > 0)
		close(s->fd);
	s->fd = -1;
}

/* ---- inherited ---- */

static bool is_listening(int fd)
{
	int yes = 0;
	socklen_t n = sizeof(yes);

	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &n) && yes;
}

/* Path and inode of an inherited socket that is our own. */
static void path_recall(struct listener *s)
{
	struct sockaddr_un sa = { 0 };
	socklen_t n = sizeof(sa);
	struct stat st;

	if (getsockname(s->fd, (struct sockaddr *)&sa, &n) || sa.sun_family != AF_UNIX)
		return;
	memcpy(s->path, sa.sun_path, sizeof(s->path));
	s->path[sizeof(s->path) - 1] = '\0';
	if (!lstat(s->path, &st)) {
		s->dev = st.st_dev;
		s->ino = st.st_ino;
	}
}

static enum pool pool_named(struct str name)
{
	if (str_eqs(name, "ingest"))
		return POOL_INGEST;
	return str_eqs(name, "web") ? POOL_WEB : POOL_BOTH;
}

static bool listener_adopt(struct sockets *s, int fd, struct str name, struct err *e)
{
	struct listener *l = &s->listeners[s->n];
	bool own = str_starts(name, "own-");

	if (!is_listening(fd))
		return err_set(e, ERR_INVALID, "the inherited descriptor %d is no listening socket", fd);
	if (s->n == SOCKETS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d listening sockets are inherited", SOCKETS_MAX);
	*l = (struct listener){ .fd = fd, .own = own, .pool = pool_named(own ? str_sub(name, 4) : name) };
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (own)
		path_recall(l);
	s->n++;
	return true;
}

static bool adopt(struct sockets *s, int fd, struct str name, struct err *e)
{
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (str_eqs(name, "pass-send"))
		s->pass_send = fd;
	else if (str_eqs(name, "pass-receive"))
		s->pass_receive = fd;
	else
		return listener_adopt(s, fd, name, e);
	return true;
}

static bool env_number(const char *name, uint64_t *out)
{
	const char *text = getenv(name);

	return text && str_u64(str_of(text), out);
}

bool sockets_inherit(struct sockets *s, struct err *e)
{
	const char *listed = getenv("LISTEN_FDNAMES");
	struct str names = str_of(listed);
	uint64_t pid = 0, n = 0, i;
	bool ok = true;

	*s = (struct sockets){ .pass_send = -1, .pass_receive = -1 };
	if (env_number("LISTEN_PID", &pid) && pid == (uint64_t)getpid() && env_number("LISTEN_FDS", &n))
		for (i = 0; i < n && ok; i++)
			ok = adopt(s, LISTEN_FDS_START + (int)i, str_until(&names, ':'), e);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (ok && !s->n && is_listening(STDIN_FILENO))
		ok = listener_adopt(s, STDIN_FILENO, STR("stdin"), e);
	return ok;
}

bool sockets_take(struct sockets *s, enum pool pool, struct listener *out)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (s->listeners[i].pool == pool) {
			*out = s->listeners[i];
			s->listeners[i] = s->listeners[--s->n];
			return true;
		}
	}
	return false;
}

/* ---- handed over ---- */

static const char *name_of(const struct listener *l)
{
	static const char *const given[] = {
		[POOL_INGEST] = "ingest", [POOL_WEB] = "web", [POOL_BOTH] = "both"
	};
	static const char *const own[] = {
		[POOL_INGEST] = "own-ingest", [POOL_WEB] = "own-web", [POOL_BOTH] = "own-both"
	};

	return l->own ? own[l->pool] : given[l->pool];
}

struct hand_over {
	int *fds[SOCKETS_MAX + 2];
	size_t n;
	char names[(SOCKETS_MAX + 2) * 16];
};

static void hand_over_add(struct hand_over *h, int *fd, const char *name)
{
	size_t at = strlen(h->names);

	snprintf(h->names + at, sizeof(h->names) - at, "%s%s", h->n ? ":" : "", name);
	h->fds[h->n++] = fd;
}

static bool env_set(const char *name, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return !setenv(name, text, 1);
}

/* First out of the way, then down to 3...: should the exec fail, the copies above serve on. */
static bool descriptors_place(struct hand_over *h, struct err *e)
{
	size_t i;

	for (i = 0; i < h->n; i++) {
		int fd = fcntl(*h->fds[i], F_DUPFD_CLOEXEC, LISTEN_FDS_START + SOCKETS_MAX + 2);

		if (fd < 0)
			return err_sys(e, ERR_DOWN, "sockets: hand over");
		close(*h->fds[i]);
		*h->fds[i] = fd;
	}
	for (i = 0; i < h->n; i++)
		if (dup2(*h->fds[i], LISTEN_FDS_START + (int)i) < 0)
			return err_sys(e, ERR_DOWN, "sockets: hand over");
	return true;
}

bool sockets_hand_over(struct sockets *s, struct err *e)
{
	struct hand_over h = { .n = 0 };
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->listeners[i].fd != STDIN_FILENO)		/* that one stays where it is */
			hand_over_add(&h, &s->listeners[i].fd, name_of(&s->listeners[i]));
	if (s->pass_send >= 0) {
		hand_over_add(&h, &s->pass_send, "pass-send");
		hand_over_add(&h, &s->pass_receive, "pass-receive");
	}
	if (!descriptors_place(&h, e))
		return false;
	if (h.n && (!env_set("LISTEN_PID", (uint64_t)getpid()) || !env_set("LISTEN_FDS", h.n) ||
			setenv("LISTEN_FDNAMES", h.names, 1)))
		return err_sys(e, ERR_DOWN, "sockets: hand over");
	return true;
}
