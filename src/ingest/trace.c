/* trace.c - what spans tell of a batch: a request is received, proven, stored, and acts.
 *
 * The stages of a batch are shared by its requests, and so are their times: each request has spans of its own, that say of how many it was one. Their
 * parent is the span `receive`, that of `act` is the transaction it is a part of. What was spooled was received at its time: its replay tells
 * of store and act alone, in the same trace. Requests for sources that do not exist leave no span, as they leave no row. */
#include "ingest_int.h"

#define SPANS_EACH 4	/* receive, prove, store, act */

/* A trace that begins here begins with our span, and with our decision whether it is recorded. */
static void begin_trace(struct ingest *g, struct arena *a, struct ingest_work *w)
{
	char *text = arena_alloc(a, TRACEPARENT + 1);

	trace_begin(&w->trace, spans_ratio(g->c.spans));
	w->trace.span = span_id(w->request_number, SPAN_RECEIVE);
	trace_write(&w->trace, text);
	w->item->traceparent = (struct str){ text, TRACEPARENT };
}

void trace_take(struct ingest *g, struct arena *a, struct ingest_work *w)
{
	if (!g->c.spans)
		return;
	if (w->item->trace_made || !trace_parse(w->item->traceparent, &w->trace))
		begin_trace(g, a, w);
	w->traced = w->trace.flags & TRACE_SAMPLED;
}

struct str trace_of_effect(struct arena *a, const struct ingest_work *w)
{
	struct trace t = w->trace;
	char *text;

	if (!w->traced)
		return w->item->traceparent;
	t.span = span_id(w->request_number, SPAN_RECEIVE);
	text = arena_alloc(a, TRACEPARENT + 1);
	trace_write(&t, text);
	return (struct str){ text, TRACEPARENT };
}

/* ---- spans of a work ---- */

struct telling {
	const struct batch *b;
	struct arena *kept;	/* until the senders are answered */
	int64_t wall_us;	/* between the two clocks */
	struct span *spans;
	size_t n;
};

static struct span *add(struct telling *t, const struct ingest_work *w, enum span_name name, int64_t began_us, int64_t ended_us)
{
	struct span *s = &t->spans[t->n++];

	*s = (struct span){ .name = name, .flags = w->trace.flags, .id = span_id(w->request_number, name),
		.parent = span_id(w->request_number, SPAN_RECEIVE), .began_us = began_us + t->wall_us, .ended_us = ended_us + t->wall_us,
		.request = w->request_number };
	memcpy(s->trace, w->trace.id, sizeof(s->trace));
	SPAN_TEXT(s->source, w->source->s.public_id);
	SPAN_TEXT(s->provider, str_of(w->source->provider->slug));
	return s;
}

/* Whoever answers the sender ends the span just added. */
static void hand_over(struct telling *t, const struct ingest_work *w)
{
	struct span *s = ARENA_NEW(t->kept, struct span);

	*s = t->spans[--t->n];
	w->item->later.receive = s;
}

static void tell_receive(struct telling *t, const struct ingest_work *w, int64_t now_us)
{
	struct span *s = add(t, w, SPAN_RECEIVE, w->item->began_us, now_us);
	struct str uri = record_uri(t->b->a, w->item->in.path);

	s->remote = w->trace.span != s->id;
	s->parent = s->remote ? w->trace.span : 0;
	s->events = (uint32_t)w->plan_n;
	SPAN_TEXT(s->method, w->item->in.method);
	SPAN_TEXT(s->place, uri);
	if (w->refused)
		SPAN_TEXT(s->reason, str_of(w->refusal.code));
	span_answered(s, w->item->answer.status);
	if (w->item->later.n)
		hand_over(t, w);
}

static void tell_prove(struct telling *t, const struct ingest_work *w)
{
	bool refused = w->refused && !(w->stages & 1u << STAGE_PROVEN);
	struct span *s = add(t, w, SPAN_PROVE, t->b->began_us, t->b->done_us[STAGE_PROVEN]);

	s->requests = (uint32_t)t->b->n;
	s->failed = refused;
	if (refused)
		SPAN_TEXT(s->reason, str_of(w->refusal.code));
}

static void tell_store(struct telling *t, const struct ingest_work *w, int64_t now_us)
{
	struct span *s = add(t, w, w->to_spool ? SPAN_SPOOL : SPAN_STORE, t->b->done_us[STAGE_MAPPED], w->to_spool ? now_us : t->b->done_us[STAGE_STORED]);

	s->requests = (uint32_t)t->b->n;
	s->events = (uint32_t)w->plan_n;
	s->failed = w->item->answer.status >= 500;
	if (s->failed)
		SPAN_TEXT(s->reason, STR("database"));
}

static void tell_act(struct telling *t, const struct ingest_work *w)
{
	struct span *s = add(t, w, SPAN_ACT, t->b->done_us[STAGE_DEDUPLICATED], t->b->done_us[STAGE_ACTED]);

	s->parent = span_id(w->request_number, SPAN_STORE);
	s->events = (uint32_t)w->plan_n;
	s->event = w->plans[0].known ? w->plans[0].before.id : w->plans[0].number;
}

static bool acted(const struct ingest_work *w)
{
	return w->stored && !w->refused && w->plan_n && w->stages & 1u << STAGE_ACTED && !work_repeats(w);
}

static void tell(struct telling *t, const struct ingest_work *w, int64_t now_us)
{
	if (!w->traced || !w->source)
		return;
	if (!w->item->spooled)
		tell_receive(t, w, now_us);
	if (w->proving && !w->item->spooled)
		tell_prove(t, w);
	if (w->record && w->stages & 1u << STAGE_MAPPED)
		tell_store(t, w, now_us);
	if (acted(w))
		tell_act(t, w);
}

void trace_tell(const struct batch *b, struct arena *kept)
{
	int64_t now_us = clock_mono_us();
	struct telling t = { .b = b, .kept = kept, .wall_us = clock_wall_us() - now_us };

	if (!b->g->c.spans)
		return;
	t.spans = ARENA_ARRAY(b->a, struct span, SPANS_EACH * b->n);
	for (size_t i = 0; i < b->n; i++)
		tell(&t, &b->work[i], now_us);
	spans_write(b->g->c.spans, t.spans, t.n);
}
