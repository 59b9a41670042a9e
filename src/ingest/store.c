/* store.c - stage 5: the transaction. Claim the event ids, lock the keys, decide, write, commit: one for the whole batch.
 *
 * What can go wrong decides what follows. A conflict: the whole again, three times. Refused data: each request alone, so that one
 * bad body costs nobody else. A connection lost before COMMIT: nothing was written, once more. Lost after COMMIT was sent: our own
 * request number tells whether it is there; the answers are in memory already. Nobody is told "accepted" before the commit. What the
 * database cannot take now goes to the spool, with the numbers it was given: see spool.c. */
#include <unistd.h>

#include "ingest_int.h"

#define CONFLICT_RETRIES 3
#define AGAIN_UNTIL_US 10000000	/* of the batch: two lock waits; */
#define SINGLY_UNTIL_US 20000000	/* and two more for single requests */
#define JITTER_US 4000		/* two workers that collide part again within a few transactions' time */

/* ---- event ids ---- */

struct claim_ref {
	struct ingest_work *w;
	struct plan *p;
	size_t seq;
};

static int compare_claims(const void *x, const void *y)
{
	const struct claim_ref *a = x, *b = y;
	uint64_t sa = a->w->source->s.id, sb = b->w->source->s.id;
	int c = sa < sb ? -1 : sa > sb ? 1 : memcmp(a->p->id_hash, b->p->id_hash, KEY_HASH_BYTES);

	return c ? c : a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* All events of the range that have an id, in the order of their locks; what an earlier attempt found is forgotten. */
static struct claim_ref *collect(struct batch *b, size_t from, size_t to, size_t *n)
{
	size_t max = 0;
	struct claim_ref *refs;

	for (size_t i = from; i < to; i++)
		max += b->work[i].plan_n;
	refs = ARENA_ARRAY(b->a, struct claim_ref, max);
	*n = 0;
	for (size_t i = from; i < to; i++) {
		struct ingest_work *w = &b->work[i];

		for (size_t k = 0; k < w->plan_n && !w->refused; k++) {
			struct plan *p = &w->plans[k];

			p->known = p->again = false;
			p->twin = NULL;
			p->change = (struct incident_change){ 0 };
			p->incident = p->alert = 0;
			p->incident_status = INCIDENT_NONE;
			if (p->ev->invalid)
				continue;
			refs[*n] = (struct claim_ref){ w, p, *n };
			(*n)++;
		}
	}
	if (*n)
		qsort(refs, *n, sizeof(*refs), compare_claims);
	return refs;
}

static int compare_repeated(const void *x, const void *y)
{
	const struct repeated *a = x, *b = y;

	return a->id < b->id ? -1 : a->id > b->id;
}

/* What is stored of the repeats; an event that was cleaned away counts as processed. */
static bool read_repeats(struct batch *b, struct claim_ref *refs, size_t n, struct err *e)
{
	struct repeated *found;
	size_t found_n;
	struct strbuf text;
	struct json_out o;

	strbuf_init(&text, b->a, 32 * n + 16);
	json_out_init(&o, &text);
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		if (refs[i].p->known)
			json_u64(&o, refs[i].p->before.id);
	json_close(&o, ']');
	if (!batch_repeated(b->g->c.db, b->a, strbuf_str(&text), &found, &found_n, e))
		return false;
	if (found_n)
		qsort(found, found_n, sizeof(*found), compare_repeated);
	for (size_t i = 0; i < n; i++) {
		struct repeated *before = &refs[i].p->before, *hit;

		if (!refs[i].p->known)
			continue;
		hit = found_n ? bsearch(before, found, found_n, sizeof(*found), compare_repeated) : NULL;
		if (hit)
			*before = *hit;
		else
			before->status = EVENT_PROCESSED;
	}
	return true;
}

/* Equal ids stand side by side: the first that came holds the id, the others are its twins. */
static bool settle_claims(struct batch *b, struct claim_ref *refs, const struct id_claim *claims, size_t n, struct err *e)
{
	const struct plan *holder = NULL;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		struct plan *p = refs[i].p;

		if (claims[i].kept == p->number) {
			holder = p;
		} else if (holder && claims[i].kept == holder->number) {
			p->twin = holder;
		} else {
			p->known = any = true;
			p->before = (struct repeated){ .id = claims[i].kept };
		}
	}
	return !any || read_repeats(b, refs, n, e);
}

