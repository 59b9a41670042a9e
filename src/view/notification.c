/* notification.c - who was told what of an incident, when, and what came of it: the rows of the outbox that it caused, each with its attempts. */
#include "view_int.h"

#include "grapnel/channel.h"
#include "grapnel/json.h"

#define ATTEMPT_JSON_MAX 4096	/* its answer and error, escaped to six times their size */

const struct field incident_notification_view_fields[] = {
	FIELD_ID(struct incident_notification_view, id, "id", "Our number of the message"),
	FIELD_STR(struct incident_notification_view, kind, "kind", "Who was told: channel, endpoint or person"),
	FIELD_STR(struct incident_notification_view, target_id, "channelId", "The channel; null = it was deleted, or is none"),
	FIELD_STR(struct incident_notification_view, target, "channel", "Its name"),
	FIELD_STR(struct incident_notification_view, target_kind, "channelKind", "slack, email, sms...; of a person by which way: email, sms or push"),
	FIELD_STR(struct incident_notification_view, endpoint_id, "endpointId", "The endpoint, if it is yours; else null"),
	FIELD_STR(struct incident_notification_view, endpoint, "endpoint", "Its address without the path"),
	FIELD_STR(struct incident_notification_view, user, "user", "Who was paged, or whose endpoint it is; null = a channel was told"),
	FIELD_STR(struct incident_notification_view, recipient, "recipient",
		"Of a channel the mail address or telephone number, null = it has none; of a person the address with its middle left out"),
	FIELD_ID(struct incident_notification_view, bundled_in, "bundledIn", "The message that tells it, with others of its minute; null = it is told by itself"),
	FIELD_STR(struct incident_notification_view, bundle_status, "bundleStatus", "What came of that one; null = it is told by itself"),
	FIELD_STR(struct incident_notification_view, type, "type", "What it tells: incident.opened..."),
	FIELD_STR(struct incident_notification_view, title, "title", "Its one line"),
	FIELD_STR(struct incident_notification_view, status, "status",
		"waiting, sending, retrying, sent, dead, bundled, or unneeded: before it was sent somebody took care, or whom it is for was taken off the channel's list"),
	FIELD_U64(struct incident_notification_view, attempts, "attempts", "Attempts so far"),
	FIELD_STR(struct incident_notification_view, error, "error", "Why the newest attempt failed; null = it did not"),
	FIELD_TIME(struct incident_notification_view, created_at, "createdAt", "When it came to pass"),
	FIELD_TIME(struct incident_notification_view, next_at, "nextAt", "Next attempt; null = none"),
	FIELD_TIME(struct incident_notification_view, finished_at, "finishedAt", "When it was taken, given up or not needed any more"),
	FIELD_JSON(struct incident_notification_view, log_json, "attemptLog",
		"Its newest 5 attempts, oldest first: attempt, at, durationMs, httpStatus, error, and answer: its first 200 characters; of another's endpoint or contact null"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_U64(struct incident_notification_view, id, "id", ""),
	FIELD_U64(struct incident_notification_view, kind_n, "kind_n", ""),
	FIELD_STR(struct incident_notification_view, target_id, "public_id", ""),
	FIELD_STR(struct incident_notification_view, target, "name", ""),
	FIELD_STR(struct incident_notification_view, target_kind, "channel_kind", ""),
	FIELD_STR(struct incident_notification_view, endpoint_id, "endpoint_id", ""),
	FIELD_STR(struct incident_notification_view, endpoint, "url", ""),
	FIELD_BOOL(struct incident_notification_view, is_mine, "is_mine", ""),
	FIELD_STR(struct incident_notification_view, user, "user", ""),
	FIELD_STR(struct incident_notification_view, recipient, "recipient", ""),
	FIELD_ID(struct incident_notification_view, bundled_in, "bundled_in", ""),
	FIELD_U64(struct incident_notification_view, bundle_status_n, "bundle_status", ""),
	FIELD_U64(struct incident_notification_view, bundle_attempts, "bundle_attempts", ""),
	FIELD_BOOL(struct incident_notification_view, bundle_held, "bundle_held", ""),
	FIELD_STR(struct incident_notification_view, payload, "payload", ""),
	FIELD_STR(struct incident_notification_view, type, "event", ""),
	FIELD_STR(struct incident_notification_view, title, "summary", ""),
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

static struct str kind_word(uint64_t kind)
{
	return kind == OUTBOX_DELIVERY ? STR("endpoint") : kind == OUTBOX_PAGE ? STR("person") : STR("channel");
}

/* What came of a message that was bundled is what came of the one that tells it. */
static void fill_bundled(struct incident_notification_view *v)
{
	v->bundle_status = outbox_word(v->bundle_status_n, v->bundle_held, v->bundle_attempts);
	v->attempts = v->bundle_attempts;
	v->held = v->bundle_held;
}

static void fill(struct arena *a, struct incident_notification_view *v)
{
	v->kind = kind_word(v->kind_n);
	v->status = outbox_word(v->status_n, v->held, v->attempts);
	if (v->bundled_in)
		fill_bundled(v);
	if (v->held || v->finished_at)
		v->next_at = 0;
	if (v->endpoint.n)
		v->endpoint = address_masked(a, v->endpoint);
	if (v->payload.n)
		message_words(a, v->payload, &v->type, &v->title);
}

static uint64_t message_of_log(const struct incident_notification_view *v)
{
	return v->bundled_in ? v->bundled_in : v->id;
}

/* [{"id":7,"after":0}]: attempts of a message after that one. */
static struct str wanted_json(struct arena *a, const struct incident_notification_view *v, size_t n)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, 64 * n + 16);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++) {
		json_open(&o, '{');
		json_key(&o, "id");
		json_u64(&o, message_of_log(&v[i]));
		json_key(&o, "after");
		json_u64(&o, v[i].attempts > NOTIFICATION_ATTEMPTS_MAX ? v[i].attempts - NOTIFICATION_ATTEMPTS_MAX : 0);
		json_close(&o, '}');
	}
	json_close(&o, ']');
	return strbuf_str(&b);
}

