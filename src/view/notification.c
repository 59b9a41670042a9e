/* notification.c - who was told what of an incident, when, and what came of it: the rows of the outbox that it caused, each with its attempts. */
#include "view_int.h"

#include "grapnel/channel.h"
#include "grapnel/json.h"

#define ATTEMPT_JSON_MAX (32 * 1024)	/* an answer of 4 KiB, escaped to six times its size */

const struct field incident_notification_view_fields[] = {
	FIELD_ID(struct incident_notification_view, id, "id", "Our number of the message"),
	FIELD_STR(struct incident_notification_view, target_id, "channelId", "The channel; null = it was deleted, or a person was paged"),
	FIELD_STR(struct incident_notification_view, target, "channel", "Its name"),
	FIELD_STR(struct incident_notification_view, target_kind, "channelKind", "slack, email, sms..."),
	FIELD_STR(struct incident_notification_view, user, "user", "Who was paged; null = a channel was told"),
	FIELD_STR(struct incident_notification_view, recipient, "recipient", "The telephone number; null = all addressees of the channel"),
	FIELD_ID(struct incident_notification_view, bundled_in, "bundledIn", "The message that tells it, with others of its minute; null = it is told by itself"),
	FIELD_STR(struct incident_notification_view, type, "type", "What it tells: incident.opened..."),
	FIELD_STR(struct incident_notification_view, title, "title", "Its one line"),
	FIELD_STR(struct incident_notification_view, status, "status", "waiting, sending, retrying, sent, dead or bundled"),
	FIELD_STR(struct incident_notification_view, error, "error", "Why the newest attempt failed"),
	FIELD_TIME(struct incident_notification_view, created_at, "createdAt", "When it came to pass"),
	FIELD_TIME(struct incident_notification_view, next_at, "nextAt", "Next attempt; null = none"),
	FIELD_TIME(struct incident_notification_view, finished_at, "finishedAt", "When it was taken or given up"),
	FIELD_JSON(struct incident_notification_view, log_json, "attemptLog", "Each attempt, oldest first: attempt, at, durationMs, httpStatus, error, answer"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_U64(struct incident_notification_view, id, "id", ""),
	FIELD_STR(struct incident_notification_view, target_id, "public_id", ""),
	FIELD_STR(struct incident_notification_view, target, "name", ""),
	FIELD_STR(struct incident_notification_view, target_kind, "channel_kind", ""),
	FIELD_STR(struct incident_notification_view, user, "user", ""),
	FIELD_STR(struct incident_notification_view, recipient, "recipient", ""),
	FIELD_ID(struct incident_notification_view, bundled_in, "bundled_in", ""),
	FIELD_STR(struct incident_notification_view, payload, "payload", ""),
	FIELD_U64(struct incident_notification_view, status_n, "status", ""),
	FIELD_U64(struct incident_notification_view, attempts, "attempts", ""),
	FIELD_BOOL(struct incident_notification_view, held, "held", ""),
	FIELD_STR(struct incident_notification_view, error, "error", ""),
	FIELD_TIME(struct incident_notification_view, created_at, "created_at", ""),
	FIELD_TIME(struct incident_notification_view, next_at, "next_at", ""),
	FIELD_TIME(struct incident_notification_view, finished_at, "finished_at", ""),
	FIELD_END
};

struct logged {
	uint64_t message;
	struct channel_attempt_view attempt;
};

static const struct field logged_columns[] = {
	FIELD_U64(struct logged, message, "outbox_id", ""),
	FIELD_U64(struct logged, attempt.attempt, "attempt", ""),
	FIELD_TIME(struct logged, attempt.at, "at", ""),
	FIELD_U64(struct logged, attempt.duration_ms, "duration_ms", ""),
	FIELD_U64(struct logged, attempt.http_status, "status", ""),
	FIELD_STR(struct logged, attempt.error, "error", ""),
	FIELD_STR(struct logged, attempt.answer, "answer", ""),
	FIELD_END
};

static void fill(struct arena *a, struct incident_notification_view *v)
{
	v->status = outbox_word(v->status_n, v->held, v->attempts);
	if (v->held || v->finished_at)
		v->next_at = 0;
	message_words(a, v->payload, &v->type, &v->title);
}

static void write_log(struct arena *a, struct incident_notification_view *v)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, v->log_n * ATTEMPT_JSON_MAX + 16);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < v->log_n; i++) {
		json_open(&o, '{');
		json_fields(&o, channel_attempt_view_fields, &v->log[i]);
		json_close(&o, '}');
	}
	json_close(&o, ']');
	v->log_json = strbuf_str(&b);
}

/* Both are in order of messages, attempts of one in their own. */
static bool add_logs(struct db *db, struct arena *a, struct incident_notification_view *v, size_t n, struct err *e)
{
	struct logged *rows;
	size_t row_n, k = 0;

	if (!db_query(db, &view_stmt[V_NOTIFICATION_ATTEMPTS], VALS(V_S(JSON_IDS(a, v, n, id))), a, logged_columns, sizeof(*rows), &rows, &row_n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		v[i].log = ARENA_ARRAY(a, struct channel_attempt_view, v[i].attempts + 1);
		for (; k < row_n && rows[k].message <= v[i].id; k++)
			if (rows[k].message == v[i].id && v[i].log_n <= v[i].attempts)
				v[i].log[v[i].log_n++] = rows[k].attempt;
		write_log(a, &v[i]);
	}
	return true;
}

static void oldest_first(struct incident_notification_view *v, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct incident_notification_view swapped = v[i];

		v[i] = v[n - 1 - i];
		v[n - 1 - i] = swapped;
	}
}

bool incident_notification_view_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t incident_id, struct incident_notification_view **out,
	size_t *n, struct err *e)
{
	if (!db_query(db, &view_stmt[V_NOTIFICATIONS], VALS(V_U(tenant_id), V_U(incident_id), V_U(tenant_id), V_U(INCIDENT_NOTIFICATIONS_MAX)), a, columns,
		sizeof(**out), out, n, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		fill(a, &(*out)[i]);
	oldest_first(*out, *n);
	return add_logs(db, a, *out, *n, e);
}
