/* master.c - the parent of all workers: it holds the sockets, forks, and otherwise sleeps in sigtimedwait.
 *
 * Its signals stay blocked all the time and are taken one by one, so no handler runs and none is lost, not even over the
 * re-exec. That one goes: hand the sockets over, exec; the new image starts its own workers and only then sends SIGTERM to
 * the old ones, which are its children still, so that somebody accepts at every moment and a failed exec costs nothing.
 * Old and new workers live side by side for a while: each image uses the other half of the slots. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grapnel/log.h"
#include "sockets_int.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 10000
#define YOUNG_US 10000000	/* who lived longer is restarted at once */
#define DRAIN_LOOK_US 1000000
#define NEVER_US INT64_MAX
#define ENV_GENERATION "GRAPNEL_GENERATION"
#define ENV_WORKERS "GRAPNEL_OLD_WORKERS"

struct child {
	pid_t pid;			/* 0: not running */
	const struct master_pool *pool;
	struct listener *listener;
	unsigned slot;
	unsigned young;			/* deaths in a row at a young age */
	int64_t started_us, start_at_us;
	bool told;			/* SIGTERM was sent */
};

struct run {
	const struct master *m;
	struct sockets sockets;
	struct master_pool joined[2];	/* when a single socket serves all: its workers, and the dispatcher */
	const struct master_pool *pools;
	size_t pool_n;
	struct child children[SHM_WORKERS];
	size_t child_n;
	pid_t old[SHM_WORKERS];		/* workers of the image before, still draining */
	size_t old_n;
	int64_t old_since_us, stop_since_us;
	uint64_t generation;
	pid_t pid;
	bool stopping;
	sigset_t signals;
};

/* ---- set-up ---- */

static bool has_pool(const struct run *r, enum pool pool)
{
	size_t i;

	for (i = 0; i < r->pool_n; i++)
		if (r->pools[i].pool == pool && r->pools[i].workers)
			return true;
	return false;
}

static bool serves_all(const struct sockets *inherited)
{
	size_t i;

	for (i = 0; i < inherited->n; i++)
		if (inherited->listeners[i].pool == POOL_BOTH && !inherited->listeners[i].own)
			return true;
	return false;
}

/* One socket for all: the workers of all pools serve it. */
static void pools_join(struct run *r)
{
	size_t i, n = 1;

	r->joined[0] = r->m->pools[0];
	r->joined[0].pool = POOL_BOTH;
	for (i = 1; i < r->m->pool_n; i++)
		if (r->m->pools[i].pool == POOL_DISPATCH)
			r->joined[n++] = r->m->pools[i];
		else
			r->joined[0].workers += r->m->pools[i].workers;
	r->pools = r->joined;
	r->pool_n = n;
}

/* The inherited socket of the pool, unless it is one of ours under a path that the configuration no longer names. */
static bool listener_for(struct sockets *inherited, const struct master_pool *p, unsigned mode,
	struct listener *out, struct err *e)
{
	if (sockets_take(inherited, p->pool, out)) {
		if (!out->own || !p->socket_path || !strcmp(out->path, p->socket_path))
			return true;
		listener_close(out);
	}
	if (!p->socket_path)
		return err_set(e, ERR_INVALID, "a pool has neither a socket path nor an inherited socket");
	return listener_open(out, p->pool, p->socket_path, mode, e);
}

static bool pass_open(struct run *r, struct err *e)
{
	int pair[2];

	if (r->sockets.pass_send >= 0 || !has_pool(r, POOL_INGEST) || !has_pool(r, POOL_WEB))
		return true;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair))
		return err_sys(e, ERR_DOWN, "socket pair");
	r->sockets.pass_send = pair[0];
	r->sockets.pass_receive = pair[1];
	return true;
}