static bool claim(struct batch *b, size_t from, size_t to, struct err *e)
{
	size_t n;
	struct claim_ref *refs = collect(b, from, to, &n);
	struct id_claim *claims = ARENA_ARRAY(b->a, struct id_claim, n);

	for (size_t i = 0; i < n; i++)
		claims[i] = (struct id_claim){
			.source_id = refs[i].w->source->s.id,
			.id_hash = refs[i].p->id_hash,
			.event_id = refs[i].p->number,
			.native = refs[i].p->ev->native_id,
			.received_at = refs[i].w->received_at,
		};
	return !n || (batch_claim_ids(b->g->c.db, b->a, claims, n, INGEST_DERIVED_MS, e)
		&& settle_claims(b, refs, claims, n, e));
}

/* ---- rows ---- */

static uint64_t stored_event(const struct plan *p)
{
	return p->twin ? p->twin->number : p->known ? p->before.id : p->number;
}

bool work_repeats(const struct ingest_work *w)
{
	for (size_t i = 0; i < w->plan_n; i++)
		if (w->plans[i].ev->invalid || (!w->plans[i].known && !w->plans[i].twin))
			return false;
	return w->plan_n > 0;
}

uint64_t work_took_us(const struct ingest_work *w)
{
	return w->item->spooled ? w->item->spooled->took_us : (uint64_t)(clock_mono_us() - w->item->began_us);
}

static struct request_row request_row(struct batch *b, const struct ingest_work *w)
{
	const struct inbound *in = &w->item->in;
	bool repeated = work_repeats(w);

	return (struct request_row){
		.id = w->request_number,
		.tenant_id = w->source->s.tenant_id,
		.source_id = w->source->s.id,
		.status = w->item->spooled && !w->refused ? w->item->spooled->status : w->item->answer.status,
		.reason = !w->refused ? NULL : w->refusal.reason ? w->refusal.reason : w->refusal.message,
		.method = str_cut(in->method, 10),
		.uri = record_uri(b->a, in->uri),
		.remote_addr = str_cut(w->item->remote_addr, 45),
		.trace = str_cut(w->item->trace, 64),
		.traceparent = str_cut(w->item->traceparent, 55),
		.headers = record_headers(b->a, in),
		.body = record_body(b->a, w),
		.body_bytes = w->raw.n,
		.duration_us = work_took_us(w),
		.event_count = w->plan_n,
		.event_id = w->plan_n ? stored_event(&w->plans[0]) : 0,
		.is_duplicate = repeated,
		.stages = record_stages(b, w, repeated),
		.proof = str_cut(proof_note_text(b->a, &w->proof), PROOF_NOTE_MAX),
		.is_test = w->item->is_test,
	};
}

static bool write_requests(struct batch *b, size_t from, size_t to, struct err *e)
{
	struct request_row *rows = ARENA_ARRAY(b->a, struct request_row, to - from);
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		if (b->work[i].record)
			rows[n++] = request_row(b, &b->work[i]);
	return batch_insert_requests(b->g->c.db, b->a, rows, n, e) && batch_insert_marks(b->g->c.db, b->a, rows, n, e);
}

enum event_status event_status_at_once(const struct ingest_work *w, const struct event *ev)
{
	uint64_t actions = w->source->s.actions;

	if (w->answered)	/* a handshake */
		return EVENT_IGNORED;
	if (actions & ~(uint64_t)DO_AT_ONCE)
		return EVENT_PENDING;
	return ev->action == ACTION_IGNORE && !(actions & DO_RECORD) ? EVENT_IGNORED : EVENT_PROCESSED;
}

