/* publication.c - what tells a sink or an endpoint of an event: read when it is sent, so that what ingest writes of it stays small. */
#include "grapnel/json.h"
#include "grapnel/view.h"

#include "outbound_int.h"

#define DATA_MAX (128 * 1024)	/* an event's fields are bounded: some KiB, escaped */

/* "charge.refunded" is refunded, of the entity charge. */
static struct str last_part(struct str type)
{
	for (size_t i = type.n; i; i--)
		if (type.p[i - 1] == '.')
			return str_sub(type, i);
	return type;
}

static void put_webhook(struct json_out *o, const struct parcel *p, const struct source *s)
{
	struct integration_view v;

	json_key(o, "webhook");
	if (!s) {
		json_null(o);
		return;
	}
	integration_view_fill(p->round->arena, s, courier_config(p->round->courier)->house.public_url, &v);
	json_open(o, '{');
	json_fields(o, integration_view_fields, &v);
	json_close(o, '}');
}

static struct str data_of(const struct parcel *p, struct event_view *event, const struct source *s)
{
	struct json_out o;
	struct strbuf b;

	event->event_type = last_part(event->event_type);
	strbuf_init(&b, p->round->arena, DATA_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	put_webhook(&o, p, s);
	json_key(&o, "event");
	json_open(&o, '{');
	json_fields(&o, event_view_fields, event);
	json_close(&o, '}');
	json_key(&o, "syncTriggered");
	json_bool(&o, false);	/* events start no sync task: there are none */
	json_close(&o, '}');
	return strbuf_str(&b);
}

/* 1; 0 with p->refusal; -1. */
static int read_data(struct parcel *p, const struct json *payload, uint64_t *id, struct str *out, struct err *e)
{
	struct db *db = courier_config(p->round->courier)->db;
	struct arena *a = p->round->arena;
	struct request_view request;
	struct event_view event;
	struct source source;
	int found = 0;

	if (str_u64(json_text(json_at(payload, STR("/data/event/id"))), id))
		found = event_view_received(db, a, *id, &event, &request, e);
	if (found == 0)
		p->refusal = STR("The event was cleaned up.");
	if (found != 1)
		return found;
	found = source_get(db, a, (uint32_t)p->row.tenant_id, event.source_id, p->row.created_at, &source, e);
	if (found < 0)
		return -1;
	*out = data_of(p, &event, found ? &source : NULL);
	return 1;
}

bool publication_open(struct parcel *p, const struct json *payload, struct err *e)
{
	struct str data;
	uint64_t id = 0;
	int found = read_data(p, payload, &id, &data, e);

	if (found == 1)
		p->row.payload = notice_payload(p->round->arena, PUBLISHED_TYPE, data, p->row.created_at);
	return found >= 0;
}

bool publication_open_delivery(struct parcel *p, const struct json *payload, struct err *e)
{
	struct str data;
	uint64_t id = 0;
	int found = read_data(p, payload, &id, &data, e);

	if (found == 1)
		p->row.payload = endpoint_body(p->round->arena, PUBLISHED_EVENT, id, data, p->row.created_at);
	return found >= 0;
}
