/* events.c - /api/events. */
#include "api_int.h"

/* Unified words and what they stand for in a filter. */
static const struct form_word status_words[] = {
	{ "pending", 1 << EVENT_PENDING },
	{ "processing", 1 << EVENT_PROCESSING },
	{ "processed", 1 << EVENT_PROCESSED },
	{ "failed", 1 << EVENT_FAILED },
	{ "dead", 1 << EVENT_DEAD },
	{ "ignored", 1 << EVENT_IGNORED },
	{ 0 }
};

static const struct form_word processed_words[] = {
	{ "true", 1 << EVENT_PROCESSED | 1 << EVENT_IGNORED },
	{ "false",
		1 << EVENT_PENDING | 1 << EVENT_PROCESSING | 1 << EVENT_FAILED | 1 << EVENT_DEAD },
	{ 0 }
};

static const struct form_word severity_words[] = {
	{ "critical", 1 << SEVERITY_CRITICAL },
	{ "error", 1 << SEVERITY_ERROR },
	{ "warning", 1 << SEVERITY_WARNING },
	{ "info", 1 << SEVERITY_INFO },
	{ 0 }
};

struct event_query {
	struct event_filter f;
	uint64_t processed;	/* bits of statuses, as processed_words */
};

const struct form_field event_query_fields[] = {
	{ "status", WORDS_AT(struct event_query, f.statuses), .words = status_words,
		.help = "One or more, with commas between" },
	{ "processed", WORDS_AT(struct event_query, processed), .words = processed_words,
		.help = "Nothing left to do, or something" },
	{ "severity", WORDS_AT(struct event_query, f.severities), .words = severity_words,
		.help = "One or more, with commas between" },
	{ "provider", TEXT_AT(struct event_query, f.provider), .max = 32, .help = "Provider slug" },
	{ "source", TEXT_AT(struct event_query, f.source), .max = 23,
		.help = "Id of an integration" },
	{ "serviceId", TEXT_AT(struct event_query, f.service), .max = 23,
		.help = "Id of the integration's service" },
	{ "service", TEXT_AT(struct event_query, f.service), .max = 23,
		.help = "The same as serviceId" },
	{ "type", TEXT_AT(struct event_query, f.type), .max = EVENT_TYPE_MAX,
		.help = "Event type, whole" },
	{ "q", TEXT_AT(struct event_query, f.text), .max = EVENT_TEXT_MAX,
		.help = "Part of the summary, or a whole event id or dedup key" },
	{ "text", TEXT_AT(struct event_query, f.text), .max = EVENT_TEXT_MAX,
		.help = "The same as q" },
	{ "from", TIME_AT(struct event_query, f.from), .help = "Received at or after" },
	{ "to", TIME_AT(struct event_query, f.to), .help = "Received before" },
	{ "limit", NUMBER_AT(struct event_query, f.limit), FORM_CLAMP, 1, LIST_LIMIT_MAX,
		.help = "Most events in the answer" },
	{ "cursor", NUMBER_AT(struct event_query, f.cursor), 0, 1, INT64_MAX,
		.help = "`next` of the page before" },
	FORM_END
};

/* False: the two filters exclude each other, so there is nothing to look for. */
static bool join_statuses(struct event_query *q)
{
	if (!q->processed)
		return true;
	q->f.statuses = q->f.statuses ? q->f.statuses & q->processed : q->processed;
	return q->f.statuses != 0;
}

void api_event_list(void *call)
{
	struct call *c = call;
	struct event_query q = { .f = { .tenant_id = c->tenant_id, .limit = LIST_LIMIT_DEFAULT } };
	struct event_view *rows = NULL;
	uint64_t next = 0;
	struct err e = { 0 };
	size_t n = 0;

	if (!input_query(c, event_query_fields, &q))
		return;
	if (join_statuses(&q) && !event_view_list(c->api->c.db, c->a, &q.f, &rows, &n, &next, &e)) {
		reply_err(c, &e);
		return;
	}
	reply_list(c, "events", event_view_fields, rows, sizeof(*rows), n, next);
}

static void write_caused(struct call *c, struct reply *r, const struct event_detail *d)
{
	json_key(&r->o, "incident");
	if (d->incident.id) {
		json_open(&r->o, '{');
		json_fields(&r->o, incident_view_fields, &d->incident);
		json_close(&r->o, '}');
	} else {
		json_null(&r->o);
	}
	json_key(&r->o, "alert");
	if (d->alert.id) {
		json_open(&r->o, '{');
		json_fields(&r->o, alert_view_fields, &d->alert);
		json_close(&r->o, '}');
	} else {
		json_null(&r->o);
	}
}

static void write_request(struct call *c, struct reply *r, const struct event_detail *d)
{
	json_key(&r->o, "element");
	json_u64(&r->o, d->event.element);
	json_key(&r->o, "request");
	if (!d->request.id) {
		json_null(&r->o);
		return;
	}
	json_open(&r->o, '{');
	json_fields(&r->o, request_view_fields, &d->request);
	json_close(&r->o, '}');
	json_key(&r->o, "headers");
	request_headers_json(&r->o, c->a, d->request.headers);
	request_payload_json(&r->o, c->a, d->request.body);
}

void api_event_get(void *call)
{
	struct call *c = call;
	struct event_detail d;
	struct err e = { 0 };
	struct reply r;
	uint64_t id;
	int found;

	if (!input_id(c, 0, &id))
		return;
	found = event_view_get(c->api->c.db, c->a, c->tenant_id, id, &d, &e);
	if (found != 1) {
		found < 0 ? reply_err(c, &e) : reply_not_found(c);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, event_view_fields, &d.event);
	write_request(c, &r, &d);
	write_caused(c, &r, &d);
	reply_end(c, &r, 200);
}
