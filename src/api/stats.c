/* stats.c - /api/stats. */
#include "api_int.h"

const struct doc_part stats_parts[] = {
	{ "byProvider", PART_COUNTS, .help = "Events of each provider, its slug in capitals" },
	{ "byType", PART_COUNTS, .help = "Events of each type, the hundred most frequent ones" },
	{ 0 }
};

static void write_counts(struct reply *r, const char *name, const struct stats_count *counts, size_t n)
{
	json_key(&r->o, name);
	json_open(&r->o, '{');
	for (size_t i = 0; i < n; i++) {
		json_keyn(&r->o, counts[i].name);
		json_u64(&r->o, counts[i].count);
	}
	json_close(&r->o, '}');
}

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
	write_counts(&r, "byProvider", v.by_provider, v.by_provider_n);
	write_counts(&r, "byType", v.by_type, v.by_type_n);
	reply_end(c, &r, 200);
}
