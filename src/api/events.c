/* events.c - /api/events. */
#include "api_int.h"

void api_event_list(void *call)
{
	struct call *c = call;
	struct event_query q = { .f = { .tenant_id = c->by.tenant_id, .limit = LIST_LIMIT_DEFAULT } };
	struct event_view *rows = NULL;
	uint64_t next = 0;
	struct err e = { 0 };
	size_t n = 0;

	if (!input_query(c, event_query_fields, &q))
		return;
	if (!event_query_list(&c->by, &q, &rows, &n, &next, &e)) {
		reply_err(c, &e);
		return;
	}
	reply_list(c, "events", event_view_fields, rows, sizeof(*rows), n, next);
}

/* ---- one event ---- */

const struct field event_element_fields[] = {
	FIELD_U64(struct event_view, element, "element", "Its place among the events of its request, from 0"),
	FIELD_END
};

/* What request_payload_json writes. */
const struct field event_payload_fields[] = {
	{ "payloadEncoding", FIELD_TYPE_STR, 0, "json, text or base64" },
	{ "payload", FIELD_TYPE_JSON, 0, "The body as it was sent" },
	FIELD_END
};

const struct doc_part event_parts[] = {
	{ "request", PART_MAYBE, FIELDS(request_view_fields), .help = "What brought it; null once it was cleaned up" },
	{ "headers", PART_TEXTS, .help = "Name and value, secrets masked; left out without a request" },
	{ "incident", PART_MAYBE, FIELDS(incident_view_fields), .help = "What it opened or joined" },
	{ "alert", PART_MAYBE, FIELDS(alert_view_fields), .help = "What it added to the incident" },
	{ "lifecycle", PART_ROWS, FIELDS(step_view_fields), .help = "What was done with its request, in order; empty without a request" },
	{ "attemptLog", PART_ROWS, FIELDS(attempt_view_fields), .help = "Each start of its actions, oldest first" },
	{ "forward", PART_MAYBE, FIELDS(forward_view_fields), .help = "What it waits for while its handler has not taken it; else null" },
	{ "repeats", PART_ROWS, FIELDS(request_view_fields), .help = "The newest requests that brought it again" },
	{ 0 }
};

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
	json_fields(&r->o, event_element_fields, &d->event);
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

static void write_forward(struct reply *r, const struct forward_view *f)
{
	json_key(&r->o, "forward");
	if (!f->waits) {
		json_null(&r->o);
		return;
	}
	json_open(&r->o, '{');
	json_fields(&r->o, forward_view_fields, f);
	json_close(&r->o, '}');
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
	found = event_view_get(c->by.db, c->a, c->by.tenant_id, id, &d, &e);
	if (found != 1) {
		found < 0 ? reply_err(c, &e) : reply_not_found(c);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, event_view_fields, &d.event);
	write_request(c, &r, &d);
	write_caused(c, &r, &d);
	reply_rows(&r, "lifecycle", step_view_fields, d.steps, sizeof(*d.steps), d.steps_n);
	reply_rows(&r, "attemptLog", attempt_view_fields, d.attempts, sizeof(*d.attempts), d.attempts_n);
	write_forward(&r, &d.forward);
	reply_rows(&r, "repeats", request_view_fields, d.repeats, sizeof(*d.repeats), d.repeats_n);
	reply_end(c, &r, 200);
}
