/* stats.c - what became of the events of a window of time, for GET /api/stats.
 *
 * Each event of the window is looked at, by the range of its ids; the caller bounds the window. Nothing is kept ready: counters
 * by type would cost every insert, for a question asked seldom. */
#include <stdlib.h>

#include "view_int.h"

const struct field stats_view_fields[] = {
	FIELD_U64(struct stats_view, total, "total", "processed + failed + pending; test traffic left out"),
	FIELD_U64(struct stats_view, processed, "processed", "Nothing is left to do; ignored ones count too"),
	FIELD_U64(struct stats_view, failed, "failed", "Dead, or not processed after three attempts"),
	FIELD_U64(struct stats_view, pending, "pending", "The rest"),
	FIELD_U64(struct stats_view, ignored, "ignored", "Of the processed: there was nothing to do"),
	FIELD_U64(struct stats_view, dead, "dead", "Of the failed: attempts are used up"),
	FIELD_RATE(struct stats_view, success_rate, "successRate", "processed / total, 0 to 1; 1 where there is nothing"),
	FIELD_RATE(struct stats_view, average_attempts, "averageAttempts", "A first success is 1"),
	FIELD_TIME(struct stats_view, oldest_pending_at, "oldestPendingAt", "Receipt of the oldest event that waits, whatever the window"),
	FIELD_END
};

/* Of one provider and status. */
struct group_row {
	struct str provider;
	uint64_t status, late, events, attempts;
};

static const struct field group_columns[] = {
	FIELD_STR(struct group_row, provider, "provider", ""),
	FIELD_U64(struct group_row, status, "status", ""),
	FIELD_U64(struct group_row, late, "late", ""),
	FIELD_U64(struct group_row, events, "events", ""),
	FIELD_U64(struct group_row, attempts, "attempts", ""),
	FIELD_END
};

static const struct field count_columns[] = {
	FIELD_STR(struct stats_count, name, "name", ""),
	FIELD_U64(struct stats_count, count, "count", ""),
	FIELD_END
};

static void add_group(struct stats_view *v, const struct group_row *g)
{
	v->total += g->events;
	v->ignored += g->status == EVENT_IGNORED ? g->events : 0;
	v->dead += g->status == EVENT_DEAD ? g->events : 0;
	if (g->status == EVENT_PROCESSED || g->status == EVENT_IGNORED)
		v->processed += g->events;
	else if (g->status == EVENT_DEAD || g->late)
		v->failed += g->events;
	else
		v->pending += g->events;
}

/* "google-cloud" is GOOGLE_CLOUD */
struct str in_capitals(struct arena *a, struct str slug)
{
	char *p = arena_cstr(a, slug);

	for (size_t i = 0; i < slug.n; i++)
		p[i] = p[i] == '-' ? '_' : p[i] >= 'a' && p[i] <= 'z' ? (char)(p[i] & ~32) : p[i];
	return (struct str){ p, slug.n };
}

/* The rows of a provider stand together. */
static void add_provider(struct stats_view *v, struct arena *a, const struct group_row *g, const struct group_row *before)
{
	if (!before || !str_eq(before->provider, g->provider))
		v->by_provider[v->by_provider_n++] = (struct stats_count){ .name = in_capitals(a, g->provider) };
	v->by_provider[v->by_provider_n - 1].count += g->events;
}

int compare_counts(const void *x, const void *y)
{
	const struct stats_count *a = x, *b = y;

	return a->count != b->count ? (a->count < b->count ? 1 : -1) : str_cmp(a->name, b->name);
}

static bool read_groups(struct db *db, struct arena *a, const struct val *window, struct stats_view *v, struct err *e)
{
	struct group_row *g;
	uint64_t attempts = 0;
	size_t n;

	if (!db_query(db, &view_stmt[V_STATS], window, 3, a, group_columns, sizeof(*g), &g, &n, e))
		return false;
	v->by_provider = ARENA_ARRAY(a, struct stats_count, n);
	for (size_t i = 0; i < n; i++) {
		add_group(v, &g[i]);
		add_provider(v, a, &g[i], i ? &g[i - 1] : NULL);
		attempts += g[i].attempts;
	}
	if (v->by_provider_n)
		qsort(v->by_provider, v->by_provider_n, sizeof(*v->by_provider), compare_counts);
	v->success_rate = v->total ? (double)v->processed / (double)v->total : 1;
	v->average_attempts = v->total ? (double)attempts / (double)v->total : 0;
	return true;
}

struct oldest_row {
	ms_t received_at;
};

static const struct field oldest_columns[] = {
	FIELD_TIME(struct oldest_row, received_at, "received_at", ""),
	FIELD_END
};

bool stats_view_get(struct db *db, struct arena *a, uint64_t tenant_id, ms_t from, ms_t to, struct stats_view *out, struct err *e)
{
	const struct val window[] = { V_U(tenant_id), V_U(id_floor(from)), V_U(id_floor(to)), V_U(STATS_NAMES_MAX) };
	struct oldest_row oldest = { 0 };

	*out = (struct stats_view){ 0 };
	if (!read_groups(db, a, window, out, e))
		return false;
	if (!db_query(db, &view_stmt[V_STATS_TYPES], window, 4, a, count_columns, sizeof(*out->by_type), &out->by_type, &out->by_type_n, e))
		return false;
	if (db_query_one(db, &view_stmt[V_OLDEST_WAITING], VALS(V_U(tenant_id), V_U(tenant_id), V_U(tenant_id)), a, oldest_columns,
			sizeof(oldest), &oldest, e) < 0)
		return false;
	out->oldest_pending_at = oldest.received_at;
	return true;
}
