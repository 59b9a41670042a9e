/* news.c - what befell incidents and nobody has been told of yet, with all that may be said of it. */
#include "view_int.h"

static const struct field columns[] = {
	FIELD_U64(struct news_view, entry.id, "id", ""),
	FIELD_U64(struct news_view, entry.event_id, "event_id", ""),
	FIELD_STR(struct news_view, entry.user, "user", ""),
	FIELD_STR(struct news_view, entry.text, "text", ""),
	FIELD_STR(struct news_view, entry.by_link, "by_link", ""),
	FIELD_U64(struct news_view, entry.kind_n, "kind_n", ""),
	FIELD_U64(struct news_view, entry.actor_n, "actor_n", ""),
	FIELD_U64(struct news_view, entry.level_n, "level_n", ""),
	FIELD_TIME(struct news_view, entry.at, "at", ""),
	FIELD_U64(struct news_view, incident_id, "incident_id", ""),
	FIELD_STR(struct news_view, traceparent, "traceparent", ""),
	FIELD_END
};

static const struct incident_view *find(const struct incident_view *list, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].id == id)
			return &list[i];
	return NULL;
}

bool news_view_list(struct db *db, struct arena *a, const struct news *rows, size_t row_n, struct news_view **out, size_t *n, struct err *e)
{
	struct str ids = JSON_IDS(a, rows, row_n, id);
	struct incident_view *incidents;
	size_t incident_n, kept = 0;

	if (!db_query(db, &view_stmt[V_NEWS], VALS(V_S(ids)), a, columns, sizeof(**out), out, n, e) ||
		!db_query(db, &view_stmt[V_NEWS_INCIDENTS], VALS(V_S(ids)), a, incident_view_columns, sizeof(*incidents), &incidents, &incident_n, e))
		return false;
	for (size_t i = 0; i < incident_n; i++)
		incident_view_fill(&incidents[i]);
	for (size_t i = 0; i < *n; i++) {
		struct news_view *v = &(*out)[i];

		timeline_view_fill(&v->entry);
		v->incident = find(incidents, incident_n, v->incident_id);
		if (v->incident)
			(*out)[kept++] = *v;
	}
	*n = kept;
	return true;
}
