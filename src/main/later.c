/* later.c - see later.h. The note is JSON, since its writer and its reader may be of different versions while a new one takes over. It has
 * both answers, made by who knew the provider: one for a handler that took all, one for when there was nobody to ask. */
#include "later.h"

#include "config.h"
#include "grapnel/json.h"
#include "grapnel/log.h"

#define NOTE_MAX ((size_t)12 << 20)
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

/* ---- writing ---- */

static void put_header(struct json_out *o, const struct header *h)
{
	json_open(o, '[');
	json_str(o, h->name);
	json_str(o, h->value);
	json_close(o, ']');
}

static void put_answer(struct json_out *o, const char *name, const struct answer *x)
{
	json_key(o, name);
	json_open(o, '{');
	json_key(o, "status");
	json_u64(o, x->status);
	json_key(o, "type");
	json_strz(o, x->content_type);
	json_key(o, "body");
	json_str(o, x->body);
	json_key(o, "headers");
	json_open(o, '[');
	for (size_t i = 0; i < ARRAY_SIZE(x->extra) && x->extra[i].name.n; i++)
		put_header(o, &x->extra[i]);
	json_close(o, ']');
	json_close(o, '}');
}

/* Its bytes: whoever reads them is of the same version, or leaves it. */
static void put_span(struct json_out *o, struct arena *a, const struct span *s)
{
	struct span copy;

	if (!s)
		return;
	copy = *s;
	copy.form = SPAN_FORM;
	json_key(o, "span");
	json_str(o, hex_encode(a, &copy, sizeof(copy)));
}

static void put_rate(struct json_out *o, const struct request *rq)
{
	json_key(o, "rate");
	json_open(o, '[');
	for (size_t i = 0; i < ARRAY_SIZE(rq->response.headers) && rq->response.headers[i].name.n; i++) {
		const struct header *h = &rq->response.headers[i];

		if (str_starts(h->name, "X-RateLimit-"))
			put_header(o, h);
	}
	json_close(o, ']');
}

struct str later_note(const struct request *rq, const struct ingest_item *it)
{
	const struct ingest_later *x = &it->later;
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, rq->arena, NOTE_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "source");
	json_u64(&o, x->source_id);
	json_key(&o, "request");
	json_u64(&o, x->request_id);
	json_key(&o, "place");
	json_i64(&o, x->place);
	json_key(&o, "until");
	json_i64(&o, x->until);
	json_key(&o, "events");
	json_open(&o, '[');
	for (size_t i = 0; i < x->n; i++)
		json_u64(&o, x->events[i]);
	json_close(&o, ']');
	put_answer(&o, "answer", &it->answer);
	put_answer(&o, "queued", &it->queued);
	put_rate(&o, rq);
	put_span(&o, rq->arena, x->receive);
	json_close(&o, '}');
	return b.failed ? STR_NONE : strbuf_str(&b);
}

/* ---- reading ---- */

struct note {
	struct ingest_later later;
	const struct json *answer, *queued, *rate;
	struct span span;	/* form 0: there is none */
};

static uint64_t number(const struct json *j)
{
	uint64_t n = 0;

	return str_u64(json_text(j), &n) ? n : 0;
}

static bool read_note(struct arena *a, struct str text, struct note *out, struct err *e)
{
	struct ingest_later *x = &out->later;
	const struct json *j;

	if (!json_parse(a, text, &j, e))
		return false;
	x->source_id = number(json_get(j, "source"));
	x->request_id = number(json_get(j, "request"));
	x->place = (int)number(json_get(j, "place"));
	x->until = (ms_t)number(json_get(j, "until"));
	for (const struct json *id = json_get(j, "events") ? json_get(j, "events")->first : NULL; id && x->n < INGEST_LATER_MAX; id = id->next)
		x->events[x->n++] = number(id);
	out->answer = json_get(j, "answer");
	out->queued = json_get(j, "queued");
	out->rate = json_get(j, "rate");
	if (!hex_decode(json_text(json_get(j, "span")), &out->span, sizeof(out->span)))
		out->span.form = 0;
	return (x->n && out->answer && out->queued) || err_set(e, ERR_BUG, "the note names no events or answers");
}

/* ---- answering ---- */

static void add_headers(struct request *rq, const struct json *list)
{
	for (const struct json *h = list ? list->first : NULL; h; h = h->next)
		response_header(rq, arena_cstr(rq->arena, json_text(json_index(h, 0))), json_text(json_index(h, 1)));
}

static void respond(struct request *rq, const struct json *x)
{
	struct str type = json_text(json_get(x, "type"));

	rq->response.status = (unsigned)number(json_get(x, "status"));
	rq->response.content_type = type.n ? arena_cstr(rq->arena, type) : NULL;
	rq->response.body = json_text(json_get(x, "body"));
	add_headers(rq, json_get(x, "headers"));
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
		respond(rq, n->queued);
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
		respond(rq, elsewhere ? n->queued : n->answer);
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
	struct note n = { .answer = NULL };
	struct err e = { 0 };

	if (!read_note(rq->arena, rq->note, &n, &e)) {
		log_error("a note of another worker cannot be read", LOG_ERR(&e));
		return;		/* 500: what its sender did is stored, and he tries again */
	}
	ask_handler(l, rq, &n);
	add_headers(rq, n.rate);
	end_span(l, rq, &n.span);
	place_leave(l->c.shm, n.later.place, n.later.until);
}
