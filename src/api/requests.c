/* requests.c - /api/requests. */
#include "api_int.h"

void api_request_list(void *call)
{
	struct call *c = call;
	struct request_filter f = { .tenant_id = c->by.tenant_id, .limit = LIST_LIMIT_DEFAULT };
	struct request_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_query(c, request_query_fields, &f))
		return;
	if (request_view_list(c->by.db, c->a, &f, &rows, &n, &next, &e))
		reply_list(c, "requests", request_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

static const struct doc_part proof_parts[] = {
	{ "steps", PART_ROWS, FIELDS(proof_step_fields), .help = "In their order, up to the first that failed" },
	{ 0 }
};

const struct doc_part request_parts[] = {
	{ "lifecycle", PART_ROWS, FIELDS(step_view_fields), .help = "What was done with it, in order" },
	{ "proof", PART_ONE, FIELDS(proof_view_fields), proof_parts, .help = "How its sender was proven, or where that failed" },
	{ "headers", PART_TEXTS, .help = "Name and value, secrets masked" },
	{ "events", PART_ROWS, FIELDS(event_view_fields), .help = "New events that it brought, the first hundred" },
	{ 0 }
};

void api_request_get(void *call)
{
	struct call *c = call;
	struct request_detail d;
	struct err e = { 0 };
	struct reply r;
	uint64_t id;
	int found;

	if (!input_id(c, 0, &id))
		return;
	found = request_view_get(c->by.db, c->a, c->by.tenant_id, id, &d, &e);
	if (found != 1) {
		found < 0 ? reply_err(c, &e) : reply_not_found(c);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, request_view_fields, &d.request);
	reply_rows(&r, "lifecycle", step_view_fields, d.steps, sizeof(*d.steps), REQUEST_STEPS);
	json_key(&r.o, "proof");
	json_open(&r.o, '{');
	json_fields(&r.o, proof_view_fields, &d.proof);
	reply_rows(&r, "steps", proof_step_fields, d.proof.steps, sizeof(*d.proof.steps), d.proof.steps_n);
	json_close(&r.o, '}');
	json_key(&r.o, "headers");
	request_headers_json(&r.o, c->a, d.request.headers);
	request_payload_json(&r.o, c->a, d.request.body);
	reply_rows(&r, "events", event_view_fields, d.events, sizeof(*d.events), d.events_n);
	reply_end(c, &r, 200);
}
