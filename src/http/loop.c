/* loop.c - the turns of a worker: wait, gate what moved, take what waits, answer one batch.
 *
 * All workers of a pool share one listening socket. Each takes no more than fits its next batch, so that under load the
 * backlog is spread over the workers; EPOLLEXCLUSIVE wakes one of them for each arrival. A batch is what is whole at the
 * moment, never waited for. Signals are let in by epoll_pwait alone, so none is lost between looking and sleeping. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "grapnel/log.h"
#include "loop_int.h"

#define ARENA_MAX ((size_t)512 << 20)	/* one 25 MiB body, its tree and its answer, many times over */
#define DIRECT_MAX (32 * 1024)		/* a Unix socket's buffer is 208 KiB by default */
#define DIRECT_MAX_INET (8 * 1024)	/* TCP's starts at 16 KiB */
#define TICK_US 1000000
#define ACCEPT_PAUSE_US 100000
#define EVICT_SILENT_US 100000		/* with all places taken, who sent nothing for this long makes room, */
#define EVICT_STALLED_US 1000000	/* then who sent nothing more for this long */
#define DRAIN_SILENT_MS 1000		/* while draining, nobody is waited for longer than this */
#define DRAIN_ACCEPT_US 1000000		/* and the backlog is emptied, but not for ever */

static volatile sig_atomic_t stop_wanted;

static void on_stop(int sig)
{
	stop_wanted = 1;
}

/* Before FCGX_Init, which takes SIGTERM, SIGUSR1 and SIGPIPE when it finds them at their defaults. */
static void signals_set(struct loop *l)
{
	struct sigaction stop = { .sa_handler = on_stop }, ignore = { .sa_handler = SIG_IGN };
	sigset_t held;

	stop_wanted = 0;
	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigprocmask(SIG_BLOCK, &held, &l->waiting_mask);
	sigdelset(&l->waiting_mask, SIGTERM);
	sigaction(SIGTERM, &stop, NULL);
	if (FCGX_Init())
		die("libfcgi does not start");
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);	/* a file over the limit is an error of its write, as a full disk is */
	sigaction(SIGUSR1, &ignore, NULL);
	sigaction(SIGINT, &ignore, NULL);	/* the master's business: it sends SIGTERM */
	sigaction(SIGHUP, &ignore, NULL);
}

/* epoll_pwait looks at signals only when it has no event to report, which under full load is never. */
static void signals_let_in(const struct loop *l)
{
	sigset_t held;

	sigprocmask(SIG_SETMASK, &l->waiting_mask, &held);
	sigprocmask(SIG_SETMASK, &held, NULL);
}

bool loop_poll(struct loop *l, struct connection *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };
	int op = c->polled ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (c->polled && c->polled_for == events)
		return true;
	c->polled = !epoll_ctl(l->epoll_fd, op, c->fd, &ev);
	c->polled_for = events;
	return c->polled;
}

static void source_watch(struct loop *l, int fd, bool *watched, bool wanted)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = watched };

	if (fd < 0 || *watched == wanted)
		return;
	if (epoll_ctl(l->epoll_fd, wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, fd, &ev))
		die("epoll_ctl: %s", strerror(errno));
	*watched = wanted;
}

static bool place_free(const struct loop *l)
{
	return l->free && l->waiting_n < l->w->limits->connections_max;
}

/* With all places taken, who waits longest gives way, if long enough for a mistake to be unlikely: first those who never
 * said a word. */
static struct connection *evictable(const struct loop *l, const struct deadlines *list, int64_t after_us)
{
	struct deadline *d = deadline_first(list);

	return d && d->at_us - list->span_us + after_us <= l->now_us ? d->owner : NULL;
}

static struct connection *evict_next(const struct loop *l)
{
	struct connection *c = evictable(l, &l->silent, EVICT_SILENT_US);

	return c ? c : evictable(l, &l->stalled, EVICT_STALLED_US);
}

static bool place_make(struct loop *l)
{
	struct connection *c;

	if (!place_free(l) && (c = evict_next(l)))
		connection_expire(l, c);
	return place_free(l);
}

static void sources_watch(struct loop *l)
{
	bool room = place_free(l) || evict_next(l);
	bool pool_reads = l->w->pool == POOL_WEB;

	source_watch(l, l->w->listen_fd, &l->listening,
		room && !l->draining && l->now_us >= l->accept_after_us);
	source_watch(l, pool_reads ? l->w->pass_fd : -1, &l->receiving, room && !l->draining);
}

/* ---- arrivals ---- */

static size_t batch_room(const struct loop *l)
{
	size_t max = l->w->limits->batch_max;

	return l->ready_n < max ? max - l->ready_n : 0;
}

