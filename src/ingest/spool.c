/* spool.c - stage 6: what was accepted and proven while the database is away is kept on this host's disk, a batch with one fsync,
 * and acknowledged after that. Numbers that were given out go with it, so that a transaction whose COMMIT had no answer is not done twice.
 * A spool that is full or cannot be written: 503, as if there were none. */
#include "ingest_int.h"

/* When the batch began: in its millisecond, since files are named by that. */
static uint64_t received_us(const struct batch *b)
{
	int64_t first = b->now * 1000, at = clock_wall_us() - (clock_mono_us() - b->began_us);

	return (uint64_t)(at < first ? first : at > first + 999 ? first + 999 : at);
}

static struct spool_record record_of(struct batch *b, const struct ingest_work *w)
{
	const struct inbound *in = &w->item->in;
	uint64_t *events = ARENA_ARRAY(b->a, uint64_t, w->plan_n);

	for (size_t i = 0; i < w->plan_n; i++)
		events[i] = w->plans[i].number;
	return (struct spool_record){
		.request = w->request_number,
		.received_at = w->received_at,
		.received_us = received_us(b),
		.status = w->item->answer.status,
		.took_us = work_took_us(w),
		.source = w->source->s.public_id,
		.method = in->method,
		.uri = in->uri,
		.content_type = in->content_type,
		.body = w->raw,
		.remote_addr = w->item->remote_addr,
		.trace = w->item->trace,
		.traceparent = w->item->traceparent,
		.proof = proof_note_text(b->a, &w->proof),
		.headers = in->headers,
		.header_n = in->header_n,
		.events = events,
		.event_n = w->plan_n,
	};
}

static void fail(struct batch *b, size_t n, const struct err *e)
{
	uint64_t failed = complaint(&b->g->spool_complaint, n, b->now);

	if (failed)
		log_error("the spool takes nothing; senders are told to come again", LOG_U("requests", failed), LOG_ERR(e));
	count(b->g->c.shm, C_SPOOL_REFUSED, n);
	for (size_t i = 0; i < b->n; i++)
		if (b->work[i].to_spool)
			work_answer_failed(b->a, &b->work[i], 503);
}

void ingest_spool(struct batch *b)
{
	struct spool_record *records = NULL;
	struct err e = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		if (!b->work[i].to_spool)
			continue;
		if (!records)
			records = ARENA_ARRAY(b->a, struct spool_record, b->n);
		work_answer_spooled(b->a, &b->work[i]);
		records[n++] = record_of(b, &b->work[i]);
	}
	if (!n)
		return;
	if (spool_add(b->g->c.spool, b->a, records, n, b->now, &e))
		count(b->g->c.shm, C_SPOOLED, n);
	else
		fail(b, n, &e);
}
