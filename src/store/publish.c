/* publish.c - events for sinks and endpoints: channels, and programs of users, that are told of each event when it is processed.
 *
 * In the transaction that makes it processed, and only where the source's cached row says that somebody of its tenant wants to know: one question which of the
 * events go where, and one statement for all rows. These hold the event's number alone; what is told is read when it is sent (outbound/publication.c). */
#include "store_int.h"

#include "grapnel/json.h"

enum { Q_SINKS, Q_ENDPOINTS };

static const struct stmt stmts[] = {
	[Q_SINKS] = { "publish.sinks",
		"SELECT STRAIGHT_JOIN e.id AS event_id, e.tenant_id, c.id AS channel_id FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) j"
		" JOIN events e ON e.id = j.id JOIN channels c ON c.tenant_id = e.tenant_id AND c.enabled = 1 AND c.events & 8 <> 0 AND c.min_level <= e.level"
		" WHERE e.status = 2 ORDER BY e.id, c.id" },
	[Q_ENDPOINTS] = { "publish.endpoints",
		"SELECT STRAIGHT_JOIN e.id AS event_id, e.tenant_id, s.provider, e.event_type, p.id AS endpoint_id, p.user_id, p.url, p.retries"
		" FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) j JOIN events e ON e.id = j.id JOIN sources s ON s.id = e.source_id"
		" JOIN endpoints p FORCE INDEX (by_tenant) ON p.tenant_id = e.tenant_id AND p.live = 1 AND p.enabled = 1"
		" JOIN users u ON u.id = p.user_id AND u.enabled = 1 AND (u.tenant_id = p.tenant_id OR u.platform_admin = 1)"
		" WHERE e.status = 2 AND (FIND_IN_SET('event.processed', p.events) OR FIND_IN_SET('event.*', p.events) OR FIND_IN_SET('*', p.events))"
		" ORDER BY e.id, p.id" },
};
const struct stmt_table publish_stmts = { stmts, ARRAY_SIZE(stmts) };

struct pair {
	uint64_t event_id, tenant_id, channel_id;
};

static const struct field fields[] = {
	FIELD_ID(struct pair, event_id, "event_id", ""),
	FIELD_ID(struct pair, tenant_id, "tenant_id", ""),
	FIELD_ID(struct pair, channel_id, "channel_id", ""),
	FIELD_END
};

/* An event and an endpoint that hears of it. */
struct hearer {
	uint64_t event_id;
	struct str provider, event_type;
	struct endpoint endpoint;
};

static const struct field hearer_fields[] = {
	FIELD_ID(struct hearer, event_id, "event_id", ""),
	FIELD_STR(struct hearer, provider, "provider", ""),
	FIELD_STR(struct hearer, event_type, "event_type", ""),
	FIELD_ID(struct hearer, endpoint.tenant_id, "tenant_id", ""),
	FIELD_ID(struct hearer, endpoint.id, "endpoint_id", ""),
	FIELD_ID(struct hearer, endpoint.user_id, "user_id", ""),
	FIELD_STR(struct hearer, endpoint.url, "url", ""),
	FIELD_BOOL(struct hearer, endpoint.retries, "retries", ""),
	FIELD_END
};

static int by_event(const void *x, const void *y)
{
	uint64_t a = ((const struct published *)x)->event_id, b = ((const struct published *)y)->event_id;

	return (a > b) - (a < b);
}

static struct str reference(struct arena *a, uint64_t event_id)
{
	return arena_printf(a, "{\"event\":{\"id\":\"%llu\"}}", (unsigned long long)event_id);
}

/* Of both lists, which are sorted by event: the place of that one, from *k on. */
static struct str trace_of(const struct published *list, size_t n, uint64_t event_id, size_t *k)
{
	while (*k + 1 < n && list[*k].event_id < event_id)
		++*k;
	return list[*k].traceparent;
}

static bool to_sinks(struct db *db, struct arena *a, struct id_maker *ids, const struct published *list, size_t n, ms_t now, size_t *told, struct err *e)
{
	struct outbox_row *rows;
	struct pair *pairs;
	size_t k = 0;

	if (!db_query(db, &stmts[Q_SINKS], VALS(V_S(JSON_IDS(a, list, n, event_id))), a, fields, sizeof(*pairs), &pairs, told, e))
		return false;
	rows = ARENA_ARRAY(a, struct outbox_row, *told + 1);
	for (size_t i = 0; i < *told; i++) {
		const struct pair *p = &pairs[i];

		rows[i] = (struct outbox_row){ .id = id_make(ids, now), .tenant_id = p->tenant_id, .kind = OUTBOX_NOTIFICATION, .target_id = p->channel_id,
			.cause_id = p->event_id, .payload = notice_payload(a, PUBLISHED_TYPE, reference(a, p->event_id), now),
			.traceparent = trace_of(list, n, p->event_id, &k), .next_at = now, .created_at = now };
	}
	return outbox_add_all(db, a, rows, *told, e);
}

static bool to_endpoints(struct db *db, struct arena *a, struct id_maker *ids, const struct published *list, size_t n, ms_t now, size_t *told, struct err *e)
{
	struct endpoint_delivery *deliveries;
	struct hearer *hearers;
	size_t k = 0;

	if (!db_query(db, &stmts[Q_ENDPOINTS], VALS(V_S(JSON_IDS(a, list, n, event_id))), a, hearer_fields, sizeof(*hearers), &hearers, told, e))
		return false;
	deliveries = ARENA_ARRAY(a, struct endpoint_delivery, *told + 1);
	for (size_t i = 0; i < *told; i++) {
		const struct hearer *h = &hearers[i];

		deliveries[i] = (struct endpoint_delivery){ h->endpoint, { .tenant_id = h->endpoint.tenant_id, .cause_id = h->event_id, .event = PUBLISHED_EVENT,
			.body = endpoint_body(a, PUBLISHED_EVENT, h->event_id, reference(a, h->event_id), now), .traceparent = trace_of(list, n, h->event_id, &k),
			.summary = arena_printf(a, "%.*s: %.*s", STR_ARG(h->provider), STR_ARG(h->event_type)) } };
	}
	return endpoint_deliver_all(db, a, ids, deliveries, *told, now, e);
}

bool events_publish(struct db *db, struct arena *a, struct id_maker *ids, struct published *list, size_t n, ms_t now, size_t *told, struct err *e)
{
	size_t sinks = 0, endpoints = 0;

	*told = 0;
	if (!n)
		return true;
	qsort(list, n, sizeof(*list), by_event);
	if (!to_sinks(db, a, ids, list, n, now, &sinks, e) || !to_endpoints(db, a, ids, list, n, now, &endpoints, e))
		return false;
	*told = sinks + endpoints;
	return true;
}
