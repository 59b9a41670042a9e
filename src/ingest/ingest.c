/* ingest.c - the pipeline from end to end, and its context. */
#include "ingest_int.h"

/* 1000 sources with settings of 64 KiB, once for each of four secrets, and room: a tenant's admin must not be able to end
 * all workers at their start. Usually it is some 100 KiB. */
#define SCRATCH_MAX ((size_t)512 << 20)
#define MAPPED_MAX ((size_t)512 << 20)	/* the largest body with its events, and four attempts to store them */
#define OTHERS_MS (3 * MS_PER_SECOND)	/* "within seconds" */
#define PRINT_BYTES 512

bool work_refuse(struct ingest_work *w, unsigned status, const char *code, const char *message)
{
	if (w->refused)
		return false;
	w->refused = true;
	w->refusal.status = status;
	w->refusal.code = code;
	w->refusal.message = message;
	return false;
}

struct ingest *ingest_new(const struct ingest_config *c)
{
	struct ingest *g = xcalloc(1, sizeof(*g));

	g->c = *c;
	g->silent_us = shm_silent_us(c->shm);
	g->preloaded = UINT64_MAX;
	g->cache = cache_new(INGEST_CACHE_MAX, c->seal);
	g->scratch = arena_new(SCRATCH_MAX);
	g->mapped = arena_new(MAPPED_MAX);
	g->types = type_names_new();
	return g;
}

void ingest_free(struct ingest *g)
{
	if (!g)
		return;
	spool_reader_free(g->reader);
	arena_free(g->replay_arena);
	cache_free(g->cache);
	type_names_free(g->types);
	arena_free(g->scratch);
	arena_free(g->mapped);
	free(g);
}

void cache_put_all(struct ingest *g, const struct live_source *sources, size_t n, uint64_t generation, ms_t now)
{
	for (size_t i = 0; i < n; i++) {
		if (sources[i].secrets_lost)
			log_error("a secret does not open under our keys; its source takes nothing",
				LOG_STR("source", sources[i].public_id));
		cache_put(g->cache, &sources[i], generation, now);
	}
}

void ingest_preload(struct ingest *g, ms_t now)
{
	uint64_t generation = shm_generation(g->c.shm);
	struct live_source *all;
	size_t n;
	struct err e = { 0 };

	if (live_sources_stamp(g->c.db, g->scratch, now, &g->stamp, &e)
		&& live_sources_all(g->c.db, g->scratch, g->c.seal, INGEST_CACHE_MAX, now, &all, &n, &e)) {
		cache_put_all(g, all, n, generation, now);
		g->preloaded = generation;	/* else the next tick tries again */
	} else {
		log_warning("sources could not be read", LOG_ERR(&e));
	}
	arena_reset(g->scratch);
}

uint64_t complaint(struct complaint *c, size_t n, ms_t now)
{
	uint64_t all = c->unsaid + n;
	bool soon = now >= c->said_at && now - c->said_at < MS_PER_SECOND;

	c->unsaid = soon ? all : 0;
	c->said_at = soon ? c->said_at : now;
	return soon ? 0 : all;
}

#define SLOW_US 1000000		/* who waited so long did it in vain */
#define AVOID_MAX_US 30000000

/* Found silent, it is so for all processes of this host; who waited in vain for one that lives, leaves it alone for as long. */
void database_failed(struct ingest *g, int64_t took_us)
{
	g->failed_us = clock_mono_us();
	if (took_us < SLOW_US)
		return;
	if (db_is_silent(g->c.db))
		shm_silent_set(g->c.shm, g->silent_us = g->failed_us);
	else
		g->avoid_until_us = g->failed_us + (took_us < AVOID_MAX_US ? took_us : AVOID_MAX_US);
}

bool database_avoided(struct ingest *g)
{
	int64_t silent_us = shm_silent_us(g->c.shm);

	if (silent_us != g->silent_us) {
		g->silent_us = silent_us;
		db_doubt(g->c.db);
	}
	return clock_mono_us() < g->avoid_until_us;
}

/* What another host changes moves no generation here. */
static void look_at_others(struct ingest *g, ms_t now)
{
	uint64_t stamp = g->stamp;
	struct err e = { 0 };

	if (g->looked_at <= now && now - g->looked_at < OTHERS_MS)
		return;
	g->looked_at = now;
	if (live_sources_stamp(g->c.db, g->scratch, now, &stamp, &e) && stamp != g->stamp)
		shm_generation_bump(g->c.shm);
	arena_reset(g->scratch);
}

/* After a change the whole cache is read anew, before the next request asks. */
static void keep_warm(struct ingest *g, ms_t now)
{
	if (shm_generation(g->c.shm) == g->preloaded)
		look_at_others(g, now);
	if (shm_generation(g->c.shm) != g->preloaded)
		ingest_preload(g, now);
}

