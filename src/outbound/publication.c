/* publication.c - what tells a sink or an endpoint of an event: read when it is sent, so that what ingest writes of it stays small; all events of a round at
 * once, and then their sources. */
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

static struct str data_of(const struct parcel *p, const struct event_view *ev, const struct source *s)
{
	struct event_view event = *ev;
	struct json_out o;
	struct strbuf b;

	event.event_type = last_part(event.event_type);
	strbuf_init(&b, p->round->arena, DATA_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	put_webhook(&o, p, s);
	json_key(&o, "event");
	json_open(&o, '{');
	json_fields(&o, event_view_fields, &event);
	json_close(&o, '}');
	json_key(&o, "syncTriggered");
	json_bool(&o, false);	/* events start no sync task: there are none */
	json_close(&o, '}');
	return strbuf_str(&b);
}

/* What the parcels of a round say of events that is not in them. */
struct reading {
	struct parcel **parcels;	/* those that say only which event it is */
	uint64_t *ids;			/* which, for each of these */
	size_t n;
	struct event_view *events;
	struct source *sources;
	size_t event_n, source_n;
};

static void collect(struct round *r, const char *key, const char *word, struct reading *x)
{
	x->parcels = ARENA_ARRAY(r->arena, struct parcel *, r->n);
	x->ids = ARENA_ARRAY(r->arena, uint64_t, r->n);
	for (size_t i = 0; i < r->n; i++) {
		const struct json *payload;
		struct err unreadable = { 0 };

		if (!json_parse(r->arena, r->parcels[i].row.payload, &payload, &unreadable) || !str_eqs(json_text(json_get(payload, key)), word))
			continue;
		if (!str_u64(json_text(json_at(payload, STR("/data/event/id"))), &x->ids[x->n]))
			x->ids[x->n] = 0;
		x->parcels[x->n++] = &r->parcels[i];
	}
}

static const struct event_view *event_of(const struct reading *x, uint64_t id)
{
	for (size_t i = 0; i < x->event_n; i++)
		if (x->events[i].id == id)
			return &x->events[i];
	return NULL;
}

static const struct source *source_of(const struct reading *x, uint64_t id)
{
	for (size_t i = 0; i < x->source_n; i++)
		if (x->sources[i].id == id)
			return &x->sources[i];
	return NULL;
}

static struct str payload_of(const struct parcel *p, uint64_t id, struct str data)
{
	struct arena *a = p->round->arena;

	return p->row.kind == OUTBOX_DELIVERY ? endpoint_body(a, PUBLISHED_EVENT, id, data, p->row.created_at) :
		notice_payload(a, PUBLISHED_TYPE, data, p->row.created_at);
}

bool publications_open(struct round *r, const char *key, const char *word, struct err *e)
{
	struct db *db = courier_config(r->courier)->db;
	struct arena *a = r->arena;
	struct reading x = { 0 };

	collect(r, key, word, &x);
	if (!x.n)
		return true;
	if (!event_view_some(db, a, json_ids(a, x.ids, sizeof(*x.ids), 0, x.n), &x.events, &x.event_n, e) ||
		!sources_by_ids(db, a, JSON_IDS(a, x.events, x.event_n, source_row), x.parcels[0]->row.created_at, &x.sources, &x.source_n, e))
		return false;
	for (size_t i = 0; i < x.n; i++) {
		struct parcel *p = x.parcels[i];
		const struct event_view *event = event_of(&x, x.ids[i]);

		if (event)
			p->row.payload = payload_of(p, event->id, data_of(p, event, source_of(&x, event->source_row)));
		else
			p->refusal = STR("The event was cleaned up.");
	}
	return true;
}
