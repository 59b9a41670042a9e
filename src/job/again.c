/* again.c - events that are sent to their handlers once more because somebody says so, and is told what became of each.
 *
 * They go in groups that one handler takes at a time, as long as a group may take its whole time; what is left then is due, so the dispatcher or
 * the job `retries` sends it. Each attempt is one like any other: claimed, counted, kept, and the breaker hears of it. */
#include <stdlib.h>

#include "grapnel/forward.h"
#include "grapnel/json.h"

#include "job_int.h"

#define PAGE_ROWS 1000		/* of the index by status at a look */
#define PAGES_MAX 20		/* of a tenant and status: some 100 ms */
#define PAGE_ARENA_MAX ((size_t)16 << 20)

/* ---- which ---- */

static bool fits(const struct again_filter *f, const struct event_brief *ev, ms_t now)
{
	return ev->attempts < f->max_attempts && (!f->provider.n || str_eq(f->provider, ev->provider)) &&
		(!f->before || ev->updated_at < f->before) && !event_is_held(ev, now);
}

/* Pages are read into an arena that ends with them: only what was chosen is kept. */
static struct event_brief kept(struct arena *a, const struct event_brief *ev)
{
	struct event_brief copy = *ev;

	copy.event_id = arena_str(a, ev->event_id);
	copy.type = arena_str(a, ev->type);
	copy.error = arena_str(a, ev->error);
	copy.source_id = arena_str(a, ev->source_id);
	copy.provider = arena_str(a, ev->provider);
	return copy;
}

static void choose(struct arena *a, const struct event_brief *rows, size_t n, const struct again_filter *f, ms_t now, struct again_found *out)
{
	for (size_t i = 0; i < n; i++) {
		if (!fits(f, &rows[i], now))
			continue;
		out->fit++;
		if (out->n < f->limit)
			out->events[out->n++] = kept(a, &rows[i]);
	}
}

static bool find_of_status(struct db *db, struct arena *a, uint64_t tenant_id, enum event_status status, const struct again_filter *f, ms_t now,
	struct again_found *out, struct err *e)
{
	struct arena *page_arena = arena_new(PAGE_ARENA_MAX);
	uint64_t after = 0;
	size_t n = PAGE_ROWS;
	bool ok = true;

	for (size_t page = 0; page < PAGES_MAX && n == PAGE_ROWS && ok; page++) {
		struct event_brief *rows;

		arena_reset(page_arena);
		ok = event_of_status(db, page_arena, tenant_id, status, after, PAGE_ROWS, &rows, &n, e);
		if (!ok || !n)
			break;
		after = rows[n - 1].id;
		choose(a, rows, n, f, now, out);
	}
	out->more |= n == PAGE_ROWS;
	arena_free(page_arena);
	return ok;
}

static bool find_of_tenant(struct db *db, struct arena *a, uint64_t tenant_id, const struct again_filter *f, ms_t now, struct again_found *out,
	struct err *e)
{
	return find_of_status(db, a, tenant_id, EVENT_FAILED, f, now, out, e) &&
		(!f->dead || find_of_status(db, a, tenant_id, EVENT_DEAD, f, now, out, e));
}

bool again_find(struct db *db, struct arena *a, const struct again_filter *f, ms_t now, struct again_found *out, struct err *e)
{
	struct tenant t = { 0 };
	int found;

	*out = (struct again_found){ .events = ARENA_ARRAY(a, struct event_brief, f->limit) };
	if (f->tenant_id)
		return find_of_tenant(db, a, f->tenant_id, f, now, out, e);
	while ((found = tenant_next(db, a, t.id, &t, e)) == 1)
		if (!find_of_tenant(db, a, t.id, f, now, out, e))
			return false;
	return found == 0;
}

/* ---- sending ---- */

struct again_result *again_results(struct arena *a, const struct event_brief *events, size_t n)
{
	struct again_result *r = ARENA_ARRAY(a, struct again_result, n);

	for (size_t i = 0; i < n; i++)
		r[i].event = events[i];
	return r;
}

