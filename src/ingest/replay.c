/* replay.c - the spool's records through the ordinary pipeline, in batches, by whoever holds the spool's lease.
 *
 * A record may be stored already: its transaction was committed though nobody heard of it, or whoever replayed it died before its
 * file went. Its number tells. What is left takes the way of every request, but for gate and proof, which it passed at its
 * receipt; it keeps its numbers, its time and what its sender was told. So it does not matter who else stores the same event
 * meanwhile: the first one is stored, the other one is a repeat. */
#include "ingest_int.h"

#define REPLAY_BYTES (1u << 20)		/* of bodies in one transaction */
#define SUSPECT_TRIES 2			/* of a request that was in hand when a process died, in an hour */
#define SETTLED_US 2000000		/* by then all processes have seen the database and closed their files */
#define LOOK_US 1000000
#define ARENA_MAX ((size_t)512 << 20)	/* as a batch of the loop has */

struct replay {
	struct ingest *g;
	struct spool_reader *r;
	struct arena *a;
	ms_t now;
	struct ingest_replayed *sum;
	struct spool_record *records;
	struct ingest_item *items;	/* of those that are not stored yet */
	size_t n, item_n;
};

static void tell_bad(struct replay *x, const struct spool_record *record, const char *why)
{
	x->sum->bad++;
	count(x->g->c.shm, C_SPOOL_BAD, 1);
	log_error("a spooled request cannot be stored; its file moves to bad", LOG_U("number", record->request),
		LOG_STR("source", record->source), LOG_STR("request", record->trace), LOG_S("error", why));
}

/* ---- a batch of records ---- */

static struct ingest_item item_of(struct replay *x, const struct spool_record *record)
{
	struct ingest_item it = {
		.in = { .method = record->method, .headers = record->headers, .header_n = record->header_n,
			.content_type = record->content_type, .body = record->body },
		.remote_addr = record->remote_addr,
		.trace = record->trace,
		.traceparent = record->traceparent,
		.began_us = clock_mono_us() - (x->now - record->received_at) * 1000,	/* its stages tell how long it waited */
		.spooled = record,
	};

	inbound_set_uri(&it.in, record->uri);
	return it;
}

/* One that ends processes is left to a person. */
static bool is_deadly(struct replay *x, const struct ingest_item *it)
{
	uint64_t print = ingest_print(it);

	return suspect_is(x->g->c.shm, print, x->now) && !hourly_take(x->g->c.shm, print, SUSPECT_TRIES, x->now);
}

/* False: there was none. */
static bool gather(struct replay *x)
{
	size_t bytes = 0;
	bool any = false;
	int found = 1;

	while (found && x->n < INGEST_BATCH_MAX && bytes < REPLAY_BYTES) {
		struct spool_record *record = &x->records[x->n];
		struct err e = { 0 };

		found = spool_next(x->r, x->a, record, &e);
		any |= found != 0;
		if (found < 0)
			tell_bad(x, &(struct spool_record){ 0 }, e.text);
		if (found <= 0)
			continue;
		bytes += record->body.n;
		x->n++;
	}
	return any;
}

static int compare_ids(const void *x, const void *y)
{
	const struct stored_request *a = x, *b = y;

	return a->id < b->id ? -1 : a->id > b->id;
}

/* A file that somebody copied holds the same numbers. */
static bool is_copy(const struct replay *x, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (x->records[k].request == x->records[i].request)
			return true;
	return false;
}

/* Makes items of those that the database does not have. */
static bool choose(struct replay *x, struct err *e)
{
	struct stored_request *known;
	size_t known_n;

	if (!batch_requests_stored(x->g->c.db, x->a, JSON_IDS(x->a, x->records, x->n, request), &known, &known_n, e))
		return false;
	if (known_n)
		qsort(known, known_n, sizeof(*known), compare_ids);
	for (size_t i = 0; i < x->n; i++) {
		struct spool_record *record = &x->records[i];
		struct ingest_item it = item_of(x, record);

		if (is_copy(x, i) || (known_n && bsearch(&record->request, known, known_n, sizeof(*known), compare_ids))) {
			x->sum->known++;
		} else if (is_deadly(x, &it)) {
			tell_bad(x, record, "it was in hand each time a process died");
			spool_mark_bad(x->r, record);
		} else {
			x->items[x->item_n++] = it;
		}
	}
	return true;
}

/* ---- what became of them ---- */

