/* integration_health.c - how what comes in fares: the last 24 hours, from the counters by the hour.
 *
 * Test webhooks are left out: they are counted as received and as tests, and never as errors. The hour of `now` is one of the 24, so the
 * window is between 23 and 24 hours long. */
#include "view_int.h"

#define HEALTHY_RATE 95.0	/* percent of requests that were accepted (2b-contracts) */
#define DEGRADED_RATE 75.0

const struct field traffic_view_fields[] = {
	FIELD_U64(struct traffic_view, received, "totalReceived", "Requests"),
	FIELD_U64(struct traffic_view, success, "totalSuccess", "Of these accepted"),
	FIELD_U64(struct traffic_view, errors, "totalErrors", "Of these answered 4xx or 5xx"),
	FIELD_RATE(struct traffic_view, success_rate, "successRate", "Percent; 100 where nothing came"),
	FIELD_RATE(struct traffic_view, average_latency_ms, "averageLatencyMs",
		"Receipt to storing, in milliseconds"),
	FIELD_END
};

const struct field type_traffic_fields[] = {
	FIELD_U64(struct traffic_view, received, "totalReceived", "Requests"),
	FIELD_RATE(struct traffic_view, success_rate, "successRate", "Percent; 100 where nothing came"),
	FIELD_RATE(struct traffic_view, average_latency_ms, "averageLatencyMs",
		"Receipt to storing, in milliseconds"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_STR(struct traffic_view, slug, "provider", ""),
	FIELD_U64(struct traffic_view, integrations, "integrations", ""),
	FIELD_U64(struct traffic_view, received, "received", ""),
	FIELD_U64(struct traffic_view, errors, "errors", ""),
	FIELD_U64(struct traffic_view, latency_us, "latency_us", ""),
	FIELD_END
};

static const struct field hour_columns[] = {
	FIELD_ID(struct source_hour, source_row, "source_id", ""),
	FIELD_U64(struct source_hour, hour, "hour", ""),
	FIELD_U64(struct source_hour, received, "received", ""),
	FIELD_U64(struct source_hour, errors, "errors", ""),
	FIELD_END
};

/* "google-cloud-monitoring" is GOOGLE_CLOUD_MONITORING. */
static struct str type_key(struct arena *a, struct str slug)
{
	char *p = arena_cstr(a, slug);

	for (size_t i = 0; i < slug.n; i++)
		p[i] = p[i] == '-' ? '_' : p[i] >= 'a' && p[i] <= 'z' ? (char)(p[i] & ~32) : p[i];
	return (struct str){ p, slug.n };
}

static void rates_fill(struct traffic_view *t)
{
	t->success = t->received - t->errors;
	t->success_rate = t->received ? 100.0 * (double)t->success / (double)t->received : 100.0;
	t->average_latency_ms = t->received ? (double)t->latency_us / 1000.0 / (double)t->received : 0.0;
}

static const char *status_of(double rate)
{
	return rate >= HEALTHY_RATE ? "healthy" : rate >= DEGRADED_RATE ? "degraded" : "unhealthy";
}

bool integration_health_get(struct db *db, struct arena *a, uint64_t tenant_id, ms_t now,
	struct integration_health *out, struct err *e)
{
	*out = (struct integration_health){ 0 };
	if (!db_query(db, &view_stmt[V_TRAFFIC], VALS(V_S(stats_hours(a, now, TRAFFIC_HOURS)), V_U(tenant_id)), a, columns,
			sizeof(*out->types), &out->types, &out->type_n, e))
		return false;
	for (size_t i = 0; i < out->type_n; i++) {
		struct traffic_view *t = &out->types[i];

		t->type = type_key(a, t->slug);
		rates_fill(t);
		out->global.integrations += t->integrations;
		out->global.received += t->received;
		out->global.errors += t->errors;
		out->global.latency_us += t->latency_us;
	}
	rates_fill(&out->global);
	out->status = str_of(status_of(out->global.success_rate));
	return true;
}

bool source_hours_list(struct db *db, struct arena *a, struct str source_rows, ms_t now,
	struct source_hour **out, size_t *n, struct err *e)
{
	return db_query(db, &view_stmt[V_SOURCE_HOURS], VALS(V_S(source_rows), V_S(stats_hours(a, now, TRAFFIC_HOURS))), a,
		hour_columns, sizeof(**out), out, n, e);
}
