/* delivery.c - rows for endpoints: the payload as it was made, signed with the secrets of the moment.
 *
 * All failures but 410 and an address that is not allowed are tried again, as good senders do. An endpoint that fails is left alone by its breaker, and
 * switched off after five days of nothing but failures, or at once by 410; a monitor alert tells its owner. */
#include "grapnel/json.h"
#include "grapnel/log.h"

#include "outbound_int.h"

#define OWN_TEST "endpoint.test"

struct target {
	struct endpoint endpoint;	/* id 0: it was removed */
	struct endpoint_secrets secrets;
	bool lost;			/* they do not open */
	ms_t read_at;
};

static bool read_target(struct round *r, ms_t now, struct err *e)
{
	const struct courier_config *c = courier_config(r->courier);
	struct target *t = ARENA_NEW(r->arena, struct target);
	struct err why = { 0 };

	if (endpoint_by_row(c->db, r->arena, r->target_id, &t->endpoint, e) < 0)
		return false;
	t->read_at = now;
	t->lost = t->endpoint.id && (!c->seal || !endpoint_secrets(r->arena, c->seal, &t->endpoint, now, &t->secrets, &why));
	if (t->lost)
		log_error("the secret of an endpoint does not open", LOG_STR("endpoint", t->endpoint.public_id), LOG_S("error", c->seal ? why.text : "no key file"));
	r->target = t;
	return true;
}

static bool open(struct round *r, struct err *e)
{
	return read_target(r, clock_now(), e) && publications_open(r, "event", PUBLISHED_EVENT, e);
}

static struct str event_of(struct parcel *p)
{
	const struct json *payload;
	struct err unreadable = { 0 };

	return json_parse(p->round->arena, p->row.payload, &payload, &unreadable) ? json_text(json_get(payload, "event")) : STR_NONE;
}

/* The sentence that says why not, or empty. */
static struct str refusal(const struct target *t, struct str event)
{
	const struct endpoint *ep = &t->endpoint;

	if (!event.n)
		return STR("The row cannot be read.");
	if (!ep->id || ep->deleted_at)
		return STR("endpoint deleted");
	if (!ep->entitled)
		return STR("Its user may not be told of this any more.");
	if (t->lost)
		return STR("The endpoint's secret does not open under our keys.");
	return ep->enabled || str_eqs(event, OWN_TEST) ? STR_NONE : STR("The endpoint is switched off.");
}

static bool request(struct parcel *p, ms_t now, struct send *out, struct str *why)
{
	struct round *r = p->round;
	struct header *headers = ARENA_ARRAY(r->arena, struct header, SIGN_HEADERS + 1);
	struct str id = arena_printf(r->arena, "%llu", (unsigned long long)p->row.id), event = event_of(p);
	struct err away = { 0 };
	const struct target *t = r->target;

	if (now >= t->read_at + FRESH_MS && !read_target(r, now, &away))
		log_warning("an endpoint is used as it was read before", LOG_U("endpoint", r->target_id), LOG_ERR(&away));
	t = r->target;
	*why = p->refusal.n ? p->refusal : refusal(t, event);
	if (why->n)
		return false;
	headers[0] = (struct header){ STR("Content-Type"), STR("application/json") };
	out->headers = headers;
	out->header_n = 1 + sign_headers(r->arena, t->secrets.secret, t->secrets.old, id, event, p->row.payload, now, headers + 1);
	out->url = t->endpoint.url;
	p->asked = t->endpoint.updated_at;
	out->body = p->row.payload;
	return true;
}

static void judge(struct parcel *p)
{
	if (p->status >= 200 && p->status < 300) {
		p->reception = RECEPTION_TAKEN;
		return;
	}
	p->reception = p->status == 410 ? RECEPTION_GONE : p->status == 429 ? RECEPTION_LATER : RECEPTION_AGAIN;
	p->error = parcel_answered(p->round->arena, p->status);
}

/* The one that was asked: who gave it another address meanwhile has mended it. */
static bool switch_off(struct db *db, struct parcel *p, ms_t now, struct err *e)
{
	const struct target *t = p->round->target;
	struct id_maker *ids = courier_config(p->round->courier)->ids;
	struct endpoint ep = t->endpoint;
	struct str why;

	ep.updated_at = p->asked;
	if (p->reception == RECEPTION_GONE)
		return endpoint_disable(db, p->round->arena, ids, &ep, 0, p->error, now, e);
	if (!ep.failing_since || ep.failing_since > now - ENDPOINT_FAILING_MS || ep.failures + 1 < BREAKER_OPENS_AT)
		return true;
	why = arena_printf(p->round->arena, "For five days nothing was taken; last: %.*s", STR_ARG(p->error));
	return endpoint_disable(db, p->round->arena, ids, &ep, now - ENDPOINT_FAILING_MS, why, now, e);
}

static bool note(struct db *db, struct parcel *p, ms_t now, struct err *e)
{
	const struct target *t = p->round->target;

	if (!t->endpoint.id || !p->began_us)
		return true;
	if (p->reception == RECEPTION_TAKEN)
		return endpoint_sent(db, t->endpoint.id, now, e);
	return endpoint_failed(db, t->endpoint.id, p->error, now, e) && switch_off(db, p, now, e);
}

const struct cargo cargo_delivery = {
	.kind = OUTBOX_DELIVERY, .attempts_max = ENDPOINT_ATTEMPTS_MAX, .places = SEND_PROGRAMS_MAX, .breaker = BREAKER_ENDPOINT, .open = open, .request = request, .judge = judge,
	.note = note,
};