static void write_log(struct arena *a, struct incident_notification_view *v)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, v->log_n * ATTEMPT_JSON_MAX + 16);
	json_out_init(&o, &b);
	json_rows(&o, channel_attempt_view_fields, v->log, sizeof(*v->log), v->log_n);
	v->log_json = strbuf_str(&b);
}

static void take_log(struct arena *a, struct incident_notification_view *v, const struct logged *rows, size_t n)
{
	v->log = ARENA_ARRAY(a, struct channel_attempt_view, NOTIFICATION_ATTEMPTS_MAX);
	for (size_t i = 0; i < n && v->log_n < NOTIFICATION_ATTEMPTS_MAX; i++) {
		if (rows[i].message != message_of_log(v))
			continue;
		v->log[v->log_n] = rows[i].attempt;
		if (v->kind_n != OUTBOX_NOTIFICATION && !v->is_mine)	/* it may name the address: Twilio says the number, ntfy the topic */
			v->log[v->log_n].answer = STR_NONE;
		v->log_n++;
	}
	write_log(a, v);
}

/* Some hundred messages with some attempts each. */
static bool add_logs(struct db *db, struct arena *a, struct incident_notification_view *v, size_t n, struct err *e)
{
	struct logged *rows;
	size_t row_n;

	if (!db_query(db, &view_stmt[V_NOTIFICATION_ATTEMPTS], VALS(V_U(NOTIFICATION_ANSWER_MAX), V_S(wanted_json(a, v, n))), a, logged_columns, sizeof(*rows),
		&rows, &row_n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		take_log(a, &v[i], rows, row_n);
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

bool incident_notification_view_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t incident_id, uint64_t user_id,
	struct incident_notification_view **out, size_t *n, struct err *e)
{
	if (!db_query(db, &view_stmt[V_NOTIFICATIONS],
		VALS(V_U(user_id), V_U(user_id), V_U(tenant_id), V_U(incident_id), V_U(tenant_id), V_U(INCIDENT_NOTIFICATIONS_MAX)), a, columns, sizeof(**out),
		out, n, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		fill(a, &(*out)[i]);
	oldest_first(*out, *n);
	return add_logs(db, a, *out, *n, e);
}
