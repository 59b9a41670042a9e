/* find.c - stage 1: which source each request speaks of.
 *
 * From the cache; what is missing or stale is asked for in one query for the whole batch. While MariaDB is away a stale entry
 * serves, and a name that was never seen is "unknown for now": 503, not 404. */
#include "ingest_int.h"

/* /v2/enqueue: the body must be read before the source is known. */
static void find_key_in_body(struct batch *b, struct ingest_work *w)
{
	struct str key;
	unsigned char *hash = ARENA_ARRAY(b->a, unsigned char, SHA256_BYTES);

	w->provider = w->entrance.provider;
	if (w->item->too_large || !body_open(b->a, w))
		return;
	key = json_text(json_get(w->item->in.doc, "routing_key"));
	if (!key.n)
		return;
	sha256(key, hash);
	w->entrance.kind = LOOKUP_KEY;
	w->entrance.name = (struct str){ (const char *)hash, SHA256_BYTES };
}

static bool is_known(struct batch *b, const struct ingest_work *w, uint64_t generation)
{
	const struct cached_source *e = cache_find(b->g->cache, w->entrance.kind, w->entrance.name);

	return (e && cache_is_fresh(e, generation, b->now))
		|| cache_is_absent(b->g->cache, w->entrance.kind, w->entrance.name, generation, b->now);
}

/* Names to ask for, as JSON arrays; the three kinds side by side. */
struct wanted {
	struct strbuf text[3];
	struct json_out out[3];
	bool any;
};

static struct wanted *wanted_new(struct arena *a)
{
	struct wanted *q = ARENA_NEW(a, struct wanted);

	for (int i = 0; i < 3; i++) {
		strbuf_init(&q->text[i], a, 64 * 1024);
		json_out_init(&q->out[i], &q->text[i]);
		json_open(&q->out[i], '[');
	}
	return q;
}

static void want(struct batch *b, struct wanted *q, const struct ingest_work *w)
{
	switch (w->entrance.kind) {
	case LOOKUP_ID:
		json_str(&q->out[0], w->entrance.name);
		break;
	case LOOKUP_KEY:
		json_str(&q->out[1], hex_encode(b->a, w->entrance.name.p, w->entrance.name.n));
		break;
	case LOOKUP_DEFAULT:
		json_str(&q->out[2], w->entrance.name);
		break;
	case LOOKUP_NONE:
		return;
	}
	q->any = true;
}

static bool load(struct batch *b, struct wanted *q, uint64_t generation)
{
	int64_t began_us = clock_mono_us();
	struct live_source *found;
	size_t n;
	uint64_t failed;
	struct err e = { 0 };
	bool ok;

	if (database_avoided(b->g))
		return false;
	for (int i = 0; i < 3; i++)
		json_close(&q->out[i], ']');
	ok = live_sources(b->g->c.db, b->g->scratch, b->g->c.seal, strbuf_str(&q->text[0]), strbuf_str(&q->text[1]),
		strbuf_str(&q->text[2]), b->now, &found, &n, &e);
	if (ok)
		cache_put_all(b->g, found, n, generation, b->now);
	else if ((failed = complaint(&b->g->database_complaint, b->n, b->now)))
		log_warning("sources could not be read", LOG_U("requests", failed), LOG_ERR(&e));
	if (!ok)
		database_failed(b->g, clock_mono_us() - began_us);
	arena_reset(b->g->scratch);
	return ok;
}

/* A stale entry that the database no longer has is forgotten, unless the database did not answer. It may be of this generation:
 * what another host deletes moves no counter here. */
static void settle(struct batch *b, struct ingest_work *w, uint64_t generation, bool asked_ok)
{
	struct cached_source *e = cache_find(b->g->cache, w->entrance.kind, w->entrance.name);

	if (asked_ok && (!e || !cache_is_fresh(e, generation, b->now))) {
		cache_forget(b->g->cache, w->entrance.kind, w->entrance.name);
		if (w->entrance.kind != LOOKUP_NONE)
			cache_put_absent(b->g->cache, w->entrance.kind, w->entrance.name, generation, b->now);
	}
}

/* An id under another provider's path is not that source. */
static void attach(struct batch *b, struct ingest_work *w, bool asked_ok)
{
	const struct cached_source *e = NULL;

	if (w->entrance.kind != LOOKUP_NONE)
		e = cache_find(b->g->cache, w->entrance.kind, w->entrance.name);
	if (e && w->entrance.kind == LOOKUP_KEY && !key_is(e, w->entrance.name, b->now))
		return;		/* a key whose grace period is over names nothing */
	if (e && e->provider && (!w->entrance.provider || w->entrance.provider == e->provider || w->entrance.key_in_body)) {
		w->source = e;
		w->provider = w->entrance.key_in_body ? w->entrance.provider : provider_for(e->provider, &w->item->in);
	} else if (!e && w->asked && !asked_ok) {
		w->source_unsure = true;
	}
}

/* Of a spooled request the source is known, whosever its key or the place of the default may be by now. */
static void find_name(struct batch *b, struct ingest_work *w)
{
	w->entrance = entrance_of(b->a, w->item->in.path, w->item->in.query);
	w->provider = w->entrance.provider;
	if (w->item->spooled) {
		w->entrance.kind = LOOKUP_ID;
		w->entrance.name = w->item->spooled->source;
	} else if (w->entrance.key_in_body) {
		find_key_in_body(b, w);
	}
}

void ingest_find(struct batch *b)
{
	uint64_t generation = shm_generation(b->g->c.shm);
	struct wanted *q = NULL;
	bool ok = true;

	for (size_t i = 0; i < b->n; i++) {
		struct ingest_work *w = &b->work[i];

		find_name(b, w);
		if (w->entrance.kind == LOOKUP_NONE || is_known(b, w, generation)) {
			count(b->g->c.shm, C_CACHE_HITS, 1);
			continue;
		}
		count(b->g->c.shm, C_CACHE_MISSES, 1);
		if (!q)
			q = wanted_new(b->a);
		want(b, q, w);
		w->asked = true;
	}
	if (q && q->any)
		ok = load(b, q, generation);
	for (size_t i = 0; i < b->n; i++)
		if (b->work[i].asked)
			settle(b, &b->work[i], generation, ok);
	for (size_t i = 0; i < b->n; i++)
		attach(b, &b->work[i], ok);
}
