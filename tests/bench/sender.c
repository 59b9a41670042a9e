/* sender - a closed-loop load generator that sends webhooks, each a new event, and says what became of them.
 *
 * wrk cannot do it: every request must be a fresh event with a fresh HMAC, and the fault tests need to know which events were
 * acknowledged. One thread, one epoll, N keep-alive connections; each sends the next webhook as soon as it has the answer
 * to the last. When the time is up, what is on its way is still waited for, so that "acknowledged" is exact.
 *
 * The ledger has a line for each event: HTTP status (0 = no answer came), blank, event id. With --retry an event is sent
 * again, the same bytes, until a 2xx comes, as a provider would. */
#include "hist.h"
#include "payload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 4096
#define KEYS_MAX (1u << 24)
#define ANSWER_MAX 16384	/* a longer answer is an error: all of ours are below 1 KiB */
#define STATUS_MAX 600
#define RETRY_NS 20000000ull	/* between two attempts after a refused connection or a 5xx */
#define TICK_MS 10		/* how often deadlines and retries are looked at */
#define COMPLAINT_MAX 300	/* bytes that are shown of the first unexpected answer */

#define NS_PER_S 1000000000ull

enum trouble { TROUBLE_CONNECT, TROUBLE_CLOSED, TROUBLE_TIMEOUT, TROUBLE_BAD_ANSWER, TROUBLES };
static const char *const trouble_words[TROUBLES] = { "connect", "closed", "timeout", "bad_answer" };

enum state {
	IDLE,		/* has nothing to do any more */
	SENDING,	/* connecting, or its request not written whole */
	READING,
	PAUSED,		/* waits until retry_at and sends the same again */
};

struct conn {
	int fd;		/* -1 = not connected */
	enum state state;
	uint64_t started_ns, retry_at;
	size_t out_n, out_done, in_n;
	enum payload_kind kind;
	char id[PAYLOAD_ID_MAX];
	char out[PAYLOAD_MAX];
	char in[ANSWER_MAX];
};

struct options {
	struct sockaddr_in to;
	char host[64];
	unsigned connections, keys;
	double seconds, warmup;		/* seconds 0 = until `requests` are done */
	uint64_t requests;		/* 0 = until the time is up */
	uint64_t base;			/* number of the first event; 0 = now */
	uint64_t timeout_ns;
	const char *paths[PAYLOAD_KINDS], *secrets[PAYLOAD_KINDS];
	bool use[PAYLOAD_KINDS];
	bool retry;
	const char *ledger;
};

struct sender {
	struct options o;
	int epoll;
	FILE *ledger;
	struct payload *payloads[PAYLOAD_KINDS];
	enum payload_kind kinds[PAYLOAD_KINDS];	/* those in use */
	unsigned kind_n;
	struct conn *conns;
	unsigned busy;				/* connections not IDLE */
	uint64_t base, sent, random;
	bool warm, over;			/* measuring; nothing new is begun */
	/* of the whole run, for comparing with tables */
	uint64_t acknowledged, by_kind[PAYLOAD_KINDS], given_up;
	uint8_t *key_seen;
	uint32_t keys_used;
	/* of the time after the warm-up */
	uint64_t statuses[STATUS_MAX], troubles[TROUBLES], measured;
	uint64_t measure_from, measure_to;
	struct hist hist;
	unsigned complaints;
};

