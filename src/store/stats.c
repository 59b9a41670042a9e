/* stats.c - which rows of source_stats are the last hours. */
#include "store_int.h"

#include "grapnel/json.h"

struct str stats_hours(struct arena *a, ms_t now, unsigned n)
{
	uint64_t hour = (uint64_t)(now / MS_PER_HOUR);
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, 16 * n + 16);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (unsigned i = n; i; i--)
		json_u64(&o, hour - i + 1);
	json_close(&o, ']');
	return strbuf_str(&b);
}
