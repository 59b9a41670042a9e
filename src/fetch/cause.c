/* cause.c - the trace of a request: what its receiver is told of it, and the span that tells how it went.
 *
 * Without spans a trace goes on as it came; who has no part in it has nothing to add. With spans the receiver gets ours as his parent. Neither
 * path nor query of the address is told: hooks of chat programs are secrets. */
#include "fetch_int.h"

static void set_address(struct span *s, struct str url)
{
	char *text = NULL, *host = NULL, *port = NULL;
	CURLU *u = curl_url();
	uint64_t number;

	text = xmalloc(url.n + 1);
	memcpy(text, url.n ? url.p : "", url.n);
	text[url.n] = '\0';
	if (u && !curl_url_set(u, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) && !curl_url_get(u, CURLUPART_HOST, &host, 0))
		SPAN_TEXT(s->place, str_of(host));
	if (host && !curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) && str_u64(str_of(port), &number))
		s->port = (uint16_t)number;
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
	free(text);
}

static void span_begin(const struct send *x, struct trace *t, uint64_t parent, struct span *s)
{
	const struct send_cause *c = x->cause;

	*s = (struct span){ .name = SPAN_SEND, .flags = t->flags, .id = span_id_random(), .parent = parent, .began_us = clock_wall_us(),
		.request = c->request, .event = c->event, .message = c->message, .attempt = (uint16_t)c->attempt };
	memcpy(s->trace, t->id, sizeof(s->trace));
	SPAN_TEXT(s->source, c->source);
	SPAN_TEXT(s->provider, c->provider);
	SPAN_TEXT(s->method, str_of(x->mail ? NULL : x->get ? "GET" : "POST"));
	set_address(s, x->url);
	t->span = s->id;
}

void cause_begin(const struct spans *spans, const struct send *x, struct told *out)
{
	const struct send_cause *c = x->cause;
	uint64_t parent = 0;
	struct trace t;

	out->began_us = clock_mono_us();
	if (!c)
		return;
	if (trace_parse(c->traceparent, &t))
		parent = c->request ? span_id(c->request, SPAN_RECEIVE) : t.span;
	else if (spans)
		trace_begin(&t, spans_ratio(spans));
	else
		return;
	if (spans && t.flags & TRACE_SAMPLED)
		span_begin(x, &t, parent, &out->span);
	trace_write(&t, out->traceparent);
}

void cause_end(struct spans *spans, struct told *t, unsigned status, const char *failure)
{
	struct span *s = &t->span;
	char word[SPAN_REASON];

	if (!s->id)
		return;
	s->ended_us = s->began_us + clock_mono_us() - t->began_us;
	s->status = (uint16_t)(failure ? 0 : status);
	s->failed = failure || status >= 400;
	snprintf(word, sizeof(word), "%u", status);
	if (s->failed)
		SPAN_TEXT(s->reason, str_of(failure ? failure : word));
	spans_write(spans, s, 1);
}
