/* budget.c - how often hosts are asked, counted for all workers of this host: so many times a minute one of them, so many times all. */
#include "keys_int.h"

static uint64_t bucket(const char *what, struct str host)
{
	unsigned char digest[SHA256_BYTES];
	char name[300];
	uint64_t key;
	int n = snprintf(name, sizeof(name), "keys %s %.*s", what, STR_ARG(str_cut(host, 255)));

	sha256((struct str){ name, (size_t)n }, digest);
	memcpy(&key, digest, sizeof(key));
	return key | 1;
}

/* One failure, and a host is left alone for a minute. */
const struct budget budget_failures = { "failures", 1, 6 };

struct str host_of(struct str url)
{
	url = str_sub(url, strlen("https://"));
	return str_until(&url, '/');
}

bool budget_left(struct shm *shm, const struct budget *b, struct str host, ms_t now)
{
	return rate_peek(shm, bucket(b->name, host), b->of_host, now).allowed &&
		rate_peek(shm, bucket(b->name, STR_NONE), b->of_all, now).allowed;
}

void budget_spend(struct shm *shm, const struct budget *b, struct str host, ms_t now)
{
	(void)rate_take(shm, bucket(b->name, host), b->of_host, now);
	(void)rate_take(shm, bucket(b->name, STR_NONE), b->of_all, now);
}