static void fail(const char *what)
{
	fprintf(stderr, "sender: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* xorshift64* (Marsaglia, Vigna): keys need to be spread, not secret. */
static uint64_t next_random(struct sender *s)
{
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return s->random * 0x2545f4914f6cdd1dull;
}

static void watch(struct sender *s, struct conn *c, int op, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (epoll_ctl(s->epoll, op, c->fd, &ev))
		fail("epoll_ctl");
}

static void conn_close(struct conn *c)
{
	if (c->fd >= 0)
		close(c->fd);	/* leaves the epoll by itself */
	c->fd = -1;
}

static bool conn_open(struct sender *s, struct conn *c)
{
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		fail("socket");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(c->fd, (struct sockaddr *)&s->o.to, sizeof(s->o.to)) && errno != EINPROGRESS) {
		conn_close(c);
		return false;
	}
	watch(s, c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
	return true;
}

/* ---- one event: its birth and its end ---- */

static void event_make(struct sender *s, struct conn *c)
{
	uint64_t number = s->base + s->sent;
	uint32_t key = (uint32_t)(next_random(s) % s->o.keys);

	/* The key chooses the kind, so that each key is one incident of one source. */
	c->kind = s->kinds[key % s->kind_n];
	c->out_n = payload_make(s->payloads[c->kind], number, key, c->out, c->id);
	s->sent++;
	if (!s->key_seen[key]) {
		s->key_seen[key] = 1;
		s->keys_used++;
	}
}

static void event_end(struct sender *s, struct conn *c, unsigned status)
{
	if (s->ledger)
		fprintf(s->ledger, "%u %s\n", status, c->id);
	if (status / 100 == 2) {
		s->acknowledged++;
		s->by_kind[c->kind]++;
	} else {
		s->given_up++;
	}
}

static bool all_sent(const struct sender *s)
{
	return s->over || (s->o.requests && s->sent >= s->o.requests);
}

static void conn_fail(struct sender *s, struct conn *c, enum trouble t);

static void conn_write(struct sender *s, struct conn *c)
{
	while (c->out_done < c->out_n) {
		ssize_t n = send(c->fd, c->out + c->out_done, c->out_n - c->out_done, MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			conn_fail(s, c, errno == ECONNREFUSED ? TROUBLE_CONNECT : TROUBLE_CLOSED);
			return;
		}
		c->out_done += (size_t)n;
	}
	c->state = READING;
	watch(s, c, EPOLL_CTL_MOD, EPOLLIN);
}

static void conn_send(struct sender *s, struct conn *c)
{
	c->out_done = c->in_n = 0;
	c->state = SENDING;
	c->started_ns = now_ns();
	if (c->fd >= 0)
		conn_write(s, c);
	else if (!conn_open(s, c))
		conn_fail(s, c, TROUBLE_CONNECT);
}

static void conn_next(struct sender *s, struct conn *c)
{
	if (all_sent(s)) {
		conn_close(c);
		c->state = IDLE;
		s->busy--;
		return;
	}
	event_make(s, c);
	conn_send(s, c);
}

/* The same event again, or, without --retry, the next one; both after a pause, since a server that is down refuses fast. */
static void conn_pause(struct conn *c)
{
	c->state = PAUSED;
	c->retry_at = now_ns() + RETRY_NS;
}

static void conn_fail(struct sender *s, struct conn *c, enum trouble t)
{
	if (s->warm)
		s->troubles[t]++;
	conn_close(c);
	if (!s->o.retry)
		event_end(s, c, 0);
	conn_pause(c);
}

static void conn_wake(struct sender *s, struct conn *c, uint64_t now)
{
	if (!s->o.retry) {
		conn_next(s, c);
	} else if (s->over && now > s->measure_to + s->o.timeout_ns) {
		event_end(s, c, 0);
		conn_next(s, c);
	} else {
		conn_send(s, c);
	}
}

/* ---- the answer ---- */

struct answer {
	unsigned status;
	bool close;
};

static const char *find(const char *p, size_t n, const char *what)
{
	return memmem(p, n, what, strlen(what));
}

static const char *header(const char *head, size_t n, const char *name)
{
	size_t name_n = strlen(name);
	const char *line = head;

	while ((line = find(line, n - (size_t)(line - head), "\r\n"))) {
		line += 2;
		if ((size_t)(line - head) + name_n < n && !strncasecmp(line, name, name_n))
			return line + name_n;
	}
	return NULL;
}

/* 1 = whole, 0 = more is to come, -1 = no HTTP. Chunked bodies of ours end within the buffer: their end is looked for, not parsed. */
static int answer_read(const char *in, size_t n, struct answer *a)
{
	const char *end = find(in, n, "\r\n\r\n"), *v;
	size_t head_n;

	if (n >= 12 && memcmp(in, "HTTP/1.", 7))
		return -1;
	if (!end)
		return 0;
	head_n = (size_t)(end - in) + 4;
	a->status = (unsigned)strtoul(in + 9, NULL, 10);
	if (a->status < 100 || a->status >= STATUS_MAX)
		return -1;
	v = header(in, head_n, "connection:");
	a->close = v && find(v, 12, "close");
	if ((v = header(in, head_n, "content-length:")))
		return n >= head_n + strtoul(v, NULL, 10);
	if (header(in, head_n, "transfer-encoding:"))
		return n >= head_n + 5 && !memcmp(in + n - 5, "0\r\n\r\n", 5);
	return a->status == 204 ? 1 : -1;
}

static void complain(struct sender *s, const struct conn *c)
{
	int n = c->in_n < COMPLAINT_MAX ? (int)c->in_n : COMPLAINT_MAX;

	if (!s->complaints++)
		fprintf(stderr, "sender: %s was answered:\n%.*s\n", c->id, n, c->in);
}

static void conn_answered(struct sender *s, struct conn *c, const struct answer *a)
{
	uint64_t now = now_ns();

	if (s->warm && !s->over) {
		s->measured++;
		s->statuses[a->status]++;
		hist_add(&s->hist, (now - c->started_ns) / 1000);
	}
	if (a->close)
		conn_close(c);
	if (a->status / 100 != 2) {
		complain(s, c);
		if (s->o.retry && (a->status >= 500 || a->status == 429)) {
			conn_pause(c);
			return;
		}
	}
	event_end(s, c, a->status);
	conn_next(s, c);
}

static void conn_read(struct sender *s, struct conn *c)
{
	ssize_t n = recv(c->fd, c->in + c->in_n, sizeof(c->in) - c->in_n, 0);
	struct answer a = { 0 };
	int whole;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_fail(s, c, n < 0 && errno == ECONNREFUSED ? TROUBLE_CONNECT : TROUBLE_CLOSED);
		return;
	}
	c->in_n += (size_t)n;
	whole = answer_read(c->in, c->in_n, &a);
	if (whole < 0 || (!whole && c->in_n == sizeof(c->in))) {
		complain(s, c);
		conn_fail(s, c, TROUBLE_BAD_ANSWER);
	} else if (whole) {
		conn_answered(s, c, &a);
	}
}

static void conn_event(struct sender *s, struct conn *c, uint32_t events)
{
	if (c->fd < 0)
		return;		/* closed by an earlier event of this round */
	if (c->state == SENDING && events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		conn_write(s, c);
	else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		conn_read(s, c);
}

/* ---- the run ---- */

static void tick(struct sender *s, uint64_t now)
{
	unsigned i;

	for (i = 0; i < s->o.connections; i++) {
		struct conn *c = &s->conns[i];

		if (c->state == PAUSED && now >= c->retry_at)
			conn_wake(s, c, now);
		else if ((c->state == SENDING || c->state == READING) && now - c->started_ns > s->o.timeout_ns)
			conn_fail(s, c, TROUBLE_TIMEOUT);
	}
}

static volatile sig_atomic_t told_to_end;

static void on_term(int number)
{
	(void)number;
	told_to_end = 1;
}

/* Moves from warm-up to measuring to ending; by count, the run is measured to its last answer. */
static void advance(struct sender *s, uint64_t began, uint64_t now)
{
	uint64_t warm_at = began + (uint64_t)(s->o.warmup * 1e9);

	if (!s->warm && now >= warm_at) {
		s->warm = true;
		s->measure_from = now;
	}
	if (!s->over && (told_to_end || (s->o.seconds > 0 && now >= warm_at + (uint64_t)(s->o.seconds * 1e9)))) {
		s->over = true;
		s->measure_to = now;
	}
}

static void run(struct sender *s)
{
	struct epoll_event events[256];
	uint64_t began = now_ns(), now = began, ticked = began;
	int i, n;

	advance(s, began, now);
	for (i = 0; i < (int)s->o.connections; i++) {
		s->busy++;
		conn_next(s, &s->conns[i]);
	}
	while (s->busy) {
		n = epoll_wait(s->epoll, events, 256, TICK_MS);
		for (i = 0; i < n; i++)
			conn_event(s, events[i].data.ptr, events[i].events);
		now = now_ns();
		advance(s, began, now);
		if (now - ticked >= TICK_MS * 1000000ull) {
			tick(s, now);
			ticked = now;
		}
	}
	if (!s->measure_to)
		s->measure_to = now;
}

static void print_report(const struct sender *s)
{
	double seconds = (double)(s->measure_to - s->measure_from) / 1e9;
	const struct hist *h = &s->hist;
	const char *comma = "";
	unsigned i;

	printf("{\"connections\":%u,\"keys\":%u,\"keys_used\":%u,\"seconds\":%.3f,\"requests\":%" PRIu64 ",\"rate\":%.1f,",
		s->o.connections, s->o.keys, s->keys_used, seconds, s->measured, (double)s->measured / seconds);
	printf("\"latency_us\":{\"mean\":%.0f,\"p50\":%" PRIu64 ",\"p90\":%" PRIu64 ",\"p99\":%" PRIu64 ",\"p999\":%" PRIu64
		",\"max\":%" PRIu64 "},", hist_mean(h), hist_percentile(h, 50), hist_percentile(h, 90), hist_percentile(h, 99),
		hist_percentile(h, 99.9), h->max_us);
	printf("\"status\":{");
	for (i = 0; i < STATUS_MAX; i++)
		if (s->statuses[i]) {
			printf("%s\"%u\":%" PRIu64, comma, i, s->statuses[i]);
			comma = ",";
		}
	printf("},\"errors\":{");
	for (i = 0; i < TROUBLES; i++)
		printf("%s\"%s\":%" PRIu64, i ? "," : "", trouble_words[i], s->troubles[i]);
	printf("},\"total\":{\"sent\":%" PRIu64 ",\"acknowledged\":%" PRIu64 ",\"given_up\":%" PRIu64, s->sent, s->acknowledged,
		s->given_up);
	for (i = 0; i < PAYLOAD_KINDS; i++)
		if (s->by_kind[i])
			printf(",\"%s\":%" PRIu64, payload_words[i], s->by_kind[i]);
	printf("}}\n");
}

/* ---- options ---- */

static const char usage[] =
"usage: sender --url http://127.0.0.1:PORT [options]\n"
"  --prometheus PATH,KEY     sends Alertmanager notifications there; likewise\n"
"  --github PATH,SECRET      failed workflow runs,\n"
"  --stripe PATH,SECRET      failed charges; with several, a third or half each\n"
"  --connections N           64\n"
"  --keys K                  distinct things that are in trouble, 1000\n"
"  --seconds S --warmup S    10 and 0; what is sent in the warm-up is not measured; SIGTERM ends it before its time\n"
"  --requests N              end after N instead\n"
"  --timeout S               for an answer, 10\n"
"  --retry                   send an event again until it is acknowledged, after the end for one timeout more\n"
"  --base N                  number of the first event instead of the time: senders with equal ones send equal ids\n"
"  --ledger FILE             write status and event id of each event\n";

static void usage_error(const char *why)
{
	fprintf(stderr, "sender: %s\n%s", why, usage);
	exit(2);
}

static void parse_url(struct options *o, const char *url)
{
	unsigned port;
	char ip[32];

	if (sscanf(url, "http://%31[0-9.]:%u", ip, &port) != 2 || port > 65535)
		usage_error("the url must be http://ADDRESS:PORT with a numeric address");
	o->to.sin_family = AF_INET;
	o->to.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, ip, &o->to.sin_addr) != 1)
		usage_error("bad address");
	snprintf(o->host, sizeof(o->host), "%s:%u", ip, port);
}