static bool sockets_set_up(struct run *r, struct err *e)
{
	struct sockets inherited;
	size_t i;

	if (!sockets_inherit(&inherited, e))
		return false;
	r->sockets = (struct sockets){
		.pass_send = inherited.pass_send, .pass_receive = inherited.pass_receive
	};
	if (serves_all(&inherited))
		pools_join(r);
	for (i = 0; i < r->pool_n && r->pools[i].pool != POOL_DISPATCH; i++) {
		struct listener *l = &r->sockets.listeners[i];

		if (!listener_for(&inherited, &r->pools[i], r->m->socket_mode, l, e))
			return false;
		r->sockets.n++;
	}
	for (i = 0; i < inherited.n; i++)
		listener_close(&inherited.listeners[i]);
	return pass_open(r, e);
}

static void old_workers_read(struct run *r)
{
	const char *text = getenv(ENV_WORKERS);
	struct str s = str_of(text), word;
	uint64_t pid;

	while (s.n && r->old_n < SHM_WORKERS) {
		word = str_until(&s, ',');
		if (str_u64(word, &pid))
			r->old[r->old_n++] = (pid_t)pid;
	}
	text = getenv(ENV_GENERATION);
	if (!text || !str_u64(str_of(text), &r->generation))
		r->generation = 0;
	unsetenv(ENV_WORKERS);
	unsetenv(ENV_GENERATION);
}

static bool children_set_up(struct run *r, struct err *e)
{
	unsigned half = SHM_WORKERS / 2, i, last = 0;
	size_t p;

	for (p = 0; p < r->pool_n; p++) {
		if (r->child_n + r->pools[p].workers > half ||
				r->pools[p].first_slot + r->pools[p].workers > half)
			return err_set(e, ERR_LIMIT, "more than %u workers", half);
		for (i = 0; i < r->pools[p].workers; i++)
			r->children[r->child_n++] = (struct child){
				.pool = &r->pools[p],
				.listener = r->pools[p].pool == POOL_DISPATCH ? NULL : &r->sockets.listeners[p],
				.slot = r->pools[p].first_slot + i + (r->generation & 1 ? half : 0),
			};
		last += r->pools[p].workers;
	}
	return last || err_set(e, ERR_INVALID, "no workers are configured");
}

static void signals_block(struct run *r)
{
	sigemptyset(&r->signals);
	sigaddset(&r->signals, SIGTERM);
	sigaddset(&r->signals, SIGINT);
	sigaddset(&r->signals, SIGHUP);
	sigaddset(&r->signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &r->signals, NULL);
}

/* ---- workers ---- */

static void close_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* What a worker must not hold: the sockets of other pools, and the other end of the pair; the dispatcher holds none. */
static int keep_own(struct run *r, const struct child *c)
{
	enum pool pool = c->pool->pool;
	size_t i;

	for (i = 0; i < r->sockets.n; i++)
		if (&r->sockets.listeners[i] != c->listener && r->sockets.listeners[i].fd > 0)
			close(r->sockets.listeners[i].fd);
	if (pool != POOL_INGEST)
		close_open(r->sockets.pass_send);
	if (pool == POOL_INGEST || pool == POOL_DISPATCH)
		close_open(r->sockets.pass_receive);
	return pool == POOL_INGEST ? r->sockets.pass_send : pool == POOL_WEB ? r->sockets.pass_receive : -1;
}

