/* map.c - stage 4: from bytes to events: inflate, parse, handshake, map. Pure but for the numbers that it gives out. */
#include "ingest_int.h"

static bool refuse_body(struct ingest_work *w, unsigned status, const char *code, const char *message)
{
	if (!w->body_refusal.status)
		w->body_refusal = (struct refusal){ .status = status, .code = code, .message = message };
	return false;
}

static bool inflate_body(struct arena *a, struct ingest_work *w)
{
	struct inbound *in = &w->item->in;
	struct str coding = inbound_header(in, "content-encoding");

	if (!coding.n || str_ieqs(coding, "identity"))
		return true;
	if (!str_ieqs(coding, "gzip") && !str_ieqs(coding, "x-gzip"))
		return refuse_body(w, 415, "unsupported_media_type", "Of content codings only gzip is taken.");
	switch (gunzip(a, in->body, provider_body_max(w->provider), &in->body)) {
	case 0:
		return refuse_body(w, 413, "body_too_large", "The inflated body is larger than this provider may send.");
	case 1:
		w->inflated = true;
		return true;
	default:
		return refuse_body(w, 400, "invalid_payload", "The body is not the gzip that its header says.");
	}
}

/* Where the text breaks is told: templates are written by people, and this is what they look for. */
static bool refuse_parse(struct arena *a, struct ingest_work *w, const struct err *e)
{
	struct str sentence = arena_printf(a, "The body could not be read: %s.", e->text);

	w->body_reason = arena_str(a, str_of(e->text));
	if (!strcmp(e->field, "content-type")) {
		refuse_body(w, 415, "unsupported_media_type", "This content type is not taken here.");
	} else if (e->code == ERR_LIMIT) {
		refuse_body(w, 400, "invalid_payload", "The body is nested too deeply or has too many values.");
	} else {
		refuse_body(w, 400, "invalid_payload", sentence.p);
		w->body_reason = sentence;
	}
	w->body_refusal.field = e->field[0] ? arena_cstr(a, str_of(e->field)) : "body";
	return false;
}

/* Opens the body: in.body is inflated, in.doc parsed. False: w->body_refusal says why. Once for each request. */
bool body_open(struct arena *a, struct ingest_work *w)
{
	struct err e = { 0 };

	if (w->body_refusal.status)
		return false;
	if (w->item->in.doc)
		return true;
	if (w->item->too_short)
		return refuse_body(w, 400, "invalid_payload", "The body is not as long as its Content-Length says.");
	if (!inflate_body(a, w))
		return false;
	if (inbound_parse(w->provider, a, &w->item->in, &e))
		return true;
	return refuse_parse(a, w, &e);
}

static bool refuse_with_body_reason(struct arena *a, struct ingest_work *w)
{
	w->refused = true;
	w->refusal = w->body_refusal;
	if (w->body_reason.n)
		w->refusal.reason = arena_cstr(a, str_cut(w->body_reason, 255));
	return false;
}

static bool refuse_shape(struct arena *a, struct ingest_work *w, const struct err *e)
{
	w->refusal.field = e->field[0] ? arena_cstr(a, str_of(e->field)) : NULL;
	w->refusal.reason = arena_cstr(a, str_cut(str_of(e->text), 255));
	if (e->code == ERR_LIMIT)
		return work_refuse(w, 400, "invalid_payload", "The body holds more events than one request may.");
	return work_refuse(w, 400, "invalid_payload", "The body is not what this provider sends.");
}

static bool none_mapped(const struct event *events, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!events[i].invalid)
			return false;
	return true;
}

/* 6-quality.md rule 4: what can be mapped is stored; a request of which nothing can is refused. */
static bool refuse_unmapped(struct arena *a, struct ingest_work *w, const struct event *first)
{
	w->refusal.field = first->invalid;
	w->refusal.reason = arena_cstr(a, arena_printf(a, "could not be mapped: %s", first->invalid));
	return work_refuse(w, 400, "invalid_payload", "The body is not what this provider sends.");
}

bool work_open(struct arena *a, struct ingest_work *w)
{
	const struct provider *p = w->provider;
	struct inbound *in = &w->item->in;
	struct event *events;
	struct err e = { 0 };
	size_t n;

	if (!body_open(a, w))
		return refuse_with_body_reason(a, w);
	w->answered = provider_handshake(p, a, in, &w->item->answer, &events, &n);
	if (!w->answered && !provider_map(p, a, in, INGEST_EVENTS_MAX, &events, &n, &e))
		return refuse_shape(a, w, &e);
	if (!w->answered && none_mapped(events, n))
		return refuse_unmapped(a, w, &events[0]);
	w->plan_n = n;	/* not before: a refused request has no plans */
	w->plans = ARENA_ARRAY(a, struct plan, n);
	for (size_t i = 0; i < n; i++)
		w->plans[i].ev = &events[i];
	return true;
}

static bool is_called(const struct json *service, struct str name)
{
	const struct json *aliases = json_get(service, "aliases");

	if (str_ieq(json_text(json_get(service, "name")), name))
		return true;
	for (const struct json *x = json_is(aliases, JSON_ARRAY) ? aliases->first : NULL; x; x = x->next)
		if (str_ieq(json_text(x), name))
			return true;
	return false;
}

/* With routeByService the event's own word decides, where a service of that name or alias exists. */
uint64_t service_of(const struct cached_source *s, const struct event *ev)
{
	uint64_t id;

	if (s->s.route_by_service && ev->service.n && json_is(s->services, JSON_ARRAY))
		for (const struct json *x = s->services->first; x; x = x->next)
			if (is_called(x, ev->service) && str_u64(json_text(json_get(x, "id")), &id))
				return id;
	return s->s.service_id;
}

/* A spooled event keeps its number. Another version of its adapter may make more of them. */
static uint64_t number_of(struct batch *b, const struct ingest_work *w, size_t k)
{
	const struct spool_record *r = w->item->spooled;

	return r && k < r->event_n && r->events[k] ? r->events[k] : id_make(b->g->c.ids, b->now);
}

static void plan(struct batch *b, struct ingest_work *w, size_t k)
{
	struct plan *pl = &w->plans[k];

	pl->number = number_of(b, w, k);
	if (w->item->is_test && pl->ev->dedup_key.n)
		pl->ev->dedup_key = w->item->test_key;
	key_hash(pl->ev->event_id, pl->id_hash);
	pl->for_incident = (w->source->s.actions & DO_INCIDENT) && pl->ev->action != ACTION_IGNORE && pl->ev->dedup_key.n;
	if (pl->for_incident) {
		pl->service_id = service_of(w->source, pl->ev);
		key_hash(pl->ev->dedup_key, pl->key_hash);
	}
}

static void map(struct batch *b, struct ingest_work *w)
{
	if (!work_open(b->a, w))
		count(b->g->c.shm, C_REFUSED_BODY, 1);
	for (size_t i = 0; i < w->plan_n; i++)
		if (!w->plans[i].ev->invalid)
			plan(b, w, i);
}

/* 32 requests of 30 KB can be 300,000 events, and many times their bytes. Those that have no room together are stored one after the
 * other. */
#define TOGETHER_MAX (16u << 20)	/* usually a batch has 2 MiB */

size_t ingest_map(struct batch *b)
{
	size_t i;

	for (i = 0; i < b->n && (i == 0 || arena_used(b->a) < TOGETHER_MAX); i++)
		if (!b->work[i].refused)
			map(b, &b->work[i]);
	return i;
}
