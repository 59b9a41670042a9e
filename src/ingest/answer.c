/* answer.c - what each sender is told. The common forms stand here; a provider whose senders insist on another brings its own. */
#include "ingest_int.h"

#define ANSWER_MAX (4u << 20)	/* 10,000 results of some 200 bytes, and room */

static const char *const words[] = {
	[OUT_TRIGGERED] = "triggered", [OUT_DEDUPLICATED] = "deduplicated", [OUT_ACKNOWLEDGED] = "acknowledged",
	[OUT_RESOLVED] = "resolved", [OUT_IGNORED] = "ignored", [OUT_INVALID] = "invalid",
};

/* ---- outcomes ---- */

static enum outcome_kind kind_of_change(const struct plan *p)
{
	switch (p->change.act) {
	case INCIDENT_OPENS:
	case INCIDENT_REOPENS:
		return OUT_TRIGGERED;
	case INCIDENT_JOINS:
		return OUT_DEDUPLICATED;
	case INCIDENT_ACKS:
		return OUT_ACKNOWLEDGED;
	case INCIDENT_RESOLVES:
		return OUT_RESOLVED;
	case INCIDENT_NOTHING:
		break;
	}
	return OUT_IGNORED;
}

/* As at its first receipt, of which the incident is left. */
static enum outcome_kind kind_of_again(const struct plan *p)
{
	static const enum outcome_kind kinds[] = {
		[ACTION_IGNORE] = OUT_IGNORED, [ACTION_TRIGGER] = OUT_TRIGGERED, [ACTION_ACKNOWLEDGE] = OUT_ACKNOWLEDGED,
		[ACTION_RESOLVE] = OUT_RESOLVED,
	};

	return p->before.incident_id ? kinds[p->ev->action] : OUT_IGNORED;
}

static struct outcome outcome_of(const struct plan *p)
{
	struct outcome o = { .event = p->ev, .event_number = p->number, .incident = p->incident };

	if (p->ev->invalid) {
		o.kind = OUT_INVALID;
	} else if (p->twin) {
		o = outcome_of(p->twin);
		o.event = p->ev;
		o.kind = OUT_REPEATED;
	} else if (p->known) {
		bool done = p->before.status == EVENT_PROCESSED || p->before.status == EVENT_IGNORED;

		o.kind = done ? OUT_REPEATED : p->again ? kind_of_again(p) : OUT_IN_WORK;
		o.event_number = p->before.id;
		o.incident = p->before.incident_id;
		o.incident_status = incident_status_word((enum incident_status)p->before.incident_status);
	} else {
		o.kind = kind_of_change(p);
		o.incident_status = incident_status_word(p->incident_status);
	}
	return o;
}

/* ---- the integration's answer ---- */

static void put_result(struct json_out *o, const struct outcome *x)
{
	bool repeated = x->kind == OUT_REPEATED || x->kind == OUT_IN_WORK;

	json_open(o, '{');
	json_key(o, "action");
	json_strz(o, repeated ? "deduplicated" : words[x->kind]);
	if (x->kind == OUT_REPEATED) {
		json_key(o, "alreadyProcessed");
		json_bool(o, true);
	} else if (x->kind == OUT_IN_WORK) {
		json_key(o, "duplicate");
		json_bool(o, true);
	}
	if (x->kind == OUT_INVALID) {
		json_key(o, "field");
		json_strz(o, x->event->invalid);
	}
	json_key(o, "incident");
	if (x->incident) {
		json_open(o, '{');
		json_key(o, "id");
		json_id(o, x->incident);
		json_key(o, "status");
		json_strz(o, x->incident_status);
		json_key(o, "isDuplicate");
		json_bool(o, repeated || x->kind == OUT_DEDUPLICATED);
		json_close(o, '}');
	} else {
		json_null(o);
	}
	json_key(o, "event");
	if (x->event_number) {
		json_open(o, '{');
		json_key(o, "id");
		json_id(o, x->event_number);
		json_close(o, '}');
	} else {
		json_null(o);
	}
	json_close(o, '}');
}

