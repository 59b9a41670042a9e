/* event_detail.c - one event with the request that brought it and what it caused. */
#include "view_int.h"

const struct field request_view_fields[] = {
	FIELD_ID(struct request_view, id, "id", "Our number of the request"),
	FIELD_STR(struct request_view, method, "method", "HTTP method"),
	FIELD_STR(struct request_view, uri, "uri", "As sent, the key removed"),
	FIELD_STR(struct request_view, remote_addr, "remoteAddr", "The sender's address"),
	FIELD_STR(struct request_view, trace, "traceId", "X-Request-Id"),
	FIELD_STR(struct request_view, traceparent, "traceparent", "W3C trace context"),
	FIELD_U64(struct request_view, status, "statusCode", "What was answered"),
	FIELD_U64(struct request_view, body_bytes, "bodyBytes", "Size as received"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_U64(struct request_view, id, "id", ""),
	FIELD_U64(struct request_view, status, "status", ""),
	FIELD_U64(struct request_view, body_bytes, "body_bytes", ""),
	FIELD_U64(struct request_view, duration_us, "duration_us", ""),
	FIELD_STR(struct request_view, method, "method", ""),
	FIELD_STR(struct request_view, uri, "uri", ""),
	FIELD_STR(struct request_view, remote_addr, "remote_addr", ""),
	FIELD_STR(struct request_view, trace, "trace", ""),
	FIELD_STR(struct request_view, traceparent, "traceparent", ""),
	FIELD_STR(struct request_view, headers, "headers", ""),
	FIELD_STR(struct request_view, body, "body", ""),
	FIELD_END
};

int event_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t id,
	struct event_detail *out, struct err *e)
{
	struct event_view *v = &out->event;
	int found;

	*out = (struct event_detail){ 0 };
	found = db_query_one(db, &view_stmt[V_EVENT], VALS(V_U(id)), a, event_columns, sizeof(*v),
		v, e);
	if (found != 1)
		return found;
	if (tenant_id && v->tenant_id != tenant_id)
		return 0;
	event_view_words(v);
	if (db_query_one(db, &view_stmt[V_REQUEST], VALS(V_U(v->request_id)), a, columns,
			sizeof(out->request), &out->request, e) < 0)
		return -1;
	if (!v->incident_id)
		return 1;
	if (incident_view_one(db, a, v->tenant_id, v->incident_id, &out->incident, e) < 0)
		return -1;
	if (alert_view_of(db, a, v->incident_id, id, &out->alert, e) < 0)
		return -1;
	return 1;
}

void request_headers_json(struct json_out *o, struct arena *a, struct str lines)
{
	struct json *object = json_new(a, JSON_OBJECT);

	while (lines.n) {
		struct str line = str_until(&lines, '\n');
		struct str name = str_trim(str_until(&line, ':'));

		if (name.n)
			json_add(object, name, json_new_str(a, str_trim(line)));
	}
	json_tree(o, object);
}

/* Parsed only to know whether it is JSON: the text itself is what goes out. A byte order mark is
 * not part of JSON text. */
static bool is_json(struct arena *a, struct str *body)
{
	const struct json *tree;
	struct err e = { 0 };

	if (!body->n || !json_parse(a, *body, &tree, &e))
		return false;
	if (str_starts(*body, "\xef\xbb\xbf"))
		*body = str_sub(*body, 3);
	return true;
}

void request_payload_json(struct json_out *o, struct arena *a, struct str body)
{
	bool json = is_json(a, &body), text = json || str_is_utf8(body);

	json_key(o, "payloadEncoding");
	json_strz(o, json ? "json" : text ? "text" : "base64");
	json_key(o, "payload");
	if (json)
		json_raw(o, body);
	else
		json_str(o, text ? body : base64_encode(a, body.p, body.n));
}