static void parse_target(struct options *o, enum payload_kind kind, char *arg)
{
	char *comma = strrchr(arg, ',');

	if (!comma || arg[0] != '/')
		usage_error("a target is PATH,SECRET");
	*comma = 0;
	o->paths[kind] = arg;
	o->secrets[kind] = comma + 1;
	o->use[kind] = true;
}

static double parse_number(const char *arg, double min, double max)
{
	char *end;
	double v = strtod(arg, &end);

	if (end == arg || *end || !(v >= min && v <= max))
		usage_error(arg);
	return v;
}

enum option_letter {
	O_URL = 'u', O_CONNECTIONS = 'c', O_KEYS = 'k', O_SECONDS = 's', O_WARMUP = 'w', O_REQUESTS = 'n', O_TIMEOUT = 't',
	O_RETRY = 'r', O_BASE = 'b', O_LEDGER = 'l', O_TARGET = 256,
};

static const struct option long_options[] = {
	{ "url", 1, NULL, O_URL }, { "connections", 1, NULL, O_CONNECTIONS }, { "keys", 1, NULL, O_KEYS },
	{ "seconds", 1, NULL, O_SECONDS }, { "warmup", 1, NULL, O_WARMUP }, { "requests", 1, NULL, O_REQUESTS },
	{ "timeout", 1, NULL, O_TIMEOUT }, { "retry", 0, NULL, O_RETRY }, { "base", 1, NULL, O_BASE },
	{ "ledger", 1, NULL, O_LEDGER }, { "prometheus", 1, NULL, O_TARGET + PAYLOAD_PROMETHEUS },
	{ "github", 1, NULL, O_TARGET + PAYLOAD_GITHUB }, { "stripe", 1, NULL, O_TARGET + PAYLOAD_STRIPE }, { 0 }
};

