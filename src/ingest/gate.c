/* gate.c - stage 2: everything that can be refused before any proof, read from top to bottom, each with its own answer.
 * The order is the contract: method, size, source, enabled, address, the remote address's bucket. */
#include "ingest_int.h"

static unsigned method_bit(struct str m)
{
	static const struct {
		const char *name;
		unsigned bit;
	} methods[] = {
		{ "POST", METHOD_POST }, { "GET", METHOD_GET }, { "HEAD", METHOD_GET }, { "PUT", METHOD_PUT },
		{ "OPTIONS", METHOD_OPTIONS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (str_eqs(m, methods[i].name))
			return methods[i].bit;
	return 0;
}

/* "POST, GET": for the Allow header. */
static struct str allowed_methods(struct arena *a, unsigned bits)
{
	return arena_printf(a, "POST%s%s%s", bits & METHOD_GET ? ", GET" : "", bits & METHOD_PUT ? ", PUT" : "",
		bits & METHOD_OPTIONS ? ", OPTIONS" : "");
}

static bool address_allowed(const struct cached_source *s, struct str remote)
{
	struct ip ip;

	if (!s->s.allowed_ips.n)
		return true;
	if (!ip_parse(remote, &ip))
		return false;
	for (size_t i = 0; i < s->allowed_n; i++)
		if (cidr_match(&s->allowed[i], &ip))
			return true;
	return false;
}

uint64_t remote_key(struct str remote_addr)
{
	struct ip ip;

	return ip_parse(remote_addr, &ip) ? ip_hash(&ip) : 1;
}

bool work_gate(struct arena *a, struct ingest_work *w)
{
	const struct provider *p = w->provider;

	if (p && !(p->methods & method_bit(w->item->in.method))) {
		w->allow = allowed_methods(a, p->methods);
		return work_refuse(w, 405, "method_not_allowed", "This address does not take that method.");
	}
	if (w->item->too_large)
		return work_refuse(w, 413, "body_too_large", "The body is larger than this provider may send.");
	return true;
}

static bool gate(struct batch *b, struct ingest_work *w)
{
	const struct ingest_config *c = &b->g->c;
	struct rate_result r;

	if (!work_gate(b->a, w))
		return false;
	if (w->body_refusal.status) {		/* /v2/enqueue is parsed before its source is known */
		w->refused = true;
		w->refusal = w->body_refusal;
		return false;
	}
	if (w->source_unsure) {
		w->refusal.retry_after_s = INGEST_RETRY_AFTER_S;
		return work_refuse(w, 503, "unavailable", "The database does not answer; try again later.");
	}
	if (!w->source && work_asks(w)) {	/* CloudEvents: no consent (http-webhook.md 4) */
		w->allow = STR("POST");
		return work_refuse(w, 405, "method_not_allowed", "There is no such integration.");
	}
	if (!w->source)
		return work_refuse(w, 404, "not_found", "There is no such integration.");
	if (w->item->spooled)
		return true;
	if (!w->source->s.enabled)
		return work_refuse(w, 403, "source_disabled", "This integration is switched off.");
	if (w->item->is_test)
		return true;
	if (!address_allowed(w->source, w->item->remote_addr))
		return work_refuse(w, 403, "address_not_allowed", "This address may not send to this integration.");
	if (!c->rate_limit)
		return true;
	r = rate_peek(c->shm, remote_key(w->item->remote_addr), c->remote_per_minute, b->now);
	if (!r.allowed) {
		w->item->rate = r;
		count(c->shm, C_REFUSED_RATE, 1);
		w->refusal.retry_after_s = (unsigned)((r.retry_after_ms + 999) / 1000);
		return work_refuse(w, w->provider->flags & FINAL_4XX ? 503 : 429, "rate_limited",
			"Too many requests from this address failed their proof.");
	}
	return true;
}

/* What every answer tells: of the source's bucket, and where there is no source of the address's. */
static struct rate_result rate_told(const struct ingest_config *c, const struct ingest_work *w, ms_t now)
{
	if (!c->rate_limit)
		return (struct rate_result){ 0 };
	if (w->source)
		return rate_peek(c->shm, w->source->rate_key, w->source->per_minute, now);
	return rate_peek(c->shm, remote_key(w->item->remote_addr), c->remote_per_minute, now);
}

void ingest_gate(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct ingest_work *w = &b->work[i];

		w->item->rate = rate_told(&b->g->c, w, b->now);
		gate(b, w);
	}
}
