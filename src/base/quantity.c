/* quantity.c - amounts as people say them: "1.5 GiB", "83 ms". */
#include <inttypes.h>

#include "grapnel/base.h"

struct str quantity_text(struct arena *a, uint64_t n, uint64_t unit, const char *name)
{
	uint64_t whole = n / unit, rest = n % unit, tenths = whole * 10 + (rest * 10 + unit / 2) / unit;

	if (whole < 10 && tenths < 100)
		return arena_printf(a, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, name);
	return arena_printf(a, "%" PRIu64 " %s", whole + (rest >= unit - unit / 2), name);
}

struct str bytes_text(struct arena *a, uint64_t n)
{
	static const char *const names[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	uint64_t unit = 1024;
	size_t i = 0;

	if (n < unit)
		return arena_printf(a, "%" PRIu64 " B", n);
	/* The next unit as soon as this one would round to 1024. */
	while (i + 1 < ARRAY_SIZE(names) && n / unit >= 1023 && (n - 1023 * unit) >= unit / 2)
		unit *= 1024, i++;
	return quantity_text(a, n, unit, names[i]);
}
