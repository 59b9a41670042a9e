/* alert.c - the alerts of an incident, and the alert of an event. */
#include "view_int.h"

const struct field alert_view_fields[] = {
	FIELD_ID(struct alert_view, id, "id", "Our number of the alert"),
	FIELD_ID(struct alert_view, event_id, "eventId", "The event that reported it"),
	FIELD_ID(struct alert_view, incident_id, "incidentId", "The incident it joined"),
	FIELD_STR(struct alert_view, summary, "title", "What happened, in a line"),
	FIELD_STR(struct alert_view, level, "severity", "CRITICAL, HIGH, MEDIUM, LOW or INFO"),
	FIELD_STR(struct alert_view, source_id, "sourceId", "The integration it came in by"),
	FIELD_TIME(struct alert_view, created_at, "createdAt", "When it was stored"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_U64(struct alert_view, id, "id", ""),
	FIELD_U64(struct alert_view, event_id, "event_id", ""),
	FIELD_U64(struct alert_view, incident_id, "incident_id", ""),
	FIELD_U64(struct alert_view, level_n, "level_n", ""),
	FIELD_STR(struct alert_view, summary, "summary", ""),
	FIELD_STR(struct alert_view, source_id, "source_id", ""),
	FIELD_TIME(struct alert_view, created_at, "created_at", ""),
	FIELD_END
};

static void fill_words(struct alert_view *v)
{
	v->level = str_of(level_word((enum level)v->level_n));
}

bool alert_view_newest(struct db *db, struct arena *a, uint64_t incident_id,
	struct alert_view **out, size_t *n, struct err *e)
{
	if (!db_query(db, &view_stmt[V_ALERTS], VALS(V_U(incident_id), V_U(INCIDENT_ALERTS_MAX)), a,
			columns, sizeof(**out), out, n, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		fill_words(&(*out)[i]);
	return true;
}

int alert_view_of(struct db *db, struct arena *a, uint64_t incident_id, uint64_t event_id,
	struct alert_view *out, struct err *e)
{
	uint64_t end = id_floor(id_time(event_id) + ALERT_NEAR_MS);
	int found;

	if (!incident_id)
		return 0;
	found = db_query_one(db, &view_stmt[V_ALERT_OF],
		VALS(V_U(incident_id), V_U(event_id), V_U(end), V_U(event_id)), a, columns,
		sizeof(*out), out, e);
	if (found == 1)
		fill_words(out);
	return found;
}