static void NORETURN worker_run(struct run *r, const struct child *c)
{
	sigset_t none;
	int pass_fd = keep_own(r, c);

	/* Should the master die, each worker drains; it may have died before this line. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != r->pid)
		_exit(0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	exit(r->m->worker(r->m->ctx, c->pool->pool, c->slot, c->listener ? c->listener->fd : -1, pass_fd));
}

static int64_t backoff_us(const struct child *c)
{
	int64_t ms = BACKOFF_FIRST_MS;
	unsigned i;

	if (c->young <= 1)
		return 0;
	for (i = 2; i < c->young && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	return (ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS) * 1000;
}

static void child_start(struct run *r, struct child *c, int64_t now_us)
{
	fflush(NULL);
	c->started_us = now_us;
	c->pid = fork();
	if (!c->pid)
		worker_run(r, c);
	if (c->pid < 0) {
		log_error("fork failed", LOG_S("error", strerror(errno)));
		c->pid = 0;
		c->young++;
		c->start_at_us = now_us + BACKOFF_MAX_MS * 1000;
	}
}

static void children_start(struct run *r, int64_t now_us)
{
	size_t i;

	for (i = 0; i < r->child_n && !r->stopping; i++)
		if (!r->children[i].pid && r->children[i].start_at_us <= now_us)
			child_start(r, &r->children[i], now_us);
}

static void death_note(struct run *r, const struct child *c, int status)
{
	int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	size_t in_hand;

	if (!status || (c->told && (signal_number == SIGTERM || signal_number == SIGKILL)))
		return;
	in_hand = in_hand_to_suspects(r->m->shm, c->slot, clock_now());
	count(r->m->shm, C_WORKER_DEATHS, 1);
	log_error("worker died", LOG_U("slot", c->slot), LOG_U("pid", c->pid), LOG_U("signal", signal_number),
		LOG_U("status", WIFEXITED(status) ? WEXITSTATUS(status) : 0), LOG_U("in_hand", in_hand));
}

static void child_ended(struct run *r, pid_t pid, int status, int64_t now_us)
{
	struct child *c = r->children;
	size_t i;

	for (i = 0; i < r->old_n; i++)
		if (r->old[i] == pid)
			r->old[i] = r->old[--r->old_n];
	while (c < r->children + r->child_n && c->pid != pid)
		c++;
	if (c == r->children + r->child_n)
		return;		/* a worker of the image before, or none of ours */
	death_note(r, c, status);
	c->pid = 0;
	c->young = now_us - c->started_us < YOUNG_US ? c->young + 1 : 1;
	c->start_at_us = now_us + backoff_us(c);
}

static void children_reap(struct run *r, int64_t now_us)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		child_ended(r, pid, status, now_us);
}

/* ---- the end of the image before ---- */

static void old_tell(struct run *r, int sig)
{
	size_t i;

	for (i = 0; i < r->old_n; i++)
		kill(r->old[i], sig);	/* our children, not reaped yet: the number can't be another's */
}

/* ---- stop ---- */

static void stop_begin(struct run *r, int64_t now_us)
{
	size_t i;

	if (r->stopping)
		return;
	log_info("stopping", LOG_U("workers", r->child_n));
	r->stopping = true;
	r->stop_since_us = now_us;
	for (i = 0; i < r->sockets.n; i++)
		listener_close(&r->sockets.listeners[i]);
}

/* Ingest workers first: once they are gone, nothing more is passed to the web workers. */
static bool told_last(const struct run *r, const struct child *c)
{
	return c->pool->pool == POOL_WEB && has_pool(r, POOL_INGEST);
}

static bool first_gone(const struct run *r)
{
	size_t i;

	for (i = 0; i < r->child_n; i++)
		if (r->children[i].pid && !told_last(r, &r->children[i]))
			return false;
	return true;
}

static void stop_go_on(struct run *r, int64_t now_us)
{
	int64_t since_us = now_us - r->stop_since_us, drain_us = r->m->drain_ms * 1000;
	bool last_too = first_gone(r) || since_us > drain_us / 2;
	struct child *c;

	for (c = r->children; c < r->children + r->child_n; c++) {
		if (!c->pid)
			continue;
		if (since_us > drain_us)
			kill(c->pid, SIGKILL);
		else if (!c->told && (last_too || !told_last(r, c)))
			kill(c->pid, SIGTERM);
		else
			continue;
		c->told = true;
	}
	if (since_us > drain_us)
		old_tell(r, SIGKILL);
}

static bool all_gone(const struct run *r)
{
	size_t i;

	for (i = 0; i < r->child_n; i++)
		if (r->children[i].pid)
			return false;
	return !r->old_n;
}

