/* throttle.c - whoever fails too often waits. Only failures count. Nobody is locked out for good: that would hand everybody a way to do it
 * to others. The wait grows because each bucket has a second one with a longer window behind it. */
#include "grapnel/account.h"

#include "grapnel/net.h"

const struct throttle throttle_address = { "address", { { 30, 5 * MS_PER_MINUTE }, { 100, MS_PER_HOUR } } };

static uint64_t key_of(const struct throttle *t, size_t i, struct str whose)
{
	const struct str parts[] = { str_of(t->what), { (const char *)&i, sizeof(i) }, whose };
	unsigned char digest[DIGEST_MAX];
	uint64_t key;

	hmac(DIGEST_SHA256, STR("throttle"), parts, ARRAY_SIZE(parts), digest);
	memcpy(&key, digest, sizeof(key));
	return key | 1;
}

ms_t throttle_wait(struct shm *shm, const struct throttle *t, struct str whose, ms_t now)
{
	ms_t wait = 0;

	for (size_t i = 0; i < THROTTLE_WINDOWS; i++) {
		ms_t longer = rate_peek_in(shm, key_of(t, i, whose), t->limits[i].failures, t->limits[i].window, now).retry_after_ms;

		wait = longer > wait ? longer : wait;
	}
	return wait;
}

void throttle_failure(struct shm *shm, const struct throttle *t, struct str whose, ms_t now)
{
	for (size_t i = 0; i < THROTTLE_WINDOWS; i++)
		rate_take_in(shm, key_of(t, i, whose), t->limits[i].failures, t->limits[i].window, now);
}

struct str throttle_whose(struct arena *a, const char *thing, struct str remote_addr)
{
	struct ip ip = { { 0 } };

	return arena_printf(a, "%s %016llx", thing, (unsigned long long)(ip_parse(remote_addr, &ip) ? ip_hash(&ip) : 0));
}
