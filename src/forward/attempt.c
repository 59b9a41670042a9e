/* attempt.c - one request to a handler, and what its answer makes of the event. */
#include "forward_int.h"

#define ARENA_MAX ((size_t)256 << 20)	/* a body of 25 MiB, read, as a tree and written */
#define JITTER_PERCENT 10		/* what failed together comes back spread */
#define RETRY_AFTER_MAX_S 3600

/* 60 s x 2^(n-1) after the nth, or what the handler asks for. */
static ms_t wait_ms(const struct forward_target *t, uint64_t failed_before, uint64_t retry_after_s)
{
	ms_t ms = (ms_t)t->backoff_s * MS_PER_SECOND;
	uint32_t chance;

	while (failed_before-- && ms < FORWARD_WAIT_MAX_MS)
		ms *= 2;
	if (retry_after_s > RETRY_AFTER_MAX_S)
		retry_after_s = RETRY_AFTER_MAX_S;
	if (ms < (ms_t)retry_after_s * MS_PER_SECOND)
		ms = (ms_t)retry_after_s * MS_PER_SECOND;
	if (ms > FORWARD_WAIT_MAX_MS)
		ms = FORWARD_WAIT_MAX_MS;
	random_bytes(&chance, sizeof(chance));
	return ms + ms * JITTER_PERCENT / 100 * (chance % 1000) / 1000;
}

static struct str reason(struct arena *a, const struct send_result *x)
{
	if (x->error)
		return arena_str(a, str_of(x->error));
	if (x->status >= 300 && x->status < 400)
		return arena_printf(a, "The handler answered %u; redirects are not followed.", x->status);
	return arena_printf(a, "The handler answered %u.", x->status);
}

static void fail(struct attempt *t, struct str error, uint64_t retry_after_s)
{
	const struct forward_target *target = &t->round->target;
	struct forward_end *end = &t->end;
	uint64_t tries = end->claim.tries;

	end->error = error;
	end->outcome = tries >= target->max_retries ? FORWARD_DEAD : FORWARD_AGAIN;
	end->next_at = end->started_at + (ms_t)(end->duration_us / 1000) + wait_ms(target, tries, retry_after_s);
}

static void on_done(void *ctx, const struct send_result *x)
{
	struct attempt *t = ctx;
	struct forward_end *end = &t->end;
	struct forwarder *f = t->round->f;

	t->ended_us = clock_mono_us();
	end->duration_us = (uint64_t)(t->ended_us - t->began_us);
	end->status = x->error ? 0 : x->status;
	end->answer = arena_str(t->arena, x->body);
	end->traceparent = arena_str(t->arena, x->traceparent);
	if (!x->error && x->status >= 200 && x->status < 300)
		end->outcome = FORWARD_DONE;
	else
		fail(t, reason(t->arena, x), x->retry_after_s);
	t->state = ATTEMPT_ENDED;
	t->round->under_way--;
	f->under_way--;
	f->bytes -= t->bytes;
}

static void add(struct header *h, size_t *n, const char *name, struct str value)
{
	if (value.n)
		h[(*n)++] = (struct header){ str_of(name), value };
}

static void post(struct attempt *t, const struct event_view *ev, const struct request_view *rq, struct str body, ms_t now)
{
	const struct send_cause cause = { .traceparent = rq->traceparent, .request = rq->id, .event = ev->id, .source = ev->source_id,
		.provider = ev->provider, .attempt = (unsigned)t->end.claim.number };
	const struct forward_target *target = &t->round->target;
	struct str id = arena_printf(t->arena, "%llu", (unsigned long long)t->end.claim.event_id);
	struct header headers[SIGN_HEADERS + 2];
	size_t n = sign_headers(t->arena, target->secret, STR_NONE, id, STR("event.received"), body, now, headers);
	struct forwarder *f = t->round->f;

	add(headers, &n, "Content-Type", STR("application/json"));
	add(headers, &n, "X-Request-Id", rq->trace);
	t->bytes = body.n;
	f->bytes += body.n;
	send_begin(f->c.sender, &(struct send){ .url = target->url, .headers = headers, .header_n = n, .body = body,
		.keep = FORWARD_ANSWER_MAX, .total_ms = f->c.timeout_ms, .cause = &cause, .done = on_done, .ctx = t });
}

bool attempt_begin(struct attempt *t, ms_t now, struct err *e)
{
	struct forward_end *end = &t->end;
	struct request_view rq;
	struct event_view ev;
	struct str body;
	int found;

	t->arena = arena_new(ARENA_MAX);
	found = event_view_received(t->round->f->c.db, t->arena, end->claim.event_id, &ev, &rq, e);
	if (found < 0) {
		arena_free(t->arena);
		t->arena = NULL;
		return false;
	}
	end->started_at = now;
	t->began_us = clock_mono_us();
	t->round->begun++;
	body = found ? forward_body(t->arena, &ev, &rq) : STR_NONE;
	if (!body.n) {	/* deleted a moment ago, or too large for us */
		t->state = ATTEMPT_ENDED;
		end->outcome = FORWARD_DEAD;
		end->error = STR("The event cannot be put into a message.");
		return true;
	}
	t->state = ATTEMPT_UNDER_WAY;
	t->round->under_way++;
	t->round->f->under_way++;
	post(t, &ev, &rq, body, now);
	return true;
}

void attempt_end_unsent(struct round *r, size_t i, enum forward_outcome outcome, struct str error, ms_t now)
{
	struct attempt *t = &r->attempts[i];

	t->state = ATTEMPT_ENDED;
	t->end.outcome = outcome;
	t->end.error = error;
	t->end.started_at = t->end.next_at = now;
}