/* ---- re-exec ---- */

static bool environment_describe(const struct run *r)
{
	char pids[2 * SHM_WORKERS * 12] = "", generation[24];
	size_t i, n = 0;

	for (i = 0; i < r->child_n; i++)
		if (r->children[i].pid)
			n += (size_t)snprintf(pids + n, sizeof(pids) - n, "%ld,", (long)r->children[i].pid);
	for (i = 0; i < r->old_n; i++)
		n += (size_t)snprintf(pids + n, sizeof(pids) - n, "%ld,", (long)r->old[i]);
	snprintf(generation, sizeof(generation), "%llu", (unsigned long long)r->generation + 1);
	return !setenv(ENV_WORKERS, pids, 1) && !setenv(ENV_GENERATION, generation, 1);
}

static void reload(struct run *r)
{
	struct err e = { 0 };

	if (r->stopping)
		return;
	if (!r->m->reload_ok(r->m->ctx)) {
		log_error("not reloaded: the configuration is refused; the old one stays");
		return;
	}
	log_info("reloading", LOG_U("generation", r->generation + 1));
	fflush(NULL);
	if (sockets_hand_over(&r->sockets, &e) && environment_describe(r))
		execvp(r->m->argv[0], r->m->argv);
	if (!e.code)
		err_sys(&e, ERR_DOWN, "exec %s", r->m->argv[0]);
	log_error("not reloaded", LOG_ERR(&e));
}

/* ---- the loop ---- */

/* How long until there is something to do, whatever signals come. */
static int64_t next_us(const struct run *r, int64_t now_us)
{
	int64_t at_us = r->stopping || r->old_n ? now_us + DRAIN_LOOK_US : NEVER_US;
	size_t i;

	for (i = 0; i < r->child_n && !r->stopping; i++)
		if (!r->children[i].pid && r->children[i].start_at_us < at_us)
			at_us = r->children[i].start_at_us;
	if (at_us == NEVER_US)
		return NEVER_US;
	return at_us > now_us ? at_us - now_us : 0;
}

static void signal_take(struct run *r, int64_t now_us)
{
	int64_t wait_us = next_us(r, now_us);
	struct timespec t = { wait_us / 1000000, wait_us % 1000000 * 1000 };
	int sig = sigtimedwait(&r->signals, NULL, wait_us == NEVER_US ? NULL : &t);

	if (sig == SIGTERM || sig == SIGINT)
		stop_begin(r, clock_mono_us());
	else if (sig == SIGHUP)
		reload(r);
}

static void run_loop(struct run *r)
{
	int64_t now_us = clock_mono_us();

	children_start(r, now_us);
	old_tell(r, SIGTERM);
	r->old_since_us = now_us;
	while (!r->stopping || !all_gone(r)) {
		signal_take(r, now_us);
		now_us = clock_mono_us();
		children_reap(r, now_us);
		children_start(r, now_us);
		if (r->stopping)
			stop_go_on(r, now_us);
		else if (r->old_n && now_us - r->old_since_us > r->m->drain_ms * 1000)
			old_tell(r, SIGKILL);
	}
}

int master_run(const struct master *m, struct err *e)
{
	struct run r = { .m = m, .pools = m->pools, .pool_n = m->pool_n, .pid = getpid() };

	if (m->pool_n > SOCKETS_MAX + 1) {
		err_set(e, ERR_INVALID, "more than %d pools", SOCKETS_MAX + 1);
		return 1;
	}
	signals_block(&r);
	old_workers_read(&r);
	if (!sockets_set_up(&r, e) || !children_set_up(&r, e))
		return 1;
	log_info("master started", LOG_U("pid", r.pid), LOG_U("workers", r.child_n),
		LOG_U("generation", r.generation));
	run_loop(&r);
	log_info("stopped", LOG_U("pid", r.pid));
	return 0;
}