static bool write_events(struct batch *b, size_t from, size_t to, struct err *e)
{
	struct event_row *rows;
	size_t max = 0, n = 0;

	for (size_t i = from; i < to; i++)
		max += b->work[i].plan_n;
	rows = ARENA_ARRAY(b->a, struct event_row, max);
	for (size_t i = from; i < to; i++) {
		const struct ingest_work *w = &b->work[i];

		for (size_t k = 0; k < w->plan_n && !w->refused; k++) {
			const struct plan *p = &w->plans[k];
			enum event_status status;

			if (p->ev->invalid || p->known || p->twin)
				continue;
			status = event_status_at_once(w, p->ev);
			rows[n++] = (struct event_row){
				.id = p->number,
				.tenant_id = w->source->s.tenant_id,
				.source_id = w->source->s.id,
				.request_id = w->request_number,
				.element = k,
				.incident_id = p->incident,
				.done = w->source->s.actions & DO_AT_ONCE,
				.attempts = status != EVENT_PENDING,
				.ev = p->ev,
				.status = status,
				.is_test = w->item->is_test,
				.received_at = w->received_at,
				.processed_at = status == EVENT_PENDING ? 0 : b->now,
			};
		}
	}
	return batch_insert_events(b->g->c.db, b->a, rows, n, e);
}

/* Nothing of it where nobody wants to know, which the cached source says. */
static bool publish(struct batch *b, size_t from, size_t to, struct err *e)
{
	struct published *list;
	size_t max = 0, n = 0, told;

	for (size_t i = from; i < to; i++)
		if (b->work[i].source && b->work[i].source->s.told & CHANNEL_PROCESSED)
			max += b->work[i].plan_n;
	if (!max)
		return true;
	list = ARENA_ARRAY(b->a, struct published, max);
	for (size_t i = from; i < to; i++) {
		const struct ingest_work *w = &b->work[i];

		for (size_t k = 0; k < w->plan_n && !w->refused && !w->item->is_quiet && w->source->s.told & CHANNEL_PROCESSED; k++) {
			const struct plan *p = &w->plans[k];

			if (!p->ev->invalid && !p->known && !p->twin && event_status_at_once(w, p->ev) == EVENT_PROCESSED)
				list[n++] = (struct published){ p->number, trace_of_effect(b->a, w) };
		}
	}
	if (!events_publish(b->g->c.db, b->a, b->g->c.ids, list, n, b->now, &told, e))
		return false;
	b->to_send |= told > 0;
	return true;
}

static void add_stats(struct stats_row *s, const struct ingest_work *w)
{
	s->received++;
	s->repeated += work_repeats(w);
	if (w->item->is_test) {
		s->tests++;
	} else {
		s->errors += w->item->answer.status >= 400;
		s->latency_us += work_took_us(w);
		if (!w->refused && w->received_at > s->heard_at)
			s->heard_at = w->received_at;
	}
	for (size_t k = 0; k < w->plan_n && !w->refused; k++) {
		const struct plan *p = &w->plans[k];

		s->repeats += p->known || p->twin;
		s->events += !p->ev->invalid && !p->known && !p->twin;
		s->alerts += p->change.alert;
	}
}

/* Sources in rising order, so that this last lock has an order too (a worker shares its rows with nobody, but is restarted). */
static int compare_stats(const void *x, const void *y)
{
	const struct stats_row *a = x, *b = y;

	return a->source_id < b->source_id ? -1 : a->source_id > b->source_id;
}

static bool write_stats(struct batch *b, size_t from, size_t to, struct err *e)
{
	struct stats_row *rows = ARENA_ARRAY(b->a, struct stats_row, to - from);
	size_t n = 0;

	for (size_t i = from; i < to; i++) {
		const struct ingest_work *w = &b->work[i];
		size_t k = 0;

		if (!w->source || w->challenged)
			continue;
		while (k < n && rows[k].source_id != w->source->s.id)
			k++;
		if (k == n)
			rows[n++] = (struct stats_row){ .source_id = w->source->s.id };
		add_stats(&rows[k], w);
	}
	if (n)
		qsort(rows, n, sizeof(*rows), compare_stats);
	return batch_add_stats(b->g->c.db, b->a, rows, n, b->g->c.ids->worker, b->now, e);
}

/* ---- the transaction ---- */

