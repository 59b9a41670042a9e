/* later.c - see later.h. */
#include "later.h"
#include "later_note.h"

#include "config.h"
#include "grapnel/log.h"

#define MARGIN_MS (10 * MS_PER_SECOND)	/* from the commit to the handler: a web worker must be free, and read the event */

struct later {
	struct later_config c;
	struct guard *guard;
	struct sender *sender;
	struct forwarder *forwarder;
};

unsigned later_waiting_max(const struct conf *c)
{
	return c->server.web_workers / 2;
}

ms_t later_waiting_ms(const struct conf *c)
{
	return c->outbound.timeout_ms + MARGIN_MS;
}

/* Few workers ever need it: what it takes is made with the first. */
struct later *later_new(const struct later_config *c)
{
	struct later *l = xcalloc(1, sizeof(*l));

	l->c = *c;
	return l;
}

static void open_forwarder(struct later *l)
{
	const struct later_config *c = &l->c;

	if (l->forwarder)
		return;
	l->guard = guard_new(c->conf->outbound.allow, c->conf->outbound.ports);
	l->sender = sender_new("Grapnel/" PACKAGE_VERSION, l->guard);
	sender_set_spans(l->sender, c->spans);
	l->forwarder = forwarder_new(&(struct forward_config){ .db = c->db, .seal = c->seal, .sender = l->sender, .ids = c->ids, .shm = c->shm,
		.timeout_ms = c->conf->outbound.timeout_ms });
}

void later_free(struct later *l)
{
	if (!l)
		return;
	sender_free(l->sender);
	forwarder_free(l->forwarder);
	guard_free(l->guard);
	free(l);
}

static void add_headers(struct request *rq, const struct json *list)
{
	for (const struct json *h = list ? list->first : NULL; h; h = h->next)
		response_header(rq, arena_cstr(rq->arena, json_text(json_index(h, 0))), json_text(json_index(h, 1)));
}

static void respond(struct request *rq, const struct noted_answer *x)
{
	rq->response.status = x->status;
	rq->response.content_type = x->type.n ? arena_cstr(rq->arena, x->type) : NULL;
	rq->response.body = x->body;
	add_headers(rq, x->headers);
}

/* 500 makes the sender try again, which is an attempt of the event, too. */
static void respond_failed(struct later *l, struct request *rq, const struct note *n, struct str why)
{
	struct err e = { 0 };

	response_error(rq, 500, "handler_failed", arena_printf(rq->arena, "The event is stored, but its handler did not take it: %.*s",
		STR_ARG(why)).p, NULL);
	if (!request_answered(l->c.db, rq->arena, n->later.request_id, n->later.source_id, 500, l->c.ids->worker, clock_now(), &e))
		log_warning("the answer of a request could not be noted", LOG_U("request", n->later.request_id), LOG_ERR(&e));
}

static void ask_handler(struct later *l, struct request *rq, const struct note *n)
{
	struct forward_result r[INGEST_LATER_MAX] = { { 0 } };
	const struct forward_result *failed = NULL;
	bool elsewhere = false;
	struct err e = { 0 };

	for (size_t i = 0; i < n->later.n; i++)
		r[i].event_id = n->later.events[i];
	open_forwarder(l);
	if (!forwarder_now(l->forwarder, rq->arena, n->later.source_id, r, n->later.n, &e)) {
		log_error("an event could not be forwarded while its sender waits", LOG_ERR(&e));
		respond(rq, &n->queued);
		return;
	}
	for (size_t i = 0; i < n->later.n; i++) {
		elsewhere |= !r[i].taken;
		if (r[i].taken && !r[i].processed)
			failed = &r[i];
	}
	if (failed)
		respond_failed(l, rq, n, failed->error);
	else
		respond(rq, elsewhere ? &n->queued : &n->answer);
}

static void end_span(const struct later *l, const struct request *rq, struct span *s)
{
	if (!l->c.spans || s->form != SPAN_FORM)
		return;
	span_answered(s, rq->response.status);
	s->ended_us = clock_wall_us();
	spans_write(l->c.spans, s, 1);
}

void later_answer(struct later *l, struct request *rq)
{
	struct note n = { 0 };
	struct err e = { 0 };

	if (!later_note_read(rq->arena, rq->note, &n, &e)) {
		log_error("a note of another worker cannot be read", LOG_ERR(&e));
		return;		/* 500: what its sender did is stored, and he tries again */
	}
	ask_handler(l, rq, &n);
	add_headers(rq, n.rate);
	end_span(l, rq, &n.span);
	place_leave(l->c.shm, n.later.place, n.later.until);
}
