/* body.c - what a handler gets. The same bytes at each attempt, so that a handler may compare them. */
#include "grapnel/forward.h"

#include "grapnel/json.h"

#define BODY_MAX (80u << 20)		/* the largest body that is stored, 25 MiB, as base64 or with escapes, and some more */
/* A body that brought several events goes with each of them, but not where that multiplies megabytes (Event Grid: 5,000 events in one). */
#define SHARED_BODY_MAX (256u << 10)

const struct field forward_body_fields[] = {
	FIELD_ID(struct event_view, id, "id", "Our number of the event, also in webhook-id: the same at each attempt"),
	FIELD_STR(struct event_view, event_id, "eventId", "What the provider calls it, or the id derived from its content"),
	FIELD_STR(struct event_view, source_id, "sourceId", "The integration or registration it came in by"),
	FIELD_STR(struct event_view, provider, "provider", "Provider slug"),
	FIELD_STR(struct event_view, event_type, "eventType", "Type as the provider names it"),
	FIELD_STR(struct event_view, entity_type, "entityType", "Kind of thing it is about"),
	FIELD_STR(struct event_view, entity_id, "entityId", "The thing it is about"),
	FIELD_STR(struct event_view, action, "action", "trigger, acknowledge, resolve or ignore"),
	FIELD_STR(struct event_view, severity, "severity", "critical, error, warning or info"),
	FIELD_STR(struct event_view, native_severity, "nativeSeverity", "Severity as received"),
	FIELD_STR(struct event_view, dedup_key, "dedupKey", "Alerts with this key join one incident"),
	FIELD_STR(struct event_view, summary, "summary", "What happened, in a line"),
	FIELD_ID(struct event_view, incident_id, "incidentId", "The incident it opened or joined"),
	FIELD_BOOL(struct event_view, is_test, "isTest", "Test traffic"),
	FIELD_TIME(struct event_view, occurred_at, "occurredAt", "By the clock of the sender"),
	FIELD_TIME(struct event_view, received_at, "receivedAt", "First receipt"),
	FIELD_U64(struct event_view, element, "element", "Its place among the events of its request, from 0"),
	FIELD_END
};

static void put_payload(struct json_out *o, struct arena *a, const struct request_view *rq)
{
	if (rq->id && (rq->event_count <= 1 || rq->body.n <= SHARED_BODY_MAX)) {
		request_payload_json(o, a, rq->body);
		return;
	}
	json_key(o, "payloadEncoding");
	json_null(o);
	json_key(o, "payload");
	json_null(o);
}

struct str forward_body(struct arena *a, const struct event_view *v, const struct request_view *rq)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, BODY_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "event");
	json_strz(&o, "event.received");
	json_fields(&o, forward_body_fields, v);
	json_key(&o, "eventCount");
	json_u64(&o, rq->id ? rq->event_count : 1);
	put_payload(&o, a, rq);
	json_close(&o, '}');
	return b.failed ? STR_NONE : strbuf_str(&b);
}
