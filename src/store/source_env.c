/* source_env.c - sources that the environment asks for: with STRIPE_WEBHOOK_SECRET or PAYPAL_WEBHOOK_ID set, the default
 * tenant has a default source of that provider with that secret, and nobody needs to make one. */
#include "store_int.h"

#include "grapnel/json.h"

#define TRIES 2		/* another master, starting now too, may make it first */

static const struct who by_system = { .tenant_id = DEFAULT_TENANT, .actor = ACTOR_SYSTEM };

static bool make(struct db *db, struct arena *a, const struct seal_key *sk, struct shm *shm, struct str provider,
	struct str secret, ms_t now, struct err *e)
{
	/* Payment providers only record until the owner says where to forward (1-product: actions of a source). */
	struct source in = { .tenant_id = DEFAULT_TENANT, .kind = SOURCE_INTEGRATION, .provider = provider,
		.name = arena_printf(a, "%.*s (environment)", STR_ARG(provider)), .actions = DO_RECORD,
		.rate_per_minute = RATE_DEFAULT, .enabled = true, .is_default = true };
	struct source made;
	struct str key;

	return source_add(db, a, sk, shm, &in, secret, &by_system, now, &made, &key, e);
}

static bool replace_secret(struct db *db, struct arena *a, const struct seal_key *sk, struct shm *shm, struct str public_id,
	struct str secret, ms_t now, struct err *e)
{
	struct source s;
	int found = source_get(db, a, DEFAULT_TENANT, public_id, now, &s, e);

	if (found == 1)
		found = source_update(db, a, sk, shm, &s, secret, &by_system, now, e);
	if (!found)
		err_set(e, ERR_CONFLICT, "the default source was deleted meanwhile");
	return found == 1;
}

static bool has_just(const struct live_source *s, struct str secret)
{
	return s->secret_n == 1 && equal_ct(s->secrets[0].p, s->secrets[0].n, secret.p, secret.n);
}

static struct str json_array_of(struct arena *a, struct str word)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, 1024);
	json_out_init(&o, &b);
	json_open(&o, '[');
	json_str(&o, word);
	json_close(&o, ']');
	return strbuf_str(&b);
}

bool source_ensure_env(struct db *db, struct arena *a, const struct seal_key *sk, struct shm *shm, struct str provider,
	struct str secret, ms_t now, struct err *e)
{
	struct live_source *list;
	size_t n;

	for (int i = 0; i < TRIES; i++) {
		if (!live_sources(db, a, sk, STR_NONE, STR_NONE, json_array_of(a, provider), now, &list, &n, e))
			return false;
		if (n && has_just(&list[0], secret))
			return true;
		if (n ? replace_secret(db, a, sk, shm, list[0].public_id, secret, now, e) :
			make(db, a, sk, shm, provider, secret, now, e))
			return true;
		if (e->code != ERR_CONFLICT)
			return false;
	}
	return false;
}
