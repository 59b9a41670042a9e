/* stats.c - /api/stats. */
#include "api_int.h"

const struct doc_part stats_parts[] = {
	{ "byProvider", PART_COUNTS, .help = "Events of each provider, its slug in capitals" },
	{ "byType", PART_COUNTS, .help = "Events of each type, the hundred most frequent ones" },
	{ 0 }
};

void api_stats(void *call)
{
	struct call *c = call;
	struct stats_query q = { 0 };
	struct stats_view v;
	struct err e = { 0 };
	struct reply r;

	if (!input_one_tenant(c) || !input_query(c, stats_query_fields, &q))
		return;
	if (!stats_query_get(&c->by, &q, &v, &e)) {
		reply_err(c, &e);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, stats_view_fields, &v);
	reply_counts(&r, "byProvider", v.by_provider, v.by_provider_n);
	reply_counts(&r, "byType", v.by_type, v.by_type_n);
	reply_end(c, &r, 200);
}