static bool write_range(struct batch *b, size_t from, size_t to, struct err *e)
{
	struct db *db = b->g->c.db;
	struct decided d;
	size_t key_n, more_n;
	struct key_lock *keys, *more;

	if (!claim(b, from, to, e))
		return false;
	batch_done(b, STAGE_DEDUPLICATED, from, to);
	keys = decide_keys(b, from, to, &key_n);
	if (key_n && !batch_lock_keys(db, b->a, keys, key_n, e))
		return false;
	if (!merged_follow(b, keys, key_n, &more, &more_n, e))
		return false;
	decide(b, from, to, keys, key_n, &d);
	batch_done(b, STAGE_ACTED, from, to);
	b->to_send |= d.news_n > 0;
	if (!write_forwards(b, from, to, e))
		return false;
	for (size_t i = from; i < to; i++)
		work_answer(b->a, &b->work[i]);
	return write_events(b, from, to, e)
		&& publish(b, from, to, e)
		&& batch_write_incidents(db, b->a, d.incidents, d.incident_n, b->now, e)
		&& batch_insert_alerts(db, b->a, d.alerts, d.alert_n, e)
		&& batch_insert_timeline(db, b->a, d.timeline, d.timeline_n, e)
		&& news_add(db, b->a, d.news, d.news_n, e)
		&& batch_write_keys(db, b->a, keys, key_n, e)
		&& batch_write_keys(db, b->a, more, more_n, e)
		&& write_effects(b, from, to, e)
		&& write_requests(b, from, to, e)	/* their durations are told as late as can be */
		&& write_stats(b, from, to, e)
		&& write_tallies(b, from, to, e);
}

static bool try_range(struct batch *b, size_t from, size_t to, struct err *e)
{
	struct db *db = b->g->c.db;

	b->changed_sources = b->to_send = false;
	if (!db_begin(db, e))
		return false;
	if (write_range(b, from, to, e))
		return db_commit_and_begin(db, e);
	db_rollback(db);
	return false;
}

/* COMMIT was sent and the connection lost. The transaction is whole or nothing, so one of its rows speaks for all; the locking read
 * waits until a commit that is still under way has ended. */
static int committed_after_all(struct batch *b, size_t from, size_t to, struct err *e)
{
	for (size_t i = from; i < to; i++)
		if (b->work[i].record)
			return batch_request_exists(b->g->c.db, b->a, b->work[i].request_number, e);
	return 0;
}

/* A row that somebody else keeps locked costs 5 s for each try, and a batch may hold 32 requests for it:
 * it must end before senders and web servers give up. */
static bool is_late(const struct batch *b, int64_t after_us)
{
	return clock_mono_us() - b->began_us > after_us;
}

enum next_step { STORED, AGAIN, SINGLY, GIVE_UP };

static enum next_step after_failure(struct batch *b, size_t from, size_t to, unsigned attempt, bool unknown)
{
	struct err e = { 0 };
	int there;

	switch (db_trouble(b->g->c.db)) {
	case DB_CONFLICT:
		if (attempt >= CONFLICT_RETRIES || is_late(b, AGAIN_UNTIL_US))
			return SINGLY;
		count(b->g->c.shm, C_BATCH_RETRIES, 1);
		usleep((useconds_t)(clock_mono_us() % JITTER_US) * (attempt + 1));
		return AGAIN;
	case DB_LOST:
		there = unknown ? committed_after_all(b, from, to, &e) : 0;
		if (there)
			return there > 0 ? STORED : GIVE_UP;
		return attempt == 0 && !is_late(b, AGAIN_UNTIL_US) ? AGAIN : GIVE_UP;
	case DB_DATA:
	case DB_DUPLICATE:
		return SINGLY;
	case DB_FINE:
	case DB_OTHER:
		break;
	}
	return GIVE_UP;
}

/* What was accepted and proven, and may be stored later. */
static bool can_wait(const struct batch *b, const struct ingest_work *w, const struct err *e)
{
	return b->g->c.spool && e->code != ERR_INVALID && w->source && !w->refused && !w->item->is_test && !w->item->spooled;
}

static void tell_failure(struct batch *b, size_t from, size_t to, const struct err *e)
{
	uint64_t failed = complaint(&b->g->database_complaint, to - from, b->now);

	if (failed && b->g->c.spool && e->code != ERR_INVALID)
		log_warning("the database takes no events; they go to the spool", LOG_U("requests", failed), LOG_ERR(e));
	else if (failed)
		log_error("events could not be stored", LOG_U("requests", failed),
			LOG_STR("request", b->work[from].item->trace), LOG_ERR(e));
}