/* False: none waits, or none can be taken now. */
static bool accept_one(struct loop *l, struct connection **out)
{
	int fd = accept4(l->w->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_warning("connection not accepted", LOG_S("error", strerror(errno)));
			l->accept_after_us = l->now_us + ACCEPT_PAUSE_US;
		}
		return false;
	}
	*out = connection_take(l, &(struct connection){ .fd = fd, .memfd = -1, .began_us = l->now_us });
	count(l->w->shm, C_CONNECTIONS, 1);
	return true;
}

/* All are accepted first and looked at then: the later look finds more of them whole. */
static bool accept_some(struct loop *l)
{
	size_t room = batch_room(l), n = 0, i;
	bool more = true;

	while (n < room && place_make(l) && (more = accept_one(l, &l->fresh[n])))
		n++;
	for (i = 0; i < n; i++)
		connection_gate(l, l->fresh[i], 0);
	return more;
}

static bool receive_some(struct loop *l)
{
	size_t room = batch_room(l);
	struct connection passed;

	for (; room && place_make(l); room--) {
		if (!pass_receive(l->w->pass_fd, &passed))
			return false;
		connection_gate(l, connection_take(l, &passed), 0);
	}
	return true;
}

/* ---- one batch ---- */

static struct connection *ready_pop(struct loop *l)
{
	struct connection *c = l->ready;

	l->ready = c->next;
	if (!l->ready)
		l->ready_end = &l->ready;
	l->ready_n--;
	return c;
}

static size_t batch_gather(struct loop *l)
{
	const struct http_limits *limits = l->w->limits;
	uint64_t bytes = 0;
	size_t n = 0;

	while (l->ready && n < limits->batch_max && (!n || (bytes + l->ready->weight <= limits->batch_bytes && !l->ready->noted))) {
		bool alone = l->ready->noted;

		bytes += l->ready->weight;
		l->exchanges[n].connection = ready_pop(l);
		exchange_read(l, &l->exchanges[n++]);
		if (alone)
			break;
	}
	return n;
}

static void batch_handle(struct loop *l, size_t n)
{
	const struct http_handler *h = l->w->handler;
	size_t i, wanted = 0;

	for (i = 0; i < n; i++)
		if (!l->exchanges[i].failed && !l->exchanges[i].connection->refuse)
			l->requests[wanted++] = &l->exchanges[i].request;
	if (wanted)
		h->handle(h->ctx, l->requests, wanted);
}

/* Others take what arrives meanwhile: the listening socket is shared. */
static void rest(struct loop *l)
{
	const struct http_handler *h = l->w->handler;
	int64_t us = h->rest_us ? h->rest_us(h->ctx) : 0;
	struct timespec t;

	if (us <= 0)
		return;
	us = us < HTTP_REST_MAX_US ? us : HTTP_REST_MAX_US;
	t = (struct timespec){ .tv_nsec = us * 1000 };
	nanosleep(&t, NULL);
	l->now_us = clock_mono_us();
}

static void batch_serve(struct loop *l)
{
	size_t i, n = batch_gather(l);

	batch_handle(l, n);
	for (i = 0; i < n; i++)
		if (!exchange_hand_over(l, &l->exchanges[i]))
			exchange_answer(l, &l->exchanges[i]);
	l->now_us = clock_mono_us();
	for (i = 0; i < n; i++)
		exchange_end(l, &l->exchanges[i]);
	arena_reset(l->arena);
	rest(l);
}

/* ---- a turn ---- */

static void deadlines_check(struct loop *l, const struct deadlines *list)
{
	struct deadline *d;

	while ((d = deadline_first(list)) && d->at_us <= l->now_us)
		connection_expire(l, d->owner);
}

static int64_t earlier(int64_t at_us, const struct deadlines *list)
{
	const struct deadline *d = deadline_first(list);

	return d && d->at_us < at_us ? d->at_us : at_us;
}

static int wait_ms(const struct loop *l)
{
	int64_t at_us = l->tick_at_us, now_us = clock_mono_us();

	if (l->ready_n || l->backlog_left || l->queue_left)
		return 0;
	at_us = earlier(earlier(at_us, &l->silent), &l->stalled);
	at_us = earlier(earlier(at_us, &l->uploads), &l->answers);
	if (l->accept_after_us > now_us && l->accept_after_us < at_us)
		at_us = l->accept_after_us;
	if (!place_free(l) && at_us > now_us + EVICT_SILENT_US)
		at_us = now_us + EVICT_SILENT_US;	/* somebody may have to go by then */
	return at_us <= now_us ? 0 : (int)((at_us - now_us + 999) / 1000);
}

static void event_take(struct loop *l, const struct epoll_event *ev)
{
	struct connection *c = ev->data.ptr;

	if (c->stage == STAGE_FRESH || c->stage == STAGE_SLOW)
		connection_gate(l, c, ev->events);
	else if (c->stage == STAGE_SENDING)
		connection_send(l, c);
}

