/* event_detail.c - one event with the request that brought it and what it caused. */
#include "view_int.h"

const struct field attempt_view_fields[] = {
	FIELD_U64(struct attempt_view, number, "number", "1 is the first"),
	FIELD_TIME(struct attempt_view, started_at, "startedAt", "Its begin"),
	FIELD_TIME(struct attempt_view, at, "at", "Its end; null while it is under way, or if its sender was killed"),
	FIELD_U64(struct attempt_view, duration_us, "durationUs", "Between the two"),
	FIELD_U64(struct attempt_view, status, "status", "HTTP status that the handler answered; 0 where there was no answer"),
	FIELD_STR(struct attempt_view, error, "error", "Why it failed"),
	FIELD_STR(struct attempt_view, answer, "answer", "The first 4 KiB of what the handler answered"),
	FIELD_END
};

const struct field forward_view_fields[] = {
	FIELD_TIME(struct forward_view, next_at, "nextAttemptAt", "null while it is being sent"),
	FIELD_TIME(struct forward_view, breaker_opened_at, "breakerOpenedAt", "Since then the handler is left alone, because it failed five times in a row"),
	FIELD_TIME(struct forward_view, probe_at, "probeAt", "Then one event is sent to see whether it works again"),
	FIELD_END
};

static const struct field attempt_columns[] = {
	FIELD_U64(struct attempt_view, number, "number", ""),
	FIELD_TIME(struct attempt_view, started_at, "started_at", ""),
	FIELD_U64(struct attempt_view, duration_us, "duration_us", ""),
	FIELD_BOOL(struct attempt_view, lost, "lost", ""),
	FIELD_U64(struct attempt_view, status, "status", ""),
	FIELD_STR(struct attempt_view, error, "error", ""),
	FIELD_STR(struct attempt_view, answer, "answer", ""),
	FIELD_END
};

static const struct field forward_columns[] = {
	FIELD_BOOL(struct forward_view, waits, "waits", ""),
	FIELD_BOOL(struct forward_view, held, "held", ""),
	FIELD_TIME(struct forward_view, next_at, "next_at", ""),
	FIELD_TIME(struct forward_view, breaker_opened_at, "opened_at", ""),
	FIELD_TIME(struct forward_view, probe_at, "probe_at", ""),
	FIELD_END
};

/* The first attempt is made in the batch of the request: from knowing that the event is new to having acted. */
static uint64_t first_attempt_us(const struct step_view *steps)
{
	const struct step_view *before = &steps[3], *acted = &steps[4];

	return acted->at && before->at ? acted->after_us - before->after_us : 0;
}

/* What was done at once has no row of its own. */
static void fill_first_attempt(struct arena *a, struct event_detail *d)
{
	const struct event_view *v = &d->event;
	struct attempt_view *x = ARENA_NEW(a, struct attempt_view);

	*x = (struct attempt_view){ .number = v->attempts, .started_at = v->last_attempt_at, .at = v->last_attempt_at, .error = v->error };
	if (v->attempts == 1 && d->steps_n)
		x->duration_us = first_attempt_us(d->steps);
	d->attempts = x;
	d->attempts_n = 1;
}

static bool read_attempts(struct db *db, struct arena *a, struct event_detail *d, struct err *e)
{
	const struct event_view *v = &d->event;

	if (db_query_one(db, &view_stmt[V_FORWARD], VALS(V_U(v->id)), a, forward_columns, sizeof(d->forward), &d->forward, e) < 0 ||
		!db_query(db, &view_stmt[V_ATTEMPTS], VALS(V_U(v->id)), a, attempt_columns, sizeof(*d->attempts), &d->attempts, &d->attempts_n, e))
		return false;
	if (d->forward.held)
		d->forward.next_at = 0;
	for (size_t i = 0; i < d->attempts_n; i++) {
		struct attempt_view *x = &d->attempts[i];

		x->under_way = x->lost && d->forward.held && i + 1 == d->attempts_n;
		x->lost = x->lost && !x->under_way;
		x->at = x->under_way || x->lost ? 0 : x->started_at + (ms_t)(x->duration_us / 1000);
		null_if_empty(&x->answer);
	}
	if (!d->attempts_n && v->attempts)
		fill_first_attempt(a, d);
	return true;
}

/* The request, unless it was cleaned up, and what else is known by it. */
static bool read_request(struct db *db, struct arena *a, struct event_detail *d, struct err *e)
{
	int found = request_view_one(db, a, d->event.request_id, &d->request, e);

	if (found < 0)
		return false;
	if (found) {
		request_view_steps(&d->request, d->steps);
		d->steps_n = REQUEST_STEPS;
	}
	return read_attempts(db, a, d, e) && request_view_repeats(db, a, d->event.id, &d->repeats, &d->repeats_n, e);
}

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
	if (!read_request(db, a, out, e))
		return -1;
	if (!v->incident_id)
		return 1;
	if (incident_view_one(db, a, v->tenant_id, v->incident_id, &out->incident, e) < 0)
		return -1;
	if (alert_view_of(db, a, v->incident_id, id, &out->alert, e) < 0)
		return -1;
	return 1;
}

int event_view_received(struct db *db, struct arena *a, uint64_t id, struct event_view *event, struct request_view *request, struct err *e)
{
	int found = db_query_one(db, &view_stmt[V_EVENT], VALS(V_U(id)), a, event_columns, sizeof(*event), event, e);

	if (found != 1)
		return found;
	event_view_words(event);
	*request = (struct request_view){ 0 };
	return request_view_one(db, a, event->request_id, request, e) < 0 ? -1 : 1;
}

bool event_view_some(struct db *db, struct arena *a, struct str ids, struct event_view **out, size_t *n, struct err *e)
{
	if (!db_query(db, &view_stmt[V_EVENTS], VALS(V_S(ids)), a, event_columns, sizeof(**out), out, n, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		event_view_words(&(*out)[i]);
	return true;
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