bool ingest_tick(struct ingest *g, ms_t now)
{
	struct err e = { 0 };

	if (g->c.spool)
		spool_close_old(g->c.spool, now);
	if (database_avoided(g) || (!db_is_connected(g->c.db) && (!g->c.spool || !db_connect(g->c.db, &e))))
		return false;
	keep_warm(g, now);
	return g->c.spool && replay_tick(g, now);
}

/* Names a request by path and body: a retry has the same name, so that the retry of what killed a worker is known. */
uint64_t ingest_print(const struct ingest_item *it)
{
	uint64_t h = 14695981039346656037u ^ it->in.body.n;	/* FNV-1a */
	struct str parts[2] = { it->in.path, it->in.body };

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < parts[k].n && i < PRINT_BYTES; i++)
			h = (h ^ (unsigned char)parts[k].p[i]) * 1099511628211u;
	return h | 1;
}

void batch_done(struct batch *b, enum stage stage, size_t from, size_t to)
{
	b->done_us[stage] = clock_mono_us();
	for (size_t i = from; i < to; i++) {
		struct ingest_work *w = &b->work[i];

		if (w->refused || (stage >= STAGE_DEDUPLICATED && !w->plan_n))
			w->stages &= ~(1u << stage);
		else
			w->stages |= 1u << stage;
	}
}

/* Out of the memory in which it was made. */
static void keep_answer(struct arena *a, struct answer *answer)
{
	answer->body = arena_str(a, answer->body);
	for (size_t i = 0; i < ARRAY_SIZE(answer->extra); i++) {
		struct header *h = &answer->extra[i];

		*h = (struct header){ arena_str(a, h->name), arena_str(a, h->value) };
	}
}

/* The answer, and the one to be given where nobody can wait for the handler after all. */
static void keep_answers(struct arena *a, struct ingest_item *it)
{
	keep_answer(a, &it->answer);
	if (it->later.n)
		keep_answer(a, &it->queued);
}

/* From the events of works [from, ...) to their answers, of as many as have room together. Returns how many. */
static size_t run_part(const struct batch *all, size_t from)
{
	struct batch b = *all;

	b.a = b.g->mapped;
	b.work += from;
	b.n -= from;
	arena_reset(b.a);
	b.n = ingest_map(&b);
	batch_done(&b, STAGE_MAPPED, 0, b.n);
	ingest_store(&b);
	b.done_us[STAGE_STORED] = clock_mono_us();
	ingest_spool(&b);
	ingest_answer(&b);
	trace_tell(&b, all->a);
	for (size_t i = 0; i < b.n; i++)
		keep_answers(all->a, b.work[i].item);
	return b.n;
}

static void run(struct ingest *g, struct arena *a, struct ingest_work *work, size_t n, ms_t now)
{
	struct batch b = { g, a, work, n, now, clock_mono_us(), { 0 } };
	uint64_t prints[INGEST_BATCH_MAX];

	for (size_t i = 0; i < n; i++)
		prints[i] = work[i].print;
	in_hand_set(g->c.shm, g->c.slot, prints, n);
	ingest_find(&b);
	ingest_gate(&b);
	ingest_prove(&b);
	batch_done(&b, STAGE_PROVEN, 0, n);
	for (size_t done = 0; done < n;)
		done += run_part(&b, done);
	in_hand_set(g->c.shm, g->c.slot, NULL, 0);
}

static struct ingest_work work_of(struct ingest *g, struct arena *a, struct ingest_item *it, ms_t now)
{
	struct ingest_work w = { .item = it, .raw = it->in.body, .print = ingest_print(it) };

	w.request_number = it->spooled ? it->spooled->request : id_make(g->c.ids, now);
	w.received_at = it->spooled ? it->spooled->received_at : now;
	it->in.request_id = arena_printf(a, "%llu", (unsigned long long)w.request_number);
	trace_take(g, a, &w);
	it->in.public_url = str_of(g->c.public_url);
	it->in.now = w.received_at;
	return w;
}

void ingest_keep(struct ingest *g, struct arena *a, struct ingest_item *items, size_t n, ms_t now)
{
	struct ingest_work *work = ARENA_ARRAY(a, struct ingest_work, n);
	size_t together = 0, alone = n;

	for (size_t i = 0; i < n; i++) {
		struct ingest_work w = work_of(g, a, &items[i], now);

		struct ingest_work *place = suspect_is(g->c.shm, w.print, now) ? &work[--alone] : &work[together++];

		*place = w;
		items[i].work = place;
	}
	if (together)
		run(g, a, work, together, now);
	for (; alone < n; alone++)
		run(g, a, &work[alone], 1, now);
}

void ingest_run(struct ingest *g, struct arena *a, struct ingest_item *items, size_t n, ms_t now)
{
	ingest_keep(g, a, items, n, now);
	arena_reset(g->mapped);
}
