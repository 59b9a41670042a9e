/* counters.c - what /metrics shows. A counter is a line here and one in enum counter; the names are Prometheus', without
 * the common prefix. */
#include "shm_int.h"

#include <assert.h>

static const struct {
	const char *name, *help;
} table[] = {
	[C_REQUESTS] = { "requests_total", "Inbound requests of any outcome." },
	[C_REQUESTS_2XX] = { "requests_2xx_total", "Inbound requests answered with 2xx." },
	[C_REQUESTS_4XX] = { "requests_4xx_total", "Inbound requests answered with 4xx." },
	[C_REQUESTS_5XX] = { "requests_5xx_total", "Inbound requests answered with 5xx." },
	[C_REFUSED_UNKNOWN] = { "refused_unknown_total", "Requests for a source that does not exist; never stored." },
	[C_REFUSED_RATE] = { "refused_rate_total", "Requests over a rate limit." },
	[C_REFUSED_PROOF] = { "refused_proof_total", "Requests whose key or signature was wrong." },
	[C_REFUSED_BODY] = { "refused_body_total", "Requests whose body was too large or could not be read." },
	[C_EVENTS] = { "events_total", "Events stored." },
	[C_EVENTS_REPEATED] = { "events_repeated_total", "Events that had been stored before." },
	[C_EVENTS_INVALID] = { "events_invalid_total", "Elements of a request that could not be mapped." },
	[C_INCIDENTS_OPENED] = { "incidents_opened_total", "Incidents opened by events." },
	[C_INCIDENTS_RESOLVED] = { "incidents_resolved_total", "Incidents resolved by events." },
	[C_BATCHES] = { "batches_total", "Transactions that stored one or more requests." },
	[C_BATCH_RETRIES] = { "batch_retries_total", "Batches run again after a deadlock or conflict." },
	[C_BATCH_SINGLES] = { "batch_singles_total", "Batches taken apart into single requests." },
	[C_CACHE_HITS] = { "cache_hits_total", "Sources found in a worker's cache." },
	[C_CACHE_MISSES] = { "cache_misses_total", "Sources read from the database." },
	[C_CONNECTIONS] = { "connections_total", "FastCGI connections accepted by ingest workers." },
	[C_CONNECTIONS_EXPIRED] = { "connections_expired_total", "Connections ended because the request did not become whole." },
	[C_CONNECTIONS_PASSED] = { "connections_passed_total", "Connections handed to the web workers." },
	[C_CONNECTIONS_BAD] = { "connections_bad_total", "Connections that did not speak FastCGI." },
	[C_WORKER_DEATHS] = { "worker_deaths_total", "Worker processes that ended unasked." },
	[C_DB_RECONNECTS] = { "db_reconnects_total", "Connections to the database made again." },
	[C_API_REQUESTS] = { "api_requests_total", "Requests to the API and its pages." },
	[C_KEY_FETCHES] = { "key_fetches_total", "Certificates and key sets asked for at their hosts." },
	[C_KEY_FETCHES_FAILED] = { "key_fetches_failed_total", "Of these: not answered, or not with what was wanted." },
	[C_FORWARDS] = { "forwards_total", "Events that their handler took." },
	[C_FORWARDS_FAILED] = { "forwards_failed_total", "Attempts that a handler did not take, and that are made again." },
	[C_FORWARDS_DEAD] = { "forwards_dead_total", "Events given up after their last attempt." },
	[C_SPOOLED] = { "spooled_total", "Requests acknowledged and kept in the spool while the database was away." },
	[C_SPOOL_REFUSED] = { "spool_refused_total", "Requests that the spool did not take: it was full, or could not be written." },
	[C_SPOOL_REPLAYED] = { "spool_replayed_total", "Requests of the spool that were stored later." },
	[C_SPOOL_BAD] = { "spool_bad_total", "Requests of the spool that could not be read or stored." },
	[C_SPOOL_BAD_FILES] = { "spool_bad_files_total", "Files of the spool that moved to its folder bad." },
	[C_MESSAGES] = { "messages_total", "Messages of the outbox that were taken." },
	[C_MESSAGES_FAILED] = { "messages_failed_total", "Attempts that failed and are made again." },
	[C_MESSAGES_DEAD] = { "messages_dead_total", "Messages that were given up." },
	[C_SPANS] = { "spans_total", "Spans made for the OpenTelemetry collector." },
	[C_SPANS_SENT] = { "spans_sent_total", "Of these: taken by the collector." },
	[C_SPANS_DROPPED] = { "spans_dropped_total", "Of these: lost for want of room, or since the collector did not take them in time." },
	[C_SPANS_REJECTED] = { "spans_rejected_total", "Of these: refused by a collector that took the others." },
	[C_INGEST_US] = { "ingest_microseconds_total", "Time from receipt to answer, summed over inbound requests." },
};

_Static_assert(ARRAY_SIZE(table) == COUNTER_COUNT, "every counter needs a name");

void count(struct shm *s, enum counter c, uint64_t by)
{
	atomic_fetch_add_explicit(&s->f->counters[c], by, memory_order_relaxed);
}

uint64_t counter_read(const struct shm *s, enum counter c)
{
	return atomic_load_explicit(&s->f->counters[c], memory_order_relaxed);
}

const char *counter_name(enum counter c)
{
	assert(c < COUNTER_COUNT);
	return table[c].name;
}

const char *counter_help(enum counter c)
{
	assert(c < COUNTER_COUNT);
	return table[c].help;
}
