/* hist.h - a histogram of latencies with constant relative error, after HdrHistogram (Gil Tene): 64 steps to each power of
 * two, so a value read back is at most 1.6 % off. Microseconds, up to 71 minutes. No allocation. */
#ifndef BENCH_HIST_H
#define BENCH_HIST_H

#include <stdint.h>

#define HIST_STEPS 64
#define HIST_BUCKETS (HIST_STEPS * 28)

struct hist {
	uint64_t counts[HIST_BUCKETS];
	uint64_t n, sum_us, max_us;
};

void hist_add(struct hist *h, uint64_t us);
void hist_clear(struct hist *h);
uint64_t hist_percentile(const struct hist *h, double percent);	/* 0 when empty */
double hist_mean(const struct hist *h);

#endif
