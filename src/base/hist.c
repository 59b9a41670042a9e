/* hist.c - durations sorted into classes, for averages and percentiles that need no list of all of them.
 *
 * As HdrHistogram does it (Gil Tene): a class for each microsecond up to 32, then 16 classes of equal width for each power of two. A class
 * is never wider than a sixteenth of its lower end, and its middle stands for all that fell into it: at most 1/32, 3.2 %, off. Equal ratios
 * (a logarithm) would take fewer classes for the same error, and floating point. */
#include "grapnel/base.h"

#define EXACT 32u	/* below that, a class for each */
#define PARTS 16u	/* of a power of two */
#define PARTS_LOG 4u
#define FIRST_LOG 5u	/* of EXACT */

_Static_assert(HIST_CLASSES == EXACT + (HIST_MAX_LOG + 1 - FIRST_LOG) * PARTS, "all up to the longest have their class");

unsigned hist_class(uint64_t us)
{
	unsigned log;

	if (us < EXACT)
		return (unsigned)us;
	if (us >> (HIST_MAX_LOG + 1))
		return HIST_CLASSES - 1;
	log = 63 - (unsigned)__builtin_clzll(us);
	return EXACT + (log - FIRST_LOG) * PARTS + (unsigned)(us >> (log - PARTS_LOG)) % PARTS;
}

uint64_t hist_class_us(unsigned class)
{
	unsigned log, part;
	uint64_t width;

	if (class < EXACT)
		return class;
	log = FIRST_LOG + (class - EXACT) / PARTS;
	part = (class - EXACT) % PARTS;
	width = UINT64_C(1) << (log - PARTS_LOG);
	return (UINT64_C(1) << log) + part * width + width / 2;
}

uint64_t hist_percentile(const uint64_t counts[HIST_CLASSES], unsigned percent)
{
	uint64_t all = 0, rank, seen = 0;

	for (unsigned i = 0; i < HIST_CLASSES; i++)
		all += counts[i];
	if (!all)
		return 0;
	rank = (all / 100) * percent + (all % 100 * percent + 99) / 100;	/* the nearest rank; all * percent might not fit */
	for (unsigned i = 0; i < HIST_CLASSES; i++) {
		seen += counts[i];
		if (seen >= rank && seen)
			return hist_class_us(i);
	}
	return hist_class_us(HIST_CLASSES - 1);
}
