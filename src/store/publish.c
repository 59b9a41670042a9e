/* publish.c - events for sinks: channels that are told of each event when it is processed.
 *
 * In the transaction that makes it processed, and only where the source's cached row says that somebody of its tenant wants to know: one question which of the
 * events go where, and one statement for all rows. These hold the event's number alone; what is told is read when it is sent (outbound/publication.c). */
#include "store_int.h"

#include "grapnel/json.h"

enum { Q_SINKS };

static const struct stmt stmts[] = {
	[Q_SINKS] = { "publish.sinks",
		"SELECT STRAIGHT_JOIN e.id AS event_id, e.tenant_id, c.id AS channel_id FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) j"
		" JOIN events e ON e.id = j.id JOIN channels c ON c.tenant_id = e.tenant_id AND c.enabled = 1 AND c.events & 8 <> 0 AND c.min_level <= e.level"
		" WHERE e.status = 2 ORDER BY e.id, c.id" },
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

static int by_event(const void *x, const void *y)
{
	uint64_t a = ((const struct published *)x)->event_id, b = ((const struct published *)y)->event_id;

	return (a > b) - (a < b);
}

static struct str payload(struct arena *a, uint64_t event_id, ms_t now)
{
	return notice_payload(a, PUBLISHED_TYPE, arena_printf(a, "{\"event\":{\"id\":\"%llu\"}}", (unsigned long long)event_id), now);
}

bool events_publish(struct db *db, struct arena *a, struct id_maker *ids, struct published *list, size_t n, ms_t now, size_t *told, struct err *e)
{
	struct outbox_row *rows;
	struct pair *pairs;
	size_t k = 0;

	*told = 0;
	if (!n)
		return true;
	qsort(list, n, sizeof(*list), by_event);
	if (!db_query(db, &stmts[Q_SINKS], VALS(V_S(JSON_IDS(a, list, n, event_id))), a, fields, sizeof(*pairs), &pairs, told, e))
		return false;
	rows = ARENA_ARRAY(a, struct outbox_row, *told + 1);
	for (size_t i = 0; i < *told; i++) {
		const struct pair *p = &pairs[i];

		while (k + 1 < n && list[k].event_id < p->event_id)
			k++;
		rows[i] = (struct outbox_row){ .id = id_make(ids, now), .tenant_id = p->tenant_id, .kind = OUTBOX_NOTIFICATION, .target_id = p->channel_id,
			.cause_id = p->event_id, .payload = payload(a, p->event_id, now), .traceparent = list[k].traceparent, .next_at = now, .created_at = now };
	}
	return outbox_add_all(db, a, rows, *told, e);
}