static void set_option(struct options *o, int letter)
{
	switch (letter) {
	case O_URL: parse_url(o, optarg); break;
	case O_CONNECTIONS: o->connections = (unsigned)parse_number(optarg, 1, CONNECTIONS_MAX); break;
	case O_KEYS: o->keys = (unsigned)parse_number(optarg, 1, KEYS_MAX); break;
	case O_SECONDS: o->seconds = parse_number(optarg, 0, 86400); break;
	case O_WARMUP: o->warmup = parse_number(optarg, 0, 3600); break;
	case O_REQUESTS: o->requests = (uint64_t)parse_number(optarg, 1, 1e12); break;
	case O_TIMEOUT: o->timeout_ns = (uint64_t)(parse_number(optarg, 0.1, 600) * 1e9); break;
	case O_RETRY: o->retry = true; break;
	case O_BASE: o->base = (uint64_t)parse_number(optarg, 1, 9e15); break;
	case O_LEDGER: o->ledger = optarg; break;
	case O_TARGET + PAYLOAD_PROMETHEUS:
	case O_TARGET + PAYLOAD_GITHUB:
	case O_TARGET + PAYLOAD_STRIPE: parse_target(o, (enum payload_kind)(letter - O_TARGET), optarg); break;
	default: usage_error("see above");
	}
}

