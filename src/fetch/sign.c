/* sign.c - signatures of what we send: Standard Webhooks 1.0 (standardwebhooks.com, looked up 2026-06-02), and beside it the older form
 * that GitHub made common, for receivers that know only that one. */
#include "grapnel/crypto.h"

#include "fetch_int.h"

#define SEED_PREFIX "whsec_"

/* The bytes under which the signed content is hashed. What follows whsec_ and is no base64 counts as it stands. */
static struct str key_of(struct arena *a, struct str secret)
{
	struct str decoded;

	if (str_starts(secret, SEED_PREFIX) && base64_decode(a, str_sub(secret, sizeof(SEED_PREFIX) - 1), false, &decoded))
		return decoded;
	return secret;
}

static struct str standard_signature(struct arena *a, struct str secret, struct str id, struct str timestamp, struct str body)
{
	const struct str signed_parts[] = { id, STR("."), timestamp, STR("."), body };
	unsigned char digest[DIGEST_MAX];
	size_t n = hmac(DIGEST_SHA256, key_of(a, secret), signed_parts, ARRAY_SIZE(signed_parts), digest);
	struct str text = base64_encode(a, digest, n);

	return arena_printf(a, "v1,%.*s", STR_ARG(text));
}

static struct str body_signature(struct arena *a, struct str secret, struct str body)
{
	unsigned char digest[DIGEST_MAX];
	size_t n = hmac(DIGEST_SHA256, secret, &body, 1, digest);
	struct str text = hex_encode(a, digest, n);

	return arena_printf(a, "sha256=%.*s", STR_ARG(text));
}

size_t sign_headers(struct arena *a, struct str secret, struct str old, struct str id, struct str event, struct str body, ms_t now,
	struct header out[SIGN_HEADERS])
{
	struct str timestamp = arena_printf(a, "%lld", (long long)(now / MS_PER_SECOND)), standard;
	size_t n = 0;

	out[n++] = (struct header){ STR("webhook-id"), id };
	out[n++] = (struct header){ STR("webhook-timestamp"), timestamp };
	out[n++] = (struct header){ STR("X-Webhook-Event"), event };
	out[n++] = (struct header){ STR("X-Webhook-Delivery"), id };
	if (!secret.n)
		return n;
	standard = standard_signature(a, secret, id, timestamp, body);
	if (old.n) {
		struct str second = standard_signature(a, old, id, timestamp, body);

		standard = arena_printf(a, "%.*s %.*s", STR_ARG(standard), STR_ARG(second));
	}
	out[n++] = (struct header){ STR("webhook-signature"), standard };
	out[n++] = (struct header){ STR("X-Webhook-Signature"), body_signature(a, secret, body) };
	return n;
}
