/* prove.c - stage 3: who sent it. Then the source's own bucket.
 *
 * A source with a signature secret is proven by the signature alone, any other by its key; both where requireKey is set. A
 * failed proof takes from the remote address's bucket, never from the source's, so that a stranger cannot shut out the real
 * sender. While a key or secret is rotated the old one is good until its time, however old the cache's entry is. */
#include "ingest_int.h"

/* Where a key may stand: the standard header, ours, Basic, and the query for senders that can do nothing else. */
static struct str bearer_key(struct arena *a, const struct inbound *in)
{
	struct str auth = inbound_header(in, "authorization"), scheme = str_word(&auth), plain;

	if (str_ieqs(scheme, "bearer"))
		return str_trim(auth);
	if (!str_ieqs(scheme, "basic") || !base64_decode(a, str_trim(auth), false, &plain))
		return STR_NONE;
	(void)str_until(&plain, ':');
	return plain;
}

static struct str given_key(struct arena *a, const struct inbound *in)
{
	struct str key = bearer_key(a, in);

	if (!key.n)
		key = inbound_header(in, "x-api-key");
	if (!key.n && in->query.n && !form_find(a, in->query, "key", &key))
		(void)form_find(a, in->query, "access_token", &key);
	return key;
}

bool key_is(const struct cached_source *s, struct str hash, ms_t now)
{
	const struct live_source *l = &s->s;

	return equal_ct(hash.p, hash.n, l->key_hash.p, l->key_hash.n) ||
		(now < l->key_old_until && equal_ct(hash.p, hash.n, l->key_old_hash.p, l->key_old_hash.n));
}

static bool key_matches(struct arena *a, const struct ingest_work *w, ms_t now)
{
	unsigned char hash[SHA256_BYTES];
	struct str key;

	if (w->endpoint.kind == LOOKUP_KEY)	/* the source was found by it */
		return true;
	key = given_key(a, &w->item->in);
	sha256(key, hash);
	return key.n && key_is(w->source, (struct str){ (const char *)hash, sizeof(hash) }, now);
}

static bool refuse_proof(struct batch *b, struct ingest_work *w, const char *code, const char *message, const char *reason)
{
	const struct ingest_config *c = &b->g->c;

	if (c->rate_limit && !w->item->is_test)
		(void)rate_take(c->shm, remote_key(w->item->remote_addr), c->remote_per_minute, b->now);
	count(c->shm, C_REFUSED_PROOF, 1);
	w->refusal.reason = reason;
	return work_refuse(w, 401, code, message);
}

static void debug_proof(const struct ingest_work *w)
{
	log_info("signature refused", LOG_STR("provider", w->source->s.provider), LOG_STR("source", w->source->s.public_id),
		LOG_S("scheme", w->proof.scheme), LOG_S("step", w->proof.step), LOG_U("body_bytes", w->raw.n),
		LOG_U("secret_bytes", w->source->s.secret_n ? w->source->s.secrets[0].n : 0),
		LOG_U("secrets", w->source->s.secret_n));
}

/* Newest first, so those whose time is over are not always at the end. */
static size_t valid_secrets(const struct live_source *s, ms_t now, struct str out[SOURCE_SECRETS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < s->secret_n; i++)
		if (!s->secret_until[i] || s->secret_until[i] > now)
			out[n++] = s->secrets[i];
	return n;
}

static bool check_signature(struct batch *b, struct ingest_work *w)
{
	struct str secrets[SOURCE_SECRETS_MAX];
	struct inbound in = w->item->in;
	struct proof_input input = { .arena = b->a, .in = &in, .secrets = secrets, .keys = b->g->c.keys };
	enum verdict v;

	input.secret_n = valid_secrets(&w->source->s, b->now, secrets);
	in.body = w->raw;
	v = proof_check(provider_proofs(w->provider), &input, &w->proof);
	if (v == PROVEN)
		return true;
	if (b->g->c.debug)
		debug_proof(w);
	if (v == PROOF_UNAVAILABLE) {
		w->refusal.retry_after_s = INGEST_RETRY_AFTER_S;
		return work_refuse(w, 503, "unavailable", "The signing certificate could not be had; try again later.");
	}
	if (v == PROOF_FORBIDDEN)
		return work_refuse(w, 403, "forbidden", arena_cstr(b->a, str_of(w->proof.detail)));
	return refuse_proof(b, w, "invalid_signature", "The signature is missing or wrong.", "Invalid signature");
}

static bool take_rate(struct batch *b, struct ingest_work *w)
{
	bool final = w->provider->flags & FINAL_4XX;

	if (!b->g->c.rate_limit || w->item->is_test)
		return true;
	w->item->rate = rate_take(b->g->c.shm, w->source->rate_key, w->source->per_minute, b->now);
	if (w->item->rate.allowed)
		return true;
	count(b->g->c.shm, C_REFUSED_RATE, 1);
	w->refusal.retry_after_s = (unsigned)((w->item->rate.retry_after_ms + 999) / 1000);
	return work_refuse(w, final ? 503 : 429, "rate_limited", "This integration takes no more requests in this minute.");
}

/* A test shows whether the signature is right also where senders' are not looked at. */
static bool must_sign(const struct batch *b, const struct ingest_item *it)
{
	return it->is_test ? !it->proof_waived : b->g->c.verify_signatures;
}

static bool prove(struct batch *b, struct ingest_work *w)
{
	bool signs = w->source->s.secret_n > 0 || proofs_keyless(provider_proofs(w->provider), w->source->settings);

	w->item->in.settings = w->source->settings;
	if ((!signs || w->source->s.require_key) && !key_matches(b->a, w, b->now))
		return refuse_proof(b, w, "invalid_key", "The integration key is missing or wrong.", "Invalid key");
	if (signs && must_sign(b, w->item) && !check_signature(b, w))
		return false;
	return take_rate(b, w);
}

void ingest_prove(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (!b->work[i].refused)
			prove(b, &b->work[i]);
}