static void parse_options(struct options *o, int argc, char **argv)
{
	int letter;

	*o = (struct options){ .connections = 64, .keys = 1000, .seconds = 10, .timeout_ns = 10 * NS_PER_S };
	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		set_option(o, letter);
	if (!o->host[0])
		usage_error("--url is needed");
	if (o->requests)
		o->seconds = 0;
}

static void sender_init(struct sender *s)
{
	unsigned salt = s->o.base ? 0 : (unsigned)getpid() % 1000, kind, i;
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	s->base = s->o.base ? s->o.base : (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
	s->random = s->base | 1;
	for (kind = 0; kind < PAYLOAD_KINDS; kind++) {
		if (!s->o.use[kind])
			continue;
		s->payloads[kind] = payload_new((enum payload_kind)kind, s->o.host, s->o.paths[kind], s->o.secrets[kind], salt);
		if (!s->payloads[kind])
			usage_error("path or secret too long");
		s->kinds[s->kind_n++] = (enum payload_kind)kind;
	}
	if (!s->kind_n)
		usage_error("no target given");
	s->conns = calloc(s->o.connections, sizeof(*s->conns));
	s->key_seen = calloc(s->o.keys, 1);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!s->conns || !s->key_seen || s->epoll < 0)
		fail("start");
	for (i = 0; i < s->o.connections; i++)
		s->conns[i].fd = -1;
	if (s->o.ledger && !(s->ledger = fopen(s->o.ledger, "we")))
		fail(s->o.ledger);
}

int main(int argc, char **argv)
{
	static struct sender s;
	unsigned i;

	parse_options(&s.o, argc, argv);
	sender_init(&s);
	signal(SIGTERM, on_term);
	run(&s);
	print_report(&s);
	for (i = 0; i < PAYLOAD_KINDS; i++)
		payload_free(s.payloads[i]);
	free(s.conns);
	free(s.key_seen);
	if (s.ledger && fclose(s.ledger))
		fail(s.o.ledger);
	return fflush(stdout) ? 1 : 0;
}
