/* csrf.c - a posted form proves that this server made it for this browser.
 *
 * The token is a time and its HMAC under the secret that only the cookie holds (OWASP, "signed double-submit", HMAC
 * variant): nothing is stored, every page has its own, and a stale one is told from a forged one, so that a form which
 * stood open overnight comes back with what was typed instead of being refused. */
#include <inttypes.h>

#include "grapnel/account.h"

#define CLOCK_SKEW_MS MS_PER_MINUTE	/* between the hosts of one database */
#define TIME_DIGITS 16

static void mac(struct str secret, struct str time, unsigned char out[DIGEST_MAX])
{
	const struct str parts[] = { STR("csrf:"), time };

	hmac(DIGEST_SHA256, secret, parts, ARRAY_SIZE(parts), out);
}

struct str csrf_make(struct arena *a, struct str secret, ms_t now)
{
	unsigned char digest[DIGEST_MAX];
	struct str time = arena_printf(a, "%016" PRIx64, (uint64_t)now);

	mac(secret, time, digest);
	return arena_printf(a, "%s%.*s", time.p, STR_ARG(hex_encode(a, digest, SHA256_BYTES)));
}

int csrf_check(struct str secret, struct str token, ms_t now)
{
	unsigned char want[DIGEST_MAX], got[SHA256_BYTES], raw[sizeof(uint64_t)];
	struct str time = str_cut(token, TIME_DIGITS);
	uint64_t made = 0;

	if (!secret.n || !hex_decode(time, raw, sizeof(raw)) || !hex_decode(str_sub(token, TIME_DIGITS), got, sizeof(got)))
		return -1;
	mac(secret, time, want);
	if (!equal_ct(want, sizeof(got), got, sizeof(got)))
		return -1;
	for (size_t i = 0; i < sizeof(raw); i++)
		made = made << 8 | raw[i];
	return (ms_t)made <= now + CLOCK_SKEW_MS && now - (ms_t)made <= CSRF_LIFE_MS;
}