/* The database could not take it now. */
static bool is_left(const struct ingest_work *w)
{
	if (w->stored)
		return false;
	return w->source ? w->item->answer.status != 500 : w->source_unsure;
}

static bool account(struct replay *x, struct err *e)
{
	size_t stored = 0;
	bool left = false;

	for (size_t i = 0; i < x->item_n; i++) {
		const struct ingest_work *w = x->items[i].work;

		if (is_left(w)) {
			left = true;
		} else if (w->stored && !w->refused) {
			stored++;
		} else {
			tell_bad(x, w->item->spooled, w->refusal.reason ? w->refusal.reason : w->refusal.message);
			spool_mark_bad(x->r, w->item->spooled);
		}
	}
	x->sum->stored += stored;
	count(x->g->c.shm, C_SPOOL_REPLAYED, stored);
	return !left || err_set(e, ERR_DOWN, "the database did not take what was spooled");
}

/* One that cannot go is read again by whoever comes next: the database knows its requests by then. */
static void tell_stuck(struct replay *x, const char *name, const struct err *e)
{
	uint64_t files = complaint(&x->g->spool_complaint, 1, x->now);

	x->sum->stuck_files++;
	if (files)
		log_error("a spool file is done with and cannot be removed", LOG_S("file", name), LOG_U("files", files), LOG_ERR(e));
}

static void settle(struct replay *x)
{
	struct spool_settled file;
	struct err e = { 0 };
	int done;

	while ((done = spool_settle(x->r, &file, &e))) {
		if (done < 0) {
			tell_stuck(x, file.name, &e);
			e = (struct err){ 0 };
		} else if (file.bad) {
			x->sum->bad_files++;
			count(x->g->c.shm, C_SPOOL_BAD_FILES, 1);
			log_error("a spool file was damaged or could not be replayed as a whole; it is in the folder bad", LOG_S("file", file.name));
		}
	}
}

int ingest_replay(struct ingest *g, struct spool_reader *r, struct arena *a, ms_t now, struct ingest_replayed *sum, struct err *e)
{
	struct replay x = { .g = g, .r = r, .a = a, .now = now, .sum = sum,
		.records = ARENA_ARRAY(a, struct spool_record, INGEST_BATCH_MAX), .items = ARENA_ARRAY(a, struct ingest_item, INGEST_BATCH_MAX) };
	bool any = gather(&x), ok;

	if (x.n && !choose(&x, e))
		return -1;
	if (x.item_n)
		ingest_keep(g, a, x.items, x.item_n, now);
	ok = account(&x, e);
	arena_reset(g->mapped);		/* where reasons of refusals stood */
	if (ok)
		settle(&x);
	return ok ? any : -1;
}

/* ---- a worker's turn ---- */

static void end(struct ingest *g)
{
	const struct ingest_replayed *sum = &g->replayed;

	if (sum->stored || sum->known || sum->bad)
		log_info("spool replayed", LOG_U("stored", sum->stored), LOG_U("known", sum->known), LOG_U("bad", sum->bad));
	g->replayed = (struct ingest_replayed){ 0 };
	spool_reader_free(g->reader);
	g->reader = NULL;
	arena_free(g->replay_arena);
	g->replay_arena = NULL;
}

static bool step(struct ingest *g, ms_t now)
{
	struct err e = { 0 };
	int more = ingest_replay(g, g->reader, g->replay_arena, now, &g->replayed, &e);

	arena_reset(g->replay_arena);
	if (more < 0) {
		log_warning("the spool waits", LOG_ERR(&e));
		database_failed(g, 0);
	}
	if (more <= 0)
		end(g);
	return more > 0;
}

/* The newest records may stand in files that their owners still write to: each closes its own when it sees the database again. */
bool replay_tick(struct ingest *g, ms_t now)
{
	int64_t now_us = clock_mono_us();
	struct err e = { 0 };
	int found;

	if (g->reader)
		return step(g, now);
	if (now_us - g->looked_us < LOOK_US)
		return false;
	g->looked_us = now_us;
	spool_close(g->c.spool);
	if (g->failed_us && now_us - g->failed_us < SETTLED_US)
		return false;
	found = spool_reader_new(g->c.spool, &g->reader, &e);
	if (found < 0 && complaint(&g->spool_complaint, 1, now))
		log_error("the spool cannot be read", LOG_ERR(&e));
	if (found == 1)
		g->replay_arena = arena_new(ARENA_MAX);
	return found == 1;
}
