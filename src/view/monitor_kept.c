/* monitor_kept.c - what was counted for the monitor is kept for half a minute, as JSON in the database: for all workers of all hosts, and
 * by the tables that describe it anyhow. What it means is judged each time anew, so a change of a threshold counts at once. */
#include "grapnel/json.h"

#include "view_int.h"

#define FACTS_MAX (1u << 20)

static const struct field facts_fields[] = {
	FIELD_U64(struct monitor_facts, window_min, "window", ""),
	FIELD_U64(struct monitor_facts, total, "total", ""),
	FIELD_U64(struct monitor_facts, processed, "processed", ""),
	FIELD_U64(struct monitor_facts, failed, "failed", ""),
	FIELD_U64(struct monitor_facts, pending, "pending", ""),
	FIELD_U64(struct monitor_facts, starts, "starts", ""),
	FIELD_U64(struct monitor_facts, failures, "failures", ""),
	FIELD_U64(struct monitor_facts, duplicates, "duplicates", ""),
	FIELD_U64(struct monitor_facts, backlog, "backlog", ""),
	FIELD_TIME(struct monitor_facts, oldest_at, "oldestAt", ""),
	FIELD_BOOL(struct monitor_facts, more_backlog, "moreBacklog", ""),
	FIELD_BOOL(struct monitor_facts, more_failures, "moreFailures", ""),
	FIELD_U64(struct monitor_facts, done, "done", ""),
	FIELD_U64(struct monitor_facts, took_us, "tookUs", ""),
	FIELD_U64(struct monitor_facts, p50_us, "p50", ""),
	FIELD_U64(struct monitor_facts, p95_us, "p95", ""),
	FIELD_U64(struct monitor_facts, p99_us, "p99", ""),
	FIELD_ID(struct monitor_facts, oldest_id, "oldestId", ""),
	FIELD_END
};

const struct field monitor_source_fields[] = {
	FIELD_STR(struct monitor_source, id, "id", "The integration"),
	FIELD_STR(struct monitor_source, name, "name", "As people know it"),
	FIELD_U64(struct monitor_source, count, "count", "Its share"),
	FIELD_STR(struct monitor_source, error, "error", "Its last error"),
	FIELD_END
};

const struct field monitor_event_fields[] = {
	FIELD_ID(struct monitor_event, id, "id", "Our number of the event"),
	FIELD_STR(struct monitor_event, type, "eventType", "Type as the provider names it"),
	FIELD_STR(struct monitor_event, source_id, "sourceId", "The integration"),
	FIELD_STR(struct monitor_event, source, "source", "Its name"),
	FIELD_STR(struct monitor_event, status, "status", "pending, processing or failed"),
	FIELD_U64(struct monitor_event, attempts, "attempts", "Starts of its actions"),
	FIELD_STR(struct monitor_event, error, "error", "Of the last attempt"),
	FIELD_TIME(struct monitor_event, received_at, "receivedAt", "Receipt"),
	FIELD_END
};

static const struct field count_fields[] = {
	FIELD_STR(struct stats_count, name, "name", ""),
	FIELD_U64(struct stats_count, count, "count", ""),
	FIELD_END
};

/* The members of what is kept beside the facts: sources that stand out, and lists. */
static const struct {
	const char *name;
	size_t offset;
} kept_sources[] = {
	{ "failing", offsetof(struct monitor_view, facts.failing) },
	{ "waiting", offsetof(struct monitor_view, facts.waiting) },
	{ "repeating", offsetof(struct monitor_view, facts.repeating) },
};

static const struct {
	const char *name;
	const struct field *fields;
	size_t offset, n_offset, size, max;
} kept_lists[] = {
	{ "byProvider", count_fields, offsetof(struct monitor_view, by_provider), offsetof(struct monitor_view, by_provider_n),
		sizeof(struct stats_count), MONITOR_PROVIDERS_MAX },
	{ "byType", count_fields, offsetof(struct monitor_view, by_type), offsetof(struct monitor_view, by_type_n),
		sizeof(struct stats_count), STATS_NAMES_MAX },
	{ "oldest", monitor_event_fields, offsetof(struct monitor_view, oldest), offsetof(struct monitor_view, oldest_n),
		sizeof(struct monitor_event), MONITOR_OLDEST },
};

static void put_object(struct json_out *o, const struct field *fields, const void *obj)
{
	json_open(o, '{');
	json_fields(o, fields, obj);
	json_close(o, '}');
}

static struct str as_text(struct arena *a, const struct monitor_view *v)
{
	const char *base = (const char *)v;
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, FACTS_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_fields(&o, facts_fields, &v->facts);
	for (size_t i = 0; i < ARRAY_SIZE(kept_sources); i++) {
		json_key(&o, kept_sources[i].name);
		put_object(&o, monitor_source_fields, base + kept_sources[i].offset);
	}
	for (size_t i = 0; i < ARRAY_SIZE(kept_lists); i++) {
		json_key(&o, kept_lists[i].name);
		json_open(&o, '[');
		for (size_t k = 0; k < *(const size_t *)(const void *)(base + kept_lists[i].n_offset); k++)
			put_object(&o, kept_lists[i].fields, base + kept_lists[i].offset + k * kept_lists[i].size);
		json_close(&o, ']');
	}
	json_close(&o, '}');
	return strbuf_str(&b);
}

static bool read_list(const struct json *list, size_t i, char *base)
{
	size_t *n = (size_t *)(void *)(base + kept_lists[i].n_offset);

	if (!json_is(list, JSON_ARRAY) || list->count > kept_lists[i].max)
		return false;
	for (const struct json *j = list->first; j; j = j->next)
		if (!json_fields_read(j, kept_lists[i].fields, base + kept_lists[i].offset + (*n)++ * kept_lists[i].size))
			return false;
	return true;
}

/* False: another version of the program kept it. */
static bool from_text(struct arena *a, struct str text, struct monitor_view *v)
{
	const struct json *j;
	struct err e = { 0 };
	bool ok = json_parse(a, text, &j, &e) && json_fields_read(j, facts_fields, &v->facts);

	for (size_t i = 0; ok && i < ARRAY_SIZE(kept_sources); i++)
		ok = json_fields_read(json_get(j, kept_sources[i].name), monitor_source_fields, (char *)v + kept_sources[i].offset);
	for (size_t i = 0; ok && i < ARRAY_SIZE(kept_lists); i++)
		ok = read_list(json_get(j, kept_lists[i].name), i, (char *)v);
	return ok;
}

bool monitor_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t window_min, bool fresh, ms_t now, struct monitor_view *out,
	struct err *e)
{
	struct monitor_cached kept;
	int known = monitor_cache_get(db, a, tenant_id, window_min, now, &kept, e);

	if (known < 0)
		return false;
	*out = (struct monitor_view){ .made_at = kept.made_at, .cached = true };
	if (known && !fresh && from_text(a, kept.facts, out))
		return true;
	if (!monitor_find_out(db, a, tenant_id, window_min, now, out, e))
		return false;
	kept.made_at = now;
	kept.facts = as_text(a, out);
	return monitor_cache_put(db, tenant_id, window_min, &kept, e);
}
