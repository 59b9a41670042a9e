#include "hist.h"

#include <string.h>

/* Below 64 each value has its bucket; above, the six bits after the highest one choose it. */
static unsigned bucket_of(uint64_t us)
{
	unsigned shift;

	if (us < HIST_STEPS)
		return (unsigned)us;
	if (us > UINT32_MAX)
		us = UINT32_MAX;
	shift = 57 - (unsigned)__builtin_clzll(us);
	return (shift + 1) * HIST_STEPS + (unsigned)(us >> shift) - HIST_STEPS;
}

static uint64_t bucket_value(unsigned bucket)
{
	unsigned shift = bucket / HIST_STEPS;

	if (!shift)
		return bucket;
	return (uint64_t)(bucket % HIST_STEPS + HIST_STEPS) << (shift - 1);
}

void hist_add(struct hist *h, uint64_t us)
{
	h->counts[bucket_of(us)]++;
	h->n++;
	h->sum_us += us;
	if (us > h->max_us)
		h->max_us = us;
}

void hist_clear(struct hist *h)
{
	memset(h, 0, sizeof(*h));
}

uint64_t hist_percentile(const struct hist *h, double percent)
{
	double want = (double)h->n * percent / 100;
	uint64_t seen = 0;
	unsigned i;

	for (i = 0; i < HIST_BUCKETS; i++) {
		seen += h->counts[i];
		if (seen && (double)seen >= want)
			return bucket_value(i);
	}
	return h->max_us;
}

double hist_mean(const struct hist *h)
{
	return h->n ? (double)h->sum_us / (double)h->n : 0;
}
