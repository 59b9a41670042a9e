/* All providers, sorted by slug. To add one: its file, its line in provider_int.h and its line
 * here; doc/adding-a-provider.md has the rest. tests/tools/check-providers compares the sets. */
#include "provider_int.h"

#define BODY_MAX (1024 * 1024)
#define PER_MINUTE 100
#define PER_MINUTE_PAYMENT 1000

const struct provider *const providers[] = {
	&provider_github,
	&provider_prometheus,
	&provider_stripe,
	&provider_webhook,
	NULL,
};

const struct provider *provider_find(struct str slug)
{
	size_t low = 0, high = ARRAY_SIZE(providers) - 1;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = str_cmp(slug, str_of(providers[middle]->slug));

		if (order == 0)
			return providers[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

size_t provider_body_max(const struct provider *p)
{
	return p->body_max ? p->body_max : BODY_MAX;
}

uint32_t provider_per_minute(const struct provider *p)
{
	if (p->per_minute)
		return p->per_minute;
	return p->flags & PAYMENT ? PER_MINUTE_PAYMENT : PER_MINUTE;
}

bool provider_can_sign(const struct provider *p)
{
	return p->proofs != NULL;
}

const struct proof *const *provider_proofs(const struct provider *p)
{
	return p->proofs ? p->proofs : proofs_plain_hmac;
}

const char *provider_group_title(enum provider_group g)
{
	static const char *const titles[GROUP_COUNT] = {
		[GROUP_MONITORING] = "Monitoring",
		[GROUP_DEVELOPMENT] = "Development",
		[GROUP_PAYMENT] = "Payment",
		[GROUP_BUSINESS] = "Business and messaging",
		[GROUP_GENERIC] = "Anything else",
	};

	return titles[g];
}