static size_t count_kind(const struct outcome *x, size_t n, enum outcome_kind kind)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += x[i].kind == kind;
	return found;
}

/* "Repeats": as a whole, when every event of the request was known. */
static void put_repeat_flag(struct json_out *o, const struct outcome *x, size_t n)
{
	size_t repeated = count_kind(x, n, OUT_REPEATED), in_work = count_kind(x, n, OUT_IN_WORK);

	if (!n || repeated + in_work < n)
		return;
	json_key(o, in_work ? "duplicate" : "alreadyProcessed");
	json_bool(o, true);
}

/* The sender wanted to hear what the handler says, and that has to wait. */
static void put_queued(struct json_out *o, bool queued)
{
	if (!queued)
		return;
	json_key(o, "queued");
	json_bool(o, true);
}

static void answer_integration(struct arena *a, const struct outcome *x, size_t n, bool queued, struct answer *out)
{
	struct strbuf b;
	struct json_out o;
	size_t old = count_kind(x, n, OUT_REPEATED) + count_kind(x, n, OUT_IN_WORK) + count_kind(x, n, OUT_INVALID);

	strbuf_init(&b, a, ANSWER_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "status");
	json_strz(&o, "success");
	put_repeat_flag(&o, x, n);
	put_queued(&o, queued);
	if (n == 1) {
		json_key(&o, "result");
		put_result(&o, x);
	} else {
		json_key(&o, "results");
		json_open(&o, '[');
		for (size_t i = 0; i < n; i++)
			put_result(&o, &x[i]);
		json_close(&o, ']');
	}
	json_close(&o, '}');
	*out = (struct answer){ .status = n && old == n ? 200 : 201, .body = strbuf_str(&b) };
}

/* Payment and platform providers. */
static void answer_received(struct arena *a, const struct outcome *x, size_t n, bool queued, struct answer *out)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, 256);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "received");
	json_bool(&o, true);
	put_repeat_flag(&o, x, n);
	put_queued(&o, queued);
	json_close(&o, '}');
	*out = (struct answer){ .status = 200, .body = strbuf_str(&b) };
}

static void answer_accepted(struct arena *a, struct ingest_work *w, bool queued, struct answer *out)
{
	struct outcome *x = ARENA_ARRAY(a, struct outcome, w->plan_n);
	const struct provider *p = w->provider;
	unsigned wanted;

	for (size_t i = 0; i < w->plan_n; i++)
		x[i] = outcome_of(&w->plans[i]);
	if (p->answer && p->answer(p, a, &w->item->in, NULL, x, w->plan_n, out))
		return;
	wanted = out->status;
	if (p->flags & (PAYMENT | ANSWER_RECEIVED))
		answer_received(a, x, w->plan_n, queued, out);
	else
		answer_integration(a, x, w->plan_n, queued, out);
	if (p->flags & ANSWER_200)
		out->status = 200;
	if (wanted)
		out->status = wanted;
}

/* ---- refusals ---- */

static void answer_error(struct arena *a, const struct refusal *r, struct answer *out)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, 4096);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "error");
	json_strz(&o, r->code);
	json_key(&o, "message");
	json_strz(&o, r->message);
	if (r->field) {
		json_key(&o, "field");
		json_strz(&o, r->field);
	}
	json_close(&o, '}');
	out->status = r->status;
	out->body = strbuf_str(&b);
}

static void add_header(struct answer *out, const char *name, struct str value)
{
	for (size_t i = 0; i < ARRAY_SIZE(out->extra); i++) {
		if (out->extra[i].name.n)
			continue;
		out->extra[i] = (struct header){ str_of(name), value };
		return;
	}
}

