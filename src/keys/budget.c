/* budget.c - how often hosts are asked, counted for all workers of this host: so many times a minute one of them, so many times all of one
 * domain. Not all that there are: who makes up hosts of one provider must not keep us from the keys of another. */
#include <ctype.h>

#include "keys_int.h"

/* `of`: "host" or "domain" */
static uint64_t bucket(const struct budget *b, const char *of, struct str name)
{
	unsigned char digest[SHA256_BYTES];
	char text[300];
	uint64_t key;
	int n = snprintf(text, sizeof(text), "keys %s %s %.*s", b->name, of, STR_ARG(str_cut(name, 255)));

	for (int i = 0; i < n; i++)
		text[i] = (char)tolower((unsigned char)text[i]);	/* a stranger's spelling makes no other host */
	sha256((struct str){ text, (size_t)n }, digest);
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

/* "sns.eu-west-1.amazonaws.com": its last two labels. */
static struct str domain_of(struct str host)
{
	size_t from = host.n;

	for (int dots = 0; from; from--)
		if (host.p[from - 1] == '.' && ++dots == 2)
			break;
	return str_sub(host, from);
}

bool budget_left(struct shm *shm, const struct budget *b, struct str host, ms_t now)
{
	return rate_peek(shm, bucket(b, "host", host), b->of_host, now).allowed &&
		rate_peek(shm, bucket(b, "domain", domain_of(host)), b->of_domain, now).allowed;
}

void budget_spend(struct shm *shm, const struct budget *b, struct str host, ms_t now)
{
	(void)rate_take(shm, bucket(b, "host", host), b->of_host, now);
	(void)rate_take(shm, bucket(b, "domain", domain_of(host)), b->of_domain, now);
}
