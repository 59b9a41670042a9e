/* prove.c - stage 3: who sent it. Then the source's own bucket.
 *
 * A source with a signature secret is proven by the signature alone, any other by its key; both where requireKey is set. A
 * failed proof takes from the remote address's bucket, never from the source's, so that a stranger cannot shut out the real
 * sender. While a key or secret is rotated the old one is good until its time, however old the cache's entry is. */
#include "ingest_int.h"

bool key_is(const struct cached_source *s, struct str hash, ms_t now)
{
	const struct live_source *l = &s->s;

	return equal_ct(hash.p, hash.n, l->key_hash.p, l->key_hash.n) ||
		(now < l->key_old_until && equal_ct(hash.p, hash.n, l->key_old_hash.p, l->key_old_hash.n));
}

/* Any place will do: a provider's own token in Authorization hides no key in the query. Where none is right, the first is told. */
static bool key_matches(struct arena *a, struct ingest_work *w, ms_t now)
{
	struct proof_note *n = &w->proof;

	n->key = w->entrance.kind == LOOKUP_KEY ? KEY_ROUTING : KEY_NOWHERE;
	n->key_good = n->key == KEY_ROUTING;
	for (enum key_place place = KEY_BEARER; place < KEY_PLACES && !n->key_good; place++) {
		struct str key = inbound_key(a, &w->item->in, place);
		unsigned char hash[SHA256_BYTES];

		if (!key.n)
			continue;
		sha256(key, hash);
		n->key_good = key_is(w->source, (struct str){ (const char *)hash, sizeof(hash) }, now);
		if (n->key_good || n->key == KEY_NOWHERE)
			n->key = place;
	}
	return n->key_good;
}

static void charge_address(struct batch *b, struct ingest_work *w)
{
	const struct ingest_config *c = &b->g->c;

	if (c->rate_limit && !w->item->is_test)
		(void)rate_take(c->shm, remote_key(w->item->remote_addr), c->remote_per_minute, b->now);
}

static bool refuse_proof(struct batch *b, struct ingest_work *w, const char *code, const char *message, const char *reason)
{
	charge_address(b, w);
	count(b->g->c.shm, C_REFUSED_PROOF, 1);
	w->refusal.reason = reason;
	return work_refuse(w, 401, code, message);
}

/* Some senders bring Basic credentials only to a repetition of the request. */
static bool refuse_key(struct batch *b, struct ingest_work *w)
{
	w->challenged = w->provider->flags & ASKS_FOR_BASIC && w->proof.key == KEY_NOWHERE;
	if (!w->challenged)
		return refuse_proof(b, w, "invalid_key", "The integration key is missing or wrong.", "Invalid key");
	w->refusal.reason = "Credentials asked for";
	return work_refuse(w, 401, "invalid_key", "The integration key is missing.");
}

static void debug_proof(const struct ingest_work *w)
{
	log_info("signature refused", LOG_STR("provider", w->source->s.provider), LOG_STR("source", w->source->s.public_id),
		LOG_S("scheme", w->proof.signature.scheme), LOG_S("step", w->proof.signature.step), LOG_U("body_bytes", w->raw.n),
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

/* A sender that sets itself up signs its first message with the secret that it brings (Notion). Where the source has a secret by then it
 * changes nothing, else anybody could replace it; it is kept with the reason, and answered as it wants to be. */
static bool is_late_handshake(struct batch *b, struct ingest_work *w)
{
	struct answer *answer = &w->item->answer;
	struct event *events;
	size_t n;

	if (!w->provider->handshake || !body_open(b->a, w) ||
			!provider_handshake(w->provider, b->a, &w->item->in, answer, &events, &n) || !answer->new_secret.n) {
		*answer = (struct answer){ 0 };
		return false;
	}
	w->answered = true;
	return true;
}

static bool refuse_signature(struct batch *b, struct ingest_work *w)
{
	refuse_proof(b, w, "invalid_signature", "The signature is missing or wrong.", "Invalid signature");
	if (!is_late_handshake(b, w))
		return false;
	w->refusal.status = w->item->answer.status;
	w->refusal.reason = "It brings a secret, but the integration has one: nothing was changed.";
	return false;
}

static bool check_signature(struct batch *b, struct ingest_work *w)
{
	struct str secrets[SOURCE_SECRETS_MAX];
	struct inbound in = w->item->in;
	struct proof_input input = { .arena = b->a, .in = &in, .secrets = secrets, .keys = b->g->c.keys };
	enum verdict v;

	input.secret_n = valid_secrets(&w->source->s, b->now, secrets);
	in.body = w->raw;
	v = proof_check(provider_proofs(w->provider), &input, &w->proof.signature);
	if (v == PROVEN)
		return true;
	if (b->g->c.debug)
		debug_proof(w);
	if (v == PROOF_UNAVAILABLE) {
		w->refusal.retry_after_s = INGEST_RETRY_AFTER_S;
		return work_refuse(w, 503, "unavailable", "What proves the sender could not be had; try again later.");
	}
	if (v == PROOF_FORBIDDEN)
		return work_refuse(w, 403, "forbidden", arena_cstr(b->a, str_of(w->proof.signature.detail)));
	return refuse_signature(b, w);
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
static bool must_sign(const struct batch *b, struct ingest_work *w)
{
	struct proof_report *r = &w->proof.signature;

	if (w->item->proof_waived)
		snprintf(r->detail, sizeof(r->detail), "Not looked at: only the provider can sign, and this is a test.");
	else if (!w->item->is_test && !b->g->c.verify_signatures)
		snprintf(r->detail, sizeof(r->detail), "Not looked at: verify_signatures is off in the configuration.");
	return !r->detail[0];
}

/* The source's own type says it: what takes a token of Google's takes no key instead, at /v2/enqueue neither. */
static bool must_be_signed(const struct cached_source *s)
{
	return s->s.secret_n > 0 || proofs_keyless(provider_proofs(s->provider), s->settings);
}

bool work_asks(const struct ingest_work *w)
{
	return str_eqs(w->item->in.method, "OPTIONS");
}

static bool prove(struct batch *b, struct ingest_work *w)
{
	bool signs = must_be_signed(w->source);

	w->item->in.settings = w->source->settings;
	w->item->in.per_minute = w->source->per_minute;
	if (w->item->spooled) {		/* proven at its receipt, by what was good then */
		(void)proof_note_parse(b->a, w->item->spooled->proof, &w->proof);
		w->proof.key_good &= w->proof.key != KEY_NOT_ASKED;
		return true;
	}
	if (work_asks(w)) {
		charge_address(b, w);
		return true;
	}
	if ((!signs || w->source->s.require_key) && !key_matches(b->a, w, b->now))
		return refuse_key(b, w);
	if (signs && must_sign(b, w) && !check_signature(b, w))
		return false;
	return take_rate(b, w);
}

void ingest_prove(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (!b->work[i].refused) {
			b->work[i].proving = true;
			prove(b, &b->work[i]);
		}
}