static int by_source(const void *x, const void *y)
{
	const struct event_brief *a = &((const struct again_result *)x)->event, *b = &((const struct again_result *)y)->event;

	if (a->source_row != b->source_row)
		return a->source_row < b->source_row ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

/* All of one handler, and no more than it takes at once. */
static size_t group_of(const struct again_result *x, size_t n)
{
	size_t k = 1;

	while (k < n && k < FORWARD_IN_FLIGHT && x[k].event.source_row == x[0].event.source_row)
		k++;
	return k;
}

/* Of a handler that is left alone the first event goes apart, to ask it: what went with it would be given back unsent, whatever it answers. */
static int is_probe(struct job_run *r, const struct again_result *x, size_t i, struct err *e)
{
	struct breaker b = { 0 };

	if (i && x[i - 1].event.source_row == x[i].event.source_row)
		return 0;
	return breaker_get(r->c->db, r->a, BREAKER_HANDLER, x[i].event.source_row, &b, e) < 0 ? -1 : b.opened_at != 0;
}

static bool queue(struct job_run *r, struct again_result *x, size_t n, struct err *e)
{
	struct event_brief *events = ARENA_ARRAY(r->a, struct event_brief, n);
	uint64_t queued;

	for (size_t i = 0; i < n; i++) {
		events[i] = x[i].event;
		x[i].outcome = AGAIN_QUEUED;
	}
	return forward_retry(r->c->db, 0, JSON_IDS(r->a, events, n, id), job_now(r), &queued, e);
}

/* What the breaker refuses waits for the probe that somebody else, a dispatcher say, has just sent. */
static enum again_outcome outcome_of(const struct forward_result *x)
{
	return !x->taken || x->refused ? AGAIN_QUEUED : x->processed ? AGAIN_PROCESSED : AGAIN_FAILED;
}

static bool send_group(struct job_run *r, struct forwarder *f, struct again_result *x, size_t n, struct err *e)
{
	uint64_t source = x[0].event.source_row;
	struct forward_result sent[FORWARD_IN_FLIGHT] = { { 0 } };

	if (breaker_probe_soon(r->c->db, BREAKER_HANDLER, source, job_now(r), e) < 0 || !queue(r, x, n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		sent[i].event_id = x[i].event.id;
	if (!forwarder_now(f, r->a, source, sent, n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		x[i].outcome = outcome_of(&sent[i]);
		x[i].error = x[i].outcome == AGAIN_FAILED ? sent[i].error : STR_NONE;
	}
	return true;
}

static bool send_all(struct job_run *r, struct again_result *x, size_t n, struct err *e)
{
	const struct job_config *c = r->c;
	struct job_sender s = job_sender_open(r);
	struct forwarder *f = forwarder_new(&(struct forward_config){ .db = c->db, .seal = c->seal, .sender = s.sender, .ids = c->ids, .shm = c->shm,
		.timeout_ms = c->conf->outbound.timeout_ms });
	bool ok = true;

	for (size_t i = 0, k; i < n && ok; i += k) {
		bool has_time = job_left_ms(r) > (int64_t)c->conf->outbound.timeout_ms;
		int alone = has_time ? is_probe(r, x, i, e) : 0;

		k = alone > 0 ? 1 : has_time ? group_of(x + i, n - i) : n - i;
		ok = alone >= 0 && (has_time ? send_group(r, f, x + i, k, e) : queue(r, x + i, k, e));
	}
	job_sender_close(&s);
	forwarder_free(f);
	return ok;
}

bool again_send(struct job_run *r, struct again_result *x, size_t n, struct err *e)
{
	bool ok;

	if (!n)
		return true;
	qsort(x, n, sizeof(*x), by_source);
	ok = r->c->seal ? send_all(r, x, n, e) : queue(r, x, n, e);
	bell_ring(r->c->shm);
	return ok;
}

bool again_apart(const struct job_config *c, struct arena *a, struct again_result *x, size_t n, struct err *e)
{
	struct job_run r = job_apart(c, a);

	return again_send(&r, x, n, e);
}

const char *again_outcome_word(enum again_outcome o)
{
	static const char *const words[] = { [AGAIN_QUEUED] = "queued", [AGAIN_PROCESSED] = "processed", [AGAIN_FAILED] = "failed" };

	return words[o];
}
