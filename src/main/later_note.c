/* later_note.c - see later_note.h. */
#include "later_note.h"

#define NOTE_MAX ((size_t)12 << 20)

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

static uint64_t number(const struct json *j)
{
	uint64_t n = 0;

	return str_u64(json_text(j), &n) ? n : 0;
}

static bool read_answer(const struct json *j, struct noted_answer *out)
{
	*out = (struct noted_answer){ (unsigned)number(json_get(j, "status")), json_text(json_get(j, "type")), json_text(json_get(j, "body")),
		json_get(j, "headers") };
	return j;
}

bool later_note_read(struct arena *a, struct str text, struct note *out, struct err *e)
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
	out->rate = json_get(j, "rate");
	if (!hex_decode(json_text(json_get(j, "span")), &out->span, sizeof(out->span)))
		out->span.form = 0;
	return (x->n && read_answer(json_get(j, "answer"), &out->answer) && read_answer(json_get(j, "queued"), &out->queued)) || err_set(e, ERR_BUG, "the note names no events or answers");
}