static void events_take(struct loop *l)
{
	int i, n = epoll_pwait(l->epoll_fd, l->events, l->event_max, wait_ms(l), &l->waiting_mask);
	bool arrived = false, passed = false;

	l->now_us = clock_mono_us();
	for (i = 0; i < n; i++) {
		if (l->events[i].data.ptr == &l->listening)
			arrived = true;
		else if (l->events[i].data.ptr == &l->receiving)
			passed = true;
		else
			event_take(l, &l->events[i]);
	}
	if (arrived)
		accept_some(l);
	if (passed)
		receive_some(l);
}

/* What the kernel already took into the backlog or the queue was promised an answer. */
static void drain(struct loop *l)
{
	if (!l->draining) {
		l->draining = true;
		l->drain_since_us = l->now_us;
		l->backlog_left = l->w->listen_fd >= 0;
		l->queue_left = l->w->pool == POOL_WEB && l->w->pass_fd >= 0;
		deadlines_shorten(&l->silent, DRAIN_SILENT_MS, l->now_us);
		deadlines_shorten(&l->stalled, DRAIN_SILENT_MS, l->now_us);
	}
	if (l->now_us - l->drain_since_us > DRAIN_ACCEPT_US)
		l->backlog_left = l->queue_left = false;
	if (l->backlog_left)
		l->backlog_left = accept_some(l);
	if (l->queue_left)
		l->queue_left = receive_some(l);
}

static void tick(struct loop *l)
{
	const struct http_handler *h = l->w->handler;

	if (l->now_us < l->tick_at_us)
		return;
	l->tick_at_us = l->now_us + TICK_US;
	signals_let_in(l);
	if (getppid() != l->parent)	/* the master is gone, and PR_SET_PDEATHSIG was lost with a change of user */
		stop_wanted = 1;
	if (h->tick && h->tick(h->ctx, clock_now()))
		l->tick_at_us = l->now_us;
}

static void turn(struct loop *l)
{
	events_take(l);
	deadlines_check(l, &l->silent);
	deadlines_check(l, &l->stalled);
	deadlines_check(l, &l->uploads);
	deadlines_check(l, &l->answers);
	if (l->ready_n)
		batch_serve(l);
	tick(l);
	if (stop_wanted)
		drain(l);
	sources_watch(l);
}

static bool finished(const struct loop *l)
{
	return l->draining && !l->backlog_left && !l->queue_left && !l->ready_n && !l->waiting_n &&
		!l->sending_n;
}

/* ---- begin and end ---- */

static void table_init(struct loop *l)
{
	const struct http_limits *limits = l->w->limits;
	size_t i, n = 3 * limits->connections_max + limits->batch_max;	/* waiting, sending, ready */

	l->table = xcalloc(n, sizeof(*l->table));
	for (i = 0; i < n; i++) {
		l->table[i].next = l->free;
		l->free = &l->table[i];
	}
	l->ready_end = &l->ready;
	l->event_max = (int)n + 2;
	l->events = xcalloc(n + 2, sizeof(*l->events));
	l->fresh = xcalloc(limits->batch_max, sizeof(*l->fresh));
	l->exchanges = xcalloc(limits->batch_max, sizeof(*l->exchanges));
	l->requests = xcalloc(limits->batch_max, sizeof(*l->requests));
}

static void listener_init(struct loop *l)
{
	int domain = AF_UNIX, fd = l->w->listen_fd;
	socklen_t n = sizeof(domain);

	if (fd >= 0) {
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n);
	}
	l->direct_max = domain == AF_UNIX ? DIRECT_MAX : DIRECT_MAX_INET;
}

static void loop_init(struct loop *l, const struct http_worker *w)
{
	*l = (struct loop){ .w = w, .now_us = clock_mono_us(), .parent = getppid() };
	l->tick_at_us = l->now_us + TICK_US;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0)
		die("epoll_create1: %s", strerror(errno));
	signals_set(l);
	deadlines_init(&l->silent, w->limits->request_ms);
	deadlines_init(&l->stalled, w->limits->request_ms);
	deadlines_init(&l->uploads, w->limits->upload_ms);
	deadlines_init(&l->answers, w->limits->response_ms);
	l->buffer = xmalloc(HTTP_PEEK_MAX);
	l->arena = arena_new(ARENA_MAX);
	table_init(l);
	listener_init(l);
	sources_watch(l);
}

static void loop_release(struct loop *l)
{
	close(l->epoll_fd);
	records_release(&l->peeked);
	arena_free(l->arena);
	free(l->buffer);
	free(l->table);
	free(l->events);
	free(l->fresh);
	free(l->exchanges);
	free(l->requests);
}

void http_serve(const struct http_worker *w)
{
	struct loop l;

	loop_init(&l, w);
	while (!finished(&l))
		turn(&l);
	loop_release(&l);
}
