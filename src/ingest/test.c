/* test.c - "Send test": the provider's own test webhook, made and signed here, through the whole pipeline.
 *
 * It takes the way of every other request, so what it shows is what the sender would see. Only what speaks of senders is not for it:
 * allow list and rate limits. Whatever it leaves is marked as a test, and its dedup key is its own. */
#include "ingest_int.h"

#define TEST_KEY "test:"

/* 1 found and open in g->scratch; 0; -1. */
static int load_source(struct ingest *g, uint64_t tenant_id, struct str id, ms_t now, struct live_source *out, struct err *e)
{
	struct live_source *found;
	struct strbuf ids;
	struct json_out o;
	size_t n;

	strbuf_init(&ids, g->scratch, 256);
	json_out_init(&o, &ids);
	json_open(&o, '[');
	json_str(&o, id);
	json_close(&o, ']');
	if (!live_sources(g->c.db, g->scratch, g->c.seal, strbuf_str(&ids), STR_NONE, STR_NONE, now, &found, &n, e))
		return -1;
	if (!n || found[0].tenant_id != tenant_id)
		return 0;
	*out = found[0];
	return 1;
}

static struct str make_nonce(struct arena *a)
{
	unsigned char raw[SAMPLE_NONCE / 2];

	random_bytes(raw, sizeof(raw));
	return hex_encode(a, raw, sizeof(raw));
}

/* With the key where that is (part of) the proof, signed where there is a secret. 1, 0, -1 as ingest_test. */
static int prove_it(struct ingest *g, struct arena *a, const struct provider *p, const struct live_source *s, struct ingest_item *it,
	struct err *e)
{
	struct str key;
	int found;

	if (!s->secret_n || s->require_key) {
		found = source_key(g->c.db, g->scratch, g->c.seal, s->tenant_id, s->public_id, NULL, it->in.now, &key, e);
		if (found != 1)
			return found;
		inbound_add_header(a, &it->in, "authorization", arena_printf(a, "Bearer %.*s", STR_ARG(key)));
	}
	it->proof_waived = (s->secret_n || proofs_keyless(provider_proofs(p), it->in.settings)) &&
		!(s->secret_n && proof_sign(provider_proofs(p), a, &it->in, s->secrets[0]));
	return 1;
}

/* Headers may have names of the owner's own. */
static const struct json *settings_of(struct arena *a, const struct live_source *s)
{
	const struct json *settings;
	struct err e = { 0 };

	return s->settings.n && json_parse(a, arena_str(a, s->settings), &settings, &e) ? settings : NULL;
}

/* A captured request, to the address of this source. */
static void come_to(struct arena *a, struct str path, const struct inbound *as, struct inbound *in)
{
	*in = *as;
	inbound_set_uri(in, as->query.n ? arena_printf(a, "%.*s?%.*s", STR_ARG(path), STR_ARG(as->query)) : path);
}

/* The request as its sender would make it. 1, 0, -1 as ingest_test. */
static int make_item(struct ingest *g, struct arena *a, uint64_t tenant_id, struct str id, const struct inbound *as, ms_t now,
	struct ingest_item *it, struct err *e)
{
	struct live_source s;
	const struct provider *p;
	struct str nonce = make_nonce(a), path;
	int found = load_source(g, tenant_id, id, now, &s, e);

	if (found != 1)
		return found;
	p = provider_find(s.provider);
	if (!p)
		return 0;
	if (!s.enabled) {
		err_tell(e, ERR_CONFLICT, "This integration is switched off; switch it on to test it.");
		return -1;
	}
	path = source_webhook_url(a, STR_NONE, str_of(p->slug), id);
	if (as)
		come_to(a, path, as, &it->in);
	else
		provider_sample(p, a, path, nonce, now, &it->in);
	it->in.public_url = str_of(g->c.public_url);	/* some sign it */
	it->in.settings = settings_of(a, &s);
	it->is_test = true;
	it->test_key = arena_printf(a, TEST_KEY "%.*s", STR_ARG(nonce));
	return prove_it(g, a, p, &s, it, e);
}

static struct str service_name(const struct cached_source *s, uint64_t id)
{
	uint64_t other;

	if (id != s->s.service_id && json_is(s->services, JSON_ARRAY))
		for (const struct json *x = s->services->first; x; x = x->next)
			if (str_u64(json_text(json_get(x, "id")), &other) && other == id)
				return json_text(json_get(x, "name"));
	return s->s.service_name;
}

/* The texts of the cache are the next batch's to throw away, those of the events our caller's. */
static void tell(struct arena *a, const struct ingest_work *w, struct ingest_tested *out)
{
	const struct provider *p = w->provider;
	const struct plan *plan = w->plans;

	*out = (struct ingest_tested){
		.status = w->item->answer.status,
		.provider = p,
		.signed_by_us = !w->item->proof_waived,
		.request = w->request_number,
	};
	if (w->refused)
		out->reason = arena_cstr(a, str_of(w->refusal.reason ? w->refusal.reason : w->refusal.message));
	if (w->refused || !w->plan_n)
		return;
	out->event = plan->number;
	out->alert = plan->alert;
	out->incident = plan->incident;
	out->is_duplicate = plan->change.act == INCIDENT_JOINS;
	out->title = arena_str(a, plan->ev->summary);
	out->native_severity = arena_str(a, plan->ev->native_severity.n ? plan->ev->native_severity : str_of(p->sample->severity));
	out->level = plan->ev->level;
	out->service = arena_str(a, service_name(w->source, service_of(w->source, plan->ev)));
}

int ingest_test(struct ingest *g, struct arena *a, uint64_t tenant_id, struct str source_id, const struct inbound *as,
	bool notify, struct str remote_addr, struct str trace, ms_t now, struct ingest_tested *out, struct err *e)
{
	struct ingest_item *it = ARENA_NEW(a, struct ingest_item);
	int made = make_item(g, a, tenant_id, source_id, as, now, it, e);

	arena_reset(g->scratch);
	if (made != 1)
		return made;
	it->is_quiet = !notify;
	it->remote_addr = remote_addr;
	it->trace = trace;
	it->began_us = clock_mono_us();
	ingest_keep(g, a, it, 1, now);
	tell(a, it->work, out);
	arena_reset(g->mapped);
	return 1;
}