static void answer_refused(struct arena *a, struct ingest_work *w)
{
	const struct provider *p = w->provider;
	struct answer *out = &w->item->answer;

	if (!p || !p->answer || !p->answer(p, a, &w->item->in, &w->refusal, NULL, 0, out))
		answer_error(a, &w->refusal, out);
	if (w->allow.n)
		add_header(out, "Allow", w->allow);
	/* SNS and Google bring name and password only once they were asked for them. One line, since some keep but the last of two. */
	if (out->status == 401 && !strcmp(w->refusal.code, "invalid_key"))
		add_header(out, "WWW-Authenticate", STR("Basic realm=\"Grapnel\", charset=\"UTF-8\", Bearer realm=\"Grapnel\""));
	if (w->refusal.retry_after_s)
		add_header(out, "Retry-After", arena_printf(a, "%u", w->refusal.retry_after_s));
}

void work_answer(struct arena *a, struct ingest_work *w)
{
	if (w->answered)
		return;
	w->item->answer = (struct answer){ 0 };
	if (w->refused)
		answer_refused(a, w);
	else
		answer_accepted(a, w, w->queued, &w->item->answer);
	if (w->item->later.n && !w->refused) {
		w->item->queued = (struct answer){ 0 };
		answer_accepted(a, w, true, &w->item->queued);
	}
}

void work_answer_failed(struct arena *a, struct ingest_work *w, unsigned status)
{
	w->refused = true;
	w->answered = false;
	w->refusal = (struct refusal){ .status = status, .code = "unavailable",
		.message = "The event could not be stored; try again later.", .retry_after_s = INGEST_RETRY_AFTER_S };
	if (status == 500) {
		w->refusal.code = "internal_error";
		w->refusal.message = "The event could not be stored.";
	}
	work_answer(a, w);
}

void work_answer_spooled(struct arena *a, struct ingest_work *w)
{
	struct outcome *x = ARENA_ARRAY(a, struct outcome, w->plan_n);
	const struct provider *p = w->provider;
	struct answer *out = &w->item->answer;
	unsigned wanted;

	if (w->answered)
		return;
	*out = (struct answer){ 0 };
	for (size_t i = 0; i < w->plan_n; i++)
		x[i] = (struct outcome){ .kind = w->plans[i].ev->invalid ? OUT_INVALID : OUT_IN_WORK, .event = w->plans[i].ev,
			.event_number = w->plans[i].number };
	if (p->answer && p->answer(p, a, &w->item->in, NULL, x, w->plan_n, out))
		return;
	wanted = out->status ? out->status : p->flags & ANSWER_200 ? 200 : 202;
	*out = (struct answer){ .status = wanted, .body = STR("{\"received\":true,\"spooled\":true}") };
}

/* ---- the counters ---- */

static void count_outcomes(struct shm *shm, const struct ingest_work *w)
{
	uint64_t stored = 0, repeated = 0, invalid = 0, opened = 0, resolved = 0;

	for (size_t i = 0; i < w->plan_n; i++) {
		const struct plan *p = &w->plans[i];

		invalid += p->ev->invalid != NULL;
		repeated += p->known || p->twin;
		stored += !p->ev->invalid && !p->known && !p->twin;
		opened += p->change.act == INCIDENT_OPENS;
		resolved += p->change.act == INCIDENT_RESOLVES;
	}
	count(shm, C_EVENTS, stored);
	count(shm, C_EVENTS_REPEATED, repeated);
	count(shm, C_EVENTS_INVALID, invalid);
	count(shm, C_INCIDENTS_OPENED, opened);
	count(shm, C_INCIDENTS_RESOLVED, resolved);
}

void ingest_answer(struct batch *b)
{
	struct shm *shm = b->g->c.shm;

	count(shm, C_BATCHES, 1);
	for (size_t i = 0; i < b->n; i++) {
		struct ingest_work *w = &b->work[i];
		unsigned status = w->item->answer.status;

		if (!w->refused && w->stored)
			count_outcomes(shm, w);
		if (w->item->spooled)		/* counted at its receipt */
			continue;
		count(shm, C_REQUESTS, 1);
		count(shm, status < 300 ? C_REQUESTS_2XX : status < 500 ? C_REQUESTS_4XX : C_REQUESTS_5XX, 1);
		if (status == 404 && !w->source)
			count(shm, C_REFUSED_UNKNOWN, 1);
		count(shm, C_INGEST_US, (uint64_t)(clock_mono_us() - w->item->began_us));
	}
}