static void fail_range(struct batch *b, size_t from, size_t to, const struct err *e)
{
	bool bad_data = e->code == ERR_INVALID;

	tell_failure(b, from, to, e);
	for (size_t i = from; i < to; i++) {
		struct ingest_work *w = &b->work[i];

		if (work_asks(w) || (w->refused && w->refusal.status < 500))	/* only its record is lost */
			work_answer(b->a, w);
		else if (can_wait(b, w, e))
			w->to_spool = true;
		else
			work_answer_failed(b->a, w, bad_data ? 500 : 503);
	}
}

/* What anybody may cause, a refused request or a question, is kept for the first thousand of a source and hour; one for an unknown
 * source never. */
static bool is_kept(struct batch *b, const struct ingest_work *w)
{
	if (!w->source)
		return false;
	return (!w->refused && !work_asks(w)) || hourly_take(b->g->c.shm, w->source->rate_key, INGEST_REFUSED_PER_HOUR, b->now);
}

/* One request alone, and the database refuses its data (most likely a body beyond max_allowed_packet): it
 * is refused, and as such it can be kept. False: it was that already, or something else is wrong. */
static bool refuse_unstorable(struct batch *b, struct ingest_work *w, const struct err *e)
{
	if (w->refused || e->code != ERR_INVALID)
		return false;
	log_error("a request could not be stored", LOG_STR("source", w->source->s.public_id),
		LOG_STR("request", w->item->trace), LOG_ERR(e));
	work_answer_failed(b->a, w, 500);
	w->refusal.reason = arena_cstr(b->a, str_cut(str_of(e->text), 255));
	w->plan_n = 0;
	w->record = is_kept(b, w);
	return true;
}

static void store_range(struct batch *b, size_t from, size_t to)
{
	int64_t began_us = clock_mono_us();

	for (unsigned attempt = 0;; attempt++) {
		struct err e = { 0 };
		enum next_step next = STORED;

		if (!try_range(b, from, to, &e))
			next = after_failure(b, from, to, attempt, e.code == ERR_UNKNOWN);
		if (next == AGAIN)
			continue;
		for (size_t i = from; i < to; i++)
			b->work[i].stored = next == STORED;
		settle_forwards(b, from, to);
		if (next == STORED) {
			if (b->changed_sources)
				shm_generation_bump(b->g->c.shm);
			if (b->to_send)
				bell_ring(b->g->c.shm);
		} else if (next == SINGLY && to - from > 1) {
			count(b->g->c.shm, C_BATCH_SINGLES, 1);
			for (; from < to && !is_late(b, SINGLY_UNTIL_US); from++)
				store_range(b, from, from + 1);
			if (from < to)
				fail_range(b, from, to, &e);
		} else if (to - from == 1 && refuse_unstorable(b, &b->work[from], &e)) {
			store_range(b, from, to);
		} else {
			if (next == GIVE_UP)
				database_failed(b->g, clock_mono_us() - began_us);
			fail_range(b, from, to, &e);
		}
		return;
	}
}

static void store_or_wait(struct batch *b, size_t from, size_t to)
{
	struct err e = { 0 };

	if (!database_avoided(b->g)) {
		store_range(b, from, to);
		return;
	}
	err_set(&e, ERR_DOWN, "the database made others wait in vain; it is left alone for a moment");
	fail_range(b, from, to, &e);
}

void ingest_store(struct batch *b)
{
	size_t from = 0, events = 0;
	bool any = false;

	for (size_t i = 0; i < b->n; i++) {
		struct ingest_work *w = &b->work[i];

		w->record = is_kept(b, w);
		if (i > from && events + w->plan_n > b->g->c.events_max) {
			store_or_wait(b, from, i);
			from = i;
			events = 0;
			any = false;
		}
		events += w->plan_n;
		any |= w->source != NULL;
		if (!w->source)
			work_answer(b->a, w);
	}
	if (any)
		store_or_wait(b, from, b->n);
}
